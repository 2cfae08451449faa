"""How a behaviour score carries over to tasks, roles, goals and sources that it never saw.

    python studies/carry_over.py --data DIR --data DIR
    python studies/carry_over.py --data DIR --data DIR --cache FOLDER --json

Trains on all folders. Measures the sessions of the first one: out of fold by user task; each role left out of training;
the attackers' goals left out in parts; and each folder scored by a model of the others. Limits are set without the
tested part: carried over from other sessions, or suited to a role by its own ordinary sessions of the other fold of
tasks. Intervals are bootstraps over user tasks.

--cache keeps the tables of features, which take most of the time. Rates are 0..1.
Exit: 0 measured, 2 the data is missing or is something else.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Sheet

from halo_core.training.train import SHIPPED_MEMBERS
from halo_studies.detection.cached_views import views_of
from halo_studies.detection.carry_over import Figures, measure
from halo_studies.recordings.labelled_sessions import BadData, read

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, and return the exit code."""
    options = _options(argv)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    folders = [path.resolve() for path in options.data]
    try:
        sessions = [session for folder in folders for session in read(folder)]
    except (BadData, OSError) as exc:
        sys.stderr.write(f"carry_over: {exc}\n")
        return 2
    views = views_of(sessions, options.cache)
    how = {"size": options.size, "seed": options.seed}
    figures = Figures(views.tables, views.material, SHIPPED_MEMBERS, how, _note)
    found = measure(figures, folder=str(folders[0]), parts=options.parts)
    if options.json:
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
    else:
        _show(found)
    return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, action="append", required=True, help="folder of sessions; may be repeated")
    parser.add_argument("--parts", type=int, default=8, help="parts in which goals are left out (default %(default)s)")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="keep the tables of features here")
    parser.add_argument("--size", type=int, default=100, help="hundredths of the trees, for quick runs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="figures as JSON on stdout")
    return parser.parse_args(argv)


def _note(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _show(found: dict[str, Any]) -> None:
    console = Console()
    names = ("catch_any", "catch_first", "fp_benign", "fp_resisted", "fp_controls")
    sheet = Sheet("", "limit", *names, title="%")
    for what in ("tasks", "roles", "goals"):
        for workload, row in found[what].items():
            for limit in ("cut_5", "adaptive"):
                rates = row["adaptive"]["cut_5"] if limit == "adaptive" else row[limit]
                sheet.add_row(f"{what}, {workload}", limit, *map(_cell, map(rates.get, names)))
    for source, workloads in found["sources"].items():
        for workload, row in workloads.items():
            for limit in ("cut_5", "adaptive"):
                rates = row["adaptive"]["cut_5"] if limit == "adaptive" else row[limit]
                sheet.add_row(f"without {Path(source).name}, {workload}", limit, *map(_cell, map(rates.get, names)))
    console.print(sheet)


def _cell(rate: float | None) -> str:
    return "-" if rate is None else f"{100 * rate:.1f}"


if __name__ == "__main__":
    sys.exit(main())
