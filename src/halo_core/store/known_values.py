"""Values that the operator declared as known: payees, contacts, own domains.

    known = KnownValues(tx, digester)
    known.contains("email", "ana@corp.example")

The database holds a keyed digest of each value's canonical form (`halo_core.values.to_canonical_form`); what is known
is answered from the tenant's image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halo_core.crypto import canonical
from halo_core.crypto.keys import Digester
from halo_core.store.answer_rows import KnownTable
from halo_core.values import list_known_names

if TYPE_CHECKING:
    from halo_core.store.rows import RowAccess
    from halo_core.values.forms import ArgumentValue


def digest_known_value(digester: Digester, kind: str, form: str) -> str:
    """Keyed digest by which a known value is found; `form` is its canonical form."""
    return digester.digest("halo/known-value/v1", canonical.dumps([kind, form]))


class KnownValues:
    """What is known, as one transaction sees it.

    Args:
        tx: the transaction.
        digester: keyed digests of the home.
    """

    __slots__ = ("_digester", "_table")

    def __init__(self, tx: RowAccess, digester: Digester) -> None:
        self._table = KnownTable(tx)
        self._digester = digester

    def __bool__(self) -> bool:
        """Whether any value is known."""
        return self._table.has_any

    def names(self, value: ArgumentValue) -> bool:
        """Whether a value of an argument is known, in whatever spelling."""
        return any(self.contains(kind, form) for kind, form in list_known_names(value))

    def contains(self, kind: str, form: str) -> bool:
        """Whether a value of this kind and canonical form is known."""
        return self._table.contains(kind, digest_known_value(self._digester, kind, form))
