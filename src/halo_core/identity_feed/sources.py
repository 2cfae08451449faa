"""Sources of lines: a file that grows and is rotated, or a pipe.

    source = FileSource(path)
    source.resume(place)
    lines = source.read(50)         numbered lines, complete ones only
    source.place                    how far that is, to be stored with their events

A file is identified by its first bytes, so that one that was renamed by a rotation is read to its end before the new
one. A line is not read before its end is there.
"""

from __future__ import annotations

import os
import select
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import IO, Any, Final, Protocol

from halo_core.errors import ConfigError, make_read_error
from halo_core.identities.event_file import MAX_LINE
from halo_core.quick_dataclass import dataclass

_HEAD_BYTES: Final = 1024
_CHUNK: Final = 262_144
_MAX_ROTATED: Final = 100
_MAX_RECENT: Final = 256

MakeDigest = Callable[[bytes], str]

Line = tuple[int, bytes]
"""Number of a line in its source, from 1, and its bytes without the end."""


@dataclass(frozen=True, slots=True)
class SourcePlace:
    """How far a source has been read.

    Args:
        offset: bytes of the file that were read; of a pipe always 0.
        line: number of the last line that was read.
        head: digest of the first bytes of the file.
        head_bytes: how many bytes `head` covers.
        inode: number of the file, a hint.
        recent: digests of a pipe's last lines, which recognise repeated ones.
    """

    offset: int = 0
    line: int = 0
    head: str = ""
    head_bytes: int = 0
    inode: int = 0
    recent: tuple[str, ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree."""
        tree: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__ if name != "recent"}
        return {**tree, "recent": list(self.recent)}

    @classmethod
    def from_plain(cls, tree: Mapping[str, Any]) -> SourcePlace:
        """Inverse of `to_plain`; an empty tree is the place of a source that was never read."""
        return cls(**{**tree, "recent": tuple(tree.get("recent", ()))})


class LineSource(Protocol):
    """A source of lines for `halo identity follow`: a file or a pipe.

    Attributes:
        place: up to where it was read.
        notes: what people should know of how it was resumed.
    """

    place: SourcePlace
    notes: list[str]

    def resume(self, place: SourcePlace | None, *, from_start: bool) -> None:
        """Go on after a place; None for a source that was never read."""
        ...

    def read(self, most: int) -> list[Line]:
        """Complete lines available now, at most `most`."""
        ...

    def wait(self, timeout_s: float) -> None:
        """Wait until more may be there."""
        ...

    def close(self) -> None:
        """Close what is open."""
        ...

    @property
    def is_ended(self) -> bool:
        """Whether nothing more can come."""
        ...


@dataclass(slots=True)
class FileSource:
    """A growing file. Rotation by renaming and by truncation is followed.

    Args:
        path: path of the file.
        make_digest: keyed digest, since first lines have names in them.
        takes_unfinished: a last line without its end is read where it is a whole object.
    """

    path: Path
    make_digest: MakeDigest
    takes_unfinished: bool = False
    place: SourcePlace = field(default_factory=SourcePlace)
    notes: list[str] = field(default_factory=list)
    is_ended: bool = False
    _file: IO[bytes] | None = None
    _rest: bytes = b""
    _dropped: int = 0
    _queued: deque[Path] = field(default_factory=deque)

    def resume(self, place: SourcePlace | None, *, from_start: bool) -> None:
        """Go on after a place.

        Args:
            place: how far the source was read; None if it never was.
            from_start: a file that was never read is read from its first line, and not from its end.

        Raises:
            ConfigError: `no_file`.
        """
        if place is None:
            self._open(self.path, SourcePlace())
            if not from_start:
                self._skip_to_end()
            return
        if self._has_head(self.path, place):
            self._open(self.path, place)
            return
        rotated = self._find_rotated(place)
        if rotated is None:
            self.notes.append("the file was replaced, and what it had is not there any more: lines may be missing")
            self._open(self.path, SourcePlace())
            return
        self._queued.append(self.path)
        self._open(rotated, place)

    def _find_rotated(self, place: SourcePlace) -> Path | None:
        """The file read before, under the name that a rotation gave it."""
        siblings = sorted(self.path.parent.glob(f"{_escape(self.path.name)}*"))[:_MAX_ROTATED]
        return next((item for item in siblings if item != self.path and self._has_head(item, place)), None)

    def _open(self, path: Path, place: SourcePlace) -> None:
        self.close()
        try:
            file = path.open("rb")
        except OSError as exc:
            raise make_read_error(path, exc, field="file") from exc
        file.seek(place.offset)
        self._file, self._rest, self._dropped, self.place = file, b"", 0, place

    def _skip_to_end(self) -> None:
        """Move past the last complete line."""
        lines = self._count_lines()
        self.place = self._place_at(*lines)
        if self._file is not None:
            self._file.seek(self.place.offset)

    def _count_lines(self) -> tuple[int, int]:
        """(offset behind the last complete line, number of lines) of the file that is open."""
        offset = end = number = 0
        while self._file is not None and (chunk := self._file.read(_CHUNK)):
            number += chunk.count(b"\n")
            last = chunk.rfind(b"\n")
            end = offset + last + 1 if last >= 0 else end
            offset += len(chunk)
        return end, number

    def _place_at(self, offset: int, line: int) -> SourcePlace:
        if self._file is None:
            return SourcePlace(offset, line)
        number = os.fstat(self._file.fileno()).st_ino
        known = self.place
        if known.head_bytes >= _HEAD_BYTES and known.inode == number:
            return SourcePlace(offset, line, known.head, known.head_bytes, number)
        size = min(offset, _HEAD_BYTES)
        return SourcePlace(offset, line, self.make_digest(os.pread(self._file.fileno(), size, 0)), size, number)

    def read(self, most: int) -> list[Line]:
        """Complete lines that are there now, at most `most`; then `place` is behind them."""
        if self._file is not None and not self._has_same_head():
            self._open(self.path, SourcePlace())  # truncated and written again
        lines: list[Line] = []
        while len(lines) < most:
            line = self._next_line()
            if line is not None:
                lines.append(line)
            elif lines or not self._move_on():
                break
        if lines:
            self.place = self._place_at(self.place.offset, self.place.line)
        return lines

    def _has_same_head(self) -> bool:
        place, file = self.place, self._file
        if file is None or not place.head_bytes:
            return True
        return self.make_digest(os.pread(file.fileno(), place.head_bytes, 0)) == place.head

    def _next_line(self) -> Line | None:
        """The next complete line; `place` moves behind it, without the digest of the file's head."""
        while (end := self._rest.find(b"\n")) < 0:
            if len(self._rest) > _CHUNK:  # nobody's event: what is too long to be read is not kept either
                self._dropped += len(self._rest) - MAX_LINE - 1
                self._rest = self._rest[: MAX_LINE + 1]
            chunk = self._file.read(_CHUNK) if self._file is not None else b""
            if not chunk:
                whole = self._take_unfinished()
                return None if whole is None else self._number(whole, len(whole))
            self._rest += chunk
        line, self._rest = self._rest[:end], self._rest[end + 1 :]
        return self._number(line, end + 1)

    def _number(self, line: bytes, size: int) -> Line:
        place = self.place
        self.place = replace(place, offset=place.offset + size + self._dropped, line=place.line + 1)
        self._dropped = 0
        return self.place.line, line[: MAX_LINE + 1].rstrip(b"\r")

    def _take_unfinished(self) -> bytes | None:
        """The last line, if it is complete except for its end."""
        is_whole = self.takes_unfinished and self._rest.rstrip().endswith(b"}")
        if not self._rest or not (is_whole or self._queued or self._is_replaced()):
            return None
        line, self._rest = self._rest, b""
        return line

    def _move_on(self) -> bool:
        """Open the next file if this one was rotated or truncated; False if there is none."""
        if self._queued:
            self._open(self._queued.popleft(), SourcePlace())
            return True
        if not self._is_replaced():
            return False
        try:
            self._open(self.path, SourcePlace())
        except ConfigError:
            return False  # between two names; it will be there
        return True

    def _is_replaced(self) -> bool:
        """Whether the path is now another, non-empty file, or the file became shorter.

        As long as the new file is empty its writer may still write to the old one.
        """
        if self._file is None:
            return True
        try:
            there, here = self.path.stat(), os.fstat(self._file.fileno())
        except OSError:
            return False
        is_other = (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino) and there.st_size > 0
        return is_other or here.st_size < self.place.offset

    def _has_head(self, path: Path, place: SourcePlace) -> bool:
        """Whether a file begins like the one read before and is at least as long as what was read."""
        try:
            with path.open("rb") as file:
                is_long_enough = os.fstat(file.fileno()).st_size >= place.offset
                return is_long_enough and self.make_digest(file.read(place.head_bytes)) == place.head
        except OSError:
            return False

    def wait(self, timeout_s: float) -> None:
        """Wait a moment; a file gives no signal when it grows."""
        select.select([], [], [], timeout_s)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


@dataclass(slots=True)
class PipeSource:
    """Lines from a pipe, such as standard input. It cannot be read twice.

    A sender that begins again repeats its last lines: those that were taken already, in the same order, are left out.

    Args:
        stream: a binary stream with a file descriptor.
        make_digest: keyed digest of a line.
    """

    stream: IO[bytes]
    make_digest: MakeDigest
    place: SourcePlace = field(default_factory=SourcePlace)
    notes: list[str] = field(default_factory=list)
    is_ended: bool = False
    repeated: int = 0
    _rest: bytes = b""
    _expected: deque[str] = field(default_factory=deque)

    def resume(self, place: SourcePlace | None, *, from_start: bool) -> None:  # noqa: ARG002  a pipe has one start
        """Go on after a place: its last lines may come once more."""
        if place is not None:
            self.place = place
            self._expected = deque(place.recent)

    def read(self, most: int) -> list[Line]:
        """Complete lines that are there now, at most `most`."""
        while b"\n" not in self._rest and not self.is_ended and self._has_data(0.0):
            chunk = os.read(self.stream.fileno(), _CHUNK)
            self.is_ended = not chunk
            self._rest = (self._rest if len(self._rest) <= _CHUNK else self._rest[: MAX_LINE + 1]) + chunk
        lines: list[Line] = []
        number, recent = self.place.line, deque(self.place.recent, maxlen=_MAX_RECENT)
        for line in self._split(most):
            digest = self.make_digest(line)
            if self._is_repeated(digest):
                self.repeated += 1
                continue
            number += 1
            recent.append(digest)
            lines.append((number, line))
        self.place = SourcePlace(line=number, recent=tuple(recent))
        return lines

    def _split(self, most: int) -> Iterator[bytes]:
        for _ in range(most):
            line, end, remaining = self._rest.partition(b"\n")
            if not end and not (self.is_ended and line):
                return
            self._rest = remaining
            yield line[: MAX_LINE + 1].rstrip(b"\r")

    def _is_repeated(self, digest: str) -> bool:
        """Whether a line is the next of those taken before, while the pipe repeats them."""
        if not self._expected:
            return False
        if self._is_first() and digest in self._expected:
            while self._expected[0] != digest:
                self._expected.popleft()
        if self._expected[0] == digest:
            self._expected.popleft()
            return True
        self._expected.clear()
        return False

    def _is_first(self) -> bool:
        return not self.repeated

    def _has_data(self, timeout_s: float) -> bool:
        return bool(select.select([self.stream], [], [], timeout_s)[0])

    def wait(self, timeout_s: float) -> None:
        """Wait until there is more, at most so long."""
        if not self.is_ended and b"\n" not in self._rest:
            self._has_data(timeout_s)

    def close(self) -> None:
        """Nothing to close: the stream is the caller's."""


def _escape(name: str) -> str:
    """A file name as a pattern of `glob` that matches nothing else."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in name)
