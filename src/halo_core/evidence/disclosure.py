"""Discloses one session to a reader without the home's keys: its entries, proofs, and the keys of its content.

A file holds the signed entries of one session, the checkpoint that covers them, an inclusion proof for each, the sealed
content, and keys of the boxes that the reader may open. Such a key opens one box: it is derived from the subject's data
key and the box's nonce (HChaCha20), and neither the data key nor the key of another box can be computed from it. Boxes
of other subjects, such as the name of an approver, stay sealed unless they were asked for.

    tree = make_disclosure(reader, "local", home, contents, "checkout-4711")
    checked = check_disclosure(tree, trusted_vkey)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from halo_core.crypto.keys import encode_base64
from halo_core.crypto.sodium import AEAD_NONCE_BYTES, open_with_box_key
from halo_core.decision.record import expand_entry
from halo_core.decision.record_parts import PartReader
from halo_core.errors import BadInput, ConfigError, Gap, HaloError, Tampered
from halo_core.ledger import build_entry_note, decode_entry, parse_vkey
from halo_core.ledger.checkpoints import Checkpoint, open_checkpoint
from halo_core.ledger.notes import decode_base64
from halo_core.ledger.sealed_content import (
    BoxKeys,
    compute_attached_digest,
    find_box_key,
    measure_subject,
    read_subject,
    split_boxes,
)
from halo_core.ledger.tree import leaf_hash, node_hash, verify_inclusion
from halo_core.model import LedgerEntry
from halo_core.quick_dataclass import dataclass
from halo_core.store.log_checkpoints import load_trusted_keys
from halo_core.store.read_rows import EntryColumns
from halo_core.store.reader import Reader, SealedContents

FORMAT: Final = "halo-disclosure/1"
MAX_FILE_BYTES: Final = 256 * 1024 * 1024
_CONTENT: Final = b"halo/content/v2"


def make_disclosure(
    reader: Reader,
    tenant: str,
    home: Path,
    contents: SealedContents,
    session: str,
    *,
    subjects: Iterable[str],
    everybody: bool,
) -> dict[str, Any]:
    """The file of one session, as a JSON tree.

    Args:
        reader: the store.
        tenant: owner of the log.
        home: home with the trusted key.
        contents: finds data keys.
        session: name or reference.
        subjects: references of further subjects whose boxes may be opened; the session's own always may.
        everybody: every box of the session may be opened.

    Raises:
        ConfigError: `no_such_session`; `no_trust`; `no_content_key`, the home cannot open content.
        Gap: `not_covered`, no checkpoint covers the whole session yet.
        Tampered: the log is not what was signed.
    """
    if not contents.is_available:
        problem, remedy = "this home has no content key", "disclose from a home that can open the content"
        raise ConfigError("no_content_key", problem, field="home", remedy=remedy)
    log_key, checkpoint = _load_newest_checkpoint(reader, tenant, home)
    head = open_checkpoint(checkpoint, parse_vkey(log_key), tenant)
    reference = reader.find_session(tenant, session)
    notes, leaves = _read_session(reader, tenant, reference, head.size)
    if not notes:
        problem = f"there is no session `{session[:64]}`"
        raise ConfigError("no_such_session", problem, field="SESSION", remedy="see `halo log`")
    paths, root = _prove(leaves, notes)
    if root != head.root:
        raise Tampered("root_mismatch", "the log is not what its checkpoint signed", remedy="run `halo verify`")
    parts, users = _read_parts(reader, tenant, notes)
    open_to = None if everybody else frozenset({reference, *users, *subjects} - {""})
    return {
        "checkpoint": checkpoint.decode(),
        "entries": [
            {
                "index": index,
                "path": [encode_base64(item) for item in paths[index]],
                **_disclose_entry(reader, contents, decode_entry(note), open_to),
            }
            for index, note in notes.items()
        ],
        "format": FORMAT,
        "log_key": log_key,
        "parts": {name: encode_base64(data or b"") for name, data in sorted(parts.items())},
        "session": reference,
        "tenant": tenant,
    }


def _read_parts(reader: Reader, tenant: str, notes: Mapping[int, bytes]) -> tuple[dict[str, bytes | None], set[str]]:
    """The parts that the entries of a session name, None for a missing one; and references of the users they name."""
    parts: dict[str, bytes | None] = {}

    def load_part(name: str) -> bytes | None:
        parts[name] = reader.blob(tenant, name)
        return parts[name]

    read_part = PartReader(load_part)
    bodies = [expand_entry(decode_entry(note), read_part).body for note in notes.values()]
    return parts, {str(body["request"]["subject"]["user"]) for body in bodies if "snapshot" in body}


def _load_newest_checkpoint(reader: Reader, tenant: str, home: Path) -> tuple[str, bytes]:
    """The trusted key of a log, and its newest checkpoint."""
    log_key = load_trusted_keys(home).get(tenant)
    newest = reader.newest_checkpoint(tenant)
    if log_key is None or newest is None:
        problem = "there is no trusted key, or no checkpoint, of this log"
        raise ConfigError("no_trust", problem, field="home", remedy="give the right HALO_HOME")
    return log_key, newest[1]


def _read_session(reader: Reader, tenant: str, reference: str, size: int) -> tuple[dict[int, bytes], list[bytes]]:
    """Notes of a session by position, and the leaves of the first `size` entries of the log."""
    leaves_by_index: dict[int, bytes] = {}
    leaves: list[bytes] = []
    for row in reader.signed_rows(tenant):
        note = build_entry_note(tenant, row.writer, bytes(row.text), bytes(row.signatures))
        if row.position < size:
            leaves.append(leaf_hash(note))
        if reference and row.session == reference:
            if row.position >= size:
                raise Gap("not_covered", "the session goes on after the newest checkpoint", remedy="run it again later")
            leaves_by_index[row.position] = note
    return leaves_by_index, leaves


def _disclose_entry(
    reader: Reader, contents: SealedContents, entry: LedgerEntry, open_to: frozenset[str] | None
) -> dict[str, Any]:
    """One entry of the file; None opens the boxes of everybody."""
    columns = reader.entry_columns(entry.tenant, entry.writer, entry.seq) or EntryColumns(b"", b"", None, None)
    text, signatures, sealed, marks = (bytes(part) if part is not None else b"" for part in columns)
    boxes = split_boxes(sealed)
    keys = [contents.find_key(entry.tenant, read_subject(box)) for box in boxes]
    return {
        "commitments": ["" if key is None else encode_base64(key[1]) for key in keys],
        "keys": [
            encode_base64(_find_key(key[0], box))
            if key is not None and (open_to is None or read_subject(box) in open_to)
            else ""
            for box, key in zip(boxes, keys, strict=True)
        ],
        "marks": encode_base64(marks),
        "sealed": encode_base64(sealed),
        "signatures": [encode_base64(signatures[offset : offset + 68]) for offset in range(0, len(signatures), 68)],
        "text": text.decode(),
        "w": entry.writer,
    }


def _find_key(dek: bytes | BoxKeys | None, box: bytes) -> bytes:
    """The key of one box; empty if the subject's key, or that of the box, was erased."""
    box_key = None if dek is None else find_box_key(dek, box)
    return b"" if box_key is None else box_key[1]


