"""Graphs and agents as `halo doctor` reads them: their nodes, and who stands around an agent's calls."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from typing import Any, Final

from langchain.agents.middleware import AgentMiddleware
from langchain_core.callbacks import BaseCallbackManager
from langchain_core.language_models import BaseLanguageModel
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableBinding
from langchain_core.tools import BaseTool
from langgraph.prebuilt import ToolNode
from langgraph.pregel.protocol import PregelProtocol

from halo_core.doctor import NO_COVER, Cover, Examiner, FindingKind, find_guard
from halo_core.object_graph import (
    get_attributes,
    get_module_name,
    is_a,
    is_atomic,
    iterate_closure,
    iterate_container,
    list_values,
    unwrap,
)
from halo_langchain._callback import HaloCallback
from halo_langchain._middleware import FIRST_NODE_SUFFIX, HaloMiddleware
from halo_langchain._translate import hosted_names

CALLBACK_POINT: Final = "callback"
DEFAULT_NAME: Final = "LangGraph"
FACTORY_MODULE: Final = "langchain.agents.factory"
"""Where the functions of `create_agent`'s own nodes are."""
TOOL_HOOKS: Final = ("_wrap_tool_call", "_awrap_tool_call")
_MODEL_HOOKS: Final = ("wrap_model_call_handler", "awrap_model_call_handler")
_SEPARATELY_DECIDED: Final = (ToolNode, BaseTool, BaseRetriever, BaseLanguageModel, AgentMiddleware)
"""What these hold runs under their own decision, not as a node."""
_TERMINAL_NODES: Final = ("__start__", "__end__")
_SKIPPED_NODE_FIELDS: Final = frozenset("bound channels metadata runnable subgraphs tags triggers writers".split())
"""Of a node: what is looked at by itself, and what is only words."""
_SCHEMAS: Final = ("state_schema", "input_schema", "output_schema", "context_schema")
_SKIPPED_GRAPH_FIELDS: Final = frozenset(
    (*"_halo_guard _halo_graph branches builder channels compiled edges nodes schemas".split(), *_SCHEMAS)
)
"""Of a graph, likewise."""
_MAX_DEPTH: Final = 6

RUN_POINT: Final = "inside a guarded run"
CALL_POINT: Final = "inside a guarded call"
_EXTENT_KINDS: Final = frozenset((FindingKind.TOOL, FindingKind.RETRIEVER, FindingKind.MODEL, FindingKind.HANDOFF))
_GUARD_AGENT: Final = "run `halo.guard(agent)` in place of the agent: it decides what starts inside"

HookOrder = tuple[list[Any], list[Any]]
"""Who stands around a call, outermost first: synchronous, asynchronous."""


def make_extent_cover(halo: Any, point: str = RUN_POINT) -> Cover:
    """What decides the tools, retrievers and models started inside something guarded."""
    return Cover(point, _EXTENT_KINDS, is_decided=True, halo=halo)


def find_middleware_parts_cover(cover: Cover) -> Cover:
    """What decides the parts that an app's middleware starts by itself, given the cover of the agent's calls."""
    if cover.is_decided:
        return cover
    return Cover(hint=_GUARD_AGENT) if cover.point == "middleware" or cover.hint else NO_COVER


def find_callback_halo(callbacks: Any) -> Any:
    """The Halo of the `halo.callback()` in a list or manager of callbacks; None if there is none."""
    if is_a(callbacks, BaseCallbackManager):
        callbacks = get_attributes(callbacks).get("handlers")
    return next((get_attributes(x).get("_halo") for x in list_values(callbacks) if is_a(x, HaloCallback)), None)


def find_config_halo(config: Any) -> Any:
    """The Halo of the `halo.callback()` in a configuration."""
    return find_callback_halo(config.get("callbacks")) if type(config) is dict else None


def find_middleware_halo(middleware: Any) -> Any:
    """The Halo of our own middleware; None for any other."""
    return get_attributes(middleware).get("_halo") if is_a(middleware, HaloMiddleware) else None


def flatten_hooks(hooks: Iterable[Any]) -> HookOrder:
    """The middleware composed into a synchronous and an asynchronous hook."""
    sync, awaited = ([] if hook is None else _flatten_hook(hook) for hook in hooks)
    return sync, awaited


