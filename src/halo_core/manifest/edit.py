"""Room: manifest, writing grants into one. Takes: text, grants. Gives: text. Never: touches what it need not, I/O.

Lines of the agent's `tools`, `retrievers` and `models` are replaced, all others stay as they are, comments included;
the result is read again before it is given, so that nothing is written that could not be read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import yaml

from halo_core.errors import ConfigError
from halo_core.manifest.constraints import Rule
from halo_core.manifest.findings import Report, shown
from halo_core.manifest.manifest import load
from halo_core.manifest.tools import SECTIONS
from halo_core.manifest.tree import Item, read
from halo_core.model import ActionKind, Constraint, ConstraintKind, Grants

__all__ = ["grants_text", "with_grants"]

_HEAD: Final = "# Agents of this tenant and what each may do: docs/manifest.md.\nversion: 1\ntenant: {}\n\nagents:\n"

_JOINTS: Final = str.maketrans("", "", "-_.")


def with_grants(text: str, agent: str, grants: Grants, *, tenant: str, source: str = "agents.yaml") -> str:
    """A manifest whose `agent` has exactly these grants; a new one where `text` is empty.

    Raises:
        ConfigError: the text is no manifest, or its layout (`{...}` on one line) cannot be edited by lines.
    """
    hand_off = sorted(name for name in grants.get(ActionKind.HANDOFF, {}) if name != agent)
    if not text.strip():
        body = [f"  {_quoted(agent)}:", *_sections(grants, "    "), *_hand_off(hand_off, "    ")]
        stubs = [f"  {_quoted(name)}:\n    tools: {{}}" for name in hand_off]
        made = _HEAD.format(_quoted(tenant)) + "\n".join([*body, *stubs]) + "\n"
    else:
        made = _edited(text, agent, grants, source)
    _check(made, agent, grants, source)
    return made


def grants_text(grants: Grants, indent: str = "") -> str:
    """The sections of an agent as YAML."""
    return "\n".join(_sections(grants, indent))


def _sections(grants: Grants, indent: str) -> list[str]:
    lines = []
    for section, kind in SECTIONS.items():
        resources = grants.get(kind, {})
        if resources or kind is ActionKind.TOOL_CALL:
            lines.append(f"{indent}{section}:" if resources else f"{indent}{section}: {{}}")
        lines += [f"{indent}  {_quoted(name)}: {_arguments(rules)}" for name, rules in sorted(resources.items())]
    return lines


def _hand_off(names: Iterable[str], indent: str) -> list[str]:
    listed = ", ".join(map(_quoted, names))
    return [f"{indent}hand_off: [{listed}]"] if listed else []


def _arguments(rules: Mapping[str, Constraint]) -> str:
    return "{" + ", ".join(f"{_quoted(name)}: {_constraint(rule)}" for name, rule in sorted(rules.items())) + "}"


def _constraint(rule: Constraint) -> str:
    values = ", ".join(map(_value, rule.values))
    bounds = ", ".join(
        f"{name}: {bound}" for name, bound in (("min", rule.low), ("max", rule.high)) if bound is not None
    )
    return {
        ConstraintKind.WILDCARD: "any",
        ConstraintKind.EXACT: f"{{exact: {values}}}",
        ConstraintKind.ONE_OF: f"{{one_of: [{values}]}}",
        ConstraintKind.NOT_ONE_OF: f"{{not_one_of: [{values}]}}",
        ConstraintKind.RANGE: f"{{{bounds}}}",
        ConstraintKind.PREFIX: f"{{prefix: {_quoted(rule.text)}}}",
        ConstraintKind.PATTERN: f"{{pattern: {_quoted(rule.text)}}}",
    }[rule.kind]


def _value(value: str | float) -> str:
    return _quoted(value) if isinstance(value, str) else str(value).lower()


def _quoted(text: str) -> str:
    # Bare where nobody could read it as anything but itself; a double-quoted text of JSON is one of YAML.
    plain = text.isascii() and text.translate(_JOINTS).isalpha() and len(text) > 1 and text[0].isalpha()
    reserved = text.lower() in ("any", "null", "true", "false", "yes", "no", "on", "off")
    return text if plain and not reserved else json.dumps(text, ensure_ascii=False)


def _edited(text: str, agent: str, grants: Grants, source: str) -> str:
    report = Report(source)
    root = read(text, source, report)
    agents = root.mapping().get("agents")
    listed = agents.mapping() if agents is not None else {}
    report.check()
    lines = text.splitlines()
    if agents is not None and _on_one_line(agents):
        raise _layout(agents, "agents", source)
    if agents is None or agent not in listed:
        place = _end(agents) if agents is not None else len(lines)
        indent = _indent(agents) if agents is not None else "  "
        inner = indent + "  "
        added = [f"{indent}{_quoted(agent)}:", *_sections(grants, inner)]
        lines[place:place] = added if agents is not None else ["agents:", *added]
        return "\n".join(lines) + "\n"
    item = listed[agent]
    if _on_one_line(item):
        raise _layout(item, agent, source)
    indent = _indent(item)
    for start, end in sorted(_spans(item), reverse=True):
        del lines[start:end]
    lines[item.place[0] - 1 : item.place[0] - 1] = _sections(grants, indent)
    return "\n".join(lines) + "\n"


def _spans(item: Item) -> Iterable[tuple[int, int]]:
    """Lines of the sections that are replaced."""
    for key, value in item.node.value:
        if key.value in SECTIONS:
            yield key.start_mark.line, _end(Item(value, "", item.report))


def _end(item: Item) -> int:
    """The line after the last one of a node, without the blank lines and comments that follow it."""
    last: Any = item.node
    while isinstance(last, yaml.CollectionNode) and last.value and not last.flow_style:
        value = last.value[-1]
        last = value[1] if isinstance(value, tuple) else value
    mark = last.end_mark
    return int(mark.line + 1 if mark.column > 0 or mark.line == last.start_mark.line else mark.line)


def _on_one_line(item: Item) -> bool:
    node = item.node
    return not isinstance(node, yaml.CollectionNode) or bool(node.flow_style) or not node.value


def _layout(item: Item, name: str, source: str) -> ConfigError:
    return ConfigError(
        "manifest_layout",
        f"{source}:{item.place[0]}: `{shown(name)}` is written on one line",
        remedy="put its fields on lines of their own",
    )


def _indent(item: Item) -> str:
    return " " * int(item.node.start_mark.column)


def _check(text: str, agent: str, grants: Grants, source: str) -> None:
    found = load(text, source=source).agent(agent)
    for section, kind in SECTIONS.items():
        rules: tuple[Rule, ...] = found.rules.get(kind, ())
        told = {rule.pattern: dict(rule.arguments or {}) for rule in rules}
        if told != {name: dict(rules) for name, rules in grants.get(kind, {}).items()}:
            raise ConfigError("manifest_layout", f"`{section}` could not be written", remedy="edit the file by hand")
