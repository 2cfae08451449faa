"""The doctor: what of an app is decided before it runs, and what can run undecided.

It follows what the objects hold: nodes, parts of chains, closures, globals that functions name. What a function makes
while it runs it does not see, except for models and retrievers made by name. Nothing of the app's is run.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
import types
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from langchain.agents.middleware import AgentMiddleware
from langchain_core.caches import BaseCache
from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.documents import Document
from langchain_core.language_models import BaseLanguageModel
from langchain_core.messages import BaseMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableBinding
from langchain_core.stores import BaseStore
from langchain_core.tools import BaseTool
from langchain_core.vectorstores import VectorStore
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.pregel import Pregel
from langgraph.pregel.protocol import PregelProtocol
from langgraph.store.base import BaseStore as GraphStore

from halo_core.doctor.findings import Finding, FindingKind, FindingStatus, sort_findings
from halo_core.doctor.object_graph import get_attributes, get_module_name, is_a, is_atomic, iterate_container, unwrap
from halo_core.doctor.rows import NO_COVER, Cover, find_name, join_names
from halo_core.enforcement.guards import GuardMetadata
from halo_core.facade import HaloBase
from halo_core.model import ActionKind
from halo_langchain._callback import HaloCallback
from halo_langchain._doctor_graphs import (
    FACTORY_MODULE,
    TOOL_HOOKS,
    GraphExaminer,
    examine_hooks,
    find_cover,
    find_middleware_halo,
    flatten_hooks,
    is_model_guarded,
)
from halo_langchain._doctor_rows import (
    CALLBACK_POINT,
    EXPLORER,
    Rows,
    find_callback_halo,
    find_handoff_target,
    find_intact_guard,
)

if TYPE_CHECKING:
    from halo_langchain import Halo

_ALL_KINDS: Final = frozenset((FindingKind.TOOL, FindingKind.RETRIEVER, FindingKind.MODEL, FindingKind.HANDOFF))
_DECIDED_BODY: Final = Cover(is_decided=True)


def _examine_tool(examiner: Examiner, x: Any, where: str, cover: Cover) -> None:
    """A tool, and what its body reaches."""
    guard, target = find_intact_guard(x), find_handoff_target(x)
    original = guard.original if guard is not None else x
    kind = FindingKind.HANDOFF if target else FindingKind.TOOL
    name = guard.name if guard is not None else find_name(x)
    closed = examiner.rows.add_verdict(kind, x, where, cover, f"{target} (by `{name}`)" if target else name)
    body = _DECIDED_BODY if closed else NO_COVER
    if guard is not None and guard.resource.kind is ActionKind.RETRIEVAL:
        body = Cover(f"guarded tool `{name}`, a retrieval", frozenset((FindingKind.RETRIEVER,)), is_decided=True)
    examiner.visit_parts(original, f"{where} > tool `{name}`".lstrip(" >"), body)
    functions = map(get_attributes(original).get, ("func", "coroutine"))
    if any(get_module_name(item).startswith("langchain_mcp_adapters") for item in functions):
        remedy = "its session reaches every tool of its server: pass on tools only"
        examiner.rows.add_note(FindingKind.TOOL, f"{name} (MCP)", where, remedy)


def _examine_retriever(examiner: Examiner, x: Any, where: str, cover: Cover) -> None:
    """A retriever, those inside it, and the store behind it."""
    guard = find_intact_guard(x)
    examiner.rows.add_verdict(FindingKind.RETRIEVER, x, where, cover)
    original, name = (guard.original, guard.name) if guard is not None else (x, find_name(x))
    examiner.visit_parts(original, f"{where} > retriever `{name}`".lstrip(" >"), _DECIDED_BODY)


def _examine_model(examiner: Examiner, x: Any, where: str, cover: Cover) -> None:
    """A model, tools that its provider runs, its client."""
    guard = find_intact_guard(x)
    closed = examiner.rows.add_verdict(FindingKind.MODEL, x, where, cover)
    original, name = (guard.original, guard.name) if guard is not None else (x, find_name(x))
    model_kwargs = get_attributes(original).get("model_kwargs")
    if type(model_kwargs) is dict:
        examiner.rows.add_hosted_schemas(model_kwargs.get("tools"), where, closed=closed)
    examiner.rows.note_client(find_name(original), get_attributes(original), where)
    body = NO_COVER
    if closed:  # a model that another one calls is asked what that one was
        kinds = frozenset((FindingKind.MODEL,))
        body = replace(_DECIDED_BODY, point=f"model `{name}`, which calls it", kinds=kinds)
    place = f"{where} > model `{name}`".lstrip(" >")
    examiner.visit_parts(original, place, body, skipped=("model_kwargs", *Rows.client_fields))


def _examine_vector_store(examiner: Examiner, x: Any, where: str, cover: Cover) -> None:
    """A vector store: searching it is a retrieval that carries no guard."""
    kind, name, where = FindingKind.RETRIEVER, "similarity_search", f"{where} > store `{type(x).__name__}`".lstrip(" >")
    if cover.is_decided:
        remedy = "searching the store directly is not decided: pass on the retriever only"
        examiner.rows.add_note(kind, name, where, remedy)
    else:
        examiner.rows.governable_count += 1
        examiner.rows.add_open(kind, name, where, "search it with `halo.guard(store.as_retriever())`")


# what stands around them


def _examine_binding(examiner: Examiner, x: Any, where: str, cover: Cover) -> None:
    """A runnable with arguments and settings bound to it; a callback among them decides what is inside."""
    attributes = get_attributes(x)
    config, kwargs = attributes.get("config"), attributes.get("kwargs")
    halo = find_callback_halo(config.get("callbacks")) if type(config) is dict else None
    if halo is not None:
        cover = replace(NO_COVER, point=CALLBACK_POINT, kinds=_ALL_KINDS, halo=halo)
    examiner.visit(config, where, NO_COVER)
    examiner.visit(attributes.get("bound"), where, cover)
    if type(kwargs) is dict:
        is_guarded = is_model_guarded(x) or FindingKind.MODEL in cover.kinds
        examiner.rows.add_hosted_schemas(kwargs.get("tools"), where, closed=is_guarded)
        examiner.visit_all(((k, v) for k, v in kwargs.items() if k != "tools"), where, cover)
    examiner.visit_all(((k, v) for k, v in attributes.items() if k not in {"bound", "config", "kwargs"}), where, cover)


def _examine_tool_node(examiner: Examiner, x: Any, where: str, cover: Cover) -> None:
    """Tools that a graph node runs, under what wraps their calls."""
    hook_order = flatten_hooks(get_attributes(x).get(hook) for hook in TOOL_HOOKS)
    inside = find_cover(hook_order, (FindingKind.TOOL, FindingKind.HANDOFF)) or cover
    examiner.visit_all((get_attributes(x).get("_tools_by_name") or {}).items(), where, inside)
    examine_hooks(examiner, hook_order, where, replace(NO_COVER, hint=inside.hint))
    # What handles errors, and what a class of the app's own does, runs beside the calls.
    examiner.visit_parts(x, where, NO_COVER, skipped=("_tools_by_name", *TOOL_HOOKS))


def _examine_middleware(examiner: Examiner, x: Any, where: str, cover: Cover) -> None:
    """A middleware of the app's: what it holds it may call by itself."""
    if find_middleware_halo(x) is not None:
        return
    place = f"{where} > middleware `{type(x).__name__}`".lstrip(" >")
    attributes = get_attributes(x)
    shared = [item for _, item in iterate_container(attributes.get("tools")) or ()]  # the tool node has them
    skipped = ["tools", *(key for key, value in attributes.items() if any(value is item for item in shared))]
    if type(x).__name__ == "ModelFallbackMiddleware" and cover.kinds:
        examiner.visit(attributes.get("models"), place, cover)
        skipped.append("models")
    examiner.visit_parts(x, place, NO_COVER, skipped=skipped)