def _flatten_hook(hook: Any) -> list[Any]:
    inner, bound_values = unwrap(hook)
    owners = [value for _, value in bound_values if is_a(value, AgentMiddleware)]
    if owners:
        return owners[:1]
    variables = _get_closure(inner)
    if {"outer", "inner"} <= variables.keys():
        return [*_flatten_hook(variables["outer"]), *_flatten_hook(variables["inner"])]
    wrapped = variables.get("single_handler") or get_attributes(inner).get("__wrapped__")
    return _flatten_hook(wrapped) if wrapped is not None else [hook]


def find_cover(hook_order: HookOrder, *kinds: FindingKind) -> Cover | None:
    """What our middleware decides from its position; None if it is absent."""
    sync, awaited = hook_order
    halo = next((halo for item in (*sync, *awaited) if (halo := find_middleware_halo(item)) is not None), None)
    if halo is None:
        return None
    # A synchronous hook serves both ways of calling where there is no other; an asynchronous one does not.
    later = [hooks[-1] for hooks in hook_order if hooks and find_middleware_halo(hooks[-1]) is None]
    if sync and not later:
        return Cover("middleware", frozenset(kinds), halo=halo)
    after = f"`{type(later[0]).__name__}` after it" if later else "a synchronous call"
    return Cover(hint=f"{_GUARD_AGENT}; or put `halo.middleware()` last ({after} bypasses it), or guard this directly")


def choose_cover(hooks: Cover | None, around: Cover) -> Cover:
    """What decides the calls inside hooks, within something else."""
    return around if hooks is None or (not hooks.kinds and around.kinds) else hooks


class PartExaminer(Examiner):
    """Examines the parts of a graph: tools bound to models, and hooks around calls.

    Attributes:
        governable_count: how often something governable was met.
    """

    def __init__(self, name: str = "", **options: Any) -> None:
        super().__init__(name, **options)
        self.governable_count = 0

    def add_bound_tools(self, tools: Any, model: Any, where: str, cover: Cover) -> None:
        """Add rows about a model's tools that its provider runs, which a guard or middleware refuses."""
        while is_a(model, RunnableBinding):
            model = get_attributes(model).get("bound")
        is_guarded = self.find_intact_guard(model) is not None
        self.add_hosted_schemas(tools, where, closed=is_guarded or FindingKind.MODEL in cover.kinds)

    def add_hosted_schemas(self, tools: Any, where: str, *, closed: bool) -> None:
        """Add rows about tools in a request that are schemas of what a provider runs."""
        schemas = [item for item in list_values(tools) if type(item) is dict]
        self.add_hosted_tools(hosted_names(schemas), where, closed=closed)

    def examine_hooks(self, hook_order: HookOrder, where: str, cover: Cover) -> None:
        """Examine the hooks around a call: our middleware, and the app's."""
        for item in (item for hooks in hook_order for item in hooks):
            halo = find_middleware_halo(item)
            if halo is not None:
                self.remember_halo(halo)
            else:
                self.visit(item, where, cover)
        own_cover = find_cover(hook_order)
        if own_cover is not None and own_cover.hint:
            remedy = "it is not last: what later middleware changes is decided again, and cannot be narrowed"
            self.add_note(FindingKind.NODE, "halo.middleware()", where, remedy)


