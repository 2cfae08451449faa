"""(9) Rows of people and service accounts: the band of each is the one that the newest entry about it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from halo_core.crypto import canonical
from halo_core.errors import HaloError
from halo_core.ledger.reader import Stream
from halo_core.ledger.verify_controls import list_erased_people

if TYPE_CHECKING:
    from halo_core.ledger.reader import LedgerReader
    from halo_core.ledger.report import Collector


class IdentityCheck:
    """Collects the bands that the log says identities are in, then compares the rows.

    What is usual for an identity, and its risk within a band, are proven by a keyed digest in the row alone.
    """

    kinds: ClassVar = frozenset(("erasure", "identity"))

    def __init__(self, out: Collector) -> None:
        self._out = out
        self._newest: dict[tuple[str, str], tuple[int, int, int]] = {}

    def add_entry(self, tenant: str, idx: int | None, fields: dict[str, Any]) -> None:
        """Take one entry; `idx` is its position in the log, None where it has none."""
        changes, place = fields["body"].get("changes"), -1 if idx is None else idx
        if fields.get("kind") == "erasure":
            self._add_erasure(tenant, place, fields["body"])
            return
        for change in changes if isinstance(changes, list) else ():
            band, since_us = change.get("band"), change.get("since_us")
            if type(band) is int and type(since_us) is int:
                key = tenant, str(change.get("subject"))
                self._newest[key] = max(self._newest.get(key, (place, band, since_us)), (place, band, since_us))

    def _add_erasure(self, tenant: str, place: int, body: dict[str, Any]) -> None:
        for subject in list_erased_people(body):
            key = tenant, str(subject)
            self._newest[key] = max(self._newest.get(key, (place, 0, 0)), (place, 0, 0))

    def check(self, reader: LedgerReader) -> None:
        """Compare every row."""
        remaining = {key: (band, since_us) for key, (_, band, since_us) in self._newest.items()}
        for tenant, subject, head, *_ in reader.rows(Stream.IDENTITIES):
            where = f"identity {tenant}/{subject}"
            expected, found = remaining.pop((tenant, subject), (0, 0)), _read_band(head)
            if found == expected:
                self._out.passed[9] += 1
            else:
                message = "its band is not the one of the newest entry about it"
                self._out.add_unexplained(9, tenant, where, message, "identity_altered", columns=" column head")
        for (tenant, subject), expected in remaining.items():
            if expected == (0, 0):  # its row went when the person was erased
                continue
            message = "the log knows its risk, but its row is missing"
            self._out.add_tampered(9, f"identity {tenant}/{subject}", message, "row_missing")


def _read_band(head: object) -> tuple[int, int] | None:
    """Band, and since when; None of a row that is none."""
    try:
        tree = canonical.loads(head) if isinstance(head, bytes) else None
        return (int(tree["band"]), int(tree["since_us"])) if isinstance(tree, dict) else None
    except (HaloError, KeyError, TypeError, ValueError):
        return None
