from __future__ import annotations

import base64
import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_world import BASE_ENTRY, build, key, log_key, pseudo

from counts import count
from halo_core.errors import BadInput, ConfigError, Tampered
from halo_core.ledger.checkpoints import Checkpoint, check_proof, make_proof, open_checkpoint, sign_checkpoint
from halo_core.ledger.notes import (
    MAX_NOTE,
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
from halo_core.ledger.sealed_content import new_dek, open_sealed, seal, unwrap_dek, wrap_dek
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
        lambda: check_proof(data.decode("latin-1"), VKEY, "local"),
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
    note, leaf = encode_entry(BASE_ENTRY, ALICE, log=BOB)
    assert decode_entry(note) == BASE_ENTRY
    assert leaf == leaf_hash(note)
    assert note.count(b"\n") == 4
    keys = [make_vkey(writer_name("local", "3f2a"), ALICE.public_key), make_vkey(log_origin("local"), BOB.public_key)]
    assert verify_note(note, keys) == note.partition(b"\n\n")[0] + b"\n"


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
        (b'"v":1', b'"v":2'),
        (b'"kind":"decision"', b'"kind":"nonsense"'),
        (b'"content":{', b'"content":{"f":1,'),
        (b'"assurance":"dev",', b""),
        (b'"assurance":"dev",', b'"assurance":"dev","assurance":"dev",'),
        (b'"assurance"', b'"z"'),
    ],
)
def test_malformed_entries(change: tuple[bytes, bytes]):
    text = encode_entry(BASE_ENTRY, ALICE)[0].partition(b"\n\n")[0] + b"\n"
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

DEK, SALT, NONCE = pseudo("dek", 32), pseudo("salt", 32), pseudo("nonce", 24)


@settings(max_examples=count(50))
@given(st.binary(max_size=200), st.text(max_size=10, alphabet=st.characters(exclude_categories=["Cs"])))
def test_sealed_content_round_trip(field: bytes, subject: str):
    sealed = seal(DEK, "local", subject, field, salt=SALT, nonce=NONCE)
    assert len(field) < 4 or field not in sealed.ciphertext
    parts = {"commitment": sealed.commitment, "nonce": sealed.nonce, "ciphertext": sealed.ciphertext}
    assert open_sealed(DEK, "local", subject, **parts) == field
    for tenant, whose in (("acme", subject), ("local", subject + "x"), ("local" + subject, "")):
        if (tenant, whose) != ("local", subject):
            assert code_of(Tampered, open_sealed, DEK, tenant, whose, **parts) == "content_altered"
    for name, value in parts.items():
        for other in (value[:-1], b"", value[:-1] + bytes([value[-1] ^ 1])):
            assert code_of(Tampered, open_sealed, DEK, "local", subject, **{**parts, name: other}) == "content_altered"
    assert code_of(Tampered, open_sealed, NONCE + bytes(8), "local", subject, **parts) == "content_altered"


def test_holder_of_the_data_key_cannot_put_another_field_in_its_place(monkeypatch: pytest.MonkeyPatch):
    sealed = seal(DEK, "local", "s", b"yes", salt=SALT, nonce=NONCE)
    monkeypatch.setattr("halo_core.ledger.sealed_content.compute_commitment", lambda salt, field: sealed.commitment)
    forged = seal(DEK, "local", "s", b"no!", salt=SALT, nonce=NONCE)
    parts = {"commitment": forged.commitment, "nonce": forged.nonce, "ciphertext": forged.ciphertext}
    assert code_of(Tampered, open_sealed, DEK, "local", "s", **parts) == "content_altered"


def test_wrapped_keys():
    dek = new_dek(lambda size: pseudo("random", size))
    wrapped = wrap_dek(DEK, dek, "local", "s", NONCE)
    assert unwrap_dek(DEK, wrapped, "local", "s") == dek
    for args in (
        (SALT, wrapped, "local", "s"),
        (DEK, wrapped, "acme", "s"),
        (DEK, wrapped, "local", "t"),
        (DEK, b"", "local", "s"),
    ):
        assert code_of(Tampered, unwrap_dek, *args) == "bad_wrapped_key"
    assert code_of(BadInput, new_dek, lambda size: b"short") == "bad_length"
    assert code_of(BadInput, wrap_dek, DEK, dek, "local", "s", b"") == "bad_length"
    assert code_of(BadInput, seal, DEK, "local", "s", b"", salt=b"", nonce=NONCE) == "bad_length"


# Proofs


def proof_of(tenant: str, index: int) -> tuple[str, bytes]:
    world = build()
    rows = {(r["w"], r["ws"]): r for r in world.tables["entry"] if r["tenant"] == tenant}
    order = sorted((r for r in world.tables["position"] if r["tenant"] == tenant), key=lambda r: r["idx"])
    held = [rows[r["w"], r["ws"]] for r in order]
    note = held[index]["body"]
    return make_proof(tenant, [r["leaf"] for r in held], index, note, world.anchors[tenant]), note


LOG = make_vkey(NAME, log_key("local").public_key)


@pytest.mark.parametrize("index", [0, 5, 23])
def test_proof_round_trip(index: int):
    text, note = proof_of("local", index)
    assert text.startswith("c2sp.org/tlog-proof@v1\nextra ")
    proven = check_proof(text, LOG, "local")
    assert (proven.entry, proven.index, proven.head.size) == (decode_entry(note), index, 24)


def test_proof_of_an_uncovered_entry_is_refused():
    assert code_of(BadInput, proof_of, "local", 24) == "not_covered"


def test_proof_with_foreign_parts_is_refused():
    world = build()
    leaves = [row["leaf"] for row in world.tables["entry"]]
    note = world.tables["entry"][0]["body"]
    assert code_of(BadInput, make_proof, "local", leaves, 0, note, world.anchors["local"]) == "not_covered"


def test_altered_proofs_fail():
    text, _ = proof_of("local", 5)
    lines = text.split("\n")
    broken = [
        text.replace("index 5", "index 4"),
        text.replace("index 5", "index 05"),
        text.replace("@v1", "@v2"),
        text.replace("extra ", "extra  "),
        "\n".join(lines[:3] + lines[4:]),
        "\n".join([*lines[:3], lines[4], lines[3], *lines[5:]]),
        "\n".join([*lines[:3], "!" + lines[3][1:], *lines[4:]]),
        text.replace("\n24\n", "\n25\n"),
        text + "\n",
        text.partition("\n\n")[0],
        "",
    ]
    for item in broken:
        assert item != text
        with pytest.raises(Tampered):
            check_proof(item, LOG, "local")
    with pytest.raises(Tampered):
        check_proof(text, VKEY, "local")
    with pytest.raises(Tampered):
        check_proof(text, LOG, "acme")


def test_entry_of_another_tenant_proves_nothing():
    world = build()
    note = world.find("entry", tenant="acme", w="c001", ws=3)["body"]
    checkpoint = sign_checkpoint("local", 1, leaf_hash(note), log_key("local"))
    text = make_proof("local", [leaf_hash(note)], 0, note, checkpoint)
    assert code_of(Tampered, check_proof, text, LOG, "local") == "bad_proof"
