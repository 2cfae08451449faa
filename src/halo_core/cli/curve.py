"""Room: the decay curve of a session. Takes: what entries recorded. Gives: authority over time. Never: I/O, decides.

    ──╮  a decision is charged: its step and its risk points take authority at once
      ╰╌╌╌  between two decisions only time takes some, by `authority.authority_of` over the recorded account

What follows from it, on which axis, is `scene`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Final

from halo_core.authority import RISK_POINTS, age, authority_of, floor_of
from halo_core.model import Decay, Entry, EntryKind, Envelope, Impact, Link, LinkKind
from halo_core.query import Found

__all__ = ["Curve", "Dot", "Epoch", "Floor", "Given", "Position", "curve", "floors", "possible_until"]

Position = tuple[int, float]
"""(time in microseconds, decisions so far): a place on either axis."""

_US: Final = 1_000_000
_AFTER: Final = 0.5  # where now is, in decisions after the last one
_GONE: Final = 64  # halvings after which nothing is left
_SHARE: Final = 5  # time counts on the axis if it took a fifth of what was lost


@dataclass(frozen=True, slots=True)
class Dot:
    """One decision: the session link's authority before and after its charge."""

    at: Position
    index: int
    before: int
    after: int
    agent: str
    action: str
    resource: str
    impact: str
    effect: str
    ran: bool
    epoch: int


@dataclass(frozen=True, slots=True)
class Epoch:
    """Where an epoch began; who re-authorized it, empty for the first."""

    at: Position
    epoch: int
    approver: str


