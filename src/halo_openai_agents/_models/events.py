"""Room: a response as the events of a stream. Takes: output items. Gives: the SDK's own events, in their order.

Never: leaves out what a reader of a stream waits for.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

from agents import ModelResponse
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

__all__ = ["events", "response_of"]

_WORDS: Final = re.compile(r"\S+\s*")


def response_of(answer: ModelResponse, model: str = "", like: Response | None = None) -> Response:
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


def events(response: Response, *, by_word: bool = True) -> Iterator[Any]:
    """Everything that a stream says of a response; `by_word` in pieces of a word each."""
    count = _Count()
    begun = response.model_copy(update={"output": [], "status": "in_progress"})
    yield ResponseCreatedEvent(type="response.created", response=begun, sequence_number=count())
    for index, item in enumerate(response.output):
        yield ResponseOutputItemAddedEvent(
            type="response.output_item.added", item=_begun(item), output_index=index, sequence_number=count()
        )
        yield from _inside(item, index, count, by_word=by_word)
        yield ResponseOutputItemDoneEvent(
            type="response.output_item.done", item=item, output_index=index, sequence_number=count()
        )
    yield ResponseCompletedEvent(type="response.completed", response=response, sequence_number=count())


class _Count:
    """Numbers the events of one stream."""

    def __init__(self) -> None:
        self._next = -1

    def __call__(self) -> int:
        self._next += 1
        return self._next


def _begun(item: Any) -> Any:
    if isinstance(item, ResponseOutputMessage):
        return item.model_copy(update={"content": [], "status": "in_progress"})
    return item.model_copy(update={"arguments": ""}) if isinstance(item, ResponseFunctionToolCall) else item


def _inside(item: Any, index: int, count: _Count, *, by_word: bool) -> Iterator[Any]:
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
            yield from _part(part, place, count, by_word=by_word)


def _part(
    part: ResponseOutputText | ResponseOutputRefusal, place: dict[str, Any], count: _Count, *, by_word: bool
) -> Iterator[Any]:
    spoken = isinstance(part, ResponseOutputText)
    empty = part.model_copy(update={"text" if spoken else "refusal": ""})
    yield ResponseContentPartAddedEvent(
        type="response.content_part.added", part=empty, sequence_number=count(), **place
    )
    if isinstance(part, ResponseOutputText):
        for delta in _pieces(part.text, by_word=by_word):
            yield ResponseTextDeltaEvent(
                type="response.output_text.delta", delta=delta, logprobs=[], sequence_number=count(), **place
            )
        yield ResponseTextDoneEvent(
            type="response.output_text.done", text=part.text, logprobs=[], sequence_number=count(), **place
        )
    yield ResponseContentPartDoneEvent(type="response.content_part.done", part=part, sequence_number=count(), **place)


def _pieces(text: str, *, by_word: bool) -> Sequence[str]:
    return (_WORDS.findall(text) or [text]) if by_word else [text]
