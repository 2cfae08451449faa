"""How the authority of a session fell, and what it still allows.

    ──╮  a decision is charged: its step and its risk points take authority at once
      ╰╌╌╌  between two decisions only time takes some, computed over the recorded account

An action is possible while the authority after its own charge is at or above the floor of its impact class.
`halo_core.views.authority_chart` lays the curve out and draws it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, field, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

from halo_core.authority import RISK_POINTS, compute_age, compute_authority, find_floor
from halo_core.durations import SECOND_US
from halo_core.enforcement.registry import RegisteredResource
from halo_core.model import Decay, EntryKind, Envelope, Impact, LedgerEntry, Link, LinkKind
from halo_core.quick_dataclass import dataclass
from halo_core.store.reader import LoggedEntry, Reader, read_entries
from halo_core.store.session_state import SessionState
from halo_core.views import View
from halo_core.views.next_limits import find_largest
from halo_core.views.sessions import list_live_agents, load_session_links
from halo_core.views.wording import format_rough_duration

Position = tuple[int, float]
"""(time in microseconds, decisions so far): a place on either axis."""

_NOW_OFFSET: Final = 0.5  # place of the present on an axis of decisions, after the last one
_TIME_SHARE: Final = 5  # the axis is one of time if time took at least a fifth of the authority that was lost


@dataclass(frozen=True, slots=True)
class DecisionPoint:
    """One decision: the session link's authority before and after its charge."""

    position: Position
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
    """The begin of an epoch, and who re-authorized the session; empty for the first epoch."""

    position: Position
    epoch: int
    approver: str


