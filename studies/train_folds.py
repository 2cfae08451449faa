"""Train a behaviour model for each fold of user tasks on all the others, for `redrive.py --score`.

    python studies/train_folds.py --data DIR --out MODELS

Each action is seen as in `train_behaviour.py`. `without-N.bin` was trained on no session of fold N and calibrated on
none; the margins it is calibrated on are out of fold too, so other folds' models, which knew fold N, made them.
`folds.json` says which session is in which fold.

Exit: 0 written, 2 the data is missing, too little, or something else.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from halo_core.training.feature_tables import Table, folds_of
from halo_core.training.fitting import cross, margins_of, shipped
from halo_core.training.metrics import Rows
from halo_core.training.train import SHIPPED, make_views, pack_model
from halo_studies.recordings.labelled_sessions import BadData, looked, read

__all__ = ["main", "part_of"]


def main(argv: Sequence[str] | None = None) -> int:
    """Train, write, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with sessions.jsonl.gz")
    parser.add_argument("--out", type=Path, required=True, help="folder for the models")
    parser.add_argument("--folds", type=int, choices=range(2, 11), default=5, metavar="2..10", help="(default 5)")
    parser.add_argument("--size", type=int, default=100, help="hundredths of the trees, for quick runs")
    options = parser.parse_args(argv)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        sessions = read(options.data)
    except (BadData, OSError) as exc:
        sys.stderr.write(f"train_folds: {exc}\n")
        return 2
    views = make_views(sessions, looked(sessions, live=True), seen=looked(sessions))
    table = views.tables["live"]
    groups = folds_of(table.rows, options.folds)
    _, fits = cross(views.material, groups, SHIPPED, size=options.size)
    margins = margins_of(table, groups, fits)
    options.out.mkdir(parents=True, exist_ok=True)
    for fold, fit in fits.items():
        rest = groups != fold
        about = {"by": "train_folds.py", "without": str(fold)}
        model = shipped(fit, part_of(table, rest), margins[rest[table.rows.session]], {}, about)
        (options.out / f"without-{fold}.bin").write_bytes(pack_model(model))
    names = {session.id: str(fold) for session, fold in zip(sessions, groups.tolist(), strict=True)}
    (options.out / "folds.json").write_text(json.dumps(names), encoding="utf-8")
    return 0


def part_of(table: Table, sessions: NDArray[np.bool_]) -> Table:
    """The actions of some sessions, one truth value each."""
    rows, kept = table.rows, sessions[table.rows.session]
    number = np.cumsum(sessions) - 1
    by_action = {"session": number[rows.session[kept]], "event": rows.event[kept], "wrong": rows.wrong[kept]}
    others = [field.name for field in fields(Rows) if field.name not in by_action]
    return Table(table.values[kept], Rows(**by_action, **{name: getattr(rows, name)[sessions] for name in others}))


if __name__ == "__main__":
    sys.exit(main())
