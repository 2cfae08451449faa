"""The manifest as a whole: reading it, and writing grants into its text.

`replace_grants` replaces the lines of an agent's `tools`, `retrievers` and `models` and leaves all others as they are,
comments included; the result is read again before it is returned, so that a layout it cannot edit is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import yaml

from halo_core.crypto import canonical
from halo_core.errors import ConfigError
from halo_core.manifest.agents import Agent, GrantRule, read_agent
from halo_core.manifest.fields import (
    SECTIONS,
    best_matches,
    check_name,
    is_pattern,
    read_declarations,
    read_integer,
)
from halo_core.manifest.nodes import FindingCollector, Item, did_you_mean, printable, read_document
from halo_core.manifest.passport_spec import PassportSpec, RegisteredResource, expand_grants
from halo_core.model import ActionKind, Constraint, ConstraintKind, Grants, Resource
from halo_core.passports import is_resource_id

_MANIFEST_FIELDS = ("version", "tenant", "principal", *SECTIONS, "agents")
MANIFEST_DOMAIN = "halo/manifest/v1"
"""Domain of the digest of a manifest's text."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Agents of one tenant, and what their tools are.

    Args:
        hash: `sha256:` digest of the text.
        principal: the accountable party.
        declared: declarations by action kind, then by name or pattern.
    """

    source: str
    hash: str
    tenant: str
    principal: str
    declared: Mapping[ActionKind, Mapping[str, Resource]]
    agents: Mapping[str, Agent]
    text: str = field(default="", repr=False)

    def find_agent(self, agent: str) -> Agent:
        """One agent.

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
        chosen = best_matches(declared, resource)
        if len(chosen) > 1:
            message = f"{self.source}: `{chosen[0]}` and `{chosen[1]}` apply equally to `{printable(resource)}`"
            raise ConfigError("manifest", message, remedy=f"add a line for `{printable(resource)}` itself")
        return declared[chosen[0]] if chosen else None

    def build_passport_spec(
        self, agent: str, catalogue: Iterable[RegisteredResource], *, allow_unspent: bool = False
    ) -> PassportSpec:
        """What the standing passport of an agent says: grants expanded over what is known.

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
    report.raise_findings()
    digest = canonical.digest(MANIFEST_DOMAIN, text.encode("utf-8"))
    return Manifest(source, digest, tenant, principal, declared, agents, text)


def _bind_report(agent: Agent, report: FindingCollector) -> Agent:
    """A copy of the agent that reports into `report`, since one manifest is issued from many times."""
    rules = {
        kind: tuple(replace(rule, item=replace(rule.item, report=report)) for rule in agent_rules)
        for kind, agent_rules in agent.rules.items()
    }
    return replace(agent, rules=rules, item=replace(agent.item, report=report))


_NEW_MANIFEST: Final = (
    "# Agents of this tenant and what each may do: docs/manifest.md.\nversion: 1\ntenant: {}\n\nagents:\n"
)

_SEPARATORS: Final = str.maketrans("", "", "-_.")


def replace_grants(text: str, agent: str, grants: Grants, *, tenant: str, source: str = "agents.yaml") -> str:
    """Write a manifest in which `agent` has exactly these grants; a new one if `text` is empty.

    Raises:
        ConfigError: the text is no manifest, or its layout (`{...}` on one line) cannot be edited by lines.
    """
    hand_off = sorted(name for name in grants.get(ActionKind.HANDOFF, {}) if name != agent)
    if not text.strip():
        body = [f"  {_quote(agent)}:", *_format_sections(grants, "    ")]
        if hand_off:
            body.append(f"    hand_off: [{', '.join(map(_quote, hand_off))}]")
        stubs = [f"  {_quote(name)}:\n    tools: {{}}" for name in hand_off]
        edited = _NEW_MANIFEST.format(_quote(tenant)) + "\n".join([*body, *stubs]) + "\n"
    else:
        edited = _edit(text, agent, grants, source)
    _check_written(edited, agent, grants, source)
    return edited


def format_grants(grants: Grants, indent: str = "") -> str:
    """Format an agent's grants as sections of YAML."""
    return "\n".join(_format_sections(grants, indent))


def _format_sections(grants: Grants, indent: str) -> list[str]:
    lines = []
    for section, kind in SECTIONS.items():
        resources = grants.get(kind, {})
        if resources or kind is ActionKind.TOOL_CALL:
            lines.append(f"{indent}{section}:" if resources else f"{indent}{section}: {{}}")
        lines += [f"{indent}  {_quote(name)}: {_format_arguments(rules)}" for name, rules in sorted(resources.items())]
    return lines


