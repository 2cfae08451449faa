"""Guarded hand-offs: decided before the target agent is made, and before a callback of the host runs.

A hand-off whose callback takes input (`handoff(on_handoff=f, input_type=T)`, or a `Handoff` that is called with the
model's own text) is two actions of the agent that hands off: a tool call, with the input as its arguments, and the
hand-off. Both are decided before the callback runs. If either is refused, that agent goes on, and the model reads why.
"""

from __future__ import annotations

import copy
import functools
import json
import weakref
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

from agents import Agent, Handoff, RunContextWrapper
from agents import handoffs as sdk
from pydantic import TypeAdapter

from halo_core.enforcement.arguments import BoundArguments, copy_arguments
from halo_core.enforcement.call import Call
from halo_core.enforcement.delegation import (
    HANDOFF_SURFACE,
    find_agent_resource,
    guess_callback_resource,
    to_task_arguments,
)
from halo_core.enforcement.enforcer import Ticket
from halo_core.enforcement.flow import GovernedAction, arun
from halo_core.enforcement.guarded_calls import build_guarded_call, is_enforced
from halo_core.enforcement.guards import (
    TOOL_KINDS,
    GuardMetadata,
    UnregisteredGuard,
    attach_guard,
    clean_name,
    drop_unnameable_properties,
    make_named_subclass,
    make_unregistered_resource,
    require_guard,
    to_plain_schema,
)
from halo_core.enforcement.session_context import IN_BODY, ContextVarScope
from halo_core.errors import Denied
from halo_core.model import ActionKind
from halo_openai_agents._runs import AgentRun, HandOffCall, current_run, find_run, step_scope
from halo_openai_agents._translate import ArgumentReader, ModelArguments, read_closure

if TYPE_CHECKING:
    from halo_openai_agents import Halo

REBIND: Final = "_halo_again"
"""Under this attribute a guarded hand-off has the function that makes it again for another giver."""
_FILTER_FIELDS: Final = ("input_filter", "nest_handoff_history")
_REFUSED_HANDOFF: Final[ContextVar[tuple[object, str] | None]] = ContextVar("halo_openai_agents_refused", default=None)
"""The hand-off that has just been refused and why, for the very step that asks how it went."""


def get_handoff_target(handoff: Handoff[Any, Any]) -> Agent[Any] | None:
    """The target agent of a hand-off; None if it is unknown or gone."""
    ref = handoff._agent_ref  # noqa: SLF001  the SDK's only link to it
    target = ref() if ref is not None else None
    return target if isinstance(target, Agent) else None


def guard_handoff(
    halo: Halo,
    giver: Agent[Any],
    handoff: Handoff[Any, Any],
    get_guarded: Callable[[Any], Agent[Any]],
    *,
    grants: bool = True,
) -> Any:
    """Copy a hand-off from `giver`; the copy is decided before its target agent is created.

    Args:
        halo: who decides.
        giver: the agent that has it.
        handoff: the original.
        get_guarded: gives the guarded copy of the agent that it leads to.
        grants: whether its callback is registered, and so granted.
    """
    agent = clean_name(handoff.agent_name)
    guard = GuardMetadata(halo, handoff, agent, find_agent_resource(halo, agent), HANDOFF_SURFACE)
    guarded = copy.copy(handoff)
    object.__setattr__(guarded, "__class__", _make_handoff_class(cast("Any", type(handoff))))
    attach_guard(guarded, guard)
    target = get_handoff_target(handoff)
    if target is not None:
        guarded._agent_ref = weakref.ref(get_guarded(target))  # noqa: SLF001  as above
    callback = _guard_callback(halo, giver, handoff, grants=grants)
    takes_any = callback is not None and callback.input is not None and not callback.input.is_object
    inner = handoff.on_invoke_handoff

    async def on_invoke_handoff(context: RunContextWrapper[Any], text: str) -> Agent[Any]:
        async def invoke(executed_text: str) -> Agent[Any]:
            return get_guarded(await inner(context, executed_text))

        _REFUSED_HANDOFF.set(None)
        run = find_run(halo, context)
        handing_off = _GuardedHandOff(guarded, giver, invoke, run, text, takes_any=takes_any)
        if callback is None or run is None or (callback.input is None and not handing_off.has_task):
            return await arun(handing_off)
        try:
            with step_scope(halo):
                return await arun(_CallbackCall(callback, handing_off, text))
        except Denied as denied:  # what was decided cannot be carried out
            return handing_off.return_denied(denied)

    guarded.on_invoke_handoff = on_invoke_handoff
    guarded.__dict__[REBIND] = lambda new_giver: guard_handoff(halo, new_giver, handoff, get_guarded, grants=grants)
    return guarded


