"""Room: trees read all at once. Takes: tables of trees. Gives: leaves, and what led to them. Never: I/O, floats, numpy.

Walking 300 trees takes some two thousand steps of Python. Instead each leaf of every tree has a bit in one long
integer, a tree's leaves side by side from left to right in a lane. A node's condition, where it does not hold, takes
the bits of its left branch away; what is left in a lane is headed, from the low end, by the leaf that a walk ends at.
The bits that a feature takes away depend only on how many of its limits lie below its value, so there is one mask for
each such number, made once. INVARIANT: REPLAY - the leaves are those that a walk finds, exactly (QuickScorer, Lucchese
et al., SIGIR 2015, in whole numbers).
"""

from __future__ import annotations

import operator
import struct
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["Lanes", "Shares", "laned", "shared"]

_MOST_BYTES: Final = 32_000_000  # of masks, and of shares: a forest that needs more is walked
_WIDE: Final = {32: "I", 64: "Q"}

Cut = tuple[int, tuple[int, ...], tuple[int, ...]]
Leaf = tuple[int, tuple[tuple[int, int], ...]]
"""Node of a leaf, and (node, next node) on the way there."""


@dataclass(frozen=True)
class Lanes:
    """A forest in lanes.

    Args:
        full: all leaves.
        ones: the first leaf of each lane.
        cuts: of each feature, its limits in order, and what is left once so many of them lie below its value.
        form: how the lanes are unpacked.
        leaves: of each tree, its leaves from left to right.
        values: of each tree, bit of a leaf → its value.
    """

    full: int
    ones: int
    cuts: tuple[Cut, ...]
    form: struct.Struct
    leaves: tuple[tuple[Leaf, ...], ...]
    values: tuple[dict[int, int], ...]

    def ends(self, picked: Sequence[int]) -> tuple[int, ...]:
        """Bit of the leaf that each tree's walk ends at, for these values of its features."""
        left = self.full
        for slot, limits, masks in self.cuts:
            below = bisect_left(limits, picked[slot])
            if below:
                left &= masks[below]
        # The lowest bit of each lane: no lane is empty, so that nothing is borrowed from the next one.
        return self.form.unpack((left & ~(left - self.ones)).to_bytes(self.form.size, "little"))

    def margin(self, picked: Sequence[int]) -> int:
        """Sum of the leaves' values."""
        return sum(map(operator.getitem, self.values, self.ends(picked)))


@dataclass(frozen=True)
class Shares:
    """What each leaf says of the features that led to it: numbers side by side in one integer for each leaf.

    Args:
        lanes: of the forest.
        bias: what was added to each number, so that none is below zero.
        form: how a sum of them is unpacked.
        tables: of each tree, bit of a leaf → its numbers.
    """

    lanes: Lanes
    bias: int
    form: struct.Struct
    tables: tuple[dict[int, int], ...]

    def of(self, picked: Sequence[int]) -> list[int]:
        """How far each feature moved the margin."""
        total = sum(map(operator.getitem, self.tables, self.lanes.ends(picked)))
        every = self.bias * len(self.tables)
        return [part - every for part in self.form.unpack(total.to_bytes(self.form.size, "little"))]


def laned(nodes: Sequence[int], roots: Sequence[int]) -> Lanes | None:
    """The lanes of a forest; None for one that is too large for them, or has trees of more than 64 leaves."""
    trees = [_leaves(nodes, root) for root in roots]
    most = max(map(len, trees), default=0)
    if not 0 < most <= max(_WIDE) or not all(trees):
        return None
    width = min(wide for wide in _WIDE if wide >= most)
    removed: dict[tuple[int, int], int] = {}
    for number, leaves in enumerate(trees):
        for (slot, limit), bits in _left(nodes, leaves).items():
            removed[slot, limit] = removed.get((slot, limit), 0) | bits << number * width
    if len(removed) * len(trees) * width // 8 > _MOST_BYTES:
        return None
    full = sum((1 << len(leaves)) - 1 << number * width for number, leaves in enumerate(trees))
    ones = sum(1 << number * width for number in range(len(trees)))
    form = struct.Struct(f"<{len(trees)}{_WIDE[width]}")
    values = tuple({1 << at: nodes[node + 1] for at, (node, _) in enumerate(leaves)} for leaves in trees)
    return Lanes(full, ones, _cuts(removed, full), form, tuple(trees), values)


def shared(lanes: Lanes, nodes: Sequence[int], slots: int, means: Mapping[int, int]) -> Shares | None:
    """What each leaf says of the features; None for a forest that is too large.

    Args:
        lanes: of the forest.
        nodes: its table.
        slots: features that it reads.
        means: what each node is worth.
    """
    if sum(map(len, lanes.leaves)) * slots * 8 > _MOST_BYTES:
        return None
    rows = [[_moved(nodes, means, way) for _, way in leaves] for leaves in lanes.leaves]
    bias = max((abs(much) for row in rows for moved in row for much in moved.values()), default=0)
    # Twice the bias for each tree is the most that a sum can come to.
    width = next((wide for wide in _WIDE if 2 * bias * len(rows) < 1 << wide), 0)
    if not width:
        return None
    lifted = sum(bias << width * slot for slot in range(slots))
    tables = tuple(
        {1 << at: lifted + sum(much << width * slot for slot, much in moved.items()) for at, moved in enumerate(row)}
        for row in rows
    )
    return Shares(lanes, bias, struct.Struct(f"<{slots}{_WIDE[width]}"), tables)


def _moved(nodes: Sequence[int], means: Mapping[int, int], way: Sequence[tuple[int, int]]) -> dict[int, int]:
    found: dict[int, int] = {}
    for node, after in way:
        found[nodes[node]] = found.get(nodes[node], 0) + means[after] - means[node]
    return found


def _leaves(nodes: Sequence[int], root: int) -> tuple[Leaf, ...]:
    """Leaves of a tree from left to right, none where there are too many."""
    found: list[Leaf] = []
    waiting: list[Leaf] = [(root, ())]
    while waiting:
        at, way = waiting.pop()
        if nodes[at] < 0:
            found.append((at, way))
        else:
            waiting += [(nodes[at + 2], (*way, (at, nodes[at + 2]))), (at + 3, (*way, (at, at + 3)))]
        if len(found) + len(waiting) > max(_WIDE):
            return ()
    return tuple(found)


def _left(nodes: Sequence[int], leaves: Sequence[Leaf]) -> dict[tuple[int, int], int]:
    """(feature, limit) → leaves on the left of such conditions, which go where a value is above the limit."""
    found: dict[tuple[int, int], int] = {}
    for at, (_, way) in enumerate(leaves):
        for node, after in way:
            if after == node + 3:
                where = nodes[node], nodes[node + 1]
                found[where] = found.get(where, 0) | 1 << at
    return found


def _cuts(removed: Mapping[tuple[int, int], int], full: int) -> tuple[Cut, ...]:
    cuts = []
    for slot in sorted({slot for slot, _ in removed}):
        limits = sorted(limit for other, limit in removed if other == slot)
        masks = [full]
        for limit in limits:
            masks.append(masks[-1] & ~removed[slot, limit])
        cuts.append((slot, tuple(limits), tuple(masks)))
    return tuple(cuts)
