"""Room: behaviour. Provenance of argument values and taint of a session, pure functions. Never: I/O, a clock."""

from halo_core.behaviour.forms import spellings
from halo_core.behaviour.provenance import MAX_LEAVES, provenance_of, traced, worst
from halo_core.behaviour.residue import MAX_KEPT, residue, traces
from halo_core.behaviour.sketch import Marks, Sketch, fingerprints
from halo_core.behaviour.taint import TRUST_FLOOR, origin_of_result

__all__ = [
    "MAX_KEPT",
    "MAX_LEAVES",
    "TRUST_FLOOR",
    "Marks",
    "Sketch",
    "fingerprints",
    "origin_of_result",
    "provenance_of",
    "residue",
    "spellings",
    "traced",
    "traces",
    "worst",
]
