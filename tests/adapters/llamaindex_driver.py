"""The driver of the contract suite for LlamaIndex: it makes agents of functions and scripts, and runs them.

Ways to run an agent: a `FunctionAgent` by itself, awaited or with its events read; the same in an `AgentWorkflow` of
one; without streaming of the model's words (`whole`). LlamaIndex has no synchronous run and no batches of runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from contract_driver import Say, Turn
from llama_index.core.agent.workflow import AgentInput, AgentOutput, AgentWorkflow, FunctionAgent, ToolCall
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.llms.types import ChatMessage, MessageRole, ToolCallBlock
from llama_index.core.prompts import PromptTemplate
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llama_index.core.tools import FunctionTool, ToolSelection
from llama_index.core.tools.calling import acall_tool, call_tool
from llama_index.core.workflow import Context, HumanResponseEvent, StopEvent, step
from pydantic import Field
from workflows.events import WorkflowIdleEvent

from halo_llamaindex import Halo, HaloChallenge, Resource
from halo_llamaindex.testing import ScriptedLLM, call

__all__ = ["LlamaIndexDriver"]

SHAPES = ("agent", "agent_events", "agent_whole", "workflow", "workflow_events", "workflow_whole")
ASKED = "go on, x, bo, 5, zebra"
WAITS = re.compile(r"^pending (\S+):")


class Speaker(ScriptedLLM):
    """Says its script, counts how often it was asked and each word that it streams.

    In a team every member sees the whole conversation, so a speaker with a name counts its own messages alone. Tools
    that its provider runs are written as in `OpenAIResponses`.
    """

    speaker: str = ""
    heard: Any = None  # a list, and one that stays the caller's
    built_in_tools: list[dict[str, Any]] | None = Field(default=None)

    def next_message(self, messages: Sequence[ChatMessage]) -> ChatMessage:
        self.heard.append(self.speaker or "asked")
        said = super().next_message(messages)
        if self.speaker:
            said.additional_kwargs["speaker"] = self.speaker
        return said

    def is_own(self, message: ChatMessage) -> bool:
        return super().is_own(message) and message.additional_kwargs.get("speaker", "") == self.speaker

    def _chunks(self, message: ChatMessage) -> Any:
        for chunk in super()._chunks(message):
            self.heard.append(chunk.delta)
            yield chunk


class Shelf(BaseRetriever):
    """Stands for an index."""

    def __init__(self, texts: list[str], read: list[str]) -> None:
        super().__init__()
        self._texts, self._read = texts, read

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        self._read.append(query_bundle.query_str)
        return [NodeWithScore(node=TextNode(text=text), score=1.0) for text in self._texts]


class JumpsBack(FunctionAgent):
    """Once the model is done, makes the last tool calls again: the same ids, the same arguments."""

    @step
    async def parse_agent_output(self, ctx: Context, ev: AgentOutput) -> StopEvent | AgentInput | ToolCall | None:
        calls = await ctx.store.get("said_before", default=None)
        if ev.tool_calls:
            await ctx.store.set("said_before", [item.model_dump() for item in ev.tool_calls])
        elif calls:
            await ctx.store.set("said_before", None)
            ev.tool_calls = [ToolSelection(**item) for item in calls]
        kind = AgentWorkflow if isinstance(self, AgentWorkflow) else FunctionAgent
        return await kind.parse_agent_output(self, ctx, ev)


class JumpingTeam(AgentWorkflow):
    """The same of a team, which calls the tools of its agents itself."""

    @step
    async def parse_agent_output(self, ctx: Context, ev: AgentOutput) -> StopEvent | AgentInput | ToolCall | None:
        return await JumpsBack.parse_agent_output(self, ctx, ev)


@dataclass
class Built:
    """An agent (or team) in whichever form a shape asks for, and what is kept of its runs."""

    make: Callable[[str], Any]
    halo: Halo | None
    watched: bool = False
    forms: dict[str, Any] = field(default_factory=dict)
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: dict[str, HaloChallenge] = field(default_factory=dict)

    def form(self, shape: str) -> Any:
        if shape not in self.forms:
            self.forms[shape] = self.make(shape)
        return self.forms[shape]


def said(script: Sequence[Say]) -> list[ChatMessage]:
    """A script in the framework's messages."""
    return [call(item.words, *item.calls, id=item.id or f"said-{i}") for i, item in enumerate(script)]


