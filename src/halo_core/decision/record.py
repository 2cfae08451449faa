"""What an entry records of a decision and of an outcome, in the compact form that is signed.

What equals its default is left out, and what follows from other members is computed again. What repeats stands once, in
two parts that are stored by digest: the resource, and the frame (passports, policy, mode, host, abilities). `expand`
gives back the whole record, from which the decision can be made again:

    body, parts = encode_decision(request, snapshot, decision, result)
    expand_decision(body, session=..., ts_us=..., read_part=...)

docs/ledger-format.md describes each member.
"""

from __future__ import annotations

import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, NamedTuple

import orjson

from halo_core.authority import charge_account
from halo_core.crypto import canonical
from halo_core.crypto.keys import KEYED_DIGEST
from halo_core.errors import Tampered
from halo_core.model import (
    AccessRequest,
    Decision,
    Effect,
    EntryKind,
    Envelope,
    LedgerEntry,
    Origin,
    Reason,
    Resource,
    SessionView,
    Snapshot,
    compute_request_id,
    read_digest,
)
from halo_core.reasons import get_reason_text

PART_DOMAIN: Final = "halo/part/v2"
ReadPart = Callable[[str], Mapping[str, Any]]
"""Digest of a part → its tree."""
Part = tuple[str, bytes]
"""Digest and bytes."""

_MAX_PARTS: Final = 4096
_PLAIN: Final = "sha256:"
_SNAPSHOT_DEFAULTS: Final[Mapping[str, Any]] = {
    "approval": None,
    "authority": None,
    "band": 0,
    "dispatched": False,
    "factors": [],
    "features": [],
    "partial": False,
    "passport_problem": "",
    "pending": 0,
    "quotas": [],
    "refused": 0,
    "revocations": [],
    "risk": None,
    "score_problem": "",
    "session_risk": 0,
    "sources": [],
    "stops": [],
    "unscored": False,
    "uses": 0,
}
_ADDED_DEFAULTS: Final[Mapping[str, Any]] = {"program": ""}
"""Members that came later: the whole record has them only where they differ, so that older records stay as they are."""
_SCALARS: Final = tuple(
    name for name, value in _SNAPSHOT_DEFAULTS.items() if name != "approval" and not isinstance(value, list)
)
_ADDED_SEQUENCES: Final = ("facts", "targets")
_SEQUENCES: Final[Mapping[str, Callable[[Any], Any]]] = {
    "factors": dict,
    "facts": lambda item: item.value,
    "features": int,
    "quotas": list,
    "revocations": lambda item: [item.scope, item.target, item.since_us],
    "sources": lambda item: [item[0], list(item[1])],
    "stops": lambda item: [item.scope, item.target, item.since_us],
    "targets": lambda item: [item[0], item[1], list(item[2])],
}
_OUTCOME_DEFAULTS: Final[Mapping[str, Any]] = {
    "actual": [],
    "detail": "",
    "labels": [],
    "origin": "system",
    "output_digest": "",
    "output_len": 0,
    "quota": None,
    "status": "success",
    "tainted": False,
}


@dataclass(frozen=True, slots=True)
class DecisionResult:
    """What came of a decision, as its entry records it.

    Args:
        runs: the action may run now.
        authority_left: after the charge, 0..1_000_000; None without a chain.
        session_risk: 0..1000, after the action.
        executed_digest: keyed digest of the arguments that run, empty where none do.
        state: commitment to the session's state afterwards, None without a session.
        quota: commitment to the day's quota row, None where there is none.
        stored: commitment to the fingerprints of stored values, None where nothing was stored.
        recalled: the result of an earlier run was given back.
        withdrawn: id of a question that was taken back.
    """

    runs: bool
    authority_left: int | None
    session_risk: int
    executed_digest: str
    state: Mapping[str, Any] | None
    quota: Mapping[str, Any] | None = None
    stored: Mapping[str, Any] | None = None
    recalled: bool = False
    withdrawn: str = ""