@dataclass(frozen=True, slots=True)
class HandOff:
    """A hand-off to an agent: its begin and end, and the authority of its chain at each of its decisions."""

    agent: str
    handle: str
    since: Position
    until: Position | None = None
    trace: tuple[tuple[Position, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Curve:
    """A session link's authority over its whole life.

    Args:
        agent: agent that holds the link.
        opened_us: when the session opened.
        points: its decisions, those of its hand-offs as well.
        segments: (from, to, decay, account): how authority fell between two decisions; the last one ends now.
        epochs: the epochs, in order.
        hand_offs: the hand-offs, in order.
        link: the session link in force after the last decision.
        tainted: whether the session was exposed to untrusted content.
    """

    agent: str
    opened_us: int
    points: tuple[DecisionPoint, ...]
    segments: tuple[tuple[Position, Position, Decay, Envelope], ...]
    epochs: tuple[Epoch, ...]
    hand_offs: tuple[HandOff, ...]
    link: Link
    tainted: bool

    @property
    def account(self) -> Envelope:
        """The link's account after the last decision."""
        return self.segments[-1][3]

    def is_time_driven(self) -> bool:
        """Whether time took at least a fifth of the authority that was lost, so that the axis should be time."""
        lived = charged = 0
        for (start, _), (end, _), decay, account in self.segments[:-1]:
            lived += compute_age(decay, end - account.since_us, 0, 0)
            lived -= compute_age(decay, start - account.since_us, 0, 0)
        for (_, _, decay, old), (_, _, _, new) in pairwise(self.segments):
            steps, risk = (new.total(unit) - old.total(unit) for unit in ("step", "risk"))
            charged += compute_age(decay, 0, steps, risk)
        return lived * _TIME_SHARE >= charged

    def authority_at(self, now_us: int) -> int:
        """Authority (millionths) at a time after the last decision."""
        return compute_authority(self.segments[-1][2], self.account, now_us)

    def risk_per_action(self) -> int:
        """Average risk points of an action of this epoch, rounded up; 1 where there was none."""
        account = self.account
        steps = account.total("step") - account.base_step
        return max(-(-(account.total("risk") - account.base_risk) // steps), 1) if steps > 0 else 1


# from entries


@dataclass(slots=True)
class _CurveReader:
    """Builds the curve of one agent's session link from entries, taken in log order."""

    agent: str
    links: Callable[[list[str]], Sequence[Link]]
    opened_us: int = 0
    tainted: bool = False
    link: Link | None = None
    last: tuple[Position, Decay, Envelope] | None = None
    points: list[DecisionPoint] = field(default_factory=list)
    segments: list[tuple[Position, Position, Decay, Envelope]] = field(default_factory=list)
    epochs: list[Epoch] = field(default_factory=list)
    hand_offs: dict[str, HandOff] = field(default_factory=dict)
    approver: str = ""

    def add_entry(self, record: LoggedEntry) -> None:
        """Take the next entry."""
        entry = record.entry
        if entry.kind is EntryKind.DECISION:
            self._add_decision(record.index, entry)
        elif entry.kind is EntryKind.APPROVAL and entry.body["kind"] == "reauthorization":
            self.approver = str(entry.body["actor"])
        elif entry.kind is EntryKind.PASSPORT and entry.body["kind"] == LinkKind.HANDOFF.value:
            self.hand_offs.setdefault(
                entry.body["handle"],
                HandOff(entry.body["agent"], entry.body["handle"], (entry.ts_us, len(self.points))),
            )
        elif entry.kind is EntryKind.HANDBACK:
            for closed in entry.body["closed"]:
                hand_off = self.hand_offs.get(closed["handle"])
                if hand_off is not None:
                    self.hand_offs[closed["handle"]] = replace(hand_off, until=(entry.ts_us, len(self.points)))

    def _add_decision(self, index: int, entry: LedgerEntry) -> None:
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
        position = (time_us, len(self.points) + 1.0)
        self._end_segment(position, link.decay, before[0])
        after = [_apply_budgets(account, body["after"]["budgets"]) for account in before]
        self.link, self.last = link, (position, link.decay, after[0])
        self.points.append(
            DecisionPoint(
                position=position,
                index=index,
                before=compute_authority(link.decay, before[0], time_us),
                after=compute_authority(link.decay, after[0], time_us),
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
            hand_off = self.hand_offs.get(account.link)
            remaining = body["after"]["authority"]
            if hand_off is not None and isinstance(remaining, int):
                self.hand_offs[account.link] = replace(hand_off, trace=(*hand_off.trace, (position, remaining)))

    def _end_segment(self, position: Position, decay: Decay, account: Envelope) -> None:
        """Add the segment that ends with this decision, and the epoch that begins with it, if one does."""
        start, terms, previous = self.last or ((self.opened_us, 0.0), decay, account)
        if self.last is None or previous.epoch != account.epoch:
            since = position if self.last is not None else start
            self.epochs.append(Epoch(since, account.epoch, self.approver if account.epoch > 1 else ""))
        self.segments.append((start, position, terms, previous))


def build_curve(
    records: Iterable[LoggedEntry], agent: str, links: Callable[[list[str]], Sequence[Link]], now_us: int
) -> Curve | None:
    """The curve of an agent's session link, None if it decided nothing under one.

    Args:
        records: decisions, passports, approvals and hand-backs of the session, in log order.
        agent: agent that holds the session link.
        links: hashes of a chain → its links.
        now_us: microseconds since the epoch; the curve ends here, or with the last decision.
    """
    reading = _CurveReader(agent, links)
    for item in records:
        reading.add_entry(item)
    if reading.link is None or reading.last is None:
        return None
    position, decay, account = reading.last
    reading.segments.append((position, (max(now_us, position[0]), position[1] + _NOW_OFFSET), decay, account))
    return Curve(
        agent=agent,
        opened_us=reading.opened_us,
        points=tuple(reading.points),
        segments=tuple(reading.segments),
        epochs=tuple(reading.epochs),
        hand_offs=tuple(reading.hand_offs.values()),
        link=reading.link,
        tainted=reading.tainted,
    )


def _apply_budgets(account: Envelope, budgets: Sequence[Any]) -> Envelope:
    spent = tuple((unit, reserved, done) for handle, unit, reserved, done in budgets if handle == account.link)
    return replace(account, spent=spent or account.spent)


_MAX_HALVINGS: Final = 64  # halvings after which nothing is left


@dataclass(frozen=True, slots=True)
class Floor:
    """The authority that actions of an impact class need, and how long they stay possible.

    Args:
        impact: the class.
        level: authority that has to be left after the action's own charge, millionths.
        used: whether the session's passport grants something of the class.
        possible: whether an action of the class would be possible now.
        seconds: how long one stays possible if nothing else is done; None if none is possible, or always.
        actions: after how many actions, as costly as those of this epoch, one is still possible; None likewise.
    """

    impact: Impact
    level: int
    used: bool
    possible: bool
    seconds: int | None
    actions: int | None


def compute_floors(curve: Curve, now_us: int, used: Iterable[Impact]) -> list[Floor]:
    """Every impact class with its floor, the highest first."""
    wanted = set(used)
    class_floors = []
    for impact in Impact:
        level = find_floor((curve.link,), impact)
        seconds, actions = compute_remaining(curve, impact, level, now_us)
        possible = seconds is not None or actions is not None or _is_possible(curve, impact, level, now_us)
        class_floors.append(Floor(impact, level, impact in wanted, possible, seconds, actions))
    return sorted(class_floors, key=lambda item: (-item.level, -RISK_POINTS[item.impact], item.impact.value))


def compute_remaining(curve: Curve, impact: Impact, level: int, now_us: int) -> tuple[int | None, int | None]:
    """(seconds, actions) for which an action of a class stays possible; both None if none is, or one always is."""
    decay = curve.link.decay
    if decay is None or level <= 0 or not _is_possible(curve, impact, level, now_us):
        return None, None
    pace = curve.risk_per_action()
    seconds = find_largest(
        lambda n: _is_possible(curve, impact, level, now_us + n * SECOND_US), _MAX_HALVINGS * decay.half_life_s
    )
    actions = find_largest(
        lambda n: _is_possible(curve, impact, level, now_us, steps=n, risk=n * pace),
        _MAX_HALVINGS * decay.half_life_steps,
    )
    return seconds, actions


def _is_possible(curve: Curve, impact: Impact, level: int, time_us: int, *, steps: int = 0, risk: int = 0) -> bool:
    points = RISK_POINTS[impact] * (2 if curve.tainted and impact is not Impact.READ else 1)
    decay, account = curve.link.decay, curve.account
    if decay is None:
        return False
    return compute_authority(decay, account, time_us, steps=steps + 1, risk=risk + points) >= level


# in words


def group_by_level(class_floors: Sequence[Floor]) -> Mapping[int, list[Floor]]:
    """Level → the floors at this level, in the order of the floors."""
    levels: dict[int, list[Floor]] = {}
    for item in class_floors:
        levels.setdefault(item.level, []).append(item)
    return levels


def format_classes(class_floors: Sequence[Floor]) -> str:
    """Impact classes by name."""
    names = [item.impact.value for item in class_floors]
    return ", ".join(names[:-1]) + f" and {names[-1]}" if len(names) > 1 else "".join(names)


def find_soonest(class_floors: Sequence[Floor]) -> tuple[tuple[int, int], list[Floor]]:
    """(actions, seconds) left of the used classes that stop next, and those classes."""
    still_possible = [item for item in class_floors if item.used and item.actions is not None]
    least = min(((item.actions or 0, item.seconds or 0) for item in still_possible), default=(0, 0))
    return least, [item for item in still_possible if (item.actions, item.seconds) == least]


def describe_outlook(curve: Curve, class_floors: Sequence[Floor], now_us: int) -> str:
    """Which actions that the passport grants have stopped, and which stop next and when, as a sentence."""
    if now_us // SECOND_US >= curve.link.expires_at_s:
        return "the session's passport has expired: nothing runs under it any more"
    stopped = [item for item in class_floors if item.used and not item.possible]
    (actions, seconds), nearest = find_soonest(class_floors)
    lines = []
    if stopped:
        lines.append(f"{format_classes(stopped)} actions are stopped until an approver re-authorizes the session")
    if nearest:
        stop = "actions stop" if not stopped else "actions follow"
        count = actions + 1
        lines.append(
            f"{format_classes(nearest)} {stop} in {format_rough_duration(seconds + 1)}, or after {count:,} more "
            f"decision{'s' if count > 1 else ''} at the current rate"
        )
    return "; ".join(lines) or "none of the actions that its passport grants will stop"


_KINDS: Final = (EntryKind.DECISION, EntryKind.PASSPORT, EntryKind.APPROVAL, EntryKind.HANDBACK)


@dataclass(frozen=True, slots=True)
class AuthorityView(View):
    """How the authority of a session's agent fell, and what it still allows at a time.

    Args:
        session: its id.
        curve: curve of the agent's session link.
        floors: floors of all impact classes, the highest first.
        now_us: the time, microseconds since the epoch.
    """

    session: str
    curve: Curve
    floors: list[Floor]
    now_us: int

    @property
    def outlook(self) -> str:
        """What stops next, in words."""
        return describe_outlook(self.curve, self.floors, self.now_us)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        curve = self.curve
        points = [{**asdict(dot), "time_us": dot.position[0]} for dot in curve.points]
        for point in points:
            del point["position"]
        return {
            "agent": curve.agent,
            "authority": curve.authority_at(self.now_us),
            "epoch": curve.account.epoch,
            "epochs": [
                {
                    "approver": item.approver,
                    "decisions": int(item.position[1]),
                    "epoch": item.epoch,
                    "time_us": item.position[0],
                }
                for item in curve.epochs
            ],
            "floors": [{**asdict(item), "impact": item.impact.value} for item in self.floors],
            "hand_offs": [
                {
                    "agent": item.agent,
                    "back_us": item.until[0] if item.until is not None else None,
                    "handle": item.handle,
                    "since_us": item.since[0],
                    "trace": [{"authority": remaining, "time_us": position[0]} for position, remaining in item.trace],
                }
                for item in curve.hand_offs
            ],
            "next": self.outlook,
            "now_us": self.now_us,
            "opened_us": curve.opened_us,
            "points": points,
            "session": self.session,
            "until_s": curve.link.expires_at_s,
        }


def load_authority(reader: Reader, tenant: str, state: SessionState, agent: str, now_us: int) -> AuthorityView | None:
    """The authority of an agent in a session; where `agent` has no session link, of the first agent that has one.

    None if no decision was made under a session link.
    """
    roots = [account.agent for account in state.links if not account.parent]
    name = agent if agent in roots else (list_live_agents(state) or ("",))[0]
    now_us = max(now_us, state.view.high_water_us)
    links = lru_cache(maxsize=None)(lambda hashes: load_session_links(reader, tenant, list(hashes)))
    records = read_entries(reader, tenant, _KINDS, state.view.id)
    curve = build_curve(records, name, lambda hashes: links(tuple(hashes)), now_us)
    if curve is None:
        return None
    resources = [RegisteredResource.from_bytes(spec).resource for _, spec in reader.resources(tenant)]
    granted = {item.impact for item in resources if item.id in curve.link.grants.get(item.kind, {})}
    return AuthorityView(state.view.id, curve, compute_floors(curve, now_us, granted), now_us)
