"""Reading the alerts of a tenant's log, so that they can be sent.

log = LedgerAlertLog(url, "local")
while page := log.read_since(index): ...
"""

from __future__ import annotations

from itertools import islice
from typing import Final

from halo_core.alerts.messages import AgentAlert, AnyAlert, PersonAlert, QuestionAlert
from halo_core.crypto.keys import KeyStore
from halo_core.errors import Tampered
from halo_core.identities.day_alerts import ALERT_KIND, CONTENT_FIELD, AlertedEvent
from halo_core.ledger import decode_entry
from halo_core.model import EntryKind, LedgerEntry
from halo_core.store.reader import LoggedEntry, Reader, SealedContents, read_entries

_PAGE_SIZE: Final = 500


class LedgerAlertLog:
    """The alerts in the ledger of one tenant.

    Each page is read in a transaction of its own, so that a slow receiver keeps no read open.

    Args:
        url: URL of the store.
        tenant: tenant of the log.
        keys: keys of the home, if people are to be named: their names are sealed.
        questions: whether the questions that wait for an answer are among them.
    """

    def __init__(self, url: str, tenant: str, keys: KeyStore | None = None, *, questions: bool = False) -> None:
        self._url = url
        self._kinds = (EntryKind.ALERT, EntryKind.APPROVAL_REQUEST) if questions else (EntryKind.ALERT,)
        self._keys = keys
        self._tenant = tenant
        self._last_index = 0
        self._end = 0
        self._before: bytes | None = None

    def read_since(self, index: int) -> list[AnyAlert]:
        """A page of the alerts from this index on, in order.

        Raises:
            Tampered: an entry there is not a valid alert.
        """
        if index != self._last_index:
            self._last_index, self._end = index, index
        with Reader(self._url) as reader:
            if self._end > index and reader.note_at_index(self._tenant, self._end - 1) != self._before:
                self._end = index  # rolled back since, or another log
            page = list(islice(read_entries(reader, self._tenant, self._kinds, since=self._end), _PAGE_SIZE))
            if not page:  # the next call need not search these entries again
                self._end = max(self._end, reader.next_index(self._tenant))
                self._before = reader.note_at_index(self._tenant, self._end - 1) if self._end else None
            return [self._read_alert(item, reader) for item in page]

    def read_at(self, index: int) -> AnyAlert | None:
        """The alert at an index; None if there is another entry, or none."""
        with Reader(self._url) as reader:
            note = reader.note_at_index(self._tenant, index)
            if note is None:
                return None
            logged = LoggedEntry(index, decode_entry(note), note)
            return self._read_alert(logged, reader) if logged.entry.kind in self._kinds else None

    def _read_alert(self, logged: LoggedEntry, reader: Reader) -> AnyAlert:
        try:
            if logged.entry.kind is EntryKind.APPROVAL_REQUEST:
                return QuestionAlert.from_entry(logged)
            if logged.entry.body.get("kind") != ALERT_KIND:
                return AgentAlert.from_entry(logged)
            return PersonAlert.from_entry(logged, self._open_event(logged, reader))
        except (LookupError, TypeError, ValueError, AttributeError) as exc:
            message = f"entry {logged.index} is not a valid alert"
            raise Tampered("bad_alert", message, remedy="run `halo verify`") from exc

    def _open_event(self, logged: LoggedEntry, reader: Reader) -> AlertedEvent | None:
        """The event, with names if requested; None if it was erased or altered (see `halo verify`)."""
        if self._keys is None:
            return None
        try:
            return open_event(SealedContents.with_home_key(reader, self._keys), logged.entry)
        except Tampered:
            return None


def open_event(contents: SealedContents, entry: LedgerEntry) -> AlertedEvent | None:
    """The event of an alert, with names; None if it was erased or the key is missing."""
    data = contents.open(entry, CONTENT_FIELD)
    return None if data is None else AlertedEvent.from_content(data)
