"""What each person or service account has an agent do: the hours, the kinds of work, and the largest amounts.

An agent serves several people, so what is usual for it is a mixture of their habits. For each principal, by keyed
reference, a profile also holds the hours of its sessions, the systems, labels and classes of action, and its largest
amounts. A principal with little history is compared with what the agent does for everybody; only an hour at which
nobody works counts against a newcomer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Final, NamedTuple

from halo_core.behaviour.event import FINGERPRINT_BITS, fingerprint_text
from halo_core.behaviour.known import KnownValues, is_sensitive
from halo_core.behaviour.measures import INDEX, MAX_LEVEL, from_level, to_level
from halo_core.behaviour.packing import NumberReader
from halo_core.behaviour.seen import SeenKind, join_seen, split_seen
from halo_core.behaviour.tally import SessionTally
from halo_core.model import Impact
from halo_core.risk.model import log2_ratio_in_sixteenths

MAX_PRINCIPALS: Final = 48
MIN_SESSIONS: Final = 10
"""Sessions of a principal from which on it is compared with its own habits."""
COMPARED: Final = frozenset((SeenKind.SYSTEM, SeenKind.LABEL, SeenKind.IMPACT))
"""Kinds of things that belong to the work of some principals and not of others, beside hours."""
_SETTLING: Final = 8
"""First sessions of a principal, or of an agent, in which everything is new and therefore says nothing."""
_ESTABLISHED: Final = 20
_IDLE_SESSIONS: Final = 400
_MAX_VALUES: Final = 32
_MAX_SESSIONS: Final = 1023
_MAX_TIMES: Final = 3
_USUAL_TIMES: Final = 2
_UNIT: Final = 256
_DECAY: Final = 64
_SHARE: Final = 300  # thousandths of attacks that are taken to show something new of a kind, as in `known.TERMS`
_MOST: Final = 64  # sixteenths of a bit
MOST_OF_GRAVE: Final = 128
_BITS_OF_SHARE: Final = 23
"""Sixteenths of a bit (16 / ln 2) for each session in which a value would have been expected."""
_AMOUNT_SLACK: Final = 32
"""Levels (a factor of four) above the largest amount of a principal from which another one is asked about."""
_HOURS: Final = 24
_FIRST_HOUR: Final = join_seen(SeenKind.HOUR, 0)
_ALL_HOURS: Final = (1 << _HOURS) - 1
_ON_TWO_DAYS: Final = sum(2 << 2 * hour for hour in range(_HOURS))
_AMOUNT: Final = INDEX["amount_largest"]
_FACTORS: Final = (0, 0, 2, 2, 2, 4, 6, 6, 6, 6, 6, 6, 6)
"""How strange an hour is, in halves, by its distance from the nearest usual one: overtime is not work at night."""
_GRAVE: Final = frozenset(
    fingerprint_text(impact.value) for impact in (Impact.PAYMENT, Impact.ADMIN, Impact.DELETE, Impact.EXECUTE)
)


class PrincipalHabits(NamedTuple):
    """What one principal has shown.

    Args:
        sessions: number of ordinary sessions.
        latest: number of the last of them among the agent's sessions.
        day: day on which that one began, since 1970.
        units: sessions since the first ones, decayed, in 1/256.
        lone: the same, of sessions that showed something new.
        lone_hours: the same, of sessions at a new hour.
        hours: two bits for each hour of the day: days on which it worked then, at most 3.
        values: sorted; a short fingerprint of kind and value, with the sessions that showed it (at most 3).
        paid: sessions that moved an amount.
        largest: level of the largest amount.
        second: level of the second largest amount.
    """

    sessions: int = 0
    latest: int = 0
    day: int = 0
    units: int = 0
    lone: int = 0
    lone_hours: int = 0
    hours: int = 0
    values: tuple[int, ...] = ()
    paid: int = 0
    largest: int = 0
    second: int = 0

    def learn(self, shown: Iterable[int], number: int, day: int, level: int, *, is_cleared: bool) -> PrincipalHabits:
        """The habits after one more session.

        Args:
            shown: what it showed (`seen.join_seen`).
            number: number of the session among the agent's sessions.
            day: day on which it began.
            level: level of its largest amount, 0 for none.
            is_cleared: a person found it ordinary, so that what it showed is usual now.
        """
        weight = _USUAL_TIMES if is_cleared else 1
        # INVARIANT: one day teaches an hour once, however many sessions it has.
        hours, is_new_hour = self._learn_hours(shown, weight if day != self.day or is_cleared else 0)
        values = dict(self._pairs)
        fresh = [short for short in _shorten(shown) if short not in values]
        for short in _shorten(shown):
            values[short] = min(values.get(short, 0) + weight, _MAX_TIMES)
        counts = self.sessions >= _SETTLING
        return PrincipalHabits(
            min(self.sessions + 1, _MAX_SESSIONS),
            number,
            max(day, self.day),
            self.units - self.units // _DECAY + _UNIT * counts,
            self.lone - self.lone // _DECAY + _UNIT * (counts and bool(fresh)),
            self.lone_hours - self.lone_hours // _DECAY + _UNIT * (counts and is_new_hour),
            hours,
            _pack_values(values),
            min(self.paid + bool(level), _MAX_SESSIONS),
            *_put_amount(self.largest, self.second, level),
        )

    def extend(self, shown: Iterable[int], level: int) -> PrincipalHabits:
        """The habits after the last session has gone on."""
        hours, _ = self._learn_hours(shown, 0)
        values = {**dict.fromkeys(_shorten(shown), 1), **self._pairs}
        largest, second = _put_amount(self.largest, self.second, level)
        return self._replace(hours=hours, values=_pack_values(values), largest=largest, second=second)

    def forget(self, shown: Iterable[int], level: int) -> PrincipalHabits:
        """The habits without a session that turned out to be an attack."""
        hours, values = self.hours, dict(self._pairs)
        for hour in _hours_of(shown):
            if hours >> 2 * hour & 3:
                hours -= 1 << 2 * hour
        for short in _shorten(shown):
            values[short] = values.get(short, 0) - 1
        largest = self.second if level and level >= self.largest else self.largest
        return self._replace(
            sessions=max(self.sessions - 1, 0),
            hours=hours,
            values=_pack_values(values),
            paid=max(self.paid - bool(level), 0),
            largest=largest,
            second=min(self.second, largest),
        )

    def _learn_hours(self, shown: Iterable[int], weight: int) -> tuple[int, bool]:
        hours, is_new = self.hours, False
        near = find_near_hours(hours)
        for hour in _hours_of(shown):
            times = hours >> 2 * hour & 3
            is_new = is_new or not near >> hour & 1
            after = min(times + weight, _MAX_TIMES) if times else max(weight, 1)
            hours += (after - times) << 2 * hour
        return hours, is_new

    @property
    def _pairs(self) -> dict[int, int]:
        return {packed >> 2: packed & 3 for packed in self.values}

    @property
    def is_known(self) -> bool:
        """Whether it has habits to compare with."""
        return self.sessions >= MIN_SESSIONS

    @property
    def has_usual_hours(self) -> bool:
        """Whether an hour had work on two days: the hours of a single day, such as a replayed history, say little."""
        return bool(self.hours & _ON_TWO_DAYS)

    @property
    def amount_limit(self) -> int:
        """The amount from which on people are asked; 0 if too few amounts were moved to say."""
        return from_level(min(self.largest + _AMOUNT_SLACK, MAX_LEVEL)) if self.paid >= MIN_SESSIONS else 0

    @property
    def quiet_hours(self) -> int:
        """Bits of the hours that are not strange for it."""
        if not self.has_usual_hours:
            return _ALL_HOURS
        quiet = 0
        for hour in range(_HOURS):
            quiet |= (not self.weigh_hour(hour)) << hour
        return quiet

    def weigh_hour(self, hour: int) -> int:
        """How strange an hour is for this principal, in sixteenths of a bit."""
        factor = find_hour_factor(self.hours, hour) if self.has_usual_hours else 0
        return factor and min(_weigh(self.units, self.lone_hours) * factor // 2, MOST_OF_GRAVE)

    def weigh(self, number: int, times: int, sessions: int) -> int:
        """How strange it is that this principal shows something that is usual for the agent, in sixteenths of a bit.

        It is stranger the more often the principal would have shown it by now with the habits of everybody: if one
        session in ten has a value, many sessions without it are more than chance.

        Args:
            number: the value, as by `seen.join_seen`.
            times: number of the agent's sessions that showed it.
            sessions: number of all its sessions.
        """
        if self._pairs.get(_short_of(number), 0) >= _USUAL_TIMES:
            return 0
        kind, value = split_seen(number)
        weight = min(_MOST, self.sessions * times * _BITS_OF_SHARE // max(sessions, 1) // 2)
        is_grave_act = kind == SeenKind.IMPACT and value in _GRAVE
        if not is_grave_act:  # who shows something new at times does not come to pay by that
            weight = min(weight, _weigh(self.units, self.lone))
        is_grave = is_grave_act or (kind == SeenKind.LABEL and is_sensitive(value))
        return min(2 * weight, MOST_OF_GRAVE) if is_grave else weight

    @classmethod
    def read(cls, reader: NumberReader) -> PrincipalHabits:
        """Read the habits from numbers: the fields in order, `values` after their number."""
        sessions, latest, day, units, lone, lone_hours, hours = reader.take_many(7, 0)
        values = reader.take_many(reader.take(0, _MAX_VALUES), 0)
        paid, largest, second = reader.take_many(3, 0)
        return cls(sessions, latest, day, units, lone, lone_hours, hours, values, paid, largest, second)


NOBODY: Final = PrincipalHabits()


def find_strange(
    habits: PrincipalHabits, usual: Iterable[int], known: Sequence[KnownValues], sessions: int
) -> dict[int, int]:
    """What an agent usually does and never did for a principal, each with `PrincipalHabits.weigh`.

    Args:
        habits: of the principal.
        usual: values that are usual for the agent.
        known: what the agent has shown, of each kind.
        sessions: number of sessions in which it has shown that.
    """
    strange: dict[int, int] = {}
    for number in usual if habits.is_known else ():
        kind, value = split_seen(number)
        sighting = known[kind].values.get(value) if kind in COMPARED else None
        weight = habits.weigh(number, sighting.times, sessions) if sighting is not None else 0
        if weight:
            strange[number] = weight
    return strange


@dataclass(frozen=True)
class Principals:
    """The habits of the people and accounts that an agent acts for.

    Args:
        habits: fingerprint of the keyed reference → habits; sessions for nobody are the agent's own.
        units: sessions of the agent since its first ones, decayed, in 1/256.
        newcomers: the same, of sessions that were somebody's first.
    """

    habits: Mapping[int, PrincipalHabits] = field(default_factory=dict)
    units: int = 0
    newcomers: int = 0

    def find(self, principal: str) -> PrincipalHabits:
        """The habits of a principal."""
        return self.habits.get(name_principal(principal), NOBODY)

    def weigh_newcomer(self, habits: PrincipalHabits) -> int:
        """How rarely somebody new asks, in sixteenths of a bit; half as much for somebody who has asked before."""
        return min(_weigh(self.units, self.newcomers), _MOST) // (2 if habits.sessions else 1)

    def find_factor_for_most(self, hour: int) -> int:
        """How strange an hour is for three quarters of the known principals at least, in halves; -1 if none is known.

        An account that works at half as many hours as others, or fewer, is a scheduled job and does not count.
        """
        factors = sorted(find_hour_factor(hours, hour) for hours in self._hours_of_known)
        if not factors:
            return 0 if any(one.is_known for one in self.habits.values()) else -1
        return factors[(len(factors) - 1) // 4]

    @cached_property
    def _hours_of_known(self) -> list[int]:
        known = [one.hours for one in self.habits.values() if one.is_known and one.has_usual_hours]
        widest = max((len(_list_usual_hours(hours)) for hours in known), default=0)
        return [hours for hours in known if 2 * len(_list_usual_hours(hours)) > widest]

    def learn(self, tally: SessionTally, number: int, day: int, *, is_cleared: bool) -> Principals:
        """The habits after one more session; see `PrincipalHabits.learn`."""
        if not tally.principal:
            return self
        name, habits, level = name_principal(tally.principal), dict(self.habits), _level_of(tally)
        counts, is_new = number > _SETTLING, name not in habits
        habits[name] = habits.get(name, NOBODY).learn(tally.seen, number, day, level, is_cleared=is_cleared)
        if len(habits) > MAX_PRINCIPALS:
            # Who asks once pushes out nobody who asks every day, unless these have stopped.
            del habits[min(habits, key=lambda one: (*_rank(habits[one], number), one))]
        return Principals(
            habits,
            self.units - self.units // _DECAY + _UNIT * counts,
            self.newcomers - self.newcomers // _DECAY + _UNIT * (counts and is_new),
        )

    def extend(self, tally: SessionTally, seen: frozenset[int]) -> Principals:
        """The habits after the last session of a principal has gone on; `seen` is what it had shown before that."""
        return self._change(tally, lambda habits: habits.extend(tally.seen - seen, _level_of(tally)))

    def forget(self, tally: SessionTally) -> Principals:
        """The habits without a session that turned out to be an attack."""
        return self._change(tally, lambda habits: habits.forget(tally.seen, _level_of(tally)))

    def _change(self, tally: SessionTally, change: Callable[[PrincipalHabits], PrincipalHabits]) -> Principals:
        name = name_principal(tally.principal)
        if name not in self.habits:
            return self
        return replace(self, habits={**self.habits, name: change(self.habits[name])})

    def to_numbers(self) -> list[int]:
        """Numbers to be packed."""
        numbers = [self.units, self.newcomers, len(self.habits)]
        for name, habits in sorted(self.habits.items()):
            numbers += (name, *habits[:7], len(habits.values), *habits.values, *habits[8:])
        return numbers

    @classmethod
    def read(cls, reader: NumberReader) -> Principals:
        """Inverse of `to_numbers`."""
        units, newcomers, count = reader.take(0), reader.take(0), reader.take(0, MAX_PRINCIPALS)
        return cls({reader.take(0): PrincipalHabits.read(reader) for _ in range(count)}, units, newcomers)


NO_PRINCIPALS: Final = Principals()


def _level_of(tally: SessionTally) -> int:
    return to_level(tally.values[_AMOUNT])


def name_principal(principal: str) -> int:
    """Fingerprint of a principal's keyed reference."""
    return fingerprint_text(principal)


