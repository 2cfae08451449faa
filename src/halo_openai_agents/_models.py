"""Room: models, guarded copies and each way to call one. Takes: models. Gives: copies. Never: decides.

Room: guarded models and providers. Takes: models. Gives: copies that decide each call before it is sent.

A copy is of its original's class and shares its state; it decides `get_response` and `stream_response`, and hands the
rest on. Never: decides
by itself, changes the original, passes on a word of an answer that may have to be restricted.
"""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from agents import Model, ModelProvider, ModelResponse, ModelTracing

from halo_core.enforcement import Ticket
from halo_core.enforcement.guards import (
    MODEL_RESOURCE,
    MODEL_SCHEMA,
    GuardMetadata,
    choose_resource_id,
    make_named_subclass,
    make_unregistered_resource,
)
from halo_core.errors import ConfigError
from halo_core.model import ActionKind, Resource
from halo_openai_agents._model_calls import PreparedCall, record_unknown_calls
from halo_openai_agents._model_streams import DecidedStream
from halo_openai_agents._results import make_model_surface
from halo_openai_agents._runs import step_scope
from halo_openai_agents._translate import GUARD_ATTRIBUTE, find_guard, model_name

if TYPE_CHECKING:
    from halo_openai_agents import Halo

__all__ = [
    "GuardedProvider",
    "copy_model_with_guard",
    "guard_model",
]


_SIGNATURE: Final = inspect.signature(Model.get_response)


def guard_model(halo: Halo, model: Model, resource: Resource | None) -> Model:
    """Register a model and return its guarded copy.

    Raises:
        ConfigError: its name can name no resource, belongs to one of another kind, or another `Halo` guards it.
    """
    guard = find_guard(model)
    if guard is not None and guard.halo is not halo:
        raise ConfigError(
            "guarded_elsewhere",
            f"`{guard.name}` is already guarded by another Halo",
            field="x",
            remedy="guard the original model, once for each Halo",
        )
    if guard is not None:
        if resource is None:
            return model
        model = guard.original
    name = choose_resource_id(resource, model_name(model))
    declared = resource or halo.find_declared(name, ActionKind.INFERENCE) or MODEL_RESOURCE
    registered = halo.register(ActionKind.INFERENCE, name, resource=declared, schema=MODEL_SCHEMA)
    return copy_model_with_guard(halo, model, registered)


def copy_model_with_guard(halo: Halo, model: Model, resource: Resource | None = None) -> Model:
    """A copy behind a gate; without a resource, behind what is known of its name (nothing is registered)."""
    name = model_name(model)
    known_resource = resource or halo.find_registered(name)
    if known_resource is None or known_resource.kind is not ActionKind.INFERENCE:
        known_resource = make_unregistered_resource(name, ActionKind.INFERENCE)
    guarded = copy.copy(model)
    object.__setattr__(
        guarded,
        "__class__",
        _make_guarded_class(type(model), GuardMetadata(halo, model, name, known_resource, make_model_surface(halo))),
    )
    # What one opens (a connection), the other must be able to close.
    guarded.__dict__ = model.__dict__
    return guarded


def _make_guarded_class(kind: type[Model], guard: GuardMetadata) -> type[Model]:
    """Subclass whose two ways to ask are decided."""
    return make_named_subclass(
        kind,
        {
            "get_response": _wrap_get_response(kind, guard),
            "stream_response": _wrap_stream_response(kind, guard),
            GUARD_ATTRIBUTE: guard,
        },
    )


def _wrap_get_response(kind: type[Model], guard: GuardMetadata) -> Any:
    @functools.wraps(kind.get_response)
    async def get_response(self: Any, *args: Any, **kwargs: Any) -> ModelResponse:
        prepared, values = _prepare_call(self, args, kwargs)
        with step_scope(guard.halo) as run:
            ticket = await guard.halo.enforcer.abegin(prepared.build_call(guard, run))
            try:
                answer = await kind.get_response(self, **_restrict_tracing(values, ticket))
            except BaseException as exc:
                failed = ticket.fail(exc)
                if failed is exc:
                    raise
            else:
                used: ModelResponse = ticket.succeed(answer, guard.surface)
                await record_unknown_calls(guard, prepared, used, run)
                return used
            raise failed

    return get_response


def _wrap_stream_response(kind: type[Model], guard: GuardMetadata) -> Any:
    @functools.wraps(kind.stream_response)
    async def stream_response(self: Any, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        prepared, values = _prepare_call(self, args, kwargs)
        with step_scope(guard.halo) as run:
            call = prepared.build_call(guard, run)
        # A generator runs in whichever context asks for the next of it, so no block stands around its steps.
        stream = DecidedStream(guard, prepared, run, await guard.halo.enforcer.abegin(call))
        source = kind.stream_response(self, **_restrict_tracing(values, stream.ticket))
        try:
            async for event in source:
                for passed in await stream.process_event(event):
                    yield passed
            stream.finish()
        except BaseException as exc:
            failed = stream.ticket.fail(exc)
            if failed is exc:
                raise
        else:
            return
        finally:
            if hasattr(source, "aclose"):
                await source.aclose()
        raise failed

    return stream_response


def _restrict_tracing(values: dict[str, Any], ticket: Ticket) -> dict[str, Any]:
    """Arguments under which a model puts nothing of an answer that may have to be restricted into the SDK's traces."""
    tracing = values.get("tracing")
    if ticket.holds_output and isinstance(tracing, ModelTracing) and tracing.include_data():
        return {**values, "tracing": ModelTracing.ENABLED_WITHOUT_DATA}
    return values


def _prepare_call(model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[PreparedCall, dict[str, Any]]:
    """A call, and the same as it is sent: nobody else holds its list."""
    values = dict(_SIGNATURE.bind(model, *args, **kwargs).arguments)
    values.pop("self")
    model_input = values.get("input")
    values["input"] = list(model_input) if isinstance(model_input, list) else model_input
    return PreparedCall.from_arguments(values), values


class GuardedProvider(ModelProvider):
    """A provider whose models are all guarded."""

    def __init__(self, halo: Halo, inner: ModelProvider) -> None:
        self.inner = inner
        self.halo = halo
        self._guarded_models: WeakKeyDictionary[Model, Model] = WeakKeyDictionary()

    def __getattr__(self, name: str) -> Any:
        """What else the provider has."""
        if name in {"inner", "halo"}:
            raise AttributeError(name)
        return getattr(self.inner, name)

    def get_model(self, model_name: str | None) -> Model:
        """The provider's model, guarded."""
        model = self.inner.get_model(model_name)
        if type(model).__hash__ is None:
            return guard_model(self.halo, model, None)
        guarded = self._guarded_models.get(model)
        if guarded is None:
            guarded = self._guarded_models[model] = guard_model(self.halo, model, None)
        return guarded

    async def aclose(self) -> None:
        """Close the provider."""
        await self.inner.aclose()
