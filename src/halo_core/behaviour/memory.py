"""Room: a profile in the store, as what is added to it. Takes: a profile. Gives: rows and a head. Never: I/O, a clock.

What a session has seen is added in rows that never change, so that a decision writes little; the head holds the few
numbers that move with every action. Rows and head together are the profile (`Profile.pack` is the whole in one piece).
"""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from typing import Final

from halo_core.behaviour.profile import SUMS, Profile
from halo_core.behaviour.seen import Chunk
from halo_core.behaviour.sketch import MARK, Marks, pack, unpack
from halo_core.errors import BadInput

__all__ = ["add_request", "add_row", "head", "row_of", "take_head"]

_LENGTH: Final = struct.Struct(">I")
_CHUNK: Final = struct.Struct(">BHIBBB")
_HEAD: Final = struct.Struct(f">IIIBB{SUMS}q")
_MADE: Final = 64
_RESULT: Final = 1
_REQUEST: Final = 2
_PRINT: Final = 6  # bytes
_LONGEST: Final = 255  # bytes of a name


def row_of(marks: Marks, chunk: Chunk | None = None, *, request: bool = False) -> bytes:
    """One row: marks of the sketch, and a chunk of the profile."""
    packed = pack(marks)
    parts = [_LENGTH.pack(len(packed)), packed]
    if chunk is not None:
        name = chunk.source.encode("utf-8", "replace")
        kind = _REQUEST if request else _RESULT
        parts += [_CHUNK.pack(kind, len(name), chunk.step, chunk.named, chunk.keen, chunk.cut), name, chunk.atoms]
    return b"".join(parts)


def add_row(profile: Profile, data: bytes) -> Marks:
    """Take a row in; its marks are for the sketch.

    Raises:
        BadInput: these are other bytes.
    """
    try:
        (size,) = _LENGTH.unpack_from(data)
        at = _LENGTH.size + size
        marks = _marks(data[_LENGTH.size : at], size)
        if at < len(data):
            kind, named, *facts = _CHUNK.unpack_from(data, at)
            at += _CHUNK.size
            name = data[at : at + named].decode("utf-8")
            chunk = Chunk(name, facts[0], bool(facts[1]), facts[2], bool(facts[3]), data[at + named :])
            if kind == _REQUEST:
                add_request(profile, chunk)
            else:
                profile.add(chunk)
    except (struct.error, ValueError) as exc:
        raise BadInput("bad_profile", "not a row of a session", field="profile", remedy="run `halo verify`") from exc
    return marks


def _marks(data: bytes, size: int) -> Marks:
    if len(data) != size or size % MARK:
        raise ValueError(size)
    return unpack(data)


def add_request(profile: Profile, chunk: Chunk) -> None:
    """The user said something; it is added to the request."""
    profile.ask(chunk)


def head(profile: Profile) -> str:
    """What moves with every action, as text; at most about 700 characters."""
    names = [name.encode("utf-8", "replace")[:_LONGEST] for name in profile.last]
    made = list(profile.made.items())[-_MADE:]
    parts = [_HEAD.pack(profile.steps, profile.acts, profile.since, len(names), len(made), *profile.sums)]
    parts += [bytes([len(name)]) + name for name in names]
    parts += [print_.to_bytes(_PRINT) + bytes([times]) for print_, times in made]
    return b64encode(b"".join(parts)).decode("ascii")


def take_head(profile: Profile, text: str) -> None:
    """Inverse of `head`; of an empty text, a profile of a session that has done nothing.

    Raises:
        BadInput: this is another text.
    """
    if not text:
        return
    try:
        data = b64decode(text, validate=True)
        profile.steps, profile.acts, profile.since, named, made, *profile.sums = _HEAD.unpack_from(data)
        at, last = _HEAD.size, []
        for _ in range(named):
            end = at + 1 + data[at]
            last.append(data[at + 1 : end].decode("utf-8", "replace"))
            at = end
        profile.last = tuple(last)
        width = _PRINT + 1
        rows = [data[at + i * width : at + (i + 1) * width] for i in range(made)]
        profile.made = {int.from_bytes(row[:_PRINT]): row[_PRINT] for row in rows}
    except (struct.error, ValueError, IndexError) as exc:
        raise BadInput("bad_profile", "not a session's head", field="profile", remedy="run `halo verify`") from exc
