"""Sealed content: fields that are encrypted, so that they can be erased without changing any entry.

The fields of one entry (a prompt, arguments, an output) are encrypted together under their subject's data key, as one
box: subject, nonce and ciphertext. Fields of another subject, such as an approver's name, are in a box of their own.
The boxes are stored beside the entry, which holds one digest over them and over commitments to the keys. Deleting a key
erases the fields of its boxes, and every leaf stays as it was:

    key commitment = SHA-256("halo/dek/commit", data key)    stays when the key is deleted
    attached       = SHA-256(key commitments, boxes, marks)  in the entry; shows a changed row without any key

XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha) does not commit to its key. Since the digest covers the commitment, a
stored ciphertext has one plaintext only. Associated data are tenant and subject.

The cipher derives a key for each nonce: the box key. So single boxes can be erased without touching the others: the
data key is deleted, and the box keys of what stays are kept in its place (`wrap_box_keys`). The length of the column
`dek_wrapped` says which it is:

    empty        the subject was erased
    72 bytes     the data key, wrapped
    longer       it was erased in part: a key, wrapped, then the list of box keys, sealed under that key

Data keys are wrapped by the content key of the home, which each erasure replaces. `wrap_next_content_key` wraps the new
one under the old one, so that other hosts and processes can follow, and nobody can go back.
"""

from __future__ import annotations

import binascii
import hashlib
import struct
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Final

from halo_core.crypto import sodium
from halo_core.errors import BadInput, Tampered

KEY_BYTES: Final = sodium.AEAD_KEY_BYTES
NONCE_BYTES: Final = sodium.AEAD_NONCE_BYTES
_OTHER_CONTENT: Final = "the sealed content does not match the digest in its entry"
_TAG_BYTES: Final = sodium.AEAD_TAG_BYTES
_WRAPPED_BYTES: Final = NONCE_BYTES + KEY_BYTES + _TAG_BYTES
_BOX_NONCE_BYTES: Final = 16
"""Bytes at the start of a nonce from which, with the data key, the box key is derived."""
_CONTENT: Final = b"halo/content/v2"
_BOX_KEYS: Final = b"halo/box-keys/v1"
_CONTENT_KEY: Final = b"halo/content-key/id"
_DEK: Final = b"halo/dek/v1"
_ATTACHED: Final = b"halo/attached/v3\0"
_KEY_COMMITMENT: Final = b"halo/dek/commit"
NEXT_KEY: Final = "#next:"
"""Prefix of the subject of rows that hold the content key after another one; such rows belong to no tenant."""

BoxKeys = Mapping[bytes, bytes]
"""First 16 bytes of the nonce of each box that was kept → its key."""


def new_dek(random: Callable[[int], bytes]) -> bytes:
    """A data key from a source of random bytes such as `secrets.token_bytes`."""
    return _check_length("random", random(KEY_BYTES), KEY_BYTES)


def wrap_dek(kek: bytes, dek: bytes, tenant: str, subject: str, nonce: bytes) -> bytes:
    """Encrypt a subject's data key under the content key; the result is the 24-byte nonce and 48 bytes.

    Raises:
        BadInput: `bad_length`, a key or the nonce has the wrong length.
    """
    _check_length("dek", dek, KEY_BYTES)
    aad = _frame(_DEK, _encode_text(tenant), _encode_text(subject))
    return nonce + sodium.seal_xchacha20_poly1305(dek, aad, nonce, kek)


def unwrap_dek(kek: bytes, wrapped: bytes, tenant: str, subject: str) -> bytes:
    """Inverse of `wrap_dek`.

    Raises:
        Tampered: `bad_wrapped_key`, it was changed, moved to another subject or wrapped under another key.
    """
    if len(wrapped) == _WRAPPED_BYTES:
        aad = _frame(_DEK, _encode_text(tenant), _encode_text(subject))
        dek = sodium.open_xchacha20_poly1305(wrapped[NONCE_BYTES:], aad, wrapped[:NONCE_BYTES], kek)
        if dek is not None:
            return dek
    raise Tampered("bad_wrapped_key", "the data key of a subject cannot be decrypted")


def compute_key_commitment(dek: bytes) -> bytes:
    """SHA-256 over a label and a data key, 32 bytes; does not reveal the key, which is random."""
    return hashlib.sha256(_KEY_COMMITMENT + _check_length("dek", dek, KEY_BYTES)).digest()


