"""What a session has done so far, as a bounded value that is stored with the session.

How an action counts is in `counting`, how a tally is stored in `tally_format`. INVARIANT: no measure falls within a
session.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field, replace
from itertools import compress
from operator import add, ne
from typing import Final, NamedTuple, Protocol

from halo_core.behaviour.attempts import NO_ATTEMPTS, NO_QUESTIONS, Attempts, OpenQuestions
from halo_core.behaviour.counting import (
    MASK_32,
    NO_SAMPLES,
    UNRELATED_SAMPLE,
    Samples,
    count_action,
    count_distinct,
    list_unrelated,
    tells_of_strangers,
)
from halo_core.behaviour.event import FINGERPRINT_BITS, BehaviourEvent, CallShape, fingerprint_text, shorten_fingerprint
from halo_core.behaviour.measures import COUNT, INDEX, MAX_VALUE
from halo_core.behaviour.seen import LEAKED, SeenKind, choose_kept, join_seen, list_seen
from halo_core.model import Impact
from halo_core.quick_dataclass import dataclass, make_copier
from halo_core.risk.drift import SHAPE_COUNTS, DriftSession, SessionHabits

_MINUTE_US: Final = 60_000_000
_MAX_PRINCIPAL: Final = 80
_MAX_ALARMS: Final = 32
_MAX_TIMES: Final = 1000
MAX_DOUBLINGS: Final = 16
_MAX_WAYS: Final = 48
_MAX_CALLS: Final = 64
_MAX_REFUSED: Final = 32
_MAX_ALARMED_CALLS: Final = 64
_MAX_LABELS: Final = 16  # of one result

_ACTIONS, _ACTS, _TOOLS, _HAND_OFFS = (INDEX[name] for name in ("actions", "acts", "tools", "hand_offs"))
_FAILURES, _REFUSALS, _SECONDS, _BURST = (INDEX[name] for name in ("failures", "refusals", "seconds", "burst"))
_FIRST_TIMES, _NOVELTY, _RESULT_BYTES = (INDEX[name] for name in ("first_times", "novelty", "result_bytes"))
_LABELLED_BYTES: Final = INDEX["labelled_bytes"]
_STRANGERS: Final = INDEX["strangers"]
_READ: Final = Impact.READ.value
_BITS: Final = tuple(1 << at for at in range(COUNT))
_LAST_TURN: Final = 3
HABIT_NAMES: Final = ("ahead", "repeats", "turns", "last_turn", *SHAPE_COUNTS)


class TallyAlarm(NamedTuple):
    """An alarm of the session.

    Args:
        axis: id of the axis.
        share: largest share of the alarm, in thousandths.
        times: different calls that raised it since the session was folded last; 0 where it was raised before only.
        is_exposed: whether the session had read untrusted content when it was first raised.
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
    """The part of a session that profiles have learnt from already, where the session goes on after a fold.

    Args:
        values: the measures at the fold.
        verdict: the verdict under which it was folded (`carried.SessionVerdict`).
        seen: `SessionTally.seen` at the fold.
        unrelated: fingerprints of the unrelated objects at the fold.
        attempted: `SessionTally.attempted` at the fold, empty where all had run.
    """

    values: tuple[int, ...]
    verdict: str
    seen: frozenset[int] = frozenset()
    unrelated: frozenset[int] = frozenset()
    attempted: tuple[int, ...] = ()


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

    @property
    def counted_once(self) -> frozenset[str]:
        """Ids of axes that count once in a session, however many of its calls raise them."""


def _clear_strangers(values: tuple[int, ...]) -> tuple[int, ...]:
    return (*values[:_STRANGERS], 0) if values else values


