"""Room: alerts about people and service accounts, in the ledger. Takes: days that stood out. Gives: entries, once each.

One alert for each identity and UTC day, however often its events are scored, and another where the day got worse since.
What somebody said of one later says which events the next baseline leaves out. Never: decides, holds up a decision for
long.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple, dataclass, field
from typing import Final

from halo_core.errors import BadInput, ConfigError, Gap, Tampered
from halo_core.identities.day_alerts import (
    ALERT_KIND,
    CONTENT_FIELD,
    AlertedEvent,
    DayAlert,
    HighRiskDay,
    IdentityFingerprints,
    day_of,
    subject_of,
)
from halo_core.identities.event import IdentityEvent
from halo_core.ledger import decode_entry
from halo_core.model import EntryKind, LedgerEntry
from halo_core.store import Draft, Transaction, rows
from halo_core.store.log import SealedContents, read_entries
from halo_core.store.reader import Reader
from halo_core.store.writer_chains import ProvenEntry

BATCH: Final = 50
"""Alerts of one transaction: agents wait for the write lock meanwhile."""

_Place = tuple[str, str]


@dataclass(slots=True)
class KnownAlerts:
    """What the log says to have alerts of.

    Args:
        upto: the place in the log that it was read up to.
        entries: (fingerprint, day) → (writer, sequence) of the entries that say so.
    """

    upto: int = 0
    entries: dict[_Place, list[tuple[str, int]]] = field(default_factory=dict)

    def add_notes(self, tenant: str, notes: Iterable[tuple[int, bytes]]) -> None:
        """More of the log, (place, note) each."""
        for index, note in notes:
            self.upto = max(self.upto, index + 1)
            entry, alert = _decode_alert(tenant, note)
            if entry is not None and alert is not None:
                self.entries.setdefault(alert.identity_day, []).append((entry.writer, entry.seq))

    def merge(self, later: KnownAlerts) -> None:
        """What was read after it."""
        self.upto = max(self.upto, later.upto)
        for place, claims in later.entries.items():
            self.entries.setdefault(place, []).extend(claims)


@dataclass(frozen=True, slots=True)
class FlagResult:
    """What became of some days.

    Args:
        written: alerts that are new.
        known: days of which there was one.
        erased: new alerts without a name, since that identity's data was erased.
        forged: days of which an entry says that there was one that no writer of this log signed; they are written.
        risen: of the new ones those of days that had one of a lower risk, which stays as it is.
    """

    written: int = 0
    known: int = 0
    erased: int = 0
    forged: int = 0
    risen: int = 0

    def to_plain(self) -> dict[str, int]:
        """For programs."""
        return asdict(self)

    def __add__(self, addend: FlagResult) -> FlagResult:
        return FlagResult(*(mine + more for mine, more in zip(astuple(self), astuple(addend), strict=True)))


def load_known_alerts(reader: Reader, tenant: str) -> KnownAlerts:
    """What there is before anything is written: read without the write lock, since a log can be long."""
    alerts = KnownAlerts()
    alerts.add_notes(tenant, reader.notes(tenant, (EntryKind.ALERT.value,)))
    alerts.upto = reader.next_index(tenant)
    return alerts


def write_alerts(
    tx: Transaction, days: Sequence[HighRiskDay], prints: IdentityFingerprints, baseline: str, before: KnownAlerts
) -> tuple[FlagResult, KnownAlerts]:
    """Write an alert for each of these days that has none; what became of them, and what was read of the log.

    Args:
        tx: the transaction.
        days: each identity's day once.
        prints: fingerprints of the tenant's identities.
        baseline: hash of what the events were scored against.
        before: read before the transaction; what was written since is read here.
    """
    now = KnownAlerts()
    # INVARIANT: read under the write lock, so that of two who score the same file at once one writes.
    now.add_notes(tx.tenant, rows.AlertTable(tx).load_since(before.upto))
    result = FlagResult()
    for day in days:
        place = prints.fingerprint_of(day.identity), day.day
        claims = [*before.entries.get(place, ()), *now.entries.get(place, ())]
        proven = [alert for claim in claims if (alert := _read_proven(tx, place, *claim)) is not None]
        has_risen = bool(proven) and max(alert.risk for alert in proven) < (day.worst_event.event_risk or 0)
        if proven and not has_risen:
            result += FlagResult(known=1)
            continue
        subject = subject_of(place[0])
        erased = rows.AlertTable(tx).is_erased(subject)
        content = {} if erased else {CONTENT_FIELD: (subject, day.to_content())}
        tx.append(Draft(EntryKind.ALERT, "", day.to_body(prints, baseline), content))
        forged = bool(claims) and not proven
        result += FlagResult(written=1, erased=int(erased), forged=int(forged), risen=int(has_risen))
    return result, now


def _read_proven(tx: Transaction, place: _Place, writer: str, seq: int) -> DayAlert | None:
    # INVARIANT: AUDIT - a row that somebody put into the database silences no alert: its writer's signature must hold.
    try:
        entry = ProvenEntry.read(tx, writer, seq).entry
        alert = DayAlert.from_body(entry.body)
    except (BadInput, Gap, Tampered):
        return None
    return alert if entry.kind is EntryKind.ALERT and alert.identity_day == place else None


def _decode_alert(tenant: str, note: bytes) -> tuple[LedgerEntry | None, DayAlert | None]:
    """An alert about an identity of this tenant; what is none proves nothing."""
    try:
        entry = decode_entry(note)
        return (entry, DayAlert.from_body(entry.body)) if entry.tenant == tenant else (None, None)
    except Tampered:
        return None, None


def find_attack_days(reader: Reader, tenant: str, prints: IdentityFingerprints) -> frozenset[_Place]:
    """Identities' days that somebody judged an attack, (fingerprint, day) each; the last word on each alert counts.

    Raises:
        Tampered: `bad_alert`.
        ConfigError: `other_key`, the alerts were made with another key, so that nobody can tell whose days they are.
    """
    alerts: dict[str, LedgerEntry] = {}
    verdicts: dict[str, bool] = {}
    for logged in read_entries(reader, tenant, (EntryKind.ALERT, EntryKind.FEEDBACK)):
        entry = logged.entry
        if entry.kind is EntryKind.FEEDBACK:
            verdicts[str(entry.body.get("alert"))] = entry.body.get("attack") is True
        elif entry.body.get("kind") == ALERT_KIND:
            alerts[entry.id] = entry
    # INVARIANT: TENANT - a verdict counts for an alert of this tenant's log, or for none.
    judged = [DayAlert.from_body(alert.body) for id_, alert in alerts.items() if verdicts.get(id_)]
    if any(alert.key_fingerprint != prints.key_fingerprint for alert in judged):
        # INVARIANT: FAILCLOSED - else what was called an attack would be taken for ordinary.
        raise ConfigError(
            "other_key",
            "alerts that were judged an attack were made with another key: whose events they are cannot be told",
            field="digest.key",
            remedy="restore the key from a backup; or leave those events out of the file, and judge them `--ordinary`",
        )
    return frozenset(alert.identity_day for alert in judged)


def exclude_days(
    events: Sequence[IdentityEvent], left_out: frozenset[_Place], prints: IdentityFingerprints
) -> tuple[list[IdentityEvent], int]:
    """Events but those of such days, and how many those are.

    Raises:
        BadInput: `nothing_left`.
    """
    if not left_out:
        return list(events), 0
    remaining = [item for item in events if (prints.fingerprint_of(item.identity), day_of(item.ts_us)) not in left_out]
    if not remaining:
        message = "all events are from days that were judged an attack"
        raise BadInput(
            "nothing_left", message, field="time", remedy="import a longer period, or run `halo judge N --ordinary`"
        )
    return remaining, len(events) - len(remaining)


def open_event(contents: SealedContents, entry: LedgerEntry) -> AlertedEvent | None:
    """The event that an alert is about, with names; None where it is closed: erased, or without the key."""
    data = contents.open(entry, CONTENT_FIELD)
    return None if data is None else AlertedEvent.from_content(data)
