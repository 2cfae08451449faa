"""What to do about a refusal: the remedy of its reason, and the command that unblocks exactly this call."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import Any, Final

from halo_core.model import TARGET_CODES, AccessRequest, Decision, Effect
from halo_core.model.snapshot import PolicyView
from halo_core.policy import CedarPolicy
from halo_core.policy.payment_sums import SUM_CODES, describe_sum
from halo_core.reasons import get_reason_text

_ISSUE_CODES: Final = frozenset({"args_closed_world", "arg_violates", "class_ceiling", "expired", "unknown_unit"})
_STOP_OPTIONS: Final = {
    "agent": "--agent",
    "session": "--session",
    "tool": "--tool",
    "tenant": "--tenant",
    "user": "--user",
}


def describe_remedy(decision: Decision, request: AccessRequest, *, pending_id: str, decision_id: str) -> str:
    """The remedy for a decision that does not run its action.

    Args:
        decision: the decision.
        request: what was decided.
        pending_id: id of the question that was asked, empty for none.
        decision_id: id of the decision's entry.
    """
    reason = decision.find_deciding_reason()
    remedy = get_reason_text(reason.code).remedy
    if reason.code == "tool_not_granted":
        # Issued again without another line in the manifest, the passport is the same.
        issue = f"`halo passport issue {shlex.quote(request.subject.agent)}`"
        lines = f"to unblock: add the lines that `halo policy explain {decision_id}` shows to agents.yaml, then {issue}"
        return "; ".join(filter(None, (remedy, lines)))
    command = _find_command(decision, request, pending_id=pending_id, decision_id=decision_id)
    return "; ".join(filter(None, (remedy, f"to unblock: `{command}`" if command else "")))


def describe_sums(decision: Decision, policy: PolicyView, sums: Mapping[str, Any]) -> dict[str, str]:
    """Rule → the sum that it objects to, in words.

    Args:
        decision: the decision.
        policy: that decided.
        sums: `amount`, `paid_by_principal` and `paid_to_target` of the snapshot.
    """
    codes = {reason.source: reason.code for reason in decision.reasons if reason.code in SUM_CODES}
    if not codes or not isinstance(policy, CedarPolicy):
        return {}
    return {item.id: describe_sum(codes[item.id], item.text, sums) for item in policy.policies if item.id in codes}


def _find_command(decision: Decision, request: AccessRequest, *, pending_id: str, decision_id: str) -> str:
    if decision.effect is Effect.CHALLENGE:
        return f"halo approvals approve {pending_id} --as NAME" if pending_id else "halo approvals list"
    reason = decision.find_deciding_reason()
    code, agent = reason.code, shlex.quote(request.subject.agent)
    commands: dict[str, Callable[[], str]] = {
        "pending_cap": lambda: "halo approvals list",
        "stopped": lambda: _name_lift(reason.source.partition(":")[2], reason.detail),
        "suspended": lambda: _name_lift(reason.source.partition("suspended_")[2], reason.detail),
    }
    if code in commands:
        return commands[code]()
    if code in _ISSUE_CODES:
        return f"halo passport issue {agent}"
    if code in TARGET_CODES and request.resource.targets:
        return f"halo known add --decision {decision_id}"
    return ""


def _name_lift(scope: str, target: str) -> str:
    option = _STOP_OPTIONS.get(scope)
    return f"halo lift {option} {shlex.quote(target)}" if option else "halo lift --all"
