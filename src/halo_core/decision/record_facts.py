"""The members of a recorded decision or outcome that verification reads, without expanding the whole record.

    body = extract_decision(compact, session=..., ts_us=..., read_part=...)
    if body is None: body = expand_decision(compact, ...)

The result is None unless every member that the expansion depends on has its ordinary form, in which case the expansion
cannot fail.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from halo_core.crypto.keys import KEYED_DIGEST
from halo_core.decision.record_members import GRANTED, unpack_trace
from halo_core.decision.record_parts import Frame, ReadPart, unpack_digest
from halo_core.model import Effect, compute_request_id

_RUNS: Final[Mapping[str, bool]] = {effect.value: effect.runs for effect in Effect}
_GRANTED: Final = [reason.to_plain() for reason in GRANTED]
_REASON_MEMBERS: Final = frozenset(_GRANTED[0])
_FRAME_MEMBERS: Final = frozenset(("agent", "chain", "host"))
_HOST_MEMBERS: Final = frozenset(
    (
        "abilities",
        "assurance",
        "control_version",
        "mode",
        "model_hash",
        "origin",
        "policy",
        "session_source",
        "tenant",
        "user_assurance",
    )
)
_RESOURCE_MEMBERS: Final = frozenset(("id", "kind"))
_STATE_MEMBERS: Final = ("quota", "released", "state", "stored", "sums")


def extract_decision(
    body: Mapping[str, Any], *, session: str, ts_us: object, read_part: ReadPart
) -> dict[str, Any] | None:
    """Extract the members of a decision's record that checks read; None if only the expansion can tell them.

    Raises:
        KeyError, TypeError, ValueError: as `expand_decision`.
        Tampered: a part is missing or was altered.
    """
    (frame, host), resource = Frame.read(body["frame"], read_part), read_part(body["resource"])
    decision, seen, trigger = body.get("decision", {}), body["seen"], body["trigger"]
    if (
        not _is_ordinary_frame(frame, host)
        or type(resource) is not dict
        or not resource.keys() >= _RESOURCE_MEMBERS
        or "model" in body
        or type(ts_us) is not int
        or type(trigger) is not dict
        or "kind" not in trigger
        or not _is_ordinary_decision(decision)
        or not _is_ordinary_view(seen, body.get("state"))
    ):
        return None
    chain = [unpack_digest(name) for name in frame["chain"]]
    for name in (trigger.get("text", ""), body.get("child", "")):
        unpack_digest(name)
    unpack_trace(body.get("trace", ""))
    if "executed" in body:
        unpack_digest(body["executed"])
    runs = body.get("dispatched", _RUNS[decision.get("effect", "allow")])
    result = {
        "decision": {"reasons": decision.get("reasons", _GRANTED)},
        "dispatched": runs,
        "request": _extract_request(body, session, frame["agent"], resource, runs=runs),
        "snapshot": {
            "approval": seen.get("approval"),
            "chain": chain,
            "mode": host["mode"],
            "policy": host["policy"],
        },
    }
    if "known" in body:
        result["known"] = [[kind, unpack_digest(digest, KEYED_DIGEST)] for kind, digest in body["known"]]
    for name in _STATE_MEMBERS:
        if name in body:
            result[name] = body[name]
    return result


def _is_ordinary_frame(frame: object, host: object) -> bool:
    """Whether the parts about agent and host have the members that are read, and a list as the chain."""
    return (
        type(frame) is dict
        and frame.keys() >= _FRAME_MEMBERS
        and type(host) is dict
        and host.keys() >= _HOST_MEMBERS
        and type(frame["chain"]) is list
    )


def _extract_request(
    body: Mapping[str, Any], session: str, agent: str, resource: Mapping[str, Any], *, runs: bool
) -> dict[str, Any]:
    """Extract the members of the request that checks read.

    Its id if it ran, and the digest of its arguments if it was approved.
    """
    request: dict[str, Any] = {"resource": resource, "subject": {"agent": agent}}
    args_digest = unpack_digest(body["args"], KEYED_DIGEST)
    if runs:
        request["request_id"] = compute_request_id(
            session,
            agent,
            body.get("turn", ""),
            body.get("call", ""),
            kind=resource["kind"],
            resource=resource["id"],
            args_digest=args_digest,
        )
    if body["seen"].get("approval"):
        request["args_digest"] = args_digest
    return request


def _is_ordinary_decision(decision: object) -> bool:
    """Whether a decision has a known effect, whole charges, no obligations and only known reason members."""
    if type(decision) is not dict or "obligations" in decision:
        return False
    effect, charges = decision.get("effect", "allow"), decision.get("charges")
    if type(effect) is not str or effect not in _RUNS or not (charges is None or _are_whole(charges)):
        return False
    reasons = decision.get("reasons")
    return reasons is None or (type(reasons) is list and all(map(_is_ordinary_reason, reasons)))


def _is_ordinary_reason(reason: object) -> bool:
    return type(reason) is dict and reason.keys() <= _REASON_MEMBERS and type(reason.get("code", "")) is str


def _is_ordinary_view(seen: object, state: object) -> bool:
    """Whether the session's view has the types that the expansion computes with."""
    if type(seen) is not dict or type(seen.get("opened_us")) is not int or type(seen.get("steps")) is not int:
        return False
    is_timed = type(seen.get("time_us", 0)) is int and type(seen.get("idle_us", 0)) is int
    if not is_timed or not (state is None or (type(state) is dict and type(state.get("version")) is int)):
        return False
    accounts, provenance, targets = seen.get("accounts"), seen.get("provenance"), seen.get("targets")
    if accounts is not None and not (type(accounts) is list and all(map(_is_ordinary_account, accounts))):
        return False
    if targets is not None and not (type(targets) is list and all(map(_is_ordinary_target, targets))):
        return False
    return provenance is None or (type(provenance) is dict and all(map(_are_texts, provenance.values())))


def _is_ordinary_account(account: object) -> bool:
    return type(account) is dict and "link" in account and _are_whole(account.get("spent"), pairs=True)


def _are_whole(amounts: object, *, pairs: bool = False) -> bool:
    """Whether amounts by unit are integers, or pairs of integers if allowed."""
    if type(amounts) is not dict:
        return False
    for amount in amounts.values():
        if type(amount) is int:
            continue
        if not (pairs and type(amount) is list and len(amount) == 2 and set(map(type, amount)) == {int}):
            return False
    return True


def _is_ordinary_target(target: object) -> bool:
    return type(target) is list and len(target) > 1 and _are_texts(target)


def _are_texts(items: object) -> bool:
    return type(items) is list and set(map(type, items)) <= {str}


def extract_outcome(body: Mapping[str, Any], writer: str) -> dict[str, Any]:
    """Extract the members of an outcome's record that checks read.

    Raises:
        KeyError, TypeError, ValueError: as `expand_outcome`.
    """
    place = body["decision"]
    unpack_digest(body.get("output_digest", ""))
    result = {
        "decision": {"w": writer, "ws": place} if isinstance(place, int) else place,
        "quota": body.get("quota"),
        "status": body.get("status", "success"),
    }
    if "state" in body:
        result["state"] = body["state"]
    return result
