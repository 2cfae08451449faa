"""Room: content rows against the entries' references. Takes: references, rows. Gives: findings. Never: I/O.

References are held as 76 bytes each, in buckets by the first byte of the commitment, and matched bucket by bucket with
the rows, which come in the order of their commitments.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from halo_core.errors import Tampered
from halo_core.ledger.content import ciphertext_digest, open_sealed, unwrap_dek
from halo_core.ledger.reader import LedgerReader, Row, Trust, keyed
from halo_core.ledger.report import MAX_FINDINGS, Collector, name_of

__all__ = ["ContentPass", "References"]

_RECORD: Final = struct.Struct(">32s32sIQ")
_MAX_KEYS: Final = 10_000

Key = tuple[str, str, int]
_Slot = tuple[bytes, int, int]


class References:
    """Every content reference of the entries, compactly."""

    def __init__(self) -> None:
        self._writers: dict[tuple[str, str], int] = {}
        self._names: list[tuple[str, str]] = []
        self._buckets: dict[tuple[str, int], bytearray] = {}

    def add(self, key: Key, commitment: bytes, digest: bytes) -> None:
        """Remember one; ValueError unless both are 32 bytes."""
        if len(commitment) != 32 or len(digest) != 32:
            raise ValueError("a content reference is two hashes")
        number = self._writers.get(key[:2])
        if number is None:
            number = self._writers[key[:2]] = len(self._names)
            self._names.append(key[:2])
        bucket = self._buckets.setdefault((key[0], commitment[0]), bytearray())
        bucket += _RECORD.pack(commitment, digest, number, key[2])

    def take(self, tenant: str, first: int) -> dict[bytes, list[_Slot]]:
        """Remove and return one bucket: commitment → (digest, writer number, sequence)."""
        slots: dict[bytes, list[_Slot]] = {}
        for commitment, *slot in _RECORD.iter_unpack(self._buckets.pop((tenant, first), b"")):
            slots.setdefault(commitment, []).append((slot[0], slot[1], slot[2]))
        return slots

    def left(self) -> Iterator[tuple[str, int]]:
        """Buckets not taken yet."""
        yield from sorted(self._buckets)

    def entry(self, slot: _Slot) -> str:
        """Name of the entry that holds a reference."""
        return name_of((*self._names[slot[1]], slot[2]))


class ContentPass:
    """(8) Each reference has its row and each row its reference; digest and, with the content key, commitment match."""

    def __init__(self, reader: LedgerReader, trust: Trust, out: Collector, references: References) -> None:
        self._reader = reader
        self._trust = trust
        self._out = out
        self._references = references
        self._vaults: dict[tuple[object, object], object] = {}
        self._keys: dict[tuple[object, object], bytes | None] = {}
        self._lost: set[str] = set()
        self._named: list[tuple[str, str, bool]] = []

    def _complain(self, row: Row, what: str) -> None:
        self._out.tampered(8, _name(row), what, "row_malformed")

    def run(self) -> None:
        """Stream vaults and contents."""
        for tenant, subject, wrapped, erased in self._reader.vaults():
            self._vaults[tenant, subject] = wrapped or None
            if (erased is None) != bool(wrapped):
                what = "a subject either has a key or was erased"
                where = f"vault {tenant}/{subject} columns dek_wrapped, erased_at_us"
                self._out.tampered(8, where, what, "column_altered")
        bucket = ("", 0)
        slots: dict[bytes, list[_Slot]] = {}
        for row in keyed(self._reader.contents(), (str, bytes), self._complain):
            if len(row[1]) != 32:
                self._complain(row, "the commitment is not 32 bytes")
                continue
            if bucket != (row[0], row[1][0]):
                self._missing(bucket[0], slots)
                bucket = (row[0], row[1][0])
                slots = self._references.take(*bucket)
            held = slots.pop(row[1], None)
            if held is None:
                self._stray(row)
            else:
                self._row(row, held)
        self._missing(bucket[0], slots)
        for bucket in list(self._references.left()):
            self._missing(bucket[0], self._references.take(*bucket))
        self._judge_strays()

    def _missing(self, tenant: str, slots: dict[bytes, list[_Slot]]) -> None:
        # Erasure deletes the subject's key and leaves the row, so a row that is not there was never erased.
        for commitment, held in slots.items():
            self._lost.add(tenant)
            what = f"the content of {self._references.entry(held[0])} is missing"
            self._out.gap(8, f"content {tenant}/{commitment.hex()}", what, "content_missing")

    def _stray(self, row: Row) -> None:
        # Too many to name are too many to judge: the named ones stand for them.
        if len(self._named) < MAX_FINDINGS:
            self._named.append((row[0], _name(row), self._authentic(row)))

    def _authentic(self, row: Row) -> bool:
        """Whether the content key shows that Halo wrote this row under this commitment."""
        tenant, commitment, subject, nonce, ciphertext = row
        dek = self._key(tenant, subject) if type(subject) is str else None
        if dek is None or type(nonce) is not bytes or type(ciphertext) is not bytes:
            return False
        try:
            open_sealed(dek, tenant, subject, commitment=commitment, nonce=nonce, ciphertext=ciphertext)
        except Tampered:
            return False
        return True

    def _judge_strays(self) -> None:
        # A row whose entry is missing is part of that gap. Beside a reference without a row it was renamed, and where
        # no entry is missing somebody put it there.
        for tenant, name, authentic in self._named:
            if tenant not in self._lost and (authentic or tenant in self._out.incomplete):
                self._out.gap(8, name, "the entry that refers to this row is missing", "entry_missing")
            else:
                what = "no entry refers to this row"
                self._out.tampered(8, f"{name} columns tenant, commitment", what, "content_stray")

    def _row(self, row: Row, slots: list[_Slot]) -> None:
        tenant, _, subject, nonce, ciphertext = row
        source = self._references.entry(slots[0])
        right = type(subject) is str and type(nonce) is bytes and type(ciphertext) is bytes
        digest = ciphertext_digest(subject, nonce, ciphertext) if right else b""
        if any(slot[0] != digest for slot in slots):
            where = f"{_name(row)} columns subject, nonce, ciphertext"
            self._out.tampered(8, where, f"not what {source} committed to", "content_altered")
        elif (tenant, subject) not in self._vaults:
            self._out.gap(8, f"vault {tenant}/{subject}", "the subject's key row is missing", "vault_missing")
        elif self._open(row, f"{_name(row)} of {source}"):
            self._out.passed[8] += 1

    def _open(self, row: Row, where: str) -> bool:
        # Without the content key, and for erased subjects, the digest has to do; it binds every column.
        tenant, commitment, subject, nonce, ciphertext = row
        if self._trust.kek is None or self._vaults[tenant, subject] is None:
            return True
        dek = self._key(tenant, subject)
        if dek is None:
            self._out.skipped[8] += 1
            return False
        try:
            open_sealed(dek, tenant, subject, commitment=commitment, nonce=nonce, ciphertext=ciphertext)
        except Tampered as exc:
            self._out.tampered(8, where, exc.message, exc.code)
            return False
        return True

    def _key(self, tenant: str, subject: str) -> bytes | None:
        wrapped = self._vaults.get((tenant, subject))
        if self._trust.kek is None or wrapped is None:
            return None
        if (tenant, subject) not in self._keys:
            if len(self._keys) >= _MAX_KEYS:
                self._keys.clear()
            try:
                opened = unwrap_dek(self._trust.kek, wrapped if type(wrapped) is bytes else b"", tenant, subject)
            except Tampered as exc:
                self._out.tampered(8, f"vault {tenant}/{subject} column dek_wrapped", exc.message, exc.code)
                opened = None
            self._keys[tenant, subject] = opened
        return self._keys[tenant, subject]


def _name(row: Row) -> str:
    commitment = row[1].hex() if type(row[1]) is bytes else repr(row[1])[:80]
    return f"content {row[0]}/{commitment}"
