"""Registered resources, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halo_core.store.rows import RowAccess


class ResourceTable:
    """The table `resource`, as one transaction sees it: what each resource was registered as."""

    __slots__ = ("_tx",)

    def __init__(self, tx: RowAccess) -> None:
        self._tx = tx

    def get(self, resource: str) -> bytes | None:
        """The registration of a resource; None where it has none."""
        row = self._tx.cursor.execute(
            "SELECT spec FROM resource WHERE tenant=? AND id=?", (self._tx.tenant, resource)
        ).fetchone()
        return None if row is None else bytes(row[0])

    def put(self, resource: str, spec: bytes) -> None:
        """Register or re-register a resource.

        Raises:
            CannotDecide: `ledger_unwritable`, the database did not keep the row.
        """
        self._tx.insert(
            "INSERT INTO resource VALUES (?,?,?) ON CONFLICT (tenant, id) DO UPDATE SET spec=excluded.spec",
            (self._tx.tenant, resource, spec),
        )
