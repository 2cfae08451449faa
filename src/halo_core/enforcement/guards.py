"""The metadata of guarded objects, and how nested calls of one are recognised.

`attach_guard` attaches a `GuardMetadata` to an object; `get_guard` and `require_guard` read it. `make_named_subclass`
makes the classes of guarded copies. `overrides_entry_point` and the functions after it find classes that cannot be
guarded.

The asynchronous method of many tools and retrievers calls the synchronous one, which is guarded too. One decision is
made for both (`ReentrantCall`): while the decided call is running, the first call with the same arguments passes, if it
comes from the task that was decided or from a thread without an event loop (an executor). It is not known which task a
thread works for; but whichever it is, it gets no more of the result, or of the error, than was decided.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
import types
import weakref
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

from halo_core.enforcement.arguments import same_value
from halo_core.enforcement.enforcer import Ticket
from halo_core.enforcement.obligations import Surface
from halo_core.enforcement.session_context import ContextVarScope
from halo_core.errors import ConfigError, Denied
from halo_core.model import ActionKind, Impact, Resource, Reversal
from halo_core.passports import is_resource_id

_INVALID_CHARACTER: Final = re.compile(r"[^A-Za-z0-9_.:/@ -]")
_MAX_NAME: Final = 128
TOOL_KINDS: Final = (ActionKind.TOOL_CALL, ActionKind.RETRIEVAL)
"""What a tool may be registered as."""
MODEL_RESOURCE: Final = Resource(
    impact=Impact.READ, reversal=Reversal.NONE_NEEDED, idempotent=True, classified="guessed"
)
"""The resource of a model that nobody declared."""
MODEL_SCHEMA: Final[dict[str, Any]] = {
    "properties": {"messages": {"type": "integer"}, "tools": {"items": {"type": "string"}, "type": "array"}},
    "type": "object",
}
"""What a model call is decided on: how many messages, and the names of the tools it may ask for."""


def clean_name(text: str) -> str:
    """A name as a resource id: each character not allowed in ids becomes `_`, at most 128 characters."""
    return _INVALID_CHARACTER.sub("_", text)[:_MAX_NAME].strip(" ") or "unnamed"


def choose_model_name(
    model: Any, *names: object, attributes: Iterable[str] = ("model", "model_name", "model_id")
) -> str:
    """Resource id of a model: the first valid one of `names`, else one from its attributes, else its class name."""
    for name in names:  # an object of pydantic takes its time to say that it has no such attribute
        if isinstance(name, str) and name:
            return clean_name(str(name))
    own_names = (getattr(model, key, None) for key in attributes)
    return clean_name(next((str(name) for name in own_names if isinstance(name, str) and name), type(model).__name__))


CLIENT_TOOL_TYPES: Final = (None, "function", "custom")
"""Tools given as mappings of these types are called in this process; any other type names a tool of the provider."""


def get_tool_name(tool: Any) -> str:
    """Name of a tool, given as a tool object, a function or a schema."""
    if not isinstance(tool, Mapping):
        return get_object_name(tool)
    inner = tool.get("function")
    name = tool.get("name") or (inner.get("name") if isinstance(inner, Mapping) else None)
    name = name or (tool.get("title") if "properties" in tool else None) or tool.get("type")
    return str(name or next(iter(tool), None) or type(tool).__name__)


def get_object_name(tool: Any) -> str:
    """Like `get_tool_name`, for what is no mapping."""
    metadata_name = getattr(getattr(tool, "metadata", None), "name", None)
    return str(metadata_name or getattr(tool, "name", None) or getattr(tool, "__name__", None) or type(tool).__name__)


def list_tool_names(tools: Iterable[Any] | None) -> list[str]:
    """Names of the tools given to a model."""
    return [get_tool_name(item) for item in tools or ()]


def to_list(items: Any) -> list[Any]:
    """Convert what a framework accepts as one item, several or None into a list."""
    if items is None:
        return []
    return list(items) if isinstance(items, list | tuple) else [items]


def to_plain_schema(schema: Any) -> dict[str, Any]:
    """A JSON schema, with texts in place of values that are not JSON."""
    plain_schema: dict[str, Any] = json.loads(json.dumps(schema, default=str))
    return plain_schema


def drop_unnameable_properties(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON schema of arguments without those whose names a passport cannot hold."""
    properties = schema.get("properties") or {}
    nameable = {name: spec for name, spec in properties.items() if name.isascii() and name.isprintable() and name}
    # The grant is open then, and a policy sees the values all the same.
    openness = {} if len(nameable) == len(properties) else {"additionalProperties": True}
    return {**schema, "properties": nameable, **openness}


