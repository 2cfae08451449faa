"""Room: policy engine. Takes: a bundle; then a request and a snapshot. Gives: a `PolicyAnswer`. Never: raises, I/O.

Two kinds of policies, since among each other a graded `forbid` would hide a missing permit:

    hard     plain permits and forbids; nothing is allowed by default
    graded   forbids with an `@effect`: Cedar names every forbid whose condition holds, and the most severe effect wins;
             its own yes or no means nothing here

Cedar is asked of all of them at once. Its yes says that no forbid holds, its no names every forbid that does; only when
these are all graded is it asked of the hard ones alone, whether there is a permit. Questions that the policies cannot
tell apart (`policy.alike`) have equal answers, so the last answers are kept.

Cedar skips a policy that fails to evaluate, which would turn a failing forbid into a yes; here any error is a no.
No schema is passed to Cedar at run time: with one it would read plain strings and `{type, id}` records as entities.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import cedarpy
import orjson

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
from halo_core.policy.alike import Alike
from halo_core.policy.bundle import PolicyBundle
from halo_core.policy.context import build_context, entities, request_ids
from halo_core.policy.mentions import Mentions, literals, merged
from halo_core.policy.narrow import may_hold
from halo_core.policy.schema import ENTITY_TYPES, action_id
from halo_core.policy.scope import applies
from halo_core.policy.sealed import sealed_reasons

if TYPE_CHECKING:
    from halo_core.policy.parse import Policy

__all__ = ["CedarPolicy"]

_FAILED: Final = re.compile(r"error while evaluating policy `([^`]*)`: (.*)", re.DOTALL)
_NO_ATTRIBUTE: Final = re.compile(r"the attribute `([^`]*)`")
_KEPT: Final = 4096  # answers of one bundle
_KEPT_BYTES: Final = 4096  # of one key; longer ones do not come twice
_SCOPE_TYPES: Final = frozenset({"Action", *ENTITY_TYPES.values()})


_Said = tuple[bool, list[str], list[tuple[str, str]]]
"""Whether Cedar allows, the policies that decided, and (policy, error) for each failure."""
_Kept = dict[tuple[int, int, bytes], tuple[_Said, cedarpy.Entities]]
"""Set, entities and key of the context → what Cedar said; entities are kept, so that no others get their identity."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One compiled set, and what it reads."""

    policies: cedarpy.PolicySet
    reads: Mentions
    alike: Alike


@dataclass(frozen=True, slots=True)
class _Slice:
    """The policies whose scope can reach one action and resource, compiled, and what they read together."""

    whole: _Part | None
    hard: _Part | None
    reads: Mentions


class CedarPolicy:
    """A compiled bundle: `halo_core.model.PolicyView`. Safe to share between threads."""

    __slots__ = ("_hash", "_kept", "_named", "_policies", "_rules", "_slices", "_types")

    def __init__(self, bundle: PolicyBundle) -> None:
        """Compile.

        Raises:
            PolicyError: a policy does not parse, or lacks what it must have.
        """
        policies = bundle.policies()
        self._hash = bundle.hash
        self._rules = bundle.rules
        self._types = bundle.types
        self._kept: _Kept = {}
        self._policies = {policy.id: policy for policy in policies}
        self._named = frozenset(
            name for policy in policies for name in literals(policy.plain) if name[0] in _SCOPE_TYPES
        )
        self._slices: dict[tuple[str | None, str | None, ActionKind, Impact, Reversal], _Slice] = {}
        # Everything now, so that a set Cedar cannot hold fails at load and not at the first decision.
        _part(list(policies))

    @classmethod
    def compile(cls, bundle: PolicyBundle) -> CedarPolicy:
        """Compile, or return the compiled policy of an equal bundle (the last 64 are kept).

        Raises:
            PolicyError: see the constructor.
        """
        return _compiled(bundle.to_bytes())

    @classmethod
    def from_bytes(cls, data: bytes) -> CedarPolicy:
        """Compile what `PolicyBundle.to_bytes` gave, with the same memory as `compile`.

        Raises:
            PolicyError: see the constructor.
        """
        return _compiled(data)

    @property
    def hash(self) -> str:
        """`sha256:` over the bundle."""
        return self._hash

    @property
    def rules(self) -> str:
        """`sha256:` over the rules alone (`PolicyBundle.rules`)."""
        return self._rules

    @property
    def policies(self) -> tuple[Policy, ...]:
        """The policies, sorted by id."""
        return tuple(self._policies.values())

    def answer(self, request: AccessRequest, snapshot: Snapshot) -> PolicyAnswer:
        """Evaluate; pure and deterministic. Reasons and obligations are sorted.

        A denial (no permit, a hard forbid, any error) has effect `deny`; the reasons name the graded matches too.
        """
        # INVARIANT: FAILCLOSED. A panic of the engine is a BaseException, and it too must become a no.
        try:
            answer = self._answer(request, snapshot)
            sealed = sealed_reasons(request.args, self._slice(request).reads.args)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as exc:  # noqa: BLE001 - the answer to any failure is no
            return _failure([("", f"evaluation failed with `{type(exc).__name__}`")])
        if not sealed:
            return answer
        effect = max(answer.effect, Effect.CHALLENGE, key=lambda item: item.severity)
        return replace(answer, effect=effect, reasons=tuple(sorted((*answer.reasons, *sealed))))

    def _answer(self, request: AccessRequest, snapshot: Snapshot) -> PolicyAnswer:
        chosen = self._slice(request)
        types = self._types.get(request.resource.id, {})
        context, problems = build_context(request, snapshot, chosen.reads, types)
        if problems:
            return _failure([("", problem) for problem in problems])
        known = entities(request.subject, request.context.assurance, request.kind, request.resource)
        call = request_ids(request)
        permitted, forbids, errors = _evaluate(chosen.whole, call, context, known, self._kept)
        if errors:
            return _failure(errors)
        if permitted:
            return self._compose(permitted=True, hard=(), graded=())
        hard = [name for name in forbids if self._policies[name].grade is None]
        graded = [name for name in forbids if self._policies[name].grade is not None]
        if graded and not hard:
            permitted, _, errors = _evaluate(chosen.hard, call, context, known, self._kept)
            if errors:
                return _failure(errors)
        return self._compose(permitted=permitted, hard=hard, graded=graded)

    def _compose(self, *, permitted: bool, hard: Iterable[str], graded: Iterable[str]) -> PolicyAnswer:
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

    def _slice(self, request: AccessRequest) -> _Slice:
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
        found = self._slices.get(key)
        if found is None:
            facts = {"impact": resource.impact.value, "reversal": resource.reversal.value}
            found = self._slices[key] = self._compile_slice(action, resource.id, kind, facts)
        return found

    def _compile_slice(self, action: str, resource: str, kind: ActionKind, facts: Mapping[str, str]) -> _Slice:
        reached = [
            policy
            for policy in self._policies.values()
            if applies(policy, action, resource, kind) and may_hold(policy.plain, facts)
        ]
        return _Slice(
            whole=_part(reached),
            hard=_part([policy for policy in reached if policy.grade is None]),
            reads=merged(policy.reads for policy in reached),
        )


