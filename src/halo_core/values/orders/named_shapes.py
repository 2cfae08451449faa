"""Which values of each shape a text of the user names, and whether it leaves one to what is read.

    find_named_shapes("Move it to 11:40, and see what mail 3 says")   # ("shape", "time"), ("shaped", "time 11:40"), ...

`shapes` says which shapes there are. One of them is called "mark": a mark as at school ("a B"). The marks that a text
leaves in the session are `Form`s of a domain and a text:

    shaped         "time 11:40"     # a value, wherever it stands
    shape          "time"           # an order or a statement has a value of this shape: the user *names* it
    shape_count    "path 2"         # they have at least two different ones
    shape_of       "quoted set"     # a sentence with this verb has one; the verb as a stem
    shape_beside   "time s-871"     # this word or stem stands beside a value of this shape, or in front of it
    shape_left     ""               # an order leaves a value to what is read
    shape_relative "time"           # the text says by how much, or relative to what, so a value may be computed
    shape_less     "time book"      # an order with this verb has no value of this shape; "time -": one with any verb
    shape          "account"        # the user speaks of a bank account, but of none in a mail or a page
    shape_relative "account"        # the user speaks of a bank account in a mail or a page

A time on a twelve-hour clock without "am" or "pm" has two values, since 11:40 may be 23:40.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.lexicon import stem_all
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.quoted_orders import drop_quoted
from halo_core.values.language.text import split_name
from halo_core.values.language.unordered_statements import OTHERS_WISH, TRANSCRIPT
from halo_core.values.orders.shapes import (
    DATE,
    HOUR,
    ID,
    MARK,
    NUMBER,
    PATH,
    QUOTED,
    TIME,
    Shaped,
    find_quotations,
    list_shaped,
)
from halo_core.values.orders.stated_decisions import LEAD, NEGATING, SHOWN, drop_lead
from halo_core.values.requests.unlisted_orders import (
    CLEAR_VERBS,
    KNOWN_VERBS,
    LIGHT_VERBS,
    LOOKING_UP,
    POSSESSIVE,
    QUESTION_WORDS,
    SENTENCE,
    VAGUE_VERBS,
)
from halo_core.values.sketches.sketch import extract_tokens

VALUE: Final = "shaped"
NAMED: Final = "shape"
COUNT: Final = "shape_count"
VERB: Final = "shape_of"
BESIDE: Final = "shape_beside"
LEFT: Final = Form("shape_left", "")
LESS: Final = "shape_less"
RELATIVE: Final = "shape_relative"
ACCOUNT_NAMED: Final = Form(NAMED, "account")
ACCOUNT_READ: Final = Form(RELATIVE, "account")
ANY_VERB: Final = "-"
"""Stands for the verb of any order."""
MAX_COUNT: Final = 4
_MAX_CHARS: Final = 2_048  # of a text; a longer one is a document
_MAX_SENTENCES: Final = 32
_MAX_PARTS: Final = 16  # of a sentence
_MAX_VALUES: Final = 96
_MIN_FURTHER: Final = 3  # words
_MAX_BESIDE: Final = 24  # words
MIN_BESIDE: Final = 4  # letters of a word that may name something
_PART: Final = compile_later(
    r"(,(?= |$)|;|:(?= )| [-–—]+ |\b(?:and|but|then|while|whereas|afterwards|n)\b)", re.IGNORECASE
)
_FIRST_OF_LIST: Final = compile_later(r"(?m:^[ \t]*|\s)\(?1[.)]\s")
_LIST_NUMBER: Final = compile_later(r"(?m:^[ \t]*\(?[0-9]{1,2}[.)](?=\s))|(?<=\s)\(?[1-9]\)(?=\s)(?!\s*$)")
_HAVING_LOOK: Final = CaselessPattern(
    r"^\W*(?:and |then |please |pls |also ){0,3}(?:have|take|get) (?:a|another) (?:\w+ )?(?:look|glance|peek|read)\b"
)
_LOOK: Final = CaselessPattern(
    r"\b(?:look|check|read|see|glance|peek|skim|compare|find out|let me know|tell me|summary|overview"
    r"|i['’]d like to know|i want to know|curious|wonder(?:ing)?)\b"
)
_SMALL_NUMBERS: Final = {
    word: str(number)
    for number, word in enumerate("two three four five six seven eight nine ten eleven twelve".split(), start=2)
}
_SMALL_NUMBER: Final = compile_later(rf"\b(?:{'|'.join(_SMALL_NUMBERS)})\b", re.IGNORECASE)
_IN_PLACE_OF: Final = CaselessPattern(
    r"\b(?:instead of|rather than|in place of|not) (?:the |an? )?(?:\S*[0-9]\S*|[a-f][+-]?(?![\w'’])|\"[^\"]*\")"
)
"""The value that another one replaces: "instead of 45" in "39 instead of 45"."""
_TELLING: Final = stem_all(
    "tell inform notify answer reply ask mail email text message sms dm say explain quote mention write note log jot"
    " append summarise summarize report post ping call ring"
)
"""Verbs of orders to say or note something. Their values are not named, since they only stand in the agent's text."""
_PLACING: Final = stem_all("write note log jot append post report")
"""Verbs of orders to write something down, whose place the user may name."""
_TOLD: Final = CaselessPattern(r"\b(?:that|about|how|why)\b|\bto (?:her|him|them|us|everybody|all)\b")
_NAMING_LOOKUPS: Final = stem_all(
    "give open draft prepare remind track rank sort rewrite good status latest info details news number data history"
)
"""Stems of the lists of lookups and of telling that may also order something, or are nouns."""
_ORDER_VERBS: Final = (
    KNOWN_VERBS
    | LIGHT_VERBS
    | VAGUE_VERBS
    | stem_all(
        "set put move shift postpone reschedule rename tag label extend swap switch rotate pin roll push pull bump drop"
        " mark turn run book reserve enter change update correct adjust match fill record register schedule plan store"
        " save make note insert log file place store raise lower increase decrease replace convert duplicate copy"
        " import sync"
    )
) - stem_all("status latest info details news number data history good")
_SAID: Final = CaselessPattern(
    r"\b(?:says|said|saying|writes|wrote|claims|claimed|told|tells|thinks|thought|according|heard|apparently|supposedly"
    r"|allegedly|asks|asked|proposes|proposed|suggests|suggested|recommends|mentions|states|lists|shows|quotes|maybe"
    r"|perhaps|probably|might|wonder|for example|e\.g|no longer|used to|was|were|had)\b|\b(?:doesnt|dont|isnt|wont"
    r"|cant)\b"
)
_ORDERED: Final = CaselessPattern(
    r"\b(?:should|must|shall|has to|have to|needs?|is to|are to|belongs?|goes|gets?|i want|i need|i['’]d like"
    r"|we want)\b"
)
_STATED: Final = CaselessPattern(
    r"\b(?:is|are|am|was|were|be|been|has|have|had|does|do|did|will|would|may (?:be|have|not|also)|might|can|came|comes"
    r"|theres|wrote|lies|lie|sits|hangs|contains|sent|lives?|says?|asks?|means?|costs?|adds?|seems?|looks?)\b|['’](?:s"
    r"|re|ve|ll|d) |(?<![\w-])(?!need)[a-z]{2,}ed\b"
)
_SOURCE: Final = (
    r"(?:e-?mails?|mails?|messages?|pages?|web ?sites?|sites?|posts?|letters?|forms?|tickets?|notes?|docs?|documents?"
    r"|files?|attachments?|invoices?|bills?|reviews?|threads?|chats?|transcripts?|voice ?mails?|portal|links?|lists?"
    r"|sheets?|tables?|logs?|reports?|cards?|minutes|issues?|comments?|feeds?|notices?|uploads?|answers?|replies|reply"
    r"|quotes?|offers?|flyers?|requests?|invitations?|confirmations?|agenda|texts?|pdfs?|scans?|faxe?s?|orders?|memos?"
    r"|articles?|calendar|schedules?)"
)
_OWN: Final = (
    r"(?:(?:the|that|this|those|these|my|our|his|her|its|their|each|every|all|a|an|any) )?(?:(?!your?\b)[\w-]+ )?"
)
_GIVEN_SOURCE: Final = (
    r"(?:(?:the|that|this|those|these|my|our|his|her|its|their|each|every|all|a|an|any"
    r"|[a-z]+['’]s) (?:(?!your?\b)[\w-]+ )?"
    rf"{_SOURCE}\b|{_SOURCE} ?(?:no\.? ?|nr\.? ?|number |#)?[0-9])"
)
_LEAVING: Final = CaselessPattern(
    rf"\b(?:from|of|in|per|by|as|like|on|with|to|using|following|see|under|at)(?: in)? {_GIVEN_SOURCE}(?!\.|/)"
    rf"|\b(?:from|per|following) {_SOURCE}\b|\bhow (?:many|much|long|often)\b"
    rf"|\b(?:that|which|what|whatever|where|wherever|when|whenever|as|how|however|who|whom|whoever) (?:is|was|are"
    rf"|were|he|she|it"
    rf"|they|you|{_OWN}{_SOURCE}|[a-z]+ (?:says?|asks?|wants?|names?|gives?|proposes?|suggests?|mentions?|writes?"
    rf"|sent|wrote|asked"
    rf"|gave|named|needs?|requests?|requested))\b"
    rf"|\b{_SOURCE}['’]s?\b|\b[\w.]+\.[\w.]+['’]s\b"
    r"|\b(?:whatever|wherever|whichever|whoever|accordingly|according|based on|as per|therein|from (?:there|it|them"
    r"|that|this|him|her)|says|asks|asked|wants|requests|requested|proposes|proposed|suggests|suggested|mentions"
    r"|mentioned|named|names|describes?|described|recommends?|recommended|offers?|offered|announced?|announces|provided"
    r"|stated|listed|specified|refers?|points? (?:to|at)|linked|related|duplicates|others|(?:in|of) (?:it|them|there)"
    r"|attached|enclosed|required|needed|missing|relevant|matching|corresponding|appropriate|suitable|right|correct"
    r"|instructions?|details?|steps|tasks?|everything|anything|the (?:rest|others?|remaining)|next (?:free|available)"
    r"|earliest|first (?:free|available)|any|same|both|all)\b|\bhttps?://|\bwww\."
)
"""What is entered stands in something that is read, or somebody else chooses it."""
_BANK: Final = (
    r"\b(?:bank (?:details|data|account|connection)|account (?:details|number|data)|ibans?|payment details|our account"
    r"|wire details)\b"
)
_SAYS_BANK: Final = CaselessPattern(_BANK)
_BANK_OF_SOURCE: Final = CaselessPattern(
    rf"{_BANK}[^.!?;\n]*\b(?:from|of|in|as|per|by|that|which|on) {_OWN}{_SOURCE}\b|\b{_SOURCE}['’]s [^.!?;\n]*{_BANK}"
)
_SAYING_VERB: Final = (
    r"(?:gives?|says?|wants?|names?|asks?(?: for)?|proposes?|suggests?|mentions?|writes?|needs?|charges?|offers?"
    r"|states?"
    r"|has|have|gave|said|sent|wrote|named|wanted|asked|proposed|suggested)"
)
_AS_SOURCE_SAYS: Final = CaselessPattern(
    rf"\b(?:as|what|whatever|where|which|the way|how|ones?|address|time|date|day|price|value|number|mark|name|place"
    rf"|slot)"
    rf" (?:that |which )?(?:{_OWN}{_SOURCE}(?: ?#?[0-9]+)?|he|she|it|they|(?:(?:the|my"
    rf"|our) )?[\w'’-]+) {_SAYING_VERB}\b"
    rf"|\b{_SOURCE}(?: ?\(?#?[0-9]+\)?)? (?:has|have|contains?|gives?|names?|lists?|states?) (?:(?:the|an?|his|her"
    rf"|their|its|all"
    r"|what|which|when|where|how|another|new) ){0,2}(?:address|time|slot|date|day|price|mark|grade|amount|figure"
    r"|number|name"
    r"|version|details?|place|folder|room|values?|rest)\b"
)
"""What is to be entered is what somebody says, or what a document has: "to the one she gives"."""
_IN_BRACKETS: Final = CaselessPattern(rf"\((?:see |cf\.? |in )?{_SOURCE} ?#?[0-9]+\)")
_CONTENT_OF: Final = CaselessPattern(
    r"\b(?:summary|summaries|gist|abstract|digest|extract|translation|copy|text|contents?|points|overview|notes?"
    r"|lines?|answer"
    rf"|reply) (?:of|from|on|about|to) {_OWN}{_SOURCE}\b(?: ?#?[0-9]+)?"
)
"""A document whose words are written down, and not its values: "a summary of mail 7"."""
_AGREEING: Final = CaselessPattern(
    r"^\W*(?:(?:that['’]s |that is |sounds |looks )?(?:fine|ok|okay|agreed|deal|good|go ahead|perfect|great|yes|yep"
    r"|sure|right))\b"
)
_VALUE_IN_SOURCE: Final = CaselessPattern(
    r"\b(?:address|time|slot|date|day|price|mark|grade|amount|figure|number|name|version|detail|place|folder|room|value"
    r"|code"
    rf"|path|title|quantity|rate|limit|level|street|it|that|all|rest)s?\b.{{0,40}}\b(?:is|are|stands?|comes?|found"
    rf"|named|given) "
    rf"(?:in|on|from|with|below|attached) {_OWN}{_SOURCE}\b"
)
"""A value that is to be entered stands in something that is read: "her new address is in mail 7"."""
_ADDRESS: Final = compile_later(r"(?<!\S)(?!https?://|www\.)(?:\S*[@/]\S*|[\w-]+\.[\w.-]*\w)")
_VAGUE_ORDER: Final = stem_all("handle do process follow complete act work apply fill deal execute perform use")
"""Verbs of orders that leave it to what is read what is done: "handle mail 3"."""
_ASKING: Final = QUESTION_WORDS - {"have", "any", "if", "do"}
_POLITE: Final = compile_later(rf"{LEAD}(?:can|could|would|will) (?:you|we|u) ", re.IGNORECASE)
_LOOKUPS: Final = LOOKING_UP - _NAMING_LOOKUPS
_ONLY_LOOKING: Final = _LOOKUPS | (_TELLING - _NAMING_LOOKUPS)
_ORDERING_OR_PLACING: Final = _ORDER_VERBS | _PLACING
_COMPARED_VERBS: Final = CLEAR_VERBS - _VAGUE_ORDER
_DESCRIBED: Final = CaselessPattern(
    r"\bthe (?:time|date|day|price|value|place|number|address|amount|mark|grade|folder|name) (?:of|from|for|at which)\b"
)
_COURTESY: Final = compile_later(
    r"\W*(?:(?:thanks?|thank you|thx|ok|okay|yes|no|great|nice|cool|perfect|good|fine|hello|hi|hey|bye|please|pls|so|oh"
    r"|ah|right|well|done|sure|cheers|now|today|too|also|btw|by the way|that['’]s (?:it|all)|many|a lot|very|much|all"
    r"|first"
    r"|finally|next|then|again)\b\W*)+",
    re.IGNORECASE,
)
_COMPARED: Final = (TIME, DATE, NUMBER, PATH, MARK, QUOTED)
"""Shapes of which it is kept that an order has no value of them."""
_RELATING: Final = stem_all("swap exchange align mirror match merge")
"""Verbs of orders that take a value from something else."""
_HAS_SOURCE: Final = CaselessPattern(rf"\b{_SOURCE}\b")
_TAKING_THAT: Final = CaselessPattern(r"\b(?:that|it|this|these|those|them|one|so|yes|ok|okay)\b")
_CONDITION: Final = CaselessPattern(
    r"^\W*(?:and |but |or )?(?:if|unless|otherwise|in case|should|as|whatever|wherever|whenever|when)\b"
)
_RELATIVE_DAY: Final = CaselessPattern(
    r"\b(?:today|tonight|tomorrow|next|this|coming|following|week|weekend|fortnight|month|in [a-z0-9]+ days?"
    r"|days? (?:later|earlier|after|before)|end of|begin\w* of|later|earlier|postpone|every|each|daily|weekly|a day"
    r"|morgen|heute)\b"
)
_RELATIVE_TIME: Final = CaselessPattern(
    r"\b(?:hours?|hrs?|minutes?|mins?|later|earlier|before|after|noonish|utc|gmt|[ce]s?t|[ce]est|zone|local|every|each"
    r"|o['’]clock in)\b|[0-9]h\b"
)
_COMPUTED: Final = CaselessPattern(
    r"%|\b(?:percent|per cent|half|halve|double|twice|triple|plus|minus|more|less|off|per|each|every|times|total"
    r"|difference|average|mean|vat|tax|discount|rounded?|convert|extra|up by|down by|raise|lower|increase|decrease"
    r"|reduce|cut|add)\b"
)
_RELATIVE_WORDS: Final = ((DATE, _RELATIVE_DAY), (TIME, _RELATIVE_TIME), (NUMBER, _COMPUTED))
_URL: Final = compile_later(r"\W*(?:https?://|www\.)\S+\W*")
_NUMBERED_NOUN: Final = compile_later(
    r"(?:(?<![\w'’-])([^\W\d_]{2,})\.? ?(?:no\.? ?|nr\.? ?|number |#)?|\(|#|\bno\.? ?)$", re.IGNORECASE
)
_MEASURES: Final = frozenset(
    "price amount cost fee rate limit quantity qty count seats places stock temperature degrees level volume brightness"
    " weight height width length hours days minutes score points grade mark discount budget total value speed power"
    " pressure humidity size balance rent salary wage deposit threshold setpoint dose capacity number priority"
    " rating".split()
)
_FUNCTION_WORDS: Final = frozenset(
    "to at is be by for with from of about on in and or but now only just until than as was are it that this set make"
    " put get has have costs cost charges charge enter take give gives gets goes becomes become reads read says then so"
    " exactly all over under above below another additional a an the us me him her them please around roughly still"
    " again need needs want wants sell buy".split()
)
_MARK_LEAD: Final = compile_later(
    r"(?:\b(?:an?|to|is|be|read|reads|with|got|gets?|grade|mark|marks?|class|rating|rated|band|as|of|enter|give[sn]?"
    r"|him|her|them"
    r"|gave|becomes?|from|deserves?|earned)|[:=>,]|['’]s(?: an?)?|-)\s?[\"'“„]?$",
    re.IGNORECASE,
)


