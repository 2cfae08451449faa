"""Room: what travels with one model call, from its decision to the method that sends it. Takes: calls. Gives: context.

A call is decided at the outermost of the model's methods that it passes. The decision then goes down in a context
variable to the first method that sends it, where the answer is restricted before a callback, a stream or a cache can
see it. Never: decides, lets one decision serve two calls.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from langchain_core.messages import BaseMessage
from langchain_core.runnables.config import var_child_runnable_config

from halo_core.pep import Call, Ticket
from halo_core.pep.names import clean_name
from halo_langchain._context import Mark, body, entered, source_of
from halo_langchain._models.inference import RESTRICTABLE, Carried, inference, messages_of, prompts_of
from halo_langchain._translate import bound_tools

if TYPE_CHECKING:
    from halo_core.pep.gate import Gate

__all__ = [
    "DONE",
    "READY",
    "RUNNING",
    "Asked",
    "Decided",
    "called",
    "current",
    "entry",
    "handed",
    "muted",
    "sending",
    "taken",
]

READY: Final = "ready"
RUNNING: Final = "running"
DONE: Final = "done"
_NAMING: Final = frozenset(("model", "model_id", "model_name"))
_RUN_MANAGER: Final = 2  # its place among the arguments of every method that sends a call


@dataclass(slots=True, eq=False)
class Decided:
    """One decided call on its way down.

    Args:
        ticket: the decision.
        gate: the guarded model it is for; None where the middleware decided and the model has not been reached.
        owner: with the middleware's, the `Halo` that decided.
        name: with the middleware's, the model's name.
        carried: with the middleware's, what was decided on.
        parts: of a call with several prompts, what was decided on each: below, each may be a call of its own.
        state: `ready`, `running` once the method that sends it was reached, `done` when that returned.
    """

    ticket: Ticket
    gate: Gate | None = None
    owner: object = None
    name: str = ""
    carried: Carried | None = None
    parts: list[Carried] = field(default_factory=list)
    state: str = READY


_DECIDED: Final[ContextVar[Decided | None]] = ContextVar("halo_langchain_decided", default=None)
_TAKING: Final = threading.Lock()


@contextmanager
def handed(decided: Decided) -> Iterator[None]:
    """Run the block with a decision that one call in it may use."""
    token = _DECIDED.set(decided)
    try:
        yield
    finally:
        decided.state = DONE
        _DECIDED.reset(token)


def current(gate: Gate) -> Decided | None:
    """The decision that this call of a guarded model comes down with."""
    found = _DECIDED.get()
    return found if found is not None and found.gate is gate and found.state != DONE else None


@contextmanager
def entry(gate: Gate, model: Any, config: Any = None, runs: int = 1) -> Iterator[None]:
    """Around an entry point of a guarded model: a new call, whatever is running around it.

    Args:
        gate: of the model.
        model: whose runs it starts; None for one that starts none any more.
        config: what it was called with.
        runs: how many runs the call starts: one for each of its prompts.
    """
    found = _DECIDED.get()
    token = _DECIDED.set(found if found is not None and found.gate is None else None)
    try:
        with entered(Mark(gate.halo, "model", source=source_of(model), runs=runs), config):
            yield
    finally:
        _DECIDED.reset(token)


def called(gate: Gate, model: Any, kwargs: Mapping[str, Any]) -> str:
    """The model's name in this call, which an argument may change."""
    if not _NAMING.intersection(kwargs):
        return gate.name
    try:
        found = model._get_ls_params(**kwargs).get("ls_model_name")  # noqa: SLF001  the very source of what callbacks see
    except Exception:  # noqa: BLE001  a model without tracing parameters is named by its arguments
        found = None
    names = (found, *(kwargs.get(key) for key in sorted(_NAMING)))
    return clean_name(next((name for name in names if isinstance(name, str) and name), gate.name))


# deciding


