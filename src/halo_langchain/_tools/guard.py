"""Room: guarded tools. Takes: tools and functions. Gives: copies that are decided at the last step before they run.

A `Tool` or `StructuredTool` has its function wrapped, any other tool its `_run` and `_arun`: after validation, with
the arguments as executed, on every path (`invoke`, `run`, `batch`, `.func`). Never: decides, changes the original.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from langchain_core.tools import BaseTool, StructuredTool, Tool
from langchain_core.tools import tool as make_tool

from halo_core.errors import ConfigError
from halo_core.model import ActionKind, Resource
from halo_langchain._context import entered
from halo_langchain._gate import Gate, gate_of, put_gate, required, resource_name, subclass
from halo_langchain._handoff import HANDED, agent_resource, destination, known_agent
from halo_langchain._surfaces import tool_surface
from halo_langchain._tools.run import arun_gated, run_gated
from halo_langchain._translate import tool_schema, unknown
from halo_langchain._values.arguments import Binder, settable

if TYPE_CHECKING:
    from halo_langchain import Halo

__all__ = ["as_tool", "gated_copy", "guard_tool"]

_KINDS: Final = (ActionKind.TOOL_CALL, ActionKind.RETRIEVAL)
_BINDERS: Final = "_halo_binders"


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
        ConfigError: its name can name no resource, or belongs to one of another kind.
    """
    gate = gate_of(tool)
    if gate is not None and gate.halo is halo:
        if resource is None:
            return tool
        tool = gate.original
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
    """A copy behind a gate; without a resource, behind what is known of its name (nothing is registered)."""
    to = destination(tool)
    known = resource or (known_agent(halo, to) if to else _known(halo, tool.name))
    gate = Gate(halo, tool, tool.name, known, HANDED if to else tool_surface(tool))
    names = frozenset(tool_schema(tool)["properties"])
    kind = type(tool)
    if isinstance(tool, Tool | StructuredTool) and not _own_run(kind):
        update = {
            name: _wrapped(gate, Binder.of(tool, function, names), function, awaited=name == "coroutine")
            for name, function in _functions(tool).items()
        }
        copy: BaseTool = tool.model_copy(update=update)
        object.__setattr__(copy, "__class__", _entry_class(kind))
    else:
        copy = tool.model_copy()
        object.__setattr__(copy, "__class__", _run_class(kind))
        # Bound here, read by the class: one class serves every tool of its type.
        copy.__dict__[_BINDERS] = {
            name: Binder.of(tool, function, names, method=True) for name, function in _functions(tool).items()
        }
    put_gate(copy, gate)
    return copy


def _known(halo: Halo, name: str) -> Resource:
    known = halo.registered(name)
    # An agent or a model of the same name was granted as such.
    return known if known is not None and known.kind in _KINDS else unknown(name, ActionKind.TOOL_CALL)


def _functions(tool: BaseTool) -> dict[str, Callable[..., Any]]:
    """What of a tool is decided, by the name of the attribute."""
    kind = type(tool)
    if isinstance(tool, Tool | StructuredTool) and not _own_run(kind):
        found = {name: getattr(tool, name) for name in ("func", "coroutine")}
        return {name: function for name, function in found.items() if function is not None}
    return {name: getattr(kind, name) for name in ("_run", "_arun")}


def _own_run(kind: type[BaseTool]) -> bool:
    base = Tool if issubclass(kind, Tool) else StructuredTool
    return kind._run is not base._run or kind._arun is not base._arun  # noqa: SLF001  the hooks we stand at


def _wrapped(gate: Gate, binder: Binder, function: Callable[..., Any], *, awaited: bool) -> Callable[..., Any]:
    if awaited:

        @functools.wraps(function)
        async def acall(*args: Any, **kwargs: Any) -> Any:
            return await arun_gated(gate, binder, function, args, kwargs)

        return acall

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return run_gated(gate, binder, function, args, kwargs)

    return call


@functools.lru_cache(maxsize=256)
def _entry_class(kind: type[BaseTool]) -> type[BaseTool]:
    """Subclass whose entry points say that a guard decides this run."""

    def run(self: Any, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        gate = required(self)
        with entered(gate.halo, "tool", gate.name, kwargs.get("config"), kwargs.get("tool_call_id")):
            return kind.run(self, tool_input, *args, **kwargs)

    async def arun(self: Any, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        gate = required(self)
        with entered(gate.halo, "tool", gate.name, kwargs.get("config"), kwargs.get("tool_call_id")):
            return await kind.arun(self, tool_input, *args, **kwargs)

    return subclass(kind, {"run": functools.wraps(kind.run)(run), "arun": functools.wraps(kind.arun)(arun)})


@functools.lru_cache(maxsize=256)
def _run_class(kind: type[BaseTool]) -> type[BaseTool]:
    """Subclass whose `_run` (and `_arun`, where the class has its own) is decided."""
    base = _entry_class(kind)

    @functools.wraps(kind._run)  # noqa: SLF001  the framework reads its signature
    def _run(self: Any, *args: Any, **kwargs: Any) -> Any:
        gate, binder = required(self), self.__dict__[_BINDERS]["_run"]
        return run_gated(gate, binder, functools.partial(kind._run, self), args, kwargs)  # noqa: SLF001  what was overridden

    @functools.wraps(kind._arun)  # noqa: SLF001  the framework reads its signature
    async def _arun(self: Any, *args: Any, **kwargs: Any) -> Any:
        gate, binder = required(self), self.__dict__[_BINDERS]["_arun"]
        function = functools.partial(kind._arun, self)  # noqa: SLF001  as above
        return await arun_gated(gate, binder, function, args, kwargs, descends=True)

    # The inherited `_arun` runs `_run` in a thread, so `_run` decides.
    own_async = kind._arun is not BaseTool._arun  # noqa: SLF001  as above
    return subclass(base, {"_run": _run, **({"_arun": _arun} if own_async else {})})
