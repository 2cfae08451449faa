"""Room: tool calls of agents. Takes: tools as a workflow runs them. Gives: outputs, refusals.

A guarded tool decides itself, an unguarded one is put behind a gate, a call that reaches no tool is recorded, the
hand-off tool is decided as the hand-off. A denial is an error output, which the model reads. Never: decides twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from llama_index.core.agent.workflow import AgentWorkflow
from llama_index.core.agent.workflow.multi_agent_workflow import handoff
from llama_index.core.tools import AsyncBaseTool, BaseTool, FunctionTool, ToolMetadata, ToolOutput

from halo_core.errors import Denied
from halo_core.model import ActionKind
from halo_core.pep.gate import gate_of
from halo_core.pep.handoff import HANDED
from halo_core.pep.names import clean_name, unknown
from halo_llamaindex._agents.carried import add_handed
from halo_llamaindex._agents.entry import handing
from halo_llamaindex._pause import abegin, broke_off
from halo_llamaindex._tools.guard import gated_copy
from halo_llamaindex._translate import bare, refusal

if TYPE_CHECKING:
    from halo_llamaindex import Halo

__all__ = ["Missing", "call_tool", "gated", "wanted", "with_wanted"]

Inner = Callable[[Any, Any, Any, dict[str, Any]], Awaitable[ToolOutput]]
_HANDS_OFF: Final = "handoff"
"""LlamaIndex keeps this name for its own tool."""
_NEXT: Final = "next_agent"
_WANTED: Final[ContextVar[str]] = ContextVar("halo_llamaindex_wanted", default="")


@contextmanager
def wanted(name: str) -> Iterator[None]:
    """Run the step that calls a tool of this name."""
    token = _WANTED.set(name)
    try:
        yield
    finally:
        _WANTED.reset(token)


def hands_off(tool: Any) -> bool:
    """Whether this is the framework's own hand-off tool: anything can have its name."""
    tool = bare(tool)
    function = getattr(tool, "real_fn", None) if type(tool) is FunctionTool else None
    return function is handoff and tool.metadata.name == _HANDS_OFF


def gated(halo: Halo, tools: Sequence[Any]) -> list[Any]:
    """An agent's tools, each behind a gate, whoever calls them: an agent's class may have a step of its own for that.

    Nothing is registered: what nobody granted is refused, at the same last step as a guarded tool.
    """
    return [tool if hands_off(tool) or _gated_by(halo, tool) else gated_copy(halo, tool) for tool in tools]


def _gated_by(halo: Halo, tool: Any) -> bool:
    gate = gate_of(bare(tool))
    return gate is not None and gate.halo is halo


def with_wanted(tools: Sequence[Any]) -> list[Any]:
    """An agent's tools, and in the place of one that is called and not there what records the call."""
    name = _WANTED.get()
    if not name or any(tool.metadata.name == name for tool in tools):
        return list(tools)
    return [*tools, Missing(name, [str(tool.metadata.name) for tool in tools])]


class Missing(AsyncBaseTool):
    """A tool that a model made up."""

    def __init__(self, name: str, there: Sequence[str]) -> None:
        self._metadata = ToolMetadata(description="no such tool", name=name)
        self.there = tuple(there)

    @property
    def metadata(self) -> ToolMetadata:
        """Its name."""
        return self._metadata

    def call(self, *_args: Any, **_kwargs: Any) -> ToolOutput:
        """What the framework says of it."""
        name = self._metadata.get_name()
        return ToolOutput(
            content=f"Tool {name} not found. Please select a tool that is available.",
            tool_name=name,
            raw_input={},
            raw_output=None,
            is_error=True,
        )

    async def acall(self, *_args: Any, **_kwargs: Any) -> ToolOutput:
        """What the framework says of it."""
        return self.call()


async def call_tool(  # noqa: PLR0917  what the framework hands over, and who decides
    halo: Halo, inner: Inner, workflow: Any, ctx: Any, tool: BaseTool, given: dict[str, Any]
) -> ToolOutput:
    """Run one call of an agent, decided."""
    if isinstance(tool, Missing):
        return await _missing(halo, tool, given)
    if isinstance(workflow, AgentWorkflow) and hands_off(tool):
        return await _handing(halo, inner, workflow, ctx, tool, given)
    return await inner(workflow, ctx, gated(halo, [tool])[0], given)


async def _missing(halo: Halo, tool: Missing, given: Mapping[str, Any]) -> ToolOutput:
    name = tool.metadata.get_name()
    try:
        ticket = await abegin(halo, halo.call(unknown(name, ActionKind.TOOL_CALL), given, problem="unknown_tool"))
    except Denied as denied:
        there = ", ".join(tool.there)
        return refusal(name, given, denied, f"the tools are: {there}" if there else "")
    ticket.fail(LookupError("no such tool"))
    return tool.call()


async def _handing(  # noqa: PLR0917  as above
    halo: Halo, inner: Inner, workflow: Any, ctx: Any, tool: BaseTool, given: dict[str, Any]
) -> ToolOutput:
    """The hand-off tool: what is decided is the hand-off itself; a refused one keeps the giver at work."""
    agent, why = given.get("to_agent"), given.get("reason", "")
    call = handing(halo, agent if isinstance(agent, str) else _HANDS_OFF, why if isinstance(why, str) else "")
    if not isinstance(agent, str) or not isinstance(why, str):
        call = replace(call, problem="invalid_arguments")
    try:
        ticket = await abegin(halo, call)
    except Denied as denied:
        return refusal(_HANDS_OFF, given, denied)
    try:
        # INVARIANT: what runs was decided: whom, and why.
        output = await inner(workflow, ctx, tool, {"to_agent": agent, "reason": why})
    except BaseException as exc:
        failed = broke_off(ticket, exc)
        if failed is exc:
            raise
    else:
        verdict = ticket.verdict
        if verdict is not None and isinstance(agent, str) and await ctx.store.get(_NEXT, default=None) == agent:
            handle = "" if clean_name(agent) == halo.agent else verdict.handle
            await add_handed(halo, ctx, call.session, agent, handle)
        told: ToolOutput = ticket.succeed(output, HANDED)
        return told
    raise failed
