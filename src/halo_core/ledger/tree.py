"""The Merkle tree over a log's entries (RFC 6962 section 2.1): roots, inclusion and consistency proofs.

Leaves are hashes of 32 bytes; an interior node is SHA-256(0x01, left, right). `verify_inclusion` and
`verify_consistency` return a bool for any input. Halo itself only needs roots; the proofs are for witnesses and
auditors who do not have the whole log. For many proofs of one log, `ProofTree` keeps the inner nodes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

from halo_core.errors import Tampered

_sha256 = hashlib.sha256
_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"
_HASH: Final = 32
_SIZE_LIMIT: Final = 2**63
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00, data)."""
    return _sha256(_LEAF + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01, left, right)."""
    return _sha256(_NODE + left + right).digest()


class CompactRange:
    """The frontier of a growing tree: one hash per set bit of its size; `append` costs one hash on average."""

    __slots__ = ("_levels", "size")

    def __init__(self) -> None:
        self.size = 0
        # _levels[i] is the root of a perfect subtree of 2**i leaves, present where bit i of the size is set.
        self._levels: list[bytes | None] = []

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash (32 bytes)."""
        levels = self._levels
        for i, node in enumerate(levels):
            if node is None:
                levels[i] = leaf
                break
            leaf = _sha256(_NODE + node + leaf).digest()
            levels[i] = None
        else:
            levels.append(leaf)
        self.size += 1

    def extend(self, leaves: Sequence[bytes]) -> None:
        """Add many leaf hashes, one level at a time, which is faster."""
        self.size += len(leaves)
        carried = list(leaves)
        level = 0
        while carried:
            if level == len(self._levels):
                self._levels.append(None)
            waiting = self._levels[level]
            if waiting is not None:
                carried.insert(0, waiting)
            self._levels[level] = carried.pop() if len(carried) % 2 else None
            pairs = iter(carried)
            carried = [_sha256(_NODE + left + right).digest() for left, right in zip(pairs, pairs, strict=True)]
            level += 1

    def root(self) -> bytes:
        """Root of the tree so far; SHA-256 of nothing when it is empty."""
        acc: bytes | None = None
        for node in self._levels:
            if node is not None:
                acc = node if acc is None else node_hash(node, acc)
        return EMPTY_ROOT if acc is None else acc

    def to_bytes(self) -> bytes:
        """Size (8 bytes, big endian), then the frontier, largest subtree first."""
        return self.size.to_bytes(8, "big") + b"".join(node for node in reversed(self._levels) if node is not None)

    @classmethod
    def from_bytes(cls, data: bytes) -> CompactRange:
        """Inverse of `to_bytes`.

        Raises:
            Tampered: `bad_frontier`, the bytes are no frontier.
        """
        size = int.from_bytes(data[:8], "big")
        if len(data) != 8 + _HASH * size.bit_count() or len(data) < 8:
            raise Tampered("bad_frontier", "these bytes are not the frontier of a tree")
        result = cls()
        result.size = size
        offset = len(data)
        for level in range(size.bit_length()):
            if size >> level & 1:
                result._levels.append(data[offset - _HASH : offset])
                offset -= _HASH
            else:
                result._levels.append(None)
        return result


def compute_root(leaves: Sequence[bytes]) -> bytes:
    """Merkle tree hash of leaf hashes."""
    tree = CompactRange()
    tree.extend(leaves)
    return tree.root()


def _split_point(size: int) -> int:
    # Largest power of two below size (RFC 6962 section 2.1).
    return 1 << (size - 1).bit_length() - 1


def _list_inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """The subtrees whose roots are the audit path of a leaf (RFC 6962 section 2.1.1).

    Each is named by its first leaf and the one after its last.
    """
    if not 0 <= index < size:
        raise IndexError(index)
    path: list[tuple[int, int]] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split_point(high - low)
        if index < middle:
            path.append((middle, high))
            high = middle
        else:
            path.append((low, middle))
            low = middle
    return path[::-1]


def list_consistency_ranges(size1: int, size2: int) -> list[tuple[int, int]]:
    """The subtrees whose roots prove that one tree is a prefix of another (RFC 6962 section 2.1.2).

    Each is named by its first leaf and the one after its last.

    Raises:
        IndexError: a tree of `size1` leaves is no prefix of one of `size2`.
    """
    if not 0 < size1 <= size2:
        raise IndexError(size1)
    path: list[tuple[int, int]] = []
    low, high, is_whole_tree = 0, size2, True
    while size1 != high:
        middle = low + _split_point(high - low)
        if size1 <= middle:
            path.append((middle, high))
            high = middle
        else:
            path.append((low, middle))
            low, is_whole_tree = middle, False
    if not is_whole_tree:
        path.append((low, high))
    return path[::-1]


