"""The snapshot: everything that `decide` reads besides the request, as the entry records it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from halo_core.model.behaviour import NO_BEHAVIOUR, NO_PRINCIPAL_RISK, BehaviourView, PrincipalRisk
from halo_core.quick_dataclass import dataclass

if TYPE_CHECKING:
    from halo_core.model.decision import Effect, Obligation, Reason
    from halo_core.model.passport_link import Link
    from halo_core.model.request import AccessRequest


class Mode(StrEnum):
    """`observe` decides and records, and the action runs; `enforce` blocks."""

    OBSERVE = "observe"
    ENFORCE = "enforce"


class Provenance(StrEnum):
    """The origin of an argument value.

    `user`: vouched for by the user's words. `known`: brought by a trusted lookup whose arguments were vouched for.
    `system`: of a system prompt, or of another result of a trusted source. `novel`: of nobody. `mixed`, `untrusted`: in
    part or as a whole of untrusted content.
    """

    USER = "user"
    KNOWN = "known"
    SYSTEM = "system"
    UNTRUSTED = "untrusted"
    MIXED = "mixed"
    NOVEL = "novel"


class Fact(StrEnum):
    """A known fact about an action. Most facts spare a question about its targets or its amount.

    - `asked`: the request has the tool's verb, a word like it, a word for its class, or the page it sends something to.
    - `alias`: what nobody vouched for are addresses of persons whom the user named, at the tenant's own domains.
    - `pointed_at`: what nobody vouched for stands in results that the user pointed at.
    - `requested`: it names nothing but what the user wrote, or names nothing and the user asked for it.
    - `established`: several principals used the targets in unexposed sessions.
    - `known_place`: the agent's baseline knows the host, the mail domain and the folder of each value.
    - `named_record`: what nobody vouched for are numbers of records whose sender or subject the user named. Of
      an order, these are wares that he left to what he pointed at to name.
    - `same_host`: what nobody vouched for lies on a host that the user named.
    - `unchanged`: an update that gives no target, or a message whose lists of recipients are empty.
    - `amount_asked`: the user wrote the amount.
    - `listed`: the host lists an order of the user that it carries out.
    - `amount_left_open`: an untrusted source named the amount, and the request leaves it to what was read.

    These ask for a question instead:

    - `new_host`: it reaches a host that nobody vouched for.
    - `stores_target`: it writes an address, an account, a rule or the like that nobody vouched for, or acts on another
      target than the user named.
    - `carries_labelled`: a search or an address in it carries a value out of labelled data.
    - `amount_exceeds`: it pays more than the user wrote.
    - `amount_unvouched`: an untrusted source named the amount, or may have, and the request points at no such source.
    - `in_no_order`: the host lists what the user ordered, and after exposure it carries out none of that.
    - `names_foreign`: of a tool that nobody declared, a text names an address or account nobody vouched for.
    """

    ALIAS = "alias"
    AMOUNT_ASKED = "amount_asked"
    AMOUNT_EXCEEDS = "amount_exceeds"
    AMOUNT_LEFT_OPEN = "amount_left_open"
    AMOUNT_UNVOUCHED = "amount_unvouched"
    ASKED = "asked"
    CARRIES_LABELLED = "carries_labelled"
    ESTABLISHED = "established"
    IN_NO_ORDER = "in_no_order"
    KNOWN_PLACE = "known_place"
    LISTED = "listed"
    NAMES_FOREIGN = "names_foreign"
    NEW_HOST = "new_host"
    POINTED_AT = "pointed_at"
    REQUESTED = "requested"
    SAME_HOST = "same_host"
    NAMED_RECORD = "named_record"
    STORES_TARGET = "stores_target"
    UNCHANGED = "unchanged"


class ProgramClass(StrEnum):
    """The class of the worst program among the arguments of an action.

    `reads`: all parse as reading only. `vouched`: the user wrote them, or named all that they act on and asked for what
    they do. `acts`: anything else, also what cannot be parsed.
    """

    NONE = ""
    READS = "reads"
    VOUCHED = "vouched"
    ACTS = "acts"


@dataclass(frozen=True, slots=True)
class SessionView:
    """The state of a session: counters never fall, taint never clears.

    `high_water_us` is the largest time any decision of the session has seen; decisions use max(now, high water).
    """

    id: str
    version: int
    opened_us: int
    high_water_us: int
    steps: int
    tainted: bool
    taint_sources: tuple[str, ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree."""
        return {
            "high_water_us": self.high_water_us,
            "id": self.id,
            "opened_us": self.opened_us,
            "steps": self.steps,
            "taint_sources": list(self.taint_sources),
            "tainted": self.tainted,
            "version": self.version,
        }

    @classmethod
    def from_plain(cls, tree: Mapping[str, Any]) -> SessionView:
        """Inverse of `to_plain`."""
        return cls(**{**tree, "taint_sources": tuple(tree["taint_sources"])})


