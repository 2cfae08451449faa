"""Cedar policies: compiled from a `PolicyBundle`, then asked of each request and snapshot. `CedarPolicy.answer` never raises."""

from halo_core.policy.bundle import PolicyBundle, apply_risk_threshold
from halo_core.policy.engine import CedarPolicy
from halo_core.policy.parser import Finding
from halo_core.policy.schema import ArgTypes, action_id, build_cedar_schema, infer_arg_types
from halo_core.policy.scope import may_reach_kind

__all__ = [
    "ArgTypes",
    "CedarPolicy",
    "Finding",
    "PolicyBundle",
    "action_id",
    "apply_risk_threshold",
    "build_cedar_schema",
    "infer_arg_types",
    "may_reach_kind",
]
