"""Signed notes (C2SP signed-note), and ledger entries as signed notes.

A note is a text that ends with a newline, a blank line, and signature lines of an em dash, a key name and the base64
of a 4-byte key hash and the signature. Halo is narrower than the specification: the text holds no blank line, so
there is one way to split a note, and base64 has one spelling.

An entry's note holds one line of canonical JSON, signed by its writer. The first entry of a writer (`writer_open`) is
signed by the log's key as well, which certifies the writer's key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any, Final, NamedTuple

from halo_core.crypto import canonical
from halo_core.crypto.keys import Signer, require_strong_key, verify_signature
from halo_core.errors import BadInput, CanonicalError, ConfigError, Tampered, describe_cause
from halo_core.ledger.tree import leaf_hash
from halo_core.model.ledger_entry import LedgerEntry
from halo_core.quick_dataclass import dataclass

__all__ = [
    "MAX_NOTE",
    "Note",
    "Signature",
    "SignedEntry",
    "Vkey",
    "build_entry_note",
    "decode_base64",
    "decode_entry",
    "encode_entry",
    "find_signature",
    "format_vkey",
    "is_writer",
    "key_hash",
    "leaf_hash",
    "log_origin",
    "make_vkey",
    "open_note",
    "parse_vkey",
    "sign_note",
    "verify_note",
    "writer_name",
]


# C2SP tlog-tiles carries entries behind 16-bit lengths.
MAX_NOTE: Final = 65_535
MAX_ENTRY: Final = MAX_NOTE - 512
"""Bytes of an entry's text; the rest is for its signature lines."""
_MAX_SIGNATURES: Final = 32
_ED25519: Final = b"\x01"
_PUBLIC_BYTES: Final = 32
_VKEY_REMEDY: Final = "copy the whole line NAME+HASH+KEY, as it was published"
_SIGNATURE_BYTES: Final = 64
_DASH: Final = b"\xe2\x80\x94 "
_CONTROL: Final = bytes(set(range(0x20)) - {0x0A})
# Names of Halo's keys and of witnesses; the specification forbids Unicode spaces and plus.
_NAME: Final = re.compile(r"[!-*,-~]{1,255}")
_HEX_HASH: Final = re.compile(r"[0-9a-f]{8}")


class Signature(NamedTuple):
    """One parsed signature line, not verified."""

    name: str
    key_hash: bytes
    signature: bytes


class Note(NamedTuple):
    """A parsed note: its text, newline included, and its signatures in order."""

    text: bytes
    signatures: list[Signature]


@dataclass(frozen=True, slots=True)
class Vkey:
    """A verifier key: name, 4-byte key hash and 32-byte Ed25519 public key."""

    name: str
    hash: bytes
    public: bytes


