"""A pytest plugin that runs a framework's own tests with Halo where a user would put it, and everything allowed.

    HALO_TRANSPARENCY=tools,middleware HALO_TRANSPARENCY_OUT=folder PYTHONPATH=benchmarks pytest -p transparency_plugin

Each test gets an agent of its own in one store, so that no test's call ids, tool names or budgets are another's. Its
policy permits everything; whatever a test shows Halo is registered, and so granted. What it writes into the folder: one
file for each worker, with the number of decisions by effect.

A test is not changed in any other way. The switches, each a place where users put Halo:

    tools       tools given to an agent or a `ToolNode` are guarded copies
    middleware  `create_agent` has `halo.middleware()` last
    models      the chat model of an agent is a guarded copy
    graph       what `StateGraph.compile` returns is a guarded copy
    tripwire    `halo.install()` stands around each test
    empty       `create_agent` has a last middleware that does nothing: the control of the second
"""

from __future__ import annotations

import functools
import inspect
import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import langchain.agents
import langchain.agents.factory
import langgraph.prebuilt
import langgraph.prebuilt.chat_agent_executor
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.runnables import Runnable
from langchain_core.runnables.base import RunnableBinding, RunnableSequence
from langgraph.graph import MessagesState, StateGraph
from langgraph.prebuilt import ToolNode

from _empty import Empty
from _transparency_home import World
from _transparency_world import PermitAll, guarded
from halo_core.errors import ConfigError

__all__ = ["SWITCHES"]

SWITCHES: Final = ("tools", "middleware", "models", "graph", "tripwire", "empty")
_SWITCHED: Final = frozenset(filter(None, os.environ.get("HALO_TRANSPARENCY", "").split(",")))
_WORLD: Final = World(PermitAll)


# what is put in


def _guard_model(model: Any) -> Any:
    once = _WORLD.halo.once
    if isinstance(model, RunnableBinding) and isinstance(model.bound, BaseChatModel):
        return model.model_copy(update={"bound": once(model.bound)})  # as if guarded before it was bound
    if isinstance(model, RunnableSequence):
        return RunnableSequence(*map(_guard_model, model.steps), name=model.name)
    if isinstance(model, BaseChatModel):
        return once(model)
    return model if isinstance(model, str | Runnable) or not callable(model) else _choosing(model)


def _choosing(choose: Callable[..., Any]) -> Callable[..., Any]:
    """A function that chooses the model, choosing a guarded one."""
    if inspect.iscoroutinefunction(choose):

        @functools.wraps(choose)
        async def achosen(*args: Any, **kwargs: Any) -> Any:
            return _guard_model(await choose(*args, **kwargs))

        return achosen

    @functools.wraps(choose)
    def chosen(*args: Any, **kwargs: Any) -> Any:
        return _guard_model(choose(*args, **kwargs))

    return chosen


def _with_tools(kwargs: dict[str, Any]) -> dict[str, Any]:
    tools = kwargs.get("tools")
    return {**kwargs, "tools": guarded(tools, _WORLD.halo)} if isinstance(tools, list | tuple) else kwargs


def _agent(make: Callable[..., Any], *, middleware: bool) -> Callable[..., Any]:
    @functools.wraps(make)
    def made(model: Any = None, tools: Any = None, **kwargs: Any) -> Any:
        kwargs |= {"tools": tools} if tools is not None else {}
        if "tools" in _SWITCHED:
            kwargs = _with_tools(kwargs)
        if "models" in _SWITCHED:
            model = _guard_model(model)
        if middleware and "middleware" in _SWITCHED:
            kwargs["middleware"] = [*kwargs.get("middleware", ()), _WORLD.halo.middleware()]
        if middleware and "empty" in _SWITCHED:
            kwargs["middleware"] = [*kwargs.get("middleware", ()), Empty()]
        if not middleware:
            kwargs.setdefault("tools", tools)
        return make(model, **kwargs)

    return made


def _tool_node(init: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(init)
    def __init__(self: ToolNode, tools: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807  it replaces one
        shown = guarded(tools, _WORLD.halo)  # registered either way: nobody is refused
        init(self, shown if "tools" in _SWITCHED else tools, *args, **kwargs)

    return __init__


def _compile(compile_: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(compile_)
    def compiled(self: Any, *args: Any, **kwargs: Any) -> Any:
        return _WORLD.halo.guard(compile_(self, *args, **kwargs))

    return compiled


def _lacking() -> list[str]:
    """Switches that this Halo cannot serve."""
    halo = _WORLD.halo
    attempts: dict[str, Callable[[], Any]] = {
        "models": lambda: halo.guard(FakeListChatModel(responses=["x"])),
        "graph": lambda: halo.guard(
            StateGraph(MessagesState).add_node("n", lambda _state: {}).set_entry_point("n").compile()
        ),
        "tripwire": lambda: halo.install,
    }
    return [name for name, attempt in attempts.items() if name in _SWITCHED and not _can(attempt)]


def _can(attempt: Callable[[], Any]) -> bool:
    try:
        attempt()
    except (ConfigError, AttributeError):
        return False
    return True


def pytest_configure(config: pytest.Config) -> None:
    """Put Halo in before a test module is imported."""
    unknown = _SWITCHED - set(SWITCHES)
    lacking = _lacking()
    if unknown or lacking:
        raise pytest.UsageError(f"no such switch here: {', '.join(sorted({*unknown, *lacking}))}")
    del config
    agents, executor = langchain.agents, langgraph.prebuilt.chat_agent_executor
    agents.create_agent = agents.factory.create_agent = _agent(agents.create_agent, middleware=True)
    react = _agent(executor.create_react_agent, middleware=False)
    langgraph.prebuilt.create_react_agent = executor.create_react_agent = react
    if _SWITCHED & {"tools", "graph"}:
        ToolNode.__init__ = _tool_node(ToolNode.__init__)
    if "graph" in _SWITCHED:
        StateGraph.compile = _compile(StateGraph.compile)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """A fresh agent, and so a fresh session, for each test."""
    del item
    with ExitStack() as stack:
        _WORLD.start()
        stack.callback(_WORLD.stop)
        if "tripwire" in _SWITCHED:
            stack.enter_context(_WORLD.halo.install())
        return (yield)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Say what was decided."""
    out = os.environ.get("HALO_TRANSPARENCY_OUT")
    effects = _WORLD.close()
    if out:
        worker = getattr(session.config, "workerinput", {}).get("workerid", "main")
        Path(out, f"{worker}.json").write_text(json.dumps(dict(effects)), "utf-8")
