"""State of a run, for its steps and the bodies of tools: context variables, ids of nested calls, the run's store.

Each step of a workflow runs in a copy of the context in which the run was started, so no step sees what another one
sets. What all steps need is set where the run starts (`run_context_scope`); what outlives the process is in the
workflow's own store. Tools can write into that store too, so it holds only ids, each with a keyed digest that only this
home can make; other ids are ignored.

A step that waited runs again from its beginning, and so does the body of a tool. Calls that it has made before have to
be recognised, so that they do not run twice: `make_nested_call_id` combines the work item that made a call with the
number of equal calls before it.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Self

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.chat_engine.types import BaseChatEngine
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.response_synthesizers import BaseSynthesizer
from llama_index.core.tools import BaseTool
from workflows.context.state_store import DictState

from halo_core.enforcement.activities import current_run_activity
from halo_core.enforcement.body_threads import ContextValue, carry_calls_into_threads, carry_into_threads
from halo_core.enforcement.guards import make_named_subclass
from halo_core.enforcement.session_context import (
    IN_BODY,
    NO_SESSION,
    ActiveDelegation,
    ContextVarScope,
    Session,
    current_delegation,
    current_triggering_message,
    is_lost_thread,
    session_values,
)
from halo_core.model import HistoryItem, Provenance, Resource

if TYPE_CHECKING:
    from halo_llamaindex import Halo

KnownTexts = tuple[tuple[str, Provenance], ...]


@dataclass(slots=True, eq=False)
class WorkItem:
    """One piece of a step's work.

    A run that goes on after a pause can be told to look again twice: by being begun anew, and by an event. What waited
    and has come to its end must not give its result a second time; the framework runs others again for its own reasons.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    has_waited: bool = False
    is_done: bool = False
    attempt: int = 0


@dataclass(slots=True, eq=False)
class RunWaits:
    """The questions of one run, and whether they were seen.

    Args:
        handler: handler of the run; None before it was started.
        shown: ids of the questions that somebody has read from the run's events.
        timed: ids of those whose wait is limited.
        unread: ids of those whose time has passed.
        error: error with which the run ends, once the time of a question has passed.
    """

    handler: Any = None
    shown: set[str] = field(default_factory=set)
    timed: set[str] = field(default_factory=set)
    unread: set[str] = field(default_factory=set)
    error: BaseException | None = None


@dataclass(frozen=True, slots=True)
class WorkflowRun:
    """One run of a guarded workflow.

    Args:
        is_resumable: whether the host holds its `Context`, and so can see that it waits, keep it and resume it.
        user_texts: what the host passed to the outermost run as its user's words.
        task: what it is asked to do, whoever asks.
        work_items: of each piece of a step's work that may be run again, a lock, and whether it came to its end.
        memories: what a memory adds to the conversation.
        own_session_ids: id of its session where the workflow's store has no place for one.
        store_lock: held by the step that changes what the store keeps for Halo. (The store's own `edit_state` copies
            all that is in it, the host's memory too, which is then no longer the host's.)
        waits: what it waits for.
        written_values: by key, what was last written into the store for Halo. INVARIANT: what stands there in its
            place, an older entry too, was put there by something else.
    """

    is_resumable: bool
    user_texts: tuple[str, ...] = ()
    task: str = ""
    work_items: dict[tuple[str, str], WorkItem] = field(default_factory=dict)
    memories: list[HistoryItem] = field(default_factory=list)
    own_session_ids: list[str] = field(default_factory=list)
    store_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    written_values: dict[str, Any] = field(default_factory=dict)
    waits: RunWaits = field(default_factory=RunWaits)


@dataclass(slots=True, eq=False)
class CallCounter:
    """Numbers the calls of one piece of work, so that each is recognised when the work runs again.

    Args:
        prefix: names the piece of work.
        counts: calls so far, by what is called with which arguments.
    """

    prefix: str
    counts: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class RunContext:
    """The context of code in a guarded run.

    Args:
        run: the run; None outside any.
        waiting_step: the step that challenges make wait; None if nothing can be resumed.
        called_tool: name of the tool that the step calls; empty in any other step.
        known_texts: texts of the conversation whose origin is known.
        earlier_marks: marks of messages that were there before the run.
        call_counter: of the piece of work at hand; None if another run of it would not be known as the same.
    """

    run: WorkflowRun | None = None
    waiting_step: Any = None
    called_tool: str = ""
    known_texts: KnownTexts = ()
    earlier_marks: frozenset[str] = frozenset()
    call_counter: CallCounter | None = None


