"""The `Examiner` of `halo doctor`, from which each adapter derives its own.

An examiner walks through the objects that an application holds, and adds a row for each object that is governed or
should be. It runs nothing of the application.
"""

from __future__ import annotations

import _thread
import asyncio
import concurrent.futures
import contextvars
import inspect
import logging
import multiprocessing
import queue
import threading
import types
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, Final

from halo_core.doctor.findings import Finding, FindingKind, FindingStatus, sort_findings
from halo_core.enforcement import guarded_calls, step_methods
from halo_core.enforcement.guards import GuardMetadata, clean_name, get_guard
from halo_core.enforcement.shadow_activity import ModeWatch
from halo_core.errors import HaloError
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, Mode
from halo_core.object_graph import (
    ObjectExplorer,
    get_attributes,
    get_module_name,
    is_a,
    is_atomic,
    is_atomic_type,
    iterate_closure,
    iterate_container,
    list_values,
    unwrap,
)
from halo_core.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Cover:
    """What decides unguarded objects at one place.

    Args:
        point: what decides, in words; empty if nothing does.
        kinds: which kinds it decides.
        hint: a remedy that says why what is around here decides nothing.
        is_decided: whether this is the body of something that was decided.
        halo: who decides, where something does.
    """

    point: str = ""
    kinds: frozenset[FindingKind] = frozenset()
    hint: str = ""
    is_decided: bool = False
    halo: Any = None


NO_COVER: Final = Cover()
DECIDED_BODY: Final = Cover(is_decided=True)
IGNORED_TYPES: Final = (
    GuardMetadata, HaloBase, asyncio.AbstractEventLoop, contextvars.Context, logging.Logger, types.CodeType,
    types.FrameType, types.ModuleType, types.TracebackType,
)  # fmt: skip
"""What holds nothing of an app's that runs, whatever the framework."""
_CONTAINERS: Final = (dict, frozenset, list, set, tuple)
_CHANGED_REMEDY: Final = (
    "it was changed after it was guarded, or its class has its own entry point: guard the original again"
)
_REFUSED_POINT: Final = "tripwire (refused)"
_THREADS: Final = (threading.Thread, threading.Timer, concurrent.futures.ThreadPoolExecutor)
_UNSEEN_STARTERS: Final = (
    _thread.start_new_thread, concurrent.futures.ProcessPoolExecutor, multiprocessing.Process, multiprocessing.Pool,
)  # fmt: skip
_QUEUES: Final = (queue.Queue, queue.SimpleQueue)
_THREAD_REMEDY: Final = (
    "what they start has no session and is denied: start them with `contextvars.copy_context().run`, or open "
    "`halo.session(...)` there"
)
_UNSEEN_REMEDY: Final = (
    "what runs there does not know that something guarded started it, so what it calls without a guard is not decided: "
    "use `threading.Thread` with `contextvars.copy_context().run`, or guard what it calls"
)
_QUEUE_REMEDY: Final = (
    "a thread that takes work from it does not know who put it there: put `contextvars.copy_context().run` beside the "
    "work, and call the work with that, or guard what it calls"
)
_MAX_DEPTH: Final = 80
_MAX_OBJECTS: Final = 50_000
_MAX_NAMES: Final = 5
_MAX_GUARDS: Final = 20
_SDK_MODULES: Final = (
    "anthropic.", "botocore.client", "cohere.", "google.genai.", "groq.", "mistralai.", "ollama.", "openai.",
    "together.",
)  # fmt: skip


def find_guard(obj: Any) -> GuardMetadata | None:
    """The guard of any object; None if it has none or cannot be inspected."""
    try:
        return get_guard(obj)
    except Exception:  # noqa: BLE001  an object may do anything when it is looked at
        return None


def list_originals(obj: Any, find: Callable[[Any], GuardMetadata | None] = find_guard) -> list[Any]:
    """An object, the object that its guard wraps, the one that the guard of that wraps, and so on.

    Args:
        obj: anything, guarded or not.
        find: returns the guard of an object; an adapter that keeps guards elsewhere passes its own.
    """
    objects = [obj]
    while (guard := find(objects[-1])) is not None and len(objects) < _MAX_GUARDS:
        objects.append(guard.original)
    return objects


