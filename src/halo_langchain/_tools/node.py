"""Room: guarded tool nodes. Takes: a `ToolNode`. Gives: a copy in which every call is decided.

Its tools are guarded as `halo.guard(tool)` does it; one that comes while it runs is nobody's grant. Ours stands
innermost, where the node executes one call: a wrapper of the user's runs outside of it, and errors go the way they
went. Never: decides itself, changes the original.
"""

from __future__ import annotations

import copy
import functools
import types
from typing import TYPE_CHECKING, Any, Final, cast

from langgraph.prebuilt import ToolNode

from halo_core.errors import ConfigError
from halo_core.model import ActionKind, Resource
from halo_core.pep.gate import Gate, gate_of, put_gate, required, subclass
from halo_core.pep.handoff import HANDED
from halo_langchain._handoff import destination
from halo_langchain._pause import heard
from halo_langchain._tools.calls import ToolCalls
from halo_langchain._tools.guard import gated_copy, guard_tool

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

    from halo_langchain import Halo

__all__ = ["guard_tool_node"]

# LangGraph's own names; a test holds them to the installed version.
_TOOLS: Final = "_tools_by_name"
_HOOKS: Final = ("_execute_tool_sync", "_execute_tool_async")


def guard_tool_node(halo: Halo, node: ToolNode, at: str, met: dict[str, str]) -> ToolNode:
    """A copy of a tool node, guarded, its tools registered.

    Args:
        halo: who decides.
        node: the tool node.
        at: where it is, in words.
        met: where each tool was met first, by name; filled.

    Raises:
        ConfigError: a tool cannot be registered, or this version of LangGraph has another kind of tool node.
    """
    gate = gate_of(node)
    if gate is not None and gate.halo is halo:
        return node
    if not isinstance(node.__dict__.get(_TOOLS), dict) or not all(hasattr(node, name) for name in _HOOKS):
        raise ConfigError(
            "tool_node_unknown",
            "this tool node cannot be guarded: its class is not the one that Halo knows",
            field="x",
            remedy="guard its tools: `ToolNode(halo.guard(tools))`",
        )
    guarded = copy.copy(node)
    guarded.__class__ = _guarded_class(type(node))
    guarded.__dict__[_TOOLS] = {name: _guarded(halo, tool, at, met) for name, tool in node.__dict__[_TOOLS].items()}
    for name in ("func", "afunc"):  # bound to the original, they would run it
        method = getattr(node, name, None)
        if isinstance(method, types.MethodType) and method.__self__ is node:
            setattr(guarded, name, types.MethodType(method.__func__, guarded))
    put_gate(guarded, Gate(halo, node, node.name or "tools", Resource(kind=ActionKind.TOOL_CALL), HANDED))
    return guarded


def _guarded(halo: Halo, tool: BaseTool, at: str, met: dict[str, str]) -> BaseTool:
    gate = gate_of(tool)
    if gate is not None:
        return tool if gate.halo is halo else gated_copy(halo, tool)
    known = halo.registered(tool.name) if not destination(tool) else None
    # What was declared of this name holds here too: finding it again declares nothing.
    told = known if known is not None and known.kind is not ActionKind.HANDOFF else None
    try:
        guarded = guard_tool(halo, tool, told)
    except ConfigError as error:
        before = f", and of `{met[tool.name]}` before" if tool.name in met else ""
        raise ConfigError(
            error.code,
            f"{error.message}; it is a tool of `{at}`{before}",
            field=error.field,
            remedy=error.remedy,
        ) from error
    if told is not None and tool.name not in met:
        halo.tell(f"the tool `{tool.name}` of `{at}` goes by what is registered under that name")
    met.setdefault(tool.name, at)
    return guarded


@functools.lru_cache(maxsize=64)
def _guarded_class(kind: type[Any]) -> type[ToolNode]:
    sync, awaited = (getattr(kind, name) for name in _HOOKS)

    @functools.wraps(sync)
    def execute(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        return ToolCalls(required(self).halo).run(request, lambda again: sync(self, again, *args, **kwargs))

    @functools.wraps(awaited)
    async def aexecute(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        return await ToolCalls(required(self).halo).arun(request, lambda again: awaited(self, again, *args, **kwargs))

    def invoke(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  the framework's name
        heard(required(self).halo, config)  # before a wrapper of the app's asks anything
        return kind.invoke(self, input, config, **kwargs)

    async def ainvoke(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  as above
        heard(required(self).halo, config)
        return await kind.ainvoke(self, input, config, **kwargs)

    ways = {"invoke": functools.wraps(kind.invoke)(invoke), "ainvoke": functools.wraps(kind.ainvoke)(ainvoke)}
    members = {**dict(zip(_HOOKS, (execute, aexecute), strict=True)), **ways}
    return cast("type[ToolNode]", subclass(kind, members))
