"""`DecisionContext`: what is known of one call between its translation and its outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, Final

from halo_core.behaviour.assessment import BehaviourAssessment
from halo_core.behaviour.event import BehaviourEvent
from halo_core.behaviour.limits import RolePrior
from halo_core.behaviour.profile import IdentityProfile
from halo_core.behaviour.tally import SessionTally
from halo_core.crypto import canonical
from halo_core.crypto.keys import encode_base64
from halo_core.decision.record_parts import Part
from halo_core.enforcement.quotas import QuotaWarning
from halo_core.manifest import DEFAULT_ANSWER_WAIT_S, DEFAULT_HOLD_S
from halo_core.model import (
    NO_BEHAVIOUR,
    NO_PRINCIPAL_RISK,
    AccessRequest,
    BehaviourView,
    Context,
    Decision,
    Envelope,
    Impact,
    Link,
    Mode,
    ModelCall,
    Origin,
    PolicyView,
    Principal,
    PrincipalRisk,
    ProgramClass,
    Provenance,
    Resource,
    Snapshot,
    Trigger,
)
from halo_core.quick_dataclass import dataclass
from halo_core.references import clip_name
from halo_core.store.drafts import AppendedEntry
from halo_core.store.image import Control
from halo_core.store.quota_rows import QuotaDay
from halo_core.store.session_state import AgentTally, SessionState
from halo_core.store.transaction import Transaction
from halo_core.values.facts.facts import ActionFacts
from halo_core.values.facts.listed_orders import OrderMatch, needs_order
from halo_core.values.kinds.argument_names import name_of_argument
from halo_core.values.provenance.conversation import ConversationDigest, MarkedItem
from halo_core.values.provenance.leaves import Leaf, parse_leaves
from halo_core.values.provenance.observed_text import NO_MARKS, ResultMarks
from halo_core.values.provenance.result_origins import reads_own_place
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.sketches.sketch import Sketch

if TYPE_CHECKING:
    from halo_core.enforcement.call import Call
    from halo_core.enforcement.passport_store import ActiveChain
    from halo_core.enforcement.payment_windows import PaymentFacts, WindowChange
    from halo_core.enforcement.risk_assessor import RiskAssessment


@dataclass(frozen=True, slots=True)
class ObservedText:
    """A text that the agent has been shown, as keyed fingerprints. `values.provenance.observed_text` makes them.

    Args:
        fingerprints: fingerprints of its tokens.
        origin: who wrote it.
        is_vouched: the host itself passed the text as the user's, outside of the conversation.
        is_cut: it was longer than what is read, so that part of it is unknown.
        iter_taint_fingerprints: computes the fingerprints by which the taint index recognises it as something that an
            exposed session stored.
        text: the text itself, empty for a result.
        text_mark: fingerprint of the whole text, for the user's words only.
        result: what is kept of a result besides its fingerprints.
        is_recalled: it was recognised as something that an exposed session stored.
        source: whose words it is, where the caller would say something else.
    """

    fingerprints: frozenset[int]
    origin: Provenance
    is_vouched: bool = False
    is_cut: bool = False
    iter_taint_fingerprints: Callable[[], Iterable[int]] = field(default=tuple, compare=False)
    text: str = field(default="", repr=False)
    text_mark: int = 0
    result: ResultMarks = NO_MARKS
    is_recalled: bool = False
    source: str = ""

    def resolve_origin(self, tx: Transaction, *, after: int = 0) -> ObservedText:
        """The same text; as untrusted text if it holds something that an exposed session stored.

        Args:
            tx: the transaction that records the text.
            after: number of the row of stored fingerprints up to which a person has checked where the text was read.

        INVARIANT: taint outlives its session - what was stored does not become trusted because it was stored. Texts of
        the user, and texts that are untrusted anyway, are not looked up.
        """
        if (
            self.origin in (Provenance.USER, Provenance.UNTRUSTED)
            or not (stored := tx.load_taint_index())
            or not stored.contains_any(self.iter_taint_fingerprints(), after=after)
        ):
            return self
        return replace(self, origin=Provenance.UNTRUSTED, is_recalled=True)


@dataclass(frozen=True, slots=True)
class AnswerTerms:
    """How answers to an agent's questions are kept, by its manifest.

    Args:
        role: agents of one role share their remembered answers.
        hold_for_s: how long an act is held for an answer, seconds.
        answer_wait_s: how long a run waits for an answer where nobody reads that it waits, seconds.
    """

    role: str = ""
    hold_for_s: int = DEFAULT_HOLD_S
    answer_wait_s: float = DEFAULT_ANSWER_WAIT_S


_UNSET: Final[Any] = None


@dataclass(slots=True, eq=False, repr=False)
class DecisionContext:
    """One call: what was asked, what was read to decide it, what was decided.

    `Preparer.prepare` makes it and fills the first group: what was asked. The decision job fills the second group (what
    was read) and the third (what was decided) inside its transaction. A job that is run again fills all of both again.
    The ticket and the outcome job read the context. `request` and `snapshot` are made at their first use, since a
    planned decision needs neither.

    Args:
        call: the call as translated by the adapter.
        principal: who asks.
        session: reference of the session.
        turn: id of the message that asked.
        call_id: the framework's id of the call.
        trigger_digest: keyed digest of the triggering text, empty if there is none.
        sealed_args: the arguments as they are decided upon, with secrets replaced by keyed digests.
        args_digest: keyed digest of `sealed_args`.
        request_id: id under which the action may run once (INVARIANT: ONCE).
        problem: reason code found while translating.
        origin: the process.
        assurance: how well the keys are protected from the agent.
        may_hold_seal: the arguments hold a sealed secret, or something that looks like one.
        original_args: the real arguments, copied from the call.
        recorded_args: the real arguments under the names that are recorded (a name can be a secret too); empty if
            they have a problem.
        leaves: leaves of `recorded_args`, with their tokens.
        observed_texts: texts that the call shows to its session.
        subject: reference of the person, or of the session, under whose key the content is sealed.
        content: what is sealed beside the entry, name → bytes.
        user_request: the user's request as the host passed it, with secrets sealed.
        sealed_orders: the orders that the host lists, with secrets sealed; of other tools only the names.
        trace_id: id of the trace that the call belongs to, 32 hex digits; empty if there is none.
        model: what the model is given, for an inference.
        parts: texts of the model's input, which are stored as parts of entries.
        new_messages: session and reference of the messages that the decision seals.
        mode_option: the mode that the application asked for, None for that of the store.
        history: items of the conversation, with the marks under which they may be known.
        conversation: digest of that conversation.
        fingerprint_text: text, origin → the fingerprints that a session keeps of it.
        terms: how answers to the actor's questions are kept.

        now_us: wall clock of the decision, microseconds since the epoch.
        time_us: time of the decision in its session, which never goes back.
        control: the tenant's control row.
        mode: observe or enforce.
        state: the session's state before the decision.
        sketch: the texts and values that the session has seen.
        provenance: JSON pointer of each argument leaf → where the value came from, sorted.
        targets: JSON pointer, kind and flags of each leaf that says where something goes, sorted.
        sources: JSON pointer of each leaf whose words a result contained → names of these resources, sorted.
        traced: the leaves with all that tracing them found, sorted by pointer.
        lists_orders: the host lists what the user ordered, in this block or an earlier one of the session.
        order_match: the listed order of the user that the call carries out, None if it carries out none.
        known_values: kind and keyed digest of each declared value that was found among its arguments.
        facts: facts that spare or cause questions, None until they are read.
        event: the call as an event of behaviour, None until it is read.
        tally: what the agent did in the session, with this call, None until it is read.
        tally_before: what the agent did in the session before this call, None if it did nothing.
        usual: the agent's profile and the limits of its role, None while too little is known of the agent.
        findings: the agent's deviations from its profile, with this call; None if unknown.
        behaviour: `findings` as rules and `decide` read them.
        has_own_limits: the agent has shown enough sessions for limits of its own.
        score_name: name of the behaviour score in force, empty for none.
        active: the live chain as it was loaded, None if a plan decided without it.
        chain: verified links, root first.
        accounts: accounts of the chain's decaying links before the decision.
        charged_accounts: these accounts after a planned decision.
        authority: what the chain has left before the action, 0..1_000_000; None without a chain.
        authority_left: what the chain has left after a planned decision.
        is_new: memory knows of no decision that let this request id run; read for plans alone.
        is_dispatched: this request id was dispatched before; read for plans alone.
        uses: how often this agent used this resource before.
        policy: the compiled policy.
        quota_day: what was spent today under the standing link's quotas, None if it has none.
        quota_warnings: quotas that the decision brings near their end.
        assessment: the behaviour score of the action, and why.
        drift_before: wealth of the session's e-process before the action.
        payment: sums of the payment windows, None for anything but a payment.
        window_changes: the windows that count the payment, after a planned decision.
        amount: the amount at stake, in ten-thousandths; None if the call names none that can be read.
        hold_room: the act could be held: there is room, and its arguments can be stored whole.
        held_question: id of the question about the held act on which this one depends; empty if there is none.
        held_equal: id of the held act that this one repeats; empty if there is none.
        is_paused_answer: the action ran with the answer to this call before, and then paused.
        has_exposed_body: an action that ran inside this one was shown untrusted content.
        principal_risk: risk of the person or service account at the head of the chain.

        decision: what was decided.
        runs: whether the action may run now.
        args: what it runs with.
        next_state: the session's state after the decision.
        appended: the entry that holds the decision.
        pending_id: id of the question that a challenge asked.
        is_new_question: whether that question was asked for the first time.
        held_id: id of the held act that a challenge became.
        handle: handle of the link that a hand-off leads to.
        used_answer: this decision used up an answer.
        earlier: the result of an earlier run of the same request, None for none.
        resource: what is acted on.
        request: what is decided; made at its first use.
        snapshot: everything that `decide` reads besides the request; made at its first use.
    """

    # what was asked
    call: Call
    principal: Principal
    session: str
    turn: str
    call_id: str
    trigger_digest: str
    sealed_args: Mapping[str, Any]
    args_digest: str
    request_id: str
    problem: str
    origin: Origin
    assurance: str
    may_hold_seal: bool
    original_args: Mapping[str, Any]
    recorded_args: Mapping[str, Any]
    leaves: tuple[Leaf, ...]
    observed_texts: tuple[ObservedText, ...]
    subject: str
    content: Mapping[str, bytes]
    user_request: str
    sealed_orders: tuple[Mapping[str, Any], ...] = ()
    trace_id: str = ""
    model: ModelCall | None = None
    parts: tuple[Part, ...] = ()
    new_messages: tuple[tuple[str, str], ...] = ()
    mode_option: Mode | None = None
    history: tuple[MarkedItem, ...] = ()
    conversation: ConversationDigest = field(default=ConversationDigest(b""), repr=False)
    fingerprint_text: Callable[[str, Provenance], frozenset[int]] = field(
        default=lambda _text, _origin: frozenset(), repr=False
    )
    terms: AnswerTerms = field(default_factory=AnswerTerms)

    # what was read to decide it
    now_us: int = 0
    time_us: int = 0
    control: Control = _UNSET
    mode: Mode = _UNSET
    state: SessionState = _UNSET
    sketch: Sketch = _UNSET
    provenance: tuple[tuple[str, Provenance], ...] = ()
    targets: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    sources: tuple[tuple[str, tuple[str, ...]], ...] = ()
    traced: tuple[TracedLeaf, ...] = ()
    lists_orders: bool = False
    order_match: OrderMatch | None = None
    facts: ActionFacts | None = None
    known_values: set[tuple[str, str]] = field(default_factory=set)
    event: BehaviourEvent | None = None
    tally: SessionTally | None = None
    tally_before: AgentTally | None = None
    usual: tuple[IdentityProfile, RolePrior] | None = None
    findings: BehaviourAssessment | None = None
    behaviour: BehaviourView = NO_BEHAVIOUR
    has_own_limits: bool = False
    score_name: str = ""
    active: ActiveChain | None = None
    chain: tuple[Link, ...] = ()
    accounts: tuple[Envelope, ...] = ()
    charged_accounts: tuple[Envelope, ...] = ()
    authority: int | None = None
    authority_left: int | None = None
    is_new: bool = False
    is_dispatched: bool = False
    uses: int = 0
    policy: PolicyView = _UNSET
    quota_day: QuotaDay | None = None
    quota_warnings: tuple[QuotaWarning, ...] = ()
    assessment: RiskAssessment = _UNSET
    drift_before: int = 0
    payment: PaymentFacts | None = None
    window_changes: Sequence[WindowChange] = ()
    amount: int | None = None
    hold_room: bool = False
    held_question: str = ""
    held_equal: str = ""
    is_paused_answer: bool = False
    has_exposed_body: bool = False
    principal_risk: PrincipalRisk = NO_PRINCIPAL_RISK

    # what was decided
    decision: Decision = _UNSET
    runs: bool = False
    args: Mapping[str, Any] = _UNSET
    next_state: SessionState = _UNSET
    appended: AppendedEntry = _UNSET
    pending_id: str = ""
    is_new_question: bool = False
    held_id: str = ""
    handle: str = ""
    used_answer: bool = False
    earlier: str | None = None
    resource: Resource = field(init=False)
    _request: AccessRequest | None = field(init=False, default=None)
    _snapshot: Snapshot | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.resource = self.call.resource

    @property
    def request(self) -> AccessRequest:
        """The request, made at its first use."""
        if self._request is None:
            self._request = self._make_request()
        return self._request

    @property
    def snapshot(self) -> Snapshot:
        """The snapshot; that of a planned decision is made at its first use."""
        if self._snapshot is None:
            self._snapshot = self._make_planned_snapshot()
        return self._snapshot

    @snapshot.setter
    def snapshot(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    @property
    def sums(self) -> dict[str, int | None]:
        """The amount at stake and what was paid before, as the snapshot names them."""
        payment = self.payment
        return {
            "amount": self.amount,
            "paid_by_principal": payment.paid_by_principal if payment is not None else 0,
            "paid_to_target": payment.paid_to_target if payment is not None else 0,
        }

    def _make_request(self) -> AccessRequest:
        call = self.call
        return AccessRequest(
            subject=self.principal,
            kind=call.resource.kind,
            resource=call.resource,
            args=self.sealed_args,
            args_digest=self.args_digest,
            request_id=self.request_id,
            context=Context(
                session=self.session,
                session_source=call.session_source,
                turn=self.turn,
                call_id=self.call_id,
                trigger=Trigger(call.trigger, self.turn, self.trigger_digest),
                origin=self.origin,
                assurance=self.assurance,
                abilities=call.abilities,
                trace_id=self.trace_id,
                links=call.links,
            ),
            problem=self.problem,
            model=self.model,
        )

    def rename_request(self, turn: str, request_id: str) -> None:
        """Treat the call as one that another message asked for."""
        self.turn, self.request_id = turn, request_id
        self._request = None

    def refuse(self, problem: str) -> None:
        """Give the call a problem, unless it has one."""
        self.problem = self.problem or problem
        self._request = None

    def forget_attempt(self) -> None:
        """Forget what an earlier attempt has read: a job that runs again starts from nothing."""
        self.active, self.chain, self.accounts, self.authority = None, (), (), None
        self.quota_day = self.payment = self.amount = self.facts = None
        self.window_changes, self.order_match = (), None
        self.lists_orders = False
        self.hold_room = self.is_paused_answer = False
        self.held_question = self.held_equal = ""
        self.event = self.tally = self.findings = None
        self.has_own_limits = False
        self.behaviour = NO_BEHAVIOUR
        self.known_values.clear()
        self._snapshot = None

    def _make_planned_snapshot(self) -> Snapshot:
        """The snapshot of a call that a plan may decide: without score, answer, quota, held act or stop."""
        payment = self.payment
        return Snapshot(
            time_us=self.time_us,
            mode=self.mode,
            control_version=self.control.version,
            session=self.state.view,
            uses=self.uses,
            provenance=self.provenance,
            targets=self.targets,
            sources=self.sources,
            chain=self.chain,
            policy=self.policy,
            envelopes=self.accounts,
            authority=self.authority,
            session_risk=self.state.risk,
            refused=self.state.refused,
            amount=self.amount,
            paid_to_target=payment.paid_to_target if payment is not None else 0,
            paid_by_principal=payment.paid_by_principal if payment is not None else 0,
            repeated=payment is not None and payment.is_repeated,
            hold_room=self.hold_room,
            facts=self.facts.facts if self.facts is not None else (),
            program=self.facts.program if self.facts is not None else ProgramClass.NONE,
        )

    @property
    def only_runs_queries(self) -> bool:
        """Whether all arguments of the action are programs, and these only read.

        INVARIANT: FAILCLOSED - false for a text beside the programs, which may be stored, and for arguments that a
        restriction changed, whose programs nobody has parsed.
        """
        if self.facts is None or self.facts.program is not ProgramClass.READS or self.args is not self.original_args:
            return False
        programs = dict(self.resource.list_programs())
        names = {name_of_argument(leaf.pointer) for leaf in self.leaves}
        return self.resource.impact is Impact.EXECUTE and bool(names) and names <= programs.keys()

    @property
    def reads_own_place(self) -> bool:
        """Whether the action reads only places that the operator owns, by the arguments with which it runs."""
        if not self.resource.own_places:
            return False
        leaves = self.leaves if self.args is self.original_args else parse_leaves(self.args)
        return reads_own_place(self.resource, leaves)

    def make_first_content(self) -> dict[str, bytes]:
        """The sealed fields of the first entry of a session, which holds the session's name and the user's request."""
        content = {**self.content, "session": clip_name(self.call.session).encode()}
        if self.user_request:
            content["request"] = self.user_request.encode()
        return content

    def note_orders(self, match: OrderMatch | None, differences: Mapping[int, tuple[str, ...]]) -> None:
        """Note how the call compares with the orders that the host lists, in the sealed field `orders` as well.

        Args:
            match: the order that it carries out.
            differences: place of an order of the tool → arguments in which the call differs from it.
        """
        self.lists_orders, self.order_match = True, match
        if match is None and not needs_order(self.resource):
            return
        tree: dict[str, Any] = {"orders": list(self.sealed_orders)}
        if match is not None:
            tree["carried_out"] = match.place
        if differences:
            tree["differences"] = {str(place): list(names) for place, names in differences.items()}
        self.content = {**self.content, "orders": canonical.encode(tree)}

    @property
    def entry_id(self) -> str:
        """Id of the entry that holds the decision."""
        return self.appended.entry.id

    @property
    def handles(self) -> tuple[str, ...]:
        """The accounts that were charged."""
        return tuple([account.link for account in self.accounts])

    @property
    def reserved_charges(self) -> tuple[tuple[str, int], ...]:
        """Charges taken from the accounts and the day's quota until the outcome states the real cost."""
        return self.decision.charges if self.runs else ()

    @property
    def has_own_link(self) -> bool:
        """Whether the link that a hand-off leads to was made for this call alone."""
        return bool(self.handle) and self.call.on_link_made is not None and self.handle not in self.handles

    @property
    def entry_reference(self) -> dict[str, Any]:
        """The reference to the decision's entry that other entries hold: its leaf hash, writer and sequence number."""
        entry = self.appended.entry
        return {"leaf": encode_base64(self.appended.leaf), "w": entry.writer, "ws": entry.seq}
