"""How far an agent deviates from its profile with an action, read from memory inside the decision's transaction.

`read_behaviour` advances the agent's tally of the session and compares it with the agent's profile, before a plan or
`decide` judges the action. `record_behaviour` returns what the session keeps of it afterwards.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import Any, Final

from halo_core.behaviour.assessment import BehaviourAssessment, assess, find_refusals
from halo_core.behaviour.axes import VOLUMES, Axis
from halo_core.behaviour.carried import SessionVerdict
from halo_core.behaviour.event import CallShape, describe_call, fingerprint_text
from halo_core.behaviour.limits import SHIPPED_PRIOR, RolePrior
from halo_core.behaviour.profile import IdentityProfile
from halo_core.behaviour.summaries import AGENT, ROLE, TENANT
from halo_core.behaviour.tally import SessionTally
from halo_core.behaviour.tenant import TenantProfile
from halo_core.crypto.keys import Digester
from halo_core.enforcement.behaviour_events import build_event
from halo_core.enforcement.decision_context import DecisionContext
from halo_core.enforcement.payment_windows import read_amount_at_stake
from halo_core.enforcement.session_folds import find_running_tally, summarize
from halo_core.model import BEHAVIOUR_CODES, NO_BEHAVIOUR, BehaviourView, DeviatingAxis, Mode
from halo_core.store.cached_rows import StoredProfile
from halo_core.store.profile_rows import ProfileTable
from halo_core.store.session_state import AgentTally
from halo_core.store.transaction import Transaction

BAD_PROFILE: Final = BehaviourView(problem="bad_profile")
_HINDERING: Final = BEHAVIOUR_CODES | {"agent_risk_elevated", "agent_risk_high", "authority_decayed", "bad_profile"}
_NEW_TALLY: Final = SessionTally()
MIN_SESSIONS: Final = 20
"""Sessions that an agent has shown before anything is asked of it, unless its role or its tenant has a history."""
_MAX_CARRIED: Final = 1000
_TENANT_KEY: Final = (TENANT, "")


def _find_prior(role: StoredProfile | None, tenant: TenantProfile) -> RolePrior | None:
    """The limits used while an agent's own history is short: those of its role, else the tenant's.

    Other agents of the tenant do other work, so their limits count only where they are above the shipped ones. None
    where neither role nor tenant has enough of a history itself.
    """
    profile = role.profile if role is not None else None
    if isinstance(profile, IdentityProfile) and profile.is_mature:
        return profile.as_prior()
    return tenant.identity.as_prior(least=SHIPPED_PRIOR) if tenant.identity.is_mature else None


def read_behaviour(tx: Transaction, context: DecisionContext, digester: Digester) -> None:
    """Compare the action with the agent's profile, and put the result into the context; see the module.

    Args:
        tx: the transaction.
        context: context of the call, after `read_session`, and after scoring if a score is in force.
        digester: keyed digests of the home.
    """
    state, agent = context.state, context.principal.agent
    if not context.session or context.problem:
        return
    if context.call.resource.amount:
        context.amount = read_amount_at_stake(context.request, context.recorded_args)
    event = build_event(tx, context, digester)
    table = ProfileTable(tx)
    if not state.view.steps:
        table.refresh((AGENT, agent), _TENANT_KEY)
    profile = table.load_agent(agent)
    tenant = table.load_tenant() if profile is not None else None
    if tenant is not None:
        event = tenant.relate(event)
    context.event = event
    before = context.tally_before = find_running_tally(state, agent, event.ts_us)
    tally = (before.tally if before is not None else _NEW_TALLY).advance(event)
    role, is_mature = None, profile is not None and profile.is_mature
    if profile is not None and not is_mature and context.terms.role not in ("", agent):
        role = table.load(ROLE, context.terms.role)
    # INVARIANT: FAILCLOSED - a row that was changed is not left out of the comparison.
    if profile is None or tenant is None or (role is not None and role.problem):
        context.tally, context.behaviour, context.findings = tally, BAD_PROFILE, None
        return
    context.has_own_limits = is_mature
    prior: RolePrior | None = SHIPPED_PRIOR
    if not is_mature:
        prior = _find_prior(role, tenant)
    if prior is None and profile.sessions < MIN_SESSIONS and not profile.carried.alarms:
        context.tally = tally  # nobody knows yet what is usual
        return
    beside = tx.image.open_tallies.sum_beside(agent, context.session)
    findings = assess(profile, tally, event, prior=prior or SHIPPED_PRIOR, tenant=tenant, beside=beside)
    context.findings, context.usual = findings, (profile, prior or SHIPPED_PRIOR)
    if findings.is_notable:
        tally = tally.with_findings(findings)
    context.tally = tally
    context.behaviour = NO_BEHAVIOUR if findings.is_quiet else _make_view(findings)


def _make_view(findings: BehaviourAssessment) -> BehaviourView:
    return BehaviourView(
        agent_risk=findings.agent_risk,
        drift=findings.drift,
        volume=findings.volume,
        unusual=findings.unusual,
        behaviour=findings.behaviour,
        entitlement=findings.entitlement,
        context=findings.context,
        scope=findings.scope,
        axes=tuple([DeviatingAxis(item.id, item.value, item.limit, item.words) for item in findings.axes]),
    )


def list_new_alarms(context: DecisionContext) -> list[Axis]:
    """The axes whose alarm is new in the session."""
    findings = context.findings
    if findings is None or not findings.axes:
        return []
    before, call = context.tally_before, fingerprint_call_of(context)
    return [axis for axis in findings.alarms if before is None or before.tally.raises_anew(axis.id, call)]


def record_behaviour(context: DecisionContext) -> tuple[AgentTally, ...] | None:
    """The session's tallies after a decision of `decide`; None if they do not change.

    What did not run counts as an attempt, and in no measure: the windows over sessions tell what happened.
    """
    if context.tally is None:
        return None
    agent, decision, findings = context.principal.agent, context.decision, context.findings
    before = context.tally_before or AgentTally(agent, _NEW_TALLY)
    tally, verdict, is_hindered = context.tally, before.verdict, before.is_hindered
    if not context.runs and decision.is_asked_by_policy:
        findings = context.findings = _note_question(context, before.tally)
    if not context.runs:
        # The action has not happened, so nothing in it was a first time.
        alarmed = replace(findings, first_times=0) if findings is not None and findings.alarms else None
        tally = _note_exposure(before.tally, context)
        tally = tally.with_refusal(
            fingerprint_call_of(context),
            is_attempt=decision.is_refused_attempt,
            findings=alarmed,
            ts_us=context.time_us,
            # What waits for a readable profile is no behaviour: it has nothing to go into.
            event=None if context.behaviour is BAD_PROFILE else context.event,
            shape=describe_shape(context),
        )
        if decision.is_asked_by_policy:
            tally = tally.with_question(fingerprint_call_of(context))
        is_hindered = is_hindered or not _HINDERING.isdisjoint(reason.code for reason in decision.reasons)
    else:
        tally = _note_run(tally, context)
        if context.mode is Mode.OBSERVE and decision.is_refused_attempt:
            tally = tally.with_denied_run()
        if context.mode is Mode.OBSERVE and decision.is_asked_by_policy:  # so that limits know how often it is asked
            tally = tally.with_question(fingerprint_call_of(context))
    if findings is not None and findings.alarms and verdict != SessionVerdict.ATTACK.value:
        verdict = ""
        if context.runs and _is_allowed(context):
            # INVARIANT: a yes is about what was asked: other alarms of the session stay as they are.
            tally = _allow(tally, findings).with_cleared(
                fingerprint_call_of(context), [axis.id for axis in findings.alarms]
            )
    return context.state.tallies_with(
        AgentTally(agent, tally, verdict, is_hindered, context.terms.role, context.mode is Mode.OBSERVE)
    )


def _note_question(context: DecisionContext, before: SessionTally) -> BehaviourAssessment | None:
    """The findings about an action that a policy asks about, with those of its session's open questions.

    Args:
        context: context of the action.
        before: the tally of the session before it.
    """
    findings, usual = context.findings, context.usual
    if findings is None or usual is None:
        return findings
    tally = _note_exposure(before, context).with_question(fingerprint_call_of(context))
    known = {axis.id for axis in findings.axes}
    more = [axis for axis in find_refusals(usual[0], tally, usual[1]) if axis.id not in known]
    return replace(findings, axes=(*findings.axes, *more)) if more else findings


def fingerprint_call(resource: str, args_digest: str) -> int:
    """A 32-bit fingerprint of a call: of its tool and its arguments."""
    return fingerprint_text(f"{resource} {args_digest}") & 2**32 - 1


def fingerprint_call_of(context: DecisionContext) -> int:
    """Like `fingerprint_call`, for the call in a context."""
    return fingerprint_call(context.call.resource.id, context.args_digest)


def describe_shape(context: DecisionContext) -> CallShape:
    """The form in which a call was written, which drift over sessions compares."""
    turn = zlib.crc32(context.turn.encode("utf-8", "surrogatepass"))
    return describe_call(context.resource.id, context.recorded_args, turn=turn)


def _note_exposure(tally: SessionTally, context: DecisionContext) -> SessionTally:
    """The tally of an action that did not run; its alarms count as raised after exposure nevertheless."""
    is_exposed = context.event is not None and context.event.is_exposed
    return replace(tally, at_exposure=tally.values) if is_exposed and not tally.at_exposure else tally


def _note_run(tally: SessionTally, context: DecisionContext) -> SessionTally:
    """The tally of an action that runs; it may have been asked about before."""
    if not tally.refused or context.event is None:
        return tally
    return tally.without_attempt(fingerprint_call_of(context), context.event)


def plan_behaviour(context: DecisionContext) -> tuple[AgentTally, ...] | None:
    """Like `record_behaviour`, for a planned decision: nothing deviates, and the action runs."""
    tally = context.tally
    if tally is None:
        return None
    state, agent, is_observed = context.state, context.principal.agent, context.mode is Mode.OBSERVE
    item = context.tally_before
    if item is not None:
        tally = _note_run(tally, context) if tally.refused else tally
        changed = AgentTally(agent, tally, item.verdict, item.is_hindered, item.role, is_observed)
        return state.tallies_with(changed)
    return state.tallies_with(AgentTally(agent, tally, role=context.terms.role, is_observed=is_observed))


def _is_allowed(context: DecisionContext) -> bool:
    """Whether a person allowed what a question about behaviour asked."""
    codes = {reason.code for reason in context.decision.reasons}
    return "approved" in codes and not BEHAVIOUR_CODES.isdisjoint(codes)


def _allow(tally: SessionTally, findings: BehaviourAssessment) -> SessionTally:
    """The tally after a person allowed it: each exceeded limit is doubled once."""
    doubled = set[str]()
    for axis in findings.alarms:
        measure = axis.id.removeprefix("tenant_").removesuffix("_recent")
        if axis.kind in VOLUMES and measure not in doubled:
            doubled.add(measure)
            tally = tally.with_allowance(axis.id)
    return tally


def describe_alarms(axes: list[Axis]) -> list[dict[str, Any]]:
    """Axes as factors of an alert."""
    return [{"id": axis.id, "value": axis.value, "moved": axis.share, "words": axis.words} for axis in axes]


def name_alert(axes: list[Axis]) -> str:
    """The kind of the alert about some axes: `volume`, `drift` or `behaviour`."""
    kinds = {axis.kind for axis in axes}
    return "volume" if kinds & VOLUMES else "drift" if "drift" in kinds else "behaviour"


def find_starting_risk(tx: Transaction, agent: str, person: str) -> int:
    """The risk that past sessions of the agent pass on to a session for a person, 0..1000; 1000 if unreadable."""
    table = ProfileTable(tx)
    table.refresh((AGENT, agent), _TENANT_KEY)  # as other hosts have left it
    profile = table.load_agent(agent)
    if profile is None:
        return _MAX_CARRIED  # INVARIANT: FAILCLOSED - nobody gets authority back by damaging the row
    carried = profile.carried
    for session, item in tx.image.open_tallies.find_alarmed(agent):
        # What alarmed and has not ended counts already, so that the next session does not outrun the fold.
        state = tx.load_session(session)
        if state is not None:
            carried = carried.after_session(summarize(state, item))
    return carried.risk_for(person)
