"""Erases sealed content: of a subject, wherever it is named, and of record classes whose retention time is over.

Nothing is removed from the log: an erasure destroys keys, so that every entry, digest, proof and root stays as it was.
Content is sealed in boxes, each with a key of its own, which is derived from the data key of the box's subject:

- the data key of the subject is destroyed, and with it all its boxes;
- a box of another subject that names this one is erased as a whole: the other subject's data key is replaced by the
  keys of its boxes that stay.

The content key of the home (`kek`, which wraps the data keys) is replaced in the same act, so that an older copy of the
database cannot be opened either.

    plan = plan_erasure(reader, store, request)      reads the whole log, without a lock (`oversight.erasure_plan`)
    store.commit(lambda tx: erase(tx, plan, by))     reads what came since, decides, and is durable or not at all
    finish_erasure(store)                            the new content key into the home, old bytes out of the files
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from halo_core.content.redaction import mask_reason
from halo_core.errors import ConfigError, Denied, Tampered
from halo_core.failpoints import hit_failpoint
from halo_core.identities.live import LiveIdentity
from halo_core.ledger import (
    compute_key_commitment,
    digest_box_keys,
    name_next_key,
    read_anchors,
    rewrap,
    wrap_box_keys,
    wrap_next_content_key,
)
from halo_core.model import Actor, EntryKind
from halo_core.oversight.control_acts import require_signatures_of, signed_member
from halo_core.oversight.erasure_plan import KEY_ROWS, SEALED_ROWS, ErasurePlan, find_answerer
from halo_core.oversight.legal_holds import (
    LegalHold,
    list_later_entries,
    make_erase_terms,
    read_governance,
)
from halo_core.oversight.sealed_boxes import (
    KeyRing,
    Selection,
    choose_boxes,
    keep_boxes,
    make_hold_finder,
)
from halo_core.quick_dataclass import dataclass
from halo_core.store.content_keys import refresh_content_key, strip_number
from halo_core.store.drafts import Draft
from halo_core.store.entry_lookup import find_newest
from halo_core.store.identity_rows import BAND_ENTRIES, make_change
from halo_core.store.image import STORE_ID_PREFIX
from halo_core.store.store import Store
from halo_core.store.transaction import Transaction

_SEALED_ROWS_SINCE: Final = f"{SEALED_ROWS} AND w=? AND ws>?"


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did.

    Args:
        entry: id of its entry; empty if there was nothing to erase.
        subject: reference; empty for a retention.
        keys: number of data keys that were destroyed as a whole.
        boxes: number of boxes that cannot be opened any more.
        entries: number of entries that had such a box.
        rows: number of rows beside the log that were removed or emptied.
        rotated: whether the content key of the home was replaced.
        held: number of boxes that a hold kept (of a retention).
    """

    entry: str = ""
    subject: str = ""
    keys: int = 0
    boxes: int = 0
    entries: int = 0
    rows: int = 0
    rotated: bool = False
    held: int = 0


def erase(tx: Transaction, plan: ErasurePlan, by: Actor, signed: Sequence[str] = (), *, rotate: bool = True) -> Erased:
    """Destroy the keys that a plan names and those of matching entries that came since, and append the erasure's entry.

    Args:
        tx: the transaction.
        plan: result of `plan_erasure` or `plan_retention`.
        by: who does it.
        signed: signatures of the act `erase`.
        rotate: replace the content key of the home; without it, older copies of the database still open.

    Raises:
        Denied: `legal_hold`, `signatures_needed`.
        CannotDecide: `ledger_unwritable`.
    """
    # Before anything is read: what another process seals meanwhile would lose its key, or be missed.
    tx.database.claim_control()
    governance = read_governance(tx, plan.scan)
    is_retention = not plan.reference
    if not is_retention:
        terms = make_erase_terms(plan.reference, plan.names)
        require_signatures_of(governance.history, tx, "erase", terms, signed)
    kek = refresh_content_key(tx.database, tx.image)
    ring = KeyRing(kek, tx.tenant, tx.cursor.execute(KEY_ROWS, (tx.tenant,)).fetchall())
    selection = _extend_selection(tx, plan, ring, governance.holds)
    if not is_retention:
        _require_no_hold(plan, selection, governance.holds)
    if selection.is_empty:
        return Erased(held=sum(selection.held.values()))
    rows = 0 if is_retention else _remove_person_rows(tx, {plan.reference, *plan.names}, by)
    body = _describe_erasure(plan, selection, governance.keep_days, rows, signed, rotate=rotate)
    kind = EntryKind.RETENTION if is_retention else EntryKind.ERASURE
    written = tx.append(Draft(kind, "", body, actor=by))
    hit_failpoint("erasure_appended")
    # After the entry: its actor's name is sealed with a key that is wrapped anew here.
    _rewrite_keys(tx, selection, kek, written.entry.ts_us, rotate=rotate)
    tx.image.keys.clear()
    return Erased(
        written.entry.id,
        plan.reference,
        len(selection.whole),
        selection.count,
        len(selection.entries),
        rows,
        rotate,
        sum(selection.held.values()),
    )


