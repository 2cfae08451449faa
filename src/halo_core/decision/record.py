"""The record of a decision, in the compact form that is signed.

Members that equal their default are left out, and members that follow from others are computed again. What repeats
between entries is stored once, in parts that are named by digest (`halo_core.decision.record_parts`). `expand_decision`
restores the whole record. With the sealed fields, that is enough to make the decision again:

    body, parts = encode_decision(request, snapshot, decision, result)
    expand_decision(body, session=..., ts_us=..., read_part=...)

docs/ledger-format.md describes each member.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from halo_core.authority import charge_account
from halo_core.crypto.keys import KEYED_DIGEST
from halo_core.decision.outcome_record import expand_outcome
from halo_core.decision.record_members import (
    pack_account,
    pack_decision,
    pack_known,
    pack_session,
    pack_targets,
    pack_trace,
    unpack_account,
    unpack_decision,
    unpack_trace,
)
from halo_core.decision.record_parts import (
    Frame,
    HostPart,
    Part,
    PartReader,
    ReadPart,
    encode_frame,
    encode_host,
    encode_model,
    encode_resource,
    expand_model,
    iter_part_names,
    make_default_acting,
    pack_digest,
    unpack_digest,
)
from halo_core.errors import Tampered
from halo_core.model import (
    NO_BEHAVIOUR,
    NO_PRINCIPAL_RISK,
    AccessRequest,
    Decision,
    EntryKind,
    Envelope,
    LedgerEntry,
    Snapshot,
    compute_request_id,
)
from halo_core.model.decision import justify_decision
from halo_core.quick_dataclass import dataclass

__all__ = [
    "SIGNER_FIELD",
    "DecisionResult",
    "Part",
    "PartReader",
    "ReadPart",
    "encode_decision",
    "expand_decision",
    "expand_entry",
    "iter_part_names",
    "pack_digest",
    "unpack_digest",
]

_SNAPSHOT_DEFAULTS: Final[Mapping[str, Any]] = {
    "amount": None,
    "answer_scope": "",
    "approval": None,
    "authority": None,
    "band": 0,
    "dispatched": False,
    "factors": [],
    "facts": [],
    "features": [],
    "held_before": False,
    "hold_room": False,
    "new_fields": [],
    "paid_by_principal": 0,
    "paid_to_target": 0,
    "partial": False,
    "passport_problem": "",
    "pending": 0,
    "program": "",
    "quotas": [],
    "refused": 0,
    "repeated": False,
    "revocations": [],
    "risk": None,
    "score_problem": "",
    "session_risk": 0,
    "sources": [],
    "standing": [],
    "stops": [],
    "unscored": False,
    "uses": 0,
}
_SELDOM: Final = frozenset({"behaviour", "held_behind", "principal_risk"})
"""Members of a snapshot's tree that it has only where they are not at their defaults."""
_SCALARS: Final = tuple(
    name
    for name, value in _SNAPSHOT_DEFAULTS.items()
    if name not in ("approval", "program") and not isinstance(value, list)
)
_SEQUENCES: Final[Mapping[str, Callable[[Any], Any]]] = {
    "factors": dict,
    "facts": str,
    "features": int,
    "new_fields": str,
    "quotas": list,
    "revocations": lambda item: [item.scope, item.target, item.since_us],
    "sources": lambda item: [item[0], list(item[1])],
    "standing": lambda item: item.to_plain(),
    "stops": lambda item: [item.scope, item.target, item.since_us],
}


SIGNER_FIELD: Final = "signer"
"""Sealed fields of a decision, with a number behind: who signed each of the remembered answers that it read."""


