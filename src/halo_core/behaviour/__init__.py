"""Room: behaviour. Provenance, taint, baselines, a risk score and drift, as pure functions. Never: I/O, a clock."""

from halo_core.behaviour.baseline import Baseline, fit
from halo_core.behaviour.forms import spellings
from halo_core.behaviour.model import Factor, Model
from halo_core.behaviour.profile import Act, Profile
from halo_core.behaviour.provenance import MAX_LEAVES, provenance_of, traced, worst
from halo_core.behaviour.residue import MAX_KEPT, residue, traces
from halo_core.behaviour.score import Assessment, assess, note
from halo_core.behaviour.sketch import Marks, Sketch, fingerprints
from halo_core.behaviour.taint import TRUST_FLOOR, origin_of_result

__all__ = [
    "MAX_KEPT",
    "MAX_LEAVES",
    "TRUST_FLOOR",
    "Act",
    "Assessment",
    "Baseline",
    "Factor",
    "Marks",
    "Model",
    "Profile",
    "Sketch",
    "assess",
    "fingerprints",
    "fit",
    "note",
    "origin_of_result",
    "provenance_of",
    "residue",
    "spellings",
    "traced",
    "traces",
    "worst",
]
