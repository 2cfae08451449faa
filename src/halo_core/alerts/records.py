"""Alerts as they are sent: entries of the ledger as bounded plain values, and the log that reads them in pages.

log = LedgerAlertLog(url, "local")
while page := log.read_since(index): ...
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

from halo_core.alerts.identity import open_event
from halo_core.crypto.keys import KeyStore
from halo_core.errors import Tampered
from halo_core.identities.day_alerts import ALERT_KIND, AlertedEvent, DayAlert
from halo_core.ledger import decode_entry
from halo_core.model import EntryKind, LedgerEntry
from halo_core.store.reader import LoggedEntry, Reader, SealedContents, read_entries

_ID: Final = re.compile(r"[0-9a-f-]{1,64}")
_MAX_TEXT: Final = 1000
_MAX_FACTORS: Final = 3
_PAGE_SIZE: Final = 500


@dataclass(frozen=True, slots=True)
class Factor:
    """A feature that moved a score: its id, value, share of the margin in thousandths, and description."""

    id: str
    value: int
    moved: int
    words: str


@dataclass(frozen=True, slots=True)
class AgentAlert:
    """An alert about an action or session of an agent, without arguments and results.

    Args:
        id: id of the entry.
        index: index in the tenant's log.
        tenant: tenant of the log.
        session: session of the action.
        ts_us: time of the alert, microseconds since the epoch.
        kind: `action`, `session` or `drift`.
        agent: agent that acted.
        resource: resource that it used.
        risk: risk of the action, 0 to 1000; None where it has none.
        session_risk: risk of the session with this action.
        leaf: leaf hash of the decision's entry.
        writer: writer of the decision.
        seq: sequence number of the decision.
        factors: the features that moved the score most.
    """

    id: str
    index: int
    tenant: str
    session: str
    ts_us: int
    kind: str
    agent: str
    resource: str
    risk: int | None
    session_risk: int
    leaf: str
    writer: str
    seq: int
    factors: tuple[Factor, ...]

    @classmethod
    def from_entry(cls, logged: LoggedEntry) -> AgentAlert:
        """Read an entry.

        INVARIANT: members are taken by name, so that what entries may hold one day is not sent unasked.

        Raises:
            LookupError, TypeError, ValueError or AttributeError: the entry is no such alert.
        """
        entry, body = logged.entry, logged.entry.body
        decision = body["decision"]
        factors = (
            Factor(shorten(item["id"]), item["value"], item["moved"], shorten(item["words"]))
            for item in body["factors"][:_MAX_FACTORS]
        )
        return cls(
            id=check_entry_id(entry),
            index=logged.index,
            tenant=shorten(entry.tenant),
            session=shorten(entry.session),
            ts_us=entry.ts_us,
            kind=shorten(body["kind"]),
            agent=shorten(body["agent"]),
            resource=shorten(body["resource"]),
            risk=body["risk"],
            session_risk=body["session_risk"],
            leaf=shorten(decision["leaf"]),
            writer=shorten(decision["w"]),
            seq=decision["ws"],
            factors=tuple(factors),
        )

    @property
    def score(self) -> int:
        """The risk that the alert is about, 0 to 1000."""
        return self.risk if self.kind == "action" and self.risk is not None else self.session_risk

    @property
    def reason(self) -> str:
        """Descriptions of the factors."""
        return "; ".join(item.words for item in self.factors) or "the session as a whole"

    @property
    def sentence(self) -> str:
        """The alert as a sentence."""
        descriptions = {
            "action": f"`{self.resource}` is very unusual",
            "drift": "its sessions drift away from ordinary behaviour",
        }
        description = descriptions.get(self.kind, "the risk of the session is high")
        return f"risk {self.score} of 1000, agent `{self.agent}`: {description}: {self.reason}"

    def to_syslog_values(self) -> dict[str, str]:
        """Structured data of a syslog message."""
        return {
            "id": self.id,
            "index": str(self.index),
            "tenant": self.tenant,
            "kind": self.kind,
            "agent": self.agent,
            "resource": self.resource,
            "session": self.session,
            "risk": "-" if self.risk is None else str(self.risk),
            "session_risk": str(self.session_risk),
            "factors": " ".join(item.id for item in self.factors),
            "leaf": self.leaf,
        }

    def to_plain(self) -> dict[str, Any]:
        """The alert as JSON, with the keys of `halo alerts --json`."""
        return {
            "agent": self.agent,
            "decision": {"leaf": self.leaf, "w": self.writer, "ws": self.seq},
            "factors": [
                {"id": item.id, "moved": item.moved, "value": item.value, "words": item.words} for item in self.factors
            ],
            "id": self.id,
            "index": self.index,
            "kind": self.kind,
            "resource": self.resource,
            "risk": self.risk,
            "session": self.session,
            "session_risk": self.session_risk,
            "tenant": self.tenant,
            "ts_us": self.ts_us,
        }


def check_entry_id(entry: LedgerEntry) -> str:
    """The entry's id, checked since it becomes a header.

    Raises:
        ValueError: it is not an id of the ledger.
    """
    if not _ID.fullmatch(entry.id):
        raise ValueError("not an id of the ledger")
    return entry.id


def shorten(text: str) -> str:
    """At most 1,000 characters of a text."""
    return text if len(text) <= _MAX_TEXT else text[:_MAX_TEXT] + "…"


def read_agent_alert(logged: LoggedEntry) -> AgentAlert | None:
    """The alert of an agent; None where the entry is something else."""
    try:
        return AgentAlert.from_entry(logged)
    except (LookupError, TypeError, ValueError, AttributeError):
        return None


@dataclass(frozen=True, slots=True)
class PersonAlert:
    """An alert about a day of a person or a service account, which is named by a keyed fingerprint.

    Args:
        id: id of the entry.
        index: index in the tenant's log.
        tenant: tenant of the log.
        ts_us: time of the alert, microseconds since the epoch.
        alert: the alert without names.
        event: the event with names; None where that was not asked for, or cannot be opened.
    """

    id: str
    index: int
    tenant: str
    ts_us: int
    alert: DayAlert
    event: AlertedEvent | None = None
    kind = ALERT_KIND

    @classmethod
    def from_entry(cls, logged: LoggedEntry, event: AlertedEvent | None = None) -> PersonAlert:
        """Read an entry; `event` is its opened content.

        Raises:
            Tampered or ValueError: the entry is no such alert.
        """
        entry = logged.entry
        alert = DayAlert.from_body(entry.body)
        alert = replace(alert, factors=alert.factors[:_MAX_FACTORS], baseline=shorten(alert.baseline))
        return cls(check_entry_id(entry), logged.index, shorten(entry.tenant), entry.ts_us, alert, event)

    @property
    def sentence(self) -> str:
        """The alert as a sentence."""
        identity = (
            f"`{self.event.identity}`: {self.event.summary}" if self.event is not None else self.alert.fingerprint
        )
        return f"risk {self.alert.risk} of 1000, identity {identity} on {self.alert.day}: {self.alert.explanation}"

    def to_syslog_values(self) -> dict[str, str]:
        """Structured data of a syslog message, with the same members with and without names."""
        alert, event = self.alert, self.event
        return {
            "id": self.id,
            "index": str(self.index),
            "tenant": self.tenant,
            "kind": self.kind,
            "identity": alert.fingerprint,
            "name": event.identity if event is not None else "-",
            "action": event.action if event is not None else "-",
            "system": event.system if event is not None else "-",
            "network": event.network if event is not None else "-",
            "day": alert.day,
            "risk": str(alert.risk),
            "running": str(alert.identity_risk),
            "high": str(alert.high_event_count),
            "factors": " ".join(item.id for item in alert.factors),
        }

    def to_plain(self) -> dict[str, Any]:
        """The alert as JSON, with the keys of `halo alerts --json`."""
        alert = self.alert
        return {
            "baseline": alert.baseline,
            "day": alert.day,
            "event": None if self.event is None else self.event.to_plain(),
            "factors": [{"id": item.id, "points": item.points, "words": item.words} for item in alert.factors],
            "first_us": alert.first_us,
            "high": alert.high_event_count,
            "id": self.id,
            "identity": alert.fingerprint,
            "index": self.index,
            "kind": self.kind,
            "last_us": alert.last_us,
            "risk": alert.risk,
            "running": alert.identity_risk,
            "tenant": self.tenant,
            "ts_us": self.ts_us,
        }


AnyAlert = AgentAlert | PersonAlert


class LedgerAlertLog:
    """The alerts in the ledger of one tenant.

    Each page is read in a transaction of its own, so that a slow receiver keeps no read open.

    Args:
        url: URL of the store.
        tenant: tenant of the log.
        keys: keys of the home, if people are to be named: their names are sealed.
    """

    def __init__(self, url: str, tenant: str, keys: KeyStore | None = None) -> None:
        self._url = url
        self._keys = keys
        self._tenant = tenant
        self._last_index = 0
        self._end = 0
        self._before: bytes | None = None

    def read_since(self, index: int) -> list[AnyAlert]:
        """A page of the alerts from this index on, in order.

        Raises:
            Tampered: an entry there is not a valid alert.
        """
        if index != self._last_index:
            self._last_index, self._end = index, index
        with Reader(self._url) as reader:
            if self._end > index and reader.note_at_index(self._tenant, self._end - 1) != self._before:
                self._end = index  # rolled back since, or another log
            page = list(islice(read_entries(reader, self._tenant, (EntryKind.ALERT,), since=self._end), _PAGE_SIZE))
            if not page:  # the next call need not search these entries again
                self._end = max(self._end, reader.next_index(self._tenant))
                self._before = reader.note_at_index(self._tenant, self._end - 1) if self._end else None
            return [self._read_alert(item, reader) for item in page]

    def read_at(self, index: int) -> AnyAlert | None:
        """The alert at an index; None where there is another entry, or none."""
        with Reader(self._url) as reader:
            note = reader.note_at_index(self._tenant, index)
            if note is None:
                return None
            logged = LoggedEntry(index, decode_entry(note), note)
            return self._read_alert(logged, reader) if logged.entry.kind is EntryKind.ALERT else None

    def _read_alert(self, logged: LoggedEntry, reader: Reader) -> AnyAlert:
        try:
            if logged.entry.body.get("kind") != ALERT_KIND:
                return AgentAlert.from_entry(logged)
            return PersonAlert.from_entry(logged, self._open_event(logged, reader))
        except (LookupError, TypeError, ValueError, AttributeError) as exc:
            message = f"entry {logged.index} is not a valid alert"
            raise Tampered("bad_alert", message, remedy="run `halo verify`") from exc

    def _open_event(self, logged: LoggedEntry, reader: Reader) -> AlertedEvent | None:
        """The event with names if they were asked for; None if it was erased or altered (see `halo verify`)."""
        if self._keys is None:
            return None
        try:
            return open_event(SealedContents.with_home_key(reader, self._keys), logged.entry)
        except Tampered:
            return None