class GraphExaminer:
    """One graph under examination.

    Args:
        examiner: looks at what is inside.
        graph: compiled, or a builder.
        where: path to it.
        cover: what decides unguarded things in it.
    """

    def __init__(self, examiner: PartExaminer, graph: Any, where: str, cover: Cover) -> None:
        self._examiner = examiner
        self._attributes = get_attributes(graph)
        self._guard = examiner.find_intact_guard(graph)
        halo = find_config_halo(self._attributes.get("config"))
        callback_cover = Cover(CALLBACK_POINT, frozenset(FindingKind), halo=halo)
        self._cover = callback_cover if halo is not None else cover if cover.kinds or not cover.is_decided else NO_COVER
        nodes = self._attributes.get("nodes")
        self._nodes: Mapping[str, Any] = nodes if type(nodes) is dict else {}
        extent_halo = self._guard.halo if self._guard is not None else self._find_middleware_halo()
        if extent_halo is None and cover.point == CALL_POINT:
            extent_halo = cover.halo
        if extent_halo is not None:
            self._cover = make_extent_cover(extent_halo)
        self._name, self._where = self._describe(where)

    def _find_middleware_halo(self) -> Any:
        """The Halo of an agent's middleware, which decides what starts in a run of the agent."""
        first_nodes = [node for name, node in self._nodes.items() if name.endswith(FIRST_NODE_SUFFIX)]
        hooks = [get_attributes(_get_runnable(node)).get("func") for node in first_nodes]
        halos = [find_middleware_halo(item) for hook in hooks for item in _flatten_hook(hook)]
        return next((halo for halo in halos if halo is not None), None)

    def _describe(self, where: str) -> tuple[str, str]:
        """Its name and path."""
        is_root, name = where == self._examiner.root, self._attributes.get("name")
        if type(name) is not str or name in {"", DEFAULT_NAME}:
            name = where.strip("`") if is_root else ""
        functions = [_get_function(_get_runnable(node)) for node in self._nodes.values()]
        kind = "agent" if any(get_module_name(item) == FACTORY_MODULE for item in functions) else "graph"
        label = f"{kind} `{name}`" if name else {"agent": "an agent", "graph": "a graph"}[kind]
        node = f"node `{name}`"
        if is_root or not where:
            return name or label, label
        return name or label, where[: -len(node)] + label if where.endswith(node) else f"{where} > {label}"

    def examine(self) -> None:
        """Add rows about the graph, then its nodes, tool nodes first, since others name their tools."""
        if self._guard is not None:
            self._examiner.remember_halo(self._guard.halo)
            self._examiner.add_point(FindingKind.AGENT, self._name, self._where, "guarded graph")
            if self._attributes.get("builder") is not None:
                remedy = "its builder: a graph compiled from it again is not guarded; pass on the guarded graph only"
                self._examiner.add_note(FindingKind.NODE, "builder", self._where, remedy)
        for name, node in sorted(self._nodes.items(), key=lambda item: not is_a(_get_runnable(item[1]), ToolNode)):
            if name not in _TERMINAL_NODES:
                self._examine_node(name, node)
        self._examiner.visit(self._attributes.get("branches"), f"{self._where} > edges", self._cover)
        self._examine_settings()
        self._note_host_powers()

    def _examine_settings(self) -> None:
        """Examine what runs besides the nodes: reducers and validators of the state, policies, handlers."""
        for key, value in self._attributes.items():
            if key not in _SKIPPED_GRAPH_FIELDS:
                self._examiner.visit(value, self._where)
        for attributes in (self._attributes, get_attributes(self._attributes.get("builder"))):
            for name, channel in iterate_container(attributes.get("channels")) or ():
                self._examiner.visit(channel, f"{self._where} > state `{name}`")
            classes = [value for value in list_values(attributes.get("schemas")) if is_a(value, type)]
            for value in (*classes, *map(attributes.get, _SCHEMAS)):
                self._examiner.visit(value, f"{self._where} > state")

    def _note_host_powers(self) -> None:
        """Add rows about what only the host may do."""
        add_note, where = self._examiner.add_note, self._where
        saver, store = self._attributes.get("checkpointer"), self._attributes.get("store")
        if saver is not None and not is_a(saver, bool):
            remedy = "it stores messages unencrypted and controls how a run continues: keep agents away from it"
            add_note(FindingKind.STORE, type(saver).__name__, where, remedy)
            remedy = "controlled by the host: it changes the state of a run without a decision"
            add_note(FindingKind.NODE, "update_state", where, remedy)
            remedy = (
                "a step that runs again from an older checkpoint counts as new: run `halo.guard(graph)`, or "
                "`halo.middleware()` last in the agent"
            )
            for name, node in self._nodes.items():
                if _loses_asking_message(_get_runnable(node)):
                    add_note(FindingKind.NODE, f"{name} (time travel)", f"{where} > node `{name}`", remedy)
        if store is not None:
            remedy = "direct reads and writes of nodes are not decided: use tools for them"
            add_note(FindingKind.STORE, type(store).__name__, where, remedy)

    def _examine_node(self, name: str, node: Any) -> None:
        examiner, runnable, attributes = self._examiner, _get_runnable(node), get_attributes(node)
        where = f"{self._where} > node `{name}`"
        if attributes.get("cache_policy") is not None or self._attributes.get("cache_policy") is not None:
            point = "guarded graph" if self._guard is not None else ""
            hint = "a cache hit is not decided: run `halo.guard(graph)`, or remove the cache policy"
            examiner.add_point(FindingKind.NODE, f"{name} (cached)", where, point, hint)
        before = examiner.governable_count
        self._add_entry(name, node, where)
        function = _get_function(runnable)
        if get_module_name(function) == FACTORY_MODULE and "model" in _get_closure(function):
            self._examine_model_node(runnable, where)
        else:
            examiner.visit(runnable, where, self._cover)
        for key, value in attributes.items():
            if key not in _SKIPPED_NODE_FIELDS:
                examiner.visit(value, where, self._cover if self._cover.is_decided else NO_COVER)
        for writer in list_values(attributes.get("writers")):  # among them what chooses the next node
            _, bound_values = unwrap(get_attributes(writer).get("func"))
            for _, value in bound_values:
                if type(value).__name__ == "BranchSpec":
                    examiner.visit(value, f"{self._where} > edge from `{name}`", self._cover)
        is_plain = is_a(function, types.FunctionType) and examiner.governable_count == before
        if is_plain and not examiner.explorer.is_framework_module(get_module_name(function)):
            remedy = "a plain function without tools, models or retrievers"
            examiner.add_note(FindingKind.NODE, name, where, remedy)

    def _add_entry(self, name: str, node: Any, where: str) -> None:
        """Add a row about entering a node that is an agent."""
        place = _get_place(node)
        # What the guard takes for an agent it enters as one; what holds a graph and is none of those it does not.
        agent_names = get_attributes(place).get("agents") if place is not None else None
        is_entered = type(agent_names) is frozenset and name in agent_names
        if is_entered or self._holds_graph(_get_runnable(node)):
            point = "guarded graph, node entry" if is_entered else ""
            hint = f"declare it as an agent: `halo.guard(graph, agents=[{name!r}])`" if self._guard is not None else ""
            self._examiner.add_point(FindingKind.NODE, f"{name} (an agent)", where, point, hint)

    def _holds_graph(self, runnable: Any) -> bool:
        """Whether a node is or calls a graph; searches breadth first."""
        visited: dict[int, Any] = {}
        level = [runnable]
        for _ in range(_MAX_DEPTH + 1):
            fresh = {id(x): x for x in level if not is_atomic(x) and id(x) not in visited}
            if any(is_a(x, PregelProtocol) for x in fresh.values()):
                return True
            visited.update(fresh)
            level = [value for x in fresh.values() for value in self._list_referents(x)]
        return False

    def _list_referents(self, obj: Any) -> list[Any]:
        inner, bound_values = unwrap(obj)
        if is_a(inner, *_SEPARATELY_DECIDED) or get_module_name(inner) == FACTORY_MODULE:
            return []
        if is_a(inner, types.FunctionType):
            return [item[1] for item in (*self._examiner.list_captured(inner), *bound_values)]
        if is_a(inner, Runnable) and self._examiner.explorer.is_framework_module(get_module_name(inner)):
            return [value for name, value in get_attributes(inner).items() if name != "writer"]
        return list_values(inner)

    def _examine_model_node(self, runnable: Any, where: str) -> None:
        """Examine the model of `create_agent`, its tools and its middleware."""
        attributes = get_attributes(runnable)
        variables = {**_get_closure(attributes.get("afunc")), **_get_closure(attributes.get("func"))}
        hook_order = flatten_hooks(map(variables.get, _MODEL_HOOKS))
        cover = choose_cover(find_cover(hook_order, FindingKind.MODEL), self._cover)
        self._examiner.examine_hooks(hook_order, where, self._cover if self._cover.is_decided else cover)
        self._examiner.visit(variables.get("initial_response_format"), where)
        self._examiner.visit(variables["model"], where, cover)
        self._examiner.add_bound_tools(variables.get("default_tools"), variables["model"], where, cover)