def compute_attached_digest(key_commitments: bytes, sealed: bytes, marks: bytes) -> str:
    """Base64 digest of what is stored beside an entry; either part may be empty.

    `key_commitments` are those of the boxes' subjects, one after another in the order of the boxes.
    """
    lengths = struct.pack(">III", len(key_commitments), len(sealed), len(marks))
    digest = hashlib.sha256(b"".join((_ATTACHED, lengths, key_commitments, sealed, marks))).digest()
    return binascii.b2a_base64(digest, newline=False).decode("ascii")


def seal(dek: bytes, tenant: str, subject: str, fields: Mapping[str, bytes], *, nonce: bytes) -> bytes:
    """Seal fields of an entry for a subject, as a box.

    Args:
        dek: the subject's 32-byte data key.
        tenant: owner of the log.
        subject: person whose data it is, empty for none.
        fields: name, at most 255 bytes, → bytes.
        nonce: 24 fresh random bytes.

    Returns:
        Length of the subject (2 bytes), subject, length of the rest (4 bytes), nonce, ciphertext.

    Raises:
        BadInput: `bad_length`.
    """
    parts: list[bytes] = []
    for name in sorted(fields):
        data = fields[name]
        parts += _name_head(name), len(data).to_bytes(4, "big"), data
    ciphertext = sodium.seal_xchacha20_poly1305(b"".join(parts), _content_prefix(tenant, subject), nonce, dek)
    return b"".join((_subject_head(subject), (NONCE_BYTES + len(ciphertext)).to_bytes(4, "big"), nonce, ciphertext))


@lru_cache(maxsize=256)
def _name_head(name: str) -> bytes:
    encoded = name.encode()
    return bytes((len(encoded),)) + encoded


@lru_cache(maxsize=1024)
def _subject_head(subject: str) -> bytes:
    encoded = _encode_text(subject)
    return len(encoded).to_bytes(2, "big") + encoded


def read_subject(sealed: bytes) -> str:
    """The subject of a box, or of the first of several.

    Raises:
        Tampered: `content_altered`, these are other bytes.
    """
    size = int.from_bytes(sealed[:2], "big")
    try:
        subject = sealed[2 : 2 + size].decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as exc:
        raise Tampered("content_altered", "the sealed content has no subject") from exc
    if len(sealed) < 2 + size + 4 + NONCE_BYTES + _TAG_BYTES:
        raise Tampered("content_altered", "the sealed content is too short")
    return subject


def measure_subject(sealed: bytes) -> int:
    """Length of the part of a box that names its subject, in bytes."""
    return 2 + int.from_bytes(sealed[:2], "big")


def split_boxes(sealed: bytes) -> list[bytes]:
    """The boxes beside an entry.

    Raises:
        Tampered: `content_altered`, these are other bytes.
    """
    boxes = []
    while sealed:
        size = _measure_box(sealed)
        if len(sealed) < size:
            raise Tampered("content_altered", "the sealed content is too short")
        boxes.append(sealed[:size])
        sealed = sealed[size:]
    return boxes


def _measure_box(sealed: bytes) -> int:
    size = measure_subject(sealed)
    return size + 4 + int.from_bytes(sealed[size : size + 4], "big")


def authenticate_sealed(dek: bytes, tenant: str, sealed: bytes) -> bool:
    """Whether these bytes are one box that `open_sealed` would open; `read_subject` must accept them."""
    size = measure_subject(sealed)
    start = size + 4
    if _measure_box(sealed) != len(sealed):
        return False
    nonce, ciphertext = sealed[start : start + NONCE_BYTES], sealed[start + NONCE_BYTES :]
    aad = _stored_prefix(tenant, sealed[:size])
    return sodium.is_authentic_xchacha20_poly1305(ciphertext, aad, nonce, dek)


@lru_cache(maxsize=1024)
def _stored_prefix(tenant: str, subject_head: bytes) -> bytes:
    return _frame(_CONTENT, _encode_text(tenant), subject_head[2:])


