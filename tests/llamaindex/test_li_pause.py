"""Challenges as a workflow's wait: asked, answered by a person, looked at again, run once. Invariants: BIND, ONCE."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from li_functions import ask_a_person
from li_world import Member, Shelf, hands, paused, told, trusted, until_idle
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent
from llama_index.core.workflow import (
    Context,
    HumanResponseEvent,
    InputRequiredEvent,
    StartEvent,
    StopEvent,
    Workflow,
    step,
)
from pydantic import BaseModel
from workflows.runtime.types.results import StepWorkerStateContextVar, WaitingForEvent

from halo_core.model import EntryKind
from halo_llamaindex import HaloChallenge, Pending, _pause
from halo_llamaindex.testing import ScriptedLLM, call
from halo_world import cli

PAY = call("paying", ("pay", {"to": "bo", "amount": 5}), id="m1")
ASK_MODELS = """
@id("t.base") permit (principal, action, resource);
@id("t.asked") @effect("challenge") forbid (principal, action in Action::"inference", resource);
"""
ASK_BOB = """
@id("t.base") permit (principal, action, resource);
@id("t.asked") @effect("challenge") forbid (principal, action == Action::"bob", resource);
"""


class Desk:
    """An agent that pays, with what it did."""

    def __init__(self, world: Any, *script: Any, labels: tuple[str, ...] = ("asked",)) -> None:
        self.world, self.paid, self.looked = world, [], []

        def pay(to: str, amount: int) -> str:
            """Pay."""
            self.paid.append((to, amount))
            return f"paid {to}"

        def look(q: str) -> str:
            """Look."""
            self.looked.append(q)
            return f"seen {q}"

        tools = [world.halo.guard(pay, resource=trusted(*labels)), world.halo.guard(look, resource=trusted())]
        self.agent = world.halo.guard(FunctionAgent(tools=tools, llm=ScriptedLLM(script=script or [PAY])))

    def answer(self, pending: str, verb: str = "approve") -> None:
        answer(self.world, pending, verb)


def answer(world: Any, pending: str, verb: str = "approve") -> None:
    why = ("--why", "no") if verb == "deny" else ()
    cli("approver", "enrol", "mia@bank", home=world.home)
    code, out, err = cli("approvals", verb, pending, "--as", "mia@bank", *why, home=world.home)
    assert code == 0, (out, err)


@pytest.fixture
def desk(world):
    return Desk(world)


def response(asked: HaloChallenge, words: str = "look again", **more: Any) -> HumanResponseEvent:
    return HumanResponseEvent(pending_id=asked.pending_id, response=words, **more)


async def answered(workflow: Any, act: Any, *events: Any) -> tuple[list[Any], Any]:
    """Run until it waits, let somebody act, tell it to look again; what it asks then, and its last words."""
    handler = workflow.run(user_msg="pay bo", ctx=Context(workflow))
    asked = await until_idle(handler)
    await asyncio.to_thread(act, asked)
    for event in events or [response(item) for item in asked]:
        handler.ctx.send_event(event(asked) if callable(event) else event)
    again = await until_idle(handler)
    result = None if again and not handler.is_done() else str(await handler)
    if result is None:
        await handler.cancel_run()
    return again, result


def test_a_live_run_goes_on_when_somebody_has_answered(desk):
    again, words = asyncio.run(answered(desk.agent, lambda asked: desk.answer(asked[0].pending_id)))
    assert (again, words) == ([], "done")
    assert desk.paid == [("bo", 5)]


@pytest.mark.parametrize("words", ["yes", "approve", "approved", "look again"])
def test_no_word_of_whoever_resumes_approves_anything(desk, words):
    event = lambda asked: response(asked[0], words, approved=True)  # noqa: E731  short
    again, _ = asyncio.run(answered(desk.agent, lambda _asked: None, event))
    assert len(again) == 1
    assert desk.paid == []
    assert desk.world.effects("pay") == ["challenge", "challenge"]


def test_a_question_is_shown_without_an_arguments_value(desk):
    asked, kept = asyncio.run(paused(desk.agent))
    (shown,) = asked
    assert isinstance(shown, InputRequiredEvent)
    assert shown.resource == "pay"
    assert shown.reason == "large_amount"
    assert shown.agent == "desk"
    assert shown.pending_id in shown.answer_with
    assert '"bo"' not in json.dumps(shown.model_dump())
    (request,) = desk.world.entries(EntryKind.APPROVAL_REQUEST)
    assert shown.pending_id == request.id
    assert shown.pending_id in json.dumps(kept)


def test_a_no_takes_the_question_back_and_the_run_goes_on(desk):
    event = lambda asked: response(asked[0], "reject")  # noqa: E731  short
    again, words = asyncio.run(answered(desk.agent, lambda _asked: None, event))
    assert (again, words) == ([], "done")
    assert desk.paid == []
    assert desk.world.reasons("pay")[-1] == ["challenge_withdrawn"]


def test_an_event_for_another_question_wakes_nobody(desk):
    async def go() -> bool:
        handler = desk.agent.run(user_msg="pay bo", ctx=Context(desk.agent))
        await until_idle(handler)
        handler.ctx.send_event(HumanResponseEvent(pending_id="another", response="reject"))
        handler.ctx.send_event(HumanResponseEvent(response="reject"))
        await asyncio.sleep(0.2)
        done = handler.is_done()
        await handler.cancel_run()
        return done

    assert asyncio.run(go()) is False
    assert desk.world.effects("pay") == ["challenge"]


def test_siblings_are_not_run_again_and_each_question_is_answered_by_itself(world):
    both = call(
        "all", ("look", {"q": "x"}), ("pay", {"to": "bo", "amount": 5}), ("pay", {"to": "cy", "amount": 7}), id="m1"
    )
    desk = Desk(world, both)

    def act(asked: list[HaloChallenge]) -> None:
        assert len(asked) == 2
        desk.answer(asked[0].pending_id)
        desk.answer(asked[1].pending_id, "deny")

    again, words = asyncio.run(answered(desk.agent, act))
    assert (again, words) == ([], "done")
    assert desk.looked == ["x"]
    assert len(desk.paid) == 1


def test_a_step_that_is_told_twice_to_look_again_gives_one_result(desk):
    """A run begun anew looks again by itself; the event that its host sends too must not answer the call twice."""
    asked, kept = asyncio.run(paused(desk.agent))
    desk.answer(asked[0].pending_id)

    async def resume() -> str:
        handler = desk.agent.run(ctx=Context.from_dict(desk.agent, json.loads(json.dumps(kept))))
        for _ in range(3):
            handler.ctx.send_event(response(asked[0]))
        return str(await handler)

    assert asyncio.run(resume()) == "done"
    assert desk.paid == [("bo", 5)]
    assert world_models(desk.world) == 2


def world_models(world: Any) -> int:
    return len(world.decisions("scripted"))


def test_a_run_that_is_begun_anew_knows_its_conversation_and_its_session(desk):
    asked, kept = asyncio.run(paused(desk.agent))
    desk.answer(asked[0].pending_id)

    async def resume() -> list[str]:
        handler = desk.agent.run(ctx=Context.from_dict(desk.agent, kept))
        await handler
        memory = await handler.ctx.store.get("memory")
        return [str(message.content) for message in await memory.aget_all()]

    assert asyncio.run(resume()) == ["go on", "paying", "paid bo", "done"]
    assert len({entry.session for entry in desk.world.decisions()}) == 1


def test_where_nobody_holds_the_context_the_model_is_told(desk):
    (text,), words = told(desk.agent)
    assert text.startswith("pending ")
    assert words == "done"
    assert desk.paid == []


def test_a_tool_that_asks_a_person_itself_is_run_again_and_decided_as_paused(world):
    tool = world.halo.guard(ask_a_person, resource=trusted())
    agent = world.halo.guard(
        FunctionAgent(tools=[tool], llm=ScriptedLLM(script=[call("hm", ("ask_a_person", {"what": "cy"}), id="m1")]))
    )

    async def go() -> tuple[str, list[str]]:
        handler = agent.run(user_msg="ask", ctx=Context(agent))
        async for event in handler.stream_events():
            if isinstance(event, InputRequiredEvent):
                handler.ctx.send_event(HumanResponseEvent(response="fine", to="cy"))
        result = await handler
        return str(result), [str(item.tool_output) for item in result.tool_calls]

    assert asyncio.run(go()) == ("done", ["they said fine"])
    assert world.effects("ask_a_person") == ["allow", "allow"]
    assert [status for status in world.outcomes() if status == "paused"] == ["paused"]


def test_a_model_call_waits_too(make_world):
    world = make_world(policy=ASK_MODELS)
    desk = Desk(world, "hello", labels=())
    again, words = asyncio.run(answered(desk.agent, lambda asked: desk.answer(asked[0].pending_id)))
    assert (again, words) == ([], "hello")
    assert world.effects("scripted") == ["challenge", "monitor"]


def test_a_hand_off_waits_and_then_the_receiver_acts(make_world):
    world = make_world(policy=ASK_BOB)
    members = [
        FunctionAgent(name=name, description=name, llm=Member(script=script, speaker=name))
        for name, script in {"alice": [hands("bob")], "bob": ["bob was here"]}.items()
    ]
    team = world.halo.guard(AgentWorkflow(agents=members, root_agent="alice"))
    asked, kept = asyncio.run(paused(team))
    assert asked[0].agent == "alice"
    answer(world, asked[0].pending_id)

    async def resume() -> str:
        return str(await team.run(ctx=Context.from_dict(team, kept)))

    assert asyncio.run(resume()) == "bob was here"
    assert world.effects("bob") == ["challenge", "monitor"]


def test_what_a_tools_body_asks_waits_and_the_tool_is_run_again(world):
    ran: list[str] = []

    def pay(to: str) -> str:
        """Pay."""
        ran.append(f"pay {to}")
        return f"paid {to}"

    inner = world.halo.guard(pay, resource=trusted("asked"))

    async def settle(to: str) -> str:
        """Settle."""
        ran.append(f"settle {to}")
        return str(await inner.acall(to=to))

    tool = world.halo.guard(settle, resource=trusted())
    script = [call("settling", ("settle", {"to": "bo"}), id="m1")]
    agent = world.halo.guard(FunctionAgent(tools=[tool], llm=ScriptedLLM(script=script)))
    again, words = asyncio.run(answered(agent, lambda asked: answer(world, asked[0].pending_id)))
    assert (again, words) == ([], "done")
    assert ran == ["settle bo", "settle bo", "pay bo"]
    assert world.effects("pay") == ["challenge", "monitor"]
    assert world.outcomes().count("paused") == 1


class Notes(BaseModel):
    """State of an app's own workflow."""

    found: str = ""