def _examine_remote_graph(examiner: Examiner, x: Any, where: str, cover: Cover) -> None:  # noqa: ARG001  the form of the others
    """A graph that runs elsewhere."""
    examiner.rows.governable_count += 1
    examiner.rows.add_note(FindingKind.AGENT, find_name(x), where, "its other actions are not decided by this hook")


def _examine_graph(examiner: Examiner, x: Any, where: str, cover: Cover) -> None:
    """A graph: its nodes, and what its host can do with it."""
    GraphExaminer(examiner, x, where, cover).examine()


_SKIPPED_TYPES: Final = (
    BaseMessage,
    Document,
    HaloBase,
    HaloCallback,
    GuardMetadata,
    asyncio.AbstractEventLoop,
    contextvars.Context,
    logging.Logger,
    types.CodeType,
    types.FrameType,
    types.ModuleType,
    types.TracebackType,
)
_DATA_TYPES: Final = (BaseCache, BaseChatMessageHistory, BaseCheckpointSaver, BaseStore, GraphStore)
"""Where the framework's own keep what was said; the app's own are looked into."""
SKIPPED_PACKAGES: Final = frozenset(("_abc", "halo_core", "langsmith"))
"""Packages whose objects run nothing of an app's."""
_CONTAINERS: Final = (dict, frozenset, list, set, tuple)


