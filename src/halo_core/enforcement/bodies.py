"""The bodies of decided actions: what runs inside an action, and whether it received untrusted content there.

A tool that is declared as trusted may run another agent, or read a mailbox, in its body. Its result then depends on
what was read there, whatever the tool's declaration says.

Code that a body starts is recognised by its context, which threads do not inherit. So a thread counts as inside an open
body if it runs in the body's session, and shares neither its run nor the block that opened the session. `body_threads`
passes the body on to threads.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from halo_core.enforcement.activities import Activity, current_run_activity
from halo_core.enforcement.session_context import Session, current_session
from halo_core.model import ActionKind, Provenance

if TYPE_CHECKING:
    from halo_core.enforcement.decision_context import DecisionContext


class Body:
    """The running body of an action, with the body around it, and its run or host block.

    It is open inside its `with` block, or from `open` to `close` where no block holds its run.

    Args:
        context: context of the decision.
        outer: the body around it.
    """

    __slots__ = ("_token", "activity", "context", "outer", "session")

    def __init__(self, context: DecisionContext, outer: Body | None) -> None:
        self.context = context
        self.outer = outer
        self.activity = current_run_activity()
        self.session = current_session()

    def __enter__(self) -> None:
        self.open()
        self._token = BODY.set(self)

    def __exit__(self, *_exc: object) -> None:
        BODY.reset(self._token)
        self.close()

    def open(self) -> None:
        """Note that the body begins."""
        session = self.context.session
        with _lock:
            if (open_bodies := _OPEN.get(session)) is None:
                _OPEN[session] = [self]
            else:
                open_bodies.append(self)

    def close(self) -> None:
        """Note that the body has ended."""
        session = self.context.session
        with _lock:
            open_bodies = _OPEN.get(session, [])
            if self in open_bodies:  # of a process that was forked meanwhile, it may be another one's
                open_bodies.remove(self)
            if not open_bodies:
                _OPEN.pop(session, None)

    def is_beside(self, activity: Activity | None, session: Session | None) -> bool:
        """Whether the body belongs to this run or host block, so that other code of it may run beside the body."""
        return (activity is not None and activity is self.activity) or (session is not None and session is self.session)


BODY: Final[ContextVar[Body | None]] = ContextVar("halo_body", default=None)
_NO_SCOPE: Final = nullcontext()
_OPEN: Final[dict[str, list[Body]]] = {}  # by session
_lock = threading.Lock()


def _begin_anew() -> None:
    """After a fork, keep only the bodies around the code that continues; other threads do not exist any more."""
    global _lock  # noqa: PLW0603  the old one may be held by a thread that is not there
    _lock = threading.Lock()
    _OPEN.clear()
    body = BODY.get()
    while body is not None:
        _OPEN.setdefault(body.context.session, []).append(body)
        body = body.outer


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)


def enter_body(body: Body) -> None:
    """Note that this context's code runs in a body opened elsewhere, unless that is already known."""
    known = BODY.get()
    while known is not None:
        if known is body:
            return
        known = known.outer
    BODY.set(body)


def body_scope(context: DecisionContext | None) -> AbstractContextManager[Any]:
    """Run the block as the body of a decided action; if nothing was decided, it is part of the body around it."""
    outer = BODY.get()
    if context is None or (outer is not None and outer.context is context):
        return _NO_SCOPE
    return Body(context, outer)


def note_inner_outcome(context: DecisionContext, origin: Provenance) -> None:
    """Note in all actions around an action that it received untrusted content.

    INVARIANT: VOUCH - a result inherits from everything that ran inside its action.

    Args:
        context: context of the inner action.
        origin: origin of its source.
    """
    if BODY.get() is None and not _OPEN.get(context.session):
        return  # as of most actions: nothing is around it
    is_source = context.resource.kind is not ActionKind.INFERENCE
    is_exposed = is_source and (origin is Provenance.UNTRUSTED or context.has_exposed_body)
    for body in _list_surrounding(context.session):
        outer = body.context
        if outer is not context and (is_exposed or _is_newly_exposed(context, outer)):
            outer.has_exposed_body = True


def _list_surrounding(session: str) -> Iterator[Body]:
    body = outermost = BODY.get()
    while body is not None:
        yield body
        outermost, body = body, body.outer
    if not _OPEN.get(session):
        return
    with _lock:
        bodies = tuple(_OPEN.get(session, ()))
    activity = outermost.activity if outermost is not None else current_run_activity()
    block = outermost.session if outermost is not None else current_session()
    for item in bodies:
        # INVARIANT: FAILCLOSED - nobody knows who started this thread, and it may have been one of these.
        if not item.is_beside(activity, block):
            yield item


def _is_newly_exposed(inner: DecisionContext, outer: DecisionContext) -> bool:
    """Whether an inner action is exposed and the outer one was not exposed when it was decided."""
    is_same = inner.session == outer.session
    return inner is not outer and inner.state.view.tainted and not (is_same and outer.state.view.tainted)
