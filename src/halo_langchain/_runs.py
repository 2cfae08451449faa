"""Room: which session a run of LangChain's belongs to. Takes: configurations, events. Gives: a session, or none.

A configuration travels where a context variable does not: handed to a thread of somebody's own it still names the
session, but not under which link its holder acts. Never: decides, opens a session.

Room: what travels with a call inside LangChain: the guard mark, what was decided. Takes: calls. Gives: context.

A mark says "the guard ahead decides this very run", so that a callback or middleware does not decide it again. It
knows that run by what nothing else can have: the run id that the guard chose, or, of a model, the very object that its
runs show of it. Code that runs before the action (a handler, another middleware) cannot take it. Never: decides.

Room: a decided call of LangChain's on its way down, with what travels with it. Takes: calls. Gives: a way past.

Never: decides, records.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from uuid import UUID

from langchain_core.runnables import ensure_config
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.utils.uuid import uuid7
from langgraph.errors import GraphBubbleUp

from halo_core.enforcement import Ticket
from halo_core.enforcement import guards as shared
from halo_core.enforcement.guards import GuardMetadata, ReentrantCall, current_reentrant_call
from halo_core.enforcement.session_context import (
    Session,
    TriggeringMessage,
    current_delegation_session,
    current_session,
    current_triggering_message,
    session_scope,
    triggering_message_scope,
)
from halo_core.errors import Denied
from halo_langchain._texts import list_message_texts

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage
    from langchain_core.runnables import RunnableConfig

__all__ = [
    "ContextVarScope",
    "ReentrantCall",
    "RunClaim",
    "RunStart",
    "body_scope",
    "claim_run",
    "claim_run_for_any",
    "claim_scope",
    "current_claim",
    "current_reentrant_call",
    "ensure_run_id",
    "entry_scope",
    "find_event_session",
    "find_thread_session",
    "get_or_create_claim",
    "get_run_source",
    "get_step_id",
    "in_body",
    "make_reentrant_call",
    "reentrant_body_scope",
    "with_link_marker",
    "with_run_session",
]


class _RunSessionId(str):
    """Id of the session of a run; no caller's JSON makes one, so nobody chooses another's."""

    __slots__ = ()


class _LinkMarker(Enum):
    """What stands in a configuration that was made under a link."""

    LINK = "link"


_RUN_SESSION_KEY: Final = "__halo_session"
_LINK_KEY: Final = "__halo_under"
"""Keys of a configuration; LangGraph persists none that begins like these."""
_TASK_KEY: Final = "__pregel_task_id"  # LangGraph's, in the configuration of a node
_LOST_SESSION: Final = Session("", "none")


def with_run_session(config: Mapping[str, Any] | None, session: str) -> Any:
    """A configuration of a run that has a session of its own."""
    return _with_configurable(config, _RUN_SESSION_KEY, _RunSessionId(session))


def with_link_marker(config: Mapping[str, Any] | None) -> Any:
    """A configuration of what runs under a link: elsewhere than under one, nobody knows who acts."""
    return _with_configurable(config, _LINK_KEY, _LinkMarker.LINK)


def _with_configurable(config: Mapping[str, Any] | None, key: str, value: Any) -> dict[str, Any]:
    base_config = config or {}
    return {**base_config, "configurable": {**(base_config.get("configurable") or {}), key: value}}


def find_thread_session(config: Mapping[str, Any] | None = None, *, task: bool = True) -> Session | None:
    """The session of LangGraph's `thread_id`, else of a guarded graph's run; one without an id where context was lost.

    Args:
        config: of the run; None is the one at hand.
        task: whether a configuration of a running node says that somebody is inside that node.
    """
    if current_delegation_session() is not None:
        return None  # the session is the link's
    configurable = (config if config is not None else ensure_config()).get("configurable") or {}
    outer_config = var_child_runnable_config.get()
    configurables = (configurable, (outer_config or {}).get("configurable") or {})
    # INVARIANT: SUB - a thread or context that the link was not carried into acts for nobody, not for the first agent.
    if any(values.get(_LINK_KEY) is _LinkMarker.LINK for values in configurables) or (
        task and outer_config is None and _TASK_KEY in configurable
    ):
        return _LOST_SESSION
    thread, run = configurable.get("thread_id"), configurable.get(_RUN_SESSION_KEY)
    if thread is not None and thread != "":
        return Session(f"thread:{thread}", "thread")
    return Session(str(run), "run") if type(run) is _RunSessionId else None


def find_event_session(metadata: Mapping[str, Any]) -> Session | None:
    """As `thread_session`, for who knows of a run only what its event tells."""
    thread_entry = {"thread_id": metadata.get("thread_id")} if metadata.get("thread_id") else {}
    task_entry = {_TASK_KEY: ""} if "langgraph_step" in metadata else {}
    return find_thread_session(
        {"configurable": {**(ensure_config().get("configurable") or {}), **thread_entry, **task_entry}}
    )


def get_step_id(config: Mapping[str, Any]) -> str:
    """LangGraph's name of the step at hand: the same when the step is resumed, another one for each turn."""
    step = (config.get("metadata") or {}).get("langgraph_checkpoint_ns", "")
    return f"step:{step}" if step else ""


