"""Making the rows of profiles anew from the log, where one was changed, put back or lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from halo_core.behaviour.summaries import AGENT, AnyProfile, ProfileHistory
from halo_core.enforcement.session_folds import LocatedSummary, fold_into
from halo_core.errors import BadInput, ConfigError, Tampered
from halo_core.ledger import digest_state, leaf_hash
from halo_core.model import Actor, EntryKind
from halo_core.store import Draft, Transaction, encode_leaf
from halo_core.store.committer import Job
from halo_core.store.profile_rows import ProfileTable
from halo_core.store.reader import Reader, read_entries


@dataclass(frozen=True, slots=True)
class RebuiltProfile:
    """What was done about the profile of an identity.

    Args:
        kind: of the identity.
        subject: which one.
        restored: its row was not what its newest entry left behind, and was written again.
        folded: sessions that had waited for that.
    """

    kind: str
    subject: str
    restored: bool
    folded: int


def rebuild_profiles(
    commit: Callable[[Job], RebuiltProfile], reader: Reader, tenant: str, actor: Actor
) -> list[RebuiltProfile]:
    """Compare the row of each profile with the log, write those that differ again, and fold what had waited.

    Args:
        commit: runs a job on the tenant's store, durably.
        reader: of the same store.
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
        leaves[entry.writer, entry.seq] = encode_leaf(leaf_hash(logged.note))
    rebuilt = []
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
        waiting: list[LocatedSummary] = []
        for writer, seq, at in history.find_unfolded(kind, subject) if kind == AGENT else ():
            session, tree = history.summaries[writer, seq, at]
            waiting.append(({"at": at, "leaf": leaves[writer, seq], "w": writer, "ws": seq}, tree, session))
        job = _RebuildJob(kind, subject, len(steps), profile, waiting, actor)
        rebuilt.append(commit(job))
    return rebuilt


@dataclass(frozen=True, slots=True)
class _RebuildJob:
    kind: str
    subject: str
    version: int
    profile: AnyProfile
    waiting: list[LocatedSummary]
    actor: Actor

    def __call__(self, tx: Transaction) -> RebuiltProfile:
        table = ProfileTable(tx)
        is_restored = table.restore(self.kind, self.subject, self.version, self.profile)
        folded = 0
        if self.waiting and table.load(self.kind, self.subject).version == self.version:  # nobody has gone on meanwhile
            folded = len(self.waiting) if fold_into(tx, self.kind, self.subject, self.waiting) else 0
        if is_restored:
            body = {"rebuilt": {"kind": self.kind, "subject": self.subject, "version": self.version}}
            tx.append(Draft(EntryKind.PROFILE, "", body, actor=self.actor))
        return RebuiltProfile(self.kind, self.subject, is_restored, folded)
