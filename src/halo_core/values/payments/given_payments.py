"""Payees and amounts that a text of the user gives in sentences which may order a payment, however they say it.

    find_given_payments("20-45-77, 33018842: that's the camp, 85 pounds need to leave before tonight", find_forms)
    # the account, the amount 85.00 and the words of the sentence

`stated_payments` needs one sentence with a payee and its amount. Here the two may stand in different sentences or
messages, so it is less certain that they belong together. A text with several payees has to say that each gets the only
amount. Sentences that ask, deny, report, depend on something, look back or order another act give nothing.

The marks of a text (`Form`s of a domain and a text):

    given_payee     "digits 33018842"    # an account, an address or an id, in canonical form
    given_amount    "8500"               # a sum, in hundredths
    given_word      "camp"               # a word of a sentence that orders something, without its accounts
    given_people    "one"                # the text has one account
    given_people    "each"               # it has several accounts, and each gets the only amount
    given_people    "many"               # it has several payees or sums, and does not say which belong together
    given_people    "sums"               # it has several amounts
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import Final, NamedTuple

from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.numbered_lists import split_numbered_items
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.polite_orders import drop_courtesies
from halo_core.values.language.unordered_statements import LATER, TAG_QUESTION
from halo_core.values.orders.order_parts import ADDRESS
from halo_core.values.orders.order_words import SMALL_NUMBERS
from halo_core.values.orders.whole_orders import list_order_words
from halo_core.values.payments.payment_signs import find_ordered_part, is_identification
from halo_core.values.payments.payment_statements import (
    AGREED_REMARK,
    BANK,
    HARMLESS,
    OTHER_USES,
    SIGN_OF_PAYMENT,
    drop_lookups,
    find_leading_stems,
    is_text_level_order,
    waits_for_yes,
)
from halo_core.values.payments.stated_payments import find_accounts, find_amounts, find_ids
from halo_core.values.requests.asked_acts import find_asked_stems
from halo_core.values.requests.unlisted_orders import LOOKING_UP, QUESTION_WORDS, SENTENCE, WORD

PAYEE: Final = "given_payee"
AMOUNT: Final = "given_amount"
PEOPLE: Final = "given_people"
ONE: Final = "one"
EACH: Final = "each"
MANY: Final = "many"
SUMS: Final = "sums"
GIVEN_WORD: Final = "given_word"
_SORT_CODE: Final = compile_later(r"digits [0-9]{6}")
"""The canonical form of the sort code of a bank."""
_MAX_SENTENCES: Final = 32
_MAX_FOUND: Final = 16  # payees, and amounts, of a text
_MAX_WORDS: Final = 32  # of a sentence
_POLITE: Final = CaselessPattern(
    r"\b(?:(?:could|can|would|will) (?:you|u|we|i)|would it be|is it possible|may i|mind)\b"
)
_PAYEE_NAME: Final = compile_later(r"@[\w-]{2,32}|\b[A-Za-z]{1,8}-[0-9]{1,12}\b")
"""A handle or an id that may be a payee."""
_EACH_GETS: Final = CaselessPattern(r"\b(?:each|apiece|both|per person|per head)\b")
_NUMBERED: Final = compile_later(
    r"(?i:\b(?:(?:e-?mails?|mails?|msg|tickets?|pages?|issues?|docs?|documents?|uploads?|reports?|letters?|messages?"
    r"|sms"
    r"|texts?|claims?|invoices?|bills?|orders?|forms?|notes?|ref|reference|rooms?|units?|floors?|gates?|items?|case"
    r"|chat"
    r"|thread|receipts?|posts?|notice|step|line|chapter|version|booking|fine|july|june|may|august|september|october"
    r"|november|december|january|february|march|april)\b[.:]? ?\(?#?(?:no\.?|nr\.?"
    r"|number)? ?(?:[a-z]{1,4}-?)?[0-9][\w-]*"
    r"|(?:no|nr|number)\b[.:]? ?[0-9]{1,5}\b)\)?)"
)
"""The number of a text or of another thing, which is no amount: "mail 28", "invoice KX-5520"."""
_ORDERED_COUNT: Final = compile_later(
    r"((?:^\W*|[;,]\s*|\b(?:and|then|please|pls|kindly|you|to|also|just)\s+)order )"
    r"(?=[1-9][0-9]{0,4} (?:[a-z]{3,}|x )\b)",
    re.IGNORECASE,
)
"""The verb in front of how many are ordered, which is no number of an order: "order 40 boxes"."""
_MULTIPLIED: Final = compile_later(
    rf"(?<![\w.,-])([1-9][0-9]?|{'|'.join(SMALL_NUMBERS)})"
    r" (?:times|x|×|mal|fois|veces|volte|vezes|keer) ([1-9][0-9]{0,5}(?:\.[0-9]{1,2})?)(?![\w.,-]*[0-9])",
    re.IGNORECASE,
)
"""A sum that the user multiplies: "3 times 29.90"."""
_OWN_NEED: Final = compile_later(
    r"(^\W*(?:(?i:(?:and|so|but|hi|hello|hey|ok|okay)\b,? )?(?i:we|i|there['’]s|there is|there are)\b[^:0-9?;!]{1,80})"
    r"): (?=(?i:please |pls )?(?i:order|buy|pay|book|reserve|settle|transfer|wire)\b)"
)
"""What the user lacks, in front of what he orders for it: "we run short of gloves: order 40 boxes"."""
_TIME: Final = compile_later(
    r"(?i:\b[0-9]{1,2}(?::[0-9]{2})? ?(?:am|pm|h|o'clock)\b|\b[0-9]{1,2}:[0-9]{2}\b|\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b"
    r"|\b[0-9]{1,2}\.? (?:january|february|march|april|may|june|july|august|september|october|november|december|jan|feb"
    r"|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\b|\b[0-9]{1,2}(?:st|nd|rd|th)\b|\b(?:19|20)[0-9]{2}\b"
    r"|\b[0-9]+ ?(?:minutes?|mins?|hours?|days?|weeks?|months?|years?|kg|g|km|t|tons?|tonnes?|l|ml|lit(?:er|re)s?"
    r"|bags?|boxes|box|vials?|pieces|pcs|tickets?"
    r"|persons?|people|seats?|times|percent)\b|\b[0-9]+ ?%)"
)
"""A time, a day, a measure or a count, which is no amount of money."""
_PAYING_ACCOUNT: Final = compile_later(
    r"\b(?i:from(?! (?:me|us)\b))\b"
    r"|\b(?i:out of|off|via|through|using|against)\s+(?:(?!(?:to|for|goes)\b)[A-Za-z'’]+\s+){0,4};{4,}"
    r"|\b(?i:leaves?)\s+;{4,}"
)
"""Who sends a sum, or the account that it leaves, with `;` in its place."""
_OWN_ACCOUNT: Final = compile_later(
    r"(?i:\b(?:my|our)(?: own)? (?:[a-z]+ ){0,3}(?:accounts?|cards?|iban|wallet)(?: (?:no\.?|number))?)\W{1,3}[A-Z0-9]"
    r"|(?i:\binto (?:my|our)\b)"
)
"""The user's own account, which gets the sum."""
_PRONOUNS: Final = frozenset("he she they him her them his their theirs hers it that this".split())
_GENERAL: Final = frozenset(
    "account accounts acct number numbers no nr iban bic sort code bank is are on to into in for of please pls now "
    "today too also "
    "then so and there here mail gets get goes go should must has have need needs i we me us euro euros eur pounds "
    "dollars francs "
    "thanks thx konto conto rekening with at by as".split()
)
"""Words that do not say whose account or sum it is."""
_HARMLESS: Final = HARMLESS | LOOKING_UP
_THEN: Final = compile_later(r"(?i:(?:,| and) then\b(?=[^?]*$))")
_CONDITION: Final = CaselessPattern(r"\b(?:if|unless|whether|once|when|whenever|as soon as|until|till|provided)\b")
_NO_ORDER: Final = CaselessPattern(
    r"\b(?:if|unless|whether|until|till|once|when|whenever|provided|depend\w*|in case|as (?:soon|long) as|otherwise|not"
    r"|never|nobody|none|nothing(?! (?:else|more))|without|neither|nor|hardly|cannot|no longer|instead)\b|n['’]t\b"
    r"|\b(?:maybe|perhaps|might|may|probably|possibly|think\w*|guess|wonder\w*|consider\w*|discuss\w*|on hold|wait\w*"
    r"|later|yet|supposed\w*|allegedly|apparently|seem\w*|proposal|idea|plan|budget|estimate|forecast|offers?"
    r"|prices?|options?|balance|rule|policy|true|false|old|former|previous|(?<!like )(?<!as )last (?:day|week|month"
    r"|quarter|year|time)|or"
    r"|(?<!goes )(?<!go )up to|at (?:least|most)|(?:more|less) than|roughly|around|approx\w*|circa|between|monthly"
    r"|weekly|yearly"
    r"|(?:an?|each|every|per) (?:day|week|month|quarter|year)|limits?|caps?|ceiling|overdraft|quota|example)\b"
    r"|\b(?:(?<!was )paid|sent|went|took|bought|brought|left|got|kept|won|lost|spent|met|ran|transferred|wired|settled"
    r"|received|refunded|reimbursed|charged|billed|invoiced|deducted|booked|yesterday|ago|already|normally|typically"
    r"|generally|sometimes|often|used to|recently|so far)\b"
    r"|\b(?:says?|said|tells?|told|states?|claims|claimed|asks?|asked|demand\w*|requests|requested|reads|reports?"
    r"|expects?|hopes?|believes?|insists?|proposes?|suggests?|reckons?|quotes|charges?|confirms?|mentions?|reminds?"
    r"|names|shows?|begs?|complain\w*|writes?|wrote|according|costs?|keeps|matche?s|includes?|covers?|equals?|pays"
    r"|sends"
    r"|transfers|(?<!\bi )(?<!\bwe )will(?! (?:be|do|you|go)\b)|(?<!\bi )(?<!\bwe )wants?|wishes|announces?"
    r"|promises?|quoting|claiming|asking|saying|heard|noticed?)\b"
    r"|\b(?:usually|regularly|(?<!as )(?<!like )always"
    r"|(?<!account )(?<!mail )no(?!\.? ?[0-9])(?! (?:rush|hurry|problem|need|worries)\b))\b"
    r"|^\W*should\b|\b(?:maximum|minimum|planned|intend\w*|subject to|conditional)\b"
    r"|\b(?:after|up ?on|on|against|before|pending|following|with) (?:(?:the|their|his|her|your|my|our|full"
    r"|[a-z]+['’]s) )?(?:delivery"
    r"|receipt|arrival|approval|completion|handover|inspection|acceptance|signature|consent|yes|ok|okay|confirmation"
    r"|go-ahead)\b"
    r"|\b(?:in|into|on|onto|to|under) (?:the|my|our|a|an) (?:[a-z]+ )?(?:notes?|sheet|spreadsheet|table|ledger"
    r"|books?|log|diary|calendar"
    r"|whiteboard|file|memo|draft|record|minutes|agenda|crm)\b"
    r"|\b(?:get|gets|claim|take|want|wants|have|fetch|bring|pull|need)\b[^,;]*[0-9][^,;]*\bback\b(?! to)(?! for order)"
    r"|\b(?:checked|verified|explained|reviewed|confirmed|logged|recorded|noted|filed|cancell?ed|stopped|blocked"
    r"|missing|unclear"
    r"|disputed|corrected|matched|reconciled)\b"
    r"|\b(?:(?:half|(?:an?|one|two|three) (?:third|quarter|fifth|tenth)s?) of (?:the )?[$€£]?[0-9]+|a head)\b"
    r"|[0-9] ?(?:[kmgt]i?b|[mg]bit|k?wh?|watts?|points?|credits?)\b"
    r"|\b(?:scenario|version|wish|rumou?r|word is|is on it|does (?:it|that)|handles (?:it|that))\b"
    r"|^\W*(?:in (?:january|february|march|april|may|june|july|august|september|october|november|december)"
    r"|on (?:mon|tues|wednes|thurs|fri|satur|sun)day)\b"
    r"|\b(?:scam|fraud|phishing|fake|wrong|story|draft|reminders?|minus|less|pending|percent)\b|%"
)
"""Words of sentences that order no payment, or leave open whether they do."""


