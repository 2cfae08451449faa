"""Room: what is left of what agents stored. Takes: a transaction. Gives: whether a text is known from there.

Of every session of a tenant. Never: decides, commits.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

from halo_core.behaviour import MAX_KEPT
from halo_core.ledger import chain_marks, commit_state
from halo_core.store.rows import Residues

if TYPE_CHECKING:
    from halo_core.store.tx import Tx

__all__ = ["Stored", "keep", "stored"]

_WIDTH = 7  # bytes of a print


class Stored:
    """Prints read so far, in memory. Bounded."""

    __slots__ = ("_known", "seq")

    def __init__(self) -> None:
        self._known: set[int] = set()
        self.seq = 0

    def __bool__(self) -> bool:
        return bool(self._known)

    @property
    def full(self) -> bool:
        """Whether something was left out for lack of room: then nobody can say what does not come from there."""
        return len(self._known) >= MAX_KEPT

    def holds(self, traces: Iterable[int]) -> bool:
        """Whether a text with these traces brings something back. INVARIANT: FAILCLOSED - any text, once it is full."""
        return self.full or any(trace in self._known for trace in traces)

    def absorb(self, seq: int, chunk: bytes) -> None:
        """Take one chunk in."""
        room = MAX_KEPT - len(self._known)
        prints = (int.from_bytes(chunk[i : i + _WIDTH]) for i in range(0, len(chunk), _WIDTH))
        self._known.update(islice(prints, max(room, 0)))
        self.seq = seq


def stored(tx: Tx, known: Stored) -> Stored:
    """What is stored as of this transaction; `known` is what memory has of it."""
    rows = Residues(tx)
    if rows.newest()[0] != known.seq:
        for seq, chunk in rows.since(known.seq):
            known.absorb(seq, chunk)
    return known


def keep(tx: Tx, known: Stored, prints: frozenset[int]) -> dict[str, Any] | None:
    """Store what is left of a value; what the entry says of it, None where all of it is known."""
    rows = Residues(tx)
    stored(tx, known)
    new = sorted(item for item in prints if not known.holds((item,)))
    if not new:
        return None
    seq, before = rows.newest()
    chunk = b"".join(item.to_bytes(_WIDTH) for item in new)
    chain = chain_marks(before, chunk)
    rows.add(seq + 1, chain, chunk)
    known.absorb(seq + 1, chunk)
    # INVARIANT: AUDIT - no chunk is washed away, neither the last nor one between two.
    return commit_state(seq + 1, chain.encode("ascii"), before=before.encode("ascii"))
