"""A call into libsodium that PyNaCl's bindings do not have."""

from __future__ import annotations

from nacl import bindings
from nacl._sodium import ffi, lib

_decrypt = lib.crypto_aead_xchacha20poly1305_ietf_decrypt
_NULL = ffi.NULL


def authenticate_aead(ciphertext: bytes, aad: bytes, nonce: bytes, key: bytes) -> bool:
    """Whether a ciphertext of XChaCha20-Poly1305, with its tag, is authentic; it is not decrypted.

    libsodium checks the tag alone where it is given no place for the plaintext.

    Args:
        ciphertext: with the tag of 16 bytes; a shorter one is not authentic.
        aad: the associated data.
        nonce: 24 bytes.
        key: 32 bytes.

    Raises:
        ValueError: nonce or key has the wrong length.
    """
    # INVARIANT: libsodium reads as many bytes of them as it needs, whatever their length.
    if (
        len(nonce) != bindings.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
        or len(key) != bindings.crypto_aead_xchacha20poly1305_ietf_KEYBYTES
    ):
        raise ValueError("nonce or key has the wrong length")
    result = _decrypt(_NULL, _NULL, _NULL, ciphertext, len(ciphertext), aad, len(aad), nonce, key)
    return bool(result == 0)
