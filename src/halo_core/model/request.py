"""The access request, in AuthZEN's subject, action, resource and context."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from halo_core.crypto import canonical
from halo_core.errors import BadInput
from halo_core.model.model_call import ModelCall
from halo_core.quick_init import quick_init

_TRUST_MAX: Final = 1000
UNIT_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
"""Names of budget units."""
_IGNORABLE_RANGES: Final = (
    "AD 34F 61C 115F-1160 17B4-17B5 180B-180F 200B-200F 202A-202E 2060-206F 3164 FE00-FE0F FEFF FFA0 FFF0-FFF8 "
    "1BCA0-1BCA3 1D173-1D17A E0000-E0FFF"
)
_IGNORABLE: Final = frozenset(
    chr(code)
    for first, _, last in (item.partition("-") for item in _IGNORABLE_RANGES.split())
    for code in range(int(first, 16), int(last or first, 16) + 1)
)
"""Default_Ignorable_Code_Point (Unicode 16, DerivedCoreProperties.txt), which no font draws."""
HOSTED_PREFIX: Final = "hosted:"
"""Resource ids of tools that a model's provider runs begin with this."""
_AMOUNT: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?")


class ActionKind(StrEnum):
    """The kind of action. Memory reads are retrievals, memory writes tool calls."""

    INFERENCE = "inference"
    RETRIEVAL = "retrieval"
    TOOL_CALL = "tool_call"
    HANDOFF = "handoff"


class Impact(StrEnum):
    """Impact class of a resource, from harmless to grave; `unknown` is graded like the grave ones."""

    READ = "read"
    WRITE = "write"
    SEND = "send"
    PAYMENT = "payment"
    DELETE = "delete"
    EXECUTE = "execute"
    ADMIN = "admin"
    UNKNOWN = "unknown"


class Reversal(StrEnum):
    """How an effect can be taken back."""

    NONE_NEEDED = "none_needed"
    UNDO = "undo"
    COMPENSATE = "compensate"
    IRREVERSIBLE = "irreversible"


def _coerce_enum(resource: object, name: str, enum_type: type[StrEnum]) -> None:
    """Make the word in a field a member of its enumeration."""
    value = getattr(resource, name)
    try:
        object.__setattr__(resource, name, enum_type(value))
    except ValueError as exc:
        raise BadInput(
            "bad_resource",
            f"`{value}` is not a valid value here",
            field=name,
            remedy=f"use one of {', '.join(enum_type)}",
        ) from exc


def _normalize_costs(resource: Resource) -> None:
    """Check the costs and units of a resource, and make the costs a tuple of pairs."""
    units = [resource.unit] if resource.unit else []
    try:
        costs = tuple((unit, text) for unit, text in resource.costs)
        units += [unit for unit, _ in costs]
        is_good = all(map(UNIT_NAME.fullmatch, units)) and all(_AMOUNT.fullmatch(text) for _, text in costs)
    except (TypeError, ValueError):
        is_good, costs = False, ()
    if not is_good or (resource.unit and not resource.amount):
        raise BadInput(
            "bad_resource",
            "a cost must be a unit and a decimal number as text; `unit` needs the argument `amount`",
            field="costs",
            remedy='for example unit="USD", amount="amount", costs=(("USD", "0.02"),)',
        )
    reserved = sorted(set(units) & {"risk", "step", "time"})
    if reserved:
        # INVARIANT: no caller says what an action costs in the units that Halo itself charges.
        raise BadInput(
            "caller_sets_reserved_unit", f"`{reserved[0]}` is reserved for Halo", field="costs", remedy="remove it"
        )
    object.__setattr__(resource, "costs", costs)


def _normalize_programs(resource: Resource) -> None:
    """Check the programs of a resource, and make them a sorted tuple of pairs."""
    given: Any = resource.programs
    try:
        programs = tuple(sorted((argument, language) for argument, language in given))
        words = [word for pair in programs for word in pair]
        is_good = all(isinstance(word, str) and word for word in words) and len(dict(programs)) == len(programs)
    except (TypeError, ValueError):
        is_good, programs = False, ()
    if not is_good:
        raise BadInput(
            "bad_resource",
            "expected pairs of an argument and the language that it is written in, each argument once",
            field="programs",
            remedy='for example (("query", "sql/sqlite"),)',
        )
    object.__setattr__(resource, "programs", programs)


_OWN_PLACE: Final = re.compile(r"(?:~|https://[^/\s%\\*?#@]+)?(?:/[^/\s%\\*?#]+)*/?")


