"""Makes a request of a call: seals secrets, computes digests and the request id.

Arguments without a canonical form do not raise: they become a request with a problem, which is denied and recorded like
any other (INVARIANT: TOTAL).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field, replace
from functools import partial
from itertools import chain, count
from typing import Any, Final, NamedTuple

from halo_core.content.redaction import SEAL_PREFIX, Redactor
from halo_core.crypto import canonical
from halo_core.crypto.keys import Digester
from halo_core.enforcement.call import MAX_KEPT_CHARS, Call
from halo_core.enforcement.decision_context import AnswerTerms, DecisionContext, ObservedText
from halo_core.enforcement.marked_history import HistoryMarker
from halo_core.enforcement.model_inputs import ModelRecorder, RecordedInput
from halo_core.enforcement.plain_arguments import parse_plain_arguments
from halo_core.enforcement.text_cache import TextCache
from halo_core.errors import CanonicalError
from halo_core.model import (
    Mode,
    Origin,
    Principal,
    Provenance,
    compute_request_id,
)
from halo_core.quick_dataclass import dataclass
from halo_core.references import MAX_NAME, References, clip_name
from halo_core.risk.profile import Chunk, make_chunk
from halo_core.values.facts.listed_orders import make_orders_mark
from halo_core.values.provenance.conversation import ConversationDigest, MarkedItem
from halo_core.values.provenance.leaves import MAX_LEAVES, Leaf, parse_leaves
from halo_core.values.provenance.observed_text import fingerprint_text, fingerprint_whole_text
from halo_core.values.sketches.sketch import MAX_TEXT, iter_text_fingerprints

MAX_ARGUMENT_BYTES: Final = 262_144  # bytes of canonical arguments
_MUCH_CHARS: Final = 1_000
"""Characters of texts that were not read yet, up to which `prepare` may run on an event loop."""
_TRACE_ID: Final = re.compile(r"(?!0{32})[0-9a-f]{32}")  # W3C Trace Context, section 3.2.2.3
_MAX_PRINCIPALS: Final = 1024
SEAL_PREFIX_BYTES: Final = SEAL_PREFIX.encode()


class _PreparedArguments(NamedTuple):
    """The arguments of a call and the text of its trigger, prepared for a decision.

    Args:
        problem: reason code if they cannot be decided on; empty for none.
        encoded: canonical form of `sealed`.
        sealed: the arguments with keyed digests in place of secrets, which may be names or values.
        real: the arguments to run with; a copy that the caller cannot change.
        recorded: the values of `real` under the names of `sealed`; empty with a problem.
        leaves: leaves of `recorded`; none with a problem.
        trigger_text: text of the message that led to the call, with digests in place of secrets.
    """

    problem: str
    encoded: bytes
    sealed: Mapping[str, Any]
    real: Mapping[str, Any]
    recorded: Mapping[str, Any]
    leaves: tuple[Leaf, ...]
    trigger_text: str


_make_prepared: Final = partial(tuple.__new__, _PreparedArguments)
"""Make prepared arguments of their members. Faster than the constructor of a named tuple, a Python function."""


@dataclass(frozen=True, slots=True)
class Preparer:
    """Turns calls into requests: seals secrets, computes digests and the request id.

    Args:
        principal: the agent, with the user of the application.
        origin: process in which the calls are made.
        assurance: `dev`, the only one so far: keys were generated on the machine that decides.
        digester: keyed digests.
        references: makes the keyed references that stand in place of names of sessions and people.
        redactor: finds and seals secrets.
        sketch_key: key of the session sketches.
        make_call_id: makes an id for a call to which the framework gave none.
        find_terms: agent → how answers to its questions are kept.
        models: records what a model is given.
    """

    principal: Principal
    origin: Origin
    assurance: str
    digester: Digester
    references: References
    redactor: Redactor
    sketch_key: bytes
    make_call_id: Callable[[], str]
    find_terms: Callable[[str], AnswerTerms] = AnswerTerms
    models: ModelRecorder = field(init=False)
    _fingerprint_cache: TextCache[tuple[str, Provenance], frozenset[int]] = field(default_factory=TextCache)
    _request_cache: TextCache[str, str] = field(default_factory=TextCache)
    _observed_requests: TextCache[str, tuple[ObservedText, ...]] = field(default_factory=TextCache)
    _principals: dict[tuple[str, tuple[str, ...]], Principal] = field(default_factory=dict)
    _conversations: dict[str, ConversationDigest] = field(default_factory=dict)
    _marker: HistoryMarker = field(default_factory=HistoryMarker)

    def __post_init__(self) -> None:
        object.__setattr__(self, "models", ModelRecorder(self.references, self.redactor))

    def must_read_much(self, call: Call) -> bool:
        """Whether `prepare` has so much new text to read that it should not run on an event loop.

        Reading takes about 5 ms for each 1,000 characters.
        """
        if len(call.request) <= _MUCH_CHARS and not call.shown_texts and not call.earlier_requests:
            return False
        requests = (*call.earlier_requests, call.request)
        unread = sum(len(text) for text in requests if text not in self._observed_requests)
        unread += sum(len(text) for text, origin in call.shown_texts if not self._was_read(text, origin))
        return unread > _MUCH_CHARS

    def _was_read(self, text: str, origin: Provenance) -> bool:
        cache = self._fingerprint_cache
        return (text, origin) in cache or (text, Provenance.UNTRUSTED) in cache

    def prepare(self, call: Call, mode_option: Mode | None = None) -> DecisionContext:
        """The context of a call, with its request; never raises."""
        arguments = self._prepare_arguments(call)
        principal = self._find_principal(call)
        session, turn = self.references.of_session(call.session), self.references.of_turn(call.turn)
        # A held act was stored with the reference of its call id. Its release must be the same request.
        call_id = (call.call_id if call.held_id else self.references.of_call(call.call_id)) or self.make_call_id()
        args_digest = self.digester.digest("halo/args", arguments.encoded)
        kind, resource = str.__str__(call.resource.kind), call.resource.id
        request_id = compute_request_id(
            session, principal.agent, turn, call_id, kind=kind, resource=resource, args_digest=args_digest
        )
        said = "\n\n".join((*call.earlier_requests, call.request)) if call.earlier_requests else call.request
        user_request = said and (self._request_cache.get(said) or self._seal_request(said))
        recorded = self.models.describe(call.model, session, call.trigger_text)
        conversation, history = self._mark_history(call, principal.user)
        content = _collect_content(call, principal, arguments, recorded)
        trigger = content.get("trigger")
        return DecisionContext(
            call=call,
            principal=principal,
            session=session,
            turn=turn,
            call_id=call_id,
            trigger_digest=self.digester.digest("halo/text", trigger) if trigger else "",
            sealed_args=arguments.sealed,
            args_digest=args_digest,
            request_id=request_id,
            problem=arguments.problem,
            origin=self.origin,
            assurance=self.assurance,
            may_hold_seal=SEAL_PREFIX_BYTES in arguments.encoded,
            original_args=arguments.real,
            recorded_args=arguments.recorded,
            leaves=arguments.leaves,
            observed_texts=self._observe_texts(call) if call.request or call.shown_texts or call.orders else (),
            subject=principal.reference or session,
            content=content,
            user_request=user_request,
            sealed_orders=self._seal_orders(call) if call.orders is not None else (),
            trace_id=call.trace_id if call.trace_id and _TRACE_ID.fullmatch(call.trace_id) else "",
            model=recorded.model,
            parts=recorded.parts,
            new_messages=recorded.new_messages,
            mode_option=mode_option,
            history=history,
            conversation=conversation,
            fingerprint_text=self.fingerprint_text,
            terms=self.find_terms(principal.agent),
        )

    def _prepare_arguments(self, call: Call) -> _PreparedArguments:
        """Parse and seal a call's arguments and the text of its trigger."""
        trigger_text = call.trigger_text[:MAX_KEPT_CHARS]
        if not trigger_text.isascii():
            trigger_text = _replace_unencodable(trigger_text)
        plain = parse_plain_arguments(call.args, self.redactor, trigger_text)
        if plain is not None and len(plain.encoded) <= MAX_ARGUMENT_BYTES:  # no secret in them: nothing to seal
            args, recorded_args = plain.args, {} if call.problem else plain.args
            leaves = () if call.problem else plain.leaves
            return _make_prepared((call.problem, plain.encoded, args, args, recorded_args, leaves, trigger_text))
        problem, sealed_args, encoded, real_args, leaves = self._seal_arguments(call)
        recorded_args = {} if problem else dict(zip(sealed_args, real_args.values(), strict=True))
        leaves = () if problem else leaves
        trigger_text = self.redactor.seal_text(trigger_text)
        return _make_prepared((problem, encoded, sealed_args, real_args, recorded_args, leaves, trigger_text))

    def _find_principal(self, call: Call) -> Principal:
        """Who asks: the agent that acts, with the person it acts for."""
        user = call.user
        if not user.isascii() or len(user) > MAX_NAME:
            user = clip_name(user)
        return self._principals.get((user, call.agents)) or self._make_principal(user, call.agents)

    def _mark_history(self, call: Call, user: str) -> tuple[ConversationDigest, tuple[MarkedItem, ...]]:
        """The digest of a call's conversation, and its items with the marks under which they may be known."""
        conversation = self._conversations.get(user) or self._begin_conversation(user)
        if not call.history:
            return conversation, ()
        conversation, history = self._marker.mark(conversation, call.history)
        return conversation, tuple(history)

    def _begin_conversation(self, user: str) -> ConversationDigest:
        """The digest of an empty conversation; the same object for the same user."""
        digest = ConversationDigest(self.sketch_key, user=f"{self.principal.tenant}\0{user}")
        if len(self._conversations) >= _MAX_PRINCIPALS:
            self._conversations.clear()
        self._conversations[user] = digest
        return digest

    def _seal_request(self, text: str) -> str:
        """The user's request as stored, with secrets sealed; cached, since every call of a run repeats it."""
        sealed = self._request_cache.get(text)
        if sealed is None:
            sealed = self.redactor.seal_text(_replace_unencodable(text)[:MAX_KEPT_CHARS])
            self._request_cache.keep(text, text, sealed)
        return sealed

    def _seal_orders(self, call: Call) -> tuple[Any, ...]:
        """The listed orders for the record, with secrets sealed: of another tool than the call's, only the tool."""
        listed = call.orders.orders if call.orders is not None else ()
        return tuple(
            self.redactor.seal({"args": dict(order.args), "tool": order.tool})
            if order.tool == call.resource.id
            else {"tool": order.tool}
            for order in listed
        )

    def make_chunk(self, source: str, text: str, step: int, *, names_requested: bool) -> Chunk:
        """The part of a result that a session's profile keeps; takes about 0.4 ms for each KB."""
        return make_chunk(text, self.sketch_key, source=source, step=step, named_by_request=names_requested)

    def iter_taint_fingerprints(self, text: str) -> Iterator[int]:
        """Fingerprints by which the taint index recognises parts of a text that an exposed session stored."""
        return iter_text_fingerprints(self.sketch_key, text)

    def _seal_arguments(self, call: Call) -> tuple[str, Mapping[str, Any], bytes, Mapping[str, Any], tuple[Leaf, ...]]:
        """Seal arguments: a problem, the sealed ones, their bytes, those to run with, and the leaves of these."""
        try:
            # INVARIANT: what was decided is what runs; the caller keeps no hold on the copy.
            real_args = _copy_arguments(call.args)
            leaves = _check_leaf_count(parse_leaves(real_args))  # before each leaf is searched for secrets
            texts_searched = self.redactor.holds_no_secret([*real_args, *(leaf.text for leaf in leaves)])
            sealed = self.redactor.seal(real_args, texts_searched=texts_searched)
            if not texts_searched:  # a name can be a secret too
                leaves = parse_leaves(dict(zip(sealed, real_args.values(), strict=True)))
            encoded = canonical.encode(sealed)
        except CanonicalError as exc:
            problem = "arguments_too_large" if exc.code in ("too_large", "too_deep") else "invalid_arguments"
        except RecursionError:
            problem = "arguments_too_large"
        except Exception:  # noqa: BLE001  INVARIANT: TOTAL - a container of the caller may raise anything
            problem = "invalid_arguments"
        else:
            problem = "arguments_too_large" if len(encoded) > MAX_ARGUMENT_BYTES else ""
            if not problem:
                return call.problem, sealed, encoded, real_args, leaves
        return call.problem or problem, {}, b"{}", call.args, ()

    def _make_principal(self, user: str, agents: tuple[str, ...]) -> Principal:
        """The principal of these names; the same object each time, since plans and caches use it as a key."""
        principal = base = self.principal
        if agents or (user and user != base.user):
            name = user or base.user
            agent = agents[-1] if agents else base.agent
            chain = (*((name,) if name else ()), base.agent, *agents)
            reference = self.references.of_person(name)
            principal = Principal(base.tenant, agent, name, base.user_assurance, chain, reference)
        if len(self._principals) >= _MAX_PRINCIPALS:
            self._principals.clear()
        self._principals[user, agents] = principal
        return principal

    def _observe_texts(self, call: Call) -> tuple[ObservedText, ...]:
        """The texts that a call shows to its session: the user's request first, then those that came with it."""
        if call.orders is not None:
            mark = make_orders_mark(self.sketch_key)
            listed = ObservedText(frozenset((mark,)), Provenance.USER, is_vouched=True, text_mark=mark)
            return (listed, *self._observe_texts(replace(call, orders=None)))
        if not call.shown_texts and not call.earlier_requests:
            return self._observed_requests.get(call.request) or self._observe_request(call.request)
        # INVARIANT: VOUCH - where the host passes the user's request, no other text counts as the user's.
        # A message that is the request word for word adds nothing to it.
        origins = {Provenance.USER: Provenance.NOVEL} if call.request else {}
        requests = {text.strip() for text in (*call.earlier_requests, call.request)}
        shown_texts = [
            (text, origins.get(origin, origin))
            for text, origin in call.shown_texts
            if text and not (origin is Provenance.USER and text.strip() in requests)
        ]
        # Texts of unknown origin (`novel`) come last: they count as untrusted once another text is untrusted.
        shown_texts.sort(key=lambda item: item[1] is Provenance.NOVEL)
        observed = [self._observe_text(text, origin) for text, origin in shown_texts]
        earlier = chain.from_iterable(map(self._observe_request, call.earlier_requests))
        return (*earlier, *self._observe_request(call.request), *observed)

    def _observe_request(self, text: str) -> tuple[ObservedText, ...]:
        """The user's request, if there is one; cached, since every call of a run repeats it."""
        observed = self._observed_requests.get(text)
        if observed is None:
            observed = (self._observe_text(text, Provenance.USER, is_vouched=True),) if text else ()
            self._observed_requests.keep(text, text, observed)
        return observed

    def _observe_text(self, text: str, origin: Provenance, *, is_vouched: bool = False) -> ObservedText:
        # A text of unknown origin counts as untrusted once the session is exposed, so it is fingerprinted as one.
        fingerprints = self.fingerprint_text(text, Provenance.UNTRUSTED if origin is Provenance.NOVEL else origin)
        is_user = origin is Provenance.USER
        return ObservedText(
            fingerprints,
            origin,
            is_vouched,
            len(text) > MAX_TEXT,
            partial(self.iter_taint_fingerprints, text),
            text,
            fingerprint_whole_text(self.sketch_key, text, is_vouched=is_vouched) if is_user else 0,
        )

    def fingerprint_text(self, text: str, origin: Provenance) -> frozenset[int]:
        """Keyed fingerprints of a text as a session keeps them; cached, since calls of a run repeat texts."""
        cached = self._fingerprint_cache.get((text, origin))
        if cached is None:
            cached = fingerprint_text(
                self.sketch_key,
                text,
                find_hidden=origin is Provenance.UNTRUSTED,
                vouching=origin is Provenance.USER,
            )
            self._fingerprint_cache.keep((text, origin), text, cached)
        return cached


