"""Guarded graphs: copies of compiled graphs in which entering an agent is a decision.

A copy has the class, channels, names and checkpoints of its original; `_agent_runs` holds what runs before its nodes. A
run from outside begins at the start of the graph or at an agent. A run without a session gets one of its own, and a run
of a graph that is itself an agent acts as that agent.

Graphs that a node holds are guarded too, whether the node holds them itself or in a closure (`ClosureRewriter`), and so
are the tools of its tool nodes. A graph that a function finds through globals, attributes or containers runs under the
entry of its node.
"""

from __future__ import annotations

import copy
import functools
import types
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from contextvars import copy_context
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, TypeVar

from langchain_core.load.serializable import Serializable
from langchain_core.runnables import Runnable, RunnableBinding, RunnableSequence, ensure_config
from langgraph.constants import END
from langgraph.prebuilt import ToolNode
from langgraph.pregel import Pregel

from halo_core.enforcement.activities import current_run_activity
from halo_core.enforcement.delegation import HANDOFF_SURFACE, register_agent_resource
from halo_core.enforcement.flow import run_step
from halo_core.enforcement.guards import (
    GuardMetadata,
    attach_guard,
    clean_name,
    get_guard,
    make_named_subclass,
    make_unregistered_resource,
    require_guard,
)
from halo_core.enforcement.session_context import current_delegation_session, current_session
from halo_core.enforcement.step_methods import make_method, make_stream_method
from halo_core.enforcement.steps import Steps, TwoWayStep, astream, emit_parts, stream
from halo_core.errors import ConfigError
from halo_core.model import ActionKind, Resource
from halo_langchain._agent_runs import (
    NodePlace,
    act_as_agent,
    find_smuggled_writes,
    keep_link_when_paused,
    list_targets,
    with_link_of,
    wrap_node,
)
from halo_langchain._pause import HandOffDecision
from halo_langchain._runs import enclosure_scope, find_thread_session, graph_session_scope, with_run_session
from halo_langchain._tool_nodes import guard_tool_node

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from halo_core.enforcement.delegation import ActiveAgent
    from halo_core.facade import HandOff
    from halo_langchain import Halo

_FUNCTION_FIELDS: Final = ("func", "afunc")
_COPIED_ATTRIBUTES: Final = ("__module__", "__qualname__", "__doc__", "__annotations__")


def _holds_graph(runnable: Any) -> bool:
    """Whether a node's runnable is a function that reaches a graph through closures, defaults or partial arguments."""
    # A `RunnableLambda`, or LangGraph's own kind of it; tools have such fields too.
    if not isinstance(runnable, Runnable) or isinstance(runnable, Serializable):
        return False
    return any(_reaches_graph(runnable.__dict__.get(name)) for name in _FUNCTION_FIELDS)


def _reaches_graph(value: Any) -> bool:
    visited: dict[int, Any] = {}
    queue = [value]
    while queue:
        current = queue.pop()
        if issubclass(type(current), Pregel):
            return True
        if id(current) not in visited:
            visited[id(current)] = current
            queue.extend(_list_referents(current))
    return False


def _list_referents(value: Any) -> Iterable[Any]:
    if type(value) is types.MethodType:
        return [value.__self__] if issubclass(type(value.__self__), Pregel) else []
    if type(value) is functools.partial:
        return [value.func, *value.args, *value.keywords.values()]
    if type(value) is types.FunctionType:
        cells = [_get_cell_contents(cell) for cell in value.__closure__ or ()]
        defaults = [*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]
        return [*cells, *defaults, *value.__dict__.values()]
    return []