def _normalize_own_places(resource: Resource) -> None:
    """Check the operator's own places, and make them a sorted tuple without slashes at the end."""
    places: Any = resource.own_places
    is_sequence = not isinstance(places, str) and all(isinstance(place, str) for place in places)
    if not is_sequence or not all(
        place.strip("/~") and ".." not in place and _OWN_PLACE.fullmatch(place) for place in places
    ):
        raise BadInput(
            "bad_resource",
            "expected folders that begin with `/` or `~/`, or pages that begin with `https://`",
            field="own_places",
            remedy='for example ("/srv/hr", "https://wiki.corp.example/hr")',
        )
    object.__setattr__(resource, "own_places", tuple(sorted({place.rstrip("/") for place in places})))


def same_person(one_name: str, other_name: str) -> bool:
    """Whether two names mean one person or agent, however they are spelt: `User:Ana ` is `ana`."""
    return normalize_name(one_name) == normalize_name(other_name)


def normalize_name(name: str) -> str:
    """A name as names are compared: folded as by NFKC_Casefold (Unicode, 3.13), without any `user:` in front."""
    folded = unicodedata.normalize("NFKC", "".join(c for c in name if c not in _IGNORABLE)).casefold()
    normalized = "".join(c for c in unicodedata.normalize("NFKC", folded) if c not in _IGNORABLE).strip()
    while normalized.startswith("user:"):
        normalized = normalized.removeprefix("user:").strip()
    return normalized


def has_invisible_characters(name: str) -> bool:
    """Whether a name contains controls, or code points that no font draws."""
    return any(c in _IGNORABLE or not c.isprintable() for c in name)


@dataclass(frozen=True, slots=True)
class Principal:
    """The acting agent, with the person or legal person it acts for at the head of the chain.

    `user` is what the host application asserted; it grants nothing by itself.
    `chain` runs from the head (user or organisation) down to the acting agent.
    `reference` stands for the user wherever the name must not (`halo_core.references`); empty where there is none, and
    where `user` is a reference already.
    """

    tenant: str
    agent: str
    user: str = ""
    user_assurance: str = "asserted"
    chain: tuple[str, ...] = ()
    reference: str = ""

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree."""
        return {
            "agent": self.agent,
            "chain": list(self.chain),
            "tenant": self.tenant,
            "user": self.user,
            "user_assurance": self.user_assurance,
        }

    @classmethod
    def from_plain(cls, tree: Mapping[str, Any]) -> Principal:
        """Inverse of `to_plain`."""
        return cls(**{**tree, "chain": tuple(tree["chain"])})

    def with_references(self) -> Principal:
        """The principal as it is recorded: with the user's reference wherever the name stands."""
        if not self.reference:
            return self
        user, reference = self.user, self.reference
        chain = tuple([reference if name == user else name for name in self.chain])
        return Principal(self.tenant, self.agent, reference, self.user_assurance, chain)

    def with_user(self, name: str) -> Principal:
        """Inverse of `with_references`, given the user's name."""
        user, reference = self.user, self.reference or self.user
        chain = tuple([name if item == user else item for item in self.chain])
        return Principal(self.tenant, self.agent, name, self.user_assurance, chain, reference)


