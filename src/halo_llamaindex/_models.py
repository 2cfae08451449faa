"""Room: guarded models. Takes: LLMs. Gives: copies that decide each call before it is sent.

Room: guarded models. Takes: LLMs. Gives: copies that decide each call before it is sent.

Whatever else an LLM offers (`predict`, `stream`, `structured_predict`, `predict_and_call`, `as_structured_llm`) comes
down to these methods, and is decided there; a provider's own `structured_predict` where it is entered. Never: decides
itself, changes the original.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from llama_index.core.base.llms.base import BaseLLM

from halo_core.enforcement.guards import (
    MODEL_RESOURCE,
    MODEL_SCHEMA,
    GuardMetadata,
    attach_guard,
    choose_resource_id,
    get_guard,
    require_guard,
)
from halo_core.errors import ConfigError
from halo_core.model import ActionKind, Resource
from halo_llamaindex._model_calls import PreparedCall, aask, aask_stream, ask, ask_stream
from halo_llamaindex._results import make_model_surface
from halo_llamaindex._runs import make_spanless_subclass
from halo_llamaindex._serialization import forbid_restoring
from halo_llamaindex._translate import (
    model_name,
    overrides_entry_point,
    refuse_overridden_entry_points,
    refuse_overriding_class,
)

if TYPE_CHECKING:
    from halo_llamaindex import Halo

__all__ = [
    "SENDING_METHODS",
    "STRUCTURED_METHODS",
    "guard_model",
]


SENDING_METHODS: Final = tuple(
    f"{a}{stream}{way}"
    for a in ("", "a")
    for stream in ("", "stream_")
    for way in ("chat", "complete", "chat_with_tools")
)
"""The methods of an LLM that send something."""
STRUCTURED_METHODS: Final = tuple(f"{a}{stream}structured_predict" for a in ("", "a") for stream in ("", "stream_"))
"""Those that some providers have made anew, to send by themselves."""
COMPOSED_METHODS: Final = (
    "predict", "apredict", "stream", "astream", "predict_and_call", "apredict_and_call", "as_structured_llm",
)  # fmt: skip
"""What is composed of calls, and has no form in which a call of a provider's own could be decided."""
_FRAMEWORK: Final = "llama_index.core."


def guard_model(halo: Halo, model: BaseLLM, resource: Resource | None) -> Any:
    """Register a model and return its guarded copy.

    Raises:
        ConfigError: its name can name no resource, belongs to one of another kind, or another `Halo` guards it.
    """
    guard = get_guard(model)
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
    refuse_overridden_entry_points(model, (*SENDING_METHODS, *STRUCTURED_METHODS))
    refuse_overriding_class(type(model), COMPOSED_METHODS, _FRAMEWORK)
    guarded = model.model_copy()
    object.__setattr__(guarded, "__class__", _make_guarded_class(type(model)))
    forbid_restoring(guarded)
    attach_guard(guarded, GuardMetadata(halo, model, name, registered, make_model_surface(halo)))
    return guarded


@functools.lru_cache(maxsize=256)
def _make_guarded_class(kind: type[BaseLLM]) -> type[BaseLLM]:
    members = {name: _wrap_method(kind, name) for name in SENDING_METHODS if hasattr(kind, name)}
    # The framework's own come down to the ways above; a provider's may send by itself.
    return make_spanless_subclass(
        kind,
        members
        | {
            name: _wrap_method(kind, name)
            for name in STRUCTURED_METHODS
            if overrides_entry_point(kind, name, _FRAMEWORK)
        },
    )


def _wrap_method(kind: type[BaseLLM], name: str) -> Callable[..., Any]:
    function = getattr(kind, name)
    streams = "stream" in name

    if name.startswith("a"):
        run_call = aask_stream if streams else aask

        @functools.wraps(function)
        async def asend(self: Any, *args: Any, **kwargs: Any) -> Any:
            guard = require_guard(self)
            return await run_call(
                guard, functools.partial(function, self), PreparedCall.from_arguments(guard, self, name, args, kwargs)
            )

        return asend

    run_call_sync = ask_stream if streams else ask

    @functools.wraps(function)
    def send(self: Any, *args: Any, **kwargs: Any) -> Any:
        guard = require_guard(self)
        return run_call_sync(
            guard, functools.partial(function, self), PreparedCall.from_arguments(guard, self, name, args, kwargs)
        )

    return send
