"""Context of a run inside LangChain: its session, what guards it, and claims of guards on runs to come.

The session also travels in LangChain's configuration, which reaches places that context variables do not, such as
threads of the application. The configuration names the session only, not the link under which its holder acts.

An `Enclosure` is the guarded object, or the middleware, around the running code. Objects without a guard that start
inside it are decided too (`_nested_runs`).

A `RunClaim` says that a guard further down decides a run, so that callbacks and middleware do not decide it again. It
identifies the run by something that no other run has: the run id that the guard chose or, for a model, the very object
that its runs show. Code that runs in between (a handler, another middleware) cannot use the claim.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import UUID

from langchain_core.runnables import ensure_config
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.utils.uuid import uuid7

from halo_core.enforcement.activities import is_inside_run_without_links
from halo_core.enforcement.session_context import (
    IN_BODY,
    NO_SESSION,
    ContextVarScope,
    Session,
    TriggeringMessage,
    current_delegation_session,
    current_session,
    current_triggering_message,
    is_lost_thread,
    session_values,
)
from halo_core.errors import Denied
from halo_langchain._translate import list_message_texts

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage
    from langchain_core.runnables import RunnableConfig

    from halo_core.model import Resource


class _RunSessionId(str):
    """Id of the session of a run; a type that no JSON yields, so that no caller can choose another's."""

    __slots__ = ()


class _LinkMarker(Enum):
    """Marks a configuration made under a link."""

    LINK = "link"


_RUN_SESSION_KEY: Final = "__halo_session"
_LINK_KEY: Final = "__halo_under"
"""Keys of a configuration; LangGraph persists none that begins like these."""
_TASK_KEY: Final = "__pregel_task_id"  # LangGraph's, in the configuration of a node


def with_run_session(config: Mapping[str, Any] | None, session: str) -> Any:
    """The configuration of a run with a session of its own."""
    return _with_configurable(config, _RUN_SESSION_KEY, _RunSessionId(session))


def with_link_marker(config: Mapping[str, Any] | None) -> Any:
    """The configuration of what runs under a link; used outside that link, the acting agent is unknown."""
    return _with_configurable(config, _LINK_KEY, _LinkMarker.LINK)


def _with_configurable(config: Mapping[str, Any] | None, key: str, value: Any) -> dict[str, Any]:
    base_config = config or {}
    return {**base_config, "configurable": {**(base_config.get("configurable") or {}), key: value}}


def find_thread_session(config: Mapping[str, Any] | None = None, *, task: bool = True) -> Session | None:
    """The session of LangGraph's `thread_id`, else of a guarded graph's run; without an id if context was lost.

    Args:
        config: configuration of the run; None for the current one.
        task: whether a configuration of a running node says that somebody is inside that node.
    """
    if current_delegation_session() is not None:
        return None  # the session is the link's
    configurable = (config if config is not None else ensure_config()).get("configurable") or {}
    outer_config = var_child_runnable_config.get()
    outer_configurable = (outer_config or {}).get("configurable") or {}
    marker = _LinkMarker.LINK
    is_linked = configurable.get(_LINK_KEY) is marker or outer_configurable.get(_LINK_KEY) is marker
    # INVARIANT: SUB - a thread or context that the link was not carried into acts for nobody, not for the first agent.
    # LangGraph itself runs the later parts of an asynchronous node without a configuration in their context. That
    # context still holds the outermost run, which no lost one does.
    is_lost = task and outer_config is None and _TASK_KEY in configurable and not is_inside_run_without_links()
    if is_linked or is_lost or is_lost_thread():
        return NO_SESSION
    thread, run = configurable.get("thread_id"), configurable.get(_RUN_SESSION_KEY)
    if thread is not None and thread != "":
        return Session(f"thread:{thread}", "thread")
    return Session(str(run), "run") if type(run) is _RunSessionId else None


def fallback_session_scope(find_session: Callable[[], Session | None]) -> ContextVarScope:
    """Run the block in the session that `find_session` gives, unless the context is in one."""
    if current_session() is not None:
        return _NO_SCOPE
    return ContextVarScope(*session_values(find_session(), None))


_NO_SCOPE: Final = ContextVarScope()  # it holds nothing, so that any number may be inside


def graph_session_scope(config: Mapping[str, Any] | None, *, task: bool = False) -> ContextVarScope:
    """The session of a run if the host opened none; with `task`, for a run that LangGraph did not start."""
    return fallback_session_scope(lambda: find_thread_session(ensure_config(config), task=task))  # type: ignore[arg-type]


def find_event_session(metadata: Mapping[str, Any]) -> Session | None:
    """Like `find_thread_session`, from the run metadata in an event."""
    thread_entry = {"thread_id": metadata.get("thread_id")} if metadata.get("thread_id") else {}
    task_entry = {_TASK_KEY: ""} if "langgraph_step" in metadata else {}
    return find_thread_session(
        {"configurable": {**(ensure_config().get("configurable") or {}), **thread_entry, **task_entry}}
    )


