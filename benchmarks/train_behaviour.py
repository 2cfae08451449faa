"""Train the behaviour model that is shipped, and write it as integer tables.

    python benchmarks/train_behaviour.py --data DIR --data DIR
    python benchmarks/train_behaviour.py --data DIR --out model.bin --size 10

Every action is seen three times: against a baseline that knows its task, against one that does not, and, against that,
as an enforcement point would see it: with declared tools, and planted goals in carriers. Each of them once more,
against a baseline of few sessions. Out-of-fold margins (five folds by user task) set the calibration and the limits;
the model itself is then fitted on everything. The same data and seed give the same bytes. Figures go to stdout as JSON;
docs/model-card.md says what they mean.

Exit: 0 written, 2 the data is missing, too little, or something else.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
import sklearn

from _detect_data import BadData, Session, read
from _detect_export import bound
from _detect_fit import Material, Member, cross, fitted, margins_of, shipped
from _detect_metrics import CUTS, Floats
from _detect_run import SPARE, Result, adaptive, carried, limit_of
from _detect_table import WORKLOADS, Table, cross_fitted, folds_of, looked, shrunk, tabled
from _drift_axes import axes_of, with_limits
from _drift_streams import pools_of, streams
from halo_core import canonical
from halo_core.behaviour.model import Model
from halo_core.behaviour.tables import UNIT

__all__ = ["SHIPPED", "Views", "main", "trained", "views_of"]

_PACKAGE: Final = Path(__file__).resolve().parents[1] / "src" / "halo_core" / "behaviour"
SHIPPED: Final = (Member("all", 1000, views=5, trees=300, leaves=31),)
_NULL_STREAMS: Final = 600
_FALSE_ALARMS: Final = 0.07


def main(argv: Sequence[str] | None = None) -> int:
    """Train, write, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, action="append", required=True, help="folder with sessions.jsonl.gz")
    parser.add_argument("--out", type=Path, default=_PACKAGE / "model.bin", help="default %(default)s")
    parser.add_argument("--axes-out", type=Path, default=_PACKAGE / "axes.json", help="default %(default)s")
    parser.add_argument("--size", type=int, default=100, help="hundredths of the trees, for quick runs")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(argv)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        sessions = [session for folder in options.data for session in read(folder)]
    except (BadData, OSError) as exc:
        sys.stderr.write(f"train_behaviour: {exc}\n")
        return 2
    model, figures = trained(sessions, size=options.size, seed=options.seed)
    options.out.write_bytes(model.packed())
    pools = pools_of(sessions)
    null = streams(pools, "null", max(_NULL_STREAMS * options.size // 100, 20), 0)
    if not null:
        sys.stderr.write("train_behaviour: too few identities for drift, no axes written\n")
        return 2
    options.axes_out.write_bytes(canonical.dumps(with_limits(axes_of(pools), null, _FALSE_ALARMS).to_plain()))
    figures |= {"bytes": options.out.stat().st_size, "hash": model.hash}
    sys.stdout.write(json.dumps(figures, indent=1) + "\n")
    return 0


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


def trained(sessions: Sequence[Session], *, size: int = 100, seed: int = 0) -> tuple[Model, dict[str, Any]]:
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


def _usual(model: Model) -> Floats:
    return np.array(model.usual, float) / UNIT


if __name__ == "__main__":
    sys.exit(main())
