"""The axes along which agents differ, computed from identities' sessions, in integers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from halo_core.risk.drift import HABITS, UNIT, WAY_WEIGHT, DriftAxes, DriftMonitor, compute_distance, fit_reference
from halo_core.training.metrics import Floats
from halo_studies.drift.streams import Pool, Stream

__all__ = ["KEEPS", "axes_of", "limits_of", "with_limits"]

KEEPS: Final = (640, 900, 980)
"""Smoothings: 1024 - 640 of the newest session, and a slower one."""
_AXES: Final = 4
_RIDGE: Final = 0.1


def axes_of(pools: Sequence[Pool], number: int = _AXES) -> DriftAxes:
    """Directions that separate agents at the same task most, against how much one agent varies (Fisher)."""
    within = np.zeros((len(HABITS), len(HABITS)))
    between = np.zeros_like(within)
    every = count = 0
    for suite in sorted({pool.suite for pool in pools}):
        means: dict[str, list[Floats]] = {}
        for pool in pools:
            if pool.suite != suite:
                continue
            for task, points in pool.tasks.items():
                rows = np.array([point.habits for point in points], float)
                if len(rows) < 2:
                    continue
                within += (rows - rows.mean(0)).T @ (rows - rows.mean(0))
                every += len(rows) - 1
                means.setdefault(task, []).append(rows.mean(0))
        for found in means.values():
            rows = np.array(found)
            between += (rows - rows.mean(0)).T @ (rows - rows.mean(0))
            count += len(rows) - 1
    within, between = within / max(every, 1), between / max(count, 1)
    scale = np.sqrt(np.diag(within)) + 1.0
    within, between = within / np.outer(scale, scale), between / np.outer(scale, scale)
    within += _RIDGE * np.eye(len(HABITS))
    values, vectors = np.linalg.eigh(within)
    white = vectors / np.sqrt(values)
    strength, turned = np.linalg.eigh(white.T @ between @ white)
    best = (white @ turned)[:, np.argsort(-strength)[:number]] / scale[:, None]
    rows = tuple(tuple(int(weight) for weight in row) for row in np.round(best.T * UNIT).astype(int))
    return DriftAxes(rows, KEEPS, (1,) * len(KEEPS), (1,) * len(KEEPS))


def limits_of(axes: DriftAxes, null: Sequence[Stream], share: float, *, is_joint: bool) -> tuple[int, ...]:
    """Limits at which a share of the null streams raises an alarm, every smoothing as readily as the other."""
    peaks = np.array([_peaks(axes, stream, is_joint=is_joint) for stream in null])
    ranks = (peaks.argsort(0).argsort(0) + 1) / len(peaks)
    cut = np.quantile(ranks.max(1), 1 - share, method="higher")
    return tuple(int(np.quantile(column, min(cut, 1.0), method="higher")) + 1 for column in peaks.T)


def _peaks(axes: DriftAxes, stream: Stream, *, is_joint: bool) -> list[int]:
    reference = fit_reference(axes, stream.reference, is_joint=is_joint)
    watch, peaks = DriftMonitor(), [0] * len(axes.keeps)
    for session in stream.after:
        watch = watch.advance(axes, reference, session, way_weight=WAY_WEIGHT if is_joint else UNIT)
        for at, (means, keep) in enumerate(zip(watch.means, axes.keeps, strict=True)):
            peaks[at] = max(peaks[at], compute_distance(reference, means, keep, watch.count))
    return peaks


def with_limits(axes: DriftAxes, null: Sequence[Stream], share: float) -> DriftAxes:
    """Axes with their limits set by null streams."""
    alone, jointly = (limits_of(axes, null, share, is_joint=is_joint) for is_joint in (False, True))
    return DriftAxes(axes.rows, axes.keeps, alone, jointly)
