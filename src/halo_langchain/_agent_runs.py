"""Runs of guarded graphs: entering the agent of a node, and checking the input of a run.

Every node runs in the session of its run. A node that is an agent is entered by a hand-off to it, whichever way the
graph led there, and hand-offs that the node makes itself are decided before the graph follows them. A stream that runs
as an agent gets a context of its own: while a generator is suspended, a variable that it has set is visible to its
caller, which would then act as the agent whose stream it reads.

LangGraph writes an update in a graph's input to any channel, and some channels determine what runs next.
`find_smuggled_writes` names the writes that a caller may not make.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, get_type_hints

from langchain.agents.middleware.types import OmitFromSchema
from langchain_core.runnables import Runnable, ensure_config
from langgraph.errors import GraphBubbleUp, ParentCommand
from langgraph.types import Command, Send

from halo_core.enforcement.delegation import allowed_agents_scope, find_agent_resource, with_delegation_terms
from halo_core.enforcement.flow import make_withdrawal_call, run_step
from halo_core.enforcement.guards import clean_name
from halo_core.enforcement.steps import Step, Steps, TwoWayStep, adrive, astream, drive, emit_parts, stream
from halo_core.errors import Pending
from halo_langchain._pause import HandOffDecision, consume_resume, discard_resume, pause_or_withdraw
from halo_langchain._runs import get_step_id, graph_session_scope, with_link_marker

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from halo_core.enforcement.call import Call
    from halo_core.enforcement.delegation import ActiveAgent
    from halo_langchain import Halo

_BRANCH_PREFIX: Final = "branch:to:"
_ROOT_CHANNEL: Final = "__root__"  # the only channel of a state that is no mapping


def find_smuggled_writes(value: Any, graph: Any) -> Iterator[str]:
    """Names of nodes and channels that a command, or a list of these, writes to outside the graph's state.

    Args:
        value: what comes from outside.
        graph: whose state may be written; None if a graph inside it knows its own keys.
    """
    for command in _list_commands(value):
        if command.update:
            keys = _list_writable_keys(graph) if graph is not None else None
            for key, written in command._update_as_tuples():  # noqa: SLF001  what LangGraph itself asks
                if not _is_writable(str(key), keys):
                    yield written.node if isinstance(written, Send) else str(key).removeprefix(_BRANCH_PREFIX)


def _is_writable(key: str, keys: frozenset[str] | None) -> bool:
    # INVARIANT: no name that LangGraph keeps for itself, whatever a state calls its own.
    if key != _ROOT_CHANNEL and key.startswith(("__", "branch:", "join:")):
        return False
    return keys is None or key in keys


def _list_writable_keys(graph: Any) -> frozenset[str]:
    """Keys of a graph's state that a caller may write: those of its schema, except private ones."""
    builder = getattr(graph, "builder", None)
    if builder is None:
        channels = graph.input_channels
        return frozenset([channels] if isinstance(channels, str) else channels)
    schema = builder.state_schema
    return frozenset(builder.schemas[schema]) - _list_private_keys(schema)


def _list_private_keys(schema: Any) -> set[str]:
    """Keys that `create_agent` accepts from no caller."""
    try:
        hints = get_type_hints(schema, include_extras=True)
    except Exception:  # noqa: BLE001  a schema whose annotations cannot be read marks none of them
        return set()
    return {name for name, hint in hints.items() if _is_omitted(hint)}


def _is_omitted(hint: Any) -> bool:
    """Whether an annotation says that it is no input, also inside `NotRequired` and `Required`."""
    if any(isinstance(marker, OmitFromSchema) and marker.input for marker in getattr(hint, "__metadata__", ())):
        return True
    return any(_is_omitted(inner) for inner in getattr(hint, "__args__", ()))


_NAMESPACE_KEY: Final = "checkpoint_ns"  # LangGraph's, in the configuration of a node


