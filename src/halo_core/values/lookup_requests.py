"""Whether a text of the user only wants to know something, so that it asks for no message to whom or what it names.

    find_wish_forms("Catch me up on #suppliers")                # looks
    find_wish_forms("Read issue 42 and reply there")            # wants
    find_wish_forms("Go to www.x.example")                      # wants: what the page asks for

Whoever wants a page summarised, or to be told what Kim says, has nothing posted there and nothing said to Kim, although
he wrote the page and the name. A text is read as looking something up only if each part of it is read so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from halo_core.model import Impact
from halo_core.values.asked_acts import find_asked_stems, hands_over_tasks
from halo_core.values.caseless import CaselessPattern
from halo_core.values.kinds import Form
from halo_core.values.lexicon import stem_all
from halo_core.values.phrasal_verbs import asks_somebody, find_phrasal_verbs, find_wanted_acts
from halo_core.values.sketch import Sketch, has_user_mark
from halo_core.values.unlisted_orders import PART, QUESTION_WORDS, SENTENCE, WORD, find_unread_orders

_LOOKS: Final = Form("wish", "looks")
_WANTS: Final = Form("wish", "wants")
_REPORTS: Final = Form("wish", "reports")
"""The text looks something up, and says besides what others want."""
_MAX_CHARS: Final = 1_024  # of a text; a longer one is a document
_LEADING: Final = frozenset(
    "please pls plz kindly now then also just ok okay so hi hey hello thanks and but can could would will you u first "
    "finally afterwards after that quickly briefly".split()
)
_LOOKING: Final = frozenset(
    "show list find search look read check see view summarise summarize explain describe compare count examine "
    "analyse analyze browse recap skim scan study inspect translate".split()
)
"""Verbs of orders that only look something up."""
_TOLD_TO_US: Final = CaselessPattern(
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
"""Says that something is told by a message."""
_REPORTING: Final = re.compile(r"\b(?:says?|said|writes?|wrote|told|asks?|asked|posted|called|sent)\b", re.IGNORECASE)
"""What stands behind it says how somebody else told something: "tell me what Kim says on the phone"."""
_LOOKING_AWAY: Final = CaselessPattern(
    r"^(?:look|see) (?:after|to|into (?:it|this|that)|for (?:somebody|someone))\b|^check (?:in|out|with|off)\b"
    r"|^find (?:somebody|someone|an?\b.* for)|^(?:list|show) .* (?:for sale|to (?:everybody|everyone|them|him|her))\b"
    r"|^(?:do|have) (?!(?:i|we|you|they|he|she|any\w*|some\w*|the \w+ (?:have|say|want|mention))\b)"
    r"|^(?:why (?:not|don['’]?t)|how about|what about)\b|^(?:give|get|bring|find) (?:me|us)\b.* "
    r"(?:access|rights?|permission|an?|another|more|some)\b"
)
"""What begins as if it looked something up, and orders something else."""
_SHOWN_TO: Final = re.compile(
    r"^\W*(?:\w+ )?(?i:show|explain|describe)(?: \w+)? "
    r"(?:(?:to )?(?:him|her|them|every(?:body|one))\b|(?:to )?[A-Z]\w+(?!['’]s|\w| \d))"
)
"""Says that something is shown to somebody else."""
_NAVIGATING: Final = frozenset("go visit navigate open head click".split())
"""Verbs by which somebody sends an agent to a page: they say nothing of what is to be done there."""
_ANSWERING: Final = frozenset(
    "answer answers reply replies respond response responses word tell told inform informed send sent post posted "
    "write written notify ask confirm confirmation email sms text contact forward share back thank invite gets "
    "receives waiting waits needs wants expects hopes".split()
)
"""Words of a remark that may want somebody to be told something."""
_READING: Final = stem_all(" ".join(_LOOKING | _NAVIGATING))
_TELLING: Final = stem_all("tell give show find get read bring explain remind brief update catch let know keep fill")
"""Stems of verbs by which somebody wants to be told something."""
_OTHERS_WISH: Final = CaselessPattern(
    r"^(?!(?:i|we|you|u) )(?:(?:the|our|my|a|an|this|that) )?[\w.’'-]+(?: [\w.’'-]+)? "
    r"(?:wants?|wanted|would like|plans?|planned|intends?|intended|promised|promises|hopes?|agreed|expects?|offered"
    r"|offers|asks?|asked|tells?|told|urges?|(?:is|are|was|were) (?:going|about|willing|ready))"
    r"(?: (?:us|me|him|her|them|you))? to\b"
    r"|^(?!(?:i|we|you|u) )(?:(?:the|our|my|a|an) )?[\w.’'-]+"
    r" (?:says?|said|thinks?|thought|claims?|writes?|wrote|expects?) (?:that )?(?:we|you|i)"
    r" (?:should|must|need to|have to|ought to|are to|shall)\b"
    r"|^(?:i|we) (?:am|are|was|were) (?:asked|expected|supposed|told|urged) to\b"
)
"""Says what somebody else wants to do, or wants done: "they want us to pay 75"."""
_DOING: Final = frozenset(("do", "do so", "do it", "do that", "do this"))
_CONDITIONS: Final = frozenset(("if", "whether"))
_QUOTE: Final = re.compile(r"[\"“”„«»]")


def find_wish_forms(text: str) -> Iterator[Form]:
    """A form that says whether a text of the user only looks something up, or wants something done.

    Of one that looks something up and says besides what others want, it says that.

    Args:
        text: of the user, without what it forbids.
    """
    if any(map(str.isalnum, text)):
        yield _find_wish_of_text(text)


def only_looks(sketch: Sketch) -> bool:
    """Whether each text of the user wants to know something, and none of them anything else."""
    return has_user_mark(sketch.look_up_forms([_LOOKS])) and not has_user_mark(sketch.look_up_forms([_WANTS]))


def wants_none(sketch: Sketch, impact: Impact) -> bool:
    """Whether each text of the user wants to know something, so that it asks for no message or payment.

    It asks for no payment either where it says besides what others want.
    """
    if impact is not Impact.PAYMENT:
        return impact is Impact.SEND and only_looks(sketch)
    looks, reports, wants = sketch.look_up_forms([_LOOKS, _REPORTS, _WANTS])
    return has_user_mark([looks, reports]) and not has_user_mark([wants])


def _find_wish_of_text(text: str) -> Form:
    if len(text) > _MAX_CHARS or _QUOTE.search(text) or hands_over_tasks(text) or asks_somebody(text):
        return _WANTS
    wishes = set[Form]()
    for sentence in map(str.strip, SENTENCE.findall(text)):
        for i, part in enumerate(PART.split(sentence.rstrip(".!?;\n"))):
            words = WORD.findall(part.lower())
            while words and words[0] in _LEADING:
                words.pop(0)
            if not words:
                continue
            wish = _find_wish(part, words, is_first=not i)
            if wish is _WANTS:
                return _WANTS
            if wish is not None:
                wishes.add(wish)
    if _REPORTS in wishes:
        return _REPORTS if _LOOKS in wishes else _WANTS
    return _LOOKS if wishes else _WANTS


def _find_wish(part: str, words: list[str], *, is_first: bool) -> Form | None:
    """What a part of a sentence says; None of one that says neither."""
    said = " ".join(words)
    if said not in _DOING and _OTHERS_WISH.search(said) is not None and " and " not in said:
        return _REPORTS
    if said in _DOING or _LOOKING_AWAY.search(said) is not None or _SHOWN_TO.search(part) is not None:
        return _WANTS
    if _TOLD_TO_US.search(said) is not None:
        is_more = (
            bool(find_asked_stems(part) - _READING - _TELLING)
            or _BY_MESSAGE.search(_REPORTING.split(part)[0]) is not None
        )
        return _WANTS if is_more else _LOOKS
    is_question = words[0] in QUESTION_WORDS - _CONDITIONS
    if is_question or words[0] in _LOOKING:
        return _WANTS if find_asked_stems(part) - _READING else _LOOKS
    if not _ANSWERING.isdisjoint(words) or any(find_phrasal_verbs(part)) or any(find_wanted_acts(part)):
        return _WANTS
    is_name = part.strip()[:1].isupper() and not is_first  # "Kim or Lea", in a list
    is_ordered = words[0] not in _NAVIGATING and not is_name and bool(find_unread_orders(part))
    return _WANTS if is_ordered or find_asked_stems(part) - _READING else None
