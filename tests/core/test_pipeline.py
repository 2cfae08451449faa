"""One action from call to outcome, through a real store."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import replace

import pytest

from halo_core import failpoints
from halo_core.decision.checks import PENDING_CAP
from halo_core.enforcement.enforcer import FunctionAction, Surface
from halo_core.enforcement.flow import arun
from halo_core.errors import CannotDecide, Denied, Pending
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, EntryKind, Impact, Resource, make_single_run_key
from halo_core.store import committer
from halo_core.store.reader import Reader, Stream
from halo_world import (
    POLICY,
    SURFACE,
    Calls,
    bodies,
    cli,
    codes,
    db_of,
    found,
    policy_folder,
    schema,
    session_ref,
    tool,
    url_of,
    verified,
)


def go(halo, resource, args, body=None, **call):
    body = Calls() if body is None else body
    with halo.session("s"):
        return halo.enforcer.run(halo.build_call(resource, args, **call), body, SURFACE)


def outcomes(halo, home):
    halo.store.flush()
    return bodies(home, EntryKind.OUTCOME)


# the five effects


def test_allow_runs_and_records_both(halo, home):
    body = Calls("42")
    assert go(halo, tool(halo, "lookup"), {"q": "a"}, body) == "42"
    assert body == [{"q": "a"}]
    (decision,) = bodies(home, EntryKind.DECISION)
    assert (decision["decision"]["effect"], decision["dispatched"], codes(decision)) == ("allow", True, ["granted"])
    (outcome,) = outcomes(halo, home)
    assert (outcome["status"], outcome["output_len"]) == ("success", 2)


def test_monitor_runs(halo, home):
    body = Calls()
    go(halo, tool(halo, "watched"), {"q": "a"}, body)
    (decision,) = bodies(home, EntryKind.DECISION)
    assert (len(body), decision["decision"]["effect"], codes(decision)) == (1, "monitor", ["first_use"])


def test_restrict_clamps_what_is_executed_and_digests_it(halo, home):
    body = Calls()
    query = tool(halo, "query")
    go(halo, query, {"limit": 900, "q": "a"}, body)
    go(halo, query, {"limit": 20, "q": "a"}, body)
    assert body == [{"limit": 50, "q": "a"}, {"limit": 20, "q": "a"}]
    clamped, kept = bodies(home, EntryKind.DECISION)
    assert clamped["decision"]["effect"] == kept["decision"]["effect"] == "restrict"
    assert clamped["executed_digest"] != clamped["request"]["args_digest"]
    assert kept["executed_digest"] == kept["request"]["args_digest"]


def test_a_clamp_never_raises_a_number_in_words(halo):
    body = Calls()
    loose = halo.register(
        ActionKind.TOOL_CALL, "query", resource=Resource(impact=Impact.READ), schema=schema({"limit": {}})
    )
    for words in ("900", "0", True, [7]):
        with pytest.raises(Denied) as caught:
            go(halo, loose, {"limit": words}, body)
        assert caught.value.reason == "not_a_number"
    assert not body
    go(halo, loose, {"limit": None}, body)
    assert body == [{"limit": 50}]


def documents(trust):
    return Resource(impact=Impact.READ, source_trust=trust)


def kept(found, keep):
    left = [item for item in found if keep(item, (), "")]
    return left, len(found) - len(left)


DOCUMENTS = Surface(text=str, filter=kept)


@pytest.mark.parametrize(("trust", "left"), [(299, []), (300, ["one", "two"])])
def test_restrict_drops_documents_below_the_floor(halo, home, trust, left):
    shelf = halo.register(ActionKind.RETRIEVAL, "shelf", resource=documents(trust), schema=schema({"query": {}}))
    with halo.session("s"):
        call = halo.build_call(shelf, {"query": "x"})
        assert halo.enforcer.run(call, lambda _: ["one", "two"], DOCUMENTS) == left
    (outcome,) = outcomes(halo, home)
    assert outcome["detail"] == ("" if left else "dropped 2")


@pytest.mark.parametrize(("trust", "left"), [(499, 0), (500, 1)])
def test_the_floor_itself_is_enough(home, trust, left):
    text = """@id("base") permit (principal, action, resource);
    @id("floor") @effect("restrict") @obligation("drop_documents(500)") forbid (principal, action, resource);"""
    with HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home, text), quiet=True) as halo:
        shelf = halo.register(ActionKind.RETRIEVAL, "shelf", resource=documents(trust), schema=schema({"query": {}}))
        with halo.session("s"):
            assert len(halo.enforcer.run(halo.build_call(shelf, {"query": "x"}), lambda _: ["one"], DOCUMENTS)) == left


def test_observe_mode_drops_and_clamps_nothing(home):
    with HaloBase.local("clerk", home=home, policy=policy_folder(home), quiet=True) as halo:
        shelf = halo.register(ActionKind.RETRIEVAL, "shelf", resource=documents(0), schema=schema({"query": {}}))
        body = Calls()
        with halo.session("s"):
            assert halo.enforcer.run(halo.build_call(shelf, {"query": "x"}), lambda _: ["one"], DOCUMENTS) == ["one"]
            halo.enforcer.run(halo.build_call(tool(halo, "query"), {"limit": 900}), body, SURFACE)
        assert body == [{"limit": 900}]


def test_challenge_asks_and_does_not_run(halo, home):
    body = Calls()
    pay = tool(halo, "pay", impact=Impact.PAYMENT)
    with pytest.raises(Pending) as caught:
        go(halo, pay, {"amount": 101, "to": "x"}, body)
    assert body == []
    (request,) = found(home, EntryKind.APPROVAL_REQUEST)
    (decision,) = found(home, EntryKind.DECISION)
    assert caught.value.pending_id == request.entry.id
    assert f"pending {request.entry.id}" in str(caught.value)
    assert caught.value.decision_id == decision.entry.id
    assert caught.value.reason == "large_amount"
    assert f"`halo approvals approve {request.entry.id} --as NAME`" in caught.value.remedy
    assert request.entry.body["args_digest"] == decision.entry.body["request"]["args_digest"]
    assert request.entry.body["decision"]["ws"] == decision.entry.seq
    assert decision.entry.body["dispatched"] is False
    assert outcomes(halo, home) == []
    go(halo, pay, {"amount": 100, "to": "x"}, body)
    assert len(body) == 1


def test_deny_does_not_run_and_says_why(halo, home):
    body = Calls()
    with pytest.raises(Denied) as caught:
        go(halo, tool(halo, "wipe"), {"path": "/"}, body)
    assert body == []
    assert not isinstance(caught.value, Pending)
    assert isinstance(caught.value, PermissionError)
    assert caught.value.reason == "grave_impact"
    (decision,) = found(home, EntryKind.DECISION)
    assert caught.value.decision_id == decision.entry.id
    assert decision.entry.body["executed_digest"] == ""
    assert outcomes(halo, home) == []
    assert verified(home) == 0


def test_a_tool_that_is_not_granted_is_denied(home):
    with HaloBase.local("clerk", home=home, mode="enforce", grants={}, policy=policy_folder(home), quiet=True) as halo:
        body = Calls()
        with pytest.raises(Denied) as caught:
            go(halo, tool(halo, "lookup"), {"q": "a"}, body)
        assert (caught.value.reason, body) == ("tool_not_granted", [])


# order and durability


def test_the_decision_is_durable_before_the_action(halo, home):
    seen = []

    def body(args):
        with Reader(url_of(home)) as reader:
            seen.extend(found(home, EntryKind.DECISION))
            seen.append([row[:3] for row in reader.rows(Stream.ENTRIES) if row[4] == "decision" and row[7] and row[8]])
        return "ok"

    go(halo, tool(halo, "lookup"), {"q": "a"}, body)
    decision, runs = seen
    assert decision.entry.body["dispatched"] is True
    assert runs == [("local", decision.entry.writer, decision.entry.seq)]


def test_the_outcome_follows_and_names_its_decision(halo, home):
    go(halo, tool(halo, "lookup"), {"q": "a"})
    halo.store.flush()
    decision, outcome = found(home, EntryKind.DECISION, EntryKind.OUTCOME)
    assert outcome.index > decision.index
    assert (outcome.entry.body["decision"]["w"], outcome.entry.body["decision"]["ws"]) == (
        decision.entry.writer,
        decision.entry.seq,
    )


def test_arguments_the_caller_changes_afterwards_do_not_run(halo, home):
    args = {"q": ["a", {"b": 1}]}
    anything = halo.register(
        ActionKind.TOOL_CALL, "lookup", resource=Resource(impact=Impact.READ), schema=schema({"q": {}})
    )
    body = Calls()

    def meddle(point):
        if point == "before_run":
            args["q"][1]["b"] = "evil"
            args["q"].append("evil")
            args["to"] = "evil"

    failpoints.arm_failpoints(meddle)
    go(halo, anything, args, body)
    assert body == [{"q": ["a", {"b": 1}]}]
    assert args["to"] == "evil"


async def test_arguments_changed_while_the_decision_is_committed_do_not_run(halo, no_blocking):
    args = {"q": ["a"]}
    anything = halo.register(
        ActionKind.TOOL_CALL, "lookup", resource=Resource(impact=Impact.READ), schema=schema({"q": {}})
    )
    body = Calls()
    with halo.session("s"):
        await arun(FunctionAction(halo.enforcer, halo.build_call(anything, {"q": "warm"}), Calls().later, SURFACE))
        task = asyncio.ensure_future(
            arun(FunctionAction(halo.enforcer, halo.build_call(anything, args), body.later, SURFACE))
        )
        await asyncio.sleep(0)  # now it waits for its commit
        args["q"].append("evil")
        await task
    assert body == [{"q": ["a"]}]


def test_secrets_are_decided_upon_sealed_and_executed_real(halo, home):
    halo.register(ActionKind.TOOL_CALL, "login", resource=Resource(impact=Impact.READ), schema=schema({"password": {}}))
    body = Calls()
    go(halo, halo.find_registered("login"), {"password": "hunter2-hunter2"}, body)
    halo.store.flush()
    assert body == [{"password": "hunter2-hunter2"}]
    for path in home.iterdir():
        assert path.is_dir() or b"hunter2" not in path.read_bytes(), path
    _, out, _ = cli("show", found(home, EntryKind.DECISION)[0].entry.id, "--reveal", home=home)
    assert "hunter2" not in out
    assert "halo:secret:" in out


def test_the_user_is_recorded_as_asserted(halo, home):
    lookup = tool(halo, "lookup")
    with halo.session("s", user="ana@bank"):
        halo.enforcer.run(halo.build_call(lookup, {"q": "a"}), Calls(), SURFACE)
    subject = bodies(home, EntryKind.DECISION)[0]["request"]["subject"]
    assert (subject["user"], subject["user_assurance"], subject["chain"]) == (
        "ana@bank",
        "asserted",
        ["ana@bank", "clerk"],
    )


def test_no_session_is_a_denial(halo, home):
    call = replace(halo.build_call(tool(halo, "lookup"), {"q": "a"}), session="")
    body = Calls()
    with pytest.raises(Denied) as caught:
        halo.enforcer.run(call, body, SURFACE)
    assert (caught.value.reason, body) == ("session_missing", [])
    assert codes(bodies(home, EntryKind.DECISION)[0]) == ["session_missing"]
    assert verified(home) == 0


def test_an_exception_of_the_tool_passes_through_and_is_recorded(halo, home):
    class Broken(Exception):
        pass

    def body(args):
        raise Broken("no such\udc80page")

    with pytest.raises(Broken):
        go(halo, tool(halo, "lookup"), {"q": "a"}, body)
    (outcome,) = outcomes(halo, home)
    assert (outcome["status"], outcome["detail"]) == ("error", "Broken")
    assert verified(home) == 0


def test_a_result_that_cannot_be_read_is_recorded_as_such(halo, home):
    def unreadable(result):
        raise ValueError

    with halo.session("s"):
        call = halo.build_call(tool(halo, "lookup"), {"q": "a"})
        assert halo.enforcer.run(call, Calls("x"), Surface(text=unreadable)) == "x"
    assert outcomes(halo, home)[0]["status"] == "success"


def test_what_still_runs_when_the_ledger_closes_is_recorded_as_unknown(halo, home):
    with halo.session("s"):
        ticket = halo.enforcer.begin(halo.build_call(tool(halo, "lookup"), {"q": "a"}))
    halo.close()
    ticket.succeed("late", SURFACE)
    assert [body["status"] for body in bodies(home, EntryKind.OUTCOME)] == ["unknown"]
    assert verified(home) == 0


def test_a_ticket_is_settled_once(halo, home):
    with halo.session("s"):
        ticket = halo.enforcer.begin(halo.build_call(tool(halo, "lookup"), {"q": "a"}))
    ticket.succeed("one", SURFACE)
    ticket.fail(RuntimeError())
    assert [body["status"] for body in outcomes(halo, home)] == ["success"]


# async


async def test_async_runs_without_blocking_the_loop(halo, home, no_blocking):
    lookup, wipe = tool(halo, "lookup"), tool(halo, "wipe")
    body = Calls("42")
    with halo.session("s"):
        assert (
            await arun(FunctionAction(halo.enforcer, halo.build_call(lookup, {"q": "a"}), body.later, SURFACE)) == "42"
        )
        with pytest.raises(Denied):
            await arun(FunctionAction(halo.enforcer, halo.build_call(wipe, {"path": "/"}), body.later, SURFACE))
    await asyncio.to_thread(halo.store.flush)
    assert [item["dispatched"] for item in await asyncio.to_thread(bodies, home, EntryKind.DECISION)] == [True, False]
    assert body == [{"q": "a"}]


async def test_64_agents_on_one_loop(halo, home, no_blocking):
    lookup = tool(halo, "lookup")

    async def agent(number):
        with halo.session(f"agent-{number}"):
            for step in range(3):
                call = halo.build_call(lookup, {"q": f"{number}.{step}"})
                assert await arun(FunctionAction(halo.enforcer, call, Calls(number).later, SURFACE)) == number

    await asyncio.gather(*map(agent, range(64)))
    await asyncio.to_thread(halo.close)
    assert len(await asyncio.to_thread(found, home, EntryKind.OUTCOME)) == 192
    assert await asyncio.to_thread(verified, home) == 0


async def test_cancelled_while_it_runs(halo, home):
    started = asyncio.Event()

    async def body(args):
        started.set()
        await asyncio.sleep(60)

    with halo.session("s"):
        task = asyncio.ensure_future(
            arun(FunctionAction(halo.enforcer, halo.build_call(tool(halo, "lookup"), {"q": "a"}), body, SURFACE))
        )
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [body["status"] for body in await asyncio.to_thread(outcomes, halo, home)] == ["cancelled"]


async def test_cancelled_while_it_waits_for_the_commit(halo, home):
    lookup = tool(halo, "lookup")
    await asyncio.to_thread(go, halo, lookup, {"q": "warm"})
    body = Calls()
    halo.store._lock.acquire()
    try:
        with halo.session("s"):
            task = asyncio.ensure_future(
                arun(FunctionAction(halo.enforcer, halo.build_call(lookup, {"q": "a"}), body.later, SURFACE))
            )
        await asyncio.sleep(0)  # now it waits for its commit
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    finally:
        halo.store._lock.release()
    await asyncio.to_thread(_settled, halo, home, 2)
    assert [item["status"] for item in outcomes(halo, home)] == ["success", "not_run"]
    assert body == []


async def test_cancelled_between_answer_and_wake_up(halo, home, monkeypatch):
    lookup = tool(halo, "lookup")
    await asyncio.to_thread(go, halo, lookup, {"q": "warm"})
    tasks = []
    settle = committer._deliver_answers

    def and_cancel(answers):
        settle(answers)
        tasks[0].cancel()

    monkeypatch.setattr(committer, "_deliver_answers", and_cancel)
    body = Calls()
    with halo.session("s"):
        tasks.append(
            asyncio.ensure_future(
                arun(FunctionAction(halo.enforcer, halo.build_call(lookup, {"q": "a"}), body.later, SURFACE))
            )
        )
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]
    await asyncio.to_thread(_settled, halo, home, 2)
    assert [item["status"] for item in outcomes(halo, home)] == ["success", "not_run"]
    assert body == []


def _settled(halo, home, count):
    """Wait until so many outcomes are durable; the test's own timeout is the limit."""
    for _ in range(2000):
        if len(outcomes(halo, home)) >= count:
            return
        threading.Event().wait(0.005)
    raise AssertionError("the outcome never came")


