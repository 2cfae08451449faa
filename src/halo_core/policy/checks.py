"""Checks of a policy bundle: `check_bundle` (`halo policy check`).

Cedar's validator checks types. These checks find what it accepts although it can never be true: a `has` of an attribute
that nothing has, a resource that is not registered, a misspelt impact class.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import cedarpy

from halo_core.model import (
    ActionKind,
    Impact,
    Obligation,
    ProgramClass,
    Provenance,
    Resource,
    Reversal,
)
from halo_core.policy.attribute_refs import ALL, find_entity_literals
from halo_core.policy.bundle import PolicyBundle, parse_bundle
from halo_core.policy.encoding import escape_key
from halo_core.policy.parsing import Finding, Policy
from halo_core.policy.schema import (
    CONTEXT_ATTRIBUTES,
    ENTITY_TYPES,
    PRINCIPAL_ATTRIBUTES,
    RESOURCE_ATTRIBUTES,
    ArgTypes,
    action_id,
    build_cedar_schema,
)
from halo_core.policy.scopes import applies

_ACTION_GROUPS: Final = frozenset(kind.value for kind in ActionKind)
_KNOWN_ATTRIBUTES: Final[dict[str, frozenset[str]]] = {
    "context": frozenset({*CONTEXT_ATTRIBUTES, "args", "provenance"}),
    "principal": frozenset({*PRINCIPAL_ATTRIBUTES, *RESOURCE_ATTRIBUTES}),
    "resource": frozenset({*PRINCIPAL_ATTRIBUTES, *RESOURCE_ATTRIBUTES}),
}
_ORIGINS: Final = frozenset(source.value for source in Provenance)
_CLOSED_LISTS: Final[dict[tuple[str, str], frozenset[str]]] = {
    ("context", "origins"): _ORIGINS,
    ("context", "target_origins"): _ORIGINS,
    ("context", "program"): frozenset(item.value for item in ProgramClass),
    ("resource", "classified"): frozenset({"declared", "guessed", "unknown"}),
    ("resource", "impact"): frozenset(item.value for item in Impact),
    ("resource", "reversal"): frozenset(item.value for item in Reversal),
}
"""Attributes whose values come from a closed list."""
_ARGUMENT_OBLIGATIONS: Final = frozenset({"clamp", "redact"})
_QUOTED: Final = re.compile(r"`([^`]*)`")


def check_bundle(bundle: PolicyBundle, resources: Iterable[Resource]) -> list[Finding]:
    """All problems of a bundle, given what is registered; it may be loaded if the list is empty.

    Findings are sorted by file, line and policy. Well-formed policies are checked even when others do not parse.
    """
    registered = tuple(resources)
    policies, findings = parse_bundle(bundle)
    schema = cedarpy.Schema.from_json_str(json.dumps(build_cedar_schema(registered, bundle.types)))
    for policy in policies:
        problems = [
            *_check_attributes(policy),
            *_check_arguments(policy, registered, bundle.types),
            *_check_entities(policy, registered),
        ]
        problems += _check_words(policy)
        problems += _check_with_cedar(policy, schema, registered, bundle.types, {name for name, _, _ in problems})
        findings += [Finding(policy.source, policy.line, policy.id, message, hint) for _, message, hint in problems]
    return sorted(set(findings))


_Problem = tuple[str, str, str]
"""What it is about, message, hint."""


def _check_attributes(policy: Policy) -> Iterator[_Problem]:
    for place, known_names in _KNOWN_ATTRIBUTES.items():
        for name in sorted(getattr(policy.refs, place) - known_names - {ALL}):
            yield name, f"`{place}` has no attribute `{name}`", _suggest_names(name, known_names)


def _check_arguments(policy: Policy, registered: tuple[Resource, ...], types: ArgTypes) -> Iterator[_Problem]:
    known_arguments = _find_reachable_arguments(policy, registered, types)
    for name in sorted((policy.refs.args | policy.refs.provenance) - {ALL}):
        if name not in known_arguments:
            yield name, f"no resource of this policy has an argument `{name}`", _suggest_names(name, known_arguments)
        elif name in policy.refs.args and known_arguments[name] == {"any"}:
            yield name, f"argument `{name}` has no type that a policy can check", "use `context.provenance` or a grant"
    if policy.obligation is not None and policy.obligation.kind in _ARGUMENT_OBLIGATIONS:
        yield from _check_obligation(policy, policy.obligation, registered, known_arguments)


def _check_obligation(
    policy: Policy, obligation: Obligation, registered: tuple[Resource, ...], known_names: Iterable[str]
) -> Iterator[_Problem]:
    """Problems of an obligation: an unknown argument, or a mask over a target or an amount."""
    name = obligation.name
    if name not in known_names:
        yield (
            name,
            f"the obligation names the argument `{name}`, which no resource of this policy has",
            _suggest_names(name, known_names),
        )
    elif obligation.kind == "redact":
        for item in registered:
            target_names = {escape_key(word) for word in (*item.targets, item.amount)}
            if name in target_names and applies(policy, action_id(item.id), item.id, item.kind):
                message = f"`{name}` says where `{item.id}` goes or how much: masked, it would be another"
                yield name, message, "use `challenge`, or a plain `forbid`"


def _find_reachable_arguments(policy: Policy, registered: tuple[Resource, ...], types: ArgTypes) -> dict[str, set[str]]:
    """Arguments of the resources in the policy's scope, with their types."""
    argument_types: dict[str, set[str]] = {}
    for resource in registered:
        if applies(policy, action_id(resource.id), resource.id, resource.kind):
            for name, text in types.get(resource.id, {}).items():
                argument_types.setdefault(escape_key(name), set()).add(text)
    return argument_types


