"""Room: what results spell out. Takes: a look and the words of a role's tools. Gives: nearness. Never: I/O, floats.

How closely a result says what the tool does, how many of the argument's words that the request does not hold stand
together in a result, and whether both stand beside each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from halo_core.behaviour.baseline import Baseline
from halo_core.behaviour.look import Look

__all__ = ["BITS", "TOP", "nearness", "weights"]

_WINDOW: Final = 32
_VERB_WINDOW: Final = 14
TOP: Final = 160  # sixteenths of a bit


def _bits(rate: int) -> int:
    """Surprise at something that happens `rate` thousandths of the time, in sixteenths of a bit, exactly."""
    rate = min(max(rate, 1), 1000)
    return min((1000**16 // rate**16).bit_length() - 1, TOP)


BITS: Final = tuple(_bits(rate) for rate in range(1001))


def weights(look: Look, baseline: Baseline) -> list[int]:
    """Of each word of the tool, more where few of the role's tools have it."""
    return baseline.remembered(("weights", look.words), lambda: [_weight(word, baseline) for word in look.words])


def _weight(word: str, baseline: Baseline) -> int:
    return 4 + BITS[min((baseline.words.get(word, 0) + 1) * 1000 // (baseline.tools + 1), 1000)]


def nearness(look: Look, baseline: Baseline, found: dict[str, int]) -> None:
    """What results say of the action: its words, the words of its arguments, and both together."""
    each = weights(look, baseline)
    every = sum(each) or 1
    asked = sum(w * (4 if fit == 2 else 3 * fit) // 4 for w, fit in zip(each, look.fits, strict=True))
    said = span = both = 0
    for hits in look.hits:
        if hits:
            said = max(said, _said(hits, each))
            if look.absent:
                here = _both(hits, each, every)
                span, both = max(span, here[0]), max(both, here[1])
    found["said_near"] = said * 100 // every
    found["said_gain"] = max(said - asked, 0) * 100 // every
    found["span_words"] = min(span, 40)
    found["span"] = span * 100 // look.absent if look.absent else 0
    found["span_verb"] = min(both // max(span, 1), 100) if span else 0
    found["order"] = min(both * 10 // (look.absent + 2), 1000) if look.absent else 0


def _said(hits: Sequence[tuple[int, int, bool]], weights: Sequence[int]) -> int:
    """Most weight of the tool's words in any window of `_VERB_WINDOW` words."""
    row = [(at, which) for at, which, _ in hits if which >= 0]
    best = weight = start = 0
    times = [0] * len(weights)
    for at, which in row:
        if not times[which]:
            weight += weights[which]
        times[which] += 1
        while row[start][0] <= at - _VERB_WINDOW:
            old = row[start][1]
            times[old] -= 1
            if not times[old]:
                weight -= weights[old]
            start += 1
        if weight > best:  # noqa: PLR1730  `max` takes longer than all the rest
            best = weight
    return best


def _both(hits: Sequence[tuple[int, int, bool]], weights: Sequence[int], every: int) -> tuple[int, int]:
    """Most argument words in any window of `_WINDOW` words, and their product with the weight of the tool's words."""
    span = both = start = weight = words = 0
    times: dict[int, int] = {}
    for at, which, _ in hits:
        count = times.get(which, 0)
        times[which] = count + 1
        if not count:
            if which >= 0:
                weight += weights[which]
            else:
                words += 1
        while hits[start][0] <= at - _WINDOW:
            old = hits[start][1]
            times[old] -= 1
            if not times[old]:
                if old >= 0:
                    weight -= weights[old]
                else:
                    words -= 1
            start += 1
        if words:
            if words > span:  # noqa: PLR1730  `max` takes longer than all the rest
                span = words
            if words * weight > both:  # noqa: PLR1730  `max` takes longer than all the rest
                both = words * weight
    return span, both * 100 // every