def test_sync_from_16_threads(halo, home):
    lookup = tool(halo, "lookup")

    def agent(number):
        for step in range(8):
            assert go(halo, lookup, {"q": f"{number}.{step}"}, Calls(step)) == step

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(agent, range(16)))
    halo.close()
    assert len(found(home, EntryKind.DECISION)) == len(found(home, EntryKind.OUTCOME)) == 128
    assert verified(home) == 0


# ONCE


def test_the_very_same_call_runs_once(halo, home):
    body = Calls()
    lookup = tool(halo, "lookup")
    again = {"call_id": "c1"}
    go(halo, lookup, {"q": "a"}, body, **again)
    with pytest.raises(Denied) as caught:
        go(halo, lookup, {"q": "a"}, body, **again)
    assert (caught.value.reason, len(body)) == ("already_dispatched", 1)
    go(halo, lookup, {"q": "b"}, body, **again)
    go(halo, lookup, {"q": "a"}, body, call_id="c2")
    go(halo, lookup, {"q": "a"}, body)
    with halo.session("other"):
        halo.enforcer.run(halo.build_call(lookup, {"q": "a"}, call_id="c1"), body, SURFACE)
    assert len(body) == 5
    assert verified(home) == 0


def test_an_idempotent_call_may_run_again(halo):
    body = Calls()
    lookup = tool(halo, "lookup", idempotent=True)
    go(halo, lookup, {"q": "a"}, body, call_id="c1")
    go(halo, lookup, {"q": "a"}, body, call_id="c1")
    assert len(body) == 2


