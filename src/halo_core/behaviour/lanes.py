"""Room: trees read all at once. Takes: tables of trees. Gives: leaves, and what led to them. Never: I/O, floats, numpy.

Walking 300 trees takes some two thousand steps of Python. Instead each leaf of every tree has a bit in one long
integer, a tree's leaves side by side from left to right in a lane. A node's condition, where it does not hold, takes
the bits of its left branch away; what is left in a lane is headed, from the low end, by the leaf that a walk ends at.
The bits that a feature takes away depend only on how many of its limits lie below its value, so there is one mask for
each such number, made once. What the leaves are worth is summed bit by bit: for each bit of their values there is one
long integer of the leaves that have it, so that counting ones adds it up over all trees at once. INVARIANT: REPLAY -
the leaves are those that a walk finds, exactly (QuickScorer, Lucchese et al., SIGIR 2015, in whole numbers).
"""

from __future__ import annotations

import operator
import struct
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

__all__ = ["Lanes", "Shares", "laned", "shared"]

_MOST_BYTES: Final = 32_000_000  # of masks, and of shares: a forest that needs more is walked
_WIDE: Final = {32: "I", 64: "Q"}
_MOST_LEAVES: Final = max(_WIDE)

Cut = tuple[int, tuple[int, ...], tuple[int, ...]]
Condition = tuple[int, int]
"""Feature and limit."""
Way: TypeAlias = "tuple[int, int, Way] | None"
"""Node, next node, and the way to the first of them."""
Leaf = tuple[int, Way]
Tree = tuple[tuple[Leaf, ...], dict[Condition, int]]
"""Leaves from left to right; of each condition, those on its left, which go where a value is above the limit."""


@dataclass(frozen=True)
class Lanes:
    """A forest in lanes.

    Args:
        full: all leaves.
        ones: the first leaf of each lane.
        cuts: of each feature, its limits in order, and what is left once so many of them lie below its value.
        form: how the lanes are unpacked.
        leaves: of each tree, its leaves from left to right.
        least: what all trees are worth at least, each at the least of its leaves.
        planes: of each bit, from the lowest, the leaves that have it in what they are worth above that.
    """

    full: int
    ones: int
    cuts: tuple[Cut, ...]
    form: struct.Struct
    leaves: tuple[tuple[Leaf, ...], ...]
    least: int
    planes: tuple[int, ...]

    def ends(self, picked: Sequence[int]) -> tuple[int, ...]:
        """Bit of the leaf that each tree's walk ends at, for these values of its features."""
        return self.form.unpack(self._ends(picked).to_bytes(self.form.size, "little"))

    def margin(self, picked: Sequence[int]) -> int:
        """Sum of the leaves' values."""
        ends = self._ends(picked)
        total = self.least
        for bit, plane in enumerate(self.planes):
            total += (ends & plane).bit_count() << bit
        return total

    def _ends(self, picked: Sequence[int]) -> int:
        left = self.full
        for slot, limits, masks in self.cuts:
            below = bisect_left(limits, picked[slot])
            if below:
                left &= masks[below]
        # The lowest bit of each lane: no lane is empty, so that nothing is borrowed from the next one.
        return left & ~(left - self.ones)


@dataclass(frozen=True)
class Shares:
    """What each leaf says of the features that led to it: numbers side by side in one integer for each leaf.

    Args:
        lanes: of the forest.
        nodes: its table.
        means: what each node is worth.
        bias: what is added to each number, so that none is below zero.
        width: bits of each.
        form: how a sum of them is unpacked.
        tables: of each tree, bit of a leaf → its numbers, once somebody asked.
    """

    lanes: Lanes
    nodes: Sequence[int]
    means: Mapping[int, int]
    bias: int
    width: int
    form: struct.Struct
    tables: tuple[dict[int, int], ...]

    def of(self, picked: Sequence[int]) -> list[int]:
        """How far each feature moved the margin."""
        ends = self.lanes.ends(picked)
        try:
            total = sum(map(operator.getitem, self.tables, ends))
        except KeyError:
            self._learn(ends)
            total = sum(map(operator.getitem, self.tables, ends))
        every = self.bias * len(self.tables)
        return [part - every for part in self.form.unpack(total.to_bytes(self.form.size, "little"))]

    def _learn(self, ends: Sequence[int]) -> None:
        slots = self.form.size * 8 // self.width
        lifted = sum(self.bias << self.width * slot for slot in range(slots))
        for table, leaves, bit in zip(self.tables, self.lanes.leaves, ends, strict=True):
            if bit not in table:
                moved = _moved(self.nodes, self.means, leaves[bit.bit_length() - 1][1])
                table[bit] = lifted + sum(much << self.width * slot for slot, much in moved.items())


