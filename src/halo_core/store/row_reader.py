"""Reading rows of a store without writing to it: streams for verification, and queries by key for views.

An error of the driver becomes `Tampered`, since a database that cannot be read cannot be trusted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

from halo_core.decision.record import PartReader, expand_entry
from halo_core.errors import ConfigError
from halo_core.ledger import Stream, build_entry_note, decode_entry
from halo_core.model import LedgerEntry
from halo_core.store.engine import Engine
from halo_core.store.engines import open_database
from halo_core.store.read_rows import (
    ApprovalRow,
    AttachedRow,
    ControlRow,
    EntryColumns,
    EntryRow,
    RestrictionRow,
    SealedRow,
    SignedRow,
    VaultRow,
)

NO_END: Final = 2**63 - 1
"""A position after every other one."""
_MAX_SEQ_DIGITS: Final = 15
_NOTE = "SELECT idx, tenant, w, body, signatures FROM entry WHERE tenant=?"


def _require_session(session: str) -> tuple[str, tuple[str, ...]]:
    """The condition on the session and its value; none for all sessions, since the index serves only an equality."""
    return (" AND session=?", (session,)) if session else ("", ())


class RowReader:
    """One read-only connection, which sees one state of the database until it is closed."""

    def __init__(self, url: str, *, database: Engine | None = None) -> None:
        """Open read-only.

        Args:
            url: URL of the database.
            database: one that is open already, for reading alone; the reader closes it.

        Raises:
            ConfigError: there is no such database, or it is no Halo store.
        """
        self.database = open_database(url, read_only=True) if database is None else database
        self.path = self.database.path
        self._parts: dict[str, PartReader] = {}
        with self._reporting_unreadable():
            has_tables = self.database.has_tables()
        if not has_tables:
            raise ConfigError("no_store", "the database holds no Halo ledger", field="db", remedy="check `--db`")
        with self._reporting_unreadable():
            self._has_profiles = self.database.has_table("profile")  # which an older store may lack
            self._has_identities = self.database.has_table("identity")
            self.database.begin_reading()

    @contextmanager
    def _reporting_unreadable(self) -> Iterator[None]:
        try:
            yield
        except Exception as exc:
            unreadable = self.database.as_unreadable(exc)
            if unreadable is None:
                raise
            raise unreadable from exc

    def _query(self, query: str, *values: Any, stream: bool = False) -> Iterator[tuple[Any, ...]]:
        try:
            # Not `yield from`, which would close the rows of a reader that is closed already.
            for row in self.database.query(query, values, stream=stream):  # noqa: UP028
                yield row
        except Exception as exc:
            unreadable = self.database.as_unreadable(exc)
            if unreadable is None:
                raise
            raise unreadable from exc

    def _find(self, query: str, *values: Any) -> tuple[Any, ...] | None:
        return next(self._query(query, *values), None)

    def read_entry(self, note: bytes) -> LedgerEntry:
        """The entry of a note, with the whole record of a decision or an outcome; signatures are not verified.

        Raises:
            Tampered: the note is no entry, or a part that it names is missing or was changed.
        """
        entry = decode_entry(note)
        return expand_entry(entry, self.part_reader(entry.tenant))

    def part_reader(self, tenant: str) -> PartReader:
        """Reads the parts of a tenant's entries."""
        parts = self._parts.get(tenant)
        if parts is None:
            parts = self._parts[tenant] = PartReader(lambda name: self.blob(tenant, name))
        return parts

    def stream(self, statement: str, *values: Any) -> Iterator[tuple[Any, ...]]:
        """The rows of a statement of the store, of every tenant."""
        return self._query(statement, *values, stream=True)

    def rows(self, stream: Stream) -> Iterator[tuple[Any, ...]]:
        """The rows of one stream, of every tenant."""
        if stream is Stream.PROFILES and not self._has_profiles:
            return iter(())
        if stream is Stream.IDENTITIES and not self._has_identities:
            return iter(())
        return self._query(self.database.stream_query(stream), stream=True)

    def rows_by_position(self) -> Iterator[tuple[Any, ...]]:
        """(tenant, idx, w, ws, body, signatures) of every entry, in the order of each log."""
        return self._query(self.database.positions_query, stream=True)

    def is_pending(self, tenant: str, ts_us: int) -> bool:
        """Whether an entry of this time without a position may still get one from the sequencer."""
        return self.database.is_pending(tenant, ts_us)

    def schema_differences(self) -> Iterator[tuple[Any, ...]]:
        """(`trigger` or `view`, name) of each that is not Halo's, (`missing`, name) of Halo's not there."""
        with self._reporting_unreadable():
            yield from self.database.find_schema_differences()

    # INVARIANT: TENANT - each query from here on names one tenant.

    def tenants(self) -> list[str]:
        """Tenants that have a control row."""
        return [row[0] for row in self._query("SELECT tenant FROM control ORDER BY tenant")]

    def control(self, tenant: str) -> ControlRow | None:
        """The tenant's control row, if it has one."""
        row = self._find("SELECT version, store, mode, policy FROM control WHERE tenant=?", tenant)
        return None if row is None else ControlRow(*row)

    def store_id(self, tenant: str) -> str:
        """Id of the store, from the tenant's control row; empty if it has none."""
        row = self.control(tenant)
        return "" if row is None else row.store

    def blob(self, tenant: str, name: str) -> bytes | None:
        """The bytes stored under a content hash."""
        row = self._find("SELECT bytes FROM blob WHERE tenant=? AND hash=?", tenant, name)
        return None if row is None else row[0]

    def notes(
        self, tenant: str, kinds: tuple[str, ...], session: str = "", since: int = 0, until: int = NO_END
    ) -> Iterator[tuple[int, bytes]]:
        """(position, note) of entries of these kinds in log order, of one session or all, from `since` to `until`.

        The position `until` itself is left out.
        """
        session = self.find_session(tenant, session)
        marks = ",".join("?" * len(kinds))
        of_session, values = _require_session(session)
        where = f"idx>=? AND idx<? AND kind IN ({marks}){of_session}"
        return self._notes(f"{where} ORDER BY idx", tenant, since, until, *kinds, *values, stream=True)

    def registration_notes(self, tenant: str) -> Iterator[bytes]:
        """Notes of all registrations in log order; those without a position come last."""
        return (note for _, note in self._notes("kind='registration' ORDER BY idx", tenant, stream=True))

    def bodies(
        self, tenant: str, kinds: tuple[str, ...], session: str, span: tuple[int, int], period_us: tuple[int, int]
    ) -> Iterator[tuple[int, str, bytes]]:
        """(position, kind, signed text without its newline) of entries of these kinds in log order.

        Args:
            tenant: whose log.
            kinds: kinds of the entries.
            session: name or reference of their session; empty for all.
            span: first position, and the one after the last.
            period_us: earliest time, and the one after the latest.
        """
        session = self.find_session(tenant, session)
        marks = ",".join("?" * len(kinds))
        of_session, values = _require_session(session)
        where = f"idx>=? AND idx<? AND kind IN ({marks}) AND ts_us>=? AND ts_us<?{of_session}"
        query = f"SELECT idx, kind, body FROM entry WHERE tenant=? AND {where} ORDER BY idx"  # noqa: S608
        return self._query(query, tenant, *span, *kinds, *period_us, *values, stream=True)

    def signed_rows(self, tenant: str) -> Iterator[SignedRow]:
        """Every entry with its signatures, in log order."""
        columns = "idx, w, ws, kind, session, ts_us, body, signatures"
        query = f"SELECT {columns} FROM entry WHERE tenant=? AND idx>=0 ORDER BY idx"  # noqa: S608  constants
        return map(SignedRow._make, self._query(query, tenant, stream=True))

    def entry_rows(
        self, tenant: str, kinds: tuple[str, ...], session: str, span: tuple[int, int], period_us: tuple[int, int]
    ) -> Iterator[EntryRow]:
        """Entries without their signatures, in log order.

        Args:
            tenant: whose log.
            kinds: kinds of the entries; none for all.
            session: reference of their session; empty for all.
            span: first position, and the one after the last.
            period_us: earliest time, and the one after the latest.
        """
        of_kinds = f" AND kind IN ({','.join('?' * len(kinds))})" if kinds else ""
        of_session, values = _require_session(session)
        where = f"idx>=? AND idx<? AND ts_us>=? AND ts_us<?{of_session}{of_kinds}"
        query = f"SELECT idx, w, ws, kind, session, ts_us, body FROM entry WHERE tenant=? AND {where} ORDER BY idx"  # noqa: S608
        return map(EntryRow._make, self._query(query, tenant, *span, *period_us, *values, *kinds, stream=True))

    def sealed_rows(self, tenant: str, span: tuple[int, int], period_us: tuple[int, int]) -> Iterator[SealedRow]:
        """Entries that seal something, in log order; `span` and `period_us` as of `entry_rows`."""
        columns = "idx, w, ws, kind, session, ts_us, body, sealed, marks"
        where = "idx>=? AND idx<? AND ts_us>=? AND ts_us<? AND sealed IS NOT NULL"
        query = f"SELECT {columns} FROM entry WHERE tenant=? AND {where} ORDER BY idx"  # noqa: S608  constants
        return map(SealedRow._make, self._query(query, tenant, *span, *period_us, stream=True))

    def positions(self, tenant: str, span: tuple[int, int], period_us: tuple[int, int]) -> Iterator[int]:
        """Positions of the entries of a span (as of `entry_rows`) whose time is in a period, in order."""
        query = "SELECT idx FROM entry WHERE tenant=? AND idx>=? AND idx<? AND ts_us>=? AND ts_us<? ORDER BY idx"
        return (row[0] for row in self._query(query, tenant, *span, *period_us, stream=True))

    def count_unplaced(self, tenant: str) -> int:
        """Number of entries without a position, which a sequencer has not placed yet."""
        row = self._find("SELECT count(*) FROM entry WHERE tenant=? AND idx IS NULL", tenant)
        return int(row[0]) if row is not None else 0

    def newest_checkpoint(self, tenant: str) -> tuple[int, bytes] | None:
        """(size, note) of the largest checkpoint; not verified."""
        row = self._find("SELECT size, note FROM checkpoint WHERE tenant=? ORDER BY size DESC LIMIT 1", tenant)
        return None if row is None else (int(row[0]), bytes(row[1]))

    def find_session(self, tenant: str, session: str) -> str:  # noqa: ARG002  a reader with names looks it up
        """The reference of a session, given what stands for it."""
        return session

    def has_session(self, tenant: str, reference: str) -> bool:
        """Whether a session has this reference."""
        return self._find("SELECT 1 FROM entry WHERE tenant=? AND session=? LIMIT 1", tenant, reference) is not None

    def count(self, tenant: str, kind: str) -> int:
        """Number of a tenant's entries of one kind."""
        row = self._find("SELECT count(*) FROM entry WHERE tenant=? AND kind=?", tenant, kind)
        return int(row[0]) if row is not None else 0

    def count_sessions(self, tenant: str) -> int:
        """Number of sessions that entries of a tenant belong to."""
        row = self._find("SELECT count(DISTINCT session) FROM entry WHERE tenant=? AND session<>''", tenant)
        return int(row[0]) if row is not None else 0

    def _notes(self, where: str, *values: Any, stream: bool = False) -> Iterator[tuple[int, bytes]]:
        for index, *columns in self._query(f"{_NOTE} AND {where}", *values, stream=stream):
            yield index, build_entry_note(*columns)

    def next_index(self, tenant: str) -> int:
        """The position after the last one."""
        row = self._find("SELECT max(idx)+1 FROM entry WHERE tenant=?", tenant)
        return int(row[0] or 0) if row is not None else 0

    def all_notes(self, tenant: str) -> Iterator[tuple[int, bytes]]:
        """(position, note) of every entry in log order."""
        return self._notes("idx>=0 ORDER BY idx", tenant, stream=True)

    def note_at_index(self, tenant: str, index: int) -> bytes | None:
        """The note at a position of the log."""
        return next((note for _, note in self._notes("idx=?", tenant, index)), None)

    def find_note(self, tenant: str, entry_id: str) -> tuple[int | None, bytes] | None:
        """(position, note) of the entry with this full id; the position is None if it has none yet."""
        writer, _, seq = entry_id.rpartition("-")
        if not seq.isdecimal() or len(seq) > _MAX_SEQ_DIGITS:
            return None
        return next(self._notes("w=? AND ws=?", tenant, writer, int(seq)), None)

    def note_at(self, tenant: str, writer: str, seq: int) -> bytes | None:
        """The note of one entry."""
        return next((note for _, note in self._notes("w=? AND ws=?", tenant, writer, seq)), None)

    def notes_by_id(self, tenant: str, writer: str, seq: str) -> Iterator[tuple[int, bytes]]:
        """(position, note) of the entries with this number whose writer's id starts with `writer`."""
        if not writer or not seq.isdecimal() or len(seq) > _MAX_SEQ_DIGITS:
            return iter(())
        return self._notes("w>=? AND w<? AND ws=? LIMIT 9", tenant, writer, writer + "\x7f", int(seq))

    def attached(self, tenant: str, writer: str, seq: int) -> AttachedRow | None:
        """What is stored beside one entry; None if there is no such entry."""
        row = self._find("SELECT sealed, marks FROM entry WHERE tenant=? AND w=? AND ws=?", tenant, writer, seq)
        return None if row is None else AttachedRow(*row)

    def entry_columns(self, tenant: str, writer: str, seq: int) -> EntryColumns | None:
        """All of one entry; None if there is none."""
        query = "SELECT body, signatures, sealed, marks FROM entry WHERE tenant=? AND w=? AND ws=?"
        row = self._find(query, tenant, writer, seq)
        return None if row is None else EntryColumns(*row)

    def vault(self, tenant: str, subject: str) -> VaultRow | None:
        """The data key of a subject, if one was ever made."""
        query = "SELECT dek_wrapped, commitment FROM vault WHERE tenant=? AND subject=?"
        row = self._find(query, tenant, subject)
        return None if row is None else VaultRow(*row)

    def resources(self, tenant: str) -> Iterator[tuple[str, bytes]]:
        """Id and registration of each resource, sorted by id."""
        return self._query("SELECT id, spec FROM resource WHERE tenant=? ORDER BY id", tenant)

    def challenges(self, tenant: str) -> Iterator[ApprovalRow]:
        """Requests for approval, oldest first."""
        columns = "id, kind, session, binding, status, asked_us, expires_us, answer"
        rows = self._query(f"SELECT {columns} FROM approval WHERE tenant=? ORDER BY asked_us, id", tenant)  # noqa: S608
        return (ApprovalRow(*row) for row in rows)

    def baselines(self, tenant: str) -> dict[str, str]:
        """Agent → hash of its score in force, with shadows and the baseline of people."""
        query = "SELECT agent, hash FROM baseline WHERE tenant=? ORDER BY agent"
        return {agent: name for agent, name in self._query(query, tenant) if name}

    def quota(self, tenant: str, account: str) -> bytes | None:
        """The state of one account of the table of quotas."""
        row = self._find("SELECT state FROM quota WHERE tenant=? AND account=?", tenant, account)
        return None if row is None else bytes(row[0])

    def profile(self, tenant: str, kind: str, subject: str) -> tuple[int, bytes] | None:
        """(version, state) of an identity's profile; None if it has none."""
        if not self._has_profiles:
            return None
        query = "SELECT version, state FROM profile WHERE tenant=? AND kind=? AND subject=?"
        row = self._find(query, tenant, kind, subject)
        return None if row is None else (row[0], bytes(row[1]))

    def profiles(self, tenant: str) -> Iterator[tuple[str, str, int, bytes]]:
        """(kind, subject, version, state) of the profile of each identity."""
        if not self._has_profiles:
            return iter(())
        query = "SELECT kind, subject, version, state FROM profile WHERE tenant=? ORDER BY kind, subject"
        return ((kind, subject, version, bytes(state)) for kind, subject, version, state in self._query(query, tenant))

    def restrictions_of(self, tenant: str) -> Iterator[RestrictionRow]:
        """The stops and revocations in force."""
        query = "SELECT kind, scope, target, since_us FROM hold WHERE tenant=? ORDER BY kind, scope, target"
        return map(RestrictionRow._make, self._query(query, tenant))

    def has_target(self, tenant: str, scope: str, target: str) -> bool:
        """Whether the tenant has an agent with a passport, a session or a resource with this name."""
        query = {
            "agent": "SELECT 1 FROM standing WHERE tenant=? AND agent=?",
            "session": "SELECT 1 FROM session WHERE tenant=? AND session=?",
            "tool": "SELECT 1 FROM resource WHERE tenant=? AND id=?",
        }.get(scope)
        if query is None:
            return True  # of people there is no list
        return (
            self._find(query, tenant, self.find_session(tenant, target) if scope == "session" else target) is not None
        )

    def close(self) -> None:
        """Close the connection."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()
