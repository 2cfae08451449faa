"""Room: what objects and functions hold. Takes: any object. Gives: what it reaches.

It reads instance dictionaries, slots, closures and byte code. Never: runs anything of the object's own (no property, no
`__getattr__`, no import), judges, raises for odd values.

Room: rows of `halo doctor`. Takes: a thing, where it is. Gives: findings. Never: walks, runs anything.
"""

from __future__ import annotations

import contextvars
import dis
import functools
import sys
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from halo_core.doctor.findings import Finding, FindingKind, FindingStatus
from halo_core.enforcement.guards import GuardMetadata
from halo_core.errors import HaloError
from halo_core.model import Mode
from halo_openai_agents._runner import get_watches

__all__ = [
    "REMEDIES",
    "Examiner",
    "Rows",
    "find_reachable",
    "get_container_items",
    "get_module_name",
    "is_a",
    "is_framework_module",
    "is_plain_value",
    "read_attributes",
]


_PLAIN_TYPES: Final = frozenset((
    bool, bytearray, bytes, complex, float, int, range, str, type(None), type(...), type(NotImplemented),
))  # fmt: skip
_MAPPING_TYPES: Final = (dict, types.MappingProxyType)
_SEQUENCE_TYPES: Final = (list, tuple, set, frozenset, deque)
_FRAMEWORKS: Final = frozenset((
    "agents", "anyio", "halo_core", "halo_openai_agents", "httpx", "httpx2", "mcp", "openai", "pydantic",
    "pydantic_core", "typing_extensions",
))  # fmt: skip


def is_a(x: Any, *kinds: type[Any]) -> bool:
    """`isinstance` by the real type: a proxy's pretended class is its own code."""
    return issubclass(type(x), kinds)


def is_plain_value(x: Any) -> bool:
    """Whether it is a value that holds nothing."""
    return type(x) in _PLAIN_TYPES


def get_module_name(x: Any) -> str:
    """Module in which a function, or the class of anything else, was made; empty where none is told."""
    if is_a(x, types.FunctionType):
        name = x.__globals__.get("__name__")
    else:
        name = (x if is_a(x, type) else type(x)).__dict__.get("__module__")
    return name if type(name) is str else ""


def is_framework_module(module: str) -> bool:
    """Whether a module belongs to the SDK, to Halo or to Python, whose globals hold nothing of the app's."""
    top = module.partition(".")[0]
    if module.startswith("halo_openai_agents.demo"):
        return False
    return not top or top in _FRAMEWORKS or top in sys.stdlib_module_names


def read_attributes(x: Any) -> dict[str, Any]:
    """Attributes that an object holds itself: its dictionary and slots."""
    attributes: dict[str, Any] = {}
    for kind in reversed(type(x).__mro__):
        for name, member in kind.__dict__.items():
            if name == "__dict__" and type(member) is types.GetSetDescriptorType:
                attributes.update(_read_slot(member, x, kind) or {})
            elif type(member) is types.MemberDescriptorType and kind.__module__ != "builtins":
                attributes[name] = _read_slot(member, x, kind)
    return attributes


def _read_slot(member: Any, x: Any, kind: type[Any]) -> Any:
    try:
        return member.__get__(x, kind)
    except (AttributeError, TypeError):  # an empty slot
        return None


def get_container_items(x: Any) -> list[Any] | None:
    """Items of a builtin container; None where it is none. By the builtin's own methods: a subclass may have others."""
    if is_a(x, *_MAPPING_TYPES):
        items = dict.items(x) if is_a(x, dict) else types.MappingProxyType.items(x)
        return [part for pair in list(items) for part in pair]
    if is_a(x, *_SEQUENCE_TYPES):
        base = next(kind for kind in _SEQUENCE_TYPES if is_a(x, kind))
        return list(base.__iter__(x))
    return None


def find_reachable(x: Any) -> list[Any]:
    """What anything holds that is no container: a function its closure and the globals it names, an object its own."""
    for kind, read_parts in _REACHERS:
        if is_a(x, kind):
            return list(read_parts(x))
    return [*read_attributes(x).values(), *_iter_class_members(type(x))]


