"""Room: agents as tools. Takes: a tool that runs an agent. Gives: the same tool, running the guarded agent.

The SDK keeps the agent in the closure of the tool's function and nowhere else that counts. Never: runs anything.
"""

from __future__ import annotations

import copy
import types
from collections.abc import Callable
from typing import Any

from agents import Agent, FunctionTool
from agents import tool as sdk

from halo_core.errors import ConfigError

__all__ = ["inner_agent", "listener", "with_agent"]

_SELF = "self"  # the name of the agent in `Agent.as_tool`
_HEARS = "on_stream"


def inner_agent(tool: FunctionTool) -> Agent[Any] | None:
    """The agent that a tool runs; None of any other tool."""
    found = tool._agent_instance if tool._is_agent_tool else None  # noqa: SLF001  the SDK's only mark of one
    return found if isinstance(found, Agent) else None


def listener(tool: FunctionTool) -> object:
    """What hears the agent inside of a tool as it speaks, None where nothing does."""
    inner = getattr(tool.on_invoke_tool, "_invoke_tool_impl", None)
    names = getattr(getattr(inner, "__code__", None), "co_freevars", ())
    cells = getattr(inner, "__closure__", None) or ()
    return next((cell.cell_contents for name, cell in zip(names, cells, strict=True) if name == _HEARS), None)


def with_agent(tool: FunctionTool, agent: Agent[Any]) -> FunctionTool:
    """The tool with another agent in it.

    Raises:
        ConfigError: the SDK keeps its agent somewhere else than it did.
    """
    found = tool.on_invoke_tool
    inner = getattr(found, "_invoke_tool_impl", None)
    if not isinstance(found, sdk._FailureHandlingFunctionToolInvoker) or not isinstance(  # noqa: SLF001  the SDK's own
        inner, types.FunctionType
    ):
        raise _kept_elsewhere(tool)
    impl = _rebuilt(tool, inner, agent)
    made = copy.copy(tool)
    made.on_invoke_tool = type(found)(impl, found._on_handled_error, function_tool=made)  # noqa: SLF001  as above
    made._agent_instance = agent  # noqa: SLF001  as above
    return made


def _rebuilt(tool: FunctionTool, function: types.FunctionType, agent: Agent[Any]) -> Callable[..., Any]:
    names, cells = function.__code__.co_freevars, function.__closure__ or ()
    held = dict(zip(names, cells, strict=True))
    if _SELF not in held or held[_SELF].cell_contents is not tool._agent_instance:  # noqa: SLF001  as above
        raise _kept_elsewhere(tool)
    closure = tuple(types.CellType(agent) if name == _SELF else cell for name, cell in held.items())
    made = types.FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, closure
    )
    made.__kwdefaults__ = function.__kwdefaults__
    made.__annotations__ = function.__annotations__
    made.__dict__.update(function.__dict__)
    return made


def _kept_elsewhere(tool: FunctionTool) -> ConfigError:
    return ConfigError(
        "not_guardable",
        f"the agent inside `{tool.name}` cannot be reached",
        field="x",
        remedy="make the tool of the guarded agent: `halo.guard(agent, agent='name').as_tool(...)`",
    )
