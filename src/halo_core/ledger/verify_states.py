"""Room: the stored session states against what entries say of them. Takes: entries, rows. Gives: findings. Never: I/O.

A session's row holds its counters and taint, its sketch rows what it has seen. The newest entry of the session commits
to the one, and the state to the other by a chained digest; so neither can be washed, rolled back or cut unseen.
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from halo_core import canonical
from halo_core.ledger.reader import LedgerReader
from halo_core.ledger.report import Collector

__all__ = ["States", "chain_marks", "commit_state"]

_DOMAIN = "halo/session/v1"


def commit_state(version: int, state: bytes) -> dict[str, Any]:
    """What an entry holds of a session's state: its version, which only rises, and its digest."""
    return {"digest": canonical.digest(_DOMAIN, state), "version": version}


def chain_marks(before: str, chunk: bytes) -> str:
    """Digest over a sketch's chunks so far, 64 hex digits; `before` is empty for the first."""
    return hashlib.sha256(before.encode("ascii", "replace") + b"\0" + chunk).hexdigest()


class States:
    """(9) Remembers the newest commitment of each session, then compares the rows with them."""

    def __init__(self, out: Collector) -> None:
        self._out = out
        self._newest: dict[tuple[str, str], tuple[int, str]] = {}

    def note(self, tenant: str, plain: dict[str, Any]) -> None:
        """Take the commitment of one entry, if it carries one."""
        body = plain.get("body")
        told = body.get("state") if isinstance(body, dict) else None
        if not isinstance(told, dict) or type(told.get("version")) is not int:
            return
        name = (tenant, str(plain.get("session", "")))
        if told["version"] > self._newest.get(name, (-1, ""))[0]:
            self._newest[name] = (told["version"], str(told.get("digest", "")))

    def check(self, reader: LedgerReader) -> None:
        """Compare every session row, and every sketch row with its session."""
        left = dict(self._newest)
        told: dict[tuple[str, str], tuple[int, str]] = {}
        for tenant, session, version, state in reader.states():
            where = f"session {tenant}/{session}"
            newest = left.pop((tenant, session), None)
            if newest is None:
                continue
            if type(state) is not bytes or commit_state(version, state) != {"digest": newest[1], "version": newest[0]}:
                if tenant in self._out.incomplete:
                    continue  # the entry it speaks of may be among the missing
                what = "it is not the state that the session's newest entry left behind"
                self._out.tampered(9, f"{where} columns version, state", what, "state_altered")
                continue
            self._out.passed[9] += 1
            plain = orjson.loads(state)
            told[tenant, session] = (plain["chunks"], plain["marks"])
        for tenant, session in left:
            what = "the row is missing, though entries speak of its state"
            self._out.gap(9, f"session {tenant}/{session}", what, "session_missing")
        self._sketches(reader, told)

    def _sketches(self, reader: LedgerReader, told: dict[tuple[str, str], tuple[int, str]]) -> None:
        chains: dict[tuple[str, str], tuple[int, str]] = {}
        for tenant, session, seq, marks in reader.sketches():
            count, chain = chains.get((tenant, session), (0, ""))
            if seq != count or type(marks) is not bytes:
                count = -1  # never equal to what the state says
            else:
                count, chain = count + 1, chain_marks(chain, marks)
            chains[tenant, session] = (count, chain)
        for name, (count, chain) in told.items():
            if chains.pop(name, (0, "")) != (count, chain):
                what = "what the session has seen is not what its state says"
                self._out.tampered(9, f"sketch {name[0]}/{name[1]}", what, "sketch_altered")
        for tenant, session in chains:
            if tenant not in self._out.incomplete and (tenant, session) not in self._newest:
                self._out.tampered(9, f"sketch {tenant}/{session}", "it belongs to no session", "row_stray")
