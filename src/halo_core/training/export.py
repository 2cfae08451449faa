"""Conversion of scikit-learn's fitted trees to the integer tables that Halo evaluates."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

from sklearn.ensemble import HistGradientBoostingClassifier

from halo_core.risk.forest import UNIT, Forest


def exported(booster: HistGradientBoostingClassifier, columns: Sequence[int]) -> Forest:
    """The same decision function in micro-units; features are integers, so a limit is the floor of the threshold.

    Args:
        booster: fitted on the columns.
        columns: indexes into all features, in the order it was fitted on.
    """
    nodes: list[int] = []
    roots = []
    for (tree,) in booster._predictors:  # noqa: SLF001  there is no public view of its trees
        roots.append(len(nodes))
        _walk(tree.nodes, 0, nodes)
    start = round(float(booster._baseline_prediction[0, 0]) * UNIT)  # noqa: SLF001  as above
    return Forest(start, tuple(map(int, columns)), tuple(roots), tuple(nodes))


def _walk(tree: object, at: int, nodes: list[int]) -> None:
    node = tree[at]  # type: ignore[index]
    if node["is_leaf"]:
        nodes.extend((-1, round(float(node["value"]) * UNIT), 0))
        return
    here = len(nodes)
    nodes.extend((int(node["feature_idx"]), floor(float(node["num_threshold"])), 0))
    _walk(tree, int(node["left"]), nodes)
    nodes[here + 2] = len(nodes)
    _walk(tree, int(node["right"]), nodes)


def bound(forest: Forest) -> float:
    """How far its margin may lie from the booster's: half a micro-unit for the start and each tree."""
    return (len(forest.roots) + 1) * 0.5 / UNIT
