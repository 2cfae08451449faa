"""How results of tools, retrievers and models are read and restricted: texts, surfaces, shapes of a model's answer.

The text of a result is all of its leaves and keys, joined by newlines, because an encoding such as JSON would hide
words behind its escapes. What a model's method returns is converted to an `LLMResult`, which one surface reads, and
converted back where it was changed.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from langchain_core.documents import Document
from langchain_core.language_models._compat_bridge import message_to_events
from langchain_core.language_models.chat_model_stream import ChatModelStream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.outputs import (
    ChatGeneration,
    ChatGenerationChunk,
    ChatResult,
    Generation,
    GenerationChunk,
    LLMResult,
)
from langchain_core.outputs.chat_generation import merge_chat_generation_chunks
from langchain_core.tools import BaseTool
from langgraph.types import Command, Send

from halo_core.enforcement.arguments import copy_changed
from halo_core.enforcement.enforcer import Surface
from halo_core.enforcement.obligations import KeepDocument
from halo_core.enforcement.result_redaction import (
    ValueRedactor,
    is_decided_tool,
    mask_joined_texts,
    prefer_original,
)
from halo_core.enforcement.result_texts import (
    DROPPED_NOTICE,
    TextExtractor,
    replace_plain_result,
)
from halo_core.model import HistoryItem
from halo_core.model_requests import ProviderBlock, find_provider_blocks
from halo_langchain._history import (
    GENERATED_KINDS,
    is_message,
    is_text_alone,
    iterate_generations,
    list_answers,
    read_answer,
)
from halo_langchain._translate import read_any_attribute

if TYPE_CHECKING:
    from halo_core.facade import HaloBase

Labels = Callable[[Document], Iterable[str]]

# What a message says of itself that is no part of the answer.
_KEPT_METADATA: Final = frozenset({"finish_reason", "model_name", "model_provider", "stop_reason", "token_usage"})


# texts


def _list_message_parts(message: BaseMessage) -> list[Any]:
    return [message.content, read_any_attribute(message, "tool_calls"), read_any_attribute(message, "artifact")]


_EXTRACTOR: Final = TextExtractor(
    ((AIMessage, ToolMessage, BaseMessage), _list_message_parts),
    (Document, lambda item: [item.page_content, item.metadata]),
    (Command, lambda item: [item.update, item.resume, item.goto]),
    (Send, lambda item: [item.node, item.arg]),
)


extract_result_text: Final = _EXTRACTOR.extract_text
"""What a result says: of messages content, calls and artifact, of documents text and metadata, of the rest all."""


def extract_model_output(response: Any) -> str:
    """The text of a model's answer, from the middleware's `ModelResponse` or a callback's `LLMResult`."""
    return _EXTRACTOR.join_texts(_find_model_output, response)


def _find_model_output(response: Any) -> Iterable[str]:
    if is_message(response):
        content = response.content
        if isinstance(content, str) and _has_content_alone(response):
            return (content,)
        return _EXTRACTOR.list_leaves(response)
    return _iterate_model_output(response)


def _iterate_model_output(response: Any) -> Iterator[str]:
    if type(response) not in GENERATED_KINDS:
        if (inner := getattr(response, "model_response", None)) is not None:
            yield from _find_model_output(inner)
            return
        if (result := getattr(response, "result", None)) is not None:
            yield from _EXTRACTOR.list_leaves(result)
            return
    for part in iterate_generations(response):
        message = getattr(part, "message", None)
        yield from _EXTRACTOR.list_leaves(part.text if message is None else message)


def _has_content_alone(message: BaseMessage) -> bool:
    """Whether a message has neither calls nor an artifact besides its content."""
    if type(message) is AIMessage and not message.__pydantic_extra__:  # which has no artifact
        return not message.__dict__.get("tool_calls")
    calls, artifact = read_any_attribute(message, "tool_calls"), read_any_attribute(message, "artifact")
    return (calls is None or calls == []) and artifact is None