@dataclass(frozen=True, slots=True)
class NodePlace:
    """The position of a guarded node in its graph, and which neighbours are agents."""

    halo: Halo
    name: str
    agents: frozenset[str]

    @property
    def agent(self) -> str:
        """The node's name as an agent."""
        return clean_name(self.name)


def wrap_node(runnable: Runnable[Any, Any], place: NodePlace) -> Runnable[Any, Any]:
    """Wrap a node's runnable, so that it runs in its session or as its agent."""
    base = _AgentNode if place.name in place.agents else _PlainNode
    return _make_node_class(base, type(runnable))(runnable, place)


# entering an agent


def act_as_agent(halo: Halo, agent: str, call_id: str, body: Callable[[ActiveAgent], Steps[Any]]) -> Steps[Any]:
    """Run a procedure as an agent, once that is decided.

    Raises:
        Denied: nobody may hand off to it from here.
        Pending: somebody has to be asked first, and nothing here can be resumed.
        GraphInterrupt: somebody has to be asked first, and the graph waits.
    """
    consume_resume(halo)
    try:
        scope = yield from halo.begin_agent(agent, call_id=call_id, give=halo.delegation_terms.get(agent))
    except Pending as pending:
        call = _build_handoff_call(halo, agent, call_id)
        if pause_or_withdraw(halo, call, pending):  # resumed with a no
            yield run_step(HandOffDecision(halo, make_withdrawal_call(call, pending)))
        raise

    def run_body(active_agent: ActiveAgent) -> Steps[Any]:
        if active_agent.used_answer:
            discard_resume()
        return body(active_agent)

    return (yield from scope.run(run_body))


# the nodes


class _GuardedNode(Runnable[Any, Any]):
    """Runs a node in the session of its run; otherwise behaves like the wrapped node."""

    def __init__(self, runnable: Runnable[Any, Any], place: NodePlace) -> None:
        self.bound = runnable
        self.place = place
        self.name = getattr(runnable, "name", None)

    def __getattr__(self, name: str) -> Any:
        """Attributes of the wrapped runnable, for code that inspects a graph."""
        if name in ("bound", "place") or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.bound, name)

    def get_name(self, suffix: str | None = None, *, name: str | None = None) -> str:
        """The name of the wrapped node."""
        return self.bound.get_name(suffix, name=name)

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002  the framework's name
        """Run the node."""
        return drive(self.make_steps(input, config, kwargs))

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002  as above
        """Run the node."""
        return await adrive(self.make_steps(input, config, kwargs))

    def make_steps(self, node_input: Any, config: RunnableConfig | None, kwargs: dict[str, Any]) -> Steps[Any]:
        """The procedure of one run."""
        consume_resume(self.place.halo, config)
        with graph_session_scope(config):
            return (yield self.make_bound_step(node_input, config, kwargs))

    def make_bound_step(self, node_input: Any, config: RunnableConfig | None, kwargs: dict[str, Any]) -> Step:
        """The step that runs the wrapped node."""
        bound = self.bound
        return TwoWayStep(
            functools.partial(bound.invoke, **kwargs), functools.partial(bound.ainvoke, **kwargs), node_input, config
        )


class _PlainNode(_GuardedNode):
    """Streams as the wrapped node does, which can act otherwise then: a chain tries nothing again, for example."""

    def stream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Iterator[Any]:  # noqa: A002  as above
        """Run the node, part by part."""
        return stream(self._make_stream_steps(self.bound.stream, input, config, kwargs))

    def astream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncIterator[Any]:  # noqa: A002  as above
        """Run the node, part by part."""
        return astream(self._make_stream_steps(self.bound.astream, input, config, kwargs))

    def _make_stream_steps(
        self, open_stream: Callable[..., Any], node_input: Any, config: RunnableConfig | None, kwargs: dict[str, Any]
    ) -> Steps[None]:
        consume_resume(self.place.halo, config)
        with graph_session_scope(config):
            parts = open_stream(node_input, config, **kwargs)
        yield from emit_parts(parts, lambda: graph_session_scope(config))