def encode_decision(
    request: AccessRequest, snapshot: Snapshot, decision: Decision, result: DecisionResult, *, ts_us: int
) -> tuple[dict[str, Any], tuple[Part, Part]]:
    """The body of a decision's entry, whose time is `ts_us`, and the two parts that it names."""
    frame = encode_frame(
        request.subject.tenant,
        request.subject.agent,
        request.subject.user_assurance,
        Circumstances(
            session_source=request.context.session_source,
            origin=request.context.origin,
            assurance=request.context.assurance,
            abilities=request.context.abilities,
            chain=tuple([link.hash for link in snapshot.chain]),
            policy=snapshot.policy.hash,
            mode=snapshot.mode.value,
            control_version=snapshot.control_version,
            model_hash=snapshot.model_hash,
        ),
    )
    resource = encode_resource(request.resource)
    body: dict[str, Any] = {
        "args": pack_digest(request.args_digest),
        "frame": frame[0],
        "resource": resource[0],
        "seen": _encode_snapshot(snapshot, ts_us, result.state),
    }
    _add_request(body, request)
    verdict = _encode_verdict(decision)
    if verdict:
        body["decision"] = verdict
    if result.runs is not decision.effect.runs:
        body["dispatched"] = result.runs
    if result.authority_left is not None:
        body["left"] = result.authority_left
    if result.session_risk != snapshot.session_risk:
        body["session_risk"] = result.session_risk
    if result.executed_digest != (request.args_digest if result.runs else ""):
        body["executed"] = pack_digest(result.executed_digest)
    later = {
        "quota": result.quota,
        "recalled": result.recalled or None,
        "state": result.state,
        "stored": result.stored,
        "withdrawn": result.withdrawn or None,
    }
    body.update((name, value) for name, value in later.items() if value is not None)
    return body, (frame, resource)


def _add_request(body: dict[str, Any], request: AccessRequest) -> None:
    subject, context = request.subject, request.context
    if context.call_id:
        body["call"] = context.call_id
    if context.turn:
        body["turn"] = context.turn
    if subject.user:
        body["user"] = subject.user
    if subject.chain != _default_chain(subject.user, subject.agent):
        body["chain"] = list(subject.chain)
    if request.problem:
        body["problem"] = request.problem
    trigger = {"kind": context.trigger.kind}
    if context.trigger.digest:
        trigger["text"] = pack_digest(context.trigger.digest)
    if context.trigger.ref != context.turn:
        trigger["ref"] = context.trigger.ref
    body["trigger"] = trigger


def _default_chain(user: str, agent: str) -> tuple[str, ...]:
    return (user, agent) if user else (agent,)


def _encode_snapshot(  # noqa: C901  one branch for each kind of member
    snapshot: Snapshot, ts_us: int, state: Mapping[str, Any] | None
) -> dict[str, Any]:
    seen = _encode_session(snapshot.session, snapshot.time_us, state)
    if snapshot.time_us != ts_us:
        seen["time_us"] = snapshot.time_us
    if snapshot.envelopes:
        seen["accounts"] = [_encode_account(item, snapshot.session.opened_us) for item in snapshot.envelopes]
    if snapshot.provenance:
        grouped: dict[str, list[str]] = {}
        for pointer, source in snapshot.provenance:
            grouped.setdefault(source.value, []).append(pointer)
        seen["provenance"] = grouped
    for name in _SCALARS:
        value = getattr(snapshot, name)
        if value != _SNAPSHOT_DEFAULTS[name]:
            seen[name] = value
    for name, default in _ADDED_DEFAULTS.items():
        value = getattr(snapshot, name)
        if value != default:
            seen[name] = str(value)
    for name, encode in _SEQUENCES.items():
        items = getattr(snapshot, name)
        if items:
            seen[name] = [encode(item) for item in items]
    if snapshot.approval is not None:
        seen["approval"] = snapshot.approval.to_plain()
    return seen