def _get_cell_contents(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


class ClosureRewriter:
    """Rebuilds functions around guarded graphs; each once, since both ways of calling a node share them.

    Args:
        replace_graph: gives what takes a graph's place.
    """

    def __init__(self, replace_graph: Callable[[Any], Any]) -> None:
        self._replace_graph = replace_graph
        # By identity; the originals are kept so that nothing else takes theirs.
        self._functions: dict[int, tuple[Any, types.FunctionType]] = {}
        self._cells: dict[int, tuple[Any, types.CellType]] = {}

    def rewrite(self, runnable: Any) -> Any:
        """A copy of a node's runnable that `_holds_graph`, with its functions rebuilt."""
        copied = copy.copy(runnable)
        copied.__dict__.pop("deps", None)  # what a `RunnableLambda` remembers of its function
        for name in _FUNCTION_FIELDS:
            if copied.__dict__.get(name) is not None:
                copied.__dict__[name] = self._replace(copied.__dict__[name])
        return copied

    def _replace(self, value: Any) -> Any:
        """The replacement of a value."""
        if issubclass(type(value), Pregel):
            return self._replace_graph(value)
        if not _reaches_graph(value):
            return value
        if type(value) is types.MethodType:
            return getattr(self._replace_graph(value.__self__), value.__name__)
        if type(value) is functools.partial:
            keywords = {name: self._replace(item) for name, item in value.keywords.items()}
            return functools.partial(self._replace(value.func), *map(self._replace, value.args), **keywords)
        return self._rebuild_function(value)

    def _rebuild_function(self, function: types.FunctionType) -> types.FunctionType:
        if id(function) in self._functions:
            return self._functions[id(function)][1]
        # INVARIANT: nothing is filled before it is known: a function may hold itself, a graph the node that runs it.
        closure_cells = function.__closure__ or ()
        missing = [
            cell for cell in closure_cells if id(cell) not in self._cells and _reaches_graph(_get_cell_contents(cell))
        ]
        self._cells.update((id(cell), (cell, types.CellType())) for cell in missing)
        cells = tuple(self._cells.get(id(cell), (cell, cell))[1] for cell in closure_cells)
        rebuilt = types.FunctionType(function.__code__, function.__globals__, function.__name__, None, cells)
        self._functions[id(function)] = function, rebuilt
        for cell in missing:
            self._cells[id(cell)][1].cell_contents = self._replace(_get_cell_contents(cell))
        for name in _COPIED_ATTRIBUTES:
            setattr(rebuilt, name, getattr(function, name))
        rebuilt.__defaults__ = tuple(map(self._replace, function.__defaults__ or ())) or None
        keywords = function.__kwdefaults__ or {}
        rebuilt.__kwdefaults__ = {name: self._replace(item) for name, item in keywords.items()} or None
        rebuilt.__dict__.update({name: self._replace(item) for name, item in function.__dict__.items()})
        return rebuilt


_GRAPH_AGENTS_KEY: Final = "_halo_graph"
_NAMESPACE_KEY: Final = "checkpoint_ns"  # LangGraph's, where a configuration names a graph inside


@dataclass(frozen=True, slots=True)
class _GraphAgents:
    """A guarded graph's agents: the nodes that are agents, and the agent that it is as a whole."""

    agents: frozenset[str]
    agent: str = ""


@functools.lru_cache(maxsize=64)
def _make_graph_class(kind: type[Any]) -> type[Any]:
    @functools.wraps(kind.copy)
    def copy_graph(self: Any, update: dict[str, Any] | None = None) -> Any:
        copied = kind.copy(self, update)
        copied.__dict__[_GRAPH_AGENTS_KEY] = self.__dict__[_GRAPH_AGENTS_KEY]
        attach_guard(copied, require_guard(self))
        return copied

    members: dict[str, Any] = {"copy": copy_graph}
    for name, is_async in (("stream", False), ("astream", True)):
        original = getattr(kind, name)
        members[name] = make_stream_method(original, functools.partial(_stream_steps, original), is_async=is_async)
    for name, is_async in (("bulk_update_state", False), ("abulk_update_state", True)):
        original = getattr(kind, name)
        members[name] = make_method(original, functools.partial(_update_steps, original), is_async=is_async)
    guarded_class: type[Any] = make_named_subclass(kind, members)
    return guarded_class


def _stream_steps(
    stream_original: Callable[..., Any],
    graph: Any,
    /,
    input: Any,  # noqa: A002  the framework's name
    config: RunnableConfig | None = None,
    **kwargs: Any,
) -> Steps[None]:
    config = _ensure_session(graph, config)
    yield from _refuse_foreign_entries(graph, [input], config)
    stream_graph = functools.partial(stream_original, graph, input, **kwargs)
    enclosure = require_guard(graph)
    if _needs_own_context(graph, config):
        steps = _agent_steps(graph, config, stream_graph)
        yield from emit_parts((yield TwoWayStep(stream, astream, steps, copy_context())))
    else:
        yield from emit_parts(stream_graph(config), lambda: enclosure_scope(enclosure))


def _update_steps(
    update_original: Callable[..., Any], graph: Any, /, config: RunnableConfig | None, supersteps: Any
) -> Steps[Any]:
    steps = [list(step) for step in supersteps]
    written_values = [write[0] for step in steps for write in step]  # a command there says what runs next
    yield from _refuse_foreign_entries(graph, written_values, config)
    return (yield update_original, graph, config, steps)


def _ensure_session(graph: Any, config: RunnableConfig | None) -> RunnableConfig | None:
    """The configuration of a run, with a session of its own if it belongs to no other."""
    if current_session() is not None or current_delegation_session() is not None:
        return config
    if find_thread_session(graph.config or {}) or find_thread_session(ensure_config(config)):
        return config
    halo = require_guard(graph).halo
    outer_run = current_run_activity()
    session_id = outer_run.get_session_id(halo, halo.make_run_session_id) if outer_run else halo.make_run_session_id()
    run_config: RunnableConfig = with_run_session(config, session_id)
    return run_config


def _needs_own_context(graph: Any, config: RunnableConfig | None) -> bool:
    """Whether a graph is an agent, or its run was started by code that lost the context of its node."""
    session = find_thread_session(ensure_config(config)) if current_session() is None else None
    return bool(graph.__dict__[_GRAPH_AGENTS_KEY].agent) or (session is not None and not session.id)


def _refuse_foreign_entries(graph: Any, inputs: Iterable[Any], config: RunnableConfig | None) -> Steps[None]:
    """Refuse input that would start, from outside, at a node that is no entry point.

    Raises:
        Denied: it would; that is recorded.
    """
    names = _find_foreign_targets(graph, inputs, config)
    if names:
        halo = require_guard(graph).halo
        with graph_session_scope(config, task=True):
            for name in names:
                resource = make_unregistered_resource(name, ActionKind.HANDOFF)
                call = halo.build_call(resource, {"task": ""}, problem="foreign_goto")
                yield run_step(HandOffDecision(halo, call))


def _find_foreign_targets(graph: Any, inputs: Iterable[Any], config: RunnableConfig | None) -> list[str]:
    graph_agents: _GraphAgents = graph.__dict__[_GRAPH_AGENTS_KEY]
    # A graph inside, which the configuration names, knows its keys.
    is_inner = bool(((config or {}).get("configurable") or {}).get(_NAMESPACE_KEY))
    names: list[str] = []
    for item in inputs:
        names.extend(name for name in list_targets(item) if name not in graph_agents.agents and name != END)
        names.extend(find_smuggled_writes(item, None if is_inner else graph))
    return names


def _agent_steps(graph: Any, config: RunnableConfig | None, stream_graph: Callable[[Any], Any]) -> Steps[None]:
    """A run of a graph that is an agent, unless its node in another graph has entered it already."""
    enclosure = require_guard(graph)
    halo, agent = enclosure.halo, graph.__dict__[_GRAPH_AGENTS_KEY].agent

    def stream_as(active_agent: ActiveAgent) -> Steps[None]:
        with keep_link_when_paused(active_agent), enclosure_scope(enclosure):
            yield from emit_parts(stream_graph(with_link_of(active_agent, config)))

    with graph_session_scope(config, task=True):
        if not agent or halo.find_acting_agent() == agent:
            with enclosure_scope(enclosure):
                yield from emit_parts(stream_graph(config))
        else:
            yield from act_as_agent(halo, agent, "", stream_as)


G = TypeVar("G", bound=Pregel[Any, Any, Any, Any])


@dataclass(slots=True)
class _GuardingContext:
    """State of one call of `guard`: what was found in the graph and its inner graphs."""

    halo: Halo
    is_started: bool = False
    """Whether the graph starts to run already: nobody reads an error about one of its tools."""
    agent_names: set[str] = field(default_factory=set)
    cached_names: list[str] = field(default_factory=list)
    tool_paths: dict[str, str] = field(default_factory=dict)
    """Where each tool was met first, by name."""
    copies: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    """Graphs and their copies, by identity: what is in two places, or holds itself, is copied once."""


def guard_graph(
    halo: Halo,
    graph: G,
    *,
    agents: Collection[str] | None = None,
    give: Mapping[str, HandOff] | None = None,
    agent: str = "",
    resource: Resource | None = None,
) -> G:
    """A guarded copy of a compiled graph.

    The arguments are those of `Halo.guard`.

    Raises:
        ConfigError: a name is no node's, or taken by a resource of another kind.
    """
    guard = get_guard(graph)
    if guard is not None and guard.halo is not halo:
        message, remedy = "this graph is already guarded by another Halo", "pass the original compiled graph"
        raise ConfigError("guarded_elsewhere", message, field="x", remedy=remedy)
    if guard is not None:
        if not (agents or give or agent):
            return graph
        graph = guard.original
    if resource is not None and not agent:
        remedy = "use `agent=` to name its agent"
        raise ConfigError("resource_of_graph", "a graph is not a resource", field="resource", remedy=remedy)
    agent_nodes = _find_agents(graph, agents or ())
    context = _GuardingContext(halo)
    graph_resource = register_agent_resource(halo, agent, resource) if agent else None
    guarded = _copy_graph(context, graph, agent_nodes, graph_resource)
    _require_known(give or {}, {*context.agent_names, *([agent] if agent else [])}, "give")
    for name, terms in (give or {}).items():
        halo.delegation_terms.set_terms(name, terms)
    if context.cached_names:
        names = ", ".join(f"`{name}`" for name in sorted(context.cached_names))
        note = f"the cache of {names} is off in the guarded graph: a cached run is neither decided nor recorded"
        halo.notify_once(note)
    return guarded


def guard_started_graph(halo: Halo, graph: G, agent: str) -> G:
    """A guarded copy of a graph started inside something guarded; entered as an agent if it is one.

    A tool in it that cannot be registered is refused when it is called.

    Raises:
        ConfigError: as `guard_graph`.
    """
    graph_resource = register_agent_resource(halo, agent) if agent else None
    return _copy_graph(_GuardingContext(halo, is_started=True), graph, _find_agents(graph, ()), graph_resource)


def _find_agents(graph: Pregel[Any, Any, Any, Any], named_agents: Collection[str]) -> frozenset[str]:
    _require_known(named_agents, graph.nodes, "agents")
    agents = (
        name
        for name, item in graph.nodes.items()
        if item.subgraphs or isinstance(item.bound, Pregel) or _holds_graph(item.bound)
    )
    return frozenset((*named_agents, *agents))


def _require_known(names: Collection[str], existing: Collection[str], where: str) -> None:
    for name in names:
        if name not in existing:
            close = get_close_matches(name, existing, 1)
            hint = f"did you mean `{close[0]}`" if close else f"the agents are: {', '.join(sorted(existing)) or 'none'}"
            raise ConfigError("no_such_agent", f"`{name}` is not an agent of this graph", field=where, remedy=hint)


def _require_distinct(agents: Collection[str]) -> None:
    ids = Counter(map(clean_name, agents))
    for name in agents:
        if ids[clean_name(name)] > 1:
            message = f"`{name}` and another node are both the agent `{clean_name(name)}`"
            raise ConfigError("agents_alike", message, field="x", remedy="use plain ASCII names for nodes")


# the copy


def _copy_graph(
    context: _GuardingContext, graph: G, agents: frozenset[str], graph_resource: Resource | None = None, path: str = ""
) -> G:
    halo = context.halo
    _require_distinct(agents)
    for name in sorted(agents):  # before the tools that hand off to them
        register_agent_resource(halo, name)
        context.agent_names.add(name)
    guarded = copy.copy(graph)
    context.copies[id(graph)] = graph, guarded  # before its nodes: a function in it may hold the graph itself
    guarded.__class__ = _make_graph_class(type(graph))
    agent = graph_resource.id if graph_resource is not None else ""
    guarded.__dict__[_GRAPH_AGENTS_KEY] = _GraphAgents(agents, agent)
    resource = graph_resource or Resource(id=clean_name(graph.name), kind=ActionKind.HANDOFF)
    attach_guard(guarded, GuardMetadata(halo, graph, graph.name, resource, HANDOFF_SURFACE))
    guarded.nodes = {name: _guard_node(context, name, item, agents, path) for name, item in graph.nodes.items()}
    if guarded.cache_policy is not None:
        context.cached_names.append(graph.name)
        guarded.cache_policy = None
    return guarded


def _guard_node(context: _GuardingContext, name: str, item: Any, agents: frozenset[str], path: str) -> Any:
    runnable = _guard_runnable(context, item.bound, f"{path} > {name}" if path else name)
    # A tool node decides by itself, and is looked for by its class.
    if name in agents or not (_is_passthrough(item) or isinstance(runnable, ToolNode)):
        runnable = wrap_node(runnable, NodePlace(context.halo, name, agents))
    if item.cache_policy is not None:
        context.cached_names.append(name)
    subgraphs = [context.copies.get(id(graph), (graph, graph))[1] for graph in item.subgraphs]
    return item.copy({"bound": runnable, "cache_policy": None, "subgraphs": subgraphs})


def _is_passthrough(item: Any) -> bool:
    """Whether a node only passes its input on; LangGraph knows it by this very object."""
    return item.bound is type(item)(channels=[], triggers=[]).bound


def _guard_inner_graph(
    context: _GuardingContext, path: str, graph: Pregel[Any, Any, Any, Any]
) -> Pregel[Any, Any, Any, Any]:
    """The guarded copy of an inner graph; a graph guarded by another Halo is left to that."""
    if get_guard(graph) is not None:
        return graph
    earlier_copy = context.copies.get(id(graph))
    if earlier_copy is not None:
        guarded: Pregel[Any, Any, Any, Any] = earlier_copy[1]
        return guarded
    return _copy_graph(context, graph, _find_agents(graph, ()), path=path)


def _guard_runnable(context: _GuardingContext, runnable: Any, path: str) -> Any:
    """A node's runnable with guarded graphs and tool nodes inside; `path` is its place."""
    if isinstance(runnable, ToolNode):
        return guard_tool_node(context.halo, runnable, path, context.tool_paths, is_started=context.is_started)
    if isinstance(runnable, Pregel):
        return _guard_inner_graph(context, path, runnable)
    guard_inner = functools.partial(_guard_runnable, context, path=path)
    if isinstance(runnable, RunnableSequence):
        first, *middle, last = [guard_inner(step) for step in runnable.steps]
        return runnable.model_copy(update={"first": first, "middle": middle, "last": last})
    if isinstance(runnable, RunnableBinding):
        return runnable.model_copy(update={"bound": guard_inner(runnable.bound)})
    if isinstance(runnable, Runnable) and isinstance(getattr(runnable, "steps", None), list):
        sequence = copy.copy(runnable)  # LangGraph's own kind of sequence
        sequence.steps = [guard_inner(step) for step in runnable.steps]  # type: ignore[attr-defined]
        return sequence
    rewriter = ClosureRewriter(functools.partial(_guard_inner_graph, context, path))
    return rewriter.rewrite(runnable) if _holds_graph(runnable) else runnable
