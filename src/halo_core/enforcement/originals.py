"""The objects that were guarded under each name: a grant is for these, and not for others with the same name."""

from __future__ import annotations

import threading
import types
import weakref
from collections.abc import Callable
from typing import Any, Final

_PLAIN: Final = (str, int, float, bool, bytes, type(None))
_MAX_DEPTH: Final = 8
_MODEL_STATE: Final = ("__pydantic_extra__", "__pydantic_private__")
_MODEL_SLOTS: Final = frozenset((*_MODEL_STATE, "__dict__", "__weakref__", "__pydantic_fields_set__"))


class Originals:
    """The original objects guarded under each name, by weak reference. Thread-safe.

    Args:
        get_parts: returns the parts that identify an object, such as a tool's function; by default the object itself.
    """

    def __init__(self, get_parts: Callable[[Any], Any] = lambda x: x) -> None:
        self._get_parts = get_parts
        self._references: dict[str, list[weakref.ref[Any]]] = {}
        self._lock = threading.Lock()

    def note(self, name: str, original: Any) -> None:
        """Note that an object was guarded under a name."""
        with self._lock:
            alive = [item for item in self._references.get(name, ()) if item() is not None]
            if not any(item() is original for item in alive):
                alive.append(weakref.ref(original))
            self._references[name] = alive

    def has_name(self, name: str) -> bool:
        """Whether something was guarded under a name."""
        with self._lock:
            return name in self._references

    def belongs_to_another(self, name: str, obj: Any) -> bool:
        """Whether a name belongs to a guarded object other than `obj` (None: unknown)."""
        with self._lock:
            references = self._references.get(name)
        if references is None:
            return False
        originals = [original for item in references if (original := item()) is not None]
        return obj is None or not any(self._is_same(original, obj) for original in originals)

    def _is_same(self, original: Any, obj: Any) -> bool:
        return original is obj or is_same_thing(self._get_parts(original), self._get_parts(obj))


def is_same_thing(  # noqa: PLR0911  one return for each kind
    one: Any, other: Any, *, depth: int = _MAX_DEPTH
) -> bool:
    """Whether two objects are the same or have equal parts; functions that were defined again count too.

    INVARIANT: FAILCLOSED - functions with the same code differ if they hold different objects, such as two servers.
    """
    if one is other:
        return True
    if type(one) is not type(other) or depth == 0:
        return False
    if isinstance(one, _PLAIN):
        return bool(one == other)
    if isinstance(one, types.FunctionType):
        return _is_same_function(one, other, depth)
    if isinstance(one, types.MethodType):
        return one.__func__ is other.__func__ and one.__self__ is other.__self__
    if isinstance(one, list | tuple):
        return _are_same(one, other, depth)
    if isinstance(one, dict):
        return one.keys() == other.keys() and _are_same(one.values(), [other[key] for key in one], depth)
    return not isinstance(one, type) and is_same_thing(_get_state(one), _get_state(other), depth=depth - 1)


def _get_state(obj: Any) -> Any:
    """The attributes of an object; the object itself if they cannot be read."""
    slots = {name for kind in type(obj).__mro__ for name in getattr(kind, "__slots__", ())}
    if not hasattr(obj, "__dict__") or not slots <= _MODEL_SLOTS:
        return obj
    fields = getattr(type(obj), "model_fields", None)  # of Pydantic; what else it holds was worked out from them
    attributes = {name: value for name, value in vars(obj).items() if not isinstance(fields, dict) or name in fields}
    return [attributes, *(getattr(obj, name, None) for name in _MODEL_STATE)]


def _are_same(firsts: Any, seconds: Any, depth: int) -> bool:
    return len(firsts) == len(seconds) and all(
        is_same_thing(one, other, depth=depth - 1) for one, other in zip(firsts, seconds, strict=True)
    )


def _is_same_function(one: types.FunctionType, other: types.FunctionType, depth: int) -> bool:
    if one.__code__ is not other.__code__ or one.__globals__ is not other.__globals__:
        return False
    return is_same_thing(_get_held(one), _get_held(other), depth=depth - 1)


def _get_held(function: types.FunctionType) -> Any:
    """Everything a function holds besides its code."""
    try:
        cells = [cell.cell_contents for cell in function.__closure__ or ()]
    except ValueError:  # a cell that holds nothing yet
        return function
    return [function.__defaults__, function.__kwdefaults__, cells]
