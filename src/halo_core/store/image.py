"""What memory holds of a tenant's rows, so that a process that writes alone decides without reading the database.

A `TenantImage` belongs to one `Store`. `Transaction` answers from it and keeps it up to date. What others can change is
forgotten when the database says that another connection has written (`expire`). Everything is forgotten when anything
was rolled back and after a fork (`clear`), since memory may then be ahead of the database.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import field
from pathlib import Path
from typing import Any, Final, NamedTuple

from halo_core.ledger.control_history import ControlChange, ControlHistory
from halo_core.model import Mode, Revocation, Stop
from halo_core.quick_dataclass import dataclass
from halo_core.references import References
from halo_core.risk.profile import Profile, apply_row
from halo_core.store.cached_rows import (
    AnswerRow,
    Clearance,
    ContentKey,
    EntryHistory,
    HeldRow,
    ItemMark,
    OpenTallies,
    PersonHead,
    ProfileVersions,
    RepeatIndex,
    StandingPassport,
    StoredProfile,
    TaintIndex,
)
from halo_core.store.floor_memory import FloorMemory
from halo_core.store.session_state import SessionState
from halo_core.values.sketches.sketch import Sketch, add_spans_row, add_withdrawal_row

MAX_ACCOUNTS: Final = 10_000
"""Accounts that memory keeps."""
MAX_KEYS: Final = 10_000
MAX_MEMORIES: Final = 1024
"""Sessions whose texts memory keeps: some 20 KB for one of five calls, 55 KB for one of fifty."""
MAX_CHUNKS: Final = 50_000
"""Most rows that these sessions have together; checked when one is added."""
MAX_RUNS: Final = 65_536
MAX_STATES: Final = 1024
MAX_PROFILES: Final = 1024
STORE_ID_PREFIX: Final = "halo-store:"
_MAX_USER_TEXTS: Final = 16  # of a session
_MAX_USER_CHARS: Final = 32_768  # of them together
_MAX_SESSIONS_WITH_TEXTS: Final = 256


@dataclass(frozen=True, slots=True)
class Control:
    """What is in force for a tenant.

    Args:
        version: counts the changes of everything here.
        store: id of the store.
        mode: the floor: of the host, or of the home by its signed entries.
        policy: hash of the policy that was put in force last.
        stops: stops in force.
        revocations: revocations in force.
        waiver: an effective waiver that may lower the floor to `observe`; None if there is none, or the floor of the
            host forbids it. Whether it lasts is asked at each decision (`TenantImage.find_mode`).
        recorded: the home's floor as its row holds it.
    """

    version: int
    store: str
    mode: Mode
    policy: str
    stops: tuple[Stop, ...] = ()
    revocations: tuple[Revocation, ...] = ()
    waiver: ControlChange | None = None
    recorded: Mode = Mode.OBSERVE


class UserText(NamedTuple):
    """A message of the user.

    Args:
        text: the message; at most `MAX_USER_CHARS` characters of it.
        standing: what stands of it, without what he took back later.
        number: its number among the texts of the session's sketch, from 0; -1 if it has no words there.
        before: what stood of it before the last withdrawal.
        takes_back: it takes something back.
        is_bare: it does so without saying what.
        is_cut: it was longer.
    """

    text: str
    standing: str
    number: int
    before: str
    takes_back: bool = False
    is_bare: bool = False
    is_cut: bool = False


@dataclass(slots=True)
class SessionMemory:
    """A session's sketch and profile in memory, with the number of stored rows included."""

    sketch: Sketch
    profile: Profile
    chunks: int = 0

    def absorb(self, rows: Iterable[bytes]) -> None:
        """Merge rows read from the store."""
        for row in rows:
            if not (add_spans_row(self.sketch, row) or add_withdrawal_row(self.sketch, row)):
                self.sketch.merge(apply_row(self.profile, row))
            self.chunks += 1


