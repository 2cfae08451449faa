"""Room: how the doctor looks into an app of LangChain's. Takes: any object. Gives: what it reaches. Never: judges.

Room: whether a guarded copy still is what `guard` made. Takes: a copy, its gate. Gives: yes or no.

A gate says that somebody guarded an object, not that every way in leads past it: a class may have entry points of its
own, and a field can be set afterwards. Never: runs anything of the app's, decides.

Room: what `halo doctor` knows of one thing. Takes: a thing. Gives: its gate, its name, who is called back for it.

Never: walks, runs anything of the app's, decides.

Room: rows of `halo doctor`. Takes: a thing, what covers it. Gives: findings, each with its places.

Never: walks, runs anything of the app's, decides.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.language_models import BaseLanguageModel, BaseLLM
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import BaseTool, StructuredTool, Tool
from langgraph.pregel import Pregel

from halo_core.doctor.findings import Finding, FindingKind, FindingStatus
from halo_core.doctor.object_graph import (
    ObjectExplorer,
    get_attributes,
    get_module_name,
    is_a,
    is_atomic,
    iterate_closure,
    iterate_container,
    unwrap,
)
from halo_core.enforcement.guards import GuardMetadata, clean_name, get_guard
from halo_core.errors import HaloError
from halo_core.model import ActionKind, Mode
from halo_langchain._callback import HaloCallback
from halo_langchain._translate import hosted_names

__all__ = [
    "CALLBACK_POINT",
    "CLIENT_FIELDS",
    "NO_COVER",
    "Cover",
    "Rows",
    "find_callback_halo",
    "find_guard",
    "find_handoff_target",
    "find_intact_guard",
    "get_attributes",
    "get_module_name",
    "is_a",
    "is_app_module",
    "is_atomic",
    "is_framework_module",
    "is_intact",
    "iterate_captured",
    "iterate_closure",
    "iterate_container",
    "iterate_contents",
    "iterate_members",
    "safe_name",
    "unwrap",
]


_FRAMEWORKS: Final = frozenset((
    "anyio", "halo_core", "halo_langchain", "httpx", "langchain", "langchain_classic", "langchain_core",
    "langgraph", "langgraph_supervisor", "langgraph_swarm", "langsmith", "pydantic", "pydantic_core",
    "typing_extensions",
))  # fmt: skip
_EXPLORER: Final = ObjectExplorer(
    _FRAMEWORKS, frozenset(("langchain", "langchain_core", "langgraph")), "halo_langchain.demo"
)
iterate_captured, is_framework_module, iterate_contents, iterate_members, is_app_module = (
    _EXPLORER.iterate_captured,
    _EXPLORER.is_framework_module,
    _EXPLORER.iterate_contents,
    _EXPLORER.iterate_members,
    _EXPLORER.is_app_module,
)


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


def is_intact(x: Any, guard: GuardMetadata) -> bool:
    """Whether the ways into a guarded copy are the guard's own, or the framework's that lead to those."""
    attributes = get_attributes(x)
    for kind, halo_methods, framework_methods in _ENTRY_POINTS:
        if is_a(x, kind):
            if attributes.keys() & {*halo_methods, *framework_methods}:
                return False
            wrapped = all(_is_halo_method(_find_method(x, name)) for name in halo_methods)
            if not wrapped or not all(_is_known_method(_find_method(x, name)) for name in framework_methods):
                return False
    return _are_functions_intact(x, attributes, guard) if is_a(x, BaseTool) else True


def _are_functions_intact(x: Any, attributes: dict[str, Any], guard: GuardMetadata) -> bool:
    """Of a tool: its body, which is a method, the functions that it holds, or both."""
    functions = (
        [attributes[name] for name in _FUNCTION_FIELDS if attributes.get(name) is not None]
        if is_a(x, Tool, StructuredTool)
        else []
    )
    if not all(
        _is_halo_method(item) and any(value is guard for _, value in iterate_closure(item)) for item in functions
    ):
        return False
    return (bool(functions) or _is_halo_method(_find_method(x, "_run"))) and all(
        _is_known_method(_find_method(x, name)) for name in ("_run", "_arun")
    )


def _find_method(x: Any, name: str) -> Any:
    """A method as the class has it."""
    return next((kind.__dict__[name] for kind in type(x).__mro__ if name in kind.__dict__), None)


def _is_halo_method(function: Any) -> bool:
    return is_a(function, types.FunctionType) and get_module_name(function).startswith(_HALO_PREFIX)


def _is_known_method(function: Any) -> bool:
    """Whether a method is ours or the framework's own, which leads to ours."""
    return _is_halo_method(function) or get_module_name(function).partition(".")[0] in {"langchain_core", "langgraph"}