def open_sealed(dek: bytes | BoxKeys, tenant: str, sealed: bytes) -> dict[str, bytes]:
    """Open a box: name → bytes; empty if its key is not among those kept.

    Raises:
        Tampered: `content_altered`, any part was changed or belongs to another tenant, subject or key.
    """
    subject = read_subject(sealed)
    rest = sealed[len(_subject_head(subject)) + 4 :]
    nonce, ciphertext = rest[:NONCE_BYTES], rest[NONCE_BYTES:]
    plaintext = None
    if _measure_box(sealed) == len(sealed):
        aad = _content_prefix(tenant, subject)
        if isinstance(dek, bytes):
            plaintext = sodium.open_xchacha20_poly1305(ciphertext, aad, nonce, dek)
        elif (box_key := dek.get(nonce[:_BOX_NONCE_BYTES])) is None:
            return {}
        else:
            plaintext = sodium.open_with_box_key(ciphertext, aad, nonce, box_key)
    if plaintext is None:
        raise Tampered("content_altered", "the sealed content was changed, or belongs to another key")
    return _split_fields(plaintext)


def _split_fields(plaintext: bytes) -> dict[str, bytes]:
    fields: dict[str, bytes] = {}
    at = 0
    while at < len(plaintext):
        name = plaintext[at + 1 : at + 1 + plaintext[at]]
        at += 1 + len(name)
        size = int.from_bytes(plaintext[at : at + 4], "big")
        fields[name.decode()] = plaintext[at + 4 : at + 4 + size]
        at += 4 + size
    return fields


def find_box_key(dek: bytes | BoxKeys, box: bytes) -> tuple[bytes, bytes] | None:
    """(start of the nonce, as in `BoxKeys`; box key) of a box; None if its key was erased.

    Raises:
        Tampered: `content_altered`, these are other bytes.
    """
    read_subject(box)
    nonce = box[measure_subject(box) + 4 :][:NONCE_BYTES]
    name = nonce[:_BOX_NONCE_BYTES]
    key = sodium.derive_xchacha20_subkey(dek, nonce) if isinstance(dek, bytes) else dek.get(name)
    return None if key is None else (name, key)


def wrap_box_keys(kek: bytes, box_keys: BoxKeys, tenant: str, subject: str, random: Callable[[int], bytes]) -> bytes:
    """Encrypt the keys of the remaining boxes, which replaces the subject's data key.

    The list is sealed under a key of its own, so that a new content key wraps 32 bytes anew and not the list.
    """
    list_key, nonce = new_dek(random), random(NONCE_BYTES)
    plaintext = b"".join(name + box_keys[name] for name in sorted(box_keys))
    aad = _frame(_BOX_KEYS, _encode_text(tenant), _encode_text(subject))
    sealed = sodium.seal_xchacha20_poly1305(plaintext, aad, nonce, list_key)
    return wrap_dek(kek, list_key, tenant, subject, random(NONCE_BYTES)) + nonce + sealed


def is_partly_erased(wrapped: bytes) -> bool:
    """Whether the column `dek_wrapped` holds keys of single boxes."""
    return len(wrapped) > _WRAPPED_BYTES


def unwrap_box_keys(kek: bytes, wrapped: bytes, tenant: str, subject: str) -> BoxKeys:
    """Inverse of `wrap_box_keys`.

    Raises:
        Tampered: `bad_wrapped_key`, as `unwrap_dek`.
    """
    list_key = unwrap_dek(kek, wrapped[:_WRAPPED_BYTES], tenant, subject)
    nonce, sealed = wrapped[_WRAPPED_BYTES:][:NONCE_BYTES], wrapped[_WRAPPED_BYTES + NONCE_BYTES :]
    aad = _frame(_BOX_KEYS, _encode_text(tenant), _encode_text(subject))
    plaintext = sodium.open_xchacha20_poly1305(sealed, aad, nonce, list_key)
    size = _BOX_NONCE_BYTES + KEY_BYTES
    if plaintext is None or len(plaintext) % size:
        raise Tampered("bad_wrapped_key", "the box keys of a subject cannot be decrypted")
    return {
        plaintext[at : at + _BOX_NONCE_BYTES]: plaintext[at + _BOX_NONCE_BYTES : at + size]
        for at in range(0, len(plaintext), size)
    }


def digest_box_keys(box_keys: BoxKeys) -> str:
    """Base64 SHA-256 over the commitments to box keys, sorted by nonce; does not reveal the keys."""
    digest = hashlib.sha256(_BOX_KEYS)
    for name in sorted(box_keys):
        digest.update(name + compute_key_commitment(box_keys[name]))
    return binascii.b2a_base64(digest.digest(), newline=False).decode("ascii")


