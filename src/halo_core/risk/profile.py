"""What a session keeps in order to compute risk: its request, its results and its actions, as fingerprints.

`observe_result` reads a result, outside the path of decisions; `record_action` records that an action was decided.
Memory is bounded: the oldest results are forgotten first. In the store, a profile is a row for each text,
which never changes (`pack_row`, `apply_row`), and a head of the few numbers that change with every action (`pack_head`,
`apply_head`), so that a decision writes little.
"""

from __future__ import annotations

import struct
from array import array
from base64 import b64decode, b64encode
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from typing import Any, Final

from halo_core.errors import BadInput, require
from halo_core.model import ActionKind, Impact
from halo_core.quick_dataclass import dataclass
from halo_core.values.language.lexicon import SENSITIVE_WORDS
from halo_core.values.language.text import (
    ATOM_BYTES,
    MAX_ATOMS,
    count_atoms,
    decode_base64,
    extract_atoms,
    find_atoms,
    fingerprint_atoms,
)
from halo_core.values.sketches.sketch import MARK_BYTES, Marks, pack_marks, unpack_marks

_SECRET_WORDS: Final = frozenset(SENSITIVE_WORDS)


@dataclass(frozen=True)
class Chunk:
    """One text, as fingerprints of its atoms.

    Args:
        source: name of the tool it came from (`shorten_tool_name`), empty for the request.
        step: number of the action whose result it is.
        named_by_request: that action's naming values all stood in the request.
        secret_word_count: how many words for secrets and the like it holds, at most 255.
        truncated: it was longer than what is kept.
        atoms: the fingerprints.
    """

    source: str
    step: int
    named_by_request: bool
    secret_word_count: int
    truncated: bool
    atoms: bytes = field(repr=False)

    @cached_property
    def numbers(self) -> array[int]:
        """The fingerprints as numbers."""
        row = array("I")
        row.frombytes(self.atoms)
        return row

    @cached_property
    def bag(self) -> frozenset[int]:
        """The different fingerprints."""
        return frozenset(self.numbers)

    @cached_property
    def positions(self) -> dict[int, list[int]]:
        """Where each fingerprint stands."""
        positions: defaultdict[int, list[int]] = defaultdict(list)
        for index, number in enumerate(self.numbers):
            positions[number].append(index)
        return positions

    def find(self, needle: bytes) -> int:
        """Where atoms stand one after another, -1 if nowhere."""
        return find_atoms(needle, self.atoms)

    @property
    def size(self) -> int:
        """Number of atoms."""
        return count_atoms(self.atoms)


def shorten_tool_name(name: str) -> str:
    """A tool's name as it is stored: its first 48 characters, without lone surrogates."""
    return name[:48].encode("utf-8", "replace").decode("utf-8")


def make_chunk(text: str, key: bytes, *, source: str = "", step: int = 0, named_by_request: bool = False) -> Chunk:
    """Make a chunk of a text; texts encoded in it as base64 are appended."""
    words = extract_atoms(text, MAX_ATOMS)
    for decoded_text in decode_base64(text):
        words += extract_atoms(decoded_text, MAX_ATOMS - len(words)) if len(words) < MAX_ATOMS else []
    secret_word_count = min(sum(word in _SECRET_WORDS for word in words), 255)
    return Chunk(
        shorten_tool_name(source),
        step,
        named_by_request,
        secret_word_count,
        len(words) >= MAX_ATOMS,
        fingerprint_atoms(words, key),
    )


assert array("I").itemsize == ATOM_BYTES  # noqa: S101  of every platform that Python supports


MAX_PROFILE_ATOMS: Final = 24_576
"""Atoms of all results together (four bytes each)."""
MAX_CHUNKS: Final = 64
MAX_ACTION_FINGERPRINTS: Final = 256
SUM_COUNT: Final = 8
"""Numbers summed over the session; see `compute_features`."""
_MAX_COUNTER: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class ProposedAction:
    """An action to be decided.

    Args:
        tool: its name.
        kind: which of the four surfaces.
        impact: class of the resource.
        args: real arguments.
        description: the tool's description, which may say in words what the name does not.
    """

    tool: str
    kind: ActionKind
    impact: Impact
    args: Mapping[str, Any]
    description: str = ""


