"""Fitting of a detector: its members, out-of-fold margins, and the model to ship.

Each member sees the same sessions in another way (all features, only those that mean the same in every workload and
only rise, hijacks made from ordinary sessions); their margins are averaged. Everything is seeded, and scikit-learn runs
on one thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.isotonic import IsotonicRegression

from halo_core.risk.features import FEATURES
from halo_core.risk.forest import UNIT
from halo_core.risk.model import RiskModel
from halo_studies.detection.feature_tables import Table
from halo_studies.detection.forests import exported
from halo_studies.detection.metrics import Floats, Ints, highest

__all__ = ["MEMBERS", "Fit", "Material", "Member", "cross", "fitted", "margins_of", "shipped"]

CORE: Final = tuple(at for at, feature in enumerate(FEATURES) if feature.core)
ALL: Final = tuple(range(len(FEATURES)))
_KNOTS: Final = 64


@dataclass(frozen=True)
class Member:
    """One booster of the ensemble.

    Args:
        name: for the record.
        weight: in thousandths.
        core: only features that mean the same everywhere, held to rise or fall as declared.
        views: how many more views of the sessions, against other baselines.
        planted: weight of the planted hijacks, in hundredths of all malicious actions'.
        trees, leaves, least: size of the booster.
    """

    name: str
    weight: int
    core: bool = False
    views: int = 0
    planted: int = 0
    trees: int = 300
    leaves: int = 31
    least: int = 10

    @property
    def columns(self) -> tuple[int, ...]:
        """Indexes of its features."""
        return CORE if self.core else ALL


MEMBERS: Final = (Member("all", 1000, views=2),)
"""What is measured. Tried beside it, and of no use: `Member("core", 400, core=True, ..)`, `planted` hijacks."""


@dataclass(frozen=True)
class Material:
    """What a detector is trained on: the table itself, the same actions against other baselines, planted hijacks."""

    table: Table
    views: tuple[Table, ...] = ()
    planted: Table | None = None


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


def fitted(
    material: Material,
    sessions: NDArray[np.bool_],
    members: Sequence[Member] = MEMBERS,
    *,
    size: int = 100,
    seed: int = 0,
) -> Fit:
    """Train on some sessions.

    Args:
        material: see there.
        sessions: which sessions, one truth value each.
        members: of the ensemble.
        size: hundredths of the members' trees, for quick runs.
        seed: of all randomness.
    """
    return Fit(tuple((member, _booster(member, material, sessions, size, seed)) for member in members))


def _booster(
    member: Member, material: Material, sessions: NDArray[np.bool_], size: int, seed: int
) -> HistGradientBoostingClassifier:
    table = material.table
    use = (table.wrong | table.ordinary) & sessions[table.rows.session]
    weight, target = _weights(table, use), table.wrong[use].astype(int)
    views = (table, *material.views[: member.views])
    values = np.concatenate([view.values[use] for view in views])
    weight, target = np.tile(weight, len(views)), np.tile(target, len(views))
    if member.planted and material.planted is not None:
        values, target, weight = _with_planted(member, material.planted, table, sessions, (values, target, weight))
    cst = [FEATURES[at].rises for at in member.columns] if member.core else None
    booster = HistGradientBoostingClassifier(
        max_iter=max(member.trees * size // 100, 5),
        max_leaf_nodes=member.leaves,
        min_samples_leaf=member.least,
        learning_rate=0.1,
        l2_regularization=1.0,
        early_stopping=False,
        monotonic_cst=cst,
        random_state=seed,
    )
    return booster.fit(values[:, member.columns], target, sample_weight=weight)


def _with_planted(
    member: Member, planted: Table, table: Table, sessions: NDArray[np.bool_], so_far: tuple[NDArray, Ints, Floats]
) -> tuple[NDArray, Ints, Floats]:
    """With the planted acts of training tasks; no task that is tested has one."""
    values, target, weight = so_far
    tasks = np.unique(table.rows.task[sessions])
    use = planted.wrong & np.isin(planted.rows.task, tasks)[planted.rows.session]
    if not use.any():
        return so_far
    each = weight[target == 1].sum() * member.planted / 100 / use.sum()
    return (
        np.concatenate([values, planted.values[use]]),
        np.concatenate([target, np.ones(use.sum(), int)]),
        np.concatenate([weight, np.full(use.sum(), each)]),
    )


def _weights(table: Table, use: NDArray[np.bool_]) -> Floats:
    """Goals and tasks that many runs share count less for each; malicious and ordinary count the same together."""
    wrong = table.wrong[use]
    session = table.rows.session[use]
    group = np.where(wrong, table.rows.goal[session], table.rows.task[session])
    _, which, times = np.unique(np.char.add(group, np.where(wrong, "+", "-")), return_inverse=True, return_counts=True)
    weight = 1 / np.sqrt(times[which])
    for side in (wrong, ~wrong):
        if side.any():
            weight[side] /= weight[side].sum()
    scaled: Floats = weight * len(weight) / 2
    return scaled


def cross(
    material: Material, groups: Ints, members: Sequence[Member] = MEMBERS, *, size: int = 100, seed: int = 0
) -> tuple[Floats, dict[int, Fit]]:
    """Out-of-fold margins: each session's from a fit that saw none of its group. And the fits, by group."""
    fits = {
        group: fitted(material, groups != group, members, size=size, seed=seed)
        for group in sorted(set(groups.tolist()))
    }
    return margins_of(material.table, groups, fits), fits