def test_a_refused_call_is_decided_again(home):
    folder = policy_folder(home)
    body = Calls()
    for text in (POLICY, '@id("base") permit (principal, action, resource);'):
        folder.joinpath("test.cedar").write_text(text)
        with HaloBase.local("clerk", home=home, mode="enforce", policy=folder, quiet=True) as halo:
            for name, args in (("wipe", {"path": "/"}), ("pay", {"amount": 500})):
                with suppress(Denied) if text == POLICY else nullcontext():
                    go(halo, tool(halo, name), args, body, call_id=f"c-{name}")
            assert len(body) == (0 if text == POLICY else 2)
    assert body == [{"path": "/"}, {"amount": 500}]


def test_once_holds_between_threads(halo):
    body = Calls()
    lookup = tool(halo, "lookup")
    gate = threading.Barrier(8)

    def agent(_):
        gate.wait()
        try:
            go(halo, lookup, {"q": "a"}, body, call_id="c1")
        except Denied as exc:
            return exc.reason
        return "ran"

    with ThreadPoolExecutor(8) as pool:
        results = sorted(pool.map(agent, range(8)))
    assert results == ["already_dispatched"] * 7 + ["ran"]
    assert len(body) == 1


def test_once_survives_a_restart(home):
    body = Calls()
    ran = []
    for _ in range(2):
        with HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True) as halo:
            try:
                go(halo, tool(halo, "lookup"), {"q": "a"}, body, call_id="c1")
                ran.append(True)
            except Denied as exc:
                ran.append(exc.reason)
    assert ran == [True, "already_dispatched"]