class _Values(NamedTuple):
    """What a sentence gives.

    Args:
        payees: the canonical forms of each account.
        amounts: each sum, in hundredths.
        words: the words beside them.
        names: handles and ids that may be payees.
        is_for_each: each payee gets the sum.
        said: words that say whose account or sum it is.
    """

    payees: tuple[tuple[str, ...], ...] = ()
    amounts: tuple[int, ...] = ()
    words: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    is_for_each: bool = False
    said: frozenset[str] = frozenset()


def find_given_payments(text: str, find_forms: Callable[[str], Iterable[Form]]) -> Iterator[Form]:
    """Find the marks of the payees and amounts that a text gives, and whether they certainly belong together.

    Args:
        text: of the user, without what it forbids or quotes, with numbers in digits.
        find_forms: finds the forms of the accounts and addresses in a text.
    """
    if not is_text_level_order(text) or waits_for_yes(text):
        return
    text = split_numbered_items(drop_courtesies(text))
    sentences = [_read_values(sentence, find_forms) for sentence in islice(_split_sentences(text), _MAX_SENTENCES)]
    payees = dict.fromkeys(keys for given in sentences for keys in given.payees)
    amounts = dict.fromkeys(amount for given in sentences for amount in given.amounts)
    words = dict.fromkeys(word for given in sentences for word in given.words)
    names = {name for given in sentences for name in given.names}
    gets_each = any(given.is_for_each for given in sentences)
    if (not amounts and not payees) or max(len(payees), len(amounts)) > _MAX_FOUND:
        return
    yield from (make_form((GIVEN_WORD, word)) for word in words)
    yield from (make_form((PAYEE, key)) for keys in payees for key in keys)
    yield from (make_form((AMOUNT, str(amount))) for amount in amounts)
    if len(amounts) > 1:
        yield make_form((PEOPLE, SUMS))
        if len(names) > 1:
            yield make_form((PEOPLE, MANY))
    has_open_sums = any(given.payees and len(set(given.amounts)) > 1 and not given.is_for_each for given in sentences)
    if has_open_sums or not _belong_together(sentences):
        yield make_form((PEOPLE, MANY))
    people = {keys for keys in payees if _is_account(keys)}
    if len(people) > 1:
        yield make_form((PEOPLE, EACH if gets_each and len(amounts) == 1 else MANY))
    elif people:
        yield make_form((PEOPLE, ONE))


