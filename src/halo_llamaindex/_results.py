"""How results of tools, retrievers and models are read, filtered, redacted and withheld.

A result is never changed in place. An object that cannot be read is never passed on.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, cast

from llama_index.core.base.llms.types import (
    AudioBlock,
    ChatMessage,
    ChatResponse,
    CitationBlock,
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
    TextNode,
)
from llama_index.core.tools import ToolOutput

from halo_core.enforcement.arguments import copy_changed
from halo_core.enforcement.enforcer import Surface
from halo_core.enforcement.obligations import KeepDocument
from halo_core.enforcement.result_redaction import (
    ValueRedactor,
    is_decided_tool,
    make_unreadable_error,
    mask_joined_parts,
    prefer_original,
)
from halo_core.enforcement.result_texts import (
    DROPPED_NOTICE,
    TextExtractor,
    replace_plain_result,
)
from halo_core.errors import Denied
from halo_core.facade import HaloBase
from halo_core.model import HistoryItem
from halo_core.model_requests import ProviderBlock, find_provider_blocks

ReadAnswer = Callable[[Any], tuple[HistoryItem, ...]]
Labels = Callable[[BaseNode], Iterable[str]]

# Blocks that can hold data, and their members that do.
_BLOB_TYPES: Final = (ImageBlock, AudioBlock, VideoBlock, DocumentBlock)
_DATA_FIELDS: Final = ("data", "image", "audio", "video")
_RESOURCE_FIELDS: Final = ("text_resource", "image_resource", "audio_resource", "video_resource")
"""Where a node has its parts."""


# texts


def _extract_content(node: BaseNode) -> Any:
    content = node.get_content(metadata_mode=MetadataMode.NONE)
    resources = (getattr(node, name, None) for name in _RESOURCE_FIELDS)
    texts = [item.text for item in resources if isinstance(item, MediaResource) and item.text]
    template = getattr(node, "text_template", "")
    texts += [template] if template != DEFAULT_TEXT_NODE_TMPL else []
    return [content, *(text for text in texts if text != content)]


def _extract_related_metadata(node: BaseNode) -> Any:
    """Metadata of related nodes, which a node carries."""
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
    """Takes the place of data that cannot be read as text: an image, a recording."""

    __slots__ = ()

    def __str__(self) -> str:
        return ""


def _extract_blob_text(block: Any) -> str | None:
    """Text in a block's data; None if it has none that can be read."""
    data = getattr(block, "data", None)
    if not data or not isinstance(block, DocumentBlock):
        return None
    try:
        text = base64.b64decode(data, validate=True).decode()
    except ValueError:
        return None
    return text if all(char.isprintable() or char.isspace() for char in text) else None


def _has_data(block: Any) -> bool:
    """Whether a block holds data, and not only a reference to data."""
    return any(getattr(block, name, None) for name in _DATA_FIELDS)


def _extract_blob_parts(block: Any) -> Any:
    text = _extract_blob_text(block)
    fields = [item for key, item in block.__dict__.items() if key not in _DATA_FIELDS]
    return [fields, text if text is not None else _UnreadableData() if _has_data(block) else None]


def _extract_node_parts(node: BaseNode) -> Any:
    return [_extract_content(node), node.metadata, _extract_related_metadata(node), getattr(node, "obj", None)]


