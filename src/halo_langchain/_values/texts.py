"""Room: texts of results, for digests and provenance. Takes: framework objects. Gives: what they say, and whose words.

Every leaf and every key, joined by line ends: an encoding such as JSON would hide words behind its escapes. Never:
decides, keeps anything, raises for odd values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from langchain_core.documents import Document
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.types import Command, Send

from halo_core.model import Provenance
from halo_core.pep.words import Words

__all__ = ["documents_text", "model_output", "readable", "result_text", "seen_of", "words_of"]


def _framework_parts(value: Any) -> list[Any] | None:
    if isinstance(value, BaseMessage):
        return [value.content, getattr(value, "tool_calls", None), getattr(value, "artifact", None)]
    if isinstance(value, Document):
        return [value.page_content, value.metadata]
    if isinstance(value, Command):
        return [value.update, value.resume, value.goto]
    return [value.node, value.arg] if isinstance(value, Send) else None


_WORDS: Final = Words(_framework_parts)


def result_text(result: Any) -> str:
    """What a result says: of messages content, calls and artifact, of documents text and metadata, of the rest all."""
    return _WORDS.text(result)


def documents_text(documents: Sequence[Document]) -> str:
    """Texts of documents and their metadata."""
    return _WORDS.text(documents)


def model_output(response: Any) -> str:
    """What a model said, from a `ModelResponse` of the middleware or an `LLMResult` of a callback."""
    return _WORDS.joined(_said, response)


def readable(value: Any) -> bool:
    """Whether `result_text` has all that a result says: nothing in it is an object that keeps its words to itself."""
    return _WORDS.readable(value)


def words_of(messages: Iterable[BaseMessage]) -> tuple[tuple[str, str], ...]:
    """Kind and text of every message: enough to know a model call again."""
    return tuple((message.type, str(message.text)) for message in messages)


def _said(response: Any) -> Iterator[str]:
    if isinstance(response, BaseMessage):
        yield from _WORDS.leaves(response)
    elif (inner := getattr(response, "model_response", None)) is not None:
        yield from _said(inner)
    elif (result := getattr(response, "result", None)) is not None:
        yield from _WORDS.leaves(result)
    else:
        for part in (item for generations in getattr(response, "generations", ()) for item in generations):
            message = getattr(part, "message", None)
            yield from _WORDS.leaves(part.text if message is None else message)


def seen_of(
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
    found = []
    for message in messages:
        if isinstance(message, ToolMessage):
            if message.id in earlier:
                found.append((result_text(message), Provenance.UNTRUSTED))
        elif nested:
            continue
        elif isinstance(message, SystemMessage):
            found.append((str(message.text), Provenance.SYSTEM))
        elif isinstance(message, HumanMessage) and not message.name and "lc_source" not in message.additional_kwargs:
            found.append((str(message.text), Provenance.USER))
    return tuple(found)
