"""Room: the policy decision point. Takes: a request and a snapshot. Gives: a decision. Never: I/O, a clock."""

from halo_core.pdp.decide import PENDING_CAP, decide, revokes, stops
from halo_core.pdp.limits import REAUTHORIZATION

__all__ = ["PENDING_CAP", "REAUTHORIZATION", "decide", "revokes", "stops"]
