"""Guarded models: copies of chat models and text models that decide each call before it is sent.

Every method that can send a call decides it, unless a method above has done so: the method that looks into the cache,
and the public and private methods that generate and stream. An entry point that the model's class overrides is decided
on entry, with all of its prompts at once, since it may call the other methods in any order, or none of them. The calls
that it makes for single prompts run under that decision.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, Final

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.language_models import BaseChatModel, BaseLanguageModel, BaseLLM
from langchain_core.outputs import ChatResult
from langchain_core.runnables import RunnableBinding

from halo_core.enforcement.flow import govern, govern_stream, run_step
from halo_core.enforcement.guarded_calls import make_governed_method
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
from halo_core.enforcement.step_methods import make_method, make_stream_method
from halo_core.enforcement.steps import Steps, emit_parts
from halo_core.model import ActionKind, Resource
from halo_langchain._model_calls import (
    RUNNING,
    ModelCall,
    ModelMethod,
    ModelStream,
    current_decided_call,
    model_entry_scope,
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
from halo_langchain._translate import (
    FRAMEWORK,
    is_language_model,
    model_name,
    refuse_overridden_entry_points,
    unwrap_bindings,
)

if TYPE_CHECKING:
    from halo_langchain import Halo


EntryScope = Callable[[Any, tuple[Any, ...], dict[str, Any]], AbstractContextManager[None]]
"""What stands around a call of a guarded model's method, given the model and the arguments."""


def _first_config(config: Any) -> Any:
    """The configuration of a batch: its first one if it has several."""
    return next(iter(config), None) if isinstance(config, list | tuple) else config


def _run_scope(
    model: Any, args: tuple[Any, ...], kwargs: dict[str, Any], *, starts_at_once: bool = False
) -> AbstractContextManager[None]:
    """The scope of an entry point that starts one run, under its configuration."""
    config = _first_config(args[1] if len(args) > 1 else kwargs.get("config"))
    return model_entry_scope(require_guard(model), model, config, starts_at_once=starts_at_once)


def _prompts_scope(
    model: Any, args: tuple[Any, ...], kwargs: dict[str, Any], *, starts_at_once: bool = False
) -> AbstractContextManager[None]:
    """The scope of an entry point that starts a run for each of its prompts."""
    prompts = args[0] if args else kwargs.get("messages", kwargs.get("prompts", ()))
    return model_entry_scope(require_guard(model), model, runs=len(prompts), starts_at_once=starts_at_once)


def _is_async(name: str) -> bool:
    return name.lstrip("_").startswith("a")


def _wrap_method(
    kind: type[Any], name: str, open_scope: EntryScope, shape: AnswerShape | None = None
) -> Callable[..., Any]:
    """A method of a class inside its scope; decides the call if given the shape of its answer."""
    inner = getattr(kind, name)

    def steps(self: Any, *args: Any, **kwargs: Any) -> Steps[Any]:
        guard, function = require_guard(self), functools.partial(inner, self)
        with open_scope(self, args, kwargs):
            if shape is None:
                return (yield (functools.partial(function, *args, **kwargs),))
            return (yield run_step(ModelCall(ModelMethod(guard, self, function, shape), args, kwargs)))

    return make_method(inner, steps, is_async=_is_async(name))


def _wrap_inner_method(kind: type[Any], name: str) -> Callable[..., Any]:
    """A method that entry points call, which have opened the scope; decides the call."""
    inner = getattr(kind, name)

    def make_call(self: Any, *args: Any, **kwargs: Any) -> ModelCall:
        method = ModelMethod(require_guard(self), self, functools.partial(inner, self), ANSWER_SHAPE)
        return ModelCall(method, args, kwargs)

    return make_governed_method(inner, make_call, is_async=_is_async(name))


def _wrap_sending_method(kind: type[Any], name: str) -> Callable[..., Any]:
    """A method that sends a decided call and restricts its answer; decides first if called directly."""
    inner = getattr(kind, name)

    def steps(self: Any, *args: Any, **kwargs: Any) -> Steps[Any]:
        guard, function = require_guard(self), functools.partial(inner, self)
        decided_call = current_decided_call(guard)
        if decided_call is None:
            function = functools.partial(method, self)  # which finds the decision
        elif decided_call.state == RUNNING:  # one method of the model calls another
            return (yield (functools.partial(function, *args, **kwargs),))
        call = ModelCall(ModelMethod(guard, self, function, ANSWER_SHAPE), args, kwargs, decided_call)
        return (yield from govern(call))

    method = make_method(inner, steps, is_async=_is_async(name))
    return method


