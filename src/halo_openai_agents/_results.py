"""What goes into models and comes out of them and of tools, as texts, and how it is filtered, redacted and withheld."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from agents import ModelResponse, ToolOutputText
from openai.types.responses import (
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputRefusal,
    ResponseOutputText,
    ResponseReasoningItem,
)
from pydantic import BaseModel

from halo_core.enforcement.arguments import copy_changed
from halo_core.enforcement.enforcer import Surface
from halo_core.enforcement.result_redaction import (
    ValueRedactor,
    is_decided_tool,
    mask_joined_parts,
    parse_json,
    prefer_original,
)
from halo_core.enforcement.result_texts import (
    TextExtractor,
)
from halo_core.model import HistoryItem
from halo_core.model_requests import ProviderBlock, find_provider_blocks

if TYPE_CHECKING:
    from halo_core.facade import HaloBase

ReadAnswer = Callable[[Any], tuple[HistoryItem, ...]]

_EXTRACTOR: Final = TextExtractor()
_TEXT_PART_TYPES: Final = ("input_text", "output_text", "text", "refusal", "summary_text")
_PLACEHOLDER_ID: Final = "__fake_id__"  # the SDK's, for providers that name nothing


def to_input_items(model_input: Any) -> list[Any]:
    """Input of a model call as items."""
    if isinstance(model_input, str):
        return [{"role": "user", "content": model_input}]
    return list(model_input) if isinstance(model_input, list | tuple) else []


def describe_item(item: Any, message_text: str) -> tuple[str, str]:
    """The role of an input item (its kind without a role), and all its text; that of a message is given."""
    role, kind = get_field(item, "role"), str(get_field(item, "type") or "message")
    if isinstance(role, str) and role:
        return role, message_text
    if kind == "function_call":
        return kind, f"{get_field(item, 'name')} {get_field(item, 'arguments')}"
    if kind.endswith("_output"):
        return kind, extract_item_text(get_field(item, "output"))
    return kind, extract_item_text(item)


def is_from_model(item: Any) -> bool:
    """Whether a model said an item."""
    kind = str(get_field(item, "type") or "")
    return get_field(item, "role") == "assistant" or kind == "reasoning" or kind.endswith("_call")


def get_field(item: Any, name: str) -> Any:
    """A field of an item in either of its forms."""
    kind = type(item)  # nearly always one of these, and an abstract class takes its time to answer
    if kind in _OBJECT_KINDS:
        return getattr(item, name, None)
    return item.get(name) if kind is dict or isinstance(item, Mapping) else getattr(item, name, None)


_OBJECT_KINDS: Final = frozenset(
    (ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputRefusal, ResponseOutputText, ResponseReasoningItem)
)


def extract_item_text(value: Any) -> str:
    """All texts in an item or a part of one."""
    return _EXTRACTOR.extract_text(value.model_dump(exclude_none=True) if isinstance(value, BaseModel) else value)


def extract_message_text(item: Any) -> str:
    """Text of a message item."""
    content = get_field(item, "content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list | tuple) else []
    texts = (
        get_field(part, "text") or get_field(part, "refusal")
        for part in parts
        if get_field(part, "type") in _TEXT_PART_TYPES
    )
    return "\n".join(text for text in texts if isinstance(text, str))


# responses


def extract_words(response: ModelResponse) -> str:
    """All text of a response, with its calls and their arguments."""
    return _EXTRACTOR.join_texts(_iter_words, response.output)


def _iter_words(output: Iterable[Any]) -> Iterator[str]:
    for item in output:
        if isinstance(item, ResponseFunctionToolCall):
            yield item.name
            yield from _iter_argument_texts(item.arguments)
        elif isinstance(item, ResponseOutputMessage):
            yield (text := extract_message_text(item))
            if "\\" in text:  # its escapes hide words from whoever does not parse it
                yield from _iter_argument_texts(text)
        else:
            yield from _EXTRACTOR.list_leaves(item)


def _iter_argument_texts(arguments: str | None) -> Iterator[str]:
    text = arguments or ""  # some providers leave it out where there are none
    try:
        yield from _EXTRACTOR.list_leaves(parse_json(text)[0])
    except ValueError:
        yield text
    except RecursionError:
        yield text
        yield from _iter_unescaped_texts(text)


def _iter_unescaped_texts(text: str) -> Iterator[str]:
    """Texts with escapes in JSON that is too deep to be parsed."""
    for part in _JSON_TEXT.findall(text):
        if "\\" in part:
            with suppress(ValueError):
                yield json.loads(part, strict=False)


_JSON_TEXT: Final = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
"""A text of JSON, or the rest without its end: beginning again at each of its signs would take quadratic time."""


def get_function_calls(response: ModelResponse) -> list[ResponseFunctionToolCall]:
    """Function calls that a response asks for."""
    return [item for item in response.output if isinstance(item, ResponseFunctionToolCall)]


def identify_turn(response: ModelResponse, items: Sequence[Any] = ()) -> tuple[str, str]:
    """Id and text of a response, as the trigger of its calls.

    The id is the provider's; if there is none, a digest of what the model was shown, so that the same conversation has
    the same turn in every process.
    """
    text = "\n".join(extract_message_text(item) for item in response.output if isinstance(item, ResponseOutputMessage))
    ids = (get_real_id(response, "response_id"), *(get_real_id(item, "id") for item in response.output))
    turn_id = next(filter(None, ids), "")
    if not turn_id:
        digest_input = json.dumps(list(items), default=str, sort_keys=True).encode("utf-8", "replace")
        turn_id = f"turn-{hashlib.sha256(digest_input).hexdigest()[:24]}"
    return turn_id, text


def get_real_id(item: Any, name: str) -> str:
    """An id given by a provider; empty if there is none."""
    value = get_field(item, name)
    return value if isinstance(value, str) and value != _PLACEHOLDER_ID else ""


# tools


def _replace_result(result: Any, notice: str) -> Any:
    """A notice in the shape of a result; a text if only the tool can make that shape."""
    if isinstance(result, ToolOutputText):
        return ToolOutputText(text=notice)
    if isinstance(result, list):
        return [notice]
    if isinstance(result, Mapping):
        return {"type": "text", "text": notice} if result.get("type") == "text" else {"notice": notice}
    return notice


TOOL_RESULT_SURFACE: Final[Surface[Any]] = Surface(
    _EXTRACTOR.extract_text,
    partial(_EXTRACTOR.filter_parts, replace=_replace_result),
    ValueRedactor.redact,
    _replace_result,
)
"""Of function tools: texts, the SDK's structured outputs, lists of these, whatever else a function returns."""


