r"""The sender of a message that the user wants answered: whoever wrote mail 4, for "answer mail 4".

    find_sender("From: Lea <lea@x.example>\nAre you open?")   # "lea@x.example"
    find_answered_numbers("Reply to mail 4 that we are open")  # ("about", "*answer 4")

Whoever asks for an answer to a message lets its sender get one. A session keeps a mark of the sender, and one of the
sender combined with the number by which the message was read, as `named_records` does for the rows of a list.

INVARIANT: VOUCH - only the label in front of the message counts, and none where the text has a second one: a body can
contain what looks like a header.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Final

from halo_core.values.kinds.addresses import canonicalize_email
from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.patterns import compile_later
from halo_core.values.requests.listed_records import parse_structure
from halo_core.values.requests.topics import ONLY
from halo_core.values.sketches.sketch import USER_BIT, Sketch, fingerprint_forms

_ANSWER: Final = "*answer"
_MAX_NUMBERS: Final = 8  # in a text of the user, and in the arguments of a read
_MAX_NUMBER: Final = 16  # characters
_MAX_HEAD: Final = 1_024  # characters in front of a message
_MAX_READ: Final = 65_536  # characters

_MESSAGES: Final = (
    r"(?:e-?mail|mail|message|letter|ticket|request|question|inquiry|enquiry|complaint|nachricht|anfrage|brief|courriel"
    r"|courrier|correo|mensaje|messaggio|mensagem|bericht)"
)
_WRITERS: Final = (
    r"(?:sender|writer|author|person|customer|client|guest|user|buyer|member|patient|tenant|requester|applicant"
    r"|colleague)"
)
_ANSWERED: Final = CaselessPattern(
    r"\b(?:answer|answering|(?:reply|respond|replying|responding|write back)(?: to)?|beantworte|antworte auf"
    r"|réponds (?:à|au)|répondre (?:à|au)|responde(?: a| al)?|contesta(?: a| al)?|rispondi (?:a|al)|beantwoord)"
    rf"(?: (?:the|my))?(?: {_WRITERS} (?:of|in|behind|who (?:wrote|sent)))?"
    r"(?: (?:the|this|that|my|die|das|den|le|la|el|il|de|het))?"
    rf"(?: {_MESSAGES}(?: (?:no\.?|number|nr\.?|id))? ?#?([a-z]{{0,4}}-?[0-9]{{1,8}})| #?([a-z]{{1,4}}-[0-9]{{1,8}}))"
    r"\b(?![.,]?[0-9]|-)"
)
_SENDER_LABEL: Final = r"(?:from|sender|von|absender|de|van|od|da|fra|från)"
_HEADER_FIELD: Final = compile_later(r"[A-Za-z][A-Za-z-]{1,19}:[ \t]")
_HEADER: Final = CaselessPattern(rf"(?:^|\n)[ \t>|*]*{_SENDER_LABEL}[ \t]*:[ \t]*([^\n]{{0,256}})")
_OPENING: Final = CaselessPattern(
    rf"^\s*(?:{_MESSAGES}[ \t]*#?[a-z]{{0,4}}-?[0-9]{{0,8}}[ \t]*[:,.-]?[ \t]*)?(?:sent by|from|sender|von)\b[ \t]*"
    r"([^\n:!?]{0,80})"
)
_ADDRESS: Final = compile_later(r"[^\s@<>(),;:\"\[\]'`|]{1,64}@[\w.-]{1,128}\w")
_FIELDS: Final = ("from", "sender", "from_address", "from_email", "sender_email")
_ADDRESS_FIELDS: Final = ("email", "address")


def find_answered_numbers(text: str) -> Iterator[Form]:
    """Find the numbers of the messages that a text of the user wants answered."""
    for match in islice(_ANSWERED.finditer(text), _MAX_NUMBERS):
        yield _make_number_form(match[1] or match[2])


def _make_number_form(number: str) -> Form:
    return make_form(("about", f"{_ANSWER} {number.casefold()}"))


def find_sender(text: str) -> str:
    """Find the address of whoever sent the only message in a text, in canonical form; empty if it is uncertain."""
    text = text[:_MAX_READ]
    parsed = parse_structure(text)
    if parsed is not None:
        return _read_structure(parsed)
    labelled = list(islice(_HEADER.finditer(text), 2))
    if len(labelled) > 1:
        return ""
    if labelled:
        return _read_address(labelled[0][1]) if _stands_in_head(text, labelled[0].start(1)) else ""
    opening = _OPENING.search(text)
    return _read_address(opening[1]) if opening is not None else ""


def _stands_in_head(text: str, place: int) -> bool:
    """Whether only further fields of a header stand in front of a place."""
    lines = text[: min(place, _MAX_HEAD)].lstrip().split("\n")[:-1]
    return place <= _MAX_HEAD and all(_HEADER_FIELD.match(line) is not None for line in lines)


def _read_structure(parsed: object) -> str:
    """Read the sender of one message in a structure; of a list of several nobody is the sender."""
    if isinstance(parsed, list) and len(parsed) == 1:
        parsed = parsed[0]
    if not isinstance(parsed, Mapping):
        return ""
    senders = [value for key, value in parsed.items() if isinstance(key, str) and key.lower() in _FIELDS]
    if len(senders) != 1:
        return ""
    sender = senders[0]
    if isinstance(sender, Mapping):
        sender = next((sender[field] for field in _ADDRESS_FIELDS if field in sender), "")
    return _read_address(sender) if isinstance(sender, str) else ""


def _read_address(text: str) -> str:
    """Read the only address of a label; whoever displays a second one as a name is nobody certain."""
    found = _ADDRESS.findall(text[:256].partition(". ")[0])
    return (canonicalize_email(found[0]) or "") if len(found) == 1 else ""


def fingerprint_sender(key: bytes, text: str, arguments: Iterable[str]) -> Iterator[int]:
    """Fingerprint the sender of a message, alone and combined with each way in which the user may point at it.

    Args:
        key: of the sketch.
        text: what an untrusted source returned.
        arguments: of the read, among them the number of the message.
    """
    if "@" not in text[: _MAX_HEAD * 2]:
        return
    address = find_sender(text)
    if not address:
        return
    numbers = [item.strip() for item in islice(arguments, _MAX_NUMBERS) if 0 < len(item.strip()) <= _MAX_NUMBER]
    uses = [Form("about", ONLY), *map(_make_number_form, numbers)]
    sender, *ties = fingerprint_forms(key, [Form("sender", address), *uses])
    yield sender
    yield from (sender ^ tie for tie in ties)


def is_answered_sender(sketch: Sketch, address: str) -> bool:
    """Whether the user asked to answer the message of this sender, by its number or as the only one that was read.

    Args:
        sketch: what the session has seen.
        address: in canonical form.
    """
    sender, only = fingerprint_forms(sketch.key, [Form("sender", address), Form("about", ONLY)])
    marks = sketch.marks
    if sender not in marks:
        return False
    if marks.get(only, 0) & USER_BIT and sum(mark ^ only in marks for mark in marks) == 2:
        return sender ^ only in marks
    return any(
        bits & USER_BIT
        and mark != only
        and mark ^ sender in marks
        and sum(other ^ mark in marks for other in marks) == 2  # else several senders were read by this number
        for mark, bits in marks.items()
    )
