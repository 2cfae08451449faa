"""Takes events into the store: scores each one, changes the risk of its identity, and records what rose.

INVARIANT: how far a source was read is written in the transaction that takes its events, so that after a crash no event
is lost and none counts twice.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, field
from typing import Any, Final, Self

from halo_core.alerts.identity_days import KnownAlerts, write_alerts
from halo_core.clock import Clock
from halo_core.crypto import canonical
from halo_core.crypto.keys import Digester, KeyStore
from halo_core.durations import DAY_US
from halo_core.enforcement.risk_assessor import BASELINE_DOMAIN
from halo_core.enforcement.suspension import (
    SOURCES_NEEDED,
    SuspensionEvidence,
    consider_suspension,
    find_people_rule,
)
from halo_core.errors import BadInput, CannotDecide
from halo_core.identities.baseline import IDENTITIES, IdentityBaseline
from halo_core.identities.day_alerts import IdentityFingerprints
from halo_core.identities.event import IdentityEvent
from halo_core.identities.habit import fingerprint_moment
from halo_core.identities.live import LiveIdentity, describe_factors
from halo_core.identities.tracker import IdentityTracker, TakenEvent
from halo_core.identity_feed.lines import BadLine
from halo_core.model import Actor, EntryKind
from halo_core.quick_dataclass import dataclass
from halo_core.references import clip_name
from halo_core.store import rows
from halo_core.store.drafts import Draft, SealedFields
from halo_core.store.identity_rows import IdentityTable, make_change, read_identity_row
from halo_core.store.transaction import Transaction

BATCH: Final = 50
"""Events of one transaction, since agents wait for the write lock meanwhile."""
_PAUSE_S: Final = 0.01
"""Between transactions: whoever waits for the write lock gets it."""
_ATTEMPTS: Final = 10
_BUSY_PAUSE_S: Final = 0.05

Commit = Callable[[Callable[[Transaction], Any]], Any]


@dataclass(frozen=True, slots=True)
class RaisedRisk:
    """An identity whose band of risk changed.

    Args:
        subject: reference of the identity.
        name: name of the identity in the source.
        risk: 0..1000.
        band: 0 ordinary, 1 elevated, 2 high.
        words: why, without values.
    """

    subject: str
    name: str
    risk: int
    band: int
    words: tuple[str, ...]


@dataclass(slots=True)
class FeedReport:
    """The result of taking events.

    Args:
        taken: events that were counted.
        ahead: events whose time was in the future.
        late: events of a day that was over.
        raised: identities whose band changed, in order.
        alerts: alerts that were written.
        suspended: people for whom agents stop acting after a notice, given now.
        bad: what was given and is no event.
        skipped: class of OCSF → events of it that say nothing of what an identity did.
    """

    taken: int = 0
    ahead: int = 0
    late: int = 0
    raised: list[RaisedRisk] = field(default_factory=list)
    alerts: int = 0
    suspended: int = 0
    bad: list[BadLine] = field(default_factory=list)
    skipped: Counter[int] = field(default_factory=Counter)

    def __iadd__(self, other: FeedReport) -> Self:
        self.taken += other.taken
        self.ahead += other.ahead
        self.late += other.late
        self.raised += other.raised
        self.alerts += other.alerts
        self.suspended += other.suspended
        self.bad += other.bad
        self.skipped += other.skipped
        return self

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        raised = [{**asdict(item), "words": list(item.words)} for item in self.raised]
        return {
            "ahead": self.ahead,
            "alerts": self.alerts,
            "bad": [{"field": item.field, "line": item.number, "problem": item.problem} for item in self.bad],
            "late": self.late,
            "raised": raised,
            "suspended": self.suspended,
            "skipped": {str(name): number for name, number in sorted(self.skipped.items())},
            "taken": self.taken,
        }


class PlaceMoved(BadInput):
    """Somebody else has read the source meanwhile."""

    def __init__(self) -> None:
        super().__init__(
            "source_in_use", "another process has read this source", field="file", remedy="follow a source once"
        )


class IdentityFeed:
    """Takes events of one tenant into its store.

    Args:
        commit: runs a job in a transaction, as `Store.commit`.
        keys: keys of the home.
        tenant: whose identities.
        clock: the present.
        name: name of the feed. Feeds of different names are sources that do not depend on each other: two of them can
            suspend a person.
    """

    def __init__(self, commit: Commit, keys: KeyStore, tenant: str, clock: Clock, name: str) -> None:
        self._commit = commit
        self._clock = clock
        self._name = name
        self._digester = Digester(keys.secret("digest"))
        self._key = keys.secret("sketch")
        self._prints = IdentityFingerprints(self._digester, tenant)
        self._proofs: dict[str, str] = {}
        self._alerts = KnownAlerts()
        self._tracker: IdentityTracker | None = None
        self._baseline = ""

    def take(
        self, events: Sequence[IdentityEvent], place: tuple[str, Mapping[str, Any], Mapping[str, Any]] | None = None
    ) -> FeedReport:
        """Take events, in their order.

        Args:
            events: any number; with a `place` at most `BATCH`, which are taken all or none.
            place: name of the source, how far it was read before these events, and with them.

        Raises:
            BadInput: `too_many`, `bad_principal_risk`, `other_key`; `source_in_use`, the source was read by another.
            CannotDecide: the store cannot be written.
        """
        report = FeedReport()
        for start in range(0, max(len(events), 1), BATCH):
            if start:
                time.sleep(_PAUSE_S)
            report += self._take_batch(events[start : start + BATCH], place)
        return report

    def _take_batch(
        self, events: Sequence[IdentityEvent], place: tuple[str, Mapping[str, Any], Mapping[str, Any]] | None
    ) -> FeedReport:
        for attempts_left in reversed(range(_ATTEMPTS)):
            try:
                report: FeedReport = self._commit(lambda tx: self._apply(tx, events, place))
            except CannotDecide as exc:
                self._forget()
                if exc.code != "ledger_busy" or not attempts_left:
                    raise
                time.sleep(_BUSY_PAUSE_S)
            except BaseException:
                self._forget()  # memory may be ahead of the store
                raise
            else:
                return report
        raise AssertionError("the last attempt returns or raises")

    def make_digest(self, data: bytes) -> str:
        """Keyed digest of a source's data, which recognises it later."""
        return self._digester.make_reference("halo/identity-source", data)

    def read_place(self, source: str) -> dict[str, Any]:
        """How far a source was read; empty if it never was."""
        return dict(self._commit(lambda tx: IdentityTable(tx, self._digester).load_place(source)))

    def _forget(self) -> None:
        self._tracker = None
        self._proofs.clear()

    def _apply(
        self,
        tx: Transaction,
        events: Sequence[IdentityEvent],
        place: tuple[str, Mapping[str, Any], Mapping[str, Any]] | None,
    ) -> FeedReport:
        table = IdentityTable(tx, self._digester)
        if place is not None:
            source, before, after = place
            if table.load_place(source) != dict(before):
                raise PlaceMoved
            table.put_place(source, after)
        tracker = self._load_tracker(tx, table) if events else None
        if tracker is None:
            return FeedReport()
        now_us, report = tx.clock.now_us(), FeedReport()
        changed: dict[str, tuple[TakenEvent, str]] = {}
        days: set[tuple[str, int]] = set()
        raised: set[str] = set()
        for event in events:
            subject = tx.references.of_person(event.identity)
            self._refresh(table, tracker, subject)
            taken = tracker.take(event, subject, self._prints.fingerprint_of(event.identity), now_us)
            report.taken += 1
            report.ahead += taken.is_ahead
            report.late += taken.is_late
            if taken.scored.band > 1 and not taken.is_foreign:
                feed, print_ = self.make_digest(self._name.encode()), fingerprint_moment(taken.scored.event, self._key)
                taken.identity.note_source(feed, taken.scored.event.ts_us, print_)
                raised.add(subject)
            if taken.has_new_band:
                changed[subject] = taken, event.identity
            if taken.scored.band > 1:
                days.add((event.identity, taken.scored.event.ts_us // DAY_US))
        for subject in sorted(tracker.dirty):
            self._proofs[subject] = table.put(subject, tracker.states[subject])
        tracker.dirty.clear()
        self._record(tx, changed, report)
        self._write_alerts(tx, tracker, days, report)
        for subject in sorted(raised):
            report.suspended += _consider_person(tx, subject, tracker.states[subject], now_us)
        return report

    def _load_tracker(self, tx: Transaction, table: IdentityTable) -> IdentityTracker:
        baseline = rows.BaselineTable(tx).get(IDENTITIES)
        if self._tracker is not None and baseline == self._baseline:
            return self._tracker
        book = _load_baseline(tx, baseline)
        states: dict[str, LiveIdentity] = {}
        for row in table.list_rows():
            states[row[0]] = read_identity_row(self._digester, tx.tenant, row)
            self._proofs[row[0]] = row[3]
        self._baseline = baseline
        self._tracker = IdentityTracker(book, self._key, states)
        return self._tracker

    def _refresh(self, table: IdentityTable, tracker: IdentityTracker, subject: str) -> None:
        """Take the row of an identity if another process has written it since."""
        if subject in tracker.dirty:
            return
        proof = table.read_proof(subject)
        if proof == self._proofs.get(subject, ""):
            return
        state = table.load(subject)
        if state is None:
            tracker.states.pop(subject, None)
        else:
            tracker.states[subject] = state
        self._proofs[subject] = proof

    def _record(self, tx: Transaction, changed: Mapping[str, tuple[TakenEvent, str]], report: FeedReport) -> None:
        """Append one entry for the identities whose band changed; each name is sealed under its own key."""
        if not changed:
            return
        changes, others = [], []
        for number, (subject, (event, name)) in enumerate(sorted(changed.items())):
            state = event.identity
            changes.append(make_change(subject, state))
            others.append((subject, {f"name{number}": clip_name(name).encode()}))
            words = describe_factors(state.factors)
            report.raised.append(RaisedRisk(subject, name, state.risk, state.band, words))
        tx.append(Draft(EntryKind.IDENTITY, "", {"changes": changes, "op": "events"}, others=tuple(others)))

    def _write_alerts(
        self, tx: Transaction, tracker: IdentityTracker, days: set[tuple[str, int]], report: FeedReport
    ) -> None:
        if not days:
            return
        alerts = [tracker.high_days[day] for day in sorted(days)]
        result, read = write_alerts(tx, alerts, self._prints, self._baseline, self._alerts)
        self._alerts.merge(read)
        report.alerts += result.written
        newest = max(number for _, number in tracker.high_days)
        for day in [item for item in tracker.high_days if item[1] < newest - 1]:
            del tracker.high_days[day]


def _consider_person(tx: Transaction, subject: str, state: LiveIdentity, now_us: int) -> int:
    """Give notice that agents will stop acting for a person, if two feeds call for it; returns 1 if given, else 0."""
    sources = state.list_sources(now_us)
    if len(sources) < SOURCES_NEEDED:
        return 0
    newest_us = max(state.raised_by.values())
    evidence = SuspensionEvidence(state.risk, sources, newest_us, words=describe_factors(state.factors))
    return int(consider_suspension(tx, "suspended_user", subject, evidence, find_people_rule(tx)))


def _load_baseline(tx: Transaction, name: str) -> IdentityBaseline:
    """The baseline with this hash; an empty one for an empty hash.

    Raises:
        BadInput: `bad_baseline`, it is missing or was changed.
    """
    if not name:
        return IdentityBaseline()
    data = tx.load_blob(name) or b""
    if canonical.digest(BASELINE_DOMAIN, data) != name:
        remedy = "import the events again"
        raise BadInput("bad_baseline", "the baseline of identities was changed", field="baseline", remedy=remedy)
    return IdentityBaseline.from_bytes(data)


def clear_identity(
    tx: Transaction, digester: Digester, subject: str, *, by: Actor | str, why: str, is_ordinary: bool, name: str = ""
) -> bool:
    """Reset the risk of an identity after a person looked at it; False if the identity is unknown.

    Args:
        tx: the transaction.
        digester: digester of the home.
        subject: reference of the identity.
        by: who says so.
        why: the reason, masked.
        is_ordinary: the unusual days were ordinary work, so that they become usual.
        name: name of the identity, to be sealed.
    """
    table = IdentityTable(tx, digester)
    try:
        state = table.load(subject)
    except BadInput:  # a row that was changed: what it said is lost, and the person begins anew
        state = LiveIdentity()
    if state is None:
        if not table.find_band(subject):
            return False
        state = LiveIdentity()  # its row was deleted
    state.clear(tx.clock.now_us(), is_ordinary=is_ordinary)
    table.put(subject, state)
    others: SealedFields = ((subject, {"name0": clip_name(name).encode()}),) if name else ()
    body = {"changes": [make_change(subject, state)], "op": "clear", "ordinary": is_ordinary, "why": why}
    tx.append(Draft(EntryKind.IDENTITY, "", body, others=others, actor=Actor.of(by)))
    return True


def judge_identity(
    tx: Transaction, digester: Digester, fingerprint: str, *, by: Actor | str, why: str, is_attack: bool
) -> bool:
    """Apply a person's verdict on an alert to the risk of its identity; False if it is not followed.

    Ordinary work takes the risk back. An attack leaves it, and suffices for a suspension where the manifest has a rule.

    Args:
        tx: the transaction.
        digester: digester of the home.
        fingerprint: fingerprint by which the alert names the identity.
        by: who judged.
        why: the reason, masked.
        is_attack: the verdict.
    """
    reference = _find_by_fingerprint(tx, digester, fingerprint)
    if reference is None:
        return False
    subject, state = reference
    if not is_attack:
        return clear_identity(tx, digester, subject, by=by, why=why, is_ordinary=True)
    words = ("judged an attack", *describe_factors(state.factors))
    evidence = SuspensionEvidence(state.risk, (), tx.clock.now_us(), is_judged=True, words=words)
    consider_suspension(tx, "suspended_user", subject, evidence, find_people_rule(tx))
    return True


def _find_by_fingerprint(tx: Transaction, digester: Digester, fingerprint: str) -> tuple[str, LiveIdentity] | None:
    for row in IdentityTable(tx, digester).list_rows():
        if fingerprint.encode() in bytes(row[1]):
            try:
                state = read_identity_row(digester, tx.tenant, row)
            except BadInput:
                continue
            if state.fingerprint == fingerprint:
                return row[0], state
    return None
