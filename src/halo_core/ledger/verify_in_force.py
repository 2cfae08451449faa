"""Checks of decisions against what was in force at their own position (check 9).

Other checks compare rows with the state at the end of the log. A row that was inserted for one call and removed again
shows only in the decision that was made in between.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import orjson

from halo_core.ledger.reader import LedgerReader, Stream
from halo_core.ledger.report import MAX_FINDINGS, Collector, format_entry_name

_MAX_NAMED: Final = 5


@dataclass(slots=True)
class _Use:
    """The first and last decision under a standing passport: position, name and id of each."""

    first: tuple[int, str, str]
    last: tuple[int, str, str]


class PassportInForceCheck:
    """(9) Checks that each decision's chain begins with the standing passport in force at its position.

    Warns of passports whose issuer is not the log's first one, and that no entry has made an issuer.
    """

    kinds: ClassVar = frozenset(("authority", "decision", "passport"))

    def __init__(self, out: Collector) -> None:
        self._out = out
        self._issued: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
        self._agents: dict[tuple[str, str], str] = {}
        self._uses: dict[tuple[str, str], _Use] = {}
        self._signed: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
        self._issuers: dict[str, list[tuple[int, str]]] = defaultdict(list)

    def add_entry(self, tenant: str, idx: int | None, fields: dict[str, Any]) -> None:
        """Process one entry; `idx` is its position in the log, None if it has none."""
        if idx is None:
            return
        body = fields["body"]
        if fields.get("kind") == "authority":
            if body.get("role") == "issuer":
                self._issuers[tenant] += [(idx, str(body[name])) for name in ("kid", "old") if name in body]
            return
        if fields.get("kind") == "passport":
            if body.get("kind") == "standing":
                agent, name = str(body.get("agent")), str(body.get("hash"))
                self._issued[tenant, agent].append((idx, name))
                self._agents[tenant, name] = agent
                issuer = body.get("issuer")
                kid = str(issuer.get("kid")) if isinstance(issuer, dict) else ""
                self._signed[tenant].append((idx, kid, str(fields["id"])))
            return
        chain = body["snapshot"]["chain"] if "snapshot" in body else ()
        if not chain:
            return
        use = self._uses.get((tenant, chain[0]))
        if use is not None and use.first[0] <= idx <= use.last[0]:
            return
        here = (idx, format_entry_name((tenant, str(fields["w"]), fields["ws"])), str(fields["id"]))
        if use is None:
            self._uses[tenant, chain[0]] = _Use(here, here)
        else:
            use.first, use.last = min(use.first, here), max(use.last, here)

    def check(self, reader: LedgerReader) -> None:
        """Compare the first and last use of each passport with the period in which it was in force.

        As each passport is issued once, it was in force between the two as well.
        """
        del reader
        for tenant, signed in self._signed.items():
            self._check_issuers(tenant, sorted(signed))
        for issued in self._issued.values():
            issued.sort()
        for (tenant, name), use in self._uses.items():
            issued = self._issued.get((tenant, self._agents.get((tenant, name), "")), [])
            for idx, where, entry in dict.fromkeys((use.first, use.last)):
                at = bisect_right(issued, idx, key=lambda item: item[0])
                if at == 0 or issued[at - 1][1] != name:
                    message = "it was decided under a passport that was not in force then"
                    self._out.add_unexplained_by_log(tenant, where, message, "passport_not_in_force", entry=entry)

    def _check_issuers(self, tenant: str, signed: list[tuple[int, str, str]]) -> None:
        first = signed[0][1]
        unknown = [
            entry
            for idx, kid, entry in signed
            if kid != first and not any(name == kid and at < idx for at, name in self._issuers[tenant])
        ]
        if unknown:
            names = ", ".join(unknown[:_MAX_NAMED]) + (" …" if len(unknown) > _MAX_NAMED else "")
            self._out.warn(f"passports of `{tenant}` were issued with a key that no entry made an issuer's: {names}")


class KnownInForceCheck:
    """(9) Checks that each declared value used by a decision was known at its position."""

    kinds: ClassVar = frozenset(("decision",))

    def __init__(self, out: Collector, reader: LedgerReader) -> None:
        self._out = out
        self._changes: dict[tuple[str, str, str], list[tuple[int, bool]]] = defaultdict(list)
        self._doubts: list[tuple[str, str, str]] = []
        for tenant, _, _, idx, text in reader.rows(Stream.KNOWN_ENTRIES):
            if type(idx) is int and type(text) is bytes:
                self._add_changes(str(tenant), idx, text)
        for changes in self._changes.values():
            changes.sort()

    def _add_changes(self, tenant: str, idx: int, text: bytes) -> None:
        """Collect the values that an entry declares or withdraws; the pass over entries checks the same row."""
        try:
            body = orjson.loads(text)["body"]
            if body["op"] != "propose":
                for kind, digest in body["values"]:
                    self._changes[tenant, str(kind), str(digest)].append((idx, body["op"] == "add"))
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            return

    def add_entry(self, tenant: str, idx: int | None, fields: dict[str, Any]) -> None:
        """Process one entry; `idx` is its position in the log, None if it has none."""
        used = fields["body"].get("known")
        if not used or idx is None:
            return
        is_known = all(self._was_known((tenant, kind, digest), idx) for kind, digest in used)
        if not is_known and len(self._doubts) < MAX_FINDINGS:
            where = format_entry_name((tenant, str(fields["w"]), fields["ws"]))
            self._doubts.append((tenant, where, str(fields["id"])))

    def _was_known(self, key: tuple[str, str, str], idx: int) -> bool:
        changes = self._changes.get(key, [])
        at = bisect_right(changes, idx, key=lambda item: item[0])
        return at > 0 and changes[at - 1][1]

    def check(self, reader: LedgerReader) -> None:
        """Report the decisions found, now that missing entries are known."""
        del reader
        for tenant, where, entry in self._doubts:
            message = "it rests on a known value that was not known then"
            self._out.add_unexplained_by_log(tenant, where, message, "known_value_misused", entry=entry)
