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
_MAX_BITS: Final = 70  # of a number, in groups of seven


def profile_error(problem: str) -> BadInput:
    """The error for bytes that are no profile."""
    return BadInput("bad_profile", f"not a behaviour profile: {problem}", field="profile", remedy="run `halo verify`")


def clamp(number: int) -> int:
    """The number within what can be stored."""
    return max(min(number, MAX_NUMBER), -MAX_NUMBER)


def pack_numbers(form: bytes, numbers: Iterable[int | bytes]) -> bytes:
    """Bytes of a list of numbers: the form, a digest of the rest, the numbers.

    Args:
        form: names what the numbers are.
        numbers: in order; bytes stand for numbers that were encoded before.
    """
    data = encode_numbers(numbers)
    return form + _digest(form, data) + data


def encode_numbers(numbers: Iterable[int | bytes]) -> bytes:
    """The numbers of a part, as `pack_numbers` takes them."""
    # A profile has thousands, nearly all small: they are joined without a step of ours for each.
    return b"".join(map(_ENCODED.__getitem__, numbers))


_MAX_REMEMBERED: Final = 16_384


class _Encoded(dict[int | bytes, bytes]):
    """Number → its bytes, remembered; bytes stand for themselves.

    A profile is stored with each session, and most of its large numbers are what it has shown before, as fingerprints.
    """

    def __missing__(self, number: int | bytes) -> bytes:
        if isinstance(number, bytes):
            return number
        out = bytearray()
        remaining = number << 1 if number >= 0 else (-number << 1) - 1
        while remaining > 127:
            out.append(remaining & 127 | 128)
            remaining >>= 7
        out.append(remaining)
        encoded = bytes(out)
        if len(self) >= _MAX_REMEMBERED:
            self.clear()
        self[number] = encoded
        return encoded


_ENCODED: Final = _Encoded()


def _digest(form: bytes, data: bytes) -> bytes:
    return blake2b(data, digest_size=_DIGEST_BYTES, person=form[:16]).digest()


class NumberReader:
    """Reads what `pack_numbers` wrote; every method raises BadInput (`bad_profile`) on other bytes."""

    def __init__(self, form: bytes, data: bytes, *, max_bytes: int) -> None:
        start = len(form) + _DIGEST_BYTES
        if type(data) is not bytes or len(data) > max_bytes or data[: len(form)] != form:
            raise profile_error("another form or size")
        if data[len(form) : start] != _digest(form, data[start:]):
            raise profile_error("its bytes were changed")
        self._numbers = _decode_numbers(data[start:])
        self._next = 0

    def take(self, low: int = -MAX_NUMBER, high: int = MAX_NUMBER) -> int:
        """The next number, which must lie within bounds."""
        if self._next >= len(self._numbers):
            raise profile_error("it ends too early")
        number = self._numbers[self._next]
        if not low <= number <= high:
            raise profile_error("a number out of bounds")
        self._next += 1
        return number

    def take_many(self, count: int, low: int = -MAX_NUMBER, high: int = MAX_NUMBER) -> tuple[int, ...]:
        """The next `count` numbers."""
        numbers = tuple(self._numbers[self._next : self._next + count])
        if len(numbers) < count:
            raise profile_error("it ends too early")
        if numbers and not low <= min(numbers) <= max(numbers) <= high:
            raise profile_error("a number out of bounds")
        self._next += count
        return numbers

    @property
    def is_at_end(self) -> bool:
        """Whether nothing is left."""
        return self._next == len(self._numbers)

    def finish(self) -> None:
        """Check that nothing is left."""
        if not self.is_at_end:
            raise profile_error("it goes on after its end")


def _decode_numbers(data: bytes) -> list[int]:
    numbers = []
    value = shift = 0
    for byte in data:
        value |= (byte & 127) << shift
        if byte < 128:
            numbers.append(value >> 1 if value & 1 == 0 else -((value + 1) >> 1))
            value = shift = 0
            continue
        shift += 7
        if shift >= _MAX_BITS:
            break
    if shift:
        raise profile_error("it ends within a number")
    return numbers
