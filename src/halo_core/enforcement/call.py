"""One call: what an adapter translates into, its request, and the context that carries it through the decision.

What cannot be put in canonical form raises nothing: it becomes a request with a problem, which is denied and recorded
like any other (INVARIANT: TOTAL).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from typing import Any, Final

from halo_core.content.redaction import Redactor
from halo_core.crypto import canonical
from halo_core.crypto.keys import Digester
from halo_core.enforcement.passport_reader import HandOff
from halo_core.enforcement.passport_store import PassportStore
from halo_core.enforcement.risk_assessor import RiskAssessment, RiskAssessor
from halo_core.errors import CanonicalError
from halo_core.model import (
    AccessRequest,
    Context,
    Decision,
    Mode,
    Origin,
    PolicyView,
    Principal,
    Provenance,
    Resource,
    Snapshot,
    Trigger,
    compute_request_id,
)
from halo_core.risk.profile import Chunk, make_chunk
from halo_core.store import AppendedEntry, Control, SessionState, Transaction, encode_leaf
from halo_core.store.rows import QuotaDay
from halo_core.values import (
    MAX_LEAVES,
    NO_MARKS,
    ResultMarks,
    fingerprint_text,
    fingerprint_whole_text,
    iter_text_fingerprints,
)
from halo_core.values.provenance import Leaf, parse_leaves
from halo_core.values.sketch import MAX_TEXT

MAX_ARGUMENT_BYTES: Final = 262_144  # bytes of canonical arguments
MAX_KEPT_CHARS: Final = 16_384  # of a trigger, a request or an output
_MAX_REQUESTS: Final = 64  # a handful of prompts
_MAX_NAME: Final = 256  # characters of an id that are recorded

ABILITIES: Final = (
    "clamp",
    "drop_documents",
    "drop_labels",
    "hold_output",
    "pause",
    "redact",
    "redact_output",
)
"""What a guarded object can do; a callback handler can less."""


@dataclass(frozen=True, slots=True)
class Call:
    """One action, translated from a framework.

    Args:
        resource: as registered.
        args: arguments after validation, as they would be executed.
        session: session id, empty when there is none.
        session_source: `host`, `thread`, `run` or `process`.
        user: whom the agent acts for, as asserted; empty keeps the facade's.
        turn: id of the message that asked.
        call_id: the framework's id of this call; empty means a fresh one for each invocation.
        trigger: kind of what made the agent act.
        trigger_text: its text (a model message's own words: the agent's justification).
        request: the user's own words, as the host vouches.
        shown_texts: texts the agent has been shown in the conversation, with their origin.
        problem: reason code found while translating.
        abilities: what this enforcement point can do.
        acting_handle: handle of the link acted under, empty for the agent's own.
        agents: who acts, from whom the facade's agent handed off to down to the actor; empty for itself.
        hand_off: with a hand-off, how much is handed on.
        on_link_made: with a hand-off, make a link of its own even where the receiver has the same from this giver,
            and tell
            its handle before anybody can see it.
        withdrawn_question: id of an open question about this call, which whoever waits for the answer takes back.
    """

    resource: Resource
    args: Mapping[str, Any]
    session: str = ""
    session_source: str = ""
    user: str = ""
    turn: str = ""
    call_id: str = ""
    trigger: str = "host"
    trigger_text: str = ""
    request: str = ""
    shown_texts: tuple[tuple[str, Provenance], ...] = ()
    problem: str = ""
    abilities: tuple[str, ...] = ABILITIES
    acting_handle: str = ""
    agents: tuple[str, ...] = ()
    hand_off: HandOff | None = None
    on_link_made: Callable[[str], object] | None = None
    withdrawn_question: str = ""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What an agent's enforcement point decides with.

    Args:
        passport_store: the passports of its sessions.
        policy: the compiled policy.
        risk_assessor: the behaviour scores in force.
    """

    passport_store: PassportStore
    policy: PolicyView
    risk_assessor: RiskAssessor = field(default_factory=RiskAssessor)


