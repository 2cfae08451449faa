"""The plans in force: keeps them for each live chain, decides by them, and checks a sample of their decisions.

A `Planner` belongs to one `Enforcer` and works under the transaction's lock. It reads the facts of a call;
`halo_core.decision.plan` says which of them lead to a yes.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from halo_core.crypto import canonical
from halo_core.crypto.keys import Digester
from halo_core.decision.bindings import ENDING_SOURCES
from halo_core.decision.plan import Plan, compile_plan
from halo_core.decision.planned_record import encode_planned_decision
from halo_core.decision.record_parts import (
    HostPart,
    Part,
    encode_frame,
    encode_host,
    encode_model,
    encode_resource,
)
from halo_core.enforcement.action_facts import read_facts
from halo_core.enforcement.call import Credentials
from halo_core.enforcement.decision_context import DecisionContext
from halo_core.enforcement.exposure import list_place_marks
from halo_core.enforcement.outbox import read_outbox
from halo_core.enforcement.passport_store import is_resumed_at
from halo_core.enforcement.risk_assessor import UNSCORED
from halo_core.enforcement.session_behaviour import plan_behaviour
from halo_core.enforcement.snapshot_builder import load_active_chain, read_payment
from halo_core.enforcement.standing_answers import may_have_answers, read_standing_answers
from halo_core.log_output import get_logger
from halo_core.model import (
    NO_BEHAVIOUR,
    NO_PRINCIPAL_RISK,
    ActionKind,
    EntryKind,
    Impact,
    Link,
    Mode,
    Principal,
    Provenance,
    Resource,
    Snapshot,
    Stop,
    make_single_run_key,
)
from halo_core.store.answer_rows import ApprovalTable
from halo_core.store.drafts import Draft
from halo_core.store.image import Control
from halo_core.store.transaction import Transaction
from halo_core.values.provenance.stored_objects import stores_downloads

_LOG: Final = get_logger("enforcement")
_MAX_CHAINS: Final = 1024
IMPACTS_WITHOUT_STORAGE: Final = (Impact.READ, Impact.DELETE)
TRUSTED_ORIGINS: Final = (Provenance.USER, Provenance.KNOWN, Provenance.SYSTEM)
"""Origins of values that taint nothing where they are stored."""

check_interval = 256
"""One of this number of planned decisions is decided again by `decide`; the tests set 1."""


def are_drafts_equal(planned: Draft, decided: Draft) -> bool:
    """Whether two drafts of one decision yield the same entry."""
    return (
        canonical.dumps(planned.body) == canonical.dumps(decided.body)
        and dict(planned.content) == dict(decided.content)
        and (planned.others, planned.actor) == (decided.others, decided.actor)
        and (planned.session, planned.subject, planned.run, planned.ts_us)
        == (decided.session, decided.subject, decided.run, decided.ts_us)
    )


@dataclass(slots=True)
class _PlannedResource:
    """A resource under one chain, for one principal.

    Args:
        resource: the resource as registered.
        principal: who asks.
        chain: verified links, root first.
        plan: None if every call of it needs `decide`.
        part: the resource as entries name it.
        may_store: whether an action may put untrusted values somewhere.
        is_payment: whether its calls have an amount at stake, and windows that count them.
        frames: (mode, session source, abilities) → the parts that many entries share: the host, and the frame.
    """

    resource: Resource
    principal: Principal
    chain: tuple[Link, ...]
    plan: Plan | None
    part: Part
    may_store: bool
    is_payment: bool
    frames: dict[tuple[Mode, str, tuple[str, ...]], tuple[Part, Part]] = field(default_factory=dict)

    def draft(self, tx: Transaction, context: DecisionContext) -> Draft:
        """The entry of a planned decision that lets its action run; puts the session's next state into the context."""
        call, state, image = context.call, context.state, tx.image
        host, frame = self.frames.get((context.mode, call.session_source, call.abilities)) or self._encode_frame(
            context
        )
        parts: tuple[Part, ...] = (host, frame, self.part)
        members: dict[str, Any] = {}
        if context.model is not None:
            members, model_parts = encode_model(context.model)
            parts = (*parts, *model_parts, *context.parts)
        is_shared = tx.database.has_many_writers  # another process may have removed a part
        for name, data in parts:
            if is_shared or name not in image.parts:
                # The frame names the link of the session, so the frame of a new session is new.
                tx.put_part(name, data, is_new=name == frame[0] and not state.view.steps)
        next_state = context.next_state = state.with_decision(
            context.time_us, context.charged_accounts, tallies=plan_behaviour(context)
        )
        body = encode_planned_decision(
            context,
            state.view,
            next_state.make_commitment(),
            frame=frame,
            resource=self.part,
            trigger=call.trigger,
            session_risk=state.risk,
            refused=state.refused,
        )
        body.update(members)
        if context.payment is not None:
            changes = context.window_changes = context.payment.list_changes()
            if changes:
                body["sums"] = [item.make_commitment() for item in changes]
        content = context.content if state.view.steps else context.make_first_content()
        once = context.mode is Mode.ENFORCE and not self.resource.idempotent
        if once and context.is_new:
            run = make_single_run_key(context.request_id, 0)
        else:
            run = tx.make_run_key(context.session, context.request_id, once=once)
        return Draft(EntryKind.DECISION, context.session, body, content, context.subject, run=run, ts_us=context.now_us)

    def _encode_frame(self, context: DecisionContext) -> tuple[Part, Part]:
        call, principal = context.call, self.principal.with_references()
        circumstances = HostPart(
            tenant=principal.tenant,
            user_assurance=principal.user_assurance,
            session_source=call.session_source,
            origin=context.origin,
            assurance=context.assurance,
            abilities=call.abilities,
            policy=context.policy.hash,
            mode=context.mode.value,
            control_version=context.control.version,
            model_hash="",
        )
        host, chain = encode_host(circumstances), tuple([link.hash for link in self.chain])
        frame = encode_frame(principal.agent, principal.user, principal.chain, chain, host[0])
        self.frames[context.mode, call.session_source, call.abilities] = host, frame
        return host, frame


