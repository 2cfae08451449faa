"""Activities: an `Activity` stands for a session that nobody named.

Guarded calls need a session. Where the host has named none and the framework carries no conversation, they get that of
their activity. It is either one outermost run of a framework, or the plain code of one task or context that calls
guarded objects itself. An adapter opens a run (`run_activity_scope`), or reports its begin and end
(`begin_run_activity`, `end_run_activity`). What one call of an activity has seen counts for its other calls; two
activities share nothing.

    script, function           the calls that one thread makes in one context
    asyncio                    the calls of one task, and of the tasks and threads that it starts from then on
    server                     each request has a task or a copied context, and so an activity
"""

from __future__ import annotations

import asyncio
import threading
from asyncio import _get_running_loop
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final
from weakref import WeakKeyDictionary, ref

from halo_core.clock import Clock
from halo_core.enforcement.session_context import (
    ContextVarScope,
    Session,
    current_delegation_session,
    current_session,
    in_body,
    session_values,
)


class Activity:
    """One run or request, with the session id that each `Halo` uses in it.

    Args:
        source: how its sessions are found: `run` or `call`, see `Session`.
        owner: the asyncio task whose plain code it is; None for a run, and for plain code outside a task.
        framework: whose run it is.
        run_id: the framework's id of the run.
        is_resumed: whether the run continues one that paused. It repeats model messages of the earlier run, so they are
            not noted as answers of this one.
        outer: for a run, the activity of the plain code that started it. A script that calls `agent.invoke()` and then
            a guarded function is in the run's activity first, and in that of the script again after it.
    """

    __slots__ = (
        "__weakref__",
        "_answers",
        "_began_us",
        "_owner",
        "_session_ids",
        "framework",
        "has_links",
        "is_over",
        "is_resumed",
        "outer",
        "run_id",
        "source",
    )

    def __init__(
        self,
        source: str,
        owner: asyncio.Task[Any] | None = None,
        *,
        framework: str = "",
        run_id: object = None,
        is_resumed: bool = False,
        outer: Activity | None = None,
    ) -> None:
        self.source = source
        self.outer = outer
        self.is_resumed = is_resumed
        self._answers: dict[str, dict[str, str]] = {}
        self.framework = framework
        self.run_id = run_id
        self.is_over = False
        self.has_links = False  # whether some agent in it was handed to, and acts under a link
        self._owner = ref(owner) if owner is not None else None
        self._session_ids: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
        self._began_us = _read_clocks() if source == "run" and not _is_inside_action() else []

    def get_session_id(self, halo: object, make_id: Callable[[], str]) -> str:
        """The session id of this activity for a `Halo`; created on first use."""
        session_id = self._session_ids.get(halo)
        # INVARIANT: threads that a run starts side by side get one id: `setdefault` is atomic.
        return session_id if session_id is not None else self._session_ids.setdefault(halo, make_id())

    def end_sessions(self) -> None:
        """Report that the sessions created for this activity have ended."""
        for halo, session_id in list(self._session_ids.items()):
            halo.end_session(session_id)

    def find_began_us(self, clock: Clock) -> int:
        """When this run began, microseconds by `clock`; 0 if unknown, or if it began inside an action.

        A clock that is set back takes the beginning with it: a run is never younger than its first call.
        """
        for place, (read_clock, began_us) in enumerate(self._began_us):
            if read_clock is clock:
                self._began_us[place] = clock, min(began_us, clock.now_us())
                return self._began_us[place][1]
        return 0

    def note_answer(self, message_id: str) -> None:
        """Note the id of a message that a model returned to a decided call of this run."""
        if message_id and self.source == "run" and not self.is_resumed:
            self._answers.setdefault(message_id, {})

    def find_answer_requests(self, message_id: str) -> dict[str, str] | None:
        """The requests that a noted message has led to (`Call.answer_requests`); None if it is not noted."""
        return self._answers.get(message_id)

    def continues_in(self, task: asyncio.Task[Any] | None) -> bool:
        """Whether the running code, in this task (None outside a task), belongs to this activity.

        A context is copied into every task that is started from it. An activity of plain code before the event loop,
        or of a task that has ended, is not continued: a server starts the tasks of unrelated requests from there.
        """
        if self._owner is None:
            return task is None
        owner = self._owner()
        return owner is not None and (owner is task or not owner.done())


_ACTIVITY: Final[ContextVar[Activity | None]] = ContextVar("halo_activity", default=None)
_CLOCKS: Final[WeakKeyDictionary[Any, Clock]] = WeakKeyDictionary()  # by facade
_CLOCKS_LOCK: Final = threading.Lock()


def register_clock(halo: object, clock: Clock) -> None:
    """Register a facade's clock; every run that begins from now on reads it."""
    with _CLOCKS_LOCK:
        _CLOCKS[halo] = clock


def _list_facades() -> list[Any]:
    with _CLOCKS_LOCK:
        return list(_CLOCKS)


def _read_clocks() -> list[tuple[Clock, int]]:
    with _CLOCKS_LOCK:
        clocks = list(_CLOCKS.values())
    return [(clock, clock.now_us()) for clock in clocks]


def _is_inside_action() -> bool:
    """Whether what begins here is a step of an action that Halo has already decided."""
    return in_body() or current_delegation_session() is not None


