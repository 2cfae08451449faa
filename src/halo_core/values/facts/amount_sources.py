"""Requests that leave the amount of a payment to something that is read, or to arithmetic.

    leaves_amount_to_source("Pay the invoice in mail 1")                          # True
    points_before("Good. Pay it.")                                                # True, where something was looked up
    leaves_amount_to_source("Pay the open invoice of ACME. See the mail too.")    # False: the mail comes in addition
    wants_arithmetic("Pay half of it")                                            # True

A request points at a source of the amount if it names a document, a page or a file in the order to pay, says who asks
for how much, or says of a document that it is the bill or has the details. A document that is to be read in addition,
after the payment, or for another act is none. A request that no rule understands points at nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from halo_core.model import Impact
from halo_core.values.facts.answer_scope import speaks_of_act
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.patterns import compile_later
from halo_core.values.requests.user_texts import MAX_USER_CHARS

_SENTENCE: Final = compile_later(r"(?<=[.!?;])\s+|\n+")
_CLAUSE: Final = compile_later(
    r"(?:,\s*)?\b(?:and|then|but|und|dann|et|puis|y|luego|e|poi|oraz)\s+|[,:]\s+", re.IGNORECASE
)
_DOCUMENT: Final = CaselessPattern(
    r"\b(?:e-?mails?|mail(?:s|box)?|inbox|messages?|letters?|attachments?|attached|files?|documents?|pdfs?|scans?|pages?"
    r"|websites?|sites?|links?|threads?|chats?|tickets?|posts?|notes?|memos?|forms?|statements?|history|sheets?"
    r"|spreadsheets?|offers?|quotes?|quotations?|transactions?|mailed|e-?mailed|messaged|uploaded"
    r"|nachrichten?|brief(?:e|s)?|anhang|anlage|datei(?:en)?|dokumente?|seite|angebot"
    r"|courriels?|lettre|fichiers?|pièces? jointes?|devis|correos?|mensajes?|cartas?|archivos?|adjuntos?"
    r"|presupuesto|messaggi(?:o)?|lettera|allegat[oi]|bericht(?:en)?|bijlage|wiadomoś\w+|załącznik\w*|pliku?"
    r")\b|https?://|\bwww\.|\b[\w-]{1,64}\.(?:txt|pdf|docx?|xlsx?|csv|md|html?|eml|json|png|jpe?g)\b"
    r"|письм\w+|сообщени\w+|файл\w*|вложени\w+|メール|添付|ファイル|邮件|文件|附件"
)
"""A document, or what says that something is one."""
_SAYING: Final = CaselessPattern(
    r"\b(?:what(?:ever)?|as much as|as|how much|the (?:amount|sum|total|figure|price)s?(?: that)?)\b"
    r"(?!\s(?:i|we)\b)(?:\s[\w'’-]+){0,5}?\s(?:asks?|asked|says?|said|wants?|wanted|charges?|charged|bills?|billed|lists?|listed|states?|stated|sends?|sent"
    r"|writes?|wrote|claims?|claimed|requests?|requested|demands?|demanded|quotes?|quoted|names?|named)\b"
)
"""Words that say that somebody else names the amount: "what ACME asks", "as the mail says"."""
_BEING_THE_BILL: Final = CaselessPattern(
    r"\b(?:bills?|invoices?|receipts?|reminders?|fees?|registrations?|details|amounts?|sums?|totals?|figures?|prices?"
    r"|instructions|how much|rechnung(?:en)?|betrag|einzelheiten|facture|montant|détails|factura|importe|detalles"
    r"|fattura|importo|dettagli|factuur|bedrag|faktur\w+|kwot\w+)\b|счёт|счет|сумм\w+|請求書|金額|发票|金额"
)
_FURTHER: Final = CaselessPattern(r"\b(?:too|also|as well|besides|likewise|auch|ebenfalls|aussi|también|anche)\b")
_READING: Final = CaselessPattern(
    r"^\W*(?:(?:please|also|now|just|then|first|afterwards|kindly|(?:can|could|would|will) you)\W+)*"
    r"(?:read|look|check|open|see|have a look|go through|take a look|show)\b"
)
_OTHER_ACT: Final = CaselessPattern(
    r"^\W*(?:(?:please|also|now|just|then|afterwards|kindly|finally|(?:can|could|would|will) you)\W+)*"
    r"(?:sum\b.{0,40}\bup\b|summari[sz]e|translate|archive|delete|forward|answer|reply|respond|tell|inform|notify|write"
    r"|(?:mail|e-?mail|message|text|print|label|file|draft|post)(?!\s+(?:[0-9#]|about|from|has|is|of|says|was))"
    r"|save|store|move|tag|remind|rate|star"
    r"|send\b(?=.{0,60}\b(?:e-?mail|mail|message|note|confirmation|receipt|copy|link|file)\b))\b"
)
"""A clause that orders another act than a payment or a look."""
_ADDING_UP: Final = CaselessPattern(r"^\W*(?:please\W+)?(?:add up|sum up|total)\b")
_POINTING_WORD: Final = CaselessPattern(
    r"\b(?:pay|settle|transfer|refund|reimburse|send|remit|do|order|buy)\s+(?:for\s+)?"
    r"(?:it|that|this|them|these|those|both|all of (?:it|them))\b"
)
"""An order to pay what was spoken of before."""
_BARE_POINTING: Final = CaselessPattern(
    r"\b(?:pay|settle|transfer|refund|reimburse|remit)\s+(?:for\s+)?"
    r"(?:it|that|this|them|these|those|both|all of (?:it|them))\b"
)
"""An order to pay that says nothing else of what is paid."""
_OWN_BOOKS: Final = CaselessPattern(
    r"\b(?:amount|sum|total|figure|price|invoice|bill|fee|what|as)s?\b"
    r"(?:(?!\b(?:account|iban|e-?mails?|mails?)\b)[^.;!?]){0,48}?\b(?:crm|erp|database|register|registry|ledger|books)\b"
)
"""Words that say that the amount stands in a system of the user's organisation."""
_ASKING: Final = CaselessPattern(
    r"^\W*(?:(?:and|so|but|also)\W+)*"
    r"(?:is|are|was|were|does|do you|did|has|have|who|what|what['’]s|which|when|where|why|how)\b[^.!]{0,400}\?\W*$"
)
"""A question, which orders nothing."""
_FORBIDDING: Final = CaselessPattern(
    r"\b(?:don['’]?t|do not|never)\s+(?:\w+ly\s+)?(?:pay|transfer|send|refund|settle|remit)\b"
)
_CALLED_OLD: Final = CaselessPattern(
    r"\b(?:is|are|was|were|looks?|seems?)\s(?:\w+\s){0,2}?(?:old|outdated|wrong|stale|obsolete|superseded|void|irrelevant"
    r"|out of date|not (?:right|valid|current|up to date)|no longer (?:right|valid|current))\b"
)
"""A sentence that calls a document old or wrong, which is then no source of the amount."""
_WHEN: Final = (
    r"\s+(?:(?:you|i|we)(?:['’]ve)?\s+)?(?:have\s+|had\s+)?(?:read|reading|looked|look|looking|opened|open|opening|checked"
    r"|check|checking|seen|see|saw|gone|going|go|went)\b[^.;!?,]*"
)
_AFTER_READING: Final = CaselessPattern(rf"^\W*(?:after|once|when|as soon as){_WHEN}")
"""Words in front of an order that have something read first: "once you have read mail 1, pay it"."""
_WHILE_READING: Final = CaselessPattern(rf"\b(?:after|before|until|once|as soon as){_WHEN}")
"""Words that say when something is paid, and not how much: "pay them after you read the mails"."""
_ARITHMETIC: Final = CaselessPattern(
    r"[%+]|\b(?:half|halves|third|quarter|double|twice|triple|percent|per cent|difference|rest|remaining|remainder"
    r"|share|split|each|every|per|both|together|total|sum|add up|less|minus|plus|average|balance|up to|top up"
    r"|as much as|same as|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen"
    r"|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|dozen"
    r"|hälfte|rest|differenz|moitié|reste|mitad|resto|diferencia|metà|helft)\b|половин\w+|остат\w+|半分|残り|一半"
)
"""Words of a calculation, or a number in words: the amount that comes out stands nowhere."""


