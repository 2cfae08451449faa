"""Model calls that stream: their chunks as they come, or the whole at once where an obligation may change it.

A stream is recorded when it ends, as cancelled when whoever reads it stops early. Context variables are set around
each step alone: a generator runs in its reader's context.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from contextlib import AbstractContextManager, aclosing
from typing import TYPE_CHECKING, Any

from langchain_core.outputs import GenerationChunk

from halo_core.enforcement import Ticket, flow
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
from halo_langchain._pause import LangChainAction

if TYPE_CHECKING:
    from halo_core.enforcement.guards import GuardMetadata
    from halo_langchain._results import AnswerShape

Method = Callable[..., Any]
Stream = Generator[Any, None, None]
AsyncStream = AsyncGenerator[Any, None]


class _ModelStream(LangChainAction, flow.GovernedStream):
    """A stream of a guarded model, decided and recorded here unless a method above or the middleware does."""

    def __init__(
        self,
        guard: GuardMetadata,
        model: Any,
        decided_call: DecidedCall | None,
        function: Method,
        shape: AnswerShape,
        /,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        self.halo = guard.halo
        self.guard = guard
        self.function = function
        self.shape = shape
        self.args, self.kwargs = args, kwargs
        self.callback_manager: Any = None
        self.decided_call = decided_call
        call, decision = None, decided_call.ticket if decided_call is not None else None
        if decided_call is None:
            self.prepared = PreparedModelCall.from_arguments(guard, model, args, kwargs)
            self.args, self.kwargs = self.prepared.args, self.prepared.kwargs
            decision = take_middleware_ticket(guard, self.prepared)
            call = self.prepared.build_call(guard) if decision is None else None
        super().__init__(guard.halo.enforcer, call, guard.surface, decision=decision, records_outcome=decision is None)

    def execute(self, ticket: Ticket) -> Any:
        """Call the method."""
        if self.decided_call is None:
            self.decided_call = self.prepared.to_decided_call(
                self.guard, ticket, is_entry_point=self.shape.is_entry_point
            )
        self.decided_call.state = READY if self.shape.is_entry_point else RUNNING
        args, kwargs, self.callback_manager = mute_callbacks(ticket, self.args, self.kwargs)
        source = self.function(*args, **kwargs)
        return aiter(source) if hasattr(source, "__aiter__") else iter(source)

    def part_scope(self, ticket: Ticket) -> AbstractContextManager[Any]:  # noqa: ARG002  it is in the decided call
        """Around the model's own code."""
        if self.decided_call is None:
            raise AssertionError("a stream is started before its parts are taken")
        return sending_scope(self.decided_call)

    def is_last(self, part: Any) -> bool:
        """Whether nobody may come back for the end of the stream."""
        return self.shape.is_last(part)

    def merge_parts(self) -> Any:
        """As an `LLMResult`."""
        return self.shape.merge_parts(self.parts, lenient=not self.is_withheld)

    def split_result(self, result: Any) -> Iterable[Any]:
        """An `LLMResult` as chunks."""
        return self.shape.split_result(result, self.parts)

    def announce(self, part: Any) -> Any:
        """Tell whoever listens of what was withheld until now."""
        if self.callback_manager is None or not isinstance(part, GenerationChunk):
            return None
        return self.callback_manager.on_llm_new_token(part.text, chunk=part)

    def close(self) -> None:
        """Nothing more comes down with this decision."""
        if self.decided_call is not None:
            self.decided_call.state = DONE


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
    else:
        yield from flow.stream(_ModelStream(guard, model, decided_call, function, shape, *args, **kwargs))


async def astream_model_call(
    guard: GuardMetadata, model: Any, function: Method, shape: AnswerShape, /, *args: Any, **kwargs: Any
) -> AsyncStream:
    """As `stream_model_call`, for an asynchronous generator."""
    decided_call = current_decided_call(guard)
    if decided_call is not None and decided_call.state == RUNNING:
        parts = function(*args, **kwargs)
    else:
        parts = flow.astream(_ModelStream(guard, model, decided_call, function, shape, *args, **kwargs))
    try:
        async for part in parts:
            yield part
    finally:
        if hasattr(parts, "aclose"):
            await parts.aclose()


def stream_in_entry_scope(guard: GuardMetadata, model: Any, config: Any, source: Any) -> Stream:
    """A stream of a guarded model's entry point, every step of it entered."""
    try:
        while True:
            with model_entry_scope(guard, model, config):
                try:
                    chunk = next(source)
                except StopIteration:
                    return
            model = None  # its run began at the first step: no later one passes under its claim
            yield chunk
    finally:
        source.close()


async def astream_in_entry_scope(guard: GuardMetadata, model: Any, config: Any, source: Any) -> AsyncStream:
    """As `stream_in_entry_scope`, for an asynchronous generator."""
    async with aclosing(source):
        while True:
            with model_entry_scope(guard, model, config):
                try:
                    chunk = await anext(source)
                except StopAsyncIteration:
                    return
            model = None
            yield chunk
