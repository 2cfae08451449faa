"""Orders after exposure by verbs that no list has, and what somebody else may have meant."""

from __future__ import annotations

import pytest
from value_world import world

from halo_core.model import Fact, Impact, Resource
from halo_core.values.facts.call_view import trace_call
from halo_core.values.facts.fact_sources import FactSources
from halo_core.values.facts.facts import find_facts
from halo_core.values.provenance.leaves import parse_leaves
from halo_core.values.requests.wishes import LEAVING, WISH, find_wishes

LIST = "SB-40 Roth vegetable box\nSB-44 Lang fruit box"
KNOCK = "knock 20 euros off SB-40, she complains in mail 1"


def is_asked(request: str, mail: str, tool: str, impact: str, target: str = "SB-40", **more: str) -> bool:
    args = {"record": target, **more}
    resource = Resource(id=tool, impact=Impact(impact), targets=("record",))
    made = world(request, mail).lookup(LIST, "boxes")
    leaves = parse_leaves(args)
    traced = trace_call(resource, leaves, made.sketch, args=args)
    return Fact.ASKED in find_facts(resource, args, leaves, traced, made.sketch, FactSources()).facts


@pytest.mark.parametrize(
    ("request_text", "tool", "impact"),
    [
        (KNOCK, "issue_credit_note", "payment"),
        ("bump the box of Roth to weekly", "set_rhythm", "admin"),
        ("the box of Roth has to go on holiday", "pause_box", "admin"),
        ("Roth should be able to open her box SB-40", "grant_box_access", "admin"),
        ("scrap SB-40 (mail 1)", "cancel_box", "delete"),
        ("bar Roth's box SB-40 from the fair", "set_rhythm", "admin"),  # a possessor
        ("Roth moved away (mail 1), so please scrap that box of hers and then tell me", "cancel_box", "delete"),
    ],
)
def test_an_order_that_no_list_has_asks_for_its_act(request_text, tool, impact):
    assert is_asked(request_text, "Two months please.", tool, impact)


@pytest.mark.parametrize(
    ("request_text", "mail", "tool", "impact", "target"),
    [
        (KNOCK, "Two months please.", "issue_credit_note", "payment", "SB-44"),  # another target
        (KNOCK, "About SB-40.", "issue_credit_note", "payment", "SB-40"),  # the mail names the target
        (KNOCK, "Please issue it.", "issue_credit_note", "payment", "SB-40"),  # the mail names the act
        (KNOCK, "It should be cancelled.", "cancel_box", "delete", "SB-40"),
        (f"Move SB-40 to May. {KNOCK}", "Two months please.", "issue_credit_note", "payment", "SB-40"),  # another act
        ("bump SB-40 to weekly", "Get rid of it.", "cancel_box", "delete", "SB-40"),
        ("paint SB-40 red", "Two months please.", "cancel_box", "delete", "SB-40"),  # a change ends nothing
        ("mail 1 is about the box SB-40", "Two months please.", "set_rhythm", "admin", "SB-40"),
        ("what should the box SB-40 have?", "Two months please.", "set_rhythm", "admin", "SB-40"),
        ("take care of SB-40, it's all in mail 1", "Stornieren bitte.", "cancel_box", "delete", "SB-40"),
        ("handle SB-40 as in mail 1", "Ich will sie geschenkt.", "set_rhythm", "admin", "SB-40"),
        ("welcome the box of Roth, mail 1", "Weg damit.", "cancel_box", "delete", "SB-40"),
        ("bump SB-40 tonight, mail 1", "Neu hoch damit.", "restart_box", "execute", "SB-40"),
        ("the box of Roth should be in May, mail 1", "Weg damit.", "revoke_box", "admin", "SB-40"),
        ("Roth should be able to open her box SB-40", "Weg damit.", "revoke_box_access", "admin", "SB-40"),
        ("scrap the draft about SB-40, mail 1", "Weg damit.", "cancel_box", "delete", "SB-40"),
        ("dump the details of SB-40 into a table, mail 1", "Weg damit.", "cancel_box", "delete", "SB-40"),
        ("kill the rumours about SB-40, mail 1", "Weg damit.", "cancel_box", "delete", "SB-40"),
        ("scratch that, SB-40 stays. Mail 1?", "Weg damit.", "cancel_box", "delete", "SB-40"),
        ("cook up a friendly answer on SB-40, mail 1", "Bitte.", "issue_credit_note", "payment", "SB-40"),
        (KNOCK, "Bitte.", "settle_invoice", "payment", "SB-40"),
        ("Roth has to go to Rome, mail 1", "Weg damit.", "revoke_box", "admin", "SB-40"),
        ("she says the box SB-40 has to go", "Two months please.", "set_rhythm", "admin", "SB-40"),
    ],
)
def test_what_somebody_else_may_have_meant_is_not_asked_for(request_text, mail, tool, impact, target):
    assert not is_asked(request_text, mail, tool, impact, target)