@dataclass(frozen=True, slots=True)
class DecisionResult:
    """The consequences of a decision, as its entry records them.

    Args:
        runs: the action may run now.
        authority_left: authority after the charge, 0..1_000_000; None without a chain.
        session_risk: 0..1000, after the action.
        executed_digest: keyed digest of the arguments that run, empty if none do.
        state: commitment to the session's state afterwards, None without a session.
        quota: commitment to the day's quota row, None if there is none.
        stored: commitment to the fingerprints of stored values, None if nothing was stored.
        profile: commitment to the agent's behaviour profile over its sessions, None if it has none.
        child: hash of the link that a hand-off made, empty if none was made.
        recalled: the result of an earlier run was given back.
        withdrawn: id of a question that was taken back.
        sums: commitments to the rows that count payments and uses of remembered answers, sorted by account.
        released: id of the held act that this is.
        known: kind and keyed digest of each declared value that it found among the arguments, sorted.
    """

    runs: bool
    authority_left: int | None
    session_risk: int
    executed_digest: str
    state: Mapping[str, Any] | None
    quota: Mapping[str, Any] | None = None
    stored: Mapping[str, Any] | None = None
    profile: Mapping[str, Any] | None = None
    child: str = ""
    recalled: bool = False
    withdrawn: str = ""
    sums: tuple[Mapping[str, Any], ...] = ()
    released: str = ""
    known: tuple[tuple[str, str], ...] = ()


def encode_decision(
    request: AccessRequest, snapshot: Snapshot, decision: Decision, result: DecisionResult, *, ts_us: int
) -> tuple[dict[str, Any], list[Part]]:
    """Make the body of a decision's entry, and the parts it refers to (without a model's texts)."""
    host, frame = _encode_circumstances(request, snapshot)
    resource = encode_resource(request.resource)
    parts = [host, frame, resource]
    body: dict[str, Any] = {
        "args": pack_digest(request.args_digest),
        "frame": frame[0],
        "resource": resource[0],
        "seen": _encode_snapshot(snapshot, ts_us, result.state),
    }
    _add_request(body, request)
    if request.model is not None:
        members, model_parts = encode_model(request.model)
        body.update(members)
        parts += model_parts
    packed = pack_decision(decision)
    if packed:
        body["decision"] = packed
    if result.runs is not decision.effect.runs:
        body["dispatched"] = result.runs
    _add_result(body, request, snapshot, result)
    return body, parts


def _encode_circumstances(request: AccessRequest, snapshot: Snapshot) -> tuple[Part, Part]:
    """Make the parts that many decisions share: the host with its policy, and the acting agent with its chain."""
    context, subject = request.context, request.subject.with_references()
    host = encode_host(
        HostPart(
            subject.tenant,
            subject.user_assurance,
            context.session_source,
            context.origin,
            context.assurance,
            context.abilities,
            snapshot.policy.hash,
            snapshot.mode.value,
            snapshot.control_version,
            snapshot.model_hash,
        )
    )
    chain = tuple([link.hash for link in snapshot.chain])
    return host, encode_frame(subject.agent, subject.user, subject.chain, chain, host[0])


def _add_result(body: dict[str, Any], request: AccessRequest, snapshot: Snapshot, result: DecisionResult) -> None:
    """Add the consequences of a decision that are not at their defaults."""
    if result.authority_left is not None:
        body["left"] = result.authority_left
    if result.session_risk != snapshot.session_risk:
        body["session_risk"] = result.session_risk
    if result.executed_digest != (request.args_digest if result.runs else ""):
        body["executed"] = pack_digest(result.executed_digest)
    members = {
        "child": pack_digest(result.child) or None,
        "known": pack_known(result.known) or None,
        "profile": result.profile,
        "quota": result.quota,
        "recalled": result.recalled or None,
        "released": result.released or None,
        "state": result.state,
        "stored": result.stored,
        "sums": list(result.sums) or None,
        "withdrawn": result.withdrawn or None,
    }
    body.update([(name, value) for name, value in members.items() if value is not None])


def _add_request(body: dict[str, Any], request: AccessRequest) -> None:
    context = request.context
    if context.call_id:
        body["call"] = context.call_id
    if context.turn:
        body["turn"] = context.turn
    if context.trace_id:
        body["trace"] = pack_trace(context.trace_id)
    if context.links:
        body["links"] = [list(item) for item in context.links]
    if request.problem:
        body["problem"] = request.problem
    trigger = {"kind": context.trigger.kind}
    if context.trigger.digest:
        trigger["text"] = pack_digest(context.trigger.digest)
    if context.trigger.ref != context.turn:
        trigger["ref"] = context.trigger.ref
    body["trigger"] = trigger


