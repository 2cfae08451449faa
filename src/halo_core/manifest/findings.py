"""Room: manifest, what is wrong with one. Takes: places and words. Gives: one error that names them all. Never: I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from halo_core.errors import ConfigError

__all__ = ["Finding", "ManifestError", "Remedy", "Report", "did_you_mean", "shown"]

_MOST: Final = 100
_SHOWN: Final = 64
_COMPARED: Final = 200
_GUESSES: Final = 20

Remedy = str | Callable[[], str]
"""What to do, or how to find that out: looking for a close word takes its time."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing wrong: line and column from 1, the field as a path, what, and what to do."""

    line: int
    column: int
    path: str
    message: str
    remedy: str = ""

    def text(self, source: str) -> str:
        """`agents.yaml:3:5: agents.clerk.owner: what is wrong`."""
        field = f"{self.path}: " if self.path else ""
        return f"{source}:{self.line}:{self.column}: {field}{self.message}"


class ManifestError(ConfigError):
    """A manifest was refused; the message tells the first finding, `findings` holds all of them in file order."""

    def __init__(self, source: str, findings: Iterable[Finding]) -> None:
        self.source = source
        self.findings = tuple(sorted(set(findings)))
        first = self.findings[0]
        more = f" (and {len(self.findings) - 1} more)" if len(self.findings) > 1 else ""
        super().__init__("manifest", first.text(source) + more, remedy=first.remedy)


class Report:
    """Collects findings, so that a reader learns of all of them at once."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._findings: list[Finding] = []
        self._guesses = 0

    def add(self, place: tuple[int, int], path: str, message: str, remedy: Remedy = "") -> None:
        """Note a finding; past a hundred nobody reads on."""
        # INVARIANT: TOTAL - a hostile file is refused in a time that does not grow with what is wrong in it.
        if len(self._findings) >= _MOST:
            return
        if not isinstance(remedy, str):
            self._guesses += 1
            remedy = remedy() if self._guesses <= _GUESSES else ""
        self._findings.append(Finding(*place, path, message, remedy))

    def check(self) -> None:
        """Raise what was found.

        Raises:
            ManifestError: there were findings.
        """
        if self._findings:
            raise ManifestError(self._source, self._findings)


def shown(text: str) -> str:
    """Somebody's text as a message may hold it: printable ASCII, short."""
    plain = text if text.isascii() and text.isprintable() else ascii(text)[1:-1]
    return plain if len(plain) <= _SHOWN else plain[: _SHOWN - 3] + "..."


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """A remedy: the closest known word, else `otherwise`, else the words there are.

    Of very many words those are compared that begin alike.
    """
    words = sorted(known)
    near = words if len(words) <= _COMPARED else sorted(words, key=lambda item: item[:1] != word[:1])[:_COMPARED]
    close = get_close_matches(word[:_SHOWN], [item for item in near if len(item) <= 2 * _SHOWN], 1)
    if close:
        return f"did you mean `{shown(close[0])}`"
    return otherwise or (f"use one of {', '.join(shown(item) for item in words[:20])}" if words else "leave it out")
