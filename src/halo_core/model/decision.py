"""The decision: effect, reasons, obligations and charges."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

from halo_core.crypto import canonical
from halo_core.quick_dataclass import dataclass
from halo_core.reasons import get_reason_text


class Effect(Enum):
    """The five effects, ordered by severity; the most severe one wins.

    `severity` is 0 (allow) to 4 (deny). `runs` says whether the action runs under this effect, in enforce mode.
    """

    severity: int
    runs: bool

    ALLOW = "allow"
    MONITOR = "monitor"
    RESTRICT = "restrict"
    CHALLENGE = "challenge"
    DENY = "deny"


# Plain attributes: a property costs a call, and each decision asks a dozen times.
for _severity, _effect in enumerate(Effect):
    _effect.severity = _severity
    _effect.runs = _severity <= 2

REAUTHORIZABLE_CODES: Final = frozenset({"authority_decayed", "budget_exceeded"})
"""Codes that, as a challenge, ask for a re-authorization and not for one call."""
BEHAVIOUR_CODES: Final = frozenset({"behaviour_drift", "behaviour_unusual", "volume_exceeded"})
"""Codes that, as a challenge, ask about behaviour: a yes to one clears what the session alarmed of so far."""
TARGET_CODES: Final = frozenset({"grave_impact", "unknown_impact", "untraced_target", "untrusted_target"})
"""Codes that, as a challenge, ask who or what an act reaches: a remembered answer to that settles them."""
AMOUNT_CODES: Final = frozenset({"large_amount"})
"""Codes that, as a challenge, ask about one amount: only an answer that was given for amounts too settles them."""
ANSWERED_CODES: Final = frozenset({"break_glass", "override_allowed", "remembered", "reversal_ordered"})
"""Codes of reasons that rest on a remembered answer, an override or an order to reverse."""
OUTPUT_OBLIGATIONS: Final = frozenset({"drop_documents", "drop_labels", "hold_output", "redact_output"})
"""Kinds that change a result: nothing of it may be passed on before all of it is there."""
_NON_ATTEMPT_SOURCES: Final = frozenset(
    {"ledger", "passport", "pdp", "pep", "price", "request", "revocation", "score", "stop"}
)
"""Sources of reasons that say nothing of what was attempted."""
_NON_ATTEMPT_CODES: Final = frozenset(
    {
        "approval_mismatch",
        "approver_in_chain",
        "bad_depth",
        "budget_exceeded",
        "expired",
        "not_the_holder",
        "not_yet_valid",
        "policy_error",
        "quota_exceeded",
        "wrong_tenant",
    }
)


@dataclass(frozen=True, slots=True, order=True)
class Reason:
    """A code of `halo_core.reasons`, its source (policy id, grant, check) and a short detail.

    `detail` names arguments and limits, never an argument's value. `effect` is what this reason alone argues for.
    """

    code: str
    source: str = ""
    detail: str = ""
    effect: str = "deny"

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree."""
        return {"code": self.code, "detail": self.detail, "effect": self.effect, "source": self.source}


@dataclass(frozen=True, slots=True, order=True)
class Obligation:
    """What the enforcement point must do for `restrict`.

    Kinds, of the arguments before the action runs:
        `clamp`: argument `name` is at most `value` (integer).
        `redact`: in every text of argument `name` secrets and personal data are masked.

    Kinds, of the result before anybody uses it, carried out in this order:
        `drop_documents`: documents whose source trust is below `value` (0..1000) are dropped.
        `drop_labels`: documents that carry the data label `name` are dropped.
        `redact_output`: in every text of the result secrets and personal data are masked.
        `hold_output`: the result is replaced by a notice in its own shape.

    Kinds, of a challenge:
        `hold`: the action is stored and answered later instead of pausing its caller.
    """

    kind: str
    name: str = ""
    value: int = 0

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree."""
        return {"kind": self.kind, "name": self.name, "value": self.value}


@dataclass(frozen=True, slots=True)
class Decision:
    """The result of `decide`. Reasons and obligations are sorted, so that equal decisions have equal bytes."""

    effect: Effect
    reasons: tuple[Reason, ...]
    obligations: tuple[Obligation, ...] = ()
    charges: tuple[tuple[str, int], ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree."""
        return {
            "charges": [list(charge) for charge in self.charges],
            "effect": self.effect.value,
            "obligations": [item.to_plain() for item in self.obligations],
            "reasons": [item.to_plain() for item in self.reasons],
        }

    @classmethod
    def from_plain(cls, tree: Mapping[str, Any]) -> Decision:
        """Inverse of `to_plain`."""
        return cls(
            effect=Effect(tree["effect"]),
            reasons=tuple(Reason(**item) for item in tree["reasons"]),
            obligations=tuple(Obligation(**item) for item in tree["obligations"]),
            charges=tuple((unit, amount) for unit, amount in tree["charges"]),
        )

    def find_deciding_reason(self) -> Reason:
        """The first reason for the effect taken, ahead of reasons that a re-authorization could settle.

        Where something goes says more than that nobody asked for it.
        """
        matching = [item for item in self.reasons if item.effect == self.effect.value]
        lasting = [item for item in matching if item.code not in REAUTHORIZABLE_CODES]
        first = lasting[0] if lasting else (matching or self.reasons)[0]
        if first.code in ("in_no_order", "unasked_act"):
            return next((item for item in lasting if item.code in ("untraced_target", "untrusted_target")), first)
        return first

    @property
    def is_refused_attempt(self) -> bool:
        """Whether a grant or a policy denied it, as opposed to a missing passport, a limit or a failure."""
        denied = (item for item in self.reasons if item.effect == Effect.DENY.value)
        return self.effect is Effect.DENY and any(_is_attempt(item) for item in denied)

    @property
    def is_asked_by_policy(self) -> bool:
        """Whether a grant or a policy asks a person; a question about behaviour alone does not count."""
        asking = (item for item in self.reasons if item.effect == Effect.CHALLENGE.value)
        return self.effect is Effect.CHALLENGE and any(
            _is_attempt(item) and item.code not in _NON_POLICY_CODES for item in asking
        )

    def to_bytes(self) -> bytes:
        """The bytes that a replay compares."""
        return canonical.dumps(self.to_plain())


_NON_POLICY_CODES: Final = (
    BEHAVIOUR_CODES | REAUTHORIZABLE_CODES | {"agent_risk_elevated", "agent_risk_high", "bad_profile"}
)
"""Questions that follow from how the agent behaved: they must not become a part of it."""


def _is_attempt(reason: Reason) -> bool:
    return reason.source.partition(":")[0] not in _NON_ATTEMPT_SOURCES and reason.code not in _NON_ATTEMPT_CODES


def justify_decision(decision: Decision, resource: str, details: Mapping[str, str] = MappingProxyType({})) -> str:
    """One plain sentence with the reasons of a decision, from their codes; by itself it shows no argument's value.

    Args:
        decision: the decision.
        resource: what was acted on.
        details: source of a reason without a detail of its own → what to say in place of one.
    """
    parts = []
    for reason in decision.reasons:
        title = get_reason_text(reason.code).title
        where = f" ({reason.source})" if reason.source else ""
        detail = reason.detail or details.get(reason.source, "")
        parts.append(f"{title}: {detail}{where}" if detail else f"{title}{where}")
    return f"{decision.effect.value} `{resource}`: " + "; ".join(parts)
