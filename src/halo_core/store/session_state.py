"""The state of a session as its row holds it.

A `SessionState` never changes: each `with_...` method returns the next one, and an entry commits to its bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field, replace
from typing import Any, Final

import orjson

from halo_core.behaviour.carried import SessionVerdict
from halo_core.behaviour.tally import SessionTally
from halo_core.behaviour.tally_format import decode_tally, encode_tally
from halo_core.crypto import canonical
from halo_core.ledger import commit_state
from halo_core.model import Envelope, SessionView
from halo_core.quick_dataclass import dataclass
from halo_core.values.sketches.sketch import MAX_SOURCE_INDEX

MAX_SOURCES: Final = 16
MAX_TALLIES: Final = 16
"""Agents of a session whose behaviour is counted."""


@dataclass(frozen=True, slots=True)
class Account:
    """A live passport link of a session, with its spending.

    Args:
        handle: its name within the session, which stays when the link is derived again.
        hash: hash of the token in force.
        root: hash of the standing link that its chain begins with.
        parent: handle of the link above, empty for a session link.
        agent: who holds it.
        envelope: its counters.
    """

    handle: str
    hash: str
    root: str
    parent: str
    agent: str
    envelope: Envelope

    @classmethod
    def from_plain(cls, tree: dict[str, Any]) -> Account:
        """Inverse of `to_plain`."""
        return cls(**{**tree, "envelope": Envelope.from_plain(tree["envelope"])})


@dataclass(frozen=True, slots=True)
class AgentTally:
    """An agent's behaviour in a session since its last fold into the profile.

    Args:
        agent: who acted.
        tally: its measures, and the alarms that they raised.
        verdict: a person's verdict on them: `cleared`, `attack`, empty for none.
        is_hindered: an action did not run because of its behaviour, or of what past sessions left.
        role: role of the agent, empty for none.
        is_observed: its last action was decided in observe mode, where nobody is asked.
    """

    agent: str
    tally: SessionTally
    verdict: str = ""
    is_hindered: bool = False
    role: str = ""
    is_observed: bool = False

    @property
    def is_alarmed(self) -> bool:
        """Whether it raised an alarm that nobody has cleared."""
        return bool(self.tally.open_alarms) and self.verdict != SessionVerdict.CLEARED.value

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree."""
        tree: dict[str, Any] = {"agent": self.agent, "tally": encode_tally(self.tally)}
        if self.verdict:
            tree["verdict"] = self.verdict
        if self.is_hindered:
            tree["hindered"] = True
        if self.role:
            tree["role"] = self.role
        if self.is_observed:
            tree["observed"] = True
        return tree

    @classmethod
    def from_plain(cls, tree: dict[str, Any]) -> AgentTally:
        """Inverse of `to_plain`."""
        return cls(
            tree["agent"],
            decode_tally(tree["tally"]),
            tree.get("verdict", ""),
            tree.get("hindered", False),
            tree.get("role", ""),
            tree.get("observed", False),
        )


