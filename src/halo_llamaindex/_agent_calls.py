"""Room: agents of a workflow entered and left. Takes: names. Gives: links to act under. Never: decides, mints.

Every agent is entered by a hand-off: one that the hand-off tool was decided for, else one that is decided here, from
whoever acts. So a tool that only writes where the workflow goes next gains nothing.

Room: tool calls of agents. Takes: tools as a workflow runs them. Gives: outputs, refusals.

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

from halo_core.enforcement import Call
from halo_core.enforcement.delegation import HANDOFF_SURFACE, find_agent_resource, with_delegation_terms
from halo_core.enforcement.guards import clean_name, get_guard, make_unregistered_resource
from halo_core.enforcement.session_context import delegation_scope
from halo_core.errors import Denied
from halo_core.model import ActionKind
from halo_llamaindex._pause import abegin_or_pause, finish_failed
from halo_llamaindex._runs import ActingChain, record_decided_handoff
from halo_llamaindex._tools import copy_with_guard
from halo_llamaindex._translate import build_refusal, unwrap_tool

if TYPE_CHECKING:
    from halo_llamaindex import Halo
    from halo_llamaindex._agent_runs import StepRun

__all__ = [
    "MissingTool",
    "add_missing_tool",
    "build_handoff_call",
    "call_tool",
    "called_tool_scope",
    "enter_agent",
    "find_base_agents",
    "guard_agent_tools",
    "hand_back_chain",
    "hand_off_to",
    "refuse_unentered_agent",
]


_OWN_HANDLE: Final = ""


def build_handoff_call(halo: Halo, agent: str, task: str = "", problem: str = "") -> Call:
    """The call by which whoever acts hands off to an agent, under a link made for this alone."""
    call = halo.build_call(find_agent_resource(halo, clean_name(agent)), {"task": task}, problem=problem)
    return replace(with_delegation_terms(halo, call), on_link_made=_claim_link)


def _claim_link(_handle: str) -> None:
    """A link of this run's own: a run side by side, in the same session, gets another."""


async def hand_off_to(halo: Halo, agent: str, task: str = "") -> tuple[str, str]:
    """Hand off to an agent: the handle of its link, and the session as the ledger names it.

    Raises:
        Denied: whoever acts may not hand off to it.
    """
    ticket = await abegin_or_pause(halo, build_handoff_call(halo, agent, task))
    ticket.succeed(None, HANDOFF_SURFACE)
    verdict = ticket.verdict
    if verdict is None:
        return _OWN_HANDLE, ""
    return (_OWN_HANDLE if clean_name(agent) == halo.agent else verdict.handle), verdict.session


def find_base_agents(step_run: StepRun) -> tuple[str, ...]:
    """Who acts where a run was started, from the first receiver down."""
    acting_link = ActingChain().to_acting(step_run.halo, step_run.session)
    return acting_link.agents if acting_link is not None else ()


async def enter_agent(step_run: StepRun, chain: ActingChain, agent: str, task: str = "") -> ActingChain:
    """Who acts once an agent is entered: under a link that was made for it already, else by a hand-off decided here.

    Raises:
        Denied: whoever acts may not hand off to it.
    """
    handle = chain.decided_handoffs.get(agent)
    if handle is None:
        with delegation_scope(chain.to_acting(step_run.halo, step_run.session)):
            handle, session = await hand_off_to(step_run.halo, agent, task)
        chain = replace(chain, session=session or chain.session)
    return chain.enter(agent, handle)


async def refuse_unentered_agent(halo: Halo, agent: str) -> None:
    """Refuse an agent that an event names and that was not entered.

    Raises:
        Denied: always in enforce mode.
    """
    (await abegin_or_pause(halo, build_handoff_call(halo, agent, problem="handoff_not_allowed"))).fail(
        PermissionError("not entered")
    )


async def hand_back_chain(halo: Halo, chain: Any) -> None:
    """Hand back all that was handed on in a run."""
    if chain is not None and chain.first_handle:
        await halo.enforcer.ahand_back(chain.session, chain.first_handle)


InnerCall = Callable[[Any, Any, Any, dict[str, Any]], Awaitable[ToolOutput]]
_HANDOFF_TOOL: Final = "handoff"
"""LlamaIndex keeps this name for its own tool."""
_NEXT_AGENT_KEY: Final = "next_agent"
_CALLED_TOOL: Final[ContextVar[str]] = ContextVar("halo_llamaindex_wanted", default="")


