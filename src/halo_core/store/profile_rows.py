"""The profile of each identity: its row, proven by the entry that left it behind; and sessions not folded into it yet.

Each version of a profile has one entry of kind `profile`, found by the key of identity and version. So a row that was
changed or put back to an older version is noticed when it is read: its entry says something else, or there is a newer
one. Newer ones are looked for in the texts of the newest entries (`ProfileVersions`), since keys are a column that
whoever writes the database can clear. A row that this process knows is compared by its bytes, without another
signature.

A session that ended while a row was no profile is in no version of it. So that the row is none either once it is put
back, an entry takes up the next version, and says that sessions wait (`note_waiting`), until they are folded.
Sessions that are not folded yet have rows of their own, and are folded even if their process is killed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from halo_core.behaviour.profile import IdentityProfile
from halo_core.behaviour.summaries import AGENT, TENANT, AnyProfile, make_new_profile, parse_profile
from halo_core.behaviour.tenant import TenantProfile
from halo_core.crypto import canonical
from halo_core.errors import BadInput, Gap, Tampered
from halo_core.ledger import commit_state, digest_state
from halo_core.model import make_profile_key
from halo_core.store.cached_rows import Place, ProfileVersions, StoredProfile
from halo_core.store.engine import Conflict
from halo_core.store.entry_parts import SUBJECT_PART, bound_part
from halo_core.store.proven_entries import ProvenEntry
from halo_core.store.row_access import Table

_ENTRY_QUERY: Final = "SELECT w, ws FROM entry WHERE tenant=? AND session='' AND once=?"
_NEWEST_QUERY: Final = (
    "SELECT w, ws, body FROM entry WHERE tenant=? AND session='' AND kind='profile' ORDER BY idx DESC LIMIT ?"
)
OF_IDENTITY_QUERY: Final = (
    "SELECT w, ws, body FROM entry INDEXED BY entry_profile_of WHERE tenant=? AND kind='profile' "  # noqa: S608  constants
    f"AND {SUBJECT_PART}>=? AND {SUBJECT_PART}<?"
)
_FEW: Final = 16
_RECENT: Final = 512
_MAX_VERSIONS: Final = 30_000


class ProfileTable(Table):
    """The rows of profiles, as seen and changed by one transaction."""

    def load(self, kind: str, subject: str) -> StoredProfile:
        """The profile of an identity, from memory if current; an empty one if it has none."""
        image, key = self._tx.image, (kind, subject)
        known = image.profiles.get(key)
        if known is None or key not in image.current_profiles:
            known = self._read(kind, subject, known)
            image.put_profile(key, known)
        return known

    def refresh(self, *keys: tuple[str, str]) -> None:
        """Read profiles as other hosts left them, with two statements; once in a transaction."""
        tx = self._tx
        wanted = [key for key in keys if key not in tx.fresh_profiles]
        if not wanted or not tx.database.has_many_writers:
            return
        tx.fresh_profiles.update(wanted)
        places = ",".join(["(?,?)"] * len(wanted))
        rows = tx.cursor.execute(
            f"SELECT kind, subject, version, state FROM profile WHERE tenant=? AND (kind, subject) IN ({places})"  # noqa: S608  marks of parameters
            f" ORDER BY kind, subject{tx.database.row_lock}",
            (tx.tenant, *[part for key in wanted for part in key]),
        ).fetchall()
        stored_versions = {(kind, subject): (version, state) for kind, subject, version, state in rows}
        self._take_newer(tx.image.profile_versions, _RECENT)  # after the rows, which are not newer than what it reads
        for key in wanted:
            known = tx.image.profiles.get(key)
            tx.image.put_profile(key, self._check(*key, stored_versions.get(key), known, is_up_to_date=True))

    def _read(self, kind: str, subject: str, known: StoredProfile | None) -> StoredProfile:
        tx = self._tx
        row = tx.cursor.execute(
            "SELECT version, state FROM profile WHERE tenant=? AND kind=? AND subject=?"  # noqa: S608  constants
            + tx.database.row_lock,
            (tx.tenant, kind, subject),
        ).fetchone()
        return self._check(kind, subject, row, known)

    def _check(
        self,
        kind: str,
        subject: str,
        row: tuple[Any, Any] | None,
        known: StoredProfile | None,
        *,
        is_up_to_date: bool = False,
    ) -> StoredProfile:
        """The profile in a row, if its newest entry committed to it.

        Args:
            kind: kind of the identity.
            subject: the identity.
            row: version and state; None if there is none.
            known: what memory has.
            is_up_to_date: the newest entries were read after the row.
        """
        version, state = (0, b"") if row is None else (row[0], row[1])
        if type(version) is not int or type(state) is not bytes or (row is not None and version < 1):
            return StoredProfile(kind, subject, 0, None, problem="bad_profile")
        newest, _ = self._find_newest(kind, subject, row_version=version, is_up_to_date=is_up_to_date)
        is_newest = newest <= version
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

    def _find_newest(
        self, kind: str, subject: str, *, row_version: int, is_up_to_date: bool = False
    ) -> tuple[int, Place | None]:
        """Version and place of the newest entry of a profile; 0 if there is none.

        INVARIANT: FAILCLOSED - clearing keys of entries makes no identity look new. A row put back as it was is noticed
        if a newer entry has its key or is among the newest `_RECENT`.
        """
        versions = self._tx.image.profile_versions
        if not is_up_to_date:
            self._take_newer(versions, _RECENT)
        newest_version = versions.newest.get((kind, subject))
        if newest_version is None:
            place = self._find_entry(kind, subject, row_version + 1)
            if place is not None:
                return row_version + 1, place
            if row_version == 0:  # somebody new, or so it looks
                self._take_those_of(subject, versions)
                newest_version = versions.newest.get((kind, subject))
        return newest_version or (0, None)

    def _take_newer(self, versions: ProfileVersions, depth: int) -> None:
        """Read the entries added since the last read."""
        end = versions.end
        if len(versions.newest) > _MAX_VERSIONS:
            versions.clear()
            end = None
        for limit in (depth,) if end is None else (1, _FEW, depth):
            rows = self._tx.cursor.execute(_NEWEST_QUERY, (self._tx.tenant, limit)).fetchall()
            newer = []
            for writer, seq, text in rows:
                if (writer, seq) == end:
                    break
                newer.append(((str(writer), int(seq)), text))
            if len(newer) < len(rows) or len(rows) < limit:
                break
        for place, text in newer:
            versions.note(place, text)
        if newer:
            versions.end = newer[0][0]

    def _take_those_of(self, subject: str, versions: ProfileVersions) -> None:
        """Read all entries of the identities of one name, by their texts."""
        bounds = bound_part(canonical.dumps({"subject": subject})[1:-1])
        for writer, seq, text in self._tx.cursor.execute(OF_IDENTITY_QUERY, (self._tx.tenant, *bounds)):
            versions.note((str(writer), int(seq)), text)

    def _find_last_key(self, kind: str, subject: str) -> tuple[int, Place | None]:
        """Version and place of the newest entry of a profile, by its versions' keys; 0 if there is none."""
        low, high = 0, 1
        while self._find_entry(kind, subject, high) is not None:
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._find_entry(kind, subject, middle) is not None else (low, middle)
        return low, self._find_entry(kind, subject, low) if low else None

    def note_waiting(self, kind: str, subject: str) -> dict[str, Any] | None:
        """The record that a session or verdict cannot go into a profile yet; None if already recorded.

        It takes up the next version, with the state of the one before.
        """
        version, place = self._find_newest(kind, subject, row_version=0)
        if version == 1 or place is None:  # it is further back than the entries that were read
            version, place = self._find_last_key(kind, subject)
        digest = digest_state(make_new_profile(kind).to_bytes())
        before = ""
        if place is not None:
            try:
                body = ProvenEntry.read(self._tx, *place).entry.body
                if body.get("waits"):
                    return None
                before = digest = str(body["profile"]["digest"])
            except (Gap, Tampered, KeyError, TypeError):
                return None  # the profile counts for nothing while that is so
        return {"before": before, "digest": digest, "kind": kind, "subject": subject, "version": version + 1}

    def _refuse(self, kind: str, subject: str, version: int) -> StoredProfile:
        if not self._tx.database.holds_rows:
            # Another process may have written it between two statements. With the row locked it is what it says.
            raise Conflict("a profile was written meanwhile")
        return StoredProfile(kind, subject, version, None, problem="bad_profile")

    def _find_entry(self, kind: str, subject: str, version: int) -> tuple[str, int] | None:
        """(writer, sequence) of the entry that committed to a version."""
        key = make_profile_key(kind, subject, version)
        row: tuple[str, int] | None = self._tx.cursor.execute(_ENTRY_QUERY, (self._tx.tenant, key)).fetchone()
        return row

    def _is_committed(self, kind: str, subject: str, version: int, state: bytes) -> bool:
        """INVARIANT: AUDIT - a profile counts only as a signed entry left it behind."""
        place = self._find_entry(kind, subject, version)
        if place is None:
            return False
        try:
            body: Mapping[str, Any] = ProvenEntry.read(self._tx, *place).entry.body
            profile_body = body["profile"]
            return not body.get("waits") and (
                profile_body["kind"],
                profile_body["subject"],
                profile_body["version"],
                profile_body["digest"],
            ) == (
                kind,
                subject,
                version,
                digest_state(state),
            )
        except (Gap, Tampered, KeyError, TypeError):
            return False

    def put(self, before: StoredProfile, profile: AnyProfile) -> StoredProfile:
        """Set the next version of a loaded profile; an entry with `commit_profile` must follow.

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
        tx.fresh_profiles.add((after.kind, after.subject))  # whoever writes it too is found at COMMIT
        return after

    def restore(self, kind: str, subject: str, version: int, profile: AnyProfile) -> bool:
        """Rewrite a row as its newest entry committed to it; returns whether it differed."""
        tx, state = self._tx, profile.to_bytes()
        rows = tx.cursor.execute(
            "SELECT version, state FROM profile WHERE tenant=? AND kind=? AND subject=?", (tx.tenant, kind, subject)
        ).fetchone()
        if self._find_entry(kind, subject, version + 1) is not None or (
            rows is not None and (rows[0], rows[1]) == (version, state)
        ):
            return False
        tx.cursor.execute("DELETE FROM profile WHERE tenant=? AND kind=? AND subject=?", (tx.tenant, kind, subject))
        tx.insert("INSERT INTO profile VALUES (?,?,?,?,?)", (tx.tenant, kind, subject, version, state))
        tx.image.current_profiles.discard((kind, subject))
        return True

    def has_newer(self, kind: str, subject: str, version: int) -> bool:
        """Whether an entry committed to a newer version of a profile."""
        return self._find_newest(kind, subject, row_version=version)[0] > version

    def load_agent(self, agent: str) -> IdentityProfile | None:
        """The profile of an agent; None if it differs from its entry's commitment."""
        profile = self.load(AGENT, agent).profile
        return profile if isinstance(profile, IdentityProfile) else None

    def load_tenant(self) -> TenantProfile | None:
        """The profile of the tenant; None if it differs from its entry's commitment."""
        profile = self.load(TENANT, "").profile
        return profile if isinstance(profile, TenantProfile) else None


