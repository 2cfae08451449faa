"""The protocol of the detection study: how margins, limits and rates are made without looking at test labels.

Limits are carried: set once, on out-of-fold ordinary sessions of the training data. Where the test sessions are the
training sessions themselves, everything is cross-fitted: a session's margin comes from a fit that saw none of its
user task, its limit from the other tasks' sessions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from halo_core.training.feature_tables import (
    LIMIT_DRAWS,
    build_table,
    hash_to_number,
    make_baseline_picker,
    make_small_baseline_picker,
)
from halo_core.training.fitting import MEMBERS, Fit, Material, Member, compute_out_of_fold_margins, fit_members
from halo_core.training.metrics import CUTS, Floats, Ints, Rows, compute_rates, find_cut
from halo_core.training.sessions import Seen
from halo_core.training.train import SPARE, Result, build_made_up_table, find_limit, observe_made_up

FEW: Final = {100: (0.02, 0.3)}
"""Sessions in a baseline that are few → the share of its limit, and standard errors by which it is undercut."""
EVERY: Final = -1
"""The group of whoever is in none."""
LEAVES: Final = {"suite": "suite", "goal": "goal", "technique": "attack", "source": "source"}


def material_of(seen: Seen, workload: str, members: Sequence[Member] = MEMBERS) -> Material:
    """Everything a detector is trained on, of these sessions."""
    pick = make_baseline_picker(workload, seen)
    table = build_table(seen, pick)
    wanted = max((member.views for member in members), default=0)
    views = tuple(build_table(seen, make_small_baseline_picker(workload, seen, number)) for number in range(wanted))
    return Material(table, views, (build_made_up_table(observe_made_up(seen), seen, workload),))


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
    for draw in LIMIT_DRAWS:
        table = build_table(seen, make_baseline_picker(workload, seen, limit=sessions, draw=draw))
        margins = compute_out_of_fold_margins(table, groups, fits)
        for group, limits in found.items():
            limits.append(find_limit(table.rows, margins, groups != group, share, spare))
    return {group: float(np.mean(limits)) for group, limits in found.items()}


def tested(
    material: Material, margins: Floats, seen: Seen, history: Seen, workload: str, **options: Any
) -> tuple[Result, Fit]:
    """Other sessions than the training sessions: fitted on all of those, limits carried over as they are."""
    everything = np.ones(material.table.rows.sessions, bool)
    fit = fit_members(material, everything, **options)
    table = build_table(seen, make_baseline_picker(workload, seen, history))
    limits = {
        name: np.full(
            table.rows.sessions, find_limit(material.table.rows, margins, everything, share, SPARE[workload][name])
        )
        for name, share in CUTS.items()
    }
    return Result(table, fit.margins(table.values), limits), fit


def left_out(rows: Rows, what: str, parts: int = 8) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """(name, sessions) to leave out together: each suite or source; goals and techniques in `parts` parts."""
    names = getattr(rows, LEAVES[what])
    every = sorted(name for name in set(names.tolist()) if name)
    if what in ("suite", "source"):
        for name in every:
            yield name, names == name
        return
    for part in range(parts):
        here = [name for name in every if hash_to_number(name) % parts == part]
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
        limits[name][:] = find_limit(table.rows, margins, everything, share, spare[name])
    for _, out in left_out(table.rows, what):
        fit = fit_members(material, ~out, **options)
        tested_rows = out[table.rows.session]
        found[tested_rows] = fit.margins(table.values[tested_rows])
        for name, share in CUTS.items():
            if what in ("suite", "source"):
                limits[name][out] = find_limit(table.rows, margins, ~out, share, spare[name])
    return Result(table, found, limits)


def own_cut(result: Result) -> dict[str, Any]:
    """Rates at the test's own 5% cut for each suite: how well it ranks, whatever the limit."""
    rows = result.table.rows
    limit = np.zeros(rows.sessions)
    for suite in np.unique(rows.suite):
        limit[rows.suite == suite] = find_cut(rows, result.margins, rows.suite == suite, 0.05)
    return compute_rates(rows, result.margins, limit)
