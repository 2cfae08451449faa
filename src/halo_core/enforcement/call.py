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

from halo_core.content.redaction import Redactor
from halo_core.crypto import canonical
from halo_core.crypto.keys import Digester
from halo_core.enforcement.delegation_terms import HandOff
from halo_core.enforcement.snapshot_builder import ObservedText
from halo_core.errors import CanonicalError
from halo_core.model import AccessRequest, Context, Origin, Principal, Provenance, Resource, Trigger
from halo_core.risk.profile import Chunk, make_chunk
from halo_core.values import (
    MAX_LEAVES,
    MAX_TEXT,
    extract_leaves,
    extract_tokens,
    fingerprint_stored_values,
    fingerprint_tokens,
    generate_spellings,
    iter_text_fingerprints,
)

__all__ = ["ABILITIES", "MAX_ARGUMENT_BYTES", "Call", "PreparedCall", "Preparer", "clip_name"]

MAX_ARGUMENT_BYTES: Final = 262_144  # bytes of canonical arguments
_MAX_KEPT_TEXT: Final = 16_384  # characters of a trigger or output that are kept
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
        on_link_made: with a hand-off, make a link of its own even where the receiver has the same from this giver, and tell
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


def _no_fingerprints(_values: Iterable[str]) -> frozenset[int]:
    return frozenset()


@dataclass(frozen=True, slots=True)
class PreparedCall:
    """A request ready to be decided, with what is sealed beside it.

    `args` are the real arguments, `recorded_args` the same under the names that are recorded (a name can be a secret too),
    `tainted_fingerprints` what is left of values that are stored, `user_request` the user's own words that the host vouched for.
    """

    request: AccessRequest
    args: Mapping[str, Any]
    recorded_args: Mapping[str, Any]
    observed_texts: tuple[ObservedText, ...]
    content: Mapping[str, tuple[str, bytes]]
    subject: str = ""
    acting_handle: str = ""
    hand_off: HandOff | None = None
    on_link_made: Callable[[str], object] | None = None
    withdrawn_question: str = ""
    tainted_fingerprints: Callable[[Iterable[str]], frozenset[int]] = field(default=_no_fingerprints, compare=False)
    user_request: str = ""


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
        make_call_id: maker of call ids.
    """

    principal: Principal
    origin: Origin
    assurance: str
    digester: Digester
    redactor: Redactor
    sketch_key: bytes
    make_call_id: Any
    _fingerprint_cache: dict[str, frozenset[int]] = field(default_factory=dict)

    def prepare(self, call: Call) -> PreparedCall:
        """The request of a call; total."""
        problem, args, encoded, real_args = self._seal_arguments(call)
        principal = self._make_principal(clip_name(call.user), call.agents)
        session, turn = clip_name(call.session), clip_name(call.turn)
        subject = f"user:{principal.user}" if principal.user else f"session:{session}"
        digest = self.digester.digest("halo/args", encoded)
        call_id = clip_name(call.call_id) or self.make_call_id()
        name = canonical.dumps(
            [session, principal.agent, turn, call_id, call.resource.kind.value, call.resource.id, digest]
        )
        trigger_text = self.redactor.seal_text(_replace_unencodable(call.trigger_text)[:_MAX_KEPT_TEXT])
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
        recorded_args = {} if problem else dict(zip(args, real_args.values(), strict=True))
        return PreparedCall(
            request=request,
            args=real_args,
            recorded_args=recorded_args,
            observed_texts=self._observe_texts(call),
            content=content,
            subject=subject,
            acting_handle=call.acting_handle,
            hand_off=call.hand_off,
            on_link_made=call.on_link_made,
            withdrawn_question=call.withdrawn_question,
            tainted_fingerprints=self.tainted_fingerprints,
            user_request=self.redactor.seal_text(_replace_unencodable(call.request)[:_MAX_KEPT_TEXT])
            if call.request
            else "",
        )

    def tainted_fingerprints(self, values: Iterable[str]) -> frozenset[int]:
        """What is left of values that an action stores, to know them by when they come back."""
        return fingerprint_stored_values(self.sketch_key, values)

    def make_chunk(self, source: str, text: str, step: int, *, names_requested: bool) -> Chunk:
        """What a session's profile keeps of a result; about 0.4 ms for each KB of it."""
        return make_chunk(text, self.sketch_key, source=source, step=step, named_by_request=names_requested)

    def find_traces(self, text: str) -> Iterator[int]:
        """By what a text could be known as something that was stored."""
        return iter_text_fingerprints(self.sketch_key, text)

    def _seal_arguments(self, call: Call) -> tuple[str, Mapping[str, Any], bytes, Mapping[str, Any]]:
        """Problem, sealed arguments, their bytes, and the arguments to run with."""
        try:
            # INVARIANT: what was decided is what runs; the caller keeps no hold on the copy.
            real_args = _copy_arguments(call.args)
            sealed = self.redactor.seal(real_args)
            encoded = canonical.encode(sealed)
        except CanonicalError as exc:
            problem = "arguments_too_large" if exc.code in ("too_large", "too_deep") else "invalid_arguments"
        except RecursionError:
            problem = "arguments_too_large"
        except Exception:  # noqa: BLE001  INVARIANT: TOTAL - a container of the caller's that misbehaves
            problem = "invalid_arguments"
        else:
            problem = (
                "arguments_too_large" if len(encoded) > MAX_ARGUMENT_BYTES or _has_too_many_leaves(real_args) else ""
            )
            if not problem:
                return call.problem, sealed, encoded, real_args
        return call.problem or problem, {}, b"{}", call.args

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
                self.fingerprint_text(text),
                origin,
                is_vouched,
                len(text) > MAX_TEXT,
                partial(self.find_traces, text),
                text if origin is Provenance.USER else "",
            )
            for text, origin, is_vouched in labelled_texts
        )

    def fingerprint_text_once(self, text: str, *, without: Iterable[str] = ()) -> frozenset[int]:
        """Keyed fingerprints of a text, of those words of it that none of the texts `without` has.

        Of its words in other spellings too: what is read encoded or in groups may be used decoded, or as one.
        """
        spoken_words = (word for form in (text, *generate_spellings(text)) for word in extract_tokens(form))
        words = set(spoken_words).difference(*(extract_tokens(excluded_text) for excluded_text in without))
        return frozenset(fingerprint_tokens(self.sketch_key, words))

    def fingerprint_text(self, text: str) -> frozenset[int]:
        """As `prints_once`, remembered for the few texts that every call of a run repeats."""
        cached = self._fingerprint_cache.get(text)
        if cached is None:
            cached = self.fingerprint_text_once(text)
            if len(self._fingerprint_cache) >= 64:  # a handful of prompts
                self._fingerprint_cache.clear()
            self._fingerprint_cache[text] = cached
        return cached


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
        type(value) is int
        or type(value) is bool
        or value is None
        or (type(value) is str and len(value) <= MAX_ARGUMENT_BYTES)
    ):
        return value
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


def _has_too_many_leaves(args: Mapping[str, Any]) -> bool:
    return any(i >= MAX_LEAVES for i, _ in enumerate(extract_leaves(args)))


def _replace_unencodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def clip_name(text: str) -> str:
    """A session's, turn's or user's name as the store has it."""
    text = _replace_unencodable(text)
    # Two long names never become one.
    return text if len(text) <= _MAX_NAME else canonical.digest("halo/name", text.encode())
