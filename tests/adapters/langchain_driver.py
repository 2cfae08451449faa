"""The contract's driver of LangChain and LangGraph."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from contract_driver import Say, Turn
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, hook_config
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import tool as make_tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from langgraph_swarm import create_handoff_tool, create_swarm

from halo_langchain import Halo, Resource
from halo_langchain.testing import ScriptedModel, call

__all__ = ["LangChainDriver"]

SHAPES = ("invoke", "stream", "batch", "ainvoke", "astream", "abatch", "astream_events")
WAITS = re.compile(r"^pending (\S+):")
ASKED = {"messages": [HumanMessage("go on, x, bo, 5, zebra")]}


class Speaker(ScriptedModel):
    """Says its script, counts how often it was asked, and streams word by word.

    In a team every member sees the whole conversation, so a speaker with a name counts its own messages alone.
    """

    speaker: str = ""
    heard: Any = None  # a list, and one that stays the caller's

    def _generate(self, messages: list[Any], stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        self.heard.append(self.speaker or "asked")
        return super()._generate(self._mine(messages), stop, run_manager, **kwargs)

    def _stream(
        self, messages: list[Any], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        self.heard.append(self.speaker or "asked")
        said = super()._generate(self._mine(messages), stop, run_manager, **kwargs).generations[0].message
        words = re.findall(r"\S+\s*", str(said.text)) or [""]
        for i, word in enumerate(words):
            last = i == len(words) - 1
            calls = [
                {"name": item["name"], "args": json.dumps(item["args"]), "id": item["id"], "index": j}
                for j, item in enumerate(said.tool_calls)
            ]
            chunk = ChatGenerationChunk(
                message=AIMessageChunk(content=word, id=said.id, tool_call_chunks=calls if last else [])
            )
            self.heard.append(word)
            if run_manager is not None:
                run_manager.on_llm_new_token(word, chunk=chunk)
            yield chunk

    def _mine(self, messages: list[Any]) -> list[Any]:
        if not self.speaker:
            return messages
        return [m for m in messages if not isinstance(m, AIMessage) or m.name == self.speaker]


class Shelf(BaseRetriever):
    """Stands for an index."""

    texts: list[str]
    read: Any = None

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        self.read.append(query)
        return [Document(text) for text in self.texts]


class JumpsBack(AgentMiddleware):
    """Once the model is done, makes the last tool calls again: the same ids, the same arguments."""

    @hook_config(can_jump_to=["tools"])
    def after_model(self, state: Any, runtime: Any) -> dict[str, Any] | None:
        spoken = [m for m in state["messages"] if isinstance(m, AIMessage)]
        calls = [m for m in spoken if m.tool_calls]
        if spoken[-1].tool_calls or len(calls) != 1:
            return None
        return {"messages": [AIMessage("again", id="again", tool_calls=calls[0].tool_calls)], "jump_to": "tools"}


def said(script: Sequence[Say]) -> list[AIMessage]:
    """A script in the framework's messages."""
    return [call(item.words, *item.calls, id=item.id or f"said-{i}") for i, item in enumerate(script)]


