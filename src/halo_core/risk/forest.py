"""Forests of decision trees as tables of integers: the same features give the same margin on every machine.

A table is flat, three integers a node: feature, limit, and where the right branch starts; the left one starts right
behind. A leaf has feature -1, and its value instead of a limit. A value goes left where it is at most the limit.

Walking 300 trees takes some two thousand steps of Python, so a forest is also evaluated all at once (QuickScorer,
Lucchese et al., SIGIR 2015, in integers): each leaf has a bit in one long integer, a tree's leaves side by side in a
lane. Where a node's condition does not hold, it clears the bits of its left branch; the lowest bit left in a lane is the
leaf that a walk ends at. The bits that a feature clears depend only on how many of its limits lie below its value, so
there is one mask for each such number. Leaf values are summed by bit planes. INVARIANT: REPLAY - the leaves are exactly
those that a walk finds.
"""

from __future__ import annotations

import operator
import struct
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

from halo_core.errors import BadInput

__all__ = [
    "UNIT",
    "Forest",
    "LeafShares",
    "QuickScorer",
    "build_leaf_shares",
    "build_quickscorer",
    "model_error",
    "require_number",
]


_MAX_TABLE_BYTES: Final = 32_000_000  # of masks, and of shares: a forest that needs more is walked
_LANE_FORMATS: Final = {32: "I", 64: "Q"}
_MAX_LEAVES: Final = max(_LANE_FORMATS)

Cut = tuple[int, tuple[int, ...], tuple[int, ...]]
Condition = tuple[int, int]
"""Feature and limit."""
Path: TypeAlias = "tuple[int, int, Path] | None"
"""Node, next node, and the way to the first of them."""
Leaf = tuple[int, Path]
Tree = tuple[tuple[Leaf, ...], dict[Condition, int]]
"""Leaves from left to right; of each condition, those on its left, which go where a value is above the limit."""


@dataclass(frozen=True)
class QuickScorer:
    """A forest in lanes.

    Args:
        all_leaves: all leaves.
        lane_starts: the first leaf of each lane.
        cuts: of each feature, its limits in order, and what is left once so many of them lie below its value.
        form: how the lanes are unpacked.
        leaves: of each tree, its leaves from left to right.
        least: what all trees are worth at least, each at the least of its leaves.
        bit_planes: of each bit, from the lowest, the leaves that have it in what they are worth above that.
    """

    all_leaves: int
    lane_starts: int
    cuts: tuple[Cut, ...]
    form: struct.Struct
    leaves: tuple[tuple[Leaf, ...], ...]
    least: int
    bit_planes: tuple[int, ...]

    def find_exit_leaves(self, picked: Sequence[int]) -> tuple[int, ...]:
        """Bit of the leaf that each tree's walk ends at, for these values of its features."""
        return self.form.unpack(self._find_exit_bits(picked).to_bytes(self.form.size, "little"))

    def compute_margin(self, picked: Sequence[int]) -> int:
        """Sum of the leaves' values."""
        ends = self._find_exit_bits(picked)
        total = self.least
        for bit, plane in enumerate(self.bit_planes):
            total += (ends & plane).bit_count() << bit
        return total

    def _find_exit_bits(self, picked: Sequence[int]) -> int:
        remaining = self.all_leaves
        for slot, limits, masks in self.cuts:
            cut_index = bisect_left(limits, picked[slot])
            if cut_index:
                remaining &= masks[cut_index]
        # The lowest bit of each lane: no lane is empty, so that nothing is borrowed from the next one.
        return remaining & ~(remaining - self.lane_starts)


@dataclass(frozen=True)
class LeafShares:
    """What each leaf says of the features that led to it: numbers side by side in one integer for each leaf.

    Args:
        scorer: of the forest.
        nodes: its table.
        means: what each node is worth.
        bias: what is added to each number, so that none is below zero.
        width: bits of each.
        form: how a sum of them is unpacked.
        tables: of each tree, bit of a leaf → its numbers, once somebody asked.
    """

    scorer: QuickScorer
    nodes: Sequence[int]
    means: Mapping[int, int]
    bias: int
    width: int
    form: struct.Struct
    tables: tuple[dict[int, int], ...]

    def compute_shares(self, picked: Sequence[int]) -> list[int]:
        """How far each feature moved the margin."""
        ends = self.scorer.find_exit_leaves(picked)
        try:
            total = sum(map(operator.getitem, self.tables, ends))
        except KeyError:
            self._fill_tables(ends)
            total = sum(map(operator.getitem, self.tables, ends))
        total_bias = self.bias * len(self.tables)
        return [part - total_bias for part in self.form.unpack(total.to_bytes(self.form.size, "little"))]

    def _fill_tables(self, ends: Sequence[int]) -> None:
        slots = self.form.size * 8 // self.width
        lifted = sum(self.bias << self.width * slot for slot in range(slots))
        for table, leaves, bit in zip(self.tables, self.scorer.leaves, ends, strict=True):
            if bit not in table:
                moved = _sum_moves(self.nodes, self.means, leaves[bit.bit_length() - 1][1])
                table[bit] = lifted + sum(amount << self.width * slot for slot, amount in moved.items())


