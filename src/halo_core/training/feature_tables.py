"""Feature tables of recorded actions, cross-fitted against baselines.

An action is compared with a baseline that does not hold its own session. For `recurring` the baseline holds ordinary
sessions of the role by other models, so it knows the same tasks. For `novel` it holds ordinary sessions of the role
from the other fold of tasks, so it knows none of them.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from halo_core.risk.baseline import Baseline, fit_baseline
from halo_core.risk.feature_catalogue import FEATURES
from halo_core.risk.features import compute_features
from halo_core.risk.observation import ActionObservation
from halo_core.training.metrics import Ints, Rows
from halo_core.training.sessions import KEY, Seen, TrainingSession

WORKLOADS: Final = ("recurring", "novel")
Pick = Callable[[TrainingSession], Baseline]
SIZES: Final = (60, 85, 120, 170, 240, 340)
"""Sessions in the baselines that `shrunk` draws."""
TO_SET: Final = (100, 101, 102)
"""Draws that set limits. What is tested are the first few, so that neither knows the other's."""
TO_TRAIN: Final = 1000
"""The first of the draws to train with."""
_NONE: Final = 10**9


def spread(text: str) -> int:
    """A number that depends on a text alone."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:12], 16)


@dataclass(frozen=True)
class Table:
    """Features with what the protocol knows of each action."""

    values: NDArray[np.int32]
    rows: Rows

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """Actions to learn as malicious."""
        label = self.rows.label[self.rows.session]
        wrong: NDArray[np.bool_] = (self.rows.wrong == 1) & np.isin(label, ("hijacked", "partial"))
        return wrong

    @property
    def ordinary(self) -> NDArray[np.bool_]:
        """Actions to learn as ordinary: all of honest sessions, and of hijacked ones what came before the hijack."""
        rows = self.rows
        label, first = rows.label[rows.session], rows.first[rows.session]
        honest = np.isin(label, ("benign", "control", "resisted"))
        before = (rows.event < first) & (first < _NONE)
        ordinary: NDArray[np.bool_] = (rows.wrong == 0) & (honest | before)
        return ordinary


def tabled(seen: Seen, pick: Pick) -> Table:
    """Features of all actions, each against the baseline that `pick` gives for its session."""
    values, columns = [], []
    for number, (session, looks) in enumerate(seen):
        baseline = pick(session)
        sums: Sequence[int] = (0,) * 8
        for at, look in looks:
            features, sums = compute_features(look, baseline, sums, KEY)
            values.append(features)
            marked = session.events[at].malicious
            columns.append((number, at, -1 if marked is None else int(marked)))
    return Table(np.array(values, np.int32).reshape(-1, len(FEATURES)), _rows(seen, np.array(columns, np.int64)))


def _rows(seen: Seen, columns: Ints) -> Rows:
    session, event, wrong = columns.reshape(-1, 3).T
    first = np.full(len(seen), _NONE, np.int64)
    np.minimum.at(first, session[wrong == 1], event[wrong == 1])
    names = ("label", "task", "goal", "suite", "fold", "attack", "model", "source", "folder")
    of = {name: np.array([getattr(item, name) for item, _ in seen], dtype=str) for name in names}
    return Rows(session=session, event=event, wrong=wrong, first=first, **of)


def last_actions(table: Table) -> Table:
    """The last action of each session alone."""
    rows = table.rows
    at = np.flatnonzero(np.diff(rows.session, append=-1))
    return Table(table.values[at], replace(rows, session=rows.session[at], event=rows.event[at], wrong=rows.wrong[at]))


def join(tables: Sequence[Table]) -> Table:
    """Tables one behind the other."""
    before = np.cumsum([0, *(table.rows.sessions for table in tables)])
    names = ("event", "wrong", "label", "task", "goal", "suite", "fold", "attack", "model", "source", "folder", "first")
    of = {name: np.concatenate([getattr(table.rows, name) for table in tables]) for name in names}
    session = np.concatenate([table.rows.session + at for table, at in zip(tables, before, strict=False)])
    return Table(np.concatenate([table.values for table in tables]), Rows(session=session, **of))


def cross_fitted(workload: str, *histories: Seen, limit: int = 0, draw: int = 0) -> Pick:
    """Baselines from ordinary sessions of all histories.

    Args:
        workload: see the module.
        histories: sessions that may be in a baseline, if they are benign.
        limit: at most so many sessions in a baseline, drawn at random; 0 for all.
        draw: number of the draw.
    """
    benign: dict[str, list[tuple[TrainingSession, list[ActionObservation]]]] = defaultdict(list)
    for seen in histories:
        for session, looks in seen:
            if session.label == "benign":
                benign[session.suite].append((session, [look for _, look in looks]))
    made: dict[tuple[str, ...], Baseline] = {}
    tasks: dict[tuple[str, str], set[str]] = defaultdict(set)
    for session, _ in (item for seen in histories for item in seen):
        tasks[session.suite, session.fold].add(session.task)

    def pick(session: TrainingSession) -> Baseline:
        own = session.model if workload == "recurring" else session.fold
        name = (session.suite, own)
        if name not in made:
            # Folders may halve the same tasks otherwise: what is in this fold anywhere is in no baseline for it.
            here = tasks[name] if workload == "novel" else set()
            others = [
                item for item in benign[session.suite] if _apart(item[0], own, workload) and item[0].task not in here
            ]
            if limit and len(others) > limit:
                others = sorted(others, key=lambda item: spread(f"{draw}:{item[0].id}"))[:limit]
            made[name] = fit_baseline((looks for _, looks in others), KEY)
        return made[name]

    return pick


def _apart(other: TrainingSession, own: str, workload: str) -> bool:
    return other.model != own if workload == "recurring" else other.fold != own


def shrunk(workload: str, seen: Seen, number: int) -> Pick:
    """Other baselines to train with: each session's holds few sessions, of one of `SIZES`, drawn anew by `number`.

    What is new to a baseline of a hundred sessions is not what is new to one of a thousand.
    """
    picks = [
        cross_fitted(workload, seen, limit=size, draw=TO_TRAIN * (number + 1) + at) for at, size in enumerate(SIZES)
    ]

    def pick(session: TrainingSession) -> Baseline:
        return picks[spread(f"{number}/{session.id}") % len(picks)](session)

    return pick


def folds_of(rows: Rows, parts: int = 5) -> Ints:
    """Fold of each session for fitting: by user task, each suite's tasks spread evenly."""
    tasks: dict[str, set[str]] = defaultdict(set)
    for suite, task in zip(rows.suite, rows.task, strict=True):
        tasks[suite].add(task)
    part = {task: at % parts for names in tasks.values() for at, task in enumerate(sorted(names, key=spread))}
    return np.array([part[task] for task in rows.task], np.int64)