@dataclass(frozen=True, slots=True)
class Resource:
    """A tool, retriever, model or agent as it was registered.

    Args:
        id: exact id, unique in the tenant; filled in by `guard`.
        kind: the action kind that reaches it.
        impact: impact class.
        labels: data labels that it carries (`chd`, `pii`, ...), sorted.
        system: the downstream system reached.
        source_trust: 0..1000, trust in the content that comes back: below 500 it taints the session, below the
            policy's floor (300 in the starter) documents are dropped. A property of the registration, never of a
            document's own metadata. None, until it is registered, means undeclared: 300 for what is read.
        reversal: how an effect can be taken back.
        idempotent: True when running it twice does no harm; only then may it be re-run after a crash.
        targets: names of the arguments that say where money or data goes.
        amount: name of the argument that holds the amount at stake, empty if none.
        classified: `declared`, `guessed` (from name and description) or `unknown`.
        unit: the budget unit that `amount` spends, `USD` for example; empty if it spends none.
        costs: (unit, decimal number as text) that every call spends besides: `(("USD", "0.02"),)`.
        can_wait: True when nothing needs the result at once, so that a question about a call need not pause its
            caller: the call is held until it is answered.
        contained: True when what it runs reaches nothing but a disposable place: no network, no files of others.
        can_reverse: True when the process that guards it has a callable that undoes or compensates a call; `guard` sets
            it, where it is given one.
        programs: (argument, language) of each argument that is a program, and what runs it: `sql`, `sql/` and a
            dialect of sqlglot (`sql/sqlite`, `sql/postgres`), `cypher`, `shell` or `python`. A program in any other
            language may do anything. Undeclared, language and argument are guessed from names.
        own_places: folders (`/srv/hr`) and pages (`https://wiki.corp.example/hr`) to which only the operator's own
            systems and people write. A call that reads below them alone counts as a source at the trust floor, whatever
            `source_trust` says of the rest.
    """

    id: str = ""
    kind: ActionKind = ActionKind.TOOL_CALL
    impact: Impact = Impact.UNKNOWN
    labels: tuple[str, ...] = ()
    system: str = ""
    source_trust: int | None = None
    reversal: Reversal = Reversal.IRREVERSIBLE
    idempotent: bool = False
    targets: tuple[str, ...] = ()
    amount: str = ""
    classified: str = "declared"
    unit: str = ""
    costs: tuple[tuple[str, str], ...] = ()
    can_wait: bool = False
    contained: bool = False
    programs: tuple[tuple[str, str], ...] = ()
    can_reverse: bool = False
    own_places: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Convert words to their types and check them.

        Raises:
            BadInput: a word or a number that means nothing; `field` names it.
        """
        _coerce_enum(self, "impact", Impact)
        _coerce_enum(self, "kind", ActionKind)
        _coerce_enum(self, "reversal", Reversal)
        for name in ("labels", "targets"):
            words = getattr(self, name)
            if isinstance(words, str) or not all(isinstance(word, str) for word in words):
                raise BadInput(
                    "bad_resource", "expected a sequence of words", field=name, remedy='for example ("pii",)'
                )
            object.__setattr__(self, name, tuple(words))
        _normalize_programs(self)
        _normalize_own_places(self)
        _normalize_costs(self)
        trust = self.source_trust
        if trust is not None and (type(trust) is not int or not 0 <= trust <= _TRUST_MAX):
            raise BadInput(
                "bad_resource", f"`{trust}` is not a trust value", field="source_trust", remedy="use 0..1000"
            )

    @property
    def trust(self) -> int:
        """`source_trust`, 0 where it is undeclared."""
        return self.source_trust or 0

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree; fields that were added later only where they are set, so that other digests stay."""
        tree = {
            "amount": self.amount,
            "classified": self.classified,
            "costs": [list(item) for item in self.costs],
            "id": self.id,
            "idempotent": self.idempotent,
            "impact": self.impact.value,
            "kind": self.kind.value,
            "labels": list(self.labels),
            "reversal": self.reversal.value,
            "source_trust": self.trust,
            "system": self.system,
            "targets": list(self.targets),
            "unit": self.unit,
        }
        tree |= {"can_reverse": True} if self.can_reverse else {}
        tree |= {"can_wait": True} if self.can_wait else {}
        tree |= {"contained": True} if self.contained else {}
        tree |= {"own_places": list(self.own_places)} if self.own_places else {}
        return tree | {"programs": [list(item) for item in self.programs]} if self.programs else tree

    @classmethod
    def from_plain(cls, tree: Mapping[str, Any]) -> Resource:
        """Inverse of `to_plain`."""
        return cls(
            **{
                **tree,
                "costs": tuple((unit, amount) for unit, amount in tree["costs"]),
                "impact": Impact(tree["impact"]),
                "kind": ActionKind(tree["kind"]),
                "labels": tuple(tree["labels"]),
                "own_places": tuple(tree.get("own_places", ())),
                "programs": tuple((argument, language) for argument, language in tree.get("programs", ())),
                "reversal": Reversal(tree["reversal"]),
                "targets": tuple(tree["targets"]),
            }
        )


def compute_request_id(
    session: str, agent: str, turn: str, call_id: str, *, kind: str, resource: str, args_digest: str
) -> str:
    """Id of a request, the key of ONCE: two calls have one id if and only if they are the same call."""
    return canonical.digest(
        "halo/request", canonical.dumps([session, agent, turn, call_id, kind, resource, args_digest])
    )


