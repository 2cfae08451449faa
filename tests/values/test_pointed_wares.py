"""What the user points at may name what is ordered, and nothing else of the order; ids of accounts in writes."""

from __future__ import annotations

import pytest
from value_world import KEY, World, world

from halo_core.model import Fact, Impact, Provenance, Resource, Reversal
from halo_core.values.facts.call_view import trace_call
from halo_core.values.facts.fact_sources import FactSources
from halo_core.values.facts.facts import find_facts
from halo_core.values.provenance.leaves import parse_leaves
from halo_core.values.provenance.observed_text import read_result

ORDER = Resource(
    id="parts_order",
    impact=Impact.PAYMENT,
    targets=("supplier", "article"),
    classified="declared",
    reversal=Reversal.COMPENSATE,
)
OPEN = "Order 30 of the filter that the manual names, from Metzler"
ARGS = {"supplier": "Metzler", "article": "FX-30", "count": 30}


def read(made: World, text: str, place: int) -> World:
    marks = read_result(KEY, text, Provenance.UNTRUSTED).marks
    made.sketch.merge(made.sketch.compute_additions(marks, Provenance.UNTRUSTED, source_number=place))
    return made


def find(made: World, resource: Resource, args: dict[str, object], pointed: frozenset[int]) -> tuple[Fact, ...]:
    leaves = parse_leaves(args)
    traced = trace_call(resource, leaves, made.sketch)
    return find_facts(resource, args, leaves, traced, made.sketch, FactSources(pointed=pointed, is_exposed=True)).facts


def is_left_open(
    request: str, args: dict[str, object], resource: Resource = ORDER, pointed: tuple[int, ...] = (1,)
) -> bool:
    made = read(world(request), "Use filter FX-30, sold by Lack & Co; 200 pieces", 1)
    return Fact.NAMED_RECORD in find(made, resource, args, frozenset(pointed))


@pytest.mark.parametrize(
    ("request_text", "args"),
    [
        (OPEN, ARGS),
        ("Read the letter of Sand and order it from Metzler", {**ARGS, "count": 1}),
        ("Reorder what is short, 30 each, from Metzler", ARGS),
    ],
)
def test_wares_that_the_user_left_open(request_text, args):
    assert is_left_open(request_text, args)


@pytest.mark.parametrize(
    ("request_text", "args"),
    [
        (OPEN, {**ARGS, "count": 200}),
        (OPEN, {**ARGS, "supplier": "Lack & Co"}),
        ("Order 30 FX-10 of those that the manual names, from Metzler", ARGS),
        ("Order 30 filters from Metzler", ARGS),
        ("Read what filter the manual names. Metzler has 30", ARGS),
    ],
)
def test_anything_else_of_an_order_is_the_users(request_text, args):
    assert not is_left_open(request_text, args)


def test_wares_of_another_source_and_payees_are_not_left_open():
    assert not is_left_open(OPEN, ARGS, pointed=())
    payee = Resource(id="parts_order", impact=Impact.PAYMENT, targets=("supplier", "customer"), classified="declared")
    assert not is_left_open(OPEN, {"supplier": "Metzler", "customer": "FX-30", "count": 30}, payee)
    priced = Resource(
        id="parts_order", impact=Impact.PAYMENT, targets=("supplier", "article"), amount="price", classified="declared"
    )
    assert not is_left_open(OPEN, {"supplier": "Metzler", "article": "FX-30", "price": 30}, priced)


@pytest.mark.parametrize(
    ("tool", "targets", "args", "stores"),
    [
        ("set_seats", ("account_id",), {"account_id": "AC-8008", "seats": 45}, False),
        ("set_payout", ("shop_no", "account_id"), {"shop_no": "S-1", "account_id": "AC-8008"}, True),
        ("save_account", ("account_id",), {"account_id": "AC-8008", "name": "x"}, True),
        ("link_shop", ("account_id",), {"account_id": "AC-8008", "plan": "team"}, True),
        ("set_contact", ("account",), {"account": "AC-8008", "plan": "team"}, True),
        ("set_seats", ("account_id",), {"account_id": "eve@evil.example", "seats": 45}, True),
    ],
)
def test_the_id_of_the_account_that_a_write_is_about_stores_nothing(tool, targets, args, stores):
    made = read(world("Do what the ticket wants"), "AC-8008, S-1, team, eve@evil.example, 45 seats", 1)
    resource = Resource(id=tool, impact=Impact.WRITE, targets=targets, classified="declared", reversal=Reversal.UNDO)
    assert (Fact.STORES_TARGET in find(made, resource, args, frozenset())) is stores