def _encode_session(session: SessionView, time_us: int, state: Mapping[str, Any] | None) -> dict[str, Any]:
    tree: dict[str, Any] = {"opened_us": session.opened_us, "steps": session.steps}
    if session.high_water_us != session.opened_us:
        tree["idle_us"] = time_us - session.high_water_us
    if session.tainted:
        tree["taint"] = list(session.taint_sources)
    if state is None or session.version != state["version"] - 1:
        tree["version"] = session.version
    return tree


def _encode_account(account: Envelope, opened_us: int) -> dict[str, Any]:
    spent = {unit: [reserved, done] if reserved else done for unit, reserved, done in account.spent}
    tree: dict[str, Any] = {"link": account.link, "spent": spent}
    if account.base_risk:
        tree["base_risk"] = account.base_risk
    if account.base_step:
        tree["base_step"] = account.base_step
    if account.epoch != 1:
        tree["epoch"] = account.epoch
    if account.since_us != opened_us:
        tree["since_us"] = account.since_us
    return tree


def _encode_verdict(decision: Decision) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    if decision.effect is not Effect.ALLOW:
        tree["effect"] = decision.effect.value
    if decision.charges:
        tree["charges"] = dict(decision.charges)
    if decision.obligations:
        tree["obligations"] = [item.to_plain() for item in decision.obligations]
    if decision.reasons != GRANTED:
        tree["reasons"] = [_encode_reason(item) for item in decision.reasons]
    return tree


GRANTED: Final = (Reason("granted", effect=Effect.ALLOW.value),)
"""The reasons of an action that every rule lets run as it is."""


def _encode_reason(reason: Reason) -> dict[str, str]:
    tree = {"code": reason.code}
    if reason.source:
        tree["source"] = reason.source
    if reason.detail:
        tree["detail"] = reason.detail
    if reason.effect != Effect.DENY.value:
        tree["effect"] = reason.effect
    return tree


@lru_cache(maxsize=4096)
def encode_resource(resource: Resource) -> Part:
    """A resource as a part."""
    return _make_part(resource.to_plain())


class Circumstances(NamedTuple):
    """What many decisions have in common; see `Context` and `Snapshot` for the members."""

    session_source: str
    origin: Origin
    assurance: str
    abilities: tuple[str, ...]
    chain: tuple[str, ...]
    policy: str
    mode: str
    control_version: int
    model_hash: str


@lru_cache(maxsize=4096)
def encode_frame(tenant: str, agent: str, user_assurance: str, circumstances: Circumstances) -> Part:
    """Circumstances of an agent's decisions, as a part."""
    tree = circumstances._asdict() | {
        "abilities": list(circumstances.abilities),
        "agent": agent,
        "chain": list(circumstances.chain),
        "origin": circumstances.origin.to_plain(),
        "tenant": tenant,
        "user_assurance": user_assurance,
    }
    return _make_part(tree)


def _make_part(tree: dict[str, Any]) -> Part:
    data = canonical.dumps(tree)
    return pack_digest(canonical.digest(PART_DOMAIN, data)), data


def pack_digest(digest: str) -> str:
    """A digest as entries hold it: base64 of its 32 bytes; empty stays empty."""
    return binascii.b2a_base64(read_digest(digest), newline=False).decode("ascii") if digest else ""


def unpack_digest(packed: str, kind: str = _PLAIN) -> str:
    """Inverse of `pack_digest`; ValueError for what is none."""
    if not packed:
        return ""
    data = binascii.a2b_base64(packed, strict_mode=True)
    if len(data) != 32:
        raise ValueError("a digest has 32 bytes")
    return kind + data.hex()


