"""The log in forms that other programs read: JSON lines, CSV for samples and spreadsheets, OCSF events for a SIEM.

    for line in iter_jsonl(log, period): ...
    for line in iter_csv(log, DecisionFilter(period)): ...
    for event in iter_events(log, period): ...

All are streams. They carry references in place of names of people and sessions, unless the log's reader opens names.

Entries as events of the Open Cybersecurity Schema Framework:

| entry | class |
|---|---|
| decision about a tool, a model or a hand-off | API Activity (6003) |
| decision about a retriever | Datastore Activity (6005) |
| alert, acknowledgement, verdict on an alert | Detection Finding (2004) |
| start and end of a writer, access to the log | Event Log Activity (1008) |
| passport, stop, approval, policy, mode and every other act of control | Entity Management (3004) |

An outcome is part of the event of its decision. What OCSF has no member for stands in `unmapped.halo`. The mapping is
to 1.8.0, with whose schema the tests validate. Version 1.9 adds the object `ai_agent`; no validator of it could be had,
so it is written only when asked for.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import Any, Final

import orjson

from halo_core.clock import format_iso
from halo_core.evidence.answers import Period
from halo_core.evidence.audit_log import Action, AuditEntry, AuditLog, DecisionFacts, DecisionFilter
from halo_core.model import EntryKind
from halo_core.views.wording import escape_unprintable

COLUMNS: Final = (
    "position", "id", "time", "tenant", "session", "agent", "person", "chain", "kind", "resource", "system", "impact",
    "labels", "effect", "reasons", "rules", "ran", "outcome", "mode", "policy", "passports", "arguments", "host",
    "process", "approver", "trace",
)  # fmt: skip
"""Titles of the CSV, in order."""

_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""First characters by which a spreadsheet may take a cell for a formula (CWE-1236), full-width ones among them."""
_BLANKS: Final = "".join(char for char in map(chr, range(0x3001)) if char.isspace()) + "\u200b\u2060\ufeff"
"""What a spreadsheet may drop from the start of a cell."""


OCSF_VERSIONS: Final = ("1.8.0", "1.9.0")
_PRODUCT: Final = {"name": "Halo", "vendor_name": "Halo", "version": metadata.version("halo-agents")}
_ACTIONS: Final = {"allow": (1, 1), "monitor": (3, 17), "restrict": (4, 11), "challenge": (99, 23), "deny": (2, 2)}
"""Effect → `action_id` and `disposition_id`."""
_SEVERITIES: Final = {"allow": 1, "monitor": 2, "restrict": 2, "challenge": 3, "deny": 3}
_API_ACTIVITIES: Final = {"read": 2, "write": 3, "create": 1, "delete": 4}
_QUERY: Final = 4  # of Datastore Activity
_OTHER_ACTIVITY: Final = 99
_FAILED: Final = frozenset({"error", "denied", "cancelled", "timeout"})
_LOG_ACTS: Final = {"export": 3}
_ENTITY_ACTS: Final = {
    EntryKind.REGISTRATION: 6,
    EntryKind.PASSPORT: 1,
    EntryKind.STOP: 12,
    EntryKind.LIFT: 13,
    EntryKind.REVOCATION: 11,
}

_HIGH_RISK: Final = 800


def iter_jsonl(log: AuditLog, period: Period) -> Iterator[bytes]:
    """Every entry of a period, whole, as a JSON document a line, in log order.

    Args:
        log: the tenant's audit log.
        period: when.

    Raises:
        Tampered: an entry cannot be read.
        NotVerified: the log is not whole.
    """
    for row in log.entries((), period):
        note = log.reader.note_at_index(log.tenant, row.index)
        if note is not None:
            entry = log.reader.read_note(row.index, note).entry
            yield encode_ascii_json({"index": row.index, **entry.to_json()}) + b"\n"


def encode_ascii_json(tree: Mapping[str, Any]) -> bytes:
    """A tree as JSON in printable ASCII: a file of it can be shown on a terminal, and reads back as the same tree."""
    data = orjson.dumps(tree)
    return data if data.isascii() and b"\x7f" not in data else json.dumps(tree, separators=(",", ":")).encode()


def iter_csv(log: AuditLog, wanted: DecisionFilter) -> Iterator[str]:
    r"""Decisions with the outcome of their actions as lines of CSV (RFC 4180), the titles first.

    Every cell is quoted. One that a spreadsheet could take for a formula begins with an apostrophe. What would act on
    a terminal, or not be seen, is shown as an escape, such as `\x1b`.

    Args:
        log: the tenant's audit log.
        wanted: which decisions.

    Raises:
        Tampered: an entry cannot be read.
        NotVerified: the log is not whole.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for action in log.actions(wanted):
        yield _drain(text)
        row = describe_action(log, action)
        writer.writerow([make_cell(row[name]) for name in COLUMNS])
    yield _drain(text)


def _drain(text: io.StringIO) -> str:
    """The text written so far, which is removed."""
    line = text.getvalue()
    text.seek(0)
    text.truncate()
    return line


def make_cell(value: Any) -> str:
    """A value as the text of a cell that no spreadsheet takes for a formula, and no terminal obeys."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    is_formula = text.startswith(_FORMULA_STARTS) or text.lstrip(_BLANKS).startswith(_FORMULA_STARTS)
    return ("'" if is_formula else "") + escape_unprintable(text)


