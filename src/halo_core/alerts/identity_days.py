"""Alerts about people and service accounts in the ledger: one for each identity and UTC day.

If the risk of a day rises after its alert, the day gets another one. Verdicts on alerts (`halo judge`) determine which
events the next baseline leaves out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, field
from typing import Final

from halo_core.errors import BadInput, ConfigError, Gap, Tampered
from halo_core.identities.day_alerts import (
    ALERT_KIND,
    CONTENT_FIELD,
    DayAlert,
    HighRiskDay,
    IdentityFingerprints,
    day_of,
    make_subject,
)
from halo_core.identities.event import IdentityEvent
from halo_core.ledger import decode_entry
from halo_core.model import EntryKind, LedgerEntry
from halo_core.quick_dataclass import dataclass
from halo_core.store import rows
from halo_core.store.content_keys import is_erased
from halo_core.store.drafts import Draft
from halo_core.store.proven_entries import ProvenEntry
from halo_core.store.reader import Reader, read_entries
from halo_core.store.transaction import Transaction

BATCH: Final = 50
"""Alerts written in one transaction, since agents wait for the write lock meanwhile."""
_Place = tuple[str, str]


@dataclass(slots=True)
class KnownAlerts:
    """Days of identities for which the log has alert entries.

    Args:
        upto: index up to which the log was read.
        entries: (writer, sequence) of the entries by (fingerprint, day); their signatures are not checked yet.
    """

    upto: int = 0
    entries: dict[_Place, list[tuple[str, int]]] = field(default_factory=dict)

    def add_notes(self, tenant: str, notes: Iterable[tuple[int, bytes]]) -> None:
        """Add (index, note) pairs of the log; notes that are no alert of this tenant are skipped."""
        for index, note in notes:
            self.upto = max(self.upto, index + 1)
            try:
                entry = decode_entry(note)
                if entry.tenant != tenant:
                    continue
                place = DayAlert.from_body(entry.body).identity_day
            except Tampered:
                continue
            self.entries.setdefault(place, []).append((entry.writer, entry.seq))

    def merge(self, later: KnownAlerts) -> None:
        """Add what was read later."""
        self.upto = max(self.upto, later.upto)
        for place, claims in later.entries.items():
            self.entries.setdefault(place, []).extend(claims)


@dataclass(frozen=True, slots=True)
class FlagResult:
    """Counts of `write_alerts`.

    Args:
        written: new alerts.
        known: days that had an alert already.
        erased: new alerts without a name, since that identity's data was erased.
        forged: days whose existing entry no writer of this log signed; an alert of them is written.
        risen: new alerts of days that had one of a lower risk, which stays as it is.
    """

    written: int = 0
    known: int = 0
    erased: int = 0
    forged: int = 0
    risen: int = 0

    def __add__(self, addend: FlagResult) -> FlagResult:
        return FlagResult(*(mine + more for mine, more in zip(astuple(self), astuple(addend), strict=True)))


def load_known_alerts(reader: Reader, tenant: str) -> KnownAlerts:
    """Read the alerts of the log without the write lock, since a log can be long."""
    alerts = KnownAlerts()
    alerts.add_notes(tenant, reader.notes(tenant, (EntryKind.ALERT.value,)))
    alerts.upto = reader.next_index(tenant)
    return alerts


def write_alerts(
    tx: Transaction, days: Sequence[HighRiskDay], prints: IdentityFingerprints, baseline: str, before: KnownAlerts
) -> tuple[FlagResult, KnownAlerts]:
    """Write an alert for each day that has none, or only one of a lower risk.

    Args:
        tx: the transaction.
        days: high-risk days, each day of an identity once.
        prints: fingerprints of the tenant's identities.
        baseline: hash of the baseline that the events were scored with.
        before: alerts that were read before the transaction; later ones are read here.

    Returns:
        The counts, and the alerts that were read here.
    """
    now = KnownAlerts()
    # INVARIANT: read under the write lock, so that of two processes that score the same file one writes.
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
        subject = make_subject(place[0])
        erased = is_erased(tx, subject)
        content = {} if erased else {CONTENT_FIELD: day.to_content()}
        tx.append(Draft(EntryKind.ALERT, "", day.to_alert(prints, baseline).to_body(), content, subject))
        forged = bool(claims) and not proven
        result += FlagResult(written=1, erased=int(erased), forged=int(forged), risen=int(has_risen))
    return result, now


def _read_proven(tx: Transaction, place: _Place, writer: str, seq: int) -> DayAlert | None:
    # INVARIANT: AUDIT - a row put into the database suppresses no alert: its writer's signature must hold.
    try:
        entry = ProvenEntry.read(tx, writer, seq).entry
        alert = DayAlert.from_body(entry.body)
    except (BadInput, Gap, Tampered):
        return None
    return alert if entry.kind is EntryKind.ALERT and alert.identity_day == place else None


def find_attack_days(reader: Reader, tenant: str, prints: IdentityFingerprints) -> frozenset[_Place]:
    """(fingerprint, day) of alerts judged an attack; the last verdict on each alert counts.

    Raises:
        Tampered: `bad_alert`.
        ConfigError: `other_key`, the alerts were made with another key, so that their identities are unknown.
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
        # INVARIANT: FAILCLOSED - otherwise an attack would count as ordinary behaviour.
        problem = "alerts that were judged an attack were made with another key: whose events they are cannot be told"
        remedy = "restore the key from a backup; or leave those events out of the file, and judge them `--ordinary`"
        raise ConfigError("other_key", problem, field="digest.key", remedy=remedy)
    return frozenset(alert.identity_day for alert in judged)


def exclude_days(
    events: Sequence[IdentityEvent], left_out: frozenset[_Place], prints: IdentityFingerprints
) -> tuple[list[IdentityEvent], int]:
    """Events without those of the days in `left_out`, and how many were left out.

    Raises:
        BadInput: `nothing_left`, no events remain.
    """
    if not left_out:
        return list(events), 0
    remaining = [item for item in events if (prints.fingerprint_of(item.identity), day_of(item.ts_us)) not in left_out]
    if not remaining:
        problem = "all events are from days that were judged an attack"
        remedy = "import a longer period, or run `halo judge N --ordinary`"
        raise BadInput("nothing_left", problem, field="time", remedy=remedy)
    return remaining, len(events) - len(remaining)
