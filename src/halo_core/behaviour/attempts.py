"""Calls of a session that did not run: what they would have added to it, and questions that nobody answered.

Limits and windows count what happened, and strangers' records that were tried: once a sum is full nothing runs, and
trying would be free. Drift is about how an agent works, whether its calls run, as in observe mode, or are asked about,
so it compares measures with these attempts added. Otherwise an unchanged agent would seem to do less from the day on
which `enforce` stops some of its calls.

A question of a policy that nobody answers counts as a refusal once the session is folded. If every harmful act of an
agent is asked about, none runs, and without this count the agent would look like one that never tried. A question that
is answered with yes does not count, whenever the answer comes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, NamedTuple

from halo_core.behaviour.counting import NO_SAMPLES, SAMPLED, Samples, count_action, count_distinct, list_unrelated
from halo_core.behaviour.event import FINGERPRINT_BITS, BehaviourEvent
from halo_core.behaviour.measures import COUNT, INDEX, MAX_VALUE
from halo_core.behaviour.seen import SeenKind, list_seen
from halo_core.model import Impact
from halo_core.quick_dataclass import dataclass

ADDED: Final = tuple(
    INDEX[name]
    for name in "actions reads acts sends payments removals unrelated_acts bytes_out labelled_reads refusals".split()
)
"""Measures to which each attempt adds; of the others, distinct things are counted."""
_ACTS, _REFUSALS, _STRANGERS = (INDEX[name] for name in ("acts", "refusals", "strangers"))
_COUNTED_ONCE: Final = {int(SeenKind.TOOL): INDEX["tools"], int(SeenKind.HAND_OFF): INDEX["hand_offs"]}
_MAX_SAMPLE: Final = 32
_KEPT: Final = frozenset((*_COUNTED_ONCE, int(SeenKind.GRANT)))
_MAX_SEEN: Final = 48


@dataclass(frozen=True, slots=True)
class Attempts:
    """Attempts of one session.

    Args:
        sums: what they add to each of `ADDED`.
        samples: distinct things that they would have touched, as in `SessionTally.samples`.
        seen: tools, agents and grants that they would have used, as in `SessionTally.seen`.
        strangers: fingerprints of records with labelled data that the request has nothing to do with, as in
            `SessionTally.strangers`.
        has_list: a read that could have led to further records did not run, so that nobody knows any more which
            records the request has nothing to do with.
    """

    sums: tuple[int, ...] = (0,) * len(ADDED)
    samples: Samples = NO_SAMPLES
    seen: frozenset[int] = frozenset()
    strangers: frozenset[int] = frozenset()
    has_list: bool = False

    @property
    def acts(self) -> int:
        """Attempts that would have done more than read."""
        return self.sums[ADDED.index(_ACTS)]

    def with_call(self, event: BehaviourEvent) -> Attempts:
        """The attempts with a call that did not run."""
        values, samples, seen = _count(event), self.samples, self.seen
        if event.objects or event.destinations:
            samples = count_distinct(event, values, samples)
            if max(map(len, samples)) > _MAX_SAMPLE:
                samples = tuple([frozenset(sorted(sample)[:_MAX_SAMPLE]) for sample in samples])
        if len(seen) < _MAX_SEEN:
            seen = seen.union([number for number in list_seen(event) if number >> FINGERPRINT_BITS in _KEPT])
        strangers, unrelated = self.strangers, list_unrelated(event) if event.objects else set()
        if event.labels and unrelated and not self.has_list and len(strangers) < _MAX_SAMPLE:
            strangers = strangers.union(sorted(unrelated)[: _MAX_SAMPLE - len(strangers)])
        has_list = self.has_list or (not unrelated and _leads_on(event))
        return Attempts(self._add(values, 1), samples, seen, strangers, has_list)

    def without_call(self, event: BehaviourEvent) -> Attempts:
        """The attempts once a call that is among them runs after all; distinct things are counted once anyway."""
        return replace(self, sums=self._add(_count(event), -1))

    def with_denial(self) -> Attempts:
        """The attempts with an action that ran, and would have been denied in enforce mode."""
        values = [0] * COUNT
        values[_REFUSALS] = 1
        return replace(self, sums=self._add(values, 1))

    def _add(self, values: list[int], sign: int) -> tuple[int, ...]:
        pairs = zip(self.sums, ADDED, strict=True)
        return tuple([min(max(total + sign * values[at], 0), MAX_VALUE) for total, at in pairs])

    def count_strangers(self, read: frozenset[int]) -> int:
        """Count the strangers' records that were asked for, without those that were read (`SessionTally.strangers`)."""
        return len(self.strangers - read) if self.strangers else 0

    def add_to(
        self, values: tuple[int, ...], samples: Samples, seen: frozenset[int], strangers: frozenset[int]
    ) -> tuple[int, ...]:
        """A session's measures with its attempts added to what ran."""
        changed = list(values)
        for at, more in zip(ADDED, self.sums, strict=True):
            changed[at] += more
        for at, tried, touched in zip(SAMPLED, self.samples, samples, strict=True):
            changed[at] += len(tried - touched)
        changed[_STRANGERS] += self.count_strangers(strangers)
        for number in self.seen - seen:
            measure = _COUNTED_ONCE.get(number >> FINGERPRINT_BITS)
            if measure is not None:
                changed[measure] += 1
        return tuple([min(value, MAX_VALUE) for value in changed])


