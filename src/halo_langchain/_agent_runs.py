"""What stands before one node of a guarded graph, and what a run of one may be told from outside.

Every node runs in its run's session. A node that is an agent is entered by a hand-off to it, however the graph came
there, and what it hands on by itself is decided before the graph goes there. A stream that runs as an agent keeps a
context of its own: a variable that a generator sets is set for its caller too while it is suspended, so a caller would
act as the agent whose stream it reads. LangGraph writes an update in a graph's input to any channel, and by some of
them it says what runs next: `find_smuggled_writes` names what is not its caller's to write.
"""

from __future__ import annotations

import contextvars
import functools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast, get_type_hints

from langchain.agents.middleware.types import OmitFromSchema
from langchain_core.runnables import Runnable, ensure_config
from langgraph.errors import GraphBubbleUp, ParentCommand
from langgraph.types import Command, Send

from halo_core.enforcement.delegation import (
    allowed_agents_scope,
    find_agent_resource,
    with_delegation_terms,
)
from halo_core.enforcement.flow import Step, adrive, arun, drive, run, withdraw_call
from halo_core.enforcement.guards import clean_name
from halo_core.enforcement.session_context import current_session, session_scope
from halo_core.errors import Pending
from halo_langchain._pause import HandOffDecision, consume_resume, discard_resume, pause_or_withdraw
from halo_langchain._runs import find_thread_session, get_step_id, with_link_marker

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from halo_core.enforcement import Call
    from halo_core.enforcement.delegation import ActiveAgent
    from halo_langchain import Halo

T = TypeVar("T")

_END: Final = object()


def iterate_in_context(parts: Iterator[T]) -> Iterator[T]:
    """The parts of a generator that runs in a copy of this context."""
    context = contextvars.copy_context()
    try:
        while (part := context.run(next, parts, cast("T", _END))) is not _END:
            yield part
    finally:
        context.run(cast("Generator[T]", parts).close)


async def aiterate_in_context(parts: AsyncIterator[T]) -> AsyncIterator[T]:
    """As `iterate_in_context`, for an asynchronous generator."""
    context = contextvars.copy_context()
    source = cast("AsyncGenerator[T]", parts)
    try:
        while True:
            try:
                part = await _AwaitableInContext(context, source.__anext__())
            except StopAsyncIteration:
                return
            yield part
    finally:
        await _AwaitableInContext(context, source.aclose())


class _AwaitableInContext:
    """An awaitable every step of which runs in one context."""

    __slots__ = ("_awaitable", "_context")

    def __init__(self, context: contextvars.Context, awaitable: Any) -> None:
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


_BRANCH_PREFIX: Final = "branch:to:"
_ROOT_CHANNEL: Final = "__root__"  # the only channel of a state that is no mapping


def find_smuggled_writes(value: Any, graph: Any) -> Iterator[str]:
    """Names of the nodes and channels that a command, or a list of these, writes to past the graph's state.

    Args:
        value: what comes from outside.
        graph: whose state may be written; None where a graph inside it knows its own keys.
    """
    items = value if isinstance(value, list | tuple) and not isinstance(value, Command) else [value]
    for command in items:
        if isinstance(command, Command) and command.update:
            keys = _list_writable_keys(graph) if graph is not None else None
            for key, written in command._update_as_tuples():  # noqa: SLF001  what LangGraph itself asks
                if not _is_writable(str(key), keys):
                    yield _name_target(str(key), written)


def _is_writable(key: str, keys: frozenset[str] | None) -> bool:
    # INVARIANT: no name that LangGraph keeps for itself, whatever a state calls its own.
    if key != _ROOT_CHANNEL and key.startswith(("__", "branch:", "join:")):
        return False
    return keys is None or key in keys


def _name_target(key: str, value: Any) -> str:
    """The node that a key or a value names, else the key."""
    return value.node if isinstance(value, Send) else key.removeprefix(_BRANCH_PREFIX)


def _list_writable_keys(graph: Any) -> frozenset[str]:
    """Keys of a graph's state that a caller may write: those of its own schema but for the private ones."""
    builder = getattr(graph, "builder", None)
    if builder is None:
        channels = graph.input_channels
        return frozenset([channels] if isinstance(channels, str) else channels)
    schema = builder.state_schema
    return frozenset(builder.schemas[schema]) - _list_private_keys(schema)


def _list_private_keys(schema: Any) -> set[str]:
    """Keys that `create_agent` takes from no caller."""
    try:
        hints = get_type_hints(schema, include_extras=True)
    except Exception:  # noqa: BLE001  a schema whose annotations cannot be read marks none of them
        return set()
    return {name for name, hint in hints.items() if _is_omitted(hint)}


