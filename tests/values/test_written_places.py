"""Common words, letters and short numbers that the user shows to be values by what he wrote beside them."""

from __future__ import annotations

import pytest
from value_world import world

from halo_core.model import Impact, Provenance, Resource
from halo_core.values.facts.call_view import trace_call
from halo_core.values.kinds.kinds import Kind
from halo_core.values.provenance.leaves import parse_leaves
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.provenance.written_places import vouch_for_counted_things

USER, NOVEL, UNTRUSTED = Provenance.USER, Provenance.NOVEL, Provenance.UNTRUSTED


def trace(request, mail, args, *, impact=Impact.ADMIN, targets=()):
    resource = Resource(id="set_it", impact=impact, targets=targets or tuple(args), classified="declared")
    leaves = parse_leaves(args)
    return {leaf.pointer: leaf.origin for leaf in trace_call(resource, leaves, world(request, mail).sketch, args=args)}


def first(request, mail, args, **more):
    return trace(request, mail, args, **more)[f"/{next(iter(args))}"]


@pytest.mark.parametrize(
    ("request_text", "mail", "args", "origin"),
    [
        ("Add an A record for shop.example.", "Please.", {"kind": "A"}, USER),
        ("Give Noor a B in maths.", "This deserves an A.", {"grade": "B"}, USER),
        ("Give Noor a B in maths.", "This deserves an A.", {"grade": "A"}, NOVEL),
        ("Noor of class A gets a B.", "Not bad.", {"grade": "A"}, NOVEL),  # stands elsewhere
        ("Give Noor a grade in maths.", "Not bad.", {"grade": "A"}, NOVEL),  # an article
        ("Give Noor a B in maths.", "Not bad.", {"username": "B"}, NOVEL),  # may be a person
        ("The card ending in 4417 is lost.", "Block 8820.", {"card_last4": "4417"}, USER),
        ("The card ending in 4417 is lost.", "Block 8820.", {"card_last4": "8820"}, UNTRUSTED),
        ("Mail 4417: my card is lost.", "Block it.", {"card_last4": "4417"}, NOVEL),  # the number of a mail
        ("The card ending in 4417 is lost.", "Block it.", {"member": "4417"}, NOVEL),
        ("Move 200 from checking to savings.", "Save.", {"source": "checking"}, USER),
        ("Keep checking savings.", "Save.", {"source": "checking"}, NOVEL),
        ("Move 200 from checking to savings.", "Save.", {"target": "checking"}, NOVEL),  # the wrong end
        ("Run cleanup at '0 2 * * *'.", "Why?", {"schedule": "0 2 * * *"}, USER),
        ("Run cleanup at '0 2 * * *'.", "Why?", {"schedule": "0 2 * * 1"}, NOVEL),
        ("Run cleanup at '0 2 * * *'.", "Why?", {"command": "0 2 * * *"}, NOVEL),
        ("Move V-19 to 2026-12-09 15:30.", "Late.", {"start": "2026-12-09T15:30"}, USER),
        ("Move V-19 to 2026-12-09 at 15:30.", "Late.", {"start": "2026-12-09T15:30:00"}, USER),
        ("Move V-19 of 2026-12-09 to 15:30.", "Late.", {"start": "2026-12-09T15:30"}, NOVEL),
        ("Move V-19 to 2026-12-09 15:30.", "Late.", {"start": "2026-12-09T16:30"}, NOVEL),
        ("Merge pull request 214 in web.", "Fixed.", {"repo": "web"}, USER),
        ("Our busy web pages are slow.", "Fixed.", {"repo": "web"}, NOVEL),
    ],
)
def test_what_stands_beside_a_word_shows_that_it_is_a_value(request_text, mail, args, origin):
    assert first(request_text, mail, args) is origin


@pytest.mark.parametrize(
    ("request_text", "mail", "args", "origin"),
    [
        ("Set the timeout of checkout to 30 seconds.", "Slow.", {"value": "30"}, USER),
        ("Set the timeout of checkout to 30 seconds.", "Slow.", {"value": 30}, USER),
        ("Set the timeout of checkout to 30 seconds.", "30 is too little.", {"value": "30"}, NOVEL),
        ("Set the timeout of checkout to 30 seconds.", "Thirty is too little.", {"value": "30"}, NOVEL),
        ("Give checkout 30 seconds.", "Slow.", {"value": "30"}, NOVEL),  # sets nothing
        ("Set the timeout of checkout to 30 seconds.", "Slow.", {"value_id": "30"}, NOVEL),  # numbers a record
        ("Set the timeout of checkout to 30 seconds.", "Slow.", {"flat": "30"}, NOVEL),  # no value of an option
        ("Require 2 reviews on main.", "Anyone can push.", {"reviews": 2}, USER),
        ("Require 2 approvals on main.", "Anyone can push.", {"reviews": 2}, NOVEL),  # of another noun
        ("Require 2 reviews on main.", "We have 2.", {"reviews": 2}, NOVEL),
        ("Set the stock of MUG-3 to 48.", "Counted.", {"units": 48}, USER),
    ],
)
def test_the_user_vouches_for_a_number_that_something_is_set_to(request_text, mail, args, origin):
    assert first(request_text, mail, args) is origin


@pytest.mark.parametrize(
    ("args", "origin"),
    [
        ({"item": "monitors", "quantity": 4}, USER),
        ({"item": "monitors", "quantity": 40}, NOVEL),  # another count
        ({"item": "desks", "quantity": 4}, NOVEL),  # another thing of the user
        ({"item": "cameras", "quantity": 4}, UNTRUSTED),
        ({"team": "monitors", "quantity": 4}, NOVEL),  # no product
    ],
)
def test_a_thing_is_the_users_behind_the_count_of_the_call(args, origin):
    request, mail = "Request 4 monitors for the desks.", "We need cameras, too."
    thing = next(iter(args))
    assert first(request, mail, args, impact=Impact.SEND, targets=(thing,)) is origin


@pytest.mark.parametrize(
    ("thing", "count", "is_vouched"),
    [(NOVEL, USER, True), (UNTRUSTED, USER, False), (NOVEL, UNTRUSTED, False), (NOVEL, NOVEL, False)],
)
def test_neither_the_thing_nor_its_count_may_come_from_others(thing, count, is_vouched):
    leaves = parse_leaves({"item": "monitors", "quantity": 4})
    traced = (
        TracedLeaf("/item", thing, (), Kind.HANDLE, (), is_target=True),
        TracedLeaf("/quantity", count, (), Kind.AMOUNT, (), is_target=False),
    )
    sketch = world("Request 4 monitors.", "Hi.").sketch
    found = vouch_for_counted_things(traced, tuple(leaves), sketch)
    assert (found[0].origin is USER) is is_vouched


@pytest.mark.parametrize(
    ("request_text", "public", "is_vouched"),
    [
        ("Make bucket press-kit private.", False, True),
        ("Make bucket press-kit private.", True, False),
        ("Make bucket press-kit public.", True, False),  # lets others see it
        ("Don't make bucket press-kit private.", False, False),
        ("Make press-kit private and logs public.", False, False),
    ],
)
def test_private_vouches_for_a_switch_that_is_no_longer_public(request_text, public, is_vouched):
    traced = trace(request_text, "It is fine.", {"bucket": "press-kit", "public": public})
    assert (traced.get("/public") is USER) is is_vouched
