"""What `halo doctor` knows of one thing of LlamaIndex's, and the rows it makes of it.

A guard says that somebody guarded an object, not that every way in leads past it: a field can be set afterwards
(`is_intact`). Nothing here runs code of the app's.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.tools import BaseTool, FunctionTool
from llama_index.core.workflow import Workflow
from llama_index_instrumentation import root_dispatcher

from halo_core.doctor.findings import Finding, FindingKind, FindingStatus, sort_findings
from halo_core.doctor.object_graph import ObjectExplorer, get_attributes, is_a
from halo_core.doctor.rows import (
    CHANGED_REMEDY,
    Cover,
    FindingRows,
    find_guard,
    find_method,
    find_name,
    is_made_in,
    is_wrapped_by,
)
from halo_core.enforcement.guards import GuardMetadata
from halo_core.errors import HaloError
from halo_core.model import ActionKind
from halo_llamaindex._agents import list_entry_points
from halo_llamaindex._models import SENDING_METHODS
from halo_llamaindex._observer import HaloObserver
from halo_llamaindex._retrievers import RETRIEVE_METHODS, TABLE_METHODS
from halo_llamaindex._translate import collect_tools, hosted_names

_FRAMEWORKS: Final = frozenset((
    "anyio", "banks", "halo_core", "halo_llamaindex", "httpx", "llama_index", "llama_index_instrumentation", "nltk",
    "openai", "pydantic", "pydantic_core", "tiktoken", "typing_extensions", "workflows", "wrapt",
))  # fmt: skip
EXPLORER: Final = ObjectExplorer(_FRAMEWORKS, frozenset(("llama_index", "workflows")), "halo_llamaindex.demo")
"""Reads what an app's objects hold."""
BODY_COVER: Final = Cover(is_decided=True)
_HALO_PREFIX: Final = "halo_llamaindex._"
_FUNCTION_FIELDS: Final = ("_fn", "_async_fn", "_real_fn")
_TOOL_ENTRY_POINTS: Final = ("__call__", "call", "acall")
_HANDLER_ACTIONS: Final = {FindingKind.TOOL: ActionKind.TOOL_CALL, FindingKind.RETRIEVER: ActionKind.RETRIEVAL}


def _is_intact(x: Any, guard: GuardMetadata) -> bool:
    """Whether all entry points of a guarded copy are still Halo's."""
    attributes = get_attributes(x)
    if is_a(x, FunctionTool):
        return not attributes.keys() & set(_TOOL_ENTRY_POINTS) and all(
            is_wrapped_by(attributes.get(name), guard, _HALO_PREFIX) for name in _FUNCTION_FIELDS
        )
    entry_points = _list_entry_points(x)
    methods = [method for name in entry_points if (method := find_method(x, name)) is not None]
    return (
        not attributes.keys() & set(entry_points)
        and bool(methods)
        and all(is_made_in(method, _HALO_PREFIX) for method in methods)
    )


def _list_entry_points(x: Any) -> tuple[str, ...]:
    if is_a(x, BaseTool):
        return _TOOL_ENTRY_POINTS
    if is_a(x, BaseRetriever):
        return (*RETRIEVE_METHODS, *TABLE_METHODS)
    if is_a(x, BaseLLM):
        return SENDING_METHODS
    return tuple(list_entry_points(type(x))) if is_a(x, Workflow) else ()


def find_intact_guard(x: Any) -> GuardMetadata | None:
    """The guard of a guarded copy whose entry points are intact."""
    guard = find_guard(x)
    return guard if guard is not None and _is_intact(x, guard) else None


def find_tool_name(x: Any) -> str:
    """Name of an object, read without running its code; a tool has it in its metadata."""
    return find_name(x, get_attributes(get_attributes(x).get("_metadata")).get("name"))


@dataclass(slots=True)
class Rows(FindingRows):
    """Findings of an app of LlamaIndex's."""

    remedies: ClassVar = {
        FindingKind.AGENT: "run `halo.guard(workflow)` in its place",
        FindingKind.HANDOFF: "run `halo.guard(workflow)` in place of the team",
        FindingKind.MODEL: "use `halo.guard(llm)` in its place",
        FindingKind.RETRIEVER: "use `halo.guard(retriever)` in its place",
        FindingKind.TOOL: "use `halo.guard(tool)` in its place",
    }
    model_word: ClassVar = "LLM"
    client_fields: ClassVar = (
        "client", "_client", "_aclient", "async_client", "_async_client", "_http_client", "_async_http_client",
    )  # fmt: skip

    def add_verdict(self, kind: FindingKind, x: Any, where: str, cover: Cover, name: str) -> bool:
        """A row about a tool, retriever, model or agent; whether it is closed."""
        guard = find_guard(x)
        if guard is not None:
            self.remember_halo(guard.halo)
            self.remember_original(guard, get_attributes(guard.original).get("_real_fn"))
            if _is_intact(x, guard):
                self.add_closed(kind, name, where, "guarded copy")
                return True
        elif kind in cover.kinds:
            self.add_closed(kind, name, where, cover.point)
            self.note_ungranted(kind, name, where, cover.halo)
            return True
        self.add_undecided(kind, name, where, CHANGED_REMEDY if guard is not None else "")
        return False

    def add_undecided(self, kind: FindingKind, name: str, where: str, hint: str = "") -> None:
        """A row about something that no guard decides."""
        is_observed = kind not in (FindingKind.AGENT, FindingKind.HANDOFF) and any(
            isinstance(item, HaloObserver) for item in root_dispatcher.span_handlers
        )
        point = "observer: recorded only" if is_observed else "none"
        self.add(kind, name, where, point, FindingStatus.OPEN, hint or self.remedies.get(kind, ""))

    def add_model_parts(self, model: Any, name: str, where: str, *, closed: bool) -> None:
        """Rows about tools that a model's provider runs, and about its SDK client."""
        with suppress(Exception):  # as `find_guard`
            self.add_hosted_tools(hosted_names(collect_tools(model, {})), where, closed=closed)
        attributes = get_attributes(model)
        private = attributes.get("__pydantic_private__")
        self.note_client(name, attributes | (private if type(private) is dict else {}), where)

    def to_findings(self) -> list[Finding]:
        """The rows in order, with those about the whole."""
        self.note_originals("originals and their `.fn` are not guarded: use only the guarded copies")
        kinds = {item.kind for item in self.findings}
        self.note_held_streams("streams", "; LlamaIndex's event handlers see all of it")
        self._note_event_handlers(kinds)
        return sort_findings(self.findings)

    def _note_event_handlers(self, kinds: Iterable[FindingKind]) -> None:
        """Rows about event handlers, which see results before they are restricted."""
        for halo in self.halos:
            for kind, action in _HANDLER_ACTIONS.items():
                with suppress(HaloError):  # a row about its policy says so
                    if kind in kinds and halo.may_restrict_output(action):
                        remedy = (
                            "a policy may restrict it, but LlamaIndex's event and span handlers see all of it: "
                            "install none that sends it on"
                        )
                        self.add_note(kind, "event handlers", f"policy of `{halo.agent}`", remedy)
