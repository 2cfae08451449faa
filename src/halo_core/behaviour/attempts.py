"""What the calls of a session that did not run would have added to it.

Limits and windows count what happened. Drift is about how an agent works, whether its calls run, as in observe mode, or
are asked about, so it compares measures with these attempts added. Otherwise an unchanged agent would seem to do less
from the day on which `enforce` stops some of its calls.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from halo_core.behaviour.counting import NO_SAMPLES, SAMPLED, Samples, count_action, count_distinct
from halo_core.behaviour.event import FINGERPRINT_BITS, BehaviourEvent
from halo_core.behaviour.measures import COUNT, INDEX, MAX_VALUE
from halo_core.behaviour.seen import SeenKind, list_seen
from halo_core.model import Impact

ADDED: Final = tuple(
    INDEX[name]
    for name in "actions reads acts sends payments removals unrelated_acts bytes_out labelled_reads refusals".split()
)
"""Measures to which each attempt adds; of the others, distinct things are counted."""
_READS, _ACTS, _REFUSALS = (INDEX[name] for name in ("reads", "acts", "refusals"))
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
    """

    sums: tuple[int, ...] = (0,) * len(ADDED)
    samples: Samples = NO_SAMPLES
    seen: frozenset[int] = frozenset()

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
        return Attempts(self._add(values, 1), samples, seen)

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

    def add_to(self, values: tuple[int, ...], samples: Samples, seen: frozenset[int]) -> tuple[int, ...]:
        """A session's measures with its attempts, given what of it ran."""
        changed = list(values)
        for at, more in zip(ADDED, self.sums, strict=True):
            changed[at] += more
        for at, tried, touched in zip(SAMPLED, self.samples, samples, strict=True):
            changed[at] += len(tried - touched)
        for number in self.seen - seen:
            measure = _COUNTED_ONCE.get(number >> FINGERPRINT_BITS)
            if measure is not None:
                changed[measure] += 1
        return tuple([min(value, MAX_VALUE) for value in changed])


NO_ATTEMPTS: Final = Attempts()


def _count(event: BehaviourEvent) -> list[int]:
    values = [0] * COUNT
    count_action(event, values, is_read=event.impact == Impact.READ.value)
    return values
