"""The table of sessions that are not folded into profiles yet; they are folded even if their process is killed."""

from __future__ import annotations

from typing import Final, NamedTuple

from halo_core.store.row_access import Table


class UnfoldedSession(NamedTuple):
    """A session still to be folded.

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


class UnfoldedTable(Table):
    """The table `unfolded`, as one transaction sees and changes it."""

    def put(self, session: str, since_us: int) -> None:
        """Note that a session is still to be folded, or that it acted at a time."""
        self._tx.insert(
            "INSERT INTO unfolded VALUES (?,?,?) ON CONFLICT (tenant, session) DO UPDATE SET "
            "since_us=excluded.since_us",
            (self._tx.tenant, session, since_us),
        )

    def remove(self, session: str) -> None:
        """Note that a session is folded or does not exist."""
        self._tx.row_cursor.execute("DELETE FROM unfolded WHERE tenant=? AND session=?", (self._tx.tenant, session))

    def list_rested(self, until_us: int, limit: int) -> list[UnfoldedSession]:
        """Sessions last looked at before a time, longest waiting first."""
        rows = self._tx.row_cursor.execute(_LIST_RESTED, (self._tx.tenant, until_us, limit)).fetchall()
        return [UnfoldedSession(session, since_us, closed_us is not None) for session, since_us, closed_us in rows]

    def list_newest(self, limit: int) -> list[UnfoldedSession]:
        """Sessions still to be folded, most recently active first."""
        rows = self._tx.row_cursor.execute(_LIST_NEWEST, (self._tx.tenant, limit)).fetchall()
        return [UnfoldedSession(session, since_us, closed_us is not None) for session, since_us, closed_us in rows]
