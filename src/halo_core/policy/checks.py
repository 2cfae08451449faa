"""Checks of a policy bundle (`halo policy check`), and expected answers of it (`halo policy test`).

Cedar's validator checks types. What it accepts silently, because it is merely never true, is found here: a `has` of an
attribute nobody has, a resource that is not registered, a misspelt impact class.

A case states what differs from a neutral call: a declared read-only resource used before, arguments that the user gave,
no taint.

    [[case]]
    name = "a payment to an account that a document named"
    resource = "send_money"
    impact = "payment"
    targets = ["recipient"]
    args = { recipient = "DE89370400440532013000", amount = 10 }
    provenance = { recipient = "untrusted" }
    expect = "deny"
    reason = "untrusted_target"
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import cedarpy

from halo_core.errors import PolicyError
from halo_core.model import (
    AccessRequest,
    ActionKind,
    BehaviourView,
    Context,
    Effect,
    Fact,
    Impact,
    Mode,
    Obligation,
    Origin,
    Principal,
    PrincipalRisk,
    ProgramClass,
    Provenance,
    Reason,
    Resource,
    Reversal,
    SessionView,
    Snapshot,
    Trigger,
)
from halo_core.policy.bundle import ALL, Finding, Policy, PolicyBundle, find_entity_literals, parse_bundle
from halo_core.policy.cedar_context import BEHAVIOUR_ATTRIBUTES
from halo_core.policy.encoding import escape_key, read_amount
from halo_core.policy.engine import CedarPolicy
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
    """Everything wrong with a bundle, given what is registered; an empty list means that it may be loaded.

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


_MAX_CASES: Final = 10_000
_RESOURCE_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "impact": Impact,
    "reversal": Reversal,
    **dict.fromkeys(("labels", "targets"), lambda items: tuple(map(str, items))),
    **dict.fromkeys(("system", "source_trust", "amount", "classified", "contained"), lambda value: value),
}
# fmt: off
_MEMBER_TYPES: Final[dict[str, type]] = {
    **dict.fromkeys((
        "agent", "amount", "classified", "expect", "impact", "kind", "name",
        "program", "reason", "resource", "reversal", "system", "user",
    ), str),
    **dict.fromkeys((
        "paid_by_principal", "paid_to_target", "pending", "principal_risk", "refused", "risk", "risk_band",
        "session_risk", "source_trust", "steps", "uses", *BEHAVIOUR_ATTRIBUTES,
    ), int),
    **dict.fromkeys(("contained", "repeated", "tainted", "unscored"), bool),
    **dict.fromkeys(("args", "kinds", "provenance"), dict),
    **dict.fromkeys(("facts", "labels", "targets"), list),
}
# fmt: on
_STATE_MEMBERS: Final = {
    **{name: name for name in ("pending", "refused", "repeated", "risk", "session_risk", "unscored", "uses")},
    **{name: name for name in ("paid_by_principal", "paid_to_target", "principal_risk")},
    "risk_band": "band",
}
"""Members of a case that are fields of `Snapshot` → their names there."""
_MAX_MEMBER_VALUES: Final = {
    **{name: 1000 for name in BEHAVIOUR_ATTRIBUTES if name not in ("drift", "volume")},
    **dict.fromkeys(("principal_risk", "risk", "session_risk", "source_trust"), 1000),
    "risk_band": 2,
}
_TARGET_KINDS: Final = frozenset(
    ("account", "amount", "date", "email", "handle", "host", "path", "program", "telephone", "text", "url")
)
"""Kinds of values, as docs/values.md lists them."""
_REQUIRED_MEMBERS: Final = ("name", "resource", "expect")


@dataclass(frozen=True, slots=True)
class Case:
    """One expected answer; `given` holds what the case states of the resource, `state` fields of `Snapshot`."""

    name: str
    resource: str
    expect: str
    agent: str = "agent"
    user: str = "user"
    kind: ActionKind = ActionKind.TOOL_CALL
    args: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Provenance] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    facts: tuple[Fact, ...] = ()
    program: ProgramClass = ProgramClass.NONE
    state: Mapping[str, Any] = field(default_factory=dict)
    tainted: bool = False
    steps: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """Outcome of one case: what was expected, what the policy said and why."""

    name: str
    passed: bool
    expected: str
    got: str
    reasons: tuple[Reason, ...]


def load_cases(text: str) -> tuple[Case, ...]:
    """Parse a TOML file of `[[case]]` tables.

    Raises:
        PolicyError: malformed TOML, an unknown or missing member, a value of the wrong type; `field` names the case.
    """
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as exc:
        raise PolicyError("case_invalid", f"not TOML: {exc}", remedy="see toml.io") from exc
    tables = document.get("case")
    if set(document) != {"case"} or not isinstance(tables, list) or not 0 < len(tables) <= _MAX_CASES:
        raise PolicyError("case_invalid", "the file contains no cases", remedy="write each as a `[[case]]` table")
    return tuple(_parse_case(table, f"case {number}") for number, table in enumerate(tables, 1))


