"""What `halo doctor` knows of one thing of LangChain's, and the rows it makes of it.

A guard says that somebody guarded an object, not that every way in leads past it: a class may have entry points of its
own, and a field can be set afterwards (`is_intact`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.language_models import BaseLanguageModel, BaseLLM
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import BaseTool, StructuredTool, Tool
from langgraph.pregel import Pregel

from halo_core.doctor.findings import Finding, FindingKind, FindingStatus
from halo_core.doctor.object_graph import ObjectExplorer, get_attributes, get_module_name, is_a, iterate_container
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
from halo_core.enforcement.guards import GuardMetadata, clean_name
from halo_langchain._callback import HaloCallback
from halo_langchain._translate import hosted_names

_FRAMEWORKS: Final = frozenset((
    "anyio", "halo_core", "halo_langchain", "httpx", "langchain", "langchain_classic", "langchain_core",
    "langgraph", "langgraph_supervisor", "langgraph_swarm", "langsmith", "pydantic", "pydantic_core",
    "typing_extensions",
))  # fmt: skip
EXPLORER: Final = ObjectExplorer(
    _FRAMEWORKS, frozenset(("langchain", "langchain_core", "langgraph")), "halo_langchain.demo"
)
"""Reads what an app's objects hold."""

_HALO_PREFIX: Final = "halo_langchain._"
_BATCH_METHODS: Final = ("batch", "abatch", "stream", "astream")
_FUNCTION_FIELDS: Final = ("func", "coroutine")
_ENTRY_POINTS: Final[tuple[tuple[type[Any], tuple[str, ...], tuple[str, ...]], ...]] = (
    (BaseTool, ("run", "arun"), ("invoke", "ainvoke")),
    (BaseRetriever, ("invoke", "ainvoke", "_get_relevant_documents", "_aget_relevant_documents"), _BATCH_METHODS),
    (BaseLanguageModel, ("invoke", "ainvoke", "stream", "astream", "_generate", "_agenerate"), _BATCH_METHODS),
    (Pregel, ("stream", "astream"), ("invoke", "ainvoke")),
)
"""Of each kind: methods that must be ours, and methods that must be ours or the framework's."""


def _is_intact(x: Any, guard: GuardMetadata) -> bool:
    """Whether the ways into a guarded copy are the guard's own, or the framework's that lead to those."""
    attributes = get_attributes(x)
    for kind, halo_methods, framework_methods in _ENTRY_POINTS:
        if is_a(x, kind):
            if attributes.keys() & {*halo_methods, *framework_methods}:
                return False
            wrapped = all(is_made_in(find_method(x, name), _HALO_PREFIX) for name in halo_methods)
            if not wrapped or not all(_is_known_method(find_method(x, name)) for name in framework_methods):
                return False
    return _are_functions_intact(x, attributes, guard) if is_a(x, BaseTool) else True


def _are_functions_intact(x: Any, attributes: dict[str, Any], guard: GuardMetadata) -> bool:
    """Of a tool: its body, which is a method, the functions that it holds, or both."""
    fields = _FUNCTION_FIELDS if is_a(x, Tool, StructuredTool) else ()
    functions = [attributes[name] for name in fields if attributes.get(name) is not None]
    if not all(is_wrapped_by(item, guard, _HALO_PREFIX) for item in functions):
        return False
    return (bool(functions) or is_made_in(find_method(x, "_run"), _HALO_PREFIX)) and all(
        _is_known_method(find_method(x, name)) for name in ("_run", "_arun")
    )


def _is_known_method(function: Any) -> bool:
    """Whether a method is ours or the framework's own, which leads to ours."""
    if is_made_in(function, _HALO_PREFIX):
        return True
    return get_module_name(function).partition(".")[0] in {"langchain_core", "langgraph"}


CALLBACK_POINT: Final = "callback"


def find_intact_guard(x: Any) -> GuardMetadata | None:
    """The guard of a guarded copy that still is one."""
    guard = find_guard(x)
    return guard if guard is not None and _is_intact(x, guard) else None


def find_handoff_target(tool: Any) -> str:
    """The agent that a hand-off tool hands over to; empty for any other tool."""
    guard = find_guard(tool)
    metadata = get_attributes(guard.original if guard is not None else tool).get("metadata")
    target = metadata.get("__handoff_destination") if type(metadata) is dict else None
    return target if type(target) is str else ""


def find_callback_halo(callbacks: Any) -> Any:
    """The Halo of the `halo.callback()` in a list or manager of callbacks; None where there is none."""
    if is_a(callbacks, BaseCallbackManager):
        callbacks = get_attributes(callbacks).get("handlers")
    return next(
        (
            get_attributes(item).get("_halo")
            for _, item in iterate_container(callbacks) or ()
            if is_a(item, HaloCallback)
        ),
        None,
    )


_ASYNC_TEXT_REMEDY: Final = (
    "a text model's asynchronous calls can pass the callback undecided: use `halo.guard(model)`, or `halo.install()`"
)
_MAX_PLACES: Final = 20
_MAX_SHOWN: Final = 4
_WATCHED_KINDS: Final = frozenset((FindingKind.TOOL, FindingKind.RETRIEVER, FindingKind.MODEL, FindingKind.HANDOFF))


