"""Graphs and agents as `halo doctor` reads them: their nodes, and who stands around an agent's calls."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from langchain.agents.middleware import AgentMiddleware
from langchain_core.language_models import BaseLanguageModel
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableBinding
from langchain_core.tools import BaseTool
from langgraph.prebuilt import ToolNode
from langgraph.pregel.protocol import PregelProtocol

from halo_core.doctor.findings import FindingKind, FindingStatus
from halo_core.doctor.object_graph import (
    get_attributes,
    get_module_name,
    is_a,
    is_atomic,
    iterate_closure,
    iterate_container,
    unwrap,
)
from halo_core.doctor.rows import NO_COVER, Cover, find_guard
from halo_langchain._doctor_rows import CALLBACK_POINT, EXPLORER, Rows, find_callback_halo, find_intact_guard
from halo_langchain._middleware import HaloMiddleware

if TYPE_CHECKING:
    from halo_langchain._doctor import Examiner

HookOrder = tuple[list[Any], list[Any]]
"""Who stands around a call, outermost first: synchronous, asynchronous."""


def _get_closure(function: Any) -> dict[str, Any]:
    """Variables that a function closes over, by name."""
    inner, _ = unwrap(function)
    if not is_a(inner, types.FunctionType):
        return {}
    return dict(iterate_closure(inner))


def flatten_hooks(hooks: Iterable[Any]) -> HookOrder:
    """The middleware that a synchronous and an asynchronous hook are composed of."""
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


def find_middleware_halo(middleware: Any) -> Any:
    """The Halo of our own middleware; None of any other."""
    return get_attributes(middleware).get("_halo") if is_a(middleware, HaloMiddleware) else None


def find_cover(hook_order: HookOrder, kinds: Iterable[FindingKind]) -> Cover | None:
    """What our middleware decides where it stands; None where it does not stand."""
    sync, awaited = hook_order
    halo = next((halo for item in (*sync, *awaited) if (halo := find_middleware_halo(item)) is not None), None)
    if halo is None:
        return None
    # A synchronous hook serves both ways of calling where there is no other; an asynchronous one does not.
    used = [hooks for hooks in (sync, awaited) if hooks]
    later = [hooks[-1] for hooks in used if find_middleware_halo(hooks[-1]) is None]
    if sync and not later:
        return Cover("middleware", frozenset(kinds), halo=halo)
    after = f"`{type(later[0]).__name__}` after it" if later else "a synchronous call"
    return Cover(hint=f"put `halo.middleware()` last ({after} bypasses it), or guard this directly")


def is_model_guarded(model: Any) -> bool:
    """Whether the model under all that is bound to it is guarded."""
    while is_a(model, RunnableBinding):
        model = get_attributes(model).get("bound")
    return find_intact_guard(model) is not None


def examine_hooks(examiner: Examiner, hook_order: HookOrder, where: str, cover: Cover) -> None:
    """Look at who stands around a call: our own middleware, and those of the app."""
    for item in (item for hooks in hook_order for item in hooks):
        halo = find_middleware_halo(item)
        if halo is not None:
            examiner.rows.remember_halo(halo)
        else:
            examiner.visit(item, where, cover)
    if cover.hint:
        examiner.rows.add_note(
            FindingKind.NODE,
            "halo.middleware()",
            where,
            "it is not last: later middleware can change the call after the decision",
        )


FACTORY_MODULE: Final = "langchain.agents.factory"
"""Where the functions of `create_agent`'s own nodes are."""
TOOL_HOOKS: Final = ("_wrap_tool_call", "_awrap_tool_call")
MODEL_HOOKS: Final = ("wrap_model_call_handler", "awrap_model_call_handler")
_DEFAULT_NAME: Final = "LangGraph"
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
_GUARD_REMEDY: Final = "run `halo.guard(graph)`, or `halo.middleware()` last in the agent"


