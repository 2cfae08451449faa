"""Folding what agents did in a session into their profiles, once the session has ended or rested.

A fold appends the session's summary, which leaves the session without tallies, and for each agent the entry that
commits to the next version of its profile. The profile is a function of these entries: `halo verify` computes it again,
and `rebuild_profiles` makes the rows anew.

A session is folded once: whoever comes second finds it without tallies. What goes on after a fold counts as a further
session of the agent's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from halo_core.behaviour import FOLD_FORM, SessionSummary, SessionVerdict, summarize_session
from halo_core.behaviour.summaries import AGENT, AnyProfile, encode_summary, fold_summary, list_identities
from halo_core.enforcement.suspension import consider_agent
from halo_core.failpoints import hit_failpoint
from halo_core.model import EntryKind, make_profile_key
from halo_core.store import AppendedEntry, Draft, ProvenEntry, SessionState, Store, Transaction, encode_leaf
from halo_core.store.engine import is_postgres
from halo_core.store.profile_rows import ProfileTable, StoredProfile, commit_profile
from halo_core.store.session_state import AgentTally

LocatedSummary = tuple[dict[str, Any], Mapping[str, Any], str]
"""Where the summary of an agent's session stands, the summary, and the session's reference."""
IDLE_US: Final = 15 * 60_000_000
"""Microseconds without an action after which a session is folded although nobody said that it has ended."""
_MAX_OPEN: Final = 1024
NOTED_EVERY_US: Final = 60_000_000
"""Microseconds after which it is noted again that a session acts."""
_MAX_AT_ONCE: Final = 4  # rested sessions that one decision finds

_ALARMING: Final = (SessionVerdict.ALARM.value, SessionVerdict.ATTACK.value)


@dataclass(frozen=True, slots=True)
class FoldSessionJob:
    """Fold a session, given its reference. Safe to run again: the second time it does nothing."""

    session: str

    def __call__(self, tx: Transaction) -> None:
        """Append the summary and the entries of the profiles."""
        state = tx.load_session(self.session)
        if state is not None and state.tallies:
            fold_session(tx, state)


def fold_session(tx: Transaction, state: SessionState) -> None:
    """Fold what agents did in a session into their profiles, and now and then into those of roles and the tenant."""
    session = state.view.id
    summaries = [
        encode_summary(item.agent, item.tally, summarize(state, item), role=item.role, is_hindered=item.is_hindered)
        for item in state.tallies
        if not item.tally.is_empty or item.tally.alarms
    ]
    if not summaries:
        return
    changed = state.with_update(tallies=())
    body = {"sessions": summaries, "state": changed.make_commitment()}
    written = tx.append(Draft(EntryKind.PROFILE, session, body))
    tx.put_session(changed, written.entry)
    hit_failpoint("after_session_summary")
    folded: list[LocatedSummary] = []
    for at, tree in enumerate(summaries):
        folded.append(({**locate(written), "at": at}, tree, session))
        fold_into(tx, AGENT, tree["agent"], folded[-1:])
        if tree["verdict"] in _ALARMING:  # an ordinary session is no new evidence
            consider_agent(tx, tree["agent"], str(tree["tally"].get("p", "")))
    _fold_groups(tx, folded)


def _fold_groups(tx: Transaction, summaries: list[LocatedSummary]) -> None:
    """Fold the summaries of a session into the profiles of its agents' roles and of the tenant."""
    groups: dict[tuple[str, str], list[LocatedSummary]] = {}
    for item in summaries:
        for kind, subject in list_identities(item[1])[1:]:
            groups.setdefault((kind, subject), []).append(item)
    for (kind, subject), items in groups.items():
        fold_into(tx, kind, subject, items)


def fold_into(tx: Transaction, kind: str, subject: str, items: Sequence[LocatedSummary]) -> bool:
    """Fold summaries into the profile of an identity; False where its row is not what its newest entry left behind.

    Then they wait for `rebuild_profiles`.
    """
    before = ProfileTable(tx).load(kind, subject)
    profile = before.profile
    if profile is None:
        return False
    for _, tree, session in items:
        profile = fold_summary(kind, profile, tree, session)
    append_version(tx, before, profile, {"of": [place for place, _, _ in items]})
    return True


def summarize(state: SessionState, item: AgentTally) -> SessionSummary:
    """What a session leaves of an agent's for the next ones; its first untrusted source explains what came after it."""
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
        before: as it was loaded.
        after: the profile that follows.
        facts: what the entry says it follows from: `of`, the summaries, and with a verdict `judged` and `by`.
    """
    stored = ProfileTable(tx).put(before, after)
    body = {**facts, "form": FOLD_FORM, "profile": commit_profile(before, stored)}
    key = make_profile_key(stored.kind, stored.subject, stored.version)
    tx.append(Draft(EntryKind.PROFILE, "", body, key=key))
    return stored


def locate(written: AppendedEntry | ProvenEntry) -> dict[str, Any]:
    """Where an entry stands in the log, as other entries refer to it."""
    return {"leaf": encode_leaf(written.leaf), "w": written.entry.writer, "ws": written.entry.seq}


class SessionFolds:
    """Has the sessions of a process folded when they end or have rested. Thread-safe.

    Args:
        store: where.
    """

    __slots__ = ("_is_patient", "_store", "open_sessions")

    def __init__(self, store: Store) -> None:
        self._store = store
        # Several hosts may fold sessions of one agent at the same moment.
        self._is_patient = is_postgres(store.config.url)
        self.open_sessions: dict[str, int] = {}  # each use of it is one call, which no other thread interrupts
        """Session that is not folded yet → when it acted last, to a minute; the one that rested longest first."""

    def note(self, session: str, at_us: int, *, is_new: bool) -> None:
        """Note an action of a session; with the first one of a new session others that have rested are folded."""
        self.open_sessions.pop(session, None)
        self.open_sessions[session] = at_us
        if is_new:
            for rested in self._take_rested(at_us):
                self._fold(rested)

    def _take_rested(self, now_us: int) -> list[str]:
        """Take out a few sessions that have rested, or for which there is no room."""
        rested: list[str] = []
        for session, at_us in list(self.open_sessions.items())[:_MAX_AT_ONCE]:
            if now_us - at_us < IDLE_US and len(self.open_sessions) <= _MAX_OPEN:
                break
            if self.open_sessions.pop(session, None) is not None:
                rested.append(session)
        return rested

    def end(self, name: str) -> None:
        """Note that a session has ended: it is folded with the next transaction, or within 50 ms."""
        session = self._store.references.of_session(name)
        if self.open_sessions.pop(session, None) is not None:
            self._fold(session)

    def end_all(self) -> None:
        """Fold every open session, since the process ends."""
        for session in list(self.open_sessions):
            if self.open_sessions.pop(session, None) is not None:
                self._fold(session)

    def _fold(self, session: str) -> None:
        self._store.defer(FoldSessionJob(session), session=session, is_patient=self._is_patient)
