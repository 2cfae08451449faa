"""One run of an agent: its session, the acting agent, and the message that asked.

The SDK runs the steps of a run in tasks of their own. So what changes between steps is kept in one `AgentRun`, which
all of them reach through a context variable (`current_run`, `find_run`). Each step acts under what holds at its
beginning (`step_scope`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from agents import Runner

from halo_core.enforcement.activities import run_activity_scope
from halo_core.enforcement.arguments import same_value
from halo_core.enforcement.body_threads import ContextValue, carry_calls_into_threads, carry_into_threads
from halo_core.enforcement.call import Call
from halo_core.enforcement.delegation import (
    HANDOFF_SURFACE,
    AgentScope,
    find_agent_resource,
    with_delegation_terms,
)
from halo_core.enforcement.enforcer import Ticket
from halo_core.enforcement.flow import GovernedAction, arun
from halo_core.enforcement.guarded_calls import with_problem
from halo_core.enforcement.guards import clean_name, get_guard
from halo_core.enforcement.session_context import (
    ActiveDelegation,
    ContextVarScope,
    Session,
    TriggeringMessage,
    current_delegation,
    delegation_value,
    dynamic_delegation_scope,
    session_values,
)
from halo_core.enforcement.steps import adrive
from halo_core.errors import Denied
from halo_openai_agents._history import EMPTY_INPUT, RunInput

if TYPE_CHECKING:
    from halo_openai_agents import Halo


@dataclass(frozen=True, slots=True)
class EarlyDecision:
    """A decision about a tool call, made before the SDK invoked it."""

    tool: object
    args: dict[str, Any]
    decision: Ticket | Denied


@dataclass(slots=True, eq=False)
class AgentRun:
    """One run of an agent.

    Args:
        halo: who decides.
        session: its session.
        base_acting: the link that was active where it began.
        pausing: whether the host keeps the state of a run that pauses, and resumes it.
        run_input: what the outermost run was started with.
        thread: session id of the conversation that the host named.
        filters_handoffs: whether the host filters the input of a hand-off's receiver.
        first_agent: the agent it began with, which may act as whoever began the run.
        current_agent: the agent at work, as the SDK has it.
        handoff_target: the receiver of the last decided hand-off, or its giver where it was refused.
        acting_name: the agent that acts; None before the first turn, empty for whoever acted where the run began.
        acting: its link.
        is_resumed: whether it goes on from a state.
        turn_id: id of the message that asked for the current step.
        turn_text: its text.
        handoff_call_ids: ids of the calls that hand off, by the name of their tool.
        early_decisions: by call id, what was decided before the SDK came to the call.
        refusals: by call id, the model's answer to a call that reaches no tool.
    """

    halo: Halo
    session: Session
    base_acting: ActiveDelegation | None
    pausing: bool = False
    run_input: RunInput = EMPTY_INPUT
    thread: str = ""
    filters_handoffs: bool = False
    first_agent: Any = None
    current_agent: Any = None
    handoff_target: Any = None
    acting_name: str | None = None
    acting: ActiveDelegation | None = None
    is_resumed: bool = False
    turn_id: str = ""
    turn_text: str = ""
    handoff_call_ids: dict[str, str] = field(default_factory=dict)
    early_decisions: dict[str, EarlyDecision] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)
    _agent_scope: AgentScope | None = None
    _context: object = None

    # who acts

    def claim_turn(self, agent: Any, context: Any) -> bool:
        """Whether an agent's turn belongs to this run; the first turn makes its context known."""
        if self._context is None and get_guard(self.current_agent) in (None, get_guard(agent)):
            self._context = _get_shared_state(context)
        return self.owns_context(context)

    def owns_context(self, context: Any) -> bool:
        """Whether an SDK context belongs to this run, and not to a stored state or an inner run."""
        return self._context is not None and self._context is _get_shared_state(context)

    def get_agent_name(self, agent: Any, name: str) -> str:
        """The name under which an agent acts in this run.

        INVARIANT: only whom the run began with acts as whoever began it; who is reached otherwise is handed to.
        """
        guard = get_guard(agent)
        is_first = guard is not None and (get_guard(self.first_agent) is guard or guard.original is self.first_agent)
        is_alone = is_first and agent.name == self.first_agent.name and self.acting_name in (None, "")
        return name or ("" if is_alone else clean_name(agent.name))

    async def enter_agent(self, agent: str) -> None:
        """Begin a turn of an agent; an empty name stands for whoever acted at the start of the run.

        INVARIANT: however the SDK came to an agent, its turn is one that a hand-off to it was decided for.

        Raises:
            Denied: nobody may hand off to it from here.
            Pending: somebody has to be asked first.
        """
        if agent == self.acting_name:
            return
        if self.acting_name is not None and agent:
            await arun(HandOffCall(self.halo, self, agent, {"task": ""}))
            return
        if agent and not self._acts_already(agent):
            with self.step_scope():
                self._agent_scope = await adrive(
                    self.halo.begin_agent(agent, give=self.halo.delegation_terms.get(agent))
                )
            self.acting = self._agent_scope.delegation or self.base_acting
        else:
            self.acting = self.base_acting
        self.acting_name = agent

    def _acts_already(self, agent: str) -> bool:
        """Whether the run began under this very name: then nobody hands off to anybody."""
        acting = self.base_acting.agents[-1] if self.base_acting is not None else self.halo.agent
        return agent == acting

    def hand_to(self, agent: str, ticket: Ticket) -> None:
        """Make the receiver of a decided hand-off the acting agent."""
        context = ticket.context
        # What observe mode lets pass although it was refused makes no link.
        if context is not None and context.handle and context.resource.id == agent:
            path = self.acting.agents if self.acting is not None else ()
            depth = path.index(agent) if agent in path else len(path)
            agents = (*path[:depth], agent)
            self.acting = ActiveDelegation(self.halo.agent, self.session.id, context.handle, agents)
        self.acting_name = agent

    def build_handoff_call(self, agent: str, call_id: str, task: dict[str, Any]) -> Call:
        """Build the call of a hand-off to an agent.

        INVARIANT: SUB - whoever the run began under is still at work: under such a name the actor goes on.
        """
        halo, base_agents = self.halo, self.base_acting.agents if self.base_acting is not None else ()
        with self.step_scope():
            call = with_delegation_terms(halo, halo.build_call(find_agent_resource(halo, agent), task, call_id=call_id))
        return replace(call, hand_off=None) if agent in (halo.agent, *base_agents) else call

    def get_acting(self) -> ActiveDelegation | None:
        """The link of the acting agent."""
        return self.acting if self.acting_name is not None else self.base_acting

    def step_scope(self) -> ContextVarScope:
        """Run the block as the acting agent, on behalf of the asking message.

        INVARIANT: SUB - what a step starts and leaves running acts as whoever began the step, whoever acts by then;
        and what the host has entered around it acts as that.
        """
        context = _CURRENT_STEP.get()
        if context is None or context.run is not self:
            message = TriggeringMessage(self.turn_id, kind="message", text=self.turn_text)
            context = _StepContext(self, self.get_acting(), message)
        acting = current_delegation(self.halo.agent, self.session.id) or context.acting
        values = session_values(self.session, context.asking)
        return ContextVarScope((_CURRENT_STEP, context), *values, delegation_value(acting))

    def take_early_decision(self, call_id: str, tool: object, args: Mapping[str, Any]) -> Ticket | Denied | None:
        """Take the earlier decision about this call, if there is one."""
        early = self.early_decisions.get(call_id)
        if early is None or early.tool is not tool or not same_value(early.args, dict(args)):
            return None
        del self.early_decisions[call_id]
        return early.decision

    def end(self, error: BaseException | None = None, *, paused: bool = False) -> None:
        """Record how the run ended and hand back its link; does not block."""
        pause = RuntimeError("the run waits for an answer")
        for early in self.early_decisions.values():
            if isinstance(early.decision, Ticket):  # the SDK never came to it, and may yet
                early.decision.pause(error or pause)
        self.early_decisions.clear()
        scope, self._agent_scope = self._agent_scope, None
        if scope is None:
            return
        if paused:
            scope.agent.keep_link()
        elif scope.owns_link:
            scope.agent.hand_back()
        scope.close(pause if paused else error)


