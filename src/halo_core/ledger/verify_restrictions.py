"""Checks of the rows that control decisions: standing passports, scores, restrictions and approvals (check 9).

The `standing` row of an agent names the standing passport that the log issued last, and the `baseline` row the score
that it put in force last. An older passport may grant more, so a row that was put back is tampering. The `hold` rows
are those that the log's stops, lifts and revocations leave in force. Each `approval` row has the status that follows
from its request and its answer, and no approval was used twice. There are few such entries, so they are kept in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from halo_core.decision.bindings import make_reauthorization_binding
from halo_core.ledger.commitments import digest_answer
from halo_core.ledger.reader import LedgerReader, Row, Stream
from halo_core.ledger.report import Collector


class StandingCheck:
    """(9) Collects the newest standing passport of each agent, then compares the rows."""

    kinds: ClassVar = frozenset(("passport",))

    def __init__(self, out: Collector) -> None:
        self._out = out
        self._newest: dict[tuple[str, str], tuple[int, str, str, str]] = {}
        self._issued: dict[tuple[str, str], int] = {}

    def add_entry(self, tenant: str, idx: int | None, fields: dict[str, Any]) -> None:
        """Process one entry; `idx` is its position in the log, None if it has none."""
        body = fields["body"]
        if fields.get("kind") != "passport" or body.get("kind") != "standing":
            return
        key, place = (tenant, str(body.get("agent"))), -1 if idx is None else idx
        issued = (place, str(body.get("hash")), str(body.get("origin")), str(body.get("manifest", "")))
        self._newest[key] = max(self._newest.get(key, issued), issued, key=lambda item: item[0])
        if issued[2] == "issued":
            self._issued[key] = min(self._issued.get(key, place), place)

    def check(self, reader: LedgerReader) -> None:
        """Compare every row."""
        for (tenant, agent), first in self._issued.items():
            place, _, origin, _ = self._newest[tenant, agent]
            if origin != "issued" and place > first:
                message = "an agent with an issued passport has one that was derived from its guarded tools"
                self._out.add_tampered(9, f"standing {tenant}/{agent}", message, "derived_after_issued")
        newest = {key: issued[1:] for key, issued in self._newest.items()}
        _compare_newest(self._out, reader.rows(Stream.STANDING_PASSPORTS), newest, "standing", "hash, origin, manifest")


class BaselineCheck:
    """(9) Collects the score that the log last put in force for each agent, then compares the rows."""

    kinds: ClassVar = frozenset(("baseline",))

    def __init__(self, out: Collector) -> None:
        self._out = out
        self._newest: dict[tuple[str, str], tuple[int, str]] = {}

    def add_entry(self, tenant: str, idx: int | None, fields: dict[str, Any]) -> None:
        """Process one entry; `idx` is its position in the log, None if it has none."""
        body = fields["body"]
        if fields.get("kind") == "baseline" and body.get("part") is False:
            key, in_force = (tenant, str(body.get("agent"))), (-1 if idx is None else idx, str(body.get("hash", "")))
            self._newest[key] = max(self._newest.get(key, in_force), in_force)

    def check(self, reader: LedgerReader) -> None:
        """Compare every row."""
        newest = {key: (name,) for key, (_, name) in self._newest.items() if name}
        _compare_newest(self._out, reader.rows(Stream.BASELINES), newest, "baseline", "hash")


def _compare_newest(
    out: Collector, rows: Iterator[Row], newest: Mapping[tuple[str, str], Row], table: str, columns: str
) -> None:
    """Compare each agent's row with what the log last put in force."""
    noun = {"standing": "passport", "baseline": "baseline"}[table]
    remaining = dict(newest)
    for tenant, agent, *row in rows:
        where = f"{table} {tenant}/{agent}"
        if remaining.pop((tenant, agent), None) == tuple(row):
            out.passed[9] += 1
        else:
            names = f" columns {columns}" if "," in columns else f" column {columns}"
            message = f"it is not the {noun} that was put in force last"
            out.add_unexplained(9, tenant, where, message, f"{table}_altered", columns=names)
    for tenant, agent in remaining:
        message = f"a {noun} was put in force, but its row is missing"
        out.add_tampered(9, f"{table} {tenant}/{agent}", message, "row_missing")