def make_unregistered_resource(name: str, kind: ActionKind) -> Resource:
    """The resource for an unregistered name: granted to nobody, so it is denied."""
    return Resource(id=clean_name(name), kind=kind, source_trust=0, classified="unknown")


_GUARD_ATTRIBUTE: Final = "_halo_guard"
_GENERATED_CLASSES: Final[weakref.WeakSet[type[Any]]] = weakref.WeakSet()


@dataclass(frozen=True, slots=True, eq=False)
class GuardMetadata:
    """What Halo needs to know of one guarded object to decide its calls.

    Args:
        halo: who decides, the adapter's own `Halo`.
        original: the object as it was handed in.
        name: its name as the framework says it.
        resource: the resource as registered.
        surface: how its results are read.
    """

    halo: Any
    original: Any
    name: str
    resource: Resource
    surface: Surface[Any]

    def __deepcopy__(self, _memo: dict[int, Any]) -> GuardMetadata:
        """Return the guard itself, so that copies of a guarded object share it."""
        return self

    def find_problem(self) -> str:
        """Reason code why the object may not run at all; empty if each call is decided by itself."""
        return ""


@dataclass(frozen=True, slots=True, eq=False)
class UnregisteredGuard(GuardMetadata):
    """The guard of a tool that was never guarded: its resource has a name and nothing else."""

    def find_problem(self) -> str:
        """`needs_guard` if something else with that name was registered or declared.

        INVARIANT: a grant, and what a policy knows by a name, are of that, and of nothing that is called so.
        """
        return find_name_problem(self.halo, self.resource)


def find_name_problem(halo: Any, resource: Resource) -> str:
    """`needs_guard` if a name was registered or declared for another resource; else empty."""
    registered = halo.find_registered(resource.id)
    if registered == resource:
        return ""
    is_taken = registered is not None or halo.find_declared(resource.id, *ActionKind) is not None
    return "needs_guard" if is_taken else ""


def attach_guard(guarded: Any, guard: GuardMetadata) -> None:
    """Attach a guard to an object outside its fields, so that copies keep it and no schema shows it."""
    guarded.__dict__[_GUARD_ATTRIBUTE] = guard


def get_guard(guarded: Any) -> GuardMetadata | None:
    """The guard of a guarded object, None for anything else."""
    guard = getattr(guarded, "__dict__", {}).get(_GUARD_ATTRIBUTE)
    return guard if isinstance(guard, GuardMetadata) else None


def require_guard(guarded: Any) -> GuardMetadata:
    """The guard of an object of a guarded class.

    Raises:
        Denied: it was copied in a way that lost its guard.
    """
    guard = get_guard(guarded)
    if guard is None:
        raise Denied("needs_guard", "this copy of a guarded object is no longer guarded", remedy="guard it again")
    return guard


def refuse_other_halo(halo: Any, guard: GuardMetadata | None, noun: str) -> None:
    """Refuse an object that another Halo already guards.

    Raises:
        ConfigError: it does.
    """
    if guard is not None and guard.halo is not halo:
        raise ConfigError(
            "guarded_elsewhere",
            f"`{guard.name or guard.resource.id}` is already guarded by another Halo",
            field="x",
            remedy=f"guard the original {noun}, once for each Halo",
        )


def choose_resource_id(resource: Resource | None, name: str) -> str:
    """Id under which an object is registered.

    Raises:
        ConfigError: it can name no resource, or the declaration is none.
    """
    if resource is not None and not isinstance(resource, Resource):
        problem = f"`resource` must be a `Resource`, not {type(resource).__name__}"
        remedy = f'for example resource=Resource("{name}", impact="send", targets=("recipient",))'
        raise ConfigError("bad_resource", problem, field="resource", remedy=remedy)
    resource_id = (resource.id if resource is not None else "") or name
    if not is_resource_id(resource_id):
        raise ConfigError(
            "bad_resource_id",
            f"`{resource_id[:64]}` cannot be the name of a resource",
            field="resource",
            remedy="give it a plain ASCII id: `resource=Resource(id=...)`",
        )
    return resource_id


GENERATED_MARK: Final = "__halo_generated__"
"""Member of each class that `make_named_subclass` made, there already when `__init_subclass__` is called."""


