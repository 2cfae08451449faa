"""Held acts: stored, answered, run once as decided or not at all. Invariant: HELD."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace

import pytest
from oversight_world import answers, enrolled

from halo_core.enforcement.held_acts import Runner
from halo_core.errors import ConfigError, Denied, Held, Pending
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, EntryKind, Impact, Resource, Reversal
from halo_core.store import answer_rows
from halo_core.testing import FixedClock
from halo_world import SURFACE, Calls, attack, bodies, cli, codes, db_of, found, policy_folder, verified

POLICY = """
@id("base") permit (principal, action, resource);
@id("target") @effect("challenge") @reason("untrusted_target") forbid (principal, action, resource == Tool::"send");
@id("never") @reason("grave_impact") forbid (principal, action, resource == Tool::"send")
when { context.args has text && context.args.text == "never" };
"""
NOW_US = 1_800_000_000_000_000
SEND = Resource(impact=Impact.SEND, targets=("to",), source_trust=600, reversal=Reversal.COMPENSATE, can_wait=True)
ARGS = {"to": "eva@partner.example", "text": "see the report"}


def opened(home, clock=None, **more):
    folder = policy_folder(home, POLICY)
    more.setdefault("user", "user:ana")
    return HaloBase.local("clerk", home=home, mode="enforce", policy=folder, quiet=True, clock=clock, **more)


def mailer(halo, sent, resource=SEND):
    def send(to: str, text: str = "") -> str:
        sent.append((to, text))
        return f"sent to {to}"

    schema = {"type": "object", "properties": {"to": {"type": "string"}, "text": {"type": "string"}}}
    registered = halo.register(ActionKind.TOOL_CALL, "send", resource=resource, schema=schema)
    halo.register_runner(registered, send)
    return registered


def reader_tool(halo):
    declared = Resource(impact=Impact.READ, source_trust=600, reversal=Reversal.NONE_NEEDED)
    schema = {"type": "object", "properties": {"q": {"type": "string"}}}
    return halo.register(ActionKind.TOOL_CALL, "look", resource=declared, schema=schema)


def call(halo, resource, session="s", call_id="", **args):
    with halo.session(session):
        return halo.enforcer.run(halo.build_call(resource, args, call_id=call_id), Calls(), SURFACE)


def held(halo, resource, session="s", **args):
    with pytest.raises(Held) as caught:
        call(halo, resource, session, **(args or ARGS))
    return caught.value


def statuses(home):
    with sqlite3.connect(db_of(home)) as connection:
        return [status for (status,) in connection.execute("SELECT status FROM outbox ORDER BY held_us, id")]


def test_a_held_act_runs_once_as_decided_after_its_answer(home):
    sent = []
    with opened(home) as halo:
        mail = mailer(halo, sent)
        act = held(halo, mail)
        assert "held, no result yet" in act.earlier
        assert [item.status for item in halo.release()] == ["waiting"]
        enrolled(home)
        answers(home, act.pending_id)
        (done,) = halo.release()
        assert (done.status, done.result, done.id) == ("released", "sent to eva@partner.example", act.held_id)
        assert halo.release() == []
    assert sent == [tuple(ARGS.values())]
    assert statuses(home) == ["released"]
    assert verified(home, signatures=True) == 0
    assert cli("replay", "--all", home=home)[0] == 0


def test_it_is_released_by_the_next_process_that_has_the_tool(home):
    sent = []
    with opened(home) as halo:
        act = held(halo, mailer(halo, sent))
    enrolled(home)
    answers(home, act.pending_id)
    with opened(home) as halo:
        with halo.session("other"):  # the tool is not there yet
            pass
        mailer(halo, sent)
        with halo.session("other"):
            assert sent == [tuple(ARGS.values())]
    assert statuses(home) == ["released"]
    assert verified(home) == 0


def test_it_is_released_at_the_end_of_its_session(home):
    sent = []
    with opened(home) as halo:
        mail = mailer(halo, sent)
        with halo.session("s"):
            with pytest.raises(Held) as caught:
                halo.enforcer.run(halo.build_call(mail, ARGS), Calls(), SURFACE)
            enrolled(home)
            answers(home, caught.value.pending_id)
            assert sent == []
        assert sent == [tuple(ARGS.values())]
    assert verified(home) == 0


def test_a_denied_act_never_runs(home):
    sent = []
    with opened(home) as halo:
        act = held(halo, mailer(halo, sent))
        enrolled(home)
        answers(home, act.pending_id, approve=False, why="no")
        assert [item.status for item in halo.release()] == ["denied"]
        assert halo.release() == []
    assert (sent, statuses(home)) == ([], ["dropped"])
    assert verified(home) == 0


def test_an_expired_act_never_runs(home):
    sent, clock = [], FixedClock(NOW_US)
    (home / "agents.yaml").parent.mkdir(exist_ok=True)
    (home / "agents.yaml").write_text("version: 1\nagents:\n  clerk: {hold_for: 2h}\n")
    with opened(home, clock) as halo:
        act = held(halo, mailer(halo, sent))
        enrolled(home)
        answers(home, act.pending_id, now_us=NOW_US)
        clock.advance(2 * 3600)
        assert [item.status for item in halo.release()] == ["expired"]
    assert (sent, statuses(home)) == ([], ["expired"])
    assert verified(home) == 0


def test_an_answer_lasts_as_long_as_its_held_act(home):
    sent, clock = [], FixedClock(NOW_US)
    with opened(home, clock) as halo:
        act = held(halo, mailer(halo, sent))
        enrolled(home)
        answers(home, act.pending_id, now_us=NOW_US)
        clock.advance(23 * 3600)
        assert [item.status for item in halo.release()] == ["released"]


@pytest.mark.parametrize("stop", [("stop", "--tool", "send"), ("revoke", "--session", "s", "--why", "x")])
def test_a_stop_and_a_revocation_hold_at_the_release(home, stop):
    sent = []
    with opened(home) as halo:
        act = held(halo, mailer(halo, sent))
        enrolled(home)
        answers(home, act.pending_id)
        assert cli(*stop, home=home)[0] == 0
        assert [item.status for item in halo.release()] == ["refused"]
        assert sent == []
        if stop[0] == "stop":
            assert cli("lift", "--tool", "send", home=home)[0] == 0
            assert [item.status for item in halo.release()] == ["released"]
    assert verified(home) == 0


def test_a_later_call_on_the_same_target_pauses(home):
    sent = []
    with opened(home) as halo:
        mail, look = mailer(halo, sent), reader_tool(halo)
        act = held(halo, mail)
        with pytest.raises(Pending) as caught:
            call(halo, look, q="EVA@partner.example")
        assert "held_before" in codes(found(home, EntryKind.DECISION)[-1].entry.body)
        assert caught.value.pending_id
        call(halo, look, q="something else")
        call(halo, look, session="another", q="eva@partner.example")
        assert held(halo, mail, to="bo@partner.example", text="x")
        enrolled(home)
        answers(home, act.pending_id)
        halo.release()
        call(halo, look, q="eva@partner.example")
    assert verified(home) == 0


def test_a_later_act_that_can_wait_is_held_behind_the_first(home):
    sent = []
    with opened(home) as halo:
        mail = mailer(halo, sent)
        first, second = held(halo, mail), held(halo, mail, **{**ARGS, "text": "and another"})
        assert "held_before" in codes(found(home, EntryKind.DECISION)[-1].entry.body)
        other = held(halo, mail, to="bo@partner.example", text="x")
        assert len({act.pending_id for act in (first, second, other)}) == 3
        enrolled(home)
        answers(home, second.pending_id)
        answers(home, other.pending_id)
        assert [item.status for item in halo.release()] == ["waiting", "waiting", "released"]
        answers(home, first.pending_id)
        assert [item.id for item in halo.release()] == [first.held_id, second.held_id]
    assert [text for _, text in sent] == ["x", ARGS["text"], "and another"]
    assert verified(home, signatures=True) == 0
    assert cli("replay", "--all", home=home)[0] == 0


def test_what_was_held_behind_a_refused_act_needs_its_own_yes(home):
    sent = []
    with opened(home) as halo:
        mail = mailer(halo, sent)
        first, second, third = (held(halo, mail, **{**ARGS, "text": text}) for text in ("one", "two", "three"))
        enrolled(home)
        answers(home, first.pending_id, approve=False, why="no")
        answers(home, third.pending_id)
        assert [item.status for item in halo.release()] == ["denied", "waiting", "waiting"]
        answers(home, second.pending_id)
        assert [item.status for item in halo.release()] == ["released", "released"]
    assert [text for _, text in sent] == ["two", "three"]
    assert verified(home) == 0


ALONE = """
@id("base") permit (principal, action, resource);
@id("first") @effect("challenge") @reason("untrusted_target") forbid (principal, action, resource == Tool::"send")
when { context.args.text == "first" };
"""


@pytest.mark.parametrize("yes", [True, False])
def test_what_would_run_unasked_follows_the_act_that_it_waits_for(home, yes):
    """HELD: a yes to that act is enough; after a no it is asked about, since it may rest on what did not happen."""
    sent = []
    folder = policy_folder(home, ALONE)
    with HaloBase.local("clerk", home=home, mode="enforce", policy=folder, quiet=True, user="user:ana") as halo:
        mail = mailer(halo, sent)
        assert call(halo, mail, to="bo@partner.example", text="alone") == "done"
        first, second = held(halo, mail, **{**ARGS, "text": "first"}), held(halo, mail, **{**ARGS, "text": "then"})
        assert first.pending_id == second.pending_id
        assert [item.status for item in halo.release()] == ["waiting", "waiting"]
        enrolled(home)
        answers(home, first.pending_id, approve=yes, why="as you like")
        if yes:
            assert [item.status for item in halo.release()] == ["released", "released"]
        else:
            assert [item.status for item in halo.release()] == ["denied", "asked"]
            assert [item.status for item in halo.release()] == ["asked"]
            assert sent == []
            (*_, question) = found(home, EntryKind.APPROVAL_REQUEST)
            answers(home, question.entry.id)
            assert [item.status for item in halo.release()] == ["released"]
        assert halo.release() == []
    assert [text for _, text in sent] == (["first", "then"] if yes else ["then"])
    assert verified(home, signatures=True) == 0
    assert cli("replay", "--all", home=home)[0] == 0


def follower_of(home, clock=None):
    """A Halo in which only `first` and `second` are asked about."""
    text = ALONE.replace('context.args.text == "first"', '["first", "second"].contains(context.args.text)')
    folder = policy_folder(home, text)
    return HaloBase.local("clerk", home=home, mode="enforce", policy=folder, quiet=True, user="user:ana", clock=clock)


@pytest.mark.parametrize("refused", [0, 1])
def test_what_waits_behind_two_acts_follows_no_yes_to_one_of_them(home, refused):
    """HELD: it may rest on the one that somebody refused."""
    sent = []
    with follower_of(home) as halo:
        mail = mailer(halo, sent)
        acts = [held(halo, mail, **{**ARGS, "text": text}) for text in ("first", "second", "then")]
        assert acts[1].pending_id == acts[2].pending_id
        enrolled(home)
        for i, act in enumerate(acts[:2]):
            answers(home, act.pending_id, approve=i != refused, why="as I like")
        assert [item.status for item in halo.release()][2] == "asked"
        (*_, question) = found(home, EntryKind.APPROVAL_REQUEST)
        assert [text for _, text in sent] == [("second", "first")[refused]]
        answers(home, question.entry.id)
        assert [item.status for item in halo.release()] == ["released"]
    assert verified(home, signatures=True) == 0
    assert cli("replay", "--all", home=home)[0] == 0


def test_what_waits_behind_an_act_that_expired_after_its_yes_is_asked_about(home):
    """HELD: a yes to what never ran is none to what follows it."""
    sent, clock = [], FixedClock(NOW_US)
    (home / "agents.yaml").parent.mkdir(exist_ok=True)
    (home / "agents.yaml").write_text("version: 1\nagents:\n  clerk: {hold_for: 2h}\n")
    with follower_of(home, clock) as halo:
        mail = mailer(halo, sent)
        first = held(halo, mail, **{**ARGS, "text": "first"})
        clock.advance(3600)
        held(halo, mail, **{**ARGS, "text": "then"})
        enrolled(home)
        answers(home, first.pending_id, now_us=NOW_US + 3600 * 1_000_000)
        clock.advance(3601)
        assert [item.status for item in halo.release()] == ["expired", "asked"]
    assert (sent, verified(home)) == ([], 0)


def test_an_act_that_only_an_argument_ties_to_a_held_one_is_refused_before_it(home):
    """HELD: the order holds where the decision to release is made, whatever marks the row has."""
    sent = []
    with opened(home) as halo:
        mail = mailer(halo, sent)
        first, second = held(halo, mail, to="bo1", text="x"), held(halo, mail, to="cy@partner.example", text="bo1")
        enrolled(home)
        answers(home, second.pending_id)
        assert [item.status for item in halo.release()] == ["waiting", "refused"]
        assert sent == []
        answers(home, first.pending_id)
        assert [item.status for item in halo.release()] == ["released", "released"]
    assert [to for to, _ in sent] == ["bo1", "cy@partner.example"]
    assert verified(home) == 0


def test_a_full_outbox_falls_back_to_a_pause(home, monkeypatch):
    monkeypatch.setattr(answer_rows, "MAX_HELD_PER_SESSION", 2)
    with opened(home) as halo:
        mail = mailer(halo, [])
        for name in ("a", "b"):
            held(halo, mail, to=f"{name}@partner.example", text=name)
        with pytest.raises(Pending):
            call(halo, mail, to="c@partner.example", text="c")
        held(halo, mail, "other", to="c@partner.example", text="c")
    assert verified(home) == 0


def test_what_cannot_be_stored_whole_pauses(home):
    with opened(home) as halo:
        mail = mailer(halo, [])
        with pytest.raises(Pending):  # a secret is never stored
            call(halo, mail, to="a@partner.example", text="key AKIAIOSFODNN7EXAMPLE and more")
        halo.register_runner(mail, variadic)
        halo._runners.clear()
        with pytest.raises(Pending):  # nothing could run it later
            call(halo, mail, to="a@partner.example", text="x")
    assert statuses(home) == []


def test_a_refusal_and_a_tool_that_cannot_wait_are_not_held(home):
    with opened(home) as halo:
        with pytest.raises(Denied) as caught:
            call(halo, mailer(halo, []), to="a@partner.example", text="never")
        assert not isinstance(caught.value, Held | Pending)
    with opened(home, user="user:bo") as halo, pytest.raises(Pending):
        call(halo, mailer(halo, [], replace(SEND, can_wait=False)), "t", **ARGS)


def test_a_call_equal_to_a_held_act_is_that_act(home):
    """BIND: one answer serves one act, which runs once; after it has run, the same call is asked about again."""
    sent = []
    with opened(home) as halo:
        mail = mailer(halo, sent)
        act, again = held(halo, mail), held(halo, mail)
        assert (again.held_id, again.pending_id) == (act.held_id, act.pending_id)
        assert len(found(home, EntryKind.APPROVAL_REQUEST)) == 1
        enrolled(home)
        answers(home, act.pending_id)
        assert [item.status for item in halo.release()] == ["released"]
        assert held(halo, mail).pending_id != act.pending_id
    assert len(sent) == 1
    assert verified(home, signatures=True) == 0
    assert cli("replay", "--all", home=home)[0] == 0


def test_a_call_equal_to_a_refused_act_is_denied(home):
    sent = []
    with opened(home) as halo:
        mail = mailer(halo, sent)
        act, _ = held(halo, mail), held(halo, mail)
        enrolled(home)
        answers(home, act.pending_id, approve=False, why="no")
        assert [item.status for item in halo.release()] == ["denied"]
        with pytest.raises(Denied):
            call(halo, mail, **ARGS)
        assert halo.release() == []
    assert sent == []
    assert verified(home) == 0


def test_an_equal_call_after_the_answer_and_the_held_act_run_once_together(home):
    """HELD: whichever of them uses the answer, the other one has none."""
    sent = []
    with opened(home) as halo:
        mail = mailer(halo, sent)
        act = held(halo, mail)
        enrolled(home)
        answers(home, act.pending_id)
        assert call(halo, mail, **ARGS) == "done"
        assert [item.status for item in halo.release()] == ["asked"]
    assert sent == []
    assert verified(home) == 0


@pytest.mark.parametrize("other", ["session", "agent", "arguments"])
def test_only_the_same_call_of_the_same_session_and_agent_is_equal(home, other):
    sent = []
    with opened(home) as halo:
        mail = mailer(halo, sent)
        act = held(halo, mail)
        if other == "session":
            again = held(halo, mail, "t")
        elif other == "arguments":
            again = held(halo, mail, **{**ARGS, "text": "see the report."})
        else:
            folder = policy_folder(home, POLICY)
            with HaloBase.local(
                "porter", home=home, mode="enforce", policy=folder, quiet=True, user="user:ana"
            ) as second:
                again = held(second, mailer(second, sent))
        assert (again.held_id == act.held_id, again.pending_id == act.pending_id) == (False, False)


def test_a_function_that_raises_has_run(home):
    with opened(home) as halo:

        def send(to: str, text: str) -> str:
            raise ValueError(to + text)

        mail = mailer(halo, [])
        halo.register_runner(mail, send)
        act = held(halo, mail)
        enrolled(home)
        answers(home, act.pending_id)
        (done,) = halo.release()
        assert (done.status, "ValueError" in done.detail) == ("failed", True)
        assert halo.release() == []
    assert bodies(home, EntryKind.OUTCOME)[-1]["status"] == "error"
    assert verified(home) == 0


def test_coroutines_are_released_with_and_without_a_loop(home):
    sent = []
    with opened(home) as halo:
        mail = mailer(halo, sent)

        async def send(to: str, text: str) -> str:
            await asyncio.sleep(0)
            sent.append(to)
            return text

        halo.register_runner(mail, send)
        enrolled(home)
        for name in ("a", "b"):
            act = held(halo, mail, to=f"{name}@partner.example", text=name)
            answers(home, act.pending_id)
            released = halo.release() if name == "a" else asyncio.run(halo.arelease())
            assert [item.status for item in released] == ["released"]

        async def release_in_a_loop():
            halo.release()

        with pytest.raises(ConfigError):
            asyncio.run(release_in_a_loop())
    assert sent == ["a@partner.example", "b@partner.example"]


def test_observe_mode_holds_nothing(home):
    with HaloBase.local("clerk", home=home, policy=policy_folder(home, POLICY), quiet=True) as halo:
        body = Calls()
        with halo.session("s"):
            halo.enforcer.run(halo.build_call(mailer(halo, []), ARGS), body, SURFACE)
        assert len(body) == 1
    assert statuses(home) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE outbox SET status='held'",
        "UPDATE outbox SET expires_us=expires_us+1",
        "UPDATE outbox SET question='other-1'",
        "UPDATE outbox SET marks=x''",
        "UPDATE outbox SET session='other'",
        "DELETE FROM outbox",
    ],
)
def test_a_changed_row_is_tampering_and_runs_nothing_twice(home, statement):
    sent = []
    with opened(home) as halo:
        mail = mailer(halo, sent)
        act = held(halo, mail)
        enrolled(home)
        answers(home, act.pending_id)
        halo.release()
    attack(db_of(home)).execute(statement)
    assert verified(home) == 11
    with opened(home) as halo:
        mailer(halo, sent)
        halo.release()
    assert len(sent) == 1


def test_a_row_that_names_another_answered_question_releases_nothing(home):
    """HELD: the entry of the act says which question asks about it."""
    sent = []
    with opened(home) as halo:
        mail = mailer(halo, sent)
        first = held(halo, mail)
        second = held(halo, mail, to="eve@evil.example", text="x")
        enrolled(home)
        answers(home, first.pending_id)
    attack(db_of(home)).execute("UPDATE outbox SET question=? WHERE id=?", (first.pending_id, second.held_id))
    with opened(home) as halo:
        mailer(halo, sent)
        assert sorted(item.status for item in halo.release()) == ["altered", "released"]
    assert sent == [tuple(ARGS.values())]


def plain(to: str, n: int | None = None, tags: list[str] | None = None) -> str:
    return f"{to}{n}{tags}"


def variadic(*to: str) -> str:
    return str(to)


def objects(to: Runner) -> str:
    return str(to)


def test_only_functions_of_plain_values_can_run_later():
    assert Runner.for_function(plain) is not None
    assert Runner.for_function(plain).accepts({"to": "x"})
    assert not Runner.for_function(plain).accepts({"n": 1})
    assert not Runner.for_function(plain).accepts({"to": "x", "other": 1})
    assert [Runner.for_function(item) for item in (variadic, objects, None)] == [None, None, None]


def test_the_inbox_answers_all_held_acts_of_a_session_at_once(home):
    sent = []
    with opened(home) as halo:
        mail = mailer(halo, sent)
        for name in ("a", "b"):
            held(halo, mail, to=f"{name}@partner.example", text=name)
        out = cli("approvals", "list", home=home)[1]
        assert "halo approvals approve --held s --as NAME" in out
        assert cli("approver", "enrol", "mia", home=home)[0] == 0
        code, out, err = cli("approvals", "approve", "--held", "s", "--as", "mia", home=home)
        assert code == 0, (out, err)
        assert "a@partner.example" in out
        assert "b@partner.example" in out
        assert [item.status for item in halo.release()] == ["released", "released"]
    assert verified(home) == 0
