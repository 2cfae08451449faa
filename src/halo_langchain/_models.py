"""Guarded models: copies of chat models and text models that decide each call before it is sent.

Every method that sends a call decides it unless the one above did: the one that looks into the cache, those that
generate and stream, public or not. An entry point that the class overrides is decided where it is entered, since nobody
knows which of the others it calls, how often, or whether any: all of its prompts at once, and what it calls for each of
them takes that decision along.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.language_models import BaseChatModel, BaseLanguageModel, BaseLLM
from langchain_core.outputs import ChatResult
from langchain_core.runnables import RunnableBinding

from halo_core.enforcement.guards import (
    GuardMetadata,
    attach_guard,
    get_guard,
    make_named_subclass,
    make_unregistered_resource,
    overrides_entry_point,
    refuse_other_halo,
    require_guard,
)
from halo_core.model import ActionKind, Resource
from halo_langchain._model_calls import (
    arun_model_call,
    asend_model_call,
    current_decided_call,
    model_entry_scope,
    run_model_call,
    send_model_call,
)
from halo_langchain._model_streams import (
    astream_in_entry_scope,
    astream_model_call,
    stream_in_entry_scope,
    stream_model_call,
)
from halo_langchain._results import (
    ANSWER_SHAPE,
    CHAT_CHUNKS_SHAPE,
    ENTRY_SHAPE,
    EVENTS_SHAPE,
    AnswerShape,
    make_answer_surface,
    make_model_surface,
)
from halo_langchain._translate import FRAMEWORK, model_name, refuse_overridden_entry_points

if TYPE_CHECKING:
    from halo_langchain import Halo


def _first_config(config: Any) -> Any:
    """The configuration of a batch, of one with several its first."""
    return next(iter(config), None) if isinstance(config, list | tuple) else config


def _wrap_batch_methods(kind: type[Any]) -> dict[str, Any]:
    """Entry points with several prompts that a class overrides: one decision, handed down to each of the calls."""

    def prepare(self: Any, inputs: Any, method: Callable[..., Any]) -> tuple[list[Any], Callable[..., Any]]:
        """What is decided, and the method on inputs that nobody else holds."""
        converted, inputs_copy = _convert_inputs(self, inputs)
        return converted, lambda _converted, *args, **kwargs: method(self, inputs_copy, *args, **kwargs)

    def batch(self: Any, inputs: Any, config: Any = None, **kwargs: Any) -> Any:
        guard, (converted, method) = require_guard(self), prepare(self, inputs, kind.batch)
        with model_entry_scope(guard, self, _first_config(config), runs=len(converted)):
            return run_model_call(guard, self, method, ENTRY_SHAPE, converted, config, **kwargs)

    async def abatch(self: Any, inputs: Any, config: Any = None, **kwargs: Any) -> Any:
        guard, (converted, method) = require_guard(self), prepare(self, inputs, kind.abatch)
        with model_entry_scope(guard, self, _first_config(config), runs=len(converted)):
            return await arun_model_call(guard, self, method, ENTRY_SHAPE, converted, config, **kwargs)

    members: dict[str, Callable[..., Any]] = {
        "batch": functools.wraps(kind.batch)(batch),
        "abatch": functools.wraps(kind.abatch)(abatch),
        "generate_prompt": _wrap_entry_point(kind, "generate_prompt", _prompts_scope, ENTRY_SHAPE),
        "agenerate_prompt": _wrap_entry_point(kind, "agenerate_prompt", _prompts_scope, ENTRY_SHAPE),
    }
    return {name: method for name, method in members.items() if overrides_entry_point(kind, name, FRAMEWORK)}


EntryScope = Callable[[GuardMetadata, Any, tuple[Any, ...], dict[str, Any]], AbstractContextManager[None]]


def _wrap_entry_point(
    kind: type[Any], name: str, open_scope: EntryScope, shape: AnswerShape | None = None
) -> Callable[..., Any]:
    """An entry point of a class inside its scope; decided there, where a shape of its answer is given."""
    inner = getattr(kind, name)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        guard = require_guard(self)
        with open_scope(guard, self, args, kwargs):
            if shape is None:
                return inner(self, *args, **kwargs)
            return run_model_call(guard, self, functools.partial(inner, self), shape, *args, **kwargs)

    async def amethod(self: Any, *args: Any, **kwargs: Any) -> Any:
        guard = require_guard(self)
        with open_scope(guard, self, args, kwargs):
            if shape is None:
                return await inner(self, *args, **kwargs)
            return await arun_model_call(guard, self, functools.partial(inner, self), shape, *args, **kwargs)

    return functools.wraps(inner)(amethod if name.startswith("a") else method)


def _run_scope(
    guard: GuardMetadata, model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> AbstractContextManager[None]:
    """Of an entry point that starts one run, under its configuration."""
    return model_entry_scope(guard, model, _first_config(args[1] if len(args) > 1 else kwargs.get("config")))


def _prompts_scope(
    guard: GuardMetadata, model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> AbstractContextManager[None]:
    """Of an entry point that starts a run for each of its prompts."""
    prompts = args[0] if args else kwargs.get("messages", kwargs.get("prompts", ()))
    return model_entry_scope(guard, model, runs=len(prompts))


def _convert_inputs(model: Any, inputs: Any) -> tuple[list[Any], Any]:
    """What the inputs of a batch show to a model, and the inputs as nobody else holds them."""
    inputs_copy = copy.deepcopy(inputs)
    return [model._convert_input(item) for item in inputs_copy], inputs_copy  # noqa: SLF001  as its entry points do


@functools.lru_cache(maxsize=256)
def _make_guarded_class(kind: type[BaseLanguageModel[Any]]) -> type[Any]:
    """Subclass whose every method that sends a call decides it, unless the method above did."""
    is_chat = issubclass(kind, BaseChatModel)
    members = {**_wrap_entry_points(kind), **_wrap_stream_methods(kind)}
    members |= {**_wrap_chat_methods(kind), **_wrap_event_streams(kind)} if is_chat else _wrap_text_methods(kind)
    members |= _wrap_batch_methods(kind)
    for name in ("_generate", "_agenerate", "_call", "_acall"):
        if hasattr(kind, name):
            handler = asend_model_call if name.startswith("_a") else send_model_call
            members[name] = _wrap_method(kind, name, handler, ANSWER_SHAPE)
    return make_named_subclass(kind, members)


def _wrap_method(kind: type[Any], name: str, handler: Callable[..., Any], shape: AnswerShape) -> Callable[..., Any]:
    """A method of a class, called in one of the ways of `_model_calls` and `_model_streams`."""
    inner = getattr(kind, name)
    wrapped: Callable[..., Any]
    if handler in (asend_model_call, arun_model_call):

        async def amethod(self: Any, *args: Any, **kwargs: Any) -> Any:
            return await handler(require_guard(self), self, functools.partial(inner, self), shape, *args, **kwargs)

        wrapped = amethod
    else:  # a stream is the generator that its way makes

        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            return handler(require_guard(self), self, functools.partial(inner, self), shape, *args, **kwargs)

        wrapped = method
    # The framework reads the signature.
    return functools.wraps(inner)(wrapped)


def _wrap_stream_methods(kind: type[Any]) -> dict[str, Any]:
    """The streaming methods that a class has of its own: the framework asks whether there are any."""
    base = BaseChatModel if issubclass(kind, BaseChatModel) else BaseLLM
    shape = CHAT_CHUNKS_SHAPE if base is BaseChatModel else ANSWER_SHAPE
    members: dict[str, Any] = {}
    has_stream = kind._stream is not base._stream  # noqa: SLF001  the hooks of a model
    if has_stream:
        members["_stream"] = _wrap_method(kind, "_stream", stream_model_call, shape)
    if has_stream or kind._astream is not base._astream:  # noqa: SLF001  as above
        members["_astream"] = _wrap_method(kind, "_astream", astream_model_call, shape)
    for name, handler in (
        ("_stream_chat_model_events", stream_model_call),
        ("_astream_chat_model_events", astream_model_call),
    ):
        if getattr(kind, name, None) is not None:
            members[name] = _wrap_method(kind, name, handler, EVENTS_SHAPE)
    return members


def _differs_from_base(kind: type[Any], name: str) -> bool:
    """Whether a class overrides one of the framework's entry points."""
    base = BaseChatModel if issubclass(kind, BaseChatModel) else BaseLLM
    return getattr(kind, name) is not getattr(base, name)


