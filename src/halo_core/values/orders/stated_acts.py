"""What a text of the user says is to be removed, set to a value, or sent to somebody, in whatever words.

    "C-1019 stays, C-1184 is the duplicate and should go"    # REMOVED "c-1184", KEPT "c-1019"
    "set status.corp.example to 198.51.100.24"               # SET "status.corp.example to 198.51.100.24"
    "Dates and pick-up place to Arne Solheim by mail"        # TOLD "arne", TOLD "solheim", TOLD_BOTH "arne solheim"

A question, a report, a condition and a doubt state nothing. `find_stated_acts` returns these marks, and
`stated_act_calls` compares calls with them. The text is read in sentences, and these in parts between commas, dashes
and words such as "and".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations, islice
from typing import Final

from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.lexicon import STOP_WORDS, stem_all
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.quoted_orders import drop_quoted
from halo_core.values.language.text import split_name
from halo_core.values.orders.stated_decisions import (
    ASKING_YOU,
    CONDITION,
    LEAD,
    LONE_ID,
    NEGATING,
    REPORT,
    SHOWN,
    find_taken_back,
)
from halo_core.values.requests.unlisted_orders import KNOWN_VERBS, LOOKING_UP, QUESTION_WORDS, SENTENCE
from halo_core.values.sketches.sketch import extract_tokens

REMOVED: Final = "stated_removed"
"""Domain of an id that the user wants removed: "d-19" of "bin draft D-19".

If the thing that goes is not what the id names, its noun stands in front: "reminder t-40" of "bin the T-40 reminder".
"""
KEPT: Final = "stated_kept"
"""Domain of an id that stands in one part of a sentence with "keep", "stays", "not", "later" and the like."""
TOLD: Final = "stated_told"
"""Domain of each word, or address, that says to whom a message goes."""
TOLD_BOTH: Final = "stated_told_both"
"""Domain of each pair of such words of one statement, in the order of the alphabet."""
SET: Final = "stated_set"
"""Domain of what the user sets, and of its value: "status.corp.example to 198.51.100.24"."""
_MAX_CHARS: Final = 2_048  # of a text; a longer one is a document
_MAX_SENTENCES: Final = 32
_MAX_PARTS: Final = 16  # of a sentence
_MAX_PART: Final = 240  # characters of a part
_MAX_WORDS: Final = 12  # of a part, or of the phrase for a thing or a recipient
_MAX_WORDS_BEFORE_ID: Final = 6  # of a phrase for what goes: "the log of barn sensor b-12"
_PART: Final = compile_later(
    r"(?i:[,;(]|\s[-–—]+\s|\b(?:and|but|then|while|whereas)\b(?! (?:should|can|must|has|needs)\b))"
)
"""Separates the parts of a sentence. "And should go" begins no part: it belongs to the noun in front."""
_ENDING: Final = r"(?: (?:please|pls|plz|now|today|too|as well|for good|thanks|thx|asap))*\W*$"
"""The end of a part, behind a courtesy or a time: "... now please"."""
_REMOVE: Final = r"scrap|ditch|dump|chuck|toss|trash|bin|junk|nuke|zap|axe|kill|shred|nix|delete|remove|erase|destroy"
"""Verbs by which something is removed, in one word."""
_GO: Final = (
    r"(?:can|should|must|may|has to|have to|needs? to|is to|are to|ought to)"
    r" (?:now |also |finally |please |both |all )?"
    r"(?:go|disappear|vanish|die|be (?:gone|deleted|removed|scrapped|binned|erased|destroyed|dropped|purged|wiped))"
)
"""What is said of the thing that is to be removed: "(D-19) can go", "should be deleted"."""
_REMOVING: Final = (
    CaselessPattern(
        rf"{LEAD}{ASKING_YOU}(?:{_REMOVE}|get rid of|throw (?:out|away)|out with|away with|off with|do away with|lose)"
        rf" (\S.*?){_ENDING}"
    ),
    CaselessPattern(
        rf"{LEAD}(\S.*?)(?: (?:is|are) (?:an? |the |only |just |my |our )?[\w-]+(?: [\w-]+)?,?"
        rf"(?: (?:and|so))?)? {_GO}{_ENDING}"
    ),
    CaselessPattern(rf"{LEAD}(?:throw|chuck|toss|take|get) (\S.*?) (?:out|away|off)(?: of here)?{_ENDING}"),
)
"""Ways to say in a part of a sentence that something is removed; the group is the phrase for it.

