"""Whole numbers as few bytes, and back: what profiles are stored as.

A number is zigzag-coded and written in groups of seven bits, the lowest first (LEB128). Numbers are clamped to 63 bits
and a sign, so that no input makes a row grow.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

from halo_core.errors import BadInput

MAX_NUMBER: Final = 2**62
_DIGEST_BYTES: Final = 8
_MAX_BYTES_OF_NUMBER: Final = 10


def profile_error(problem: str) -> BadInput:
    """The error for bytes that are no profile."""
    return BadInput("bad_profile", f"not a behaviour profile: {problem}", field="profile", remedy="run `halo verify`")


def clamp(number: int) -> int:
    """The number within what can be stored."""
    return max(min(number, MAX_NUMBER), -MAX_NUMBER)


def pack_numbers(form: bytes, numbers: Iterable[int]) -> bytes:
    """Bytes of a list of numbers: the form, a digest of the rest, the numbers."""
    out = bytearray()
    for number in numbers:
        rest = number << 1 if number >= 0 else (-number << 1) - 1
        while rest > 127:
            out.append(rest & 127 | 128)
            rest >>= 7
        out.append(rest)
    return form + _digest(form, bytes(out)) + bytes(out)


def _digest(form: bytes, data: bytes) -> bytes:
    return blake2b(data, digest_size=_DIGEST_BYTES, person=form[:16]).digest()


class NumberReader:
    """Reads what `pack_numbers` wrote; every method raises BadInput (`bad_profile`) on other bytes."""

    def __init__(self, form: bytes, data: bytes, *, max_bytes: int) -> None:
        start = len(form) + _DIGEST_BYTES
        if type(data) is not bytes or len(data) > max_bytes or data[: len(form)] != form:
            raise profile_error("another form or size")
        self._data = data[start:]
        if data[len(form) : start] != _digest(form, self._data):
            raise profile_error("its bytes were changed")
        self._offset = 0

    def take(self, low: int = -MAX_NUMBER, high: int = MAX_NUMBER) -> int:
        """The next number, which must lie within bounds."""
        value = shift = 0
        for byte in self._data[self._offset : self._offset + _MAX_BYTES_OF_NUMBER]:
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        else:
            raise profile_error("it ends within a number")
        self._offset += shift // 7
        number = value >> 1 if value & 1 == 0 else -((value + 1) >> 1)
        if not low <= number <= high:
            raise profile_error("a number out of bounds")
        return number

    def take_many(self, count: int, low: int = -MAX_NUMBER, high: int = MAX_NUMBER) -> tuple[int, ...]:
        """The next `count` numbers."""
        return tuple(self.take(low, high) for _ in range(count))

    @property
    def is_at_end(self) -> bool:
        """Whether nothing is left."""
        return self._offset == len(self._data)

    def finish(self) -> None:
        """Check that nothing is left."""
        if self._offset != len(self._data):
            raise profile_error("it goes on after its end")
