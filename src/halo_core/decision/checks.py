"""The policy decision point: `decide` judges a request by a snapshot.

It reads nothing else, so replaying a decision means calling it again (INVARIANT: REPLAY). These are the checks, in
order. The most severe effect wins, and every reason is kept.

    (1) the request is well formed                (7) the policy: hard rules, then graded ones
    (2) it belongs to a session                   (8) this very call was not dispatched before
    (3) no stop or revocation applies             (9) authority after the charge is at or above the floor
    (4) there is a valid passport of the actor    (10) budgets and quotas cover the charge, at every link
    (5) every link grants kind, resource, args    (11) an approval of exactly this call answers a challenge
    (6) data labels stay under every ceiling      (12) few challenges are open; the guard can do what is needed

If one of (1) to (4) fails, the decision ends there. In (9) and (10) the result is a challenge if somebody outside the
chain can mend it by re-authorizing the session, else a denial. In (11) an approver's answer is compared with this very
call, the time and the chain (INVARIANT: BIND); its signature was verified when the snapshot was read. It answers
challenges of a policy, never lost authority or a spent budget.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from halo_core.authority import (
    Price,
    Shortfall,
    compute_effective_authority,
    find_floor,
    find_shortfalls,
    price_action,
    price_refusal,
)
from halo_core.content.redaction import SEAL_PREFIX
from halo_core.crypto.keys import compute_key_thumbprint
from halo_core.decision.answers import (
    apply_overrides,
    apply_remembered_answers,
    apply_reversal_order,
    find_reversed_decision,
    is_answerable,
    is_approver_in_chain,
    name_reversed_tool,
)
from halo_core.decision.bindings import UNEXPOSED, find_exposure, list_answer_bindings
from halo_core.decision.model_fields import check_model_fields, list_hosted_resources, select_granted_arguments
from halo_core.decision.record_members import GRANTED
from halo_core.model import (
    SUSPENSIONS,
    AccessRequest,
    ActionKind,
    Approval,
    Decision,
    Effect,
    Grants,
    Impact,
    Link,
    LinkKind,
    Mode,
    Obligation,
    PolicyAnswer,
    Reason,
    Revocation,
    Snapshot,
    Stop,
    format_pair,
)
from halo_core.model.resource import HOSTED_PREFIX
from halo_core.passports import check_time, find_violation, list_label_violations
from halo_core.values.provenance.leaves import extract_texts

PENDING_CAP: Final = 20
"""Open challenges a session may have; one more is denied (the session escalates, not the fleet)."""

HOLD: Final = Obligation("hold")
"""The obligation of a challenge whose action is stored until it is answered."""

_US: Final = 1_000_000
_DENY: Final = Effect.DENY.value


def decide(request: AccessRequest, snapshot: Snapshot) -> Decision:
    """Decide one request. Pure and total: internal errors are denials with `decision_error` (INVARIANT: FAILCLOSED)."""
    try:
        return _decide(request, snapshot)
    except Exception as exc:  # noqa: BLE001  INVARIANT: TOTAL - an error never lets an action run
        return Decision(Effect.DENY, (Reason("decision_error", "pdp", type(exc).__name__),))


def _decide(request: AccessRequest, snapshot: Snapshot) -> Decision:
    failed_precondition = check_preconditions(request, snapshot)
    if failed_precondition is not None:
        return Decision(Effect.DENY, (failed_precondition,))
    answer = snapshot.policy.answer(request, snapshot)  # (7)
    score = snapshot.risk if snapshot.band else None  # what is ordinary costs what its class costs
    cost = price_action(request, snapshot.chain, tainted=snapshot.session.tainted, score=score)
    reasons = [
        *_check_grants(request, snapshot),
        *check_model_fields(request, snapshot),
        *_check_policy(request, snapshot, answer),
        *check_limits(request, snapshot, cost),  # (9) (10)
    ]
    # INVARIANT: ONCE - one request id is dispatched at most once unless running it twice is declared harmless.
    if snapshot.dispatched and not request.resource.idempotent:  # (8)
        reasons.append(Reason("already_dispatched", "ledger"))
    # INVARIANT: FAILCLOSED - where a score is in force, what could not be scored does not run.
    if snapshot.score_problem:
        reasons.append(Reason(snapshot.score_problem, "score"))
    reasons.extend(_check_permit(answer, reasons))
    reasons = apply_answer(request, snapshot, reasons)  # (11)
    reasons = apply_remembered_answers(request, snapshot, reasons)
    if snapshot.standing:
        reasons = apply_overrides(request, snapshot, reasons, answer.reasons if not answer.errors else ())
    if request.context.links:
        reasons = apply_reversal_order(request, snapshot, reasons)
    effect = max((Effect(reason.effect) for reason in reasons), key=lambda item: item.severity, default=Effect.ALLOW)
    obligations = answer.obligations if answer.permitted and not answer.errors else ()
    if effect is Effect.CHALLENGE and _can_be_held(request, snapshot, reasons):
        obligations = (*obligations, HOLD)
    refused = _check_abilities(request, snapshot, effect, obligations)  # (12)
    reasons.extend(refused)
    effect = Effect.DENY if refused else effect
    if not reasons:
        reasons.extend(GRANTED)
    return Decision(
        effect,
        tuple(sorted(set(reasons), key=_severity_key)),
        tuple(sorted(set(obligations))),
        _compute_charges(snapshot, effect, cost, reasons),
    )


def _severity_key(reason: Reason) -> tuple[int, bool, Reason]:
    """Sort key: the most severe reason first; among equals, that the request ran before comes last."""
    return -Effect(reason.effect).severity, reason.code == "already_dispatched", reason


def _compute_charges(
    snapshot: Snapshot, effect: Effect, cost: Price, reasons: Sequence[Reason]
) -> tuple[tuple[str, int], ...]:
    if effect.runs or snapshot.mode is Mode.OBSERVE:
        return cost.charges
    if effect is not Effect.DENY or only_repeats(reasons):
        return ()
    return price_refusal(snapshot.chain, snapshot.envelopes)


def only_repeats(reasons: Sequence[Reason]) -> bool:
    """Whether the only reason against a request is that it ran before, which counts as no attempt."""
    return {reason.code for reason in reasons if reason.effect == _DENY} == {"already_dispatched"}


def check_preconditions(request: AccessRequest, snapshot: Snapshot) -> Reason | None:
    """Return the reason that ends a decision at once, steps (1) to (4); None if there is none."""
    if request.problem:  # (1)
        return Reason(request.problem, "request")
    if not request.context.session:  # (2)
        return Reason("session_missing", "request")
    for stop in snapshot.stops:  # (3)
        if stop_applies(stop, request, snapshot.chain) and has_begun(stop, snapshot.time_us):
            code = "suspended" if stop.scope in SUSPENSIONS else "stopped"
            return Reason(code, f"stop:{stop.scope}", stop.target)
    return _check_passport(request, snapshot)  # (4)


def _check_passport(request: AccessRequest, snapshot: Snapshot) -> Reason | None:
    if snapshot.passport_problem:
        return Reason(snapshot.passport_problem, "passport")
    if not snapshot.chain or snapshot.chain[-1].decay is None:
        return Reason("no_passport", "passport")
    for link in snapshot.chain:
        reason = _check_link(link, request, snapshot)
        if reason is not None:
            return reason
    if snapshot.chain[-1].agent != request.subject.agent:
        return Reason("not_the_holder", snapshot.chain[-1].jti)
    return None


def stop_applies(stop: Stop, request: AccessRequest, chain: Sequence[Link] = ()) -> bool:
    """Whether a stop names the actor, one it acts for or under, its session, the tool or the tenant.

    A suspension that has not begun applies too; `has_begun` says whether it holds.
    """
    subject = request.subject
    agents = (subject.agent, *subject.chain, *(link.agent for link in chain))
    user = subject.reference or subject.user
    names = {
        "agent": agents,
        "session": (request.context.session,),
        "tool": (request.resource.id, *list_hosted_resources(request)),
        "tenant": (subject.tenant,),
        "user": (user,),
        "suspended_agent": agents,
        "suspended_pair": tuple(format_pair(user, agent) for agent in agents) if user else (),
        "suspended_user": (user,),
    }
    # INVARIANT: FAILCLOSED - `all`, and a stop whose scope this version does not know, stops everything.
    return stop.target in names.get(stop.scope, (stop.target,))


def has_begun(stop: Stop, time_us: int) -> bool:
    """Whether a stop holds at a time, microseconds since the epoch; only suspensions begin later than they are set."""
    # INVARIANT: REV - no clock that is set back ends a stop that a person has set.
    return stop.scope not in SUSPENSIONS or time_us >= stop.since_us


def _check_link(link: Link, request: AccessRequest, snapshot: Snapshot) -> Reason | None:
    for revocation in snapshot.revocations:
        if revocation_applies(revocation, (link,), request.context.session):
            return Reason("revoked", f"revocation:{revocation.scope}", revocation.target)
    if link.tenant != request.subject.tenant:  # INVARIANT: TENANT
        return Reason("wrong_tenant", link.jti)
    late = check_time(link, snapshot.time_us // _US)
    return Reason(late, link.jti) if late is not None else None


def revocation_applies(revocation: Revocation, chain: Sequence[Link], session: str) -> bool:
    """Whether a revocation names a link, its key or holder, its tenant or the session."""
    kinds: dict[str, Callable[[Link], tuple[str, ...]]] = {
        "link": lambda link: (link.hash, link.jti),
        "key": lambda link: (link.key_id, compute_key_thumbprint(link.holder_key)),
        "agent": lambda link: (link.agent,),
        "tenant": lambda link: (link.tenant,),
        "session": lambda _: (session,),
    }
    names = kinds.get(revocation.scope)
    # INVARIANT: REV - an unknown scope revokes too: a word this version does not know is not a permission.
    return names is None or any(revocation.target in names(link) for link in chain)


def _check_grants(request: AccessRequest, snapshot: Snapshot) -> list[Reason]:
    if request.kind is ActionKind.HANDOFF and any(link.agent == request.resource.id for link in snapshot.chain):
        return []  # handing back to somebody up the chain is no new authority, so nobody has to grant it
    reasons, args = _check_hand_off(request, snapshot.chain[-1]), select_granted_arguments(request)
    checked_grants: Grants | None = None
    for link in snapshot.chain:
        if link.grants is checked_grants:
            continue  # handed on as they are (`halo_grant_parent`), so the answer is the one above
        checked_grants = link.grants
        violation = find_violation(link.grants, request.kind, request.resource.id, args)  # (5)
        if violation is not None and violation.code == "tool_not_granted" and find_reversed_decision(request):
            # Who may call a tool with these arguments may be told to take such a call back.
            violation = find_violation(link.grants, request.kind, name_reversed_tool(request.resource.id), args)
        if violation is None:
            continue
        if violation.code == "tool_not_granted" and request.resource.id.startswith(HOSTED_PREFIX):
            reasons.append(Reason("hosted_tool", "request", request.resource.id.removeprefix(HOSTED_PREFIX)))
        else:
            reasons.append(Reason(violation.code, link.jti, violation.detail))
        break  # what a link refuses those below it refuse as well (INVARIANT: SUB)
    for link in snapshot.chain:
        exceeding = list_label_violations(link.labels, request.resource.labels)  # (6)
        reasons.extend(Reason(code, link.jti, label) for code, label in exceeding)
    return reasons


def _check_hand_off(request: AccessRequest, leaf: Link) -> list[Reason]:
    """Return the reasons why the acting agent may not hand off to this one; empty for any other action."""
    if request.kind is not ActionKind.HANDOFF:
        return []
    if request.resource.id not in leaf.hand_off_to:
        return [Reason("handoff_not_allowed", leaf.jti, request.resource.id[:64])]
    return [Reason("bad_depth", leaf.jti)] if leaf.depth >= leaf.max_depth else []


def _check_policy(request: AccessRequest, snapshot: Snapshot, answer: PolicyAnswer) -> list[Reason]:
    reasons = list(answer.reasons)
    if _hides_code(request):
        reasons.append(Reason("sealed_command", "pdp", effect=Effect.CHALLENGE.value))
    if snapshot.held_before or snapshot.held_behind:
        reasons.append(Reason("held_before", "outbox", effect=Effect.CHALLENGE.value))
    return reasons


def _check_permit(answer: PolicyAnswer, reasons: list[Reason]) -> list[Reason]:
    """Return a denial if the policy's answer is stricter than its reasons explain."""
    if answer.permitted and not answer.errors:
        stated_severity = max((Effect(reason.effect).severity for reason in answer.reasons), default=0)
        is_unexplained = answer.effect.severity > stated_severity
    else:
        is_unexplained = all(reason.effect != Effect.DENY.value for reason in reasons)
    return [Reason("policy_error", "policy")] if is_unexplained else []