def _read_values(sentence: str, find_forms: Callable[[str], Iterable[Form]]) -> _Values:
    """Read the values of a sentence. One that orders nothing only says whose account it is."""
    sentence = _MULTIPLIED.sub(_multiply, sentence)
    allowed = _NUMBERED.sub(" ", _ORDERED_COUNT.sub(r"\1some ", _keep_possible_order(sentence)))
    ordered = find_ordered_part(allowed)
    if not ordered and not is_identification(allowed):
        return _Values()
    payees, rest = find_accounts(allowed, find_forms)
    hidden = rest
    if not payees:
        payees, hidden = find_ids(_TIME.sub(" ", rest))
    if payees and _PAYING_ACCOUNT.search(hidden) is not None:
        return _Values()
    accounts = tuple(place.keys for place in payees)
    said = frozenset(word for word in list_order_words(rest) if word.isalpha()) - _GENERAL
    if not ordered:
        return _Values(accounts, said=said)
    rest = _TIME.sub(" ", find_accounts(ordered, find_forms)[1])
    amounts = _list_amounts(rest)
    if not amounts:  # "the hall came to 420, could you settle that": the only sum is that of a description
        rest = _TIME.sub(" ", find_accounts(allowed, find_forms)[1])
        amounts = _list_amounts(rest)
    return _Values(
        accounts,
        amounts,
        tuple(list_order_words(find_accounts(ordered, find_forms)[1])),
        frozenset(match[0] for match in _PAYEE_NAME.finditer(rest)),
        _EACH_GETS.search(rest) is not None,
        said,
    )


