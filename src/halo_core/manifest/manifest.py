"""Room: manifest, the whole of it. Takes: the text of `agents.yaml`. Gives: a `Manifest`, or every error in it.

Never: I/O; trusts the file to be well meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from halo_core import canonical
from halo_core.errors import ConfigError
from halo_core.manifest.agents import Agent, read_agent
from halo_core.manifest.findings import Report, did_you_mean, shown
from halo_core.manifest.issue import Issue, Offered, expand
from halo_core.manifest.patterns import best, is_pattern
from halo_core.manifest.scalars import integer, name
from halo_core.manifest.tools import SECTIONS, Declared, read_declarations
from halo_core.manifest.tree import Item, read
from halo_core.model import ActionKind, Resource
from halo_core.passport import is_resource_id

__all__ = ["MANIFEST_DOMAIN", "Manifest", "load"]

_FIELDS = ("version", "tenant", "principal", *SECTIONS, "agents")
MANIFEST_DOMAIN = "halo/manifest/v1"
"""Under which the digest of a manifest's text names it."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Agents of one tenant, and what their tools are.

    Args:
        source: file name, as errors name it.
        hash: `sha256:` over the text.
        tenant: whose agents.
        principal: the accountable party.
        declared: declarations by action kind, then by name or pattern.
        agents: by id.
        text: what was read.
    """

    source: str
    hash: str
    tenant: str
    principal: str
    declared: Mapping[ActionKind, Declared]
    agents: Mapping[str, Agent]
    text: str = field(default="", repr=False)

    def agent(self, agent: str) -> Agent:
        """One agent.

        Raises:
            ConfigError: there is none of that name.
        """
        found = self.agents.get(agent)
        if found is None:
            raise ConfigError(
                "no_such_agent",
                f"{self.source} has no agent `{shown(agent)}`",
                field="agent",
                remedy=did_you_mean(agent, self.agents, "add it under `agents`"),
            )
        return found

    def resource(self, resource: str, kind: ActionKind = ActionKind.TOOL_CALL) -> Resource | None:
        """The declaration of a resource: under its own name, else under the longest pattern that matches it.

        Raises:
            ConfigError: two patterns match it equally.
        """
        declared = self.declared.get(kind, Declared())
        chosen = best(declared, resource)
        if len(chosen) > 1:
            raise ConfigError(
                "manifest",
                f"{self.source}: `{chosen[0]}` and `{chosen[1]}` speak of `{shown(resource)}` equally",
                remedy=f"add a line for `{shown(resource)}` itself",
            )
        return declared[chosen[0]] if chosen else None

    def standing(self, agent: str, catalogue: Iterable[Offered], *, spare: bool = False) -> Issue:
        """What the standing passport of an agent says: grants expanded over what is known.

        Args:
            agent: its id.
            catalogue: what is registered; what the manifest itself declares by exact name is known besides.
            spare: note a budget that nothing spends instead of refusing it.

        Raises:
            ManifestError: a grant or a budget does not fit what is known.
            ConfigError: there is no such agent.
        """
        found = self.agent(agent)
        known: dict[ActionKind, dict[str, tuple[Resource, Offered | None]]] = {}
        for kind, declared in self.declared.items():
            exact = {pattern: item for pattern, item in declared.items() if not is_pattern(pattern)}
            known[kind] = {pattern: (item, None) for pattern, item in exact.items() if is_resource_id(pattern)}
        for item in catalogue:
            resource = item.resource
            if is_resource_id(resource.id):
                told = self.resource(resource.id, resource.kind)
                known.setdefault(resource.kind, {})[resource.id] = (told or resource, item)
        report = Report(self.source)
        return expand(
            _with(found, report), known, tenant=self.tenant, principal=self.principal, report=report, spare=spare
        )


def load(text: str, *, source: str = "agents.yaml") -> Manifest:
    """Read a manifest.

    Args:
        text: YAML, see `docs/manifest.md`.
        source: how errors name it.

    Raises:
        ManifestError: a `ConfigError` whose message starts with `agents.yaml:LINE:COLUMN`; all errors are in its
            `findings`.
    """
    report = Report(source)
    root = read(text, source, report)
    members = root.mapping(_FIELDS)
    _version(root, members.get("version"))
    tenant = (members["tenant"].text(most=256) if "tenant" in members else None) or "local"
    principal = (members["principal"].text(most=256) if "principal" in members else None) or f"tenant:{tenant}"
    declared = {kind: read_declarations(members[key], kind) for key, kind in SECTIONS.items() if key in members}
    agents = {}
    if "agents" in members:
        listed = members["agents"].mapping()
        for agent, item in listed.items():
            if name(item, agent):
                agents[agent] = read_agent(agent, item, agents=listed, principal=principal)
    if "agents" not in members or (members["agents"].is_mapping() and not members["agents"].node.value):
        root.fail("there are no `agents`", "name at least one, see docs/manifest.md")
    report.check()
    digest = canonical.digest(MANIFEST_DOMAIN, text.encode("utf-8"))
    return Manifest(source, digest, tenant, principal, declared, agents, text)


def _version(root: Item, item: Item | None) -> None:
    if item is None:
        if root.is_mapping():
            root.fail("`version` is missing", "write `version: 1` on the first line")
    else:
        integer(item, 1, 1)


def _with(agent: Agent, report: Report) -> Agent:
    """The agent, reporting into this report: a manifest is read once and issued from many times."""
    rules = {
        kind: tuple(replace(rule, item=replace(rule.item, report=report)) for rule in listed)
        for kind, listed in agent.rules.items()
    }
    return replace(agent, rules=rules, item=replace(agent.item, report=report))
