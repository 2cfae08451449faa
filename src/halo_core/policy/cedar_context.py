"""The input of Cedar for a request: its ids, its entities, and the context that rules read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final

import orjson

from halo_core.model import (
    AccessRequest,
    ActionKind,
    Fact,
    Impact,
    Principal,
    ProgramClass,
    Provenance,
    Resource,
    Snapshot,
)
from halo_core.policy.attribute_refs import ALL, AttributeRefs
from halo_core.policy.encoding import (
    ABSENT,
    EncodingError,
    encode_amount,
    encode_sum,
    encode_value,
    escape_key,
    find_amount,
)
from halo_core.policy.schema import ENTITY_TYPES, action_id

if TYPE_CHECKING:
    import cedarpy

# From best to worst; one untrusted leaf makes the argument untrusted.
_TRUST_RANK: Final = {
    source: rank
    for rank, source in enumerate(
        (
            Provenance.USER,
            Provenance.KNOWN,
            Provenance.SYSTEM,
            Provenance.NOVEL,
            Provenance.MIXED,
            Provenance.UNTRUSTED,
        )
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
    """Entities of one request; a pure function of its arguments, cached since they repeat."""
    principal = {
        "assurance": assurance,
        "tenant": subject.tenant,
        "user": subject.user,
        "user_assurance": subject.user_assurance,
    }
    # `1 == True`: equal keys of the cache must give equal entities, so the types are fixed here.
    target = {
        "classified": resource.classified,
        "contained": bool(resource.contained),
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
    import cedarpy  # noqa: PLC0415  as in `halo_core.policy.parsing`

    return cedarpy.Entities.from_json_str(orjson.dumps(entities_json).decode())


def build_context(
    request: AccessRequest, snapshot: Snapshot, refs: AttributeRefs, types: Mapping[str, str]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Cedar context (JSON tree) with every attribute that is read, and the names of those that could not be encoded.

    What no policy reads is not encoded, so an odd value in an argument nobody looks at stops nothing.
    """
    problems: list[str] = []
    readers, read = _select_readers(refs)
    context: dict[str, Any] = {name: make(request, snapshot) for name, make in readers}
    if "args" in read:
        context["args"] = _encode_args(request.args, refs.args, types, problems)
    worst = _find_worst_origins(snapshot.provenance) if "provenance" in read or "target_origins" in read else {}
    if "provenance" in read:
        context["provenance"] = {escape_key(name): source.value for name, source in worst.items()}
    if "target_origins" in read:
        context["target_origins"] = _find_target_origins(request, snapshot, worst)
    if "amount" in read:
        _add_amount(request, context, problems)
    if snapshot.amount is not None:
        sums = {"principal_sum": snapshot.paid_by_principal, "target_sum": snapshot.paid_to_target}
        context |= {name: encode_sum(paid + abs(snapshot.amount)) for name, paid in sums.items() if name in read}
        if "target_paid" in read:
            context["target_paid"] = encode_sum(snapshot.paid_to_target)
    # INVARIANT: no rule is told of a low risk that part of the call has no share in.
    if "risk" in read and snapshot.risk is not None and not snapshot.partial:
        context["risk"] = snapshot.risk
    return context, tuple(sorted(problems))


def _find_target_sources(request: AccessRequest, snapshot: Snapshot) -> list[str]:
    """Resources whose results contained the targets."""
    targets = frozenset(request.resource.targets)
    places = {pointer for pointer, *_ in snapshot.targets}
    return sorted(
        {
            name
            for pointer, names in snapshot.sources
            if pointer in places or _argument_name(pointer) in targets
            for name in names
        }
    )


def _argument_name(pointer: str) -> str:
    """Name of the argument that a JSON pointer (RFC 6901) leads into."""
    return pointer[1:].split("/", 1)[0].replace("~1", "/").replace("~0", "~")


def _holds(fact: Fact, _request: AccessRequest, snapshot: Snapshot) -> bool:
    return fact in snapshot.facts


_VOUCHED: Final = frozenset({Provenance.USER.value, Provenance.KNOWN.value})


def is_vouched(request: AccessRequest, snapshot: Snapshot) -> bool:
    """Whether an action names its destination, and each of these targets is vouched for or known.

    A program counts by what it names (`halo_core.values.facts.facts`); in a contained resource it reaches nothing else.
    """
    if snapshot.program is ProgramClass.NONE:
        origins = _find_target_origins(request, snapshot, _find_worst_origins(snapshot.provenance))
        return bool(origins) and _VOUCHED.issuperset(origins)
    programs = {pointer for pointer, kind, _flags in snapshot.targets if kind == "program"}
    named = {_argument_name(pointer) for pointer in programs}
    others = tuple(item for item in snapshot.provenance if item[0] not in programs)
    origins = _find_target_origins(request, snapshot, _find_worst_origins(others), without=programs, unnamed=named)
    is_judged = request.resource.contained or snapshot.program is not ProgramClass.ACTS
    return is_judged and _VOUCHED.issuperset(origins)


BEHAVIOUR_ATTRIBUTES: Final[Mapping[str, str]] = {
    **{name: name for name in ("agent_risk", "drift", "unusual", "volume")},
    **{f"risk_{part}": part for part in ("behaviour", "context", "entitlement", "scope")},
}
"""Attributes that say how far an agent is from its profile → the members of `BehaviourView`."""


