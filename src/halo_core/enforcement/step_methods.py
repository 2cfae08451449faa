"""Turns procedures into methods that replace a framework's, and into `with` blocks.

Each executes a procedure of `flow` in the synchronous or the asynchronous form that its caller expects.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from functools import wraps
from typing import Any, Generic, TypeVar

from halo_core.enforcement.activities import current_activity
from halo_core.enforcement.steps import Steps, adrive, astream, drive, stream

T = TypeVar("T")


def make_method(
    original: Callable[..., Any], steps: Callable[..., Steps[Any]], *, is_async: bool
) -> Callable[..., Any]:
    """Make a method that executes a procedure and has the name and signature of the framework's method it replaces.

    The caller's activity begins here at the latest: a framework goes on in copies of the context, in other threads too.

    Args:
        original: the method in whose place it stands.
        steps: called as the method is; returns the procedure.
        is_async: whether the method is a coroutine function.
    """

    def method(*args: Any, **kwargs: Any) -> Any:
        current_activity()
        return drive(steps(*args, **kwargs))

    async def async_method(*args: Any, **kwargs: Any) -> Any:
        current_activity()
        return await adrive(steps(*args, **kwargs))

    return wraps(original)(async_method if is_async else method)


def make_scoped_method(
    original: Callable[..., Any], open_scope: Callable[..., AbstractContextManager[Any]], *, is_async: bool
) -> Callable[..., Any]:
    """Make a method that calls the framework's own inside a block; `make_method` with fixed steps.

    Args:
        original: the method in whose place it stands.
        open_scope: called with the object, the positional and the keyword arguments; it may change the latter.
        is_async: whether the method is a coroutine function.
    """

    def method(x: Any, /, *args: Any, **kwargs: Any) -> Any:
        current_activity()
        with open_scope(x, args, kwargs):
            return original(x, *args, **kwargs)

    async def async_method(x: Any, /, *args: Any, **kwargs: Any) -> Any:
        current_activity()
        with open_scope(x, args, kwargs):
            return await original(x, *args, **kwargs)

    return wraps(original)(async_method if is_async else method)


def make_stream_method(
    original: Callable[..., Any], steps: Callable[..., Steps[Any]], *, is_async: bool
) -> Callable[..., Any]:
    """Like `make_method`, for a method that returns an iterator, or an asynchronous one, of what is emitted."""
    drive_stream = astream if is_async else stream

    def method(*args: Any, **kwargs: Any) -> Any:
        current_activity()
        return drive_stream(steps(*args, **kwargs))

    return wraps(original)(method)


class StepScope(Generic[T]):
    """A block inside a procedure; its body is whatever the procedure does after it emits what `with` yields.

    Args:
        steps: the procedure; emits exactly once.
    """

    __slots__ = ("_block", "_steps")

    def __init__(self, steps: Steps[Any]) -> None:
        self._steps = steps
        self._block: Any = None

    def __enter__(self) -> T:
        self._block = contextmanager(stream)(self._steps)
        value: T = self._block.__enter__()
        return value

    def __exit__(self, *error: object) -> bool | None:
        is_handled: bool | None = self._block.__exit__(*error)
        return is_handled

    async def __aenter__(self) -> T:
        self._block = asynccontextmanager(astream)(self._steps)
        value: T = await self._block.__aenter__()
        return value

    async def __aexit__(self, *error: object) -> bool | None:
        is_handled: bool | None = await self._block.__aexit__(*error)
        return is_handled