def _hides_code(request: AccessRequest) -> bool:
    # What looks like a secret is sealed before it is decided upon; in something that is run, it could be the payload.
    if request.resource.impact is not Impact.EXECUTE:
        return False
    return any(SEAL_PREFIX in text for text in extract_texts(request.args))


def _check_abilities(
    request: AccessRequest, snapshot: Snapshot, effect: Effect, obligations: tuple[Obligation, ...]
) -> list[Reason]:
    """Return the reasons why this enforcement point cannot carry out the effect, or too many open challenges."""
    needed: set[str] = set()
    if effect is Effect.CHALLENGE:
        needed = {"hold"} if HOLD in obligations else {"pause"}
    elif effect.runs:  # an allowed or approved call may be narrowed too
        needed = {item.kind for item in obligations}
    refused = [Reason("needs_guard", "pep", item) for item in sorted(needed - set(request.context.abilities))]
    if effect.runs:
        refused += [
            Reason("not_a_number", "pep", item.name[:64]) for item in obligations if _is_unclampable(item, request)
        ]
    if effect is Effect.CHALLENGE and not refused and snapshot.pending >= PENDING_CAP:
        refused.append(Reason("pending_cap", "pdp", f"limit {PENDING_CAP}"))
    return refused


def _can_be_held(request: AccessRequest, snapshot: Snapshot, reasons: Sequence[Reason]) -> bool:
    """Whether a challenged action may wait for its answer while its caller goes on."""
    # INVARIANT: HELD - nothing is held that reads, or that rests on a held act, unless it is released after that one.
    return (
        request.resource.can_wait
        and request.kind is ActionKind.TOOL_CALL
        and request.resource.impact is not Impact.READ
        and snapshot.hold_room
        and not snapshot.held_before
        and "hold" in request.context.abilities
        and all(is_answerable(item) for item in reasons if item.effect == Effect.CHALLENGE.value)
    )


