"""How unusual it is where, when and how far an action reaches, in sixteenths of a bit.

The model learnt what hijacked agents do. No record says where they ran or at which hours, so this part is not learnt: a
circumstance weighs as much as it is rarer in the agent's own history than among attacks, whose shares are set by hand.
The logarithm of that ratio is added to the model's margin (weight of evidence: Good, Probability and the Weighing of
Evidence, 1950). INVARIANT: it never lowers a risk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, NamedTuple, TypeVar

from halo_core.crypto import canonical
from halo_core.errors import BadInput, CanonicalError
from halo_core.model import AccessRequest
from halo_core.risk.model import log2_ratio_in_sixteenths

__all__ = ["CircumstanceEvidence", "Circumstances", "UsualCircumstances", "circumstances_of", "fit_usual_circumstances"]

_FORM: Final = "halo-usual-1"
_HOUR_US: Final = 3_600_000_000
_DAY_US: Final = 24 * _HOUR_US
_MAX_VALUES: Final = 256
_MAX_VALUE_LENGTH: Final = 200
_MAX_REFUSED: Final = 4
_MIN_UNITS: Final = 2
_Value = TypeVar("_Value", str, int)


class CircumstanceKind(StrEnum):
    """What is compared."""

    HOST = "host"
    PROCESS = "process"
    HOUR = "hour"
    SYSTEM = "system"
    LABEL = "label"
    RESOURCE = "resource"
    REFUSED = "refused"


class _KindSettings(NamedTuple):
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


_KIND_SETTINGS: Final[Mapping[CircumstanceKind, _KindSettings]] = {
    CircumstanceKind.HOST: _KindSettings("origin", "it runs on a host that it hardly or never ran on"),
    CircumstanceKind.PROCESS: _KindSettings("origin", "it runs in a program that it hardly or never ran in"),
    CircumstanceKind.HOUR: _KindSettings("time", "it acts at an hour at which it hardly or never does"),
    CircumstanceKind.SYSTEM: _KindSettings("reach", "it reaches a system that it hardly or never reached"),
    CircumstanceKind.LABEL: _KindSettings("reach", "it touches data of a kind that it hardly or never touched"),
    # That a tool is new, the model sees as well; here it counts once more, and little.
    CircumstanceKind.RESOURCE: _KindSettings("reach", "it uses something that it hardly or never used", most=16),
    CircumstanceKind.REFUSED: _KindSettings(
        "scope", "what it tried in this session was refused more often than is usual", share=500
    ),
}
_BY_DAY: Final = (CircumstanceKind.HOST, CircumstanceKind.PROCESS)
_BY_SESSION: Final = (CircumstanceKind.SYSTEM, CircumstanceKind.LABEL, CircumstanceKind.RESOURCE)
_COMPARED_KINDS: Final = {kind.value for kind in (*_BY_DAY, *_BY_SESSION)}
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

    def values_of(self, kind: CircumstanceKind) -> tuple[str, ...]:
        """What it shows of a kind that is compared by value."""
        value_by_kind = {
            CircumstanceKind.HOST: self.host,
            CircumstanceKind.PROCESS: self.process,
            CircumstanceKind.SYSTEM: self.system,
            CircumstanceKind.RESOURCE: self.resource,
        }
        values = (
            self.labels if kind is CircumstanceKind.LABEL else (value_by_kind[kind],) if value_by_kind[kind] else ()
        )
        return tuple(value[:_MAX_VALUE_LENGTH] for value in values)


def circumstances_of(request: AccessRequest, time_us: int, refused: int) -> Circumstances:
    """Of a request, decided at `time_us` after so many refused attempts of its session."""
    origin, resource = request.context.origin, request.resource
    name = f"{request.kind.value} {resource.id}"
    return Circumstances(time_us, origin.host, origin.process, resource.system, resource.labels, name, refused)


@dataclass(frozen=True, slots=True)
class CircumstanceEvidence:
    """One circumstance that is not usual; `weight` in sixteenths of a bit, above 0."""

    kind: CircumstanceKind
    weight: int

    def to_plain(self, sixteenth: int) -> dict[str, Any]:
        """As a model's factor, whose margin counts a sixteenth so much: what a decision records."""
        words = _KIND_SETTINGS[self.kind].words
        return {
            "id": f"at_{self.kind.value}",
            "moved": self.weight * sixteenth // 1000,
            "value": self.weight,
            "words": words,
        }


