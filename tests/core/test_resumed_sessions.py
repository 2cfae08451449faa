"""A conversation that is resumed after a rest: a new link, with all that the session was exposed to and has spent."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from contextvars import copy_context
from dataclasses import replace
from functools import partial

import pytest

from halo_core.clock import SystemClock
from halo_core.enforcement.activities import begin_run_activity, end_run_activity, run_activity_scope
from halo_core.enforcement.agent_credentials import Limits
from halo_core.enforcement.passport_store import RESUMED_AFTER_S
from halo_core.enforcement.session_context import IN_BODY, ContextVarScope, Session
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
    return halo.enforcer.run(halo.build_call(resource, args or {"q": "a"}), Calls() if body is None else body, SURFACE)


@contextmanager
def ask_as_run(halo, session):
    with run_activity_scope("a", Session(session, "thread")):
        yield


def ask_as_block(halo, session):
    return halo.session(session)


REQUESTS = pytest.mark.parametrize("request_in", [ask_as_run, ask_as_block])


def authorities(home):
    """Authority before each decision of the log, where there was a chain."""
    return [item.entry.body["snapshot"]["authority"] for item in found(home, EntryKind.DECISION)]


def session_links(home):
    return [item.entry.body for item in found(home, EntryKind.PASSPORT) if item.entry.body["kind"] == "session"]


@REQUESTS
def test_a_conversation_resumed_after_a_week_begins_with_new_authority_and_keeps_its_exposure(home, request_in):
    clock = FixedClock(NOW_US)
    with opened(home, clock) as halo:
        mail, pay = tool(halo, "watched", source_trust=100), tool(halo, "pay", impact=Impact.PAYMENT)
        with request_in(halo, "thread:t1"):
            ask(halo, mail)
        clock.advance(WEEK_S)
        with request_in(halo, "thread:t1"):
            ask(halo, pay, amount=1, to="b")  # as in a new session: the first call of the week is not a question
        views = [item.entry.body["snapshot"]["session"] for item in found(home, EntryKind.DECISION)]
    assert [view["tainted"] for view in views] == [False, True]
    assert authorities(home) == [1_000_000, 1_000_000]
    assert [item.get("resumed", False) for item in session_links(home)] == [False, True]
    assert len({item["handle"] for item in session_links(home)}) == 1
    assert verified(home, signatures=True) == 0
    assert cli("replay", "--all", home=home)[0] == 0


@REQUESTS
def test_so_does_one_whose_link_has_expired(home, request_in):
    clock = FixedClock(NOW_US)
    with opened(home, clock, limits=Limits(SessionTerms(DEFAULT_TERMS.budgets, DEFAULT_DECAY, 3600))) as halo:
        lookup = tool(halo, "lookup")
        with request_in(halo, "s"):
            ask(halo, lookup)
        clock.advance(3601)
        with request_in(halo, "s"), pytest.raises(Denied) as caught:
            ask(halo, lookup)
        assert caught.value.reason == "expired"
        clock.advance(RESUMED_AFTER_S)
        with request_in(halo, "s"):
            assert ask(halo, lookup) == "done"


class AdvancingCalls(Calls):
    """A body during which a clock goes on by so many seconds."""

    def __init__(self, clock, seconds):
        super().__init__()
        self.advance = partial(clock.advance, seconds)

    def __call__(self, *args, **kwargs):
        self.advance()
        return super().__call__(*args, **kwargs)


@REQUESTS
@pytest.mark.parametrize("jump_s", [RESUMED_AFTER_S, WEEK_S, 365 * 86_400])
@pytest.mark.parametrize("where", ["in_a_body", "between", "before_the_first_call"])
def test_a_run_that_goes_on_is_not_resumed(home, request_in, jump_s, where):
    """However long a step takes, or a clock jumps: an expired passport stays expired within the run."""
    clock = FixedClock(NOW_US)
    with opened(home, clock, limits=Limits(SessionTerms(DEFAULT_TERMS.budgets, DEFAULT_DECAY, 3600))) as halo:
        lookup, body = tool(halo, "lookup"), Calls()
        with request_in(halo, "s"):
            ask(halo, lookup)
        with request_in(halo, "s"):
            if where == "in_a_body":
                ask(halo, lookup, AdvancingCalls(clock, jump_s))
            else:
                if where == "between":
                    ask(halo, lookup)
                clock.advance(jump_s)
            with pytest.raises(Denied) as caught:
                ask(halo, lookup, body)
    assert caught.value.reason == "expired"
    assert not body
    assert [item.get("resumed", False) for item in session_links(home)] == [False]


@pytest.mark.parametrize("begin", ["run", "hook", "block", "context"])
def test_what_begins_inside_of_an_action_is_a_step_of_its_run(home, begin):
    """A guarded tool that takes a day and then starts a run, or opens the session again, resumes nothing."""
    clock = FixedClock(NOW_US)
    with opened(home, clock, limits=Limits(SessionTerms(DEFAULT_TERMS.budgets, DEFAULT_DECAY, 3600))) as halo:
        lookup, inner = tool(halo, "lookup"), []

        def start_again():
            session = halo.find_session().id
            clock.advance(WEEK_S)
            if begin == "hook":
                begin_run_activity("a", 2)
            scopes = {"run": lambda: ask_as_run(halo, session), "block": lambda: halo.session(session)}
            with scopes.get(begin, nullcontext)(), pytest.raises(Denied) as caught:
                ask(halo, lookup)
            inner.append(caught.value.reason)

        class Body(Calls):
            def __call__(self, *args, **kwargs):
                with ContextVarScope((IN_BODY, True)):  # as each adapter does around a body
                    (copy_context().run if begin == "context" else lambda work: work())(start_again)
                return super().__call__(*args, **kwargs)

        for request_in in (ask_as_run, ask_as_block):
            with request_in(halo, f"s-{request_in.__name__}"):
                ask(halo, lookup, Body())
        begin_run_activity("a", 1)
        with halo.session("s-hook"):
            ask(halo, lookup, Body())
        end_run_activity(1)
    assert inner == ["expired"] * 3


def test_a_rest_gives_nothing_back_that_was_spent(home):
    budgets = (Budget("risk", 1_000_000, 1_000_000), Budget("step", 1, 3))
    clock = FixedClock(NOW_US)
    with opened(home, clock, limits=Limits(SessionTerms(budgets, DEFAULT_DECAY, 30 * 86_400))) as halo:
        lookup = tool(halo, "lookup")
        for _ in range(3):
            with halo.session("s"):
                ask(halo, lookup)
            clock.advance(WEEK_S / 4)
        with halo.session("s"), pytest.raises(Pending) as caught:
            ask(halo, lookup)
    assert caught.value.reason == "budget_exceeded"


def test_a_rest_does_not_read_what_was_spent_in_other_decimals(home):
    clock = FixedClock(NOW_US)

    def limits(decimals):
        most = 100 * 10**decimals
        budgets = (*DEFAULT_TERMS.budgets, Budget("USD", most, most, decimals))
        return Limits(SessionTerms(budgets, DEFAULT_DECAY, 30 * 86_400))

    with opened(home, clock, limits=limits(0)) as halo, halo.session("s"):
        assert ask(halo, tool(halo, "lookup")) == "done"
    clock.advance(WEEK_S)
    with opened(home, clock, limits=limits(2)) as halo, halo.session("s"), pytest.raises(Denied) as caught:
        ask(halo, tool(halo, "lookup"))
    assert caught.value.reason == "budget_units_changed"


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
        with halo.session("s"), pytest.raises(Pending):
            ask(halo, pay, amount=500, to="b")
        clock.advance(RESUMED_AFTER_S)
        with halo.session("s"), pytest.raises(Pending) as caught:
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
        with halo.session("s"), pytest.raises(Denied) as caught:
            ask(halo, lookup)
    assert caught.value.reason == "revoked"


ISSUED = """
version: 1
tools:
  lookup: {impact: read}
