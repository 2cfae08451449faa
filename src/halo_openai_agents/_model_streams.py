"""Room: a response as the events of a stream. Takes: output items. Gives: the SDK's own events, in their order.

Never: leaves out what a reader of a stream waits for.

Room: a decided stream on its way to whoever reads it. Takes: events. Gives: those that may be passed on now.

Events pass as they come; where an obligation may change the answer, none before all of it was read. Never: decides.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from agents import ModelResponse
from agents.usage import Usage
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseContentPartAddedEvent,
    ResponseContentPartDoneEvent,
    ResponseCreatedEvent,
    ResponseFunctionCallArgumentsDeltaEvent,
    ResponseFunctionCallArgumentsDoneEvent,
    ResponseFunctionToolCall,
    ResponseOutputItemAddedEvent,
    ResponseOutputItemDoneEvent,
    ResponseOutputMessage,
    ResponseOutputRefusal,
    ResponseOutputText,
    ResponseTextDeltaEvent,
    ResponseTextDoneEvent,
)

from halo_openai_agents._model_calls import PreparedCall, record_unknown_calls

if TYPE_CHECKING:
    from halo_core.enforcement import Ticket
    from halo_core.enforcement.guards import GuardMetadata
    from halo_openai_agents._runs import AgentRun

__all__ = [
    "DecidedStream",
    "build_response",
    "iter_events",
]


_WORD_PATTERN: Final = re.compile(r"\S+\s*")


def build_response(answer: ModelResponse, model: str = "", like: Response | None = None) -> Response:
    """A response object that holds an answer; the rest as in `like`, if there is one."""
    if like is not None:
        return like.model_copy(update={"output": list(answer.output)})
    return Response(
        id=answer.response_id or "response",
        created_at=time.time(),
        model=model or "unknown",
        object="response",
        output=list(answer.output),
        parallel_tool_calls=True,
        tool_choice="auto",
        tools=[],
        status="completed",
    )


def iter_events(response: Response, *, by_word: bool = True) -> Iterator[Any]:
    """Everything that a stream says of a response; `by_word` in pieces of a word each."""
    count = _SequenceNumbers()
    empty_response = response.model_copy(update={"output": [], "status": "in_progress"})
    yield ResponseCreatedEvent(type="response.created", response=empty_response, sequence_number=count())
    for index, item in enumerate(response.output):
        yield ResponseOutputItemAddedEvent(
            type="response.output_item.added", item=_strip_content(item), output_index=index, sequence_number=count()
        )
        yield from _iter_item_events(item, index, count, by_word=by_word)
        yield ResponseOutputItemDoneEvent(
            type="response.output_item.done", item=item, output_index=index, sequence_number=count()
        )
    yield ResponseCompletedEvent(type="response.completed", response=response, sequence_number=count())


class _SequenceNumbers:
    """Numbers the events of one stream."""

    def __init__(self) -> None:
        self._last = -1

    def __call__(self) -> int:
        self._last += 1
        return self._last


def _strip_content(item: Any) -> Any:
    if isinstance(item, ResponseOutputMessage):
        return item.model_copy(update={"content": [], "status": "in_progress"})
    return item.model_copy(update={"arguments": ""}) if isinstance(item, ResponseFunctionToolCall) else item


def _iter_item_events(item: Any, index: int, count: _SequenceNumbers, *, by_word: bool) -> Iterator[Any]:
    if isinstance(item, ResponseFunctionToolCall):
        place: dict[str, Any] = {"item_id": item.id or item.call_id, "output_index": index}
        yield ResponseFunctionCallArgumentsDeltaEvent(
            type="response.function_call_arguments.delta", delta=item.arguments, sequence_number=count(), **place
        )
        yield ResponseFunctionCallArgumentsDoneEvent(
            type="response.function_call_arguments.done",
            arguments=item.arguments,
            sequence_number=count(),
            **place,
        )
    elif isinstance(item, ResponseOutputMessage):
        for part_index, part in enumerate(item.content):
            place = {"item_id": item.id, "output_index": index, "content_index": part_index}
            yield from _iter_part_events(part, place, count, by_word=by_word)


def _iter_part_events(
    part: ResponseOutputText | ResponseOutputRefusal, place: dict[str, Any], count: _SequenceNumbers, *, by_word: bool
) -> Iterator[Any]:
    is_text = isinstance(part, ResponseOutputText)
    empty = part.model_copy(update={"text" if is_text else "refusal": ""})
    yield ResponseContentPartAddedEvent(
        type="response.content_part.added", part=empty, sequence_number=count(), **place
    )
    if isinstance(part, ResponseOutputText):
        for delta in _split_words(part.text, by_word=by_word):
            yield ResponseTextDeltaEvent(
                type="response.output_text.delta", delta=delta, logprobs=[], sequence_number=count(), **place
            )
        yield ResponseTextDoneEvent(
            type="response.output_text.done", text=part.text, logprobs=[], sequence_number=count(), **place
        )
    yield ResponseContentPartDoneEvent(type="response.content_part.done", part=part, sequence_number=count(), **place)


def _split_words(text: str, *, by_word: bool) -> Sequence[str]:
    return (_WORD_PATTERN.findall(text) or [text]) if by_word else [text]


_ENDING_EVENTS: Final = ("response.incomplete", "response.failed", "error", "response.error")


class DecidedStream:
    """One decided stream on its way to whoever reads it."""

    def __init__(self, guard: GuardMetadata, prepared: PreparedCall, run: AgentRun | None, ticket: Ticket) -> None:
        self.ticket = ticket
        self._guard = guard
        self._prepared = prepared
        self._run = run
        self._items: list[Any] = []
        self._is_complete = False

    async def process_event(self, event: Any) -> list[Any]:
        """What of an event may be passed on now."""
        kind = str(getattr(event, "type", ""))
        if kind == "response.output_item.done":
            self._items.append(event.item)
        if kind == "response.completed":
            return await self._finish_completed(event)
        if not self.ticket.holds_output:
            return [event]
        return [self._strip_output(event)] if kind in _ENDING_EVENTS else []

    def finish(self) -> None:
        """The source is done; where it gave no answer, nobody was given one, and the SDK says so."""
        if not self._is_complete:
            self.ticket.succeed(_build_answer(None, self._items), self._guard.surface)

    async def _finish_completed(self, event: Any) -> list[Any]:
        self._is_complete = True
        answer = _build_answer(event.response, self._items)
        used = self.ticket.succeed(answer, self._guard.surface)
        await record_unknown_calls(self._guard, self._prepared, used, self._run)
        if not self.ticket.holds_output:
            return [event]
        return list(iter_events(build_response(used, like=event.response)))

    @staticmethod
    def _strip_output(event: Any) -> Any:
        """How a stream broke off, without what it had said."""
        response = getattr(event, "response", None)
        if isinstance(response, Response):
            return event.model_copy(update={"response": response.model_copy(update={"output": []})})
        return event


def _build_answer(response: Response | None, items: list[Any]) -> ModelResponse:
    output = list(response.output) if response is not None and response.output else list(items)
    return ModelResponse(output=output, usage=Usage(), response_id=response.id if response is not None else None)
