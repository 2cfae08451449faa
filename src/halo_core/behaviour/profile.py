"""Room: the profile of a session, what behaviour remembers of it. Takes: request, results, actions. Gives: looks.

`observe` reads a result, off the decision path; `look` says what there is to say about an action without any baseline;
`acted` notes that it was decided. The memory is bounded: the oldest results are forgotten first, and what was forgotten
is counted. `pack` and `unpack` carry it through the store. Never: I/O, a clock.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from halo_core.behaviour.seen import Chunk, chunk_of, short
from halo_core.behaviour.text import ATOM_BYTES
from halo_core.errors import BadInput
from halo_core.model import ActionKind, Impact

__all__ = ["MAX_CHUNKS", "MAX_KEPT", "Act", "Profile"]

MAX_KEPT: Final = 24_576
"""Atoms of all results together (four bytes each)."""
MAX_CHUNKS: Final = 64
MAX_MADE: Final = 256
SUMS: Final = 8
"""Numbers summed over the session; `features` says which."""
_MAGIC: Final = b"hbp1"
_HEAD: Final = struct.Struct(">4sIIIIIIHHH8q")
_CHUNK: Final = struct.Struct(">HIBBBI")
_TOP: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Act:
    """An action that somebody wants to take, as behaviour sees it.

    Args:
        tool: its name.
        kind: which of the four surfaces.
        impact: class of the resource.
        args: real arguments.
        about: the tool's description, which may say in words what the name does not.
    """

    tool: str
    kind: ActionKind
    impact: Impact
    args: Mapping[str, Any]
    about: str = ""


@dataclass
class Profile:
    """What behaviour remembers of one session.

    Args:
        key: for fingerprints; a store keeps one for each tenant.
        request: what the user asked for, all of it that was said.
        chunks: results, oldest first.
        steps: actions decided.
        acts: those of them that are more than reading.
        since: acts since the last result.
        forgotten: results that no longer are remembered.
        last: names of the last three tools.
        made: fingerprints of actions made (tool and arguments), with how often.
        sums: what `features` sums up.
        said: what `look` has made of the request, until more is asked.
    """

    key: bytes
    request: Chunk = field(default_factory=lambda: Chunk("", 0, False, 0, False, b""))
    chunks: list[Chunk] = field(default_factory=list)
    steps: int = 0
    acts: int = 0
    since: int = 0
    forgotten: int = 0
    last: tuple[str, ...] = ()
    made: dict[int, int] = field(default_factory=dict)
    sums: list[int] = field(default_factory=lambda: [0] * SUMS)
    said: object = field(default=None, compare=False, repr=False)

    def asked(self, text: str) -> None:
        """The user said something; it is added to the request."""
        self.ask(chunk_of(text, self.key))

    def ask(self, new: Chunk) -> None:
        """As `asked`, of a text that was read."""
        self.said = None
        both = self.request.atoms + new.atoms
        self.request = Chunk("", 0, False, min(self.request.keen + new.keen, 255), new.cut, both[-4 * 4096 :])

    def observe(self, tool: str, text: str, *, named: bool = False) -> None:
        """A result came back. Off the decision path: about 0.4 ms for each KB.

        Args:
            tool: whose result.
            text: all of it; what is behind the first `text.MAX_READ` characters is not looked at.
            named: everything that the call named stood in the request (`Look.named`).
        """
        self.add(chunk_of(text, self.key, source=tool, step=self.steps, named=named))

    def add(self, chunk: Chunk) -> None:
        """As `observe`, of a text that was read."""
        if not chunk.atoms:
            return
        self.chunks.append(chunk)
        self.since = 0
        kept = self.kept
        while len(self.chunks) > MAX_CHUNKS or kept > MAX_KEPT:
            kept -= self.chunks.pop(0).size
            self.forgotten += 1

    @property
    def kept(self) -> int:
        """Atoms of all results."""
        return sum([len(chunk.atoms) for chunk in self.chunks]) // ATOM_BYTES

    def acted(self, tool: str, made: int, *, acts: bool, sums: list[int]) -> None:
        """An action was decided: `made` is its fingerprint, `sums` what it adds up to (`features.Scored`)."""
        self.steps = min(self.steps + 1, _TOP)
        self.last = (short(tool), *self.last[:2])
        self.acts += acts
        self.since += acts
        if made in self.made or len(self.made) < MAX_MADE:
            self.made[made] = min(self.made.get(made, 0) + 1, 255)
        self.sums = [max(min(number, _TOP), -_TOP) for number in sums]

    def pack(self) -> bytes:
        """As bytes; at most about 110 KB."""
        parts = [
            _HEAD.pack(
                _MAGIC,
                self.steps,
                self.acts,
                self.since,
                self.forgotten,
                len(self.request.atoms),
                self.request.keen << 1 | self.request.cut,
                len(self.last),
                len(self.made),
                len(self.chunks),
                *self.sums,
            ),
        ]
        for tool in self.last:
            parts += [bytes([len(tool.encode())]), tool.encode()]
        parts.append(self.request.atoms)
        parts += [made.to_bytes(6) + bytes([times]) for made, times in self.made.items()]
        for chunk in self.chunks:
            name = chunk.source.encode("utf-8", "replace")
            size = len(chunk.atoms)
            parts.append(_CHUNK.pack(len(name), chunk.step, chunk.named, chunk.keen, chunk.cut, size))
            parts += [name, chunk.atoms]
        return b"".join(parts)

    @classmethod
    def unpack(cls, data: bytes, key: bytes) -> Profile:
        """Inverse of `pack`.

        Raises:
            BadInput: these are other bytes.
        """
        try:
            return _unpack(data, key)
        except (struct.error, ValueError, IndexError) as exc:
            raise BadInput(
                "bad_profile", "not a packed profile of a session", field="profile", remedy="take it as unknown"
            ) from exc


def _unpack(data: bytes, key: bytes) -> Profile:
    magic, steps, acts, since, forgotten, asked, flags, named, made, chunks, *sums = _HEAD.unpack_from(data)
    if magic != _MAGIC:
        raise ValueError("magic")
    at = _HEAD.size

    def take(size: int) -> bytes:
        nonlocal at
        part = data[at : at + size]
        if len(part) != size:
            raise ValueError("short")
        at += size
        return part

    last = tuple(take(take(1)[0]).decode("utf-8") for _ in range(named))
    request = Chunk("", 0, False, flags >> 1, bool(flags & 1), take(asked))
    done = {int.from_bytes(take(6)): take(1)[0] for _ in range(made)}
    rows = []
    for _ in range(chunks):
        length, step, as_named, keen, cut, size = _CHUNK.unpack(take(_CHUNK.size))
        name = take(length).decode("utf-8")
        rows.append(Chunk(name, step, bool(as_named), keen, bool(cut), take(size)))
    if at != len(data):
        raise ValueError("long")
    return Profile(key, request, rows, steps, acts, since, forgotten, last, done, list(sums))
