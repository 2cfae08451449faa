"""A pytest plugin: the SDK's own tests, run with Halo put in wherever a user would, and everything allowed.

As `transparency_plugin.py`; its switches, each a place where users put Halo:

    agents    an agent that is run is the guarded copy of it
    options   the same, with `halo.run_options()`
    tools     what `function_tool` makes is guarded at once
    tripwire  the first, and `halo.install()` stands around each test

Two agents of which one is the guarded copy of the other are equal here: a test asks for the agent that it made, and a
user would have kept the guarded one.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import agents
import agents.run
import agents.tool
import pytest
from agents import Agent, FunctionTool, RunState
from agents.run import AgentRunner

from _transparency_home import World
from _transparency_world_openai_agents import PermitAll, plain
from halo_openai_agents._runner import HaloRunner

__all__ = ["SWITCHES"]

SWITCHES: Final = ("agents", "options", "tools", "tripwire")
_SWITCHED: Final = frozenset(filter(None, os.environ.get("HALO_TRANSPARENCY", "").split(",")))
_WORLD: Final = World(PermitAll)
_RUN: Final = AgentRunner.run
_STREAMED: Final = AgentRunner.run_streamed


class _Sdk(AgentRunner):
    """The SDK's own runner, whatever is put before it."""

    run = _RUN
    run_streamed = _STREAMED


def _guarded(agent: Any, given: Any) -> Any:
    halo = _WORLD.halo
    if isinstance(given, RunState) and isinstance(given._current_agent, Agent):  # noqa: SLF001  it was read back bare
        given._current_agent = halo.once(given._current_agent)  # noqa: SLF001  as above
    return halo.once(agent) if isinstance(agent, Agent) else agent


def _told(kwargs: dict[str, Any]) -> dict[str, Any]:
    if "options" not in _SWITCHED:
        return kwargs
    mine = {name: kwargs.get(name) for name in ("run_config", "hooks")}
    return {**kwargs, **_WORLD.halo.run_options(**mine)}


async def _run(self: AgentRunner, starting_agent: Any, input: Any, **kwargs: Any) -> Any:  # noqa: A002
    del self
    return await HaloRunner(_Sdk()).run(_guarded(starting_agent, input), input, **_told(kwargs))


def _run_streamed(self: AgentRunner, starting_agent: Any, input: Any, **kwargs: Any) -> Any:  # noqa: A002
    del self
    return HaloRunner(_Sdk()).run_streamed(_guarded(starting_agent, input), input, **_told(kwargs))


def _read_back(read: Callable[..., Any]) -> Any:
    """A state that is read back for the guarded agent."""

    async def from_(initial_agent: Any, *args: Any, **kwargs: Any) -> Any:
        agent = _WORLD.halo.once(initial_agent) if isinstance(initial_agent, Agent) else initial_agent
        return await read(agent, *args, **kwargs)

    return staticmethod(functools.wraps(read)(from_))


def _making(make: Callable[..., Any]) -> Callable[..., Any]:
    """`function_tool` that makes guarded tools."""

    @functools.wraps(make)
    def made(*args: Any, **kwargs: Any) -> Any:
        found = make(*args, **kwargs)
        if isinstance(found, FunctionTool):
            return _WORLD.halo.tool(found)
        return lambda function: _WORLD.halo.tool(found(function))

    return made


def _equal(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def __eq__(self: Any, other: Any) -> Any:  # noqa: N807  it replaces one
        return compare(plain(self), plain(other))

    return __eq__


def pytest_configure(config: pytest.Config) -> None:
    """Put Halo in before a test module is imported."""
    unknown = _SWITCHED - set(SWITCHES)
    if unknown:
        raise pytest.UsageError(f"no such switch here: {', '.join(sorted(unknown))}")
    del config
    if _SWITCHED & {"agents", "options", "tripwire"}:
        AgentRunner.run, AgentRunner.run_streamed = _run, _run_streamed
        for name in ("from_json", "from_string"):
            setattr(RunState, name, _read_back(getattr(RunState, name)))
        Agent.__eq__ = _equal(Agent.__eq__)
    if "tools" in _SWITCHED:
        agents.function_tool = agents.tool.function_tool = _making(agents.tool.function_tool)


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
