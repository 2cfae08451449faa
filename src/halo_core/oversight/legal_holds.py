"""Legal holds and retention schedules: reading those in force from signed entries, and the acts that change them.

No table holds them, so that no changed row ends a hold. `scan_log` finds their entries without a lock, and
`read_governance` proves each of them, with those that came since, in the transaction that acts on them.

A hold keeps sealed content from being erased: of a subject, a session, an agent or everything. Lifting one takes the
signatures that lifting a stop takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from halo_core.content.redaction import mask_reason
from halo_core.errors import CannotDecide, ConfigError, Gap, Tampered
from halo_core.ledger.control_history import HISTORY_KINDS, ControlHistory, make_lift_terms
from halo_core.model import Actor, EntryKind
from halo_core.oversight.control_acts import SignedAct, Terms, require_signatures_of, signed_member
from halo_core.quick_dataclass import dataclass
from halo_core.store.drafts import Draft
from halo_core.store.proven_entries import ProvenEntry
from halo_core.store.store import Store
from halo_core.store.transaction import Transaction

if TYPE_CHECKING:
    from halo_core.store.reader import Reader

MIN_KEEP_DAYS: Final = 1
MAX_KEEP_DAYS: Final = 36_500
OTHER_CLASS: Final = "administration"
RECORD_CLASSES: Final[Mapping[str, tuple[EntryKind, ...]]] = {
    "decisions": (EntryKind.DECISION, EntryKind.OUTCOME, EntryKind.HELD, EntryKind.HANDBACK, EntryKind.SHADOW),
    "approvals": (EntryKind.APPROVAL_REQUEST, EntryKind.APPROVAL, EntryKind.STANDING_ANSWER, EntryKind.KNOWN),
    "alerts": (EntryKind.ALERT, EntryKind.FEEDBACK),
    "identities": (EntryKind.IDENTITY, EntryKind.GRANTS),
    OTHER_CLASS: (),
}
"""Record class → kinds of its entries; `administration` is every other kind."""
RETENTION_FLOORS: Final = (
    ("PCI DSS 4.0.1, 10.5.1", "audit log history for 12 months, the newest 3 at hand"),
    ("EU AI Act, Art. 19(1) and 26(6)", "logs of high-risk systems for at least 6 months"),
    ("SEC 17a-4", "by class of record, 3 to 6 years"),
    ("SOC 2", "the period of the audit"),
    ("personal data (GDPR Art. 5(1)(e))", "no longer than the purpose needs"),
)
"""What frameworks ask for, as information: Halo does not say which of them apply."""
_CLASS_BY_KIND: Final = {kind.value: name for name, kinds in RECORD_CLASSES.items() for kind in kinds}
_KINDS: Final = (*HISTORY_KINDS, EntryKind.ERASURE.value, EntryKind.LEGAL_HOLD.value, EntryKind.RETENTION.value)
_HOLD_LIFT: Final = "hold:"
_PLACES: Final = (
    f"SELECT w, ws FROM entry WHERE tenant=? AND kind IN ({', '.join(repr(kind) for kind in _KINDS)})"  # noqa: S608
    " ORDER BY idx"
)
_HEADS: Final = "SELECT w, max(ws) FROM entry WHERE tenant=? GROUP BY w"
_SINCE: Final = "SELECT ws, kind FROM entry WHERE tenant=? AND w=? AND ws>? ORDER BY ws"


def find_record_class(kind: str) -> str:
    """The record class of a kind of entry."""
    return _CLASS_BY_KIND.get(kind, OTHER_CLASS)


@dataclass(frozen=True, slots=True)
class LegalHold:
    """A hold in force.

    Args:
        scope: `subject`, `session`, `agent` or `all`.
        target: reference of the subject or session, or the agent; empty for everything.
        since_us: when it was set, microseconds since the epoch.
        why: the reason given.
        entry: id of its entry.
        writer: writer of its entry.
        seq: sequence of its entry.
    """

    scope: str
    target: str
    since_us: int
    why: str
    entry: str
    writer: str = ""
    seq: int = 0


class HoldTarget(NamedTuple):
    """What a hold is to keep.

    Args:
        scope: `subject`, `session`, `agent` or `all`.
        target: see `LegalHold`.
        name: name of a subject, which is sealed with the subject's own key; empty for other scopes.
    """

    scope: str
    target: str
    name: str = ""


@dataclass(slots=True)
class Governance:
    """Holds and schedules of a tenant, as proven entries say.

    Args:
        holds: (scope, target) → the hold in force.
        keep_days: record class → how long sealed content is kept, days.
        history: people who may sign, and what they signed.
    """

    history: ControlHistory
    holds: dict[tuple[str, str], LegalHold] = field(default_factory=dict)
    keep_days: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, body: Mapping[str, Any], *, at_us: int, writer: str, seq: int, entry: str) -> None:
        """Apply the next entry, in log order."""
        if kind == EntryKind.LEGAL_HOLD.value:
            self._add_hold(body, at_us, writer, seq, entry)
        elif kind == EntryKind.ERASURE.value:
            terms = make_erase_terms(str(body["subject"]), [str(item) for item in body.get("names", ())])
            self.history.mark_erasure_used(terms, body, at_us)
        elif kind == EntryKind.RETENTION.value and body.get("op") == "set":
            self.keep_days[str(body["class"])] = int(body["keep_days"])
            terms = make_schedule_terms(str(body["class"]), int(body["keep_days"]))
            self.history.mark_erasure_used(terms, body, at_us)
        elif kind == EntryKind.RETENTION.value and body.get("op") == "unset":
            self.keep_days.pop(str(body["class"]), None)
        elif kind in HISTORY_KINDS:
            self.history.add(kind, body, at_us=at_us, entry=entry)

    def _add_hold(self, body: Mapping[str, Any], at_us: int, writer: str, seq: int, entry: str) -> None:
        key = str(body["scope"]), str(body.get("target", ""))
        if body.get("op") == "set":
            hold = LegalHold(*key, at_us, str(body.get("why", "")), entry, writer, seq)
            self.holds.setdefault(key, hold)
            return
        # INVARIANT: HOLD - a lift without the signatures that it needs ends no hold.
        change = self.history.add("lift", {**body, "scope": _HOLD_LIFT + key[0]}, at_us=at_us, entry=entry)
        if change is not None and not change.problem:
            self.holds.pop(key, None)


@dataclass(frozen=True, slots=True)
class LogScan:
    """What was read of a log without a lock.

    Args:
        heads: writer → sequence of its newest entry that was read.
        places: (writer, sequence) of the entries of people, holds and schedules, in log order.
    """

    heads: Mapping[str, int] = field(default_factory=dict)
    places: Sequence[tuple[str, int]] = ()


def scan_log(reader: Reader, tenant: str) -> LogScan:
    """Find the entries that `read_governance` proves."""
    heads = {writer: int(seq) for writer, seq in reader.stream(_HEADS, tenant)}
    return LogScan(heads, [(writer, int(seq)) for writer, seq in reader.stream(_PLACES, tenant)])


def list_later_entries(tx: Transaction, scan: LogScan) -> Iterator[tuple[str, int, str]]:
    """(writer, sequence, kind) of the entries that came after a scan."""
    for writer, newest in tx.cursor.execute(_HEADS, (tx.tenant,)).fetchall():
        head = scan.heads.get(writer, -1)
        if newest > head:
            for seq, kind in tx.cursor.execute(_SINCE, (tx.tenant, writer, head)).fetchall():
                yield writer, int(seq), str(kind)


def read_governance(tx: Transaction, scan: LogScan) -> Governance:
    """Holds, schedules and people as they stand in a transaction.

    Raises:
        CannotDecide: `ledger_unwritable`, one of the entries is missing or was changed.
    """
    governance = Governance(ControlHistory(tx.tenant, tx.load_store_id()))
    places = [*scan.places, *((w, seq) for w, seq, kind in list_later_entries(tx, scan) if kind in _KINDS)]
    for writer, seq in places:
        try:
            entry = ProvenEntry.read(tx, writer, seq).entry
        except (Gap, Tampered) as exc:
            # INVARIANT: FAILCLOSED - while it is not known what is held, nothing is erased.
            problem = f"entry {writer}-{seq}, on which holds depend, cannot be proven"
            raise CannotDecide("ledger_unwritable", problem, remedy="run `halo verify`") from exc
        governance.add(entry.kind.value, entry.body, at_us=entry.ts_us, writer=writer, seq=seq, entry=entry.id)
    return governance


def load_governance(store: Store, reader: Reader) -> Governance:
    """Like `read_governance`, in a transaction of its own."""
    scan = scan_log(reader, store.tenant)
    return store.commit(lambda tx: read_governance(tx, scan))


def set_hold(tx: Transaction, scan: LogScan, wanted: HoldTarget, why: str, by: Actor) -> bool:
    """Put a hold in force; False if it is already."""
    tx.database.claim_control()
    scope, target, name = wanted
    if (scope, target) in read_governance(tx, scan).holds:
        return False
    body = {"op": "set", "scope": scope, "target": target, "why": mask_reason(why)}
    others = ((target, {"target": name.encode()}),) if name and scope == "subject" else ()
    tx.append(Draft(EntryKind.LEGAL_HOLD, "", body, others=others, actor=by))
    return True


def make_hold_lift(store: str, tenant: str, scope: str, target: str) -> SignedAct:
    """The lift of a hold, which nobody has signed yet: a lift with the scope `hold:…`."""
    return SignedAct("lift", make_hold_terms(scope, target), store, tenant)


def make_hold_terms(scope: str, target: str) -> Terms:
    """What is signed of the lift of a hold."""
    return make_lift_terms({"scope": _HOLD_LIFT + scope, "target": target})


def lift_hold(
    tx: Transaction, scan: LogScan, wanted: HoldTarget, why: str, by: Actor, *, signed: Sequence[str]
) -> bool:
    """End a hold; False if there is none.

    Raises:
        Denied: `signatures_needed`.
    """
    tx.database.claim_control()
    governance, (scope, target, _) = read_governance(tx, scan), wanted
    if (scope, target) not in governance.holds:
        return False
    require_signatures_of(governance.history, tx, "lift", make_hold_terms(scope, target), signed)
    body: dict[str, Any] = {"op": "lift", "scope": scope, "target": target, "why": mask_reason(why)}
    tx.append(Draft(EntryKind.LEGAL_HOLD, "", body | signed_member(signed), actor=by))
    return True


def set_schedule(
    tx: Transaction, scan: LogScan, record_class: str, keep_days: int, by: Actor, *, signed: Sequence[str]
) -> None:
    """Say how long the sealed content of a record class is kept; 0 ends the schedule.

    Raises:
        ConfigError: `bad_retention`.
        Denied: `signatures_needed`.
    """
    if record_class not in RECORD_CLASSES:
        problem = f"`{record_class[:64]}` is no record class"
        raise ConfigError("bad_retention", problem, field="class", remedy=f"use one of {', '.join(RECORD_CLASSES)}")
    if keep_days and not MIN_KEEP_DAYS <= keep_days <= MAX_KEEP_DAYS:
        problem = f"{keep_days} days are not between {MIN_KEEP_DAYS} and {MAX_KEEP_DAYS}"
        raise ConfigError("bad_retention", problem, field="keep", remedy="for example `--keep 400d`")
    governance = read_governance(tx, scan)
    if keep_days:
        terms = make_schedule_terms(record_class, keep_days)
        require_signatures_of(governance.history, tx, "erase", terms, signed)
    body: dict[str, Any] = {"op": "set" if keep_days else "unset", "class": record_class}
    body |= {"keep_days": keep_days} if keep_days else {}
    tx.append(Draft(EntryKind.RETENTION, "", body | signed_member(signed), actor=by))


def make_schedule_terms(record_class: str, keep_days: int) -> Terms:
    """What is signed of a retention schedule."""
    return {"scope": f"retention:{record_class}", "target": f"{keep_days}d"}


def make_erase_terms(reference: str, names: Sequence[str]) -> Terms:
    """What is signed of an erasure: the subject and its other names, all by keyed reference."""
    return {"scope": "subject", "target": ",".join([reference, *sorted(names)])}