def _is_empty(x: Any) -> bool:
    """Whether there is nothing in it to look at; such things count for nothing."""
    if (
        is_atomic(x)
        or is_a(x, *_SKIPPED_TYPES)
        or (is_a(x, *_DATA_TYPES) and EXPLORER.is_framework_module(get_module_name(x)))
    ):
        return True
    return type(x) in _CONTAINERS and all(
        is_atomic(item) or is_a(item, *_SKIPPED_TYPES) for _, item in iterate_container(x) or ()
    )


_MAX_DEPTH: Final = 80
_MAX_OBJECTS: Final = 50_000
_EXAMINERS: Final[tuple[tuple[tuple[type[Any], ...], Callable[[Examiner, Any, str, Cover], None]], ...]] = (
    ((Pregel, StateGraph), _examine_graph),
    ((PregelProtocol,), _examine_remote_graph),
    ((ToolNode,), _examine_tool_node),
    ((BaseTool,), _examine_tool),
    ((BaseRetriever,), _examine_retriever),
    ((BaseLanguageModel,), _examine_model),
    ((VectorStore,), _examine_vector_store),
    ((RunnableBinding,), _examine_binding),
    ((AgentMiddleware,), _examine_middleware),
)
_REACT_MODULE: Final = "langgraph.prebuilt.chat_agent_executor"
_REACT_TOOL_VARIABLES: Final = frozenset("tool_classes tool_node tools".split())
"""Variables of its model node that only tell the model what there is."""
_MODEL_FACTORY: Final = "init_chat_model"
_SKIPPED_CLASSES: Final = (Runnable, AgentMiddleware, VectorStore)
_CONFIGURABLE_MODEL: Final = "_ConfigurableModel"
"""A model of LangChain's that is made for each call."""


def doctor(obj: Any, *, name: str = "") -> list[Finding]:
    """What of an app is decided before it runs, what can run undecided, and what nothing can intercept.

    Args:
        obj: a graph, chain, agent, tool, retriever, model or function, or a list or dict of these.
        name: what to call it; its own name where it has one is used otherwise.

    Returns:
        Findings, open ones first. Empty where there is nothing that Halo knows.
    """
    examiner = Examiner(f"`{name}`" if name else "")
    examiner.visit(obj, examiner.root, NO_COVER)
    return examiner.finish()


@dataclass(slots=True)
class _Visit:
    """What was looked at, kept so that no other takes its identity, and the rows that came of it (None until then)."""

    x: Any
    where: str
    rows: range | None = None
    repeated_rows: frozenset[int] = frozenset()
    is_governable: bool = False


