"""Texts of results and of models' answers: what they say, and copies in which a mask has replaced it.

`extract_text` reads a value, for digests and provenance; `redact_value` makes a copy of its shape with other words. An
object into which it cannot look is never passed on.
"""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from llama_index.core.base.llms.types import (
    AudioBlock,
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    ContentBlock,
    DocumentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)
from llama_index.core.chat_engine.types import AgentChatResponse
from llama_index.core.schema import (
    DEFAULT_TEXT_NODE_TMPL,
    BaseNode,
    IndexNode,
    MediaResource,
    MetadataMode,
    NodeWithScore,
    QueryBundle,
    RelatedNodeInfo,
)
from llama_index.core.tools import ToolOutput

from halo_core.enforcement.result_texts import (
    MaskText,
    TextExtractor,
    ValueRedactor,
    make_unreadable_error,
    mask_joined_texts,
)
from halo_core.errors import Denied

_BLOB_TYPES: Final = (ImageBlock, AudioBlock, VideoBlock, DocumentBlock)
"""Blocks that can hold data."""
_RESOURCE_FIELDS: Final = ("text_resource", "image_resource", "audio_resource", "video_resource")
"""Where a node has its parts."""


def _extract_parts(value: Any) -> Sequence[Any] | None:
    """Parts of a framework object that hold text; its ids, scores, embeddings and locations do not."""
    return next((extract(value) for kind, extract in _PART_EXTRACTORS if isinstance(value, kind)), None)


def _extract_content(node: BaseNode) -> Any:
    content = node.get_content(metadata_mode=MetadataMode.NONE)
    resources = (getattr(node, name, None) for name in _RESOURCE_FIELDS)
    texts = [item.text for item in resources if isinstance(item, MediaResource) and item.text]
    template = getattr(node, "text_template", "")
    texts += [template] if template != DEFAULT_TEXT_NODE_TMPL else []
    return [content, *(text for text in texts if text != content)]


def _extract_related_metadata(node: BaseNode) -> Any:
    """Metadata of related nodes, which come along with a node."""
    related = [item if isinstance(item, list) else [item] for item in node.relationships.values()]
    return [
        node_info.metadata
        for items in related
        for node_info in items
        if node_info.metadata and node_info.metadata != node.metadata
    ]


def _extract_error(output: ToolOutput) -> Any:
    """Text of a tool's error that its output does not repeat."""
    error = output.exception
    return None if error is None or str(error) in (output.content, output.raw_output) else str(error)


class _UnreadableData:
    """Stands for data that cannot be read as text: a picture, a recording."""

    __slots__ = ()

    def __str__(self) -> str:
        return ""


def _extract_blob_text(block: Any) -> str | None:
    """Text in the data of a block; None if it has none, or none that can be read."""
    data = getattr(block, "data", None)
    if not data or not isinstance(block, DocumentBlock):
        return None
    try:
        text = base64.b64decode(data, validate=True).decode()
    except ValueError:
        return None
    return text if all(char.isprintable() or char.isspace() for char in text) else None


def _has_data(block: Any) -> bool:
    """Whether a block holds data itself, and not only a reference to it."""
    return any(getattr(block, name, None) for name in ("data", "image", "audio", "video"))


def _extract_blob_parts(block: Any) -> Any:
    text = _extract_blob_text(block)
    fields = {key: item for key, item in block.__dict__.items() if key not in ("data", "image", "audio", "video")}
    return [list(fields.values()), text if text is not None else _UnreadableData() if _has_data(block) else None]


_PART_EXTRACTORS: Final[tuple[tuple[type[Any] | tuple[type[Any], ...], Callable[[Any], Sequence[Any]]], ...]] = (
    (NodeWithScore, lambda item: [item.node]),
    (
        BaseNode,
        lambda node: [
            _extract_content(node),
            node.metadata,
            _extract_related_metadata(node),
            getattr(node, "obj", None),
        ],
    ),
    (ChatMessage, lambda message: [message.blocks, message.additional_kwargs.get("tool_calls")]),
    (TextBlock, lambda block: [block.text]),
    (_BLOB_TYPES, _extract_blob_parts),
    (ThinkingBlock, lambda block: [block.content]),
    (ToolCallBlock, lambda block: [block.tool_name, block.tool_kwargs]),
    (ChatResponse, lambda answer: [answer.message]),
    (CompletionResponse, lambda answer: [answer.text]),
    (ToolOutput, lambda output: [output.blocks, output.raw_output, _extract_error(output)]),
    (AgentChatResponse, lambda answer: [answer.response, answer.sources, answer.source_nodes, answer.metadata]),
    (QueryBundle, lambda bundle: [bundle.query_str, bundle.custom_embedding_strs]),
)
_EXTRACTOR: Final = TextExtractor(_extract_parts)


def extract_text(value: Any) -> str:
    """All text of a value: text and metadata of documents, text and calls of messages, everything of other values."""
    return _EXTRACTOR.extract_text(value)


def is_readable(value: Any) -> bool:
    """Whether `extract_text` finds all text of a value, which holds no object that it cannot read."""
    return _EXTRACTOR.is_readable(value)


