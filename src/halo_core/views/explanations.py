"""Why a decision came out as it did: the checks one by one, and the smallest change that would have let it through.

An explanation reads what the entry recorded and computes the numbers as `halo_core.decision` does. `halo replay` checks
the verdict itself.

INVARIANT: a rule that forbids is named with its place, so that its owner can be asked; no advice is to drop a rule.
Arguments are named, but never their values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from halo_core.authority import compute_effective_authority, find_floor, price_action
from halo_core.crypto import canonical
from halo_core.decision.model_fields import select_granted_arguments
from halo_core.enforcement.snapshot_builder import RECALLED_MARK
from halo_core.manifest import format_grants
from halo_core.model import (
    ANY_OTHER,
    BEHAVIOUR_CODES,
    TARGET_CODES,
    AccessRequest,
    ActionKind,
    Constraint,
    Decision,
    Effect,
    Envelope,
    Impact,
    LedgerEntry,
    Link,
    LinkKind,
    Quota,
    Reason,
    describe_deviation,
)
from halo_core.oversight.signed_entries import load_links
from halo_core.passports import find_violation
from halo_core.policy import CedarPolicy
from halo_core.policy.parsing import Policy
from halo_core.policy.payment_sums import describe_sum
from halo_core.quick_dataclass import dataclass
from halo_core.reasons import get_reason_text
from halo_core.store.reader import LoggedEntry, Reader, SealedContents
from halo_core.views import View, select_fields, wording
from halo_core.views.wording import (
    describe_facts,
    format_amount,
    format_authority,
    format_duration,
    format_link_kind,
    format_percent,
    shorten_hash,
)

_CHECKS: Final = (
    ("the request is well formed", ()),
    ("it belongs to a session", ("session_missing",)),
    ("nothing is stopped or revoked", ("stopped", "suspended", "revoked")),
    (
        "there is a valid passport of the acting agent",
        ("expired", "not_yet_valid", "not_the_holder", "no_passport", "wrong_tenant"),
    ),
    (
        "every link grants the action",
        (
            "tool_not_granted",
            "args_closed_world",
            "arg_violates",
            "handoff_not_allowed",
            "bad_depth",
            "hosted_tool",
            "unknown_model_field",
        ),
    ),
    ("data labels", ("class_ceiling",)),
    ("policy", ()),
    ("not dispatched before", ("already_dispatched",)),
    ("authority", ("authority_decayed",)),
    (
        "budgets and quotas",
        ("budget_exceeded", "per_action_exceeded", "quota_exceeded", "unknown_unit", "bad_amount"),
    ),
    ("approval", ()),
    ("the enforcement point supports the obligations", ("needs_guard", "pending_cap")),
)
"""Title of each check, and the reason codes that it gives."""
_CODES: Final = {code: number for number, (_, codes) in enumerate(_CHECKS, 1) for code in codes}
_SOURCES: Final = {"request": 1, "passport": 4, "price": 10, "approval": 11}
_POLICY: Final = 7
_APPROVAL: Final = 11
_Advice = tuple[str, tuple[str, ...]]
"""What to do, as a phrase, and lines for agents.yaml."""
_LAST_EXCLUSIVE: Final = 4  # number of the last check whose denial ends the decision at once
_BLOCKING_EFFECTS: Final = (Effect.DENY.value, Effect.CHALLENGE.value)
_MAX_LINES: Final = 12


@dataclass(frozen=True, slots=True)
class Case:
    """A recorded decision with what it read.

    Args:
        index: position of the entry.
        entry: entry of the decision.
        request: what was decided; without arguments where they could not be opened.
        decision: the recorded decision.
        chain: the passport, standing link first.
        accounts: the account of each decaying link, before the decision.
        policies: id → rule of the policy in force.
        opened: whether the arguments could be opened.
    """

    index: int
    entry: LedgerEntry
    request: AccessRequest
    decision: Decision
    chain: tuple[Link, ...]
    accounts: tuple[Envelope, ...]
    policies: Mapping[str, Policy]
    opened: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One check of a decision.

    Args:
        number: number of the check, from 1.
        title: title of the check.
        passed: whether it passed; None if it was not asked.
        answers: what it said.
        text: lines of the rules that objected, and known facts.
        raised: whether it gave a reason, even one for less than a denial.
    """

    number: int
    title: str
    passed: bool | None
    answers: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    raised: bool = False


