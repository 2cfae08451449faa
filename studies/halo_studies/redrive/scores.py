"""A cross-fitted behaviour score for a re-drive.

An agent of one fold of user tasks is scored by a model trained on the sessions of the other folds, against a baseline
of their benign sessions. Neither has seen a session or a user task that it scores.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from halo_core.baselines import SessionHistory, fit_score, put_in_force
from halo_core.crypto.keys import KeyStore
from halo_core.enforcement.guesses import guess_tool
from halo_core.enforcement.registry import complete_resource
from halo_core.model import ActionKind, Impact, Resource
from halo_core.risk.model import RiskModel
from halo_core.risk.observation import observe_action
from halo_core.risk.profile import Profile, ProposedAction
from halo_core.store.config import StoreConfig
from halo_core.store.store import Store
from halo_studies.recordings.sessions import BadData, Session
from halo_studies.redrive.roles import Role

__all__ = ["Scores", "scores_of"]


class Scores:
    """Models by the fold that they never saw: what `train_folds.py` wrote into a folder."""

    def __init__(self, folder: Path) -> None:
        try:
            self._fold_of: dict[str, str] = json.loads((folder / "folds.json").read_text("utf-8"))
            self._models = {
                fold: RiskModel.from_packed((folder / f"without-{fold}.bin").read_bytes())
                for fold in sorted(set(self._fold_of.values()))
            }
        except (OSError, ValueError) as exc:
            raise BadData(f"no models in `{folder}` ({exc}): train them with train_folds.py") from exc

    def folded(self, everything: Sequence[Session]) -> list[Session]:
        """The sessions, in the folds that the models were trained without.

        Raises:
            BadData: a session was not there when they were trained.
        """
        missing = [session.id for session in everything if session.id not in self._fold_of]
        if missing:
            raise BadData(f"the models know nothing of session `{missing[0]}`: train them on the same folder")
        return [replace(session, fold=self._fold_of[session.id]) for session in everything]

    def models_by_fold(self) -> dict[str, RiskModel]:
        """The models, by the fold that they never saw."""
        return dict(self._models)

    def put(self, everything: Sequence[Session], roles: Iterable[Role], *, home: Path, db: str, tenant: str) -> int:
        """Put a score in force for each role; how many ordinary sessions they stand on."""
        key = KeyStore(home).secret("sketch")
        store = Store(StoreConfig(db, home, tenant), KeyStore(home))
        told = 0
        try:
            store.open()
            for role in roles:
                suite, fold = role.sessions[0][1].suite, role.sessions[0][1].fold
                other = [
                    session
                    for session in everything
                    if (session.suite, session.label) == (suite, "benign") and session.fold != fold
                ]
                lived = [_lived(session, role, key) for session in other if session.events]
                found = fit_score(
                    lived, self._models[fold], key, lambda item: self._models[self._fold_of[item.session]]
                )
                store.commit(lambda tx, agent=role.agent, made=found: put_in_force(tx, agent, made, "redrive"))
                told += len(lived)
        finally:
            store.close()
        return told


def scores_of(folder: Path | None, *, by_fold: bool) -> Scores | None:
    """The scores that were asked for.

    Raises:
        BadData: there are no models, or agents stand on a manifest.
    """
    if folder is not None and not by_fold:
        raise BadData("--score is cross-fitted over folds of user tasks: use it with --no-manifest")
    return Scores(folder) if folder is not None else None


def _lived(session: Session, role: Role, key: bytes) -> SessionHistory:
    """A recorded session as its profile would have seen it."""
    profile = Profile(key[:64])
    profile.add_request_text(session.request)
    looks = []
    for event in session.events:
        look = observe_action(
            profile, ProposedAction(event.tool, ActionKind(event.kind), _impact(role, event), event.args)
        )
        looks.append(look)
        profile.record_action(look.tool, look.action_fingerprint, acts=not look.is_read, sums=profile.sums)
        profile.observe_result(event.tool, event.error or event.result, named_by_request=look.named_by_request)
    return SessionHistory(session.id, looks)


def _impact(role: Role, event: Any) -> Impact:
    declared = role.resources(event.tool, event.kind)
    kind = ActionKind(event.kind)
    given = declared if declared is not None else Resource(kind=kind)
    guess = guess_tool(event.tool, event.tool, {"properties": dict.fromkeys(event.args)})
    return complete_resource(given, guess, kind=kind, name=event.tool, arguments=sorted(event.args)).impact
