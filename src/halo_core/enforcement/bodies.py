"""What runs inside of a decided action, and whether it was shown untrusted content there.

A tool that is declared as trusted may run another agent, or read a mailbox, in its body. Its answer is made from what
that saw, whatever the tool's own declaration says.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from halo_core.enforcement.session_context import ContextVarScope
from halo_core.model import ActionKind, Provenance

if TYPE_CHECKING:
    from halo_core.enforcement.decision_context import DecisionContext


class _Body(NamedTuple):
    """The body of an action, and the one around it."""

    context: DecisionContext
    outer: _Body | None


_BODY: Final[ContextVar[_Body | None]] = ContextVar("halo_body", default=None)
_NO_SCOPE: Final = nullcontext()


def body_scope(context: DecisionContext | None) -> AbstractContextManager[Any]:
    """Run the block as the body of a decided action; of one that nobody could decide, as part of what is around it."""
    outer = _BODY.get()
    if context is None or (outer is not None and outer.context is context):
        return _NO_SCOPE
    return ContextVarScope((_BODY, _Body(context, outer)))


def note_inner_outcome(context: DecisionContext, origin: Provenance) -> None:
    """Note, for all actions around an action, that it was shown untrusted content there.

    INVARIANT: VOUCH - a result inherits from everything that ran inside of its action.

    Args:
        context: of the inner action.
        origin: of its source.
    """
    body = _BODY.get()
    is_source = context.resource.kind is not ActionKind.INFERENCE
    while body is not None:
        outer = body.context
        is_exposed = is_source and (origin is Provenance.UNTRUSTED or context.has_exposed_body)
        if is_exposed or _is_newly_exposed(context, outer):
            outer.has_exposed_body = True
        body = body.outer


def _is_newly_exposed(inner: DecisionContext, outer: DecisionContext) -> bool:
    """Whether an inner action is exposed and the one around it was not when it was decided."""
    is_same = inner.session == outer.session
    return inner is not outer and inner.state.view.tainted and not (is_same and outer.state.view.tainted)
