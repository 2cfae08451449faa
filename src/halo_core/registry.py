"""Room: what is registered. Takes: resources with the JSON schemas of their arguments. Gives: grants, types, bytes.

Never: I/O.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from halo_core import canonical
from halo_core.errors import ConfigError
from halo_core.model import ANY_OTHER, ActionKind, Constraint, ConstraintKind, Grants, Resource
from halo_core.passport import is_resource_id
from halo_core.policy import arg_types

__all__ = ["Registered", "Registry"]

_WILDCARD = Constraint(ConstraintKind.WILDCARD)
_MAX_NAME = 128


@dataclass(frozen=True, slots=True)
class Registered:
    """A resource and the JSON schema of its arguments."""

    resource: Resource
    schema: Mapping[str, Any]

    def arguments(self) -> list[str]:
        """Names of the arguments the schema knows."""
        return sorted(self.schema.get("properties", {}))

    def wildcard_grant(self) -> dict[str, Constraint]:
        """A grant for every argument of the schema, closed unless the schema is open."""
        grant = dict.fromkeys(filter(_grantable, self.arguments()), _WILDCARD)
        if self.schema.get("additionalProperties"):
            grant[ANY_OTHER] = _WILDCARD
        return grant

    def to_bytes(self) -> bytes:
        """For the `resource` table and the registration entry."""
        return canonical.dumps({"resource": self.resource.to_plain(), "schema": canonical.to_plain(self.schema)})

    @classmethod
    def from_bytes(cls, data: bytes) -> Registered:
        """Inverse of `to_bytes`."""
        plain = canonical.loads(data)
        return cls(Resource.from_plain(plain["resource"]), canonical.from_plain(plain["schema"]))


def _grantable(name: str) -> bool:
    # What a passport may name; a homoglyph would look like a grant of another argument.
    return 0 < len(name) <= _MAX_NAME and name.isascii() and name.isprintable()


class Registry:
    """Resources of one facade by id. Ids are unique over all kinds, since a policy names an action by them."""

    __slots__ = ("_items", "version")

    def __init__(self) -> None:
        self._items: dict[str, Registered] = {}
        self.version = 0

    def add(self, item: Registered) -> Resource:
        """Register; the same thing twice is nothing new.

        Raises:
            ConfigError: the id belongs to a resource of another kind, or to a tool with other arguments.
        """
        known = self._items.get(item.resource.id)
        if known is not None and known.schema.get("properties") != item.schema.get("properties"):
            raise ConfigError(
                "resource_id_taken",
                f"`{item.resource.id}` is registered with other arguments already",
                field="resource",
                remedy="give one of the two another name, or an id of its own: `resource=Resource(id=...)`",
            )
        if known is not None and known.resource.kind is not item.resource.kind:
            raise ConfigError(
                "resource_id_taken",
                f"`{item.resource.id}` is registered as a {known.resource.kind.value} already",
                field="resource",
                remedy="give one of the two another id: `resource=Resource(id=...)`",
            )
        if known != item:
            self._items[item.resource.id] = item
            self.version += 1
        return item.resource

    def get(self, resource_id: str) -> Registered | None:
        """One registration."""
        return self._items.get(resource_id)

    def items(self) -> Iterable[Registered]:
        """All of them, by id."""
        return [self._items[key] for key in sorted(self._items)]

    def types(self) -> dict[str, dict[str, str]]:
        """Argument types for the policy, by resource."""
        return {item.resource.id: dict(arg_types(item.schema)) for item in self.items()}

    def grants(self, wanted: Mapping[str, Mapping[str, Constraint]] | None, *, compact: bool = False) -> Grants:
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