"Bin draft D-19", "C-1184 is the duplicate and should go", "throw the old D-19 out".
"""
_REMOVING_IT: Final = CaselessPattern(
    rf"{LEAD}(?:{_REMOVE}) (?:it|that one){_ENDING}"
    rf"|{LEAD}(?:get rid of (?:it|that one)|(?:out|away|off) with it|throw it (?:out|away)){_ENDING}"
)
"""The same of something that the part in front names: "bin it"."""
_MEANT_BY_IT: Final = CaselessPattern(
    r"^\W*(?:the |our |my )?(?:[\w-]+ ){0,2}?([a-z][\w-]*[0-9][\w-]*)(?![\w'’-])(?! (?:for|of|and|to)\b)"
    r"|(?: is|:| =) ([a-z][\w-]*[0-9][\w-]*)\W*$"
)
"""A part that names what "it" means in the part behind it: "the duplicate is C-1184, bin it"."""
_POSSESSING: Final = compile_later(r"[0-9]['’]s\b")
"""What belongs to the thing with an id is another thing: "kill D-19's reminder"."""
_SINCE: Final = compile_later(r"(?i: (?:from |older than |up to )*before (?:20[0-9]{2})\b)")
"""The extent of what goes, whose "before" is no condition: "the log of b-12 from before 2023 can go"."""
_HOLDING: Final = CaselessPattern(
    r"\b(?:if|unless|until|till|provided|assuming|as long as|when|once|as soon as|after(?!wards)|wait|hold|stop|yet"
    r"|later|tomorrow|maybe|perhaps|not|never|no|keep|except|instead|or|only (?:with|for (?:him|her|them))|undecided"
    r"|should i|shall i|says?|said|writes|wrote|asks|wants|suggests|according|acc)\b|n['’]t\b|\?"
)
"""Words of a sentence by which it may hold back what it says: "kill D-19, or maybe later"."""
_KEEPING: Final = CaselessPattern(
    r"\b(?:keep|keeps|kept|stay|stays|remain|remains|leave|not|never|without|except|hold|wait|later|still needed"
    r"|instead of|rather than|but not)\b|n['’]t\b"
)
"""Words of a part whose ids are not to be removed: "C-1019 stays"."""
_PREPOSITIONS: Final = frozenset(
    "of about for from in on with to at against by like than as into onto regarding concerning under behind before"
    " after instead".split()
)
_FILLERS: Final = frozenset("the a an my our your this that old both all draft-".split())
"""Words in front of an id that are no noun of a thing."""
_MESSAGE: Final = (
    r"(?:e-?mail|mail|copy|copies|note|message|sms|text|invite|invitation|reminder|letter|postcard|dm|heads-up|ping)"
)
"""What somebody gets."""
_CHANNEL: Final = (
    r"(?:by|via|per|as an?|in an?) (?:e-?mail|mail|sms|text(?: message)?|post|chat|message|dm|letter|slack|teams)"
)
"""By what way somebody gets it: "by mail"."""
_WHOM: Final = r"(\S.{1,120}?)"
"""The phrase for who gets it."""
_BULLET: Final = r"(?:[-*•] ?)?"
_TELLING: Final = (
    CaselessPattern(rf"{LEAD}{_BULLET}(\S.{{0,80}}?) (?:to|for) {_WHOM},? {_CHANNEL}{_ENDING}"),
    CaselessPattern(rf"{LEAD}{_BULLET}(\S.{{0,80}}?),? {_CHANNEL} (?:to|for) {_WHOM}{_ENDING}"),
    CaselessPattern(rf"{LEAD}{_BULLET}((?:[\w-]+ ){{0,3}}?{_MESSAGE}) (?:to|for) {_WHOM}{_ENDING}"),
    CaselessPattern(rf"{LEAD}{_BULLET}((?:[\w-]+ ){{0,3}}?{_MESSAGE}) (?:[\w-]+ ){{1,4}}?(?:to|for) {_WHOM}{_ENDING}"),
)
"""Ways to say without a verb that somebody gets a message; the groups are what is sent, and who gets it.

