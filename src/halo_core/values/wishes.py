"""What a text of the user says is to be: "Sam should be able to read it", "that token has to go".

find_wishes("The intern's token has to go")   # {WISH}
"""

from __future__ import annotations

from typing import Final

from halo_core.values.caseless import CaselessPattern
from halo_core.values.unlisted_orders import SENTENCE

WISH: Final = "+should"
"""Added to the stems of a text that says what is to be: "Sam should be able to read it", "that token has to go"."""
_WISHING: Final = CaselessPattern(
    r"^\W*(?!(?:i|we|you|they|who|what|which|how|why|when|where|if|whether|maybe|perhaps)\b)(?:[\w'’#@.-]+ ){1,6}?"
    r"(?:should|must|has to|have to|needs? to|is to|are to)(?! (?:not|never|i|we|you|know|think|say|ask)\b)(?: \w|$)"
)
_REPORTING: Final = CaselessPattern(
    r"\b(?:says?|said|writes?|wrote|asks?|asked|wants?|wanted|claims?|claimed|thinks?|told|tells|according|demands?|n['’]t"
    r"|not|never|if|whether|unless)\b[^,(]*(?:should|must|has to|have to|needs? to|is to|are to)\b"
)


def find_wishes(text: str) -> set[str]:
    """Return `WISH` if a sentence of the user says what is to be, and neither asks nor reports it."""
    sentences = (sentence for sentence in SENTENCE.findall(text) if not sentence.rstrip().endswith("?"))
    is_wish = any(_WISHING.search(item) is not None and _REPORTING.search(item) is None for item in sentences)
    return {WISH} if is_wish else set()
