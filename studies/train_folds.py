"""Train a behaviour model for each fold of user tasks on all the others, for `redrive.py --score`.

    python studies/train_folds.py --data DIR --out MODELS
    python studies/train_folds.py --data DIR --data DIR --cache FOLDER --goals 8 --out MODELS

Each action is seen as in `train_behaviour.py`. `without-N.bin` was trained on no session of fold N and calibrated on
none; the margins it is calibrated on are out of fold too, so other folds' models, which knew fold N, made them.
`folds.json` says which session is in which fold. With --goals, attackers' goals are left out in so many parts as well:
`without-goals-N.bin` has seen no session of a goal of part N, and scores the attacked sessions of those goals, as goals
that nobody has seen; it may have seen their users' tasks.

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

from halo_core.training.feature_tables import Table, assign_folds
from halo_core.training.fitting import build_model, compute_out_of_fold_margins, fit_members, fit_out_of_fold
from halo_core.training.metrics import Rows
from halo_core.training.train import SHIPPED_MEMBERS, pack_model
from halo_studies.detection.cached_views import views_of
from halo_studies.detection.protocol import left_out
from halo_studies.recordings.labelled_sessions import BadData, read

__all__ = ["main", "part_of"]


def main(argv: Sequence[str] | None = None) -> int:
    """Train, write, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, action="append", required=True, help="folder with sessions.jsonl.gz")
    parser.add_argument("--out", type=Path, required=True, help="folder for the models")
    parser.add_argument("--folds", type=int, choices=range(2, 11), default=5, metavar="2..10", help="(default 5)")
    parser.add_argument("--goals", type=int, default=0, metavar="PARTS", help="leave goals out, in so many parts")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep the tables of features here")
    parser.add_argument("--size", type=int, default=100, help="hundredths of the trees, for quick runs")
    options = parser.parse_args(argv)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        sessions = [session for folder in options.data for session in read(folder)]
    except (BadData, OSError) as exc:
        sys.stderr.write(f"train_folds: {exc}\n")
        return 2
    views = views_of(sessions, options.cache)
    table = views.tables["live"]
    groups = assign_folds(table.rows, options.folds)
    _, fits = fit_out_of_fold(views.material, groups, SHIPPED_MEMBERS, size=options.size)
    margins = compute_out_of_fold_margins(table, groups, fits)
    options.out.mkdir(parents=True, exist_ok=True)
    parts = [(str(fold), groups == fold, fit) for fold, fit in fits.items()]
    names = groups.astype(str).astype(object)
    for number, (_, out) in enumerate(left_out(table.rows, "goal", options.goals) if options.goals else ()):
        parts.append((f"goals-{number}", out, fit_members(views.material, ~out, SHIPPED_MEMBERS, size=options.size)))
        names[out] = f"goals-{number}"
    for name, out, fit in parts:
        about = {"by": "train_folds.py", "without": name}
        model = build_model(fit, part_of(table, ~out), margins[(~out)[table.rows.session]], {}, about)
        (options.out / f"without-{name}.bin").write_bytes(pack_model(model))
    named = {session.id: str(name) for session, name in zip(sessions, names.tolist(), strict=True)}
    (options.out / "folds.json").write_text(json.dumps(named), encoding="utf-8")
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
