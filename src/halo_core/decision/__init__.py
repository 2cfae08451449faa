"""The pure decision: `decide(request, snapshot)` and what it is bound to."""

from halo_core.decision.checks import PENDING_CAP, decide, has_begun, only_repeats, revocation_applies, stop_applies

__all__ = ["PENDING_CAP", "decide", "has_begun", "only_repeats", "revocation_applies", "stop_applies"]