@dataclass(frozen=True, slots=True)
class SessionState:
    """A session's stored state. Counters never fall, taint never clears, time never goes back.

    Args:
        view: the part that `decide` reads.
        pending: number of challenges that are open, or answered and not used yet.
        chunks: number of the session's sketch rows.
        saturated: the sketch lost something for lack of room.
        risk: risk of the session's actions so far, 0..1000.
        watched: head of its behaviour profile, empty while there is no score.
        refused: number of its refused attempts.
        sources: names of what brought content into the session; the sketch refers to them by their place.
        links: accounts of the live links, each after its parent; one session link for each agent that came itself.
        tallies: what each agent did in it, of agents that did something since the last fold.
        folded: the tallies of other agents, as the last fold left them.
    """

    view: SessionView
    pending: int = 0
    chunks: int = 0
    saturated: bool = False
    links: tuple[Account, ...] = ()
    sources: tuple[str, ...] = ()
    risk: int = 0
    watched: str = ""
    refused: int = 0
    tallies: tuple[AgentTally, ...] = ()
    folded: tuple[AgentTally, ...] = ()
    _encoded: bytes = field(default=b"", init=False, compare=False, repr=False)

    @classmethod
    def create(cls, session: str, now_us: int) -> SessionState:
        """The state of a new session."""
        return cls(SessionView(session, version=0, opened_us=now_us, high_water_us=now_us, steps=0, tainted=False))

    def with_decision(
        self,
        time_us: int,
        envelopes: Iterable[Envelope] = (),
        *,
        new_challenges: int = 0,
        risk: int | None = None,
        profile_head: str | None = None,
        refused: bool = False,
        tallies: tuple[AgentTally, ...] | None = None,
    ) -> SessionState:
        """The state after one decision.

        Args:
            time_us: time of the decision, microseconds since the epoch.
            envelopes: new counters of the accounts that were charged.
            new_challenges: number of challenges that the decision asked.
            risk: the session's new risk, None if it stays.
            profile_head: the new head of its profile, None if it stays.
            refused: the decision refused an attempt.
            tallies: the new tallies, None if they stay.
        """
        # Constructors, since `dataclasses.replace` takes three times as long.
        old = self.view
        return SessionState(
            SessionView(
                old.id,
                old.version + 1,
                old.opened_us,
                max(time_us, old.high_water_us),
                old.steps + 1,
                old.tainted,
                old.taint_sources,
            ),
            self.pending + new_challenges,
            self.chunks,
            self.saturated,
            self._links_with(envelopes),
            self.sources,
            self.risk if risk is None else risk,
            profile_head or self.watched,
            self.refused + refused,
            self.tallies if tallies is None else tallies,
            self.folded if tallies is None or not self.folded else self._folded_without(tallies),
        )

    def with_update(
        self,
        envelopes: Iterable[Envelope] = (),
        *,
        profile_head: str = "",
        tallies: tuple[AgentTally, ...] | None = None,
    ) -> SessionState:
        """The state after a change without a decision: a new version, no step.

        Args:
            envelopes: new counters of accounts.
            profile_head: the new head of its profile, empty if it stays.
            tallies: the new tallies, None if they stay.
        """
        old = self.view
        view = SessionView(
            old.id, old.version + 1, old.opened_us, old.high_water_us, old.steps, old.tainted, old.taint_sources
        )
        return SessionState(
            view,
            self.pending,
            self.chunks,
            self.saturated,
            self._links_with(envelopes) if envelopes else self.links,
            self.sources,
            self.risk,
            profile_head or self.watched,
            self.refused,
            self.tallies if tallies is None else tallies,
            self.folded if tallies is None or not self.folded else self._folded_without(tallies),
        )

    def after_fold(self, folded: Iterable[AgentTally]) -> SessionState:
        """The state after a fold, with the tallies for agents that act again."""
        kept = self.folded
        for item in folded:
            kept = _put_tally(kept, item)
        return replace(self.with_update(tallies=()), folded=kept)

    def _folded_without(self, tallies: tuple[AgentTally, ...]) -> tuple[AgentTally, ...]:
        agents = [item.agent for item in tallies]
        return tuple([item for item in self.folded if item.agent not in agents])

    def with_taint_source(self, source: str) -> SessionState:
        """The state after untrusted content from `source`."""
        view, sources = self.view, self.view.taint_sources
        if source not in sources and len(sources) < MAX_SOURCES:
            sources = (*sources, source)
        elif view.tainted:
            return self
        return replace(self, view=replace(view, tainted=True, taint_sources=sources))

    def with_source(self, source: str) -> tuple[SessionState, int]:
        """The state with a source's name in its list, and its place; beyond the end all share the last place."""
        if source in self.sources:
            return self, self.sources.index(source) + 1
        if len(self.sources) >= MAX_SOURCE_INDEX:
            return self, MAX_SOURCE_INDEX
        return replace(self, sources=(*self.sources, source)), len(self.sources) + 1

    def with_chunk(self) -> SessionState:
        """The state after a sketch row was added."""
        return SessionState(
            self.view,
            self.pending,
            self.chunks + 1,
            self.saturated,
            self.links,
            self.sources,
            self.risk,
            self.watched,
            self.refused,
            self.tallies,
            self.folded,
        )

    def find_tally(self, agent: str) -> AgentTally | None:
        """The tally of an agent; None if it has none."""
        for item in self.tallies:
            if item.agent == agent:
                return item
        return None

    def find_running(self, agent: str, ts_us: int, *, idle_us: int, slice_us: int) -> AgentTally | None:
        """The tally that an agent's next action is added to; it continues in a session folded already.

        It does not where it has rested, or gone on for long: then a further session begins, under the same name.

        Args:
            agent: that acts.
            ts_us: time of the action.
            idle_us: microseconds without an action after which a further session begins.
            slice_us: microseconds after which one begins however it went on.
        """
        for current in self.tallies:
            if current.agent == agent and (current.tally.folded is None or current.tally.has_news):
                return current
        rested = self.find_tally(agent)
        if rested is None and self.folded:
            rested = next((item for item in self.folded if item.agent == agent), None)
        if rested is None or rested.tally.folded is None:
            return rested
        tally = rested.tally
        if ts_us - tally.last_us < idle_us and ts_us - tally.first_us < slice_us:
            return rested
        return AgentTally(agent, tally.begin_next(), role=rested.role)

    def tallies_with(self, changed: AgentTally) -> tuple[AgentTally, ...]:
        """The tallies with one changed or added; if there are too many, without the one idle longest.

        `session_folds.CROWDED_TALLIES` folds a session before there are that many.
        """
        if len(self.tallies) == 1 and self.tallies[0].agent == changed.agent:
            return (changed,)
        return _put_tally(self.tallies, changed)

    def session_account(self, agent: str) -> Account | None:
        """The account of an agent's own session link; None if it has none."""
        for account in self.links:
            if not account.parent and account.agent == agent:
                return account
        return None

    def path_to(self, handle: str) -> tuple[Account, ...]:
        """Accounts from the session link down to `handle`; empty if it is not live."""
        by_handle = {account.handle: account for account in self.links}
        accounts: list[Account] = []
        wanted = handle
        while wanted in by_handle and len(accounts) < len(by_handle):
            account = by_handle[wanted]
            accounts.append(account)
            if not account.parent:
                return tuple(reversed(accounts))
            wanted = account.parent
        return ()

    def descendants(self, handle: str) -> tuple[Account, ...]:
        """Live accounts below `handle`, parents first."""
        under = {handle}
        for account in self.links:  # parents come first
            if account.parent in under:
                under.add(account.handle)
        return tuple(account for account in self.links if account.handle in under - {handle})

    def with_link(self, account: Account) -> SessionState:
        """The state with one more live link."""
        return replace(self, links=(*self.links, account))

    def with_account(self, account: Account) -> SessionState:
        """The state with `account` replacing the one with its handle."""
        links = tuple(account if link.handle == account.handle else link for link in self.links)
        return replace(self, links=links)

    def without_link(self, handle: str) -> SessionState:
        """The state without a link and all below it; their spending stays charged to those above."""
        removed = {handle, *(account.handle for account in self.descendants(handle))}
        return replace(self, links=tuple(account for account in self.links if account.handle not in removed))

    def _links_with(self, envelopes: Iterable[Envelope]) -> tuple[Account, ...]:
        links = list(self.links)
        for envelope in envelopes:
            for i, link in enumerate(links):
                if link.handle == envelope.link:
                    links[i] = Account(link.handle, link.hash, link.root, link.parent, link.agent, envelope)
                    break
        return tuple(links)

    def make_commitment(self) -> dict[str, Any]:
        """An entry's commitment to the state.

        INVARIANT: AUDIT - nobody can clear taint in the row unseen: a row is compared with the session's newest entry
        when it is read (`Transaction.load_session`), and by `halo verify`.
        """
        return commit_state(self.view.version, self.to_bytes())

    def to_bytes(self) -> bytes:
        """The bytes of the `state` column."""
        if self._encoded:
            return self._encoded
        # Every decision and every outcome encodes a state, so the trees are made here and not by a function each.
        view, links = self.view, []
        for account in self.links:
            envelope = account.envelope
            links.append(
                {
                    "agent": account.agent,
                    "envelope": {
                        "base_risk": envelope.base_risk,
                        "base_step": envelope.base_step,
                        "epoch": envelope.epoch,
                        "link": envelope.link,
                        "since_us": envelope.since_us,
                        "spent": envelope.spent,
                    },
                    "handle": account.handle,
                    "hash": account.hash,
                    "parent": account.parent,
                    "root": account.root,
                }
            )
        tree: dict[str, Any] = {
            "chunks": self.chunks,
            "high_water_us": view.high_water_us,
            "id": view.id,
            "links": links,
            "opened_us": view.opened_us,
            "pending": self.pending,
            "refused": self.refused,
            "risk": self.risk,
            "saturated": self.saturated,
            "sources": self.sources,
            "steps": view.steps,
            "taint_sources": view.taint_sources,
            "tainted": view.tainted,
            "version": view.version,
            "watched": self.watched,
        }
        if self.tallies:
            tree["tallies"] = list(map(AgentTally.to_plain, self.tallies))
        if self.folded:
            tree["folded"] = [item.to_plain() for item in self.folded]
        encoded = canonical.dumps(tree)
        # Computed once: an entry commits to these bytes and the row holds them.
        object.__setattr__(self, "_encoded", encoded)
        return encoded

    @classmethod
    def from_bytes(cls, data: bytes) -> SessionState:
        """Inverse of `to_bytes`."""
        tree: dict[str, Any] = orjson.loads(data)
        links = tuple(map(Account.from_plain, tree.pop("links")))
        fields = {name: tree.pop(name) for name in ("chunks", "pending", "risk", "saturated", "watched")}
        refused = fields["refused"] = tree.pop("refused", 0)  # missing in rows of older versions
        if type(refused) is not int or refused < 0:
            raise ValueError(f"`refused` is {refused!r}")
        sources = tuple(tree.pop("sources"))
        tallies, folded = (tuple(map(AgentTally.from_plain, tree.pop(name, ()))) for name in ("tallies", "folded"))
        view = SessionView.from_plain(tree)
        state = cls(view, **fields, links=links, sources=sources, tallies=tallies, folded=folded)
        object.__setattr__(state, "_encoded", bytes(data))
        return state


def _put_tally(tallies: tuple[AgentTally, ...], changed: AgentTally) -> tuple[AgentTally, ...]:
    others = [item for item in tallies if item.agent != changed.agent]
    if len(others) >= MAX_TALLIES:
        others.remove(min(others, key=lambda item: (item.tally.last_us, item.agent)))
    return (*others, changed)
