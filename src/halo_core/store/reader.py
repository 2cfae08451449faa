"""Room: reading a store without writing. Takes: a URL. Gives: rows, streaming. Never: writes, decides, decrypts.

Implements the `LedgerReader` that `ledger.verify` takes; a driver error becomes `Tampered`, since a database that
cannot be read cannot be vouched for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any, Final, Self

from halo_core.errors import ConfigError
from halo_core.store.database import Database, as_tampered, find_schema_differences

__all__ = ["Reader"]

_QUERIES: Final = {
    "entries": "SELECT tenant, w, ws, leaf, kind, session, ts_us, body FROM entry ORDER BY tenant, w, ws",
    "positions": "SELECT tenant, w, ws, idx FROM position ORDER BY tenant, w, ws",
    "by_position": "SELECT p.tenant, p.idx, p.w, p.ws, e.leaf, e.body FROM position p "
    "LEFT JOIN entry e USING (tenant, w, ws) ORDER BY p.tenant, p.idx",
    "checkpoints": "SELECT tenant, size, root, note, frontier FROM checkpoint ORDER BY tenant, size",
    "contents": "SELECT tenant, commitment, subject, nonce, ciphertext FROM content ORDER BY tenant, commitment",
    "vaults": "SELECT tenant, subject, dek_wrapped, erased_at_us FROM vault ORDER BY tenant, subject",
    "sessions": "SELECT tenant, head_w, head_ws, session, version FROM session ORDER BY tenant, head_w, head_ws",
    "quotas": "SELECT tenant, account, version, state FROM quota ORDER BY tenant, account",
    "baselines": "SELECT tenant, agent, hash FROM baseline ORDER BY tenant, agent",
    "residues": "SELECT tenant, seq, chain, prints FROM residue ORDER BY tenant, seq",
    "states": "SELECT tenant, session, version, state FROM session",
    "sketches": "SELECT tenant, session, seq, marks FROM sketch ORDER BY tenant, session, seq",
    "dispatches": "SELECT tenant, w, ws, request_id, outcome, once FROM dispatch ORDER BY tenant, w, ws",
    "writers": "SELECT tenant, w, vkey, closed_us FROM writer ORDER BY tenant, w",
    "blobs": "SELECT tenant, hash, bytes FROM blob ORDER BY tenant, hash",
    "standings": "SELECT tenant, agent, hash, origin, manifest FROM standing ORDER BY tenant, agent",
    "holds": "SELECT tenant, kind, scope, target, since_us FROM hold ORDER BY tenant, kind, scope, target",
    "approvals": "SELECT tenant, id, kind, session, binding, status, asked_us, expires_us, answer FROM approval "
    "ORDER BY tenant, id",
}


class Reader:
    """One read-only connection; the whole of a verification sees one state of the database."""

    def __init__(self, url: str) -> None:
        """Open read-only.

        Raises:
            ConfigError: there is no such database, or it is no Halo store.
        """
        self.database = Database(url, read_only=True)
        self._connection = self.database.connection
        self.path = self.database.path
        # A verifier must see what is there: bytes that are no UTF-8 are shown, not raised over.
        self._connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        count_row = next(self._rows("SELECT count(*) FROM sqlite_master WHERE name IN ('entry','control')", ()))
        if count_row[0] != 2:
            raise ConfigError("no_store", "the database holds no Halo ledger", field="db", remedy="check `--db`")
        self._connection.execute("BEGIN")

    def _rows(self, query: str, values: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        try:
            # Not `yield from`: it would close the cursor of a reader that is closed already.
            for row in self._connection.execute(query, values):  # noqa: UP028
                yield row
        except sqlite3.Error as exc:
            raise as_tampered(exc) from exc
        except UnicodeDecodeError as exc:  # SQLite quotes the damage, and the driver cannot read the quote
            raise as_tampered(sqlite3.DatabaseError("its schema is damaged")) from exc

    def entries(self) -> Iterator[tuple[Any, ...]]:
        """(tenant, w, ws, leaf, kind, session, ts_us, body)."""
        return self._rows(_QUERIES["entries"], ())

    def positions(self) -> Iterator[tuple[Any, ...]]:
        """(tenant, w, ws, idx)."""
        return self._rows(_QUERIES["positions"], ())

    def by_position(self) -> Iterator[tuple[Any, ...]]:
        """(tenant, idx, w, ws, leaf, body), leaf and body None where the entry is missing."""
        return self._rows(_QUERIES["by_position"], ())

    def checkpoints(self) -> Iterator[tuple[Any, ...]]:
        """(tenant, size, root, note, frontier)."""
        return self._rows(_QUERIES["checkpoints"], ())

    def contents(self) -> Iterator[tuple[Any, ...]]:
        """(tenant, commitment, subject, nonce, ciphertext)."""
        return self._rows(_QUERIES["contents"], ())

    def vaults(self) -> Iterator[tuple[Any, ...]]:
        """(tenant, subject, dek_wrapped, erased_at_us)."""
        return self._rows(_QUERIES["vaults"], ())

    def sessions(self) -> Iterator[tuple[Any, ...]]:
        """(tenant, head_w, head_ws, session, version)."""
        return self._rows(_QUERIES["sessions"], ())

    def quotas(self) -> Iterator[tuple[Any, ...]]:
        """(tenant, account, version, state)."""
        return self._rows(_QUERIES["quotas"], ())

    def baselines(self) -> Iterator[tuple[Any, ...]]:
        """(tenant, agent, hash)."""
        return self._rows(_QUERIES["baselines"], ())

    def residues(self) -> Iterator[tuple[Any, ...]]:
        """(tenant, seq, chain, prints)."""
        return self._rows(_QUERIES["residues"], ())

    def states(self) -> Iterator[tuple[Any, ...]]:
        """(tenant, session, version, state)."""
        return self._rows(_QUERIES["states"], ())

    def sketches(self) -> Iterator[tuple[Any, ...]]:
        """(tenant, session, seq, marks)."""
        return self._rows(_QUERIES["sketches"], ())

    def dispatches(self) -> Iterator[tuple[Any, ...]]:
        """(tenant, w, ws, request_id, outcome, once)."""
        return self._rows(_QUERIES["dispatches"], ())

    def writers(self) -> Iterator[tuple[Any, ...]]:
        """(tenant, w, vkey, closed_us)."""
        return self._rows(_QUERIES["writers"], ())

    def blobs(self) -> Iterator[tuple[Any, ...]]:
        """(tenant, hash, bytes)."""
        return self._rows(_QUERIES["blobs"], ())

    def standing_passports(self) -> Iterator[tuple[Any, ...]]:
        """(tenant, agent, hash, origin, manifest)."""
        return self._rows(_QUERIES["standings"], ())

    def holds(self) -> Iterator[tuple[Any, ...]]:
        """(tenant, kind, scope, target, since_us)."""
        return self._rows(_QUERIES["holds"], ())

    def approvals(self) -> Iterator[tuple[Any, ...]]:
        """(tenant, id, kind, session, binding, status, asked_us, expires_us, answer)."""
        return self._rows(_QUERIES["approvals"], ())

    def schema_differences(self) -> Iterator[tuple[Any, ...]]:
        """(`trigger` or `view`, name) of each that is not Halo's, (`missing`, name) of Halo's not there."""
        try:
            yield from find_schema_differences(self._connection)
        except sqlite3.Error as exc:
            raise as_tampered(exc) from exc

    # by key, tenant first (INVARIANT: TENANT)

    def tenants(self) -> list[str]:
        """Tenants that have a control row."""
        return [row[0] for row in self._rows("SELECT tenant FROM control ORDER BY tenant", ())]

    def control(self, tenant: str) -> tuple[Any, ...] | None:
        """(version, store, mode, policy)."""
        query = "SELECT version, store, mode, policy FROM control WHERE tenant=?"
        return next(self._rows(query, (tenant,)), None)

    def blob(self, tenant: str, name: str) -> bytes | None:
        """One blob."""
        row = next(self._rows("SELECT bytes FROM blob WHERE tenant=? AND hash=?", (tenant, name)), None)
        return None if row is None else row[0]

    def notes(
        self, tenant: str, kinds: tuple[str, ...], session: str = "", since: int = 0
    ) -> Iterator[tuple[int, bytes]]:
        """(position, note) of a tenant's entries in log order from a position on, of some kinds, of one session."""
        marks = ",".join("?" * len(kinds))
        query = (
            "SELECT p.idx, e.body FROM position p JOIN entry e USING (tenant, w, ws) "  # noqa: S608  only marks
            f"WHERE p.tenant=? AND p.idx>=? AND e.kind IN ({marks}) AND (?='' OR e.session=?) ORDER BY p.idx"
        )
        return self._rows(query, (tenant, since, *kinds, session, session))

    def next_index(self, tenant: str) -> int:
        """The position after the last one."""
        return int(next(self._rows("SELECT coalesce(max(idx)+1, 0) FROM position WHERE tenant=?", (tenant,)))[0])

    def all_notes(self, tenant: str) -> Iterator[tuple[int, bytes]]:
        """(position, note) of every entry of a tenant in log order."""
        query = (
            "SELECT p.idx, e.body FROM position p JOIN entry e USING (tenant, w, ws) WHERE p.tenant=? ORDER BY p.idx"
        )
        return self._rows(query, (tenant,))

    def leaf_hashes(self, tenant: str) -> Iterator[tuple[int, bytes]]:
        """(position, leaf hash) in log order."""
        query = (
            "SELECT p.idx, e.leaf FROM position p JOIN entry e USING (tenant, w, ws) WHERE p.tenant=? ORDER BY p.idx"
        )
        return self._rows(query, (tenant,))

    def note_at_index(self, tenant: str, index: int) -> bytes | None:
        """The note at a position of the log."""
        query = "SELECT e.body FROM position p JOIN entry e USING (tenant, w, ws) WHERE p.tenant=? AND p.idx=?"
        row = next(self._rows(query, (tenant, index)), None)
        return None if row is None else row[0]

    def note_at(self, tenant: str, writer: str, seq: int) -> bytes | None:
        """One entry's note."""
        query = "SELECT body FROM entry WHERE tenant=? AND w=? AND ws=?"
        row = next(self._rows(query, (tenant, writer, seq)), None)
        return None if row is None else row[0]

    def content(self, tenant: str, commitment: bytes) -> tuple[str, bytes, bytes] | None:
        """(subject, nonce, ciphertext)."""
        query = "SELECT subject, nonce, ciphertext FROM content WHERE tenant=? AND commitment=?"
        return next(self._rows(query, (tenant, commitment)), None)

    def vault(self, tenant: str, subject: str) -> tuple[bytes, int | None] | None:
        """(wrapped key, erased at µs)."""
        query = "SELECT dek_wrapped, erased_at_us FROM vault WHERE tenant=? AND subject=?"
        return next(self._rows(query, (tenant, subject)), None)

    def resources(self, tenant: str) -> Iterator[tuple[str, bytes]]:
        """(id, registration)."""
        return self._rows("SELECT id, spec FROM resource WHERE tenant=? ORDER BY id", (tenant,))

    def challenges(self, tenant: str) -> Iterator[tuple[Any, ...]]:
        """(id, kind, session, binding, status, asked_us, expires_us, answer), oldest first."""
        query = (
            "SELECT id, kind, session, binding, status, asked_us, expires_us, answer FROM approval "
            "WHERE tenant=? ORDER BY asked_us, id"
        )
        return self._rows(query, (tenant,))

    def restrictions_of(self, tenant: str) -> Iterator[tuple[Any, ...]]:
        """(kind, scope, target, since_us) of the stops and revocations in force."""
        query = "SELECT kind, scope, target, since_us FROM hold WHERE tenant=? ORDER BY kind, scope, target"
        return self._rows(query, (tenant,))

    def has_target(self, tenant: str, scope: str, target: str) -> bool:
        """Whether the tenant has an agent with a passport, a session or a resource of this name."""
        query = {
            "agent": "SELECT 1 FROM standing WHERE tenant=? AND agent=?",
            "session": "SELECT 1 FROM session WHERE tenant=? AND session=?",
            "tool": "SELECT 1 FROM resource WHERE tenant=? AND id=?",
        }[scope]
        return next(self._rows(query, (tenant, target)), None) is not None

    def newest_checkpoint(self, tenant: str) -> tuple[int, bytes] | None:
        """(size, note)."""
        query = "SELECT size, note FROM checkpoint WHERE tenant=? ORDER BY size DESC LIMIT 1"
        return next(self._rows(query, (tenant,)), None)

    def close(self) -> None:
        """Close."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()
