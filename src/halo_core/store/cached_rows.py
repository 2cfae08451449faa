"""Values of rows and entries as memory keeps them (`halo_core.store.image.TenantImage`).

The modules of the tables read and write them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import field
from itertools import islice
from typing import Final, Generic, NamedTuple, TypeVar

import orjson

from halo_core.behaviour.summaries import AnyProfile
from halo_core.durations import SECOND_US
from halo_core.model import NO_PRINCIPAL_RISK, PrincipalRisk, make_principal_risk
from halo_core.quick_dataclass import dataclass
from halo_core.store.session_state import AgentTally, SessionState
from halo_core.values.sketches.sketch import MAX_TAINTED_FINGERPRINTS


class ContentKey(NamedTuple):
    """The key that seals new content of a subject.

    Args:
        dek: data key, 32 bytes.
        commitment: commitment to the key.
        subject: name in the box: the subject, with `#` and a number if an earlier key was erased.
    """

    dek: bytes
    commitment: bytes
    subject: str


class StandingPassport(NamedTuple):
    """The standing passport of an agent.

    Args:
        hash: hash of its token.
        origin: `derived` (from what is guarded) or `issued`.
        manifest: hash of the text that it was issued from, empty for a derived one.
    """

    hash: str
    origin: str
    manifest: str = ""


TAINT_BYTES: Final = 7
"""Bytes of a fingerprint in a row of stored values."""


class TaintIndex:
    """Fingerprints of values stored by exposed sessions, as read into memory so far. Bounded."""

    __slots__ = ("_fingerprints", "seq")

    def __init__(self) -> None:
        self._fingerprints: dict[int, int] = {}  # fingerprint → number of the newest row that holds it
        self.seq = 0

    def __bool__(self) -> bool:
        return bool(self._fingerprints)

    @property
    def is_full(self) -> bool:
        """Whether fingerprints were left out for lack of room, so that any text may come from a tainted value."""
        return len(self._fingerprints) >= MAX_TAINTED_FINGERPRINTS

    def contains_any(self, fingerprints: Iterable[int], *, after: int = 0) -> bool:
        """Whether a row behind number `after` holds one of the fingerprints.

        INVARIANT: FAILCLOSED - always true once it is full.
        """
        if self.is_full:
            return True
        rows = self._fingerprints
        if not after:
            return any(fingerprint in rows for fingerprint in fingerprints)
        return any(rows.get(fingerprint, 0) > after for fingerprint in fingerprints)

    def add_chunk(self, seq: int, chunk: bytes) -> None:
        """Add the fingerprints of row number `seq`."""
        room = MAX_TAINTED_FINGERPRINTS - len(self._fingerprints)
        fingerprints = (int.from_bytes(chunk[i : i + TAINT_BYTES]) for i in range(0, len(chunk), TAINT_BYTES))
        self._fingerprints.update(dict.fromkeys(islice(fingerprints, max(room, 0)), seq))
        self.seq = seq


class Clearance(NamedTuple):
    """That a person has checked a store, or what a tool reads.

    Args:
        times: how often.
        taint_seq: number of the newest row of fingerprints at the last time.
    """

    times: int = 0
    taint_seq: int = 0


MARK_BYTES: Final = 8
"""Bytes of each mark in `HeldRow.marks`."""


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """A remembered answer.

    Args:
        id: id of the answer.
        kind: `standing`, `break_glass`, `override_allow`, `override_deny` or `reversal`.
        scope: digest of what it covers.
        status: `active` or `revoked`.
        token: the approver's signed token, which is what counts.
    """

    id: str
    kind: str
    scope: str
    status: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A held act.

    Args:
        id: id of the entry that holds it.
        session: session that it belongs to.
        agent: agent that acts.
        resource: the tool.
        question: id of the request for approval.
        status: `held`, `released`, `expired` or `dropped`.
        held_us: when it was held, microseconds since the epoch.
        expires_us: time from which on it is no longer run, likewise.
        marks: digests of its targets and objects, `MARK_BYTES` each.
    """

    id: str
    session: str
    agent: str
    resource: str
    question: str
    status: str
    held_us: int
    expires_us: int
    marks: bytes = field(repr=False)

    @property
    def mark_set(self) -> frozenset[bytes]:
        """The marks, one by one."""
        return frozenset(self.marks[i : i + MARK_BYTES] for i in range(0, len(self.marks), MARK_BYTES))


