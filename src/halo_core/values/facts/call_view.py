"""One call, prepared for finding its facts: its resource, its leaves with origins and texts, and the session's sketch.

trace_call(resource, parse_leaves(args), sketch, ...)   # the leaves with their origins, by what the resource does
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from halo_core.model import Impact, Provenance, Resource
from halo_core.quick_dataclass import dataclass
from halo_core.values.facts.allowed_counts import vouch_for_counts
from halo_core.values.facts.decided_calls import vouch_for_decision
from halo_core.values.facts.given_counts import vouch_for_given_counts
from halo_core.values.facts.whole_order_calls import is_wholly_ordered, vouch_for_keys, vouch_for_values
from halo_core.values.provenance.argument_forms import ArgumentValue
from halo_core.values.provenance.leaves import Leaf
from halo_core.values.provenance.mentioned_targets import unvouch_mentioned
from halo_core.values.provenance.open_filters import list_open_scopes, unvouch_targets_of_open_filters
from halo_core.values.provenance.provenance import ToolTraits, trace_leaves
from halo_core.values.provenance.replaced_values import mark_foreign_accounts, unvouch_replaced_file
from halo_core.values.provenance.result_origins import is_trusted_lookup
from halo_core.values.provenance.switches import vouch_for_switches
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.provenance.written_places import vouch_for_counted_things
from halo_core.values.requests.asked_objects import is_other_act_ordered
from halo_core.values.requests.lookup_requests import only_looks_up
from halo_core.values.requests.tool_verbs import list_asking_stems
from halo_core.values.sketches.sketch import Sketch

_REACHING_IMPACTS: Final = (Impact.PAYMENT, Impact.SEND, Impact.ADMIN)
GRAVE_IMPACTS: Final = frozenset({Impact.DELETE, Impact.EXECUTE, Impact.ADMIN})
"""Grave acts: deletions, executions of programs, acts of administration."""
_AMBIGUOUS_AMOUNTS: Final = frozenset({"value"})
"""Names of arguments that hold the amount of a payment, and elsewhere something else."""


@dataclass(frozen=True, slots=True)
class CallView:
    """One call.

    Args:
        resource: what is acted on.
        traced: the leaves of its arguments with their origins, from `trace_leaves`.
        texts: pointer of a leaf → its text.
        sketch: what the session has seen.
    """

    resource: Resource
    traced: Sequence[TracedLeaf]
    texts: Mapping[str, str]
    sketch: Sketch


@lru_cache(maxsize=2048)
def words_of(name: str) -> frozenset[str]:
    """List the words of an argument's name, and pairs of them as one word: ssh, key and sshkey for `ssh_key`."""
    words = list(re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name))
    words = [word.lower() for word in words]
    singular = [word.removesuffix("s") for word in words]
    return frozenset([*words, *singular, *(a + b for a, b in pairwise(singular))])


def sends_objects(resource: Resource) -> bool:
    """Whether a path in the arguments is what is sent, because the resource declares where it goes."""
    return resource.impact is Impact.SEND and bool(resource.targets)


def has_open_targets(resource: Resource) -> bool:
    """Whether a resource pays, sends or grants, but declares no argument as its target."""
    return resource.impact in _REACHING_IMPACTS and not resource.targets


def is_unpriced_order(resource: Resource) -> bool:
    """Whether a resource is declared as a payment without an argument for the amount: an order at no stated price."""
    return resource.impact is Impact.PAYMENT and not resource.amount and resource.classified == "declared"


def find_amount_name(resource: Resource) -> str:
    """Return the name of the argument with the amount.

    Only for payments: elsewhere, an argument called `value` may hold an account.
    """
    is_certain = resource.impact is Impact.PAYMENT or resource.amount not in _AMBIGUOUS_AMOUNTS
    return resource.amount if is_certain else ""


class _TracePlan(NamedTuple):
    """The parameters of `trace_leaves` that follow from the resource alone."""

    resource: Resource
    targets: frozenset[str]
    tool: ToolTraits


_MAX_PLANS: Final = 4096
_trace_plans: Final[dict[int, _TracePlan]] = {}
"""Id of a resource → its plan, which keeps the resource, so that no other object gets its id."""


