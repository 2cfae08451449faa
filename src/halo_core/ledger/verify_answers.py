"""Checks of remembered answers, known values and held acts (check 9).

Each row has to be what the signed entries say: granted or revoked, declared or withdrawn, held, released, expired or
dropped. A decision that uses a remembered answer has to be after its grant, before its revocation, within its time, and
not more often than the answer allows. A held act is released by one decision at most.
"""

from __future__ import annotations

import base64
import binascii
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, ClassVar

from halo_core.decision.answers import OVERRIDE_DENY
from halo_core.durations import SECOND_US
from halo_core.ledger.answer_changes import ends_answer, gives_answer
from halo_core.ledger.commitments import digest_answer
from halo_core.ledger.control_history import DENIAL_SCOPE
from halo_core.ledger.reader import LedgerReader, Stream
from halo_core.ledger.report import Collector
from halo_core.ledger.verify_restrictions import list_erased_people
from halo_core.model import ANSWERED_CODES


@dataclass(slots=True)
class _Answer:
    """The log's statements about one remembered answer.

    Args:
        terms: kind, scope and digest of the token; None if no entry grants the answer.
        granted_idx: position of the grant; -1 where it has none.
        grants: how many entries give the answer: one, since each has an id of its own.
        revoked_idx: position of the first entry that ended it, -1 where that has none; None while it is in force.
        expires_us: end of its validity, microseconds since the epoch.
        max_uses: how many decisions may rest on it.
        approver: reference of the name of whoever gave it.
        uses: (position, time in microseconds since the epoch, id) of each decision that rests on it.
        is_ended_early: an entry revokes or withdraws it.
        is_lifted: a lift ends it.
    """

    terms: tuple[Any, ...] | None = None
    granted_idx: int = -1
    grants: int = 0
    revoked_idx: int | None = None
    expires_us: int = 0
    max_uses: int = 0
    approver: object = None
    uses: list[tuple[int, int, str]] = field(default_factory=list)
    is_ended_early: bool = False
    is_lifted: bool = False

    def end(self, place: int) -> None:
        """Note an entry that ends it."""
        self.revoked_idx = place if self.revoked_idx is None else min(self.revoked_idx, place)


