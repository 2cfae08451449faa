"""Marks the items of a conversation, and remembers them: each model call shows the whole conversation again."""

from __future__ import annotations

from collections.abc import Iterable

from halo_core.enforcement.text_cache import TextCache
from halo_core.model import HistoryItem
from halo_core.values.provenance.conversation import ConversationDigest, MarkedItem

_Key = tuple[str, bytes, str, str, str, str, bool, bool]


class HistoryMarker:
    """Marks items as `ConversationDigest.follow` does, under one key. Several threads may use it at once."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: TextCache[_Key, tuple[ConversationDigest, MarkedItem]] = TextCache()

    def mark(
        self, start: ConversationDigest, items: Iterable[HistoryItem]
    ) -> tuple[ConversationDigest, list[MarkedItem]]:
        """Marks of the items of a conversation, and its digest after the last one.

        Args:
            start: digest of the conversation before them, always under the same key.
            items: in order.
        """
        digest, marked, known = start, [], self._known
        for item in items:
            # All that `follow` reads but the key. Texts keep their hashes; an item would compute its own each time.
            role = item.role._value_
            key = (digest.user, digest.chain, role, item.text, item.calls, item.id, item.is_given, item.is_opening)
            followed = known.get(key)
            if followed is None:
                followed = known.keep(key, item.text + item.calls, digest.follow(item))
            digest = followed[0]
            marked.append(followed[1])
        return digest, marked
