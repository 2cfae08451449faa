"""Figures of what each layer stopped: passports, budgets, decay and policy.

A decision keeps every reason, so it shows which layers stopped an act and which would have stopped it alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from halo_core.model import REAUTHORIZABLE_CODES, Effect
from halo_core.store.reader import Reader
from halo_core.views.passports import load_current_passport

__all__ = ["LAYERS", "End", "asks_again", "authority", "layers_of", "spending", "stopped_first"]

LAYERS: Final = ("passport", "policy", "score", "budget", "decay", "request")
_CODES: Final = {
    **dict.fromkeys(
        ("bad_amount", "budget_exceeded", "per_action_exceeded", "quota_exceeded", "unknown_unit"), "budget"
    ),
    "authority_decayed": "decay",
    **dict.fromkeys(("arguments_too_large", "hosted_tool", "invalid_arguments", "unknown_tool"), "request"),
    **dict.fromkeys(("already_dispatched", "needs_guard", "pending_cap", "session_missing"), "request"),
}
_STOPS: Final = (Effect.DENY.value, Effect.CHALLENGE.value)
_RISK: Final = "halo.risk."
_WHOLE: Final = 10_000


@dataclass(frozen=True, slots=True)
class End:
    """A session as its last decision left it: whose, its authority in millionths, units spent at its own link."""

    agent: str
    authority: int
    spent: Mapping[str, int]

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> End | None:
        """After a decision; None where it had no passport to spend from."""
        after, accounts = body["after"], body["snapshot"]["envelopes"]
        if after["authority"] is None or not accounts:
            return None
        own = accounts[0]["link"]  # what is spent below is charged here too
        spent = {unit: held + done for link, unit, held, done in after["budgets"] if link == own}
        return cls(body["request"]["subject"]["agent"], after["authority"], spent)


def layers_of(reasons: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Which layers argue against an act. A rule of the policy is named by its id, which has a dot.

    The starter policy's rules about risk are the score's.
    """
    return frozenset(map(_layer, (reason for reason in reasons if reason["effect"] in _STOPS)))


def _layer(reason: Mapping[str, Any]) -> str:
    source = reason["source"]
    if source.startswith(_RISK) or source == "score":
        return "score"
    return "policy" if "." in source or source == "policy" else _CODES.get(reason["code"], "passport")


def asks_again(decision: Mapping[str, Any]) -> bool:
    """Whether a decision asks somebody to re-authorize the session."""
    return decision["effect"] == Effect.CHALLENGE.value and any(
        reason["code"] in REAUTHORIZABLE_CODES and reason["effect"] == Effect.CHALLENGE.value
        for reason in decision["reasons"]
    )


def stopped_first(acts: Sequence[tuple[bool, frozenset[str]]]) -> dict[str, Any]:
    """Of first malicious acts, given as (it ran, layers against it): how many each layer stopped, and stopped alone."""
    stopped = [layers for ran, layers in acts if not ran]
    return {
        "acts": len(acts),
        "ran": len(acts) - len(stopped),
        "stopped": len(stopped),
        "by": {layer: sum(layer in layers for layers in stopped) for layer in LAYERS},
        "alone": {layer: sum(layers == {layer} for layers in stopped) for layer in LAYERS},
    }


def authority(ends: Iterable[tuple[str, End]]) -> dict[str, dict[str, float]]:
    """By name: authority at the end of its sessions, median and least, in percent."""
    found: dict[str, list[int]] = {}
    for name, end in ends:
        found.setdefault(name, []).append(end.authority)
    return {
        name: {"sessions": len(of), "median": round(median(of) / _WHOLE, 2), "min": round(min(of) / _WHOLE, 2)}
        for name, of in sorted(found.items())
    }


def spending(reader: Reader, tenant: str, ends: Iterable[End]) -> dict[str, dict[str, dict[str, str]]]:
    """By agent and unit: what a session spent (median, most) of its limit, and all of them of a day's quota."""
    found: dict[str, list[End]] = {}
    for end in ends:
        found.setdefault(end.agent, []).append(end)
    return {agent: _of_agent(reader, tenant, agent, of) for agent, of in sorted(found.items())}


def _of_agent(reader: Reader, tenant: str, agent: str, ends: Sequence[End]) -> dict[str, dict[str, str]]:
    kept = load_current_passport(reader, tenant, agent)
    if kept is None or kept.links[0].terms is None:
        return {}
    quotas = {quota.unit: quota.per_day for quota in kept.links[0].quotas}
    rows = {}
    for budget in kept.links[0].terms.budgets:
        spent = [end.spent.get(budget.unit, 0) for end in ends]
        if budget.unit == "time":  # an age, not an account; a recorded session lasts seconds
            continue
        per_day = quotas.get(budget.unit)
        rows[budget.unit] = {
            "median": _amount(median(spent), budget.decimals),
            "most": _amount(max(spent), budget.decimals),
            "limit": _amount(budget.subtree, budget.decimals),
            "at_limit_sessions": str(sum(amount >= budget.subtree for amount in spent)),
            "all": _amount(sum(spent), budget.decimals),
            "per_day": "none" if per_day is None else _amount(per_day, budget.decimals),
        }
    return rows


def _amount(value: float, decimals: int) -> str:
    return f"{value / 10**decimals:,.{decimals}f}"
