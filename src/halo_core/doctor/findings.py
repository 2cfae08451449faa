"""Findings of `halo doctor`: how adapters collect, sort and count them.

Findings of a doctor: what of an app is decided before it runs, in order of urgency, with counts.

The adapters look into an app and report `Finding`s; here they are sorted, counted and turned into JSON.

Rows of `halo doctor`, as every adapter's examiner collects them.

An adapter derives its rows from `FindingRows`, with the remedies in its framework's words, and adds what only its
framework has. Nothing here runs code of the app's.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Final, Protocol

from halo_core.doctor.object_graph import get_attributes, get_module_name, is_a, is_atomic, iterate_closure, unwrap
from halo_core.enforcement import flow
from halo_core.enforcement.guards import GuardMetadata, clean_name, get_guard
from halo_core.errors import HaloError
from halo_core.model import ActionKind, Mode


class FindingKind(StrEnum):
    """What was found."""

    TOOL = "tool"
    RETRIEVER = "retriever"
    MODEL = "model"
    AGENT = "agent"
    HANDOFF = "handoff"
    NODE = "node"
    STORE = "store"
    KEY = "key"


class FindingStatus(StrEnum):
    """Whether it can run undecided; the worst first."""

    OPEN = "open"
    """It can run undecided."""
    CLOSED = "closed"
    """It is decided before it runs."""
    NOTED = "noted"
    """It cannot be intercepted, or is the host's own power."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One object of an app, and what decides it.

    Args:
        kind: what it is.
        name: its name as the framework says it.
        where: path to it through the app, in words: "graph `app` > node `tools`".
        point: what decides it, in words: "guarded copy", "middleware"; "none" where nothing does.
        status: whether it can run undecided.
        remedy: what to do about it; empty where nothing is to be done.
    """

    kind: FindingKind
    name: str
    where: str
    point: str
    status: FindingStatus
    remedy: str = ""


def sort_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Open ones first, then closed, then noted; within each in the order found. Duplicates are removed."""
    order = list(FindingStatus)
    return sorted(dict.fromkeys(findings), key=lambda item: order.index(item.status))


def count_by_status(findings: Iterable[Finding]) -> dict[FindingStatus, int]:
    """How many of each status."""
    statuses = [item.status for item in findings]
    return {status: statuses.count(status) for status in FindingStatus}


def has_governable_findings(findings: Iterable[Finding]) -> bool:
    """Whether any finding is about something that a decision could be made about (not only noted)."""
    return any(item.status is not FindingStatus.NOTED for item in findings)


def summarize_findings(findings: Iterable[Finding]) -> str:
    """The counts in one line: "7 closed, 1 open, 3 noted"."""
    totals = count_by_status(findings)
    return ", ".join(
        f"{totals[status]} {status}" for status in (FindingStatus.CLOSED, FindingStatus.OPEN, FindingStatus.NOTED)
    )


