"""Patterns that ignore case, searched in small letters if the text is ASCII: two to four times as fast.

A pattern with `re.IGNORECASE` is tried at each place of a text, since it cannot skip by the first letter. So an ASCII
text, as most are, is converted to small letters first, and searched with the pattern as it is, which is written in
small letters. Places in both texts are the same; the text of a match is in small letters. This does not pay off if
only a few characters of a long text are searched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from halo_core.values.language.patterns import compile_later


class CaselessPattern:
    """A pattern of words in any case.

    Args:
        pattern: without capital letters, except behind a backslash, and without parts that tell cases apart.
        needs: in small letters, texts of which every match contains at least one; empty if there would be too many.
            Looking for forty of them takes as long as one search.
    """

    def __init__(self, pattern: str, needs: Sequence[str] = ()) -> None:
        self.pattern = pattern
        self._needs = needs
        # Without regard to case the Turkish letter without a dot is an `i` as well, and in ASCII nothing else.
        self._of_ascii = compile_later(pattern.replace("\u0131", "i"))

    @cached_property
    def of_any_text(self) -> re.Pattern[str]:
        """The same pattern for any text. It takes longer to compile, and most processes need only a few."""
        return re.compile(self.pattern, re.IGNORECASE)

    def search(self, text: str) -> re.Match[str] | None:
        """Find the first match."""
        if not text.isascii():
            return self.of_any_text.search(text)
        small = text.lower()
        if self._needs and not any(map(small.__contains__, self._needs)):
            return None
        return self._of_ascii.search(small)

    def match(self, text: str) -> re.Match[str] | None:
        """Match at the beginning."""
        return self._of_ascii.match(text.lower()) if text.isascii() else self.of_any_text.match(text)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """Iterate over all matches."""
        if not text.isascii():
            return self.of_any_text.finditer(text)
        small = text.lower()
        if self._needs and not any(map(small.__contains__, self._needs)):
            return iter(())
        return self._of_ascii.finditer(small)
