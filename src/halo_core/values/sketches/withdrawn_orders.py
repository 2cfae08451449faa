"""What a session keeps of the orders that the user took back, and its row in the store.

The sketch of a session only grows: whatever the user wrote stays his. So what he took back is kept beside it, as the
marks and the texts that give no authority any more (`Withdrawn`). `Sketch.for_act` leaves them out.

A row says what changed, and the rows of a session are read in the order in which they were written:

    TAKEN       all marks without authority, and what stands of each changed text
    TAKEN_ALL   the same where the earlier texts are not known: every mark of the user but the listed ones
    GIVEN       marks that a later text gives authority again
    RENEWED     nothing: what the last withdrawal took back is given back
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final, NamedTuple

from halo_core.values.sketches.spans import TOKEN_BYTES

ROW: Final = b"\xff\xff\xff\xfe"
"""Beginning of a row. A row of marks begins with its length, which is less."""
TAKEN: Final = 1
TAKEN_ALL: Final = 2
GIVEN: Final = 3
RENEWED: Final = 4
_KINDS: Final = (TAKEN, TAKEN_ALL, GIVEN, RENEWED)
MAX_TAKEN: Final = 16_384
"""Most marks of a row; a withdrawal of more takes back everything."""
_MAX_DEPTH: Final = 8
"""Withdrawals that can be renewed one after another."""
_HEAD: Final = struct.Struct(">BQIH")
_TEXT: Final = struct.Struct(">II")
_MARK_BYTES: Final = 7


class Withdrawal(NamedTuple):
    """What a row says.

    Args:
        kind: `TAKEN`, `TAKEN_ALL`, `GIVEN` or `RENEWED`.
        time_us: when, microseconds since the epoch.
        marks: fingerprints, as the kind says.
        standing: number of a text of the user, from 0 → its packed words in order, as far as they stand.
    """

    kind: int
    time_us: int
    marks: frozenset[int] = frozenset()
    standing: Mapping[int, bytes] = {}


class Withdrawn(NamedTuple):
    """What a session knows of withdrawn orders.

    Args:
        marks: fingerprints of the user's texts that give no authority.
        standing: see `Withdrawal`.
        time_us: when the last withdrawal was read.
        before: what was known before it, which a renewal gives back.
    """

    marks: frozenset[int] = frozenset()
    standing: Mapping[int, bytes] = {}
    time_us: int = 0
    before: Withdrawn | None = None

    def after(self, row: Withdrawal, users: frozenset[int], texts: int) -> Withdrawn:
        """What is known after a row.

        Args:
            row: the row.
            users: fingerprints of all that the user wrote.
            texts: number of the user's texts.
        """
        if row.kind == RENEWED:
            return self.before or NOTHING_WITHDRAWN
        if row.kind == GIVEN:
            before = self.before.after(row, users, texts) if self.before is not None else None
            standing = {**self.standing, **row.standing}
            return Withdrawn(self.marks - row.marks, standing, self.time_us, before)
        marks, standing = row.marks, {**self.standing, **row.standing}
        if row.kind == TAKEN_ALL:
            marks, standing = users - row.marks, {**dict.fromkeys(range(texts), b""), **row.standing}
        return Withdrawn(marks, standing, row.time_us, _keep_newest(self, _MAX_DEPTH))


NOTHING_WITHDRAWN: Final = Withdrawn()


def _keep_newest(known: Withdrawn | None, count: int) -> Withdrawn | None:
    """The same with so many states, the newest."""
    if known is None or not count:
        return None
    return known._replace(before=_keep_newest(known.before, count - 1))


def pack_withdrawal(row: Withdrawal) -> bytes:
    """Pack a row for the store."""
    parts = [ROW, _HEAD.pack(row.kind, row.time_us, len(row.marks), len(row.standing))]
    parts += [mark.to_bytes(_MARK_BYTES) for mark in sorted(row.marks)]
    for number, packed in sorted(row.standing.items()):
        parts += (_TEXT.pack(number, len(packed)), packed)
    return b"".join(parts)


def unpack_withdrawal(data: bytes) -> Withdrawal:
    """Inverse of `pack_withdrawal`.

    Raises:
        ValueError: these are other bytes.
    """
    try:
        kind, time_us, count, texts = _HEAD.unpack_from(data, len(ROW))
        start = len(ROW) + _HEAD.size
        end = start + count * _MARK_BYTES
        packed_marks = data[start:end]
        standing: dict[int, bytes] = {}
        for _ in range(texts):
            number, size = _TEXT.unpack_from(data, end)
            end += _TEXT.size + size
            standing[number] = data[end - size : end]
    except struct.error as exc:
        raise ValueError(str(exc)) from exc
    is_whole = end == len(data) and len(packed_marks) == count * _MARK_BYTES
    if not is_whole or kind not in _KINDS or any(len(packed) % TOKEN_BYTES for packed in standing.values()):
        raise ValueError("the row has another size, or is of no known kind")
    places = range(0, len(packed_marks), _MARK_BYTES)
    marks = frozenset([int.from_bytes(packed_marks[i : i + _MARK_BYTES]) for i in places])
    return Withdrawal(kind, time_us, marks, standing)