def laned(nodes: Sequence[int], roots: Sequence[int]) -> Lanes | None:
    """The lanes of a forest; None for one that is too large for them, or has trees of more than 64 leaves."""
    trees = [tree for root in roots if (tree := _tree(nodes, root)) is not None]
    if not trees or len(trees) < len(roots):
        return None
    most = max(len(leaves) for leaves, _ in trees)
    width = min(wide for wide in _WIDE if wide >= most)
    removed: dict[Condition, int] = {}
    for number, (_, left) in enumerate(trees):
        for condition, bits in left.items():
            removed[condition] = removed.get(condition, 0) | bits << number * width
    if len(removed) * len(trees) * width // 8 > _MOST_BYTES:
        return None
    full = sum((1 << len(leaves)) - 1 << number * width for number, (leaves, _) in enumerate(trees))
    ones = sum(1 << number * width for number in range(len(trees)))
    form = struct.Struct(f"<{len(trees)}{_WIDE[width]}")
    values = [[nodes[node + 1] for node, _ in leaves] for leaves, _ in trees]
    cuts, leaves = _cuts(removed, full), tuple(leaves for leaves, _ in trees)
    return Lanes(full, ones, cuts, form, leaves, sum(map(min, values)), _planes(values, form))


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
    inner = (at for at in range(0, len(nodes), 3) if nodes[at] >= 0)
    steps = (abs(means[after] - means[at]) for at in inner for after in (at + 3, nodes[at + 2]))
    bias = _MOST_LEAVES * max(steps, default=0)  # no way has as many steps
    # Twice the bias for each tree is the most that a sum can come to.
    width = next((wide for wide in _WIDE if 2 * bias * len(lanes.leaves) < 1 << wide), 0)
    if not width:
        return None
    form = struct.Struct(f"<{slots}{_WIDE[width]}")
    return Shares(lanes, nodes, means, bias, width, form, tuple({} for _ in lanes.leaves))


def _moved(nodes: Sequence[int], means: Mapping[int, int], way: Way) -> dict[int, int]:
    found: dict[int, int] = {}
    while way is not None:
        node, after, way = way
        found[nodes[node]] = found.get(nodes[node], 0) + means[after] - means[node]
    return found


def _tree(nodes: Sequence[int], root: int) -> Tree | None:
    """A tree, None where it has too many leaves."""
    leaves: list[Leaf] = []
    left: dict[Condition, int] = {}
    waiting: list[tuple[int, Way, Condition | None, int]] = [(root, None, None, 0)]
    while waiting:
        at, way, condition, first = waiting.pop()
        if condition is not None:  # a right branch: what came since is the left one
            left[condition] = left.get(condition, 0) | (1 << len(leaves)) - (1 << first)
        if nodes[at] < 0:
            leaves.append((at, way))
        else:
            right = nodes[at + 2]
            waiting.append((right, (at, right, way), (nodes[at], nodes[at + 1]), len(leaves)))
            waiting.append((at + 3, (at, at + 3, way), None, 0))
        if len(leaves) + len(waiting) > _MOST_LEAVES:
            return None
    return tuple(leaves), left


def _cuts(removed: Mapping[Condition, int], full: int) -> tuple[Cut, ...]:
    cuts = []
    for slot in sorted({slot for slot, _ in removed}):
        limits = sorted(limit for other, limit in removed if other == slot)
        masks = [full]
        for limit in limits:
            masks.append(masks[-1] & ~removed[slot, limit])
        cuts.append((slot, tuple(limits), tuple(masks)))
    return tuple(cuts)


def _planes(values: Sequence[Sequence[int]], form: struct.Struct) -> tuple[int, ...]:
    bits = max(max(row) - min(row) for row in values).bit_length() or 1
    lanes = []
    for row in values:
        least = min(row)
        written = [f"{value - least:0{bits}b}" for value in reversed(row)]
        lanes.append([int("".join(column), 2) for column in zip(*written, strict=True)])
    return tuple(int.from_bytes(form.pack(*plane), "little") for plane in zip(*lanes, strict=True))[::-1]
