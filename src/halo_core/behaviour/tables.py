"""Room: trees as integer tables. Takes: features. Gives: a margin in micro-units. Never: I/O, floats, numpy.

Each tree is walked by comparing integers, so the same features give the same margin on every machine and in every
version of Python. A table is flat, three integers a node: feature, limit, and where the right branch starts; the left
one starts right behind. A leaf has feature -1, and its value instead of a limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from halo_core.behaviour.lanes import Lanes, Shares, laned, shared
from halo_core.errors import BadInput

__all__ = ["UNIT", "Forest", "refused", "whole"]

UNIT: Final = 1_000_000
"""What a margin of one is."""
_MOST_NODES: Final = 200_000
_MOST_FEATURES: Final = 1024
_WIDEST: Final = 10**12


def refused(why: str) -> BadInput:
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

    def margin(self, values: Sequence[int]) -> int:
        """The margin of an action, in micro-units."""
        picked = [values[index] for index in self.features]
        lanes = self._lanes
        return self.start + (sum(self._walked(picked)) if lanes is None else lanes.margin(picked))

    def path_shares(self, values: Sequence[int]) -> dict[int, int]:
        """How far each feature moved the margin, in micro-units (what a node's choice of branch is worth)."""
        picked = [values[index] for index in self.features]
        moved: dict[int, int] = {}
        shares = self._shares
        for slot, much in self._steps(picked) if shares is None else enumerate(shares.of(picked)):
            if much:
                index = self.features[slot]
                moved[index] = moved.get(index, 0) + much
        return moved

    @cached_property
    def _lanes(self) -> Lanes | None:
        return laned(self.nodes, self.roots)

    @cached_property
    def _shares(self) -> Shares | None:
        lanes = self._lanes
        return shared(lanes, self.nodes, len(self.features), self._means) if lanes is not None else None

    def _walked(self, picked: Sequence[int]) -> Iterator[int]:
        """Value of each tree, step by step: for forests that no lanes hold."""
        nodes = self.nodes
        for root in self.roots:
            at = root
            while nodes[at] >= 0:
                at = at + 3 if picked[nodes[at]] <= nodes[at + 1] else nodes[at + 2]
            yield nodes[at + 1]

    def _steps(self, picked: Sequence[int]) -> Iterator[tuple[int, int]]:
        """(feature, how far it moved the margin) of each step of each walk."""
        nodes, means = self.nodes, self._means
        for root in self.roots:
            at = root
            while nodes[at] >= 0:
                after = at + 3 if picked[nodes[at]] <= nodes[at + 1] else nodes[at + 2]
                yield nodes[at], means[after] - means[at]
                at = after

    @cached_property
    def _means(self) -> dict[int, int]:
        """Middle of each node's branches: an unweighted expectation, enough to say which choice moved how far."""
        nodes = self.nodes
        means: dict[int, int] = {}
        for at in range(len(nodes) - 3, -1, -3):
            means[at] = nodes[at + 1] if nodes[at] < 0 else (means[at + 3] + means[nodes[at + 2]]) // 2
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
    def from_plain(cls, plain: Mapping[str, Any], every: int) -> Forest:
        """Inverse of `to_plain`, checked: every walk ends, nothing points outside.

        Args:
            plain: the tree.
            every: number of features there are.

        Raises:
            BadInput: it is no forest.
        """
        try:
            start = whole(plain["start"])
            features, roots, nodes = (tuple(map(whole, plain[name])) for name in ("features", "roots", "nodes"))
        except (KeyError, TypeError, ValueError) as exc:
            raise refused("a forest is missing or has other values than integers") from exc
        if not 0 < len(nodes) <= 3 * _MOST_NODES or len(nodes) % 3 or not 0 < len(features) <= _MOST_FEATURES:
            raise refused("a forest of another size")
        if any(not 0 <= index < every for index in features):
            raise refused("it reads features that there are not")
        if any(at % 3 or not 0 <= at < len(nodes) for at in roots):
            raise refused("a tree without a root")
        _check(nodes, len(features))
        return cls(start, features, roots, nodes)


def whole(value: Any) -> int:
    """A number of a model: an integer, of which no sum leaves what other platforms can hold.

    Raises:
        ValueError: it is none.
    """
    if type(value) is not int or abs(value) > _WIDEST:
        raise ValueError(value)
    return value


def _check(nodes: Sequence[int], features: int) -> None:
    for at in range(0, len(nodes), 3):
        feature, _, right = nodes[at : at + 3]
        if feature < -1 or feature >= features:
            raise refused("a node of another feature")
        # INVARIANT: TOTAL - branches lead forward only, so that every walk ends.
        if feature >= 0 and (right % 3 or not at + 3 < right < len(nodes)):
            raise refused("a branch that leads nowhere")
