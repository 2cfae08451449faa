"""Messages of a model's input, each read once: a model call shows the whole conversation again.

What is read of a message of texts and calls depends on nothing but its role, its blocks and what its provider added, so
it is remembered by these values.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from llama_index.core.base.llms.types import ChatMessage, TextBlock, ToolCallBlock

from halo_core.enforcement.exposure import describe_calls
from halo_core.enforcement.model_inputs import join_calls
from halo_core.enforcement.text_cache import TextCache
from halo_llamaindex._results import extract_message_text, extract_text

_MAX_DUMPED: Final = 8_192
"""Bytes of a message up to which it is remembered."""


class ReadMessage(NamedTuple):
    """What is read of a message.

    Args:
        role: its role.
        text: its text, without calls.
        calls: the calls that it asks for, normalized; empty for none.
        whole_text: its text with the calls, as it is recorded of a model's input.
        all_text: all that `extract_text` finds in it.
        call_id: id of the call that it answers, empty for none.
    """

    role: str
    text: str
    calls: str
    whole_text: str
    all_text: str
    call_id: str


_KNOWN: Final[TextCache[bytes, ReadMessage]] = TextCache()


def read_messages(messages: Iterable[ChatMessage]) -> list[ReadMessage]:
    """Read each message."""
    return [read_message(message) for message in messages]


def read_message(message: ChatMessage) -> ReadMessage:
    """Read a message."""
    dumped = _dump(message)
    known = _KNOWN.get(dumped)
    if known is None:
        known = _read(message)
        # INVARIANT: a message that somebody changed meanwhile is not kept as what it was before.
        if dumped and dumped == _dump(message):
            _KNOWN.keep(dumped, known.all_text, known)
    return known


def _dump(message: ChatMessage) -> bytes:
    """All that `_read` reads of a message as bytes, equal for equal values; empty if it holds other types."""
    if type(message) is not ChatMessage:
        return b""
    values: list[Any] = [message.role._value_, message.additional_kwargs]
    for block in message.blocks:
        if type(block) is TextBlock:
            values.append(block.text)
        elif type(block) is ToolCallBlock:
            values.append([block.tool_name, block.tool_kwargs])
        else:
            return b""
    try:
        # Version 2 writes whatever differs in value or type as other bytes.
        dumped = marshal.dumps(values, 2)
    except ValueError:
        return b""
    return dumped if len(dumped) <= _MAX_DUMPED else b""


def _read(message: ChatMessage) -> ReadMessage:
    text = extract_message_text(message)
    return ReadMessage(
        str(message.role.value),
        text,
        describe_calls(_iterate_calls(message)),
        join_calls(text, _list_recorded_calls(message)),
        extract_text(message),
        _get_call_id(message),
    )


def _list_recorded_calls(message: ChatMessage) -> list[tuple[str, Any]]:
    calls = [(item.tool_name, item.tool_kwargs) for item in message.blocks if isinstance(item, ToolCallBlock)]
    if not calls and message.additional_kwargs.get("tool_calls"):
        calls = [("tool_calls", message.additional_kwargs["tool_calls"])]
    return calls


def _get_call_id(message: ChatMessage) -> str:
    ids = (message.additional_kwargs.get(key) for key in ("tool_call_id", "call_id", "id"))
    return next((item for item in ids if isinstance(item, str)), "")


def _iterate_calls(message: ChatMessage) -> Iterator[tuple[str, Any]]:
    for block in message.blocks:
        if isinstance(block, ToolCallBlock):
            yield block.tool_name, block.tool_kwargs
    calls = message.additional_kwargs.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        yield _read_call(call)


def _read_call(call: Any) -> tuple[str, Any]:
    """Name and arguments of a call in any of the providers' forms."""
    function = _get_member(call, "function") or call
    names = (_get_member(function, key) for key in ("name", "tool_name"))
    arguments = (_get_member(function, key) for key in ("arguments", "args", "input", "tool_kwargs"))
    return str(next(filter(None, names), "")), next(filter(None, arguments), "")


def _get_member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