def _is_unclampable(item: Obligation, request: AccessRequest) -> bool:
    # INVARIANT: SAME - what runs was priced and judged, so a clamp only ever lowers a number.
    if item.kind != "clamp" or item.name not in request.args:
        return False
    value = request.args[item.name]
    if value is None:
        return item.name == request.resource.amount
    return isinstance(value, bool) or not isinstance(value, int | float)


_PERCENT: Final = 10_000


def check_limits(request: AccessRequest, snapshot: Snapshot, cost: Price) -> list[Reason]:
    """Return the reasons why the chain's authority or budgets do not cover this action."""
    reasons = [Reason(code, "price", detail) for code, detail in cost.problems]
    floor = find_floor(snapshot.chain, request.resource.impact)
    remaining = compute_effective_authority(snapshot.chain, snapshot.envelopes, snapshot.time_us, cost.charges)
    # INVARIANT: CLOSE, MONO - judged after this action's own charge, at the least of all live links.
    if remaining < floor:
        needed, remaining_text = _format_percent(floor), _format_percent(remaining)
        detail = f"{request.resource.impact.value} needs {needed}, {remaining_text} would be left"
        reasons.append(Reason("authority_decayed", snapshot.chain[-1].jti, detail, Effect.CHALLENGE.value))
    missing = find_shortfalls(
        snapshot.chain,
        snapshot.envelopes,
        cost.charges,
        opened_us=snapshot.session.opened_us,
        time_us=snapshot.time_us,
    )
    reasons.extend(_make_shortfall_reason(item, snapshot, cost) for item in missing)
    reasons.extend(_check_quotas(snapshot, cost))
    return reasons


