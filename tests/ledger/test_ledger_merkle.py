"""Merkle trees: roots and proofs against published vectors and properties."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counts import count
from halo_core.errors import Tampered
from halo_core.ledger.tree import (
    EMPTY_ROOT,
    CompactRange,
    ProofTree,
    compute_root,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)

DATA = Path(os.environ.get("HALO_DATA", Path(__file__).parents[2] / "../shared/data")) / "vectors/rfc6962_merkle"
needs_vectors = pytest.mark.skipif(not DATA.is_dir(), reason="no RFC 6962 vectors; set HALO_DATA to the data directory")


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(str(i).encode()) for i in range(count)]


def slow_root(items: list[bytes]) -> bytes:
    """Straight from the recursive definition of RFC 6962 section 2.1."""
    if not items:
        return EMPTY_ROOT
    if len(items) == 1:
        return items[0]
    k = 1
    while k * 2 < len(items):
        k *= 2
    return node_hash(slow_root(items[:k]), slow_root(items[k:]))


def vectors(kind: str) -> list[tuple[str, dict]]:
    found = []
    for path in sorted((DATA / kind).rglob("*.json")):
        case = json.loads(path.read_bytes())
        for name in ("root", "root1", "root2", "leafHash"):
            if name in case:
                case[name] = base64.b64decode(case[name] or "")
        case["proof"] = [base64.b64decode(item) for item in case["proof"] or []]
        found.append((str(path.relative_to(DATA)), case))
    return found


def aligned(start: int, end: int) -> bool:
    """Whether [start, end) is a subtree: start is a multiple of the smallest power of two that holds it."""
    return start < end and start % (1 << (end - start - 1).bit_length()) == 0


@needs_vectors
def test_inclusion_vectors():
    cases = vectors("inclusion")
    assert len(cases) > 80
    for name, case in cases:
        got = verify_inclusion(case["leafIdx"], case["treeSize"], case["leafHash"], case["proof"], case["root"])
        assert got is not case["wantErr"], name


@needs_vectors
def test_consistency_vectors():
    cases = vectors("consistency")
    assert len(cases) > 80
    for name, case in cases:
        got = verify_consistency(case["size1"], case["size2"], case["proof"], case["root1"], case["root2"])
        assert got is not case["wantErr"], name


@needs_vectors
def test_subtree_inclusion_vectors_as_inclusion_in_an_aligned_range():
    cases = vectors("subtreeinclusion")
    assert len(cases) > 150
    for name, case in cases:
        start, end = case["start"], case["end"]
        got = aligned(start, end) and verify_inclusion(
            case["leafIdx"] - start, end - start, case["leafHash"], case["proof"], case["root"]
        )
        assert got is not case["wantErr"], name


@needs_vectors
def test_subtree_consistency_vectors_of_prefixes():
    cases = vectors("subtreeconsistency")
    assert len(cases) > 80
    skipped = []
    for name, case in cases:
        if case["start"] == 0 and case["end"] > 0:
            got = verify_consistency(case["end"], case["size"], case["proof"], case["root1"], case["root2"])
            assert got is not case["wantErr"], name
        else:
            skipped.append((case["start"] == case["end"], aligned(case["start"], case["end"])))
    # Halo has no proofs for empty ranges; every other vector that is no prefix is no subtree either.
    assert all(empty or not subtree for empty, subtree in skipped)
    assert len(skipped) < 30


@settings(max_examples=count(60))
@given(st.integers(0, 300))
def test_root_is_the_recursive_definition(count: int):
    assert compute_root(leaves(count)) == slow_root(leaves(count))


@settings(max_examples=count(60))
@given(st.lists(st.integers(0, 70), max_size=6), st.data())
def test_extend_equals_append_in_any_portions(portions: list[int], data: st.DataObject):
    items = leaves(sum(portions))
    one, many = CompactRange(), CompactRange()
    for item in items:
        one.append(item)
    at = 0
    for portion in portions:
        many.extend(items[at : at + portion])
        at += portion
    assert (one.size, one.root(), one.to_bytes()) == (many.size, many.root(), many.to_bytes())
    assert many.root() == slow_root(items)
    back = CompactRange.from_bytes(many.to_bytes())
    extra = data.draw(st.integers(0, 20))
    more = leaves(len(items) + extra)[len(items) :]
    back.extend(more)
    assert back.root() == slow_root(items + more)


@pytest.mark.parametrize("data", [b"", bytes(7), bytes(8) + b"x", (3).to_bytes(8, "big") + bytes(63), b"\xff" * 8])
def test_malformed_frontier_is_refused(data: bytes):
    with pytest.raises(Tampered) as caught:
        CompactRange.from_bytes(data)
    assert caught.value.code == "bad_frontier"


@settings(max_examples=count(100))
@given(st.integers(1, 130), st.data())
def test_inclusion_proofs_verify_and_nothing_else_does(size: int, data: st.DataObject):
    items = leaves(size)
    index = data.draw(st.integers(0, size - 1))
    proof, top = ProofTree(items).inclusion(index, size), compute_root(items)
    assert verify_inclusion(index, size, items[index], proof, top)
    assert not verify_inclusion(index, size, leaf_hash(b"other"), proof, top)
    assert not verify_inclusion(index, size, items[index], [*proof, bytes(32)], top)
    assert not verify_inclusion(index, size, items[index], proof, bytes(32))
    other = data.draw(st.integers(0, size + 5))
    if other != index:
        assert not verify_inclusion(other, size, items[index], proof, top)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        proof[at] = bytes([proof[at][0] ^ 1]) + proof[at][1:]
        assert not verify_inclusion(index, size, items[index], proof, top)


@pytest.mark.parametrize("leaf", [b"", b"short", bytes(33), "x" * 32, None])
def test_what_is_no_hash_is_in_no_tree(leaf):
    assert verify_inclusion(0, 1, bytes(32), [], bytes(32))
    assert not verify_inclusion(0, 1, leaf, [], leaf)


@settings(max_examples=count(100))
@given(st.integers(1, 130), st.data())
def test_consistency_proofs_verify_and_nothing_else_does(size: int, data: st.DataObject):
    items = leaves(size)
    first = data.draw(st.integers(1, size))
    proof = ProofTree(items).consistency(first, size)
    old, new = compute_root(items[:first]), compute_root(items)
    assert verify_consistency(first, size, proof, old, new)
    assert not verify_consistency(first, size, [*proof, bytes(32)], old, new)
    assert not verify_consistency(first, size, proof, bytes(32), new)
    assert not verify_consistency(first, size, proof, old, bytes(32))
    forked = compute_root([leaf_hash(b"fork"), *items[1:first]])
    assert not verify_consistency(first, size, proof, forked, new)


@pytest.mark.parametrize(("first", "size"), [(0, 0), (0, 1), (0, 5), (0, 8), (2, 1), (4, 3), (8, 5)])
def test_a_proof_from_the_empty_tree_or_to_a_smaller_one_proves_nothing(first: int, size: int):
    items = leaves(8)
    old, new = compute_root(items[:first]), compute_root(items[:size])
    for proof in ([], [old], [new], [old, new], [new, old], items[:3]):
        assert not verify_consistency(first, size, proof, old, new)


def test_proofs_outside_the_tree_are_refused():
    tree = ProofTree(leaves(3))
    for prove, at in ((tree.inclusion, -1), (tree.inclusion, 3), (tree.consistency, 0), (tree.consistency, 4)):
        with pytest.raises(IndexError):
            prove(at, 3)


JUNK = st.one_of(st.none(), st.integers(-(2**70), 2**70), st.binary(max_size=40), st.text(max_size=5), st.booleans())


@settings(max_examples=count(150))
@given(JUNK, JUNK, JUNK, st.one_of(JUNK, st.lists(JUNK, max_size=4)), JUNK)
def test_verifiers_are_total(one, two, three, proof, four):
    assert verify_inclusion(one, two, three, proof, four) in {True, False}
    assert verify_consistency(one, two, proof, three, four) in {True, False}
