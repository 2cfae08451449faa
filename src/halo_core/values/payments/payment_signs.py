"""What says that a sentence of the user orders a payment, and does not only describe an account or a sum.

    find_ordered_part("420 to 30417788 for the tent")            # the whole sentence: it has no verb
    find_ordered_part("The caterer gets 420, the room is 90")    # "The caterer gets 420, ;"
    find_ordered_part("The caterer's bill came to 420")          # "": a description

No list has all verbs by which people describe something. So a sentence counts as an order only if it has a sign of one:
a word that asks ("please", "could you"), a verb that moves something ("gets"), a wish of the user ("I want"), a verb of
paying at the beginning, or no verb at all ("420 to 30417788").
"""

from __future__ import annotations

import re
from typing import Final

from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.patterns import compile_later
from halo_core.values.payments.payment_statements import CLAUSE, HARMLESS, TOTAL, find_leading_stems
from halo_core.values.requests.unlisted_orders import LOOKING_UP, POSSESSIVE, REMARKING

_LOOKING: Final = (
    r"(?:see(?! (?:to|about|that)\b)|tell|show|look|check|find|explain|say|know|hear|remember"
    r"|compare|confirm|read|afford|think)\b"
)
"""Verbs by which somebody only wants to know something."""
_THIRD: Final = r"(?<!\bi )(?<!\bwe )(?<!\byou )(?<!\bto )"
"""No "I", "we", "you" or "to" in front: the subject is somebody else."""
_MOVE: Final = (
    r"(?:get|have|go(?! on the)|reach|receive|leave|see|land|arrive|be (?:paid|sent|wired|settled"
    r"|transferred|put|made|on|with|out|there))"
)
_SIGNS: Final = CaselessPattern(
    r"\b(?:please|pls|plz|plse|kindly|bitte|por favor|s['’]il (?:te|vous) pla[iî]t|alstublieft|graag)\b"
    rf"|\b(?:can|could|would|will) (?:you|u|we)\b(?! (?:(?:please|pls|also|just|now|quickly) )?{_LOOKING})"
    rf"|\b(?:may i|is it possible|would it be|mind)\b"
    rf"|\b(?:i|we) (?:also |now |still |just |really )?(?:want|need|would like)\b(?! to {_LOOKING}| it for)"
    rf"|\b(?:i|we)['’]d (?:also |really )?like\b(?! to {_LOOKING})"
    rf"|\blet(?:['’]s\b(?! (?:discuss|talk|wait)\b| {_LOOKING})| [^,;.!?]{{1,40}} (?:have|get|go out)\b)"
    rf"|{_THIRD}\b(?:gets?|receives?|go(?:es)?|needs?(?! to\b)|deserves?)\b"
    rf"|{_THIRD}\b(?:should|shall|must|can|is to|are to|has to|have to|needs? to)(?: now| also| then| still)? {_MOVE}\b"
    r"|\b(?:has|have) [$€£]?[0-9][0-9.,]*(?: [a-z]+)? coming\b|\bwants? [a-z]+ing\b|\bso (?:he|she|they)(?:['’]s| is"
    r"|['’]re"
    r"| are) owed\b|\b(?:is|are) due\b(?! (?:in|after|at|from)\b)|\b(?:would|['’]d) be (?:good|nice|great|lovely"
    r"|fine)\b|\btime (?:for|to (?:pay|put|send|settle|get|give))\b"
    r"|\b(?:that['’]?s|that is) (?:another )?[$€£]?[0-9][^,;]* (?:to|for)\b|\bwill do\b"
)
"""Signs: a sentence asks for something or moves it to somebody: "please", "could you", "gets", "I want"."""
_NOT_OTHERS: Final = compile_later(
    r"\b(?:going|about|wants?|likes?|hop(?:es?|ing)|trying|able|willing|after) to (?:get|have|go|receive)\b"
    r"|\b(?:i|we) (?:get|receive|go)\b|\bgets? (?:paid|sent|worse|better|angry|it|called|billed|charged)\b"
    r"|\bgo(?:es)? (?:on (?:the|my|our)|by|back|wrong)\b"
    r"|\bneeds? to (?:know|see|hear|be (?:checked|sure))\b|\bcan be\b(?! (?:paid|sent|wired|settled|transferred|put"
    r"|made))",
    re.IGNORECASE,
)
"""Words that look like a sign of an order, and are none."""
_VERBLESS_BUT: Final = CaselessPattern(
    r"\b(?:i|we|you|he|she|they|it|there|am|be|been|do|don['’]?t|comes?|came|gave|made|found|took|stands?|belongs?"
    r"|remains?"
    r"|makes|means|bounced|through|sind|ist|hat|will|wil|est|sont|son|es|zijn|heeft)\b"
    r"|\b(?!this\b|its\b|as\b|us\b|plus\b)[a-z]{2,}(?<!s)s (?:(?:me|us|him|her|them|for|about|the) )?(?:[$€£] ?)?[0-9]"
    r"|\b(?:the|that|this|those|these|about|re|his|her|their) (?:[$€£] ?|(?:eur|usd|gbp|chf) )?[0-9]"
)
"""Words of a clause that has a verb in spite of `REMARKING`, or only mentions a sum: "the 420 to 30417788"."""
_UNKNOWN_VERB: Final = compile_later(
    r"^\W*(?!(?i:another|some|only|just|about|also|and|then|so|to|for|no|account|of)\b)[A-Za-z]+ [$€£]?[0-9]"
)
"""A word in front of a number at the beginning, which may be any verb: "Enter 420 for 30417788"."""
_MEANT: Final = compile_later(r"\s(?i:thats|that['’]s|it['’]s|i\.e\.) (?![$€£]?[0-9]).*$")
"""An explanation at the end: "420 to 30417788, that's the camp"."""
_ENGLISH: Final = CaselessPattern(
    r"\b(?:to|for|the|from|of|and|with|into|each|at|by|on|our|my|account|total|please|extra|over|worth|as|euros?"
    r"|pounds?"
    r"|dollars?|francs?|eur|gbp|usd|chf)\b"
)
_FOREIGN: Final = CaselessPattern(
    r"\b(?:der|das|dem|den|die|und|ist|sind|auf|mit|zum|zur|nicht|kein\w*|auch|dass|wenn|falls|sobald|erst|noch"
    r"|schon|laut|vom"
    r"|bereits|le|la|les|une|est|pour|avec|que|qui|pas|si|sur|quand|d[eé]j[aà]|los|las|el|dice|para|con|por|cuando"
    r"|ya|se|non|che"
    r"|sono|het|een|voor|zegt|niet|geen|naar|aan|als|zodra|al|euro an)\b"
)
_NOT_FOREIGN: Final = CaselessPattern(
    r"\b(?:nicht|kein\w*|wenn|falls|sobald|erst|noch|schon|bereits|pas|si|quand|cuando|ya|no|niet|geen|als|zodra|al"
    r"|ob|oder)\b"
)
"""Words that deny, ask or set a condition in other languages."""
_COURTEOUS_ELSEWHERE: Final = CaselessPattern(r"\b(?:bitte|por favor|s['’]il (?:te|vous)|alstublieft|graag)\b")
_TOLD: Final = (
    r"(?:receipts?|invoices?|e-?mails?|mails?|messages?|calls?|reply|answers?|letters?|lists?|copy|copies|proof"
    r"|statements?|overview"
    r"|breakdown|explanation|summary|quotes?|reminders?|slips?|reports?|confirmation|views?|look|word|news|rum\w*rs?"
    r"|gossip|hearsay"
    r"|headlines?|record|chats?|subject|posts?|story|notes?|question|info|information|update|thread|memo)"
)
"""Nouns of what is said or written."""
_TOLD_OBJECT: Final = CaselessPattern(
    r"\b(?:gets?|needs?|wants?|like|have|give|send)(?: (?:me|us|him|her|them))? (?:an?|the|some|my|our|your|his|her"
    r"|their) "
    rf"(?:[a-z]+ )?{_TOLD}\b|^\W*let(?:['’]s| me| us) {_LOOKING}"
)
"""Somebody gets a text, and no money: "I need the receipt for 420"."""
_TOLD_LABEL: Final = CaselessPattern(rf"\b{_TOLD}\W*$")
"""The beginning of a report: "Great news, 420 for 30417788"."""
_INCOMING: Final = CaselessPattern(
    r"\b(?:i|we)\b[^,;]*[0-9][^,;]* (?:from|off|out of) (?!(?:me|us|my|our|the way)\b)"
    r"|[0-9] ?(?:[$€£]|euros?|eur|pounds?|dollars?|francs?|bucks|quid)(?: [a-z]+)? (?:from|off|out of) (?!(?:me|us"
    r"|my|our|the way)\b)"
)
"""What the user is to get: "I need 420 from the caterer"."""
_FOR_SOMETHING: Final = compile_later(r"\b(?i:to|for|as|from|each)\b")
"""Words that say for whom or for what a sum is."""
_AND: Final = frozenset(("and", "&", "+", "und", "et", "y", "e"))
_DIGIT: Final = compile_later(r"[0-9]")
_COPULA: Final = CaselessPattern(r"\b(?:is|are|it['’]s|that['’]s|thats)\b")
"""A form of "be"."""
_HAPPENED: Final = CaselessPattern(r"\b(?:was|were|had|did|has|have|belongs?|seems?|looks?)\b|\b[a-z]{2,}ed\b")
"""Verbs of reports and of opinions."""
_NOT_ORDERING: Final = frozenset(
    "account cod com differenc due fee money number payment pric rent salary subscription transaction donation"
    " say mean lik tell leav keep hav loan credit deposit tip".split()
)
_ORDERING: Final = HARMLESS - LOOKING_UP - _NOT_ORDERING
"""Stems with which a clause that orders a payment may begin."""


