"""The access request, in AuthZEN's subject, action, resource and context."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from halo_core.crypto import canonical
from halo_core.model.model_call import ModelCall
from halo_core.model.resource import ActionKind, Resource
from halo_core.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Principal:
    """The acting agent, and the person or legal person at the head of its chain.

    `user` is what the host application asserted; it grants nothing by itself.
    `chain` runs from the head (user or organisation) down to the acting agent.
    `reference` stands for the user wherever the name must not (`halo_core.references`); empty if there is none, and
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
        """The principal in the form to record: references in place of the user's name."""
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


def compute_request_id(
    session: str, agent: str, turn: str, call_id: str, *, kind: str, resource: str, args_digest: str
) -> str:
    """Id of a request, the key of ONCE: two calls have equal ids if and only if they are the same call."""
    return canonical.digest(
        "halo/request", canonical.dumps([session, agent, turn, call_id, kind, resource, args_digest])
    )


@dataclass(frozen=True, slots=True)
class Trigger:
    """What triggered the action: `message` (a model message), `user`, `handoff`, `host` (called by code).

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
        model: what the model was given, for an inference; None if that is unknown.
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
        """Canonical tree without the arguments and the user's name, which are sealed separately."""
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
        """Inverse of `to_plain`, given the unsealed arguments; optionally with a faster resource reader."""
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
