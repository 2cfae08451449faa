"""The record of a planned decision: the same body as `encode_decision` makes, without building its objects.

A planned decision has no score, answer, quota, obligation or restriction, so their members are absent. The test suite
compares the bytes of each planned call with those of `encode_decision`.
"""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import Any, Protocol

from halo_core.decision.record_members import (
    GRANTED,
    pack_account,
    pack_decision,
    pack_known,
    pack_session,
    pack_targets,
    pack_trace,
)
from halo_core.decision.record_parts import Part
from halo_core.model import Decision, Envelope, Provenance, SessionView
from halo_core.values.facts.facts import ActionFacts


class PaymentSums(Protocol):
    """The recorded facts of a planned payment; see `halo_core.enforcement.payment_windows.PaymentFacts`."""

    @property
    def paid_to_target(self) -> int:
        """Sum paid to its target within the window, in ten-thousandths."""

    @property
    def paid_by_principal(self) -> int:
        """Sum paid for the principal within the window, in ten-thousandths."""

    @property
    def is_repeated(self) -> bool:
        """Whether the same payment was made within the window."""


class PlannedCall(Protocol):
    """The recorded facts of a planned call; see `halo_core.enforcement.decision_context.DecisionContext`."""

    turn: str
    call_id: str
    trace_id: str
    args_digest: str
    trigger_digest: str
    now_us: int
    time_us: int
    provenance: tuple[tuple[str, Provenance], ...]
    targets: tuple[tuple[str, str, tuple[str, ...]], ...]
    sources: tuple[tuple[str, tuple[str, ...]], ...]
    accounts: tuple[Envelope, ...]
    authority: int | None
    authority_left: int | None
    uses: int
    amount: int | None
    hold_room: bool

    @property
    def payment(self) -> PaymentSums | None:
        """The windows' state for a payment."""

    facts: ActionFacts | None
    known_values: set[tuple[str, str]]
    decision: Decision


def encode_planned_decision(
    call: PlannedCall,
    view: SessionView,
    commitment: Mapping[str, Any],
    *,
    frame: Part,
    resource: Part,
    trigger: str,
    session_risk: int,
    refused: int,
) -> dict[str, Any]:
    """Encode the body of the entry.

    Args:
        call: the call, decided.
        view: the session before the decision.
        commitment: commitment to the session's state after it.
        frame: what the decisions of the agent in its session have in common (`encode_frame`).
        resource: the resource (`encode_resource`).
        trigger: kind of what made the agent act.
        session_risk: 0..1000, before the action and after it.
        refused: attempts of the session that were refused.
    """
    decision = call.decision
    seen = _encode_seen(call, view, commitment)
    if session_risk:
        seen["session_risk"] = session_risk
    if refused:
        seen["refused"] = refused
    about_trigger = {"kind": trigger}
    if call.trigger_digest:
        about_trigger["text"] = _pack_own_digest(call.trigger_digest)
    body: dict[str, Any] = {
        "args": _pack_own_digest(call.args_digest),
        "frame": frame[0],
        "left": call.authority_left,
        "resource": resource[0],
        "seen": seen,
        "state": commitment,
        "trigger": about_trigger,
    }
    if call.call_id:
        body["call"] = call.call_id
    if call.turn:
        body["turn"] = call.turn
    if call.known_values:
        body["known"] = pack_known(sorted(call.known_values))
    if call.trace_id:
        body["trace"] = pack_trace(call.trace_id)
    is_granted = decision.reasons is GRANTED
    body["decision"] = {"charges": dict(decision.charges)} if is_granted else pack_decision(decision)
    return body


def _encode_seen(call: PlannedCall, view: SessionView, commitment: Mapping[str, Any]) -> dict[str, Any]:
    seen = pack_session(view, call.time_us, commitment)
    accounts = seen["accounts"] = []
    for account in call.accounts:
        accounts.append(pack_account(account, view.opened_us))  # noqa: PERF401  a comprehension is a call
    seen["authority"] = call.authority
    if call.time_us != call.now_us:
        seen["time_us"] = call.time_us
    if call.provenance:
        grouped = seen["provenance"] = {}
        for pointer, origin in call.provenance:
            grouped.setdefault(str.__str__(origin), []).append(pointer)
    if call.targets:
        seen["targets"] = pack_targets(call.targets)
    if call.amount is not None or call.payment is not None:
        _add_amounts(seen, call.amount, call.payment)
    if call.hold_room:
        seen["hold_room"] = True
    _add_facts(seen, call.facts)
    if call.sources:
        seen["sources"] = [[pointer, list(names)] for pointer, names in call.sources]
    if call.uses:
        seen["uses"] = call.uses
    return seen


def _add_amounts(seen: dict[str, Any], amount: int | None, payment: PaymentSums | None) -> None:
    if amount is not None:
        seen["amount"] = amount
    if payment is None:
        return
    if payment.paid_to_target:
        seen["paid_to_target"] = payment.paid_to_target
    if payment.paid_by_principal:
        seen["paid_by_principal"] = payment.paid_by_principal
    if payment.is_repeated:
        seen["repeated"] = True


def _add_facts(seen: dict[str, Any], facts: ActionFacts | None) -> None:
    if facts is not None and facts.facts:
        seen["facts"] = list(map(str.__str__, facts.facts))
    if facts is not None and facts.program:
        seen["program"] = str.__str__(facts.program)


def _pack_own_digest(digest: str) -> str:
    """Like `pack_digest`, for a digest computed here."""
    return binascii.b2a_base64(bytes.fromhex(digest[-64:]), newline=False).decode("ascii")