def _multiply(match: re.Match[str]) -> str:
    """Write the product for the two numbers: "89.70" for "3 times 29.90"."""
    times = int(match[1]) if match[1].isdigit() else SMALL_NUMBERS.index(match[1].lower()) + 2
    return f"{times * Decimal(match[2]):.2f}"


def _belong_together(sentences: Sequence[_Values]) -> bool:
    """Whether a sentence with an account and another one with a sum may speak of the same payee.

    "The caterer is 30417788. The florist gets 420." names two people. A pronoun, or a sentence that names nobody, may
    mean anyone.
    """
    named = [given.said for given in sentences if given.payees and not given.amounts]
    summed = [given.said for given in sentences if given.amounts and not given.payees]
    if any(given.payees and given.amounts for given in sentences):
        return True
    return all(
        not first or not second or not first.isdisjoint(second) or not (first | second).isdisjoint(_PRONOUNS)
        for first in named
        for second in summed
    )


def _list_amounts(rest: str) -> tuple[int, ...]:
    """List the sums of a sentence that has `;` in place of its accounts."""
    places = find_amounts(rest if ";;;;" in rest else find_ids(rest)[1]) or ()
    return tuple(place.hundredths for place in places if place.hundredths > 0)


def _is_account(keys: tuple[str, ...]) -> bool:
    """Whether keys are of an account, and not of the sort code of a bank beside it."""
    return any(_SORT_CODE.fullmatch(key) is None for key in keys)


