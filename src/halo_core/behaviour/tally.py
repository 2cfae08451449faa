"""What a session has done so far, as a bounded value that is stored with the session.

Distinct things are counted exactly up to the size of a sample, and beyond it by the k smallest fingerprints (KMV:
Bar-Yossef et al., Counting Distinct Elements in a Data Stream, 2002). INVARIANT: no measure falls within a session.
"""

from __future__ import annotations

from array import array
from base64 import b64decode
from binascii import b2a_base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from operator import add
from typing import Any, Final, NamedTuple, Protocol

from halo_core.behaviour.event import BehaviourEvent, CallShape, fingerprint_text, shorten_fingerprint
from halo_core.behaviour.measures import COUNT, INDEX, MAX_VALUE, MEASURES
from halo_core.behaviour.packing import profile_error
from halo_core.behaviour.seen import SeenKind, choose_kept, join_seen, list_seen, pack_seen, split_seen, unpack_seen
from halo_core.errors import require
from halo_core.model import Impact
from halo_core.risk.drift import SHAPE_COUNTS, DriftSession, SessionHabits

_MINUTE_US: Final = 60_000_000
_MAX_GAP_US: Final = _MINUTE_US
_MAX_PRINCIPAL: Final = 80
_MAX_ALARMS: Final = 32
_MAX_TIMES: Final = 1000
_MAX_DOUBLINGS: Final = 16
_MAX_WAYS: Final = 48
_MAX_CALLS: Final = 64
_MAX_REFUSED: Final = 32
_MAX_TOLD: Final = 64
_NUMBER_32: Final = 2**32 - 1

_DISTINCT: Final = ("objects", "unrelated", "persons", "destinations", "outside", "requested")
_SAMPLE_SIZES: Final = (96, 96, 48, 48, 48, 48)
UNRELATED_SAMPLE: Final = 1
"""Place of unrelated objects among `SessionTally.samples`."""
_OBJECTS, _UNRELATED, _PERSONS, _DESTINATIONS, _OUTSIDE, _REQUESTED = range(6)
_AT: Final = tuple(INDEX[name] for name in _DISTINCT)
_ACTIONS, _READS, _ACTS, _SENDS = (INDEX[name] for name in ("actions", "reads", "acts", "sends"))
_PAYMENTS, _REMOVALS, _GRAVE, _TOOLS = (INDEX[name] for name in ("payments", "removals", "grave", "tools"))
_BYTES_OUT, _LABELLED_READS, _LABELLED_BYTES = (INDEX[n] for n in ("bytes_out", "labelled_reads", "labelled_bytes"))
_AMOUNT_SUM, _AMOUNT_LARGEST = INDEX["amount_sum"], INDEX["amount_largest"]
_FAILURES, _REFUSALS, _SESSION_RISK = INDEX["failures"], INDEX["refusals"], INDEX["session_risk"]
_FIRST_TIMES, _NOVELTY, _SECONDS, _BURST = (INDEX[n] for n in ("first_times", "novelty", "seconds", "burst"))
_HAND_OFFS, _RESULT_BYTES = INDEX["hand_offs"], INDEX["result_bytes"]
_UNRELATED_ACTS, _UNRELATED_PAYMENTS = INDEX["unrelated_acts"], INDEX["unrelated_payments"]
_READ: Final = Impact.READ.value
_CLASS_OF_IMPACT: Final = {
    Impact.SEND.value: _SENDS,
    Impact.PAYMENT.value: _PAYMENTS,
    Impact.DELETE.value: _REMOVALS,
    Impact.ADMIN.value: _GRAVE,
    Impact.EXECUTE.value: _GRAVE,
    Impact.UNKNOWN.value: _GRAVE,
}
_NO_VALUES: Final = (0,) * COUNT
_NO_SAMPLES: Final[tuple[frozenset[int], ...]] = (frozenset(),) * len(_DISTINCT)
_BITS: Final = tuple(1 << at for at in range(COUNT))
_HABIT_NAMES: Final = ("ahead", "repeats", "turns", "last_turn", *SHAPE_COUNTS)
_NO_HABITS: Final = (0,) * len(_HABIT_NAMES)