@dataclass(frozen=True, slots=True)
class ObservedText:
    """A text that the agent has been shown, as keyed fingerprints.

    Args:
        fingerprints: of its tokens.
        origin: who wrote it.
        is_vouched: the host says so, not the conversation.
        is_cut: it was longer than what is read, so not everything it brought is known.
        traces: fingerprints by which it would be recognised as something that was stored.
        text: the text itself, for the user's words only (the session's profile reads them, and values are looked for in
            their order).
        text_mark: fingerprint of the whole text, for the user's words only.
        result: of a result, what is kept of a trusted lookup besides.
        is_recalled: it was recognised as something that was stored.
    """

    fingerprints: frozenset[int]
    origin: Provenance
    is_vouched: bool = False
    is_cut: bool = False
    traces: Callable[[], Iterable[int]] = field(default=tuple, compare=False)
    text: str = field(default="", repr=False)
    text_mark: int = 0
    result: ResultMarks = NO_MARKS
    is_recalled: bool = False

    def resolve_origin(self, tx: Transaction) -> ObservedText:
        """The same text, as untrusted where it brings back what an exposed session stored.

        INVARIANT: taint outlives its session - no store makes what was put there our own word. The user's words, and
        what taints anyway, are not looked up.
        """
        if (
            self.origin in (Provenance.USER, Provenance.UNTRUSTED)
            or not (stored := tx.load_taint_index())
            or not stored.contains_any(self.traces())
        ):
            return self
        return replace(self, origin=Provenance.UNTRUSTED, is_recalled=True)


_UNSET: Final[Any] = None


@dataclass(slots=True, eq=False, repr=False)
class DecisionContext:
    """One call on its way: what was asked, what was read to decide it, what was decided.

    `Preparer.prepare` makes it and fills the first group. The decision job fills the second group inside its
    transaction, all of it each time it is run, so that a job which is run again starts from nothing. The ticket and the
    outcome job read both.

    Args:
        call: as the adapter translated it.
        request: what is decided.
        original_args: the real arguments, copied from the call.
        recorded_args: the real arguments under the names that are recorded (a name can be a secret too); empty where
            they have a problem.
        leaves: of those, with their tokens.
        observed_texts: texts that the agent has been shown since.
        subject: whose sealed content this is.
        content: what is sealed beside the entry, name → bytes.
        user_request: the user's own words that the host vouched for.
        mode_option: the mode this handle was opened with, None for the store's.
        now_us: wall clock of the decision, microseconds since the epoch.
        control: the tenant's control row.
        state: the session's state before the decision.
        quota_day: what was spent today under the standing link's quotas, None where it has none.
        assessment: what behaviour says of the action.
        drift_before: wealth of the session's e-process before the action.
        names_requested: the action names something, and nothing but what the user wrote.
        snapshot: everything that `decide` read besides the request.
        decision: what it decided.
        runs: whether the action may run now.
        args: what it runs with.
        appended: the entry that holds the decision.
        pending_id: id of the question that a challenge asked.
        handle: handle of the link that a hand-off leads to.
        used_answer: an answer was used up for this call, and not for the first part of one that paused.
        earlier: what this very request brought when it ran before.
    """

    call: Call
    request: AccessRequest
    original_args: Mapping[str, Any]
    recorded_args: Mapping[str, Any]
    leaves: tuple[Leaf, ...]
    observed_texts: tuple[ObservedText, ...]
    subject: str
    content: Mapping[str, bytes]
    user_request: str
    mode_option: Mode | None = None

    now_us: int = 0
    control: Control = _UNSET
    state: SessionState = _UNSET
    quota_day: QuotaDay | None = None
    assessment: RiskAssessment = _UNSET
    drift_before: int = 0
    names_requested: bool = False
    snapshot: Snapshot = _UNSET
    decision: Decision = _UNSET
    runs: bool = False
    args: Mapping[str, Any] = _UNSET
    appended: AppendedEntry = _UNSET
    pending_id: str = ""
    handle: str = ""
    used_answer: bool = False
    earlier: str | None = None

    @property
    def resource(self) -> Resource:
        """What is acted on."""
        return self.request.resource

    @property
    def mode(self) -> Mode:
        """The mode it was decided in."""
        return self.snapshot.mode

    @property
    def entry_id(self) -> str:
        """Id of the entry that holds the decision."""
        return self.appended.entry.id

    @property
    def session(self) -> str:
        """The session as the store names it."""
        return self.request.context.session

    @property
    def handles(self) -> tuple[str, ...]:
        """The accounts that were charged."""
        return tuple(account.link for account in self.snapshot.envelopes)

    @property
    def reserved_charges(self) -> tuple[tuple[str, int], ...]:
        """Charges taken from the accounts and the day's quota until the outcome states the real cost."""
        return self.decision.charges if self.runs else ()

    @property
    def has_own_link(self) -> bool:
        """Whether the link that a hand-off leads to was made for this call alone."""
        return bool(self.handle) and self.call.on_link_made is not None and self.handle not in self.handles

    @property
    def place(self) -> dict[str, Any]:
        """Where the decision stands in the log, as other entries refer to it."""
        entry = self.appended.entry
        return {"leaf": encode_leaf(self.appended.leaf), "w": entry.writer, "ws": entry.seq}


