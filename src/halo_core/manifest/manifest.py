"""The manifest as a whole, read from its text. `halo_core.manifest.editing` writes into such a text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from functools import lru_cache

from halo_core.crypto import canonical
from halo_core.errors import ConfigError
from halo_core.manifest.agents import Agent, read_agent, read_suspension
from halo_core.manifest.defaults import SuspensionRule
from halo_core.manifest.fields import (
    SECTIONS,
    check_name,
    find_best_matches,
    is_pattern,
    read_declarations,
    read_integer,
)
from halo_core.manifest.nodes import FindingCollector, did_you_mean, printable, read_document
from halo_core.manifest.passport_spec import PassportSpec, RegisteredResource, expand_grants
from halo_core.model import ActionKind, Resource
from halo_core.passports import is_resource_id
from halo_core.quick_dataclass import dataclass

_MANIFEST_FIELDS = ("version", "tenant", "principal", *SECTIONS, "agents", "people")
MANIFEST_DOMAIN = "halo/manifest/v1"
"""Domain of the digest of a manifest's text."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The agents of one tenant, and their tools.

    Args:
        hash: `sha256:` digest of the text.
        principal: the accountable party.
        declared: declarations by action kind, then by name or pattern.
        suspend_people_at: from which risk on agents stop acting for a person or service account; None for never.
    """

    source: str
    hash: str
    tenant: str
    principal: str
    declared: Mapping[ActionKind, Mapping[str, Resource]]
    agents: Mapping[str, Agent]
    text: str = field(default="", repr=False)
    suspend_people_at: SuspensionRule | None = None

    def find_agent(self, agent: str) -> Agent:
        """The section of an agent.

        Raises:
            ConfigError: there is none of that name.
        """
        section = self.agents.get(agent)
        if section is None:
            raise ConfigError(
                "no_such_agent",
                f"{self.source} has no agent `{printable(agent)}`",
                field="agent",
                remedy=did_you_mean(agent, self.agents, "add it under `agents`"),
            )
        return section

    def find_resource(self, resource: str, kind: ActionKind = ActionKind.TOOL_CALL) -> Resource | None:
        """The declaration of a resource: under its own name, else under the longest pattern that matches it.

        Raises:
            ConfigError: two patterns match it equally.
        """
        declared = self.declared.get(kind, {})
        chosen = find_best_matches(declared, resource)
        if len(chosen) > 1:
            message = f"{self.source}: `{chosen[0]}` and `{chosen[1]}` apply equally to `{printable(resource)}`"
            raise ConfigError("manifest", message, remedy=f"add a line for `{printable(resource)}` itself")
        return declared[chosen[0]] if chosen else None

    def build_passport_spec(
        self, agent: str, catalogue: Iterable[RegisteredResource], *, allow_unspent: bool = False
    ) -> PassportSpec:
        """The content of an agent's standing passport, with grants expanded over known resources.

        Args:
            agent: its id.
            catalogue: what is registered; what the manifest itself declares by exact name is known besides.
            allow_unspent: note a budget that nothing spends instead of refusing it.

        Raises:
            ManifestError: a grant or a budget does not fit what is known.
            ConfigError: there is no such agent.
        """
        section = self.find_agent(agent)
        resources: dict[ActionKind, dict[str, tuple[Resource, RegisteredResource | None]]] = {}
        for kind, declared in self.declared.items():
            exact = {pattern: item for pattern, item in declared.items() if not is_pattern(pattern)}
            resources[kind] = {pattern: (item, None) for pattern, item in exact.items() if is_resource_id(pattern)}
        for item in catalogue:
            resource = item.resource
            if is_resource_id(resource.id):
                declaration = self.find_resource(resource.id, resource.kind)
                resources.setdefault(resource.kind, {})[resource.id] = (declaration or resource, item)
        bound = _bind_report(section, FindingCollector(self.source))
        return expand_grants(
            bound, resources, tenant=self.tenant, principal=self.principal, allow_unspent=allow_unspent
        )


def load_manifest(text: str, *, source: str = "agents.yaml") -> Manifest:
    """Read a manifest.

    Args:
        text: YAML, see `docs/manifest.md`.
        source: how errors name it.

    Raises:
        ManifestError: a `ConfigError` whose message starts with `agents.yaml:LINE:COLUMN`; all errors are in its
            `findings`.
    """
    return _load_manifest(text, source)


@lru_cache(maxsize=8)  # an application opens Halo for each of its agents
def _load_manifest(text: str, source: str) -> Manifest:
    report = FindingCollector(source)
    root = read_document(text, source, report)
    members = root.mapping(_MANIFEST_FIELDS)
    if "version" in members:
        read_integer(members["version"], 1, 1)
    elif root.is_mapping():
        root.fail("`version` is missing", "write `version: 1` on the first line")
    tenant = (members["tenant"].text(most=256) if "tenant" in members else None) or "local"
    principal = (members["principal"].text(most=256) if "principal" in members else None) or f"tenant:{tenant}"
    declared = {kind: read_declarations(members[key], kind) for key, kind in SECTIONS.items() if key in members}
    agents = {}
    if "agents" in members:
        agent_items = members["agents"].mapping()
        for agent, item in agent_items.items():
            if check_name(item, agent):
                agents[agent] = read_agent(agent, item, agents=agent_items, principal=principal)
    if "agents" not in members or (members["agents"].is_mapping() and not members["agents"].node.value):
        root.fail("there are no `agents`", "add at least one, see docs/manifest.md")
    people = members["people"].mapping(("suspend_at",)) if "people" in members else {}
    suspend_people_at = read_suspension(people["suspend_at"]) if "suspend_at" in people else None
    report.raise_findings()
    digest = canonical.digest(MANIFEST_DOMAIN, text.encode("utf-8"))
    return Manifest(source, digest, tenant, principal, declared, agents, text, suspend_people_at)


def _bind_report(agent: Agent, report: FindingCollector) -> Agent:
    """A copy of the agent that reports into `report`, since one manifest is used for many passports."""
    rules = {
        kind: tuple(replace(rule, item=replace(rule.item, report=report)) for rule in agent_rules)
        for kind, agent_rules in agent.rules.items()
    }
    return replace(agent, rules=rules, item=replace(agent.item, report=report))
