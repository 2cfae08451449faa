"""What an agent of a guarded workflow asks for: hand-offs to other agents, and calls of tools.

Every agent is entered by a hand-off: one that the hand-off tool was decided for, else one that is decided here, from
whoever acts. So a tool that only writes where the workflow goes next gains nothing. A guarded tool decides itself, an
unguarded one is put behind a guard, and a call that reaches no tool is recorded. A denial is an error output, which the
model reads.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from llama_index.core.agent.workflow import AgentWorkflow
from llama_index.core.agent.workflow.multi_agent_workflow import handoff
from llama_index.core.tools import AsyncBaseTool, BaseTool, FunctionTool, ToolMetadata, ToolOutput

from halo_core.enforcement import Call, Ticket, flow
from halo_core.enforcement.delegation import HANDOFF_SURFACE, find_agent_resource, with_delegation_terms
from halo_core.enforcement.guarded_calls import HandOffAction, UnreachableCall, with_problem
from halo_core.enforcement.guards import clean_name, get_guard, make_unregistered_resource
from halo_core.enforcement.session_context import ContextVarScope
from halo_core.errors import Denied
from halo_core.model import ActionKind
from halo_llamaindex._pause import LlamaIndexAction
from halo_llamaindex._runs import read_store, record_decided_handoff
from halo_llamaindex._tools import copy_with_guard
from halo_llamaindex._translate import build_refusal, unwrap_tool

if TYPE_CHECKING:
    from halo_llamaindex import Halo

_OWN_HANDLE: Final = ""


def build_handoff_call(halo: Halo, agent: str, task: str = "", problem: str = "") -> Call:
    """Build the call by which the acting agent hands off to another, under a link made for this hand-off alone."""
    call = halo.build_call(find_agent_resource(halo, clean_name(agent)), {"task": task}, problem=problem)
    return replace(with_delegation_terms(halo, call), on_link_made=_claim_link)


def _claim_link(_handle: str) -> None:
    """Do nothing: that this callback is given makes the link one of this run alone."""


class HandOffDecision(LlamaIndexAction, HandOffAction):
    """A hand-off that the workflow carries out: the handle of its link, and the session as the ledger has it."""

    def finish(self, ticket: Ticket, result: Any) -> tuple[str, str]:
        """As `HandOffAction`."""
        super().finish(ticket, result)
        return _get_handle(self.halo, ticket), ticket.verdict.session if ticket.verdict is not None else ""


def _get_handle(halo: Halo, ticket: Ticket) -> str:
    """The handle of the link that a hand-off made; none for Halo's own agent."""
    verdict = ticket.verdict
    return _OWN_HANDLE if verdict is None or verdict.resource.id == halo.agent else verdict.handle


class UnmadeCall(LlamaIndexAction, UnreachableCall):
    """A call that is recorded, and that nothing carries out."""

    def __init__(self, halo: Halo, call: Call, error: Exception) -> None:
        self.halo = halo
        super().__init__(halo, call, error)


InnerCall = Callable[[Any, Any, Any, dict[str, Any]], Awaitable[ToolOutput]]
_HANDOFF_TOOL: Final = "handoff"
"""LlamaIndex keeps this name for its own tool."""
_NEXT_AGENT_KEY: Final = "next_agent"
_CALLED_TOOL: Final[ContextVar[str]] = ContextVar("halo_llamaindex_wanted", default="")


def called_tool_scope(name: str) -> ContextVarScope:
    """Mark the block as the step that calls a tool of this name."""
    return ContextVarScope((_CALLED_TOOL, name))


def is_handoff_tool(tool: Any) -> bool:
    """Whether this is the framework's own hand-off tool, which its name alone does not prove."""
    tool = unwrap_tool(tool)
    function = getattr(tool, "real_fn", None) if type(tool) is FunctionTool else None
    return function is handoff and tool.metadata.name == _HANDOFF_TOOL