def _build_steps(case: Case) -> list[Step]:
    """The twelve checks in order; reasons with a code that Halo does not define count as the policy's."""
    by_number: dict[int, list[Reason]] = {}
    for reason in case.decision.reasons:
        if reason.code not in ("granted", "decision_error"):
            number = _CODES.get(reason.code) or _SOURCES.get(reason.source) or _POLICY
            by_number.setdefault(_POLICY if reason.source in case.policies else number, []).append(reason)
    last_checked = min(by_number, default=99) if min(by_number, default=99) <= _LAST_EXCLUSIVE else 99
    case_steps = []
    for number, (title, _) in enumerate(_CHECKS, 1):
        reasons = by_number.get(number, [])
        if number > last_checked:
            step = Step(number, title, None, ("not checked",))
        elif number == _APPROVAL and not reasons:
            challenged = case.decision.effect is Effect.CHALLENGE
            step = Step(number, title, None, ("no answer was given" if challenged else "none was requested",))
        else:
            passed = not any(item.effect in _BLOCKING_EFFECTS for item in reasons)
            answers = [_describe_reason(item, case) for item in reasons] or _describe_passed_check(number, case)
            lines = _list_policy_lines(reasons, case)
            if number == _POLICY and (facts := describe_facts(case.entry.body["snapshot"])):
                lines = (*lines, f"known: {'; '.join(facts)}")
            step = Step(number, title, passed, tuple(filter(None, answers)), lines, bool(reasons))
        case_steps.append(step)
    return case_steps


def _describe_reason(reason: Reason, case: Case) -> str:
    policy = case.policies.get(reason.source)
    link = next((item for item in case.chain if item.jti == reason.source), None)
    source = f"`{policy.id}` at {policy.source}:{policy.line}" if policy is not None else ""
    if link is not None:
        source = f"{format_link_kind(link)} link {shorten_hash(link.hash)} of {link.agent}"
    title, detail = get_reason_text(reason.code).title, _describe_limit(reason, link, case) or reason.detail
    if policy is not None:
        detail = detail or describe_sum(reason.code, policy.text, case.entry.body["snapshot"])
    if reason.code in BEHAVIOUR_CODES:
        detail = detail or describe_deviation(case.entry.body["snapshot"])
    words = ", ".join(filter(None, (title, detail)))
    effect = "" if reason.effect == Effect.DENY.value else f" → {reason.effect}"
    return f"{words} ({'; '.join(filter(None, (reason.code, source)))}){effect}"


def _describe_limit(reason: Reason, link: Link | None, case: Case) -> str:
    """What was used, requested and allowed, in words; empty if the reason is no limit of a link."""
    if link is None or reason.code not in ("quota_exceeded", "budget_exceeded", "per_action_exceeded"):
        return ""
    unit = reason.detail
    requested = dict(_compute_charges(case)).get(unit, 0)
    limits = link.quotas if reason.code == "quota_exceeded" else link.budgets
    limit = next((item for item in limits if item.unit == unit), None)
    if limit is None:
        return ""
    if isinstance(limit, Quota):
        used = dict(case.entry.body["snapshot"]["quotas"]).get(unit)
        return _format_usage(unit, limit.decimals, used, requested, limit.per_day, when=" today")
    if reason.code == "per_action_exceeded":
        asked, most = (format_amount(amount, limit.decimals) for amount in (requested, limit.per_action))
        return f"{unit}: {asked} requested, limit {most}"
    if unit == "time":
        age, most = map(format_duration, (_compute_session_age(case), limit.subtree))
        return f"time: {age} of {most} have passed"
    decaying = [item for item in case.chain if item.decay is not None]
    account = dict(zip((item.jti for item in decaying), case.accounts, strict=False)).get(link.jti)
    used = account.total(unit) if account is not None else None
    return _format_usage(unit, limit.decimals, used, requested, limit.subtree)


def _format_usage(unit: str, decimals: int, used: int | None, requested: int, limit: int, *, when: str = "") -> str:
    spent = "the remaining amount is unknown" if used is None else format_amount(used, decimals)
    asked, most = (format_amount(amount, decimals) for amount in (requested, limit))
    return f"{unit}: {spent} used{when}, {asked} requested, the limit is {most}"