# models


def _replace_answer(response: ModelResponse, notice: str) -> ModelResponse:
    """A response with only a notice."""
    message_ids = (item.id for item in response.output if isinstance(item, ResponseOutputMessage))
    text = ResponseOutputText(type="output_text", text=notice, annotations=[])
    message = ResponseOutputMessage(
        id=next(message_ids, "halo-notice"), type="message", role="assistant", status="completed", content=[text]
    )
    return dataclasses.replace(response, output=[message])


class _AnswerRedactor(ValueRedactor):
    __slots__ = ()

    def redact_object(self, value: Any) -> Any:
        if isinstance(value, ModelResponse):
            output = [self.redact_value(item) for item in value.output]
            return copy_changed(value, {"output": prefer_original(value.output, output)})
        if isinstance(value, ResponseFunctionToolCall):
            # Such a call is decided when it is made; any other may be the shape of an answer.
            is_same = self.is_tool(value.name) or not value.arguments
            return value if is_same else copy_changed(value, {"arguments": self.redact_json(value.arguments)})
        if isinstance(value, ResponseOutputMessage):
            parts = [self.redact_value(part) for part in value.content]
            parts = mask_joined_parts(parts, ResponseOutputText, self.redact_json, _replace_part_text)
            return copy_changed(value, {"content": prefer_original(value.content, parts)})
        if isinstance(value, ResponseOutputText):
            return _replace_part_text(value, self.redact_json(value.text))
        return super().redact_object(value)


def _replace_part_text(part: ResponseOutputText, text: str) -> ResponseOutputText:
    # Annotations point into the text, and pieces of it stand beside it, which no mask would find.
    return part if text == part.text else part.model_copy(update={"text": text, "annotations": [], "logprobs": None})


def make_model_surface(halo: HaloBase, read_answer: ReadAnswer | None = None) -> Surface[Any]:
    """Make the surface of a `ModelResponse`: calls of registered resources are left as they are.

    Args:
        halo: who decides.
        read_answer: what of a response becomes part of the conversation.
    """
    redact = partial(_AnswerRedactor.redact, is_tool=partial(is_decided_tool, halo))
    return Surface(
        extract_words, None, redact, _replace_answer, history_items=read_answer, provider_blocks=_find_blocks
    )


def _find_blocks(response: ModelResponse) -> tuple[ProviderBlock, ...]:
    """The blocks of the provider's tools in a response: calls, results, and citations of what they found."""
    return find_provider_blocks(list(response.output))