class TallyAlarm(NamedTuple):
    """An alarm of the session.

    Args:
        axis: id of the axis.
        share: largest share of the alarm, in thousandths.
        times: different calls that raised it since the session was folded last; 0 where it was raised before only.
        is_exposed: whether the session had read untrusted content when it was raised first.
        call: fingerprint of the call that raised it last, 32 bits.
        is_cleared: a person allowed what raised it last.
    """

    axis: str
    share: int
    times: int
    is_exposed: bool
    call: int = 0
    is_cleared: bool = False


class FoldedPart(NamedTuple):
    """What of a session that goes on is in the profiles already.

    Args:
        values: the measures then.
        verdict: as what it was folded (`carried.SessionVerdict`).
        seen: what it had shown, as in the tally.
        unrelated: fingerprints of its unrelated objects.
    """

    values: tuple[int, ...]
    verdict: str
    seen: frozenset[int] = frozenset()
    unrelated: frozenset[int] = frozenset()


class Findings(Protocol):
    """What a tally notes of an assessment (`assessment.BehaviourAssessment`)."""

    @property
    def first_times(self) -> int:
        """Things done for the first time."""

    @property
    def novelty(self) -> int:
        """How much of it was new, 0..1000."""

    @property
    def alarm_shares(self) -> Iterable[tuple[str, int]]:
        """Ids of axes that alarm, with their shares."""


