"""Runs of the steps of a guarded workflow, each as the agent that acts in it.

Each step runs in a task and a context of its own. So each step restores the session, the acting agent and the
conversation from the context in which the run was started, and from the workflow's own store. Steps of the framework's
agents have a handler each (`_STEP_HANDLERS`); steps of an application's workflow run in `_run_app_step`.

Some providers use the tool's name as the id of a call. Two calls of one message then share an id, and the second would
be taken for a repetition of the first. `_resolve_call_id` distinguishes them by the work item that runs each.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from llama_index.core.agent.workflow import AgentInput, AgentOutput
from llama_index.core.base.llms.types import MessageRole
from llama_index.core.workflow import Context, StartEvent, StopEvent
from workflows.runtime.types.results import StepWorkerStateContextVar, WaitingForEvent

from halo_core.enforcement import flow
from halo_core.enforcement.call import Call
from halo_core.enforcement.delegation import find_agent_resource, with_delegation_terms
from halo_core.enforcement.enforcer import Ticket
from halo_core.enforcement.guarded_calls import HandOffAction, UnreachableCall
from halo_core.enforcement.guards import GuardMetadata, clean_name
from halo_core.enforcement.session_context import (
    ContextVarScope,
    TriggeringMessage,
    current_session,
    delegation_scope,
    session_scope,
    triggering_message_scope,
)
from halo_core.enforcement.steps import adrive
from halo_core.errors import Denied
from halo_core.model import Provenance
from halo_llamaindex._components import guard_memory
from halo_llamaindex._history import list_memories, make_earlier_mark, message_id
from halo_llamaindex._messages import read_messages
from halo_llamaindex._pause import STEERING_ERRORS, LlamaIndexAction, StepPaused, forget_waits, list_waiter_ids
from halo_llamaindex._results import extract_message_text
from halo_llamaindex._runs import (
    EARLIER_KEY,
    MEMORY_KEY,
    TURN_KEY,
    ActingChain,
    CallCounter,
    WorkItem,
    accepts_extra_keys,
    current_run,
    discard_foreign_chain,
    ensure_session,
    forget_chat,
    inner_values,
    load_acting_chain,
    read_store,
    restore_chat,
    run_context_scope,
    store_acting_chain,
    store_chat,
)

if TYPE_CHECKING:
    from halo_llamaindex import Halo

_CURRENT_AGENT_KEY: Final = "current_agent_name"
"""Where the framework's events and its store have the name of the current agent."""
StepCallable = Callable[..., Awaitable[Any]]


_OWN_HANDLE: Final = ""


def build_handoff_call(halo: Halo, agent: str, task: str = "", problem: str = "") -> Call:
    """Build the call by which the acting agent hands off to another, under a link made for this hand-off alone."""
    call = halo.build_call(find_agent_resource(halo, clean_name(agent)), {"task": task}, problem=problem)
    return replace(with_delegation_terms(halo, call), on_link_made=_claim_link)


def _claim_link(_handle: str) -> None:
    """Do nothing: passing this callback makes the link one of this run alone."""


class HandOffDecision(LlamaIndexAction, HandOffAction):
    """A hand-off that the workflow carries out: the handle of its link, and the session as the ledger has it."""

    def finish(self, ticket: Ticket, result: Any) -> tuple[str, str]:
        super().finish(ticket, result)
        return get_handle(self.halo, ticket), ticket.context.session if ticket.context is not None else ""


def get_handle(halo: Halo, ticket: Ticket) -> str:
    """The handle of the link that a hand-off made; none for Halo's own agent."""
    context = ticket.context
    return _OWN_HANDLE if context is None or context.resource.id == halo.agent else context.handle


class UnmadeCall(LlamaIndexAction, UnreachableCall):
    """A call that is recorded but not carried out."""


