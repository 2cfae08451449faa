"""Room: the parts of an app as `halo doctor` judges them. Takes: a tool, retriever, model. Gives: rows about it.

Never: runs anything of the app's, decides.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from halo_core.coverage import Kind, Status
from halo_core.model import ActionKind
from halo_langchain._doctor.agents import TOOL_HOOKS, Graph
from halo_langchain._doctor.hooks import around, cover_of, guards_model, halo_of, order
from halo_langchain._doctor.rows import CLIENTS
from halo_langchain._doctor.verdicts import (
    CALLBACK,
    NOTHING,
    Cover,
    calls_back,
    guarded,
    handoff_target,
    named,
)
from halo_langchain._doctor.walk import container, held, members, module_of

if TYPE_CHECKING:
    from halo_langchain._doctor.app import Examiner

__all__ = ["binding", "graph", "middleware", "model", "remote", "retriever", "tool", "tool_node", "vectors"]

_ALL: Final = frozenset((Kind.TOOL, Kind.RETRIEVER, Kind.MODEL, Kind.HANDOFF))
_BODY: Final = Cover(decided=True)


def tool(examiner: Examiner, x: Any, where: str, cover: Cover) -> None:
    """A tool, and what its body reaches."""
    found, target = guarded(x), handoff_target(x)
    original = found.original if found is not None else x
    kind = Kind.HANDOFF if target else Kind.TOOL
    name = found.name if found is not None else named(x)
    closed = examiner.rows.judge(kind, x, where, cover, f"{target} (by `{name}`)" if target else name)
    inside = f"{where} > tool `{name}`".lstrip(" >")
    body = _BODY if closed else NOTHING
    if found is not None and found.resource.kind is ActionKind.RETRIEVAL:
        body = Cover(f"guarded tool `{name}`, a retrieval", frozenset((Kind.RETRIEVER,)), decided=True)
    _body(examiner, original, inside, body)
    if any(module_of(held(original).get(key)).startswith("langchain_mcp_adapters") for key in ("func", "coroutine")):
        examiner.rows.note(
            Kind.TOOL, f"{name} (MCP)", where, "its session reaches every tool of its server: hand out tools only"
        )


def _body(examiner: Examiner, x: Any, where: str, cover: Cover) -> None:
    """Fields and methods of a tool or retriever."""
    examiner.each(held(x).items(), where, cover)
    examiner.each(members(type(x)), where, cover)


def retriever(examiner: Examiner, x: Any, where: str, cover: Cover) -> None:
    """A retriever, those inside it, and the store behind it."""
    found = guarded(x)
    examiner.rows.judge(Kind.RETRIEVER, x, where, cover)
    original = found.original if found is not None else x
    name = found.name if found is not None else named(x)
    _body(examiner, original, f"{where} > retriever `{name}`".lstrip(" >"), _BODY)


def model(examiner: Examiner, x: Any, where: str, cover: Cover) -> None:
    """A model, tools that its provider runs, its client."""
    found = guarded(x)
    closed = examiner.rows.judge(Kind.MODEL, x, where, cover)
    original = found.original if found is not None else x
    more = held(original).get("model_kwargs")
    if type(more) is dict:
        examiner.rows.hosted(more.get("tools"), where, closed=closed)
    examiner.rows.client(original, where)
    name = found.name if found is not None else named(x)
    # A model that another one calls is asked what that one was.
    body = (
        replace(_BODY, point=f"model `{name}`, which calls it", kinds=frozenset((Kind.MODEL,))) if closed else NOTHING
    )
    place = f"{where} > model `{name}`".lstrip(" >")
    examiner.each(((k, v) for k, v in held(original).items() if k not in CLIENTS and k != "model_kwargs"), place, body)
    examiner.each(members(type(original)), place, body)


def vectors(examiner: Examiner, x: Any, where: str, cover: Cover) -> None:
    """A vector store: searching it is a retrieval that carries no guard."""
    name, where = "similarity_search", f"{where} > store `{type(x).__name__}`".lstrip(" >")
    if cover.decided:
        examiner.rows.note(
            Kind.RETRIEVER, name, where, "searching the store itself is not decided: hand out the retriever only"
        )
    else:
        examiner.rows.touched += 1
        examiner.rows.add(
            Kind.RETRIEVER, name, where, "none", Status.OPEN, "search it by `halo.guard(store.as_retriever())`"
        )


# what stands around them


def binding(examiner: Examiner, x: Any, where: str, cover: Cover) -> None:
    """A runnable with arguments and settings bound to it; a callback among them decides what is inside."""
    own = held(x)
    config, kwargs = own.get("config"), own.get("kwargs")
    called = calls_back(config.get("callbacks")) if type(config) is dict else None
    if called is not None:
        cover = replace(NOTHING, point=CALLBACK, kinds=_ALL, halo=called)
    examiner.visit(config, where, NOTHING)
    examiner.visit(own.get("bound"), where, cover)
    if type(kwargs) is dict:
        guarded = guards_model(x) or Kind.MODEL in cover.kinds
        examiner.rows.hosted(kwargs.get("tools"), where, closed=guarded)
        examiner.each(((k, v) for k, v in kwargs.items() if k != "tools"), where, cover)
    examiner.each(((k, v) for k, v in own.items() if k not in {"bound", "config", "kwargs"}), where, cover)


def tool_node(examiner: Examiner, x: Any, where: str, cover: Cover) -> None:
    """Tools that a graph node runs, under what wraps their calls."""
    found = order(held(x).get(hook) for hook in TOOL_HOOKS)
    inside = cover_of(found, (Kind.TOOL, Kind.HANDOFF)) or cover
    examiner.each((held(x).get("_tools_by_name") or {}).items(), where, inside)
    around(examiner, found, where, replace(NOTHING, hint=inside.hint))
    # What handles errors, and what a class of the app's own does, runs beside the calls.
    examiner.each(((k, v) for k, v in held(x).items() if k not in {"_tools_by_name", *TOOL_HOOKS}), where, NOTHING)
    examiner.each(members(type(x)), where, NOTHING)


def middleware(examiner: Examiner, x: Any, where: str, cover: Cover) -> None:
    """A middleware of the app's: what it holds it may call by itexaminer."""
    if halo_of(x) is not None:
        return
    place = f"{where} > middleware `{type(x).__name__}`".lstrip(" >")
    inner = held(x)
    tools = inner.pop("tools", None)  # the tool node has them
    if type(x).__name__ == "ModelFallbackMiddleware" and cover.kinds:
        examiner.visit(inner.pop("models", None), place, cover)
    shared = [item for _, item in container(tools) or ()]
    examiner.each(((k, v) for k, v in inner.items() if not any(v is item for item in shared)), place, NOTHING)
    examiner.each(members(type(x)), place, NOTHING)


def remote(examiner: Examiner, x: Any, where: str, cover: Cover) -> None:  # noqa: ARG001  the form of the others
    """A graph that runs elsewhere."""
    examiner.rows.touched += 1
    examiner.rows.note(Kind.AGENT, named(x), where, "what it does elsewhere is decided there, or nowhere")


def graph(examiner: Examiner, x: Any, where: str, cover: Cover) -> None:
    """A graph: its nodes, and what its host can do with it."""
    Graph(examiner, x, where, cover).look()
