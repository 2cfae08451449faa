"""Sessions that are not folded into profiles yet: those of this process in memory, and all of them as rows.

Each session alone may stay within its agent's limits; the sums over those that are open at once count as well. The rows
are a list of what is left to fold, so that a session is folded too if its process was killed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from halo_core.store.session_state import AgentTally, SessionState
    from halo_core.store.transaction import Transaction

_MAX_SESSIONS: Final = 1024
_MAX_SUMMED: Final = 128


class OpenTallies:
    """The newest tallies of each open session. Bounded."""

    __slots__ = ("_sessions",)

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, tuple[AgentTally, ...]] = OrderedDict()

    def put(self, state: SessionState) -> None:
        """Take the state of a session; one without tallies is open no more."""
        session = state.view.id
        if not state.tallies:
            self._sessions.pop(session, None)
            return
        self._sessions[session] = state.tallies
        self._sessions.move_to_end(session)
        if len(self._sessions) > _MAX_SESSIONS:
            self._sessions.popitem(last=False)

    def sum_beside(self, agent: str, session: str) -> Sequence[int]:
        """Each measure over an agent's other open sessions, of which the newest count; empty for none."""
        if not self._sessions or (len(self._sessions) == 1 and session in self._sessions):
            return ()
        others: list[Sequence[int]] = []
        for name, tallies in reversed(self._sessions.items()):
            if name != session:
                others += [item.tally.values_since_fold for item in tallies if item.agent == agent]
            if len(others) >= _MAX_SUMMED:
                break
        return list(map(sum, zip(*others, strict=True)))

    def find_alarmed(self, agent: str) -> list[tuple[str, AgentTally]]:
        """(session, tally) of the open sessions in which an agent raised an alarm that nobody has cleared."""
        # Most sessions have no alarm, and each new session looks at all that are open.
        alarmed = [
            (name, item)
            for name, tallies in self._sessions.items()
            for item in tallies
            if item.tally.alarms and item.agent == agent
        ]
        return [(name, item) for name, item in alarmed if item.is_alarmed]

    def clear(self) -> None:
        """Forget all."""
        self._sessions.clear()


class UnfoldedSession(NamedTuple):
    """A session that is left to fold.

    Args:
        session: its reference.
        since_us: time from which on it is looked at, microseconds since the epoch.
        is_abandoned: the process that wrote it last has ended.
    """

    session: str
    since_us: int
    is_abandoned: bool


_LIST: Final = (
    "SELECT u.session, u.since_us, w.closed_us FROM unfolded u"
    " LEFT JOIN session s ON s.tenant=u.tenant AND s.session=u.session"
    " LEFT JOIN writer w ON w.tenant=s.tenant AND w.w=s.head_w WHERE u.tenant=?"
)
_LIST_RESTED: Final = f"{_LIST} AND u.since_us<=? ORDER BY u.since_us LIMIT ?"
_LIST_NEWEST: Final = f"{_LIST} ORDER BY u.since_us DESC LIMIT ?"


class UnfoldedTable:
    """The table `unfolded`, as one transaction sees and changes it."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def put(self, session: str, since_us: int) -> None:
        """Note that a session is left to fold, or that it acted at a time."""
        self._tx.insert(
            "INSERT INTO unfolded VALUES (?,?,?) ON CONFLICT (tenant, session) DO UPDATE SET "
            "since_us=excluded.since_us",
            (self._tx.tenant, session, since_us),
        )

    def remove(self, session: str) -> None:
        """Note that a session is folded, or that it does not exist."""
        self._tx.row_cursor.execute("DELETE FROM unfolded WHERE tenant=? AND session=?", (self._tx.tenant, session))

    def list_rested(self, until_us: int, limit: int) -> list[UnfoldedSession]:
        """Sessions that were looked at last before a time, those first that wait longest."""
        rows = self._tx.row_cursor.execute(_LIST_RESTED, (self._tx.tenant, until_us, limit)).fetchall()
        return [UnfoldedSession(session, since_us, closed_us is not None) for session, since_us, closed_us in rows]

    def list_newest(self, limit: int) -> list[UnfoldedSession]:
        """Sessions that are left to fold, those first that acted last."""
        rows = self._tx.row_cursor.execute(_LIST_NEWEST, (self._tx.tenant, limit)).fetchall()
        return [UnfoldedSession(session, since_us, closed_us is not None) for session, since_us, closed_us in rows]
