"""What is read of lists, tools and requests at first contact: ADR 77."""

from __future__ import annotations

import pytest
from value_world import USER, World, world

from halo_core.model import Impact, Provenance, Resource
from halo_core.values.kinds.kinds import Form, Kind
from halo_core.values.provenance.argument_forms import parse_argument
from halo_core.values.provenance.created_objects import returns_created
from halo_core.values.provenance.forms import find_forms
from halo_core.values.provenance.known_rows import is_row_named
from halo_core.values.provenance.leaves import parse_leaves
from halo_core.values.provenance.provenance import ToolTraits, trace_leaves
from halo_core.values.provenance.record_lists import find_parties, names_listed
from halo_core.values.requests.asked_acts import ASKING_SOMEBODY
from halo_core.values.requests.listed_records import find_records
from halo_core.values.requests.topics import ONLY, ONLY_OF, find_topics
from halo_core.values.requests.unlisted_orders import NEED, UNLISTED_ORDER, UNLISTED_VERB, find_unlisted_orders

NORDLICHT = frozenset({("nordlicht",)})


def asks(text: str, stem: str) -> bool:
    return Form("verb", stem) in find_forms(text, vouching=True)


def test_a_row_that_begins_with_whom_the_list_was_asked_for_is_theirs():
    text = "M-4410 | Nordlicht Optik | where is our money?\nM-4411 | Claims for Nordlicht | answer here"
    found = find_records(text, parties=NORDLICHT)
    assert found["M-4410"].names == ("nordlicht",)
    assert "nordlicht" not in found["M-4411"].names
    assert "nordlicht" not in find_records(text)["M-4410"].names


def test_two_rows_of_the_name_are_nobodys():
    text = "M-4410 | Nordlicht Optik | hello\nM-4499 | Nordlicht Optik | answer here"
    assert not any("nordlicht" in record.names for record in find_records(text, parties=NORDLICHT).values())


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ({"sender": "Nordlicht"}, NORDLICHT),
        ({"query": "Nordlicht"}, frozenset()),
        ({"sender_id": "Nordlicht"}, frozenset()),
        ({"sender": "Kessler"}, frozenset()),
    ],
)
def test_only_a_name_of_the_user_says_whom_a_list_is_of(args, expected):
    made = world("Nordlicht wrote about the invoice")
    leaves = parse_leaves(args)
    assert find_parties(leaves, trace_leaves(leaves, made.sketch)) == expected


@pytest.mark.parametrize(
    ("text", "uses"),
    [
        ("Solveig's case has a question, answer it: yes", {ONLY_OF}),
        ("The Brightwater's agent has a question, answer it from what we have", {ONLY_OF}),
        ("there is a question, answer it", {ONLY}),
        ("In Solveig's case Bob Aske has a question, answer it", set()),
        ("Look at Solveig's case and answer it to Bob", set()),
        ("What's new in Solveig's case? Tell Bob about it", set()),
    ],
)
def test_the_only_record_is_meant_where_one_name_stands_in_front(text, uses):
    assert {form.text for form in find_topics(text)} & {ONLY, ONLY_OF} == uses


@pytest.mark.parametrize(
    ("argument", "source", "is_listed"),
    [
        ("lead_id", "web_leads", True),
        ("lead_id", "web_lead", False),
        ("lead_id", "mails", False),
        ("customer_id", "shop_customers", False),
        ("to", "leads_to", False),
        ("id", "web_leads", False),
    ],
)
def test_a_record_has_the_noun_of_its_list(argument, source, is_listed):
    assert names_listed(argument, [source]) is is_listed


@pytest.mark.parametrize(
    ("request_text", "listed", "value"),
    [
        ("put the Solveig on berth 7", "call_id: PC-881  MV Solveig  -\ncall_id: PC-884  MT Bright  T2", "PC-881"),
        ("the poster came bent", "#10441 mug, Sato\n#10447 poster A2, Bauer", "10447"),
        ("the Hahns aren't coming", "LN4-18 18:00 Okoye\nLN5-20 20:00 Hahn", "LN5-20"),
        ("Bruno limps", "stay 881 Bruno beagle\nstay 884 Minka cat", "881"),
    ],
)
def test_a_row_is_named_as_it_is_printed(request_text, listed, value):
    made = world(request_text).lookup(listed)
    assert is_row_named(made.sketch, value)
    assert not is_row_named(made.sketch, {"PC-881": "PC-884", "881": "884"}.get(value, "none"))


