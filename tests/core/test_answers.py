"""Challenges answered through the whole stack: once, exactly, by somebody else. Invariants: BIND, EPOCH."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from halo_core.enforcement.agent_credentials import Limits
from halo_core.errors import Denied, Pending
from halo_core.facade import HaloBase
from halo_core.manifest.agents import DEFAULT_DECAY
from halo_core.model import Budget, EntryKind, SessionTerms
from halo_core.testing import FixedClock
from halo_world import SURFACE, Calls, bodies, cli, codes, policy_folder, tool, verified

BUDGETS = (Budget("risk", 1000, 1000), Budget("step", 1, 6))
TERMS = SessionTerms(BUDGETS, replace(DEFAULT_DECAY, half_life_s=600), 86_400)
# Answers are signed with the system's clock, so the fixed one begins there.
NOW_US = 1_800_000_000_000_000


def opened(home, clock=None, **more):
    more.setdefault("limits", Limits(TERMS))
    return HaloBase.local(
        "clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True, clock=clock, **more
    )


def enrolled(home, name="bo@bank"):
    assert cli("approver", "enrol", name, home=home)[0] == 0
    return name


def ask(halo, resource, body, **args):
    return halo.enforcer.run(halo.build_call(resource, args), body, SURFACE)


def pending(halo, resource, body, **args):
    with pytest.raises(Pending) as caught:
        ask(halo, resource, body, **args)
    return caught.value.pending_id


def test_an_approved_call_runs_once_and_exactly_as_approved(home):
    body = Calls()
    with opened(home) as halo:
        pay = tool(halo, "pay")
        name = enrolled(home)
        with halo.session("s"):
            request = pending(halo, pay, body, amount=500, to="b")
            assert pending(halo, pay, body, amount=500, to="b") == request  # one question is asked once
            code, out, err = cli("approvals", "approve", request, "--as", name, home=home)
            assert code == 0, (out, err)
            assert pending(halo, pay, body, amount=501, to="b") != request  # edited: another question
            assert pending(halo, pay, body, amount=500, to="c") != request
            ask(halo, pay, body, amount=500, to="b")
            assert pending(halo, pay, body, amount=500, to="b") != request  # used up
    assert body == [{"amount": 500, "to": "b"}]
    assert verified(home, signatures=True) == 0
    assert cli("replay", "--all", home=home)[0] == 0


def test_a_refused_call_stays_refused_however_often_it_is_driven(home):
    body = Calls()
    with opened(home) as halo:
        pay = tool(halo, "pay")
        name = enrolled(home)
        with halo.session("s"):
            request = pending(halo, pay, body, amount=500, to="b")
            assert cli("approvals", "deny", request, "--as", name, "--why", "no", home=home)[0] == 0
            for _ in range(3):
                with pytest.raises(Denied) as caught:
                    ask(halo, pay, body, amount=500, to="b")
                assert caught.value.reason == "approval_denied"
    assert not body
    assert verified(home) == 0


def test_a_no_holds_as_long_as_its_session_goes_on(home):
    body = Calls()
    later = FixedClock(time.time_ns() // 1000 + 5 * 24 * 3600 * 1_000_000)
    with opened(home) as halo:
        pay, name = tool(halo, "pay"), enrolled(home)
        with halo.session("s"):
            request = pending(halo, pay, body, amount=500, to="b")
            assert cli("approvals", "deny", request, "--as", name, "--why", "no", home=home)[0] == 0
    with opened(home, clock=later) as halo, halo.session("s"), pytest.raises(Denied) as caught:
        ask(halo, tool(halo, "pay"), body, amount=500, to="b")
    assert caught.value.reason == "approval_denied"
    assert not body


def test_an_approval_does_not_cross_sessions(home):
    body = Calls()
    with opened(home) as halo:
        pay = tool(halo, "pay")
        name = enrolled(home)
        with halo.session("s"):
            request = pending(halo, pay, body, amount=500, to="b")
        assert cli("approvals", "approve", request, "--as", name, home=home)[0] == 0
        with halo.session("t"):
            pending(halo, pay, body, amount=500, to="b")
    assert not body


def test_a_withdrawn_approver_answers_no_more(home):
    body = Calls()
    with opened(home) as halo:
        pay = tool(halo, "pay")
        name = enrolled(home)
        with halo.session("s"):
            request = pending(halo, pay, body, amount=500, to="b")
            assert cli("approvals", "approve", request, "--as", name, home=home)[0] == 0
            assert cli("approver", "withdraw", name, home=home)[0] == 0
            pending(halo, pay, body, amount=500, to="b")
    assert not body


@pytest.mark.parametrize("handed_off", [False, True])
def test_a_re_authorization_opens_the_next_epoch_and_keeps_what_was_spent(home, handed_off):
    body = Calls()
    with opened(home) as halo:
        look = tool(halo, "lookup")
        name = enrolled(home)
        with halo.session("s"):
            if handed_off:
                with halo.hand_off("helper"):
                    _spend_all(halo, look, body, home, name, steps=5)
            else:
                _spend_all(halo, look, body, home, name, steps=6)
    decisions = bodies(home, EntryKind.DECISION)
    last = decisions[-1]
    spent = {unit: done for link, unit, _, done in last["after"]["budgets"] if link == last["after"]["budgets"][0][0]}
    assert spent["step"] == 7
    assert {account["epoch"] for account in last["snapshot"]["envelopes"]} == {2}
    assert last["after"]["authority"] > decisions[-2]["after"]["authority"]
    assert verified(home, signatures=True) == 0
    assert cli("replay", "--all", home=home)[0] == 0


def _spend_all(halo, look, body, home, name, steps):
    for i in range(steps):
        ask(halo, look, body, q=str(i))
    request = pending(halo, look, body, q="more")
    code, out, err = cli("approvals", "approve", request, "--as", name, home=home)
    assert code == 0, (out, err)
    ask(halo, look, body, q="more")


def test_authority_comes_back_only_by_somebody_else_and_never_above_the_first(home):
    body, clock = Calls(), FixedClock()
    with opened(home, clock) as halo:
        pay = tool(halo, "pay", impact="payment")
        with halo.session("s", user="ana@bank"):
            ask(halo, pay, body, amount=1, to="b")
            clock.advance(1200)
            request = pending(halo, pay, body, amount=1, to="b")
            enrolled(home, "ana@bank")
            code, _, err = cli("approvals", "approve", request, "--as", "ana@bank", home=home)
            assert code == 10, err
            assert "approver_in_chain" in err
    assert codes(bodies(home, EntryKind.DECISION)[-1]) == ["authority_decayed"]


def test_raised_limits_stay_under_the_ceiling(home):
    body = Calls()
    limits = Limits(TERMS, ceilings=(Budget("risk", 1000, 1000), Budget("step", 1, 7)))
    with opened(home, limits=limits) as halo:
        look, name = tool(halo, "lookup"), enrolled(home)
        with halo.session("s"):
            for i in range(6):
                ask(halo, look, body, q=str(i))
            request = pending(halo, look, body, q="7")
            assert cli("approvals", "approve", request, "--as", name, "--raise", "step=8", home=home)[0] == 10
            assert cli("approvals", "approve", request, "--as", name, home=home)[0] == 0
            ask(halo, look, body, q="7")
            with pytest.raises(Denied) as caught:
                ask(halo, look, body, q="8")
            assert not isinstance(caught.value, Pending)  # nobody can raise it any more
            assert caught.value.reason == "budget_exceeded"


def test_what_became_of_a_question_is_known_without_deciding(home):
    body = Calls()
    with opened(home) as halo:
        pay = tool(halo, "pay")
        name = enrolled(home)
        known = halo.enforcer.find_question_status
        with halo.session("s"):
            first = pending(halo, pay, body, amount=500, to="b")
            second = pending(halo, pay, body, amount=600, to="b")
            assert (known(first), known("nobody asked")) == ("pending", "")
            cli("approvals", "approve", first, "--as", name, home=home)
            cli("approvals", "deny", second, "--as", name, "--why", "no", home=home)
            assert (known(first), known(second)) == ("approved", "denied")
            ask(halo, pay, body, amount=500, to="b")
            assert known(first) == "used"
        before = len(bodies(home, EntryKind.DECISION))
        known(second)
        assert len(bodies(home, EntryKind.DECISION)) == before


def test_a_question_that_nobody_answered_in_time_has_expired(home):
    clock = FixedClock(NOW_US)
    with opened(home, clock) as halo, halo.session("s"):
        request = pending(halo, tool(halo, "pay"), Calls(), amount=500, to="b")
        clock.advance(2 * 86_400)
        assert halo.enforcer.find_question_status(request) == "expired"
