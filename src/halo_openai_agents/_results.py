"""What goes into models and comes out of them and of tools, as texts, and how it is filtered, redacted and withheld."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from agents import ModelResponse, ToolOutputText
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

from halo_core.enforcement import Surface
from halo_core.enforcement.arguments import copy_changed
from halo_core.enforcement.result_texts import (
    TextExtractor,
    ValueRedactor,
    is_decided_tool,
    mask_joined_parts,
    parse_json,
    prefer_original,
)
from halo_core.enforcement.session_context import TriggeringMessage
from halo_core.model import Provenance

if TYPE_CHECKING:
    from halo_core.facade import HaloBase

_EXTRACTOR: Final = TextExtractor()
_TEXT_PART_TYPES: Final = ("input_text", "output_text", "text", "refusal", "summary_text")
_SYSTEM_ROLES: Final = ("system", "developer")
_PLACEHOLDER_ID: Final = "__fake_id__"  # the SDK's, for providers that name nothing


def to_input_items(model_input: Any) -> list[Any]:
    """Input of a model call as items."""
    if isinstance(model_input, str):
        return [{"role": "user", "content": model_input}]
    return list(model_input) if isinstance(model_input, list | tuple) else []


def count_messages(items: Iterable[Any]) -> int:
    """Count the messages in input items; everything that a model said at once, with its calls, is one."""
    from_model = [_is_from_model(item) for item in items]
    return sum(not (current and previous) for previous, current in zip([False, *from_model], from_model, strict=False))


def _is_from_model(item: Any) -> bool:
    kind = str(_get_field(item, "type") or "")
    return _get_field(item, "role") == "assistant" or kind == "reasoning" or kind.endswith("_call")


def _get_field(item: Any, name: str) -> Any:
    return item.get(name) if isinstance(item, Mapping) else getattr(item, name, None)


def _extract_message_text(item: Any) -> str:
    """Text of a message item."""
    content = _get_field(item, "content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list | tuple) else []
    texts = (
        _get_field(part, "text") or _get_field(part, "refusal")
        for part in parts
        if _get_field(part, "type") in _TEXT_PART_TYPES
    )
    return "\n".join(text for text in texts if isinstance(text, str))


def find_asking_message(items: Sequence[Any], *, nested: bool) -> TriggeringMessage:
    """The message that asks for a model call; if `nested`, a tool's body wrote it, not a user."""
    last = items[-1] if items else None
    if last is None:
        return TriggeringMessage()
    is_by_user = _get_field(last, "role") == "user" and not nested
    text = _extract_message_text(last) or _EXTRACTOR.extract_text(_get_field(last, "output") or "")
    return TriggeringMessage(_get_real_id(last, "id"), kind="user" if is_by_user else "message", text=text)


def find_known_origins(
    system: str | None, items: Iterable[Any], *, known_call_ids: frozenset[str] | None, nested: bool
) -> tuple[tuple[str, Provenance], ...]:
    """Find the texts in the input whose origin is known.

    Args:
        system: the agent's instructions.
        items: what the model is shown.
        known_call_ids: ids of the calls that this session has made; what another tool said, nobody here has read. None
            where the session goes on from earlier runs, which have recorded what they read.
        nested: whether a tool's body wrote the input, and so neither the user nor the system.
    """
    origins: list[tuple[str, Provenance]] = []
    if system and not nested:
        origins.append((system, Provenance.SYSTEM))
    for item in items:
        role, kind = _get_field(item, "role"), str(_get_field(item, "type") or "")
        if kind.endswith("_output"):
            if known_call_ids is not None and _get_field(item, "call_id") not in known_call_ids:
                origins.append((_EXTRACTOR.extract_text(_get_field(item, "output")), Provenance.UNTRUSTED))
        elif nested:
            continue
        elif role in _SYSTEM_ROLES:
            origins.append((_extract_message_text(item), Provenance.SYSTEM))
        elif role == "user":
            origins.append((_extract_message_text(item), Provenance.USER))
    return tuple(origins)


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
            yield (text := _extract_message_text(item))
            if "\\" in text:  # its escapes hide words from whoever does not parse it
                yield from _iter_argument_texts(text)
        else:
            yield from _EXTRACTOR.iterate_leaves(item)


def _iter_argument_texts(arguments: str | None) -> Iterator[str]:
    text = arguments or ""  # some providers leave it out where there are none
    try:
        yield from _EXTRACTOR.iterate_leaves(parse_json(text)[0])
    except (ValueError, RecursionError):
        yield text


def get_function_calls(response: ModelResponse) -> list[ResponseFunctionToolCall]:
    """Function calls that a response asks for."""
    return [item for item in response.output if isinstance(item, ResponseFunctionToolCall)]


def identify_turn(response: ModelResponse, items: Sequence[Any] = ()) -> tuple[str, str]:
    """Id and text of a response, as what asks for the calls in it.

    The id is the provider's; if there is none, a digest of what the model was shown, so that the same conversation has
    the same turn in every process.
    """
    text = "\n".join(_extract_message_text(item) for item in response.output if isinstance(item, ResponseOutputMessage))
    ids = (_get_real_id(response, "response_id"), *(_get_real_id(item, "id") for item in response.output))
    turn_id = next(filter(None, ids), "")
    if not turn_id:
        digest_input = json.dumps(list(items), default=str, sort_keys=True).encode("utf-8", "replace")
        turn_id = f"turn-{hashlib.sha256(digest_input).hexdigest()[:24]}"
    return turn_id, text


def _get_real_id(item: Any, name: str) -> str:
    value = _get_field(item, name)
    return value if isinstance(value, str) and value != _PLACEHOLDER_ID else ""


# tools


def _replace_result(result: Any, notice: str) -> Any:
    """A notice in the shape of a result; plain text where only the tool can make that shape."""
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
    """A response with nothing but a notice."""
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


def make_model_surface(halo: HaloBase) -> Surface[Any]:
    """Make the surface of a `ModelResponse`: calls of registered resources are left as they are."""
    redact = partial(_AnswerRedactor.redact, is_tool=partial(is_decided_tool, halo))
    return Surface(extract_words, None, redact, _replace_answer)
