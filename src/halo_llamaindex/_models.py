"""Guarded models: copies of LLMs that decide each call before it is sent.

Whatever else an LLM offers (`predict`, `stream`, `structured_predict`, `predict_and_call`, `as_structured_llm`) comes
down to the methods listed here, and is decided there; a provider's own `structured_predict` where it is entered.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

from llama_index.core.base.llms.base import BaseLLM

from halo_core.enforcement.guards import (
    MODEL_RESOURCE,
    MODEL_SCHEMA,
    GuardMetadata,
    attach_guard,
    choose_resource_id,
    get_guard,
    overrides_entry_point,
    refuse_overridden_attributes,
    refuse_overriding_class,
)
from halo_core.model import ActionKind, Resource
from halo_llamaindex._model_calls import ModelCall
from halo_llamaindex._pause import make_governed_method
from halo_llamaindex._results import make_model_surface
from halo_llamaindex._runs import make_spanless_subclass
from halo_llamaindex._serialization import forbid_restoring
from halo_llamaindex._translate import OVERRIDE_REMEDY, model_name, refuse_other_halo

if TYPE_CHECKING:
    from halo_llamaindex import Halo

SENDING_METHODS: Final = tuple(
    f"{a}{stream}{way}"
    for a in ("", "a")
    for stream in ("", "stream_")
    for way in ("chat", "complete", "chat_with_tools")
)
"""The methods of an LLM that send something."""
_STRUCTURED_METHODS: Final = tuple(f"{a}{stream}structured_predict" for a in ("", "a") for stream in ("", "stream_"))
"""Methods that some providers override, to send by themselves."""
_COMPOSED_METHODS: Final = (
    "predict", "apredict", "stream", "astream", "predict_and_call", "apredict_and_call", "as_structured_llm",
)  # fmt: skip
"""Methods that only call the others; a provider's override of one cannot be decided."""
_FRAMEWORK: Final = "llama_index.core."


def guard_model(halo: Halo, model: BaseLLM, resource: Resource | None) -> Any:
    """Register a model and return its guarded copy.

    Raises:
        ConfigError: its name can name no resource, belongs to one of another kind, or another `Halo` guards it.
    """
    guard = get_guard(model)
    refuse_other_halo(halo, guard, "model")
    if guard is not None:
        if resource is None:
            return model
        model = guard.original
    name = choose_resource_id(resource, model_name(model))
    declared = resource or halo.find_declared(name, ActionKind.INFERENCE) or MODEL_RESOURCE
    registered = halo.register(ActionKind.INFERENCE, name, resource=declared, schema=MODEL_SCHEMA)
    refuse_overridden_attributes(model, (*SENDING_METHODS, *_STRUCTURED_METHODS), OVERRIDE_REMEDY)
    refuse_overriding_class(
        type(model), _COMPOSED_METHODS, _FRAMEWORK, "remove the override; the base class uses `chat` and `complete`"
    )
    guarded = model.model_copy()
    object.__setattr__(guarded, "__class__", _make_guarded_class(type(model)))
    forbid_restoring(guarded)
    attach_guard(guarded, GuardMetadata(halo, model, name, registered, make_model_surface(halo)))
    return guarded


@functools.lru_cache(maxsize=256)
def _make_guarded_class(kind: type[BaseLLM]) -> type[BaseLLM]:
    names = [name for name in SENDING_METHODS if hasattr(kind, name)]
    # The framework's own come down to the ways above; a provider's may send by itself.
    names += [name for name in _STRUCTURED_METHODS if overrides_entry_point(kind, name, _FRAMEWORK)]
    methods = {name: getattr(kind, name) for name in names}
    return make_spanless_subclass(
        kind,
        {
            name: make_governed_method(
                method, functools.partial(ModelCall, method, name), is_async=name.startswith("a")
            )
            for name, method in methods.items()
        },
    )