def pack_hours(known: KnownValues) -> int:
    """Two bits for each hour of the day that an agent has shown: sessions, at most 3."""
    return sum(min(known_value.times, _MAX_TIMES) << 2 * hour for hour, known_value in known.values.items())


@lru_cache(maxsize=1024)
def find_near_hours(hours: int) -> int:
    """Bits of the hours on which somebody worked (two bits each), and of those directly before and after."""
    bits = sum(1 << hour for hour in range(_HOURS) if hours >> 2 * hour & 3)
    near = bits | bits << 1 | bits >> (_HOURS - 1) | bits >> 1 | bits << (_HOURS - 1)
    return near & 2**_HOURS - 1


@lru_cache(maxsize=4096)
def find_hour_factor(hours: int, hour: int) -> int:
    """How strange an hour is, in halves, by its distance from the nearest usual hour (`hours` has two bits for each).

    One day does not make an hour usual, but it makes those around it less strange.
    """
    if not hours:
        return 0
    usual = _list_usual_hours(hours)
    factor = _FACTORS[min(min((hour - other) % _HOURS, (other - hour) % _HOURS) for other in usual)]
    return min(factor, 2) if find_near_hours(hours) >> hour & 1 else factor


def _list_usual_hours(hours: int) -> list[int]:
    """Hours on which more than one day had work, or all hours with work while there are no such."""
    usual = [hour for hour in range(_HOURS) if hours >> 2 * hour & 3 >= _USUAL_TIMES]
    return usual or [hour for hour in range(_HOURS) if hours >> 2 * hour & 3]