@dataclass(frozen=True, slots=True)
class Envelope:
    """The account of one decaying link. Counters only fall when a reserved cost is settled lower.

    Args:
        link: stable name of the link's account in its session.
        epoch: epoch of the link.
        since_us: when this epoch began to age.
        base_step: steps spent before this epoch.
        base_risk: risk points spent before this epoch.
        spent: (unit, reserved, committed), sorted; integers in the unit's own decimals, over all epochs.
    """

    link: str
    epoch: int
    since_us: int
    base_step: int = 0
    base_risk: int = 0
    spent: tuple[tuple[str, int, int], ...] = ()

    def total(self, unit: str) -> int:
        """Reserved plus committed amounts."""
        for name, reserved, committed in self.spent:
            if name == unit:
                return reserved + committed
        return 0

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree."""
        return {
            "base_risk": self.base_risk,
            "base_step": self.base_step,
            "epoch": self.epoch,
            "link": self.link,
            "since_us": self.since_us,
            "spent": [list(item) for item in self.spent],
        }

    @classmethod
    def from_plain(cls, tree: Mapping[str, Any]) -> Envelope:
        """Inverse of `to_plain`."""
        return cls(
            **{**tree, "spent": tuple((unit, reserved, committed) for unit, reserved, committed in tree["spent"])}
        )


SUSPENSIONS: Final = ("suspended_agent", "suspended_pair", "suspended_user")
"""Scopes of stops that a risk sets and that begin later: of an agent, of an agent while it acts for one person, of all
that acts for one person or service account."""


def format_pair(user: str, agent: str) -> str:
    """Target of a suspension of an agent for one person; `user` is the person's reference."""
    return f"{user}:{agent}"


@dataclass(frozen=True, slots=True, order=True)
class Stop:
    """An active stop: `scope` is `agent`, `session`, `tool`, `tenant`, `user`, `all` or one of `SUSPENSIONS`.

    `target` is its id, empty for `all`; of a session or a person the reference. A suspension begins at `since_us`.
    """

    scope: str
    target: str
    since_us: int


@dataclass(frozen=True, slots=True, order=True)
class Revocation:
    """A revoked `link`, `key`, `agent` or `tenant`."""

    scope: str
    target: str
    since_us: int


@dataclass(frozen=True, slots=True)
class Approval:
    """A signed, single-use answer to a challenge, bound to the digest of the exact call (INVARIANT: BIND).

    Args:
        id: id of the request it answers.
        approver: who signed, as enrolled.
        reference: stands for the approver wherever the name must not; empty if `approver` is a reference already.
        key_id: thumbprint of the key that signed.
        binding: digest of what was asked (`halo_core.decision.bindings`).
        expires_us: unused by then, it serves nothing.
        granted: the answer was yes.
        session: that asked, where it is another one than the call's; empty for the call's own.
        questions: codes of the reasons that were asked about, sorted; None in older entries, which do not say.
    """

    id: str
    approver: str
    key_id: str
    binding: str
    expires_us: int
    granted: bool = True
    reference: str = ""
    session: str = ""
    questions: tuple[str, ...] | None = None

    @classmethod
    def from_plain(cls, tree: Mapping[str, Any]) -> Self:
        """Read what `to_plain` made."""
        questions = tree.get("questions")
        return cls(**{**tree, "questions": tuple(questions) if questions is not None else None})

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree, without the approver's name."""
        return {
            "approver": self.reference or self.approver,
            "binding": self.binding,
            "expires_us": self.expires_us,
            "granted": self.granted,
            "id": self.id,
            "key_id": self.key_id,
            **({"questions": list(self.questions)} if self.questions is not None else {}),
            **({"session": self.session} if self.session else {}),
        }


