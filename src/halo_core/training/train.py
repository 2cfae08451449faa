"""Trains a behaviour model: from recorded sessions to integer tables with their figures.

Every action is learnt from in several views: against a baseline that knows its task, against one that does not, and
each once more against a baseline of few sessions. One booster learns from the recorded actions alone, another from
made-up hijacks too; their margins are averaged. Out-of-fold margins (five folds by task) determine the calibration and
the limits; the model itself is then fitted on everything. The same sessions and seed give the same bytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import sklearn
from numpy.typing import NDArray

from halo_core.errors import BadInput
from halo_core.risk.baseline import suit_threshold
from halo_core.risk.forest import UNIT
from halo_core.risk.model import RiskModel
from halo_core.training.feature_tables import (
    WORKLOADS,
    Table,
    assign_folds,
    build_table,
    make_baseline_picker,
    make_small_baseline_picker,
    select_last_actions,
)
from halo_core.training.fitting import (
    MEMBERS,
    Fit,
    Material,
    build_model,
    compute_out_of_fold_margins,
    compute_rounding_bound,
    fit_members,
    fit_out_of_fold,
)
from halo_core.training.made_up_hijacks import make_hijacks
from halo_core.training.metrics import (
    CUTS,
    RATES,
    Floats,
    Ints,
    Rows,
    compute_intervals,
    compute_rates,
    find_cut,
    find_highest_scores,
)
from halo_core.training.sessions import Seen, TrainingSession, observe_sessions

SHIPPED_MEMBERS: Final = tuple(replace(member, views=3) for member in MEMBERS)
"""What a model is trained as: more views than studies measure with."""
_MADE_OF_EACH: Final = 3
_SEED_OF_MADE_UP: Final = 11
_LEAST_SESSIONS: Final = 20
_LEAST_TASKS: Final = 2
_LEAST_ROLES: Final = 2  # to leave one out


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """How a model is trained.

    Args:
        size: hundredths of the trees, for quick runs.
        seed: seed of all randomness.
        leave_roles: measure each role left out of training too, where there are several; one more fit for each.
    """

    size: int = 100
    seed: int = 0
    leave_roles: bool = False


@dataclass(frozen=True)
class Trained:
    """A trained model.

    Args:
        model: the model, as it can be packed and put in force.
        figures: rates 0..1 out of fold for each workload and cut, with intervals; `roles_left_out` where asked for.
        highest: name of an ordinary session → its highest out-of-fold margin for a new task, in micro-units. Limits
            must not be set on margins of the model itself, which has learnt from these sessions.
    """

    model: RiskModel
    figures: Mapping[str, Any]
    highest: Mapping[str, int]


@dataclass(frozen=True)
class Views:
    """The same actions, compared with several kinds of baselines.

    Args:
        tables: for each workload, and `live` where there is one: as an enforcement point would observe new tasks.
        shrunk: the same, against baselines of few sessions; the last table's first.
        made_up: made-up hijacks, for each workload.
    """

    tables: Mapping[str, Table]
    shrunk: tuple[Table, ...]
    made_up: tuple[Table, ...] = field(default=())

    @property
    def material(self) -> Material:
        """The training material."""
        others = [table for name, table in self.tables.items() if name != "novel"]
        return Material(self.tables["novel"], (*others, *self.shrunk), self.made_up)


def train_model(
    sessions: Sequence[TrainingSession],
    options: TrainingOptions = TrainingOptions(),
    *,
    note: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Train a model.

    Args:
        sessions: recorded sessions, with their labels.
        options: size, seed and what is measured.
        note: called with the name of each stage when it begins.

    Raises:
        BadInput: `too_little_data`, fewer than 20 ordinary sessions or than two tasks.
    """
    _require_enough(sessions)
    note("comparing actions with baselines")
    return fit_views(make_views(sessions), sessions, options, note=note)


def _require_enough(sessions: Sequence[TrainingSession]) -> None:
    ordinary = [session for session in sessions if session.label == "benign"]
    if len(ordinary) < _LEAST_SESSIONS or len({session.task for session in ordinary}) < _LEAST_TASKS:
        problem = f"{len(ordinary)} ordinary sessions of {len({session.task for session in ordinary})} tasks"
        remedy = f"record at least {_LEAST_SESSIONS} of {_LEAST_TASKS} tasks, or use the model that is shipped"
        raise BadInput("too_little_data", problem, field="sessions", remedy=remedy)


def make_views(sessions: Sequence[TrainingSession], live: Seen | None = None, *, seen: Seen | None = None) -> Views:
    """Make the views of sessions that a model is trained on.

    Args:
        sessions: recorded sessions.
        live: their observations as an enforcement point would have made them, where these differ.
        seen: their observations, if they were made before.
    """
    seen = observe_sessions(sessions) if seen is None else seen
    made_up = observe_made_up(seen)
    sources = [(workload, workload, seen) for workload in WORKLOADS]
    sources += [("live", "novel", live)] if live is not None else []
    small = [
        build_table(observed, make_small_baseline_picker(workload, observed, number))
        for number, (_, workload, observed) in enumerate(sources)
    ]
    return Views(
        {name: build_table(observed, make_baseline_picker(workload, observed)) for name, workload, observed in sources},
        tuple(reversed(small)),
        tuple(build_made_up_table(made_up, seen, workload) for workload in WORKLOADS),
    )


