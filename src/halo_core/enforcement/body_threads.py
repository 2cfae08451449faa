"""Threads that start inside of a tool's body, known to belong to it while a tripwire is installed.

A thread gets no context of whoever starts it, so what it runs has no session, and a sub-agent that opens one of its own
has nothing to do with the tool. A `ThreadFollower` carries the body along, and nothing else: who acts in a thread, and
for whom, is not known by that.

Not seen: a thread that was there before and takes its work from a queue, `_thread.start_new_thread`, other processes.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, thread
from typing import Any, Final

from halo_core.enforcement.bodies import BODY, Body
from halo_core.enforcement.session_context import ContextVarScope

_LOCK: Final = threading.Lock()
_POOL_WORKER: Final = thread._worker  # noqa: SLF001  it serves whoever submits, not who submitted first
_FOLLOWERS: Final[set[ThreadFollower]] = set()
_is_wrapped = False


class ThreadFollower:
    """Has bodies carried into the threads that they start, until it is stopped."""

    def __init__(self) -> None:
        global _is_wrapped  # noqa: PLW0603  the methods are the process's too
        with _LOCK:
            _FOLLOWERS.add(self)
            if not _is_wrapped:
                _is_wrapped = True
                threading.Thread.start = _wrap_start(threading.Thread.start)  # type: ignore[method-assign, assignment]
                ThreadPoolExecutor.submit = _wrap_submit(ThreadPoolExecutor.submit)  # type: ignore[method-assign]

    def stop(self) -> None:
        """Carry no more for this one; a second time does nothing."""
        with _LOCK:
            _FOLLOWERS.discard(self)


def _find_body() -> Body | None:
    return BODY.get() if _FOLLOWERS else None


def _run_inside(body: Body, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    with ContextVarScope((BODY, body)):
        return function(*args, **kwargs)


def _wrap_start(start: Callable[[threading.Thread], None]) -> Callable[[threading.Thread], None]:
    @functools.wraps(start)
    def start_inside(self: threading.Thread) -> None:
        body = _find_body()
        if body is not None and getattr(self, "_target", None) is not _POOL_WORKER:
            self.run = functools.partial(_run_inside, body, self.run)  # type: ignore[method-assign]
        start(self)

    return start_inside


def _wrap_submit(submit: Callable[..., Future[Any]]) -> Callable[..., Future[Any]]:
    @functools.wraps(submit)
    def submit_inside(self: ThreadPoolExecutor, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        body = _find_body()
        if body is None:
            return submit(self, fn, *args, **kwargs)
        return submit(self, _run_inside, body, fn, *args, **kwargs)

    return submit_inside