def _join_places(places: list[str]) -> str:
    suffix = f"; and {len(places) - _MAX_SHOWN} more places" if len(places) > _MAX_SHOWN else ""
    return "; ".join(places[:_MAX_SHOWN]) + suffix


@dataclass(slots=True)
class Rows(FindingRows):
    """Findings as they are made.

    Attributes:
        places: of each row, where its object is.
        governable_count: how often something governable was met.
    """

    remedies: ClassVar = {
        FindingKind.TOOL: "use `halo.guard(tool)` in its place",
        FindingKind.RETRIEVER: "use `halo.guard(retriever)` in its place",
        FindingKind.MODEL: "use `halo.guard(model)` in its place",
        FindingKind.HANDOFF: "run `halo.guard(graph)` in place of the graph that it is in",
        FindingKind.NODE: "run `halo.guard(graph)` in place of the graph",
        FindingKind.STORE: "guard a retriever for it: `halo.guard(store.as_retriever())`",
    }
    client_fields: ClassVar = ("client", "async_client", "root_client", "root_async_client", "_client", "_async_client")

    places: list[dict[str, None]] = field(default_factory=list)
    governable_count: int = 0

    def add(  # noqa: PLR0917  the columns of a row
        self, kind: FindingKind, name: str, where: str, point: str, status: FindingStatus, remedy: str = ""
    ) -> None:
        """One row."""
        FindingRows.add(self, kind, name, where, point, status, remedy)
        self.places.append({where: None})

    def add_places(self, rows: Iterable[int], first: str, where: str) -> None:
        """What was found at one place is at another one too."""
        for row in rows:
            places = self.places[row]
            if where and len(places) < _MAX_PLACES:
                suffix = next((place.removeprefix(first) for place in places if place.startswith(first)), "")
                places[where + suffix] = None

    def to_findings(self) -> list[Finding]:
        """The rows, each with all its places."""
        return [
            replace(row, where=_join_places(list(places)))
            for row, places in zip(self.findings, self.places, strict=True)
        ]

    def add_verdict(self, kind: FindingKind, x: Any, where: str, cover: Cover, name: str = "") -> bool:
        """A row about a tool, retriever, model or hand-off; whether it is closed."""
        self.governable_count += 1
        guard = find_guard(x)
        name = name or (guard.name if guard is not None else "") or find_name(x)
        point, hint = self._find_point(kind, x, cover, guard)
        if not point:
            self.add_undecided(kind, name, where, hint)
            return self.findings[-1].status is FindingStatus.CLOSED
        self.add_closed(kind, name, where, point)
        agent = find_handoff_target(x) if kind is FindingKind.HANDOFF else ""
        resource = clean_name(agent) if agent else guard.resource.id if guard is not None else find_name(x)
        self.note_ungranted(kind, resource, where, guard.halo if guard is not None else cover.halo)
        return True

    def add_undecided(self, kind: FindingKind, name: str, where: str, hint: str = "") -> None:
        """A row about something that no guard decides: the process's tripwire may refuse it."""
        installed = getattr(sys.modules.get("halo_langchain._tripwire"), "_installed", ())
        self.add_open(kind, name, where, hint, installed if kind in _WATCHED_KINDS else ())

    def add_runtime_object(self, name: str, where: str, *, retriever: bool, by_halo: bool) -> None:
        """A row about a model or retriever that a function makes while it runs; a Halo at hand there may guard it."""
        kind = FindingKind.RETRIEVER if retriever else FindingKind.MODEL
        where = f"{where} > made while it runs".lstrip(" >")
        self.governable_count += 1
        if by_halo:
            self.add_note(kind, name, where, "see that the function guards it, or make it outside and guard it there")
        else:
            self.add_undecided(kind, name, where, "make it outside the function and guard it, or use `halo.install()`")

    def _find_point(self, kind: FindingKind, x: Any, cover: Cover, guard: GuardMetadata | None) -> tuple[str, str]:
        """What decides it; else why that which stands here does not."""
        if guard is not None:
            self.remember_halo(guard.halo)
            original = get_attributes(guard.original)
            self.remember_original(guard, original.get("func") or original.get("coroutine"))
            return ("guarded copy", "") if _is_intact(x, guard) else ("", CHANGED_REMEDY)
        point = cover.point if kind in cover.kinds else ""
        # A retriever's own callbacks are not asked.
        callbacks = get_attributes(x).get("callbacks") if kind is not FindingKind.RETRIEVER else None
        if not point and find_callback_halo(callbacks) is not None:
            point = CALLBACK_POINT
        return ("", _ASYNC_TEXT_REMEDY) if point == CALLBACK_POINT and is_a(x, BaseLLM) else (point, cover.hint)

    def add_hosted_schemas(self, tools: Any, where: str, *, closed: bool) -> None:
        """Rows about those of a model's tools that its provider runs."""
        items = [item for _, item in iterate_container(tools) or () if type(item) is dict]
        self.add_hosted_tools(hosted_names(items), where, closed=closed)
