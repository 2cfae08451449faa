"""Room: the stored session states against what entries say of them. Takes: entries, rows. Gives: findings. Never: I/O.

A session's row holds its counters, accounts and taint, its sketch rows what it has seen, a quota's row a day's sums.
Each entry commits to the state it found and to the one it left, and the state to the sketch by a chained digest; so
none of them can be washed, rolled back or cut unseen, neither after the last entry nor between two.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

import orjson

from halo_core import canonical
from halo_core.ledger.reader import LedgerReader
from halo_core.ledger.report import Collector

__all__ = ["States", "chain_marks", "commit_state"]

_DOMAIN = "halo/session/v1"


def commit_state(version: int, state: bytes, *, before: bytes) -> dict[str, Any]:
    """What an entry holds of a session's state: its version, which rises by one, its digest and the one before.

    Args:
        version: of the state the entry leaves behind.
        state: its bytes.
        before: bytes of the state the entry found, empty where there was none.
    """
    return {"before": _digest(before) if before else "", "digest": _digest(state), "version": version}


def _digest(state: bytes) -> str:
    return canonical.digest(_DOMAIN, state)


def chain_marks(before: str, chunk: bytes) -> str:
    """Digest over a sketch's chunks so far, 64 hex digits; `before` is empty for the first."""
    return hashlib.sha256(before.encode("ascii", "replace") + b"\0" + chunk).hexdigest()


@dataclass(slots=True)
class _Run:
    """Versions `first` to `last` of a session, each entry of which found what the one before it left."""

    first: int
    before: str
    last: int
    digest: str


class _History:
    """The versions of one session as runs. One writer streams one run; of several, runs join as they come in."""

    __slots__ = ("_firsts", "runs")

    def __init__(self) -> None:
        self.runs: list[_Run] = []
        self._firsts: list[int] = []

    def add(self, version: int, before: str, digest: str) -> list[tuple[int, str]]:
        """Take one entry's commitment; (version, what is wrong with it) of each break it brings to light."""
        at = bisect_right(self._firsts, version)
        left = self.runs[at - 1] if at else None
        if left is not None and version <= left.last:
            return [(version, f"two entries of the session left version {version} behind")]
        broken = []
        joins = left is not None and left.last == version - 1
        if (joins and left is not None and left.digest != before) or (version == 1 and before):
            broken.append((version, _break(version)))
        if joins and left is not None:
            left.last, left.digest = version, digest
            at -= 1
        else:
            self.runs.insert(at, _Run(version, before, version, digest))
            self._firsts.insert(at, version)
        return broken + self._join(at)

    def _join(self, at: int) -> list[tuple[int, str]]:
        run = self.runs[at]
        after = self.runs[at + 1] if at + 1 < len(self.runs) else None
        if after is None or after.first != run.last + 1:
            return []
        broken = [(after.first, _break(after.first))] if after.before != run.digest else []
        run.last, run.digest = after.last, after.digest
        del self.runs[at + 1], self._firsts[at + 1]
        return broken

    def holes(self) -> list[tuple[int, int]]:
        """First and last version of each stretch that no entry tells of."""
        ends = [0, *(run.last for run in self.runs[:-1])]
        return [(end + 1, run.first - 1) for end, run in zip(ends, self.runs, strict=True) if run.first > end + 1]


def _break(version: int) -> str:
    left = f"version {version - 1} was left" if version > 1 else "a session begins"
    return f"the state was changed between two entries: version {version} did not start from the state as {left}"


