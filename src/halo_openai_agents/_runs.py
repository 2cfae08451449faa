"""Room: one run of an agent: its session, who acts in it now, which message asked. Takes: steps. Gives: context.

The SDK runs the steps of a run in tasks of their own, so what changes from one to the next stands in one object that
they all reach through a context variable; each step acts under what is there at its beginning. Never: decides by
itself, mints.

Room: which run is at hand. Takes: runs. Gives: the one that a piece of code is in, as a context variable has it.

Never: decides, starts anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from halo_core.enforcement import Call, Ticket
from halo_core.enforcement.arguments import same_value
from halo_core.enforcement.delegation import AgentScope, find_agent_resource, with_delegation_terms
from halo_core.enforcement.guards import clean_name, get_guard
from halo_core.enforcement.session_context import (
    ActiveDelegation,
    Session,
    TriggeringMessage,
    current_delegation,
    delegation_scope,
    dynamic_delegation_scope,
    session_scope,
    triggering_message_scope,
)
from halo_core.errors import Denied

if TYPE_CHECKING:
    from halo_openai_agents import Halo

__all__ = [
    "AgentRun",
    "EarlyDecision",
    "body_scope",
    "current_run",
    "find_innermost_run",
    "find_run",
    "in_body",
    "run_scope",
    "step_scope",
]


@dataclass(frozen=True, slots=True)
class EarlyDecision:
    """What was decided of a tool call before the SDK came to it."""

    tool: object
    args: dict[str, Any]
    ticket: Ticket | None = None
    denied: Denied | None = None


@dataclass(slots=True, eq=False)
class AgentRun:
    """One run of an agent.

    Args:
        halo: who decides.
        session: to which it belongs.
        base_acting: what was acted under where it began.
        pausing: whether the host keeps what is needed to go on with a run that pauses.
        has_fresh_session: whether its session began with it.
        filters_handoffs: whether the host filters what a hand-off passes on.
        first_agent: with whom it began, who may act as whoever began it.
        current_agent: the agent at work, as the SDK has it.
        handoff_target: to whom the last decided hand-off led; back to the giver where it was refused.
        acting_name: who acts now; None before the first turn, empty where that is whoever acted where it began.
        acting: under which link.
        turn_id: the message that asked for what is under way.
        turn_text: its words.
        call_ids: ids of the tool calls that were made here.
        handoff_call_ids: ids of the calls that hand off, by the name of their tool.
        early_decisions: by call id, what was decided before the SDK came to the call.
        refusals: by call id, what the model is told of a call that reaches no tool.
    """

    halo: Halo
    session: Session
    base_acting: ActiveDelegation | None
    pausing: bool = False
    has_fresh_session: bool = False
    filters_handoffs: bool = False
    first_agent: Any = None
    current_agent: Any = None
    handoff_target: Any = None
    acting_name: str | None = None
    acting: ActiveDelegation | None = None
    turn_id: str = ""
    turn_text: str = ""
    call_ids: set[str] = field(default_factory=set)
    handoff_call_ids: dict[str, str] = field(default_factory=dict)
    early_decisions: dict[str, EarlyDecision] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)
    _agent_scope: AgentScope | None = None
    _context: object = None

    # who acts

    def claim_turn(self, agent: Any, context: Any) -> bool:
        """Whether a turn of an agent is one of this run's, whose first turn shows its context."""
        if self._context is None and get_guard(self.current_agent) in (None, get_guard(agent)):
            self._context = _get_shared_state(context)
        return self.owns_context(context)

    def owns_context(self, context: Any) -> bool:
        """Whether a context of the SDK's is of this run: that of a stored state is not, nor that of a run inside."""
        return self._context is not None and self._context is _get_shared_state(context)

    def get_agent_name(self, agent: Any, name: str) -> str:
        """Under which name an agent acts here.

        INVARIANT: only whom the run began with acts as whoever began it; who is reached otherwise is handed to.
        """
        guard = get_guard(agent)
        is_first = guard is not None and (get_guard(self.first_agent) is guard or guard.original is self.first_agent)
        is_alone = is_first and agent.name == self.first_agent.name and self.acting_name in (None, "")
        return name or ("" if is_alone else clean_name(agent.name))

    async def enter_agent(self, agent: str) -> None:
        """A turn of an agent begins; empty names whoever acted where the run began.

        INVARIANT: however the SDK came to an agent, its turn is one that a hand-off to it was decided for.

        Raises:
            Denied: nobody may hand off to it from here.
            Pending: somebody has to be asked first.
        """
        if agent == self.acting_name:
            return
        if self.acting_name is not None and agent:
            await self.decide_handoff(agent, "", {"task": ""})
            return
        if agent:
            with self.step_scope():
                self._agent_scope = await self.halo.open_agent_scope(agent, give=self.halo.delegation_terms.get(agent))
            self.acting = self._agent_scope.delegation or self.base_acting
        else:
            self.acting = self.base_acting
        self.acting_name = agent

    async def decide_handoff(self, agent: str, call_id: str, task: dict[str, Any], problem: str = "") -> Ticket:
        """Decide a hand-off; from then on the other one acts.

        Raises:
            Denied: it may not be handed to, and whoever acted goes on.
            Pending: as `Denied`, until somebody has answered.
        """
        call = self._build_handoff_call(agent, call_id, task)
        ticket = await self.halo.enforcer.abegin(replace(call, problem=problem) if problem else call)
        verdict = ticket.verdict
        # What observe mode lets pass although it was refused makes no link.
        if verdict is not None and verdict.handle and verdict.resource.id == agent:
            self.acting = self._make_acting(agent, verdict.handle)
        self.acting_name = agent
        return ticket

    def _build_handoff_call(self, agent: str, call_id: str, task: dict[str, Any]) -> Call:
        """INVARIANT: SUB - whoever the run began under is still at work: under such a name the actor goes on."""
        halo, base_agents = self.halo, self.base_acting.agents if self.base_acting is not None else ()
        with self.step_scope():
            call = with_delegation_terms(halo, halo.build_call(find_agent_resource(halo, agent), task, call_id=call_id))
        return replace(call, hand_off=None) if agent in (halo.agent, *base_agents) else call

    def _make_acting(self, agent: str, handle: str) -> ActiveDelegation | None:
        path = self.acting.agents if self.acting is not None else ()
        depth = path.index(agent) if agent in path else len(path)
        return ActiveDelegation(self.halo.agent, self.session.id, handle, (*path[:depth], agent))

    def get_acting(self) -> ActiveDelegation | None:
        """Under which link whoever acts now does."""
        return self.acting if self.acting_name is not None else self.base_acting

    @contextmanager
    def step_scope(self) -> Iterator[None]:
        """Run the block as whoever acts now, on behalf of the message that asked.

        INVARIANT: SUB - what a step starts and leaves running acts as whoever began the step, whoever acts by then;
        and what the host has entered around it acts as that.
        """
        context = _CURRENT_STEP.get()
        if context is None or context.run is not self:
            context = _StepContext(
                self, self.get_acting(), TriggeringMessage(self.turn_id, kind="message", text=self.turn_text)
            )
        host_acting = current_delegation(self.halo.agent, self.session.id)
        token = _CURRENT_STEP.set(context)
        try:
            with (
                session_scope(self.session),
                delegation_scope(host_acting or context.acting),
                triggering_message_scope(context.asking),
            ):
                yield
        finally:
            _CURRENT_STEP.reset(token)

    def get_known_call_ids(self) -> frozenset[str] | None:
        """Ids of the calls of this session; None where it has others before it."""
        return frozenset(self.call_ids) if self.has_fresh_session else None

    # its end

    def take_early_decision(self, call_id: str, tool: object, args: dict[str, Any]) -> EarlyDecision | None:
        """What was decided of this very call before, once."""
        decision = self.early_decisions.get(call_id)
        if decision is None or decision.tool is not tool or not same_value(decision.args, args):
            return None
        return self.early_decisions.pop(call_id)

    def end(self, error: BaseException | None = None, *, paused: bool = False) -> None:
        """Record how it ended, and hand back what it was handed; waits for nothing."""
        pause = RuntimeError("the run waits for an answer")
        for decision in self.early_decisions.values():
            if decision.ticket is not None:  # the SDK never came to it, and may yet
                decision.ticket.pause(error or pause)
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
    """Who acts in a step of a run, and on whose behalf."""

    run: AgentRun
    acting: ActiveDelegation | None
    asking: TriggeringMessage


