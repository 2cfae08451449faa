"""How a decision applies answers of approvers: those for an exact call, and remembered ones.

INVARIANT: BIND - an answer for a call settles that call only. A remembered answer settles questions about whom or what
an act reaches (`TARGET_CODES`), within the scope that it was signed for. It never settles a limit of volume or sum, a
label or behaviour. It settles a large amount (`AMOUNT_CODES`) only if its approver said so: up to the amount that was
shown, within 24 hours. An emergency answer settles every question of one agent for some minutes, except those about
money.

An override allows one exact call that a rule refused or asked about, or forbids a call or a target, for some time. It
cannot set aside what is not a rule: stops, revocations, grants, labels, floors, budgets, a person's no. A reversal
needs an order, for exactly this effect, by somebody outside the chain; the order also settles questions about it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from halo_core.crypto import canonical
from halo_core.crypto.keys import compute_key_thumbprint
from halo_core.decision.bindings import find_exposure, list_answer_bindings
from halo_core.model import (
    AMOUNT_CODES,
    REAUTHORIZABLE_CODES,
    TARGET_CODES,
    AccessRequest,
    Approval,
    Effect,
    Impact,
    Reason,
    Resource,
    Reversal,
    Snapshot,
    StandingAnswer,
    same_person,
)

_TWO_PERSON_IMPACTS: Final = frozenset({Impact.ADMIN, Impact.DELETE, Impact.EXECUTE})
# Kinds of remembered answers
STANDING: Final = "standing"
BREAK_GLASS: Final = "break_glass"
OVERRIDE_ALLOW: Final = "override_allow"
OVERRIDE_DENY: Final = "override_deny"
REVERSAL: Final = "reversal"

REVERSES: Final = "reverses"
"""Relation of a request to the decision whose effect it takes back (`Context.links`)."""
ANY_ROLE: Final = "*"
_CODES_OF_NO_RULE: Final = frozenset({"policy_error", "policy_no_permit"})
"""Codes of denials that the policy gives without a rule that forbids."""
_METHODS: Final = (".compensate", ".undo")


def count_needed_approvers(impact: Impact, reversal: Reversal) -> int:
    """Count the people who must sign a remembered answer: two for some irreversible acts, else one."""
    return 2 if impact in _TWO_PERSON_IMPACTS and reversal is Reversal.IRREVERSIBLE else 1


def make_break_glass_scope(tenant: str, agent: str) -> str:
    """Make the digest that binds an emergency answer to one agent of one tenant."""
    return canonical.digest("halo/break-glass/v1", canonical.dumps([tenant, agent]))


def needs_two_people(resource: Resource) -> bool:
    """Whether an override of a call takes two people, because it may move money or cannot be undone."""
    return moves_money(resource) or count_needed_approvers(resource.impact, resource.reversal) > 1


def make_denied_scope(tenant: str, resource: str, what: str) -> str:
    """Make the digest of what an override forbids: a tool's calls with this digest of targets or of arguments."""
    return canonical.digest("halo/override-deny/v1", canonical.dumps([tenant, resource, what]))


def make_reversal_scope(tenant: str, decision: str, resource: str, args_digest: str) -> str:
    """Make the digest that binds the order of a reversal to one decision, its method and its arguments."""
    return canonical.digest("halo/reversal/v1", canonical.dumps([tenant, decision, resource, args_digest]))


def find_reversed_decision(request: AccessRequest) -> str:
    """Return the id of the decision whose effect a request reverses; empty for any other request."""
    return next((entry for relation, entry in request.context.links if relation == REVERSES), "")


def name_reversed_tool(resource: str) -> str:
    """Return the tool whose calls a reversal's resource reverses: `pay` for `pay.undo`."""
    return next((resource.removesuffix(method) for method in _METHODS if resource.endswith(method)), resource)


def is_answerable(reason: Reason) -> bool:
    """Whether a reason is a question that an answer to one call settles."""
    return reason.effect == Effect.CHALLENGE.value and reason.code not in REAUTHORIZABLE_CODES