class StandingAnswerCheck:
    """(9) Collects entries about remembered answers and the decisions that use them, then compares the rows."""

    kinds: ClassVar = frozenset(("decision", "erasure", "lift", "override", "reversal", "standing_answer"))

    def __init__(self, out: Collector) -> None:
        self._out = out
        self._answers: dict[tuple[str, str], _Answer] = defaultdict(_Answer)
        self._erased: set[tuple[str, object]] = set()

    def add_entry(self, tenant: str, idx: int | None, fields: dict[str, Any]) -> None:
        """Process one entry; `idx` is its position in the log, None if it has none."""
        body, place = fields["body"], -1 if idx is None else idx
        if fields.get("kind") == "erasure":
            self._erased.update((tenant, name) for name in list_erased_people(body))
        elif fields.get("kind") == "lift":
            if body.get("scope") == DENIAL_SCOPE:  # whether it is signed is checked with the control acts
                answer = self._answers[tenant, str(body.get("target"))]
                answer.end(place)
                answer.is_lifted = True
        elif fields.get("kind") != "decision":
            if "answer" in body:  # not in the result of a reversal, which a person reported
                self._add_change(self._answers[tenant, str(body["answer"])], place, body)
        elif body.get("dispatched") is True:
            self._add_uses(tenant, place, fields)

    @staticmethod
    def _add_change(answer: _Answer, place: int, body: dict[str, Any]) -> None:
        """Record how an entry changes an answer: grants, revokes or reviews it."""
        if ends_answer(body):
            answer.end(place)
            answer.is_ended_early |= body.get("op") == "revoke" or body.get("verdict") == "withdrawn"
        if not gives_answer(body):
            return
        answer.grants += 1
        if answer.grants > 1 and (place < 0 or 0 <= answer.granted_idx < place):
            return  # entries come by writer: the first in the log is the one that gave it
        answer.terms = (body.get("kind"), body.get("scope"), body.get("token"))
        answer.approver = body.get("actor")
        answer.granted_idx = place
        expires_s, max_uses = body.get("expires_s"), body.get("max_uses")
        answer.expires_us = expires_s * SECOND_US if type(expires_s) is int else 0
        answer.max_uses = max_uses if type(max_uses) is int else 0

    def _add_uses(self, tenant: str, place: int, fields: dict[str, Any]) -> None:
        decision = fields["body"].get("decision")
        reasons = decision.get("reasons") if isinstance(decision, dict) else None
        for reason in reasons if isinstance(reasons, list) else ():
            if isinstance(reason, dict) and reason.get("code") in ANSWERED_CODES:
                use = (place, fields.get("ts_us", 0), str(fields.get("id", "")))
                self._answers[tenant, str(reason.get("detail"))].uses.append(use)

    def check(self, reader: LedgerReader) -> None:
        """Compare every row, and every use."""
        remaining = dict(self._answers)
        for tenant, name, kind, scope, status, token in reader.rows(Stream.STANDING_ANSWERS):
            answer = remaining.pop((tenant, name), None)
            where = f"standing_answer {tenant}/{name}"
            if answer is None or answer.terms is None:
                self._out.add_unexplained(9, tenant, where, "no entry grants this answer", "row_stray")
                continue
            expected = "active" if answer.revoked_idx is None else "revoked"
            is_emptied = token == "" and status == "revoked" and (tenant, answer.approver) in self._erased
            digest = answer.terms[2] if is_emptied else digest_answer(str(token))
            if (kind, scope, digest) != answer.terms:
                message = "it differs from the answer in the log"
                self._out.add_tampered(9, f"{where} columns kind, scope, token", message, "column_altered")
            # INVARIANT: an older row would let a revoked answer serve again.
            elif status != expected:
                message = f"it is `{status}` where the log says `{expected}`"
                self._out.add_tampered(9, f"{where} column status", message, "column_altered")
            else:
                self._out.passed[9] += 1
        for (tenant, name), answer in remaining.items():
            where = f"standing_answer {tenant}/{name}"
            if answer.terms is not None:
                self._out.add_tampered(9, where, "the log grants this answer, but its row is missing", "row_missing")
            else:
                self._out.add_unexplained(9, tenant, where, "the log uses an answer that nobody gave", "row_stray")
        for (tenant, name), answer in self._answers.items():
            self._check_uses(tenant, name, answer)

    def _check_uses(self, tenant: str, name: str, answer: _Answer) -> None:
        where = f"standing_answer {tenant}/{name}"
        forbids = answer.terms is not None and answer.terms[0] == OVERRIDE_DENY
        if forbids and answer.is_ended_early and not answer.is_lifted:
            self._out.add_tampered(9, where, "an entry ends what a person forbade, without a lift", "not_lifted")
        for place, ts_us, entry in answer.uses:
            is_early = answer.terms is not None and 0 <= place < answer.granted_idx
            is_revoked = answer.revoked_idx is not None and place > answer.revoked_idx >= 0
            is_late = answer.terms is not None and ts_us >= answer.expires_us
            if is_early or is_revoked or is_late:
                word = "before it was granted" if is_early else "after it was revoked" if is_revoked else "too late"
                self._out.add_tampered(9, where, f"a decision used it {word}", "answer_misused", entry)
        if answer.grants > 1:
            self._out.add_tampered(9, where, f"{answer.grants} entries give it", "answer_misused")
        if answer.terms is not None and len(answer.uses) > answer.max_uses:
            message = f"it was used {len(answer.uses)} times, and allows {answer.max_uses}"
            self._out.add_tampered(9, where, message, "answer_misused")


