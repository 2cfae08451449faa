"""One entry of the ledger in full, with its content masked or revealed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from halo_core.alerts.messages import BREAK_GLASS, AgentAlert, read_agent_alert
from halo_core.behaviour.measures import MEASURES, show_value
from halo_core.clock import format_iso
from halo_core.errors import PassportError
from halo_core.identities.day_alerts import DayAlert, is_about_identity
from halo_core.model import (
    ActionKind,
    Effect,
    EntryKind,
    LedgerEntry,
    describe_deviation,
)
from halo_core.oversight.signed_entries import CONTENT_CLOSED, open_masked_content
from halo_core.passports.codec import read_payload
from halo_core.store.entry_lookup import find_entry, find_related, find_subject_id, make_kind_error
from halo_core.store.reader import LoggedEntry, Reader, SealedContents, read_entries
from halo_core.views import View, wording
from halo_core.views.listed_orders import describe_listed_orders
from halo_core.views.model_calls import describe_model, load_prompt
from halo_core.views.risk_history import BANDS
from halo_core.views.wording import (
    describe_facts,
    describe_reversal,
    format_amount,
    format_authority,
    format_ran,
    format_spent,
)

_AMOUNT_DECIMALS: Final = 4  # decimals of amounts in bodies of entries
_MAX_TIME_US: Final = 253_402_300_800_000_000  # the year 10000
_ALERT_KINDS: Final = {
    "action": "a very unusual action",
    "behaviour": "something that the agent does not usually do",
    BREAK_GLASS: "a person answers the agent's questions with yes for a while (`halo approvals remembered`)",
    "drift": "a session that drifted away from ordinary behaviour",
    "quota": "a quota of the day that is nearly used up",
    "plan": "a decision worked out in advance that `decide` did not confirm",
    "session": "a session whose risk became high",
    "volume": "more than the agent does in its ordinary sessions",
}


def _build_score_rows(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Rows (title, words) on the score of a decision; none if nothing was scored."""
    snapshot = body["snapshot"]
    if snapshot.get("unscored"):
        agent = body["request"]["subject"]["agent"]
        return [("score", f"none, together with an agent that is scored: run `halo baseline fit {agent}`")]
    if snapshot["risk"] is None:
        return []
    word = BANDS[min(snapshot["band"], len(BANDS) - 1)][1]
    rows = [("score", f"{snapshot['risk']} of 1000, {word}; its session {body['after']['risk']}")]
    return [*rows, *(("moved by", item["words"]) for item in snapshot["factors"])]


def _build_alert_rows(alert: AgentAlert, ends: Mapping[str, str]) -> list[tuple[str, str]]:
    """Rows (title, words) of an alert about an agent; `ends`: factor → its value at the end of the session."""
    if alert.kind == BREAK_GLASS:
        return [("agent", alert.agent), ("kind", _ALERT_KINDS[BREAK_GLASS])]
    return [
        ("agent", alert.agent),
        ("on", alert.resource),
        ("kind", _ALERT_KINDS.get(alert.kind, alert.kind)),
        ("risk", f"{alert.score} of 1000; its session {alert.session_risk}"),
        *(
            ("moved by", item.words + (f"; {ends[item.id]} when the session ended" if item.id in ends else ""))
            for item in alert.factors
        ),
        ("decision", f"writer {alert.writer} seq {alert.seq}"),
    ]


def _build_identity_rows(entry: LedgerEntry) -> list[tuple[str, str]]:
    """Rows (title, words) of an alert about a person or a service account, without its sealed content."""
    alert = DayAlert.from_body(entry.body)
    several = alert.high_event_count > 1
    period = f"{format_iso(alert.first_us)}{f' to {format_iso(alert.last_us)}' if several else ''}"
    return [
        ("identity", alert.fingerprint),
        ("day", f"{alert.day} (UTC)"),
        ("risk", f"{alert.risk} of 1000 at most, {alert.identity_risk} at the end of the day"),
        ("above high", f"{alert.high_event_count} event{'s' if several else ''}, {period}"),
        *(("moved by", f"{item.words} ({item.points})") for item in alert.factors),
        ("baseline", alert.baseline),
    ]


@dataclass(frozen=True, slots=True)
class EntryView(View):
    """An entry with its content.

    Args:
        record: the entry with its position.
        content: sealed field → text, masked unless revealed.
        decimals: for a decision, unit → decimals of its amounts.
        ends: for an alert about a session that has ended, factor → its value at the end.
    """

    record: LoggedEntry
    content: dict[str, str]
    decimals: dict[str, int]
    ends: Mapping[str, str] = field(default_factory=dict)

    def describe(self) -> list[tuple[str, str]]:
        """Title and words, a row each."""
        entry = self.record.entry
        return [
            ("time", format_iso(entry.ts_us)),
            ("tenant / session", f"{entry.tenant} / {entry.session or '-'}"),
            ("place", f"index {self.record.index}, writer {entry.writer} seq {entry.seq}"),
            ("assurance", entry.assurance),
            *_build_body_rows(self.record, self.decimals, self.ends),
            *(_build_content_row(name, text) for name, text in self.content.items()),
        ]

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {"content": self.content, "entry": dict(self.record.entry.to_json()), "index": self.record.index}


