"""Room: what travels with a call inside LangChain: the guard mark, what was decided. Takes: calls. Gives: context.

A mark says "the guard ahead decides this very run", so that a callback or middleware does not decide it again. It
knows that run by what nothing else can have: the run id that the guard chose, or, of a model, the very object that its
runs show of it. Code that runs before the action (a handler, another middleware) cannot take it. Never: decides.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from uuid import UUID

from langchain_core.runnables import ensure_config
from langchain_core.utils.uuid import uuid7

from halo_core.errors import Denied
from halo_core.session import Asking, asking, current_asking, current_session, in_session
from halo_langchain._sessions import step_of, thread_session
from halo_langchain._values.texts import words_of

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage
    from langchain_core.runnables import RunnableConfig

__all__ = [
    "During",
    "Mark",
    "Start",
    "body",
    "chosen",
    "claimed",
    "claimed_by_any",
    "current_mark",
    "entered",
    "in_body",
    "mark_of",
    "marked",
    "source_of",
]

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Start:
    """A run that begins, and asks whether a guard decides it.

    Args:
        kind: `tool`, `retriever` or `model`.
        run_id: of the run.
        name: of a tool, as the framework says it.
        source: what a model's run shows of the model.
        messages: what a chat model is shown.
    """

    kind: str
    run_id: UUID
    name: str = ""
    source: object = None
    messages: Sequence[BaseMessage] = ()


@dataclass(slots=True)
class Mark:
    """One action under way.

    Args:
        owner: the `Halo` that decides it.
        kind: `tool`, `retriever` or `model`.
        name: of a tool, as the framework says it; empty for a retriever, whose name a run may hide, and for a model.
        call_id: the framework's id of the call.
        decided: whether a decision was asked for.
        armed: whether the guarded object itself has been entered. Until then the mark lets nothing pass: code between
            the middleware and the tool may call another of the same name.
        denied: the refusal, where it was refused: whoever handles errors of tools may make something else of it.
        run_id: the only run that may pass; None where the class's own entry point chooses it, so the first to ask may.
        source: of a model, what its runs show of it; no run that shows another one may pass.
        words: of a model that only the middleware decides, what it was decided on; a run shown other words is another.
        runs: how many runs the action starts: a model call with several prompts starts one for each.
        passed: the runs that were let pass.
    """

    owner: object
    kind: str
    name: str = ""
    call_id: str = ""
    decided: bool = False
    armed: bool = False
    denied: Denied | None = None
    run_id: UUID | None = None
    source: object = None
    words: tuple[tuple[str, str], ...] | None = None
    runs: int = 1
    passed: set[UUID] = field(default_factory=set)

    def fits(self, start: Start) -> bool:
        """Whether a run is one of this action's own."""
        if not self.armed or self.kind != start.kind:
            return False
        if self.kind == "model":
            shown = self.words is None or self.words == words_of(start.messages)
            return self.source is not None and self.source is start.source and shown
        return start.run_id == self.run_id if self.run_id is not None else start.name == self.name


_MARK: Final[ContextVar[Mark | None]] = ContextVar("halo_langchain_mark", default=None)


def current_mark(owner: object, kind: str, name: str) -> Mark | None:
    """The mark of this context, if it is about this very thing."""
    mark = _MARK.get()
    fits = mark is not None and mark.owner is owner and mark.kind == kind and mark.name == name
    return mark if fits else None


class During(Generic[V]):
    """A block during which context variables hold these values.

    As a generator with `contextmanager` would do it, in half the time: a guarded call goes through half a dozen.
    """

    __slots__ = ("_given", "_tokens")

    def __init__(self, *given: tuple[ContextVar[V], V]) -> None:
        self._given = given
        self._tokens: list[Token[V]] = []

    def __enter__(self) -> None:
        self._tokens = [variable.set(value) for variable, value in self._given]

    def __exit__(self, *_exc: object) -> None:
        for (variable, _), token in zip(self._given, self._tokens, strict=True):
            variable.reset(token)


def marked(mark: Mark | None) -> During[Any]:
    """Run the block under a mark; None takes away whatever mark there is."""
    return During((_MARK, mark))


# Inside the body of a decided tool or retriever: what a nested run is told there, the body composed.
_BODY: Final[ContextVar[bool]] = ContextVar("halo_langchain_body", default=False)


def body(mark: Mark | None = None) -> During[Any]:
    """Run what was decided: no mark reaches it but this, and its words to a nested model are not the user's."""
    return During((_BODY, True), (_MARK, mark))


def in_body() -> bool:
    """Whether a decided tool or retriever is running around this."""
    return _BODY.get()


_CLAIMING: Final = threading.Lock()


def claimed(owner: object, start: Start) -> bool:
    """Whether this run is one that the mark speaks of."""
    mark = _MARK.get()
    return mark is not None and mark.owner is owner and _claims(mark, start)


def claimed_by_any(start: Start) -> bool:
    """As `claimed`, whichever `Halo` decides."""
    mark = _MARK.get()
    return mark is not None and _claims(mark, start)


def _claims(mark: Mark, start: Start) -> bool:
    if not mark.fits(start):
        return False
    # INVARIANT: one mark lets one run pass, or as many as its call has prompts.
    with _CLAIMING:
        if len(mark.passed) < mark.runs:
            mark.passed.add(start.run_id)
        return start.run_id in mark.passed


def source_of(model: object) -> object:
    """What the runs of this very model, and of its copies, show of it; None of what starts none."""
    return getattr(model, "_serialized", None)


def chosen(kwargs: dict[str, Any]) -> UUID:
    """The id of the run that these arguments of an entry point start, put there unless the caller chose one."""
    if kwargs.get("run_id") is None:
        kwargs["run_id"] = uuid7()
    found: UUID = kwargs["run_id"]
    return found


def mark_of(owner: object, kind: str, name: str = "", run_id: UUID | None = None) -> Mark:
    """The mark of an entry point that is reached: the middleware's of this very call, else a new one."""
    mark = current_mark(owner, kind, name)
    if mark is None or mark.decided or mark.armed:
        mark = Mark(owner, kind, name)
    mark.run_id = run_id
    return mark


@contextmanager
def entered(mark: Mark, config: RunnableConfig | None, call_id: str | None = None) -> Iterator[None]:
    """Around a guarded object's own entry point: mark, session of the thread, and the step that asked."""
    mark.call_id = call_id or mark.call_id
    mark.passed, mark.armed = set(), True  # an earlier attempt that was not decided has used it up
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
