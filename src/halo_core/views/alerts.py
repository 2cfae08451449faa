"""Room: an alert about a person or a service account, for people. Takes: an entry. Gives: rows, plain values.

The name stands in sealed content: where that cannot be opened, the row says why. Never: decides, writes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from halo_core.alerts.identity import open_event
from halo_core.clock import format_iso
from halo_core.crypto.keys import KeyStore
from halo_core.errors import Tampered
from halo_core.identities.day_alerts import ALERT_KIND, AlertedEvent, DayAlert
from halo_core.model import EntryKind, LedgerEntry
from halo_core.store.log import SealedContents
from halo_core.store.reader import Reader

__all__ = ["ALTERED", "IdentityNames", "build_identity_rows", "is_about_identity"]

_ERASED: Final = "erased"
_CLOSED: Final = "the content key is not available"
ALTERED: Final = "altered: run `halo verify`"


def is_about_identity(entry: LedgerEntry) -> bool:
    """Whether it is an alert about a person or a service account."""
    return entry.kind is EntryKind.ALERT and entry.body.get("kind") == ALERT_KIND


class IdentityNames:
    """Opens what such alerts seal.

    Args:
        reader: the store, open.
        home: where the content key is, if it is there.
    """

    def __init__(self, reader: Reader, home: Path) -> None:
        keys = KeyStore(home)
        self._contents = SealedContents.with_home_key(reader, keys)
        self._closed = _ERASED if "content" in keys.names() else _CLOSED

    def open_event(self, entry: LedgerEntry) -> AlertedEvent | str:
        """The event with names, or why it cannot be shown; one that was altered hides none of the others."""
        try:
            return open_event(self._contents, entry) or self._closed
        except Tampered:
            return ALTERED


def build_identity_rows(entry: LedgerEntry) -> list[tuple[str, str]]:
    """The body, for `halo show`; its content stands beside it, masked."""
    alert = DayAlert.from_body(entry.body)
    period = (
        f"{format_iso(alert.first_us)} to {format_iso(alert.last_us)}"
        if alert.high_event_count > 1
        else format_iso(alert.first_us)
    )
    return [
        ("identity", alert.fingerprint),
        ("day", f"{alert.day} (UTC)"),
        ("risk", f"{alert.risk} of 1000 at most, {alert.identity_risk} at the end of the day"),
        (
            "above high",
            f"{alert.high_event_count} events, {period}" if alert.high_event_count > 1 else f"1 event, {period}",
        ),
        *(("moved by", f"{item.words} ({item.points})") for item in alert.factors),
        ("baseline", alert.baseline),
    ]