def _read_behaviour(member: str, _request: AccessRequest, snapshot: Snapshot) -> int:
    value: int = getattr(snapshot.behaviour, member)
    return value


ATTRIBUTE_READERS: Final[dict[str, Callable[[AccessRequest, Snapshot], Any]]] = {
    **{name: partial(_read_behaviour, member) for name, member in BEHAVIOUR_ATTRIBUTES.items()},
    "authority": lambda _, snapshot: snapshot.authority or 0,
    "budget_left": lambda _, snapshot: _compute_budget_left(snapshot),
    "depth": lambda _, snapshot: snapshot.chain[-1].depth if snapshot.chain else 0,
    "epoch": lambda _, snapshot: snapshot.chain[-1].epoch if snapshot.chain else 0,
    **{fact.value: partial(_holds, fact) for fact in Fact},
    "first_use": lambda _, snapshot: snapshot.uses == 0,
    "origins": lambda _, snapshot: sorted({source.value for _pointer, source in snapshot.provenance}),
    "pending": lambda _, snapshot: snapshot.pending,
    "principal_risk": lambda _, snapshot: snapshot.principal_risk.risk,
    "program": lambda _, snapshot: snapshot.program.value,
    "refused": lambda _, snapshot: snapshot.refused,
    "repeated": lambda _, snapshot: snapshot.repeated,
    "risk_band": lambda _, snapshot: snapshot.band,
    "risk_spent": lambda _, snapshot: snapshot.envelopes[0].total("risk") if snapshot.envelopes else 0,
    "session_risk": lambda _, snapshot: snapshot.session_risk,
    "session_source": lambda request, _: request.context.session_source,
    "sources": lambda _, snapshot: sorted({name for _pointer, names in snapshot.sources for name in names}),
    "steps": lambda _, snapshot: snapshot.session.steps,
    "tainted": lambda _, snapshot: snapshot.session.tainted,
    "target_flags": lambda _, snapshot: sorted({flag for *_target, flags in snapshot.targets for flag in flags}),
    "target_kinds": lambda _, snapshot: sorted({kind for _pointer, kind, _flags in snapshot.targets}),
    "target_sources": _find_target_sources,
    "time_s": lambda _, snapshot: snapshot.time_us // 1_000_000,
    "unscored": lambda _, snapshot: snapshot.unscored,
    "user": lambda request, _: request.subject.user,
    "uses": lambda _, snapshot: snapshot.uses,
    "vouched": is_vouched,
}


_COMPUTED_ATTRIBUTES: Final = (
    "amount",
    "args",
    "principal_sum",
    "provenance",
    "risk",
    "target_origins",
    "target_paid",
    "target_sum",
)


@lru_cache(maxsize=1024)
def _select_readers(
    refs: AttributeRefs,
) -> tuple[tuple[tuple[str, Callable[[AccessRequest, Snapshot], Any]], ...], frozenset[str]]:
    """The readers of the attributes read, and the names of those that `build_context` computes itself."""
    readers = tuple((name, make) for name, make in ATTRIBUTE_READERS.items() if refs.references(name))
    return readers, frozenset(filter(refs.references, _COMPUTED_ATTRIBUTES))


def _compute_budget_left(snapshot: Snapshot) -> int:
    """Per cent left of the most exhausted budget, over every link and unit except time; 0..100."""
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
    record: dict[str, Any] = {}
    for name, value in args.items():
        key = escape_key(name)
        if key not in read and ALL not in read:
            continue
        try:
            encoded = encode_value(value, types.get(name, ""))
        except EncodingError as exc:
            problems.append(f"argument `{_printable_name(name)}` {exc}")
            continue
        if encoded is not ABSENT:
            record[key] = encoded
    return record


def _add_amount(request: AccessRequest, context: dict[str, Any], problems: list[str]) -> None:
    name = request.resource.amount
    is_needed = name or request.resource.impact is Impact.PAYMENT
    value = find_amount(request.args, name) if is_needed else None
    if value is None:
        return
    try:
        context["amount"] = encode_amount(value)
    except EncodingError as exc:
        problems.append(f"argument `{_printable_name(name)}` {exc}")


def _find_target_origins(
    request: AccessRequest,
    snapshot: Snapshot,
    worst: Mapping[str, Provenance],
    *,
    without: Collection[str] = (),
    unnamed: Collection[str] = (),
) -> list[str]:
    """Origins of the declared targets, and of every leaf that is a target by its kind.

    Args:
        request: the request.
        snapshot: its snapshot.
        worst: provenance of each argument.
        without: pointers of targets that are left out.
        unnamed: declared targets that are left out where they have no provenance.
    """
    targets = {pointer for pointer, *_ in snapshot.targets}.difference(without)
    origins = {source.value for pointer, source in snapshot.provenance if pointer in targets}
    traced = {_argument_name(pointer) for pointer in targets}
    for name in request.resource.targets:
        if name in traced:
            continue
        if name in worst:
            if not _is_unset(request.args.get(name)):
                origins.add(worst[name].value)
        elif name not in unnamed and request.args.get(name) not in (None, "", [], {}, ()):
            # A target that nobody traced is not known to come from anywhere.
            origins.add(Provenance.NOVEL.value)
    return sorted(origins)


def _is_unset(value: object) -> bool:
    """Whether an optional target has no value, in the forms that models write."""
    return isinstance(value, str) and value.casefold() in ("null", "none", "undefined", "n/a")


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
