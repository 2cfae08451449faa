"""The views of recorded sessions that a model is trained on, kept in a file: making them takes longest."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path

from halo_core.training.sessions import TrainingSession
from halo_core.training.train import Views, make_views
from halo_studies.recordings.labelled_sessions import looked

__all__ = ["views_of"]

_FILE = "views.pickle"


def views_of(sessions: Sequence[TrainingSession], cache: Path | None = None) -> Views:
    """Views of the sessions, as an enforcement point would have them among others.

    Args:
        sessions: recorded ones.
        cache: folder of the file that holds their views, or will; the same sessions must be given each time.
    """
    kept = cache / _FILE if cache else None
    if kept is not None and kept.is_file():
        views: Views = pickle.loads(kept.read_bytes())  # noqa: S301  what this function wrote
        if views.material.table.rows.sessions == len(sessions):
            return views
    views = make_views(sessions, looked(sessions, live=True), seen=looked(sessions))
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(pickle.dumps(views, protocol=5))
    return views
