"""Calls that carry out an order which the host lists for a session.

    orders = list(enumerate([Order("pay", {"payee": "Labor Wenger", "amount": 312.4})]))
    compare_with_orders(pay, args, leaves, traced, orders).match    # OrderMatch(0, {"/payee", "/amount"}), or None

The host lists orders that follow from the user's words alone: of a form that he filled in, or as a model reads them
that is shown no content which the agent read. INVARIANT: VOUCH - an order vouches for the values that it lists, in a
call of its tool, and for nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from halo_core.model import Impact, Order, Provenance, Resource
from halo_core.values.facts.call_view import GRAVE_IMPACTS
from halo_core.values.facts.listed_values import are_equal_values, are_looked_up
from halo_core.values.facts.whole_order_calls import ORDERED_IMPACTS
from halo_core.values.kinds.argument_names import name_of_argument, split_argument_name
from halo_core.values.kinds.kinds import Form, Kind
from halo_core.values.kinds.numbered import singularize
from halo_core.values.provenance.argument_forms import parse_argument
from halo_core.values.provenance.leaves import Leaf
from halo_core.values.provenance.result_origins import VOUCHED_ORIGINS
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.sketches.sketch import fingerprint_forms

_MESSAGES_AND_PAYMENTS: Final = frozenset({Impact.PAYMENT, Impact.SEND})
_REMARKS: Final = frozenset("comment note memo reason remark nota bemerkung commentaire".split())
"""Last words of names of arguments that hold a remark, in the singular."""
_LINES: Final = _REMARKS | frozenset(
    "subject reference ref purpose zweck verwendungszweck betreff objet motif asunto concepto oggetto causale "
    "onderwerp omschrijving assunto temat opis emne".split()
)
"""The same of a line beside a payment or a message."""
_TEXTS: Final = _LINES | frozenset(
    "body text message content summary description title greeting signature nachricht texte mensaje texto testo "
    "messaggio bericht mensagem tresc besked".split()
)
"""The same of the text of a message."""
_HARMLESS_IF_OFF: Final = frozenset(
    "force recursive permanent permanently cascade all overwrite purge hard public global admin urgent".split()
)
"""Words in names of switches that are off by default in calls that delete, run or grant something."""
_MAX_LINE: Final = 4  # words of a line


_ORDERS_LISTED: Final = Form("orders", "listed")


@lru_cache(maxsize=64)
def make_orders_mark(key: bytes) -> int:
    """Make the mark that a session keeps in which the host has listed orders; cached, since each decision looks it up.

    Args:
        key: of the session's sketch.
    """
    return fingerprint_forms(key, [_ORDERS_LISTED])[0]


class OrderMatch(NamedTuple):
    """An order that a call carries out.

    Args:
        place: of the order in the list, from 0.
        pointers: of the leaves that it gives.
    """

    place: int
    pointers: frozenset[str]


class OrderComparison(NamedTuple):
    """How a call compares with the listed orders of its tool.

    Args:
        match: the order that it carries out; None if it carries out none.
        differences: place of an order that it does not carry out → names of the arguments in which it differs.
    """

    match: OrderMatch | None = None
    differences: Mapping[int, tuple[str, ...]] = MappingProxyType({})


def needs_order(resource: Resource) -> bool:
    """Whether an act on a resource has to be in the list where the host lists orders."""
    return resource.impact in ORDERED_IMPACTS


def compare_with_orders(
    resource: Resource,
    args: Mapping[str, Any],
    leaves: Sequence[Leaf],
    traced: Sequence[TracedLeaf],
    orders: Iterable[tuple[int, Order]],
) -> OrderComparison:
    """Compare a call with the orders of its tool.

    A call carries out an order if it has each value that the order lists, and adds nothing to it that has to be ordered
    (`_list_additions`).

    Args:
        resource: what is called.
        args: the real arguments.
        leaves: of the arguments.
        traced: the same leaves with their origins.
        orders: with their places in the list.
    """
    known = frozenset(leaf.pointer for leaf in traced if leaf.origin is Provenance.KNOWN)
    differences: dict[int, tuple[str, ...]] = {}
    for place, order in orders:
        if order.tool != resource.id:
            continue
        compared = _compare_arguments(resource, args, order.args, leaves, known)
        names = compared.equal | compared.looked_up | compared.different
        different = compared.different | _list_additions(resource, args, traced, names)
        if not different:
            pointers = frozenset(leaf.pointer for leaf in leaves if _name(leaf) in compared.equal)
            return OrderComparison(OrderMatch(place, pointers), differences)
        differences[place] = tuple(sorted(different))
    return OrderComparison(None, differences)


def vouch_by_order(traced: Iterable[TracedLeaf], match: OrderMatch) -> tuple[TracedLeaf, ...]:
    """Give the values that an order gives the origin `user`.

    Args:
        traced: leaves of the call.
        match: the order that the call carries out.
    """
    return tuple(
        leaf._replace(origin=Provenance.USER, places=()) if leaf.pointer in match.pointers else leaf for leaf in traced
    )


def _name(leaf: Leaf | TracedLeaf) -> str:
    return name_of_argument(leaf.pointer)


def _compare_arguments(
    resource: Resource,
    args: Mapping[str, Any],
    ordered_args: Mapping[str, Any],
    leaves: Sequence[Leaf],
    known: Collection[str],
) -> _Compared:
    """Compare arguments with those of an order.

    Args:
        resource: what is called.
        args: the real arguments.
        ordered_args: those of the order. One that is None or empty gives nothing.
        leaves: of the real arguments.
        known: pointers of values that a trusted lookup returned.
    """
    compared = _Compared(set(), set(), set())
    is_unordered = resource.impact is Impact.SEND
    for name, ordered in ordered_args.items():
        value, is_target = args.get(name), name in resource.targets
        if ordered in (None, "", [], {}) or (ordered is False and name not in args):
            continue
        if are_equal_values(value, ordered, name, is_target=is_target, is_unordered=is_unordered):
            compared.equal.add(name)
        elif not _is_wording(resource, name, value, is_ordered=True):
            own_leaves = [leaf for leaf in leaves if _name(leaf) == name]
            is_known = own_leaves and all(leaf.pointer in known for leaf in own_leaves)
            is_looked_up = is_known and are_looked_up(
                own_leaves, ordered, name, is_target=is_target, is_unordered=is_unordered
            )
            (compared.looked_up if is_looked_up else compared.different).add(name)
    return compared


class _Compared(NamedTuple):
    """Names of the arguments that an order gives.

    Args:
        equal: the call has the value of the order.
        looked_up: the call has what a trusted lookup returned for the name in the order.
        different: the call has another value.
    """

    equal: set[str]
    looked_up: set[str]
    different: set[str]


def _is_wording(resource: Resource, name: str, value: Any, *, is_ordered: bool) -> bool:
    """Whether an argument holds wording of the agent: the text of a message, the reference of a payment, a remark.

    Args:
        resource: what is called.
        name: of the argument.
        value: of the argument, None if the call leaves it out. Wording is a text, or a list of texts.
        is_ordered: the order gives a value for it, from which only the text of a message and a remark may differ.
    """
    if name in resource.targets or not all(item is None or isinstance(item, str) for item in _to_list(value)):
        return False
    words = split_argument_name(name)
    last = singularize(words[-1]) if words else ""
    if resource.impact is Impact.SEND:
        return last in _TEXTS or (not is_ordered and isinstance(value, str) and _is_prose(value, words))
    if resource.impact is Impact.PAYMENT:
        return last in (_LINES if is_ordered else _TEXTS)
    return last in (_REMARKS if is_ordered or resource.impact in GRAVE_IMPACTS else _TEXTS)


def _to_list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else (value,)


def _is_prose(text: str, words: Iterable[str]) -> bool:
    is_long = len(text.split()) > _MAX_LINE
    return is_long and all(value.kind is Kind.TEXT for value in parse_argument(text, words))


def _list_additions(
    resource: Resource, args: Mapping[str, Any], traced: Sequence[TracedLeaf], names: Collection[str]
) -> set[str]:
    """List the names of a call's arguments besides those of an order which have to be ordered too.

    Args:
        resource: what is called.
        args: the real arguments.
        traced: leaves of the arguments, with their origins.
        names: of the arguments that the order gives.
    """
    further = {
        name for name in args if name not in names and not _is_wording(resource, name, args[name], is_ordered=False)
    }
    additions = {
        name for name in further if _holds_switch(args[name], is_off_harmless=_is_harmless_if_off(resource, name))
    }
    has_address = any(leaf.kind is Kind.EMAIL and leaf.is_target and _name(leaf) in names for leaf in traced)
    for leaf in traced:
        name = _name(leaf)
        if name in further and _has_to_be_ordered(resource, leaf, args[name], has_address=has_address):
            additions.add(name)
    return additions


def _is_harmless_if_off(resource: Resource, name: str) -> bool:
    return resource.impact in _MESSAGES_AND_PAYMENTS or not _HARMLESS_IF_OFF.isdisjoint(split_argument_name(name))


def _has_to_be_ordered(resource: Resource, leaf: TracedLeaf, value: Any, *, has_address: bool) -> bool:
    """Whether nothing but an order can vouch for a value of an argument that the order leaves out.

    A target is judged by its origin, where a rule does that. But one that the user only wrote somewhere has to be
    ordered, and so has a further address beside an ordered one. An amount of a payment has to be, unless it is zero, or
    a trusted lookup returned it for the argument that is declared as the amount. So has each other value of a call that
    deletes, runs or grants something. Otherwise what the user wrote or a trusted lookup returned may be there.

    Args:
        resource: what is called.
        leaf: of the argument.
        value: of the argument.
        has_address: the order gives an e-mail address, or whose it is.
    """
    if leaf.is_target and needs_order(resource):
        return leaf.origin is Provenance.USER or (has_address and leaf.kind is Kind.EMAIL)
    if resource.impact is Impact.PAYMENT and leaf.kind is Kind.AMOUNT:
        is_open = _name(leaf) == resource.amount and leaf.origin is Provenance.KNOWN
        return bool(value != 0) and not is_open
    return resource.impact in GRAVE_IMPACTS or leaf.origin not in VOUCHED_ORIGINS


def _holds_switch(value: Any, *, is_off_harmless: bool) -> bool:
    """Whether a value has a switch in it, other than one that is off where that changes nothing."""
    if isinstance(value, bool):
        return value or not is_off_harmless
    if isinstance(value, Mapping):
        return any(_holds_switch(item, is_off_harmless=is_off_harmless) for item in value.values())
    return isinstance(value, list | tuple) and any(
        _holds_switch(item, is_off_harmless=is_off_harmless) for item in value
    )