_RUN_CONTEXT: Final[ContextVar[RunContext]] = ContextVar("halo_llamaindex_run", default=RunContext())  # noqa: B039  it is frozen


def current_run_context() -> RunContext:
    """The context of the current code."""
    return _RUN_CONTEXT.get()


def run_context_values(**changes: Any) -> tuple[tuple[ContextVar[Any], Any], ...]:
    """Context variables for a `RunContext` with these fields changed, for `ContextVarScope`."""
    return ((_RUN_CONTEXT, replace(_RUN_CONTEXT.get(), **changes)),)


def run_context_scope(**changes: Any) -> ContextVarScope:
    """Run a block, and the steps that copy its context, with these fields of the `RunContext` changed."""
    return ContextVarScope(*run_context_values(**changes))


def current_run() -> WorkflowRun:
    """The current guarded run; outside any, a run that cannot be resumed."""
    return _RUN_CONTEXT.get().run or WorkflowRun(is_resumable=False)


@dataclass(frozen=True, slots=True)
class InnerScope:
    """The scope inside a guarded object: who decides the framework's objects that start there.

    Args:
        halo: who decides.
        resource: what the engine or retriever is that runs; None for anything else.
        owner: the object that runs, whose own methods may lead to one another.
        programs: programs among the decided arguments of a tool.
        outer: the engine or retriever that it runs inside.
        catches_errors: whether it is an engine or a retriever, which may catch what is raised inside it.
        errors: what was denied or waits inside; see `note_inner_error`.
    """

    halo: Any
    resource: Resource | None = None
    owner: Any = None
    programs: tuple[str, ...] = ()
    outer: InnerScope | None = None
    catches_errors: bool = False
    errors: list[BaseException] = field(default_factory=list)


_INNER_SCOPE: Final[ContextVar[InnerScope | None]] = ContextVar("halo_llamaindex_inner", default=None)


def current_inner_scope() -> InnerScope | None:
    """The innermost guarded object around the current code; None outside any."""
    return _INNER_SCOPE.get()


def _find_deciding_scope() -> ContextValue | None:
    """For a thread: the deciding Halo, without the decisions made for the code that started it."""
    scope = _INNER_SCOPE.get()
    return None if scope is None else (_INNER_SCOPE, InnerScope(scope.halo))


carry_into_threads(_find_deciding_scope)
carry_calls_into_threads(BaseChatEngine, BaseLLM, BaseQueryEngine, BaseRetriever, BaseSynthesizer, BaseTool)


def inner_values(
    halo: Any, *, owner: Any = None, programs: tuple[str, ...] = ()
) -> tuple[tuple[ContextVar[Any], Any], ...]:
    """Context variables inside a guarded object, for `ContextVarScope`; see `InnerScope`."""
    return ((_INNER_SCOPE, InnerScope(halo, None, owner, programs)),)


def engine_values(halo: Any, resource: Resource | None) -> tuple[tuple[ContextVar[Any], InnerScope]]:
    """Like `inner_values`, for an engine or retriever, which may catch errors raised inside it."""
    outer = _INNER_SCOPE.get()
    is_engine = outer is not None and outer.catches_errors
    return ((_INNER_SCOPE, InnerScope(halo, resource, outer=outer if is_engine else None, catches_errors=True)),)


def note_inner_error(error: BaseException) -> None:
    """Note a denial or pause for the engines around it: some catch every error and answer with its text."""
    scope = _INNER_SCOPE.get()
    while scope is not None and scope.catches_errors:
        scope.errors.append(error)
        scope = scope.outer


def raise_inner_error(scope: InnerScope | None) -> None:
    """Raise a denial or pause that an engine has caught.

    Raises:
        BaseException: the first of what was noted.
    """
    if scope is not None and scope.errors:
        raise scope.errors[0]


def body_values() -> tuple[tuple[ContextVar[Any], Any], ...]:
    """Context variables while a decided action runs, for `ContextVarScope`, besides those of `InnerScope`.

    What a body calls by itself is asked for by the same message, in no known call.
    """
    message = current_triggering_message()
    anonymous = replace(message, call_id="") if message is not None and message.call_id else None
    return (IN_BODY, True), *session_values(None, anonymous)


_PART_MARK: Final = "_halo_within"


def mark_as_part(part: Any) -> None:
    """Mark an object inside a guarded copy that is decided where the copy calls it."""
    part.__dict__[_PART_MARK] = True


def is_part(part: Any) -> bool:
    """Whether an object was marked with `mark_as_part`."""
    return _PART_MARK in getattr(part, "__dict__", {})