def commit_profile(before: StoredProfile, after: StoredProfile) -> dict[str, Any]:
    """An entry's commitment to a profile."""
    commitment = commit_state(after.version, after.state, before=before.state)
    return {**commitment, "kind": after.kind, "subject": after.subject}


# sessions that are not folded into profiles yet


class UnfoldedSession(NamedTuple):
    """A session still to be folded.

    Args:
        session: its reference.
        since_us: time from which on it is looked at, microseconds since the epoch.
        is_abandoned: the process that wrote it last has ended.
    """

    session: str
    since_us: int
    is_abandoned: bool


_LIST_UNFOLDED: Final = (
    "SELECT u.session, u.since_us, w.closed_us FROM unfolded u"
    " LEFT JOIN session s ON s.tenant=u.tenant AND s.session=u.session"
    " LEFT JOIN writer w ON w.tenant=s.tenant AND w.w=s.head_w WHERE u.tenant=?"
)
_LIST_RESTED_UNFOLDED: Final = f"{_LIST_UNFOLDED} AND u.since_us<=? ORDER BY u.since_us LIMIT ?"
_LIST_NEWEST_UNFOLDED: Final = f"{_LIST_UNFOLDED} ORDER BY u.since_us DESC LIMIT ?"


class UnfoldedTable(Table):
    """The table `unfolded`, as one transaction sees and changes it."""

    def put(self, session: str, since_us: int) -> None:
        """Note that a session is still to be folded, or that it acted at a time."""
        self._tx.insert(
            "INSERT INTO unfolded VALUES (?,?,?) ON CONFLICT (tenant, session) DO UPDATE SET "
            "since_us=excluded.since_us",
            (self._tx.tenant, session, since_us),
        )

    def remove(self, session: str) -> None:
        """Note that a session is folded or does not exist."""
        self._tx.row_cursor.execute("DELETE FROM unfolded WHERE tenant=? AND session=?", (self._tx.tenant, session))

    def list_rested(self, until_us: int, limit: int) -> list[UnfoldedSession]:
        """Sessions last looked at before a time, longest waiting first."""
        rows = self._tx.row_cursor.execute(_LIST_RESTED_UNFOLDED, (self._tx.tenant, until_us, limit)).fetchall()
        return [UnfoldedSession(session, since_us, closed_us is not None) for session, since_us, closed_us in rows]

    def list_newest(self, limit: int) -> list[UnfoldedSession]:
        """Sessions still to be folded, most recently active first."""
        rows = self._tx.row_cursor.execute(_LIST_NEWEST_UNFOLDED, (self._tx.tenant, limit)).fetchall()
        return [UnfoldedSession(session, since_us, closed_us is not None) for session, since_us, closed_us in rows]
