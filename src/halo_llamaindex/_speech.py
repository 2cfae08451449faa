"""Room: results and models' answers with other words in them. Takes: a result, a mask. Gives: a copy of its shape.

Never: changes what it is given, passes on an object into which it cannot look.
"""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    ContentBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.schema import BaseNode, IndexNode, MediaResource, NodeWithScore, RelatedNodeInfo
from llama_index.core.tools import ToolOutput

from halo_core.errors import Denied
from halo_core.pep.reshape import Mask, Walk, rejoined, stuck
from halo_llamaindex._words import BLOBS, RESOURCES, blob_text, has_data

__all__ = ["reshaped"]

_CALLS: Final = "tool_calls"
_SAID: Final = ("text", "text_resource", "text_template", "metadata", "question", "answer")
_WHERE: Final = ((NodeWithScore, "node"), (ThinkingBlock, "content"), (ToolCallBlock, "tool_kwargs"))
"""Where an object has its words, of those that have them in one place."""
# Which message or call it is: made up by the framework, the provider, or whoever scripted it.
_PLACE: Final = frozenset({"id", "call_id", "index", "type", "tool_call_id", "name"})


def _no_tool(_name: str) -> bool:
    return False


def reshaped(value: Any, mask: Mask, is_tool: Callable[[str], bool] = _no_tool) -> Any:
    """A copy of a result with every text replaced by what `mask` makes of it; the same object if nothing changes.

    Args:
        value: a result of any shape.
        mask: what is made of a text.
        is_tool: whether a call of this name is decided when it is made: the arguments of such a call in a model's
            answer stay as they are.

    Raises:
        TypeError: it holds something into which nobody can look, or which cannot be made with other words in it.
    """
    return _Speech(mask, is_tool=is_tool).value(value)


