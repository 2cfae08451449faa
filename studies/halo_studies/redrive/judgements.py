"""What baselines and models say of the actions of recorded sessions, cross-fitted, for an offline replay.

A baseline never holds a session that it judges: `novel` baselines hold other user tasks only, `recurring` ones the runs
of the same tasks by other models. A model never saw the task that it judges, and with unseen goals not the goal either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final
from zlib import crc32

from halo_core.model import ActionKind, Resource
from halo_core.risk.baseline import Baseline, ValueFingerprints, fit_baseline
from halo_core.risk.feature_catalogue import FEATURE_INDEX
from halo_core.risk.features import compute_features
from halo_core.risk.model import RiskModel
from halo_core.risk.observation import ActionObservation, observe_action
from halo_core.risk.profile import Profile, ProposedAction
from halo_core.values.kinds.addresses import canonicalize_email
from halo_core.values.provenance.leaves import parse_leaves
from halo_studies.recordings.sessions import Session
from halo_studies.redrive.offline import Judgement, register

__all__ = ["FOLDS", "Judge", "fold_of", "observe_session"]

FOLDS: Final = 5
_KEY: Final = b"redrive"
_MAX_ADDRESS: Final = 128
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
        self._contacts: dict[tuple[str, object], frozenset[tuple[str, str]]] = {}

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

    def contacts_of(self, session: Session) -> frozenset[tuple[str, str]]:
        """The address book that an operator would have imported: whom users of other sessions named and wrote to.

        Cross-fitted as the baselines: other user tasks only, or with `recurring` other models' runs.
        """
        key = self._key_of(session)
        if key not in self._contacts:
            self._contacts[key] = frozenset(
                ("email", address)
                for other, _ in self._list_others(session)
                for event in other.events
                for address in _list_addresses(event.args)
                if _names_person(other.request, address)
            )
        return self._contacts[key]

    def _key_of(self, session: Session) -> tuple[str, object]:
        return session.suite, session.model if self._recurring else fold_of(session)

    def _list_others(self, session: Session) -> list[tuple[Session, list[ActionObservation]]]:
        """The benign sessions of a role that may stand in what is used to judge a session."""
        return [
            (other, seen)
            for other, seen in self._benign.get(session.suite, ())
            if (other.model != session.model if self._recurring else fold_of(other) != fold_of(session))
        ]

    def _baseline_of(self, session: Session) -> tuple[Baseline, frozenset[int]]:
        key = self._key_of(session)
        if key not in self._baselines:
            others = self._list_others(session)
            baseline = fit_baseline([seen for _, seen in others], _KEY)
            self._baselines[key] = baseline, _find_established(others)
        return self._baselines[key]


def _list_addresses(args: Mapping[str, object]) -> Iterable[str]:
    texts = (leaf.text for leaf in parse_leaves(args) if "@" in leaf.text and len(leaf.text) <= _MAX_ADDRESS)
    return filter(None, map(canonicalize_email, texts))


def _names_person(request: str, address: str) -> bool:
    """Whether a request has a part of the name in an address: `alice` or `miller` of `alice.miller@corp.example`."""
    words = {word.casefold() for word in re.findall(r"[^\W\d_]{3,}", request)}
    parts = re.findall(r"[^\W\d_]{3,}", address.partition("@")[0])
    return not words.isdisjoint(parts)


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
