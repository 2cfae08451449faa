"""How many hijacked sessions a behaviour score catches, and how often it cries wolf, on recorded sessions.

    python studies/detection.py --train DIR --test DIR --workload novel --json
    python studies/detection.py --train DIR --train DIR --test DIR --workload recurring --plots out/
    python studies/detection.py --train DIR --test DIR --workload novel --leave suite

A folder holds sessions.jsonl.gz, results.jsonl.gz, and where there are any controls.jsonl.gz. The detector is fitted
on --train; its limits are set there, once, on out-of-fold ordinary sessions, and carried to --test. Where --test is
one of the training folders everything is cross-fitted by user task. Baselines hold ordinary sessions of the same
role, never the tested session's own model (`recurring`) or fold of tasks (`novel`). --leave leaves each suite, goal,
technique or source out of training and tests on it; --draws repeats with 100 and 300 baseline sessions, at
limits set on other draws of as many; --without leaves out a family of features, --ablate each in turn.

Rates are 0..1. Exit: 0 measured, 2 the data is missing or is something else.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from halo_core.risk.model import RiskModel
from halo_core.training.feature_tables import WORKLOADS, Table, assign_folds, build_table, make_baseline_picker
from halo_core.training.fitting import MEMBERS, build_model, compute_out_of_fold_margins, fit_out_of_fold
from halo_core.training.metrics import Floats, compute_intervals, compute_rates, find_highest_scores
from halo_core.training.sessions import Seen
from halo_core.training.train import SPARE, Result, adapt_limits, find_limit, find_out_of_fold_limits
from halo_studies.detection.ablation import FAMILIES, ablations, narrowed
from halo_studies.detection.console import show
from halo_studies.detection.latency import measured
from halo_studies.detection.protocol import EVERY, LEAVES, apart, carried_at, material_of, own_cut, tested
from halo_studies.detection.rivals import plain, rules, strangeness
from halo_studies.recordings.labelled_sessions import BadData, Session, looked, read

__all__ = ["main"]

_DRAWS: Final = 5


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, and return the exit code."""
    options = _options(argv)
    options.train, options.test = [path.resolve() for path in options.train], options.test.resolve()
    try:
        folders = {path: _read(path) for path in dict.fromkeys([*options.train, options.test])}
    except (BadData, OSError) as exc:
        sys.stderr.write(f"detection: {exc}\n")
        return 2
    figures = _measure(options, folders)
    if options.json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    else:
        show(figures)
    return 0


def _read(path: Path) -> list[Session]:
    sessions = read(path)
    if not any(session.label == "benign" for session in sessions):
        raise BadData(f"no ordinary session in `{path}`: nothing to compare with")
    return sessions


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--train", type=Path, action="append", required=True, help="folder to fit on; may be repeated")
    parser.add_argument("--test", type=Path, required=True, help="folder to score")
    parser.add_argument("--workload", choices=WORKLOADS, required=True)
    parser.add_argument("--leave", choices=sorted(LEAVES), help="leave each out of training and test on it")
    parser.add_argument("--draws", action="store_true", help="also 100 and 300 baseline sessions, five draws of each")
    parser.add_argument("--without", choices=FAMILIES, action="append", default=[], help="a family of features")
    parser.add_argument("--ablate", action="store_true", help="also without each family in turn (where cross-fitted)")
    parser.add_argument("--no-rivals", action="store_true", help="without rules, IsolationForest and plain boosting")
    parser.add_argument("--size", type=int, default=100, help="hundredths of the trees, for quick runs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plots", type=Path, metavar="DIR", help="write curve and histogram as SVG (extra `plots`)")
    parser.add_argument("--json", action="store_true", help="figures as JSON on stdout")
    return parser.parse_args(argv)


