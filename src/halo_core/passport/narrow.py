"""Room: narrowing, the rule that a link gives away no more than it has. Takes: two links. Gives: the first violation.

Never: crypto, I/O, a clock. What needs the whole chain (keys and agents used once, approvals, the holder registry) is
in `halo_core.passport.chain`.
"""

from __future__ import annotations

from halo_core.model import Link, LinkKind
from halo_core.passport.constraints import Violation
from halo_core.passport.contain import constraint_within, grants_within, meet
from halo_core.passport.tighter import (
    budgets_violation,
    decay_violation,
    labels_meet,
    session_limits,
    tighter_budgets,
    tighter_decay,
)

__all__ = [
    "constraint_within",
    "grants_within",
    "labels_meet",
    "meet",
    "session_limits",
    "tighter_budgets",
    "tighter_decay",
    "widening",
]


def widening(parent: Link, child: Link) -> Violation | None:
    """The first way in which `child` is not within `parent`, or None.

    Of a session link that rests on an approval, `reauthorization_violation` also asks what was approved.
    """
    return _identity(parent, child) or _validity(parent, child) or _scope(parent, child) or _kind(parent, child)


def _identity(parent: Link, child: Link) -> Violation | None:
    fixed = {
        "principal_altered": child.principal == parent.principal,
        "tenant_changed": child.tenant == parent.tenant,
        "envelope_changed": child.envelope == parent.envelope,
        "jti_reused": child.jti != parent.jti,
    }
    return next((Violation(code, "") for code, holds in fixed.items() if not holds), None)


def _validity(parent: Link, child: Link) -> Violation | None:
    if not child.audience or not {*child.audience} <= {*parent.audience}:
        return Violation("aud_widened", "")
    times = {
        "iat": child.issued_at_s >= parent.issued_at_s,
        "nbf": child.not_before_s >= parent.not_before_s,
        "exp": child.expires_at_s <= parent.expires_at_s,
    }
    outside = [name for name, holds in times.items() if not holds]
    if outside:
        return Violation("time_widened", ", ".join(outside))
    if child.depth != parent.depth + 1 or not child.depth <= child.max_depth <= parent.max_depth:
        return Violation("bad_depth", f"depth {child.depth} of {child.max_depth}")
    return None


def _scope(parent: Link, child: Link) -> Violation | None:
    if parent.policy and child.policy != parent.policy:
        return Violation("policy_changed", "")
    if parent.labels is not None and (child.labels is None or not {*child.labels} <= {*parent.labels}):
        return Violation("class_widened", ", ".join(sorted({*(child.labels or ())} - {*parent.labels}))[:64])
    if not {*child.hand_off_to} <= {*parent.hand_off_to}:
        return Violation("handoff_widened", "")
    wider = grants_within(child.grants, parent.grants)
    return None if wider is None else Violation("scope_widened", wider)


def _kind(parent: Link, child: Link) -> Violation | None:
    if child.kind is LinkKind.SESSION and parent.kind is LinkKind.STANDING:
        return _session(parent, child)
    if child.kind is LinkKind.HANDOFF and parent.kind is not LinkKind.STANDING:
        return _handoff(parent, child)
    return Violation("bad_depth", f"a {child.kind} link under a {parent.kind} link")


def _session(parent: Link, child: Link) -> Violation | None:
    terms = parent.terms
    if terms is None or child.decay is None:
        return Violation("bad_dcy", "the standing link lets no session begin")
    if (child.agent, child.holder_key) != (parent.agent, parent.holder_key):
        return Violation("holder_changed", "")
    if child.expires_at_s - child.issued_at_s > terms.lifetime_s:
        return Violation("time_widened", "the session outlives its terms")
    limits = terms.budgets if child.epoch == 1 else session_limits(parent)
    return budgets_violation(child.budgets, limits) or decay_violation(child.decay, terms.decay)


def _handoff(parent: Link, child: Link) -> Violation | None:
    if child.decay is None or parent.decay is None:
        return Violation("bad_dcy", "a hand-off link decays")
    if child.agent not in parent.hand_off_to:
        return Violation("handoff_not_allowed", child.agent[:64])
    if child.agent == parent.agent or child.holder_key == parent.holder_key:
        return Violation("key_reuse_cycle", child.agent[:64])
    if child.txn != parent.txn:
        return Violation("txn_altered", "")
    if child.epoch != parent.epoch:
        return Violation("epoch_changed", "")
    return budgets_violation(child.budgets, parent.budgets) or decay_violation(child.decay, parent.decay)