@dataclass(frozen=True, slots=True)
class Preparer:
    """Turns calls into requests: seals secrets, computes digests and the request id.

    Args:
        principal: the agent, with the facade's user.
        origin: this process.
        assurance: `dev`, the only one so far: keys were generated on the machine that decides.
        digester: keyed digests.
        redactor: finds secrets.
        sketch_key: key of the session sketches.
        make_call_id: maker of call ids.
    """

    principal: Principal
    origin: Origin
    assurance: str
    digester: Digester
    redactor: Redactor
    sketch_key: bytes
    make_call_id: Any
    _fingerprint_cache: dict[tuple[str, Provenance], frozenset[int]] = field(default_factory=dict)
    _request_cache: dict[str, str] = field(default_factory=dict)

    def prepare(self, call: Call, mode_option: Mode | None = None) -> DecisionContext:
        """The context of a call, with its request; total."""
        problem, args, encoded, real_args, leaves = self._seal_arguments(call)
        principal = self._make_principal(clip_name(call.user), call.agents)
        session, turn = clip_name(call.session), clip_name(call.turn)
        subject = f"user:{principal.user}" if principal.user else f"session:{session}"
        digest = self.digester.digest("halo/args", encoded)
        call_id = clip_name(call.call_id) or self.make_call_id()
        request_id = compute_request_id(
            session,
            principal.agent,
            turn,
            call_id,
            kind=call.resource.kind.value,
            resource=call.resource.id,
            args_digest=digest,
        )
        trigger_text = self.redactor.seal_text(_replace_unencodable(call.trigger_text)[:MAX_KEPT_CHARS])
        context = Context(
            session=session,
            session_source=call.session_source,
            turn=turn,
            call_id=call_id,
            trigger=Trigger(
                call.trigger,
                turn,
                self.digester.digest("halo/text", trigger_text.encode()) if trigger_text else "",
            ),
            origin=self.origin,
            assurance=self.assurance,
            abilities=call.abilities,
        )
        request = AccessRequest(
            subject=principal,
            kind=call.resource.kind,
            resource=call.resource,
            args=args,
            args_digest=digest,
            request_id=request_id,
            context=context,
            problem=problem,
        )
        content = {"args": encoded}
        if trigger_text:
            content["trigger"] = trigger_text.encode()
        recorded_args = {} if problem else dict(zip(args, real_args.values(), strict=True))
        return DecisionContext(
            call=call,
            request=request,
            original_args=real_args,
            recorded_args=recorded_args,
            leaves=leaves,
            observed_texts=self._observe_texts(call),
            subject=subject,
            content=content,
            user_request=self._seal_request(call.request) if call.request else "",
            mode_option=mode_option,
        )

    def _seal_request(self, text: str) -> str:
        """The user's words as they are kept, cached for the requests that every call of a run repeats."""
        sealed = self._request_cache.get(text)
        if sealed is None:
            sealed = self.redactor.seal_text(_replace_unencodable(text)[:MAX_KEPT_CHARS])
            if len(self._request_cache) >= _MAX_REQUESTS:
                self._request_cache.clear()
            self._request_cache[text] = sealed
        return sealed

    def make_chunk(self, source: str, text: str, step: int, *, names_requested: bool) -> Chunk:
        """What a session's profile keeps of a result; takes about 0.4 ms for each KB."""
        return make_chunk(text, self.sketch_key, source=source, step=step, named_by_request=names_requested)

    def find_traces(self, text: str) -> Iterator[int]:
        """Fingerprints by which a text is recognised as something that was stored."""
        return iter_text_fingerprints(self.sketch_key, text)

    def _seal_arguments(self, call: Call) -> tuple[str, Mapping[str, Any], bytes, Mapping[str, Any], tuple[Leaf, ...]]:
        """Seal arguments: a problem, the sealed ones, their bytes, the ones to run with, and the leaves of those."""
        try:
            # INVARIANT: what was decided is what runs; the caller keeps no hold on the copy.
            real_args = _copy_arguments(call.args)
            leaves = parse_leaves(real_args)
            texts_searched = len(leaves) <= MAX_LEAVES and self.redactor.holds_no_secret(
                [*real_args, *(leaf.text for leaf in leaves)]
            )
            sealed = self.redactor.seal(real_args, texts_searched=texts_searched)
            if not texts_searched:  # a name can be a secret too
                leaves = parse_leaves(dict(zip(sealed, real_args.values(), strict=True)))
            encoded = canonical.encode(sealed)
        except CanonicalError as exc:
            problem = "arguments_too_large" if exc.code in ("too_large", "too_deep") else "invalid_arguments"
        except RecursionError:
            problem = "arguments_too_large"
        except Exception:  # noqa: BLE001  INVARIANT: TOTAL - a container of the caller's that misbehaves
            problem = "invalid_arguments"
        else:
            is_too_large = len(encoded) > MAX_ARGUMENT_BYTES or len(leaves) > MAX_LEAVES
            problem = "arguments_too_large" if is_too_large else ""
            if not problem:
                return call.problem, sealed, encoded, real_args, () if call.problem else leaves
        return call.problem or problem, {}, b"{}", call.args, ()

    def _make_principal(self, user: str, agents: tuple[str, ...]) -> Principal:
        base = self.principal
        if not agents and (not user or user == base.user):
            return base
        user = user or base.user
        agent = agents[-1] if agents else base.agent
        chain = (*((user,) if user else ()), base.agent, *agents)
        return Principal(base.tenant, agent, user, base.user_assurance, chain)

    def _observe_texts(self, call: Call) -> tuple[ObservedText, ...]:
        vouched_texts = [(call.request, Provenance.USER, True)] if call.request else []
        labelled_texts = [*vouched_texts, *((text, origin, False) for text, origin in call.shown_texts if text)]
        return tuple(
            ObservedText(
                self.fingerprint_text(text, origin),
                origin,
                is_vouched,
                len(text) > MAX_TEXT,
                partial(self.find_traces, text),
                *((text, self.fingerprint_user_text(text, is_vouched)) if origin is Provenance.USER else ()),
            )
            for text, origin, is_vouched in labelled_texts
        )

    def fingerprint_text(self, text: str, origin: Provenance) -> frozenset[int]:
        """Keyed fingerprints of what a session keeps of a text, cached for the few that every call of a run repeats."""
        cached = self._fingerprint_cache.get((text, origin))
        if cached is None:
            cached = fingerprint_text(
                self.sketch_key,
                text,
                find_hidden=origin is Provenance.UNTRUSTED,
                vouching=origin is Provenance.USER,
            )
            if len(self._fingerprint_cache) >= _MAX_REQUESTS:
                self._fingerprint_cache.clear()
            self._fingerprint_cache[text, origin] = cached
        return cached

    def fingerprint_user_text(self, text: str, is_vouched: bool) -> int:  # noqa: FBT001  private, one caller
        """Keyed fingerprint of a user's text as a whole."""
        return fingerprint_whole_text(self.sketch_key, text, is_vouched=is_vouched)


