"""How a score carries over: margins of roles, goals and sources that a model never saw, at limits set without them.

One set of tables serves all of it. Every part is scored by a fit without it, for both workloads; what is chosen for it
(limits) comes from sessions that are not of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from halo_core.model import Impact
from halo_core.risk.feature_catalogue import FEATURE_INDEX
from halo_core.training.feature_tables import Table, assign_folds
from halo_core.training.fitting import Fit, Material, Member, compute_out_of_fold_margins, fit_members, fit_out_of_fold
from halo_core.training.metrics import CUTS, Floats, Rows, compute_intervals, compute_rates, find_highest_scores
from halo_core.training.train import SPARE, Result, adapt_limits, find_limit, find_out_of_fold_limits
from halo_studies.detection.protocol import left_out

__all__ = ["Figures", "measure"]

_FOLDS_OF_OTHERS: Final = 3
Margins = Mapping[str, Floats]


@dataclass(frozen=True)
class Figures:
    """What is measured.

    Args:
        tables: by workload; `live` is measured beside them where there is one.
        material: what is trained on.
        members: of the detector.
        options: `size` and `seed`.
        note: called with what is done next.
    """

    tables: Mapping[str, Table]
    material: Material
    members: tuple[Member, ...]
    options: Mapping[str, int]
    note: Callable[[str], None]

    def fit(self, sessions: NDArray[np.bool_]) -> Fit:
        """The detector, trained on some sessions."""
        return fit_members(self.material, sessions, self.members, **self.options)

    @property
    def rows(self) -> Rows:
        """Of the sessions, the same in all tables."""
        return self.material.table.rows

    def out_of_fold(self) -> tuple[dict[str, Floats], NDArray[np.int64]]:
        """Margins of each workload, five folds by user task; and the folds."""
        groups = assign_folds(self.rows)
        self.note("five folds of user tasks")
        _, fits = fit_out_of_fold(self.material, groups, self.members, **self.options)
        return {name: compute_out_of_fold_margins(table, groups, fits) for name, table in self.tables.items()}, groups

    def apart(self, what: str, parts: int, within: NDArray[np.bool_]) -> tuple[dict[str, Floats], list[Any]]:
        """Margins of each part from a fit without it, NaN elsewhere; and the parts."""
        found = {name: np.full(len(table.values), np.nan) for name, table in self.tables.items()}
        every = []
        for name, out in left_out(self.rows, what, parts):
            if not (out & within).any():
                continue
            self.note(f"without {name}")
            fit = self.fit(~out)
            every.append((name, out))
            for workload, table in self.tables.items():
                here = out[table.rows.session]
                found[workload][here] = fit.margins(table.values[here])
        return found, every


def measure(figures: Figures, *, folder: str, parts: int) -> dict[str, Any]:
    """All figures of one folder's sessions.

    Args:
        figures: see there.
        folder: whose sessions are measured; all are trained with.
        parts: in how many parts goals are left out.
    """
    rows = figures.rows
    own = rows.folder == folder
    margins, groups = figures.out_of_fold()
    usual = {name: _usual(table.rows, margins[name]) for name, table in figures.tables.items()}
    found: dict[str, Any] = {"tasks": {}, "roles": {}, "goals": {}, "sources": {}}
    limits = {
        name: find_out_of_fold_limits(table, margins[name], groups, SPARE.get(name, SPARE["novel"]))
        for name, table in figures.tables.items()
    }
    for name, table in figures.tables.items():
        found["tasks"][name] = _told(Result(table, margins[name], limits[name]), own, usual[name])
    roles, every_role = figures.apart("suite", 1, np.ones(len(own), bool))
    for name, table in figures.tables.items():
        result = Result(table, roles[name], _limits_of_others(table.rows, roles[name], rows.suite))
        found["roles"][name] = _told(result, own, usual[name]) | {
            "each": {role: result.rates(out)["cut_5"] for role, out in every_role if (out & own).any()}
        }
    goals, every_goal = figures.apart("goal", parts, own)
    for name, table in figures.tables.items():
        mixed = np.where(np.isnan(goals[name]), margins[name], goals[name])
        result = Result(table, mixed, limits[name])
        attacked = own & np.any([out for _, out in every_goal], axis=0)
        found["goals"][name] = _told(result, attacked | (own & (rows.goal == "")), usual[name])
    for source in np.unique(rows.folder):
        out = rows.folder == source
        if not out.all():
            found["sources"][str(source)] = _measure_source(figures, out, usual)
    return found


def _measure_source(figures: Figures, out: NDArray[np.bool_], usual: Margins) -> dict[str, Any]:
    """One folder's sessions scored by a fit of the others', at limits from the others' alone, out of fold."""
    rows = figures.rows
    figures.note(f"without {rows.folder[out][0]}")
    groups = assign_folds(rows, _FOLDS_OF_OTHERS)
    fits = {int(group): figures.fit(~out & (groups != group)) for group in np.unique(groups[~out])}
    alone, found = figures.fit(~out), {}
    for name, table in figures.tables.items():
        within = out[table.rows.session]
        margins = np.where(within, alone.margins(table.values), compute_out_of_fold_margins(table, groups, fits))
        limits = {cut: np.full(len(out), find_limit(table.rows, margins, ~out, share)) for cut, share in CUTS.items()}
        found[name] = _told(Result(table, margins, limits), out, usual[name])
    return found


