"""Typed access to the tables of challenges, remembered answers and held acts, like `store.rows` for other tables.

INVARIANT: TENANT - every statement here names the transaction's tenant, and none takes one from its caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import astuple
from typing import Final

from halo_core.durations import DAY_S
from halo_core.errors import PassportError
from halo_core.passports.standing_answer import peek_standing_answer
from halo_core.store.cached_rows import AnswerRow, HeldRow
from halo_core.store.read_rows import ApprovalRow
from halo_core.store.row_access import Table

MAX_ANSWERS: Final = 8
"""Answers of one scope that a decision looks at, newest first."""
MAX_HELD: Final = 1000
"""Acts of a tenant that may be held at one time."""
MAX_HELD_PER_SESSION: Final = 20
_MAX_MEMORY: Final = 10_000
_SHORT_KINDS: Final = frozenset({"break_glass", "override_allow", "override_deny", "reversal"})
_NO_END: Final = 2**63 - 1


class StandingAnswerTable(Table):
    """Remembered answers."""

    def find_active(self, scope: str) -> tuple[AnswerRow, ...]:
        """The newest active answers of a scope, by id."""
        image = self._tx.image
        if image.has_answers is None:
            rows = self._tx.cursor.execute(
                "SELECT DISTINCT kind FROM standing_answer WHERE tenant=? AND status='active'", (self._tx.tenant,)
            ).fetchall()
            image.answer_kinds = {kind: self._find_end_us(kind) for (kind,) in rows}
            image.has_answers = bool(rows)
        if not image.has_answers:
            return ()
        if scope not in image.answers:
            if len(image.answers) >= _MAX_MEMORY:
                image.answers.clear()
            rows = self._tx.cursor.execute(
                "SELECT id, kind, scope, status, token FROM standing_answer"
                " WHERE tenant=? AND scope=? AND status='active' ORDER BY id DESC LIMIT ?",
                (self._tx.tenant, scope, MAX_ANSWERS),
            ).fetchall()
            image.answers[scope] = tuple(AnswerRow(*row) for row in rows)
        return image.answers[scope]

    def list_kinds(self, at_us: int) -> frozenset[str]:
        """The kinds of the tenant's active answers at a time, microseconds since the epoch.

        Of acts that last for hours, none whose last one is over: no decision looks for those any more.
        """
        self.find_active("")
        return frozenset(kind for kind, end_us in self._tx.image.answer_kinds.items() if at_us < end_us)

    def _find_end_us(self, kind: str) -> int:
        """When the last active answer of a kind ends, according to the tokens."""
        if kind not in _SHORT_KINDS:
            return _NO_END
        ends = [0]
        for row in self.list_active(kind):
            with suppress(PassportError):
                ends.append(peek_standing_answer(row.token).expires_at_s * 1_000_000)
        return max(ends)

    def list_active(self, kind: str) -> tuple[AnswerRow, ...]:
        """The active answers of a kind, by id."""
        rows = self._tx.cursor.execute(
            "SELECT id, kind, scope, status, token FROM standing_answer"
            " WHERE tenant=? AND kind=? AND status='active' ORDER BY id",
            (self._tx.tenant, kind),
        ).fetchall()
        return tuple(AnswerRow(*row) for row in rows)

    def get(self, answer: str) -> AnswerRow | None:
        """The answer with this id."""
        row = self._tx.cursor.execute(
            "SELECT id, kind, scope, status, token FROM standing_answer WHERE tenant=? AND id=?",
            (self._tx.tenant, answer),
        ).fetchone()
        return None if row is None else AnswerRow(*row)

    def put(self, row: AnswerRow) -> None:
        """Add an answer."""
        self._forget()
        self._tx.insert("INSERT INTO standing_answer VALUES (?,?,?,?,?,?)", (self._tx.tenant, *astuple(row)))

    def revoke(self, answer: str) -> bool:
        """Revoke an answer permanently; False if there is no active one with this id."""
        self._forget()
        done = self._tx.cursor.execute(
            "UPDATE standing_answer SET status='revoked' WHERE tenant=? AND id=? AND status='active'",
            (self._tx.tenant, answer),
        )
        return done.rowcount == 1

    def _forget(self) -> None:
        self._tx.database.claim_control()
        self._tx.image.answers.clear()
        self._tx.image.answer_verdicts.clear()
        self._tx.image.has_answers = self._tx.image.denials_end_us = None


_HELD_COLUMNS: Final = "id, session, agent, resource, question, status, held_us, expires_us, marks"


class OutboxTable(Table):
    """Held acts. INVARIANT: HELD - an act that left the status `held` never returns to it."""

    def list_held(self, session: str | None = None) -> tuple[HeldRow, ...]:
        """Acts that are held, of one session or of all, oldest first."""
        held_rows = self._tx.image.held
        if held_rows is None:
            rows = self._tx.cursor.execute(
                f"SELECT {_HELD_COLUMNS} FROM outbox WHERE tenant=? AND status='held' ORDER BY held_us, id",  # noqa: S608
                (self._tx.tenant,),
            ).fetchall()
            held_rows = self._tx.image.held = tuple(HeldRow(*row) for row in rows)
        return held_rows if session is None else tuple(row for row in held_rows if row.session == session)

    def get(self, held_id: str) -> HeldRow | None:
        """The act with this id."""
        row = self._tx.cursor.execute(
            f"SELECT {_HELD_COLUMNS} FROM outbox WHERE tenant=? AND id=?",  # noqa: S608  constants
            (self._tx.tenant, held_id),
        ).fetchone()
        return None if row is None else HeldRow(*row)

    def has_room(self, session: str) -> bool:
        """Whether one more act of the session can be held."""
        return len(self.list_held()) < MAX_HELD and len(self.list_held(session)) < MAX_HELD_PER_SESSION

    def put(self, row: HeldRow) -> None:
        """Hold an act."""
        self._forget()
        self._tx.insert("INSERT INTO outbox VALUES (?,?,?,?,?,?,?,?,?,?)", (self._tx.tenant, *astuple(row)))

    def end(self, held_id: str, status: str) -> bool:
        """Mark a held act as `released`, `expired` or `dropped`; False if it is not held."""
        self._forget()
        done = self._tx.cursor.execute(
            "UPDATE outbox SET status=? WHERE tenant=? AND id=? AND status='held'", (status, self._tx.tenant, held_id)
        )
        return done.rowcount == 1

    def _forget(self) -> None:
        self._tx.database.claim_control()
        self._tx.image.held = None


_APPROVAL_COLUMNS: Final = "id, kind, session, binding, status, asked_us, expires_us, answer"
MAX_ANSWER_LIFETIME_S: Final = DAY_S
"""Longest time for which a yes to a call can be used, and for which a no holds in later runs, seconds."""
_MAX_REUSABLE: Final = 8
_IS_OPEN: Final = "status IN ('pending', 'approved', 'denied')"
# INVARIANT: ONCE - an approval that was used or denied, or that expired, never becomes valid again.
_PRECEDING: Final = {"used": ("approved",), "expired": ("pending", "approved")}


class ApprovalTable(Table):
    """Challenges and their answers."""

    def put(self, row: ApprovalRow) -> None:
        """Record a new challenge."""
        self._tx.insert("INSERT INTO approval VALUES (?,?,?,?,?,?,?,?,?)", (self._tx.tenant, *astuple(row)))

    def get(self, request: str) -> ApprovalRow | None:
        """The challenge with this id."""
        return self._find_newest("id=?", request)

    def find_open(self, session: str, bindings: Sequence[str]) -> ApprovalRow | None:
        """The session's newest challenge with one of these bindings that is pending, approved or denied."""
        marks = ",".join("?" * len(bindings))
        return self._find_newest(f"session=? AND binding IN ({marks}) AND {_IS_OPEN}", session, *bindings)

    def list_answered_elsewhere(self, status: str, session: str, bindings: Sequence[str]) -> list[ApprovalRow]:
        """The newest challenges of other sessions with this status and one of these bindings."""
        marks = ",".join("?" * len(bindings))
        rows = self._tx.cursor.execute(
            f"SELECT {_APPROVAL_COLUMNS} FROM approval"  # noqa: S608  constants and marks
            f" WHERE tenant=? AND status=? AND kind='call' AND session<>? AND binding IN ({marks})"
            " ORDER BY asked_us DESC, id DESC LIMIT ?",
            (self._tx.tenant, status, session, *bindings, _MAX_REUSABLE),
        ).fetchall()
        return [ApprovalRow(*row) for row in rows]

    def find_pending_elsewhere(self, session: str, bindings: Sequence[str], now_us: int) -> ApprovalRow | None:
        """The newest open challenge with one of these bindings in another session."""
        marks = ",".join("?" * len(bindings))
        where = f"status='pending' AND kind='call' AND session<>? AND expires_us>? AND binding IN ({marks})"
        return self._find_newest(where, session, now_us, *bindings)

    def has_answers_for_runs(self, now_us: int) -> bool:
        """Whether there may be an answer that serves a later run: an unused yes or a no. Cheap, as it reads memory."""
        image = self._tx.image
        if image.answered_until_us is None:
            row = self._tx.cursor.execute(
                "SELECT max(expires_us) FROM approval"
                " WHERE tenant=? AND status IN ('approved', 'denied') AND kind='call'",
                (self._tx.tenant,),
            ).fetchone()
            image.answered_until_us = 0 if row[0] is None else int(row[0]) + MAX_ANSWER_LIFETIME_S * 1_000_000
        return now_us < image.answered_until_us

    def list_pending(self, session: str | None = None) -> list[ApprovalRow]:
        """Challenges without an answer, of one session or of all, oldest first."""
        where, values = ("", ()) if session is None else ("AND session=?", (session,))
        rows = self._tx.cursor.execute(
            f"SELECT {_APPROVAL_COLUMNS} FROM approval"  # noqa: S608  constants
            f" WHERE tenant=? AND status='pending' {where} ORDER BY asked_us, id",
            (self._tx.tenant, *values),
        ).fetchall()
        return [ApprovalRow(*row) for row in rows]

    def record_answer(self, request: str, status: str, token: str) -> bool:
        """Store an answer, `approved` or `denied`; False if the challenge is not pending."""
        if status not in ("approved", "denied"):
            raise ValueError(f"`{status}` is no answer")
        # INVARIANT: BIND - one challenge has one answer, even if two people answer at the same moment.
        self._tx.database.claim_control()  # other processes look whether there is an answer only once
        self._tx.image.answered_until_us = None
        done = self._tx.cursor.execute(
            "UPDATE approval SET status=?, answer=? WHERE tenant=? AND id=? AND status='pending'",
            (status, token, self._tx.tenant, request),
        )
        return done.rowcount == 1

    def set_status(self, request: str, status: str) -> None:
        """Mark an approval as `used`, or a challenge or an approval as `expired`.

        Raises:
            CannotDecide: its present status does not allow that; an approval is used once.
        """
        before = _PRECEDING[status]
        self._tx.image.answered_until_us = None
        marks = ",".join("?" * len(before))
        self._tx.insert(
            f"UPDATE approval SET status=? WHERE tenant=? AND id=? AND status IN ({marks})",  # noqa: S608  only marks
            (status, self._tx.tenant, request, *before),
        )

    def _find_newest(self, where: str, *values: str | int) -> ApprovalRow | None:
        row = self._tx.cursor.execute(
            f"SELECT {_APPROVAL_COLUMNS} FROM approval"  # noqa: S608  constants
            f" WHERE tenant=? AND {where} ORDER BY asked_us DESC, id DESC LIMIT 1",
            (self._tx.tenant, *values),
        ).fetchone()
        return None if row is None else ApprovalRow(*row)
