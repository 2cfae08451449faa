"""What a write creates and returns the id of: a draft, a document, a booking."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from halo_core.model import Impact, Provenance, Resource
from halo_core.values.argument_names import split_argument_name
from halo_core.values.decoded_readings import holds_code
from halo_core.values.known_rows import is_row_named, is_row_passed_over
from halo_core.values.leaves import Leaf
from halo_core.values.lexicon import FURTHER_VERBS, VERBS
from halo_core.values.result_origins import TRUST_FLOOR, VOUCHED_ORIGINS
from halo_core.values.sketch import Sketch
from halo_core.values.text import split_name
from halo_core.values.traced_leaves import TracedLeaf

_CREATING: Final = frozenset("create make new open start draft upload generate prepare register schedule".split())
"""First words of tools that make something and return its id."""
_MAX_TARGET: Final = 64  # characters
_MAX_READ: Final = 4_096  # characters of an argument


@lru_cache(maxsize=2048)
def _creates(tool: str) -> bool:
    """Whether a tool's first word says that it makes something; behind the name of a system that may be the second."""
    words = split_argument_name(tool)
    if not _CREATING.isdisjoint(words[:1]):
        return True
    return not _CREATING.isdisjoint(words[1:2]) and (VERBS | FURTHER_VERBS).isdisjoint(split_name(words[0]))


def returns_created(
    resource: Resource, leaves: Sequence[Leaf], traced: Sequence[TracedLeaf], sketch: Sketch, *, exposed: bool
) -> bool:
    """Whether a declared write returns what a vouched call created, so that its id is known.

    INVARIANT: VOUCH - who acts on what was created acts on what it was created with. So each target of the call has to
    be vouched for or known, after exposure everything in it, and nothing in it can be decoded.

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
    if exposed and _is_chosen_by_others(leaves, traced, sketch):
        return False
    return all(leaf.origin in VOUCHED_ORIGINS for leaf in traced if exposed or leaf.is_target)


def _is_chosen_by_others(leaves: Iterable[Leaf], traced: Iterable[TracedLeaf], sketch: Sketch) -> bool:
    """Whether an untrusted source names one of the known targets of a call, or speaks of it alone."""
    texts = {leaf.pointer: leaf.text.strip()[:_MAX_TARGET] for leaf in leaves}
    for text in (texts[leaf.pointer] for leaf in traced if leaf.is_target and leaf.origin is Provenance.KNOWN):
        is_said = sketch.has_untrusted_said(text.casefold())
        if (is_said and not is_row_named(sketch, text)) or is_row_passed_over(sketch, text, is_said=is_said):
            return True
    return False
