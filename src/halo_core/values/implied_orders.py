"""What a text of the user tells without an order: that something is to be no more, or only what is wanted.

    find_told("no yoga today")                      # {END}
    find_told("brake pads for the Golf, please")    # {WISH}

Where nothing untrusted was seen, `END` asks for a deletion and `WISH` for an order of what the user points at
(`facts.py`). A question, a doubt, a condition, and what somebody else says are neither.
"""

from __future__ import annotations

import re
from typing import Final

from halo_core.values.asked_acts import find_asked_stems
from halo_core.values.caseless import CaselessPattern
from halo_core.values.lexicon import STOP_WORDS, stem_all
from halo_core.values.numbered import singularize
from halo_core.values.unlisted_orders import (
    ABOUT,
    ASIDE,
    INFORMING,
    KNOWN_VERBS,
    LIGHT_VERBS,
    LOOKING_UP,
    PART,
    QUESTION_WORDS,
    REMARKING,
    SENTENCE,
    WORD,
)

END: Final = "+end"
"""Stands among the stems of a text that says of something that it is to be no more."""
WISH: Final = "+wish"
"""Stands among the stems of a text that only names something."""
_MAX_CHARS: Final = 240
_MIN_WISH: Final = 3  # words
_NO_STATEMENT: Final = QUESTION_WORDS - {"any", "anything"}
_FORBIDDING: Final = frozenset("don't don’t dont never not".split())
_PRICING: Final = frozenset(
    "price prices cost costs availability stock hours menu offer offers quote quotes size sizes terms delivery option "
    "options alternative catalog mail mails message messages invoice invoices no not".split()
)
"""Nouns of what somebody wants to know of something that can be bought."""
_ENDING: Final = CaselessPattern(
    r"^\W*(?:there (?:is|are|will be) )?no (?:more )?\w|n['’]t (?:be )?(?:needed|wanted|required|coming)\b"
    r"|\b(?:not|no longer) (?:needed|wanted|required|necessary|in use|used|coming)\b"
    r"|\w (?:doesn['’]?t|don['’]?t|does not|do not|won['’]?t)"
    r" (?:want|need|use|require|eat|come|attend|take part|join|go)\b"
    r"|\w can['’]?t (?:come|make it|attend|take part|join)\b"
    r"|\bno longer (?:wants?|needs?|uses?)\b|\bcan go\W*(?:$|:|now\b)"
    r"|\bcan be (?:thrown|binned|scrapped|done away)\b|\b(?:is|are|['’]s) off\W*$"
)
_ABOUT_OTHER: Final = CaselessPattern(
    r"^\W*(?:there (?:is|are|will be) )?no (?:doubt|one|way|wonder|idea|reason|matter|(?:[\w-]+ )?(?:news|mails?|fees?"
    r"|lists?|reminders?|parking|changes?|notes?|details?)\b)|\b(?:enough|than)\b"
    r"|^\W*(?:there (?:is|are|will be) )?no\b.* (?:at|with|about|against|to|of)\b"
    r"|\b(?:for|at|of|in) [\w'’-]+ (?:(?:is|are) (?:not|no longer)|isn['’]?t|aren['’]?t)\b"
    r"|(?:n['’]t|\bnot) (?:needed|wanted|required) (?:for|at|in|by|with)\b"
    r"|\b(?:come|go|make it|attend|take part|join|want \w+) (?:to|in|at|with)\b"
)
"""Says that something else is to be no more than what it names: "no wine at yoga", "Ana can't come to yoga"."""
_REPORTING: Final = CaselessPattern(
    r"[?\n\"“”„«»>]|\b(?:says?|said|writes?|wrote|reads|tells|told|asks|asked|meant|heard|claims?|reports?)\b"
)
"""Signs of a text that asks, shows something, or says what somebody else says."""
_DOUBTING: Final = CaselessPattern(
    r"\b(?:if|whether|unless|maybe|perhaps|may|might|could|would|should|sure|think|thinks|guess|wonder|wondering|yet"
    r"|later|wait|for now|discuss|consider|considering|keep|keeps|leave|stays?|already|yesterday|never|until|first)\b"
)
"""Words of a sentence that doubts, defers or keeps."""


