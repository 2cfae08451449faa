"""The training of the behaviour model that is shipped, used by `train_behaviour.py` and `train_folds.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import numpy as np
import sklearn

from halo_core.risk.forest import UNIT
from halo_core.risk.model import RiskModel
from halo_studies.detection.feature_tables import WORKLOADS, Table, cross_fitted, folds_of, looked, shrunk, tabled
from halo_studies.detection.fitting import Material, Member, cross, fitted, margins_of, shipped
from halo_studies.detection.forests import bound
from halo_studies.detection.metrics import CUTS, Floats
from halo_studies.detection.protocol import SPARE, Result, adaptive, carried, limit_of
from halo_studies.recordings.labelled_sessions import Session

__all__ = ["SHIPPED", "Views", "trained", "views_of"]

SHIPPED: Final = (Member("all", 1000, views=5, trees=300, leaves=31),)


@dataclass(frozen=True)
class Views:
    """The same actions, each in several ways.

    Args:
        tables: for each workload, and `live`: as an enforcement point would have those of a task that is new.
        shrunk: the same three, against baselines of few sessions.
    """

    tables: dict[str, Table]
    shrunk: tuple[Table, ...]

    @property
    def material(self) -> Material:
        """What is trained on."""
        return Material(self.tables["novel"], (self.tables["recurring"], self.tables["live"], *self.shrunk))


def trained(sessions: Sequence[Session], *, size: int = 100, seed: int = 0) -> tuple[RiskModel, dict[str, Any]]:
    """The model, and its out-of-fold figures for each workload."""
    views = views_of(sessions)
    tables, material = views.tables, views.material
    groups = folds_of(material.table.rows)
    _, fits = cross(material, groups, SHIPPED, size=size, seed=seed)
    margins = {name: margins_of(table, groups, fits) for name, table in tables.items()}
    every = np.ones(material.table.rows.sessions, bool)
    spare = {**SPARE, "live": SPARE["novel"]}
    limits = {
        f"{workload}_{name}": limit_of(tables[workload].rows, margins[workload], every, share, spare[workload][name])
        for workload in tables
        for name, share in CUTS.items()
    }
    fit = fitted(material, every, SHIPPED, size=size, seed=seed)
    about = {
        "data": sha256("\n".join(sorted(session.id for session in sessions)).encode()).hexdigest(),
        "scikit-learn": sklearn.__version__,
        "seed": str(seed),
        "sessions": str(len(sessions)),
    }
    model = shipped(fit, tables["live"], margins["live"], limits, about)
    found: dict[str, Any] = {"bound": max(bound(forest) for _, forest in model.forests)}
    for workload, table in tables.items():
        result = Result(table, margins[workload], carried(table, margins[workload], groups, spare[workload]))
        found[workload] = result.rates() | {"adaptive": adaptive(result, _usual(model)).rates()}
        suites = np.unique(table.rows.suite).tolist()
        found[workload]["per_suite"] = {suite: result.rates(table.rows.suite == suite) for suite in suites}
    return model, found


def views_of(sessions: Sequence[Session]) -> Views:
    """See `Views`."""
    seen, live = looked(sessions), looked(sessions, live=True)
    ways = [*((workload, workload, seen) for workload in WORKLOADS), ("live", "novel", live)]
    return Views(
        {name: tabled(of, cross_fitted(workload, of)) for name, workload, of in ways},
        tuple(tabled(of, shrunk(workload, of, number)) for number, (_, workload, of) in enumerate(ways)),
    )


def _usual(model: RiskModel) -> Floats:
    return np.array(model.usual_margins, float) / UNIT
