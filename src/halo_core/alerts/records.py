"""Alerts in the ledger: writing those about people and service accounts, and reading all of them to be sent.

Questions that wait for an answer can be sent as alerts too.

There is one alert for each identity and UTC day, however often its events are scored, and another where the day's risk
has risen since. Verdicts on alerts (`halo judge`) say which events the next baseline leaves out.

    log = LedgerAlertLog(url, "local")
    while page := log.read_since(index): ...
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple, dataclass, field, replace
from itertools import islice
from typing import Any, Final

from halo_core.crypto.keys import KeyStore
from halo_core.errors import BadInput, ConfigError, Gap, Tampered
from halo_core.identities.day_alerts import (
    ALERT_KIND,
    CONTENT_FIELD,
    AlertedEvent,
    DayAlert,
    HighRiskDay,
    IdentityFingerprints,
    day_of,
    make_subject,
)
from halo_core.identities.event import IdentityEvent
from halo_core.ledger import decode_entry
from halo_core.model import EntryKind, LedgerEntry
from halo_core.risk.model import Factor
from halo_core.store import Draft, Transaction, rows
from halo_core.store.content_keys import is_erased
from halo_core.store.proven_entries import ProvenEntry
from halo_core.store.reader import LoggedEntry, Reader, SealedContents, read_entries

BATCH: Final = 50
"""Alerts written in one transaction, since agents wait for the write lock meanwhile."""
PROFILE_ALERTS: Final = ("behaviour", "drift", "volume")
"""Kinds of alerts about an agent that leaves its profile; their factors are the axes."""
_MAX_SCORE: Final = 1000
_ID: Final = re.compile(r"[0-9a-f-]{1,64}")
_MAX_TEXT: Final = 1000
_MAX_FACTORS: Final = 3
_MAX_REASONS: Final = 10
_PAGE_SIZE: Final = 500


@dataclass(frozen=True, slots=True)
class AgentAlert:
    """An alert about an action or session of an agent, without arguments and results.

    Args:
        id: id of the entry.
        index: index in the tenant's log.
        tenant: tenant of the log.
        session: session of the action.
        ts_us: time of the alert, microseconds since the epoch.
        kind: `action`, `session`, `drift`, `volume` or `behaviour`.
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

        INVARIANT: members are taken by name, so that members of later versions are not sent by accident.

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
        if self.kind in PROFILE_ALERTS and self.risk is None:
            return min(max((item.moved for item in self.factors), default=0), _MAX_SCORE)
        return self.risk if self.kind == "action" and self.risk is not None else self.session_risk

    @property
    def reason(self) -> str:
        """Descriptions of the factors."""
        return "; ".join(item.words for item in self.factors) or "the session as a whole"

    @property
    def sentence(self) -> str:
        """The alert as a sentence."""
        description = {
            "action": f"`{self.resource}` is very unusual",
            "behaviour": "it does what it does not usually do",
            "drift": "its sessions drift away from ordinary behaviour",
            "volume": "it does more than in its ordinary sessions",
            "quota": "a quota of the day is nearly used up",
            "plan": f"the decision of `{self.resource}` worked out in advance was wrong, and was not used",
        }.get(self.kind, "the risk of the session is high")
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
        plain = asdict(self)
        decision = {"leaf": plain.pop("leaf"), "w": plain.pop("writer"), "ws": plain.pop("seq")}
        return {**plain, "decision": decision}