def _is_omitted(hint: Any) -> bool:
    """Whether the annotation, inside `NotRequired` and `Required` too, says that it is no input."""
    if any(isinstance(marker, OmitFromSchema) and marker.input for marker in getattr(hint, "__metadata__", ())):
        return True
    return any(_is_omitted(inner) for inner in getattr(hint, "__args__", ()))


_NAMESPACE_KEY: Final = "checkpoint_ns"  # LangGraph's, in the configuration of a node


@dataclass(frozen=True, slots=True)
class NodePlace:
    """Where a guarded node stands.

    Args:
        halo: who decides.
        name: of the node.
        agents: the nodes of its graph that are agents.
    """

    halo: Halo
    name: str
    agents: frozenset[str]

    @property
    def agent(self) -> str:
        """The node's name as an agent's."""
        return clean_name(self.name)


def wrap_node(runnable: Runnable[Any, Any], place: NodePlace) -> Runnable[Any, Any]:
    """What stands before a node."""
    base = _AgentNode if place.name in place.agents else _GuardedNode
    return _make_node_class(base, type(runnable))(runnable, place)


@contextmanager
def graph_session_scope(config: Mapping[str, Any] | None, *, task: bool = False) -> Iterator[None]:
    """The session of a run, where the host opened none; with `task`, of one that LangGraph itself did not begin."""
    has_session = current_session() is not None
    session = None if has_session else find_thread_session(ensure_config(config), task=task)  # type: ignore[arg-type]
    if session is None:
        yield
        return
    with session_scope(session):
        yield


# entering an agent


@contextmanager
def enter_agent(halo: Halo, agent: str, call_id: str) -> Iterator[ActiveAgent]:
    """Run the block as an agent.

    Raises:
        Denied: nobody may hand off to it from here.
        Pending: somebody has to be asked first, and nothing here can be resumed.
        GraphInterrupt: somebody has to be asked first, and the graph waits.
    """
    consume_resume(halo)
    scope = halo.agent_scope(agent, call_id=call_id, give=halo.delegation_terms.get(agent))
    with ExitStack() as stack:
        try:
            active_agent = stack.enter_context(scope)
        except Pending as pending:
            run(_Withdrawal(halo, agent, call_id, pending))
            raise
        if active_agent.used_answer:
            discard_resume()
        yield active_agent


@asynccontextmanager
async def aenter_agent(halo: Halo, agent: str, call_id: str) -> AsyncIterator[ActiveAgent]:
    """As `enter_agent`, from a coroutine."""
    consume_resume(halo)
    scope = halo.async_agent_scope(agent, call_id=call_id, give=halo.delegation_terms.get(agent))
    async with AsyncExitStack() as stack:
        try:
            active_agent = await stack.enter_async_context(scope)
        except Pending as pending:
            await arun(_Withdrawal(halo, agent, call_id, pending))
            raise
        if active_agent.used_answer:
            discard_resume()
        yield active_agent


class _Withdrawal(HandOffDecision):
    """The no of whoever resumed a graph that waited to enter an agent; where nobody did, the graph waits.

    Raises:
        Pending: nothing here can be resumed.
    """

    def __init__(self, halo: Halo, agent: str, call_id: str, pending: Pending) -> None:
        call = _build_handoff_call(halo, agent, call_id)
        if not pause_or_withdraw(halo, call, pending):
            raise pending
        super().__init__(halo, withdraw_call(call, pending))


# the nodes


class _GuardedNode(Runnable[Any, Any]):
    """Runs a node in the session of its run; to everybody else it is what it stands before."""

    def __init__(self, runnable: Runnable[Any, Any], place: NodePlace) -> None:
        self.bound = runnable
        self.place = place
        self.name = getattr(runnable, "name", None)

    def __getattr__(self, name: str) -> Any:
        """What else its runnable has, for those who look into a graph."""
        if name in ("bound", "place") or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.bound, name)

    def get_name(self, suffix: str | None = None, *, name: str | None = None) -> str:
        """The node's own name."""
        return self.bound.get_name(suffix, name=name)

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002  the framework's name
        """Run the node."""
        consume_resume(self.place.halo, config)
        with graph_session_scope(config):
            return self.bound.invoke(input, config, **kwargs)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002  as above
        """Run the node."""
        consume_resume(self.place.halo, config)
        with graph_session_scope(config):
            return await self.bound.ainvoke(input, config, **kwargs)


