"""What a person's verdict on an alert changes in the agent's profile: a false alarm is cleared, a true one confirmed.

The verdict is an entry of its own. The next version of the profile names that entry and the summary that it is about,
so the profile remains a function of the log.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, NamedTuple

from halo_core.behaviour.carried import SessionVerdict
from halo_core.behaviour.summaries import decode_summary, judge_summary, list_identities
from halo_core.enforcement.session_folds import append_version, append_waiting, fold_session, locate
from halo_core.enforcement.suspension import consider_agent
from halo_core.errors import Gap, Tampered
from halo_core.model import EntryKind, LedgerEntry
from halo_core.quick_dataclass import dataclass
from halo_core.store.drafts import AppendedEntry, Draft
from halo_core.store.profile_rows import ProfileTable
from halo_core.store.proven_entries import ProvenEntry
from halo_core.store.transaction import Transaction

AGENT_ALERTS: Final = ("action", "behaviour", "drift", "session", "volume")
"""Kinds of alerts about what an agent did in a session."""
_SUMMARY_QUERY: Final = (
    "SELECT w, ws FROM entry WHERE tenant=? AND session=? AND kind IN ('alert', 'approval_request', 'profile')"
    " ORDER BY idx"
)


@dataclass(frozen=True, slots=True)
class JudgeAlertJob:
    """Record a person's verdict on an alert, and apply it to the agent's profile.

    Args:
        alert: its entry.
        session: reference of the session in which it was raised.
        draft: the entry of the verdict.
        is_attack: what the person said.
    """

    alert: LedgerEntry
    session: str
    draft: Draft
    is_attack: bool

    def __call__(self, tx: Transaction) -> tuple[str, ...]:
        """Append the verdict and, if it changes, the next version of the profile; returns what changed, in words."""
        written = tx.append(self.draft)
        agent = self.alert.body.get("agent")
        if self.alert.body.get("kind") in AGENT_ALERTS and isinstance(agent, str) and self.session:
            place = self.alert.writer, self.alert.seq
            verdict = SessionVerdict.ATTACK if self.is_attack else SessionVerdict.CLEARED
            before = _describe_profile(tx, agent)
            apply_verdict(tx, self.session, agent, place, verdict=verdict, by=written)
            after = _describe_profile(tx, agent)
            if not after:
                return (f"the profile of `{agent}` counts for nothing: the verdict waits for `halo risk --rebuild`",)
            return tuple(f"{name}: {after[name]}, was {was}" for name, was in before.items() if after[name] != was)
        return ()


def _describe_profile(tx: Transaction, agent: str) -> dict[str, str]:
    """The parts of an agent's profile that a verdict can change; empty if its row is no profile."""
    profile = ProfileTable(tx).load_agent(agent)
    if profile is None:
        return {}
    highest = max((alarm.pair for alarm in profile.carried.alarms), default=0)
    return {
        f"sessions that `{agent}` learns from": str(profile.sessions),
        f"risk that `{agent}` keeps from past alarms when it acts for one person (the highest)": str(highest),
        f"risk that `{agent}` keeps from past alarms for whomever it acts": str(profile.carried.agent_risk),
    }


def apply_verdict(
    tx: Transaction,
    session: str,
    agent: str,
    raised: tuple[str, int],
    *,
    verdict: SessionVerdict,
    by: AppendedEntry,
    call: int | None = None,
) -> None:
    """Apply a person's verdict on an agent's session to its profile; does nothing if it repeats the last verdict.

    Args:
        tx: the transaction.
        session: reference of the session.
        agent: who acted.
        raised: (writer, sequence) of the alert or question that the verdict is about.
        verdict: `cleared` or `attack`.
        by: the entry of the verdict.
        call: fingerprint of the call that a question was about which this answers (`fingerprint_call`); None for a
            verdict on all that the session did. While it is not folded, the call will tell when it runs.
    """
    folded = _find_summary(tx, session, agent, raised)
    if folded is None:
        if call is None:
            _judge_open_session(tx, session, agent, verdict)
        return
    # INVARIANT: a session teaches once, however often it is found ordinary.
    if folded.verdict in (verdict.value, SessionVerdict.ORDINARY.value if call is not None else ""):
        return
    # INVARIANT: a yes to one call is about the alarms that this call raised.
    if call is not None and decode_summary(folded.tree, session)[0].with_cleared(call, ()).open_alarms:
        return
    of = {**locate(folded.entry), "at": folded.at}
    for kind, subject in list_identities(folded.tree):
        before = ProfileTable(tx).load(kind, subject)
        if before.profile is None:
            append_waiting(tx, kind, subject)
        else:
            after = judge_summary(
                kind, before.profile, folded.tree, session, verdict=verdict.value, before=folded.verdict
            )
            append_version(tx, before, after, {"by": locate(by), "judged": verdict.value, "of": [of]})
    tx.append(Draft(EntryKind.PROFILE, session, {"judged": {"of": of, "verdict": verdict.value}}))
    if verdict is SessionVerdict.ATTACK:
        consider_agent(tx, agent, str(folded.tree["tally"].get("p", "")))


def _judge_open_session(tx: Transaction, session: str, agent: str, verdict: SessionVerdict) -> None:
    """Fold a session that is still open with the verdict of a person."""
    state = tx.load_session(session)
    item = state.find_tally(agent) if state is not None else None
    if state is not None and item is not None:
        fold_session(tx, replace(state, tallies=state.tallies_with(replace(item, verdict=verdict.value))))


class _FoldedSession(NamedTuple):
    """The summary of an agent's session: its entry, its place there, and the last verdict on it."""

    entry: ProvenEntry
    at: int
    tree: dict[str, Any]
    verdict: str


def _find_summary(tx: Transaction, session: str, agent: str, raised: tuple[str, int]) -> _FoldedSession | None:
    """The summary of the session in which an alert was raised; None if it is not folded yet.

    Entries that no signature bears out are passed over.
    """
    summary: _FoldedSession | None = None
    is_after = False
    for writer, seq in tx.cursor.execute(_SUMMARY_QUERY, (tx.tenant, session)).fetchall():
        is_after = is_after or (writer, seq) == raised
        if not is_after or (writer, seq) == raised:
            continue
        try:
            proven = ProvenEntry.read(tx, writer, seq)
        except (Gap, Tampered):
            continue
        body = proven.entry.body
        if summary is None and proven.entry.kind is EntryKind.PROFILE:
            for at, tree in enumerate(body.get("sessions", ())):
                if tree.get("agent") == agent:
                    summary = _FoldedSession(proven, at, tree, tree["verdict"])
        elif summary is not None and "judged" in body:
            of, entry = body["judged"]["of"], summary.entry.entry
            if (of["w"], of["ws"], of["at"]) == (entry.writer, entry.seq, summary.at):
                summary = summary._replace(verdict=body["judged"]["verdict"])
    return summary
