"""Room: model calls, at once or as a stream. Takes: a gate, a method. Gives: what it returns, decided.

A stream passes through as it comes, unless what it says may have to be made less: then nothing of it is handed on
before all of it was read. Context variables are set around each step of a stream alone: a generator runs in its
reader's context. Never: decides by itself.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Any, Final

from llama_index.core.base.llms.types import ChatResponse, CompletionResponse, TextBlock

from halo_core.errors import Denied
from halo_core.pep import Surface, Ticket
from halo_core.pep.gate import Gate
from halo_llamaindex._models.call import Asked, Decided, below, sending
from halo_llamaindex._pause import abegin, begin, broke_off
from halo_llamaindex._words import message_text

__all__ = ["aask", "aask_stream", "ask", "ask_stream"]

_NOTHING: Final[Surface[str]] = Surface(str, None, lambda said, _mask: said, lambda said, _notice: said)
"""Of a stream that said nothing."""

# at once


def ask(gate: Gate, function: Callable[..., Any], asked: Asked) -> Any:
    """Decide a call, make it, record it.

    Raises:
        Denied: it may not be made, and nothing was sent.
        Pending: it waits for an answer.
    """
    with below(gate) as under:
        if under:
            return function(*asked.args, **asked.kwargs)
    ticket = begin(gate.halo, asked.call(gate))
    decided = asked.decided(gate, ticket)
    try:
        with sending(decided):
            result = function(*asked.args, **asked.kwargs)
    except BaseException as exc:
        failed = broke_off(ticket, exc)
        if failed is exc:
            raise
    else:
        return ticket.succeed(result, gate.surface)
    finally:
        decided.end()
    raise failed


async def aask(gate: Gate, function: Callable[..., Awaitable[Any]], asked: Asked) -> Any:
    """As `ask`, for a coroutine function."""
    with below(gate) as under:
        if under:
            return await function(*asked.args, **asked.kwargs)
    ticket = await abegin(gate.halo, asked.call(gate))
    decided = asked.decided(gate, ticket)
    try:
        with sending(decided):
            result = await function(*asked.args, **asked.kwargs)
    except BaseException as exc:
        failed = broke_off(ticket, exc)
        if failed is exc:
            raise
    else:
        return ticket.succeed(result, gate.surface)
    finally:
        decided.end()
    raise failed


# streams


def ask_stream(gate: Gate, function: Callable[..., Any], asked: Asked) -> Any:
    """As `ask`, of a method that returns a generator."""
    with below(gate, lazily=True) as under:
        if under:
            return function(*asked.args, **asked.kwargs)
    ticket = begin(gate.halo, asked.call(gate))
    decided = asked.decided(gate, ticket)
    try:
        with sending(decided):
            source = function(*asked.args, **asked.kwargs)
    except BaseException as exc:
        failed = broke_off(ticket, exc)
        if failed is exc:
            raise
    else:
        return _passed(_Flow(gate, ticket), decided, iter(source))
    raise failed


async def aask_stream(gate: Gate, function: Callable[..., Awaitable[Any]], asked: Asked) -> Any:
    """As `ask_stream`, of a coroutine function that returns an asynchronous generator."""
    with below(gate, lazily=True) as under:
        if under:
            return await function(*asked.args, **asked.kwargs)
    ticket = await abegin(gate.halo, asked.call(gate))
    decided = asked.decided(gate, ticket)
    try:
        with sending(decided):
            source = await function(*asked.args, **asked.kwargs)
    except BaseException as exc:
        failed = broke_off(ticket, exc)
        if failed is exc:
            raise
    else:
        return _apassed(_Flow(gate, ticket), decided, aiter(source))
    raise failed


def _passed(flow: _Flow, decided: Decided, source: Any) -> Generator[Any, None, None]:
    try:
        while True:
            with sending(decided):
                try:
                    chunk = next(source)
                except StopIteration:
                    break
            if flow.takes(chunk):
                yield chunk
        yield from flow.ended()
    except BaseException as exc:
        failed = flow.broke(exc)
        if failed is exc:
            raise
    else:
        return
    finally:
        decided.end()
        if hasattr(source, "close"):
            source.close()
    raise failed


async def _apassed(flow: _Flow, decided: Decided, source: Any) -> AsyncGenerator[Any, None]:
    try:
        while True:
            with sending(decided):
                try:
                    chunk = await anext(source)
                except StopAsyncIteration:
                    break
            if flow.takes(chunk):
                yield chunk
        for part in flow.ended():
            yield part
    except BaseException as exc:
        failed = flow.broke(exc)
        if failed is exc:
            raise
    else:
        return
    finally:
        decided.end()
        if hasattr(source, "aclose"):
            await source.aclose()
    raise failed


class _Flow:
    """What a stream has said so far."""

    def __init__(self, gate: Gate, ticket: Ticket) -> None:
        self._gate = gate
        self._ticket = ticket
        self._held = ticket.holds_output
        self._deltas: list[str] = []
        self._last: Any = None
        self._recorded = False

    def takes(self, chunk: Any) -> bool:
        """Keep a chunk in mind; whether it may be handed on now."""
        self._deltas.append(chunk.delta or "")
        self._last = chunk
        return not self._held

    def ended(self) -> list[Any]:
        """Record the whole; what is handed on of a stream that was held back."""
        self._recorded = True
        if self._last is None:
            self._ticket.succeed("", _NOTHING)
            return []
        whole = self._whole()
        used = self._ticket.succeed(whole, self._gate.surface)
        if not self._held:
            return []
        text = message_text(used.message) if isinstance(used, ChatResponse) else used.text
        return [used.model_copy(update={"delta": text})]

    def broke(self, error: BaseException) -> BaseException:
        """Record that it broke off, or that its reader stopped; what may be raised."""
        return error if self._recorded and isinstance(error, Denied) else broke_off(self._ticket, error)

    def _whole(self) -> Any:
        """The last chunk, which says all that was said; where it does not, with all the pieces put together."""
        said, last = "".join(self._deltas), self._last
        if isinstance(last, ChatResponse):
            text = message_text(last.message)
            if said and len(text) < len(said):
                message = last.message.model_copy()
                message.blocks = [
                    *(item for item in message.blocks if not isinstance(item, TextBlock)),
                    TextBlock(text=said),
                ]
                return last.model_copy(update={"message": message})
        elif isinstance(last, CompletionResponse) and len(last.text) < len(said):
            return last.model_copy(update={"text": said})
        return last
