"""Room: surfaces, how results are read and made less. Takes: results of tools and models. Gives: the same.

Never: decides what is taken away, changes what it is given.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from agents import ModelResponse, ToolOutputText
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

from halo_core.model import ActionKind
from halo_core.pep import Surface
from halo_core.pep.reshape import Mask, Walk
from halo_openai_agents._items import WORDS, words_of
from halo_openai_agents._json import parsed

if TYPE_CHECKING:
    from halo_core.facade import HaloBase

__all__ = ["DROPPED", "TOOL_RESULT", "model_surface", "notice_message"]

Keep = Callable[[str, tuple[str, ...]], bool]

DROPPED: Final = "the documents were withheld: a policy keeps this source, or what stands in them, out"


# tools


def _may(value: Any, keep: Keep) -> bool:
    """Whether a document stays. INVARIANT: FAILCLOSED - what nobody can read could carry any label."""
    return WORDS.readable(value) and keep(WORDS.text(value), ())


def _kept(result: Any, keep: Keep) -> tuple[Any, int]:
    """A result without the documents that may not be used: those of a list, else all of it or nothing."""
    if isinstance(result, list):
        left = [item for item in result if _may(item, keep)]
        return (result if len(left) == len(result) else left), len(result) - len(left)
    return (result, 0) if _may(result, keep) else (_no_result(result, DROPPED), 1)


def _reshaped(result: Any, mask: Mask) -> Any:
    return Walk(mask).value(result)


def _no_result(result: Any, notice: str) -> Any:
    """A notice in the shape that the tool promised; text, where the shape is one that only the tool can make."""
    if isinstance(result, ToolOutputText):
        return ToolOutputText(text=notice)
    if isinstance(result, list):
        return [notice]
    if isinstance(result, Mapping):
        return {"type": "text", "text": notice} if result.get("type") == "text" else {"notice": notice}
    return notice


TOOL_RESULT: Final[Surface[Any]] = Surface(WORDS.text, _kept, _reshaped, _no_result)
"""Of function tools: texts, the SDK's structured outputs, lists of these, whatever else a function returns."""


# models


def notice_message(notice: str, id: str = "") -> ResponseOutputMessage:  # noqa: A002  the field's name
    """A model's message that says nothing but a notice."""
    text = ResponseOutputText(type="output_text", text=notice, annotations=[])
    return ResponseOutputMessage(
        id=id or "halo-notice", type="message", role="assistant", status="completed", content=[text]
    )


def _no_answer(response: ModelResponse, notice: str) -> ModelResponse:
    """A response without anything it said; it asks for nothing to be called."""
    said = (item.id for item in response.output if isinstance(item, ResponseOutputMessage))
    return dataclasses.replace(response, output=[notice_message(notice, next(said, ""))])


@dataclasses.dataclass(frozen=True, slots=True)
class _Answer:
    """One mask on its way through a response."""

    mask: Mask
    is_tool: Callable[[str], bool]

    def response(self, response: ModelResponse) -> ModelResponse:
        output = [self._item(item) for item in response.output]
        same = all(new is old for new, old in zip(output, response.output, strict=True))
        return response if same else dataclasses.replace(response, output=output)

    def _item(self, item: Any) -> Any:
        if isinstance(item, ResponseFunctionToolCall):
            # Such a call is decided when it is made; any other may be the shape of an answer.
            return item if self.is_tool(item.name) else self._call(item)
        if isinstance(item, ResponseOutputMessage):
            content = self._joined([self._part(part) for part in item.content])
            same = all(new is old for new, old in zip(content, item.content, strict=True))
            return item if same else item.model_copy(update={"content": content})
        return Walk(self.mask).value(item)

    def _part(self, part: Any) -> Any:
        if not isinstance(part, ResponseOutputText):
            return Walk(self.mask).value(part)
        return _worded(part, self._text(part.text))

    def _joined(self, content: list[Any]) -> list[Any]:
        """Parts of one message, which its readers join: where only together they say what must be masked, as one."""
        texts = [part for part in content if isinstance(part, ResponseOutputText)]
        whole = "".join(part.text for part in texts)
        if len(texts) < 2 or (text := self._text(whole)) == whole:
            return content
        rest = dict.fromkeys(map(id, texts), "")
        rest[id(texts[0])] = text
        return [_worded(part, rest[id(part)]) if id(part) in rest else part for part in content]

    def _text(self, text: str) -> str:
        """A text with other words in it; of one that is JSON, all that it says, whichever way it is written."""
        try:
            told, twice = parsed(text)
        except (ValueError, RecursionError):
            return self.mask(text)
        changed = Walk(self.mask).value(told)
        # INVARIANT: whoever parses it reads nothing that was not looked at: escapes, and names that stand twice.
        return self.mask(text if changed is told and not twice else json.dumps(changed, ensure_ascii=False))

    def _call(self, item: ResponseFunctionToolCall) -> ResponseFunctionToolCall:
        given = item.arguments or ""
        text = self._text(given)
        return item if text == given else item.model_copy(update={"arguments": text})


def _worded(part: ResponseOutputText, text: str) -> ResponseOutputText:
    # Annotations point into the text, and pieces of it stand beside it, which no mask would find.
    return part if text == part.text else part.model_copy(update={"text": text, "annotations": [], "logprobs": None})


def model_surface(halo: HaloBase) -> Surface[Any]:
    """Of `ModelResponse`: calls of what is registered are left as they are."""

    def is_tool(name: str) -> bool:
        found = halo.registered(name)
        return found is not None and found.kind is not ActionKind.INFERENCE

    def redact(response: ModelResponse, mask: Mask) -> ModelResponse:
        return _Answer(mask, is_tool).response(response)

    return Surface(words_of, None, redact, _no_answer)
