"""Passes on to a thread which guarded action started it.

A thread does not inherit the context of the code that starts it, so it would have no session, and no guard around its
calls. Once a `Halo` is opened, a new thread keeps two things: the body of the decided action that started it, and the
`Halo` that decides there. It does not keep the session, because it may go on and serve other requests. What it starts
is denied (`session_missing`) until it opens a session.

Not covered are threads that existed before and take their work from a queue, `_thread.start_new_thread`, and other
processes.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, thread
from contextvars import ContextVar
from typing import Any, Final

from halo_core.enforcement.bodies import BODY
from halo_core.enforcement.session_context import ContextVarScope

ContextValue = tuple[ContextVar[Any], Any]

_POOL_WORKER: Final = thread._worker  # noqa: SLF001  it serves whoever submits, not who submitted first
_FINDERS: Final[list[Callable[[], ContextValue | None]]] = []
"""What `carry_into_threads` was given, for the whole process."""


def carry_into_threads(find_value: Callable[[], ContextValue | None]) -> None:
    """Register a context variable that new threads inherit from whoever starts them.

    Args:
        find_value: the variable and what the thread sees in it, None if it keeps nothing.
    """
    if find_value not in _FINDERS:
        _FINDERS.append(find_value)


@functools.cache
def follow_threads() -> None:
    """Patch `Thread` and `ThreadPoolExecutor` so that threads inherit registered variables and the body around them."""
    threading.Thread.start = _wrap_start(threading.Thread.start)  # type: ignore[method-assign, assignment]
    ThreadPoolExecutor.submit = _wrap_submit(ThreadPoolExecutor.submit)  # type: ignore[method-assign]


def _find_values() -> list[ContextValue]:
    """The context variables that a thread started here inherits; empty outside anything guarded."""
    values = [value for find_value in _FINDERS if (value := find_value()) is not None]
    body = BODY.get()
    return values if body is None else [*values, (BODY, body)]


def _run_thread_inside(started: threading.Thread, values: list[ContextValue], run: Callable[[], None]) -> None:
    """Run a thread with these context variables, then restore its own `run`."""
    try:
        _run_inside(values, run)
    finally:
        vars(started).pop("run", None)  # so that nothing of this outlives the thread


def _run_inside(values: list[ContextValue], function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    with ContextVarScope(*values):
        return function(*args, **kwargs)


def _wrap_start(start: Callable[[threading.Thread], None]) -> Callable[[threading.Thread], None]:
    @functools.wraps(start)
    def start_inside(self: threading.Thread) -> None:
        values = _find_values()
        if values and getattr(self, "_target", None) is not _POOL_WORKER:
            self.run = functools.partial(_run_thread_inside, self, values, self.run)  # type: ignore[method-assign]
        start(self)

    return start_inside


def _wrap_submit(submit: Callable[..., Future[Any]]) -> Callable[..., Future[Any]]:
    @functools.wraps(submit)
    def submit_inside(self: ThreadPoolExecutor, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        values = _find_values()
        if not values:
            return submit(self, fn, *args, **kwargs)
        return submit(self, _run_inside, values, fn, *args, **kwargs)

    return submit_inside
