"""Proofs about a tenant's log for people who do not have it: audit paths of entries, and COSE receipts (RFC 9942).

    tree = read_tree(reader, tenant, size)
    path = tree.inclusion(index, size)
    receipt = make_inclusion_receipt(signer, tenant, tree, index, size)

A receipt is a COSE_Sign1 (RFC 9052) of the log's key over the root of the tree, with the proof beside it. Whoever has
an entry, its receipt and the log's public key needs nothing else to see that the log holds the entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from halo_core.errors import CannotDecide, ConfigError, Gap, Tampered
from halo_core.ledger import Vkey, build_entry_note, leaf_hash, log_origin, make_vkey
from halo_core.ledger.checkpoints import Checkpoint, open_checkpoint
from halo_core.ledger.tree import ProofTree

if TYPE_CHECKING:
    from halo_core.crypto.keys import Signer
    from halo_core.store.reader import Reader

_NOTES: Final = "SELECT idx, w, body, signatures FROM entry WHERE tenant=? AND idx>=? AND idx<? ORDER BY idx"
_CHECKPOINTS: Final = "SELECT size, note FROM checkpoint WHERE tenant=? AND size>=? ORDER BY size"


class SignedHead(NamedTuple):
    """A checkpoint whose signature holds: its size and root, and its signed note."""

    head: Checkpoint
    note: bytes


def read_log_notes(reader: Reader, tenant: str, first: int, end: int) -> Iterator[tuple[int, str, bytes, bytes, bytes]]:
    """(position, writer, text, signatures, note) of the entries at the positions from `first` to `end`.

    Raises:
        Gap: `position_missing`.
        Tampered: `malformed_note`.
    """
    expected = first
    for index, writer, text, signatures in reader.stream(_NOTES, tenant, first, end):
        if index != expected:
            break
        yield index, writer, bytes(text), bytes(signatures), build_entry_note(tenant, writer, text, signatures)
        expected += 1
    if expected != end:
        message = f"position {expected} of the log is missing"
        raise Gap("position_missing", message, remedy="run `halo verify`")


def read_checkpoints(reader: Reader, tenant: str, log: Vkey, smallest: int) -> Iterator[SignedHead]:
    """The checkpoints from this size on, by size.

    Raises:
        Tampered: one is not signed by the log's key, or its row says another size.
    """
    for size, note in reader.stream(_CHECKPOINTS, tenant, smallest):
        head = open_checkpoint(bytes(note), log, tenant)
        if head.size != size:
            raise Tampered("column_altered", f"the checkpoint of size {size} is signed for size {head.size}")
        yield SignedHead(head, bytes(note))


def find_newest_checkpoint(reader: Reader, tenant: str, log: Vkey) -> SignedHead:
    """The newest checkpoint.

    Raises:
        CannotDecide: `no_checkpoint`, there is none yet.
        Tampered: as `read_checkpoints`.
    """
    newest = reader.newest_checkpoint(tenant)
    checkpoint = None if newest is None else next(read_checkpoints(reader, tenant, log, newest[0]), None)
    if checkpoint is None or not checkpoint.head.size:
        message = f"no checkpoint of `{tenant}` covers any entry yet"
        raise CannotDecide("no_checkpoint", message, remedy="run the application once, and let it close its store")
    return checkpoint


def read_tree(reader: Reader, tenant: str, size: int) -> ProofTree:
    """The tree over the first entries of a log; one pass, 64 bytes of memory for each.

    Raises:
        Gap, Tampered: as `read_log_notes`.
    """
    return ProofTree(leaf_hash(item[4]) for item in read_log_notes(reader, tenant, 0, size))


def require_root(tree: ProofTree, head: Checkpoint) -> None:
    """Refuse a log whose entries do not lead to the root that its checkpoint signs.

    Raises:
        Tampered: `root_mismatch`.
    """
    if tree.root(head.size) != head.root:
        message = f"the {head.size} first entries do not have the root that their checkpoint signs"
        raise Tampered("root_mismatch", message, remedy="run `halo verify`")


def require_covered(indexes: Iterable[int], size: int) -> None:
    """Refuse positions that a tree of this size does not have.

    Raises:
        ConfigError: `not_covered`.
    """
    for index in indexes:
        if not 0 <= index < size:
            message = f"the newest checkpoint covers {size} entries, not position {index}"
            raise ConfigError("not_covered", message, field="id", remedy="wait for the next checkpoint")


# RFC 9052, RFC 9942 and their registries: labels and values of COSE headers.
_ALG, _KID, _CWT_CLAIMS, _VDS, _VDP = 1, 4, 15, 395, 396
_EDDSA, _RFC9162_SHA256 = -8, 1
_INCLUSION, _CONSISTENCY = -1, -2
_ISSUER, _SUBJECT = 1, 2
_SIGN1_TAG = 18


def make_inclusion_receipt(signer: Signer, tenant: str, tree: ProofTree, index: int, size: int) -> bytes:
    """A receipt for an entry (RFC 9942, section 5.2): its payload, the root, is detached.

    Args:
        signer: the log's key.
        tenant: owner of the log.
        tree: a tree of at least `size` leaves, whose root was compared with a checkpoint.
        index: position of the entry.
        size: size of the tree that the receipt is about.

    Returns:
        CBOR. The statement that it is about is the entry's signed note.
    """
    proof = [size, index, tree.inclusion(index, size)]
    return _sign_receipt(signer, tenant, (_INCLUSION, proof), tree.root(size), f"entry/{index}")


def make_consistency_receipt(signer: Signer, tenant: str, tree: ProofTree, old: int, size: int) -> bytes:
    """A receipt for a checkpoint (RFC 9942, section 5.3): the tree of `size` continues that of `old` entries.

    Arguments as of `make_inclusion_receipt`; the detached payload is the root of the larger tree.
    """
    proof = [old, size, tree.consistency(old, size)]
    return _sign_receipt(signer, tenant, (_CONSISTENCY, proof), tree.root(size), f"checkpoint/{size}")


def _sign_receipt(signer: Signer, tenant: str, proof: tuple[int, Sequence[Any]], root: bytes, subject: str) -> bytes:
    origin = log_origin(tenant)
    # RFC 9943, section 6: a receipt names its issuer, and what it is about.
    claims = {_ISSUER: origin, _SUBJECT: f"{origin}/{subject}"}
    key_id = make_vkey(origin, signer.public_key).hash
    protected = encode_cbor({_ALG: _EDDSA, _KID: key_id, _CWT_CLAIMS: claims, _VDS: _RFC9162_SHA256})
    signature = signer.sign(encode_cbor(["Signature1", protected, b"", root]))
    message = [protected, {_VDP: {proof[0]: [encode_cbor(proof[1])]}}, None, signature]
    return _encode_head(6, _SIGN1_TAG) + encode_cbor(message)


def encode_cbor(value: Any) -> bytes:
    """Deterministic CBOR (RFC 8949, section 4.2.1) of integers, bytes, texts, sequences, mappings and None.

    Raises:
        TypeError: of anything else.
    """
    if value is None:
        return b"\xf6"
    if type(value) is int:
        return _encode_head(0, value) if value >= 0 else _encode_head(1, -1 - value)
    if isinstance(value, bytes):
        return _encode_head(2, len(value)) + value
    if isinstance(value, str):
        return _encode_head(3, len(value.encode())) + value.encode()
    if isinstance(value, Mapping):
        pairs = sorted((encode_cbor(key), encode_cbor(item)) for key, item in value.items())
        return _encode_head(5, len(pairs)) + b"".join(key + item for key, item in pairs)
    if isinstance(value, list | tuple):
        return _encode_head(4, len(value)) + b"".join(map(encode_cbor, value))
    raise TypeError(f"a value of type `{type(value).__name__}` has no place in a receipt")


def _encode_head(major: int, number: int) -> bytes:
    for code, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 24 and code == 24:
            return bytes((major << 5 | number,))
        if number < 1 << 8 * size:
            return bytes((major << 5 | code,)) + number.to_bytes(size, "big")
    raise TypeError("an integer of more than 64 bits has no place in a receipt")
