"""`Order`: an act that the user ordered, as the host lists it for a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from decimal import Decimal
from math import isfinite
from types import MappingProxyType
from typing import Any, Final

from halo_core.errors import BadInput
from halo_core.quick_dataclass import dataclass

MAX_ORDERS: Final = 64
"""Most orders of one block of a session."""
_MAX_NAME: Final = 256  # characters of a name
_MAX_VALUES: Final = 256  # of one order
_MAX_CHARS: Final = 16_384  # of the texts of one order
_MAX_DEPTH: Final = 8
_MAX_BITS: Final = 256  # of a whole number


@dataclass(frozen=True, slots=True)
class Order:
    """A call by which an agent carries out what the user ordered.

    The constructor checks nothing: `halo.session(orders=...)` does, and copies what it is given.

    Args:
        tool: id of the tool.
        args: the arguments whose values follow from the user's words alone. What he left open is left out, such as the
            text of a message.
    """

    tool: str
    args: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def make(cls, tool: object, args: object = MappingProxyType({})) -> Order:
        """Make an order of values that nobody has checked; it shares no container with them.

        Args:
            tool: id of the tool, at most 256 characters.
            args: arguments by name: plain values, decimals, mappings and lists, nested 8 deep at most, with at most 256
                values and 16,384 characters.

        Raises:
            BadInput: they are something else (`order_malformed`).
        """
        if not isinstance(tool, str) or not 0 < len(tool) <= _MAX_NAME or not _is_writable(tool):
            raise _make_error(f"an order needs the id of a tool, at most {_MAX_NAME} characters")
        if not isinstance(args, Mapping):
            raise _make_error(f"the arguments of an order of `{tool}` must be a mapping")
        return cls(tool, MappingProxyType(_Copy(tool).copy_members(args, 1)))


class _Copy:
    """One copy of arguments, which counts values and characters."""

    def __init__(self, tool: str) -> None:
        self._tool = tool
        self._values_left = _MAX_VALUES
        self._chars_left = _MAX_CHARS

    def copy_members(self, members: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        """Copy the members of a mapping.

        Raises:
            BadInput: a name is no text, or a value is of another type or too large.
        """
        for name in members:
            if not isinstance(name, str) or len(name) > _MAX_NAME or not _is_writable(name):
                what = f"texts of at most {_MAX_NAME} characters"
                raise _make_error(f"names of arguments of an order of `{self._tool}` must be {what}")
        return {str(name): self._copy_value(members[name], depth) for name in members}

    def _copy_value(self, value: Any, depth: int) -> Any:
        self._values_left -= 1
        self._chars_left -= len(value) if isinstance(value, str) else 0
        if self._values_left < 0 or self._chars_left < 0 or depth > _MAX_DEPTH:
            raise _make_error(
                f"an order of `{self._tool}` may have at most {_MAX_VALUES} values and {_MAX_CHARS} characters, "
                f"nested {_MAX_DEPTH} deep"
            )
        if isinstance(value, Mapping):
            return self.copy_members(value, depth + 1)
        if isinstance(value, list | tuple):
            return [self._copy_value(item, depth + 1) for item in value]
        if isinstance(value, Decimal) and value.is_finite():
            return format(value, "f")
        if value is not None and type(value) not in (bool, int, float, str):
            raise _make_error(f"an order of `{self._tool}` has a value of type {type(value).__name__}")
        if not _is_writable(value):
            raise _make_error(f"an order of `{self._tool}` has a value that cannot be written")
        return value


def _make_error(problem: str) -> BadInput:
    return BadInput(
        "order_malformed", problem, field="orders", remedy="give the id of a tool, and its arguments as plain values"
    )


def _is_writable(value: Any) -> bool:
    """Whether a plain value has a canonical form: no infinity, no half of a surrogate pair, no huge number."""
    if isinstance(value, str):
        return value.isascii() or value.encode("utf-8", "replace").decode() == value
    if isinstance(value, float):
        return isfinite(value)
    return not isinstance(value, int) or value.bit_length() <= _MAX_BITS
