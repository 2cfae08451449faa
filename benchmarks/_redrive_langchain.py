"""Room: re-drive over LangChain. Takes: recorded sessions. Gives: a real `create_agent` graph run for each.

A scripted model says the recorded calls, the events of one turn together in one message; a tool's body returns the
recorded result or raises the recorded error. Halo stands in front of both. Never: decides, skips a recorded call.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import BaseTool, StructuredTool, ToolException
from langgraph.prebuilt import ToolRuntime

from _redrive_data import Event, Session, call_id
from _redrive_witness import Witness
from halo_core.clock import Clock
from halo_core.model import Constraint, ConstraintKind, Resource
from halo_langchain import Halo
from halo_langchain.testing import ScriptedModel

__all__ = ["LangChain"]

_ANY = Constraint(ConstraintKind.WILDCARD)
_OPEN = {"additionalProperties": True, "properties": {}, "type": "object"}
_STEPS = 10_000  # of the graph; the script ends before


class LangChain:
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
        self._model = ScriptedModel(script=[])
        self._graph: Any = create_agent(self._model, tools=guarded, middleware=[self._halo.middleware()])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._halo.close()

    def drive(self, session: Session, name: str) -> None:
        """Run one session to its end, under the id `name`."""
        self._events = {call_id(name, i): event for i, event in enumerate(session.events)}
        self._model.script = [_message(name, calls) for calls in session.turns()]
        with self._halo.session(name):
            self._graph.invoke(
                {"messages": [HumanMessage(session.request)]}, {"max_concurrency": 1, "recursion_limit": _STEPS}
            )

    def _tool(self, name: str) -> BaseTool:
        return StructuredTool.from_function(
            func=self._body(name), name=name, description=name, args_schema=_OPEN, handle_tool_error=True
        )

    def _body(self, name: str) -> Callable[..., str]:
        def body(runtime: ToolRuntime, **_arguments: Any) -> str:
            this = str(runtime.tool_call_id)
            self._witness.ran(this)
            event = self._events[this]
            if event.tool != name:
                raise AssertionError(f"`{name}` was called as `{event.tool}`")
            if event.error:
                raise ToolException(event.error)
            return event.result

        return body


def _message(name: str, calls: list[tuple[int, Event]]) -> AIMessage:
    return AIMessage(
        content="",
        id=f"{name}-turn-{calls[0][1].turn}",
        tool_calls=[
            {"name": event.tool, "args": dict(event.args), "id": call_id(name, i), "type": "tool_call"}
            for i, event in calls
        ],
    )
