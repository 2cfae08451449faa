"""Orders that stand in quotation marks in a text of the user: they are somebody else's, or a text to be worked on.

drop_quoted("In mail 1 she wrote 'pay Mo 300'. Is that a joke?")   # "In mail 1 she wrote  . Is that a joke?"
drop_quoted('Mail 1 says "pay Mo 300". Do it.')                    # as it is: the user takes it on
"""

from __future__ import annotations

import re
from typing import Final

from halo_core.values.caseless import CaselessPattern

_MARKS: Final = re.compile(r"[\"“„«>]|(?<!\w)['‘]")
_QUOTED: Final = re.compile(
    r"\"[^\"\n]{1,1024}\"|[“„][^”“\n]{1,1024}[”“]|«[^»\n]{1,1024}»|(?<!\w)['‘][^'’\n]{1,1024}['’](?!\w)|^[ \t]*>.*$",
    re.MULTILINE,
)
_WORDS: Final = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_MIN_WORDS: Final = 2
"""One word in quotation marks is a name, or stressed."""
_TAKING_ON: Final = CaselessPattern(
    r"\b(?:do(?:es)? (?:it|so|this|that|as|what|exactly|just|both|please)|go ahead|please do|follow (?:it|this|that)"
    r"|(?:do|execute|perform|carry out|handle|process) (?:this|the following|the)|as (?:asked|told|said|written))\b"
    r"|\bdo:?\W*$"
)
"""Says that the user wants done what he quotes."""


def drop_quoted(text: str) -> str:
    """A text of the user without what it quotes: two words or more. A text that is nothing else is kept.

    Args:
        text: of the user.
    """
    if _MARKS.search(text) is None:
        return text
    rest = _QUOTED.sub(_drop_words, text)
    return text if _WORDS.search(rest) is None or _TAKING_ON.search(rest) is not None else rest


def _drop_words(match: re.Match[str]) -> str:
    return match[0] if len(_WORDS.findall(match[0])) < _MIN_WORDS else " "
