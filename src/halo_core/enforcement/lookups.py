"""Two look-ups in the store: the live link of an agent, and the result of an earlier run of the same request.

A framework that repeats a step requests again what has run already. That must not run twice (INVARIANT: ONCE), and its
result is in the ledger. `recall_result` returns as much of it as signatures prove, since it goes back to a model.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence

from halo_core.enforcement.hand_offs import is_no_wider
from halo_core.enforcement.passport_store import PassportStore
from halo_core.errors import PassportError
from halo_core.model import PAUSED, Decision, EntryKind, LedgerEntry, Link
from halo_core.quick_dataclass import dataclass
from halo_core.store.content_keys import open_content
from halo_core.store.engine import Conflict
from halo_core.store.proven_entries import ProvenEntry, read_outcome
from halo_core.store.session_state import Account, SessionState
from halo_core.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class LiveLink:
    """A live link that an agent holds.

    Args:
        handle: its name in the session; empty for the facade's own agent.
        agents: agents from the first receiver down to the holder; empty for the facade's own agent.
        is_acting_link: it is the link acted under here.
        giver_handle: handle of the link that it was given under; empty for the facade's own agent's.
        is_free: nobody acts under it at this moment.
        problem: reason code if the agent has several links and it is unclear which one is meant.
    """

    handle: str
    agents: tuple[str, ...]
    is_acting_link: bool
    giver_handle: str = ""
    is_free: bool = True
    problem: str = ""


@dataclass(frozen=True, slots=True)
class FindLinkJob:
    """Finds the link of `agent`: the one acted under, else one below it.

    A link elsewhere in the session does not belong to this context, whose agent did not give it and may not use it. Nor
    does a link above: its holder gave the link acted under, so that this one is used.

    Args:
        session: the session's name in the store.
        root: the facade's agent.
        agent: the agent whose link is wanted.
        acting_handle: handle of the link acted under, empty for the root's own.
        taken_links: links that others act under at this moment.
        passport_store: reads what links say, where there is more than one giver.
    """

    session: str
    root: str
    agent: str
    acting_handle: str
    taken_links: Collection[str]
    passport_store: PassportStore

    def __call__(self, tx: Transaction) -> LiveLink | None:
        """Return the link; None if the agent has none."""
        state = tx.load_session(self.session)
        root_account = state.session_account(self.root) if state is not None else None
        if state is None or root_account is None:
            return None
        path = state.path_to(self.acting_handle or root_account.handle)
        if not path:
            return None
        if path[-1].agent == self.agent:
            return self._make_live_link(state, path[-1], is_acting_link=True)
        descendants = [account for account in state.descendants(path[-1].handle) if account.agent == self.agent]
        if not descendants:
            return None
        candidates = (
            descendants
            if len({account.parent for account in descendants}) == 1
            else self._select_narrowest(tx, state, descendants)
        )
        if not candidates:
            return LiveLink("", (), is_acting_link=False, problem="ambiguous_hand_off")
        free_accounts = [account for account in candidates if account.handle not in self.taken_links]
        return self._make_live_link(
            state, (free_accounts or candidates)[-1], is_acting_link=False, is_free=bool(free_accounts)
        )

    def _select_narrowest(self, tx: Transaction, state: SessionState, accounts: Sequence[Account]) -> list[Account]:
        """The links among several that are no wider than any other of them.

        INVARIANT: SUB - it is not known here who caused this entry, so it gets only what each of them could give.
        """
        links = [(account, self._read_link(tx, state, account)) for account in accounts]
        return [
            account
            for account, link in links
            if link is not None
            and all(
                other_link is link or (other_link is not None and is_no_wider(link, other_link))
                for _, other_link in links
            )
        ]

    def _read_link(self, tx: Transaction, state: SessionState, account: Account) -> Link | None:
        passports = self.passport_store.reader
        try:
            return passports.read_chain(tx, state.path_to(account.handle), tx.load_control().store, tx.clock.now_us())[
                -1
            ]
        except PassportError:
            return None  # it may be narrower than all the others

    @staticmethod
    def _make_live_link(
        state: SessionState, account: Account, *, is_acting_link: bool, is_free: bool = True
    ) -> LiveLink:
        path = state.path_to(account.handle)
        giver = path[-2].handle if len(path) > 2 else ""
        return LiveLink(account.handle, tuple(item.agent for item in path[1:]), is_acting_link, giver, is_free)


def recall_result(tx: Transaction, session: str, request_id: str, decision: Decision, *, max_output: int) -> str | None:
    """The result of this request's earlier run; None if that did not succeed or cannot be proven.

    Args:
        tx: transaction over the store with the earlier run.
        session: session of the request.
        request_id: names session, agent, turn, call, resource and arguments.
        decision: the decision made now; what it withholds must have been withheld in the earlier run.
        max_output: how many characters of an output are kept.
    """
    try:
        place = tx.find_completed_run(session, request_id)
        earlier = ProvenEntry.read(tx, *place) if place is not None else None
        if earlier is None or not _is_same_request(earlier.entry, request_id, decision):
            return None
        outcome = read_outcome(tx, earlier)
        if outcome is None or not _has_succeeded(outcome, max_output):
            return None
        if not outcome.body["output_len"]:
            return ""
        data = open_content(tx, outcome, "output")
        return None if data is None else data.decode()
    except (sqlite3.Error, Conflict):
        raise  # the transaction itself is in trouble
    except Exception:  # noqa: BLE001  INVARIANT: FAILCLOSED - rows that are not as they should be bring nothing back
        return None


def has_ended(tx: Transaction, session: str, request_id: str) -> bool:
    """Whether each earlier run of a request ended with a result or an error, according to proven outcomes.

    A request has several runs in observe mode, or if it may run twice. False if one was cancelled, is unknown, has no
    outcome yet, or cannot be proven.
    """
    try:
        places = [(writer, seq) for writer, seq, _, mark in tx.list_runs(session, request_id) if mark != PAUSED]
        outcomes = [read_outcome(tx, ProvenEntry.read(tx, *place)) for place in places]
        return bool(outcomes) and all(
            outcome is not None and outcome.body["status"] in ("success", "error") for outcome in outcomes
        )
    except (sqlite3.Error, Conflict):
        raise  # the transaction itself is in trouble
    except Exception:  # noqa: BLE001  INVARIANT: FAILCLOSED - rows that are not as they should be prove nothing
        return False


def _is_same_request(entry: LedgerEntry, request_id: str, decision: Decision) -> bool:
    if entry.kind is not EntryKind.DECISION or entry.body["request"]["request_id"] != request_id:
        return False
    earlier_obligations = entry.body["decision"]["obligations"]
    return all(item in earlier_obligations for item in decision.to_plain()["obligations"])


def _has_succeeded(outcome: LedgerEntry, max_output: int) -> bool:
    body = outcome.body
    return bool(
        body["status"] == "success"
        and body["detail"] != "withheld"  # it ran, and nobody was given what it brought
        and 0 <= body["output_len"] <= max_output
    )
