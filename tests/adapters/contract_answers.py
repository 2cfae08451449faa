"""Contract cases of held acts, remembered answers, reversals and overrides, beside `contract.AdapterContract`."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from contract_driver import RULES, Desk, Driver, Say, Turn, trusted

from halo_core.errors import ConfigError, Denied
from halo_core.model import EntryKind
from halo_world import cli

PAY = Say("paying", (("pay", {"to": "bo@bank.example", "amount": 5}),), "m1")
PAY_EQUALLY = Say(PAY.words, PAY.calls, "m2")
PAY_AGAIN = Say("paying again", (("pay", {"to": "bo@bank.example", "amount": 6}),), "m2")
TOP = Say("topping", (("top", {"k": 5}),), "m1")
LOOK = Say("looking", (("look", {"q": "bo@bank.example"}),), "m2")
ABOUT_TARGETS = RULES + (
    '@id("t.target") @effect("challenge") @reason("untrusted_target") '
    'forbid (principal, action, resource) when { resource.labels.contains("target") };\n'
)


class Killer(list[Any]):
    """Takes what a tool appends, writes it to a file, and kills its process."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file

    def append(self, item: Any) -> None:
        """Write, and die."""
        with self.file.open("a") as file:
            file.write(str(item))
        os.kill(os.getpid(), signal.SIGKILL)


def killed(act: Callable[[], Any]) -> int:
    """Do something in a process of its own that does not survive it; the signal that killed it."""
    child = os.fork()
    if child == 0:
        try:
            act()
        finally:
            os._exit(70)
    status = os.waitpid(child, 0)[1]
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


