"""What is in force for a tenant, read when the image is loaded or another connection has changed control.

The mode, the stops and the revocations come from the signed entries (`halo_core.ledger.control_history`), whose
signatures are verified. Their rows are a cache: a row that says less is overridden, recorded and written again; a row
that says more counts.

INVARIANT: AUDIT - before its first decision by a policy, and after each change, a writer appends an entry that names it
(`put_policy_in_force`); so verification compares each decision with the policy that its writer had put in force.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from halo_core.authorities import Authorities
from halo_core.crypto import canonical
from halo_core.errors import CannotDecide, ConfigError, Gap, Tampered
from halo_core.floors import HomeFloor
from halo_core.ledger.control_history import HISTORY_KINDS, ControlChange, ControlHistory
from halo_core.log_output import get_logger
from halo_core.model import EntryKind, LedgerEntry, Mode, Revocation, Stop
from halo_core.os_user import describe_os_user
from halo_core.store.drafts import Draft
from halo_core.store.entry_parts import STORE_PART, bound_part
from halo_core.store.image import Control
from halo_core.store.proven_entries import ProvenEntry
from halo_core.store.row_access import RowAccess

_LOG: Final = get_logger("control")
# The words of the index, or SQLite would not use it and read the whole log.
_CONTROL_ENTRIES: Final = (
    "SELECT w, ws FROM entry INDEXED BY entry_control WHERE tenant=? AND "
    "kind IN ('authority', 'lift', 'mode', 'revocation', 'stop') ORDER BY idx"
)
# The first entry of a writer opens the store, and names it. An index cannot answer "differs from", so one query
# searches below the name and one above it. With a LIMIT, PostgreSQL would expect to find one soon and read the log.
_OPENED: Final = "SELECT w FROM entry INDEXED BY entry_opening WHERE tenant=? AND ws=0"
_HAS_ROW: Final = "EXISTS (SELECT 1 FROM writer WHERE writer.tenant=entry.tenant AND writer.w=entry.w)"
OPENED_ELSEWHERE: Final = tuple(f"{_OPENED} AND {STORE_PART}{beyond}? AND {_HAS_ROW}" for beyond in ("<", ">="))
_NEWEST_TIME: Final = "SELECT ts_us FROM entry WHERE tenant=? ORDER BY idx DESC LIMIT 1"
_PUT_RESTRICTION: Final = (
    "INSERT INTO hold VALUES (?,?,?,?,?) ON CONFLICT (tenant, kind, scope, target) DO UPDATE SET "
    "since_us=excluded.since_us"
)
_NEWEST: Final = f"{_CONTROL_ENTRIES} DESC LIMIT 1"


def load_control_state(tx: RowAccess, stops: tuple[Stop, ...], revocations: tuple[Revocation, ...]) -> Control:
    """What is in force, given the restrictions in the rows.

    INVARIANT: REV - no row that is missing ends a stop or a revocation.
    INVARIANT: FLOOR - no row lowers the mode: it is what the signed entries say, and never below what this process,
    the home's file or the host has as the floor.

    Raises:
        CannotDecide: `ledger_unwritable`, the control row or a control entry is missing or was changed.
    """
    row = tx.cursor.execute("SELECT version, store, mode, policy FROM control WHERE tenant=?", (tx.tenant,)).fetchone()
    if row is None:
        raise CannotDecide("ledger_unwritable", "the store has no control row", remedy="restore a copy of the database")
    version, store, mode, policy = row
    require_one_store(tx, store)
    history, floors = load_history(tx, store), tx.image.floors
    floors.follow_host()
    if history.floor is Mode.ENFORCE and floors.home is not Mode.ENFORCE:
        floors.home = Mode.ENFORCE
        _note_floor(tx)
    _remember_ended(tx, history)
    is_raised = Mode.ENFORCE in (history.floor, floors.home, floors.host) or mode == Mode.ENFORCE.value
    # Where the home was raised and its log does not say so (an entry is missing, or it is another database of the
    # home), nobody can waive the floor, since what stands is not known.
    waiver = _find_waiver(tx, history) if history.floor is Mode.ENFORCE and floors.host is not Mode.ENFORCE else None
    stops, revocations = _restore_restrictions(tx, history, stops, revocations)
    control = Control(
        version=version,
        store=store,
        mode=Mode.ENFORCE if is_raised else Mode.OBSERVE,
        policy=policy,
        stops=stops,
        revocations=revocations,
        waiver=waiver,
        # INVARIANT: FAILCLOSED - a row that says `enforce` where no entry does stays so: the entry may be missing.
        recorded=Mode.ENFORCE if Mode.ENFORCE.value in (mode, history.floor.value) else Mode.OBSERVE,
    )
    if history.floor is Mode.ENFORCE and mode != history.floor.value:
        record_difference(tx, "mode", history.floor.value, mode)
        tx.put_control(control)
    return control


def load_history(tx: RowAccess, store: str) -> ControlHistory:
    """People, mode and restrictions according to this log's signed entries.

    Only entries that were added since the last read are read and verified. All are read again if one of the others is
    missing or has moved.

    Raises:
        CannotDecide: `ledger_unwritable`, one of the entries is missing or was changed.
    """
    image = tx.image
    newest = tx.cursor.execute(_NEWEST, (tx.tenant,)).fetchone()
    end = () if newest is None else ((str(newest[0]), int(newest[1])),)
    history, known = image.history, image.history_places
    if history is not None and (known[-1:], history.store) == (end, store):
        return history
    places = tuple((str(writer), int(seq)) for writer, seq in tx.cursor.execute(_CONTROL_ENTRIES, (tx.tenant,)))
    if history is not None and history.store == store and places[: len(known)] == known:
        history = history.copy()
    else:
        history, known = ControlHistory(tx.tenant, store), ()
    writers = {writer for writer, _ in known}
    for writer, seq in places[len(known) :]:
        if writer not in writers:
            _require_writer_of(tx, writer, store)
            writers.add(writer)
        entry = _read_control_entry(tx, writer, seq)
        if entry.kind.value in HISTORY_KINDS:
            history.add(entry.kind, entry.body, at_us=entry.ts_us, entry=entry.id)
    image.history, image.history_places = history, places
    return history


def _read_control_entry(tx: RowAccess, writer: str, seq: int) -> LedgerEntry:
    try:
        return ProvenEntry.read(tx, writer, seq).entry
    except (Gap, Tampered) as exc:
        raise CannotDecide(
            "ledger_unwritable", f"control entry {writer}-{seq} cannot be proven", remedy="run `halo verify`"
        ) from exc


def require_one_store(tx: RowAccess, store: str) -> None:
    """Refuse a database whose control row names another store than this process knew, or than its writers opened.

    INVARIANT: FLOOR - what people signed for one store of a home serves no other one of the same home and log key.

    Raises:
        CannotDecide: `ledger_unwritable`.
    """
    floors = tx.image.floors
    if floors.store == store:
        return
    if floors.store or _is_opened_elsewhere(tx, store):
        raise _make_store_error("the control row names another store than its entries")
    floors.store = store


def _is_opened_elsewhere(tx: RowAccess, store: str) -> bool:
    """Whether the first entry of any writer names another store."""
    bounds = zip(OPENED_ELSEWHERE, bound_part(_name_store(store)), strict=True)
    return any(tx.cursor.execute(query, (tx.tenant, bound)).fetchone() for query, bound in bounds)


def _require_writer_of(tx: RowAccess, writer: str, store: str) -> None:
    """Refuse control entries of a writer that opened another store; its opening is verified with them."""
    note = tx.load_note(writer, 0)
    if note is not None and _name_store(store) not in note:
        raise _make_store_error(f"the entries of writer `{writer}` belong to another store")


def _name_store(store: str) -> bytes:
    return canonical.dumps({"store": store})[1:-1]


def _make_store_error(problem: str) -> CannotDecide:
    return CannotDecide("ledger_unwritable", problem, remedy="run `halo verify`, and restore a copy of the database")


def _restore_restrictions(
    tx: RowAccess, history: ControlHistory, stops: tuple[Stop, ...], revocations: tuple[Revocation, ...]
) -> tuple[tuple[Stop, ...], tuple[Revocation, ...]]:
    """The restrictions in force by rows or entries; missing or changed rows are recorded and rewritten."""
    expected = tx.image.floors.list_restrictions(history)
    in_rows = {("stop", item.scope, item.target): item.since_us for item in stops}
    in_rows |= {("revocation", item.scope, item.target): item.since_us for item in revocations}
    wrong = sorted(key for key, since_us in expected.items() if in_rows.get(key) != since_us)
    if not wrong:
        return stops, revocations
    names = ", ".join(f"{kind} {scope}" for kind, scope, _ in wrong[:3])
    record_difference(tx, "hold", names, f"{len(wrong)} rows")
    tx.database.claim_control()
    for key in wrong:
        tx.insert(_PUT_RESTRICTION, (tx.tenant, *key, expected[key]))
    in_rows |= expected
    in_order = sorted(((scope, target, kind), since_us) for (kind, scope, target), since_us in in_rows.items())
    return (
        tuple(Stop(*key[:2], since_us) for key, since_us in in_order if key[2] == "stop"),
        tuple(Revocation(*key[:2], since_us) for key, since_us in in_order if key[2] != "stop"),
    )


def _find_waiver(tx: RowAccess, history: ControlHistory) -> ControlChange | None:
    """The newest waiver, if its signers are still enrolled."""
    waiver = history.waiver
    if waiver is None:
        return None
    try:
        trusted = Authorities(tx.image.home).load(tx.tenant)
    except ConfigError:
        return None  # INVARIANT: FAILCLOSED - nobody can be shown to be enrolled
    live = trusted.list_people(tx.clock.now_us())
    return waiver if all(kid in live for kid in waiver.signers) else None


def _remember_ended(tx: RowAccess, history: ControlHistory) -> None:
    """Remember which waivers ended, so that neither a removed entry nor a clock set back restores one."""
    waived = [change.entry for change in history.changes if change.act == "waive" and not change.problem]
    if not waived:
        return
    floors, waiver = tx.image.floors, history.waiver
    newest = tx.cursor.execute(_NEWEST_TIME, (tx.tenant,)).fetchone()
    floors.latest_us = max(floors.latest_us, int(newest[0]) if newest is not None else 0)
    ended_waivers = [entry for entry in waived if waiver is None or entry != waiver.entry]
    if waiver is not None and floors.latest_us >= waiver.until_us:
        ended_waivers.append(waiver.entry)
    home = HomeFloor(tx.image.home)
    floors.ended.update(ended_waivers, home.read_ended(tx.tenant))
    try:
        home.note_ended(tx.tenant, ended_waivers)
    except OSError as exc:
        _LOG.error("the floor cannot be noted in `%s`: %s", tx.image.home, exc, extra={"halo_event": "floor_not_noted"})


def _note_floor(tx: RowAccess) -> None:
    """Note in the home that the floor was raised."""
    try:
        HomeFloor(tx.image.home).raise_for(tx.tenant)
    except OSError as exc:
        _LOG.error("the floor cannot be noted in `%s`: %s", tx.image.home, exc, extra={"halo_event": "floor_not_noted"})


def record_difference(tx: RowAccess, column: str, expected: str, actual: object) -> None:
    """Record that a row used for decisions differs from its entries."""
    _LOG.error(
        "the row of %s is `%s`, but the entries say `%s`",
        column,
        actual,
        expected,
        extra={"halo_event": "control_differs"},
    )
    body = {"act": "row_differs", "column": column, "entry": expected, "row": str(actual)[:32]}
    tx.append(Draft(EntryKind.CONTROL, "", body))


def put_policy_in_force(tx: RowAccess, policy: str, sources: Sequence[str] = ()) -> None:
    """Record that this writer decides by a policy from now on, unless it already does.

    Args:
        tx: the transaction.
        policy: hash of its text in the store.
        sources: names of its files.
    """
    if tx.image.policy == policy:
        return
    control = tx.load_control()
    if control.policy != policy:
        tx.put_control(replace(control, version=control.version + 1, policy=policy))
    # Of a policy whose text this tenant has not stored (credentials of another one) no blob can be named.
    name = "hash" if tx.load_blob(policy) is not None else "unstored"
    body: dict[str, Any] = {name: policy, "sources": list(sources)}
    tx.append(Draft(EntryKind.POLICY, "", body, actor=describe_os_user()))
    tx.image.policy = policy
