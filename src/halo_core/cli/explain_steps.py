"""Room: the twelve checks of a decision, told one by one. Takes: a recorded case. Gives: steps. Never: decides.

The numbers are those of `halo_core.pdp`; a recorded reason belongs to the check that gives its code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from halo_core.authority import effective, floor_of, price
from halo_core.cli.words import amount, duration, link_kind, percent, short
from halo_core.model import AccessRequest, Decision, Effect, Entry, Envelope, Link, Reason
from halo_core.passport import violation
from halo_core.policy.parse import Policy
from halo_core.reasons import text

__all__ = ["Case", "Step", "number_of", "steps"]

_TITLES: Final = (
    "the request is well formed",
    "it belongs to a session",
    "nothing is stopped or revoked",
    "a passport is there, in time, the actor's",
    "every link grants it",
    "data labels",
    "policy",
    "not dispatched before",
    "authority",
    "budgets and quotas",
    "approval",
    "the enforcement point can do it",
)
_CODES: Final = {
    "session_missing": 2,
    "stopped": 3,
    "revoked": 3,
    "expired": 4,
    "not_yet_valid": 4,
    "not_the_holder": 4,
    "no_passport": 4,
    "wrong_tenant": 4,
    "tool_not_granted": 5,
    "args_closed_world": 5,
    "arg_violates": 5,
    "handoff_not_allowed": 5,
    "bad_depth": 5,
    "class_ceiling": 6,
    "already_dispatched": 8,
    "authority_decayed": 9,
    "budget_exceeded": 10,
    "per_action_exceeded": 10,
    "quota_exceeded": 10,
    "unknown_unit": 10,
    "bad_amount": 10,
    "needs_guard": 12,
    "pending_cap": 12,
}
_SOURCES: Final = {"request": 1, "passport": 4, "price": 10, "approval": 11}
_POLICY: Final = 7
_APPROVAL: Final = 11
_LAST_ALONE: Final = 4
_MAX_LINES: Final = 12


@dataclass(frozen=True, slots=True)
class Case:
    """A recorded decision with what it read. `opened` is False where the arguments could not be opened."""

    index: int
    entry: Entry
    request: AccessRequest
    decision: Decision
    chain: tuple[Link, ...]
    accounts: tuple[Envelope, ...]
    policies: Mapping[str, Policy]
    opened: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One check: None for one that was not asked; `raised` where it argued for less than a denial."""

    number: int
    title: str
    passed: bool | None
    answers: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    raised: bool = False


def number_of(reason: Reason, policies: Mapping[str, Policy]) -> int:
    """The check that gave a reason; 7, the policy, for a code of somebody's own."""
    if reason.source in policies:
        return _POLICY
    return _CODES.get(reason.code) or _SOURCES.get(reason.source) or _POLICY


def steps(case: Case) -> list[Step]:
    """All twelve, in order."""
    by_number: dict[int, list[Reason]] = {}
    for reason in case.decision.reasons:
        if reason.code not in ("granted", "decision_error"):
            by_number.setdefault(number_of(reason, case.policies), []).append(reason)
    ended = min(by_number, default=99) if min(by_number, default=99) <= _LAST_ALONE else 99
    found = []
    for number, title in enumerate(_TITLES, 1):
        reasons = by_number.get(number, [])
        if number > ended:
            found.append(Step(number, title, None, ("not asked any more",)))
            continue
        passed: bool | None = not any(Effect(item.effect) in (Effect.DENY, Effect.CHALLENGE) for item in reasons)
        if number == _APPROVAL and not reasons:
            asked = case.decision.effect is Effect.CHALLENGE
            found.append(Step(number, title, None, ("no answer was presented" if asked else "none was asked for",)))
            continue
        answers = [_told(item, case) for item in reasons] or _good(number, case)
        found.append(Step(number, title, passed, tuple(filter(None, answers)), _texts(reasons, case), bool(reasons)))
    return found


def _told(reason: Reason, case: Case) -> str:
    policy = case.policies.get(reason.source)
    link = next((item for item in case.chain if item.jti == reason.source), None)
    source = f"`{policy.id}` at {policy.source}:{policy.line}" if policy is not None else ""
    source = f"{link_kind(link)} link {short(link.hash)} of {link.agent}" if link is not None else source
    words = ", ".join(filter(None, (text(reason.code).title, _numbers(reason, link, case) or reason.detail)))
    effect = "" if reason.effect == Effect.DENY.value else f" → {reason.effect}"
    return f"{words} ({'; '.join(filter(None, (reason.code, source)))}){effect}"