@dataclass
class Profile:
    """What is remembered of one session.

    Args:
        key: for fingerprints; a store keeps one for each tenant.
        request: what the user asked for, all of it that was said.
        chunks: results, oldest first.
        steps: actions decided.
        acts: those of them that are more than reading.
        acts_since_result: acts since the last result.
        last_tools: names of the last three tools.
        action_counts: fingerprints of actions made (tool and arguments), with how often.
        sums: sums that `compute_features` adds to.
        request_summary: cache of `observe_action`, until the request grows.
    """

    key: bytes
    request: Chunk = field(default_factory=lambda: Chunk("", 0, False, 0, False, b""))
    chunks: list[Chunk] = field(default_factory=list)
    steps: int = 0
    acts: int = 0
    acts_since_result: int = 0
    last_tools: tuple[str, ...] = ()
    action_counts: dict[int, int] = field(default_factory=dict)
    sums: list[int] = field(default_factory=lambda: [0] * SUM_COUNT)
    request_summary: object = field(default=None, compare=False, repr=False)

    def add_request_text(self, text: str) -> None:
        """Add what the user said to the request."""
        self.add_request_chunk(make_chunk(text, self.key))

    def add_request_chunk(self, new: Chunk) -> None:
        """Like `add_request_text`, of a chunk."""
        self.request_summary = None
        secret_word_count = min(self.request.secret_word_count + new.secret_word_count, 255)
        atoms = (self.request.atoms + new.atoms)[-ATOM_BYTES * MAX_ATOMS :]
        self.request = Chunk("", 0, False, secret_word_count, new.truncated, atoms)

    def observe_result(self, tool: str, text: str, *, named_by_request: bool = False) -> None:
        """Read a result. Off the decision path: about 0.4 ms for each KB.

        Args:
            tool: whose result.
            text: all of it; what is behind the first `text.MAX_READ` characters is not looked at.
            named_by_request: see `ActionObservation.named_by_request`.
        """
        self.add_result(make_chunk(text, self.key, source=tool, step=self.steps, named_by_request=named_by_request))

    def add_result(self, chunk: Chunk) -> None:
        """Like `observe_result`, of a chunk."""
        if not chunk.atoms:
            return
        self.chunks.append(chunk)
        self.acts_since_result = 0
        atom_count = self.atom_count
        while len(self.chunks) > MAX_CHUNKS or atom_count > MAX_PROFILE_ATOMS:
            atom_count -= self.chunks.pop(0).size

    @property
    def atom_count(self) -> int:
        """Atoms of all results."""
        return sum([len(chunk.atoms) for chunk in self.chunks]) // ATOM_BYTES

    def record_action(self, tool: str, fingerprint: int, *, acts: bool, sums: list[int]) -> None:
        """Record a decided action: its fingerprint, and the session's sums after it (`ActionFeatures.sums`)."""
        self.steps = min(self.steps + 1, _MAX_COUNTER)
        self.last_tools = (shorten_tool_name(tool), *self.last_tools[:2])
        self.acts += acts
        self.acts_since_result += acts
        if fingerprint in self.action_counts or len(self.action_counts) < MAX_ACTION_FINGERPRINTS:
            self.action_counts[fingerprint] = min(self.action_counts.get(fingerprint, 0) + 1, 255)
        self.sums = [max(min(number, _MAX_COUNTER), -_MAX_COUNTER) for number in sums]


_LENGTH_PREFIX: Final = struct.Struct(">I")
_ROW_CHUNK_HEADER: Final = struct.Struct(">BHIBBB")
_HEAD_HEADER: Final = struct.Struct(f">IIIBB{SUM_COUNT}q")
_MAX_HEAD_ACTIONS: Final = 64
_RESULT_ROW: Final = 1
_REQUEST_ROW: Final = 2
_FINGERPRINT_BYTES: Final = 6  # bytes
_MAX_NAME_BYTES: Final = 255  # bytes of a name


