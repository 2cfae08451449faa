"""What baselines and models say of the actions of recorded sessions, cross-fitted, for an offline replay.

A baseline never holds a session that it judges: `novel` baselines hold other user tasks only, `recurring` ones the runs
of the same tasks by other models. A model never saw the task that it judges, and with unseen goals not the goal either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final
from zlib import crc32

from halo_core.model import ActionKind, Resource
from halo_core.risk.baseline import Baseline, ValueFingerprints, fit_baseline
from halo_core.risk.features import FEATURE_INDEX, compute_features
from halo_core.risk.model import RiskModel
from halo_core.risk.observation import ActionObservation, observe_action
from halo_core.risk.profile import Profile, ProposedAction
from halo_studies.recordings.sessions import Session
from halo_studies.redrive.offline import Judgement, register

__all__ = ["FOLDS", "Judge", "fold_of", "observe_session"]

FOLDS: Final = 5
_KEY: Final = b"redrive"
_GENERAL_NEW: Final = FEATURE_INDEX["general_new"]


def fold_of(session: Session) -> int:
    """Which of five folds of user tasks a session belongs to, for its baseline."""
    return crc32(f"{session.suite}/{session.request}".encode()) % FOLDS


def observe_session(session: Session, declare: Callable[[str, str], Resource | None]) -> list[ActionObservation]:
    """The actions of a session as its profile sees them."""
    profile = Profile(_KEY)
    profile.add_request_text(session.request)
    observations = []
    for event in session.events:
        impact = register(declare(event.tool, event.kind), event.kind, event.tool, tuple(sorted(event.args))).impact
        seen = observe_action(profile, ProposedAction(event.tool, ActionKind(event.kind), impact, event.args))
        observations.append(seen)
        profile.record_action(seen.tool, seen.action_fingerprint, acts=not seen.is_read, sums=profile.sums)
        profile.observe_result(event.tool, event.error or event.result, named_by_request=seen.named_by_request)
    return observations


class Judge:
    """Judges sessions against the benign ones of the same role.

    Args:
        everything: all recorded sessions.
        declare: declarations of their tools.
        recurring: runs of the same task by other models may be in a baseline.
        models: by the fold that they never saw; empty for judgements without a risk.
        established: targets that benign sessions of at least two models went to are established.
    """

    def __init__(
        self,
        everything: Sequence[Session],
        declare: Callable[[str, str], Resource | None],
        *,
        recurring: bool = False,
        models: Mapping[str, RiskModel] | None = None,
        established: bool = False,
    ) -> None:
        self._declare = declare
        self._recurring = recurring
        self._models = models or {}
        self._established = established
        self._benign: dict[str, list[tuple[Session, list[ActionObservation]]]] = {}
        for session in everything:
            if session.label == "benign" and session.events:
                row = session, observe_session(session, declare)
                self._benign.setdefault(session.suite, []).append(row)
        self._baselines: dict[tuple[str, object], tuple[Baseline, frozenset[int]]] = {}

    def judge(self, session: Session) -> list[Judgement]:
        """A judgement of each action."""
        baseline, established = self._baseline_of(session)
        model = self._models.get(session.fold)
        judgements = []
        sums = Profile(_KEY).sums
        for seen in observe_session(session, self._declare):
            values, sums = compute_features(seen, baseline, sums, _KEY)
            margin = model.compute_margin(values) if model is not None else 0
            judgements.append(
                Judgement(
                    risk=model.risk_of(margin) if model is not None else None,
                    is_established=self._established and _is_established(seen, established),
                    knows_places=values[_GENERAL_NEW] == 0,
                )
            )
        return judgements

    def _baseline_of(self, session: Session) -> tuple[Baseline, frozenset[int]]:
        part: object = session.model if self._recurring else fold_of(session)
        key = session.suite, part
        if key not in self._baselines:
            others = [
                (other, seen)
                for other, seen in self._benign.get(session.suite, ())
                if (other.model != session.model if self._recurring else fold_of(other) != part)
            ]
            baseline = fit_baseline([seen for _, seen in others], _KEY)
            self._baselines[key] = baseline, _find_established(others)
        return self._baselines[key]


def _find_established(others: Iterable[tuple[Session, list[ActionObservation]]]) -> frozenset[int]:
    """Values that sessions of at least two models named at a place; a model stands for a principal."""
    models: dict[int, set[str]] = {}
    for session, observations in others:
        for seen in observations:
            for item in seen.evidence:
                if item.value.is_naming:
                    models.setdefault(ValueFingerprints(seen, item, _KEY).value, set()).add(session.model)
    return frozenset(value for value, names in models.items() if len(names) >= 2)


def _is_established(seen: ActionObservation, established: frozenset[int]) -> bool:
    values = [ValueFingerprints(seen, item, _KEY).value for item in seen.evidence if item.value.is_naming]
    return bool(values) and established.issuperset(values)
