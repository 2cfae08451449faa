"""Room: guarded graphs. Takes: a compiled graph. Gives: a copy whose agents are entered by decisions.

The copy has the graph's class, channels, names and checkpoints; what stands before its nodes is in `nodes`. Graphs
that a node holds are guarded too, itself or in a function's closure, and the tools of its tool nodes; one that a
function finds elsewhere runs inside its node's entry. Never: decides, changes the original.
"""

from __future__ import annotations

import copy
import functools
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar

from langchain_core.runnables import Runnable, RunnableBinding, RunnableSequence
from langgraph.prebuilt import ToolNode
from langgraph.pregel import Pregel

from halo_core.errors import ConfigError
from halo_core.model import ActionKind, Resource
from halo_core.pep.gate import Gate, gate_of, put_gate
from halo_core.pep.handoff import HANDED, agent_resource
from halo_core.pep.names import clean_name
from halo_langchain._graphs.closures import Closures, holds_graph
from halo_langchain._graphs.kind import Own, graph_class, put_own
from halo_langchain._graphs.nodes import Place, node
from halo_langchain._tools.node import guard_tool_node

if TYPE_CHECKING:
    from halo_core.facade import HandOff
    from halo_langchain import Halo

__all__ = ["guard_graph"]

G = TypeVar("G", bound=Pregel[Any, Any, Any, Any])


@dataclass(slots=True)
class _Guarding:
    """One call of `guard`: what was found in the graph and in those inside it."""

    halo: Halo
    names: set[str] = field(default_factory=set)
    cached: list[str] = field(default_factory=list)
    tools: dict[str, str] = field(default_factory=dict)
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

    Args:
        halo: who decides.
        graph: any compiled graph.
        agents: nodes that are agents beside those that hold a graph.
        give: how much of its own whoever hands off gives, by agent.
        agent: the agent that the graph is as a whole.
        resource: what that agent is.

    Raises:
        ConfigError: a name is no node's, or taken by a resource of another kind.
    """
    gate = gate_of(graph)
    if gate is not None and gate.halo is not halo:
        raise ConfigError(
            "guarded_elsewhere", "another Halo guards this graph", field="x", remedy="pass the graph as it was compiled"
        )
    if gate is not None:
        if not (agents or give or agent):
            return graph
        graph = gate.original
    if resource is not None and not agent:
        raise ConfigError(
            "resource_of_graph", "a graph as such is no resource", field="resource", remedy="name its `agent=`"
        )
    found = _agents(graph, agents or ())
    guarding = _Guarding(halo)
    whole = agent_resource(halo, agent, resource) if agent else None
    guarded = _copied(guarding, graph, found, whole)
    _require_known(give or {}, {*guarding.names, *([agent] if agent else [])}, "give")
    for name, terms in (give or {}).items():
        halo.terms.add(name, terms)
    if guarding.cached:
        names = ", ".join(f"`{name}`" for name in sorted(guarding.cached))
        halo.tell(f"the cache of {names} is off in the guarded graph: a cached run is neither decided nor recorded")
    return guarded


def _agents(graph: Pregel[Any, Any, Any, Any], told: Collection[str]) -> frozenset[str]:
    _require_known(told, graph.nodes, "agents")
    return frozenset((*told, *(name for name, item in graph.nodes.items() if item.subgraphs or _is_agent(item.bound))))


def _is_agent(bound: Any) -> bool:
    return isinstance(bound, Pregel) or holds_graph(bound)


def _require_known(names: Collection[str], known: Collection[str], where: str) -> None:
    for name in names:
        if name not in known:
            close = get_close_matches(name, known, 1)
            hint = f"did you mean `{close[0]}`" if close else f"there are {', '.join(sorted(known)) or 'none'}"
            raise ConfigError("no_such_agent", f"`{name}` is no agent of this graph", field=where, remedy=hint)


def _require_apart(agents: Collection[str]) -> None:
    ids = Counter(map(clean_name, agents))
    for name in agents:
        if ids[clean_name(name)] > 1:
            raise ConfigError(
                "agents_alike",
                f"`{name}` and another node are both the agent `{clean_name(name)}`",
                field="x",
                remedy="name nodes in plain ASCII",
            )


# the copy


def _copied(guarding: _Guarding, graph: G, agents: frozenset[str], whole: Resource | None = None, at: str = "") -> G:
    halo = guarding.halo
    _require_apart(agents)
    for name in sorted(agents):  # before the tools that hand off to them
        agent_resource(halo, name)
        guarding.names.add(name)
    guarded = copy.copy(graph)
    guarding.copies[id(graph)] = graph, guarded  # before its nodes: a function in it may hold the graph itself
    guarded.__class__ = graph_class(type(graph))
    put_own(guarded, Own(agents, whole.id if whole is not None else ""))
    resource = whole or Resource(id=clean_name(graph.name), kind=ActionKind.HANDOFF)
    put_gate(guarded, Gate(halo, graph, graph.name, resource, HANDED))
    guarded.nodes = {name: _guarded_node(guarding, name, item, agents, at) for name, item in graph.nodes.items()}
    if guarded.cache_policy is not None:
        guarding.cached.append(graph.name)
        guarded.cache_policy = None
    return guarded


def _guarded_node(guarding: _Guarding, name: str, item: Any, agents: frozenset[str], at: str) -> Any:
    bound = _rewritten(guarding, item.bound, f"{at} > {name}" if at else name)
    # A tool node decides by itself, and is looked for by its class.
    if name in agents or not (_does_nothing(item) or isinstance(bound, ToolNode)):
        bound = node(bound, Place(guarding.halo, name, agents))
    if item.cache_policy is not None:
        guarding.cached.append(name)
    subgraphs = [guarding.copies.get(id(graph), (graph, graph))[1] for graph in item.subgraphs]
    return item.copy({"bound": bound, "cache_policy": None, "subgraphs": subgraphs})


def _does_nothing(item: Any) -> bool:
    """Whether a node only passes its input on; LangGraph knows it by this very object."""
    return item.bound is type(item)(channels=[], triggers=[]).bound


def _inner(guarding: _Guarding, at: str, graph: Pregel[Any, Any, Any, Any]) -> Pregel[Any, Any, Any, Any]:
    """The guarded copy of a graph that another one holds; what another Halo guards, that one decides."""
    if gate_of(graph) is not None:
        return graph
    known = guarding.copies.get(id(graph))
    return known[1] if known is not None else _copied(guarding, graph, _agents(graph, ()), at=at)


def _rewritten(guarding: _Guarding, bound: Any, at: str) -> Any:
    """A node's runnable with the graphs and tool nodes that it holds guarded; `at` says where it is."""
    if isinstance(bound, ToolNode):
        return guard_tool_node(guarding.halo, bound, at, guarding.tools)
    if isinstance(bound, Pregel):
        return _inner(guarding, at, bound)
    again = functools.partial(_rewritten, guarding, at=at)
    if isinstance(bound, RunnableSequence):
        first, *middle, last = [again(step) for step in bound.steps]
        return bound.model_copy(update={"first": first, "middle": middle, "last": last})
    if isinstance(bound, RunnableBinding):
        return bound.model_copy(update={"bound": again(bound.bound)})
    if isinstance(bound, Runnable) and isinstance(getattr(bound, "steps", None), list):
        sequence = copy.copy(bound)  # LangGraph's own kind of sequence
        sequence.steps = [again(step) for step in bound.steps]  # type: ignore[attr-defined]
        return sequence
    return Closures(functools.partial(_inner, guarding, at)).rewritten(bound) if holds_graph(bound) else bound
