"""Acts that a user asks for in several words: verbs in two parts, and what somebody is to get.

find_phrasal_verbs("take him off the list")  # remove
find_wanted_acts("Ana gets a refund of 20")  # refund

The verbs are in tables of rows (`_Row`). To add one, add a row to the table of its topic: to `_ORDERS` if it is read
only where an order may begin, to `_LOOSE_PHRASES` if it often means something else, and otherwise to `_PHRASES`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.language.asking_words import find_stems_of_word
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.lexicon import LOOSE
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.text import split_name
from halo_core.values.language.unordered_statements import CORRECTED_SUM, TAKEN_BACK

_BETWEEN: Final = r"\b(?:[^.;!?\n]|\.(?=\w)){1,80}?\b"
"""What may stand between the two parts of a verb: up to 80 characters of the same sentence."""


class _Phrase(NamedTuple):
    """A verb of several words, compiled.

    Args:
        verb: the verb of the same meaning; two verbs are joined by `_`, and both are meant.
        pattern: finds the words.
        needs: words in small letters; an ASCII text that contains none of them has no match.
    """

    verb: str
    pattern: CaselessPattern | re.Pattern[str]
    needs: frozenset[str]


_Row = tuple[str, str, str] | tuple[str, str, str, str]
"""A row of a table: the verb of the same meaning, and the patterns of the first and of the second part.

