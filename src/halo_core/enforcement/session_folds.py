"""Folds what agents did in a session into their profiles, once the session has ended or rested.

A fold appends the session's summary, which leaves the session without tallies, and for each agent an entry that commits
to the next version of its profile. The profile is a function of these entries: `halo verify` computes it again, and
`rebuild_profiles` rebuilds the rows.

A session is folded once: a second process finds it without tallies. Work that goes on after a fold, in a further block
of the same name, belongs to the same session, and its next summary replaces the one before. It counts as another
session of the agent only if it went on for a working day, or after the session had rested.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Final

from halo_core.behaviour.carried import SessionSummary, SessionVerdict, summarize_session
from halo_core.behaviour.profile_forms import FOLD_FORM
from halo_core.behaviour.summaries import (
    AGENT,
    AnyProfile,
    decode_summary,
    encode_summary,
    fold_summary,
    list_identities,
)
from halo_core.behaviour.tally import SessionTally
from halo_core.crypto.keys import encode_base64
from halo_core.enforcement.suspension import consider_agent
from halo_core.errors import HaloError
from halo_core.failpoints import hit_failpoint
from halo_core.model import EntryKind, make_profile_key
from halo_core.quick_dataclass import dataclass
from halo_core.store.cached_rows import StoredProfile
from halo_core.store.drafts import AppendedEntry, Draft
from halo_core.store.engine import Conflict, is_postgres
from halo_core.store.profile_rows import ProfileTable, UnfoldedSession, UnfoldedTable, commit_profile
from halo_core.store.proven_entries import ProvenEntry
from halo_core.store.session_state import MAX_TALLIES, AgentTally, SessionState
from halo_core.store.store import Store
from halo_core.store.transaction import Transaction

IDLE_US: Final = 15 * 60_000_000
"""Microseconds without an action after which a session is folded although nobody said that it has ended."""
_MAX_OPEN: Final = 1024
CROWDED_TALLIES: Final = MAX_TALLIES - 4
"""Agents in a session from which on it is folded although it goes on, so that no agent's tally is dropped."""
NOTED_EVERY_US: Final = 60_000_000
"""Microseconds after which it is noted again that a session acts."""
SLICE_US: Final = 8 * 3600 * 1_000_000
"""Microseconds after which a session that goes on is folded, and counts as a further one: a working day."""
_MAX_AT_ONCE: Final = 4  # rested sessions that one decision finds
_MAX_LEFT: Final = 8  # sessions left by others that are folded at once
_LOOKED_AT: Final = 32
LOOK_EVERY_US: Final = 5 * 60_000_000
"""Microseconds after which a new session looks again for what other processes have left."""


@dataclass(frozen=True)
class LocatedSummary:
    """The summary of an agent's session, with its place in its entry.

    Args:
        place: its place in the entry.
        tree: the summary.
        session: the session's reference.
    """

    place: dict[str, Any]
    tree: Mapping[str, Any]
    session: str

    @cached_property
    def decoded(self) -> tuple[SessionTally, SessionSummary]:
        """The decoded summary, read once for all profiles it is folded into."""
        return decode_summary(self.tree, self.session)


@dataclass(frozen=True, slots=True)
class FoldSessionJob:
    """Folds a session, given its reference. Safe to run again: the second run does nothing."""

    session: str

    def __call__(self, tx: Transaction) -> None:
        """Append the summary and the entries of the profiles."""
        state = tx.load_session(self.session)
        if state is not None and state.tallies:
            fold_session(tx, state)


@dataclass(frozen=True, slots=True)
class FoldLeftJob:
    """Folds sessions that nobody else will: idle ones, and those whose process has ended. Safe to run again.

    Args:
        at_us: when somebody looked for them. The job may run later, after the machine slept or the clock was set: then
            a session that acted just before would seem to have rested, while its last outcome still waits.
        is_first: of a process, which looks at the newest ones too. So what a process that was killed has done counts
            for the first decision of the next one.
    """

    at_us: int
    is_first: bool = False

    def __call__(self, tx: Transaction) -> None:
        """Fold a bounded number of sessions."""
        table, now_us = UnfoldedTable(tx), min(self.at_us, tx.clock.now_us())
        candidates = table.list_newest(_LOOKED_AT) if self.is_first else []
        candidates += [item for item in table.list_rested(now_us - IDLE_US, _LOOKED_AT) if item not in candidates]
        room = _MAX_LEFT
        for item in candidates:
            if room and _fold_left(tx, table, item, now_us):
                room -= 1


