"""Driver for the OpenAI Agents SDK: one run of the SDK's runner for each recorded session.

A scripted model makes the recorded calls, those of one turn together in one response. A tool's body returns the
recorded result or raises the recorded error. Halo guards both.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from agents import Agent, FunctionTool, ModelResponse, Runner, set_tracing_disabled
from agents.tool import set_function_tool_failure_error_function, with_function_tool_failure_error_handler
from agents.tool_context import ToolContext
from agents.usage import Usage
from openai.types.responses import ResponseFunctionToolCall

from halo_openai_agents import Halo
from halo_openai_agents.testing import Message, ScriptedModel
from halo_studies.recordings.sessions import Event, Session, call_id
from halo_studies.redrive.drivers.base import OPEN_SCHEMA, Driver

__all__ = ["OpenAIAgents"]

_ONE_BY_ONE = {"max_function_tool_concurrency": 1}  # calls of one turn in the order in which they were recorded


class _Recorded(ScriptedModel):
    """Says what was recorded; past its end it says `done`."""

    turns: dict[str, ModelResponse]

    def say(self, model_input: Any) -> ModelResponse:
        """The turn that comes next."""
        planned = super().say(model_input)
        return self.turns.get(planned.response_id or "", planned)

    def play(self, turns: list[ModelResponse]) -> None:
        """Say these."""
        self.turns = {str(turn.response_id): turn for turn in turns}
        self.script = [Message("", id=str(turn.response_id)) for turn in turns]


class OpenAIAgents(Driver):
    """An `Agent`."""

    facade = Halo

    def build(self, agent: str, guarded: list[Any]) -> None:
        """Make the agent."""
        set_tracing_disabled(disabled=True)
        self._agent = self.halo.guard(Agent(name=agent, model=_Recorded([]), tools=guarded))

    def run(self, session: Session, name: str) -> None:
        """Run it."""
        self._agent.model.play([_response(name, calls) for calls in session.turns()])
        options = self.halo.run_options(run_config={"tool_execution": _ONE_BY_ONE})
        Runner.run_sync(self._agent, session.request, max_turns=None, **options)

    def tool(self, name: str) -> FunctionTool:
        """A tool that takes anything."""
        invoke = with_function_tool_failure_error_handler(self._body(name), lambda _tool, _error, _text: None)
        tool = FunctionTool(name, name, OPEN_SCHEMA, invoke, strict_json_schema=False)
        return set_function_tool_failure_error_function(tool, lambda _context, error: str(error))

    def _body(self, name: str) -> Callable[..., Any]:
        async def body(context: ToolContext[Any], _text: str) -> str:
            event = self.event(context.tool_call_id, name)
            if event.error:
                raise RuntimeError(event.error)
            return event.result

        return body


def _response(name: str, calls: list[tuple[int, Event]]) -> ModelResponse:
    turn = f"{name}-turn-{calls[0][1].turn}"
    said = Message("", id=turn).response(turn)
    asked = [
        ResponseFunctionToolCall(
            id=f"{call_id(name, i)}-item",
            call_id=call_id(name, i),
            name=event.tool,
            arguments=json.dumps(dict(event.args)),
            type="function_call",
            status="completed",
        )
        for i, event in calls
    ]
    return ModelResponse(output=[*said.output, *asked], usage=Usage(), response_id=turn)
