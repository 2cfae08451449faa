"""Room: the passport each agent stands on, against the log. Takes: entries, rows. Gives: findings. Never: I/O.

(9) The `standing` row of an agent names the standing passport that the log issued last, and the manifest of that. An
older one still verifies as a token, and may grant more, so a row that was put back is tampering.
"""

from __future__ import annotations

from typing import Any

from halo_core.ledger.reader import LedgerReader
from halo_core.ledger.report import Collector

__all__ = ["Baselines", "Standings"]


class Standings:
    """(9) Notes the newest standing passport of each agent, then compares the rows."""

    def __init__(self, out: Collector) -> None:
        self._out = out
        self._newest: dict[tuple[str, str], tuple[int, str, str, str]] = {}
        self._issued: dict[tuple[str, str], int] = {}

    def note(self, tenant: str, idx: int | None, plain: dict[str, Any]) -> None:
        """Take one entry; `idx` is its place in the log, None where it has none."""
        body = plain.get("body")
        if plain.get("kind") != "passport" or not isinstance(body, dict) or body.get("kind") != "standing":
            return
        key, place = (tenant, str(body.get("agent"))), -1 if idx is None else idx
        told = (place, str(body.get("hash")), str(body.get("origin")), str(body.get("manifest", "")))
        self._newest[key] = max(self._newest.get(key, told), told, key=lambda item: item[0])
        first = self._issued.get(key, place) if told[2] == "issued" else None
        if first is not None:
            self._issued[key] = min(first, place)

    def check(self, reader: LedgerReader) -> None:
        """Compare every row."""
        left = dict(self._newest)
        for (tenant, agent), first in self._issued.items():
            place, _, origin, _ = self._newest[tenant, agent]
            if origin != "issued" and place > first:
                what = "an agent with an issued passport was given one that is derived from what it guards"
                self._out.tampered(9, f"standing {tenant}/{agent}", what, "derived_after_issued")
        for tenant, agent, *row in reader.standings():
            told = left.pop((tenant, agent), None)
            where = f"standing {tenant}/{agent}"
            if told is not None and told[1:] == tuple(row):
                self._out.passed[9] += 1
            elif tenant in self._out.incomplete:
                self._out.gap(9, where, "the entry that issued it may be among the missing", "entry_missing")
            else:
                what = "it is not the passport that the log issued last"
                self._out.tampered(9, f"{where} columns hash, origin, manifest", what, "standing_altered")
        for tenant, agent in left:
            what = "the log issued a passport, and the row is missing"
            self._out.tampered(9, f"standing {tenant}/{agent}", what, "row_missing")


class Baselines:
    """(9) The `baseline` row of an agent names the score that the log put in force last, if any is."""

    def __init__(self, out: Collector) -> None:
        self._out = out
        self._newest: dict[tuple[str, str], tuple[int, str]] = {}

    def note(self, tenant: str, idx: int | None, plain: dict[str, Any]) -> None:
        """Take one entry; `idx` is its place in the log, None where it has none."""
        body = plain.get("body")
        if plain.get("kind") == "baseline" and isinstance(body, dict) and body.get("part") is False:
            key, told = (tenant, str(body.get("agent"))), (-1 if idx is None else idx, str(body.get("hash", "")))
            self._newest[key] = max(self._newest.get(key, told), told)

    def check(self, reader: LedgerReader) -> None:
        """Compare every row."""
        left = {key: name for key, (_, name) in self._newest.items() if name}
        for tenant, agent, name in reader.baselines():
            where = f"baseline {tenant}/{agent}"
            if left.pop((tenant, agent), None) == name:
                self._out.passed[9] += 1
            elif tenant in self._out.incomplete:
                self._out.gap(9, where, "the entry that put it in force may be among the missing", "entry_missing")
            else:
                what = "it is not the score that the log put in force last"
                self._out.tampered(9, f"{where} column hash", what, "baseline_altered")
        for tenant, agent in left:
            what = "the log put a score in force, and the row is missing"
            self._out.tampered(9, f"baseline {tenant}/{agent}", what, "row_missing")