def _check_entities(policy: Policy, registered: tuple[Resource, ...]) -> Iterator[_Problem]:
    ids = {kind: {item.id for item in registered if ENTITY_TYPES[item.kind] == kind} for kind in ENTITY_TYPES.values()}
    actions = {action_id(item.id) for item in registered} | _ACTION_GROUPS
    for kind, name in find_entity_literals(policy.cedar_json):
        if kind == "Action" and name not in actions:
            yield name, f'no resource is registered for Action::"{name}"', _suggest_names(name, actions)
        # Agents are principals too, and need no registration.
        if kind in {"Tool", "Retriever", "Model"} and name not in ids[kind]:
            yield name, f'{kind}::"{name}" is not registered', _suggest_names(name, ids[kind])
    action = policy.cedar_json["action"]
    if action["op"] == "==" and action["entity"]["id"] in _ACTION_GROUPS:
        name = action["entity"]["id"]
        yield name, f'no request has the action Action::"{name}" itself', f'write `action in Action::"{name}"`'


def _check_words(policy: Policy) -> Iterator[_Problem]:
    """Comparisons of a closed-list attribute with a word outside its list."""
    pending: list[Any] = [clause["body"] for clause in policy.cedar_json["conditions"]]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending.extend(node)
        elif isinstance(node, dict):
            pending.extend(node.values())
            operand, right = node.get("left"), node.get("right")
            if isinstance(operand, dict) and isinstance(right, dict):
                yield from _check_comparison(operand, right)
                yield from _check_comparison(right, operand)


def _check_comparison(attribute: dict[str, Any], value: dict[str, Any]) -> Iterator[_Problem]:
    access = attribute.get(".")
    if not isinstance(access, dict):
        return
    allowed_words = _CLOSED_LISTS.get((access["left"].get("Var"), access["attr"]))
    if allowed_words is None:
        return
    for item in value.get("Set", [value]):
        word = item.get("Value")
        if isinstance(word, str) and word not in allowed_words:
            yield word, f"`{access['attr']}` is never `{word}`", _suggest_names(word, allowed_words)


def _check_with_cedar(
    policy: Policy,
    schema: cedarpy.Schema,
    registered: tuple[Resource, ...],
    types: ArgTypes,
    reported: set[str],
) -> Iterator[_Problem]:
    known_names = {
        *_KNOWN_ATTRIBUTES["context"],
        *_KNOWN_ATTRIBUTES["resource"],
        *_find_reachable_arguments(policy, registered, types),
    }
    for error in cedarpy.validate_policies(policy.text, schema).errors:
        message = re.sub(r"^for policy `[^`]*`, ", "", error.error)
        if "unable to find an applicable action" in message and reported:
            continue
        quoted = _QUOTED.findall(message)
        name = re.sub(r"^.*(?:\.|::)", "", quoted[0]).strip('"') if quoted else ""
        if name in reported:
            continue
        if "optional attribute" in message:
            yield name, message, f"test it first: `... has {name} && ...`"
        else:
            yield name, message, _suggest_names(name, known_names) if "not found" in message else ""


def _suggest_names(word: str, known_names: Iterable[str]) -> str:
    names = sorted(known_names)
    close = difflib.get_close_matches(word, names, 1)
    if close:
        return f"did you mean `{close[0]}`"
    return f"known: {', '.join(f'`{name}`' for name in names[:12])}" if names else "nothing is registered here yet"