class _Part(NamedTuple):
    """A part of a sentence that asks nothing, between commas or words such as "and".

    Args:
        text: the part.
        stems: the stems of its first word.
        items: the values that it names for what is to be stored.
        is_looking: it only wants to know, to note or to tell something.
        is_fragment: it has no verb of its own.
        is_further: it is a fragment of some length behind a word such as "and", so it is about one more thing.
        may_order: it orders something, sets a condition, or has no verb of a statement and is more than a URL.
    """

    text: str
    stems: frozenset[str]
    items: list[Shaped]
    is_looking: bool
    is_fragment: bool
    is_further: bool
    may_order: bool


def find_named_shapes(text: str) -> Iterator[Form]:
    """Find the marks of the values in a text of the user: what it names, by shape, and what it leaves open.

    Args:
        text: of the user, without what it forbids, its numbers in digits.
    """
    if len(text) > _MAX_CHARS:
        yield LEFT
        return
    if _FIRST_OF_LIST.search(text) is not None:
        text = _LIST_NUMBER.sub("\n", text)
    text = _SMALL_NUMBER.sub(lambda match: _SMALL_NUMBERS[match[0].lower()], text)
    yield from _find_of_whole_text(text)
    values: dict[str, set[str]] = {}
    orders = False
    for sentence in islice(SENTENCE.findall(SHOWN.sub(" ", TRANSCRIPT.sub(" ", drop_quoted(text)))), _MAX_SENTENCES):
        for unit in _split_sentence(sentence.strip()):
            for part in unit:
                for item in part.items:
                    values.setdefault(item.shape, set()).add(item.value)
            yield from _find_named(unit)
            yield from _find_left(unit, after_value=bool(values))
            orders = orders or any(not part.is_looking and _COURTESY.fullmatch(part.text) is None for part in unit)
    if orders and all(shape.startswith(ID) for shape in values):
        if _AGREEING.match(text) is not None:
            yield LEFT  # to what was said before
        yield from (make_form((LESS, f"{shape} {ANY_VERB}")) for shape in _COMPARED)
    for shape, found in values.items():
        yield from (make_form((COUNT, f"{shape} {n}")) for n in range(2, min(len(found), MAX_COUNT) + 1))


