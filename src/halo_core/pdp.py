"""Room: the policy decision point. Takes: a request and a snapshot. Gives: a decision. Never: I/O, clock, randomness.

Everything the decision depends on is in the two arguments, so replay is a rerun (INVARIANT: REPLAY). The checks, in
order; the most severe effect wins and every reason found is kept:

    (1) the request was well formed          (5) every link grants kind, resource and arguments
    (2) it belongs to a session              (6) data labels stay under every link's ceiling
    (3) no stop, no revocation               (7) the policy: hard rules, then graded ones
    (4) a passport is there and in time      (8) this very call was not dispatched before; few challenges pend
                                             (9) the enforcement point can do what the effect asks

(1) to (4) end the decision at once: what follows would speak of a request that has no standing.
"""

from __future__ import annotations

from typing import Final

from halo_core.behaviour.provenance import texts
from halo_core.model import AccessRequest, Decision, Effect, Impact, Link, Obligation, Reason, Snapshot
from halo_core.passport import check_time, violation

__all__ = ["PENDING_CAP", "decide"]

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
    reasons = [*_grants(request, snapshot), *_once(request, snapshot)]
    effect = Effect.DENY if reasons else Effect.ALLOW
    obligations: tuple[Obligation, ...] = ()
    answer = snapshot.policy.answer(request, snapshot)  # (7)
    reasons.extend(answer.reasons)
    if answer.permitted and not answer.errors:
        effect = max(effect, answer.effect, key=lambda item: item.severity)
        obligations = answer.obligations
    else:
        effect = Effect.DENY
        if not any(reason.effect == Effect.DENY.value for reason in reasons):
            reasons.append(Reason("policy_error", "policy"))  # a no without a reason of its own
    if _hides_code(request):
        reasons.append(Reason("sealed_command", "pdp", effect=Effect.CHALLENGE.value))
        effect = max(effect, Effect.CHALLENGE, key=lambda item: item.severity)
    if effect in (Effect.RESTRICT, Effect.CHALLENGE):
        missing = _missing_abilities(request, effect, obligations)  # (9)
        reasons.extend(missing)
        effect = Effect.DENY if missing else effect
    if effect is Effect.CHALLENGE and snapshot.pending >= PENDING_CAP:  # (8)
        reasons.append(Reason("pending_cap", "pdp", f"limit {PENDING_CAP}"))
        effect = Effect.DENY
    if not reasons:
        reasons.append(Reason("granted", snapshot.chain[-1].jti, effect=Effect.ALLOW.value))
    return Decision(effect, tuple(sorted(set(reasons), key=_gravest_first)), tuple(sorted(set(obligations))))


def _gravest_first(reason: Reason) -> tuple[int, bool, Reason]:
    # Among equals, that it ran before says least about whether it may.
    return -Effect(reason.effect).severity, reason.code == "already_dispatched", reason


def _standing(request: AccessRequest, snapshot: Snapshot) -> Reason | None:
    if request.problem:  # (1)
        return Reason(request.problem, "request")
    if not request.context.session:  # (2)
        return Reason("session_missing", "request")
    for stop in snapshot.stops:  # (3)
        if stop.scope == "all" or stop.target == _target(stop.scope, stop.target, request):
            return Reason("stopped", f"stop:{stop.scope}", stop.target)
    if not snapshot.chain:  # (4)
        return Reason("no_passport", "passport")
    for link in snapshot.chain:
        found = _link_standing(link, request, snapshot)
        if found is not None:
            return found
    return None


def _target(scope: str, target: str, request: AccessRequest) -> str:
    # INVARIANT: FAILCLOSED - a stop whose scope this version does not know stops everything.
    return {
        "agent": request.subject.agent,
        "session": request.context.session,
        "tool": request.resource.id,
        "tenant": request.subject.tenant,
    }.get(scope, target)


def _link_standing(link: Link, request: AccessRequest, snapshot: Snapshot) -> Reason | None:
    names = {"link": link.hash, "key": link.key_id, "agent": link.agent, "tenant": link.tenant}
    for revocation in snapshot.revocations:
        # INVARIANT: REV - an unknown scope revokes too: a word this version does not know is not a permission.
        if names.get(revocation.scope, revocation.target) == revocation.target:
            return Reason("revoked", f"revocation:{revocation.scope}", revocation.target)
    if link.tenant != request.subject.tenant:  # INVARIANT: TENANT
        return Reason("wrong_tenant", link.jti)
    late = check_time(link, snapshot.time_us // _US)
    return Reason(late, link.jti) if late is not None else None


def _grants(request: AccessRequest, snapshot: Snapshot) -> list[Reason]:
    reasons = []
    for link in snapshot.chain:
        refused = violation(link.grants, request.kind, request.resource.id, request.args)  # (5)
        if refused is not None:
            reasons.append(Reason(refused[0], link.jti, refused[1]))
        if link.labels is not None:  # (6)
            above = sorted(set(request.resource.labels) - set(link.labels))
            reasons.extend(Reason("class_ceiling", link.jti, label) for label in above)
    return reasons


def _hides_code(request: AccessRequest) -> bool:
    # What looks like a secret is sealed before it is decided upon; in something that is run, it could be the payload.
    if request.resource.impact is not Impact.EXECUTE:
        return False
    return any(SEALED in text for text in texts(request.args))


def _missing_abilities(request: AccessRequest, effect: Effect, obligations: tuple[Obligation, ...]) -> list[Reason]:
    asked = {"pause"} if effect is Effect.CHALLENGE else {item.kind for item in obligations}
    return [Reason("needs_guard", "pep", item) for item in sorted(asked - set(request.context.abilities))]


def _once(request: AccessRequest, snapshot: Snapshot) -> list[Reason]:
    # INVARIANT: ONCE - one request id is dispatched at most once unless running it twice is declared harmless.
    if snapshot.dispatched and not request.resource.idempotent:
        return [Reason("already_dispatched", "ledger")]
    return []