@dataclass(frozen=True, slots=True)
class SessionTally:
    """Measures of one session so far.

    Args:
        values: one for each of `MEASURES`.
        at_exposure: the values when untrusted content was first seen, empty before.
        principal: keyed reference of the person or account it acts for, the first that was named.
        request: fingerprint of the first request, 32 bits.
        first_us: time of its first action.
        last_us: time of its last action; clocks may jump, so it may be smaller.
        active_us: time between its actions, a pause counted as a minute at most.
        burst: number of actions within the clock minute of `last_us`.
        samples: fingerprints of distinct things, 32 bits: objects, unrelated objects, persons, destinations,
            destinations outside, and objects that the request names.
        seen: what it has shown of each `SeenKind` (`seen.join_seen`), as far as there is room.
        habits: reads before the first act, repeated calls, turns, number of the last turn, and the sums of
            `risk.drift.SHAPE_COUNTS`.
        calls: fingerprints (32 bits) of calls, to count repeated ones.
        ways: fingerprints (32 bits) of tools with the names of the arguments that were filled in (`CallShape.way`).
        allowances: measure → doublings of its limit that a person allowed for this session.
        alarms: axes that raised an alarm, in order of their ids.
        refused: fingerprints of calls that did not run, 32 bits, so that trying one again counts once.
        unlearned: destinations, as in `seen`, that it first reached after untrusted content and for which nobody
            vouched. Profiles do not learn them.
        strangers: unrelated objects of `samples` that were touched with labelled data: records of people whom the
            request does not concern.
        attempts: what calls that did not run would have added.
        questions: calls that a policy asks about and that nobody has let run.
        alarmed_calls: fingerprints (32 bits) of pairs of a refused call and an axis that alarmed at it. Each pair
            counts once, also in later sessions of the same name.
        folded: the part that profiles have learnt from, None where the session was not folded yet.
        raised: bits of the measures that the last action raised, or a result since the action before it.
        pending: bits of the measures that results raised since the last action.
        last_shown: what the last action showed (`list_seen`).
        newly_shown: the part of `last_shown` that the session had not shown before.
    """

    values: tuple[int, ...] = (0,) * COUNT
    at_exposure: tuple[int, ...] = ()
    principal: str = ""
    request: int = 0
    first_us: int = 0
    last_us: int = 0
    active_us: int = 0
    burst: int = 0
    samples: Samples = NO_SAMPLES
    seen: frozenset[int] = frozenset()
    habits: tuple[int, ...] = (0,) * len(HABIT_NAMES)
    calls: frozenset[int] = frozenset()
    ways: frozenset[int] = frozenset()
    allowances: tuple[tuple[int, int], ...] = ()
    alarms: tuple[TallyAlarm, ...] = ()
    refused: frozenset[int] = frozenset()
    unlearned: frozenset[int] = frozenset()
    raised: int = field(default=0, compare=False)
    pending: int = 0
    last_shown: tuple[int, ...] = field(default=(), compare=False)
    newly_shown: tuple[int, ...] = field(default=(), compare=False)
    alarmed_calls: frozenset[int] = frozenset()
    folded: FoldedPart | None = None
    strangers: frozenset[int] = frozenset()
    attempts: Attempts = NO_ATTEMPTS
    questions: OpenQuestions = NO_QUESTIONS

    def __getitem__(self, measure: str) -> int:
        """Value of a measure by its name."""
        return self.values[INDEX[measure]]

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened yet."""
        return not self.values[_ACTIONS]

    @property
    def has_news(self) -> bool:
        """Whether it has acted, tried to, or raised an alarm, since it was folded last."""
        done = (self.folded.attempted or self.folded.values)[_ACTIONS] if self.folded is not None else 0
        return self.attempted[_ACTIONS] > done or any(alarm.times for alarm in self.alarms)

    def without_strangers(self) -> SessionTally:
        """The tally as it was before `strangers` was counted."""
        if not self.values[_STRANGERS]:
            return self
        part = self.folded
        if part is not None:
            part = part._replace(values=_clear_strangers(part.values), attempted=_clear_strangers(part.attempted))
        values, at_exposure = _clear_strangers(self.values), _clear_strangers(self.at_exposure)
        return replace(self, folded=part, values=values, at_exposure=at_exposure)

    @property
    def attempted(self) -> tuple[int, ...]:
        """The measures, with what calls that did not run would have added."""
        if self.attempts is NO_ATTEMPTS:
            return self.values
        return self.attempts.add_to(self.values, self.samples, self.seen, self.strangers)

    @property
    def strangers_tried(self) -> int:
        """How many strangers' records were asked for by calls that did not run, and were not read otherwise."""
        return self.attempts.count_strangers(self.strangers)

    @property
    def strangers_tried_since_fold(self) -> int:
        """How many of `strangers_tried` were not folded yet."""
        part = self.folded
        if part is None or not part.attempted:
            return self.strangers_tried
        # What was tried, and has run since, counts among what ran.
        return max(self.strangers_tried - (part.attempted[_STRANGERS] - part.values[_STRANGERS]), 0)

    @property
    def values_since_fold(self) -> tuple[int, ...]:
        """The measures since the last fold, which profiles have not learnt from yet."""
        if self.folded is None:
            return self.values
        return tuple([value - done for value, done in zip(self.values, self.folded.values, strict=True)])

    def after_fold(self, verdict: str) -> SessionTally:
        """The tally with which the session goes on after a fold under `verdict`."""
        attempted = self.attempted if self.attempts is not NO_ATTEMPTS else ()
        part = FoldedPart(self.values, verdict, self.seen, self.samples[UNRELATED_SAMPLE], attempted)
        alarms, questions = tuple([alarm._replace(times=0) for alarm in self.alarms]), self.questions
        return replace(self, alarms=alarms, folded=part, questions=questions._replace(answered=0))

    def count_questions(self) -> SessionTally:
        """The tally as it is folded: what a policy asked about and nobody let run counts as refused."""
        asked = len(self.questions.asked)
        if not asked:
            return self
        values = list(self.values)
        values[_REFUSALS] = min(values[_REFUSALS] + asked, MAX_VALUE)
        return replace(self, values=tuple(values), questions=self.questions.settle())

    def begin_next(self) -> SessionTally:
        """An empty tally for the next session of this name, with this one's refused calls and open questions."""
        return SessionTally(refused=self.refused, alarmed_calls=self.alarmed_calls, questions=self.questions)

    def after_exposure(self, measure: int) -> int:
        """How much of a measure came after untrusted content was seen."""
        return self.values[measure] - self.at_exposure[measure] if self.at_exposure else 0

    def advance(self, event: BehaviourEvent) -> SessionTally:
        """The tally with one more action, which is about to run.

        Used to assess the action. If the action does not run, `with_refusal` of the tally before it takes its place:
        otherwise the action would count, and a second attempt at it would add nothing.
        """
        values = list(self.values)
        is_first, is_read = not values[_ACTIONS], event.impact == _READ
        count_action(event, values, is_read=is_read)
        gap, burst = (0, 1) if is_first else self._compute_pace(event.ts_us)
        active_us = self.active_us + gap
        values[_SECONDS] = active_us // 1_000_000
        values[_BURST] = max(values[_BURST], burst)
        # What the action shows of each `SeenKind`, and which of it is new in the session.
        shown = list_seen(event)
        seen, fresh = (self.seen, ()) if self.seen.issuperset(shown) else self._add_seen(shown, values)
        touches_any = event.objects or event.destinations
        samples = count_distinct(event, values, self.samples) if touches_any else self.samples
        if max(values) > MAX_VALUE:
            values = [min(value, MAX_VALUE) for value in values]
        # Destinations that profiles do not learn, and records of strangers.
        unlearned, strangers = self.unlearned, self.strangers
        if fresh and event.is_exposed and event.destinations:
            unlearned = self._add_unlearned(event, seen.intersection(fresh))
        if event.labels and event.objects:
            strangers = strangers.union(list_unrelated(event)).intersection(samples[UNRELATED_SAMPLE])
            values[_STRANGERS] = max(values[_STRANGERS], len(strangers))
        if strangers and tells_of_strangers(event, strangers):
            shown, fresh = (*shown, LEAKED), fresh if LEAKED in seen else (*fresh, LEAKED)
            seen |= {LEAKED}
        # One bit for each measure that changed: different bits, so their sum is their union.
        raised = self.pending | sum(compress(_BITS, map(ne, self.values, values)))
        is_ahead = is_read and not self.values[_ACTS] and (self.attempts is NO_ATTEMPTS or not self.attempts.acts)
        habits = (self.habits[0] + 1, *self.habits[1:]) if is_ahead else self.habits
        return _copy_tally(
            self,
            values=tuple(values),
            at_exposure=self.at_exposure or (self.values if event.is_exposed else ()),
            principal=self.principal or event.principal[:_MAX_PRINCIPAL],
            request=self.request or event.request & MASK_32,
            first_us=event.ts_us if is_first else self.first_us,
            last_us=event.ts_us,
            active_us=active_us,
            burst=burst,
            samples=samples,
            seen=seen,
            habits=habits,
            unlearned=unlearned,
            raised=raised,
            pending=0,
            last_shown=shown,
            newly_shown=fresh,
            strangers=strangers,
        )

    def _compute_pace(self, ts_us: int) -> tuple[int, int]:
        """Time since the last action (a minute at most), and the number of actions within this clock minute."""
        gap = min(max(ts_us - self.last_us, 0), _MINUTE_US)
        same_minute = ts_us // _MINUTE_US == self.last_us // _MINUTE_US
        return gap, self.burst + 1 if same_minute else 1

    def _add_seen(self, shown: Iterable[int], values: list[int]) -> tuple[frozenset[int], tuple[int, ...]]:
        """What the session has shown including this action, and the part that is new in the session."""
        seen = self.seen
        fresh = tuple([number for number in shown if number not in seen])
        for number in fresh:
            kind = number >> FINGERPRINT_BITS
            if kind == SeenKind.TOOL:
                values[_TOOLS] += 1
            elif kind == SeenKind.HAND_OFF:
                values[_HAND_OFFS] += 1
        return seen.union(choose_kept(seen, fresh)), fresh

    def _add_unlearned(self, event: BehaviourEvent, fresh: frozenset[int]) -> frozenset[int]:
        """`unlearned` with the destinations that an action after untrusted content reached first."""
        places = [place for place in event.destinations if not place.is_own and not place.is_vouched]
        reached = {join_seen(SeenKind.DESTINATION, shorten_fingerprint(place.fingerprint)) for place in places}
        return self.unlearned | (reached & fresh)

    def with_outcome(
        self,
        *,
        failed: bool = False,
        refused: bool = False,
        result_bytes: int = 0,
        labels: Iterable[str] = (),
        shape: CallShape | None = None,
    ) -> SessionTally:
        """The tally once the outcome of an action is known.

        Args:
            failed: it ran and gave an error.
            refused: it was denied. A question about behaviour itself does not count: asking must not raise what it is
                about.
            result_bytes: size of its result.
            labels: labels of the result.
            shape: how the call was written, None if its shape is part of the habits already.
        """
        values, pending = list(self.values), self.pending
        label_numbers: list[int] = []
        for label in list(labels)[:_MAX_LABELS]:
            label_numbers.append(join_seen(SeenKind.LABEL, fingerprint_text(label)))  # noqa: PERF401  a comprehension is a call
        for at, amount in (
            (_FAILURES, int(failed)),
            (_REFUSALS, int(refused)),
            (_RESULT_BYTES, max(result_bytes, 0)),
            (_LABELLED_BYTES, max(result_bytes, 0) if label_numbers else 0),
        ):
            if amount:
                values[at] = min(values[at] + amount, MAX_VALUE)
                pending |= 1 << at
        seen = self.seen
        if not seen.issuperset(label_numbers):
            seen = seen.union(choose_kept(seen, [number for number in label_numbers if number not in seen]))
        habits, calls, ways = (self.habits, self.calls, self.ways) if shape is None else self._add_shape(shape)
        return _copy_tally(
            self, values=tuple(values), pending=pending, seen=seen, habits=habits, calls=calls, ways=ways
        )

    def _add_shape(self, shape: CallShape) -> tuple[tuple[int, ...], frozenset[int], frozenset[int]]:
        """Habits, calls and ways after an action that was written in this shape."""
        ahead, repeats, turns, last_turn, *before = self.habits
        call, way = shape.call & MASK_32, shape.way & MASK_32
        turn = shape.turn & MASK_32
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
        doublings[INDEX[name]] = min(doublings.get(INDEX[name], 0) + 1, MAX_DOUBLINGS)
        return replace(self, allowances=tuple(sorted(doublings.items())))

    def with_refusal(
        self,
        call: int,
        *,
        is_attempt: bool,
        findings: Findings | None = None,
        ts_us: int = 0,
        event: BehaviourEvent | None = None,
        shape: CallShape | None = None,
    ) -> SessionTally:
        """The tally after a call that did not run: the same one again adds no alarm and no refusal.

        It is a further attempt where another message asks for it, and not where a paused step is run again.

        Args:
            call: fingerprint of the call.
            is_attempt: it was denied. A question about behaviour itself is no attempt: see `with_outcome`.
            findings: what an assessment found in it, None for nothing.
            ts_us: time of the decision; the session's time while nothing has run in it.
            event: the call, None where it is not known.
            shape: how it was written.
        """
        call &= MASK_32
        is_repeat, is_full = call in self.refused, len(self.refused) >= _MAX_REFUSED
        tally = self.with_outcome(refused=True) if is_attempt and not is_repeat else self
        if not tally.first_us and not tally.values[_ACTIONS]:
            tally = replace(tally, first_us=ts_us, last_us=ts_us)
        if event is not None and not (tally.principal and tally.request):  # what alarms is charged to its principal
            principal = tally.principal or event.principal[:_MAX_PRINCIPAL]
            tally = replace(tally, principal=principal, request=tally.request or event.request & MASK_32)
        if findings is not None:
            tally = tally.with_findings(findings, call=call)
        is_again = is_repeat and shape is not None and shape.turn & MASK_32 != self.habits[_LAST_TURN]
        if is_full or (is_repeat and not is_again):
            return tally
        refused = self.refused | {call}
        if event is None or shape is None:
            return replace(tally, refused=refused)
        is_ahead = event.impact == _READ and not tally.values[_ACTS] and not tally.attempts.acts
        habits, calls, ways = tally._add_shape(shape)  # noqa: SLF001  another tally
        habits, attempts = (habits[0] + is_ahead, *habits[1:]), tally.attempts.with_call(event)
        return replace(tally, refused=refused, habits=habits, calls=calls, ways=ways, attempts=attempts)

    def with_question(self, call: int) -> SessionTally:
        """The tally after a policy asked about a call."""
        return replace(self, questions=self.questions.ask(call & MASK_32))

    def without_attempt(self, call: int, event: BehaviourEvent) -> SessionTally:
        """The tally after a call has run that was counted as an attempt before."""
        if call & MASK_32 not in self.refused:
            return self
        tally = replace(self, attempts=self.attempts.without_call(event))
        questions = self.questions.answer(call & MASK_32)
        if questions is self.questions:
            return tally
        # INVARIANT: a yes clears what this very question has raised, not what others have.
        return replace(tally, questions=questions).with_cleared(call, ())

    def with_denied_run(self) -> SessionTally:
        """The tally after an action that ran in observe mode, and that enforce mode would have denied."""
        return replace(self, attempts=self.attempts.with_denial())

    def has_written(self, call: int) -> bool:
        """Whether a call is among those that did not run; its shape is then already part of the habits."""
        return call & MASK_32 in self.refused

    def with_cleared(self, call: int, axes: Iterable[str]) -> SessionTally:
        """The tally after a person allowed a call: the alarms that it raised last, and those of `axes`, are cleared."""
        call, allowed = call & MASK_32, set(axes)
        alarms = [
            alarm._replace(is_cleared=True) if alarm.axis in allowed or alarm.call == call else alarm
            for alarm in self.alarms
        ]
        return replace(self, alarms=tuple(alarms))

    @property
    def open_alarms(self) -> tuple[TallyAlarm, ...]:
        """Alarms that nobody has cleared."""
        return tuple(alarm for alarm in self.alarms if not alarm.is_cleared)

    def with_findings(self, findings: Findings, *, call: int = 0) -> SessionTally:
        """The tally with what an assessment found: first times, the largest novelty, and axes that alarm.

        Args:
            findings: what it found in an action.
            call: fingerprint of the call, 0 where it ran.
        """
        values = list(self.values)
        values[_FIRST_TIMES] = min(values[_FIRST_TIMES] + findings.first_times, MAX_VALUE)
        values[_NOVELTY] = max(values[_NOVELTY], findings.novelty)
        alarms = {alarm.axis: alarm for alarm in self.alarms}
        alarmed_calls = set(self.alarmed_calls)
        for axis, share in findings.alarm_shares:
            mark = _fingerprint_alarm(axis, call)
            is_known = bool(call) and mark in alarmed_calls
            before = alarms.get(axis)
            if before is None:
                if is_known or len(alarms) >= _MAX_ALARMS:  # known from an earlier session of this name
                    continue
                before = TallyAlarm(axis, 0, 0, bool(self.at_exposure))
            alarms[axis] = TallyAlarm(
                axis,
                max(before.share, share),
                min(before.times + (not is_known and not (before.times and axis in findings.counted_once)), _MAX_TIMES),
                before.is_exposed,
                call & MASK_32,
            )
            if call and len(alarmed_calls) < _MAX_ALARMED_CALLS:
                alarmed_calls.add(mark)
        changed = tuple(alarms[axis] for axis in sorted(alarms))
        return replace(self, values=tuple(values), alarms=changed, alarmed_calls=frozenset(alarmed_calls))

    def raises_anew(self, axis: str, call: int) -> bool:
        """Whether no call of this session, nor this call in an earlier session of its name, has raised an axis."""
        return (
            not any(alarm.axis == axis for alarm in self.alarms)
            and _fingerprint_alarm(axis, call) not in self.alarmed_calls
        )

    def to_drift_session(self, *, with_denials: bool = False) -> DriftSession:
        """The session's habits, as `risk.drift` compares them.

        Args:
            with_denials: denials count as failures, as in earlier forms of profiles. They do not count otherwise,
                since there are none in observe mode.
        """
        ahead, repeats, turns, _, *counts = self.habits
        value = self.attempted
        named = dict(zip(SHAPE_COUNTS, counts, strict=True))
        named |= {"steps": value[_ACTIONS], "acts": value[_ACTS], "ahead": ahead, "repeats": repeats}
        named["failed"] = value[_FAILURES] + (value[_REFUSALS] if with_denials else 0)
        tools, many = set(map(str, range(min(value[_TOOLS], 256)))), set(range(min(turns, 4096)))
        return DriftSession(self.request, SessionHabits(named, tools, set(), many).to_vector(), self.ways)


_copy_tally: Final = make_copier(SessionTally)


def _fingerprint_alarm(axis: str, call: int) -> int:
    """Fingerprint of a pair of a refused call and an axis that alarmed at it, 32 bits."""
    return fingerprint_text(f"{axis} {call & MASK_32}") & MASK_32