agents:
  clerk:
    owner: ana@bank
    lifetime: 2d
    tools:
      lookup: {q: any}
"""


@REQUESTS
@pytest.mark.parametrize("end", ["expired", "revoked"])
def test_a_standing_passport_that_ended_is_not_renewed(home, request_in, end):
    home.mkdir(mode=0o700)
    (home / "agents.yaml").write_text(ISSUED)
    assert cli("passport", "issue", "clerk", home=home)[::2] == (0, "")
    clock = FixedClock(SystemClock().now_us())
    with opened(home, clock) as halo:
        lookup, body = tool(halo, "lookup"), Calls()
        with request_in(halo, "s"):
            ask(halo, lookup)
        if end == "revoked":
            assert cli("revoke", "--agent", "clerk", "--why", "a test", home=home)[0] == 0
        clock.advance({"expired": 2 * 86_400, "revoked": 86_400}[end])
        for _ in range(2):
            with request_in(halo, "s"), pytest.raises(Denied) as caught:
                ask(halo, lookup, body)
            assert caught.value.reason == end
            clock.advance(WEEK_S)
    assert not body


def test_the_receiver_of_a_hand_off_goes_on_below_the_new_link(home):
    clock = FixedClock(NOW_US)
    with opened(home, clock) as halo:
        lookup = tool(halo, "lookup")
        for _ in range(2):
            with halo.session("s"), halo.hand_off("helper"):
                ask(halo, lookup)
            clock.advance(WEEK_S)
    assert [code for item in found(home, EntryKind.DECISION) for code in codes(item.entry.body)].count("granted") >= 2
    assert verified(home, signatures=True) == 0
