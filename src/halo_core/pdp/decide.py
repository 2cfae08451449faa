"""Room: the policy decision point. Takes: a request and a snapshot. Gives: a decision. Never: I/O, clock, randomness.

Everything the decision depends on is in the two arguments, so replay is a rerun (INVARIANT: REPLAY). The checks, in
order; the most severe effect wins and every reason found is kept:

    (1) the request was well formed               (7) the policy: hard rules, then graded ones
    (2) it belongs to a session                   (8) this very call was not dispatched before
    (3) no stop, no revocation                    (9) authority after the charge is at or above the floor
    (4) a passport is there, in time, the actor's (10) budgets and quotas hold the charge, at every link
    (5) every link grants kind, resource, args    (11) an approval of exactly this call answers a challenge
    (6) data labels stay under every ceiling      (12) few challenges pend; the PEP can do what the effect asks

(1) to (4) end the decision at once: what follows would speak of a request that has no standing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from halo_core.authority import Price, price, refusal
from halo_core.behaviour.provenance import texts
from halo_core.keys import key_id
from halo_core.model import (
    AccessRequest,
    ActionKind,
    Decision,
    Effect,
    Grants,
    Impact,
    Link,
    Mode,
    Obligation,
    PolicyAnswer,
    Reason,
    Revocation,
    Snapshot,
    Stop,
)
from halo_core.passport import check_time, violation
from halo_core.pdp.answers import answered
from halo_core.pdp.limits import limit_reasons

__all__ = ["PENDING_CAP", "decide", "revokes", "stops"]

PENDING_CAP: Final = 20
"""Open challenges a session may have; one more is denied (the session escalates, not the fleet)."""

SEALED: Final = "halo:secret:"
"""How a sealed secret begins (`halo_core.redact`)."""

_US: Final = 1_000_000


def decide(request: AccessRequest, snapshot: Snapshot) -> Decision:
    """Decide one request. Pure, total: any error inside is a denial with `decision_error` (INVARIANT: FAILCLOSED)."""
    try:
        return _decide(request, snapshot)
    except Exception as exc:  # noqa: BLE001  INVARIANT: TOTAL - an error never lets an action run
        return Decision(Effect.DENY, (Reason("decision_error", "pdp", type(exc).__name__),))


def _decide(request: AccessRequest, snapshot: Snapshot) -> Decision:
    standing = _standing(request, snapshot)
    if standing is not None:
        return Decision(Effect.DENY, (standing,))
    answer = snapshot.policy.answer(request, snapshot)  # (7)
    score = snapshot.risk if snapshot.band else None  # what is ordinary costs what its class costs
    cost = price(request, snapshot.chain, tainted=snapshot.session.tainted, score=score)
    reasons = [
        *_grants(request, snapshot),
        *_policy(request, answer),
        *_once(request, snapshot),
        *_score_missing(snapshot),
        *limit_reasons(request, snapshot, cost),  # (9) (10)
    ]
    reasons.extend(_missing_permit(answer, reasons))
    reasons = answered(request, snapshot, reasons)  # (11)
    effect = max((Effect(reason.effect) for reason in reasons), key=lambda item: item.severity, default=Effect.ALLOW)
    obligations = answer.obligations if answer.permitted and not answer.errors else ()
    refused = _cannot(request, snapshot, effect, obligations)  # (12)
    reasons.extend(refused)
    effect = Effect.DENY if refused else effect
    if not reasons:
        reasons.append(Reason("granted", snapshot.chain[-1].jti, effect=Effect.ALLOW.value))
    return Decision(
        effect,
        tuple(sorted(set(reasons), key=_gravest_first)),
        tuple(sorted(set(obligations))),
        _charges(snapshot, effect, cost, reasons),
    )


def _gravest_first(reason: Reason) -> tuple[int, bool, Reason]:
    # Among equals, that it ran before says least about whether it may.
    return -Effect(reason.effect).severity, reason.code == "already_dispatched", reason


def _charges(snapshot: Snapshot, effect: Effect, cost: Price, reasons: Sequence[Reason]) -> tuple[tuple[str, int], ...]:
    if effect.runs or snapshot.mode is Mode.OBSERVE:
        return cost.charges
    if effect is not Effect.DENY or _only_repeats(reasons):
        return ()
    return refusal(snapshot.chain, snapshot.envelopes)


def _only_repeats(reasons: Sequence[Reason]) -> bool:
    """A step that is run again asks again for what it has run: no attempt at anything."""
    return {reason.code for reason in reasons if reason.effect == Effect.DENY.value} == {"already_dispatched"}


def _standing(request: AccessRequest, snapshot: Snapshot) -> Reason | None:
    if request.problem:  # (1)
        return Reason(request.problem, "request")
    if not request.context.session:  # (2)
        return Reason("session_missing", "request")
    for stop in snapshot.stops:  # (3)
        if stops(stop, request, snapshot.chain):
            return Reason("stopped", f"stop:{stop.scope}", stop.target)
    return _passport(request, snapshot)  # (4)


def _passport(request: AccessRequest, snapshot: Snapshot) -> Reason | None:
    if snapshot.passport_problem:
        return Reason(snapshot.passport_problem, "passport")
    if not snapshot.chain or snapshot.chain[-1].decay is None:
        return Reason("no_passport", "passport")
    for link in snapshot.chain:
        found = _link_standing(link, request, snapshot)
        if found is not None:
            return found
    if snapshot.chain[-1].agent != request.subject.agent:
        return Reason("not_the_holder", snapshot.chain[-1].jti)
    return None


def stops(stop: Stop, request: AccessRequest, chain: Sequence[Link] = ()) -> bool:
    """Whether a stop names the actor, somebody it acts for or under, its session, the tool or the tenant."""
    names = {
        "agent": (request.subject.agent, *request.subject.chain, *(link.agent for link in chain)),
        "session": (request.context.session,),
        "tool": (request.resource.id,),
        "tenant": (request.subject.tenant,),
    }
    # INVARIANT: FAILCLOSED - `all`, and a stop whose scope this version does not know, stops everything.
    return stop.target in names.get(stop.scope, (stop.target,))


def _link_standing(link: Link, request: AccessRequest, snapshot: Snapshot) -> Reason | None:
    for revocation in snapshot.revocations:
        if revokes(revocation, (link,), request.context.session):
            return Reason("revoked", f"revocation:{revocation.scope}", revocation.target)
    if link.tenant != request.subject.tenant:  # INVARIANT: TENANT
        return Reason("wrong_tenant", link.jti)
    late = check_time(link, snapshot.time_us // _US)
    return Reason(late, link.jti) if late is not None else None


def revokes(revocation: Revocation, chain: Sequence[Link], session: str) -> bool:
    """Whether a revocation names a link, its key or holder, its tenant or the session."""
    kinds: dict[str, Callable[[Link], tuple[str, ...]]] = {
        "link": lambda link: (link.hash, link.jti),
        "key": lambda link: (link.key_id, key_id(link.holder_key)),
        "agent": lambda link: (link.agent,),
        "tenant": lambda link: (link.tenant,),
        "session": lambda _: (session,),
    }
    names = kinds.get(revocation.scope)
    # INVARIANT: REV - an unknown scope revokes too: a word this version does not know is not a permission.
    return names is None or any(revocation.target in names(link) for link in chain)


def _grants(request: AccessRequest, snapshot: Snapshot) -> list[Reason]:
    if request.kind is ActionKind.HANDOFF and any(link.agent == request.resource.id for link in snapshot.chain):
        return []  # handing back to somebody up the chain is no new authority, so nobody has to grant it
    reasons = _handing_off(request, snapshot.chain[-1])
    asked: Grants | None = None
    for link in snapshot.chain:
        if link.grants is asked:
            continue  # handed on as they are (`halo_grant_parent`), so the answer is the one above
        asked = link.grants
        refused = violation(link.grants, request.kind, request.resource.id, request.args)  # (5)
        if refused is not None:
            reasons.append(Reason(refused[0], link.jti, refused[1]))
            break  # what a link refuses those below it refuse as well (INVARIANT: SUB)
    for link in snapshot.chain:
        if link.labels is not None:  # (6)
            above = sorted(set(request.resource.labels) - set(link.labels))
            reasons.extend(Reason("class_ceiling", link.jti, label) for label in above)
    return reasons


def _handing_off(request: AccessRequest, leaf: Link) -> list[Reason]:
    if request.kind is not ActionKind.HANDOFF:
        return []
    if request.resource.id not in leaf.hand_off_to:
        return [Reason("handoff_not_allowed", leaf.jti, request.resource.id[:64])]
    return [Reason("bad_depth", leaf.jti)] if leaf.depth >= leaf.max_depth else []


def _policy(request: AccessRequest, answer: PolicyAnswer) -> list[Reason]:
    reasons = list(answer.reasons)
    if _hides_code(request):
        reasons.append(Reason("sealed_command", "pdp", effect=Effect.CHALLENGE.value))
    return reasons


def _missing_permit(answer: PolicyAnswer, reasons: list[Reason]) -> list[Reason]:
    """A denial for an answer that says no, or more than its reasons do, without a reason of its own."""
    if answer.permitted and not answer.errors:
        said = max((Effect(reason.effect).severity for reason in answer.reasons), default=0)
        unsaid = answer.effect.severity > said
    else:
        unsaid = all(reason.effect != Effect.DENY.value for reason in reasons)
    return [Reason("policy_error", "policy")] if unsaid else []


def _hides_code(request: AccessRequest) -> bool:
    # What looks like a secret is sealed before it is decided upon; in something that is run, it could be the payload.
    if request.resource.impact is not Impact.EXECUTE:
        return False
    return any(SEALED in text for text in texts(request.args))


def _cannot(
    request: AccessRequest, snapshot: Snapshot, effect: Effect, obligations: tuple[Obligation, ...]
) -> list[Reason]:
    """What this enforcement point cannot do of what the effect asks; too many open challenges."""
    if effect not in (Effect.RESTRICT, Effect.CHALLENGE):
        # An approved call may still be narrowed.
        asked = {item.kind for item in obligations} if effect.runs else set()
    else:
        asked = {"pause"} if effect is Effect.CHALLENGE else {item.kind for item in obligations}
    refused = [Reason("needs_guard", "pep", item) for item in sorted(asked - set(request.context.abilities))]
    if effect.runs:
        refused += [
            Reason("not_a_number", "pep", item.name[:64]) for item in obligations if _unclampable(item, request)
        ]
    if effect is Effect.CHALLENGE and not refused and snapshot.pending >= PENDING_CAP:
        refused.append(Reason("pending_cap", "pdp", f"limit {PENDING_CAP}"))
    return refused


def _unclampable(item: Obligation, request: AccessRequest) -> bool:
    # INVARIANT: SAME - what runs was priced and judged, so a clamp only ever lowers a number.
    if item.kind != "clamp" or item.name not in request.args:
        return False
    value = request.args[item.name]
    if value is None:
        return item.name == request.resource.amount
    return isinstance(value, bool) or not isinstance(value, int | float)


def _score_missing(snapshot: Snapshot) -> list[Reason]:
    # INVARIANT: FAILCLOSED - where a score is in force, what could not be scored does not run.
    return [Reason(snapshot.score_problem, "score")] if snapshot.score_problem else []


def _once(request: AccessRequest, snapshot: Snapshot) -> list[Reason]:
    # INVARIANT: ONCE - one request id is dispatched at most once unless running it twice is declared harmless. (8)
    if snapshot.dispatched and not request.resource.idempotent:
        return [Reason("already_dispatched", "ledger")]
    return []