def key_hash(name: str, public: bytes) -> bytes:
    """First 4 bytes of SHA-256 over name, newline, algorithm 0x01 and public key (C2SP signed-note)."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def make_vkey(name: str, public: bytes) -> Vkey:
    """Verifier key of an Ed25519 public key.

    Raises:
        ConfigError: `bad_vkey`, the name or the key has the wrong form.
    """
    if not _NAME.fullmatch(name) or len(public) != _PUBLIC_BYTES:
        problem = f"`{name}` is not a valid key name, or its key is not 32 bytes"
        raise ConfigError("bad_vkey", problem, field="vkey", remedy=_VKEY_REMEDY)
    return Vkey(name, key_hash(name, public), public)


def format_vkey(vkey: Vkey) -> str:
    """The text form `name+hash+base64` (C2SP signed-note)."""
    key = base64.b64encode(_ED25519 + vkey.public).decode("ascii")
    return f"{vkey.name}+{vkey.hash.hex()}+{key}"


def parse_vkey(text: str) -> Vkey:
    """Inverse of `format_vkey`.

    Raises:
        ConfigError: `bad_vkey`, it is malformed, of another algorithm, or its hash is not the key's.
        BadInput: `weak_key`, the key is of low order.
    """
    name, _, key_text = text.partition("+")
    hexed, _, encoded = key_text.partition("+")
    key = decode_base64(encoded.encode("ascii", "replace"))
    if key is None or len(key) != 1 + _PUBLIC_BYTES or key[:1] != _ED25519 or not _HEX_HASH.fullmatch(hexed):
        raise ConfigError(
            "bad_vkey", f"`{text[:120]}` is not an Ed25519 verifier key", field="vkey", remedy=_VKEY_REMEDY
        )
    vkey = make_vkey(name, key[1:])
    if vkey.hash.hex() != hexed:
        problem = f"the key hash in `{text[:120]}` does not match its key"
        raise ConfigError("bad_vkey", problem, field="vkey", remedy=_VKEY_REMEDY)
    require_strong_key(vkey.public)
    return vkey


def sign_note(text: bytes, signers: Sequence[tuple[str, Signer]]) -> bytes:
    """Sign a text with one or more named keys.

    Args:
        text: UTF-8, ends with a newline, without blank lines and control characters.
        signers: key name and signer, in the order of the lines.

    Raises:
        BadInput: `bad_note_text`, or `entry_too_large` above 65,535 bytes.
    """
    if not signers or not _is_note_text(text):
        problem, remedy = "the text or the list of signers cannot be signed", "end the text with one newline"
        raise BadInput("bad_note_text", problem, field="text", remedy=remedy)
    lines = [text, b"\n"]
    for name, signer in signers:
        start, hashed = _signature_prefix(name, signer.public_key)
        lines += start, binascii.b2a_base64(hashed + signer.sign(text))
    note = b"".join(lines)
    if len(note) > MAX_NOTE:
        raise BadInput(
            "entry_too_large",
            f"the signed entry has {len(note)} bytes, at most {MAX_NOTE} fit",
            field="text",
            remedy="pass large data by reference",
        )
    return note


@lru_cache(maxsize=1024)
def _signature_prefix(name: str, public: bytes) -> tuple[bytes, bytes]:
    """The start of a key's signature line, and the key's hash."""
    return _DASH + name.encode("ascii") + b" ", make_vkey(name, public).hash


def open_note(note: bytes) -> Note:
    """Parse a note without verifying it.

    Raises:
        Tampered: `malformed_note`; nothing else, whatever the bytes.
    """
    text, gap, block = note.partition(b"\n\n")
    text += b"\n"
    if not gap or len(note) > MAX_NOTE or not block.endswith(b"\n") or not _is_note_text(text):
        raise Tampered("malformed_note", "these bytes are not a signed note")
    lines = block[:-1].split(b"\n", _MAX_SIGNATURES)
    signatures = [_parse_signature(line) for line in lines]
    if len({item[:2] for item in signatures}) != len(lines) or len(lines) > _MAX_SIGNATURES:
        raise Tampered("malformed_note", "a signed note has one line for each of at most 32 keys")
    return Note(text, signatures)


def _is_note_text(text: bytes) -> bool:
    if text.startswith(b"\n") or not text.endswith(b"\n") or b"\n\n" in text:
        return False
    # Four times as fast as searching with a regular expression.
    if len(text.translate(None, _CONTROL)) != len(text):
        return False
    if not text.isascii():
        try:
            text.decode("utf-8")
        except UnicodeDecodeError:
            return False
    return True


def _parse_signature(line: bytes) -> Signature:
    name, _, encoded = line[len(_DASH) :].partition(b" ")
    blob = decode_base64(encoded)
    # ASCII decoding with "replace" gives a character no name may hold.
    text = name.decode("ascii", "replace")
    if not line.startswith(_DASH) or not _NAME.fullmatch(text) or blob is None or len(blob) <= 4:
        raise Tampered("malformed_note", "a signature line is malformed")
    return Signature(text, blob[:4], blob[4:])


def decode_base64(encoded: bytes) -> bytes | None:
    """The bytes of standard base64 in canonical form; None for anything else."""
    try:
        raw = binascii.a2b_base64(encoded, strict_mode=True)
    except binascii.Error:
        return None
    # INVARIANT: one value, one spelling (stray bits in the last character are refused).
    return raw if binascii.b2a_base64(raw, newline=False) == encoded else None


def find_signature(note: Note, vkey: Vkey) -> bytes | None:
    """The 64-byte signature under this key's name and hash, not verified; None if there is none."""
    for name, hashed, signature in note.signatures:
        if name == vkey.name and hashed == vkey.hash and len(signature) == _SIGNATURE_BYTES:
            return signature
    return None


