"""Room: the call, what an adapter translates into, and its request. Takes: a call. Gives: a prepared request.

Never: decides, raises for bad arguments: what cannot be put in canonical form becomes a request with a problem, which
is denied and recorded like any other (INVARIANT: TOTAL).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any, Final

from halo_core import canonical
from halo_core.behaviour import MAX_LEAVES, fingerprints, residue, spellings, traces
from halo_core.behaviour.provenance import leaves
from halo_core.behaviour.seen import Chunk, chunk_of
from halo_core.behaviour.sketch import MAX_TEXT, tokens
from halo_core.custody import HandOff
from halo_core.errors import CanonicalError
from halo_core.keys import Digester
from halo_core.model import AccessRequest, Context, Origin, Principal, Provenance, Resource, Trigger
from halo_core.pip import Shown
from halo_core.redact import Redactor

__all__ = ["ABILITIES", "MAX_ARGS", "Call", "Prepared", "Preparer", "clip"]

MAX_ARGS: Final = 262_144  # bytes of canonical arguments
_MAX_TEXT: Final = 16_384  # characters of a trigger or output that are kept
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
        seen: texts the agent has been shown in the conversation, with their origin.
        problem: reason code found while translating.
        abilities: what this enforcement point can do.
        acting: handle of the link acted under, empty for the agent's own.
        agents: who acts, from whom the facade's agent handed off to down to the actor; empty for itself.
        hand_off: with a hand-off, how much is handed on.
        claim: with a hand-off, make a link of its own even where the receiver has the same from this giver, and tell
            its handle before anybody can see it.
        withdraws: id of an open question about this call, which whoever waits for the answer takes back.
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
    seen: tuple[tuple[str, Provenance], ...] = ()
    problem: str = ""
    abilities: tuple[str, ...] = ABILITIES
    acting: str = ""
    agents: tuple[str, ...] = ()
    hand_off: HandOff | None = None
    claim: Callable[[str], object] | None = None
    withdraws: str = ""


def _nothing_left(_values: Iterable[str]) -> frozenset[int]:
    return frozenset()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request ready to be decided, with what is sealed beside it.

    `args` are the real arguments, `named` the same under the names that are recorded (a name can be a secret too),
    `left` what is left of values that are stored, `asked` the user's own words that the host vouched for.
    """

    request: AccessRequest
    args: Mapping[str, Any]
    named: Mapping[str, Any]
    seen: tuple[Shown, ...]
    content: Mapping[str, tuple[str, bytes]]
    subject: str = ""
    acting: str = ""
    hand_off: HandOff | None = None
    claim: Callable[[str], object] | None = None
    withdraws: str = ""
    left: Callable[[Iterable[str]], frozenset[int]] = field(default=_nothing_left, compare=False)
    asked: str = ""


