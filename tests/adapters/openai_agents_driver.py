"""Drives the adapter contract in the OpenAI Agents SDK: makes agents of functions and scripts, and runs them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agents import (
    Agent,
    FunctionTool,
    ModelSettings,
    ModelTracing,
    Runner,
    RunState,
    WebSearchTool,
    function_tool,
    set_tracing_disabled,
)
from agents.tool import invoke_function_tool
from agents.tool_context import ToolContext
from contract_driver import Say, Turn
from openai.types.responses import ResponseTextDeltaEvent

from halo_openai_agents import ActionKind, Halo, Resource
from halo_openai_agents.testing import Message, ScriptedModel

__all__ = ["OpenAIAgentsDriver"]

SHAPES = ("run", "run_sync", "run_streamed")
WAITS = re.compile(r"^pending (\S+):")
ASKED = "go on, x, bo, 5, zebra"

set_tracing_disabled(True)


class Speaker(ScriptedModel):
    """Says its script, counts how often it was asked, and streams word by word."""

    def __init__(self, script: Sequence[Message], heard: list[str], speaker: str = "") -> None:
        super().__init__(script)
        self.heard = heard
        self.speaker = speaker

    async def get_response(self, *args: Any, **kwargs: Any) -> Any:
        self.heard.append(self.speaker or "asked")
        return await super().get_response(*args, **kwargs)

    async def stream_response(self, *args: Any, **kwargs: Any) -> Any:
        self.heard.append(self.speaker or "asked")
        async for event in super().stream_response(*args, **kwargs):
            if isinstance(event, ResponseTextDeltaEvent):
                self.heard.append(event.delta)
            yield event
            await asyncio.sleep(0)  # as a real one waits for its network


@dataclass
class Built:
    """An agent, how it is run, and what its host keeps of its runs."""

    agent: Any
    halo: Halo | None
    options: Callable[[], dict[str, Any]]
    everything: bool = False
    states: dict[str, str] = field(default_factory=dict)


def said(script: Sequence[Say], prefix: str = "said") -> list[Message]:
    """A script in the driver's messages."""
    return [Message(item.words, item.calls, item.id or f"{prefix}-{i}") for i, item in enumerate(script)]