@dataclass(frozen=True, slots=True)
class StandingAnswer:
    """A signed approval of more than one call; its signature was verified when the snapshot was read.

    Args:
        id: id of the answer.
        kind: `standing`, for one scope; `break_glass`, for everything that an agent does except payments;
            `override_allow`, for one exact call; `override_deny`, against a call or a target; `reversal`, the order to
            take one effect back.
        approver: who signed, as enrolled.
        key_id: thumbprint of the key that signed.
        scope: keyed digest of what it covers (`Snapshot.answer_scope`); of `break_glass`, the digest that
            `halo_core.decision.answers.make_break_glass_scope` gives.
        expires_us: from then on it serves nothing.
        uses: how many actions ran on it so far.
        max_uses: how many may.
        spent: sum of their amounts, in ten-thousandths.
        max_amount: limit of that sum.
        granted_us: when it was signed.
        max_each: up to which sum within 24 hours it answers for a large amount of this call, in ten-thousandths; 0
            where it holds for no amount, or for other terms than those of this call.
        reference: stands for the approver wherever the name must not; empty if `approver` is a reference already.
    """

    id: str
    kind: str
    approver: str
    key_id: str
    scope: str
    expires_us: int
    uses: int
    max_uses: int
    spent: int
    max_amount: int
    granted_us: int
    reference: str = ""
    max_each: int = 0

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree, without the approver's name."""
        return {
            "approver": self.reference or self.approver,
            "expires_us": self.expires_us,
            "granted_us": self.granted_us,
            "id": self.id,
            "key_id": self.key_id,
            "kind": self.kind,
            "max_amount": self.max_amount,
            "max_uses": self.max_uses,
            "scope": self.scope,
            "spent": self.spent,
            "uses": self.uses,
            **({"max_each": self.max_each} if self.max_each else {}),
        }


@dataclass(frozen=True, slots=True)
class PolicyAnswer:
    """The answer of a policy set to one request: reasons sorted by policy id.

    `permitted` is the hard evaluation; `effect` is `deny` without a permit, with a hard forbid or an error, else the
    most severe graded effect; `errors` make it a denial.
    """

    permitted: bool
    effect: Effect
    reasons: tuple[Reason, ...]
    obligations: tuple[Obligation, ...]
    errors: tuple[str, ...] = ()