def expand_entry(entry: LedgerEntry, read_part: ReadPart) -> LedgerEntry:
    """The entry with the whole record of its decision or outcome as its body; any other entry as it is.

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
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        raise Tampered("malformed_entry", f"the entry {entry.id} holds no record: {exc}") from exc
    return replace(entry, body=body)


class PartReader:
    """Reads parts by digest, and keeps those it has parsed; bounded.

    Args:
        load_blob: hash → bytes, None where there are none.
    """

    def __init__(self, load_blob: Callable[[str], bytes | None]) -> None:
        self._load_blob = load_blob
        self._trees: dict[str, Mapping[str, Any]] = {}

    def __call__(self, name: str) -> Mapping[str, Any]:
        """The tree of a part.

        Raises:
            Tampered: `part_missing` or `part_altered`.
        """
        tree = self._trees.get(name)
        if tree is None:
            tree = self._parse(name)
            if len(self._trees) >= _MAX_PARTS:
                self._trees.clear()
            self._trees[name] = tree
        return tree

    def _parse(self, name: str) -> Mapping[str, Any]:
        full_name = unpack_digest(name)
        data = self._load_blob(full_name)
        if data is None:
            raise Tampered("part_missing", f"blob {full_name}, which an entry names, is missing")
        if canonical.digest(PART_DOMAIN, data) != full_name:
            raise Tampered("part_altered", f"blob {full_name} does not have this hash")
        tree: Mapping[str, Any] = orjson.loads(data)
        return tree


def expand_decision(body: Mapping[str, Any], *, session: str, ts_us: int, read_part: ReadPart) -> dict[str, Any]:
    """The whole record of a decision: `request`, `snapshot`, `decision`, what came of it, and the justification.

    Raises:
        KeyError, TypeError, ValueError: the body is no decision's, or a part is missing.
    """
    frame, resource = read_part(body["frame"]), read_part(body["resource"])
    verdict = _expand_verdict(body.get("decision", {}))
    snapshot = _expand_snapshot(body, frame, session, ts_us)
    decision = Decision.from_plain(verdict)
    runs = body.get("dispatched", decision.effect.runs)
    args_digest = unpack_digest(body["args"], KEYED_DIGEST)
    executed = unpack_digest(body["executed"], KEYED_DIGEST) if "executed" in body else args_digest if runs else ""
    accounts = [charge_account(Envelope.from_plain(item), decision.charges) for item in snapshot["envelopes"]]
    tree = {
        "after": {
            "authority": body.get("left"),
            "budgets": [[account.link, *item] for account in accounts for item in account.spent],
            "risk": body.get("session_risk", snapshot["session_risk"]),
            "steps": snapshot["session"]["steps"] + 1,
        },
        "decision": verdict,
        "dispatched": runs,
        "executed_digest": executed,
        "justification": justify_decision(decision, resource["id"]),
        "quota": body.get("quota"),
        "request": _expand_request(body, frame, resource, session, args_digest),
        "snapshot": snapshot,
        "state": body.get("state"),
    }
    for name in ("recalled", "stored", "withdrawn"):
        if name in body:
            tree[name] = body[name]
    return tree


def _expand_request(
    body: Mapping[str, Any], frame: Mapping[str, Any], resource: Mapping[str, Any], session: str, args_digest: str
) -> dict[str, Any]:
    user, agent, turn = body.get("user", ""), frame["agent"], body.get("turn", "")
    call_id, trigger = body.get("call", ""), body["trigger"]
    return {
        "args_digest": args_digest,
        "context": {
            "abilities": frame["abilities"],
            "assurance": frame["assurance"],
            "call_id": call_id,
            "origin": frame["origin"],
            "session": session,
            "session_source": frame["session_source"],
            "trigger": {
                "digest": unpack_digest(trigger.get("text", ""), KEYED_DIGEST),
                "kind": trigger["kind"],
                "ref": trigger.get("ref", turn),
            },
            "turn": turn,
        },
        "kind": resource["kind"],
        "problem": body.get("problem", ""),
        "request_id": compute_request_id(
            session, agent, turn, call_id, kind=resource["kind"], resource=resource["id"], args_digest=args_digest
        ),
        "resource": resource,
        "subject": {
            "agent": agent,
            "chain": body.get("chain", list(_default_chain(user, agent))),
            "tenant": frame["tenant"],
            "user": user,
            "user_assurance": frame["user_assurance"],
        },
    }


def _expand_snapshot(body: Mapping[str, Any], frame: Mapping[str, Any], session: str, ts_us: int) -> dict[str, Any]:
    seen, state = body["seen"], body.get("state")
    time_us, opened_us = seen.get("time_us", ts_us), seen["opened_us"]
    provenance = [[pointer, source] for source, pointers in seen.get("provenance", {}).items() for pointer in pointers]
    return {
        **{name: seen.get(name, value) for name, value in _SNAPSHOT_DEFAULTS.items()},
        # Entries from before these were recorded expand to what they always did.
        **{name: seen[name] for name in (*_ADDED_SEQUENCES, *_ADDED_DEFAULTS) if name in seen},
        "chain": frame["chain"],
        "control_version": frame["control_version"],
        "envelopes": [_expand_account(item, opened_us) for item in seen.get("accounts", ())],
        "mode": frame["mode"],
        "model_hash": frame["model_hash"],
        "policy": frame["policy"],
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
        "time_us": time_us,
    }


def _expand_account(tree: Mapping[str, Any], opened_us: int) -> dict[str, Any]:
    spent = [[unit, *(item if isinstance(item, list) else (0, item))] for unit, item in sorted(tree["spent"].items())]
    return {
        "base_risk": tree.get("base_risk", 0),
        "base_step": tree.get("base_step", 0),
        "epoch": tree.get("epoch", 1),
        "link": tree["link"],
        "since_us": tree.get("since_us", opened_us),
        "spent": spent,
    }


def _expand_verdict(tree: Mapping[str, Any]) -> dict[str, Any]:
    reasons = tree.get("reasons")
    return {
        "charges": [[unit, amount] for unit, amount in sorted(tree.get("charges", {}).items())],
        "effect": tree.get("effect", Effect.ALLOW.value),
        "obligations": tree.get("obligations", []),
        "reasons": [item.to_plain() for item in GRANTED]
        if reasons is None
        else [{"code": "", "detail": "", "effect": Effect.DENY.value, "source": "", **item} for item in reasons],
    }


def encode_outcome(tree: Mapping[str, Any], writer: str) -> dict[str, Any]:
    """The body of an outcome's entry by `writer`, from the whole record."""
    place = tree["decision"]
    body = {name: tree[name] for name, value in _OUTCOME_DEFAULTS.items() if tree.get(name, value) != value}
    if "output_digest" in body:
        body["output_digest"] = pack_digest(body["output_digest"])
    # The writer's chain binds its earlier entries; of another writer's entry the leaf is named too.
    body["decision"] = place["ws"] if place["w"] == writer else place
    if tree.get("state") is not None:
        body["state"] = tree["state"]
    return body


def expand_outcome(body: Mapping[str, Any], writer: str) -> dict[str, Any]:
    """Inverse of `encode_outcome`; where the decision is of the same writer, without its leaf."""
    place = body["decision"]
    tree = {name: body.get(name, value) for name, value in _OUTCOME_DEFAULTS.items()}
    tree["output_digest"] = unpack_digest(tree["output_digest"], KEYED_DIGEST)
    tree["decision"] = {"w": writer, "ws": place} if isinstance(place, int) else place
    if "state" in body:
        tree["state"] = body["state"]
    return tree


def justify_decision(decision: Decision, resource: str) -> str:
    """One plain sentence saying why, from the reason codes; no argument's value appears in it."""
    parts = []
    for reason in decision.reasons:
        title = get_reason_text(reason.code).title
        where = f" ({reason.source})" if reason.source else ""
        parts.append(f"{title}: {reason.detail}{where}" if reason.detail else f"{title}{where}")
    return f"{decision.effect.value} `{resource}`: " + "; ".join(parts)