def test_pending_challenges_are_capped(halo, home):
    pay = tool(halo, "pay", impact=Impact.PAYMENT)
    for number in range(PENDING_CAP):
        with pytest.raises(Pending):
            go(halo, pay, {"amount": 1000 + number})
    with pytest.raises(Denied) as caught:
        go(halo, pay, {"amount": 5000})
    assert not isinstance(caught.value, Pending)
    assert caught.value.reason == "pending_cap"
    assert len(found(home, EntryKind.APPROVAL_REQUEST)) == PENDING_CAP
    with halo.session("another"), pytest.raises(Pending):
        halo.enforcer.run(halo.build_call(pay, {"amount": 5000}), Calls(), SURFACE)


def test_a_handler_that_cannot_do_what_is_asked_denies(halo):
    body = Calls()
    for name, args, missing in (("query", {"limit": 900}, "clamp"), ("pay", {"amount": 500}, "pause")):
        with pytest.raises(Denied) as caught:
            go(halo, tool(halo, name), args, body, abilities=("drop_documents",))
        assert caught.value.reason == "needs_guard"
        assert missing in str(caught.value)
        assert not isinstance(caught.value, Pending)
    assert body == []


# when nothing can be decided


def test_a_closed_ledger_denies(halo):
    lookup = tool(halo, "lookup")
    halo.close()
    body = Calls()
    with pytest.raises(Denied) as caught:
        go(halo, lookup, {"q": "a"}, body)
    assert (caught.value.reason, caught.value.remedy, body) == ("ledger_closed", "open Halo again", [])
    assert caught.value.decision_id == ""