class LangChainDriver:
    """See `contract_driver.Driver`."""

    framework = "langchain"
    facade = Halo
    shapes = SHAPES
    async_shapes = ("ainvoke", "astream", "abatch", "astream_events")
    tool_shapes = ("invoke", "run", "stream", "batch", "ainvoke", "arun", "astream", "abatch", "astream_events")
    retriever_shapes = ("invoke", "stream", "batch", "ainvoke", "astream", "abatch")
    model_shapes = (*SHAPES, "generate", "agenerate")
    stream_shapes = ("stream", "astream")
    default_shapes = frozenset({"invoke", "ainvoke", "astream"})
    registers_at_first_sight = True  # an unguarded tool is undeclared, and judged by its arguments

    def __init__(self) -> None:
        self._halo_of: dict[int, tuple[Any, Halo]] = {}

    # things

    def tool(self, halo: Halo | None, function: Callable[..., Any], resource: Resource | None = None) -> Any:
        return make_tool(function) if halo is None else halo.guard(function, resource=resource)

    def retriever(self, halo: Halo, name: str, texts: Sequence[str], resource: Resource, read: list[str]) -> Any:
        named = Resource(**{f: getattr(resource, f) for f in resource.__dataclass_fields__} | {"id": name})
        return halo.guard(Shelf(texts=list(texts), read=read), resource=named)

    def model(self, halo: Halo | None, script: Sequence[Say], heard: list[str]) -> Any:
        plain = Speaker(script=said(script), heard=heard)
        return plain if halo is None else halo.guard(plain)

    def hosted(self, name: str) -> Any:
        return {"type": name, "name": name}

    def handing(self, to: str) -> tuple[str, Mapping[str, Any]]:
        return f"transfer_to_{to}", {}

    # calls

    def call(self, tool: Any, args: Mapping[str, Any], shape: str) -> str:
        if shape == "run":
            return str(tool.run(args))
        if shape == "arun":
            return str(asyncio.run(tool.arun(args)))
        return str(drive(tool, shape, args))

    def by_position(self, tool: Any, *args: Any) -> str:
        return str(tool.func(*args))

    def retrieve(self, retriever: Any, query: str, shape: str) -> list[str]:
        return [document.page_content for document in drive(retriever, shape, query)]

    def ask(self, model: Any, text: str, shape: str) -> str:
        messages = [HumanMessage(text)]
        if shape == "generate":
            return str(model.generate([messages]).generations[0][0].text)
        if shape == "agenerate":
            return str(asyncio.run(model.agenerate([messages])).generations[0][0].text)
        return str(drive(model, shape, messages).text)

    def stream(self, model: Any, text: str, shape: str, each: Callable[[str], None]) -> None:
        if shape == "stream":
            for chunk in model.stream(text):
                each(str(chunk.text))
            return

        async def collect() -> None:
            async for chunk in model.astream(text):
                each(str(chunk.text))

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
        model: Any = Speaker(script=said(script), heard=[] if heard is None else heard)
        middleware: list[Any] = [JumpsBack()] if jumps_back else []
        if halo is not None:
            middleware.append(halo.middleware())
        if halo is not None and everything:
            model = halo.guard(model)
        built = create_agent(
            model, list(tools), middleware=middleware, checkpointer=InMemorySaver() if durable else None
        )
        if halo is not None and everything:
            self._halo_of[id(built)] = (built, halo)
        return built

    def team(
        self, halo: Halo, said_by: Mapping[str, Sequence[Say]], tools: Mapping[str, Sequence[Any]], heard: list[str]
    ) -> Any:
        members = [
            create_agent(
                halo.guard(Speaker(script=said(script), speaker=name, heard=heard)),
                [*tools.get(name, ()), *halo.guard([create_handoff_tool(agent_name=n) for n in said_by if n != name])],
                middleware=[halo.middleware()],
                name=name,
            )
            for name, script in said_by.items()
        ]
        return halo.guard(create_swarm(members, default_active_agent=next(iter(said_by))).compile())

    def run(self, agent: Any, shape: str, *, thread: str = "") -> Turn:
        return self._turn(agent, shape, ASKED, thread)

    async def arun(self, agent: Any) -> None:
        await agent.ainvoke(ASKED)

    def resume(self, agent: Any, shape: str, *, thread: str) -> Turn:
        waiting = agent.get_state({"configurable": {"thread_id": thread}}).interrupts
        return self._turn(agent, shape, Command(resume={item.id: True for item in waiting}), thread)

    def persisted(self, agent: Any) -> str:
        saver = agent.checkpointer
        kept = (dict(saver.storage), dict(saver.writes), dict(saver.blobs))
        return readable(kept)

    def elsewhere(self) -> Path:
        return Path(__file__).with_name("elsewhere_langchain.py")

    def _turn(self, agent: Any, shape: str, given: Any, thread: str) -> Turn:
        config: dict[str, Any] = {"configurable": {"thread_id": thread}} if thread else {}
        _, halo = self._halo_of.get(id(agent), (None, None))
        with contextlib.ExitStack() as hooks:
            if halo is not None:
                config["callbacks"] = [halo.callback()]
                hooks.enter_context(halo.install())
            try:
                state = drive(agent, shape, given, config)
            except Exception as error:  # noqa: BLE001  whatever ended the run is what the case asks about
                return Turn(error=error)
        interrupts: Sequence[Any] = ()
        if thread:
            kept = agent.get_state(config)
            state, interrupts = kept.values, kept.interrupts
        return turn_of(state, [item.value for item in interrupts])


def turn_of(state: Mapping[str, Any], waiting: Sequence[Any]) -> Turn:
    """A run's last state as the contract reads it."""
    messages = state["messages"]
    order = [item["id"] for m in messages if isinstance(m, AIMessage) for item in m.tool_calls]
    results = [m for m in messages if isinstance(m, ToolMessage)]
    told = sorted(results, key=lambda m: order.index(m.tool_call_id) if m.tool_call_id in order else len(order))
    texts = tuple(str(m.text) for m in told)
    named = [str(item["pending_id"]) for item in waiting]
    named += [found[1] for text in texts if (found := WAITS.match(text))]
    return Turn(texts, str(messages[-1].text), None, tuple(named), tuple(waiting))


def drive(runnable: Any, shape: str, given: Any, config: Any = None) -> Any:
    """Run a runnable in a shape; its last state, message or result."""
    if shape == "invoke":
        return runnable.invoke(given, config)
    if shape == "batch":
        return runnable.batch([given], config)[0]
    if shape == "stream":
        return joined(list(runnable.stream(given, config, **modes(runnable))))
    return asyncio.run(adrive(runnable, shape, given, config))


async def adrive(runnable: Any, shape: str, given: Any, config: Any) -> Any:
    if shape == "ainvoke":
        return await runnable.ainvoke(given, config)
    if shape == "abatch":
        return (await runnable.abatch([given], config))[0]
    if shape == "astream":
        return joined([item async for item in runnable.astream(given, config, **modes(runnable))])
    assert shape == "astream_events"
    events: AsyncIterator[Any] = runnable.astream_events(given, config, version="v2")
    return [event async for event in events][-1]["data"]["output"]


def modes(runnable: Any) -> dict[str, Any]:
    return {"stream_mode": "values"} if hasattr(runnable, "get_state") else {}


def joined(items: list[Any]) -> Any:
    if not isinstance(items[-1], AIMessageChunk):
        return items[-1]
    whole = items[0]
    for item in items[1:]:
        whole += item
    return whole


def readable(kept: Any) -> str:
    """Every byte string and text in what was kept."""
    if isinstance(kept, bytes):
        return kept.decode("latin-1")
    if isinstance(kept, Mapping):
        return "\n".join(readable(part) for pair in kept.items() for part in pair)
    if isinstance(kept, list | tuple):
        return "\n".join(map(readable, kept))
    return str(kept)
