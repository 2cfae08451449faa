"""Pairs of the same step, in a small and in a large store, timed in turns: `compare`."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

__all__ = ["compare", "quantile"]

_BLOCKS: Final = 5


def compare(small: Callable[[], object], large: Callable[[], object], *, rounds: int, seed: int = 0) -> dict[str, Any]:
    """Time two steps in random order, one after the other.

    Args:
        small: the step where little has accumulated.
        large: the same where much has.
        rounds: how often each is timed.
        seed: of the order.

    Returns:
        By side p50 and p99 of the wall time and p50 of this thread's CPU, in µs; and the ratios of the large side to
        the small one, with the lowest and highest of five blocks for the CPU.
    """
    draw = random.Random(seed)
    steps = {"small": small, "large": large}
    wall: dict[str, list[float]] = {name: [] for name in steps}
    cpu: dict[str, list[list[float]]] = {name: [[] for _ in range(_BLOCKS)] for name in steps}
    for number in range(rounds):
        for name in draw.sample(list(steps), len(steps)):
            begun, cpu_begun = time.perf_counter_ns(), time.thread_time_ns()
            steps[name]()
            cpu[name][number * _BLOCKS // rounds].append((time.thread_time_ns() - cpu_begun) / 1000)
            wall[name].append((time.perf_counter_ns() - begun) / 1000)
    found: dict[str, Any] = {
        name: {
            "p50_us": round(statistics.median(wall[name]), 1),
            "p99_us": round(quantile(wall[name], 0.99), 1),
            "cpu_us": round(statistics.median(value for block in cpu[name] for value in block), 1),
        }
        for name in steps
    }
    ratios = [
        round(statistics.median(after) / statistics.median(before), 2)
        for after, before in zip(cpu["large"], cpu["small"], strict=True)
        if after and before
    ]
    found["ratio"] = {
        name: round(found["large"][name] / found["small"][name], 2) for name in ("p50_us", "p99_us", "cpu_us")
    }
    found["ratio"]["cpu_blocks"] = [min(ratios), max(ratios)]
    return found


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the values lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
