"""`halo doctor` for LangChain: which parts of an application are decided before they run, and which can run undecided.

It follows references: nodes, parts of chains, closures, and globals that functions name. It runs nothing of the
application, so it does not see what a function creates at run time, except models and retrievers created by name.
"""

from __future__ import annotations

import types
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from langchain.agents.middleware import AgentMiddleware
from langchain_core.caches import BaseCache
from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.documents import Document
from langchain_core.language_models import BaseLanguageModel, BaseLLM
from langchain_core.messages import BaseMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableBinding
from langchain_core.stores import BaseStore
from langchain_core.tools import BaseTool, StructuredTool, Tool
from langchain_core.vectorstores import VectorStore
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.pregel import Pregel
from langgraph.pregel.protocol import PregelProtocol
from langgraph.pregel.remote import RemoteGraph
from langgraph.store.base import BaseStore as GraphStore

from halo_core.doctor import (
    DECIDED_BODY,
    IGNORED_TYPES,
    NO_COVER,
    Cover,
    Finding,
    FindingKind,
    FindingStatus,
    find_guard,
    find_method,
    find_tripwire_point,
    get_body_cover,
    get_tool_body,
    join_names,
    join_place,
    sort_findings,
)
from halo_core.enforcement.guards import GuardMetadata, clean_name
from halo_core.object_graph import ObjectExplorer, get_attributes, get_module_name, is_a, list_values
from halo_langchain._callback import HaloCallback
from halo_langchain._decision_models import DECISION_MODELS
from halo_langchain._doctor_graphs import (
    CALL_POINT,
    CALLBACK_POINT,
    DEFAULT_NAME,
    FACTORY_MODULE,
    RUN_POINT,
    TOOL_HOOKS,
    GraphExaminer,
    PartExaminer,
    choose_cover,
    find_callback_halo,
    find_config_halo,
    find_cover,
    find_middleware_halo,
    find_middleware_parts_cover,
    flatten_hooks,
    make_extent_cover,
)
from halo_langchain._executors import find_executor_kind, is_watched_class
from halo_langchain._remote_graphs import find_remote_name
from halo_langchain._tripwire import get_watches

if TYPE_CHECKING:
    from halo_langchain import Halo

_DATA_TYPES: Final = (BaseCache, BaseChatMessageHistory, BaseCheckpointSaver, BaseStore, GraphStore)
"""Where the framework's own keep what was said; the app's own are looked into."""
_ACTION_KINDS: Final = frozenset((FindingKind.TOOL, FindingKind.RETRIEVER, FindingKind.MODEL, FindingKind.HANDOFF))
_BATCH_METHODS: Final = ("batch", "abatch", "stream", "astream")
_FUNCTION_FIELDS: Final = ("func", "coroutine")
_ENTRY_POINTS: Final[tuple[tuple[type[Any], tuple[str, ...], tuple[str, ...]], ...]] = (
    (BaseTool, ("run", "arun"), ("invoke", "ainvoke")),
    (BaseRetriever, ("invoke", "ainvoke", "_get_relevant_documents", "_aget_relevant_documents"), _BATCH_METHODS),
    (BaseLanguageModel, ("invoke", "ainvoke", "stream", "astream", "_generate", "_agenerate"), _BATCH_METHODS),
    (Pregel, ("stream", "astream"), ("invoke", "ainvoke")),
    *((kind, ("invoke", "ainvoke"), _BATCH_METHODS) for kind in DECISION_MODELS),
)
"""Of each kind: methods that must be ours, and methods that must be ours or the framework's."""
_REACT_MODULE: Final = "langgraph.prebuilt.chat_agent_executor"
_REACT_TOOL_VARIABLES: Final = frozenset("tool_classes tool_node tools".split())
"""Variables of its model node that only tell the model what there is."""
_MODEL_FACTORY: Final = "init_chat_model"
_CONFIGURABLE_MODEL: Final = "_ConfigurableModel"
"""A model of LangChain's that is made for each call."""
_ASYNC_TEXT_REMEDY: Final = (
    "a text model's asynchronous calls can pass the callback undecided: use `halo.guard(model)`, or `halo.install()`"
)
_REMOTE_REMEDY: Final = "run `halo.guard(graph)` with it as a node, or call it in a tool: `halo.guard(tool)`"
_SERVER_REMEDY: Final = "what it does there is not decided here: guard the graph that is deployed on its server"
_MAX_PLACES: Final = 20
_MAX_SHOWN_PLACES: Final = 4
_MAX_BRIEF_OBJECTS: Final = 5_000
_MAX_SHOWN_NAMES: Final = 8