class Flow(Workflow):
    """An app's own workflow that retrieves."""

    shelf: Any = None

    @step
    async def begin(self, ctx: Context[Notes], ev: StartEvent) -> StopEvent:
        found = await self.shelf.aretrieve("q")
        return StopEvent(result=found[0].get_content())


def test_a_step_of_an_apps_own_workflow_waits_where_it_is_guarded(world):
    flow = Flow()
    flow.shelf = world.halo.guard(Shelf("thirty days"), resource=trusted("asked", id="handbook"))

    async def plain() -> None:
        with pytest.raises(Pending):
            await flow.run(ctx=Context(flow))

    asyncio.run(plain())
    guarded = world.halo.guard(flow)

    async def go() -> str:
        handler = guarded.run(ctx=Context(guarded))
        (asked,) = await until_idle(handler)
        await asyncio.to_thread(answer, world, asked.pending_id)
        handler.ctx.send_event(response(asked))
        return str(await handler)

    assert asyncio.run(go()) == "thirty days"


def test_a_plain_workflow_inside_a_tool_does_not_wait_where_nobody_looks(world):
    """Nobody reads the events of a run that a tool starts: what it is asked is told to it."""
    inner = Flow()
    inner.shelf = world.halo.guard(Shelf("thirty days"), resource=trusted("asked", id="handbook"))

    async def ask(q: str) -> str:
        """Ask."""
        return str(await inner.run())

    tool = world.halo.guard(ask, resource=trusted())
    agent = world.halo.guard(
        FunctionAgent(tools=[tool], llm=ScriptedLLM(script=[call("hm", ("ask", {"q": "x"}), id="m1")]))
    )

    async def go() -> str:
        return str(await asyncio.wait_for(agent.run(user_msg="go", ctx=Context(agent)), 60))

    assert asyncio.run(go()) == "done"


