"""Make pairs of calls in LangChain and LangGraph to be timed: one with Halo, one without.

Requests of the middleware's hooks are real ones, kept from a run of an agent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from langchain.agents import create_agent
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import BaseTool, StructuredTool
from langgraph.graph import MessagesState, StateGraph

from _empty import Empty
from _overhead_measure import Case
from halo_core.errors import ConfigError
from halo_langchain import Halo, Impact, Resource
from halo_langchain.testing import ScriptedModel, call

__all__ = ["cases"]

_TOOL_US = 50.0
_HOOK_US = 50.0
_READ = Resource(impact=Impact.READ, idempotent=True)
_WORDS = "what the quarterly report says of the freight rates"
_ARGS = {"query": _WORDS, "limit": 3}
_DOCUMENTS = [Document(f"paragraph {i} of the report on freight rates") for i in range(4)]
_SAID = [HumanMessage(_WORDS, id="m0"), AIMessage("They fell.", id="m1"), HumanMessage("By how much?", id="m2")]


def _look(query: str, limit: int = 5) -> str:
    """Look something up."""
    return f"{limit} for {query}"


async def _alook(query: str, limit: int = 5) -> str:
    """Look something up."""
    return f"{limit} for {query}"


def _tool(name: str) -> BaseTool:
    return StructuredTool.from_function(_look, _alook, name=name)


class _Shelf(BaseRetriever):
    k: int = 4

    def _get_relevant_documents(self, query: str, **_kwargs: Any) -> list[Document]:
        del query
        return _DOCUMENTS[: self.k]

    async def _aget_relevant_documents(self, query: str, **_kwargs: Any) -> list[Document]:
        del query
        return _DOCUMENTS[: self.k]


class _Kept(Empty):
    """Keeps the requests that come by."""

    def __init__(self) -> None:
        super().__init__()
        self.models: list[Any] = []
        self.tools: list[Any] = []

    def wrap_model_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        self.models.append(request)
        return handler(request)

    def wrap_tool_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        self.tools.append(request)
        return handler(request)


def cases(halo: Halo) -> Iterator[Case]:
    """All that this Halo can stand at."""
    yield from _guarded_tool(halo)
    yield from _guarded_retriever(halo)
    yield from _middleware(halo)
    yield from _guarded_model(halo)
    yield from _guarded_graph(halo)


def _guarded_tool(halo: Halo) -> Iterator[Case]:
    plain = _tool("look")
    guarded = halo.guard(plain, resource=_READ)
    yield Case("tool, invoke", lambda: plain.invoke(_ARGS), lambda: guarded.invoke(_ARGS), _TOOL_US)
    yield Case("tool, ainvoke", lambda: plain.ainvoke(_ARGS), lambda: guarded.ainvoke(_ARGS), _TOOL_US)


def _guarded_retriever(halo: Halo) -> Iterator[Case]:
    plain = _Shelf()
    guarded = halo.guard(plain)
    yield Case("retriever, invoke", lambda: plain.invoke(_WORDS), lambda: guarded.invoke(_WORDS), None)
    yield Case("retriever, ainvoke", lambda: plain.ainvoke(_WORDS), lambda: guarded.ainvoke(_WORDS), None)


def _middleware(halo: Halo) -> Iterator[Case]:
    """Both hooks against one that does nothing, around a handler that only answers."""
    seen = _Kept()
    script = [call("I look.", ("find", _ARGS), id="a0"), AIMessage("Done.", id="a1")]
    guarded = halo.guard(_tool("find"), resource=_READ)
    agent = create_agent(
        ScriptedModel(script=script), [guarded], system_prompt=SystemMessage("Be brief."), middleware=[seen]
    )
    agent.invoke({"messages": [HumanMessage(_WORDS)]})
    model, tool = seen.models[-1], seen.tools[-1]
    ours, nothing = halo.middleware(), Empty()
    said, found = AIMessage("Done."), ToolMessage("found", tool_call_id=tool.tool_call["id"])

    async def asay(_request: Any) -> Any:
        return said

    async def afind(_request: Any) -> Any:
        return found

    for name, request, handler, hook, decides in (
        ("model call", model, lambda _r: said, "wrap_model_call", 1),
        ("model call, async", model, asay, "awrap_model_call", 1),
        ("guarded tool", tool, lambda _r: found, "wrap_tool_call", 0),
        ("guarded tool, async", tool, afind, "awrap_tool_call", 0),
    ):
        yield Case(
            f"middleware, {name}", *_hooked(hook, nothing, ours, request=request, handler=handler), _HOOK_US, decides
        )
    bare = tool.override(tool=_tool("find"))

    def run(request: Any) -> Any:
        return request.tool.invoke({**request.tool_call, "type": "tool_call"})

    # The tool is guarded on the way, each time anew.
    yield Case("middleware, bare tool", *_hooked("wrap_tool_call", nothing, ours, request=bare, handler=run), None)


def _hooked(
    hook: str, nothing: Any, ours: Any, *, request: Any, handler: Callable[[Any], Any]
) -> tuple[Callable[[], Any], Callable[[], Any]]:
    plain, guarded = getattr(nothing, hook), getattr(ours, hook)
    return lambda: plain(request, handler), lambda: guarded(request, handler)


def _guarded_model(halo: Halo) -> Iterator[Case]:
    plain = ScriptedModel(script=[], model_name="guarded")
    try:
        guarded: Any = halo.guard(plain)
    except ConfigError:
        return
    yield Case("model, invoke", lambda: plain.invoke(_SAID), lambda: guarded.invoke(_SAID), None)
    yield Case("model, ainvoke", lambda: plain.ainvoke(_SAID), lambda: guarded.ainvoke(_SAID), None)


def _guarded_graph(halo: Halo) -> Iterator[Case]:
    builder = StateGraph(MessagesState)
    builder.add_node("say", lambda _state: {"messages": [AIMessage("Done.")]})
    builder.set_entry_point("say")
    plain = builder.compile()
    try:
        guarded: Any = halo.guard(plain)
    except ConfigError:
        return
    given: Any = {"messages": _SAID}
    yield Case("graph of one node, invoke", lambda: plain.invoke(given), lambda: guarded.invoke(given), None, None)
    yield Case("graph of one node, ainvoke", lambda: plain.ainvoke(given), lambda: guarded.ainvoke(given), None, None)
