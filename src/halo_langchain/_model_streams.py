"""Room: model calls that stream. Takes: a gate, a method. Gives: its chunks as they come, or one where restricted.

A stream is recorded when it ends, as cancelled when whoever reads it stops early. Context variables are set around
each step alone: a generator runs in its reader's context. Never: decides by itself, holds a chunk back that no
policy restricts.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langchain_core.outputs import GenerationChunk

from halo_langchain._model_calls import (
    DONE,
    READY,
    RUNNING,
    DecidedCall,
    PreparedModelCall,
    current_decided_call,
    model_entry_scope,
    mute_callbacks,
    sending_scope,
    take_middleware_ticket,
)
from halo_langchain._pause import abegin_or_pause, begin_or_pause, finish_failed, make_raisable

if TYPE_CHECKING:
    from halo_core.enforcement.guards import GuardMetadata
    from halo_langchain._results import AnswerShape

__all__ = ["astream_in_entry_scope", "astream_model_call", "stream_in_entry_scope", "stream_model_call"]

Method = Callable[..., Any]
Stream = Generator[Any, None, None]
AsyncStream = AsyncGenerator[Any, None]


@dataclass(slots=True)
class _DecidedStream:
    """One decided stream.

    Args:
        guard: of the model.
        shape: of its parts.
        decided_call: the decision it runs under.
        records_end: whether its end is recorded here, and not further up.
        chunks: what has come so far.
        is_held: whether nothing of it may be passed on before it is complete.
    """

    guard: GuardMetadata
    shape: AnswerShape
    decided_call: DecidedCall
    records_end: bool
    chunks: list[Any] = field(default_factory=list)
    is_held: bool = field(init=False)

    def __post_init__(self) -> None:
        self.is_held = self.decided_call.ticket.holds_output

    def finish(self) -> Iterable[Any]:
        """What is left to pass on when all of it has come."""
        if self.is_held:
            return self.shape.finish_stream(self.decided_call.ticket, self.chunks, self.guard.surface)
        if self.records_end:
            self.shape.record_stream(self.decided_call.ticket, self.chunks, self.guard.surface)
        return ()

    def record_if_last(self, part: Any) -> None:
        """Record a stream whose last part is passed on: nobody may come back for its end."""
        if self.records_end and self.shape.is_last(part):
            self.shape.record_stream(self.decided_call.ticket, self.chunks, self.guard.surface)

    def record_failure(self, error: BaseException) -> BaseException:
        """Record that it ended early; what may be raised of it."""
        return (finish_failed if self.records_end else make_raisable)(self.decided_call.ticket, error)


def stream_model_call(
    guard: GuardMetadata, model: Any, function: Method, shape: AnswerShape, /, *args: Any, **kwargs: Any
) -> Stream:
    """Decide a stream unless that was done, pass it on, record it at its end.

    Raises:
        Denied: at the first step: it may not be made, and nothing was sent.
        Pending: it waits for an answer.
    """
    decided_call = current_decided_call(guard)
    if decided_call is not None and decided_call.state == RUNNING:  # one method of the model calls another
        yield from function(*args, **kwargs)
    elif decided_call is not None:
        yield from _stream_chunks(_DecidedStream(guard, shape, decided_call, records_end=False), function, args, kwargs)
    else:
        prepared = PreparedModelCall.from_arguments(guard, model, args, kwargs)
        middleware_ticket = take_middleware_ticket(guard, prepared)
        decided_call = prepared.to_decided_call(
            guard,
            middleware_ticket or begin_or_pause(guard.halo, prepared.build_call(guard)),
            is_entry_point=shape.is_entry_point,
        )
        yield from _stream_chunks(
            _DecidedStream(guard, shape, decided_call, records_end=middleware_ticket is None),
            function,
            prepared.args,
            prepared.kwargs,
        )


def _stream_chunks(
    decided_stream: _DecidedStream, function: Method, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Stream:
    decided_stream.decided_call.state = READY if decided_stream.shape.is_entry_point else RUNNING
    args, kwargs, callback_manager = mute_callbacks(decided_stream.decided_call.ticket, args, kwargs)
    source: Any = None
    try:
        source = iter(function(*args, **kwargs))
        while True:
            with sending_scope(decided_stream.decided_call):
                try:
                    chunk = next(source)
                except StopIteration:
                    break
            decided_stream.chunks.append(chunk)
            if not decided_stream.is_held:
                decided_stream.record_if_last(chunk)
                yield chunk
        for part in decided_stream.finish():
            if callback_manager is not None and isinstance(part, GenerationChunk):
                callback_manager.on_llm_new_token(part.text, chunk=part)
            yield part
    except BaseException as exc:
        failed = decided_stream.record_failure(exc)
        if failed is exc:
            raise
    else:
        return
    finally:
        decided_stream.decided_call.state = DONE
        if hasattr(source, "close"):
            source.close()
    raise failed


async def astream_model_call(
    guard: GuardMetadata, model: Any, function: Method, shape: AnswerShape, /, *args: Any, **kwargs: Any
) -> AsyncStream:
    """As `stream`, for an asynchronous generator."""
    decided_call = current_decided_call(guard)
    if decided_call is not None and decided_call.state == RUNNING:
        parts = function(*args, **kwargs)
    elif decided_call is not None:
        parts = _astream_chunks(_DecidedStream(guard, shape, decided_call, records_end=False), function, args, kwargs)
    else:
        prepared = PreparedModelCall.from_arguments(guard, model, args, kwargs)
        middleware_ticket = take_middleware_ticket(guard, prepared)
        ticket = middleware_ticket or await abegin_or_pause(guard.halo, prepared.build_call(guard))
        decided_call = prepared.to_decided_call(guard, ticket, is_entry_point=shape.is_entry_point)
        parts = _astream_chunks(
            _DecidedStream(guard, shape, decided_call, records_end=middleware_ticket is None),
            function,
            prepared.args,
            prepared.kwargs,
        )
    try:
        async for part in parts:
            yield part
    finally:
        if hasattr(parts, "aclose"):
            await parts.aclose()


async def _astream_chunks(
    decided_stream: _DecidedStream, function: Method, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> AsyncStream:
    decided_stream.decided_call.state = READY if decided_stream.shape.is_entry_point else RUNNING
    args, kwargs, callback_manager = mute_callbacks(decided_stream.decided_call.ticket, args, kwargs)
    source: Any = None
    try:
        source = aiter(function(*args, **kwargs))
        while True:
            with sending_scope(decided_stream.decided_call):
                try:
                    chunk = await anext(source)
                except StopAsyncIteration:
                    break
            decided_stream.chunks.append(chunk)
            if not decided_stream.is_held:
                decided_stream.record_if_last(chunk)
                yield chunk
        for part in decided_stream.finish():
            if callback_manager is not None and isinstance(part, GenerationChunk):
                await callback_manager.on_llm_new_token(part.text, chunk=part)
            yield part
    except BaseException as exc:
        failed = decided_stream.record_failure(exc)
        if failed is exc:
            raise
    else:
        return
    finally:
        decided_stream.decided_call.state = DONE
        if hasattr(source, "aclose"):
            await source.aclose()
    raise failed


def stream_in_entry_scope(guard: GuardMetadata, model: Any, config: Any, source: Any) -> Stream:
    """A stream of a guarded model's entry point, every step of it entered."""
    try:
        while True:
            with model_entry_scope(guard, model, config):
                try:
                    chunk = next(source)
                except StopIteration:
                    return
            model = None  # its run began at the first step: no later one passes under its mark
            yield chunk
    finally:
        source.close()


async def astream_in_entry_scope(guard: GuardMetadata, model: Any, config: Any, source: Any) -> AsyncStream:
    """As `entered_stream`, for an asynchronous generator."""
    async with aclosing(source):
        while True:
            with model_entry_scope(guard, model, config):
                try:
                    chunk = await anext(source)
                except StopAsyncIteration:
                    return
            model = None
            yield chunk
