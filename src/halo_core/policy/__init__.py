"""Room: policy. Takes: Cedar text; then a request and a snapshot. Gives: a `PolicyAnswer`. Never: raises in a decision.

bundle ──▶ parse ──▶ engine (hard and graded sets) ──▶ PolicyAnswer
             └──────▶ check, cases                      what `halo policy check | test` show
"""

from halo_core.policy.bundle import PolicyBundle
from halo_core.policy.engine import CedarPolicy
from halo_core.policy.leaning import leaning
from halo_core.policy.parse import Finding
from halo_core.policy.schema import ArgTypes, action_id, arg_types, cedar_schema
from halo_core.policy.scope import reaches

__all__ = [
    "ArgTypes",
    "CedarPolicy",
    "Finding",
    "PolicyBundle",
    "action_id",
    "arg_types",
    "cedar_schema",
    "leaning",
    "reaches",
]