def find_source(function: Any) -> Any:
    """The function from which a method of `enforcement` was made; any other function itself."""
    for module, cells in ((step_methods, ("steps", "open_scope")), (guarded_calls, ("make_action",))):
        if is_a(function, types.FunctionType) and get_module_name(function) == module.__name__:
            variables = dict(iterate_closure(function))
            function, _ = unwrap(next((variables[cell] for cell in cells if cell in variables), None))
    return function


def find_name(obj: Any, *candidates: Any) -> str:
    """The name of an object, without running its code; `candidates` come before its own attributes."""
    attributes = get_attributes(obj)
    names = (*candidates, *(attributes.get(key) for key in ("name", "model", "model_name", "model_id")))
    return clean_name(next((name for name in names if type(name) is str and name), type(obj).__name__))


def join_names(names: Sequence[str], most: int = _MAX_NAMES) -> str:
    """Names on one line, at most a few of them."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def find_method(obj: Any, name: str) -> Any:
    """A method as defined in the class."""
    return next((kind.__dict__[name] for kind in type(obj).__mro__ if name in kind.__dict__), None)


def join_place(where: str, word: str, name: str) -> str:
    """Path to a part of an object: "graph `app` > tool `lookup`"."""
    return f"{where} > {word} `{name}`".lstrip(" >")


def find_tripwire_point(watches: Sequence[ModeWatch]) -> str:
    """A process's tripwire, described by its effect on undecided calls; see `Examiner.find_watch_point`."""
    for watch in watches:
        with suppress(HaloError):  # a mode that cannot be read refuses nothing that one could count on
            if watch.mode() is Mode.ENFORCE:
                return _REFUSED_POINT
    return "tripwire, observe mode: recorded only" if watches else "none"


def get_body_cover(cover: Cover) -> Cover:
    """The cover inside a function's body: only what decided the body itself."""
    return cover if cover.is_decided else NO_COVER


def get_tool_body(guard: GuardMetadata | None, *, is_closed: bool) -> Cover:
    """The cover inside a tool's body; `guard` is the tool's own, if it has one."""
    if guard is not None and guard.resource.kind is ActionKind.RETRIEVAL:
        point = f"guarded tool `{guard.name}`, a retrieval"
        return Cover(point, frozenset((FindingKind.RETRIEVER,)), is_decided=True)
    return DECIDED_BODY if is_closed else NO_COVER