"The dates to Arne by mail", "the dates by mail to Arne", "intro mail to Arne", "a mail with the dates to Arne".
"""
_PART_OF_SETTING: Final = compile_later(r"(?i:[;,]|\s[-–—]+\s|\b(?:and|then|but)\b)")
"""Separates parts as `_PART` does, but not at a bracket."""
_PART_OF_MESSAGE: Final = compile_later(
    r"((?i:;|, (?:and )?then\b|, (?!too\b)|\s[-–—]+\s|,? (?:and then|then|but|while|whereas)\b))"
)
"""Separates parts, but neither at "and" nor at ", too": "mail to Jo and Kim". The group is the separator."""
_ADDRESS: Final = compile_later(r"\S+@\S+|\w+://\S+|\w[\w-]*(?:\.[\w-]+)+")
_EXISTING: Final = CaselessPattern(
    r"^\W*(?:the|this|that|my|his|her|their|last|latest|old|previous|your|no|which|every|any|all)\b"
)
"""The beginning of a phrase for a message that is already there, or for none: "the mail to Jo", "no copy to Jo"."""
_SAYING: Final = CaselessPattern(
    r"\b(?:is|are|was|were|be|been|has|have|had|says?|said|wants?|asks?|asked|went|goes|came|comes|got|gets|can|could"
    r"|will|would|should|must|may|might|does|did|do|sent|wrote|bounced|missing|from|about whom|who|which"
    r"|that)\b|['’](?:s|re|ve|ll|d) "
)
"""Words of a part that is no order, but says something of a message: "a mail to Jo bounced", "a mail from Jo"."""
_WHOM_WITHOUT_TOPIC: Final = CaselessPattern(
    r"^(.*?)(?::|$| (?:about|for|with|that|saying|regarding|re|in case|from|and (?:tell|ask)|when|if)\b)"
)
"""Who gets a message; the group is without what it is about: "Jo" of "Jo about the dates"."""
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
"""Ways to say that something gets a value; the groups are what is set, and the value.