class _AgentNode(_GuardedNode):
    """Enters the agent, runs it under its own link, and decides what it hands on."""

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002  as above
        """Run the agent.

        Raises:
            Denied: nobody may hand off to it from here, or it may not hand off to where it wants to.
        """
        with (
            graph_session_scope(config),
            enter_agent(self.place.halo, self.place.agent, get_step_id(ensure_config(config))) as active_agent,
            allowed_agents_scope() as decided_agents,
        ):
            call = functools.partial(self.bound.invoke, input, with_link_of(active_agent, config), **kwargs)
            result = drive(self._steps(call, config, active_agent, decided_agents, run))
        return _return_or_raise(result)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002  as above
        """As `invoke`."""
        step = get_step_id(ensure_config(config))
        with graph_session_scope(config), allowed_agents_scope() as decided_agents:
            async with aenter_agent(self.place.halo, self.place.agent, step) as active_agent:
                call = functools.partial(self.bound.ainvoke, input, with_link_of(active_agent, config), **kwargs)
                result = await adrive(self._steps(call, config, active_agent, decided_agents, arun))
        return _return_or_raise(result)

    def _steps(
        self,
        call: Callable[[], Any],
        config: RunnableConfig | None,
        active_agent: ActiveAgent,
        decided_agents: set[str],
        decide: Callable[[HandOffDecision], Any],
    ) -> Generator[Step, Any, Any]:
        """Run the agent, and decide what it hands on; a command for a parent graph is returned."""
        halo, step = self.place.halo, get_step_id(ensure_config(config))
        with keep_link_when_paused(active_agent):
            try:
                result = command = yield (call,)
            except ParentCommand as raised:
                result, command = raised, self._get_local_command(raised, config)
        for handoff_call in self._build_handoff_calls(command, decided_agents, step):
            yield decide, HandOffDecision(halo, handoff_call)
        if isinstance(result, ParentCommand) or self._names_next_agent(result):
            active_agent.keep_link()
        return result

    def _get_local_command(self, parent_command: ParentCommand, config: RunnableConfig | None) -> Command[Any] | None:
        """The command, if it is for another node of this graph and not for a graph above."""
        command = parent_command.args[0]
        namespace = str((ensure_config(config).get("configurable") or {}).get(_NAMESPACE_KEY, ""))
        return command if command.graph in (namespace, _strip_task_ids(namespace), self.place.name) else None

    def _names_next_agent(self, result: Any) -> bool:
        """Whether the result itself says which agent comes next, here or in the graph above."""
        goes_to_parent = any(item.graph == Command.PARENT and item.goto for item in _list_commands(result))
        return goes_to_parent or any(name in self.place.agents for name in list_targets(result))

    def _build_handoff_calls(self, result: Any, decided_agents: set[str], step: str) -> Iterable[Call]:
        """Hand-offs that nothing has decided yet; back to itself is none."""
        halo, done = self.place.halo, {*decided_agents, self.place.agent}
        for name in list_targets(result):
            agent = clean_name(name)
            if name in self.place.agents and agent not in done:
                done.add(agent)
                yield _build_handoff_call(halo, agent, f"{step}>{agent}" if step else "")


def _return_or_raise(result: Any) -> Any:
    if isinstance(result, ParentCommand):
        raise result
    return result


def with_link_of(active_agent: ActiveAgent | None, config: RunnableConfig | None) -> Any:
    """The configuration of what an agent runs; None is no agent that was entered here."""
    if active_agent is None or not active_agent.handle:
        return config
    return with_link_marker(config if config is not None else ensure_config())


@contextmanager
def keep_link_when_paused(active_agent: ActiveAgent | None) -> Iterator[None]:
    """Keep an agent's link where the graph pauses or goes on elsewhere: it may act again under it."""
    try:
        yield
    except GraphBubbleUp:
        if active_agent is not None:
            active_agent.keep_link()
        raise


def _build_handoff_call(halo: Halo, agent: str, call_id: str) -> Call:
    return with_delegation_terms(halo, halo.build_call(find_agent_resource(halo, agent), {"task": ""}, call_id=call_id))


def _list_commands(value: Any) -> list[Command[Any]]:
    items = value if isinstance(value, list | tuple) and not isinstance(value, Command) else [value]
    return [item for item in items if isinstance(item, Command)]


def list_targets(value: Any) -> list[str]:
    """Names of the nodes of the same graph that a command, a send, or a list of these goes to."""
    destinations: list[Any] = [value] if isinstance(value, Send) else []
    for command in _list_commands(value):
        if command.graph != Command.PARENT:
            destinations.extend(command.goto if isinstance(command.goto, list | tuple) else [command.goto])
    return [item.node if isinstance(item, Send) else str(item) for item in destinations]


def _strip_task_ids(namespace: str) -> str:
    """LangGraph's name of a graph without the ids of its tasks."""
    return "|".join(part.split(":")[0] for part in namespace.split("|") if not part.isdigit())


@functools.lru_cache(maxsize=256)
def _make_node_class(base: type[_GuardedNode], kind: type[Any]) -> type[_GuardedNode]:
    """Class of a node that calls itself what it stands before: names show in drawings."""
    return type(kind.__name__, (base,), {"__module__": kind.__module__, "__qualname__": kind.__qualname__})
