"""Room: how the doctor looks into an app of LlamaIndex's. Takes: any object. Gives: what it reaches. Never: judges.

Room: whether a guarded copy still is what `guard` made. Takes: a copy, its gate. Gives: yes or no.

A gate says that somebody guarded an object, not that every way in leads past it: a field can be set afterwards. Never:
runs anything of the app's, decides.

Room: rows of `halo doctor`. Takes: a thing, what covers it. Gives: findings.

Never: walks, runs anything of the app's, decides.
"""

from __future__ import annotations

import types
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.tools import BaseTool, FunctionTool
from llama_index.core.workflow import Workflow
from llama_index_instrumentation import root_dispatcher

from halo_core.doctor.findings import Finding, FindingKind, FindingStatus, sort_findings
from halo_core.doctor.object_graph import (
    ObjectExplorer,
    get_attributes,
    get_module_name,
    is_a,
    is_atomic,
    iterate_closure,
)
from halo_core.enforcement.guards import GuardMetadata, clean_name, get_guard
from halo_core.errors import HaloError
from halo_core.model import ActionKind
from halo_llamaindex._agents import list_entry_points
from halo_llamaindex._models import SENDING_METHODS
from halo_llamaindex._observer import HaloObserver
from halo_llamaindex._retrievers import RETRIEVE_METHODS, TABLE_METHODS
from halo_llamaindex._translate import collect_tools, hosted_names

__all__ = [
    "APP_REACH",
    "BODY_COVER",
    "NO_COVER",
    "Cover",
    "Rows",
    "find_guard",
    "is_intact",
    "safe_name",
]


_FRAMEWORKS: Final = frozenset((
    "anyio", "banks", "halo_core", "halo_llamaindex", "httpx", "llama_index", "llama_index_instrumentation", "nltk",
    "openai", "pydantic", "pydantic_core", "tiktoken", "typing_extensions", "workflows", "wrapt",
))  # fmt: skip
APP_REACH: Final = ObjectExplorer(_FRAMEWORKS, frozenset(("llama_index", "workflows")), "halo_llamaindex.demo")


_HALO_MODULES: Final = "halo_llamaindex._"
_FUNCTION_FIELDS: Final = ("_fn", "_async_fn", "_real_fn")
_TOOL_ENTRY_POINTS: Final = ("__call__", "call", "acall")


def is_intact(x: Any, guard: GuardMetadata) -> bool:
    """Whether the ways into a guarded copy are the guard's own."""
    if is_a(x, FunctionTool):
        return not _is_shadowed(x, _TOOL_ENTRY_POINTS) and all(
            _is_wrapped_by(get_attributes(x).get(name), guard) for name in _FUNCTION_FIELDS
        )
    entry_points = _list_entry_points(x)
    defined = [name for name in entry_points if _find_method(x, name) is not None]
    return (
        not _is_shadowed(x, entry_points)
        and bool(defined)
        and all(_is_halo_method(_find_method(x, name)) for name in defined)
    )


def _list_entry_points(x: Any) -> tuple[str, ...]:
    if is_a(x, BaseTool):
        return _TOOL_ENTRY_POINTS
    if is_a(x, BaseRetriever):
        return (*RETRIEVE_METHODS, *TABLE_METHODS)
    if is_a(x, BaseLLM):
        return SENDING_METHODS
    return tuple(list_entry_points(type(x))) if is_a(x, Workflow) else ()


def _is_shadowed(x: Any, names: tuple[str, ...]) -> bool:
    return bool(get_attributes(x).keys() & set(names))


def _is_wrapped_by(function: Any, guard: GuardMetadata) -> bool:
    return _is_halo_method(function) and any(value is guard for _, value in iterate_closure(function))


def _find_method(x: Any, name: str) -> Any:
    """A method as the class has it."""
    return next((kind.__dict__[name] for kind in type(x).__mro__ if name in kind.__dict__), None)


def _is_halo_method(function: Any) -> bool:
    return is_a(function, types.FunctionType) and get_module_name(function).startswith(_HALO_MODULES)