def _parse_case(table: object, where: str) -> Case:
    if not isinstance(table, dict):
        raise _case_error(where, "a case must be a table", "write it as `[[case]]`")
    for name, value in table.items():
        if name not in _MEMBER_TYPES:
            close = difflib.get_close_matches(name, _MEMBER_TYPES, 1)
            hint = f"did you mean `{close[0]}`" if close else f"use {', '.join(sorted(_MEMBER_TYPES))}"
            raise _case_error(where, f"unknown member `{name}`", hint)
        if type(value) is not _MEMBER_TYPES[name]:
            raise _case_error(where, f"`{name}` has the wrong type", f"it must be a {_MEMBER_TYPES[name].__name__}")
        top = _MAX_MEMBER_VALUES.get(name, value if type(value) is int else 0)
        if type(value) is int and not 0 <= value <= top:
            raise _case_error(
                where, f"`{name}` is out of range", f"use 0..{top}" if name in _MAX_MEMBER_VALUES else "use 0 or more"
            )
    for name in _REQUIRED_MEMBERS:
        if not table.get(name):
            raise _case_error(where, f"`{name}` is missing", "every case needs a name, a resource and an expect")
    read_apart = {*_RESOURCE_READERS, *_STATE_MEMBERS, *BEHAVIOUR_ATTRIBUTES}
    members = {name: value for name, value in table.items() if name not in read_apart}
    try:
        return Case(
            **{
                **members,
                "expect": Effect(table["expect"]).value,
                "given": {name: read(table[name]) for name, read in _RESOURCE_READERS.items() if name in table},
                "state": _read_state(table),
                "kind": ActionKind(table.get("kind", ActionKind.TOOL_CALL)),
                "facts": tuple(sorted(map(Fact, table.get("facts", ())))),
                "kinds": {name: _read_kind(kind) for name, kind in table.get("kinds", {}).items()},
                "program": ProgramClass(table.get("program", "")),
                "provenance": {name: Provenance(source) for name, source in table.get("provenance", {}).items()},
            }
        )
    except ValueError as exc:
        raise _case_error(where, str(exc).lower(), "use one of the values in docs/policy.md") from exc


def _read_state(table: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of `Snapshot` that a case states."""
    state = {name: table[member] for member, name in _STATE_MEMBERS.items() if member in table}
    if "principal_risk" in state:
        state["principal_risk"] = PrincipalRisk(state["principal_risk"])
    behaviour = {name: table[member] for member, name in BEHAVIOUR_ATTRIBUTES.items() if member in table}
    return {**state, "behaviour": BehaviourView(**behaviour)}


def _read_kind(word: str) -> str:
    if word not in _TARGET_KINDS:
        raise ValueError(f"`{word}` is not a kind of values")
    return word


def _case_error(where: str, message: str, remedy: str) -> PolicyError:
    return PolicyError("case_invalid", message, field=where, remedy=remedy)


def run_case(case: Case, bundle: PolicyBundle, resources: Mapping[str, Resource] | None = None) -> CaseResult:
    """Run a case against the policy alone: grants, budgets and stops are not part of it.

    Args:
        case: the case.
        bundle: the policies.
        resources: registered resources by id; a case states only what differs from its resource.

    Raises:
        PolicyError: the bundle does not compile.
    """
    policy = CedarPolicy.compile(bundle)
    neutral = Resource(id=case.resource, kind=case.kind, impact=Impact.READ, reversal=Reversal.NONE_NEEDED)
    resource = replace((resources or {}).get(case.resource, neutral), kind=case.kind, **case.given)
    answer = policy.answer(_build_request(case, resource), _build_snapshot(case, policy))
    got = answer.effect.value if answer.permitted and not answer.errors else Effect.DENY.value
    codes = {reason.code for reason in answer.reasons}
    passed = got == case.expect and (not case.reason or case.reason in codes)
    return CaseResult(case.name, passed, case.expect, got, answer.reasons)


def _build_request(case: Case, resource: Resource) -> AccessRequest:
    return AccessRequest(
        subject=Principal("local", case.agent, case.user),
        kind=case.kind,
        resource=resource,
        args=case.args,
        args_digest="",
        request_id="",
        context=Context("session", "explicit", "", "", Trigger(), Origin(), "dev"),
    )


def _build_snapshot(case: Case, policy: CedarPolicy) -> Snapshot:
    sources = {**dict.fromkeys(case.args, Provenance.USER), **case.provenance}
    pointers = {_make_pointer(name): source for name, source in sources.items()}
    return Snapshot(
        time_us=0,
        mode=Mode.ENFORCE,
        control_version=0,
        session=SessionView("session", 0, 0, 0, case.steps, case.tainted),
        provenance=tuple(sorted(pointers.items())),
        chain=(),
        policy=policy,
        amount=read_amount(case.args.get(case.given.get("amount", ""))),
        targets=tuple(sorted((_make_pointer(name), kind, ()) for name, kind in case.kinds.items())),
        facts=case.facts,
        program=case.program,
        **{"uses": 1, **case.state},
    )


def _make_pointer(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")