def _encode_snapshot(snapshot: Snapshot, ts_us: int, state: Mapping[str, Any] | None) -> dict[str, Any]:
    seen = pack_session(snapshot.session, snapshot.time_us, state)
    if snapshot.time_us != ts_us:
        seen["time_us"] = snapshot.time_us
    if snapshot.envelopes:
        seen["accounts"] = [pack_account(item, snapshot.session.opened_us) for item in snapshot.envelopes]
    _add_origins(seen, snapshot)
    for name in _SCALARS:
        value = getattr(snapshot, name)
        if value != _SNAPSHOT_DEFAULTS[name]:
            seen[name] = value
    for name, encode in _SEQUENCES.items():
        items = getattr(snapshot, name)
        if items:
            seen[name] = [encode(item) for item in items]
    _add_risks(seen, snapshot)
    if snapshot.program:
        seen["program"] = snapshot.program.value
    if snapshot.approval is not None:
        seen["approval"] = snapshot.approval.to_plain()
    return seen


def _add_risks(seen: dict[str, Any], snapshot: Snapshot) -> None:
    if snapshot.behaviour is not NO_BEHAVIOUR and (behaviour := snapshot.behaviour.to_plain()):
        seen["behaviour"] = behaviour
    if snapshot.held_behind:
        seen["held_behind"] = True
    if snapshot.principal_risk != NO_PRINCIPAL_RISK:
        seen["principal_risk"] = snapshot.principal_risk.to_plain()


def _add_origins(seen: dict[str, Any], snapshot: Snapshot) -> None:
    if snapshot.provenance:
        grouped: dict[str, list[str]] = {}
        for pointer, source in snapshot.provenance:
            grouped.setdefault(str.__str__(source), []).append(pointer)
        seen["provenance"] = grouped
    if snapshot.targets:
        seen["targets"] = pack_targets(snapshot.targets)


MALFORMED: Final = (AttributeError, KeyError, TypeError, ValueError)
"""What expanding a body raises that is no record."""


def expand_entry(entry: LedgerEntry, read_part: ReadPart) -> LedgerEntry:
    """Expand the decision or outcome in an entry to its whole record; any other entry stays unchanged.

    Raises:
        Tampered: `malformed_entry`, the body is no such record; `part_missing`, a part is not there.
    """
    try:
        if entry.kind is EntryKind.DECISION:
            body = expand_decision(entry.body, session=entry.session, ts_us=entry.ts_us, read_part=read_part)
        elif entry.kind is EntryKind.OUTCOME:
            body = expand_outcome(entry.body, entry.writer)
        else:
            return entry
    except MALFORMED as exc:
        raise make_malformed_error(entry, exc) from exc
    return replace(entry, body=body)


def make_malformed_error(entry: LedgerEntry, problem: BaseException) -> Tampered:
    """Make the error to raise if expanding an entry's body failed with one of `MALFORMED`."""
    return Tampered("malformed_entry", f"the entry {entry.id} holds no record: {problem}")


class RecordedInputs(NamedTuple):
    """A decision with its inputs: the trees of request, snapshot and decision."""

    request: dict[str, Any]
    snapshot: dict[str, Any]
    decision: dict[str, Any]


def expand_inputs(body: Mapping[str, Any], *, session: str, ts_us: int, read_part: ReadPart) -> RecordedInputs:
    """Expand the members of a decision's whole record that a replay needs.

    Raises:
        KeyError, TypeError, ValueError: the body is no decision's, or a part is missing.
    """
    frame, resource = Frame.read(body["frame"], read_part), read_part(body["resource"])
    args_digest = unpack_digest(body["args"], KEYED_DIGEST)
    return RecordedInputs(
        _expand_request(body, frame, resource, session, args_digest=args_digest, read_part=read_part),
        _expand_snapshot(body, frame, session, ts_us),
        unpack_decision(body.get("decision", {})),
    )


