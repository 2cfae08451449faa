"""Room: alerts read from the ledger. Takes: a store's URL. Gives: pages of alerts. Never: keeps it open, writes.

Each page is read and let go before anything is sent: a slow receiver holds no read of the database open.
"""

from __future__ import annotations

from itertools import islice
from typing import Final

from halo_core.errors import Tampered
from halo_core.ledger import decode_entry
from halo_core.model import EntryKind
from halo_core.query import Found, entries
from halo_core.store.reader import Reader
from halo_core.telling.alert import Alert

__all__ = ["LedgerLog"]

_PAGE: Final = 500


class LedgerLog:
    """Alerts of one tenant.

    Args:
        url: of the store.
        tenant: whose.
    """

    def __init__(self, url: str, tenant: str) -> None:
        self._url = url
        self._tenant = tenant
        self._asked = 0
        self._end = 0
        self._before: bytes | None = None

    def since(self, index: int) -> list[Alert]:
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
        return [_alert(item) for item in found]

    def at(self, index: int) -> Alert | None:
        """The alert at a place; None where there is another entry, or none."""
        with Reader(self._url) as reader:
            note = reader.note_at_index(self._tenant, index)
        if note is None:
            return None
        entry = decode_entry(note)
        return _alert(Found(index, entry, note)) if entry.kind is EntryKind.ALERT else None


def _alert(found: Found) -> Alert:
    try:
        return Alert.of(found)
    except (LookupError, TypeError, ValueError, AttributeError) as exc:
        raise Tampered("bad_alert", f"entry {found.index} is no alert", remedy="run `halo verify`") from exc