class Examiner:
    """One look at an app.

    Args:
        root: path of what is looked at, in words.
        max_objects: how many objects are looked at.
    """

    def __init__(self, root: str, max_objects: int = _MAX_OBJECTS) -> None:
        self.rows = Rows()
        self._visits: dict[tuple[int, Cover], _Visit] = {}  # under the cover that each had there
        self._repeated_rows: list[set[int]] = []  # rows met again, of everything being looked at
        self._captured: dict[int, tuple[Any, list[tuple[str, Any, bool]]]] = {}
        self.root = root
        self._max_objects = max_objects
        self._depth = 0
        self._is_cut = False

    def finish(self) -> list[Finding]:
        """Findings in order, with those about the whole."""
        self.rows.note_originals("originals, their `.func` and `._run` are not guarded: use only the guarded copies")
        self.rows.note_held_streams("output")
        if self._is_cut:
            remedy = "check its parts: `halo doctor MODULE:PART`"
            self.rows.add(
                FindingKind.NODE, "the rest", "too deep or too large to inspect", "none", FindingStatus.OPEN, remedy
            )
        return sort_findings(self.rows.to_findings())

    # the walk

    def visit(self, x: Any, where: str, cover: Cover) -> None:
        """Look at anything, once under each cover."""
        if _is_empty(x):
            return
        key = (id(x), cover)
        earlier = self._visits.get(key)
        if earlier is not None:
            self._add_repeated(earlier, where)
            return
        if len(self._visits) >= self._max_objects or self._depth >= _MAX_DEPTH:
            self._is_cut = True
            return
        visit_record = self._visits[key] = _Visit(x, where)
        before, first = self.rows.governable_count, len(self.rows.findings)
        self._depth += 1
        self._repeated_rows.append(set())
        self._dispatch(x, where, cover)
        self._depth -= 1
        visit_record.repeated_rows = frozenset(self._repeated_rows.pop())
        visit_record.rows, visit_record.is_governable = (
            range(first, len(self.rows.findings)),
            self.rows.governable_count > before,
        )
        if self._repeated_rows:
            self._repeated_rows[-1].update(visit_record.repeated_rows)

    def _add_repeated(self, earlier: _Visit, where: str) -> None:
        """Say of what is in two places where else it is."""
        self.rows.governable_count += earlier.is_governable
        if earlier.rows is None or where == earlier.where:
            return  # it holds itself, or is held twice in one place
        rows = {*earlier.rows, *earlier.repeated_rows}
        self.rows.add_places(rows, earlier.where, where)
        if self._repeated_rows:
            self._repeated_rows[-1].update(rows)

    def captured_values(self, function: types.FunctionType) -> list[tuple[str, Any, bool]]:
        """As `ObjectExplorer.iterate_captured`, read once."""
        cached = self._captured.get(id(function))
        if cached is None:
            cached = self._captured[id(function)] = (function, list(EXPLORER.iterate_captured(function)))
        return cached[1]

    def _dispatch(self, x: Any, where: str, cover: Cover) -> None:
        for kinds, examine in _EXAMINERS:
            if is_a(x, *kinds):
                examine(self, x, where, cover)
                return
        inner, bound_values = unwrap(x)
        if is_a(inner, types.FunctionType):
            self.examine_function(inner, where, cover)
            self.visit_all(bound_values, where, _get_body_cover(cover))
            return
        items = iterate_container(x)
        if items is not None:
            self.visit_all(items, where, cover)
            self.visit_all(get_attributes(x).items(), where, _get_body_cover(cover))
        elif is_a(x, type):
            if not issubclass(x, _SKIPPED_CLASSES):  # what a class makes is looked at where it is held
                self.visit_all(EXPLORER.iterate_members(x), where, _get_body_cover(cover))
        elif type(x).__name__ == _CONFIGURABLE_MODEL:
            _examine_model(self, x, where, cover)
        elif not self.rows.note_sdk_client(x, where, "a guarded chat model"):
            self.examine_object(x, where, cover)

    def visit_all(self, items: Iterable[tuple[str, Any]], where: str, cover: Cover) -> None:
        """Look at many."""
        for _, value in items:
            self.visit(value, where, cover)

    def visit_parts(self, x: Any, where: str, cover: Cover, *, skipped: Collection[str] = ()) -> None:
        """Look at the fields of an object, except some, and at the methods of its class."""
        self.visit_all(((k, v) for k, v in get_attributes(x).items() if k not in skipped), where, cover)
        self.visit_all(EXPLORER.iterate_members(type(x)), where, cover)

    def examine_function(self, function: types.FunctionType, where: str, cover: Cover = NO_COVER) -> None:
        """What a function's body reaches is called from there, past whatever stands around the function."""
        if get_module_name(function) == FACTORY_MODULE:
            return  # the agent's own parts, which `GraphExaminer` looks at
        skipped = _REACT_TOOL_VARIABLES if get_module_name(function) == _REACT_MODULE else ()
        values = self.captured_values(function)
        by_halo = any(is_a(value, HaloBase) for _, value, _ in values)
        for name, value, called in values:
            if called and _is_factory(value):
                self.rows.add_runtime_object(
                    value.__name__, where, retriever=issubclass(value, BaseRetriever), by_halo=by_halo
                )
            elif called and is_a(value, types.FunctionType) and value.__name__ == _MODEL_FACTORY:
                self.rows.add_runtime_object(_MODEL_FACTORY, where, retriever=False, by_halo=by_halo)
            elif name not in skipped:
                self.visit(value, where, _get_body_cover(cover))

    def examine_object(self, x: Any, where: str, cover: Cover) -> None:
        """Any other object: what it holds, and what the methods of an app's own class name."""
        top = get_module_name(x).partition(".")[0]
        if top in SKIPPED_PACKAGES:
            return
        # Parts of chains and graphs are called with the callbacks of the run, others are not.
        self.visit_all(
            EXPLORER.iterate_contents(x),
            where,
            cover if is_a(x, Runnable) or top == "langgraph" else _get_body_cover(cover),
        )
        self.visit_all(EXPLORER.iterate_members(type(x)), where, _get_body_cover(cover))


