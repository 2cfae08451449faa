"""Rebuilds rows of profiles from the log, where one was changed, put back or lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from halo_core.behaviour.summaries import (
    AnyProfile,
    Place,
    ProfileHistory,
    WaitingItem,
    fold_summary,
    judge_summary,
)
from halo_core.crypto.keys import encode_base64
from halo_core.enforcement.session_folds import append_version
from halo_core.errors import BadInput, ConfigError, Tampered
from halo_core.ledger import digest_state, leaf_hash
from halo_core.model import Actor, EntryKind
from halo_core.quick_dataclass import dataclass
from halo_core.store.cached_rows import StoredProfile
from halo_core.store.committer import Job
from halo_core.store.drafts import Draft
from halo_core.store.profile_rows import ProfileTable
from halo_core.store.reader import Reader, read_entries
from halo_core.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class RebuiltProfile:
    """The result of rebuilding the profile of an identity.

    Args:
        kind: kind of the identity.
        subject: which one.
        restored: its row was not what its newest entry left behind, and was written again.
        folded: sessions, and verdicts on sessions, that had waited for that.
    """

    kind: str
    subject: str
    restored: bool
    folded: int


def rebuild_profiles(
    commit: Callable[[Job], RebuiltProfile], reader: Reader, tenant: str, actor: Actor
) -> list[RebuiltProfile]:
    """Compare each profile's row with the log, rewrite those that differ, and fold sessions that waited.

    Args:
        commit: runs a job on the tenant's store, durably.
        reader: reader of the same store.
        tenant: whose.
        actor: who asked for it.

    Raises:
        ConfigError: `profile_form`, another release folded some of them.
        Tampered: `profile_broken`, the log's entries do not give the profile that its newest entry committed to.
    """
    history = ProfileHistory()
    leaves: dict[tuple[str, int], str] = {}
    for logged in read_entries(reader, tenant, (EntryKind.PROFILE,)):
        entry = logged.entry
        history.add(entry.body, reader.find_session(tenant, entry.session), entry.writer, entry.seq)
        leaves[entry.writer, entry.seq] = encode_base64(leaf_hash(logged.note))
    rebuilt, waiting = [], history.find_waiting()
    for kind, subject in history.list_subjects():
        steps = history.steps[kind, subject]
        if not history.is_of_this_form(kind, subject):
            problem = f"another release of Halo folded sessions into the profile of `{subject}`"
            raise ConfigError("profile_form", problem, field="profile", remedy="use the release that wrote them")
        try:
            profile: AnyProfile | None = history.compute(kind, subject)
        except (BadInput, KeyError, ValueError):
            profile = None
        if profile is None or digest_state(profile.to_bytes()) != steps[len(steps)].digest:
            problem = f"the log does not give the profile of `{subject}` that its newest entry committed to"
            raise Tampered("profile_broken", problem, remedy="run `halo verify`")
        items = waiting.get((kind, subject), [])
        job = _RebuildJob(kind, subject, len(steps), profile, history, leaves, items, steps[len(steps)].waits, actor)
        rebuilt.append(commit(job))
    return rebuilt


@dataclass(frozen=True, slots=True)
class _RebuildJob:
    kind: str
    subject: str
    version: int
    profile: AnyProfile
    history: ProfileHistory
    leaves: dict[tuple[str, int], str]
    waiting: list[WaitingItem]
    waits: bool
    actor: Actor

    def __call__(self, tx: Transaction) -> RebuiltProfile:
        table = ProfileTable(tx)
        is_restored = table.restore(self.kind, self.subject, self.version, self.profile)
        folded = self._take_up(tx) if not table.has_newer(self.kind, self.subject, self.version) else 0
        if is_restored:
            body = {"rebuilt": {"kind": self.kind, "subject": self.subject, "version": self.version}}
            tx.append(Draft(EntryKind.PROFILE, "", body, actor=self.actor))
        return RebuiltProfile(self.kind, self.subject, is_restored, folded)

    def _take_up(self, tx: Transaction) -> int:
        """Append the versions that result from waiting sessions and verdicts; returns how many there were."""
        before = StoredProfile(self.kind, self.subject, self.version, self.profile, self.profile.to_bytes())
        profile, places = self.profile, []
        for item in self.waiting:
            session, tree = self.history.summaries[item.of]
            if not item.judged:
                profile = fold_summary(self.kind, profile, tree, session)
                places.append(self._locate(item.of))
        if places or (self.waits and not self.waiting):
            before = append_version(tx, before, profile, {"of": places})
        for item in self.waiting:
            if item.judged:
                session, tree = self.history.summaries[item.of]
                profile = judge_summary(self.kind, profile, tree, session, verdict=item.judged, before=item.before)
                facts = {"by": self._locate((*item.by, 0)), "judged": item.judged, "of": [self._locate(item.of)]}
                before = append_version(tx, before, profile, facts)
        return len(self.waiting)

    def _locate(self, place: Place) -> dict[str, Any]:
        writer, seq, at = place
        return {"at": at, "leaf": self.leaves[writer, seq], "w": writer, "ws": seq}
