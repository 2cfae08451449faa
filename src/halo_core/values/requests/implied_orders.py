"""What a text of the user orders without a verb of ordering: that something is not wanted any more, or what is wanted.

    find_implied_orders("no yoga today")                      # {CANCELLATION}
    find_implied_orders("brake pads for the Golf, please")    # {BARE_REQUEST}

Before exposure, `CANCELLATION` asks for a deletion and `BARE_REQUEST` for an unpriced order of what the user points
at (`facts`). A question, a doubt, a condition and the words of somebody else order nothing.
"""

from __future__ import annotations

from typing import Final

from halo_core.values.kinds.numbered import singularize
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.lexicon import STOP_WORDS, stem_all
from halo_core.values.language.patterns import compile_later
from halo_core.values.requests.asked_acts import find_asked_stems
from halo_core.values.requests.unlisted_orders import (
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

CANCELLATION: Final = "+end"
"""Added to the stems of a text that says that something is not wanted any more."""
BARE_REQUEST: Final = "+wish"
"""Added to the stems of a text that only names what is wanted."""
_MAX_CHARS: Final = 240
_MIN_BARE_REQUEST: Final = 3  # words
_NO_STATEMENT: Final = QUESTION_WORDS - {"any", "anything"}
_FORBIDDING: Final = frozenset("don't don’t dont never not".split())
_PRICING: Final = frozenset(
    "price prices cost costs availability stock hours menu offer offers quote quotes size sizes terms delivery option "
    "options alternative catalog mail mails message messages invoice invoices no not".split()
)
"""Nouns of information about goods: the text asks for the information, and not for the goods."""
_CANCELLING: Final = CaselessPattern(
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
"""Something else is not wanted than the thing that is named: "no wine at yoga", "Ana can't come to yoga"."""
_REPORTING: Final = CaselessPattern(
    r"[?\n\"“”„«»>]|\b(?:says?|said|writes?|wrote|reads|tells|told|asks|asked|meant|heard|claims?|reports?)\b"
)
"""Signs of a text that asks, shows something, or reports the words of somebody else."""
_DOUBTING: Final = CaselessPattern(
    r"\b(?:if|whether|unless|maybe|perhaps|may|might|could|would|should|sure|think|thinks|guess|wonder|wondering|yet"
    r"|later|wait|for now|discuss|consider|considering|keep|keeps|leave|stays?|already|yesterday|never|until|first)\b"
)
"""Words of a sentence that doubts, postpones or keeps something."""


_BEFORE_CANCELLATION: Final = CaselessPattern(
    r"(.*?)\b(?:(?:is|are|will be|wo|is|are)(?:n['’]?t| not| no longer)(?: be)?|isn['’]?t|aren['’]?t|won['’]?t be)"
    r" (?:needed|wanted|required|necessary|in use|used|coming)\b"
    r"|(.*?)\b(?:doesn['’]?t|don['’]?t|does not|do not|won['’]?t|can['’]?t) (?:come|attend|take part|join|go|make it)\b"
    r"|(.*?)(?:\bcan (?:go|be \w+)\b|\b(?:is|are) off\b|['’]s off\b)"
)
_BEHIND_CANCELLATION: Final = CaselessPattern(
    r"^\W*(?:there (?:is|are|will be) )?no (?:more )?(.*)"
    r"|\b(?:doesn['’]?t|don['’]?t|does not|do not|won['’]?t|no longer) (?:wants?|needs?|uses?|requires?|eat) (.*)"
)
_WITHIN: Final = frozenset("for at of in on from with to about by after before until this next".split())
_NO_HEADS: Final = STOP_WORDS | frozenset(
    "today tomorrow tonight now anymore any more longer needed wanted required necessary please morning afternoon "
    "evening noon monday tuesday wednesday thursday friday saturday sunday".split()
)
IT: Final = "it"
_SINGLE: Final = compile_later(r"[^\W\d_]+")


def find_cancelled_words(text: str) -> list[str]:
    """Find what a text does not want any more: `mats` of "yoga mats aren't needed", `IT` if the text does not name it.

    Args:
        text: of the user.
    """
    if len(text) > _MAX_CHARS:
        return []
    found: list[str] = []
    for part in (part for sentence in SENTENCE.findall(text) for part in PART.split(sentence.rstrip(".!;\n"))):
        if _CANCELLING.search(part) is None:
            continue
        match = _BEHIND_CANCELLATION.search(part) or _BEFORE_CANCELLATION.search(part)
        phrase = next(filter(None, match.groups()), "") if match is not None else ""
        words = list(map(str.lower, WORD.findall(phrase)))
        end = next((i for i, word in enumerate(words) if word in _WITHIN), len(words))
        words = [word.removesuffix("'s").removesuffix("’s") for word in words[:end] if word not in _NO_HEADS]
        words = [word for word in words if _SINGLE.fullmatch(word)]
        found += (words[-1], singularize(words[-1])) if words else (IT,)
    return list(dict.fromkeys(found))


def find_implied_orders(text: str) -> set[str]:
    """Return `CANCELLATION` or `BARE_REQUEST` for a short text, nothing for any other.

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
    return set[str]().union(*map(_find_in_sentence, sentences))


def _find_in_sentence(sentence: str) -> set[str]:
    """Find the same in one sentence that asks for nothing by a listed verb."""
    parts = PART.split(sentence)
    words_of_parts = [words for part in parts if (words := list(map(str.lower, WORD.findall(part))))]
    if (
        _DOUBTING.search(sentence) is not None
        or any(words[0] in _NO_STATEMENT or not LOOKING_UP.isdisjoint(stem_all(words[0])) for words in words_of_parts)
        or not KNOWN_VERBS.isdisjoint(find_asked_stems(sentence) - LIGHT_VERBS)
    ):
        return set()
    found = {CANCELLATION} if any(map(_is_cancellation, parts)) else set[str]()
    is_remark = any(REMARKING.search(part) is not None for part in parts)
    informs = any(not (_PRICING | INFORMING).isdisjoint(words) for words in words_of_parts)
    if not (is_remark or informs) and any(len(words) >= _MIN_BARE_REQUEST for words in words_of_parts):
        found.add(BARE_REQUEST)
    return found


def _is_cancellation(part: str) -> bool:
    return _CANCELLING.search(part) is not None and _ABOUT_OTHER.search(part) is None
