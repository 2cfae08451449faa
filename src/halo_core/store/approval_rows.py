"""Typed access to the table of challenges and their answers, as `store.rows` has it for others.

INVARIANT: TENANT - every statement here names the transaction's tenant, and none takes one from its caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from halo_core.store.rows import RowAccess

_APPROVAL_COLUMNS: Final = "id, kind, session, binding, status, asked_us, expires_us, answer"
MAX_ANSWER_LIFETIME_S: Final = 86_400
"""Longest time for which an answer to a call can be used, seconds."""
_MAX_REUSABLE: Final = 8
_IS_OPEN: Final = "status IN ('pending', 'approved', 'denied')"
# INVARIANT: ONCE - an approval that was used or denied, or that expired, never becomes valid again.
_PRECEDING: Final = {"used": ("approved",), "expired": ("pending", "approved")}


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    """A challenge and its status.

    Args:
        id: of the entry that asks.
        kind: `call` or `reauthorization`.
        session: id of the session that asks.
        binding: digest of what is asked (`halo_core.decision.bindings`).
        status: `pending`, `approved`, `denied`, `used` or `expired`.
        asked_us: when it was asked, microseconds since the epoch.
        expires_us: when it counts as denied if nobody answered, likewise.
        answer: the approver's signed token, empty until there is one. The token is what counts, not the row.
    """

    id: str
    kind: str
    session: str
    binding: str
    status: str
    asked_us: int
    expires_us: int
    answer: str = field(default="", repr=False)


class ApprovalTable:
    """Challenges and their answers, as seen and changed by one transaction."""

    __slots__ = ("_tx",)

    def __init__(self, tx: RowAccess) -> None:
        self._tx = tx

    def put(self, row: ApprovalRow) -> None:
        """Record a new challenge."""
        self._tx.insert("INSERT INTO approval VALUES (?,?,?,?,?,?,?,?,?)", (self._tx.tenant, *astuple(row)))

    def get(self, request: str) -> ApprovalRow | None:
        """The challenge with this id."""
        return self._find_newest("id=?", request)

    def find_open(self, session: str, bindings: Sequence[str]) -> ApprovalRow | None:
        """The newest challenge of a session with one of these bindings that is pending, approved or denied."""
        marks = ",".join("?" * len(bindings))
        return self._find_newest(f"session=? AND binding IN ({marks}) AND {_IS_OPEN}", session, *bindings)

    def list_approved_elsewhere(self, session: str, bindings: Sequence[str]) -> list[ApprovalRow]:
        """The newest approvals with one of these bindings that another session asked for and nobody has used."""
        marks = ",".join("?" * len(bindings))
        rows = self._tx.cursor.execute(
            f"SELECT {_APPROVAL_COLUMNS} FROM approval"  # noqa: S608  constants and marks
            f" WHERE tenant=? AND status='approved' AND kind='call' AND session<>? AND binding IN ({marks})"
            " ORDER BY asked_us DESC, id DESC LIMIT ?",
            (self._tx.tenant, session, *bindings, _MAX_REUSABLE),
        ).fetchall()
        return [ApprovalRow(*row) for row in rows]

    def find_pending_elsewhere(self, session: str, bindings: Sequence[str], now_us: int) -> ApprovalRow | None:
        """The newest open challenge with one of these bindings that another session asked."""
        marks = ",".join("?" * len(bindings))
        where = f"status='pending' AND kind='call' AND session<>? AND expires_us>? AND binding IN ({marks})"
        return self._find_newest(where, session, now_us, *bindings)

    def has_unused_answers(self, now_us: int) -> bool:
        """Whether there may be an approval of a call that can still be used; cheap, from memory."""
        image = self._tx.image
        if image.unused_until_us is None:
            row = self._tx.cursor.execute(
                "SELECT max(expires_us) FROM approval WHERE tenant=? AND status='approved' AND kind='call'",
                (self._tx.tenant,),
            ).fetchone()
            image.unused_until_us = 0 if row[0] is None else int(row[0]) + MAX_ANSWER_LIFETIME_S * 1_000_000
        return now_us < image.unused_until_us

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
        """Store an answer, `approved` or `denied`; False where the challenge is not pending."""
        if status not in ("approved", "denied"):
            raise ValueError(f"`{status}` is no answer")
        # INVARIANT: BIND - one challenge has one answer, even if two people answer at the same moment.
        self._tx.database.claim_control()  # other processes look whether there is an answer only once
        self._tx.image.unused_until_us = None
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
        self._tx.image.unused_until_us = None
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
