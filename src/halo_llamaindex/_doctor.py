"""`halo doctor` for LlamaIndex: what of an app is decided before it runs, and what is not.

It follows what the objects hold: agents, tools, parts of engines, closures, globals that functions name. What a
function makes while it runs it does not see, but for LLMs and retrievers made by name. Nothing of the app's runs.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from llama_index.core import Settings
from llama_index.core.agent.workflow import AgentWorkflow
from llama_index.core.agent.workflow.base_agent import BaseWorkflowAgent
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.callbacks import CallbackManager
from llama_index.core.indices.base import BaseIndex
from llama_index.core.llms.structured_llm import StructuredLLM
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.prompts import BasePromptTemplate
from llama_index.core.schema import BaseNode
from llama_index.core.tools import BaseTool
from llama_index.core.vector_stores.types import BasePydanticVectorStore
from llama_index.core.workflow import Workflow

from halo_core.doctor.findings import Finding, FindingKind, FindingStatus
from halo_core.doctor.object_graph import get_attributes, get_module_name, is_a, is_atomic, iterate_container, unwrap
from halo_core.doctor.rows import NO_COVER, Cover, find_guard
from halo_core.enforcement.guards import GuardMetadata, overrides_entry_point
from halo_core.facade import HaloBase
from halo_core.model import ActionKind
from halo_llamaindex._components import ENGINE_TYPES, is_store
from halo_llamaindex._doctor_rows import BODY_COVER, EXPLORER, Rows, find_intact_guard, find_tool_name

_FUNCTION_FIELDS: Final = ("_fn", "_async_fn", "_real_fn", "_callback", "_async_callback")
_STORE_FIELDS: Final = ("_vector_store", "_index", "_docstore", "_storage_context", "_graph_store")
_AGENT_FIELDS: Final = frozenset(("llm", "tools", "tool_retriever"))


def _describe(x: Any) -> tuple[GuardMetadata | None, Any, str]:
    """The guard if it is intact, the original, and the name."""
    guard = find_intact_guard(x)
    return (guard, guard.original, guard.name) if guard is not None else (None, x, find_tool_name(x))


def _examine_tool(examiner: _Examiner, x: Any, where: str, cover: Cover) -> None:
    """Examine a tool and what its body reaches."""
    guard, original, name = _describe(x)
    is_closed = examiner.rows.add_verdict(FindingKind.TOOL, x, where, cover, name)
    place = f"{where} > tool `{name}`".lstrip(" >")
    body = BODY_COVER if is_closed else NO_COVER
    if guard is not None and guard.resource.kind is ActionKind.RETRIEVAL:
        body = Cover(f"guarded tool `{name}`, a retrieval", frozenset((FindingKind.RETRIEVER,)), is_decided=True)
    attributes = get_attributes(original)
    for key in _FUNCTION_FIELDS:
        examiner.visit(attributes.get(key), place, body)
    # What a tool over a retriever or an engine holds is guarded on the copy, not on the original.
    parts = get_attributes(x)
    other_parts = (
        (key, value) for key, value in parts.items() if key not in (*_FUNCTION_FIELDS, "_metadata", "_halo_guard")
    )
    examiner.visit_all(other_parts, place, body)
    examiner.visit_members(type(original), place, body)
    if get_module_name(attributes.get("_real_fn")).startswith("llama_index.tools.mcp"):
        remedy = "its client reaches every tool of its server: pass on tools only"
        examiner.rows.add_note(FindingKind.TOOL, f"{name} (MCP)", where, remedy)


def _examine_retriever(examiner: _Examiner, x: Any, where: str, cover: Cover) -> None:
    """Examine a retriever, those inside it, and the store behind it."""
    _, original, name = _describe(x)
    is_closed = examiner.rows.add_verdict(FindingKind.RETRIEVER, x, where, cover, name)
    place = f"{where} > retriever `{name}`".lstrip(" >")
    body = Cover(f"retriever `{name}`, which holds it", frozenset((FindingKind.RETRIEVER,)), is_decided=True)
    parts = get_attributes(x)
    for key in _STORE_FIELDS:
        if parts.get(key) is not None:
            examiner.visit(parts.pop(key), place, BODY_COVER)
    examiner.visit_all(parts.items(), place, body if is_closed else NO_COVER)
    examiner.visit_members(type(original), place, BODY_COVER if is_closed else NO_COVER)


def _examine_model(examiner: _Examiner, x: Any, where: str, cover: Cover) -> None:
    """Examine an LLM, tools that its provider runs, its client, and a model inside it."""
    if is_a(x, StructuredLLM) and find_guard(x) is None:
        examiner.visit(get_attributes(x).get("llm"), where, cover)  # it is what it asks
        return
    _, original, name = _describe(x)
    is_closed = examiner.rows.add_verdict(FindingKind.MODEL, x, where, cover, name)
    examiner.rows.add_model_parts(original, name, where, closed=is_closed)
    body = (
        replace(BODY_COVER, point=f"LLM `{name}`, which asks it", kinds=frozenset((FindingKind.MODEL,)))
        if is_closed
        else NO_COVER
    )
    inner = get_attributes(original).get("llm")
    examiner.visit(inner, f"{where} > LLM `{name}`".lstrip(" >"), body)


def _examine_index(examiner: _Examiner, x: Any, where: str, cover: Cover) -> None:
    """Add a row about an index: each engine or retriever that it makes is new and unguarded."""
    name = f"{type(x).__name__}.as_query_engine"
    remedy = "each call creates a new one: guard the result, `halo.guard(index.as_retriever())`"
    status = FindingStatus.NOTED if cover.is_decided else FindingStatus.OPEN
    examiner.rows.add(FindingKind.RETRIEVER, name, where, "none", status, remedy)


def _examine_store(examiner: _Examiner, x: Any, where: str, cover: Cover) -> None:
    """Add a row about a vector store: a query to it is an unguarded retrieval."""
    name = f"{type(x).__name__}.query"
    remedy = "querying the store directly is not decided: pass on only a guarded retriever for it"
    status = FindingStatus.NOTED if cover.is_decided else FindingStatus.OPEN
    examiner.rows.add(FindingKind.STORE, name, where, "none", status, remedy)


def _examine_engine(examiner: _Examiner, x: Any, where: str, cover: Cover) -> None:
    """Examine what a query or chat engine holds."""
    place = f"{where} > `{type(x).__name__}`".lstrip(" >")
    for value in get_attributes(x).values():
        for part in (value, *(value if type(value) is list else ())):
            for thing in (part, *(get_attributes(part).values() if is_a(part, BaseNodePostprocessor) else ())):
                if is_store(thing):
                    remedy = "it is read without a retriever: a guarded object that reads it is refused"
                    examiner.rows.add(
                        FindingKind.STORE, type(thing).__name__, place, "none", FindingStatus.OPEN, remedy
                    )
    examiner.visit_all(get_attributes(x).items(), place, cover)
    examiner.visit_members(type(x), where, cover)


# workflows


def _examine_workflow(examiner: _Examiner, x: Any, where: str, cover: Cover) -> None:
    """Examine an agent, a team of agents, or a workflow of the app's own."""
    guard, original, name = _describe(x)
    is_team = is_a(x, AgentWorkflow)
    is_agentic = is_team or is_a(x, BaseWorkflowAgent)
    if guard is not None or is_agentic:
        examiner.rows.add_verdict(FindingKind.AGENT, x, where, NO_COVER, name)
    place = f"{where} > workflow `{name}`".lstrip(" >")
    agent_cover = cover
    if guard is not None and is_agentic:
        agent_cover = Cover("guarded workflow", frozenset((FindingKind.TOOL,)), halo=guard.halo)
    if is_team:
        _examine_team(examiner, x, place, agent_cover, closed=guard is not None)
    elif is_agentic:
        _examine_agent(examiner, x, place, agent_cover)
    other_parts = (
        (key, item)
        for key, item in get_attributes(x).items()
        if not is_agentic or key not in _AGENT_FIELDS | {"agents"}
    )
    examiner.visit_all(other_parts, place, NO_COVER if is_agentic else cover)
    examiner.visit_members(type(original), place, NO_COVER)