def find_ordered_part(sentence: str) -> str:
    """Return a sentence without the clauses that only describe a sum, or an empty text if it orders nothing.

    Args:
        sentence: of the user, without clauses that look something up.
    """
    sentence = TOTAL.sub("", sentence)
    if _COURTEOUS_ELSEWHERE.search(sentence) is not None and _NOT_FOREIGN.search(sentence) is not None:
        return ""
    if _TOLD_OBJECT.search(sentence) is not None or _INCOMING.search(sentence) is not None:
        return ""
    clauses = _split_clauses(sentence)
    if not _has_sign(sentence) and not _is_without_verb(sentence, clauses):
        return ""
    if not any(_describes(clause) for _, clause in clauses[1:]):
        return sentence
    return "".join(
        lead + (clause if not number or not _describes(clause) else ";")
        for number, (lead, clause) in enumerate(clauses)
    )


def is_identification(sentence: str) -> bool:
    """Whether a sentence may only say whose account it is: "the account is 30417788", "Kim: 30417788".

    Such a sentence has a form of "be" or no verb. Any other sentence without a verb counts too.
    """
    bare = POSSESSIVE.sub("", sentence)
    return _HAPPENED.search(bare) is None and (_COPULA.search(bare) is not None or REMARKING.search(bare) is None)