def _split_sentences(text: str) -> Iterator[str]:
    """Split a text into sentences, and a sentence without a condition also at "then"."""
    for sentence in SENTENCE.findall(text):
        need = _OWN_NEED.match(sentence)
        if need is not None and _NO_ORDER.search(need[1]) is None:
            sentence = sentence[need.end() :]  # noqa: PLW2901  the rest of it is what is ordered
        if _CONDITION.search(sentence) is not None:
            yield sentence.strip()
        else:
            yield from map(str.strip, _THEN.split(sentence))


def _keep_possible_order(sentence: str) -> str:
    """Return a sentence that may order a payment, without clauses that only look something up; else nothing."""
    if SIGN_OF_PAYMENT.search(sentence) is None or TAG_QUESTION.search(sentence) is not None:
        return ""
    is_polite = _POLITE.search(sentence) is not None
    first = next(iter(WORD.findall(sentence.lower())), "")
    if (sentence.endswith("?") and not is_polite) or (first in QUESTION_WORDS and not is_polite):
        return ""
    if _OWN_ACCOUNT.search(sentence) is not None:
        return ""
    rest = BANK.sub(" ", drop_lookups(sentence)).rstrip(".!?; ")
    judged = AGREED_REMARK.sub(" ", ADDRESS.sub(" x ", rest))
    if _NO_ORDER.search(judged) is not None or LATER.search(judged) is not None:
        return ""
    leading = find_leading_stems(rest)
    if not leading.isdisjoint(OTHER_USES) or not find_asked_stems(rest) <= _HARMLESS:
        return ""
    return rest