async def test_a_closed_ledger_denies_async(halo):
    lookup = tool(halo, "lookup")
    await asyncio.to_thread(go, halo, lookup, {"q": "warm"})
    await asyncio.to_thread(halo.close)
    body = Calls()
    with halo.session("s"), pytest.raises(Denied) as caught:
        await arun(FunctionAction(halo.enforcer, halo.build_call(lookup, {"q": "a"}), body.later, SURFACE))
    assert (caught.value.reason, body) == ("ledger_closed", [])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CannotDecide("ledger_busy", "held"), "ledger_busy"),
        (RuntimeError("boom"), "decision_error"),
        (KeyError(1), "decision_error"),
    ],
)
def test_an_error_while_deciding_denies_with_a_code(halo, monkeypatch, error, code, capsys):
    lookup = tool(halo, "lookup")
    body = Calls()

    def fail(job, **_options):
        raise error

    go(halo, lookup, {"q": "warm"}, body)
    monkeypatch.setattr(halo.store, "commit", fail)
    with pytest.raises(Denied) as caught:
        go(halo, lookup, {"q": "a"}, body)
    assert (caught.value.reason, len(body)) == (code, 1)
    assert halo.enforcer.health.undecided == 1
    assert code in halo.enforcer.health.last_error
    assert "no decision for `lookup`" in capsys.readouterr().err


