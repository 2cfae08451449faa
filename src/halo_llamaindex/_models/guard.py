"""Room: guarded models. Takes: LLMs. Gives: copies that decide each call before it is sent.

Whatever else an LLM offers (`predict`, `stream`, `structured_predict`, `predict_and_call`, `as_structured_llm`) comes
down to these methods, and is decided there; a provider's own `structured_predict` where it is entered. Never: decides
itself, changes the original.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from llama_index.core.base.llms.base import BaseLLM

from halo_core.errors import ConfigError
from halo_core.model import ActionKind, Resource
from halo_core.pep.gate import Gate, gate_of, put_gate, required, resource_name
from halo_core.pep.names import MODEL_RESOURCE, MODEL_SCHEMA
from halo_llamaindex._context import kind_with
from halo_llamaindex._guarded import not_restorable
from halo_llamaindex._models.call import Asked
from halo_llamaindex._models.run import aask, aask_stream, ask, ask_stream
from halo_llamaindex._own import made_anew, refuse_made, refuse_own
from halo_llamaindex._surfaces import model_surface
from halo_llamaindex._translate import model_name

if TYPE_CHECKING:
    from halo_llamaindex import Halo

__all__ = ["OBJECTS", "WAYS", "guard_model"]

WAYS: Final = tuple(
    f"{a}{stream}{way}"
    for a in ("", "a")
    for stream in ("", "stream_")
    for way in ("chat", "complete", "chat_with_tools")
)
"""The methods of an LLM that send something."""
OBJECTS: Final = tuple(f"{a}{stream}structured_predict" for a in ("", "a") for stream in ("", "stream_"))
"""Those that some providers have made anew, to send by themselves."""
COMPOSED: Final = (
    "predict", "apredict", "stream", "astream", "predict_and_call", "apredict_and_call", "as_structured_llm",
)  # fmt: skip
"""What is composed of calls, and has no form in which a call of a provider's own could be decided."""
_CORE: Final = "llama_index.core."


def guard_model(halo: Halo, model: BaseLLM, resource: Resource | None) -> Any:
    """Register a model and return its guarded copy.

    Raises:
        ConfigError: its name can name no resource, belongs to one of another kind, or another `Halo` guards it.
    """
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
    name = resource_name(resource, model_name(model))
    known = resource or halo.declared(name, ActionKind.INFERENCE) or MODEL_RESOURCE
    registered = halo.register(ActionKind.INFERENCE, name, resource=known, schema=MODEL_SCHEMA)
    refuse_own(model, (*WAYS, *OBJECTS))
    refuse_made(type(model), COMPOSED, _CORE)
    guarded = model.model_copy()
    object.__setattr__(guarded, "__class__", _guarded_class(type(model)))
    not_restorable(guarded)
    put_gate(guarded, Gate(halo, model, name, registered, model_surface(halo)))
    return guarded


@functools.lru_cache(maxsize=256)
def _guarded_class(kind: type[BaseLLM]) -> type[BaseLLM]:
    members = {name: _way(kind, name) for name in WAYS if hasattr(kind, name)}
    # The framework's own come down to the ways above; a provider's may send by itself.
    return kind_with(kind, members | {name: _way(kind, name) for name in OBJECTS if made_anew(kind, name, _CORE)})


def _way(kind: type[BaseLLM], name: str) -> Callable[..., Any]:
    function = getattr(kind, name)
    streams = "stream" in name

    if name.startswith("a"):
        asking = aask_stream if streams else aask

        @functools.wraps(function)
        async def asend(self: Any, *args: Any, **kwargs: Any) -> Any:
            gate = required(self)
            return await asking(gate, functools.partial(function, self), Asked.of(gate, self, name, args, kwargs))

        return asend

    sending = ask_stream if streams else ask

    @functools.wraps(function)
    def send(self: Any, *args: Any, **kwargs: Any) -> Any:
        gate = required(self)
        return sending(gate, functools.partial(function, self), Asked.of(gate, self, name, args, kwargs))

    return send
