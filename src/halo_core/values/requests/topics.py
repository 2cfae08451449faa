"""How a text of the user points at one mail, ticket or event among several: by its topic, or by its place in a list.

find_topics("Reply to the mail about the parking lot")   # parking
find_topics("Bin the second one")                        # 2
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from typing import Final

from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.inflections import list_inflected
from halo_core.values.language.lexicon import STOP_WORDS, is_task_word
from halo_core.values.language.patterns import compile_later

MIN_TOPIC: Final = 4
"""Letters of a word that can be a topic."""
RELATED_LETTERS: Final = 4
"""Letters that related words have in common: `hosting` and `nordhost`."""
_LONG_WORD: Final = compile_later(r"[^\W\d_]{4,}")
_PAID_THINGS: Final = frozenset("rent fuel food post taxi wine milk bread coal wood rope".split())
"""Words for what is paid for. Some of them are also verbs or common words."""
_MAX_RELATED: Final = 512  # words of a text
_MAX_FOUND: Final = 256
_NUMBERED_NOUNS: Final = (
    "e-?mail|mail|message|issue|ticket|thread|question|request|report|post|comment|invitation|bug|case|complaint|review|task|event"
    "|meeting|appointment|card|story|application|letter|conversation|chat|entry|draft|document|file|paper|form|claim|offer|quote|proposal|alert"
    "|incident|attachment|report|submission|photo|return|fax|sms|dm|one|thing"
    "|nachricht|frage|anfrage|courriel|courrier|correo|mensaje|messaggio|mensagem|bericht"
)
_ABOUT: Final = CaselessPattern(
    rf"\b(?:{_NUMBERED_NOUNS})(?: (?:from|of|by|von|de|di)(?: [\w.'’-]+){{1,3}}?)?"
    r" (?:about|on|regarding|concerning|over|titled|called|saying|with the (?:subject|title)"
    r"|with(?= (?:an? |the )?[a-z])|zu[mr]?|über|wegen|sur|au sujet de"
    r"|sobre|su|riguardo)\b"
    r"((?:[\s\"'“„«]+[\w'’-]+){1,4})"
)
_BEFORE_NOUN: Final = CaselessPattern(
    rf"(?:\b(?:the|that|this|my|our|his|her|their)|\w['’]s) ((?:[\w'’-]+ ){{1,3}}?)(?:{_NUMBERED_NOUNS})\b(?!-)"
)
_ACT_ON_TOPIC: Final = CaselessPattern(
    r"\b(?:delete|bin|trash|remove|decline|accept|cancel|dismiss|close|answer|give|assign|hand|approve|reject|resolve"
    r"|solve|reopen|archive|merge|forward|hide) (?:the|my|that|this|his|her|their) "
    r"((?:[\w'’-]+ ){0,2}[\w'’-]+)"
)
"""Verbs for an act on one item of a list, and the topic of the item."""
_UPDATED_PAYMENT: Final = CaselessPattern(
    r"\b(?:update|edit|change|modify|adjust|amend|move|shift|postpone|reschedule|delay) (?:the|my|our) "
    r"((?:[\w'’-]+ ){1,3}?)(?:payment|transfer|transaction|standing order|direct debit|subscription)s?\b"
)
"""What a payment that is to be changed is for: "update my rent payment". No mail is meant by that word."""
_SETTLED: Final = CaselessPattern(
    r"\b(?:the|that|this|my|our) ((?:[\w'’-]+ ){1,3}?)(?:(?:in|on|of|for) [\w./'’-]+ )?(?:is|are|was|has been|got)"
    r"(?: now| already)? (?:fixed|done|solved|resolved|sorted|merged|shipped|ready|answered|settled|finished"
    r"|repaired)\b[,.;:]? (?:(?:so|please|pls|and|then|now|you can|go ahead and|can be|should be) )*\w+"
    rf"(?: (?:it|(?:the|this|that) (?:{_NUMBERED_NOUNS}))\b| (?:this|that)(?=\W*$|[.,;:!?]))"
)
"""What is reported as done: "the readme typo in acme/site is fixed, close that issue"."""
_WHAT_THEY_WROTE: Final = (
    r"(?:wrote|writes|asked|asks|complained|complains|reported|mailed|messaged|pinged|texted|invited|requested|wants"
    r"|wanted|sent)(?: (?:me|us|in))?"
    r"(?: (?:under|below|in|on|at|via|through)(?: [\w'’-]+){1,4}?(?= (?:about|for|that|regarding|whether|if)\b))?"
    r"(?: (?:about|for|to|that|of|regarding|concerning|whether|if|over|on))?(?: (?:an?|the|my|our|his|her|their|some))?"
    r"((?: [\w'’-]+){1,4})"
)
_UNNAMED_SENDER: Final = CaselessPattern(
    r"\b(?:somebody|someone|whoever|anybody|anyone|who|(?:an?|the) (?:one|person|colleague|customer|client|guest|member"
    r"|user|reader|patient|student|tenant|resident|neighbour|reporter|lady|guy|woman|man))"
    rf"(?: (?:who|that|else|(?:from|of|in|at)(?: [\w'’-]+){{1,2}}))? {_WHAT_THEY_WROTE}"
)
"""What somebody wrote, asked for or complained about, if the text does not say who."""
LAST: Final = "-1"
"""Place of the last item of a list."""
ONLY: Final = "*only"
"""The only item of a list: "answer it"."""
ONLY_OF: Final = "*only of"
"""The only item of what belongs to one person or thing: "Solveig's case has a question, answer it"."""
ALL: Final = "*all"
"""Each item of a list: "answer them"."""
LEFT_OPEN: Final = "*ordered"
"""What a text orders and another text names: "order the filter that the manual names"."""
_ORDERING_WHAT_A_TEXT_NAMES: Final = CaselessPattern(
    r"\b(?:order|buy|purchase) (?:it|them|those)\b"
    r"|\b(?:re-?order|order|buy|get|purchase|restock)\b[^.;!?\n]{0,80}?"
    r"(?:\b(?:what(?:['’]?s|ever)?|which) (?:is |are )?\w+"
    r"|\b(?:that|which|they|he|she|(?:the|their|his|her) \w+)\b[^.;!?\n]{0,80}?"
    r"\b(?:approves?|asks? for|lists?|mentions?|names?|needs?|prescribes?|recommends?|requests?|shows?|specif(?:y|ies)"
    r"|suggests?|wants?)\b)"
)
_ANSWERING: Final = (
    r"(?<!\b(?:i|a) )(?<!\b(?:we|he|an|my|to|no|ll) )(?<!\b(?:she|the|who|not|can|how|did|may|our) )"
    r"(?<!\b(?:they|will|does|your|must|this|that) )(?<!\b(?:shall|would|could|never|might) )(?<!\bshould )"
    r"\b(?:reply|respond|answer|write back|get back|antworte|beantworte|réponds|responde|rispondi)(?: to)?"
)
_UNRESTRICTED: Final = (
    r"(?! of (?!them\b|these\b|those\b))(?! (?:apart|who|which)\b)"
    r"(?![^.;:!?\n]{0,30} (?:about|from|who|which|regarding|whose)\b)"
)
"""No words behind it restrict which ones are meant."""
_ANSWERS: Final = ("reply", "respond", "answer", "write back", "get back", "antworte", "rispondi")
_ANSWER_ONE: Final = CaselessPattern(
    rf"{_ANSWERING} (?:it|him|her|(?:the|this|that) (?:{_NUMBERED_NOUNS}|sender|customer|client|guest)(?!s))\b"
    r"(?! (?:about|on|regarding|concerning|over|of|by|with|who|that|which|titled|called|from(?! (?:what|our)\b))\b)"
    r"|\b(?:read|open|check|look at)\b[^.;!?\n]{1,60}? and (?:reply|answer|respond)"
    r"(?=\W*$|[.,;!]| (?:it|him|her|that|with|saying|by saying|politely|kindly|briefly|accordingly)\b|:(?![^.!\n]*\?))",
    needs=_ANSWERS,
)
_ANSWER_ALL: Final = CaselessPattern(
    rf"{_ANSWERING} (?:them|all|each|these|those|both|everybody|everyone|every (?:{_NUMBERED_NOUNS}))\b{_UNRESTRICTED}"
    rf"|\b(?:tell|thank|text|write|message|mail|notify|inform)(?: to)? (?:each|all|every one) of them\b{_UNRESTRICTED}",
    needs=(*_ANSWERS, " of them"),
)
_CAPITALISED: Final = compile_later(r"(?<![\w'’-])[A-ZÀ-Þ][^\W_]+")
NUMBERED_NAME: Final = compile_later(
    r"(?<![\w'’-])([A-ZÀ-Þ][^\W\d_]{2,31}) [0-9]{1,4}[a-z]?(?![\w%°€$£/:-]|[.,][0-9]| [0-9])"
)
"""A name with a number that tells several things of that name apart: a house in a street, a ward."""
_CAPITALISED_NAME: Final = compile_later(r"(?<![\w'’-])[A-ZÀ-Þ][^\W_]+(?: [A-ZÀ-Þ][^\W_]+)*")
_NAME_BEHIND: Final = compile_later(r"\W{0,3}(?:[^.;:!?\n]{0,80} to (?:the )?)?[A-ZÀ-Þ]\w")
_CALENDAR: Final = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december".split()
)
_MAX_BEFORE: Final = 240  # characters in which somebody may be named
MAX_ORDINAL: Final = 6
_ORDINAL_ROWS: Final = {
    "1": (
        "first 1st erste ersten erster erstes première premier primera primero prima primo primeira primeiro eerste "
        "första første pierwszy pierwszą pierwsze ensimmäinen ensimmäisen birinci ilk"
    ),
    "2": (
        "second 2nd zweite zweiten zweiter zweites deuxième segunda segundo seconda secondo tweede andra anden andet "
        "andre drugi drugą drugie toinen toisen ikinci"
    ),
    "3": (
        "third 3rd dritte dritten dritter drittes troisième tercera tercero terza terzo terceira terceiro derde "
        "tredje trzeci trzecią trzecie kolmas kolmannen üçüncü"
    ),
    "4": "fourth 4th vierte vierten vierter viertes quatrième cuarta cuarto quarta quarto vierde fjärde fjerde",
    "5": "fifth 5th fünfte fünften fünfter fünftes cinquième quinta quinto vijfde femte",
    "6": "sixth 6th",
    LAST: (
        "last letzte letzten letzter letztes dernière dernier última último ultima ultimo laatste sista siste "
        "sidste ostatni ostatnią ostatnie viimeinen viimeisen son sonuncu"
    ),
}
_ORDINALS: Final = {word: place for place, row in _ORDINAL_ROWS.items() for word in row.split()}
_ORDINAL_WORDS: Final = "|".join(sorted(_ORDINALS, key=len, reverse=True))
_ORDINAL: Final = CaselessPattern(
    rf"\b(?:the|der|die|das|den|le|la|el|lo|il|o|a|de|het|det) ({_ORDINAL_WORDS})"
    rf"(?:(?:,| and| or| und| et| y| e| en| och| og) (?:the )?({_ORDINAL_WORDS}))?"
    rf"(?: (?:one|ones|of (?:them|these|those)|{_NUMBERED_NOUNS})s?\b| *(?:[.,;:!?)\n]|$)"
    r"| (?:that|with|to|and|please|dass)\b)"
)
"""An ordinal for an item of a list: "the second one", "the first and the third"."""
_FIRST_OF_LIST: Final = CaselessPattern(
    r"\b(?:the|die|les|los|i|le|de) (?:(first|ersten|premiers|premières|primeros|primeras|primi|prime|eerste)"
    r" (two|three|four|five|six|[2-6]|zwei|drei|deux|trois|dos|tres|due|tre|twee|drie)"
    r"|(two|three|four|zwei|drei|deux|trois|dos|tres|twee|drie)"
    r" (first|ersten|premiers|premières|primeros|primeras|eerste))\b"
)
"""Several items at the beginning of a list: "the first two"."""
_NUMBER_WORDS: Final = {
    word: number
    for number, row in enumerate(
        ("2 two zwei deux dos due twee", "3 three drei trois tres tre drie", "4 four", "5 five", "6 six"), start=2
    )
    for word in row.split()
}
_OWN_NUMBER: Final = compile_later(
    r"(?<![\w./@-])(?=[\w-]{0,31}[0-9])(?=[\w-]{0,31}[A-Za-z])[A-Za-z0-9][\w-]{2,31}(?![\w/@-]|\.\w)"
)
"""An id of letters and digits that means one item of a list, even if an untrusted source contained it before."""
_NO_TOPICS: Final = frozenset(
    "first second third fourth fifth last latest newest oldest recent unread open opened closed other next previous "
    "same whole entire final early earlier later newer older most important urgent long longest short shortest only "
    "above below original following current incoming outgoing pending relevant customer client user system admin "
    "support team direct private public single main official internal external today yesterday tomorrow morning "
    "evening monday tuesday wednesday thursday friday saturday sunday".split()
)
"""Words in front of a noun for the place in a list, or for a state."""
_TOPIC_WORD: Final = compile_later(r"[^\W\d_]+")


def is_topic(word: str) -> bool:
    """Whether a word in small letters can say what something is about."""
    return len(word) >= MIN_TOPIC and word not in STOP_WORDS and not is_task_word(word)


_SHORT_NO_TOPICS: Final = frozenset(
    "why how who see got had did let may not yes but too via per ago yet nor now one two six ten new old big bad own "
    "way day any due ask get put say try use end etc hey thx mrs ltd inc him her its our off few lot bit far low top "
    "mon tue wed thu fri sat sun jan feb mar apr jun jul aug sep oct nov dec von und der die das les des una "
    "est".split()
)


def is_short_topic(word: str) -> bool:
    """Whether a word of three letters can say what a mail or the like is about: `bus`, `tax`."""
    return (
        len(word) == MIN_TOPIC - 1 and word not in _SHORT_NO_TOPICS and not (word in STOP_WORDS or is_task_word(word))
    )


def _list_topics(text: str) -> list[str]:
    """List the words of a phrase that say what something is about, in small letters."""
    words = map(str.casefold, _TOPIC_WORD.findall(text))
    return [word for word in words if is_topic(word) and word not in _NO_TOPICS]


def _list_endings(word: str) -> Iterator[str]:
    """List other forms of a word in small letters: `poster` of posters, `drips` of dripping."""
    yield from list_inflected(word)
    for ending in ("ing", "ed"):
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= MIN_TOPIC:
            stem = stem[:-1] if stem[-1] == stem[-2] else stem
            yield from (stem, f"{stem}s", f"{stem}e")


def _refers_to_whole_list(pattern: CaselessPattern, text: str) -> bool:
    """Whether "answer it" or "answer them" means the list, since nobody is named who could be meant instead.

    "Look at Bob's mail and answer it" means Bob's mail.
    """
    return any(
        not any(map(_names_somebody, _CAPITALISED.findall(text, max(match.start() - _MAX_BEFORE, 0), match.end())))
        and _NAME_BEHIND.match(text, match.end()) is None
        for match in islice(pattern.finditer(text), _MAX_FOUND)
    )


def _refers_to_records_of_one(text: str) -> bool:
    """Whether "answer it" or "answer them" stands behind exactly one name."""
    matches = chain.from_iterable(pattern.finditer(text) for pattern in (_ANSWER_ONE, _ANSWER_ALL))
    for match in islice(matches, _MAX_FOUND):
        found = _CAPITALISED_NAME.findall(text, max(match.start() - _MAX_BEFORE, 0), match.end())
        names = {name for name in found if any(map(_names_somebody, name.split()))}
        if len(names) == 1 and _NAME_BEHIND.match(text, match.end()) is None:
            return True
    return False


def _names_somebody(word: str) -> bool:
    folded = word.casefold()
    return folded not in STOP_WORDS and folded not in _CALENDAR and not is_task_word(folded)


def find_topics(text: str) -> Iterator[Form]:
    """Find the words by which a text points at one mail, ticket or the like.

    "The mail about the parking lot", "the parking lot mail". A name with a number is one topic: "the ticket from
    Birkenallee 3" is not the ticket from Birkenallee 5.
    """
    numbered = [match[0] for match in islice(NUMBERED_NAME.finditer(text), _MAX_FOUND) if _names_somebody(match[1])]
    yield from (make_form(("about", name.casefold())) for name in numbered)
    for name in numbered:
        text = text.replace(name, "_")
    if _ORDERING_WHAT_A_TEXT_NAMES.search(text) is not None and _OWN_NUMBER.search(text) is None:
        yield make_form(("about", LEFT_OPEN))
    yield from _find_topics(text)
    for match in islice(_UPDATED_PAYMENT.finditer(text), _MAX_FOUND):
        words = map(str.casefold, _TOPIC_WORD.findall(match[1]))
        yield from (make_form(("paid_for", word)) for word in words if is_describing(word) and word not in _NO_TOPICS)


def _find_topics(text: str) -> Iterator[Form]:
    for match in islice(_ABOUT.finditer(text), _MAX_FOUND):
        words = map(str.casefold, _TOPIC_WORD.findall(match[1]))
        yield from (make_form(("about", word)) for word in words if is_topic(word) or is_short_topic(word))
    patterns = (_BEFORE_NOUN, _ACT_ON_TOPIC, _SETTLED, _UNNAMED_SENDER)
    found = chain.from_iterable(pattern.finditer(text) for pattern in patterns)
    for match in islice(found, _MAX_FOUND):
        for word in _list_topics(match[1]):
            yield from (make_form(("about", form)) for form in (word, *_list_endings(word)))
    for match in islice(_ORDINAL.finditer(text), _MAX_FOUND):
        yield from (make_form(("about", _ORDINALS[word.lower()])) for word in match.groups() if word)
    for match in islice(_FIRST_OF_LIST.finditer(text), _MAX_FOUND):
        count = _NUMBER_WORDS[(match[2] or match[3]).lower()]
        yield from (make_form(("about", str(place))) for place in range(1, count + 1))
    if _refers_to_whole_list(_ANSWER_ONE, text):
        yield make_form(("about", ONLY))
    if _refers_to_whole_list(_ANSWER_ALL, text):
        yield make_form(("about", ALL))
    if _refers_to_records_of_one(text):
        yield make_form(("about", ONLY_OF))
    for match in islice(_OWN_NUMBER.finditer(text), _MAX_FOUND):
        yield make_form(("about", match[0].casefold()))


def find_related_parts(text: str) -> Iterator[Form]:
    """Find the beginnings of the longer words of a text, by which words of a row are related to them."""
    words = dict.fromkeys(match[0].casefold() for match in islice(_LONG_WORD.finditer(text), _MAX_RELATED))
    parts = dict.fromkeys(word[:RELATED_LETTERS] for word in words if is_describing(word) and word not in _ROLES)
    yield from (make_form(("akin", part)) for part in parts)


_ROLE_PHRASE: Final = CaselessPattern(
    r"\b(?:the|our|my|this|that|her|his|their|der|die|das|dem|den|unser\w*|mein\w*|le|la|les|notre|mon|ma|el|los|nuestr[oa]"
    r"|mi|il|lo|nostr[oa]|de|het|ons|onze|mijn)\s((?:[^\W\d_][\w'’-]*\s?){1,3})"
)
_PHRASE_WORD: Final = compile_later(r"[^\W\d_]+")


def find_role_words(text: str) -> Iterator[Form]:
    """Find the words by which a text only describes somebody or something: `gym` of "our gym".

    They stand behind an article or a possessive, in small letters; months and words such as `Vermieter` also with a
    capital. A row with that name need not be the one that is meant.
    """
    found = dict[str, None]()
    for match in islice(_ROLE_PHRASE.finditer(text), _MAX_FOUND):
        for word in _PHRASE_WORD.findall(match[1]):
            folded = word.casefold()
            if folded in STOP_WORDS or not (word.islower() or names_nobody(folded)):
                break  # the phrase ends, or a name begins
            if len(folded) >= MIN_TOPIC - 1:
                found.setdefault(folded)
    yield from (make_form(("described", word)) for word in found)


_ROLES: Final = frozenset(
    "partner partners supplier suppliers vendor client customer landlord landlady tenant contractor provider creditor "
    "owner seller buyer dealer agent agency company firm business shop store merchant friend colleague neighbour "
    "neighbor boss manager employee employer member guest accountant accountants lawyer attorney notary doctor dentist "
    "advisor adviser consultant freelancer broker insurer banker teacher tutor trainer coach team sponsor donor "
    "lieferant partnerin vermieter vermieterin kunde kundin steuerberater anwalt proveedor socio cliente fournisseur "
    "associé client propriétaire fornitore partenaire".split()
)
"""Words for roles. They are related to no name, since any payee can have them: `Rival Partners`."""


def names_nobody(word: str) -> bool:
    """Whether a word (lower case) is no name even with a capital: a month, a day, a role such as "boss"."""
    return word in _CALENDAR or word in _ROLES


def is_describing(word: str) -> bool:
    """Whether a word (lower case) may say who is paid, or what for."""
    return is_topic(word) or word in _PAID_THINGS