@contextmanager
def called_tool_scope(name: str) -> Iterator[None]:
    """Run the step that calls a tool of this name."""
    token = _CALLED_TOOL.set(name)
    try:
        yield
    finally:
        _CALLED_TOOL.reset(token)


def is_handoff_tool(tool: Any) -> bool:
    """Whether this is the framework's own hand-off tool: anything can have its name."""
    tool = unwrap_tool(tool)
    function = getattr(tool, "real_fn", None) if type(tool) is FunctionTool else None
    return function is handoff and tool.metadata.name == _HANDOFF_TOOL


def guard_agent_tools(halo: Halo, tools: Sequence[Any]) -> list[Any]:
    """An agent's tools, each behind a gate, whoever calls them: an agent's class may have a step of its own for that.

    Nothing is registered: what nobody granted is refused, at the same last step as a guarded tool.
    """
    return [
        tool if is_handoff_tool(tool) or _is_guarded_by(halo, tool) else copy_with_guard(halo, tool) for tool in tools
    ]


def _is_guarded_by(halo: Halo, tool: Any) -> bool:
    guard = get_guard(unwrap_tool(tool))
    return guard is not None and guard.halo is halo


def add_missing_tool(tools: Sequence[Any]) -> list[Any]:
    """An agent's tools, and in the place of one that is called and not there what records the call."""
    name = _CALLED_TOOL.get()
    if not name or any(tool.metadata.name == name for tool in tools):
        return list(tools)
    return [*tools, MissingTool(name, [str(tool.metadata.name) for tool in tools])]


class MissingTool(AsyncBaseTool):
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
    """Run one call of an agent, decided."""
    if isinstance(tool, MissingTool):
        return await _decide_missing_call(halo, tool, arguments)
    if isinstance(workflow, AgentWorkflow) and is_handoff_tool(tool):
        return await _decide_handoff_call(halo, inner, workflow, ctx, tool, arguments)
    return await inner(workflow, ctx, guard_agent_tools(halo, [tool])[0], arguments)


async def _decide_missing_call(halo: Halo, tool: MissingTool, arguments: Mapping[str, Any]) -> ToolOutput:
    name = tool.metadata.get_name()
    try:
        ticket = await abegin_or_pause(
            halo,
            halo.build_call(make_unregistered_resource(name, ActionKind.TOOL_CALL), arguments, problem="unknown_tool"),
        )
    except Denied as denied:
        names = ", ".join(tool.available_tools)
        return build_refusal(name, arguments, denied, f"the tools are: {names}" if names else "")
    ticket.fail(LookupError("no such tool"))
    return tool.call()


async def _decide_handoff_call(  # noqa: PLR0917  as above
    halo: Halo, inner: InnerCall, workflow: Any, ctx: Any, tool: BaseTool, arguments: dict[str, Any]
) -> ToolOutput:
    """The hand-off tool: what is decided is the hand-off itself; a refused one keeps the giver at work."""
    agent, reason = arguments.get("to_agent"), arguments.get("reason", "")
    call = build_handoff_call(
        halo, agent if isinstance(agent, str) else _HANDOFF_TOOL, reason if isinstance(reason, str) else ""
    )
    if not isinstance(agent, str) or not isinstance(reason, str):
        call = replace(call, problem="invalid_arguments")
    try:
        ticket = await abegin_or_pause(halo, call)
    except Denied as denied:
        return build_refusal(_HANDOFF_TOOL, arguments, denied)
    try:
        # INVARIANT: what runs was decided: whom, and why.
        output = await inner(workflow, ctx, tool, {"to_agent": agent, "reason": reason})
    except BaseException as exc:
        failed = finish_failed(ticket, exc)
        if failed is exc:
            raise
    else:
        verdict = ticket.verdict
        if (
            verdict is not None
            and isinstance(agent, str)
            and await ctx.store.get(_NEXT_AGENT_KEY, default=None) == agent
        ):
            handle = "" if clean_name(agent) == halo.agent else verdict.handle
            await record_decided_handoff(halo, ctx, call.session, agent, handle)
        result: ToolOutput = ticket.succeed(output, HANDOFF_SURFACE)
        return result
    raise failed