class _GuardedHandOff(HandOffCall):
    """A hand-off requested by a model.

    A refused one gives the giver back, and says so where the model reads how the hand-off went.
    """

    def __init__(
        self,
        guarded: Handoff[Any, Any],
        giver: Agent[Any],
        invoke: Callable[[str], Awaitable[Agent[Any]]],
        run: AgentRun | None,
        text: str,
        *,
        takes_any: bool = False,
    ) -> None:
        guard = require_guard(guarded)
        task, problem = _parse_task(text, takes_any=takes_any)
        self.has_task = bool(problem) or task != {"task": ""}
        call_id = run.handoff_call_ids.get(guarded.tool_name, "") if run is not None else ""
        super().__init__(guard.halo, run, guard.name, task, call_id=call_id, problem=problem)
        self.guarded = guarded
        self.giver = giver
        self.invoke = invoke
        self.text = text
        self.refusal: Denied | None = None

    def execute(self, ticket: Ticket) -> Awaitable[Agent[Any]]:  # noqa: ARG002  the task is what the receiver reads
        return self.invoke(self.text)

    def scope(self, ticket: Ticket) -> AbstractContextManager[Any]:  # noqa: ARG002  the same for each
        """The scope in which the host's callback runs."""
        return ContextVarScope((IN_BODY, True))

    def finish(self, ticket: Ticket, result: Agent[Any]) -> Agent[Any]:
        used: Agent[Any] = super().finish(ticket, result)
        if self.run is not None:
            self.run.handoff_target = used
        return used

    def return_denied(self, denied: Denied) -> Agent[Any]:
        self.refusal = denied
        _REFUSED_HANDOFF.set((self.guarded, str(denied)))
        if self.run is None:
            return self.giver
        self.run.handoff_target = self.run.current_agent
        return cast("Agent[Any]", self.run.current_agent)


def _parse_task(text: str, *, takes_any: bool) -> tuple[dict[str, Any], str]:
    try:
        parsed = json.loads(text) if text else {}
    except ValueError:
        return {"task": ""}, "invalid_arguments"
    if takes_any and not isinstance(parsed, Mapping):
        return {"task": json.dumps(parsed)}, ""
    return (to_task_arguments(parsed), "") if isinstance(parsed, Mapping) else ({"task": ""}, "invalid_arguments")


# callbacks with input

_ANY_ARGUMENTS: Final = {"type": "object", "properties": {}, "additionalProperties": True}
_INPUT: Final = "input"  # the one argument of a callback whose input is no object


@dataclass(frozen=True, slots=True)
class _CallbackInput:
    """The input that a hand-off's callback takes.

    Args:
        schema: JSON schema of the arguments that are decided.
        adapter: validates the model's text, as the SDK does before it calls the callback; None if nobody does.
        is_object: whether it is an object, whose fields are the arguments.
    """

    schema: Mapping[str, Any]
    adapter: TypeAdapter[Any] | None
    is_object: bool

    def read(self, text: str) -> ModelArguments:
        """The arguments in the model's text, with the values and defaults that the callback receives."""
        reader = ArgumentReader(None, self.schema)
        if not self.is_object:
            return _wrap_input(reader, self.adapter, text)
        arguments = reader.parse_text(text)
        if self.adapter is None or not arguments.raw:  # what it says is ambiguous, or nothing
            return arguments
        try:  # the schema that the model is shown asks for defaults too; the callback does not
            values = self.adapter.dump_python(self.adapter.validate_json(text, strict=True), mode="json", by_alias=True)
        except Exception:  # noqa: BLE001  a validator may raise anything: the call does not fit
            return replace(arguments, bound_arguments=replace(arguments.bound_arguments, problem="invalid_arguments"))
        if not isinstance(values, dict):
            return arguments
        return replace(arguments, bound_arguments=BoundArguments(*copy_arguments(values)))


