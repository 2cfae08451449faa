"""Marks of conversations in the store: which items were made while a session was exposed, and words of such models.

A row is authenticated with the store's key, so that nobody who can write to the database alone makes an item known.
INVARIANT: FAILCLOSED - a mark that is missing, expired or not authentic is unknown, and what is unknown counts as
exposed. One item has one row, in which exposure is never taken back. The row also has fingerprints of the values that
the item carries into a later session (`halo_core.values.provenance.carried`), for the user in whose session it was
made.

Words that exposed models wrote are looked up the other way round: what is missing there repeats nobody. So a row of
theirs that is not authentic, or one more than are kept, makes everything count as a repetition (`RepeatIndex.is_full`).
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterable
from dataclasses import replace
from enum import Enum
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from halo_core.store.cached_rows import Clearance, ItemMark, RepeatIndex
from halo_core.store.row_access import Table
from halo_core.values.kinds.kinds import MAX_CARRIED
from halo_core.values.provenance.repeats import REPEAT_BYTES

LIFETIME_US: Final = 90 * 86_400_000_000
"""How long a mark counts after it was last made, microseconds: 90 days."""
REPEAT_LIFETIME_US: Final = 30 * 86_400_000_000
"""How long words of exposed models are recognised, microseconds: 30 days."""
MAX_MARKS: Final = 1_000_000
"""Most rows that a tenant's store keeps; beyond that, those that expire first are deleted."""
_RENEWAL_US: Final = 86_400_000_000  # a mark that has not changed is written again after a day
_PRUNE_EVERY: Final = 4096  # new rows
_MAX_LOADED: Final = 64  # items that are read at once
_MAC_BYTES: Final = 16
_SESSION_BYTES: Final = 8
_USER_BYTES: Final = 8
_VALUE_BYTES: Final = 7  # of a fingerprint of a sketch
_ITEM: Final = b"i"  # first byte of the column `mark`
_REPEATS: Final = b"r"
_CLEARANCE: Final = b"c"
_AFTER_CLEARANCES: Final = b"d"
_INSERT: Final = "INSERT INTO mark VALUES (?,?,?,?)"
_UPSERT: Final = (
    f"{_INSERT} ON CONFLICT (tenant, mark) DO UPDATE SET expires_us=excluded.expires_us, state=excluded.state"
)
_EXPOSED: Final = 1
_CLEAN: Final = 2


class Exposure(Enum):
    """What the store knows about an item."""

    UNKNOWN = "unknown"
    CLEAN = "clean"
    EXPOSED = "exposed"


