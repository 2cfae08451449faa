"""Room: typed rows of standing, quota, approval and hold. Takes: a transaction. Gives: values. Never: decides, commits.

INVARIANT: TENANT - every statement here names the transaction's tenant, and none takes one from its caller.

Room: what is left of what agents stored. Takes: a transaction. Gives: whether a text is known from there.

Of every session of a tenant. Never: decides, commits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from halo_core.crypto import canonical
from halo_core.ledger import chain_marks, commit_state, decode_entry
from halo_core.model import Revocation, Stop
from halo_core.values import MAX_TAINTED_FINGERPRINTS

if TYPE_CHECKING:
    from halo_core.store.transaction import Transaction

__all__ = [
    "APPROVAL_KINDS",
    "ISSUED_LAST",
    "AlertTable",
    "ApprovalRow",
    "ApprovalTable",
    "BaselineTable",
    "QuotaTable",
    "RestrictionTable",
    "StandingPassport",
    "StandingTable",
    "TaintIndex",
    "TaintTable",
    "add_tainted_fingerprints",
    "load_taint_index",
]


APPROVAL_KINDS: Final = ("call", "reauthorization")

# The planner does not take the partial index by itself, and would walk the tenant's whole log.
ISSUED_LAST: Final = (
    "SELECT e.body FROM entry e INDEXED BY entry_standing_passport"
    " JOIN position p ON p.tenant=e.tenant AND p.w=e.w AND p.ws=e.ws"
    " WHERE e.tenant=?1 AND e.kind='passport' AND e.session='' AND instr(e.body, ?2)>0 ORDER BY p.idx DESC"
)
_APPROVAL_COLUMNS: Final = "id, kind, session, binding, status, asked_us, expires_us, answer"
_IS_OPEN: Final = "status IN ('pending', 'approved', 'denied')"
# INVARIANT: ONCE - what was used, denied or ran out never becomes good again.
_PRECEDING: Final = {"used": ("approved",), "expired": ("pending", "approved")}


class StandingPassport(NamedTuple):
    """Which passport an agent stands on.

    Args:
        hash: of the standing link.
        origin: `derived` (from what is guarded) or `issued`.
        manifest: hash of the text that it was issued from, empty for a derived one.
    """

    hash: str
    origin: str
    manifest: str = ""


class StandingTable:
    """Which standing link each agent has now."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def get(self, agent: str) -> StandingPassport | None:
        """The agent's passport."""
        row = self._tx.cursor.execute(
            "SELECT hash, origin, manifest FROM standing WHERE tenant=? AND agent=?", (self._tx.tenant, agent)
        ).fetchone()
        return None if row is None else StandingPassport(*row)

    def find_last_issued(self, agent: str) -> tuple[str, str] | None:
        """(hash, origin) of the standing passport that the log issued last to an agent."""
        # No column names the agent. Its text does, and decoding each entry costs more than a search in the bytes.
        member = canonical.dumps({"agent": agent})[1:-1]
        issued = self._tx.cursor.execute(ISSUED_LAST, (self._tx.tenant, member))
        for (note,) in issued:
            body = decode_entry(note).body
            if body.get("kind") == "standing" and body.get("agent") == agent:
                return str(body.get("hash")), str(body.get("origin"))
        return None

    def put(self, agent: str, hash: str, origin: str, manifest: str = "") -> None:  # noqa: A002  the column's word
        """Set it."""
        self._tx.insert(
            "INSERT INTO standing VALUES (?,?,?,?,?) ON CONFLICT (tenant, agent) DO UPDATE SET "
            "hash=excluded.hash, origin=excluded.origin, manifest=excluded.manifest",
            (self._tx.tenant, agent, hash, origin, manifest),
        )

    def list_all(self) -> dict[str, StandingPassport]:
        """Agent → passport, by agent."""
        rows = self._tx.cursor.execute(
            "SELECT agent, hash, origin, manifest FROM standing WHERE tenant=? ORDER BY agent", (self._tx.tenant,)
        ).fetchall()
        return {agent: StandingPassport(*row) for agent, *row in rows}


