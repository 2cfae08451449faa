"""Room: places of an SVG chart, so that nothing overlaps. Takes: a scene. Gives: coordinates in pixels. Never: I/O.

How wide a text is nobody can say before it is set: its letters are counted, a little on the safe side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from halo_core.cli.scene import Scene
from halo_core.cli.words import percent

__all__ = ["LEFT", "PLOT", "WIDTH", "across", "apart", "heads", "lanes", "wide"]

WIDTH: Final = 960
LEFT: Final = 76
PLOT: Final = 648
_LETTER: Final = 6.9  # at 12 px
_LANES: Final = 4


def across(x: float, scene: Scene) -> float:
    """Where a place on the scene's axis lies."""
    return LEFT + x / scene.width * PLOT


def wide(text: str) -> float:
    """About how wide a text is."""
    return len(text) * _LETTER


def heads(scene: Scene) -> tuple[list[tuple[float, str, str, int]], int]:
    """Labels over the plot as (x, text, class, row), and how many rows they take."""
    told = [
        (
            across(x, scene),
            f"epoch {item.epoch}" + (f", re-authorized by {item.approver}" if item.approver else ""),
            "epoch",
        )
        for x, item in scene.epochs
    ]
    late = f", {scene.late} later" if scene.late else ""
    told.append((across(scene.now[0], scene), f"now{late}: {percent(scene.now[1])}", "ink"))
    rows: list[list[tuple[float, float]]] = []
    placed = []
    for x, text, name in told:
        half = wide(text) / 2
        middle = min(max(x, LEFT + half), LEFT + PLOT + 60 - half)
        span = (middle - half - 8, middle + half + 8)
        row = next((n for n, taken in enumerate(rows) if all(span[0] > b or span[1] < a for a, b in taken)), len(rows))
        if row == len(rows):
            rows.append([])
        rows[row].append(span)
        placed.append((middle, text, name, row))
    return placed, len(rows)


def lanes(scene: Scene) -> list[tuple[float, float, str, bool, int]]:
    """Hand-offs under the axis as (from, to, label, label to the right, lane)."""
    ends = [0.0] * _LANES
    placed = []
    for since, until, item in scene.given:
        label = f"{item.agent}, {'handed back' if item.until is not None else 'acts for it'}"
        a, b = across(since, scene), max(across(until, scene), across(since, scene) + 4)
        right = b + 8 + wide(label) < WIDTH - 8
        start, end = (a, b + 8 + wide(label)) if right else (a - 8 - wide(label), b)
        lane = next((n for n, taken in enumerate(ends) if taken + 8 < start), None)
        if lane is not None:
            ends[lane] = end
            placed.append((a, b, label, right, lane))
    return placed


def apart(wanted: Sequence[float], gap: float, lowest: float) -> list[float]:
    """Places from the top down, each at least `gap` below the one before, none below `lowest`."""
    placed: list[float] = []
    for y in wanted:
        placed.append(max(y, placed[-1] + gap) if placed else y)
    for n in range(len(placed) - 1, -1, -1):
        most = lowest if n == len(placed) - 1 else placed[n + 1] - gap
        placed[n] = min(placed[n], most)
    return placed
