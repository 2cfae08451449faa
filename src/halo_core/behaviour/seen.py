"""Room: texts that a session has seen. Takes: a request or a result. Gives: a chunk to search in.

Never: I/O, a clock.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from halo_core.behaviour.lexicon import SENSITIVE
from halo_core.behaviour.text import ATOM_BYTES, MAX_ATOMS, atoms, count, decoded, find, prints

__all__ = ["Chunk", "chunk_of", "short"]

_KEEN: Final = frozenset(SENSITIVE)


@dataclass(frozen=True)
class Chunk:
    """One text, as fingerprints of its atoms.

    Args:
        source: name of the tool it came from (`short`), empty for the request.
        step: number of the action whose result it is.
        named: that action's naming values all stood in the request.
        keen: how many words for secrets and the like it holds, at most 255.
        cut: it was longer than what is kept.
        atoms: the fingerprints.
    """

    source: str
    step: int
    named: bool
    keen: int
    cut: bool
    atoms: bytes = field(repr=False)

    @cached_property
    def row(self) -> array[int]:
        """The fingerprints as numbers."""
        row = array("I")
        row.frombytes(self.atoms)
        return row

    @cached_property
    def bag(self) -> frozenset[int]:
        """The different fingerprints."""
        return frozenset(self.row)

    @cached_property
    def places(self) -> dict[int, list[int]]:
        """Where each fingerprint stands."""
        found: dict[int, list[int]] = {}
        for at, number in enumerate(self.row):
            if number in found:
                found[number].append(at)
            else:
                found[number] = [at]
        return found

    def find(self, needle: bytes) -> int:
        """Where atoms stand one after another, -1 if nowhere."""
        return find(needle, self.atoms)

    @property
    def size(self) -> int:
        """Number of atoms."""
        return count(self.atoms)


def short(name: str) -> str:
    """A tool's name as it is remembered: its first 48 characters, as UTF-8 can say them."""
    return name[:48].encode("utf-8", "replace").decode("utf-8")


def chunk_of(text: str, key: bytes, *, source: str = "", step: int = 0, named: bool = False) -> Chunk:
    """A text as a chunk. What base64 in it says is read too, behind the text itself."""
    words = atoms(text, MAX_ATOMS)
    for plain in decoded(text):
        words += atoms(plain, MAX_ATOMS - len(words)) if len(words) < MAX_ATOMS else []
    keen = min(sum(word in _KEEN for word in words), 255)
    return Chunk(short(source), step, named, keen, len(words) >= MAX_ATOMS, prints(words, key))


assert array("I").itemsize == ATOM_BYTES  # noqa: S101  of every platform that Python supports
