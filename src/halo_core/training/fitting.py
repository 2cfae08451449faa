"""Fits a detector: its members, out-of-fold margins, and the model to ship.

Each member is a booster; their margins are averaged. A member learns from recorded actions, each in several views
(against other baselines), and from made-up hijacks. Runs of the same task or of the same goal are much alike, so only
some actions of each are drawn, anew for each view. Everything is seeded, and scikit-learn runs on one thread. Its
fitted trees are converted to the integer tables that Halo evaluates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.isotonic import IsotonicRegression

from halo_core.risk.feature_catalogue import FEATURES
from halo_core.risk.forest import UNIT, Forest
from halo_core.risk.model import RiskModel
from halo_core.training.feature_tables import Table
from halo_core.training.metrics import Floats, Ints, find_highest_scores

CORE: Final = tuple(at for at, feature in enumerate(FEATURES) if feature.core)
ALL: Final = tuple(range(len(FEATURES)))
_KNOTS: Final = 64


@dataclass(frozen=True)
class Member:
    """One booster of the ensemble.

    Args:
        name: name for the record.
        weight: weight in thousandths.
        core: only features that mean the same everywhere.
        monotone: features are held to rise or fall as declared.
        views: how many more views of the sessions, against other baselines.
        made_up: weight of made-up hijacks, in hundredths of the recorded malicious actions'.
        trees, leaves, least, rate: size of the booster: its trees, leaves of each, least samples of a leaf, and the
            learning rate in hundredths.
        kept: actions of one task or goal that are learnt from, in each view; 0 for all.
        even: how far tasks, and goals, count the same however many runs they have, in hundredths: at 0 each action
            counts the same, at 50 a task counts by the root of its actions, at 100 each task counts the same.
    """

    name: str
    weight: int
    core: bool = False
    monotone: bool = False
    views: int = 0
    made_up: int = 100
    trees: int = 150
    leaves: int = 31
    least: int = 10
    rate: int = 10
    kept: int = 120
    even: int = 50

    @property
    def columns(self) -> tuple[int, ...]:
        """Indexes of its features."""
        return CORE if self.core else ALL


MEMBERS: Final = (
    Member("recorded", 600, views=2, made_up=0, trees=190, rate=13, kept=200),
    Member("general", 400, views=1, trees=60, rate=20),
)
"""The default ensemble. The first member is better at recorded goals and roles; the second, which also learns from
made-up hijacks, at unseen ones."""


@dataclass(frozen=True)
class Material:
    """The material that a detector is trained on.

    Args:
        table: the sessions' actions.
        views: the same actions against other baselines.
        made_up: the malicious actions of made-up hijacks, against each kind of baseline.
    """

    table: Table
    views: tuple[Table, ...] = ()
    made_up: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Fit:
    """Fitted members."""

    members: tuple[tuple[Member, HistGradientBoostingClassifier], ...]

    def margins(self, values: NDArray[np.int32]) -> Floats:
        """Mean margin of each action, as a float."""
        if not len(values):
            return np.zeros(0)
        total = sum(member.weight for member, _ in self.members)
        parts = [m.weight * booster.decision_function(values[:, m.columns]) for m, booster in self.members]
        mean: Floats = np.sum(parts, axis=0) / total
        return mean


def fit_members(
    material: Material,
    sessions: NDArray[np.bool_],
    members: Sequence[Member] = MEMBERS,
    *,
    size: int = 100,
    seed: int = 0,
) -> Fit:
    """Fit the members of an ensemble on some sessions.

    Args:
        material: what there is to learn from.
        sessions: which of its sessions, one truth value each.
        members: members of the ensemble.
        size: hundredths of the members' trees, for quick runs.
        seed: seed of all randomness.
    """
    return Fit(tuple((member, _fit_booster(member, material, sessions, size, seed)) for member in members))


def _fit_booster(
    member: Member, material: Material, sessions: NDArray[np.bool_], size: int, seed: int
) -> HistGradientBoostingClassifier:
    columns = list(member.columns)
    rows = [*_iterate_recorded(member, material, sessions, seed), *_iterate_made_up(member, material, sessions)]
    booster = HistGradientBoostingClassifier(
        max_iter=max(member.trees * size // 100, 5),
        max_leaf_nodes=member.leaves,
        min_samples_leaf=member.least,
        learning_rate=member.rate / 100,
        l2_regularization=1.0,
        early_stopping=False,
        monotonic_cst=[FEATURES[at].rises for at in columns] if member.monotone else None,
        random_state=seed,
    )
    weight = np.concatenate([weight for _, _, weight in rows])
    return booster.fit(
        np.concatenate([values[:, columns] for values, _, _ in rows]),
        np.concatenate([target for _, target, _ in rows]),
        sample_weight=weight * (len(weight) / weight.sum()),
    )


_Rows = tuple[NDArray[np.int32], Ints, Floats]
"""Features, 1 for malicious, and weight of each action."""


def _iterate_recorded(member: Member, material: Material, sessions: NDArray[np.bool_], seed: int) -> Iterator[_Rows]:
    """Recorded actions, view by view; in each view malicious and ordinary ones weigh the same in all."""
    table = material.table
    use = (table.wrong | table.ordinary) & sessions[table.rows.session]
    weight = np.zeros(len(use))
    weight[use] = _weigh_actions(table, use, member.even) / use.sum()
    _, group = np.unique(_name_groups(table), return_inverse=True)
    for number, view in enumerate((table, *material.views[: member.views])):
        drawn = use & _draw_actions(group, use, member.kept, seed * 100 + number)
        before, after = (np.bincount(group, np.where(which, weight, 0)) for which in (use, drawn))
        share = np.divide(before, after, out=np.zeros_like(before), where=after > 0)
        yield view.values[drawn], table.wrong[drawn].astype(np.int64), (weight * share[group])[drawn]


def _draw_actions(group: Ints, use: NDArray[np.bool_], most: int, seed: int) -> NDArray[np.bool_]:
    """Draw at most `most` actions of each group; all if it is 0."""
    if not most:
        return use
    order = np.lexsort((np.random.default_rng(seed).random(len(group)), ~use, group))
    starts = np.concatenate([[0], np.flatnonzero(np.diff(group[order])) + 1])
    rank = np.empty(len(group), np.int64)
    rank[order] = np.arange(len(group)) - np.repeat(starts, np.diff([*starts, len(group)]))
    return rank < most


def _iterate_made_up(member: Member, material: Material, sessions: NDArray[np.bool_]) -> Iterator[_Rows]:
    """Made-up hijacks whose own task, and the task that their action is taken from, are both in training."""
    tasks = np.unique(material.table.rows.task[sessions])
    views = 1 + min(member.views, len(material.views))
    for table in material.made_up:
        rows = table.rows
        use = (np.isin(rows.task, tasks) & np.isin(rows.goal, tasks))[rows.session]
        if member.made_up and use.any():
            each = 0.5 * views * member.made_up / 100 / len(material.made_up) / use.sum()
            yield table.values[use], np.ones(use.sum(), np.int64), np.full(use.sum(), each)


def _name_groups(table: Table) -> NDArray[np.str_]:
    """The group of each action: by goal if it is malicious, else by task."""
    session, wrong = table.rows.session, table.wrong
    group = np.where(wrong, table.rows.goal[session], table.rows.task[session])
    return np.char.add(group, np.where(wrong, "+", "-"))


def _weigh_actions(table: Table, use: NDArray[np.bool_], even: int = 50) -> Floats:
    """Weights of actions: less for each where a task or goal has many; malicious and ordinary ones sum to the same."""
    wrong = table.wrong[use]
    _, which, times = np.unique(_name_groups(table)[use], return_inverse=True, return_counts=True)
    weight: Floats = 1 / times[which] ** (even / 100)
    for side in (wrong, ~wrong):
        if side.any():
            weight[side] /= weight[side].sum()
    scaled: Floats = weight * len(weight) / 2
    return scaled


def fit_out_of_fold(
    material: Material, groups: Ints, members: Sequence[Member] = MEMBERS, *, size: int = 100, seed: int = 0
) -> tuple[Floats, dict[int, Fit]]:
    """Out-of-fold margins (each session's from a fit that saw none of its group), and the fits by group."""
    fits = {
        group: fit_members(material, groups != group, members, size=size, seed=seed)
        for group in sorted(set(groups.tolist()))
    }
    return compute_out_of_fold_margins(material.table, groups, fits), fits


def compute_out_of_fold_margins(table: Table, groups: Ints, fits: Mapping[int, Fit]) -> Floats:
    """Out-of-fold margins of a view of the sessions that were fitted on."""
    margins = np.zeros(len(table.values))
    for group, fit in fits.items():
        is_in_group = (groups == group)[table.rows.session]
        margins[is_in_group] = fit.margins(table.values[is_in_group])
    return margins


def build_model(
    fit: Fit,
    table: Table,
    margins: Floats,
    limits: dict[str, float],
    about: dict[str, str],
    *,
    made_up: Floats | None = None,
) -> RiskModel:
    """The model as integer tables, calibrated on out-of-fold margins.

    Args:
        fit: the fitted members.
        table: actions that it is calibrated on.
        margins: their margins, out of fold.
        limits: limits by name, as floats.
        about: what it was trained on.
        made_up: margins of made-up hijacks, used where no malicious action was recorded.
    """
    forest = export_mean([(member.weight, booster, member.columns) for member, booster in fit.members])
    use = table.wrong | table.ordinary
    scored, wrong, weight = margins[use], table.wrong[use], _weigh_actions(table, use)
    if not wrong.any() and made_up is not None and len(made_up):
        each = weight.sum() / len(made_up)
        scored = np.concatenate([scored, made_up])
        wrong = np.concatenate([wrong, np.ones(len(made_up), bool)])
        weight = np.concatenate([weight, np.full(len(made_up), each)])
    highest = find_highest_scores(table.rows, margins)[table.rows.label == "benign"]
    usual = np.quantile(highest[np.isfinite(highest)], np.linspace(0, 1, 101))
    return RiskModel(
        ((1000, forest),),
        _fit_calibration(scored, wrong, weight),
        {name: round(limit * UNIT) for name, limit in limits.items()},
        tuple(round(float(margin) * UNIT) for margin in usual),
        _compute_tails(margins[table.ordinary]),
        about,
    )


def _compute_tails(margins: Floats) -> tuple[int, ...]:
    """Margins that ordinary actions pass with probability 1, 1/2, 1/4, ... until ten of them are left."""
    halvings = range(max(int(np.log2(max(len(margins), 2) / 10)), 1) + 1)
    return tuple(round(float(np.quantile(margins, 1 - 0.5**halving)) * UNIT) for halving in halvings)


def _fit_calibration(margins: Floats, wrong: NDArray[np.bool_], weight: Floats) -> tuple[tuple[int, int], ...]:
    """Isotonic calibration as at most `_KNOTS` points, strictly rising in the margin."""
    regression = IsotonicRegression(out_of_bounds="clip").fit(margins, wrong, sample_weight=weight)
    knots = np.unique(
        np.quantile(margins, np.linspace(0, 1, _KNOTS // 2)).tolist()
        + np.linspace(margins.min(), margins.max(), _KNOTS // 2).tolist()
    )
    risks = np.maximum.accumulate(np.round(regression.predict(knots) * 1000).astype(int))
    points = dict(zip((round(float(knot) * UNIT) for knot in knots), (int(risk) for risk in risks), strict=True))
    return tuple(sorted(points.items()))


def export_mean(parts: Sequence[tuple[int, HistGradientBoostingClassifier, Sequence[int]]]) -> Forest:
    """The weighted mean of several boosters as one forest, which costs less to evaluate than one forest for each.

    Its values are in micro-units. Features are integers, so thresholds are rounded down.

    Args:
        parts: (weight, booster, indexes of its features, in the order it was fitted on) of each.
    """
    total = sum(weight for weight, _, _ in parts)
    features = sorted({int(index) for _, _, columns in parts for index in columns})
    slot = {feature: number for number, feature in enumerate(features)}
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


def compute_rounding_bound(forest: Forest) -> float:
    """How far rounding can move a forest's margin from the boosters' mean: half a unit for the start and each tree."""
    return (len(forest.roots) + 1) * 0.5 / UNIT