def _find_of_whole_text(text: str) -> Iterator[Form]:
    """Find the marks that need no sentences: all values, what may be computed, and bank accounts."""
    for item in (*list_shaped(text)[:_MAX_VALUES], *find_quotations(text)):
        if item.shape != MARK or _leads_to_mark(text[: item.start]):
            yield make_form((VALUE, f"{TIME if item.shape == HOUR else item.shape} {item.value}"))
    for shape, pattern in _RELATIVE_WORDS:
        if pattern.search(text) is not None:
            yield make_form((RELATIVE, shape))
    if _SAYS_BANK.search(text) is not None:
        yield ACCOUNT_READ if _BANK_OF_SOURCE.search(text) is not None else ACCOUNT_NAMED


def _split_sentence(sentence: str) -> Iterator[list[_Part]]:
    """Split a sentence into units. A unit is an order or a statement, with the fragments around it."""
    unit: list[_Part] = []
    is_looking = False
    pieces = _PART.split(sentence)[: 2 * _MAX_PARTS]
    for sign, text in zip(["", *pieces[1::2]], map(str.strip, pieces[::2]), strict=False):
        if not text:
            continue
        stems = _find_first_stems(text)
        orders = _orders(text, stems)
        is_fragment = not (orders or _states(text))  # no verb of its own: it goes on with the part before it
        if unit and not is_fragment and not all(part.is_fragment for part in unit):
            yield unit
            unit = []
        if _is_question(text, sentence):
            is_looking = True
            continue
        is_looking = _looks_up(text, stems) or (is_looking and is_fragment)
        is_further = is_fragment and sign.isalpha() and len(text.split()) >= _MIN_FURTHER
        may_order = orders or (is_fragment and _URL.fullmatch(text) is None)
        unit.append(_Part(text, stems, _list_named(text, stems), is_looking, is_fragment, is_further, may_order))
    if unit:
        yield unit