def get_step_id(config: Mapping[str, Any]) -> str:
    """LangGraph's name of the current step: equal when the step is resumed, different for each turn."""
    step = (config.get("metadata") or {}).get("langgraph_checkpoint_ns", "")
    return f"step:{step}" if step else ""


@dataclass(frozen=True, slots=True)
class RunStart:
    """A starting run, for asking whether a guard decides it.

    Args:
        kind: `tool`, `retriever` or `model`.
        run_id: id of the run.
        name: name of a tool in the framework.
        source: what a model's run shows of the model; of any other run, the tool or retriever that starts it.
        messages: what a chat model is shown.
        has_fields_of: whether what is sent beside the messages is no more than what a call was decided on.
    """

    kind: str
    run_id: UUID
    name: str = ""
    source: object = None
    messages: Sequence[BaseMessage] = ()
    has_fields_of: Callable[[Any], bool] | None = None


@dataclass(slots=True)
class RunClaim:
    """A guard's claim on the run of an action that it decides.

    Args:
        owner: the `Halo` that decides it.
        kind: `tool`, `retriever` or `model`.
        name: of a tool, as the framework says it; empty for a retriever, whose name a run may hide, and for a model.
        call_id: the framework's id of the call.
        decided: whether a decision was asked for.
        active: whether the guarded object itself has been entered. Until then the claim lets nothing pass: code between
            the middleware and the tool may call another of the same name.
        denied: the refusal, where it was refused: whoever handles errors of tools may make something else of it.
        run_id: the only run that may pass; None if the class's own entry point chooses it, so the first to ask may.
        source: what a model's runs show of it, or the tool or retriever itself where its class's own entry point
            chooses the run; no run of another one may pass.
        message_texts: of a model that only the middleware decides, what it was decided on; a run shown other words is
            another.
        model_input: beside it, what else the middleware decided on; a run that sends more is another.
        max_runs: how many runs the action starts: a model call with several prompts starts one for each.
        admitted_runs: the runs that were let pass.
        starts_at_once: whether the entry point starts the action's own run before anything else, which so needs no
            handler that looks at it; taken by that start.
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
    model_input: Any = None
    max_runs: int = 1
    admitted_runs: set[UUID] = field(default_factory=set)
    starts_at_once: bool = False

    def matches(self, start: RunStart) -> bool:
        """Whether a run belongs to this action."""
        if not self.active or self.kind != start.kind:
            return False
        if self.kind == "model":
            same_messages = self.message_texts is None or self.message_texts == list_message_texts(start.messages)
            if self.source is None or self.source is not start.source or not same_messages:
                return False
            # Middleware that stands behind ours can add to what is sent.
            return self.model_input is None or start.has_fields_of is None or start.has_fields_of(self.model_input)
        if self.run_id is not None:
            return start.run_id == self.run_id
        # INVARIANT: what the entry point hands on to is decided, even if it has the same name.
        return start.source is self.source


_CLAIM: Final[ContextVar[RunClaim | None]] = ContextVar("halo_langchain_mark", default=None)


def current_claim(owner: object, kind: str, name: str) -> RunClaim | None:
    """The claim of this context, if it is about this object."""
    claim = _CLAIM.get()
    is_match = claim is not None and claim.owner is owner and claim.kind == kind and claim.name == name
    return claim if is_match else None


def claim_scope(claim: RunClaim | None) -> ContextVarScope:
    """Run the block under a claim; None removes any claim."""
    return ContextVarScope((_CLAIM, claim))


DECIDED_RUN_OBSERVERS: Final[list[Callable[[UUID | None], None]]] = []
"""Told the parent of each run that starts inside something guarded, and so is decided; the tripwire's."""


class Enclosure(Protocol):
    """What runs around something: a guard of a graph, tool, retriever or model, or the middleware."""

    @property
    def halo(self) -> Any:
        """The Halo that decides what starts inside."""

    @property
    def resource(self) -> Resource:
        """The resource that the guarded object itself was registered as."""


_ENCLOSURE: Final[ContextVar[Enclosure | None]] = ContextVar("halo_langchain_enclosure", default=None)


def current_enclosure() -> Enclosure | None:
    """The innermost guarded object around this code; None outside any."""
    return _ENCLOSURE.get()


def enclosure_scope(enclosure: Enclosure) -> ContextVarScope:
    """Run the block inside a guarded object without a body of its own: a graph, an agent's model call."""
    return ContextVarScope(*enclosure_values(enclosure))


def enclosure_values(enclosure: Enclosure, claim: RunClaim | None = None) -> tuple[tuple[ContextVar[Any], Any], ...]:
    """Context variables for the block of `enclosure_scope`."""
    return (_ENCLOSURE, enclosure), (_CLAIM, claim)


def body_values(enclosure: Enclosure, claim: RunClaim | None = None) -> tuple[tuple[ContextVar[Any], Any], ...]:
    """Context variables while a decided action runs.

    No claim reaches it but this one, and what it says to a nested model is not the user's word.
    """
    return (IN_BODY, True), (_CLAIM, claim), (_ENCLOSURE, enclosure)