def observe_made_up(seen: Seen) -> Seen:
    """Make up hijacks from these sessions, and observe them."""
    sessions = [session for session, _ in seen]
    return observe_sessions(make_hijacks(sessions, each=_MADE_OF_EACH, seed=_SEED_OF_MADE_UP))


def build_made_up_table(made_up: Seen, seen: Seen, workload: str) -> Table:
    """The last action of each made-up hijack, against baselines of the sessions they were made from."""
    return select_last_actions(build_table(made_up, make_baseline_picker(workload, seen)))


def fit_views(
    views: Views,
    sessions: Sequence[TrainingSession],
    options: TrainingOptions = TrainingOptions(),
    *,
    note: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Train a model on views that were made before; see `train_model`."""
    tables, material = views.tables, views.material
    groups = assign_folds(material.table.rows)
    note("fitting out of fold")
    _, fits = fit_out_of_fold(material, groups, SHIPPED_MEMBERS, size=options.size, seed=options.seed)
    margins = {name: compute_out_of_fold_margins(table, groups, fits) for name, table in tables.items()}
    note("fitting on everything")
    everything = np.ones(len(groups), bool)
    fit = fit_members(material, everything, SHIPPED_MEMBERS, size=options.size, seed=options.seed)
    made_up = _compute_made_up_margins(material, groups, fits)
    model = _build_shipped_model(fit, tables, margins, sessions, options, made_up=made_up)
    figures = _measure(model, tables, margins, groups)
    if options.leave_roles:
        figures["roles_left_out"] = _measure_left_out_roles(views, options, note)
    return Trained(model, figures, _list_highest_margins(tables["novel"].rows, margins["novel"], sessions))


def _compute_made_up_margins(material: Material, groups: Any, fits: Mapping[int, Fit]) -> Floats:
    """Out-of-fold margins of made-up hijacks, which calibrate a model if no hijack was recorded."""
    fold_by_task = dict(zip(material.table.rows.task.tolist(), groups.tolist(), strict=True))
    margins = [np.zeros(0)]
    for table in material.made_up[-1:]:
        tasks = table.rows.task[table.rows.session]
        for group, fit in fits.items():
            is_in_group = np.array([fold_by_task[task] == group for task in tasks], bool)
            margins.append(fit.margins(table.values[is_in_group]))
    return np.concatenate(margins)


def _list_highest_margins(rows: Rows, margins: Floats, sessions: Sequence[TrainingSession]) -> dict[str, int]:
    highest = find_highest_scores(rows, margins)
    return {
        session.id: round(float(margin) * UNIT)
        for session, margin in zip(sessions, highest, strict=True)
        if session.label == "benign" and np.isfinite(margin)
    }


def _measure_left_out_roles(views: Views, options: TrainingOptions, note: Callable[[str], None]) -> dict[str, Any]:
    """Rates of each role from a fit without it, at the others' limit and at one adapted to the role."""
    table, material = views.tables["novel"], views.material
    rows = table.rows
    roles = np.unique(rows.suite).tolist()
    if len(roles) < _LEAST_ROLES:
        return {}
    margins = np.zeros(len(table.values))
    for role in roles:
        note(f"fitting without {role}")
        has_role = rows.suite == role
        fit = fit_members(material, ~has_role, SHIPPED_MEMBERS, size=options.size, seed=options.seed)
        is_of_role = has_role[rows.session]
        margins[is_of_role] = fit.margins(table.values[is_of_role])
    rates = {}
    for role in roles:
        has_role = rows.suite == role
        limits = {
            cut: np.full(len(has_role), find_limit(rows, margins, ~has_role, share)) for cut, share in CUTS.items()
        }
        result = Result(table, margins, limits)
        usual = find_highest_scores(rows, margins)[~has_role & (rows.label == "benign")]
        rates[role] = result.rates(has_role) | {"adaptive": adapt_limits(result, usual).rates(has_role)}
    return rates


def _build_shipped_model(
    fit: Fit,
    tables: Mapping[str, Table],
    margins: Mapping[str, Floats],
    sessions: Sequence[TrainingSession],
    options: TrainingOptions,
    *,
    made_up: Floats,
) -> RiskModel:
    all_sessions = np.ones(len(sessions), bool)
    limits = {
        f"{name}_{cut}": find_limit(table.rows, margins[name], all_sessions, share, _get_spare(name)[cut])
        for name, table in tables.items()
        for cut, share in CUTS.items()
    }
    about = {
        "data": sha256("\n".join(sorted(session.id for session in sessions)).encode()).hexdigest(),
        "scikit-learn": sklearn.__version__,
        "seed": str(options.seed),
        "sessions": str(len(sessions)),
    }
    base = "live" if "live" in tables else "novel"
    return build_model(fit, tables[base], margins[base], limits, about, made_up=made_up)


def _get_spare(workload: str) -> Mapping[str, float]:
    """The standard errors by which limits of a workload undercut their share, by cut."""
    return SPARE.get(workload, SPARE["novel"])


def _measure(
    model: RiskModel, tables: Mapping[str, Table], margins: Mapping[str, Floats], groups: Any
) -> dict[str, Any]:
    usual = np.array(model.usual_margins, float) / UNIT
    figures: dict[str, Any] = {"bound": max(compute_rounding_bound(forest) for _, forest in model.forests)}
    for workload, table in tables.items():
        result = Result(
            table, margins[workload], find_out_of_fold_limits(table, margins[workload], groups, _get_spare(workload))
        )
        suites = np.unique(table.rows.suite).tolist()
        figures[workload] = {
            **result.rates(),
            "intervals": {
                cut: compute_intervals(table.rows, result.margins, limit) for cut, limit in result.limits.items()
            },
            "adaptive": adapt_limits(result, usual).rates(),
            "per_suite": {suite: result.rates(table.rows.suite == suite) for suite in suites},
        }
    return figures


def pack_model(model: RiskModel) -> bytes:
    """A model as a file (`RiskModel.from_packed`)."""
    return zlib.compress(model.to_bytes(), 9)


LEAST_TASKS: Final = 20
"""User tasks of which the highest is passed by one more task in at most 5% of cases, whatever their distribution."""
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
        return {
            name: compute_rates(self.table.rows, self.margins, limit, chosen) for name, limit in self.limits.items()
        }


def find_limit(rows: Rows, margins: Floats, chosen: NDArray[np.bool_], share: float, spare: float = 0.0) -> float:
    """The limit above which at most a share of the ordinary sessions of each kind, in each training folder, lies.

    Benign, resisted and control sessions are counted separately, and so are the folders. Sessions of one user task are
    alike. So with few tasks no share is guaranteed for another task, however many sessions there are: below
    `LEAST_TASKS` the limit lies above all ordinary sessions, by as much as these differ.

    Args:
        rows: rows of the training data.
        margins: margins of its actions, out of fold.
        chosen: which sessions set the limit.
        share: share of the sessions that may lie above it, 0..1.
        spare: standard errors (over user tasks) by which the share is undercut.
    """
    highest = find_highest_scores(rows, margins)
    limits = [find_cut(rows, margins, chosen, share)]
    for folder in np.unique(rows.folder):
        for label in RATES.values():
            kind = chosen & (rows.folder == folder) & (rows.label == label)
            if kind.sum() >= 2 / share:
                limits.append(_find_undercut_limit(highest[kind], rows.task[kind], share, spare))
    if len(np.unique(rows.task[chosen & (rows.label == "benign")])) < LEAST_TASKS:
        usual = highest[chosen & np.isin(rows.label, list(RATES.values())) & np.isfinite(highest)]
        limits.append(2 * usual.max() - usual.min() if len(usual) else np.inf)
    return float(max(limits))


def _find_undercut_limit(highest: Floats, tasks: NDArray[np.str_], share: float, spare: float) -> float:
    """The limit that leaves `spare` standard errors (over tasks) less than a share of the highest scores above it."""
    limit = np.quantile(highest, 1 - share, method="higher")
    _, task_numbers = np.unique(tasks, return_inverse=True)
    excess = np.bincount(task_numbers, (highest > limit) - share)
    error = float(np.sqrt((excess**2).sum())) / len(highest)
    return float(np.quantile(highest, 1 - max(share - spare * error, share / 5), method="higher"))


def find_out_of_fold_limits(
    table: Table, margins: Floats, groups: Ints, spare: Mapping[str, float] = MappingProxyType({})
) -> dict[str, Floats]:
    """Limits for the training sessions themselves: each group's from the other groups' ordinary sessions."""
    limits = {}
    for name, share in CUTS.items():
        limit = np.zeros(table.rows.sessions)
        for group in np.unique(groups):
            limit[groups == group] = find_limit(table.rows, margins, groups != group, share, spare.get(name, 0.0))
        limits[name] = limit
    return limits


def adapt_limits(result: Result, usual: Floats) -> Result:
    """The same margins, with limits fitted to each role by its own ordinary sessions in the other fold.

    Args:
        result: margins with the limits that are replaced.
        usual: highest margins of ordinary sessions of the training data.
    """
    rows = result.table.rows
    highest = find_highest_scores(rows, result.margins)
    prior = [round(float(q) * UNIT) for q in np.quantile(usual[np.isfinite(usual)], np.linspace(0, 1, 101))]
    limits = {}
    for name, share in CUTS.items():
        limit = np.zeros(rows.sessions)
        for suite in np.unique(rows.suite):
            for fold in np.unique(rows.fold):
                is_history = (rows.suite == suite) & (rows.fold != fold) & (rows.label == "benign")
                ranked = sorted(round(float(margin) * UNIT) for margin in highest[is_history & np.isfinite(highest)])
                is_tested = (rows.suite == suite) & (rows.fold == fold)
                limit[is_tested] = suit_threshold(ranked, prior, round(share * 1000)) / UNIT
        limits[name] = limit
    return Result(result.table, result.margins, limits)