class MarkTable(Table):
    """The marks of a tenant, as seen and changed by one transaction."""

    # items

    def find_exposure(
        self, marks: tuple[bytes, ...], session: str, now_us: int, *, is_generic: bool = False
    ) -> Exposure:
        """The exposure of an item, by the first of its marks that is stored.

        Args:
            marks: marks of the item.
            session: session of the action. What it made itself counts as clean: its state says if it is exposed.
            now_us: wall clock, microseconds since the epoch.
            is_generic: many conversations have it, so that one exposed conversation does not speak for the others;
                but only for marks that cover the text alone.
        """
        for place, mark in enumerate(marks):
            item = self.get_item(mark)
            if item is None or item.expires_us <= now_us:
                continue
            if item.session == self._digest_session(session):
                return Exposure.CLEAN
            if item.was_exposed and not (is_generic and place and item.was_clean):
                return Exposure.EXPOSED
            return Exposure.CLEAN
        return Exposure.UNKNOWN

    def find_known(
        self, marks: tuple[bytes, ...], user: str, now_us: int, *, other_than: str | None = None
    ) -> tuple[int, ...]:
        """Fingerprints of the known values in an item, by the first of its marks that is stored.

        INVARIANT: VOUCH - an item that was ever made while exposed carries nothing, and nobody's reaches another user.

        Args:
            marks: marks of the item.
            user: the user for whom the current action is done.
            now_us: wall clock, microseconds since the epoch.
            other_than: a session to leave out, since it knows what it made itself.
        """
        item = next(filter(None, (self.get_live_item(mark, now_us) for mark in marks)), None)
        if item is None or not item.known or item.was_exposed or item.user != self._digest_user(user):
            return ()
        is_own = other_than is not None and item.session == self._digest_session(other_than)
        return () if is_own else item.known

    def get_live_item(self, mark: bytes, now_us: int) -> ItemMark | None:
        """Like `get_item`, without what has expired."""
        item = self.get_item(mark)
        return item if item is not None and item.expires_us > now_us else None

    def get_item(self, mark: bytes) -> ItemMark | None:
        """The facts about the item with a mark; None if there are none, or the row is not authentic."""
        image = self._tx.image
        if mark in image.marks:
            return image.marks[mark]
        if image.knows_all_marks is None:
            self._load_few_items()
        if image.knows_all_marks:
            return image.marks.get(mark)
        row = self._read(_ITEM + mark)
        item = None if row is None else _unpack_item(*row)
        image.remember_mark(mark, item)
        return item

    def _load_few_items(self) -> None:
        """Read all items if there are few, so that a process that writes alone knows which are new."""
        tx = self._tx
        rows = tx.cursor.execute(
            "SELECT mark, expires_us, state FROM mark WHERE tenant=? AND mark>=? AND mark<? LIMIT ?",
            (tx.tenant, _ITEM, _ITEM + b"\xff" * 17, _MAX_LOADED + 1),
        ).fetchall()
        tx.image.knows_all_marks = len(rows) <= _MAX_LOADED
        for name, expires_us, state in rows if tx.image.knows_all_marks else ():
            payload = self._authenticate(bytes(name), expires_us, bytes(state))
            item = None if payload is None else _unpack_item(payload, expires_us)
            tx.image.marks[bytes(name)[1:]] = item

    def put_item(
        self,
        mark: bytes,
        session: str,
        now_us: int,
        *,
        exposed: bool,
        known: Collection[int] = (),
        user: str = "",
        grows: bool = False,
    ) -> None:
        """Note that a session produced an item.

        INVARIANT: MONO - an item that was once made while exposed is never known as clean alone, and carries nothing.
        One that was made several times carries what was known each time.

        Args:
            mark: mark of the item.
            session: that has made it.
            now_us: wall clock, microseconds since the epoch.
            exposed: whether the session is exposed.
            known: fingerprints of the known values in it.
            user: the user for whom the session acts.
            grows: it names a conversation, which holds more each time.
        """
        before, is_new = self._get_item_to_change(mark)
        live = before if before is not None and before.expires_us > now_us else None
        was_exposed = exposed or (live is not None and live.was_exposed)
        was_clean = not exposed or (live is not None and live.was_clean)
        maker, values, owner = self._digest_session(session), set(known), b""
        if values:
            owner = self._digest_user(user)
            if live is not None and not grows:
                values.intersection_update(live.known if live.user == owner else ())
            if was_exposed:
                values.clear()
            if not values:
                owner = b""
        carried, expires_us = tuple(sorted(values)[:MAX_CARRIED]), now_us + LIFETIME_US
        item = ItemMark(was_exposed, was_clean, maker, expires_us, carried, owner)
        is_same = live is not None and replace(item, expires_us=live.expires_us) == live
        if live is not None and is_same and live.expires_us > expires_us - _RENEWAL_US:
            return
        payload = bytes((_EXPOSED * was_exposed | _CLEAN * was_clean,)) + maker + owner
        for value in carried:
            payload += value.to_bytes(_VALUE_BYTES)
        self._write(_ITEM + mark, expires_us, payload, is_new=is_new)
        self._tx.image.remember_mark(mark, item)

    def _get_item_to_change(self, mark: bytes) -> tuple[ItemMark | None, bool]:
        """The facts about an item, and whether it has no row; locked until this transaction ends.

        INVARIANT: MONO - of two processes that note one item at the same time, neither overwrites what the other says.
        """
        if not self._tx.database.has_many_writers:
            return self.get_item(mark), False
        row = self._tx.cursor.execute(
            "SELECT expires_us, state FROM mark WHERE tenant=? AND mark=? FOR UPDATE", (self._tx.tenant, _ITEM + mark)
        ).fetchone()
        if row is None:
            return None, True
        payload = self._authenticate(_ITEM + mark, row[0], bytes(row[1]))
        return None if payload is None else _unpack_item(payload, row[0]), False

    def _digest_session(self, session: str) -> bytes:
        return _digest_name(self._tx.image.sketch_key, f"session\0{self._tx.tenant}\0{session}", _SESSION_BYTES)

    def _digest_user(self, user: str) -> bytes:
        return _digest_name(self._tx.image.sketch_key, f"user\0{self._tx.tenant}\0{user}", _USER_BYTES)

    # words of exposed models

    def load_repeats(self, now_us: int) -> RepeatIndex:
        """The index in memory, updated from the table."""
        image = self._tx.image
        index = image.repeat_index
        if not image.has_current_repeats:
            rows = self._tx.cursor.execute(
                "SELECT mark, expires_us, state FROM mark WHERE tenant=? AND mark>? AND mark<? ORDER BY mark",
                (self._tx.tenant, _REPEATS + index.seq.to_bytes(8, "big"), _REPEATS + b"\xff" * 8),
            ).fetchall()
            for name, expires_us, state in rows:
                seq = int.from_bytes(bytes(name)[1:])
                payload = self._authenticate(bytes(name), expires_us, bytes(state))
                if payload is None:
                    index.mark_broken(seq)
                else:
                    index.add(seq, _unpack_repeats(payload) if expires_us > now_us else ())
            image.has_current_repeats = True
        return index

    def add_repeats(self, fingerprints: Iterable[int], now_us: int) -> None:
        """Keep fingerprints of words that an exposed model wrote."""
        index = self.load_repeats(now_us)
        new = sorted({item for item in fingerprints if not index.contains(item)})
        if not new or index.is_full:
            return
        seq = index.seq + 1
        payload = b"".join(item.to_bytes(REPEAT_BYTES) for item in new)
        self._write(_REPEATS + seq.to_bytes(8, "big"), now_us + REPEAT_LIFETIME_US, payload, is_new=True)
        index.add(seq, new)

    # clearances

    def get_clearance(self, name: bytes) -> Clearance:
        """The clearance of the store or tool with this digest; none without an authentic row."""
        known = self._tx.image.clearances
        if name not in known:
            row = self._read(_CLEARANCE + name)
            known[name] = Clearance() if row is None else _unpack_clearance(row[0])
        return known[name]

    def get_generation(self, name: bytes) -> int:
        """How often the store with this digest was cleared; 0 without an authentic row."""
        return self.get_clearance(name).times

    def get_newest_clearance(self) -> int:
        """Number of the newest row of stored fingerprints when something was last cleared; 0 if nothing was."""
        image = self._tx.image
        if image.newest_clearance is None:
            rows = self._tx.cursor.execute(
                "SELECT mark, expires_us, state FROM mark WHERE tenant=? AND mark>=? AND mark<?",
                (self._tx.tenant, _CLEARANCE, _AFTER_CLEARANCES),
            ).fetchall()
            payloads = [self._authenticate(bytes(name), expires_us, bytes(state)) for name, expires_us, state in rows]
            image.newest_clearance = max(
                (_unpack_clearance(payload).taint_seq for payload in payloads if payload is not None), default=0
            )
        return image.newest_clearance

    def clear(self, name: bytes, *, taint_seq: int = 0) -> int:
        """Note that a person cleared a store, or what a tool reads; returns how often that has happened.

        Args:
            name: digest of the store or the tool.
            taint_seq: number of the newest row of stored fingerprints.
        """
        self._tx.database.claim_control()
        cleared = Clearance(self.get_generation(name) + 1, taint_seq)
        self._write(_CLEARANCE + name, 2**62, cleared.times.to_bytes(4, "big") + cleared.taint_seq.to_bytes(8, "big"))
        self._tx.image.clearances[name] = cleared
        self._tx.image.newest_clearance = None
        return cleared.times

    # rows

    def _read(self, name: bytes) -> tuple[bytes, int] | None:
        """Payload and expiry of a row; None if there is none or it is not authentic."""
        row = self._tx.cursor.execute(
            "SELECT expires_us, state FROM mark WHERE tenant=? AND mark=?", (self._tx.tenant, name)
        ).fetchone()
        payload = None if row is None else self._authenticate(name, row[0], bytes(row[1]))
        return None if payload is None else (payload, row[0])

    def _write(self, name: bytes, expires_us: int, payload: bytes, *, is_new: bool = False) -> None:
        """Write a row; one that `is_new` must not be there on an engine with many writers, which is a Conflict."""
        state = payload + self._compute_mac(name, expires_us, payload)
        is_first = is_new and self._tx.database.has_many_writers
        self._tx.insert(_INSERT if is_first else _UPSERT, (self._tx.tenant, name, expires_us, state))
        image = self._tx.image
        image.marks_written += 1
        if image.marks_written % _PRUNE_EVERY == 0:
            self._prune()

    def _authenticate(self, name: bytes, expires_us: int, state: bytes) -> bytes | None:
        payload, mac = state[:-_MAC_BYTES], state[-_MAC_BYTES:]
        return payload if hmac.compare_digest(mac, self._compute_mac(name, expires_us, payload)) else None

    def _compute_mac(self, name: bytes, expires_us: int, payload: bytes) -> bytes:
        tx, expiry = self._tx, b"%d" % expires_us
        sizes = len(name).to_bytes(4), len(expiry).to_bytes(4), len(payload).to_bytes(4)
        data = b"".join((_make_mac_head(tx.tenant), sizes[0], name, sizes[1], expiry, sizes[2], payload))
        return blake2b(data, digest_size=_MAC_BYTES, key=tx.image.sketch_key[:64]).digest()

    def _prune(self) -> None:
        """Delete expired rows, and above the limit those that expire first."""
        tx = self._tx
        now_us = tx.clock.now_us()
        tx.cursor.execute("DELETE FROM mark WHERE tenant=? AND expires_us<=?", (tx.tenant, now_us))
        (count,) = tx.cursor.execute("SELECT count(*) FROM mark WHERE tenant=?", (tx.tenant,)).fetchone()
        if count > MAX_MARKS:
            tx.cursor.execute(
                "DELETE FROM mark WHERE tenant=? AND mark IN (SELECT mark FROM mark WHERE tenant=? AND mark>=?"
                " AND mark<? ORDER BY expires_us LIMIT ?)",
                (tx.tenant, tx.tenant, _ITEM, _ITEM + b"\xff" * 17, count - MAX_MARKS),
            )