_DECIDED_PROGRAMS: Final[ContextVar[tuple[Any, ...]]] = ContextVar("halo_langchain_programs", default=())


def program_values(resource: Resource, arguments: Mapping[str, Any]) -> tuple[tuple[ContextVar[Any], Any], ...]:
    """Context variables while a tool runs whose argument is a decided program."""
    if not resource.programs:
        return ()
    programs = [arguments.get(name) for name, _ in resource.list_programs()]
    return ((_DECIDED_PROGRAMS, tuple(item for item in programs if isinstance(item, str))),)


def is_decided_program(program: object) -> bool:
    """Whether a program was decided as an argument of the tool around it."""
    return program in _DECIDED_PROGRAMS.get()


_STARTING: Final[ContextVar[tuple[object, object]]] = ContextVar("halo_langchain_starting", default=(None, None))


def note_starting(obj: object, options: object) -> None:
    """Note the tool, model or retriever whose run is starting: its callbacks get only a name.

    Args:
        obj: it.
        options: keyword arguments that its method had.
    """
    _STARTING.set((obj, options))


def find_starting_object(kind: type[Any]) -> object:
    """The tool or retriever whose run is starting, whatever the run is called; None if that is not known."""
    obj, _ = _STARTING.get()
    return obj if isinstance(obj, kind) else None


def find_starting(kind: type[Any], is_it: Callable[[Any], bool]) -> tuple[Any, dict[str, Any]]:
    """The object whose run is starting, if it is the one the run shows, and its keyword arguments; else None."""
    obj, options = _STARTING.get()
    if not isinstance(obj, kind) or not is_it(obj):
        return None, {}
    return obj, options if isinstance(options, dict) else {}


def take_own_start() -> bool:
    """Whether the starting run is the first run of a guard's entry point; true once."""
    claim = _CLAIM.get()
    if claim is None or not (claim.active and claim.starts_at_once):
        return False
    claim.starts_at_once = False
    return True


_CLAIM_LOCK: Final = threading.Lock()


def claim_run(owner: object, start: RunStart) -> bool:
    """Whether the claim covers this run."""
    claim = _CLAIM.get()
    return claim is not None and claim.owner is owner and _try_claim(claim, start)


def claim_run_for_any(start: RunStart) -> bool:
    """Like `claim_run`, for any `Halo` that decides the current action."""
    claim = _CLAIM.get()
    return claim is not None and _try_claim(claim, start)


def _try_claim(claim: RunClaim, start: RunStart) -> bool:
    if not claim.matches(start):
        return False
    # INVARIANT: one claim lets one run pass, or as many as its call has prompts.
    with _CLAIM_LOCK:
        if len(claim.admitted_runs) < claim.max_runs:
            claim.admitted_runs.add(start.run_id)
        return start.run_id in claim.admitted_runs


def get_run_source(model: object) -> object:
    """The object that runs of this model, and of its copies, show; None for one that starts no runs."""
    return getattr(model, "_serialized", None)


def ensure_run_id(kwargs: dict[str, Any]) -> UUID:
    """The id of the run that an entry point starts with these arguments; set unless the caller chose one."""
    if kwargs.get("run_id") is None:
        kwargs["run_id"] = uuid7()
    run_id: UUID = kwargs["run_id"]
    return run_id


def get_or_create_claim(
    owner: object, kind: str, name: str = "", run_id: UUID | None = None, call_id: str = ""
) -> RunClaim:
    """The claim at an entry point: the middleware's for this call, else a new one."""
    claim = current_claim(owner, kind, name)
    if claim is None or claim.decided or claim.active:
        claim = RunClaim(owner, kind, name)
    claim.run_id = run_id
    claim.call_id = call_id or claim.call_id
    return claim


class entry_scope(ContextVarScope):  # noqa: N801  used as a function
    """The scope of a guarded object's entry point: its claim, the thread's session, the asking step, and `values`."""

    __slots__ = ("_claim",)

    def __init__(
        self,
        claim: RunClaim,
        config: RunnableConfig | None,
        *values: tuple[ContextVar[Any], Any],
        starts_at_once: bool = False,
    ) -> None:
        claim.admitted_runs, claim.active = set(), True  # an earlier attempt that was not decided has used it up
        claim.starts_at_once = starts_at_once
        self._claim = claim
        finds_session = current_session() is None
        finds_step = bool(claim.call_id) and current_triggering_message() is None
        if finds_session or finds_step:
            config = ensure_config(config)
            step = get_step_id(config) if finds_step else ""
            message = TriggeringMessage(turn=step, kind="message") if step else None
            session = find_thread_session(config) if finds_session else None
            values = (*values, *session_values(session, message))
        super().__init__((_CLAIM, claim), *values)

    def __exit__(self, *exc: object) -> None:
        self._claim.active = False
        if isinstance(exc[1], Denied):
            self._claim.denied = exc[1]
        super().__exit__()
