"""Room: policy check. Takes: a bundle and the registered resources. Gives: findings. Never: evaluates a request, I/O.

Cedar's validator does the types. What it lets through silently, because it is merely never true, is added here: a
`has` of an attribute nobody has, a resource that is not registered, a misspelt impact class.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import cedarpy

from halo_core.model import ActionKind, Impact, Obligation, Provenance, Resource, Reversal
from halo_core.policy.bundle import PolicyBundle, examine
from halo_core.policy.encode import escape_key
from halo_core.policy.mentions import ALL, literals
from halo_core.policy.parse import Finding, Policy
from halo_core.policy.schema import (
    CONTEXT,
    ENTITY_TYPES,
    PRINCIPAL_ATTRIBUTES,
    RESOURCE_ATTRIBUTES,
    ArgTypes,
    action_id,
    cedar_schema,
)
from halo_core.policy.scope import applies

__all__ = ["check"]

_GROUPS: Final = frozenset(kind.value for kind in ActionKind)
_PLACES: Final[dict[str, frozenset[str]]] = {
    "context": frozenset({*CONTEXT, "args", "provenance"}),
    "principal": frozenset({*PRINCIPAL_ATTRIBUTES, *RESOURCE_ATTRIBUTES}),
    "resource": frozenset({*PRINCIPAL_ATTRIBUTES, *RESOURCE_ATTRIBUTES}),
}
_ORIGINS: Final = frozenset(source.value for source in Provenance)
_WORDS: Final[dict[tuple[str, str], frozenset[str]]] = {
    ("context", "origins"): _ORIGINS,
    ("context", "target_origins"): _ORIGINS,
    ("resource", "classified"): frozenset({"declared", "guessed", "unknown"}),
    ("resource", "impact"): frozenset(item.value for item in Impact),
    ("resource", "reversal"): frozenset(item.value for item in Reversal),
}
"""Attributes whose values come from a closed list."""
_OF_ARGUMENTS: Final = frozenset({"clamp", "redact"})
_QUOTED: Final = re.compile(r"`([^`]*)`")


def check(bundle: PolicyBundle, resources: Iterable[Resource]) -> list[Finding]:
    """Everything wrong with a bundle, given what is registered; an empty list means that it may be loaded.

    Findings are sorted by file, line and policy. Well-formed policies are checked even when others do not parse.
    """
    registered = tuple(resources)
    policies, findings = examine(bundle)
    schema = cedarpy.Schema.from_json_str(json.dumps(cedar_schema(registered, bundle.types)))
    for policy in policies:
        own = [*_attributes(policy), *_arguments(policy, registered, bundle.types), *_entities(policy, registered)]
        own += _words(policy)
        own += _cedar(policy, schema, registered, bundle.types, {name for name, _, _ in own})
        findings += [Finding(policy.source, policy.line, policy.id, message, hint) for _, message, hint in own]
    return sorted(set(findings))


_Problem = tuple[str, str, str]
"""What it is about, message, hint."""


def _attributes(policy: Policy) -> Iterator[_Problem]:
    for place, known in _PLACES.items():
        for name in sorted(getattr(policy.reads, place) - known - {ALL}):
            yield name, f"`{place}` has no attribute `{name}`", _close(name, known)


def _arguments(policy: Policy, registered: tuple[Resource, ...], types: ArgTypes) -> Iterator[_Problem]:
    known = _reached(policy, registered, types)
    for name in sorted((policy.reads.args | policy.reads.provenance) - {ALL}):
        if name not in known:
            yield name, f"nothing that this policy reaches has an argument `{name}`", _close(name, known)
        elif name in policy.reads.args and known[name] == {"any"}:
            yield name, f"argument `{name}` has no type that a policy can check", "use `context.provenance` or a grant"
    if policy.obligation is not None and policy.obligation.kind in _OF_ARGUMENTS:
        yield from _obliged(policy, policy.obligation, registered, known)


def _obliged(
    policy: Policy, obligation: Obligation, registered: tuple[Resource, ...], known: Iterable[str]
) -> Iterator[_Problem]:
    """An argument that nothing has; one that says where or how much, which a mask would make into something else."""
    name = obligation.name
    if name not in known:
        yield name, f"the obligation names the argument `{name}`, which nothing here has", _close(name, known)
    elif obligation.kind == "redact":
        for item in registered:
            told = {escape_key(word) for word in (*item.targets, item.amount)}
            if name in told and applies(policy, action_id(item.id), item.id, item.kind):
                message = f"`{name}` says where `{item.id}` goes or how much: masked, it would be another"
                yield name, message, "use challenge, or a plain forbid"


def _reached(policy: Policy, registered: tuple[Resource, ...], types: ArgTypes) -> dict[str, set[str]]:
    """Arguments of the resources in the policy's scope, with their types."""
    known: dict[str, set[str]] = {}
    for resource in registered:
        if applies(policy, action_id(resource.id), resource.id, resource.kind):
            for name, text in types.get(resource.id, {}).items():
                known.setdefault(escape_key(name), set()).add(text)
    return known


