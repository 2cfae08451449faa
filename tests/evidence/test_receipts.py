"""Foreign verifiers on receipts, on the statement of a pack and on the tree: green on ours, red on spoiled ones."""

from __future__ import annotations

import base64
import json
import shutil

import pytest
from pack_world import SEALS, load_base, load_key, read_lines, read_members, vkey_of

from halo_core.crypto.keys import Ed25519Signer, KeyStore
from halo_core.evidence.proofs import encode_cbor, make_consistency_receipt, make_inclusion_receipt
from halo_core.facade import HaloBase
from halo_core.ledger.tree import (
    ProofTree,
    compute_root,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from halo_world import SURFACE, Calls, cli, policy_folder, tool, verified

cbor2 = pytest.importorskip("cbor2")
scitt_cose = pytest.importorskip("scitt_cose")
LEAVES = [leaf_hash(str(number).encode()) for number in range(70)]
SIZES = (1, 2, 3, 7, 8, 9, 31, 32, 33, 69, 70)


def pem_of(public):
    spki = base64.encodebytes(bytes.fromhex("302a300506032b6570032100") + public).decode()
    return f"-----BEGIN PUBLIC KEY-----\n{spki}-----END PUBLIC KEY-----\n"


@pytest.fixture(scope="module")
def notes():
    """The signed notes of a whole log, from a pack of it."""
    notes = []
    for line in read_lines(read_members(load_base("approvals")), "entries"):
        text = json.dumps(line["entry"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        names = (f"halo/local/w/{line['w']}", "halo/local/log")
        rows = "".join(f"\u2014 {name} {row}\n" for name, row in zip(names, line["signatures"], strict=False))
        notes.append(f"{text}\n\n{rows}".encode())
    return notes


@pytest.fixture(scope="module")
def tree(notes):
    return ProofTree(map(leaf_hash, notes))


@pytest.mark.parametrize("size", SIZES)
def test_the_proofs_of_a_proof_tree_verify(size):
    tree = ProofTree(LEAVES)
    assert tree.root(size) == compute_root(LEAVES[:size])
    for index in range(size):
        assert verify_inclusion(index, size, LEAVES[index], tree.inclusion(index, size), tree.root(size))
        assert verify_consistency(
            index + 1, size, tree.consistency(index + 1, size), tree.root(index + 1), tree.root(size)
        )


def test_a_proof_tree_has_no_more_than_its_leaves():
    tree = ProofTree(LEAVES[:5])
    for outside in (
        lambda: tree.leaf(5),
        lambda: tree.root(6),
        lambda: tree.inclusion(5, 5),
        lambda: tree.consistency(0, 5),
        lambda: tree.subtrees(2, 6),
    ):
        with pytest.raises(IndexError):
            outside()
    assert tree.root(0) == compute_root([])
    assert tree.leaf(4) == LEAVES[4]


def test_pymerkle_has_the_same_tree(notes, tree):
    pymerkle = pytest.importorskip("pymerkle")
    theirs = pymerkle.InmemoryTree(algorithm="sha256")
    for note in notes:
        theirs.append_entry(note)
    for size in (1, 2, 3, 50, 64, len(notes)):
        assert theirs.get_root(size) == tree.root(size)
    proof = theirs.prove_inclusion(31, len(notes))  # they count from 1
    pymerkle.verify_inclusion(tree.leaf(30), tree.root(len(notes)), proof)
    with pytest.raises(pymerkle.InvalidProof):
        pymerkle.verify_inclusion(tree.leaf(31), tree.root(len(notes)), proof)


def test_scitt_cose_accepts_a_receipt_for_each_entry_and_no_other(notes, tree):
    log = load_key("approvals")
    for index, note in enumerate(notes):
        receipt = make_inclusion_receipt(log, "local", tree, index, len(notes))
        result = scitt_cose.verify_receipt(
            receipt, leaf_entry_hex=note.hex(), log_public_key_pem=pem_of(log.public_key)
        )
        assert (result.ok, result.root) == (True, tree.root(len(notes)).hex()), result.errors
        assert (result.tree_size, result.leaf_index) == (len(notes), index)
        assert (result.issuer, result.subject) == ("halo/local/log", f"halo/local/log/entry/{index}")
        other = notes[(index + 1) % len(notes)]
        assert not scitt_cose.verify_receipt(
            receipt, leaf_entry_hex=other.hex(), log_public_key_pem=pem_of(log.public_key)
        ).ok


def test_scitt_cose_refuses_every_flipped_bit_of_a_receipt(notes, tree):
    log = load_key("approvals")
    receipt = make_inclusion_receipt(log, "local", tree, 40, len(notes))
    pem = pem_of(log.public_key)
    assert len(receipt) < 500
    for at in range(len(receipt)):
        changed = bytearray(receipt)
        changed[at] ^= 1 << at % 8
        assert not scitt_cose.verify_receipt(bytes(changed), leaf_entry_hex=notes[40].hex(), log_public_key_pem=pem).ok
    other = Ed25519Signer(bytes(range(32)))
    assert not scitt_cose.verify_receipt(
        receipt, leaf_entry_hex=notes[40].hex(), log_public_key_pem=pem_of(other.public_key)
    ).ok


def test_a_receipt_for_a_checkpoint_shows_that_the_log_continues(notes, tree):
    """scitt-cose has no function for consistency receipts; their parts are verified by its functions."""
    log = load_key("approvals")
    receipt = make_consistency_receipt(log, "local", tree, 37, len(notes))
    protected, unprotected, payload, _ = cbor2.loads(receipt).value
    assert payload is None
    headers = cbor2.loads(protected)
    assert (headers[1], headers[395]) == (-8, 1)
    (proof,) = unprotected[396][-2]
    old, size, path = cbor2.loads(proof)
    assert (old, size) == (37, len(notes))
    roots = tree.root(37).hex(), tree.root(size).hex()
    assert scitt_cose.verify_consistency(*roots, old, size, [item.hex() for item in path])
    assert not scitt_cose.verify_consistency(roots[1], roots[0], old, size, [item.hex() for item in path])
    pem = pem_of(log.public_key)
    scitt_cose.verify_sign1(receipt, public_key_pem=pem, detached_payload=tree.root(size))
    with pytest.raises(scitt_cose.CoseError):
        scitt_cose.verify_sign1(receipt, public_key_pem=pem, detached_payload=tree.root(37))


@pytest.mark.parametrize(
    "value",
    [0, 23, 24, 255, 256, 65_536, 2**32, 2**63, -1, -24, -25, -65_537, "", "ä", b"", b"x" * 300, None, [], [1, [2]]],
)
def test_cbor_is_what_cbor2_writes(value):
    assert encode_cbor(value) == cbor2.dumps(value, canonical=True)


def test_cbor_sorts_mappings_and_refuses_the_rest():
    tree = {396: {-1: [b"x"]}, 1: -8, 15: {2: "b", 1: "a"}, 4: b"k"}
    assert cbor2.loads(encode_cbor(tree)) == tree
    assert encode_cbor(tree) == encode_cbor(dict(reversed(tree.items())))
    for value in (1.5, True, object(), 2**64):
        with pytest.raises(TypeError):
            encode_cbor(value)


def test_in_toto_and_securesystemslib_accept_the_statement_of_a_pack():
    statement = pytest.importorskip("in_toto_attestation.v1.statement")
    dsse = pytest.importorskip("securesystemslib.dsse")
    signer = pytest.importorskip("securesystemslib.signer")
    errors = pytest.importorskip("securesystemslib.exceptions")
    json_format = pytest.importorskip("google.protobuf.json_format")
    members = read_members(load_base("approvals"))
    tree = json.loads(members[SEALS[1]])
    log = load_key("approvals")
    key_id = "+".join(vkey_of(log).split("+")[:2])
    key = signer.SSlibKey(key_id, "ed25519", "ed25519", {"public": log.public_key.hex()})
    envelope = dsse.Envelope.from_dict(json.loads(json.dumps(tree)))
    assert list(envelope.verify([key], 1)) == [key_id]
    payload = json.loads(envelope.payload)
    ours = statement.Statement([], "", {})
    json_format.ParseDict({name: value for name, value in payload.items() if name != "_type"}, ours.pb)
    ours.pb.type = payload["_type"]
    ours.validate()
    del ours.pb.subject[0].digest["sha256"]
    with pytest.raises(ValueError, match="digest"):
        ours.validate()
    tree["payload"] = base64.b64encode(envelope.payload.replace(b'"v":1', b'"v":2')).decode()
    with pytest.raises(errors.VerificationError):
        dsse.Envelope.from_dict(tree).verify([key], 1)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    place = tmp_path_factory.mktemp("receipts") / "home"
    with HaloBase.local("clerk", home=place, mode="enforce", policy=policy_folder(place), quiet=True) as halo:
        look = tool(halo, "lookup")
        with halo.session("one", user="ana"):
            for number in range(5):
                halo.enforcer.run(halo.build_call(look, {"q": str(number)}), Calls(), SURFACE)
    return place


@pytest.fixture
def copy(home, tmp_path):
    shutil.copytree(home, tmp_path / "home")
    return tmp_path / "home"


def test_halo_writes_receipts_that_scitt_cose_accepts(copy, tmp_path):
    log = KeyStore(copy).signer("log")
    out, entry = tmp_path / "r.cbor", tmp_path / "entry.note"
    code, _, err = cli("pack", "receipt", "6", "--output", str(out), "--entry", str(entry), home=copy)
    assert code == 0, err
    result = scitt_cose.verify_receipt(
        out.read_bytes(), leaf_entry_hex=entry.read_bytes().hex(), log_public_key_pem=pem_of(log.public_key)
    )
    assert (result.ok, result.leaf_index) == (True, 6)
    code, text, err = cli("pack", "receipt", "--from-size", "4", "--output", str(out), "--json", home=copy)
    assert code == 0, err
    root = bytes.fromhex(json.loads(text)["root"])
    scitt_cose.verify_sign1(out.read_bytes(), public_key_pem=pem_of(log.public_key), detached_payload=root)
    assert verified(copy) == 0


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ((), 64, "usage"),
        (("3", "--from-size", "2"), 64, "usage"),
        (("nothing-9",), 64, "no_such_entry"),
        (("--from-size", "100000"), 64, "not_covered"),
    ],
)
def test_what_has_no_receipt_is_said(copy, tmp_path, words, code, message):
    got, _, err = cli("pack", "receipt", *words, "--output", str(tmp_path / "r.cbor"), home=copy)
    assert (got, message in err) == (code, True)
    assert not (tmp_path / "r.cbor").exists()
