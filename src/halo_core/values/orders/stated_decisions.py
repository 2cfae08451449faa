"""What a text of the user decides by saying so, and what he lets in or locks, in whatever words.

    find_stated_decisions("I approve her leave, that is LR-311. No to LR-312.")   # "yes lr-311", "no lr-312"
    find_stated_decisions("Open the loading dock for 15 minutes, door is called dock-2")   # "open dock-2", "open 15"

A question, a report, a condition and a doubt decide nothing. What the user leaves for later is `withheld`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, islice
from typing import Final, NamedTuple

from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.lexicon import STOP_WORDS
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.quoted_orders import drop_quoted
from halo_core.values.language.text import split_name
from halo_core.values.language.unordered_statements import OTHERS_WISH, SOMEBODYS, TAG_QUESTION, TAKEN_BACK, TRANSCRIPT
from halo_core.values.requests.unlisted_orders import KNOWN_VERBS, LOOKING_UP, QUESTION_WORDS, REMARKING, SENTENCE
from halo_core.values.sketches.sketch import extract_tokens

YES: Final = "yes"
NO: Final = "no"
OPEN: Final = "open"
SHUT: Final = "shut"
IN: Final = "in"
OUT: Final = "out"
ON: Final = "on"
OFF: Final = "off"
WITHHELD: Final = "withheld"
RETRACTED: Final = "retracted"
_MAX_CHARS: Final = 2_048  # of a text; a longer one is a document
_MAX_SENTENCES: Final = 32
_MAX_PARTS: Final = 16  # of a sentence
_MAX_WORDS: Final = 32  # of a part
_MAX_PART: Final = 240  # characters of a part that decides something
_PART: Final = compile_later(r"([,;(]|\s[-–—]+\s|\b(?:and|but|then|while|whereas)\b)", re.IGNORECASE)
LEAD: Final = (
    r"^\W*(?:(?:yes|ok|okay|well|so|also|right|sure|alright|please|pls|plz|kindly|now|then|just|hi|hey|hello|thanks"
    r"|regardless|anyway|afterwards|\w+ly)\b\W*)*"
)
ASKING_YOU: Final = r"(?:(?:can|could|would|will) you (?:please |pls |kindly |just |now )?)?"
_LEAD: Final = compile_later(LEAD)
_LEAD_OF_ORDER: Final = compile_later(rf"{LEAD}{ASKING_YOU}", re.IGNORECASE)
_APPROVE: Final = r"(?:approve(?! of\b)|accept|grant|allow|permit|authori[sz]e|endorse|okay|ok|green-?light|sign off)"
_REJECT: Final = r"(?:reject|decline|refuse|deny|disapprove|veto|dismiss|turn down)"
_APPROVED: Final = r"(?:approved|accepted|granted|allowed|permitted|authori[sz]ed|endorsed|okayed|agreed)"
_REJECTED: Final = r"(?:rejected|declined|refused|denied|disapproved|vetoed|dismissed|turned down)"
_FINE: Final = r"(?:fine|ok|okay|good|alright|all right|no problem)"
_MY_SIDE: Final = r"(?:(?:with|by|for) (?:me|us)|from (?:me|us|my side|our side))"
_I: Final = r"(?:i|we) (?:hereby |do |now |gladly |happily |fully |formally )*"
_I_AM: Final = r"(?:i am|we are|i['’]m|we['’]re|im)"
_BE: Final = r"(?:is|are|['’]s|(?:can|should|must|shall|has to|have to) be|gets?)"


def _compile_saying(verb: str, participle: str, word: str, agreeing: str) -> CaselessPattern:
    """Compile the ways to say a decision: performed, ordered, by a participle, by a word such as yes."""
    return CaselessPattern(
        rf"{LEAD}(?:{_I}{verb}|{_I}say {word} to|{agreeing})\b"
        rf"|{LEAD}{ASKING_YOU}(?:you (?:can|may) |feel free to |go ahead (?:and|to) )?{verb} \S"
        rf"|{LEAD}{participle}(?:\W*$|\s*[:!]| {_MY_SIDE}| (?=\S*[0-9]))"
        rf"|^\W*(?:it['’]s )?(?:an? )?{word} (?:to|for|on) \S|\S ?[:=] ?{word}\W*$"
        rf"|\S.*?(?:\b{_BE} |\s?[:=] ?| )(?:now |hereby )?(?:{participle}|an? {word})(?: {_MY_SIDE})?\W*$"
    )


_IDLE: Final = r"(?:hold|ice|pause|service|use|order|line|offline)"
_IS_TO: Final = r"(?:should|must|has to|have to|needs? to|is to)"
_PLACE: Final = (
    r"(?!(?:is|are|was|were|why|who|what|how|i|we|they|he|she|it|keep|leave|left|found|stands?|no|not|any)\b)"
    r"(?:the |our |my )?(?:(?!(?:is|are|was|were|left|stood|stands|found|still|been|already|says?|said)\b)[\w-]+ ){1,3}"
)
_FOR_A_WHILE: Final = (
    r" (?:please |pls |now )?for (?:[0-9]+|[a-z]+|half an) ?(?:min|minutes?|mins|h|hours?|hrs?)"
    r"(?: please| pls| thanks)?\W*$"
)
"""An extent that makes a state an order: "garage open for 10 min"."""
_FOR_FEW: Final = CaselessPattern(
    r"(?<=\bfor )(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen)(?= (?:min|h|sec|day))"
)
_FEW: Final = "two three four five six seven eight nine ten eleven twelve . . fifteen".split()
"""Numbers from two on that `write_number_words` leaves in words."""
_SAYINGS: Final = (
    (
        YES,
        _compile_saying(
            _APPROVE,
            _APPROVED,
            "(?:yes|ok|okay|go|thumbs up|green light)",
            rf"{_I}(?:agree|consent) (?:to|with)|{_I_AM} (?:{_FINE}|happy) with"
            r"|(?:you have )?my (?:ok|okay|approval|consent|blessing|go) (?:for|to|on)"
            rf"|{_I}give \S.{{0,40}}? ?(?:ok|okay|approval|permission|green light|go-ahead|blessing)",
        ),
    ),
    (
        YES,
        CaselessPattern(
            rf"\S.*? (?:(?:is|are) )?{_FINE} {_MY_SIDE}\W*$|^\W*{_FINE} {_MY_SIDE}\b|^\W*{_FINE} with \S"
            rf"|^from (?:my|our) side \S.*? (?:is|are) {_FINE}\W*$|\S (?:can|may|should) (?:go ahead|proceed)\W*$"
            r"|\S (?:has|gets) (?:my|our) (?:ok|okay|approval|blessing|consent|go)\W*$"
        ),
    ),
    (
        NO,
        _compile_saying(
            _REJECT,
            _REJECTED,
            "(?:no|thumbs down)",
            rf"(?:{_I})?turn \S.{{0,60}}? down|(?:i|we) (?:must|have to) {_REJECT}",
        ),
    ),
    (
        OPEN,
        CaselessPattern(
            rf"{LEAD}{ASKING_YOU}(?:open|unlock|unbolt|unbar)\b"
            rf"|{LEAD}{ASKING_YOU}(?:get|keep|make) \S.{{0,60}}? open"
            rf"|{LEAD}{ASKING_YOU}(?:let|buzz) \S.{{0,60}}? (?:in|into|inside|through)\b"
            r"|\b(?:should|must|has to|have to|needs? to) be (?:open|opened|unlocked)\b"
            rf"|^\W*{_PLACE}(?:open|unlocked){_FOR_A_WHILE}"
        ),
    ),
    (
        SHUT,
        CaselessPattern(
            rf"{LEAD}{ASKING_YOU}(?:close|shut|lock|bolt)\b"
            r"|\b(?:should|must|has to|have to|needs? to) be (?:shut|closed|locked|bolted)\b"
            rf"|^\W*{_PLACE}(?:shut|closed|locked){_FOR_A_WHILE}"
        ),
    ),
    (
        IN,
        CaselessPattern(
            rf"{LEAD}{ASKING_YOU}(?:let|get|bring|put|take|have|add|sign|place|include|{_I}want) \S.{{0,60}}?"
            rf" (?:in|into|in to|on|onto|on to|inside|join|up for|down for) (?!{_IDLE}\b)\S"
            rf"|{LEAD}(?!(?:i|we|you|they|he|she|it|who)\b)\S.{{0,60}}? (?:joins|takes part in|gets into"
            rf"|(?:{_IS_TO}|may|can) join|{_IS_TO} (?:be (?:in|on)|get into)|gets access to|may enter"
            r"|belongs (?:in|on)) \S"
        ),
    ),
    (
        OUT,
        CaselessPattern(
            rf"{LEAD}{ASKING_YOU}(?:take|get|throw|pull|strike|kick|drop|cross|cut|scratch|have|{_I}want)"
            rf" \S.{{0,60}}? (?:out of|out|off|from) (?!{_IDLE}\b)\S"
            rf"|{LEAD}(?!(?:i|we|you|they|he|she|it|who)\b)\S.{{0,60}}? (?:leaves|{_IS_TO} (?:leave|be out of)) \S"
        ),
    ),
    (
        ON,
        CaselessPattern(
            rf"{LEAD}{ASKING_YOU}(?:re-?)?(?:enable|activate|instate|unfreeze|unblock|resume)\b"
            rf"|{LEAD}{ASKING_YOU}(?:switch|turn|get|have) (?:\S.{{0,60}}? )?on\b(?!\w| [a-z])"
            rf"|{LEAD}{ASKING_YOU}(?:bring|put|switch|turn|take) \S.{{0,60}}? back(?: (?:on|in (?:use|service)))?\W*$"
            rf"|{LEAD}{ASKING_YOU}let \S.{{0,60}}? (?:work|run) again\W*$"
            r"|^\W*\S*[0-9]\S* on(?: please| pls| again)?\W*$"
        ),
    ),
    (
        OFF,
        CaselessPattern(
            rf"{LEAD}{ASKING_YOU}(?:disable|deactivate|suspend|freeze|block|kill|stop|pause)\b"
            rf"|{LEAD}{ASKING_YOU}(?:switch|turn|take|shut) (?:\S.{{0,60}}? )?(?:off|down|offline|{_IDLE})\b"
            r"(?!\w| [a-z])"
            rf"|{LEAD}{ASKING_YOU}(?:put|take) \S.{{0,60}}? (?:on|out of) {_IDLE}\b"
            r"|^\W*\S*[0-9]\S* off(?: please| pls| again)?\W*$"
        ),
    ),
)
"""Decision → how a part of a sentence says it. A part that says two of them says none."""
_POLITE_QUESTION: Final = CaselessPattern(rf"{LEAD}(?:can|could|would|will) you ")
_STATE: Final = CaselessPattern(r"^\W*(?:do|does|did|should|shall|may|can|have|has)\b|\b(?:is|are|gets?|['’]s)\b")
"""A part that a question behind it may be about: "LR-311 is approved, who did that?"."""
_LATER_QUESTION: Final = CaselessPattern(
    r"^\W*(?:what|what['’]s|who|who['’]s|which|when|where|why|how|can you|could you)\b\W+\w+\W+\w"
)
NEGATING: Final = CaselessPattern(
    r"\b(?:not|never|neither|nor|without|except|no longer|hardly|instead of|rather than|nobody|nothing|dont)\b"
    r"|n['’]t\b"
)
_WITHHOLDING: Final = CaselessPattern(
    r"\b(?:later|yet|wait|waits|hold|pending|undecided|postponed?|open question|still|tomorrow|another time"
    r"|no decision)\b|[0-9],? (?:next (?:week|month|quarter|year)|(?:on|this|next) [a-z]+day)\b"
)
CONDITION: Final = CaselessPattern(
    r"\b(?:if|unless|whether|provided|providing|assuming|as long as|in case|depending|subject to|once|when|as soon as"
    r"|until|till|after|before|only for|should (?:he|she|they|it))\b"
)
_LATER_CONDITION: Final = CaselessPattern(
    r"^\W*(?:but |and |that is |though |however )?\W*(?:only (?:if|when|once|after|with|for)|unless|provided|as long as"
    r"|assuming|subject to)\b"
)
"""A sentence that makes the decision of the sentence before it depend on something."""
_TAKING_BACK: Final = CaselessPattern(
    r"^\W*(?:but |and |oh |ah |hm+ )?(?:no,? )?(?:wait\b|hold on\b|stop\b|scratch that|forget (?:it|that|about)"
    r"|don['’]?t\b|on second thought|sorry,? (?:no|not)\b)"
)
REPORT: Final = CaselessPattern(
    r"\b(?:(?<!i )(?<!we )say|says|said|saying|writes?|wrote|claims?|claimed|told|tells|thinks?|thought|believes?"
    r"|according|heard|rumou?r|apparently|supposedly|allegedly|reads like|as if|pretends?|asked whether|guess|maybe"
    r"|perhaps|probably|might|could(?! you)|would(?! you)|hopefully|suppose|wonder|unsure|inclined|for example|e\.g"
    r"|example|already|was|were|been|had|has(?! to| my| our)|have(?! to| my)|yesterday|last (?:week|month|year)"
    r"|in the (?:system|tool|app|database|portal)|on paper|looks? like|i see|i hate|in principle)\b"
    r"|^\W*(?:in|by|per|as per|from|judging by) (?:the |that |this |his |her |their |our )?"
    r"(?:e-?mails?|mails?|messages?|letters?|notes?|tickets?|pages?|posts?|chats?|texts?)\b"
)
"""The words of somebody else, a doubt, or what was decided earlier."""
_TELLING: Final = CaselessPattern(
    r"\b(?:tell|inform|notify|write|reply|answer|remind|explain|know|mention|note|mail|text|translate|draft)\b"
)
"""An order to say something, which the decision may be a part of: "tell her that LR-311 is approved"."""
_DOCUMENT: Final = CaselessPattern(
    r"\b(?:e-?mail|mail|message|summary|draft|text|wording|report|letter|note|title|table|agenda|reply|answer|page|link"
    r"|url|tab|file|folder|document|doc|attachment|issue|ticket|pull request|thread|chat|app|browser|website|site)s?\b"
    r"(?! ?#?[0-9])"
)
"""What is written or shown: "I approve the text of LR-311"."""
SHOWN: Final = compile_later(
    r"(?m:^[ \t]*[>|].*$)|(?im:^(?:from|sent|to|subject|date|von|betreff|an|cc):)(?s:.*)"
    r"|(?i:\b(?:says?|said|writes?|wrote|asks?|reads?|mails?|message|text|note|letter|it|this|following))\b"
    r"[^\n]{0,40}:[ \t]*\n(?s:.*)"
)
"""The words of somebody else that the user shows: quoted lines, a mail with its header, what follows "she writes:"."""
_OTHER_THING: Final = CaselessPattern(
    r"\b(?:dashboards?|views?|feeds?|cameras?|logs?|schedules?|incidents?|cases?|calendars?|config\w*"
    r"|settings?|panels?|plans?"
    r"|charts?|menus?|lists?|sheets?|streams?|history|records?|entry|entries|consoles?|overviews?|reports?"
    r"|tasks?|alerts?)\b"
    r"(?! ?#?[0-9])"
)
"""What is opened or closed on a screen, and no door: "open the camera view of dock-2"."""
_APPOSITION: Final = CaselessPattern(
    r"^\W*(?:that is|that['’]s|i\.?e\.?|namely|which is|it is|it['’]s|this is|meaning|i mean"
    r"|the \w+ is (?:called|named)|\w+ is (?:called|named)|(?:its|the|his|her|their) (?:name|id|number) is)\b"
)
"""A part that says what was meant."""
_ID: Final = compile_later(r"(?<![\w/.@-])([A-Za-z]{1,8})[-_/#]?[0-9][\w-]{0,15}(?![\w@-])")
LONE_ID: Final = compile_later(r"\W*(?:[^\W\d_]{2,16} )?\S*[0-9]\S*")
_POSSESSING: Final = compile_later(r"[0-9]['’]s\b")
"""What belongs to something with a number: "T-40's dates are fine with me"."""
_DECIDING_WORD: Final = CaselessPattern(
    r"\b(?:approv|accept|grant|allow|permit|authori|endors|reject|declin|refus|den[yi]|fine\b|ok\b|okay\b)"
)
_SIGNS: Final = "@#'’"
_DIRECTIONS: Final = frozenset((OPEN, SHUT, IN, OUT, ON, OFF))
"""Decisions by words of many meanings: it counts what else stands beside them (`decided_words`)."""
_WORDS_OF_DIRECTIONS: Final = STOP_WORDS | frozenset(
    "let get gets bring put take have has add sign place include want join joins may enter belong belongs into onto"
    " inside off throw pull strike kick drop cross cut scratch leave leaves must needs need switch turn on back again"
    " work run hold ice pause service use order line offline please pls plz kindly now then just yes ok okay so too"
    " access enable activate instate reenable re-enable reactivate reinstate unfreeze unblock resume disable deactivate"
    " suspend freeze block kill stop shut down first afterwards immediately today open unlock unbolt unbar opened"
    " closed locked close lock bolt minute minutes hour hours takes part".split()
)
MAX_COUNTED: Final = 12  # words of a statement


class _Part(NamedTuple):
    """A part of a sentence: its text, and what it decides (empty: nothing)."""

    text: str
    decision: str


def find_stated_decisions(text: str) -> Iterator[Form]:
    """Find the words of what a user decides: the domain is `decided`, the text the decision and the word.

    Args:
        text: of the user, without what it forbids.
    """
    if len(text) > _MAX_CHARS:
        return
    few = _FOR_FEW.search(text)
    if few is not None:
        text = f"{text[: few.start()]}{_FEW.index(few[0].lower()) + 2}{text[few.end() :]}"
    found: list[list[tuple[str, str]]] = []
    for sentence in islice(SENTENCE.findall(TRANSCRIPT.sub(" ", SHOWN.sub(" ", drop_quoted(text)))), _MAX_SENTENCES):
        if found and (taken_back := find_taken_back(sentence)):
            found[-1] = [(taken_back, word) for _, word in found[-1]]
        found.append(list(_read_sentence(sentence.strip())))
    pairs = dict.fromkeys(pair for row in found for pair in row)
    yield from (make_form(("decided", f"{decision} {word}")) for decision, word in pairs)
    for row in found:
        yield from _count_words(row)
        yield from _join_words(row)


def _join_words(pairs: Sequence[tuple[str, str]]) -> Iterator[Form]:
    """Return pairs of the words of one statement, so that no call takes its values from two."""
    for decision in sorted({decision for decision, _ in pairs} - {WITHHELD, RETRACTED}):
        words = sorted(dict.fromkeys(list_telling_words(word for said, word in pairs if said == decision)))
        yield from (make_form(("decided_both", f"{decision} {a} {b}")) for a, b in combinations(words, 2))


def list_telling_words(words: Iterable[str]) -> list[str]:
    """List the first words that say something, and join nothing."""
    return list(islice((word for word in words if word and word not in STOP_WORDS), MAX_COUNTED))


def _count_words(pairs: Sequence[tuple[str, str]]) -> Iterator[Form]:
    """Return each word of a statement with a direction, beside the number of words that say what it is about."""
    for direction in sorted(_DIRECTIONS.intersection(decision for decision, _ in pairs)):
        words = {word for decision, word in pairs if decision == direction} - _WORDS_OF_DIRECTIONS
        if len(words) <= MAX_COUNTED:
            yield from (make_form(("decided_words", f"{direction} {len(words)} {word}")) for word in sorted(words))


def find_taken_back(sentence: str) -> str:
    """Return what becomes of the decision of the sentence before, if this one takes it back or adds a condition."""
    if _TAKING_BACK.search(sentence) is not None or TAKEN_BACK.search(sentence) is not None:
        return RETRACTED
    return WITHHELD if _LATER_CONDITION.search(sentence) is not None else ""


def _read_sentence(sentence: str) -> Iterator[tuple[str, str]]:
    """Return the words of a sentence with what it decides about them."""
    parts = list(_split_sentence(sentence))
    is_undecided = CONDITION.search(sentence) is not None or TAKEN_BACK.search(sentence) is not None
    group: list[_Part] = []
    for part in parts:
        goes_on = bool(group) and (_goes_on(part, group) if not part.decision else _is_only_id(group))
        if not goes_on:
            yield from _close_group(group, is_undecided=is_undecided)
            group = []
        group.append(part)
    yield from _close_group(group, is_undecided=is_undecided)


def _split_sentence(sentence: str) -> Iterator[_Part]:
    """Split a sentence into parts. A question decides nothing, but "can you open it?" does."""
    pieces = _PART.split(sentence)[: 2 * _MAX_PARTS]
    is_question = sentence.endswith("?") or TAG_QUESTION.search(sentence) is not None
    is_reported = SOMEBODYS.match(sentence) is not None
    for place in range(0, len(pieces), 2):
        text = pieces[place].strip()
        if not text:
            continue
        is_reported = is_reported or any(pattern.search(text) is not None for pattern in (REPORT, OTHERS_WISH))
        is_order = _POLITE_QUESTION.search(text) is not None or _asks_only_later(text, pieces[place + 2 :: 2])
        is_asked = is_question and not is_order
        yield _Part(text, "" if is_reported or is_asked else _find_decision(text))


def _asks_only_later(text: str, behind: Sequence[str]) -> bool:
    """Whether a part says something, and another one behind it asks: "I approve LR-311, what's in mail 3?"."""
    return _STATE.search(text) is None and any(_LATER_QUESTION.search(part) is not None for part in behind)


def _find_decision(part: str) -> str:
    """Return what a part of a sentence decides; nothing if it denies, or is about a document."""
    if len(part) > _MAX_PART or any(x.search(part) is not None for x in (NEGATING, _DOCUMENT, _TELLING)):
        return ""
    found = {decision for decision, pattern in _SAYINGS if pattern.search(part) is not None}
    decision = found.pop() if len(found) == 1 else ""
    if decision in (OPEN, SHUT) and _OTHER_THING.search(part) is not None:
        return ""
    if decision not in (YES, NO):
        return decision
    first = next(iter(_list_words(_LEAD.sub("", part.lower()))), "")
    is_lookup = not LOOKING_UP.isdisjoint(split_name(first)) or first in QUESTION_WORDS
    return "" if is_lookup or _POSSESSING.search(part) is not None else decision


def drop_lead(part: str) -> str:
    """Drop the words with which a part begins before it orders something: "please", "could you"."""
    return _LEAD_OF_ORDER.sub("", part, count=1)


def _is_only_id(group: Sequence[_Part]) -> bool:
    """Whether what stands in front of a decision names what it is about: "LR-311 (Paulina Ferreira) is approved"."""
    return len(group) == 1 and LONE_ID.fullmatch(group[0].text) is not None


def _goes_on(part: _Part, group: Sequence[_Part]) -> bool:
    """Whether a part names more of what the part before it is about."""
    if any(pattern.search(part.text) is not None for pattern in (NEGATING, _WITHHOLDING, REPORT, _DOCUMENT)):
        return False
    if _APPOSITION.search(part.text) is not None:
        return True
    words = _list_words(part.text)
    stems = frozenset(split_name(words[0])) if words else frozenset[str]()
    if not words or words[0] in QUESTION_WORDS or not (LOOKING_UP.isdisjoint(stems) and KNOWN_VERBS.isdisjoint(stems)):
        return False
    if REMARKING.search(part.text) is not None:
        return False
    # "I approve LR-311, LR-312 on Monday" leaves the second one for Monday.
    sorts = {match[1].lower() for other in group for match in _ID.finditer(other.text)}
    is_other = any(match[1].lower() in sorts for match in _ID.finditer(part.text))
    return not is_other or len(words) == 1 or not group[0].decision


def _close_group(group: Sequence[_Part], *, is_undecided: bool) -> Iterator[tuple[str, str]]:
    decision = next((part.decision for part in group if part.decision), "")
    text = " ".join(part.text for part in group)
    if not decision:
        decision = _find_withheld(text)
    elif is_undecided or _WITHHOLDING.search(text) is not None:
        decision = WITHHELD
    if decision:
        yield from ((decision, word) for word in _list_words(text))


def _find_withheld(text: str) -> str:
    """Return what a text that decides nothing says of what it names: that it is not to be, or later."""
    is_denied = NEGATING.search(text) is not None
    if TAKEN_BACK.search(text) is not None and _ID.search(text) is not None:
        return RETRACTED
    if is_denied and _DECIDING_WORD.search(text) is not None:
        return RETRACTED
    is_withheld = is_denied or _WITHHOLDING.search(text) is not None
    return WITHHELD if is_withheld and _ID.search(text) is not None else ""


def _list_words(text: str) -> list[str]:
    return [word.strip(_SIGNS) for word in islice(_iterate_words(text), _MAX_WORDS)]


def _iterate_words(text: str) -> Iterable[str]:
    for word in extract_tokens(text):
        yield word
        if word.endswith(("'s", "’s")):
            yield word[:-2]
