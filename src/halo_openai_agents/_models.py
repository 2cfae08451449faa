"""Guarded copies of models, and a provider whose models are all guarded.

A copy is of its original's class and shares its state; its `get_response` and `stream_response` are decided before
anything is sent, and the rest is the original's.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from agents import Model, ModelProvider, ModelResponse

from halo_core.enforcement.flow import arun, astream
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
from halo_openai_agents._model_calls import ModelCall
from halo_openai_agents._model_streams import ModelStream
from halo_openai_agents._results import make_model_surface
from halo_openai_agents._runs import step_scope
from halo_openai_agents._translate import GUARD_ATTRIBUTE, find_guard, model_name

if TYPE_CHECKING:
    from halo_openai_agents import Halo


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
    return _copy_with_guard(halo, model, registered)


def _copy_with_guard(halo: Halo, model: Model, resource: Resource | None = None) -> Model:
    """Copy a model with a guard; without a resource, with the one registered under its name."""
    name = model_name(model)
    known_resource = resource or halo.find_registered(name)
    if known_resource is None or known_resource.kind is not ActionKind.INFERENCE:
        known_resource = make_unregistered_resource(name, ActionKind.INFERENCE)
    guard = GuardMetadata(halo, model, name, known_resource, make_model_surface(halo))
    guarded = copy.copy(model)
    object.__setattr__(guarded, "__class__", _make_guarded_class(type(model), guard))
    # What one opens (a connection), the other must be able to close.
    guarded.__dict__ = model.__dict__
    return guarded


def _make_guarded_class(kind: type[Model], guard: GuardMetadata) -> type[Model]:
    """Make a subclass in which `get_response` and `stream_response` are decided."""

    @functools.wraps(kind.get_response)
    async def get_response(self: Any, *args: Any, **kwargs: Any) -> ModelResponse:
        with step_scope(guard.halo):
            answer: ModelResponse = await arun(ModelCall(guard, kind.get_response, self, args, kwargs))
            return answer

    @functools.wraps(kind.stream_response)
    def stream_response(self: Any, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        return astream(ModelStream(guard, kind.stream_response, self, args, kwargs))

    members = {"get_response": get_response, "stream_response": stream_response, GUARD_ATTRIBUTE: guard}
    return make_named_subclass(kind, members)


class GuardedProvider(ModelProvider):
    """A provider whose models are all guarded."""

    def __init__(self, halo: Halo, inner: ModelProvider) -> None:
        self.inner = inner
        self.halo = halo
        self._guarded_models: WeakKeyDictionary[Model, Model] = WeakKeyDictionary()

    def __getattr__(self, name: str) -> Any:
        """Return other attributes of the provider."""
        if name in {"inner", "halo"}:
            raise AttributeError(name)
        return getattr(self.inner, name)

    def get_model(self, model_name: str | None) -> Model:
        """Return the provider's model, guarded."""
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
