"""Room: from where, when and how far an action reaches. Takes: those of ordinary sessions. Gives: weights of evidence.

The model learnt what hijacked agents do. Of where they ran and at which hours no record tells, so this part is not
learnt: a circumstance weighs as much as it is rarer in the agent's own history than among attacks, whose shares are set
by hand. The logarithm of that ratio is added to the model's margin (weight of evidence: Good, Probability and the
Weighing of Evidence, 1950). INVARIANT: it never lowers a risk. Whole numbers; canonical JSON both ways. Never: I/O, a
clock, floats.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, NamedTuple, TypeVar

from halo_core import canonical
from halo_core.behaviour.bits import sixteenths_of
from halo_core.errors import BadInput, CanonicalError
from halo_core.model import AccessRequest

__all__ = ["Circumstances", "Evidence", "Usual", "circumstances_of", "usual_of"]

_FORM: Final = "halo-usual-1"
_HOUR_US: Final = 3_600_000_000
_DAY_US: Final = 24 * _HOUR_US
_MOST_VALUES: Final = 256
_LONGEST: Final = 200
_MOST_REFUSED: Final = 4
_LEAST: Final = 2
_Value = TypeVar("_Value", str, int)


class Kind(StrEnum):
    """What is compared."""

    HOST = "host"
    PROCESS = "process"
    HOUR = "hour"
    SYSTEM = "system"
    LABEL = "label"
    RESOURCE = "resource"
    REFUSED = "refused"


class _About(NamedTuple):
    """Of each kind: what it is evidence of, its words, and what was set by hand.

    Of one group only the strongest counts: a new program on a new host is one change, not two.

    Args:
        group: what it is evidence of.
        words: for people.
        share: thousandths of attacks that are taken to show it.
        most: sixteenths of a bit that it weighs at most.
    """

    group: str
    words: str
    share: int = 300
    most: int = 64


_ABOUT: Final[Mapping[Kind, _About]] = {
    Kind.HOST: _About("origin", "it runs on a host that it hardly or never ran on"),
    Kind.PROCESS: _About("origin", "it runs in a program that it hardly or never ran in"),
    Kind.HOUR: _About("time", "it acts at an hour at which it hardly or never does"),
    Kind.SYSTEM: _About("reach", "it reaches a system that it hardly or never reached"),
    Kind.LABEL: _About("reach", "it touches data of a kind that it hardly or never touched"),
    # That a tool is new, the model sees as well; here it counts once more, and little.
    Kind.RESOURCE: _About("reach", "it uses something that it hardly or never used", most=16),
    Kind.REFUSED: _About("scope", "what it tried in this session was refused more often than is usual", share=500),
}
_BY_DAY: Final = (Kind.HOST, Kind.PROCESS)
_BY_SESSION: Final = (Kind.SYSTEM, Kind.LABEL, Kind.RESOURCE)
_COMPARED: Final = {kind.value for kind in (*_BY_DAY, *_BY_SESSION)}
_HOURS: Final = frozenset(range(24))


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Of one action.

    Args:
        ts_us: when it is decided.
        host: it runs on.
        process: name of the program.
        system: the downstream system reached.
        labels: of the data there.
        resource: kind and id of what is used.
        refused: attempts of the session before it that were refused.
    """

    ts_us: int
    host: str = ""
    process: str = ""
    system: str = ""
    labels: tuple[str, ...] = ()
    resource: str = ""
    refused: int = 0

    def values(self, kind: Kind) -> tuple[str, ...]:
        """What it shows of a kind that is compared by value."""
        one = {Kind.HOST: self.host, Kind.PROCESS: self.process, Kind.SYSTEM: self.system, Kind.RESOURCE: self.resource}
        shown = self.labels if kind is Kind.LABEL else (one[kind],) if one[kind] else ()
        return tuple(value[:_LONGEST] for value in shown)


def circumstances_of(request: AccessRequest, time_us: int, refused: int) -> Circumstances:
    """Of a request, decided at `time_us` after so many refused attempts of its session."""
    origin, resource = request.context.origin, request.resource
    name = f"{request.kind.value} {resource.id}"
    return Circumstances(time_us, origin.host, origin.process, resource.system, resource.labels, name, refused)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One circumstance that is not usual; `weight` in sixteenths of a bit, above 0."""

    kind: Kind
    weight: int

    def to_plain(self, sixteenth: int) -> dict[str, Any]:
        """As a model's factor, whose margin counts a sixteenth so much: what a decision records."""
        words = _ABOUT[self.kind].words
        return {
            "id": f"at_{self.kind.value}",
            "moved": self.weight * sixteenth // 1000,
            "value": self.weight,
            "words": words,
        }


