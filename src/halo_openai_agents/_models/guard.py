"""Room: guarded models and providers. Takes: models. Gives: copies that decide each call before it is sent.

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

from halo_core.errors import ConfigError
from halo_core.model import ActionKind, Resource
from halo_core.pep import Ticket
from halo_core.pep.gate import Gate, resource_name, subclass
from halo_core.pep.names import MODEL_RESOURCE, MODEL_SCHEMA, unknown
from halo_openai_agents._gates import GATE, gate_at
from halo_openai_agents._models.flow import Flow
from halo_openai_agents._models.inference import Asked, made_up
from halo_openai_agents._running import stepping
from halo_openai_agents._surfaces import model_surface
from halo_openai_agents._translate import model_name

if TYPE_CHECKING:
    from halo_openai_agents import Halo

__all__ = ["GuardedProvider", "gated_model", "guard_model"]

_SIGNATURE: Final = inspect.signature(Model.get_response)


def guard_model(halo: Halo, model: Model, resource: Resource | None) -> Model:
    """Register a model and return its guarded copy.

    Raises:
        ConfigError: its name can name no resource, belongs to one of another kind, or another `Halo` guards it.
    """
    gate = gate_at(model)
    if gate is not None and gate.halo is not halo:
        raise ConfigError(
            "guarded_elsewhere",
            f"another Halo guards `{gate.name}`",
            field="x",
            remedy="guard the original model, once for each Halo",
        )
    if gate is not None:
        if resource is None:
            return model
        model = gate.original
    name = resource_name(resource, model_name(model))
    told = resource or halo.declared(name, ActionKind.INFERENCE) or MODEL_RESOURCE
    registered = halo.register(ActionKind.INFERENCE, name, resource=told, schema=MODEL_SCHEMA)
    return gated_model(halo, model, registered)


def gated_model(halo: Halo, model: Model, resource: Resource | None = None) -> Model:
    """A copy behind a gate; without a resource, behind what is known of its name (nothing is registered)."""
    name = model_name(model)
    known = resource or halo.registered(name)
    if known is None or known.kind is not ActionKind.INFERENCE:
        known = unknown(name, ActionKind.INFERENCE)
    made = copy.copy(model)
    object.__setattr__(made, "__class__", _class(type(model), Gate(halo, model, name, known, model_surface(halo))))
    # What one opens (a connection), the other must be able to close.
    made.__dict__ = model.__dict__
    return made


def _class(kind: type[Model], gate: Gate) -> type[Model]:
    """Subclass whose two ways to ask are decided."""
    return subclass(kind, {"get_response": _asking(kind, gate), "stream_response": _streaming(kind, gate), GATE: gate})


def _asking(kind: type[Model], gate: Gate) -> Any:
    @functools.wraps(kind.get_response)
    async def get_response(self: Any, *args: Any, **kwargs: Any) -> ModelResponse:
        asked, values = _asked(self, args, kwargs)
        with stepping(gate.halo) as run:
            ticket = await gate.halo.enforcer.abegin(asked.call(gate, run))
            try:
                answer = await kind.get_response(self, **_quiet(values, ticket))
            except BaseException as exc:
                failed = ticket.fail(exc)
                if failed is exc:
                    raise
            else:
                used: ModelResponse = ticket.succeed(answer, gate.surface)
                await made_up(gate, asked, used, run)
                return used
            raise failed

    return get_response


def _streaming(kind: type[Model], gate: Gate) -> Any:
    @functools.wraps(kind.stream_response)
    async def stream_response(self: Any, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        asked, values = _asked(self, args, kwargs)
        with stepping(gate.halo) as run:
            call = asked.call(gate, run)
        # A generator runs in whichever context asks for the next of it, so no block stands around its steps.
        flow = Flow(gate, asked, run, await gate.halo.enforcer.abegin(call))
        source = kind.stream_response(self, **_quiet(values, flow.ticket))
        try:
            async for event in source:
                for passed in await flow.met(event):
                    yield passed
            flow.ended()
        except BaseException as exc:
            failed = flow.ticket.fail(exc)
            if failed is exc:
                raise
        else:
            return
        finally:
            if hasattr(source, "aclose"):
                await source.aclose()
        raise failed

    return stream_response


def _quiet(values: dict[str, Any], ticket: Ticket) -> dict[str, Any]:
    """Arguments under which a model puts nothing of an answer that may have to be restricted into the SDK's traces."""
    tracing = values.get("tracing")
    if ticket.holds_output and isinstance(tracing, ModelTracing) and tracing.include_data():
        return {**values, "tracing": ModelTracing.ENABLED_WITHOUT_DATA}
    return values


def _asked(model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Asked, dict[str, Any]]:
    """A call, and the same as it is sent: nobody else holds its list."""
    values = dict(_SIGNATURE.bind(model, *args, **kwargs).arguments)
    values.pop("self")
    given = values.get("input")
    values["input"] = list(given) if isinstance(given, list) else given
    return Asked.of(values), values


class GuardedProvider(ModelProvider):
    """A provider whose models are all guarded."""

    def __init__(self, halo: Halo, inner: ModelProvider) -> None:
        self.inner = inner
        self.halo = halo
        self._made: WeakKeyDictionary[Model, Model] = WeakKeyDictionary()

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
        made = self._made.get(model)
        if made is None:
            made = self._made[model] = guard_model(self.halo, model, None)
        return made

    async def aclose(self) -> None:
        """Close the provider."""
        await self.inner.aclose()
