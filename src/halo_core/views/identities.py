"""People and service accounts: imported events, the baseline that they are compared with, and their risk."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from halo_core.errors import BadInput, ConfigError
from halo_core.identities.baseline import IdentityBaseline
from halo_core.identities.day_alerts import HighRiskDay, HighRiskDays
from halo_core.identities.event import IdentityEvent
from halo_core.identities.event_reader import MAX_EVENTS, parse_column_mapping, read_events
from halo_core.identities.event_risk import ComparisonBasis, EventScorer, ScoredEvent
from halo_core.views import View
from halo_core.views.risk import SPARKLINE_WIDTH


@dataclass(frozen=True, slots=True)
class ImportedEvents:
    """What all files together held."""

    events: Sequence[IdentityEvent] = ()
    sources: tuple[str, ...] = ()
    skipped: Counter[int] = field(default_factory=Counter)
    left_out: int = 0

    def count_skipped(self) -> dict[str, int]:
        """Class of OCSF → events that were left out, since they say nothing of identities."""
        return {str(name): number for name, number in sorted(self.skipped.items())}


@dataclass(slots=True)
class IdentityRisk(View):
    """What the scored events say of one identity."""

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
    """A stream that hashes what is read of it: the record names the very bytes that were imported."""

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
    """Events of all files, in order; INVARIANT: of all of them or, where one is wrong, of none."""
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
                taken = read_events(stream, kind, columns, most=MAX_EVENTS - len(events))
            except BadInput as exc:
                exc.field = f"{path.name}: {exc.field}"
                raise
        sources.append(f"sha256:{stream.hash.hexdigest()}")
        events += taken.events
        skipped.update(taken.skipped)
    return ImportedEvents(sorted(events), tuple(sources), skipped)
