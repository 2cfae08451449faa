"""Direct calls into libsodium for what every decision does: sign, seal, check a tag.

PyNaCl's own bindings check each argument's type in a function of its own and copy a signed message whole; sealing 400
bytes takes them three times as long. libsodium reads as many bytes of a key, nonce or tag as they must have, so their
sizes are checked here before each call.
"""

from __future__ import annotations

from typing import Final

from nacl._sodium import ffi, lib  # type: ignore[import-not-found]  # compiled, without types

from halo_core.errors import BadInput

SIGNATURE_BYTES: Final = 64
SECRET_KEY_BYTES: Final = 64
"""Of an Ed25519 key as libsodium keeps it: the seed and the public key."""
AEAD_KEY_BYTES: Final = 32
AEAD_NONCE_BYTES: Final = 24
AEAD_TAG_BYTES: Final = 16

_BYTES: Final = ffi.typeof("unsigned char[]")
_new: Final = ffi.new
_view: Final = ffi.buffer
_NULL: Final = ffi.NULL
_sign: Final = lib.crypto_sign
_encrypt: Final = lib.crypto_aead_xchacha20poly1305_ietf_encrypt
_decrypt: Final = lib.crypto_aead_xchacha20poly1305_ietf_decrypt
_decrypt_derived: Final = lib.crypto_aead_chacha20poly1305_ietf_decrypt
_derive: Final = lib.crypto_secretstream_xchacha20poly1305_init_pull
_STATE_BYTES: Final = lib.crypto_secretstream_xchacha20poly1305_statebytes()


def sign_ed25519(message: bytes, secret_key: bytes) -> bytes:
    """Sign a message (RFC 8032).

    Args:
        message: any bytes.
        secret_key: 64 bytes.

    Returns:
        64 bytes.

    Raises:
        BadInput: `bad_length`.
    """
    if len(secret_key) != SECRET_KEY_BYTES:
        raise _make_length_error("secret_key", secret_key, SECRET_KEY_BYTES)
    signed = _new(_BYTES, SIGNATURE_BYTES + len(message))  # the signature, then the message
    if _sign(signed, _NULL, message, len(message), secret_key) != 0:
        raise RuntimeError("libsodium could not sign")
    signature: bytes = _view(signed, SIGNATURE_BYTES)[:]
    return signature


def seal_xchacha20_poly1305(plaintext: bytes, associated: bytes, nonce: bytes, key: bytes) -> bytes:
    """Encrypt and authenticate (draft-irtf-cfrg-xchacha).

    Args:
        plaintext: any bytes.
        associated: authenticated with it, not encrypted.
        nonce: 24 bytes, used once with this key.
        key: 32 bytes.

    Returns:
        The ciphertext with its 16-byte tag.

    Raises:
        BadInput: `bad_length`.
    """
    if len(nonce) != AEAD_NONCE_BYTES:
        raise _make_length_error("nonce", nonce, AEAD_NONCE_BYTES)
    if len(key) != AEAD_KEY_BYTES:
        raise _make_length_error("key", key, AEAD_KEY_BYTES)
    sealed = _new(_BYTES, len(plaintext) + AEAD_TAG_BYTES)
    if _encrypt(sealed, _NULL, plaintext, len(plaintext), associated, len(associated), _NULL, nonce, key) != 0:
        raise RuntimeError("libsodium could not encrypt")
    ciphertext: bytes = _view(sealed)[:]
    return ciphertext


def open_xchacha20_poly1305(ciphertext: bytes, associated: bytes, nonce: bytes, key: bytes) -> bytes | None:
    """Inverse of `seal_xchacha20_poly1305`; None if anything was changed or has the wrong size."""
    if len(nonce) != AEAD_NONCE_BYTES or len(key) != AEAD_KEY_BYTES or len(ciphertext) < AEAD_TAG_BYTES:
        return None
    size = len(ciphertext) - AEAD_TAG_BYTES
    opened = _new(_BYTES, max(size, 1))
    result = _decrypt(opened, _NULL, _NULL, ciphertext, len(ciphertext), associated, len(associated), nonce, key)
    if result != 0:
        return None
    plaintext: bytes = _view(opened, size)[:]
    return plaintext


def is_authentic_xchacha20_poly1305(ciphertext: bytes, associated: bytes, nonce: bytes, key: bytes) -> bool:
    """Whether `open_xchacha20_poly1305` would open it; a sixth of the time, since nothing is decrypted."""
    if len(nonce) != AEAD_NONCE_BYTES or len(key) != AEAD_KEY_BYTES or len(ciphertext) < AEAD_TAG_BYTES:
        return False
    # Where libsodium is given no place for the plaintext, it checks the tag alone.
    result = _decrypt(_NULL, _NULL, _NULL, ciphertext, len(ciphertext), associated, len(associated), nonce, key)
    return bool(result == 0)


def derive_xchacha20_subkey(key: bytes, nonce: bytes) -> bytes:
    """The key under which XChaCha20-Poly1305 encrypts with this nonce: HChaCha20 (draft-irtf-cfrg-xchacha, 2.2).

    Who has it can open what was sealed with the nonce, and nothing else under the key.

    Args:
        key: 32 bytes.
        nonce: 24 bytes; the first 16 of them count.

    Returns:
        32 bytes.

    Raises:
        BadInput: `bad_length`.
    """
    if len(key) != AEAD_KEY_BYTES:
        raise _make_length_error("key", key, AEAD_KEY_BYTES)
    if len(nonce) != AEAD_NONCE_BYTES:
        raise _make_length_error("nonce", nonce, AEAD_NONCE_BYTES)
    # The bindings have no HChaCha20. A secret stream begins with it: the first 32 bytes of its state are the result.
    state = _new(_BYTES, _STATE_BYTES)
    if _derive(ffi.cast("crypto_secretstream_xchacha20poly1305_state *", state), nonce, key) != 0:
        raise RuntimeError("libsodium could not derive a key")
    derived: bytes = _view(state, AEAD_KEY_BYTES)[:]
    return derived


def open_with_box_key(ciphertext: bytes, associated: bytes, nonce: bytes, box_key: bytes) -> bytes | None:
    """Like `open_xchacha20_poly1305`, with the key that `derive_xchacha20_subkey` gives for the nonce."""
    if len(nonce) != AEAD_NONCE_BYTES or len(box_key) != AEAD_KEY_BYTES or len(ciphertext) < AEAD_TAG_BYTES:
        return None
    size = len(ciphertext) - AEAD_TAG_BYTES
    opened = _new(_BYTES, max(size, 1))
    short = b"\0\0\0\0" + nonce[16:]
    result = _decrypt_derived(
        opened, _NULL, _NULL, ciphertext, len(ciphertext), associated, len(associated), short, box_key
    )
    if result != 0:
        return None
    plaintext: bytes = _view(opened, size)[:]
    return plaintext


def _make_length_error(name: str, value: bytes, size: int) -> BadInput:
    problem = f"`{name}` has {len(value)} bytes instead of {size}"
    return BadInput("bad_length", problem, field=name, remedy=f"give {size} bytes")
