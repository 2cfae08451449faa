"""Room: streams in a context of their own. Takes: generators. Gives: the same, seen from outside without a trace.

A context variable that a generator sets is set for its caller too while it is suspended, so a caller would act as the
agent whose stream it reads. Never: decides, reads what passes.
"""

from __future__ import annotations

import contextvars
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from typing import Any, Final, TypeVar, cast

__all__ = ["astepped", "stepped"]

T = TypeVar("T")

_END: Final = object()


def stepped(parts: Iterator[T]) -> Iterator[T]:
    """The parts of a generator that runs in a copy of this context."""
    context = contextvars.copy_context()
    try:
        while (part := context.run(next, parts, cast("T", _END))) is not _END:
            yield part
    finally:
        context.run(cast("Generator[T]", parts).close)


async def astepped(parts: AsyncIterator[T]) -> AsyncIterator[T]:
    """As `stepped`, for an asynchronous generator."""
    context = contextvars.copy_context()
    source = cast("AsyncGenerator[T]", parts)
    try:
        while True:
            try:
                part = await _In(context, source.__anext__())
            except StopAsyncIteration:
                return
            yield part
    finally:
        await _In(context, source.aclose())


class _In:
    """An awaitable every step of which runs in one context."""

    __slots__ = ("_awaitable", "_context")

    def __init__(self, context: contextvars.Context, awaitable: Any) -> None:
        self._context = context
        self._awaitable = awaitable

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self._awaitable.__await__()
        step, value = steps.send, None
        while True:
            try:
                waiting = self._context.run(step, value)
            except StopIteration as end:
                return end.value
            try:
                step, value = steps.send, (yield waiting)
            except GeneratorExit:
                self._context.run(steps.close)
                raise
            except BaseException as error:  # noqa: BLE001  a cancellation, or what was waited for: it goes inside
                step, value = steps.throw, error
