"""Reason codes: what each means to a person, as a title and a remedy. `REASONS` is the only list of them."""

from __future__ import annotations

from typing import Final, NamedTuple


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
    "unguarded": ReasonText("nothing of Halo decides this call", "guard it with `halo.guard`, and run what is guarded"),
    "foreign_goto": ReasonText(
        "a graph is not entered from outside at a node that is no agent",
        "begin at its start, or name the node in `halo.guard(graph, agents=[...])`; an update writes keys of the "
        "graph's own state that are not private",
    ),
    "session_missing": ReasonText(
        "the request belongs to no session",
        "open one with `halo.session(...)` where a request begins; a thread of your own has none: start its work with "
        "`contextvars.copy_context().run`",
    ),
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
        "guard it, name it in `grants=` or in agents.yaml and issue again; who hands off must have what it gives on",
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
        "the passport does not let its holder hand off to this agent",
        'name it under `hand_off` in the manifest, or in `grants=` as `{"its name": {"task": Constraint.anything()}}`',
    ),
    "agent_name_taken": ReasonText(
        "an agent of this name is up the chain, and less was to be given to this one",
        "name agents of nested graphs apart",
    ),
    "ambiguous_hand_off": ReasonText(
        "several agents handed on to this one, on terms of which none is the narrowest",
        "hand on one after another, give on the same terms, or name the agents apart",
    ),
    "bad_depth": ReasonText("the chain would get longer than its passport allows", "hand back first"),
    "root_key_retired": ReasonText("the key that issued the passport was retired", "issue a new passport"),
    "revoked": ReasonText(
        "the passport, key, session, agent or tenant was revoked",
        "an agent or tenant is revoked for good; a revoked link is answered by a new passport, a revoked session by a "
        "new session",
    ),
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
    "challenge_withdrawn": ReasonText("whoever resumed the run said no", "do something else"),
    "rejected_before": ReasonText("this very call was answered with a no or an error already", "ask for it anew"),
    "approval_denied": ReasonText("somebody said no to exactly this", "do something else"),
    "approval_mismatch": ReasonText("the approval is of another call", "ask for the approval of this one"),
    "approver_in_chain": ReasonText("nobody approves what they ask for themselves", "ask somebody outside the chain"),
    # policy
    "policy_denied": ReasonText("a policy forbids this", "see the policy named in the reason"),
    "policy_no_permit": ReasonText(
        "no policy permits this",
        "add a permit, or use another tool; the starter policy comes only where there is no policy folder yet",
    ),
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
    "sealed_argument": ReasonText(
        "part of an argument looks like a secret, so no rule can see it whole", "pass the secret by another way"
    ),
    "not_a_number": ReasonText("an argument that has to be lowered is no number", "pass a plain number"),
    "no_issuer": ReasonText("no key that may issue passports is here", "run `halo passport issue` where it is"),
    "other_grants": ReasonText(
        "somebody opened this agent with other grants or limits since", "open it alike everywhere, or issue a passport"
    ),
    "sealed_command": ReasonText(
        "part of what is run looks like a secret, so no rule can see it", "pass the secret by another way than the text"
    ),
    # a chain of links (`halo_core.passports`)
    "chain_len": ReasonText("the chain has no link, or too many", "hand back first"),
    "par_hash_mismatch": ReasonText("the link was derived from another parent", "derive it again from this parent"),
    "bad_header": ReasonText("the token is of another kind", "present a token of the kind that is asked for"),
    "bad_sig": ReasonText("the signature does not verify", "issue a new passport"),
    "unknown_root_or_header": ReasonText("the issuer is not trusted", "trust the issuer's key, if it should be"),
    "malformed_b64": ReasonText("the token is not base64url", "present the token as it was issued"),
    "noncanonical_b64": ReasonText("the token is another spelling of one", "present the token as it was issued"),
    "malformed_json": ReasonText("the claims are not JSON", "issue a new passport"),
    "noncanonical_json": ReasonText("the claims are not in canonical form", "issue a new passport"),
    "too_deep": ReasonText("the claims are nested too deeply", "issue a new passport"),
    "dup_member": ReasonText("a claim is given twice", "issue a new passport"),
    "non_integer_number": ReasonText("a number in the claims is not an integer", "issue a new passport"),
    "int_range": ReasonText("a number in the claims is too large", "issue a new passport"),
    "surrogate": ReasonText("a text in the claims is not Unicode", "issue a new passport"),
    "claims_shape": ReasonText("the claims are not those of this kind of token", "issue a new passport"),
    "bad_iss": ReasonText("the issuer named is not the one that signed", "issue a new passport"),
    "bad_times": ReasonText(
        "the times of the token make no sense, or it lives too long", "issue it for a shorter time"
    ),
    "bad_cnf": ReasonText("the holder's key is no strong Ed25519 key", "make the key with an ordinary generator"),
    "bad_detail": ReasonText("the grants are not in the form of Halo", "issue a new passport"),
    "bad_tool_id": ReasonText("a name in the grants may deceive", "name resources in plain ASCII"),
    "bad_constraint": ReasonText("a constraint is malformed", "correct the constraint"),
    "unknown_constraint": ReasonText("a constraint is of an unknown type", "use a constraint of this version"),
    "bad_bud": ReasonText("a budget is malformed, or above its ceiling", "correct the budget"),
    "bad_quo": ReasonText("a quota is malformed", "correct the quota"),
    "bad_ses": ReasonText("the terms of a session are malformed", "correct the terms"),
    "bad_dcy": ReasonText(
        "the decay is malformed, or no session may begin", "issue a passport with terms for sessions"
    ),
    "bad_cls": ReasonText("a data label is malformed", "write labels in lowercase ASCII"),
    "bad_hand": ReasonText("the hand-off targets are malformed", "correct the targets"),
    "principal_altered": ReasonText(
        "the link acts for somebody else than its parent", "derive it from the right parent"
    ),
    "tenant_changed": ReasonText(
        "the link belongs to another tenant than its parent", "derive it from the right parent"
    ),
    "envelope_changed": ReasonText("the link counts on another account than its parent", "keep the parent's account"),
    "aud_widened": ReasonText("the link is for more stores than its parent", "name only the parent's store"),
    "time_widened": ReasonText("the link is valid longer than its parent or its terms", "give it a shorter life"),
    "policy_changed": ReasonText("the link is pinned to another policy than its parent", "keep the parent's policy"),
    "class_widened": ReasonText("the link allows data its parent does not", "leave out the labels"),
    "handoff_widened": ReasonText("the link may hand off to more than its parent", "leave out the targets"),
    "scope_widened": ReasonText("the link grants more than its parent", "grant what the parent grants, or less"),
    "jti_reused": ReasonText("two links of the chain have one id", "give each link an id of its own"),
    "holder_changed": ReasonText("the session is held by another than its passport", "let the holder open the session"),
    "key_reuse_cycle": ReasonText("the agent or its key is in the chain already", "hand back to it instead"),
    "txn_altered": ReasonText("the link is of another session than its parent", "hand off within the session"),
    "epoch_changed": ReasonText("a hand-off cannot begin an epoch", "ask for a re-authorization of the session"),
    "budget_units_changed": ReasonText("the link counts other units than its parent", "give every unit of the parent"),
    "budget_widened": ReasonText("a budget is above what the link may have", "lower the budget"),
    "decay_widened": ReasonText(
        "authority would fall more slowly than the parent's", "make the decay as fast or faster"
    ),
    "holder_not_registered": ReasonText("the agent is not registered under this key", "register the agent's key"),
    "bad_reauthorization": ReasonText("the approval does not renew this session", "open a new session"),
    "unknown_approver": ReasonText("nobody enrolled signed this answer", "enrol the approver's key"),
    "bad_approver": ReasonText("the answer names another approver than its key", "answer under the enrolled name"),
    "bad_approval": ReasonText("the answer makes no sense", "answer again"),
    "pop_tool": ReasonText("the proof is for another action", "prove this call"),
    "pop_args": ReasonText("the proof is for other arguments", "prove this call"),
    "pop_aud": ReasonText("the proof is for another store", "prove this call to this store"),
    "pop_ath": ReasonText("the proof is for another passport", "prove this call under this passport"),
    "pop_window": ReasonText("the proof is too old, or from the future", "make it now, or check the clock"),
    "replay": ReasonText("the proof was used before", "make a proof for each call"),
    # people who answer (`halo_core.oversight`)
    "not_pending": ReasonText("the request does not wait for an answer", "see `halo approvals list --all`"),
    "request_expired": ReasonText("the time to answer is over", "let the agent ask again"),
    "approver_not_enrolled": ReasonText(
        "the approver is not enrolled, or with another key", "run `halo approver enrol`"
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
    "score_unavailable": ReasonText(
        "no behaviour score could be made, and one is in force",
        "`halo baseline fit` again, or `halo baseline drop`; `halo verify` says whether something was changed",
    ),
    "risk_elevated": ReasonText("this is stranger than what the agent usually does", "look at it: `halo risk`"),
    "risk_high": ReasonText(
        "this is far stranger than what the agent usually does", "somebody outside approves it, or the request says it"
    ),
    "risk_unknown": ReasonText(
        "it acts for or beside an agent that is scored, and is not scored itself",
        "`halo baseline fit` for it as well",
    ),
    "decision_error": ReasonText("the decision failed with an error", "report it; the error is in the log"),
    "pending_cap": ReasonText("too many approvals are pending in this session", "answer the pending ones first"),
}


def get_reason_text(code: str) -> ReasonText:
    """The texts of a code; an unknown code explains itself as such and never raises."""
    return REASONS.get(code, ReasonText(code.replace("_", " "), ""))
