"""Room: live links, found by who holds them. Takes: a transaction. Gives: handles. Never: decides, mints, closes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from halo_core.custody import Custody, no_wider
from halo_core.errors import PassportError
from halo_core.model import Link
from halo_core.store import Account, SessionState, Tx

__all__ = ["Live", "LiveJob"]


@dataclass(frozen=True, slots=True)
class Live:
    """A live link that an agent holds.

    Args:
        handle: its name in the session; empty for the facade's own agent.
        agents: from the first receiver down to the holder; empty for the facade's own agent.
        above: it is the link acted under here.
        giver: handle of the link that it was given under; empty for the facade's own agent's.
        free: nobody acts under it at this moment.
        problem: reason code where the agent has several links, and which one is meant cannot be told.
    """

    handle: str
    agents: tuple[str, ...]
    above: bool
    giver: str = ""
    free: bool = True
    problem: str = ""


@dataclass(frozen=True, slots=True)
class LiveJob:
    """Look for the link of `agent`: the one acted under, else one below it.

    A link elsewhere in the session is none of this context's: whoever acts here did not give it, and may not. A link
    above is not this context's either: whoever holds it gave the one acted under, to be acted under.

    Args:
        session: as the store names it.
        root: the facade's agent.
        agent: whose link.
        acting: handle of the link acted under, empty for the root's own.
        taken: links that others act under at this moment.
        custody: reads what links say, where there is more than one giver.
    """

    session: str
    root: str
    agent: str
    acting: str
    taken: Collection[str]
    custody: Custody

    def __call__(self, tx: Tx) -> Live | None:
        """None where the agent has no such link."""
        state = tx.session(self.session)
        own = state.session_account(self.root) if state is not None else None
        if state is None or own is None:
            return None
        path = state.path(self.acting or own.handle)
        if not path:
            return None
        if path[-1].agent == self.agent:
            return self._live(state, path[-1], above=True)
        below = [account for account in state.below(path[-1].handle) if account.agent == self.agent]
        if not below:
            return None
        meant = below if len({account.parent for account in below}) == 1 else self._narrowest(tx, state, below)
        if not meant:
            return Live("", (), above=False, problem="ambiguous_hand_off")
        free = [account for account in meant if account.handle not in self.taken]
        return self._live(state, (free or meant)[-1], above=False, free=bool(free))

    def _narrowest(self, tx: Tx, state: SessionState, accounts: Sequence[Account]) -> list[Account]:
        """Of links from several givers, those that are no wider than any of the others.

        INVARIANT: SUB - who caused this entry is not known here, so it gets nothing that one of them could not give.
        """
        links = [(account, self._link(tx, state, account)) for account in accounts]
        return [
            account
            for account, link in links
            if link is not None
            and all(other is link or (other is not None and no_wider(link, other)) for _, other in links)
        ]

    def _link(self, tx: Tx, state: SessionState, account: Account) -> Link | None:
        passports = self.custody.passports
        try:
            return passports.chain(tx, state.path(account.handle), tx.control().store, tx.clock.now_us())[-1]
        except PassportError:
            return None  # it may be narrower than all the others

    @staticmethod
    def _live(state: SessionState, account: Account, *, above: bool, free: bool = True) -> Live:
        path = state.path(account.handle)
        giver = path[-2].handle if len(path) > 2 else ""
        return Live(account.handle, tuple(item.agent for item in path[1:]), above, giver, free)