def find_began_us(clock: Clock) -> int:
    """When the current request began: its outermost run, else the block in which the host opened its session.

    INVARIANT: EPOCH - what goes on is not resumed. A conversation that has rested is, by what began after the rest.

    Returns:
        Microseconds by `clock`; 0 where it is not known.
    """
    run = _ACTIVITY.get()  # as `current_run_activity` has it
    if run is not None and run.source == "run" and not run.is_over:
        return run.find_began_us(clock)
    session = current_session()
    return min(session.began_us, clock.now_us()) if session is not None else 0


def find_block_began_us(clock: Clock) -> int:
    """When the request began for which a host opens a session: now, unless the block is inside another one."""
    if current_run_activity() is not None or current_session() is not None:
        return find_began_us(clock)
    return 0 if _is_inside_action() else clock.now_us()


def current_activity() -> Activity:
    """The activity of the code that runs now; a new one of plain code where there is none."""
    activity = _ACTIVITY.get()
    if activity is not None and activity.is_over:
        activity = activity.outer
    if activity is not None and activity.source == "run":
        return activity
    task = _current_task()
    if activity is None or not activity.continues_in(task):
        activity = Activity("call", task)
        _ACTIVITY.set(activity)
    return activity


def current_run_activity() -> Activity | None:
    """The outermost run of a framework around the code that runs now; None outside any."""
    activity = _ACTIVITY.get()
    return activity if activity is not None and activity.source == "run" and not activity.is_over else None


def is_inside_request() -> bool:
    """Whether a session, a run, a hand-off or a decided action is around the code that runs now.

    Plain code is none, although it may have called something guarded: a run that it starts is a request of its own.
    """
    return current_run_activity() is not None or current_session() is not None or _is_inside_action()


def note_link() -> None:
    """Note that an agent acts under a link in the current run."""
    activity = current_run_activity()
    if activity is not None:
        activity.has_links = True


def is_inside_run_without_links() -> bool:
    """Whether the code is in a run without hand-offs, in which the facade's own agent does everything."""
    activity = current_run_activity()
    return activity is not None and not activity.has_links


def note_answer(message_id: str) -> None:
    """Like `Activity.note_answer`, for the current run."""
    activity = current_run_activity()
    if activity is not None:
        activity.note_answer(message_id)


def begin_run_activity(framework: str, run_id: object, *, is_resumed: bool = False) -> None:
    """Note in this context that an outermost run begins.

    For hooks that see a run begin and end, and cannot stand around it. A run inside another framework's is no
    outermost one.
    """
    outer = current_run_activity()
    # The hook reports only runs that no other run of this framework contains. So a current run of the same framework
    # was abandoned without a report of its end, and is replaced. Inside the body of an action it was not abandoned:
    # what begins there is a step of that action, and belongs to the run around it.
    if outer is None or (outer.framework == framework and not in_body()):
        activity = Activity(
            "run", framework=framework, run_id=run_id, is_resumed=is_resumed, outer=_find_plain(_ACTIVITY.get())
        )
        _ACTIVITY.set(activity)


def _find_plain(activity: Activity | None) -> Activity | None:
    return activity.outer if activity is not None and activity.source == "run" else activity


def run_activity_value(activity: Activity) -> tuple[ContextVar[Any], Any]:
    """For a `ContextVarScope`: marks the block as part of a run that began in another context."""
    return _ACTIVITY, activity


def end_run_activity(run_id: object, known: Activity | None = None) -> None:
    """Note that an outermost run has ended.

    Args:
        run_id: id of the run that ended, whether it is an outermost one or not.
        known: the activity that it ran in; None for that of this context.
    """
    activity = known or _ACTIVITY.get()
    if activity is not None and activity.source == "run" and activity.run_id == run_id:
        activity.is_over = True
        activity.end_sessions()


def run_activity_scope(framework: str, session: Session | None = None, *, is_resumed: bool = False) -> ContextVarScope:
    """Run the block as a run of a framework; the outermost one unless another is already active.

    Args:
        framework: whose run it is.
        session: that of the conversation it belongs to; None if the framework carries none.
        is_resumed: see `Activity`.
    """
    outer = current_run_activity()
    if outer is not None:
        return ContextVarScope((_ACTIVITY, outer), *session_values(session, None))
    activity = Activity("run", framework=framework, is_resumed=is_resumed)
    return _OutermostRun(activity, session)


class _OutermostRun(ContextVarScope):
    """The block of an outermost run. At its end the sessions it opened end, and its conversation's session rests."""

    __slots__ = ("_activity", "_session")

    def __init__(self, activity: Activity, session: Session | None) -> None:
        super().__init__((_ACTIVITY, activity), *session_values(session, None))
        self._activity = activity
        self._session = session

    def __exit__(self, *exc: object) -> None:
        super().__exit__(*exc)
        self._activity.end_sessions()
        around = current_session()
        if self._session is not None and (around is None or around.id != self._session.id):
            for facade in _list_facades():
                facade.end_session(self._session.id)


def _current_task() -> asyncio.Task[Any] | None:
    """The current task; None without an event loop in this thread. Raises nothing, which would be slower."""
    loop = _get_running_loop()
    return asyncio.current_task(loop) if loop is not None else None
