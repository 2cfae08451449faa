"""The write transaction that a job works in: it reads state, appends signed entries and updates projections.

Nothing here is durable yet. `halo_core.store.committer.commit_batch` runs COMMIT after the jobs returned, and only then
does an action run or a caller get its answer. A job is a function of a `Transaction`, given to `Store.commit`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from types import MappingProxyType
from typing import Any, Final

from halo_core.clock import Clock
from halo_core.crypto.keys import IdSource
from halo_core.crypto.sodium import AEAD_NONCE_BYTES
from halo_core.decision.record import unpack_digest
from halo_core.errors import CannotDecide
from halo_core.failpoints import hit_failpoint
from halo_core.ledger import (
    compute_attached_digest,
    leaf_hash,
    seal,
    split_marks,
)
from halo_core.ledger.control_history import HISTORY_KINDS, ControlHistory
from halo_core.model import (
    ENDED,
    PAUSED,
    LedgerEntry,
    Provenance,
    make_outcome_key,
    make_repeatable_run_key,
    make_single_run_key,
)
from halo_core.references import is_reference
from halo_core.risk.profile import Chunk, Profile, apply_head, pack_row
from halo_core.store import drafts, rows
from halo_core.store.cached_rows import ContentKey, TaintIndex
from halo_core.store.content_keys import is_erased, load_content_key
from halo_core.store.control_state import load_control_state, load_history, require_one_store
from halo_core.store.drafts import INSERT_ENTRY, AppendedEntry, Draft
from halo_core.store.engine import Conflict, Engine
from halo_core.store.image import Control, SessionMemory, TenantImage
from halo_core.store.profile_rows import UnfoldedTable
from halo_core.store.proven_entries import require_committed_state, require_new_session
from halo_core.store.row_access import RowAccess
from halo_core.store.session_state import SessionState
from halo_core.store.use_counts import UseCounts, choose_part
from halo_core.store.writers import Writer
from halo_core.values.sketches.sketch import Marks, Sketch, pack_spans
from halo_core.values.sketches.withdrawn_orders import Withdrawal, pack_withdrawal

_UNSETTLED_QUERY: Final = (
    "SELECT ws, session FROM entry WHERE tenant=? AND w=? AND mark=1 AND kind='decision' ORDER BY ws"
)
_RANDOM_BYTES: Final = AEAD_NONCE_BYTES * 8


class Transaction(RowAccess):
    """One write transaction of one tenant, created by the store and used until commit or rollback."""

    __slots__ = (
        "_assumed_parts",
        "_assurance",
        "_dirty_sessions",
        "_first_seq",
        "_ids",
        "_pending_marks",
        "_policy_before",
        "_random",
        "_read_versions",
        "_restrictions_changed",
        "_uses",
    )

    def __init__(
        self,
        database: Engine,
        *,
        tenant: str,
        writer: Writer,
        clock: Clock,
        ids: IdSource,
        image: TenantImage,
        assurance: str,
    ) -> None:
        super().__init__(database, tenant=tenant, writer=writer, clock=clock, image=image)
        self._ids = ids
        self._assurance = assurance
        self._random = b""
        self._pending_marks: dict[str, bytes] = {}
        self._dirty_sessions: dict[str, tuple[SessionState, LedgerEntry]] = {}
        self._read_versions: dict[str, int | None] = {}  # session → version of its row as read, None for no row
        self._first_seq, self._policy_before = writer.seq, image.policy
        self._assumed_parts: set[str] = set()  # named by entries, and stored as far as memory knows
        self._uses = UseCounts(self, choose_part(writer.id) if database.has_many_writers else None)
        self._restrictions_changed = False

    def append(self, draft: Draft) -> AppendedEntry:
        """Sign one entry and insert it at the end of the tenant's log.

        Its row is inserted before anything else is read, together with those of other entries.
        """
        writer, tenant, session = self.writer, self.tenant, draft.session
        if not session and draft.kind not in drafts.OPEN_KINDS:
            # Claimed before the entry gets its place: a decision without this change must come before it in the log.
            self.database.claim_control()
            if draft.kind.value in HISTORY_KINDS:
                self.image.control = None  # computed again, from entries of these kinds
        if draft.actor is not None or draft.others:
            draft = self._complete_draft(draft)
        sealed, marks, attached = self._attach(draft)
        ts_us = draft.ts_us or self.clock.now_us()
        names = (
            drafts.list_sealed_names(draft) if draft.others else tuple(sorted(draft.content)) if draft.content else ()
        )
        entry = LedgerEntry(
            tenant,
            session,
            writer.id,
            writer.seq,
            writer.prev,
            ts_us,
            draft.kind,
            self._assurance,
            draft.body,
            names,
            attached,
        )
        text, signatures, leaf = writer.sign(entry)
        # `once` is a key of which the table keeps one row. `mark` is 1 for a decision that runs its action, and for an
        # outcome whether the run has ended or paused.
        once, mark = draft.run or draft.key or None, int(bool(draft.run))
        if draft.settles is not None:
            once, mark = make_outcome_key(*draft.settles), PAUSED if draft.paused else ENDED
            self.image.runs.settle(draft.settles, mark)
        place, kind = self._take_index(), str(draft.kind)
        head = tenant, writer.id, entry.seq, place, kind, session, ts_us
        if self.database.has_many_writers:
            row = (*head, once, mark, text, signatures, sealed or None, marks or None)
            self.database.write(INSERT_ENTRY, row)  # sent with other rows
            hit_failpoint("after_append")
        else:
            # The driver of SQLite takes a bytearray as it is; of bytes it first asks for an adapter.
            data = bytearray(text), bytearray(signatures)
            beside = bytearray(sealed) if sealed else None, bytearray(marks) if marks else None
            self._rows.waiting.append((*head, once and bytearray(once), mark, *data, *beside))
        return AppendedEntry(entry, leaf)

    def _attach(self, draft: Draft) -> tuple[bytes, bytes, str]:
        """What is stored beside an entry: sealed fields, rows of the session's sketch, and the digest of both."""
        marks = self._pending_marks.pop(draft.session, b"") if self._pending_marks else b""
        if draft.others:
            sealed, commitments = self._seal_boxes(draft)
            return sealed, marks, compute_attached_digest(commitments, sealed, marks)
        if not draft.content:
            return b"", marks, compute_attached_digest(b"", b"", marks) if marks else ""
        dek, commitment, name = self.image.keys.get(draft.subject) or load_content_key(self, draft.subject)
        sealed = seal(dek, self.tenant, name, draft.content, nonce=self._draw_nonce())
        return sealed, marks, compute_attached_digest(commitment, sealed, marks)

    def _complete_draft(self, draft: Draft) -> Draft:
        """The draft with its actor, and without the fields of erased subjects.

        The body gets the actor's reference and authentication. The name is sealed under the actor's own key.
        """
        body, others = draft.body, draft.others
        if draft.kind in drafts.VERSIONED_KINDS:
            # Read from the row, which a change of mode has written before its entry.
            row = self.cursor.execute("SELECT version FROM control WHERE tenant=?", (self.tenant,)).fetchone()
            body = {**body, "control": row[0]}
        if draft.actor is not None:
            reference = self.references.of_person(draft.actor.name)
            body = {**body, "actor": reference, "authn": draft.actor.authn}
            others = (*others, (reference, {"actor": draft.actor.name.encode()})) if reference else others
        return replace(draft, body=body, others=tuple(item for item in others if not is_erased(self, item[0])))

    def _seal_boxes(self, draft: Draft) -> tuple[bytes, bytes]:
        """One box for each subject of a draft, and the commitments to their keys."""
        by_subject: dict[str, dict[str, bytes]] = {}
        for subject, fields in ((draft.subject, draft.content), *draft.others):
            if fields:
                by_subject.setdefault(subject, {}).update(fields)
        sealed = commitments = b""
        for subject, fields in by_subject.items():
            dek, commitment, name = self.content_key(subject)
            sealed += seal(dek, self.tenant, name, fields, nonce=self._draw_nonce())
            commitments += commitment
        return sealed, commitments

    def resolve_session(self, session: str) -> str:
        """The reference of a session, given its name or its reference."""
        query = "SELECT 1 FROM session WHERE tenant=? AND session=?"
        is_known = is_reference(session) and self.cursor.execute(query, (self.tenant, session)).fetchone()
        return session if is_known else self.references.of_session(session)

    def _take_index(self) -> int | None:
        """The position of the next entry; None if a sequencer assigns positions later."""
        if self.database.has_many_writers:
            return None
        image = self.image
        if image.next_index is None:
            row = self.cursor.execute("SELECT max(idx) FROM entry WHERE tenant=?", (self.tenant,)).fetchone()
            image.next_index = 0 if row[0] is None else row[0] + 1
        image.next_index += 1
        return image.next_index - 1

    def flush(self) -> None:
        """Write appended entries, and each changed session row once, however often it changed."""
        if self._rows.waiting:
            self._rows.write()
        if self.database.has_many_writers:
            self._write_unchanged_sessions()
        else:
            for state, head in self._dirty_sessions.values():
                data = bytearray(state.to_bytes())  # as in `append`
                self.insert(
                    "INSERT INTO session VALUES (?,?,?,?,?,?) ON CONFLICT (tenant, session) DO UPDATE SET "
                    "version=excluded.version, state=excluded.state, head_w=excluded.head_w, head_ws=excluded.head_ws",
                    (
                        self.tenant,
                        state.view.id,
                        state.view.version,
                        data,
                        head.writer,
                        head.seq,
                    ),
                )
        self._dirty_sessions.clear()
        self._uses.write()
        if self._restrictions_changed:
            self.load_control()
            if self._rows.waiting:  # rows of control differed from their entries
                self._rows.write()

    def _write_unchanged_sessions(self) -> None:
        """Write each changed session if its row is still as it was read, and look for the parts that entries name.

        INVARIANT: ENV - of two processes that read the same counters, only one writes what follows from them.

        Raises:
            Conflict: another process has written a session, or removed a part.
        """
        own = self.writer.id, self._first_seq
        for session, (state, head) in sorted(self._dirty_sessions.items()):
            row = (state.view.version, state.to_bytes(), head.writer, head.seq)
            rows.write_session_if_unchanged(self, session, row, self._read_versions[session], own)
        if self._assumed_parts:
            rows.require_parts(self, sorted(map(unpack_digest, self._assumed_parts)))
            self._assumed_parts.clear()
        self._read_versions.clear()
        self._first_seq = self.writer.seq

    def confirm(self) -> None:
        """After COMMIT, keep the counted uses, and the restrictions for times at which nothing can be read."""
        self._uses.confirm()
        control, history = self.image.control, self.image.history
        if history is not None and history is not self.image.floors.remembered:
            self.image.floors.remember_restrictions(history)
        if self._restrictions_changed and control is not None:
            self.image.stops, self.image.revocations = control.stops, control.revocations

    def close(self) -> None:
        """Close the cursor: unread rows would keep SQLite's read snapshot open, and no new transaction could begin."""
        self._cursor.close()

    def copy_uses(self) -> Mapping[tuple[str, str], int]:
        """The uses counted so far, for `forget`."""
        return self._uses.copy_added()

    def forget(self, uses: Mapping[tuple[str, str], int] = MappingProxyType({})) -> None:
        """Forget the cached state after a rollback; `uses`, counted before it, remain."""
        self._rows.clear()
        self._uses.forget(uses)
        self._dirty_sessions.clear()
        self._read_versions.clear()
        self._first_seq = self.writer.seq
        self._assumed_parts.clear()
        self._pending_marks.clear()
        self.image.clear()
        self.image.forget_entries(self.writer.id, self.writer.seq)
        self.image.policy = self._policy_before

    def _draw_nonce(self) -> bytes:
        # Random bytes for several nonces are read from the operating system at once; each is used once.
        if len(self._random) < AEAD_NONCE_BYTES:
            self._random = os.urandom(_RANDOM_BYTES)
        nonce, self._random = self._random[:AEAD_NONCE_BYTES], self._random[AEAD_NONCE_BYTES:]
        return nonce

    def content_key(self, subject: str) -> ContentKey:
        """The key for new content of a subject, created if missing."""
        return self.image.keys.get(subject) or load_content_key(self, subject)

    def put_part(self, name: str, data: bytes, *, is_new: bool = False) -> None:
        """Store a part of entries (`halo_core.decision.record`) unless it is already stored.

        Args:
            name: name of the part.
            data: its bytes.
            is_new: no writer is known to have stored it. It is then sent with the rest of the transaction.

        Raises:
            CannotDecide: `ledger_unwritable`, the database did not keep it.
            Conflict: it was stored already, though `is_new`. This is raised at COMMIT at the latest, and the next
                attempt looks for the part first.
        """
        if name not in self.image.parts:
            full_name = unpack_digest(name)
            # INVARIANT: AUDIT - an entry is never stored without the parts that it names; see `insert`.
            if is_new and self.database.has_many_writers and self.image.try_part(name):
                self.put_new_blob(full_name, data)
            elif not self.put_blob(full_name, data) and self.load_blob(full_name) != data:
                raise CannotDecide("ledger_unwritable", "the database did not store a part", remedy="run `halo verify`")
            self.image.remember_part(name)
        elif self.database.has_many_writers:  # another process may have removed it
            self._assumed_parts.add(name)

    def new_id(self) -> str:
        """A fresh short id."""
        return self._ids.new_short_id()

    def has_control(self) -> bool:
        """Whether the tenant's store was ever opened."""
        return self.cursor.execute("SELECT 1 FROM control WHERE tenant=?", (self.tenant,)).fetchone() is not None

    def load_store_id(self) -> str:
        """The id of the store, as passports and signed acts contain it.

        Raises:
            CannotDecide: `ledger_unwritable`, the row names another one than the entries.
        """
        row = self.cursor.execute("SELECT store FROM control WHERE tenant=?", (self.tenant,)).fetchone()
        require_one_store(self, str(row[0]))
        return str(row[0])

    def load_control(self) -> Control:
        """What is in force: control row and restrictions, at least those in signed entries."""
        image = self.image
        if image.control is None:
            control = load_control_state(self, *rows.RestrictionTable(self).list_all())
            if not self._restrictions_changed:
                # INVARIANT: FAILCLOSED - what this transaction lifts counts as in force until it is committed.
                image.stops, image.revocations = control.stops, control.revocations
            image.control = control
        return image.control

    def load_history(self) -> ControlHistory:
        """People, mode and restrictions according to signed entries; the same object until there is a newer one."""
        image = self.image
        if image.history is not None and image.control is not None:
            return image.history
        store = self.load_control().store
        history = image.history
        return load_history(self, store) if history is None else history

    def put_control(self, control: Control) -> None:
        """Set the recorded mode, the policy and the version of the control row."""
        self.database.claim_control()
        self.image.control = None
        self.insert(
            "INSERT INTO control VALUES (?,?,?,?,?) ON CONFLICT (tenant) DO UPDATE SET "
            "version=excluded.version, mode=excluded.mode, policy=excluded.policy",
            (self.tenant, control.version, control.store, control.recorded.value, control.policy),
        )

    def increment_control_version(self) -> None:
        """Count a change of the restrictions in the control row."""
        self._restrictions_changed = True
        control = self.load_control()
        self.put_control(replace(control, version=control.version + 1))

    def load_session(self, session: str) -> SessionState | None:
        """The session's state; None for a new session."""
        image = self.image
        if session in image.current_sessions:
            return image.states.get(session)
        if session in self._dirty_sessions:  # the image had no room for it
            return self._dirty_sessions[session][0]
        row = self.cursor.execute(
            f"SELECT state, head_w, head_ws FROM session WHERE tenant=? AND session=?{self.database.row_lock}",  # noqa: S608  constants
            (self.tenant, session),
        ).fetchone()
        try:
            if row is None:
                require_new_session(self, session)
                image.runs.begin(session)
                return image.parse_session(session, None)
            cached_state = image.states.get(session)
            is_known = cached_state is not None and cached_state.to_bytes() == row[0]
            require_committed_state(self, session, row[0], (row[1], row[2]), is_known=is_known)
        except CannotDecide as exc:
            if self.database.holds_rows or isinstance(exc, Conflict):
                raise
            # Another process may have written the row between two statements. The next attempt locks it.
            raise Conflict("the session was written meanwhile") from exc
        return image.parse_session(session, row[0])

    def put_session(self, state: SessionState, head: LedgerEntry) -> None:
        """Store the state of a session.

        Args:
            state: the new state.
            head: the entry that changed it. The row names it, so that verification detects its deletion.
        """
        if self.database.has_many_writers and state.view.id not in self._read_versions:
            cached_state = self.load_session(state.view.id)
            self._read_versions[state.view.id] = None if cached_state is None else cached_state.view.version
        cached_state = self.image.states.get(state.view.id)
        if bool(state.tallies) is (cached_state is None or not cached_state.tallies):
            table = UnfoldedTable(self)
            if state.tallies:
                table.put(state.view.id, state.view.high_water_us)
            elif cached_state is not None:
                table.remove(state.view.id)
        self._dirty_sessions[state.view.id] = state, head
        self.image.put_session(state)

    def load_sketch(self, state: SessionState) -> Sketch:
        """The texts and values that the session has seen, from memory if current."""
        sketch = self._load_memory(state).sketch
        sketch.saturated = sketch.saturated or state.saturated
        return sketch

    def load_profile(self, state: SessionState) -> Profile:
        """The session's behaviour profile."""
        profile = self._load_memory(state).profile
        apply_head(profile, state.watched)
        return profile

    def _load_memory(self, state: SessionState) -> SessionMemory:
        if (memory := self.image.get_memory(state.view.id)).chunks < state.chunks:
            self._read_memory(memory, state)
        return memory

    def _read_memory(self, memory: SessionMemory, state: SessionState) -> None:
        """Read the rows of a session that memory does not have yet."""
        rows = self.cursor.execute(
            "SELECT marks FROM entry WHERE tenant=? AND session=? AND marks IS NOT NULL ORDER BY idx",
            (self.tenant, state.view.id),
        )
        # One by one: a long session has more rows than memory should hold at once.
        chunks = (chunk for (marks,) in rows for chunk in split_marks(marks))
        before = memory.chunks
        memory.absorb(islice(chunks, before, None))
        self.image.chunks_in_memory += memory.chunks - before
        # INVARIANT: VOUCH - a session whose rows were emptied is not treated as one that has seen nothing.
        if memory.chunks < state.chunks:
            problem = f"fingerprints of session `{state.view.id}` are missing"
            raise CannotDecide("ledger_unwritable", problem, remedy="run `halo verify`")

    def add_sketch_row(
        self, state: SessionState, added: Marks, chunk: Chunk | None = None, *, request: bool = False
    ) -> SessionState:
        """Store what a session was shown, and what its profile keeps of it, beside the session's next entry.

        Args:
            state: the session's.
            added: marks that the text adds to the sketch.
            chunk: what the profile keeps of the text, None for nothing.
            request: the text is the user's.

        Returns:
            The session's new state.
        """
        row = pack_row(added, chunk, request=request)
        memory = self._load_memory(state)
        session = state.view.id
        # The row is stored beside the next entry of the session.
        self._pending_marks[session] = self._pending_marks.get(session, b"") + len(row).to_bytes(4, "big") + row
        if chunk is None:  # the same as reading the row, but faster
            memory.sketch.merge(added)
            memory.chunks += 1
        else:
            memory.absorb([row])
        self.image.chunks_in_memory += 1
        return state.with_chunk()

    def add_spans_row(self, state: SessionState, origin: Provenance, packed: bytes) -> SessionState:
        """Store the words of a text in order beside the session's next entry; returns the new state."""
        row = pack_spans(origin, packed)
        memory, session = self._load_memory(state), state.view.id
        self._pending_marks[session] = self._pending_marks.get(session, b"") + len(row).to_bytes(4, "big") + row
        memory.sketch.spans[origin].add(packed)  # the same as reading the row
        memory.chunks += 1
        self.image.chunks_in_memory += 1
        return state.with_chunk()

    def add_withdrawal_row(self, state: SessionState, withdrawal: Withdrawal) -> SessionState:
        """Store what the user took back, or ordered again, beside the session's next entry; returns the new state."""
        row = pack_withdrawal(withdrawal)
        memory, session = self._load_memory(state), state.view.id
        self._pending_marks[session] = self._pending_marks.get(session, b"") + len(row).to_bytes(4, "big") + row
        memory.absorb([row])
        self.image.chunks_in_memory += 1
        return state.with_chunk()

    def load_taint_index(self) -> TaintIndex:
        """Fingerprints of values stored by exposed sessions of the tenant."""
        end, index = self.image.taint_end, self.image.taint_index
        return index if end is not None and end[0] == index.seq else rows.TaintTable(self).refresh()

    def add_tainted_fingerprints(self, fingerprints: frozenset[int]) -> dict[str, Any] | None:
        """Store fingerprints of a stored value; returns the commitment for the entry, None if none is new."""
        return rows.TaintTable(self).add(fingerprints) if fingerprints else None

    def count_uses(self, agent: str, resource: str) -> int:
        """How often the agent has used the resource; an estimate where several processes count (`UseCounts`)."""
        return self._uses.count(agent, resource)

    def add_use(self, agent: str, resource: str) -> None:
        """Count one use of a resource by an agent; the row is written later, with others."""
        self._uses.add(agent, resource)

    def was_dispatched(self, session: str, request_id: str) -> bool:
        """Whether a request of the session has run without pausing."""
        recorded_run = self.image.runs.find(session, request_id)
        marks = recorded_run if recorded_run is not None else [mark for *_, mark in self.list_runs(session, request_id)]
        return any(mark != PAUSED for mark in marks)

    def make_run_key(self, session: str, request_id: str, *, once: bool) -> bytes:
        """The key of a decision that runs its action; with `once`, the table refuses a second one with its number.

        INVARIANT: ONCE - a run that paused makes room for one more run of the same request, under the next number.
        """
        if not once:
            return make_repeatable_run_key(request_id, self.writer.id, self.writer.seq)
        recorded_run = self.image.runs.find(session, request_id)
        runs = recorded_run if recorded_run is not None else self.list_runs(session, request_id)
        return make_single_run_key(request_id, len(runs))

    def record_run(self, request_id: str, entry: LedgerEntry) -> None:
        """Note that `entry` runs its action."""
        self.image.runs.add(entry.session, request_id, (entry.writer, entry.seq))

    def has_outcome(self, session: str, writer: str, seq: int) -> bool:
        """Whether a decision has an outcome already."""
        if (writer, seq) in self.image.runs.open_places:
            return False
        return self.find_outcome(session, writer, seq) is not None

    def list_unsettled(self, writer: str) -> list[tuple[int, bytes, str]]:
        """(seq, leaf, session) of a writer's decisions that ran their action and have no outcome."""
        # On a cursor of its own, row by row: a writer may have let a million actions run.
        if self._rows.waiting:
            self._rows.write()
        rows = self.database.execute(_UNSETTLED_QUERY, (self.tenant, writer))
        unsettled = [(seq, session) for seq, session in rows if self.find_outcome(session, writer, seq) is None]
        return [(seq, leaf_hash(self.load_note(writer, seq) or b""), session) for seq, session in unsettled]