def _examine_team(examiner: _Examiner, x: Any, where: str, cover: Cover, *, closed: bool) -> None:
    agents = get_attributes(x).get("agents")
    agents = agents if type(agents) is dict else {}
    for name, agent in agents.items():
        if len(agents) > 1:
            if closed:
                examiner.rows.add(FindingKind.HANDOFF, str(name), where, "guarded workflow", FindingStatus.CLOSED)
            else:
                examiner.rows.add_undecided(FindingKind.HANDOFF, str(name), where)
        place = f"{where} > agent `{name}`"
        _examine_agent(examiner, agent, place, cover)
        if overrides_entry_point(type(agent), "_call_tool", "llama_index.core."):
            remedy = "a team calls the tools of its agents itself and ignores this override"
            examiner.rows.add_note(FindingKind.AGENT, f"{name}._call_tool", where, remedy)
        agent_guard = find_guard(agent)
        examiner.visit_members(type(agent if agent_guard is None else agent_guard.original), place, NO_COVER)


def _examine_agent(examiner: _Examiner, agent: Any, where: str, cover: Cover) -> None:
    attributes = get_attributes(agent)
    examiner.visit(attributes.get("tools"), where, cover)
    examiner.visit(attributes.get("llm"), where, NO_COVER)
    finder = attributes.get("tool_retriever")
    if finder is not None:
        name = f"{type(finder).__name__} (finds tools)"
        if FindingKind.TOOL in cover.kinds:
            examiner.rows.add(FindingKind.TOOL, name, where, cover.point, FindingStatus.CLOSED)
        else:
            examiner.rows.add_undecided(
                FindingKind.TOOL, name, where, "the tools that it finds are not known in advance: guard the workflow"
            )
        examiner.visit(finder, where, replace(cover, is_decided=True))


