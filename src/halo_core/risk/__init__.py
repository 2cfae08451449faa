"""Room: behaviour. Provenance, taint, baselines, a risk score and drift, as pure functions. Never: I/O, a clock."""

from halo_core.risk.action_risk import ActionAssessment, assess_action, record_assessment
from halo_core.risk.baseline import Baseline, fit_baseline
from halo_core.risk.model import Factor, RiskModel
from halo_core.risk.profile import Profile, ProposedAction
from halo_core.values.provenance import (
    MAX_LEAVES,
    TRUST_FLOOR,
    compute_provenance,
    find_least_trusted,
    origin_of_result,
    trace_arguments,
)
from halo_core.values.sketch import (
    MAX_TAINTED_FINGERPRINTS,
    Marks,
    Sketch,
    fingerprint_stored_values,
    fingerprint_tokens,
    iter_text_fingerprints,
)
from halo_core.values.text import generate_spellings

__all__ = [
    "MAX_LEAVES",
    "MAX_TAINTED_FINGERPRINTS",
    "TRUST_FLOOR",
    "ActionAssessment",
    "Baseline",
    "Factor",
    "Marks",
    "Profile",
    "ProposedAction",
    "RiskModel",
    "Sketch",
    "assess_action",
    "compute_provenance",
    "find_least_trusted",
    "fingerprint_stored_values",
    "fingerprint_tokens",
    "fit_baseline",
    "generate_spellings",
    "iter_text_fingerprints",
    "origin_of_result",
    "record_assessment",
    "trace_arguments",
]
