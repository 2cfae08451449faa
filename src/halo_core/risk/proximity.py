"""Proximity in results: how closely a result spells out an action, and how much of the request surrounds it there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from halo_core.risk.baseline import Baseline
from halo_core.risk.observation import ActionObservation
from halo_core.risk.relation import SURPRISE_BITS

_WINDOW: Final = 32
_VERB_WINDOW: Final = 14


def weigh_tool_words(observation: ActionObservation, baseline: Baseline) -> list[int]:
    """Weights of the tool's words, higher where few of the role's tools have the word."""
    return baseline.memoize(
        ("weights", observation.words), lambda: [_weigh_word(word, baseline) for word in observation.words]
    )


def _weigh_word(word: str, baseline: Baseline) -> int:
    return 4 + SURPRISE_BITS[min((baseline.word_counts.get(word, 0) + 1) * 1000 // (baseline.tool_count + 1), 1000)]


def measure_proximity(observation: ActionObservation, baseline: Baseline, features: dict[str, int], key: bytes) -> None:
    """How closely results spell out the action: its words, the words of its arguments, and both together."""
    word_weights = weigh_tool_words(observation, baseline)
    total_weight = sum(word_weights) or 1
    request_weight = sum(
        w * (4 if match == 2 else 3 * match) // 4
        for w, match in zip(word_weights, observation.request_matches, strict=True)
    )
    result_weight = span = both = 0
    for hits in observation.hits:
        if hits:
            result_weight = max(result_weight, _best_verb_window(hits, word_weights))
            if observation.absent_word_count:
                here = _best_joint_window(hits, word_weights, total_weight)
                span, both = max(span, here[0]), max(both, here[1])
    features["said_near"] = result_weight * 100 // total_weight
    features["said_gain"] = max(result_weight - request_weight, 0) * 100 // total_weight
    features["span_words"] = min(span, 40)
    features["span"] = span * 100 // observation.absent_word_count if observation.absent_word_count else 0
    features["span_verb"] = min(both // max(span, 1), 100) if span else 0
    features["topic_span"] = (
        MAX_TOPIC if observation.span_words is None else weigh_topic(observation.span_words, baseline, key)
    )
    order = both * 10 // (observation.absent_word_count + 2) if observation.absent_word_count else 0
    features["order"] = min(order, 1000)


def _best_verb_window(hits: Sequence[tuple[int, int, bool]], weights: Sequence[int]) -> int:
    """Most weight of the tool's words in any window of `_VERB_WINDOW` words."""
    row = [(position, which) for position, which, _ in hits if which >= 0]
    best = weight = start = 0
    times = [0] * len(weights)
    for position, which in row:
        if not times[which]:
            weight += weights[which]
        times[which] += 1
        while row[start][0] <= position - _VERB_WINDOW:
            old = row[start][1]
            times[old] -= 1
            if not times[old]:
                weight -= weights[old]
            start += 1
        if weight > best:  # noqa: PLR1730  `max` takes longer than all the rest
            best = weight
    return best


def _best_joint_window(
    hits: Sequence[tuple[int, int, bool]], weights: Sequence[int], total_weight: int
) -> tuple[int, int]:
    """Most argument words in any window of `_WINDOW` words, and their product with the weight of the tool's words."""
    span = both = start = weight = words = 0
    times: dict[int, int] = {}
    for position, which, _ in hits:
        count = times.get(which, 0)
        times[which] = count + 1
        if not count:
            if which >= 0:
                weight += weights[which]
            else:
                words += 1
        while hits[start][0] <= position - _WINDOW:
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
    return span, both * 100 // total_weight


MAX_TOPIC: Final = 400  # sixteenths of a bit


def weigh_topic(words: frozenset[int], baseline: Baseline, key: bytes) -> int:
    """How much words of the request say about this task: the rarer in other tasks' requests, the more."""
    return min(baseline.weigh_request_words(words, key), MAX_TOPIC) if words else 0
