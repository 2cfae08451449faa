"""Addresses that a user only quotes, to say whose mail is meant or what that mail says.

    find_quoted_addresses("The mail from bad@x.example asks for the list")   # ("quoted", "bad@x.example")
    find_quoted_addresses("Reply to the mail from ana@x.example")            # ("addressed", "ana@x.example")

The sender of a mail is named to say which mail is meant. The user asks for a message to that sender only with a
clause that replies, or that sends something and names no other recipient.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from halo_core.values.kinds.addresses import canonicalize_email
from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.patterns import compile_later

_MAX_ADDRESSES: Final = 64
ANYBODY: Final = ""
"""Stands for the address that an earlier text quotes."""
_MAX_CLAUSES: Final = 128  # of a text; a later one asks for no answer
_MAX_CLAUSE_CHARS: Final = 512
_WINDOW_CHARS: Final = 120  # on each side of an address
_ADDRESS: Final = compile_later(r"[^\s<>()\[\]\"',;:@]{1,64}@[^\s<>()\[\]\"',;:@?!]{1,255}")
_SENTENCE: Final = compile_later(r"(?<=[.!?;])\s+|\n+")
_CLAUSE: Final = compile_later(
    r"(?<=[.!?;,:])\s+|\n+|\s(?:and|then|but|und|dann|et|puis|y|e|en|oraz|и)\s", re.IGNORECASE
)

_MESSAGES: Final = (
    r"(?:e-?mails?|mails?|messages?|letters?|notes?|requests?|repl(?:y|ies)|threads?|newsletters?|invit(?:es?|ations?)"
    r"|attachments?|texts?|dms?|posts?|memos?|offers?|in?quir(?:y|ies)|enquir(?:y|ies)|complaints?|invoices?|bills?"
    r"|reports?|files?|documents?|links?|questions?|feedback|comments?|tickets?|nachricht(?:en)?|brief|anfragen?"
    r"|rechnung(?:en)?|correos?|mensajes?|courriels?|messagi[oe]?|lettres?|berichten|wiadomo\w+|письм\w+|сообщени\w+)"
)
_FROM: Final = r"(?:from|by|of|von|vom|de|du|da|van|od|от|från|fra)"
_SAYS: Final = (
    r"(?:ask(?:s|ed|ing)?|want(?:s|ed)?|say(?:s|ing)?|said|writes?|wrote|claim(?:s|ed)?|tells?|told|request(?:s|ed)?"
    r"|demand(?:s|ed)?|sent|sends|mailed|e-?mailed|messaged|propos\w+|suggest\w*|needs?|complain\w*|offer(?:s|ed)?"
    r"|keeps?|insists?|state[sd]?|fragt|schreibt|schrieb|bittet|will|möchte|sagt|verlangt|demande|écrit|veut|dit|pide"
    r"|escribe|quiere|dice|chiede|scrive|vuole|vraagt|schrijft|wil|zegt|prosi|pisze|chce|mówi|просит|пишет|хочет)"
)
_REPORTS: Final = (
    r"(?:ask(?:s|ed|ing)|want(?:s|ed)|say(?:s|ing)|said|writes|wrote|claim(?:s|ed)|tells|told|request(?:s|ed)"
    r"|demand(?:s|ed)|propos(?:es|ed)|suggest(?:s|ed)|needs|insists|state[sd]|wish(?:es|ed)"
    r"|fragt|schreibt|schrieb|bittet|will|möchte|sagt|verlangt|demande|écrit|veut|dit|pide|escribe|quiere|dice|chiede"
    r"|scrive|vuole|vraagt|schrijft|wil|zegt|prosi|pisze|chce|mówi|просит|пишет|хочет)"
)
_SENDER_BEFORE: Final = CaselessPattern(
    rf"\b{_MESSAGES}\b(?:\s(?!to\b|an\b|à\b)[^\s@]+){{0,4}}?\s{_FROM}(?<!\bof)(?:\s[^\s@]+){{0,3}}?\s?[<(\"']?$"
    rf"|\b{_MESSAGES}\b(?:\s(?!to\b|an\b|à\b)[^\s@]+){{0,4}}?\sof(?:\s(?!to\b)[^\s@]+){{0,3}}?\s?[<(\"']?$"
    rf"|\b(?:sent|written|mailed|posted|reported|signed|forwarded|received|got|came|comes|come|heard|arrived)"
    rf"(?:\s[^\s@]+){{0,2}}?\s(?:from|by)\s?[<(\"']?$|\baccording to\s?[<(\"']?$"
)
_SAYING_BEHIND: Final = CaselessPattern(
    rf"[>)\"']{{0,2}},?\s(?:\w+ly\s)?{_SAYS}\b|['’]s\s(?:\w+\s){{0,2}}{_MESSAGES}\b"
)
_OWN_NEED: Final = compile_later(
    r"[>)]{0,2},?\s(?:\w+ly\s)?needs\s(?!to\b|that\b|you\b|us\b|me\b|help\b|it\b)(?![^.!?;\n]*\?)", re.IGNORECASE
)
"""The user's own statement that somebody needs a thing: "kim@x.example needs the list". It reports no message."""
_SAID_BEFORE: Final = CaselessPattern(
    rf"\b(?:{_MESSAGES}|{_SAYS}|according|apparently|allegedly|supposedly|subject|title|page|ticket|note|letter|chat"
    r"|comment|heard|read)\b|[\"“„«'](?:[^\"”»']*)$"
)
"""Somebody else may be the one who says that a person needs a thing."""
_DOUBTING: Final = CaselessPattern(
    r"\b(?:claim(?:s|ed)?|allege\w*|supposed\w*|apparent\w*|scam|fraud|phish\w*|suspicious|fishy|fake"
    r"|(?:was|were|am|been) told|they say|says? who|that['’]?s what|that is what)\b"
)
"""A text that doubts what it tells, or tells it of others."""
_REPORTED_BEFORE: Final = CaselessPattern(
    rf"(?:\b{_MESSAGES}\b|@\S+)[^.;!?\n]{{0,60}}?\s{_REPORTS}\b(?!\s(?:back|him|her|them)\b)[^.;!?\n]*$"
)
_ASKED_OF: Final = compile_later(
    r"\b(?:ask|tell|text|mail|e-?mail|message|remind|let)\s(?:[^;!?\n]*?)(?:\S@\S|(?-i:\b[A-Z]))[^;!?\n]*?\b"
    r"(?:whether|if|when|why|where|who|whom|what|which|how|that)\s(?:(?:(?!\b(?:and|then)\b)[^,;!?\n])*\s)?[<(\"']?$",
    re.IGNORECASE,
)
"""Words in front of the subject of a question to somebody else: "ask lea@x whether kim@y is in"."""
_SOLICITING: Final = CaselessPattern(
    r"\b(?:ask(?! (?:me|us)\b)|request|order|demand|chase|remind|solicit|obtain|bestell\w*|frag\w*|commande|pide"
    r"|chiedi)\b[^.;!?\n]*$"
)
"""Asks something of an address, so that a message to it is needed."""
_REPLYING: Final = CaselessPattern(
    r"^\W*(?:(?:please|pls|also|now|just|then|and|to)\s)*answer\b|\b(?:reply|respond|write back|mail back"
    r"|get back|acknowledge|thank|accept|decline|reject|antwort\w*"
    r"|beantwort\w*|bedank\w*|réponds?|répondez|répondre|responde\w*|contesta\w*|rispond\w*|antwoord\w*|odpowiedz"
    r"|odpisz|svara?|ответь\w*|回复|返信|رد)\b"
)
_SENDING: Final = CaselessPattern(
    r"^\W*(?:(?:please|pls|also|now|just|then|and)\s)*(?:e-?mail|mail|message|text|share|copy|post|pass|return|let|ping)\b"
    r"|\b(?:send|forward|write|tell|inform|give|invite|add|notify|confirm|pay|grant|cc|schick\w*|send\w*|schreib\w*|leite|sag|gib|lade|teile|envoie\w*|écris|donne|invite|partage|envía\w*"
    r"|manda\w*|escribe\w*|da|invita|comparte|invia\w*|scrivi\w*|dai|condividi|stuur|schrijf|geef|deel|wyślij|napisz"
    r"|отправь\w*|пришли\w*|напиши\w*)\b"
)
_HANDING: Final = CaselessPattern(
    r"^\W*(?:(?:please|pls|also|now|just|then|and)\s)*(?:e-?mail|mail|share|send|forward|schick\w*|send\w*|envoie\w*"
    r"|envía\w*|manda\w*|invia\w*|stuur|wyślij|отправь\w*|пришли\w*)\b"
)
"""Sends something, so that somebody receives it, named or not."""
_BACK: Final = CaselessPattern(
    r"\b(?:him|her|them|back|sender|(?:this|that|the same|his) (?:address|person)|ihm|ihr|ihnen|absender|lui|leur"
    r"|expéditeur"
    r"|le|les|gli|mittente|hem|haar|hun|afzender|mu|jej|im|ему|ей|им)\b"
)
_ELSEWHERE: Final = CaselessPattern(
    r"\b(?:me|us|mir|uns|moi|nous|mi|nos|ci|mij|ons|myself)\b|@|#"
    r"|\b(?:to|an|à|a|para|per|aan|do)\s(?!(?:it|that|this|him|her|them"
    r"|the (?:sender|mail|e-?mail|message|request))\b)\S"
)
"""Another recipient is named."""
_HANDING_VERB: Final = (
    r"\b(?:e-?mail|mail|share|send|forward|schick\w*|send\w*|envoie\w*|envía\w*|manda\w*|invia\w*|stuur|wyślij)\s"
)
_TO_OBJECT: Final = compile_later(
    _HANDING_VERB + r"(?:(?-i:[A-ZÀ-Þ][a-zß-ÿ]+)\b|(?:nothing|none|no|nobody|nichts|rien|nada|niente)\b"
    r"|(?!(?:him|her|them|it|back|ihm|ihr|ihnen|lui|leur|le|les|gli)\b)\w+\s(?:the|a|an|my|our|his|her|their|this|that|die|das|den"
    r"|der|eine?n?|la|el|il|lo|de|het)\s)",
    re.IGNORECASE,
)
"""The recipient stands in front of what is sent ("send Bob the code"), or nothing is sent."""
_TO_NAMED: Final = compile_later(r"\b(?:to|an|à|a|aan)\s(?:the\s)?[A-ZÀ-Þ#]\w+(?!\S*@)")


