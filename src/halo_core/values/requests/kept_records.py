"""The record that a merge keeps, as the user names it: "keep C-1, drop C-2", "merge C-2 into C-1".

A text leaves the marks `kept c-1` and, unless it only asks, `kept_surely c-1`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final

from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.language.lexicon import STOP_WORDS
from halo_core.values.language.patterns import compile_later
from halo_core.values.sketches.sketch import USER_BIT, Sketch, extract_tokens

_KEPT: Final = compile_later(
    r"\b(?i:keep(?:ing)?|retain|into|onto)\s+(?:the\s+)?(?:\w{2,24}\s+)?(?P<kept>[\w.-]*[0-9@][\w@.-]*\b|[A-Z][\w-]+)"
)
"""The record that a merge keeps: "keep C-1", "merge C-2 into C-1"."""
_SENTENCE: Final = compile_later(r"(?<=[.!?;])\s+|\n+")
_MAX_WORDS: Final = 8  # of a record
_MAX_FORMS: Final = 512


def find_kept_records(text: str) -> Iterator[Form]:
    """Find the marks of the words that name what a merge keeps.

    Args:
        text: of the user, without what it forbids.
    """
    yield from (make_form(("kept", word)) for word in islice(sorted(_list_kept(text)), _MAX_FORMS))
    surely = {word for sentence in _SENTENCE.split(text) if "?" not in sentence for word in _list_kept(sentence)}
    yield from (make_form(("kept_surely", word)) for word in islice(sorted(surely), _MAX_FORMS))


def is_kept_after_merge(sketch: Sketch, text: str) -> bool:
    """Whether each word of a text names what the user wants to keep in a merge, or asks about."""
    return _is_marked(sketch, text, "kept")


def is_surely_kept(sketch: Sketch, text: str) -> bool:
    """Whether each word of a text names what the user keeps in a merge, in a sentence that is no question."""
    return _is_marked(sketch, text, "kept_surely")


def _list_kept(text: str) -> set[str]:
    return {word for match in _KEPT.finditer(text) for word in _list_words(match["kept"])}


def _list_words(text: str) -> list[str]:
    words = (word.lstrip("@#") for word in extract_tokens(text) if word not in STOP_WORDS)
    return list(islice(filter(None, words), _MAX_WORDS))


def _is_marked(sketch: Sketch, text: str, domain: str) -> bool:
    words = _list_words(text)
    return bool(words) and all(mark & USER_BIT for mark in sketch.look_up_forms([Form(domain, x) for x in words]))