def _fold_left(tx: Transaction, table: UnfoldedTable, item: UnfoldedSession, now_us: int) -> bool:
    """Fold a session if nobody else will; returns whether it was folded."""
    try:
        state = tx.load_session(item.session)
    except Conflict:
        raise
    except HaloError:  # what is not as its newest entry left it counts for nothing; `halo verify` reports it
        table.put(item.session, now_us)
        return False
    last_us = max((tally.tally.last_us for tally in state.tallies), default=0) if state is not None else 0
    if state is None or not state.tallies:
        table.remove(item.session)
        return False
    if not item.is_abandoned and now_us - last_us < IDLE_US:
        if item.since_us < last_us:
            table.put(item.session, last_us)
        return False
    fold_session(tx, state)
    return True


def find_running_tally(state: SessionState, agent: str, ts_us: int) -> AgentTally | None:
    """The tally that an agent's action at a time is added to; None if there is none yet."""
    return state.find_running(agent, ts_us, idle_us=IDLE_US, slice_us=SLICE_US)


def fold_session(tx: Transaction, state: SessionState) -> None:
    """Fold each agent's part of a session into its profile, and sometimes into those of roles and the tenant."""
    session = state.view.id
    tallies = [replace(item, tally=item.tally.count_questions()) for item in state.tallies]
    ended = [(item, summarize(state, item)) for item in tallies]
    summaries = [
        encode_summary(item.agent, item.tally, summary, role=item.role, is_hindered=item.is_hindered)
        for item, summary in ended
        if item.tally.has_news
    ]
    if not summaries:
        UnfoldedTable(tx).remove(session)
        return
    changed = state.after_fold([_leave_tally(item, summary) for item, summary in ended])
    body = {"sessions": summaries, "state": changed.make_commitment()}
    written = tx.append(Draft(EntryKind.PROFILE, session, body))
    tx.put_session(changed, written.entry)
    hit_failpoint("after_session_summary")
    folded: list[LocatedSummary] = []
    for at, tree in enumerate(summaries):
        folded.append(LocatedSummary({**locate(written), "at": at}, tree, session))
        fold_into(tx, AGENT, tree["agent"], folded[-1:])
        # INVARIANT: what is no new evidence suspends nobody: an ordinary session, or one that goes on after its alarm.
        if tree["verdict"] == SessionVerdict.ATTACK.value or (
            tree["verdict"] == SessionVerdict.ALARM.value and tree.get("severity")
        ):
            consider_agent(tx, tree["agent"], str(tree["tally"].get("p", "")))
    _fold_groups(tx, folded)


def _leave_tally(item: AgentTally, summary: SessionSummary) -> AgentTally:
    """The tally with which an agent continues in a folded session."""
    tally = item.tally.after_fold(summary.verdict.value) if item.tally.has_news else item.tally
    return AgentTally(item.agent, tally, role=item.role)


def _fold_groups(tx: Transaction, summaries: list[LocatedSummary]) -> None:
    """Fold the summaries of a session into the profiles of its agents' roles and of the tenant."""
    groups: dict[tuple[str, str], list[LocatedSummary]] = {}
    for item in summaries:
        for kind, subject in list_identities(item.tree)[1:]:
            groups.setdefault((kind, subject), []).append(item)
    for (kind, subject), items in groups.items():
        fold_into(tx, kind, subject, items)


def fold_into(tx: Transaction, kind: str, subject: str, items: Sequence[LocatedSummary]) -> bool:
    """Fold summaries into an identity's profile; False if its row does not match its newest entry.

    Then they wait for `rebuild_profiles`.
    """
    before = ProfileTable(tx).load(kind, subject)
    profile = before.profile
    if profile is None:
        append_waiting(tx, kind, subject)
        return False
    for item in items:
        profile = fold_summary(kind, profile, item.tree, item.session, decoded=item.decoded)
    append_version(tx, before, profile, {"of": [item.place for item in items]})
    return True


def summarize(state: SessionState, item: AgentTally) -> SessionSummary:
    """The summary of an agent's session for later ones; its first untrusted source explains what came after it."""
    view, verdict = state.view, item.verdict
    return summarize_session(
        view.id,
        item.tally,
        source=view.taint_sources[0] if view.taint_sources else "",
        cleared=verdict == SessionVerdict.CLEARED.value,
        attack=verdict == SessionVerdict.ATTACK.value,
        observed=item.is_observed,
    )