class RunLog:
    """The runs of sessions begun in this image, to recognise new request ids.

    A session with an older entry is not in it, and is looked up in the database. Bounded.
    """

    __slots__ = ("_count", "_sessions", "open_places")

    def __init__(self) -> None:
        self.open_places: dict[tuple[str, int], tuple[list[int], int]] = {}
        """(writer, sequence) of a decision of this process without an outcome → the request's runs, and which it is."""
        self.expire()

    def expire(self) -> None:
        """Forget every session; keeps runs of this process that are not settled."""
        self._sessions: dict[str, dict[str, list[int]]] = {}
        self._count = 0

    def begin(self, session: str) -> None:
        """Track a session that has no entry yet."""
        if self._count >= MAX_RUNS:
            self.expire()
        self._count += 1
        self._sessions[session] = {}

    def find(self, session: str, request_id: str) -> list[int] | None:
        """The outcome of each run of a request: 0, `ENDED` or `PAUSED`; None if only the database knows."""
        runs = self._sessions.get(session)
        return None if runs is None else runs.get(request_id, [])

    def add(self, session: str, request_id: str, place: tuple[str, int]) -> None:
        """Add a run, with the (writer, sequence) of its decision."""
        if self._count >= MAX_RUNS:
            self.expire()
        self._count += 1
        outcomes = self._sessions.get(session, {}).setdefault(request_id, [])
        if len(self.open_places) >= MAX_RUNS:
            self.open_places.clear()
        self.open_places[place] = outcomes, len(outcomes)
        outcomes.append(0)

    def settle(self, place: tuple[str, int], mark: int) -> None:
        """Record the outcome of the run of the decision at (writer, sequence)."""
        open_place = self.open_places.pop(place, None)
        if open_place is not None:
            open_place[0][open_place[1]] = mark