def _get_body_cover(cover: Cover) -> Cover:
    """What still decides in the body of a function: only what decided the body itself."""
    return cover if cover.is_decided else NO_COVER


def _is_factory(x: Any) -> bool:
    """Whether it is a class of models or retrievers, and can be called for one."""
    return is_a(x, type) and issubclass(x, BaseLanguageModel | BaseRetriever) and not inspect.isabstract(x)


G = TypeVar("G")

_MAX_BRIEF_OBJECTS: Final = 5_000
_MAX_SHOWN: Final = 8
_REPORTED_KINDS: Final = (FindingKind.MODEL, FindingKind.TOOL, FindingKind.RETRIEVER, FindingKind.HANDOFF)
_DEFAULT_NAME: Final = "LangGraph"


def report_undecided(halo: Halo, guarded: G) -> G:
    """The guarded graph, after whoever runs this was told what in it stays undecided."""
    line = describe_undecided(guarded)
    if line:
        halo.notify_once(line)
    return guarded


def describe_undecided(guarded: Any) -> str:
    """What inside a guarded graph nothing decides; empty where all is, as far as a short look shows.

    A model that an agent's own node holds cannot be put behind a guard from outside; nor can what a function finds
    by itself.
    """
    try:
        examiner = Examiner("", _MAX_BRIEF_OBJECTS)
        examiner.visit(guarded, "", NO_COVER)
        names = list(dict.fromkeys(map(_describe_finding, filter(_is_open, examiner.finish()))))
    except Exception:  # noqa: BLE001  an object may do anything when it is looked at, and what is said guards nothing
        return ""
    if not names:
        return ""
    shown_names = join_names(names, _MAX_SHOWN)
    place = f"`{guarded.name}`" if guarded.name != _DEFAULT_NAME else "the graph"
    return f"not decided inside {place}: {shown_names}; guard them, see `halo doctor`"


def _is_open(finding: Finding) -> bool:
    return finding.status is FindingStatus.OPEN and finding.kind in _REPORTED_KINDS


def _describe_finding(finding: Finding) -> str:
    return f"{finding.name} ({finding.kind})"