def _describe_erasure(
    plan: ErasurePlan,
    selection: Selection,
    keep_days: Mapping[str, int],
    rows: int,
    signed: Sequence[str],
    *,
    rotate: bool,
) -> dict[str, Any]:
    """The body of the entry that says what was destroyed; see docs/ledger-format.md."""
    destroyed = {
        "boxes": selection.count,
        "entries": len(selection.entries),
        "keys": len(selection.whole),
        "partly": len(selection.boxes),
        "rows": rows,
    }
    kept_digests = [[name, digest_box_keys(selection.kept[name])] for name in sorted(selection.boxes)]
    keys = {"erased": sorted(selection.whole), "kept": kept_digests}
    body: dict[str, Any] = {"destroyed": destroyed, "keys": keys, "rotated": rotate}
    body |= signed_member(signed)
    if not plan.reference:
        return body | {"op": "apply", "held": sum(selection.held.values()), "keep_days": dict(keep_days)}
    body |= {"subject": plan.reference, "why": mask_reason(plan.request.why)}
    return body | ({"names": list(plan.names)} if plan.names else {})


def _extend_selection(
    tx: Transaction, plan: ErasurePlan, ring: KeyRing, holds: Mapping[tuple[str, str], LegalHold]
) -> Selection:
    """The plan's selection, extended by entries and keys that came after the log was read.

    Raises:
        Denied: `legal_hold`, holds were set or lifted meanwhile.
    """
    if frozenset(holds.values()) != frozenset(plan.holds):
        problem = "a legal hold was set or lifted while the log was read"
        raise Denied("legal_hold", problem, remedy="run it again")
    later = {writer: plan.scan.heads.get(writer, -1) for writer, _, _ in list_later_entries(tx, plan.scan)}

    def read_later() -> Iterator[tuple[Any, ...]]:
        for writer, seq in later.items():
            yield from tx.cursor.execute(_SEALED_ROWS_SINCE, (tx.tenant, writer, seq)).fetchall()

    selection = plan.selection.copy()  # the transaction may run once more
    selection.whole |= {
        name for name, (wrapped, _) in ring.rows.items() if wrapped and strip_number(name) in plan.subjects
    }
    # Agents of sessions that began meanwhile are not known: where an agent is held, these sessions are, too.
    held_agents = frozenset(hold.target for hold in plan.holds if hold.scope == "agent")
    find_hold = make_hold_finder(plan.holds, plan.names_of_held, lambda item: plan.agents.get(item, held_agents))
    before = set(selection.boxes)
    choose_boxes(read_later(), ring, selection, plan.choose, find_hold)
    keep_boxes(read_later(), ring, selection, before)
    added = set(selection.boxes) - before
    if added:  # rare: the first mention of the subject in a box of somebody else came while the log was read
        keep_boxes(tx.cursor.execute(SEALED_ROWS, (tx.tenant,)).fetchall(), ring, selection, added)
    return selection


def _require_no_hold(plan: ErasurePlan, selection: Selection, holds: Mapping[tuple[str, str], LegalHold]) -> None:
    """INVARIANT: HOLD - what is held is not erased, and a subject is erased as a whole or not at all."""
    named = [holds[key] for key in (("all", ""), ("subject", plan.reference)) if key in holds]
    blocking_holds = named or list(selection.held)
    if blocking_holds:
        hold = blocking_holds[0]
        target = f" {hold.target}" if hold.target else ""
        boxes = selection.held.get(hold, 0)
        problem = f"a legal hold of {hold.scope}{target}, entry {hold.entry}, keeps {boxes} of its sealed fields"
        raise Denied("legal_hold", problem, remedy="lift the hold first: `halo hold lift`")