def _wrap_input(reader: ArgumentReader, adapter: TypeAdapter[Any] | None, text: str) -> ModelArguments:
    """The arguments of a callback whose input is a text, a number or a list."""
    try:
        value = json.loads(text) if adapter is None else adapter.dump_python(adapter.validate_json(text), mode="json")
    except Exception:  # noqa: BLE001  as above
        return ModelArguments(text, {}, BoundArguments({}, {}, "invalid_arguments"), reader)
    return ModelArguments(text, {_INPUT: value}, BoundArguments(*copy_arguments({_INPUT: value})), reader)


@dataclass(frozen=True, slots=True)
class _Callback:
    """A hand-off's callback that takes what the model wrote.

    Args:
        guard: how its calls are decided: as those of a tool with the hand-off's own name.
        input: what it takes; None if the hand-off does not say, so that it takes what the model writes.
    """

    guard: GuardMetadata
    input: _CallbackInput | None


def has_input_callback(handoff: Handoff[Any, Any]) -> bool:
    """Whether a hand-off runs the host's code with what a model wrote."""
    cells = _read_sdk_closure(handoff)
    return cells is None or cells.get("input_type") is not None


def _read_sdk_closure(handoff: Handoff[Any, Any]) -> dict[str, Any] | None:
    """Variables of the SDK's own function behind a hand-off; None for any other function."""
    invoke = handoff.on_invoke_handoff
    if not isinstance(invoke, functools.partial) or invoke.func is not sdk._invoke_handoff_with_redaction:  # noqa: SLF001  the SDK's own
        return None
    cells = read_closure(invoke.args[0] if invoke.args else None)
    return cells if "input_type" in cells else None


def _guard_callback(halo: Halo, giver: Agent[Any], handoff: Handoff[Any, Any], *, grants: bool) -> _Callback | None:
    """The guard of a hand-off's callback; None if it takes no input."""
    if not has_input_callback(handoff):
        return None
    cells = _read_sdk_closure(handoff) or {}
    callback_input = _describe_input(handoff, cells.get("type_adapter"))
    schema: Mapping[str, Any] = callback_input.schema if callback_input is not None else _ANY_ARGUMENTS
    name = clean_name(handoff.tool_name)
    if not grants:
        resource, kind = make_unregistered_resource(name, ActionKind.TOOL_CALL), UnregisteredGuard
        return _Callback(kind(halo, handoff, name, resource, HANDOFF_SURFACE), callback_input)
    registered = halo.find_registered(name)
    is_taken = registered is not None and (
        registered.kind not in TOOL_KINDS or halo.get_argument_names(name) != sorted(schema.get("properties", {}))
    )
    resource_id = clean_name(f"{giver.name}/{name}") if is_taken else name
    declared = halo.find_declared(resource_id, *TOOL_KINDS) or halo.find_registered(resource_id)
    declared = declared or guess_callback_resource(
        resource_id, getattr(cells.get("on_handoff"), "__name__", ""), schema
    )
    resource = halo.register_tool(resource_id, declared, "", schema)
    return _Callback(GuardMetadata(halo, handoff, resource.id, resource, HANDOFF_SURFACE), callback_input)