def build_quickscorer(nodes: Sequence[int], roots: Sequence[int]) -> QuickScorer | None:
    """The lanes of a forest; None for one that is too large for them, or has trees of more than 64 leaves."""
    trees = [tree for root in roots if (tree := _read_tree(nodes, root)) is not None]
    if not trees or len(trees) < len(roots):
        return None
    most = max(len(leaves) for leaves, _ in trees)
    width = min(wide for wide in _LANE_FORMATS if wide >= most)
    removed: dict[Condition, int] = {}
    for number, (_, left_leaves) in enumerate(trees):
        for condition, bits in left_leaves.items():
            removed[condition] = removed.get(condition, 0) | bits << number * width
    if len(removed) * len(trees) * width // 8 > _MAX_TABLE_BYTES:
        return None
    full = sum((1 << len(leaves)) - 1 << number * width for number, (leaves, _) in enumerate(trees))
    ones = sum(1 << number * width for number in range(len(trees)))
    form = struct.Struct(f"<{len(trees)}{_LANE_FORMATS[width]}")
    values = [[nodes[node + 1] for node, _ in leaves] for leaves, _ in trees]
    cuts, leaves = _build_cuts(removed, full), tuple(leaves for leaves, _ in trees)
    return QuickScorer(full, ones, cuts, form, leaves, sum(map(min, values)), _build_bit_planes(values, form))


def build_leaf_shares(
    scorer: QuickScorer, nodes: Sequence[int], slots: int, means: Mapping[int, int]
) -> LeafShares | None:
    """What each leaf says of the features; None for a forest that is too large.

    Args:
        scorer: of the forest.
        nodes: its table.
        slots: features that it reads.
        means: what each node is worth.
    """
    if sum(map(len, scorer.leaves)) * slots * 8 > _MAX_TABLE_BYTES:
        return None
    inner = (node for node in range(0, len(nodes), 3) if nodes[node] >= 0)
    steps = (abs(means[after] - means[node]) for node in inner for after in (node + 3, nodes[node + 2]))
    bias = _MAX_LEAVES * max(steps, default=0)  # no way has as many steps
    # Twice the bias for each tree is the most that a sum can come to.
    width = next((wide for wide in _LANE_FORMATS if 2 * bias * len(scorer.leaves) < 1 << wide), 0)
    if not width:
        return None
    form = struct.Struct(f"<{slots}{_LANE_FORMATS[width]}")
    return LeafShares(scorer, nodes, means, bias, width, form, tuple({} for _ in scorer.leaves))


def _sum_moves(nodes: Sequence[int], means: Mapping[int, int], path: Path) -> dict[int, int]:
    moves: dict[int, int] = {}
    while path is not None:
        node, next_node, path = path
        moves[nodes[node]] = moves.get(nodes[node], 0) + means[next_node] - means[node]
    return moves


def _read_tree(nodes: Sequence[int], root: int) -> Tree | None:
    """A tree, None where it has too many leaves."""
    leaves: list[Leaf] = []
    left_leaves: dict[Condition, int] = {}
    waiting: list[tuple[int, Path, Condition | None, int]] = [(root, None, None, 0)]
    while waiting:
        node, path, condition, first = waiting.pop()
        if condition is not None:  # a right branch: what came since is the left one
            left_leaves[condition] = left_leaves.get(condition, 0) | (1 << len(leaves)) - (1 << first)
        if nodes[node] < 0:
            leaves.append((node, path))
        else:
            right = nodes[node + 2]
            waiting.append((right, (node, right, path), (nodes[node], nodes[node + 1]), len(leaves)))
            waiting.append((node + 3, (node, node + 3, path), None, 0))
        if len(leaves) + len(waiting) > _MAX_LEAVES:
            return None
    return tuple(leaves), left_leaves


def _build_cuts(removed: Mapping[Condition, int], full: int) -> tuple[Cut, ...]:
    cuts = []
    for slot in sorted({slot for slot, _ in removed}):
        limits = sorted(limit for condition_slot, limit in removed if condition_slot == slot)
        masks = [full]
        for limit in limits:
            masks.append(masks[-1] & ~removed[slot, limit])
        cuts.append((slot, tuple(limits), tuple(masks)))
    return tuple(cuts)


def _build_bit_planes(values: Sequence[Sequence[int]], form: struct.Struct) -> tuple[int, ...]:
    bits = max(max(row) - min(row) for row in values).bit_length() or 1
    lane_planes = []
    for row in values:
        least = min(row)
        written = [f"{value - least:0{bits}b}" for value in reversed(row)]
        lane_planes.append([int("".join(column), 2) for column in zip(*written, strict=True)])
    return tuple(int.from_bytes(form.pack(*plane), "little") for plane in zip(*lane_planes, strict=True))[::-1]


UNIT: Final = 1_000_000
"""What a margin of one is."""
_MAX_NODES: Final = 200_000
_MAX_FEATURES: Final = 1024
_MAX_NUMBER: Final = 10**12


