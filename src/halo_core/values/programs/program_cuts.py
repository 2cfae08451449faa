"""Beginnings of programs that the user dictated with something behind, which limits what they do.

    find_program_cuts("Execute UPDATE stock SET qty = 0 WHERE sku = 'B-12'")   # behind "qty = 0"

Each word of the beginning is the user's, in order. But it does more than he dictated: without its condition the
statement changes every row, and without `--dry-run` a command is no trial.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.patterns import compile_later

_CUT: Final = CaselessPattern(
    r"[ \t\n](?:where[ \t\n]+(?=[\"`\[]?[a-z_][\w.\"`\]]*[ \t\n]*(?:[=<>!~]|in\b|like\b|is\b|between\b|not\b))"
    r"|and[ \t\n]+(?=[\"`\[]?[a-z_][\w.\"`\]]*[ \t\n]*[=<>!~])|limit[ \t]+[0-9])|[ \t](?=--?[a-z])"
)
"""Where a condition, a limit or an option of a command begins."""
_TOKEN: Final = compile_later(r"[\w.@%+:/~*-]+|[^\s\w]")
_MAX_CUTS: Final = 16
_MAX_TOKENS: Final = 3  # in front of a cut
_WINDOW: Final = 96  # characters in front of a cut


def find_program_cuts(text: str) -> Iterator[Form]:
    """Find the last words in front of each place where a dictated program may be cut.

    Args:
        text: of the user.
    """
    for match in islice(_CUT.finditer(text), _MAX_CUTS):
        tokens = _TOKEN.findall(text[max(match.start() - _WINDOW, 0) : match.start()].lower())
        for length in range(1, min(len(tokens), _MAX_TOKENS) + 1):
            yield _make_form(tokens[-length:], is_whole=length < _MAX_TOKENS)


def make_cut_form(program: str) -> Form:
    """Make the form that a program has if it is the beginning of a dictated one.

    Args:
        program: an argument.
    """
    tokens = _TOKEN.findall(program.rstrip("; \t\n").lower())[-_MAX_TOKENS:]
    return _make_form(tokens, is_whole=len(tokens) < _MAX_TOKENS)


def _make_form(tokens: list[str], *, is_whole: bool) -> Form:
    return make_form(("whole_program_cut" if is_whole else "program_cut", " ".join(tokens)))