NO_ATTEMPTS: Final = Attempts()


def _leads_on(event: BehaviourEvent) -> bool:
    """Whether a read leads to records: a list, or what the request names and is no record of somebody itself."""
    return event.impact == Impact.READ.value and not (event.labels and event.objects)


def _count(event: BehaviourEvent) -> list[int]:
    values = [0] * COUNT
    count_action(event, values, is_read=event.impact == Impact.READ.value)
    return values


# questions that nobody answers

_MAX_QUESTIONS: Final = 32
"""Calls in each of the two sets of a session; what is asked beyond them is not counted."""
_OPEN_PER_REFUSAL: Final = 4
"""Open questions of a session that count as one refusal while it goes on: people answer some minutes later."""


class OpenQuestions(NamedTuple):
    """Calls that a policy asks about and that have not run, by their fingerprints of 32 bits.

    Args:
        asked: calls asked about since the session was folded last.
        counted: calls asked about before, which a fold counted as refusals.
        answered: how many of `counted` have run since; the next fold takes them back.
    """

    asked: frozenset[int] = frozenset()
    counted: frozenset[int] = frozenset()
    answered: int = 0

    def ask(self, call: int) -> OpenQuestions:
        """The questions with one more call; asking about the same call again adds none."""
        if len(self.asked) >= _MAX_QUESTIONS or call in self.asked or call in self.counted:
            return self
        return self._replace(asked=self.asked | {call})

    def answer(self, call: int) -> OpenQuestions:
        """The questions after a call has run."""
        if call in self.asked:
            return self._replace(asked=self.asked - {call})
        if call in self.counted:
            return self._replace(counted=self.counted - {call}, answered=self.answered + 1)
        return self

    def settle(self) -> OpenQuestions:
        """The questions once those that are open have been counted as refusals.

        INVARIANT: a fold makes room for as many new questions as a session can have, so that late ones count, too.
        If there are too many counted ones, the earlier of them are forgotten, and can no longer be taken back.
        """
        counted = self.counted | self.asked
        return OpenQuestions(frozenset(), counted if len(counted) <= _MAX_QUESTIONS else self.asked, self.answered)

    @property
    def weight(self) -> int:
        """As how many refusals the open questions count while the session goes on, rounded up."""
        return -(-len(self.asked) // _OPEN_PER_REFUSAL)


NO_QUESTIONS: Final = OpenQuestions()
