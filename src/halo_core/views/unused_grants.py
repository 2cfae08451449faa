"""Grants that an agent does not use: since when, of whom notice was given, and what was removed.

    for item in list_unused_grants(reader, tenant, home, now_us): ...

A grant counts as unused where it is older than the days of its agent's manifest and nothing ran on it since. What runs
under an agent uses the agent's grants too. Hand-offs are not counted: the manifest alone says who hands to whom.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from halo_core.clock import DAY_US
from halo_core.errors import ConfigError
from halo_core.manifest import UnusedGrants, load_manifest
from halo_core.model import ActionKind, Constraint, EntryKind, GrantName, Grants
from halo_core.store.reader import LoggedEntry, Reader, read_entries
from halo_core.views import View
from halo_core.views.inventory import Proposal, ProposedGrants, list_acting_agents, read_manifest_if_any
from halo_core.views.passports import find_chain

_KINDS: Final = (EntryKind.PASSPORT, EntryKind.DECISION, EntryKind.GRANTS)


@dataclass(frozen=True, slots=True)
class UnusedGrant:
    """A grant that was not used for long.

    Args:
        kind: of the action.
        name: of the resource.
        granted_us: since when it is granted, microseconds since the epoch.
        used_us: its last use; 0 for none.
        removed_from_us: from when on it may be removed, by the notice that was given; 0 for no notice.
    """

    kind: str
    name: str
    granted_us: int
    used_us: int
    removed_from_us: int = 0

    @property
    def text(self) -> str:
        """As people write it."""
        return self.name if self.kind == ActionKind.TOOL_CALL.value else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class AgentUnusedGrants(View):
    """The unused grants of one agent.

    Args:
        agent: its id.
        rule: what its manifest says.
        granted: what its passport grants.
        total: number of grants, hand-offs left out.
        unused: those that were not used for long.
        is_issued: the passport was issued, so that another one can take its place.
        passport: its hash.
        now_us: the time of the answer.
    """

    agent: str
    rule: UnusedGrants
    granted: Grants
    total: int
    unused: tuple[UnusedGrant, ...]
    is_issued: bool
    passport: str
    now_us: int

    def list_due(self) -> tuple[UnusedGrant, ...]:
        """Grants whose notice is over."""
        if self.rule.action != "remove" or not self.is_issued:
            return ()
        return tuple(item for item in self.unused if 0 < item.removed_from_us <= self.now_us)

    def list_unnoticed(self) -> tuple[UnusedGrant, ...]:
        """Grants of which notice has to be given."""
        if self.rule.action != "remove" or not self.is_issued:
            return ()
        return tuple(item for item in self.unused if not item.removed_from_us)

    def without(self, removed: tuple[UnusedGrant, ...]) -> ProposedGrants:
        """The grants that are left without some, as a proposal that a manifest can be made of."""
        gone = {(item.kind, item.name) for item in removed}
        left = {
            kind: {name: rules for name, rules in resources.items() if (kind.value, name) not in gone}
            for kind, resources in self.granted.items()
        }
        return ProposedGrants(Proposal(self.agent, self.granted, ()), left)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "action": self.rule.action,
            "after_days": self.rule.after_days,
            "agent": self.agent,
            "grants": self.total,
            "notice_days": self.rule.notice_days,
            "unused": [
                {
                    "granted_us": item.granted_us,
                    "kind": item.kind,
                    "name": item.name,
                    "removed_from_us": item.removed_from_us,
                    "used_us": item.used_us,
                }
                for item in self.unused
            ],
        }


@dataclass(slots=True)
class _AgentUse:
    """What the log says of one agent so far."""

    granted: dict[GrantName, int] = field(default_factory=dict)
    grants: Grants = field(default_factory=dict)
    used: dict[GrantName, int] = field(default_factory=dict)
    noticed: dict[GrantName, int] = field(default_factory=dict)
    manifest: str = ""
    is_issued: bool = False
    passport: str = ""

    def take_passport(self, body: Mapping[str, Any], grants: Grants, ts_us: int) -> None:
        names = {
            (kind.value, name)
            for kind, resources in grants.items()
            if kind is not ActionKind.HANDOFF
            for name in resources
        }
        self.granted = {item: self.granted.get(item, ts_us) for item in names}
        self.noticed = {item: at for item, at in self.noticed.items() if item in names}
        self.grants, self.passport = grants, str(body["hash"])
        self.manifest, self.is_issued = str(body.get("manifest", "")), body.get("origin") == "issued"

    def take_act(self, body: Mapping[str, Any], ts_us: int) -> None:
        names = [(str(kind), str(name)) for kind, name in body["grants"]]
        if body["op"] == "notice":
            self.noticed.update(dict.fromkeys(names, int(body["removed_from_us"])))
        elif body["op"] == "restore":
            self.granted.update((item, ts_us) for item in names if item in self.granted)
            for item in names:
                self.noticed.pop(item, None)

    def take_use(self, item: GrantName, ts_us: int) -> None:
        self.used[item] = max(self.used.get(item, 0), ts_us)
        self.noticed.pop(item, None)  # a use ends the notice


def list_unused_grants(
    reader: Reader, tenant: str, home: Path, now_us: int, *, agent: str = "", days: int | None = None
) -> list[AgentUnusedGrants]:
    """The unused grants of each agent with a passport, by name.

    Args:
        reader: the store.
        tenant: whose log.
        home: where a manifest may be that was never issued from.
        now_us: the time, microseconds since the epoch.
        agent: this one only.
        days: in place of what manifests say.
    """
    uses: dict[str, _AgentUse] = {}
    for record in read_entries(reader, tenant, _KINDS):
        _take_entry(reader, tenant, record, uses)
    found = []
    for name in sorted(uses):
        use = uses[name]
        if not use.passport or agent not in ("", name):
            continue
        rule = _find_rule(reader, tenant, home, name, use)
        limit_us = now_us - (rule.after_days if days is None else days) * DAY_US
        unused = tuple(
            UnusedGrant(*item, granted_us, use.used.get(item, 0), use.noticed.get(item, 0))
            for item, granted_us in sorted(use.granted.items())
            if max(granted_us, use.used.get(item, 0)) <= limit_us
        )
        found.append(
            AgentUnusedGrants(name, rule, use.grants, len(use.granted), unused, use.is_issued, use.passport, now_us)
        )
    return found


def _take_entry(reader: Reader, tenant: str, record: LoggedEntry, uses: dict[str, _AgentUse]) -> None:
    body, ts_us = record.entry.body, record.entry.ts_us
    if record.entry.kind is EntryKind.PASSPORT:
        if body.get("kind", "standing") == "standing":
            stored = find_chain(reader, tenant, body["hash"])
            if stored is not None:
                uses.setdefault(body["agent"], _AgentUse()).take_passport(body, stored.links[0].grants, ts_us)
    elif record.entry.kind is EntryKind.GRANTS:
        uses.setdefault(str(body["agent"]), _AgentUse()).take_act(body, ts_us)
    elif body["dispatched"]:
        request = body["request"]
        for name in list_acting_agents(request["subject"]):
            uses.setdefault(name, _AgentUse()).take_use((request["kind"], request["resource"]["id"]), ts_us)


def _find_rule(reader: Reader, tenant: str, home: Path, agent: str, use: _AgentUse) -> UnusedGrants:
    """What the manifest says that the passport was issued from, else that of the home."""
    try:
        data = reader.blob(tenant, use.manifest) if use.manifest else None
        manifest = load_manifest(data.decode()) if data is not None else read_manifest_if_any(home, None)
    except (ConfigError, UnicodeError):
        return UnusedGrants()
    section = manifest.agents.get(agent) if manifest is not None else None
    return UnusedGrants() if section is None else section.unused_grants


@dataclass(frozen=True, slots=True)
class RemovedGrants:
    """Grants that were removed from an agent and not restored since.

    Args:
        agent: its id.
        grants: them, with the constraints that they had.
        names: kind and id of each.
        at_us: when the last of them was removed.
    """

    agent: str
    grants: Grants
    names: tuple[GrantName, ...]
    at_us: int


def load_removed_grants(reader: Reader, tenant: str, agent: str) -> RemovedGrants:
    """What was removed from an agent and can be restored; empty where nothing was."""
    removed: dict[GrantName, tuple[str, int]] = {}
    for record in read_entries(reader, tenant, (EntryKind.GRANTS,)):
        body = record.entry.body
        if body.get("agent") != agent or body["op"] not in ("remove", "restore"):
            continue
        for kind, name in body["grants"]:
            removed.pop((kind, name), None)
            if body["op"] == "remove":
                removed[kind, name] = body["before"], record.entry.ts_us
    grants: dict[ActionKind, dict[str, Mapping[str, Constraint]]] = {}
    names = []
    for (kind, name), (passport, _) in sorted(removed.items()):
        stored = find_chain(reader, tenant, passport)
        rules = None if stored is None else stored.links[0].grants.get(ActionKind(kind), {}).get(name)
        if rules is not None:
            grants.setdefault(ActionKind(kind), {})[name] = rules
            names.append((kind, name))
    return RemovedGrants(agent, grants, tuple(names), max((at_us for _, at_us in removed.values()), default=0))