def make_spanless_subclass(kind: type[Any], members: dict[str, Any]) -> type[Any]:
    """Like `make_named_subclass`, with members that open no LlamaIndex span: the replaced ones open it."""
    new_class = make_named_subclass(kind, {})
    for name, member in members.items():
        setattr(new_class, name, member)
    return new_class


def make_nested_call_id(resource: str, args: Mapping[str, Any]) -> str:
    """Id of a call made by the current work item; empty if the call has an id or nothing can wait."""
    context, asking_message = _RUN_CONTEXT.get(), current_triggering_message()
    counter = context.call_counter
    if counter is None or context.waiting_step is None or (asking_message is not None and asking_message.call_id):
        return ""
    # Calls side by side may come in another order the next time: only those that are alike are counted.
    call_key = f"{resource} {sorted(args.items(), key=repr)!r}"
    counter.counts[call_key] += 1
    return f"{counter.prefix}/{counter.counts[call_key]}"


_SESSION_KEY: Final = "halo_session"
_CHAIN_KEY: Final = "halo_acts"
TURN_KEY: Final = "halo_turn"
"""Key of the id of the message whose calls are under way."""
EARLIER_KEY: Final = "halo_earlier"
"""Key of the marks of messages that were there before the run."""


_CHAT_KEY: Final = "halo_chat"
MEMORY_KEY: Final = "memory"
"""Where the framework keeps the conversation; it leaves that out of what it serializes of a context."""


async def store_chat(ctx: Any) -> None:
    """Store the conversation of a waiting run, for the process that resumes it."""
    memory = await read_store(ctx, MEMORY_KEY)
    if memory is not None:
        await ctx.store.set(_CHAT_KEY, list(await memory.aget_all()))


async def restore_chat(ctx: Any) -> None:
    """Restore the conversation of a resumed run, if its host did not."""
    messages = await read_store(ctx, _CHAT_KEY)
    if messages is not None and await read_store(ctx, MEMORY_KEY) is None:
        await ctx.store.set(MEMORY_KEY, ChatMemoryBuffer.from_defaults(chat_history=list(messages)))


async def forget_chat(ctx: Any) -> None:
    """Delete the stored conversation."""
    if await read_store(ctx, _CHAT_KEY) is not None:
        await ctx.store.set(_CHAT_KEY, None)


async def read_store(ctx: Any, key: str, default: Any = None) -> Any:
    """Read a key of the run's store."""
    return await ctx.store.get(key, default=default)


async def ensure_session(halo: Halo, ctx: Any) -> tuple[Session, bool]:
    """The session of a context, and whether it was opened just now."""
    is_fresh = False
    if is_lost_thread():
        # INVARIANT: SUB - nobody knows for whom it runs; in a session of its own it would act with all that Halo has.
        return NO_SESSION, False
    if not accepts_extra_keys(ctx):
        session_ids = current_run().own_session_ids
        session_ids += [] if session_ids else [halo.make_run_session_id()]
        return Session(session_ids[0], "run"), False
    stored = await read_store(ctx, _SESSION_KEY)
    if stored is None:
        async with current_run().store_lock:  # steps side by side open one
            stored = await read_store(ctx, _SESSION_KEY)
            if stored is None:
                outer = current_run_activity()  # one that nobody governs, of which this is a part
                make_id = halo.make_run_session_id
                session_id = outer.get_session_id(halo, make_id) if outer is not None else make_id()
                stored, is_fresh = f"{session_id} {halo.make_keyed_digest(_SESSION_KEY + session_id)}", True
                await ctx.store.set(_SESSION_KEY, stored)
    name, _, word = str(stored).partition(" ")
    # INVARIANT: FAILCLOSED - an id that something else wrote there is nobody's session, that of another run too.
    written = current_run().written_values.setdefault(_SESSION_KEY, stored)
    return (
        Session(name, "run")
        if stored == written and word == halo.make_keyed_digest(_SESSION_KEY + name)
        else NO_SESSION
    ), is_fresh


def accepts_extra_keys(ctx: Any) -> bool:
    """Whether a workflow's state accepts any key; a state model of the app does not."""
    return issubclass(ctx.store.state_type, DictState)


