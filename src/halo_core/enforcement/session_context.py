"""Context variables that say to which session and to which message an action belongs.

They travel with the threads and tasks of the frameworks. A raw thread has none, and so no session, because it is not
known which request it works for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextvars import Context, ContextVar, Token
from dataclasses import field
from typing import Any, Final

from halo_core.enforcement.session_orders import SessionOrders
from halo_core.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Session:
    """One request's session.

    Args:
        id: exact id.
        source: how it was found: `host` (`halo.session(name)`), `block` (`halo.session()` without a name), `thread`
            (a conversation that the framework carries), `run` (one outermost run), `call` (code that calls guarded
            objects itself, see `activities`).
        user: whom the agent acts for, as the host asserts; empty keeps the facade's.
        request: the user's own words, if the host gave them.
        vouches_history: the host says that the conversation so far holds nothing but the user's words and this agent's.
        network: network address that the request came from, as the host knows it.
        began_us: when the host opened the block that it stands for, microseconds; 0 where no block was opened.
        earlier_requests: what the host gave as the user's words in earlier blocks of the session, oldest first, as far
            as no recorded decision carries it. Empty without a request: they count as the user's only beside one.
        orders: what the user ordered in this block, as calls that the host lists; None where it lists none.
    """

    id: str
    source: str
    user: str = ""
    request: str = ""
    vouches_history: bool = False
    network: str = ""
    began_us: int = field(default=0, compare=False)
    earlier_requests: tuple[str, ...] = field(default=(), compare=False)
    orders: SessionOrders | None = field(default=None, compare=False)

    @property
    def is_opened_by_host(self) -> bool:
        """Whether it is one of `halo.session`, with a name or without."""
        return self.source in ("block", "host")


@dataclass(frozen=True, slots=True)
class TriggeringMessage:
    """The message that led to an action: its id, its kind (`message`, `user`, `handoff`) and its text."""

    turn: str = ""
    call_id: str = ""
    kind: str = "host"
    text: str = ""


@dataclass(frozen=True, slots=True)
class ActiveDelegation:
    """The link under which the receiver of a hand-off acts.

    Args:
        root: the facade's agent, which handed off.
        session: id of the session in which it did.
        handle: handle of the link.
        agents: agents from the first receiver down to the actor.
    """

    root: str
    session: str
    handle: str
    agents: tuple[str, ...]


_SESSION: Final[ContextVar[Session | None]] = ContextVar("halo_session", default=None)
_TRIGGERING_MESSAGE: Final[ContextVar[TriggeringMessage | None]] = ContextVar("halo_triggering_message", default=None)

NO_SESSION: Final = Session("", "none")
"""Where nobody knows for which request an action runs; such an action is denied in enforce mode."""

# Set where Halo is opened, and so in every context that was copied from there.
_LINEAGE: Final[ContextVar[bool]] = ContextVar("halo_lineage", default=False)


def mark_lineage() -> None:
    """Mark this context, and contexts copied from it, as belonging to whoever opened Halo."""
    _LINEAGE.set(True)


def is_raw_thread() -> bool:
    """Whether this thread was started without a copied context: not the main one, and not marked."""
    return not _LINEAGE.get() and threading.current_thread() is not threading.main_thread()


STARTED_INSIDE: Final[ContextVar[bool]] = ContextVar("halo_started_inside", default=False)
"""Set in a raw thread that was started inside a request."""


def is_lost_thread() -> bool:
    """Whether this is a raw thread that was started inside a request, so that nobody knows for which of its agents."""
    return is_raw_thread() and STARTED_INSIDE.get()


_DELEGATION: Final[ContextVar[Callable[[], ActiveDelegation | None] | None]] = ContextVar(
    "halo_delegation", default=None
)


def current_delegation(root: str, session: str) -> ActiveDelegation | None:
    """The delegation under which this context acts in the agent's session; None if it acts for itself."""
    find_delegation = _DELEGATION.get()
    delegation = find_delegation() if find_delegation is not None else None
    return delegation if delegation is not None and (delegation.root, delegation.session) == (root, session) else None


def current_delegation_session(root: str = "") -> str | None:
    """The session in which this context acts under a delegation; None if it acts for itself.

    Args:
        root: only under one that began with this agent; empty for any.
    """
    delegation = _get_delegation()
    return delegation.session if delegation is not None and root in ("", delegation.root) else None


def _get_delegation() -> ActiveDelegation | None:
    find_delegation = _DELEGATION.get()
    return find_delegation() if find_delegation is not None else None


def current_session() -> Session | None:
    """The session of this context; None outside any."""
    return _SESSION.get()


def current_triggering_message() -> TriggeringMessage | None:
    """The message that led to the current code; None if unknown."""
    return _TRIGGERING_MESSAGE.get()


IN_BODY: Final[ContextVar[bool]] = ContextVar("halo_in_body", default=False)
"""Set while something decided runs; see `in_body`."""


def in_body() -> bool:
    """Whether a decided action runs around the current code: its messages to a nested model are not the user's."""
    return IN_BODY.get()


class ContextVarScope:
    """A block during which context variables hold these values.

    As a generator with `contextmanager` would do it, in half the time: a guarded call goes through several. Each is
    entered once.
    """

    __slots__ = ("_tokens", "_values")

    def __init__(self, *values: tuple[ContextVar[Any], Any]) -> None:
        self._values = values
        self._tokens: list[Token[Any]] = []

    def __enter__(self) -> None:
        for variable, value in self._values:  # no comprehension: that is a call more
            self._tokens.append(variable.set(value))

    def __exit__(self, *_exc: object) -> None:
        for token in self._tokens:
            token.var.reset(token)


def delegation_scope(value: ActiveDelegation | None) -> ContextVarScope:
    """Run the block under a link; None stands for the agent's own."""
    return ContextVarScope(delegation_value(value))


def delegation_value(value: ActiveDelegation | None) -> tuple[ContextVar[Any], Any]:
    """For a `ContextVarScope`: like `delegation_scope`."""
    return _DELEGATION, lambda: value


def dynamic_delegation_scope(find_delegation: Callable[[], ActiveDelegation | None]) -> ContextVarScope:
    """Run the block under the link that `find_delegation` returns each time: in a run, the actor changes."""
    return ContextVarScope((_DELEGATION, find_delegation))


def session_scope(session: Session) -> ContextVarScope:
    """Run the block inside a session."""
    return ContextVarScope((_SESSION, session))


def triggering_message_scope(value: TriggeringMessage) -> ContextVarScope:
    """Run the block on behalf of a message."""
    return ContextVarScope((_TRIGGERING_MESSAGE, value))


def session_values(session: Session | None, message: TriggeringMessage | None) -> list[tuple[ContextVar[Any], Any]]:
    """Context variables and their values for a block in this session, on behalf of this message."""
    values: list[tuple[ContextVar[Any], Any]] = []
    if session is not None:
        values.append((_SESSION, session))
    if message is not None:
        values.append((_TRIGGERING_MESSAGE, message))
    return values


class AwaitableInContext:
    """An awaitable whose every step runs in one context."""

    __slots__ = ("_awaitable", "_context")

    def __init__(self, context: Context, awaitable: Any) -> None:
        self._context = context
        self._awaitable = awaitable

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self._awaitable.__await__()
        step, value = steps.send, None
        while True:
            try:
                waiting = self._context.run(step, value)
            except StopIteration as end:
                return end.value
            try:
                step, value = steps.send, (yield waiting)
            except GeneratorExit:
                self._context.run(steps.close)
                raise
            except BaseException as error:  # noqa: BLE001  a cancellation, or what was waited for: it goes inside
                step, value = steps.throw, error
