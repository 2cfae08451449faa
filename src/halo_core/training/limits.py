"""Limits on margins, set on ordinary sessions alone: carried over from the training data, or suited to a role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from halo_core.risk.baseline import suit_threshold
from halo_core.risk.forest import UNIT
from halo_core.training.feature_tables import Table
from halo_core.training.metrics import CUTS, RATES, Floats, Ints, Rows, cut_of, highest, rates

SPARE: Final = {"novel": {"cut_5": 0.15, "cut_1": 0.15}, "recurring": {"cut_5": 2.0, "cut_1": 0.5}}
"""Standard errors by which limits undercut their share; where tasks recur there is more room for it."""


@dataclass(frozen=True)
class Result:
    """Margins of the test table's actions, and the limit of each session at each cut."""

    table: Table
    margins: Floats
    limits: Mapping[str, Floats]

    def rates(self, chosen: NDArray[np.bool_] | None = None) -> dict[str, Any]:
        """Rates at each cut."""
        return {name: rates(self.table.rows, self.margins, limit, chosen) for name, limit in self.limits.items()}


def limit_of(rows: Rows, margins: Floats, chosen: NDArray[np.bool_], share: float, spare: float = 0.0) -> float:
    """The carried limit: of no training folder's ordinary sessions lies more than a share above, whatever their kind.

    Benign, resisted and control sessions count each for themselves, and one folder's do not make up for another's.

    Args:
        rows: of the training data.
        margins: of its actions, out of fold.
        chosen: sessions to set it by.
        share: of sessions.
        spare: standard errors (over user tasks) by which the share is undercut.
    """
    best = highest(rows, margins)
    found = [cut_of(rows, margins, chosen, share)]
    for folder in np.unique(rows.folder):
        for label in RATES.values():
            kind = chosen & (rows.folder == folder) & (rows.label == label)
            if kind.sum() >= 2 / share:
                found.append(_undercut(best[kind], rows.task[kind], share, spare))
    return max(found)


def _undercut(best: Floats, task: NDArray[np.str_], share: float, spare: float) -> float:
    limit = np.quantile(best, 1 - share, method="higher")
    _, which = np.unique(task, return_inverse=True)
    apart = np.bincount(which, (best > limit) - share)
    error = float(np.sqrt((apart**2).sum())) / len(best)
    return float(np.quantile(best, 1 - max(share - spare * error, share / 5), method="higher"))


def carried(
    table: Table, margins: Floats, groups: Ints, spare: Mapping[str, float] = MappingProxyType({})
) -> dict[str, Floats]:
    """Limits for the training sessions themselves: each group's from the other groups' ordinary sessions."""
    found = {}
    for name, share in CUTS.items():
        limit = np.zeros(table.rows.sessions)
        for group in np.unique(groups):
            limit[groups == group] = limit_of(table.rows, margins, groups != group, share, spare.get(name, 0.0))
        found[name] = limit
    return found


def adaptive(result: Result, usual: Floats) -> Result:
    """The same margins with limits suited to each role by its own ordinary sessions of the other fold.

    Args:
        result: see there.
        usual: highest margins of ordinary sessions of the training data.
    """
    rows = result.table.rows
    best = highest(rows, result.margins)
    prior = [round(float(q) * UNIT) for q in np.quantile(usual[np.isfinite(usual)], np.linspace(0, 1, 101))]
    found = {}
    for name, share in CUTS.items():
        limit = np.zeros(rows.sessions)
        for suite in np.unique(rows.suite):
            for fold in np.unique(rows.fold):
                of = (rows.suite == suite) & (rows.fold != fold) & (rows.label == "benign") & np.isfinite(best)
                ranked = sorted(round(float(margin) * UNIT) for margin in best[of])
                here = (rows.suite == suite) & (rows.fold == fold)
                limit[here] = suit_threshold(ranked, prior, round(share * 1000)) / UNIT
        found[name] = limit
    return Result(result.table, result.margins, found)