def _measure(options: argparse.Namespace, folders: dict[Path, list[Session]]) -> dict[str, Any]:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    train = looked([session for path in dict.fromkeys(options.train) for session in folders[path]])
    own, spare = options.test in options.train, SPARE[options.workload]
    material = narrowed(material_of(train, options.workload), options.without)
    groups = assign_folds(material.table.rows)
    settings = {"size": options.size, "seed": options.seed}
    margins, fits = fit_out_of_fold(material, groups, MEMBERS, **settings)
    fit = None
    if own:
        part = _part(material.table, folders[options.test])
        whole = Result(material.table, margins, find_out_of_fold_limits(material.table, margins, groups, spare))
        if options.leave:
            whole = apart(material, margins, options.leave, spare, **settings)
        result, test = whole, train
    else:
        test = looked(folders[options.test])
        result, fit = tested(material, margins, test, train, options.workload, **settings)
        part = np.ones(result.table.rows.sessions, bool)
    benign = find_highest_scores(material.table.rows, margins)[material.table.rows.label == "benign"]
    figures: dict[str, Any] = result.rates(part)
    figures["adaptive"] = adapt_limits(result, benign).rates(part)
    figures["own_cut_5"] = own_cut(result)
    figures["per_suite"] = _each(result, "suite", part)
    figures["per_technique"] = _each(result, "attack", part)
    figures["intervals"] = {
        name: compute_intervals(result.table.rows, result.margins, limit) for name, limit in result.limits.items()
    }
    if not options.no_rivals:
        figures["baselines"] = _rivals(material.table, None if own else result.table, groups, part, options.size)
    if options.ablate and own:
        figures["ablations"] = ablations(material, groups, part, spare, **settings)
    if options.draws:
        figures["draws"] = {}
        for size in (100, 300):
            limits = carried_at(train, options.workload, groups, fits, size)
            limit = np.array([limits[group] for group in groups]) if fit is None else np.full(len(test), limits[EVERY])
            drawn = _drawn(options.workload, (test,) if own else (test, train), size)
            figures["draws"][str(size)] = _draws(
                (
                    table,
                    compute_out_of_fold_margins(table, groups, fits) if fit is None else fit.margins(table.values),
                    limit,
                )
                for table in drawn
            )
    model = build_model(fit or next(iter(fits.values())), material.table, margins, {}, {})
    figures["latency_us"] = _latency(options.workload, train, test, model)
    figures["protocol"] = _protocol(options, result, own=own)
    if options.plots:
        from halo_studies.detection.plots import draw  # noqa: PLC0415  needs the extra `plots`

        draw(result, options.plots, f"{options.workload} tasks")
    return figures


def _part(table: Table, sessions: Sequence[Session]) -> Any:
    suites = {session.suite for session in sessions}
    return np.isin(table.rows.suite, sorted(suites))


def _each(result: Result, name: str, part: Any) -> dict[str, Any]:
    names = getattr(result.table.rows, name)
    found = {}
    for value in sorted(set(names[part].tolist())):
        if value:
            found[value] = result.rates(part & (names == value))
    return found


def _rivals(train: Table, test: Table | None, groups: Any, part: Any, size: int) -> dict[str, Any]:
    everything = np.ones(train.rows.sessions, bool)
    of = train if test is None else test
    found: dict[str, Any] = {}
    for name, fired in rules(of).items():
        half = np.full(of.rows.sessions, 0.5)
        found[f"rules_{name}"] = {"fired": Result(of, fired, {"fired": half}).rates(part)["fired"]}
    odd, odd_test = strangeness(train, of, everything)
    learnt, learnt_test = plain(train, test, groups, size=size)
    for name, own, other in (("isolation_forest", odd, odd_test), ("plain_boosting", learnt, learnt_test)):
        limits = find_out_of_fold_limits(train, own, groups) if test is None else _flat(train, own, of)
        found[name] = Result(of, other, limits).rates(part)
    return found


def _flat(train: Table, margins: Floats, test: Table) -> dict[str, Floats]:
    everything = np.ones(train.rows.sessions, bool)
    shares = {"cut_5": 0.05, "cut_1": 0.01}
    return {
        name: np.full(test.rows.sessions, find_limit(train.rows, margins, everything, share))
        for name, share in shares.items()
    }


def _drawn(workload: str, histories: tuple[Seen, ...], size: int) -> Iterator[Table]:
    """The first history's sessions against baselines of so many, five draws."""
    for draw in range(_DRAWS):
        yield build_table(histories[0], make_baseline_picker(workload, *histories, limit=size, draw=draw))


def _draws(judged: Iterable[tuple[Table, Floats, Floats]]) -> dict[str, Any]:
    """Cut 5 of each draw, with its margins and limits: lowest, mean and highest."""
    found = [compute_rates(table.rows, margins, limit) for table, margins, limit in judged]
    return {
        name: [min(values), round(sum(values) / len(values), 4), max(values)]
        for name in found[0]
        if (values := [row[name] for row in found if row[name] is not None])
    }


def _latency(workload: str, train: Seen, test: Seen, model: RiskModel) -> dict[str, Any]:
    pick = make_baseline_picker(workload, train, test)
    chosen = [session for session, _ in test][:: max(len(test) // 400, 1)]
    baselines = {}
    for session in chosen:
        baselines.setdefault(session.suite, pick(session))
    return measured(chosen, baselines, model)


def _protocol(options: argparse.Namespace, result: Result, *, own: bool) -> dict[str, Any]:
    labels, counts = np.unique(result.table.rows.label, return_counts=True)
    kept = "other models" if options.workload == "recurring" else "the other fold of tasks"
    return {
        "baselines": f"ordinary sessions of the same role by {kept}",
        "cross_fitted": own,
        "leave": options.leave or "",
        "limits": "carried from out-of-fold ordinary sessions of --train, at most the share of each kind above",
        "members": [member.name for member in MEMBERS],
        "sessions": dict(zip(labels.tolist(), counts.tolist(), strict=True)),
        "without": options.without,
        "workload": options.workload,
    }


if __name__ == "__main__":
    sys.exit(main())