def _format_arguments(rules: Mapping[str, Constraint]) -> str:
    return "{" + ", ".join(f"{_quote(name)}: {_format_constraint(rule)}" for name, rule in sorted(rules.items())) + "}"


def _format_constraint(rule: Constraint) -> str:
    values = ", ".join(_quote(value) if isinstance(value, str) else str(value).lower() for value in rule.values)
    bounds = ", ".join(
        f"{name}: {value}" for name, value in (("min", rule.low), ("max", rule.high)) if value is not None
    )
    return {
        ConstraintKind.WILDCARD: "any",
        ConstraintKind.EXACT: f"{{exact: {values}}}",
        ConstraintKind.ONE_OF: f"{{one_of: [{values}]}}",
        ConstraintKind.NOT_ONE_OF: f"{{not_one_of: [{values}]}}",
        ConstraintKind.RANGE: f"{{{bounds}}}",
        ConstraintKind.PREFIX: f"{{prefix: {_quote(rule.text)}}}",
        ConstraintKind.PATTERN: f"{{pattern: {_quote(rule.text)}}}",
    }[rule.kind]


def _quote(text: str) -> str:
    # Bare where nobody could read it as anything but itself; a double-quoted text of JSON is one of YAML.
    is_bare = text.isascii() and text.translate(_SEPARATORS).isalpha() and len(text) > 1 and text[0].isalpha()
    reserved = text.lower() in ("any", "null", "true", "false", "yes", "no", "on", "off")
    return text if is_bare and not reserved else json.dumps(text, ensure_ascii=False)


def _edit(text: str, agent: str, grants: Grants, source: str) -> str:
    report = FindingCollector(source)
    root = read_document(text, source, report)
    agents = root.mapping().get("agents")
    agent_items = agents.mapping() if agents is not None else {}
    report.raise_findings()
    lines = text.splitlines()
    if agents is not None and _is_on_one_line(agents):
        raise _layout_error(agents, "agents", source)
    if agents is None or agent not in agent_items:
        place = _end_line(agents) if agents is not None else len(lines)
        indent = _read_indent(agents) if agents is not None else "  "
        added = [f"{indent}{_quote(agent)}:", *_format_sections(grants, indent + "  ")]
        lines[place:place] = added if agents is not None else ["agents:", *added]
        return "\n".join(lines) + "\n"
    item = agent_items[agent]
    if _is_on_one_line(item):
        raise _layout_error(item, agent, source)
    for key, value in reversed(item.node.value):
        if key.value in SECTIONS:
            del lines[key.start_mark.line : _end_line(replace(item, node=value))]
    lines[item.place[0] - 1 : item.place[0] - 1] = _format_sections(grants, _read_indent(item))
    return "\n".join(lines) + "\n"


def _end_line(item: Item) -> int:
    """The line after the last one of a node, without the blank lines and comments that follow it."""
    last: Any = item.node
    while isinstance(last, yaml.CollectionNode) and last.value and not last.flow_style:
        value = last.value[-1]
        last = value[1] if isinstance(value, tuple) else value
    mark = last.end_mark
    return int(mark.line + 1 if mark.column > 0 or mark.line == last.start_mark.line else mark.line)


def _is_on_one_line(item: Item) -> bool:
    node = item.node
    return not isinstance(node, yaml.CollectionNode) or bool(node.flow_style) or not node.value


def _layout_error(item: Item, name: str, source: str) -> ConfigError:
    message = f"{source}:{item.place[0]}: `{printable(name)}` is written on one line and cannot be edited"
    return ConfigError("manifest_layout", message, remedy="put its fields on lines of their own")


def _read_indent(item: Item) -> str:
    return " " * int(item.node.start_mark.column)


def _check_written(text: str, agent: str, grants: Grants, source: str) -> None:
    written = load_manifest(text, source=source).find_agent(agent)
    for section, kind in SECTIONS.items():
        rules: tuple[GrantRule, ...] = written.rules.get(kind, ())
        written_rules = {rule.pattern: dict(rule.arguments or {}) for rule in rules}
        if written_rules != {name: dict(rules) for name, rules in grants.get(kind, {}).items()}:
            raise ConfigError("manifest_layout", f"`{section}` could not be written", remedy="edit the file by hand")
