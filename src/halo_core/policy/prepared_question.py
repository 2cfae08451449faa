"""A prepared question to a policy, for one resource: remembers the answers that let a plain call run.

`CedarPolicy.answer` depends only on what the rules that can apply to a resource read. A `PreparedQuestion` makes a key
of exactly that, without building a request, a snapshot or a Cedar context, and remembers what `CedarPolicy.answer`
returned for the first call with that key.

It handles only calls without a behaviour score, a deviation from the agent's profile, an open challenge or a scored
agent in the chain; its caller has to make sure of that (`halo_core.decision.plan`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from operator import attrgetter, not_
from typing import Any, Final

from halo_core.crypto import canonical
from halo_core.model import (
    AccessRequest,
    ActionKind,
    Effect,
    Fact,
    Impact,
    PolicyAnswer,
    PolicyView,
    Reason,
    Snapshot,
)
from halo_core.policy.attribute_refs import ALL, AttributeRefs
from halo_core.policy.cedar_context import BEHAVIOUR_ATTRIBUTES
from halo_core.policy.context_keys import ContextKeyBuilder
from halo_core.policy.encoding import MAX_DECIMAL_INT, encode_sum, escape_key, find_amount
from halo_core.policy.parsing import Policy

PlainPermit = tuple[Effect, tuple[Reason, ...]]
"""Effect and sorted reasons of an answer that lets a call run as it is."""

_MAX_PERMITS: Final = 1024  # of one question, counting the calls that have none
_MAX_KEPT_LEAVES: Final = 16  # of a call whose permit is kept
_MAX_KEPT_BYTES: Final = 256  # of one value in a key
_LONG_LIMIT: Final = 2**53
_NOTHING: Final[tuple[Any, ...]] = (None, "", [], {}, ())

# Attributes of the context → what they are computed from, as the facts of a call name it. What stands in neither table
# has one value wherever a question is asked.
_FACTS: Final[Mapping[str, str | tuple[str, ...]]] = {
    "authority": "authority",
    **{fact.value: "facts" for fact in Fact},
    "first_use": "uses",
    "origins": "provenance",
    "program": "facts",
    "provenance": "provenance",
    "refused": "state.refused",
    "session_risk": "state.risk",
    "session_source": "call.session_source",
    "sources": "sources",
    "steps": "state.view.steps",
    "tainted": "state.view.tainted",
    "target_flags": "targets",
    "target_kinds": "targets",
    "target_origins": ("provenance", "targets"),
    "target_sources": ("sources", "targets"),
    "user": "principal.user",
    "uses": "uses",
    "vouched": ("facts", "provenance", "targets"),
}
_FIXED: Final = frozenset(
    {*BEHAVIOUR_ATTRIBUTES, "pending", "principal_risk", "repeated", "risk", "risk_band", "unscored"}
)
_TRACED: Final = frozenset({"facts", "provenance", "sources", "targets"})
_SUMS: Final = {
    "principal_sum": (attrgetter("paid_by_principal"), 1),
    "target_paid": (attrgetter("paid_to_target"), 0),
    "target_sum": (attrgetter("paid_to_target"), 1),
}
"""What a sum is computed from, and how often the amount of the call counts in it."""


_UNKNOWN: Final = object()


class PreparedQuestion:
    """A question about one resource, as far as the policies of its slice can tell calls apart.

    Args:
        policy: answers what is not known yet.
        policies: those whose scope can reach the resource.
        refs: what they read together.
        types: declared types of the arguments.
        request: any request for the resource.
        readers: attribute of the context → what computes it from request and snapshot.
    """

    __slots__ = (
        "_amount",
        "_args",
        "_empty_targets",
        "_facts",
        "_others",
        "_permits",
        "_policy",
        "_reads_repeated",
        "_sums",
        "is_answerable",
    )

    def __init__(
        self,
        policy: PolicyView,
        *,
        policies: list[Policy],
        refs: AttributeRefs,
        types: Mapping[str, str],
        request: AccessRequest,
        readers: Mapping[str, Callable[[AccessRequest, Snapshot], Any]],
    ) -> None:
        keys = ContextKeyBuilder(item.cedar_json for item in policies)
        resource = request.resource
        read_names = {name for name in (*_FACTS, *readers) if refs.references(name)} - _FIXED
        facts: dict[str, str] = {}
        for name in sorted(read_names & _FACTS.keys()):
            for source in _list_sources(name):
                # Where values came from is one fact with several attributes; it counts as a whole.
                facts[source if source in _TRACED else name] = source
        self._facts = [
            (attrgetter(source), not_ if name == "first_use" else keys.top.get(name)) for name, source in facts.items()
        ]
        self._others = [(readers[name], keys.top.get(name)) for name in sorted(read_names - _FACTS.keys())]
        self._empty_targets = (
            resource.targets if refs.references("target_origins") or refs.references("vouched") else ()
        )
        sums = list(filter(refs.references, _SUMS))
        is_payment = request.kind is ActionKind.TOOL_CALL and resource.impact is Impact.PAYMENT
        # Without a payment, a sum of payments is the amount of the call.
        counts_as_sum = bool(sums) and not is_payment
        comparisons = None if counts_as_sum else keys.top_comparisons.get("amount")
        has_amount = bool(resource.amount) or resource.impact is Impact.PAYMENT
        reads_amount = has_amount and (refs.references("amount") or counts_as_sum)
        self._amount = (resource.amount, comparisons) if reads_amount else None
        self._sums = [(*_SUMS[name], keys.top.get(name)) for name in sums] if is_payment else []
        self._reads_repeated = is_payment and refs.references("repeated")
        self._args = [(name, types.get(name, ""), keys.args.get(name)) for name in sorted(refs.args)]
        self._policy = policy
        self._permits: dict[tuple[Any, ...], PlainPermit | None] = {}
        # Escaped names and whole argument maps are left to the policy itself.
        self.is_answerable = ALL not in refs.context | refs.args and all(name == escape_key(name) for name in refs.args)

    def find_permit(self, facts: Any) -> PlainPermit | None:
        """The policy's answer to a call if it permits it unchanged, else None."""
        key = self._make_key(facts)
        permit: PlainPermit | None
        known: Any = self._permits.get(key, _UNKNOWN)  # one look: each hashes the key anew
        if known is not _UNKNOWN:
            permit = known
            return permit
        permit = to_plain_permit(self._policy.answer(facts.request, facts.snapshot))
        if len(facts.provenance) <= _MAX_KEPT_LEAVES:
            if len(self._permits) >= _MAX_PERMITS:
                self._permits.clear()
            self._permits[key] = permit
        return permit

    def _make_key(self, facts: Any) -> tuple[Any, ...]:
        """A key, equal for calls that the policies cannot tell apart."""
        key: list[Any] = []
        for read_fact, project in self._facts:
            value = read_fact(facts)
            key.append(value if project is None else project(value))
        args = facts.sealed_args
        for name, declared, project in self._args:
            value = args.get(name)
            kind = value.__class__
            if value is None or kind is bool:
                key.append(value)
            elif kind is str:
                # A text with `$` in front may look like a tag of the encoding.
                is_plain = declared in ("", "any", "string") and not value.startswith("$")
                key.append(project(value) if project is not None and is_plain else _shorten(value.encode()))
            elif kind is int and -_LONG_LIMIT < value < _LONG_LIMIT:
                is_plain = declared in ("", "any", "long")
                key.append(project(value) if project is not None and is_plain else (int, value))
            else:
                key.append((kind, _shorten(canonical.encode(value))))
        if self._amount is not None or self._sums:
            self._add_amounts(key, facts)
        if self._reads_repeated:
            key.append(facts.payment.is_repeated)
        for name in self._empty_targets:
            key.append(args.get(name) in _NOTHING)  # noqa: PERF401  a comprehension is a call
        for read, project in self._others:
            value = read(facts.request, facts.snapshot)
            key.append(project(value) if project is not None else value)
        return tuple(key)

    def _add_amounts(self, key: list[Any], facts: Any) -> None:
        """Add the amount and payment sums that the rules read."""
        if self._amount is not None:
            name, comparisons = self._amount
            amount = find_amount(facts.sealed_args, name)
            if amount.__class__ is int and -MAX_DECIMAL_INT <= amount <= MAX_DECIMAL_INT and comparisons is not None:
                key.append(comparisons.judge_decimal(amount))
            else:
                key.append((amount.__class__, _shorten(canonical.encode(amount))))
        for read_sum, times, project in self._sums:
            if facts.amount is None:
                key.append(None)  # the context has no sum
                continue
            total = read_sum(facts.payment) + times * abs(facts.amount)
            key.append(total if project is None else project(encode_sum(total)))