def describe_action(log: AuditLog, action: Action) -> dict[str, Any]:
    """What is exported of a decision and its outcome: the values of `COLUMNS`."""
    decision, outcome = action
    origin: Mapping[str, Any] = decision.host.get("origin", {})
    approval = decision.approval or {}
    return {
        "position": decision.index,
        "id": decision.id,
        "time": format_iso(decision.ts_us),
        "tenant": log.tenant,
        "session": decision.session,
        "agent": decision.agent,
        "person": log.name_of(decision.user),
        "chain": [log.name_of(name) for name in decision.acting],
        "kind": decision.kind,
        "resource": decision.resource,
        "system": decision.system,
        "impact": decision.impact,
        "labels": list(decision.labels),
        "effect": decision.effect,
        "reasons": list(decision.reasons),
        "rules": [rule for rule in decision.rules if rule],
        "ran": action.ran,
        "outcome": None if outcome is None else outcome.status,
        "mode": decision.host.get("mode", ""),
        "policy": decision.host.get("policy", ""),
        "passports": list(decision.chain),
        "arguments": decision.args_digest,
        "host": origin.get("host", ""),
        "process": origin.get("process", ""),
        "approver": log.name_of(str(approval.get("approver", ""))) if approval else None,
        "trace": decision.trace,
    }


def iter_events(log: AuditLog, period: Period, *, version: str = "1.8.0") -> Iterator[dict[str, Any]]:
    """An event for each entry of a period; an outcome is part of its decision's event, which comes in its place.

    Args:
        log: the tenant's audit log.
        period: when.
        version: version of OCSF, one of `OCSF_VERSIONS`.

    Raises:
        Tampered: an entry cannot be read.
        NotVerified: the log is not whole.
    """
    for action in log.actions(DecisionFilter(period)):
        yield _build_decision(log, action, version)
    for entry in log.entries((), period):
        if entry.kind not in (EntryKind.DECISION, EntryKind.OUTCOME):
            yield _build_other(log, entry, version)


def _build_decision(log: AuditLog, action: Action, version: str) -> dict[str, Any]:
    decision, outcome = action
    is_retrieval = decision.kind == "retrieval"
    api_activity = _API_ACTIVITIES.get(decision.impact, _OTHER_ACTIVITY)
    event_class = (6005, _QUERY) if is_retrieval else (6003, api_activity)
    action_id, disposition_id = _ACTIONS[decision.effect]
    if decision.dispatched and decision.effect in ("challenge", "deny"):
        action_id, disposition_id = 3, 17  # observe mode let it run
    event = _build_base(log, event_class, decision.ts_us, version, _SEVERITIES[decision.effect])
    event["metadata"] |= {
        "correlation_uid": decision.session or "none",
        "profiles": ["ai_operation", "security_control"],
        "sequence": decision.index,
        "uid": decision.id,
    }
    event |= {
        "action_id": action_id,
        "actor": _build_actor(log, decision),
        "disposition_id": disposition_id,
        "message": f"{decision.effect} {decision.kind} {decision.resource}: {', '.join(decision.reasons)}",
        "src_endpoint": _build_endpoint(decision.host.get("origin", {})),
        "status_id": 0 if outcome is None else _find_status(outcome.status),
        "unmapped": {"halo": describe_action(log, action)},
    }
    if outcome is not None:
        event["status_detail"] = outcome.status
    if is_retrieval:
        event["database"] = {"name": decision.resource, "type_id": 0, "uid": decision.resource}
    else:
        service = {"service": {"name": decision.system}} if decision.system else {}
        event["api"] = {"operation": decision.resource, "request": {"uid": decision.id}, **service}
        resource = {"labels": list(decision.labels), "type": decision.kind, "uid": decision.resource}
        event["resources"] = [resource | {"name": decision.resource}]
    if decision.kind == "inference":
        event["ai_model"] = _find_model(log, decision)
    if version != "1.8.0":
        event["ai_agent"] = {"name": decision.agent, "uid": decision.agent}
    return event


def _find_status(status: str) -> int:
    if status in _FAILED:
        return 2
    return 1 if status == "success" else _OTHER_ACTIVITY


