"""The stream of a guarded model, and an answer as the events of a stream.

Events pass as they come; where an obligation may change the answer, none does before all of it was read.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterator, Sequence
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

__all__ = [
    "ModelStream",
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
    count = itertools.count().__next__
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


def _strip_content(item: Any) -> Any:
    if isinstance(item, ResponseOutputMessage):
        return item.model_copy(update={"content": [], "status": "in_progress"})
    return item.model_copy(update={"arguments": ""}) if isinstance(item, ResponseFunctionToolCall) else item


def _iter_item_events(item: Any, index: int, count: Callable[[], int], *, by_word: bool) -> Iterator[Any]:
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
    part: ResponseOutputText | ResponseOutputRefusal, place: dict[str, Any], count: Callable[[], int], *, by_word: bool
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


class ModelStream(ModelAction, GovernedStream):
    """A call of `stream_response`; its parts are the output items of the answer.

    A generator runs in whichever context asks for the next of it, so no scope stands around its steps.
    """

    async def add_part(self, ticket: Ticket, part: Any) -> Any:
        """What of an event may be passed on now."""
        kind = str(getattr(part, "type", ""))
        if kind == "response.output_item.done":
            self.parts.append(part.item)
        if kind == "response.completed":
            self._is_recorded = True
            used = await self.finish_answer(ticket, _build_answer(part.response, self.parts))
            return iter_events(build_response(used, like=part.response)) if self.is_withheld else (part,)
        if not self.is_withheld:
            return (part,)
        return (_strip_output(part),) if kind in _ENDING_EVENTS else ()

    def finish_stream(self, ticket: Ticket) -> Any:
        """Record a stream that gave no answer; its reader was given none, and the SDK says so."""
        self._record(ticket)
        return ()

    def merge_parts(self) -> ModelResponse:
        return _build_answer(None, self.parts)


def _strip_output(event: Any) -> Any:
    """How a stream broke off, without what it had said."""
    response = getattr(event, "response", None)
    if isinstance(response, Response):
        return event.model_copy(update={"response": response.model_copy(update={"output": []})})
    return event


def _build_answer(response: Response | None, items: list[Any]) -> ModelResponse:
    output = list(response.output) if response is not None and response.output else list(items)
    return ModelResponse(output=output, usage=Usage(), response_id=response.id if response is not None else None)
