"""Writes that create something and return its id: a draft, a document, a booking."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from halo_core.model import Impact, Provenance, Resource
from halo_core.values.kinds.argument_names import split_argument_name
from halo_core.values.language.decoded_readings import holds_code
from halo_core.values.language.lexicon import ALL_VERBS
from halo_core.values.language.text import split_name
from halo_core.values.provenance.known_rows import is_other_row_named, is_row_named
from halo_core.values.provenance.leaves import Leaf
from halo_core.values.provenance.result_origins import TRUST_FLOOR, VOUCHED_ORIGINS
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.sketches.sketch import Sketch

_CREATING: Final = frozenset("create make new open start draft upload generate prepare register schedule".split())
"""First words of tools that make something and return its id."""
_MAX_TARGET: Final = 64  # characters
_MAX_READ: Final = 4_096  # characters of an argument


@lru_cache(maxsize=2048)
def _creates(tool: str) -> bool:
    """Whether a tool's first word says that it creates something; the second word behind the name of a system."""
    words = split_argument_name(tool)
    if not _CREATING.isdisjoint(words[:1]):
        return True
    return not _CREATING.isdisjoint(words[1:2]) and ALL_VERBS.isdisjoint(split_name(words[0]))


def returns_created(
    resource: Resource, leaves: Sequence[Leaf], traced: Sequence[TracedLeaf], sketch: Sketch, *, exposed: bool
) -> bool:
    """Whether a declared write returns the id of what a vouched call created, so that the id is known.

    INVARIANT: VOUCH - an act on the created object acts on everything that it was created with. So each target of the
    call has to be vouched for, after exposure everything in it, and nothing in it can be decoded.

    Args:
        resource: as registered.
        leaves: of the arguments.
        traced: the same, as `trace_leaves` gives them.
        sketch: what the session has seen. What an untrusted source chose among known targets nobody else vouches for.
        exposed: the session had seen untrusted content when the arguments were made.
    """
    if resource.impact is not Impact.WRITE or resource.classified != "declared" or resource.trust < TRUST_FLOOR:
        return False
    if not _creates(resource.id):
        return False
    if any(len(leaf.text) > _MAX_READ or holds_code(leaf.text) for leaf in leaves):
        return False
    if exposed and _is_chosen_by_untrusted(leaves, traced, sketch):
        return False
    return all(leaf.origin in VOUCHED_ORIGINS for leaf in traced if exposed or leaf.is_target)


def _is_chosen_by_untrusted(leaves: Iterable[Leaf], traced: Iterable[TracedLeaf], sketch: Sketch) -> bool:
    """Whether an untrusted source names one of the known targets of a call, or alone speaks of its row."""
    texts = {leaf.pointer: leaf.text.strip()[:_MAX_TARGET] for leaf in leaves}
    for text in (texts[leaf.pointer] for leaf in traced if leaf.is_target and leaf.origin is Provenance.KNOWN):
        is_id_untrusted = sketch.was_in_untrusted_text(text.casefold())
        if (is_id_untrusted and not is_row_named(sketch, text)) or is_other_row_named(
            sketch, text, is_id_untrusted=is_id_untrusted, is_grave=True
        ):
            return True
    return False
