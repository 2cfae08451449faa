"""Room: values made plain. Takes: arguments as objects. Gives: JSON-like values for the decision.

Never: runs anything, keeps anything, changes what it is given.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import uuid
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, Final

from halo_core.pep.objects import fields_of, is_link, is_secret, root_of

__all__ = ["outline", "plain", "unchanged"]

_MAX_POWER: Final = 300  # of ten; a longer number is text
_TEXTS: Final = (
    uuid.UUID,
    PurePath,
    ipaddress.IPv4Address,
    ipaddress.IPv6Address,
    ipaddress.IPv4Network,
    ipaddress.IPv6Network,
    dt.timedelta,
)


def unchanged(value: Any, decided: Any) -> bool:
    """Whether two plain values are the same, types included: `True` is not `1`, nor is `1.0`."""
    if type(value) is not type(decided):
        return False
    if isinstance(value, Mapping):
        return value.keys() == decided.keys() and all(unchanged(item, decided[key]) for key, item in value.items())
    if isinstance(value, list | tuple):
        return len(value) == len(decided) and all(map(unchanged, value, decided))
    return bool(value == decided)


def outline(value: Any) -> Any:
    """A plain value with the class name in place of whatever has no plain form."""
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return value
    if isinstance(value, Mapping):
        return {str(key): outline(item) for key, item in value.items()}
    return [outline(item) for item in value] if isinstance(value, list) else type(value).__name__


def plain(value: Any) -> Any:
    """A value as the decision reads it; what has no plain form stays as it is, and is refused."""
    if isinstance(value, Enum):  # before its base: a member of a `StrEnum` is a `str` too
        return plain(value.value)
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return value
    if isinstance(value, Mapping):
        if all(isinstance(key, str) for key in value):
            return {key: plain(item) for key, item in value.items()}
        return [[plain(key), plain(item)] for key, item in value.items()]
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return _object(value)


def _object(value: Any) -> Any:
    if isinstance(value, set | frozenset):
        return sorted((plain(item) for item in value), key=repr)
    if (root := root_of(value)) is not None:
        return plain(root[0])
    if (fields := fields_of(value)) is not None:
        return {name: plain(item) for name, item in fields.items()}
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if is_secret(value):
        return {"secret": value.get_secret_value()}  # the name makes the redactor seal it
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    return str(value) if isinstance(value, _TEXTS) or is_link(value) else value


def _number(value: Decimal) -> int | float | str:
    if not value.is_finite() or abs(value.adjusted()) > _MAX_POWER:
        return str(value)
    # An amount must stay a number, or a rule about amounts would not see it; but never another number.
    if value == value.to_integral_value():
        return int(value)
    number = float(value)
    return number if Decimal(repr(number)) == value else str(value)