def extract_message_text(message: ChatMessage) -> str:
    """Text of a message, without its tool calls."""
    blocks: Sequence[Any] = message.blocks
    return "\n".join(block.text for block in blocks if isinstance(block, TextBlock))


_CALLS_KEY: Final = "tool_calls"
_TEXT_FIELDS: Final = ("text", "text_resource", "text_template", "metadata", "question", "answer")
_TEXT_FIELD_BY_TYPE: Final = ((NodeWithScore, "node"), (ThinkingBlock, "content"), (ToolCallBlock, "tool_kwargs"))
"""Field that holds all text of an object, by its type."""
# Which message or call it is: made up by the framework, the provider, or whoever scripted it.
_IDENTIFYING_KEYS: Final = frozenset({"id", "call_id", "index", "type", "tool_call_id", "name"})


def _is_never_tool(_name: str) -> bool:
    return False


def redact_value(value: Any, mask: MaskText, is_tool: Callable[[str], bool] = _is_never_tool) -> Any:
    """A copy of a result with every text replaced by what `mask` makes of it; the same object if nothing changes.

    Args:
        value: a result of any shape.
        mask: what is made of a text.
        is_tool: whether a call of this name is decided when it is made: the arguments of such a call in a model's
            answer stay as they are.

    Raises:
        TypeError: it holds something into which nobody can look, or which cannot be made with other words in it.
    """
    return _ResultRedactor(mask, is_tool=is_tool).redact_value(value)


