"""`halo doctor` for LlamaIndex: which parts of an application are decided before they run, and which are not.

It follows references: agents, tools, parts of engines, closures, and globals that functions name. It runs nothing of
the application, so it does not see what a function creates at run time, except LLMs and retrievers created by name.
"""

from __future__ import annotations

import types
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar, Final

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
from llama_index.core.tools import BaseTool, FunctionTool
from llama_index.core.vector_stores.types import BasePydanticVectorStore
from llama_index.core.workflow import Workflow
from llama_index_instrumentation import root_dispatcher

from halo_core.doctor import (
    DECIDED_BODY,
    IGNORED_TYPES,
    NO_COVER,
    Cover,
    Examiner,
    Finding,
    FindingKind,
    FindingStatus,
    find_guard,
    find_method,
    find_name,
    join_place,
)
from halo_core.enforcement.guards import GuardMetadata, overrides_entry_point
from halo_core.errors import HaloError
from halo_core.model import ActionKind
from halo_core.object_graph import ObjectExplorer, get_attributes, get_module_name, is_a
from halo_llamaindex._agents import list_entry_points
from halo_llamaindex._components import ENGINE_TYPES, find_self_acting, is_guarded_engine, is_store
from halo_llamaindex._executors import EXECUTOR_TYPES, is_executor, list_executor_methods, runs_programs
from halo_llamaindex._models import SENDING_METHODS
from halo_llamaindex._observer import HaloObserver
from halo_llamaindex._retrievers import RETRIEVE_METHODS, TABLE_METHODS
from halo_llamaindex._translate import collect_tools, judge_request

_COPY_FUNCTION_FIELDS: Final = ("_fn", "_async_fn", "_real_fn")
_FUNCTION_FIELDS: Final = (*_COPY_FUNCTION_FIELDS, "_callback", "_async_callback")
_STORE_FIELDS: Final = ("_vector_store", "_index", "_docstore", "_storage_context", "_graph_store")
_AGENT_FIELDS: Final = frozenset(("agents", "llm", "tools", "tool_retriever"))
_TOOL_ENTRY_POINTS: Final = ("__call__", "call", "acall")
_INNER_KINDS: Final = frozenset((FindingKind.AGENT, FindingKind.MODEL, FindingKind.RETRIEVER, FindingKind.TOOL))
_HANDLER_ACTIONS: Final = {FindingKind.TOOL: ActionKind.TOOL_CALL, FindingKind.RETRIEVER: ActionKind.RETRIEVAL}


def doctor(obj: Any, *, name: str = "") -> list[Finding]:
    """What of an app is decided before it runs, what can run undecided, and what nothing can intercept.

    Args:
        obj: a workflow, agent, tool, retriever, index, engine, LLM or function, or a list or dict of these.
        name: what to call it; its own name where it has one is used otherwise.

    Returns:
        Findings, open ones first. Empty if there is nothing that Halo knows.
    """
    return AppExaminer(name).examine_app(obj)


def _list_entry_points(obj: Any) -> tuple[str, ...]:
    if is_a(obj, BaseTool):
        return _TOOL_ENTRY_POINTS
    if is_a(obj, BaseRetriever):
        return (*RETRIEVE_METHODS, *TABLE_METHODS)
    if is_a(obj, BaseLLM):
        return SENDING_METHODS
    if is_executor(obj):
        return list_executor_methods(type(obj))
    return tuple(list_entry_points(type(obj))) if is_a(obj, Workflow) else ()


def _make_inner_cover(point: str) -> Cover:
    """What decides objects started inside something guarded; see `_inner_calls`."""
    return Cover(point, _INNER_KINDS, is_decided=True)


