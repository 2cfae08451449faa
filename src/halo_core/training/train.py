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
from halo_core.training.feature_tables import WORKLOADS, Table, cross_fitted, folds_of, last_actions, shrunk, tabled
from halo_core.training.fitting import MEMBERS, Fit, Material, bound, cross, fitted, margins_of, shipped
from halo_core.training.made_up_hijacks import make_hijacks
from halo_core.training.metrics import CUTS, RATES, Floats, Ints, Rows, cut_of, highest, intervals, rates
from halo_core.training.sessions import Seen, TrainingSession, observe_sessions

SHIPPED: Final = tuple(replace(member, views=3) for member in MEMBERS)
"""What a model is trained as: more views than studies measure with."""
_MADE_OF_EACH: Final = 3
_SEED_OF_MADE_UP: Final = 11
_LEAST_SESSIONS: Final = 20
_LEAST_TASKS: Final = 2


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """How a model is trained.

    Args:
        size: hundredths of the trees, for quick runs.
        seed: of all randomness.
        leave_roles: measure each role left out of training too, where there are several; one more fit for each.
    """

    size: int = 100
    seed: int = 0
    leave_roles: bool = False


@dataclass(frozen=True)
class Trained:
    """A trained model.

    Args:
        model: it.
        figures: rates 0..1 out of fold for each workload and cut, with intervals; `roles_left_out` where asked for.
        highest: name of an ordinary session → its highest out-of-fold margin for a new task, in micro-units. Limits
            must not be set on margins of the model itself, which has learnt from these sessions.
    """

    model: RiskModel
    figures: Mapping[str, Any]
    highest: Mapping[str, int]


