"""Room: sightings, what was seen to run without a guard. Takes: names. Gives: entries. Never: decides.

A sighting is no decision: nobody was asked, and what ran has run. It is written so that a person sees the gap, whether
it ran or was refused for want of a guard.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from halo_core.model import EntryKind
from halo_core.store import Draft, Store, Transaction

__all__ = ["ShadowActivity"]

_MAX_ACTIVITIES: Final = 1_000
_MAX_TEXT: Final = 256  # characters of each text that are kept


class ShadowActivity:
    """What one process has seen. Thread-safe.

    Args:
        store: where they are written.
        agent: the facade's agent, beside which it was seen.
        framework: the adapter that saw it.
    """

    def __init__(self, store: Store, agent: str, framework: str) -> None:
        self._store = store
        self._source = {"agent": agent, "framework": framework}
        self._recorded: set[tuple[str, str, str, bool]] = set()
        self._lock = threading.Lock()

    def record(self, kind: str, name: str, where: str, *, refused: bool = False) -> str:
        """Queue a sighting, the first time; past 1,000 of them nothing new is noted.

        Returns:
            What to tell whoever runs this; empty where it is known, or did not run.
        """
        activity = (_to_text(kind), _to_text(name), _to_text(where), refused)
        with self._lock:
            if activity in self._recorded or len(self._recorded) >= _MAX_ACTIVITIES:
                return ""
            self._recorded.add(activity)
        body = dict(zip(("kind", "name", "where", "refused"), activity, strict=True))
        self._store.defer(_RecordJob({**self._source, **body}))
        place = f" ({activity[2]})" if activity[2] else ""
        message = f"nobody decides {activity[0]} `{activity[1]}`{place}"
        return "" if refused else "".join(c if c.isprintable() else "?" for c in message)


@dataclass(frozen=True, slots=True)
class _RecordJob:
    body: Mapping[str, Any]

    def __call__(self, tx: Transaction) -> None:
        """Append the entry; it belongs to no session, since nobody said for which request it ran."""
        tx.append(Draft(EntryKind.SHADOW, "", self.body))


def _to_text(value: object) -> str:
    # What an adapter saw may be anything, and one odd name must not hold up what waits with it.
    text = value if isinstance(value, str) else type(value).__name__
    return text.encode("utf-8", "replace").decode("utf-8")[:_MAX_TEXT]
