"""Room: the passport each agent stands on, against the log. Takes: entries, rows. Gives: findings. Never: I/O.

(9) The `standing` row of an agent names the standing passport that the log issued last. An older one still verifies as
a token, and may grant more, so a row that was put back is tampering.
"""

from __future__ import annotations

from typing import Any

from halo_core.ledger.reader import LedgerReader
from halo_core.ledger.report import Collector

__all__ = ["Standings"]


class Standings:
    """(9) Notes the newest standing passport of each agent, then compares the rows."""

    def __init__(self, out: Collector) -> None:
        self._out = out
        self._newest: dict[tuple[str, str], tuple[int, str, str]] = {}

    def note(self, tenant: str, idx: int | None, plain: dict[str, Any]) -> None:
        """Take one entry; `idx` is its place in the log, None where it has none."""
        body = plain.get("body")
        if plain.get("kind") != "passport" or not isinstance(body, dict) or body.get("kind") != "standing":
            return
        key, place = (tenant, str(body.get("agent"))), -1 if idx is None else idx
        told = (place, str(body.get("hash")), str(body.get("origin")))
        self._newest[key] = max(self._newest.get(key, told), told, key=lambda item: item[0])

    def check(self, reader: LedgerReader) -> None:
        """Compare every row."""
        left = dict(self._newest)
        for tenant, agent, name, origin in reader.standings():
            told = left.pop((tenant, agent), None)
            where = f"standing {tenant}/{agent}"
            if told is not None and told[1:] == (name, origin):
                self._out.passed[9] += 1
            elif tenant in self._out.incomplete:
                self._out.gap(9, where, "the entry that issued it may be among the missing", "entry_missing")
            else:
                what = "it is not the passport that the log issued last"
                self._out.tampered(9, f"{where} columns hash, origin", what, "standing_altered")
        for tenant, agent in left:
            what = "the log issued a passport, and the row is missing"
            self._out.tampered(9, f"standing {tenant}/{agent}", what, "row_missing")