def verify_note(note: bytes, vkeys: Sequence[Vkey]) -> bytes:
    """Verify that each of the keys signed the note; other signatures are ignored.

    Returns:
        The text.

    Raises:
        Tampered: `malformed_note`, or `bad_signature` when a key's signature is missing or wrong, or no key is given.
    """
    opened = open_note(note)
    for vkey in vkeys:
        signature = find_signature(opened, vkey)
        if signature is None or not verify_signature(vkey.public, opened.text, signature):
            raise Tampered("bad_signature", f"the note is not signed by `{vkey.name}`")
    if not vkeys:
        raise Tampered("bad_signature", "no key to verify the note with")
    return opened.text


_PART: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TYPES: Final[dict[str, type]] = {
    "body": dict,
    "kind": str,
    "prev": str,
    "ts_us": int,
    "v": int,
    "ws": int,
}
_OPTIONAL_TYPES: Final[dict[str, type]] = {"assurance": str, "attached": str, "content": list, "session": str}
_ALL_TYPES: Final[dict[str, type]] = {**_TYPES, **_OPTIONAL_TYPES}
_STORED_SIGNATURE: Final = 4 + _SIGNATURE_BYTES  # key hash and signature
_WRITER_NAME: Final = re.compile(r"halo/([A-Za-z0-9._-]{1,64})/w/([A-Za-z0-9._-]{1,64})")


def log_origin(tenant: str) -> str:
    """Name of a tenant's log: the key name of its checkpoints, and their first line.

    Raises:
        ConfigError: `bad_tenant`, the tenant's name cannot be part of a note.
    """
    return f"halo/{_check_name(tenant, 'bad_tenant', 'tenant')}/log"


@lru_cache(maxsize=1024)
def writer_name(tenant: str, writer: str) -> str:
    """Key name of a writer.

    Raises:
        ConfigError: `bad_tenant` or `bad_writer`.
    """
    return f"halo/{_check_name(tenant, 'bad_tenant', 'tenant')}/w/{_check_name(writer, 'bad_writer', 'writer')}"


def _check_name(name: str, code: str, field: str) -> str:
    if not _PART.fullmatch(name):
        raise ConfigError(
            code,
            f"`{name[:80]}` is not a valid name of a {field}",
            field=field,
            remedy="use 1 to 64 letters, digits, dots, dashes and underscores",
        )
    return name


class SignedEntry(NamedTuple):
    """An entry in its stored form.

    Args:
        text: its line of canonical JSON, without the newline.
        signatures: key hash (4 bytes) and signature (64) of the writer, then of the log for a writer's first entry.
        leaf: its 32-byte leaf hash, over the whole note.
    """

    text: bytes
    signatures: bytes
    leaf: bytes


_make_signed: Final = partial(tuple.__new__, SignedEntry)  # a named tuple's own constructor is a Python function


