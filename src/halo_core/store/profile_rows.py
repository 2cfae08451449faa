"""The profile of each identity: its row, proven by the entry that left it behind.

Each version of a profile has one entry of kind `profile`, found by the key of identity and version. So a row that was
changed or put back to an older version is noticed when it is read: its entry says something else, or there is a next
one. A row that this process knows is compared by its bytes, without another signature.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from halo_core.behaviour import IdentityProfile, TenantProfile
from halo_core.behaviour.summaries import AGENT, ROLE, TENANT, AnyProfile, make_new_profile, parse_profile
from halo_core.errors import BadInput, Gap, Tampered
from halo_core.ledger import commit_state, digest_state
from halo_core.model import make_profile_key
from halo_core.store.engine import Conflict
from halo_core.store.proven_entries import ProvenEntry

if TYPE_CHECKING:
    from halo_core.store.transaction import Transaction

_ENTRY_QUERY: Final = "SELECT w, ws FROM entry WHERE tenant=? AND session='' AND once=?"


@dataclass(frozen=True, slots=True)
class StoredProfile:
    """An identity's profile as the store holds it.

    Args:
        kind: of the identity.
        subject: which one.
        version: counts the entries that changed it; 0 where there is none.
        profile: None where the row is not what its entry left behind, or cannot be read.
        state: its bytes.
        problem: reason code why there is no profile, empty where there is one.
    """

    kind: str
    subject: str
    version: int
    profile: AnyProfile | None
    state: bytes = b""
    problem: str = ""


class ProfileTable:
    """The rows of identities, as one transaction sees and changes them."""

    __slots__ = ("_tx",)

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def load(self, kind: str, subject: str) -> StoredProfile:
        """The profile of an identity, from memory where that is current; an empty one where it has none."""
        image, key = self._tx.image, (kind, subject)
        known = image.find_profile(key)
        if known is None or not image.knows_profile(key):
            known = self._read(kind, subject, known)
            image.put_profile(key, known)
        return known

    def _read(self, kind: str, subject: str, known: StoredProfile | None) -> StoredProfile:
        tx = self._tx
        row = tx.cursor.execute(
            "SELECT version, state FROM profile WHERE tenant=? AND kind=? AND subject=?"  # noqa: S608  constants
            + tx.database.row_lock,
            (tx.tenant, kind, subject),
        ).fetchone()
        version, state = (0, b"") if row is None else (row[0], row[1])
        if type(version) is not int or type(state) is not bytes or (row is not None and version < 1):
            return StoredProfile(kind, subject, 0, None, problem="bad_profile")
        is_newest = self._find_entry(kind, subject, version + 1) is None
        if is_newest and known is not None and not known.problem and (known.version, known.state) == (version, state):
            return known
        if not is_newest or (row is not None and not self._is_committed(kind, subject, version, state)):
            return self._refuse(kind, subject, version)
        if row is None:
            return StoredProfile(kind, subject, 0, make_new_profile(kind))
        try:
            return StoredProfile(kind, subject, version, parse_profile(kind, state), state)
        except BadInput:
            return StoredProfile(kind, subject, version, None, problem="bad_profile")

    def _refuse(self, kind: str, subject: str, version: int) -> StoredProfile:
        if not self._tx.database.holds_rows:
            # Another process may have written it between two statements. With the row locked it is what it says.
            raise Conflict("a profile was written meanwhile")
        return StoredProfile(kind, subject, version, None, problem="bad_profile")

    def _find_entry(self, kind: str, subject: str, version: int) -> tuple[str, int] | None:
        """(writer, sequence) of the entry that left a version behind."""
        key = make_profile_key(kind, subject, version)
        row: tuple[str, int] | None = self._tx.cursor.execute(_ENTRY_QUERY, (self._tx.tenant, key)).fetchone()
        return row

    def _is_committed(self, kind: str, subject: str, version: int, state: bytes) -> bool:
        """INVARIANT: AUDIT - a profile counts only as a signed entry left it behind."""
        place = self._find_entry(kind, subject, version)
        if place is None:
            return False
        try:
            left = ProvenEntry.read(self._tx, *place).entry.body["profile"]
            return (left["kind"], left["subject"], left["version"], left["digest"]) == (
                kind,
                subject,
                version,
                digest_state(state),
            )
        except (Gap, Tampered, KeyError, TypeError):
            return False

    def put(self, before: StoredProfile, profile: AnyProfile) -> StoredProfile:
        """Set the next version of a profile that was loaded; the entry with `commit_profile` has to follow.

        Raises:
            Conflict: another process has written it meanwhile; at the latest at COMMIT.
        """
        tx, state = self._tx, profile.to_bytes()
        after = StoredProfile(before.kind, before.subject, before.version + 1, profile, state)
        if before.version == 0:
            tx.insert(
                "INSERT INTO profile VALUES (?,?,?,?,?)",
                (tx.tenant, after.kind, after.subject, after.version, state),
            )
        elif tx.database.has_many_writers:
            tx.update(
                "UPDATE profile SET version=?, state=? WHERE tenant=? AND kind=? AND subject=? AND version=?",
                (after.version, state, tx.tenant, after.kind, after.subject, before.version),
            )
        else:
            tx.insert(
                "UPDATE profile SET version=?, state=? WHERE tenant=? AND kind=? AND subject=?",
                (after.version, state, tx.tenant, after.kind, after.subject),
            )
        tx.image.put_profile((after.kind, after.subject), after)
        return after

    def restore(self, kind: str, subject: str, version: int, profile: AnyProfile) -> bool:
        """Write a row as its newest entry left it behind; whether it was another."""
        tx, state = self._tx, profile.to_bytes()
        found = tx.cursor.execute(
            "SELECT version, state FROM profile WHERE tenant=? AND kind=? AND subject=?", (tx.tenant, kind, subject)
        ).fetchone()
        if self._find_entry(kind, subject, version + 1) is not None or (
            found is not None and (found[0], found[1]) == (version, state)
        ):
            return False
        tx.cursor.execute("DELETE FROM profile WHERE tenant=? AND kind=? AND subject=?", (tx.tenant, kind, subject))
        tx.insert("INSERT INTO profile VALUES (?,?,?,?,?)", (tx.tenant, kind, subject, version, state))
        tx.image.current_profiles.discard((kind, subject))
        return True

    def load_agent(self, agent: str) -> IdentityProfile | None:
        """The profile of an agent; None where it is not what its entry left behind."""
        profile = self.load(AGENT, agent).profile
        return profile if isinstance(profile, IdentityProfile) else None

    def load_role(self, role: str) -> IdentityProfile | None:
        """The profile of a role, likewise."""
        profile = self.load(ROLE, role).profile
        return profile if isinstance(profile, IdentityProfile) else None

    def load_tenant(self) -> TenantProfile | None:
        """The profile of the tenant, likewise."""
        profile = self.load(TENANT, "").profile
        return profile if isinstance(profile, TenantProfile) else None


def commit_profile(before: StoredProfile, after: StoredProfile) -> dict[str, Any]:
    """What an entry records of the profile that it leaves behind."""
    commitment = commit_state(after.version, after.state, before=before.state)
    return {**commitment, "kind": after.kind, "subject": after.subject}