@dataclasses.dataclass(frozen=True, slots=True)
class _Speech(Walk):
    is_tool: Callable[[str], bool] = _no_tool

    # No `super()`: a class with slots is made twice, and means the first.

    def thing(self, value: Any) -> Any:
        ways: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
            (BaseNode, self._node),
            (ChatMessage, self._message),
            ((ChatResponse, CompletionResponse), self._answer),
            (ToolOutput, self._output),
            (BLOBS, self._block),
        )
        way = next((way for kind, way in ways if isinstance(value, kind)), None)
        if way is not None:
            return way(value)
        said = next((name for kind, name in _WHERE if isinstance(value, kind)), "")
        if not said:
            return Walk.thing(self, value)
        decided = isinstance(value, ToolCallBlock) and self.is_tool(value.tool_name)
        return value if decided else self.fields(value, {said: getattr(value, said)})

    def _node(self, node: BaseNode) -> BaseNode:
        if isinstance(node, IndexNode) and node.obj is not None:
            raise stuck(node)
        fields: dict[str, Any] = {name: node.__dict__[name] for name in _SAID if name in node.__dict__}
        made: BaseNode = self.fields(node, fields)
        made = self._beside(node, made)
        # Whatever else is known of it was computed from the words that were there.
        return made if made is node or made.embedding is None else made.model_copy(update={"embedding": None})

    def _beside(self, node: BaseNode, made: BaseNode) -> BaseNode:
        """The same with other words in its other parts, and in what it says of the nodes that it names."""
        update: dict[str, Any] = {}
        for name in RESOURCES[1:]:
            part = getattr(node, name, None)
            if isinstance(part, MediaResource):
                update[name] = self.fields(part, {"text": part.text})
        told = {
            key: [self._related(one) for one in item] if isinstance(item, list) else self._related(item)
            for key, item in node.relationships.items()
        }
        if told != node.relationships:
            update["relationships"] = told
        update = {key: item for key, item in update.items() if item is not getattr(node, key)}
        return made.model_copy(update=update) if update else made

    def _related(self, item: RelatedNodeInfo) -> Any:
        return self.fields(item, {"metadata": item.metadata})

    def _output(self, output: ToolOutput) -> ToolOutput:
        """What a tool gave, without an error that says what nobody may be told."""
        made: ToolOutput = Walk.thing(self, output)
        error = output.exception
        if error is None or (isinstance(error, Denied) and made is output) or self._says_the_same(error):
            return made
        made = made.model_copy()
        made._exception = None  # noqa: SLF001  its own part of the copy
        return made

    def _says_the_same(self, error: BaseException) -> bool:
        chain = (error, error.__cause__, error.__context__)
        texts = [text for item in chain if item is not None for text in (str(item), repr(item.args), repr(vars(item)))]
        return all(self.mask(text) == text for text in texts)

    def _block(self, block: Any) -> Any:
        """A block that can hold data: words in it are masked; what nobody can read is passed on by no mask."""
        text = blob_text(block)
        if text is None and has_data(block):
            raise stuck(block)
        fields = {key: item for key, item in block.__dict__.items() if key != "data"}
        made = self.fields(block, fields)
        masked = self.mask(text) if text is not None else None
        return made if masked == text else made.model_copy(update={"data": base64.b64encode((masked or "").encode())})

    def _answer(self, value: Any) -> Any:
        inner = "message" if isinstance(value, ChatResponse) else "text"
        said = self.value(getattr(value, inner))
        update: dict[str, Any] = {} if said is getattr(value, inner) else {inner: said}
        if value.delta:
            delta = self.value(value.delta)
            update |= {} if delta is value.delta and not update else {"delta": delta}
        told = self._facts(value.additional_kwargs)
        update |= {} if told is value.additional_kwargs else {"additional_kwargs": told}
        if not update and self._same(value.raw):
            return value
        # The provider's own form of it, and its pieces, say the same words again.
        return value.model_copy(update={**update, "raw": self._raw(value.raw), "logprobs": None})

    def _same(self, raw: Any) -> bool:
        try:
            return self.value(raw) is raw
        except TypeError:
            return False

    def _raw(self, raw: Any) -> Any:
        try:
            return self.value(raw)
        except TypeError:
            return None

    def _facts(self, told: Mapping[str, Any]) -> Any:
        """How it was made, without what nobody can read."""
        made: dict[Any, Any] = {}
        for key, item in told.items():
            try:
                made |= {key: self._calls(item) if key == _CALLS else self._mapping({key: item})[key]}
            except (KeyError, TypeError):
                continue
        same = made.keys() == told.keys() and all(made[key] is told[key] for key in told)
        return told if same else made

    # messages

    def _message(self, message: ChatMessage) -> ChatMessage:
        speaks = message.role == MessageRole.ASSISTANT
        added = message.additional_kwargs
        kept = {key: item for key, item in added.items() if speaks and (key in _PLACE or key == _CALLS)}
        rest = self._mapping({key: item for key, item in added.items() if key not in kept})
        told = {key: self._calls(item) if key == _CALLS else item for key, item in kept.items()} | dict(rest)
        blocks = self._blocks(message.blocks)
        same = told.keys() == added.keys() and all(told[key] is added[key] for key in added)
        if same and blocks is message.blocks:
            return message
        return message.model_copy(update={"blocks": blocks, "additional_kwargs": told})

    def _blocks(self, blocks: list[ContentBlock]) -> list[Any]:
        changed = [self.value(block) for block in blocks]
        words = [block.text if isinstance(block, TextBlock) else None for block in changed]
        texts = [text for text in words if text is not None]
        joined = rejoined(list(texts), self.mask, between="\n", keep=True)
        if joined is not texts and joined != texts:
            again = iter(joined)
            changed = [
                block if text is None else block.model_copy(update={"text": next(again)})
                for block, text in zip(changed, words, strict=True)
            ]
        return blocks if all(new is old for new, old in zip(changed, blocks, strict=True)) else changed

    # what it asks for

    def _calls(self, calls: Any) -> Any:
        if not isinstance(calls, list):
            return self.value(calls)
        changed = [item if self.is_tool(_called(item)) else self._call(item) for item in calls]
        return calls if all(new is old for new, old in zip(changed, calls, strict=True)) else changed

    def _call(self, call: Any) -> Any:
        """A call of what is no tool here: the shape of an answer."""
        if not isinstance(call, dict):
            return self.value(call)
        made = {key: self._arguments(key, item) for key, item in call.items()}
        return call if all(made[key] is call[key] for key in call) else made

    def _arguments(self, key: Any, item: Any) -> Any:
        if key in _PLACE:
            return item
        if key == "function" and isinstance(item, dict):
            return self._call(item)
        if key == "arguments" and isinstance(item, str):  # some providers write them as JSON in a text
            try:
                found = json.loads(item)
            except (ValueError, RecursionError):
                return self.value(item)
            masked = self.value(found)
            return item if masked is found else json.dumps(masked, ensure_ascii=False)
        return self._below(key).value(item)


def _called(call: Any) -> str:
    """Name of what a call in a provider's form calls."""
    inner = call.get("function", call) if isinstance(call, Mapping) else getattr(call, "function", call)
    name = inner.get("name") if isinstance(inner, Mapping) else getattr(inner, "name", None)
    return name if isinstance(name, str) else ""
