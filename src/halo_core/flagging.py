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
from halo_core.identities.alerted import DayAlert, Named
from halo_core.identities.alerting import CONTENT, KIND, HighDay, Prints, day_of, subject_of
from halo_core.identities.event import IdentityEvent
from halo_core.ledger import decode_entry
from halo_core.model import Entry, EntryKind
from halo_core.query import Contents, entries
from halo_core.store import Draft, Tx, rows
from halo_core.store.proven import Proven
from halo_core.store.reader import Reader

__all__ = ["BATCH", "Flagged", "Known", "attacks", "flag", "named", "on_record", "without"]

BATCH: Final = 50
"""Alerts of one transaction: agents wait for the write lock meanwhile."""

_Place = tuple[str, str]


@dataclass(slots=True)
class Known:
    """What the log says to have alerts of.

    Args:
        upto: the place in the log that it was read up to.
        entries: (fingerprint, day) → (writer, sequence) of the entries that say so.
    """

    upto: int = 0
    entries: dict[_Place, list[tuple[str, int]]] = field(default_factory=dict)

    def take(self, tenant: str, found: Iterable[tuple[int, bytes]]) -> None:
        """More of the log, (place, note) each."""
        for index, note in found:
            self.upto = max(self.upto, index + 1)
            entry, alert = _read(tenant, note)
            if entry is not None and alert is not None:
                self.entries.setdefault(alert.place, []).append((entry.writer, entry.seq))

    def add(self, later: Known) -> None:
        """What was read after it."""
        self.upto = max(self.upto, later.upto)
        for place, claims in later.entries.items():
            self.entries.setdefault(place, []).extend(claims)


@dataclass(frozen=True, slots=True)
class Flagged:
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

    def __add__(self, other: Flagged) -> Flagged:
        return Flagged(*(mine + more for mine, more in zip(astuple(self), astuple(other), strict=True)))


def on_record(reader: Reader, tenant: str) -> Known:
    """What there is before anything is written: read without the write lock, since a log can be long."""
    found = Known()
    found.take(tenant, reader.notes(tenant, (EntryKind.ALERT.value,)))
    found.upto = reader.end(tenant)
    return found


def flag(tx: Tx, days: Sequence[HighDay], prints: Prints, baseline: str, before: Known) -> tuple[Flagged, Known]:
    """Write an alert for each of these days that has none; what became of them, and what was read of the log.

    Args:
        tx: the transaction.
        days: each identity's day once.
        prints: fingerprints of the tenant's identities.
        baseline: hash of what the events were scored against.
        before: read before the transaction; what was written since is read here.
    """
    now = Known()
    # INVARIANT: read under the write lock, so that of two who score the same file at once one writes.
    now.take(tx.tenant, rows.Alerts(tx).since(before.upto))
    told = Flagged()
    for day in days:
        place = prints.of(day.identity), day.day
        claims = [*before.entries.get(place, ()), *now.entries.get(place, ())]
        proven = [alert for claim in claims if (alert := _proven(tx, place, *claim)) is not None]
        rose = bool(proven) and max(alert.risk for alert in proven) < (day.worst.risk or 0)
        if proven and not rose:
            told += Flagged(known=1)
            continue
        subject = subject_of(place[0])
        erased = rows.Alerts(tx).erased(subject)
        content = {} if erased else {CONTENT: (subject, day.content())}
        tx.append(Draft(EntryKind.ALERT, "", day.body(prints, baseline), content))
        forged = bool(claims) and not proven
        told += Flagged(written=1, erased=int(erased), forged=int(forged), risen=int(rose))
    return told, now


def _proven(tx: Tx, place: _Place, writer: str, seq: int) -> DayAlert | None:
    # INVARIANT: AUDIT - a row that somebody put into the database silences no alert: its writer's signature must hold.
    try:
        entry = Proven.read(tx, writer, seq).entry
        alert = DayAlert.of(entry.body)
    except (BadInput, Gap, Tampered):
        return None
    return alert if entry.kind is EntryKind.ALERT and alert.place == place else None


def _read(tenant: str, note: bytes) -> tuple[Entry | None, DayAlert | None]:
    """An alert about an identity of this tenant; what is none proves nothing."""
    try:
        entry = decode_entry(note)
        return (entry, DayAlert.of(entry.body)) if entry.tenant == tenant else (None, None)
    except Tampered:
        return None, None


def attacks(reader: Reader, tenant: str, prints: Prints) -> frozenset[_Place]:
    """Identities' days that somebody judged an attack, (fingerprint, day) each; the last word on each alert counts.

    Raises:
        Tampered: `bad_alert`.
        ConfigError: `other_key`, the alerts were made with another key, so that nobody can tell whose days they are.
    """
    alerts: dict[str, Entry] = {}
    verdicts: dict[str, bool] = {}
    for found in entries(reader, tenant, (EntryKind.ALERT, EntryKind.FEEDBACK)):
        entry = found.entry
        if entry.kind is EntryKind.FEEDBACK:
            verdicts[str(entry.body.get("alert"))] = entry.body.get("attack") is True
        elif entry.body.get("kind") == KIND:
            alerts[entry.id] = entry
    # INVARIANT: TENANT - a verdict counts for an alert of this tenant's log, or for none.
    judged = [DayAlert.of(alert.body) for id_, alert in alerts.items() if verdicts.get(id_)]
    if any(alert.key != prints.key for alert in judged):
        # INVARIANT: FAILCLOSED - else what was called an attack would be taken for ordinary.
        raise ConfigError(
            "other_key",
            "alerts that were judged an attack were made with another key: whose events they are cannot be told",
            field="digest.key",
            remedy="restore the key from a backup; or leave those events out of the file, and judge them `--ordinary`",
        )
    return frozenset(alert.place for alert in judged)


def without(
    events: Sequence[IdentityEvent], left_out: frozenset[_Place], prints: Prints
) -> tuple[list[IdentityEvent], int]:
    """Events but those of such days, and how many those are.

    Raises:
        BadInput: `nothing_left`.
    """
    if not left_out:
        return list(events), 0
    kept = [item for item in events if (prints.of(item.identity), day_of(item.ts_us)) not in left_out]
    if not kept:
        what = "every event is of a day that was judged an attack"
        raise BadInput("nothing_left", what, field="time", remedy="import a longer time, or `halo judge N --ordinary`")
    return kept, len(events) - len(kept)


def named(contents: Contents, entry: Entry) -> Named | None:
    """The event that an alert is about, with names; None where it is closed: erased, or without the key."""
    data = contents.open(entry, CONTENT)
    return None if data is None else Named.of(data)
