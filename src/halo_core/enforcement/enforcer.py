"""The policy enforcement point, the one API that adapters call.

These are the six steps of an action, with the numbers of docs/ARCHITECTURE.md:

    (1) translate: call → access request             `call`, `preparer`
    (2) snapshot, read once                           `snapshot_builder`
    (3) decide, pure                                  `halo_core.decision`
    (4) one durable transaction                       `jobs`, `halo_core.store`
    (5) run with the obligations, pause, or refuse    `flow`
    (6) outcome                                       `ticket`, `outcome_job`

A caller of `begin` or `abegin` must run nothing but `ticket.args`, and finish the ticket. An error never lets an action
run, except in observe mode, where the failure is logged and counted in `health`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from halo_core.decision.checks import has_begun, stop_applies
from halo_core.enforcement import flow
from halo_core.enforcement.bodies import note_inner_outcome
from halo_core.enforcement.call import Call, Credentials
from halo_core.enforcement.decision_context import DecisionContext
from halo_core.enforcement.jobs import HandBackJob, decide_call
from halo_core.enforcement.lookups import FindLinkJob, LiveLink
from halo_core.enforcement.obligations import Surface
from halo_core.enforcement.outcome_job import OutcomeJob, prepare_result_text
from halo_core.enforcement.planner import Planner
from halo_core.enforcement.preparer import Preparer
from halo_core.enforcement.questions import find_question_status
from halo_core.enforcement.remedies import describe_remedy, describe_sums
from halo_core.enforcement.session_folds import CROWDED_TALLIES, NOTED_EVERY_US, SessionFolds
from halo_core.enforcement.session_orders import LatestOrders
from halo_core.enforcement.steps import Step, Steps, TwoWayStep
from halo_core.enforcement.ticket import Ticket
from halo_core.enforcement.unshown_requests import UnshownRequests
from halo_core.errors import CannotDecide, Denied, HaloError, Held, Pending
from halo_core.log_output import get_logger
from halo_core.model import (
    BEHAVIOUR_CODES,
    ActionKind,
    Effect,
    HistoryItem,
    HistoryRole,
    Mode,
    Provenance,
    Resource,
    Stop,
)
from halo_core.model.decision import justify_decision
from halo_core.reasons import REASONS, get_reason_text
from halo_core.store.store import Store
from halo_core.telemetry import DecisionEvent, ObserverQueue, OutcomeEvent
from halo_core.values.provenance.result_origins import origin_of_result

__all__ = ["Enforcer", "Health", "Surface", "Ticket"]

T = TypeVar("T")
_QUESTIONS: Final = get_logger("questions")
_LOG: Final = get_logger("enforcement")
_SHOWN_STATUSES: Final = ("success", "error")  # of an outcome whose text a model is shown


@dataclass(slots=True)
class Health:
    """Counts decisions that could not be recorded, and keeps the last reason."""

    undecided: int = 0
    last_error: str = ""


class Enforcer:
    """Decides calls, then runs them. One for each agent; thread-safe.

    Args:
        store: store in which decisions become durable.
        preparer: call → request.
        get_credentials: returns the passports and the policy in force; called for each decision.
        mode: the mode this handle was opened with, None for the store's.
        are_credentials_ready: whether `get_credentials` answers at once; where it does not, a coroutine asks it in
            a thread.
        read_stops: stops that hold even where the store cannot be written, asked at each decision.
        find_resource: id → the resource as it was registered or declared; None for an unknown one.

    Attributes:
        health: counts what could not be decided.
        observers: receive decisions and outcomes.
        held_sessions: ids of sessions in which an act was held and that have not ended yet.
        folds: folds the behaviour of sessions into profiles.
        unshown_requests: requests of named sessions that no recorded decision carries.
        latest_orders: the newest orders that the host has listed in named sessions.
        is_quiet: whether questions and quotas are not printed where the host has no log handler of its own.
    """

    def __init__(
        self,
        store: Store,
        preparer: Preparer,
        get_credentials: Callable[[], Credentials],
        mode: Mode | None = None,
        *,
        are_credentials_ready: Callable[[], bool] = lambda: True,
        read_stops: Callable[[], tuple[Stop, ...]] = tuple,
        find_resource: Callable[[str], Resource | None] = lambda _: None,
    ) -> None:
        self.store = store
        self.find_resource = find_resource
        self.health = Health()
        self.observers = ObserverQueue()
        self.held_sessions: set[str] = set()
        self.folds = SessionFolds(store)
        self.unshown_requests = UnshownRequests()
        self.latest_orders = LatestOrders()
        self.is_quiet = False
        self._preparer = preparer
        self._get_credentials = get_credentials
        self._are_credentials_ready = are_credentials_ready
        self._read_stops = read_stops
        self._planner = Planner()
        self._mode = mode
        self._refusal: CannotDecide | None = None
        # An action that cannot be decided does not run until the store has returned the mode `observe`.
        self._last_mode = mode or Mode.ENFORCE

    def run(self, call: Call, execute: Callable[[Mapping[str, Any]], T], surface: Surface[T]) -> T:
        """Decide a call, execute it with the decided arguments, and record the outcome.

        Raises:
            Denied: it may not run, and did not.
            Pending: it waits for an approval, and did not run.
            Exception: what `execute` raised, as much of it as the obligations leave (`Ticket.fail`).
        """
        return flow.run(FunctionAction(self, call, execute, surface))

    def begin(self, call: Call) -> Ticket:
        """Decide; a ticket if it may run.

        Raises:
            Denied: see `run`.
        """
        start_us = self.store.clock.now_us() if self.observers.is_watched else 0
        try:
            job, session = self._make_decision_job(call, self._get_credentials())
            context = self.store.commit(job, session=session)
        except Exception as exc:  # noqa: BLE001  INVARIANT: FAILCLOSED
            return self._handle_undecided(call, exc, start_us)
        if self.observers.is_watched:
            self._notify_decision(context, start_us)
        return self._issue_ticket(context)

    async def abegin(self, call: Call) -> Ticket:
        """Like `begin`, from a coroutine."""
        get_credentials = self._get_credentials
        start_us = self.store.clock.now_us() if self.observers.is_watched else 0
        try:
            # Asked for only here: after another task has registered something, a second call would block the loop.
            is_ready = self._are_credentials_ready()
            credentials = get_credentials() if is_ready else await asyncio.to_thread(get_credentials)
            make_job = partial(self._make_decision_job, call, credentials)
            must_read_much = self._preparer.must_read_much(call)
            job, session = await asyncio.to_thread(make_job) if must_read_much else make_job()
            on_orphaned = self._record_orphaned
            context: DecisionContext = await self.store.acommit(job, session=session, on_orphaned=on_orphaned)
        except Exception as exc:  # noqa: BLE001  as above
            return self._handle_undecided(call, exc, start_us)
        if self.observers.is_watched:
            self._notify_decision(context, start_us)
        return self._issue_ticket(context)

    def _wait_for_credentials(self) -> Steps[Credentials]:
        """The credentials in force; on an event loop, a thread waits for them."""
        get_credentials = self._get_credentials
        if self._are_credentials_ready():
            return get_credentials()
        credentials: Credentials = yield TwoWayStep(get_credentials, partial(asyncio.to_thread, get_credentials))
        return credentials

    def _make_commit_step(self, job: Any) -> Step:
        return TwoWayStep(self.store.commit, self.store.acommit, job)

    def refuse_below_floor(self, refusal: CannotDecide) -> None:
        """Refuse every action with this error while the requested mode is below the floor."""
        self._refusal = refusal

    def _refuse_unless_waived(self, refusal: CannotDecide) -> None:
        # INVARIANT: FLOOR - no action runs in an application whose mode is below the floor.
        if self.store.find_mode(self._mode) is Mode.ENFORCE:
            raise refusal
        self._refusal = None  # a waiver has begun

    def _make_decision_job(self, call: Call, credentials: Credentials) -> tuple[partial[DecisionContext], str]:
        """Turn a call into a request; returns the job that decides it, and the reference of its session.

        Raises:
            CannotDecide: `below_floor`, the mode of the application is below the floor.
        """
        if self._refusal is not None:
            self._refuse_unless_waived(self._refusal)
        if not self.folds.has_looked:
            self.folds.fold_abandoned()
        context = self._preparer.prepare(call, self._mode)  # (1)
        job = partial(
            decide_call,
            context=context,
            credentials=credentials,
            digester=self._preparer.digester,
            sketch_key=self._preparer.sketch_key,
            planner=self._planner,
            read_stops=self._read_stops,
        )
        return job, context.session

    def _issue_ticket(self, context: DecisionContext) -> Ticket:  # (5)
        """The ticket of an action that may run; raises `Denied`, `Pending` or `Held` for any other."""
        self._last_mode = context.mode
        self.unshown_requests.note_recorded(context.call)
        if context.new_messages:
            self._preparer.models.note_sealed(context.new_messages)
        if context.tally is not None:
            noted_us = self.folds.open_sessions.get(context.session)
            if noted_us is None or context.now_us - noted_us > NOTED_EVERY_US:
                self.folds.note(context.session, context.now_us, is_new=not context.state.view.steps)
            if len(context.state.tallies) >= CROWDED_TALLIES:
                self.folds.fold_crowded(context.session)
        if context.quota_warnings:
            _log_quota(context, is_quiet=self.is_quiet)
        if context.order_match is not None and context.call.orders is not None:
            context.call.orders.end(context.order_match.place, runs=context.runs)
        if context.runs:
            return Ticket(context.args, context, self)
        raise self._make_refusal(context)

    def _make_refusal(self, context: DecisionContext) -> Denied:
        """The error for an action that may not run; logs a question that is asked for the first time."""
        decision = context.decision
        code = decision.find_deciding_reason().code
        sentence = justify_decision(decision, context.resource.id)
        message = justify_decision(decision, context.resource.id, describe_sums(decision, context.policy, context.sums))
        remedy = describe_remedy(decision, context.request, pending_id=context.pending_id, decision_id=context.entry_id)
        if context.is_new_question:
            _log_question(context, code, sentence, is_quiet=self.is_quiet)
        if context.held_id:
            self.held_sessions.add(context.call.session)
            return Held(
                code,
                f"`{context.resource.id}` waits for an approval ({context.pending_id})",
                pending_id=context.pending_id,
                held_id=context.held_id,
                remedy=remedy,
                decision_id=context.entry_id,
            )
        if decision.effect is Effect.CHALLENGE:
            return Pending(
                code,
                f"pending {context.pending_id}: {message}",
                pending_id=context.pending_id,
                remedy=remedy,
                decision_id=context.entry_id,
            )
        return Denied(
            code,
            message,
            remedy=remedy,
            advice=get_reason_text(code).advice,
            decision_id=context.entry_id,
            earlier=context.earlier,
        )

    def _notify_decision(self, context: DecisionContext, start_us: int) -> None:
        """Notify the observers of a durable decision."""
        decision, first = context.decision, context.decision.find_deciding_reason().code
        codes = dict.fromkeys((first, *(reason.code for reason in decision.reasons)))
        self._notify(
            context.call,
            start_us,
            effect=decision.effect.value,
            reasons=tuple(codes),
            mode=context.mode,
            runs=context.runs,
            decision_id=context.entry_id,
            session=context.session,
            pending_id=context.pending_id,
        )

    def _notify(
        self,
        call: Call,
        start_us: int,
        *,
        effect: str,
        reasons: tuple[str, ...],
        mode: Mode,
        runs: bool,
        decision_id: str = "",
        session: str = "",
        pending_id: str = "",
    ) -> None:
        principal = self._preparer.principal
        self.observers.put(
            DecisionEvent(
                decision_id=decision_id,
                tenant=principal.tenant,
                agent=call.agents[-1] if call.agents else principal.agent,
                session=session,
                framework=self._preparer.origin.framework,
                kind=call.resource.kind.value,
                resource=call.resource.id,
                impact=call.resource.impact.value,
                mode=mode.value,
                effect=effect,
                reasons=reasons,
                runs=runs,
                pending_id=pending_id,
                start_us=start_us,
                duration_us=max(0, self.store.clock.now_us() - start_us),
            )
        )

    def _handle_undecided(self, call: Call, error: Exception, start_us: int) -> Ticket:
        """Report a call that could not be decided; returns a ticket without a context in observe mode.

        Raises:
            Denied: in enforce mode, for a reversal, and where a stop applies.
        """
        code = error.code if isinstance(error, HaloError) and error.code in REASONS else "decision_error"
        if self.observers.is_watched:
            runs = self._last_mode is Mode.OBSERVE
            self._notify(call, start_us, effect=Effect.DENY.value, reasons=(code,), mode=self._last_mode, runs=runs)
        self.health.undecided += 1
        self.health.last_error = f"{code}: {error}"
        _LOG.error(
            "no decision for `%s`: %s",
            call.resource.id,
            error,
            extra={"halo_event": "undecided", "halo_resource": call.resource.id, "halo_reason": code},
        )
        # INVARIANT: REVERSE - a reversal that cannot be recorded does not run, whatever the mode.
        if self._last_mode is Mode.OBSERVE and not call.links and self.store.peek_mode() is not Mode.ENFORCE:
            if self._is_stopped(call):
                raise Denied(
                    "stopped", f"deny `{call.resource.id}`: a stop is active", remedy=get_reason_text("stopped").remedy
                )
            # INVARIANT: CRASH - observe mode lets the action run; `health` and the log show that it was not recorded.
            return Ticket(call.args, None, self)
        remedy = (error.remedy if isinstance(error, HaloError) else "") or get_reason_text(code).remedy
        words = (
            error.message if isinstance(error, HaloError) else f"{get_reason_text(code).title}: {type(error).__name__}"
        )
        raise Denied(code, f"deny `{call.resource.id}`: {words}", remedy=remedy) from error

    def _is_stopped(self, call: Call) -> bool:
        """Whether a stop, or a revocation this process has seen, applies to this call; needs no store."""
        request = self._preparer.prepare(call).request
        active_stops, revoked = self.store.last_restrictions()
        names = (request.subject.agent, *request.subject.chain, request.subject.tenant, request.context.session)
        # Without the store it is unknown whose a revoked key or link is, so it counts as this call's.
        now_us, stops = self.store.clock.now_us(), (*active_stops, *self._read_stops())
        return any(stop_applies(stop, request) and has_begun(stop, now_us) for stop in stops) or any(
            item.target in names or item.scope not in ("agent", "tenant", "session") for item in revoked
        )

    def hand_back(self, session: str, handle: str) -> Steps[None]:
        """Close the link `handle` and all links below it, as a procedure; its holder's authority ends here.

        Args:
            session: reference of the session.
            handle: handle of the link.

        Raises:
            CannotDecide: it could not be made durable; the link stays live.
        """
        yield self._make_commit_step(HandBackJob(session, handle))

    def defer_hand_back(self, session: str, handle: str) -> None:
        """Close the link with the next transaction or within 50 ms; does not block, so any event loop may call it."""
        self.store.defer(HandBackJob(session, handle), session=session)

    def find_question_status(self, pending_id: str) -> str:
        """Status of a question: `pending`, `approved`, `denied`, `used` or `expired`; empty if never asked.

        Only a decision says what may run: this tells whether asking for one is of use.

        Raises:
            CannotDecide: the store cannot be read.
        """
        return self.store.commit(partial(find_question_status, request_id=pending_id))

    def find_link(
        self, session: str, agent: str, acting_handle: str = "", taken_links: Collection[str] = ()
    ) -> Steps[LiveLink | None]:
        """The live link of an agent in a session, at or below the link acted under, as a procedure; see `FindLinkJob`.

        None as well where the store cannot be read: the decision that follows says so.
        """
        try:
            credentials = yield from self._wait_for_credentials()
            job = self._make_link_job(credentials, session, agent, acting_handle, taken_links)
            link: LiveLink | None = (yield self._make_commit_step(job)) if isinstance(job, FindLinkJob) else job
        except HaloError:
            return None
        return link

    def _make_link_job(
        self, credentials: Credentials, session: str, agent: str, acting_handle: str, taken_links: Collection[str]
    ) -> FindLinkJob | LiveLink | None:
        root = self._preparer.principal.agent
        if agent == root and not acting_handle:
            return LiveLink("", (), is_acting_link=True)  # its own link begins with its first decision
        if not session:
            return None
        return FindLinkJob(
            self._preparer.references.of_session(session),
            root,
            agent,
            acting_handle,
            taken_links,
            credentials.passport_store,
        )

    def queue_outcome(
        self,
        context: DecisionContext,
        status: str,
        output: str,
        detail: str,
        cost: Mapping[str, int] | None = None,
        *,
        readable_text: str | None = None,
        dropped: Collection[tuple[str, str]] = (),
        history_items: tuple[HistoryItem, ...] = (),
    ) -> None:
        """(6) Queue the outcome: it joins the next transaction or waits at most 50 ms.

        Args:
            context: context of the decision.
            status: how the action ended.
            output: text of the result, as it is recorded.
            detail: what people should know of the end, such as the class of an error.
            cost: unit → what the action cost, where that is known.
            readable_text: text that the agent may have read, where that is more than `output`. It counts for untrusted
                results alone, since a text that nobody was shown must not make a value trusted.
            dropped: id and text of each document that an obligation dropped.
            history_items: what the result adds to the conversation.
        """
        is_own = bool(context.resource.own_places) and context.reads_own_place
        origin = origin_of_result(context.resource, is_own=is_own)
        if status in _SHOWN_STATUSES:
            note_inner_outcome(context, origin)
        if readable_text is None or origin is not Provenance.UNTRUSTED:
            readable_text = output
        if not history_items and status in _SHOWN_STATUSES:
            history_items = _make_result_item(context, output) if context.call.call_id else ()
        text = prepare_result_text(self._preparer, context, output, readable_text, history_items)
        of_document = self._preparer.references.of_document
        references: tuple[tuple[str, str], ...] = ()
        if dropped:
            references = tuple([(of_document(name) if name else "", of_document(text)) for name, text in dropped])
        job = OutcomeJob(
            context, status, text, len(output), len(readable_text), detail, cost or {}, references, history_items
        )
        self.store.defer(job, session=context.session, preparation=text)
        if self.observers.is_watched:
            agent, resource = context.principal.agent, context.resource
            now_us = self.store.clock.now_us()
            event = OutcomeEvent(context.entry_id, agent, resource.kind.value, resource.id, status, now_us)
            self.observers.put(event)

    def _record_orphaned(self, context: DecisionContext) -> None:
        """Record that nothing ran: the caller was cancelled while the decision was made durable."""
        if context.runs:
            self.queue_outcome(context, "not_run", "", "cancelled before it ran")
        if context.has_own_link:
            self.store.defer(HandBackJob(context.session, context.handle), session=context.session)


def _log_quota(context: DecisionContext, *, is_quiet: bool) -> None:
    """Log that a day's quota is nearly used up."""
    agent = context.request.subject.agent
    for item in context.quota_warnings:
        _LOG.warning(
            "agent `%s`: %s",
            agent,
            item.describe(),
            extra={
                "halo_event": "quota",
                "halo_quiet": is_quiet,
                "halo_agent": agent,
                "halo_unit": item.unit,
                "halo_used": item.used,
                "halo_per_day": item.per_day,
                "halo_decision": context.entry_id,
            },
        )