_CHANGED_REMEDY: Final = (
    "it was changed after it was guarded, or its class has its own entry point: guard the original again"
)
_REMEDIES: Final = {
    FindingKind.AGENT: "run `halo.guard(workflow)` in its place",
    FindingKind.HANDOFF: "run `halo.guard(workflow)` in place of the team",
    FindingKind.MODEL: "use `halo.guard(llm)` in its place",
    FindingKind.RETRIEVER: "use `halo.guard(retriever)` in its place",
    FindingKind.TOOL: "use `halo.guard(tool)` in its place",
}
_GRANTABLE_KINDS: Final = {
    FindingKind.TOOL: (ActionKind.TOOL_CALL, ActionKind.RETRIEVAL),
    FindingKind.RETRIEVER: (ActionKind.RETRIEVAL,),
}
_HANDLER_ACTIONS: Final = {FindingKind.TOOL: ActionKind.TOOL_CALL, FindingKind.RETRIEVER: ActionKind.RETRIEVAL}
_CLIENT_FIELDS: Final = (
    "client", "_client", "_aclient", "async_client", "_async_client", "_http_client", "_async_http_client",
)  # fmt: skip
_SDK_MODULES: Final = (
    "anthropic.", "botocore.client", "cohere.", "google.genai.", "groq.", "mistralai.", "ollama.", "openai.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cover:
    """What decides unguarded things at one place.

    Args:
        point: it, in words; empty where nothing does.
        kinds: which kinds it decides.
        is_decided: whether this is the body of something that was decided.
        halo: who decides, where something does.
    """

    point: str = ""
    kinds: frozenset[FindingKind] = frozenset()
    is_decided: bool = False
    halo: Any = None


NO_COVER: Final = Cover()
BODY_COVER: Final = Cover(is_decided=True)


def find_guard(x: Any) -> GuardMetadata | None:
    """The gate of anything at all."""
    try:
        return get_guard(x)
    except Exception:  # noqa: BLE001  an object may do anything when it is looked at
        return None


def safe_name(x: Any) -> str:
    """A name of an object that asks none of its code."""
    attributes = get_attributes(x)
    metadata_name = (
        get_attributes(attributes.get("_metadata")).get("name") if attributes.get("_metadata") is not None else None
    )
    names = (metadata_name, *(attributes.get(key) for key in ("name", "model", "model_name")))
    return clean_name(next((name for name in names if type(name) is str and name), type(x).__name__))


@dataclass(slots=True)
class Rows:
    """Findings as they are made."""

    findings: list[Finding] = field(default_factory=list)
    halos: list[Any] = field(default_factory=list)
    originals: list[str] = field(default_factory=list)

    def add(
        self, kind: FindingKind, name: str, where: str, point: str, status: FindingStatus, remedy: str = ""
    ) -> None:
        """One row."""
        self.findings.append(Finding(kind, name, where, point, status, remedy))

    def add_note(self, kind: FindingKind, name: str, where: str, remedy: str) -> None:
        """A row about something that cannot be intercepted."""
        self.add(kind, name, where, "none", FindingStatus.NOTED, remedy)

    def add_verdict(self, kind: FindingKind, x: Any, where: str, cover: Cover, name: str = "") -> bool:
        """A row about a tool, retriever, model or agent; whether it is closed."""
        guard = find_guard(x)
        name = name or (guard.name if guard is not None else "") or safe_name(x)
        hint = ""
        if guard is not None:
            self._remember_halo(guard)
            if is_intact(x, guard):
                self.add(kind, name, where, "guarded copy", FindingStatus.CLOSED)
                return True
            hint = _CHANGED_REMEDY
        elif kind in cover.kinds:
            self.add(kind, name, where, cover.point, FindingStatus.CLOSED)
            self._note_ungranted(kind, name, where, cover.halo)
            return True
        self.add_undecided(kind, name, where, hint)
        return False

    def add_undecided(self, kind: FindingKind, name: str, where: str, hint: str = "") -> None:
        """A row about something that no guard decides."""
        is_observed = any(isinstance(item, HaloObserver) for item in root_dispatcher.span_handlers)
        point = (
            "observer: recorded only"
            if is_observed and kind not in (FindingKind.AGENT, FindingKind.HANDOFF)
            else "none"
        )
        self.add(kind, name, where, point, FindingStatus.OPEN, hint or _REMEDIES.get(kind, ""))

    def _note_ungranted(self, kind: FindingKind, name: str, where: str, halo: Any) -> None:
        """A row about something that is decided, but that nobody may use: what is not registered is not granted."""
        if halo is None or kind not in _GRANTABLE_KINDS:
            return
        with suppress(HaloError):  # what was declared cannot be read: a decision says so itself
            if halo.find_registered(name) is None and halo.find_declared(name, *_GRANTABLE_KINDS[kind]) is None:
                self.add_note(
                    kind, name, where, f"no passport grants it: in enforce mode every call is denied; {_REMEDIES[kind]}"
                )

    def _remember_halo(self, guard: GuardMetadata) -> None:
        """Remember who decides, and an original that the module which made it still holds."""
        if not any(guard.halo is halo for halo in self.halos):
            self.halos.append(guard.halo)
        function = get_attributes(guard.original).get("_real_fn")
        scope = getattr(function, "__globals__", None)
        if type(scope) is dict and any(value is guard.original for value in list(scope.values())):
            self.originals.append(guard.name)

    def add_hosted_tools(self, model: Any, where: str, *, closed: bool) -> None:
        """Rows about tools that a model's provider runs."""
        try:
            names = hosted_names(collect_tools(model, {}))
        except Exception:  # noqa: BLE001  as `gate`
            return
        for name in names:
            if closed:
                remedy = "use a tool that runs in this process"
                self.add(FindingKind.TOOL, name, where, "refused when called", FindingStatus.NOTED, remedy)
            else:
                remedy = "the provider runs it: use a tool of this process, or guard the LLM, which then refuses it"
                self.add(FindingKind.TOOL, name, where, "none", FindingStatus.OPEN, remedy)

    def note_client(self, model: Any, where: str) -> None:
        """A row about an LLM's SDK client."""
        attributes = get_attributes(model)
        private = attributes.get("__pydantic_private__")
        attributes |= private if type(private) is dict else {}
        if any(not is_atomic(attributes.get(name)) for name in _CLIENT_FIELDS):
            remedy = "calls of the SDK client are not decided: use only the guarded LLM"
            self.add_note(FindingKind.MODEL, f"{safe_name(model)}.client", where, remedy)

    def note_sdk_client(self, x: Any, where: str) -> bool:
        """A row about a raw SDK client, if it is one."""
        module = get_module_name(x)
        if not module.startswith(_SDK_MODULES) or not ("client" in module or "sdk" in module):
            return False
        name = f"{module.partition('.')[0]}.{type(x).__name__}"
        self.add_note(FindingKind.MODEL, name, where, "its calls are not decided: use a guarded LLM instead")
        return True

    def to_findings(self) -> list[Finding]:
        """The rows in order, with those about the whole."""
        if self.originals:
            names = ", ".join(dict.fromkeys(self.originals))
            self.add_note(
                FindingKind.TOOL, names, "originals, in the modules that made them",
                "originals and their `.fn` are not guarded: use only the guarded copies",
            )  # fmt: skip
        kinds = {item.kind for item in self.findings}
        if FindingKind.MODEL in kinds:
            self._note_held_streams(self.halos)
        self._note_event_handlers(kinds)
        return sort_findings(self.findings)

    def _note_event_handlers(self, kinds: Iterable[FindingKind]) -> None:
        """Rows about what LlamaIndex tells whoever listens, before anything is taken away."""
        for halo in self.halos:
            for kind, action in _HANDLER_ACTIONS.items():
                with suppress(HaloError):  # a row about its policy says so
                    if kind in kinds and halo.may_restrict_output(action):
                        remedy = (
                            "a policy may restrict it, but LlamaIndex's event and span handlers see all of it: "
                            "install none that sends it on"
                        )
                        self.add_note(kind, "event handlers", f"policy of `{halo.agent}`", remedy)

    def _note_held_streams(self, halos: Iterable[Any]) -> None:
        """Rows about policies that may narrow what a model says."""
        for halo in halos:
            where, remedy = f"policy of `{halo.agent}`", ""
            try:
                if halo.may_restrict_output(ActionKind.INFERENCE):
                    remedy = (
                        "a policy may restrict it, so a stream is held back until it is complete; "
                        "LlamaIndex's event handlers see all of it"
                    )
            except HaloError as exc:
                remedy = f"it cannot be read: {exc.message}"
            if remedy:
                self.add_note(FindingKind.MODEL, "streams", where, remedy)
