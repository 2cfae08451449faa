"""What a text of the user says is to be removed, or sent to somebody, in whatever words.

    find_stated_acts("C-1019 stays, C-1184 is the duplicate and should go")   # "removed c-1184", "kept c-1019"
    find_stated_acts("Dates and pick-up place to Arne Solheim by mail")       # "told arne", "told solheim"

A question, a report, a condition and a doubt state nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, islice
from typing import Final

from halo_core.values.caseless import CaselessPattern
from halo_core.values.kinds import Form, make_form
from halo_core.values.lexicon import STOP_WORDS, stem_all
from halo_core.values.patterns import compile_later
from halo_core.values.quoted_orders import drop_quoted
from halo_core.values.sketch import extract_tokens
from halo_core.values.stated_decisions import (
    ASKING_YOU,
    CONDITION,
    LEAD,
    LONE_ID,
    NEGATING,
    REPORT,
    SHOWN,
    find_taken_back,
)
from halo_core.values.text import split_name
from halo_core.values.unlisted_orders import KNOWN_VERBS, LOOKING_UP, QUESTION_WORDS, SENTENCE

REMOVED: Final = "stated_removed"
"""Domain of an id that the user says is to go; with the noun in front, if it is not the id itself that goes."""
KEPT: Final = "stated_kept"
"""Domain of an id that the user says stays, or about which he says `not`, `later` and the like."""
TOLD: Final = "stated_told"
"""Domain of a word or an address that says to whom a message goes."""
TOLD_BOTH: Final = "stated_told_both"
"""Domain of two words of one such statement."""
SET: Final = "stated_set"
"""Domain of what the user sets, and to what: "status.corp.example to 198.51.100.24"."""
_MAX_CHARS: Final = 2_048  # of a text; a longer one is a document
_MAX_SENTENCES: Final = 32
_MAX_PARTS: Final = 16  # of a sentence
_MAX_PART: Final = 240  # characters
_MAX_WORDS: Final = 12
_MAX_NOUN_PLACE: Final = 4  # words in front of an id
_PART: Final = compile_later(
    r"(?i:[,;(]|\s[-–—]+\s|\b(?:and|but|then|while|whereas)\b(?! (?:should|can|must|has|needs)\b))"
)
_ENDING: Final = r"(?: (?:please|pls|plz|now|today|too|as well|for good|thanks|thx|asap))*\W*$"
_GO: Final = (
    r"(?:can|should|must|may|has to|have to|needs? to|is to|are to|ought to)"
    r" (?:now |also |finally |please |both |all )?"
    r"(?:go|disappear|vanish|die|be (?:gone|deleted|removed|scrapped|binned|erased|destroyed|dropped|purged|wiped))"
)
_REMOVING: Final = (
    CaselessPattern(
        rf"{LEAD}{ASKING_YOU}(?:scrap|ditch|dump|chuck|toss|trash|bin|junk|nuke|zap|axe|kill|shred|nix|get rid of"
        rf"|throw (?:out|away)|out with|away with|off with|do away with|lose|delete|remove|erase|destroy)"
        rf" (\S.*?){_ENDING}"
    ),
    CaselessPattern(
        rf"{LEAD}(\S.*?)(?: (?:is|are) (?:an? |the |only |just |my |our )?[\w-]+(?: [\w-]+)?,?"
        rf"(?: (?:and|so))?)? {_GO}{_ENDING}"
    ),
    CaselessPattern(rf"{LEAD}(?:throw|chuck|toss|take|get) (\S.*?) (?:out|away|off)(?: of here)?{_ENDING}"),
)
"""Ways to say in a part of a sentence that something is removed."""
_IT: Final = CaselessPattern(
    rf"{LEAD}(?:scrap|ditch|dump|chuck|toss|trash|bin|junk|nuke|zap|axe|kill|shred|nix|delete|remove|erase|destroy)"
    rf" (?:it|that one){_ENDING}"
    rf"|{LEAD}(?:get rid of (?:it|that one)|(?:out|away|off) with it|throw it (?:out|away)){_ENDING}"
)
_WHICH: Final = CaselessPattern(
    r"^\W*(?:the |our |my )?(?:[\w-]+ ){0,2}?([a-z][\w-]*[0-9][\w-]*)(?![\w'’-])(?! (?:for|of|and|to)\b)"
    r"|(?: is|:| =) ([a-z][\w-]*[0-9][\w-]*)\W*$"
)
"""A part that names what "it" means in the part behind it: "the duplicate is C-1184, bin it"."""
_POSSESSING: Final = compile_later(r"[0-9]['’]s\b")
_SINCE: Final = compile_later(r"(?i: (?:from |older than |up to )*before (?:20[0-9]{2})\b)")
"""The extent of what goes: "from before 2023"."""
_HOLDING: Final = CaselessPattern(
    r"\b(?:if|unless|until|till|provided|assuming|as long as|when|once|as soon as|after(?!wards)|wait|hold|stop|yet"
    r"|later|tomorrow|maybe|perhaps|not|never|no|keep|except|instead|or|only (?:with|for (?:him|her|them))|undecided"
    r"|should i|shall i|says?|said|writes|wrote|asks|wants|suggests|according|acc)\b|n['’]t\b|\?"
)
"""Words of the rest of a sentence by which it may hold back what it says."""
_KEEPING: Final = CaselessPattern(
    r"\b(?:keep|keeps|kept|stay|stays|remain|remains|leave|not|never|without|except|hold|wait|later|still needed"
    r"|instead of|rather than|but not)\b|n['’]t\b"
)
_OF: Final = frozenset(
    "of about for from in on with to at against by like than as into onto regarding concerning under behind before"
    " after instead".split()
)
_LIGHT: Final = frozenset("the a an my our your this that old both all draft-".split())
_MESSAGE: Final = (
    r"(?:e-?mail|mail|copy|copies|note|message|sms|text|invite|invitation|reminder|letter|postcard|dm|heads-up|ping)"
)
_CHANNEL: Final = (
    r"(?:by|via|per|as an?|in an?) (?:e-?mail|mail|sms|text(?: message)?|post|chat|message|dm|letter|slack|teams)"
)
_WHOM: Final = r"(\S.{1,120}?)"
_TELLING: Final = (
    CaselessPattern(rf"{LEAD}(?:[-*•] ?)?(\S.{{0,80}}?) (?:to|for) {_WHOM},? {_CHANNEL}{_ENDING}"),
    CaselessPattern(rf"{LEAD}(?:[-*•] ?)?(\S.{{0,80}}?),? {_CHANNEL} (?:to|for) {_WHOM}{_ENDING}"),
    CaselessPattern(rf"{LEAD}(?:[-*•] ?)?((?:[\w-]+ ){{0,3}}?{_MESSAGE}) (?:to|for) {_WHOM}{_ENDING}"),
    CaselessPattern(
        rf"{LEAD}(?:[-*•] ?)?((?:[\w-]+ ){{0,3}}?{_MESSAGE}) (?:[\w-]+ ){{1,4}}?(?:to|for) {_WHOM}{_ENDING}"
    ),
)
"""Ways to say without a verb that somebody gets a message."""
_SETTING_PART: Final = compile_later(r"(?i:[;,]|\s[-–—]+\s|\b(?:and|then|but)\b)")
_MESSAGE_PART: Final = compile_later(
    r"((?i:;|, (?:and )?then\b|, (?!too\b)|\s[-–—]+\s|,? (?:and then|then|but|while|whereas)\b))"
)
_ADDRESS: Final = compile_later(r"\S+@\S+|\w+://\S+|\w[\w-]*(?:\.[\w-]+)+")
_EXISTING: Final = CaselessPattern(
    r"^\W*(?:the|this|that|my|his|her|their|last|latest|old|previous|your|no|which|every|any|all)\b"
)
"""The beginning of a phrase for a message that is already there."""
_SAYING: Final = CaselessPattern(
    r"\b(?:is|are|was|were|be|been|has|have|had|says?|said|wants?|asks?|asked|went|goes|came|comes|got|gets|can|could"
    r"|will|would|should|must|may|might|does|did|do|sent|wrote|bounced|missing|from|about whom|who|which"
    r"|that)\b|['’](?:s|re|ve|ll|d) "
)
"""Words of a phrase that is no order: it says something of the message, or tells where it is from."""
_PERSON_END: Final = CaselessPattern(
    r"^(.*?)(?::|$| (?:about|for|with|that|saying|regarding|re|in case|from|and (?:tell|ask)|when|if)\b)"
)


_SETTING: Final = (
    CaselessPattern(
        rf"{LEAD}{ASKING_YOU}(?:set|change|switch|update|point|repoint|redirect|make|put|let)"
        rf" (?:the |our |my )?(\S.{{0,80}}?) (?:point )?(?:to|at|=|->|=>) (\S.{{0,80}}?){_ENDING}"
    ),
    CaselessPattern(
        rf"{LEAD}(\S{{1,80}}) (?:should|must|has to|is to|needs to) (?:now )?(?:be|point to|go to|resolve to)"
        rf" (\S{{1,80}}){_ENDING}"
    ),
    CaselessPattern(rf"{LEAD}(?:\w+: )?(\S{{1,80}}) ?(?:->|=>|→) ?(\S{{1,80}}){_ENDING}"),
)
"""Ways to say that something gets a value."""
_FROM: Final = frozenset("from instead like".split())
_AS_SAID: Final = compile_later(
    r"(?i:[\s,–—-]{1,4}(?:just )?(?:as|like) (?:i|we) (?:said|told you|asked|wrote|decided)\b)"
)


def find_stated_acts(text: str, whole: str) -> Iterator[Form]:
    """Find what a user says is to be removed or sent, and what he says stays.

    Args:
        text: of the user, without what it forbids.
        whole: the same text with it.
    """
    if len(whole) > _MAX_CHARS:
        return
    yield from _find_kept(whole)
    found: list[list[Form]] = []
    for sentence in islice(SENTENCE.findall(SHOWN.sub(" ", drop_quoted(text))), _MAX_SENTENCES):
        if found and find_taken_back(sentence):
            found[-1] = []
        found.append(list(_read_sentence(sentence.strip())))
    yield from dict.fromkeys(form for forms in found for form in forms)


def _read_sentence(sentence: str) -> Iterator[Form]:
    if sentence.endswith("?") and not sentence.lower().startswith(("can you", "could you")):
        return
    yield from _find_removed(sentence.rstrip("?"))
    yield from _find_told(sentence)
    yield from _find_set(_AS_SAID.sub("", sentence))


def _find_kept(text: str) -> Iterator[Form]:
    for sentence in islice(SENTENCE.findall(text), _MAX_SENTENCES):
        for part in islice(_PART.split(sentence), _MAX_PARTS):
            if _KEEPING.search(part) is not None:
                yield from (
                    make_form((KEPT, word)) for word in islice(extract_tokens(part), _MAX_WORDS) if _is_id(word)
                )


def _find_removed(sentence: str) -> Iterator[Form]:
    """Find the ids that a sentence says are to go, each in a part of its own or in a row of them."""
    parts = [part.strip() for part in _PART.split(sentence)[:_MAX_PARTS] if part and part.strip()]
    goes_on = False
    for place, part in enumerate(parts):
        short = _SINCE.sub("", part)
        if not goes_on and any(x.search(short) is not None for x in (REPORT, CONDITION)):
            return  # the rest may be somebody's words too, or depend on something
        if goes_on and LONE_ID.fullmatch(part) is not None:
            yield from _name_removed(part.lower())
            continue
        wanted = _find_meant(parts[place - 1]) if place and _IT.search(part) is not None else _find_object(part)
        goes_on = bool(wanted) and not any(_HOLDING.search(later) is not None for later in parts[place + 1 :])
        if goes_on:
            yield from _name_removed(wanted)


def _find_meant(before: str) -> str:
    """Return the one id that a part in front of "bin it" names, if nothing is said against it."""
    match = _WHICH.search(before)
    if (
        match is None
        or len(before) > _MAX_PART
        or any(x.search(before) is not None for x in (NEGATING, _HOLDING, _KEEPING))
    ):
        return ""
    return match[1] or match[2]


def _find_object(part: str) -> str:
    """Return what a part says is to go; nothing if it says so of nothing, denies it, or depends on something."""
    short = _SINCE.sub("", part)
    if len(part) > _MAX_PART or any(x.search(short) is not None for x in (NEGATING, CONDITION, _HOLDING)):
        return ""
    matches = [match for pattern in _REMOVING if (match := pattern.search(short)) is not None]
    if not matches:
        return ""
    wanted = matches[0][1]
    first = next(iter(extract_tokens(wanted)), "")
    is_lookup = not (LOOKING_UP - _NOUNS).isdisjoint(split_name(first))
    return "" if is_lookup or first in QUESTION_WORDS or _POSSESSING.search(wanted) is not None else wanted


def _name_removed(wanted: str) -> Iterator[Form]:
    """Name the one id that goes: alone behind its own noun ("draft D-19"), else with the noun that goes."""
    words = list(islice(extract_tokens(wanted), _MAX_WORDS))
    place = next((place for place, word in enumerate(words) if _is_id(word)), -1)
    if place < 0 or any(_is_id(word) for word in words[place + 1 :]) or place > _MAX_NOUN_PLACE + 2:
        return
    item, before, behind = words[place], words[:place], words[place + 1 :]
    if behind and behind[0] in _OF:
        behind = []
    head = next((before[i - 1] for i, word in enumerate(before) if word in _OF and i), "")
    nouns = [word for word in before if word not in _LIGHT and word not in STOP_WORDS]
    if head or len(behind) == 1:  # "the note on T-40", "the T-40 note"
        yield make_form((REMOVED, f"{behind[0] if behind else head} {item}"))
    elif not behind and _OF.isdisjoint(before) and (nouns or not item.isdecimal()):
        is_own = not nouns or (item[:1].isalpha() and nouns[-1].startswith(item[:1]))
        yield make_form((REMOVED, item if is_own else f"{nouns[-1]} {item}"))


def _is_id(word: str) -> bool:
    return any(map(str.isdigit, word)) or (
        len(word) > 2 and any(sign in word[1:-1] for sign in "/_.-") and not word.isalpha()
    )


def _find_set(sentence: str) -> Iterator[Form]:
    """Find what a part of a sentence sets to what, if both are an id or an address."""
    for part in islice(_SETTING_PART.split(sentence), _MAX_PARTS):
        plain = _ADDRESS.sub(" ", part)
        if (
            len(part) > _MAX_PART
            or REPORT.search(plain) is not None
            or CONDITION.search(sentence) is not None
            or _HOLDING.search(sentence)
        ):
            return
        match = next((match for pattern in _SETTING if (match := pattern.search(part.strip())) is not None), None)
        if match is None or NEGATING.search(part) is not None:
            continue
        what, value = list(extract_tokens(match[1])), list(extract_tokens(match[2]))
        if _FROM.intersection(what):
            continue
        if len(value) == 1 and what and _is_id(what[-1]) and _is_id(value[0]) and not any(map(_is_id, what[:-1])):
            yield make_form((SET, f"{what[-1]} to {value[0]}"))


def _find_told(sentence: str) -> Iterator[Form]:
    """Find the words for those to whom a sentence without a verb sends a message."""
    first = next(iter(extract_tokens(sentence)), "")
    is_lookup = first in QUESTION_WORDS or not (LOOKING_UP - _NOUNS_OF_MESSAGES).isdisjoint(split_name(first))
    pieces = _MESSAGE_PART.split(sentence)[: 2 * _MAX_PARTS]
    for place, part in enumerate(pieces):
        if place % 2:
            is_lookup = is_lookup and "then" not in part.lower()  # else it is one more thing to look at
            continue
        if len(part) > _MAX_PART or REPORT.search(_ADDRESS.sub(" ", part)) is not None:
            return
        if is_lookup:
            continue
        match = next((match for pattern in _TELLING if (match := pattern.search(part.strip())) is not None), None)
        if match is None or not _is_wanted(match[1], part, sentence):
            continue
        words = [word.strip("@#'’") for word in islice(extract_tokens(_drop_topic(match[2])), _MAX_WORDS)]
        words = [word for word in words if word and word not in STOP_WORDS]
        yield from (make_form((TOLD, word)) for word in words)
        yield from (make_form((TOLD_BOTH, f"{a} {b}")) for a, b in combinations(sorted(set(words)), 2))


def _drop_topic(whom: str) -> str:
    match = _PERSON_END.search(whom)
    return match[1] if match is not None else whom


def _is_wanted(what: str, part: str, sentence: str) -> bool:
    """Whether a phrase for a message is one that the user wants, and no message that is there, or a remark."""
    if any(x.search(sentence) is not None for x in (CONDITION, _HOLDING)) or NEGATING.search(part) is not None:
        return False
    first = next(iter(extract_tokens(what)), "")
    if not first or first in QUESTION_WORDS or not (_VERBS - _NOUNS_OF_MESSAGES).isdisjoint(split_name(first)):
        return False
    return _EXISTING.search(what) is None and _SAYING.search(part) is None


_NOUNS_OF_MESSAGES: Final = stem_all(
    "mail email copy note message sms text invite invitation reminder letter test dm ping summary report number data"
    " overview history details result"
)
_NOUNS: Final = _NOUNS_OF_MESSAGES | stem_all("draft list")
"""Stems of verbs that are nouns at the beginning of a statement."""
_VERBS: Final = (
    KNOWN_VERBS | LOOKING_UP | stem_all("cancel delete undelivered unsent failed unread search subject title file")
)
