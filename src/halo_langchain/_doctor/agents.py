"""Room: graphs and agents as `halo doctor` reads them. Takes: a compiled graph. Gives: rows, and what to look at next.

Never: runs anything of the app's, decides.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from langchain.agents.middleware import AgentMiddleware
from langchain_core.language_models import BaseLanguageModel
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langgraph.prebuilt import ToolNode
from langgraph.pregel.protocol import PregelProtocol

from halo_core.coverage import Kind, Status
from halo_langchain._doctor.hooks import around, closure, cover_of, guards_model, order
from halo_langchain._doctor.rows import Rows
from halo_langchain._doctor.verdicts import CALLBACK, NOTHING, Cover, calls_back, gate, guarded
from halo_langchain._doctor.walk import container, framework, held, is_a, module_of, plain, unwrapped

if TYPE_CHECKING:
    from halo_langchain._doctor.app import Examiner

__all__ = ["FACTORY", "TOOL_HOOKS", "Graph"]

FACTORY: Final = "langchain.agents.factory"
"""Where the functions of `create_agent`'s own nodes are."""
TOOL_HOOKS: Final = ("_wrap_tool_call", "_awrap_tool_call")
MODEL_HOOKS: Final = ("wrap_model_call_handler", "awrap_model_call_handler")
_UNNAMED: Final = "LangGraph"
_APART: Final = (ToolNode, BaseTool, BaseRetriever, BaseLanguageModel, AgentMiddleware)
"""What these hold runs under their own decision, not as a node."""
_ENDS: Final = ("__start__", "__end__")
_ELSEWHERE: Final = frozenset("bound channels metadata runnable subgraphs tags triggers writers".split())
"""Of a node: what is looked at by itself, and what is only words."""
_SCHEMAS: Final = ("state_schema", "input_schema", "output_schema", "context_schema")
_BESIDE: Final = frozenset(
    (*"_halo_gate _halo_graph branches builder channels compiled edges nodes schemas".split(), *_SCHEMAS)
)
"""Of a graph, likewise."""
_FAR: Final = 6
_ONCE: Final = "run `halo.guard(graph)`, or `halo.middleware()` last in the agent"