@dataclass(frozen=True, slots=True)
class Given:
    """A hand-off: to whom, from where to where, and its chain's authority at each of its decisions."""

    agent: str
    handle: str
    since: Position
    until: Position | None = None
    trace: tuple[tuple[Position, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Floor:
    """What an action of an impact class needs, and how long it stays possible.

    Args:
        impact: the class.
        level: authority needed, after the action's own charge.
        used: the session's passport grants something of the class.
        possible: one would be possible now.
        seconds: until none is, were nothing done; None where none is, or always will be.
        actions: how many more actions like those of this epoch until none is; None as above.
    """

    impact: Impact
    level: int
    used: bool
    possible: bool
    seconds: int | None
    actions: int | None


@dataclass(frozen=True, slots=True)
class Curve:
    """A session link's authority over its whole life.

    Args:
        agent: whose link.
        opened_us: when the session opened.
        dots: its decisions, those of its hand-offs as well.
        pieces: (from, to, terms, account): how authority fell between two decisions; the last one goes on.
        epochs: in order.
        given: hand-offs, in order.
        link: in force after the last decision.
        tainted: the session has met untrusted content.
    """

    agent: str
    opened_us: int
    dots: tuple[Dot, ...]
    pieces: tuple[tuple[Position, Position, Decay, Envelope], ...]
    epochs: tuple[Epoch, ...]
    given: tuple[Given, ...]
    link: Link
    tainted: bool

    @property
    def account(self) -> Envelope:
        """As the last decision left it."""
        return self.pieces[-1][3]

    def timed(self) -> bool:
        """Whether time took a good part of what was lost, so that an axis of time shows it."""
        lived = charged = 0
        for (start, _), (end, _), decay, account in self.pieces[:-1]:
            lived += age(decay, end - account.since_us, 0, 0) - age(decay, start - account.since_us, 0, 0)
        for (_, _, decay, old), (_, _, _, new) in pairwise(self.pieces):
            steps, risk = (new.total(unit) - old.total(unit) for unit in ("step", "risk"))
            charged += age(decay, 0, steps, risk)
        return lived * _SHARE >= charged

    def left(self, now_us: int) -> int:
        """Authority at a time after the last decision."""
        return authority_of(self.pieces[-1][2], self.account, now_us)

    def pace(self) -> int:
        """Risk points of an action of this epoch, rounded up; 1 where there was none."""
        account = self.account
        steps = account.total("step") - account.base_step
        return max(-(-(account.total("risk") - account.base_risk) // steps), 1) if steps > 0 else 1


# from entries


@dataclass(slots=True)
class _Reading:
    """What was read so far."""

    agent: str
    links: Callable[[list[str]], Sequence[Link]]
    opened_us: int = 0
    tainted: bool = False
    link: Link | None = None
    last: tuple[Position, Decay, Envelope] | None = None
    dots: list[Dot] = field(default_factory=list)
    pieces: list[tuple[Position, Position, Decay, Envelope]] = field(default_factory=list)
    epochs: list[Epoch] = field(default_factory=list)
    given: dict[str, Given] = field(default_factory=dict)
    approver: str = ""

    def take(self, found: Found) -> None:
        """Take in one entry."""
        entry = found.entry
        if entry.kind is EntryKind.DECISION:
            self._decision(found.index, entry)
        elif entry.kind is EntryKind.APPROVAL and entry.body["kind"] == "reauthorization":
            self.approver = str(entry.body["approver"])
        elif entry.kind is EntryKind.PASSPORT and entry.body["kind"] == LinkKind.HANDOFF.value:
            self.given.setdefault(
                entry.body["handle"], Given(entry.body["agent"], entry.body["handle"], (entry.ts_us, len(self.dots)))
            )
        elif entry.kind is EntryKind.HANDBACK:
            for closed in entry.body["closed"]:
                known = self.given.get(closed["handle"])
                if known is not None:
                    self.given[closed["handle"]] = replace(known, until=(entry.ts_us, len(self.dots)))

    def _decision(self, index: int, entry: Entry) -> None:
        body = entry.body
        snapshot = body["snapshot"]
        before = [Envelope.from_plain(item) for item in snapshot["envelopes"]]
        if not before:
            return
        chain = self.links(snapshot["chain"])
        link = chain[1]
        if link.decay is None or link.agent != self.agent:
            return
        self.opened_us = snapshot["session"]["opened_us"]
        self.tainted = snapshot["session"]["tainted"]
        time_us = snapshot["time_us"]
        at = (time_us, len(self.dots) + 1.0)
        self._until(at, link.decay, before[0])
        after = [_after(account, body["after"]["budgets"]) for account in before]
        self.link, self.last = link, (at, link.decay, after[0])
        self.dots.append(
            Dot(
                at=at,
                index=index,
                before=authority_of(link.decay, before[0], time_us),
                after=authority_of(link.decay, after[0], time_us),
                agent=body["request"]["subject"]["agent"],
                action=body["request"]["kind"],
                resource=body["request"]["resource"]["id"],
                impact=body["request"]["resource"]["impact"],
                effect=body["decision"]["effect"],
                ran=body["dispatched"],
                epoch=after[0].epoch,
            )
        )
        for account in after[1:]:
            known = self.given.get(account.link)
            left = body["after"]["authority"]
            if known is not None and isinstance(left, int):
                self.given[account.link] = replace(known, trace=(*known.trace, (at, left)))

    def _until(self, at: Position, decay: Decay, account: Envelope) -> None:
        """The piece that ends with this decision, and the epoch that may begin with it."""
        start, terms, known = self.last or ((self.opened_us, 0.0), decay, account)
        if self.last is None or known.epoch != account.epoch:
            since = at if self.last is not None else start
            self.epochs.append(Epoch(since, account.epoch, self.approver if account.epoch > 1 else ""))
        self.pieces.append((start, at, terms, known))


def curve(found: Iterable[Found], agent: str, links: Callable[[list[str]], Sequence[Link]], now_us: int) -> Curve | None:
    """The curve of an agent's session link, None where it decided nothing under one.

    Args:
        found: decisions, passports, approvals and hand-backs of the session, in log order.
        agent: whose session link.
        links: hashes of a chain → its links.
        now_us: microseconds since the epoch; the curve ends here, or with the last decision.
    """
    reading = _Reading(agent, links)
    for item in found:
        reading.take(item)
    if reading.link is None or reading.last is None:
        return None
    at, decay, account = reading.last
    reading.pieces.append((at, (max(now_us, at[0]), at[1] + _AFTER), decay, account))
    return Curve(
        agent=agent,
        opened_us=reading.opened_us,
        dots=tuple(reading.dots),
        pieces=tuple(reading.pieces),
        epochs=tuple(reading.epochs),
        given=tuple(reading.given.values()),
        link=reading.link,
        tainted=reading.tainted,
    )


def _after(account: Envelope, budgets: Sequence[Any]) -> Envelope:
    spent = tuple((unit, held, done) for handle, unit, held, done in budgets if handle == account.link)
    return replace(account, spent=spent or account.spent)


# what is still possible


def floors(told: Curve, now_us: int, used: Iterable[Impact]) -> list[Floor]:
    """Every impact class with its floor, the highest first."""
    wanted = set(used)
    found = []
    for impact in Impact:
        level = floor_of((told.link,), impact)
        seconds, actions = possible_until(told, impact, level, now_us)
        possible = seconds is not None or actions is not None or _possible(told, impact, level, now_us)
        found.append(Floor(impact, level, impact in wanted, possible, seconds, actions))
    return sorted(found, key=lambda item: (-item.level, -RISK_POINTS[item.impact], item.impact.value))


def possible_until(told: Curve, impact: Impact, level: int, now_us: int) -> tuple[int | None, int | None]:
    """(seconds, actions) for which an action of a class stays possible; None where it is not, or always is."""
    decay = told.link.decay
    if decay is None or level <= 0 or not _possible(told, impact, level, now_us):
        return None, None
    pace = told.pace()
    seconds = _last(lambda n: _possible(told, impact, level, now_us + n * _US), _GONE * decay.half_life_s)
    actions = _last(
        lambda n: _possible(told, impact, level, now_us, steps=n, risk=n * pace), _GONE * decay.half_life_steps
    )
    return seconds, actions


def _possible(told: Curve, impact: Impact, level: int, time_us: int, *, steps: int = 0, risk: int = 0) -> bool:
    points = RISK_POINTS[impact] * (2 if told.tainted and impact is not Impact.READ else 1)
    decay = told.link.decay
    return (
        decay is not None
        and authority_of(decay, told.account, time_us, steps=steps + 1, risk=risk + points) >= level
    )


def _last(holds: Callable[[int], bool], most: int) -> int:
    """The largest number up to `most` for which it holds; it holds for 0, and falls once."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low

