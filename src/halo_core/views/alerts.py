"""Alerts about agents, people and service accounts, and imported events with their baseline and risk, as typed answers.

The name of a person is sealed content; where it cannot be opened, the view says why in its place.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import IO, Any, Final

from halo_core.alerts.log import open_event
from halo_core.alerts.messages import read_agent_alert
from halo_core.baselines import load_identities
from halo_core.crypto.keys import KeyStore
from halo_core.errors import BadInput, ConfigError, Tampered
from halo_core.identities.baseline import IdentityBaseline
from halo_core.identities.day_alerts import (
    AlertedEvent,
    DayAlert,
    HighRiskDay,
    HighRiskDays,
    is_about_identity,
    make_subject,
)
from halo_core.identities.event import IdentityEvent
from halo_core.identities.event_file import MAX_EVENTS, parse_column_mapping, read_events
from halo_core.identities.event_risk import ComparisonBasis, EventScorer, ScoredEvent
from halo_core.model import EntryKind, LedgerEntry
from halo_core.quick_dataclass import dataclass
from halo_core.store.entry_lookup import read_verdict
from halo_core.store.reader import LoggedEntry, Reader, SealedContents, read_entries
from halo_core.views import View
from halo_core.views.risk import SPARKLINE_WIDTH


@dataclass(frozen=True, slots=True)
class ImportedEvents:
    """The events of all imported files.

    Args:
        events: events in order.
        sources: digest of each file.
        skipped: class of OCSF → number of events that were skipped, since they are not about identities.
        left_out: number of events of days that were judged an attack.
    """

    events: Sequence[IdentityEvent] = ()
    sources: tuple[str, ...] = ()
    skipped: Counter[int] = field(default_factory=Counter)
    left_out: int = 0

    def count_skipped(self) -> dict[str, int]:
        """Class of OCSF → events that were left out, since they say nothing of identities."""
        return {str(name): number for name, number in sorted(self.skipped.items())}


@dataclass(slots=True)
class IdentityRisk(View):
    """The risk of one identity over its scored events.

    Args:
        identity: name of the person or service account.
        events: number of events.
        unknown: number of events about which too little is known to score them.
        highest: highest risk of an event, 0..1000.
        running: risk of the identity after the newest event, 0..1000.
        bands: band → number of events.
        history: risk of the identity after each of the newest events.
        factors: cause, in words → number of events above the limits that it moved.
        kind: kind of the identity.
    """

    identity: str
    events: int = 0
    unknown: int = 0
    highest: int = 0
    running: int = 0
    bands: Counter[int] = field(default_factory=Counter)
    history: list[int] = field(default_factory=list)
    factors: Counter[str] = field(default_factory=Counter)
    kind: str = ""

    def add(self, scored: ScoredEvent) -> None:
        """One event, in order."""
        self.events += 1
        self.kind, self.running = scored.event.kind.value, scored.identity_risk
        self.unknown += scored.basis is ComparisonBasis.TOO_LITTLE
        self.highest = max(self.highest, scored.event_risk or 0)
        self.bands[scored.band] += 1
        self.history = [*self.history[-SPARKLINE_WIDTH + 1 :], scored.identity_risk]
        if scored.band:
            self.factors.update(item.words for item in scored.factors)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "elevated": self.bands[1],
            "events": self.events,
            "factors": dict(self.factors.most_common(3)),
            "high": self.bands[2],
            "highest": None if self.unknown == self.events else self.highest,
            "history": self.history,
            "identity": self.identity,
            "kind": self.kind,
            "risk": None if self.unknown == self.events else self.running,
            "too_little_known": self.unknown,
        }


@dataclass(frozen=True, slots=True)
class IdentityBaselineView(View):
    """A baseline of people and service accounts, in figures; it has no names."""

    baseline: IdentityBaseline
    imported: ImportedEvents
    in_force: bool

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        limits = self.baseline.limits
        return {
            "established": self.baseline.count_established(),
            "events": self.baseline.event_count,
            "identities": len(self.baseline.habits),
            "in_force": self.in_force,
            "left_out": self.imported.left_out,
            "limits": {"elevated": limits.elevated, "high": limits.high, "identity_days": limits.days},
            "skipped": self.imported.count_skipped(),
        }


@dataclass(frozen=True, slots=True)
class IdentityRiskReport(View):
    """The risk of identities whose events were scored.

    Args:
        identities: the riskiest first.
        flagged: events above the limits, in order.
        early: how many events are not later than the baseline.
        skipped: class of OCSF → events that were left out.
        days: days with a risk above high.
    """

    identities: tuple[IdentityRisk, ...]
    flagged: tuple[ScoredEvent, ...]
    early: int
    skipped: dict[str, int]
    days: Sequence[HighRiskDay]

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "early": self.early,
            "events": [item.to_plain() for item in self.flagged],
            "identities": [item.to_json() for item in self.identities],
            "skipped": self.skipped,
        }


def score_events(baseline: IdentityBaseline, imported: ImportedEvents, key: bytes) -> IdentityRiskReport:
    """Score imported events against a baseline; `key` is the one that its fingerprints were made with."""
    scorer, days = EventScorer(baseline, key), HighRiskDays()
    identities: dict[str, IdentityRisk] = {}
    flagged: list[ScoredEvent] = []
    for event in imported.events:
        scored = scorer.score(event)
        days.add_event(scored)
        identities.setdefault(event.identity, IdentityRisk(event.identity)).add(scored)
        if scored.band:
            flagged.append(scored)
    return IdentityRiskReport(
        identities=tuple(sorted(identities.values(), key=lambda item: (-item.highest, item.identity))),
        flagged=tuple(flagged),
        early=sum(event.ts_us <= baseline.last_us for event in imported.events),
        skipped=imported.count_skipped(),
        days=days.list_days(),
    )


_SUFFIXES: Final = {".csv": "csv", ".json": "ocsf", ".jsonl": "ocsf", ".ndjson": "ocsf"}


class _HashingStream:
    """A stream that hashes what is read from it, so that the record names exactly the bytes that were imported."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.hash = hashlib.sha256()

    def readline(self, limit: int) -> bytes:
        """As a file's."""
        return self._update_hash(self._stream.readline(limit))

    def read(self, limit: int) -> bytes:
        """As a file's."""
        return self._update_hash(self._stream.read(limit))

    def _update_hash(self, data: bytes) -> bytes:
        self.hash.update(data)
        return data