_MAX_DEPTH: Final = 80
_MAX_OBJECTS: Final = 50_000
_EXAMINERS: Final[tuple[tuple[tuple[type[Any], ...], Callable[[_Examiner, Any, str, Cover], None]], ...]] = (
    ((Workflow,), _examine_workflow),
    ((BaseTool,), _examine_tool),
    ((BaseRetriever,), _examine_retriever),
    ((BaseLLM,), _examine_model),
    ((BaseIndex,), _examine_index),
    ((BasePydanticVectorStore,), _examine_store),
    (ENGINE_TYPES, _examine_engine),
)
_IGNORED_TYPES: Final = (
    BaseNode,
    BasePromptTemplate,
    CallbackManager,
    ChatMessage,
    GuardMetadata,
    HaloBase,
    asyncio.AbstractEventLoop,
    contextvars.Context,
    logging.Logger,
    types.CodeType,
    types.FrameType,
    types.ModuleType,
    types.TracebackType,
)
_SERVICE_PACKAGES: Final = frozenset(("_abc", "halo_core", "llama_index_instrumentation", "workflows"))
"""Packages whose objects run nothing of an app's."""


def doctor(obj: Any, *, name: str = "") -> list[Finding]:
    """What of an app is decided before it runs, what can run undecided, and what nothing can intercept.

    Args:
        obj: a workflow, agent, tool, retriever, index, engine, LLM or function, or a list or dict of these.
        name: what to call it; its own name where it has one is used otherwise.

    Returns:
        Findings, open ones first. Empty where there is nothing that Halo knows.
    """
    examiner = _Examiner()
    examiner.visit(obj, f"`{name}`" if name else "", NO_COVER)
    return examiner.finish()