def encode_entry(entry: LedgerEntry, signer: Signer, *, log: Signer | None = None) -> SignedEntry:
    """Sign an entry.

    Args:
        entry: what to record.
        signer: the writer's key.
        log: the log's key, for the writer's first entry.

    Raises:
        CanonicalError: the body has no canonical form.
        BadInput: `entry_too_large`.
        ConfigError: `bad_tenant` or `bad_writer`.
    """
    key_hash_of_writer = _signature_prefix(writer_name(entry.tenant, entry.writer), signer.public_key)[1]
    text = canonical.dumps(entry.to_plain())
    if len(text) > MAX_ENTRY:
        raise BadInput(
            "entry_too_large",
            f"the entry has {len(text)} bytes, at most {MAX_ENTRY} fit",
            field="text",
            remedy="pass large data by reference",
        )
    signed_text = text + b"\n"
    signatures = key_hash_of_writer + signer.sign(signed_text)
    lines = [signed_text, b"\n", _writer_prefix(entry.tenant, entry.writer), binascii.b2a_base64(signatures)]
    if log is not None:
        signature = _signature_prefix(log_origin(entry.tenant), log.public_key)[1] + log.sign(signed_text)
        lines += _log_prefix(entry.tenant), binascii.b2a_base64(signature)
        signatures += signature
    leaf = hashlib.sha256(b"\0" + b"".join(lines)).digest()  # as `leaf_hash`, without a call
    return _make_signed((text, signatures, leaf))


def build_entry_note(tenant: str, writer: str, text: bytes, signatures: bytes) -> bytes:
    """The signed note of a stored entry; the inverse of how `encode_entry` splits it.

    Raises:
        Tampered: `malformed_note`, these columns are no entry's.
    """
    if len(signatures) not in (_STORED_SIGNATURE, 2 * _STORED_SIGNATURE) or len(text) > MAX_ENTRY:
        raise Tampered("malformed_note", "the signatures have the wrong length, or the entry is too large")
    if len(signatures) == _STORED_SIGNATURE:
        return b"".join((text, b"\n\n", _writer_prefix(tenant, writer), binascii.b2a_base64(signatures)))
    lines = [text, b"\n\n", _writer_prefix(tenant, writer), binascii.b2a_base64(signatures[:_STORED_SIGNATURE])]
    lines += _log_prefix(tenant), binascii.b2a_base64(signatures[_STORED_SIGNATURE:])
    return b"".join(lines)


@lru_cache(maxsize=1024)
def is_writer(tenant: str, writer: str) -> bool:
    """Whether a tenant's writer may have this name, so that its notes have well-formed signature lines."""
    return _PART.fullmatch(tenant) is not None and _PART.fullmatch(writer) is not None


@lru_cache(maxsize=1024)
def _writer_prefix(tenant: str, writer: str) -> bytes:
    return _DASH + f"halo/{tenant}/w/{writer} ".encode("utf-8", "surrogatepass")


@lru_cache(maxsize=64)
def _log_prefix(tenant: str) -> bytes:
    return _DASH + f"halo/{tenant}/log ".encode("utf-8", "surrogatepass")


def decode_entry(note: bytes) -> LedgerEntry:
    """Parse a note as an entry, without verifying its signatures.

    Raises:
        Tampered: `malformed_note` or `malformed_entry`; nothing else, whatever the bytes.
    """
    opened = open_note(note)
    try:
        tenant, writer = _read_writer_name(opened.signatures[0].name)
        tree = canonical.loads(opened.text[:-1])
        _check_types(tree)
        return LedgerEntry.from_plain(tree, tenant=tenant, writer=writer)
    except (CanonicalError, RecursionError, ValueError) as exc:
        raise Tampered("malformed_entry", f"the note does not contain an entry: {describe_cause(exc)}") from exc


@lru_cache(maxsize=1024)
def _read_writer_name(name: str) -> tuple[str, str]:
    match = _WRITER_NAME.fullmatch(name)
    if match is None:
        raise ValueError("the first signature is not a writer's")
    return match[1], match[2]


def _check_types(tree: Any) -> None:
    if type(tree) is not dict or not _TYPES.keys() <= tree.keys() <= _ALL_TYPES.keys():
        raise ValueError("members are missing or unknown")
    for name, value in tree.items():
        if type(value) is not _ALL_TYPES[name]:
            raise ValueError(f"`{name}` has the wrong type")
    if not all(type(name) is str for name in tree.get("content", ())):
        raise ValueError("`content` has the wrong form")
