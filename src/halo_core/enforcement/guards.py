"""Room: names and registrations that every adapter uses. Takes: what a framework calls a thing. Gives: resources.

Never: decides, registers.

Room: the gate, what a guarded object carries. Takes: an object, its registration. Gives: where it is decided.

Never: decides, runs anything.

Room: a decided call on its way down to a guarded method of its own. Takes: calls. Gives: a way past.

Many tools and retrievers have an asynchronous method that ends in the synchronous one, which is guarded too. One
decision is made for both: the first synchronous call with the same arguments passes, from the very task that was
decided or from a thread without an event loop (an executor), and only while that task's call is under way. Which task
sent a thread cannot be told; whoever did gets no more of the result, or of the error, than was decided. Never: decides,
records.
"""

from __future__ import annotations

import asyncio
import functools
import re
import threading
import types
import weakref
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

from halo_core.enforcement.arguments import same_value
from halo_core.enforcement.enforcer import Ticket
from halo_core.enforcement.obligations import Surface
from halo_core.errors import ConfigError, Denied
from halo_core.model import ActionKind, Impact, Resource, Reversal
from halo_core.passports import is_resource_id

__all__ = [
    "MODEL_RESOURCE",
    "MODEL_SCHEMA",
    "GuardMetadata",
    "ReentrantCall",
    "UnregisteredGuard",
    "attach_guard",
    "choose_resource_id",
    "clean_name",
    "current_reentrant_call",
    "get_guard",
    "is_generated_class",
    "make_named_subclass",
    "make_unregistered_resource",
    "reentrant_call_scope",
    "require_guard",
]


_INVALID_CHARACTER: Final = re.compile(r"[^A-Za-z0-9_.:/@ -]")
_MAX_NAME: Final = 128
MODEL_RESOURCE: Final = Resource(
    impact=Impact.READ, reversal=Reversal.NONE_NEEDED, idempotent=True, classified="guessed"
)
"""What a model is that nobody declared."""
MODEL_SCHEMA: Final[dict[str, Any]] = {
    "properties": {"messages": {"type": "integer"}, "tools": {"items": {"type": "string"}, "type": "array"}},
    "type": "object",
}
"""What a model call is decided on: how many messages, and the names of the tools it may ask for."""


@functools.lru_cache(maxsize=4096)
def clean_name(text: str) -> str:
    """A name as resource ids may be: what they may not hold becomes `_`, at most 128 characters."""
    return _INVALID_CHARACTER.sub("_", text)[:_MAX_NAME].strip(" ") or "unnamed"


def make_unregistered_resource(name: str, kind: ActionKind) -> Resource:
    """A resource that nobody registered: nobody granted it, so the decision is no."""
    return Resource(id=clean_name(name), kind=kind, source_trust=0, classified="unknown")


_GUARD_ATTRIBUTE: Final = "_halo_gate"
_GENERATED_CLASSES: Final[weakref.WeakSet[type[Any]]] = weakref.WeakSet()


@dataclass(frozen=True, slots=True, eq=False)
class GuardMetadata:
    """What stands before one guarded object.

    Args:
        halo: who decides, the adapter's own `Halo`.
        original: the object as it was handed in.
        name: its name as the framework says it.
        resource: as registered.
        surface: how its results are read.
    """

    halo: Any
    original: Any
    name: str
    resource: Resource
    surface: Surface[Any]

    def __deepcopy__(self, _memo: dict[int, Any]) -> GuardMetadata:
        """A copy of a guarded object stays behind the same gate."""
        return self

    def find_problem(self) -> str:
        """Reason code of why nothing behind it may run; empty where that is decided call by call."""
        return ""


@dataclass(frozen=True, slots=True, eq=False)
class UnregisteredGuard(GuardMetadata):
    """What stands before a tool that nobody has guarded: its resource says what it is called, and nothing else."""

    def find_problem(self) -> str:
        """`needs_guard` where something else of that name was registered or declared.

        INVARIANT: a grant, and what a policy knows by a name, are of that, and of nothing that is called so.
        """
        name = self.resource.id
        is_taken = self.halo.find_registered(name) is not None or self.halo.find_declared(name, *ActionKind) is not None
        return "needs_guard" if is_taken else ""


def attach_guard(guarded: Any, guard: GuardMetadata) -> None:
    """Fix a gate to an object: beside its fields, so that copies keep it and no schema shows it."""
    guarded.__dict__[_GUARD_ATTRIBUTE] = guard


def get_guard(guarded: Any) -> GuardMetadata | None:
    """The gate of a guarded object, None of anything else."""
    guard = getattr(guarded, "__dict__", {}).get(_GUARD_ATTRIBUTE)
    return guard if isinstance(guard, GuardMetadata) else None