def _describe_input(handoff: Handoff[Any, Any], adapter: Any) -> _CallbackInput | None:
    try:
        schema = to_plain_schema(handoff.input_json_schema)
    except Exception:  # noqa: BLE001  a schema that is no JSON; what the model writes is decided all the same
        schema = {}
    adapter = adapter if isinstance(adapter, TypeAdapter) else None
    if isinstance(schema.get("properties"), dict) or schema.get("type") == "object":
        if adapter is None and not schema.get("properties"):
            return None
        return _CallbackInput(drop_unnameable_properties(schema), adapter, is_object=True)
    if adapter is None and not schema:
        return None
    return _CallbackInput({"type": "object", "properties": {_INPUT: schema}}, adapter, is_object=False)


class _CallbackCall(GovernedAction[Agent[Any]]):
    """The call of a callback with input, around the hand-off: both are decided before it runs."""

    def __init__(self, callback: _Callback, handing_off: _GuardedHandOff, text: str) -> None:
        self.guard = callback.guard
        reader = callback.input or _CallbackInput(_ANY_ARGUMENTS, None, is_object=True)
        self.reader, self.arguments, self.handing_off = reader, reader.read(text), handing_off
        super().__init__(self.guard.halo.enforcer, None, self.guard.surface)

    def build_call(self) -> Call:
        call_id = self.handing_off.call.call_id if self.handing_off.call is not None else ""
        return build_guarded_call(self.guard, self.arguments.bound_arguments, call_id)

    def execute(self, ticket: Ticket) -> Awaitable[Agent[Any]]:
        """Hand off with the decided callback arguments."""
        if is_enforced(ticket):
            self.handing_off.text = self._get_executed_text(ticket)
        return arun(self.handing_off)

    def _get_executed_text(self, ticket: Ticket) -> str:
        """The text to run with.

        Raises:
            Denied: the callback would read something else in it than may run.
        """
        text = self.arguments.to_executed_json(ticket)
        is_changed = text is not self.arguments.text
        if is_changed and not (
            self.reader.is_object
            and self.reader.read(text).bound_arguments.decision_values == dict(ticket.args)  # 2 is 2.0 to a validator
        ):
            raise Denied(
                "invalid_arguments", "deny: the arguments as changed by the policy cannot be passed to this hand-off"
            )
        return text

    def finish(self, ticket: Ticket, result: Agent[Any]) -> Agent[Any]:
        """Record that the callback ran, or that the hand-off was refused."""
        if self.handing_off.refusal is not None:
            ticket.fail(self.handing_off.refusal)
            return result
        used: Agent[Any] = super().finish(ticket, result)
        return used

    def return_denied(self, denied: Denied) -> Agent[Any]:
        return self.handing_off.return_denied(denied)


# what the model is told


@functools.lru_cache(maxsize=16)
def _make_handoff_class(kind: Any) -> type[Handoff[Any, Any]]:
    """Make a subclass that tells the model why a hand-off was refused, without filtering anything then."""

    def get_transfer_message(self: Any, agent: Any) -> str:
        require_guard(self)
        refused = _REFUSED_HANDOFF.get()
        if refused is not None and refused[0] is self:
            return refused[1]
        return str(kind.get_transfer_message(self, agent))

    members = {"get_transfer_message": get_transfer_message}
    return make_named_subclass(kind, {**members, **{name: _make_filter_property(name) for name in _FILTER_FIELDS}})


def _make_filter_property(name: str) -> property:
    """Make the property for the input filter, empty for a refused hand-off: the giver keeps the conversation."""

    def read(self: Any) -> Any:
        refused, value = _REFUSED_HANDOFF.get(), self.__dict__.get(name)
        if refused is None or refused[0] is not self:
            return value
        if name == "nest_handoff_history":
            return False
        run = current_run(require_guard(self).halo)
        return _return_unchanged if value is not None or (run is not None and run.filters_handoffs) else None

    def write(self: Any, value: Any) -> None:
        self.__dict__[name] = value

    return property(read, write)


def _return_unchanged(data: Any) -> Any:
    return data