def _find_named(unit: Sequence[_Part]) -> Iterator[Form]:
    """Find the marks of the values that a unit names: their shapes, its verbs, and the words beside them."""
    stems = sorted(frozenset().union(*(part.stems for part in unit if not part.is_fragment)))
    words: list[str] = []  # since the last part with a value
    for part in unit:
        words += _list_beside(part.text)
        for shape in dict.fromkeys(item.shape for item in part.items):
            yield make_form((NAMED, shape))
            yield from (make_form((VERB, f"{shape} {stem}")) for stem in stems)
            yield from (make_form((BESIDE, f"{shape} {word}")) for word in words)
        words = [] if part.items else words


def _list_beside(sentence: str) -> list[str]:
    """List the words of a sentence that may name what a value is for, ids and longer words, and their stems."""
    words = [
        word
        for word in islice(extract_tokens(sentence), _MAX_BESIDE)
        if len(word) >= MIN_BESIDE or any(map(str.isdigit, word))
    ]
    return list(dict.fromkeys([*words, *(stem for word in words if word.isalpha() for stem in split_name(word))]))


def _is_question(part: str, sentence: str) -> bool:
    """Whether a part asks something. "Can you set it to 39?" does not; nor does an order before a question."""
    first = next(iter(extract_tokens(part)), "").replace("’", "'")
    word = first.partition("'")[0]
    is_relative = word in ("which", "who", "whose") and not sentence.startswith(part) and not sentence.endswith("?")
    if word in _ASKING and not is_relative:
        return True
    if not sentence.rstrip().endswith("?"):
        return False
    is_last = sentence.rstrip().endswith(part.rstrip())
    is_polite = _POLITE.match(part) is not None
    return first == "do" or (is_last and not is_polite and (_find_first_stems(part) & KNOWN_VERBS) <= LOOKING_UP)