def _log_question(context: DecisionContext, code: str, message: str, *, is_quiet: bool) -> None:
    """Log a question once, when it is asked, with the command that answers it and without any argument's value."""
    agent, resource = context.request.subject.agent, context.resource.id
    if code in BEHAVIOUR_CODES and context.behaviour.axes:
        message = f"{message}: {context.behaviour.axes[0].words}"
    _QUESTIONS.warning(
        "question %s: agent `%s` waits to use `%s`: %s; answer with `halo approvals approve %s --as NAME`",
        context.pending_id,
        agent,
        resource,
        message,
        context.pending_id,
        extra={
            "halo_event": "question",
            "halo_quiet": is_quiet,
            "halo_pending": context.pending_id,
            "halo_agent": agent,
            "halo_resource": resource,
            "halo_reason": code,
            "halo_session": context.session,
            "halo_decision": context.entry_id,
            "halo_held": bool(context.held_id),
        },
    )


class FunctionAction(flow.GovernedAction[T]):
    """An action that is a function of its decided arguments; a coroutine function where `arun` drives it."""

    def __init__(
        self, enforcer: Enforcer, call: Call, function: Callable[[Mapping[str, Any]], Any], surface: Surface[T]
    ) -> None:
        super().__init__(enforcer, call, surface)
        self._function = function

    def execute(self, ticket: Ticket) -> Any:
        """Call the function."""
        return self._function(ticket.args)


def _make_result_item(context: DecisionContext, output: str) -> tuple[HistoryItem, ...]:
    """A tool's result as a conversation item, if the framework named its call."""
    if context.resource.kind is ActionKind.INFERENCE or not context.call.call_id:
        return ()
    return (HistoryItem(HistoryRole.RESULT, output, id=context.call.call_id),)
