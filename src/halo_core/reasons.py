"""Room: reason codes, their one owner. Takes: a code. Gives: a title and a remedy in plain words. Never: decides."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["REASONS", "ReasonText", "text"]


class ReasonText(NamedTuple):
    """What a code means to a person, and what to do about it."""

    title: str
    remedy: str


REASONS: Final[dict[str, ReasonText]] = {
    # granted
    "granted": ReasonText("within its passport", ""),
    # the request itself
    "invalid_arguments": ReasonText(
        "the arguments do not fit the tool", "call the tool with the arguments of its schema"
    ),
    "arguments_too_large": ReasonText("the arguments are too large to be decided", "pass large data by reference"),
    "unknown_tool": ReasonText("no tool of this name is registered", "register the tool with `halo.guard`"),
    "hosted_tool": ReasonText(
        "the provider runs this tool, so it cannot be decided here", "use a tool that runs in this process"
    ),
    "needs_guard": ReasonText(
        "only a guarded object can carry out what the policy asks", "wrap the tool or retriever with `halo.guard`"
    ),
    "session_missing": ReasonText("the request belongs to no session", "open one with `halo.session(...)` around it"),
    "already_dispatched": ReasonText(
        "this very call was run before", "declare the tool `idempotent=True` if running it twice is harmless"
    ),
    # passport
    "no_passport": ReasonText("no passport is loaded", "open Halo with `Halo.local(...)` or load a passport"),
    "bad_passport": ReasonText("the passport does not verify", "issue a new passport"),
    "wrong_tenant": ReasonText("the passport belongs to another tenant", "use the passport of this tenant"),
    "wrong_audience": ReasonText("the passport is for another store", "issue a passport whose `aud` names this store"),
    "expired": ReasonText("the passport has expired", "issue a new passport"),
    "not_yet_valid": ReasonText("the passport is not valid yet", "wait, or check the clock"),
    "tool_not_granted": ReasonText(
        "the passport does not grant this",
        "guard it with `halo.guard`, or name it in `grants=`, if the agent should have it",
    ),
    "args_closed_world": ReasonText(
        "an argument is not named in the grant, or a constrained one is missing",
        "add the argument to the grant, or leave it out",
    ),
    "arg_violates": ReasonText("an argument is outside the grant's constraint", "stay within the constraint"),
    "class_ceiling": ReasonText("the data label is above the passport's ceiling", "use data within the ceiling"),
    "not_the_holder": ReasonText("the passport is another agent's", "act under the link that was handed to you"),
    "handed_back": ReasonText("the link was handed back, or is not of this session", "ask for another hand-off"),
    "stale_epoch": ReasonText("the passport is of an earlier epoch", "go on with the re-authorized one"),
    "handoff_not_allowed": ReasonText(
        "the passport does not let its holder hand off to this agent", "name it under `hand_off` in the manifest"
    ),
    "bad_depth": ReasonText("the chain would get longer than its passport allows", "hand back first"),
    "root_key_retired": ReasonText("the key that issued the passport was retired", "issue a new passport"),
    "revoked": ReasonText("the passport, key, agent or tenant was revoked", "ask the issuer for a new passport"),
    "stopped": ReasonText("a stop is active", "ask whoever stopped it to lift the stop"),
    # authority and budgets
    "authority_decayed": ReasonText(
        "the session's authority has fallen below what this needs",
        "somebody outside the chain re-authorizes it: `halo approvals list`, then `approve`",
    ),
    "budget_exceeded": ReasonText(
        "the budget does not hold this", "somebody outside the chain raises it: `halo approvals list`, then `approve`"
    ),
    "per_action_exceeded": ReasonText("one action may not cost this much", "ask for less at once"),
    "quota_exceeded": ReasonText("the day's quota does not hold this", "wait for the next day (UTC)"),
    "unknown_unit": ReasonText("the passport has no budget in this unit", "give it one in the manifest"),
    "bad_amount": ReasonText("what this costs cannot be read", "pass a plain number that is not negative"),
    "caller_sets_reserved_unit": ReasonText("steps, risk and time are charged by Halo itself", "leave the unit out"),
    # answers
    "approved": ReasonText("somebody outside the chain approved exactly this", ""),
    "approval_denied": ReasonText("somebody said no to exactly this", "do something else"),
    "approval_mismatch": ReasonText("the approval is of another call", "ask for the approval of this one"),
    "approver_in_chain": ReasonText("nobody approves what they ask for themselves", "ask somebody outside the chain"),
    # policy
    "policy_denied": ReasonText("a policy forbids this", "see the policy named in the reason"),
    "policy_no_permit": ReasonText("no policy permits this", "add a permit, or use another tool"),
    "policy_error": ReasonText(
        "a policy failed to evaluate, so the answer is no", "run `halo policy check` and mend the policy"
    ),
    "policy_challenge": ReasonText("a policy asks for a person's approval", "ask for the approval"),
    "policy_restrict": ReasonText("a policy narrows this action", ""),
    "policy_monitor": ReasonText("a policy watches this action", ""),
    "obligation_unknown": ReasonText("the policy asks for something the PEP cannot do", "correct the `@obligation`"),
    "untrusted_target": ReasonText(
        "where this goes to was written by somebody who is not trusted", "name the target in the request itself"
    ),
    "untraced_target": ReasonText(
        "untrusted content was read, and nobody is known to have asked for this target",
        "name the target in the request itself: `halo.session(request=...)`",
    ),
    "low_source_trust": ReasonText("documents from a source below the trust floor are dropped", ""),
    "first_use": ReasonText("the agent has not used this before", ""),
    "large_amount": ReasonText("the amount is above the threshold", "ask for the approval"),
    "unknown_amount": ReasonText("the amount at stake is not known", "name it with `Resource(amount=...)`"),
    "grave_impact": ReasonText("the effect is grave or cannot be taken back", "ask for the approval"),
    "unknown_impact": ReasonText("nobody has said what this tool does", "classify it with `resource=Resource(...)`"),
    "clamped": ReasonText("an argument was lowered to its limit", ""),
    "sealed_command": ReasonText(
        "part of what is run looks like a secret, so no rule can see it", "pass the secret by another way than the text"
    ),
    # the machinery
    "ledger_busy": ReasonText("another process holds the ledger", "try again, or use `halo serve` for many workers"),
    "ledger_unwritable": ReasonText("the ledger cannot be written", "check disk space and permissions"),
    "ledger_closed": ReasonText("the ledger is closed", "open Halo again"),
    "ledger_behind_anchor": ReasonText(
        "the database is older than its anchor", "restore the newest copy, or see docs/operations.md"
    ),
    "foreign_trigger": ReasonText("the database has triggers that are not Halo's", "run `halo verify`, restore a copy"),
    "foreign_store": ReasonText("the log began under another home", "give the HALO_HOME that wrote it"),
    "log_key_changed": ReasonText("the log key is not the trusted one", "restore `log.key`"),
    "content_key_changed": ReasonText("the content key is not the one in use", "restore `content.key`"),
    "too_large": ReasonText("the passport cannot hold this many grants", "give the agent fewer tools"),
    "decision_error": ReasonText("the decision failed with an error", "report it; the error is in the log"),
    "pending_cap": ReasonText("too many approvals are pending in this session", "answer the pending ones first"),
}


def text(code: str) -> ReasonText:
    """The texts of a code; an unknown code explains itself as such and never raises."""
    return REASONS.get(code, ReasonText(code.replace("_", " "), ""))
