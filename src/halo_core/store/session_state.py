"""The state of a session as its row holds it, and the caches that save reading and parsing it again.

A `SessionState` never changes: each `with_...` method returns the next one, and an entry commits to its bytes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson

from halo_core.crypto import canonical
from halo_core.ledger import chain_marks, commit_state
from halo_core.model import Envelope, SessionView
from halo_core.risk.profile import Profile, apply_row
from halo_core.store.rows import TaintIndex
from halo_core.values import MAX_SOURCE_INDEX, Sketch

MAX_SOURCES: Final = 16


@dataclass(frozen=True, slots=True)
class Account:
    """A live passport link of a session, with what was spent under it.

    Args:
        handle: its name within the session, which stays when the link is derived again.
        hash: of the token in force.
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

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree."""
        return {
            "agent": self.agent,
            "envelope": self.envelope.to_plain(),
            "handle": self.handle,
            "hash": self.hash,
            "parent": self.parent,
            "root": self.root,
        }

    @classmethod
    def from_plain(cls, tree: dict[str, Any]) -> Account:
        """Inverse of `to_plain`."""
        return cls(**{**tree, "envelope": Envelope.from_plain(tree["envelope"])})


@dataclass(frozen=True, slots=True)
class SessionState:
    """A session as the store holds it. Counters never fall, taint never clears, time never goes back.

    Args:
        view: the part that `decide` reads.
        pending: number of challenges that are open, or answered and not used yet.
        chunks: number of the session's sketch rows.
        marks: chained digest over those rows.
        saturated: the sketch lost something for lack of room.
        risk: risk of the session's actions so far, 0..1000.
        watched: head of its behaviour profile, empty while there is no score.
        refused: number of its refused attempts.
        sources: names of what brought content into the session; the sketch refers to them by their place.
        links: accounts of the live links, each after its parent; one session link for each agent that came itself.
        source_bytes: the bytes it was read from, empty for a new session.
    """

    view: SessionView
    pending: int = 0
    chunks: int = 0
    marks: str = ""
    saturated: bool = False
    links: tuple[Account, ...] = ()
    sources: tuple[str, ...] = ()
    risk: int = 0
    watched: str = ""
    refused: int = 0
    source_bytes: bytes = field(default=b"", compare=False, repr=False)
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
    ) -> SessionState:
        """The state after one decision.

        Args:
            time_us: time of the decision, microseconds since the epoch.
            envelopes: new counters of the accounts that were charged.
            new_challenges: number of challenges that the decision asked.
            risk: the session's new risk, None where it stays.
            profile_head: the new head of its profile, None where it stays.
            refused: the decision refused an attempt.
        """
        state = self._next_version(envelopes, steps=1, time_us=time_us, new_challenges=new_challenges)
        if risk is None and profile_head is None and not refused:
            return state
        return replace(
            state,
            risk=self.risk if risk is None else risk,
            watched=profile_head or state.watched,
            refused=self.refused + refused,
        )

    def with_update(self, envelopes: Iterable[Envelope] = ()) -> SessionState:
        """The state after a change that is no decision, with new counters: a new version, no step."""
        return self._next_version(envelopes)

    def _next_version(
        self, envelopes: Iterable[Envelope], *, steps: int = 0, time_us: int = 0, new_challenges: int = 0
    ) -> SessionState:
        # Constructors, since `dataclasses.replace` takes three times as long.
        old = self.view
        view = SessionView(
            old.id,
            old.version + 1,
            old.opened_us,
            max(time_us, old.high_water_us),
            old.steps + steps,
            old.tainted,
            old.taint_sources,
        )
        return self._copy_with(view, self._links_with(envelopes), self.pending + new_challenges, self.source_bytes)

    def _copy_with(
        self, view: SessionView, links: tuple[Account, ...], pending: int, source_bytes: bytes
    ) -> SessionState:
        return SessionState(
            view,
            pending,
            self.chunks,
            self.marks,
            self.saturated,
            links,
            self.sources,
            self.risk,
            self.watched,
            self.refused,
            source_bytes,
        )

    def as_stored(self) -> SessionState:
        """The same state as it will be read from the row that holds its bytes now."""
        return self._copy_with(self.view, self.links, self.pending, self.to_bytes())

    def with_taint_source(self, source: str) -> SessionState:
        """The state after untrusted content of `source` came in."""
        sources = self.view.taint_sources
        if source not in sources and len(sources) < MAX_SOURCES:
            sources = (*sources, source)
        elif self.view.tainted:
            return self
        return replace(self, view=replace(self.view, tainted=True, taint_sources=sources))

    def with_source(self, source: str) -> tuple[SessionState, int]:
        """The state with a source's name in its list, and the name's place; past the end all share the last place."""
        if source in self.sources:
            return self, self.sources.index(source) + 1
        if len(self.sources) >= MAX_SOURCE_INDEX:
            return self, MAX_SOURCE_INDEX
        return replace(self, sources=(*self.sources, source)), len(self.sources) + 1

    def with_chunk(self, chunk: bytes) -> SessionState:
        """The state after a sketch row was added."""
        return replace(self, chunks=self.chunks + 1, marks=chain_marks(self.marks, chunk))

    def session_account(self, agent: str) -> Account | None:
        """The account of an agent's own session link; None where it has none."""
        return next((account for account in self.links if not account.parent and account.agent == agent), None)

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
        """The state with `account` in place of the one with its handle."""
        links = tuple(account if link.handle == account.handle else link for link in self.links)
        return replace(self, links=links)

    def without_link(self, handle: str) -> SessionState:
        """The state without a link and everything below it; what it spent stays charged to those above."""
        removed = {handle, *(account.handle for account in self.descendants(handle))}
        return replace(self, links=tuple(account for account in self.links if account.handle not in removed))

    def _links_with(self, envelopes: Iterable[Envelope]) -> tuple[Account, ...]:
        new = {envelope.link: envelope for envelope in envelopes}
        return tuple(
            Account(link.handle, link.hash, link.root, link.parent, link.agent, new[link.handle])
            if link.handle in new
            else link
            for link in self.links
        )

    def make_commitment(self) -> dict[str, Any]:
        """What an entry records of the state it leaves behind and of the one it found.

        INVARIANT: AUDIT - nobody can clear taint in the row unseen, neither after the last entry nor between two.
        """
        return commit_state(self.view.version, self.to_bytes(), before=self.source_bytes)

    def to_bytes(self) -> bytes:
        """The bytes of the `state` column."""
        if self._encoded:
            return self._encoded
        tree = self.view.to_plain()
        tree["chunks"] = self.chunks
        tree["links"] = [account.to_plain() for account in self.links]
        tree["marks"] = self.marks
        tree["pending"] = self.pending
        tree["refused"] = self.refused
        tree["risk"] = self.risk
        tree["saturated"] = self.saturated
        tree["sources"] = list(self.sources)
        tree["watched"] = self.watched
        encoded = canonical.dumps(tree)
        # Computed once: an entry commits to these bytes and the row holds them.
        object.__setattr__(self, "_encoded", encoded)
        return encoded

    @classmethod
    def from_bytes(cls, data: bytes) -> SessionState:
        """Inverse of `to_bytes`."""
        tree: dict[str, Any] = orjson.loads(data)
        links = tuple(map(Account.from_plain, tree.pop("links")))
        fields = {name: tree.pop(name) for name in ("chunks", "marks", "pending", "risk", "saturated", "watched")}
        refused = fields["refused"] = tree.pop("refused", 0)  # missing in rows of older versions
        if type(refused) is not int or refused < 0:
            raise ValueError(f"`refused` is {refused!r}")
        sources = tuple(tree.pop("sources"))
        return cls(SessionView.from_plain(tree), **fields, links=links, sources=sources, source_bytes=data)