class PolicyView(Protocol):
    """A compiled policy set, a pure function of its text: `hash` identifies the text in the store."""

    @property
    def hash(self) -> str:
        """`sha256:` over the bundle."""
        ...

    @property
    def rules(self) -> str:
        """`sha256:` over the rules alone, without the argument types of registered resources."""
        ...

    def answer(self, request: AccessRequest, snapshot: Snapshot) -> PolicyAnswer:
        """Evaluate a request; pure, deterministic, never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything `decide` reads besides the request, with versions, read once.

    Args:
        time_us: the one time of this decision, max(wall clock, session high water).
        mode: observe or enforce.
        control_version: version of the tenant's control row (mode, policy, stops, revocations).
        session: the session's counters and taint.
        uses: how often this agent used this resource before.
        provenance: JSON pointer of each argument leaf (sorted) → where the value came from.
        targets: for each leaf that says where something goes (sorted): its JSON pointer, its kind, and its flags
            (`respelled`, `same_site`, `suspicious`). docs/values.md describes kinds and flags.
        sources: JSON pointer of each leaf that some result brought (sorted) → which resources gave it.
        chain: verified links, root first. Recorded by hash.
        envelopes: accounts of the chain's decaying links, session link first.
        quotas: (unit, spent today) of the standing link's quotas, sorted.
        authority: what the chain has left before this action, 0..1_000_000; None without a chain.
        passport_problem: reason code why no chain could be put together, empty if none.
        stops: active stops of the tenant.
        revocations: revocations that concern the tenant.
        approval: the approval presented with the call, or None.
        dispatched: this request id was dispatched before.
        pending: open challenges of this session.
        policy: the compiled policy set. Recorded by hash.
        model_hash: names the behaviour score in force for the agent, empty while there is none.
        risk: 0..1000 risk of this action, None while there is no score.
        features: what the risk was computed from.
        band: band of the risk: 0 ordinary, 1 elevated, 2 high.
        factors: what moved the risk most; of an ordinary risk nothing.
        session_risk: 0..1000, of the session before this action.
        score_problem: reason code why there is no risk although a score is in force.
        partial: the score has not read all of the call's values, so that a low risk says little.
        refused: attempts of the session before this one that were refused (`Decision.refused`).
        facts: that spare questions or ask for some, sorted.
        program: the programs among the arguments.
        unscored: no score is in force for the agent, but for one that it acts for, or that acted in its session.
        answer_scope: keyed digest of what a remembered answer to this call covers; empty if there is no such answer.
        standing: remembered answers that cover this call, sorted by id.
        amount: that the call names, in ten-thousandths; None if it names none that can be read.
        paid_to_target: what the role paid to the targets of this payment within the window, in ten-thousandths.
        paid_by_principal: what was paid within the window for the principal, likewise.
        repeated: the same payment ran within the window, and no message of the user has asked for it again.
        held_before: an act of the session is held that has a target or an object in common with this call.
        held_behind: the same, of a call that can wait behind that act.
        hold_room: the act could be held: there is room, and its arguments can be stored whole.
        new_fields: fields of a model request that are in no list and that nobody has accepted, sorted.
        behaviour: how far the agent is from its profile.
        principal_risk: risk of the person or service account at the head of the chain, from events elsewhere.
    """

    time_us: int
    mode: Mode
    control_version: int
    session: SessionView
    uses: int
    provenance: tuple[tuple[str, Provenance], ...]
    chain: tuple[Link, ...]
    policy: PolicyView
    envelopes: tuple[Envelope, ...] = ()
    quotas: tuple[tuple[str, int], ...] = ()
    authority: int | None = None
    passport_problem: str = ""
    stops: tuple[Stop, ...] = ()
    revocations: tuple[Revocation, ...] = ()
    approval: Approval | None = None
    dispatched: bool = False
    pending: int = 0
    model_hash: str = ""
    risk: int | None = None
    sources: tuple[tuple[str, tuple[str, ...]], ...] = ()
    targets: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    features: tuple[int, ...] = ()
    band: int = 0
    factors: tuple[Mapping[str, Any], ...] = ()
    session_risk: int = 0
    score_problem: str = ""
    partial: bool = False
    refused: int = 0
    unscored: bool = False
    answer_scope: str = ""
    standing: tuple[StandingAnswer, ...] = ()
    amount: int | None = None
    paid_to_target: int = 0
    paid_by_principal: int = 0
    repeated: bool = False
    held_before: bool = False
    held_behind: bool = False
    hold_room: bool = False
    facts: tuple[Fact, ...] = ()
    program: ProgramClass = ProgramClass.NONE
    new_fields: tuple[str, ...] = ()
    behaviour: BehaviourView = NO_BEHAVIOUR
    principal_risk: PrincipalRisk = NO_PRINCIPAL_RISK

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree; links and policy by hash, and what is seldom there only where there is something."""
        seldom: dict[str, Any] = {"behaviour": self.behaviour.to_plain(), "held_behind": self.held_behind}
        if self.principal_risk != NO_PRINCIPAL_RISK:
            seldom["principal_risk"] = self.principal_risk.to_plain()
        return {name: value for name, value in seldom.items() if value} | {
            "amount": self.amount,
            "answer_scope": self.answer_scope,
            "authority": self.authority,
            "approval": self.approval.to_plain() if self.approval is not None else None,
            "band": self.band,
            "chain": [link.hash for link in self.chain],
            "control_version": self.control_version,
            "dispatched": self.dispatched,
            "envelopes": [item.to_plain() for item in self.envelopes],
            "factors": [dict(item) for item in self.factors],
            "features": list(self.features),
            "facts": [fact.value for fact in self.facts],
            "held_before": self.held_before,
            "hold_room": self.hold_room,
            "mode": self.mode.value,
            "model_hash": self.model_hash,
            "new_fields": list(self.new_fields),
            "paid_by_principal": self.paid_by_principal,
            "paid_to_target": self.paid_to_target,
            "partial": self.partial,
            "passport_problem": self.passport_problem,
            "pending": self.pending,
            "policy": self.policy.hash,
            "program": self.program.value,
            "provenance": [[pointer, source.value] for pointer, source in self.provenance],
            "quotas": [list(item) for item in self.quotas],
            "refused": self.refused,
            "repeated": self.repeated,
            "revocations": [[r.scope, r.target, r.since_us] for r in self.revocations],
            "risk": self.risk,
            "score_problem": self.score_problem,
            "session": self.session.to_plain(),
            "session_risk": self.session_risk,
            "sources": [[pointer, list(names)] for pointer, names in self.sources],
            "standing": [item.to_plain() for item in self.standing],
            "stops": [[s.scope, s.target, s.since_us] for s in self.stops],
            "targets": [[pointer, kind, list(flags)] for pointer, kind, flags in self.targets],
            "time_us": self.time_us,
            "unscored": self.unscored,
            "uses": self.uses,
        }

    @classmethod
    def from_plain(cls, tree: Mapping[str, Any], *, chain: tuple[Link, ...], policy: PolicyView) -> Snapshot:
        """Inverse of `to_plain`, given the links and the policy with its hashes."""
        approval = tree["approval"]
        return cls(
            time_us=tree["time_us"],
            mode=Mode(tree["mode"]),
            control_version=tree["control_version"],
            session=SessionView.from_plain(tree["session"]),
            uses=tree["uses"],
            provenance=tuple((pointer, Provenance(source)) for pointer, source in tree["provenance"]),
            chain=chain,
            policy=policy,
            envelopes=tuple(map(Envelope.from_plain, tree["envelopes"])),
            quotas=tuple((unit, used) for unit, used in tree["quotas"]),
            authority=tree["authority"],
            passport_problem=tree["passport_problem"],
            stops=tuple(Stop(*item) for item in tree["stops"]),
            revocations=tuple(Revocation(*item) for item in tree["revocations"]),
            approval=Approval.from_plain(approval) if approval is not None else None,
            dispatched=tree["dispatched"],
            pending=tree["pending"],
            model_hash=tree["model_hash"],
            risk=tree["risk"],
            sources=tuple((pointer, tuple(names)) for pointer, names in tree.get("sources", ())),
            targets=tuple((pointer, kind, tuple(flags)) for pointer, kind, flags in tree.get("targets", ())),
            features=tuple(tree.get("features", ())),
            band=tree.get("band", 0),
            factors=tuple(tree.get("factors", ())),
            session_risk=tree.get("session_risk", 0),
            score_problem=tree.get("score_problem", ""),
            partial=tree.get("partial", False),
            refused=tree.get("refused", 0),
            unscored=tree.get("unscored", False),
            answer_scope=tree.get("answer_scope", ""),
            standing=tuple(StandingAnswer(**item) for item in tree.get("standing", ())),
            amount=tree.get("amount"),
            paid_to_target=tree.get("paid_to_target", 0),
            paid_by_principal=tree.get("paid_by_principal", 0),
            repeated=tree.get("repeated", False),
            held_before=tree.get("held_before", False),
            held_behind=tree.get("held_behind", False),
            hold_room=tree.get("hold_room", False),
            facts=tuple(map(Fact, tree.get("facts", ()))),
            program=ProgramClass(tree.get("program", "")),
            new_fields=tuple(tree.get("new_fields", ())),
            behaviour=BehaviourView.from_plain(tree.get("behaviour", {})),
            principal_risk=PrincipalRisk.from_plain(tree.get("principal_risk")),
        )