@dataclass(frozen=True, slots=True)
class _StepContext:
    """The acting agent of a run's step, and its asking message."""

    run: AgentRun
    acting: ActiveDelegation | None
    asking: TriggeringMessage


def _get_shared_state(context: Any) -> object:
    """The state that all contexts of one run share."""
    return getattr(context, "_tool_invocations", context)


class HandOffCall(GovernedAction[Any]):
    """A hand-off: once decided, the receiver acts; the SDK itself carries the hand-off out.

    Args:
        halo: who decides.
        run: the run around it; None outside our runs, where it is refused: nobody knows how the receiver acts.
        agent: name of the receiver.
        task: its arguments.
        call_id: id of the call that hands off.
        problem: reason code of why it is refused; empty for none.
    """

    def __init__(
        self,
        halo: Halo,
        run: AgentRun | None,
        agent: str,
        task: dict[str, Any],
        *,
        call_id: str = "",
        problem: str = "",
    ) -> None:
        if run is None:
            call = halo.build_call(find_agent_resource(halo, agent), task, problem="needs_guard")
        else:
            call = with_problem(run.build_handoff_call(agent, call_id, task), problem)
        super().__init__(halo.enforcer, call, HANDOFF_SURFACE)
        self.run = run
        self.agent = agent
        self._previous = (run.acting_name, run.acting) if run is not None else None

    def accept(self, ticket: Ticket) -> None:
        if self.run is not None:
            self.run.hand_to(self.agent, ticket)

    def execute(self, ticket: Ticket) -> Any:  # noqa: ARG002  for subclasses
        return None

    def finish_failed(self, ticket: Ticket, error: BaseException) -> BaseException:
        """Record the error; the giver continues."""
        if self.run is not None and self._previous is not None:
            self.run.acting_name, self.run.acting = self._previous
        return super().finish_failed(ticket, error)


