"""What signed entries say about remembered answers: which are in force, and how often each was used.

    is_in_force(tx, row)             whether an active row is that of an answer in force
    is_usage_committed(tx, ...)      whether a row of uses is the one that the newest use left behind
    list_denials(tx, scope, ids)     overrides that forbid and have no row (any more)

Rows are a cache, like those of standing passports and known values (`entry_lookup`). The verdict on a row is kept in
the tenant's image until another connection writes, so entries are read only when an answer is about to be used.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from halo_core.crypto import canonical
from halo_core.durations import SECOND_US
from halo_core.ledger import digest_state
from halo_core.ledger.answer_changes import ends_answer, gives_answer
from halo_core.ledger.commitments import digest_answer
from halo_core.quick_dataclass import dataclass
from halo_core.store.cached_rows import AnswerRow
from halo_core.store.control_state import load_history, record_difference
from halo_core.store.entry_lookup import EntrySource, find_newest, list_statements, prove_statement
from halo_core.store.row_access import RowAccess

OVERRIDE_DENY: Final = "override_deny"
_MAX_MEMORY: Final = 10_000
_MAX_COUNTED: Final = 64  # uses of an answer that one rollback may take back
# Without the hints SQLite does not use the partial indexes, and reads the tenant's whole log.
_CHANGES: Final = (
    "FROM entry INDEXED BY entry_answer WHERE tenant=?1 AND kind IN ('override', 'reversal', 'standing_answer')"
)
# In hexadecimal: `"account":"answer:`
_USES: Final = (
    "FROM entry INDEXED BY entry_answer_use WHERE tenant=?1 AND kind='decision' "
    "AND instr(body, x'226163636f756e74223a22616e737765723a')>0"
)

ChangeKey = tuple[str, bool]
"""Id of an answer, and whether its end is meant, not its grant."""
ChangeTerms = tuple[str, str, str]
"""Kind, scope and digest of the token of an answer that was given; empty texts of its end."""
CommittedUse = tuple[int, str]
"""Version and digest of the row that a use of an answer leaves behind."""


def _read_changes(body: Mapping[str, Any]) -> Iterator[tuple[ChangeKey, ChangeTerms]]:
    if gives_answer(body):
        yield (str(body.get("answer")), False), (str(body.get("kind")), str(body.get("scope")), str(body.get("token")))
    elif ends_answer(body):
        yield (str(body.get("answer")), True), ("", "", "")


def _read_uses(body: Mapping[str, Any]) -> Iterator[tuple[str, CommittedUse]]:
    sums = body.get("sums")
    for item in sums if isinstance(sums, list) else ():
        if isinstance(item, dict) and isinstance(item.get("version"), int):
            yield str(item.get("account")), (item["version"], str(item.get("digest")))


ANSWER_ENTRIES: Final[EntrySource[ChangeKey, ChangeTerms]] = EntrySource(
    newest=f"SELECT w, ws {_CHANGES} ORDER BY idx DESC LIMIT 1",
    all=f"SELECT w, ws, body {_CHANGES} ORDER BY idx DESC",
    naming=f"SELECT w, ws, body {_CHANGES} AND instr(body, ?2)>0 ORDER BY idx DESC",
    find_member=lambda key: canonical.dumps({"answer": key[0]})[1:-1],
    read_body=_read_changes,
)
USE_ENTRIES: Final[EntrySource[str, CommittedUse]] = EntrySource(
    newest=f"SELECT w, ws {_USES} ORDER BY idx DESC LIMIT 1",
    all=f"SELECT w, ws, body {_USES} ORDER BY idx DESC",
    naming=f"SELECT w, ws, body {_USES} AND instr(body, ?2)>0 ORDER BY idx DESC",
    find_member=lambda account: canonical.dumps({"account": account})[1:-1],
    read_body=_read_uses,
)


@dataclass(frozen=True, slots=True)
class Denial:
    """A forbidding override, as recorded in the signed entry that granted it.

    Args:
        id: id of the override.
        scope: digest of what it forbids.
        expires_us: end of its validity, microseconds since the epoch.
        key_id: thumbprint of the key that signed it.
    """

    id: str
    scope: str
    expires_us: int
    key_id: str


DenialTerms = tuple[str, str, int, str]
"""Id, scope, end in seconds since the epoch, and thumbprint of the key."""
_ALL_DENIALS: Final = OVERRIDE_DENY


def _read_denials(body: Mapping[str, Any]) -> Iterator[tuple[str, DenialTerms]]:
    if gives_answer(body) and body.get("kind") == OVERRIDE_DENY and type(body.get("expires_s")) is int:
        terms = (str(body.get("answer")), str(body.get("scope")), body["expires_s"], str(body.get("kid")))
        yield _ALL_DENIALS, terms


DENIAL_ENTRIES: Final[EntrySource[str, DenialTerms]] = EntrySource(
    newest=ANSWER_ENTRIES.newest,
    all=ANSWER_ENTRIES.all,
    naming=ANSWER_ENTRIES.naming,
    find_member=lambda kind: canonical.dumps({"kind": kind})[1:-1],
    read_body=_read_denials,
)


def find_denials_end_us(tx: RowAccess) -> int:
    """When the last forbidding override ends, by entries not proven yet; 0 without any."""
    image = tx.image
    if image.denials_end_us is None:
        steps = list_statements(tx, image.denial_history, DENIAL_ENTRIES, _ALL_DENIALS)
        image.denials_end_us = max((terms[2] * SECOND_US for _, terms in steps), default=0)
    return image.denials_end_us


def list_denials(tx: RowAccess, scope: str, known_ids: Collection[str], at_us: int) -> list[Denial]:
    """Forbidding overrides with this scope, by signed entries, unless people have signed that they end.

    INVARIANT: FAILCLOSED - what a person forbade stays forbidden until its end, whatever became of its row.

    Args:
        tx: the transaction.
        scope: digest of what they forbid.
        known_ids: those that have a row, and so need none of this.
        at_us: the time, microseconds since the epoch.

    Raises:
        CannotDecide: `ledger_unwritable`, an entry about one cannot be proven.
    """
    history, denials = tx.image.denial_history, []
    for step in list(list_statements(tx, history, DENIAL_ENTRIES, _ALL_DENIALS)):
        name, covered, expires_s, *_ = step[1]
        if covered != scope or name in known_ids or at_us >= expires_s * SECOND_US:
            continue
        if _is_denial_ended(tx, name):
            continue
        name, covered, expires_s, key_id = prove_statement(tx, history, DENIAL_ENTRIES, _ALL_DENIALS, step)
        _note_once(tx, name, "standing_answer", "active", "missing")
        denials.append(Denial(name, covered, expires_s * SECOND_US, key_id))
    return denials


def _is_denial_ended(tx: RowAccess, override: str) -> bool:
    return load_history(tx, tx.image.floors.store).is_denial_ended(override)


def is_in_force(tx: RowAccess, row: AnswerRow) -> bool:
    """Whether signed entries give the answer in an active row, with this token, and none ends it.

    INVARIANT: FLOOR - an answer that was revoked, or that nobody gave, serves no call, whatever its row says.

    Raises:
        CannotDecide: `ledger_unwritable`, an entry about it cannot be proven.
    """
    verdicts = tx.image.answer_verdicts
    if row not in verdicts:
        if len(verdicts) >= _MAX_MEMORY:
            verdicts.clear()
        verdicts[row] = _judge(tx, row)
    return verdicts[row]


def _judge(tx: RowAccess, row: AnswerRow) -> bool:
    history, forbids = tx.image.answer_history, row.kind == OVERRIDE_DENY
    # INVARIANT: REV - what a person forbade ends by the signatures of people alone.
    has_ended = (
        _is_denial_ended(tx, row.id)
        if forbids
        else find_newest(tx, history, ANSWER_ENTRIES, (row.id, True)) is not None
    )
    if has_ended:
        record_difference(tx, "standing_answer", "revoked", row.status)
        tx.database.claim_control()
        tx.cursor.execute("UPDATE standing_answer SET status='revoked' WHERE tenant=? AND id=?", (tx.tenant, row.id))
        return False
    # INVARIANT: FAILCLOSED - what forbids does so also where the entry that gave it is missing.
    if forbids:
        return True
    given = find_newest(tx, history, ANSWER_ENTRIES, (row.id, False))
    if given is not None and given[1] == (row.kind, row.scope, digest_answer(row.token)):
        return True
    _note_once(tx, row.id, "standing_answer", "no entry" if given is None else "another", row.kind)
    return False


def is_usage_committed(tx: RowAccess, account: str, version: int, data: bytes) -> bool:
    """Whether a row that counts uses matches the newest decision on the answer.

    Args:
        tx: the transaction.
        account: name of the row.
        version: version of the row; 0 where there is none.
        data: the row's bytes; empty if there is none.

    INVARIANT: ONCE - a row that was taken away, put back or lowered gives no further use.

    Raises:
        CannotDecide: `ledger_unwritable`, that decision cannot be proven.
    """
    newest = find_newest(tx, tx.image.use_history, USE_ENTRIES, account)
    expected = (0, "") if newest is None else newest[1]
    actual = (version, digest_state(data) if version else "")
    counted = tx.image.counted_uses.get(account)
    if expected == actual and (not counted or version >= counted[-1][0]):
        return True
    _note_once(tx, account, "quota", f"version {expected[0]}", f"version {version}")
    return False


def remember_use(tx: RowAccess, account: str, version: int) -> None:
    """Remember the version written by a use in this process, so that removing its entry undoes nothing here."""
    counted = tx.image.counted_uses
    if len(counted) >= _MAX_MEMORY:
        counted.clear()
    counted.setdefault(account, deque(maxlen=_MAX_COUNTED)).append((version, tx.writer.seq))


def _note_once(tx: RowAccess, subject: str, column: str, expected: str, actual: str) -> None:
    """Record a row that is left unchanged for somebody to investigate; once in each process."""
    noted = tx.image.noted_answers
    if subject not in noted:
        if len(noted) >= _MAX_MEMORY:
            noted.clear()
        record_difference(tx, column, expected, actual)
        noted.add(subject)
