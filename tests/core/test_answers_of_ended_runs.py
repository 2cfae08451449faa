"""Answers to calls of runs that have ended: the next run may use one, once, and nobody else may. Invariant: BIND."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from halo_core.enforcement.activities import run_activity_scope
from halo_core.errors import Denied, Pending
from halo_core.facade import HaloBase
from halo_core.ledger.commitments import digest_answer
from halo_core.ledger.reader import Stream
from halo_core.ledger.report import Collector
from halo_core.ledger.verify_restrictions import RestrictionCheck
from halo_core.model import EntryKind
from halo_core.testing import FixedClock
from halo_world import POLICY, SURFACE, Calls, bodies, cli, policy_folder, tool, verified


def opened(home, **more):
    return HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True, **more)


def enrolled(home, name="bo@bank"):
    assert cli("approver", "enrol", name, home=home)[0] == 0
    return name


def run(halo, resource, body, /, user="", **args):
    """One outermost run of a framework, with one call: `ran`, or the id of the question."""
    with run_activity_scope("test"):
        try:
            halo.enforcer.run(replace(halo.build_call(resource, args), user=user), body, SURFACE)
        except Pending as pending:
            return pending.pending_id
    return "ran"


def run_after(halo, pay, body, page):
    """As `run`, for one payment, in a run that first reads an untrusted page if there is one."""
    with run_activity_scope("test"):
        if page is not None:
            halo.enforcer.run(halo.build_call(page, {"q": "x"}), lambda _: "pay 500 to b", SURFACE)
        return run(halo, pay, body, amount=500, to="b")


def approve(home, request, *more, name="bo@bank"):
    code, out, err = cli("approvals", "approve", request, "--as", name, *more, home=home)
    assert code == 0, (out, err)


def test_the_next_run_uses_it_once_and_the_one_after_asks_again(home):
    body = Calls()
    with opened(home) as halo:
        pay, name = tool(halo, "pay"), enrolled(home)
        first = run(halo, pay, body, amount=500, to="b")
        approve(home, first, name=name)
        for args in ({"amount": 501, "to": "b"}, {"amount": 500.0, "to": "b"}, {"amount": 500, "to": "B"}):
            assert run(halo, pay, body, **args) not in ("ran", first)  # another spelling is another question
        assert run(halo, pay, body, user="eve", amount=500, to="b") not in ("ran", first)
        assert run(halo, pay, body, amount=500, to="b") == "ran"
        assert run(halo, pay, body, amount=500, to="b") not in ("ran", first)
    with HaloBase.local("other", home=home, mode="enforce", policy=policy_folder(home), quiet=True) as other:
        assert run(other, tool(other, "pay"), body, amount=500, to="b") != "ran"
    assert body == [{"amount": 500, "to": "b"}]
    used = [b["snapshot"]["approval"] for b in bodies(home, EntryKind.DECISION) if b["snapshot"]["approval"]]
    assert [item["id"] for item in used] == [first]
    assert used[0]["session"]
    assert verified(home, signatures=True) == 0
    assert cli("replay", "--all", home=home)[0] == 0


def test_another_process_of_the_agent_uses_it_and_another_agent_does_not(home):
    body = Calls()
    with opened(home) as halo:
        pay = tool(halo, "pay")
        enrolled(home)
        approve(home, run(halo, pay, body, amount=500, to="b"))
    with HaloBase.local("other", home=home, mode="enforce", policy=policy_folder(home), quiet=True) as other:
        assert run(other, tool(other, "pay"), body, amount=500, to="b") != "ran"
    with opened(home) as halo:
        assert run(halo, tool(halo, "pay"), body, amount=500, to="b") == "ran"
    assert len(body) == 1


def test_the_same_call_of_two_runs_is_one_question_with_one_use(home):
    body = Calls()
    with opened(home) as halo:
        pay = tool(halo, "pay")
        enrolled(home)
        request = run(halo, pay, body, amount=500, to="b")
        assert run(halo, pay, body, amount=500, to="b") == request
        approve(home, request)
        assert run(halo, pay, body, amount=500, to="b") == "ran"
        assert run(halo, pay, body, amount=500, to="b") not in ("ran", request)
    assert len(body) == 1


def test_a_session_that_a_host_named_neither_gives_nor_takes_one(home):
    body = Calls()
    with opened(home) as halo:
        pay = tool(halo, "pay")
        enrolled(home)
        request = run(halo, pay, body, amount=500, to="b")
        approve(home, request)
        with halo.session("run-1"), pytest.raises(Pending) as caught:
            halo.enforcer.run(halo.build_call(pay, {"amount": 500, "to": "b"}), body, SURFACE)
        assert caught.value.pending_id != request
    assert not body


def test_a_session_that_a_host_opened_without_a_name_gives_and_takes_one(home):
    body = Calls()

    def ask(halo, session="", user="ana@bank"):
        with halo.session(session, user=user, request="pay 500 to b") as opened_session:
            try:
                halo.enforcer.run(halo.build_call(tool(halo, "pay"), {"amount": 500, "to": "b"}), body, SURFACE)
            except Pending as pending:
                return pending.pending_id, opened_session.id
        return "ran", opened_session.id

    with opened(home) as halo:
        enrolled(home)
        first, _ = ask(halo)
        approve(home, first)
        assert ask(halo, user="eve@bank")[0] not in ("ran", first)
        for name in ("case-7", "s-0123456789ab"):  # the application's own names, whatever they look like
            assert ask(halo, name)[0] not in ("ran", first)
    with opened(home) as halo:
        assert ask(halo)[0] == "ran"
        second, session = ask(halo)
        assert second not in ("ran", first)
        approve(home, second)
        assert ask(halo, session) == ("ran", session)  # opened again by the id that it was given
        assert ask(halo)[0] not in ("ran", second)
    assert len(body) == 2
    assert verified(home, signatures=True) == 0
    assert cli("replay", "--all", home=home)[0] == 0


def test_a_withdrawn_approver_runs_nothing(home):
    body = Calls()
    with opened(home) as halo:
        pay = tool(halo, "pay")
        enrolled(home)
        request = run(halo, pay, body, amount=500, to="b")
        approve(home, request)
        assert cli("approver", "withdraw", "bo@bank", home=home)[0] == 0
        assert run(halo, pay, body, amount=500, to="b") not in ("ran", request)
    assert not body


def deny(home, request):
    assert cli("approvals", "deny", request, "--as", "bo@bank", "--why", "no", home=home)[0] == 0


def test_a_no_holds_in_later_runs_for_exactly_this_call_and_for_a_day(home):
    body = Calls()
    with opened(home) as halo:
        pay = tool(halo, "pay")
        enrolled(home)
        request = run(halo, pay, body, amount=500, to="b")
        deny(home, request)
        for _ in range(2):
            with pytest.raises(Denied) as caught:
                run(halo, pay, body, amount=500, to="b")
            assert caught.value.reason == "approval_denied"
        assert "an approver denied this exact call" in str(caught.value)
        assert "an approver is asked again" in caught.value.remedy
        assert run(halo, pay, body, amount=501, to="b") not in ("ran", request)
        assert run(halo, pay, body, user="eve", amount=500, to="b") not in ("ran", request)
        with halo.session("named"), pytest.raises(Pending):
            halo.enforcer.run(halo.build_call(pay, {"amount": 500, "to": "b"}), body, SURFACE)
    with opened(home) as halo, pytest.raises(Denied):  # another process
        run(halo, tool(halo, "pay"), body, amount=500, to="b")
    with opened(home, clock=FixedClock(time.time_ns() // 1000 + 25 * 3600 * 1_000_000)) as halo:
        assert run(halo, tool(halo, "pay"), body, amount=500, to="b") not in ("ran", request)
    assert not body
    assert verified(home, signatures=True) == 0
    assert cli("replay", "--all", home=home)[0] == 0


@pytest.mark.parametrize("asked_exposed", [False, True])
def test_a_no_holds_however_exposed_a_run_is(home, asked_exposed):
    body = Calls()
    with opened(home) as halo:
        pay, page = tool(halo, "pay"), tool(halo, "lookup", source_trust=100)
        enrolled(home)
        deny(home, run_after(halo, pay, body, page if asked_exposed else None))
        with pytest.raises(Denied) as caught:
            run_after(halo, pay, body, None if asked_exposed else page)
        assert caught.value.reason == "approval_denied"
    assert not body
    assert cli("replay", "--all", home=home)[0] == 0


def test_a_withdrawn_approvers_no_holds_no_longer(home):
    body = Calls()
    with opened(home) as halo:
        pay = tool(halo, "pay")
        enrolled(home)
        request = run(halo, pay, body, amount=500, to="b")
        deny(home, request)
        assert cli("approver", "withdraw", "bo@bank", home=home)[0] == 0
        assert run(halo, pay, body, amount=500, to="b") not in ("ran", request)


def test_threads_that_race_for_one_approval_get_it_once(home):
    body, results = Calls(), []
    with opened(home) as halo:
        pay = tool(halo, "pay")
        enrolled(home)
        approve(home, run(halo, pay, body, amount=500, to="b"))
        barrier = threading.Barrier(4)

        def race():
            with run_activity_scope("test"):
                call = halo.build_call(pay, {"amount": 500, "to": "b"})
            call = replace(call, session=f"run-{threading.get_ident()}", session_source="run")
            barrier.wait()
            try:
                halo.enforcer.run(call, body, SURFACE)
                results.append("ran")
            except (Pending, Denied) as exc:
                results.append(type(exc).__name__)

        threads = [threading.Thread(target=race) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(results) == ["Pending", "Pending", "Pending", "ran"]
    assert len(body) == 1
    assert verified(home) == 0


def test_a_changed_policy_a_stop_and_an_expired_answer_run_nothing(home):
    body = Calls()
    with opened(home) as halo:
        pay = tool(halo, "pay")
        enrolled(home)
        request = run(halo, pay, body, amount=500, to="b")
        approve(home, request)
    changed = policy_folder(home, POLICY + '\n@id("more") forbid (principal, action, resource) when { false };\n')
    with HaloBase.local("clerk", home=home, mode="enforce", policy=changed, quiet=True) as halo:
        assert run(halo, tool(halo, "pay"), body, amount=500, to="b") not in ("ran", request)
    policy_folder(home)
    with opened(home, clock=FixedClock(time.time_ns() // 1000 + 2 * 3600 * 1_000_000)) as halo:
        assert run(halo, tool(halo, "pay"), body, amount=500, to="b") not in ("ran", request)
    assert cli("stop", "--agent", "clerk", "--why", "x", home=home)[0] == 0
    with opened(home) as halo, pytest.raises(Denied):
        run(halo, tool(halo, "pay"), body, amount=500, to="b")
    assert not body


def test_a_run_that_is_more_exposed_than_the_one_that_asked_asks_again(home):
    body = Calls()
    with opened(home) as halo:
        pay, page = tool(halo, "pay"), tool(halo, "lookup", source_trust=100)
        enrolled(home)
        plain = run(halo, pay, body, amount=500, to="b")
        approve(home, plain)
        exposed = run_after(halo, pay, body, page)
        assert exposed not in ("ran", plain)
        approve(home, exposed)
        assert run_after(halo, pay, body, page) == "ran"  # asked while exposed as much
        assert run(halo, pay, body, amount=500, to="b") == "ran"  # with the answer of the plain run
    assert len(body) == 2
    assert verified(home) == 0
    assert cli("replay", "--all", home=home)[0] == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "answer_misused"),  # by another session, which does not say that another one asked
        ({"approval": {"session": "elsewhere"}}, "answer_misused"),
        ({"approval": {"session": "asking", "binding": "other"}}, "answer_misused"),
        ({"approval": {"session": "asking"}, "args_digest": "other"}, "answer_misused"),
        ({"approval": {"session": "asking"}}, ""),
    ],
)
def test_verify_finds_an_answer_that_was_used_for_something_else(changes, code):
    findings = check_uses({"session": "next", **changes})
    assert findings == ({code} if code else set())


def test_verify_finds_an_answer_that_two_runs_used():
    uses = [{"session": name, "approval": {"session": "asking"}} for name in ("next", "third")]
    assert "column_altered" in check_uses(*uses)


def check_uses(*uses):
    """Codes that check 9 gives for decisions that used one answer, each with these changes."""
    token, out = "token", Collector()
    terms = {"kind": "call", "binding": "b"}
    check = RestrictionCheck(out)
    asked = {**terms, "args_digest": "a", "expires_us": 9}
    check.add_entry("t", 1, {"kind": "approval_request", "id": "q", "session": "asking", "body": asked})
    answered = {**terms, "request": "q", "answer": "approve", "token": digest_answer(token)}
    check.add_entry("t", 2, {"kind": "approval", "session": "asking", "body": answered})
    for place, use in enumerate(uses, 3):
        body = {
            "dispatched": True,
            "decision": {"reasons": [{"code": "approved"}]},
            "request": {"request_id": "r", "args_digest": use.get("args_digest", "a")},
            "snapshot": {"approval": {"id": "q", "binding": "b", **use.get("approval", {})}},
        }
        check.add_entry("t", place, {"kind": "decision", "id": f"d{place}", "session": use["session"], "body": body})

    class Rows:
        def rows(self, stream):
            row = ("t", "q", "call", "asking", "b", "used", 1, 9, token)
            return iter([row] if stream is Stream.APPROVALS else [])

    check.check(Rows())
    return {finding.code for finding in out.findings}