class KnownValueCheck:
    """(9) Collects which values the log declares as known, then compares the rows."""

    kinds: ClassVar = frozenset(("known",))

    def __init__(self, out: Collector) -> None:
        self._out = out
        self._changes: dict[tuple[str, str, str], tuple[int, bool]] = {}

    def add_entry(self, tenant: str, idx: int | None, fields: dict[str, Any]) -> None:
        """Process one entry; `idx` is its position in the log, None if it has none."""
        body, place = fields["body"], -1 if idx is None else idx
        if body.get("op") == "propose":
            return  # what an MCP server lists and nobody has accepted yet
        values = body.get("values")
        for item in values if isinstance(values, list) else ():
            if not (isinstance(item, list) and len(item) == 2):
                continue
            key, change = (tenant, str(item[0]), str(item[1])), (place, body.get("op") == "add")
            self._changes[key] = max(self._changes.get(key, change), change)

    def check(self, reader: LedgerReader) -> None:
        """Compare every row."""
        known = {key for key, (_, is_known) in self._changes.items() if is_known}
        for tenant, kind, digest in reader.rows(Stream.KNOWN_VALUES):
            where = f"known_value {tenant}/{kind}/{digest}"
            if (tenant, kind, digest) in known:
                known.discard((tenant, kind, digest))
                self._out.passed[9] += 1
            else:
                self._out.add_unexplained(9, tenant, where, "no entry of the log declares it", "row_stray")
        for tenant, kind, digest in known:
            where = f"known_value {tenant}/{kind}/{digest}"
            self._out.add_tampered(9, where, "the log declares it, but its row is missing", "row_missing")


class OutboxCheck:
    """(9) Collects the outcome of each held act, then compares the rows."""

    kinds: ClassVar = frozenset(("decision", "held"))

    def __init__(self, out: Collector) -> None:
        self._out = out
        self._terms: dict[tuple[str, str], tuple[Any, ...]] = {}
        self._ends: dict[tuple[str, str], list[str]] = defaultdict(list)

    def add_entry(self, tenant: str, _idx: int | None, fields: dict[str, Any]) -> None:
        """Process one entry."""
        body = fields["body"]
        if fields.get("kind") == "decision":
            if type(body.get("released")) is str:
                self._ends[tenant, body["released"]].append("released")
        elif body.get("op") == "hold":
            names = ("agent", "resource", "question", "held_us", "expires_us")
            terms = (fields.get("session"), *(body.get(name) for name in names), _decode(body.get("marks")))
            self._terms[tenant, str(fields.get("id"))] = terms
        else:
            self._ends[tenant, str(body.get("held"))].append(str(body.get("op")))

    def check(self, reader: LedgerReader) -> None:
        """Compare every row."""
        remaining = dict(self._terms)
        for tenant, name, session, agent, resource, question, status, held_us, expires_us, marks in reader.rows(
            Stream.OUTBOX
        ):
            where = f"outbox {tenant}/{name}"
            terms = remaining.pop((tenant, name), None)
            ends = self._ends[tenant, name]
            expected = ends[0] if ends else "held"
            if terms is None:
                self._out.add_unexplained(9, tenant, where, "no entry of the log holds this act", "row_stray")
            elif terms != (session, agent, resource, question, held_us, expires_us, marks):
                message = "it differs from the entry that holds the act"
                self._out.add_tampered(9, where, message, "column_altered")
            # INVARIANT: HELD - an older row would let a released act run again.
            elif status != expected:
                message = f"it is `{status}` where the log says `{expected}`"
                self._out.add_tampered(9, f"{where} column status", message, "column_altered")
            else:
                self._out.passed[9] += 1
        for tenant, name in remaining:
            message = "the log holds this act, but its row is missing"
            self._out.add_tampered(9, f"outbox {tenant}/{name}", message, "row_missing")
        for (tenant, name), ends in self._ends.items():
            if len(ends) > 1:
                message = f"the log ends this act {len(ends)} times: {', '.join(ends)}"
                self._out.add_tampered(9, f"outbox {tenant}/{name}", message, "released_twice")


def _decode(text: object) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True) if type(text) is str else None
    except (binascii.Error, ValueError):
        return None
