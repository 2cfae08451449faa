"""Edits the text of a manifest: the grants of an agent, and declarations of tools, retrievers and models.

Lines are replaced and added; all others stay as they are, including comments. The result is parsed before it is
returned, so a layout that cannot be edited is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import yaml

from halo_core.errors import ConfigError
from halo_core.manifest.fields import SECTIONS
from halo_core.manifest.grant_rules import GrantRule
from halo_core.manifest.manifest import load_manifest
from halo_core.manifest.nodes import FindingCollector, Item, printable, read_document
from halo_core.model import ActionKind, Constraint, ConstraintKind, Grants, Impact, Resource, Reversal

Declarations = Mapping[ActionKind, Mapping[str, Resource]]
"""Action kind → name → what the resource is."""

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
        edited = _edit_grants(text, agent, grants, source)
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
    """A text as YAML: plain if it can only be read as itself, else double-quoted as in JSON."""
    is_bare = text.isascii() and text.translate(_SEPARATORS).isalpha() and len(text) > 1 and text[0].isalpha()
    is_reserved = text.lower() in ("any", "null", "true", "false", "yes", "no", "on", "off")
    return text if is_bare and not is_reserved else json.dumps(text, ensure_ascii=False)


def _edit_grants(text: str, agent: str, grants: Grants, source: str) -> str:
    """Replace an agent's grants in a manifest, or add the agent."""
    report = FindingCollector(source)
    root = read_document(text, source, report)
    agents = root.mapping().get("agents")
    agent_items = agents.mapping() if agents is not None else {}
    report.raise_findings()
    lines = text.splitlines()
    if agents is not None and _is_on_one_line(agents):
        raise _make_layout_error(agents, "agents", source)
    if agents is None or agent not in agent_items:
        place = _end_line(agents) if agents is not None else len(lines)
        indent = _read_indent(agents) if agents is not None else "  "
        added = [f"{indent}{_quote(agent)}:", *_format_sections(grants, indent + "  ")]
        lines[place:place] = added if agents is not None else ["agents:", *added]
        return "\n".join(lines) + "\n"
    item = agent_items[agent]
    if _is_on_one_line(item):
        raise _make_layout_error(item, agent, source)
    for key, value in reversed(item.node.value):
        if key.value in SECTIONS:
            del lines[key.start_mark.line : _end_line(replace(item, node=value))]
    lines[item.place[0] - 1 : item.place[0] - 1] = _format_sections(grants, _read_indent(item))
    return "\n".join(lines) + "\n"


def replace_declarations(text: str, declared: Declarations, *, source: str) -> str:
    """Write declarations into a manifest, replacing those with the same names. All others stay.

    Args:
        text: text of a manifest.
        declared: what each resource is, by action kind and name.
        source: how errors name it.

    Raises:
        ConfigError: the text is no manifest, or its layout (`{...}` on one line) cannot be edited by lines.
    """
    edited = text
    for section, kind in SECTIONS.items():
        for name, resource in sorted(declared.get(kind, {}).items()):
            edited = _replace_declaration(edited, section, name, resource, source)
    written = load_manifest(edited, source=source)
    for kind, resources in declared.items():
        for name, resource in resources.items():
            if written.declared.get(kind, {}).get(name) != replace(resource, id="", kind=kind, classified="declared"):
                raise ConfigError("manifest_layout", f"`{name}` could not be declared", remedy="edit the file by hand")
    return edited


def _replace_declaration(text: str, section: str, name: str, resource: Resource, source: str) -> str:
    report = FindingCollector(source)
    root = read_document(text, source, report)
    members = root.mapping()
    report.raise_findings()
    lines = text.splitlines()
    line = f"{_quote(name)}: {format_declaration(resource)}"
    if section not in members:
        place = next((key.start_mark.line for key, _ in root.node.value if key.value == "agents"), len(lines))
        lines[place:place] = [f"{section}:", f"  {line}", ""]
        return "\n".join(lines) + "\n"
    item = members[section]
    if _is_on_one_line(item):
        raise _make_layout_error(item, section, source)
    indent = _read_indent(item)
    for key, value in item.node.value:
        if key.value == name:
            lines[key.start_mark.line : _end_line(replace(item, node=value))] = [f"{indent}{line}"]
            return "\n".join(lines) + "\n"
    place = _end_line(item)
    lines[place:place] = [f"{indent}{line}"]
    return "\n".join(lines) + "\n"


def format_declaration(resource: Resource) -> str:
    """The fields of a declaration that differ from a manifest's defaults, on one line."""
    is_read = resource.impact is Impact.READ
    usual_reversal = Reversal.NONE_NEEDED if is_read else Reversal.IRREVERSIBLE
    fields = []
    if not (is_read and resource.kind is not ActionKind.TOOL_CALL):
        fields.append(f"impact: {resource.impact.value}")
    if resource.targets:
        fields.append(f"targets: [{', '.join(map(_quote, resource.targets))}]")
    if resource.amount:
        fields.append(f"amount: {_quote(resource.amount)}")
    if resource.programs:
        programs = (f"{_quote(argument)}: {_quote(language)}" for argument, language in resource.programs)
        fields.append(f"programs: {{{', '.join(programs)}}}")
    if resource.own_places:
        fields.append(f"own_places: [{', '.join(map(_quote, resource.own_places))}]")
    if resource.reversal is not usual_reversal:
        fields.append(f"reversal: {resource.reversal.value}")
    if resource.source_trust is not None:
        fields.append(f"source_trust: {resource.source_trust}")
    return f"{{{', '.join(fields)}}}"


def _end_line(item: Item) -> int:
    """The line after the last one of a node, without the blank lines and comments that follow it."""
    last: Any = item.node
    while isinstance(last, yaml.CollectionNode) and last.value and not last.flow_style:
        value = last.value[-1]
        last = value[1] if isinstance(value, tuple) else value
    mark = last.end_mark
    return int(mark.line + 1 if mark.column > 0 or mark.line == last.start_mark.line else mark.line)


def _is_on_one_line(item: Item) -> bool:
    """Whether a node takes no lines of its own: a scalar, `{...}`, `[...]`, or nothing."""
    node = item.node
    return not isinstance(node, yaml.CollectionNode) or bool(node.flow_style) or not node.value


def _make_layout_error(item: Item, name: str, source: str) -> ConfigError:
    message = f"{source}:{item.place[0]}: `{printable(name)}` is written on one line and cannot be edited"
    return ConfigError("manifest_layout", message, remedy="put its fields on lines of their own")


def _read_indent(item: Item) -> str:
    return " " * int(item.node.start_mark.column)


def _check_written(text: str, agent: str, grants: Grants, source: str) -> None:
    """Read an edited manifest, and refuse it if it does not say what was meant to be written."""
    written = load_manifest(text, source=source).find_agent(agent)
    for section, kind in SECTIONS.items():
        rules: tuple[GrantRule, ...] = written.rules.get(kind, ())
        written_rules = {rule.pattern: dict(rule.arguments or {}) for rule in rules}
        if written_rules != {name: dict(rules) for name, rules in grants.get(kind, {}).items()}:
            raise ConfigError("manifest_layout", f"`{section}` could not be written", remedy="edit the file by hand")