def model_error(why: str) -> BadInput:
    """The error of a model file that is not one, or not of this version."""
    return BadInput(
        "bad_model", f"not a behaviour model that fits: {why}", field="model", remedy="train or install it again"
    )


@dataclass(frozen=True)
class Forest:
    """An ensemble of trees whose values add up.

    Args:
        start: margin before any tree.
        features: indexes of the features it reads, into all features.
        roots: first node of each tree.
        nodes: three integers a node, see above; a value goes left where it is at most the limit.
    """

    start: int
    features: tuple[int, ...]
    roots: tuple[int, ...]
    nodes: tuple[int, ...]

    def compute_margin(self, values: Sequence[int]) -> int:
        """The margin of an action, in micro-units."""
        picked = [values[index] for index in self.features]
        scorer = self._quickscorer
        return self.start + (sum(self._walk_trees(picked)) if scorer is None else scorer.compute_margin(picked))

    def path_shares(self, values: Sequence[int]) -> dict[int, int]:
        """How far each feature moved the margin, in micro-units (what a node's choice of branch is worth)."""
        picked = [values[index] for index in self.features]
        moved: dict[int, int] = {}
        shares = self._leaf_shares
        for slot, amount in self._walk_steps(picked) if shares is None else enumerate(shares.compute_shares(picked)):
            if amount:
                index = self.features[slot]
                moved[index] = moved.get(index, 0) + amount
        return moved

    @cached_property
    def _quickscorer(self) -> QuickScorer | None:
        return build_quickscorer(self.nodes, self.roots)

    @cached_property
    def _leaf_shares(self) -> LeafShares | None:
        scorer = self._quickscorer
        return (
            build_leaf_shares(scorer, self.nodes, len(self.features), self._node_means) if scorer is not None else None
        )

    def _walk_trees(self, picked: Sequence[int]) -> Iterator[int]:
        """Value of each tree, step by step: for forests that no lanes hold."""
        nodes = self.nodes
        for root in self.roots:
            node = root
            while nodes[node] >= 0:
                node = node + 3 if picked[nodes[node]] <= nodes[node + 1] else nodes[node + 2]
            yield nodes[node + 1]

    def _walk_steps(self, picked: Sequence[int]) -> Iterator[tuple[int, int]]:
        """(feature, how far it moved the margin) of each step of each walk."""
        nodes, means = self.nodes, self._node_means
        for root in self.roots:
            node = root
            while nodes[node] >= 0:
                after = node + 3 if picked[nodes[node]] <= nodes[node + 1] else nodes[node + 2]
                yield nodes[node], means[after] - means[node]
                node = after

    @cached_property
    def _node_means(self) -> dict[int, int]:
        """Middle of each node's branches: an unweighted expectation, enough to say which choice moved how far."""
        nodes = self.nodes
        means: dict[int, int] = {}
        for node in range(len(nodes) - 3, -1, -3):
            means[node] = nodes[node + 1] if nodes[node] < 0 else (means[node + 3] + means[nodes[node + 2]]) // 2
        return means

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree."""
        return {
            "features": list(self.features),
            "nodes": list(self.nodes),
            "roots": list(self.roots),
            "start": self.start,
        }

    @classmethod
    def from_plain(cls, members: Mapping[str, Any], feature_count: int) -> Forest:
        """Inverse of `to_plain`, checked: every walk ends, nothing points outside.

        Args:
            members: the tree.
            feature_count: number of features there are.

        Raises:
            BadInput: it is no forest.
        """
        try:
            start = require_number(members["start"])
            features, roots, nodes = (
                tuple(map(require_number, members[name])) for name in ("features", "roots", "nodes")
            )
        except (KeyError, TypeError, ValueError) as exc:
            raise model_error("a forest is missing or has other values than integers") from exc
        if not 0 < len(nodes) <= 3 * _MAX_NODES or len(nodes) % 3 or not 0 < len(features) <= _MAX_FEATURES:
            raise model_error("a forest of another size")
        if any(not 0 <= index < feature_count for index in features):
            raise model_error("it reads features that there are not")
        if any(root % 3 or not 0 <= root < len(nodes) for root in roots):
            raise model_error("a tree without a root")
        _check_nodes(nodes, len(features))
        return cls(start, features, roots, nodes)


def require_number(value: Any) -> int:
    """A number of a model: an integer, of which no sum leaves what other platforms can hold.

    Raises:
        ValueError: it is none.
    """
    if type(value) is not int or abs(value) > _MAX_NUMBER:
        raise ValueError(value)
    return value


def _check_nodes(nodes: Sequence[int], features: int) -> None:
    for node in range(0, len(nodes), 3):
        feature, _, right = nodes[node : node + 3]
        if feature < -1 or feature >= features:
            raise model_error("a node of another feature")
        # INVARIANT: TOTAL - branches lead forward only, so that every walk ends.
        if feature >= 0 and (right % 3 or not node + 3 < right < len(nodes)):
            raise model_error("a branch that leads nowhere")
