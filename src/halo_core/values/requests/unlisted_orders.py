"""Orders of the user whose verb is in no list: "bathroom to 23", "get 5 in".

No list has all words by which people ask for acts. Before exposure, nobody but the user can have meant the act, so
such an order asks for it if the user points at each of its targets (`facts`). A question, a lookup, a remark, and an
order with a listed verb are no unlisted orders.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from halo_core.values.language.asking_words import find_stems_of_word
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.lexicon import (
    FURTHER_REQUEST_WORDS,
    LOOSE_REQUEST_WORDS,
    REQUEST_WORDS_BY_IMPACT,
    STOP_WORDS,
    stem_all,
)
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.text import split_name

UNLISTED_ORDER: Final = "+order"
"""Added to the stems of a text with an unlisted order."""
UNLISTED_CHANGE: Final = "+change"
"""Added for an unlisted order that only changes its object: "paint it red" deletes nothing."""
NEED: Final = "+need"
"""Added to the stems of a text that states a need: "ward 5 needs gloves"."""
UNLISTED_VERB: Final = "+own "
"""Prefix of the stem of an unlisted verb, which may be in the name of a tool."""
SENTENCE: Final = compile_later(r"[^.!?;\n]+(?:\.(?=\w)[^.!?;\n]*)*[.!?;\n]?")
PART: Final = compile_later(r",| (?:and|then|but|und|et|y|e|en) ", re.IGNORECASE)
WORD: Final = compile_later(r"[^\W_]+(?:['’-][^\W_]+)*")
_LEADING_WORDS: Final = frozenset(
    "please pls plz kindly now then also just ok okay so hi hey hello thanks and but can could would will you u we i'd "
    "like to want need go ahead let's lets first finally afterwards after that".split()
)
QUESTION_WORDS: Final = frozenset(
    "what what's whats who who's whos which when when's where where's why how how's is are was were do does did has "
    "have had am any anything whether if".split()
)
LOOKING_UP: Final = stem_all(
    "show list find search look read check see view tell give summarize summarise explain describe compare count "
    "review examine analyze analyse open browse fetch remind watch track know hear understand think verify confirm "
    "test guess translate calculate compute suggest recommend draft prepare forget ignore skip avoid imagine suppose "
    "sum recap outline highlight skim scan study inspect research rank sort evaluate assess discuss proofread rephrase "
    "rewrite wonder mind status latest info details news number summary overview report data history good"
)
_CHANGING: Final = stem_all(
    "rename tag label title colour color paint mark double triple halve prioritise prioritize push put stretch "
    "lengthen shorten extend swap switch rotate attach pin star celebrate love bless praise sing decorate postpone "
    "shift resize reword format convert sort group link merge split duplicate"
)
_LIGHT_CHANGE: Final = CaselessPattern(
    r"^(?:\w+ )?(?:give|make|turn|bring|take|get|have|let)\b"
    r"(?!.*\b(?:out|off|away|rid|down|gone|disappear|vanish|free)\b)"
)
"""An order by a verb with nearly no meaning, and without a word for removal."""
_FOR_ME: Final = CaselessPattern(r"\b(?:get|bring|fetch) (?:me|us)\b(?! (?:out|off|onto|into|another|more|[0-9]))")
REMARKING: Final = CaselessPattern(
    r"\b(?:is|are|was|were|isn['’]?t|aren['’]?t|has|have|had|says?|said|wants?|needs?|asks?|seems?|looks?|got|gets?|can"
    r"|can['’]?t|cannot|will|won['’]?t|would|should|must|may|might|does|doesn['’]?t|did|didn['’]?t"
    r"|know|knows|wrote|writes|told|tells|thinks?|thought|means?|meant|goes)\b"
    r"|['’](?:s|re|ve|ll|d)\b|\b\w{2,}ed\b"
)
POSSESSIVE: Final = compile_later(
    r"(?<=[^\W\d])['’]s(?= (?!(?:an?|the|my|his|her|our|their|not|no|on|off|out|in|away|at|back|here|there|over|up|down"
    r"|late|ill|sick|gone|fine|ready|happy|done|right|wrong|free|still|already|just|always|never|too|very|so|got|been)\b)"
    r"[\w-]+(?<!ing)(?<!ed)\b)(?<!\b(?:it|he)['’]s)(?<!\bshe['’]s)(?<!\b(?:that|this|what|here)['’]s)"
    r"(?<!\bthere['’]s)(?<!\bwho['’]s)(?<!\bhow['’]s)"
)
"""The sign of a possessor before what is his: "Henk's report". "Henk's late" has the sign of a verb."""
_RELATIVE: Final = compile_later(
    r"(?<=everything )that\b.*|(?<=all )that\b.*|(?<=anything )that\b.*|(?<=everybody )who\b.*|(?<=everyone )who\b.*"
    r"|(?<=those )(?:who|that)\b.*"
)
KNOWN_VERBS: Final = frozenset().union(
    *REQUEST_WORDS_BY_IMPACT.values(), *FURTHER_REQUEST_WORDS.values(), *LOOSE_REQUEST_WORDS.values()
) - stem_all("scratch strike put")
"""Stems of verbs that ask for a particular act. Those with other meanings are left out: "scratch Ada"."""
LIGHT_VERBS: Final = stem_all("give get make take have bring turn let")
"""Stems of verbs with nearly no meaning: "make it 6 pods", "get us out of it", "have another go"."""
VAGUE_VERBS: Final = stem_all("put let say tell mean treat like keep leave go come fly travel")
"""Stems of listed verbs that order no certain act: "put 20 on my card"."""
CLEAR_VERBS: Final = KNOWN_VERBS - LIGHT_VERBS - VAGUE_VERBS
ORDERING_VERBS: Final = KNOWN_VERBS | LIGHT_VERBS | VAGUE_VERBS
_NO_LIGHT_ORDER: Final = CaselessPattern(
    r"^\W*let (?:me|us|him|her|them|it)\b|^\W*make (?:sure|it (?:clear|short|shorter|sound|look|nicer?|simpler?))\b"
    r"|^\W*have (?!an?\b|another\b)|^\W*(?:give|make|take) (?:me|us)\b"
    r"|^\W*(?:get|bring|take)(?: \w+)? (?:to know|started|ready|back to|along|care|part|place)\b"
)
INFORMING: Final = frozenset(
    "overview summary look looks glance peek idea answer explanation hint thought thoughts opinion feedback advice "
    "list lists copy copies note notes table spreadsheet chart graph report draft plan plans sketch screenshot "
    "screenshots picture translation update read check try think minute minutes while moment second guess "
    "number numbers details "
    "info status history reminder bullet bullets points version text reason reasons example examples sense".split()
)
"""Nouns of information. An order for it by a verb with nearly no meaning asks for no act."""
_WRITING: Final = compile_later(
    r"^\w+ (?:up |out |together |down )?(?:an?|some) (?:[\w-]+ ){0,2}(?:answer|reply|response|summary|poem|text|note"
    r"|mail|e-?mail|message|letter|draft|report|list|overview|tone|toast|speech|joke|song|story|post|slide|table|sketch)s?\b",
    re.IGNORECASE,
)
"""An order to write something: "cook up a friendly answer"."""
_FETCHING: Final = compile_later(r"\bgo (?:for|with) ", re.IGNORECASE)
_KEEPING: Final = stem_all("keep leave hold save note mind stay remain")
"""Verbs by which something remains as it is."""
_SHOWING: Final = CaselessPattern(
    r"^(?:\w+ )?(?:pull|bring|call|dig|look|read|write|sum|draw) up\b|^(?:\w+ )?(?:read|write|print|spell|lay) out\b"
    r"|\b(?:put|turn|convert|write|format|arrange) .{0,80}\b(?:in|into|as) an?\b|\bfor (?:me|us)\W*$"
)
"""Orders to show something: "pull up the booking", "turn it into a table"."""
ASIDE: Final = CaselessPattern(
    r"\bj?fyi\b|\bfor your information\b|\bjust so (?:you|we|u)\b", needs=("fyi", "your", "just so")
)
"""The text orders nothing."""
ABOUT: Final = CaselessPattern(
    r"^\W*(?:the |an? )?(?:best|better|cheap(?:er|est)|good|bad|old|subject|betreff|thanks?)\b"
    r"|^\W*(?:the |an? |my |next |last )*(?:comparison|difference|problem|trouble|complaint|return|refund|warrant\w+"
    r"|photo|picture|meeting|call|joke|example|story|deliver\w+|shipment|experience|question|idea|review|news|info\w*)s?"
    r" (?:of|with|about|between|on|for|from|to)\b"
    r"|\b(?:on hold|not now|not yet|too \w+|pros and cons|good or bad|as an example|in the (?:bin|trash|news)|again,"
    r"|numbers?(?: please)?\W*$)"
)
"""The text asks or remarks something about what it names, and wants nothing done with it."""
_QUOTED: Final = compile_later(r"\"[^\"]*\"|[“„][^”“]*[”“]|«[^»]*»|(?m:^[ \t]*[>|].*$)")
"""A quotation: in quotation marks, or behind the quotation sign of a mail."""
INTRODUCED: Final = compile_later(r"[?:]\s*\n.*|:\s*$", re.DOTALL)
"""Text below a question, or below a line that ends in a colon. It is shown, and not the user's order."""
_NAMING_SIGN: Final = compile_later(r"(?<= )[/#@~][\w.-]|\w_\w")
_MIN_WORDS: Final = 2  # of an order
_MAX_CHARS: Final = 2_048
_MAX_PARTS: Final = 32  # of a text


