"""Alerts for people: of agents' actions and sessions, and of days of people and service accounts.

The name of a person stands in sealed content: where that cannot be opened, the row says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from halo_core.alerts.identity import open_event
from halo_core.alerts.records import read_agent_alert
from halo_core.baselines import load_identities
from halo_core.crypto.keys import KeyStore
from halo_core.errors import BadInput, Tampered
from halo_core.identities.day_alerts import ALERT_KIND, AlertedEvent, DayAlert, subject_of
from halo_core.model import EntryKind, LedgerEntry
from halo_core.store.log import LoggedEntry, SealedContents, read_entries, read_verdict
from halo_core.store.reader import Reader
from halo_core.views import View

_ERASED: Final = "erased"
_CLOSED: Final = "the content key is not available"
ALTERED: Final = "altered: run `halo verify`"


def is_about_identity(entry: LedgerEntry) -> bool:
    """Whether it is an alert about a person or a service account."""
    return entry.kind is EntryKind.ALERT and entry.body.get("kind") == ALERT_KIND


class IdentityNames:
    """Opens what such alerts seal.

    Args:
        reader: the store, open.
        home: where the content key is, if it is there.
    """

    def __init__(self, reader: Reader, home: Path) -> None:
        keys = KeyStore(home)
        self._contents = SealedContents.with_home_key(reader, keys)
        self._closed = _ERASED if "content" in keys.names() else _CLOSED

    def open_event(self, entry: LedgerEntry) -> AlertedEvent | str:
        """The event with names, or why it cannot be shown; one that was altered hides none of the others."""
        try:
            return open_event(self._contents, entry) or self._closed
        except Tampered:
            return ALTERED


@dataclass(frozen=True, slots=True)
class AlertView(View):
    """One alert.

    Args:
        record: its entry.
        verdict: what a person said of it, None where nobody did.
        event: of a person or a service account: the event with names, or why it cannot be shown; None of an agent.
    """

    record: LoggedEntry
    verdict: Mapping[str, Any] | None
    event: AlertedEvent | str | None

    def describe(self) -> tuple[str, ...]:
        """Who, on what, risk, session, why; of a person or a service account a day stands for the session."""
        try:
            if self.event is None:
                alert = read_agent_alert(self.record)
                if alert is not None:
                    return alert.agent, alert.resource, str(alert.score), alert.session, alert.reason
            else:
                day = DayAlert.from_body(self.record.entry.body)
                if isinstance(self.event, str):
                    return f"({self.event})", "-", str(day.risk), f"day {day.day}", day.explanation
                why = "; ".join(self.event.words)
                return self.event.identity, self.event.summary, str(day.risk), f"day {day.day}", why
        except Tampered:
            pass
        return f"({ALTERED})", "-", "-", "-", "-"  # one that was put there must not hide the others

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        entry, event = self.record.entry, self.event
        opened: dict[str, Any] = {}
        if event is not None:
            closed = event if isinstance(event, str) else ""
            opened = {"closed": closed, "event": None if isinstance(event, str) else event.to_plain()}
        return {
            "id": entry.id,
            "index": self.record.index,
            "judged": None if self.verdict is None else {name: self.verdict[name] for name in ("attack", "by", "why")},
            "session": entry.session,
            "ts_us": entry.ts_us,
            **entry.body,
            **opened,
        }


@dataclass(frozen=True, slots=True)
class AlertList(View):
    """Alerts in log order; `errors`: agent, or a person's fingerprint → how many of its judged alerts were what."""

    alerts: tuple[AlertView, ...]
    errors: Mapping[str, Mapping[str, int]]

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {"alerts": [item.to_json() for item in self.alerts], "errors": self.errors}


def load_alerts(reader: Reader, tenant: str, home: Path, *, open_only: bool = False) -> AlertList:
    """Alerts of a tenant; with `open_only` those that nobody judged. Names are opened with the key in `home`."""
    alerts: list[LoggedEntry] = []
    verdicts: dict[str, Mapping[str, Any]] = {}
    subjects: dict[str, str] = {}
    errors: dict[str, dict[str, int]] = {}
    names = IdentityNames(reader, home)
    for record in read_entries(reader, tenant, (EntryKind.ALERT, EntryKind.FEEDBACK)):
        entry, body = record.entry, record.entry.body
        if entry.kind is EntryKind.ALERT:
            alerts.append(record)
            about_identity = is_about_identity(entry)
            subjects[entry.id] = subject_of(str(body.get("identity"))) if about_identity else str(body.get("agent", ""))
        elif (verdict := read_verdict(entry)) is not None:
            verdicts[verdict["alert"]] = verdict
            row = errors.setdefault(subjects.get(verdict["alert"], ""), {"attack": 0, "ordinary": 0})
            row["attack" if verdict["attack"] else "ordinary"] += 1
    listed = tuple(
        AlertView(
            item, verdicts.get(item.entry.id), names.open_event(item.entry) if is_about_identity(item.entry) else None
        )
        for item in alerts
        if not open_only or item.entry.id not in verdicts
    )
    return AlertList(listed, errors)


def is_in_baseline(reader: Reader, tenant: str, alert: LedgerEntry) -> bool:
    """Whether events of an alert's day may be in the baseline; a verdict does not wait for one that cannot be read."""
    try:
        book = load_identities(reader, tenant)
        return book is not None and DayAlert.from_body(alert.body).first_us <= book.last_us
    except (BadInput, Tampered):
        return False