def _check_leaf_count(leaves: tuple[Leaf, ...]) -> tuple[Leaf, ...]:
    """The same leaves; raises `CanonicalError` if there are more than `MAX_LEAVES`."""
    if len(leaves) > MAX_LEAVES:
        raise CanonicalError("too_large", f"more than {MAX_LEAVES} leaves")
    return leaves


def _copy_arguments(args: object) -> Mapping[str, Any]:
    """A copy of a call's arguments, with containers of its own.

    Raises:
        CanonicalError: they are no mapping, or too large.
    """
    if not isinstance(args, Mapping):
        raise CanonicalError("not_canonical", "arguments must be a mapping")
    copy: Mapping[str, Any] = _copy_value(args, count())
    return copy


def _copy_value(value: Any, nodes: Iterator[int]) -> Any:
    """Copy the containers of a value; leaves are immutable, or refused later because they have no canonical form."""
    if next(nodes) > canonical.MAX_NODES:
        raise CanonicalError("too_large", f"more than {canonical.MAX_NODES} values")
    if (
        (type(value) is int and value.bit_length() <= canonical.MAX_INTEGER_BITS)
        or type(value) is bool
        or value is None
        or (type(value) is str and len(value) <= MAX_ARGUMENT_BYTES)
    ):
        return value
    # These are refused before anything converts or searches them, which takes long.
    if isinstance(value, int) and value.bit_length() > canonical.MAX_INTEGER_BITS:
        raise CanonicalError("too_large", "an integer of too many digits")
    if isinstance(value, str | bytes) and len(value) > MAX_ARGUMENT_BYTES:
        raise CanonicalError("too_large", f"a text of more than {MAX_ARGUMENT_BYTES} characters")
    if isinstance(value, Mapping):
        if len(value) > MAX_LEAVES:
            raise CanonicalError("too_large", f"more than {MAX_LEAVES} members")
        return {key: _copy_value(item, nodes) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy_value(item, nodes) for item in value]
    return tuple(_copy_value(item, nodes) for item in value) if type(value) is tuple else value


def _collect_content(
    call: Call, principal: Principal, arguments: _PreparedArguments, recorded: RecordedInput
) -> dict[str, bytes]:
    """The sealed fields of a decision, by name."""
    content = {"args": arguments.encoded}
    if principal.user:
        content["user"] = principal.user.encode()
    if call.network:
        content["network"] = clip_name(call.network).encode()
    if recorded.sealed:
        content["messages"] = recorded.sealed
    if arguments.trigger_text:
        content["trigger"] = arguments.trigger_text.encode()
    return content


def _replace_unencodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
