"""How unusual the circumstances of an action are (where, when, how far it reaches), in sixteenths of a bit.

The model learnt from records of hijacked agents, which do not say where the agents ran or at which hours. So this part
is not learnt: a circumstance weighs the more, the rarer it is in the agent's own history than among attacks, whose
shares are set by hand. The logarithm of that ratio is added to the model's margin (weight of evidence: Good,
Probability and the Weighing of Evidence, 1950). INVARIANT: it never lowers a risk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from functools import cached_property
from itertools import chain
from typing import Any, Final, NamedTuple, TypeVar

from halo_core.crypto import canonical
from halo_core.durations import HOUR_US
from halo_core.errors import BadInput, CanonicalError, require
from halo_core.model import AccessRequest
from halo_core.quick_dataclass import dataclass
from halo_core.risk.model import log2_ratio_in_sixteenths

_FORM: Final = "halo-usual-1"
_DAY_US: Final = 24 * HOUR_US
_MAX_VALUES: Final = 256
_MAX_VALUE_LENGTH: Final = 200
_MAX_REFUSED: Final = 4
_MIN_UNITS: Final = 2
_Value = TypeVar("_Value", str, int)


class CircumstanceKind(StrEnum):
    """Kinds of circumstances."""

    HOST = "host"
    PROCESS = "process"
    HOUR = "hour"
    SYSTEM = "system"
    LABEL = "label"
    RESOURCE = "resource"
    REFUSED = "refused"


class _KindSettings(NamedTuple):
    """Settings of a kind, set by hand.

    Of one group only the strongest counts: a new program on a new host is one change, not two.

    Args:
        group: what it is evidence of.
        words: description for people.
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
    # The model also scores new tools, so this kind adds only a small weight.
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
    """Circumstances of one action.

    Args:
        ts_us: when it is decided.
        host: it runs on.
        process: name of the program.
        system: the downstream system reached.
        labels: labels of the data there.
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
        """Values of a kind that is compared by value."""
        if kind is CircumstanceKind.LABEL:
            return tuple([value[:_MAX_VALUE_LENGTH] for value in self.labels])
        value = str(getattr(self, kind))  # a member is a text; asking for `value` is two calls
        return (value[:_MAX_VALUE_LENGTH],) if value else ()


def read_circumstances(request: AccessRequest, time_us: int, refused: int) -> Circumstances:
    """Circumstances of a request decided at `time_us`, after so many refused attempts in its session."""
    origin, resource = request.context.origin, request.resource
    name = f"{request.kind.value} {resource.id}"
    return Circumstances(time_us, origin.host, origin.process, resource.system, resource.labels, name, refused)


@dataclass(frozen=True, slots=True)
class CircumstanceEvidence:
    """One circumstance that is not usual; `weight` in sixteenths of a bit, above 0."""

    kind: CircumstanceKind
    weight: int

    def to_plain(self, sixteenth: int) -> dict[str, Any]:
        """A factor as a decision records it; `sixteenth` is the margin that a sixteenth of a bit is worth."""
        words, moved = _KIND_SETTINGS[self.kind].words, self.weight * sixteenth // 1000
        return {"id": f"at_{self.kind.value}", "moved": moved, "value": self.weight, "words": words}


@dataclass(frozen=True)
class UsualCircumstances:
    """What is usual for one agent.

    A value is known if seen on two days, or in 1 % of the sessions and at least two. Days are counted twice, from
    midnight and from noon, and both counts must reach two, so one run over midnight is not two days. `lone_counts`
    counts days or sessions with a value that is not known without them, that is, how often new values are normal.

    Args:
        sessions: seen.
        days: days with any activity (UTC).
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
            if not known_values.issuperset(circumstances.values_of(kind)):
                yield CircumstanceEvidence(kind, self._weights[kind])
        if circumstances.ts_us // HOUR_US % 24 not in self.hours:
            yield CircumstanceEvidence(CircumstanceKind.HOUR, self._weights[CircumstanceKind.HOUR])
        if circumstances.refused > 0:
            as_often = self.refusals[min(circumstances.refused, _MAX_REFUSED) - 1]
            weight = _weigh_evidence(CircumstanceKind.REFUSED, self.sessions, as_often)
            yield CircumstanceEvidence(CircumstanceKind.REFUSED, weight)

    @cached_property
    def _compared_values(self) -> tuple[tuple[CircumstanceKind, frozenset[str]], ...]:
        return tuple((CircumstanceKind(name), known_values) for name, known_values in sorted(self.known_values.items()))

    @cached_property
    def _weights(self) -> Mapping[CircumstanceKind, int]:
        by_day = dict.fromkeys((*_BY_DAY, CircumstanceKind.HOUR), self.days)
        units = by_day | dict.fromkeys(_BY_SESSION, self.sessions)
        return {
            kind: _weigh_evidence(kind, count, self.lone_counts.get(kind.value, 0)) for kind, count in units.items()
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
            is_valid = (
                members["form"] == _FORM
                and min(counts) >= 0
                and hours <= _HOURS
                and known_values.keys() <= _COMPARED_KINDS
                and len(refusals) == _MAX_REFUSED
                and usual.to_bytes() == data
            )
            require(is_valid, "not what was written")
        except (CanonicalError, AttributeError, KeyError, TypeError, ValueError) as exc:
            problem, remedy = "not what is usual for an agent", "run `halo baseline fit` again"
            raise BadInput("bad_baseline", problem, field="baseline", remedy=remedy) from exc
        return usual


def fit_usual_circumstances(sessions: Iterable[Sequence[Circumstances]]) -> UsualCircumstances:
    """Fit what is usual in sessions, each given as the circumstances of its actions."""
    nonempty = [acts for acts in sessions if acts]
    days, noons = _group_by_day(nonempty, 0), _group_by_day(nonempty, _DAY_US // 2)
    known_values: dict[str, frozenset[str]] = {}
    lone_counts: dict[str, int] = {}
    often = max(-(-len(nonempty) // 100), _MIN_UNITS)
    units: list[tuple[CircumstanceKind, Sequence[Sequence[Sequence[Circumstances]]], int]] = []
    units += [(kind, (days, noons), _MIN_UNITS) for kind in _BY_DAY]
    units += [(kind, (nonempty,), often) for kind in _BY_SESSION]
    for kind, groupings, least in units:
        shown_values = [
            [{value for item in unit for value in item.values_of(kind)} for unit in grouping] for grouping in groupings
        ]
        values = frozenset.intersection(*(_find_frequent(sets, least) for sets in shown_values))
        if any(shown_values[0]) and len(values) <= _MAX_VALUES:
            known_values[kind.value], lone_counts[kind.value] = values, _count_lone(shown_values[0], least)
    hours = [[{item.ts_us // HOUR_US % 24 for item in day} for day in grouping] for grouping in (days, noons)]
    widened_hours = [
        [{(hour + by) % 24 for hour in day for by in (-1, 0, 1)} for day in grouping] for grouping in hours
    ]
    lone_counts[CircumstanceKind.HOUR.value] = _count_lone(hours[0], _MIN_UNITS, widened_hours[0])
    usual_hours = frozenset.intersection(*(_find_frequent(grouping, _MIN_UNITS) for grouping in widened_hours))
    refused_counts = [max(item.refused for item in acts) for acts in nonempty]
    refusals = tuple(sum(times > number for times in refused_counts) for number in range(_MAX_REFUSED))
    return UsualCircumstances(len(nonempty), len(days), known_values, usual_hours, lone_counts, refusals)


def _group_by_day(sessions: Iterable[Sequence[Circumstances]], shift_us: int) -> list[list[Circumstances]]:
    by_day: dict[int, list[Circumstances]] = {}
    for item in chain.from_iterable(sessions):
        by_day.setdefault((item.ts_us + shift_us) // _DAY_US, []).append(item)
    return list(by_day.values())


def _find_frequent(value_sets: Iterable[Iterable[_Value]], least: int) -> frozenset[_Value]:
    """Values seen in at least so many days or sessions."""
    times = Counter(chain.from_iterable(value_sets))
    return frozenset(value for value, number in times.items() if number >= least)


def _count_lone(
    value_sets: Sequence[set[_Value]], least: int, widened_sets: Iterable[Iterable[_Value]] | None = None
) -> int:
    """How many days or sessions showed a value that would not be known without them."""
    times = Counter(chain.from_iterable(value_sets if widened_sets is None else widened_sets))
    return sum(any(times[value] <= least for value in values) for values in value_sets)


def _weigh_evidence(kind: CircumstanceKind, units: int, lone: int) -> int:
    settings = _KIND_SETTINGS[kind]
    return min(log2_ratio_in_sixteenths(settings.share * (units + 2), 1000 * (lone + 1)), settings.most)