@dataclass(slots=True)
class _Examiner:
    """Examines an app."""

    rows: Rows = field(default_factory=Rows)
    _visited: dict[tuple[int, Cover], Any] = field(default_factory=dict)
    _depth: int = 0
    _is_cut_short: bool = False

    def finish(self) -> list[Finding]:
        """Findings in order, with those about the whole."""
        default = Settings._llm  # noqa: SLF001  the property would make one
        if self.rows.findings and default is not None and find_guard(default) is None:
            remedy = "objects that are created without an LLM use it: set `Settings.llm = halo.guard(llm)`"
            self.rows.add(FindingKind.MODEL, "Settings.llm", "the process", "none", FindingStatus.OPEN, remedy)
        if self._is_cut_short:
            remedy = "check its parts: `halo doctor MODULE:PART`"
            self.rows.add(
                FindingKind.NODE, "the rest", "too deep or too large to inspect", "none", FindingStatus.OPEN, remedy
            )
        return self.rows.to_findings()

    def visit(self, x: Any, where: str, cover: Cover) -> None:
        """Examine an object, once under each cover."""
        if is_atomic(x) or is_a(x, *_IGNORED_TYPES):
            return
        key = (id(x), cover)
        if key in self._visited:
            return
        if len(self._visited) >= _MAX_OBJECTS or self._depth >= _MAX_DEPTH:
            self._is_cut_short = True
            return
        self._visited[key] = x  # kept, so that no other takes its identity
        self._depth += 1
        self._examine(x, where, cover)
        self._depth -= 1

    def visit_all(self, items: Iterable[tuple[str, Any]], where: str, cover: Cover) -> None:
        """Examine several objects."""
        for _, value in items:
            self.visit(value, where, cover)

    def visit_members(self, kind: type[Any], where: str, cover: Cover) -> None:
        """Examine the members of an app's own class."""
        self.visit_all(EXPLORER.iterate_members(kind), where, cover)

    def _examine(self, x: Any, where: str, cover: Cover) -> None:
        for kinds, examine in _EXAMINERS:
            if is_a(x, *kinds):
                examine(self, x, where, cover)
                return
        inner, captured = unwrap(x)
        if is_a(inner, types.FunctionType):
            self._examine_function(inner, where, cover)
            self.visit_all(captured, where, _get_body_cover(cover))
            return
        items = iterate_container(x)
        if items is not None:
            self.visit_all(items, where, cover)
        elif is_a(x, type):
            if not issubclass(x, BaseLLM | BaseRetriever | BaseTool | Workflow):
                self.visit_all(EXPLORER.iterate_members(x), where, _get_body_cover(cover))
        elif (
            not self.rows.note_sdk_client(x, where, "a guarded LLM")
            and get_module_name(x).partition(".")[0] not in _SERVICE_PACKAGES
        ):
            self.visit_all(EXPLORER.iterate_contents(x), where, cover)
            self.visit_all(EXPLORER.iterate_members(type(x)), where, _get_body_cover(cover))

    def _examine_function(self, function: types.FunctionType, where: str, cover: Cover) -> None:
        """Examine what a function's body reaches."""
        captured = list(EXPLORER.iterate_captured(function))
        by_halo = any(is_a(value, HaloBase) for _, value, _ in captured)
        for _, value, called in captured:
            if called and _is_constructible(value):
                self._add_runtime_object(value, where, by_halo=by_halo)
            else:
                self.visit(value, where, _get_body_cover(cover))

    def _add_runtime_object(self, kind: type[Any], where: str, *, by_halo: bool) -> None:
        """A row about an LLM or retriever that a function makes while it runs; a Halo at hand there may guard it."""
        row_kind = FindingKind.RETRIEVER if issubclass(kind, BaseRetriever) else FindingKind.MODEL
        where = f"{where} > made while it runs".lstrip(" >")
        if by_halo:
            remedy = "check that the function guards it, or create it outside and guard it there"
            self.rows.add_note(row_kind, kind.__name__, where, remedy)
        else:
            self.rows.add_undecided(row_kind, kind.__name__, where, "create it outside the function and guard it")


def _get_body_cover(cover: Cover) -> Cover:
    """What still decides in the body of a function: only what decided the body itself."""
    return cover if cover.is_decided else NO_COVER


def _is_constructible(x: Any) -> bool:
    """Whether it is a class of LLMs or retrievers, and can be called for one."""
    return is_a(x, type) and issubclass(x, BaseLLM | BaseRetriever) and not inspect.isabstract(x)
