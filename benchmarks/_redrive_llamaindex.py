"""Room: re-drive over LlamaIndex. Takes: recorded sessions. Gives: a real `FunctionAgent` run for each.

A scripted model says the recorded calls, the events of one turn together in one message; a tool's body returns the
recorded result or raises the recorded error. Halo stands in front of both. Never: decides, skips a recorded call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, MessageRole, TextBlock, ToolCallBlock
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel, ConfigDict
from workflows.runtime.types.results import StepWorkerStateContextVar

from _redrive_data import Event, Session, call_id
from _redrive_witness import Witness
from halo_core.clock import Clock
from halo_core.model import Constraint, ConstraintKind, Resource
from halo_llamaindex import Halo
from halo_llamaindex.testing import ScriptedLLM

__all__ = ["LlamaIndex"]

_ANY = Constraint(ConstraintKind.WILDCARD)
_STEPS = 10_000  # of the agent; the script ends before


class _Open(BaseModel):
    """Arguments of any name."""

    model_config = ConfigDict(extra="allow")


class LlamaIndex:
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
        self._events: dict[str, Event] = {}
        self._witness = witness
        grants = None
        if granted is not None:
            grants = {name: dict.fromkeys(sorted(args), _ANY) for name, args in granted.items()}
        self._halo = Halo.local(agent=agent, mode="enforce", db=db, home=home, grants=grants, quiet=True, clock=clock)
        guarded = [
            self._halo.guard(self._tool(name), resource=resources(name, kind)) for name, kind in sorted(tools.items())
        ]
        self._model = ScriptedLLM(script=[])
        self._agent = self._halo.guard(FunctionAgent(tools=guarded, llm=self._model))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._halo.close()

    def drive(self, session: Session, name: str) -> None:
        """Run one session to its end, under the id `name`."""
        self._events = {call_id(name, i): event for i, event in enumerate(session.events)}
        self._agent.llm.script = [_message(name, calls) for calls in session.turns()]

        async def run() -> None:
            await self._agent.run(user_msg=session.request, max_iterations=_STEPS)

        with self._halo.session(name):
            asyncio.run(run())

    def _tool(self, name: str) -> FunctionTool:
        return FunctionTool.from_defaults(self._body(name), name=name, description=name, fn_schema=_Open)

    def _body(self, name: str) -> Callable[..., str]:
        def body(**_arguments: Any) -> str:
            this = str(StepWorkerStateContextVar.get().event.tool_id)
            self._witness.ran(this)
            event = self._events[this]
            if event.tool != name:
                raise AssertionError(f"`{name}` was called as `{event.tool}`")
            if event.error:
                raise ValueError(event.error)
            return event.result

        return body


def _message(name: str, calls: list[tuple[int, Event]]) -> ChatMessage:
    return ChatMessage(
        role=MessageRole.ASSISTANT,
        blocks=[
            TextBlock(text=""),
            *(
                ToolCallBlock(tool_call_id=call_id(name, i), tool_name=event.tool, tool_kwargs=dict(event.args))
                for i, event in calls
            ),
        ],
        additional_kwargs={"id": f"{name}-turn-{calls[0][1].turn}"},
    )