def pack_row(marks: Marks, chunk: Chunk | None = None, *, request: bool = False) -> bytes:
    """One row: marks of the sketch, and a chunk of the profile."""
    packed = pack_marks(marks)
    parts = [_LENGTH_PREFIX.pack(len(packed)), packed]
    if chunk is not None:
        name = chunk.source.encode("utf-8", "replace")
        kind = _REQUEST_ROW if request else _RESULT_ROW
        facts = chunk.step, chunk.named_by_request, chunk.secret_word_count, chunk.truncated
        parts += [_ROW_CHUNK_HEADER.pack(kind, len(name), *facts), name, chunk.atoms]
    return b"".join(parts)


def apply_row(profile: Profile, data: bytes) -> Marks:
    """Add a row to the profile; returns its marks, for the sketch.

    Raises:
        BadInput: these are other bytes.
    """
    try:
        (size,) = _LENGTH_PREFIX.unpack_from(data)
        offset = _LENGTH_PREFIX.size + size
        packed = data[_LENGTH_PREFIX.size : offset]
        require(len(packed) == size and size % MARK_BYTES == 0, "marks of another size")
        marks = unpack_marks(packed)
        if offset < len(data):
            kind, name_size, *facts = _ROW_CHUNK_HEADER.unpack_from(data, offset)
            offset += _ROW_CHUNK_HEADER.size
            name = data[offset : offset + name_size].decode("utf-8")
            chunk = Chunk(name, facts[0], bool(facts[1]), facts[2], bool(facts[3]), data[offset + name_size :])
            add = profile.add_request_chunk if kind == _REQUEST_ROW else profile.add_result
            add(chunk)
    except (struct.error, ValueError) as exc:
        problem = "the row of the session is invalid"
        raise BadInput("bad_profile", problem, field="profile", remedy="run `halo verify`") from exc
    return marks


def pack_head(profile: Profile) -> str:
    """The numbers that change with every action, as text of at most about 700 characters."""
    names = [name.encode("utf-8", "replace")[:_MAX_NAME_BYTES] for name in profile.last_tools]
    recent_actions = list(profile.action_counts.items())[-_MAX_HEAD_ACTIONS:]
    counts = profile.steps, profile.acts, profile.acts_since_result, len(names), len(recent_actions)
    parts = [_HEAD_HEADER.pack(*counts, *profile.sums)]
    parts += [bytes([len(name)]) + name for name in names]
    parts += [fingerprint.to_bytes(_FINGERPRINT_BYTES) + bytes([times]) for fingerprint, times in recent_actions]
    return b64encode(b"".join(parts)).decode("ascii")


def apply_head(profile: Profile, text: str) -> None:
    """Inverse of `pack_head`; of an empty text, a profile of a session that has done nothing.

    Raises:
        BadInput: this is another text.
    """
    if not text:
        return
    try:
        data = b64decode(text, validate=True)
        profile.steps, profile.acts, profile.acts_since_result, tool_count, action_count, *profile.sums = (
            _HEAD_HEADER.unpack_from(data)
        )
        offset, last = _HEAD_HEADER.size, []
        for _ in range(tool_count):
            end = offset + 1 + data[offset]
            last.append(data[offset + 1 : end].decode("utf-8", "replace"))
            offset = end
        profile.last_tools = tuple(last)
        width = _FINGERPRINT_BYTES + 1
        rows = [data[offset + i * width : offset + (i + 1) * width] for i in range(action_count)]
        profile.action_counts = {int.from_bytes(row[:_FINGERPRINT_BYTES]): row[_FINGERPRINT_BYTES] for row in rows}
    except (struct.error, ValueError, IndexError) as exc:
        problem = "the head of the session is invalid"
        raise BadInput("bad_profile", problem, field="profile", remedy="run `halo verify`") from exc