CALLBACK_POINT: Final = "callback"


@dataclass(frozen=True, slots=True)
class Cover:
    """What decides unguarded things at one place.

    Args:
        point: it, in words; empty where nothing does.
        kinds: which kinds it decides.
        hint: why it does not decide here although it stands here, as a remedy.
    """

    point: str = ""
    kinds: frozenset[FindingKind] = frozenset()
    hint: str = ""
    decided: bool = False
    """Whether this is the body of something that was decided."""
    halo: Any = None
    """Who decides, where something does."""


NO_COVER: Final = Cover()


def find_guard(x: Any) -> GuardMetadata | None:
    """The gate of anything at all."""
    try:
        return get_guard(x)
    except Exception:  # noqa: BLE001  an object may do anything when it is looked at
        return None


def safe_name(x: Any) -> str:
    """A name of an object that asks none of its code."""
    attributes = get_attributes(x)
    names = [attributes.get(key) for key in ("name", "model", "model_name", "model_id")]
    return clean_name(next((name for name in names if type(name) is str and name), type(x).__name__))


def find_intact_guard(x: Any) -> GuardMetadata | None:
    """The gate of a guarded copy that still is one."""
    guard = find_guard(x)
    return guard if guard is not None and is_intact(x, guard) else None


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


_CHANGED_REMEDY: Final = (
    "it was changed after it was guarded, or its class has its own entry point: guard the original again"
)
_ASYNC_TEXT_REMEDY: Final = (
    "a text model's asynchronous calls can bypass the callback: use `halo.guard(model)` or `halo.install()`"
)
_GRANTED_KINDS: Final = {
    FindingKind.TOOL: (ActionKind.TOOL_CALL, ActionKind.RETRIEVAL),
    FindingKind.RETRIEVER: (ActionKind.RETRIEVAL,),
    FindingKind.HANDOFF: (ActionKind.HANDOFF,),
}
"""What a passport must name; a model is registered on first sight."""
_MAX_PLACES: Final = 20
_MAX_SHOWN: Final = 4

_REMEDIES: Final = {
    FindingKind.TOOL: "use `halo.guard(tool)` in its place",
    FindingKind.RETRIEVER: "use `halo.guard(retriever)` in its place",
    FindingKind.MODEL: "use `halo.guard(model)` in its place",
    FindingKind.HANDOFF: "run `halo.guard(graph)` in place of the graph that it is in",
    FindingKind.NODE: "run `halo.guard(graph)` in place of the graph",
    FindingKind.STORE: "guard a retriever for it: `halo.guard(store.as_retriever())`",
}
CLIENT_FIELDS: Final = ("client", "async_client", "root_client", "root_async_client", "_client", "_async_client")
_SDK_MODULES: Final = (
    "anthropic.", "botocore.client", "cohere.", "google.genai.", "groq.", "mistralai.", "ollama.", "openai.",
    "together.",
)  # fmt: skip