@dataclass(slots=True)
class _PlannedChain:
    """A live chain and its inputs, with a plan for each resource used under it.

    Args:
        control: mode, policy, stops and revocations in force.
        stops: stops in files.
        credentials: passports, policy and scores.
        basis: see `PassportStore.read_basis`.
        links: (handle, hash, root, parent, agent, epoch) of every account of the session.
        chain: verified links, root first.
        path: indices in `links` of the chain's accounts, root first.
        other_holders: agents that hold links of the chain, without the one that acts.
        resources: resource id → plan.
    """

    control: Control
    stops: tuple[Stop, ...]
    credentials: Credentials
    basis: tuple[Any, Any]
    links: tuple[tuple[str, str, str, str, str, int], ...]
    chain: tuple[Link, ...]
    path: tuple[int, ...]
    other_holders: tuple[str, ...]
    resources: dict[str, _PlannedResource] = field(default_factory=dict)

    def plan_resource(self, context: DecisionContext, stops: tuple[Stop, ...]) -> _PlannedResource:
        """The plan for the resource and principal of a call; compiled if there is none for both."""
        resource, principal = context.call.resource, context.principal
        planned = self.resources.get(resource.id)
        if (
            planned is None
            or (planned.resource is not resource and planned.resource != resource)
            or (planned.principal is not principal and planned.principal != principal)
        ):
            planned = self.resources[resource.id] = _compile_resource(context, self, stops)
        return planned

    def is_current(
        self, context: DecisionContext, credentials: Credentials, basis: tuple[Any, Any], stops: tuple[Stop, ...]
    ) -> bool:
        """Whether the inputs of the plans are still in force: steps (3) and (4) of `decide`."""
        if self.credentials is not credentials or self.basis != basis or self.stops != stops:
            return False
        if self.control is not context.control:
            if self.control != context.control:
                return False
            self.control = context.control  # the same rows, read again
        accounts = context.state.links
        if len(accounts) != len(self.links):
            return False
        for account, (handle, token, root, parent, agent, epoch) in zip(accounts, self.links, strict=True):
            if (
                account.hash != token
                or account.handle != handle
                or account.root != root
                or account.parent != parent
                or account.agent != agent
                or account.envelope.epoch != epoch
            ):
                return False
        return True


