"""Room: texts of results, for digests and provenance. Takes: framework objects. Gives: what they say, and whose words.

Every leaf and every key, joined by line ends: an encoding such as JSON would hide words behind its escapes. Never:
decides, keeps anything, raises for odd values.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import ipaddress
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from numbers import Number
from pathlib import PurePath
from typing import Any, Final

from langchain_core.documents import Document
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langgraph.types import Command, Send
from pydantic import AnyUrl, BaseModel
from pydantic.v1 import BaseModel as BaseModelV1

from halo_core.model import Provenance

__all__ = ["documents_text", "model_output", "readable", "result_text", "seen_of", "words_of"]

# What `str` says of them is all that they hold.
_LEAVES: Final = (
    str,
    bytes,
    bytearray,
    type(None),
    Number,
    dt.date,
    dt.time,
    dt.timedelta,
    uuid.UUID,
    PurePath,
    AnyUrl,
    *(ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Network, ipaddress.IPv6Network),
)


def result_text(result: Any) -> str:
    """What a result says: of messages content, calls and artifact, of documents text and metadata, of the rest all."""
    return _joined(_leaves, result)


def documents_text(documents: Sequence[Document]) -> str:
    """Texts of documents and their metadata."""
    return _joined(_leaves, documents)


def model_output(response: Any) -> str:
    """What a model said, from a `ModelResponse` of the middleware or an `LLMResult` of a callback."""
    return _joined(_said, response)


def readable(value: Any) -> bool:
    """Whether `result_text` has all that a result says: nothing in it is an object that keeps its words to itself."""
    try:
        return _read(value)
    except Exception:  # noqa: BLE001  too deep, or an object that misbehaves
        return False


def _read(value: Any) -> bool:
    if isinstance(value, _LEAVES):
        return True
    if isinstance(value, Mapping):
        return all(_read(key) and _read(item) for key, item in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return all(map(_read, value))
    inner = _inside(value)
    return inner is not None and _read(inner)


def words_of(messages: Iterable[BaseMessage]) -> tuple[tuple[str, str], ...]:
    """Kind and text of every message: enough to know a model call again."""
    return tuple((message.type, str(message.text)) for message in messages)


def _joined(parts: Callable[[Any], Iterator[str]], value: Any) -> str:
    try:
        return "\n".join(parts(value))
    except Exception:  # noqa: BLE001  too deep, or an object that misbehaves
        return str(value)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str | bytes | bytearray):
        yield value if isinstance(value, str) else value.decode("utf-8", "replace")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(key)
            yield from _leaves(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in sorted(value, key=repr) if isinstance(value, set | frozenset) else value:
            yield from _leaves(item)
    elif (inner := _inside(value)) is not None:
        yield from _leaves(inner)
    else:
        yield _word(value)


def _inside(value: Any) -> Any:
    """What an object holds, None of one that is a leaf."""
    found = _framework_parts(value)
    if found is not None:
        return [item for item in found if item is not None]
    if isinstance(value, BaseModel | BaseModelV1):
        return {**value.__dict__, **(getattr(value, "__pydantic_extra__", None) or {})}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
    return [value.value] if isinstance(value, Enum) else None


def _framework_parts(value: Any) -> list[Any] | None:
    if isinstance(value, BaseMessage):
        return [value.content, getattr(value, "tool_calls", None), getattr(value, "artifact", None)]
    if isinstance(value, Document):
        return [value.page_content, value.metadata]
    if isinstance(value, Command):
        return [value.update, value.resume, value.goto]
    return [value.node, value.arg] if isinstance(value, Send) else None


def _word(value: Any) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001  it can be shown in another way
        return repr(value)


def _said(response: Any) -> Iterator[str]:
    if isinstance(response, BaseMessage):
        yield from _leaves(response)
    elif (inner := getattr(response, "model_response", None)) is not None:
        yield from _said(inner)
    elif (result := getattr(response, "result", None)) is not None:
        yield from _leaves(result)
    else:
        for part in (item for generations in getattr(response, "generations", ()) for item in generations):
            message = getattr(part, "message", None)
            yield from _leaves(part.text if message is None else message)


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