def find_unlisted_orders(text: str) -> set[str]:
    """Find the marks of orders whose verbs are in no list, and of needs. They are added to the stems of the text.

    The marks are `UNLISTED_ORDER` or `UNLISTED_CHANGE`, `NEED`, and `UNLISTED_VERB` with each stem of the verb.

    Args:
        text: of the user, without what it forbids. A text of more than 2,048 characters is a document, and orders
            nothing.
    """
    if len(text) > _MAX_CHARS or any(pattern.search(text) is not None for pattern in (ASIDE, ABOUT)):
        return set()
    found = set[str]()
    phrase = INTRODUCED.sub("", _QUOTED.sub(" ", text))
    sentences = [sentence.rstrip() for sentence in SENTENCE.findall(phrase)]
    sentences = [sentence for sentence in sentences if not sentence.endswith("?")]
    parts = [part for sentence in sentences for part in PART.split(sentence.rstrip(".!;\n"))]
    for part in parts[:_MAX_PARTS]:
        verb = _find_unlisted_verb(part)
        if verb:
            order = UNLISTED_CHANGE if _changes(part, verb) else UNLISTED_ORDER
            found.update((order, *(UNLISTED_VERB + stem for stem in split_name(verb) if stem not in LIGHT_VERBS)))
    if "?" not in text and _WITHHOLDING.search(text) is None and any(map(_says_need, sentences[:_MAX_PARTS])):
        found.add(NEED)
    return found


