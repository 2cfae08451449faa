"""Signed notes, entries and checkpoints: round trips and malformed input."""

from __future__ import annotations

import base64
import contextlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_world import BASE_ENTRY, key, pseudo

from counts import count
from halo_core.errors import BadInput, ConfigError, Tampered
from halo_core.ledger.checkpoints import Checkpoint, open_checkpoint, sign_checkpoint
from halo_core.ledger.notes import (
    MAX_ENTRY,
    MAX_NOTE,
    build_entry_note,
    decode_entry,
    encode_entry,
    format_vkey,
    log_origin,
    make_vkey,
    open_note,
    parse_vkey,
    sign_note,
    verify_note,
    writer_name,
)
from halo_core.ledger.sealed_content import (
    compute_attached_digest,
    compute_key_commitment,
    new_dek,
    open_sealed,
    read_subject,
    seal,
    unwrap_dek,
    wrap_dek,
)
from halo_core.ledger.tree import leaf_hash
from halo_core.model.ledger_entry import LedgerEntry

ALICE, BOB = key("alice"), key("bob")
NAME = "halo/local/log"
VKEY = make_vkey(NAME, ALICE.public_key)
TEXT = '{"a":"ü\u2028"}\n'.encode()


def code_of(error: type[Exception], call, *args, **options) -> str:
    with pytest.raises(error) as caught:
        call(*args, **options)
    return caught.value.code


def test_published_key_hash():
    # The verifier key and note of the Go sumdb documentation (golang.org/x/mod/sumdb/note).
    vkey = parse_vkey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    assert format_vkey(vkey) == "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    note = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n\n"
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    ).encode()
    assert verify_note(note, [vkey]).startswith(b"If you think")
    assert code_of(Tampered, verify_note, note.replace(b"think", b"thing"), [vkey]) == "bad_signature"


def test_note_round_trip_with_two_signatures():
    note = sign_note(TEXT, [(NAME, ALICE), ("halo/local/w/1", BOB)])
    opened = open_note(note)
    assert opened.text == TEXT
    assert [item.name for item in opened.signatures] == [NAME, "halo/local/w/1"]
    assert verify_note(note, [VKEY, make_vkey("halo/local/w/1", BOB.public_key)]) == TEXT
    # A key's name is part of what it signs for.
    assert code_of(Tampered, verify_note, note, [make_vkey(NAME, BOB.public_key)]) == "bad_signature"
    assert code_of(Tampered, verify_note, note, [make_vkey("halo/acme/log", ALICE.public_key)]) == "bad_signature"
    assert code_of(Tampered, verify_note, note, []) == "bad_signature"


@pytest.mark.parametrize(
    "text",
    [b"", b"\n", b"no newline", b"a\n\nb\n", b"tab\t\n", b"nul\0\n", b"\xff\n", b"\na\n", b"a\r\n"],
)
def test_texts_without_a_signed_form(text: bytes):
    assert code_of(BadInput, sign_note, text, [(NAME, ALICE)]) == "bad_note_text"


def test_a_note_fits_the_limit_exactly():
    room = MAX_NOTE - (len(sign_note(b"\n" * 0 + b"x\n", [(NAME, ALICE)])) - 2)
    assert len(sign_note(b"y" * (room - 1) + b"\n", [(NAME, ALICE)])) == MAX_NOTE
    assert code_of(BadInput, sign_note, b"y" * room + b"\n", [(NAME, ALICE)]) == "entry_too_large"
    assert code_of(BadInput, sign_note, TEXT, []) == "bad_note_text"


def mutations(note: bytes) -> dict[str, bytes]:
    head, _, line = note.partition(b"\n\n")
    encoded = line.split(b" ")[2].strip()
    return {
        "no signature": head + b"\n\n",
        "no blank line": head + b"\n" + line,
        "two blank lines": head + b"\n\n\n" + line,
        "no last newline": note[:-1],
        "trailing newline": note + b"\n",
        "trailing text": note + b"x\n",
        "hyphen": note.replace(b"\xe2\x80\x94", b"-"),
        "en dash": note.replace(b"\xe2\x80\x94", b"\xe2\x80\x93"),
        "two spaces": note.replace(b"log ", b"log  "),
        "no name": note.replace(NAME.encode() + b" ", b" "),
        "plus in name": note.replace(b"log ", b"l+g "),
        "unicode space in name": note.replace(b"log ", b"l\xc2\xa0g "),
        "base64 without padding": note.replace(encoded, encoded.rstrip(b"=")),
        "base64 with newline": note.replace(encoded, encoded[:8] + b"\n" + encoded[8:]),
        "base64 url alphabet": note.replace(encoded, b"-_" + encoded[2:]),
        "hash alone": note.replace(encoded, base64.b64encode(b"abcd")),
        "same key twice": note + line,
        "carriage return": note.replace(b"\n", b"\r\n"),
        "empty": b"",
        "too many": note + b"".join(sign_note(TEXT, [(f"n{i}", BOB)]).partition(b"\n\n")[2] for i in range(32)),
        "too long": b"y" * MAX_NOTE + note,
    }