If the pattern of the first part does not begin with plain words (`take|pull`), a fourth item lists them.
"""


def _compile_phrases(*rows: _Row) -> tuple[_Phrase, ...]:
    """Compile verbs that are read anywhere in a sentence, with other words between the two parts."""
    return tuple(_make_phrase(row, rf"\b(?:{row[1]}){_BETWEEN}(?:{row[2]})") for row in rows)


def _make_phrase(row: _Row, pattern: str) -> _Phrase:
    # A pattern that asks for a capital letter finds nothing in a text that was converted to small letters.
    is_caseless = "(?-i:" not in pattern
    needs = row[3] if len(row) > 3 else row[1].partition("(")[0]
    compiled = CaselessPattern(pattern) if is_caseless else compile_later(pattern, re.IGNORECASE)
    return _Phrase(row[0], compiled, frozenset(needs.split("|")))


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
"""Verbs that have other meanings too: "pull the numbers out of the report"."""

# Verbs that are read only where an order may begin, with their object between the two parts.

_END: Final = r"(?=\W*$|[.,;!]| (?:and|now|again|please|today|on)\b)"


def _order(verbs: str) -> str:
    """Make a pattern that finds verbs only where an order may begin. "They shut him out" reports what others did."""
    words = "and|then|please|pls|also|now|just|ok|okay|(?:can|could|would|will) you"
    return rf"(?<![^.!?;,\n] )(?:{verbs})|\b(?:{words}) (?:{verbs})"


_TEXTS: Final = (
    "call|copy|draft|history|letter|lists?|look|mails?|messages?|notes?|posts?|presentation|replies|reply|reports?"
    "|step|story|summary|tables?|talk|text"
)
"""What is read or said. "Take the report down" and "wrap up the call" order other acts or none."""
_NO_OBJECT: Final = (
    "about|after|and|are|as|at|attention|because|before|but|by|from|had|has|have|he|how|i|if|in|into|is|it['’]s|know"
    "|no|nobody|none|nothing|on|only|or|read|said|say|says|see|she|so|than|that|then|they|think|until|up|was|we|were"
    f"|what|when|where|whether|which|while|who|why|with|you|{_TEXTS}"
)
_IT: Final = "it|this|these|those|them|him|her|everything"
_OBJECT: Final = (
    rf"(?: (?:{_IT}) |(?: (?!(?:{_NO_OBJECT}|it|everything)(?![\w-]))[\w#@&€$£'’-]+(?:[.:/,][\w#-]+){{0,4}}){{1,8}}? )"
)
"""The object between the two parts. "Let Kim know when CH-12 is through" has a clause there, and does not match."""


def _compile_orders(*rows: _Row) -> tuple[_Phrase, ...]:
    """Compile verbs that are read only where an order may begin. The second part says what stands between the two."""
    return tuple(_make_phrase(row, rf"(?:{_order(row[1])}){row[2]}") for row in rows)


_MEETINGS: Final = _compile_orders(
    (
        "invite_schedule",
        "get|bring",
        (
            rf"(?! (?:[\w'’-]+ ){{0,3}}(?:numbers?|figures?|facts?|data|docs?|files?|info\w*|slides|{_TEXTS}|and|or)\b)"
            r"(?:,? [\w'’-]+){1,8} together\b"
        ),
    ),
)
_TOGETHER: Final = _MEETINGS[0].pattern
_ORDERS: Final = (
    *_compile_orders(
        # access and records
        ("block", "shut|lock", rf"{_OBJECT}out{_END}"),
        ("close", "wrap", rf"{_OBJECT}up{_END}"),
        ("close", "wrap up (?:the|this|that)", rf" (?!(?:and|day|in|month|now|then|week|with|year|{_TEXTS})\b)\w"),
        # taking something back
        ("revert", "take", rf"(?! (?:an?|my words) ){_OBJECT}back{_END}"),
        ("unpublish", "take", rf"(?! an? ){_OBJECT}offline{_END}"),
        ("pause_suspend", "put", rf"{_OBJECT}on (?:hold|ice|pause)\b"),
        # decisions
        ("approve", "wave|let", rf"(?! (?:me|us|them|him|her) (?!through)){_OBJECT}through{_END}"),
        ("approve", "sign", rf" off (?:on\b|(?:the|this|that) (?!(?:{_TEXTS})\b)|it\b)"),
        ("approve_sign", "sign", rf" off (?:[\w-]+['’]s|my|our|his|her|their) (?!(?:{_TEXTS})\b)"),
        ("reject", "turn", rf"(?! to ){_OBJECT}down{_END}"),
        # money
        ("refill", "fill", rf" (?:it |them |us )?up to [0-9]| up on (?!(?:{_TEXTS})\b)\w", "fill| up on "),
        ("waive", "write", rf"(?! an? ){_OBJECT}off{_END}"),
        ("refund", "pay|give", rf"(?: (?:her|him|them|us))?{_OBJECT}back{_END}"),
        ("recharge_top", "put|load", rf"{_OBJECT}(?:on|onto) (?:[\w'’-]+ ){{0,4}}(?:card|phone|pass|balance)\b"),
        # making and changing
        ("scale", "give", rf"{_OBJECT}[0-9]+ (?:more )?(?:replicas?|instances?|nodes?|pods?|workers?|cores?)\b"),
        ("create", "set", rf"(?:{_OBJECT}| that )up{_END}"),
        ("create", "set up", rf" (?!(?:and|{_TEXTS})\b)\w"),
        (
            "change_set",
            "drop|cut|slash|lower|raise|bump",
            rf"{_OBJECT}(?:down |up )?to (?:[$€£]\s?)?[0-9]",
        ),
        ("enroll_enrol_register_subscribe", "sign|put", rf"{_OBJECT}(?:up|down) for (?:an?|the|this|that|our|my)\b"),
        (
            "update",
            "put|enter|fill|type",
            (
                r" (?:it|that|this|them|these|those|(?:the|her|his|their|our|my) new [\w-]+) in(?:to)?\b"
                r"(?! (?:an?|touch|words|mind|place|order|front)\b)"
            ),
        ),
        ("update", "point", rf"{_OBJECT}(?:to|at)\b(?! me\b)"),
    ),
    *_MEETINGS,
)
_PHRASES: Final = _compile_phrases(
    # money
    (
        "pay",
        _order(rf"split(?! (?:the |this |that )?(?:columns?|files?|pages?|[0-9]+ pages|{_TEXTS})\b)"),
        r"(?:bill|dinner|lunch|breakfast|rent|costs?|fees?|taxi|tickets?|eur|euros?|dollars?|[0-9]) ?,? with\b",
        "split",
    ),
    (
        "transfer",
        "shift|put|move",
        r"(?:aside|(?:in)?to (?:(?:my|our|the|her|his) (?:\w+ )?)?(?:savings|account))\b",
    ),
    ("pay", "get (?:the|it|him|her|them|this|that|my|our|these|those)", r"paid\b"),
    ("pay", "sort out|sort|take care of|cover", r"(?:rent|bill|invoice|fee|payment|dues)s?\b"),
    # taking away and ending
    ("remove", "take|strike|cross|kick|throw", r"off\b|out of\b"),
    ("remove", "opt", r"out\b"),
    ("rollback", "roll", r"back\b"),
    ("shutdown", "shut|power", r"down\b"),
    ("cancel", "call", r"off\b"),
    # switching
    ("disable", "switch|turn", r"off\b"),
    ("enable", "switch|turn", r"on(?=\W*$|[.,;]| (?:in|for|again)\b)"),
    ("enable", "switch on|turn on", r"\w"),
    # messages
    ("forward", "pass|hand", r"(?:on|over) to\b"),
    ("tell", "let|keep|make", r"(?:know|posted|updated|aware)\b"),
    (
        "tell",
        "give|drop|shoot|ping|send",
        r"(?:heads[- ]?up|that|(?:a |the )?(?:line|note|ping|mail|message|text))\b",
    ),
    # buying and booking
    (
        "order",
        (
            r"(?:ok(?:ay)?|yes|we(?:['’]ll| will)|i(?:['’]ll| will)|let['’]?s|then),? take"
            r"(?! (?:an?|another) look| care| notes?\b|[^.;!?\n]{0,40} (?:off|out|down|away)\b)"
        ),
        r"(?=$|[.,;!?\n])",
        "take",
    ),
    ("order", "(?:get|bring|send) (?:us|me)", r"(?:more|another|extra)\b", "get|bring|send"),
    ("book", "grab|snag|secure", r"(?:table|slot|room|seats?|appointment)\b"),
    ("book", "(?:get|find) (?:me|us|her|him|them) an?", r"(?:table|slot|room|seat|appointment)\b", "get|find"),
    # people and their rights
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
    ("share", "open", r"(?:for|to) (?:(?:our|my|the|his|her) (?:\w+ )?)?(?-i:[A-Z])"),
    # Dutch and German
    ("pay", "maak|boek|schrijf", r"over\b"),
    ("cancel", "sag|sage|zeg|bel", r"(?:ab|af|op)\b"),
    ("invite", "lad|lade|nodig", r"(?:ein|uit)\b"),
    # Scandinavian languages
    ("remove", "ta|tag|tage", r"(?:bort|væk|vekk)\b"),
    ("cancel", "ställ", r"in\b"),
    ("disable", "stäng|slå|skru|sluk", r"a[vf]\b"),
    ("enable", "slå|sätt|skru|tænd", r"på(?=\W*$|[.,;])"),
)
"""Verbs that are read anywhere."""
_USUAL_PAYMENT: Final = CaselessPattern(
    r"(?:(?<![^.!?;:,\n])|(?<=[.!?;:,\n–-] ))(?:and |then |so |please |just )?(?:the usual|(?:the )?same)"
    r"(?: (?:amount|sum|rent|payment))?(?: as (?:last|every|each|the last|always) ?"
    r"(?:month|week|year|quarter|time)?)? to ",
    needs=("the usual", "same"),
)
"""A payment without a verb: "the usual to Mr Haas"."""
_ALL_NEEDS: Final = tuple(sorted({need for phrase in (*_ORDERS, *_PHRASES, *_LOOSE_PHRASES) for need in phrase.needs}))


def find_phrasal_verbs(text: str) -> Iterator[Form]:
    """Find the verbs of a text that have two separate parts, and a payment without a verb.

    Yields:
        Forms `("verb", stem)` of the verb of the same meaning. A stem has `LOOSE` in front if the words often mean
        something else.
    """
    words = _find_needed(text)
    for phrases, mark in ((_ORDERS, ""), (_PHRASES, ""), (_LOOSE_PHRASES, LOOSE)):
        for verb, pattern, needs in phrases:
            if not needs.isdisjoint(words) and pattern.search(text) is not None:
                for stem in split_name(verb):
                    yield make_form(("verb", mark + stem))
    if _USUAL_PAYMENT.search(text) is not None:
        yield make_form(("verb", "pay"))


def _find_needed(text: str) -> Collection[str]:
    """Find the words of phrases that a text contains, so that only the patterns of these phrases are searched for.

    For a text that is not ASCII these are all words: without regard to case, other letters may stand for theirs.
    """
    if not text.isascii():
        return _ALL_NEEDS
    small = text.lower()
    return [need for need in _ALL_NEEDS if need in small]


# Orders in other forms than a verb: to ask or to tell somebody, to bring people together, to get something.

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
"""Signs that a text shows somebody else's words or forbids something. "Jo wants to know" in it asks for no message."""
_GETTING: Final = CaselessPattern(
    r"\b(?:gets?|(?:should|must|needs? to|has to|is to) (?:get|have|receive)) "
    r"(?:(?:an?|the|his|her|their|full|partial) ){0,2}([a-z]{3,12})\b"
)
"""Somebody is to get something that is named after an act: "Ana gets a refund"."""
_GETTING_ACCESS: Final = CaselessPattern(
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
"""Added to the stems of a text that says that somebody is to have the right to edit."""
_GETTING_MONEY: Final = CaselessPattern(
    r"\b(?:gets|is to get|should get|has to get|must get) (?:her |his |their |the )?"
    r"(?:[$€£]\s?)?[0-9]+(?:[.,][0-9]{1,2})?(?: ?(?:eur|euros?|usd|dollars?|bucks|gbp|pounds?|quid|chf))?"
    r" (?:to|for|from|into|today|now|back|this|as)\b",
    needs=("get",),
)
"""Somebody is to get money: "Rosa gets 40 to DE89..."."""
_SAID_BY_OTHERS: Final = CaselessPattern(
    r"\b(?:says?|said|writes?|wrote|claims?|claimed|thinks?|thought|asks?|asked|wants?|wanted|demands?|according"
    r"|if|whether|tell|remind|inform|know|confirm|explain|announce|remember|check)\b.*"
    r"\b(?:gets|to get|should get|must get)\b"
)
"""What others say about who is to get money, or are told about it, which orders nothing."""
_CLAUSE: Final = compile_later(r"[^.,;:!?\n]+")
_NO_ORDER: Final = frozenset(
    "who what which how when where why if whether do does did don't doesn't not every each usually always often "
    "monthly weekly".split()
)
"""Words of a clause that asks a question, forbids something or states what is usual: "who gets a refund"."""


def asks_somebody(text: str) -> bool:
    """Whether a text asks for a message: it orders to ask somebody, or says that somebody wants to know something.

    "Ask Vesta for a quote", "customer 412 wants to know what happened".
    """
    if _ASK_SOMEBODY.search(text) is not None:
        return True
    return _WANTS_TO_KNOW.search(text) is not None and _PASTED_OR_FORBIDDEN.search(text) is None


def brings_together(text: str) -> bool:
    """Whether a text orders to bring people together, who may be listed: "get me, Pia and Oskar together"."""
    return "together" in text and _TOGETHER.search(text) is not None


_BY_OTHERS: Final = compile_later(
    r"\bfrom (?:(?:her|his|their|its)\b|(?![^.;]* to )[^.;,\n]{0,60}[0-9]{6})|\binto (?:our|my) (?:own )?account\b",
    re.IGNORECASE,
)
"""Somebody else pays, or the account behind it: "Kim gets 420 from her insurance"."""


def find_wanted_acts(text: str) -> Iterator[Form]:
    """Find the acts that somebody is to get: "Ana gets a refund", "Bob should have access"."""
    replaced = TAKEN_BACK.search(text) is not None or CORRECTED_SUM.search(text) is not None
    for match in _CLAUSE.finditer(text):
        clause = match[0]
        acts = [item[1].lower() for item in _GETTING.finditer(clause)]
        gets_access = _GETTING_ACCESS.search(clause) is not None
        gets_money = _GETTING_MONEY.search(clause) is not None
        if not (acts or gets_access or gets_money) or not _NO_ORDER.isdisjoint(clause.lower().split()):
            continue
        for act in acts:
            yield from (make_form(("verb", stem)) for stem in find_stems_of_word(act))
        if gets_access:
            yield from (make_form(("verb", stem)) for stem in ("grant", "add"))
        if gets_money and not replaced and all(x.search(clause) is None for x in (_SAID_BY_OTHERS, _BY_OTHERS)):
            yield make_form(("verb", "pay"))
    if _EDITING.search(text) is not None:
        yield make_form(("verb", EDITING))
