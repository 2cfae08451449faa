"""The stores that are open in this process: closed at its end, and at rest while it forks."""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from halo_core.store.store import Store

_STORES: weakref.WeakSet[Store] = weakref.WeakSet()
_SIBLINGS: dict[tuple[str, str], weakref.WeakSet[Store]] = {}
"""URL and tenant → the stores of this process over that database."""
_HELD: Final = threading.local()
"""In the thread that forks: locks to release afterwards."""


def add_store(store: Store) -> weakref.WeakSet[Store]:
    """Note a store that is open; those of its database and tenant."""
    _STORES.add(store)
    siblings = _SIBLINGS.setdefault((store.config.url, store.config.tenant), weakref.WeakSet())
    siblings.add(store)
    return siblings


def list_stores(stores: weakref.WeakSet[Store]) -> list[Store]:
    """Some stores of this process; one that another thread opens meanwhile may be missing."""
    try:
        return list(stores)
    except RuntimeError:  # a store was opened meanwhile
        return list_stores(stores)


@atexit.register
def close_stores() -> None:
    """Close all of them."""
    for store in list_stores(_STORES):
        store.close()


# INVARIANT: a fork finds no transaction under way. SQLite keeps in the process which locks its connections hold: a
# child that inherited a held one could never write. It closes its copies of the connections before it opens its own.
def _hold_stores() -> None:
    _HELD.locks = [lock for store in list_stores(_STORES) for lock in store.hold_for_fork()]


def _release_stores() -> None:
    for lock in _HELD.__dict__.pop("locks", ()):
        lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_hold_stores, after_in_parent=_release_stores, after_in_child=_release_stores)
