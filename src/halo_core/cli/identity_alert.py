"""Room: an alert about a person or a service account, for people. Takes: an entry. Gives: rows, plain values.

The name stands in sealed content: where that cannot be opened, the row says why. Never: decides, writes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from halo_core.clock import iso
from halo_core.errors import Tampered
from halo_core.flagging import named
from halo_core.identities.alerted import DayAlert, Named
from halo_core.identities.alerting import KIND
from halo_core.keys import KeyStore
from halo_core.model import Entry, EntryKind
from halo_core.query import Contents
from halo_core.store.reader import Reader

__all__ = ["ALTERED", "Names", "about_identity", "identity_rows"]

_ERASED: Final = "erased"
_CLOSED: Final = "the content key is not at hand"
ALTERED: Final = "altered: run `halo verify`"


def about_identity(entry: Entry) -> bool:
    """Whether it is an alert about a person or a service account."""
    return entry.kind is EntryKind.ALERT and entry.body.get("kind") == KIND


class Names:
    """Opens what such alerts seal.

    Args:
        reader: the store, open.
        home: where the content key is, if it is there.
    """

    def __init__(self, reader: Reader, home: Path) -> None:
        keys = KeyStore(home)
        self._contents = Contents.at(reader, keys)
        self._closed = _ERASED if "content" in keys.names() else _CLOSED

    def of(self, entry: Entry) -> Named | str:
        """The event with names, or why it cannot be shown; one that was altered hides none of the others."""
        try:
            return named(self._contents, entry) or self._closed
        except Tampered:
            return ALTERED


def identity_rows(entry: Entry) -> list[tuple[str, str]]:
    """The body, for `halo show`; its content stands beside it, masked."""
    alert = DayAlert.of(entry.body)
    seen = f"{iso(alert.first_us)} to {iso(alert.last_us)}" if alert.high > 1 else iso(alert.first_us)
    return [
        ("identity", alert.print),
        ("day", f"{alert.day} (UTC)"),
        ("risk", f"{alert.risk} of 1000 at most, {alert.running} at the end of the day"),
        ("above high", f"{alert.high} events, {seen}" if alert.high > 1 else f"1 event, {seen}"),
        *(("moved by", f"{item.words} ({item.points})") for item in alert.factors),
        ("baseline", alert.baseline),
    ]
