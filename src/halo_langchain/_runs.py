"""Context of a run inside LangChain: its session, what guards it, and which run a guard has decided already.

The session also travels in LangChain's configuration, which reaches places that context variables do not, such as
threads of the application. The configuration names the session only, not the link under which its holder acts.

An `Enclosure` is the guarded object, or the middleware, around the running code. Objects without a guard that start
inside it are decided too (`_nested_runs`).

A `RunClaim` says that a guard decides a run, so that callbacks and middleware do not decide it again. It identifies
the run by something that no other run has: the run id that the guard chose or, where the guard cannot choose it, the
very object that starts the run or that the runs of a model show. Code that runs in between (a handler, another
middleware) cannot use the claim.
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
    """The value that marks a configuration as made under a link."""

    LINK = "link"


_RUN_SESSION_KEY: Final = "__halo_session"
_LINK_KEY: Final = "__halo_under"
"""Keys of a configuration. LangGraph stores no key that begins with two underscores."""
_TASK_KEY: Final = "__pregel_task_id"  # LangGraph's, in the configuration of a node


def with_run_session(config: Mapping[str, Any] | None, session: str) -> Any:
    """The configuration of a run with a session of its own."""
    return _with_configurable(config, _RUN_SESSION_KEY, _RunSessionId(session))


def with_link_marker(config: Mapping[str, Any] | None) -> Any:
    """The configuration of what runs under a link. Where it is used outside that link, the acting agent is unknown."""
    return _with_configurable(config, _LINK_KEY, _LinkMarker.LINK)


def _with_configurable(config: Mapping[str, Any] | None, key: str, value: Any) -> dict[str, Any]:
    base_config = config or {}
    return {**base_config, "configurable": {**(base_config.get("configurable") or {}), key: value}}


def find_thread_session(config: Mapping[str, Any] | None = None, *, task: bool = True) -> Session | None:
    """Find the session of LangGraph's `thread_id`, else that of the run of a guarded graph.

    Args:
        config: configuration of the run; None for the current one.
        task: whether the configuration of a node is taken as a sign that the code runs inside that node.

    Returns:
        The session; `NO_SESSION` if the context was lost; None if the configuration names no session, or if the session
        is that of a link.
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
    """Run the block in the session that `find_session` returns, unless the context has a session."""
    if current_session() is not None:
        return _NO_SCOPE
    return ContextVarScope(*session_values(find_session(), None))


_NO_SCOPE: Final = ContextVarScope()  # it holds nothing, so that any number may be inside


def graph_session_scope(config: Mapping[str, Any] | None, *, task: bool = False) -> ContextVarScope:
    """Run the block in the session of a run, unless the context has a session; `task` as in `find_thread_session`."""
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
    """A run that is starting, as it is compared with a claim.

    Args:
        kind: `tool`, `retriever` or `model`.
        run_id: id of the run.
        name: name of a tool in the framework.
        source: of a model's run, what the run shows of the model; of any other run, the tool or retriever itself.
        messages: what a chat model is shown.
        has_fields_of: tells whether the run sends, besides the messages, no more than a decided input has.
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
        active: whether the guarded object itself has been entered. Until then the claim covers no run: code between
            the middleware and the tool may call another tool of the same name.
        denied: the refusal, if the action was refused. It is kept here because code that handles the errors of tools
            may replace the exception.
        run_id: id of the only run that is covered; None if the entry point of the class chooses the id.
        source: for a model, what its runs show of it; without a run id, the tool or retriever. A run of another object
            is not covered.
        message_texts: the messages that the middleware decided on, for a model without a guard of its own. A run with
            other messages is not covered.
        model_input: the whole input that the middleware decided on, likewise. A run that sends more is not covered.
        max_runs: how many runs the action starts: a model call starts one for each of its prompts.
        admitted_runs: ids of the runs that were covered so far.
        starts_at_once: whether the entry point starts the action's own run before anything else. That run needs no
            handler. The flag is cleared when the run starts.
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
            # Middleware that runs after ours can add to what is sent.
            return self.model_input is None or start.has_fields_of is None or start.has_fields_of(self.model_input)
        if self.run_id is not None:
            return start.run_id == self.run_id
        # INVARIANT: an object to which the entry point passes the call on is decided too, even if its name is the same.
        return start.source is self.source


_CLAIM: Final[ContextVar[RunClaim | None]] = ContextVar("halo_langchain_claim", default=None)


def current_claim(owner: object, kind: str, name: str) -> RunClaim | None:
    """The claim of this context, if it is about this object."""
    claim = _CLAIM.get()
    is_match = claim is not None and claim.owner is owner and claim.kind == kind and claim.name == name
    return claim if is_match else None


def claim_scope(claim: RunClaim | None) -> ContextVarScope:
    """Run the block under a claim; None removes any claim."""
    return ContextVarScope((_CLAIM, claim))


DECIDED_RUN_OBSERVERS: Final[list[Callable[[UUID | None], None]]] = []
"""Called with the parent's id of each run that starts inside a guarded object, and so is decided; for the tripwire."""


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
    """Run the block inside a guarded object that is no action by itself: a graph, an agent's model call."""
    return ContextVarScope(*enclosure_values(enclosure))


