"""Cedar policies: a `PolicyBundle` is compiled to a `CedarPolicy`, whose `answer` to a request never raises."""

from halo_core.policy.bundle import PolicyBundle
from halo_core.policy.engine import CedarPolicy
from halo_core.policy.prepared_question import PreparedQuestion
from halo_core.policy.risk_thresholds import apply_risk_threshold
from halo_core.policy.schema import action_id, build_cedar_schema, infer_arg_types
from halo_core.policy.scopes import may_reach_kind

__all__ = [
    "CedarPolicy",
    "PolicyBundle",
    "PreparedQuestion",
    "action_id",
    "apply_risk_threshold",
    "build_cedar_schema",
    "infer_arg_types",
    "may_reach_kind",
]
