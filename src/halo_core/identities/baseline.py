"""What a tenant's identities ordinarily do (`IdentityBaseline`): the habit of each, and of its peers.

Everything is counted in days, not in events, so a thousand calls in one night make nothing ordinary. Values are kept as
keyed fingerprints, so a baseline contains no names and no addresses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import field
from typing import Final

from halo_core.crypto import canonical
from halo_core.errors import BadInput
from halo_core.identities.event import IdentityEvent, IdentityKind
from halo_core.identities.habit import Dimension, IdentityHabit, fingerprint_event
from halo_core.quick_dataclass import dataclass
from halo_core.values.language.text import fingerprint_strings

IDENTITIES: Final = "\tidentities"
"""The name under which the baseline of people and service accounts is stored among those of agents.

It cannot be an agent's, whose names are printable.
"""
_FORM: Final = "halo-identities-1"  # member of the habits, and so the form's name
MOST_IDENTITIES: Final = 20_000
ESTABLISHED_DAYS: Final = 5
"""Days from which an identity's own habit says something, to itself and to its peers."""


@dataclass(frozen=True, slots=True)
class RiskLimits:
    """Risks above which an event is elevated, or high.

    Args:
        elevated: about one in twenty identity-days that were not in the baseline goes above it.
        high: about one in a hundred.
        days: identity-days that said so; 0 where there were too few, and the limits are only set by hand. Under a
            hundred of them, the higher one is.
    """

    elevated: int = 300
    high: int = 500
    days: int = 0

    def find_band(self, risk: int) -> int:
        """Band of an event risk: 0 ordinary, 1 elevated, 2 high."""
        return 2 if risk > self.high else 1 if risk > self.elevated else 0


@dataclass(slots=True)
class PeerGroup:
    """The usual values of identities of one kind and role.

    Args:
        members: number of those that are established.
        value_members: (what, value) → members that have shown it on two days or more.
        hours: hour of the day → members active within an hour of it.
        weekdays: weekday → members active on it.
        dims: dimensions in which any of them has shown a value.
        busy: the busiest usual hour of any of them.
        failing: the most failures in a usual hour of any of them.
    """

    members: int = 0
    value_members: Counter[tuple[Dimension, int]] = field(default_factory=Counter)
    hours: Counter[int] = field(default_factory=Counter)
    weekdays: Counter[int] = field(default_factory=Counter)
    dims: set[Dimension] = field(default_factory=set)
    busy: int = 0
    failing: int = 0

    def add_member(self, habit: IdentityHabit) -> None:
        """Count an established member."""
        self.members += 1
        self.value_members.update(habit.repeated_values())
        self.dims.update(dim for dim, table in zip(Dimension, habit.known_values, strict=False) if table)
        self.hours.update(hour for hour in range(24) if habit.count_days_active_near(hour))
        self.weekdays.update(day for day in range(7) if habit.weekdays[day])
        self.busy = max(self.busy, habit.busy.usual_peak())
        self.failing = max(self.failing, habit.failing.usual_peak())


@dataclass(slots=True)
class IdentityBaseline:
    """The usual values of a tenant's identities.

    Args:
        habits: fingerprint of an identity → its habit.
        limits: what is elevated and high.
        key: fingerprint of the key of its fingerprints, 0 while it is empty.
    """

    habits: dict[int, IdentityHabit] = field(default_factory=dict)
    limits: RiskLimits = field(default_factory=RiskLimits)
    key: int = 0

    def require_key(self, key: bytes) -> None:
        """Refuse another key, under which everybody seems unknown and nothing is flagged (INVARIANT: FAILCLOSED).

        Raises:
            BadInput: `other_key`.
        """
        if self.key not in (0, fingerprint_strings("book", key=key)):
            remedy = "restore the key from a backup, or import the events again without `--add`"
            problem = "the baseline was made with another key"
            raise BadInput("other_key", problem, field="sketch.key", remedy=remedy)

    def add_events(self, events: Iterable[IdentityEvent], key: bytes) -> IdentityBaseline:
        """Add events, in order of time and later than those it has; returns itself.

        Raises:
            BadInput: `not_later`, `too_many`, `other_key`.
        """
        self.require_key(key)
        self.key = fingerprint_strings("book", key=key)
        last_us = self.last_us + 1
        for event in events:
            if event.ts_us < last_us:
                problem = "events are not later than the newest event of the baseline"
                remedy = "remove the events that were imported before, or import all files again without `--add`"
                raise BadInput("not_later", problem, field="time", remedy=remedy)
            name = fingerprint_identity(event.identity, key)
            habit = self.habits.get(name)
            if habit is None:
                if len(self.habits) >= MOST_IDENTITIES:
                    message = f"there are more than {MOST_IDENTITIES:,} identities"
                    raise BadInput("too_many", message, field="identity", remedy="import only the accounts that matter")
                habit = self.habits[name] = IdentityHabit()
            habit.add_event(event, fingerprint_event(event, key), fingerprint_group(event, key))
            last_us = event.ts_us
        return self

    @property
    def last_us(self) -> int:
        """Time of the newest event, -1 where there is none."""
        return max((habit.last_us for habit in self.habits.values()), default=-1)

    @property
    def event_count(self) -> int:
        """Number of events it was fitted on."""
        return sum(habit.events for habit in self.habits.values())

    def count_established(self) -> int:
        """Number of identities known well enough to be compared with themselves."""
        return sum(habit.days >= ESTABLISHED_DAYS for habit in self.habits.values())

    def group_peers(self) -> dict[int, PeerGroup]:
        """Group → what its established members do."""
        groups: dict[int, PeerGroup] = {}
        for habit in self.habits.values():
            if habit.days >= ESTABLISHED_DAYS and habit.group:
                groups.setdefault(habit.group, PeerGroup()).add_member(habit)
        return groups

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return canonical.dumps(
            {
                _FORM: {f"{name:012x}": habit.to_plain() for name, habit in self.habits.items()},
                "key": self.key,
                "limits": [self.limits.elevated, self.limits.high, self.limits.days],
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> IdentityBaseline:
        """Inverse of `to_bytes`.

        Raises:
            BadInput: these are other bytes.
        """
        try:
            members = canonical.loads(data)
            habits = {int(name, 16): IdentityHabit.from_plain(habit) for name, habit in members[_FORM].items()}
            elevated, high, days = map(int, members["limits"])
            key = int(members["key"])
        except (KeyError, TypeError, ValueError, AttributeError, BadInput) as exc:
            message = "not a baseline of identities"
            raise BadInput("bad_baseline", message, field="baseline", remedy="import the events again") from exc
        return cls(habits, RiskLimits(elevated, high, days), key)


def fingerprint_identity(identity: str, key: bytes) -> int:
    """Fingerprint of an identity."""
    return fingerprint_strings("identity", identity, key=key)


def fingerprint_group(event: IdentityEvent, key: bytes) -> int:
    """Fingerprint of an identity's peer group (kind and role); 0 if the event has neither."""
    if event.kind is IdentityKind.UNKNOWN and not event.role:
        return 0
    return fingerprint_strings("group", event.kind.value, event.role, key=key)