@dataclass(frozen=True)
class Views:
    """The same actions, each in several ways.

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
        """What is trained on."""
        others = [table for name, table in self.tables.items() if name != "novel"]
        return Material(self.tables["novel"], (*others, *self.shrunk), self.made_up)


def train_model(
    sessions: Sequence[TrainingSession],
    options: TrainingOptions = TrainingOptions(),
    *,
    live: Seen | None = None,
    note: Callable[[str], None] = lambda _: None,
) -> Trained:
    """Train a model.

    Args:
        sessions: recorded ones, with their labels.
        options: how.
        live: the same sessions as an enforcement point would have observed them, if that is another way.
        note: called with what is done next.

    Raises:
        BadInput: `too_little_data`, fewer than 20 ordinary sessions or than two tasks.
    """
    _require_enough(sessions)
    note("comparing actions with baselines")
    return fit_views(make_views(sessions, live), sessions, options, note=note)


def _require_enough(sessions: Sequence[TrainingSession]) -> None:
    ordinary = [session for session in sessions if session.label == "benign"]
    if len(ordinary) < _LEAST_SESSIONS or len({session.task for session in ordinary}) < _LEAST_TASKS:
        problem = f"{len(ordinary)} ordinary sessions of {len({session.task for session in ordinary})} tasks"
        remedy = f"record at least {_LEAST_SESSIONS} of {_LEAST_TASKS} tasks, or use the model that is shipped"
        raise BadInput("too_little_data", problem, field="sessions", remedy=remedy)


def make_views(sessions: Sequence[TrainingSession], live: Seen | None = None, *, seen: Seen | None = None) -> Views:
    """See `Views`.

    Args:
        sessions: recorded ones.
        live: as an enforcement point would have observed them, if that is another way.
        seen: their observations, if they were made before.
    """
    seen = observe_sessions(sessions) if seen is None else seen
    made = observe_made_up(seen)
    ways = [(workload, workload, seen) for workload in WORKLOADS]
    ways += [("live", "novel", live)] if live is not None else []
    few = [tabled(of, shrunk(workload, of, number)) for number, (_, workload, of) in enumerate(ways)]
    return Views(
        {name: tabled(of, cross_fitted(workload, of)) for name, workload, of in ways},
        tuple(reversed(few)),
        tuple(made_up_table(made, seen, workload) for workload in WORKLOADS),
    )


def observe_made_up(seen: Seen) -> Seen:
    """Made-up hijacks from these sessions, observed."""
    sessions = [session for session, _ in seen]
    return observe_sessions(make_hijacks(sessions, each=_MADE_OF_EACH, seed=_SEED_OF_MADE_UP))


def made_up_table(made: Seen, seen: Seen, workload: str) -> Table:
    """The last action of each made-up hijack, against baselines of the sessions they were made from."""
    return last_actions(tabled(made, cross_fitted(workload, seen)))


def fit_views(
    views: Views,
    sessions: Sequence[TrainingSession],
    options: TrainingOptions = TrainingOptions(),
    *,
    note: Callable[[str], None] = lambda _: None,
) -> Trained:
    """As `train_model`, of views that were made before."""
    tables, material = views.tables, views.material
    groups = folds_of(material.table.rows)
    how = {"size": options.size, "seed": options.seed}
    note("fitting out of fold")
    _, fits = cross(material, groups, SHIPPED, **how)
    margins = {name: margins_of(table, groups, fits) for name, table in tables.items()}
    note("fitting on everything")
    fit = fitted(material, np.ones(len(groups), bool), SHIPPED, **how)
    made_up = _margins_of_made_up(material, groups, fits)
    model = _ship(fit, tables, margins, sessions, options, made_up=made_up)
    figures = _measure(model, tables, margins, groups)
    if options.leave_roles:
        figures["roles_left_out"] = _leave_roles(views, options, note)
    return Trained(model, figures, _highest(tables["novel"].rows, margins["novel"], sessions))


def _margins_of_made_up(material: Material, groups: Any, fits: Mapping[int, Fit]) -> Floats:
    """Out-of-fold margins of made-up hijacks, for models without a recorded one to calibrate by."""
    fold = dict(zip(material.table.rows.task.tolist(), groups.tolist(), strict=True))
    found = [np.zeros(0)]
    for made in material.made_up[-1:]:
        task = made.rows.task[made.rows.session]
        for group, fit in fits.items():
            found.append(fit.margins(made.values[np.array([fold[name] == group for name in task], bool)]))
    return np.concatenate(found)


def _highest(rows: Rows, margins: Floats, sessions: Sequence[TrainingSession]) -> dict[str, int]:
    best = highest(rows, margins)
    return {
        session.id: round(float(margin) * UNIT)
        for session, margin in zip(sessions, best, strict=True)
        if session.label == "benign" and np.isfinite(margin)
    }


def _leave_roles(views: Views, options: TrainingOptions, note: Callable[[str], None]) -> dict[str, Any]:
    """Rates of each role from a fit that never saw it, at the limit of the others and at one suited to the role."""
    table, material = views.tables["novel"], views.material
    roles = np.unique(table.rows.suite).tolist()
    margins = np.zeros(len(table.values))
    for role in roles if len(roles) > 1 else ():
        note(f"fitting without {role}")
        here = table.rows.suite == role
        fit = fitted(material, ~here, SHIPPED, size=options.size, seed=options.seed)
        margins[here[table.rows.session]] = fit.margins(table.values[here[table.rows.session]])
    found = {}
    for role in roles if len(roles) > 1 else ():
        here = table.rows.suite == role
        limits = {cut: np.full(len(here), limit_of(table.rows, margins, ~here, share)) for cut, share in CUTS.items()}
        result = Result(table, margins, limits)
        best = highest(table.rows, margins)[(~here) & (table.rows.label == "benign")]
        found[role] = result.rates(here) | {"adaptive": adaptive(result, best).rates(here)}
    return found


def _ship(
    fit: Fit,
    tables: Mapping[str, Table],
    margins: Mapping[str, Floats],
    sessions: Sequence[TrainingSession],
    options: TrainingOptions,
    *,
    made_up: Floats,
) -> RiskModel:
    every = np.ones(len(sessions), bool)
    limits = {
        f"{name}_{cut}": limit_of(table.rows, margins[name], every, share, _spare(name)[cut])
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
    return shipped(fit, tables[base], margins[base], limits, about, made_up=made_up)


def _spare(workload: str) -> Mapping[str, float]:
    return SPARE.get(workload, SPARE["novel"])


def _measure(
    model: RiskModel, tables: Mapping[str, Table], margins: Mapping[str, Floats], groups: Any
) -> dict[str, Any]:
    usual = np.array(model.usual_margins, float) / UNIT
    found: dict[str, Any] = {"bound": max(bound(forest) for _, forest in model.forests)}
    for workload, table in tables.items():
        result = Result(table, margins[workload], carried(table, margins[workload], groups, _spare(workload)))
        suites = np.unique(table.rows.suite).tolist()
        found[workload] = {
            **result.rates(),
            "intervals": {cut: intervals(table.rows, result.margins, limit) for cut, limit in result.limits.items()},
            "adaptive": adaptive(result, usual).rates(),
            "per_suite": {suite: result.rates(table.rows.suite == suite) for suite in suites},
        }
    return found


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
        return {name: rates(self.table.rows, self.margins, limit, chosen) for name, limit in self.limits.items()}


def limit_of(rows: Rows, margins: Floats, chosen: NDArray[np.bool_], share: float, spare: float = 0.0) -> float:
    """The carried limit: of no training folder's ordinary sessions lies more than a share above, whatever their kind.

    Benign, resisted and control sessions count each for themselves, and one folder's do not make up for another's.
    Sessions of one user task are alike, so few tasks guarantee no share of those of another task, however many sessions
    they have: with fewer than `LEAST_TASKS` the limit lies above all ordinary sessions, by as much as these differ.

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
    if len(np.unique(rows.task[chosen & (rows.label == "benign")])) < LEAST_TASKS:
        usual = best[chosen & np.isin(rows.label, list(RATES.values())) & np.isfinite(best)]
        found.append(2 * usual.max() - usual.min() if len(usual) else np.inf)
    return float(max(found))


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


def adaptive(result: Result, usual: Floats) -> Result:
    """The same margins with limits suited to each role by its own ordinary sessions of the other fold.

    Args:
        result: see there.
        usual: highest margins of ordinary sessions of the training data.
    """
    rows = result.table.rows
    best = highest(rows, result.margins)
    prior = [round(float(q) * UNIT) for q in np.quantile(usual[np.isfinite(usual)], np.linspace(0, 1, 101))]
    found = {}
    for name, share in CUTS.items():
        limit = np.zeros(rows.sessions)
        for suite in np.unique(rows.suite):
            for fold in np.unique(rows.fold):
                of = (rows.suite == suite) & (rows.fold != fold) & (rows.label == "benign") & np.isfinite(best)
                ranked = sorted(round(float(margin) * UNIT) for margin in best[of])
                here = (rows.suite == suite) & (rows.fold == fold)
                limit[here] = suit_threshold(ranked, prior, round(share * 1000)) / UNIT
        found[name] = limit
    return Result(result.table, result.margins, found)