def _compute_session_age(case: Case) -> int:
    """Age of the session, seconds."""
    snapshot = case.entry.body["snapshot"]
    return int(snapshot["time_us"] - snapshot["session"]["opened_us"]) // 1_000_000


def _list_policy_lines(reasons: Sequence[Reason], case: Case) -> tuple[str, ...]:
    lines: list[str] = []
    for reason in reasons:
        policy = case.policies.get(reason.source)
        if policy is not None:
            source_lines = [line for line in policy.text.splitlines() if line.strip()]
            lines += source_lines[:_MAX_LINES] + (["…"] if len(source_lines) > _MAX_LINES else [])
    return tuple(lines)


def _describe_passed_check(number: int, case: Case) -> list[str]:
    """What a check that passed looked at, in words."""
    if number == 4:
        links = (f"{format_link_kind(link)} {shorten_hash(link.hash)} of {link.agent}" for link in case.chain)
        return [" → ".join(links)]
    if number == 5:
        wanted = (case.request.kind, case.request.resource.id, select_granted_arguments(case.request))
        refused = [(link, find_violation(link.grants, *wanted) if case.opened else None) for link in case.chain]
        return [", ".join(f"{format_link_kind(link)} {'✓' if hit is None else hit.code}" for link, hit in refused)]
    if number == 6:
        return [f"{', '.join(case.request.resource.labels) or 'none'}, within every ceiling"]
    if number == 7:
        return [f"none of {len(case.policies)} rules objects"]
    if number in (9, 10) and case.accounts:
        return _describe_authority(case) if number == 9 else _describe_budgets(case)
    return []


def _compute_charges(case: Case) -> tuple[tuple[str, int], ...]:
    tainted = bool(case.entry.body["snapshot"]["session"]["tainted"])
    return price_action(case.request, case.chain, tainted=tainted, score=case.entry.body["snapshot"]["risk"]).charges


def _describe_authority(case: Case) -> list[str]:
    now_us = case.entry.body["snapshot"]["time_us"]
    remaining = compute_effective_authority(case.chain, case.accounts, now_us, _compute_charges(case))
    impact = case.request.resource.impact
    floor = format_percent(find_floor(case.chain, impact))
    recorded = format_authority(case.entry.body)
    if not recorded or _is_charged_in_full(case):
        return [f"{recorded or f'{format_percent(remaining)} after'}, {impact.value} needs {floor}"]
    return [f"{recorded}; {format_percent(remaining)} if it had run, {impact.value} needs {floor}"]


def _is_charged_in_full(case: Case) -> bool:
    """Whether the decision charged what the action costs; one that refuses charges nothing, or something else."""
    return dict(case.decision.charges) == dict(_compute_charges(case))


def _describe_budgets(case: Case) -> list[str]:
    due = dict(_compute_charges(case))
    decaying = [link for link in case.chain if link.decay is not None]
    link, account = decaying[-1], case.accounts[-1]
    after = {
        unit: reserved + done
        for name, unit, reserved, done in case.entry.body["after"]["budgets"]
        if name == account.link
    }
    parts, if_run = [], []
    for budget in link.budgets:
        if budget.unit == "time":
            parts.append(f"time {format_duration(_compute_session_age(case))} of {format_duration(budget.subtree)}")
        elif budget.unit in due:
            spent = format_amount(after.get(budget.unit, 0), budget.decimals)
            parts.append(f"{budget.unit} {spent} of {format_amount(budget.subtree, budget.decimals)}")
            total = account.total(budget.unit) + due[budget.unit]
            if_run.append(f"{budget.unit} {format_amount(total, budget.decimals)}")
    more = "" if _is_charged_in_full(case) or not if_run else f"; {', '.join(if_run)} if it had run"
    return [f"{', '.join(parts)}, after it{more}"] if parts else []


@dataclass(frozen=True, slots=True)
class NeededChange:
    """A change that one blocking reason calls for: its code, what to do, and lines for agents.yaml."""

    code: str
    text: str
    snippet: tuple[str, ...] = ()


def _find_needed_changes(case: Case) -> list[NeededChange]:
    """One change for each reason that kept the action from running; empty if it may run."""
    if case.decision.effect.runs:
        return []
    blocking = [reason for reason in case.decision.reasons if reason.effect in _BLOCKING_EFFECTS]
    return list(dict.fromkeys(_find_change(reason, case) for reason in blocking))