class QuotaTable:
    """What was spent by day, one state for each account."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def get(self, account: str) -> tuple[int, bytes] | None:
        """(version, state)."""
        row = self._tx.cursor.execute(
            "SELECT version, state FROM quota WHERE tenant=? AND account=?", (self._tx.tenant, account)
        ).fetchone()
        return None if row is None else (row[0], bytes(row[1]))

    def put(self, account: str, version: int, state: bytes) -> None:
        """Set it; the version only rises.

        Raises:
            CannotDecide: the row has that version or a later one already.
        """
        self._tx.insert(
            "INSERT INTO quota VALUES (?,?,?,?) ON CONFLICT (tenant, account) DO UPDATE SET "
            "version=excluded.version, state=excluded.state WHERE excluded.version > quota.version",
            (self._tx.tenant, account, version, state),
        )


class BaselineTable:
    """Which score is in force for each agent."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def get(self, agent: str) -> str:
        """Hash of the terms, empty where no score is in force."""
        row = self._tx.cursor.execute(
            "SELECT hash FROM baseline WHERE tenant=? AND agent=?", (self._tx.tenant, agent)
        ).fetchone()
        return "" if row is None else str(row[0])

    def put(self, agent: str, name: str) -> None:
        """Put one in force; an empty name takes it out."""
        if not name:
            self._tx.cursor.execute("DELETE FROM baseline WHERE tenant=? AND agent=?", (self._tx.tenant, agent))
            return
        self._tx.insert(
            "INSERT INTO baseline VALUES (?,?,?) ON CONFLICT (tenant, agent) DO UPDATE SET hash=excluded.hash",
            (self._tx.tenant, agent, name),
        )


class TaintTable:
    """What is left of what was stored under exposure, in chunks that are never changed."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def load_newest(self) -> tuple[int, str]:
        """Number of the last chunk and the digest over all; (0, "") where there is none."""
        row = self._tx.cursor.execute(
            "SELECT seq, chain FROM residue WHERE tenant=? ORDER BY seq DESC LIMIT 1", (self._tx.tenant,)
        ).fetchone()
        return (0, "") if row is None else (row[0], row[1])

    def load_since(self, seq: int) -> list[tuple[int, bytes]]:
        """(number, prints) of the chunks after one."""
        return self._tx.cursor.execute(
            "SELECT seq, prints FROM residue WHERE tenant=? AND seq>? ORDER BY seq", (self._tx.tenant, seq)
        ).fetchall()

    def add(self, seq: int, chain: str, fingerprints: bytes) -> None:
        """Append a chunk."""
        self._tx.insert("INSERT INTO residue VALUES (?,?,?,?)", (self._tx.tenant, seq, chain, fingerprints))


class AlertTable:
    """Entries that say what somebody should look at, and whose sealed content is closed for good."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def load_since(self, index: int) -> list[tuple[int, bytes]]:
        """(position, note) of the alerts from a position on, in log order; nobody has proven them."""
        return self._tx.cursor.execute(
            "SELECT p.idx, e.body FROM position p JOIN entry e USING (tenant, w, ws) "
            "WHERE p.tenant=? AND p.idx>=? AND e.kind='alert' ORDER BY p.idx",
            (self._tx.tenant, index),
        ).fetchall()

    def is_erased(self, subject: str) -> bool:
        """Whether a subject's data was erased: nothing more can be sealed for it."""
        row = self._tx.cursor.execute(
            "SELECT 1 FROM vault WHERE tenant=? AND subject=? AND erased_at_us IS NOT NULL", (self._tx.tenant, subject)
        ).fetchone()
        return row is not None


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    """A challenge and what became of it.

    Args:
        id: of the entry that asks.
        kind: `call` or `reauthorization`.
        session: whose.
        binding: digest of what is asked (`halo_core.decision.approval_binding`).
        status: `pending`, `approved`, `denied`, `used` or `expired`.
        asked_us: when, microseconds since the epoch.
        expires_us: unanswered by then, it is denied.
        answer: the approver's signed token, empty until there is one. The row is a projection: the token counts.
    """

    id: str
    kind: str
    session: str
    binding: str
    status: str
    asked_us: int
    expires_us: int
    answer: str = field(default="", repr=False)


