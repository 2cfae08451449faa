"""The sequencer: gives entries of many writers their positions in the tenant's log, and signs checkpoints over them.

Any process runs it, on a connection of its own, so that no decision waits for it. One round:

1. Take the lease, for a few seconds; its epoch rises with each holder.
2. Read, at one moment, what has no position yet: of each writer from its next number on without a gap, and across
   writers in the order of `entry.tick`. An entry that follows from another has a larger tick and is visible only if
   the other is, so causes come before effects. Times are not looked at.
3. Hash it and sign a checkpoint.
4. Store positions and checkpoint in one transaction, which holds the lease's row and finds its own epoch in it.

INVARIANT: AUDIT - a sequencer that was stopped after step 1 for longer than its lease stores nothing, since its epoch
is over. Were it not, the unique keys (tenant, idx), (tenant, w, ws) and (tenant, size) would refuse a second order.
"""

from __future__ import annotations

import secrets
import threading
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from halo_core.crypto.keys import KeyStore, Signer
from halo_core.errors import Gap, HaloError, Tampered
from halo_core.failpoints import hit_failpoint
from halo_core.ledger import (
    CompactRange,
    build_entry_note,
    format_vkey,
    leaf_hash,
    log_origin,
    make_vkey,
    open_checkpoint,
    sign_checkpoint,
)
from halo_core.log_output import get_logger
from halo_core.store.engine import CommitInDoubt, ConnectionLost, is_postgres
from halo_core.store.log_checkpoints import load_trusted_keys
from halo_core.store.reader import Reader

if TYPE_CHECKING:
    from pathlib import Path

    from halo_core.store.postgres import PostgresDatabase

_LOG: Final = get_logger("store")
LEASE_US: Final = 5_000_000
"""How long one round may take, microseconds."""
LEASE_WAIT_S: Final = 6.0
"""How long to wait for another process's round: longer than the lease of one that was killed."""
_LEASE_POLL_S: Final = 0.02
_ROUND_ENTRIES: Final = 4096
_NOW: Final = "(extract(epoch FROM clock_timestamp())*1000000)::bigint"
_TAKE_LEASE: Final = (
    f"INSERT INTO lease VALUES (?,?,1,{_NOW}+?) ON CONFLICT (tenant) DO UPDATE SET"  # noqa: S608  constants
    f" holder=excluded.holder, epoch=lease.epoch+1, until_us=excluded.until_us WHERE lease.until_us<{_NOW}"
    " RETURNING epoch"
)
# Of a writer of which a row was removed nothing follows, and the others do not wait for it; `halo verify` reports it.
_WAITING: Final = (
    "SELECT e.w, e.ws, e.body, e.signatures FROM (SELECT w, ws, tick FROM ("
    "SELECT n.w, n.ws, n.tick, coalesce(s.next,0)-1+row_number() OVER (PARTITION BY n.w ORDER BY n.ws) AS due"
    " FROM writer r LEFT JOIN sequenced s ON s.tenant=r.tenant AND s.w=r.w"
    " JOIN entry n ON n.tenant=r.tenant AND n.w=r.w AND n.ws>=coalesce(s.next,0)"
    " WHERE r.tenant=? AND coalesce(s.done,0)=0) AS waiting WHERE ws=due ORDER BY tick LIMIT ?) AS ready"
    " JOIN entry e ON e.tenant=? AND e.w=ready.w AND e.ws=ready.ws ORDER BY ready.tick"
)
_CLOSED: Final = (
    "SELECT r.w, (SELECT max(e.ws)+1 FROM entry e WHERE e.tenant=r.tenant AND e.w=r.w)"
    " FROM writer r LEFT JOIN sequenced s ON s.tenant=r.tenant AND s.w=r.w"
    " WHERE r.tenant=? AND r.closed_us IS NOT NULL AND coalesce(s.done,0)=0"
)


class _Round(NamedTuple):
    """The positions that one round is about to store."""

    places: list[tuple[int, str, int]]
    tree: CompactRange
    next_seqs: dict[str, int]
    done: set[str]
    is_last: bool