def _changes(part: str, verb: str) -> bool:
    """Whether an order only changes its object, and takes nothing away."""
    if not stem_all(verb).isdisjoint(_CHANGING):
        return _AWAY.search(part) is None
    return not stem_all(verb).isdisjoint(LIGHT_VERBS) and _LIGHT_CHANGE.search(part.strip().lower()) is not None


_AWAY: Final = CaselessPattern(r"\b(?:out|off|away|down)\b")
_NEEDING: Final = compile_later(
    r"\b(?:needs?|could use|(?:is|are|'re) (?:short of|out of|low on))\b"
    r"(?= (?:[0-9]|an? |some |more |another |new |two |three |four |five |six |ten )| \w+\W*$)",
    re.IGNORECASE,
)
_WITHHOLDING: Final = compile_later(
    r"\b(?:yet|later|only want|just want|wait|first|don['’]?t|do not|not|never|maybe|perhaps|might|whether)\b",
    re.IGNORECASE,
)
"""Words of a text that states a need, but wants it met later or not at all."""


def _says_need(sentence: str) -> bool:
    words = sentence.lower().split()
    return bool(words) and words[0] not in QUESTION_WORDS and _NEEDING.search(sentence) is not None


def _find_unlisted_verb(part: str) -> str:
    """Return the first word of a clause that has the form of an order, if it is in no list of verbs; else nothing."""
    written = WORD.findall(_FETCHING.sub("take ", part))
    words = list(map(str.lower, written))
    if words and (_may_lead_no_order(words[0], QUESTION_WORDS) or _CONTRACTION.search(words[0]) is not None):
        return ""
    while words and words[0] in _LEADING_WORDS:
        words.pop(0)
    if len(words) < _MIN_WORDS or _may_lead_no_order(words[0], _NO_VERBS) or _FOR_ME.search(part) is not None:
        return ""
    # What is said of the things that are meant is no remark: "everything that's idle".
    behind = POSSESSIVE.sub("", _RELATIVE.sub("", " ".join(words[1:])))
    if REMARKING.search(behind) is not None or not _may_order(words):
        return ""
    # Behind its first word an order says what it is about: by a name, a number, a path, or a word such as "the".
    says_about = (
        any(word in STOP_WORDS for word in words[1:])
        or not all(word.islower() and word.isalpha() for word in written[1:])
        or _NAMING_SIGN.search(part) is not None
        or (words[0] == "have" and "another" in words)
    )
    return words[0] if says_about else ""


_NO_VERBS: Final = QUESTION_WORDS | STOP_WORDS
_CONTRACTION: Final = compile_later(r"(?<!let)['’](?:s|re|ve|ll|m)$")
"""A subject and its verb in one word, at the beginning of a remark: "it's from them"."""


def _may_lead_no_order(word: str, words: frozenset[str]) -> bool:
    """Whether no order begins with this word. "Have another go" is an order."""
    return word in words and word != "have"


def _may_order(words: Sequence[str]) -> bool:
    """Whether the first of some words can be the verb of an order, and is in no list."""
    phrase, stems = " ".join(words), stem_all(words[0]) | find_stems_of_word(words[0])
    if not stems.isdisjoint(_KEEPING) or _SHOWING.search(phrase) is not None or _WRITING.search(phrase) is not None:
        return False
    if stems.isdisjoint(LIGHT_VERBS):
        return stems.isdisjoint(LOOKING_UP) and stems.isdisjoint(KNOWN_VERBS)
    return _NO_LIGHT_ORDER.search(phrase) is None and INFORMING.isdisjoint(words)