class ApprovalTable:
    """Challenges of a tenant."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def put(self, row: ApprovalRow) -> None:
        """Ask; an id is asked once."""
        self._tx.insert("INSERT INTO approval VALUES (?,?,?,?,?,?,?,?,?)", (self._tx.tenant, *astuple(row)))

    def get(self, request: str) -> ApprovalRow | None:
        """One challenge."""
        return self._find_newest("id=?", request)

    def find_open(self, session: str, binding: str) -> ApprovalRow | None:
        """The newest challenge about exactly this that is not used up: pending, approved or denied."""
        return self._find_newest(f"session=? AND binding=? AND {_IS_OPEN}", session, binding)

    def find_reauthorization(self, session: str) -> ApprovalRow | None:
        """The newest challenge about going on with the session that is not used up."""
        return self._find_newest(f"session=? AND kind='reauthorization' AND {_IS_OPEN}", session)

    def list_pending(self, session: str | None = None) -> list[ApprovalRow]:
        """Challenges without an answer, of one session or of all, oldest first."""
        where, values = ("", ()) if session is None else ("AND session=?", (session,))
        rows = self._tx.cursor.execute(
            f"SELECT {_APPROVAL_COLUMNS} FROM approval WHERE tenant=? AND status='pending' {where} ORDER BY asked_us, id",  # noqa: S608  constants
            (self._tx.tenant, *values),
        ).fetchall()
        return [ApprovalRow(*row) for row in rows]

    def record_answer(self, request: str, status: str, token: str) -> bool:
        """Keep an answer, `approved` or `denied`; False where the challenge is not pending."""
        if status not in ("approved", "denied"):
            raise ValueError(f"`{status}` is no answer")
        # INVARIANT: BIND - one challenge has one answer, also of two people in the same moment.
        done = self._tx.cursor.execute(
            "UPDATE approval SET status=?, answer=? WHERE tenant=? AND id=? AND status='pending'",
            (status, token, self._tx.tenant, request),
        )
        return done.rowcount == 1

    def set_status(self, request: str, status: str) -> None:
        """Say that an approval was `used`, or that a challenge or an approval `expired`.

        Raises:
            CannotDecide: it stands in no status from which that follows; what is used is never used again.
        """
        before = _PRECEDING[status]
        marks = ",".join("?" * len(before))
        self._tx.insert(
            f"UPDATE approval SET status=? WHERE tenant=? AND id=? AND status IN ({marks})",  # noqa: S608  only marks
            (status, self._tx.tenant, request, *before),
        )

    def _find_newest(self, where: str, *values: str) -> ApprovalRow | None:
        row = self._tx.cursor.execute(
            f"SELECT {_APPROVAL_COLUMNS} FROM approval WHERE tenant=? AND {where} ORDER BY asked_us DESC, id DESC LIMIT 1",  # noqa: S608  constants
            (self._tx.tenant, *values),
        ).fetchone()
        return None if row is None else ApprovalRow(*row)


class RestrictionTable:
    """Stops and revocations in force. Each change raises the control row's version, under which they are cached."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def list_all(self) -> tuple[tuple[Stop, ...], tuple[Revocation, ...]]:
        """Stops and revocations, sorted."""
        rows = self._tx.cursor.execute(
            "SELECT kind, scope, target, since_us FROM hold WHERE tenant=? ORDER BY scope, target", (self._tx.tenant,)
        ).fetchall()
        stops = tuple(Stop(*row[1:]) for row in rows if row[0] == "stop")
        # INVARIANT: FAILCLOSED - a kind that this version does not know is taken for a revocation.
        return stops, tuple(Revocation(*row[1:]) for row in rows if row[0] != "stop")

    def add(self, kind: str, scope: str, target: str, since_us: int) -> bool:
        """Hold; False where it is held already."""
        present = self._tx.cursor.execute(
            "SELECT 1 FROM hold WHERE tenant=? AND kind=? AND scope=? AND target=?",
            (self._tx.tenant, kind, scope, target),
        ).fetchone()
        if present is not None:
            return False
        self._tx.insert("INSERT INTO hold VALUES (?,?,?,?,?)", (self._tx.tenant, kind, scope, target, since_us))
        self._raise_version()
        return True

    def remove(self, kind: str, scope: str, target: str) -> bool:
        """Hold no longer; False where it was not held."""
        done = self._tx.cursor.execute(
            "DELETE FROM hold WHERE tenant=? AND kind=? AND scope=? AND target=?",
            (self._tx.tenant, kind, scope, target),
        )
        if done.rowcount != 1:
            return False
        self._raise_version()
        return True

    def _raise_version(self) -> None:
        control = self._tx.load_control()
        self._tx.put_control(replace(control, version=control.version + 1))


