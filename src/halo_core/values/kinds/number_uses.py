"""What a text uses its long numbers as: an amount, a telephone number, the number of a paper, or anything.

A paper is anything that gets a number when it is issued or opened: an invoice, an order, a ticket.

    find_number_uses("set the phone of ACME to 5550001119")  # ("only", "phone 5550001119")
    find_number_uses("pay 90 to 4440002228")                 # ("open", "4440002228")

A number that a text uses only as one thing does not vouch for it as another: the issuer of an invoice chooses its
number, and may choose that of an account.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from itertools import islice
from typing import Final

from halo_core.content.personal_data import normalize_text
from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.patterns import compile_later

_MAX_NUMBERS: Final = 256
_MONEY_SIGNS: Final = frozenset("$€£¥₹₽₺₩")
_CHARS_BEFORE: Final = 72  # characters before a number that say what it is
_CHARS_BEHIND: Final = 24
_NUMBER: Final = compile_later(
    r"(?<![A-Za-z0-9.,/@=_-])\+?[0-9](?:[ -]?[0-9]){4,39}(?![0-9@/_]|[.,-][0-9]|[A-Za-z]{4})"
)
"""Five to forty digits, in groups or not; no part of a word, a decimal number, an address or a path."""
_CODES: Final = r"(?:USD|EUR|GBP|JPY|CHF|CAD|AUD|CNY|INR|SEK|NOK|DKK|PLN|CZK|HUF|RUB|BRL|MXN|kr|zł)\b|(?-i:TRY)\b"
_MONEY: Final = (
    rf"[$€£¥₹₽₺₩]|{_CODES}"
    r"|(?:cents?|centimes?|céntimos?|centavos?|centesimi|pence|penny|pennies|p|øre|öre|grosz\w*|kuruş|копе\w+|копийок"
    r"|euros?|dollars?|dólares|dollari|pounds?|libras?|francs?|franken|pesos?|rupees?|rupien|yen|yuan|reais|lira\w*"
    r"|kron\w+|złot\w+|koron\w*|korun\w*|forint\w*|rubl\w*|рубл\w*|евро|доллар\w*)\b|[元円圆块]"
)
_MEASURE: Final = (
    r"%|(?:percent|prozent|kg|g|mg|t|tons?|tonnes?|km|m|cm|mm|miles?|feet|ft|inch(?:es)?|l|litres?|liters?|ml|kwh|wh|w"
    r"|bytes?|[kmgt]i?b|bits?|px|pixels?|ms|seconds?|secs?|minutes?|hours?|days?|weeks?|months?|years?|stück|pieces?|pcs"
    r"|units?|items?|shares?|stocks?|points?|tokens?|views?|clicks?|followers?|likes?|users?|people|persons?|visitors?"
    r"|votes?|steps?|words?|characters?|lines?|rows?|records?|entries|copies|times|million|billion|thousand)\b"
)
_UNIT_BEHIND: Final = compile_later(rf"\s?(?:{_MONEY}|{_MEASURE})(?!\s?[0-9])", re.IGNORECASE)
"""A unit behind a number. In "to 4440002228 EUR 90", the unit belongs to the next number."""
_MONEY_BEFORE: Final = compile_later(rf"(?<![0-9])(?<![0-9] )(?:[$€£¥₹₽₺₩]|\b(?:{_CODES}))\s?$", re.IGNORECASE)
_AMOUNTS: Final = (
    "amounts?|total|sum|price|balance|budget|revenue|turnover|limit|cost|count|population|betrag|summe|umsatz|saldo"
    "|montant|solde|importe|saldo|importo|bedrag|kwota"
)
_AMOUNT_BEFORE: Final = CaselessPattern(rf"\b(?:{_AMOUNTS})(?:\s(?:is|of|was|von|de|di|van|at|ist)|:|\s?=)*\s?$")
_ACCOUNTS: Final = r"accounts?|acct|a/c|iban|konto\w*|compte|cuenta|conto|rekening\w*|rachunek|счет|счёт|hesap"
_ACCOUNT_BEFORE: Final = CaselessPattern(
    rf"\b(?:bank[ -]?accounts?|{_ACCOUNTS})\b"
    r"(?:\s?(?:no|nr|number|nummer|numéro|número|numero|is|ist|est|es|to|now|#|[:.='\"(])){0,4}\s?$"
)
_BETWEEN: Final = (
    r"(?:[\s:#='\"(.]|\b(?:no|nr|num|number|numbers|nos|id|ids|nummer|numéro|numero|número|numer|номер|is|ist|code)\b)"
)
"""What may stand between the name of a paper and its number: `no.`, `#`."""
_PAPERS: Final = (
    "invoice|order|purchase order|po|bill|ticket|case|request|reference|ref|tracking|parcel|shipment|delivery|booking"
    "|reservation|confirmation|policy|claim|contract|serial|part|article|item|sku|barcode|issue|job|task|document"
    "|report|receipt|voucher|coupon|transaction|quote|offer|application|file|record|meter|licen[cs]e|registration"
    "|passport|rechnung|bestellung|auftrag|vorgang"
    "|rechnungsnummer|bestellnummer|auftragsnummer|vertrag|sendung|sendungsnummer|zähler|facture|commande"
    "|dossier|factura|pedido|fattura|ordine|pratica|factuur|bestelling|faktura|zamówienie|zlecenie"
    "|fatura|sipariş|счет-фактура|заказ|заявка"
)
_PAPER_BEFORE: Final = CaselessPattern(rf"\b(?!(?<=\bon )(?:file|record)\b)(?:{_PAPERS})s?\b{_BETWEEN}{{1,6}}$")
"""The name of a paper in front of its number. "The card on file 5108..." is no file."""
_PHONES: Final = (
    r"(?:tele)?phones?|tel|mobiles?|cell(?:phone)?s?|fax|hotline|sms|whatsapp|landline|telefon\w*|handy\w*|mobil\w*"
    r"|téléphone|portable|teléfonos?|móvil|telefono|cellulare|telefone|celular|telefoon|numer telefonu|телефон\w*"
)
_PHONE_BEFORE: Final = CaselessPattern(
    rf"\b(?:{_PHONES})\b(?:\s?(?:no|nr|number|nummer)\b)?(?:\s(?:of|for|von|für|de|di|van)\s[^.;:!?\n0-9]{{1,40}}?)?"
    r"(?:[\s:='\"(.]|\b(?:to|is|at|on|now|as|into|auf|ist|à|a)\b){1,6}$"
)
_CALLS: Final = r"call|ring|dial|phone|text|sms|ruf\w*|appelle\w*|llama|chiama|bel"
_CALLED_BEFORE: Final = CaselessPattern(rf"\b(?:{_CALLS})\s(?:[^\s.;:!?0-9]+\s){{0,3}}$")


def _list_beginnings(*alternatives: str) -> frozenset[str]:
    """List the first three letters of each word by which an ASCII text can say what a number is."""
    words = "|".join(alternatives).replace("(?:", "").replace(")?", "").split("|")
    return frozenset(word[:3] for word in words if word.isascii())


_BEGINNINGS: Final = _list_beginnings(_ACCOUNTS, "bank", _AMOUNTS, _PAPERS, "pos", _PHONES, "phone", _CALLS)
_LETTERS: Final = compile_later(r"[a-z]+")
_MONEY_LENGTH: Final = 8  # characters: a code of three letters, a blank, and what must not stand before it


def _may_say_use(before: str) -> bool:
    """Whether the text before a number may contain a word that says what it is.

    Most contain none, and one look at the beginnings of all words saves six searches.
    """
    if not before.isascii():
        return True
    small = before.lower()
    if "a/c" in small:
        return True
    for word in _LETTERS.findall(small):  # noqa: SIM110  a generator is a call for each
        if word[:3] in _BEGINNINGS:
            return True
    return False


_NAMES_ACCOUNT: Final = compile_later(
    r"account|iban|\bbank|konto|compte|cuenta|conto|rekening|pay|transfer", re.IGNORECASE
)
_ACCOUNT_NAMES: Final = frozenset("account iban bank card routing sort creditor debtor konto acct".split())
_PAYEE_NAMES: Final = frozenset("recipient payee beneficiary to destination dest target receiver".split())
_PHONE_NAMES: Final = frozenset("phone telephone tel mobile cell fax sms whatsapp msisdn".split())
_GENERAL_PAPERS: Final = frozenset("ref reference file record document report part transaction".split())
"""Nouns of papers that are also names of arguments with other contents."""
_PAPER_NAMES: Final = frozenset(_PAPERS.split("|")) - _GENERAL_PAPERS
_PHONE: Final = "phone"
_PAPER: Final = "paper"
_AMOUNT: Final = "amount"


def find_number_uses(text: str) -> list[Form]:
    """Find the use of each long number of a text: `only` as one thing, or `open` to any.

    A number that is written twice has a form for each time.

    Args:
        text: one that vouches for its values: the user's, or the result of a trusted lookup.
    """
    if not text.isascii():
        text = normalize_text(text)
    forms = []
    for match in islice(_NUMBER.finditer(text), _MAX_NUMBERS):
        digits = "".join(filter(str.isdigit, match[0]))
        start, end = match.span()
        use = _find_use(text[max(start - _CHARS_BEFORE, 0) : start], text[end : end + _CHARS_BEHIND])
        forms.append(make_form(("only", f"{use} {digits}") if use else ("open", digits)))
    return forms


def _find_use(before: str, behind: str) -> str:
    """Find what a number is used as, by the texts before and behind it; empty if it may be anything."""
    last_sign = before.rstrip(" :#='\"(.\xa0")[-1:]
    if not last_sign.isalpha() and last_sign not in _MONEY_SIGNS:  # no word leads to it, as in the cells of a table
        return _AMOUNT if _UNIT_BEHIND.match(behind) is not None else ""
    is_named = _may_say_use(before)
    if is_named and _ACCOUNT_BEFORE.search(before) is not None:
        return ""
    is_money = _UNIT_BEHIND.match(behind) is not None or _MONEY_BEFORE.search(before[-_MONEY_LENGTH:]) is not None
    if is_money or (is_named and _AMOUNT_BEFORE.search(before) is not None):
        return _AMOUNT
    if not is_named:
        return ""
    phone = _PHONE_BEFORE.search(before) or _CALLED_BEFORE.search(before)
    if phone is not None and _NAMES_ACCOUNT.search(phone[0]) is None:
        return _PHONE
    return _PAPER if _PAPER_BEFORE.search(before) is not None else ""


def names_paper(words: Iterable[str]) -> bool:
    """Whether the name of a tool or an argument means a paper, such as an invoice.

    Args:
        words: of the name.
    """
    return any(word.removesuffix("s") in _PAPER_NAMES or word in _PAPER_NAMES for word in words)


def split_uses(names: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Sort the uses of a number by whether the value of an argument can have them.

    Args:
        names: words of the argument's name.

    Returns:
        The uses that it cannot have, and those that it can have besides an open one.
    """
    if not _ACCOUNT_NAMES.isdisjoint(names):
        return (_AMOUNT, _PHONE, _PAPER), ()
    if not _PHONE_NAMES.isdisjoint(names) or not _PAYEE_NAMES.isdisjoint(names):
        return (_AMOUNT, _PAPER), (_PHONE,)
    return (_AMOUNT,), (_PHONE, _PAPER)