# texts masked

# What a model asks for is written in several places: members of a message, of what its provider adds, blocks.
_CALL_FIELDS: Final = ("tool_calls", "invalid_tool_calls", "tool_call_chunks")
_CALL_BLOCKS: Final = frozenset({"tool_use", "tool_call", "tool_call_chunk", "function_call"})
_MEDIA_BLOCKS: Final = frozenset({"image", "audio", "video", "file", "image_url", "input_audio", "document"})
_BINARY_FIELDS: Final = frozenset({"base64", "data", "file", "file_data", "image_url", "input_audio", "source", "url"})
_BASE64: Final = re.compile(r"(data:[\w.+/-]*(?:;[\w.+=-]*)*;base64,)?([A-Za-z0-9+/_-]{32,}={0,2})")
_TO_STANDARD_BASE64: Final = str.maketrans("-_", "+/")
_LETTERS: Final = re.compile(r"[A-Za-z]")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1f]")
# An id that the framework or a provider made up holds no words.
_GENERATED_ID: Final = re.compile(
    r"(?:[A-Za-z_]{1,16}-{1,2})?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:-[0-9]{1,3})?"
)


class _ResultRedactor(ValueRedactor):
    __slots__ = ()

    def redact_object(self, value: Any) -> Any:
        if isinstance(value, BaseMessage):
            return self._redact_message(value)
        if isinstance(value, Generation):
            return self._redact_generation(value)
        if isinstance(value, LLMResult | ChatResult):
            redacted = self.redact_fields(value, {"generations": value.generations})
            return copy_changed(redacted, {"llm_output": self.redact_metadata(value.llm_output)})
        if isinstance(value, Send):
            return self.redact_fields(value, {"arg": value.arg})
        return super().redact_object(value)

    def _redact_generation(self, value: Generation) -> Generation:
        if isinstance(value, ChatGeneration):
            message = self._redact_message(value.message)
            fields = {"message": message, "text": value.text if message is value.message else str(message.text)}
        else:
            fields = {"text": self.redact_value(value.text)}
        redacted = copy_changed(value, fields)
        metadata = self.redact_metadata(value.generation_info, changed=redacted is not value)
        return cast("Generation", copy_changed(redacted, {"generation_info": metadata}))

    # messages

    def _redact_message(self, message: BaseMessage) -> BaseMessage:
        by_model = isinstance(message, AIMessage)
        update: dict[str, Any] = {
            "content": self._redact_content(message.content, by_model=by_model),
            "additional_kwargs": self.redact_provider_members(
                message.additional_kwargs, (*_CALL_FIELDS, "function_call") if by_model else ()
            ),
            "name": self.redact_value(message.name),
        }
        if message.id is not None and not _GENERATED_ID.fullmatch(message.id):
            update["id"] = self.redact_value(message.id)
        if isinstance(message, ToolMessage):
            update["artifact"] = self.redact_value(message.artifact)
        for name in _CALL_FIELDS if by_model else ():
            if hasattr(message, name):
                update[name] = self.redact_tool_calls(getattr(message, name))
        redacted = copy_changed(message, update)
        metadata = self.redact_metadata(message.response_metadata, changed=redacted is not message)
        return cast("BaseMessage", copy_changed(redacted, {"response_metadata": metadata}))

    def _redact_content(self, content: Any, *, by_model: bool) -> Any:
        if not isinstance(content, list):
            return self.redact_value(content)
        changed = [self._redact_block(block, by_model=by_model) for block in content]
        return prefer_original(content, mask_joined_texts(changed, self.mask, between="", keep=False))

    def _redact_block(self, block: Any, *, by_model: bool) -> Any:
        kind = block.get("type") if isinstance(block, dict) else None
        if not isinstance(kind, str):
            return self.redact_value(block)
        if by_model and kind in _CALL_BLOCKS:
            return self.redact_tool_call(block)
        return self._redact_media(block) if kind in _MEDIA_BLOCKS else self.redact_value(block)

    # what is no text

    def _redact_media(self, block: dict[Any, Any]) -> Any:
        redacted = {
            key: self._redact_media_part(item) if key in _BINARY_FIELDS else self._redact_block_entry(key, item)
            for key, item in block.items()
        }
        return prefer_original(block, redacted)

    def _redact_block_entry(self, key: Any, item: Any) -> Any:
        masked = self.redact_member(key, item)
        if key not in masked:
            raise TypeError("a block cannot be made under another name")
        return masked[key]

    def _redact_media_part(self, item: Any) -> Any:
        if isinstance(item, dict):
            return self._redact_media(item)
        if isinstance(item, bytes | bytearray):
            return item if _decode_text(bytes(item)) is None else self.redact_value(item)
        if not isinstance(item, str) or (match := _BASE64.fullmatch(item)) is None or not _LETTERS.search(match[2]):
            return self.redact_value(item)
        prefix, encoded = match[1] or "", match[2]
        try:
            data = base64.b64decode(encoded.translate(_TO_STANDARD_BASE64), validate=True)
        except binascii.Error:
            return self.redact_value(item)
        text = _decode_text(data)
        if text is None or (masked := self.redact_value(text)) is text:
            return item
        return prefix + base64.b64encode(masked.encode()).decode()