def rewrap(old: bytes, new: bytes, wrapped: bytes, tenant: str, subject: str, *, nonce: bytes) -> bytes:
    """The value of a column `dek_wrapped`, wrapped under the content key `new` instead of `old`.

    Raises:
        Tampered: `bad_wrapped_key`, it is not wrapped under `old`.
    """
    dek = unwrap_dek(old, wrapped[:_WRAPPED_BYTES], tenant, subject)
    return wrap_dek(new, dek, tenant, subject, nonce) + wrapped[_WRAPPED_BYTES:]


def name_next_key(kek: bytes) -> str:
    """The subject of the row that holds the content key after this one."""
    return NEXT_KEY + hashlib.sha256(_CONTENT_KEY + _check_length("kek", kek, KEY_BYTES)).hexdigest()


def wrap_next_content_key(kek: bytes, following: bytes, nonce: bytes) -> bytes:
    """The content key after `kek`, encrypted under it."""
    return wrap_dek(kek, following, "", name_next_key(kek), nonce)


def follow_content_key(kek: bytes, find_row: Callable[[str], bytes | None]) -> bytes:
    """The newest content key reachable from one.

    Args:
        kek: the content key that is known.
        find_row: the wrapped key in the row of a subject, None if there is none.

    Raises:
        Tampered: `bad_wrapped_key`, such a row was changed.
    """
    while (wrapped := find_row(name_next_key(kek))) is not None:
        kek = unwrap_dek(kek, wrapped, "", name_next_key(kek))
    return kek


def _encode_text(text: str) -> bytes:
    # Any text, since verification hashes what an altered row holds, including lone surrogates.
    return text.encode("utf-8", "surrogatepass")


@lru_cache(maxsize=1024)
def _content_prefix(tenant: str, subject: str) -> bytes:
    return _frame(_CONTENT, _encode_text(tenant), _encode_text(subject))


def _frame(*parts: bytes) -> bytes:
    # Each part after its length, so that no two lists of parts give the same bytes.
    return b"".join(map(_frame_part, parts))


def _frame_part(part: bytes) -> bytes:
    return len(part).to_bytes(4, "big") + part


def _check_length(name: str, value: bytes, size: int) -> bytes:
    if len(value) != size:
        problem = f"`{name}` has {len(value)} bytes instead of {size}"
        raise BadInput("bad_length", problem, field=name, remedy=f"give {size} bytes")
    return value


SubjectKey = tuple[bytes | BoxKeys | None, bytes]
"""A subject's data key, or the keys of the boxes that were kept, or None where it was erased; and the commitment to
the data key."""


def unwrap_key(kek: bytes, wrapped: bytes, commitment: bytes, tenant: str, subject: str) -> SubjectKey:
    """The key in a subject's row of `vault`, with which `open_attached` opens the subject's content.

    Raises:
        Tampered: the key cannot be unwrapped, or is not the one of the commitment.
    """
    if not wrapped:
        return None, commitment
    if is_partly_erased(wrapped):
        return unwrap_box_keys(kek, wrapped, tenant, subject), commitment
    dek = unwrap_dek(kek, wrapped, tenant, subject)
    if compute_key_commitment(dek) != commitment:
        raise Tampered("content_altered", _OTHER_CONTENT)
    return dek, commitment


def open_attached(
    find_key: Callable[[str], SubjectKey | None], tenant: str, attached: str, sealed: bytes, marks: bytes | None
) -> dict[str, bytes]:
    """The sealed fields beside an entry that can be opened, name → bytes.

    Args:
        find_key: returns the key of a subject, None if its row is missing; then no field is returned, since the
            digest cannot be compared.
        tenant: owner of the log.
        attached: the digest in the entry.
        sealed: its column `sealed`.
        marks: its column `marks`.

    Raises:
        Tampered: what is stored is not what the entry committed to.
    """
    boxes = split_boxes(sealed)
    keys = [find_key(read_subject(box)) for box in boxes]
    known = [key for key in keys if key is not None]
    if len(known) != len(keys):
        return {}
    if compute_attached_digest(b"".join([commitment for _, commitment in known]), sealed, marks or b"") != attached:
        raise Tampered("content_altered", _OTHER_CONTENT)
    fields: dict[str, bytes] = {}
    for box, (dek, _) in zip(boxes, known, strict=True):
        if dek is not None:
            fields.update(open_sealed(dek, tenant, box))
    return fields


def split_marks(marks: bytes) -> Iterator[bytes]:
    """The rows of a sketch in the column `marks` of one entry."""
    at = 0
    while at < len(marks):
        size = int.from_bytes(marks[at : at + 4], "big")
        yield marks[at + 4 : at + 4 + size]
        at += 4 + size
