"""Which record an update is about, and whether the user or an untrusted source chose it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from halo_core.model import Provenance
from halo_core.values.facts.call_view import CallView
from halo_core.values.kinds.argument_names import name_of_argument, names_amount
from halo_core.values.kinds.kinds import Kind
from halo_core.values.provenance.result_origins import VOUCHED_ORIGINS
from halo_core.values.provenance.traced_leaves import TracedLeaf

_UNTRUSTED: Final = (Provenance.UNTRUSTED, Provenance.MIXED)


def is_record_of_others(view: CallView, naming: Collection[TracedLeaf], is_named: Callable[[TracedLeaf], bool]) -> bool:
    """Whether an untrusted source may have chosen which record an update changes.

    It did not if the user named the record ("my rent payment") and that source named nothing but its number.

    Args:
        view: of the call.
        naming: leaves that name something.
        is_named: whether a leaf is the number of a record that the user named.
    """
    untrusted = [leaf for leaf in view.traced if leaf.origin in _UNTRUSTED]
    chosen = [leaf for leaf in untrusted if leaf in naming or may_number_record(view, leaf)]
    if not chosen:
        return False
    others = [leaf for leaf in view.traced if leaf is not chosen[0] and leaf.kind is not Kind.DATE]
    is_described = all(leaf.origin in VOUCHED_ORIGINS for leaf in others)
    return not (len(untrusted) == 1 and is_named(chosen[0]) and is_described)


def may_number_record(view: CallView, leaf: TracedLeaf) -> bool:
    """Whether a number may say which record is meant: `payment_id=12`."""
    name = name_of_argument(leaf.pointer)
    return leaf.kind is Kind.AMOUNT and name != view.resource.amount and not names_amount(name)
