"""The mode of each tenant; the control acts behind it, with their actors and what is proven; and counts of decisions.

Each entry is verified before it counts. An act is `proven` if it was signed by a person whose key is not on this
machine, and `unproven (dev)` otherwise, since code that runs as the agent could have done it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Final

from halo_core.authorities import Authorities, TrustedKeys
from halo_core.crypto.keys import KeyStore
from halo_core.errors import NotVerified
from halo_core.floors import HomeFloor, HostFloor, read_host_floor
from halo_core.ledger import Report
from halo_core.ledger.control_history import ControlChange, ControlHistory
from halo_core.model import EntryKind, LedgerEntry, Mode
from halo_core.oversight.keys import list_key_files
from halo_core.oversight.signed_entries import decode_signed_entry
from halo_core.quick_dataclass import dataclass
from halo_core.stop_files import StopFiles
from halo_core.store.log_checkpoints import load_trusted_keys
from halo_core.store.reader import Reader, read_entries
from halo_core.views import View, select_fields
from halo_core.views.declaration_history import list_loosened

_RESTRICTIONS: Final = (EntryKind.STOP, EntryKind.REVOCATION)
_KINDS: Final = (
    *(EntryKind.AUTHORITY.value, EntryKind.CONTROL.value, EntryKind.LIFT.value, EntryKind.MODE.value),
    *(kind.value for kind in _RESTRICTIONS),
)
_ANSWER_KINDS: Final = (EntryKind.APPROVAL.value, EntryKind.STANDING_ANSWER.value)
PROVEN: Final = "proven"
UNPROVEN: Final = "unproven (dev)"


@dataclass(frozen=True, slots=True)
class ControlActView(View):
    """One control act.

    Args:
        act: `enforce`, `waive`, `enrol`, `withdraw` or `lift`.
        entry: id of its entry.
        at_us: when it was done, microseconds since the epoch.
        by: who did it, and how that is known.
        signers: names of the people who signed it.
        proof: `proven` or `unproven (dev)`.
        until_us: end of a waiver, microseconds since the epoch; else 0.
        why: the reason given.
        problem: code of the reason for which it has no effect; empty if it has one.
    """

    act: str
    entry: str
    at_us: int
    by: str
    signers: tuple[str, ...]
    proof: str
    until_us: int
    why: str
    problem: str

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        names = ("act", "at_us", "by", "entry", "problem", "proof", "until_us", "why")
        return {**select_fields(self, *names), "signers": list(self.signers)}


@dataclass(frozen=True, slots=True)
class RestrictionView(View):
    """A stop, a suspension or a revocation in force.

    Args:
        kind: `stop` or `revocation`.
        scope: what is restricted: `agent`, `session`, `tool`, `user`, `all` and others.
        target: its name, or its reference where the home cannot tell the name.
        since_us: since when, microseconds since the epoch; a suspension may begin later.
        by: who did it; empty for a stop that stands in a file of the home alone.
        why: the reason given.
    """

    kind: str
    scope: str
    target: str
    since_us: int
    by: str = ""
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return select_fields(self, "by", "kind", "scope", "since_us", "target", "why")


@dataclass(frozen=True, slots=True)
class ControlView(View):
    """The mode of one tenant.

    Args:
        mode: the mode in force now.
        floor: the mode below which no application may go.
        floor_source: what sets the floor: an entry of the log, the file of the home, or that of the host.
        set_by: the act that raised the floor last; None if none did.
        waiver: the waiver that lowers the floor now; None if none does.
        past: waivers that have ended or have no effect, newest first.
        acts: `proven` and `unproven (dev)` → number of acts.
        people: enrolled people, as `name (role, proven or not)`.
        differences: number of times that rows of control differed from the signed entries.
        unenrolled: thumbprints in authorities.json that no entry has enrolled.
        renamed: thumbprints whose name in authorities.json is not that of their enrolment's entry.
        answers: `proven` and `unproven (dev)` → number of answers to questions, remembered ones included.
        overrides: the same of signed overrides, which are no answers.
        restrictions: stops, suspensions and revocations in force.
    """

    mode: str
    floor: str
    floor_source: str
    set_by: ControlActView | None
    waiver: ControlActView | None
    past: tuple[ControlActView, ...]
    acts: Mapping[str, int]
    people: tuple[str, ...]
    differences: int
    unenrolled: tuple[str, ...]
    renamed: tuple[str, ...] = ()
    answers: Mapping[str, int] = field(default_factory=dict)
    overrides: Mapping[str, int] = field(default_factory=dict)
    restrictions: tuple[RestrictionView, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            **select_fields(self, "differences", "floor", "floor_source"),
            "acts": dict(self.acts),
            "answers": dict(self.answers),
            "overrides": dict(self.overrides),
            "past": [item.to_json() for item in self.past],
            "people": list(self.people),
            "renamed": list(self.renamed),
            "restrictions": [item.to_json() for item in self.restrictions],
            "set_by": None if self.set_by is None else self.set_by.to_json(),
            "unenrolled": list(self.unenrolled),
            "waiver": None if self.waiver is None else self.waiver.to_json(),
        }


def load_control(reader: Reader, home: Path, tenant: str, host: HostFloor, now_us: int) -> ControlView:
    """The mode of a tenant and the acts behind it.

    Args:
        reader: the store.
        home: folder of keys, trust and floor.
        tenant: owner of the log.
        host: floor of this host.
        now_us: microseconds since the epoch.

    Raises:
        ConfigError: `no_trust`.
    """
    row, read = reader.control(tenant), _read_control_entries(reader, home, tenant)
    history = read.history
    trusted = Authorities(home).load(tenant)
    describe = _Describer(reader, home, tenant, read.acts, history)
    noted = tenant in HomeFloor(home).list_raised()
    floor, source = _find_floor(history, host, noted=noted)
    waiver, live = history.waiver, trusted.list_people(now_us)
    is_in_force = (
        waiver is not None
        and host.mode is not Mode.ENFORCE
        and waiver.at_us <= now_us < waiver.until_us
        and all(kid in live for kid in waiver.signers)
    )
    waivers = [item for item in history.changes if item.act == "waive" and not (is_in_force and item is waiver)]
    return ControlView(
        mode=(Mode.OBSERVE if is_in_force else floor).value,
        floor=floor.value,
        floor_source=source,
        set_by=None if history.raised is None else describe(history.raised),
        waiver=describe(waiver) if is_in_force and waiver is not None else None,
        past=tuple(describe(item) for item in reversed(waivers)),
        acts=dict(Counter(describe(item).proof for item in history.changes)),
        people=describe.list_people(now_us),
        differences=read.differences + int(row is not None and row.mode != history.floor.value),
        unenrolled=tuple(sorted(live.keys() - {item.key_id for item in history.list_live()})),
        renamed=_list_renamed(reader, trusted, history),
        answers=describe.count_signed(read.answers_by_key),
        overrides=describe.count_signed(read.overrides_by_key),
        restrictions=tuple(describe.list_restrictions()),
    )


@dataclass(slots=True)
class _ControlEntries:
    """The control entries of a log.

    Args:
        history: what follows from them.
        acts: id → entry of each control act.
        answers_by_key: thumbprint of a key → number of answers to questions that it signed.
        overrides_by_key: the same of overrides.
        differences: number of entries that say that rows differed, or that are not verified themselves.
    """

    history: ControlHistory
    acts: dict[str, LedgerEntry] = field(default_factory=dict)
    answers_by_key: Counter[str] = field(default_factory=Counter)
    overrides_by_key: Counter[str] = field(default_factory=Counter)
    differences: int = 0


def _read_control_entries(reader: Reader, home: Path, tenant: str) -> _ControlEntries:
    """Read and verify the control entries of a log, the answers to questions, and the overrides."""
    read = _ControlEntries(ControlHistory(tenant, reader.store_id(tenant)))
    for _, note in reader.notes(tenant, (*_KINDS, *_ANSWER_KINDS, EntryKind.OVERRIDE.value)):
        try:
            entry = decode_signed_entry(reader, home, tenant, note)
        except NotVerified:
            read.differences += 1
            continue
        if entry.kind.value in _ANSWER_KINDS:
            read.answers_by_key[str(entry.body.get("kid"))] += entry.body.get("op") != "revoke"
        elif entry.kind is EntryKind.OVERRIDE:
            read.overrides_by_key[str(entry.body.get("kid"))] += entry.body.get("op") == "grant"
        elif entry.kind is EntryKind.CONTROL:
            read.differences += 1
        else:
            read.acts[entry.id] = entry
            read.history.add(entry.kind, entry.body, at_us=entry.ts_us, entry=entry.id)
    return read


def count_proofs(report: Report, home: Path) -> dict[str, dict[str, int]]:
    """Tenant → number of control acts of a verified log that are `proven` and `unproven (dev)`.

    Args:
        report: result of `halo verify`.
        home: folder of keys; a signature with a key in it proves nothing.
    """
    here = _list_keys_here(home)
    return {
        tenant: dict(Counter(_find_proof(item, here) for item in acts)) for tenant, acts in report.acts.items() if acts
    }


def count_answer_proofs(report: Report, home: Path) -> dict[str, dict[str, int]]:
    """Tenant → number of answers to questions that are `proven` and `unproven (dev)`; see `count_proofs`."""
    here = _list_keys_here(home)
    counts: dict[str, dict[str, int]] = {}
    for tenant, answers in report.answers.items():
        for item in answers:
            proof = PROVEN if item.is_proven and item.key_id not in here else UNPROVEN
            counts.setdefault(tenant, Counter())[proof] += item.count
    return {tenant: dict(count) for tenant, count in counts.items()}


def _list_keys_here(home: Path) -> frozenset[str]:
    return frozenset(item.key_id for item in list_key_files(KeyStore(home)) if item.readable and item.key_id)


def _find_proof(change: ControlChange, here: frozenset[str]) -> str:
    return PROVEN if change.is_proven and not set(change.signers) <= here else UNPROVEN


def _find_floor(history: ControlHistory, host: HostFloor, *, noted: bool) -> tuple[Mode, str]:
    if host.mode is Mode.ENFORCE:
        protection = "" if host.is_protected else ", which this user can change"
        return Mode.ENFORCE, f"host ({host.source}{protection})"
    if history.floor is Mode.ENFORCE:
        return Mode.ENFORCE, "home"
    return (Mode.ENFORCE, "home (floor.json; no entry of this log says so)") if noted else (Mode.OBSERVE, "home")


class _Describer:
    """Makes views of the acts of one history."""

    def __init__(
        self, reader: Reader, home: Path, tenant: str, found: Mapping[str, LedgerEntry], history: ControlHistory
    ) -> None:
        trusted = Authorities(home).load(tenant)
        self._home, self._tenant = home, tenant
        self._names = _find_names(reader, trusted, history, found)
        self._here = _list_keys_here(home)
        self._history = history
        self._found = found
        self._restore = reader.names.restore if reader.names is not None else None

    def __call__(self, change: ControlChange) -> ControlActView:
        entry = self._found[change.entry]
        body = entry.body if self._restore is None else self._restore(entry).body
        return ControlActView(
            act=change.act,
            entry=change.entry,
            at_us=change.at_us,
            by=f"{body.get('actor') or 'unknown'} ({change.authn or 'unknown'})",
            signers=tuple(self._names.get(kid, kid[:8]) for kid in change.signers),
            proof=_find_proof(change, self._here),
            until_us=change.until_us,
            why=change.why,
            problem=change.problem,
        )

    def count_signed(self, signed: Mapping[str, int]) -> dict[str, int]:
        """Number of acts that are `proven` and `unproven (dev)`; `signed`: thumbprint → acts that it signed."""
        proven = {item.key_id for item in self._history.people if item.is_proven} - self._here
        counts: Counter[str] = Counter()
        for kid, count in signed.items():
            if count:
                counts[PROVEN if kid in proven else UNPROVEN] += count
        return dict(counts)

    def list_restrictions(self) -> Iterator[RestrictionView]:
        """What is in force by an entry, oldest first, and then the stops that only a file of the home holds."""
        listed: set[tuple[str, str]] = set()
        newest = {
            (entry.kind.value, str(entry.body.get("scope", "")), str(entry.body.get("target", ""))): entry
            for entry in self._found.values()
            if entry.kind in _RESTRICTIONS
        }
        for key, since_us in self._history.restrictions.items():
            body = newest[key].body if self._restore is None else self._restore(newest[key]).body
            by, why, target = (str(body.get(name) or "") for name in ("actor", "why", "target"))
            if key[0] == "stop":
                listed |= {(key[1], key[2]), (key[1], target)}
            yield RestrictionView(*key[:2], target, since_us, by, why)
        for stop in StopFiles(self._home).read(self._tenant):
            if (stop.scope, stop.target) not in listed:
                yield RestrictionView("stop", stop.scope, stop.target, stop.since_us)

    def list_people(self, now_us: int) -> tuple[str, ...]:
        return (
            *(
                f"{self._names[item.key_id]} ({item.role}, "
                f"{PROVEN if item.is_proven and item.key_id not in self._here else UNPROVEN})"
                for item in self._history.list_live()
                if item.since_us <= now_us
            ),
            *(
                f"{self._names[item.key_id]} ({item.role}, withdrawn by nobody proven: one more has to sign each act)"
                for item in self._history.list_unconfirmed()
            ),
        )


def _list_renamed(reader: Reader, trusted: TrustedKeys, history: ControlHistory) -> tuple[str, ...]:
    names, written = reader.names, {**trusted.approvers, **trusted.operators}
    if names is None or not names.has_references:
        return ()
    entered = {item.key_id: item.name for item in history.people}
    return tuple(
        sorted(kid for kid, item in written.items() if kid in entered and names.refer_person(item.name) != entered[kid])
    )


def _find_names(
    reader: Reader, trusted: TrustedKeys, history: ControlHistory, found: Mapping[str, LedgerEntry]
) -> dict[str, str]:
    """Thumbprint → name of everybody who was enrolled; the start of the thumbprint where the name is unknown.

    authorities.json is not signed: a name in it counts only if it is the one that the enrolment's entry refers to.
    """
    names, written = reader.names, {**trusted.approvers, **trusted.operators}
    sealed: dict[str, str] = {}
    for entry in found.values():
        if names is not None and entry.kind is EntryKind.AUTHORITY and entry.body.get("act") == "enrol":
            sealed.setdefault(str(entry.body.get("kid")), str(names.restore(entry).body.get("name", "")))
    result = {}
    for person in history.people:
        candidates = [written[person.key_id].name] if person.key_id in written else []
        candidates.append(sealed.get(person.key_id, ""))
        matching = [name for name in candidates if names is not None and names.refer_person(name) == person.name]
        result[person.key_id] = matching[0] if matching else f"? {person.key_id[:8]}"
    return result


@dataclass(frozen=True, slots=True)
class TenantStatus(View):
    """The mode of a tenant, and what was decided so far.

    `control` is None if the home trusts no log of the tenant; the mode is then that of an unproven row. `loosened` are
    tools, retrievers and models whose declaration became milder without an issued passport.
    """

    control: ControlView | None
    decisions: dict[str, int]
    effects: dict[str, int]
    mode: str
    sessions: int
    sightings: int
    store: str
    store_id: str
    loosened: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        tree = select_fields(self, "decisions", "effects", "mode", "sightings", "store", "store_id")
        tree |= {"loosened": list(self.loosened)} if self.loosened else {}
        return {**tree, "control": None if self.control is None else self.control.to_json()}


@dataclass(frozen=True, slots=True)
class LogSummary:
    """Counts over a tenant's decisions, outcomes and unguarded actions.

    Args:
        decisions: action kind → decisions.
        effects: effect → decisions.
        outcomes: status → outcomes.
        sessions: number of sessions.
        dispatched: decisions that let their action run.
        sightings: actions that were seen, or refused, without a decision.
    """

    decisions: Mapping[str, int]
    effects: Mapping[str, int]
    outcomes: Mapping[str, int]
    sessions: int
    dispatched: int
    sightings: int


def summarize_log(reader: Reader, tenant: str) -> LogSummary:
    """Count a tenant's entries."""
    kinds: Counter[str] = Counter()
    effects: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    sessions: set[str] = set()
    dispatched = sightings = 0
    for logged in read_entries(reader, tenant, (EntryKind.DECISION, EntryKind.OUTCOME, EntryKind.SHADOW)):
        body = logged.entry.body
        if logged.entry.kind is EntryKind.SHADOW:
            sightings += 1
        elif logged.entry.kind is EntryKind.DECISION:
            kinds[body["request"]["kind"]] += 1
            effects[body["decision"]["effect"]] += 1
            sessions.add(logged.entry.session)
            dispatched += bool(body["dispatched"])
        else:
            outcomes[body["status"]] += 1
    return LogSummary(kinds, effects, outcomes, len(sessions), dispatched, sightings)


def load_statuses(url: str, home: Path, now_us: int) -> dict[str, TenantStatus]:
    """The status of every tenant of a store, with the mode that follows from the signed entries.

    Args:
        url: url of the store.
        home: folder of trusted keys.
        now_us: microseconds since the epoch.
    """
    statuses, host = {}, read_host_floor()
    with Reader(url) as reader:
        reader.use_names(home)
        for tenant in reader.tenants():
            row, counts = reader.control(tenant), summarize_log(reader, tenant)
            control = None
            if tenant in load_trusted_keys(home):
                control = load_control(reader, home, tenant, host, now_us)
            statuses[tenant] = TenantStatus(
                control=control,
                decisions=dict(counts.decisions),
                effects=dict(counts.effects),
                mode=control.mode if control is not None else row.mode if row is not None else "",
                sessions=counts.sessions,
                sightings=counts.sightings,
                store=url,
                store_id=row.store if row is not None else "",
                loosened=tuple(sorted({item.resource for item in list_loosened(reader, tenant)})),
            )
    return statuses