def findings_to_json(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Findings as trees of strings."""
    return [{name: str(value) for name, value in asdict(item).items()} for item in findings]


CHANGED_REMEDY: Final = (
    "it was changed after it was guarded, or its class has its own entry point: guard the original again"
)
_MAX_NAMES: Final = 5
_SDK_MODULES: Final = (
    "anthropic.", "botocore.client", "cohere.", "google.genai.", "groq.", "mistralai.", "ollama.", "openai.",
    "together.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cover:
    """What decides unguarded things at one place.

    Args:
        point: it, in words; empty where nothing does.
        kinds: which kinds it decides.
        hint: why it does not decide here although it stands here, as a remedy.
        is_decided: whether this is the body of something that was decided.
        halo: who decides, where something does.
    """

    point: str = ""
    kinds: frozenset[FindingKind] = frozenset()
    hint: str = ""
    is_decided: bool = False
    halo: Any = None


NO_COVER: Final = Cover()


class Watch(Protocol):
    """An installed tripwire."""

    def mode(self) -> Mode:
        """The mode in force; raises a `HaloError` where it cannot be read."""


def find_guard(x: Any) -> GuardMetadata | None:
    """The guard of anything at all."""
    try:
        return get_guard(x)
    except Exception:  # noqa: BLE001  an object may do anything when it is looked at
        return None


def find_name(x: Any, *candidates: Any) -> str:
    """A name of an object that asks none of its code; `candidates` come before its own attributes."""
    attributes = get_attributes(x)
    names = (*candidates, *(attributes.get(key) for key in ("name", "model", "model_name", "model_id")))
    return clean_name(next((name for name in names if type(name) is str and name), type(x).__name__))


def find_method(x: Any, name: str) -> Any:
    """A method as the class has it."""
    return next((kind.__dict__[name] for kind in type(x).__mro__ if name in kind.__dict__), None)


def join_names(names: Sequence[str], most: int) -> str:
    """Names in a line, no more than so many of them."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def find_procedure(function: Any) -> Any:
    """The procedure that a method made by `flow.make_method` executes; any other function itself."""
    if get_module_name(function) != flow.__name__ or not is_a(function, types.FunctionType):
        return function
    procedure, _ = unwrap(dict(iterate_closure(function)).get("steps"))
    return procedure


def is_made_in(function: Any, module_prefix: str) -> bool:
    """Whether a function, or the procedure that it executes, was made in a module of that name, or that begins so."""
    procedure = find_procedure(function)
    return is_a(procedure, types.FunctionType) and get_module_name(procedure).startswith(module_prefix)


def is_wrapped_by(function: Any, guard: GuardMetadata, module_prefix: str) -> bool:
    """Whether a function was made there around this very guard."""
    return is_made_in(function, module_prefix) and any(
        value is guard for _, value in iterate_closure(find_procedure(function))
    )


@dataclass(slots=True)
class FindingRows:
    """Findings as they are made.

    Attributes:
        findings: the rows.
        halos: who decides anything of the app's.
        originals: names of tools whose unguarded original the module that made it still holds.
    """

    remedies: ClassVar[Mapping[FindingKind, str]] = {}
    """What to do about what nothing decides."""
    granted_kinds: ClassVar[Mapping[FindingKind, tuple[ActionKind, ...]]] = {
        FindingKind.TOOL: (ActionKind.TOOL_CALL, ActionKind.RETRIEVAL),
        FindingKind.RETRIEVER: (ActionKind.RETRIEVAL,),
        FindingKind.HANDOFF: (ActionKind.HANDOFF,),
    }
    """What a passport must name; a model is registered on first sight."""
    model_word: ClassVar[str] = "model"
    client_fields: ClassVar[tuple[str, ...]] = ()
    """Attributes in which a model keeps the client of an SDK."""

    findings: list[Finding] = field(default_factory=list)
    halos: list[Any] = field(default_factory=list)
    originals: list[str] = field(default_factory=list)

    def add(  # noqa: PLR0917  the columns of a row
        self, kind: FindingKind, name: str, where: str, point: str, status: FindingStatus, remedy: str = ""
    ) -> None:
        """One row."""
        self.findings.append(Finding(kind, name, where, point, status, remedy))

    def add_closed(self, kind: FindingKind, name: str, where: str, point: str, remedy: str = "") -> None:
        """A row about something that is decided, or refused."""
        self.add(kind, name, where, point, FindingStatus.CLOSED, remedy)

    def add_note(self, kind: FindingKind, name: str, where: str, remedy: str) -> None:
        """A row about something that cannot be intercepted."""
        self.add(kind, name, where, "none", FindingStatus.NOTED, remedy)

    def add_open(self, kind: FindingKind, name: str, where: str, hint: str = "", watches: Iterable[Watch] = ()) -> None:
        """A row about something that no guard decides; one of the process's tripwires may refuse it."""
        point, remedy = "none", hint or self.remedies.get(kind, "")
        for watch in watches:
            point = "tripwire, observe mode: recorded only"
            with suppress(HaloError):  # a mode that cannot be read refuses nothing that one could count on
                if watch.mode() is Mode.ENFORCE:
                    self.add_closed(kind, name, where, "tripwire (refused)")
                    return
        self.add(kind, name, where, point, FindingStatus.OPEN, remedy)

    def note_ungranted(self, kind: FindingKind, name: str, where: str, halo: Any) -> None:
        """A row about something that is decided, but that nobody may use: what is not registered is not granted."""
        if halo is None or kind not in self.granted_kinds:
            return
        with suppress(HaloError):  # what was declared cannot be read: a decision says so itself
            if halo.find_registered(name) is None and halo.find_declared(name, *self.granted_kinds[kind]) is None:
                remedy = f"no passport grants it: in enforce mode every call is denied; {self.remedies[kind]}"
                self.add_note(kind, name, where, remedy)

    def remember_halo(self, halo: Any) -> None:
        """Remember who decides."""
        if not any(halo is remembered for remembered in self.halos):
            self.halos.append(halo)

    def remember_original(self, guard: GuardMetadata, function: Any) -> None:
        """Remember a tool whose original the module that made its function still holds."""
        scope = getattr(function, "__globals__", None)
        if type(scope) is dict and any(value is guard.original for value in list(scope.values())):
            self.originals.append(guard.name)

    def note_originals(self, remedy: str) -> None:
        """A row about the originals that were remembered."""
        if self.originals:
            names = join_names(list(dict.fromkeys(self.originals)), _MAX_NAMES)
            self.add_note(FindingKind.TOOL, names, "originals, in the modules that made them", remedy)

    def add_hosted_tools(self, names: Iterable[str], where: str, *, closed: bool) -> None:
        """Rows about tools that a model's provider runs."""
        for name in names:
            if closed:
                remedy = "use a tool that runs in this process"
                self.add(FindingKind.TOOL, name, where, "refused when called", FindingStatus.NOTED, remedy)
            else:
                otherwise = f"guard the {self.model_word}, which then refuses it"
                remedy = f"the provider runs it: use a tool of this process, or {otherwise}"
                self.add(FindingKind.TOOL, name, where, "none", FindingStatus.OPEN, remedy)

    def note_client(self, name: str, attributes: Mapping[str, Any], where: str) -> None:
        """A row about a model's SDK client, if it has one."""
        if any(not is_atomic(attributes.get(item)) for item in self.client_fields):
            remedy = f"calls of the SDK client are not decided: use only the guarded {self.model_word}"
            self.add_note(FindingKind.MODEL, f"{name}.client", where, remedy)

    def note_sdk_client(self, x: Any, where: str, instead: str) -> bool:
        """A row about a raw SDK client, if it is one; `instead` says what to use."""
        module = get_module_name(x)
        if not module.startswith(_SDK_MODULES) or not ("client" in module or "sdk" in module):
            return False
        name = f"{module.partition('.')[0]}.{type(x).__name__}"
        self.add_note(FindingKind.MODEL, name, where, f"its calls are not decided: use {instead} instead")
        return True

    def note_held_streams(self, name: str, addition: str = "") -> None:
        """Rows about policies that may restrict what a model says."""
        if not any(item.kind is FindingKind.MODEL for item in self.findings):
            return
        for halo in self.halos:
            remedy = ""
            try:
                if halo.may_restrict_output(ActionKind.INFERENCE):
                    remedy = (
                        f"a policy may restrict the result, so a stream is held back until it is complete{addition}"
                    )
            except HaloError as exc:
                remedy = f"it cannot be read: {exc.message}"
            if remedy:
                self.add_note(FindingKind.MODEL, name, f"policy of `{halo.agent}`", remedy)
