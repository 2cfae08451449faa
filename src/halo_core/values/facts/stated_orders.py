"""Whether the user orders a payment or an act by its values, in whatever words.

The rules for payments are in `stated_calls` and `given_calls`, those for other acts in `stated_act_calls` and
`whole_order_calls`. Either rule is enough.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from halo_core.model import Impact
from halo_core.values.facts.call_view import CallView
from halo_core.values.facts.fact_sources import FactSources
from halo_core.values.facts.given_calls import is_given_payment
from halo_core.values.facts.stated_act_calls import is_stated_act
from halo_core.values.facts.stated_calls import is_stated_payment
from halo_core.values.facts.untrusted_additions import is_extended_by_untrusted
from halo_core.values.facts.whole_order_calls import is_wholly_ordered
from halo_core.values.provenance.leaves import Leaf
from halo_core.values.provenance.traced_leaves import TracedLeaf


def is_payment_ordered(
    view: CallView, targets: Sequence[TracedLeaf], keys: Collection[str], sources: FactSources
) -> bool:
    """Whether a call pays exactly what the user states or gives, and nothing was paid for the same message before.

    Args:
        view: the call.
        targets: its target leaves.
        keys: pointers of the leaves that are keys of mappings.
        sources: what was paid before, and the sources at which the user pointed.
    """
    if view.resource.impact is not Impact.PAYMENT or sources.paid_before:
        return False
    is_ordered = is_stated_payment(view, targets, keys, by_answer=not sources.paid_today) or is_given_payment(
        view, targets, keys, sources.pointed
    )
    return is_ordered and not is_extended_by_untrusted(view, keys)


def is_act_ordered(
    view: CallView, targets: Sequence[TracedLeaf], args: Mapping[str, Any], leaves: Iterable[Leaf]
) -> bool:
    """Whether the user states an act, or one of his orders has all values of the call.

    Args:
        view: the call.
        targets: its target leaves.
        args: the real arguments.
        leaves: the leaves of the arguments, with their texts.
    """
    return is_stated_act(view, targets) or is_wholly_ordered(view.resource, args, view.traced, leaves, view.sketch)