def read_event_files(files: Iterable[Path], form: str, mapping: list[str] | None) -> ImportedEvents:
    """Read the events of all files, in order of time. INVARIANT: where one file is wrong, nothing is imported.

    Raises:
        ConfigError: `no_format`.
        BadInput: a line is no event; the field names file and line.
    """
    columns = parse_column_mapping(mapping or [])
    events: list[IdentityEvent] = []
    sources, skipped = [], Counter[int]()
    for path in files:
        kind = form or _SUFFIXES.get(path.suffix.lower(), "")
        if not kind:
            problem = f"the format of `{path.name}` cannot be told from its name"
            raise ConfigError("no_format", problem, field="format", remedy="give `--format csv` or `--format ocsf`")
        with path.open("rb") as file:
            stream = _HashingStream(file)
            try:
                imported = read_events(stream, kind, columns, most=MAX_EVENTS - len(events))
            except BadInput as exc:
                exc.field = f"{path.name}: {exc.field}"
                raise
        sources.append(f"sha256:{stream.hash.hexdigest()}")
        events += imported.events
        skipped.update(imported.skipped)
    return ImportedEvents(sorted(events), tuple(sources), skipped)


_ERASED: Final = "erased"
_CLOSED: Final = "the content key is not available"
ALTERED: Final = "altered: run `halo verify`"


class IdentityNames:
    """Opens the sealed events of alerts about people and service accounts.

    Args:
        reader: the store, open.
        home: home with the content key, if it has one.
    """

    def __init__(self, reader: Reader, home: Path) -> None:
        keys = KeyStore(home)
        self._contents = SealedContents.with_home_key(reader, keys)
        self._closed = _ERASED if "content" in keys.names() else _CLOSED

    def open_event(self, entry: LedgerEntry) -> AlertedEvent | str:
        """The event with names, or why it cannot be shown; never raises, so that one altered alert hides no other."""
        try:
            return open_event(self._contents, entry) or self._closed
        except Tampered:
            return ALTERED