@dataclass(slots=True)
class TenantImage:
    """Cached rows of one tenant as the open transaction sees them; see the module.

    Args:
        home: folder of the home.
        kek: content key of the home, which wraps those of subjects.
        sketch_key: key of the session sketches.
        references: makes the keyed references that replace names.
        control: what is in force, None if it has to be read.
        history: people, mode and restrictions as the signed entries of `history_places` say it; kept by `clear`.
        history_places: (writer, sequence) of each of those entries, oldest first.
        floors: see `FloorMemory`; kept by `clear`.
        policy: hash of the policy that this writer has put in force, empty if it has none; kept by `clear`, taken
            back with its transaction, and empty again for the next writer.
        stops: stops as last read; used while nothing can be read.
        revocations: the same of revocations.
        next_index: position of the next entry, None if it has to be read.
        standing: agent → its standing passport, or None.
        standing_history: the entries that issued standing passports; kept by `clear`.
        baselines: agent → hash of the score in force, empty for none.
        quotas: account → (version, state), or None.
        taint_end: number of the newest row of stored fingerprints and the digest over all, None if it has to be
            read.
        keys: subject → the key for new content, for subjects known not to be erased.
        taint_index: the stored fingerprints that were read.
        parts: names of parts that are stored.
        tried_parts: names of parts that were sent as new ones; kept by `clear`.
        runs: the runs that were allowed.
        uses: (agent, resource) → how often it was used.
        unwritten_uses: (agent, resource) → uses by this process that are not in a row yet; kept by `clear`.
        marks: mark of an item of a conversation → what is known of it, None for nothing.
        clearances: digest of a store or a tool → when and how often a person has cleared it.
        newest_clearance: number of the newest row of fingerprints at the last clearance, None if it has to be read.
        repeat_index: words that exposed models wrote.
        has_current_repeats: whether `repeat_index` holds all that the database has.
        knows_all_marks: whether `marks` is complete, None if that has to be read.
        marks_written: rows of `mark` that this process has written; now and then expired ones are removed.
        answers: scope → its active remembered answers.
        has_answers: whether there is any active one, None if that has to be read.
        answer_kinds: kind of active answer → until when there is one, once that was read.
        denials_end_us: until when an override that forbids is in force by an entry, None if that has to be read.
        answer_verdicts: active row → whether entries say that its answer is in force (`store.answer_entries`).
        answer_history: the entries that gave or ended answers; kept by `clear`.
        use_history: the decisions that rest on answers; kept by `clear`.
        denial_history: the entries that gave overrides which forbid; kept by `clear`.
        noted_answers: rows of which a difference was recorded; kept by `clear`.
        counted_uses: account → (version, sequence number) of the newest uses by this process; kept by `clear`.
        answered_until_us: until when there may be an answer that serves a later run; kept by `clear`.
        known: (kind, digest) → whether the operator declared the value as known.
        known_history: the entries that declared known values, or took them back; kept by `clear`.
        identity_history: the entries that say how the risk of people changed; kept by `clear`.
        profile_versions: the newest version of each profile, as the entries say; kept while others expire.
        has_known: whether any value was declared as known, None if that has to be read.
        held: acts that are held, None if they have to be read.
        profiles: (kind, subject) → the profile of an identity, the least recently used first.
        current_profiles: keys of `profiles` that nobody else has changed since they were read.
        open_tallies: the newest tallies of each open session of this process.
        people: reference of a person or service account → what a decision reads of its risk, None for no row.
        user_texts: session → the user's newest messages that this process has seen, oldest first; kept by `expire`.
        states: session → its state, the least recently used first.
        chunks_in_memory: rows of sketches that memory holds, at least as many as there are.
        current_sessions: sessions whose entry in `states` agrees with their row, or with there being none.
    """

    kek: bytes = field(repr=False)
    sketch_key: bytes = field(repr=False)
    references: References = field(repr=False)
    home: Path = Path()
    control: Control | None = None
    history: ControlHistory | None = None
    history_places: tuple[tuple[str, int], ...] = ()
    floors: FloorMemory = field(default_factory=FloorMemory)
    policy: str = ""
    stops: tuple[Stop, ...] = ()
    revocations: tuple[Revocation, ...] = ()
    next_index: int | None = None
    standing: dict[str, StandingPassport | None] = field(default_factory=dict)
    standing_history: EntryHistory[str, StandingPassport] = field(default_factory=EntryHistory)
    baselines: dict[str, str] = field(default_factory=dict)
    quotas: dict[str, tuple[int, bytes] | None] = field(default_factory=dict)
    taint_end: tuple[int, str] | None = None
    taint_index: TaintIndex = field(default_factory=TaintIndex)
    keys: dict[str, ContentKey] = field(default_factory=dict, repr=False)
    parts: set[str] = field(default_factory=set)
    tried_parts: set[str] = field(default_factory=set)
    runs: RunLog = field(default_factory=RunLog)
    uses: dict[tuple[str, str], int] = field(default_factory=dict)
    unwritten_uses: dict[tuple[str, str], int] = field(default_factory=dict)
    marks: dict[bytes, ItemMark | None] = field(default_factory=dict)
    clearances: dict[bytes, Clearance] = field(default_factory=dict)
    newest_clearance: int | None = None
    repeat_index: RepeatIndex = field(default_factory=RepeatIndex)
    has_current_repeats: bool = False
    knows_all_marks: bool | None = None
    marks_written: int = 0
    answers: dict[str, tuple[AnswerRow, ...]] = field(default_factory=dict)
    has_answers: bool | None = None
    answer_kinds: dict[str, int] = field(default_factory=dict)
    denials_end_us: int | None = None
    answer_verdicts: dict[AnswerRow, bool] = field(default_factory=dict)
    answer_history: EntryHistory[tuple[str, bool], tuple[str, str, str]] = field(default_factory=EntryHistory)
    use_history: EntryHistory[str, tuple[int, str]] = field(default_factory=EntryHistory)
    denial_history: EntryHistory[str, tuple[str, str, int, str]] = field(default_factory=EntryHistory)
    noted_answers: set[str] = field(default_factory=set)
    counted_uses: dict[str, deque[tuple[int, int]]] = field(default_factory=dict)
    answered_until_us: int | None = None
    known: dict[tuple[str, str], bool] = field(default_factory=dict)
    known_history: EntryHistory[tuple[str, str], bool] = field(default_factory=EntryHistory)
    identity_history: EntryHistory[str, int] = field(default_factory=EntryHistory)
    has_known: bool | None = None
    held: tuple[HeldRow, ...] | None = None
    profiles: OrderedDict[tuple[str, str], StoredProfile] = field(default_factory=OrderedDict, repr=False)
    current_profiles: set[tuple[str, str]] = field(default_factory=set)
    profile_versions: ProfileVersions = field(default_factory=ProfileVersions)
    open_tallies: OpenTallies = field(default_factory=OpenTallies)
    people: dict[str, PersonHead | None] = field(default_factory=dict)
    user_texts: OrderedDict[str, deque[UserText]] = field(default_factory=OrderedDict, repr=False)
    states: OrderedDict[str, SessionState] = field(default_factory=OrderedDict)
    current_sessions: set[str] = field(default_factory=set)
    chunks_in_memory: int = 0
    _memories: OrderedDict[str, SessionMemory] = field(default_factory=OrderedDict)

    def find_mode(self, option: Mode | None, now_us: int, mono_us: int) -> Mode:
        """The mode in force: the requested one, but never below the floor.

        Args:
            option: what the application asked for, None for nothing.
            now_us: wall clock, microseconds since the epoch.
            mono_us: monotonic clock, microseconds.
        """
        control, enforce = self.control, Mode.ENFORCE
        # INVARIANT: FLOOR - an application may ask for more than the floor and not for less.
        if control is None or option is enforce:
            return enforce
        if control.waiver is None or control.mode is not enforce:
            return control.mode
        return Mode.OBSERVE if self.floors.lasts(control.waiver, now_us, mono_us) else Mode.ENFORCE

    def remember_user_texts(self, session: str, texts: Iterable[UserText]) -> None:
        """Remember the messages of a user, oldest first, while they are among the newest."""
        kept = self.user_texts[session] = deque(texts, maxlen=_MAX_USER_TEXTS)
        while len(kept) > 1 and sum(len(item.text) for item in kept) > _MAX_USER_CHARS:
            kept.popleft()
        self.user_texts.move_to_end(session)
        while len(self.user_texts) > _MAX_SESSIONS_WITH_TEXTS:
            self.user_texts.popitem(last=False)

    def expire(self) -> None:
        """Forget what another connection may have changed.

        INVARIANT: REV - a stop, a revocation, a mode or a spent budget of another process counts at the next decision.
        """
        self.control = None
        self.next_index = None
        self.taint_end = self.newest_clearance = None
        self.parts.clear()
        self.has_current_repeats = False
        self.knows_all_marks = None
        for rows in (
            self.standing,
            self.baselines,
            self.quotas,
            self.keys,
            self.uses,
            self.marks,
            self.clearances,
            self.answers,
            self.answer_verdicts,
            self.known,
            self.people,
        ):
            rows.clear()
        self.has_answers = self.denials_end_us = self.answered_until_us = None
        self.has_known = None
        self.held = None
        self.current_profiles.clear()
        self.runs.expire()
        self.current_sessions.clear()

    def expire_shared(self, newest_taint: int) -> None:
        """Forget what other writers may have changed without a change of control, as a transaction begins.

        What has a version (sessions, quotas) stays: a stale one is found when it is written.

        Args:
            newest_taint: number of the newest row of stored fingerprints.
        """
        self.marks.clear()
        self.knows_all_marks = False  # others add to them at any moment
        self.has_current_repeats = False
        if len(self.quotas) >= MAX_ACCOUNTS:  # only here: what was read is not forgotten before it is written
            self.quotas.clear()
        if self.taint_end is not None and self.taint_end[0] != newest_taint:
            self.taint_end = None

    def clear(self) -> None:
        """Forget everything."""
        self.expire()
        self.runs.open_places.clear()
        self.taint_index = TaintIndex()
        self.repeat_index = RepeatIndex()
        self.parts.clear()
        self.profiles.clear()
        self.profile_versions.clear()
        self.open_tallies.clear()
        self.states.clear()
        self._memories.clear()
        self.chunks_in_memory = 0

    def forget_entries(self, writer: str, seq: int) -> None:
        """Forget entries of a writer from a sequence number on, which were rolled back."""
        histories: tuple[EntryHistory[Any, Any], ...] = (
            self.standing_history,
            self.known_history,
            self.identity_history,
            self.answer_history,
            self.use_history,
            self.denial_history,
        )
        for history in histories:
            history.forget_from(writer, seq)
        self.noted_answers.clear()
        for counted in self.counted_uses.values():
            while counted and counted[-1][1] >= seq:
                counted.pop()
        self.floors.store = ""  # it may have been made there
        if any(place[0] == writer and place[1] >= seq for place in self.history_places):
            self.history, self.history_places = None, ()

    def try_part(self, name: str) -> bool:
        """Whether a part may be sent as new; true only once for each part, since it may turn out to be stored."""
        if name in self.tried_parts:
            return False
        if len(self.tried_parts) >= MAX_KEYS:
            self.tried_parts.clear()
        self.tried_parts.add(name)
        return True

    def remember_part(self, name: str) -> None:
        """Note that a part is stored."""
        if len(self.parts) >= MAX_KEYS:
            self.parts.clear()
        self.parts.add(name)

    def remember_mark(self, mark: bytes, item: ItemMark | None) -> None:
        """Remember the facts about an item of a conversation."""
        if len(self.marks) >= MAX_KEYS:
            self.marks.clear()
            self.knows_all_marks = False
        self.marks[mark] = item

    # profiles

    def put_profile(self, key: tuple[str, str], stored: StoredProfile) -> None:
        """Cache a profile that was read or is about to be written."""
        self.profiles[key] = stored
        self.profiles.move_to_end(key)
        self.current_profiles.add(key)
        while len(self.profiles) > MAX_PROFILES:
            self.current_profiles.discard(self.profiles.popitem(last=False)[0])

    # content keys

    def remember_key(self, subject: str, key: ContentKey) -> ContentKey:
        """Cache the content key of a subject that is not erased."""
        if len(self.keys) >= MAX_KEYS:
            self.keys.clear()
        self.keys[subject] = key
        return key

    # sessions

    def parse_session(self, session: str, data: bytes | None) -> SessionState | None:
        """The state in a row, as `SessionState.from_bytes` would return it; None if there is no row.

        INVARIANT: REPLAY - a state that was parsed before is returned only for exactly the bytes it came from.
        """
        if data is None:
            self.states.pop(session, None)
            self._mark_current(session)
            return None
        cached_state = self.states.get(session)
        if cached_state is None or cached_state.to_bytes() != data:
            cached_state = SessionState.from_bytes(data)
        return self._keep(session, cached_state)

    def put_session(self, state: SessionState) -> None:
        """Cache a state that is about to be written."""
        session = state.view.id
        if session in self.current_sessions and session in self.states:  # as it is for all but the first of a session
            self.states[session] = state
            self.states.move_to_end(session)
        else:
            self._keep(session, state)
        self.open_tallies.put(state)

    def _keep(self, session: str, state: SessionState) -> SessionState:
        self.states[session] = state
        self.states.move_to_end(session)
        if len(self.current_sessions) >= 2 * MAX_STATES:
            self._mark_current(session)
        self.current_sessions.add(session)
        if len(self.states) > MAX_STATES:
            self.current_sessions.discard(self.states.popitem(last=False)[0])
        return state

    def _mark_current(self, session: str) -> None:
        if len(self.current_sessions) >= 2 * MAX_STATES:  # names of sessions without a row
            self.current_sessions.clear()
        self.current_sessions.add(session)

    def get_memory(self, session: str) -> SessionMemory:
        """Sketch and profile of a session in memory; empty for a new session."""
        memory = self._memories.get(session)
        if memory is None:
            self._make_room_for_memory()
            memory = self._memories[session] = SessionMemory(Sketch(self.sketch_key), Profile(self.sketch_key[:64]))
        self._memories.move_to_end(session)
        return memory

    def _make_room_for_memory(self) -> None:
        memories = self._memories
        while memories and (len(memories) >= MAX_MEMORIES or self.chunks_in_memory > MAX_CHUNKS):
            self.chunks_in_memory -= memories.popitem(last=False)[1].chunks
        if not memories:
            self.chunks_in_memory = 0