def require_guard(guarded: Any) -> GuardMetadata:
    """The gate of an object of a guarded class.

    Raises:
        Denied: it was copied in a way that lost its gate.
    """
    guard = get_guard(guarded)
    if guard is None:
        raise Denied("needs_guard", "this copy of a guarded object is no longer guarded", remedy="guard it again")
    return guard


def choose_resource_id(resource: Resource | None, name: str) -> str:
    """Id under which an object is registered.

    Raises:
        ConfigError: it can name no resource.
    """
    resource_id = (resource.id if resource is not None else "") or name
    if not is_resource_id(resource_id):
        raise ConfigError(
            "bad_resource_id",
            f"`{resource_id[:64]}` cannot be the name of a resource",
            field="resource",
            remedy="give it a plain ASCII id: `resource=Resource(id=...)`",
        )
    return resource_id


def make_named_subclass(kind: type[Any], members: dict[str, Any]) -> type[Any]:
    """A subclass that calls itself what its parent is called: names show in traces and error messages."""
    names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
    body = {**names, "__annotations__": {}, **members}
    generated = types.new_class(kind.__name__, (kind,), {}, lambda namespace: namespace.update(body))
    _GENERATED_CLASSES.add(generated)
    return generated


def is_generated_class(kind: type[Any]) -> bool:
    """Whether a class is one of `subclass`."""
    return kind in _GENERATED_CLASSES


_ADMIT_LOCK: Final = threading.Lock()


def _current_task() -> object:
    """The task at hand; None in a thread without an event loop, and the loop itself in a callback of one."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return None
    return asyncio.current_task(loop) or loop


@dataclass(slots=True, eq=False)
class ReentrantCall:
    """One decided asynchronous call.

    Args:
        guard: that decided it.
        args: as executed.
        ticket: the decision.
        is_open: whether a call may still pass under it.
        passthrough_errors: errors that steer the framework, and so go on as they are.
    """

    guard: GuardMetadata
    args: Mapping[str, Any]
    ticket: Ticket
    is_open: bool = True
    passthrough_errors: tuple[type[BaseException], ...] = ()
    _task: object = field(default_factory=_current_task)
    _restricted: Any = None
    _unrestricted: Any = None

    def run(self, function: Callable[[], Any], surface: Surface[Any] | None = None) -> Any:
        """Run the synchronous method, for what of its result or error may be used; `surface`: other than the gate's."""
        try:
            result = function()
        except BaseException as exc:
            failed = self._make_raisable(exc)
            if failed is exc:
                raise
            self._restricted, self._unrestricted = failed, exc
        else:
            self._restricted, self._unrestricted = self.ticket.restrict(result, surface or self.guard.surface), result
            return self._restricted
        raise failed

    async def arun(self, function: Callable[[], Awaitable[Any]], surface: Surface[Any] | None = None) -> Any:
        """As `run`, for a coroutine function: an entry point that a class has made anew comes down to its hook."""
        try:
            result = await function()
        except BaseException as exc:
            failed = self._make_raisable(exc)
            if failed is exc:
                raise
            self._restricted, self._unrestricted = failed, exc
        else:
            self._restricted, self._unrestricted = self.ticket.restrict(result, surface or self.guard.surface), result
            return self._restricted
        raise failed

    def _make_raisable(self, error: BaseException) -> BaseException:
        return error if isinstance(error, self.passthrough_errors) else self.ticket.make_raisable(error)

    def get_unrestricted(self, restricted: Any) -> Any:
        """A result, or error, as it was before `run` took something away: what is to be recorded says what was."""
        return self._unrestricted if self._restricted is not None and restricted is self._restricted else restricted

    def admit(self, guard: GuardMetadata, args: Mapping[str, Any]) -> bool:
        """Whether this call is the one to pass; no other is, afterwards."""
        if (
            guard is not self.guard
            or _current_task() not in (None, self._task)
            or not same_value(dict(self.args), dict(args))
        ):
            return False
        with _ADMIT_LOCK:
            is_admitted, self.is_open = self.is_open, False
        return is_admitted


_REENTRANT_CALL: Final[ContextVar[ReentrantCall | None]] = ContextVar("halo_descent", default=None)


@contextmanager
def reentrant_call_scope(reentrant_call: ReentrantCall) -> Iterator[None]:
    """Run the body of a decided call."""
    token = _REENTRANT_CALL.set(reentrant_call)
    try:
        yield
    finally:
        # INVARIANT: tasks and threads that were started inside hold this too; after the end it lets nothing pass.
        reentrant_call.is_open = False
        _REENTRANT_CALL.reset(token)


def current_reentrant_call(guard: GuardMetadata, args: Mapping[str, Any]) -> ReentrantCall | None:
    """The call that was decided on the way down to this very one, None where this one is yet to be decided."""
    # INVARIANT: one asynchronous decision lets one synchronous call with the same arguments pass.
    reentrant_call = _REENTRANT_CALL.get()
    return reentrant_call if reentrant_call is not None and reentrant_call.admit(guard, args) else None