def _wrap_stream_method(kind: type[Any], name: str, shape: AnswerShape) -> Callable[..., Any]:
    """A method that streams a call; decides it unless the calling method did."""
    inner = getattr(kind, name)

    def steps(self: Any, *args: Any, **kwargs: Any) -> Steps[Any]:
        guard, function = require_guard(self), functools.partial(inner, self)
        decided_call = current_decided_call(guard)
        if decided_call is not None and decided_call.state == RUNNING:  # one method of the model calls another
            return (yield from emit_parts(function(*args, **kwargs)))
        method = ModelMethod(guard, self, function, shape)
        return (yield from govern_stream(ModelStream(method, args, kwargs, decided_call)))

    return make_stream_method(inner, steps, is_async=_is_async(name))


def _wrap_stream_entry(kind: type[Any], name: str, shape: AnswerShape | None) -> Callable[..., Any]:
    """A streaming entry point with every step inside its scope; decides if given the shape of its answer."""
    inner = getattr(kind, name)
    stream_inner = inner if shape is None else _wrap_stream_method(kind, name, shape)

    def steps(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Steps[None]:  # noqa: A002  the framework's name
        guard = require_guard(self)
        models = chain((self,), repeat(None))  # its run begins at the first step: no later one passes under its claim
        parts = stream_inner(self, input, config, **kwargs)

        def enter() -> AbstractContextManager[None]:
            model = next(models)
            return model_entry_scope(guard, model, config, starts_at_once=shape is None and model is not None)

        return emit_parts(parts, enter)

    return make_stream_method(inner, steps, is_async=_is_async(name))


def _wrap_batch_method(kind: type[Any], name: str) -> Callable[..., Any]:
    """An overridden entry point with several prompts: one decision, passed down to each call."""
    inner = getattr(kind, name)

    def steps(self: Any, inputs: Any, config: Any = None, **kwargs: Any) -> Steps[Any]:
        guard, inputs_copy = require_guard(self), copy.deepcopy(inputs)  # nobody else holds it
        converted = [self._convert_input(item) for item in inputs_copy]

        def function(_converted: Any, *args: Any, **kwargs: Any) -> Any:
            return inner(self, inputs_copy, *args, **kwargs)

        with model_entry_scope(guard, self, _first_config(config), runs=len(converted)):
            method = ModelMethod(guard, self, function, ENTRY_SHAPE)
            return (yield run_step(ModelCall(method, (converted, config), kwargs)))

    return make_method(inner, steps, is_async=_is_async(name))


# guarded classes


@functools.lru_cache(maxsize=256)
def _make_guarded_class(kind: type[BaseLanguageModel[Any]]) -> type[Any]:
    """Subclass in which every method that sends a call decides it, unless the calling method did."""
    is_chat = issubclass(kind, BaseChatModel)
    members = _wrap_chat_methods(kind) if is_chat else _wrap_text_methods(kind)
    for name in ("invoke", "ainvoke"):
        shape = _choose_shape(kind, name)
        scope = functools.partial(_run_scope, starts_at_once=shape is None)
        members[name] = _wrap_method(kind, name, scope, shape)
    for name in ("stream", "astream"):
        members[name] = _wrap_stream_entry(kind, name, _choose_shape(kind, name))
    for name in ("batch", "abatch", "generate_prompt", "agenerate_prompt"):
        if overrides_entry_point(kind, name, FRAMEWORK):
            is_batch = name.endswith("batch")
            members[name] = _wrap_batch_method(kind, name) if is_batch else _wrap_prompts_method(kind, name)
    for name in ("_generate", "_agenerate", "_call", "_acall"):
        if hasattr(kind, name):
            members[name] = _wrap_sending_method(kind, name)
    stream_shapes = dict.fromkeys(_list_own_streams(kind), CHAT_CHUNKS_SHAPE if is_chat else ANSWER_SHAPE)
    stream_shapes |= dict.fromkeys(("_stream_chat_model_events", "_astream_chat_model_events"), EVENTS_SHAPE)
    for name, shape in stream_shapes.items():
        if getattr(kind, name, None) is not None:
            members[name] = _wrap_stream_method(kind, name, shape)
    return make_named_subclass(kind, members)


def _differs_from_base(kind: type[Any], name: str) -> bool:
    base = BaseChatModel if issubclass(kind, BaseChatModel) else BaseLLM
    return getattr(kind, name) is not getattr(base, name)


def _choose_shape(kind: type[Any], name: str) -> AnswerShape | None:
    """The answer's shape for an entry point that the class overrides, which is decided there."""
    return ENTRY_SHAPE if _differs_from_base(kind, name) else None


def _list_own_streams(kind: type[Any]) -> tuple[str, ...]:
    """The class's own streaming methods: the framework checks whether there are any."""
    if _differs_from_base(kind, "_stream"):
        return "_stream", "_astream"
    return ("_astream",) if _differs_from_base(kind, "_astream") else ()


def _wrap_prompts_method(kind: type[Any], name: str) -> Callable[..., Any]:
    shape = _choose_shape(kind, name)
    return _wrap_method(kind, name, functools.partial(_prompts_scope, starts_at_once=shape is None), shape)


def _wrap_chat_methods(kind: type[Any]) -> dict[str, Any]:
    """Wrappers of a chat model's methods: each prompt is decided before the cache is read."""
    return {
        **{name: _wrap_prompts_method(kind, name) for name in ("generate", "agenerate")},
        **{name: _wrap_inner_method(kind, name) for name in ("_generate_with_cache", "_agenerate_with_cache")},
        **{name: _wrap_event_stream(kind, name) for name in ("_chat_model_stream_v3", "_achat_model_stream_v3")},
        "_convert_cached_generations": _wrap_cache_reader(kind),
    }


def _wrap_text_methods(kind: type[Any]) -> dict[str, Any]:
    """Wrappers of a text model's methods: all prompts of a call are decided at once, before the cache is read."""
    return {
        **{name: _wrap_generate(kind, name) for name in ("generate", "agenerate")},
        # One call for all prompts of a batch.
        **{name: _wrap_method(kind, name, _run_scope) for name in ("batch", "abatch")},
    }


def _wrap_cache_reader(kind: type[Any]) -> Callable[..., Any]:
    """Wrapper of the one method that reads a chat model's cache."""
    convert = kind._convert_cached_generations  # noqa: SLF001  it has no other

    @functools.wraps(convert)
    def _convert_cached_generations(self: Any, *args: Any, **kwargs: Any) -> Any:
        # An answer that was kept before anything restricted it; what follows replays it to whoever listens.
        guard, generations = require_guard(self), convert(self, *args, **kwargs)
        decided_call = current_decided_call(guard)
        if decided_call is None or not decided_call.ticket.holds_output:
            return generations
        surface = make_answer_surface(guard.surface)
        return decided_call.ticket.restrict(ChatResult(generations=generations), surface).generations

    return _convert_cached_generations


def _wrap_event_stream(kind: type[Any], name: str) -> Callable[..., Any]:
    """Wrapper of a chat model's method behind `stream_events`, which starts its run when it is first read."""
    inner, is_async = getattr(kind, name), _is_async(name)

    def steps(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Steps[Any]:  # noqa: A002  as above
        guard = require_guard(self)
        event_stream = yield (functools.partial(inner, self, input, config, **kwargs),)

        def enter(function: Callable[..., Any]) -> Callable[..., Any]:
            def entered_steps() -> Steps[Any]:
                with model_entry_scope(guard, self, config):  # the task that it starts takes this context along
                    return (yield (function,))

            return make_method(function, entered_steps, is_async=is_async)

        event_stream.set_start(enter(event_stream._ensure_started))  # noqa: SLF001  it begins the run
        if not is_async:  # here either begins the run, whichever is first
            event_stream.set_request_more(enter(event_stream._request_more))  # noqa: SLF001  as above
        return event_stream

    return make_method(inner, steps, is_async=is_async)


def _wrap_generate(kind: type[Any], name: str) -> Callable[..., Any]:
    """Wrapper of a text model's method that passes metadata, without which callbacks do not learn the model's name."""
    scope = functools.partial(_prompts_scope, starts_at_once=not _differs_from_base(kind, name))
    method = _wrap_method(kind, name, scope, ANSWER_SHAPE)

    @functools.wraps(method)
    def with_metadata(self: Any, *args: Any, **kwargs: Any) -> Any:  # a coroutine function gives its coroutine
        return method(self, *args, **_with_metadata(args, kwargs))

    return with_metadata


def _with_metadata(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Arguments with metadata, so that a text model tells its callbacks its name."""
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


def is_model(obj: Any) -> bool:
    """Whether `guard_model` accepts it."""
    return is_language_model(unwrap_bindings(obj))


def find_model_guard(halo: Halo, model: Any) -> tuple[GuardMetadata | None, bool]:
    """The guard of a model that this `Halo` guards, whatever is bound to it.

    Returns:
        The guard, None for a model without one of this `Halo`, and whether this `Halo` can restrict the model's answer
        inside the model.
    """
    inner = unwrap_bindings(model)
    guard = get_guard(inner)
    is_own = guard is None or guard.halo is halo
    return guard if is_own else None, is_own and is_language_model(inner)


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
    """A guarded copy; without a resource it uses what is known of its name, and registers nothing."""
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
