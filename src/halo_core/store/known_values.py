"""Values that the operator declared as known: payees, contacts, own domains.

    known = KnownValues(tx, digester)
    known.contains("email", "ana@corp.example")

The database holds a keyed digest of each value's canonical form (`to_canonical_form` in `values.facts.answer_scope`);
what is known is answered from the tenant's image. A row counts while the newest signed entry about its value declares
it. Any other row is recorded and removed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from halo_core.crypto import canonical
from halo_core.crypto.keys import Digester
from halo_core.store.control_state import record_difference
from halo_core.store.entry_lookup import EntrySource, find_newest
from halo_core.values.facts.answer_scope import list_known_names

if TYPE_CHECKING:
    from halo_core.store.transaction import Transaction
    from halo_core.values.provenance.argument_forms import ArgumentValue

MAX_KNOWN: Final = 100_000
"""Values that a tenant may declare as known."""

KnownKey = tuple[str, str]
"""Kind of a value and keyed digest of its canonical form."""

_MAX_MEMORY: Final = 10_000
# Without the hint SQLite does not use the partial index, and reads the tenant's whole log.
_DECLARED: Final = "FROM entry INDEXED BY entry_known WHERE tenant=?1 AND kind='known'"


def _read_declared(body: Mapping[str, Any]) -> Iterator[tuple[KnownKey, bool]]:
    """Each value in an entry, and whether the entry declares it."""
    if body.get("op") == "propose":
        return  # what an MCP server lists and nobody has accepted yet
    values = body.get("values")
    for item in values if isinstance(values, list) else ():
        if isinstance(item, list) and len(item) == 2:
            yield (str(item[0]), str(item[1])), body.get("op") == "add"


KNOWN_ENTRIES: Final[EntrySource[KnownKey, bool]] = EntrySource(
    newest=f"SELECT w, ws {_DECLARED} ORDER BY idx DESC LIMIT 1",
    all=f"SELECT w, ws, body {_DECLARED} ORDER BY idx DESC",
    naming=f"SELECT w, ws, body {_DECLARED} AND instr(body, ?2)>0 ORDER BY idx DESC",
    find_member=lambda key: canonical.dumps(list(key)),
    read_body=_read_declared,
)


def digest_known_value(digester: Digester, kind: str, form: str) -> str:
    """Keyed digest by which a known value is found; `form` is its canonical form."""
    return digester.digest("halo/known-value/v1", canonical.dumps([kind, form]))


class KnownTable:
    """Known values, by kind and keyed digest of their canonical form, as seen and changed by one transaction."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def contains(self, kind: str, digest: str) -> bool:
        """Whether a value is known.

        Raises:
            CannotDecide: `ledger_unwritable`, the newest entry about it cannot be proven.
        """
        known = self._tx.image.known
        key = kind, digest
        if key not in known:
            if len(known) >= _MAX_MEMORY:
                known.clear()
            known[key] = self._has_row(key) and self._is_declared(key)
        return known[key]

    def _has_row(self, key: KnownKey) -> bool:
        row = self._tx.cursor.execute(
            "SELECT 1 FROM known_value WHERE tenant=? AND kind=? AND digest=?", (self._tx.tenant, *key)
        ).fetchone()
        return row is not None

    def _is_declared(self, key: KnownKey) -> bool:
        """Whether the newest entry about a value declares it.

        INVARIANT: VOUCH - a row that somebody put in, or put back after the value was revoked, vouches for nothing.
        """
        newest = find_newest(self._tx, self._tx.image.known_history, KNOWN_ENTRIES, key)
        if newest is not None and newest[1]:
            return True
        record_difference(self._tx, "known_value", "no entry" if newest is None else "revoked", key[0])
        self.remove(*key)
        return False

    @property
    def has_any(self) -> bool:
        """Whether the tenant has a row that an argument could match; accepted tools of MCP servers do not count."""
        image = self._tx.image
        if image.has_known is None:
            row = self._tx.cursor.execute(
                "SELECT 1 FROM known_value WHERE tenant=? AND kind NOT IN ('mcp_server','mcp_tool') LIMIT 1",
                (self._tx.tenant,),
            ).fetchone()
            image.has_known = row is not None
        return image.has_known

    def list_digests(self, kind: str) -> frozenset[str]:
        """Digests of the rows of a kind, for a notice; not checked against entries."""
        rows = self._tx.cursor.execute(
            "SELECT digest FROM known_value WHERE tenant=? AND kind=?", (self._tx.tenant, kind)
        )
        return frozenset(str(digest) for (digest,) in rows.fetchall())

    def count(self) -> int:
        """How many values are known."""
        row = self._tx.cursor.execute("SELECT count(*) FROM known_value WHERE tenant=?", (self._tx.tenant,)).fetchone()
        return int(row[0])

    def add(self, kind: str, digest: str) -> bool:
        """Add a value that an entry of this transaction declares; False if it is already known."""
        if self.contains(kind, digest):
            return False
        self._forget()
        self._tx.insert("INSERT INTO known_value VALUES (?,?,?)", (self._tx.tenant, kind, digest))
        return True

    def remove(self, kind: str, digest: str) -> bool:
        """Remove a value; False if it is not known."""
        self._forget()
        done = self._tx.cursor.execute(
            "DELETE FROM known_value WHERE tenant=? AND kind=? AND digest=?", (self._tx.tenant, kind, digest)
        )
        return done.rowcount == 1

    def _forget(self) -> None:
        self._tx.database.claim_control()
        self._tx.image.known.clear()
        self._tx.image.has_known = None


class KnownValues:
    """Known values, as one transaction sees them.

    Args:
        tx: the transaction.
        digester: keyed digests of the home.
        used: takes each value that was found to be known.
    """

    __slots__ = ("_digester", "_table", "_used")

    def __init__(self, tx: Transaction, digester: Digester, used: set[KnownKey] | None = None) -> None:
        self._table = KnownTable(tx)
        self._digester = digester
        self._used = used

    def __bool__(self) -> bool:
        """Whether any value is known."""
        return self._table.has_any

    def names(self, value: ArgumentValue) -> bool:
        """Whether an argument's value is known, in whatever spelling."""
        return any(self.contains(kind, form) for kind, form in list_known_names(value))

    def contains(self, kind: str, form: str) -> bool:
        """Whether the value with this kind and canonical form is known."""
        key = kind, digest_known_value(self._digester, kind, form)
        is_known = self._table.contains(*key)
        if is_known and self._used is not None:
            self._used.add(key)
        return is_known
