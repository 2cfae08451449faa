"""Room: the class of a guarded model. Takes: a model's class. Gives: a subclass whose every way in is decided.

Every method that sends a call decides it unless the one above did: the one that looks into the cache, those that
generate and stream, sync and async, public or not; and an entry point that the class has made anew, since nobody
knows which of the others it calls. Never: decides itself, holds anything of one model.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from langchain_core.callbacks import BaseCallbackManager
from langchain_core.language_models import BaseChatModel, BaseLanguageModel, BaseLLM
from langchain_core.outputs import ChatResult

from halo_core.pep.gate import required, subclass
from halo_langchain._models.anew import anew, first, prompts
from halo_langchain._models.call import current, entry
from halo_langchain._models.run import ahook, arun, hook, run
from halo_langchain._models.stream import aentered_stream, astream, entered_stream, stream
from halo_langchain._values.answers import (
    ANSWER,
    CHAT,
    CHAT_CHUNKS,
    EVENTS,
    GENERATED,
    TEXT,
    TEXT_CHUNKS,
    TEXTS,
    Shape,
)

__all__ = ["guarded_class"]


@functools.lru_cache(maxsize=256)
def guarded_class(kind: type[BaseLanguageModel[Any]]) -> type[Any]:
    members = {**_entries(kind), **_streams(kind)}
    if issubclass(kind, BaseChatModel):
        members |= {**_chat(kind), **_protocol(kind)}
        sent: Mapping[str, Shape] = {"_generate": CHAT, "_agenerate": CHAT, "_call": TEXT, "_acall": TEXT}
    else:
        members |= _text(kind)
        sent = {"_generate": TEXTS, "_agenerate": TEXTS, "_call": TEXT, "_acall": TEXT}
    members |= anew(kind)
    for name, shape in sent.items():
        if hasattr(kind, name):
            members[name] = _method(kind, name, ahook if name.startswith("_a") else hook, shape)
    return subclass(kind, members)


def _method(kind: type[Any], name: str, way: Callable[..., Any], shape: Shape) -> Callable[..., Any]:
    """A method of a class, gone through in one of the ways of `_model_run` and `_model_stream`."""
    inner = getattr(kind, name)
    made: Callable[..., Any]
    if way in (ahook, arun):

        async def amethod(self: Any, *args: Any, **kwargs: Any) -> Any:
            return await way(required(self), self, functools.partial(inner, self), shape, *args, **kwargs)

        made = amethod
    else:  # a stream is the generator that its way makes

        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            return way(required(self), self, functools.partial(inner, self), shape, *args, **kwargs)

        made = method
    # The framework reads the signature.
    return functools.wraps(inner)(made)


def _streams(kind: type[Any]) -> dict[str, Any]:
    """The streaming methods that a class has of its own: the framework asks whether there are any."""
    base = BaseChatModel if issubclass(kind, BaseChatModel) else BaseLLM
    shape = CHAT_CHUNKS if base is BaseChatModel else TEXT_CHUNKS
    found: dict[str, Any] = {}
    streams = kind._stream is not base._stream  # noqa: SLF001  the hooks of a model
    if streams:
        found["_stream"] = _method(kind, "_stream", stream, shape)
    if streams or kind._astream is not base._astream:  # noqa: SLF001  as above
        found["_astream"] = _method(kind, "_astream", astream, shape)
    for name, way in (("_stream_chat_model_events", stream), ("_astream_chat_model_events", astream)):
        if getattr(kind, name, None) is not None:
            found[name] = _method(kind, name, way, EVENTS)
    return found


def _own(kind: type[Any], name: str) -> bool:
    """Whether a class has made one of the framework's entry points anew."""
    base = BaseChatModel if issubclass(kind, BaseChatModel) else BaseLLM
    return getattr(kind, name) is not getattr(base, name)


