"""Room: alerts read from the ledger. Takes: a store's URL. Gives: pages of alerts. Never: keeps it open, writes.

Each page is read and let go before anything is sent: a slow receiver holds no read of the database open.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Final

from halo_core.errors import Tampered
from halo_core.identities.alerted import Named
from halo_core.identities.alerting import CONTENT, KIND
from halo_core.keys import KeyStore
from halo_core.ledger import decode_entry
from halo_core.model import EntryKind
from halo_core.query import Contents, Found, entries
from halo_core.store.reader import Reader
from halo_core.telling.alert import Alert
from halo_core.telling.person import AnyAlert, PersonAlert

__all__ = ["LedgerLog"]

_PAGE: Final = 500


class LedgerLog:
    """Alerts of one tenant.

    Args:
        url: of the store.
        tenant: whose.
        keys: of the home, where people are to be named too; their names are sealed.
    """

    def __init__(self, url: str, tenant: str, keys: KeyStore | None = None) -> None:
        self._url = url
        self._keys = keys
        self._tenant = tenant
        self._asked = 0
        self._end = 0
        self._before: bytes | None = None

    def since(self, index: int) -> list[AnyAlert]:
        """Alerts at this place and after it in order, a page of them.

        Raises:
            Tampered: what stands there is no alert.
        """
        if index != self._asked:
            self._asked, self._end = index, index
        with Reader(self._url) as reader:
            if self._end > index and reader.note_at_index(self._tenant, self._end - 1) != self._before:
                self._end = index  # rolled back since, or another log
            found = list(islice(entries(reader, self._tenant, (EntryKind.ALERT,), since=self._end), _PAGE))
            if not found:  # asked again, it need not look there again
                self._end = max(self._end, reader.end(self._tenant))
                self._before = reader.note_at_index(self._tenant, self._end - 1) if self._end else None
            return [self._alert(item, reader) for item in found]

    def at(self, index: int) -> AnyAlert | None:
        """The alert at a place; None where there is another entry, or none."""
        with Reader(self._url) as reader:
            note = reader.note_at_index(self._tenant, index)
            if note is None:
                return None
            found = Found(index, decode_entry(note), note)
            return self._alert(found, reader) if found.entry.kind is EntryKind.ALERT else None

    def _alert(self, found: Found, reader: Reader) -> AnyAlert:
        if found.entry.body.get("kind") != KIND:
            return _of(Alert.of, found)
        return _of(lambda item: PersonAlert.of(item, self._named(item, reader)), found)

    def _named(self, found: Found, reader: Reader) -> Named | None:
        """Who it is, where that was asked for; None where it was erased, or altered, which `halo verify` says."""
        if self._keys is None:
            return None
        try:
            data = Contents.at(reader, self._keys).open(found.entry, CONTENT)
            return None if data is None else Named.of(data)
        except Tampered:
            return None


def _of(make: Callable[[Found], AnyAlert], found: Found) -> AnyAlert:
    try:
        return make(found)
    except (LookupError, TypeError, ValueError, AttributeError) as exc:
        raise Tampered("bad_alert", f"entry {found.index} is no alert", remedy="run `halo verify`") from exc
