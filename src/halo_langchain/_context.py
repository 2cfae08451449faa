"""Room: what travels with a call inside LangChain: the guard mark and the session. Takes: configs. Gives: context.

A mark says "the guard ahead decides this very run", so that a callback or middleware does not decide it again. It
names its owner, the kind and the name, and serves one run id: nothing else can pass under it. Never: decides.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from langchain_core.runnables import ensure_config

from halo_core.errors import Denied
from halo_core.session import Asking, Session, asking, current_asking, current_session, in_session
from halo_langchain._values.plain import unchanged

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

__all__ = [
    "RUN_SESSION",
    "Mark",
    "arrived",
    "body",
    "claimed",
    "claimed_by_any",
    "current_mark",
    "descending",
    "entered",
    "in_body",
    "marked",
    "step_of",
    "thread_session",
]


@dataclass(slots=True)
class Mark:
    """One action under way.

    Args:
        owner: the `Halo` that decides it.
        kind: `tool`, `retriever` or `model`.
        name: its name as the framework says it; empty for a retriever, whose name a run may hide.
        call_id: the framework's id of the call.
        decided: whether a decision was asked for.
        run_id: the callback run that was let pass under this mark.
        armed: whether the guarded object itself has been entered. Until then a tool's mark lets nothing pass: code
            between the middleware and the tool may call another of the same name.
        denied: the refusal, where it was refused: whoever handles errors of tools may make something else of it.
        more: how many further runs the action starts: a model call with several prompts starts one for each.
        others: those of them that were let pass.
    """

    owner: object
    kind: str
    name: str
    call_id: str = ""
    decided: bool = False
    run_id: UUID | None = None
    armed: bool = False
    denied: Denied | None = None
    more: int = 0
    others: set[UUID] = field(default_factory=set)


RUN_SESSION: Final = "__halo_session"
"""Where the configuration of a run that belongs to no thread holds its session; LangGraph persists no such key."""

_MARK: Final[ContextVar[Mark | None]] = ContextVar("halo_langchain_mark", default=None)


def current_mark(owner: object, kind: str, name: str) -> Mark | None:
    """The mark of this context, if it is about this very thing."""
    mark = _MARK.get()
    fits = mark is not None and mark.owner is owner and mark.kind == kind and mark.name == name
    return mark if fits else None


@contextmanager
def marked(mark: Mark | None) -> Iterator[None]:
    """Run the block under a mark; None takes away whatever mark there is."""
    token = _MARK.set(mark)
    try:
        yield
    finally:
        _MARK.reset(token)


# A decided asynchronous call on its way down to its own synchronous method; used up by the first to arrive.
_DESCENT: Final[ContextVar[list[tuple[object, Mapping[str, Any]]] | None]] = ContextVar(
    "halo_langchain_descent", default=None
)


@contextmanager
def descending(gate: object, args: Mapping[str, Any]) -> Iterator[None]:
    """Run the block knowing that its gate has decided exactly these arguments."""
    token = _DESCENT.set([(gate, args)])
    try:
        with body():
            yield
    finally:
        _DESCENT.reset(token)


# Inside the body of a decided tool or retriever: what a nested run is told there, the body composed.
_BODY: Final[ContextVar[bool]] = ContextVar("halo_langchain_body", default=False)


@contextmanager
def body() -> Iterator[None]:
    """Run what was decided: no mark reaches it, and its words to a nested model are not the user's."""
    token = _BODY.set(True)
    try:
        with marked(None):
            yield
    finally:
        _BODY.reset(token)


def in_body() -> bool:
    """Whether a decided tool or retriever is running around this."""
    return _BODY.get()


def arrived(gate: object, args: Mapping[str, Any]) -> bool:
    """Whether this very call was decided on the way down."""
    # INVARIANT: one asynchronous decision lets one synchronous call with the same arguments pass.
    descent = _DESCENT.get()
    if not descent or descent[0][0] is not gate or not unchanged(dict(descent[0][1]), dict(args)):
        return False
    descent.clear()
    return True


_CLAIMING: Final = threading.Lock()


def claimed(owner: object, kind: str, name: str, run_id: UUID) -> bool:
    """Whether this run is the one that the mark speaks of; the first run to ask is."""
    return _claims(current_mark(owner, kind, name), run_id)


def claimed_by_any(kind: str, name: str, run_id: UUID) -> bool:
    """As `claimed`, whichever `Halo` decides."""
    mark = _MARK.get()
    return _claims(mark if mark is not None and (mark.kind, mark.name) == (kind, name) else None, run_id)


def _claims(mark: Mark | None, run_id: UUID) -> bool:
    if mark is None or not (mark.armed or mark.kind == "model"):
        return False
    # INVARIANT: one mark lets one run pass, or as many as its call has prompts.
    with _CLAIMING:
        if mark.run_id is None:
            mark.run_id = run_id
        elif mark.run_id != run_id and len(mark.others) < mark.more:
            mark.others.add(run_id)
        return mark.run_id == run_id or run_id in mark.others


@contextmanager
def entered(
    owner: object, kind: str, name: str, config: RunnableConfig | None, call_id: str | None = None
) -> Iterator[None]:
    """Around a guarded object's own entry point: mark, session of the thread, and the step that asked."""
    mark = current_mark(owner, kind, name)
    if mark is None or mark.decided:
        mark = Mark(owner, kind, name)
    mark.call_id = call_id or mark.call_id
    mark.run_id, mark.armed = None, True  # an earlier attempt that was not decided has used it up
    full = ensure_config(config) if current_session() is None or current_asking() is None else None
    try:
        with marked(mark), _placed(full, call_id):
            yield
    except Denied as denied:
        mark.denied = denied
        raise
    finally:
        mark.armed = False


@contextmanager
def _placed(config: RunnableConfig | None, call_id: str | None) -> Iterator[None]:
    session = thread_session(config) if current_session() is None and config is not None else None
    step = step_of(config) if current_asking() is None and config is not None and call_id else ""
    if session is None and not step:
        yield
    elif session is None:
        with asking(Asking(turn=step, kind="message")):
            yield
    elif not step:
        with in_session(session):
            yield
    else:
        with in_session(session), asking(Asking(turn=step, kind="message")):
            yield


def thread_session(config: Mapping[str, Any] | None = None) -> Session | None:
    """The session of a guarded graph's run, else of LangGraph's `thread_id`; without a config, of the one at hand."""
    found = config if config is not None else ensure_config()
    configurable = found.get("configurable") or {}
    run = configurable.get(RUN_SESSION)
    if isinstance(run, str) and run:
        return Session(run, "run")
    thread = configurable.get("thread_id")
    return Session(f"thread:{thread}", "thread") if thread is not None and thread != "" else None


def step_of(config: Mapping[str, Any]) -> str:
    """LangGraph's name of the step at hand: the same when the step is resumed, another one for each turn."""
    step = (config.get("metadata") or {}).get("langgraph_checkpoint_ns", "")
    return f"step:{step}" if step else ""