@dataclass(frozen=True, slots=True)
class Preparer:
    """Turns calls into requests: seals secrets, digests, names the request.

    Args:
        principal: the agent, with the facade's user.
        origin: this process.
        assurance: `dev`, `embedded` or `isolated`.
        digester: keyed digests.
        redactor: finds secrets.
        sketch_key: key of the session sketches.
        fresh_id: maker of call ids.
    """

    principal: Principal
    origin: Origin
    assurance: str
    digester: Digester
    redactor: Redactor
    sketch_key: bytes
    fresh_id: Any
    _seen: dict[str, frozenset[int]] = field(default_factory=dict)

    def prepare(self, call: Call) -> Prepared:
        """The request of a call; total."""
        problem, args, encoded, real = self._arguments(call)
        principal = self._principal(clip(call.user), call.agents)
        session, turn = clip(call.session), clip(call.turn)
        subject = f"user:{principal.user}" if principal.user else f"session:{session}"
        digest = self.digester.digest("halo/args", encoded)
        call_id = clip(call.call_id) or self.fresh_id()
        name = canonical.dumps(
            [session, principal.agent, turn, call_id, call.resource.kind.value, call.resource.id, digest]
        )
        trigger_text = self.redactor.seal_text(_printable(call.trigger_text)[:_MAX_TEXT])
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
            request_id=canonical.digest("halo/request", name),
            context=context,
            problem=problem,
        )
        content = {"args": (subject, encoded)}
        if trigger_text:
            content["trigger"] = (subject, trigger_text.encode())
        named = {} if problem else dict(zip(args, real.values(), strict=True))
        return Prepared(
            request=request,
            args=real,
            named=named,
            seen=self._shown(call),
            content=content,
            subject=subject,
            acting=call.acting,
            hand_off=call.hand_off,
            claim=call.claim,
            withdraws=call.withdraws,
            left=self.left,
            asked=self.redactor.seal_text(_printable(call.request)[:_MAX_TEXT]) if call.request else "",
        )

    def left(self, values: Iterable[str]) -> frozenset[int]:
        """What is left of values that an action stores, to know them by when they come back."""
        return residue(self.sketch_key, values)

    def chunk(self, source: str, text: str, step: int, *, named: bool) -> Chunk:
        """What a session's profile keeps of a result; about 0.4 ms for each KB of it."""
        return chunk_of(text, self.sketch_key, source=source, step=step, named=named)

    def traces(self, text: str) -> Iterator[int]:
        """By what a text could be known as something that was stored."""
        return traces(self.sketch_key, text)

    def _arguments(self, call: Call) -> tuple[str, Mapping[str, Any], bytes, Mapping[str, Any]]:
        """Problem, sealed arguments, their bytes, and the arguments to run with."""
        try:
            # INVARIANT: what was decided is what runs; the caller keeps no hold on the copy.
            real = _own_args(call.args)
            sealed = self.redactor.seal(real)
            encoded = canonical.canonical(sealed)
        except CanonicalError as exc:
            problem = "arguments_too_large" if exc.code in ("too_large", "too_deep") else "invalid_arguments"
        except RecursionError:
            problem = "arguments_too_large"
        except Exception:  # noqa: BLE001  INVARIANT: TOTAL - a container of the caller's that misbehaves
            problem = "invalid_arguments"
        else:
            problem = "arguments_too_large" if len(encoded) > MAX_ARGS or _too_many(real) else ""
            if not problem:
                return call.problem, sealed, encoded, real
        return call.problem or problem, {}, b"{}", call.args

    def _principal(self, user: str, agents: tuple[str, ...]) -> Principal:
        base = self.principal
        if not agents and (not user or user == base.user):
            return base
        user = user or base.user
        agent = agents[-1] if agents else base.agent
        chain = (*((user,) if user else ()), base.agent, *agents)
        return Principal(base.tenant, agent, user, base.user_assurance, chain)

    def _shown(self, call: Call) -> tuple[Shown, ...]:
        vouched = [(call.request, Provenance.USER, True)] if call.request else []
        told = [*vouched, *((text, origin, False) for text, origin in call.seen if text)]
        return tuple(
            Shown(
                self.prints(text),
                origin,
                by,
                len(text) > MAX_TEXT,
                partial(self.traces, text),
                text if origin is Provenance.USER else "",
            )
            for text, origin, by in told
        )

    def prints_once(self, text: str, *, without: Iterable[str] = ()) -> frozenset[int]:
        """Keyed fingerprints of a text, of those words of it that none of the texts `without` has.

        Of its words in other spellings too: what is read encoded or in groups may be used decoded, or as one.
        """
        said = (word for form in (text, *spellings(text)) for word in tokens(form))
        words = set(said).difference(*(tokens(other) for other in without))
        return frozenset(fingerprints(self.sketch_key, words))

    def prints(self, text: str) -> frozenset[int]:
        """As `prints_once`, remembered for the few texts that every call of a run repeats."""
        known = self._seen.get(text)
        if known is None:
            known = self.prints_once(text)
            if len(self._seen) >= 64:  # a handful of prompts
                self._seen.clear()
            self._seen[text] = known
        return known


def _own_args(args: object) -> Mapping[str, Any]:
    if not isinstance(args, Mapping):
        raise CanonicalError("not_canonical", "arguments are a mapping")
    copy: Mapping[str, Any] = _own(args, count())
    return copy


def _own(value: Any, nodes: Iterator[int]) -> Any:
    """Copy of the containers; the leaves are immutable, or refused afterwards for having no canonical form."""
    if next(nodes) > canonical.MAX_NODES:
        raise CanonicalError("too_large", f"more than {canonical.MAX_NODES} values")
    if type(value) is int or type(value) is bool or value is None or (type(value) is str and len(value) <= MAX_ARGS):
        return value
    if isinstance(value, str | bytes) and len(value) > MAX_ARGS:
        raise CanonicalError("too_large", f"a text of more than {MAX_ARGS} characters")  # before it is looked into
    if isinstance(value, Mapping):
        if len(value) > MAX_LEAVES:
            raise CanonicalError("too_large", f"more than {MAX_LEAVES} members")
        return {key: _own(item, nodes) for key, item in value.items()}
    if isinstance(value, list):
        return [_own(item, nodes) for item in value]
    return tuple(_own(item, nodes) for item in value) if type(value) is tuple else value


def _too_many(args: Mapping[str, Any]) -> bool:
    return any(i >= MAX_LEAVES for i, _ in enumerate(leaves(args)))


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def clip(text: str) -> str:
    """A session's, turn's or user's name as the store has it."""
    text = _printable(text)
    # Two long names never become one.
    return text if len(text) <= _MAX_NAME else canonical.digest("halo/name", text.encode())
