"""Room: rows of `halo doctor`. Takes: a thing, what covers it. Gives: findings, each with its places.

Never: walks, runs anything of the app's, decides.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from langchain_core.language_models import BaseLLM

from halo_core.coverage import Finding, Kind, Status
from halo_core.errors import HaloError
from halo_core.model import ActionKind, Mode
from halo_core.pep.gate import Gate
from halo_core.pep.names import clean_name
from halo_langchain._doctor.intact import intact
from halo_langchain._doctor.verdicts import CALLBACK, Cover, calls_back, gate, handoff_target, named
from halo_langchain._doctor.walk import container, held, is_a, module_of, plain
from halo_langchain._translate import hosted_names

__all__ = ["CLIENTS", "Rows"]

_CHANGED: Final = "it was changed after it was guarded, or its class has a way in of its own: guard the original again"
_UNASKED: Final = (
    "a text model's asynchronous calls can pass the callback undecided: use `halo.guard(model)`, or `halo.install()`"
)
_GRANTED: Final = {
    Kind.TOOL: (ActionKind.TOOL_CALL, ActionKind.RETRIEVAL),
    Kind.RETRIEVER: (ActionKind.RETRIEVAL,),
    Kind.HANDOFF: (ActionKind.HANDOFF,),
}
"""What a passport must name; a model is registered on first sight."""
_PLACES: Final = 20
_SHOWN: Final = 4

_HOW: Final = {
    Kind.TOOL: "use `halo.guard(tool)` in its place",
    Kind.RETRIEVER: "use `halo.guard(retriever)` in its place",
    Kind.MODEL: "use `halo.guard(model)` in its place",
    Kind.HANDOFF: "run `halo.guard(graph)` in place of the graph that it is in",
    Kind.NODE: "run `halo.guard(graph)` in place of the graph",
    Kind.STORE: "guard a retriever over it: `halo.guard(store.as_retriever())`",
}
CLIENTS: Final = ("client", "async_client", "root_client", "root_async_client", "_client", "_async_client")
_SDKS: Final = (
    "anthropic.", "botocore.client", "cohere.", "google.genai.", "groq.", "mistralai.", "ollama.", "openai.",
    "together.",
)  # fmt: skip


def _tripwire() -> tuple[str, bool]:
    """What the process's tripwire does with an unguarded thing, in words, and whether it refuses it."""
    installed = getattr(sys.modules.get("halo_langchain._tripwire"), "_installed", ())
    if not installed:
        return "none", False
    with suppress(HaloError):  # a mode that cannot be read refuses nothing that one could count on
        if any(item.mode() is Mode.ENFORCE for item in installed):
            return "tripwire (refused)", True
    return "tripwire, observe mode: recorded only", False


def _joined(places: list[str]) -> str:
    more = f"; and {len(places) - _SHOWN} more places" if len(places) > _SHOWN else ""
    return "; ".join(places[:_SHOWN]) + more