class OpenAIAgentsDriver:
    """See `contract_driver.Driver`.

    What this SDK keeps of a run that pauses is what its host writes down (`result.to_state()`), so a durable agent is
    one that is run with `halo.run_options(pausing=True)`. An agent of the contract is guarded with `grants=False`: that
    is this adapter's hook at agents whose tools were guarded one by one.
    """

    framework = "openai-agents"
    facade = Halo
    shapes = SHAPES
    async_shapes = SHAPES
    tool_shapes = ("on_invoke_tool", "invoke_function_tool")
    retriever_shapes = tool_shapes
    model_shapes = ("get_response", "stream_response", "run", "run_sync", "run_streamed")
    stream_shapes = ("stream_response", "run_streamed")
    default_shapes = frozenset({"get_response", "stream_response", "run_sync"})

    # things

    def tool(self, halo: Halo | None, function: Callable[..., Any], resource: Resource | None = None) -> Any:
        return function_tool(function) if halo is None else halo.guard(function, resource=resource)

    def retriever(self, halo: Halo, name: str, texts: Sequence[str], resource: Resource, read: list[str]) -> Any:
        """The SDK has no retrievers: a tool that is declared as a retrieval is one."""

        def search(query: str) -> list[str]:
            """Search."""
            read.append(query)
            return list(texts)

        kept = {f: getattr(resource, f) for f in resource.__dataclass_fields__}
        named = Resource(**kept | {"id": name, "kind": ActionKind.RETRIEVAL})
        return halo.guard(function_tool(search, name_override=name), resource=named)

    def model(self, halo: Halo | None, script: Sequence[Say], heard: list[str]) -> Any:
        plain = Speaker(said(script), heard)
        return plain if halo is None else halo.guard(plain)

    def hosted(self, name: str) -> Any:
        assert name == "web_search"
        return WebSearchTool()

    def handing(self, to: str) -> tuple[str, Mapping[str, Any]]:
        return f"transfer_to_{to}", {}

    # calls

    def call(self, tool: Any, args: Mapping[str, Any], shape: str) -> str:
        return str(self._call(tool, args, shape))

    def _call(self, tool: FunctionTool, args: Mapping[str, Any], shape: str) -> Any:
        async def go() -> Any:
            text = json.dumps(dict(args))
            context = ToolContext(None, tool_name=tool.name, tool_call_id="by-hand", tool_arguments=text)
            context.tool_call_id = ""
            if shape == "invoke_function_tool":
                return await invoke_function_tool(function_tool=tool, context=context, arguments=text)
            return await tool.on_invoke_tool(context, text)

        return asyncio.run(go())

    def by_position(self, tool: Any, *args: Any) -> str:
        return str(tool.__wrapped__(*args))

    def retrieve(self, retriever: Any, query: str, shape: str) -> list[str]:
        return list(self._call(retriever, {"query": query}, shape))

    def ask(self, model: Any, text: str, shape: str) -> str:
        chunks: list[str] = []
        if shape in ("stream_response", "run_streamed"):
            self.stream(model, text, shape, chunks.append)
            return "".join(chunks)
        if shape in ("run", "run_sync"):
            result = drive(Agent(name="asker", model=model), shape, text, {})
            return str(result.final_output)
        answer = asyncio.run(model.get_response(*asking(text), **REST))
        return "".join(part.text for item in answer.output for part in item.content)

    def stream(self, model: Any, text: str, shape: str, each: Callable[[str], None]) -> None:
        async def collect() -> None:
            if shape == "stream_response":
                async for event in model.stream_response(*asking(text), **REST):
                    if isinstance(event, ResponseTextDeltaEvent):
                        each(event.delta)
                return
            result = Runner.run_streamed(Agent(name="asker", model=model), text)
            async for item in result.stream_events():
                if item.type == "raw_response_event" and isinstance(item.data, ResponseTextDeltaEvent):
                    each(item.data.delta)

        asyncio.run(collect())

    # agents

    def agent(
        self,
        halo: Halo | None,
        tools: Sequence[Any],
        script: Sequence[Say],
        *,
        heard: list[str] | None = None,
        durable: bool = False,
        everything: bool = False,
        jumps_back: bool = False,
    ) -> Any:
        # Nothing but a model sends a run of this SDK back to its tools; it asks for the same once more.
        script = [*script, Say("again", script[-1].calls, "again")] if jumps_back else script
        model: Any = Speaker(said(script), [] if heard is None else heard)
        if halo is not None and everything:
            model = halo.guard(model)
        agent = Agent(name="worker", model=model, tools=list(tools))
        if halo is None:
            return Built(agent, None, dict)
        guarded = halo.guard(agent, grants=False)
        return Built(guarded, halo, lambda: halo.run_options(pausing=durable), everything)

    def team(
        self, halo: Halo, said_by: Mapping[str, Sequence[Say]], tools: Mapping[str, Sequence[Any]], heard: list[str]
    ) -> Any:
        members = {
            name: Agent(name=name, model=Speaker(said(script, name), heard, name), tools=list(tools.get(name, ())))
            for name, script in said_by.items()
        }
        for name, member in members.items():
            member.handoffs = [other for to, other in members.items() if to != name]
        return Built(halo.guard(next(iter(members.values()))), halo, halo.run_options)

    def run(self, agent: Any, shape: str, *, thread: str = "") -> Turn:
        return self._turn(agent, shape, ASKED, thread)

    async def arun(self, agent: Any) -> None:
        await Runner.run(agent.agent, ASKED, **agent.options())

    def resume(self, agent: Any, shape: str, *, thread: str) -> Turn:
        state = asyncio.run(RunState.from_string(agent.agent, agent.states[thread]))
        return self._turn(agent, shape, agent.halo.resume(state), thread)

    def persisted(self, agent: Any) -> str:
        return "\n".join(agent.states.values())

    def elsewhere(self) -> Path:
        return Path(__file__).with_name("elsewhere_openai_agents.py")

    def _turn(self, built: Built, shape: str, given: Any, thread: str) -> Turn:
        with contextlib.ExitStack() as hooks:
            if built.everything and built.halo is not None:
                hooks.enter_context(built.halo.install())
            try:
                result = drive(built.agent, shape, given, built.options())
            except Exception as error:  # noqa: BLE001  whatever ended the run is what the case asks about
                return Turn(error=error)
        waiting = built.halo.waiting(result) if built.halo is not None and result.interruptions else []
        if thread:
            built.states[thread] = result.to_state().to_string()
        return turn_of(result, waiting)


REST: dict[str, Any] = {"previous_response_id": None, "conversation_id": None, "prompt": None}


def asking(text: str) -> tuple[Any, ...]:
    return (None, text, ModelSettings(), [], None, [], ModelTracing.DISABLED)


def drive(agent: Any, shape: str, given: Any, options: Mapping[str, Any]) -> Any:
    """Run an agent in a shape; its result."""
    if shape == "run_sync":
        return Runner.run_sync(agent, given, **options)

    async def go() -> Any:
        if shape == "run":
            return await Runner.run(agent, given, **options)
        result = Runner.run_streamed(agent, given, **options)
        async for _ in result.stream_events():
            pass
        return result

    return asyncio.run(go())


def turn_of(result: Any, waiting: Sequence[Any]) -> Turn:
    """What a run left behind, as the contract reads it."""
    items = result.to_input_list()
    order = [item["call_id"] for item in items if item.get("type") == "function_call"]
    found = [item for item in items if item.get("type") == "function_call_output"]
    found.sort(key=lambda item: order.index(item["call_id"]) if item["call_id"] in order else len(order))
    texts = tuple(str(item["output"]) for item in found)
    named = [str(item["pending_id"]) for item in waiting]
    named += [match[1] for text in texts if (match := WAITS.match(text))]
    return Turn(texts, str(result.final_output or ""), None, tuple(named), tuple(waiting))