_RESTRICTION_KINDS: Final = {"stop": "stop", "lift": "stop", "revocation": "revocation"}
_ALLOWED_STATUSES: Final = {
    "": ("pending", "expired"),
    "approve": ("approved", "used", "expired"),
    "deny": ("denied",),
}
"""Answer in the log → statuses that its row may have."""

_RestrictionKey = tuple[str, str, str, str]


@dataclass(slots=True)
class _RestrictionHistory:
    """The log's statements about one stop or revocation: (position, since); since is None for a lift."""

    changes: list[tuple[int, int | None]] = field(default_factory=list)
    unplaced: bool = False


@dataclass(slots=True)
class _Challenge:
    """The log's statements about one challenge."""

    request_terms: tuple[Any, ...] | None = None
    answer_terms: tuple[Any, ...] | None = None
    answer: str = ""
    approver: tuple[str, str] = ("", "")
    token: str = ""
    args_digest: object = None
    requests: set[tuple[str, str]] = field(default_factory=set)
    uses: list[tuple[Any, ...]] = field(default_factory=list)
    epochs_begun: int = 0

    @property
    def times_used(self) -> int:
        """How many requests, or epochs, used the answer."""
        return len(self.requests) + self.epochs_begun


def list_erased_people(body: dict[str, Any]) -> list[object]:
    """The references that an entry of an erasure names."""
    names = body.get("names")
    return [body.get("subject"), *(names if isinstance(names, list) else ())]


