"""Driver for LangChain: one run of a real `create_agent` graph for each recorded session.

A scripted model makes the recorded calls, those of one turn together in one message. A tool's body returns the recorded
result or raises the recorded error. Halo guards both.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import BaseTool, StructuredTool, ToolException
from langgraph.prebuilt import ToolRuntime

from halo_langchain import Halo
from halo_langchain.testing import ScriptedModel
from halo_studies.recordings.sessions import Event, Session, call_id
from halo_studies.redrive.drivers.base import OPEN_SCHEMA, STEPS, Driver

__all__ = ["LangChain"]


class LangChain(Driver):
    """A `create_agent` graph."""

    facade = Halo

    def build(self, agent: str, guarded: list[Any]) -> None:
        """Make the graph."""
        del agent
        self._model = ScriptedModel(script=[])
        self._graph: Any = create_agent(self._model, tools=guarded, middleware=[self.halo.middleware()])

    def run(self, session: Session, name: str) -> None:
        """Run it."""
        self._model.script = [_message(name, calls) for calls in session.turns()]
        # Calls of one turn in the order in which they were recorded.
        config: Any = {"max_concurrency": 1, "recursion_limit": STEPS}
        self._graph.invoke({"messages": [HumanMessage(session.request)]}, config)

    def tool(self, name: str) -> BaseTool:
        """A tool that takes anything."""
        return StructuredTool.from_function(
            func=self._body(name), name=name, description=name, args_schema=OPEN_SCHEMA, handle_tool_error=True
        )

    def _body(self, name: str) -> Callable[..., str]:
        def body(runtime: ToolRuntime, **_arguments: Any) -> str:
            event = self.event(str(runtime.tool_call_id), name)
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
