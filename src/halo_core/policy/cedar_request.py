"""The Cedar request of an action: entities and context, as far as the policies read them.

What looks like a secret is sealed before anything is decided (`halo_core.content.redaction`), and the tool gets the real
text. A rule on such an argument has not seen what runs, and a made-up secret could hide it, so a person is asked
(`find_sealed_arguments`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import cedarpy
import orjson

from halo_core.model import AccessRequest, ActionKind, Effect, Principal, Provenance, Reason, Resource, Snapshot
from halo_core.policy.encoding import ABSENT, EncodingError, encode_amount, encode_value, escape_key
from halo_core.policy.parser import ALL, AttributeRefs
from halo_core.policy.schema import ENTITY_TYPES, action_id

__all__ = [
    "build_context",
    "build_entities",
    "build_request_ids",
    "find_sealed_arguments",
]


_SEAL_PREFIX: Final = "halo:secret:"


def find_sealed_arguments(args: Mapping[str, Any], read: frozenset[str]) -> tuple[Reason, ...]:
    """A challenge for each argument that the policies read and that is sealed in part."""
    if not read:
        return ()
    return tuple(
        Reason("sealed_argument", "policy", name[:64], Effect.CHALLENGE.value)
        for name, value in sorted(args.items())
        if (ALL in read or escape_key(name) in read) and _is_sealed(value)
    )


def _is_sealed(value: Any) -> bool:
    if isinstance(value, str):
        return _SEAL_PREFIX in value
    if isinstance(value, Mapping):
        return any(_is_sealed(key) or _is_sealed(item) for key, item in value.items())
    return isinstance(value, list | tuple) and any(map(_is_sealed, value))


# From best to worst; one untrusted leaf makes the argument untrusted.
_TRUST_RANK: Final = {
    source: rank
    for rank, source in enumerate(
        (Provenance.USER, Provenance.SYSTEM, Provenance.NOVEL, Provenance.MIXED, Provenance.UNTRUSTED)
    )
}


def build_request_ids(request: AccessRequest) -> dict[str, dict[str, str]]:
    """Principal, action and resource as structured uids, so that no id is ever parsed as Cedar text."""
    return {
        "principal": {"type": "Agent", "id": request.subject.agent},
        "action": {"type": "Action", "id": action_id(request.resource.id)},
        "resource": {"type": ENTITY_TYPES[request.kind], "id": request.resource.id},
    }


@lru_cache(maxsize=1024)
def build_entities(subject: Principal, assurance: str, kind: ActionKind, resource: Resource) -> cedarpy.Entities:
    """Entities of one request; a pure function of its arguments, kept since they repeat."""
    principal = {
        "assurance": assurance,
        "tenant": subject.tenant,
        "user": subject.user,
        "user_assurance": subject.user_assurance,
    }
    # `1 == True`: equal keys of the cache must give equal entities, so the types are fixed here.
    target = {
        "classified": resource.classified,
        "idempotent": bool(resource.idempotent),
        "impact": resource.impact.value,
        "labels": resource.labels,
        "reversal": resource.reversal.value,
        "source_trust": resource.trust,
        "system": resource.system,
    }
    if kind is ActionKind.HANDOFF:
        # The agent handed to acts for the same user in the same tenant; handing to oneself is one entity.
        target |= principal
    agent = {"type": "Agent", "id": subject.agent}
    reached_entity = {"type": ENTITY_TYPES[kind], "id": resource.id}
    group = {"type": "Action", "id": kind.value}
    entities_json = [
        {"uid": {"type": "Action", "id": action_id(resource.id)}, "attrs": {}, "parents": [group]},
        {"uid": group, "attrs": {}, "parents": []},
        {"uid": reached_entity, "attrs": target, "parents": []},
    ]
    if agent != reached_entity:
        entities_json.append({"uid": agent, "attrs": principal, "parents": []})
    return cedarpy.Entities.from_json_str(orjson.dumps(entities_json).decode())


def build_context(
    request: AccessRequest, snapshot: Snapshot, refs: AttributeRefs, types: Mapping[str, str]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Cedar context (JSON tree) holding every attribute that is read, and what could not be encoded.

    What no policy reads is not encoded, so an odd value in an argument nobody looks at stops nothing.
    """
    problems: list[str] = []
    context: dict[str, Any] = {name: make(request, snapshot) for name, make in _select_readers(refs)}
    if refs.references("args"):
        context["args"] = _encode_args(request.args, refs.args, types, problems)
    traced, targets = refs.references("provenance"), refs.references("target_origins")
    worst = _find_worst_origins(snapshot.provenance) if traced or targets else {}
    if traced:
        context["provenance"] = {escape_key(name): source.value for name, source in worst.items()}
    if targets:
        context["target_origins"] = _find_target_origins(request, worst)
    if refs.references("amount"):
        _add_amount(request, context, problems)
    # INVARIANT: no rule is told of a low risk that part of the call has no share in.
    if refs.references("risk") and snapshot.risk is not None and not snapshot.partial:
        context["risk"] = snapshot.risk
    return context, tuple(sorted(problems))


