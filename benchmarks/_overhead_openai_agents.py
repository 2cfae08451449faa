"""Make pairs of calls in the OpenAI Agents SDK to be timed: one with Halo, one without."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from agents import FunctionTool, ModelSettings, ModelTracing, function_tool
from agents.tool_context import ToolContext

from _overhead_measure import Case
from halo_openai_agents import Halo, Impact, Resource
from halo_openai_agents.testing import ScriptedModel

__all__ = ["cases"]

_TOOL_US = 50.0
_READ = Resource(impact=Impact.READ, idempotent=True)
_WORDS = "what the quarterly report says of the freight rates"
_ARGS = json.dumps({"query": _WORDS, "limit": 3})


def _look(query: str, limit: int = 5) -> str:
    """Look something up."""
    return f"{limit} for {query}"


async def _alook(query: str, limit: int = 5) -> str:
    """Look something up."""
    return f"{limit} for {query}"


def _invoked(tool: FunctionTool) -> Any:
    context: Any = ToolContext(context=None, tool_name=tool.name, tool_call_id="c0", tool_arguments=_ARGS)
    return tool.on_invoke_tool(context, _ARGS)


def _asked(model: Any) -> Any:
    return model.get_response(
        system_instructions=None,
        input=_WORDS,
        model_settings=ModelSettings(),
        tools=[],
        output_schema=None,
        handoffs=[],
        tracing=ModelTracing.DISABLED,
        previous_response_id=None,
        conversation_id=None,
        prompt=None,
    )


def cases(halo: Halo) -> Iterator[Case]:
    """All that this Halo can stand at."""
    for name, function in (("tool", _alook), ("tool of a plain function", _look)):
        plain = function_tool(function)
        tool = halo.guard(plain, resource=_READ)
        yield Case(name, _calls(_invoked, plain), _calls(_invoked, tool), _TOOL_US)
    model = ScriptedModel(script=[])
    yield Case("model", _calls(_asked, model), _calls(_asked, halo.guard(model)), None)


def _calls(how: Any, what: Any) -> Any:
    return lambda: how(what)