class AppExaminer(Examiner):
    """One examination of a LlamaIndex app."""

    _body: Cover = NO_COVER
    """What decides things in the function that is looked at."""

    explorer = ObjectExplorer(
        "halo_llamaindex",
        frozenset("llama_index workflows".split()),
        frozenset("banks llama_index_instrumentation nltk openai tiktoken wrapt".split()),
    )
    ignored_types = (*IGNORED_TYPES, BaseNode, BasePromptTemplate, CallbackManager, ChatMessage)
    ignored_classes = (BaseLLM, BaseRetriever, BaseTool, Workflow)
    opaque_packages = frozenset(("_abc", "halo_core", "llama_index_instrumentation", "workflows"))
    runtime_kinds: ClassVar = {BaseRetriever: FindingKind.RETRIEVER, BaseLLM: FindingKind.MODEL}
    remedies: ClassVar = {
        FindingKind.AGENT: "run `halo.guard(workflow)` in its place",
        FindingKind.HANDOFF: "run `halo.guard(workflow)` in place of the team",
        FindingKind.MODEL: "use `halo.guard(llm)` in its place",
        FindingKind.RETRIEVER: "use `halo.guard(retriever)` in its place",
        FindingKind.TOOL: "use `halo.guard(tool)` in its place",
    }
    runtime_remedies = (
        "check that the function guards it, or create it outside and guard it there",
        "create it outside the function and guard it",
    )
    originals_remedy = "originals and their `.fn` are not guarded: use only the guarded copies"
    original_fields = ("_real_fn",)
    model_word = "LLM"
    client_substitute = "a guarded LLM"
    client_fields = (
        "client", "_client", "_aclient", "async_client", "_async_client", "_http_client", "_async_http_client",
    )  # fmt: skip

    def is_intact(self, obj: Any, guard: GuardMetadata) -> bool:
        """Whether all entry points of a guarded copy are still Halo's."""
        attributes = get_attributes(obj)
        if is_a(obj, FunctionTool):
            return not attributes.keys() & set(_TOOL_ENTRY_POINTS) and all(
                self.is_wrapped_by(attributes.get(name), guard) for name in _COPY_FUNCTION_FIELDS
            )
        entry_points = _list_entry_points(obj)
        methods = [method for name in entry_points if (method := find_method(obj, name)) is not None]
        return not attributes.keys() & set(entry_points) and bool(methods) and all(map(self.is_ours, methods))

    def find_name(self, obj: Any) -> str:
        """The name of an object; a tool's is in its metadata."""
        return find_name(obj, get_attributes(get_attributes(obj).get("_metadata")).get("name"))

    def find_watch_point(self, kind: FindingKind) -> str:
        """The observer, which records undecided calls, but no entry of an agent or hand-off."""
        is_observed = kind not in (FindingKind.AGENT, FindingKind.HANDOFF) and any(
            isinstance(item, HaloObserver) for item in root_dispatcher.span_handlers
        )
        return "observer: recorded only" if is_observed else "none"

    def add_rows_of_whole(self) -> None:
        """Add rows about the default LLM, held-back streams, and who sees results before they are restricted."""
        default = Settings._llm  # noqa: SLF001  the property would make one
        if self.findings and default is not None and find_guard(default) is None:
            remedy = "objects that are created without an LLM use it: set `Settings.llm = halo.guard(llm)`"
            self.add(FindingKind.MODEL, "Settings.llm", "the process", "none", FindingStatus.OPEN, remedy)
        kinds = {item.kind for item in self.findings}
        self.note_held_streams("streams", "; LlamaIndex's event handlers see all of it")
        remedy = (
            "a policy may restrict it, but LlamaIndex's event and span handlers see all of it: "
            "install none that sends it on"
        )
        for halo in self.halos:
            for kind, action in _HANDLER_ACTIONS.items():
                with suppress(HaloError):  # a row about its policy says so
                    if kind in kinds and halo.may_restrict_output(action):
                        self.add_note(kind, "event handlers", f"policy of `{halo.agent}`", remedy)

    def examine_tool(self, obj: Any, where: str, cover: Cover) -> None:
        """Examine a tool, and what its body reaches."""
        _, original, name = self.describe(obj)
        is_closed = self.add_verdict(FindingKind.TOOL, obj, where, cover, name)
        place = join_place(where, "tool", name)
        body = _make_inner_cover(f"tool `{name}`, inside of which it starts") if is_closed else NO_COVER
        attributes = get_attributes(original)
        for key in _FUNCTION_FIELDS:
            self.visit(attributes.get(key), place, body)
        # What a tool over a retriever or an engine holds is guarded on the copy, not on the original.
        skipped = (*_FUNCTION_FIELDS, "_metadata", "_halo_guard")
        self.visit_all(((key, v) for key, v in get_attributes(obj).items() if key not in skipped), place, body)
        self.visit_members(type(original), place, body)
        if get_module_name(attributes.get("_real_fn")).startswith("llama_index.tools.mcp"):
            remedy = "its client reaches every tool of its server: pass on tools only"
            self.add_note(FindingKind.TOOL, f"{name} (MCP)", where, remedy)

    def examine_retriever(self, obj: Any, where: str, cover: Cover) -> None:
        """Examine a retriever, its inner ones, and its store."""
        _, original, name = self.describe(obj)
        is_closed = self.add_verdict(FindingKind.RETRIEVER, obj, where, cover, name)
        place = join_place(where, "retriever", name)
        body = _make_inner_cover(f"retriever `{name}`, which holds it") if is_closed else NO_COVER
        parts = get_attributes(obj)
        for key in _STORE_FIELDS:
            self.visit(parts.pop(key, None), place, body if is_closed else DECIDED_BODY)
        self.visit_all(parts.items(), place, body)
        self.visit_members(type(original), place, body)

    def examine_model(self, obj: Any, where: str, cover: Cover) -> None:
        """Examine an LLM, its provider's tools, its client, and its inner model."""
        if is_a(obj, StructuredLLM) and find_guard(obj) is None:
            self.visit(get_attributes(obj).get("llm"), where, cover)  # it is what it asks
            return
        _, original, name = self.describe(obj)
        is_closed = self.add_verdict(FindingKind.MODEL, obj, where, cover, name)
        with suppress(Exception):  # as `find_guard`
            offered = judge_request(original, {}, collect_tools(original, {})).hosted
            self.add_hosted_tools((tool.name for tool in offered), where, closed=is_closed)
        self.note_client(original, name, where)
        body = NO_COVER
        if is_closed:
            body = Cover(f"LLM `{name}`, which asks it", frozenset((FindingKind.MODEL,)), is_decided=True)
        self.visit(get_attributes(original).get("llm"), join_place(where, "LLM", name), body)

    def examine_index(self, obj: Any, where: str, cover: Cover) -> None:
        """Examine an index: each engine or retriever that it makes is new and unguarded."""
        remedy = "each call creates a new one: guard the result, `halo.guard(index.as_retriever())`"
        status = FindingStatus.NOTED if cover.is_decided else FindingStatus.OPEN
        self.add(FindingKind.RETRIEVER, f"{type(obj).__name__}.as_query_engine", where, "none", status, remedy)

    def examine_store(self, obj: Any, where: str, cover: Cover) -> None:
        """Examine a vector store: a query to it is an unguarded retrieval."""
        remedy = "querying the store directly is not decided: pass on only a guarded retriever for it"
        status = FindingStatus.NOTED if cover.is_decided else FindingStatus.OPEN
        self.add(FindingKind.STORE, f"{type(obj).__name__}.query", where, "none", status, remedy)

    def examine_engine(self, obj: Any, where: str, cover: Cover) -> None:
        """Examine the parts of a query or chat engine."""
        place = f"{where} > `{type(obj).__name__}`".lstrip(" >")
        remedy = "it is read without a retriever: a guarded object that reads it is refused"
        deed = find_self_acting(obj)
        if deed:
            hint = f"it {deed}: put it behind a function, and guard that as what executes"
            self.add(FindingKind.TOOL, type(obj).__name__, place, "none", FindingStatus.OPEN, hint)
        if is_guarded_engine(obj):
            cover = _make_inner_cover("guarded engine, inside of which it starts")
        for value in get_attributes(obj).values():
            for part in (value, *(value if type(value) is list else ())):
                for thing in (part, *(get_attributes(part).values() if is_a(part, BaseNodePostprocessor) else ())):
                    if is_store(thing) and find_guard(thing) is None and not is_executor(thing):
                        self.add(FindingKind.STORE, type(thing).__name__, place, "none", FindingStatus.OPEN, remedy)
        self.visit_all(get_attributes(obj).items(), place, cover)
        self.visit_members(type(obj), where, cover)

    def examine_executor(self, obj: Any, where: str, cover: Cover) -> None:
        """Examine an executor of a model's programs."""
        if not runs_programs(obj):
            return
        guard, _, name = self.describe(obj)
        name = guard.resource.id if guard is not None else f"{name}.{list_executor_methods(type(obj))[0]}"
        point = "guarded copy" if guard is not None else cover.point if FindingKind.TOOL in cover.kinds else ""
        remedy = "it runs what a model writes: guard the engine or retriever that holds it"
        self.add_point(FindingKind.TOOL, name, where, point, remedy)

    def examine_function(self, function: types.FunctionType, where: str, cover: Cover) -> None:
        """Like `Examiner`; objects that the function makes are made in this body."""
        outer_body, self._body = self._body, cover
        super().examine_function(function, where, cover)
        self._body = outer_body

    def add_runtime_object(self, kind: FindingKind, name: str, where: str, *, has_halo: bool) -> None:
        """Like `Examiner`; objects made inside something guarded are decided there."""
        if self._body.is_decided and kind in self._body.kinds:
            self.add_point(kind, name, f"{where} > made while it runs".lstrip(" >"), self._body.point)
        else:
            super().add_runtime_object(kind, name, where, has_halo=has_halo)

    def examine_workflow(self, obj: Any, where: str, cover: Cover) -> None:
        """Examine an agent, a team of agents, or a workflow of the app's own."""
        guard, original, name = self.describe(obj)
        place = join_place(where, "workflow", name)
        is_agentic = is_a(obj, AgentWorkflow, BaseWorkflowAgent)
        inner = cover if cover.is_decided and FindingKind.AGENT in cover.kinds else NO_COVER
        if guard is not None or is_agentic:
            self.add_verdict(FindingKind.AGENT, obj, where, inner, name)
        if guard is not None:
            inner = _make_inner_cover(f"workflow `{name}`, inside of which it starts")
        if guard is not None and is_agentic:
            cover = Cover("guarded workflow", frozenset((FindingKind.TOOL,)), halo=guard.halo)
        elif guard is not None:
            cover = inner
        if is_a(obj, AgentWorkflow):
            self._examine_team(obj, place, cover, is_guarded=guard is not None)
        elif is_agentic:
            self.examine_agent_parts(obj, place, cover)
        skipped, cover = (_AGENT_FIELDS, inner) if is_agentic else ((), cover)
        self.visit_all(((key, v) for key, v in get_attributes(obj).items() if key not in skipped), place, cover)
        self.visit_members(type(original), place, inner)

    def _examine_team(self, obj: Any, where: str, cover: Cover, *, is_guarded: bool) -> None:
        agents = get_attributes(obj).get("agents")
        agents = agents if type(agents) is dict else {}
        for name, agent in agents.items():
            if len(agents) > 1:
                self.add_point(FindingKind.HANDOFF, str(name), where, "guarded workflow" if is_guarded else "")
            place = f"{where} > agent `{name}`"
            self.examine_agent_parts(agent, place, cover)
            if overrides_entry_point(type(agent), "_call_tool", "llama_index.core."):
                remedy = "a team calls the tools of its agents itself and ignores this override"
                self.add_note(FindingKind.AGENT, f"{name}._call_tool", where, remedy)
            guard = find_guard(agent)
            self.visit_members(type(agent if guard is None else guard.original), place, NO_COVER)

    def examine_agent_parts(self, agent: Any, where: str, cover: Cover) -> None:
        attributes = get_attributes(agent)
        self.visit(attributes.get("tools"), where, cover)
        self.visit(attributes.get("llm"), where, cover if cover.is_decided else NO_COVER)
        finder = attributes.get("tool_retriever")
        if finder is not None:
            point = cover.point if FindingKind.TOOL in cover.kinds else ""
            hint = "the tools that it finds are not known in advance: guard the workflow"
            self.add_point(FindingKind.TOOL, f"{type(finder).__name__} (finds tools)", where, point, hint)
            self.visit(finder, where, replace(cover, is_decided=True))

    examiners = (
        ((Workflow,), examine_workflow),
        ((BaseTool,), examine_tool),
        ((BaseRetriever,), examine_retriever),
        ((BaseLLM,), examine_model),
        ((BaseIndex,), examine_index),
        ((BasePydanticVectorStore,), examine_store),
        (EXECUTOR_TYPES, examine_executor),
        (ENGINE_TYPES, examine_engine),
    )
