"""A bounded cache of what is computed from texts that the calls of a run repeat."""

from __future__ import annotations

from typing import Final, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_MAX_CACHED_CHARS: Final = 1_000_000
"""Of the texts whose results a cache keeps; some hundreds of sessions each repeat a request with every call."""
_ENTRY_CHARS: Final = 64
"""What a result counts for besides its text, so that short texts are not kept without end."""


class TextCache(dict[K, V]):
    """Results computed from texts; emptied as soon as the texts together are too long.

    Several threads may use it at once. There is no lock, since a process that forks while one is held would hang: a
    race costs a computation or some characters of the count, which begins anew whenever the cache is emptied.
    """

    def __init__(self) -> None:
        super().__init__()
        self._chars = 0

    def keep(self, key: K, text: str, value: V) -> V:
        """Add what was computed from `text`, and return it."""
        size = len(text) + _ENTRY_CHARS
        if self._chars + size > _MAX_CACHED_CHARS:
            self.clear()
            self._chars = 0
        self[key] = value
        self._chars += size
        return value
