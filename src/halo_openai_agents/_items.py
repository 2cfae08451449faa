"""Items of a model's input, each read once: a model call shows the whole conversation again.

An item comes as a dict or as an object of the SDK's. What is read of a dict depends on nothing but its value, so it is
remembered by that value.
"""

from __future__ import annotations

import functools
import marshal
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from halo_core.enforcement.exposure import describe_calls
from halo_openai_agents._results import (
    describe_item,
    extract_item_text,
    extract_message_text,
    get_field,
    is_from_model,
)

_FUNCTION_CALL: Final = "function_call"
_NATIVE_CALLS: Final = frozenset(
    ("apply_patch_call", "computer_call", "custom_tool_call", "local_shell_call", "shell_call")
)
"""Calls of tools that are no function tools; what came of one is an item of its own, wherever it ran."""
OWN_KINDS: Final = frozenset(
    {"", "message", "reasoning", "item_reference", "compaction", _FUNCTION_CALL, *_NATIVE_CALLS}
)
"""Kinds of items that hold nothing which a provider's own tool found."""
_MAX_DUMPED: Final = 8_192
"""Bytes of an item up to which it is remembered."""
ItemKey = tuple[str, str]


class ReadItem(NamedTuple):
    """An item with what is read of it.

    Args:
        kind: its type, empty for none.
        role: its role, None for none.
        key: by which the same item is recognised.
        described: its role, or its kind without one, and all its text.
        text: the text of a message.
        call: the call that it is, normalized; empty for none.
        output: what came of a call, as text.
        call_id: id of the call that it belongs to.
        is_from_model: a model said it.
        recalled: all text of an item in which a provider's own tool may have found something; empty for others.
    """

    kind: str
    role: Any
    key: ItemKey
    described: tuple[str, str]
    text: str
    call: str
    output: str
    call_id: str
    is_from_model: bool
    recalled: str


def read_items(items: Iterable[Any]) -> list[ReadItem]:
    """Read each item."""
    return [read_item(item) for item in items]


def count_messages(items: Iterable[ReadItem]) -> int:
    """Count the messages in input items; what a model said at once, calls included, is one."""
    count, was_from_model = 0, False
    for item in items:
        count += not (item.is_from_model and was_from_model)
        was_from_model = item.is_from_model
    return count


def read_item(item: Any) -> ReadItem:
    """Read an item in either of its forms."""
    if type(item) is dict:
        try:
            # Version 2 writes equal values as equal bytes, and whatever differs in value or type as others.
            dumped = marshal.dumps(item, 2)
        except ValueError:  # it holds other types
            return _read(item)
        if len(dumped) <= _MAX_DUMPED:
            return _read_dumped(dumped)
    return _read(item)


@functools.lru_cache(maxsize=1024)
def _read_dumped(dumped: bytes) -> ReadItem:
    return _read(marshal.loads(dumped))  # noqa: S302  what `read_item` has just dumped


def _read(item: Any) -> ReadItem:
    kind, role = str(get_field(item, "type") or ""), get_field(item, "role")
    text, is_models = extract_message_text(item), is_from_model(item)
    is_recalled = is_models and kind not in OWN_KINDS
    return ReadItem(
        kind,
        role,
        _make_key(item, text),
        describe_item(item, text),
        text,
        _describe_call(item, kind),
        extract_item_text(get_field(item, "output")) if kind.endswith("_output") else "",
        str(get_field(item, "call_id") or ""),
        is_models,
        extract_item_text(item) if is_recalled else "",
    )


def _describe_call(item: Any, kind: str) -> str:
    if kind == _FUNCTION_CALL:
        return describe_calls([(str(get_field(item, "name")), get_field(item, "arguments") or "")])
    return describe_calls([(kind, extract_item_text(item))]) if kind in _NATIVE_CALLS else ""


def _make_key(item: Any, text: str) -> ItemKey:
    """The key by which the same item is recognised, in either of its forms."""
    kind = str(get_field(item, "type") or "message")
    if kind == _FUNCTION_CALL:
        return kind, f"{get_field(item, 'call_id')} {get_field(item, 'name')} {get_field(item, 'arguments')}"
    if kind.endswith("_output"):
        return kind, f"{get_field(item, 'call_id')} {extract_item_text(get_field(item, 'output'))}"
    role = str(get_field(item, "role") or "")
    return f"{kind}/{role}", text or str(get_field(item, "id") or "")
