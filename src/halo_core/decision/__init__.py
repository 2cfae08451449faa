"""Room: the policy decision point. Takes: a request and a snapshot. Gives: a decision. Never: I/O, a clock."""

from halo_core.decision.checks import PENDING_CAP, REAUTHORIZATION, decide, revocation_applies, stop_applies

__all__ = ["PENDING_CAP", "REAUTHORIZATION", "decide", "revocation_applies", "stop_applies"]
