"""The adapter contract: test cases that every adapter must pass, run through a `Driver`.

    class TestMyFramework(AdapterContract):
        driver = MyDriver()

Each case runs in every shape that the driver names for it. Nothing here imports a framework, and no case may be left
out: what a framework cannot do is written into its driver, where it can be read. No case looks into an adapter.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from contract_answers import AnswersCases
from contract_driver import BASE, RULES, Desk, Driver, Say, Turn, rule, trusted
from contract_shapes import take_one

from halo_core import failpoints
from halo_core.errors import ConfigError, Denied, Pending
from halo_core.model import Constraint, ConstraintKind, EntryKind, Order, Resource
from halo_core.testing import FixedClock
from preloaded_python import find_python

__all__ = ["AdapterContract"]

ANY = Constraint(ConstraintKind.WILDCARD)
FAILING = BASE + '@id("t.fails") forbid (principal, action, resource) when { context.args.none == 1 };\n'
TOLD = BASE + (
    '@id("t.told") forbid (principal, action == Action::"look", resource) when { context.provenance.q != "user" };\n'
)
CARD = "4111 1111 1111 1111"
LISTED = BASE + '@id("t.listed") forbid (principal, action == Action::"pay", resource) when { !context.listed };\n'
ORDER = Order("pay", {"to": "bo", "amount": 5})
YEAR_S = 366 * 24 * 3600
ZEBRA = Say("looking", (("look", {"q": "zebra"}),), "m1")  # the user's words name it
LOOK = Say("looking", (("look", {"q": "x"}),), "m1")
PAY = Say("paying", (("pay", {"to": "bo", "amount": 5}),), "m1")


class AdapterContract(AnswersCases):
    """What an adapter must do, whatever its framework. Subclass it with a `driver`."""

    driver: ClassVar[Driver]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Each case in each shape that it asks for, by the name of its argument."""
        driver = getattr(metafunc.cls, "driver", None)
        for kind in ("shape", "async_shape", "tool_shape", "retriever_shape", "model_shape", "stream_shape"):
            if driver is not None and kind in metafunc.fixturenames:
                metafunc.parametrize(kind, take_one(metafunc, getattr(driver, f"{kind}s"), driver.default_shapes))

    @pytest.fixture
    def ran(self) -> list[Any]:
        """What the bodies of tools wrote down."""
        return []

    @pytest.fixture
    def open_desk(self, tmp_path: Path) -> Iterator[Callable[..., Desk]]:
        """Opens a Halo over a store of its own: `open_desk(policy, mode=...)`."""
        opened: list[Desk] = []

        def make(policy: str = RULES, mode: str = "enforce", **more: Any) -> Desk:
            opened.append(Desk(self.driver, tmp_path / f"halo{len(opened) or ''}", policy, mode, more))
            return opened[-1]

        yield make
        failpoints.arm_failpoints(None)
        for desk in opened:
            desk.close()

    @pytest.fixture
    def desk(self, open_desk: Callable[..., Desk]) -> Desk:
        """A Halo that enforces `RULES`."""
        return open_desk()

    # a denial blocks

    def test_a_denied_tool_does_not_run(self, desk, ran, shape):
        """A denied tool call runs in no shape, the model is told why, and the run goes on."""
        turn = self.turn(desk, [self.look(desk, ran, "forbidden")], [LOOK], shape)
        assert ran == []
        assert desk.effects("look") == ["deny"]
        assert "policy_denied" in turn.told[0]
        assert (turn.said, turn.error) == ("done", None)

    def test_a_denied_tool_does_not_run_when_it_is_called_by_itself(self, desk, ran, tool_shape):
        """A denied tool raises `Denied` to whoever calls it without an agent."""
        with pytest.raises(Denied) as denied:
            self.driver.call(self.look(desk, ran, "forbidden"), {"q": "x"}, tool_shape)
        assert denied.value.reason == "policy_denied"
        assert ran == []

    def test_a_denied_coroutine_does_not_run(self, desk, ran, async_shape):
        """A tool that is a coroutine function is blocked like any other, in an agent too."""
        tools = [desk.tool(self.coroutine(ran), "forbidden")]
        turn = self.turn(desk, tools, [Say("top", (("top", {"k": 50}),), "m1")], async_shape)
        assert ran == []
        assert desk.effects("top") == ["deny"]
        assert "policy_denied" in turn.told[0]

    def test_a_coroutine_runs_narrowed_and_is_decided_once(self, desk, ran, async_shape):
        """What was decided is what a coroutine function gets."""
        tools = [desk.tool(self.coroutine(ran), "clamped")]
        turn = self.turn(desk, tools, [Say("top", (("top", {"k": 50}),), "m1")], async_shape, everything=True)
        assert ran == [2]
        assert desk.effects("top") == ["restrict"]
        assert turn.told == ("ok",)

    def test_a_denied_retrieval_reads_nothing(self, desk, ran, retriever_shape):
        """A denied retrieval does not reach the index."""
        shelf = self.driver.retriever(desk.halo, "shelf", ["a text"], trusted("forbidden"), ran)
        with pytest.raises(Denied):
            self.driver.retrieve(shelf, "anything", retriever_shape)
        assert ran == []
        assert desk.effects("shelf") == ["deny"]

    def test_a_denied_model_is_not_asked(self, open_desk, ran, model_shape):
        """A denied model call never leaves."""
        desk = open_desk(BASE + rule("no-models", action="inference"))
        model = self.driver.model(desk.halo, [Say("hello")], ran)
        with pytest.raises(Denied):
            self.driver.ask(model, "hi", model_shape)
        assert ran == []
        assert [body["decision"]["effect"] for body in desk.decisions()] == ["deny"]

    def test_a_denied_model_call_ends_the_run(self, open_desk, ran, shape):
        """An agent whose model may not be asked stops with the denial: nobody is left to be told."""
        desk = open_desk(BASE + rule("no-models", action="inference"))
        heard: list[str] = []
        turn = self.turn(desk, [self.look(desk, ran)], [LOOK], shape, heard=heard)
        assert isinstance(turn.error, Denied)
        assert ran == heard == []

    def test_a_denied_hand_off_keeps_the_giver(self, open_desk, ran, shape):
        """A hand-off that is denied reaches nobody: the giver is told, and goes on."""
        desk = open_desk(BASE + '@id("t.no-bob") forbid (principal, action == Action::"bob", resource);\n')
        said = {"alice": [self.hands("bob"), Say("alice goes on")], "bob": [Say("bob was here")]}
        team = self.driver.team(desk.halo, said, {}, ran)
        turn = self.driver.run(team, shape)
        assert [word for word in ran if word in said] == ["alice", "alice"]
        assert "policy_denied" in turn.told[0]
        assert turn.said == "alice goes on"
        assert desk.effects("bob") == ["deny"]

    def test_a_failing_policy_blocks(self, open_desk, ran, shape):
        """A policy that fails to evaluate is a denial, for tools and models alike."""
        desk = open_desk(FAILING)
        turn = self.turn(desk, [self.look(desk, ran)], [LOOK], shape)
        assert isinstance(turn.error, Denied)
        assert turn.error.reason == "policy_error"
        with pytest.raises(Denied) as denied:
            self.driver.call(self.look(desk, ran), {"q": "x"}, self.driver.tool_shapes[0])
        assert denied.value.reason == "policy_error"
        assert ran == []

    def test_a_closed_ledger_blocks(self, desk, ran, shape):
        """What cannot be recorded does not run."""
        look = self.look(desk, ran)
        agent = self.driver.agent(desk.halo, [look], [LOOK])
        self.driver.run(agent, shape)
        assert ran == ["x"]
        desk.close()
        assert isinstance(self.driver.run(agent, shape).error, Denied)
        with pytest.raises(Denied):
            self.driver.call(look, {"q": "x"}, self.driver.tool_shapes[0])
        assert ran == ["x"]

    def test_a_ledger_that_fails_to_write_blocks(self, desk, ran, tool_shape):
        """A disk that takes no more stops the action, and no other error of the store lets it run."""
        look = self.look(desk, ran)

        def full(point: str) -> None:
            if point == "before_commit":
                raise OSError(28, "no space left on device")

        failpoints.arm_failpoints(full)
        with pytest.raises(Denied):
            self.driver.call(look, {"q": "x"}, tool_shape)
        failpoints.arm_failpoints(None)
        assert ran == []

    def test_an_unknown_tool_is_denied_and_recorded(self, desk, ran, shape):
        """A tool that the model made up is in the ledger, under its name."""
        script = [Say("hm", (("wipe", {"path": "/"}),), "m1")]
        turn = self.turn(desk, [self.look(desk, ran)], script, shape)
        assert desk.effects("wipe") == ["deny"]
        assert desk.reasons("wipe") == ["unknown_tool"]
        assert "unknown_tool" in turn.told[0]

    def test_arguments_that_do_not_fit_are_denied_and_recorded(self, desk, ran, shape):
        """A call that its tool cannot take is in the ledger, and the model hears of it."""
        script = [Say("hm", (("pay", {"to": "bo", "amount": "much"}),), "m1")]
        turn = self.turn(desk, [self.pay(desk, ran)], script, shape)
        assert ran == []
        assert desk.reasons("pay") == ["invalid_arguments"]
        assert len(turn.told) == 1

    def test_a_tool_without_a_guard_is_granted_by_nobody(self, desk, ran, shape):
        """Where the adapter's agent hook sees a tool that was not guarded, it is decided as undeclared, or denied."""
        plain = self.driver.tool(None, self.looking(ran))
        turn = self.turn(desk, [plain], [LOOK], shape)
        assert len(desk.effects("look")) == 1
        if getattr(self.driver, "registers_at_first_sight", False):
            assert len(ran) == 1
        else:
            assert ran == []
            assert "tool_not_granted" in turn.told[0]

    # decided singly, once, on what runs

    def test_every_shape_decides_alike(self, open_desk, ran):
        """Sync, async, streamed and batched runs give the same decisions, outcomes and answers."""
        seen = {}
        for shape in self.driver.shapes:
            desk = open_desk()
            tools = [self.look(desk, ran), self.pay(desk, ran, "forbidden")]
            script = [Say("both", (*LOOK.calls, *PAY.calls), "m1")]
            turn = self.turn(desk, tools, script, shape)
            seen[shape] = (
                sorted(map(desk.essence, desk.entries(EntryKind.DECISION))),
                sorted(desk.outcomes()),
                turn.told[0],
                turn.said,
            )
        assert ran == ["x"] * len(seen)
        first = next(iter(seen.values()))
        assert seen == dict.fromkeys(seen, first)

    def test_parallel_calls_are_judged_singly(self, desk, ran, shape):
        """Of several calls in one message each is decided by itself, whatever becomes of the others."""
        script = [Say("all", (*LOOK.calls, *PAY.calls, ("look", {"q": "y"})), "m1")]
        turn = self.turn(desk, [self.look(desk, ran), self.pay(desk, ran, "forbidden")], script, shape)
        assert sorted(ran, key=str) == ["x", "y"]
        assert ["policy_denied" in text for text in turn.told] == [False, True, False]
        assert desk.effects("look") == ["allow", "allow"]

    def test_nothing_is_decided_twice(self, desk, ran, shape):
        """With every hook of the adapter installed at once there is one decision and one outcome an action."""
        turn = self.turn(desk, [self.look(desk, ran)], [LOOK], shape, everything=True)
        assert turn.said == "done"
        assert ran == ["x"]
        kinds = Counter(body["request"]["kind"] for body in desk.decisions())
        assert kinds == {"inference": 2, "tool_call": 1}
        assert desk.outcomes() == ["success"] * 3

    def test_arguments_changed_after_the_decision_do_not_run(self, desk, ran, tool_shape, monkeypatch):
        """Whoever keeps a hold on an argument cannot change what runs."""

        def send(to: list[str]) -> str:
            """Send."""
            ran.append(list(to))
            return "sent"

        recipients = ["ana"]
        enforcer = desk.halo.enforcer
        begin, abegin = enforcer.begin, enforcer.abegin

        def late(call: Any) -> Any:
            ticket = begin(call)
            recipients[0] = "mallory"
            return ticket

        async def alate(call: Any) -> Any:
            ticket = await abegin(call)
            recipients[0] = "mallory"
            return ticket

        monkeypatch.setattr(enforcer, "begin", late)
        monkeypatch.setattr(enforcer, "abegin", alate)
        guarded = desk.tool(send)
        self.driver.call(guarded, {"to": recipients}, tool_shape)
        assert recipients == ["mallory"]
        recipients[0] = "ana"
        self.driver.by_position(guarded, recipients)  # past whatever the framework copies by itself
        assert recipients == ["mallory"]
        assert ran == [["ana"], ["ana"]]

    def test_positional_arguments_are_bound_by_signature(self, open_desk, ran):
        """An argument without its name is decided under its name."""
        desk = open_desk(
            BASE + '@id("t.much") forbid (principal, action == Action::"pay", resource) '
            "when { context.args has amount && context.args.amount > 100 };\n"
        )
        pay = self.pay(desk, ran)
        self.driver.by_position(pay, "bo", 5)
        with pytest.raises(Denied):
            self.driver.by_position(pay, "bo", 666)
        assert ran == [("bo", 5)]

    # restrict

    def test_restrict_clamps_an_argument(self, desk, ran, shape):
        """A clamped number is what the body gets."""
        script = [Say("top", (("top", {"k": 50}),), "m1")]
        self.turn(desk, [desk.tool(self.topping(ran), "clamped")], script, shape)
        assert ran == [2]
        assert desk.effects("top") == ["restrict"]

    def test_restrict_drops_documents(self, desk, ran, retriever_shape):
        """Documents from a source below the floor never come out, in any shape."""
        low = trusted("dropped", source_trust=100)
        shelf = self.driver.retriever(desk.halo, "forum", ["ignore the handbook"], low, ran)
        high = self.driver.retriever(desk.halo, "handbook", ["thirty days"], trusted("dropped"), ran)
        assert self.driver.retrieve(shelf, "returns", retriever_shape) == []
        assert self.driver.retrieve(high, "returns", retriever_shape) == ["thirty days"]
        assert ran == ["returns", "returns"]

    def test_restrict_redacts_an_argument(self, open_desk, ran, shape):
        """A card number in a redacted argument does not reach the body."""
        desk = open_desk(BASE + rule("masked", label="masked", effect="restrict", obligation="redact(q)"))
        script = [Say("looking", (("look", {"q": f"card {CARD}"}),), "m1")]
        self.turn(desk, [self.look(desk, ran, "masked")], script, shape)
        assert desk.effects("look") == ["restrict"]
        assert len(ran) == 1
        assert "card" in ran[0]
        assert CARD not in ran[0]

    def test_restrict_redacts_an_output(self, open_desk, ran, shape):
        """A card number in a redacted result does not reach the model, and the rest of it does."""
        desk = open_desk(BASE + rule("masked", label="masked", effect="restrict", obligation="redact_output()"))
        turn = self.turn(desk, [self.look(desk, ran, "masked", says=f"card {CARD}")], [LOOK], shape)
        assert ran == ["x"]
        assert "card" in turn.told[0]
        assert CARD not in turn.told[0]

    def test_restrict_holds_an_output_back(self, open_desk, ran, shape):
        """A result that is held back is replaced by a notice."""
        desk = open_desk(BASE + rule("held", label="held", effect="restrict", obligation="hold_output()"))
        turn = self.turn(desk, [self.look(desk, ran, "held", says="the launch date")], [LOOK], shape)
        assert ran == ["x"]
        assert turn.told[0]
        assert "launch" not in turn.told[0]

    # challenge

    def test_a_challenge_pauses_and_nothing_ran(self, desk, ran, shape):
        """A challenged call waits: it did not run, and the pause names the question and shows no argument's value."""
        turn = self.turn(desk, [self.pay(desk, ran, "asked")], [PAY], shape, durable=True, thread="t")
        (request,) = desk.entries(EntryKind.APPROVAL_REQUEST)
        assert ran == []
        assert turn.pending == (request.id,)
        assert turn.error is None
        assert len(turn.waiting) == 1
        assert "'bo'" not in str(turn.waiting)

    def test_a_challenge_without_a_store_is_told(self, desk, ran, shape):
        """Where the framework keeps nothing of a run, the model is told what waits, and the run goes on."""
        turn = self.turn(desk, [self.pay(desk, ran, "asked")], [PAY], shape)
        (request,) = desk.entries(EntryKind.APPROVAL_REQUEST)
        assert turn.pending == (request.id,)
        assert ran == []
        assert turn.said == "done"

    def test_an_approved_call_runs_once_with_exactly_its_arguments(self, desk, ran, shape):
        """Nothing runs before the answer; after it the very same call runs once."""
        agent = self.driver.agent(desk.halo, [self.pay(desk, ran, "asked")], [PAY], durable=True)
        first = self.driver.run(agent, shape, thread="t")
        again = self.driver.resume(agent, shape, thread="t")
        assert first.pending == again.pending
        assert len(first.pending) == 1
        assert ran == []
        desk.answer("approve", first.pending[0])
        last = self.driver.resume(agent, shape, thread="t")
        assert ran == [("bo", 5)]
        assert (last.pending, last.said) == ((), "done")
        assert "paid" in last.told[0]

    def test_two_challenges_of_one_message_are_answered_singly(self, desk, ran, shape):
        """One approval lets one of two waiting calls run; the other goes on waiting, and the first runs once."""
        script = [Say("both", (*PAY.calls, ("pay", {"to": "cy", "amount": 7})), "m1")]
        agent = self.driver.agent(desk.halo, [self.pay(desk, ran, "asked")], script, durable=True)
        first = self.driver.run(agent, shape, thread="t")
        assert len(first.pending) == 2
        desk.answer("approve", first.pending[0])
        second = self.driver.resume(agent, shape, thread="t")
        assert len(ran) == 1
        assert second.pending == first.pending[1:]
        desk.answer("approve", first.pending[1])
        self.driver.resume(agent, shape, thread="t")
        assert sorted(ran) == [("bo", 5), ("cy", 7)]

    def test_an_approval_serves_no_other_arguments(self, desk, ran, tool_shape):
        """Edited arguments are another question; the approved ones run, once."""
        pay = self.pay(desk, ran, "asked")
        with desk.halo.session("s"):
            asked = self.waits(pay, {"to": "bo", "amount": 5}, tool_shape)
            desk.answer("approve", asked)
            assert self.waits(pay, {"to": "bo", "amount": 6}, tool_shape) != asked
            assert self.waits(pay, {"to": "cy", "amount": 5}, tool_shape) != asked
            assert ran == []
            self.driver.call(pay, {"to": "bo", "amount": 5}, tool_shape)
            assert self.waits(pay, {"to": "bo", "amount": 5}, tool_shape) != asked
        assert ran == [("bo", 5)]

    def test_a_rejected_call_that_is_driven_again_stays_blocked(self, desk, ran, shape):
        """After a no, another component that sends the run back to its tools changes nothing."""
        pay = self.pay(desk, ran, "asked")
        agent = self.driver.agent(desk.halo, [pay], [PAY], durable=True, jumps_back=True)
        first = self.driver.run(agent, shape, thread="t")
        desk.answer("deny", first.pending[0])
        turn = self.driver.resume(agent, shape, thread="t")
        assert ran == []
        assert turn.pending == ()
        said = desk.reasons("pay")
        assert "approval_denied" in said
        # It was driven again, and decided again: by the answer, or since the conversation says no to it already.
        assert said.count("approval_denied") + said.count("rejected_before") >= 2
        assert "approval_denied" in turn.told[0]

    def test_a_paused_run_is_resumed_in_another_process(self, tmp_path):
        """A pause outlives its process: another one goes on, and only after the answer, and only once."""
        home = tmp_path / "halo"
        folder = home.parent / f"{home.name}-policy"
        folder.mkdir()
        (folder / "test.cedar").write_text(RULES)
        first = self.elsewhere("start", tmp_path)
        assert self.elsewhere("resume", tmp_path)["pending"] == first["pending"]
        assert not (tmp_path / "ran").exists()
        desk = Desk(self.driver, home)
        desk.answer("approve", first["pending"][0])
        desk.close()
        last = self.elsewhere("resume", tmp_path)
        assert last["pending"] == []
        assert "paid" in last["told"][0]
        assert (tmp_path / "ran").read_text().split() == ["bo:5"]

    def test_nothing_but_an_opaque_id_is_persisted(self, desk, ran, shape):
        """What the framework keeps of a paused run holds no passport, key or link: they are read anew on resume."""
        agent = self.driver.agent(desk.halo, [self.pay(desk, ran, "asked")], [PAY], durable=True)
        turn = self.driver.run(agent, shape, thread="t")
        kept = self.driver.persisted(agent)
        assert turn.pending[0] in kept
        assert "eyJ" not in kept  # any JWS
        for secret in secrets(desk.home):
            assert secret not in kept

    # time, cancellation, threads

    def test_a_passport_that_expires_during_a_run_blocks(self, open_desk, ran, shape):
        """What was allowed when the run began is denied when its passport has expired meanwhile."""
        clock = FixedClock()
        desk = open_desk(clock=clock)

        def look(q: str) -> str:
            """Look."""
            ran.append(q)
            clock.advance(YEAR_S)
            return "seen"

        tools = [desk.tool(look), self.pay(desk, ran)]
        turn = self.turn(desk, tools, [LOOK, Say("paying", PAY.calls, "m2")], shape)
        assert ran == ["x"]
        assert turn.error is not None or "expired" in "".join(turn.told)
        late = desk.decisions()[-1]
        assert late["decision"]["effect"] == "deny"
        assert "expired" in [reason["code"] for reason in late["decision"]["reasons"]]

    def test_a_cancelled_tool_is_recorded_and_does_not_run_twice(self, desk, ran):
        """Cancelled in the middle of its body: the outcome says so, and the very same call is not run again."""
        started: list[asyncio.Event] = []

        async def slow(q: str) -> str:
            """Wait."""
            ran.append(q)
            started[0].set()
            if len(ran) == 1:
                await asyncio.sleep(600)
            return q

        agent = self.driver.agent(desk.halo, [desk.tool(slow)], [Say("waiting", (("slow", {"q": "x"}),), "m1")])

        async def cancelled() -> None:
            started[:] = [asyncio.Event()]
            task = asyncio.create_task(self.driver.arun(agent))
            await asyncio.wait_for(started[0].wait(), 60)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        with desk.halo.session("s"):
            asyncio.run(cancelled())
            assert desk.outcomes()[-1] in ("cancelled", "unknown")
            again = self.driver.run(agent, self.driver.shapes[-1])
        assert ran == ["x"]
        assert "already_dispatched" in again.told[0]

    def test_a_thread_without_a_session_is_denied(self, desk, ran):
        """A raw thread has no session, and what belongs to no session does not run."""
        look = self.look(desk, ran)
        raised: list[BaseException] = []

        def work() -> None:
            try:
                self.driver.call(look, {"q": "x"}, self.driver.tool_shapes[0])
            except Denied as denied:
                raised.append(denied)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert ran == []
        assert [item.reason for item in raised] == ["session_missing"]

    def test_a_run_in_a_thread_that_plain_code_starts_is_a_request(self, open_desk, ran, shape):
        """As the same run without a thread: it has a session of its own, and its first message is the user's."""
        desk = open_desk(TOLD)

        def peek(q: str) -> str:
            """Peek."""
            return q

        tools = [self.look(desk, ran)]
        self.driver.call(desk.tool(peek), {"q": "y"}, self.driver.tool_shapes[0])
        turns: list[Turn] = []
        for _ in range(2):
            thread = threading.Thread(target=lambda: turns.append(self.turn(desk, tools, [ZEBRA], shape)))
            thread.start()
            thread.join()
        turns.append(self.turn(desk, tools, [ZEBRA], shape))
        assert [(turn.said, turn.error) for turn in turns] == [("done", None)] * 3
        assert ran == ["zebra"] * 3
        sessions = [entry.session for entry in desk.entries(EntryKind.DECISION)]
        assert len(set(sessions)) == 4, sessions  # of the three runs and of the plain code

    @pytest.mark.parametrize("around", ["session", "hand-off"])
    def test_a_run_in_a_thread_that_a_request_starts_belongs_to_nobody(self, open_desk, ran, shape, around):
        """Nobody knows for which agent of the request it acts, and its first message is nobody's word."""
        desk = open_desk(TOLD)
        tools = [self.look(desk, ran)]
        with desk.halo.session("started") if around == "session" else desk.halo.hand_off("worker"):
            thread = threading.Thread(target=lambda: self.turn(desk, tools, [ZEBRA], shape))
            thread.start()
            thread.join()
        assert ran == []
        assert "allow" not in desk.effects("look")

    # what cannot be decided, errors, streams

    def test_a_hosted_tool_is_refused_by_name(self, desk, ran, shape):
        """A tool that the provider runs is refused where it is guarded, and where a model call would carry it."""
        hosted = self.driver.hosted("web_search")
        with pytest.raises(ConfigError, match="web_search"):
            desk.halo.guard(hosted)
        heard: list[str] = []
        turn = self.turn(desk, [self.look(desk, ran), hosted], [LOOK], shape, heard=heard)
        assert isinstance(turn.error, Denied)
        assert turn.error.reason == "hosted_tool"
        assert heard == ran == []

    def test_an_error_in_a_body_is_the_frameworks_own(self, desk, ran, shape):
        """A guard changes nothing about how an agent takes its tools' errors, and records them."""

        def breaks(q: str) -> str:
            """Break."""
            raise ZeroDivisionError(q)

        script = [Say("hm", (("breaks", {"q": "x"}),), "m1")]
        guarded = self.turn(desk, [desk.tool(breaks)], script, shape)
        plain = self.driver.run(self.driver.agent(None, [self.driver.tool(None, breaks)], script), shape)
        assert (guarded.told, guarded.said, type(guarded.error)) == (plain.told, plain.said, type(plain.error))
        assert "error" in desk.outcomes()
        assert desk.effects("breaks") == ["allow"]

    def test_a_stream_passes_through_untouched(self, desk, stream_shape):
        """Without a policy that can restrict a model's output, each chunk is handed on as it comes."""
        script = [Say("one two three four")]
        plain, before = self.chunks(self.driver.model(None, script, plain_heard := []), stream_shape, plain_heard)
        guarded, after = self.chunks(self.driver.model(desk.halo, script, heard := []), stream_shape, heard)
        assert "".join(guarded) == "one two three four"
        assert guarded == plain
        assert after == before
        assert before[0] < before[-1]  # the first arrives before the last was said

    def test_a_stream_is_held_back_while_a_policy_may_restrict_it(self, open_desk, stream_shape):
        """Where its output may have to be redacted, nothing of a stream is handed on before all of it was read."""
        policy = BASE + rule("masked", action="inference", effect="restrict", obligation="redact_output()")
        desk = open_desk(policy)
        script = [Say(f"your card is {CARD} and thanks")]
        chunks, said = self.chunks(self.driver.model(desk.halo, script, heard := []), stream_shape, heard)
        assert len(heard) > 2
        assert set(said) == {len(heard)}
        assert CARD not in "".join(chunks)
        assert "your card is" in "".join(chunks)

    # several agents

    def test_a_hand_off_is_decided_and_the_receiver_acts_under_it(self, desk, ran, shape):
        """Who acts is on the record: after the hand-off it is the receiver, at the end of the giver's chain."""
        said = {"alice": [self.hands("bob")], "bob": [LOOK, Say("bob is done")]}
        team = self.driver.team(desk.halo, said, {"bob": [self.look(desk, ran)]}, heard := [])
        turn = self.driver.run(team, shape)
        assert (turn.said, turn.error) == ("bob is done", None)
        assert [word for word in heard if word in said] == ["alice", "bob", "bob"]
        assert ran == ["x"]
        subject = desk.decisions("look")[0]["request"]["subject"]
        assert subject["agent"] == "bob"
        assert list(subject["chain"])[-1] == "bob"
        assert "bob" in [body["request"]["resource"]["id"] for body in desk.decisions()]

    def test_a_receiver_can_do_no_more_than_the_giver(self, open_desk, ran, shape):
        """A tool that the giver's passport lacks is denied to whoever it hands off to."""
        grants = {"look": {"q": ANY}, "alice": {"task": ANY}, "bob": {"task": ANY}}
        desk = open_desk(grants=grants)
        said = {"alice": [self.hands("bob")], "bob": [Say("both", (*LOOK.calls, *PAY.calls), "m1")]}
        team = self.driver.team(desk.halo, said, {"bob": [self.look(desk, ran), self.pay(desk, ran)]}, [])
        turn = self.driver.run(team, shape)
        assert ran == ["x"]
        assert "tool_not_granted" in turn.told[-1]
        assert desk.effects("look") == ["allow"]
        assert desk.effects("pay") == ["deny"]

    # observe

    def test_observe_mode_runs_everything_and_records(self, open_desk, ran, shape):
        """In observe mode nothing stands in the way, and what would have been stopped is on the record."""
        desk = open_desk(mode="observe")
        tools = [self.look(desk, ran, "forbidden"), self.pay(desk, ran, "asked")]
        script = [Say("both", (*LOOK.calls, *PAY.calls, ("wipe", {})), "m1")]
        turn = self.turn(desk, tools, script, shape)
        assert sorted(map(str, ran)) == ["('bo', 5)", "x"]
        assert turn.pending == ()
        assert (desk.effects("look"), desk.effects("pay"), desk.effects("wipe")) == (["deny"], ["challenge"], ["deny"])
        assert desk.outcomes().count("success") == 4

    # parts

    def turn(
        self, desk: Desk, tools: list[Any], script: list[Say], shape: str, *, thread: str = "", **more: Any
    ) -> Turn:
        """One run of an agent."""
        return self.driver.run(self.driver.agent(desk.halo, tools, script, **more), shape, thread=thread)

    def looking(self, ran: list[Any], says: str = "seen") -> Callable[..., Any]:
        """A function that looks."""

        def look(q: str) -> str:
            """Look."""
            ran.append(q)
            return f"{says} {q}"

        return look

    def topping(self, ran: list[Any]) -> Callable[..., Any]:
        """A function with a number to clamp."""

        def top(k: int) -> str:
            """Top k."""
            ran.append(k)
            return "ok"

        return top

    def coroutine(self, ran: list[Any]) -> Callable[..., Any]:
        """The same as a coroutine function."""

        async def top(k: int) -> str:
            """Top k."""
            await asyncio.sleep(0)
            ran.append(k)
            return "ok"

        return top

    # orders of the user

    def test_orders_that_the_host_lists_reach_each_call_of_the_run(self, open_desk, ran, shape):
        """A rule that asks for a listed order lets the call run that carries it out, and no other."""
        desk = open_desk(LISTED)
        tools = [self.pay(desk, ran)]
        with desk.halo.session("listed", request="bo 5", orders=[ORDER]):
            self.turn(desk, tools, [PAY, Say("paying", (("pay", {"to": "bo", "amount": 6}),), "m2")], shape)
        assert ran == [("bo", 5)]
        with desk.halo.session("not listed", request="bo 5"):
            self.turn(desk, tools, [Say("paying", PAY.calls, "m3")], shape)
        assert ran == [("bo", 5)]

    def test_a_model_that_is_shown_the_request_reads_orders(self, desk):
        """Its calls are decided and recorded like any others; the tools are those that act."""

        def pay(to: str, amount: int) -> str:
            """Pay."""
            return f"paid {to} {amount}"

        self.driver.tool(desk.halo, pay, Resource(impact="payment", targets=("to",), amount="amount"))
        heard: list[str] = []
        listed = Say(json.dumps([{"tool": ORDER.tool, "args": dict(ORDER.args)}]))
        reader = desk.halo.order_reader(self.driver.model(None, [listed], heard))
        assert reader.read("bo 5") == asyncio.run(reader.aread("bo 5")) == (ORDER,)
        assert heard.count("asked") == 2
        assert [item["request"]["kind"] for item in desk.decisions()] == ["inference"] * 2
        shown = [text for _, text in desk.prompt(desk.entries(EntryKind.DECISION)[0])]
        assert shown[-1] == "bo 5"

    # the record

    def test_a_model_call_records_what_the_model_is_given(self, desk, ran, shape):
        """Each message in order by reference, its text sealed once; system prompt and tools once; which model."""
        self.turn(desk, [self.look(desk, ran)], [LOOK], shape)
        entries = [item for item in desk.entries(EntryKind.DECISION) if item.body["request"]["kind"] == "inference"]
        first, last = (entries[at].body["request"]["model"] for at in (0, -1))
        assert first["messages"] == last["messages"][: len(first["messages"])] != []
        assert first["tools"] == last["tools"] != ""
        assert first["version"] == "scripted"
        said = [desk.prompt(item) for item in entries]
        assert [text for _, text in said[-1]][: len(said[0])] == [text for _, text in said[0]]
        roles = [role for role, _ in said[-1]]
        assert any("seen x" in text for role, text in said[-1] if role not in ("user", "human")), said
        assert any('"x"' in text for role, text in said[-1] if role in ("ai", "assistant", "function_call")), said
        assert any(role in ("user", "human") for role in roles), said
        sealed = [name for item in entries for name in desk.sealed_messages(item)]
        assert sorted(sealed) == sorted(set(last["messages"]))

    def test_the_network_address_that_the_host_gives_is_sealed_with_each_action(self, desk, ran):
        """Whoever may open the user's content sees where a request came from; nobody else does."""
        with desk.halo.session("told", network="192.0.2.7"):
            self.turn(desk, [self.look(desk, ran)], [LOOK], self.driver.shapes[0])
        entries = desk.entries(EntryKind.DECISION)
        assert {desk.open(item, "network") for item in entries} == {b"192.0.2.7"}

    def test_documents_that_are_dropped_are_recorded_by_reference(self, desk, ran):
        """The text's reference stands in the outcome, so that whoever has the document can tell that it was it."""
        low = self.driver.retriever(desk.halo, "wiki", ["thirty days"], trusted("dropped", source_trust=100), ran)
        with desk.halo.session("told"):
            assert self.driver.retrieve(low, "how long", self.driver.retriever_shapes[0]) == []
        (outcome,) = desk.entries(EntryKind.OUTCOME)
        assert [text for _, text in outcome.body["dropped"]] == [desk.halo.store.references.of_document("thirty days")]

    def look(self, desk: Desk, ran: list[Any], *labels: str, says: str = "seen") -> Any:
        """A guarded tool that looks."""
        return desk.tool(self.looking(ran, says), *labels)

    def pay(self, desk: Desk, ran: list[Any], *labels: str) -> Any:
        """A guarded tool that pays."""

        def pay(to: str, amount: int) -> str:
            """Pay."""
            ran.append((to, amount))
            return f"paid {to}"

        return desk.tool(pay, *labels)

    def hands(self, to: str) -> Say:
        """A message that hands off."""
        return Say(f"{to} takes over", (self.driver.handing(to),), f"over-{to}")

    def waits(self, tool: Any, args: dict[str, Any], shape: str) -> str:
        """Call what must wait; the id of the question."""
        with pytest.raises(Pending) as pending:
            self.driver.call(tool, args, shape)
        return str(pending.value.pending_id)

    def chunks(self, model: Any, shape: str, heard: list[str]) -> tuple[list[str], list[int]]:
        """Chunks as they come, and how much the model had said by then."""
        found: list[str] = []
        said: list[int] = []

        def each(chunk: str) -> None:
            if chunk:
                found.append(chunk)
                said.append(len(heard))

        self.driver.stream(model, "hi", shape, each)
        return found, said

    def elsewhere(self, verb: str, folder: Path) -> dict[str, Any]:
        """Run the driver's script in another process."""
        script = self.driver.elsewhere()
        done = subprocess.run(
            [*find_python(script.stem.replace("elsewhere", "halo")), str(script), verb, str(folder)],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found


def secrets(home: Path) -> list[str]:
    """What the key files of a home hold, in the spellings in which it could leak."""
    found = [line for path in home.glob("*.key") for line in path.read_text("ascii").split() if len(line) >= 16]
    assert found
    return [*found, *(line.rstrip("=") for line in found)]