class Planner:
    """Decides plain calls by plans; see the module. Keeps plans for up to `_MAX_CHAINS` chains."""

    __slots__ = ("_chains",)

    is_enabled: ClassVar[bool] = True
    """False once a planned decision in this process was found to differ from that of `decide`."""

    def __init__(self) -> None:
        self._chains: OrderedDict[tuple[str, str], _PlannedChain] = OrderedDict()

    def decide(
        self,
        tx: Transaction,
        context: DecisionContext,
        credentials: Credentials,
        stops: tuple[Stop, ...],
        digester: Digester,
    ) -> Draft | None:
        """Decide by plan, into the context; returns the entry to append, None if `decide` has to decide.

        Args:
            tx: the transaction.
            context: context of the call, after `read_session`.
            credentials: what it is decided with.
            stops: stops that hold whether or not the store can be written.
            digester: keyed digests.
        """
        planned = self._find_plan(tx, context, credentials, stops, digester)
        if planned is None or planned.plan is None:
            return None
        if planned.is_payment:
            read_payment(tx, context, digester)
        read_facts(tx, context, digester)
        context.uses = tx.count_uses(context.principal.agent, context.resource.id)
        runs_before = tx.image.runs.find(context.session, context.request_id)
        context.is_new = runs_before is not None and not runs_before
        context.is_dispatched = not context.is_new and tx.was_dispatched(context.session, context.request_id)
        decision = planned.plan.decide(context)
        if decision is None:
            return None
        context.decision, context.runs, context.args = decision, True, context.original_args
        context.assessment, context.drift_before = UNSCORED, 0
        context.pending_id, context.handle, context.used_answer, context.earlier = "", "", False, None
        context.held_id, context.is_new_question = "", False
        return planned.draft(tx, context)

    @staticmethod
    def is_check_due(context: DecisionContext) -> bool:
        """Whether `decide` checks a planned decision; depends on its request id only, not on chance."""
        return int(context.request_id[-8:], 16) % check_interval == 0

    def report_difference(self, tx: Transaction, context: DecisionContext) -> None:
        """Report in the log and by an alert that `decide` disagreed with a plan; turn plans off.

        Args:
            tx: the transaction.
            context: the call, with the decision of `decide`, appended.
        """
        Planner.is_enabled = False
        _LOG.error(
            "the plan for `%s` differs from the decision; plans are off in this process",
            context.resource.id,
            extra={"halo_event": "plan_differs", "halo_resource": context.resource.id},
        )
        body: dict[str, Any] = {
            "agent": context.principal.agent,
            "decision": context.entry_reference,
            "factors": [],
            "kind": "plan",
            "resource": context.resource.id,
            "risk": None,
            "session_risk": context.state.risk,
        }
        tx.append(Draft(EntryKind.ALERT, context.session, body))

    def _find_plan(
        self,
        tx: Transaction,
        context: DecisionContext,
        credentials: Credentials,
        stops: tuple[Stop, ...],
        digester: Digester,
    ) -> _PlannedResource | None:
        """The resource of a plain call, with its plan if it has one; None if `decide` has to decide the call."""
        call, state = context.call, context.state
        if (  # the call itself is not plain
            not self.is_enabled
            or not context.session
            or context.problem
            or call.hand_off is not None
            or call.held_id
            or call.links
        ):
            return None
        if (  # a decision about its session, agent or principal needs the whole snapshot
            state.pending
            or state.watched
            or context.score_name
            or context.behaviour is not NO_BEHAVIOUR
            or context.principal_risk is not NO_PRINCIPAL_RISK
        ):
            return None
        chain = self._find_chain(tx, context, credentials, stops)
        if chain is None:
            return None
        holders = chain.other_holders
        planned = chain.plan_resource(context, stops)
        if (  # there is no plan, or its entry would record what a planned one does not
            planned.plan is None
            or (holders and any(credentials.risk_assessor.find_score_name(tx, agent) for agent in holders))
            or (planned.may_store and _may_taint(tx, context))
            or (may_have_answers(tx) and _has_answers(tx, context, credentials, digester))
            or (call.session_source in ENDING_SOURCES and ApprovalTable(tx).has_answers_for_runs(context.now_us))
            or ((tx.image.held != () or call.resource.can_wait) and _may_rest_on_held(tx, context, digester))
        ):
            return None
        return planned

    def _find_chain(
        self, tx: Transaction, context: DecisionContext, credentials: Credentials, stops: tuple[Stop, ...]
    ) -> _PlannedChain | None:
        """The plans of the live chain acted under, with its accounts in the context; None if the chain is not valid."""
        key = context.session, context.call.acting_handle
        basis = credentials.passport_store.read_basis(tx, context.time_us)
        planned = self._chains.get(key)
        is_current = planned is not None and planned.is_current(context, credentials, basis, stops)
        # A session that is resumed may get a new link first.
        if planned is None or not is_current or is_resumed_at(context.state.view.high_water_us, context.call.began_us):
            active = context.active = load_active_chain(tx, context, credentials.passport_store)
            context.state = active.state
            if active.problem or not active.chain:
                return None
            planned = self._chains[key] = _describe_chain(context, active.chain, credentials, basis, stops)
            while len(self._chains) > _MAX_CHAINS:
                self._chains.popitem(last=False)
        links, accounts = context.state.links, []
        for place in planned.path:
            accounts.append(links[place].envelope)  # noqa: PERF401  a comprehension is a call
        context.chain, context.accounts = planned.chain, tuple(accounts)
        return planned