def _decode_text(data: bytes) -> str | None:
    """The text encoded in bytes; None if they are no text."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return None if _CONTROL.search(text) else text


redact_value: Final = _ResultRedactor.redact
"""A copy of a result with every text masked; the same object if nothing changes. See `ValueRedactor`."""


# documents


def make_documents_surface(labels: Labels | None = None) -> Surface[list[Document]]:
    """The surface of a retriever; `labels` finds a document's data labels, besides those found in its text."""
    filter_documents = partial(_EXTRACTOR.filter_documents, get_labels=labels)
    return Surface(extract_result_text, filter_documents, redact_value, _replace_documents)


def _replace_documents(_documents: Sequence[Document], notice: str) -> list[Document]:
    return [Document(notice)]


DOCUMENTS_SURFACE: Final[Surface[list[Document]]] = make_documents_surface()


# tools


def _filter_parts(result: Any, keep: KeepDocument) -> tuple[Any, int]:
    """A tool's result without documents that may not be used; a result that is no list stays or goes whole."""
    if isinstance(result, ToolMessage):
        (content, artifact), dropped = _filter_artifact((result.content, result.artifact), keep)
        return (result.model_copy(update={"content": content, "artifact": artifact}) if dropped else result), dropped
    return _EXTRACTOR.filter_parts(result, keep, replace=_replace_result)


def _filter_artifact(result: Any, keep: KeepDocument) -> tuple[Any, int]:
    """Like `_filter_parts`, for content and artifact: the content tells what the artifact holds."""
    if not isinstance(result, tuple) or len(result) != 2:
        return _filter_parts(result, keep)
    artifact = result[1]
    remaining, dropped = _filter_parts(artifact, keep) if isinstance(artifact, list) else (artifact, 0)
    if dropped == 0 and _EXTRACTOR.may_keep(result, keep):
        return result, 0
    return (DROPPED_NOTICE, (remaining or None) if dropped else None), dropped or 1


def _replace_result(result: Any, notice: str) -> Any:
    """A notice in the shape of the tool's result; a text if only the tool can make that shape."""
    if isinstance(result, BaseMessage):
        return _replace_message(result, notice)
    if isinstance(result, list) and result and all(isinstance(item, Document) for item in result):
        return [Document(notice)]
    return _replace_update(result, notice) if isinstance(result, Command) else replace_plain_result(result, notice)


def _replace_pair(_result: Any, notice: str) -> Any:
    return notice, None