class GraphExaminer:
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
        self._attributes = get_attributes(graph)
        self._guard = find_intact_guard(graph)
        config = self._attributes.get("config")
        halo = find_callback_halo(config.get("callbacks")) if type(config) is dict else None
        callback_cover = Cover(CALLBACK_POINT, frozenset(FindingKind), halo=halo)
        self._cover = callback_cover if halo is not None else NO_COVER if cover.is_decided else cover
        nodes = self._attributes.get("nodes")
        self._nodes: Mapping[str, Any] = nodes if type(nodes) is dict else {}
        self._name, self._where = self._describe(where)

    def _describe(self, where: str) -> tuple[str, str]:
        """Name and path of it."""
        own_name = self._attributes.get("name")
        is_root = where == self._examiner.root
        name = (
            own_name
            if type(own_name) is str and own_name and own_name != _DEFAULT_NAME
            else where.strip("`")
            if is_root
            else ""
        )
        kind = (
            "agent"
            if any(
                get_module_name(_get_function(_get_runnable(node))) == FACTORY_MODULE for node in self._nodes.values()
            )
            else "graph"
        )
        label = f"{kind} `{name}`" if name else f"a {kind}"
        node = f"node `{name}`"
        if is_root or not where:
            return name or label, label
        return name or label, where[: -len(node)] + label if where.endswith(node) else f"{where} > {label}"

    def examine(self) -> None:
        """Rows about the graph, then its nodes; those that run tools first, since others name them too."""
        if self._guard is not None:
            self._rows.governable_count += 1
            self._rows.remember_halo(self._guard.halo)
            self._rows.add(FindingKind.AGENT, self._name, self._where, "guarded graph", FindingStatus.CLOSED)
            if self._attributes.get("builder") is not None:
                remedy = "its builder: a graph compiled from it again is not guarded; pass on the guarded graph only"
                self._rows.add_note(FindingKind.NODE, "builder", self._where, remedy)
        for name, node in sorted(self._nodes.items(), key=lambda item: not is_a(_get_runnable(item[1]), ToolNode)):
            if name not in _TERMINAL_NODES:
                self._examine_node(name, node)
        self._examiner.visit(self._attributes.get("branches"), f"{self._where} > edges", self._cover)
        self._examine_settings()
        self._note_host_powers()

    def _examine_settings(self) -> None:
        """What runs beside the nodes: reducers and validators of the state, policies, handlers."""
        for key, value in self._attributes.items():
            if key not in _SKIPPED_GRAPH_FIELDS:
                self._examiner.visit(value, self._where, NO_COVER)
        for attributes in (self._attributes, get_attributes(self._attributes.get("builder"))):
            for name, channel in iterate_container(attributes.get("channels")) or ():
                self._examiner.visit(channel, f"{self._where} > state `{name}`", NO_COVER)
            classes = [value for _, value in iterate_container(attributes.get("schemas")) or () if is_a(value, type)]
            for value in (*classes, *map(attributes.get, _SCHEMAS)):
                self._examiner.visit(value, f"{self._where} > state", NO_COVER)

    def _note_host_powers(self) -> None:
        """What only the host can do, and must keep to itself."""
        saver, store = self._attributes.get("checkpointer"), self._attributes.get("store")
        if saver is not None and not is_a(saver, bool):
            remedy = "it stores messages unencrypted and controls how a run continues: keep agents away from it"
            self._rows.add_note(FindingKind.STORE, type(saver).__name__, self._where, remedy)
            remedy = "controlled by the host: it changes the state of a run without a decision"
            self._rows.add_note(FindingKind.NODE, "update_state", self._where, remedy)
            for name in filter(self._loses_asking_message, self._nodes):
                remedy = "a step that runs again from an older checkpoint counts as new: " + _GUARD_REMEDY
                self._rows.add_note(FindingKind.NODE, f"{name} (time travel)", f"{self._where} > node `{name}`", remedy)
        if store is not None:
            remedy = "direct reads and writes of nodes are not decided: use tools for them"
            self._rows.add_note(FindingKind.STORE, type(store).__name__, self._where, remedy)

    def _loses_asking_message(self, name: str) -> bool:
        """Whether a node runs guarded tools by itself: nobody tells them which message asked."""
        runnable = _get_runnable(self._nodes[name])
        if not is_a(runnable, ToolNode) or find_guard(runnable) is not None:
            return False
        attributes = get_attributes(runnable)
        if find_cover(flatten_hooks(attributes.get(hook) for hook in TOOL_HOOKS), (FindingKind.TOOL,)) is not None:
            return False
        return any(
            find_guard(tool) is not None for _, tool in iterate_container(attributes.get("_tools_by_name")) or ()
        )

    def _examine_node(self, name: str, node: Any) -> None:
        runnable, where, before = _get_runnable(node), f"{self._where} > node `{name}`", self._rows.governable_count
        self._add_cached(name, get_attributes(node), where)
        self._add_entry(name, node, where)
        function = _get_function(runnable)
        if get_module_name(function) == FACTORY_MODULE and "model" in _get_closure(function):
            self._examine_model_node(runnable, where)
        else:
            self._examiner.visit(runnable, where, self._cover)
        for key, value in get_attributes(node).items():
            if key not in _SKIPPED_NODE_FIELDS:
                self._examiner.visit(value, where, NO_COVER)
        for writer in self._list_branches(node):
            self._examiner.visit(writer, f"{self._where} > edge from `{name}`", self._cover)
        if (
            self._rows.governable_count == before
            and is_a(function, types.FunctionType)
            and not EXPLORER.is_framework_module(get_module_name(function))
        ):
            self._rows.add_note(FindingKind.NODE, name, where, "a plain function without tools, models or retrievers")

    def _add_entry(self, name: str, node: Any, where: str) -> None:
        """Who may enter a node that is an agent."""
        place = _get_place(node)
        # What the guard takes for an agent it enters as one; what holds a graph and is none of those it does not.
        agent_names = get_attributes(place).get("agents") if place is not None else None
        is_entered = type(agent_names) is frozenset and name in agent_names
        if not is_entered and not self._holds_graph(_get_runnable(node)):
            return
        self._rows.governable_count += 1
        if is_entered:
            self._rows.add(
                FindingKind.NODE, f"{name} (an agent)", where, "guarded graph, node entry", FindingStatus.CLOSED
            )
        else:
            hint = f"declare it as an agent: `halo.guard(graph, agents=[{name!r}])`" if self._guard is not None else ""
            self._rows.add_undecided(FindingKind.NODE, f"{name} (an agent)", where, hint)

    def _holds_graph(self, runnable: Any) -> bool:
        """Whether a node is or calls a graph: near things first, each once."""
        visited: dict[int, Any] = {}
        level = [runnable]
        for _ in range(_MAX_DEPTH + 1):
            fresh = {id(x): x for x in level if not is_atomic(x) and id(x) not in visited}
            if any(is_a(x, PregelProtocol) for x in fresh.values()):
                return True
            visited.update(fresh)
            level = [value for x in fresh.values() for value in self._list_referents(x)]
        return False

    def _list_referents(self, x: Any) -> list[Any]:
        inner, bound_values = unwrap(x)
        if is_a(inner, *_SEPARATELY_DECIDED) or get_module_name(inner) == FACTORY_MODULE:
            return []
        if is_a(inner, types.FunctionType):
            return [value for _, value, _ in self._examiner.captured_values(inner)] + [
                value for _, value in bound_values
            ]
        if is_a(inner, Runnable) and EXPLORER.is_framework_module(get_module_name(inner)):
            return [value for name, value in get_attributes(inner).items() if name != "writer"]
        return [value for _, value in iterate_container(inner) or ()]

    def _add_cached(self, name: str, node: Mapping[str, Any], where: str) -> None:
        if node.get("cache_policy") is None and self._attributes.get("cache_policy") is None:
            return
        is_guarded = self._guard is not None
        point = "guarded graph" if is_guarded else "none"
        status = FindingStatus.CLOSED if is_guarded else FindingStatus.OPEN
        remedy = "" if is_guarded else "a cache hit is not decided: run `halo.guard(graph)`, or remove the cache policy"
        self._rows.add(FindingKind.NODE, f"{name} (cached)", where, point, status, remedy)

    def _list_branches(self, node: Any) -> Iterable[Any]:
        """Functions that choose the next node."""
        for _, writer in iterate_container(get_attributes(node).get("writers")) or ():
            _, bound_values = unwrap(get_attributes(writer).get("func"))
            yield from (value for _, value in bound_values if type(value).__name__ == "BranchSpec")

    def _examine_model_node(self, runnable: Any, where: str) -> None:
        """The model of `create_agent`, its tools and the middleware around it."""
        attributes = get_attributes(runnable)
        variables = {**_get_closure(attributes.get("afunc")), **_get_closure(attributes.get("func"))}
        hook_order = flatten_hooks(variables.get(name) for name in MODEL_HOOKS)
        cover = find_cover(hook_order, (FindingKind.MODEL,)) or self._cover
        examine_hooks(self._examiner, hook_order, where, cover)
        self._examiner.visit(variables.get("initial_response_format"), where, NO_COVER)
        self._examiner.visit(variables["model"], where, cover)
        closed = is_model_guarded(variables["model"]) or FindingKind.MODEL in cover.kinds
        self._rows.add_hosted_schemas(variables.get("default_tools"), where, closed=closed)


def _get_runnable(node: Any) -> Any:
    attributes = get_attributes(node)
    runnable = attributes.get("bound") if "bound" in attributes else attributes.get("runnable")
    place = _get_place(node)
    return get_attributes(runnable).get("bound") if place is not None else runnable


def _get_place(node: Any) -> Any:
    """What a guarded graph knows of a node; None in any other graph."""
    return get_attributes(get_attributes(node).get("bound")).get("place")


def _get_function(runnable: Any) -> Any:
    """The function of a node that is one."""
    attributes = get_attributes(runnable)
    inner, _ = unwrap(attributes.get("func") or attributes.get("afunc"))
    return inner
