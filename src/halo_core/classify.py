"""Room: guessing what a tool does from its name and description. Takes: words. Gives: a marked guess.

A guess is printed once, and is only ever a start: `guard(x, resource=Resource(...))` replaces it. Never: decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from halo_core.model import ActionKind, Impact, Resource, Reversal

__all__ = ["complete", "guess"]

_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")

# The first class with a matching verb wins; graver classes come first.
_VERBS: Final[tuple[tuple[Impact, frozenset[str]], ...]] = (
    (Impact.PAYMENT, frozenset("pay payment transfer wire refund charge purchase buy payout remit".split())),
    (Impact.EXECUTE, frozenset("execute exec run shell bash python eval sql command script deploy".split())),
    (Impact.DELETE, frozenset("delete remove drop purge erase destroy cancel revoke".split())),
    (Impact.ADMIN, frozenset("grant invite permission password role admin key credential ownership".split())),
    (Impact.SEND, frozenset("send email mail message post publish notify share upload reply tweet sms".split())),
    (Impact.READ, frozenset("get read search find list lookup fetch query retrieve show view check browse".split())),
    (Impact.WRITE, frozenset("create update write edit set add insert save move copy rename schedule append".split())),
)
_MONEY: Final = frozenset("money payment transfer invoice wire".split())

_TARGETS: Final = frozenset(
    "to cc bcc recipient recipients receiver beneficiary payee creditor iban account destination dest target url uri "
    "link webhook endpoint host domain email emails mail address addresses user username member collaborator channel "
    "phone participant participants attendee attendees attachment attachments path file repo repository owner key "
    "command".split()
)
_AMOUNTS: Final = ("amount", "sum", "value", "price", "total")
_UNDECLARED_TRUST: Final = 300  # what comes back may be anybody's words, receipts too: kept, but it taints the session

_REVERSAL: Final = {
    Impact.READ: Reversal.NONE_NEEDED,
    Impact.WRITE: Reversal.UNDO,
    Impact.SEND: Reversal.IRREVERSIBLE,
    Impact.PAYMENT: Reversal.COMPENSATE,
}


def guess(name: str, description: str, arguments: Iterable[str]) -> Resource:
    """A classification from words: impact by verb, targets and amount by argument name.

    The name is read first; the description only when the name says nothing.
    """
    impact = _impact(name) or _impact(description.split(".", 1)[0]) or Impact.UNKNOWN
    known = list(arguments)
    return Resource(
        impact=impact,
        reversal=_REVERSAL.get(impact, Reversal.IRREVERSIBLE),
        source_trust=_UNDECLARED_TRUST,
        targets=tuple(sorted(arg for arg in known if _TARGETS & {word.lower() for word in _WORD.findall(arg)})),
        amount=next((arg for arg in _AMOUNTS if arg in known), ""),
        classified="unknown" if impact is Impact.UNKNOWN else "guessed",
    )


def _impact(text: str) -> Impact | None:
    words = [word.lower() for word in _WORD.findall(text)]
    if "send" in words and _MONEY & set(words):
        return Impact.PAYMENT
    if words and words[0] in _VERBS[5][1]:
        # "get_payment_history" reads; the verb in front decides.
        return Impact.READ
    for impact, verbs in _VERBS:
        if verbs & set(words):
            return impact
    return None


def _filled(declared: Resource, hints: Resource, kind: ActionKind) -> Resource:
    """A declaration with what it left out taken from the guess, field by field."""
    filled = replace(declared, targets=declared.targets or hints.targets, amount=declared.amount or hints.amount)
    if kind is ActionKind.TOOL_CALL and declared.impact is Impact.UNKNOWN:
        filled = replace(filled, impact=hints.impact, reversal=hints.reversal, classified=hints.classified)
    return filled


def complete(
    resource: Resource | None, *, kind: ActionKind, name: str, description: str, arguments: list[str]
) -> Resource:
    """The resource to register: what was declared, with its id and kind, or a guess."""
    if resource is None:
        base = guess(name, description, arguments)
        if kind is not ActionKind.TOOL_CALL:
            base = Resource(
                impact=Impact.READ,
                reversal=Reversal.NONE_NEEDED,
                source_trust=_UNDECLARED_TRUST,
                classified="guessed",
                idempotent=True,
            )
    else:
        base = _filled(resource, guess(name, description, arguments), kind)
    if base.source_trust is None:
        base = replace(base, source_trust=_UNDECLARED_TRUST)
    return replace(base, id=base.id or name, kind=kind, labels=tuple(sorted(set(base.labels))))