@pytest.mark.parametrize("name", sorted(mutations(sign_note(TEXT, [(NAME, ALICE)]))))
def test_malformed_notes(name: str):
    assert code_of(Tampered, open_note, mutations(sign_note(TEXT, [(NAME, ALICE)]))[name]) == "malformed_note"


def test_stray_bits_in_base64_are_refused():
    note = sign_note(TEXT, [(NAME, ALICE)])
    # 68 bytes end in one character that holds unused bits.
    at = len(note) - len(b"=\n") - 1
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = alphabet[alphabet.index(note[at : at + 1]) ^ 1 :][:1]
    assert code_of(Tampered, open_note, note[:at] + other + note[at + 1 :]) == "malformed_note"


@settings(max_examples=count(200))
@given(st.binary(max_size=300))
def test_parsers_are_total(data: bytes):
    for call in (
        lambda: open_note(data),
        lambda: open_note(data + b"\n\n\xe2\x80\x94 a " + base64.b64encode(data) + b"\n"),
        lambda: decode_entry(data),
        lambda: open_checkpoint(data, VKEY, "local"),
    ):
        with contextlib.suppress(Tampered):
            call()


@settings(max_examples=count(150))
@given(st.integers(0), st.binary(min_size=1, max_size=3))
def test_any_altered_note_fails(at: int, junk: bytes):
    note = sign_note(TEXT, [(NAME, ALICE)])
    at %= len(note)
    other = note[:at] + junk + note[at + len(junk) :]
    if other != note:
        with pytest.raises(Tampered):
            verify_note(other, [VKEY])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a+b+c",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "ü+c74f20a3+ü",
    ],
)
def test_bad_verifier_keys(text: str):
    assert code_of(ConfigError, parse_vkey, text) == "bad_vkey"


def test_weak_verifier_key_is_refused():
    weak = make_vkey(NAME, b"\x01" + bytes(31))
    assert code_of(BadInput, parse_vkey, format_vkey(weak)) == "weak_key"


# Entries


def test_entry_round_trip():
    text, signatures, leaf = encode_entry(BASE_ENTRY, ALICE, log=BOB)
    note = build_entry_note("local", "3f2a", text, signatures)
    assert decode_entry(note) == BASE_ENTRY
    assert leaf == leaf_hash(note)
    assert note.count(b"\n") == 4
    assert note == sign_note(text + b"\n", [(writer_name("local", "3f2a"), ALICE), (log_origin("local"), BOB)])
    keys = [make_vkey(writer_name("local", "3f2a"), ALICE.public_key), make_vkey(log_origin("local"), BOB.public_key)]
    assert verify_note(note, keys) == note.partition(b"\n\n")[0] + b"\n"


def test_an_entry_names_neither_its_writer_nor_its_tenant_but_the_key_does():
    text, signatures, _ = encode_entry(BASE_ENTRY, ALICE)
    assert b"3f2a" not in text
    assert b"local" not in text
    moved = build_entry_note("acme", "c001", text, signatures)
    assert (decode_entry(moved).tenant, decode_entry(moved).writer) == ("acme", "c001")
    key_of_the_other = make_vkey(writer_name("acme", "c001"), ALICE.public_key)
    assert code_of(Tampered, verify_note, moved, [key_of_the_other]) == "bad_signature"
    assert BASE_ENTRY.id == "3f2a-1"


@pytest.mark.parametrize("size", [0, 4, 67, 69, 135, 137, 204])
def test_signatures_of_another_length_make_no_note(size: int):
    assert code_of(Tampered, build_entry_note, "local", "3f2a", b"{}", bytes(size)) == "malformed_note"


@pytest.mark.parametrize("name", ["halo/local/log", "halo/local/w/", "halo/local/w/a/b", "halo//w/a", "w"])
def test_an_entry_that_no_writer_signed_is_malformed(name: str):
    note = sign_note(encode_entry(BASE_ENTRY, ALICE).text + b"\n", [(name, ALICE)])
    assert code_of(Tampered, decode_entry, note) == "malformed_entry"


