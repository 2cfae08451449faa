"""Functions that stand in for others, with the name, signature and annotations of the original.

`functools.wraps` keeps the wrapped function as `__wrapped__`. Code that removes decorators finds it there, and calls it
without what was put around it. Nothing leads from a stand-in to its original but `find_original`. Its annotations are
looked up in the module of the original.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final
from weakref import WeakKeyDictionary, WeakValueDictionary, getweakrefcount

__all__ = ["find_original", "find_stand_in", "make_stand_in"]

_ORIGINALS: Final[WeakKeyDictionary[Any, Callable[..., Any]]] = WeakKeyDictionary()

_READ: Final[WeakValueDictionary[tuple[int, str, int], Callable[..., Any]]] = WeakValueDictionary()
"""Stand-ins that were read and are still held, so that another read gives the same one."""


def find_stand_in(
    owner: Any, name: str, function: Callable[..., Any], make: Callable[[], Callable[..., Any]]
) -> Callable[..., Any]:
    """The stand-in for a function that is read from an object; makes one if nobody holds one.

    Args:
        owner: the object.
        name: name under which it is read.
        function: the function that the object holds.
        make: makes the stand-in, which holds the object and the function, so that nothing else gets their ids.
    """
    key = (id(owner), name, id(function))
    stand_in = _READ.get(key)
    if stand_in is None:
        stand_in = _READ[key] = make()
    return stand_in


def make_stand_in(
    function: Callable[..., Any], call: Callable[..., Any], *, is_async: bool = False
) -> Callable[..., Any]:
    """Make a function that stands in the place of another.

    Args:
        function: the function that it stands in for.
        call: what it does, with its arguments. Between its caller and this there is one frame.
        is_async: whether it is a coroutine function; then `call` returns what is awaited.
    """
    module_names = getattr(inspect.unwrap(function), "__globals__", None)
    stand_in = _await_call(call) if is_async else _make_call(call)
    if isinstance(module_names, dict):
        # Its code names nothing but what it closes over.
        stand_in = types.FunctionType(stand_in.__code__, module_names, None, None, stand_in.__closure__)
    functools.update_wrapper(stand_in, function)
    del stand_in.__wrapped__  # type: ignore[attr-defined]  # set by `update_wrapper`
    with suppress(TypeError, ValueError):  # a builtin that has none
        stand_in.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    _ORIGINALS[stand_in] = function
    return stand_in


def _make_call(call: Callable[..., Any]) -> types.FunctionType:
    def stand_in(*args: Any, **kwargs: Any) -> Any:
        return call(*args, **kwargs)

    return stand_in  # type: ignore[return-value]  # a function


def _await_call(call: Callable[..., Any]) -> types.FunctionType:
    async def stand_in(*args: Any, **kwargs: Any) -> Any:
        return await call(*args, **kwargs)

    return stand_in  # type: ignore[return-value]  # as above


def find_original(function: Any) -> Any:
    """The innermost function that a stand-in stands for; any other object as it is."""
    # Most functions have no weak reference, and so are no keys of `_ORIGINALS`; to look one up takes longer.
    while isinstance(function, types.FunctionType) and getweakrefcount(function):
        original = _ORIGINALS.get(function)
        if original is None:
            break
        function = original
    return function
