"""Configuration of a store: its location, its tenant, and how it is used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from pathlib import Path

from halo_core.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """Where a store is and how it is used.

    Args:
        url: SQLAlchemy URL.
        home: folder of keys, trust and anchor.
        tenant: owner of the log.
        assurance: how well the keys are kept from the agent: `dev`, `embedded` or `isolated`.
        deadline_s: how long a decision may wait for the write lock before it is denied with `ledger_busy`.
        on_wait: called once for each transaction that has waited for a locked file for 2 seconds and waits on.
    """

    url: str
    home: Path
    tenant: str
    assurance: str = "dev"
    deadline_s: float = 5.0
    on_wait: Callable[[], object] = field(default=lambda: None, compare=False)
