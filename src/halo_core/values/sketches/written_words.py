"""Whether the user wrote words side by side: each in his own words, and not in those of a text that was pasted."""

from __future__ import annotations

from halo_core.model import Provenance
from halo_core.values.sketches.sketch import Sketch
from halo_core.values.sketches.spans import fingerprint_tokens_in_order, tokenize


def is_written(sketch: Sketch, text: str) -> bool:
    """Whether the user wrote these words side by side, in any case."""
    return sketch.spans[Provenance.USER].find(fingerprint_tokens_in_order(tokenize(text), sketch.key)) > 0