def _leads_to_mark(before: str) -> bool:
    """Whether a letter behind these words is a mark: "a B", "it should read B", "maths: B"."""
    return _MARK_LEAD.search(before.rstrip(" ") + " ") is not None


def _find_first_stems(part: str) -> frozenset[str]:
    """Return the stems of the first word of a part, behind words such as "please"."""
    first = next(iter(extract_tokens(drop_lead(part))), "")
    return frozenset(split_name(first)) if first.replace("-", "").isalpha() else frozenset()


def _looks_up(part: str, stems: frozenset[str]) -> bool:
    """Whether a part only wants to know, to note or to tell something."""
    if not stems.isdisjoint(_VAGUE_ORDER):
        return False
    if _HAVING_LOOK.match(part) is not None:
        return True
    if not stems.isdisjoint(_ONLY_LOOKING):
        return True
    return not _begins_with_order(stems) and _LOOK.search(part) is not None


def _begins_with_order(stems: frozenset[str]) -> bool:
    return not (stems.isdisjoint(_ORDER_VERBS) and stems.isdisjoint(_VAGUE_ORDER))


def _states(part: str) -> bool:
    """Whether a part has a verb by which it says something."""
    return _STATED.search(POSSESSIVE.sub("", part)) is not None


def _orders(part: str, stems: frozenset[str]) -> bool:
    """Whether a part orders something or sets a condition, by its words."""
    if _begins_with_order(stems) or _CONDITION.search(part) is not None:
        return True
    return _ORDERED.search(part) is not None