def _numbers(reason: Reason, link: Link | None, case: Case) -> str:
    """What was used, asked and allowed, in the unit's decimals; empty where a limit is not what refused."""
    if link is None or reason.code not in ("quota_exceeded", "budget_exceeded", "per_action_exceeded"):
        return ""
    unit = reason.detail
    asked = dict(_charges(case)).get(unit, 0)
    if reason.code == "quota_exceeded":
        quota = next((item for item in link.quotas if item.unit == unit), None)
        used = dict(case.entry.body["snapshot"]["quotas"]).get(unit)
        return _sum(unit, quota.decimals, used, asked, quota.per_day, when=" today") if quota is not None else ""
    budget = next((item for item in link.budgets if item.unit == unit), None)
    if budget is None:
        return ""
    if reason.code == "per_action_exceeded":
        return f"{unit}: {amount(asked, budget.decimals)} asked, {amount(budget.per_action, budget.decimals)} at once"
    if unit == "time":
        return f"time: {duration(_lived(case))} of {duration(budget.subtree)} are over"
    decaying = [item for item in case.chain if item.decay is not None]
    account = dict(zip((item.jti for item in decaying), case.accounts, strict=False)).get(link.jti)
    return _sum(unit, budget.decimals, account.total(unit) if account is not None else None, asked, budget.subtree)


def _sum(unit: str, decimals: int, used: int | None, asked: int, limit: int, *, when: str = "") -> str:
    spent = "nobody knows what is" if used is None else amount(used, decimals)
    return f"{unit}: {spent} used{when}, {amount(asked, decimals)} asked, the limit is {amount(limit, decimals)}"


def _lived(case: Case) -> int:
    """Age of the session, seconds."""
    snapshot = case.entry.body["snapshot"]
    return int(snapshot["time_us"] - snapshot["session"]["opened_us"]) // 1_000_000


def _texts(reasons: Sequence[Reason], case: Case) -> tuple[str, ...]:
    lines: list[str] = []
    for reason in reasons:
        policy = case.policies.get(reason.source)
        if policy is not None:
            found = [line for line in policy.text.splitlines() if line.strip()]
            lines += found[:_MAX_LINES] + (["…"] if len(found) > _MAX_LINES else [])
    return tuple(lines)


def _good(number: int, case: Case) -> list[str]:
    """What a check that passed saw."""
    if number == 4:
        return [" → ".join(f"{link_kind(link)} {short(link.hash)} of {link.agent}" for link in case.chain)]
    if number == 5:
        return [", ".join(_granting(link, case) for link in case.chain)]
    if number == 6:
        return [f"{', '.join(case.request.resource.labels) or 'none'}, within every ceiling"]
    if number == 7:
        return [f"no rule of {len(case.policies)} speaks against it"]
    if number in (9, 10) and case.accounts:
        return _authority(case) if number == 9 else _budgets(case)
    return []


def _granting(link: Link, case: Case) -> str:
    refused = violation(link.grants, case.request.kind, case.request.resource.id, case.request.args)
    return f"{link_kind(link)} {'✓' if refused is None or not case.opened else refused.code}"


def _charges(case: Case) -> tuple[tuple[str, int], ...]:
    tainted = bool(case.entry.body["snapshot"]["session"]["tainted"])
    return price(case.request, case.chain, tainted=tainted, score=case.entry.body["snapshot"]["risk"]).charges


def _authority(case: Case) -> list[str]:
    left = effective(case.chain, case.accounts, case.entry.body["snapshot"]["time_us"], _charges(case))
    impact = case.request.resource.impact
    return [f"{percent(left)} after this action, {impact.value} needs {percent(floor_of(case.chain, impact))}"]


def _budgets(case: Case) -> list[str]:
    due = dict(_charges(case))
    decaying = [link for link in case.chain if link.decay is not None]
    link, account = decaying[-1], case.accounts[-1]
    parts = []
    for budget in link.budgets:
        if budget.unit == "time":
            parts.append(f"time {duration(_lived(case))} of {duration(budget.subtree)}")
        elif budget.unit in due:
            spent = amount(account.total(budget.unit) + due[budget.unit], budget.decimals)
            parts.append(f"{budget.unit} {spent} of {amount(budget.subtree, budget.decimals)}")
    return [f"{', '.join(parts)}, with this action"] if parts else []