_FINGERPRINT_BYTES = 7  # bytes of a print


class TaintIndex:
    """Prints read so far, in memory. Bounded."""

    __slots__ = ("_fingerprints", "seq")

    def __init__(self) -> None:
        self._fingerprints: set[int] = set()
        self.seq = 0

    def __bool__(self) -> bool:
        return bool(self._fingerprints)

    @property
    def is_full(self) -> bool:
        """Whether something was left out for lack of room: then nobody can say what does not come from there."""
        return len(self._fingerprints) >= MAX_TAINTED_FINGERPRINTS

    def contains_any(self, fingerprints: Iterable[int]) -> bool:
        """Whether a text with these traces brings something back. INVARIANT: FAILCLOSED - any text, once it is full."""
        return self.is_full or any(fingerprint in self._fingerprints for fingerprint in fingerprints)

    def add_chunk(self, seq: int, chunk: bytes) -> None:
        """Take one chunk in."""
        room = MAX_TAINTED_FINGERPRINTS - len(self._fingerprints)
        fingerprints = (
            int.from_bytes(chunk[i : i + _FINGERPRINT_BYTES]) for i in range(0, len(chunk), _FINGERPRINT_BYTES)
        )
        self._fingerprints.update(islice(fingerprints, max(room, 0)))
        self.seq = seq


def load_taint_index(tx: Transaction, index: TaintIndex) -> TaintIndex:
    """What is stored as of this transaction; `index` is what memory has of it."""
    rows = TaintTable(tx)
    if rows.load_newest()[0] != index.seq:
        for seq, chunk in rows.load_since(index.seq):
            index.add_chunk(seq, chunk)
    return index


def add_tainted_fingerprints(tx: Transaction, index: TaintIndex, fingerprints: frozenset[int]) -> dict[str, Any] | None:
    """Store what is left of a value; what the entry says of it, None where all of it is known."""
    rows = TaintTable(tx)
    load_taint_index(tx, index)
    new = sorted(item for item in fingerprints if not index.contains_any((item,)))
    if not new:
        return None
    seq, before = rows.load_newest()
    chunk = b"".join(item.to_bytes(_FINGERPRINT_BYTES) for item in new)
    chain = chain_marks(before, chunk)
    rows.add(seq + 1, chain, chunk)
    index.add_chunk(seq + 1, chunk)
    # INVARIANT: AUDIT - no chunk is washed away, neither the last nor one between two.
    return commit_state(seq + 1, chain.encode("ascii"), before=before.encode("ascii"))
