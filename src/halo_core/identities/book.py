"""Room: what is ordinary for a tenant's identities. Takes: events in order. Gives: habits, peers, bytes. Never: I/O.

One book for a tenant: a habit for each identity, and from those what peers do, which stands in for an identity that is
little known. Canonical JSON both ways, so its hash names it. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from halo_core import canonical
from halo_core.behaviour.sight import mark
from halo_core.errors import BadInput
from halo_core.identities.event import IdentityEvent, Kind
from halo_core.identities.habit import Dim, Habit, values_of

__all__ = ["ESTABLISHED", "MOST_IDENTITIES", "Book", "Limits", "Peers", "group_of", "name_of"]

_FORM: Final = "halo-identities-1"  # member of the habits, and so the form's name
MOST_IDENTITIES: Final = 20_000
ESTABLISHED: Final = 5
"""Days from which an identity's own habit says something, to itself and to its peers."""


@dataclass(frozen=True, slots=True)
class Limits:
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

    def band(self, risk: int) -> int:
        """0 ordinary, 1 elevated, 2 high."""
        return 2 if risk > self.high else 1 if risk > self.elevated else 0


@dataclass(slots=True)
class Peers:
    """What those of one kind and role do.

    Args:
        members: of them that are established.
        shown: (what, value) → members that have shown it on two days or more.
        hours: hour of the day → members active within an hour of it.
        weekdays: weekday → members active on it.
        dims: of which any of them has shown anything.
        busy: the busiest usual hour of any of them.
        failing: the most failures in a usual hour of any of them.
    """

    members: int = 0
    shown: Counter[tuple[Dim, int]] = field(default_factory=Counter)
    hours: Counter[int] = field(default_factory=Counter)
    weekdays: Counter[int] = field(default_factory=Counter)
    dims: set[Dim] = field(default_factory=set)
    busy: int = 0
    failing: int = 0

    def take(self, habit: Habit) -> None:
        """One more established member."""
        self.members += 1
        self.shown.update(habit.members())
        self.dims.update(dim for dim, table in zip(Dim, habit.known, strict=False) if table)
        self.hours.update(hour for hour in range(24) if habit.near(hour))
        self.weekdays.update(day for day in range(7) if habit.weekdays[day])
        self.busy = max(self.busy, habit.busy.usual())
        self.failing = max(self.failing, habit.failing.usual())


@dataclass(slots=True)
class Book:
    """See the module.

    Args:
        habits: fingerprint of an identity → its habit.
        limits: what is elevated and high.
        key: fingerprint of the key of its fingerprints, 0 while it is empty.
    """

    habits: dict[int, Habit] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    key: int = 0

    def require(self, key: bytes) -> None:
        """INVARIANT: FAILCLOSED - under another key everybody would look unknown, and nothing be flagged.

        Raises:
            BadInput: `other_key`.
        """
        if self.key not in (0, mark("book", key=key)):
            raise BadInput(
                "other_key",
                "the baseline was made with another key",
                field="sketch.key",
                remedy="restore the key from a backup, or import the events again without `--add`",
            )

    def take(self, events: Iterable[IdentityEvent], key: bytes) -> Book:
        """More events, in order of time and later than those it has; returns itself.

        Raises:
            BadInput: `not_later`, `too_many`, `other_key`.
        """
        self.require(key)
        self.key = mark("book", key=key)
        last_us = self.last_us + 1
        for event in events:
            if event.ts_us < last_us:
                raise BadInput(
                    "not_later",
                    "events are not later than the newest of the baseline",
                    field="time",
                    remedy="leave out what was imported before, or import all files again without `--add`",
                )
            name = name_of(event.identity, key)
            habit = self.habits.get(name)
            if habit is None:
                if len(self.habits) >= MOST_IDENTITIES:
                    what = f"there are more than {MOST_IDENTITIES:,} identities"
                    raise BadInput("too_many", what, field="identity", remedy="import the accounts that matter")
                habit = self.habits[name] = Habit()
            habit.take(event, values_of(event, key), group_of(event, key))
            last_us = event.ts_us
        return self

    @property
    def last_us(self) -> int:
        """Time of the newest event, -1 where there is none."""
        return max((habit.last_us for habit in self.habits.values()), default=-1)

    @property
    def events(self) -> int:
        """How many it was made of."""
        return sum(habit.events for habit in self.habits.values())

    def established(self) -> int:
        """Identities that are known well enough to be compared with themselves."""
        return sum(habit.days >= ESTABLISHED for habit in self.habits.values())

    def peers(self) -> dict[int, Peers]:
        """Group → what its established members do."""
        found: dict[int, Peers] = {}
        for habit in self.habits.values():
            if habit.days >= ESTABLISHED and habit.group:
                found.setdefault(habit.group, Peers()).take(habit)
        return found

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
    def from_bytes(cls, data: bytes) -> Book:
        """Inverse of `to_bytes`.

        Raises:
            BadInput: these are other bytes.
        """
        try:
            plain = canonical.loads(data)
            habits = {int(name, 16): Habit.from_plain(habit) for name, habit in plain[_FORM].items()}
            elevated, high, days = map(int, plain["limits"])
            key = int(plain["key"])
        except (KeyError, TypeError, ValueError, AttributeError, BadInput) as exc:
            what = "not a baseline of identities"
            raise BadInput("bad_baseline", what, field="baseline", remedy="import the events again") from exc
        return cls(habits, Limits(elevated, high, days), key)


def name_of(identity: str, key: bytes) -> int:
    """Fingerprint of an identity."""
    return mark("identity", identity, key=key)


def group_of(event: IdentityEvent, key: bytes) -> int:
    """Fingerprint of those that an event's identity is compared with, 0 where it does not say what it is."""
    if event.kind is Kind.UNKNOWN and not event.role:
        return 0
    return mark("group", event.kind.value, event.role, key=key)
