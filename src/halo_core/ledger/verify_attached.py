"""Check 8: what is stored beside an entry (its sealed content and its rows of a sketch) is what it committed to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from halo_core.errors import Tampered
from halo_core.ledger.reader import EntryKey, LedgerReader, Stream, Trust
from halo_core.ledger.report import Collector, format_entry_name
from halo_core.ledger.sealed_content import (
    NEXT_KEY,
    BoxKeys,
    authenticate_sealed,
    compute_attached_digest,
    compute_key_commitment,
    digest_box_keys,
    is_partly_erased,
    measure_subject,
    open_sealed,
    read_subject,
    split_boxes,
    unwrap_box_keys,
    unwrap_dek,
)
from halo_core.model.ledger_entry import read_content_names

_MAX_KEYS: Final = 10_000
_ERASING_KINDS: Final = ("erasure", "retention")


class _Subject(NamedTuple):
    """A subject with a correct key row: its commitment, and its data key; None if that is unavailable or erased."""

    commitment: bytes
    dek: bytes | None


class AttachedCheck:
    """(8) Checks that content matches its entry's commitment, and opens if the content key is available."""

    def __init__(self, reader: LedgerReader, trust: Trust, out: Collector) -> None:
        self._trust = trust
        self._out = out
        self._vaults: dict[tuple[object, object], tuple[Any, Any]] = {}
        self._keys: dict[tuple[object, object], bytes | BoxKeys | None] = {}
        self._subjects: dict[tuple[str, bytes], _Subject] = {}
        self._used: set[tuple[object, object]] = set()
        self._unread: set[str] = set()
        self._erased: dict[tuple[object, object], object] = {}
        """Rows of subjects that were erased, also in part → when."""
        self._explained: dict[tuple[object, object, object], set[str]] = defaultdict(set)
        """Row that an entry says was erased, and the time of the entry → the digest of the box keys that were kept."""
        for tenant, subject, wrapped, commitment, erased in reader.rows(Stream.VAULTS):
            if tenant == "" and str(subject).startswith(NEXT_KEY):
                continue  # the next content key, which is proven by the one before
            self._vaults[tenant, subject] = wrapped or None, commitment
            is_partly = isinstance(wrapped, bytes) and is_partly_erased(wrapped)
            if erased is not None:
                self._erased[tenant, subject] = erased
            if (erased is None) != (bool(wrapped) and not is_partly):
                message = "a subject must either have a key or be erased"
                where = f"vault {tenant}/{subject} columns dek_wrapped, erased_at_us"
                out.add_tampered(8, where, message, "column_altered")

    def check(self, key: EntryKey, fields: dict[str, Any], sealed: object, marks: object) -> None:
        """Check the columns `sealed` and `marks` of an entry, and collect its statements about erased keys."""
        if fields.get("kind") in _ERASING_KINDS:
            self._add_erasure(key[0], fields.get("body"), fields.get("ts_us"))
        if not (type(sealed) is bytes and self._is_right(key[0], fields, sealed, marks)):
            self._check(key, fields, sealed, marks)

    def _add_erasure(self, tenant: str, body: object, at_us: object) -> None:
        keys = body.get("keys") if isinstance(body, dict) else None
        if not isinstance(keys, dict):
            return
        erased, kept_keys = keys.get("erased"), keys.get("kept")
        for name in erased if isinstance(erased, list) else ():
            self._explained[tenant, name, at_us].add("")
        for item in kept_keys if isinstance(kept_keys, list) else ():
            if isinstance(item, list) and len(item) == 2:
                self._explained[tenant, item[0], at_us].add(str(item[1]))

    def _is_right(self, tenant: str, fields: dict[str, Any], sealed: bytes, marks: object) -> bool:
        """Whether content is correct, by a shortcut for known subjects; False if that is not certain."""
        subject = self._subjects.get((tenant, sealed[: measure_subject(sealed)]))
        if subject is None or not (marks is None or (type(marks) is bytes and marks)):
            return False
        if compute_attached_digest(subject.commitment, sealed, marks or b"") != fields.get("attached"):
            return False
        if subject.dek is not None and not authenticate_sealed(subject.dek, tenant, sealed):
            return False
        self._out.passed[8] += 1
        return True

    def _check(self, key: EntryKey, fields: dict[str, Any], sealed: object, marks: object) -> None:
        attached, names = fields.get("attached", ""), read_content_names(fields)
        if not attached and sealed is None and marks is None:
            return
        name = format_entry_name(key)
        if names and sealed is None:
            self._unread.add(key[0])
            self._out.add_gap(8, f"{name} column sealed", "the content of the entry is missing", "content_missing")
            return
        try:
            boxes = split_boxes(sealed) if type(sealed) is bytes else []
            subjects = [read_subject(box) for box in boxes or ([sealed] if type(sealed) is bytes else [])]
        except Tampered as exc:
            self._unread.add(key[0])
            self._out.add_tampered(8, f"{name} column sealed", exc.message, exc.code)
            return
        for subject in subjects:
            if (key[0], subject) not in self._vaults:
                where = f"{name} column sealed, or vault {key[0]}/{subject}"
                self._out.add_gap(8, where, "the key row of its subject is missing", "vault_missing", fields["id"])
                return
            self._used.add((key[0], subject))
        rows = [self._vaults[key[0], subject] for subject in subjects]
        if not _matches_digest(attached, [commitment for _, commitment in rows], sealed, marks):
            vaults = "".join(f", or vault {key[0]}/{subject} column commitment" for subject in subjects)
            where = f"{name} columns sealed, marks{vaults}"
            self._out.add_tampered(8, where, "not what the entry committed to", "content_altered", fields["id"])
            return
        opened = [
            self._opens(key[0], subject, box, name)
            for subject, box, (wrapped, _) in zip(subjects, boxes, rows, strict=True)
            if wrapped is not None
        ]
        if all(opened):
            self._out.passed[8] += 1
            if len(boxes) == 1 and (key[0], subjects[0]) not in self._erased:
                self._remember(key[0], subjects[0], sealed)

    def _remember(self, tenant: str, subject: str, sealed: Any) -> None:
        """Keep a subject's key and commitment for `_is_right`, after content of it proved correct."""
        if len(self._subjects) >= _MAX_KEYS:
            self._subjects.clear()
        wrapped, commitment = self._vaults[tenant, subject]
        dek = self._load_key(tenant, subject) if wrapped is not None and self._trust.kek is not None else None
        if not isinstance(dek, Mapping):
            self._subjects[tenant, sealed[: measure_subject(sealed)]] = _Subject(bytes(commitment), dek)

    def finish(self) -> None:
        """Report key rows of subjects without content in any entry, and erased keys without an entry of the erasure."""
        for (tenant, subject), at_us in self._erased.items():
            where = f"vault {tenant}/{subject}"
            is_partly = self._vaults[tenant, subject][0] is not None
            expected = {text for text in self._explained.get((tenant, subject, at_us), ()) if bool(text) == is_partly}
            if not expected:
                message = "no entry says that its key was erased"
                self._out.add_unexplained(
                    8, str(tenant), where, message, "erasure_unexplained", columns=" columns dek_wrapped, erased_at_us"
                )
            elif is_partly and self._trust.kek is not None:
                box_keys = self._load_key(str(tenant), str(subject))
                if isinstance(box_keys, Mapping) and digest_box_keys(box_keys) not in expected:
                    message = "the keys that were kept are not those of the entry that erased the others"
                    self._out.add_tampered(8, f"{where} column dek_wrapped", message, "column_altered")
        for tenant, subject in self._vaults:
            if (tenant, subject) not in self._used and tenant not in self._unread:
                message = "no entry of this tenant has content of this subject"
                where = f"vault {tenant}/{subject}"
                self._out.add_unexplained(
                    8, str(tenant), where, message, "row_stray", columns=" columns tenant, subject"
                )

    def _opens(self, tenant: str, subject: str, sealed: Any, name: str) -> bool:
        # Without the content key, and for erased subjects, only the digest can be checked; it binds every byte.
        if self._trust.kek is None:
            return True
        dek = self._load_key(tenant, subject)
        if dek is None:
            self._out.skipped[8] += 1
            return False
        try:
            open_sealed(dek, tenant, sealed)
        except Tampered as exc:
            self._out.add_tampered(8, f"{name} column sealed", exc.message, exc.code)
            return False
        return True

    def _load_key(self, tenant: str, subject: str) -> bytes | BoxKeys | None:
        if (tenant, subject) not in self._keys:
            if len(self._keys) >= _MAX_KEYS:
                self._keys.clear()
            wrapped, commitment = self._vaults[tenant, subject]
            wrapped = wrapped if type(wrapped) is bytes else b""
            unwrap = unwrap_box_keys if is_partly_erased(wrapped) else unwrap_dek
            opened: bytes | BoxKeys
            try:
                opened = unwrap(self._trust.kek or b"", wrapped, tenant, subject)
                is_right = not isinstance(opened, bytes) or compute_key_commitment(opened) == commitment
            except Tampered:
                opened, is_right = b"", False
            self._keys[tenant, subject] = opened if is_right else None
            if not is_right:
                where = f"vault {tenant}/{subject} columns dek_wrapped, commitment"
                message = "the data key cannot be decrypted, or is not the one of the commitment"
                self._out.add_tampered(8, where, message, "bad_wrapped_key")
        return self._keys[tenant, subject]


def _matches_digest(attached: object, commitments: list[Any], sealed: object, marks: object) -> bool:
    if marks == b"":  # it would have the digest of none
        return False
    parts = [b"" if part is None else part for part in (*commitments, sealed, marks)]
    given = [part for part in parts if isinstance(part, bytes)]
    return len(given) == len(parts) and (
        compute_attached_digest(b"".join(given[:-2]), given[-2], given[-1]) == attached
    )
