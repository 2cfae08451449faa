"""Room: texts of results, for digests and provenance. Takes: framework objects. Gives: what they say.

Never: decides, keeps anything, raises for odd values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.chat_engine.types import AgentChatResponse
from llama_index.core.schema import BaseNode, MediaResource, MetadataMode, NodeWithScore, QueryBundle
from llama_index.core.tools import ToolOutput

from halo_core.pep.words import Words

__all__ = ["message_text", "readable", "text_of"]


def _parts(value: Any) -> Sequence[Any] | None:
    """What an object of the framework's says; its ids, scores, embeddings and places say nothing."""
    return next((said(value) for kind, said in _SAYS if isinstance(value, kind)), None)


def _content(node: BaseNode) -> Any:
    found = node.get_content(metadata_mode=MetadataMode.NONE)
    resources = (getattr(node, name, None) for name in ("text_resource", "image_resource", "audio_resource"))
    more = [item.text for item in resources if isinstance(item, MediaResource) and item.text]
    return [found, *(text for text in more if text != found)]


_SAYS: Final[tuple[tuple[type[Any], Callable[[Any], Sequence[Any]]], ...]] = (
    (NodeWithScore, lambda item: [item.node]),
    (BaseNode, lambda node: [_content(node), node.metadata, getattr(node, "obj", None)]),
    (ChatMessage, lambda message: [message.blocks, message.additional_kwargs.get("tool_calls")]),
    (TextBlock, lambda block: [block.text]),
    (ThinkingBlock, lambda block: [block.content]),
    (ToolCallBlock, lambda block: [block.tool_name, block.tool_kwargs]),
    (ChatResponse, lambda answer: [answer.message]),
    (CompletionResponse, lambda answer: [answer.text]),
    (ToolOutput, lambda output: [output.blocks, output.raw_output]),
    (AgentChatResponse, lambda answer: [answer.response, answer.sources, answer.source_nodes]),
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
