"""What a text of the user says is to be: "Sam should be able to read it", "that token has to go".

find_wishes("The intern's token has to go")   # {WISH, LEAVING}
"""

from __future__ import annotations

from typing import Final

from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.requests.unlisted_orders import SENTENCE

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
    r"\b(?:should|must|has to|have to|needs? to|is to|are to)(?: \w+){0,3}? "
    r"(?:go(?! (?:to|by|with|through|over|into)\b)|leave|out|away|off|gone|end|stop|die|vanish|disappear|expire|lose)\b"
)
REMOVAL: Final = "+remove"
"""Added to the stems of a text that orders by a verb that no list has that something is removed: "scrap the flight"."""
_OTHER_OBJECTS: Final = (
    r"(?:e-?mails?|mails?|messages?|letters?|notes?|drafts?|ideas?|rumou?rs?|details?|data|info\w*|talks?|plans?|texts?"
    r"|words?|time|thoughts?|answers?|repl(?:y|ies)|questions?|tone|deal|copy|copies|list|table|summary)"
)
_REMOVING: Final = CaselessPattern(
    r"(?:^|[,;:.!?\n]|\b(?:and|then|so|but|please|pls)\b)\s*"
    r"(?:scrap|ditch|dump|chuck|toss|trash|bin|junk|nuke|zap|axe|kill|shred|scratch|nix)(?! that\W*(?:$|[,;.!?]))"
    rf"(?: (?!(?:an?|about|with|around|into|for|up|on|at|over|to|against|in|onto|from|{_OTHER_OBJECTS})\b)[\w#@'’-]+)"
    r"{1,6}\s*(?:$|[,;.!\n(]|(?:and|then|but)\b)"
    r"|(?:^|[,;:.!\n])\s*(?:and |so |please |pls )?(?:off|out|away)(?: (?:of )?(?:the|our) [\w-]+)?"
    r" (?:with|w/) (?:it|them|that one)(?: please| pls| now)?\s*(?:$|[,;.!\n])"
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

    A sentence that asks or reports what is to be is none. `REMOVAL` is for an order to remove something.
    """
    found = set[str]()
    for sentence in SENTENCE.findall(text):
        if sentence.rstrip().endswith("?"):
            continue
        if _REMOVING.search(sentence) is not None:
            found.add(REMOVAL)
        if _WISHING.search(sentence) is not None and _REPORTING.search(sentence) is None:
            found |= {WISH, LEAVING} if _LEAVING.search(sentence) is not None else {WISH}
    return found
