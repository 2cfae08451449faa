"""What LangChain's results and messages say, and copies of them with other words.

All leaves and keys are joined by line ends: an encoding such as JSON would hide words behind its escapes. Where nothing
changes, the very same object is returned.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, cast

from langchain_core.documents import Document
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult, Generation, LLMResult
from langgraph.types import Command, Send

from halo_core.enforcement.result_texts import MaskText, TextExtractor, ValueRedactor, mask_joined_texts
from halo_core.model import Provenance


def _get_framework_parts(value: Any) -> list[Any] | None:
    if isinstance(value, BaseMessage):
        return [value.content, getattr(value, "tool_calls", None), getattr(value, "artifact", None)]
    if isinstance(value, Document):
        return [value.page_content, value.metadata]
    if isinstance(value, Command):
        return [value.update, value.resume, value.goto]
    return [value.node, value.arg] if isinstance(value, Send) else None


_EXTRACTOR: Final = TextExtractor(_get_framework_parts)


extract_result_text: Final = _EXTRACTOR.extract_text
"""What a result says: of messages content, calls and artifact, of documents text and metadata, of the rest all."""


def extract_model_output(response: Any) -> str:
    """What a model said, from a `ModelResponse` of the middleware or an `LLMResult` of a callback."""
    return _EXTRACTOR.join_texts(_iterate_model_output, response)


def is_readable(value: Any) -> bool:
    """Whether `result_text` has all that a result says: nothing in it is an object that keeps its words to itself."""
    return _EXTRACTOR.is_readable(value)


def list_message_texts(messages: Iterable[BaseMessage]) -> tuple[tuple[str, str], ...]:
    """Kind and text of every message: enough to know a model call again."""
    return tuple((message.type, str(message.text)) for message in messages)


def _iterate_model_output(response: Any) -> Iterator[str]:
    if isinstance(response, BaseMessage):
        yield from _EXTRACTOR.iterate_leaves(response)
    elif (inner := getattr(response, "model_response", None)) is not None:
        yield from _iterate_model_output(inner)
    elif (result := getattr(response, "result", None)) is not None:
        yield from _EXTRACTOR.iterate_leaves(result)
    else:
        for part in (item for generations in getattr(response, "generations", ()) for item in generations):
            message = getattr(part, "message", None)
            yield from _EXTRACTOR.iterate_leaves(part.text if message is None else message)


def find_known_origins(
    messages: Iterable[BaseMessage], *, earlier: frozenset[str] = frozenset(), nested: bool = False
) -> tuple[tuple[str, Provenance], ...]:
    """Words among messages whose origin is known.

    A human message that carries a name or says that middleware wrote it (a summary of what was read, another agent's
    report) holds somebody else's words, and is not counted as the user's.

    Args:
        messages: what a model is shown.
        earlier: ids of tool messages that no call of this session produced: nobody knows what they have read.
        nested: whether a tool's body wrote them, and so neither the user nor the system.
    """
    origins = []
    for message in messages:
        if isinstance(message, ToolMessage):
            if message.id in earlier:
                origins.append((extract_result_text(message), Provenance.UNTRUSTED))
        elif nested:
            continue
        elif isinstance(message, SystemMessage):
            origins.append((str(message.text), Provenance.SYSTEM))
        elif isinstance(message, HumanMessage) and not message.name and "lc_source" not in message.additional_kwargs:
            origins.append((str(message.text), Provenance.USER))
    return tuple(origins)


# What a model asks for is written in several places: members of a message, of what its provider adds, blocks.
_CALL_FIELDS: Final = ("tool_calls", "invalid_tool_calls", "tool_call_chunks", "function_call")
_CALL_BLOCKS: Final = frozenset({"tool_use", "tool_call", "tool_call_chunk", "function_call"})
# Which call it is; the answer to it says the same.
_CALL_ID_FIELDS: Final = frozenset({"id", "call_id", "index", "type"})
_ARGUMENT_FIELDS: Final = frozenset({"args", "arguments", "input", "partial_json"})
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
# The same words in pieces, which no mask would find.
_LOGPROBS: Final = "logprobs"


def _is_no_tool(_name: str) -> bool:
    return False


def redact_value(value: Any, mask: MaskText, is_tool: Callable[[str], bool] = _is_no_tool) -> Any:
    """A copy of a result with every text replaced by what `mask` makes of it; the same object if nothing changes.

    What stands below a name that says it is a credential is replaced whole, as `[secret]`.

    Args:
        value: a result of any shape.
        mask: what is made of a text.
        is_tool: whether a call of this name is decided when it is made: the arguments of such a call in a model's
            message stay as they are.

    Raises:
        TypeError: it holds something into which nobody can look, or which cannot be made with other words in it.
    """
    return _ResultRedactor(mask, is_tool=is_tool).redact_value(value)


@dataclasses.dataclass(frozen=True, slots=True)
class _ResultRedactor(ValueRedactor):
    is_tool: Callable[[str], bool] = _is_no_tool

    # No `super()`: a class with slots is made twice, and means the first.

    def redact_object(self, value: Any) -> Any:
        if isinstance(value, BaseMessage):
            return self._redact_message(value)
        if isinstance(value, Generation):
            return self._redact_generation(value)
        if isinstance(value, LLMResult | ChatResult):
            llm_output = self._redact_metadata(value.llm_output)
            redacted: Any = self.redact_fields(value, {"generations": value.generations})
            return (
                redacted if llm_output is value.llm_output else redacted.model_copy(update={"llm_output": llm_output})
            )
        return (
            self.redact_fields(value, {"arg": value.arg})
            if isinstance(value, Send)
            else ValueRedactor.redact_object(self, value)
        )

    def _redact_generation(self, value: Generation) -> Generation:
        if isinstance(value, ChatGeneration):
            message = self._redact_message(value.message)
            update = {"message": message, "text": str(message.text)} if message is not value.message else {}
        else:
            text = self.redact_value(value.text)
            update = {"text": text} if text is not value.text else {}
        generation_info = self._redact_metadata(value.generation_info, changed=bool(update))
        update |= {"generation_info": generation_info} if generation_info is not value.generation_info else {}
        return value.model_copy(update=update) if update else value

    def _redact_metadata(self, metadata: Any, *, changed: bool = False) -> Any:
        """How it was made, without what nobody can read, and without pieces of words that were masked."""
        if not isinstance(metadata, Mapping):
            return self.redact_value(metadata)
        redacted: dict[Any, Any] = {}
        for key, item in metadata.items():
            if key == _LOGPROBS:
                continue
            try:
                redacted |= self._redact_mapping({key: item})
            except TypeError:
                changed = True
        changed = changed or any(key not in metadata or redacted[key] is not metadata[key] for key in redacted)
        return redacted if changed else metadata

    # messages

    def _redact_message(self, message: BaseMessage) -> BaseMessage:
        by_model = isinstance(message, AIMessage)
        update: dict[str, Any] = {
            "content": self._redact_content(message.content, by_model=by_model),
            "additional_kwargs": self._redact_additional_kwargs(message.additional_kwargs, by_model=by_model),
            "name": self.redact_value(message.name),
        }
        if message.id is not None and not _GENERATED_ID.fullmatch(message.id):
            update["id"] = self.redact_value(message.id)
        if isinstance(message, ToolMessage):
            update["artifact"] = self.redact_value(message.artifact)
        if isinstance(message, AIMessage):
            update |= {
                name: self._redact_tool_calls(getattr(message, name)) for name in ("tool_calls", "invalid_tool_calls")
            }
        if isinstance(message, AIMessageChunk):
            update["tool_call_chunks"] = self._redact_tool_calls(message.tool_call_chunks)
        changed = any(item is not getattr(message, name) for name, item in update.items())
        update["response_metadata"] = self._redact_metadata(message.response_metadata, changed=changed)
        if all(item is getattr(message, name) for name, item in update.items()):
            return message
        return message.model_copy(update=update)

    def _redact_additional_kwargs(self, additional_kwargs: dict[str, Any], *, by_model: bool) -> dict[str, Any]:
        if not by_model:
            return cast("dict[str, Any]", self._redact_mapping(additional_kwargs))
        calls: dict[str, Any] = {
            key: self._redact_tool_calls(additional_kwargs[key]) for key in _CALL_FIELDS if key in additional_kwargs
        }
        remaining = {key: item for key, item in additional_kwargs.items() if key not in _CALL_FIELDS}
        masked = self._redact_mapping(remaining)
        return (
            additional_kwargs
            if masked is remaining and all(calls[key] is additional_kwargs[key] for key in calls)
            else {**calls, **masked}
        )

    def _redact_content(self, content: Any, *, by_model: bool) -> Any:
        if not isinstance(content, list):
            return self.redact_value(content)
        changed = [self._redact_block(block, by_model=by_model) for block in content]
        changed = mask_joined_texts(changed, self.mask, between="", keep=False)
        same = len(changed) == len(content) and all(new is old for new, old in zip(changed, content, strict=True))
        return content if same else changed

    def _redact_block(self, block: Any, *, by_model: bool) -> Any:
        if not isinstance(block, dict):
            return self.redact_value(block)
        kind = block.get("type")
        if by_model and isinstance(kind, str) and kind in _CALL_BLOCKS:
            return self._redact_tool_call(block)
        return (
            self._redact_media(block) if isinstance(kind, str) and kind in _MEDIA_BLOCKS else self.redact_value(block)
        )

    # what it asks for

    def _redact_tool_calls(self, calls: Any) -> Any:
        if isinstance(calls, dict):
            return self._redact_tool_call(calls)
        if not isinstance(calls, list):
            return self.redact_value(calls)
        changed = [
            self._redact_tool_call(item) if isinstance(item, dict) else self.redact_value(item) for item in calls
        ]
        return calls if all(new is old for new, old in zip(changed, calls, strict=True)) else changed

    def _redact_tool_call(self, call: dict[Any, Any], *, tool: bool = False) -> dict[Any, Any]:
        """One call: which one it is stays, and what it hands to a tool that decides it."""
        inner = call.get("function")
        name = call.get("name") or (inner.get("name") if isinstance(inner, dict) else None)
        tool = tool or (isinstance(name, str) and self.is_tool(name))
        redacted = {key: self._redact_call_member(key, item, tool=tool) for key, item in call.items()}
        return call if all(redacted[key] is call[key] for key in call) else redacted

    def _redact_call_member(self, key: Any, item: Any, *, tool: bool) -> Any:
        if key in _CALL_ID_FIELDS or (tool and (key == "name" or key in _ARGUMENT_FIELDS)):
            return item
        if key == "function" and isinstance(item, dict):
            return self._redact_tool_call(item, tool=tool)
        return self._redact_arguments(item) if key in _ARGUMENT_FIELDS else self._for_member(key).redact_value(item)

    def _redact_arguments(self, arguments: Any) -> Any:
        """Arguments, which some providers write as JSON in a text: its names are read too."""
        if not isinstance(arguments, str):
            return self.redact_value(arguments)
        try:
            parsed = json.loads(arguments)
        except (ValueError, RecursionError):
            return self.redact_value(arguments)
        if not isinstance(parsed, dict | list):
            return self.redact_value(arguments)
        masked = self.redact_value(parsed)
        # Some names stand in a text twice, and the reader of a name sees one of them.
        return self.redact_value(arguments if masked is parsed else json.dumps(masked, ensure_ascii=False))

    # what is no text

    def _redact_media(self, block: dict[Any, Any]) -> Any:
        redacted = {
            key: self._redact_media_part(item) if key in _BINARY_FIELDS else self._redact_block_entry(key, item)
            for key, item in block.items()
        }
        return block if all(redacted[key] is block[key] for key in block) else redacted

    def _redact_block_entry(self, key: Any, item: Any) -> Any:
        masked = self._redact_mapping({key: item})
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
    """The text that bytes are, None of anything that is no text."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return None if _CONTROL.search(text) else text