class _AgentNode(_GuardedNode):
    """Enters the agent, runs it under its own link, and decides its hand-offs."""

    def make_steps(self, node_input: Any, config: RunnableConfig | None, kwargs: dict[str, Any]) -> Steps[Any]:
        """Run the agent, and decide its hand-offs; raises a command for a parent graph at the end.

        Raises:
            Denied: nobody may hand off to it from here, or it may not hand off to where it wants to.
        """
        halo, step = self.place.halo, get_step_id(ensure_config(config))
        with graph_session_scope(config), allowed_agents_scope() as decided_agents:

            def run_agent(active_agent: ActiveAgent) -> Steps[Any]:
                agent_config = with_link_of(active_agent, config)
                with keep_link_when_paused(active_agent):
                    try:
                        result = command = yield self.make_bound_step(node_input, agent_config, kwargs)
                    except ParentCommand as raised:
                        result, command = raised, self._get_local_command(raised, config)
                for handoff_call in self._build_handoff_calls(command, decided_agents, step):
                    yield run_step(HandOffDecision(halo, handoff_call))
                if isinstance(result, ParentCommand) or self._names_next_agent(result):
                    active_agent.keep_link()
                return result

            result = yield from act_as_agent(halo, self.place.agent, step, run_agent)
        if isinstance(result, ParentCommand):
            raise result
        return result

    def _get_local_command(self, parent_command: ParentCommand, config: RunnableConfig | None) -> Command[Any] | None:
        """The command, if it is for another node of this graph and not for a parent graph."""
        command = parent_command.args[0]
        namespace = str((ensure_config(config).get("configurable") or {}).get(_NAMESPACE_KEY, ""))
        return command if command.graph in (namespace, _strip_task_ids(namespace), self.place.name) else None

    def _names_next_agent(self, result: Any) -> bool:
        """Whether the result itself names the next agent, in this graph or its parent."""
        goes_to_parent = any(item.graph == Command.PARENT and item.goto for item in _list_commands(result))
        return goes_to_parent or any(name in self.place.agents for name in list_targets(result))

    def _build_handoff_calls(self, result: Any, decided_agents: set[str], step: str) -> Iterable[Call]:
        """Hand-offs that are not decided yet; returning to itself is none."""
        halo, done = self.place.halo, {*decided_agents, self.place.agent}
        for name in list_targets(result):
            agent = clean_name(name)
            if name in self.place.agents and agent not in done:
                done.add(agent)
                yield _build_handoff_call(halo, agent, f"{step}>{agent}" if step else "")


def with_link_of(active_agent: ActiveAgent, config: RunnableConfig | None) -> Any:
    """The configuration for what an agent runs."""
    if not active_agent.handle:
        return config
    # Of what surrounds the agent no more: metadata given here would stand above its own, which say what it is called.
    return with_link_marker(config if config is not None else {"configurable": ensure_config().get("configurable")})


@contextmanager
def keep_link_when_paused(active_agent: ActiveAgent) -> Iterator[None]:
    """Keep an agent's link if the graph pauses or continues elsewhere, since it may act again under it."""
    try:
        yield
    except GraphBubbleUp:
        active_agent.keep_link()
        raise


def _build_handoff_call(halo: Halo, agent: str, call_id: str) -> Call:
    return with_delegation_terms(halo, halo.build_call(find_agent_resource(halo, agent), {"task": ""}, call_id=call_id))


def _list_commands(value: Any) -> list[Command[Any]]:
    items = value if isinstance(value, list | tuple) and not isinstance(value, Command) else [value]
    return [item for item in items if isinstance(item, Command)]


def list_targets(value: Any) -> list[str]:
    """Names of nodes in the same graph to which a command, a send, or a list of these leads."""
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
    """Class of a wrapper with the name of the wrapped node's class, since drawings show names."""
    return type(kind.__name__, (base,), {"__module__": kind.__module__, "__qualname__": kind.__qualname__})