def _iter_class_members(kind: type[Any]) -> Iterator[Any]:
    """Functions of the app's own classes."""
    for base in kind.__mro__:
        if not is_framework_module(get_module_name(base)):
            yield from (
                _unwrap_member(member) for name, member in base.__dict__.items() if not _is_skipped_member(name)
            )


def _is_skipped_member(name: str) -> bool:
    return name.startswith("__") and name not in ("__call__", "__init__")


def _unwrap_member(member: Any) -> Any:
    if type(member) in (staticmethod, classmethod):
        return member.__func__
    return member.fget if type(member) is property else member


def _iter_captured(function: types.FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not filled yet
            continue
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    yield from function.__dict__.values()
    if not is_framework_module(get_module_name(function)):
        yield from _iter_named_globals(function.__code__, function.__globals__)


def _iter_named_globals(code: types.CodeType, scope: Mapping[str, Any]) -> Iterator[Any]:
    """Globals that code names; of a module the attribute that is read."""
    value: Any = None
    for step in dis.get_instructions(code):
        if step.opname in {"LOAD_GLOBAL", "LOAD_NAME"}:
            value = scope.get(step.argval)
        elif step.opname in {"LOAD_ATTR", "LOAD_METHOD"} and is_a(value, types.ModuleType):
            value = value.__dict__.get(step.argval)
        elif step.opname in {"CACHE", "EXTENDED_ARG", "PRECALL", "PUSH_NULL"}:
            continue
        else:
            value = None
        if value is not None and not is_a(value, types.ModuleType):
            yield value
    for inner in code.co_consts:
        if type(inner) is types.CodeType:
            yield from _iter_named_globals(inner, scope)


_REACHERS: Final[tuple[tuple[type[Any], Callable[[Any], Iterable[Any]]], ...]] = (
    (types.MethodType, lambda x: (x.__self__, x.__func__)),
    (functools.partial, lambda x: (x.func, *x.args, *x.keywords.values())),
    (types.FunctionType, _iter_captured),
    (contextvars.ContextVar, lambda x: (x.get(None),)),
    (types.ModuleType, lambda _x: ()),
    (type, _iter_class_members),
)


REMEDIES: Final = {
    FindingKind.AGENT: "use `halo.guard(agent)`, and run the guarded agent",
    FindingKind.HANDOFF: "use `halo.guard(agent)` on the agent that hands off",
    FindingKind.MODEL: "use `halo.guard(model)`, or `halo.guard(agent)` on the agent that has it",
    FindingKind.TOOL: "use `halo.guard(tool)`, or `halo.guard(agent)` on the agent that has it",
}
"""What to do about what nothing decides."""


@dataclass(slots=True)
class Rows:
    """Findings as they are made."""

    findings: list[Finding] = field(default_factory=list)
    originals: list[str] = field(default_factory=list)

    def add(
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

    def add_undecided(self, kind: FindingKind, name: str, where: str, remedy: str = "") -> None:
        """A row about something that no guard decides: the process's tripwire may refuse it."""
        installed = get_watches()
        if not installed:
            self.add(kind, name, where, "none", FindingStatus.OPEN, remedy or REMEDIES[kind])
            return
        with suppress(HaloError):  # a mode that cannot be read refuses nothing that one could count on
            if any(watch.mode() is Mode.ENFORCE for watch in installed):
                self.add_closed(kind, name, where, "tripwire (refused)")
                return
        point = "tripwire, observe mode: recorded only"
        self.add(kind, name, where, point, FindingStatus.OPEN, remedy or REMEDIES[kind])

    def add_ungranted(self, kind: FindingKind, name: str, where: str, halo: Any, resource: str) -> None:
        """A row about something that is decided, but that nobody may use: what is not registered is not granted."""
        if halo.find_registered(resource) is None:
            self.add_note(
                kind, name, where, f"no passport grants it: in enforce mode every call is denied; {REMEDIES[kind]}"
            )


class Examiner(Protocol):
    """One look at an app, as each kind of thing goes on with it."""

    rows: Rows

    def visit(self, x: Any, where: str, within: GuardMetadata | None) -> None:
        """Look at anything; `within` is the gate of the agent that has it."""

    def visit_contents(self, x: Any, where: str) -> None:
        """Look at what it holds."""