class StateCache:
    """The last state of recent sessions, so that a row which did not change is not parsed again. Bounded.

    Rows are still read: a cached state is returned only for exactly the bytes it came from (INVARIANT: REPLAY).
    """

    __slots__ = ("_limit", "_states")

    def __init__(self, limit: int = 256) -> None:
        self._limit = limit
        self._states: OrderedDict[str, SessionState] = OrderedDict()

    def parse(self, session: str, data: bytes) -> SessionState:
        """The state that `data` holds, as `SessionState.from_bytes` would return it."""
        cached = self._states.get(session)
        if cached is not None and cached.source_bytes == data:
            return cached
        return self._store(session, SessionState.from_bytes(data))

    def remember(self, state: SessionState) -> None:
        """Cache a state whose bytes were put into its row."""
        self._store(state.view.id, state.as_stored())

    def _store(self, session: str, state: SessionState) -> SessionState:
        self._states[session] = state
        self._states.move_to_end(session)
        if len(self._states) > self._limit:
            self._states.popitem(last=False)
        return state


@dataclass(slots=True)
class SessionMemory:
    """A session's sketch and profile in memory, and how many of its stored rows they include."""

    sketch: Sketch
    profile: Profile
    chunks: int = 0


class SketchCache:
    """Sketches and profiles of recent sessions, and the tenant's taint index, in memory. Bounded."""

    __slots__ = ("_key", "_limit", "_memories", "taint_index")

    def __init__(self, key: bytes, limit: int = 128) -> None:
        self.taint_index = TaintIndex()
        self._key = key
        self._limit = limit
        self._memories: OrderedDict[str, SessionMemory] = OrderedDict()

    def get(self, session: str) -> SessionMemory:
        """What memory has of a session; empty for a new one."""
        memory = self._memories.get(session)
        if memory is None:
            memory = self._memories[session] = SessionMemory(Sketch(self._key), Profile(self._key[:64]))
        self._memories.move_to_end(session)
        while len(self._memories) > self._limit:
            self._memories.popitem(last=False)
        return memory

    def clear(self) -> None:
        """Forget everything: after a rollback, memory may be ahead of the store."""
        self._memories.clear()
        self.taint_index = TaintIndex()

    def absorb(self, memory: SessionMemory, rows: Iterable[bytes]) -> None:
        """Merge rows read from the store."""
        for row in rows:
            memory.sketch.merge(apply_row(memory.profile, row))
            memory.chunks += 1