class LlamaIndexDriver:
    """See `contract_driver.Driver`."""

    framework = "llamaindex"
    facade = Halo
    shapes = SHAPES
    async_shapes = SHAPES
    tool_shapes = ("call", "acall", "called", "fn", "async_fn", "call_tool", "acall_tool")
    retriever_shapes = ("retrieve", "aretrieve", "_retrieve", "_aretrieve")
    model_shapes = (
        *("chat", "complete", "stream_chat", "stream_complete", "achat", "acomplete", "astream_chat"),
        *("astream_complete", "chat_with_tools", "achat_with_tools", "stream_chat_with_tools"),
        *("astream_chat_with_tools", "predict", "apredict", "stream", "astream"),
    )
    stream_shapes = (
        *("stream_chat", "astream_chat", "stream_complete", "astream_complete"),
        *("stream_chat_with_tools", "astream_chat_with_tools"),
    )
    default_shapes = frozenset(
        {
            *("agent", "agent_whole", "workflow_events"),
            *("call", "acall", "async_fn", "retrieve", "aretrieve"),
            *("chat", "achat", "stream_chat", "astream_chat"),
        }
    )

    # things

    def tool(self, halo: Halo | None, function: Callable[..., Any], resource: Resource | None = None) -> Any:
        return FunctionTool.from_defaults(function) if halo is None else halo.guard(function, resource=resource)

    def retriever(self, halo: Halo, name: str, texts: Sequence[str], resource: Resource, read: list[str]) -> Any:
        return halo.guard(Shelf(list(texts), read), resource=replace(resource, id=name))

    def model(self, halo: Halo | None, script: Sequence[Say], heard: list[str]) -> Any:
        plain = Speaker(script=said(script), heard=heard)
        return plain if halo is None else halo.guard(plain)

    def hosted(self, name: str) -> Any:
        return {"type": name, "name": name}

    def handing(self, to: str) -> tuple[str, Mapping[str, Any]]:
        return "handoff", {"to_agent": to, "reason": "it knows"}

    # calls

    def call(self, tool: Any, args: Mapping[str, Any], shape: str) -> str:
        if shape in ("call_tool", "acall_tool"):
            output = call_tool(tool, dict(args)) if shape == "call_tool" else asyncio.run(acall_tool(tool, dict(args)))
            if output.exception is not None:
                raise output.exception
            return str(output)
        method = tool if shape == "called" else getattr(tool, shape)
        result = method(**args)
        return str(asyncio.run(awaited(result)) if inspect.isawaitable(result) else result)

    def by_position(self, tool: Any, *args: Any) -> str:
        return str(tool.real_fn(*args))

    def retrieve(self, retriever: Any, query: str, shape: str) -> list[str]:
        given = QueryBundle(query) if shape.startswith("_") else query
        found = getattr(retriever, shape)(given)
        found = asyncio.run(awaited(found)) if inspect.isawaitable(found) else found
        return [item.node.get_content() for item in found]

    def ask(self, model: Any, text: str, shape: str) -> str:
        if "stream" in shape:
            words: list[str] = []
            self.stream(model, text, shape, words.append)
            return "".join(words)
        result = asked(model, text, shape)
        result = asyncio.run(awaited(result)) if inspect.isawaitable(result) else result
        return result if isinstance(result, str) else str(getattr(result, "text", None) or result.message.content)

    def stream(self, model: Any, text: str, shape: str, each: Callable[[str], None]) -> None:
        def take(chunk: Any) -> None:
            each(chunk if isinstance(chunk, str) else chunk.delta)

        async def collect() -> None:
            async for chunk in await asked(model, text, shape):
                take(chunk)

        if shape.startswith("a"):
            asyncio.run(collect())
            return
        for chunk in asked(model, text, shape):
            take(chunk)

    # agents

    def agent(
        self,
        halo: Halo | None,
        tools: Sequence[Any],
        script: Sequence[Say],
        *,
        heard: list[str] | None = None,
        durable: bool = False,  # every run of LlamaIndex has a context; whether the host holds it, its run says
        everything: bool = False,
        jumps_back: bool = False,
    ) -> Any:
        hosted = [item for item in tools if isinstance(item, Mapping)]
        model: Any = Speaker(script=said(script), heard=[] if heard is None else heard, built_in_tools=hosted or None)
        if halo is not None and everything:
            model = halo.guard(model)

        def make(shape: str) -> Any:
            kind = JumpsBack if jumps_back else FunctionAgent
            own = [item for item in tools if not isinstance(item, Mapping)]
            made: Any = kind(tools=own, llm=model, streaming=not shape.endswith("whole"))
            if shape.startswith("workflow"):
                team = JumpingTeam if jumps_back else AgentWorkflow
                made = team(agents=[halo.guard(made) if halo is not None and everything else made])
            return made if halo is None else halo.guard(made)

        return Built(make, halo, watched=everything)

    def team(
        self, halo: Halo, said_by: Mapping[str, Sequence[Say]], tools: Mapping[str, Sequence[Any]], heard: list[str]
    ) -> Any:
        def make(shape: str) -> Any:
            members = [
                FunctionAgent(
                    name=name,
                    description=f"{name} knows",
                    tools=list(tools.get(name, ())),
                    llm=Speaker(script=said(script), speaker=name, heard=heard),
                    streaming=not shape.endswith("whole"),
                )
                for name, script in said_by.items()
            ]
            return halo.guard(AgentWorkflow(agents=members, root_agent=next(iter(said_by))))

        return Built(make, halo)

    def run(self, agent: Any, shape: str, *, thread: str = "") -> Turn:
        return asyncio.run(self._turn(agent, shape, thread, resumes=False))

    async def arun(self, agent: Any) -> None:
        await agent.form(SHAPES[0]).run(user_msg=ASKED)

    def resume(self, agent: Any, shape: str, *, thread: str) -> Turn:
        return asyncio.run(self._turn(agent, shape, thread, resumes=True))

    def persisted(self, agent: Any) -> str:
        return json.dumps(agent.kept)

    def elsewhere(self) -> Path:
        return Path(__file__).with_name("elsewhere_llamaindex.py")

    async def _turn(self, built: Built, shape: str, thread: str, *, resumes: bool) -> Turn:
        workflow = built.form(shape)
        with contextlib.ExitStack() as hooks:
            if built.watched and built.halo is not None:
                hooks.enter_context(built.halo.install())
            if resumes:
                ctx = Context.from_dict(workflow, built.kept[thread])
                handler = workflow.run(ctx=ctx)
                for waiter_id in waiting(built.kept[thread]):
                    handler.ctx.send_event(HumanResponseEvent(pending_id=waiter_id, response="look again"))
            else:
                more = {"ctx": Context(workflow)} if thread else {}
                handler = workflow.run(user_msg=ASKED, **more)
            try:
                ended = await (self._read if shape.endswith("events") else self._polled)(built, handler, thread)
            except Exception as error:  # noqa: BLE001  whatever ended the run is what the case asks about
                return Turn(error=error)
        if not ended:
            kept = built.kept[thread] = json.loads(json.dumps(handler.ctx.to_dict()))
            await handler.cancel_run()
            pending = waiting(kept)
            shown = [built.asked[item].model_dump() if item in built.asked else item for item in pending]
            return Turn(pending=pending, waiting=tuple(shown))
        memory = await handler.ctx.store.get("memory")
        told = results(await memory.aget_all())
        pending = tuple(found[1] for text in told if (found := WAITS.match(text)))
        return Turn(told, str((await handler).response.content), None, pending)

    async def _read(self, built: Built, handler: Any, thread: str) -> bool:
        """Read the events of a run; whether it ended."""
        async for event in handler.stream_events(expose_internal=True):
            if isinstance(event, HaloChallenge):
                built.asked[event.pending_id] = event
            if isinstance(event, WorkflowIdleEvent) and thread and waiting(handler.ctx.to_dict()):
                return False
        await handler
        return True

    async def _polled(self, _built: Built, handler: Any, thread: str) -> bool:
        """Await a run, and look meanwhile whether it waits; whether it ended."""
        while thread and not handler.is_done():
            await asyncio.sleep(0.02)
            kept = handler.ctx.to_dict()
            if waiting(kept) and not handler.is_done() and idle(kept):
                return False
        await handler
        return True


