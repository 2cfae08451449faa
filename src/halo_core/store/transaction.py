"""The write transaction that a job works in: it reads state, appends signed entries and updates projections.

Nothing here is durable yet. `halo_core.store.committer.commit_batch` runs COMMIT after the jobs returned, and only then
does an action run or a caller get its answer. A job is a function of a `Transaction`, given to `Store.commit`.
"""

from __future__ import annotations

import base64
import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from halo_core.clock import Clock
from halo_core.crypto.ids import IdSource
from halo_core.errors import CannotDecide
from halo_core.failpoints import hit_failpoint
from halo_core.ledger import new_dek, open_sealed, seal, unwrap_dek, wrap_dek
from halo_core.model import EntryKind, LedgerEntry, Mode, Revocation, Stop
from halo_core.risk.profile import Chunk, Profile, apply_head, pack_row
from halo_core.store import rows
from halo_core.store.session_state import SessionMemory, SessionState, SketchCache, StateCache
from halo_core.store.writer import Writer
from halo_core.values import Marks, Sketch

_PAUSED = 2  # `outcome` of a dispatch: 0 not known yet, 1 ended, 2 paused
# `sqlite_autoindex_dispatch_2` is the index of the table's second constraint. Without statistics SQLite would rather
# read everything the tenant ever dispatched, or its whole log, than the few rows of a request.
PAST_USE_QUERY: Final = (
    "SELECT (SELECT uses FROM usage WHERE tenant=?1 AND agent=?2 AND resource=?3), EXISTS (SELECT 1"
    " FROM dispatch INDEXED BY sqlite_autoindex_dispatch_2 WHERE tenant=?1 AND request_id=?4 AND outcome<>?5)"
)
RUNS_QUERY: Final = (
    "SELECT d.w, d.ws, d.outcome"
    " FROM dispatch d INDEXED BY sqlite_autoindex_dispatch_2 JOIN entry e USING (tenant, w, ws)"
    " WHERE d.tenant=?1 AND d.request_id=?2 ORDER BY e.ts_us DESC, e.ws DESC"
)
_RANDOM_BYTES: Final = 168  # of three fields, 32 and 24 each
_MAX_DEKS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Control:
    """The tenant's control row: mode, policy in force, stops and revocations, with one version over all."""

    version: int
    store: str
    mode: Mode
    policy: str
    stops: tuple[Stop, ...] = ()
    revocations: tuple[Revocation, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry before it has a place: kind, session, body and the content to seal, as field → (subject, bytes)."""

    kind: EntryKind
    session: str
    body: Mapping[str, Any]
    content: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AppendedEntry:
    """An entry that was appended (durable only when the transaction commits)."""

    entry: LedgerEntry
    leaf: bytes


@dataclass(slots=True)
class ContentKeys:
    """The key that wraps content keys, and up to `_MAX_DEKS` content keys opened so far."""

    kek: bytes
    deks: dict[str, bytes] = field(default_factory=dict)

    def remember(self, subject: str, dek: bytes) -> bytes:
        """Keep an opened key in memory."""
        if len(self.deks) >= _MAX_DEKS:
            self.deks.clear()
        self.deks[subject] = dek
        return dek


@dataclass(slots=True)
class RestrictionCache:
    """Stops and revocations as of one version of the control row, so that they are read only when they change."""

    version: int = -1
    stops: tuple[Stop, ...] = ()
    revocations: tuple[Revocation, ...] = ()


class Transaction:
    """One write transaction of one tenant, made by the store and used until it is committed or rolled back."""

    __slots__ = (
        "_assurance",
        "_content_keys",
        "_control_changed",
        "_ids",
        "_next_index",
        "_opened_keys",
        "_random",
        "_restrictions",
        "_sketches",
        "_states",
        "clock",
        "cursor",
        "tenant",
        "writer",
    )

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        tenant: str,
        writer: Writer,
        clock: Clock,
        ids: IdSource,
        content_keys: ContentKeys,
        sketches: SketchCache,
        states: StateCache,
        restrictions: RestrictionCache,
        assurance: str,
    ) -> None:
        self.cursor = connection.cursor()
        self.tenant = tenant
        self.writer = writer
        self.clock = clock
        self._ids = ids
        self._content_keys = content_keys
        self._sketches = sketches
        self._states = states
        self._restrictions = restrictions
        self._control_changed = False
        self._assurance = assurance
        self._next_index: int | None = None
        self._random = b""
        self._opened_keys: dict[str, bytes] = {}

    def append(self, draft: Draft) -> AppendedEntry:
        """Sign and insert one entry at the end of the tenant's log."""
        writer = self.writer
        entry = LedgerEntry(
            id=self._ids.new_entry_id(),
            tenant=self.tenant,
            session=draft.session,
            writer=writer.id,
            seq=writer.seq,
            prev=writer.prev,
            ts_us=self.clock.now_us(),
            mono_us=self.clock.mono_us(),
            kind=draft.kind,
            assurance=self._assurance,
            body=draft.body,
            content={name: self._seal(subject, data) for name, (subject, data) in draft.content.items()},
        )
        note, leaf = writer.sign(entry)
        self.insert(
            "INSERT INTO entry VALUES (?,?,?,?,?,?,?,?)",
            (self.tenant, entry.writer, entry.seq, leaf, entry.kind.value, entry.session, entry.ts_us, note),
        )
        self.insert("INSERT INTO position VALUES (?,?,?,?)", (self.tenant, self._take_index(), entry.writer, entry.seq))
        hit_failpoint("after_append")
        return AppendedEntry(entry, leaf)

    def insert(self, statement: str, values: tuple[Any, ...]) -> None:
        """Run a statement that must keep exactly one row.

        Raises:
            CannotDecide: `ledger_unwritable`, the database did not keep it.
        """
        # A foreign trigger can make an insert succeed and do nothing (RAISE(IGNORE)).
        # INVARIANT: AUDIT - if a row was not kept, the job fails and nothing runs.
        if self.cursor.execute(statement, values).rowcount != 1:
            raise CannotDecide("ledger_unwritable", "the database did not store a row", remedy="run `halo verify`")

    def _take_index(self) -> int:
        if self._next_index is None:
            row = self.cursor.execute("SELECT max(idx) FROM position WHERE tenant=?", (self.tenant,)).fetchone()
            self._next_index = 0 if row[0] is None else row[0] + 1
        place = self._next_index
        self._next_index += 1
        return place

    def clear_caches(self) -> None:
        """Forget the log's end and the opened keys, after something was rolled back."""
        self._next_index = None
        self._opened_keys.clear()

    def _draw_random(self, size: int) -> bytes:
        # Taken from the operating system for several fields at once; no byte is used twice.
        if len(self._random) < size:
            self._random = os.urandom(_RANDOM_BYTES)
        taken, self._random = self._random[:size], self._random[size:]
        return taken

    def _seal(self, subject: str, data: bytes) -> dict[str, str]:
        sealed = seal(
            self._content_key(subject),
            self.tenant,
            subject,
            data,
            salt=self._draw_random(32),
            nonce=self._draw_random(24),
        )
        self.insert(
            "INSERT INTO content VALUES (?,?,?,?,?)",
            (self.tenant, sealed.commitment, subject, sealed.nonce, sealed.ciphertext),
        )
        return sealed.to_reference()

    def _content_key(self, subject: str) -> bytes:
        # Read in each transaction, since another process may have erased the subject since the last one. While this one
        # holds the write lock, no other can.
        dek = self._opened_keys.get(subject)
        if dek is None:
            dek = self._opened_keys[subject] = self._load_content_key(subject)
        return dek

    def _load_content_key(self, subject: str) -> bytes:
        row = self.cursor.execute(
            "SELECT dek_wrapped, erased_at_us FROM vault WHERE tenant=? AND subject=?", (self.tenant, subject)
        ).fetchone()
        if row is None:
            dek = new_dek(os.urandom)
            wrapped = wrap_dek(self._content_keys.kek, dek, self.tenant, subject, os.urandom(24))
            self.insert("INSERT INTO vault VALUES (?,?,?,NULL)", (self.tenant, subject, wrapped))
            return self._content_keys.remember(subject, dek)
        if row[1] is not None:
            raise CannotDecide("subject_erased", f"the data of `{subject}` was erased", remedy="use another subject")
        cached_dek = self._content_keys.deks.get(subject)
        if cached_dek is not None:
            return cached_dek
        return self._content_keys.remember(subject, unwrap_dek(self._content_keys.kek, row[0], self.tenant, subject))

    def load_note(self, writer: str, seq: int) -> bytes | None:
        """The signed bytes of an entry, not verified; None where there is none."""
        row = self.cursor.execute(
            "SELECT body FROM entry WHERE tenant=? AND w=? AND ws=?", (self.tenant, writer, seq)
        ).fetchone()
        return None if row is None else bytes(row[0])

    def open_content(self, entry: LedgerEntry, name: str) -> bytes | None:
        """A sealed field of an entry; None where it was erased or never written.

        Raises:
            Tampered: what is stored is not what the entry committed to.
        """
        commitment = base64.b64decode(entry.content[name]["c"])
        row = self.cursor.execute(
            "SELECT c.subject, c.nonce, c.ciphertext, v.dek_wrapped FROM content c JOIN vault v USING (tenant, subject)"
            " WHERE c.tenant=? AND c.commitment=? AND v.erased_at_us IS NULL",
            (self.tenant, commitment),
        ).fetchone()
        if row is None:
            return None
        subject, nonce, ciphertext, wrapped = row
        dek = unwrap_dek(self._content_keys.kek, wrapped, self.tenant, subject)
        return open_sealed(dek, self.tenant, subject, commitment=commitment, nonce=nonce, ciphertext=ciphertext)

    def put_blob(self, name: str, data: bytes) -> bool:
        """Store `data` under its content hash; False where it is there already."""
        row = self.cursor.execute(
            "INSERT INTO blob VALUES (?,?,?) ON CONFLICT DO NOTHING RETURNING 1", (self.tenant, name, data)
        ).fetchone()
        return row is not None

    def load_blob(self, name: str) -> bytes | None:
        """The bytes stored under a content hash."""
        row = self.cursor.execute("SELECT bytes FROM blob WHERE tenant=? AND hash=?", (self.tenant, name)).fetchone()
        return None if row is None else bytes(row[0])

    def new_id(self) -> str:
        """A fresh short id."""
        return self._ids.new_short_id()

    def has_control(self) -> bool:
        """Whether the tenant's store was ever opened."""
        return self.cursor.execute("SELECT 1 FROM control WHERE tenant=?", (self.tenant,)).fetchone() is not None

    def load_control(self) -> Control:
        """The control row, with the restrictions in force."""
        row = self.cursor.execute(
            "SELECT version, store, mode, policy FROM control WHERE tenant=?", (self.tenant,)
        ).fetchone()
        if row is None:
            raise CannotDecide(
                "ledger_unwritable", "the store has no control row", remedy="restore a copy of the database"
            )
        return Control(row[0], row[1], Mode(row[2]), row[3], *self._load_restrictions(row[0]))

    def _load_restrictions(self, version: int) -> tuple[tuple[Stop, ...], tuple[Revocation, ...]]:
        cache = self._restrictions
        # A version that this very transaction made may still be rolled back, and then mean something else.
        if self._control_changed:
            return rows.RestrictionTable(self).list_all()
        if cache.version != version:
            cache.stops, cache.revocations = rows.RestrictionTable(self).list_all()
            cache.version = version
        return cache.stops, cache.revocations

    def put_control(self, control: Control) -> None:
        """Set mode, policy and version."""
        self._control_changed = True
        self._restrictions.version = -1
        self.insert(
            "INSERT INTO control VALUES (?,?,?,?,?) ON CONFLICT (tenant) DO UPDATE SET "
            "version=excluded.version, mode=excluded.mode, policy=excluded.policy",
            (self.tenant, control.version, control.store, control.mode.value, control.policy),
        )

    def raise_control_version(self) -> None:
        """Count a change of the restrictions in the control row."""
        control = self.load_control()
        self.put_control(replace(control, version=control.version + 1))

    def load_session(self, session: str) -> SessionState | None:
        """The session's state; None for a new session."""
        row = self.cursor.execute(
            "SELECT state FROM session WHERE tenant=? AND session=?", (self.tenant, session)
        ).fetchone()
        return None if row is None else self._states.parse(session, row[0])

    def put_session(self, state: SessionState, head: LedgerEntry) -> None:
        """Store the state; `head` is the entry that changed it, so that verification misses a deleted one."""
        self.insert(
            "INSERT INTO session VALUES (?,?,?,?,?,?) ON CONFLICT (tenant, session) DO UPDATE SET "
            "version=excluded.version, state=excluded.state, head_w=excluded.head_w, head_ws=excluded.head_ws",
            (self.tenant, state.view.id, state.view.version, state.to_bytes(), head.writer, head.seq),
        )
        self._states.remember(state)

    def load_sketch(self, state: SessionState) -> Sketch:
        """The texts and values the session has seen, from memory where that is current."""
        sketch = self._load_memory(state).sketch
        sketch.saturated = sketch.saturated or state.saturated
        return sketch

    def load_profile(self, state: SessionState) -> Profile:
        """The session's behaviour profile."""
        profile = self._load_memory(state).profile
        apply_head(profile, state.watched)
        return profile

    def _load_memory(self, state: SessionState) -> SessionMemory:
        memory = self._sketches.get(state.view.id)
        if memory.chunks < state.chunks:
            chunks = self.cursor.execute(
                "SELECT marks FROM sketch WHERE tenant=? AND session=? AND seq>=? ORDER BY seq",
                (self.tenant, state.view.id, memory.chunks),
            )
            # One by one: a long session has more rows than memory should hold at once.
            self._sketches.absorb(memory, (row[0] for row in chunks))
        return memory

    def add_sketch_row(
        self, state: SessionState, added: Marks, chunk: Chunk | None = None, *, request: bool = False
    ) -> SessionState:
        """Store what a session saw and what its profile keeps of it; the state with that row counted."""
        if not added and chunk is None:
            return state
        row = pack_row(added, chunk, request=request)
        self.insert("INSERT INTO sketch VALUES (?,?,?,?)", (self.tenant, state.view.id, state.chunks, row))
        self._sketches.absorb(self._load_memory(state), [row])
        return state.with_chunk(row)

    def load_taint_index(self) -> rows.TaintIndex:
        """Fingerprints of what the tenant's sessions stored while they were exposed."""
        return rows.TaintTable(self).refresh(self._sketches.taint_index)

    def add_tainted_fingerprints(self, fingerprints: frozenset[int]) -> dict[str, Any] | None:
        """Store fingerprints of a stored value; the commitment for the entry, None where nothing is new."""
        return rows.TaintTable(self).add(self._sketches.taint_index, fingerprints) if fingerprints else None

    def load_past_use(self, agent: str, resource: str, request_id: str) -> tuple[int, bool]:
        """How often the agent used the resource, and whether this request id was dispatched and did not pause."""
        values = (self.tenant, agent, resource, request_id, _PAUSED)
        uses, dispatched = self.cursor.execute(PAST_USE_QUERY, values).fetchone()
        return uses or 0, bool(dispatched)

    def count_use(self, agent: str, resource: str) -> None:
        """Count one use of a resource by an agent."""
        self.insert(
            "INSERT INTO usage VALUES (?,?,?,1) ON CONFLICT (tenant, agent, resource) DO UPDATE SET uses=uses+1",
            (self.tenant, agent, resource),
        )

    def record_dispatch(self, request_id: str, entry: LedgerEntry, *, once: bool) -> None:
        """Record that `entry` lets its action run; with `once`, a second such row is refused by the table itself."""
        self.insert(
            "INSERT INTO dispatch VALUES (?,?,?,?,?,0)",
            (self.tenant, request_id, entry.writer, entry.seq, request_id if once else None),
        )

    def mark_settled(self, writer: str, seq: int, *, paused: bool = False) -> bool:
        """Mark a dispatched decision as having an outcome; False when it had one."""
        # INVARIANT: ONCE - a paused dispatch makes room for one more dispatch of the same request.
        mark = f"outcome={_PAUSED}, once=NULL" if paused else "outcome=1"
        done = self.cursor.execute(
            f"UPDATE dispatch SET {mark} WHERE tenant=? AND w=? AND ws=? AND outcome=0",  # noqa: S608  constants
            (self.tenant, writer, seq),
        )
        return done.rowcount == 1

    def find_completed_run(self, request_id: str) -> tuple[str, int] | None:
        """(writer, sequence) of the decision that let this request run, if it may not run again and has an outcome."""
        row: tuple[str, int] | None = self.cursor.execute(
            "SELECT w, ws FROM dispatch WHERE tenant=? AND request_id=? AND once=request_id AND outcome=1",
            (self.tenant, request_id),
        ).fetchone()
        return row

    def find_paused_run(self, request_id: str) -> tuple[str, int] | None:
        """(writer, sequence) of the decision that last let this request run, if every run of it paused."""
        runs = self.cursor.execute(RUNS_QUERY, (self.tenant, request_id)).fetchall()
        return tuple(runs[0][:2]) if runs and all(run[2] == _PAUSED for run in runs) else None

    def find_outcome(self, session: str, since_us: int, leaf: str) -> tuple[str, int] | None:
        """(writer, sequence) of the session's first outcome, from a time on, that names this decision's leaf."""
        row: tuple[str, int] | None = self.cursor.execute(
            "SELECT w, ws FROM entry WHERE tenant=? AND session=? AND ts_us>=? AND kind='outcome' AND instr(body, ?)>0 "
            "ORDER BY ts_us LIMIT 1",
            # With the member's name: as `prev`, the same leaf also stands in the writer's next entry.
            (self.tenant, session, since_us, f'"leaf":"{leaf}"'.encode()),
        ).fetchone()
        return row

    def load_resource_spec(self, resource: str) -> bytes | None:
        """The registration of a resource."""
        row = self.cursor.execute(
            "SELECT spec FROM resource WHERE tenant=? AND id=?", (self.tenant, resource)
        ).fetchone()
        return None if row is None else bytes(row[0])

    def put_resource(self, resource: str, spec: bytes) -> None:
        """Register or re-register a resource."""
        self.insert(
            "INSERT INTO resource VALUES (?,?,?) ON CONFLICT (tenant, id) DO UPDATE SET spec=excluded.spec",
            (self.tenant, resource, spec),
        )

    def record_writer_opened(self, written: AppendedEntry) -> None:
        """Record the writer that `written` opened."""
        self.insert(
            "INSERT INTO writer VALUES (?,?,?,?,NULL)",
            (self.tenant, self.writer.id, self.writer.vkey, written.entry.ts_us),
        )

    def record_writer_closed(self, writer: str, at_us: int) -> None:
        """Record that a writer closed."""
        self.cursor.execute("UPDATE writer SET closed_us=? WHERE tenant=? AND w=?", (at_us, self.tenant, writer))

    def list_open_writers(self) -> list[str]:
        """The other writers that never closed."""
        found = self.cursor.execute("SELECT w FROM writer WHERE tenant=? AND closed_us IS NULL", (self.tenant,))
        return [writer for (writer,) in found if writer != self.writer.id]

    def list_unsettled(self, writer: str) -> list[tuple[int, bytes, str]]:
        """(seq, leaf, session) of a writer's dispatched decisions that have no outcome."""
        return self.cursor.execute(
            "SELECT d.ws, e.leaf, e.session FROM dispatch d JOIN entry e USING (tenant, w, ws) "
            "WHERE d.tenant=? AND d.w=? AND d.outcome=0 ORDER BY d.ws",
            (self.tenant, writer),
        ).fetchall()


def encode_leaf(leaf: bytes) -> str:
    """A leaf hash as entries write it."""
    return base64.b64encode(leaf).decode("ascii")
