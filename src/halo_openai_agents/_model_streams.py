"""The stream of a guarded model, and an answer as the events of a stream.

Events pass as they come; where an obligation may change the answer, none does before all of it was read.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

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

from halo_core.enforcement import Ticket
from halo_core.enforcement.flow import GovernedStream
from halo_openai_agents._model_calls import ModelAction

_WORD_PATTERN: Final = re.compile(r"\S+\s*")
_ENDING_EVENTS: Final = ("response.incomplete", "response.failed", "error", "response.error")


def build_response(answer: ModelResponse, model: str = "") -> Response:
    """Make a response object of an answer."""
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


def iter_events(response: Response) -> Iterator[Any]:
    """All events of a stream that delivers a response, its text word by word."""
    count = itertools.count().__next__
    empty_response = response.model_copy(update={"output": [], "status": "in_progress"})
    yield ResponseCreatedEvent(type="response.created", response=empty_response, sequence_number=count())
    for index, item in enumerate(response.output):
        place: dict[str, Any] = {"output_index": index, "sequence_number": count()}
        yield ResponseOutputItemAddedEvent(type="response.output_item.added", item=_strip_content(item), **place)
        if isinstance(item, ResponseFunctionToolCall):
            yield from _iter_call_events(item, index, count)
        elif isinstance(item, ResponseOutputMessage):
            for part_index, part in enumerate(item.content):
                part_place = {"item_id": item.id, "output_index": index, "content_index": part_index}
                yield from _iter_part_events(part, part_place, count)
        place = {"output_index": index, "sequence_number": count()}
        yield ResponseOutputItemDoneEvent(type="response.output_item.done", item=item, **place)
    yield ResponseCompletedEvent(type="response.completed", response=response, sequence_number=count())


def _strip_content(item: Any) -> Any:
    if isinstance(item, ResponseOutputMessage):
        return item.model_copy(update={"content": [], "status": "in_progress"})
    return item.model_copy(update={"arguments": ""}) if isinstance(item, ResponseFunctionToolCall) else item


def _iter_call_events(item: ResponseFunctionToolCall, index: int, count: Callable[[], int]) -> Iterator[Any]:
    place: dict[str, Any] = {"item_id": item.id or item.call_id, "output_index": index}
    yield ResponseFunctionCallArgumentsDeltaEvent(
        type="response.function_call_arguments.delta", delta=item.arguments, sequence_number=count(), **place
    )
    yield ResponseFunctionCallArgumentsDoneEvent(
        type="response.function_call_arguments.done", arguments=item.arguments, sequence_number=count(), **place
    )


def _iter_part_events(
    part: ResponseOutputText | ResponseOutputRefusal, place: dict[str, Any], count: Callable[[], int]
) -> Iterator[Any]:
    is_text = isinstance(part, ResponseOutputText)
    empty = part.model_copy(update={"text" if is_text else "refusal": ""})
    yield ResponseContentPartAddedEvent(
        type="response.content_part.added", part=empty, sequence_number=count(), **place
    )
    if isinstance(part, ResponseOutputText):
        for delta in _WORD_PATTERN.findall(part.text) or [part.text]:
            yield ResponseTextDeltaEvent(
                type="response.output_text.delta", delta=delta, logprobs=[], sequence_number=count(), **place
            )
        yield ResponseTextDoneEvent(
            type="response.output_text.done", text=part.text, logprobs=[], sequence_number=count(), **place
        )
    yield ResponseContentPartDoneEvent(type="response.content_part.done", part=part, sequence_number=count(), **place)


class ModelStream(ModelAction, GovernedStream):
    """A call of `stream_response`; its parts are the output items of the answer.

    A generator runs in the context of whoever asks for its next part, so its steps have no scope.
    """

    async def add_part(self, ticket: Ticket, part: Any) -> Any:
        """Return what of an event may be passed on now."""
        kind = str(getattr(part, "type", ""))
        if kind == "response.output_item.done":
            self.parts.append(part.item)
        if kind == "response.completed":
            self._is_recorded = True
            used = await self.finish_answer(ticket, _build_answer(part.response, self.parts))
            response = part.response.model_copy(update={"output": list(used.output)})
            return iter_events(response) if self.is_withheld else (part,)
        if not self.is_withheld:
            return (part,)
        return (_strip_output(part),) if kind in _ENDING_EVENTS else ()

    def finish_stream(self, ticket: Ticket) -> Any:
        """Record a stream that ended without an answer; the SDK reports that to the reader."""
        self._record(ticket)
        return ()

    def merge_parts(self) -> ModelResponse:
        return _build_answer(None, self.parts)


def _strip_output(event: Any) -> Any:
    """The event with which a stream broke off, without the output before it."""
    response = getattr(event, "response", None)
    if isinstance(response, Response):
        return event.model_copy(update={"response": response.model_copy(update={"output": []})})
    return event


def _build_answer(response: Response | None, items: list[Any]) -> ModelResponse:
    output = list(response.output) if response is not None and response.output else list(items)
    return ModelResponse(output=output, usage=Usage(), response_id=response.id if response is not None else None)