@dataclass(frozen=True, slots=True)
class SessionTally:
    """Measures of one session so far.

    Args:
        values: one for each of `MEASURES`.
        at_exposure: the values when untrusted content was first seen, empty before.
        principal: keyed reference of whom it acts for: the first that was named.
        request: fingerprint of the first request, 32 bits.
        first_us: time of its first action.
        last_us: time of its last action; clocks may jump, so it may be smaller.
        active_us: time between its actions, a pause counted as a minute at most.
        burst: number of actions within the clock minute of `last_us`.
        samples: fingerprints of distinct things, 32 bits: objects, unrelated objects, persons, destinations,
            destinations outside, and objects that the request names.
        seen: what it has shown of each `SeenKind` (`seen.join_seen`), as far as there is room.
        habits: see `to_drift_session`.
        calls: fingerprints of calls, to count repeats.
        ways: fingerprints of tools with the arguments filled in.
        allowances: measure → doublings of its limit that a person allowed for this session.
        alarms: axes that raised an alarm, in order of their ids.
        refused: fingerprints of calls that did not run, 32 bits, so that trying one again counts once.
        untaught: destinations, as in `seen`, that it first reached after untrusted content, with nobody vouching.
        labelled: those unrelated objects of `samples` that were touched with labelled data.
        told: fingerprints (32 bits) of refused calls with the alarms that they raised, which count once in a session.
        folded: what of it is in the profiles, where the session goes on after it was folded; None where it is new.
        raised: bits of the measures that the last action raised, or a result since the action before it.
        pending: bits of the measures that results raised since the last action.
        shown: what the last action showed (`list_seen`).
        fresh: what of it the session had not shown before.
    """

    values: tuple[int, ...] = _NO_VALUES
    at_exposure: tuple[int, ...] = ()
    principal: str = ""
    request: int = 0
    first_us: int = 0
    last_us: int = 0
    active_us: int = 0
    burst: int = 0
    samples: tuple[frozenset[int], ...] = _NO_SAMPLES
    seen: frozenset[int] = frozenset()
    habits: tuple[int, ...] = _NO_HABITS
    calls: frozenset[int] = frozenset()
    ways: frozenset[int] = frozenset()
    allowances: tuple[tuple[int, int], ...] = ()
    alarms: tuple[TallyAlarm, ...] = ()
    refused: frozenset[int] = frozenset()
    untaught: frozenset[int] = frozenset()
    raised: int = field(default=0, compare=False)
    pending: int = 0
    shown: tuple[int, ...] = field(default=(), compare=False)
    fresh: tuple[int, ...] = field(default=(), compare=False)
    told: frozenset[int] = frozenset()
    folded: FoldedPart | None = None
    labelled: frozenset[int] = frozenset()

    def __getitem__(self, measure: str) -> int:
        """Value of a measure by its name."""
        return self.values[INDEX[measure]]

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened yet."""
        return not self.values[_ACTIONS]

    @property
    def has_news(self) -> bool:
        """Whether it has acted, or raised an alarm, since it was folded last."""
        done = self.folded.values[_ACTIONS] if self.folded is not None else 0
        return self.values[_ACTIONS] > done or any(alarm.times for alarm in self.alarms)

    @property
    def values_since_fold(self) -> tuple[int, ...]:
        """What of each measure is in no profile yet."""
        if self.folded is None:
            return self.values
        return tuple([value - done for value, done in zip(self.values, self.folded.values, strict=True)])

    def after_fold(self, verdict: str) -> SessionTally:
        """The tally with which the session goes on once it was folded as `verdict`."""
        part = FoldedPart(self.values, verdict, self.seen, self.samples[UNRELATED_SAMPLE])
        return replace(self, alarms=tuple([alarm._replace(times=0) for alarm in self.alarms]), folded=part)

    def begin_next(self) -> SessionTally:
        """The tally of a further session of the same name, which forgets no refused call."""
        return SessionTally(refused=self.refused, told=self.told)

    def after_exposure(self, measure: int) -> int:
        """How much of a measure came after untrusted content was seen."""
        return self.values[measure] - self.at_exposure[measure] if self.at_exposure else 0

    def advance(self, event: BehaviourEvent) -> SessionTally:
        """The tally with one more action. Of an action that does not run keep the tally before it.

        Otherwise a second attempt at what was refused would add nothing, and what never happened would count.
        """
        values = list(self.values)
        is_first, is_read = not values[_ACTIONS], event.impact == _READ
        self._count_action(event, values, is_read=is_read)
        gap, burst = (0, 1) if is_first else self._compute_pace(event.ts_us)
        active_us = self.active_us + gap
        values[_SECONDS] = active_us // 1_000_000
        values[_BURST] = max(values[_BURST], burst)
        shown = list_seen(event)
        seen, fresh = self._add_seen(shown, values)
        samples = self._add_objects(event, values) if event.objects or event.destinations else self.samples
        if max(values) > MAX_VALUE:
            values = [min(value, MAX_VALUE) for value in values]
        raised = self.pending
        for before, after, bit in zip(self.values, values, _BITS, strict=True):
            if after != before:
                raised |= bit
        habits = self.habits
        if is_read and not self.values[_ACTS]:
            habits = (habits[0] + 1, *habits[1:])
        untaught = self.untaught
        if fresh and event.is_exposed and event.destinations:
            untaught = self._mark_untaught(event, seen.intersection(fresh))
        labelled = self.labelled
        if event.labels and event.objects:
            labelled = self._add_labelled(event, samples[_UNRELATED])
        return SessionTally(
            values=tuple(values),
            at_exposure=self.at_exposure or (self.values if event.is_exposed else ()),
            principal=self.principal or event.principal[:_MAX_PRINCIPAL],
            request=self.request or event.request & _NUMBER_32,
            first_us=event.ts_us if is_first else self.first_us,
            last_us=event.ts_us,
            active_us=active_us,
            burst=burst,
            samples=samples,
            seen=seen,
            habits=habits,
            calls=self.calls,
            ways=self.ways,
            allowances=self.allowances,
            alarms=self.alarms,
            refused=self.refused,
            untaught=untaught,
            raised=raised,
            pending=0,
            shown=shown,
            fresh=fresh,
            told=self.told,
            folded=self.folded,
            labelled=labelled,
        )

    def _count_action(self, event: BehaviourEvent, values: list[int], *, is_read: bool) -> None:
        values[_ACTIONS] += 1
        values[_READS if is_read else _ACTS] += 1
        graded = _CLASS_OF_IMPACT.get(event.impact)
        if graded is not None:
            values[graded] += 1
        has_related = has_unrelated_person = False
        for item in event.objects:
            if item.is_related or item.is_requested:
                has_related = True
            elif item.is_person:
                has_unrelated_person = True
        if not is_read and event.objects and not has_related:
            values[_UNRELATED_ACTS] += 1
        if event.amount is not None and has_unrelated_person:
            values[_UNRELATED_PAYMENTS] += 1
        if is_read and event.labels:
            values[_LABELLED_READS] += 1
        if event.bytes_out > 0:
            values[_BYTES_OUT] += event.bytes_out
        if event.amount is not None:
            amount = abs(event.amount)
            values[_AMOUNT_SUM] += amount
            values[_AMOUNT_LARGEST] = max(values[_AMOUNT_LARGEST], amount)
        values[_SESSION_RISK] = max(values[_SESSION_RISK], event.session_risk)

    def _compute_pace(self, ts_us: int) -> tuple[int, int]:
        """Time since the last action, a pause being a minute at most, and actions within this clock minute."""
        gap = min(max(ts_us - self.last_us, 0), _MINUTE_US)
        same_minute = ts_us // _MINUTE_US == self.last_us // _MINUTE_US
        return gap, self.burst + 1 if same_minute else 1

    def _add_seen(self, shown: Iterable[int], values: list[int]) -> tuple[frozenset[int], tuple[int, ...]]:
        """What the session has shown with this action, and what of it is new in the session."""
        seen = self.seen
        fresh = tuple([number for number in shown if number not in seen])
        if not fresh:
            return seen, fresh
        for number in fresh:
            kind, _ = split_seen(number)
            if kind == SeenKind.TOOL:
                values[_TOOLS] += 1
            elif kind == SeenKind.HAND_OFF:
                values[_HAND_OFFS] += 1
        return seen.union(choose_kept(seen, fresh)), fresh

    def _mark_untaught(self, event: BehaviourEvent, fresh: frozenset[int]) -> frozenset[int]:
        """The destinations that do not become known by this session, with those of an action after exposure."""
        places = [place for place in event.destinations if not place.is_own and not place.is_vouched]
        reached = {join_seen(SeenKind.DESTINATION, shorten_fingerprint(place.fingerprint)) for place in places}
        return self.untaught | (reached & fresh)

    def _add_labelled(self, event: BehaviourEvent, kept: frozenset[int]) -> frozenset[int]:
        unrelated = [item for item in event.objects if not item.is_related and not item.is_requested]
        numbers = {shorten_fingerprint(item.fingerprint) & _NUMBER_32 for item in unrelated}
        return self.labelled.union(numbers).intersection(kept) if numbers else self.labelled

    def _add_objects(self, event: BehaviourEvent, values: list[int]) -> tuple[frozenset[int], ...]:
        samples = list(self.samples)
        touched: tuple[list[int], ...] = ([], [], [], [], [], [])
        for item in event.objects:
            number = (item.fingerprint ^ item.fingerprint >> 64) & _NUMBER_32  # of `shorten_fingerprint`
            # What the request names one by one is no deviation: it is counted apart.
            touched[_REQUESTED if item.is_requested else _OBJECTS].append(number)
            if not item.is_related and not item.is_requested:
                touched[_UNRELATED].append(number)
            if item.is_person:
                touched[_PERSONS].append(number)
        for place in event.destinations:
            number = (place.fingerprint ^ place.fingerprint >> 64) & _NUMBER_32
            touched[_DESTINATIONS].append(number)
            if not place.is_own and not place.is_vouched:
                touched[_OUTSIDE].append(number)
        for which, numbers in enumerate(touched):
            if numbers and not samples[which].issuperset(numbers):
                at, every = _AT[which], samples[which].union(numbers)
                if len(every) <= _SAMPLE_SIZES[which]:
                    samples[which], values[at] = every, max(values[at], len(every))
                else:
                    samples[which], values[at] = _keep_smallest(every, values[at], _SAMPLE_SIZES[which])
        return tuple(samples)

    def with_outcome(
        self,
        *,
        failed: bool = False,
        refused: bool = False,
        result_bytes: int = 0,
        labels: Iterable[str] = (),
        shape: CallShape | None = None,
    ) -> SessionTally:
        """The tally once it is known what became of an action.

        Args:
            failed: it ran and gave an error.
            refused: it was denied. A question about behaviour itself is none: asking must not raise what is asked.
            result_bytes: of its result.
            labels: of the result.
            shape: how it was written (`describe_call`).
        """
        values, pending = list(self.values), self.pending
        found: list[int] = []
        for label in list(labels)[:16]:
            found.append(join_seen(SeenKind.LABEL, fingerprint_text(label)))  # noqa: PERF401  a comprehension is a call
        for at, amount in (
            (_FAILURES, int(failed)),
            (_REFUSALS, int(refused)),
            (_RESULT_BYTES, max(result_bytes, 0)),
            (_LABELLED_BYTES, max(result_bytes, 0) if found else 0),
        ):
            if amount:
                values[at] = min(values[at] + amount, MAX_VALUE)
                pending |= 1 << at
        seen = self.seen
        if not seen.issuperset(found):
            seen = seen.union(choose_kept(seen, [number for number in found if number not in seen]))
        habits, calls, ways = (self.habits, self.calls, self.ways) if shape is None else self._add_shape(shape)
        # The constructor, since `dataclasses.replace` takes three times as long.
        return SessionTally(
            values=tuple(values),
            at_exposure=self.at_exposure,
            principal=self.principal,
            request=self.request,
            first_us=self.first_us,
            last_us=self.last_us,
            active_us=self.active_us,
            burst=self.burst,
            samples=self.samples,
            seen=seen,
            habits=habits,
            calls=calls,
            ways=ways,
            allowances=self.allowances,
            alarms=self.alarms,
            refused=self.refused,
            untaught=self.untaught,
            raised=self.raised,
            pending=pending,
            shown=self.shown,
            fresh=self.fresh,
            told=self.told,
            folded=self.folded,
            labelled=self.labelled,
        )

    def with_shape(self, shape: CallShape) -> SessionTally:
        """The tally with how an action was written."""
        habits, calls, ways = self._add_shape(shape)
        return replace(self, habits=habits, calls=calls, ways=ways)

    def _add_shape(self, shape: CallShape) -> tuple[tuple[int, ...], frozenset[int], frozenset[int]]:
        """Habits, calls and ways with how an action was written."""
        ahead, repeats, turns, last_turn, *before = self.habits
        call, way = shape.call & _NUMBER_32, shape.way & _NUMBER_32
        turn = shape.turn & _NUMBER_32
        if not turns or turn != last_turn:
            turns, last_turn = turns + 1, turn
        counts = list(map(add, before, shape.counts))
        if len(before) != len(shape.counts) or max(counts) > MAX_VALUE or min(shape.counts) < 0:
            counts = [min(a + max(b, 0), MAX_VALUE) for a, b in zip(before, shape.counts, strict=True)]
        habits = (ahead, repeats + (call in self.calls), turns, last_turn, *counts)
        calls = self.calls | {call} if len(self.calls) < _MAX_CALLS else self.calls
        ways = self.ways | {way} if len(self.ways) < _MAX_WAYS else self.ways
        return habits, calls, ways

    def with_allowance(self, measure: str) -> SessionTally:
        """The tally after a person allowed more: the limit of a measure (a name, or `<name>_recent`) is doubled."""
        name = measure.removesuffix("_recent").removeprefix("tenant_")
        if name not in INDEX:
            return self
        doublings = dict(self.allowances)
        doublings[INDEX[name]] = min(doublings.get(INDEX[name], 0) + 1, _MAX_DOUBLINGS)
        return replace(self, allowances=tuple(sorted(doublings.items())))

    def with_refusal(
        self, call: int, *, is_attempt: bool, found: Findings | None = None, ts_us: int = 0
    ) -> SessionTally:
        """The tally after a call that did not run: the same one again adds nothing.

        Args:
            call: fingerprint of the call.
            is_attempt: it was denied. A question about behaviour itself is no attempt: see `with_outcome`.
            found: what of it alarms, None for nothing.
            ts_us: time of the decision, which a session has to have where nothing runs.
        """
        call &= _NUMBER_32
        is_repeat = call in self.refused
        tally = self.with_outcome(refused=True) if is_attempt and not is_repeat else self
        if not tally.first_us and not tally.values[_ACTIONS]:
            tally = replace(tally, first_us=ts_us, last_us=ts_us)
        if found is not None:
            tally = tally.with_findings(found, call=call)
        if is_repeat or len(self.refused) >= _MAX_REFUSED:
            return tally
        return replace(tally, refused=self.refused | {call})

    def with_cleared(self, call: int, axes: Iterable[str]) -> SessionTally:
        """The tally after a person allowed a call: the alarms that it raised last, and those of `axes`, are cleared."""
        call, allowed = call & _NUMBER_32, set(axes)
        alarms = [
            alarm._replace(is_cleared=True) if alarm.axis in allowed or alarm.call == call else alarm
            for alarm in self.alarms
        ]
        return replace(self, alarms=tuple(alarms))

    @property
    def open_alarms(self) -> tuple[TallyAlarm, ...]:
        """Alarms that nobody has cleared."""
        return tuple(alarm for alarm in self.alarms if not alarm.is_cleared)

    def with_findings(self, found: Findings, *, call: int = 0) -> SessionTally:
        """The tally with what an assessment found: first times, the largest novelty, and axes that alarm.

        Args:
            found: of an action.
            call: fingerprint of the call, 0 where it ran.
        """
        values = list(self.values)
        values[_FIRST_TIMES] = min(values[_FIRST_TIMES] + found.first_times, MAX_VALUE)
        values[_NOVELTY] = max(values[_NOVELTY], found.novelty)
        alarms, told = {alarm.axis: alarm for alarm in self.alarms}, set(self.told)
        for axis, share in found.alarm_shares:
            mark = _mark_told(axis, call)
            is_told = bool(call) and mark in told
            before = alarms.get(axis)
            if before is None:
                if is_told or len(alarms) >= _MAX_ALARMS:  # an earlier session of this name has raised it
                    continue
                before = TallyAlarm(axis, 0, 0, bool(self.at_exposure))
            alarms[axis] = TallyAlarm(
                axis,
                max(before.share, share),
                min(before.times + (not is_told), _MAX_TIMES),
                before.is_exposed,
                call & _NUMBER_32,
            )
            if call and len(told) < _MAX_TOLD:
                told.add(mark)
        changed = tuple(alarms[axis] for axis in sorted(alarms))
        return replace(self, values=tuple(values), alarms=changed, told=frozenset(told))

    def raises_anew(self, axis: str, call: int) -> bool:
        """Whether no call of this session has raised an axis yet, nor this call in an earlier one of its name."""
        return not any(alarm.axis == axis for alarm in self.alarms) and _mark_told(axis, call) not in self.told

    def to_drift_session(self) -> DriftSession:
        """The session's habits, as `risk.drift` compares them."""
        ahead, repeats, turns, _, *counts = self.habits
        value = self.values
        named = dict(zip(SHAPE_COUNTS, counts, strict=True))
        named |= {"steps": value[_ACTIONS], "acts": value[_ACTS], "ahead": ahead, "repeats": repeats}
        named["failed"] = value[_FAILURES] + value[_REFUSALS]
        tools, many = set(map(str, range(min(value[_TOOLS], 256)))), set(range(min(turns, 4096)))
        return DriftSession(self.request, SessionHabits(named, tools, set(), many).to_vector(), self.ways)

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree; at most 4 KB as JSON, a few hundred bytes for an ordinary session."""
        members: dict[str, Any] = {
            "h": list(self.habits),
            "o": list(map(_pack_32, self.samples)),
            "q": self.request,
            "s": pack_seen(self.seen),
            "t": [self.first_us, self.last_us, self.active_us, self.burst, self.pending],
            "v": list(self.values),
            "w": [_pack_32(self.calls), _pack_32(self.ways)],
        }
        if self.alarms:
            members["a"] = [list(alarm) if alarm.call or alarm.is_cleared else list(alarm[:4]) for alarm in self.alarms]
        if self.principal:
            members["p"] = self.principal
        if self.folded is not None:
            members["f"] = _pack_folded(self.folded)
        if self.labelled:
            members["l"] = _mark_kept(self.labelled, self.samples[_UNRELATED])
        if self.told:
            members["k"] = _pack_32(self.told)
        if self.refused:
            members["r"] = _pack_32(self.refused)
        if self.untaught:
            members["u"] = pack_seen(self.untaught)
        if self.at_exposure:
            members["x"] = list(self.at_exposure)
        if self.allowances:
            members["y"] = list(map(list, self.allowances))
        return members

    @classmethod
    def from_plain(cls, members: Mapping[str, Any]) -> SessionTally:
        """Inverse of `to_plain`.

        Raises:
            BadInput: this is another tree (`bad_profile`).
        """
        try:
            first_us, last_us, active_us, burst, pending = members["t"]
            calls, ways = map(_unpack_32, members["w"])
            tally = cls(
                tuple(members["v"]),
                tuple(members.get("x", ())),
                members.get("p", ""),
                members["q"],
                first_us,
                last_us,
                active_us,
                burst,
                tuple(map(_unpack_32, members["o"])),
                unpack_seen(members["s"]),
                tuple(members["h"]),
                calls,
                ways,
                tuple((at, times) for at, times in members.get("y", ())),
                tuple(TallyAlarm(*alarm) for alarm in members.get("a", ())),
                _unpack_32(members.get("r", "")),
                unpack_seen(members.get("u", "")),
                0,
                pending,
                told=_unpack_32(members.get("k", "")),
                folded=_unpack_folded(members["f"]) if "f" in members else None,
            )
            if "l" in members:
                marks, kept = int(members["l"], 16), sorted(tally.samples[_UNRELATED])
                tally = replace(tally, labelled=frozenset(one for at, one in enumerate(kept) if marks >> at & 1))
            tally.check()
        except (AttributeError, KeyError, TypeError, ValueError) as exc:
            raise profile_error("the tally of the session is invalid") from exc
        return tally

    def check(self) -> None:
        """Raise ValueError where this is no tally that `advance` and the others make."""
        numbers = (*self.values, *self.at_exposure, self.active_us, self.burst, self.pending, self.request)
        numbers += (self.first_us, self.last_us, *self.habits, *(part for pair in self.allowances for part in pair))
        require(all(type(number) is int for number in numbers), "a number that is none")
        require(min(*self.values, *self.at_exposure, *self.habits, self.request) >= 0, "a number below zero")
        require(len(self.values) == COUNT and len(self.at_exposure) in (0, COUNT), "another number of measures")
        require(len(self.habits) == len(_NO_HABITS) and len(self.samples) == len(_DISTINCT), "another number of habits")
        require(all(0 <= at < COUNT and 0 < n <= _MAX_DOUBLINGS for at, n in self.allowances), "an unknown measure")
        if self.folded is not None:
            done = self.folded.values
            require(all(type(number) is int for number in done) and len(done) == COUNT, "another folded part")
            require(all(a >= b >= 0 for a, b in zip(self.values, done, strict=True)), "a folded part beyond the whole")
            require(type(self.folded.verdict) is str, "a verdict that is none")
        is_alarm = all(list(map(type, alarm)) == [str, int, int, bool, int, bool] for alarm in self.alarms)
        require(type(self.principal) is str and is_alarm, "a name or alarm that is none")


def _keep_smallest(every: frozenset[int], count: int, size: int) -> tuple[frozenset[int], int]:
    """The smallest of more fingerprints than a sample holds, and the number of distinct ones that follows."""
    kept = sorted(every)[:size]
    return frozenset(kept), max(count, (size - 1) * 2**32 // max(kept[-1], 1), size)


def _mark_told(axis: str, call: int) -> int:
    """Fingerprint of a refused call with an alarm that it raised."""
    return fingerprint_text(f"{axis} {call & _NUMBER_32}") & _NUMBER_32


def _pack_folded(part: FoldedPart) -> list[Any]:
    return [list(part.values), part.verdict, pack_seen(part.seen), _pack_32(part.unrelated)]


def _unpack_folded(members: list[Any]) -> FoldedPart:
    values, verdict, seen, unrelated = members
    return FoldedPart(tuple(values), verdict, unpack_seen(seen), _unpack_32(unrelated))


def _mark_kept(chosen: frozenset[int], sample: frozenset[int]) -> str:
    """Which of a sample's numbers, in order, are chosen: bits in hexadecimal."""
    return f"{sum(1 << at for at, one in enumerate(sorted(sample)) if one in chosen):x}"


@lru_cache(maxsize=512)
def _pack_32(numbers: frozenset[int]) -> str:
    return b2a_base64(array("I", sorted(numbers)).tobytes(), newline=False).decode("ascii")


def _unpack_32(text: str) -> frozenset[int]:
    row = array("I")
    row.frombytes(b64decode(text, validate=True))
    return frozenset(row)


assert array("I").itemsize == 4 and len(MEASURES) < 63  # noqa: PT018, S101  as the encoding takes for granted
