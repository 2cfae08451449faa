"""Passports and registrations in log order: which declaration became milder without a passport that says so.

An application's process registers what its code or a manifest declares. Where the agent has an issued passport, that is
the text that it was issued from; otherwise it is the file in the home, or the code, which anybody may have changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from halo_core.errors import ConfigError
from halo_core.manifest import Manifest
from halo_core.model import EntryKind, Link, Resource
from halo_core.store.reader import Reader, read_entries
from halo_core.views.changes import Change
from halo_core.views.declaration_changes import diff_registration, is_covered
from halo_core.views.manifests import load_manifest_of
from halo_core.views.passport_changes import diff_passports
from halo_core.views.passports import find_chain


class StandingPassport(NamedTuple):
    """The standing passport of an agent, the body of its entry, and the manifest that it was issued from."""

    link: Link
    facts: Mapping[str, Any]
    manifest: Manifest | None

    def is_issued(self) -> bool:
        """Whether a person issued it from a manifest, instead of a process deriving it."""
        return self.manifest is not None and self.facts.get("origin") == "issued"


class LoosenedDeclaration(NamedTuple):
    """A registration that says milder things of a resource than the one before, without an issued passport.

    Args:
        resource: id of the resource.
        agents: agents that may use it, and whose passports do not stand for the declaration.
        changes: what became milder.
    """

    resource: str
    agents: tuple[str, ...]
    changes: tuple[Change, ...]


@dataclass(slots=True)
class DeclarationHistory:
    """What is in force at one place of a log.

    Args:
        passports: agent → its standing passport.
        registered: id → the resource as it was registered last.
    """

    passports: dict[str, StandingPassport] = field(default_factory=dict)
    registered: dict[str, Resource] = field(default_factory=dict)

    def add_passport(self, agent: str, passport: StandingPassport) -> list[Change]:
        """Take a standing passport; returns how it differs from the one before."""
        old = self.passports.get(agent)
        self.passports[agent] = passport
        link, facts, manifest = old if old is not None else (None, {}, None)
        return diff_passports(link, passport.link, facts, passport.facts, (manifest, passport.manifest))

    def add_registration(self, body: Mapping[str, Any]) -> LoosenedDeclaration | None:
        """Take a registration; returns what it loosens, None for nothing that issued passports do not stand for."""
        new = Resource.from_plain(body["resource"])
        old = self.registered.get(new.id)
        self.registered[new.id] = new
        changes = diff_registration(old, new) if old is not None else []
        wider = tuple(item for item in changes if item.is_wider())
        if not wider:
            return None
        holders = {name: item for name, item in self.passports.items() if new.id in item.link.grants.get(new.kind, {})}
        # Whose process registered it is not recorded: one of an agent without an issued text may always have done so.
        is_issued = any(item.is_issued() and _was_issued_with(item.manifest, new) for item in holders.values())
        agents = tuple(sorted(name for name, item in holders.items() if not (is_issued and item.is_issued())))
        return LoosenedDeclaration(new.id, agents, wider) if agents or not holders else None


def _was_issued_with(manifest: Manifest | None, registered: Resource) -> bool:
    """Whether the manifest of an issued passport says no stricter things of a resource than its registration."""
    try:
        declared = None if manifest is None else manifest.find_resource(registered.id, registered.kind)
    except ConfigError:
        return False  # two patterns apply equally
    return declared is not None and is_covered(declared, registered)


def list_loosened(reader: Reader, tenant: str) -> list[LoosenedDeclaration]:
    """The declarations that became milder without an issued passport, in log order.

    Args:
        reader: the store.
        tenant: owner of the log.
    """
    history = DeclarationHistory()
    loosened = []
    for record in read_entries(reader, tenant, (EntryKind.PASSPORT, EntryKind.REGISTRATION)):
        body = record.entry.body
        if record.entry.kind is EntryKind.REGISTRATION:
            if (found := history.add_registration(body)) is not None:
                loosened.append(found)
        elif body.get("kind", "standing") == "standing":
            stored = find_chain(reader, tenant, body["hash"])
            if stored is not None:
                manifest = load_manifest_of(reader, tenant, body)
                history.passports[str(body["agent"])] = StandingPassport(stored.links[0], body, manifest)
    return loosened
