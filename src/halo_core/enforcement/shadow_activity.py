"""Shadow activity: what runs, or would run, without a guard. It is recorded, and refused in enforce mode.

`ShadowActivity` is the record of one process, behind `HaloBase.record_shadow`. An adapter's tripwire asks its
`ModeWatch`es, of which an `InstalledTripwire` is one, and calls `record_shadow` and `refuse_unguarded` for what no
guard decides. Nothing here makes a decision.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final, Protocol, Self

from halo_core.errors import Denied, HaloError
from halo_core.model import EntryKind, Mode
from halo_core.quick_dataclass import dataclass
from halo_core.reasons import get_reason_text
from halo_core.store.drafts import Draft
from halo_core.store.store import Store
from halo_core.store.transaction import Transaction

_MAX_ACTIVITIES: Final = 1_000
_MAX_TEXT: Final = 256  # characters of each text that are kept


class ShadowActivity:
    """Records what runs in one process without a guard. Thread-safe.

    Args:
        store: store in which they are written.
        agent: the facade's agent, beside which it was seen.
        framework: the adapter that saw it.
    """

    def __init__(self, store: Store, agent: str, framework: str) -> None:
        self._store = store
        self._source = {"agent": agent, "framework": framework}
        self._recorded: set[tuple[str, str, str, bool]] = set()
        self._lock = threading.Lock()

    def record(self, kind: str, name: str, where: str, *, refused: bool = False) -> str:
        """Queue a note the first time; after 1,000 notes nothing more is recorded.

        Returns:
            A notice for whoever runs this; empty if it was recorded before, or did not run.
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
        """Append the entry; it belongs to no session, since the request it ran for is unknown."""
        tx.append(Draft(EntryKind.SHADOW, "", self.body))


def _to_text(value: object) -> str:
    # What an adapter saw may be anything, and one odd name must not hold up what waits with it.
    text = value if isinstance(value, str) else type(value).__name__
    return text.encode("utf-8", "replace").decode("utf-8")[:_MAX_TEXT]


class WatchedFacade(Protocol):
    """The part of an adapter's `Halo` that a tripwire needs; see `HaloBase`."""

    @property
    def mode(self) -> Mode:
        """The mode in force."""

    @property
    def store(self) -> Store:
        """The store that holds the mode."""

    def record_shadow(self, kind: str, name: str, where: str, *, refused: bool = False) -> None:
        """Record something that ran, or would have run, without a guard."""


class ModeWatch:
    """The mode in force, readable without waiting: whether unguarded calls are refused.

    Args:
        halo: whose mode and ledger count.
        mode: the mode it was opened with; the floor counts where that is higher.

    Raises:
        CannotDecide: the stored mode cannot be read.
    """

    def __init__(self, halo: WatchedFacade, mode: Mode | None) -> None:
        self.halo = halo
        self._is_fixed = mode is Mode.ENFORCE
        # An event loop may not wait for the lock; an application that asked for a mode is told no less than the floor.
        self._last_mode = halo.mode if mode is None else halo.store.recall_mode(mode)

    def mode(self) -> Mode:
        """The stored mode; on an event loop, the mode as last read."""
        if self._is_fixed:
            return self._last_mode
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._refresh_mode()
        else:
            with suppress(RuntimeError):  # the loop is closing down
                loop.run_in_executor(None, self._refresh_mode)
        return self._last_mode

    def _refresh_mode(self) -> None:
        # What cannot be read now stays as it was last read, like a decision that cannot be made.
        with suppress(HaloError):
            self._last_mode = self.halo.store.find_waived_mode() or self._last_mode


class InstalledTripwire(ModeWatch):
    """One installation of an adapter's tripwire; the Halo watches while any of its installations remains.

    Args:
        halo: see `ModeWatch`.
        mode: see `ModeWatch`.
        installed: the adapter's list of those in place.
    """

    def __init__(self, halo: WatchedFacade, mode: Mode | None, installed: list[InstalledTripwire]) -> None:
        super().__init__(halo, mode)
        self._installed = installed
        installed.append(self)

    def uninstall(self) -> None:
        """Remove it; a second call does nothing."""
        with suppress(ValueError):
            self._installed.remove(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.uninstall()


def record_shadow(watches: Iterable[ModeWatch], kind: str, name: str, where: str, *, refused: bool) -> None:
    """Record an unguarded call in the ledger of each watching Halo."""
    for halo in {id(watch.halo): watch.halo for watch in watches}.values():
        with suppress(HaloError):  # a ledger that is closed lets nothing more pass than an open one
            halo.record_shadow(kind, name, where, refused=refused)


def refuse_unguarded(name: str, error_class: type[Denied] = Denied) -> None:
    """Refuse a call without a guard.

    Raises:
        Denied: `unguarded`, of the given class.
    """
    reason = get_reason_text("unguarded")
    raise error_class("unguarded", f"deny `{name}`: {reason.title}", remedy=reason.remedy)