def _wrap_entry_points(kind: type[Any]) -> dict[str, Any]:
    """Entry points, which say that a guard decides this run, and whose session it is."""
    shapes = {
        name: ENTRY_SHAPE if _differs_from_base(kind, name) else None
        for name in ("invoke", "ainvoke", "stream", "astream")
    }

    def wrap_stream(name: str, decide: Callable[..., Any], enter: Callable[..., Any]) -> Callable[..., Any]:
        inner, shape = getattr(kind, name), shapes[name]

        def method(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  the framework's name
            guard, call = require_guard(self), functools.partial(inner, self)
            call = call if shape is None else functools.partial(decide, guard, self, call, shape)
            return enter(guard, self, config, call(input, config, **kwargs))

        return functools.wraps(inner)(method)

    return {
        "invoke": _wrap_entry_point(kind, "invoke", _run_scope, shapes["invoke"]),
        "ainvoke": _wrap_entry_point(kind, "ainvoke", _run_scope, shapes["ainvoke"]),
        "stream": wrap_stream("stream", stream_model_call, stream_in_entry_scope),
        "astream": wrap_stream("astream", astream_model_call, astream_in_entry_scope),
    }


def _wrap_chat_methods(kind: type[Any]) -> dict[str, Any]:
    """Of a chat model: each of its prompts is decided, before the cache is asked."""
    convert = kind._convert_cached_generations  # noqa: SLF001  the one place that reads the cache

    @functools.wraps(convert)
    def _convert_cached_generations(self: Any, *args: Any, **kwargs: Any) -> Any:
        # An answer that was kept before anything restricted it; what follows replays it to whoever listens.
        guard, generations = require_guard(self), convert(self, *args, **kwargs)
        decided_call = current_decided_call(guard)
        if decided_call is None or not decided_call.ticket.holds_output:
            return generations
        surface = make_answer_surface(guard.surface)
        return decided_call.ticket.restrict(ChatResult(generations=generations), surface).generations

    shapes = {name: ENTRY_SHAPE if _differs_from_base(kind, name) else None for name in ("generate", "agenerate")}
    return {
        **{name: _wrap_entry_point(kind, name, _prompts_scope, shape) for name, shape in shapes.items()},
        "_convert_cached_generations": _convert_cached_generations,
        "_generate_with_cache": _wrap_method(kind, "_generate_with_cache", run_model_call, ANSWER_SHAPE),
        "_agenerate_with_cache": _wrap_method(kind, "_agenerate_with_cache", arun_model_call, ANSWER_SHAPE),
    }


def _wrap_event_streams(kind: type[Any]) -> dict[str, Any]:
    """Of a chat model: what is behind `stream_events`, which begins its run when somebody reads."""

    def _chat_model_stream_v3(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  as above
        guard = require_guard(self)
        event_stream = kind._chat_model_stream_v3(self, input, config, **kwargs)  # noqa: SLF001  behind `stream_events`

        def run_in_scope(function: Callable[[], Any]) -> Any:
            with model_entry_scope(guard, self, config):
                return function()

        start, request_more = event_stream._ensure_started, event_stream._request_more  # noqa: SLF001  both begin the run, whichever is first
        event_stream.set_start(functools.partial(run_in_scope, start))
        event_stream.set_request_more(functools.partial(run_in_scope, request_more))
        return event_stream

    async def _achat_model_stream_v3(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002
        guard = require_guard(self)
        event_stream = await kind._achat_model_stream_v3(self, input, config, **kwargs)  # noqa: SLF001  as above
        start = event_stream._ensure_started  # noqa: SLF001  it begins the run

        async def start_in_scope() -> None:
            with model_entry_scope(guard, self, config):  # the task that it starts takes this context along
                await start()

        event_stream.set_start(start_in_scope)
        return event_stream

    members = {"_chat_model_stream_v3": _chat_model_stream_v3, "_achat_model_stream_v3": _achat_model_stream_v3}
    return {name: functools.wraps(getattr(kind, name))(method) for name, method in members.items()}


def _wrap_text_methods(kind: type[Any]) -> dict[str, Any]:
    """Of a text model: all prompts of a call are decided at once, before the cache is asked."""

    def wrap_generate(name: str) -> Callable[..., Any]:
        method = _wrap_entry_point(kind, name, _prompts_scope, ANSWER_SHAPE)

        @functools.wraps(method)
        def with_metadata(self: Any, *args: Any, **kwargs: Any) -> Any:  # a coroutine function gives its coroutine
            return method(self, *args, **_with_metadata(args, kwargs))

        return with_metadata

    return {
        **{name: wrap_generate(name) for name in ("generate", "agenerate")},
        # One call for all prompts of a batch.
        **{name: _wrap_entry_point(kind, name, _run_scope) for name in ("batch", "abatch")},
    }


def _with_metadata(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Arguments with which a text model tells its callbacks what it is called; without metadata it does not."""
    if kwargs.get("metadata") is not None:
        return kwargs
    callbacks = kwargs.get("callbacks", args[2] if len(args) > 2 else None)
    if isinstance(callbacks, list) and callbacks and isinstance(callbacks[0], list | BaseCallbackManager | None):
        return {**kwargs, "metadata": [{} for _ in callbacks]}
    return {**kwargs, "metadata": {}}


_ENTRY_POINTS: Final = (
    *("invoke", "ainvoke", "batch", "abatch", "stream", "astream"),
    *("generate", "agenerate", "generate_prompt", "agenerate_prompt"),
    *("_generate", "_agenerate", "_stream", "_astream", "_call", "_acall"),
)


def unwrap_bindings(model: Any) -> Any:
    """The model under its bindings."""
    while isinstance(model, RunnableBinding):
        model = model.bound
    return model


def is_model(obj: Any) -> bool:
    """Whether `guard_model` takes it."""
    return isinstance(unwrap_bindings(obj), BaseChatModel | BaseLLM)


def find_model_guard(halo: Halo, model: Any) -> GuardMetadata | None:
    """The guard of a model that this `Halo` guards, with whatever is bound to it."""
    guard = get_guard(unwrap_bindings(model))
    return guard if guard is not None and guard.halo is halo else None


def can_restrict_output(halo: Halo, model: Any) -> bool:
    """Whether this `Halo` can restrict what a model says where it says it."""
    return is_model(model) and (get_guard(unwrap_bindings(model)) is None or find_model_guard(halo, model) is not None)


def guard_model(halo: Halo, model: Any, resource: Resource | None) -> Any:
    """Register a model and return its guarded copy; what is bound to it stays bound.

    Raises:
        ConfigError: its name can name no resource, belongs to one of another kind, another `Halo` guards it, or its
            class has an entry point of its own that cannot be decided.
    """
    if isinstance(model, RunnableBinding):
        return model.model_copy(update={"bound": guard_model(halo, model.bound, resource)})
    guard = get_guard(model)
    refuse_other_halo(halo, guard, "model")
    if guard is not None:
        if resource is None:
            return model
        model = guard.original
    refuse_overridden_entry_points(
        model, _ENTRY_POINTS, (), "guard a model without it; the framework's own calls what Halo decides"
    )
    return copy_model_with_guard(halo, model, halo.register_model(model_name(model), resource))


def copy_model_with_guard(halo: Halo, model: Any, resource: Resource | None = None) -> Any:
    """A guarded copy; without a resource, as what is known of its name (nothing is registered)."""
    if isinstance(model, RunnableBinding):
        return model.model_copy(update={"bound": copy_model_with_guard(halo, model.bound, resource)})
    name = model_name(model)
    known_resource = resource or halo.find_registered(name) or make_unregistered_resource(name, ActionKind.INFERENCE)
    guarded = model.model_copy()
    kind: type[BaseLanguageModel[Any]] = type(model)
    object.__setattr__(guarded, "__class__", _make_guarded_class(kind))
    # What its runs show of it is made once more: by that they are told from those of the original.
    guarded.__dict__.pop("_serialized", None)
    attach_guard(guarded, GuardMetadata(halo, model, name, known_resource, make_model_surface(halo)))
    return guarded
