"""Keyed marks of a conversation's items, by which a later session knows whether they were made while exposed.

A mark is a keyed digest of an item's content. Without the key it says nothing, and it cannot be made for another
text. A reply has two marks: one that also covers all user messages and replies before it, and so names its place in
one conversation, and one of its text alone, for a host that keeps only a part of the history.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

from halo_core.model import HistoryItem, HistoryRole
from halo_core.quick_dataclass import dataclass
from halo_core.values.language.patterns import compile_later

MARK_SIZE: Final = 16
"""Number of bytes of a mark."""
_MAX_PARSED: Final = 65_536  # characters of a result that are read as a structure
_MAX_KEPT_CHARS: Final = 1024  # of a result whose words are kept
_GENERIC_WORDS: Final = 8
_WORD: Final = compile_later(r"\w+")
_LITERALS: Final = frozenset(("true", "false", "none", "null"))
_VALUE_CHARACTERS: Final = frozenset("0123456789@/\\_=")


@dataclass(frozen=True, slots=True)
class MarkedItem:
    """An item with the marks under which it may be known.

    Args:
        item: the item.
        marks: the most exact one first; the first that is stored counts.
        is_generic: a short text without anything like a value, which many conversations have.
        chain: of a message of the user's role or a reply, the digest of the conversation up to it.
    """

    item: HistoryItem
    marks: tuple[bytes, ...]
    is_generic: bool = False
    chain: bytes = b""


@dataclass(frozen=True, slots=True)
class ConversationDigest:
    """Digest of the user messages and replies of a conversation so far.

    Args:
        key: of the digests, 16 to 64 bytes.
        user: for whom the agent acts.
        chain: digest over the items so far.
    """

    key: bytes
    user: str = ""
    chain: bytes = b""

    def follow(self, item: HistoryItem) -> tuple[ConversationDigest, MarkedItem]:
        """Return the digest after an item, and the item with its marks."""
        text = normalize_text(item.text)
        if item.role is HistoryRole.LINK:
            return self, MarkedItem(item, (self._digest("link", item.id),))
        if item.role is HistoryRole.RESULT:
            return self, MarkedItem(item, (self._digest("result", item.id, normalize_result(item.text)),))
        if item.role is HistoryRole.CALLS:
            return self, MarkedItem(item, (self._digest("calls", text, item.calls),))
        if item.role not in (HistoryRole.USER, HistoryRole.REPLY):
            return self, MarkedItem(item, ())
        chain = self._digest(item.role.value, self.chain, text)
        marks = (chain, self.mark_text(text)) if item.role is HistoryRole.REPLY else ()
        return ConversationDigest(self.key, self.user, chain), MarkedItem(item, marks, is_generic_text(text), chain)

    def mark_text(self, text: str) -> bytes:
        """Mark a model's words wherever they stand in a conversation."""
        return self._digest("text", self.user, normalize_text(text))

    def mark_own_message(self, chain: bytes, session: str = "") -> bytes:
        """Mark a message that is the user's, by the digest of the conversation up to it.

        Args:
            chain: that digest.
            session: in which alone it is the user's; empty for all of that user's.
        """
        return self._digest("own", self.user, chain, session) if session else self._digest("own", self.user, chain)

    def mark_argument(self, text: str) -> bytes:
        """Mark a text that a model wrote into a call."""
        return self._digest("argument", self.user, normalize_text(text))

    def _digest(self, *parts: str | bytes) -> bytes:
        state = blake2b(digest_size=MARK_SIZE, key=self.key[:64])
        for part in parts:
            data = part if isinstance(part, bytes) else part.encode("utf-8", "replace")
            state.update(len(data).to_bytes(8, "big") + data)
        return state.digest()


def normalize_text(text: str) -> str:
    """Remove differences in white space: frameworks strip and join."""
    return " ".join(text.split())


def is_generic_text(text: str) -> bool:
    """Whether a text is short and contains nothing like a value."""
    return len(text.split()) <= _GENERIC_WORDS and _VALUE_CHARACTERS.isdisjoint(text)


def normalize_result(text: str) -> str:
    """Normalize a tool's result, whether a framework shows it as JSON, as a Python literal or as text."""
    return _normalize_short_result(text) if len(text) <= _MAX_KEPT_CHARS else _normalize_result(text)


@lru_cache(maxsize=512)
def _normalize_short_result(text: str) -> str:
    """Like `_normalize_result`, cached: each model call of a conversation shows the same calls again."""
    return _normalize_result(text)


def _normalize_result(text: str) -> str:
    value: Any = text
    if len(text) <= _MAX_PARSED and text.lstrip()[:1] in ("[", "{", "("):
        for parse in (json.loads, ast.literal_eval):
            try:
                value = parse(text.strip())
                break
            except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
                continue
    # What one form repeats or names (`true`), another leaves out.
    if value is text:
        words = set(_WORD.findall(text.casefold()))
    else:
        words = {word for leaf in _iterate_leaves(value) for word in _WORD.findall(leaf.casefold())}
    return " ".join(sorted(words - _LITERALS))


def describe_calls(calls: Iterable[tuple[str, Any]]) -> str:
    """Describe tool calls by their names and arguments as one text; arguments are a mapping, or JSON."""
    return "\n".join(f"{name} {normalize_result(_to_text(arguments))}" for name, arguments in calls)


_encode: Final = json.JSONEncoder(ensure_ascii=False, default=str).encode


def _to_text(arguments: Any) -> str:
    if isinstance(arguments, str):
        return arguments
    try:
        return _encode(arguments)
    except (TypeError, ValueError, RecursionError):
        return str(arguments)


def _iterate_leaves(value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from _iterate_leaves(item)
    elif isinstance(value, list | tuple | set):
        for item in value:
            yield from _iterate_leaves(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
