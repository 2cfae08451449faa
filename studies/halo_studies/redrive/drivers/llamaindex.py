"""Driver for LlamaIndex: one run of a real `FunctionAgent` for each recorded session.

A scripted model makes the recorded calls, those of one turn together in one message. A tool's body returns the recorded
result or raises the recorded error. Halo guards both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from llama_index.core.agent.workflow import FunctionAgent, ToolCall, ToolCallResult
from llama_index.core.base.llms.types import ChatMessage, MessageRole, TextBlock, ToolCallBlock
from llama_index.core.tools import FunctionTool
from llama_index.core.workflow import Context, step
from pydantic import BaseModel, ConfigDict
from workflows.runtime.types.results import StepWorkerStateContextVar

from halo_llamaindex import Halo
from halo_llamaindex.testing import ScriptedLLM
from halo_studies.recordings.sessions import Event, Session, call_id
from halo_studies.redrive.drivers.base import STEPS, Driver

__all__ = ["LlamaIndex"]


class _Open(BaseModel):
    """Arguments of any name."""

    model_config = ConfigDict(extra="allow")


class _OneByOne(FunctionAgent):
    """Makes the calls of one message one after another, as they were recorded: what one read, the next was shown."""

    @step(num_workers=1)
    async def call_tool(self, ctx: Context, ev: ToolCall) -> ToolCallResult:
        """As the framework's, which makes four at a time."""
        return await FunctionAgent.call_tool(self, ctx, ev)


class LlamaIndex(Driver):
    """A `FunctionAgent`."""

    facade = Halo

    def build(self, agent: str, guarded: list[Any]) -> None:
        """Make the agent."""
        del agent
        self._agent = self.halo.guard(_OneByOne(tools=guarded, llm=ScriptedLLM(script=[])))

    def run(self, session: Session, name: str) -> None:
        """Run it."""
        self._agent.llm.script = [_message(name, calls) for calls in session.turns()]

        async def run() -> None:
            await self._agent.run(user_msg=session.request, max_iterations=STEPS)

        asyncio.run(run())

    def tool(self, name: str) -> FunctionTool:
        """A tool that takes anything."""
        return FunctionTool.from_defaults(self._body(name), name=name, description=name, fn_schema=_Open)

    def _body(self, name: str) -> Callable[..., str]:
        def body(**_arguments: Any) -> str:
            event = self.event(str(StepWorkerStateContextVar.get().event.tool_id), name)
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
