"""Reversals and overrides as an auditor asks for them: which decisions, by whom, what came of it, what is overdue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from halo_core.authorities import Authorities
from halo_core.crypto.keys import KeyStore
from halo_core.enforcement.reversals import is_finding_signed
from halo_core.evidence.answers import Answer, Period, format_moment
from halo_core.evidence.room import QueryRoom, RoomEntry
from halo_core.model import EntryKind, format_entry_id
from halo_core.oversight.overrides import Override, find_reviewer, list_overrides
from halo_core.store.reader import SealedContents

_COLUMNS: Final = ("at", "decision", "tool", "act", "by", "status", "why")
_OVERRIDE_COLUMNS: Final = ("at", "override", "decision", "tool", "direction", "by", "status", "review", "due")
_REFUSED_ACTS: Final = ("override allow", "override deny", "reverse")
_LEFT_OPEN: Final = frozenset({"cancelled", "error", "paused", "unknown"})
_US: Final = 1_000_000


def answer_reversals(room: QueryRoom, period: Period) -> Answer:
    """Which decisions were reversed or overridden, and which could not be reversed.

    The claim fails where a reversal was begun and nobody has said what came of it.

    Args:
        room: the log.
        period: when it was ordered or tried. What came of it is taken from the whole log.
    """
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    begun: dict[str, tuple[str, int]] = {}
    others: list[dict[str, Any]] = []
    later = Period(period.from_us, max(period.to_us, room.now_us + 1))
    people = load_approver_keys(room)
    for entry in room.entries((EntryKind.REVERSAL, EntryKind.OVERRIDE, EntryKind.ACCESS), later):
        if entry.kind == EntryKind.REVERSAL:
            if is_finding_proven(room, entry, people):
                _add_reversal(room, period, entry, rows, begun)
        elif period.contains(entry.ts_us):
            others += _describe_other(room, entry)
    if begun:
        for outcome in room.outcomes(later):
            key = begun.get(outcome.decision)
            if key is not None and rows[key]["status"] == "unknown":
                rows[key]["status"] = "reversed" if outcome.status == "success" else outcome.status
    listed = sorted((*rows.values(), *others), key=lambda row: str(row["at"]))
    findings = [
        f"the reversal of {row['decision']} is `{row['status']}`: look in the system that it reached, and confirm it"
        for row in rows.values()
        if row["status"] in _LEFT_OPEN
    ]
    return room.conclude(
        period,
        counted=len(listed),
        what="reversals and overrides, done or refused",
        claim="of every reversal that was begun it is known what came of it",
        findings=findings,
        columns=_COLUMNS,
        rows=listed,
        notes=("a reversal is what a tool's own callable did; that the other system did it too, Halo cannot see",),
    )


def load_approver_keys(room: QueryRoom) -> dict[str, bytes]:
    """Thumbprint → public key of every approver who was ever enrolled."""
    known = {} if room.home is None else Authorities(room.home).load(room.tenant).approvers
    return {kid: item.public_key for kid, item in known.items()}


def find_review_signer(room: QueryRoom, entry: RoomEntry, people: Mapping[str, bytes]) -> str:
    """Thumbprint of the approver who signed exactly this review of an override; empty where nobody has."""
    store = str((room.reader.control(room.tenant) or (0, ""))[1])
    return find_reviewer(entry.body, people, store, room.tenant)


def is_finding_proven(room: QueryRoom, entry: RoomEntry, people: Mapping[str, bytes]) -> bool:
    """Whether an entry of a reversal says what it may: what was found, an approver has signed."""
    reverses, store = entry.body["reverses"], str((room.reader.control(room.tenant) or (0, ""))[1])
    decision = format_entry_id(reverses["w"], reverses["ws"])
    return entry.body["op"] != "confirm" or is_finding_signed(entry.body, decision, people, store, room.tenant)


def _add_reversal(
    room: QueryRoom,
    period: Period,
    entry: RoomEntry,
    rows: dict[tuple[str, int], dict[str, Any]],
    begun: dict[str, tuple[str, int]],
) -> None:
    body = entry.body
    reverses = body["reverses"]
    key = (format_entry_id(reverses["w"], reverses["ws"]), int(body["attempt"]))
    if body["op"] == "request" and period.contains(entry.ts_us):
        is_over = room.now_us >= body["expires_s"] * _US
        rows[key] = {
            "act": body["method"],
            "at": format_moment(entry.ts_us),
            "by": room.name_of(body.get("actor", "")),
            "decision": key[0],
            "status": "expired, not carried out" if is_over else "ordered",
            "tool": body["resource"].removesuffix(f".{body['method']}"),
            "why": body["why"],
        }
    elif body["op"] == "begin" and (key in rows or period.contains(entry.ts_us)):
        row = {"act": body["method"], "at": format_moment(entry.ts_us), "by": "", "decision": key[0], "tool": ""}
        rows.setdefault(key, {**row, "why": "ordered before the period"})["status"] = "unknown"
        begun[format_entry_id(body["decision"]["w"], body["decision"]["ws"])] = key
    elif body["op"] == "confirm" and key in rows:
        rows[key]["status"] = "reversed" if body["finding"] == "done" else "not done, as a person found"


def _describe_other(room: QueryRoom, entry: RoomEntry) -> list[dict[str, Any]]:
    """A row of an override, or of an act that was refused; none of other entries."""
    body, at = entry.body, format_moment(entry.ts_us)
    if entry.kind == EntryKind.OVERRIDE and body.get("op") == "grant":
        decision = next(target for relation, target in body["links"] if relation == "overrides")
        row = {
            "act": f"override {body['direction']}",
            "status": "granted",
            "tool": body["resource"],
            "why": body["why"],
        }
    elif entry.kind == EntryKind.ACCESS and body.get("refused") in _REFUSED_ACTS:
        decision = str(body["what"].get("decision", body["what"].get("confirm", "")))
        row = {"act": body["refused"], "status": f"refused: {body['code']}", "tool": "", "why": ""}
    else:
        return []
    return [{"at": at, "by": room.name_of(body.get("actor", "")), "decision": decision, **row}]


def answer_override_reviews(room: QueryRoom, period: Period) -> Answer:
    """Whether a second person has reviewed each override of a period in time; a control check.

    An override whose review is not due yet is listed, and is no finding.
    """
    rows, findings = [], []
    if room.home is None:
        return room.cannot_tell(period, "without the home nobody can tell who signed")
    opener = SealedContents.with_home_key(room.reader, KeyStore(room.home)).open
    for item in list_overrides(room.reader, room.home, room.tenant, opener=opener, now_us=room.now_us):
        if not period.contains(item.since_us):
            continue
        rows.append(_describe_override(item))
        if item.review == "overdue":
            due = format_moment(item.review_by_us)
            findings.append(f"override {item.id} of {item.decision} was to be reviewed by {due}, and was not")
        elif item.reviewed_us > item.review_by_us:
            findings.append(f"override {item.id} of {item.decision} was reviewed late")
    return room.conclude(
        period,
        counted=len(rows),
        what="overrides",
        claim="a second person has reviewed each override in time",
        findings=findings,
        columns=_OVERRIDE_COLUMNS,
        rows=rows,
    )


def _describe_override(item: Override) -> dict[str, Any]:
    return {
        "at": format_moment(item.since_us),
        "by": item.by,
        "decision": item.decision,
        "direction": item.direction,
        "due": format_moment(item.review_by_us),
        "override": item.id,
        "review": item.review,
        "status": item.status,
        "tool": item.resource,
    }