def _replace_update(command: Command[Any], notice: str) -> Command[Any]:
    """A command that leads to the same place, with notices for its messages and nothing else."""
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
    """How to read a tool's results: all of them, including the artifact, which reaches the caller."""
    return _ARTIFACT_SURFACE if tool.response_format == "content_and_artifact" else TOOL_RESULT_SURFACE


# models


def _replace_message(message: BaseMessage, notice: str) -> BaseMessage:
    """A message with a notice as its text, the same id and no calls."""
    metadata = {key: item for key, item in message.response_metadata.items() if key in _KEPT_METADATA}
    if isinstance(message, ToolMessage):
        return message.model_copy(
            update={"content": notice, "artifact": None, "additional_kwargs": {}, "response_metadata": metadata}
        )
    if isinstance(message, AIMessage):
        kind = AIMessageChunk if isinstance(message, AIMessageChunk) else AIMessage
        kept = {name: getattr(message, name) for name in ("id", "name", "usage_metadata")}
        replaced = kind(content=notice, response_metadata=metadata, **kept)
        position = {"chunk_position": message.chunk_position} if isinstance(message, AIMessageChunk) else {}
        return replaced.model_copy(update=position)
    return message.model_copy(update={"content": notice, "additional_kwargs": {}, "response_metadata": metadata})


def _replace_generation(part: Generation, notice: str) -> Generation:
    if isinstance(part, ChatGeneration):
        message: Any = _replace_message(part.message, notice)
        return (ChatGenerationChunk if isinstance(part, ChatGenerationChunk) else ChatGeneration)(message=message)
    return (GenerationChunk if isinstance(part, GenerationChunk) else Generation)(text=notice)


def _replace_answer(answer: Any, notice: str) -> Any:
    """A model's answer with a notice instead of its content, in each of the framework's forms.

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


def _find_answer_blocks(answer: Any) -> tuple[ProviderBlock, ...]:
    """The blocks of provider's tools in an answer."""
    if is_message(answer) and is_text_alone(answer):  # as most answers are
        return ()
    trees = [
        {
            "content": message.content if isinstance(message.content, list) else [],
            "additional_kwargs": message.additional_kwargs,
            "metadata": message.response_metadata,
        }
        for message in list_answers(answer)
        if not is_text_alone(message)
    ]
    return find_provider_blocks(trees) if trees else ()


MODEL_SURFACE: Final[Surface[Any]] = Surface(
    extract_model_output,
    None,
    partial(redact_value, is_tool=lambda _name: True),
    _replace_answer,
    history_items=read_answer,
    provider_blocks=_find_answer_blocks,
)
"""Of `AIMessage`, `ModelResponse`, `ChatResult` and `LLMResult`, whose calls are all decided when they are made."""


def make_model_surface(halo: HaloBase) -> Surface[Any]:
    """Like `MODEL_SURFACE`, but only calls of registered tools count as decided: others may be output schemas."""
    return replace(MODEL_SURFACE, redact=partial(redact_value, is_tool=partial(is_decided_tool, halo)))


def make_answer_surface(surface: Surface[Any]) -> Surface[Any]:
    """The surface of an `LLMResult` of any form; the same object if nothing is restricted."""

    def rebuild(change: Callable[..., Any]) -> Callable[[Any, Any], Any]:
        def changed(value: Any, how: Any) -> Any:
            wrapped = _wrap_answer(value)
            used = change(wrapped, how)
            return value if used is wrapped else _unwrap_answer(used, value)

        return changed

    return Surface(
        lambda value: surface.text(_to_readable(value)),
        None,
        rebuild(surface.redact) if surface.redact is not None else None,
        rebuild(surface.withhold) if surface.withhold is not None else None,
        surface.cost,
        partial(_read_wrapped, surface.history_items) if surface.history_items is not None else None,
        surface.provider_blocks,
    )


