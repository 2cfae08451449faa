"""What one action adds to a session: to its measures, and to its samples of distinct things.

Distinct things are counted exactly up to the size of a sample, and beyond it by the k smallest fingerprints (KMV:
Bar-Yossef et al., Counting Distinct Elements in a Data Stream, 2002). A sample holds fingerprints of 32 bits.
"""

from __future__ import annotations

from typing import Final

from halo_core.behaviour.event import BehaviourEvent, shorten_fingerprint
from halo_core.behaviour.measures import INDEX
from halo_core.model import Impact

MASK_32: Final = 2**32 - 1
Samples = tuple[frozenset[int], ...]
"""Samples of distinct objects, unrelated objects, persons, destinations, destinations outside, and objects that the
request names, in this order."""

_SAMPLED: Final = ("objects", "unrelated", "persons", "destinations", "outside", "requested")
_SAMPLE_SIZES: Final = (96, 96, 48, 48, 48, 48)
UNRELATED_SAMPLE: Final = 1
"""Place of unrelated objects among the samples."""
_OBJECTS, _UNRELATED, _PERSONS, _DESTINATIONS, _OUTSIDE, _REQUESTED = range(6)
NO_SAMPLES: Final[Samples] = (frozenset(),) * len(_SAMPLED)
SAMPLED: Final = tuple(INDEX[name] for name in _SAMPLED)
"""Measures of the samples, in their order."""
_ACTIONS, _READS, _ACTS, _SENDS = (INDEX[name] for name in ("actions", "reads", "acts", "sends"))
_PAYMENTS, _REMOVALS, _GRAVE = (INDEX[name] for name in ("payments", "removals", "grave"))
_BYTES_OUT, _LABELLED_READS, _SESSION_RISK = (INDEX[name] for name in ("bytes_out", "labelled_reads", "session_risk"))
_AMOUNT_SUM, _AMOUNT_LARGEST = INDEX["amount_sum"], INDEX["amount_largest"]
_UNRELATED_ACTS, _UNRELATED_PAYMENTS = INDEX["unrelated_acts"], INDEX["unrelated_payments"]
_SEND: Final = Impact.SEND.value
_TELLING: Final = frozenset((_SEND, Impact.UNKNOWN.value))
_MEASURE_OF_IMPACT: Final = {
    _SEND: _SENDS,
    Impact.PAYMENT.value: _PAYMENTS,
    Impact.DELETE.value: _REMOVALS,
    Impact.ADMIN.value: _GRAVE,
    Impact.EXECUTE.value: _GRAVE,
    Impact.UNKNOWN.value: _GRAVE,
}


def count_action(event: BehaviourEvent, values: list[int], *, is_read: bool) -> None:
    """Add an action to the measures that follow from it alone.

    Args:
        event: the action.
        values: one for each of `MEASURES`; changed in place.
        is_read: its impact is a read.
    """
    values[_ACTIONS] += 1
    values[_READS if is_read else _ACTS] += 1
    measure = _MEASURE_OF_IMPACT.get(event.impact)
    if measure is not None:
        values[measure] += 1
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


def count_distinct(event: BehaviourEvent, values: list[int], samples: Samples) -> Samples:
    """The samples, with what an action touches and reaches added; raises the measures of distinct things in place."""
    changed = list(samples)
    touched: tuple[list[int], ...] = ([], [], [], [], [], [])
    # The 32 low bits of `shorten_fingerprint`, written out to save a call for each object.
    for item in event.objects:
        number = (item.fingerprint ^ item.fingerprint >> 64) & MASK_32
        # What the request names one by one is no deviation: it is counted apart.
        touched[_REQUESTED if item.is_requested else _OBJECTS].append(number)
        if not item.is_related and not item.is_requested:
            touched[_UNRELATED].append(number)
        if item.is_person:
            touched[_PERSONS].append(number)
    for place in event.destinations:
        number = (place.fingerprint ^ place.fingerprint >> 64) & MASK_32
        touched[_DESTINATIONS].append(number)
        if not place.is_own and not place.is_vouched:
            touched[_OUTSIDE].append(number)
    for which, numbers in enumerate(touched):
        if numbers and not changed[which].issuperset(numbers):
            at, every = SAMPLED[which], changed[which].union(numbers)
            if len(every) <= _SAMPLE_SIZES[which]:
                changed[which], values[at] = every, max(values[at], len(every))
            else:
                changed[which], values[at] = _keep_smallest(every, values[at], _SAMPLE_SIZES[which])
    return tuple(changed)


def list_unrelated(event: BehaviourEvent) -> set[int]:
    """Fingerprints, as in the samples, of the objects that the request neither names nor leads to."""
    unrelated = [item for item in event.objects if not item.is_related and not item.is_requested]
    return {shorten_fingerprint(item.fingerprint) & MASK_32 for item in unrelated}


def tells_of_strangers(event: BehaviourEvent, labelled: frozenset[int]) -> bool:
    """Whether a message tells of somebody whom the request has nothing to do with.

    Args:
        event: the action.
        labelled: fingerprints of the unrelated objects whose labelled data the session has read.
    """
    if event.impact not in _TELLING or not labelled:
        return False
    places = {place.fingerprint for place in event.destinations}
    unrelated = [item for item in event.objects if not item.is_related and not item.is_requested]
    return any(
        (item.is_person and item.fingerprint not in places)
        or shorten_fingerprint(item.fingerprint) & MASK_32 in labelled
        for item in unrelated
    )


def _keep_smallest(every: frozenset[int], count: int, size: int) -> tuple[frozenset[int], int]:
    """The smallest of more fingerprints than a sample holds, and the estimated number of distinct ones.

    Args:
        every: the fingerprints of the full sample and of what is new.
        count: the number so far; the estimate never falls below it.
        size: size of the sample.
    """
    smallest = sorted(every)[:size]
    return frozenset(smallest), max(count, (size - 1) * 2**32 // max(smallest[-1], 1), size)
