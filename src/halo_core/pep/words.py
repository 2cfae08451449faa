"""Room: texts of results, for digests and provenance. Takes: results of any shape. Gives: all that they say.

Every leaf and every key, joined by line ends: an encoding such as JSON would hide words behind its escapes. Never:
decides, keeps anything, raises for odd values.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from numbers import Number
from pathlib import PurePath
from typing import Any, Final

from halo_core.pep.objects import fields_of, is_link

__all__ = ["Words"]

# What `str` says of them is all that they hold.
_LEAVES: Final = (
    str,
    bytes,
    bytearray,
    type(None),
    Number,
    dt.date,
    dt.time,
    dt.timedelta,
    uuid.UUID,
    PurePath,
    *(ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Network, ipaddress.IPv6Network),
)


class Words:
    """Reads results.

    Args:
        parts: what an object of the framework's own says, None of any other object.
    """

    __slots__ = ("_parts",)

    def __init__(self, parts: Callable[[Any], Sequence[Any] | None] = lambda _value: None) -> None:
        self._parts = parts

    def text(self, value: Any) -> str:
        """All that a value says."""
        return self.joined(self.leaves, value)

    def joined(self, parts: Callable[[Any], Iterator[str]], value: Any) -> str:
        """What `parts` finds in a value, on lines; where it fails, what the value says of itself."""
        try:
            return "\n".join(parts(value))
        except Exception:  # noqa: BLE001  too deep, or an object that misbehaves
            return str(value)

    def readable(self, value: Any) -> bool:
        """Whether `text` has all that a value says: nothing in it is an object that keeps its words to itself."""
        try:
            return self._read(value)
        except Exception:  # noqa: BLE001  too deep, or an object that misbehaves
            return False

    def _read(self, value: Any) -> bool:
        if isinstance(value, _LEAVES) or is_link(value):
            return True
        if isinstance(value, Mapping):
            return all(self._read(key) and self._read(item) for key, item in value.items())
        if isinstance(value, list | tuple | set | frozenset):
            return all(map(self._read, value))
        inner = self._inside(value)
        return inner is not None and self._read(inner)

    def leaves(self, value: Any) -> Iterator[str]:
        """Each leaf and each key of a value as text, in order."""
        if isinstance(value, str | bytes | bytearray):
            yield value if isinstance(value, str) else value.decode("utf-8", "replace")
        elif isinstance(value, Mapping):
            for key, item in value.items():
                yield from self.leaves(key)
                yield from self.leaves(item)
        elif isinstance(value, list | tuple | set | frozenset):
            for item in sorted(value, key=repr) if isinstance(value, set | frozenset) else value:
                yield from self.leaves(item)
        elif (inner := self._inside(value)) is not None:
            yield from self.leaves(inner)
        else:
            yield _word(value)

    def _inside(self, value: Any) -> Any:
        """What an object holds, None of one that is a leaf."""
        found = self._parts(value)
        if found is not None:
            return [item for item in found if item is not None]
        if (fields := fields_of(value)) is not None:
            return fields
        return [value.value] if isinstance(value, Enum) else None


def _word(value: Any) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001  it can be shown in another way
        return repr(value)