MAX_REPEATS: Final = 500_000
"""Fingerprints of words that are kept; past it every user message counts as repeated."""


@dataclass(frozen=True, slots=True)
class ItemMark:
    """The facts known about a marked item.

    Args:
        was_exposed: it was made while a session was exposed.
        was_clean: it was made while a session was not.
        session: digest of the session that made it last.
        expires_us: when it is forgotten, microseconds since the epoch.
        known: fingerprints of the known values in it, at most `MAX_CARRIED`, sorted.
        user: digest of the user in whose session these were known, empty if there are none.
    """

    was_exposed: bool
    was_clean: bool
    session: bytes
    expires_us: int
    known: tuple[int, ...] = ()
    user: bytes = b""


class RepeatIndex:
    """Fingerprints of words that exposed models wrote, as read into memory so far. Bounded."""

    __slots__ = ("_fingerprints", "_is_broken", "seq")

    def __init__(self) -> None:
        self._fingerprints: set[int] = set()
        self._is_broken = False
        self.seq = 0

    def __bool__(self) -> bool:
        return bool(self._fingerprints) or self._is_broken

    @property
    def is_full(self) -> bool:
        """Whether fingerprints are missing, so that any text may repeat one."""
        return self._is_broken or len(self._fingerprints) >= MAX_REPEATS

    def contains(self, fingerprint: int) -> bool:
        """Whether a fingerprint is there."""
        return fingerprint in self._fingerprints

    def add(self, seq: int, fingerprints: Iterable[int]) -> None:
        """Add the fingerprints of row number `seq`."""
        room = MAX_REPEATS - len(self._fingerprints)
        self._fingerprints.update(islice(fingerprints, max(room, 0)))
        self.seq = seq

    def mark_broken(self, seq: int) -> None:
        """Note that row number `seq` cannot be read."""
        self._is_broken = True
        self.seq = seq


@dataclass(frozen=True, slots=True)
class StoredProfile:
    """An identity's profile as the store holds it.

    Args:
        kind: kind of the identity.
        subject: name of the identity.
        version: counts the entries that changed it; 0 where there is none.
        profile: None if the row is not what its entry left behind, or cannot be read.
        state: its bytes.
        problem: reason code why there is no profile, empty if there is one.
    """

    kind: str
    subject: str
    version: int
    profile: AnyProfile | None
    state: bytes = b""
    problem: str = ""


MIN_SHOWN_RISK: Final = 250
"""Risks below this count as none in a decision: ordinary days have them too."""
BAD_ROW: Final = PrincipalRisk(1000, 0, ("the stored risk was changed outside of Halo",), "bad_principal_risk")


