"""What a text of the user says is to be: "Sam should be able to read it", "that token has to go".

find_wishes("The intern's token has to go")   # {WISH, LEAVING}
"""

from __future__ import annotations

from typing import Final

from halo_core.values.caseless import CaselessPattern
from halo_core.values.unlisted_orders import SENTENCE

WISH: Final = "+should"
"""Added to the stems of a text that says what is to be: "Sam should be able to read it", "that token has to go"."""
_WISHING: Final = CaselessPattern(
    r"^\W*(?!(?:i|we|you|they|who|what|which|how|why|when|where|if|whether|maybe|perhaps)\b)(?:[\w'’#@.-]+ ){1,6}?"
    r"(?:should|must|has to|have to|needs? to|is to|are to)"
    r"(?! (?:not|never|i|we|you|know|think|say|ask|stay|remain|keep|hold|wait)\b"
    r"|(?: be)? (?:fine|ok|okay|happy|glad|good|safe|careful|proud|patient|quiet|left)\b)(?: \w|$)"
)
LEAVING: Final = "+go"
"""Added for a wish that something is no longer: "that token has to go"."""
_LEAVING: Final = CaselessPattern(
    r"\b(?:should|must|has to|have to|needs? to|is to|are to)(?: \w+){0,3}? (?:go|leave|out|away|off|gone|end|stop|die"
    r"|vanish|disappear|expire|lose)\b"
)
_REPORTING: Final = CaselessPattern(
    r"\b(?:says?|said|writes?|wrote|asks?|asked|wants?|wanted|claims?|claimed|thinks?|told|tells|according|demands?|n['’]t"
    r"|not|never|if|whether|unless)\b[^,(]*(?:should|must|has to|have to|needs? to|is to|are to)\b"
    r"|^\W*(?:in|by|per|as per|from|judging by) (?:the |that |this |his |her |their )?"
    r"(?:e-?mails?|mails?|messages?|letters?|notes?|tickets?|pages?|posts?|chats?|texts?)\b"
    r"|(?:should|must|has to|have to|needs? to|is to|are to)\b.*\b(?:says?|said|writes?|wrote|claims?|claimed"
    r"|according|reads?|thinks?)(?! (?:it|its|the|that|this|them|all|from|in|on|over)\b)"
)


def find_wishes(text: str) -> set[str]:
    """Return `WISH` if a sentence of the user says what is to be, and `LEAVING` if something is to be no longer.

    A sentence that asks or reports what is to be is none.
    """
    sentences = (sentence for sentence in SENTENCE.findall(text) if not sentence.rstrip().endswith("?"))
    wishes = [item for item in sentences if _WISHING.search(item) is not None and _REPORTING.search(item) is None]
    if not wishes:
        return set()
    return {WISH, LEAVING} if any(_LEAVING.search(item) is not None for item in wishes) else {WISH}