@dataclass(frozen=True, slots=True)
class AlertView(View):
    """One alert.

    Args:
        record: its entry.
        verdict: what a person said of it, None if nobody did.
        event: event of a person or a service account with names, or why it cannot be shown; None for an agent.
        acknowledged_us: when somebody first acknowledged it, microseconds since the epoch; None if nobody did.
    """

    record: LoggedEntry
    verdict: Mapping[str, Any] | None
    event: AlertedEvent | str | None
    acknowledged_us: int | None = None

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
        return f"({ALTERED})", "-", "-", "-", "-"  # a forged alert must not hide the others

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        entry, event = self.record.entry, self.event
        opened: dict[str, Any] = {}
        if event is not None:
            closed = event if isinstance(event, str) else ""
            opened = {"closed": closed, "event": None if isinstance(event, str) else event.to_plain()}
        return {
            "acknowledged_us": self.acknowledged_us,
            "id": entry.id,
            "index": self.record.index,
            "judged": None
            if self.verdict is None
            else {name: self.verdict[name] for name in ("actor", "attack", "why")},
            "session": entry.session,
            "ts_us": entry.ts_us,
            **entry.body,
            **opened,
        }


@dataclass(frozen=True, slots=True)
class AlertList(View):
    """Alerts in log order.

    Args:
        alerts: the alerts.
        errors: agent, or a person's fingerprint → number of its alerts that were judged `attack` and `ordinary`.
    """

    alerts: tuple[AlertView, ...]
    errors: Mapping[str, Mapping[str, int]]

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {"alerts": [item.to_json() for item in self.alerts], "errors": self.errors}


def load_alerts(reader: Reader, tenant: str, home: Path, *, open_only: bool) -> AlertList:
    """Alerts of a tenant; with `open_only` those that nobody judged. Names are opened with the key in `home`."""
    alerts: list[LoggedEntry] = []
    verdicts: dict[str, Mapping[str, Any]] = {}
    subjects: dict[str, str] = {}
    errors: dict[str, dict[str, int]] = {}
    names = IdentityNames(reader, home)
    seen_us: dict[str, int] = {}
    for record in read_entries(reader, tenant, (EntryKind.ALERT, EntryKind.FEEDBACK, EntryKind.ACKNOWLEDGEMENT)):
        entry, body = record.entry, record.entry.body
        if entry.kind is EntryKind.ACKNOWLEDGEMENT:
            seen_us.setdefault(str(body.get("alert", "")), entry.ts_us)
        elif entry.kind is EntryKind.ALERT:
            alerts.append(record)
            about_identity = is_about_identity(entry)
            subjects[entry.id] = (
                make_subject(str(body.get("identity"))) if about_identity else str(body.get("agent", ""))
            )
        elif (verdict := read_verdict(entry)) is not None:
            verdicts[verdict["alert"]] = verdict
            if verdict["alert"] not in subjects:
                continue  # on a decision that no alert was raised about
            row = errors.setdefault(subjects[verdict["alert"]], {"attack": 0, "ordinary": 0})
            row["attack" if verdict["attack"] else "ordinary"] += 1
    listed = tuple(
        AlertView(
            item,
            verdicts.get(item.entry.id),
            names.open_event(item.entry) if is_about_identity(item.entry) else None,
            seen_us.get(item.entry.id),
        )
        for item in alerts
        if not open_only or item.entry.id not in verdicts
    )
    return AlertList(listed, errors)


def find_acknowledgement(reader: Reader, tenant: str, alert: str) -> LoggedEntry | None:
    """The first entry that acknowledges the alert with this id; None if there is none."""
    acknowledgements = read_entries(reader, tenant, (EntryKind.ACKNOWLEDGEMENT,))
    return next((item for item in acknowledgements if item.entry.body.get("alert") == alert), None)


def is_in_baseline(reader: Reader, tenant: str, alert: LedgerEntry) -> bool:
    """Whether events of an alert's day may be in the baseline in force; False if that cannot be read."""
    try:
        book = load_identities(reader, tenant)
        return book is not None and DayAlert.from_body(alert.body).first_us <= book.last_us
    except (BadInput, Tampered):
        return False