@dataclass(frozen=True, slots=True)
class PersonHead:
    """The part of a person's or service account's state that a decision reads.

    Args:
        risk: 0..1000, or the risk of `BAD_ROW`.
        last_us: time of the newest event, microseconds since the epoch.
        words: why.
        is_bad: the row is not what was written.
    """

    risk: int
    last_us: int
    words: tuple[str, ...]
    is_bad: bool = False

    def at(self, now_us: int) -> PrincipalRisk:
        """The risk at a time, microseconds since the epoch."""
        if self.is_bad:
            return BAD_ROW
        if self.risk < MIN_SHOWN_RISK:
            return NO_PRINCIPAL_RISK
        return make_principal_risk(self.risk, max(now_us - self.last_us, 0) // SECOND_US, self.words)


_MAX_SESSIONS: Final = 1024
_MAX_SUMMED: Final = 128


class OpenTallies:
    """The newest tallies of each open session of this process. Bounded.

    Each session may stay within its agent's limits by itself, so the sums over all open sessions count as well.
    """

    __slots__ = ("_alarmed", "_sessions")

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, tuple[AgentTally, ...]] = OrderedDict()
        self._alarmed: set[str] = set()
        """Those in which an agent raised an alarm: few, and each new session asks for them."""

    def put(self, state: SessionState) -> None:
        """Store the state of a session; a session without tallies is no longer open."""
        session = state.view.id
        self._alarmed.discard(session)
        if not state.tallies:
            self._sessions.pop(session, None)
            return
        for item in state.tallies:
            if item.tally.alarms:
                self._alarmed.add(session)
        self._sessions[session] = state.tallies
        self._sessions.move_to_end(session)
        if len(self._sessions) > _MAX_SESSIONS:
            self._alarmed.discard(self._sessions.popitem(last=False)[0])

    def sum_beside(self, agent: str, session: str) -> Sequence[int]:
        """Each measure summed over the newest of an agent's other open sessions."""
        if not self._sessions or (len(self._sessions) == 1 and session in self._sessions):
            return ()
        others: list[Sequence[int]] = []
        for name, tallies in reversed(self._sessions.items()):
            if name != session:
                others += [item.tally.values_since_fold for item in tallies if item.agent == agent]
            if len(others) >= _MAX_SUMMED:
                break
        return list(map(sum, zip(*others, strict=True)))

    def find_alarmed(self, agent: str) -> list[tuple[str, AgentTally]]:
        """(session, tally) of open sessions with an alarm of the agent that nobody has cleared."""
        if not self._alarmed:
            return []
        return [
            (name, item)
            for name, tallies in self._sessions.items()
            if name in self._alarmed
            for item in tallies
            if item.agent == agent and item.is_alarmed
        ]

    def clear(self) -> None:
        """Forget all."""
        self._sessions.clear()
        self._alarmed.clear()


K = TypeVar("K")
V = TypeVar("V")
Place = tuple[str, int]
"""Writer and sequence of an entry."""


@dataclass(slots=True)
class EntryHistory(Generic[K, V]):
    """What a process has read from a source; kept when the rest of the image is forgotten.

    An entry that was read stays, even if its row is removed.

    Args:
        end: the newest entry of the source that was read.
        steps: subject → (place, statement) of each entry about it, oldest first; only of subjects that were asked for.
        proven: places of entries whose signature was verified.
    """

    end: Place | None = None
    steps: dict[K, list[tuple[Place, V]]] = field(default_factory=dict)
    proven: set[Place] = field(default_factory=set)

    def forget_from(self, writer: str, seq: int) -> None:
        """Forget the entries of a writer from a sequence number on, which were rolled back."""
        if self.end is not None and _is_from(self.end, writer, seq):
            self.end = None
        self.proven = {place for place in self.proven if not _is_from(place, writer, seq)}
        for steps in self.steps.values():
            while steps and _is_from(steps[-1][0], writer, seq):
                steps.pop()

    def clear(self) -> None:
        """Forget everything."""
        self.end = None
        self.steps.clear()
        self.proven.clear()


def _is_from(place: Place, writer: str, seq: int) -> bool:
    return place[0] == writer and place[1] >= seq


@dataclass(slots=True)
class ProfileVersions:
    """The newest version of each profile in the entries read so far; kept while others expire.

    INVARIANT: AUDIT - what this process has seen is not undone by an entry that is taken away, or whose key is cleared.

    Args:
        end: the newest entry that was read.
        newest: kind and subject → version and place of its entry.
    """

    end: Place | None = None
    newest: dict[tuple[str, str], tuple[int, Place]] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget everything."""
        self.end = None
        self.newest.clear()

    def note(self, place: Place, text: bytes) -> None:
        """Note version and place of the profile in an entry's text, if it is the newest one."""
        try:
            profile_tree = orjson.loads(text)["body"]["profile"]
            key, version = (profile_tree["kind"], profile_tree["subject"]), profile_tree["version"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return  # of a session, or none; `halo verify` reports the latter
        if type(version) is int and version > self.newest.get(key, (0, place))[0]:
            self.newest[key] = version, place