V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class RunStart:
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
class RunClaim:
    """One action under way.

    Args:
        owner: the `Halo` that decides it.
        kind: `tool`, `retriever` or `model`.
        name: of a tool, as the framework says it; empty for a retriever, whose name a run may hide, and for a model.
        call_id: the framework's id of the call.
        decided: whether a decision was asked for.
        active: whether the guarded object itself has been entered. Until then the mark lets nothing pass: code between
            the middleware and the tool may call another of the same name.
        denied: the refusal, where it was refused: whoever handles errors of tools may make something else of it.
        run_id: the only run that may pass; None where the class's own entry point chooses it, so the first to ask may.
        source: of a model, what its runs show of it; no run that shows another one may pass.
        message_texts: of a model that only the middleware decides, what it was decided on; a run shown other words is another.
        max_runs: how many runs the action starts: a model call with several prompts starts one for each.
        admitted_runs: the runs that were let pass.
    """

    owner: object
    kind: str
    name: str = ""
    call_id: str = ""
    decided: bool = False
    active: bool = False
    denied: Denied | None = None
    run_id: UUID | None = None
    source: object = None
    message_texts: tuple[tuple[str, str], ...] | None = None
    max_runs: int = 1
    admitted_runs: set[UUID] = field(default_factory=set)

    def matches(self, start: RunStart) -> bool:
        """Whether a run is one of this action's own."""
        if not self.active or self.kind != start.kind:
            return False
        if self.kind == "model":
            same_messages = self.message_texts is None or self.message_texts == list_message_texts(start.messages)
            return self.source is not None and self.source is start.source and same_messages
        return start.run_id == self.run_id if self.run_id is not None else start.name == self.name


_CLAIM: Final[ContextVar[RunClaim | None]] = ContextVar("halo_langchain_mark", default=None)


def current_claim(owner: object, kind: str, name: str) -> RunClaim | None:
    """The mark of this context, if it is about this very thing."""
    claim = _CLAIM.get()
    is_match = claim is not None and claim.owner is owner and claim.kind == kind and claim.name == name
    return claim if is_match else None


class ContextVarScope(Generic[V]):
    """A block during which context variables hold these values.

    As a generator with `contextmanager` would do it, in half the time: a guarded call goes through half a dozen.
    """

    __slots__ = ("_tokens", "_values")

    def __init__(self, *values: tuple[ContextVar[V], V]) -> None:
        self._values = values
        self._tokens: list[Token[V]] = []

    def __enter__(self) -> None:
        self._tokens = [variable.set(value) for variable, value in self._values]

    def __exit__(self, *_exc: object) -> None:
        for (variable, _), token in zip(self._values, self._tokens, strict=True):
            variable.reset(token)


def claim_scope(claim: RunClaim | None) -> ContextVarScope[Any]:
    """Run the block under a mark; None takes away whatever mark there is."""
    return ContextVarScope((_CLAIM, claim))