@lru_cache(maxsize=256)
def leaves_amount_to_source(request: str) -> bool:
    """Whether a request to pay leaves the amount to something that is read.

    Args:
        request: the newest message of the user that speaks of a payment.
    """
    text = request[:MAX_USER_CHARS]
    if _OWN_BOOKS.search(text) is not None:
        return False
    was_read = False
    for sentence in filter(None, _SENTENCE.split(text)):
        if any(pattern.search(sentence) is not None for pattern in (_ASKING, _FORBIDDING, _CALLED_OLD)):
            continue
        was_read = was_read or _AFTER_READING.match(sentence) is not None
        timeless = _drop_times(sentence)
        orders = speaks_of_act(timeless, Impact.PAYMENT)
        part = " ".join(_list_clauses_about_payment(timeless))
        has_document = _DOCUMENT.search(part) is not None
        if orders and (has_document or _SAYING.search(part) is not None):
            return True
        if has_document and _BEING_THE_BILL.search(part) is not None:
            return True
        if orders and was_read and (_POINTING_WORD.search(part) is not None or _names_bill_alone(part)):
            return True
        was_read = was_read or has_document
    return False


@lru_cache(maxsize=256)
def points_before(request: str) -> bool:
    """Whether a request to pay only refers to something that was mentioned before: "pay it".

    Args:
        request: as of `leaves_amount_to_source`.
    """
    text = request[:MAX_USER_CHARS]
    if _BARE_POINTING.search(text) is None:
        return False
    return all(pattern.search(text) is None for pattern in (_OWN_BOOKS, _BEING_THE_BILL, _DOCUMENT))


