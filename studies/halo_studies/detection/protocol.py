"""The protocol of the detection study: how margins, limits and rates are made without looking at test labels.

Limits are carried: set once, on out-of-fold ordinary sessions of the training data. Where the test sessions are the
training sessions themselves, everything is cross-fitted: a session's margin comes from a fit that saw none of its
user task, its limit from the other tasks' sessions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from halo_core.risk.baseline import blend_threshold
from halo_core.risk.forest import UNIT
from halo_studies.detection.feature_tables import TO_SET, Seen, Table, cross_fitted, looked, shrunk, spread, tabled
from halo_studies.detection.fitting import MEMBERS, Fit, Material, Member, fitted, margins_of
from halo_studies.detection.metrics import CUTS, RATES, Floats, Ints, Rows, cut_of, highest, rates
from halo_studies.detection.planted_hijacks import planted

__all__ = [
    "EVERY",
    "LEAVES",
    "Result",
    "adaptive",
    "apart",
    "carried",
    "carried_at",
    "left_out",
    "limit_of",
    "material_of",
    "own_cut",
    "tested",
]

PLANTED: Final = 2
SPARE: Final = {"novel": {"cut_5": 0.15, "cut_1": 0.15}, "recurring": {"cut_5": 2.0, "cut_1": 0.5}}
"""Standard errors by which limits undercut their share; where tasks recur there is more room for it."""
FEW: Final = {100: (0.02, 0.3)}
"""Sessions in a baseline that are few → the share of its limit, and standard errors by which it is undercut."""
EVERY: Final = -1
"""The group of whoever is in none."""
LEAVES: Final = {"suite": "suite", "goal": "goal", "technique": "attack", "source": "source"}


@dataclass(frozen=True)
class Result:
    """Margins of the test table's actions, and the limit of each session at each cut."""

    table: Table
    margins: Floats
    limits: Mapping[str, Floats]

    def rates(self, chosen: NDArray[np.bool_] | None = None) -> dict[str, Any]:
        """Rates at each cut."""
        return {name: rates(self.table.rows, self.margins, limit, chosen) for name, limit in self.limits.items()}


def material_of(seen: Seen, workload: str, members: Sequence[Member] = MEMBERS) -> Material:
    """Everything a detector is trained on, of these sessions."""
    pick = cross_fitted(workload, seen)
    table = tabled(seen, pick)
    wanted = max((member.views for member in members), default=0)
    views = tuple(tabled(seen, shrunk(workload, seen, number)) for number in range(wanted))
    if not any(member.planted for member in members):
        return Material(table, views)
    made = looked(planted([session for session, _ in seen], PLANTED, 7))
    return Material(table, views, tabled(made, pick))


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


def carried_at(seen: Seen, workload: str, groups: Ints, fits: Mapping[int, Fit], sessions: int) -> dict[int, float]:
    """The 5% limit for baselines of so many sessions: for each group from the other groups', for `EVERY` from all.

    What is new to a small baseline need not be unusual, so a limit of large ones does not carry over to it. Margins are
    out of fold, draws not those that are tested; the mean over them counts.

    Args:
        seen: the training data.
        workload: see there.
        groups: of its sessions.
        fits: by group.
        sessions: in a baseline.
    """
    share, spare = FEW.get(sessions, (CUTS["cut_5"], SPARE[workload]["cut_5"]))
    found: dict[int, list[float]] = {group: [] for group in (*fits, EVERY)}
    for draw in TO_SET:
        table = tabled(seen, cross_fitted(workload, seen, limit=sessions, draw=draw))
        margins = margins_of(table, groups, fits)
        for group, limits in found.items():
            limits.append(limit_of(table.rows, margins, groups != group, share, spare))
    return {group: float(np.mean(limits)) for group, limits in found.items()}


def tested(
    material: Material, margins: Floats, seen: Seen, history: Seen, workload: str, **options: Any
) -> tuple[Result, Fit]:
    """Other sessions than the training sessions: fitted on all of those, limits carried over as they are."""
    everything = np.ones(material.table.rows.sessions, bool)
    fit = fitted(material, everything, **options)
    table = tabled(seen, cross_fitted(workload, seen, history))
    limits = {
        name: np.full(
            table.rows.sessions, limit_of(material.table.rows, margins, everything, share, SPARE[workload][name])
        )
        for name, share in CUTS.items()
    }
    return Result(table, fit.margins(table.values), limits), fit


def adaptive(result: Result, usual: Floats, *, own: Rows | None = None, margins: Floats | None = None) -> Result:
    """The same margins with limits suited to each role by its own ordinary sessions of the other fold.

    Args:
        result: see there.
        usual: highest margins of ordinary sessions of the training data.
        own: sessions to suit by, the tested ones if None.
        margins: of their actions.
    """
    rows = own or result.table.rows
    best = highest(rows, result.margins if margins is None else margins)
    prior = [round(float(q) * UNIT) for q in np.quantile(usual[np.isfinite(usual)], np.linspace(0, 1, 101))]
    tested_rows = result.table.rows
    found = {}
    for name, share in CUTS.items():
        limit = np.zeros(tested_rows.sessions)
        for suite in np.unique(tested_rows.suite):
            for fold in np.unique(tested_rows.fold):
                of = (rows.suite == suite) & (rows.fold != fold) & (rows.label == "benign") & np.isfinite(best)
                ranked = sorted(round(float(margin) * UNIT) for margin in best[of])
                here = (tested_rows.suite == suite) & (tested_rows.fold == fold)
                limit[here] = blend_threshold(ranked, prior, round(share * 1000)) / UNIT
        found[name] = limit
    return Result(result.table, result.margins, found)


def left_out(rows: Rows, what: str, parts: int = 8) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """(name, sessions) to leave out together: each suite or source; goals and techniques in `parts` parts."""
    names = getattr(rows, LEAVES[what])
    every = sorted(name for name in set(names.tolist()) if name)
    if what in ("suite", "source"):
        for name in every:
            yield name, names == name
        return
    for part in range(parts):
        here = [name for name in every if spread(name) % parts == part]
        if here:
            yield f"{what}s {part + 1} of {parts}", np.isin(names, here)


def apart(material: Material, margins: Floats, what: str, spare: Mapping[str, float], **options: Any) -> Result:
    """Margins of each part from a fit without it; limits carried from ordinary sessions that are not of it.

    Those sessions' own margins are the out-of-fold ones of the whole data. Ordinary sessions that belong to no goal or
    technique keep their out-of-fold margin.
    """
    table = material.table
    found = margins.copy()
    limits = {name: np.zeros(table.rows.sessions) for name in CUTS}
    everything = np.ones(table.rows.sessions, bool)
    for name, share in CUTS.items():
        limits[name][:] = limit_of(table.rows, margins, everything, share, spare[name])
    for _, out in left_out(table.rows, what):
        fit = fitted(material, ~out, **options)
        tested_rows = out[table.rows.session]
        found[tested_rows] = fit.margins(table.values[tested_rows])
        for name, share in CUTS.items():
            if what in ("suite", "source"):
                limits[name][out] = limit_of(table.rows, margins, ~out, share, spare[name])
    return Result(table, found, limits)


def own_cut(result: Result) -> dict[str, Any]:
    """Rates at the test's own 5% cut for each suite: how well it ranks, whatever the limit."""
    rows = result.table.rows
    limit = np.zeros(rows.sessions)
    for suite in np.unique(rows.suite):
        limit[rows.suite == suite] = cut_of(rows, result.margins, rows.suite == suite, 0.05)
    return rates(rows, result.margins, limit)
