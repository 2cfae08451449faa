"""Registered resources of one facade, and guesses for those that nobody declared.

A guess is made from a tool's name, description and argument names, printed once, and replaced by
`guard(x, resource=Resource(...))`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from halo_core.crypto import canonical
from halo_core.errors import ConfigError
from halo_core.model import ANY_OTHER, ActionKind, Constraint, ConstraintKind, Grants, Impact, Resource, Reversal
from halo_core.passports import is_resource_id
from halo_core.policy import infer_arg_types
from halo_core.values.leaves import names_note

_NAME_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")

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
_DRAFTING: Final = frozenset("draft compose preview prepare".split())
_MONEY: Final = frozenset("money payment transfer invoice wire".split())

_TARGETS: Final = frozenset(
    "to cc bcc recipient recipients receiver beneficiary payee creditor iban account destination dest target url uri "
    "link webhook endpoint host domain email emails mail address addresses user username member collaborator channel "
    "phone participant participants attendee attendees attachment attachments path file repo repository owner key "
    "command".split()
)
_AMOUNTS: Final = ("amount", "sum", "value", "price", "total")
_CONSEQUENCES: Final = (Impact.PAYMENT, Impact.SEND, Impact.ADMIN)
_UNDECLARED_TRUST: Final = 300  # what comes back may be anybody's words, receipts too: kept, but it taints the session

_REVERSAL: Final = {
    Impact.READ: Reversal.NONE_NEEDED,
    Impact.WRITE: Reversal.UNDO,
    Impact.SEND: Reversal.IRREVERSIBLE,
    Impact.PAYMENT: Reversal.COMPENSATE,
}


def guess_resource(name: str, description: str, arguments: Iterable[str]) -> Resource:
    """Guess a classification: impact from verbs, targets and amount from argument names.

    The name is read first; the description only when the name says nothing.
    """
    impact = _guess_impact(name) or _guess_impact(description.split(".", 1)[0]) or Impact.UNKNOWN
    names = list(arguments)
    return Resource(
        impact=impact,
        reversal=_REVERSAL.get(impact, Reversal.IRREVERSIBLE),
        source_trust=_UNDECLARED_TRUST,
        targets=tuple(sorted(arg for arg in names if _TARGETS & {word.lower() for word in _NAME_WORD.findall(arg)})),
        amount=next((arg for arg in _AMOUNTS if arg in names), ""),
        classified="unknown" if impact is Impact.UNKNOWN else "guessed",
    )


def _guess_impact(text: str) -> Impact | None:
    words = [word.lower() for word in _NAME_WORD.findall(text)]
    if "send" in words and _MONEY & set(words):
        return Impact.PAYMENT
    if words and words[0] in _VERBS[5][1]:
        # "get_payment_history" reads; the verb in front decides.
        return Impact.READ
    if words and words[0] in _DRAFTING:
        return Impact.WRITE  # "draft_reply" sends nothing
    for impact, verbs in _VERBS:
        if verbs & set(words):
            return impact
    return None


def _fill_missing(declared: Resource, hints: Resource, kind: ActionKind, arguments: Iterable[str]) -> Resource:
    """Fill in what a declaration left out from the guess, field by field."""
    filled = replace(declared, targets=declared.targets or hints.targets, amount=declared.amount or hints.amount)
    if kind is ActionKind.TOOL_CALL and declared.impact is Impact.UNKNOWN:
        filled = replace(filled, impact=hints.impact, reversal=hints.reversal, classified=hints.classified)
    elif not declared.targets and declared.impact in _CONSEQUENCES:
        # INVARIANT: FAILCLOSED - where nobody said which argument names who is paid or told, each of them may.
        others = (name for name in arguments if not names_note(f"/{name}") and name != filled.amount)
        filled = replace(filled, targets=tuple(sorted({*hints.targets, *others})))
    return filled


def complete_resource(
    resource: Resource | None, *, kind: ActionKind, name: str, description: str, arguments: list[str]
) -> Resource:
    """The resource to register: what was declared, with its id and kind, or a guess."""
    if resource is None:
        base = guess_resource(name, description, arguments)
        if kind is not ActionKind.TOOL_CALL:
            base = Resource(
                impact=Impact.READ,
                reversal=Reversal.NONE_NEEDED,
                source_trust=_UNDECLARED_TRUST,
                classified="guessed",
                idempotent=True,
            )
    else:
        base = _fill_missing(resource, guess_resource(name, description, arguments), kind, arguments)
    if base.source_trust is None:
        base = replace(base, source_trust=_UNDECLARED_TRUST)
    return replace(base, id=base.id or name, kind=kind, labels=tuple(sorted(set(base.labels))))


_WILDCARD = Constraint(ConstraintKind.WILDCARD)
_MAX_NAME = 128


@dataclass(frozen=True, slots=True)
class RegisteredResource:
    """A resource and the JSON schema of its arguments."""

    resource: Resource
    schema: Mapping[str, Any]

    def argument_names(self) -> list[str]:
        """Names of the arguments the schema knows."""
        return sorted(self.schema.get("properties", {}))

    def wildcard_grant(self) -> dict[str, Constraint]:
        """A grant for every argument of the schema, closed unless the schema is open."""
        grant = dict.fromkeys(filter(_is_grantable, self.argument_names()), _WILDCARD)
        if self.schema.get("additionalProperties"):
            grant[ANY_OTHER] = _WILDCARD
        return grant

    def to_bytes(self) -> bytes:
        """Canonical bytes for the `resource` table and the registration entry."""
        return canonical.dumps({"resource": self.resource.to_plain(), "schema": canonical.to_plain(self.schema)})

    @classmethod
    def from_bytes(cls, data: bytes) -> RegisteredResource:
        """Inverse of `to_bytes`."""
        tree = canonical.loads(data)
        return cls(Resource.from_plain(tree["resource"]), canonical.from_plain(tree["schema"]))


def _is_grantable(name: str) -> bool:
    # What a passport may name; a homoglyph would look like a grant of another argument.
    return 0 < len(name) <= _MAX_NAME and name.isascii() and name.isprintable()


class Registry:
    """Resources of one facade by id. Ids are unique over all kinds, since a policy names an action by them."""

    __slots__ = ("_resources", "version")

    def __init__(self) -> None:
        self._resources: dict[str, RegisteredResource] = {}
        self.version = 0

    def add(self, item: RegisteredResource) -> Resource:
        """Register a resource; the same one twice changes nothing.

        Raises:
            ConfigError: the id belongs to a resource of another kind, or to a tool with other arguments.
        """
        registered = self._resources.get(item.resource.id)
        if registered is not None and registered.schema.get("properties") != item.schema.get("properties"):
            raise ConfigError(
                "resource_id_taken",
                f"`{item.resource.id}` is already registered with other arguments",
                field="resource",
                remedy="give one of the two another name or its own id: `resource=Resource(id=...)`",
            )
        if registered is not None and registered.resource.kind is not item.resource.kind:
            raise ConfigError(
                "resource_id_taken",
                f"`{item.resource.id}` is already registered as a {registered.resource.kind.value}",
                field="resource",
                remedy="give one of the two another id: `resource=Resource(id=...)`",
            )
        if registered != item:
            self._resources[item.resource.id] = item
            self.version += 1
        return item.resource

    def get(self, resource_id: str) -> RegisteredResource | None:
        """One registration."""
        return self._resources.get(resource_id)

    def items(self) -> Iterable[RegisteredResource]:
        """All of them, by id."""
        return [self._resources[key] for key in sorted(self._resources)]

    def argument_types(self) -> dict[str, dict[str, str]]:
        """Argument types for the policy, by resource."""
        return {item.resource.id: dict(infer_arg_types(item.schema)) for item in self.items()}

    def build_grants(self, wanted: Mapping[str, Mapping[str, Constraint]] | None, *, compact: bool = False) -> Grants:
        """Grants over what is registered.

        Args:
            wanted: exact grants by resource id, or None for everything registered.
            compact: grant any argument instead of each by name, where a passport could not hold them all.
        """
        grants: dict[ActionKind, dict[str, Mapping[str, Constraint]]] = {}
        for item in self.items():
            if not is_resource_id(item.resource.id):
                continue  # a passport cannot name it, so it is never granted
            if wanted is None:
                grant: Mapping[str, Constraint] = {ANY_OTHER: _WILDCARD} if compact else item.wildcard_grant()
            elif item.resource.id in wanted:
                grant = wanted[item.resource.id]
            elif item.resource.kind is ActionKind.INFERENCE:
                grant = item.wildcard_grant()
            else:
                continue
            grants.setdefault(item.resource.kind, {})[item.resource.id] = grant
        return grants
