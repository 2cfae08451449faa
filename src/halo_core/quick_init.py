"""A faster constructor, and a faster copy, for the frozen dataclasses that every decision creates.

The one that `dataclass(frozen=True)` generates sets each field by a call of `object.__setattr__`: 4.5 µs for 25 fields.
Here, while its fields are set, an object has a class with the same slots that is not frozen, so that each is an
ordinary assignment: 0.9 µs. The result is the same object, as frozen as before.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Final, TypeVar

T = TypeVar("T")
_MISSING: Final = object()
"""In place of a default that a function makes, and of a field that a copy leaves as it is."""


def quick_init(cls: type[T]) -> type[T]:
    """Give a frozen dataclass with slots a constructor that takes a fifth of the time; see the module.

    Raises:
        TypeError: it is not frozen, has no slots of its own or has a base.
    """
    fields = _list_fields(cls)
    thawed = _make_thawed(cls)
    # The setter of `__class__` itself: `object.__setattr__` would look it up first.
    set_class = object.__dict__["__class__"].__set__
    names: dict[str, Any] = {"_set_class": set_class, "_thawed": thawed, "_frozen": cls, "_missing": _MISSING}
    lines = ["_set_class(self, _thawed)"]
    lines += [f"self.{field.name} = {_write_value(field, names)}" for field in fields]
    lines.append("self.__class__ = _frozen")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    source = f"def __init__({_write_parameters(fields)}):\n " + "\n ".join(lines)
    exec(source, names)  # noqa: S102  of names of fields alone, as `dataclass` itself does it
    made, original = names["__init__"], cls.__dict__["__init__"]
    made.__qualname__, made.__module__ = original.__qualname__, cls.__module__
    made.__annotations__ = dict(original.__annotations__)
    setattr(cls, "__init__", made)  # noqa: B010  mypy allows no assignment to it
    setattr(cls, "__init_subclass__", classmethod(_refuse_subclass))  # noqa: B010
    return cls


def make_copier(cls: type[T]) -> Callable[..., T]:
    """Make a function that copies an object with some fields changed, in a fifth of the time of `dataclasses.replace`.

    It takes the object, and the changed fields by their names.

    Args:
        cls: a class as `quick_init` takes it. All its fields are parameters of its constructor, which does nothing
            else.

    Raises:
        TypeError: it is another class.
    """
    fields = _list_fields(cls)
    if hasattr(cls, "__post_init__") or not all(field.init for field in fields):
        raise TypeError(f"a constructor of `{cls.__name__}` does more than a copy would")
    names = [field.name for field in fields]
    lines = ["_copy = _create(_thawed)"]
    lines += [f"_copy.{name} = _original.{name} if {name} is _missing else {name}" for name in names]
    lines += ["_copy.__class__ = _frozen", "return _copy"]
    parameters = ", ".join(f"{name}=_missing" for name in names)
    source = f"def copy_with(_original, *, {parameters}):\n " + "\n ".join(lines)
    scope: dict[str, Any] = {
        "_create": object.__new__,
        "_thawed": _make_thawed(cls),
        "_frozen": cls,
        "_missing": _MISSING,
    }
    exec(source, scope)  # noqa: S102  of names of fields alone, as in `quick_init`
    copier: Callable[..., T] = scope["copy_with"]
    return copier


def _list_fields(cls: type[Any]) -> tuple[dataclasses.Field[Any], ...]:
    """The fields of a frozen dataclass with slots and without a base; raises `TypeError` for any other class."""
    parameters = cls.__dict__.get("__dataclass_params__")
    if parameters is None or not parameters.frozen or "__slots__" not in cls.__dict__ or cls.__bases__ != (object,):
        raise TypeError(f"`{cls.__name__}` is no plain frozen dataclass with slots")
    return dataclasses.fields(cls)


def _make_thawed(cls: type[Any]) -> type[Any]:
    """A class that is not frozen, with slots of the same names: an object can change from one to the other."""
    return type(f"Thawed{cls.__name__}", (object,), {"__slots__": cls.__dict__["__slots__"]})


def _write_value(field: dataclasses.Field[Any], names: dict[str, Any]) -> str:
    """The source text of a field's value; its default goes into `names`."""
    name = field.name
    if field.default_factory is not dataclasses.MISSING:
        names[f"_make_{name}"] = field.default_factory
        return f"_make_{name}() if {name} is _missing else {name}" if field.init else f"_make_{name}()"
    if field.default is not dataclasses.MISSING:
        names[f"_default_{name}"] = field.default
        return name if field.init else f"_default_{name}"
    return name


def _write_parameters(fields: tuple[dataclasses.Field[Any], ...]) -> str:
    """The constructor's parameters, keyword-only ones last."""
    parameters: dict[bool, list[str]] = {False: ["self"], True: []}
    for field in fields:
        if field.default_factory is not dataclasses.MISSING:
            default = "=_missing"
        else:
            default = f"=_default_{field.name}" if field.default is not dataclasses.MISSING else ""
        if field.init:
            parameters[bool(field.kw_only)].append(field.name + default)
    return ", ".join([*parameters[False], *(["*", *parameters[True]] if parameters[True] else [])])


def _refuse_subclass(cls: type[Any]) -> None:
    raise TypeError(f"`{cls.__name__}` would be made an object of its base by the constructor of that")
