"""Room: shapes of claims. Takes: JSON trees. Gives: typed values, or a refusal. Never: knows what they mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from halo_core.errors import PassportError

__all__ = ["INT_LIMIT", "LAST_SECOND", "MAX_ITEMS", "exact", "integer", "mapping", "refuse", "text", "texts"]

INT_LIMIT: Final = 2**53
LAST_SECOND: Final = 253_402_300_799
"""9999-12-31T23:59:59Z, the last second that RFC 3339 can write."""
MAX_ITEMS: Final = 256


def text(value: object, field: str, code: str = "claims_shape") -> str:
    """A printable text of 1 to 256 characters."""
    # `isprintable` also refuses zero-width, direction and control characters, which hide in a name.
    if type(value) is not str or not 0 < len(value) <= MAX_ITEMS or not value.isprintable():
        raise refuse(code, "a printable text of 1 to 256 characters is expected", field)
    return value


def texts(plain: object, code: str, field: str, *, least: int = 0) -> tuple[str, ...]:
    """A sorted list of distinct texts."""
    if type(plain) is not list or not least <= len(plain) <= MAX_ITEMS:
        raise refuse(code, f"a list of {least} to {MAX_ITEMS} texts is expected", field)
    found = tuple(text(item, field, code) for item in plain)
    if list(found) != sorted(set(found)):
        raise refuse(code, "the list is not sorted, or names something twice", field)
    return found


def integer(value: object, low: int, high: int, code: str, field: str) -> int:
    """An integer from `low` to `high`."""
    # `type` and not `isinstance`, because True is an int.
    if type(value) is not int or not low <= value <= high:
        raise refuse(code, f"an integer from {low} to {high} is expected", field)
    return value


def mapping(plain: object, code: str, field: str) -> Mapping[str, Any]:
    """An object."""
    if type(plain) is not dict:
        raise refuse(code, "an object is expected", field)
    return plain


def exact(plain: object, names: Iterable[str], code: str, field: str) -> Mapping[str, Any]:
    """An object of exactly these members."""
    # INVARIANT: fail closed on an unknown member as on a missing one.
    members = mapping(plain, code, field)
    if set(members) != set(names):
        raise refuse(code, f"expected exactly the members {', '.join(sorted(names))}", field)
    return members


def refuse(code: str, message: str, field: str) -> PassportError:
    """The refusal of a claim, to be raised."""
    return PassportError(code, message, field=field, remedy="issue a new passport")