def apply_remembered_answers(request: AccessRequest, snapshot: Snapshot, reasons: list[Reason]) -> list[Reason]:
    """Apply remembered answers: a question about a target becomes `monitor` if one settles it."""
    if not snapshot.standing or not any(map(is_answerable, reasons)):
        return reasons
    standing = [item for item in snapshot.standing if _covers(item, request, snapshot)]
    signers = _list_signers(item for item in standing if item.kind == STANDING)
    needed = count_needed_approvers(request.resource.impact, request.resource.reversal)
    amount_signers = [item for item in signers if _covers_amount(item, request, snapshot)]
    if len(amount_signers) >= needed:
        reasons = _settle(reasons, _asks_for_target_or_amount, amount_signers, "remembered")
    elif len(signers) >= needed:
        reasons = _settle(reasons, _asks_for_target, signers, "remembered")
    emergency = [item for item in standing if item.kind == BREAK_GLASS and not moves_money(request.resource)]
    return _settle(reasons, is_answerable, emergency[:1], "break_glass")


def is_overridable(reason: Reason, rules: Iterable[Reason]) -> bool:
    """Whether an override can set a reason aside: an answerable question, or a rule that forbids.

    Args:
        reason: reason of the decision.
        rules: the reasons that the policy gave.
    """
    if is_answerable(reason):
        return True
    # INVARIANT: only what a rule by name forbids: not that no rule permits it, nor that one could not be evaluated.
    return (
        reason.effect == Effect.DENY.value
        and bool(reason.source)
        and reason in rules
        and reason.code not in _CODES_OF_NO_RULE
    )


def apply_overrides(
    request: AccessRequest, snapshot: Snapshot, reasons: list[Reason], rules: Sequence[Reason]
) -> list[Reason]:
    """Apply overrides: one that forbids denies; one for this exact call turns overridable reasons into `monitor`.

    Args:
        request: what is decided.
        snapshot: its overrides were verified and looked up for this call when it was read.
        reasons: so far.
        rules: the reasons that the policy gave.
    """
    live = [item for item in snapshot.standing if snapshot.time_us < item.expires_us]
    # INVARIANT: FAILCLOSED - who forbids need not stand outside the chain.
    denied = [Reason("override_denied", "answer", item.id) for item in live if item.kind == OVERRIDE_DENY]
    if denied:
        return [*reasons, *denied]
    allowed = [item for item in live if item.kind == OVERRIDE_ALLOW and item.uses < item.max_uses]
    if not allowed:
        return reasons
    exposure = find_exposure(snapshot.provenance, snapshot.targets, is_tainted=snapshot.session.tainted)
    # INVARIANT: BIND - as an approval of an ended run: this call, never in a session that is more exposed.
    bindings = list_override_bindings(request, snapshot, exposure)
    signers = _list_signers(
        item for item in allowed if item.scope in bindings and not is_approver_in_chain(item, request, snapshot)
    )
    needed = 2 if needs_two_people(request.resource) else 1
    if len(signers) < needed:
        return reasons
    return _settle(reasons, lambda reason: is_overridable(reason, rules), signers, "override_allowed")


def list_override_bindings(request: AccessRequest, snapshot: Snapshot, exposure: int) -> tuple[str, ...]:
    """List the digests to which an override that lets a call run may be bound."""
    chain, rules = snapshot.chain, snapshot.policy.rules
    own = list_answer_bindings(request, chain, rules, exposure=exposure)[:1]
    return (*own, *list_answer_bindings(request, chain, rules, exposure=exposure, asked_in="another"))


