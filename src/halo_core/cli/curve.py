"""Room: the decay curve of a session. Takes: what entries recorded. Gives: authority over time. Never: I/O, decides.

    ──╮  a decision is charged: its step and its risk points take authority at once
      ╰╌╌╌  between two decisions only time takes some, by `authority.authority_of` over the recorded account

How it is laid out, and on which axis, is `scene`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Final

from halo_core.authority import age, authority_of
from halo_core.model import Decay, Entry, EntryKind, Envelope, Link, LinkKind
from halo_core.query import Found

__all__ = ["Curve", "Dot", "Epoch", "Given", "Position", "curve"]

Position = tuple[int, float]
"""(time in microseconds, decisions so far): a place on either axis."""

_US: Final = 1_000_000
_AFTER: Final = 0.5  # where now is, in decisions after the last one
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


def curve(
    found: Iterable[Found], agent: str, links: Callable[[list[str]], Sequence[Link]], now_us: int
) -> Curve | None:
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
