"""Room: which run is at hand. Takes: runs. Gives: the one that a piece of code is in, as a context variable has it.

Never: decides, starts anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from halo_core.session import acting_as, in_session

if TYPE_CHECKING:
    from halo_openai_agents import Halo
    from halo_openai_agents._runs import Run

__all__ = ["body", "current_run", "in_body", "in_run", "innermost", "run_of", "stepping"]

_RUNS: Final[ContextVar[tuple[Run, ...]]] = ContextVar("halo_openai_agents_runs", default=())
_BODY: Final[ContextVar[bool]] = ContextVar("halo_openai_agents_body", default=False)


def current_run(halo: object) -> Run | None:
    """The innermost run that this Halo decides."""
    return next((run for run in reversed(_RUNS.get()) if run.halo is halo), None)


def run_of(halo: object, context: Any) -> Run | None:
    """The innermost run that this Halo decides, if a context of the SDK's is of that one."""
    run = current_run(halo)
    return run if run is not None and run.holds(context) else None


def innermost(context: Any) -> Run | None:
    """The innermost run that any Halo decides, if a context of the SDK's is of that one."""
    run = next(reversed(_RUNS.get()), None)
    return run if run is not None and run.holds(context) else None


@contextmanager
def in_run(run: Run) -> Iterator[None]:
    """Run the block, and what is started in it, as a run of an agent.

    INVARIANT: SUB - what the host's code does in it (instructions, guardrails, hooks) acts as whoever acts by then.
    """
    token = _RUNS.set((*_RUNS.get(), run))
    try:
        with in_session(run.session), acting_as(run.now):
            yield
    finally:
        _RUNS.reset(token)


@contextmanager
def stepping(halo: Halo) -> Iterator[Run | None]:
    """Run the block as a step of the run at hand, if there is one."""
    run = current_run(halo)
    if run is None:
        yield None
        return
    with run.step():
        yield run


@contextmanager
def body() -> Iterator[None]:
    """Run what was decided: its words to a nested model are not the user's."""
    token = _BODY.set(True)
    try:
        yield
    finally:
        _BODY.reset(token)


def in_body() -> bool:
    """Whether a decided tool is running around this."""
    return _BODY.get()