@dataclass(frozen=True)
class Usual:
    """What is usual for one agent.

    A value is known from two days, or from two sessions and a hundredth of them. Days are cut at midnight and again at
    noon, and both must say so: one run over midnight is no two days. `lone` counts the days or sessions that showed one
    which no others had made known: how often something new is ordinary.

    Args:
        sessions: seen.
        days: with any activity (UTC).
        known: kind → values. A kind that had none, or too many to keep, is not there and says nothing.
        hours: within an hour of which it was active on two days or more.
        lone: kind → days or sessions.
        refusals: sessions with 1, 2, 3, 4 or more refused attempts.
    """

    sessions: int = 0
    days: int = 0
    known: Mapping[str, frozenset[str]] = field(default_factory=dict)
    hours: frozenset[int] = frozenset()
    lone: Mapping[str, int] = field(default_factory=dict)
    refusals: tuple[int, ...] = (0,) * _MOST_REFUSED

    def strange(self, at: Circumstances) -> tuple[Evidence, ...]:
        """What is not usual, the strongest of each group, the strongest first."""
        found: dict[str, Evidence] = {}
        for item in self._all(at):
            group = _ABOUT[item.kind].group
            if item.weight and (group not in found or item.weight > found[group].weight):
                found[group] = item
        return tuple(sorted(found.values(), key=lambda item: (-item.weight, item.kind)))

    def _all(self, at: Circumstances) -> Iterator[Evidence]:
        for kind, known in self._compared:
            if any(value not in known for value in at.values(kind)):
                yield Evidence(kind, self._weights[kind])
        if at.ts_us // _HOUR_US % 24 not in self.hours:
            yield Evidence(Kind.HOUR, self._weights[Kind.HOUR])
        if at.refused > 0:
            as_often = self.refusals[min(at.refused, _MOST_REFUSED) - 1]
            yield Evidence(Kind.REFUSED, _weight(Kind.REFUSED, self.sessions, as_often))

    @cached_property
    def _compared(self) -> tuple[tuple[Kind, frozenset[str]], ...]:
        return tuple((Kind(name), known) for name, known in sorted(self.known.items()))

    @cached_property
    def _weights(self) -> Mapping[Kind, int]:
        every = dict.fromkeys((*_BY_DAY, Kind.HOUR), self.days) | dict.fromkeys(_BY_SESSION, self.sessions)
        return {kind: _weight(kind, number, self.lone.get(kind.value, 0)) for kind, number in every.items()}

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree."""
        return {
            "days": self.days,
            "hours": sorted(self.hours),
            "known": {kind: sorted(values) for kind, values in self.known.items()},
            "lone": dict(self.lone),
            "refusals": list(self.refusals),
            "sessions": self.sessions,
        }

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return canonical.dumps({"form": _FORM, **self.to_plain()})

    @classmethod
    def from_bytes(cls, data: bytes) -> Usual:
        """Inverse of `to_bytes`.

        Raises:
            BadInput: these are other bytes.
        """
        try:
            plain = canonical.loads(data)
            known = {Kind(kind).value: frozenset(map(str, values)) for kind, values in plain["known"].items()}
            lone = {Kind(kind).value: int(times) for kind, times in plain["lone"].items()}
            hours, refusals = frozenset(map(int, plain["hours"])), tuple(map(int, plain["refusals"]))
            found = cls(int(plain["sessions"]), int(plain["days"]), known, hours, lone, refusals)
            counts = (found.sessions, found.days, *lone.values(), *refusals)
            odd = min(counts) < 0 or not hours <= _HOURS or not known.keys() <= _COMPARED
            if plain["form"] == _FORM and not odd and len(refusals) == _MOST_REFUSED and found.to_bytes() == data:
                return found
        except (CanonicalError, AttributeError, KeyError, TypeError, ValueError) as exc:
            raise _bad() from exc
        raise _bad()


def _bad() -> BadInput:
    remedy = "`halo baseline fit` again"
    return BadInput("bad_baseline", "not what is usual for an agent", field="baseline", remedy=remedy)


def usual_of(sessions: Iterable[Sequence[Circumstances]]) -> Usual:
    """What is usual in these sessions, each the circumstances of its actions."""
    kept = [acts for acts in sessions if acts]
    days, noons = _days(kept, 0), _days(kept, _DAY_US // 2)
    known: dict[str, frozenset[str]] = {}
    lone: dict[str, int] = {}
    often = max(-(-len(kept) // 100), _LEAST)
    units = [(kind, (days, noons), _LEAST) for kind in _BY_DAY] + [(kind, (kept,), often) for kind in _BY_SESSION]
    for kind, ways, least in units:
        shown = [[{value for at in unit for value in at.values(kind)} for unit in way] for way in ways]
        values = frozenset.intersection(*(_known(sets, least) for sets in shown))
        if any(shown[0]) and len(values) <= _MOST_VALUES:
            known[kind.value], lone[kind.value] = values, _lone(shown[0], least)
    hours = [[{at.ts_us // _HOUR_US % 24 for at in day} for day in way] for way in (days, noons)]
    near = [[{(hour + by) % 24 for hour in day for by in (-1, 0, 1)} for day in way] for way in hours]
    lone[Kind.HOUR.value] = _lone(hours[0], _LEAST, near[0])
    usual = frozenset.intersection(*(_known(way, _LEAST) for way in near))
    most = [max(at.refused for at in acts) for acts in kept]
    refusals = tuple(sum(times > number for times in most) for number in range(_MOST_REFUSED))
    return Usual(len(kept), len(days), known, usual, lone, refusals)


def _days(sessions: Iterable[Sequence[Circumstances]], shift_us: int) -> list[list[Circumstances]]:
    found: dict[int, list[Circumstances]] = {}
    for acts in sessions:
        for at in acts:
            found.setdefault((at.ts_us + shift_us) // _DAY_US, []).append(at)
    return list(found.values())


def _known(shown: Iterable[Iterable[_Value]], least: int) -> frozenset[_Value]:
    """Values that enough days or sessions showed."""
    times = Counter(value for values in shown for value in values)
    return frozenset(value for value, number in times.items() if number >= least)


def _lone(shown: Sequence[set[_Value]], least: int, near: Iterable[Iterable[_Value]] | None = None) -> int:
    """How many days or sessions showed a value that would not be known without them."""
    times = Counter(value for values in (shown if near is None else near) for value in values)
    return sum(any(times[value] <= least for value in values) for values in shown)


def _weight(kind: Kind, units: int, lone: int) -> int:
    about = _ABOUT[kind]
    return min(sixteenths_of(about.share * (units + 2), 1000 * (lone + 1)), about.most)