def margins_of(table: Table, groups: Ints, fits: Mapping[int, Fit]) -> Floats:
    """Out-of-fold margins of a view of the sessions that were fitted on."""
    margins = np.zeros(len(table.values))
    for group, fit in fits.items():
        here = (groups == group)[table.rows.session]
        margins[here] = fit.margins(table.values[here])
    return margins


def shipped(fit: Fit, table: Table, margins: Floats, limits: dict[str, float], about: dict[str, str]) -> RiskModel:
    """The model as integer tables, calibrated on out-of-fold margins."""
    forests = tuple((member.weight, exported(booster, member.columns)) for member, booster in fit.members)
    use = table.wrong | table.ordinary
    best = highest(table.rows, margins)[table.rows.label == "benign"]
    usual = np.quantile(best[np.isfinite(best)], np.linspace(0, 1, 101))
    return RiskModel(
        forests,
        _curve(margins[use], table.wrong[use], _weights(table, use)),
        {name: round(limit * UNIT) for name, limit in limits.items()},
        tuple(round(float(margin) * UNIT) for margin in usual),
        _tails(margins[table.ordinary]),
        about,
    )


def _tails(margins: Floats) -> tuple[int, ...]:
    """Margins that ordinary actions pass with probability 1, 1/2, .. down to where ten of them are left."""
    halvings = range(max(int(np.log2(max(len(margins), 2) / 10)), 1) + 1)
    return tuple(round(float(np.quantile(margins, 1 - 0.5**at)) * UNIT) for at in halvings)


def _curve(margins: Floats, wrong: NDArray[np.bool_], weight: Floats) -> tuple[tuple[int, int], ...]:
    """Isotonic calibration as at most `_KNOTS` points, strictly rising in the margin."""
    regression = IsotonicRegression(out_of_bounds="clip").fit(margins, wrong, sample_weight=weight)
    where = np.unique(
        np.quantile(margins, np.linspace(0, 1, _KNOTS // 2)).tolist()
        + np.linspace(margins.min(), margins.max(), _KNOTS // 2).tolist()
    )
    risks = np.maximum.accumulate(np.round(regression.predict(where) * 1000).astype(int))
    points = dict(zip((round(float(at) * UNIT) for at in where), (int(risk) for risk in risks), strict=True))
    return tuple(sorted(points.items()))