def _describe_tripwire() -> tuple[str, bool]:
    """What the process's tripwire does with an unguarded thing, in words, and whether it refuses it."""
    installed = getattr(sys.modules.get("halo_langchain._tripwire"), "_installed", ())
    if not installed:
        return "none", False
    with suppress(HaloError):  # a mode that cannot be read refuses nothing that one could count on
        if any(item.current_mode() is Mode.ENFORCE for item in installed):
            return "tripwire (refused)", True
    return "tripwire, observe mode: recorded only", False


def _join_places(places: list[str]) -> str:
    suffix = f"; and {len(places) - _MAX_SHOWN} more places" if len(places) > _MAX_SHOWN else ""
    return "; ".join(places[:_MAX_SHOWN]) + suffix


@dataclass(slots=True)
class Rows:
    """Findings as they are made."""

    findings: list[Finding] = field(default_factory=list)
    halos: list[Any] = field(default_factory=list)
    originals: list[str] = field(default_factory=list)
    places: list[dict[str, None]] = field(default_factory=list)
    """Of each row, where its object is."""
    governable_count: int = 0
    """How often something governable was met."""

    def add(
        self, kind: FindingKind, name: str, where: str, point: str, status: FindingStatus, remedy: str = ""
    ) -> None:
        """One row."""
        self.findings.append(Finding(kind, name, where, point, status, remedy))
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
        # Rows about the whole are added by hand at the end.
        return [
            replace(row, where=_join_places(list(places)))
            for row, places in zip(self.findings, self.places, strict=True)
        ]

    def add_note(self, kind: FindingKind, name: str, where: str, remedy: str) -> None:
        """A row about something that cannot be intercepted."""
        self.add(kind, name, where, "none", FindingStatus.NOTED, remedy)

    def add_verdict(self, kind: FindingKind, x: Any, where: str, cover: Cover, name: str = "") -> bool:
        """A row about a tool, retriever, model or hand-off; whether it is closed."""
        self.governable_count += 1
        guard = find_guard(x)
        name = name or (guard.name if guard is not None else "") or safe_name(x)
        point, hint = self._find_point(kind, x, cover, guard)
        if point:
            self.add(kind, name, where, point, FindingStatus.CLOSED)
            self._note_ungranted(kind, x, where, guard.halo if guard is not None else cover.halo)
            return True
        self.add_undecided(kind, name, where, hint)
        return self.findings[-1].status is FindingStatus.CLOSED

    def _note_ungranted(self, kind: FindingKind, x: Any, where: str, halo: Any) -> None:
        """A row about something that is decided, but that nobody may use: what is not registered is not granted."""
        guard, agent = find_guard(x), find_handoff_target(x) if kind is FindingKind.HANDOFF else ""
        name = clean_name(agent) if agent else guard.resource.id if guard is not None else safe_name(x)
        if halo is None or kind not in _GRANTED_KINDS:
            return
        with suppress(HaloError):  # what was declared cannot be read: a decision says so itself
            if halo.find_registered(name) is None and halo.find_declared(name, *_GRANTED_KINDS[kind]) is None:
                remedy = f"no passport grants it: in enforce mode every call is denied; {_REMEDIES[kind]}"
                self.add_note(kind, name, where, remedy)

    def add_undecided(self, kind: FindingKind, name: str, where: str, hint: str = "") -> None:
        """A row about something that no guard decides: the process's tripwire may refuse it."""
        point, refuses = (
            _describe_tripwire()
            if kind in {FindingKind.TOOL, FindingKind.RETRIEVER, FindingKind.MODEL, FindingKind.HANDOFF}
            else ("none", False)
        )
        status = FindingStatus.CLOSED if refuses else FindingStatus.OPEN
        self.add(kind, name, where, point, status, "" if refuses else hint or _REMEDIES.get(kind, ""))

    def add_runtime_object(self, name: str, where: str, *, retriever: bool, by_halo: bool) -> None:
        """A row about a model or retriever that a function makes while it runs; a Halo at hand there may guard it."""
        kind = FindingKind.RETRIEVER if retriever else FindingKind.MODEL
        where = f"{where} > made while it runs".lstrip(" >")
        self.governable_count += 1
        if by_halo:
            self.add_note(
                kind, name, where, "check that the function guards it, or create it outside and guard it there"
            )
        else:
            self.add_undecided(
                kind, name, where, "create it outside the function and guard it, or use `halo.install()`"
            )

    def _find_point(self, kind: FindingKind, x: Any, cover: Cover, guard: GuardMetadata | None) -> tuple[str, str]:
        """What decides it; else why that which stands here does not."""
        if guard is not None:
            self.remember_halo(guard.halo)
            self._remember_original(guard)
            return ("guarded copy", "") if is_intact(x, guard) else ("", _CHANGED_REMEDY)
        point = cover.point if kind in cover.kinds else ""
        # A retriever's own callbacks are not asked.
        if (
            not point
            and kind is not FindingKind.RETRIEVER
            and find_callback_halo(get_attributes(x).get("callbacks")) is not None
        ):
            point = CALLBACK_POINT
        return ("", _ASYNC_TEXT_REMEDY) if point == CALLBACK_POINT and is_a(x, BaseLLM) else (point, cover.hint)

    def remember_halo(self, halo: Any) -> None:
        """Remember who decides."""
        if not any(halo is remembered for remembered in self.halos):
            self.halos.append(halo)

    def _remember_original(self, guard: GuardMetadata) -> None:
        """Remember a tool whose original the module that made it still holds."""
        function = get_attributes(guard.original).get("func") or get_attributes(guard.original).get("coroutine")
        module_globals = getattr(function, "__globals__", None)
        if type(module_globals) is dict and any(value is guard.original for value in list(module_globals.values())):
            self.originals.append(guard.name)

    def add_hosted_tools(self, tools: Any, where: str, *, closed: bool) -> None:
        """Rows about tools that the model's provider runs."""
        items = [item for _, item in iterate_container(tools) or () if type(item) is dict]
        for name in hosted_names(items):
            if closed:
                self.add(
                    FindingKind.TOOL,
                    name,
                    where,
                    "refused when called",
                    FindingStatus.NOTED,
                    "use a tool that runs in this process",
                )
            else:
                remedy = "the provider runs it: use a tool of this process, or guard the model, which then refuses it"
                self.add(FindingKind.TOOL, name, where, "none", FindingStatus.OPEN, remedy)

    def note_client(self, model: Any, where: str) -> None:
        """A row about a model's SDK client."""
        attributes = get_attributes(model)
        if any(not is_atomic(attributes.get(name)) for name in CLIENT_FIELDS):
            self.add_note(
                FindingKind.MODEL,
                f"{safe_name(model)}.client",
                where,
                "calls of the SDK client are not decided: use only the guarded model",
            )

    def note_sdk_client(self, x: Any, where: str) -> bool:
        """A row about a raw SDK client, if it is one."""
        module = get_module_name(x)
        if not module.startswith(_SDK_MODULES) or not ("client" in module or "sdk" in module):
            return False
        self.add_note(
            FindingKind.MODEL,
            f"{module.partition('.')[0]}.{type(x).__name__}",
            where,
            "its calls are not decided: use a guarded chat model instead",
        )
        return True

    def note_held_streams(self) -> None:
        """Rows about policies that may narrow what a model says."""
        models = any(item.kind is FindingKind.MODEL for item in self.findings)
        for halo in self.halos if models else ():
            where, remedy = f"policy of `{halo.agent}`", ""
            try:
                if halo.may_restrict_output(ActionKind.INFERENCE):
                    remedy = "a policy may restrict the result, so a stream is held back until it is complete"
            except HaloError as exc:
                remedy = f"it cannot be read: {exc.message}"
            if remedy:
                self.add_note(FindingKind.MODEL, "output", where, remedy)
