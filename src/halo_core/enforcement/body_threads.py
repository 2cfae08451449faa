"""Lets a new thread know which guarded action started it.

A thread does not inherit the context of the code that starts it, so it would have no session, and no guard around its
calls. Once a `Halo` is opened, a new thread keeps two things: the body of the decided action that started it, and the
`Halo` that decides there. It does not keep the session, because it may go on and serve other requests. What it starts
is denied (`session_missing`) until it opens a session. What was started outside of any request serves requests: there
each outermost run is one.

A thread, or a job of a pool, that is nothing but one call of a framework's object (`pool.map(tool.invoke, inputs)`)
cannot serve other requests. It gets the whole context, as `asyncio.to_thread` gives it.

Not covered are threads that existed before and take their work from a queue, `_thread.start_new_thread`, and other
processes.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, thread
from contextvars import Context, ContextVar, copy_context
from typing import Any, Final

from halo_core.enforcement.activities import is_inside_request
from halo_core.enforcement.bodies import BODY
from halo_core.enforcement.session_context import STARTED_INSIDE, ContextVarScope, current_session
from halo_core.enforcement.stand_ins import find_original

ContextValue = tuple[ContextVar[Any], Any]

_POOL_WORKER: Final = thread._worker  # noqa: SLF001  it serves whoever submits, not who submitted first
_FINDERS: Final[list[Callable[[], ContextValue | None]]] = []
"""What `carry_into_threads` was given, for the whole process."""


_CALLED_TYPES: Final[list[type[Any]]] = []
"""What `carry_calls_into_threads` was given, for the whole process."""


def carry_into_threads(find_value: Callable[[], ContextValue | None]) -> None:
    """Register a context variable that new threads inherit from the code that starts them.

    Args:
        find_value: the variable and what the thread sees in it, None if it keeps nothing.
    """
    if find_value not in _FINDERS:
        _FINDERS.append(find_value)


def carry_calls_into_threads(*kinds: type[Any]) -> None:
    """Register classes: a thread that only calls one of their objects acts for the code that started it."""
    _CALLED_TYPES.extend(kind for kind in kinds if kind not in _CALLED_TYPES)


def _is_single_call(function: Any) -> bool:
    """Whether a function is one call of a framework's object, or the function of a tool as code reads it there."""
    while isinstance(function, functools.partial):
        function = function.func
    owner = getattr(function, "__self__", function)
    kinds = [kind for kind in _CALLED_TYPES if owner is kind or isinstance(owner, kind)]
    name = "__call__" if owner is function else getattr(function, "__name__", "")
    # A method that only the application's subclass has may be the loop of a worker, which serves other requests.
    is_call = any(name in vars(base) for kind in kinds for base in kind.__mro__)
    return is_call or find_original(function) is not function


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


def _runs_in_context(function: Any) -> bool:
    """Whether a function is `Context.run`, in which nothing is seen of the context that a thread inherits."""
    while isinstance(function, functools.partial):
        function = function.func
    return type(getattr(function, "__self__", None)) is Context


def _find_runner(function: Any) -> Callable[..., Any] | None:
    """A runner that calls a function in a thread with the inherited context; None if nothing is inherited."""
    if _runs_in_context(function):  # as in `asyncio.to_thread`
        return None
    values = _find_values()
    if (values or current_session() is not None) and _is_single_call(function):
        return copy_context().run
    if function is _POOL_WORKER or not (values or is_inside_request()):
        return None
    return functools.partial(_run_inside, [*values, (STARTED_INSIDE, True)])


def _run_thread_inside(started: threading.Thread, run_inside: Callable[..., Any], run: Callable[[], None]) -> None:
    """Run a thread with what it inherits, then restore its own `run`."""
    try:
        run_inside(run)
    finally:
        vars(started).pop("run", None)  # so that nothing of this outlives the thread


def _run_inside(values: list[ContextValue], function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    with ContextVarScope(*values):
        return function(*args, **kwargs)


def _wrap_start(start: Callable[[threading.Thread], None]) -> Callable[[threading.Thread], None]:
    @functools.wraps(start)
    def start_inside(self: threading.Thread) -> None:
        run_inside = _find_runner(getattr(self, "_target", None))
        if run_inside is not None:
            self.run = functools.partial(_run_thread_inside, self, run_inside, self.run)  # type: ignore[method-assign]
        start(self)

    return start_inside


def _wrap_submit(submit: Callable[..., Future[Any]]) -> Callable[..., Future[Any]]:
    @functools.wraps(submit)
    def submit_inside(self: ThreadPoolExecutor, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        run_inside = _find_runner(fn)
        return (
            submit(self, fn, *args, **kwargs) if run_inside is None else submit(self, run_inside, fn, *args, **kwargs)
        )

    return submit_inside
