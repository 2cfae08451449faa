"""The policy engine: compiles a bundle, and answers requests by asking Cedar. An answer never raises.

There are two kinds of policies, because a graded `forbid` among the hard ones would hide a missing permit:

    hard     plain permits and forbids; nothing is allowed by default
    graded   forbids with an `@effect`: Cedar names every forbid whose condition holds, and the most severe effect wins;
             Cedar's own yes or no is ignored

Cedar is asked about all of them at once. Its yes says that no forbid holds; its no names every forbid that does. Only
if all of these are graded is it asked about the hard ones alone, to find out whether there is a permit. Questions that
the policies cannot tell apart (`policy.context_keys`) have equal answers, so the last answers are cached.

Cedar skips a policy that fails to evaluate, which would turn a failing forbid into a yes; here any error is a no. No
schema is passed to Cedar at run time, because with one it would read plain strings and `{type, id}` records as
entities.

What looks like a secret is sealed before anything is decided (`halo_core.content.redaction`), while the tool gets the
real text. A rule on such an argument has not seen what runs, and a made-up secret could hide the argument from it, so a
person is asked (`find_sealed_arguments`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import orjson

from halo_core.content.redaction import SEAL_PREFIX
from halo_core.model import (
    AccessRequest,
    ActionKind,
    Effect,
    Impact,
    Obligation,
    PolicyAnswer,
    Reason,
    Reversal,
    Snapshot,
)
from halo_core.policy.attribute_refs import ALL, AttributeRefs, find_entity_literals, merge_refs
from halo_core.policy.bundle import PolicyBundle
from halo_core.policy.cedar_context import (
    ATTRIBUTE_READERS,
    BEHAVIOUR_ATTRIBUTES,
    build_context,
    build_entities,
    build_request_ids,
)
from halo_core.policy.context_keys import ContextKeyBuilder
from halo_core.policy.encoding import escape_key
from halo_core.policy.prepared_question import PreparedQuestion, reads_principal
from halo_core.policy.schema import ENTITY_TYPES, action_id
from halo_core.policy.scopes import applies, may_hold
from halo_core.quick_dataclass import dataclass

if TYPE_CHECKING:
    import cedarpy

    from halo_core.policy.parsing import Policy
    from halo_core.policy.schema import ArgTypes

_CEDAR_ERROR: Final = re.compile(r"error while evaluating policy `([^`]*)`: (.*)", re.DOTALL)
_NO_ATTRIBUTE: Final = re.compile(r"the attribute `([^`]*)`")
_MAX_ANSWERS: Final = 4096  # answers of one bundle
_MAX_QUESTIONS: Final = 1024  # of one bundle
_MAX_KEY_BYTES: Final = 4096  # of one key; longer ones do not come twice
_SCOPE_TYPES: Final = frozenset({"Action", *ENTITY_TYPES.values()})


_READS_BEHAVIOUR: Final = frozenset({*BEHAVIOUR_ATTRIBUTES, ALL})

_CedarAnswer = tuple[bool, list[str], list[tuple[str, str]]]
"""Whether Cedar allows, the policies that decided, and (policy, error) for each failure."""
_AnswerCache = dict[tuple[int, int, bytes], tuple[_CedarAnswer, "cedarpy.Entities"]]
"""Set, entities and key of the context → what Cedar said; entities are kept, so that no others get their identity."""


@dataclass(frozen=True, slots=True)
class _CompiledSet:
    """One compiled set and the attributes it reads; `sees_all` if nothing else reads its context."""

    policies: cedarpy.PolicySet
    refs: AttributeRefs
    key_builder: ContextKeyBuilder
    sees_all: bool


@dataclass(frozen=True, slots=True)
class _PolicySlice:
    """The compiled policies whose scope can reach one action and resource, and the attributes they read."""

    policies: list[Policy]
    all_policies: _CompiledSet | None
    hard: _CompiledSet | None
    refs: AttributeRefs
    reads_principal: bool


class _PolicySlices:
    """The policies of some texts by id, and their slices, each compiled when it is first selected. Thread-safe."""

    __slots__ = ("_compiled", "_named", "policies")

    def __init__(self, policies: Iterable[Policy]) -> None:
        self.policies = {policy.id: policy for policy in policies}
        self._named = frozenset(
            name
            for policy in self.policies.values()
            for name in find_entity_literals(policy.cedar_json)
            if name[0] in _SCOPE_TYPES
        )
        self._compiled: dict[tuple[str | None, str | None, ActionKind, Impact, Reversal], _PolicySlice] = {}
        # Everything now, so that a set Cedar cannot hold fails at load and not at the first decision.
        _compile_set(list(self.policies.values()))

    def __len__(self) -> int:
        return len(self._compiled)

    def select(self, request: AccessRequest) -> _PolicySlice:
        # What no policy names shares one slice, so the cache is bounded by the policies, not by what agents ask for.
        resource, kind = request.resource, request.kind
        action = action_id(resource.id)
        key = (
            action if ("Action", action) in self._named else None,
            resource.id if (ENTITY_TYPES[kind], resource.id) in self._named else None,
            kind,
            resource.impact,
            resource.reversal,
        )
        policy_slice = self._compiled.get(key)
        if policy_slice is None:
            facts = {"impact": resource.impact.value, "reversal": resource.reversal.value}
            policy_slice = self._compiled[key] = self._compile(action, resource.id, kind, facts)
        return policy_slice

    def _compile(self, action: str, resource: str, kind: ActionKind, facts: Mapping[str, str]) -> _PolicySlice:
        applicable = [
            policy
            for policy in self.policies.values()
            if applies(policy, action, resource, kind) and may_hold(policy.cedar_json, facts)
        ]
        return _PolicySlice(
            policies=applicable,
            reads_principal=reads_principal(applicable),
            all_policies=_compile_set(applicable, sees_all=True),
            hard=_compile_set([policy for policy in applicable if policy.grade is None]),
            refs=merge_refs(policy.refs for policy in applicable),
        )


@lru_cache(maxsize=16)
def _compile_rules(sources: tuple[tuple[str, str], ...]) -> _PolicySlices:
    """The slices of (file name, Cedar text), shared by bundles that differ only in registered tools' types.

    Raises:
        PolicyError: see `CedarPolicy`.
    """
    return _PolicySlices(PolicyBundle(dict(sources)).parse())


class CedarPolicy:
    """A compiled bundle (`halo_core.model.PolicyView`), with its `hash` and that of its `rules`. Thread-safe."""

    __slots__ = ("_kept", "_policies", "_questions", "_slices", "_types", "hash", "rules")

    def __init__(self, bundle: PolicyBundle) -> None:
        """Compile.

        Raises:
            PolicyError: a policy does not parse, or lacks what it must have.
        """
        self._slices = _compile_rules(tuple(sorted(bundle.sources.items())))
        self._policies = self._slices.policies
        self.hash = bundle.hash
        self.rules = bundle.rules
        self._types = bundle.types
        self._kept: _AnswerCache = {}
        self._questions: dict[tuple[Any, ...], PreparedQuestion] = {}

    @classmethod
    def compile(cls, bundle: PolicyBundle) -> CedarPolicy:
        """Like `from_bytes`, for a bundle."""
        return cls.from_bytes(bundle.to_bytes())

    @classmethod
    @lru_cache(maxsize=64)
    def from_bytes(cls, data: bytes) -> CedarPolicy:
        """Compile the bytes of `PolicyBundle.to_bytes`, or return the compiled policy of equal bytes.

        Raises:
            PolicyError: see the constructor.
        """
        return cls(PolicyBundle.from_bytes(data))

    @property
    def policies(self) -> tuple[Policy, ...]:
        """The policies, sorted by id."""
        return tuple(self._policies.values())

    @property
    def types(self) -> ArgTypes:
        """Argument types of the resources registered when the bundle was made."""
        return self._types

    def prepare_question(self, request: AccessRequest) -> PreparedQuestion:
        """The question about a request's resource, with the answers given so far.

        It is the same for all who ask, unless the policies read who asks.

        Raises:
            PolicyError: the policies of this resource do not compile.
        """
        chosen, resource = self._slices.select(request), request.resource
        asker = (request.subject, request.context.assurance) if chosen.reads_principal else ()
        key = (resource, request.kind, *asker)
        question = self._questions.get(key)
        if question is None:
            types = self._types.get(resource.id, {})
            question = PreparedQuestion(
                self,
                policies=chosen.policies,
                refs=chosen.refs,
                types=types,
                request=request,
                readers=ATTRIBUTE_READERS,
            )
            if len(self._questions) >= _MAX_QUESTIONS:
                self._questions.clear()
            self._questions[key] = question
        return question

    def answer(self, request: AccessRequest, snapshot: Snapshot) -> PolicyAnswer:
        """Evaluate; pure and deterministic. Reasons and obligations are sorted.

        A denial (no permit, a hard forbid, any error) has effect `deny`; the reasons name the graded matches too.
        """
        # INVARIANT: FAILCLOSED. A panic of the engine is a BaseException, and it too must become a no.
        try:
            chosen = self._slices.select(request)
            answer = self._evaluate_request(request, snapshot, chosen)
            if snapshot.behaviour.problem and not chosen.refs.context.isdisjoint(_READS_BEHAVIOUR):
                answer = _ask_for_profile(answer, snapshot.behaviour.problem)
            sealed = find_sealed_arguments(request.args, chosen.refs.args)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as exc:  # noqa: BLE001 - the answer to any failure is no
            return _make_failure([("", f"evaluation failed with `{type(exc).__name__}`")])
        if not sealed:
            return answer
        effect = max(answer.effect, Effect.CHALLENGE, key=lambda item: item.severity)
        return replace(answer, effect=effect, reasons=tuple(sorted((*answer.reasons, *sealed))))

    def _evaluate_request(self, request: AccessRequest, snapshot: Snapshot, chosen: _PolicySlice) -> PolicyAnswer:
        types = self._types.get(request.resource.id, {})
        context, problems = build_context(request, snapshot, chosen.refs, types)
        if problems:
            return _make_failure([("", problem) for problem in problems])
        cedar_entities = build_entities(request.subject, request.context.assurance, request.kind, request.resource)
        call = build_request_ids(request)
        permitted, forbids, errors = _evaluate(chosen.all_policies, call, context, cedar_entities, self._kept)
        if errors:
            return _make_failure(errors)
        if permitted:
            return self._compose_answer(permitted=True, hard=(), graded=())
        hard = [name for name in forbids if self._policies[name].grade is None]
        graded = [name for name in forbids if self._policies[name].grade is not None]
        if graded and not hard:
            permitted, _, errors = _evaluate(chosen.hard, call, context, cedar_entities, self._kept)
            if errors:
                return _make_failure(errors)
        return self._compose_answer(permitted=permitted, hard=hard, graded=graded)

    def _compose_answer(self, *, permitted: bool, hard: Iterable[str], graded: Iterable[str]) -> PolicyAnswer:
        reasons: list[Reason] = []
        obligations: set[Obligation] = set()
        effect = Effect.ALLOW
        if not permitted:
            effect = Effect.DENY
            forbids = [self._policies[name] for name in hard]
            reasons += [Reason(policy.reason or "policy_denied", policy.id) for policy in forbids]
            reasons = reasons or [Reason("policy_no_permit")]
        for policy in (self._policies[name] for name in graded):
            grade = policy.grade or Effect.DENY
            effect = max(effect, grade, key=lambda item: item.severity)
            reasons.append(Reason(policy.reason or f"policy_{grade.value}", policy.id, effect=grade.value))
            if policy.obligation is not None:
                obligations.add(policy.obligation)
        return PolicyAnswer(permitted, effect, tuple(sorted(reasons)), tuple(sorted(obligations)))


def _compile_set(policies: list[Policy], *, sees_all: bool = False) -> _CompiledSet | None:
    if not policies:
        return None
    import cedarpy  # noqa: PLC0415  as in `halo_core.policy.parsing`

    static = {policy.id: policy.cedar_json for policy in policies}
    set_json = {"staticPolicies": static, "templates": {}, "templateLinks": []}
    compiled = cedarpy.PolicySet.from_json_str(json.dumps(set_json))
    refs = merge_refs(policy.refs for policy in policies)
    return _CompiledSet(compiled, refs, ContextKeyBuilder(static.values()), sees_all)


def _evaluate(
    part: _CompiledSet | None,
    ids: dict[str, Any],
    context: Mapping[str, Any],
    cedar_entities: cedarpy.Entities,
    cache: _AnswerCache,
) -> _CedarAnswer:
    if part is None:
        return False, [], []
    # INVARIANT: a set sees every attribute that it mentions; Cedar's cost lies in reading the context.
    visible = (
        context if part.sees_all else {name: value for name, value in context.items() if part.refs.references(name)}
    )
    # INVARIANT: REPLAY - Cedar is a function of policies, entities (the ids follow from them) and context, and cannot
    # tell contexts of one key apart; so what is kept changes no answer.
    context_key = part.key_builder.build_key(visible)
    key = id(part), id(cedar_entities), context_key
    cached = cache.get(key)
    if cached is None:
        cached = _ask_cedar(part, {**ids, "context": orjson.dumps(visible).decode()}, cedar_entities), cedar_entities
        if len(context_key) <= _MAX_KEY_BYTES:
            if len(cache) >= _MAX_ANSWERS:
                cache.clear()
            cache[key] = cached
    return cached[0]


def _ask_cedar(part: _CompiledSet, call: dict[str, Any], cedar_entities: cedarpy.Entities) -> _CedarAnswer:
    import cedarpy  # noqa: PLC0415  as in `halo_core.policy.parsing`

    result = cedarpy.is_authorized_batch([call], part.policies, cedar_entities)[0]
    errors = [_explain_error(text) for text in result.diagnostics.errors]
    if result.decision is cedarpy.Decision.NoDecision and not errors:
        errors = [("", "no decision")]
    return result.allowed, list(result.diagnostics.reasons), errors


def _explain_error(text: str) -> tuple[str, str]:
    """Policy and kind of an error. Cedar's text may quote argument values, so only its known words are kept."""
    match = _CEDAR_ERROR.fullmatch(text)
    if match is None:
        return "", "the request cannot be read by the policy engine"
    policy, detail = match.groups()
    if attribute := _NO_ATTRIBUTE.search(detail):
        return policy, f"reads `{attribute[1]}`, which is not there"
    for words in ("type error", "integer overflow", "extension function"):
        if words in detail:
            return policy, words
    return policy, "evaluation failed"