@dataclass(frozen=True, slots=True, eq=False)
class WorkflowPlan(GuardMetadata):
    """The guard of a workflow, and how its agents are entered.

    Args:
        is_team: whether its agents are entered by hand-offs: it has several.
        agent: the agent that it is as a whole; empty if it acts as whoever runs it.
        prompts: system prompt by agent; of a single agent under the empty name.
        is_agentic: whether it is one of the framework's agents, and no workflow of the app's own.
        own_name: the name that the application gave its agent; empty if it has the framework's.
        adopts_tools: whether tools that nobody guarded are decided as undeclared, since the workflow was met inside
            something guarded; else nobody has granted them.
    """

    is_team: bool
    agent: str
    prompts: Mapping[str, str]
    is_agentic: bool
    own_name: str = ""
    adopts_tools: bool = False

    @property
    def enters_agents(self) -> bool:
        """Whether its agents are entered by hand-offs."""
        return self.is_team or bool(self.agent)


@dataclass(slots=True)
class _StepRun:
    """One run of one step.

    Args:
        plan: plan of the workflow.
        name: name of the step.
        step: called with the event that the step works on.
        event: that one.
        ctx: context of the run.
        state: what the framework keeps of the step's work.
    """

    plan: WorkflowPlan
    name: str
    step: StepCallable
    event: Any
    ctx: Any
    state: Any
    session: str = ""
    has_fresh_session: bool = False
    chain: ActingChain | None = None

    @property
    def halo(self) -> Halo:
        halo: Halo = self.plan.halo
        return halo

    async def call(self) -> Any:
        return await self.step(self.event)

    async def load_chain(self) -> ActingChain | None:
        """See `load_acting_chain`."""
        return await load_acting_chain(self.halo, self.ctx, self.session)

    async def store_chain(self, chain: ActingChain | None) -> None:
        """See `store_acting_chain`."""
        await store_acting_chain(self.halo, self.ctx, chain, self.session)

    def delegation_scope(self, chain: ActingChain) -> AbstractContextManager[Any]:
        """A block in which the last agent of the chain acts."""
        return delegation_scope(chain.to_acting(self.halo, self.session))


async def _run_as_actor(step_run: _StepRun, run: _StepHandler) -> Any:
    """Run a step as the acting agent; when the workflow's run ends, hand back all links."""
    if not step_run.plan.enters_agents:
        return await run(step_run)
    step_run.chain = await step_run.load_chain()
    if step_run.chain is None or not step_run.chain.agent:
        # INVARIANT: SUB - who acts is not known, so it is not the first one either.
        raise Denied("handed_back", "no agent has started here", remedy="start the run from its beginning")
    try:
        with step_run.delegation_scope(step_run.chain):
            agent_name = getattr(step_run.event, _CURRENT_AGENT_KEY, None)
            if step_run.plan.is_team and isinstance(agent_name, str) and agent_name != step_run.chain.agent:
                call = build_handoff_call(step_run.halo, agent_name, problem="handoff_not_allowed")
                await flow.arun(UnmadeCall(step_run.halo, call, PermissionError("not entered")))
            result = await run(step_run)
    except WaitingForEvent:
        await discard_foreign_chain(step_run.ctx)
        raise
    except Exception:
        if step_run.plan.is_agentic:  # a step of an app's own may be tried again
            await _hand_back_agents(step_run)
        raise
    await discard_foreign_chain(step_run.ctx)
    if isinstance(result, StopEvent):
        await _hand_back_agents(step_run)
    return result


async def _hand_back_agents(step_run: _StepRun) -> None:
    """Hand back all links made in a run."""
    chain = await step_run.load_chain()
    await step_run.store_chain(None)
    if chain is not None and chain.first_handle:
        await adrive(step_run.halo.enforcer.hand_back(chain.session, chain.first_handle))


async def _enter_agent(step_run: _StepRun, chain: ActingChain, agent: str, task: str = "") -> ActingChain:
    """Enter an agent under the link made for it, else by a hand-off decided here.

    Raises:
        Denied: whoever acts may not hand off to it.
    """
    handle = chain.decided_handoffs.get(agent)
    if handle is None:
        with step_run.delegation_scope(chain):
            call = build_handoff_call(step_run.halo, agent, task)
            handle, session = await flow.arun(HandOffDecision(step_run.halo, call))
        chain = replace(chain, session=session or chain.session)
    return chain.enter(agent, handle)