def test_before_the_mode_is_known_nothing_runs_undecided(home, monkeypatch):
    with HaloBase.local("clerk", home=home, policy=policy_folder(home), quiet=True) as halo:
        lookup, body = tool(halo, "lookup"), Calls()
        monkeypatch.setattr(
            halo.store, "commit", lambda job: (_ for _ in ()).throw(CannotDecide("ledger_busy", "held"))
        )
        with pytest.raises(Denied):
            go(halo, lookup, {"q": "a"}, body)
        assert body == []


# observe mode


def test_observe_mode_runs_everything_and_records_the_verdict(home):
    body = Calls()
    with HaloBase.local("clerk", home=home, policy=policy_folder(home), quiet=True) as halo:
        for name, args in (("lookup", {"q": "a"}), ("wipe", {"path": "/"}), ("pay", {"amount": 500})):
            go(halo, tool(halo, name), args, body)
        go(halo, halo.find_registered("lookup"), {"q": float("nan")}, body)
        go(halo, halo.find_registered("lookup"), {"strange": object}, body)
    assert body[:3] == [{"q": "a"}, {"path": "/"}, {"amount": 500}]
    assert str(body[3]["q"]) == "nan"
    assert body[4] == {"strange": object}
    recorded = bodies(home, EntryKind.DECISION)
    assert [item["decision"]["effect"] for item in recorded] == ["allow", "deny", "challenge", "deny", "deny"]
    assert all(item["dispatched"] and item["snapshot"]["mode"] == "observe" for item in recorded)
    assert [item["status"] for item in bodies(home, EntryKind.OUTCOME)] == ["success"] * 5
    assert verified(home) == 0


