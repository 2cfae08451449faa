"""Short answers of the user about a payment: a yes, and the correction of an account.

    agrees("yes, go ahead")                                 # True
    corrects("sorry, i mistyped it. its", ". ok now")       # True

An answer is made of few words, so that a text which says anything else is none.
"""

from __future__ import annotations

from typing import Final

from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.requests.unlisted_orders import WORD

MAX_ANSWER: Final = 120  # characters
_AGREEING: Final = CaselessPattern(
    r"^\W*(?:ok(?:ay)?|yes|yep|yeah|sure|fine|go|do it|please do|confirmed|approved|agreed|all right|alright)\b"
    r"|\b(?:ok(?:ay)?|yes|go ahead|do it|go)(?: now)?\W*$"
)
_ANSWERING: Final = frozenset(
    "ok okay yes yep yeah sure fine go ahead do it that this please pls now confirmed approved agreed all right "
    "alright good great perfect then so thanks thank you proceed exactly correct just and with".split()
)
_CORRECTING: Final = CaselessPattern(
    r"\b(?:mis-?typed|typo|wrong|mistake|correct(?:ed|ion)?|meant|mean|mixed up|swapped|sorry|oops|ups)\b"
)
_IN_CORRECTION: Final = _ANSWERING | frozenset(
    "sorry i mistyped typed typo wrong my mistake correction corrected meant mean mixed up swapped oops ups a the an "
    "is it's its was should be number account iban digits bad had have of course to me last two one there in here "
    "here's".split()
)


def agrees(text: str) -> bool:
    """Whether a text says yes and nothing else: "yes, go ahead"."""
    return _is_made_of(text, _ANSWERING) and _AGREEING.search(text) is not None


def corrects(before: str, behind: str) -> bool:
    """Whether a text only corrects an account.

    Args:
        before: what stands in front of the right account: "sorry, I mistyped it, it is".
        behind: what stands behind it, at most a yes: "ok now".
    """
    is_correction = _is_made_of(before, _IN_CORRECTION) and _CORRECTING.search(before) is not None
    return is_correction and _is_made_of(behind, _ANSWERING)


def agrees_too(behind: str) -> bool:
    """Whether what stands behind a correction says yes."""
    return _AGREEING.search(behind) is not None


def _is_made_of(text: str, words: frozenset[str]) -> bool:
    if len(text) > MAX_ANSWER or "?" in text:
        return False
    return {word.replace("’", "'") for word in WORD.findall(text.lower())} <= words