def _find_change(reason: Reason, case: Case) -> NeededChange:
    code, policy, text = reason.code, case.policies.get(reason.source), get_reason_text(reason.code)
    if policy is None:
        link = next((item for item in case.chain if item.jti == reason.source), None)
        return NeededChange(code, *_advise(reason, case, link))
    place = f"`{policy.id}` ({policy.source}:{policy.line})"
    if reason.effect != Effect.CHALLENGE.value:
        # Nobody can approve what a hard rule forbids.
        approvable = not text.remedy or text.remedy.startswith("request an approval")
        instead = "do it in another way" if approvable else text.remedy
        return NeededChange(code, f"{place} forbids this; ask the owner of that rule, or {instead}")
    advice = f"an approval, which {place} requires: `halo approvals list`, then `approve`"
    if code == "risk_unknown":
        advice += f"; or, permanently, its own baseline: `halo baseline fit {case.request.subject.agent}`"
    resource = case.request.resource
    if code == "grave_impact" and resource.impact is Impact.DELETE and not resource.targets:
        advice += (
            f"; or, permanently, `targets: [...]` of `{resource.id}` in agents.yaml, with what names what it deletes"
        )
    if code in TARGET_CODES and (tools := _list_recalling_tools(case)):
        clear = ", ".join(f"`halo known clear {tool}`" for tool in tools)
        advice += f"; or, once you have looked at what exposed sessions wrote where these read: {clear}"
    return NeededChange(code, advice)


def _list_recalling_tools(case: Case) -> list[str]:
    """The tools that brought values of the targets back from where an exposed session had stored them."""
    snapshot, mark = case.entry.body["snapshot"], f" ({RECALLED_MARK})"
    targets = {str(pointer) for pointer, *_ in snapshot["targets"]}
    names = {name for pointer, tool_names in snapshot.get("sources", ()) if pointer in targets for name in tool_names}
    return sorted(name.removesuffix(mark) for name in names if name.endswith(mark))


def _advise(reason: Reason, case: Case, link: Link | None) -> _Advice:
    advice = get_reason_text(reason.code).remedy or get_reason_text(reason.code).title
    match reason.code:
        case "arg_violates" | "args_closed_world":
            return _advise_argument(reason, case, link)
        case "class_ceiling":
            return _advise_label(reason, case, link)
        case "handoff_not_allowed":
            return _advise_hand_off(case)
        case "tool_not_granted":
            return _advise_grant(case, link)
        case "authority_decayed" | "budget_exceeded" if reason.effect == Effect.CHALLENGE.value:
            detail = f": {reason.detail}" if reason.detail else ""
            advice = f"re-authorize the session{detail}; `halo approvals list`, then `approve`"
        case "authority_decayed" | "budget_exceeded":
            advice = f"a larger budget of {reason.detail}: re-authorization cannot exceed the passport's ceiling"
        case "per_action_exceeded" | "quota_exceeded" | "unknown_unit":
            agent = case.chain[0].agent if case.chain else case.request.subject.agent
            advice += f"; or change `budgets` of {reason.detail} in the manifest of {agent}, issue again"
    return advice, ()


def _build_manifest_snippet(case: Case, link: Link | None, rules: Mapping[str, Constraint]) -> tuple[str, ...]:
    """The agent's section with one resource, as the manifest of the chain's root spells it."""
    if link is None or link.kind is LinkKind.HANDOFF:
        return ()
    sections = format_grants({case.request.kind: {case.request.resource.id: rules}}, "    ").splitlines()
    if case.request.kind is not ActionKind.TOOL_CALL:
        sections = [line for line in sections if line.strip() != "tools: {}"]
    return ("agents:", f"  {case.chain[0].agent}:", *sections)


def _find_parent(case: Case, link: Link) -> str:
    return case.chain[case.chain.index(link) - 1].agent


def _advise_issue(case: Case, link: Link | None, grant: str) -> str:
    if link is not None and link.kind is LinkKind.HANDOFF:
        return f"{_find_parent(case, link)} hands {grant} on to {link.agent}, if its own passport allows it"
    return f"add {grant} to the manifest of {case.chain[0].agent}, then run `halo passport issue {case.chain[0].agent}`"


