"""Room: policy cases, the body of `halo policy test`. Takes: TOML text, a bundle. Gives: results. Never: I/O.

    [[case]]
    name = "a payment to an account that a document named"
    resource = "send_money"
    impact = "payment"
    targets = ["recipient"]
    args = { recipient = "DE89370400440532013000", amount = 10 }
    provenance = { recipient = "untrusted" }
    expect = "deny"
    reason = "untrusted_target"

What a case leaves out is neutral: a declared read-only resource used before, arguments that the user gave, no taint.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from halo_core.errors import PolicyError
from halo_core.model import (
    AccessRequest,
    ActionKind,
    Context,
    Effect,
    Impact,
    Mode,
    Origin,
    Principal,
    Provenance,
    Reason,
    Resource,
    Reversal,
    SessionView,
    Snapshot,
    Trigger,
)
from halo_core.policy.engine import CedarPolicy

if TYPE_CHECKING:
    from halo_core.policy.bundle import PolicyBundle

__all__ = ["Case", "CaseResult", "load_cases", "run_case"]

_MAX_CASES: Final = 10_000
_RESOURCE_FIELDS: Final = ("impact", "reversal", "labels", "system", "source_trust", "targets", "amount", "classified")
_TYPES: Final[dict[str, type]] = {
    "agent": str,
    "amount": str,
    "args": dict,
    "classified": str,
    "expect": str,
    "impact": str,
    "kind": str,
    "labels": list,
    "name": str,
    "pending": int,
    "provenance": dict,
    "reason": str,
    "refused": int,
    "resource": str,
    "reversal": str,
    "risk": int,
    "risk_band": int,
    "session_risk": int,
    "source_trust": int,
    "steps": int,
    "system": str,
    "tainted": bool,
    "targets": list,
    "unscored": bool,
    "user": str,
    "uses": int,
}
_TOPS: Final = {"risk": 1000, "risk_band": 2, "session_risk": 1000, "source_trust": 1000}
_REQUIRED: Final = ("name", "resource", "expect")


@dataclass(frozen=True, slots=True)
class Case:
    """One expected answer. `given` holds the resource attributes that the case states itself."""

    name: str
    resource: str
    expect: str
    agent: str = "agent"
    user: str = "user"
    kind: ActionKind = ActionKind.TOOL_CALL
    args: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Provenance] = field(default_factory=dict)
    tainted: bool = False
    uses: int = 1
    steps: int = 0
    pending: int = 0
    reason: str = ""
    refused: int = 0
    risk: int | None = None
    risk_band: int = 0
    session_risk: int = 0
    unscored: bool = False


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
        raise PolicyError("case_invalid", "the file holds no cases", remedy="write each as a `[[case]]` table")
    return tuple(_case(table, f"case {number}") for number, table in enumerate(tables, 1))


def _case(table: object, where: str) -> Case:
    if not isinstance(table, dict):
        raise _refuse(where, "a case is a table", "write it as `[[case]]`")
    for name, value in table.items():
        if name not in _TYPES:
            close = difflib.get_close_matches(name, _TYPES, 1)
            hint = f"did you mean `{close[0]}`" if close else f"use {', '.join(sorted(_TYPES))}"
            raise _refuse(where, f"unknown member `{name}`", hint)
        if type(value) is not _TYPES[name]:
            raise _refuse(where, f"`{name}` has the wrong type", f"it is a {_TYPES[name].__name__}")
        top = _TOPS.get(name, value if type(value) is int else 0)
        if type(value) is int and not 0 <= value <= top:
            raise _refuse(where, f"`{name}` is out of range", f"use 0..{top}" if name in _TOPS else "use 0 or more")
    for name in _REQUIRED:
        if not table.get(name):
            raise _refuse(where, f"`{name}` is missing", "every case has a name, a resource and an expect")
    plain = {name: value for name, value in table.items() if name not in _RESOURCE_FIELDS}
    try:
        return Case(
            **{
                **plain,
                "expect": Effect(table["expect"]).value,
                "given": _given(table),
                "kind": ActionKind(table.get("kind", ActionKind.TOOL_CALL)),
                "provenance": {name: Provenance(source) for name, source in table.get("provenance", {}).items()},
            }
        )
    except ValueError as exc:
        raise _refuse(where, str(exc).lower(), "use one of the words of the manual") from exc


def _given(table: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: table[name] for name in _RESOURCE_FIELDS if name in table}
    for name in ("labels", "targets"):
        if name in given:
            given[name] = tuple(str(item) for item in given[name])
    if "impact" in given:
        given["impact"] = Impact(given["impact"])
    if "reversal" in given:
        given["reversal"] = Reversal(given["reversal"])
    return given


def _refuse(where: str, message: str, remedy: str) -> PolicyError:
    return PolicyError("case_invalid", message, field=where, remedy=remedy)


def run_case(case: Case, bundle: PolicyBundle, resources: Mapping[str, Resource] | None = None) -> CaseResult:
    """Ask the policy, and the policy alone: grants, budgets and stops are not part of a case.

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
    answer = policy.answer(_request(case, resource), _snapshot(case, policy))
    got = answer.effect.value if answer.permitted and not answer.errors else Effect.DENY.value
    codes = {reason.code for reason in answer.reasons}
    passed = got == case.expect and (not case.reason or case.reason in codes)
    return CaseResult(case.name, passed, case.expect, got, answer.reasons)


def _request(case: Case, resource: Resource) -> AccessRequest:
    return AccessRequest(
        subject=Principal("local", case.agent, case.user),
        kind=case.kind,
        resource=resource,
        args=case.args,
        args_digest="",
        request_id="",
        context=Context("session", "explicit", "", "", Trigger(), Origin(), "dev"),
    )


def _snapshot(case: Case, policy: CedarPolicy) -> Snapshot:
    sources = {**dict.fromkeys(case.args, Provenance.USER), **case.provenance}
    pointers = {"/" + name.replace("~", "~0").replace("/", "~1"): source for name, source in sources.items()}
    return Snapshot(
        time_us=0,
        mode=Mode.ENFORCE,
        control_version=0,
        session=SessionView("session", 0, 0, 0, case.steps, case.tainted),
        uses=case.uses,
        provenance=tuple(sorted(pointers.items())),
        chain=(),
        policy=policy,
        pending=case.pending,
        risk=case.risk,
        band=case.risk_band,
        session_risk=case.session_risk,
        refused=case.refused,
        unscored=case.unscored,
    )