# which run is at hand

_CURRENT_STEP: Final[ContextVar[_StepContext | None]] = ContextVar("halo_openai_agents_step", default=None)
_ACTIVE_RUNS: Final[ContextVar[tuple[AgentRun, ...]]] = ContextVar("halo_openai_agents_runs", default=())


def current_run(halo: object) -> AgentRun | None:
    """The innermost run that this Halo decides."""
    for run in reversed(_ACTIVE_RUNS.get()):
        if run.halo is halo:
            return run
    return None


def current_innermost_run() -> AgentRun | None:
    """The innermost run that any Halo decides."""
    runs = _ACTIVE_RUNS.get()
    return runs[-1] if runs else None


_ENCLOSING_HALO: Final[ContextVar[Halo | None]] = ContextVar("halo_openai_enclosing", default=None)


def enclosing_value(halo: Halo) -> tuple[ContextVar[Any], Any]:
    """For a `ContextVarScope`: in the body of a guarded object, its Halo decides what starts."""
    return _ENCLOSING_HALO, halo


def find_enclosing_halo() -> Halo | None:
    """The Halo that decides unguarded starts here: inside a guarded run, or a guarded tool's body."""
    runs = _ACTIVE_RUNS.get()
    return runs[-1].halo if runs else _ENCLOSING_HALO.get()


def _find_enclosing_value() -> ContextValue | None:
    halo = find_enclosing_halo()
    return None if halo is None else enclosing_value(halo)


carry_into_threads(_find_enclosing_value)
carry_calls_into_threads(Runner)


def find_run_input(run_input: Any) -> RunInput:
    """The input of the outermost run, for a run about to start with this input."""
    outer = next(iter(_ACTIVE_RUNS.get()), None)
    return outer.run_input if outer is not None else RunInput.from_value(run_input)


def find_run(halo: object, context: Any) -> AgentRun | None:
    """The innermost run decided by this Halo (None: any), if an SDK context belongs to it."""
    run = current_run(halo) if halo is not None else current_innermost_run()
    return run if run is not None and run.owns_context(context) else None


@contextmanager
def run_scope(run: AgentRun) -> Iterator[None]:
    """Run the block, and everything started in it, as a run of an agent.

    INVARIANT: SUB - what the host's code does in it (instructions, guardrails, hooks) acts as whoever acts by then.
    """
    scope = ContextVarScope((_ACTIVE_RUNS, (*_ACTIVE_RUNS.get(), run)))
    activity = run_activity_scope("openai-agents", run.session, is_resumed=run.is_resumed)
    with scope, activity, dynamic_delegation_scope(run.get_acting):
        yield


def step_scope(halo: Halo) -> AbstractContextManager[None]:
    """Run the block as a step of the current run, if there is one."""
    run = current_run(halo)
    return run.step_scope() if run is not None else _NO_SCOPE


_NO_SCOPE: Final = nullcontext()