def _list_named(part: str, stems: frozenset[str]) -> list[Shaped]:
    """List the values that a part of a sentence names for what is to be stored."""
    if not stems.isdisjoint(_LOOKUPS):
        return []
    rest = _IN_PLACE_OF.of_any_text.sub(lambda match: " " * len(match[0]), part)
    if any(pattern.search(rest) is not None for pattern in (_SAID, NEGATING, OTHERS_WISH)):
        return []
    items = list_shaped(rest)
    if not stems.isdisjoint(_TELLING) and (stems.isdisjoint(_PLACING) or _TOLD.search(rest) is not None):
        return [item for item in items if item.shape == PATH and not stems.isdisjoint(_PLACING)]
    found = [
        item._replace(shape=TIME) if item.shape == HOUR else item
        for item in items
        if (item.shape != HOUR or not rest[item.start :].lower().startswith("to")) and _is_named(rest, item)
    ]
    return found + list(find_quotations(rest))


def _is_named(part: str, item: Shaped) -> bool:
    """Whether a number, mark or path is a value that the user gives, and not the number of a mail or what is read."""
    before = part[: item.start].rstrip()
    if item.shape == MARK:
        return not before or _leads_to_mark(part[: item.start])
    if item.shape == NUMBER:
        match = _NUMBERED_NOUN.search(before)
        if match is None:
            return True
        word = (match[1] or "").lower()
        if _HAS_SOURCE.search(word) is not None:
            return False
        return word in _MEASURES or word in _FUNCTION_WORDS or not stem_all(word).isdisjoint(_ORDERING_OR_PLACING)
    return True