G = TypeVar("G")


def doctor(obj: Any, *, name: str = "") -> list[Finding]:
    """What of an app is decided before it runs, what can run undecided, and what nothing can intercept.

    Args:
        obj: a graph, chain, agent, tool, retriever, model or function, or a list or dict of these.
        name: what to call it; its own name where it has one is used otherwise.

    Returns:
        Findings, open ones first. Empty if there is nothing that Halo knows.
    """
    return AppExaminer(name).examine_app(obj)


def report_undecided(halo: Halo, guarded: G) -> G:
    """Return the guarded graph, after telling its user about undecided parts that a quick look shows.

    A model that an agent's own node holds cannot be put behind a guard from outside; nor can what a function finds
    by itself.
    """
    try:
        findings = AppExaminer(max_objects=_MAX_BRIEF_OBJECTS).examine_app(guarded)
    except Exception:  # noqa: BLE001  an object may do anything when it is looked at, and what is said guards nothing
        return guarded
    undecided = [item for item in findings if item.status is FindingStatus.OPEN and item.kind in _ACTION_KINDS]
    if undecided:
        names = join_names(list(dict.fromkeys(f"{item.name} ({item.kind})" for item in undecided)), _MAX_SHOWN_NAMES)
        name = getattr(guarded, "name", DEFAULT_NAME)
        place = f"`{name}`" if name != DEFAULT_NAME else "the graph"
        halo.notify_once(f"not decided inside {place}: {names}; guard them, see `halo doctor`")
    return guarded


def find_handoff_target(tool: Any) -> str:
    """The target agent of a hand-off tool; empty for any other tool."""
    guard = find_guard(tool)
    metadata = get_attributes(guard.original if guard is not None else tool).get("metadata")
    target = metadata.get("__handoff_destination") if type(metadata) is dict else None
    return target if type(target) is str else ""


def _join_places(places: list[str]) -> str:
    suffix = f"; and {len(places) - _MAX_SHOWN_PLACES} more places" if len(places) > _MAX_SHOWN_PLACES else ""
    return "; ".join(places[:_MAX_SHOWN_PLACES]) + suffix


def _get_body(guard: GuardMetadata | None, cover: Cover, *, is_closed: bool) -> Cover:
    """What decides unguarded objects in the body of an object, which is decided or not."""
    halo = guard.halo if guard is not None else cover.halo
    if is_closed and halo is not None:
        return make_extent_cover(halo, CALL_POINT)
    return get_tool_body(guard, is_closed=is_closed)


@dataclass(slots=True)
class _Visit:
    """The first visit of an object: its place, and all resulting rows (empty until it has ended)."""

    where: str
    rows: set[int] = field(default_factory=set)
    is_governable: bool = False