def expand_decision(body: Mapping[str, Any], *, session: str, ts_us: int, read_part: ReadPart) -> dict[str, Any]:
    """Expand a decision to its whole record: `request`, `snapshot`, `decision`, its consequences, the justification.

    Raises:
        KeyError, TypeError, ValueError: the body is no decision's, or a part is missing.
    """
    request, snapshot, decision_tree = expand_inputs(body, session=session, ts_us=ts_us, read_part=read_part)
    decision = Decision.from_plain(decision_tree)
    runs = body.get("dispatched", decision.effect.runs)
    if "executed" in body:
        executed = unpack_digest(body["executed"], KEYED_DIGEST)
    else:
        executed = request["args_digest"] if runs else ""
    accounts = [charge_account(Envelope.from_plain(item), decision.charges) for item in snapshot["envelopes"]]
    tree = {
        "after": {
            "authority": body.get("left"),
            "budgets": [[account.link, *item] for account in accounts for item in account.spent],
            "risk": body.get("session_risk", snapshot["session_risk"]),
            "steps": snapshot["session"]["steps"] + 1,
        },
        "decision": decision_tree,
        "dispatched": runs,
        "executed_digest": executed,
        "justification": justify_decision(decision, request["resource"]["id"]),
        "quota": body.get("quota"),
        "request": request,
        "snapshot": snapshot,
        "state": body.get("state"),
    }
    for name in ("profile", "recalled", "released", "stored", "sums", "withdrawn"):
        if name in body:
            tree[name] = body[name]
    if "child" in body:
        tree["child"] = unpack_digest(body["child"])
    if "known" in body:
        tree["known"] = [[kind, unpack_digest(digest, KEYED_DIGEST)] for kind, digest in body["known"]]
    return tree


def _expand_request(
    body: Mapping[str, Any],
    frame: Frame,
    resource: Mapping[str, Any],
    session: str,
    *,
    args_digest: str,
    read_part: ReadPart,
) -> dict[str, Any]:
    of_frame, host = frame
    user, agent, turn = of_frame.get("user", ""), of_frame["agent"], body.get("turn", "")
    call_id, trigger = body.get("call", ""), body["trigger"]
    return {
        "args_digest": args_digest,
        "context": {
            "abilities": host["abilities"],
            "assurance": host["assurance"],
            "call_id": call_id,
            "links": body.get("links", []),
            "origin": host["origin"],
            "session": session,
            "session_source": host["session_source"],
            "trace_id": unpack_trace(body.get("trace", "")),
            "trigger": {
                "digest": unpack_digest(trigger.get("text", ""), KEYED_DIGEST),
                "kind": trigger["kind"],
                "ref": trigger.get("ref", turn),
            },
            "turn": turn,
        },
        "kind": resource["kind"],
        "model": expand_model(body, read_part),
        "problem": body.get("problem", ""),
        "request_id": compute_request_id(
            session, agent, turn, call_id, kind=resource["kind"], resource=resource["id"], args_digest=args_digest
        ),
        "resource": resource,
        "subject": {
            "agent": agent,
            "chain": of_frame.get("acting", list(make_default_acting(user, agent))),
            "tenant": host["tenant"],
            "user": user,
            "user_assurance": host["user_assurance"],
        },
    }


def _expand_snapshot(body: Mapping[str, Any], frame: Frame, session: str, ts_us: int) -> dict[str, Any]:
    seen, state, host = body["seen"], body.get("state"), frame.host
    time_us, opened_us = seen.get("time_us", ts_us), seen["opened_us"]
    provenance = [[pointer, source] for source, pointers in seen.get("provenance", {}).items() for pointer in pointers]
    return {
        **_SNAPSHOT_DEFAULTS,
        **{name: value for name, value in seen.items() if name in _SNAPSHOT_DEFAULTS or name in _SELDOM},
        "chain": [unpack_digest(name) for name in frame.tree["chain"]],
        "control_version": host["control_version"],
        "envelopes": [unpack_account(item, opened_us) for item in seen.get("accounts", ())],
        "mode": host["mode"],
        "model_hash": host["model_hash"],
        "policy": host["policy"],
        "provenance": sorted(provenance),
        "session": {
            "high_water_us": time_us - seen["idle_us"] if "idle_us" in seen else opened_us,
            "id": session,
            "opened_us": opened_us,
            "steps": seen["steps"],
            "taint_sources": seen.get("taint", []),
            "tainted": "taint" in seen,
            "version": seen["version"] if "version" in seen else state["version"] - 1 if state else 0,
        },
        "targets": [[pointer, kind, flags] for pointer, kind, *flags in seen.get("targets", ())],
        "time_us": time_us,
    }