_EXTRACTOR: Final = TextExtractor(
    (NodeWithScore, lambda item: [item.node]),
    ((TextNode, BaseNode), _extract_node_parts),
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

extract_text: Final = _EXTRACTOR.extract_text
"""All text of a value: text and metadata of documents, text and calls of messages, everything of other values."""

is_readable: Final = _EXTRACTOR.is_readable
"""Whether `extract_text` finds all text of a value, which holds no object that it cannot read."""


def extract_message_text(message: ChatMessage) -> str:
    """Text of a message, without its tool calls."""
    blocks: Sequence[Any] = message.blocks
    return "\n".join(block.text for block in blocks if isinstance(block, TextBlock))


# texts masked

_CALLS_KEY: Final = "tool_calls"
_TEXT_FIELDS: Final = ("text", "text_resource", "text_template", "metadata", "question", "answer")
_TEXT_FIELD_BY_TYPE: Final = ((NodeWithScore, "node"), (ThinkingBlock, "content"), (ToolCallBlock, "tool_kwargs"))
"""Field that holds all text of an object, by its type."""
# Which message or call it is: made up by the framework, the provider, or whoever scripted it.
_IDENTIFYING_KEYS: Final = frozenset({"id", "call_id", "index", "type", "tool_call_id", "name"})


class _ResultRedactor(ValueRedactor):
    __slots__ = ()

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
            return super().redact_object(value)
        is_decided = isinstance(value, ToolCallBlock) and self.is_tool(value.tool_name)
        return value if is_decided else self.redact_fields(value, {text_field: getattr(value, text_field)})

    def _redact_node(self, node: BaseNode) -> BaseNode:
        if isinstance(node, IndexNode) and node.obj is not None:
            raise make_unreadable_error(node)
        parts = {name: getattr(node, name, None) for name in _RESOURCE_FIELDS[1:]}
        fields: dict[str, Any] = {
            name: self.redact_fields(part, {"text": part.text})
            for name, part in parts.items()
            if isinstance(part, MediaResource)
        }
        related = {key: self._redact_related(item) for key, item in node.relationships.items()}
        fields["relationships"] = prefer_original(node.relationships, related)
        texts: dict[str, Any] = {name: node.__dict__[name] for name in _TEXT_FIELDS if name in node.__dict__}
        redacted: BaseNode = copy_changed(self.redact_fields(node, texts), fields)
        # Whatever else is known of it was computed from the words that were there.
        is_stale = redacted is not node and redacted.embedding is not None
        return redacted.model_copy(update={"embedding": None}) if is_stale else redacted

    def _redact_related(self, item: Any) -> Any:
        if isinstance(item, list):
            return prefer_original(item, [self._redact_related(related) for related in item])
        return self.redact_fields(item, {"metadata": item.metadata})

    def _redact_tool_output(self, output: ToolOutput) -> ToolOutput:
        """Redact a tool's output; its error is removed if it holds masked text."""
        redacted: ToolOutput = super().redact_object(output)
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
        redacted = self.redact_fields(block, {key: item for key, item in block.__dict__.items() if key != "data"})
        if text is None or (masked := self.mask(text)) == text:
            return redacted
        return redacted.model_copy(update={"data": base64.b64encode(masked.encode())})

    def _redact_answer(self, value: Any) -> Any:
        inner = "message" if isinstance(value, ChatResponse) else "text"
        fields = {inner: self.redact_value(getattr(value, inner))}
        if value.delta:
            fields["delta"] = self.redact_value(value.delta)
        redacted = copy_changed(value, fields)
        metadata = self.redact_metadata(value.additional_kwargs, changed=redacted is not value)
        redacted = copy_changed(redacted, {"additional_kwargs": metadata})
        try:
            raw = self.redact_value(value.raw)
        except TypeError:  # nobody can look into it
            raw = None
        if redacted is value and raw is value.raw:
            return value
        # The provider's own form of it, and its pieces, say the same words again.
        return redacted.model_copy(update={"raw": raw, "logprobs": None})

    def redact_member(self, key: Any, item: Any) -> Mapping[Any, Any]:
        return {key: self.redact_tool_calls(item)} if key == _CALLS_KEY else super().redact_member(key, item)

    # messages

    def _redact_message(self, message: ChatMessage) -> ChatMessage:
        call_keys, id_keys = ((_CALLS_KEY,), _IDENTIFYING_KEYS) if message.role == MessageRole.ASSISTANT else ((), ())
        metadata = self.redact_provider_members(message.additional_kwargs, call_keys, id_keys)
        blocks = self._redact_content(message.blocks)
        return cast("ChatMessage", copy_changed(message, {"blocks": blocks, "additional_kwargs": metadata}))

    def _redact_content(self, blocks: list[ContentBlock]) -> list[Any]:
        changed = [self.redact_value(block) for block in blocks]
        changed = mask_joined_parts(changed, TextBlock, self.mask, _replace_block_text, between="\n")
        return prefer_original(blocks, changed)

    def redact_tool_call(self, call: Any, *, is_decided: bool = False) -> Any:
        # A provider's own object for a call cannot be made with some other words in it.
        if not isinstance(call, dict) and self.is_tool(_get_called_name(call)):
            return call
        return super().redact_tool_call(call, is_decided=is_decided)


def _replace_block_text(block: TextBlock, text: str) -> TextBlock:
    return block.model_copy(update={"text": text})


def _get_called_name(call: Any) -> str:
    """The tool name in a provider's object for a call."""
    name = getattr(getattr(call, "function", call), "name", None)
    return name if isinstance(name, str) else ""


redact_value: Final = _ResultRedactor.redact
"""A copy of a result with every text masked; the same object if nothing changes. See `ValueRedactor`."""


# documents


def make_documents_surface(labels: Labels | None = None) -> Surface[list[NodeWithScore]]:
    """The surface of a retriever; `labels` finds a node's data labels, besides those found in its text."""
    get_labels = (lambda item: labels(item.node)) if labels is not None else None
    filter_documents = partial(_EXTRACTOR.filter_documents, get_labels=get_labels)
    return Surface(extract_text, filter_documents, redact_value, _replace_documents)


def make_table_surface(documents: Surface[list[NodeWithScore]]) -> Surface[tuple[Any, ...]]:
    """The surface of a retriever over tables, which returns documents and the rows they come from."""

    def get_query(metadata: Any) -> dict[str, Any]:
        return {key: item for key, item in dict(metadata).items() if key == "sql_query"}

    def filter_table(table_result: tuple[Any, ...], keep: KeepDocument) -> tuple[tuple[Any, ...], int]:
        nodes, metadata = table_result
        allowed, dropped = documents.filter(nodes, keep) if documents.filter is not None else ([], len(nodes))
        rows = {key: item for key, item in dict(metadata).items() if key != "sql_query"}
        # The framework's engines over tables cannot do with none.
        allowed = allowed or _replace_documents(nodes, DROPPED_NOTICE)
        return (allowed, metadata if not dropped and _EXTRACTOR.may_keep(rows, keep) else get_query(metadata)), dropped

    def withhold_table(table_result: tuple[Any, ...], notice: str) -> tuple[Any, ...]:
        return _replace_documents(table_result[0], notice), dict.fromkeys(get_query(table_result[1]), notice)

    return Surface(extract_text, filter_table, redact_value, withhold_table)


def _replace_documents(_nodes: Sequence[NodeWithScore], notice: str) -> list[NodeWithScore]:
    return [NodeWithScore(node=TextNode(text=notice))]


# tools


def _replace_result(result: Any, notice: str) -> Any:
    """A notice in the shape of the tool's result, or text if only the tool can make that shape."""
    if isinstance(result, ToolOutput):
        return ToolOutput(
            content=notice, tool_name=result.tool_name, raw_input=result.raw_input, raw_output=notice,
            is_error=result.is_error,
        )  # fmt: skip
    if isinstance(result, TextBlock):
        return TextBlock(text=notice)
    if isinstance(result, NodeWithScore):
        return _replace_documents([], notice)[0]
    if isinstance(result, list) and result and isinstance(result[0], NodeWithScore):
        return _replace_documents([], notice)
    return replace_plain_result(result, notice)


TOOL_RESULT_SURFACE: Final[Surface[Any]] = Surface(
    extract_text, partial(_EXTRACTOR.filter_parts, replace=_replace_result), redact_value, _replace_result
)
"""What a tool's function returns, or the `ToolOutput` of a tool that is no function."""


# models


def _replace_answer(answer: Any, notice: str) -> Any:
    """A model's answer with a notice and without calls.

    Raises:
        TypeError: it is in none of the framework's forms.
    """
    if isinstance(answer, ChatResponse):
        message_id = {key: item for key, item in answer.message.additional_kwargs.items() if key == "id"}
        message = ChatMessage(role=MessageRole.ASSISTANT, content=notice, additional_kwargs=message_id)
        return ChatResponse(message=message, delta=notice if answer.delta is not None else None)
    if isinstance(answer, CompletionResponse):
        return CompletionResponse(text=notice, delta=notice if answer.delta is not None else None)
    raise TypeError(f"a `{type(answer).__name__}` is not an answer of a model")


MODEL_SURFACE: Final[Surface[Any]] = Surface(
    extract_text, None, partial(redact_value, is_tool=lambda _name: True), _replace_answer
)
"""Of `ChatResponse` and `CompletionResponse`, whose calls are all decided when they are made."""


def make_model_surface(halo: HaloBase, read_answer: ReadAnswer | None = None) -> Surface[Any]:
    """Like `MODEL_SURFACE`, but only calls of registered tools count as decided: others may be output schemas.

    Args:
        halo: who decides.
        read_answer: what of an answer becomes part of the conversation.
    """

    def is_tool(name: str) -> bool:
        return name == "handoff" or is_decided_tool(halo, name)

    return replace(
        MODEL_SURFACE,
        redact=partial(redact_value, is_tool=is_tool),
        history_items=read_answer,
        provider_blocks=_find_blocks,
    )


def _find_blocks(answer: Any) -> tuple[ProviderBlock, ...]:
    """The blocks of a provider's tools in an answer, in the framework's form and the provider's."""
    if isinstance(answer, ChatResponse):
        message = answer.message
        blocks = [block.model_dump(exclude_none=True) for block in message.blocks if _is_plain_block(block)]
        trees = [blocks, message.additional_kwargs, answer.additional_kwargs, answer.raw]
        blocks_found = find_provider_blocks(trees) if any(map(_may_hold_blocks, trees)) else ()
        cited = [block for block in message.blocks if isinstance(block, CitationBlock)]
        return (
            *blocks_found,
            *(ProviderBlock("citation", _name_cited(block), (extract_text(block),)) for block in cited),
        )
    if isinstance(answer, CompletionResponse):
        return find_provider_blocks([answer.additional_kwargs, answer.raw])
    return ()


def _may_hold_blocks(tree: Any) -> bool:
    return type(tree) not in _PLAIN_TREES or bool(tree)


_PLAIN_TREES: Final = frozenset((dict, list, type(None)))


def _name_cited(block: CitationBlock) -> str:
    """The provider's tool that found a citation's source."""
    return "web_search" if block.source.startswith(("http:", "https:")) else "file_search"


def _is_plain_block(block: Any) -> bool:
    """Whether a block is the model's own words or calls, of known content."""
    return not isinstance(block, (TextBlock, ThinkingBlock, ToolCallBlock, CitationBlock, *_BLOB_TYPES))