@lru_cache(maxsize=64)
def _make_mac_head(tenant: str) -> bytes:
    """The prefix of every authenticated text: purpose and tenant, each with its 4-byte length."""
    parts = b"halo/mark", tenant.encode("utf-8", "replace")
    return b"".join([len(part).to_bytes(4) + part for part in parts])


@lru_cache(maxsize=1024)
def _digest_name(key: bytes, name: str, size: int) -> bytes:
    """Keyed digest of a session's or user's name; cached, since each item of a session has it."""
    return blake2b(name.encode("utf-8", "replace"), digest_size=size, key=key[:64]).digest()


def _unpack_item(payload: bytes, expires_us: int) -> ItemMark | None:
    start = 1 + _SESSION_BYTES
    session, user, values = payload[1:start], payload[start : start + _USER_BYTES], payload[start + _USER_BYTES :]
    if len(session) < _SESSION_BYTES or len(values) % _VALUE_BYTES or (user and not values):
        return None
    known = tuple(int.from_bytes(values[i : i + _VALUE_BYTES]) for i in range(0, len(values), _VALUE_BYTES))
    return ItemMark(bool(payload[0] & _EXPOSED), bool(payload[0] & _CLEAN), session, expires_us, known, user)


def _unpack_clearance(payload: bytes) -> Clearance:
    return Clearance(int.from_bytes(payload[:4]), int.from_bytes(payload[4:]))


def _unpack_repeats(payload: bytes) -> list[int]:
    return [int.from_bytes(payload[i : i + REPEAT_BYTES]) for i in range(0, len(payload), REPEAT_BYTES)]