def _remove_person_rows(tx: Transaction, subjects: set[str], by: Actor) -> int:
    """Remove what tables beside the log hold of people: what is usual for them, and answers that they signed.

    Returns:
        How many rows were removed or emptied.
    """
    removed = 0
    for subject in sorted(subjects):
        if tx.cursor.execute("SELECT 1 FROM identity WHERE tenant=? AND subject=?", (tx.tenant, subject)).fetchone():
            tx.cursor.execute("DELETE FROM identity WHERE tenant=? AND subject=?", (tx.tenant, subject))
            removed += 1
        newest = find_newest(tx, tx.image.identity_history, BAND_ENTRIES, subject)
        if newest is not None and newest[1]:  # without an entry the missing row would count as the highest risk
            body = {
                "changes": [make_change(subject, LiveIdentity())],
                "op": "clear",
                "ordinary": False,
                "why": "erased",
            }
            tx.append(Draft(EntryKind.IDENTITY, "", body, actor=by))
    tx.image.people.clear()
    for table, column in (("approval", "answer"), ("standing_answer", "token")):
        rows = tx.cursor.execute(f"SELECT id, {column} FROM {table} WHERE tenant=?", (tx.tenant,)).fetchall()  # noqa: S608
        for name, token in rows:
            if find_answerer(token, tx.references) in subjects:
                tx.cursor.execute(f"UPDATE {table} SET {column}='' WHERE tenant=? AND id=?", (tx.tenant, name))  # noqa: S608
                removed += 1
    return removed


def _rewrite_keys(tx: Transaction, selection: Selection, kek: bytes, at_us: int, *, rotate: bool) -> None:
    """Write the keys that stay under the next content key, and empty those that are erased.

    The table `vault` is one for all tenants of a database, so the keys of other tenants of this home are wrapped anew
    as well; those of other homes do not open, and stay.

    Args:
        tx: the transaction.
        selection: keys and boxes that are erased, and the keys of boxes that stay.
        kek: the content key in force.
        at_us: time of the erasure, microseconds since 1970.
        rotate: whether another content key takes its place.
    """
    next_kek = os.urandom(len(kek)) if rotate else kek
    every_row = "SELECT tenant, subject, dek_wrapped FROM vault ORDER BY tenant, subject"
    rows = tx.cursor.execute(every_row).fetchall()
    if rotate:
        tx.database.claim_tenants(sorted({tenant for tenant, _, _ in rows} - {"", tx.tenant}))
        rows = tx.cursor.execute(every_row).fetchall()  # again: another tenant may have written before it was locked
    update = "UPDATE vault SET dek_wrapped=? WHERE tenant=? AND subject=?"
    mark = "UPDATE vault SET dek_wrapped=?, erased_at_us=? WHERE tenant=? AND subject=?"
    for tenant, subject, wrapped in rows:
        if not tenant:
            continue  # rows without a tenant are the content keys before this one
        is_own = tenant == tx.tenant
        if is_own and subject in selection.whole:
            tx.insert(mark, (b"", at_us, tenant, subject))
        elif is_own and subject in selection.boxes:
            kept_boxes = wrap_box_keys(next_kek, selection.kept[subject], tenant, subject, os.urandom)
            tx.insert(mark, (kept_boxes, at_us, tenant, subject))
        elif wrapped and rotate:
            try:
                again = rewrap(kek, next_kek, bytes(wrapped), tenant, subject, nonce=os.urandom(24))
            except Tampered:
                if is_own:
                    raise
                continue  # a tenant of another home
            tx.insert(update, (again, tenant, subject))
    if rotate:
        link = wrap_next_content_key(kek, next_kek, os.urandom(24))
        commitment = compute_key_commitment(next_kek)
        tx.insert("INSERT INTO vault VALUES (?,?,?,?,NULL)", ("", name_next_key(kek), link, commitment))
    hit_failpoint("keys_destroyed")


def require_own_content_key(store: Store) -> None:
    """Refuse to replace a content key that another store of the home needs.

    Args:
        store: store whose content key it is.

    Raises:
        ConfigError: `content_key_shared`.
    """
    anchors = read_anchors(store.config.home / "anchor.json")
    # Each tenant of a database has an id of its own, and those of this home get the new key, too.
    rows = store.commit(lambda tx: tx.cursor.execute("SELECT store FROM control").fetchall())
    here = {str(store_id) for (store_id,) in rows}
    others = sorted(name for name in anchors if name.startswith(STORE_ID_PREFIX) and name not in here)
    if others:
        raise ConfigError(
            "content_key_shared",
            f"the content key of this home also opens {', '.join(others)[:200]}",
            field="home",
            remedy="use `--keep-content-key`; older copies of this database can then still be opened with the home",
        )


def finish_erasure(store: Store) -> str:
    """Put the new content key into the home, and overwrite the remains of deleted rows in the database's files.

    May be run again. Where a process is killed before this, the next one takes the newest key over from the database.

    Returns:
        What is left to do, empty for nothing.
    """
    hit_failpoint("erasure_committed")
    store.commit(lambda tx: refresh_content_key(tx.database, tx.image))
    return store.purge_deleted()
