"""Room: the smallest change that would have let a call through. Takes: a recorded case. Gives: advice. Never: decides.

INVARIANT: a rule that forbids is named with its place, so that whoever answers for it is asked; nobody is told to drop
it. Arguments are named, their values never.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from halo_core.cli.explain_steps import Case
from halo_core.cli.words import constraint
from halo_core.manifest import grants_text
from halo_core.model import ANY_OTHER, ActionKind, Constraint, Effect, Link, LinkKind, Reason
from halo_core.reasons import text

__all__ = ["Wanted", "wanted"]

_ASKED: Final = (Effect.DENY.value, Effect.CHALLENGE.value)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing that stood in the way: its code, what to do, lines for agents.yaml."""

    code: str
    text: str
    snippet: tuple[str, ...] = ()


def wanted(case: Case) -> list[Wanted]:
    """One for each reason that kept it from running; empty where none did."""
    if case.decision.effect.runs:
        return []
    against = [reason for reason in case.decision.reasons if reason.effect in _ASKED]
    found = [_one(reason, case) for reason in against]
    return list(dict.fromkeys(found))


def _one(reason: Reason, case: Case) -> Wanted:
    policy = case.policies.get(reason.source)
    if policy is not None:
        place = f"`{policy.id}` ({policy.source}:{policy.line})"
        if reason.effect == Effect.CHALLENGE.value:
            told = f"an approval, which {place} asks for: `halo approvals list`, then `approve`"
            if reason.code == "risk_unknown":
                told += f"; for good, a baseline of its own: `halo baseline fit {case.request.subject.agent}`"
            return Wanted(reason.code, told)
        return Wanted(reason.code, f"{place} forbids this; ask whoever answers for that rule, or {_otherwise(reason)}")
    known = _ADVICE.get(reason.code)
    if known is not None:
        return known(reason, case)
    return Wanted(reason.code, text(reason.code).remedy or text(reason.code).title)


def _otherwise(reason: Reason) -> str:
    remedy = text(reason.code).remedy
    # Nobody can approve what a hard rule forbids.
    return remedy if remedy and not remedy.startswith("ask for") else "do it another way"


def _refusing(reason: Reason, case: Case) -> Link | None:
    return next((link for link in case.chain if link.jti == reason.source), None)


def _in_manifest(case: Case, link: Link | None, rules: Mapping[str, Constraint]) -> tuple[str, ...]:
    """The agent's section with one resource, as the manifest of the chain's root spells it."""
    if link is None or link.kind is LinkKind.HANDOFF:
        return ()
    sections = grants_text({case.request.kind: {case.request.resource.id: rules}}, "    ").splitlines()
    if case.request.kind is not ActionKind.TOOL_CALL:
        sections = [line for line in sections if line.strip() != "tools: {}"]
    return ("agents:", f"  {case.chain[0].agent}:", *sections)


def _issue(case: Case, link: Link | None, what: str) -> str:
    if link is not None and link.kind is LinkKind.HANDOFF:
        above = case.chain[case.chain.index(link) - 1].agent
        return f"{above} hands {what} on to {link.agent}, as far as its own passport has it"
    return f"name {what} in the manifest of {case.chain[0].agent}, then `halo passport issue {case.chain[0].agent}`"


def _missing_grant(reason: Reason, case: Case) -> Wanted:
    link = _refusing(reason, case)
    names = [name for name in case.request.args if name.isascii() and name.isprintable()]
    rules = dict.fromkeys(sorted(names), Constraint.anything())
    if not case.opened:
        rules = {ANY_OTHER: Constraint.anything()}
    what = f"`{case.request.resource.id}`"
    return Wanted(reason.code, _issue(case, link, what), _in_manifest(case, link, rules))


def _argument(reason: Reason, case: Case) -> Wanted:
    link = _refusing(reason, case)
    name, _, why = reason.detail.partition(": ")
    rules = dict(link.grants.get(case.request.kind, {}).get(case.request.resource.id, {})) if link is not None else {}
    tool = case.request.resource.id
    if reason.code == "arg_violates":
        limit = rules.get(name, rules.get(ANY_OTHER))
        told = constraint(limit) if limit is not None else why
        return Wanted(reason.code, f"`{name}` of `{tool}` may be {told}: call it within that, or {_widen(case, link)}")
    if why == "missing":
        limit = rules.get(name)
        told = constraint(limit) if limit is not None else "given"
        return Wanted(reason.code, f"the call gives `{name}`, which may be {told}")
    what = f"`{name}` of `{tool}`"
    return Wanted(
        reason.code, _issue(case, link, what), _in_manifest(case, link, {**rules, name: Constraint.anything()})
    )


def _widen(case: Case, link: Link | None) -> str:
    if link is not None and link.kind is LinkKind.HANDOFF:
        return f"have {case.chain[case.chain.index(link) - 1].agent} hand on more"
    return f"widen it in the manifest of {case.chain[0].agent}" if case.chain else "widen the grant"


def _label(reason: Reason, case: Case) -> Wanted:
    link = _refusing(reason, case)
    labels = sorted({*(link.labels or ()), reason.detail}) if link is not None else [reason.detail]
    snippet = ("agents:", f"  {case.chain[0].agent}:", f"    data_scope: [{', '.join(labels)}]")
    return Wanted(reason.code, _issue(case, link, f"the label `{reason.detail}` under `data_scope`"), snippet)


def _hand_off(reason: Reason, case: Case) -> Wanted:
    leaf = case.chain[-1]
    targets = sorted({*leaf.hand_off_to, case.request.resource.id})
    snippet = ("agents:", f"  {case.chain[0].agent}:", f"    hand_off: [{', '.join(targets)}]")
    what = f"`{case.request.resource.id}` under `hand_off`"
    return Wanted(reason.code, _issue(case, leaf, what), snippet if leaf.kind is not LinkKind.HANDOFF else ())


def _reauthorize(reason: Reason, case: Case) -> Wanted:
    del case
    if reason.effect == Effect.CHALLENGE.value:
        what = f"re-authorize the session: {reason.detail}" if reason.detail else "re-authorize the session"
        return Wanted(reason.code, f"{what}; `halo approvals list`, then `approve`")
    return Wanted(reason.code, f"a larger budget of {reason.detail}: no re-authorization passes the passport's ceiling")


def _budget(reason: Reason, case: Case) -> Wanted:
    agent = case.chain[0].agent if case.chain else case.request.subject.agent
    return Wanted(
        reason.code,
        f"{text(reason.code).remedy}; or other `budgets` of {reason.detail} in the manifest of {agent}, issued anew",
    )


_ADVICE: Final[dict[str, Callable[[Reason, Case], Wanted]]] = {
    "arg_violates": _argument,
    "args_closed_world": _argument,
    "authority_decayed": _reauthorize,
    "budget_exceeded": _reauthorize,
    "class_ceiling": _label,
    "handoff_not_allowed": _hand_off,
    "per_action_exceeded": _budget,
    "quota_exceeded": _budget,
    "tool_not_granted": _missing_grant,
    "unknown_unit": _budget,
}