def _build_content_row(name: str, text: str) -> tuple[str, str]:
    """A sealed field as a row: its title and its text."""
    if name == "orders":
        return "listed orders", wording.format_content(describe_listed_orders(text))
    return f"content {name}", wording.format_content(text)


def load_entry(reader: Reader, contents: SealedContents, tenant: str, name: str, *, reveal: bool) -> list[EntryView]:
    """The entry that an index or an id (or its start) names; for a decision also the entries that refer to it.

    Raises:
        ConfigError: there is none, or there are several.
    """
    record = find_entry(reader, tenant, name)
    is_decision = record.entry.kind is EntryKind.DECISION
    related = find_related(reader, record) if is_decision else []
    decimals, ends = _load_decimals(reader, tenant, record.entry), _load_ends(reader, tenant, record)
    views = [
        EntryView(part, open_masked_content(part.entry, contents.open, reveal=reveal), decimals, ends)
        for part in (record, *related)
    ]
    for number, message in enumerate(load_prompt(reader, contents, record, reveal=reveal) if is_decision else []):
        text = CONTENT_CLOSED if message.text is None else f"{message.role}: {message.text}"
        views[0].content[f"message {number}"] = text
    views[0].content.pop("messages", None)
    return views


def _build_member_row(name: str, value: Any) -> tuple[str, str]:
    """A member of a body as people read it: a time as a date, an amount with its decimals."""
    if type(value) is int and name.endswith("_us") and 0 < value < _MAX_TIME_US:
        return name.removesuffix("_us"), format_iso(value)
    if type(value) is int and name in ("amount", "max_amount"):
        return name, format_amount(value, _AMOUNT_DECIMALS)
    return name, _format_value(value)


def _load_ends(reader: Reader, tenant: str, record: LoggedEntry) -> dict[str, str]:
    """For an alert about an agent's session: factor → its value when the session ended, with its unit."""
    entry, labels = record.entry, dict[str, str]()
    if entry.kind is not EntryKind.ALERT or entry.body.get("kind") not in ("behaviour", "drift", "volume"):
        return labels
    session = reader.find_session(tenant, entry.session)
    for later in read_entries(reader, tenant, (EntryKind.PROFILE,), session, since=record.index):
        for tree in later.entry.body.get("sessions", ()):
            if tree.get("agent") == entry.body.get("agent"):
                values = tree["tally"]["v"]
                return {item.id: show_value(item, values[position]) for position, item in enumerate(MEASURES)}
    return labels


def _load_decimals(reader: Reader, tenant: str, entry: LedgerEntry) -> dict[str, int]:
    """Unit → decimals of its amounts, from the decision's passport, which is not verified here."""
    chain = entry.body["snapshot"]["chain"] if entry.kind is EntryKind.DECISION else []
    data = reader.blob(tenant, chain[-1]) if chain else None
    try:
        budgets = read_payload(data.decode("ascii", "replace"))["halo"]["bud"] if data is not None else {}
        return {unit: int(item["decimals"]) for unit, item in budgets.items()}
    except (PassportError, KeyError, TypeError, ValueError):
        return {}


def _build_body_rows(
    record: LoggedEntry, decimals: Mapping[str, int], ends: Mapping[str, str]
) -> list[tuple[str, str]]:
    entry = record.entry
    if entry.kind is EntryKind.SHADOW:
        rows = [(key, _format_value(value)) for key, value in sorted(entry.body.items()) if key != "refused"]
        return [*rows, ("ran", format_ran(entry))]
    if is_about_identity(entry):
        return _build_identity_rows(entry)
    if entry.kind is EntryKind.ALERT and (alert := read_agent_alert(record)) is not None:
        return _build_alert_rows(alert, ends)
    if entry.kind is not EntryKind.DECISION:
        return [_build_member_row(key, value) for key, value in sorted(entry.body.items())]
    return _build_decision_rows(entry.body, decimals)


