"""Room: handing off, the part of the facade about several agents. Takes: an agent's name. Gives: a narrower link.

Two ways in: `hand_off`, where one agent gives part of its own to another, and `entering`, where a framework says who
acts now; there an agent that has a live link goes on under it. A block inside another never acts for somebody above:
under such a name whoever acts there goes on. Never: decides, mints.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from halo_core.custody import HandOff
from halo_core.errors import Denied
from halo_core.model import ActionKind, Impact, Resource, Reversal
from halo_core.pep import Call, Enforcer, Live, Surface, Ticket
from halo_core.session import Acting, acting

__all__ = ["Entry", "HandOff", "HandingOff", "Stay"]

_HANDED: Final = Resource(
    kind=ActionKind.HANDOFF,
    impact=Impact.READ,
    reversal=Reversal.NONE_NEEDED,
    source_trust=500,
    # A node that runs again hands off again; the link that it made is found, or was handed back.
    idempotent=True,
)
_MOST_HANDED: Final = 16
_HANDING: Final = ("clamp", "pause", "redact")  # a block has no output that could be narrowed
_TASK: Final[dict[str, Any]] = {"type": "object", "properties": {"task": {"type": "string"}}}
_DONE: Final[Surface[str]] = Surface(text=str)


@dataclass(slots=True)
class Entry:
    """An agent that acts now.

    Attributes:
        handle: of the link it acts under; empty for the facade's own agent, and where observe mode let a refused
            hand-off run, which makes no link.
        made: whether the link was made here, and so ends with the block.
        answered: whether somebody's answer let it begin.
    """

    handle: str
    made: bool
    answered: bool
    _ends: bool
    _kept: bool = False

    @property
    def ends(self) -> bool:
        """Whether the link is handed back at the end of the block."""
        return self._ends and bool(self.handle)

    @property
    def kept(self) -> bool:
        """Whether `keep` was called."""
        return self._kept

    def keep(self) -> None:
        """Leave the link live at the end of the block: the agent paused, or has handed on."""
        self._kept, self._ends = True, False

    def hand_back(self) -> None:
        """Hand the link back at the end of the block, although it was live before (an earlier run kept it)."""
        self._kept, self._ends = False, True


@dataclass(frozen=True, slots=True)
class _Way:
    """How an agent comes to act: the call that is decided, who acts then, and whether a link is made for it."""

    call: Call
    path: tuple[str, ...]
    made: bool
    claimed: str = ""


class Stay:
    """An agent's stay, where no block can stand around it: a framework whose steps are tasks of their own.

    Attributes:
        entry: as `HandingOff.entering` yields it.
        acting: what it acts under; None where it is the facade's own agent, or no link was made.
        own: whether the link is this stay's alone, and so may be handed back: made for it, or kept by an earlier one.
    """

    __slots__ = ("_end", "acting", "entry", "own")

    def __init__(
        self, entry: Entry, acting: Acting | None, end: Callable[[BaseException | None], None], *, own: bool
    ) -> None:
        self.entry = entry
        self.acting = acting
        self.own = own
        self._end = end

    def end(self, error: BaseException | None = None) -> None:
        """Record how it ended and hand the link back, unless it was kept; waits for nothing."""
        self._end(error)


class HandingOff:
    """What `HaloBase` knows of hand-offs."""

    agent: str
    enforcer: Enforcer
    _handed = 0
    # Links that an open block of this process acts under, so that two blocks side by side never share one.
    _entered: dict[str, object]

    def register(
        self,
        kind: ActionKind,
        name: str,
        *,
        resource: Resource | None = None,
        description: str = "",
        schema: Mapping[str, Any] | None = None,
    ) -> Resource:
        """See `HaloBase`."""
        raise NotImplementedError

    def registered(self, name: str) -> Resource | None:
        """See `HaloBase`."""
        raise NotImplementedError

    def arguments(self, name: str) -> list[str] | None:
        """See `HaloBase`."""
        raise NotImplementedError

    def call(self, resource: Resource, args: Mapping[str, Any], *, call_id: str = "") -> Call:
        """See `HaloBase`."""
        raise NotImplementedError

    @contextmanager
    def hand_off(self, to: str, *, task: str = "", give: HandOff | None = None, call_id: str = "") -> Iterator[str]:
        """Hand off to another agent: inside the block it acts, under a narrower link; at its end it hands back.

        The hand-off is decided like any action. What the other spends is charged to everybody above, and its
        authority is never more than theirs. Whoever acts here cannot make an agent up the chain act: under that name
        the block goes on under the link acted under, which is all that the actor has.

        Args:
            to: the agent's id.
            task: what it is asked to do; recorded.
            give: how much of its own the giver hands on; None gives what it has.
            call_id: the framework's id of the hand-off.

        Yields:
            The handle of the link.

        Raises:
            Denied: it may not hand off to this agent.
        """
        way = self._given(self._beginning(to, task, give, call_id))
        with self._inside(way, self.enforcer.begin(way.call)) as entry:
            yield entry.handle

    @contextmanager
    def entering(
        self, agent: str, *, call_id: str = "", task: str = "", give: HandOff | None = None
    ) -> Iterator[Entry]:
        """Inside the block, `agent` acts in this context's session.

        An agent that has a live link in the session goes on under it: that is decided as a hand-off to itself, and
        what is below it is handed back. Otherwise it is decided as a hand-off from whoever acts here, which makes a
        link; at the end of the block that is handed back, unless `Entry.keep` was called.

        An agent that is up the chain of whoever acts here is not entered: its name is taken, what bears it is the
        actor's own, and goes on under the actor's link. That is decided as the actor's hand-off to itself.

        Args:
            agent: its id.
            call_id: the framework's id of this step.
            task: what it is asked to do; recorded.
            give: how much the giver hands on where a link is made; None gives what it has.

        Yields:
            The entry.

        Raises:
            Denied: it may not act here.
            Pending: it waits for an approval.
        """
        call = self._beginning(agent, task, give, call_id)
        way = self._going_on(call, self.enforcer.live(*self._sought(call)))
        try:
            try:
                ticket = self.enforcer.begin(way.call)
            except Denied as exc:
                if not _raced(way, exc):
                    raise
                self._left(way)
                way = self._going_on(call, self.enforcer.live(*self._sought(call)))
                ticket = self.enforcer.begin(way.call)
            with self._inside(way, ticket) as entry:
                yield entry
        finally:
            self._left(way)

    @asynccontextmanager
    async def aentering(
        self, agent: str, *, call_id: str = "", task: str = "", give: HandOff | None = None
    ) -> AsyncIterator[Entry]:
        """As `entering`, without ever blocking the event loop."""
        way, ticket = await self._abegun(self._beginning(agent, task, give, call_id))
        try:
            async with self._ainside(way, ticket) as entry:
                yield entry
        finally:
            self._left(way)

    async def stay(self, agent: str, *, call_id: str = "", task: str = "", give: HandOff | None = None) -> Stay:
        """As `aentering`, until `Stay.end` is called; whoever calls sees to it that its steps act under `Stay.acting`.

        Raises:
            Denied: it may not act here.
            Pending: it waits for an approval.
        """
        way, ticket = await self._abegun(self._beginning(agent, task, give, call_id))
        entry = _entry(way, ticket)

        def end(error: BaseException | None) -> None:
            if entry.ends:
                self.enforcer.leave(_session(ticket), entry.handle)
            self._forget(entry)
            self._left(way)
            if error is None:
                ticket.succeed(_ending(entry), _DONE)
            else:
                _broke(ticket, entry, error)

        return Stay(entry, self._acts(way, entry), end, own=entry.made or bool(way.claimed))

    def declare_agent(self, name: str) -> Resource:
        """Register an agent that is handed to; said early, so that links made before its first turn may name it.

        Raises:
            ConfigError: the id is taken by another kind.
        """
        known = self.registered(name)
        if known is not None and known.kind is ActionKind.HANDOFF:
            return known
        return self.register(ActionKind.HANDOFF, name, resource=_HANDED, schema=_TASK)

    def handing(self, agent: str, *, call_id: str = "", task: str = "", give: HandOff | None = None) -> Call:
        """The call that hands on to an agent and leaves the link live, as a framework's hand-off tool does.

        Once it is decided, `ticket.verdict.handle` names the link: a new one, or the one that the agent has from this
        giver on the same terms.
        """
        return replace(self._handing(agent, task, give, call_id), claim=None)

    def _handing(self, to: str, task: str, give: HandOff | None, call_id: str) -> Call:
        known = self.registered(to)
        if known is None and self._handed >= _MOST_HANDED:
            # Names that a model makes up must not fill the passport; what is not registered is not granted.
            known = replace(_HANDED, id=to)
        elif known is None or known.kind is not ActionKind.HANDOFF:
            self._handed += 1
            known = self.declare_agent(to)
        takes = self.arguments(to)
        args = {"task": task} if takes is None or "task" in takes else {}
        made = self.call(known, args, call_id=call_id)
        return replace(
            made,
            hand_off=give or HandOff(),
            claim=lambda handle: self._entered.setdefault(handle, made),
            abilities=_HANDING,
        )

    def _beginning(self, agent: str, task: str, give: HandOff | None, call_id: str) -> Call:
        """The call that is decided where a block begins.

        INVARIANT: SUB - whoever acts here is still at work: what runs inside under the name of an agent above is no
        more than the actor, who names it. A hand-back is for when the actor is done (`handing`).
        """
        call = self._handing(agent, task, give, call_id)
        if agent not in (self.agent, *call.agents)[:-1]:
            return call
        if give is not None and give != HandOff():
            # It would be given less than the actor has, and no link can say so: a name stands once in a chain.
            return replace(call, problem="agent_name_taken")
        return self._handing(call.agents[-1], task, None, f"{call_id}>{agent}" if call_id else "")

    def _given(self, call: Call) -> _Way:
        """From whoever acts here; to itself that makes no link."""
        to = call.resource.id
        own = to in (self.agent, *call.agents)
        return _Way(call, call.agents if own else (*call.agents, to), made=not own)

    def _sought(self, call: Call) -> tuple[str, str, str, Collection[str]]:
        return call.session, call.resource.id, call.acting, self._entered

    def _going_on(self, call: Call, live: Live | None) -> _Way:
        """Under the live link, if there is one that no other block acts under."""
        if live is None or call.problem:
            return self._given(call)
        if live.problem:
            return self._given(replace(call, problem=live.problem))
        if not live.above and (not live.free or self._entered.setdefault(live.handle, call) is not call):
            # INVARIANT: SUB - another block acts under it: one more from the same giver, not from who leads here.
            return self._given(replace(call, acting=live.giver, agents=live.agents[:-1]))
        going = replace(call, acting=live.handle, agents=live.agents)
        return _Way(going, live.agents, made=False, claimed="" if live.above else live.handle)

    async def _abegun(self, call: Call) -> tuple[_Way, Ticket]:
        """The decision that lets an agent begin, and how it comes to act; whoever asked sees to `_left`."""
        way = self._going_on(call, await self.enforcer.alive(*self._sought(call)))
        try:
            try:
                return way, await self.enforcer.abegin(way.call)
            except Denied as exc:
                if not _raced(way, exc):
                    raise
                self._left(way)
                way = self._going_on(call, await self.enforcer.alive(*self._sought(call)))
                return way, await self.enforcer.abegin(way.call)
        except BaseException:
            self._left(way)
            raise

    def _left(self, way: _Way) -> None:
        if way.claimed:
            self._entered.pop(way.claimed, None)

    @contextmanager
    def _inside(self, way: _Way, ticket: Ticket) -> Iterator[Entry]:
        entry = _entry(way, ticket)
        try:
            try:
                with acting(self._acts(way, entry)):
                    yield entry
            finally:
                if entry.ends:
                    self.enforcer.hand_back(_session(ticket), entry.handle)
                self._forget(entry)
        except BaseException as exc:
            _broke(ticket, entry, exc)
            raise
        ticket.succeed(_ending(entry), _DONE)

    @asynccontextmanager
    async def _ainside(self, way: _Way, ticket: Ticket) -> AsyncIterator[Entry]:
        entry = _entry(way, ticket)
        try:
            try:
                with acting(self._acts(way, entry)):
                    yield entry
            finally:
                if entry.ends:
                    await self.enforcer.ahand_back(_session(ticket), entry.handle)
                self._forget(entry)
        except BaseException as exc:
            _broke(ticket, entry, exc)
            raise
        ticket.succeed(_ending(entry), _DONE)

    def _forget(self, entry: Entry) -> None:
        if entry.made:
            self._entered.pop(entry.handle, None)

    def _acts(self, way: _Way, entry: Entry) -> Acting | None:
        return Acting(self.agent, way.call.session, entry.handle, way.path) if entry.handle else None


def _entry(way: _Way, ticket: Ticket) -> Entry:
    handle = ticket.verdict.handle if ticket.verdict is not None and way.path else ""
    answered = ticket.verdict is not None and ticket.verdict.answered
    return Entry(handle, made=way.made and bool(handle), answered=answered, _ends=way.made)


def _session(ticket: Ticket) -> str:
    # Under the name that the store has for the session, which is shorter than some.
    return ticket.verdict.session if ticket.verdict is not None else ""


def _broke(ticket: Ticket, entry: Entry, error: BaseException) -> None:
    if entry.kept:
        ticket.pause(error)
    else:
        ticket.fail(error)


def _ending(entry: Entry) -> str:
    return "handed on" if entry.kept else "handed back"


def _raced(way: _Way, refused: Denied) -> bool:
    """Whether the link that was found live was handed back before the decision."""
    return not way.made and refused.reason == "handed_back"
