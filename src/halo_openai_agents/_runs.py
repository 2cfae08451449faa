"""Room: one run of an agent: its session, who acts in it now, which message asked. Takes: steps. Gives: context.

The SDK runs the steps of a run in tasks of their own, so what changes from one to the next stands in one object that
they all reach through a context variable; each step acts under what is there at its beginning. Never: decides by
itself, mints.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from halo_core.errors import Denied
from halo_core.handing import Stay
from halo_core.pep import Call, Ticket
from halo_core.pep.gate import gate_of
from halo_core.pep.handoff import known_agent, with_terms
from halo_core.pep.names import clean_name
from halo_core.pep.plain import unchanged
from halo_core.session import Acting, Asking, Session, acting, asking, current_acting, in_session

if TYPE_CHECKING:
    from halo_openai_agents import Halo

__all__ = ["Answer", "Run"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was decided of a tool call before the SDK came to it."""

    tool: object
    args: dict[str, Any]
    ticket: Ticket | None = None
    denied: Denied | None = None


@dataclass(slots=True, eq=False)
class Run:
    """One run of an agent.

    Args:
        halo: who decides.
        session: to which it belongs.
        base: what was acted under where it began.
        pausing: whether the host keeps what is needed to go on with a run that pauses.
        fresh: whether its session began with it.
        filters: whether the host filters what a hand-off passes on.
        first: with whom it began, who may act as whoever began it.
        at: the agent at work, as the SDK has it.
        led: to whom the last decided hand-off led; back to the giver where it was refused.
        agent: who acts now; None before the first turn, empty where that is whoever acted where it began.
        acting: under which link.
        turn: the message that asked for what is under way.
        text: its words.
        calls: ids of the tool calls that were made here.
        hand_offs: ids of the calls that hand off, by the name of their tool.
        answers: by call id, what was decided before the SDK came to the call.
        refused: by call id, what the model is told of a call that reaches no tool.
    """

    halo: Halo
    session: Session
    base: Acting | None
    pausing: bool = False
    fresh: bool = False
    filters: bool = False
    first: Any = None
    at: Any = None
    led: Any = None
    agent: str | None = None
    acting: Acting | None = None
    turn: str = ""
    text: str = ""
    calls: set[str] = field(default_factory=set)
    hand_offs: dict[str, str] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    _stay: Stay | None = None
    _context: object = None

    # who acts

    def begins(self, agent: Any, context: Any) -> bool:
        """Whether a turn of an agent is one of this run's, whose first turn shows its context."""
        if self._context is None and gate_of(self.at) in (None, gate_of(agent)):
            self._context = _shared(context)
        return self.holds(context)

    def holds(self, context: Any) -> bool:
        """Whether a context of the SDK's is of this run: that of a stored state is not, nor that of a run inside."""
        return self._context is not None and self._context is _shared(context)

    def named(self, agent: Any, name: str) -> str:
        """Under which name an agent acts here.

        INVARIANT: only whom the run began with acts as whoever began it; who is reached otherwise is handed to.
        """
        gate = gate_of(agent)
        first = gate is not None and (gate_of(self.first) is gate or gate.original is self.first)
        alone = first and agent.name == self.first.name and self.agent in (None, "")
        return name or ("" if alone else clean_name(agent.name))

    async def enters(self, agent: str) -> None:
        """A turn of an agent begins; empty names whoever acted where the run began.

        INVARIANT: however the SDK came to an agent, its turn is one that a hand-off to it was decided for.

        Raises:
            Denied: nobody may hand off to it from here.
            Pending: somebody has to be asked first.
        """
        if agent == self.agent:
            return
        if self.agent is not None and agent:
            await self.hands(agent, "", {"task": ""})
            return
        if agent:
            with self.step():
                self._stay = await self.halo.stay(agent, give=self.halo.terms.of(agent))
            self.acting = self._stay.acting or self.base
        else:
            self.acting = self.base
        self.agent = agent

    async def hands(self, agent: str, call_id: str, task: dict[str, Any], problem: str = "") -> Ticket:
        """Decide a hand-off; from then on the other one acts.

        Raises:
            Denied: it may not be handed to, and whoever acted goes on.
            Pending: as `Denied`, until somebody has answered.
        """
        call = self._handing(agent, call_id, task)
        ticket = await self.halo.enforcer.abegin(replace(call, problem=problem) if problem else call)
        verdict = ticket.verdict
        # What observe mode lets pass although it was refused makes no link.
        if verdict is not None and verdict.handle and verdict.resource.id == agent:
            self.acting = self._under(agent, verdict.handle)
        self.agent = agent
        return ticket

    def _handing(self, agent: str, call_id: str, task: dict[str, Any]) -> Call:
        """INVARIANT: SUB - whoever the run began under is still at work: under such a name the actor goes on."""
        halo, above = self.halo, self.base.agents if self.base is not None else ()
        with self.step():
            call = with_terms(halo, halo.call(known_agent(halo, agent), task, call_id=call_id))
        return replace(call, hand_off=None) if agent in (halo.agent, *above) else call

    def _under(self, agent: str, handle: str) -> Acting | None:
        path = self.acting.agents if self.acting is not None else ()
        known = path.index(agent) if agent in path else len(path)
        return Acting(self.halo.agent, self.session.id, handle, (*path[:known], agent))

    def now(self) -> Acting | None:
        """Under which link whoever acts now does."""
        return self.acting if self.agent is not None else self.base

    @contextmanager
    def step(self) -> Iterator[None]:
        """Run the block as whoever acts now, on behalf of the message that asked.

        INVARIANT: SUB - what a step starts and leaves running acts as whoever began the step, whoever acts by then;
        and what the host has entered around it acts as that.
        """
        begun = _STEP.get()
        if begun is None or begun.run is not self:
            begun = _Step(self, self.now(), Asking(self.turn, kind="message", text=self.text))
        entered = current_acting(self.halo.agent, self.session.id)
        token = _STEP.set(begun)
        try:
            with in_session(self.session), acting(entered or begun.acting), asking(begun.by):
                yield
        finally:
            _STEP.reset(token)

    def known(self) -> frozenset[str] | None:
        """Ids of the calls of this session; None where it has others before it."""
        return frozenset(self.calls) if self.fresh else None

    # its end

    def answered(self, call_id: str, tool: object, args: dict[str, Any]) -> Answer | None:
        """What was decided of this very call before, once."""
        found = self.answers.get(call_id)
        if found is None or found.tool is not tool or not unchanged(found.args, args):
            return None
        return self.answers.pop(call_id)

    def end(self, error: BaseException | None = None, *, paused: bool = False) -> None:
        """Record how it ended, and hand back what it was handed; waits for nothing."""
        pause = RuntimeError("the run waits for an answer")
        for answer in self.answers.values():
            if answer.ticket is not None:  # the SDK never came to it, and may yet
                answer.ticket.pause(error or pause)
        self.answers.clear()
        stay, self._stay = self._stay, None
        if stay is None:
            return
        if paused:
            stay.entry.keep()
        elif stay.own:
            stay.entry.hand_back()
        stay.end(pause if paused else error)


@dataclass(frozen=True, slots=True)
class _Step:
    """Who acts in a step of a run, and on whose behalf."""

    run: Run
    acting: Acting | None
    by: Asking


def _shared(context: Any) -> object:
    """What all contexts of one run share."""
    return getattr(context, "_tool_invocations", context)


_STEP: Final[ContextVar[_Step | None]] = ContextVar("halo_openai_agents_step", default=None)