def _build_decision_rows(body: Mapping[str, Any], decimals: Mapping[str, int]) -> list[tuple[str, str]]:
    request, snapshot, decision = body["request"], body["snapshot"], body["decision"]
    resource, origin = request["resource"], request["context"]["origin"]
    charges = ", ".join(f"{unit} {format_amount(n, decimals.get(unit, 0))}" for unit, n in decision["charges"])
    host, program = origin["host"] or "an unknown host", origin["process"] or "an unknown program"
    return [
        ("who", " → ".join(request["subject"]["chain"])),
        ("what", f"{request['kind']} `{resource['id']}` ({resource['impact']}, {resource['system'] or 'no system'})"),
        *describe_model(body),
        *([("passport made", child)] if (child := body["after"].get("child") or body.get("child")) else []),
        ("labels", ", ".join(resource["labels"]) or "-"),
        *([("afterwards", _format_reversal(resource))] if _may_have_effect(body) else []),
        *((relation, target) for relation, target in request["context"]["links"]),
        ("from", f"{host}, {program} (pid {origin['pid']})"),
        ("trigger", f"{request['context']['trigger']['kind']} {request['context']['turn']}".strip()),
        ("effect", decision["effect"]),
        ("why", body["justification"]),
        *([("answered by", _describe_approval(snapshot["approval"]))] if snapshot["approval"] else []),
        ("mode", f"{snapshot['mode']}, {'let run' if body['dispatched'] else 'not run'}"),
        ("provenance", _format_provenance(snapshot)),
        *([("facts", "; ".join(facts))] if (facts := describe_facts(snapshot)) else []),
        *([("deviates", words)] if (words := describe_deviation(snapshot)) else []),
        ("session", _format_session(snapshot["session"])),
        *_build_score_rows(body),
        ("authority", format_authority(body) or "-"),
        ("charged", charges or "nothing"),
        ("spent", _format_spent(body, decimals)),
        ("obligations", _format_value(decision["obligations"]) if decision["obligations"] else "-"),
        ("policy", snapshot["policy"]),
        *((f"passport {i}", name) for i, name in enumerate(snapshot["chain"])),
        ("args digest", request["args_digest"]),
    ]


def _describe_approval(approval: Mapping[str, Any]) -> str:
    """Who answered the question on whose answer the action was decided, and which it was."""
    return f"{approval['approver']} ({'yes' if approval['granted'] else 'no'} to the question {approval['id']})"


def _format_reversal(resource: Mapping[str, Any]) -> str:
    return describe_reversal(resource["reversal"], can_reverse=bool(resource.get("can_reverse")))


def _may_have_effect(body: Mapping[str, Any]) -> bool:
    """Whether a decision is of a tool call that ran, or that a person was asked about."""
    is_open = bool(body["dispatched"]) or body["decision"]["effect"] == Effect.CHALLENGE.value
    return is_open and bool(body["request"]["kind"] == ActionKind.TOOL_CALL.value)


def _format_value(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _format_provenance(snapshot: Mapping[str, Any]) -> str:
    """Where each argument value came from, and from which results."""
    sources = {pointer: f" (from {', '.join(names)})" for pointer, names in snapshot.get("sources", ())}
    origins = (f"{pointer} {origin}{sources.get(pointer, '')}" for pointer, origin in snapshot["provenance"])
    return ", ".join(origins) or "-"


def _format_session(session: Mapping[str, Any]) -> str:
    """Which decision of its session it is, and what the session had been shown before it."""
    by = f" by {', '.join(names)}" if (names := session.get("taint_sources", ())) else ""
    return f"decision {session['steps'] + 1} of it, tainted {session['tainted']}{by}"


def _format_spent(body: Mapping[str, Any], decimals: Mapping[str, int]) -> str:
    """Units of the session link, and how many links below it were charged too; reserved amounts in brackets."""
    accounts = body["snapshot"]["envelopes"]
    if not accounts:
        return "-"
    units = []
    for link, unit, reserved, done in body["after"]["budgets"]:
        if link == accounts[0]["link"]:
            units.append(f"{unit} {format_spent(done, reserved, decimals.get(unit, 0))}")
    children_text = f"; {len(accounts) - 1} below" if len(accounts) > 1 else ""
    return f"epoch {accounts[0]['epoch']}: {', '.join(units) or 'nothing'}, after it{children_text}"


def find_decision(reader: Reader, tenant: str, name: str, field: str) -> LoggedEntry:
    """The decision that an index or an id (or its start) names; `field` is the argument that gave the name.

    Raises:
        ConfigError: there is none, or it is another entry.
    """
    record = find_entry(reader, tenant, name)
    if record.entry.kind is not EntryKind.DECISION:
        raise make_kind_error(name, record.entry, field)
    return record


def find_decision_or_question(reader: Reader, tenant: str, name: str, field: str) -> LoggedEntry:
    """Like `find_decision`; the index or id of a question to a person stands for the decision that asked it.

    Raises:
        ConfigError: as `find_decision`.
    """
    record = find_entry(reader, tenant, name)
    is_question = record.entry.kind is EntryKind.APPROVAL_REQUEST
    return find_decision(reader, tenant, find_subject_id(record.entry) if is_question else name, field)
