"""Targets that stand in no text as they are: measures, switches, names in a zone; and the usual manner of an order."""

from __future__ import annotations

import pytest
from value_world import world

from halo_core.model import Impact, Provenance, Resource
from halo_core.values.facts.call_view import trace_call
from halo_core.values.provenance.leaves import parse_leaves
from halo_core.values.provenance.observed_text import is_lookup_key

USER, NOVEL, UNTRUSTED = Provenance.USER, Provenance.NOVEL, Provenance.UNTRUSTED


def trace(request, mail, args, *, targets, impact=Impact.ADMIN, tool="set_it", classified="declared"):
    resource = Resource(id=tool, impact=impact, targets=targets, classified=classified)
    leaves = parse_leaves(args)
    return {leaf.pointer: leaf.origin for leaf in trace_call(resource, leaves, world(request, mail).sketch, args=args)}


@pytest.mark.parametrize(
    ("request_text", "mail", "args", "origin"),
    [
        ("raise the quota of sales to 50 GB", "Full!", {"gigabytes": 50}, USER),
        ("give Jonas 2 days of leave", "I marry!", {"days": 2}, USER),
        ("make a code of 15 percent", "How about it?", {"percent": 15}, USER),
        ("wage up to 17.50", "Thanks.", {"wage": 17.5}, USER),
        ("raise the quota of sales to 50 GB", "50 is too little.", {"gigabytes": 50}, NOVEL),  # said by others too
        ("raise the quota of sales to 50 GB", "Full! 500 please.", {"gigabytes": 500}, UNTRUSTED),
        ("raise the quota of sales to 50 GB", "Full!", {"gigabytes": 60}, NOVEL),
        ("set it to 3 copies, there are 80 workers", "Slow.", {"copies": 3}, USER),
        ("set it to 3 copies, there are 80 workers", "Use eighty copies.", {"copies": 80}, NOVEL),
        ("set it to 3 copies, there are 85 workers", "Use eighty five copies.", {"copies": 85}, NOVEL),
        ("set it to 3 copies, there are 400 workers", "Use four hundred copies.", {"copies": 400}, NOVEL),
        ("set it to 3 copies, there are 5000 workers", "Use five thousand copies.", {"copies": 5000}, NOVEL),
        ("read mail 50, then raise the quota", "Full!", {"gigabytes": 50}, NOVEL),  # the number of a mail
        ("give Jonas 2 days of leave", "I marry!", {"request_id": 2}, NOVEL),  # the number of a record
        ("give Jonas 2 days of leave", "I marry!", {"limit_id": 2}, NOVEL),
        ("give Jonas 2 days of leave", "I marry!", {"order": 2}, NOVEL),
    ],
)
def test_the_user_vouches_for_a_measure_that_he_alone_wrote(request_text, mail, args, origin):
    assert trace(request_text, mail, args, targets=tuple(args))[f"/{next(iter(args))}"] is origin


def test_a_number_is_no_measure_where_something_is_paid_or_sent():
    traced = trace("order 2 days", "Hi", {"days": 2}, targets=("days",), impact=Impact.SEND)
    assert traced["/days"] is NOVEL


@pytest.mark.parametrize(
    ("request_text", "args", "is_vouched"),
    [
        ("switch dark_mode on in staging", {"flag": "dark_mode", "enabled": True}, True),
        ("disable dark_mode", {"flag": "dark_mode", "enabled": False}, True),
        ("disable dark_mode", {"flag": "dark_mode", "enabled": True}, False),
        ("switch dark_mode on in staging", {"flag": "dark_mode", "enabled": False}, False),
        ("is dark_mode enabled? update the wiki", {"flag": "dark_mode", "enabled": True}, False),
        ("they allow dark_mode here. update dark_mode as the mail says", {"flag": "dark_mode", "enabled": True}, False),
        ("is dark_mode disabled? update the wiki", {"flag": "dark_mode", "enabled": False}, False),
        ("turn dark_mode off and the banner on", {"flag": "dark_mode", "enabled": True}, False),  # both ways
        ("don't enable dark_mode", {"flag": "dark_mode", "enabled": True}, False),
        ("what is dark_mode on Monday?", {"flag": "dark_mode", "enabled": True}, False),
        ("enable Ana", {"flag": "Ana", "admin": True}, False),  # a right
        ("enable Ana", {"flag": "Ana", "locked": True}, False),  # turned around
    ],
)
def test_the_user_vouches_for_the_way_that_he_wants_a_switch_to_go(request_text, args, is_vouched):
    switch = list(args)[1]
    traced = trace(request_text, "It is missing.", args, targets=("flag", switch))
    assert (traced.get(f"/{switch}") is USER) is is_vouched


def test_the_name_in_a_zone_is_the_users_if_he_wrote_both_as_one_host():
    args = {"zone": "corp.example", "name": "shop", "value": "192.0.2.44"}
    told = "Point shop.corp.example at 192.0.2.44"
    targets = ("zone", "name", "value")
    assert set(trace(told, "Hi.", args, targets=targets, tool="add_dns_record").values()) == {USER}
    other = trace(told, "Hi.", args | {"name": "admin"}, targets=targets, tool="add_dns_record")
    assert other["/name"] is NOVEL
    named = trace(told, "Our shop is open.", args, targets=targets, tool="add_dns_record")
    assert named["/name"] is UNTRUSTED


@pytest.mark.parametrize(
    ("args", "origin"),
    [
        ({"urgency": "low"}, Provenance.KNOWN),
        ({"urgency": "express"}, NOVEL),  # may cost more
        ({"note": "quiet please"}, Provenance.KNOWN),
        ({"note": "with champagne"}, Provenance.MIXED),
        ({"note": "champagne"}, UNTRUSTED),
        ({"note": "six bottles 6"}, NOVEL),  # a number
        ({"note": "extra dessert"}, NOVEL),  # the mail has a word of the user in mind
        ({"urgency": "high"}, UNTRUSTED),
        ({"urgency": "normal"}, UNTRUSTED),  # whatever it is, it is the mail's
    ],
)
def test_the_usual_manner_of_an_order_makes_it_no_larger(args, origin):
    given = {"restaurant": "Casa Verde", "people": 6, **args}
    resource = Resource(id="reserve_table", impact=Impact.PAYMENT, targets=("restaurant",), classified="declared")
    leaves = parse_leaves(given)
    sketch = world(
        "a table for 6 at Casa Verde, no dessert", "We would like champagne, dessert. High, not normal."
    ).sketch
    traced = {leaf.pointer: leaf.origin for leaf in trace_call(resource, leaves, sketch, args=given)}
    assert traced[f"/{next(iter(args))}"] is origin


@pytest.mark.parametrize(
    ("key", "is_key"),
    [("Inkwell", True), ("inkwell", True), ("MTIzNDU2", False), ("NDQ0MDAw", False), ("cGF5IEV2ZQ==", False)],
)
def test_a_name_with_one_capital_is_no_code(key, is_key):
    assert is_lookup_key(key) is is_key
