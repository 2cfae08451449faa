"""Room: stops, revocations and approvals against the entries that speak of them. Takes: entries. Gives: findings.

(9) The `hold` rows are those that the log's stops, lifts and revocations leave in force, in the order of the log; each
`approval` row is where its request and its answer put it, and no approval was used twice. Such entries are few, so what
they say is kept in memory. Never: I/O.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from halo_core.binding import reauthorization_binding
from halo_core.ledger.reader import LedgerReader, Row
from halo_core.ledger.report import Collector

__all__ = ["Holds"]

_KINDS: Final = {"stop": "stop", "lift": "stop", "revocation": "revocation"}
_STATUS: Final = {
    "": ("pending", "expired"),
    "approve": ("approved", "used", "expired"),
    "deny": ("denied",),
}
"""Answer of the log → statuses its row may have."""

_Key = tuple[str, str, str, str]


@dataclass(slots=True)
class _Hold:
    """What the log says of one thing held: (position, since) of each change; since is None where it was lifted."""

    changes: list[tuple[int, int | None]] = field(default_factory=list)
    unplaced: bool = False


@dataclass(slots=True)
class _Challenge:
    """What the log says of one challenge."""

    asked: tuple[Any, ...] | None = None
    answered: tuple[Any, ...] | None = None
    answer: str = ""
    token: bytes = b""
    requests: set[str] = field(default_factory=set)
    begun: int = 0

    @property
    def used(self) -> int:
        """For how many requests, or epochs, the answer was used."""
        return len(self.requests) + self.begun


class Holds:
    """(9) Collects what entries say of holds and challenges, then compares the rows."""

    def __init__(self, out: Collector) -> None:
        self._out = out
        self._holds: dict[_Key, _Hold] = {}
        self._challenges: dict[tuple[str, str], _Challenge] = {}
        self._begun: set[tuple[str, str]] = set()

    def note(self, tenant: str, idx: int | None, plain: dict[str, Any]) -> None:
        """Take one entry; `idx` is its place in the log, None where it has none."""
        kind, body = plain.get("kind"), plain.get("body")
        if not isinstance(body, dict):
            return
        if kind == "decision":
            self._decision(tenant, body)
        elif kind == "passport":
            self._passport(tenant, plain.get("session"), body)
        elif kind in _KINDS:
            self._hold(tenant, idx, str(kind), body)
        elif kind == "approval_request" and "binding" in body:
            self._of(tenant, plain.get("id")).asked = _told(plain, body, "expires_us")
        elif kind == "approval":
            self._answer(tenant, plain, body)

    def _hold(self, tenant: str, idx: int | None, kind: str, body: dict[str, Any]) -> None:
        key = (tenant, _KINDS[kind], str(body.get("scope")), str(body.get("target")))
        hold = self._holds.setdefault(key, _Hold())
        hold.unplaced = hold.unplaced or idx is None
        since = body.get("since_us")
        hold.changes.append((idx if idx is not None else -1, since if kind != "lift" and type(since) is int else None))

    def _answer(self, tenant: str, plain: dict[str, Any], body: dict[str, Any]) -> None:
        request = str(body.get("request"))
        challenge = self._of(tenant, request)
        if challenge.answered is not None:
            what = "the log holds two answers to it"
            self._out.tampered(9, f"approval {tenant}/{request}", what, "answered_twice", str(plain.get("id", "")))
        challenge.answered = _told(plain, body)
        challenge.answer, challenge.token = str(body.get("answer")), _digest(body.get("token"))

    def _decision(self, tenant: str, body: dict[str, Any]) -> None:
        snapshot = body.get("snapshot")
        approval = snapshot.get("approval") if isinstance(snapshot, dict) else None
        if isinstance(approval, dict) and body.get("dispatched") is True and "approved" in _codes(body):
            # One request, however often it paused: how often it ran is held to its pauses elsewhere.
            request = body.get("request")
            told = self._of(tenant, approval.get("id"))
            told.requests.add(str(request.get("request_id")) if isinstance(request, dict) else "")

    def _passport(self, tenant: str, session: object, body: dict[str, Any]) -> None:
        agent, epoch = body.get("agent"), body.get("epoch")
        # A session's link of a later epoch rests on an answer: its request is bound to exactly that epoch.
        if body.get("kind") == "session" and isinstance(session, str) and isinstance(agent, str) and type(epoch) is int:
            self._begun.add((tenant, reauthorization_binding(tenant, session, agent, epoch)))

    def _of(self, tenant: str, request: object) -> _Challenge:
        return self._challenges.setdefault((tenant, str(request)), _Challenge())

    def check(self, reader: LedgerReader) -> None:
        """Compare both tables with what was noted."""
        self._check_holds(reader.holds())
        self._check_challenges(reader.approvals())

    # holds

    def _check_holds(self, rows: Iterator[Row]) -> None:
        left = dict(self._holds)
        for tenant, kind, scope, target, since_us in rows:
            hold = left.pop((tenant, kind, scope, target), None)
            where = f"hold {tenant}/{kind}/{scope}/{target}"
            since = _in_force(hold) if hold is not None else None
            if hold is None or (since is None and not hold.unplaced):
                self._stray(tenant, where, "no entry of the log leaves this in force")
            elif since is not None and since != since_us:
                self._out.tampered(
                    9, f"{where} column since_us", f"it is {since_us}, the log says {since}", "column_altered"
                )
            else:
                self._out.passed[9] += 1
        for (tenant, kind, scope, target), hold in left.items():
            if _in_force(hold) is None:
                self._out.passed[9] += 1
                continue
            where, what = f"hold {tenant}/{kind}/{scope}/{target}", "the log leaves it in force, and its row is missing"
            # A revocation is for good; the entry that lifted a stop may be among the missing.
            if kind == "revocation" or not (hold.unplaced or tenant in self._out.incomplete):
                self._out.tampered(9, where, what, "row_missing")
            else:
                self._out.gap(9, where, what, "entry_missing")

    def _stray(self, tenant: str, where: str, what: str) -> None:
        if tenant in self._out.incomplete:
            self._out.gap(9, where, f"{what}; it may be among the missing", "entry_missing")
        else:
            self._out.tampered(9, where, what, "row_stray")

    # challenges

    def _check_challenges(self, rows: Iterator[Row]) -> None:
        left = dict(self._challenges)
        for tenant, request, kind, session, binding, status, _asked_us, expires_us, answer in rows:
            where = f"approval {tenant}/{request}"
            told = left.pop((tenant, request), None)
            if told is None or told.asked is None:
                self._stray(tenant, where, "no entry of the log asks it")
                continue
            self._began(tenant, told, status)
            wrong = self._wrong(told, (kind, session, binding, expires_us), status, answer)
            if wrong:
                self._differs(tenant, f"{where} column {wrong[0]}", wrong[1])
            else:
                self._out.passed[9] += 1
        for (tenant, request), told in left.items():
            if told.asked is not None:
                what = "the log asks it, and its row is missing"
                self._out.tampered(9, f"approval {tenant}/{request}", what, "row_missing")
            else:
                self._stray(tenant, f"approval {tenant}/{request}", "the log answers or uses what nobody asked")

    def _began(self, tenant: str, told: _Challenge, status: object) -> None:
        """Count a re-authorization as used where the epoch that it asks for has begun."""
        kind, _, binding, _ = told.asked or ("", "", "", 0)
        begun = kind == "reauthorization" and (tenant, str(binding)) in self._begun
        # Another request for the same epoch may be the one that was used; this one ran out before.
        if begun and told.answer == "approve" and status != "expired":
            told.begun += 1

    def _wrong(self, told: _Challenge, row: tuple[Any, ...], status: Any, answer: Any) -> tuple[str, str] | None:
        """The column that is not what the log says, and why."""
        names = ("kind", "session", "binding", "expires_us")
        for name, says, holds in zip(names, told.asked or (), row, strict=True):
            if says != holds:
                return name, f"it is `{holds}`, the request says `{says}`"
        if told.answered is not None and told.asked is not None and told.answered != told.asked[:3]:
            return "id", "the answer is to another question"
        if _digest(answer) != told.token and not (answer == "" and told.answered is None):
            return "answer", "it is not the answer that the log holds"
        if told.used > 1:
            return "status", "the approval was used more than once"
        # INVARIANT: BIND - a row that was put back would let an approval be used, or a question be answered, again.
        allowed = ("used",) if told.used else _STATUS.get(told.answer, ())
        if status not in allowed:
            return "status", f"it is `{status}` where the log says `{'used' if told.used else told.answer or 'open'}`"
        return None

    def _differs(self, tenant: str, where: str, what: str) -> None:
        if where.endswith((" column status", " column answer")) and tenant in self._out.incomplete:
            self._out.gap(9, where, f"{what}; the entry may be among the missing", "entry_missing")
        else:
            self._out.tampered(9, where, what, "column_altered")


def _told(plain: dict[str, Any], body: dict[str, Any], *more: str) -> tuple[Any, ...]:
    return (body.get("kind"), plain.get("session"), body.get("binding"), *(body.get(name) for name in more))


def _in_force(hold: _Hold) -> int | None:
    """Since when, after the last change in log order; None where it was lifted."""
    since: int | None = None
    for _, change in sorted(hold.changes, key=lambda item: item[0]):
        # Stopping what is stopped changes nothing.
        since = None if change is None else (since if since is not None else change)
    return since


def _digest(token: object) -> bytes:
    text = token if isinstance(token, str) else repr(token)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _codes(body: dict[str, Any]) -> list[Any]:
    decision = body.get("decision")
    reasons = decision.get("reasons") if isinstance(decision, dict) else None
    return [item.get("code") for item in reasons if isinstance(item, dict)] if isinstance(reasons, list) else []