def _advise_grant(case: Case, link: Link | None) -> _Advice:
    names = sorted(name for name in case.request.args if name.isascii() and name.isprintable())
    rules = dict.fromkeys(names if case.opened else [ANY_OTHER], Constraint.anything())
    return _advise_issue(case, link, f"`{case.request.resource.id}`"), _build_manifest_snippet(case, link, rules)


def _advise_argument(reason: Reason, case: Case, link: Link | None) -> _Advice:
    name, _, why = reason.detail.partition(": ")
    tool = case.request.resource.id
    rules = dict(link.grants.get(case.request.kind, {}).get(tool, {})) if link is not None else {}
    if reason.code == "arg_violates":
        limit = rules.get(name, rules.get(ANY_OTHER))
        allowed = wording.describe_constraint(limit) if limit is not None else why
        return f"`{name}` of `{tool}` may be {allowed}: use such a value, or {_advise_widening(case, link)}", ()
    if why == "missing":
        limit = rules.get(name)
        allowed = wording.describe_constraint(limit) if limit is not None else "given"
        return f"pass `{name}`, which may be {allowed}", ()
    snippet = _build_manifest_snippet(case, link, {**rules, name: Constraint.anything()})
    return _advise_issue(case, link, f"`{name}` of `{tool}`"), snippet


def _advise_widening(case: Case, link: Link | None) -> str:
    if link is not None and link.kind is LinkKind.HANDOFF:
        return f"let {_find_parent(case, link)} hand off more"
    return f"widen it in the manifest of {case.chain[0].agent}" if case.chain else "widen the grant"


def _advise_label(reason: Reason, case: Case, link: Link | None) -> _Advice:
    labels = sorted({*((link.labels if link is not None else None) or ()), reason.detail})
    snippet = ("agents:", f"  {case.chain[0].agent}:", f"    data_scope: [{', '.join(labels)}]")
    return _advise_issue(case, link, f"the label `{reason.detail}` under `data_scope`"), snippet


def _advise_hand_off(case: Case) -> _Advice:
    leaf, target = case.chain[-1], case.request.resource.id
    targets = ", ".join(sorted({*leaf.hand_off_to, target}))
    snippet = ("agents:", f"  {case.chain[0].agent}:", f"    hand_off: [{targets}]")
    advice = _advise_issue(case, leaf, f"`{target}` under `hand_off`")
    return advice, snippet if leaf.kind is not LinkKind.HANDOFF else ()


@dataclass(frozen=True, slots=True)
class Explanation(View):
    """A recorded decision, each of its checks, and the changes that would have let the call through."""

    case: Case
    steps: list[Step]
    changes: list[NeededChange]

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "changes": [{"code": x.code, "snippet": "\n".join(x.snippet), "text": x.text} for x in self.changes],
            "effect": self.case.decision.effect.value,
            "id": self.case.entry.id,
            "index": self.case.index,
            "steps": [select_fields(step, "answers", "number", "passed", "title") for step in self.steps],
        }


def explain_decision(reader: Reader, contents: SealedContents, record: LoggedEntry) -> Explanation:
    """Explain a decision; `contents` opens its arguments, where it can.

    Raises:
        Tampered: a passport of it is missing or was changed.
    """
    case = _load_case(reader, contents, record)
    return Explanation(case, _build_steps(case), _find_needed_changes(case))


def _load_case(reader: Reader, contents: SealedContents, record: LoggedEntry) -> Case:
    entry = record.entry
    snapshot = entry.body["snapshot"]
    sealed = contents.open(entry, "args")
    args = canonical.from_plain(canonical.loads(sealed)) if sealed is not None else None
    bundle = reader.blob(entry.tenant, snapshot["policy"])
    policies = CedarPolicy.from_bytes(bundle).policies if bundle is not None else ()
    return Case(
        index=record.index,
        entry=entry,
        request=AccessRequest.from_plain(entry.body["request"], args or {}),
        decision=Decision.from_plain(entry.body["decision"]),
        chain=load_links(reader, entry.tenant, snapshot["chain"]),
        accounts=tuple(map(Envelope.from_plain, snapshot["envelopes"])),
        policies={policy.id: policy for policy in policies},
        opened=args is not None,
    )