def _start_chain(step_run: _StepRun) -> ActingChain:
    """The chain before any agent is entered: below the agents acting where the run was started."""
    acting_link = ActingChain().to_acting(step_run.halo, step_run.session)
    return ActingChain(base_agents=acting_link.agents if acting_link is not None else ())


_DUPLICATES_KEY: Final = "halo_alike"
"""Key of the identical calls in the current message: how many there are, and which work items run them."""


def _describe_call(call: Any) -> str:
    return f"{call.tool_id} {call.tool_name} {sorted(call.tool_kwargs.items(), key=repr)!r}"


async def _store_duplicate_calls(ctx: Any, calls: Iterable[Any] | None) -> None:
    """Store which calls of a message are identical."""
    duplicates = {name: [count] for name, count in Counter(map(_describe_call, calls or ())).items() if count > 1}
    if duplicates or await read_store(ctx, _DUPLICATES_KEY):
        await ctx.store.set(_DUPLICATES_KEY, duplicates)


async def _resolve_call_id(ctx: Any, call: Any, item: str | None) -> str:
    """The id of a call: the provider's, with a number for each further identical call."""
    provider_id: str = call.tool_id
    if item is None or not await read_store(ctx, _DUPLICATES_KEY):
        return provider_id
    async with current_run().store_lock:
        duplicates = await read_store(ctx, _DUPLICATES_KEY)
        entry = duplicates.get(_describe_call(call)) if isinstance(duplicates, dict) else None
        if not isinstance(entry, list) or not entry or not isinstance(entry[0], int):
            return provider_id
        if item not in entry[1:]:
            await ctx.store.set(_DUPLICATES_KEY, {**duplicates, _describe_call(call): [*entry, item]})
            entry = [*entry, item]
    # No more than the message asks for: a message whose calls are sent out anew asks for the same ones.
    place = entry[1:].index(item) % max(entry[0], 1)
    return f"{provider_id} #{place + 1}" if place else provider_id


_RUN_ID_KEY: Final = "halo_run"
"""Key of the run's id, which a resumed run keeps."""
_BEGUN_KEY: Final = "began"


async def _run_app_step(step_run: _StepRun) -> Any:
    """Run a step of an app's own workflow; if the whole workflow is an agent, its first step enters it."""
    begins = isinstance(step_run.event, StartEvent) and not list_waiter_ids(step_run.state)
    run, name, item = current_run(), step_run.name, step_run.state.state.work_item_id
    work = ""
    if run.is_resumable and item is not None:
        # Where it was tried and failed, it is another try: what it calls then is called anew.
        work = f"{await _ensure_run_id(step_run, begins=begins)}:{name}:{item}:{run.work_items[name, item].attempt}"
    if step_run.plan.agent and isinstance(step_run.event, StartEvent):
        await _enter_workflow_agent(step_run, begins=begins)
    with run_context_scope(call_counter=CallCounter(work) if work else None):
        return await _run_as_actor(step_run, _StepRun.call)


async def _ensure_run_id(step_run: _StepRun, *, begins: bool) -> str:
    run = current_run()
    async with run.store_lock:  # steps side by side have one
        if _RUN_ID_KEY not in run.written_values:
            is_stored = accepts_extra_keys(step_run.ctx)
            stored = None if begins or not is_stored else await read_store(step_run.ctx, _RUN_ID_KEY)
            run.written_values[_RUN_ID_KEY] = str(stored) if stored is not None else step_run.halo.make_run_session_id()
            if stored is None and is_stored:
                await step_run.ctx.store.set(_RUN_ID_KEY, run.written_values[_RUN_ID_KEY])
    return str(run.written_values[_RUN_ID_KEY])