def _entries(kind: type[Any]) -> dict[str, Any]:
    """Entry points, which say that a guard decides this run, and whose session it is."""
    mine = {name: _own(kind, name) for name in ("invoke", "ainvoke", "stream", "astream")}

    def invoke(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  the framework's name
        gate, inner = required(self), functools.partial(kind.invoke, self)
        with entry(gate, self, config):
            if mine["invoke"]:
                return run(gate, self, inner, ANSWER, input, config, **kwargs)
            return inner(input, config, **kwargs)

    async def ainvoke(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  as above
        gate, inner = required(self), functools.partial(kind.ainvoke, self)
        with entry(gate, self, config):
            if mine["ainvoke"]:
                return await arun(gate, self, inner, ANSWER, input, config, **kwargs)
            return await inner(input, config, **kwargs)

    def streamed(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  as above
        gate, inner = required(self), functools.partial(kind.stream, self)
        inner = functools.partial(stream, gate, self, inner, ANSWER) if mine["stream"] else inner
        return entered_stream(gate, self, config, inner(input, config, **kwargs))

    def astreamed(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  as above
        gate, inner = required(self), functools.partial(kind.astream, self)
        inner = functools.partial(astream, gate, self, inner, ANSWER) if mine["astream"] else inner
        return aentered_stream(gate, self, config, inner(input, config, **kwargs))

    made = {"invoke": invoke, "ainvoke": ainvoke, "stream": streamed, "astream": astreamed}
    return {name: functools.wraps(getattr(kind, name))(method) for name, method in made.items()}


def _chat(kind: type[Any]) -> dict[str, Any]:
    """Of a chat model: each of its prompts is decided, before the cache is asked."""
    mine = {name: _own(kind, name) for name in ("generate", "agenerate")}

    def generate(self: Any, *args: Any, **kwargs: Any) -> Any:
        gate = required(self)
        with entry(gate, self, runs=prompts(args, kwargs)):
            if mine["generate"]:
                return run(gate, self, functools.partial(kind.generate, self), GENERATED, *args, **kwargs)
            return kind.generate(self, *args, **kwargs)

    async def agenerate(self: Any, *args: Any, **kwargs: Any) -> Any:
        gate = required(self)
        with entry(gate, self, runs=prompts(args, kwargs)):
            if mine["agenerate"]:
                return await arun(gate, self, functools.partial(kind.agenerate, self), GENERATED, *args, **kwargs)
            return await kind.agenerate(self, *args, **kwargs)

    def _convert_cached_generations(self: Any, *args: Any, **kwargs: Any) -> Any:
        # An answer that was kept before anything restricted it; what follows replays it to whoever listens.
        gate = required(self)
        found = kind._convert_cached_generations(self, *args, **kwargs)  # noqa: SLF001  the one place that reads it
        decided = current(gate)
        if decided is None or not decided.ticket.holds_output:
            return found
        return CHAT.finish(decided.ticket, ChatResult(generations=found), gate.surface).generations

    members = {
        "generate": generate,
        "agenerate": agenerate,
        "_convert_cached_generations": _convert_cached_generations,
    }
    wrapped = {name: functools.wraps(getattr(kind, name))(method) for name, method in members.items()}
    return wrapped | {
        "_generate_with_cache": _method(kind, "_generate_with_cache", run, CHAT),
        "_agenerate_with_cache": _method(kind, "_agenerate_with_cache", arun, CHAT),
    }


def _protocol(kind: type[Any]) -> dict[str, Any]:
    """Of a chat model: what is behind `stream_events`, which begins its run when somebody reads."""

    def _chat_model_stream_v3(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  as above
        gate = required(self)
        made = kind._chat_model_stream_v3(self, input, config, **kwargs)  # noqa: SLF001  behind `stream_events`

        def step(function: Callable[[], Any]) -> Any:
            with entry(gate, self, config):
                return function()

        start, more = made._ensure_started, made._request_more  # noqa: SLF001  both begin the run, whichever is first
        made.set_start(functools.partial(step, start))
        made.set_request_more(functools.partial(step, more))
        return made

    async def _achat_model_stream_v3(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002
        gate = required(self)
        made = await kind._achat_model_stream_v3(self, input, config, **kwargs)  # noqa: SLF001  as above
        start = made._ensure_started  # noqa: SLF001  it begins the run

        async def begun() -> None:
            with entry(gate, self, config):  # the task that it starts takes this context along
                await start()

        made.set_start(begun)
        return made

    made = {"_chat_model_stream_v3": _chat_model_stream_v3, "_achat_model_stream_v3": _achat_model_stream_v3}
    return {name: functools.wraps(getattr(kind, name))(method) for name, method in made.items()}


def _traced(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Arguments with which a text model tells its callbacks what it is called; without metadata it does not."""
    if kwargs.get("metadata") is not None:
        return kwargs
    callbacks = kwargs.get("callbacks", args[2] if len(args) > 2 else None)
    if isinstance(callbacks, list) and callbacks and isinstance(callbacks[0], list | BaseCallbackManager | None):
        return {**kwargs, "metadata": [{} for _ in callbacks]}
    return {**kwargs, "metadata": {}}


def _text(kind: type[Any]) -> dict[str, Any]:
    """Of a text model: all prompts of a call are decided at once, before the cache is asked."""

    def generate(self: Any, *args: Any, **kwargs: Any) -> Any:
        gate, kwargs = required(self), _traced(args, kwargs)
        with entry(gate, self, runs=prompts(args, kwargs)):
            return run(gate, self, functools.partial(kind.generate, self), TEXTS, *args, **kwargs)

    async def agenerate(self: Any, *args: Any, **kwargs: Any) -> Any:
        gate, kwargs = required(self), _traced(args, kwargs)
        with entry(gate, self, runs=prompts(args, kwargs)):
            return await arun(gate, self, functools.partial(kind.agenerate, self), TEXTS, *args, **kwargs)

    def batch(self: Any, inputs: Any, config: Any = None, **kwargs: Any) -> Any:
        gate = required(self)
        with entry(gate, self, first(config)):  # one call for all of them
            return kind.batch(self, inputs, config, **kwargs)

    async def abatch(self: Any, inputs: Any, config: Any = None, **kwargs: Any) -> Any:
        gate = required(self)
        with entry(gate, self, first(config)):
            return await kind.abatch(self, inputs, config, **kwargs)

    made = {"generate": generate, "agenerate": agenerate, "batch": batch, "abatch": abatch}
    return {name: functools.wraps(getattr(kind, name))(method) for name, method in made.items()}