class AppExaminer(PartExaminer):
    """One examination of a LangChain app; an object found in several places gets one row that names them."""

    explorer = ObjectExplorer(
        "halo_langchain",
        frozenset("langchain langchain_core langgraph".split()),
        frozenset("langchain_classic langgraph_supervisor langgraph_swarm langsmith".split()),
    )
    ignored_types = (*IGNORED_TYPES, BaseMessage, Document, HaloCallback)
    ignored_classes = (Runnable, AgentMiddleware, VectorStore)
    opaque_packages = frozenset(("_abc", "halo_core", "langsmith"))
    runtime_kinds: ClassVar = {
        BaseRetriever: FindingKind.RETRIEVER,
        BaseLanguageModel: FindingKind.MODEL,
        RemoteGraph: FindingKind.TOOL,
        **dict.fromkeys(DECISION_MODELS, FindingKind.MODEL),
    }
    remedies: ClassVar = {
        FindingKind.TOOL: "use `halo.guard(tool)` in its place",
        FindingKind.RETRIEVER: "use `halo.guard(retriever)` in its place",
        FindingKind.MODEL: "use `halo.guard(model)` in its place",
        FindingKind.HANDOFF: "run `halo.guard(graph)` in place of the graph that it is in",
        FindingKind.NODE: "run `halo.guard(graph)` in place of the graph",
    }
    runtime_remedies = (
        "see that the function guards it, or make it outside and guard it there",
        "make it outside the function and guard it, or use `halo.install()`",
    )
    originals_remedy = "originals, their `.func` and `._run` are not guarded: use only the guarded copies"
    original_fields = _FUNCTION_FIELDS
    client_substitute = "a guarded chat model"
    client_fields = ("client", "async_client", "root_client", "root_async_client", "_client", "_async_client")

    def __init__(self, name: str = "", **options: Any) -> None:
        super().__init__(name, **options)
        self._places: list[dict[str, None]] = []  # of each row
        self._visits: dict[tuple[int, Cover], _Visit] = {}
        self._function_covers: list[Cover] = []  # of the functions being looked at
        self._repeated_rows: list[set[int]] = []  # rows met again, of everything being looked at

    def finish(self) -> list[Finding]:
        """Findings in order, each with all its places."""
        super().finish()
        rows = zip(self.findings, self._places, strict=True)
        return sort_findings(replace(row, where=_join_places(list(places))) for row, places in rows)

    def add_rows_of_whole(self) -> None:
        """Rows about policies that hold streams back."""
        self.note_held_streams("output")

    def is_ignored(self, kind: type[Any]) -> bool:
        """Like the base class; the framework's own stores also contain only data."""
        is_data = issubclass(kind, _DATA_TYPES) and self.explorer.is_framework_module(get_module_name(kind))
        return is_data or super().is_ignored(kind)

    def is_intact(self, obj: Any, guard: GuardMetadata) -> bool:
        """Whether all entry points of a guarded copy are still the guard's or lead to it."""
        attributes = get_attributes(obj)
        for kind, halo_methods, framework_methods in _ENTRY_POINTS:
            if is_a(obj, kind) and not (
                attributes.keys().isdisjoint((*halo_methods, *framework_methods))
                and all(self.is_ours(find_method(obj, name)) for name in halo_methods)
                and all(self._is_known_method(find_method(obj, name)) for name in framework_methods)
            ):
                return False
        if not is_a(obj, BaseTool):
            return True
        # A tool's body is a method, or the functions that it holds, or both.
        fields = _FUNCTION_FIELDS if is_a(obj, Tool, StructuredTool) else ()
        functions = [attributes[name] for name in fields if attributes.get(name) is not None]
        return (
            all(self.is_wrapped_by(item, guard) for item in functions)
            and (bool(functions) or self.is_ours(find_method(obj, "_run")))
            and all(self._is_known_method(find_method(obj, name)) for name in ("_run", "_arun"))
        )

    def _is_known_method(self, function: Any) -> bool:
        """Whether a method is ours, or the framework's own, which leads to ours."""
        top = get_module_name(function).partition(".")[0]
        return self.is_ours(function) or top in {"langchain_core", "langgraph"}

    def find_point(self, kind: FindingKind, obj: Any, cover: Cover) -> tuple[str, str]:
        """The deciding point around it, else its own callback, which a text model bypasses."""
        point, hint = super().find_point(kind, obj, cover)
        # A retriever's own callbacks are not asked.
        callbacks = get_attributes(obj).get("callbacks") if kind is not FindingKind.RETRIEVER else None
        if not point and find_callback_halo(callbacks) is not None:
            point = CALLBACK_POINT
        return ("", _ASYNC_TEXT_REMEDY) if point == CALLBACK_POINT and is_a(obj, BaseLLM) else (point, hint)

    def find_watch_point(self, kind: FindingKind) -> str:
        """The tripwire, which sees actions but no nodes."""
        return find_tripwire_point(get_watches() if kind in _ACTION_KINDS else ())

    def find_runtime_kind(self, obj: Any) -> FindingKind | None:
        """Like the base class; `init_chat_model` makes models too."""
        if is_a(obj, types.FunctionType) and obj.__name__ == _MODEL_FACTORY:
            return FindingKind.MODEL
        return super().find_runtime_kind(obj)

    def get_contents_cover(self, obj: Any, cover: Cover) -> Cover:
        """Parts of chains and graphs get the run's callbacks, others do not."""
        is_part = is_a(obj, Runnable) or get_module_name(obj).partition(".")[0] == "langgraph"
        return cover if is_part else get_body_cover(cover)

    def list_captured(self, function: types.FunctionType) -> list[tuple[str, Any, bool]]:
        """Captured objects without parts of agents, left to `GraphExaminer`, and without mere names of tools."""
        module = get_module_name(function)
        if module == FACTORY_MODULE:
            return []
        captured = super().list_captured(function)
        skipped = _REACT_TOOL_VARIABLES if module == _REACT_MODULE else ()
        return [item for item in captured if item[0] not in skipped]

    # rows and their places

    def record(self, finding: Finding) -> None:
        """Add a row with its first place."""
        super().record(finding)
        self._places.append({finding.where: None})
        self.governable_count += finding.status is not FindingStatus.NOTED

    def examine(self, obj: Any, where: str, cover: Cover) -> None:
        """Examine an object, and remember the resulting rows."""
        visit = self._visits[id(obj), cover] = _Visit(where)
        before, first = self.governable_count, len(self.findings)
        self._repeated_rows.append(set())
        if type(obj).__name__ == _CONFIGURABLE_MODEL:
            self.examine_model(obj, where, cover)
        elif not is_a(obj, type, Runnable) and find_executor_kind(obj) is not None:
            self.examine_executor(obj, where, cover)
        else:
            super().examine(obj, where, cover)
        repeated_rows = self._repeated_rows.pop()
        visit.rows = {*range(first, len(self.findings)), *repeated_rows}
        visit.is_governable = self.governable_count > before
        if self._repeated_rows:
            self._repeated_rows[-1] |= repeated_rows

    def revisit(self, key: tuple[int, Cover], where: str) -> None:
        """Add another place to the rows of an object."""
        earlier = self._visits[key]
        self.governable_count += earlier.is_governable
        if where == earlier.where:
            return  # it is held twice in one place
        for places in (self._places[row] for row in earlier.rows):
            if where and len(places) < _MAX_PLACES:
                suffix = next(
                    (item.removeprefix(earlier.where) for item in places if item.startswith(earlier.where)), ""
                )
                places[where + suffix] = None
        if self._repeated_rows:
            self._repeated_rows[-1] |= earlier.rows

    def add_runtime_object(self, kind: FindingKind, name: str, where: str, *, has_halo: bool) -> None:
        """Like the base class; it can be guarded anywhere, and is decided if started in a guarded run."""
        cover = self._function_covers[-1] if self._function_covers else NO_COVER
        if not has_halo and cover.is_decided and kind in cover.kinds:
            self.add_point(kind, name, f"{where} > made while it runs".lstrip(" >"), cover.point)
            return
        super().add_runtime_object(kind, name, where, has_halo=has_halo)
        self.governable_count += has_halo

    # what is governed

    def examine_tool(self, obj: Any, where: str, cover: Cover) -> None:
        """Examine a tool, and what its body reaches."""
        guard, original, name = self.describe(obj)
        target = find_handoff_target(obj)
        if target:
            row_name, agent_id = f"{target} (by `{name}`)", clean_name(target)
            is_closed = self.add_verdict(FindingKind.HANDOFF, obj, where, cover, row_name, agent_id)
        else:
            is_closed = self.add_verdict(FindingKind.TOOL, obj, where, cover, name)
        self.visit_parts(original, join_place(where, "tool", name), _get_body(guard, cover, is_closed=is_closed))
        functions = map(get_attributes(original).get, _FUNCTION_FIELDS)
        if any(get_module_name(item).startswith("langchain_mcp_adapters") for item in functions):
            remedy = "its session reaches every tool of its server: pass on tools only"
            self.add_note(FindingKind.TOOL, f"{name} (MCP)", where, remedy)

    def examine_retriever(self, obj: Any, where: str, cover: Cover) -> None:
        """Examine a retriever, its inner ones, and its store."""
        guard, original, name = self.describe(obj)
        is_closed = self.add_verdict(FindingKind.RETRIEVER, obj, where, cover, name)
        body = _get_body(guard, cover, is_closed=is_closed) if is_closed else DECIDED_BODY
        self.visit_parts(original, join_place(where, "retriever", name), body)

    def examine_model(self, obj: Any, where: str, cover: Cover) -> None:
        """Examine a model, its provider's tools, and its client."""
        guard, original, name = self.describe(obj)
        is_closed = self.add_verdict(FindingKind.MODEL, obj, where, cover, name)
        model_kwargs = get_attributes(original).get("model_kwargs")
        if type(model_kwargs) is dict:
            self.add_hosted_schemas(model_kwargs.get("tools"), where, closed=is_closed)
        self.note_client(original, self.find_name(original), where)
        body = _get_body(guard, cover, is_closed=is_closed)
        skipped = ("model_kwargs", *self.client_fields)
        self.visit_parts(original, join_place(where, "model", name), body, skipped=skipped)

    def examine_vector_store(self, obj: Any, where: str, cover: Cover) -> None:
        """Examine a vector store: searching it is an unguarded retrieval."""
        status, remedy = FindingStatus.OPEN, "search it with `halo.guard(store.as_retriever())`"
        if cover.is_decided and cover.point != RUN_POINT:
            status, remedy = (
                FindingStatus.NOTED,
                "searching the store directly is not decided: pass on the retriever only",
            )
        place = join_place(where, "store", type(obj).__name__)
        self.add(FindingKind.RETRIEVER, "similarity_search", place, "none", status, remedy)

    # what stands around them

    def examine_binding(self, obj: Any, where: str, cover: Cover) -> None:
        """Examine a runnable with bound arguments and settings; a callback among them decides what is inside."""
        attributes = get_attributes(obj)
        config, kwargs = attributes.pop("config", None), attributes.pop("kwargs", None)
        halo = find_config_halo(config)
        if halo is not None:
            cover = Cover(CALLBACK_POINT, _ACTION_KINDS, halo=halo)
        self.visit(config, where)
        self.visit(attributes.pop("bound", None), where, cover)
        if type(kwargs) is dict:
            self.add_bound_tools(kwargs.get("tools"), obj, where, cover)
            self.visit_all(((key, v) for key, v in kwargs.items() if key != "tools"), where, cover)
        self.visit_all(attributes.items(), where, cover)

    def examine_tool_node(self, obj: Any, where: str, cover: Cover) -> None:
        """Examine the tools that a graph node runs, with the wrappers of their calls."""
        attributes = get_attributes(obj)
        hook_order = flatten_hooks(map(attributes.get, TOOL_HOOKS))
        inside = choose_cover(find_cover(hook_order, FindingKind.TOOL, FindingKind.HANDOFF), cover)
        self.visit_all((attributes.get("_tools_by_name") or {}).items(), where, inside)
        beside = cover if cover.is_decided else NO_COVER
        self.examine_hooks(hook_order, where, beside if beside.kinds else Cover(hint=inside.hint))
        # What handles errors, and what a class of the app's own does, runs beside the calls.
        self.visit_parts(obj, where, beside, skipped=("_tools_by_name", *TOOL_HOOKS))

    def examine_middleware(self, obj: Any, where: str, cover: Cover) -> None:
        """Examine a middleware of the app, which may call what it holds by itself."""
        if find_middleware_halo(obj) is not None:
            return
        place = join_place(where, "middleware", type(obj).__name__)
        attributes = get_attributes(obj)
        shared = list_values(attributes.get("tools"))  # the tool node has them
        skipped = ["tools", *(key for key, value in attributes.items() if any(value is item for item in shared))]
        if type(obj).__name__ == "ModelFallbackMiddleware" and cover.kinds:
            self.visit(attributes.get("models"), place, cover)
            skipped.append("models")
        self.visit_parts(obj, place, find_middleware_parts_cover(cover), skipped=skipped)

    def examine_executor(self, obj: Any, where: str, cover: Cover) -> None:
        """Examine what runs a model's statements: a database, a graph store, an interpreter."""
        guard, original, name = self.describe(obj)
        if guard is None and cover.is_decided and not is_watched_class(type(obj)):
            cover = NO_COVER  # nobody hears of its calls
        self.add_verdict(FindingKind.TOOL, obj, where, cover, f"{name} (runs statements)")
        self.visit_parts(original, join_place(where, "executor", name), DECIDED_BODY)

    def examine_function(self, function: types.FunctionType, where: str, cover: Cover) -> None:
        """Like the base class; what the function makes has this cover."""
        self._function_covers.append(cover)
        super().examine_function(function, where, cover)
        self._function_covers.pop()

    def note_ungranted(self, kind: FindingKind, name: str, where: str, halo: Any) -> None:
        """Like the base class, for hand-offs; everything else under a callback or a guard is registered when seen."""
        if kind is FindingKind.HANDOFF:
            super().note_ungranted(kind, name, where, halo)

    def examine_decision_model(self, obj: Any, where: str, cover: Cover) -> None:
        """Examine a model that classifies, which the framework runs as a chain."""
        guard, original, name = self.describe(obj)
        is_closed = self.add_verdict(FindingKind.MODEL, obj, where, cover, name)
        self.note_client(original, name, where)
        body = _get_body(guard, cover, is_closed=is_closed)
        self.visit_parts(original, join_place(where, "model", name), body, skipped=self.client_fields)

    def examine_remote_graph(self, obj: Any, where: str, cover: Cover) -> None:
        """Examine a client of a graph on a server: its run is a tool call, and the server's work is not seen."""
        name = find_remote_name(obj)
        point, hint = self.find_point(FindingKind.TOOL, obj, cover)
        self.add_point(FindingKind.TOOL, f"{name} (runs a graph on a server)", where, point, hint or _REMOTE_REMEDY)
        self.add_note(FindingKind.AGENT, name, where, _SERVER_REMEDY)

    def examine_other_graph(self, obj: Any, where: str, _cover: Cover) -> None:
        """Examine a graph that is not the framework's: no hook sees its runs."""
        remedy = "run it in a tool: `halo.guard(tool)`"
        self.add(FindingKind.AGENT, self.find_name(obj), where, "none", FindingStatus.OPEN, remedy)

    def examine_graph(self, obj: Any, where: str, cover: Cover) -> None:
        """Examine a graph: its nodes, and what its host can do with it."""
        GraphExaminer(self, obj, where, cover).examine()

    examiners = (
        ((Pregel, StateGraph), examine_graph),
        ((RemoteGraph,), examine_remote_graph),
        ((PregelProtocol,), examine_other_graph),
        ((ToolNode,), examine_tool_node),
        ((BaseTool,), examine_tool),
        ((BaseRetriever,), examine_retriever),
        ((BaseLanguageModel,), examine_model),
        ((VectorStore,), examine_vector_store),
        ((RunnableBinding,), examine_binding),
        ((AgentMiddleware,), examine_middleware),
        (DECISION_MODELS, examine_decision_model),
    )