@lru_cache(maxsize=64)
def _compiled(data: bytes) -> CedarPolicy:
    return CedarPolicy(PolicyBundle.from_bytes(data))


def _part(policies: list[Policy]) -> _Part | None:
    if not policies:
        return None
    static = {policy.id: policy.plain for policy in policies}
    plain = {"staticPolicies": static, "templates": {}, "templateLinks": []}
    compiled = cedarpy.PolicySet.from_json_str(json.dumps(plain))
    return _Part(compiled, merged(policy.reads for policy in policies), Alike(static.values()))


def _evaluate(
    part: _Part | None, ids: dict[str, Any], context: Mapping[str, Any], known: cedarpy.Entities, kept: _Kept
) -> _Said:
    if part is None:
        return False, [], []
    # INVARIANT: a set sees every attribute that it mentions; Cedar's cost lies in reading the context.
    seen = {name: value for name, value in context.items() if part.reads.reads(name)}
    # INVARIANT: REPLAY - Cedar is a function of policies, entities (the ids follow from them) and context, and cannot
    # tell contexts of one key apart; so what is kept changes no answer.
    told = part.alike.key(seen)
    key = id(part), id(known), told
    found = kept.get(key)
    if found is None:
        found = _ask(part, {**ids, "context": orjson.dumps(seen).decode()}, known), known
        if len(told) <= _KEPT_BYTES:
            if len(kept) >= _KEPT:
                kept.clear()
            kept[key] = found
    return found[0]


def _ask(part: _Part, call: dict[str, Any], known: cedarpy.Entities) -> _Said:
    result = cedarpy.is_authorized_batch([call], part.policies, known)[0]
    errors = [_explain(text) for text in result.diagnostics.errors]
    if result.decision is cedarpy.Decision.NoDecision and not errors:
        errors = [("", "no decision")]
    return result.allowed, list(result.diagnostics.reasons), errors


def _explain(text: str) -> tuple[str, str]:
    """Policy and kind of an error. Cedar's own text may quote argument values, so only known words of it are kept."""
    match = _FAILED.fullmatch(text)
    if match is None:
        return "", "the request cannot be read by the policy engine"
    policy, detail = match.groups()
    if attribute := _NO_ATTRIBUTE.search(detail):
        return policy, f"reads `{attribute[1]}`, which is not there"
    for words in ("type error", "integer overflow", "extension function"):
        if words in detail:
            return policy, words
    return policy, "evaluation failed"


def _failure(errors: Iterable[tuple[str, str]]) -> PolicyAnswer:
    found = sorted(set(errors))
    return PolicyAnswer(
        permitted=False,
        effect=Effect.DENY,
        reasons=tuple(sorted(Reason("policy_error", policy, detail) for policy, detail in found)),
        obligations=(),
        errors=tuple(f"{policy}: {detail}" if policy else detail for policy, detail in found),
    )
