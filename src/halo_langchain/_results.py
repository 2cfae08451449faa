"""How results of tools, retrievers and models are read and restricted: surfaces, and shapes of a model's answer.

An `AnswerShape` puts whatever a model's method returns into the form of an `LLMResult`, which one surface reads, and
back where it was changed. What a document says of itself is not believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from langchain_core.documents import Document
from langchain_core.language_models._compat_bridge import message_to_events
from langchain_core.language_models.chat_model_stream import ChatModelStream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, Generation, GenerationChunk, LLMResult
from langchain_core.outputs.chat_generation import merge_chat_generation_chunks
from langchain_core.tools import BaseTool
from langgraph.types import Command

from halo_core.enforcement import Surface
from halo_core.model import ActionKind
from halo_langchain._texts import (
    extract_model_output,
    extract_result_text,
    is_readable,
    redact_value,
)

if TYPE_CHECKING:
    from halo_core.facade import HaloBase

KeepDocument = Callable[[str, tuple[str, ...]], bool]
Labels = Callable[[Document], Iterable[str]]

DROPPED_NOTICE: Final = "the documents were withheld: a policy keeps this source, or what stands in them, out"
# What a message says of itself that is no part of the answer.
_KEPT_METADATA: Final = frozenset({"finish_reason", "model_name", "model_provider", "stop_reason", "token_usage"})


# documents


def _no_labels(_document: Document) -> Iterable[str]:
    return ()


def make_documents_surface(labels: Labels | None = None) -> Surface[list[Document]]:
    """The surface of a retriever; `labels` says what data a document holds, beside what is found in its text."""
    get_labels = labels or _no_labels

    def filter_documents(documents: Sequence[Document], keep: KeepDocument) -> tuple[list[Document], int]:
        remaining = [item for item in documents if _may_keep_document(item, keep, get_labels)]
        return remaining, len(documents) - len(remaining)

    return Surface(extract_result_text, filter_documents, redact_value, _replace_documents)


def _may_keep_document(document: Document, keep: KeepDocument, labels: Labels) -> bool:
    try:
        raw_labels = labels(document)
        document_labels = tuple(raw_labels)
    except Exception:  # noqa: BLE001  INVARIANT: FAILCLOSED - nobody can say what is in it
        return False
    # A text is no list of labels, though it can be read letter by letter.
    return (
        not isinstance(raw_labels, str)
        and all(isinstance(item, str) for item in document_labels)
        and _may_keep(document, keep, document_labels)
    )


def _may_keep(value: Any, keep: KeepDocument, labels: tuple[str, ...] = ()) -> bool:
    """Whether a document stays. INVARIANT: FAILCLOSED - what nobody can read could carry any label."""
    return is_readable(value) and keep(extract_result_text(value), labels)


def _replace_documents(_documents: Sequence[Document], notice: str) -> list[Document]:
    return [Document(notice)]


DOCUMENTS_SURFACE: Final[Surface[list[Document]]] = make_documents_surface()


# tools


def _filter_parts(result: Any, keep: KeepDocument) -> tuple[Any, int]:
    """A tool's result without the documents that may not be used: those of a list, else all of it or nothing."""
    if isinstance(result, list):
        remaining = [item for item in result if _may_keep(item, keep)]
        return (result if len(remaining) == len(result) else remaining), len(result) - len(remaining)
    if isinstance(result, ToolMessage):
        (content, artifact), dropped = _filter_artifact((result.content, result.artifact), keep)
        return (result.model_copy(update={"content": content, "artifact": artifact}) if dropped else result), dropped
    count = len(result) if isinstance(result, tuple) else 1
    return (result, 0) if _may_keep(result, keep) else (_replace_result(result, DROPPED_NOTICE), count)


def _filter_artifact(result: Any, keep: KeepDocument) -> tuple[Any, int]:
    """As `_kept_parts`, of content and artifact: the content tells what the artifact holds."""
    if not isinstance(result, tuple) or len(result) != 2:
        return _filter_parts(result, keep)
    artifact = result[1]
    remaining, dropped = _filter_parts(artifact, keep) if isinstance(artifact, list) else (artifact, 0)
    if dropped == 0 and _may_keep(result, keep):
        return result, 0
    return (DROPPED_NOTICE, (remaining or None) if dropped else None), dropped or 1


def _replace_result(result: Any, notice: str) -> Any:
    """A notice in the shape that the tool promised; text, where the shape is one that only the tool can make."""
    if isinstance(result, BaseMessage):
        return _replace_message(result, notice)
    if isinstance(result, list):
        return [Document(notice)] if result and all(isinstance(item, Document) for item in result) else [notice]
    if isinstance(result, bytes):
        return notice.encode()
    if isinstance(result, Mapping):
        return {"notice": notice}
    return _replace_update(result, notice) if isinstance(result, Command) else notice


def _replace_pair(_result: Any, notice: str) -> Any:
    return notice, None