def test_observe_mode_never_stands_in_the_way(home, capsys):
    halo = HaloBase.local("clerk", home=home, policy=policy_folder(home), quiet=True)
    wipe, body = tool(halo, "wipe"), Calls("gone")
    assert go(halo, wipe, {"path": "/"}, body) == "gone"
    halo.close()
    assert go(halo, wipe, {"path": "/b"}, body) == "gone"
    assert body == [{"path": "/"}, {"path": "/b"}]
    assert "no decision for `wipe`" in capsys.readouterr().err
    assert halo.enforcer.health.undecided == 1
    assert halo.enforcer.health.last_error.startswith("ledger_closed")


def test_a_job_that_fails_takes_only_its_own_part_back(halo, home):
    lookup = tool(halo, "lookup")
    go(halo, lookup, {"q": "a"})
    halo.store.flush()
    others = [item for item in found(home) if item.entry.kind is not EntryKind.PROFILE]
    before = db_of(home).stat().st_size, len(others)

    from halo_core.store.drafts import Draft

    (ran,) = (item.entry for item in found(home, EntryKind.DECISION))
    key = make_single_run_key(ran.body["request"]["request_id"], 0)

    def half(tx):
        tx.add_use("clerk", "lookup")
        tx.append(Draft(EntryKind.DECISION, session_ref(home, ran.session), {}, run=key))

    with pytest.raises(CannotDecide):
        halo.store.commit(half)
    go(halo, lookup, {"q": "b"})
    halo.store.flush()
    assert len([item for item in found(home) if item.entry.kind is not EntryKind.PROFILE]) == before[1] + 2
    assert halo.store.commit(lambda tx: tx.count_uses("clerk", "lookup")) == 2
    assert verified(home) == 0


def test_a_failing_member_of_a_group_leaves_the_others_whole(halo, home):
    from halo_core.store.drafts import Draft

    def good(tx):
        return tx.append(Draft(EntryKind.FEEDBACK, "", {"n": 1})).entry.seq

    def bad(tx):
        tx.append(Draft(EntryKind.FEEDBACK, "", {"n": 2}))
        raise ValueError("after its append")

    first, failed, second = halo.store.commit_group([good, bad, good])
    assert isinstance(failed.error, CannotDecide)
    assert failed.error.code == "decision_error"
    assert second.result == first.result + 1
    assert [body["n"] for body in bodies(home, EntryKind.FEEDBACK)] == [1, 1]
    assert verified(home) == 0


def test_a_decision_job_that_is_run_again_starts_from_nothing(halo, home):
    query = tool(halo, "query")
    with halo.session("s"):
        job, _ = halo.enforcer._make_decision_job(
            halo.build_call(query, {"q": "a", "limit": 500}), halo.enforcer._get_credentials()
        )

    def interrupted(tx):
        job(tx)
        raise RuntimeError("the disk went away")

    with pytest.raises(CannotDecide):
        halo.store.commit(interrupted)
    context = halo.store.commit(job)
    assert (context.runs, context.args) == (True, {"q": "a", "limit": 50})
    assert context.original_args == {"q": "a", "limit": 500}
    (decision,) = bodies(home, EntryKind.DECISION)
    assert (decision["after"]["steps"], decision["snapshot"]["session"]["steps"]) == (1, 0)
