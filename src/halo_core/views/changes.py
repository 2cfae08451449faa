"""One difference between two texts that say what an agent may do, and the words for its direction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, NamedTuple

NARROWED: Final = "narrowed"
WIDENED: Final = "WIDENED"
PARTLY_WIDENED: Final = "WIDENED in part"
"""Both sides allow something that the other does not, or nobody can tell."""


class Change(NamedTuple):
    """One difference: its sign (`+` granted, `-` taken, `~` changed), what it is about, and how that changed."""

    sign: str
    what: str
    how: str = ""

    @classmethod
    def of_limit(cls, what: str, before: str, after: str, *, wider: bool) -> Change:
        """The change of a limit from one text to another."""
        return cls("~", what, f"{WIDENED if wider else NARROWED}, {before} → {after}")

    def text(self) -> str:
        """The change on one line."""
        return f"{self.sign} {self.what}{f': {self.how}' if self.how else ''}"

    def is_wider(self) -> bool:
        """Whether something is allowed that was not before."""
        return self.sign == "+" or WIDENED in self.how


def compare_numbers(
    name: str, old: int, new: int, show: Callable[[int], str], *, wider: Literal["more", "less"] = "more"
) -> list[Change]:
    """The change of a number, if it changed; `wider` says in which direction more is allowed."""
    if old == new:
        return []
    return [Change.of_limit(name, show(old), show(new), wider=(new > old) is (wider == "more"))]