def test_what_of_the_framework_is_not_public_is_there():
    assert StepWorkerStateContextVar.get(None) is None
    assert issubclass(_pause.StepPaused, WaitingForEvent)
    assert (WaitingForEvent,) == _pause.STEERING_ERRORS


def test_a_wait_that_nobody_reads_ends_and_wakes_no_step_of_the_apps_own(make_world):
    world = make_world(answer_wait_s=0.1)
    tool, taken = Desk(world).agent.tools[0], []

    class Own(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> StopEvent:
            return StopEvent(result=str(await tool.acall(to="bo", amount=5)))

        @step
        async def take(self, ev: HumanResponseEvent) -> StopEvent:
            taken.append(ev)
            return StopEvent(result="taken")

    guarded = world.halo.guard(Own(timeout=60))

    async def go(kept: Any = None) -> Any:
        return await guarded.run(ctx=Context.from_dict(guarded, kept) if kept else Context(guarded))

    for kept in (None, asyncio.run(_keep_unread(guarded))):
        with pytest.raises(Pending) as waited:
            asyncio.run(go(kept))
        assert waited.value.reason == "answer_not_awaited"
    assert taken == []


async def _keep_unread(workflow: Any) -> dict[str, Any]:
    _, kept = await paused(workflow)
    return kept


def test_a_wait_that_somebody_has_read_goes_on(make_world):
    world = make_world(answer_wait_s=0.05)
    desk = Desk(world)

    async def go() -> str:
        handler = desk.agent.run(user_msg="pay bo", ctx=Context(desk.agent))
        (asked,) = await until_idle(handler)
        await asyncio.sleep(0.3)
        assert not handler.is_done()
        await asyncio.to_thread(desk.answer, asked.pending_id)
        handler.ctx.send_event(response(asked))
        return str(await handler)

    assert asyncio.run(go()) == "done"
    assert desk.paid == [("bo", 5)]