def guard_agent_tools(halo: Halo, tools: Sequence[Any]) -> list[Any]:
    """Guard all tools of an agent, since the agent's class may call them in a step of its own.

    An unguarded tool is not registered, so nobody has granted it: in enforce mode its calls are refused.
    """
    return [
        tool if is_handoff_tool(tool) or _is_guarded_by(halo, tool) else copy_with_guard(halo, tool) for tool in tools
    ]


def _is_guarded_by(halo: Halo, tool: Any) -> bool:
    guard = get_guard(unwrap_tool(tool))
    return guard is not None and guard.halo is halo


def add_missing_tool(tools: Sequence[Any]) -> list[Any]:
    """Add a tool that records the call, if the model calls one that the agent does not have."""
    name = _CALLED_TOOL.get()
    if not name or any(tool.metadata.name == name for tool in tools):
        return list(tools)
    return [*tools, _MissingTool(name, [str(tool.metadata.name) for tool in tools])]


class _MissingTool(AsyncBaseTool):
    """A tool that a model made up."""

    def __init__(self, name: str, available_tools: Sequence[str]) -> None:
        self._metadata = ToolMetadata(description="no such tool", name=name)
        self.available_tools = tuple(available_tools)

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
    halo: Halo, inner: InnerCall, workflow: Any, ctx: Any, tool: BaseTool, arguments: dict[str, Any]
) -> ToolOutput:
    """Decide and run one tool call of an agent."""
    if isinstance(tool, _MissingTool):
        return await _decide_missing_call(halo, tool, arguments)
    if isinstance(workflow, AgentWorkflow) and is_handoff_tool(tool):
        return await flow.arun(_HandOffToolCall(halo, functools.partial(inner, workflow, ctx, tool), ctx, arguments))
    return await inner(workflow, ctx, guard_agent_tools(halo, [tool])[0], arguments)


async def _decide_missing_call(halo: Halo, tool: _MissingTool, arguments: Mapping[str, Any]) -> ToolOutput:
    name = tool.metadata.get_name()
    resource = make_unregistered_resource(name, ActionKind.TOOL_CALL)
    call = halo.build_call(resource, arguments, problem="unknown_tool")
    try:
        await flow.arun(UnmadeCall(halo, call, LookupError("no such tool")))
    except Denied as denied:
        names = ", ".join(tool.available_tools)
        return build_refusal(name, arguments, denied, f"the tools are: {names}" if names else "")
    return tool.call()


class _HandOffToolCall(LlamaIndexAction):
    """A call of the hand-off tool: what is decided is the hand-off itself; a refused one keeps the giver at work."""

    def __init__(self, halo: Halo, inner: Callable[[Any], Any], ctx: Any, arguments: Mapping[str, Any]) -> None:
        self.halo, self.inner, self.ctx, self.raw_arguments = halo, inner, ctx, arguments
        self.arguments = {"to_agent": arguments.get("to_agent"), "reason": arguments.get("reason", "")}
        agent, reason = self.arguments.values()
        is_valid = isinstance(agent, str) and isinstance(reason, str)
        call = build_handoff_call(
            halo, agent if isinstance(agent, str) else _HANDOFF_TOOL, reason if isinstance(reason, str) else ""
        )
        call = with_problem(call, "" if is_valid else "invalid_arguments")
        super().__init__(halo.enforcer, call, HANDOFF_SURFACE)

    def return_denied(self, denied: Denied) -> ToolOutput:
        """The refusal, for the model to read."""
        return build_refusal(_HANDOFF_TOOL, self.raw_arguments, denied)

    def execute(self, ticket: Ticket) -> Any:  # noqa: ARG002  the arguments are not changed
        """Call the tool. INVARIANT: what runs was decided: whom, and why."""
        return self.inner(self.arguments)

    async def finish(self, ticket: Ticket, result: Any) -> Any:
        """Note whom the next step may enter, if the tool has named it."""
        agent = self.arguments["to_agent"]
        is_next = isinstance(agent, str) and await read_store(self.ctx, _NEXT_AGENT_KEY) == agent
        if ticket.verdict is not None and is_next:
            handle = _get_handle(self.halo, ticket)
            await record_decided_handoff(self.halo, self.ctx, self.build_call().session, agent, handle)
        return super().finish(ticket, result)