class Sequencer:
    """Assigns positions for one tenant. Thread-safe: one thread works, others wait for it.

    Args:
        url: URL of the database.
        tenant: whose log.
        log: signs checkpoints.
        deadline_s: how long a statement may take, seconds.
    """

    def __init__(self, url: str, tenant: str, log: Signer, deadline_s: float) -> None:
        self._url = url
        self._tenant = tenant
        self._log = log
        self._vkey = make_vkey(log_origin(tenant), log.public_key)
        self._deadline_s = deadline_s
        self._holder = secrets.token_hex(8)
        self._database: PostgresDatabase | None = None
        self._newest_size = 0
        self._lock = threading.Lock()

    def run(self, *, wait_s: float = 0.0) -> tuple[bytes | None, bool]:
        """Assign positions to all entries that wait for one.

        Args:
            wait_s: how long to wait while another process holds the lease, since that one may not see what was written
                last; seconds.

        Returns:
            The newest checkpoint, None if there is none, and whether everything has a position now; False while
            another process holds the lease.

        Raises:
            CannotDecide: the server cannot be reached.
            Gap: a position is missing.
            Tampered: the newest checkpoint is not what the log's key signed.
        """
        end = time.monotonic() + wait_s
        while True:
            with self._lock:
                try:
                    note, is_complete = self._run_rounds()
                except (ConnectionLost, CommitInDoubt):
                    # The connection ended, perhaps long ago. A round that was lost stored everything or nothing.
                    self.close()
                    note, is_complete = self._run_rounds()
            if is_complete or time.monotonic() >= end:
                return note, is_complete
            time.sleep(_LEASE_POLL_S)

    def _run_rounds(self) -> tuple[bytes | None, bool]:
        try:
            while True:
                is_complete = self._run_round()
                if is_complete is not None:
                    return self._load_newest(), is_complete
        except BaseException:
            self.close()  # whatever it was in
            raise

    def _run_round(self) -> bool | None:
        """Whether every entry has a position now; None if there is more to do."""
        database = self._connect()
        row = database.execute(_TAKE_LEASE, (self._tenant, self._holder, LEASE_US)).fetchone()
        if row is None:
            return False
        epoch = int(row[0])
        pending_round = self._read()
        if pending_round.places:
            note = sign_checkpoint(self._tenant, pending_round.tree.size, pending_round.tree.root(), self._log)
            hit_failpoint("checkpoint_signed")
            if not self._store(epoch, pending_round, note):
                return False
        else:
            database.execute("UPDATE lease SET until_us=0 WHERE tenant=? AND epoch=?", (self._tenant, epoch))
        return True if pending_round.is_last else None

    def _read(self) -> _Round:
        database = self._connect()
        database.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        tree = self._load_tree()
        next_seqs = {
            str(w): int(seq)
            for w, seq in database.execute("SELECT w, next FROM sequenced WHERE tenant=?", (self._tenant,))
        }
        ends = {str(w): int(end or 0) for w, end in database.execute(_CLOSED, (self._tenant,))}
        rows = database.execute(_WAITING, (self._tenant, _ROUND_ENTRIES, self._tenant)).fetchall()
        database.commit()
        places: list[tuple[int, str, int]] = []
        touched: dict[str, int] = {}
        for w, ws, body, signatures in rows:
            if ws != touched.get(w, next_seqs.get(w, 0)):
                continue  # its ticks do not rise with its numbers, so it comes in the next round
            places.append((tree.size, w, ws))
            tree.append(leaf_hash(build_entry_note(self._tenant, w, body, signatures)))
            touched[w] = ws + 1
        seqs = {**next_seqs, **touched}
        done = {w for w, end in ends.items() if seqs.get(w, 0) == end}
        is_last = len(rows) < _ROUND_ENTRIES or not places
        return _Round(places, tree, {w: seqs.get(w, 0) for w in done | touched.keys()}, done, is_last)

    def _load_tree(self) -> CompactRange:
        database = self._connect()
        row = database.execute(
            "SELECT note, frontier FROM checkpoint WHERE tenant=? ORDER BY size DESC LIMIT 1", (self._tenant,)
        ).fetchone()
        tree = CompactRange()
        if row is not None:
            # INVARIANT: AUDIT - nothing is signed on top of a row that the log's key did not sign.
            head = open_checkpoint(bytes(row[0]), self._vkey, self._tenant)
            tree = CompactRange.from_bytes(bytes(row[1]))
            if (tree.size, tree.root()) != (head.size, head.root):
                raise Tampered("column_altered", "the newest checkpoint was changed", remedy="run `halo verify`")
        size = database.execute("SELECT max(idx)+1 FROM position WHERE tenant=?", (self._tenant,)).fetchone()[0] or 0
        # Positions and their checkpoint are stored together.
        if size != tree.size:
            raise Gap("missing_entry", f"position {min(size, tree.size)} is missing", remedy="run `halo verify`")
        # INVARIANT: AUDIT - no second order is signed over a server that lacks what it had, such as an old standby.
        if size < self._newest_size:
            raise Gap(
                "ledger_behind_anchor",
                f"the database has {size} positions, but had {self._newest_size}",
                remedy="restore the newest copy, or see docs/operations.md",
            )
        self._newest_size = size
        return tree

    def _store(self, epoch: int, pending_round: _Round, note: bytes) -> bool:
        """Store a round; False if the lease has another epoch by now."""
        database, tenant = self._connect(), self._tenant
        database.execute("BEGIN")
        row = database.execute("SELECT epoch FROM lease WHERE tenant=? FOR UPDATE", (tenant,)).fetchone()
        if row is None or row[0] != epoch:
            database.rollback()
            return False
        indices, writers, seqs = (list(column) for column in zip(*pending_round.places, strict=True))
        database.execute(
            "INSERT INTO position SELECT ?, * FROM unnest(?::bigint[], ?::text[], ?::bigint[])",
            (tenant, indices, writers, seqs),
        )
        tree = pending_round.tree
        database.execute(
            "INSERT INTO checkpoint VALUES (?,?,?,?,?)", (tenant, tree.size, tree.root(), note, tree.to_bytes())
        )
        progress: list[list[Any]] = [
            list(column)
            for column in zip(
                *((w, seq, int(w in pending_round.done)) for w, seq in pending_round.next_seqs.items()), strict=True
            )
        ]
        database.execute(
            "INSERT INTO sequenced SELECT ?, * FROM unnest(?::text[], ?::bigint[], ?::bigint[])"
            " ON CONFLICT (tenant, w) DO UPDATE SET next=excluded.next, done=excluded.done",
            (tenant, *progress),
        )
        database.execute("UPDATE lease SET until_us=0 WHERE tenant=? AND epoch=?", (tenant, epoch))
        database.commit()
        self._newest_size = tree.size
        return True

    def _load_newest(self) -> bytes | None:
        row = (
            self._connect()
            .execute("SELECT note FROM checkpoint WHERE tenant=? ORDER BY size DESC LIMIT 1", (self._tenant,))
            .fetchone()
        )
        if row is None:
            return None
        note = bytes(row[0])
        open_checkpoint(note, self._vkey, self._tenant)  # it becomes the anchor
        return note

    def _connect(self) -> PostgresDatabase:
        if self._database is None:
            from halo_core.store.postgres import PostgresDatabase  # noqa: PLC0415  the driver may not be installed

            self._database = PostgresDatabase(self._url, tenant=self._tenant)
            self._database.set_deadline(self._deadline_s)
        return self._database

    def abandon(self) -> None:
        """Release the parent's connection after a fork."""
        if self._database is not None:
            self._database.abandon()
            self._database = None

    def close(self) -> None:
        """End the connection."""
        if self._database is not None:
            self._database.close()
            self._database = None