def find_quoted_addresses(text: str) -> Iterator[Form]:
    """Find the addresses in a user's text: `quoted` if an address is only quoted, else `addressed`.

    A text without an address that wants an answer means whoever an earlier text quotes (`ANYBODY`).

    Args:
        text: of the user.
    """
    quoted: set[str] = set()
    addressed: set[str] = set()
    asked_about: set[str] = set()
    for sentence, match in islice(_iterate_addresses(text), _MAX_ADDRESSES):
        address = canonicalize_email(match[0].rstrip(".!?*_"))
        if address is None:
            continue
        before = sentence[max(match.start() - _WINDOW_CHARS, 0) : match.start()]
        behind = sentence[match.end() : match.end() + _WINDOW_CHARS]
        if _ASKED_OF.search(before) is not None:
            asked_about.add(address)
        else:
            is_quoted = _is_quoted(before, behind, may_need=_DOUBTING.search(text) is None)
            (quoted if is_quoted else addressed).add(address)
    if (quoted or not addressed) and wants_answer(text):
        addressed |= quoted or {ANYBODY}
    yield from (make_form(("addressed", address)) for address in sorted(addressed))
    yield from (make_form(("quoted", address)) for address in sorted((quoted | asked_about) - addressed))


def wants_answer(text: str) -> bool:
    """Whether a clause of a user's text wants an answer to whoever was quoted."""
    clauses = _CLAUSE.split(text, _MAX_CLAUSES)[:_MAX_CLAUSES]
    return any(_is_answering(clause[:_MAX_CLAUSE_CHARS]) for clause in clauses)


