"""Acts that a text of the user asks for in several words: verbs in two parts, and what somebody is to get.

find_phrasal_verbs("take him off the list")  # remove
find_wanted_acts("Ana gets a refund of 20")  # refund
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

from halo_core.values.asking_words import find_stems_of_word
from halo_core.values.caseless import CaselessPattern
from halo_core.values.kinds import Form, make_form
from halo_core.values.lexicon import LOOSE
from halo_core.values.patterns import compile_later
from halo_core.values.text import split_name

_BETWEEN: Final = r"\b(?:[^.;!?\n]|\.(?=\w)){1,80}?\b"


class _Phrase(NamedTuple):
    """A verb of several words.

    Args:
        verb: the verb of the same meaning.
        pattern: of the words.
        needs: in small letters, texts of which every match in an ASCII text contains at least one.
    """

    verb: str
    pattern: CaselessPattern | re.Pattern[str]
    needs: frozenset[str]


_Parts = tuple[str, str, str] | tuple[str, str, str, str]
"""The verb of the same meaning, the first part, the second, and the words of a first part that does not begin so."""


def _compile_phrases(*phrases: _Parts) -> tuple[_Phrase, ...]:
    """Compile, for each verb of two separate words, a pattern; with the verb of the same meaning."""
    return tuple(_make_phrase(parts, rf"\b(?:{parts[1]}){_BETWEEN}(?:{parts[2]})") for parts in phrases)


def _make_phrase(parts: _Parts, pattern: str) -> _Phrase:
    # What asks for a capital letter cannot be searched for in small letters.
    is_caseless = "(?-i:" not in pattern
    needs = parts[3] if len(parts) > 3 else parts[1].partition("(")[0]
    compiled = CaselessPattern(pattern) if is_caseless else compile_later(pattern, re.IGNORECASE)
    return _Phrase(parts[0], compiled, frozenset(needs.split("|")))


_LOOSE_PHRASES: Final = _compile_phrases(
    (
        "remove",
        r"(?:take|pull|throw)(?! (?:an?|another) | care| notes?\b| part| time)(?: [\w'’.-]+){0,4}",
        r"(?:out|down|away)(?=\W*$|[.,;]| of\b| and\b| again\b| please\b)",
        "take|pull|throw",
    ),
    ("send", "get|have|call", r"(?:over|round|out) (?:there|here)\b|(?:over|round)\b(?=\W*$|[.,;])"),
    ("remove", "get rid|do away|be done", r"(?:of|with)\b"),
)
"""Phrases that have other meanings too: "pull the numbers out of the report"."""
_END: Final = r"(?=\W*$|[.,;!]| (?:and|now|again|please|today|on)\b)"


def _order(verbs: str) -> str:
    """Make a pattern of verbs at a place where an order may begin. "They shut him out" reports what others did."""
    words = "and|then|please|pls|also|now|just|ok|okay|(?:can|could|would|will) you"
    return rf"(?<![^.!?;,\n] )(?:{verbs})|\b(?:{words}) (?:{verbs})"


_TEXTS: Final = (
    "call|copy|draft|history|letter|lists?|look|mails?|messages?|notes?|posts?|presentation|replies|reply|reports?"
    "|step|story|summary|tables?|talk|text"
)
_NO_OBJECT: Final = (
    "about|after|and|are|as|at|attention|because|before|but|by|from|had|has|have|he|how|i|if|in|into|is|it['’]s|know"
    "|no|nobody|none|nothing|on|only|or|read|said|say|says|see|she|so|than|that|then|they|think|until|up|was|we|were"
    f"|what|when|where|whether|which|while|who|why|with|you|{_TEXTS}"
)
_IT: Final = "it|this|these|those|them|him|her|everything"
_OBJECT: Final = (
    rf"(?: (?:{_IT}) |(?: (?!(?:{_NO_OBJECT}|it|everything)(?![\w-]))[\w#@&€$£'’-]+(?:[.:/,][\w#-]+){{0,4}}){{1,8}}? )"
)
"""The object between the parts. "Let Kim know when CH-12 is through" has a clause there, and does not match."""


def _compile_orders(*orders: _Parts) -> tuple[_Phrase, ...]:
    """Compile the same for verbs that are read only where an order may begin, with their object."""
    return tuple(_make_phrase(parts, rf"(?:{_order(parts[1])}){parts[2]}") for parts in orders)


_ORDERS: Final = _compile_orders(
    ("block", "shut|lock", rf"{_OBJECT}out{_END}"),
    ("close", "wrap", rf"{_OBJECT}up{_END}"),
    ("close", "wrap up (?:the|this|that)", rf" (?!(?:and|day|in|month|now|then|week|with|year|{_TEXTS})\b)\w"),
    ("revert", "take", rf"(?! (?:an?|my words) ){_OBJECT}back{_END}"),
    ("unpublish", "take", rf"(?! an? ){_OBJECT}offline{_END}"),
    ("approve", "wave|let", rf"(?! (?:me|us|them|him|her) (?!through)){_OBJECT}through{_END}"),
    ("approve", "sign", rf" off (?:on\b|(?:the|this|that) (?!(?:{_TEXTS})\b)|it\b)"),
    ("approve_sign", "sign", rf" off (?:[\w-]+['’]s|my|our|his|her|their) (?!(?:{_TEXTS})\b)"),
    (
        "change_set",
        "drop|cut|slash|lower|raise|bump",
        rf"{_OBJECT}(?:down |up )?to (?:[$€£]\s?)?[0-9]",
    ),
    ("enroll_enrol_register_subscribe", "sign|put", rf"{_OBJECT}(?:up|down) for (?:an?|the|this|that|our|my)\b"),
    ("reject", "turn", rf"(?! to ){_OBJECT}down{_END}"),
    ("refill", "fill", rf" (?:it |them |us )?up to [0-9]| up on (?!(?:{_TEXTS})\b)\w", "fill| up on "),
    ("waive", "write", rf"(?! an? ){_OBJECT}off{_END}"),
    ("refund", "pay|give", rf"(?: (?:her|him|them|us))?{_OBJECT}back{_END}"),
    ("pause_suspend", "put", rf"{_OBJECT}on (?:hold|ice|pause)\b"),
    ("recharge_top", "put|load", rf"{_OBJECT}(?:on|onto) (?:[\w'’-]+ ){{0,4}}(?:card|phone|pass|balance)\b"),
    ("scale", "give", rf"{_OBJECT}[0-9]+ (?:more )?(?:replicas?|instances?|nodes?|pods?|workers?|cores?)\b"),
    ("create", "set", rf"(?:{_OBJECT}| that )up{_END}"),
    (
        "update",
        "put|enter|fill|type",
        (
            r" (?:it|that|this|them|these|those|(?:the|her|his|their|our|my) new [\w-]+) in(?:to)?\b"
            r"(?! (?:an?|touch|words|mind|place|order|front)\b)"
        ),
    ),
    ("update", "point", rf"{_OBJECT}(?:to|at)\b(?! me\b)"),
    ("create", "set up", rf" (?!(?:and|{_TEXTS})\b)\w"),
    (
        "invite_schedule",
        "get|bring",
        (
            rf"(?! (?:[\w'’-]+ ){{0,3}}(?:numbers?|figures?|facts?|data|docs?|files?|info\w*|slides|{_TEXTS}|and|or)\b)"
            r"(?:,? [\w'’-]+){1,8} together\b"
        ),
    ),
)
_TOGETHER: Final = _ORDERS[-1][1]
_USUAL_PAYMENT: Final = CaselessPattern(
    r"(?:(?<![^.!?;:,\n])|(?<=[.!?;:,\n–-] ))(?:and |then |so |please |just )?(?:the usual|(?:the )?same)"
    r"(?: (?:amount|sum|rent|payment))?(?: as (?:last|every|each|the last|always) ?"
    r"(?:month|week|year|quarter|time)?)? to ",
    needs=("the usual", "same"),
)
"""A payment without a verb: "the usual to Mr Haas"."""
_PHRASES: Final = _compile_phrases(
    *(
        (
            "pay",
            _order(rf"split(?! (?:the |this |that )?(?:columns?|files?|pages?|[0-9]+ pages|{_TEXTS})\b)"),
            r"(?:bill|dinner|lunch|breakfast|rent|costs?|fees?|taxi|tickets?|eur|euros?|dollars?|[0-9]) ?,? with\b",
            "split",
        ),
        ("remove", "take|strike|cross|kick|throw", r"off\b|out of\b"),
        ("remove", "opt", r"out\b"),
        ("disable", "switch|turn", r"off\b"),
        ("enable", "switch|turn", r"on(?=\W*$|[.,;]| (?:in|for|again)\b)"),
        ("enable", "switch on|turn on", r"\w"),
        ("forward", "pass|hand", r"(?:on|over) to\b"),
        (
            "order",
            (
                r"(?:ok(?:ay)?|yes|we(?:['’]ll| will)|i(?:['’]ll| will)|let['’]?s|then),? take"
                r"(?! (?:an?|another) look| care| notes?\b|[^.;!?\n]{0,40} (?:off|out|down|away)\b)"
            ),
            r"(?=$|[.,;!?\n])",
            "take",
        ),
        ("rollback", "roll", r"back\b"),
        ("shutdown", "shut|power", r"down\b"),
        ("cancel", "call", r"off\b"),
        ("tell", "let|keep|make", r"(?:know|posted|updated|aware)\b"),
        (
            "tell",
            "give|drop|shoot|ping|send",
            r"(?:heads[- ]?up|that|(?:a |the )?(?:line|note|ping|mail|message|text))\b",
        ),
        (
            "transfer",
            "shift|put|move",
            r"(?:aside|(?:in)?to (?:(?:my|our|the|her|his) (?:\w+ )?)?(?:savings|account))\b",
        ),
        ("pay", "get (?:the|it|him|her|them|this|that|my|our|these|those)", r"paid\b"),
        ("pay", "sort out|sort|take care of|cover", r"(?:rent|bill|invoice|fee|payment|dues)s?\b"),
        (
            "add",
            r"(?<![^.!?;,\n] )(?:get|bring)|\b(?:and|then|please|pls|ok|okay|now|can you|could you) (?:get|bring)",
            (
                r"(?:on ?to|into) (?:the|our|my) (?:\w+ ){0,2}"
                r"(?:track|team|group|channel|list|crew|course|class|beta|rota|roster)\b"
            ),
            "get|bring",
        ),
        (
            "assign",
            (
                r"(?:(?<![^.!?;,\n] )|(?<=\band )|(?<=\bthen )|(?<=\bplease )|(?<=\bpls )"
                r"|(?<=\bcan you )|(?<=\bcould you ))"
                r"put (?-i:[A-Z])[\w'’-]*(?: (?-i:[A-Z])[\w'’-]*){0,2} on(?:to)?"
                r"(?! to\b| (?:(?:the|a|my|our) )?(?:\w+ )?(?:agenda|b?cc|calendar|cover|fire|hold|ice|leave|line|list"
                r"|mute|notice|pause|phone|record|speaker|spot|title|top|way)\b)"
            ),
            r"[\w#]",
            "put",
        ),
        ("order", "(?:get|bring|send) (?:us|me)", r"(?:more|another|extra)\b", "get|bring|send"),
        ("book", "grab|snag|secure", r"(?:table|slot|room|seats?|appointment)\b"),
        ("book", "(?:get|find) (?:me|us|her|him|them) an?", r"(?:table|slot|room|seat|appointment)\b", "get|find"),
        ("share", "open", r"(?:for|to) (?:(?:our|my|the|his|her) (?:\w+ )?)?(?-i:[A-Z])"),
        ("pay", "maak|boek|schrijf", r"over\b"),
        ("cancel", "sag|sage|zeg|bel", r"(?:ab|af|op)\b"),
        ("invite", "lad|lade|nodig", r"(?:ein|uit)\b"),
        ("remove", "ta|tag|tage", r"(?:bort|væk|vekk)\b"),
        ("cancel", "ställ", r"in\b"),
        ("disable", "stäng|slå|skru|sluk", r"a[vf]\b"),
        ("enable", "slå|sätt|skru|tænd", r"på(?=\W*$|[.,;])"),
    )
)
"""Verbs in two separate parts, with the verb of the same meaning."""


_ALL_NEEDS: Final = tuple(sorted({need for phrase in (*_ORDERS, *_PHRASES, *_LOOSE_PHRASES) for need in phrase.needs}))


def find_phrasal_verbs(text: str) -> Iterator[Form]:
    """Find the verbs that a text says in two separate words: "take him off the list"."""
    for verb, pattern in (*_ORDERS, *_PHRASES):
        if pattern.search(text) is not None:
            yield from (make_form(("verb", stem)) for stem in split_name(verb))
    if _USUAL_PAYMENT.search(text) is not None:
        yield make_form(("verb", "pay"))
    for verb, pattern in _LOOSE_PHRASES:
        if pattern.search(text) is not None:
            yield from (make_form(("verb", LOOSE + stem)) for stem in split_name(verb))


_ORDERING: Final = r"\b(?:and|then|please|pls|also|now|(?:can|could|would|will) you(?: please)?) "
_ASK_SOMEBODY: Final = CaselessPattern(
    rf"(?:(?<![^.!?;:,\n])|(?<=[.!?;:,\n] )|{_ORDERING})ask"
    r"(?! (?:me|you|us|myself|yourself|first|again|permission|before|after|what|how|why|who|when|where|if|whether"
    r"|for)\b)(?: [\w'’.@-]+){1,5}? (?:for|whether|if|to|about|when|what|which|how|why|who|where)\b",
    needs=("ask",),
)
_WANTS_TO_KNOW: Final = CaselessPattern(
    r"(?:(?<![^.!?;])|(?<=[.!?;] ))"
    r"(?!(?:i|we|you|who\w*|what|which|how|when|why|where|does|do|did|if|whether|nobody|no|any\w*|every\w*)\b)[\w'’@#-]+"
    r"(?: (?!sa(?:ys?|id)\b)[\w'’@#-]+){0,5} (?:wants?|would like|wishes) to (?:know|hear)\b(?![^.!;\n]*\?)",
    needs=(" to know", " to hear"),
)
_PASTED_OR_FORBIDDEN: Final = compile_later(
    r"[\n:\"“”„«»]|\b(?:do not|don['’]?t|dont|never|must not|should not|no need)\b", re.IGNORECASE
)
"""Signs of a text that shows the words of somebody else, or forbids something. Its remarks ask to inform nobody."""
_THIRD_PERSON: Final = CaselessPattern(
    r"\b(?:gets?|(?:should|must|needs? to|has to|is to) (?:get|have|receive)) "
    r"(?:(?:an?|the|his|her|their|full|partial) ){0,2}([a-z]{3,12})\b"
)
_GETTING_IN: Final = CaselessPattern(
    r"^\W*(?:(?:hi|hey|so|also|ok|please)\W+)*(?:our |the |my )?(?:[\w'’-]+ ){1,3}?(?:needs?|has|have) to"
    r" (?:get|be|come) (?:on|onto|in|into)\b",
    needs=(" to get ", " to be ", " to come "),
)
"""Somebody is to get access: "Jo needs to get on build-2"."""
_EDITING: Final = CaselessPattern(
    r"\b(?:can|could|may|is able to|are able to|be able to|wants? to|let (?:her|him|them)) (?:also |then )?"
    r"(?:edit|change|update|write (?:in|on|to)) (?:it|them|this|that|there|the|my|our|too)\b",
    needs=("edit", "change", "update", "write"),
)
"""Somebody is to have the right to edit: "share it with Anna so that she can edit it"."""
EDITING: Final = "+edit"
"""Added to the stems of a text that wants somebody to have the right to edit."""
_GETTING_MONEY: Final = CaselessPattern(
    r"\b(?:gets|is to get|should get|has to get|must get) (?:her |his |their |the )?"
    r"(?:[$€£]\s?)?[0-9]+(?:[.,][0-9]{1,2})?(?: ?(?:eur|euros?|usd|dollars?|bucks|gbp|pounds?|quid|chf))?"
    r" (?:to|for|from|into|today|now|back|this|as)\b",
    needs=("get",),
)
"""Somebody is to get money: "Rosa gets 40 to DE89..."."""
_CLAUSE: Final = compile_later(r"[^.,;:!?\n]+")
_NO_ORDER: Final = frozenset(
    "who what which how when where why if whether do does did don't doesn't not every each usually always often "
    "monthly weekly".split()
)


def asks_somebody(text: str) -> bool:
    """Whether a text orders to ask or to tell somebody something, which takes a message.

    "Ask Vesta for a quote", "customer 412 wants to know what happened".
    """
    if _ASK_SOMEBODY.search(text) is not None:
        return True
    return _WANTS_TO_KNOW.search(text) is not None and _PASTED_OR_FORBIDDEN.search(text) is None


def brings_together(text: str) -> bool:
    """Whether a text orders to bring people together, who may be listed: "get me, Pia and Oskar together"."""
    return "together" in text and _TOGETHER.search(text) is not None


def find_wanted_acts(text: str) -> Iterator[Form]:
    """Find the acts that somebody is to get: "Ana gets a refund", "Bob should have access"."""
    for clause in _CLAUSE.finditer(text):
        for match in _THIRD_PERSON.finditer(clause[0]):
            if _NO_ORDER.isdisjoint(clause[0].lower().split()):
                yield from (make_form(("verb", stem)) for stem in find_stems_of_word(match[1].lower()))
        if _GETTING_IN.search(clause[0]) is not None and _NO_ORDER.isdisjoint(clause[0].lower().split()):
            yield from (make_form(("verb", stem)) for stem in ("grant", "add"))
        if _GETTING_MONEY.search(clause[0]) is not None and _NO_ORDER.isdisjoint(clause[0].lower().split()):
            yield make_form(("verb", "pay"))
    if _EDITING.search(text) is not None:
        yield make_form(("verb", EDITING))