def _told(result: Result, chosen: NDArray[np.bool_], usual: Floats) -> dict[str, Any]:
    """Rates with intervals at the carried limits, at limits suited to each role, and at each role's own cut."""
    suited = adapt_limits(result, usual)
    rows, margins = result.table.rows, result.margins
    return {
        **result.rates(chosen),
        "intervals": compute_intervals(_of(rows, chosen), margins, result.limits["cut_5"]),
        "adaptive": suited.rates(chosen),
        "adaptive_intervals": compute_intervals(_of(rows, chosen), margins, suited.limits["cut_5"]),
        "own_cut_5": compute_rates(rows, margins, _own_cut(rows, margins), chosen),
        "reads": _unseen_by_rules(result.table, margins, result.limits["cut_5"], chosen),
        "reads_adaptive": _unseen_by_rules(result.table, margins, suited.limits["cut_5"], chosen),
    }


def _of(rows: Rows, chosen: NDArray[np.bool_]) -> Rows:
    """The same rows; sessions that are not chosen have no label, so that no rate counts them."""
    from dataclasses import replace  # noqa: PLC0415

    return replace(rows, label=np.where(chosen, rows.label, ""))


def _unseen_by_rules(table: Table, margins: Floats, limit: Floats, chosen: NDArray[np.bool_]) -> dict[str, int]:
    """First malicious acts that only read or write, which no starter rule looks at: how many there are, and flagged."""
    rows = table.rows
    grave = {Impact.PAYMENT, Impact.SEND, Impact.DELETE, Impact.ADMIN, Impact.EXECUTE}
    quiet = [at for at, impact in enumerate(Impact) if impact not in grave]
    first = (rows.event == rows.first[rows.session]) & ((rows.label == "hijacked") & chosen)[rows.session]
    plain = first & np.isin(table.values[:, FEATURE_INDEX["impact"]], quiet)
    return {"first_acts": int(plain.sum()), "flagged": int((plain & (margins > limit[rows.session])).sum())}


def _usual(rows: Rows, margins: Floats) -> Floats:
    best = find_highest_scores(rows, margins)[rows.label == "benign"]
    return best[np.isfinite(best)]


def _limits_of_others(rows: Rows, margins: Floats, part: NDArray[np.str_]) -> dict[str, Floats]:
    """Each part's limit from the ordinary sessions of the others, each scored by a fit that never saw its own part."""
    limits = {name: np.zeros(rows.sessions) for name in CUTS}
    for value in np.unique(part):
        for name, share in CUTS.items():
            limits[name][part == value] = find_limit(rows, margins, part != value, share)
    return limits


def _own_cut(rows: Rows, margins: Floats) -> Floats:
    limit = np.full(rows.sessions, np.inf)
    best = find_highest_scores(rows, margins)
    for suite in np.unique(rows.suite):
        ordinary = best[(rows.suite == suite) & (rows.label == "benign")]
        if len(ordinary):
            limit[rows.suite == suite] = np.quantile(ordinary, 0.95, method="higher")
    return limit