class Graph:
    """One graph under examination.

    Args:
        examiner: looks at what is inside.
        graph: compiled, or a builder.
        where: path to it.
        cover: what decides unguarded things in it.
    """

    def __init__(self, examiner: Examiner, graph: Any, where: str, cover: Cover) -> None:
        self._examiner = examiner
        self._rows: Rows = examiner.rows
        self._own = held(graph)
        self._gate = guarded(graph)
        config = self._own.get("config")
        halo = calls_back(config.get("callbacks")) if type(config) is dict else None
        called = Cover(CALLBACK, frozenset(Kind), halo=halo)
        self._cover = called if halo is not None else NOTHING if cover.decided else cover
        nodes = self._own.get("nodes")
        self._nodes: Mapping[str, Any] = nodes if type(nodes) is dict else {}
        self._name, self._where = self._placed(where)

    def _placed(self, where: str) -> tuple[str, str]:
        """Name and path of it."""
        own = self._own.get("name")
        root = where == self._examiner.root
        name = own if type(own) is str and own and own != _UNNAMED else where.strip("`") if root else ""
        kind = (
            "agent" if any(module_of(_function(_bound(node))) == FACTORY for node in self._nodes.values()) else "graph"
        )
        label = f"{kind} `{name}`" if name else f"a {kind}"
        node = f"node `{name}`"
        if root or not where:
            return name or label, label
        return name or label, where[: -len(node)] + label if where.endswith(node) else f"{where} > {label}"

    def look(self) -> None:
        """Rows about the graph, then its nodes; those that run tools first, since others name them too."""
        if self._gate is not None:
            self._rows.touched += 1
            self._rows.met(self._gate.halo)
            self._rows.add(Kind.AGENT, self._name, self._where, "guarded graph", Status.CLOSED)
            if self._own.get("builder") is not None:
                remedy = "what it was compiled from: compiled again, it is not guarded; hand out the guarded graph only"
                self._rows.note(Kind.NODE, "builder", self._where, remedy)
        for name, node in sorted(self._nodes.items(), key=lambda item: not is_a(_bound(item[1]), ToolNode)):
            if name not in _ENDS:
                self._node(name, node)
        self._examiner.visit(self._own.get("branches"), f"{self._where} > edges", self._cover)
        self._settings()
        self._powers()

    def _settings(self) -> None:
        """What runs beside the nodes: reducers and validators of the state, policies, handlers."""
        for key, value in self._own.items():
            if key not in _BESIDE:
                self._examiner.visit(value, self._where, NOTHING)
        for own in (self._own, held(self._own.get("builder"))):
            for name, channel in container(own.get("channels")) or ():
                self._examiner.visit(channel, f"{self._where} > state `{name}`", NOTHING)
            classes = [value for _, value in container(own.get("schemas")) or () if is_a(value, type)]
            for value in (*classes, *map(own.get, _SCHEMAS)):
                self._examiner.visit(value, f"{self._where} > state", NOTHING)

    def _powers(self) -> None:
        """What only the host can do, and must keep to itself."""
        saver, store = self._own.get("checkpointer"), self._own.get("store")
        if saver is not None and not is_a(saver, bool):
            remedy = "holds what agents said, in clear; who writes to it decides how a run goes on: keep it from agents"
            self._rows.note(Kind.STORE, type(saver).__name__, self._where, remedy)
            remedy = "the host's own power: it changes what a run knows without a decision"
            self._rows.note(Kind.NODE, "update_state", self._where, remedy)
            for name in filter(self._forgets, self._nodes):
                remedy = "a step of it that is run again from an older checkpoint counts as new: " + _ONCE
                self._rows.note(Kind.NODE, f"{name} (time travel)", f"{self._where} > node `{name}`", remedy)
        if store is not None:
            remedy = "what nodes read and write in it by themselves is not decided: let tools do it"
            self._rows.note(Kind.STORE, type(store).__name__, self._where, remedy)

    def _forgets(self, name: str) -> bool:
        """Whether a node runs guarded tools by itself: nobody tells them which message asked."""
        bound = _bound(self._nodes[name])
        if not is_a(bound, ToolNode) or gate(bound) is not None:
            return False
        own = held(bound)
        if cover_of(order(own.get(hook) for hook in TOOL_HOOKS), (Kind.TOOL,)) is not None:
            return False
        return any(gate(tool) is not None for _, tool in container(own.get("_tools_by_name")) or ())

    def _node(self, name: str, node: Any) -> None:
        bound, where, before = _bound(node), f"{self._where} > node `{name}`", self._rows.touched
        self._cached(name, held(node), where)
        self._entry(name, node, where)
        function = _function(bound)
        if module_of(function) == FACTORY and "model" in closure(function):
            self._model_node(bound, where)
        else:
            self._examiner.visit(bound, where, self._cover)
        for key, value in held(node).items():
            if key not in _ELSEWHERE:
                self._examiner.visit(value, where, NOTHING)
        for writer in self._writers(node):
            self._examiner.visit(writer, f"{self._where} > edge from `{name}`", self._cover)
        if self._rows.touched == before and is_a(function, types.FunctionType) and not framework(module_of(function)):
            self._rows.note(Kind.NODE, name, where, "a plain function: nothing governable is seen in it")

    def _entry(self, name: str, node: Any, where: str) -> None:
        """Who may enter a node that is an agent."""
        place = _place(node)
        # What the guard takes for an agent it enters as one; what holds a graph and is none of those it does not.
        entered = held(place).get("agents") if place is not None else None
        known = type(entered) is frozenset and name in entered
        if not known and not self._holds_graph(_bound(node)):
            return
        self._rows.touched += 1
        if known:
            self._rows.add(Kind.NODE, f"{name} (an agent)", where, "guarded graph, node entry", Status.CLOSED)
        else:
            hint = f"say that it is one: `halo.guard(graph, agents=[{name!r}])`" if self._gate is not None else ""
            self._rows.undecided(Kind.NODE, f"{name} (an agent)", where, hint)

    def _holds_graph(self, bound: Any) -> bool:
        """Whether a node is or calls a graph: near things first, each once."""
        seen: dict[int, Any] = {}
        level = [bound]
        for _ in range(_FAR + 1):
            fresh = {id(x): x for x in level if not plain(x) and id(x) not in seen}
            if any(is_a(x, PregelProtocol) for x in fresh.values()):
                return True
            seen.update(fresh)
            level = [value for x in fresh.values() for value in self._below(x)]
        return False

    def _below(self, x: Any) -> list[Any]:
        inner, more = unwrapped(x)
        if is_a(inner, *_APART) or module_of(inner) == FACTORY:
            return []
        if is_a(inner, types.FunctionType):
            return [value for _, value, _ in self._examiner.captured(inner)] + [value for _, value in more]
        if is_a(inner, Runnable) and framework(module_of(inner)):
            return [value for name, value in held(inner).items() if name != "writer"]
        return [value for _, value in container(inner) or ()]

    def _cached(self, name: str, node: Mapping[str, Any], where: str) -> None:
        if node.get("cache_policy") is None and self._own.get("cache_policy") is None:
            return
        guarded = self._gate is not None
        point = "guarded graph" if guarded else "none"
        status = Status.CLOSED if guarded else Status.OPEN
        remedy = "" if guarded else "a hit is not decided: run `halo.guard(graph)`, or take the cache policy away"
        self._rows.add(Kind.NODE, f"{name} (cached)", where, point, status, remedy)

    def _writers(self, node: Any) -> Iterable[Any]:
        """Functions that choose the next node."""
        for _, writer in container(held(node).get("writers")) or ():
            _, more = unwrapped(held(writer).get("func"))
            yield from (value for _, value in more if type(value).__name__ == "BranchSpec")

    def _model_node(self, bound: Any, where: str) -> None:
        """The model of `create_agent`, its tools and the middleware around it."""
        own = held(bound)
        inside = {**closure(own.get("afunc")), **closure(own.get("func"))}
        found = order(inside.get(name) for name in MODEL_HOOKS)
        cover = cover_of(found, (Kind.MODEL,)) or self._cover
        around(self._examiner, found, where, cover)
        self._examiner.visit(inside.get("initial_response_format"), where, NOTHING)
        self._examiner.visit(inside["model"], where, cover)
        closed = guards_model(inside["model"]) or Kind.MODEL in cover.kinds
        self._rows.hosted(inside.get("default_tools"), where, closed=closed)


def _bound(node: Any) -> Any:
    own = held(node)
    bound = own.get("bound") if "bound" in own else own.get("runnable")
    place = _place(node)
    return held(bound).get("bound") if place is not None else bound


def _place(node: Any) -> Any:
    """What a guarded graph knows of a node; None in any other graph."""
    return held(held(node).get("bound")).get("place")


def _function(bound: Any) -> Any:
    """The function of a node that is one."""
    own = held(bound)
    inner, _ = unwrapped(own.get("func") or own.get("afunc"))
    return inner