class AnswersCases:
    """Cases of held acts, remembered answers, reversals and overrides; the parts come from the contract."""

    driver: ClassVar[Driver]
    turn: Callable[..., Turn]
    look: Callable[..., Any]

    def test_a_held_act_gives_a_notice_and_runs_once_after_its_answer(self, desk, ran, shape):
        """The run goes on without a result that anybody made up; the act runs once, as decided, when it is released."""
        turn = self.turn(desk, [self.paying(desk, ran, "asked")], [PAY], shape)
        (request,) = desk.entries(EntryKind.APPROVAL_REQUEST)
        assert (turn.error, turn.said, ran) == (None, "done", [])
        assert "held, no result yet" in turn.told[0]
        assert request.id in turn.told[0]
        assert len(desk.entries(EntryKind.HELD)) == 1
        desk.answer("approve", request.id)
        assert [item.status for item in desk.halo.release()] == ["released"]
        assert desk.halo.release() == []
        assert ran == [("bo@bank.example", 5)]
        assert desk.effects("pay") == ["challenge", "monitor"]

    def test_no_refusal_tells_the_model_how_it_is_freed(self, open_desk, ran, shape):
        """Denied, asked, held or stopped: the model learns why and what it may do, no command and no better wording."""
        desk = open_desk(ABOUT_TARGETS)
        turns = {
            verdict: self.turn(desk, [make(desk, ran, label)], [PAY], shape)
            for verdict, make, label in (
                ("denied", self.pay, "forbidden"),
                ("asked", self.pay, "target"),
                ("held", self.paying, "asked"),
            )
        }
        cli("stop", "--tool", "pay", home=desk.home)
        turns["stopped"] = self.turn(desk, [self.pay(desk, ran)], [PAY], shape)
        decisions = [entry.id for entry in desk.entries(EntryKind.DECISION)]
        for verdict, turn in turns.items():
            for told in turn.told:
                assert "not run" in told, verdict
                assert "halo " not in told, verdict
                assert "request itself" not in told, verdict
                assert any(item in told for item in decisions) or "pending" in told or verdict == "held", verdict
        assert [verdict for verdict, turn in turns.items() if not turn.told and not turn.pending] == []
        assert ran == []

    def test_an_answer_after_the_run_has_ended_serves_the_next_run_once(self, desk, ran, shape):
        """Ask, the run ends, approve, run again: it runs once, and the run after that asks anew."""
        tools = [self.pay(desk, ran, "asked")]
        first = self.turn(desk, tools, [PAY], shape)
        assert (len(first.pending), ran) == (1, [])
        desk.answer("approve", first.pending[0])
        assert self.turn(desk, tools, [PAY], shape).pending == ()
        assert ran == [("bo@bank.example", 5)]
        third = self.turn(desk, tools, [PAY], shape)
        assert len(third.pending) == 1
        assert third.pending != first.pending
        assert len(ran) == 1

    def test_a_durable_run_is_not_paused_by_a_held_act(self, desk, ran, shape):
        """Where the framework could pause, a held act still lets the run go on."""
        turn = self.turn(desk, [self.paying(desk, ran, "asked")], [PAY], shape, durable=True, thread="t")
        assert (turn.pending, turn.waiting, turn.said, ran) == ((), (), "done", [])
        assert "held, no result yet" in turn.told[0]

    def test_a_later_call_on_the_same_target_pauses(self, desk, ran, shape):
        """A call that could rest on the held act waits for it."""
        tools = [self.paying(desk, ran, "asked"), self.look(desk, ran)]
        turn = self.turn(desk, tools, [PAY, LOOK], shape, durable=True, thread="t")
        assert len(turn.pending) == 1
        assert ran == []
        assert "held_before" in desk.reasons("look")

    def test_a_later_act_that_can_wait_is_held_behind_the_first(self, desk, ran, shape):
        """The run goes on, and the acts run in their order: the later one not before the first was answered."""
        turn = self.turn(desk, [self.paying(desk, ran, "asked")], [PAY, PAY_AGAIN], shape, durable=True, thread="t")
        assert (turn.pending, turn.waiting, turn.said, ran) == ((), (), "done", [])
        first, second = desk.entries(EntryKind.APPROVAL_REQUEST)
        desk.answer("approve", second.id)
        assert [item.status for item in desk.halo.release()] == ["waiting", "waiting"]
        desk.answer("approve", first.id)
        assert [item.status for item in desk.halo.release()] == ["released", "released"]
        assert ran == [("bo@bank.example", 5), ("bo@bank.example", 6)]

    def test_a_call_equal_to_a_held_act_is_that_act(self, desk, ran, shape):
        """The run goes on, nobody is asked twice, and the act runs once."""
        turn = self.turn(desk, [self.paying(desk, ran, "asked")], [PAY, PAY_EQUALLY], shape, durable=True, thread="t")
        assert (turn.pending, turn.waiting, turn.said, ran) == ((), (), "done", [])
        (request,) = desk.entries(EntryKind.APPROVAL_REQUEST)
        assert len(turn.told) == 2
        assert all(request.id in told for told in turn.told)
        assert len(desk.entries(EntryKind.HELD)) == 1
        desk.answer("approve", request.id)
        assert [item.status for item in desk.halo.release()] == ["released"]
        assert ran == [("bo@bank.example", 5)]

    def test_a_coroutine_is_held_and_released_in_a_loop(self, desk, ran, async_shape):
        """As the first case, of a coroutine function."""

        async def pay(to: str, amount: int) -> str:
            """Pay."""
            await asyncio.sleep(0)
            ran.append((to, amount))
            return f"paid {to}"

        tool = desk.tool(pay, "asked", impact="send", targets=("to",), reversal="compensate", can_wait=True)
        turn = self.turn(desk, [tool], [PAY], async_shape)
        assert "held, no result yet" in turn.told[0]
        desk.answer("approve", desk.entries(EntryKind.APPROVAL_REQUEST)[0].id)
        assert [item.status for item in asyncio.run(desk.halo.arelease())] == ["released"]
        assert ran == [("bo@bank.example", 5)]

    def test_a_function_of_objects_pauses(self, desk, ran, shape):
        """What could not be run from stored values is not held."""

        def pay(to: str, amount: int, *more: str) -> str:
            """Pay."""
            ran.append((to, amount, more))
            return "paid"

        tool = desk.tool(pay, "asked", impact="send", targets=("to",), reversal="compensate", can_wait=True)
        self.turn(desk, [tool], [PAY], shape, durable=True, thread="t")
        assert (ran, desk.entries(EntryKind.HELD)) == ([], [])

    def test_a_remembered_answer_serves_the_next_session(self, open_desk, ran, shape):
        """A yes is asked for once for each target, not for each session."""
        desk = open_desk(ABOUT_TARGETS)
        tool = self.paying(desk, ran, "target", can_wait=False)
        self.turn(desk, [tool], [PAY], shape)
        (request,) = desk.entries(EntryKind.APPROVAL_REQUEST)
        desk.answer("approve", request.id)
        for name in ("a", "b"):
            with desk.halo.session(name):
                self.turn(desk, [tool], [PAY], shape)
        assert ran == [("bo@bank.example", 5)] * 2
        assert "remembered" in desk.reasons("pay")
        other = Say("paying", (("pay", {"to": "eve@evil.example", "amount": 5}),), "m1")
        with desk.halo.session("c"):
            self.turn(desk, [tool], [other], shape)
        assert len(ran) == 2

    def test_what_a_tool_did_is_taken_back_once(self, desk, ran, shape):
        """The callable of `undo=` gets the decided arguments and the recorded output; nothing runs without an order."""
        undone: list[Any] = []
        tool = desk.halo.guard(self.clamped(ran), resource=trusted("clamped", impact="write"), undo=undone.append)
        self.turn(desk, [tool], [TOP], shape)
        (decision,) = (entry.id for entry in desk.entries(EntryKind.DECISION) if self.is_about(entry, "top"))
        with pytest.raises(Denied, match="nobody outside the chain has ordered"):
            desk.halo.reverse(decision)
        desk.act("reverse", decision)
        assert [item.status for item in desk.halo.release()] == ["reversed"]
        assert desk.halo.release() == []
        assert [(act.tool, dict(act.args), act.output) for act in undone] == [("top", {"k": 2}, "top 2")]
        assert ran == [2]
        assert desk.effects("top.undo") == ["deny", "restrict"]
        assert "reversal_ordered" in desk.reasons("top.undo")

    def test_a_coroutine_takes_back_what_a_coroutine_did(self, desk, ran, async_shape):
        """As the case before, where everything is awaited."""

        async def top(k: int) -> str:
            """Top k."""
            await asyncio.sleep(0)
            ran.append(k)
            return f"top {k}"

        async def undo(act: Any) -> str:
            await asyncio.sleep(0)
            ran.append(("undone", dict(act.args)))
            return "gone"

        tool = desk.halo.guard(top, resource=trusted(impact="write"), compensate=undo)
        self.turn(desk, [tool], [TOP], async_shape)
        (decision,) = (entry.id for entry in desk.entries(EntryKind.DECISION) if self.is_about(entry, "top"))
        desk.act("reverse", decision)
        assert asyncio.run(desk.halo.areverse(decision)) == "gone"
        assert ran == [5, ("undone", {"k": 5})]

    def test_a_tool_called_by_itself_is_taken_back(self, desk, ran, tool_shape):
        """As the first case, without an agent."""
        undone: list[Any] = []
        tool = desk.halo.guard(self.clamped(ran), resource=trusted("clamped", impact="write"), undo=undone.append)
        self.driver.call(tool, {"k": 7}, tool_shape)
        (decision,) = (entry.id for entry in desk.entries(EntryKind.DECISION) if self.is_about(entry, "top"))
        desk.act("reverse", decision)
        desk.halo.reverse(decision)
        assert [dict(act.args) for act in undone] == [{"k": 2}]

    def test_an_override_lets_a_refused_call_run_once(self, desk, ran, shape):
        """The next run that makes exactly this call gets it; the one after that is refused again."""
        tools = [self.look(desk, ran, "forbidden")]
        self.turn(desk, tools, [LOOK], shape)
        (decision,) = (entry.id for entry in desk.entries(EntryKind.DECISION) if self.is_about(entry, "look"))
        desk.act("override", decision, "--allow")
        for _ in range(2):
            self.turn(desk, tools, [LOOK], shape)
        assert ran == ["bo@bank.example"]
        assert desk.effects("look") == ["deny", "monitor", "deny"]
        assert "override_allowed" in desk.reasons("look")

    def test_an_override_forbids_a_call_that_was_allowed(self, desk, ran, tool_shape):
        """From now on the call is refused to whoever makes it."""
        tool = self.look(desk, ran)
        self.driver.call(tool, {"q": "x"}, tool_shape)
        (decision,) = (entry.id for entry in desk.entries(EntryKind.DECISION) if self.is_about(entry, "look"))
        desk.act("override", decision, "--deny")
        with pytest.raises(Denied) as denied:
            self.driver.call(tool, {"q": "x"}, tool_shape)
        assert denied.value.reason == "override_denied"
        assert ran == ["x"]

    def test_an_undoing_whose_process_was_killed_is_not_tried_again(self, desk, ran, tmp_path):
        """Killed after the callable acted and before its outcome was recorded: a person says what came of it."""
        undone = tmp_path / "undone"

        def undo(act: Any) -> None:
            with undone.open("a") as file:
                file.write(act.decision)
            os.kill(os.getpid(), signal.SIGKILL)

        tool = desk.halo.guard(self.clamped(ran), resource=trusted("clamped", impact="write"), undo=undo)
        self.driver.call(tool, {"k": 7}, self.driver.tool_shapes[0])
        (decision,) = (entry.id for entry in desk.entries(EntryKind.DECISION) if self.is_about(entry, "top"))
        desk.act("reverse", decision)
        assert killed(desk.halo.release) == signal.SIGKILL
        assert undone.read_text() == decision
        assert desk.halo.release() == []
        with pytest.raises(Denied) as denied:
            desk.halo.reverse(decision)
        assert denied.value.reason == "reversal_unknown"
        assert cli("reversals", home=desk.home)[0] == 1
        desk.act("reverse", decision, "--confirm", "done")
        assert cli("reversals", home=desk.home)[0] == 0
        assert undone.read_text() == decision
        assert [effect for effect in desk.effects("top.undo") if effect != "deny"] == ["restrict"]

    def test_an_override_serves_once_though_its_process_was_killed(self, desk, tmp_path):
        """Killed within the call that the override let run: the next one is refused again."""
        shape = self.driver.tool_shapes[0]
        tool = self.look(desk, Killer(tmp_path / "ran"), "forbidden")
        with pytest.raises(Denied):
            self.driver.call(tool, {"q": "x"}, shape)
        (decision,) = (entry.id for entry in desk.entries(EntryKind.DECISION) if self.is_about(entry, "look"))
        desk.act("override", decision, "--allow")
        assert killed(lambda: self.driver.call(tool, {"q": "x"}, shape)) == signal.SIGKILL
        with pytest.raises(Denied):
            self.driver.call(tool, {"q": "x"}, shape)
        assert (tmp_path / "ran").read_text() == "x"
        assert desk.effects("look") == ["deny", "monitor", "deny"]

    def test_only_one_tool_can_say_how_it_is_undone(self, desk, ran):
        """A list of tools, or something that is no tool, is refused."""
        with pytest.raises(ConfigError, match="only a tool can be undone"):
            desk.halo.guard([self.clamped(ran)], undo=ran.append)
        with pytest.raises(ConfigError, match="cannot be given together"):
            desk.halo.guard(self.clamped(ran), undo=ran.append, irreversible=True)

    @staticmethod
    def is_about(entry: Any, tool: str) -> bool:
        """Whether a decision is about a tool."""
        return bool(entry.body["request"]["resource"]["id"] == tool)

    @staticmethod
    def clamped(ran: list[Any]) -> Callable[..., Any]:
        """A function with a number to clamp, whose result names it."""

        def top(k: int) -> str:
            """Top k."""
            ran.append(k)
            return f"top {k}"

        return top

    def paying(self, desk: Desk, ran: list[Any], *labels: str, can_wait: bool = True) -> Any:
        """A guarded tool that pays, and can wait."""

        def pay(to: str, amount: int) -> str:
            """Pay."""
            ran.append((to, amount))
            return f"paid {to}"

        declared = {"impact": "send", "targets": ("to",), "reversal": "compensate", "can_wait": can_wait}
        return desk.tool(pay, *labels, **declared)