def place_waiting_entries(url: str, home: Path) -> None:
    """Assign positions in each log on a server whose key the home has; otherwise do nothing.

    A reader that is opened afterwards finds what was written before. What could not be placed stays as it is.

    Args:
        url: URL of the database.
        home: folder with `log.key` and the trusted keys.

    Raises:
        ConfigError: there is no such database, or it is no Halo store.
    """
    if not home.is_dir():  # a mistyped one, say; who only reads makes no folder
        return
    keys = KeyStore(home)
    if not is_postgres(url) or "log" not in keys.names():
        return
    log = keys.signer("log")
    # INVARIANT: AUDIT - this key signs no checkpoint of a log that is another key's.
    trusted = {
        tenant
        for tenant, vkey in load_trusted_keys(home).items()
        if vkey == format_vkey(make_vkey(log_origin(tenant), log.public_key))
    }
    with Reader(url) as reader:
        waiting = [tenant for tenant in reader.tenants() if tenant in trusted and reader.count_unplaced(tenant)]
    for tenant in waiting:
        sequencer = Sequencer(url, tenant, log, LEASE_WAIT_S)
        try:
            sequencer.run(wait_s=LEASE_WAIT_S)
        except HaloError as exc:  # a role that may only read, or a log that `halo verify` has to look at
            _LOG.info("entries have no position yet: %s", exc, extra={"halo_event": "not_placed"})
        finally:
            sequencer.close()