def _split_clauses(sentence: str) -> list[tuple[str, str]]:
    """Split a sentence into its clauses, each with what separates it from the one before."""
    clauses: list[tuple[str, str]] = []
    start, lead = 0, ""
    for match in CLAUSE.finditer(sentence):
        clauses.append((lead, sentence[start : match.start()]))
        start, lead = match.end(), match[0]
    return [*clauses, (lead, sentence[start:])]


def _has_sign(clause: str) -> bool:
    """Whether a clause asks for something, moves it to somebody, or begins with a verb of paying."""
    if _SIGNS.search(_NOT_OTHERS.sub(" ", clause)) is not None:
        return True
    leading = find_leading_stems(clause)
    return bool(leading) and leading <= _ORDERING


def _is_without_verb(sentence: str, clauses: list[tuple[str, str]]) -> bool:
    """Whether no clause of a sentence has a verb, or one clause has none and says for whom or for what a sum is.

    Some sentences are left out: those in a foreign language, those that begin like a report ("Great news, 420 for
    30417788"), and single clauses in which no word shows that the language is English.
    """
    if _FOREIGN.search(sentence) is not None:
        return False
    words = [clause for _, clause in clauses]
    if _TOLD_LABEL.search(words[0]) is not None:
        return False
    if all(map(_is_verbless, words)):
        return _ENGLISH.search(sentence) is not None or len(words) > 1 or _has_no_words(sentence)
    first = _join_listed(clauses)
    if _is_verbless(first) and _DIGIT.search(words[0]) is not None and _FOR_SOMETHING.search(words[0]) is not None:
        return True
    return any(
        _is_verbless(clause) and _DIGIT.search(clause) is not None and _FOR_SOMETHING.search(clause) is not None
        for clause in words[1:]
    )


def _join_listed(clauses: list[tuple[str, str]]) -> str:
    """Return the first clause and those that "and" joins to it: "Kim and Sven have a job" is one clause."""
    joined = clauses[0][1]
    for lead, clause in clauses[1:]:
        if lead.strip() not in _AND:
            break
        joined += f"{lead}{clause}"
    return joined


def _has_no_words(sentence: str) -> bool:
    return not any(map(str.isalpha, sentence))


def _is_verbless(clause: str) -> bool:
    """Whether a clause has no verb, as far as its words show."""
    bare = POSSESSIVE.sub("", _MEANT.sub("", clause))
    return all(pattern.search(bare) is None for pattern in (REMARKING, _VERBLESS_BUT, _UNKNOWN_VERB))


def _describes(clause: str) -> bool:
    """Whether a clause with a sum has a verb, and no sign of an order."""
    return _DIGIT.search(clause) is not None and not _is_verbless(clause) and not _has_sign(clause)
