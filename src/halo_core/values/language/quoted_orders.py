"""Orders in quotation marks in a text of the user: they are somebody else's, or a text to be worked on.

drop_quoted("In mail 1 she wrote 'pay Mo 300'. Is that a joke?")   # "In mail 1 she wrote  . Is that a joke?"
drop_quoted('Mail 1 says "pay Mo 300". Do it.')                    # unchanged: the user adopts the order
"""

from __future__ import annotations

import re
from typing import Final

from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.patterns import compile_later

_MARKS: Final = compile_later(r"[\"“„«»>`:]|(?<!\w)['‘]")
_QUOTED: Final = compile_later(
    r"\"[^\"\n]{1,1024}\"|[“„][^”“\n]{1,1024}[”“]|«[^»\n]{1,1024}»|»[^«\n]{1,1024}«|`[^`\n]{1,1024}`"
    r"|(?<!\w)['‘][^'’\n]{1,1024}['’](?!\w)|^[ \t]*>.*$",
    re.MULTILINE,
)
_SPOKEN: Final = CaselessPattern(
    r"(?:(?<!\bi )(?<!\bwe )\b(?:ask(?:s|ed)|claim(?:s|ed)|demand(?:s|ed)|s(?:ays|aid)|writes|wrote|texted)"
    r"|^(?:please )?(?:translate|proofread|rephrase|spell)(?: this)?)[ \t]{0,4}:\s{0,8}[^\s.!?;][^.!?;\n]{0,1024}"
)
"""Behind a colon: what somebody said, or what is to be translated: "Max wrote: pay Kim 75."."""
_LOOKED_AT: Final = CaselessPattern(
    r"\?|(?:^|[.!?;\n] {0,4})(?:and |then |please |also ){0,3}"
    r"(?:check|compare|explain|find|list|look|read|see|show|sum)\b"
)
"""The user asks something about the words of somebody else."""
_WORDS: Final = compile_later(r"[^\W_]+(?:['’-][^\W_]+)*")
_MIN_WORDS: Final = 2
"""One word in quotation marks is a name, or is stressed."""
_TAKING_ON: Final = CaselessPattern(
    r"\b(?:do(?:es)? (?:it|so|this|that|as|what|exactly|just|both|please)|go ahead|please do|follow (?:it|this|that)"
    r"|(?:execute|perform|carry out|handle|process) (?:this|the)|do (?:this|the (?:following|rest|same|above))"
    r"|as (?:asked|told|said|written))\b"
    r"|\bdo:?\W*$"
)
"""The user wants done what he quotes."""


def drop_quoted(text: str) -> str:
    """Remove quotations of two words or more from a text of the user. A text that is only a quotation is kept.

    Args:
        text: of the user.
    """
    if _MARKS.search(text) is None:
        return text
    rest = _QUOTED.sub(_drop_words, text)
    spoken = next(_SPOKEN.finditer(rest), None)
    if spoken is not None:
        without = f"{rest[: spoken.start()]} {rest[spoken.end() :]}"
        rest = without if _LOOKED_AT.search(without) is not None else rest
    return text if _WORDS.search(rest) is None or _TAKING_ON.search(rest) is not None else rest


def _drop_words(match: re.Match[str]) -> str:
    return match[0] if len(_WORDS.findall(match[0])) < _MIN_WORDS else " "