def _list_sources(name: str) -> tuple[str, ...]:
    sources = _FACTS[name]
    return (sources,) if isinstance(sources, str) else sources


def _shorten(data: bytes) -> bytes | tuple[bytes]:
    """The bytes, or their digest if there are many (never equal to any bytes), to keep memory small."""
    return data if len(data) <= _MAX_KEPT_BYTES else (sha256(data).digest(),)


def to_plain_permit(answer: PolicyAnswer) -> PlainPermit | None:
    """Effect and reasons of an answer that permits without a failure or an obligation; None for any other answer.

    The effect is `allow` or `monitor`.
    """
    if not answer.permitted or answer.errors or answer.obligations:
        return None
    if answer.effect is Effect.ALLOW and not answer.reasons:
        return Effect.ALLOW, ()
    if answer.effect is Effect.MONITOR and {reason.effect for reason in answer.reasons} == {Effect.MONITOR.value}:
        return Effect.MONITOR, tuple(sorted(set(answer.reasons)))
    return None


def reads_principal(policies: list[Policy]) -> bool:
    """Whether the policies' answer may depend on who asks; True if that is not certain."""
    conditions = json.dumps([item.cedar_json.get("conditions", ()) for item in policies])
    return '"principal"' in conditions or any(item.cedar_json["principal"]["op"] != "All" for item in policies)