_LIKE_BEFORE: Final = CaselessPattern(r"\b(?:like|as) (?:the )?last (?:month|week|quarter|year|time)\b")


def is_as_before(request: str) -> bool:
    """Whether a request asks to pay what was paid before: "like last month"."""
    return _LIKE_BEFORE.search(request[:MAX_USER_CHARS]) is not None


@lru_cache(maxsize=256)
def wants_arithmetic(request: str) -> bool:
    """Whether a request to pay has the amount calculated, or writes it in words.

    Args:
        request: as of `leaves_amount_to_source`.
    """
    return _ARITHMETIC.search(request[:MAX_USER_CHARS]) is not None


def _drop_times(sentence: str) -> str:
    """Remove the words that say when something is paid."""
    found = _WHILE_READING.search(sentence)
    return sentence if found is None else f"{sentence[: found.start()]}{sentence[found.end() :]}"


def _list_clauses_about_payment(sentence: str) -> Iterator[str]:
    """Iterate over the clauses of a sentence that may say how much is paid.

    Left out are looks at something in addition ("see the mail too"), looks behind the order to pay ("and read mail 1"),
    and other acts.
    """
    is_paid = False
    start = 0
    ends = [*(match.span() for match in _CLAUSE.finditer(sentence)), (len(sentence), len(sentence))]
    for end, next_start in ends:
        clause, joint = sentence[start:end], sentence[max(start - 6, 0) : start]
        start = next_start
        reads = _READING.match(clause) is not None
        if reads and _FURTHER.search(clause) is not None:
            continue
        if reads and is_paid and not joint.rstrip().endswith((",", ":")):
            continue
        if _OTHER_ACT.match(clause) is not None and _ADDING_UP.match(clause) is None:
            continue
        is_paid = is_paid or speaks_of_act(clause, Impact.PAYMENT)
        yield clause


def _names_bill_alone(part: str) -> bool:
    """Whether an order pays a bill without saying whose or which: the one that was just read."""
    return _BILL_ALONE.search(part) is not None


_BILL_ALONE: Final = CaselessPattern(
    r"\b(?:the|that|this|my|our)\s+(?:bills?|invoices?|fees?|amount|sum|total|rent|dues|premium|charges?|fine|tax(?:es)?"
    r"|deposit|contribution|instal?lment|tuition)\b(?!\s+(?:of|from|by|at|for|number|no)\b)"
)
