"""Access to the rows and entries of one tenant inside one transaction, for the modules of all tables."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Final

from halo_core.clock import Clock
from halo_core.decision.record import PartReader
from halo_core.errors import CannotDecide
from halo_core.ledger import build_entry_note
from halo_core.model import ENDED, PAUSED, make_outcome_key, read_digest
from halo_core.references import References
from halo_core.store.drafts import AppendedEntry, Draft, EntryRows
from halo_core.store.engine import Cursor, Engine
from halo_core.store.image import Control, TenantImage
from halo_core.store.writers import Writer

STATE_MARK: Final = b'"state":{"digest":'
"""What the text of an entry contains that left a state of its session behind."""
RUNS_QUERY: Final = (
    "SELECT w, ws, once FROM entry WHERE tenant=? AND session=? AND once>=? AND once<? AND kind='decision' ORDER BY idx"
)
OUTCOME_QUERY: Final = "SELECT w, ws, mark FROM entry WHERE tenant=? AND session=? AND once=?"

NEWEST_STATE_QUERY: Final = (
    "SELECT w, ws FROM entry WHERE tenant=? AND session=? AND instr(body, ?)>0 ORDER BY idx DESC LIMIT 1"
)


class RowAccess(ABC):
    """The interface through which tables read and write; implemented by `halo_core.store.transaction.Transaction`.

    Args:
        database: database with an open transaction.
        tenant: whose rows.
        writer: signs the entries of this process.
        clock: gives the time of entries.
        image: what memory holds of the rows.
    """

    __slots__ = ("_cursor", "_rows", "clock", "database", "fresh_profiles", "image", "tenant", "writer")

    def __init__(self, database: Engine, *, tenant: str, writer: Writer, clock: Clock, image: TenantImage) -> None:
        self.database = database
        self.tenant = tenant
        self.writer = writer
        self.clock = clock
        self.image = image
        self.fresh_profiles: set[tuple[str, str]] = set()
        """Profiles that were read in this transaction, though memory had them."""
        self._cursor = database.cursor()
        self._rows = EntryRows(self.insert_rows)

    @abstractmethod
    def append(self, draft: Draft) -> AppendedEntry:
        """Sign one entry and insert it at the end of the tenant's log."""

    @abstractmethod
    def load_control(self) -> Control:
        """The tenant's control row."""

    @abstractmethod
    def put_control(self, control: Control) -> None:
        """Set the recorded mode, the policy and the version of the control row."""

    @abstractmethod
    def increment_control_version(self) -> None:
        """Count a change of the restrictions in the control row."""

    # statements

    @property
    def cursor(self) -> Cursor:
        """A cursor for any statement, which sees every appended entry."""
        if self._rows.waiting:
            self._rows.write()
        return self._cursor

    @property
    def row_cursor(self) -> Cursor:
        """A cursor for statements that read no entries, so that appended ones need not be inserted first."""
        return self._cursor

    def insert(self, statement: str, values: tuple[Any, ...]) -> None:
        """Run a statement that must insert or update exactly one row.

        Raises:
            CannotDecide: `ledger_unwritable`, the database did not keep it.
        """
        # A foreign trigger can make an insert succeed and do nothing (RAISE(IGNORE)).
        # INVARIANT: AUDIT - if a row was not kept, the job fails and nothing runs.
        if self.database.has_many_writers:
            self.database.write(statement, values)
        elif self._cursor.execute(statement, values).rowcount != 1:
            raise CannotDecide("ledger_unwritable", "the database did not store a row", remedy="run `halo verify`")

    def insert_rows(self, statement: str, values: tuple[Any, ...], count: int) -> None:
        """Run a statement that must insert or update this many rows; only for SQLite.

        Raises:
            CannotDecide: `ledger_unwritable`, the database did not keep one of them.
        """
        # INVARIANT: AUDIT - as `insert`.
        if self._cursor.execute(statement, values).rowcount != count:
            raise CannotDecide("ledger_unwritable", "the database did not store a row", remedy="run `halo verify`")

    def update(self, statement: str, values: tuple[Any, ...]) -> None:
        """Update or select one row on the condition that it is unchanged since it was read.

        Raises:
            Conflict: another process has changed it meanwhile; at the latest at COMMIT.
        """
        self.database.write(statement, values)

    # entries and their parts

    @property
    def references(self) -> References:
        """Makes the references that replace names."""
        return self.image.references

    def load_note(self, writer: str, seq: int) -> bytes | None:
        """The signed bytes of an entry, not verified; None if there is none."""
        row = self.cursor.execute(
            "SELECT body, signatures FROM entry WHERE tenant=? AND w=? AND ws=?", (self.tenant, writer, seq)
        ).fetchone()
        return None if row is None else build_entry_note(self.tenant, writer, *row)

    def put_blob(self, name: str, data: bytes) -> bool:
        """Store `data` under its content hash; False if it is already stored."""
        row = self.cursor.execute(
            "INSERT INTO blob VALUES (?,?,?) ON CONFLICT DO NOTHING RETURNING 1", (self.tenant, name, data)
        ).fetchone()
        return row is not None

    def put_new_blob(self, name: str, data: bytes) -> None:
        """Store `data`, which nobody else can have stored, under its content hash.

        Raises:
            CannotDecide: `ledger_unwritable`, it is there already, or the database did not keep it.
            Conflict: likewise, where the database has many writers; at the latest at COMMIT.
        """
        if self.database.has_many_writers:
            self.insert("INSERT INTO blob VALUES (?,?,?)", (self.tenant, name, data))
        elif not self.put_blob(name, data):
            raise CannotDecide("ledger_unwritable", "the store already has a new blob", remedy="run `halo verify`")

    def load_blob(self, name: str) -> bytes | None:
        """The bytes stored under a content hash."""
        row = self.cursor.execute("SELECT bytes FROM blob WHERE tenant=? AND hash=?", (self.tenant, name)).fetchone()
        return None if row is None else bytes(row[0])

    def read_part(self, name: str) -> Mapping[str, Any]:
        """The tree of a part of entries (`halo_core.decision.record`)."""
        return PartReader(self.load_blob)(name)

    # what became of sessions and requests

    def find_newest_state(self, session: str) -> tuple[str, int] | None:
        """(writer, sequence) of the session's newest entry that committed to a state."""
        row: tuple[str, int] | None = self.cursor.execute(
            NEWEST_STATE_QUERY, (self.tenant, session, STATE_MARK)
        ).fetchone()
        return row

    def find_outcome(self, session: str, writer: str, seq: int) -> tuple[str, int, int] | None:
        """(writer, sequence, mark) of the outcome of the decision at (writer, seq)."""
        row: tuple[str, int, int] | None = self.cursor.execute(
            OUTCOME_QUERY, (self.tenant, session, make_outcome_key(writer, seq))
        ).fetchone()
        return row

    def list_runs(self, session: str, request_id: str) -> list[tuple[str, int, bytes, int]]:
        """(writer, sequence, key, mark of the outcome or 0) of each decision that let a request run, oldest first."""
        name = read_digest(request_id)
        rows = self.cursor.execute(RUNS_QUERY, (self.tenant, session, name, name + b"\xff" * 32)).fetchall()
        runs = []
        for writer, seq, key in rows:
            outcome = self.find_outcome(session, writer, seq)
            runs.append((writer, seq, key, 0 if outcome is None else outcome[2]))
        return runs

    def find_completed_run(self, session: str, request_id: str) -> tuple[str, int] | None:
        """(writer, sequence) of the decision that let this request run, if it may not run again and has an outcome."""
        for writer, seq, key, mark in reversed(self.list_runs(session, request_id)):
            if mark == ENDED and len(key) == len(read_digest(request_id)) + 1:
                return writer, seq
        return None

    def find_paused_run(self, session: str, request_id: str) -> tuple[str, int] | None:
        """(writer, sequence) of the decision that last let this request run, if every run of it paused."""
        runs = self.list_runs(session, request_id)
        return runs[-1][:2] if runs and all(mark == PAUSED for *_, mark in runs) else None


class Table:
    """One table, as seen and changed by one transaction."""

    __slots__ = ("_tx",)

    def __init__(self, tx: RowAccess) -> None:
        self._tx = tx
