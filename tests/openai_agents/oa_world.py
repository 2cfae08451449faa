"""What the tests of this adapter share: agents over scripted models, ways to run them, what a run told its model."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from agents import Agent, Runner, RunState
from agents.tool_context import ToolContext

from halo_openai_agents import Resource
from halo_openai_agents.testing import ScriptedModel, call

RAN: list[Any] = []


def look(q: str) -> str:
    """Look."""
    RAN.append(q)
    return f"seen {q}"


def pay(to: str, amount: int) -> str:
    """Pay."""
    RAN.append((to, amount))
    return f"paid {to}"


def top(k: int) -> str:
    """Top k."""
    RAN.append(k)
    return f"top {k}"


LOOK = call("looking", ("look", {"q": "x"}), id="m1")
PAY = call("paying", ("pay", {"to": "bo", "amount": 5}), id="m1")


def trusted(*labels: str, **declared: Any) -> Resource:
    """A resource that nothing but a label speaks against."""
    return Resource(**{"impact": "read", "source_trust": 900, "labels": labels, **declared})


def agent(name: str, script: Sequence[Any], tools: Sequence[Any] = (), **more: Any) -> Agent[Any]:
    return Agent(name=name, model=ScriptedModel(script), tools=list(tools), **more)


def told(result: Any) -> list[str]:
    """Texts of the tool results as the model was told them."""
    return [str(item["output"]) for item in result.to_input_list() if item.get("type") == "function_call_output"]


async def stored(guarded: Any, result: Any, change: Callable[[Any], None] = lambda _state: None) -> RunState[Any]:
    """A result's state, written down and read back, in between as `change` leaves it."""
    kept = json.loads(result.to_state().to_string())
    change(kept)
    return await RunState.from_json(guarded, kept)


async def streamed(guarded: Any, given: Any, **options: Any) -> Any:
    result = Runner.run_streamed(guarded, given, **options)
    async for _ in result.stream_events():
        pass
    return result


def by_hand(tool: Any, args: Any) -> tuple[ToolContext[Any], str]:
    """What somebody passes to a tool that is called past every runner."""
    text = args if isinstance(args, str) else json.dumps(args)
    return ToolContext(None, tool_name=tool.name, tool_call_id="by-hand", tool_arguments=text), text
