"""What a write creates and returns the id of: a draft, a document, a booking."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from halo_core.model import Impact, Resource
from halo_core.values.argument_names import split_argument_name
from halo_core.values.hidden import holds_code
from halo_core.values.leaves import Leaf
from halo_core.values.provenance import TracedLeaf
from halo_core.values.result_origins import TRUST_FLOOR, VOUCHED_ORIGINS

_CREATING: Final = frozenset("create make new open start draft upload generate prepare register schedule".split())
"""First words of tools that make something and return its id."""
_MAX_READ: Final = 4_096  # characters of an argument


def returns_created(resource: Resource, leaves: Sequence[Leaf], traced: Iterable[TracedLeaf], *, exposed: bool) -> bool:
    """Whether a declared write returns what a vouched call created, so that its id is known.

    INVARIANT: VOUCH - who acts on what was created acts on what it was created with. So each target of the call has to
    be vouched for or known, after exposure everything in it, and nothing in it can be decoded.

    Args:
        resource: as registered.
        leaves: of the arguments.
        traced: the same, as `trace_leaves` gives them.
        exposed: the session had seen untrusted content when the arguments were made.
    """
    if resource.impact is not Impact.WRITE or resource.classified != "declared" or resource.trust < TRUST_FLOOR:
        return False
    if _CREATING.isdisjoint(split_argument_name(resource.id)[:1]):
        return False
    if any(len(leaf.text) > _MAX_READ or holds_code(leaf.text) for leaf in leaves):
        return False
    return all(leaf.origin in VOUCHED_ORIGINS for leaf in traced if exposed or leaf.is_target)
