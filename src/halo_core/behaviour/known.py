"""What an identity has shown of each kind (tools, hosts, ...), and how surprising something new of that kind is."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, NamedTuple

from halo_core.behaviour.event import fingerprint_text
from halo_core.behaviour.packing import NumberReader, clamp
from halo_core.behaviour.seen import SEEN_COUNT, SeenKind
from halo_core.behaviour.settings import PlaceCounts, count_places, list_superfluous, weigh_setting
from halo_core.risk.model import log2_ratio_in_sixteenths

_UNIT: Final = 256
_DECAY: Final = 128
_MAX_COUNT: Final = 255
SENSITIVE_LABELS: Final = frozenset(
    "chd pan card cards phi health pii personal secret secrets credential credentials key keys password passwords "
    "confidential restricted classified biometric salary payroll".split()
)
_SENSITIVE: Final = frozenset(map(fingerprint_text, SENSITIVE_LABELS))
_SENSITIVE_SHARE: Final = 900  # thousandths of attacks
DORMANT_DAYS: Final = 90
DORMANT_SESSIONS: Final = 100
WAKING_SESSIONS: Final = 5
"""Sessions in which a grant that slept counts as if new: one use would make the next one ordinary otherwise."""
_WAKING: Final = 256
_MAX_TIMES: Final = _WAKING + WAKING_SESSIONS


class _KindTerms(NamedTuple):
    """Settings of a kind, set by hand (see `risk.circumstances`).

    Args:
        words: for people.
        share: thousandths of attacks that are taken to show something new of the kind.
        most: sixteenths of a bit that it weighs at most.
        room: values that are remembered.
    """

    words: str
    share: int
    most: int
    room: int


TERMS: Final = (
    _KindTerms("it uses a tool that it never used", 300, 40, 64),
    _KindTerms("it reaches a system that it never reached", 300, 64, 32),
    _KindTerms("it touches data of a kind that it never touched", 300, 64, 32),
    _KindTerms("it reaches a destination that it never reached", 300, 48, 112),
    _KindTerms("it runs on a host that it never ran on", 300, 80, 32),
    _KindTerms("it runs in a program that it never ran in", 300, 64, 24),
    _KindTerms("it acts at an hour at which it hardly or never does", 300, 48, 24),
    _KindTerms("it hands work to an agent that it never handed to", 300, 48, 32),
    _KindTerms("it uses a grant that it never used", 300, 32, 64),
    _KindTerms("it runs a program or statement that it never ran", 300, 48, 48),
    _KindTerms("it moves a currency or unit that it never moved", 300, 48, 8),
    _KindTerms("it does a class of action that it never did", 300, 64, 8),
    _KindTerms("it writes a word that it never wrote", 0, 0, 96),
    _KindTerms("it sets a value that nobody named, and that it never set there", 0, 0, 192),
    _KindTerms("it tells somebody of a record that the request has nothing to do with", 0, 128, 1),
)


class Sighting(NamedTuple):
    """Sessions that showed a value (at most 255), and the last of them: its number and its day.

    From 256 on `times` counts sessions since a value has slept; until there are `WAKING_SESSIONS` of them the last
    session is the one before it slept.
    """

    times: int
    session: int
    day: int


@dataclass(frozen=True)
class KnownValues:
    """Values of one kind.

    Args:
        values: fingerprint → sighting.
        lone: sessions that showed something new, decayed, in 1/256.
        units: sessions that could have, decayed, in 1/256.
    """

    values: dict[int, Sighting]
    lone: int = 0
    units: int = 0

    def fold(
        self,
        shown: Iterable[int],
        session: int,
        day: int,
        room: int,
        *,
        unlearned: Collection[int] = (),
        sleepers: Collection[int] = (),
        is_placed: bool = False,
    ) -> KnownValues:
        """The values after one more session.

        Args:
            shown: values that it showed.
            session: its number.
            day: it began on, since 1970.
            room: number of values that are kept: those shown last.
            unlearned: those of `shown` that do not become known by it.
            sleepers: those that slept, and wake only with more sessions.
            is_placed: they are settings, of which each place keeps a few.
        """
        shown = sorted(shown)
        # Most sessions show nothing of most kinds, and no values are ever changed in place.
        values = dict(self.values) if shown or is_placed or len(self.values) > room else self.values
        is_lone = False
        for value in shown:
            before = values.get(value)
            # A value that only its first session showed was new there, and nothing since has made it usual.
            is_lone = is_lone or before is None
            if value in unlearned:
                continue
            if before is not None and value in sleepers:
                woken = max(before.times - _WAKING, 0) + 1
                if woken < WAKING_SESSIONS:
                    values[value] = before._replace(times=_WAKING + woken)
                    continue
                before = before._replace(times=woken - 1)
            last_day = max(day, before.day) if before else day
            values[value] = Sighting(min(before.times + 1, _MAX_COUNT) if before else 1, session, last_day)
        if len(values) > room or is_placed:
            ranked = sorted(values, key=lambda value: (values[value].session, values[value].times, value))
            for value in list_superfluous(ranked) if is_placed else ():
                ranked.remove(value)
                del values[value]
            for value in ranked[: max(len(values) - room, 0)]:
                del values[value]
        lone = self.lone - self.lone // _DECAY + _UNIT * is_lone
        return KnownValues(values, lone, self.units - self.units // _DECAY + _UNIT)

    def extend(
        self, shown: Iterable[int], session: int, day: int, *, room: int, unlearned: Collection[int]
    ) -> KnownValues:
        """The values after the last session went on and showed these as well; see `fold`."""
        values = dict(self.values)
        fresh = [value for value in sorted(shown) if value not in values]
        for value in fresh:
            if value not in unlearned and len(values) < room:
                values[value] = Sighting(1, session, day)
        return replace(self, values=values, lone=self.lone + _UNIT * bool(fresh))

    def keep_awake(self, tried: Iterable[int], session: int, day: int, sleepers: Collection[int]) -> KnownValues:
        """The values after a session that tried to show these: those known and awake stay awake, nothing is learnt."""
        values = dict(self.values)
        for value in tried:
            before = values.get(value)
            if before is not None and value not in sleepers:
                values[value] = before._replace(session=max(session, before.session), day=max(day, before.day))
        return replace(self, values=values)

    def forget(self, shown: Iterable[int]) -> KnownValues:
        """The values without one session that showed these."""
        values = dict(self.values)
        for value in shown:
            sighting = values.get(value)
            if sighting is not None and sighting.times > 1:
                values[value] = sighting._replace(times=sighting.times - 1)
            else:
                values.pop(value, None)
        return replace(self, values=values)

    def weigh(self, kind: SeenKind, value: int) -> int:
        """How surprising a value is, in sixteenths of a bit: 0 if it is usual, half if one session showed it.

        The share of sessions that showed something new estimates how likely the next is to (Good, The Population
        Frequencies of Species, 1953).
        """
        if kind == SeenKind.SETTING:
            return 0 if value in self.values else weigh_setting(self._places, value)
        if kind == SeenKind.LEAK:
            return self._weigh_rate(value, TERMS[kind].most)
        if kind == SeenKind.HOUR:
            times = 0
            for hour in ((value - 1) % 24, value, (value + 1) % 24):
                known_value = self.values.get(hour)
                times += known_value.times if known_value else 0
        else:
            sighting = self.values.get(value)
            times = sighting.times if sighting else 0
        if times > 1:
            return 0
        terms, units, lone = TERMS[kind], self.units // _UNIT, self.lone // _UNIT
        share, most = terms.share, terms.most
        if kind == SeenKind.LABEL and value in _SENSITIVE:
            share, most = _SENSITIVE_SHARE, 2 * most
        weight = min(log2_ratio_in_sixteenths(share * (units + 2), 1000 * (lone + 1)), most)
        return weight // 2 if times else weight

    def _weigh_rate(self, value: int, most: int) -> int:
        """How seldom sessions show a value that each of them could have shown, in sixteenths of a bit."""
        times = self.values[value].times if value in self.values else 0
        return min(log2_ratio_in_sixteenths(self.units // _UNIT + 2, times + 1), most)

    @cached_property
    def _places(self) -> dict[int, PlaceCounts]:
        return count_places({setting: sighting.times for setting, sighting in self.values.items()})

    def count_idle(self, value: int, day: int, session: int) -> tuple[int, int]:
        """Days and sessions since a value was last shown; 0 if it never was."""
        sighting = self.values.get(value)
        return (max(day - sighting.day, 0), max(session - sighting.session, 0)) if sighting else (0, 0)

    def to_numbers(self) -> list[int]:
        """Numbers to be packed."""
        numbers = [self.lone, self.units, len(self.values)]
        for value, sighting in sorted(self.values.items()):
            numbers += (value, *sighting)
        return numbers

    @classmethod
    def read(cls, reader: NumberReader, room: int) -> KnownValues:
        """Inverse of `to_numbers`."""
        lone, units, count = reader.take(0), reader.take(0), reader.take(0, room)
        values = {
            reader.take(0): Sighting(reader.take(1, _MAX_TIMES), reader.take(0), reader.take()) for _ in range(count)
        }
        return cls(values, lone, units)


def is_sensitive(label: int) -> bool:
    """Whether a label, by its fingerprint, is that of card data, health data, credentials and the like."""
    return label in _SENSITIVE


def is_dormant(days: int, sessions: int, history_days: int) -> bool:
    """Whether what was shown last so many days and sessions ago slept; by sessions if for half the history."""
    return days >= DORMANT_DAYS or (sessions >= DORMANT_SESSIONS and 2 * days >= history_days)


def was_dormant(days: int, sessions: int, history_days: int) -> bool:
    """As `is_dormant`, in the earlier form of profiles."""
    return days >= DORMANT_DAYS or (sessions >= DORMANT_SESSIONS and history_days < DORMANT_DAYS)


MAY_BE_UNKNOWN: Final = (SeenKind.HOST, SeenKind.PROCESS)
"""Kinds of which a session without a value says nothing, where of the others it says that there was none."""
NOTHING_KNOWN: Final = tuple(KnownValues({}) for _ in range(SEEN_COUNT))


def read_known(reader: NumberReader, kinds: int) -> tuple[KnownValues, ...]:
    """What is known of each kind, of which the first `kinds` are stored."""
    known = tuple(KnownValues.read(reader, TERMS[kind].room) for kind in range(kinds))
    return (*known, *NOTHING_KNOWN[kinds:])


def day_of(ts_us: int) -> int:
    """Number of the day (UTC) since 1970."""
    return clamp(ts_us) // 86_400_000_000
