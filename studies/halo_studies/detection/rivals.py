"""Baselines that a detector has to beat: rules, IsolationForest and plain boosting."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest

from halo_core.risk.feature_catalogue import FEATURE_INDEX, FEATURES, Feature
from halo_core.training.feature_tables import Table
from halo_core.training.fitting import Material, Member, fit_members, fit_out_of_fold
from halo_core.training.metrics import Floats, Ints

__all__ = ["PLAIN", "plain", "rules", "strangeness"]

_LATER: Final = ("said_", "span", "order", "near_", "stranger", "led", "kin", "asked", "unasked", "class_", "verb_")


def _is_plain(feature: Feature) -> bool:
    return feature.family in ("action", "session", "origin", "novelty") and not feature.id.startswith(_LATER)


PLAIN: Final = tuple(at for at, feature in enumerate(FEATURES) if _is_plain(feature))
"""Sequence, counts, origins and novelty: what a detector of anomalies usually has."""
_PLAIN: Final = Member("plain", 1000, made_up=0, trees=150, leaves=15, least=20, kept=0)


def rules(table: Table) -> dict[str, Floats]:
    """Rules as people write them, 1 where one fires.

    `allowed`: the tool is not known of this very request, or where that is new, not of this role. `pattern`: an act
    names an address, link or path that stands neither in the request nor in the baseline, or anything secret.
    `either`: both.
    """
    column = table.values.T
    new_tool = np.where(
        column[FEATURE_INDEX["same_request"]] == 1,
        column[FEATURE_INDEX["its_tool"]] == 0,
        column[FEATURE_INDEX["tool_new"]] == 1,
    )
    pattern = ((column[FEATURE_INDEX["general_new"]] > 0) & (column[FEATURE_INDEX["named_absent"]] > 0)) | (
        column[FEATURE_INDEX["keen_asked"]] > 0
    )
    found = {"allowed": new_tool, "pattern": pattern, "either": new_tool | pattern}
    return {name: flag.astype(float) for name, flag in found.items()}


def strangeness(train: Table, test: Table, sessions: NDArray[np.bool_], seed: int = 0) -> tuple[Floats, Floats]:
    """IsolationForest of ordinary actions: scores of the training table and of the test table."""
    benign = (train.rows.label == "benign") & sessions
    ordinary = train.values[benign[train.rows.session]][:, PLAIN]
    forest = IsolationForest(n_estimators=200, max_samples=min(1024, len(ordinary)), random_state=seed, n_jobs=1)
    forest.fit(ordinary)
    return -forest.score_samples(train.values[:, PLAIN]), -forest.score_samples(test.values[:, PLAIN])


def _narrow(table: Table) -> Table:
    values = np.zeros_like(table.values)
    values[:, PLAIN] = table.values[:, PLAIN]
    return Table(values, table.rows)


def plain(train: Table, test: Table | None, groups: Ints, *, size: int = 100) -> tuple[Floats, Floats]:
    """Gradient boosting of the plain features: out-of-fold margins of the training table, margins of the test table."""
    material = Material(_narrow(train))
    margins, _ = fit_out_of_fold(material, groups, (_PLAIN,), size=size)
    if test is None:
        return margins, margins
    fit = fit_members(material, np.ones(train.rows.sessions, bool), (_PLAIN,), size=size)
    return margins, fit.margins(_narrow(test).values)
