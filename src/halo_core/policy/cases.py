"""Expected answers of a policy bundle (`halo policy test`): `load_cases` reads them from TOML, `run_case` asks.

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
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from typing import Any, Final

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
from halo_core.policy.bundle import PolicyBundle
from halo_core.policy.cedar_context import BEHAVIOUR_ATTRIBUTES
from halo_core.policy.encoding import read_amount
from halo_core.policy.engine import CedarPolicy
from halo_core.quick_dataclass import dataclass

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
    """One expected answer of a policy, with its request.

    Args:
        name: name of the case.
        resource: id of the resource.
        expect: the effect that is expected.
        agent: who acts.
        user: the user for whom the agent acts.
        kind: kind of the action.
        args: arguments of the call.
        given: what the case states of the resource, by field of `Resource`.
        provenance: argument → where its value comes from; `user` for those that are not named.
        kinds: target → kind of its value.
        facts: that a rule may read.
        program: class of the program that runs, where one does.
        state: what the case states of the past, by field of `Snapshot`.
        tainted: whether the session read something untrusted.
        steps: how many the session took before.
        reason: a code that must be among the reasons; any will do where it is empty.
    """

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
    """Outcome of one case.

    Args:
        name: name of the case.
        passed: whether the policy said what was expected, for the expected reason.
        expected: effect that was expected.
        got: effect that the policy gave.
        reasons: why.
    """

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
    """Parse one `[[case]]` table.

    Raises:
        PolicyError: see `load_cases`; `field` is `where`.
    """
    if not isinstance(table, dict):
        raise _make_case_error(where, "a case must be a table", "write it as `[[case]]`")
    for name, value in table.items():
        _check_member(name, value, where)
    for name in _REQUIRED_MEMBERS:
        if not table.get(name):
            raise _make_case_error(where, f"`{name}` is missing", "every case needs a name, a resource and an expect")
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
        raise _make_case_error(where, str(exc).lower(), "use one of the values in docs/policy.md") from exc


def _check_member(name: str, value: object, where: str) -> None:
    """Refuse a member of a case that is unknown, of the wrong type, or out of range.

    Raises:
        PolicyError: it is.
    """
    kind = _MEMBER_TYPES.get(name)
    if kind is None:
        close = difflib.get_close_matches(name, _MEMBER_TYPES, 1)
        hint = f"did you mean `{close[0]}`" if close else f"use {', '.join(sorted(_MEMBER_TYPES))}"
        raise _make_case_error(where, f"unknown member `{name}`", hint)
    if type(value) is not kind:
        raise _make_case_error(where, f"`{name}` has the wrong type", f"it must be a {kind.__name__}")
    if type(value) is int:
        top = _MAX_MEMBER_VALUES.get(name)
        if value < 0 or (top is not None and value > top):
            hint = f"use 0..{top}" if top is not None else "use 0 or more"
            raise _make_case_error(where, f"`{name}` is out of range", hint)


def _read_state(table: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of `Snapshot` that a case sets."""
    state = {name: table[member] for member, name in _STATE_MEMBERS.items() if member in table}
    if "principal_risk" in state:
        state["principal_risk"] = PrincipalRisk(state["principal_risk"])
    behaviour = {name: table[member] for member, name in BEHAVIOUR_ATTRIBUTES.items() if member in table}
    return {**state, "behaviour": BehaviourView(**behaviour)}


def _read_kind(word: str) -> str:
    if word not in _TARGET_KINDS:
        raise ValueError(f"`{word}` is not a kind of values")
    return word


def _make_case_error(where: str, message: str, remedy: str) -> PolicyError:
    return PolicyError("case_invalid", message, field=where, remedy=remedy)


def run_case(case: Case, bundle: PolicyBundle, resources: Mapping[str, Resource] | None = None) -> CaseResult:
    """Run a case against the policy alone, without grants, budgets and stops.

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