def _copy_arguments(args: object) -> Mapping[str, Any]:
    if not isinstance(args, Mapping):
        raise CanonicalError("not_canonical", "arguments must be a mapping")
    copy: Mapping[str, Any] = _copy_value(args, count())
    return copy


def _copy_value(value: Any, nodes: Iterator[int]) -> Any:
    """Copy of the containers; the leaves are immutable, or refused afterwards for having no canonical form."""
    if next(nodes) > canonical.MAX_NODES:
        raise CanonicalError("too_large", f"more than {canonical.MAX_NODES} values")
    if (
        (type(value) is int and value.bit_length() <= canonical.MAX_INTEGER_BITS)
        or type(value) is bool
        or value is None
        or (type(value) is str and len(value) <= MAX_ARGUMENT_BYTES)
    ):
        return value
    if isinstance(value, int) and value.bit_length() > canonical.MAX_INTEGER_BITS:  # before it is made a text
        raise CanonicalError("too_large", "an integer of too many digits")
    if isinstance(value, str | bytes) and len(value) > MAX_ARGUMENT_BYTES:
        raise CanonicalError(
            "too_large", f"a text of more than {MAX_ARGUMENT_BYTES} characters"
        )  # before it is looked into
    if isinstance(value, Mapping):
        if len(value) > MAX_LEAVES:
            raise CanonicalError("too_large", f"more than {MAX_LEAVES} members")
        return {key: _copy_value(item, nodes) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy_value(item, nodes) for item in value]
    return tuple(_copy_value(item, nodes) for item in value) if type(value) is tuple else value


def _replace_unencodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def clip_name(text: str) -> str:
    """A session's, turn's or user's name as the store keeps it: at most 256 characters, else a digest."""
    text = _replace_unencodable(text)
    # Two long names never become one.
    return text if len(text) <= _MAX_NAME else canonical.digest("halo/name", text.encode())