@dataclasses.dataclass(frozen=True, slots=True)
class _ResultRedactor(ValueRedactor):
    is_tool: Callable[[str], bool] = _is_never_tool

    # No `super()`: a class with slots is made twice, and means the first.

    def redact_object(self, value: Any) -> Any:
        redactors: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
            (BaseNode, self._redact_node),
            (ChatMessage, self._redact_message),
            ((ChatResponse, CompletionResponse), self._redact_answer),
            (ToolOutput, self._redact_tool_output),
            (_BLOB_TYPES, self._redact_block),
        )
        redactor = next((redactor for kind, redactor in redactors if isinstance(value, kind)), None)
        if redactor is not None:
            return redactor(value)
        text_field = next((name for kind, name in _TEXT_FIELD_BY_TYPE if isinstance(value, kind)), "")
        if not text_field:
            return ValueRedactor.redact_object(self, value)
        is_decided = isinstance(value, ToolCallBlock) and self.is_tool(value.tool_name)
        return value if is_decided else self.redact_fields(value, {text_field: getattr(value, text_field)})

    def _redact_node(self, node: BaseNode) -> BaseNode:
        if isinstance(node, IndexNode) and node.obj is not None:
            raise make_unreadable_error(node)
        fields: dict[str, Any] = {name: node.__dict__[name] for name in _TEXT_FIELDS if name in node.__dict__}
        redacted: BaseNode = self.redact_fields(node, fields)
        redacted = self._redact_node_parts(node, redacted)
        # Whatever else is known of it was computed from the words that were there.
        return (
            redacted
            if redacted is node or redacted.embedding is None
            else redacted.model_copy(update={"embedding": None})
        )

    def _redact_node_parts(self, node: BaseNode, redacted: BaseNode) -> BaseNode:
        """Redact the other parts of a node, and its metadata of related nodes."""
        update: dict[str, Any] = {}
        for name in _RESOURCE_FIELDS[1:]:
            part = getattr(node, name, None)
            if isinstance(part, MediaResource):
                update[name] = self.redact_fields(part, {"text": part.text})
        relationships = {
            key: [self._redact_related(related) for related in item]
            if isinstance(item, list)
            else self._redact_related(item)
            for key, item in node.relationships.items()
        }
        if relationships != node.relationships:
            update["relationships"] = relationships
        update = {key: item for key, item in update.items() if item is not getattr(node, key)}
        return redacted.model_copy(update=update) if update else redacted

    def _redact_related(self, item: RelatedNodeInfo) -> Any:
        return self.redact_fields(item, {"metadata": item.metadata})

    def _redact_tool_output(self, output: ToolOutput) -> ToolOutput:
        """Redact a tool's output; its error is removed if it holds masked text."""
        redacted: ToolOutput = ValueRedactor.redact_object(self, output)
        error = output.exception
        if error is None or (isinstance(error, Denied) and redacted is output) or self._is_unchanged_error(error):
            return redacted
        redacted = redacted.model_copy()
        redacted._exception = None  # noqa: SLF001  its own part of the copy
        return redacted

    def _is_unchanged_error(self, error: BaseException) -> bool:
        chain = (error, error.__cause__, error.__context__)
        texts = [text for item in chain if item is not None for text in (str(item), repr(item.args), repr(vars(item)))]
        return all(self.mask(text) == text for text in texts)

    def _redact_block(self, block: Any) -> Any:
        """Redact a block that can hold data; raises if the data cannot be read."""
        text = _extract_blob_text(block)
        if text is None and _has_data(block):
            raise make_unreadable_error(block)
        fields = {key: item for key, item in block.__dict__.items() if key != "data"}
        redacted = self.redact_fields(block, fields)
        masked = self.mask(text) if text is not None else None
        return (
            redacted
            if masked == text
            else redacted.model_copy(update={"data": base64.b64encode((masked or "").encode())})
        )

    def _redact_answer(self, value: Any) -> Any:
        inner = "message" if isinstance(value, ChatResponse) else "text"
        redacted = self.redact_value(getattr(value, inner))
        update: dict[str, Any] = {} if redacted is getattr(value, inner) else {inner: redacted}
        if value.delta:
            delta = self.redact_value(value.delta)
            update |= {} if delta is value.delta and not update else {"delta": delta}
        metadata = self._redact_metadata(value.additional_kwargs)
        update |= {} if metadata is value.additional_kwargs else {"additional_kwargs": metadata}
        if not update and self._is_unchanged(value.raw):
            return value
        # The provider's own form of it, and its pieces, say the same words again.
        return value.model_copy(update={**update, "raw": self._redact_raw(value.raw), "logprobs": None})

    def _is_unchanged(self, raw: Any) -> bool:
        try:
            return self.redact_value(raw) is raw
        except TypeError:
            return False

    def _redact_raw(self, raw: Any) -> Any:
        try:
            return self.redact_value(raw)
        except TypeError:
            return None

    def _redact_metadata(self, metadata: Mapping[str, Any]) -> Any:
        """Redact metadata; what cannot be read is removed."""
        redacted: dict[Any, Any] = {}
        for key, item in metadata.items():
            try:
                redacted |= {
                    key: self._redact_tool_calls(item) if key == _CALLS_KEY else self._redact_mapping({key: item})[key]
                }
            except (KeyError, TypeError):
                continue
        same = redacted.keys() == metadata.keys() and all(redacted[key] is metadata[key] for key in metadata)
        return metadata if same else redacted

    # messages

    def _redact_message(self, message: ChatMessage) -> ChatMessage:
        is_assistant = message.role == MessageRole.ASSISTANT
        added = message.additional_kwargs
        preserved = {
            key: item for key, item in added.items() if is_assistant and (key in _IDENTIFYING_KEYS or key == _CALLS_KEY)
        }
        redacted_rest = self._redact_mapping({key: item for key, item in added.items() if key not in preserved})
        metadata = {
            key: self._redact_tool_calls(item) if key == _CALLS_KEY else item for key, item in preserved.items()
        } | dict(redacted_rest)
        blocks = self._redact_content(message.blocks)
        same = metadata.keys() == added.keys() and all(metadata[key] is added[key] for key in added)
        if same and blocks is message.blocks:
            return message
        return message.model_copy(update={"blocks": blocks, "additional_kwargs": metadata})

    def _redact_content(self, blocks: list[ContentBlock]) -> list[Any]:
        changed = [self.redact_value(block) for block in blocks]
        words = [block.text if isinstance(block, TextBlock) else None for block in changed]
        texts = [text for text in words if text is not None]
        joined = mask_joined_texts(list(texts), self.mask, between="\n", keep=True)
        if joined is not texts and joined != texts:
            replacements = iter(joined)
            changed = [
                block if text is None else block.model_copy(update={"text": next(replacements)})
                for block, text in zip(changed, words, strict=True)
            ]
        return blocks if all(new is old for new, old in zip(changed, blocks, strict=True)) else changed

    # what it asks for

    def _redact_tool_calls(self, calls: Any) -> Any:
        if not isinstance(calls, list):
            return self.redact_value(calls)
        changed = [item if self.is_tool(_get_called_name(item)) else self._redact_tool_call(item) for item in calls]
        return calls if all(new is old for new, old in zip(changed, calls, strict=True)) else changed

    def _redact_tool_call(self, call: Any) -> Any:
        """Redact a call of something that is no tool here: it is the shape of an answer."""
        if not isinstance(call, dict):
            return self.redact_value(call)
        redacted = {key: self._redact_arguments(key, item) for key, item in call.items()}
        return call if all(redacted[key] is call[key] for key in call) else redacted

    def _redact_arguments(self, key: Any, item: Any) -> Any:
        if key in _IDENTIFYING_KEYS:
            return item
        if key == "function" and isinstance(item, dict):
            return self._redact_tool_call(item)
        if key == "arguments" and isinstance(item, str):  # some providers write them as JSON in a text
            try:
                parsed = json.loads(item)
            except (ValueError, RecursionError):
                return self.redact_value(item)
            masked = self.redact_value(parsed)
            return item if masked is parsed else json.dumps(masked, ensure_ascii=False)
        return self._for_member(key).redact_value(item)


def _get_called_name(call: Any) -> str:
    """Name of the tool that a call in a provider's form calls."""
    inner = call.get("function", call) if isinstance(call, Mapping) else getattr(call, "function", call)
    name = inner.get("name") if isinstance(inner, Mapping) else getattr(inner, "name", None)
    return name if isinstance(name, str) else ""