@dataclass(frozen=True, slots=True)
class Trigger:
    """What made the agent act: `message` (a model message), `user`, `handoff`, `host` (called by code).

    `ref` is the id of the message. `digest` is the keyed digest of its text, which is sealed beside the entry.
    """

    kind: str = "host"
    ref: str = ""
    digest: str = ""

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree."""
        return {"digest": self.digest, "kind": self.kind, "ref": self.ref}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the request came from (PCI DSS 10.2.2, SP 800-53 AU-3): host, process, network address, framework."""

    host: str = ""
    pid: int = 0
    process: str = ""
    network: str = ""
    framework: str = ""

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree."""
        return {
            "framework": self.framework,
            "host": self.host,
            "network": self.network,
            "pid": self.pid,
            "process": self.process,
        }


@quick_init
@dataclass(frozen=True, slots=True)
class Context:
    """The circumstances of a request.

    Args:
        session: id of the session; empty for none.
        session_source: how the session was found, such as `host` or `run`.
        turn: id of the message that asked.
        call_id: the framework's id of the call.
        trigger: what made the agent act.
        origin: where the request came from.
        assurance: how well the keys are kept from the agent.
        abilities: what the enforcement point can do: `pause`, and kinds of `Obligation`. What it cannot do becomes a
            denial with `needs_guard`.
        trace_id: the trace that the call belongs to (W3C Trace Context, 32 lowercase hex digits), empty for none.
        links: entries that this decision refers to, (relation, id of the entry), sorted; the relations are `overrides`,
            `reverses` and `contests`.
    """

    session: str
    session_source: str
    turn: str
    call_id: str
    trigger: Trigger
    origin: Origin
    assurance: str
    abilities: tuple[str, ...] = ()
    trace_id: str = ""
    links: tuple[tuple[str, str], ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree."""
        return {
            "abilities": list(self.abilities),
            "assurance": self.assurance,
            "call_id": self.call_id,
            "links": [list(item) for item in self.links],
            "origin": self.origin.to_plain(),
            "session": self.session,
            "session_source": self.session_source,
            "trace_id": self.trace_id,
            "trigger": self.trigger.to_plain(),
            "turn": self.turn,
        }

    @classmethod
    def from_plain(cls, tree: Mapping[str, Any]) -> Context:
        """Inverse of `to_plain`."""
        return cls(
            **{
                **tree,
                "abilities": tuple(tree["abilities"]),
                "links": tuple((relation, entry) for relation, entry in tree["links"]),
                "origin": Origin(**tree["origin"]),
                "trigger": Trigger(**tree["trigger"]),
            }
        )


@quick_init
@dataclass(frozen=True, slots=True)
class AccessRequest:
    """One action before it runs.

    Args:
        subject: who.
        kind: which of the four surfaces.
        resource: what is reached.
        args: arguments after validation, as executed, with secrets replaced by keyed digests
            (`halo_core.content.redaction`).
            Values as Python objects (floats, integers, strings, lists, mappings); not in the tagged form.
        args_digest: keyed digest of the arguments.
        request_id: digest of (session, turn, call id, resource, arguments digest): the key of ONCE.
        context: circumstances.
        problem: reason code found while translating (`invalid_arguments`, `unknown_tool`, ...); empty if none. A
            request with a problem is always denied, and recorded.
        model: of an inference, what the model was given; None where that is unknown.
    """

    subject: Principal
    kind: ActionKind
    resource: Resource
    args: Mapping[str, Any]
    args_digest: str
    request_id: str
    context: Context
    problem: str = ""
    model: ModelCall | None = None

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree without the arguments and the user's name, which are content and sealed apart."""
        return {
            "args_digest": self.args_digest,
            "context": self.context.to_plain(),
            "kind": self.kind.value,
            "model": self.model.to_plain() if self.model is not None else None,
            "problem": self.problem,
            "request_id": self.request_id,
            "resource": self.resource.to_plain(),
            "subject": self.subject.with_references().to_plain(),
        }

    @classmethod
    def from_plain(
        cls,
        tree: Mapping[str, Any],
        args: Mapping[str, Any],
        read_resource: Callable[[Mapping[str, Any]], Resource] = Resource.from_plain,
    ) -> AccessRequest:
        """Inverse of `to_plain`, given the unsealed arguments, and perhaps a quicker way to read a resource."""
        return cls(
            subject=Principal.from_plain(tree["subject"]),
            kind=ActionKind(tree["kind"]),
            resource=read_resource(tree["resource"]),
            args=args,
            args_digest=tree["args_digest"],
            request_id=tree["request_id"],
            context=Context.from_plain(tree["context"]),
            problem=tree["problem"],
            model=ModelCall.from_plain(tree["model"]) if tree["model"] is not None else None,
        )
