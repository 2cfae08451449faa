"""Room: the class of a guarded workflow. Takes: a workflow's class. Gives: one whose every step is entered.

Never: decides itself, holds anything of one workflow.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, Final

from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.workflow import Context, StartEvent, Workflow
from workflows.utils import get_steps_from_class

from halo_core.errors import Denied
from halo_llamaindex._agents.at import Plan
from halo_llamaindex._agents.calls import call_tool, with_wanted
from halo_llamaindex._agents.steps import run_step
from halo_llamaindex._context import Run, in_body, kind_with, started
from halo_llamaindex._words import message_text

__all__ = ["PLAN", "guarded_class", "plan_of", "ways_of"]

PLAN: Final = "_halo_plan"
_CALLS: Final = "_call_tool"
_TOOLS: Final = "get_tools"


def plan_of(workflow: Any) -> Plan:
    """How a guarded workflow is entered.

    Raises:
        Denied: it was copied in a way that lost it.
    """
    found = workflow.__dict__.get(PLAN)
    if not isinstance(found, Plan):
        raise Denied("needs_guard", "this copy of a guarded workflow has lost its guard", remedy="guard it again")
    return found


def ways_of(kind: type[Workflow]) -> list[str]:
    """What of a workflow is Halo's in a guarded copy of it."""
    more = [name for name in (_CALLS, _TOOLS) if hasattr(kind, name)]
    return ["run", *get_steps_from_class(kind), *more]


@functools.lru_cache(maxsize=256)
def guarded_class(kind: type[Workflow]) -> type[Workflow]:
    """Subclass that starts its runs, enters its steps and decides the tool calls of its agents."""
    members: dict[str, Any] = {name: _step(kind, name) for name in get_steps_from_class(kind)}
    members |= {name: _free(name, function) for name, function in kind._step_functions.items()}  # noqa: SLF001  no public way to them
    members["run"] = _run(kind)
    if hasattr(kind, _CALLS):
        members |= {_CALLS: _calls(kind), _TOOLS: _tools(kind)}
    return kind_with(kind, members)


def _step(kind: type[Workflow], name: str) -> Callable[..., Any]:
    function = getattr(kind, name)

    @functools.wraps(function)  # the framework reads its signature and its configuration
    async def step(self: Any, *args: Any, **kwargs: Any) -> Any:
        return await _enter(self, name, functools.partial(function, self), args, kwargs)

    return step


def _free(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A step that is a function beside the class, as a method of it."""

    @functools.wraps(function)
    async def step(self: Any, *args: Any, **kwargs: Any) -> Any:
        return await _enter(self, name, function, args, kwargs)

    return step


async def _enter(workflow: Any, name: str, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    config = workflow._get_steps()[name]._step_config  # noqa: SLF001  where the framework keeps it
    given = config.event_name

    async def step(event: Any) -> Any:
        passed = {**kwargs, given: event} if given in kwargs else kwargs
        if asyncio.iscoroutinefunction(inspect.unwrap(getattr(function, "func", function))):
            return await function(*args, **passed)
        return await asyncio.to_thread(function, *args, **passed)

    return await run_step(plan_of(workflow), name, step, kwargs.get(given))


def _run(kind: type[Workflow]) -> Callable[..., Any]:
    @functools.wraps(kind.run)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        plan_of(self)
        given = kwargs.get("ctx")
        kept = given if given is not None else next((item for item in args if isinstance(item, Context)), None)
        words = tuple(_words(args, kwargs))
        # What a tool's body asks an agent is no user's word.
        run = Run(kept is not None, () if in_body() else words, words[-1] if words else "")
        with started(run):
            return kind.run(self, *args, **kwargs)

    return run


def _words(args: tuple[Any, ...], kwargs: Any) -> Iterable[str]:
    """What the host passed as its user's words."""
    start = kwargs.get("start_event") or next((item for item in args if isinstance(item, StartEvent)), None)
    told = [item for item in args if not isinstance(item, Context | StartEvent)]
    said = [kwargs.get("user_msg"), told[0] if told else None]
    history = [kwargs.get("chat_history"), told[1] if len(told) > 1 else None]
    if start is not None:
        said.append(start.get("user_msg", None))
        history.append(start.get("chat_history", None))
    messages = [item for found in history if isinstance(found, list | tuple) for item in found]
    for item in (*messages, *said):
        if isinstance(item, str) and item:
            yield item
        elif isinstance(item, ChatMessage) and item.role == MessageRole.USER and message_text(item):
            yield message_text(item)


def _calls(kind: Any) -> Callable[..., Any]:
    function = getattr(kind, _CALLS)

    @functools.wraps(function)
    async def _call_tool(self: Any, ctx: Any, tool: Any, tool_input: dict[str, Any]) -> Any:
        return await call_tool(plan_of(self).halo, function, self, ctx, tool, tool_input)

    return _call_tool


def _tools(kind: Any) -> Callable[..., Any]:
    function = getattr(kind, _TOOLS)

    @functools.wraps(function)
    async def get_tools(self: Any, *args: Any, **kwargs: Any) -> Any:
        return with_wanted(await function(self, *args, **kwargs))

    return get_tools