_BEFORE_END: Final = CaselessPattern(
    r"(.*?)\b(?:(?:is|are|will be|wo|is|are)(?:n['’]?t| not| no longer)(?: be)?|isn['’]?t|aren['’]?t|won['’]?t be)"
    r" (?:needed|wanted|required|necessary|in use|used|coming)\b"
    r"|(.*?)\b(?:doesn['’]?t|don['’]?t|does not|do not|won['’]?t|can['’]?t) (?:come|attend|take part|join|go|make it)\b"
    r"|(.*?)(?:\bcan (?:go|be \w+)\b|\b(?:is|are) off\b|['’]s off\b)"
)
_BEHIND_END: Final = CaselessPattern(
    r"^\W*(?:there (?:is|are|will be) )?no (?:more )?(.*)"
    r"|\b(?:doesn['’]?t|don['’]?t|does not|do not|won['’]?t|no longer) (?:wants?|needs?|uses?|requires?|eat) (.*)"
)
_WITHIN: Final = frozenset("for at of in on from with to about by after before until this next".split())
_NO_HEADS: Final = STOP_WORDS | frozenset(
    "today tomorrow tonight now anymore any more longer needed wanted required necessary please morning afternoon "
    "evening noon monday tuesday wednesday thursday friday saturday sunday".split()
)
IT: Final = "it"
_SINGLE: Final = re.compile(r"[^\W\d_]+")


def find_ended_words(text: str) -> list[str]:
    """What a text says is to be no more: `mats` of "yoga mats aren't needed", `IT` where it does not say what.

    Args:
        text: of the user.
    """
    if len(text) > _MAX_CHARS:
        return []
    found: list[str] = []
    for part in (part for sentence in SENTENCE.findall(text) for part in PART.split(sentence.rstrip(".!;\n"))):
        if _ENDING.search(part) is None:
            continue
        match = _BEHIND_END.search(part) or _BEFORE_END.search(part)
        said = next(filter(None, match.groups()), "") if match is not None else ""
        words = list(map(str.lower, WORD.findall(said)))
        end = next((i for i, word in enumerate(words) if word in _WITHIN), len(words))
        words = [word.removesuffix("'s").removesuffix("’s") for word in words[:end] if word not in _NO_HEADS]
        words = [word for word in words if _SINGLE.fullmatch(word)]
        found += (words[-1], singularize(words[-1])) if words else (IT,)
    return list(dict.fromkeys(found))


def find_told(text: str) -> set[str]:
    """`END` or `WISH` of a short text.

    Args:
        text: of the user.
    """
    if len(text) > _MAX_CHARS or any(pattern.search(text) is not None for pattern in (_REPORTING, ASIDE, ABOUT)):
        return set()
    sentences = [sentence.rstrip(".!;\n") for sentence in SENTENCE.findall(text)]
    parts = [part for sentence in sentences for part in PART.split(sentence)]
    leading = {words[0].lower() for words in map(WORD.findall, parts) if words}
    if not leading.isdisjoint(_FORBIDDING):
        return set()
    return set[str]().union(*map(_find_told_in, sentences))


def _find_told_in(sentence: str) -> set[str]:
    """The same of one sentence, which asks for nothing by a verb that is in a list."""
    parts = PART.split(sentence)
    words_of_parts = [words for part in parts if (words := list(map(str.lower, WORD.findall(part))))]
    if (
        _DOUBTING.search(sentence) is not None
        or any(words[0] in _NO_STATEMENT or not LOOKING_UP.isdisjoint(stem_all(words[0])) for words in words_of_parts)
        or not KNOWN_VERBS.isdisjoint(find_asked_stems(sentence) - LIGHT_VERBS)
    ):
        return set()
    found = {END} if any(map(_says_end, parts)) else set[str]()
    is_remark = any(REMARKING.search(part) is not None for part in parts)
    informs = any(not (_PRICING | INFORMING).isdisjoint(words) for words in words_of_parts)
    if not (is_remark or informs) and any(len(words) >= _MIN_WISH for words in words_of_parts):
        found.add(WISH)
    return found


def _says_end(part: str) -> bool:
    return _ENDING.search(part) is not None and _ABOUT_OTHER.search(part) is None