def enclosure_values(enclosure: Enclosure, claim: RunClaim | None = None) -> tuple[tuple[ContextVar[Any], Any], ...]:
    """Context variables for the block of `enclosure_scope`."""
    return (_ENCLOSURE, enclosure), (_CLAIM, claim)


def body_values(enclosure: Enclosure, claim: RunClaim | None = None) -> tuple[tuple[ContextVar[Any], Any], ...]:
    """Context variables while a decided action runs.

    Only this claim holds inside it. What its code says to a nested model is not the user's word.
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
    """Note the tool, model or retriever whose run is starting, since callbacks are told only its name.

    Args:
        obj: the tool, model or retriever.
        options: keyword arguments with which its method was called.
    """
    _STARTING.set((obj, options))


def find_starting_object(kind: type[Any]) -> object:
    """The tool or retriever whose run is starting, whatever the name of the run; None if it is not known."""
    obj, _ = _STARTING.get()
    return obj if isinstance(obj, kind) else None


def find_starting(kind: type[Any], is_it: Callable[[Any], bool]) -> tuple[Any, dict[str, Any]]:
    """The object whose run is starting, and the keyword arguments of its method; None if it is another object.

    Args:
        kind: class of the object.
        is_it: tells whether it is the object that the run shows.
    """
    obj, options = _STARTING.get()
    if not isinstance(obj, kind) or not is_it(obj):
        return None, {}
    return obj, options if isinstance(options, dict) else {}


def take_own_start() -> bool:
    """Whether the starting run is the claimed action's own. Clears `starts_at_once`, so it is true only once."""
    claim = _CLAIM.get()
    if claim is None or not (claim.active and claim.starts_at_once):
        return False
    claim.starts_at_once = False
    return True


_CLAIM_LOCK: Final = threading.Lock()


def claim_run(owner: object, start: RunStart) -> bool:
    """Whether the claim of this context, made by `owner`, covers a run. Counts the run as admitted if it does."""
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
    """The object that the runs of a model and of its copies show; None for a model that starts no runs."""
    return getattr(model, "_serialized", None)


def ensure_run_id(kwargs: dict[str, Any]) -> UUID:
    """The id of the run that an entry point starts with these arguments. Chooses one unless the caller did."""
    if kwargs.get("run_id") is None:
        kwargs["run_id"] = uuid7()
    run_id: UUID = kwargs["run_id"]
    return run_id


def get_or_create_claim(
    owner: object, kind: str, name: str = "", run_id: UUID | None = None, call_id: str = ""
) -> RunClaim:
    """The claim at an entry point: that of the middleware for this call, else a new one, with these ids."""
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
