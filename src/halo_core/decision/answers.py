"""Answers of approvers, as a decision applies them: one for an exact call, and those that are remembered.

INVARIANT: BIND - an answer for a call settles that call. A remembered answer settles only what asks who or what an act
reaches (`TARGET_CODES`), for the scope it was signed for. It never settles a limit of volume or amount, a label or
behaviour. An emergency answer settles every question of one agent for some minutes, and none about money.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from halo_core.crypto import canonical
from halo_core.crypto.keys import key_thumbprint
from halo_core.model import (
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
STANDING: Final = "standing"
BREAK_GLASS: Final = "break_glass"


def approvers_needed(impact: Impact, reversal: Reversal) -> int:
    """How many different people must have signed before an answer is remembered: two where nothing can be undone."""
    return 2 if impact in _TWO_PERSON_IMPACTS and reversal is Reversal.IRREVERSIBLE else 1


def break_glass_scope(tenant: str, agent: str) -> str:
    """Digest that binds an emergency answer to one agent of one tenant."""
    return canonical.digest("halo/break-glass/v1", canonical.dumps([tenant, agent]))


def is_answerable(reason: Reason) -> bool:
    """Whether a reason is a question that an answer for one call settles."""
    return reason.effect == Effect.CHALLENGE.value and reason.code not in REAUTHORIZABLE_CODES


def apply_remembered_answers(request: AccessRequest, snapshot: Snapshot, reasons: list[Reason]) -> list[Reason]:
    """Apply remembered answers: a question about a target that one settles becomes `monitor`."""
    if not snapshot.standing or not any(map(is_answerable, reasons)):
        return reasons
    standing = [item for item in snapshot.standing if _covers(item, request, snapshot)]
    signers = _list_signers(item for item in standing if item.kind == STANDING)
    if len(signers) >= approvers_needed(request.resource.impact, request.resource.reversal):
        reasons = _settle(reasons, _asks_for_target, signers, "remembered")
    emergency = [item for item in standing if item.kind == BREAK_GLASS and not moves_money(request.resource)]
    return _settle(reasons, is_answerable, emergency[:1], "break_glass")


def moves_money(resource: Resource) -> bool:
    """Whether an act may move money: a payment, or anything with an amount or a unit of a budget."""
    return resource.impact is Impact.PAYMENT or bool(resource.amount or resource.unit)


def _covers(item: StandingAnswer, request: AccessRequest, snapshot: Snapshot) -> bool:
    scope = (
        break_glass_scope(request.subject.tenant, request.subject.agent)
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


def _list_signers(items: Iterable[StandingAnswer]) -> list[StandingAnswer]:
    """One answer of each person, by id."""
    signers: list[StandingAnswer] = []
    for item in sorted(items, key=lambda one: one.id):
        if not any(same_person(item.approver, other.approver) or item.key_id == other.key_id for other in signers):
            signers.append(item)
    return signers


def _asks_for_target(reason: Reason) -> bool:
    return reason.effect == Effect.CHALLENGE.value and reason.code in TARGET_CODES


def _settle(
    reasons: list[Reason], settles: Callable[[Reason], bool], answers: Sequence[StandingAnswer], code: str
) -> list[Reason]:
    if not answers or not any(map(settles, reasons)):
        return reasons
    settled = [replace(item, effect=Effect.MONITOR.value) if settles(item) else item for item in reasons]
    return settled + [Reason(code, "answer", item.id, Effect.MONITOR.value) for item in answers]


def is_approver_in_chain(answer: Approval | StandingAnswer, request: AccessRequest, snapshot: Snapshot) -> bool:
    """Whether who signed an answer holds or handed on the passport, owns the agent or asked for the act."""
    # INVARIANT: nobody answers for himself: not who holds or handed on the passport, owns the agent or asked for it.
    if answer.reference and answer.reference == request.subject.reference:
        return True
    names = [request.subject.user, request.subject.agent, *request.subject.chain]
    keys = set()
    for link in snapshot.chain:
        names += [link.principal, link.agent, link.owner]
        keys |= {link.key_id, key_thumbprint(link.holder_key)}
    return answer.key_id in keys or any(same_person(answer.approver, name) for name in names if name)
