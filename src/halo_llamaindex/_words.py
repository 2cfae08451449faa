"""Room: texts of results, for digests and provenance. Takes: framework objects. Gives: what they say.

Never: decides, keeps anything, raises for odd values.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any, Final

from llama_index.core.base.llms.types import (
    AudioBlock,
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)
from llama_index.core.chat_engine.types import AgentChatResponse
from llama_index.core.schema import (
    DEFAULT_TEXT_NODE_TMPL,
    BaseNode,
    MediaResource,
    MetadataMode,
    NodeWithScore,
    QueryBundle,
)
from llama_index.core.tools import ToolOutput

from halo_core.pep.words import Words

__all__ = ["BLOBS", "RESOURCES", "blob_text", "has_data", "message_text", "readable", "text_of"]

BLOBS: Final = (ImageBlock, AudioBlock, VideoBlock, DocumentBlock)
"""Blocks that can hold data."""
RESOURCES: Final = ("text_resource", "image_resource", "audio_resource", "video_resource")
"""Where a node has its parts."""


def _parts(value: Any) -> Sequence[Any] | None:
    """What an object of the framework's says; its ids, scores, embeddings and places say nothing."""
    return next((said(value) for kind, said in _SAYS if isinstance(value, kind)), None)


def _content(node: BaseNode) -> Any:
    found = node.get_content(metadata_mode=MetadataMode.NONE)
    resources = (getattr(node, name, None) for name in RESOURCES)
    more = [item.text for item in resources if isinstance(item, MediaResource) and item.text]
    template = getattr(node, "text_template", "")
    more += [template] if template != DEFAULT_TEXT_NODE_TMPL else []
    return [found, *(text for text in more if text != found)]


def _related(node: BaseNode) -> Any:
    """Metadata of the nodes that it names, which come along with it."""
    told = [item if isinstance(item, list) else [item] for item in node.relationships.values()]
    return [one.metadata for items in told for one in items if one.metadata and one.metadata != node.metadata]


def _error(output: ToolOutput) -> Any:
    """What an error says that nothing else of its output does."""
    error = output.exception
    return None if error is None or str(error) in (output.content, output.raw_output) else str(error)


class _Unread:
    """What is there in a form into which nobody looks: a picture, a recording."""

    __slots__ = ()

    def __str__(self) -> str:
        return ""


def blob_text(block: Any) -> str | None:
    """Words in the data of a block; None where it has none, or they cannot be read (then it is not `readable`)."""
    data = getattr(block, "data", None)
    if not data or not isinstance(block, DocumentBlock):
        return None
    try:
        text = base64.b64decode(data, validate=True).decode()
    except ValueError:
        return None
    return text if all(char.isprintable() or char.isspace() for char in text) else None


def has_data(block: Any) -> bool:
    """Whether a block holds something itself, and does not only say where it is."""
    return any(getattr(block, name, None) for name in ("data", "image", "audio", "video"))


def _blob(block: Any) -> Any:
    text = blob_text(block)
    said = {key: item for key, item in block.__dict__.items() if key not in ("data", "image", "audio", "video")}
    return [list(said.values()), text if text is not None else _Unread() if has_data(block) else None]


_SAYS: Final[tuple[tuple[type[Any] | tuple[type[Any], ...], Callable[[Any], Sequence[Any]]], ...]] = (
    (NodeWithScore, lambda item: [item.node]),
    (BaseNode, lambda node: [_content(node), node.metadata, _related(node), getattr(node, "obj", None)]),
    (ChatMessage, lambda message: [message.blocks, message.additional_kwargs.get("tool_calls")]),
    (TextBlock, lambda block: [block.text]),
    (BLOBS, _blob),
    (ThinkingBlock, lambda block: [block.content]),
    (ToolCallBlock, lambda block: [block.tool_name, block.tool_kwargs]),
    (ChatResponse, lambda answer: [answer.message]),
    (CompletionResponse, lambda answer: [answer.text]),
    (ToolOutput, lambda output: [output.blocks, output.raw_output, _error(output)]),
    (AgentChatResponse, lambda answer: [answer.response, answer.sources, answer.source_nodes, answer.metadata]),
    (QueryBundle, lambda bundle: [bundle.query_str, bundle.custom_embedding_strs]),
)
_WORDS: Final = Words(_parts)


def text_of(value: Any) -> str:
    """All that a value says: of documents text and metadata, of messages words and calls, of the rest all."""
    return _WORDS.text(value)


def readable(value: Any) -> bool:
    """Whether `text_of` has all that a value says: nothing in it is an object that keeps its words to itself."""
    return _WORDS.readable(value)


def message_text(message: ChatMessage) -> str:
    """The words of a message, without the calls it asks for."""
    blocks: Sequence[Any] = message.blocks
    return "\n".join(block.text for block in blocks if isinstance(block, TextBlock))
