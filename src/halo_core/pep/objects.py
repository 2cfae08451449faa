"""Room: objects with fields, as frameworks pass them. Takes: an object. Gives: its fields, a copy with others.

pydantic is known by what the process has imported: an object of a class that nobody imported cannot be here, and the
core imports none of it. Never: runs code of an object's class, changes what it is given.
"""

from __future__ import annotations

import copy
import dataclasses
import sys
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["fields_of", "is_link", "is_model", "is_secret", "root_of", "secret", "with_fields"]

_PYDANTIC: Final = "pydantic"
_EARLIER: Final = "pydantic.v1"


def _is(value: Any, module: str, *names: str) -> bool:
    found = sys.modules.get(module)
    if found is None:
        return False
    kinds = tuple(kind for name in names if isinstance(kind := getattr(found, name, None), type))
    return isinstance(value, kinds)


def is_model(value: Any) -> bool:
    """Whether it is a pydantic model, of either generation."""
    return _is(value, _PYDANTIC, "BaseModel") or _is(value, _EARLIER, "BaseModel")


def is_secret(value: Any) -> bool:
    """Whether it is one of pydantic's secrets, which show nothing of themselves."""
    return _is(value, _PYDANTIC, "SecretStr", "SecretBytes")


def secret(like: Any, value: Any) -> Any:
    """A secret of the same class with another value."""
    return type(like)(value)


def is_link(value: Any) -> bool:
    """Whether it is one of pydantic's URLs."""
    return _is(value, _PYDANTIC, "AnyUrl") or _is(value, "pydantic_core", "Url")


def root_of(value: Any) -> tuple[Any] | None:
    """What a model that stands for one value holds, in a tuple; None of anything else."""
    return (value.root,) if _is(value, _PYDANTIC, "RootModel") else None


def fields_of(value: Any) -> dict[str, Any] | None:
    """Fields of a model or dataclass as stored, None of anything else: a model's own `__iter__` may show others."""
    if is_model(value):
        return {**value.__dict__, **(getattr(value, "__pydantic_extra__", None) or {})}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return None


def with_fields(value: Any, changed: Mapping[str, Any]) -> Any:
    """A copy of an object with some fields changed, whatever it is that keeps them; no check of its class is run."""
    if _is(value, _PYDANTIC, "BaseModel"):
        return value.model_copy(update=changed)
    if is_model(value):
        return value.copy(update=dict(changed))
    made = copy.copy(value)
    for name, item in changed.items():
        object.__setattr__(made, name, item)
    return made