def _replace_update(command: Command[Any], notice: str) -> Command[Any]:
    """Where it leads, and its messages as notices; what it would have written or sent is gone."""
    update = command.update if isinstance(command.update, Mapping) else {}
    messages = update.get("messages")
    messages = messages if isinstance(messages, list | tuple) else [messages]
    answers = [_replace_message(item, notice) for item in messages if isinstance(item, ToolMessage)]
    goto = command.goto if isinstance(command.goto, list | tuple) else [command.goto]
    return replace(
        command,
        update={"messages": answers} if answers else None,
        resume=None,
        goto=[item for item in goto if isinstance(item, str)],
    )


TOOL_RESULT_SURFACE: Final[Surface[Any]] = Surface(extract_result_text, _filter_parts, redact_value, _replace_result)
_ARTIFACT_SURFACE: Final[Surface[Any]] = Surface(extract_result_text, _filter_artifact, redact_value, _replace_pair)


def make_tool_surface(tool: BaseTool) -> Surface[Any]:
    """How a tool's results are read: all of it, the artifact too, which reaches whoever called."""
    return _ARTIFACT_SURFACE if tool.response_format == "content_and_artifact" else TOOL_RESULT_SURFACE


# models


def _replace_message(message: BaseMessage, notice: str) -> BaseMessage:
    """A message with a notice for its words, under the same id; it asks for nothing to be called."""
    metadata = {key: item for key, item in message.response_metadata.items() if key in _KEPT_METADATA}
    if isinstance(message, ToolMessage):
        return message.model_copy(
            update={"content": notice, "artifact": None, "additional_kwargs": {}, "response_metadata": metadata}
        )
    if isinstance(message, AIMessage):
        kind = AIMessageChunk if isinstance(message, AIMessageChunk) else AIMessage
        notice_message = kind(
            content=notice,
            id=message.id,
            name=message.name,
            usage_metadata=message.usage_metadata,
            response_metadata=metadata,
        )
        if isinstance(message, AIMessageChunk):
            return notice_message.model_copy(update={"chunk_position": message.chunk_position})
        return notice_message
    return message.model_copy(update={"content": notice, "additional_kwargs": {}, "response_metadata": metadata})


def _replace_generation(part: Generation, notice: str) -> Generation:
    if isinstance(part, ChatGeneration):
        message: Any = _replace_message(part.message, notice)
        return (ChatGenerationChunk if isinstance(part, ChatGenerationChunk) else ChatGeneration)(message=message)
    return (GenerationChunk if isinstance(part, GenerationChunk) else Generation)(text=notice)


def _replace_answer(answer: Any, notice: str) -> Any:
    """A model's answer without anything it said, in each of the forms that the framework has for one.

    Raises:
        TypeError: it is none of them.
    """
    if isinstance(answer, BaseMessage):
        return _replace_message(answer, notice)
    if (inner := getattr(answer, "model_response", None)) is not None:
        return replace(answer, model_response=_replace_answer(inner, notice), command=None)
    if isinstance(messages := getattr(answer, "result", None), list):
        # A tool's answer would belong to a call that is no longer there.
        notices = [_replace_message(item, notice) for item in messages if not isinstance(item, ToolMessage)]
        return replace(answer, result=notices, structured_response=None)
    if isinstance(generations := getattr(answer, "generations", None), list):
        replaced = [
            [_replace_generation(item, notice) for item in part]
            if isinstance(part, list)
            else _replace_generation(part, notice)
            for part in generations
        ]
        metadata = answer.llm_output if isinstance(answer.llm_output, dict) else {}
        metadata = {key: item for key, item in metadata.items() if key in _KEPT_METADATA}
        return answer.model_copy(update={"generations": replaced, "llm_output": metadata})
    raise TypeError(f"a `{type(answer).__name__}` is not an answer of a model")


MODEL_SURFACE: Final[Surface[Any]] = Surface(
    extract_model_output, None, partial(redact_value, is_tool=lambda _name: True), _replace_answer
)
"""Of `AIMessage`, `ModelResponse`, `ChatResult` and `LLMResult`, whose calls are all decided when they are made."""


def make_model_surface(halo: HaloBase) -> Surface[Any]:
    """As `MODEL`, where only calls of what is registered are decided: any other may be the shape of an answer."""

    def is_tool(name: str) -> bool:
        resource = halo.find_registered(name)
        return resource is not None and resource.kind is not ActionKind.INFERENCE

    return replace(MODEL_SURFACE, redact=partial(redact_value, is_tool=is_tool))