def _build_actor(log: AuditLog, decision: DecisionFacts) -> dict[str, Any]:
    authorization = {"decision": decision.effect, "policy": {"uid": str(decision.host.get("policy", ""))}}
    actor: dict[str, Any] = {
        "app_name": decision.agent,
        "app_uid": decision.agent,
        "authorizations": [authorization],
        "invoked_by": " > ".join(log.name_of(name) for name in decision.acting),
    }
    if decision.session:
        actor["session"] = {"uid": decision.session}
    if decision.user:
        actor["user"] = {"name": log.name_of(decision.user), "uid": decision.user}
    return actor


def _build_endpoint(origin: Mapping[str, Any]) -> dict[str, Any]:
    name = str(origin.get("host") or "unknown")
    return {"name": name, "svc_name": str(origin.get("process") or "unknown"), "uid": f"{name}/{origin.get('pid', 0)}"}


def _find_model(log: AuditLog, decision: DecisionFacts) -> dict[str, Any]:
    part = decision.body.get("model")
    tree = log.reader.part_reader(log.tenant)(part) if isinstance(part, str) else {}
    provider, model_version = tree.get("provider") or "unknown", tree.get("version")
    return {"ai_provider": provider, "name": decision.resource} | ({"version": model_version} if model_version else {})


def _build_other(log: AuditLog, entry: AuditEntry, version: str) -> dict[str, Any]:
    if entry.kind in (EntryKind.ALERT, EntryKind.FEEDBACK, "acknowledgement"):
        event = _build_finding(log, entry, version)
    elif entry.kind in (EntryKind.WRITER_OPEN, EntryKind.WRITER_CLOSE, EntryKind.ACCESS):
        event = _build_log_event(log, entry, version)
    else:
        event = _build_entity_event(log, entry, version)
    event["metadata"] |= {"sequence": entry.index, "uid": entry.id}
    event["unmapped"] = {"halo": {"body": _readable(entry.body), "kind": entry.kind, "session": entry.session}}
    return event


def _build_finding(log: AuditLog, entry: AuditEntry, version: str) -> dict[str, Any]:
    is_new = entry.kind == EntryKind.ALERT
    risk = entry.body.get("risk")
    severity = 4 if isinstance(risk, int) and risk >= _HIGH_RISK else 3
    event = _build_base(log, (2004, 1 if is_new else 2), entry.ts_us, version, severity if is_new else 1)
    about = str(entry.body.get("alert", entry.id)) if not is_new else entry.id
    title = str(entry.body.get("kind", entry.kind))
    return event | {
        "finding_info": {"title": f"{entry.kind}: {title}", "uid": about},
        "message": f"{entry.kind} {about}",
    }


def _build_log_event(log: AuditLog, entry: AuditEntry, version: str) -> dict[str, Any]:
    starts = {EntryKind.WRITER_OPEN: 6, EntryKind.WRITER_CLOSE: 7}
    act = str(entry.body.get("act", ""))
    activity = _LOG_ACTS.get(act, _OTHER_ACTIVITY) if entry.kind == EntryKind.ACCESS else starts[EntryKind(entry.kind)]
    event = _build_base(log, (1008, activity), entry.ts_us, version, 3 if act == "refused" else 1)
    words = f"{act or entry.kind} by {_find_actor(log, entry)}"
    return event | {"log_name": f"halo/{log.tenant}", "message": words, "status_id": 2 if act == "refused" else 1}


def _build_entity_event(log: AuditLog, entry: AuditEntry, version: str) -> dict[str, Any]:
    kind = entry.kind
    activity = next((number for control_kind, number in _ENTITY_ACTS.items() if kind == control_kind), 3)
    event = _build_base(log, (3004, activity), entry.ts_us, version, 1)
    target = next((str(entry.body[key]) for key in ("target", "agent", "hash", "id") if entry.body.get(key)), entry.id)
    actor = _find_actor(log, entry)
    event["actor"] = {"app_name": "halo", "user": {"name": actor, "uid": str(entry.body.get("actor") or "none")}}
    return event | {"entity": {"name": target, "type": kind, "uid": target}, "message": f"{kind} {target}"}


def _find_actor(log: AuditLog, entry: AuditEntry) -> str:
    actor = entry.body.get("actor")
    return log.name_of(actor) if isinstance(actor, str) and actor else "the process"


def _build_base(log: AuditLog, uids: tuple[int, int], ts_us: int, version: str, severity: int) -> dict[str, Any]:
    class_uid, activity = uids
    return {
        "activity_id": activity,
        "category_uid": class_uid // 1000,
        "class_uid": class_uid,
        "metadata": {
            "log_name": f"halo/{log.tenant}",
            "product": dict(_PRODUCT),
            "tenant_uid": log.tenant,
            "version": version,
        },
        "severity_id": severity,
        "time": ts_us // 1000,
        "type_uid": class_uid * 100 + activity,
    }


def _readable(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "seen"}