@dataclass(frozen=True, slots=True)
class QuestionAlert:
    """A question that waits for an answer, without arguments and amounts.

    Args:
        id: id of the question.
        index: index in the tenant's log.
        tenant: tenant of the log.
        session: session of the action.
        ts_us: when it was asked, microseconds since the epoch.
        role: role of the agent that asks.
        resource: resource that it waits to use.
        reasons: reason codes.
        question: `call` or `reauthorization`.
        is_held: whether the agent goes on meanwhile.
        expires_us: time until which it can be answered, microseconds since the epoch.
    """

    id: str
    index: int
    tenant: str
    session: str
    ts_us: int
    role: str
    resource: str
    reasons: tuple[str, ...]
    question: str
    is_held: bool
    expires_us: int
    kind = "question"

    @classmethod
    def from_entry(cls, logged: LoggedEntry) -> QuestionAlert:
        """Read an entry; members are taken by name, as in `AgentAlert`.

        Raises:
            LookupError, TypeError, ValueError or AttributeError: the entry is no question.
        """
        entry, body = logged.entry, logged.entry.body
        return cls(
            id=check_entry_id(entry),
            index=logged.index,
            tenant=shorten(entry.tenant),
            session=shorten(entry.session),
            ts_us=entry.ts_us,
            role=shorten(body.get("role", "")),
            resource=shorten(body["resource"]),
            reasons=tuple(shorten(item["code"]) for item in body["reasons"][:_MAX_REASONS]),
            question=shorten(body["kind"]),
            is_held=bool(body.get("held", False)),
            expires_us=body["expires_us"],
        )

    @property
    def answer_with(self) -> str:
        """The command that answers."""
        return f"halo approvals approve {self.id} --as NAME"

    @property
    def sentence(self) -> str:
        """The question as a sentence."""
        return (
            f"question {self.id}: role `{self.role}` waits for an answer to use `{self.resource}` "
            f"({', '.join(self.reasons)}); answer with `{self.answer_with}`"
        )

    def to_syslog_values(self) -> dict[str, str]:
        """Structured data of a syslog message."""
        return {
            "id": self.id,
            "index": str(self.index),
            "tenant": self.tenant,
            "kind": self.kind,
            "role": self.role,
            "resource": self.resource,
            "session": self.session,
            "reasons": " ".join(self.reasons),
            "question": self.question,
            "held": "true" if self.is_held else "false",
            "expires_us": str(self.expires_us),
        }

    def to_plain(self) -> dict[str, Any]:
        """The question as JSON."""
        plain = asdict(self)
        return {**plain, "answer_with": self.answer_with, "held": plain.pop("is_held"), "kind": self.kind}


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
        event = self.event
        identity = f"`{event.identity}`: {event.summary}" if event is not None else self.alert.fingerprint
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
            "name": event.identity if event else "-",
            "action": event.action if event else "-",
            "system": event.system if event else "-",
            "network": event.network if event else "-",
            "day": alert.day,
            "risk": str(alert.risk),
            "running": str(alert.identity_risk),
            "high": str(alert.high_event_count),
            "factors": " ".join(item.id for item in alert.factors),
        }

    def to_plain(self) -> dict[str, Any]:
        """The alert as JSON, with the keys of `halo alerts --json`."""
        body = self.alert.to_body()
        del body["key"]
        event = None if self.event is None else self.event.to_plain()
        place = {"id": self.id, "index": self.index, "tenant": self.tenant, "ts_us": self.ts_us}
        return {**body, **place, "event": event}


AnyAlert = AgentAlert | PersonAlert | QuestionAlert


class LedgerAlertLog:
    """The alerts in the ledger of one tenant.

    Each page is read in a transaction of its own, so that a slow receiver keeps no read open.

    Args:
        url: URL of the store.
        tenant: tenant of the log.
        keys: keys of the home, if people are to be named: their names are sealed.
        questions: whether the questions that wait for an answer are among them.
    """

    def __init__(self, url: str, tenant: str, keys: KeyStore | None = None, *, questions: bool = False) -> None:
        self._url = url
        self._kinds = (EntryKind.ALERT, EntryKind.APPROVAL_REQUEST) if questions else (EntryKind.ALERT,)
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
            page = list(islice(read_entries(reader, self._tenant, self._kinds, since=self._end), _PAGE_SIZE))
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
            return self._read_alert(logged, reader) if logged.entry.kind in self._kinds else None

    def _read_alert(self, logged: LoggedEntry, reader: Reader) -> AnyAlert:
        try:
            if logged.entry.kind is EntryKind.APPROVAL_REQUEST:
                return QuestionAlert.from_entry(logged)
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


_Place = tuple[str, str]


@dataclass(slots=True)
class KnownAlerts:
    """Days of identities that the log has alert entries of.

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
    """Read the alerts of the log, without the write lock, since a log can be long."""
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
    """(fingerprint, day) of alerts that were judged an attack; the last verdict on each alert counts.

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


def open_event(contents: SealedContents, entry: LedgerEntry) -> AlertedEvent | None:
    """The event of an alert, with names; None if it was erased or the key is missing."""
    data = contents.open(entry, CONTENT_FIELD)
    return None if data is None else AlertedEvent.from_content(data)
