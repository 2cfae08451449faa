"""What agents do in sessions that are open beside each other, as far as this process writes them.

Each session alone may stay within its agent's limits; the sums over those that are open at once count as well.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from halo_core.store.session_state import AgentTally, SessionState

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
                others += [item.tally.values for item in tallies if item.agent == agent]
            if len(others) >= _MAX_SUMMED:
                break
        return list(map(sum, zip(*others, strict=True)))

    def find_alarmed(self, agent: str) -> list[tuple[str, AgentTally]]:
        """(session, tally) of the open sessions in which an agent raised an alarm that nobody has cleared."""
        found = [(name, item) for name, tallies in self._sessions.items() for item in tallies if item.agent == agent]
        return [(name, item) for name, item in found if item.is_alarmed]

    def clear(self) -> None:
        """Forget all."""
        self._sessions.clear()
