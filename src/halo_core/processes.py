"""Distributes work among processes, with results in order: `map_in_processes`.

Processes are spawned and not forked, because a caller may have threads and open databases. A program that is a script
must guard its start with `if __name__ == "__main__"`, as `multiprocessing` requires; the `halo` command does.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any, Final, TypeVar

T = TypeVar("T")
R = TypeVar("R")

_WAITING: Final = 3  # tasks for each process


def count_cores() -> int:
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def map_in_processes(
    work: Callable[[T], R],
    tasks: Iterable[T],
    *,
    processes: int,
    initializer: Callable[..., None] | None,
    initargs: tuple[Any, ...],
) -> Iterator[R]:
    """Results of the tasks, in their order; only a few tasks are taken ahead.

    Args:
        work: a function of a module; it, its tasks and its results can be pickled.
        tasks: what to call it with.
        processes: how many, at least 1.
        initializer: called once in each process.
        initargs: its arguments.

    Raises:
        Exception: what `work` raises.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer, initargs) as pool:
        running: deque[Future[R]] = deque()
        try:
            for task in tasks:
                running.append(pool.submit(work, task))
                if len(running) >= processes * _WAITING:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            for future in running:
                future.cancel()
