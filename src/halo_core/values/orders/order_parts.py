"""Parts of a user's text that order something, add a value to an order, or say what a later part means by "it".

    read_parts("mx3 hangs again. Reboot it. Ten minutes will do.")
    # a fact "mx3 hangs again", an order "Reboot it", a value "Ten minutes will do"

A text is read in sentences, and these in parts: a new one begins behind "then", and behind a comma or "and" if a verb
follows. A part that asks, reports, doubts, denies, looks something up or depends on something orders nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Final, NamedTuple

from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.lexicon import stem_all
from halo_core.values.language.numbered_lists import split_numbered_items
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.quoted_orders import drop_quoted
from halo_core.values.language.text import split_name
from halo_core.values.language.unordered_statements import LATER, OTHERS_WISH, SOMEBODYS, TAG_QUESTION, TRANSCRIPT
from halo_core.values.orders.order_words import (
    BEGINNING_VERBS,
    CHANGE_BY,
    COMPOSING,
    DENIED,
    DEPENDING,
    DOUBT,
    NOUN_BEFORE_VERB,
    ORDERED,
    OTHERS_ACT,
    PASTED,
    PLEASE,
    PREPARING,
    SAYING,
    SPARING,
    SPEECH,
    UNDOING,
    UNNEEDED,
    VALUE_ONLY,
    WITH_IT,
    reword,
    write_measures,
    write_needs,
)
from halo_core.values.orders.stated_decisions import (
    ASKING_YOU,
    CONDITION,
    LEAD,
    NEGATING,
    REPORT,
    SHOWN,
    drop_lead,
    find_taken_back,
)
from halo_core.values.requests.unlisted_orders import (
    KNOWN_VERBS,
    LIGHT_VERBS,
    LOOKING_UP,
    ORDERING_VERBS,
    QUESTION_WORDS,
    SENTENCE,
    VAGUE_VERBS,
)
from halo_core.values.sketches.sketch import extract_tokens

ORDER: Final = "order"
VALUE: Final = "value"
"""A part that only adds a value to the order in front: "ten minutes will do"."""
FACT: Final = "fact"
"""A part that orders nothing, but may say what "it" means behind it: "mx3 hangs again"."""
LOOKUP: Final = "lookup"
DOUBTED: Final = "doubted"
OTHER: Final = "other"
"""The words or wishes of somebody else, or what is to be another day. All behind it may be, too."""
_MAX_CHARS: Final = 2_048  # of a text; a longer one is a document
_MAX_SENTENCES: Final = 32
_MAX_PARTS: Final = 16  # of a sentence
_SEPARATOR: Final = compile_later(
    r"([,;(]|:(?= )|\s[-–—]+\s|\b(?:and|but|then|while|whereas|afterwards|(?<=, )so(?! that\b))\b)", re.IGNORECASE
)
_ALWAYS_SEPARATING: Final = frozenset(("then", "but", ";", "while", "whereas", "afterwards", ":", "so"))
_ADMITTED: Final = "use enter open join see edit access get go have be receive move return keep show read say cost run"
"""Verbs of what somebody may do, or a thing does: "Ana should join blue-room"."""
_WITH_PREPOSITION: Final = compile_later(r"(?<=\S )(?:in|into|on|onto|to)(?= \S)")
_WITH_ROLE: Final = compile_later(r"\S@\S+ (?!(?i:and|or|please|pls|too|to|as|in|at|on|for|from|with|now)\b)[a-z]+")
"""Somebody and what he gets: "bob@corp.example owner"."""
_LABEL: Final = compile_later(r"^\W*((?:[\w.#@/-]+ ?){1,3}): +")
_TECHNICAL: Final = compile_later(r"[0-9_/.#-]")
"""A sign of a label that is the name of a thing, and not that of who wrote the rest."""
_MEANT: Final = compile_later(r"(?:^|[,;(–—-]\s*|\s)(?i:that['’]?s|thats|that is|it['’]s|i\.e\.|meaning)\b.*$")
_POSSESSOR: Final = compile_later(r"(\b(?:the|our|my|your|his|her|their|its) [\w-]+)['’]s(?= [a-z])")
"""Somebody or something that has what is meant, and not a short form of "is": "set the room's light"."""
ADDRESS: Final = compile_later(r"\S*[@/]\S*|[^\s.]+\.[^\s.]\S*")
_POLITE: Final = re.compile(rf"{LEAD}(?:(?:can|could|would|will) you |please |pls )", re.IGNORECASE)
"""The beginning of a question that asks for an act: "would you let them in?", "can we have it?" (`reword`)."""
_ASKING: Final = frozenset("what whats what's how why".split())
_INFORMING: Final = compile_later(
    r"\W*(?:[a-z]+ ){0,3}(?:logs?|lists?|overview|report|status|history|summary|details)(?: \w+)?\W*"
)
"""A request for nothing but information: "alarm log please"."""
_DOCUMENT: Final = compile_later(
    r"(?i:\W*(?:(?:and|then|also|so|please|pls) )*(?:e-?mails?|mails?|messages?|sms|letters?|tickets?|pages?|posts?"
    r"|notes?|docs?|documents?|forms?|reports?|uploads?|attachments?|threads?)"
    r" (?:no\.? ?|nr\.? ?|#)?[\w-]*[0-9][\w-]*(?: (?:please|pls|plz|first|too|before|now|then|thx|thanks))*\W*)"
)
"""What is to be read: "mail 5 first"."""
_UNLOCKING: Final = compile_later(
    rf"(?i:{LEAD}{ASKING_YOU}open (?:up )?(?:(?:[\w-]+ ){{0,3}}(?:gate|door|locker|valve|window|barrier|garage"
    r"|safe)s?\b|(?:it|that one|this one|that|them|both) (?:up )?(?:again )?for (?:an? |the )?(?:next )?"
    r"(?:[0-9]+|[a-z-]+) ?(?:minutes?|mins?|min|hours?|seconds?|secs?)\b))"
)
"""What is opened by a lock, and not to be read."""
_HAVE: Final = compile_later(r"(?i:^\W*(?:(?:and|so|then|please|pls|also) )*have\b)")
"""The verb of an order: "have the night crew bring 2.8.1 to staging"."""


class Part(NamedTuple):
    """A part of a text: its words, what kind it is of, and whether it says that something is not needed any more."""

    text: str
    kind: str
    is_unneeded: bool = False


def read_parts(text: str) -> list[list[Part]]:
    """Read the parts of a text of the user, by sentences.

    Args:
        text: of the user, without what it forbids.
    """
    if len(text) > _MAX_CHARS:
        return []
    shown = write_measures(SHOWN.sub(" ", split_numbered_items(PASTED.sub(" ", text))).replace("’", "'"))
    found: list[list[Part]] = []
    for sentence in islice(SENTENCE.findall(TRANSCRIPT.sub(" ", drop_quoted(shown))), _MAX_SENTENCES):
        if found and find_taken_back(sentence):
            found[-1] = []
        found.append(list(_read_sentence(sentence.strip())))
    return found


def _read_sentence(sentence: str) -> Iterator[Part]:
    """Read a sentence. It has no order if it depends on something; a question only has those that ask politely."""
    sentence = reword(sentence)
    label = _LABEL.match(sentence)
    is_labelled = label is not None and _TECHNICAL.search(label[1]) is not None
    is_others = SOMEBODYS.match(sentence) is not None and not is_labelled
    if is_others or _matches_any(sentence, CONDITION, TAG_QUESTION, DEPENDING):
        yield Part(sentence, OTHER)
        return
    is_open = not sentence.endswith("?")
    is_reported = False
    for text in _split_parts(sentence.rstrip("?"), joins_label=is_labelled):
        is_open = is_open or _POLITE.match(text) is not None
        part = _read_part(text)
        is_reported = is_reported or part.kind == OTHER
        if not is_open and part.kind != FACT:
            part = Part(text, LOOKUP)
        if is_reported and part.kind in (ORDER, VALUE):  # it may be somebody's words too
            part = Part(text, OTHER)
        yield part


def _read_part(text: str) -> Part:
    """Find out of what kind a part is."""
    words = ADDRESS.sub(" x ", text)
    unneeded = UNNEEDED.search(words)
    if unneeded is not None:
        text, words = _cut_unneeded(text)
    kind = VALUE if VALUE_ONLY.search(text) is not None else _find_kind(write_needs(words))
    return Part(text, kind, unneeded is not None)


def _cut_unneeded(text: str) -> tuple[str, str]:
    """Return what is said of the thing that is not needed any more, and the same as an order without addresses."""
    for piece in text.split(", "):
        words = ADDRESS.sub(" x ", piece)
        found = UNNEEDED.search(words)
        if found is not None:
            return piece, f"{words[: found.start()]} should go {words[found.end() :]}"
    return text, text


def _find_kind(words: str) -> str:
    """Find out of what kind a part is by its words, without addresses."""
    words = _HAVE.sub("get", words)
    is_reported = _matches_any(words, REPORT)
    if _matches_any(words, SPEECH, OTHERS_WISH, LATER) or (is_reported and not _is_past(words)):
        return OTHER
    if _matches_any(words, DOUBT, CHANGE_BY, PREPARING, SPARING, UNDOING) or _has_somebody_act(words):
        return DOUBTED
    if _looks_up(words):
        return LOOKUP
    return FACT if is_reported or _matches_any(words, NEGATING, DENIED) or not is_order(words) else ORDER


def _is_past(words: str) -> bool:
    """Whether a part says no more than what was the case."""
    return not _matches_any(_PAST.sub(" ", words), REPORT)


def _has_somebody_act(words: str) -> bool:
    """Whether a part says what somebody else should do to something: "Kim should reboot mx3"."""
    found = _SHOULD.search(words)
    return found is not None and not stem_all(found[1].lower()).isdisjoint(_ACTS)


_ACTS: Final = KNOWN_VERBS - LIGHT_VERBS - VAGUE_VERBS - LOOKING_UP - stem_all(_ADMITTED)
_SHOULD: Final = compile_later(
    r"^\W*(?!(?i:you|we|i|it|that|please)\b)(?:[\w'-]+ ){1,3}?(?:should|must|has to|have to|ought to|is to|are to)"
    r" (?:now |also )?([a-z]+)"
    r" (?!(?:now|again|today|tonight|please|asap|in|at|on|for|from|to|by|with|right|soon|too)\b)"
)
_PAST: Final = compile_later(r"\b(?i:was|were|been|had|has|have|already|yesterday)\b")


def _split_parts(sentence: str, *, joins_label: bool) -> list[str]:
    """Split a sentence where a new order may begin.

    Args:
        sentence: the sentence.
        joins_label: it begins with the name of a thing and a colon, which belong to what stands behind.
    """
    pieces = _SEPARATOR.split(sentence)[: 2 * _MAX_PARTS]
    parts = [pieces[0]]
    for place, (separator, piece) in enumerate(zip(pieces[1::2], pieces[2::2], strict=False)):
        is_separating = separator.lower() in _ALWAYS_SEPARATING
        if separator == ":":
            is_label = joins_label and not place
            is_separating = not is_label and not _goes_on_behind_colon(parts[-1], piece)
        if not piece.strip():
            parts += [""] if is_separating else []
        elif is_separating or not parts[-1].strip() or _begins_part(parts[-1], separator, piece):
            parts.append(piece)
        else:
            parts[-1] += f" {piece}" if separator == ":" else f" {separator}{piece}"
    return [part.strip() for part in parts if part.strip()]


def _begins_part(front: str, separator: str, piece: str) -> bool:
    """Whether a new part begins: with a verb or, behind "and", a question; or since the part in front is complete."""
    asks = separator.lower() == "and" and not find_first_stems(piece).isdisjoint(_ASKING)
    is_request = PLEASE.search(piece) is not None and WITH_IT.match(piece) is None and not is_order(front)
    if separator.lower() in ("and", ",") and _shares_preposition(front, piece):
        return True
    if all(_WITH_ROLE.search(text) is not None for text in (front, piece)):
        return True
    is_complete = PLEASE.search(front) is not None or VALUE_ONLY.search(front) is not None
    return asks or is_request or is_complete or _begins_with_verb(piece)


def _shares_preposition(front: str, piece: str) -> bool:
    """Whether two parts say the same of different things: "Kim in blue-room" and "Sven in red-room"."""
    sides = [set(_WITH_PREPOSITION.findall(text.lower())) for text in (front, piece)]
    return not sides[0].isdisjoint(sides[1])


def _goes_on_behind_colon(front: str, piece: str) -> bool:
    """Whether what stands behind a colon are values of the order in front: "add these to blue-room: Jo"."""
    return ORDERED.search(front) is not None and SAYING.search(piece) is None and not _begins_with_verb(piece)


_BEGINNING: Final = ORDERING_VERBS | LOOKING_UP | BEGINNING_VERBS
"""Stems of verbs at which a new part begins."""
_TEXT_ONLY: Final = (LOOKING_UP | COMPOSING) - VAGUE_VERBS
"""Stems of verbs that only look something up or compose a text."""


def _begins_with_verb(part: str) -> bool:
    if NOUN_BEFORE_VERB.match(part) is not None:
        return False  # "refill goes to the pharmacy"
    if _POLITE.match(part) is not None or WITH_IT.match(part) is not None or VALUE_ONLY.search(part) is not None:
        return True
    return not find_first_stems(part).isdisjoint(_BEGINNING)


@lru_cache(maxsize=64)
def find_first_stems(part: str) -> frozenset[str]:
    """Return the stems of the first word of a part, behind words such as "please"."""
    first = next(iter(extract_tokens(drop_lead(part))), "")
    return frozenset(split_name(first)) if first.isalpha() else frozenset((first,))


def _looks_up(part: str) -> bool:
    """Whether a part only looks something up, asks for it or composes a text."""
    stems = find_first_stems(part)
    if _UNLOCKING.search(part) is not None:
        return False
    if _INFORMING.fullmatch(part) is not None or _DOCUMENT.fullmatch(part) is not None:
        return True
    return not stems.isdisjoint(_TEXT_ONLY) or not stems.isdisjoint(QUESTION_WORDS)


def is_order(part: str) -> bool:
    """Whether a part, which looks nothing up, orders something."""
    stems = find_first_stems(part)
    if not stems:
        return False
    if not stems.isdisjoint(ORDERING_VERBS) and NOUN_BEFORE_VERB.match(part) is None:
        return True
    rest = _MEANT.sub("", part)
    if not stems.isdisjoint(BEGINNING_VERBS) and NOUN_BEFORE_VERB.match(part) is None:
        rest = _POSSESSOR.sub(r"\1", rest)
    if OTHERS_ACT.search(rest) is not None or not rest.strip():
        return False
    return ORDERED.search(rest) is not None or SAYING.search(rest) is None


def _matches_any(text: str, *patterns: CaselessPattern | re.Pattern[str]) -> bool:
    return any(pattern.search(text) is not None for pattern in patterns)