def _make_failure(errors: Iterable[tuple[str, str]]) -> PolicyAnswer:
    problems = sorted(set(errors))
    return PolicyAnswer(
        permitted=False,
        effect=Effect.DENY,
        reasons=tuple(sorted(Reason("policy_error", policy, detail) for policy, detail in problems)),
        obligations=(),
        errors=tuple(f"{policy}: {detail}" if policy else detail for policy, detail in problems),
    )


def _ask_for_profile(answer: PolicyAnswer, problem: str) -> PolicyAnswer:
    """The answer if rules read the agent's behaviour and nothing is known about it.

    INVARIANT: FAILCLOSED - a person is asked; what is not known is not taken for ordinary.
    """
    reason = Reason(problem, "policy", effect=Effect.CHALLENGE.value)
    effect = max(answer.effect, Effect.CHALLENGE, key=lambda item: item.severity)
    return replace(answer, effect=effect, reasons=tuple(sorted((*answer.reasons, reason))))


def find_sealed_arguments(args: Mapping[str, Any], read: frozenset[str]) -> tuple[Reason, ...]:
    """A challenge for each argument that the policies read and that is partly sealed."""
    if not read:
        return ()
    return tuple(
        Reason("sealed_argument", "policy", name[:64], Effect.CHALLENGE.value)
        for name, value in sorted(args.items())
        if (ALL in read or escape_key(name) in read) and _is_sealed(value)
    )


def _is_sealed(value: Any) -> bool:
    if isinstance(value, str):
        return SEAL_PREFIX in value
    if isinstance(value, Mapping):
        return any(_is_sealed(key) or _is_sealed(item) for key, item in value.items())
    return isinstance(value, list | tuple) and any(map(_is_sealed, value))
