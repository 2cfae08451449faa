"""Why a decision was made, in one sentence."""

from __future__ import annotations

from halo_core.model import Decision
from halo_core.reasons import get_reason_text


def justify_decision(decision: Decision, resource: str) -> str:
    """One plain sentence saying why, from the reason codes; no argument's value appears in it."""
    parts = []
    for reason in decision.reasons:
        title = get_reason_text(reason.code).title
        where = f" ({reason.source})" if reason.source else ""
        parts.append(f"{title}: {reason.detail}{where}" if reason.detail else f"{title}{where}")
    return f"{decision.effect.value} `{resource}`: " + "; ".join(parts)