class Examiner:
    """Walks through the objects of one app, and makes rows about them. Adapters derive their own.

    Args:
        name: what to call what is looked at.
        max_objects: how many objects are looked at.

    Attributes:
        root: path of what is looked at, in words.
        findings: the rows as they are made.
        halos: who decides anything of the app's.
        originals: names of tools whose unguarded original the module that made it still holds.
    """

    explorer: ClassVar[ObjectExplorer]
    examiners: ClassVar[Sequence[tuple[tuple[type[Any], ...], Callable[..., None]]]]
    """How objects of each type are examined, by methods that take the object, the path to it and its cover."""
    ignored_types: ClassVar[tuple[type[Any], ...]] = IGNORED_TYPES
    ignored_classes: ClassVar[tuple[type[Any], ...]] = ()
    """Classes of which only the objects are looked at, where they are held."""
    opaque_packages: ClassVar[frozenset[str]] = frozenset()
    """Packages whose objects run nothing of an app's."""
    runtime_kinds: ClassVar[Mapping[type[Any], FindingKind]] = {}
    """Classes that a function may call for a model or retriever."""
    remedies: ClassVar[Mapping[FindingKind, str]] = {}
    """What to do about what nothing decides."""
    runtime_remedies: ClassVar[tuple[str, str]] = ("", "")
    """What to do about a model or retriever that a function makes: where a Halo is at hand, and elsewhere."""
    originals_remedy: ClassVar[str] = ""
    original_fields: ClassVar[tuple[str, ...]] = ()
    """Attributes in which a tool keeps its function."""
    granted_kinds: ClassVar[Mapping[FindingKind, tuple[ActionKind, ...]]] = {
        FindingKind.TOOL: (ActionKind.TOOL_CALL, ActionKind.RETRIEVAL),
        FindingKind.RETRIEVER: (ActionKind.RETRIEVAL,),
        FindingKind.HANDOFF: (ActionKind.HANDOFF,),
    }
    """What a passport must name; a model is registered on first sight."""
    model_word: ClassVar[str] = "model"
    client_substitute: ClassVar[str] = "a guarded model"
    """What to use in place of a raw SDK client."""
    client_fields: ClassVar[tuple[str, ...]] = ()
    """Attributes in which a model keeps the client of an SDK."""

    def __init__(self, name: str = "", *, max_objects: int = _MAX_OBJECTS) -> None:
        self.root = f"`{name}`" if name else ""
        self.findings: list[Finding] = []
        self.halos: list[Any] = []
        self.originals: list[str] = []
        self._visited: dict[tuple[int, Cover], Any] = {}  # keeps objects alive, so that no other gets the same id
        self._captured: dict[int, tuple[Any, list[tuple[str, Any, bool]]]] = {}
        # What is the same for all objects of a class.
        self._members: dict[type[Any], list[tuple[str, Any]]] = {}
        self._ignored: dict[type[Any], bool] = {}
        self._examiners: dict[type[Any], Callable[..., None] | None] = {}
        self._max_objects = max_objects
        self._depth = 0
        self._is_cut = False

    def examine_app(self, obj: Any) -> list[Finding]:
        """All findings about an app, in order."""
        self.visit(obj, self.root)
        return self.finish()

    def finish(self) -> list[Finding]:
        """Findings in order, with those about the whole."""
        if self.originals:
            names = join_names(list(dict.fromkeys(self.originals)))
            self.add_note(FindingKind.TOOL, names, "originals, in the modules that made them", self.originals_remedy)
        self.add_rows_of_whole()
        if self._is_cut:
            remedy = "check its parts: `halo doctor MODULE:PART`"
            where = "too deep or too large to inspect"
            self.add(FindingKind.NODE, "the rest", where, "none", FindingStatus.OPEN, remedy)
        return sort_findings(self.findings)

    # what an adapter knows of its framework

    def add_rows_of_whole(self) -> None:
        """Rows about the app as a whole."""

    def is_ignored(self, kind: type[Any]) -> bool:
        """Whether objects of exactly this class are skipped and never counted."""
        return is_atomic_type(kind) or issubclass(kind, self.ignored_types)

    def is_opaque(self, obj: Any) -> bool:
        """Whether an object of an unknown type holds nothing of the app."""
        return get_module_name(obj).partition(".")[0] in self.opaque_packages

    def is_intact(self, obj: Any, guard: GuardMetadata) -> bool:
        """Whether all entry points of a guarded copy are still the guard's, since fields can be set later."""
        raise NotImplementedError

    def find_name(self, obj: Any) -> str:
        """The name of an object, without running its code."""
        return find_name(obj)

    def find_point(self, kind: FindingKind, obj: Any, cover: Cover) -> tuple[str, str]:  # noqa: ARG002  for adapters
        """(what decides an unguarded object, a remedy): one of them is empty; both if nothing is around it."""
        return (cover.point, "") if kind in cover.kinds else ("", cover.hint)

    def find_watch_point(self, kind: FindingKind) -> str:  # noqa: ARG002  for adapters
        """The process's tripwire or observer, described by its effect on undecided objects of a kind."""
        return "none"

    def find_runtime_kind(self, obj: Any) -> FindingKind | None:
        """The kind of object that a function creates by calling this; None except for models and retrievers."""
        if not is_a(obj, type):
            return None
        kinds = (
            kind for base, kind in self.runtime_kinds.items() if issubclass(obj, base) and not inspect.isabstract(obj)
        )
        return next(kinds, None)

    def get_contents_cover(self, obj: Any, cover: Cover) -> Cover:  # noqa: ARG002  for adapters
        """The cover inside an object of an unknown type."""
        return cover

    # the walk

    def visit(self, obj: Any, where: str, cover: Cover = NO_COVER) -> None:
        """Examine any object, once under each cover."""
        if self._ignores(obj) or (type(obj) in _CONTAINERS and all(map(self._ignores, list_values(obj)))):
            return
        key = (id(obj), cover)
        if key in self._visited:
            self.revisit(key, where)
            return
        if len(self._visited) >= self._max_objects or self._depth >= _MAX_DEPTH:
            self._is_cut = True
            return
        self._visited[key] = obj
        self._depth += 1
        self.examine(obj, where, cover)
        self._depth -= 1

    def _ignores(self, obj: Any) -> bool:
        """Like `is_ignored`, cached for each class."""
        kind = type(obj)
        if kind not in self._ignored:
            self._ignored[kind] = self.is_ignored(kind)
        return self._ignored[kind]

    def revisit(self, key: tuple[int, Cover], where: str) -> None:
        """Handle an object met again under the same cover."""

    def examine(self, obj: Any, where: str, cover: Cover) -> None:
        """Examine an object according to its type."""
        examine = self._find_examiner(type(obj))
        if examine is not None:
            examine(self, obj, where, cover)
            return
        inner, bound_values = unwrap(obj)
        items = iterate_container(obj)
        if is_a(inner, types.FunctionType):
            self.examine_function(inner, where, cover)
            self.visit_all(bound_values, where, get_body_cover(cover))
        elif items is not None:
            self.visit_all(items, where, cover)
            self.visit_all(get_attributes(obj).items(), where, get_body_cover(cover))
        elif is_a(obj, type):
            if not issubclass(obj, self.ignored_classes):
                self.visit_members(obj, where, get_body_cover(cover))
        elif not self.note_sdk_client(obj, where) and not self.is_opaque(obj):
            self.visit_all(self.explorer.iterate_contents(obj), where, self.get_contents_cover(obj, cover))
            self.visit_members(type(obj), where, get_body_cover(cover))

    def _find_examiner(self, kind: type[Any]) -> Callable[..., None] | None:
        if kind not in self._examiners:
            matching = (examine for kinds, examine in self.examiners if issubclass(kind, kinds))
            self._examiners[kind] = next(matching, None)
        return self._examiners[kind]

    def visit_all(self, items: Iterable[tuple[str, Any]], where: str, cover: Cover) -> None:
        """Examine several objects."""
        for _, value in items:
            self.visit(value, where, cover)

    def visit_members(self, kind: type[Any], where: str, cover: Cover) -> None:
        """Examine the members of an app's own class."""
        if kind not in self._members:
            self._members[kind] = list(self.explorer.iterate_members(kind))
        self.visit_all(self._members[kind], where, cover)

    def visit_parts(self, obj: Any, where: str, cover: Cover, *, skipped: Collection[str] = ()) -> None:
        """Examine an object's fields, except some, and its class's methods."""
        self.visit_all(((key, v) for key, v in get_attributes(obj).items() if key not in skipped), where, cover)
        self.visit_members(type(obj), where, cover)

    def list_captured(self, function: types.FunctionType) -> list[tuple[str, Any, bool]]:
        """Like `ObjectExplorer.iterate_captured`, cached."""
        if id(function) not in self._captured:
            self._captured[id(function)] = (function, list(self.explorer.iterate_captured(function)))
        return self._captured[id(function)][1]

    def examine_function(self, function: types.FunctionType, where: str, cover: Cover) -> None:
        """Examine what a function's body reaches, which is called without the function's own guard."""
        captured = self.list_captured(function)
        if cover.is_decided:
            self._note_threads(function, captured, where)
        has_halo = any(is_a(value, HaloBase) for _, value, _ in captured)
        for _, value, is_called in captured:
            kind = self.find_runtime_kind(value) if is_called else None
            if kind is not None:
                self.add_runtime_object(kind, value.__name__, where, has_halo=has_halo)
            else:
                self.visit(value, where, get_body_cover(cover))

    def _note_threads(self, function: types.FunctionType, captured: list[tuple[str, Any, bool]], where: str) -> None:
        """Add rows about threads that a decided body starts, or gives work to, without its context."""
        if any(value is contextvars.copy_context for _, value, _ in captured):
            return
        name = function.__name__
        if any(value in _THREADS for _, value, is_called in captured if is_called and is_a(value, type)):
            self.add_note(FindingKind.NODE, f"threads of `{name}`", where, _THREAD_REMEDY)
        if any(value is starter for _, value, is_called in captured if is_called for starter in _UNSEEN_STARTERS):
            self.add_note(FindingKind.NODE, f"threads or processes of `{name}`", where, _UNSEEN_REMEDY)
        if any(is_a(value, *_QUEUES) for _, value, _ in captured) and "put" in function.__code__.co_names:
            self.add_note(FindingKind.NODE, f"a queue of `{name}`", where, _QUEUE_REMEDY)

    def is_ours(self, function: Any) -> bool:
        """Whether the adapter made a function, or the function it was made from."""
        source = find_source(function)
        return is_a(source, types.FunctionType, type) and get_module_name(source).startswith(
            f"{self.explorer.adapter}._"
        )

    def is_wrapped_by(self, function: Any, guard: GuardMetadata) -> bool:
        """Whether the adapter made a function around this guard."""
        source = find_source(function)
        is_ours = is_a(source, types.FunctionType) and self.is_ours(source)
        return is_ours and any(value is guard for _, value in iterate_closure(source))

    def find_intact_guard(self, obj: Any) -> GuardMetadata | None:
        """The guard of a guarded copy that is still intact."""
        guard = find_guard(obj)
        return guard if guard is not None and self.is_intact(obj, guard) else None

    def describe(self, obj: Any) -> tuple[GuardMetadata | None, Any, str]:
        """The guard if it is intact, the original, and the name."""
        guard = self.find_intact_guard(obj)
        return (guard, guard.original, guard.name) if guard is not None else (None, obj, self.find_name(obj))

    # the rows

    def add(  # noqa: PLR0917  the columns of a row
        self, kind: FindingKind, name: str, where: str, point: str, status: FindingStatus, remedy: str = ""
    ) -> None:
        """Add one row."""
        self.record(Finding(kind, name, where, point, status, remedy))

    def record(self, finding: Finding) -> None:
        """Add a row."""
        self.findings.append(finding)

    def add_note(self, kind: FindingKind, name: str, where: str, remedy: str) -> None:
        """Add a row about something that cannot be intercepted."""
        self.add(kind, name, where, "none", FindingStatus.NOTED, remedy)

    def add_point(self, kind: FindingKind, name: str, where: str, point: str, hint: str = "") -> bool:
        """Add a row about something decided at `point` (empty: by no guard); returns whether it is closed."""
        point, is_closed = point or self.find_watch_point(kind), bool(point)
        if is_closed or point == _REFUSED_POINT:
            self.add(kind, name, where, point, FindingStatus.CLOSED)
            return True
        self.add(kind, name, where, point, FindingStatus.OPEN, hint or self.remedies.get(kind, ""))
        return False

    def add_verdict(  # noqa: PLR0917  as above
        self, kind: FindingKind, obj: Any, where: str, cover: Cover, name: str, resource_id: str = ""
    ) -> bool:
        """Add a row about a tool, retriever, model or agent, and one if it is not granted; whether it is closed."""
        guard = find_guard(obj)
        if guard is None:
            point, hint = self.find_point(kind, obj, cover)
        else:
            self.remember_halo(guard.halo)
            self.remember_original(guard)
            point, hint = ("guarded copy", "") if self.is_intact(obj, guard) else ("", _CHANGED_REMEDY)
        is_closed = self.add_point(kind, name, where, point, hint)
        if point:
            halo, own_id = (cover.halo, name) if guard is None else (guard.halo, guard.resource.id)
            self.note_ungranted(kind, resource_id or own_id, where, halo)
        return is_closed

    def note_ungranted(self, kind: FindingKind, name: str, where: str, halo: Any) -> None:
        """Add a row if something decided is not granted: unregistered objects are granted to nobody."""
        if halo is None or kind not in self.granted_kinds:
            return
        with suppress(HaloError):  # what was declared cannot be read: a decision says so itself
            if halo.find_registered(name) is None and halo.find_declared(name, *self.granted_kinds[kind]) is None:
                self.add_ungranted(kind, name, where)

    def add_ungranted(self, kind: FindingKind, name: str, where: str) -> None:
        """Add a row about something decided that no passport grants."""
        remedy = f"no passport grants it: in enforce mode every call is denied; {self.remedies[kind]}"
        self.add_note(kind, name, where, remedy)

    def remember_halo(self, halo: Any) -> None:
        """Remember a `Halo` that decides part of the app."""
        if not any(halo is remembered for remembered in self.halos):
            self.halos.append(halo)

    def remember_original(self, guard: GuardMetadata) -> None:
        """Remember a tool whose original is still held by the module that made its function."""
        functions = (get_attributes(guard.original).get(name) for name in self.original_fields)
        function = next((item for item in functions if item is not None), None)
        scope = getattr(function, "__globals__", None)
        if type(scope) is dict and any(value is guard.original for value in list(scope.values())):
            self.originals.append(guard.name)

    def add_runtime_object(self, kind: FindingKind, name: str, where: str, *, has_halo: bool) -> None:
        """Add a row about a model or retriever created at run time; a Halo in reach may guard it."""
        where = f"{where} > made while it runs".lstrip(" >")
        note, hint = self.runtime_remedies
        if has_halo:
            self.add_note(kind, name, where, note)
        else:
            self.add_point(kind, name, where, "", hint)

    def add_hosted_tools(self, names: Iterable[str], where: str, *, closed: bool) -> None:
        """Add rows about tools that a model's provider runs."""
        point, status, remedy = "refused when called", FindingStatus.NOTED, "use a tool that runs in this process"
        if not closed:
            otherwise = f"guard the {self.model_word}, which then refuses it"
            remedy = f"the provider runs it: use a tool of this process, or {otherwise}"
            point, status = "none", FindingStatus.OPEN
        for name in names:
            self.add(FindingKind.TOOL, name, where, point, status, remedy)

    def note_client(self, obj: Any, name: str, where: str) -> None:
        """Add a row about a model's SDK client, if it has one."""
        attributes = get_attributes(obj)
        private = attributes.get("__pydantic_private__")
        attributes |= private if type(private) is dict else {}
        if any(not is_atomic(attributes.get(item)) for item in self.client_fields):
            remedy = f"calls of the SDK client are not decided: use only the guarded {self.model_word}"
            self.add_note(FindingKind.MODEL, f"{name}.client", where, remedy)

    def note_sdk_client(self, obj: Any, where: str) -> bool:
        """Add a row about a raw SDK client, if it is one."""
        module = get_module_name(obj)
        if not module.startswith(_SDK_MODULES) or not ("client" in module or "sdk" in module):
            return False
        name = f"{module.partition('.')[0]}.{type(obj).__name__}"
        remedy = f"its calls are not decided: use {self.client_substitute} instead"
        self.add_note(FindingKind.MODEL, name, where, remedy)
        return True

    def note_held_streams(self, name: str, addition: str = "") -> None:
        """Add rows about policies that may restrict a model's answer."""
        if not any(item.kind is FindingKind.MODEL for item in self.findings):
            return
        note = f"a policy may restrict the result, so a stream is held back until it is complete{addition}"
        for halo in self.halos:
            try:
                remedy = note if halo.may_restrict_output(ActionKind.INFERENCE) else ""
            except HaloError as exc:
                remedy = f"it cannot be read: {exc.message}"
            if remedy:
                self.add_note(FindingKind.MODEL, name, f"policy of `{halo.agent}`", remedy)