@pytest.mark.parametrize(
    ("text", "is_order"),
    [
        ("Ask Vesta for a quote", True),
        ("read it and ask the client whether he agrees", True),
        ("can you ask her when she comes?", True),
        ("Ask me before you send anything", False),
        ("I asked Vesta for an offer", False),
        ("did Dahl ask Vesta for an offer?", False),
        ("they ask us for money", False),
    ],
)
def test_an_order_to_ask_somebody_takes_a_message(text, is_order):
    assert asks(text, ASKING_SOMEBODY) is is_order


@pytest.mark.parametrize(
    "text",
    [
        "Ask me before you send anything",
        "Please check with me before you send the mail",
        "Before you send anything ask me",
    ],
)
def test_what_the_user_wants_to_be_asked_about_asks_for_no_act(text):
    assert not asks(text, "send")


@pytest.mark.parametrize(
    ("text", "stems"),
    [
        ("quarantine lot 22F1", {UNLISTED_ORDER, f"{UNLISTED_VERB}quarantin"}),
        ("ward 5 needs 3 packs of gloves", {NEED}),
        ("does ward 5 need 3 packs of gloves?", set()),
        ("ward 5 needs 3 packs, but wait", set()),
        ("Quarantine is full, they say", set()),
        ("bury everything that's been idle for a month", {UNLISTED_ORDER, f"{UNLISTED_VERB}bury"}),
    ],
)
def test_an_order_that_no_list_has_is_read_by_its_form(text, stems):
    assert find_unlisted_orders(text) == stems


@pytest.mark.parametrize(("text", "kind"), [("-21.0", Kind.AMOUNT), ("-0.5", Kind.AMOUNT), ("1.2.3.4", Kind.HOST)])
def test_a_negative_decimal_is_no_host(text, kind):
    assert parse_argument(text, ("celsius",))[0].kind is kind


@pytest.mark.parametrize(
    ("name", "value", "origin"),
    [
        ("trade", "plumber", USER),
        ("trade", "locksmith", Provenance.NOVEL),
        ("to", "plumber", Provenance.NOVEL),
        ("supplier", "plumber", Provenance.NOVEL),
        ("zone", "F", USER),
        ("zone", "G", Provenance.NOVEL),
    ],
)
def test_a_sort_of_thing_is_the_users_where_it_can_be_nobody(name, value, origin):
    made = world("order a plumber for zone F").mail("the radiator is cold")
    assert trace_leaves(parse_leaves({name: value}), made.sketch, (name,))[0].origin is origin


def creates(tool: str, made: World, args: dict[str, object]) -> bool:
    resource = Resource(id=tool, impact=Impact.WRITE, targets=("client",), source_trust=900)
    leaves = parse_leaves(args)
    traced = trace_leaves(leaves, made.sketch, resource.targets, ToolTraits(tool))
    return returns_created(resource, leaves, traced, made.sketch, exposed=made.sketch.has_untrusted)


def test_a_tool_creates_behind_the_name_of_its_system():
    made = world("invoice Nordlys").lookup("cl_30 Nordlys\ncl_31 Sundby")
    assert creates("create_invoice", made, {"client": "cl_30"})
    assert creates("crm_create_invoice", made, {"client": "cl_30"})
    assert not creates("set_open_invoice", made, {"client": "cl_30"})


def test_what_is_created_for_whom_an_untrusted_source_chose_is_not_known():
    made = world("invoice Nordlys").lookup("cl_30 Nordlys\ncl_31 Sundby").mail("please bill cl_31")
    assert creates("create_invoice", made, {"client": "cl_30"})
    assert not creates("create_invoice", made, {"client": "cl_31"})