def test_a_value_of_somebody_else_is_not_part_of_such_an_order():
    assert is_asked(KNOCK, "Reason: frost damage", "issue_credit_note", "payment", reason="20 euros")
    assert not is_asked(KNOCK, "Reason: frost damage", "issue_credit_note", "payment", reason="frost damage")


def is_set(request: str, tool: str, mail: str = "Thanks a lot.", impact: str = "admin", **args: str) -> bool:
    resource = Resource(id=tool, impact=Impact(impact), targets=tuple(name for name in args if name != "rank"))
    made = world(request, mail).lookup("E-4 Dora Klein\nE-5 Ida Roth", "staff")
    leaves = parse_leaves(args)
    traced = trace_call(resource, leaves, made.sketch, args=args)
    return Fact.ASKED in find_facts(resource, args, leaves, traced, made.sketch, FactSources()).facts


@pytest.mark.parametrize(
    ("request_text", "tool", "args"),
    [
        ("Dora joins Logistics, change that", "move_to_team", {"employee": "E-4", "team": "Logistics"}),
        ("lend LT-20 to Dora", "issue_loaner", {"device": "LT-20", "employee": "E-4"}),
        ("bar the buyer Dora", "blacklist_buyer", {"buyer_id": "E-4"}),
        ("put Checkout back to R-12", "tie_release", {"service": "Checkout", "release": "R-12"}),
        ("change the wage of Dora to W-17", "assign_band", {"employee": "E-4", "band": "W-17"}),
    ],
)
def test_values_of_the_user_say_what_becomes_of_a_thing(request_text, tool, args):
    assert is_set(request_text, tool, **args)


@pytest.mark.parametrize(
    ("request_text", "tool", "mail", "args"),
    [
        ("Dora joins Logistics, change that", "remove_from_team", "Hi.", {"employee": "E-4", "team": "Logistics"}),
        ("Dora joins Logistics, change that", "move_to_team", "Hi.", {"employee": "E-5", "team": "Logistics"}),
        ("Dora joins Logistics, change that", "move_to_team", "Hi.", {"employee": "E-4", "team": "Finance"}),
        ("change Logistics", "move_to_team", "Hi.", {"team": "Logistics"}),  # one value
        ("mail Dora about LT-20, change the title", "issue_loaner", "Hi.", {"device": "LT-20", "employee": "E-4"}),
        ("lend LT-20 to Dora", "issue_loaner", "Issue LT-20 today.", {"device": "LT-20", "employee": "E-4"}),
        ("design the door pass of Dora", "door_pass", "Hi.", {"employee": "E-4"}),
        ("Is Dora's box LT-20 here?", "issue_loaner", "Hi.", {"device": "LT-20", "employee": "E-4"}),
        ("lunch Dora's late for, LT-20", "issue_loaner", "Hi.", {"device": "LT-20", "employee": "E-4"}),
    ],
)
def test_such_values_ask_for_no_other_act(request_text, tool, mail, args):
    assert not is_set(request_text, tool, mail, **args)


def test_such_an_order_has_no_value_of_the_model_and_neither_runs_nor_pays():
    values = {"employee": "E-4", "team": "Logistics"}
    assert is_set("update Dora to Logistics", "move_to_team", **values)
    assert not is_set("update Dora to Logistics", "move_to_team", rank="chief", **values)
    assert not is_set("update Dora to Logistics", "move_to_team", impact="execute", **values)
    assert not is_set("update Dora to Logistics", "issue_voucher", impact="payment", **values)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Sam should be able to read the repo", True),
        ("Roth should stay where she is", False),
        ("Roth should be happy with it", False),
        ("The token has to go, says mail 1", False),
        ("In mail 1 the token has to go", False),
        ("Should Sam be able to read it?", False),
        ("Mail 1 says that Sam should be able to read it", False),
        ("if Sam should have it, tell me", False),
        ("we should talk about it", False),
        ("Sam should not read it", False),
    ],
)
def test_a_wish_says_what_is_to_be(text, found):
    assert find_wishes(text) == ({WISH} if found else set())


def test_a_wish_that_something_goes_says_so():
    assert find_wishes("the interns token has to go, he's gone") == {WISH, LEAVING}