async def _enter_workflow_agent(step_run: _StepRun, *, begins: bool) -> None:
    run = current_run()
    async with run.store_lock:
        if begins and not run.written_values.get(_BEGUN_KEY):
            await _hand_back_agents(step_run)  # what an earlier run of this context left behind
        run.written_values[_BEGUN_KEY] = True
        chain = await step_run.load_chain()
        if chain is None or chain.agent != step_run.plan.agent:
            chain = await _enter_agent(step_run, _start_chain(step_run), step_run.plan.agent, run.task)
            await step_run.store_chain(chain)


async def run_step(plan: WorkflowPlan, name: str, step: StepCallable, event: Any) -> Any:
    """Run one step of a workflow as its acting agent.

    Args:
        plan: plan of the workflow.
        name: name of the step.
        step: called with the event that the step works on.
        event: that it was called with.
    """
    step_run = _StepRun(plan, name, step, event, Context.get_step_context(), StepWorkerStateContextVar.get())
    run, item = current_run(), step_run.state.state.work_item_id
    work_item = run.work_items.setdefault((name, item), WorkItem()) if item is not None else WorkItem()
    async with work_item.lock:
        work_item.has_waited = work_item.has_waited or bool(list_waiter_ids(step_run.state))
        if work_item.is_done and work_item.has_waited:
            return None
        try:
            result = await _run_step_in_session(step_run)
        except Exception as exc:
            work_item.attempt += not isinstance(exc, STEERING_ERRORS)
            raise
        if run.waits.error is not None:  # an agent tells its model of it; here nobody would answer
            raise run.waits.error
        work_item.is_done = True
        forget_waits(step_run.state)
        return result


async def _run_step_in_session(step_run: _StepRun) -> Any:
    plan, ctx = step_run.plan, step_run.ctx
    session = current_session()
    with ExitStack() as stack:
        stack.enter_context(ContextVarScope(*inner_values(plan.halo)))
        if session is None:
            session, step_run.has_fresh_session = await ensure_session(plan.halo, ctx)
            stack.enter_context(session_scope(session))
        step_run.session = session.id
        stack.enter_context(run_context_scope(waiting_step=step_run.state if current_run().is_resumable else None))
        try:
            if not plan.is_agentic:
                return await _run_app_step(step_run)
            await (forget_chat if step_run.name == "init_run" else restore_chat)(ctx)
            result = await _STEP_HANDLERS.get(step_run.name, _run_other_step)(step_run)
            if isinstance(result, StopEvent):  # nothing waits any more
                await forget_chat(ctx)
        except StepPaused as paused:
            if plan.is_agentic:
                await store_chat(ctx)
            if paused.is_repeated:  # the framework shows a question once; who resumed has not seen it
                ctx.write_event_to_stream(paused.challenge)
            raise
        return result


# the steps


async def _init_run(step_run: _StepRun) -> Any:
    await _guard_run_memory(step_run)
    if step_run.plan.enters_agents:
        await _hand_back_agents(step_run)  # what an earlier run of this context left behind
    result = await step_run.call()
    if isinstance(result, AgentInput):
        memories = await list_memories(step_run.halo, await read_store(step_run.ctx, MEMORY_KEY), result.input)
        current_run().memories.extend(memories)
        # Of a new session nobody has seen what a memory brings; an older one has, and the host's own part is given.
        given = result.input if step_run.has_fresh_session else list(step_run.event.get("chat_history", None) or ())
        shown = read_messages(message for message in given if message.role != MessageRole.SYSTEM)
        marks = [make_earlier_mark(step_run.halo, read) for read in shown]
        if marks or await read_store(step_run.ctx, EARLIER_KEY):
            await step_run.ctx.store.set(EARLIER_KEY, marks)
    return result


async def _guard_run_memory(step_run: _StepRun) -> None:
    """Guard the run's memory, which may ask a model, in the store and in the event."""
    memory = await read_store(step_run.ctx, MEMORY_KEY)
    guarded = guard_memory(step_run.halo, memory)
    if guarded is not memory:
        await step_run.ctx.store.set(MEMORY_KEY, guarded)
    event_memory = step_run.event.get(MEMORY_KEY, None)
    guarded = guard_memory(step_run.halo, event_memory)
    if guarded is not event_memory:
        step_run.event = step_run.event.model_copy()
        step_run.event[MEMORY_KEY] = guarded


