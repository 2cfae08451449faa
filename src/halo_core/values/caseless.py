"""Patterns that ignore case, searched in small letters where the text allows it: two to four times as fast.

A pattern with `re.IGNORECASE` is tried at each place of a text, since it cannot tell by the first sign. So a text of
ASCII characters, as most are, is made small first, and the pattern, which is written in small letters, takes it as it
is. Places in both texts are the same. What a match holds is in small letters then.

Where only a few signs around a place of a long text are looked at, it does not pay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property


class CaselessPattern:
    """A pattern of words in any case.

    Args:
        pattern: it has no capital letter but behind a backslash, and no part that tells cases apart.
        needs: in small letters, what one of stands in whatever it finds; empty where that would be too many. Looking
            for forty of them takes as long as one search.
    """

    def __init__(self, pattern: str, needs: Sequence[str] = ()) -> None:
        self.pattern = pattern
        self._needs = needs
        # Without regard to case the Turkish letter without a dot is an `i` as well, and in ASCII nothing else.
        self._of_ascii = re.compile(pattern.replace("\u0131", "i"))

    @cached_property
    def of_any_text(self) -> re.Pattern[str]:
        """The same for any text, which takes longer to compile: most processes need only a few."""
        return re.compile(self.pattern, re.IGNORECASE)

    def search(self, text: str) -> re.Match[str] | None:
        """The first match."""
        if not text.isascii():
            return self.of_any_text.search(text)
        small = text.lower()
        if self._needs and not any(map(small.__contains__, self._needs)):
            return None
        return self._of_ascii.search(small)

    def match(self, text: str) -> re.Match[str] | None:
        """The match at the beginning."""
        return self._of_ascii.match(text.lower()) if text.isascii() else self.of_any_text.match(text)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """All matches."""
        if not text.isascii():
            return self.of_any_text.finditer(text)
        small = text.lower()
        if self._needs and not any(map(small.__contains__, self._needs)):
            return iter(())
        return self._of_ascii.finditer(small)