# Inside the body of a decided tool or retriever: what a nested run is told there, the body composed.
_IN_BODY: Final[ContextVar[bool]] = ContextVar("halo_langchain_body", default=False)


def body_scope(claim: RunClaim | None = None) -> ContextVarScope[Any]:
    """Run what was decided: no mark reaches it but this, and its words to a nested model are not the user's."""
    return ContextVarScope((_IN_BODY, True), (_CLAIM, claim))


def in_body() -> bool:
    """Whether a decided tool or retriever is running around this."""
    return _IN_BODY.get()


_CLAIM_LOCK: Final = threading.Lock()


def claim_run(owner: object, start: RunStart) -> bool:
    """Whether this run is one that the mark speaks of."""
    claim = _CLAIM.get()
    return claim is not None and claim.owner is owner and _try_claim(claim, start)


def claim_run_for_any(start: RunStart) -> bool:
    """As `claimed`, whichever `Halo` decides."""
    claim = _CLAIM.get()
    return claim is not None and _try_claim(claim, start)


def _try_claim(claim: RunClaim, start: RunStart) -> bool:
    if not claim.matches(start):
        return False
    # INVARIANT: one mark lets one run pass, or as many as its call has prompts.
    with _CLAIM_LOCK:
        if len(claim.admitted_runs) < claim.max_runs:
            claim.admitted_runs.add(start.run_id)
        return start.run_id in claim.admitted_runs


def get_run_source(model: object) -> object:
    """What the runs of this very model, and of its copies, show of it; None of what starts none."""
    return getattr(model, "_serialized", None)


def ensure_run_id(kwargs: dict[str, Any]) -> UUID:
    """The id of the run that these arguments of an entry point start, put there unless the caller chose one."""
    if kwargs.get("run_id") is None:
        kwargs["run_id"] = uuid7()
    run_id: UUID = kwargs["run_id"]
    return run_id


def get_or_create_claim(owner: object, kind: str, name: str = "", run_id: UUID | None = None) -> RunClaim:
    """The mark of an entry point that is reached: the middleware's of this very call, else a new one."""
    claim = current_claim(owner, kind, name)
    if claim is None or claim.decided or claim.active:
        claim = RunClaim(owner, kind, name)
    claim.run_id = run_id
    return claim


@contextmanager
def entry_scope(claim: RunClaim, config: RunnableConfig | None, call_id: str | None = None) -> Iterator[None]:
    """Around a guarded object's own entry point: mark, session of the thread, and the step that asked."""
    claim.call_id = call_id or claim.call_id
    claim.admitted_runs, claim.active = set(), True  # an earlier attempt that was not decided has used it up
    full_config = ensure_config(config) if current_session() is None or current_triggering_message() is None else None
    try:
        with claim_scope(claim), _session_and_message_scope(full_config, call_id):
            yield
    except Denied as denied:
        claim.denied = denied
        raise
    finally:
        claim.active = False


@contextmanager
def _session_and_message_scope(config: RunnableConfig | None, call_id: str | None) -> Iterator[None]:
    session = find_thread_session(config) if current_session() is None and config is not None else None
    step = get_step_id(config) if current_triggering_message() is None and config is not None and call_id else ""
    if session is None and not step:
        yield
    elif session is None:
        with triggering_message_scope(TriggeringMessage(turn=step, kind="message")):
            yield
    elif not step:
        with session_scope(session):
            yield
    else:
        with session_scope(session), triggering_message_scope(TriggeringMessage(turn=step, kind="message")):
            yield


def make_reentrant_call(
    guard: GuardMetadata, args: Mapping[str, Any], ticket: Ticket, *, is_open: bool = True
) -> ReentrantCall:
    """A decided call; what steers a graph comes up from it as it is."""
    return ReentrantCall(guard, args, ticket, is_open=is_open, passthrough_errors=(GraphBubbleUp,))


@contextmanager
def reentrant_body_scope(reentrant_call: ReentrantCall, claim: RunClaim | None = None) -> Iterator[None]:
    """Run the body of a decided call; `claim`: of the run that it may yet start."""
    with shared.reentrant_call_scope(reentrant_call), body_scope(claim):
        yield