class RestrictionCheck:
    """(9) Collects entries about restrictions and challenges, then compares the rows."""

    kinds: ClassVar = frozenset(
        ("decision", "passport", *_RESTRICTION_KINDS, "approval_request", "approval", "erasure")
    )

    def __init__(self, out: Collector) -> None:
        self._out = out
        self._restrictions: dict[_RestrictionKey, _RestrictionHistory] = {}
        self._challenges: dict[tuple[str, str], _Challenge] = {}
        self._begun_epochs: set[tuple[str, str]] = set()
        self._erased: set[tuple[str, str]] = set()

    def add_entry(self, tenant: str, idx: int | None, fields: dict[str, Any]) -> None:
        """Process one entry; `idx` is its position in the log, None if it has none."""
        kind, body = fields.get("kind"), fields["body"]
        if kind == "decision":
            self._add_decision(tenant, fields)
        elif kind == "passport":
            self._add_passport(tenant, fields.get("session"), body)
        elif kind in _RESTRICTION_KINDS:
            self._add_restriction(tenant, idx, str(kind), body)
        elif kind == "approval_request" and "binding" in body:
            challenge = self._get_challenge(tenant, fields.get("id"))
            challenge.request_terms = _extract_terms(fields, body, "expires_us")
            challenge.args_digest = body.get("args_digest")
        elif kind == "approval":
            self._add_answer(tenant, fields, body)
        elif kind == "erasure":
            self._erased.update((tenant, str(name)) for name in list_erased_people(body))

    def _add_restriction(self, tenant: str, idx: int | None, kind: str, body: dict[str, Any]) -> None:
        key = (tenant, _RESTRICTION_KINDS[kind], str(body.get("scope")), str(body.get("target")))
        history = self._restrictions.setdefault(key, _RestrictionHistory())
        history.unplaced = history.unplaced or idx is None
        since = body.get("since_us")
        history.changes.append(
            (idx if idx is not None else -1, since if kind != "lift" and type(since) is int else None)
        )

    def _add_answer(self, tenant: str, fields: dict[str, Any], body: dict[str, Any]) -> None:
        request = str(body.get("request"))
        challenge = self._get_challenge(tenant, request)
        if challenge.answer_terms is not None:
            message = "the log has two answers to it"
            self._out.add_tampered(
                9, f"approval {tenant}/{request}", message, "answered_twice", str(fields.get("id", ""))
            )
        challenge.answer_terms = _extract_terms(fields, body)
        challenge.answer, challenge.token = str(body.get("answer")), str(body.get("token"))
        challenge.approver = tenant, str(body.get("actor"))

    def _add_decision(self, tenant: str, fields: dict[str, Any]) -> None:
        body, session = fields["body"], str(fields.get("session"))
        snapshot = body.get("snapshot")
        approval = snapshot.get("approval") if isinstance(snapshot, dict) else None
        if isinstance(approval, dict) and body.get("dispatched") is True and "approved" in _reason_codes(body):
            # A request counts once, however often it paused; `ProjectionCheck` counts its runs.
            request = body.get("request")
            challenge = self._get_challenge(tenant, approval.get("id"))
            request = request if isinstance(request, dict) else {}
            challenge.requests.add((session, str(request.get("request_id"))))
            use = (session, approval.get("session", ""), approval.get("binding"), request.get("args_digest"))
            challenge.uses.append((str(fields.get("id", "")), *use))

    def _add_passport(self, tenant: str, session: object, body: dict[str, Any]) -> None:
        agent, epoch = body.get("agent"), body.get("epoch")
        # A session link of a later epoch needs an answer, whose request is bound to exactly that epoch.
        if body.get("kind") == "session" and isinstance(session, str) and isinstance(agent, str) and type(epoch) is int:
            self._begun_epochs.add((tenant, make_reauthorization_binding(tenant, session, agent, epoch)))

    def _get_challenge(self, tenant: str, request: object) -> _Challenge:
        return self._challenges.setdefault((tenant, str(request)), _Challenge())

    def check(self, reader: LedgerReader) -> None:
        """Compare every row of both tables."""
        self._check_restrictions(reader.rows(Stream.RESTRICTIONS))
        self._check_challenges(reader.rows(Stream.APPROVALS))

    def _check_restrictions(self, rows: Iterator[Row]) -> None:
        remaining = dict(self._restrictions)
        for tenant, kind, scope, target, since_us in rows:
            history = remaining.pop((tenant, kind, scope, target), None)
            where = f"hold {tenant}/{kind}/{scope}/{target}"
            since = _in_force_since(history) if history is not None else None
            if history is None or (since is None and not history.unplaced):
                self._out.add_unexplained(9, tenant, where, "no entry of the log puts this in force", "row_stray")
            elif since is not None and since != since_us:
                self._out.add_tampered(
                    9, f"{where} column since_us", f"it is {since_us}, the log says {since}", "column_altered"
                )
            else:
                self._out.passed[9] += 1
        for (tenant, kind, scope, target), history in remaining.items():
            if _in_force_since(history) is None:
                self._out.passed[9] += 1
                continue
            where = f"hold {tenant}/{kind}/{scope}/{target}"
            message = "the log puts it in force, but its row is missing"
            # A revocation is permanent; the entry that lifted a stop may be one of the missing entries.
            if kind == "revocation" or not (history.unplaced or tenant in self._out.incomplete):
                self._out.add_tampered(9, where, message, "row_missing")
            else:
                self._out.add_gap(9, where, message, "entry_missing")

    def _check_challenges(self, rows: Iterator[Row]) -> None:
        remaining = dict(self._challenges)
        all_rows = list(rows)
        used_bindings = {(row[0], row[4]) for row in all_rows if row[5] == "used"}
        for tenant, request, kind, session, binding, status, _asked_us, expires_us, answer in all_rows:
            where = f"approval {tenant}/{request}"
            challenge = remaining.pop((tenant, request), None)
            if challenge is None or challenge.request_terms is None:
                self._out.add_unexplained(9, tenant, where, "the log has no such request", "row_stray")
                continue
            if status == "used" or (tenant, binding) not in used_bindings:
                self._count_begun_epoch(tenant, challenge, status)
            self._check_uses(where, challenge)
            difference = self._find_difference(challenge, (kind, session, binding, expires_us), status, answer)
            if difference:
                self._report_difference(tenant, f"{where} column {difference[0]}", difference[1])
            else:
                self._out.passed[9] += 1
        for (tenant, request), challenge in remaining.items():
            if challenge.request_terms is not None:
                message = "the log has this request, but its row is missing"
                self._out.add_tampered(9, f"approval {tenant}/{request}", message, "row_missing")
            else:
                message = "the log has an answer or a use without a request"
                self._out.add_unexplained(9, tenant, f"approval {tenant}/{request}", message, "row_stray")

    def _check_uses(self, where: str, challenge: _Challenge) -> None:
        """Report decisions that used an answer for another call, or in another session."""
        _, asked_in, binding, _ = challenge.request_terms or ("", "", "", 0)
        for entry, session, named, used_binding, args_digest in challenge.uses:
            # The decision names the session that asked, unless that was its own.
            is_elsewhere = named not in ("", session)
            if (named if is_elsewhere else session) != asked_in or (named and not is_elsewhere):
                message = "a decision used it in a session that it was not given for"
            elif used_binding != binding or args_digest != challenge.args_digest:
                message = "a decision used it for another call"
            else:
                continue
            self._out.add_tampered(9, where, message, "answer_misused", entry)

    def _count_begun_epoch(self, tenant: str, challenge: _Challenge, status: object) -> None:
        """Count a re-authorization as used if the requested epoch has begun.

        An answer that expired before it was used stays `approved`, and a second request for the same epoch may be the
        used one. A begun epoch is therefore counted for the used request of a binding, and for each if none is used.
        """
        kind, _, binding, _ = challenge.request_terms or ("", "", "", 0)
        has_begun = kind == "reauthorization" and (tenant, str(binding)) in self._begun_epochs
        if has_begun and challenge.answer == "approve" and status != "expired":
            challenge.epochs_begun += 1

    def _find_difference(
        self, challenge: _Challenge, row: tuple[Any, ...], status: Any, answer: Any
    ) -> tuple[str, str] | None:
        """The column that differs from the log, and why."""
        names = ("kind", "session", "binding", "expires_us")
        for name, expected, actual in zip(names, challenge.request_terms or (), row, strict=True):
            if expected != actual:
                return name, f"it is `{actual}`, but the request has `{expected}`"
        if (
            challenge.answer_terms is not None
            and challenge.request_terms is not None
            and challenge.answer_terms != challenge.request_terms[:3]
        ):
            return "id", "the answer belongs to another request"
        is_emptied = answer == "" and (challenge.answer_terms is None or challenge.approver in self._erased)
        if _digest_answer(answer) != challenge.token and not is_emptied:
            return "answer", "it differs from the answer in the log"
        if challenge.times_used > 1:
            return "status", "the approval was used more than once"
        # INVARIANT: BIND - an older row would let an approval be used, or a challenge be answered, again.
        allowed = ("used",) if challenge.times_used else _ALLOWED_STATUSES.get(challenge.answer, ())
        if status in allowed:
            return None
        expected = "used" if challenge.times_used else challenge.answer or "open"
        return "status", f"it is `{status}` where the log says `{expected}`"

    def _report_difference(self, tenant: str, where: str, message: str) -> None:
        if where.endswith((" column status", " column answer")):
            self._out.add_unexplained(9, tenant, where, message, "column_altered")
        else:
            self._out.add_tampered(9, where, message, "column_altered")


def _extract_terms(fields: dict[str, Any], body: dict[str, Any], *more: str) -> tuple[Any, ...]:
    return (body.get("kind"), fields.get("session"), body.get("binding"), *(body.get(name) for name in more))


def _in_force_since(history: _RestrictionHistory) -> int | None:
    """The start time after the last change in log order; None if it was lifted."""
    since: int | None = None
    for _, change in sorted(history.changes, key=lambda item: item[0]):
        # A second stop changes nothing.
        since = None if change is None else (since if since is not None else change)
    return since


def _digest_answer(token: object) -> str:
    return digest_answer(token if isinstance(token, str) else repr(token))


def _reason_codes(body: dict[str, Any]) -> list[Any]:
    decision = body.get("decision")
    reasons = decision.get("reasons") if isinstance(decision, dict) else None
    return [item.get("code") for item in reasons if isinstance(item, dict)] if isinstance(reasons, list) else []
