"""Sealed content: fields encrypted so that they can be erased without changing any entry.

A field (a prompt, arguments, an output) is encrypted under its subject's data key, and the entry holds only two hashes.
Deleting the key erases the field, and every leaf stays as it was:

    c = SHA-256(salt, field)                 binds the plaintext; the salt is inside the ciphertext
    x = SHA-256(subject, nonce, ciphertext)  shows a changed row without any key

Encryption is XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha) with tenant, subject and commitment as associated data.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from nacl import bindings
from nacl.exceptions import CryptoError

from halo_core.errors import BadInput, Tampered

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 24
SALT_BYTES: Final = 32
_TAG_BYTES: Final = 16
_decrypt: Final = bindings.crypto_aead_xchacha20poly1305_ietf_decrypt
_encrypt: Final = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt
_CONTENT: Final = b"halo/content/v1"
_DEK: Final = b"halo/dek/v1"
_DIGEST: Final = b"halo/sealed/v1"


@dataclass(frozen=True, slots=True)
class SealedField:
    """A sealed field: 32-byte commitment, 24-byte nonce, ciphertext, 32-byte digest of the row."""

    commitment: bytes
    nonce: bytes
    ciphertext: bytes
    digest: bytes

    def to_reference(self) -> dict[str, str]:
        """The reference that the entry holds: `c` and `x`, base64."""
        return {
            "c": base64.b64encode(self.commitment).decode("ascii"),
            "x": base64.b64encode(self.digest).decode("ascii"),
        }


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
    sealed: bytes = _encrypt(dek, aad, _check_length("nonce", nonce, NONCE_BYTES), _check_length("kek", kek, KEY_BYTES))
    return nonce + sealed


def unwrap_dek(kek: bytes, wrapped: bytes, tenant: str, subject: str) -> bytes:
    """Inverse of `wrap_dek`.

    Raises:
        Tampered: `bad_wrapped_key`, it was changed, moved to another subject or wrapped under another key.
    """
    if len(wrapped) == NONCE_BYTES + KEY_BYTES + _TAG_BYTES:
        aad = _frame(_DEK, _encode_text(tenant), _encode_text(subject))
        dek = _decrypt_or_none(wrapped[NONCE_BYTES:], aad, wrapped[:NONCE_BYTES], kek)
        if dek is not None:
            return dek
    raise Tampered("bad_wrapped_key", "the data key of a subject cannot be decrypted")


def compute_commitment(salt: bytes, field: bytes) -> bytes:
    """SHA-256(salt, field); the salt is 32 bytes."""
    return hashlib.sha256(_check_length("salt", salt, SALT_BYTES) + field).digest()


def ciphertext_digest(subject: str, nonce: bytes, ciphertext: bytes) -> bytes:
    """Digest of a content row: binds whose it is, nonce and ciphertext; needs no key."""
    return hashlib.sha256(b"".join((_digest_prefix(subject), _frame_part(nonce), ciphertext))).digest()


def seal(dek: bytes, tenant: str, subject: str, field: bytes, *, salt: bytes, nonce: bytes) -> SealedField:
    """Seal a field for a subject.

    Args:
        dek: the subject's 32-byte data key.
        tenant: owner of the log.
        subject: person whose data it is, empty for none.
        field: canonical bytes of the field.
        salt: 32 fresh random bytes.
        nonce: 24 fresh random bytes.

    Raises:
        BadInput: `bad_length`.
    """
    commitment = compute_commitment(salt, field)
    aad = _content_prefix(tenant, subject) + _frame_part(commitment)
    ciphertext: bytes = _encrypt(
        salt + field, aad, _check_length("nonce", nonce, NONCE_BYTES), _check_length("dek", dek, KEY_BYTES)
    )
    return SealedField(commitment, nonce, ciphertext, ciphertext_digest(subject, nonce, ciphertext))


def open_sealed(dek: bytes, tenant: str, subject: str, *, commitment: bytes, nonce: bytes, ciphertext: bytes) -> bytes:
    """Open a content row and return the field.

    Raises:
        Tampered: `content_altered`, any part was changed or belongs to another tenant, subject or commitment.
    """
    plaintext = _decrypt_or_none(ciphertext, _content_prefix(tenant, subject) + _frame_part(commitment), nonce, dek)
    # INVARIANT: the commitment is recomputed, so a holder of the data key cannot replace the field.
    if plaintext is None or hashlib.sha256(plaintext).digest() != commitment:
        raise Tampered("content_altered", "the sealed content does not match the entry's commitment")
    return plaintext[SALT_BYTES:]


def _encode_text(text: str) -> bytes:
    # Any text, since verification hashes what an altered row holds, including lone surrogates.
    return text.encode("utf-8", "surrogatepass")


@lru_cache(maxsize=1024)
def _content_prefix(tenant: str, subject: str) -> bytes:
    return _frame(_CONTENT, _encode_text(tenant), _encode_text(subject))


@lru_cache(maxsize=1024)
def _digest_prefix(subject: str) -> bytes:
    return _frame(_DIGEST, _encode_text(subject))


def _frame(*parts: bytes) -> bytes:
    # Each part after its length, so that no two lists of parts give the same bytes.
    return b"".join(map(_frame_part, parts))


def _frame_part(part: bytes) -> bytes:
    return len(part).to_bytes(4, "big") + part


def _decrypt_or_none(ciphertext: bytes, aad: bytes, nonce: bytes, key: bytes) -> bytes | None:
    if len(nonce) != NONCE_BYTES or len(key) != KEY_BYTES or len(ciphertext) < _TAG_BYTES:
        return None
    try:
        plaintext: bytes = _decrypt(ciphertext, aad, nonce, key)
    except CryptoError:
        return None
    return plaintext


def _check_length(name: str, value: bytes, size: int) -> bytes:
    if len(value) != size:
        raise BadInput("bad_length", f"`{name}` has {len(value)} bytes instead of {size}", field=name)
    return value