def _format_percent(authority: int) -> str:
    return f"{authority / _PERCENT:.4g}%"


def _make_shortfall_reason(short: Shortfall, snapshot: Snapshot, cost: Price) -> Reason:
    effect = Effect.CHALLENGE if _can_be_raised(short, snapshot, cost) else Effect.DENY
    return Reason(short.code, short.link, short.unit, effect.value)


def _can_be_raised(short: Shortfall, snapshot: Snapshot, cost: Price) -> bool:
    """Whether the session's limit is too low, but the standing link's ceiling leaves room above it."""
    link = next(link for link in snapshot.chain if link.jti == short.link)
    if short.code != "budget_exceeded" or link.kind is not LinkKind.SESSION:
        return False
    ceiling = next((budget.subtree for budget in snapshot.chain[0].budgets if budget.unit == short.unit), 0)
    if short.unit == "time":
        return snapshot.time_us - snapshot.session.opened_us <= ceiling * 1_000_000
    return snapshot.envelopes[0].total(short.unit) + dict(cost.charges).get(short.unit, 0) <= ceiling


def _check_quotas(snapshot: Snapshot, cost: Price) -> list[Reason]:
    """Return a reason for each daily quota of the standing link that the charge would exceed."""
    root = snapshot.chain[0]
    used, due = dict(snapshot.quotas), dict(cost.charges)
    return [
        Reason("quota_exceeded", root.jti, quota.unit)
        for quota in root.quotas
        # INVARIANT: ENV - a quota that nobody counted is used up.
        if quota.unit not in used or 0 < due.get(quota.unit, 0) > quota.per_day - used[quota.unit]
    ]


