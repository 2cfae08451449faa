"""Direct calls into libsodium: the same bytes as PyNaCl's bindings, and no call with a wrong size."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl import bindings

from halo_core.crypto import sodium
from halo_core.errors import BadInput

SEED = bytes(range(32))
KEY, NONCE = b"k" * 32, b"n" * 24
MESSAGES = st.binary(max_size=300)


@given(MESSAGES, st.binary(min_size=32, max_size=32))
def test_signatures_are_those_of_the_bindings(message, seed):
    public, secret = bindings.crypto_sign_seed_keypair(seed)
    signature = sodium.sign_ed25519(message, secret)
    assert signature == bindings.crypto_sign(message, secret)[:64]
    assert bindings.crypto_sign_open(signature + message, public) == message


def test_signing_agrees_with_rfc_8032():
    """Section 7.1, test 2."""
    seed = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
    _, secret = bindings.crypto_sign_seed_keypair(seed)
    assert sodium.sign_ed25519(b"\x72", secret).hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )


@given(MESSAGES, MESSAGES)
def test_sealing_is_that_of_the_bindings_and_opens_again(plaintext, associated):
    sealed = sodium.seal_xchacha20_poly1305(plaintext, associated, NONCE, KEY)
    assert sealed == bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, associated, NONCE, KEY)
    assert sodium.open_xchacha20_poly1305(sealed, associated, NONCE, KEY) == plaintext
    assert sodium.is_authentic_xchacha20_poly1305(sealed, associated, NONCE, KEY)


@given(st.binary(min_size=1, max_size=60), st.data())
def test_nothing_that_was_changed_opens(plaintext, data):
    sealed = bytearray(sodium.seal_xchacha20_poly1305(plaintext, b"a", NONCE, KEY))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    assert sodium.open_xchacha20_poly1305(bytes(sealed), b"a", NONCE, KEY) is None
    assert not sodium.is_authentic_xchacha20_poly1305(bytes(sealed), b"a", NONCE, KEY)


@pytest.mark.parametrize("size", [0, 16, 23, 25, 32])
def test_a_nonce_of_another_size_is_refused(size):
    sealed = sodium.seal_xchacha20_poly1305(b"x", b"a", NONCE, KEY)
    nonce = b"n" * size
    with pytest.raises(BadInput) as caught:
        sodium.seal_xchacha20_poly1305(b"x", b"a", nonce, KEY)
    assert caught.value.code == "bad_length"
    assert sodium.open_xchacha20_poly1305(sealed, b"a", nonce, KEY) is None
    assert not sodium.is_authentic_xchacha20_poly1305(sealed, b"a", nonce, KEY)


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_key_of_another_size_is_refused(size):
    sealed = sodium.seal_xchacha20_poly1305(b"x", b"a", NONCE, KEY)
    key = b"k" * size
    with pytest.raises(BadInput) as caught:
        sodium.seal_xchacha20_poly1305(b"x", b"a", NONCE, key)
    assert caught.value.code == "bad_length"
    assert sodium.open_xchacha20_poly1305(sealed, b"a", NONCE, key) is None
    assert not sodium.is_authentic_xchacha20_poly1305(sealed, b"a", NONCE, key)


@pytest.mark.parametrize("size", [0, 32, 63, 65])
def test_a_signing_key_of_another_size_is_refused(size):
    with pytest.raises(BadInput) as caught:
        sodium.sign_ed25519(b"x", b"k" * size)
    assert caught.value.code == "bad_length"


@pytest.mark.parametrize("size", [0, 1, 15])
def test_what_is_shorter_than_a_tag_does_not_open(size):
    assert sodium.open_xchacha20_poly1305(b"t" * size, b"", NONCE, KEY) is None
    assert not sodium.is_authentic_xchacha20_poly1305(b"t" * size, b"", NONCE, KEY)


def test_the_key_of_one_message_is_that_of_the_draft_and_opens_that_message_alone():
    # draft-irtf-cfrg-xchacha-03, 2.2.1
    nonce = bytes.fromhex("000000090000004a0000000031415927") + bytes(8)
    derived = sodium.derive_xchacha20_subkey(bytes(range(32)), nonce)
    assert derived.hex() == "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"
    for size in (0, 1, 64, 1000):
        key, one, two = os.urandom(32), os.urandom(24), os.urandom(24)
        sealed = sodium.seal_xchacha20_poly1305(bytes(size), b"aad", one, key)
        subkey = sodium.derive_xchacha20_subkey(key, one)
        assert sodium.open_with_box_key(sealed, b"aad", one, subkey) == bytes(size)
        assert sodium.open_with_box_key(sealed, b"other", one, subkey) is None
        assert sodium.open_with_box_key(sealed[:-1], b"aad", one, subkey) is None
        other = sodium.seal_xchacha20_poly1305(bytes(size), b"aad", two, key)
        assert sodium.open_with_box_key(other, b"aad", two, subkey) is None
    with pytest.raises(BadInput):
        sodium.derive_xchacha20_subkey(bytes(31), nonce)
    with pytest.raises(BadInput):
        sodium.derive_xchacha20_subkey(bytes(32), nonce[:-1])