async def _setup_agent(step_run: _StepRun) -> Any:
    """Enter the agent named by an event; if that is denied, the giver continues."""
    if not step_run.plan.enters_agents:
        return await step_run.call()
    chain = await step_run.load_chain() or _start_chain(step_run)
    giver, event = chain.agent, step_run.event
    if step_run.plan.agent and not giver:
        chain = await _enter_agent(step_run, chain, step_run.plan.agent, current_run().task)
    agent_name = event.current_agent_name
    if step_run.plan.is_team and agent_name != chain.agent:
        try:
            chain = await _enter_agent(step_run, chain, agent_name)
        except Denied:
            if not giver:
                raise
            await step_run.ctx.store.set(_CURRENT_AGENT_KEY, giver)
            event = AgentInput(input=event.input, current_agent_name=giver)
    await step_run.store_chain(replace(chain, decided_handoffs={}))
    with step_run.delegation_scope(chain):
        return await step_run.step(event)


async def _ask_agent(step_run: _StepRun) -> Any:
    result = await _run_model_step(step_run)
    if isinstance(result, AgentOutput):
        turn = message_id(result.response) or step_run.halo.make_run_session_id()
        await step_run.ctx.store.set(TURN_KEY, turn)
        await _store_duplicate_calls(step_run.ctx, result.tool_calls)
    return result


async def _run_model_step(step_run: _StepRun) -> Any:
    """Run a step that asks a model, with the texts whose origin is known."""
    agent_name = getattr(step_run.event, _CURRENT_AGENT_KEY, "") if step_run.plan.is_team else ""
    prompt = step_run.plan.prompts.get(agent_name, "")
    known_texts = [(prompt, Provenance.SYSTEM)] if prompt else []
    earlier_marks = await read_store(step_run.ctx, EARLIER_KEY, [])
    marks = frozenset(earlier_marks if isinstance(earlier_marks, list) else ())
    with run_context_scope(known_texts=tuple(known_texts), earlier_marks=marks):
        return await step_run.call()


async def _call_tool(step_run: _StepRun) -> Any:
    ctx, event = step_run.ctx, step_run.event
    if step_run.plan.is_team and step_run.chain is not None:
        # Whose tools are called, and under whose link: a tool that wrote another name there has entered nobody.
        await ctx.store.set(_CURRENT_AGENT_KEY, step_run.chain.agent)
    turn = str(await read_store(ctx, TURN_KEY, ""))
    call_id = await _resolve_call_id(ctx, event, StepWorkerStateContextVar.get().state.work_item_id)
    asking_message = TriggeringMessage(turn, call_id, kind="message", text=await _find_turn_text(ctx))
    with triggering_message_scope(asking_message), run_context_scope(called_tool=event.tool_name):
        return await step_run.step(event)


async def _find_turn_text(ctx: Any) -> str:
    """Text of the message whose calls are running, if the agent's scratchpad has it."""
    scratchpad = await read_store(ctx, "scratchpad", [])
    answers = (
        [item for item in scratchpad if getattr(item, "role", None) == MessageRole.ASSISTANT]
        if isinstance(scratchpad, list)
        else []
    )
    return extract_message_text(answers[-1]) if answers else ""


_StepHandler = Callable[[_StepRun], Awaitable[Any]]
_STEP_HANDLERS: Final[Mapping[str, _StepHandler]] = {
    "call_tool": functools.partial(_run_as_actor, run=_call_tool),
    "init_run": _init_run,
    "parse_agent_output": functools.partial(_run_as_actor, run=_run_model_step),
    "run_agent_step": functools.partial(_run_as_actor, run=_ask_agent),
    "setup_agent": _setup_agent,
}
_run_other_step: Final[_StepHandler] = functools.partial(_run_as_actor, run=_StepRun.call)
