"""Reason codes: what each means to a person, as a title and a remedy. `REASONS` is the only list of them."""

from __future__ import annotations

from typing import Final, NamedTuple


class ReasonText(NamedTuple):
    """The meaning of a code for a person, the remedy, and what the refused agent is told to do, if it can mend it."""

    title: str
    remedy: str
    advice: str = ""


REASONS: Final[dict[str, ReasonText]] = {
    # granted
    "granted": ReasonText("allowed by the passport", ""),
    # the request itself
    "invalid_arguments": ReasonText(
        "the arguments do not match the tool's schema",
        "call the tool with arguments that match its schema",
        "call the tool with arguments that match its schema",
    ),
    "arguments_too_large": ReasonText(
        "the arguments are too large to decide on", "pass large data by reference", "pass less data"
    ),
    "unknown_tool": ReasonText("no tool with this name is registered", "register the tool with `halo.guard`"),
    "hosted_tool": ReasonText(
        "the provider runs this tool, so Halo cannot control it",
        "use a tool that runs in this process, or declare and grant `hosted:NAME` under `tools` in agents.yaml and "
        "issue the passport again",
    ),
    "hosted_tool_offered": ReasonText("the provider may run this tool, as the passport grants", ""),
    "unknown_model_field": ReasonText(
        "nobody knows what this field of a model request does",
        "remove the field, or accept it once with `halo known add model_field NAME` or by approving this question",
    ),
    "needs_guard": ReasonText(
        "the policy requires something that only a guarded tool or retriever can do",
        "wrap the tool or retriever with `halo.guard`",
    ),
    "unguarded": ReasonText(
        "this call is not guarded by Halo", "wrap it with `halo.guard` and call the guarded object"
    ),
    "foreign_goto": ReasonText(
        "a graph cannot be entered from outside at a node that is not an agent",
        "start at the graph's entry point, or list the node in `halo.guard(graph, agents=[...])`; an update may "
        "only write keys of the graph's own state that are not private",
    ),
    "session_missing": ReasonText(
        "the request does not belong to a session",
        "open a session with `halo.session(...)` where the request begins; in a thread that you start yourself, run "
        "the work with `contextvars.copy_context().run`",
    ),
    "already_dispatched": ReasonText(
        "this exact call has already run", "declare the tool `idempotent=True` if it is safe to run it twice"
    ),
    # passport
    "no_passport": ReasonText("no passport is loaded", "open Halo with `Halo.local(...)` or load a passport"),
    "bad_passport": ReasonText("the passport does not verify", "issue a new passport"),
    "wrong_tenant": ReasonText("the passport belongs to another tenant", "use a passport of this tenant"),
    "wrong_audience": ReasonText("the passport is for another store", "issue a passport whose `aud` names this store"),
    "expired": ReasonText("the passport has expired", "issue a new passport"),
    "not_yet_valid": ReasonText("the passport is not valid yet", "wait, or check the clock"),
    "tool_not_granted": ReasonText(
        "the passport does not grant this",
        "guard the tool, or add it to `grants=` or to agents.yaml and issue the passport again; an agent that hands "
        "off needs the grant too",
    ),
    "mcp_tool_not_accepted": ReasonText(
        "the MCP server lists this tool anew, or describes it differently than when it was accepted",
        "look at it with `halo mcp list`, and accept it with `halo mcp accept SERVER TOOL`",
    ),
    "mcp_listing_too_large": ReasonText(
        "the MCP server lists more tools, or longer descriptions, than can be compared",
        "let the server list less, or filter its tools (`tool_filter=`)",
    ),
    "args_closed_world": ReasonText(
        "an argument is not listed in the grant, or a constrained argument is missing",
        "add the argument to the grant, or omit it from the call",
        "call it with the arguments that the grant lists",
    ),
    "arg_violates": ReasonText(
        "an argument violates the grant's constraint",
        "use a value that the constraint allows",
        "use a value that the constraint allows, or tell the user",
    ),
    "class_ceiling": ReasonText(
        "the passport does not allow this data label", "use data with a label that the passport allows"
    ),
    "not_the_holder": ReasonText("the passport belongs to another agent", "use the link that was handed to this agent"),
    "handed_back": ReasonText("the link was handed back, or belongs to another session", "request another hand-off"),
    "stale_epoch": ReasonText("the passport is from an earlier epoch", "use the link of the re-authorized session"),
    "handoff_not_allowed": ReasonText(
        "the passport does not allow a hand-off to this agent",
        'list the agent under `hand_off` in the manifest, or in `grants=` as `{"its name": {"task": '
        "Constraint.anything()}}`",
    ),
    "agent_name_taken": ReasonText(
        "an agent with this name is already in the chain, and this one was to get fewer rights",
        "give the agents of nested graphs different names",
    ),
    "ambiguous_hand_off": ReasonText(
        "several agents handed off to this agent, and none of their terms is the narrowest",
        "hand off one after another, hand off on the same terms, or give the agents different names",
    ),
    "bad_depth": ReasonText("the chain would be longer than its passport allows", "hand back first"),
    "root_key_retired": ReasonText("the key that issued the passport was retired", "issue a new passport"),
    "revoked": ReasonText(
        "the passport, key, session, agent or tenant was revoked",
        "after revoking a link, issue a new passport; after revoking a session, open a new session; an agent or "
        "tenant stays revoked",
    ),
    "stopped": ReasonText(
        "a stop is active", "ask the person who set the stop to lift it", "a person decides when it may: tell the user"
    ),
    "suspended": ReasonText(
        "suspended because of its risk, until a person lifts it",
        "look at `halo risk`, then `halo lift --agent NAME` or `halo lift --user NAME`",
        "a person decides when it may: tell the user",
    ),
    # authority and budgets
    "authority_decayed": ReasonText(
        "the session's authority is below what this action needs",
        "an approver outside the chain can re-authorize the session: `halo approvals list`, then `approve`",
    ),
    "budget_exceeded": ReasonText(
        "the budget is not sufficient",
        "an approver outside the chain can raise it: `halo approvals list`, then `approve`",
    ),
    "per_action_exceeded": ReasonText("the amount is above the limit for one action", "use a smaller amount"),
    "quota_exceeded": ReasonText("the daily quota is not sufficient", "wait until the next day (UTC)"),
    "unknown_unit": ReasonText("the passport has no budget in this unit", "add a budget in this unit to the manifest"),
    "bad_amount": ReasonText(
        "the cost of this action cannot be read",
        "pass a plain number that is not negative",
        "pass a plain number that is not negative",
    ),
    "caller_sets_reserved_unit": ReasonText(
        "the units step, risk and time are reserved for Halo", "leave the unit out"
    ),
    # answers of approvers
    "approved": ReasonText("an approver outside the chain approved this exact call", ""),
    "remembered": ReasonText("a remembered answer covers this target", "see `halo approvals remembered`"),
    "break_glass": ReasonText("an emergency answer is in force", "see `halo approvals remembered`"),
    "override_allowed": ReasonText("an approver let this exact call run", "see `halo overrides`; a review is due"),
    "override_denied": ReasonText(
        "an approver forbids this call or its target for some time", "see `halo overrides` for until when, and by whom"
    ),
    "reversal_ordered": ReasonText("an approver ordered that this effect is taken back", "see `halo reversals`"),
    "reversal_not_ordered": ReasonText(
        "nobody outside the chain has ordered that this effect is taken back",
        "order it with `halo reverse ID --as NAME --why WHY`",
    ),
    "reversal_altered": ReasonText(
        "what is to be taken back is not what the ledger says was done", "run `halo verify`, and order it again"
    ),
    "reversal_incomplete": ReasonText(
        "the ledger no longer has all that is needed to take the effect back",
        "take it back by hand in the system that it reached",
    ),
    "reversal_unknown": ReasonText(
        "a reversal was begun, and nobody knows what came of it",
        "look in the system that it reached, then confirm with `halo reverse ID --confirm done` or `not-done`",
    ),
    "already_reversed": ReasonText("the effect has been taken back already", "see `halo reversals`"),
    "irreversible": ReasonText(
        "the effect cannot be taken back", "make up for it by hand; declare `undo=` or `compensate=` for later calls"
    ),
    "nothing_to_reverse": ReasonText("the action has no effect to take back", ""),
    "effect_not_run": ReasonText("the action did not run, so there is nothing to take back", "see `halo show ID`"),
    "effect_unknown": ReasonText(
        "nobody knows whether the action took effect", "look in the system that it reached, and take it back by hand"
    ),
    "no_reverser": ReasonText(
        "no callable that takes the effect back was declared when the action ran",
        "take it back by hand; declare `undo=` or `compensate=` in `guard` for later calls",
    ),
    "not_overridable": ReasonText(
        "an override cannot set this reason aside",
        "mend what it names: lift the stop, issue another passport, re-authorize the session, or change the policy",
    ),
    "answer_not_awaited": ReasonText(
        "the run ended while it waited for an answer, since nothing read that it waits",
        "read the events of the run, or answer the question and run it again",
    ),
    "challenge_withdrawn": ReasonText("the run was resumed with a no", "do something else"),
    "rejected_before": ReasonText(
        "this exact call was already rejected or has failed", "request it again as a new call"
    ),
    "approval_denied": ReasonText(
        "an approver denied this exact call",
        "do something else; the no cannot be lifted: it holds for the rest of the session, and if the application names"
        " no sessions, for a day in later runs; after that an approver is asked again",
    ),
    "approval_mismatch": ReasonText("the approval is for another call", "request an approval for this call"),
    "approval_incomplete": ReasonText("the approval was given before all of this was asked", "ask again"),
    "approver_in_chain": ReasonText("an approver must not be part of the chain", "ask an approver outside the chain"),
    # policy
    "policy_denied": ReasonText("a policy forbids this", "see the policy named in the reason"),
    "policy_no_permit": ReasonText(
        "no policy permits this",
        "add a permit, or use another tool; Halo adds the starter policy only if there is no policy folder yet",
    ),
    "policy_error": ReasonText(
        "a policy could not be evaluated, so the action is denied", "run `halo policy check` and correct the policy"
    ),
    "policy_challenge": ReasonText("a policy requires a person's approval", "request an approval"),
    "policy_restrict": ReasonText("a policy restricts this action", ""),
    "policy_monitor": ReasonText("a policy monitors this action", ""),
    "obligation_unknown": ReasonText(
        "the policy has an obligation that is not supported here", "correct the `@obligation`"
    ),
    "untrusted_target": ReasonText(
        "the target comes from an untrusted source",
        "name the target in the request itself, where the session is opened: `halo.session(request=...)`",
    ),
    "untraced_target": ReasonText(
        "nobody vouched for the target",
        "name the target in the request itself, where the session is opened: `halo.session(request=...)`",
    ),
    "in_no_order": ReasonText(
        "the application lists what the user ordered, and this is none of it",
        "compare the call with the listed orders (`halo show`); if the user did order it, list it in "
        "`halo.session(orders=...)`",
    ),
    "unasked_act": ReasonText(
        "the request does not ask for this",
        "name the act in the request itself, where the session is opened: `halo.session(request=...)`",
    ),
    "amount_exceeds": ReasonText(
        "together with what was paid for the request before, this is more than it asks for",
        "name the amount in the request itself",
    ),
    "untrusted_amount": ReasonText(
        "nobody vouched for the amount", "write the amount in the request, or say there in which document it stands"
    ),
    "amount_from_source": ReasonText("the request leaves the amount to an untrusted source", ""),
    "sensitive_read": ReasonText(
        "labelled data is read that the request neither names nor points at",
        "name it in the request itself, where the session is opened: `halo.session(request=...)`",
    ),
    "low_source_trust": ReasonText("documents from a source below the trust floor are dropped", ""),
    "first_use": ReasonText("the agent has not used this before", ""),
    "large_amount": ReasonText("the amount is above the threshold", "request an approval"),
    "large_sum": ReasonText("payments of the last 24 hours add up to more than the threshold", "request an approval"),
    "repeated_payment": ReasonText(
        "the same payment ran within the last 24 hours",
        "request an approval, or let the user ask again in a new message that names the tool's declared target",
    ),
    "held_before": ReasonText(
        "an earlier act on the same target is held",
        "answer the held acts, then release them with `halo.release()`",
    ),
    "held_altered": ReasonText(
        "a held act is not what was stored, or was released before", "run `halo verify`, and let the agent ask again"
    ),
    "held_expired": ReasonText("the held act has expired", "let the agent ask again"),
    "unknown_amount": ReasonText("the amount is not known", "declare it with `Resource(amount=...)`"),
    "grave_impact": ReasonText("the effect is severe or cannot be undone", "request an approval"),
    "unknown_impact": ReasonText("the tool's impact is not declared", "declare it with `resource=Resource(...)`"),
    "clamped": ReasonText("an argument was lowered to its limit", ""),
    "sealed_argument": ReasonText(
        "part of an argument looks like a secret, so no rule can evaluate the whole argument",
        "pass the secret in another way",
    ),
    "not_a_number": ReasonText(
        "an argument with an upper limit is not a number", "pass a plain number", "pass a plain number"
    ),
    "no_issuer": ReasonText("there is no issuer key here", "run `halo passport issue` where the issuer key is"),
    "other_grants": ReasonText(
        "this agent has since been opened with other grants or limits",
        "open it with the same grants everywhere, or issue a passport",
    ),
    "sealed_command": ReasonText(
        "part of the command looks like a secret, so no rule can evaluate it",
        "do not pass the secret in the command text",
    ),
    # verification of a chain of links
    "chain_len": ReasonText("the chain has no links or too many", "hand back first"),
    "par_hash_mismatch": ReasonText("the link was derived from another parent", "derive it again from this parent"),
    "bad_header": ReasonText("the token is of another type", "present a token of the requested type"),
    "bad_sig": ReasonText("the signature does not verify", "issue a new passport"),
    "unknown_root_or_header": ReasonText("the issuer is not trusted", "trust the issuer's key, if that is intended"),
    "malformed_b64": ReasonText("the token is not valid base64url", "present the token exactly as it was issued"),
    "noncanonical_b64": ReasonText(
        "the token's base64url encoding is not canonical", "present the token exactly as it was issued"
    ),
    "malformed_json": ReasonText("the claims are not valid JSON", "issue a new passport"),
    "noncanonical_json": ReasonText("the claims are not in canonical form", "issue a new passport"),
    "too_deep": ReasonText("the claims are nested too deeply", "issue a new passport"),
    "dup_member": ReasonText("a claim occurs twice", "issue a new passport"),
    "non_integer_number": ReasonText("a number in the claims is not an integer", "issue a new passport"),
    "int_range": ReasonText("a number in the claims is too large", "issue a new passport"),
    "surrogate": ReasonText("a text in the claims is not valid Unicode", "issue a new passport"),
    "claims_shape": ReasonText("the claims do not match this type of token", "issue a new passport"),
    "bad_iss": ReasonText("the issuer in the claims is not the one that signed", "issue a new passport"),
    "bad_times": ReasonText(
        "the token's times are inconsistent, or its lifetime is too long", "issue it with a shorter lifetime"
    ),
    "bad_cnf": ReasonText("the holder's key is not a strong Ed25519 key", "generate a new Ed25519 key"),
    "bad_detail": ReasonText("the grants are malformed", "issue a new passport"),
    "bad_tool_id": ReasonText(
        "a name in the grants contains misleading characters", "use plain ASCII names for resources"
    ),
    "bad_constraint": ReasonText("a constraint is malformed", "correct the constraint"),
    "unknown_constraint": ReasonText("the type of a constraint is unknown", "use a constraint type of this version"),
    "bad_bud": ReasonText("a budget is malformed, or above its ceiling", "correct the budget"),
    "bad_quo": ReasonText("a quota is malformed", "correct the quota"),
    "bad_ses": ReasonText("the session terms are malformed", "correct the session terms"),
    "bad_dcy": ReasonText(
        "the decay is malformed, or the passport does not allow sessions", "issue a passport with session terms"
    ),
    "bad_cls": ReasonText("a data label is malformed", "write labels in lowercase ASCII"),
    "bad_hand": ReasonText("the hand-off targets are malformed", "correct the hand-off targets"),
    "principal_altered": ReasonText(
        "the link acts for a different principal than its parent", "derive it from the right parent"
    ),
    "tenant_changed": ReasonText(
        "the link belongs to a different tenant than its parent", "derive it from the right parent"
    ),
    "envelope_changed": ReasonText(
        "the link is charged to a different account than its parent", "keep the parent's account"
    ),
    "aud_widened": ReasonText("the link is valid for more stores than its parent", "name only the parent's store"),
    "time_widened": ReasonText(
        "the link is valid longer than its parent or its terms allow", "give it a shorter lifetime"
    ),
    "policy_changed": ReasonText(
        "the link is pinned to a different policy than its parent", "keep the parent's policy"
    ),
    "class_widened": ReasonText("the link allows data labels that its parent does not allow", "remove these labels"),
    "handoff_widened": ReasonText(
        "the link has hand-off targets that its parent does not have", "remove these targets"
    ),
    "scope_widened": ReasonText("the link grants more than its parent", "grant what the parent grants, or less"),
    "jti_reused": ReasonText("two links of the chain have the same id", "give each link an id of its own"),
    "holder_changed": ReasonText(
        "the session link has a different holder than its passport", "open the session as the holder of the passport"
    ),
    "key_reuse_cycle": ReasonText("the agent or its key is already in the chain", "hand back to the agent instead"),
    "txn_altered": ReasonText("the link belongs to a different session than its parent", "hand off within the session"),
    "epoch_changed": ReasonText("a hand-off cannot start an epoch", "request a re-authorization of the session"),
    "budget_units_changed": ReasonText(
        "the link has budgets in other units than its parent", "give a budget in every unit of the parent"
    ),
    "budget_widened": ReasonText("a budget is larger than the link may have", "lower the budget"),
    "decay_widened": ReasonText(
        "authority would decay more slowly than the parent's", "use the same decay or a faster one"
    ),
    "holder_not_registered": ReasonText("the agent is not registered with this key", "register the agent's key"),
    "bad_reauthorization": ReasonText("the approval does not renew this session", "open a new session"),
    "unknown_approver": ReasonText("the answer is not signed by an enrolled approver", "enrol the approver's key"),
    "bad_approver": ReasonText("the answer names a different approver than its key", "answer under the enrolled name"),
    "bad_approval": ReasonText("the answer is inconsistent", "answer again"),
    "pop_tool": ReasonText("the proof is for another action", "create a proof for this call"),
    "pop_args": ReasonText("the proof is for other arguments", "create a proof for this call"),
    "pop_aud": ReasonText("the proof is for another store", "create a proof for this store"),
    "pop_ath": ReasonText("the proof is for another passport", "create a proof with this passport"),
    "pop_window": ReasonText(
        "the proof is too old, or its time is in the future", "create a new proof, or check the clock"
    ),
    "replay": ReasonText("the proof was used before", "create a new proof for each call"),
    # approvals
    "not_pending": ReasonText("the request is not waiting for an answer", "see `halo approvals list --all`"),
    "request_expired": ReasonText("the request has expired", "let the agent ask again"),
    "approver_not_enrolled": ReasonText(
        "the approver is not enrolled, or is enrolled with another key", "run `halo approver enrol`"
    ),
    # store and decision
    "ledger_busy": ReasonText(
        "another process has locked the ledger", "try again, or let fewer processes share the ledger"
    ),
    "ledger_unwritable": ReasonText("the ledger cannot be written", "check disk space and permissions"),
    "ledger_unreachable": ReasonText("the database server cannot be reached", "check the server and the URL"),
    "ledger_closed": ReasonText("the ledger is closed", "open Halo again"),
    "below_floor": ReasonText(
        "the application asks for a mode below the floor",
        "omit `mode`; to lower the floor of a home for some time: `halo observe --for 1h --why ...`",
    ),
    "ledger_behind_anchor": ReasonText(
        "the database is older than its anchor", "restore the newest copy, or see docs/operations.md"
    ),
    "foreign_trigger": ReasonText(
        "the database has triggers that Halo did not create", "run `halo verify`, then restore a copy"
    ),
    "not_placed": ReasonText(
        "the entry has no position in the log yet",
        "run it again in a second, or in a home with `log.key` and a role that may insert positions; "
        "`halo doctor` says what holds the sequencer up",
    ),
    "foreign_store": ReasonText(
        "the log was created with another home", "set HALO_HOME to the home that created the log"
    ),
    "log_key_changed": ReasonText("the log key is not the trusted one", "restore `log.key`"),
    "content_key_changed": ReasonText("the content key is not the one in use", "restore `content.key`"),
    "too_large": ReasonText("the passport cannot hold this many grants", "give the agent fewer tools"),
    "score_unavailable": ReasonText(
        "a risk score is required, but could not be computed",
        "run `halo baseline fit` again, or `halo baseline drop`; `halo verify` tells whether something was changed",
    ),
    "risk_elevated": ReasonText("this is unusual for the agent", "check it with `halo risk`"),
    "risk_high": ReasonText(
        "this is very unusual for the agent", "request an approval, or name the action in the request itself"
    ),
    "volume_exceeded": ReasonText(
        "this is more than the agent does in its ordinary sessions",
        "request an approval, which doubles the limit for the rest of the session; `halo risk` shows what is usual",
    ),
    "behaviour_drift": ReasonText(
        "the agent works differently than in its earlier sessions",
        "request an approval; `halo risk AGENT` shows in what",
    ),
    "behaviour_unusual": ReasonText(
        "the agent does not usually do this", "request an approval; `halo risk` shows what is new about it"
    ),
    "agent_risk_elevated": ReasonText(
        "alarms of earlier sessions have not been cleared, so payments, deletions, programs and rights need one",
        "request an approval, or judge the alarms with `halo judge N --ordinary` or `--attack`",
    ),
    "agent_risk_high": ReasonText(
        "alarms of earlier sessions have not been cleared, so everything but reads needs an approval",
        "request an approval, or judge the alarms with `halo judge N --ordinary` or `--attack`",
    ),
    "bad_profile": ReasonText(
        "the agent's behaviour profile was changed or cannot be read",
        "run `halo verify`; `halo risk --rebuild` rebuilds the profiles from the ledger",
    ),
    "principal_risk_elevated": ReasonText(
        "the person or service account for whom the agent acts shows unusual activity outside of Halo",
        "look at `halo risk --people`",
    ),
    "principal_risk_high": ReasonText(
        "the person or service account for whom the agent acts may be taken over",
        "look at `halo risk --people` and ask the person; `halo identity clear NAME` after that, or approve the act",
    ),
    "bad_principal_risk": ReasonText(
        "the stored risk of the person or service account was changed outside of Halo",
        "run `halo verify`, then `halo identity clear NAME`",
    ),
    "risk_unknown": ReasonText(
        "the agent has no baseline, but acts for or together with an agent that has one",
        "run `halo baseline fit` for this agent too",
    ),
    "decision_error": ReasonText("the decision failed with an error", "report it; the error is in the log"),
    "pending_cap": ReasonText("too many approvals are pending in this session", "answer the pending ones first"),
}


def get_reason_text(code: str) -> ReasonText:
    """The texts of a code; never raises: an unknown code gets a text that says so."""
    return REASONS.get(code, ReasonText(code.replace("_", " "), ""))