"Set a.example to 192.0.2.1", "a.example should point to 192.0.2.1", "a.example -> 192.0.2.1".
"""
_NAMING_ANOTHER_VALUE: Final = frozenset("from instead like".split())
"""Words of a phrase for what is set that also names another value: "change a.example from 192.0.2.9 to 192.0.2.1"."""
_AS_SAID: Final = compile_later(
    r"(?i:[\s,–—-]{1,4}(?:just )?(?:as|like) (?:i|we) (?:said|told you|asked|wrote|decided)\b)"
)
"""The user repeats an order: "as I said". It would look like a report."""
_NOUNS_OF_MESSAGES: Final = stem_all(
    "mail email copy note message sms text invite invitation reminder letter test dm ping summary report number data"
    " overview history details result"
)
"""Stems of words for what is sent. Some are verbs elsewhere: "copy to Jo", "text to Jo"."""
_NOUNS: Final = _NOUNS_OF_MESSAGES | stem_all("draft list")
"""Stems of words that are nouns at the beginning of a statement, although they are verbs elsewhere."""
_VERBS: Final = (
    KNOWN_VERBS | LOOKING_UP | stem_all("cancel delete undelivered unsent failed unread search subject title file")
)
"""Stems at the beginning of a phrase that names no new message: an order with a verb of its own, or an old message."""
_LOOKUPS: Final = LOOKING_UP - _NOUNS
_LOOKUPS_BUT_MESSAGES: Final = LOOKING_UP - _NOUNS_OF_MESSAGES
_VERBS_BUT_MESSAGES: Final = _VERBS - _NOUNS_OF_MESSAGES


def find_stated_acts(text: str, whole: str) -> Iterator[Form]:
    """Find what a text of the user states: forms of the domains `REMOVED`, `KEPT`, `TOLD`, `TOLD_BOTH` and `SET`.

    Args:
        text: of the user, without what it forbids. Orders are read in it.
        whole: the same text, with what it forbids. What stays is read in it.
    """
    if len(whole) > _MAX_CHARS:
        return
    yield from _find_kept(whole)
    found: list[list[Form]] = []  # of each sentence, so that the next one can take it back
    for sentence in islice(SENTENCE.findall(SHOWN.sub(" ", drop_quoted(text))), _MAX_SENTENCES):
        if found and find_taken_back(sentence):
            found[-1] = []
        found.append(list(_read_sentence(sentence.strip())))
    yield from dict.fromkeys(form for forms in found for form in forms)


def _matches_any(text: str, *patterns: CaselessPattern) -> bool:
    return any(pattern.search(text) is not None for pattern in patterns)


def _read_sentence(sentence: str) -> Iterator[Form]:
    if sentence.endswith("?") and not sentence.lower().startswith(("can you", "could you")):
        return
    yield from _find_removed(sentence.rstrip("?"))
    yield from _find_told(sentence)
    yield from _find_set(_AS_SAID.sub("", sentence))


def _find_kept(text: str) -> Iterator[Form]:
    """Find the ids of each part of a text that says that something stays."""
    for sentence in islice(SENTENCE.findall(text), _MAX_SENTENCES):
        for part in islice(_PART.split(sentence), _MAX_PARTS):
            if _KEEPING.search(part) is not None:
                yield from (
                    make_form((KEPT, word)) for word in islice(extract_tokens(part), _MAX_WORDS) if _is_id(word)
                )


def _find_removed(sentence: str) -> Iterator[Form]:
    """Find the ids that a sentence wants removed: each in a part of its own, or in a list ("bin D-19 and D-20")."""
    parts = [part.strip() for part in _PART.split(sentence)[:_MAX_PARTS] if part and part.strip()]
    is_listing = False  # the part before wanted something removed, so an id alone goes on with the list
    for place, part in enumerate(parts):
        if not is_listing and _matches_any(_SINCE.sub("", part), REPORT, CONDITION):
            return  # the rest may be somebody's words too, or depend on something
        if is_listing and LONE_ID.fullmatch(part) is not None:
            yield from _name_removed(part.lower())
            continue
        is_it = place > 0 and _REMOVING_IT.search(part) is not None
        wanted = _find_meant_by_it(parts[place - 1]) if is_it else _find_object(part)
        is_listing = bool(wanted) and not any(_matches_any(later, _HOLDING) for later in parts[place + 1 :])
        if is_listing:
            yield from _name_removed(wanted)


def _find_meant_by_it(before: str) -> str:
    """Return the id that the part in front of "bin it" names; empty if it names none, or says that something stays."""
    match = _MEANT_BY_IT.search(before)
    if match is None or len(before) > _MAX_PART or _matches_any(before, NEGATING, _HOLDING, _KEEPING):
        return ""
    return match[1] or match[2]


def _find_object(part: str) -> str:
    """Return the phrase for what a part wants removed: "draft D-19" of "please bin draft D-19 now".

    It is empty if the part wants nothing removed, denies it, or sets a condition.
    """
    short = _SINCE.sub("", part)
    if len(part) > _MAX_PART or _matches_any(short, NEGATING, CONDITION, _HOLDING):
        return ""
    match = _find_first(_REMOVING, short)
    if match is None:
        return ""
    wanted = match[1]
    first = next(iter(extract_tokens(wanted)), "")
    is_lookup = not _LOOKUPS.isdisjoint(split_name(first))
    return "" if is_lookup or first in QUESTION_WORDS or _POSSESSING.search(wanted) is not None else wanted


def _find_first(patterns: Sequence[CaselessPattern], text: str) -> re.Match[str] | None:
    """Return the match of the first pattern that matches."""
    return next((match for pattern in patterns if (match := pattern.search(text)) is not None), None)


def _name_removed(wanted: str) -> Iterator[Form]:
    """Return the mark of a phrase for what goes, or nothing if it does not name exactly one id.

    - "D-19", "draft D-19": the id alone. A noun is its own if it has the first letter of the id.
    - "reminder T-40", "the T-40 reminder", "the note on T-40": the id behind the noun of the thing that goes.
    """
    words = list(islice(extract_tokens(wanted), _MAX_WORDS))
    place = next((place for place, word in enumerate(words) if _is_id(word)), -1)
    if place < 0 or any(_is_id(word) for word in words[place + 1 :]) or place > _MAX_WORDS_BEFORE_ID:
        return
    item, before, behind = words[place], words[:place], words[place + 1 :]
    if behind and behind[0] in _PREPOSITIONS:  # "D-19 from the old folder"
        behind = []
    head = next((before[i - 1] for i, word in enumerate(before) if word in _PREPOSITIONS and i), "")
    nouns = [word for word in before if word not in _FILLERS and word not in STOP_WORDS]
    if head or len(behind) == 1:  # "the note on T-40", "the T-40 note"
        yield make_form((REMOVED, f"{behind[0] if behind else head} {item}"))
    elif not behind and _PREPOSITIONS.isdisjoint(before) and (nouns or not item.isdecimal()):
        is_own = not nouns or (item[:1].isalpha() and nouns[-1].startswith(item[:1]))
        yield make_form((REMOVED, item if is_own else f"{nouns[-1]} {item}"))


def _is_id(word: str) -> bool:
    """Whether a word looks like an id, a path or an address: it has a digit ("d-19") or an inner sign ("a.example")."""
    return any(map(str.isdigit, word)) or (
        len(word) > 2 and any(sign in word[1:-1] for sign in "/_.-") and not word.isalpha()
    )


def _find_set(sentence: str) -> Iterator[Form]:
    """Find what the parts of a sentence set, and to which value, if both are an id or an address."""
    if _matches_any(sentence, CONDITION, _HOLDING):
        return
    for part in islice(_PART_OF_SETTING.split(sentence), _MAX_PARTS):
        if len(part) > _MAX_PART or _matches_any(_ADDRESS.sub(" ", part), REPORT):
            return
        match = _find_first(_SETTING, part.strip())
        if match is None or _matches_any(part, NEGATING):
            continue
        what, value = list(extract_tokens(match[1])), list(extract_tokens(match[2]))
        if _NAMING_ANOTHER_VALUE.intersection(what):
            continue
        if len(value) == 1 and what and _is_id(what[-1]) and _is_id(value[0]) and not any(map(_is_id, what[:-1])):
            yield make_form((SET, f"{what[-1]} to {value[0]}"))


def _find_told(sentence: str) -> Iterator[Form]:
    """Find the words for those to whom a sentence without a verb sends a message."""
    first = next(iter(extract_tokens(sentence)), "")
    is_lookup = first in QUESTION_WORDS or not _LOOKUPS_BUT_MESSAGES.isdisjoint(split_name(first))
    pieces = _PART_OF_MESSAGE.split(sentence)[: 2 * _MAX_PARTS]  # parts, with the separators between them
    for separator, part in zip(["", *pieces[1::2]], pieces[::2], strict=False):
        # "Summarise mail 3, the invite to Jo": the invite is one more thing to look at. Behind "then" it would be sent.
        is_lookup = is_lookup and "then" not in separator.lower()
        if len(part) > _MAX_PART or _matches_any(_ADDRESS.sub(" ", part), REPORT):
            return
        if is_lookup:
            continue
        match = _find_first(_TELLING, part.strip())
        if match is None or not _is_wanted(match[1], part, sentence):
            continue
        words = [word.strip("@#'’") for word in islice(extract_tokens(_drop_topic(match[2])), _MAX_WORDS)]
        words = [word for word in words if word and word not in STOP_WORDS]
        yield from (make_form((TOLD, word)) for word in words)
        yield from (make_form((TOLD_BOTH, f"{a} {b}")) for a, b in combinations(sorted(set(words)), 2))


def _drop_topic(whom: str) -> str:
    """Return who gets a message, without what it is about: "Jo Adams" of "Jo Adams about the dates"."""
    match = _WHOM_WITHOUT_TOPIC.search(whom)
    return match[1] if match is not None else whom


def _is_wanted(what: str, part: str, sentence: str) -> bool:
    """Whether the user wants a message sent, and does not speak of one that is already there.

    Args:
        what: the phrase for the message: "one copy".
        part: of the sentence, with this phrase.
        sentence: all of it.
    """
    if _matches_any(sentence, CONDITION, _HOLDING) or _matches_any(part, NEGATING):
        return False
    first = next(iter(extract_tokens(what)), "")
    if not first or first in QUESTION_WORDS or not _VERBS_BUT_MESSAGES.isdisjoint(split_name(first)):
        return False
    return _EXISTING.search(what) is None and _SAYING.search(part) is None