def _may_taint(tx: Transaction, context: DecisionContext) -> bool:
    """Whether the action may store untrusted values or taint the place it writes to, which its entry would record."""
    is_exposed = context.state.view.tainted
    if not (is_exposed or stores_downloads(context.resource) or tx.load_taint_index()):
        return False
    is_foreign = is_exposed and any(origin not in TRUSTED_ORIGINS for _, origin in context.provenance)
    return is_foreign or bool(list_place_marks(tx, context))


def _has_answers(tx: Transaction, context: DecisionContext, credentials: Credentials, digester: Digester) -> bool:
    """Whether a standing answer covers the call, which its entry then records."""
    _, answers = read_standing_answers(tx, context, digester=digester, reader=credentials.passport_store.reader)
    return bool(answers)


def _may_rest_on_held(tx: Transaction, context: DecisionContext, digester: Digester) -> bool:
    """Whether the call may depend on a held act of the session; sets `hold_room` of the context."""
    outbox = read_outbox(tx, context, digester)
    context.hold_room = outbox.has_room
    return outbox.rests_on_held


def _describe_chain(
    context: DecisionContext,
    chain: tuple[Link, ...],
    credentials: Credentials,
    basis: tuple[Any, Any],
    stops: tuple[Stop, ...],
) -> _PlannedChain:
    accounts = context.state.links
    hashes = [link.hash for link in chain[1:]]
    return _PlannedChain(
        control=context.control,
        stops=stops,
        credentials=credentials,
        basis=basis,
        links=tuple(
            [(item.handle, item.hash, item.root, item.parent, item.agent, item.envelope.epoch) for item in accounts]
        ),
        chain=chain,
        path=tuple([next(i for i, item in enumerate(accounts) if item.hash == name) for name in hashes]),
        other_holders=tuple(sorted({link.agent for link in chain} - {chain[-1].agent})),
    )


def _compile_resource(context: DecisionContext, planned: _PlannedChain, stops: tuple[Stop, ...]) -> _PlannedResource:
    request, control, resource = context.request, planned.control, context.resource
    # With all stops and revocations: `compile_plan` makes a plan only if none of them applies.
    snapshot = Snapshot(
        time_us=context.time_us,
        mode=context.mode,
        control_version=control.version,
        session=context.state.view,
        uses=0,
        provenance=(),
        chain=planned.chain,
        policy=context.policy,
        envelopes=context.accounts,
        stops=(*control.stops, *stops),
        revocations=control.revocations,
    )
    principal = context.principal
    # Frames do not depend on the resource, so the principal's plans share them.
    shared_frames = [item.frames for item in planned.resources.values() if item.principal == principal]
    return _PlannedResource(
        resource=resource,
        principal=principal,
        chain=planned.chain,
        plan=compile_plan(request, snapshot),
        part=encode_resource(resource),
        may_store=resource.kind is ActionKind.TOOL_CALL and resource.impact not in IMPACTS_WITHOUT_STORAGE,
        is_payment=resource.impact is Impact.PAYMENT,
        frames=shared_frames[0] if shared_frames else {},
    )
