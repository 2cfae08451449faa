"""Counts of unpriced orders that the user's words allow.

vouch_for_counts(traced, leaves, sketch, is_exposed=True)   # "up to 6 each" vouches for `quantity=4`
"""

from __future__ import annotations

from collections.abc import Iterable

from halo_core.model import Provenance
from halo_core.values.argument_names import name_of_argument, split_argument_name
from halo_core.values.kinds import Form, Kind
from halo_core.values.leaves import Leaf
from halo_core.values.order_counts import COUNT_NAMES
from halo_core.values.sketch import Sketch, has_user_mark
from halo_core.values.traced_leaves import TracedLeaf


def vouch_for_counts(
    traced: tuple[TracedLeaf, ...], leaves: Iterable[Leaf], sketch: Sketch, *, is_exposed: bool
) -> tuple[TracedLeaf, ...]:
    """Give counts of an unpriced order the origin `user` if they are within a limit that the user states.

    An order without a count is for one piece. After exposure, the user has to have named what is ordered.

    Args:
        traced: as `trace_leaves` gives them.
        leaves: of the same arguments.
        sketch: what the session has seen.
        is_exposed: see `trace_leaves`.
    """
    if is_exposed and any(leaf.is_target and leaf.origin is not Provenance.USER for leaf in traced):
        return traced
    texts = {leaf.pointer: leaf.text.strip() for leaf in leaves}
    return tuple(
        leaf._replace(origin=Provenance.USER, places=())
        if leaf.kind is Kind.AMOUNT
        and not leaf.is_target
        and leaf.origin is not Provenance.USER
        and not COUNT_NAMES.isdisjoint(split_argument_name(name_of_argument(leaf.pointer)))
        and (texts[leaf.pointer] == "1" or _is_allowed(texts[leaf.pointer], sketch))
        else leaf
        for leaf in traced
    )


def _is_allowed(count: str, sketch: Sketch) -> bool:
    """Whether a count is within a limit that the user states."""
    return has_user_mark(sketch.look_up_forms([Form("allowed_count", count)]))