@pytest.mark.parametrize("tenant", ["", "a b", "a+b", "a/b", "ü", "x" * 65, "a\n", "a\u00a0"])
def test_bad_tenants(tenant: str):
    assert code_of(ConfigError, log_origin, tenant) == "bad_tenant"
    assert code_of(ConfigError, writer_name, "local", tenant) == "bad_writer"


@pytest.mark.parametrize(
    "change",
    [
        (b'"ws":1', b'"ws":"1"'),
        (b'"ws":1', b'"ws":true'),
        (b'"ws":1', b'"ws":1.0'),
        (b'"ws":1', b'"ws":01'),
        (b'"ws":1', b'"ws": 1'),
        (b'"v":3', b'"v":1'),
        (b'"v":3', b'"v":2'),
        (b'"kind":"decision"', b'"kind":"nonsense"'),
        (b'"content":["arguments"]', b'"content":{"arguments":1}'),
        (b'"content":["arguments"]', b'"content":["arguments",1]'),
        (b'"attached":"AA=="', b'"attached":0'),
        (b'"attached"', b'"attach"'),
        (b'"session":"s"', b'"session":null'),
        (b'"session":"s"', b'"session":"s","tenant":"local"'),
        (b'"prev":"AAAA",', b""),
        (b'"prev":"AAAA",', b'"prev":"AAAA","prev":"AAAA",'),
        (b'"prev"', b'"z"'),
        (b'{"attached"', b'{"assurance":1,"attached"'),
    ],
)
def test_malformed_entries(change: tuple[bytes, bytes]):
    text = encode_entry(BASE_ENTRY, ALICE).text + b"\n"
    assert change[0] in text
    note = sign_note(text.replace(*change), [(writer_name("local", "3f2a"), ALICE)])
    assert code_of(Tampered, decode_entry, note) == "malformed_entry"


def test_entry_of_two_lines_is_malformed():
    note = sign_note(b"{}\n{}\n", [("w", ALICE)])
    assert code_of(Tampered, decode_entry, note) == "malformed_entry"


def test_entry_too_large():
    entry = LedgerEntry(
        **{**{name: getattr(BASE_ENTRY, name) for name in LedgerEntry.__slots__}, "body": {"x": "y" * MAX_NOTE}}
    )
    assert code_of(BadInput, encode_entry, entry, ALICE) == "entry_too_large"


def test_the_largest_entry_fits_a_note_with_the_longest_names():
    name = "n" * 64
    head = replace(BASE_ENTRY, tenant=name, writer=name, body={"x": ""})
    room = MAX_ENTRY - len(encode_entry(head, ALICE).text)
    text, signatures, _ = encode_entry(replace(head, body={"x": "y" * room}), ALICE, log=BOB)
    assert len(text) == MAX_ENTRY
    assert decode_entry(build_entry_note(name, name, text, signatures)).body == {"x": "y" * room}
    assert code_of(Tampered, build_entry_note, name, name, text + b" ", signatures) == "malformed_note"


# Checkpoints


def test_checkpoint_round_trip_and_form():
    note = sign_checkpoint("local", 17, bytes(range(32)), ALICE)
    assert note.startswith(
        b"halo/local/log\n17\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n\xe2\x80\x94 halo/local/log "
    )
    assert open_checkpoint(note, VKEY, "local") == Checkpoint(17, bytes(range(32)))


def test_checkpoint_with_a_cosignature_opens():
    note = sign_checkpoint("local", 0, bytes(32), ALICE)
    other = sign_note(note.partition(b"\n\n")[0] + b"\n", [("witness.example", BOB)])
    assert open_checkpoint(note + other.partition(b"\n\n")[2], VKEY, "local").size == 0


@pytest.mark.parametrize(
    "text",
    [
        "halo/acme/log\n1\n{r}\n",
        "halo/local/log\n01\n{r}\n",
        "halo/local/log\n-1\n{r}\n",
        "halo/local/log\n1 \n{r}\n",
        "halo/local/log\n\u0661\n{r}\n",
        "halo/local/log\n1\n{r}\nextension\n",
        "halo/local/log\n1\nAAAA\n",
        "halo/local/log\n1\n{r}=\n",
        "halo/local/log\n99999999999999999999\n{r}\n",
        "halo/local/log\n1\n",
        "halo/local/log\n",
    ],
)
def test_bad_checkpoints(text: str):
    note = sign_note(text.format(r=base64.b64encode(bytes(32)).decode()).encode(), [(NAME, ALICE)])
    assert code_of(Tampered, open_checkpoint, note, VKEY, "local") == "bad_checkpoint"


