"""Members of a decision's record in their compact form, without what equals its default.

A function `pack_...` makes the member that is signed, and `unpack_...` the tree that the whole record has in its place.
docs/ledger-format.md describes each member.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterable, Mapping
from typing import Any, Final

from halo_core.decision.record_parts import pack_digest
from halo_core.model import Decision, Effect, Envelope, Reason, SessionView

GRANTED: Final = (Reason("granted", effect=Effect.ALLOW.value),)
"""The reasons of an action that every rule lets run as it is."""


_TRACE_BYTES: Final = 16


def pack_trace(trace_id: str) -> str:
    """Pack a trace id (32 hex digits) into the form that entries hold."""
    return binascii.b2a_base64(bytes.fromhex(trace_id), newline=False).decode("ascii")


def unpack_trace(packed: str) -> str:
    """Return the 32 hex digits of a trace id, empty if there is none; ValueError for anything else."""
    data = binascii.a2b_base64(packed, strict_mode=True)
    if len(data) not in (0, _TRACE_BYTES):
        raise ValueError("a trace id has 16 bytes")
    return data.hex()


def pack_targets(targets: Iterable[tuple[str, str, tuple[str, ...]]]) -> list[list[str]]:
    """Pack each target into a list: its place, its kind, then its flags."""
    return [[pointer, kind, *flags] for pointer, kind, flags in targets]


def pack_known(known: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Pack each declared value into a list: its kind and its digest."""
    return [[kind, pack_digest(digest)] for kind, digest in known]


def pack_session(session: SessionView, time_us: int, state: Mapping[str, Any] | None) -> dict[str, Any]:
    """Pack a session's state as read, at a time in microseconds; `state` is the commitment to the next state."""
    tree: dict[str, Any] = {"opened_us": session.opened_us, "steps": session.steps}
    if session.high_water_us != session.opened_us:
        tree["idle_us"] = time_us - session.high_water_us
    if session.tainted:
        tree["taint"] = list(session.taint_sources)
    if state is None or session.version != state["version"] - 1:
        tree["version"] = session.version
    return tree


def pack_account(account: Envelope, opened_us: int) -> dict[str, Any]:
    """Pack an account as read, in a session that was opened at `opened_us`."""
    spent: dict[str, Any] = {}
    for unit, reserved, committed in account.spent:
        spent[unit] = [reserved, committed] if reserved else committed
    tree: dict[str, Any] = {"link": account.link, "spent": spent}
    if account.base_risk:
        tree["base_risk"] = account.base_risk
    if account.base_step:
        tree["base_step"] = account.base_step
    if account.epoch != 1:
        tree["epoch"] = account.epoch
    if account.since_us != opened_us:
        tree["since_us"] = account.since_us
    return tree


def unpack_account(tree: Mapping[str, Any], opened_us: int) -> dict[str, Any]:
    """Inverse of `pack_account`."""
    spent = [[unit, *(item if isinstance(item, list) else (0, item))] for unit, item in sorted(tree["spent"].items())]
    return {
        "base_risk": tree.get("base_risk", 0),
        "base_step": tree.get("base_step", 0),
        "epoch": tree.get("epoch", 1),
        "link": tree["link"],
        "since_us": tree.get("since_us", opened_us),
        "spent": spent,
    }


def pack_decision(decision: Decision) -> dict[str, Any]:
    """Pack effect, charges, obligations and reasons of a decision; empty if it allows the action without a charge."""
    tree: dict[str, Any] = {}
    if decision.effect is not Effect.ALLOW:
        tree["effect"] = decision.effect.value
    if decision.charges:
        tree["charges"] = dict(decision.charges)
    if decision.obligations:
        tree["obligations"] = [item.to_plain() for item in decision.obligations]
    if decision.reasons != GRANTED:
        tree["reasons"] = [_pack_reason(item) for item in decision.reasons]
    return tree


def unpack_decision(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Inverse of `pack_decision`."""
    reasons = tree.get("reasons")
    return {
        "charges": [[unit, amount] for unit, amount in sorted(tree.get("charges", {}).items())],
        "effect": tree.get("effect", Effect.ALLOW.value),
        "obligations": tree.get("obligations", []),
        "reasons": [item.to_plain() for item in GRANTED]
        if reasons is None
        else [{"code": "", "detail": "", "effect": Effect.DENY.value, "source": "", **item} for item in reasons],
    }


def _pack_reason(reason: Reason) -> dict[str, str]:
    tree = {"code": reason.code}
    if reason.source:
        tree["source"] = reason.source
    if reason.detail:
        tree["detail"] = reason.detail
    if reason.effect != Effect.DENY.value:
        tree["effect"] = reason.effect
    return tree
