"""Room: shapes of a model's answer. Takes: results, chunks, events, texts. Gives: one form to read and restrict.

Whatever a model's method returns is put as an `LLMResult`, handed to the ticket, and taken back into its own form
where the ticket changed it. Never: decides, changes what the ticket left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from langchain_core.language_models._compat_bridge import message_to_events
from langchain_core.language_models.chat_model_stream import ChatModelStream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, Generation, LLMResult
from langchain_core.outputs.chat_generation import merge_chat_generation_chunks

if TYPE_CHECKING:
    from halo_core.pep import Surface, Ticket

__all__ = ["ANSWER", "ANSWERS", "CHAT", "CHAT_CHUNKS", "EVENTS", "GENERATED", "TEXT", "TEXTS", "TEXT_CHUNKS", "Shape"]


@dataclass(frozen=True, slots=True)
class Shape:
    """One form of a model's answer.

    Args:
        wrap: the form as an `LLMResult`.
        unwrap: an `LLMResult` in the form of the value it was made from.
        merge: with a stream, its parts as one value of this form.
        parts: with a stream, one value as the parts that stand for it.
        last: with a stream, whether a part says that it is the last: nobody may ask for more.
        enters: whether it is of an entry point: what is below may take its decision, or call something else.
    """

    wrap: Callable[[Any], LLMResult]
    unwrap: Callable[[LLMResult, Any], Any]
    merge: Callable[[list[Any]], Any] = list
    parts: Callable[[Any], Iterable[Any]] = iter
    last: Callable[[Any], bool] = lambda _part: False
    enters: bool = False

    def finish(self, ticket: Ticket, value: Any, surface: Surface[Any]) -> Any:
        """Record an answer and return what of it may be used: the very same object where nothing is restricted."""
        wrapped = self.wrap(value)
        used = ticket.succeed(wrapped, surface)
        return value if used is wrapped else self.unwrap(used, value)

    def finish_stream(self, ticket: Ticket, said: list[Any], surface: Surface[Any]) -> Iterable[Any]:
        """As `finish`, of a stream that was collected; the parts that stand for it."""
        if not said:
            ticket.succeed(_result([]), surface)
            return ()
        return self.parts(self.finish(ticket, self.merge(said), surface))

    def record_stream(self, ticket: Ticket, said: list[Any], surface: Surface[Any]) -> None:
        """Record a stream that was passed on as it came."""
        try:
            wrapped = self.wrap(self.merge(said)) if said else _result([])
        except Exception:  # noqa: BLE001  parts that do not fit together were all passed on; each is recorded alone
            wrapped = _result([[Generation(text=str(getattr(part, "text", part)))] for part in said])
        ticket.succeed(wrapped, surface)


def _result(generations: list[Any], told: Any = None) -> LLMResult:
    # Not validated: what a model returns is passed on as it is.
    return LLMResult.model_construct(generations=generations, llm_output=told, run=None)


def _one(result: LLMResult) -> Any:
    return result.generations[0][0]


def _sum(chunks: Sequence[Any]) -> Any:
    total = chunks[0]
    for chunk in chunks[1:]:
        total += chunk
    return total


def _assembled(events: list[Any]) -> AIMessage:
    stream = ChatModelStream()
    for event in events:
        stream.dispatch(event)
    if not stream.done:
        stream.dispatch({"event": "message-finish"})
    return stream.output_message or AIMessage("")


def _answer(value: Any) -> LLMResult:
    if not isinstance(value, BaseMessage):
        return _result([[Generation(text=str(value))]])
    if isinstance(value, AIMessageChunk):
        return _result([[ChatGenerationChunk(message=value)]])
    return _result([[ChatGeneration(message=value)]])


def _answered(used: LLMResult, value: Any) -> Any:
    return _one(used).message if isinstance(value, BaseMessage) else _one(used).text


def _answers(values: Sequence[Any]) -> LLMResult:
    return _result([_answer(value).generations[0] for value in values])


def _all_answered(used: LLMResult, values: Sequence[Any]) -> list[Any]:
    return [_answered(_result([found]), value) for found, value in zip(used.generations, values, strict=True)]


CHAT: Final = Shape(
    lambda result: _result([result.generations], result.llm_output),
    lambda used, result: result.model_copy(update={"generations": used.generations[0], "llm_output": used.llm_output}),
)
"""`ChatResult`."""

TEXTS: Final = Shape(lambda result: result, lambda used, _result: used)
"""`LLMResult`."""

TEXT: Final = Shape(lambda text: _result([[Generation(text=text)]]), lambda used, _text: _one(used).text)
"""The plain text of `_call`."""

CHAT_CHUNKS: Final = Shape(
    lambda chunk: _result([[chunk]]),
    lambda used, _chunk: _one(used),
    merge_chat_generation_chunks,
    lambda chunk: (chunk,),
)
"""`ChatGenerationChunk`s."""

TEXT_CHUNKS: Final = Shape(
    lambda chunk: _result([[chunk]]), lambda used, _chunk: _one(used), _sum, lambda chunk: (chunk,)
)
"""`GenerationChunk`s."""

EVENTS: Final = Shape(
    lambda message: _result([[ChatGeneration(message=message)]]),
    lambda used, _message: _one(used).message,
    _assembled,
    lambda message: message_to_events(message, message_id=message.id),
    lambda event: event["event"] == "message-finish",
)
"""Protocol events of a model that streams them itself."""

ANSWER: Final = Shape(_answer, _answered, _sum, lambda value: (value,), enters=True)
"""What an entry point of a model's own gives: a message or text."""

ANSWERS: Final = Shape(_answers, _all_answered, enters=True)
"""What a `batch` of a model's own gives: an answer for each of its inputs."""

GENERATED: Final = replace(TEXTS, enters=True)
"""`LLMResult` of an entry point of a model's own."""