def _get_shared_state(context: Any) -> object:
    """What all contexts of one run share."""
    return getattr(context, "_tool_invocations", context)


_CURRENT_STEP: Final[ContextVar[_StepContext | None]] = ContextVar("halo_openai_agents_step", default=None)


_ACTIVE_RUNS: Final[ContextVar[tuple[AgentRun, ...]]] = ContextVar("halo_openai_agents_runs", default=())
_IN_BODY: Final[ContextVar[bool]] = ContextVar("halo_openai_agents_body", default=False)


def current_run(halo: object) -> AgentRun | None:
    """The innermost run that this Halo decides."""
    return next((run for run in reversed(_ACTIVE_RUNS.get()) if run.halo is halo), None)


def find_run(halo: object, context: Any) -> AgentRun | None:
    """The innermost run that this Halo decides, if a context of the SDK's is of that one."""
    run = current_run(halo)
    return run if run is not None and run.owns_context(context) else None


def find_innermost_run(context: Any) -> AgentRun | None:
    """The innermost run that any Halo decides, if a context of the SDK's is of that one."""
    run = next(reversed(_ACTIVE_RUNS.get()), None)
    return run if run is not None and run.owns_context(context) else None


@contextmanager
def run_scope(run: AgentRun) -> Iterator[None]:
    """Run the block, and what is started in it, as a run of an agent.

    INVARIANT: SUB - what the host's code does in it (instructions, guardrails, hooks) acts as whoever acts by then.
    """
    token = _ACTIVE_RUNS.set((*_ACTIVE_RUNS.get(), run))
    try:
        with session_scope(run.session), dynamic_delegation_scope(run.get_acting):
            yield
    finally:
        _ACTIVE_RUNS.reset(token)


@contextmanager
def step_scope(halo: Halo) -> Iterator[AgentRun | None]:
    """Run the block as a step of the run at hand, if there is one."""
    run = current_run(halo)
    if run is None:
        yield None
        return
    with run.step_scope():
        yield run


@contextmanager
def body_scope() -> Iterator[None]:
    """Run what was decided: its words to a nested model are not the user's."""
    token = _IN_BODY.set(True)
    try:
        yield
    finally:
        _IN_BODY.reset(token)


def in_body() -> bool:
    """Whether a decided tool is running around this."""
    return _IN_BODY.get()
