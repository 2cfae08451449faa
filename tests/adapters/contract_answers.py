"""Room: cases of held acts and remembered answers, which `contract.AdapterContract` has beside its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from contract_driver import RULES, Desk, Say, Turn

from halo_core.model import EntryKind

PAY = Say("paying", (("pay", {"to": "bo@bank.example", "amount": 5}),), "m1")
LOOK = Say("looking", (("look", {"q": "bo@bank.example"}),), "m2")
ABOUT_TARGETS = RULES + (
    '@id("t.target") @effect("challenge") @reason("untrusted_target") '
    'forbid (principal, action, resource) when { resource.labels.contains("target") };\n'
)


class AnswersCases:
    """Cases of held acts and remembered answers; the parts come from the contract."""

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

    def paying(self, desk: Desk, ran: list[Any], *labels: str, can_wait: bool = True) -> Any:
        """A guarded tool that pays, and can wait."""

        def pay(to: str, amount: int) -> str:
            """Pay."""
            ran.append((to, amount))
            return f"paid {to}"

        declared = {"impact": "send", "targets": ("to",), "reversal": "compensate", "can_wait": can_wait}
        return desk.tool(pay, *labels, **declared)
