"""Room: a behaviour score for a re-drive, cross-fitted. Takes: recorded sessions, models. Gives: scores in force.

An agent of one fold is scored by a model that was trained on the other one's sessions, against a baseline of the other
one's benign sessions. Never: shows a model or a baseline a session that it scores.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from _redrive_data import BadData, Session
from _redrive_drive import Role
from halo_core.behaviour.look import look_at
from halo_core.behaviour.model import Model
from halo_core.behaviour.profile import Act, Profile
from halo_core.classify import complete
from halo_core.fitting import Lived, fitted, put_in_force
from halo_core.keys import KeyStore
from halo_core.model import ActionKind, Impact, Resource
from halo_core.store import Store, StoreConfig

__all__ = ["Scores", "scores_of"]

_FOLDS: Final = {"A": "B", "B": "A"}


class Scores:
    """Models by the fold that they were trained on: `model-A.bin` and `model-B.bin` of a folder."""

    def __init__(self, folder: Path) -> None:
        self._models = {}
        for fold in _FOLDS:
            path = folder / f"model-{fold}.bin"
            if not path.is_file():
                raise BadData(f"no `{path}`: train one on the sessions of fold {fold} with train_behaviour.py")
            self._models[fold] = Model.from_packed(path.read_bytes())

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
                    if (session.suite, session.fold, session.label) == (suite, _FOLDS[fold], "benign")
                ]
                lived = [_lived(session, role, key) for session in other if session.events]
                found = fitted(lived, self._models[_FOLDS[fold]], key)
                store.commit(lambda tx, agent=role.agent, made=found: put_in_force(tx, agent, made, "redrive"))
                told += len(lived)
        finally:
            store.close()
        return told


def scores_of(folder: Path | None, *, by_fold: bool) -> Scores | None:
    """The scores that were asked for.

    Raises:
        BadData: there are no models, or agents are not apart by fold.
    """
    if folder is not None and not by_fold:
        raise BadData("--score is cross-fitted over the two folds: use it with --no-manifest")
    return Scores(folder) if folder is not None else None


def _lived(session: Session, role: Role, key: bytes) -> Lived:
    """A recorded session as its profile would have seen it."""
    profile = Profile(key[:64])
    profile.asked(session.request)
    looks = []
    for event in session.events:
        look = look_at(profile, Act(event.tool, ActionKind(event.kind), _impact(role, event), event.args))
        looks.append(look)
        profile.acted(look.tool, look.made, acts=not look.reads, sums=profile.sums)
        profile.observe(event.tool, event.error or event.result, named=look.named)
    return Lived(session.id, looks)


def _impact(role: Role, event: Any) -> Impact:
    declared = role.resources(event.tool, event.kind)
    kind = ActionKind(event.kind)
    given = declared if declared is not None else Resource(kind=kind)
    return complete(given, kind=kind, name=event.tool, description=event.tool, arguments=sorted(event.args)).impact