def test_checkpoints_that_nobody_should_sign():
    assert code_of(BadInput, sign_checkpoint, "local", -1, bytes(32), ALICE) == "bad_checkpoint"
    assert code_of(BadInput, sign_checkpoint, "local", 1, bytes(31), ALICE) == "bad_checkpoint"
    assert (
        code_of(Tampered, open_checkpoint, sign_checkpoint("local", 1, bytes(32), BOB), VKEY, "local")
        == "bad_signature"
    )


# Content

DEK, OTHER_KEY, NONCE = pseudo("dek", 32), pseudo("other", 32), pseudo("nonce", 24)
_FIELDS = st.dictionaries(
    st.text(max_size=10, alphabet=st.characters(exclude_categories=["Cs"])), st.binary(max_size=200), max_size=4
)
_SUBJECTS = st.text(max_size=10, alphabet=st.characters(exclude_categories=["Cs"]))


@settings(max_examples=count(50))
@given(_FIELDS, _SUBJECTS)
def test_sealed_content_round_trip(fields: dict[str, bytes], subject: str):
    sealed = seal(DEK, "local", subject, fields, nonce=NONCE)
    assert all(len(data) < 4 or data not in sealed for data in fields.values())
    assert read_subject(sealed) == subject
    assert open_sealed(DEK, "local", sealed) == fields
    assert code_of(Tampered, open_sealed, DEK, "acme", sealed) == "content_altered"
    assert code_of(Tampered, open_sealed, OTHER_KEY, "local", sealed) == "content_altered"
    for other in (
        sealed[:-1],
        b"",
        sealed + b"x",
        seal(DEK, "local", subject + "x", fields, nonce=NONCE)[: len(sealed)],
    ):
        assert code_of(Tampered, open_sealed, DEK, "local", other) == "content_altered"


def test_every_altered_byte_of_sealed_content_fails():
    sealed = seal(DEK, "local", "user:ana", {"arguments": b"secret"}, nonce=NONCE)
    for at in range(len(sealed)):
        for bit in range(8):
            other = sealed[:at] + bytes([sealed[at] ^ (1 << bit)]) + sealed[at + 1 :]
            assert code_of(Tampered, open_sealed, DEK, "local", other) == "content_altered"


@settings(max_examples=count(100))
@given(st.binary(max_size=120))
def test_what_is_no_sealed_content_is_refused(data: bytes):
    for call in (lambda: read_subject(data), lambda: open_sealed(DEK, "local", data)):
        with contextlib.suppress(Tampered):
            call()


def test_the_digest_of_what_is_attached_binds_each_part_to_its_place():
    parts = [(b"a", b"b", b"c"), (b"ab", b"", b"c"), (b"a", b"bc", b""), (b"", b"a", b"bc"), (b"a", b"c", b"b")]
    assert len({compute_attached_digest(*three) for three in parts}) == len(parts)


def test_a_data_key_says_which_it_is_and_no_other_has_its_commitment():
    assert compute_key_commitment(DEK) != compute_key_commitment(OTHER_KEY)
    assert DEK not in compute_key_commitment(DEK)
    assert code_of(BadInput, compute_key_commitment, b"short") == "bad_length"


def test_holder_of_the_data_key_cannot_put_another_field_in_its_place():
    commitment = compute_key_commitment(DEK)
    committed = compute_attached_digest(commitment, seal(DEK, "local", "s", {"a": b"yes"}, nonce=NONCE), b"")
    forged = seal(DEK, "local", "s", {"a": b"no!"}, nonce=NONCE)
    assert open_sealed(DEK, "local", forged) == {"a": b"no!"}
    assert compute_attached_digest(commitment, forged, b"") != committed


def test_wrapped_keys():
    dek = new_dek(lambda size: pseudo("random", size))
    wrapped = wrap_dek(DEK, dek, "local", "s", NONCE)
    assert unwrap_dek(DEK, wrapped, "local", "s") == dek
    for args in (
        (OTHER_KEY, wrapped, "local", "s"),
        (DEK, wrapped, "acme", "s"),
        (DEK, wrapped, "local", "t"),
        (DEK, b"", "local", "s"),
    ):
        assert code_of(Tampered, unwrap_dek, *args) == "bad_wrapped_key"
    assert code_of(BadInput, new_dek, lambda size: b"short") == "bad_length"
    assert code_of(BadInput, wrap_dek, DEK, dek, "local", "s", b"") == "bad_length"
    assert code_of(BadInput, seal, DEK, "local", "s", {}, nonce=b"") == "bad_length"
    assert code_of(BadInput, seal, b"", "local", "s", {}, nonce=NONCE) == "bad_length"
