"""Whether a text of the user only wants to know something, so that it asks for no message or payment.

    find_purpose_forms("Catch me up on #suppliers")                # looks: nothing is posted to #suppliers
    find_purpose_forms("Read issue 42 and reply there")            # wants: an act
    find_purpose_forms("Go to www.x.example")                      # wants: what the page asks for

"Tell me what Kim says" asks for no message to Kim, although the user wrote the name. A text counts as a lookup only
if each of its parts is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from halo_core.model import Impact
from halo_core.values.kinds.kinds import Form
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.lexicon import stem_all
from halo_core.values.language.patterns import compile_later
from halo_core.values.requests.asked_acts import find_asked_stems, hands_over_tasks
from halo_core.values.requests.phrasal_verbs import asks_somebody, brings_together, find_phrasal_verbs, find_wanted_acts
from halo_core.values.requests.unlisted_orders import PART, QUESTION_WORDS, SENTENCE, WORD, find_unlisted_orders
from halo_core.values.sketches.sketch import Sketch, has_user_mark

_LOOKUP: Final = Form("wish", "looks")
_ACT: Final = Form("wish", "wants")
_REPORT: Final = Form("wish", "reports")
"""The text looks something up, and also reports what others want."""
_MAX_CHARS: Final = 1_024  # of a text; a longer one is a document
_LEADING_WORDS: Final = frozenset(
    "please pls plz kindly now then also just ok okay so hi hey hello thanks and but can could would will you u first "
    "finally afterwards after that quickly briefly".split()
)
_LOOKUP_VERBS: Final = frozenset(
    "show list find search look read check see view summarise summarize explain describe compare count examine "
    "analyse analyze browse recap skim scan study inspect translate".split()
)
"""Verbs that only look something up."""
_INFORMING_USER: Final = CaselessPattern(
    r"^(?:tell|give|show|find|get|read|bring|explain to|remind) (?:me|us)\b"
    r"|^(?:let (?:me|us) (?:know|see|hear|have|read)|(?:catch|bring|get) (?:me|us) up|(?:fill|read) (?:me|us) in"
    r"|(?:brief|update) (?:me|us)|keep (?:me|us) (?:posted|updated|informed)|sum (?:it |this |that |everything )?up)\b"
    r"|^(?:i|we)(?:['’]d| would)? (?:want|like|need|wish|wonder)(?:ed|ing)?(?: to (?:know|see|hear|read|understand)"
    r"| if| whether| what| who| when| how| why)\b"
)
_BY_MESSAGE: Final = CaselessPattern(
    r"\b(?:by|via|on|over|through) (?:an? |my |the |our )?(?:e?-?mails?|sms|texts?|messages?|slack|teams|whatsapp"
    r"|signal|telegram|chat|phone|calls?|dm|pm)\b(?! ?[0-9#])"
)
"""The user wants to be informed by a message."""
_REPORTING: Final = compile_later(
    r"\b(?:says?|said|writes?|wrote|told|asks?|asked|posted|called|sent)\b", re.IGNORECASE
)
"""The words behind it say how somebody else said something: "tell me what Kim says on the phone"."""
_ONLY_LOOKS_LIKE_LOOKUP: Final = CaselessPattern(
    r"^(?:look|see) (?:after|to|into (?:it|this|that)|for (?:somebody|someone))\b|^check (?:in|out|with|off)\b"
    r"|^find (?:somebody|someone|an?\b.* for)|^(?:list|show) .* (?:for sale|to (?:everybody|everyone|them|him|her))\b"
    r"|^(?:do|have) (?!(?:i|we|you|they|he|she|any\w*|some\w*|the \w+ (?:have|say|want|mention))\b)"
    r"|^(?:why (?:not|don['’]?t)|how about|what about)\b|^(?:give|get|bring|find) (?:me|us)\b.* "
    r"(?:access|rights?|permission|an?|another|more|some)\b"
)
"""Phrases that begin like a lookup, but order something else: "look after it"."""
_SHOWING_SOMEBODY_ELSE: Final = compile_later(
    r"^\W*(?:\w+ )?(?i:show|explain|describe)(?: \w+)? "
    r"(?:(?:to )?(?:him|her|them|every(?:body|one))\b|(?:to )?[A-Z]\w+(?!['’]s|\w| \d))"
)
"""Something is to be shown to somebody else than the user."""
_NAVIGATING: Final = frozenset("go visit navigate open head click".split())
"""Verbs that send an agent to a page, and do not say what is to be done there."""
_ANSWERING: Final = frozenset(
    "answer answers reply replies respond response responses word tell told inform informed send sent post posted "
    "write written notify ask confirm confirmation email sms text contact forward share back thank invite gets "
    "receives waiting waits needs wants expects hopes".split()
)
"""Words of a remark that may ask to inform somebody."""
_READING: Final = stem_all(" ".join(_LOOKUP_VERBS | _NAVIGATING))
_TELLING: Final = stem_all("tell give show find get read bring explain remind brief update catch let know keep fill")
"""Stems of verbs by which the user wants to be informed."""
_WANTED_BY_OTHERS: Final = CaselessPattern(
    r"^(?!(?:i|we|you|u) )(?:(?:the|our|my|a|an|this|that) )?[\w.’'-]+(?: [\w.’'-]+)? "
    r"(?:wants?|wanted|would like|plans?|planned|intends?|intended|promised|promises|hopes?|agreed|expects?|offered"
    r"|offers|asks?|asked|tells?|told|urges?|(?:is|are|was|were) (?:going|about|willing|ready))"
    r"(?: (?:us|me|him|her|them|you))? to\b"
    r"|^(?!(?:i|we|you|u) )(?:(?:the|our|my|a|an) )?[\w.’'-]+"
    r" (?:says?|said|thinks?|thought|claims?|writes?|wrote|expects?) (?:that )?(?:we|you|i)"
    r" (?:should|must|need to|have to|ought to|are to|shall)\b"
    r"|^(?:i|we) (?:am|are|was|were) (?:asked|expected|supposed|told|urged) to\b"
)
"""Somebody else wants to do something, or wants it done: "they want us to pay 75"."""
_DOING: Final = frozenset(("do", "do so", "do it", "do that", "do this"))
_CONDITIONS: Final = frozenset(("if", "whether"))
_QUOTE: Final = compile_later(r"[\"“”„«»]")


def find_purpose_forms(text: str) -> Iterator[Form]:
    """Return a form that says whether a text of the user only looks something up, or wants something done.

    A third form says that the text looks something up, and also reports what others want.

    Args:
        text: of the user, without what it forbids.
    """
    if any(map(str.isalnum, text)):
        yield _classify_text(text)


def has_looked_up(sketch: Sketch) -> bool:
    """Whether a text of the user only wants to know something."""
    return has_user_mark(sketch.look_up_forms([_LOOKUP]))


def only_looks_up(sketch: Sketch) -> bool:
    """Whether each text of the user only wants to know something."""
    return has_user_mark(sketch.look_up_forms([_LOOKUP])) and not has_user_mark(sketch.look_up_forms([_ACT]))


def wants_no_act(sketch: Sketch, impact: Impact) -> bool:
    """Whether the texts of the user only want to know something, and so ask for no message or payment.

    For a payment, they may also report what others want: "they want us to pay 75".
    """
    if impact is not Impact.PAYMENT:
        return impact is Impact.SEND and only_looks_up(sketch)
    lookups, reports, wants = sketch.look_up_forms([_LOOKUP, _REPORT, _ACT])
    return has_user_mark([lookups, reports]) and not has_user_mark([wants])


def _classify_text(text: str) -> Form:
    if len(text) > _MAX_CHARS or _QUOTE.search(text) or hands_over_tasks(text) or asks_somebody(text):
        return _ACT
    if brings_together(text):
        return _ACT
    purposes = set[Form]()
    for sentence in map(str.strip, SENTENCE.findall(text)):
        for i, part in enumerate(PART.split(sentence.rstrip(".!?;\n"))):
            words = WORD.findall(part.lower())
            while words and words[0] in _LEADING_WORDS:
                words.pop(0)
            if not words:
                continue
            purpose = _classify_part(part, words, is_first=not i)
            if purpose is _ACT:
                return _ACT
            if purpose is not None:
                purposes.add(purpose)
    if _REPORT in purposes:
        return _REPORT if _LOOKUP in purposes else _ACT
    return _LOOKUP if purposes else _ACT


def _classify_part(part: str, words: list[str], *, is_first: bool) -> Form | None:
    """Classify a part of a sentence; None if it neither looks something up nor wants something done."""
    phrase = " ".join(words)
    if phrase not in _DOING and _WANTED_BY_OTHERS.search(phrase) is not None and " and " not in phrase:
        return _REPORT
    if (
        phrase in _DOING
        or _ONLY_LOOKS_LIKE_LOOKUP.search(phrase) is not None
        or _SHOWING_SOMEBODY_ELSE.search(part) is not None
    ):
        return _ACT
    if _INFORMING_USER.search(phrase) is not None:
        is_more = (
            bool(find_asked_stems(part) - _READING - _TELLING)
            or _BY_MESSAGE.search(_REPORTING.split(part)[0]) is not None
        )
        return _ACT if is_more else _LOOKUP
    is_question = words[0] in QUESTION_WORDS and words[0] not in _CONDITIONS
    if is_question or words[0] in _LOOKUP_VERBS:
        return _ACT if find_asked_stems(part) - _READING else _LOOKUP
    if not _ANSWERING.isdisjoint(words) or any(find_phrasal_verbs(part)) or any(find_wanted_acts(part)):
        return _ACT
    is_name = part.strip()[:1].isupper() and not is_first  # "Kim or Lea", in a list
    is_ordered = words[0] not in _NAVIGATING and not is_name and bool(find_unlisted_orders(part))
    return _ACT if is_ordered or find_asked_stems(part) - _READING else None
