"""Room: rows of `halo doctor`. Takes: a thing, what covers it. Gives: findings.

Never: walks, runs anything of the app's, decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from llama_index_instrumentation import root_dispatcher

from halo_core.coverage import Finding, Kind, Status, sort
from halo_core.errors import HaloError
from halo_core.model import ActionKind
from halo_core.pep.gate import Gate, gate_of
from halo_core.pep.names import clean_name
from halo_core.walk import held, module_of, plain
from halo_llamaindex._doctor.intact import intact
from halo_llamaindex._observe import HaloObserver
from halo_llamaindex._translate import carried_tools, hosted_names

__all__ = ["BODY", "NOTHING", "Cover", "Rows", "gate", "named"]

_CHANGED: Final = "it was changed after it was guarded, or its class has a way in of its own: guard the original again"
_HOW: Final = {
    Kind.AGENT: "run `halo.guard(workflow)` in its place",
    Kind.HANDOFF: "run `halo.guard(workflow)` in place of the team",
    Kind.MODEL: "use `halo.guard(llm)` in its place",
    Kind.RETRIEVER: "use `halo.guard(retriever)` in its place",
    Kind.TOOL: "use `halo.guard(tool)` in its place",
}
_GRANTED: Final = {
    Kind.TOOL: (ActionKind.TOOL_CALL, ActionKind.RETRIEVAL),
    Kind.RETRIEVER: (ActionKind.RETRIEVAL,),
}
_CLIENTS: Final = (
    "client", "_client", "_aclient", "async_client", "_async_client", "_http_client", "_async_http_client",
)  # fmt: skip
_SDKS: Final = (
    "anthropic.", "botocore.client", "cohere.", "google.genai.", "groq.", "mistralai.", "ollama.", "openai.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cover:
    """What decides unguarded things at one place.

    Args:
        point: it, in words; empty where nothing does.
        kinds: which kinds it decides.
        decided: whether this is the body of something that was decided.
        halo: who decides, where something does.
    """

    point: str = ""
    kinds: frozenset[Kind] = frozenset()
    decided: bool = False
    halo: Any = None


NOTHING: Final = Cover()
BODY: Final = Cover(decided=True)


def gate(x: Any) -> Gate | None:
    """The gate of anything at all."""
    try:
        return gate_of(x)
    except Exception:  # noqa: BLE001  an object may do anything when it is looked at
        return None


def named(x: Any) -> str:
    """A name of an object that asks none of its code."""
    own = held(x)
    told = held(own.get("_metadata")).get("name") if own.get("_metadata") is not None else None
    names = (told, *(own.get(key) for key in ("name", "model", "model_name")))
    return clean_name(next((name for name in names if type(name) is str and name), type(x).__name__))


@dataclass(slots=True)
class Rows:
    """Findings as they are made."""

    found: list[Finding] = field(default_factory=list)
    halos: list[Any] = field(default_factory=list)
    originals: list[str] = field(default_factory=list)

    def add(self, kind: Kind, name: str, where: str, point: str, status: Status, remedy: str = "") -> None:  # noqa: PLR0917  a row
        """One row."""
        self.found.append(Finding(kind, name, where, point, status, remedy))

    def note(self, kind: Kind, name: str, where: str, remedy: str) -> None:
        """A row about something that cannot be intercepted."""
        self.add(kind, name, where, "none", Status.NOTED, remedy)

    def judge(self, kind: Kind, x: Any, where: str, cover: Cover, name: str = "") -> bool:
        """A row about a tool, retriever, model or agent; whether it is closed."""
        found = gate(x)
        name = name or (found.name if found is not None else "") or named(x)
        hint = ""
        if found is not None:
            self._met(found)
            if intact(x, found):
                self.add(kind, name, where, "guarded copy", Status.CLOSED)
                return True
            hint = _CHANGED
        elif kind in cover.kinds:
            self.add(kind, name, where, cover.point, Status.CLOSED)
            self._granted(kind, name, where, cover.halo)
            return True
        self.undecided(kind, name, where, hint)
        return False

    def undecided(self, kind: Kind, name: str, where: str, hint: str = "") -> None:
        """A row about something that no guard decides."""
        seen = any(isinstance(item, HaloObserver) for item in root_dispatcher.span_handlers)
        point = "observer: recorded only" if seen and kind not in (Kind.AGENT, Kind.HANDOFF) else "none"
        self.add(kind, name, where, point, Status.OPEN, hint or _HOW.get(kind, ""))

    def _granted(self, kind: Kind, name: str, where: str, halo: Any) -> None:
        """A row about something that is decided, but that nobody may use: what is not registered is not granted."""
        if halo is None or kind not in _GRANTED:
            return
        with suppress(HaloError):  # what was declared cannot be read: a decision says so itself
            if halo.registered(name) is None and halo.declared(name, *_GRANTED[kind]) is None:
                self.note(kind, name, where, f"nobody granted it: in enforce mode every call is denied; {_HOW[kind]}")

    def _met(self, found: Gate) -> None:
        """Remember who decides, and an original that the module which made it still holds."""
        if not any(found.halo is known for known in self.halos):
            self.halos.append(found.halo)
        function = held(found.original).get("_real_fn")
        scope = getattr(function, "__globals__", None)
        if type(scope) is dict and any(value is found.original for value in list(scope.values())):
            self.originals.append(found.name)

    def hosted(self, model: Any, where: str, *, closed: bool) -> None:
        """Rows about tools that a model's provider runs."""
        try:
            names = hosted_names(carried_tools(model, {}))
        except Exception:  # noqa: BLE001  as `gate`
            return
        for name in names:
            if closed:
                remedy = "use a tool that runs in this process"
                self.add(Kind.TOOL, name, where, "refused when called", Status.NOTED, remedy)
            else:
                remedy = "the provider runs it: use a tool of this process, or guard the LLM, which refuses it"
                self.add(Kind.TOOL, name, where, "none", Status.OPEN, remedy)

    def client(self, model: Any, where: str) -> None:
        """A row about an LLM's SDK client."""
        own = held(model)
        private = own.get("__pydantic_private__")
        own |= private if type(private) is dict else {}
        if any(not plain(own.get(name)) for name in _CLIENTS):
            remedy = "the SDK client answers undecided: call the guarded LLM only"
            self.note(Kind.MODEL, f"{named(model)}.client", where, remedy)

    def sdk(self, x: Any, where: str) -> bool:
        """A row about a raw SDK client, if it is one."""
        module = module_of(x)
        if not module.startswith(_SDKS) or not ("client" in module or "sdk" in module):
            return False
        name = f"{module.partition('.')[0]}.{type(x).__name__}"
        self.note(Kind.MODEL, name, where, "its calls are not decided: use a guarded LLM instead")
        return True

    def whole(self) -> list[Finding]:
        """The rows in order, with those about the whole."""
        if self.originals:
            names = ", ".join(dict.fromkeys(self.originals))
            self.note(
                Kind.TOOL, names, "originals, in the modules that made them",
                "an original and its `.fn` are not guarded: keep the guarded copies only",
            )  # fmt: skip
        if any(item.kind is Kind.MODEL for item in self.found):
            self._streams(self.halos)
        return sort(self.found)

    def _streams(self, halos: Iterable[Any]) -> None:
        """Rows about policies that may narrow what a model says."""
        for halo in halos:
            where, remedy = f"policy of `{halo.agent}`", ""
            try:
                if halo.may_restrict_output(ActionKind.INFERENCE):
                    remedy = (
                        "a policy may narrow it, so a stream is held back until the whole was seen; "
                        "LlamaIndex's own event handlers are told all of it"
                    )
            except HaloError as exc:
                remedy = f"it cannot be read: {exc.message}"
            if remedy:
                self.note(Kind.MODEL, "streams", where, remedy)