def _entities(policy: Policy, registered: tuple[Resource, ...]) -> Iterator[_Problem]:
    ids = {kind: {item.id for item in registered if ENTITY_TYPES[item.kind] == kind} for kind in ENTITY_TYPES.values()}
    actions = {action_id(item.id) for item in registered} | _GROUPS
    for kind, name in literals(policy.plain):
        if kind == "Action" and name not in actions:
            yield name, f'no resource is registered for Action::"{name}"', _close(name, actions)
        # Agents are principals too, and need no registration.
        if kind in {"Tool", "Retriever", "Model"} and name not in ids[kind]:
            yield name, f'{kind}::"{name}" is not registered', _close(name, ids[kind])
    action = policy.plain["action"]
    if action["op"] == "==" and action["entity"]["id"] in _GROUPS:
        name = action["entity"]["id"]
        yield name, f'no request has the action Action::"{name}" itself', f'write `action in Action::"{name}"`'


def _words(policy: Policy) -> Iterator[_Problem]:
    """Comparisons of a closed-list attribute with a word outside its list."""
    todo: list[Any] = [clause["body"] for clause in policy.plain["conditions"]]
    while todo:
        node = todo.pop()
        if isinstance(node, list):
            todo.extend(node)
        elif isinstance(node, dict):
            todo.extend(node.values())
            left, right = node.get("left"), node.get("right")
            if isinstance(left, dict) and isinstance(right, dict):
                yield from _compared(left, right)
                yield from _compared(right, left)


def _compared(attribute: dict[str, Any], value: dict[str, Any]) -> Iterator[_Problem]:
    access = attribute.get(".")
    if not isinstance(access, dict):
        return
    known = _WORDS.get((access["left"].get("Var"), access["attr"]))
    if known is None:
        return
    for item in value.get("Set", [value]):
        word = item.get("Value")
        if isinstance(word, str) and word not in known:
            yield word, f"`{access['attr']}` is never `{word}`", _close(word, known)


def _cedar(
    policy: Policy,
    schema: cedarpy.Schema,
    registered: tuple[Resource, ...],
    types: ArgTypes,
    told: set[str],
) -> Iterator[_Problem]:
    known = {*_PLACES["context"], *_PLACES["resource"], *_reached(policy, registered, types)}
    for error in cedarpy.validate_policies(policy.text, schema).errors:
        message = re.sub(r"^for policy `[^`]*`, ", "", error.error)
        if "unable to find an applicable action" in message and told:
            continue
        quoted = _QUOTED.findall(message)
        name = re.sub(r"^.*(?:\.|::)", "", quoted[0]).strip('"') if quoted else ""
        if name in told:
            continue
        if "optional attribute" in message:
            yield name, message, f"test it first: `... has {name} && ...`"
        else:
            yield name, message, _close(name, known) if "not found" in message else ""


def _close(word: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = difflib.get_close_matches(word, names, 1)
    if close:
        return f"did you mean `{close[0]}`"
    return f"known: {', '.join(f'`{name}`' for name in names[:12])}" if names else "nothing is registered here yet"