class ProofTree:
    """All nodes of a log's tree, for many proofs: 64 bytes a leaf, and a proof costs a hash for each level."""

    __slots__ = ("_levels", "size")

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self.size = 0
        # _levels[k] holds the roots of the perfect subtrees of 2**k leaves, one after another.
        self._levels: list[bytearray] = [bytearray()]
        for leaf in leaves:
            self.append(leaf)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash (32 bytes)."""
        levels, index, node, level = self._levels, self.size, leaf, 0
        levels[0] += leaf
        while index & 1:
            left = levels[level][-2 * _HASH : -_HASH]
            node, index, level = _sha256(_NODE + left + node).digest(), index >> 1, level + 1
            if level == len(levels):
                levels.append(bytearray())
            levels[level] += node
        self.size += 1

    def leaf(self, index: int) -> bytes:
        """The leaf hash at an index; IndexError outside the tree."""
        if not 0 <= index < self.size:
            raise IndexError(index)
        return self._node(0, index)

    def root(self, size: int) -> bytes:
        """Root of the tree of the first `size` leaves; IndexError if there are fewer."""
        if not 0 <= size <= self.size:
            raise IndexError(size)
        return self._hash(0, size) if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Audit path of the leaf at `index` in the tree of `size` leaves; IndexError outside it."""
        if size > self.size:
            raise IndexError(size)
        return [self._hash(low, high) for low, high in _list_inclusion_ranges(index, size)]

    def consistency(self, old: int, size: int) -> list[bytes]:
        """Proof that the tree of `old` leaves is a prefix of that of `size` leaves; IndexError if it is not."""
        if size > self.size:
            raise IndexError(size)
        return [self._hash(low, high) for low, high in list_consistency_ranges(old, size)]

    def subtrees(self, low: int, high: int) -> list[tuple[int, bytes]]:
        """(level, root) of the perfect subtrees that cover the leaves from `low` to `high`, left to right.

        Together with the leaves before and after they give the root of the whole tree, so they can replace the leaves
        from `low` to `high` where those are left out.

        Raises:
            IndexError: the tree has no such leaves.
        """
        if not 0 <= low <= high <= self.size:
            raise IndexError(high)
        nodes: list[tuple[int, bytes]] = []
        while low < high:
            level = (high - low).bit_length() - 1
            if low:
                level = min(level, (low & -low).bit_length() - 1)
            nodes.append((level, self._node(level, low >> level)))
            low += 1 << level
        return nodes

    def _node(self, level: int, number: int) -> bytes:
        return bytes(self._levels[level][number * _HASH : (number + 1) * _HASH])

    def _hash(self, low: int, high: int) -> bytes:
        # In every tree of RFC 6962 the left part of a node is a perfect subtree.
        count = high - low
        if count & (count - 1) == 0:
            level = count.bit_length() - 1
            return self._node(level, low >> level)
        middle = low + _split_point(count)
        return node_hash(self._hash(low, middle), self._hash(middle, high))


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], expected_root: bytes) -> bool:
    """Whether the leaf hash is at `index` of the tree of `size` leaves with that root (RFC 9162 section 2.1.3.2)."""
    if not (_are_sizes(index, size) and index < size and _are_hashes([leaf]) and _are_hashes(proof)):
        return False
    node, last, result = index, size - 1, leaf
    for item in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            result = node_hash(item, result)
            # Skip the levels at which this node has no right sibling.
            shift = (node & -node).bit_length() - 1 if node else 0
            node, last = node >> shift, last >> shift
        else:
            result = node_hash(result, item)
        node, last = node >> 1, last >> 1
    return last == 0 and result == expected_root


def verify_consistency(size1: int, size2: int, proof: Sequence[bytes], root1: bytes, root2: bytes) -> bool:
    """Whether the tree `root1` is the prefix of `size1` leaves of the tree `root2` (RFC 9162 section 2.1.4.2).

    A proof from the empty tree proves nothing and is refused.
    """
    if not (_are_sizes(size1, size2) and 0 < size1 <= size2 and _are_hashes(proof)):
        return False
    if size1 == size2:
        return not proof and root1 == root2
    path = list(proof)
    if size1 & (size1 - 1) == 0:
        path.insert(0, root1)
    if not path or not _are_hashes(path):
        return False
    node, last = size1 - 1, size2 - 1
    shift = (~node & (node + 1)).bit_length() - 1
    node, last = node >> shift, last >> shift
    old = new = path[0]
    for item in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(item, old), node_hash(item, new)
            shift = (node & -node).bit_length() - 1 if node else 0
            node, last = node >> shift, last >> shift
        else:
            new = node_hash(new, item)
        node, last = node >> 1, last >> 1
    return last == 0 and old == root1 and new == root2


def _are_sizes(*values: object) -> bool:
    return all(type(value) is int and 0 <= value < _SIZE_LIMIT for value in values)


def _are_hashes(values: object) -> bool:
    return isinstance(values, list | tuple) and all(type(item) is bytes and len(item) == _HASH for item in values)
