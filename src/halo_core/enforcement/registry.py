"""The registered resources of one facade. What nobody declared is registered as guessed (`enforcement.guesses`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from typing import Any, Final

from halo_core.crypto import canonical
from halo_core.enforcement.guesses import Guess
from halo_core.errors import ConfigError
from halo_core.model import ANY_OTHER, ActionKind, Constraint, ConstraintKind, Grants, Impact, Resource, Reversal
from halo_core.passports import is_resource_id
from halo_core.policy import infer_arg_types
from halo_core.quick_dataclass import dataclass
from halo_core.values.kinds.argument_names import names_note

_CONSEQUENCES: Final = (Impact.PAYMENT, Impact.SEND, Impact.ADMIN)
_UNDECLARED_TRUST: Final = 300  # what comes back may be anybody's words, receipts too: kept, but it taints the session


def _fill_missing(declared: Resource, guess: Guess, kind: ActionKind, arguments: Iterable[str]) -> Resource:
    """Fill in each field that a declaration left out from the guess."""
    filled = replace(declared, targets=declared.targets or guess.targets, amount=declared.amount or guess.amount)
    if kind is ActionKind.TOOL_CALL and declared.impact is Impact.UNKNOWN:
        programs = declared.programs or guess.programs
        filled = replace(filled, impact=guess.impact, reversal=guess.reversal, programs=programs)
        filled = replace(filled, classified=_classify(guess))
    elif declared.classified == "declared" and not declared.targets and declared.impact in _CONSEQUENCES:
        # INVARIANT: FAILCLOSED - where nobody said which argument names who is paid or told, each of them may. What was
        # guessed is found again as it was: it is judged as undeclared, by every argument.
        others = (name for name in arguments if not names_note(f"/{name}") and name != filled.amount)
        filled = replace(filled, targets=tuple(sorted({*guess.targets, *others})))
    return filled


def _classify(guess: Guess) -> str:
    return "unknown" if guess.impact is Impact.UNKNOWN else "guessed"


def build_guessed_resource(guess: Guess) -> Resource:
    """The guessed resource of a tool, without its id."""
    return Resource(
        impact=guess.impact,
        reversal=guess.reversal,
        targets=guess.targets,
        amount=guess.amount,
        programs=guess.programs,
        classified=_classify(guess),
    )


def complete_resource(
    resource: Resource | None, guess: Guess, *, kind: ActionKind, name: str, arguments: Iterable[str]
) -> Resource:
    """The resource to register: as declared, with its id and kind, or as guessed.

    Args:
        resource: the declaration, None if there is none.
        guess: guess from the tool's name, description and schema.
        kind: the action kind that reaches it.
        name: its id where the declaration has none.
        arguments: names of its arguments.
    """
    if resource is not None:
        base = _fill_missing(resource, guess, kind, arguments)
    elif kind is ActionKind.TOOL_CALL:
        base = build_guessed_resource(guess)
    else:
        base = Resource(impact=Impact.READ, reversal=Reversal.NONE_NEEDED, classified="guessed", idempotent=True)
    if base.source_trust is None:
        base = replace(base, source_trust=_UNDECLARED_TRUST)
    return replace(base, id=base.id or name, kind=kind, labels=tuple(sorted(set(base.labels))))


_WILDCARD = Constraint(ConstraintKind.WILDCARD)
_MAX_NAME = 128


@dataclass(frozen=True, slots=True)
class RegisteredResource:
    """A resource and the JSON schema of its arguments.

    Args:
        resource: the resource as declared or guessed.
        schema: JSON schema of its arguments.
        why: reasons of the guess in words, empty if a person declared it.
        description: what it is for, as a model reads it; not stored.
    """

    resource: Resource
    schema: Mapping[str, Any]
    why: str = ""
    description: str = field(default="", compare=False)

    def argument_names(self) -> list[str]:
        """Names of the arguments in the schema."""
        return sorted(self.schema.get("properties", {}))

    def wildcard_grant(self) -> dict[str, Constraint]:
        """A grant for every argument of the schema, closed unless the schema is open."""
        grant = dict.fromkeys(filter(_is_grantable, self.argument_names()), _WILDCARD)
        if self.schema.get("additionalProperties"):
            grant[ANY_OTHER] = _WILDCARD
        return grant

    def to_bytes(self) -> bytes:
        """Canonical bytes for the `resource` table and the registration entry."""
        tree = {"resource": self.resource.to_plain(), "schema": canonical.to_plain(self.schema)}
        return canonical.dumps(tree | {"why": self.why} if self.why else tree)

    @classmethod
    def from_bytes(cls, data: bytes) -> RegisteredResource:
        """Inverse of `to_bytes`."""
        tree = canonical.loads(data)
        schema = canonical.from_plain(tree["schema"])
        return cls(Resource.from_plain(tree["resource"]), schema, tree.get("why", ""))


def _is_grantable(name: str) -> bool:
    # What a passport may name; a homoglyph would look like a grant of another argument.
    return 0 < len(name) <= _MAX_NAME and name.isascii() and name.isprintable()


def _takes_same_arguments(one: RegisteredResource, other: RegisteredResource) -> bool:
    """Whether two registrations name the same arguments, or both accept any, in which case names may be added."""
    if one.schema.get("additionalProperties") and other.schema.get("additionalProperties"):
        return True
    return bool(one.schema.get("properties") == other.schema.get("properties"))


class Registry:
    """The resources of one facade, by id. Ids are unique over all kinds, since a policy names actions by them."""

    __slots__ = ("_resources", "version")

    def __init__(self) -> None:
        self._resources: dict[str, RegisteredResource] = {}
        self.version = 0

    def add(self, item: RegisteredResource, *, replaces: bool = False) -> Resource:
        """Register a resource; the same one twice changes nothing.

        Args:
            item: it.
            replaces: whether it takes the place of one that was registered under its id, whatever that is.

        Raises:
            ConfigError: the id belongs to a resource of another kind, or to a tool with other arguments.
        """
        registered = self._resources.get(item.resource.id)
        if replaces:
            self._put(item)
            return item.resource
        if registered is not None and not _takes_same_arguments(registered, item):
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
        self._put(item)
        return item.resource

    def _put(self, item: RegisteredResource) -> None:
        if self._resources.get(item.resource.id) != item:
            self._resources[item.resource.id] = item
            self.version += 1

    def remove(self, resource_id: str) -> None:
        """Forget a registration, if there is one."""
        if self._resources.pop(resource_id, None) is not None:
            self.version += 1

    def get(self, resource_id: str) -> RegisteredResource | None:
        """The registration of an id, if there is one."""
        return self._resources.get(resource_id)

    def items(self) -> Iterable[RegisteredResource]:
        """All registrations, by id."""
        return [self._resources[key] for key in sorted(self._resources)]

    def argument_types(self) -> dict[str, dict[str, str]]:
        """Argument types for the policy, by resource."""
        return {item.resource.id: dict(infer_arg_types(item.schema)) for item in self.items()}

    def build_grants(self, wanted: Mapping[str, Mapping[str, Constraint]] | None, *, compact: bool = False) -> Grants:
        """Grants for everything registered.

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