def waiting(kept: Mapping[str, Any]) -> tuple[str, ...]:
    """Ids of the questions that a kept run waits for, in the order in which they were asked."""
    waiters = [item for worker in kept["workers"].values() for item in worker["collected_waiters"]]
    open_waiters = [item["waiter_id"] for item in waiters if not item["resolved_event"]]
    return tuple(name.removeprefix("halo:") for name in open_waiters if not name.endswith(":limit"))


def idle(kept: Mapping[str, Any]) -> bool:
    return not any(worker["queue"] or worker["in_progress"] for worker in kept["workers"].values())


def results(messages: Sequence[ChatMessage]) -> tuple[str, ...]:
    """What a model was told of its calls, in their order."""
    blocks = [block for message in messages for block in message.blocks if isinstance(block, ToolCallBlock)]
    order = [block.tool_call_id for block in blocks]
    told = [message for message in messages if message.role == MessageRole.TOOL]
    told.sort(key=lambda message: order.index(message.additional_kwargs["tool_call_id"]))
    return tuple(str(message.content) for message in told)


def asked(model: Any, text: str, shape: str) -> Any:
    """Ask a model in a shape: a result, a generator, or something to await."""
    method = getattr(model, shape)
    if shape.endswith("complete"):
        return method(text)
    if shape.endswith("with_tools"):
        return method(tools=[], user_msg=text)
    if shape.endswith("chat"):
        return method([ChatMessage(text)])
    return method(PromptTemplate(text))


async def awaited(value: Any) -> Any:
    return await value
