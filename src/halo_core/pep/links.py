"""Room: live links, found by who holds them. Takes: a transaction. Gives: handles. Never: decides, mints, closes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from halo_core.store import Account, SessionState, Tx

__all__ = ["Live", "LiveJob"]


@dataclass(frozen=True, slots=True)
class Live:
    """A live link that an agent holds.

    Args:
        handle: its name in the session; empty for the facade's own agent.
        agents: from the first receiver down to the holder; empty for the facade's own agent.
        above: it is the link acted under here, or one above that.
        giver: handle of the link that it was given under; empty for the facade's own agent's.
        free: nobody acts under it at this moment.
    """

    handle: str
    agents: tuple[str, ...]
    above: bool
    giver: str = ""
    free: bool = True


@dataclass(frozen=True, slots=True)
class LiveJob:
    """Look for the link of `agent`: on the path acted under, else the newest one below what is acted under.

    A link elsewhere in the session is none of this context's: whoever acts here did not give it, and may not.

    Args:
        session: as the store names it.
        root: the facade's agent.
        agent: whose link.
        acting: handle of the link acted under, empty for the root's own.
        taken: links that others act under at this moment.
    """

    session: str
    root: str
    agent: str
    acting: str
    taken: Collection[str]

    def __call__(self, tx: Tx) -> Live | None:
        """None where the agent has no such link."""
        state = tx.session(self.session)
        own = state.session_account(self.root) if state is not None else None
        if state is None or own is None:
            return None
        here = self.acting or own.handle
        above = next((account for account in state.path(here) if account.agent == self.agent), None)
        if above is not None:
            return self._live(state, above, above=True)
        below = [account for account in state.below(here) if account.agent == self.agent]
        free = [account for account in below if account.handle not in self.taken]
        return self._live(state, (free or below)[-1], above=False, free=bool(free)) if below else None

    @staticmethod
    def _live(state: SessionState, account: Account, *, above: bool, free: bool = True) -> Live:
        path = state.path(account.handle)
        giver = path[-2].handle if len(path) > 2 else ""
        return Live(account.handle, tuple(item.agent for item in path[1:]), above, giver, free)