@dataclass(frozen=True, slots=True)
class ActingChain:
    """The agents entered in a run; the last of them acts.

    Args:
        session: the session's name in the ledger.
        stack: agents by name, from the first one entered down, each with the handle of its link; an empty handle is the
            link of whoever is above.
        base_agents: who acted where the run was started.
        decided_handoffs: agents that the last one was allowed to hand off to, with the links made for that.
    """

    session: str = ""
    stack: tuple[tuple[str, str], ...] = ()
    base_agents: tuple[str, ...] = ()
    decided_handoffs: dict[str, str] = field(default_factory=dict)

    @property
    def agent(self) -> str:
        """Name of the acting agent; empty if none was entered."""
        return self.stack[-1][0] if self.stack else ""

    @property
    def first_handle(self) -> str:
        """Handle of the uppermost link of this run."""
        return next((handle for _, handle in self.stack if handle), "")

    def enter(self, agent: str, handle: str) -> Self:
        """The chain after an agent is entered; an agent further up continues in its own place."""
        names = [name for name, _ in self.stack]
        remaining = self.stack[: names.index(agent)] if agent in names else self.stack
        return replace(self, stack=(*remaining, (agent, handle)), decided_handoffs={})

    def to_acting(self, halo: Halo, session: str) -> ActiveDelegation | None:
        """The delegation to act under; None for that of whoever started the run."""
        handles = [(name, handle) for name, handle in self.stack if handle]
        if not handles:
            return current_delegation(halo.agent, session)
        return ActiveDelegation(
            halo.agent, session, handles[-1][1], (*self.base_agents, *(name for name, _ in handles))
        )


def _seal_chain(halo: Halo, chain: ActingChain, session: str) -> dict[str, Any]:
    fields = [
        chain.session,
        [list(item) for item in chain.stack],
        list(chain.base_agents),
        dict(chain.decided_handoffs),
    ]
    return {
        "acts": fields,
        "word": halo.make_keyed_digest(f"{_CHAIN_KEY} {session} {json.dumps(fields, sort_keys=True)}"),
    }


def _read_sealed_chain(halo: Halo, sealed: Any, session: str) -> ActingChain | None:
    """The chain in the store; None if there is none or this home did not write it."""
    try:
        name, stack, base_agents, decided_handoffs = sealed["acts"]
        chain = ActingChain(
            str(name), tuple((str(a), str(h)) for a, h in stack), tuple(map(str, base_agents)), dict(decided_handoffs)
        )
    except (KeyError, TypeError, ValueError):
        return None
    return chain if sealed.get("word") == _seal_chain(halo, chain, session)["word"] else None


async def store_acting_chain(halo: Halo, ctx: Any, chain: ActingChain | None, session: str) -> None:
    """Store the chain; only in the run if the workflow's state accepts no extra keys."""
    sealed = _seal_chain(halo, chain, session) if chain is not None else None
    current_run().written_values[_CHAIN_KEY] = sealed
    if accepts_extra_keys(ctx):
        await ctx.store.set(_CHAIN_KEY, sealed)


async def load_acting_chain(halo: Halo, ctx: Any, session: str) -> ActingChain | None:
    """Load the chain; None if there is none or it is not the one this run wrote last."""
    written = current_run().written_values
    if not accepts_extra_keys(ctx):
        return _read_sealed_chain(halo, written.get(_CHAIN_KEY), session)
    sealed = await read_store(ctx, _CHAIN_KEY)
    # INVARIANT: SUB - a tool that puts back what was kept when its giver acted does not act as the giver.
    return _read_sealed_chain(halo, sealed, session) if sealed == written.setdefault(_CHAIN_KEY, sealed) else None


async def discard_foreign_chain(ctx: Any) -> None:
    """At the end of a step, delete a chain in the store that something else wrote."""
    written = current_run().written_values
    if _CHAIN_KEY in written and accepts_extra_keys(ctx) and await read_store(ctx, _CHAIN_KEY) != written[_CHAIN_KEY]:
        await ctx.store.set(_CHAIN_KEY, None)


def hand_back_unfinished(halo: Halo) -> None:
    """Hand back the links of a run that timed out or had a failed step."""
    sealed = current_run().written_values.get(_CHAIN_KEY)
    session, stack = sealed["acts"][:2] if sealed else ("", ())
    chain = ActingChain(session, tuple((agent, handle) for agent, handle in stack))
    if chain.first_handle:
        halo.enforcer.defer_hand_back(chain.session, chain.first_handle)


async def record_decided_handoff(halo: Halo, ctx: Any, session: str, agent: str, handle: str) -> None:
    """Store that the acting agent was allowed to hand off to another."""
    async with current_run().store_lock:
        chain = await load_acting_chain(halo, ctx, session)
        if chain is not None:
            await store_acting_chain(
                halo, ctx, replace(chain, decided_handoffs={**chain.decided_handoffs, agent: handle}), session
            )
