"""A conversation that is resumed after a rest: a new link, with all that the session was exposed to and has spent."""

from __future__ import annotations

from dataclasses import replace

import pytest

from halo_core.enforcement.agent_credentials import Limits
from halo_core.enforcement.passport_store import RESUMED_AFTER_S
from halo_core.errors import Denied, Pending
from halo_core.facade import HaloBase
from halo_core.manifest import DEFAULT_TERMS
from halo_core.manifest.agents import DEFAULT_DECAY
from halo_core.model import Budget, EntryKind, Impact, SessionTerms
from halo_core.testing import FixedClock
from halo_world import SURFACE, Calls, cli, codes, found, policy_folder, tool, verified

WEEK_S = 7 * 86_400
NOW_US = 1_800_000_000_000_000


def opened(home, clock, **more):
    return HaloBase.local(
        "clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True, clock=clock, **more
    )


def ask(halo, resource, body=None, **args):
    return halo.enforcer.run(halo.build_call(resource, args or {"q": "a"}), body or Calls(), SURFACE)


def authorities(home):
    """Authority before each decision of the log, where there was a chain."""
    return [item.entry.body["snapshot"]["authority"] for item in found(home, EntryKind.DECISION)]


def session_links(home):
    return [item.entry.body for item in found(home, EntryKind.PASSPORT) if item.entry.body["kind"] == "session"]


def test_a_conversation_resumed_after_a_week_begins_with_new_authority_and_keeps_its_exposure(home):
    clock = FixedClock(NOW_US)
    with opened(home, clock) as halo:
        mail, pay = tool(halo, "watched", source_trust=100), tool(halo, "pay", impact=Impact.PAYMENT)
        with halo.session("thread:t1"):
            ask(halo, mail)
            clock.advance(WEEK_S)
            ask(halo, pay, amount=1, to="b")  # as in a new session: the first call of the week is not a question
        views = [item.entry.body["snapshot"]["session"] for item in found(home, EntryKind.DECISION)]
    assert [view["tainted"] for view in views] == [False, True]
    assert authorities(home) == [1_000_000, 1_000_000]
    assert [item.get("resumed", False) for item in session_links(home)] == [False, True]
    assert len({item["handle"] for item in session_links(home)}) == 1
    assert verified(home, signatures=True) == 0
    assert cli("replay", "--all", home=home)[0] == 0


def test_so_does_one_whose_link_has_expired(home):
    clock = FixedClock(NOW_US)
    with opened(home, clock, limits=Limits(SessionTerms(DEFAULT_TERMS.budgets, DEFAULT_DECAY, 3600))) as halo:
        lookup = tool(halo, "lookup")
        with halo.session("s"):
            ask(halo, lookup)
            clock.advance(3601)
            with pytest.raises(Denied) as caught:
                ask(halo, lookup)
            assert caught.value.reason == "expired"
            clock.advance(RESUMED_AFTER_S)
            assert ask(halo, lookup) == "done"


def test_a_rest_gives_nothing_back_that_was_spent(home):
    budgets = (Budget("risk", 1_000_000, 1_000_000), Budget("step", 1, 3))
    clock = FixedClock(NOW_US)
    with opened(home, clock, limits=Limits(SessionTerms(budgets, DEFAULT_DECAY, 30 * 86_400))) as halo:
        lookup = tool(halo, "lookup")
        with halo.session("s"):
            for _ in range(3):
                ask(halo, lookup)
                clock.advance(WEEK_S / 4)
            with pytest.raises(Pending) as caught:
                ask(halo, lookup)
    assert caught.value.reason == "budget_exceeded"


def test_within_a_run_authority_falls_however_long_a_step_takes(home):
    clock = FixedClock(NOW_US)
    with opened(home, clock) as halo:
        lookup = tool(halo, "lookup")
        with halo.session("s"):
            for _ in range(3):
                ask(halo, lookup)
                clock.advance(RESUMED_AFTER_S - 1)
    first, second, third = authorities(home)
    assert first > second > third


def test_a_session_with_an_open_question_keeps_ageing(home):
    clock = FixedClock(NOW_US)
    terms = SessionTerms(DEFAULT_TERMS.budgets, replace(DEFAULT_DECAY, half_life_s=3600), 30 * 86_400)
    with opened(home, clock, limits=Limits(terms)) as halo:
        lookup, pay = tool(halo, "lookup"), tool(halo, "pay")
        with halo.session("s"):
            with pytest.raises(Pending):
                ask(halo, pay, amount=500, to="b")
            clock.advance(RESUMED_AFTER_S)
            with pytest.raises(Pending) as caught:
                ask(halo, lookup)
    assert caught.value.reason == "authority_decayed"
    assert [item.get("resumed", False) for item in session_links(home)] == [False]


@pytest.mark.parametrize("scope", ["session", "link"])
def test_what_was_revoked_stays_so(home, scope):
    clock = FixedClock(NOW_US)
    with opened(home, clock) as halo:
        lookup = tool(halo, "lookup")
        with halo.session("s"):
            ask(halo, lookup)
            (link,) = session_links(home)
            target = {"session": "s", "link": link["hash"]}[scope]
            assert cli("revoke", f"--{scope}", target, "--why", "a test", home=home)[0] == 0
            clock.advance(WEEK_S)
            with pytest.raises(Denied) as caught:
                ask(halo, lookup)
    assert caught.value.reason == "revoked"


def test_the_receiver_of_a_hand_off_goes_on_below_the_new_link(home):
    clock = FixedClock(NOW_US)
    with opened(home, clock) as halo:
        lookup = tool(halo, "lookup")
        with halo.session("s"), halo.hand_off("helper"):
            ask(halo, lookup)
            clock.advance(WEEK_S)
            ask(halo, lookup)
    assert [code for item in found(home, EntryKind.DECISION) for code in codes(item.entry.body)].count("granted") >= 2
    assert verified(home, signatures=True) == 0