def list_accepted_bindings(
    request: AccessRequest, snapshot: Snapshot, approval: Approval, rules: str
) -> tuple[str, ...]:
    """List the digests to which this answer may be bound, for a call under the rules with this name."""
    exposure = find_exposure(snapshot.provenance, snapshot.targets, is_tainted=snapshot.session.tainted)
    # INVARIANT: FAILCLOSED - a no of a run that has ended holds for a later one however exposed either is.
    least = exposure if approval.granted else UNEXPOSED
    return list_answer_bindings(request, snapshot.chain, rules, exposure=least, asked_in=approval.session)


def _was_asked(reason: Reason, approval: Approval) -> bool:
    """Whether an approval answers a reason. That an equal act is held asks nothing: a yes to that act is enough."""
    return approval.questions is None or reason.code in (*approval.questions, "held_before")


def apply_answer(request: AccessRequest, snapshot: Snapshot, reasons: list[Reason]) -> list[Reason]:
    """Apply an approver's answer: the challenge becomes `monitor` if approved, `deny` if refused."""
    approval = snapshot.approval
    if approval is None or not any(map(is_answerable, reasons)) or snapshot.time_us >= approval.expires_us:
        return reasons
    accepted = list_accepted_bindings(request, snapshot, approval, snapshot.policy.rules)
    if approval.binding not in accepted:
        return [*reasons, Reason("approval_mismatch", "approval", approval.id)]
    if is_approver_in_chain(approval, request, snapshot):
        return [*reasons, Reason("approver_in_chain", "approval", approval.id)]
    if not approval.granted:
        return [*reasons, Reason("approval_denied", "approval", approval.id)]
    # INVARIANT: BIND - an answer settles what was asked. What came up since, such as an equal payment that ran
    # meanwhile, is asked about together with the rest.
    if not all(_was_asked(item, approval) for item in reasons if is_answerable(item)):
        return [*reasons, Reason("approval_incomplete", "approval", approval.id, Effect.MONITOR.value)]
    answered_reasons = [replace(item, effect=Effect.MONITOR.value) if is_answerable(item) else item for item in reasons]
    return [*answered_reasons, Reason("approved", "approval", approval.id, Effect.MONITOR.value)]
