"""What verification needs from outside: streams over the tables (`LedgerReader`), trusted keys and anchors (`Trust`).

The store implements `LedgerReader` with streaming queries on one consistent view. It returns rows exactly as they are
in the tables, of every tenant and whatever their type: a reader must not filter, convert or repair. Texts sort by code
point (SQLite BINARY, PostgreSQL COLLATE "C").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Protocol

from halo_core.quick_dataclass import dataclass

if TYPE_CHECKING:
    from halo_core.ledger.notes import Vkey

Row = tuple[Any, ...]

PROVISIONAL: Final = 1 << 62
"""Positions from here on are provisional: those of entries to which the sequencer has not given a position yet."""

EntryKey = tuple[str, str, int]
"""Tenant, writer and sequence: the key of an entry."""

BLOB_DOMAINS = (
    "halo/baseline/v1",
    "halo/blob/v1",
    "halo/manifest/v1",
    "halo/model/v1",
    "halo/part/v2",
    "halo/passport/v1",
    "halo/policy/v1",
    "halo/registration/v1",
    "halo/scoring/v1",
    "halo/usual/v1",
)
"""Domains under which `canonical.digest` may have named a blob, unless the caller passes others."""


_CONTROL_KINDS: Final = ", ".join(
    f"'{kind}'"
    for kind in (
        "authority",
        "control",
        "lift",
        "mode",
        "policy",
        "registration",
        "revocation",
        "stop",
        "writer_close",
        "writer_open",
    )
)


class Stream(Enum):
    """A stream of rows from a reader: table, columns, and the columns it is ordered by (empty: any order).

    `erased_at_us` is None until the key of the subject was erased, and `closed_us` until the writer closed.
    """

    APPROVALS = (
        "approval",
        "tenant, id, kind, session, binding, status, asked_us, expires_us, answer",
        "tenant, id",
    )
    BASELINES = ("baseline", "tenant, agent, hash", "tenant, agent")
    BLOBS = ("blob", "tenant, hash, bytes", "tenant, hash")
    CHECKPOINTS = ("checkpoint", "tenant, size, root, note, frontier", "tenant, size")
    CONTROL_ENTRIES = (
        f"entry WHERE kind IN ({_CONTROL_KINDS})",
        "tenant, w, ws, idx, kind, ts_us, body",
        "",
    )
    CONTROLS = ("control", "tenant, version, store, mode, policy", "tenant")
    ENTRIES = (
        "entry",
        "tenant, w, ws, idx, kind, session, ts_us, once, mark, body, signatures, sealed, marks",
        "tenant, w, ws",
    )
    KNOWN_ENTRIES = ("entry WHERE kind='known'", "tenant, w, ws, idx, body", "")
    IDENTITIES = ("identity", "tenant, subject, head, habit, proof", "tenant, subject")
    KNOWN_VALUES = ("known_value", "tenant, kind, digest", "tenant, kind, digest")
    OUTBOX = (
        "outbox",
        "tenant, id, session, agent, resource, question, status, held_us, expires_us, marks",
        "tenant, id",
    )
    PROFILES = ("profile", "tenant, kind, subject, version, state", "tenant, kind, subject")
    QUOTAS = ("quota", "tenant, account, version, state", "tenant, account")
    RESTRICTIONS = ("hold", "tenant, kind, scope, target, since_us", "tenant, kind, scope, target")
    RESOURCES = ("resource", "tenant, id, spec", "tenant, id")
    SESSION_HEADS = ("session", "tenant, head_w, head_ws, session, version", "tenant, head_w, head_ws")
    SESSION_STATES = ("session", "tenant, session, version, state", "")
    STANDING_ANSWERS = ("standing_answer", "tenant, id, kind, scope, status, token", "tenant, id")
    STANDING_PASSPORTS = ("standing", "tenant, agent, hash, origin, manifest", "tenant, agent")
    TAINT = ("residue", "tenant, seq, chain, prints", "tenant, seq")
    USAGE = ("usage", "tenant, agent, resource, uses", "tenant, agent, resource")
    VAULTS = ("vault", "tenant, subject, dek_wrapped, commitment, erased_at_us", "tenant, subject")
    WRITERS = ("writer", "tenant, w, vkey, closed_us", "tenant, w")
    WRITER_TIMES = ("writer", "tenant, w, opened_us, closed_us", "tenant, w")

    @property
    def query(self) -> str:
        """The stream as an SQL statement."""
        table, columns, order = self.value
        return f"SELECT {columns} FROM {table}" + (f" ORDER BY {order}" if order else "")  # noqa: S608  constants


class LedgerReader(Protocol):
    """Streams over the tables. Each method may raise NotVerified if the database cannot be read."""

    def rows(self, stream: Stream) -> Iterator[Row]:
        """The rows of one stream."""
        ...

    def rows_by_position(self) -> Iterator[Row]:
        """(tenant, idx, w, ws, body, signatures) of every entry, ordered by (tenant, idx)."""
        ...

    def blob(self, tenant: str, name: str) -> bytes | None:
        """The bytes stored under a hash; None if there are none."""
        ...

    def is_pending(self, tenant: str, ts_us: int) -> bool:
        """Whether an entry of this time without a position may still get one from the sequencer."""
        ...

    def schema_differences(self) -> Iterator[Row]:
        """(`trigger` or `view`, name) of each foreign one, (`missing`, name) of each missing own one."""
        ...


@dataclass(frozen=True, slots=True)
class Trust:
    """Trusted inputs of the verifier, from outside the database.

    Args:
        logs: tenant → verifier key of its log.
        anchors: tenant → newest checkpoint note that is kept outside the database.
        kek: 32-byte content key, to open content and compare it with its commitment; None leaves it closed.
        blob_domains: domains of the hashes under which blobs are stored.
        elsewhere: tenants whose anchor belongs to another store.
        raised: tenants whose floor is `enforce` according to the home.
        people: tenant → thumbprints of the keys that the home trusts now.
    """

    logs: Mapping[str, Vkey]
    anchors: Mapping[str, bytes] = field(default_factory=dict)
    kek: bytes | None = field(default=None, repr=False)
    blob_domains: tuple[str, ...] = BLOB_DOMAINS
    elsewhere: frozenset[str] = frozenset()
    raised: frozenset[str] = frozenset()
    people: Mapping[str, frozenset[str]] = field(default_factory=dict)


def filter_ordered(
    rows: Iterator[Row], kinds: tuple[type, ...], report_malformed: Callable[[Row, str], None]
) -> Iterator[Row]:
    """Pass on the rows whose leading columns have these types and come in order; report the others.

    A row out of order means that an index and its table disagree, which Halo never causes.
    """
    width = len(kinds)
    last: Row = ()
    for row in rows:
        key = row[:width]
        if tuple(map(type, key)) != kinds:
            report_malformed(row, "a key column has the wrong type")
        elif key < last:
            report_malformed(row, "the row is out of order, so index and table disagree")
        else:
            last = key
            yield row


class RowFollower:
    """Walks rows in step with a leading stream that has the same key order: (tenant, w, ws)."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._rows = rows
        self._next: Row | None = next(rows, None)

    def advance_to(self, key: Row) -> tuple[list[Row], list[Row]]:
        """Rows before the key (they name no entry) and rows at the key."""
        row = self._next
        if row is None or row[:3] > key:
            return [], []
        before: list[Row] = []
        matching: list[Row] = []
        while row is not None and row[:3] <= key:
            (matching if row[:3] == key else before).append(row)
            row = self._next = next(self._rows, None)
        return before, matching

    def remaining(self) -> Iterator[Row]:
        """Rows after the last key."""
        while self._next is not None:
            row = self._next
            self._next = next(self._rows, None)
            yield row