def _find_target_sources(request: AccessRequest, snapshot: Snapshot) -> list[str]:
    """Resources whose results the targets came from."""
    targets = frozenset(request.resource.targets)
    return sorted({name for pointer, names in snapshot.sources if _argument_name(pointer) in targets for name in names})


def _argument_name(pointer: str) -> str:
    """Name of the argument that a JSON pointer (RFC 6901) leads into."""
    return pointer[1:].split("/", 1)[0].replace("~1", "/").replace("~0", "~")


_ATTRIBUTE_READERS: Final[dict[str, Callable[[AccessRequest, Snapshot], Any]]] = {
    "authority": lambda _, snapshot: snapshot.authority or 0,
    "budget_left": lambda _, snapshot: _compute_budget_left(snapshot),
    "depth": lambda _, snapshot: snapshot.chain[-1].depth if snapshot.chain else 0,
    "epoch": lambda _, snapshot: snapshot.chain[-1].epoch if snapshot.chain else 0,
    "first_use": lambda _, snapshot: snapshot.uses == 0,
    "origins": lambda _, snapshot: sorted({source.value for _pointer, source in snapshot.provenance}),
    "pending": lambda _, snapshot: snapshot.pending,
    "refused": lambda _, snapshot: snapshot.refused,
    "risk_band": lambda _, snapshot: snapshot.band,
    "risk_spent": lambda _, snapshot: snapshot.envelopes[0].total("risk") if snapshot.envelopes else 0,
    "session_risk": lambda _, snapshot: snapshot.session_risk,
    "session_source": lambda request, _: request.context.session_source,
    "sources": lambda _, snapshot: sorted({name for _pointer, names in snapshot.sources for name in names}),
    "steps": lambda _, snapshot: snapshot.session.steps,
    "tainted": lambda _, snapshot: snapshot.session.tainted,
    "target_sources": _find_target_sources,
    "time_s": lambda _, snapshot: snapshot.time_us // 1_000_000,
    "unscored": lambda _, snapshot: snapshot.unscored,
    "user": lambda request, _: request.subject.user,
    "uses": lambda _, snapshot: snapshot.uses,
}


@lru_cache(maxsize=1024)
def _select_readers(refs: AttributeRefs) -> tuple[tuple[str, Callable[[AccessRequest, Snapshot], Any]], ...]:
    return tuple((name, make) for name, make in _ATTRIBUTE_READERS.items() if refs.references(name))


def _compute_budget_left(snapshot: Snapshot) -> int:
    """Per cent that is left of the budget closest to its end, over every link and unit but time; 0..100."""
    decaying = [link for link in snapshot.chain if link.decay is not None]
    percentages = [
        100 - min(100 * account.total(budget.unit) // budget.subtree, 100) if budget.subtree else 0
        for link, account in zip(decaying, snapshot.envelopes, strict=True)
        for budget in link.budgets
        if budget.unit != "time"
    ]
    return min(percentages, default=100)


def _encode_args(
    args: Mapping[str, Any], read: frozenset[str], types: Mapping[str, str], problems: list[str]
) -> dict[str, Any]:
    # Policies name arguments by their escaped spelling, which differs for `__entity` and its like only.
    wanted = {name: value for name, value in args.items() if ALL in read or escape_key(name) in read}
    record: dict[str, Any] = {}
    for name, value in wanted.items():
        try:
            encoded = encode_value(value, types.get(name, ""))
        except EncodingError as exc:
            problems.append(f"argument `{_printable_name(name)}` {exc}")
            continue
        if encoded is not ABSENT:
            record[escape_key(name)] = encoded
    return record


def _add_amount(request: AccessRequest, context: dict[str, Any], problems: list[str]) -> None:
    name = request.resource.amount
    value = request.args.get(name) if name else None
    if value is None:
        return
    try:
        context["amount"] = encode_amount(value)
    except EncodingError as exc:
        problems.append(f"argument `{_printable_name(name)}` {exc}")


def _find_target_origins(request: AccessRequest, worst: Mapping[str, Provenance]) -> list[str]:
    origins: set[str] = set()
    for name in request.resource.targets:
        if name in worst:
            origins.add(worst[name].value)
        elif request.args.get(name) not in (None, "", [], {}, ()):
            # A target that nobody traced is not known to come from anywhere.
            origins.add(Provenance.NOVEL.value)
    return sorted(origins)


def _find_worst_origins(provenance: tuple[tuple[str, Provenance], ...]) -> dict[str, Provenance]:
    """Worst provenance of each top-level argument, from JSON pointers (RFC 6901) of its leaves."""
    worst: dict[str, Provenance] = {}
    for pointer, source in provenance:
        if not pointer.startswith("/"):
            continue
        name = _argument_name(pointer)
        if name not in worst or _TRUST_RANK[source] > _TRUST_RANK[worst[name]]:
            worst[name] = source
    return worst


def _printable_name(name: str) -> str:
    return name[:64].encode("ascii", "backslashreplace").decode("ascii")