def _loses_asking_message(runnable: Any) -> bool:
    """Whether a node runs guarded tools itself, so that the asking message is unknown."""
    if not is_a(runnable, ToolNode) or find_guard(runnable) is not None:
        return False
    attributes = get_attributes(runnable)
    tools = list_values(attributes.get("_tools_by_name"))
    is_covered = find_cover(flatten_hooks(map(attributes.get, TOOL_HOOKS))) is not None
    return not is_covered and any(find_guard(tool) is not None for tool in tools)


def _get_runnable(node: Any) -> Any:
    attributes = get_attributes(node)
    runnable = attributes.get("bound") if "bound" in attributes else attributes.get("runnable")
    place = _get_place(node)
    return get_attributes(runnable).get("bound") if place is not None else runnable


def _get_place(node: Any) -> Any:
    """A guarded graph's information about a node; None in any other graph."""
    return get_attributes(get_attributes(node).get("bound")).get("place")


def _get_function(runnable: Any) -> Any:
    """The function of a node that is a function."""
    attributes = get_attributes(runnable)
    inner, _ = unwrap(attributes.get("func") or attributes.get("afunc"))
    return inner


def _get_closure(function: Any) -> dict[str, Any]:
    """Variables that a function closes over, by name."""
    inner, _ = unwrap(function)
    return dict(iterate_closure(inner)) if is_a(inner, types.FunctionType) else {}
