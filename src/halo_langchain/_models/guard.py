"""Room: guarded models. Takes: chat models and text models. Gives: copies that decide each call before it is sent.

Never: decides itself, changes the original.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from langchain_core.language_models import BaseChatModel, BaseLanguageModel, BaseLLM
from langchain_core.runnables import RunnableBinding

from halo_core.errors import ConfigError
from halo_core.model import ActionKind, Resource
from halo_core.pep.gate import Gate, gate_of, put_gate, resource_name
from halo_core.pep.names import MODEL_RESOURCE, MODEL_SCHEMA, unknown
from halo_langchain._models.kind import guarded_class
from halo_langchain._own import refuse_own
from halo_langchain._surfaces import model_surface
from halo_langchain._translate import model_name

if TYPE_CHECKING:
    from halo_langchain import Halo

__all__ = ["gated_model", "guard_model", "is_model", "model_gate", "restrictable", "unbound"]

_WAYS: Final = (
    *("invoke", "ainvoke", "batch", "abatch", "stream", "astream"),
    *("generate", "agenerate", "generate_prompt", "agenerate_prompt"),
    *("_generate", "_agenerate", "_stream", "_astream", "_call", "_acall"),
)


def unbound(model: Any) -> Any:
    """The model under its bindings."""
    while isinstance(model, RunnableBinding):
        model = model.bound
    return model


def is_model(thing: Any) -> bool:
    """Whether `guard_model` takes it."""
    return isinstance(unbound(thing), BaseChatModel | BaseLLM)


def model_gate(halo: Halo, model: Any) -> Gate | None:
    """The gate of a model that this `Halo` guards, with whatever is bound to it."""
    gate = gate_of(unbound(model))
    return gate if gate is not None and gate.halo is halo else None


def restrictable(halo: Halo, model: Any) -> bool:
    """Whether this `Halo` can restrict what a model says where it says it."""
    return is_model(model) and (gate_of(unbound(model)) is None or model_gate(halo, model) is not None)


def guard_model(halo: Halo, model: Any, resource: Resource | None) -> Any:
    """Register a model and return its guarded copy; what is bound to it stays bound.

    Raises:
        ConfigError: its name can name no resource, belongs to one of another kind, another `Halo` guards it, or its
            class has an entry point of its own that cannot be decided.
    """
    if isinstance(model, RunnableBinding):
        return model.model_copy(update={"bound": guard_model(halo, model.bound, resource)})
    gate = gate_of(model)
    if gate is not None and gate.halo is not halo:
        raise ConfigError(
            "guarded_elsewhere",
            f"another Halo guards `{gate.name}`",
            field="x",
            remedy="guard the model itself, once for each Halo",
        )
    if gate is not None:
        if resource is None:
            return model
        model = gate.original
    refuse_own(model, _WAYS, (), "guard a model without it; the framework's own calls what Halo decides")
    name = resource_name(resource, model_name(model))
    known = resource or halo.declared(name, ActionKind.INFERENCE) or MODEL_RESOURCE
    registered = halo.register(ActionKind.INFERENCE, name, resource=known, schema=MODEL_SCHEMA)
    return gated_model(halo, model, registered)


def gated_model(halo: Halo, model: Any, resource: Resource | None = None) -> Any:
    """A copy behind a gate; without a resource, behind what is known of its name (nothing is registered)."""
    if isinstance(model, RunnableBinding):
        return model.model_copy(update={"bound": gated_model(halo, model.bound, resource)})
    name = model_name(model)
    known = resource or halo.registered(name) or unknown(name, ActionKind.INFERENCE)
    guarded = model.model_copy()
    kind: type[BaseLanguageModel[Any]] = type(model)
    object.__setattr__(guarded, "__class__", guarded_class(kind))
    # What its runs show of it is made anew: by that they are told from those of the original.
    guarded.__dict__.pop("_serialized", None)
    put_gate(guarded, Gate(halo, model, name, known, model_surface(halo)))
    return guarded
