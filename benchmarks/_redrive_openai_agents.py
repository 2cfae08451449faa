"""Room: re-drive over the OpenAI Agents SDK. Takes: recorded sessions. Gives: a real run of the SDK's runner for each.

A scripted model says the recorded calls, the events of one turn together in one response; a tool's body returns the
recorded result or raises the recorded error. Halo stands in front of both. Never: decides, skips a recorded call.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from agents import Agent, FunctionTool, ModelResponse, Runner, set_tracing_disabled
from agents.tool import set_function_tool_failure_error_function, with_function_tool_failure_error_handler
from agents.tool_context import ToolContext
from agents.usage import Usage
from openai.types.responses import ResponseFunctionToolCall

from _redrive_data import Event, Session, call_id
from _redrive_witness import Witness
from halo_core.clock import Clock
from halo_core.model import Constraint, ConstraintKind, Resource
from halo_openai_agents import Halo
from halo_openai_agents.testing import Message, ScriptedModel

__all__ = ["OpenAIAgents"]

_ANY = Constraint(ConstraintKind.WILDCARD)
_ONE_BY_ONE = {"max_function_tool_concurrency": 1}  # calls of one turn in the order in which they were recorded
_OPEN = {"additionalProperties": True, "properties": {}, "type": "object"}


class _Recorded(ScriptedModel):
    """Says what was recorded; past its end it says `done`."""

    turns: dict[str, ModelResponse]

    def say(self, given: Any) -> ModelResponse:
        """The turn that comes next."""
        planned = super().say(given)
        return self.turns.get(planned.response_id or "", planned)

    def play(self, turns: list[ModelResponse]) -> None:
        """Say these."""
        self.turns = {str(turn.response_id): turn for turn in turns}
        self.script = [Message("", id=str(turn.response_id)) for turn in turns]


class OpenAIAgents:
    """One agent: a suite's role, under an issued passport, or in one fold with grants learnt from the other.

    Args:
        agent: its id.
        tools: names and kinds of the suite's tools.
        granted: argument names by granted tool; None where the home holds a passport that was issued.
        resources: what a tool is, by name and kind; None for what the home's manifest declares.
        witness: is told of each body that runs.
        db: URL of the store.
        home: its keys.
        clock: of the decisions; None is the system's.
    """

    def __init__(
        self,
        agent: str,
        *,
        tools: dict[str, str],
        granted: dict[str, set[str]] | None,
        resources: Callable[[str, str], Resource | None],
        witness: Witness,
        db: str,
        home: Path,
        clock: Clock | None = None,
    ) -> None:
        set_tracing_disabled(disabled=True)
        self._events: dict[str, Event] = {}
        self._witness = witness
        grants = None
        if granted is not None:
            grants = {name: dict.fromkeys(sorted(args), _ANY) for name, args in granted.items()}
        self._halo = Halo.local(agent=agent, mode="enforce", db=db, home=home, grants=grants, quiet=True, clock=clock)
        guarded = [
            self._halo.guard(self._tool(name), resource=resources(name, kind)) for name, kind in sorted(tools.items())
        ]
        self._agent = self._halo.guard(Agent(name=agent, model=_Recorded([]), tools=guarded))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._halo.close()

    def drive(self, session: Session, name: str) -> None:
        """Run one session to its end, under the id `name`."""
        self._events = {call_id(name, i): event for i, event in enumerate(session.events)}
        model: Any = self._agent.model
        model.play([_response(name, calls) for calls in session.turns()])
        with self._halo.session(name):
            options = self._halo.run_options(run_config={"tool_execution": _ONE_BY_ONE})
            Runner.run_sync(self._agent, session.request, max_turns=None, **options)

    def _tool(self, name: str) -> FunctionTool:
        invoke = with_function_tool_failure_error_handler(self._body(name), lambda _tool, _error, _text: None)
        tool = FunctionTool(name, name, _OPEN, invoke, strict_json_schema=False)
        return set_function_tool_failure_error_function(tool, lambda _context, error: str(error))

    def _body(self, name: str) -> Callable[..., Any]:
        async def body(context: ToolContext[Any], _text: str) -> str:
            this = context.tool_call_id
            self._witness.ran(this)
            event = self._events[this]
            if event.tool != name:
                raise AssertionError(f"`{name}` was called as `{event.tool}`")
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