def _read_nonce(box: bytes) -> bytes:
    start = measure_subject(box) + 4
    return box[start : start + AEAD_NONCE_BYTES]


def _prove(leaves: Sequence[bytes], indexes: Iterable[int]) -> tuple[dict[int, list[bytes]], bytes]:
    """Inclusion proofs (RFC 6962) of some leaves, and the root; each level of the tree is hashed once."""
    paths: dict[int, list[bytes]] = {index: [] for index in indexes}
    places = {index: index for index in paths}
    level = list(leaves)
    while len(level) > 1:
        for index, place in places.items():
            if (place ^ 1) < len(level):
                paths[index].append(level[place ^ 1])
            places[index] = place >> 1
        pairs = [node_hash(level[n], level[n + 1]) for n in range(0, len(level) - 1, 2)]
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    return paths, level[0] if level else hashlib.sha256().digest()


@dataclass(frozen=True, slots=True)
class DisclosedEntry:
    """An entry of a file that was checked.

    Args:
        index: position in the log.
        entry: it, with the whole record of a decision.
        content: sealed field → text, of the boxes that the file has keys for.
        closed: boxes that stay sealed.
    """

    index: int
    entry: LedgerEntry
    content: Mapping[str, str]
    closed: int

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "closed": self.closed,
            "content": dict(self.content),
            "entry": dict(self.entry.to_json()),
            "index": self.index,
        }


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A file that was checked: every entry stands in the log under its checkpoint.

    Args:
        tenant: owner of the log.
        session: reference.
        log_key: that signed the checkpoint.
        tree_size: size of the checkpoint's tree.
        entries: entries in log order.
        problems: what is wrong; empty if nothing is.
    """

    tenant: str
    session: str
    log_key: str
    tree_size: int
    entries: tuple[DisclosedEntry, ...]
    problems: tuple[str, ...] = ()


def check_disclosure(tree: Any, vkey: str = "") -> Disclosure:
    """Check a file, without any home: signatures, proofs, digests; and open what it has keys for.

    Args:
        tree: JSON tree of the file.
        vkey: key of the log that the reader trusts; empty takes the file's own, which proves that it is consistent.

    Raises:
        BadInput: `bad_disclosure`, it is no such file.
    """
    try:
        if tree["format"] != FORMAT:
            raise _make_format_error(f"the format is `{str(tree['format'])[:40]}` instead of `{FORMAT}`")
        tenant, session, log_key = str(tree["tenant"]), str(tree["session"]), str(tree["log_key"])
        checkpoint, rows = str(tree["checkpoint"]).encode(), list(tree["entries"])
        parts = {str(name): _decode(data) for name, data in tree["parts"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise _make_format_error(f"a member is missing or has the wrong type: {exc}") from exc
    key = vkey or log_key
    try:
        head = open_checkpoint(checkpoint, parse_vkey(key), tenant)
    except HaloError as exc:
        return Disclosure(tenant, session, key, 0, (), (f"the checkpoint is not signed by the trusted key: {exc}",))
    problems, entries = [], []
    read_part = PartReader(parts.get)
    for number, row in enumerate(rows):
        try:
            entries.append(_check_entry(row, tenant, head, read_part))
        except (HaloError, KeyError, TypeError, ValueError, AttributeError, IndexError) as exc:
            problems.append(f"entry {number} of the file: {exc}")
    problems += [
        f"position {item.index} belongs to another session" for item in entries if item.entry.session != session
    ]
    places = [item.index for item in entries]
    if places != sorted(set(places)):
        problems.append("entries are repeated or out of order")
    return Disclosure(tenant, session, key, head.size, tuple(entries), tuple(problems))


def _check_entry(row: Mapping[str, Any], tenant: str, head: Checkpoint, read_part: PartReader) -> DisclosedEntry:
    text, writer, index = str(row["text"]).encode(), str(row["w"]), row["index"]
    note = build_entry_note(tenant, writer, text, b"".join(map(_decode, row["signatures"])))
    path = [_decode(item) for item in row["path"]]
    if not verify_inclusion(index, head.size, leaf_hash(note), path, head.root):
        raise ValueError("the log does not hold it at this position")
    entry = decode_entry(note)
    sealed, marks = _decode(row["sealed"]), _decode(row["marks"])
    commitments = [_decode(item) for item in row["commitments"]]
    boxes = split_boxes(sealed)
    if (entry.attached or sealed) and compute_attached_digest(b"".join(commitments), sealed, marks) != entry.attached:
        raise ValueError("what is sealed beside it is not what it committed to")
    content: dict[str, str] = {}
    closed = 0
    for box, encoded in zip(boxes, row["keys"], strict=True):
        if encoded:
            content |= _open_box(_decode(encoded), tenant, box)
        else:
            closed += 1
    return DisclosedEntry(index, expand_entry(entry, read_part), content, closed)


def _open_box(key: bytes, tenant: str, box: bytes) -> dict[str, str]:
    """The fields of a box, opened with its own key (ChaCha20-Poly1305, RFC 8439)."""
    subject = box[2 : measure_subject(box)]
    parts = (_CONTENT, tenant.encode(), subject)
    associated = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    ciphertext = box[measure_subject(box) + 4 + AEAD_NONCE_BYTES :]
    plaintext = open_with_box_key(ciphertext, associated, _read_nonce(box), key)
    if plaintext is None:
        raise ValueError("a key does not open its box")
    fields = {}
    offset = 0
    while offset < len(plaintext):
        name = plaintext[offset + 1 : offset + 1 + plaintext[offset]]
        offset += 1 + len(name)
        size = int.from_bytes(plaintext[offset : offset + 4], "big")
        fields[name.decode()] = plaintext[offset + 4 : offset + 4 + size].decode("utf-8", "replace")
        offset += 4 + size
    return fields


def _decode(text: Any) -> bytes:
    data = decode_base64(str(text).encode()) if text else b""
    if data is None:
        raise ValueError("a member is not base64")
    return data


def _make_format_error(problem: str) -> BadInput:
    return BadInput("bad_disclosure", problem, remedy="give a file that `halo disclose` wrote")