@dataclass(frozen=True)
class UsualCircumstances:
    """What is usual for one agent.

    A value is known from two days, or from two sessions and a hundredth of them. Days are cut at midnight and again at
    noon, and both must say so: one run over midnight is no two days. `lone_counts` counts the days or sessions that showed one
    which no others had made known: how often something new is ordinary.

    Args:
        sessions: seen.
        days: with any activity (UTC).
        known_values: kind → values. A kind that had none, or too many to keep, is not there and says nothing.
        hours: within an hour of which it was active on two days or more.
        lone_counts: kind → days or sessions.
        refusals: sessions with 1, 2, 3, 4 or more refused attempts.
    """

    sessions: int = 0
    days: int = 0
    known_values: Mapping[str, frozenset[str]] = field(default_factory=dict)
    hours: frozenset[int] = frozenset()
    lone_counts: Mapping[str, int] = field(default_factory=dict)
    refusals: tuple[int, ...] = (0,) * _MAX_REFUSED

    def find_unusual(self, circumstances: Circumstances) -> tuple[CircumstanceEvidence, ...]:
        """What is not usual, the strongest of each group, the strongest first."""
        strongest: dict[str, CircumstanceEvidence] = {}
        for item in self._find_all_unusual(circumstances):
            group = _KIND_SETTINGS[item.kind].group
            if item.weight and (group not in strongest or item.weight > strongest[group].weight):
                strongest[group] = item
        return tuple(sorted(strongest.values(), key=lambda item: (-item.weight, item.kind)))

    def _find_all_unusual(self, circumstances: Circumstances) -> Iterator[CircumstanceEvidence]:
        for kind, known_values in self._compared_values:
            if any(value not in known_values for value in circumstances.values_of(kind)):
                yield CircumstanceEvidence(kind, self._weights[kind])
        if circumstances.ts_us // _HOUR_US % 24 not in self.hours:
            yield CircumstanceEvidence(CircumstanceKind.HOUR, self._weights[CircumstanceKind.HOUR])
        if circumstances.refused > 0:
            as_often = self.refusals[min(circumstances.refused, _MAX_REFUSED) - 1]
            yield CircumstanceEvidence(
                CircumstanceKind.REFUSED, _weigh_evidence(CircumstanceKind.REFUSED, self.sessions, as_often)
            )

    @cached_property
    def _compared_values(self) -> tuple[tuple[CircumstanceKind, frozenset[str]], ...]:
        return tuple((CircumstanceKind(name), known_values) for name, known_values in sorted(self.known_values.items()))

    @cached_property
    def _weights(self) -> Mapping[CircumstanceKind, int]:
        unit_counts = dict.fromkeys((*_BY_DAY, CircumstanceKind.HOUR), self.days) | dict.fromkeys(
            _BY_SESSION, self.sessions
        )
        return {
            kind: _weigh_evidence(kind, number, self.lone_counts.get(kind.value, 0))
            for kind, number in unit_counts.items()
        }

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree."""
        return {
            "days": self.days,
            "hours": sorted(self.hours),
            "known": {kind: sorted(values) for kind, values in self.known_values.items()},
            "lone": dict(self.lone_counts),
            "refusals": list(self.refusals),
            "sessions": self.sessions,
        }

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return canonical.dumps({"form": _FORM, **self.to_plain()})

    @classmethod
    def from_bytes(cls, data: bytes) -> UsualCircumstances:
        """Inverse of `to_bytes`.

        Raises:
            BadInput: these are other bytes.
        """
        try:
            members = canonical.loads(data)
            known_values = {
                CircumstanceKind(kind).value: frozenset(map(str, values)) for kind, values in members["known"].items()
            }
            lone_counts = {CircumstanceKind(kind).value: int(times) for kind, times in members["lone"].items()}
            hours, refusals = frozenset(map(int, members["hours"])), tuple(map(int, members["refusals"]))
            usual = cls(int(members["sessions"]), int(members["days"]), known_values, hours, lone_counts, refusals)
            counts = (usual.sessions, usual.days, *lone_counts.values(), *refusals)
            invalid = min(counts) < 0 or not hours <= _HOURS or not known_values.keys() <= _COMPARED_KINDS
            if members["form"] == _FORM and not invalid and len(refusals) == _MAX_REFUSED and usual.to_bytes() == data:
                return usual
        except (CanonicalError, AttributeError, KeyError, TypeError, ValueError) as exc:
            raise _bad_baseline() from exc
        raise _bad_baseline()


def _bad_baseline() -> BadInput:
    remedy = "run `halo baseline fit` again"
    return BadInput("bad_baseline", "not what is usual for an agent", field="baseline", remedy=remedy)


def fit_usual_circumstances(sessions: Iterable[Sequence[Circumstances]]) -> UsualCircumstances:
    """What is usual in these sessions, each the circumstances of its actions."""
    nonempty = [acts for acts in sessions if acts]
    days, noons = _group_by_day(nonempty, 0), _group_by_day(nonempty, _DAY_US // 2)
    known_values: dict[str, frozenset[str]] = {}
    lone_counts: dict[str, int] = {}
    often = max(-(-len(nonempty) // 100), _MIN_UNITS)
    units = [(kind, (days, noons), _MIN_UNITS) for kind in _BY_DAY] + [
        (kind, (nonempty,), often) for kind in _BY_SESSION
    ]
    for kind, groupings, least in units:
        shown_values = [
            [{value for circumstances in unit for value in circumstances.values_of(kind)} for unit in grouping]
            for grouping in groupings
        ]
        values = frozenset.intersection(*(_find_frequent(sets, least) for sets in shown_values))
        if any(shown_values[0]) and len(values) <= _MAX_VALUES:
            known_values[kind.value], lone_counts[kind.value] = values, _count_lone(shown_values[0], least)
    hours = [
        [{circumstances.ts_us // _HOUR_US % 24 for circumstances in day} for day in grouping]
        for grouping in (days, noons)
    ]
    widened_hours = [
        [{(hour + by) % 24 for hour in day for by in (-1, 0, 1)} for day in grouping] for grouping in hours
    ]
    lone_counts[CircumstanceKind.HOUR.value] = _count_lone(hours[0], _MIN_UNITS, widened_hours[0])
    usual_hours = frozenset.intersection(*(_find_frequent(grouping, _MIN_UNITS) for grouping in widened_hours))
    refused_counts = [max(circumstances.refused for circumstances in acts) for acts in nonempty]
    refusals = tuple(sum(times > number for times in refused_counts) for number in range(_MAX_REFUSED))
    return UsualCircumstances(len(nonempty), len(days), known_values, usual_hours, lone_counts, refusals)


def _group_by_day(sessions: Iterable[Sequence[Circumstances]], shift_us: int) -> list[list[Circumstances]]:
    by_day: dict[int, list[Circumstances]] = {}
    for acts in sessions:
        for circumstances in acts:
            by_day.setdefault((circumstances.ts_us + shift_us) // _DAY_US, []).append(circumstances)
    return list(by_day.values())


def _find_frequent(value_sets: Iterable[Iterable[_Value]], least: int) -> frozenset[_Value]:
    """Values that enough days or sessions showed."""
    times = Counter(value for values in value_sets for value in values)
    return frozenset(value for value, number in times.items() if number >= least)


def _count_lone(
    value_sets: Sequence[set[_Value]], least: int, widened_sets: Iterable[Iterable[_Value]] | None = None
) -> int:
    """How many days or sessions showed a value that would not be known without them."""
    times = Counter(value for values in (value_sets if widened_sets is None else widened_sets) for value in values)
    return sum(any(times[value] <= least for value in values) for values in value_sets)


def _weigh_evidence(kind: CircumstanceKind, units: int, lone: int) -> int:
    settings = _KIND_SETTINGS[kind]
    return min(log2_ratio_in_sixteenths(settings.share * (units + 2), 1000 * (lone + 1)), settings.most)