def make_named_subclass(kind: type[Any], members: dict[str, Any]) -> type[Any]:
    """Make a subclass that keeps its parent's name in traces and error messages."""
    names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
    names[GENERATED_MARK] = "1"
    body = {**names, "__annotations__": {}, **members}
    generated = types.new_class(kind.__name__, (kind,), {}, lambda namespace: namespace.update(body))
    _GENERATED_CLASSES.add(generated)
    return generated


def is_generated_class(kind: type[Any]) -> bool:
    """Whether a class was made by `make_named_subclass`."""
    return kind in _GENERATED_CLASSES


def overrides_entry_point(kind: type[Any], name: str, framework: str) -> bool:
    """Whether a class's entry point `name` was defined outside `framework` (the prefix of its modules)."""
    owner = next((base for base in kind.__mro__ if name in base.__dict__ and not is_generated_class(base)), None)
    return owner is not None and not owner.__module__.startswith(framework)


def refuse_overriding_class(kind: type[Any], names: Iterable[str], framework: str, remedy: str) -> None:
    """Refuse a class that overrides one of these entry points: its code might bypass the decided step.

    Raises:
        ConfigError: it does.
    """
    for name in names:
        if overrides_entry_point(kind, name, framework):
            raise _make_entry_point_error(kind, name, remedy)


def refuse_overridden_attributes(obj: Any, names: Iterable[str], remedy: str) -> None:
    """Refuse an object whose own attributes hide one of these entry points of its class.

    Raises:
        ConfigError: it does.
    """
    for name in names:
        if name in getattr(obj, "__dict__", {}):
            raise _make_entry_point_error(type(obj), name, remedy)


def _make_entry_point_error(kind: type[Any], name: str, remedy: str) -> ConfigError:
    return ConfigError(
        "own_entry_point",
        f"`{kind.__name__}` overrides `{name}`, which Halo cannot control",
        field="x",
        remedy=remedy,
    )


_ADMIT_LOCK: Final = threading.Lock()


def _current_task() -> object:
    """The current task; None in a thread without an event loop, and the loop itself inside one of its callbacks."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return None
    return asyncio.current_task(loop) or loop


@dataclass(slots=True, eq=False)
class ReentrantCall:
    """One decided asynchronous call, which an inner call of the framework may enter once more.

    Args:
        guard: that decided it.
        args: arguments as executed.
        ticket: the decision.
        is_open: whether a call may still pass under it.
        is_running: whether it is under way.
    """

    guard: GuardMetadata
    args: Mapping[str, Any]
    ticket: Ticket
    is_open: bool = True
    is_running: bool = True
    _task: object = field(default_factory=_current_task)
    _restricted: Any = None
    _unrestricted: Any = None

    def remember(self, restricted: Any, unrestricted: Any) -> None:
        """Remember the unrestricted form of a result or error that was restricted."""
        self._restricted, self._unrestricted = restricted, unrestricted

    def get_unrestricted(self, restricted: Any) -> Any:
        """The unrestricted form of a result or error, which is what gets recorded."""
        return self._unrestricted if self._restricted is not None and restricted is self._restricted else restricted

    def admit(self, guard: GuardMetadata, args: Mapping[str, Any]) -> bool:
        """Whether this inner call may pass under the decision; at most one does."""
        if (
            guard is not self.guard
            or _current_task() not in (None, self._task)
            or not same_value(dict(self.args), dict(args))
        ):
            return False
        with _ADMIT_LOCK:
            is_admitted, self.is_open = self.is_open, False
        return is_admitted


_REENTRANT_CALL: Final[ContextVar[ReentrantCall | None]] = ContextVar("halo_reentrant_call", default=None)


class reentrant_call_scope(ContextVarScope):  # noqa: N801  used as a function
    """Run the body of a decided call; `values` are context variables that the adapter sets around it."""

    __slots__ = ("_call",)

    def __init__(self, reentrant_call: ReentrantCall, *values: tuple[ContextVar[Any], Any]) -> None:
        super().__init__((_REENTRANT_CALL, reentrant_call), *values)
        self._call = reentrant_call

    def __exit__(self, *_exc: object) -> None:
        # INVARIANT: tasks and threads that were started inside hold this too; after the end it lets nothing pass.
        self._call.is_open = self._call.is_running = False
        super().__exit__()


def current_reentrant_call(guard: GuardMetadata, args: Mapping[str, Any]) -> ReentrantCall | None:
    """The decided call that this one is part of; None if this one is still to be decided."""
    # INVARIANT: one asynchronous decision lets one synchronous call with the same arguments pass.
    reentrant_call = _REENTRANT_CALL.get()
    return reentrant_call if reentrant_call is not None and reentrant_call.admit(guard, args) else None
