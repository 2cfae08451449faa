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

from halo_langchain._models.call import DONE, READY, RUNNING, Asked, Decided, current, entry, muted, sending, taken
from halo_langchain._pause import abegin, begin, broke_off, raisable

if TYPE_CHECKING:
    from halo_core.pep.gate import Gate
    from halo_langchain._values.answers import Shape

__all__ = ["aentered_stream", "astream", "entered_stream", "stream"]

Method = Callable[..., Any]
Stream = Generator[Any, None, None]
AsyncStream = AsyncGenerator[Any, None]


@dataclass(slots=True)
class _Flow:
    """One decided stream.

    Args:
        gate: of the model.
        shape: of its parts.
        decided: the decision it runs under.
        records: whether its end is recorded here, and not further up.
        said: what has come so far.
        held: whether nothing of it may be passed on before it is complete.
    """

    gate: Gate
    shape: Shape
    decided: Decided
    records: bool
    said: list[Any] = field(default_factory=list)
    held: bool = field(init=False)

    def __post_init__(self) -> None:
        self.held = self.decided.ticket.holds_output

    def ended(self) -> Iterable[Any]:
        """What is left to pass on when all of it has come."""
        if self.held:
            return self.shape.finish_stream(self.decided.ticket, self.said, self.gate.surface)
        if self.records:
            self.shape.record_stream(self.decided.ticket, self.said, self.gate.surface)
        return ()

    def passing(self, part: Any) -> None:
        """Record a stream whose last part is passed on: nobody may come back for its end."""
        if self.records and self.shape.last(part):
            self.shape.record_stream(self.decided.ticket, self.said, self.gate.surface)

    def broke(self, error: BaseException) -> BaseException:
        """Record that it ended early; what may be raised of it."""
        return (broke_off if self.records else raisable)(self.decided.ticket, error)


def stream(gate: Gate, model: Any, function: Method, shape: Shape, /, *args: Any, **kwargs: Any) -> Stream:
    """Decide a stream unless that was done, pass it on, record it at its end.

    Raises:
        Denied: at the first step: it may not be made, and nothing was sent.
        Pending: it waits for an answer.
    """
    decided = current(gate)
    if decided is not None and decided.state == RUNNING:  # one method of the model calls another
        yield from function(*args, **kwargs)
    elif decided is not None:
        yield from _send(_Flow(gate, shape, decided, records=False), function, args, kwargs)
    else:
        asked = Asked.of(gate, model, args, kwargs)
        given = taken(gate, asked)
        decided = asked.decided(gate, given or begin(gate.halo, asked.call(gate)), enters=shape.enters)
        yield from _send(_Flow(gate, shape, decided, records=given is None), function, asked.args, asked.kwargs)


def _send(flow: _Flow, function: Method, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Stream:
    flow.decided.state = READY if flow.shape.enters else RUNNING
    args, kwargs, told = muted(flow.decided.ticket, args, kwargs)
    source: Any = None
    try:
        source = iter(function(*args, **kwargs))
        while True:
            with sending(flow.decided):
                try:
                    chunk = next(source)
                except StopIteration:
                    break
            flow.said.append(chunk)
            if not flow.held:
                flow.passing(chunk)
                yield chunk
        for part in flow.ended():
            if told is not None and isinstance(part, GenerationChunk):
                told.on_llm_new_token(part.text, chunk=part)
            yield part
    except BaseException as exc:
        failed = flow.broke(exc)
        if failed is exc:
            raise
    else:
        return
    finally:
        flow.decided.state = DONE
        if hasattr(source, "close"):
            source.close()
    raise failed


async def astream(gate: Gate, model: Any, function: Method, shape: Shape, /, *args: Any, **kwargs: Any) -> AsyncStream:
    """As `stream`, for an asynchronous generator."""
    decided = current(gate)
    if decided is not None and decided.state == RUNNING:
        parts = function(*args, **kwargs)
    elif decided is not None:
        parts = _asend(_Flow(gate, shape, decided, records=False), function, args, kwargs)
    else:
        asked = Asked.of(gate, model, args, kwargs)
        given = taken(gate, asked)
        ticket = given or await abegin(gate.halo, asked.call(gate))
        decided = asked.decided(gate, ticket, enters=shape.enters)
        parts = _asend(_Flow(gate, shape, decided, records=given is None), function, asked.args, asked.kwargs)
    try:
        async for part in parts:
            yield part
    finally:
        if hasattr(parts, "aclose"):
            await parts.aclose()


async def _asend(flow: _Flow, function: Method, args: tuple[Any, ...], kwargs: dict[str, Any]) -> AsyncStream:
    flow.decided.state = READY if flow.shape.enters else RUNNING
    args, kwargs, told = muted(flow.decided.ticket, args, kwargs)
    source: Any = None
    try:
        source = aiter(function(*args, **kwargs))
        while True:
            with sending(flow.decided):
                try:
                    chunk = await anext(source)
                except StopAsyncIteration:
                    break
            flow.said.append(chunk)
            if not flow.held:
                flow.passing(chunk)
                yield chunk
        for part in flow.ended():
            if told is not None and isinstance(part, GenerationChunk):
                await told.on_llm_new_token(part.text, chunk=part)
            yield part
    except BaseException as exc:
        failed = flow.broke(exc)
        if failed is exc:
            raise
    else:
        return
    finally:
        flow.decided.state = DONE
        if hasattr(source, "aclose"):
            await source.aclose()
    raise failed


def entered_stream(gate: Gate, model: Any, config: Any, source: Any) -> Stream:
    """A stream of a guarded model's entry point, every step of it entered."""
    try:
        while True:
            with entry(gate, model, config):
                try:
                    chunk = next(source)
                except StopIteration:
                    return
            model = None  # its run began at the first step: no later one passes under its mark
            yield chunk
    finally:
        source.close()


async def aentered_stream(gate: Gate, model: Any, config: Any, source: Any) -> AsyncStream:
    """As `entered_stream`, for an asynchronous generator."""
    async with aclosing(source):
        while True:
            with entry(gate, model, config):
                try:
                    chunk = await anext(source)
                except StopAsyncIteration:
                    return
            model = None
            yield chunk