def append_version(tx: Transaction, before: StoredProfile, after: AnyProfile, facts: dict[str, Any]) -> StoredProfile:
    """Set the next version of a profile, and append the entry that commits to it.

    Args:
        tx: the transaction.
        before: the profile as loaded.
        after: the profile that follows.
        facts: what the entry says it follows from: `of`, the summaries, and with a verdict `judged` and `by`.
    """
    stored = ProfileTable(tx).put(before, after)
    body = {**facts, "form": FOLD_FORM, "profile": commit_profile(before, stored)}
    key = make_profile_key(stored.kind, stored.subject, stored.version)
    tx.append(Draft(EntryKind.PROFILE, "", body, key=key))
    return stored


def append_waiting(tx: Transaction, kind: str, subject: str) -> None:
    """Append an entry that something waits to be folded into a profile, unless one says so already.

    INVARIANT: FAILCLOSED - a row that was damaged only while a session ended is no profile afterwards either.
    """
    commitment = ProfileTable(tx).note_waiting(kind, subject)
    if commitment is not None:
        body = {"form": FOLD_FORM, "of": [], "profile": commitment, "waits": True}
        tx.append(Draft(EntryKind.PROFILE, "", body, key=make_profile_key(kind, subject, commitment["version"])))


def locate(written: AppendedEntry | ProvenEntry) -> dict[str, Any]:
    """The place of an entry in the log, in the form that other entries refer to it by."""
    return {"leaf": encode_base64(written.leaf), "w": written.entry.writer, "ws": written.entry.seq}


class SessionFolds:
    """Has the sessions of a process folded when they end or become idle. Thread-safe.

    Args:
        store: where.
    """

    __slots__ = ("_begun", "_is_patient", "_looked_us", "_store", "has_looked", "open_sessions")

    def __init__(self, store: Store) -> None:
        self._store = store
        # Several hosts may fold sessions of one agent at the same moment.
        self._is_patient = is_postgres(store.config.url)
        self._begun: dict[str, int] = {}  # session → when it began here, or was folded last
        self._looked_us = 0
        self.has_looked = False
        """Whether this process has looked for what others have left."""
        self.open_sessions: dict[str, int] = {}  # each use of it is one call, which no other thread interrupts
        """Session that is not folded yet → when it acted last, to a minute; the one that rested longest first."""

    def note(self, session: str, at_us: int, *, is_new: bool) -> None:
        """Note an action of a session; the first action of a new session has idle sessions folded."""
        self.open_sessions.pop(session, None)
        self.open_sessions[session] = at_us
        if at_us - self._begun.setdefault(session, at_us) >= SLICE_US:
            self._begun[session] = at_us
            self._fold(session)  # which goes on all the same
        if is_new:
            for rested in self._take_rested(at_us):
                self._fold(rested)
            if at_us - self._looked_us >= LOOK_EVERY_US:
                self._looked_us = at_us
                self._store.defer(FoldLeftJob(at_us), is_patient=self._is_patient)

    def fold_abandoned(self) -> None:
        """Have the next transaction fold sessions left by ended processes before it decides anything."""
        self.has_looked, self._looked_us = True, self._store.clock.now_us()
        self._store.defer(FoldLeftJob(self._looked_us, is_first=True))

    def fold_crowded(self, session: str) -> None:
        """Fold a session in which many agents act; it continues as the same session."""
        self._fold(session)

    def _take_rested(self, now_us: int) -> list[str]:
        """Take out a few sessions that are idle or exceed the limit."""
        rested: list[str] = []
        for session, at_us in list(self.open_sessions.items())[:_MAX_AT_ONCE]:
            if now_us - at_us < IDLE_US and len(self.open_sessions) <= _MAX_OPEN:
                break
            self._begun.pop(session, None)
            if self.open_sessions.pop(session, None) is not None:
                rested.append(session)
        return rested

    def end(self, name: str) -> None:
        """Note that a session has ended: it is folded with the next transaction, or within 50 ms."""
        session = self._store.references.of_session(name)
        self._begun.pop(session, None)
        if self.open_sessions.pop(session, None) is not None:
            self._fold(session)

    def end_all(self) -> None:
        """Fold every open session because the process ends."""
        for session in list(self.open_sessions):
            if self.open_sessions.pop(session, None) is not None:
                self._fold(session)

    def _fold(self, session: str) -> None:
        self._store.defer(FoldSessionJob(session), session=session, is_patient=self._is_patient)