def _weigh(units: int, lone: int) -> int:
    return log2_ratio_in_sixteenths(_SHARE * (units // _UNIT + 2), 1000 * (lone // _UNIT + 1))


def _hours_of(shown: Iterable[int]) -> list[int]:
    return [number - _FIRST_HOUR for number in shown if _FIRST_HOUR <= number < _FIRST_HOUR + _HOURS]


def _short_of(number: int) -> int:
    """16 bits of a kind with its value."""
    kind, value = split_seen(number)
    return (value ^ value >> 16 ^ value >> 32 ^ kind * 0x9E37) & 0xFFFF


def _shorten(shown: Iterable[int]) -> set[int]:
    return {_short_of(number) for number in shown if number >> FINGERPRINT_BITS in COMPARED}


def _pack_values(values: Mapping[int, int]) -> tuple[int, ...]:
    """The values that were shown most often, as far as there is room."""
    ranked = sorted((short for short in values if values[short] > 0), key=lambda short: (-values[short], short))
    return tuple(sorted(short << 2 | values[short] for short in ranked[:_MAX_VALUES]))


def _put_amount(largest: int, second: int, level: int) -> tuple[int, int]:
    return (level, largest) if level > largest else (largest, max(second, level))


def _rank(habits: PrincipalHabits, number: int) -> tuple[bool, int]:
    """Sort key for forgetting principals: idle ones first among those who have asked often."""
    is_kept = habits.sessions >= _ESTABLISHED and number - habits.latest < _IDLE_SESSIONS
    return is_kept, habits.latest