@dataclass(slots=True)
class Rows:
    """Findings as they are made."""

    found: list[Finding] = field(default_factory=list)
    halos: list[Any] = field(default_factory=list)
    originals: list[str] = field(default_factory=list)
    places: list[dict[str, None]] = field(default_factory=list)
    """Of each row, where its object is."""
    touched: int = 0
    """How often something governable was met."""

    def add(self, kind: Kind, name: str, where: str, point: str, status: Status, remedy: str = "") -> None:  # noqa: PLR0917  a row
        """One row."""
        self.found.append(Finding(kind, name, where, point, status, remedy))
        self.places.append({where: None})

    def again(self, rows: Iterable[int], first: str, where: str) -> None:
        """What was found at one place is at another one too."""
        for row in rows:
            places = self.places[row]
            if where and len(places) < _PLACES:
                below = next((place.removeprefix(first) for place in places if place.startswith(first)), "")
                places[where + below] = None

    def placed(self) -> list[Finding]:
        """The rows, each with all its places."""
        # Rows about the whole are added by hand at the end.
        return [replace(row, where=_joined(list(places))) for row, places in zip(self.found, self.places, strict=True)]

    def note(self, kind: Kind, name: str, where: str, remedy: str) -> None:
        """A row about something that cannot be intercepted."""
        self.add(kind, name, where, "none", Status.NOTED, remedy)

    def judge(self, kind: Kind, x: Any, where: str, cover: Cover, name: str = "") -> bool:
        """A row about a tool, retriever, model or hand-off; whether it is closed."""
        self.touched += 1
        found = gate(x)
        name = name or (found.name if found is not None else "") or named(x)
        point, hint = self._point(kind, x, cover, found)
        if point:
            self.add(kind, name, where, point, Status.CLOSED)
            self._granted(kind, x, where, found.halo if found is not None else cover.halo)
            return True
        self.undecided(kind, name, where, hint)
        return self.found[-1].status is Status.CLOSED

    def _granted(self, kind: Kind, x: Any, where: str, halo: Any) -> None:
        """A row about something that is decided, but that nobody may use: what is not registered is not granted."""
        found, to = gate(x), handoff_target(x) if kind is Kind.HANDOFF else ""
        name = clean_name(to) if to else found.resource.id if found is not None else named(x)
        if halo is None or kind not in _GRANTED:
            return
        with suppress(HaloError):  # what was declared cannot be read: a decision says so itself
            if halo.registered(name) is None and halo.declared(name, *_GRANTED[kind]) is None:
                remedy = f"no passport grants it: in enforce mode every call is denied; {_HOW[kind]}"
                self.note(kind, name, where, remedy)

    def undecided(self, kind: Kind, name: str, where: str, hint: str = "") -> None:
        """A row about something that no guard decides: the process's tripwire may refuse it."""
        point, refuses = (
            _tripwire() if kind in {Kind.TOOL, Kind.RETRIEVER, Kind.MODEL, Kind.HANDOFF} else ("none", False)
        )
        status = Status.CLOSED if refuses else Status.OPEN
        self.add(kind, name, where, point, status, "" if refuses else hint or _HOW.get(kind, ""))

    def made(self, name: str, where: str, *, retriever: bool, by_halo: bool) -> None:
        """A row about a model or retriever that a function makes while it runs; a Halo at hand there may guard it."""
        kind = Kind.RETRIEVER if retriever else Kind.MODEL
        where = f"{where} > made while it runs".lstrip(" >")
        self.touched += 1
        if by_halo:
            self.note(kind, name, where, "see that the function guards it, or make it outside and guard it there")
        else:
            self.undecided(kind, name, where, "make it outside the function and guard it, or use `halo.install()`")

    def _point(self, kind: Kind, x: Any, cover: Cover, found: Gate | None) -> tuple[str, str]:
        """What decides it; else why that which stands here does not."""
        if found is not None:
            self.met(found.halo)
            self._original(found)
            return ("guarded copy", "") if intact(x, found) else ("", _CHANGED)
        point = cover.point if kind in cover.kinds else ""
        # A retriever's own callbacks are not asked.
        if not point and kind is not Kind.RETRIEVER and calls_back(held(x).get("callbacks")) is not None:
            point = CALLBACK
        return ("", _UNASKED) if point == CALLBACK and is_a(x, BaseLLM) else (point, cover.hint)

    def met(self, halo: Any) -> None:
        """Remember who decides."""
        if not any(halo is known for known in self.halos):
            self.halos.append(halo)

    def _original(self, found: Gate) -> None:
        """Remember a tool whose original the module that made it still holds."""
        function = held(found.original).get("func") or held(found.original).get("coroutine")
        scope = getattr(function, "__globals__", None)
        if type(scope) is dict and any(value is found.original for value in list(scope.values())):
            self.originals.append(found.name)

    def hosted(self, tools: Any, where: str, *, closed: bool) -> None:
        """Rows about tools that the model's provider runs."""
        items = [item for _, item in container(tools) or () if type(item) is dict]
        for name in hosted_names(items):
            if closed:
                self.add(
                    Kind.TOOL, name, where, "refused when called", Status.NOTED, "use a tool that runs in this process"
                )
            else:
                remedy = "the provider runs it: use a tool of this process, or guard the model, which refuses it"
                self.add(Kind.TOOL, name, where, "none", Status.OPEN, remedy)

    def client(self, model: Any, where: str) -> None:
        """A row about a model's SDK client."""
        own = held(model)
        if any(not plain(own.get(name)) for name in CLIENTS):
            self.note(
                Kind.MODEL,
                f"{named(model)}.client",
                where,
                "the SDK client answers undecided: call the guarded model only",
            )

    def sdk(self, x: Any, where: str) -> bool:
        """A row about a raw SDK client, if it is one."""
        module = module_of(x)
        if not module.startswith(_SDKS) or not ("client" in module or "sdk" in module):
            return False
        self.note(
            Kind.MODEL,
            f"{module.partition('.')[0]}.{type(x).__name__}",
            where,
            "its calls are not decided: use a guarded chat model instead",
        )
        return True

    def streams(self) -> None:
        """Rows about policies that may narrow what a model says."""
        models = any(item.kind is Kind.MODEL for item in self.found)
        for halo in self.halos if models else ():
            where, remedy = f"policy of `{halo.agent}`", ""
            try:
                if halo.may_restrict_output(ActionKind.INFERENCE):
                    remedy = "a policy may narrow it, so a stream is held back until the whole was seen"
            except HaloError as exc:
                remedy = f"it cannot be read: {exc.message}"
            if remedy:
                self.note(Kind.MODEL, "output", where, remedy)
