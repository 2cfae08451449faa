"""How results of tools and answers of models are read, filtered and redacted: the `Surface`s of this adapter."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from agents import ModelResponse, ToolOutputText
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

from halo_core.enforcement import Surface
from halo_core.enforcement.result_texts import MaskText, ValueRedactor
from halo_core.model import ActionKind
from halo_openai_agents._texts import EXTRACTOR, extract_words, parse_json

if TYPE_CHECKING:
    from halo_core.facade import HaloBase

KeepDocument = Callable[[str, tuple[str, ...]], bool]

_WITHHELD_NOTICE: Final = "the documents were withheld: a policy keeps this source, or what stands in them, out"


# tools


def _may_keep(value: Any, keep: KeepDocument) -> bool:
    """Whether a document stays. INVARIANT: FAILCLOSED - an unreadable one could have any label."""
    return EXTRACTOR.is_readable(value) and keep(EXTRACTOR.extract_text(value), ())


def _filter_parts(result: Any, keep: KeepDocument) -> tuple[Any, int]:
    """Remove documents that may not be used: of a list item by item, of anything else all or nothing."""
    if isinstance(result, list):
        allowed = [item for item in result if _may_keep(item, keep)]
        return (result if len(allowed) == len(result) else allowed), len(result) - len(allowed)
    return (result, 0) if _may_keep(result, keep) else (_replace_result(result, _WITHHELD_NOTICE), 1)


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
    EXTRACTOR.extract_text,
    _filter_parts,
    lambda result, mask: ValueRedactor(mask).redact_value(result),
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


@dataclasses.dataclass(frozen=True, slots=True)
class _AnswerRedactor:
    """Applies a mask to a response."""

    mask: MaskText
    is_tool: Callable[[str], bool]

    def redact_response(self, response: ModelResponse) -> ModelResponse:
        output = [self._redact_item(item) for item in response.output]
        same = all(new is old for new, old in zip(output, response.output, strict=True))
        return response if same else dataclasses.replace(response, output=output)

    def _redact_item(self, item: Any) -> Any:
        if isinstance(item, ResponseFunctionToolCall):
            # Such a call is decided when it is made; any other may be the shape of an answer.
            return item if self.is_tool(item.name) else self._redact_tool_call(item)
        if isinstance(item, ResponseOutputMessage):
            content = self._redact_joined_parts([self._redact_part(part) for part in item.content])
            same = all(new is old for new, old in zip(content, item.content, strict=True))
            return item if same else item.model_copy(update={"content": content})
        return ValueRedactor(self.mask).redact_value(item)

    def _redact_part(self, part: Any) -> Any:
        if not isinstance(part, ResponseOutputText):
            return ValueRedactor(self.mask).redact_value(part)
        return _replace_part_text(part, self._redact_text(part.text))

    def _redact_joined_parts(self, content: list[Any]) -> list[Any]:
        """Mask the parts of one message as one text, where only together they contain what must be masked."""
        texts = [part for part in content if isinstance(part, ResponseOutputText)]
        joined_text = "".join(part.text for part in texts)
        if len(texts) < 2 or (text := self._redact_text(joined_text)) == joined_text:
            return content
        replacements = dict.fromkeys(map(id, texts), "")
        replacements[id(texts[0])] = text
        return [
            _replace_part_text(part, replacements[id(part)]) if id(part) in replacements else part for part in content
        ]

    def _redact_text(self, text: str) -> str:
        """Mask a text; in one that is JSON, every value, however it is escaped."""
        try:
            parsed, has_repeats = parse_json(text)
        except (ValueError, RecursionError):
            return self.mask(text)
        changed = ValueRedactor(self.mask).redact_value(parsed)
        # INVARIANT: whoever parses it reads nothing that was not looked at: escapes, and names that stand twice.
        return self.mask(text if changed is parsed and not has_repeats else json.dumps(changed, ensure_ascii=False))

    def _redact_tool_call(self, item: ResponseFunctionToolCall) -> ResponseFunctionToolCall:
        arguments = item.arguments or ""
        text = self._redact_text(arguments)
        return item if text == arguments else item.model_copy(update={"arguments": text})


def _replace_part_text(part: ResponseOutputText, text: str) -> ResponseOutputText:
    # Annotations point into the text, and pieces of it stand beside it, which no mask would find.
    return part if text == part.text else part.model_copy(update={"text": text, "annotations": [], "logprobs": None})


def make_model_surface(halo: HaloBase) -> Surface[Any]:
    """Make the surface of a `ModelResponse`: calls of registered resources are left as they are."""

    def is_tool(name: str) -> bool:
        resource = halo.find_registered(name)
        return resource is not None and resource.kind is not ActionKind.INFERENCE

    def redact(response: ModelResponse, mask: MaskText) -> ModelResponse:
        return _AnswerRedactor(mask, is_tool).redact_response(response)

    return Surface(extract_words, None, redact, _replace_answer)
