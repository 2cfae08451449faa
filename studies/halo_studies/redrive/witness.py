"""A witness in the tools' bodies: records each call that runs before a durable decision allowed it.

It reads the database over a connection of its own, so what it sees is committed, and was so before the body began.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import Final, Self

from sqlalchemy import Engine, create_engine, text

from halo_core.references import References

__all__ = ["Witness"]

_DECISIONS: Final = text(
    "SELECT body, mark FROM entry"
    " WHERE tenant = :tenant AND session = :session AND kind = 'decision' ORDER BY ts_us DESC"
)


class Witness:
    """Counts bodies that run, and asks the ledger at that very moment whether they may.

    Args:
        url: of the store.
        tenant: whose log.
        home: its keys.
    """

    def __init__(self, url: str, tenant: str, home: Path) -> None:
        self._url = url
        self._tenant = tenant
        self._home = home
        self.runs: list[str] = []
        self.early: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        if "_engine" in self.__dict__:
            self._engine.dispose()

    @cached_property
    def _engine(self) -> Engine:
        return create_engine(self._url)  # when the first body runs: what is wrong with the URL, Halo says in words

    @cached_property
    def _references(self) -> References | None:
        return References.of_home(self._home)

    def ran(self, call: str) -> None:
        """A body runs for the call `call`, whose session is the part before the last dash."""
        if not self._decided(call):
            self.early.append(call)
        self.runs.append(call)

    def _decided(self, call: str) -> bool:
        if self._references is None:
            return False
        name, session = f'"call":"{self._references.of_call(call)}"'.encode(), call.rpartition("-")[0]
        values = {"tenant": self._tenant, "session": self._references.of_session(session)}
        with self._engine.connect() as connection:
            # All of them: a cursor left half read would hold its snapshot open for whoever gets the connection next.
            rows = connection.execute(_DECISIONS, values).all()
        return next((mark == 1 for body, mark in rows if name in bytes(body)), False)

    def unjustified(self, let_run: set[str]) -> int:
        """Runs without an earlier durable decision that let them, and runs beyond the first of one decision."""
        early = Counter(self.early)
        found = 0
        for call, times in Counter(self.runs).items():
            found += times if call not in let_run else max(early[call], times - 1)
        return found