@dataclass(frozen=True, slots=True)
class AnswerShape:
    """One form of a model's answer.

    Args:
        wrap: the form as an `LLMResult`.
        unwrap: an `LLMResult` in the form of the value it was made from.
        merge: with a stream, its parts as one value of this form.
        parts: with a stream, one value as the parts that stand for it.
        is_last: with a stream, whether a part says that it is the last: nobody may ask for more.
        is_entry_point: whether it is of an entry point: what is below may take its decision, or call something else.
    """

    wrap: Callable[[Any], LLMResult]
    unwrap: Callable[[LLMResult, Any], Any]
    merge: Callable[[list[Any]], Any] = list
    parts: Callable[[Any], Iterable[Any]] = iter
    is_last: Callable[[Any], bool] = lambda _part: False
    is_entry_point: bool = False

    def make_surface(self, surface: Surface[Any]) -> Surface[Any]:
        """The surface of an `LLMResult` as one of this form: the very same object where nothing is restricted."""

        def rebuild(change: Callable[..., Any]) -> Callable[[Any, Any], Any]:
            def changed(value: Any, how: Any) -> Any:
                wrapped = self.wrap(value)
                used = change(wrapped, how)
                return value if used is wrapped else self.unwrap(used, value)

            return changed

        return Surface(
            lambda value: surface.text(self.wrap(value)),
            None,
            rebuild(surface.redact) if surface.redact is not None else None,
            rebuild(surface.withhold) if surface.withhold is not None else None,
            surface.cost,
        )

    def merge_parts(self, parts: list[Any], *, lenient: bool) -> Any:
        """The parts of a stream as one value of this form, wrapped; `lenient` where they were passed on already."""
        try:
            return self.wrap(self.merge(parts)) if parts else _make_result([])
        except Exception:
            if not lenient:
                raise
            # Parts that do not fit together; each is recorded alone.
            return _make_result([[Generation(text=str(getattr(part, "text", part)))] for part in parts])

    def split_result(self, used: LLMResult, parts: list[Any]) -> Iterable[Any]:
        """The parts that stand for a stream of which this may be used."""
        if not parts:
            return ()
        value = self.merge(parts)
        return self.parts(self.unwrap(used, value))


def _make_result(generations: list[Any], llm_output: Any = None) -> LLMResult:
    # Not validated: what a model returns is passed on as it is.
    return LLMResult.model_construct(generations=generations, llm_output=llm_output, run=None)


def _get_generation(result: LLMResult) -> Any:
    return result.generations[0][0]


def _sum_chunks(chunks: Sequence[Any]) -> Any:
    total = chunks[0]
    for chunk in chunks[1:]:
        total += chunk
    return total


def _assemble_message(events: list[Any]) -> AIMessage:
    stream = ChatModelStream()
    for event in events:
        stream.dispatch(event)
    if not stream.done:
        stream.dispatch({"event": "message-finish"})
    return stream.output_message or AIMessage("")


def _wrap_answer(value: Any) -> LLMResult:
    if not isinstance(value, BaseMessage):
        return _make_result([[Generation(text=str(value))]])
    if isinstance(value, AIMessageChunk):
        return _make_result([[ChatGenerationChunk(message=value)]])
    return _make_result([[ChatGeneration(message=value)]])


def _unwrap_answer(used: LLMResult, value: Any) -> Any:
    return _get_generation(used).message if isinstance(value, BaseMessage) else _get_generation(used).text


def _wrap_answers(values: Sequence[Any]) -> LLMResult:
    return _make_result([_wrap_answer(value).generations[0] for value in values])


def _unwrap_answers(used: LLMResult, values: Sequence[Any]) -> list[Any]:
    return [
        _unwrap_answer(_make_result([generations]), value)
        for generations, value in zip(used.generations, values, strict=True)
    ]


CHAT_SHAPE: Final = AnswerShape(
    lambda result: _make_result([result.generations], result.llm_output),
    lambda used, result: result.model_copy(update={"generations": used.generations[0], "llm_output": used.llm_output}),
)
"""`ChatResult`."""

LLM_RESULT_SHAPE: Final = AnswerShape(lambda result: result, lambda used, _result: used)
"""`LLMResult`."""

TEXT_SHAPE: Final = AnswerShape(
    lambda text: _make_result([[Generation(text=text)]]), lambda used, _text: _get_generation(used).text
)
"""The plain text of `_call`."""

CHAT_CHUNKS_SHAPE: Final = AnswerShape(
    lambda chunk: _make_result([[chunk]]),
    lambda used, _chunk: _get_generation(used),
    merge_chat_generation_chunks,
    lambda chunk: (chunk,),
)
"""`ChatGenerationChunk`s."""

TEXT_CHUNKS_SHAPE: Final = AnswerShape(
    lambda chunk: _make_result([[chunk]]),
    lambda used, _chunk: _get_generation(used),
    _sum_chunks,
    lambda chunk: (chunk,),
)
"""`GenerationChunk`s."""

EVENTS_SHAPE: Final = AnswerShape(
    lambda message: _make_result([[ChatGeneration(message=message)]]),
    lambda used, _message: _get_generation(used).message,
    _assemble_message,
    lambda message: message_to_events(message, message_id=message.id),
    lambda event: event["event"] == "message-finish",
)
"""Protocol events of a model that streams them itself."""

ANSWER_SHAPE: Final = AnswerShape(
    _wrap_answer, _unwrap_answer, _sum_chunks, lambda value: (value,), is_entry_point=True
)
"""What an entry point of a model's own gives: a message or text."""

ANSWERS_SHAPE: Final = AnswerShape(_wrap_answers, _unwrap_answers, is_entry_point=True)
"""What a `batch` of a model's own gives: an answer for each of its inputs."""

ENTRY_LLM_RESULT_SHAPE: Final = replace(LLM_RESULT_SHAPE, is_entry_point=True)
"""`LLMResult` of an entry point of a model's own."""
