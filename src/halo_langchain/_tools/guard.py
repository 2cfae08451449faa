"""Room: guarded tools. Takes: tools and functions. Gives: copies that are decided at the last step before they run.

A `Tool` or `StructuredTool` has its function wrapped, any other tool its `_run` and `_arun`: after validation, with
the arguments as executed, on every path (`invoke`, `run`, `batch`, `.func`). An entry point that a class has made anew
is decided there. Never: decides, changes the original.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from langchain_core.tools import BaseTool, StructuredTool, Tool
from langchain_core.tools import tool as make_tool

from halo_core.errors import ConfigError
from halo_core.model import ActionKind, Resource
from halo_core.pep.gate import Gate, Strange, gate_of, put_gate, resource_name
from halo_core.pep.handoff import HANDED, agent_resource, known_agent
from halo_core.pep.names import unknown
from halo_langchain._handoff import destination
from halo_langchain._own import refuse_own
from halo_langchain._surfaces import tool_surface
from halo_langchain._tools.kind import BINDERS, entry_class, of_body, run_class
from halo_langchain._tools.run import arun_gated, run_gated
from halo_langchain._translate import tool_schema
from halo_langchain._values.arguments import Binder
from halo_langchain._values.hidden import settable

if TYPE_CHECKING:
    from halo_langchain import Halo

__all__ = ["as_tool", "gated_copy", "guard_tool"]

_KINDS: Final = (ActionKind.TOOL_CALL, ActionKind.RETRIEVAL)
_DECIDED: Final = ("invoke", "ainvoke", "run", "arun", "_run", "_arun")
_UNDECIDED: Final = ("batch", "abatch", "stream", "astream")


def as_tool(function: Callable[..., Any]) -> BaseTool:
    """A function as a tool, described by its docstring, or by its name where it has none."""
    described = getattr(function, "__doc__", None)
    made = make_tool(function) if described else make_tool(function, description=_name_of(function))
    if not isinstance(made, BaseTool):
        raise ConfigError("not_a_tool", f"`{function!r}` does not make a tool", field="x")
    return made


def _name_of(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def guard_tool(halo: Halo, tool: BaseTool, resource: Resource | None) -> BaseTool:
    """Register a tool and return its guarded copy.

    Raises:
        ConfigError: its name can name no resource, or belongs to one of another kind; or its class has an entry point
            of its own that cannot be decided.
    """
    gate = gate_of(tool)
    if gate is not None and gate.halo is halo:
        if resource is None:
            return tool
        tool = gate.original
    refuse_own(tool, _DECIDED, _UNDECIDED, "guard a tool without it: the framework's own runs the tool")
    to = destination(tool)
    if to:
        return gated_copy(halo, tool, agent_resource(halo, to, resource))
    name = resource_name(resource, tool.name)
    if resource is None:
        resource = halo.declared(name, ActionKind.TOOL_CALL, ActionKind.RETRIEVAL)
    kind = resource.kind if resource is not None and resource.kind in _KINDS else ActionKind.TOOL_CALL
    # A hidden argument that the caller can set is granted, or refused, like any other.
    schema = tool_schema(tool, settable(tool, _functions(tool).values()))
    registered = halo.register(kind, name, resource=resource, description=tool.description, schema=schema)
    return gated_copy(halo, tool, registered)


def gated_copy(halo: Halo, tool: BaseTool, resource: Resource | None = None) -> BaseTool:
    """A copy behind a gate; without a resource nobody has said what it is, whatever else has its name.

    A hand-off tool is known by the agent that it leads to.
    """
    to = destination(tool)
    told = resource or (known_agent(halo, to) if to else unknown(tool.name, ActionKind.TOOL_CALL))
    gate = (Gate if resource or to else Strange)(halo, tool, tool.name, told, HANDED if to else tool_surface(tool))
    names = frozenset(tool_schema(tool)["properties"])
    kind = type(tool)
    # Bound here, read by the class: one class serves every tool of its type.
    found = _functions(tool)
    binders = {name: Binder.of(tool, item, names, method=name[0] == "_") for name, item in found.items()}
    update = {
        name: _wrapped(gate, binders[name], item, awaited=name == "coroutine")
        for name, item in found.items()
        if name[0] != "_"
    }
    copy: BaseTool = tool.model_copy(update=update)
    object.__setattr__(copy, "__class__", run_class(kind) if "_run" in found else entry_class(kind))
    copy.__dict__[BINDERS] = binders
    put_gate(copy, gate)
    return copy


def _functions(tool: BaseTool) -> dict[str, Callable[..., Any]]:
    """What of a tool is decided, by the name of the attribute."""
    kind, found = type(tool), {}
    if isinstance(tool, Tool | StructuredTool):
        held = {name: getattr(tool, name) for name in ("func", "coroutine")}
        found = {name: function for name, function in held.items() if function is not None}
        if not _own_run(kind):
            return found
    return {**found, **{name: getattr(kind, name) for name in ("_run", "_arun")}}


def _own_run(kind: type[BaseTool]) -> bool:
    base = Tool if issubclass(kind, Tool) else StructuredTool
    return kind._run is not base._run or kind._arun is not base._arun  # noqa: SLF001  the hooks we stand at


def _wrapped(gate: Gate, binder: Binder, function: Callable[..., Any], *, awaited: bool) -> Callable[..., Any]:
    if awaited:

        @functools.wraps(function)
        async def acall(*args: Any, **kwargs: Any) -> Any:
            if of_body(gate):
                return await function(*args, **kwargs)
            return await arun_gated(gate, binder, function, args, kwargs)

        return acall

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if of_body(gate):
            return function(*args, **kwargs)
        return run_gated(gate, binder, function, args, kwargs)

    return call
