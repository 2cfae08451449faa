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
    return exported_mean([(1, booster, columns)])


def exported_mean(parts: Sequence[tuple[int, HistGradientBoostingClassifier, Sequence[int]]]) -> Forest:
    """The weighted mean of several boosters as one forest, which costs less to evaluate than one forest for each.

    Args:
        parts: (weight, booster, indexes of its features, in the order it was fitted on) of each.
    """
    total = sum(weight for weight, _, _ in parts)
    features = sorted({int(index) for _, _, columns in parts for index in columns})
    slot = {index: at for at, index in enumerate(features)}
    nodes: list[int] = []
    roots: list[int] = []
    start = 0.0
    for weight, booster, columns in parts:
        slots, scale = [slot[int(index)] for index in columns], UNIT * weight / total
        for (tree,) in booster._predictors:  # noqa: SLF001  there is no public view of its trees
            roots.append(len(nodes))
            _walk(tree.nodes, 0, nodes, slots, scale)
        start += float(booster._baseline_prediction[0, 0]) * scale  # noqa: SLF001  as above
    return Forest(round(start), tuple(features), tuple(roots), tuple(nodes))


def _walk(tree: object, at: int, nodes: list[int], slots: Sequence[int], scale: float) -> None:
    node = tree[at]  # type: ignore[index]
    if node["is_leaf"]:
        nodes.extend((-1, round(float(node["value"]) * scale), 0))
        return
    here = len(nodes)
    nodes.extend((slots[int(node["feature_idx"])], floor(float(node["num_threshold"])), 0))
    _walk(tree, int(node["left"]), nodes, slots, scale)
    nodes[here + 2] = len(nodes)
    _walk(tree, int(node["right"]), nodes, slots, scale)


def bound(forest: Forest) -> float:
    """How far its margin may lie from the boosters' mean: half a micro-unit for the start and each tree."""
    return (len(forest.roots) + 1) * 0.5 / UNIT
