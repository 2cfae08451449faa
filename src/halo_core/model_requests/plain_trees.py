"""Turns objects of a framework or a provider's client into mappings and lists, one level at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

_ABSENT_TYPES: Final = frozenset({"NotGiven", "Omit", "UndefinedType", "Unset", "NotSet", "EllipsisType"})
"""Classes whose instances stand for an argument that was not given."""


SCALAR_TYPES: Final = frozenset((str, int, float, bool, bytes, type(None)))
"""Python's own types of values without parts; `is_scalar` knows what is derived from them too."""
PLAIN_TYPES: Final = SCALAR_TYPES | {dict, list}
_READ_AS_THEY_ARE: Final = (Mapping, list, str, int, float, bytes, type)


def is_absent(value: Any) -> bool:
    """Whether a value means that there is no value."""
    return value is None or type(value).__name__ in _ABSENT_TYPES


def is_scalar(value: Any) -> bool:
    """Whether a value has no parts; an enumeration's member has none."""
    return value is None or isinstance(value, str | int | float | bytes)


def to_plain_node(value: Any) -> Any:
    """A mapping or a list in place of an object with fields; anything else itself.

    Objects of pydantic, dataclasses and messages of protobuf are read by what they hold, and only to their first level.
    A class stays what it is: it describes, and holds nothing.
    """
    if type(value) in PLAIN_TYPES or isinstance(value, _READ_AS_THEY_ARE):
        return value
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    fields = getattr(type(value), "model_fields", None)
    if isinstance(fields, Mapping):
        extra = getattr(value, "__pydantic_extra__", None) or {}
        return {**{name: getattr(value, name, None) for name in fields}, **extra}
    if dataclasses.is_dataclass(value):
        return {item.name: getattr(value, item.name, None) for item in dataclasses.fields(value)}
    listed = getattr(type(value), "ListFields", None)
    if callable(listed):
        return {descriptor.name: item for descriptor, item in listed(value)}
    return value
