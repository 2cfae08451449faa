"""Room: check (11) of the PDP, an approver's answer. Takes: reasons, the answer. Gives: reasons. Never: verifies bytes.

The information point has verified the approver's signature; here the answer is held against this very call, the time
and the chain (INVARIANT: BIND). It answers a policy's challenge, never lost authority or a spent budget: those take a
re-authorization, and are checked like everything else at the moment of execution.
"""

from __future__ import annotations

from dataclasses import replace

from halo_core.binding import call_binding
from halo_core.keys import key_id
from halo_core.model import AccessRequest, Approval, Effect, Reason, Snapshot, same_person
from halo_core.pdp.limits import REAUTHORIZATION

__all__ = ["answered"]


def answered(request: AccessRequest, snapshot: Snapshot, reasons: list[Reason]) -> list[Reason]:
    """The reasons after the answer: a challenge that it settles argues for `monitor`, a refused one for `deny`."""
    approval = snapshot.approval
    if approval is None or not any(map(_asks, reasons)) or snapshot.time_us >= approval.expires_us:
        return reasons
    if approval.binding != call_binding(request, snapshot.chain, snapshot.policy.rules):
        return [*reasons, Reason("approval_mismatch", "approval", approval.id)]
    if _in_chain(approval, request, snapshot):
        return [*reasons, Reason("approver_in_chain", "approval", approval.id)]
    if not approval.granted:
        return [*reasons, Reason("approval_denied", "approval", approval.id)]
    settled = [replace(item, effect=Effect.MONITOR.value) if _asks(item) else item for item in reasons]
    return [*settled, Reason("approved", "approval", approval.id, Effect.MONITOR.value)]


def _asks(reason: Reason) -> bool:
    return reason.effect == Effect.CHALLENGE.value and reason.code not in REAUTHORIZATION


def _in_chain(approval: Approval, request: AccessRequest, snapshot: Snapshot) -> bool:
    # INVARIANT: nobody answers for himself: not who holds or handed on the passport, owns the agent or asked for it.
    names = [request.subject.user, request.subject.agent, *request.subject.chain]
    keys = set()
    for link in snapshot.chain:
        names += [link.principal, link.agent, link.owner]
        keys |= {link.key_id, key_id(link.holder_key)}
    return approval.key_id in keys or any(same_person(approval.approver, name) for name in names if name)