def _find_left(unit: Sequence[_Part], *, after_value: bool) -> Iterator[Form]:
    """Find the mark `LEFT` if a unit leaves a value to what is read; else a mark of each shape that it does not name.

    Args:
        unit: the parts of one order or statement.
        after_value: this unit or one before it names a value, which "that" may mean.
    """
    shapes = {item.shape for part in unit for item in part.items}
    has_value = False
    for part in unit:
        has_value = has_value or bool(part.items)
        if _leaves_value(part, after_value=after_value):
            yield LEFT
            return
        if part.is_looking or _COURTESY.fullmatch(part.text) is not None or not part.may_order:
            continue
        if after_value and _TAKING_THAT.search(part.text) is not None:
            continue
        verbs = part.stems & _COMPARED_VERBS
        if part.is_fragment:
            missing = list(_COMPARED) if has_value and part.is_further and not part.items else []
        else:
            missing = [shape for shape in _COMPARED if shape not in shapes]
        yield from (make_form((LESS, f"{shape} {stem}")) for shape in missing for stem in sorted({*verbs, ANY_VERB}))


def _leaves_value(part: _Part, *, after_value: bool) -> bool:
    """Whether a part leaves a value to what is read."""
    words = _ADDRESS.sub(" x ", part.text)
    items = [item for item in part.items if not item.shape.startswith(ID)]
    if any(item.shape == PATH for item in items):
        words = _CONTENT_OF.of_any_text.sub(" ", words)
    points_back = not after_value and _TAKING_THAT.search(words) is not None
    if _VALUE_IN_SOURCE.search(part.text) is not None:
        return True
    if not part.is_looking and _AS_SOURCE_SAYS.search(words) is not None:
        return True
    if part.is_looking:
        return points_back and not part.stems.isdisjoint(_PLACING) and _TOLD.search(words) is None
    if not part.may_order:
        return False
    return (
        _LEAVING.search(words) is not None
        or (not items and (_DESCRIBED.search(words) is not None or _IN_BRACKETS.search(words) is not None))
        or not part.stems.isdisjoint(_RELATING)
        or (not part.stems.isdisjoint(_VAGUE_ORDER) and _HAS_SOURCE.search(words) is not None)
        or (points_back and _begins_with_order(part.stems))
    )
