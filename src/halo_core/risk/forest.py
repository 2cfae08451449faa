"""Forests of decision trees as tables of integers: the same features give the same margin on every machine.

A table is flat, three integers a node: feature, limit, and where the right branch starts; the left one starts right
behind. A leaf has feature -1, and its value instead of a limit. A value goes left where it is at most the limit.

Walking 300 trees takes some two thousand steps of Python, so a forest is also evaluated all at once (QuickScorer,
Lucchese et al., SIGIR 2015, in integers): each leaf has a bit in one long integer, a tree's leaves side by side in a
lane. Where a node's condition does not hold, it clears the bits of its left branch; the lowest bit left in a lane is
the leaf that a walk ends at. The bits that a feature clears depend only on how many of its limits lie below its value,
so there is one mask for each such number. Leaf values are summed by bit planes. INVARIANT: REPLAY - the leaves are
exactly those that a walk finds.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from halo_core.errors import BadInput

_MAX_TABLE_BYTES: Final = 32_000_000  # of masks: a forest that needs more is walked
_LANE_FORMATS: Final = {32: "I", 64: "Q"}
_MAX_LEAVES: Final = max(_LANE_FORMATS)

Cut = tuple[int, tuple[int, ...], tuple[int, ...]]
Condition = tuple[int, int]
"""Feature and limit."""
Tree = tuple[list[int], dict[Condition, int]]
"""Values of the leaves from left to right; of each condition, the leaves on its left, which go where a value is above
the limit."""


@dataclass(frozen=True)
class QuickScorer:
    """A forest whose trees are evaluated all at once.

    Args:
        all_leaves: all leaves.
        lane_starts: the first leaf of each lane.
        cuts: for each feature, its limits in order, and what is left once so many of them lie below its value.
        least: what all trees are worth at least, each at the least of its leaves.
        bit_planes: for each bit, from the lowest, the leaves that have it in what they are worth above that.
    """

    all_leaves: int
    lane_starts: int
    cuts: tuple[Cut, ...]
    least: int
    bit_planes: tuple[int, ...]

    def compute_margin(self, picked: Sequence[int]) -> int:
        """Sum of the leaves' values."""
        remaining = self.all_leaves
        for slot, limits, masks in self.cuts:
            cut_index = bisect_left(limits, picked[slot])
            if cut_index:
                remaining &= masks[cut_index]
        # The lowest bit of each lane: no lane is empty, so that nothing is borrowed from the next one.
        ends = remaining & ~(remaining - self.lane_starts)
        margin = self.least
        for bit, plane in enumerate(self.bit_planes):
            margin += (ends & plane).bit_count() << bit
        return margin


def build_quickscorer(nodes: Sequence[int], roots: Sequence[int]) -> QuickScorer | None:
    """The scorer of a forest; None if it is too large or has trees of more than 64 leaves."""
    trees = [tree for root in roots if (tree := _read_tree(nodes, root)) is not None]
    if not trees or len(trees) < len(roots):
        return None
    most = max(len(values) for values, _ in trees)
    width = min(wide for wide in _LANE_FORMATS if wide >= most)
    removed: dict[Condition, int] = {}
    for number, (_, left_leaves) in enumerate(trees):
        for condition, bits in left_leaves.items():
            removed[condition] = removed.get(condition, 0) | bits << number * width
    if len(removed) * len(trees) * width // 8 > _MAX_TABLE_BYTES:
        return None
    full = sum((1 << len(values)) - 1 << number * width for number, (values, _) in enumerate(trees))
    ones = sum(1 << number * width for number in range(len(trees)))
    leaf_values = [values for values, _ in trees]
    planes = _build_bit_planes(leaf_values, struct.Struct(f"<{len(trees)}{_LANE_FORMATS[width]}"))
    return QuickScorer(full, ones, _build_cuts(removed, full), sum(map(min, leaf_values)), planes)


def _read_tree(nodes: Sequence[int], root: int) -> Tree | None:
    """A tree, None if it has too many leaves."""
    values: list[int] = []
    left_leaves: dict[Condition, int] = {}
    waiting: list[tuple[int, Condition | None, int]] = [(root, None, 0)]
    while waiting:
        node, condition, first = waiting.pop()
        if condition is not None:  # a right branch: what came since is the left one
            left_leaves[condition] = left_leaves.get(condition, 0) | (1 << len(values)) - (1 << first)
        if nodes[node] < 0:
            values.append(nodes[node + 1])
        else:
            waiting += [(nodes[node + 2], (nodes[node], nodes[node + 1]), len(values)), (node + 3, None, 0)]
        if len(values) + len(waiting) > _MAX_LEAVES:
            return None
    return values, left_leaves


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


def make_model_error(why: str) -> BadInput:
    """The error of a file that is no model, or one of another version."""
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
        nodes, means = self.nodes, self._node_means
        moved: dict[int, int] = {}
        for root in self.roots:
            node = root
            while nodes[node] >= 0:
                after = node + 3 if picked[nodes[node]] <= nodes[node + 1] else nodes[node + 2]
                index = self.features[nodes[node]]
                moved[index] = moved.get(index, 0) + means[after] - means[node]
                node = after
        return {index: amount for index, amount in moved.items() if amount}

    @cached_property
    def _quickscorer(self) -> QuickScorer | None:
        return build_quickscorer(self.nodes, self.roots)

    def _walk_trees(self, picked: Sequence[int]) -> Iterator[int]:
        """Value of each tree, step by step, for forests without a `QuickScorer`."""
        nodes = self.nodes
        for root in self.roots:
            node = root
            while nodes[node] >= 0:
                node = node + 3 if picked[nodes[node]] <= nodes[node + 1] else nodes[node + 2]
            yield nodes[node + 1]

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
            raise make_model_error("a forest is missing or has other values than integers") from exc
        if not 0 < len(nodes) <= 3 * _MAX_NODES or len(nodes) % 3 or not 0 < len(features) <= _MAX_FEATURES:
            raise make_model_error("a forest of another size")
        if any(not 0 <= index < feature_count for index in features):
            raise make_model_error("it reads features that there are not")
        if any(root % 3 or not 0 <= root < len(nodes) for root in roots):
            raise make_model_error("a tree without a root")
        _check_nodes(nodes, len(features))
        return cls(start, features, roots, nodes)


def require_number(value: Any) -> int:
    """Require an integer, small enough that no sum of a model's numbers passes 64 bits.

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
            raise make_model_error("a node of another feature")
        # INVARIANT: TOTAL - branches lead forward only, so that every walk ends.
        if feature >= 0 and (right % 3 or not node + 3 < right < len(nodes)):
            raise make_model_error("a branch that leads nowhere")
