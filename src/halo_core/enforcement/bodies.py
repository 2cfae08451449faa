"""What runs inside of a decided action, and whether it was shown untrusted content there.

A tool that is declared as trusted may run another agent, or read a mailbox, in its body. Its answer is made from what
that saw, whatever the tool's own declaration says.

What a body starts knows of it by its context. A thread has none of that: what runs in the session of an open body, and
shares neither its run nor the block that opened the session, counts as inside of it. `body_threads` carries it further.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from halo_core.enforcement.activities import current_run_activity
from halo_core.enforcement.session_context import ContextVarScope, current_session
from halo_core.model import ActionKind, Provenance

if TYPE_CHECKING:
    from halo_core.enforcement.decision_context import DecisionContext


class Body(NamedTuple):
    """The body of an action, the one around it, and what its context shares with what runs beside it."""

    context: DecisionContext
    outer: Body | None
    roots: tuple[object | None, object | None]


BODY: Final[ContextVar[Body | None]] = ContextVar("halo_body", default=None)
_NO_SCOPE: Final = nullcontext()
_OPEN: Final[dict[str, list[Body]]] = {}  # by session
_LOCK: Final = threading.Lock()


class _BodyScope(ContextVarScope):
    """The block of a body, which is open as long as it runs."""

    __slots__ = ("_body",)

    def __init__(self, body: Body) -> None:
        super().__init__((BODY, body))
        self._body = body

    def __enter__(self) -> None:
        super().__enter__()
        with _LOCK:
            _OPEN.setdefault(self._body.context.session, []).append(self._body)

    def __exit__(self, *exc: object) -> None:
        session = self._body.context.session
        with _LOCK:
            open_bodies = [body for body in _OPEN[session] if body is not self._body]
            if open_bodies:
                _OPEN[session] = open_bodies
            else:
                del _OPEN[session]
        super().__exit__(*exc)


def body_scope(context: DecisionContext | None) -> AbstractContextManager[Any]:
    """Run the block as the body of a decided action; of one that nobody could decide, as part of what is around it."""
    outer = BODY.get()
    if context is None or (outer is not None and outer.context is context):
        return _NO_SCOPE
    return _BodyScope(Body(context, outer, _find_roots()))


def note_inner_outcome(context: DecisionContext, origin: Provenance) -> None:
    """Note, for all actions around an action, that it was shown untrusted content there.

    INVARIANT: VOUCH - a result inherits from everything that ran inside of its action.

    Args:
        context: of the inner action.
        origin: of its source.
    """
    is_source = context.resource.kind is not ActionKind.INFERENCE
    is_exposed = is_source and (origin is Provenance.UNTRUSTED or context.has_exposed_body)
    for body in _list_surrounding(context.session):
        outer = body.context
        if outer is not context and (is_exposed or _is_newly_exposed(context, outer)):
            outer.has_exposed_body = True


def _list_surrounding(session: str) -> Iterator[Body]:
    body = BODY.get()
    roots = None
    while body is not None:
        yield body
        roots, body = body.roots, body.outer
    found = _OPEN.get(session)
    if found:
        # INVARIANT: FAILCLOSED - nobody knows who started this thread, and it may have been one of these.
        first, second = roots or _find_roots()
        for item in found:
            if not ((first is not None and item.roots[0] is first) or (second is not None and item.roots[1] is second)):
                yield item


def _find_roots() -> tuple[object | None, object | None]:
    """What siblings of one run share: the run, and the block in which the host opened the session."""
    return current_run_activity(), current_session()


def _is_newly_exposed(inner: DecisionContext, outer: DecisionContext) -> bool:
    """Whether an inner action is exposed and the one around it was not when it was decided."""
    is_same = inner.session == outer.session
    return inner is not outer and inner.state.view.tainted and not (is_same and outer.state.view.tainted)