class States:
    """(9) Chains the commitments of each session, then compares the rows with the newest."""

    def __init__(self, out: Collector) -> None:
        self._out = out
        self._histories: dict[tuple[str, str, str], _History] = {}

    def note(self, tenant: str, plain: dict[str, Any]) -> None:
        """Take the commitments of one entry, if it carries any."""
        body = plain.get("body")
        if not isinstance(body, dict):
            return
        entry = str(plain.get("id", ""))
        self._note(tenant, "session", str(plain.get("session", "")), body.get("state"), entry)
        quota = body.get("quota")
        if isinstance(quota, dict):
            self._note(tenant, "quota", str(quota.get("account", "")), quota, entry)
        self._note(tenant, "residue", "", body.get("stored"), entry)

    def _note(self, tenant: str, kind: str, of: str, told: object, entry: str) -> None:
        if not isinstance(told, dict) or type(told.get("version")) is not int:
            return
        history = self._histories.setdefault((tenant, kind, of), _History())
        before, digest = str(told.get("before", "")), str(told.get("digest", ""))
        for version, what in history.add(told["version"], before, digest):
            self._out.tampered(9, f"{kind} {tenant}/{of} version {version}", what, "state_broken", entry)

    def check(self, reader: LedgerReader) -> None:
        """Compare every session and quota row, and every sketch row with its session."""
        self._complete()
        left = {name: history.runs[-1] for name, history in self._histories.items()}
        told: dict[tuple[str, str], tuple[int, str]] = {}
        for tenant, session, version, state in reader.states():
            if self._row(left, tenant, "session", session, (version, state)):
                plain = orjson.loads(state)
                told[tenant, session] = (plain["chunks"], plain["marks"])
        for tenant, account, version, state in reader.quotas():
            if (tenant, "quota", account) not in left and tenant not in self._out.incomplete:
                self._out.tampered(9, f"quota {tenant}/{account}", "no entry speaks of this row", "row_stray")
            self._row(left, tenant, "quota", account, (version, state))
        self._residues(reader, left)
        for tenant, kind, of in left:
            what = "the row is missing, though entries speak of its state"
            self._out.gap(9, f"{kind} {tenant}/{of}", what, f"{kind}_missing")
        self._sketches(reader, told)

    def _row(
        self, left: dict[tuple[str, str, str], _Run], tenant: str, kind: str, of: str, row: tuple[Any, Any]
    ) -> bool:
        """Whether a row is the state that its newest entry left behind; it is then known to have a row."""
        newest = left.pop((tenant, kind, of), None)
        if newest is None:
            return False
        version, state = row
        if type(state) is bytes and (version, _digest(state)) == (newest.last, newest.digest):
            self._out.passed[9] += 1
            return True
        if tenant not in self._out.incomplete:  # else the entry it speaks of may be among the missing
            what = f"it is not the state that the {kind}'s newest entry left behind"
            self._out.tampered(9, f"{kind} {tenant}/{of} columns version, state", what, "state_altered")
        return False

    def _residues(self, reader: LedgerReader, left: dict[tuple[str, str, str], _Run]) -> None:
        """What is left of stored values: each tenant's chunks, in order, under the digests that entries tell."""
        chains: dict[str, tuple[int, str]] = {}
        for tenant, seq, chain, prints in reader.residues():
            count, before = chains.get(tenant, (0, ""))
            sound = seq == count + 1 and type(prints) is bytes and chain_marks(before, prints) == chain
            chains[tenant] = (seq, chain) if sound else (-1, "")
        for tenant, (count, chain) in chains.items():
            newest = left.pop((tenant, "residue", ""), None)
            if newest is not None and (count, _digest(chain.encode("ascii", "replace"))) == (
                newest.last,
                newest.digest,
            ):
                self._out.passed[9] += 1
            elif tenant not in self._out.incomplete:
                what = "what is left of stored values is not what entries say was left"
                self._out.tampered(9, f"residue {tenant}", what, "residue_altered")

    def _complete(self) -> None:
        # A version that no entry tells of: the entry was cut where nothing else missed it, or the counter was moved.
        for (tenant, kind, of), history in self._histories.items():
            if tenant in self._out.incomplete:
                continue
            for first, last in history.holes():
                which = f"version {first}" if first == last else f"versions {first} to {last}"
                where = f"{kind} {tenant}/{of} {which}"
                self._out.gap(9, where, f"no entry of the {kind} left it behind", "entry_missing")

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
            if tenant not in self._out.incomplete and (tenant, "session", session) not in self._histories:
                self._out.tampered(9, f"sketch {tenant}/{session}", "it belongs to no session", "row_stray")