def _read_wrapped(read_items: Callable[[Any], tuple[HistoryItem, ...]], value: Any) -> tuple[HistoryItem, ...]:
    return read_items(_to_readable(value))


def _to_readable(value: Any) -> Any:
    """An answer in a form in which its words are read: the framework's result, or a message."""
    return value if type(value) in GENERATED_KINDS or isinstance(value, BaseMessage) else _wrap_answer(value)


def _make_result(generations: list[Any], llm_output: Any = None) -> LLMResult:
    # Not validated: what a model returns is passed on as it is.
    return LLMResult.model_construct(generations=generations, llm_output=llm_output, run=None)


def _wrap_answer(value: Any) -> LLMResult:
    """The return value of a model's method as an `LLMResult`: a framework result, an answer, or several."""
    if isinstance(value, LLMResult):
        return value
    if isinstance(value, ChatResult):
        return _make_result([value.generations], value.llm_output)
    return _make_result([[_to_generation(item)] for item in (value if isinstance(value, list | tuple) else [value])])


def _to_generation(value: Any) -> Generation:
    if isinstance(value, Generation):
        return value
    if isinstance(value, AIMessageChunk):
        return ChatGenerationChunk(message=value)
    return ChatGeneration(message=value) if isinstance(value, BaseMessage) else Generation(text=str(value))


def _unwrap_answer(used: LLMResult, value: Any) -> Any:
    """An `LLMResult` in the form of the value it was made from."""
    if isinstance(value, LLMResult):
        return used
    if isinstance(value, ChatResult):
        return value.model_copy(update={"generations": used.generations[0], "llm_output": used.llm_output})
    if isinstance(value, list | tuple):
        return [_from_generation(part[0], item) for part, item in zip(used.generations, value, strict=True)]
    return _from_generation(used.generations[0][0], value)


def _from_generation(generation: Any, value: Any) -> Any:
    if isinstance(value, Generation):
        return generation
    return generation.message if isinstance(value, BaseMessage) else generation.text


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


@dataclass(frozen=True, slots=True)
class AnswerShape:
    """How a model's answer arrives.

    Args:
        merge: with a stream, its parts as one value.
        parts: with a stream, one value as the parts that stand for it.
        is_last: with a stream, whether a part says that it is the last: nobody may ask for more.
        is_entry_point: whether it is of an entry point: what is below may take its decision, or call something else.
    """

    merge: Callable[[list[Any]], Any] = _sum_chunks
    parts: Callable[[Any], Iterable[Any]] = lambda value: (value,)
    is_last: Callable[[Any], bool] = lambda _part: False
    is_entry_point: bool = False

    def merge_parts(self, parts: list[Any], *, lenient: bool) -> Any:
        """The parts of a stream as one `LLMResult`; `lenient` if they were passed on already."""
        try:
            return _wrap_answer(self.merge(parts)) if parts else _make_result([])
        except Exception:
            if not lenient:
                raise
            # Parts that do not fit together; each is recorded alone.
            return _make_result([[Generation(text=str(getattr(part, "text", part)))] for part in parts])

    def split_result(self, used: LLMResult, parts: list[Any]) -> Iterable[Any]:
        """The usable result as parts of a stream."""
        return self.parts(_unwrap_answer(used, self.merge(parts))) if parts else ()


ANSWER_SHAPE: Final = AnswerShape()
"""What the methods give that send a call, or a stream of texts or `GenerationChunk`s."""

ENTRY_SHAPE: Final = AnswerShape(is_entry_point=True)
"""What an entry point of a model's own gives, in any of these forms."""

CHAT_CHUNKS_SHAPE: Final = AnswerShape(merge_chat_generation_chunks)
"""`ChatGenerationChunk`s."""

EVENTS_SHAPE: Final = AnswerShape(
    _assemble_message,
    lambda message: message_to_events(message, message_id=message.id),
    lambda event: event["event"] == "message-finish",
)
"""Protocol events of a model that streams them itself."""