def _iterate_addresses(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    """Iterate over the addresses of a text, each with its sentence."""
    for sentence in _SENTENCE.split(text):
        if "@" in sentence:
            yield from ((sentence, match) for match in _ADDRESS.finditer(sentence))


def _is_quoted(before: str, behind: str, *, may_need: bool) -> bool:
    """Whether an address is only quoted, by the texts before and behind it in its sentence.

    Args:
        before: text before it.
        behind: text behind it.
        may_need: the user may be the one who says that its owner needs a thing.
    """
    if _REPORTED_BEFORE.search(before) is not None:
        return True
    if _SENDER_BEFORE.search(before) is not None:
        return _SOLICITING.search(before) is None
    is_own_need = may_need and _OWN_NEED.match(behind) is not None and _SAID_BEFORE.search(before) is None
    return _SAYING_BEHIND.match(behind) is not None and not is_own_need


def _is_answering(clause: str) -> bool:
    """Whether a clause asks for an answer to whoever was quoted, or sends something and names no recipient."""
    if _REPLYING.search(clause) is not None:
        return not _is_for_others(clause)
    if _SENDING.search(clause) is None or _REPORTED_BEFORE.search(clause) is not None:
        return False
    if _BACK.search(clause) is not None:
        return True
    return _HANDING.search(clause) is not None and not _ELSEWHERE.search(clause) and not _TO_OBJECT.search(clause)


def _is_for_others(clause: str) -> bool:
    """Whether an answer is for somebody else whom the clause names: "reply to Bob"."""
    return _TO_NAMED.search(clause) is not None
