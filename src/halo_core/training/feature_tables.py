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
from halo_core.training.metrics import NEVER, Ints, Rows
from halo_core.training.sessions import KEY, Seen, TrainingSession

WORKLOADS: Final = ("recurring", "novel")
BaselinePicker = Callable[[TrainingSession], Baseline]
SMALL_BASELINE_SIZES: Final = (60, 85, 120, 170, 240, 340)
"""How many sessions the baselines of `make_small_baseline_picker` hold."""
LIMIT_DRAWS: Final = (100, 101, 102)
"""Numbers of the draws that limits are set on; tests use the first few numbers, so that the two stay apart."""
FIRST_TRAINING_DRAW: Final = 1000
"""Number of the first draw that is trained on."""


def hash_to_number(text: str) -> int:
    """A number of 48 bits that depends on a text alone: the same text always takes the same place in a draw."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:12], 16)


@dataclass(frozen=True)
class Table:
    """Features of actions, one row each, with the labels of each action and its session."""

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
        before = (rows.event < first) & (first < NEVER)
        ordinary: NDArray[np.bool_] = (rows.wrong == 0) & (honest | before)
        return ordinary


def build_table(seen: Seen, pick: BaselinePicker) -> Table:
    """Compute the features of all actions, each against the baseline that `pick` gives for its session."""
    values, columns = [], []
    for number, (session, observations) in enumerate(seen):
        baseline = pick(session)
        sums: Sequence[int] = (0,) * 8
        for index, observation in observations:
            features, sums = compute_features(observation, baseline, sums, KEY)
            values.append(features)
            is_malicious = session.events[index].malicious
            columns.append((number, index, -1 if is_malicious is None else int(is_malicious)))
    return Table(np.array(values, np.int32).reshape(-1, len(FEATURES)), _build_rows(seen, np.array(columns, np.int64)))


def _build_rows(seen: Seen, columns: Ints) -> Rows:
    session, event, wrong = columns.reshape(-1, 3).T
    first = np.full(len(seen), NEVER, np.int64)
    np.minimum.at(first, session[wrong == 1], event[wrong == 1])
    names = ("label", "task", "goal", "suite", "fold", "attack", "model", "source", "folder")
    columns_by_name = {name: np.array([getattr(item, name) for item, _ in seen], dtype=str) for name in names}
    return Rows(session=session, event=event, wrong=wrong, first=first, **columns_by_name)


def select_last_actions(table: Table) -> Table:
    """Only the last action of each session."""
    rows = table.rows
    last = np.flatnonzero(np.diff(rows.session, append=-1))
    last_rows = replace(rows, session=rows.session[last], event=rows.event[last], wrong=rows.wrong[last])
    return Table(table.values[last], last_rows)


def make_baseline_picker(workload: str, *histories: Seen, limit: int = 0, draw: int = 0) -> BaselinePicker:
    """Make the function that gives a session its baseline: from ordinary sessions of the histories, without its own.

    Args:
        workload: `recurring` or `novel`; see the module.
        histories: sessions of which the benign ones may be in a baseline.
        limit: at most so many sessions in a baseline, drawn at random; 0 for all.
        draw: number of the draw.
    """
    benign: dict[str, list[tuple[TrainingSession, list[ActionObservation]]]] = defaultdict(list)
    for seen in histories:
        for session, observations in seen:
            if session.label == "benign":
                benign[session.suite].append((session, [observation for _, observation in observations]))
    baselines: dict[tuple[str, ...], Baseline] = {}
    tasks: dict[tuple[str, str], set[str]] = defaultdict(set)
    for session, _ in (item for seen in histories for item in seen):
        tasks[session.suite, session.fold].add(session.task)

    def pick(session: TrainingSession) -> Baseline:
        own = session.model if workload == "recurring" else session.fold
        name = (session.suite, own)
        if name not in baselines:
            # Folders may halve the same tasks differently: a task that any of them has in this fold is in no baseline.
            excluded = tasks[name] if workload == "novel" else set()
            others = [
                item
                for item in benign[session.suite]
                if _is_apart(item[0], own, workload) and item[0].task not in excluded
            ]
            if limit and len(others) > limit:
                others = sorted(others, key=lambda item: hash_to_number(f"{draw}:{item[0].id}"))[:limit]
            baselines[name] = fit_baseline((observations for _, observations in others), KEY)
        return baselines[name]

    return pick


def _is_apart(other: TrainingSession, own: str, workload: str) -> bool:
    return other.model != own if workload == "recurring" else other.fold != own


def make_small_baseline_picker(workload: str, seen: Seen, number: int) -> BaselinePicker:
    """Like `make_baseline_picker`, with baselines of few sessions (`SMALL_BASELINE_SIZES`), drawn by `number`.

    More is new to a baseline of a hundred sessions than to one of a thousand, and a model has to know both.
    """
    picks = [
        make_baseline_picker(workload, seen, limit=size, draw=FIRST_TRAINING_DRAW * (number + 1) + index)
        for index, size in enumerate(SMALL_BASELINE_SIZES)
    ]

    def pick(session: TrainingSession) -> Baseline:
        return picks[hash_to_number(f"{number}/{session.id}") % len(picks)](session)

    return pick


def assign_folds(rows: Rows, parts: int = 5) -> Ints:
    """The fold of each session for fitting: by its user task, with the tasks of each suite spread evenly."""
    tasks: dict[str, set[str]] = defaultdict(set)
    for suite, task in zip(rows.suite, rows.task, strict=True):
        tasks[suite].add(task)
    part = {
        task: index % parts for names in tasks.values() for index, task in enumerate(sorted(names, key=hash_to_number))
    }
    return np.array([part[task] for task in rows.task], np.int64)