@dataclass(frozen=True, slots=True)
class Asked:
    """A call as it will be made: nobody else holds these lists."""

    name: str
    messages: list[BaseMessage]
    tools: list[Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    prompts: list[list[BaseMessage]]

    @classmethod
    def of(cls, gate: Gate, model: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Asked:
        kwargs = {name: list(value) if type(value) is list else value for name, value in kwargs.items()}
        key = next((key for key in ("messages", "prompts", "prompt", "input") if key in kwargs), "")
        given = _own(args[0] if args else kwargs.get(key))
        if args:
            args = (given, *args[1:])
        elif key:
            kwargs[key] = given
        prompts = [messages_of(model, item) for item in prompts_of(given)]
        messages = [message for prompt in prompts for message in prompt] if prompts else messages_of(model, given)
        return cls(called(gate, model, kwargs), messages, bound_tools(model, kwargs), args, kwargs, prompts)

    def call(self, gate: Gate) -> Call:
        """The call to decide."""
        resource = gate.resource if self.name == gate.name else None
        return inference(gate.halo, self.name, self.messages, self.tools, resource=resource, abilities=RESTRICTABLE)

    def decided(self, gate: Gate, ticket: Ticket, *, enters: bool) -> Decided:
        """The decision as it goes down: to this model's own methods, or as the middleware hands it to an entry."""
        if not enters:
            return Decided(ticket, gate)
        carried = Carried.of(self.messages, self.tools)
        parts = [Carried.of(prompt, self.tools) for prompt in self.prompts] if len(self.prompts) > 1 else []
        return Decided(ticket, owner=gate.halo, name=self.name, carried=carried, parts=parts)


def _own(given: Any) -> Any:
    """Messages that stay as they were decided, whoever goes on writing into the caller's."""
    if not isinstance(given, list | tuple):
        return given
    return [item.model_copy() if isinstance(item, BaseMessage) else item for item in given]


def taken(gate: Gate, asked: Asked) -> Ticket | None:
    """The middleware's decision, if it is of this very call."""
    found = _DECIDED.get()
    if found is None or found.gate is not None or found.owner is not gate.halo or found.name != asked.name:
        return None
    carried = Carried.of(asked.messages, asked.tools)
    # INVARIANT: one decision lets one call pass, or one for each of its prompts.
    with _TAKING:
        if found.state != READY:
            return None
        if found.carried is not None and found.carried.covers(carried):
            found.state = DONE
            return found.ticket
        part = next((item for item in found.parts if item.covers(carried)), None)
        if part is None:
            return None  # something between the decision and the model changed it
        found.parts.remove(part)
        found.carried, found.state = None, READY if found.parts else DONE
    return found.ticket


# sending


def muted(
    ticket: Ticket, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any], Any]:
    """Arguments under which a model tells nobody what it says while it says it, and whom it would have told.

    The arguments as they are where the answer is not restricted.
    """
    kwargs = dict(kwargs)
    if not ticket.holds_output:
        return args, kwargs, None
    manager = args[_RUN_MANAGER] if len(args) > _RUN_MANAGER else kwargs.get("run_manager")
    if manager is None:
        return args, kwargs, None
    silent = type(manager).get_noop_manager()
    if len(args) > _RUN_MANAGER:
        return (*args[:_RUN_MANAGER], silent, *args[_RUN_MANAGER + 1 :]), kwargs, manager
    return args, {**kwargs, "run_manager": silent}, manager


@contextmanager
def sending(decided: Decided) -> Iterator[None]:
    """Around the body of a model: no mark reaches it, and no callback where its answer is restricted."""
    token = _DECIDED.set(decided)
    config = var_child_runnable_config.get()
    silent = config is not None and decided.ticket.holds_output
    quiet = var_child_runnable_config.set({**config, "callbacks": None}) if config is not None and silent else None
    try:
        with body() if decided.gate is not None else nullcontext():
            yield
    finally:
        if quiet is not None:
            var_child_runnable_config.reset(quiet)
        _DECIDED.reset(token)