def trace_call(
    resource: Resource,
    leaves: Iterable[Leaf],
    sketch: Sketch,
    is_declared_known: Callable[[ArgumentValue], bool] | None = None,
    *,
    is_exposed: bool = True,
    args: Mapping[str, Any] = MappingProxyType({}),
) -> tuple[TracedLeaf, ...]:
    """Find the origin of each argument leaf of a call and mark its targets, by what the resource does.

    Args:
        resource: as registered.
        leaves: of the real arguments.
        sketch: what the session has seen.
        is_declared_known: see `trace_leaves`.
        is_exposed: see `trace_leaves`.
        args: the real arguments, empty ones among them.
    """
    plan = _trace_plans.get(id(resource))
    if plan is None or plan.resource is not resource:
        plan = _plan_tracing(resource)
    leaves = tuple(leaves)
    traced = trace_leaves(
        leaves, sketch, plan.targets, plan.tool, is_declared_known=is_declared_known, is_exposed=is_exposed
    )
    is_exposed = is_exposed or sketch.may_hold_untrusted
    if is_exposed and "" in args.values() and (open_scopes := list_open_scopes(resource, args, sketch)):
        traced = tuple(sorted((*traced, *open_scopes)))
    if True in args.values() or False in args.values():
        traced = tuple(sorted((*traced, *vouch_for_switches(resource, args, sketch))))
    if resource.impact in (Impact.ADMIN, Impact.EXECUTE):
        traced = vouch_for_decision(resource, args, traced, leaves, sketch)
    traced = vouch_for_counted_things(traced, leaves, sketch)
    if not is_exposed:
        return _vouch_for_acts(resource, traced, leaves, sketch, is_exposed=False)
    if plan.tool.is_lookup:
        return vouch_for_keys(traced, leaves, sketch)
    traced = vouch_for_given_counts(resource, traced, leaves, sketch)
    if resource.impact is Impact.SEND:
        traced = unvouch_replaced_file(resource, traced, leaves, sketch)
        traced = mark_foreign_accounts(traced, leaves, sketch)
    if is_wholly_ordered(resource, args, traced, leaves, sketch):
        traced = vouch_for_values(traced, leaves)
        if not is_unpriced_order(resource):
            return traced
    else:
        traced = unvouch_mentioned(resource, traced, leaves, sketch)
    return _vouch_for_acts(resource, traced, leaves, sketch, is_exposed=True)


def _vouch_for_acts(
    resource: Resource, traced: tuple[TracedLeaf, ...], leaves: Sequence[Leaf], sketch: Sketch, *, is_exposed: bool
) -> tuple[TracedLeaf, ...]:
    """Change origins of the leaves of a call by what its resource does."""
    if (
        resource.impact is Impact.SEND
        and is_exposed
        and (only_looks_up(sketch) or _wants_other_act_than_message(resource, sketch))
    ):
        # A user who only wants to know something asks for no message, although he wrote the place. Neither does one
        # who stops a reminder, or has a broadcast recorded.
        return _unvouch_user_targets(traced)
    if resource.impact is Impact.DELETE:
        return unvouch_targets_of_open_filters(traced, leaves, resource.targets, sketch)
    if not is_unpriced_order(resource):
        return traced
    return vouch_for_counts(traced, leaves, sketch, is_exposed=is_exposed)


def _unvouch_user_targets(traced: Iterable[TracedLeaf]) -> tuple[TracedLeaf, ...]:
    """Give the targets that the user wrote the origin `novel`, so that nobody vouches for them."""
    return tuple(
        leaf._replace(origin=Provenance.NOVEL) if leaf.is_target and leaf.origin is Provenance.USER else leaf
        for leaf in traced
    )


def _wants_other_act_than_message(resource: Resource, sketch: Sketch) -> bool:
    """Whether the user asks for no message, but for another act with what the tool is named after.

    "Stop the reminder" asks for no `reminder(to)`.
    """
    is_asked = sketch.was_asked(list_asking_stems(resource.id, resource.impact))
    return not is_asked and is_other_act_ordered(sketch, resource.id, resource.impact)


def _plan_tracing(resource: Resource) -> _TracePlan:
    """Make the tracing parameters of a resource, and cache them."""
    if len(_trace_plans) >= _MAX_PLANS:
        _trace_plans.clear()
    impact = resource.impact
    tool = ToolTraits(
        name=resource.id,
        amount=find_amount_name(resource),
        are_paths_objects=sends_objects(resource),
        are_handles_targets=has_open_targets(resource),
        is_administration=impact is Impact.ADMIN,
        is_grave=impact in GRAVE_IMPACTS,
        deletes=impact is Impact.DELETE,
        is_lookup=is_trusted_lookup(resource),
        is_act=impact is not Impact.READ,
        reaches_others=impact in (Impact.PAYMENT, Impact.SEND),
        pays=impact is Impact.PAYMENT,
    )
    plan = _trace_plans[id(resource)] = _TracePlan(resource, frozenset(resource.targets), tool)
    return plan