def apply_reversal_order(request: AccessRequest, snapshot: Snapshot, reasons: list[Reason]) -> list[Reason]:
    """Apply the order of a reversal: without one it is denied; with one, its questions are settled."""
    decision = find_reversed_decision(request)
    if not decision:
        return reasons
    scope = make_reversal_scope(request.subject.tenant, decision, request.resource.id, request.args_digest)
    orders = [
        item
        for item in snapshot.standing
        if (item.kind, item.scope) == (REVERSAL, scope)
        and snapshot.time_us < item.expires_us
        and item.uses < item.max_uses
        and not is_approver_in_chain(item, request, snapshot)
    ]
    if not orders:
        # INVARIANT: no agent takes back on its own what was done: somebody outside the chain orders each reversal.
        return [*reasons, Reason("reversal_not_ordered", "answer", decision)]
    settled = [replace(item, effect=Effect.MONITOR.value) if is_answerable(item) else item for item in reasons]
    return [*settled, Reason("reversal_ordered", "answer", orders[0].id, Effect.MONITOR.value)]


def moves_money(resource: Resource) -> bool:
    """Whether an act may move money: a payment, or anything with an amount or a budgeted unit."""
    return resource.impact is Impact.PAYMENT or bool(resource.amount or resource.unit)


def _covers(item: StandingAnswer, request: AccessRequest, snapshot: Snapshot) -> bool:
    """Whether a remembered answer applies to this action, by scope, time, uses, amount and signer."""
    scope = (
        make_break_glass_scope(request.subject.tenant, request.subject.agent)
        if item.kind == BREAK_GLASS
        else snapshot.answer_scope
    )
    if not scope or item.scope != scope or snapshot.time_us >= item.expires_us or item.uses >= item.max_uses:
        return False
    # INVARIANT: FAILCLOSED - what has an amount that nobody could read is not within any.
    if snapshot.amount is None and moves_money(request.resource):
        return False
    if snapshot.amount is not None and abs(snapshot.amount) + item.spent > item.max_amount:
        return False
    return not is_approver_in_chain(item, request, snapshot)


def _covers_amount(item: StandingAnswer, request: AccessRequest, snapshot: Snapshot) -> bool:
    """Whether an answer also covers the amount of a payment.

    INVARIANT: BIND - within 24 hours no more goes to that target than who answered has seen, in however many parts.
    """
    if request.resource.impact is not Impact.PAYMENT or snapshot.amount is None or snapshot.amount <= 0:
        return False
    return snapshot.paid_to_target + snapshot.amount <= item.max_each


def _list_signers(items: Iterable[StandingAnswer]) -> list[StandingAnswer]:
    """Sort the answers by id, and keep one answer for each person."""
    signers: list[StandingAnswer] = []
    for item in sorted(items, key=lambda one: one.id):
        if not any(same_person(item.approver, other.approver) or item.key_id == other.key_id for other in signers):
            signers.append(item)
    return signers


def _asks_for_target(reason: Reason) -> bool:
    return reason.effect == Effect.CHALLENGE.value and reason.code in TARGET_CODES


def _asks_for_target_or_amount(reason: Reason) -> bool:
    return reason.effect == Effect.CHALLENGE.value and reason.code in TARGET_CODES | AMOUNT_CODES


def _settle(
    reasons: list[Reason], settles: Callable[[Reason], bool], answers: Sequence[StandingAnswer], code: str
) -> list[Reason]:
    """Turn the reasons that answers settle into `monitor`, and add a reason with this code for each answer."""
    if not answers or not any(map(settles, reasons)):
        return reasons
    settled = [replace(item, effect=Effect.MONITOR.value) if settles(item) else item for item in reasons]
    return settled + [Reason(code, "answer", item.id, Effect.MONITOR.value) for item in answers]


def is_approver_in_chain(answer: Approval | StandingAnswer, request: AccessRequest, snapshot: Snapshot) -> bool:
    """Whether the signer of an answer holds or handed on the passport, owns the agent or asked for the act."""
    # INVARIANT: nobody answers for himself.
    if answer.reference and answer.reference == request.subject.reference:
        return True
    names = [request.subject.user, request.subject.agent, *request.subject.chain]
    keys = set()
    for link in snapshot.chain:
        names += [link.principal, link.agent, link.owner]
        keys |= {link.key_id, compute_key_thumbprint(link.holder_key)}
    return answer.key_id in keys or any(same_person(answer.approver, name) for name in names if name)
