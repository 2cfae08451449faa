"""Sessions of a ledger, labelled by the verdicts on them, as a model is trained on them.

A session is ordinary if no action of it was judged an attack. In a session that was judged an attack, the actions that
the verdicts name are malicious, whether they ran or were stopped; the actions before them are ordinary, and those after
them are left open. Such a session is left out if no verdict names an action. Any other action that did not run is left
out too, as it is from a baseline.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from hashlib import sha256
from typing import Any, Final

from halo_core.crypto import canonical
from halo_core.model import ActionKind, EntryKind, Impact, LedgerEntry
from halo_core.model.ledger_entry import format_entry_id
from halo_core.quick_dataclass import dataclass
from halo_core.store.entry_lookup import read_verdict
from halo_core.store.reader import NO_END, LoggedEntry, Reader, SealedContents, read_entries
from halo_core.training.sessions import NOT_AN_ACTION, TrainingEvent, TrainingSession
from halo_core.values.language.text import MAX_READ

MAX_SESSIONS: Final = 5000
"""Sessions that a model is trained on unless somebody asks for more."""
SOURCE: Final = "ledger"
_ACTS: Final = (ActionKind.TOOL_CALL.value, ActionKind.RETRIEVAL.value)
_PARTS: Final = 5
_MIN_TASKS: Final = 10
_ACTION_ALERT: Final = "action"
_VARYING: Final = re.compile(r"\S+@\S+|\"[^\"]*\"|`[^`]*`|\S*\d\S*")
"""What differs between requests for the same task: addresses, quotations, numbers, dates, identifiers."""


@dataclass(frozen=True, slots=True)
class LedgerSelection:
    """Selects the sessions of a log to train on.

    Args:
        roles: agent → role, of the agents whose actions count.
        since_us: sessions that began before are left out, microseconds since the epoch.
        until_us: sessions that began then or later are left out.
        most: at most so many sessions: the attacks, then the newest.
    """

    roles: Mapping[str, str]
    since_us: int = 0
    until_us: int = NO_END
    most: int = MAX_SESSIONS


@dataclass(frozen=True, slots=True)
class LedgerSessions:
    """Sessions read from a log.

    Args:
        sessions: in log order, one for each role that acted in a session.
        positions: first and last position in the log of their actions.
        period_us: time of the first and of the last of their actions, microseconds since the epoch.
        unnamed_attacks: sessions judged an attack that are left out, since no verdict names an action.
        unjudged: ordinary sessions with an alert that nobody judged.
        older: sessions left out because there are more than `LedgerSelection.most`.
        erased: actions left out because their arguments were erased.
    """

    sessions: tuple[TrainingSession, ...]
    positions: tuple[int, int]
    period_us: tuple[int, int]
    unnamed_attacks: int
    unjudged: int
    older: int
    erased: int

    def count(self) -> dict[str, dict[str, int]]:
        """Role → number of its sessions, by label, and of its `tasks`."""
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        tasks: dict[str, set[str]] = defaultdict(set)
        for session in self.sessions:
            counts[session.suite][session.label] += 1
            tasks[session.suite].add(session.task)
        return {role: {**counts[role], "tasks": len(tasks[role])} for role in sorted(counts)}


@dataclass(slots=True)
class _Survey:
    """The facts about a log's sessions from a first pass, which opens no content."""

    roles: Mapping[str, str]
    began: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Session → (time, position) of its first action."""
    alerts: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """Alert → (kind, id of the decision, session)."""
    verdicts: dict[str, tuple[bool, str]] = field(default_factory=dict)
    """Alert or decision → whether it was an attack, by the last verdict on it, and the session."""
    attacks: dict[str, bool] = field(default_factory=dict)
    """Session → the same."""

    def add(self, logged: LoggedEntry) -> None:
        entry, body = logged.entry, logged.entry.body
        if entry.kind is EntryKind.DECISION:
            request = body["request"]
            if entry.session and request["kind"] in _ACTS and request["subject"]["agent"] in self.roles:
                self.began.setdefault(entry.session, (entry.ts_us, logged.index))
        elif entry.kind is EntryKind.ALERT:
            place = body.get("decision")
            if place is not None:
                name = format_entry_id(place["w"], place["ws"])
                self.alerts[entry.id] = (body.get("kind", ""), name, entry.session)
        elif (verdict := read_verdict(entry)) is not None:
            self.verdicts[verdict["alert"]] = (verdict["attack"], verdict["session"])
            if verdict["session"]:
                self.attacks[verdict["session"]] = verdict["attack"]

    def list_malicious(self) -> dict[str, str]:
        """Decisions that verdicts name as part of an attack: id → session."""
        named = {}
        for judged, (is_attack, session) in self.verdicts.items():
            kind, decision, _ = self.alerts.get(judged, (_ACTION_ALERT, judged, ""))
            if is_attack and kind == _ACTION_ALERT:  # an alert about a session names none of its actions
                named[decision] = session
        return named

    def choose(self, selection: LedgerSelection) -> tuple[list[str], int]:
        """Sessions to read, in log order, and how many ordinary ones there are beyond."""
        here = [name for name, (ts_us, _) in self.began.items() if selection.since_us <= ts_us < selection.until_us]
        ordinary = [name for name in here if not self.attacks.get(name)]
        room = max(selection.most - (len(here) - len(ordinary)), 0)
        older = max(len(ordinary) - room, 0)
        left_out = frozenset(ordinary[:older])
        return [name for name in here if name not in left_out], older

    def count_unjudged(self, sessions: frozenset[str]) -> int:
        """Number of these sessions with an alert without a verdict."""
        return len(
            {
                session
                for name, (_, _, session) in self.alerts.items()
                if session in sessions and name not in self.verdicts
            }
        )


def find_malicious_actions(reader: Reader, tenant: str) -> dict[str, str]:
    """Decisions that verdicts name as part of an attack: id of the entry → its session.

    They are the actions of alerts that were judged an attack, and decisions that were judged themselves.
    """
    survey = _Survey({})
    for logged in read_entries(reader, tenant, (EntryKind.ALERT, EntryKind.FEEDBACK)):
        survey.add(logged)
    return survey.list_malicious()


def read_training_sessions(
    reader: Reader,
    contents: SealedContents,
    tenant: str,
    selection: LedgerSelection,
    *,
    note: Callable[[], None] = lambda: None,
) -> LedgerSessions:
    """Read sessions with their requests, arguments and results, and label them by the verdicts on their alerts.

    Args:
        reader: the store; without names, so that a session's id is its reference.
        contents: opens sealed content.
        tenant: owner of the log.
        selection: which sessions.
        note: called for each session once its first action was read, to show progress.
    """
    survey = _Survey(selection.roles)
    kinds = (EntryKind.DECISION, EntryKind.ALERT, EntryKind.FEEDBACK)
    for logged in read_entries(reader, tenant, kinds):
        survey.add(logged)
    chosen, older = survey.choose(selection)
    drafts: dict[str, _SessionDraft] = {}
    positions: list[int] = []
    times: list[int] = []
    wanted = frozenset(chosen)
    for logged in read_entries(reader, tenant, (EntryKind.DECISION, EntryKind.OUTCOME)):
        entry = logged.entry
        if entry.session not in wanted:
            continue
        if entry.session not in drafts:
            drafts[entry.session] = _SessionDraft(entry.session)
            note()
        drafts[entry.session].add_entry(entry, contents)
        positions.append(logged.index)
        times.append(entry.ts_us)
    labelled = _Labels(selection.roles, frozenset(survey.list_malicious()), survey.attacks)
    sessions = [session for draft in drafts.values() for session in labelled.label(draft)]
    used = frozenset(session.id.rpartition("/")[0] for session in sessions)
    return LedgerSessions(
        sessions=tuple(_assign_tasks(sessions)),
        positions=(min(positions, default=0), max(positions, default=0)),
        period_us=(min(times, default=0), max(times, default=0)),
        unnamed_attacks=labelled.unnamed,
        unjudged=survey.count_unjudged(used),
        older=older,
        erased=sum(draft.erased for draft in drafts.values()),
    )


@dataclass(slots=True)
class _Action:
    """One recorded action, with its result once that is read."""

    id: str
    agent: str
    kind: str
    tool: str
    args: Mapping[str, Any]
    impact: Impact
    part: int
    ran: bool
    result: str = ""


@dataclass(slots=True)
class _SessionDraft:
    """Requests and actions of one session, in log order."""

    name: str
    requests: list[str] = field(default_factory=list)
    actions: list[_Action] = field(default_factory=list)
    erased: int = 0
    open: dict[tuple[str, int], int] = field(default_factory=dict)
    """Place of a decision without an outcome → index of its action."""

    def add_entry(self, entry: LedgerEntry, contents: SealedContents) -> None:
        """Add one entry; they come in log order."""
        if entry.kind is EntryKind.OUTCOME:
            self._add_outcome(entry, contents)
            return
        request = entry.body["request"]
        self._add_request(contents.open(entry, "request"))
        if request["context"]["trigger"]["kind"] == "user":
            self._add_request(contents.open(entry, "trigger"))
        if request["kind"] not in _ACTS or request["problem"]:
            return
        sealed = contents.open(entry, "args")
        if sealed is None:
            self.erased += 1
            return
        resource = request["resource"]
        self.open[entry.writer, entry.seq] = len(self.actions)
        self.actions.append(
            _Action(
                id=entry.id,
                agent=request["subject"]["agent"],
                kind=request["kind"],
                tool=resource["id"],
                args=canonical.from_plain(canonical.loads(sealed)),
                impact=Impact(resource["impact"]),
                part=max(len(self.requests) - 1, 0),
                ran=entry.body["dispatched"],
            )
        )

    def _add_request(self, text: bytes | None) -> None:
        words = text.decode("utf-8", "replace") if text else ""
        if words and words not in self.requests:
            self.requests.append(words)

    def _add_outcome(self, entry: LedgerEntry, contents: SealedContents) -> None:
        index = self.open.pop((entry.body["decision"]["w"], entry.body["decision"]["ws"]), None)
        output = contents.open(entry, "output") if index is not None else None
        if index is not None and output:
            # A profile looks at no more of it, and what is kept of a long log stays bounded.
            self.actions[index].result = output.decode("utf-8", "replace")[:MAX_READ]


@dataclass(slots=True)
class _Labels:
    """Turns drafts into labelled sessions."""

    roles: Mapping[str, str]
    malicious: frozenset[str]
    attacks: Mapping[str, bool]
    unnamed: int = 0

    def label(self, draft: _SessionDraft) -> Iterator[TrainingSession]:
        """The session, once for each role that acted in it; other roles' actions are context."""
        is_attack = self.attacks.get(draft.name, False)
        acted = sorted({self.roles[item.agent] for item in draft.actions if item.agent in self.roles})
        named = [role for role in acted if self._find_first(draft, role) is not None] if is_attack else acted
        self.unnamed += is_attack and not named
        for role in named:
            session = self._make_session(draft, role, self._find_first(draft, role) if is_attack else None)
            if any(event.tool != NOT_AN_ACTION for event in session.events):
                yield session

    def _find_first(self, draft: _SessionDraft, role: str) -> int | None:
        """Index of the first action of a role that served an attacker."""
        return next(
            (
                index
                for index, item in enumerate(draft.actions)
                if item.id in self.malicious and self.roles.get(item.agent) == role
            ),
            None,
        )

    def _make_session(self, draft: _SessionDraft, role: str, first: int | None) -> TrainingSession:
        events = []
        for index, item in enumerate(draft.actions):
            is_malicious: bool | None = False
            if first is not None and index >= first:
                is_malicious = True if item.id in self.malicious else None
            # What was stopped and nobody judged is no ordinary work, as little as it is for a baseline.
            is_own = self.roles.get(item.agent) == role and (item.ran or item.id in self.malicious)
            events.append(
                TrainingEvent(
                    kind=item.kind,
                    tool=item.tool if is_own else NOT_AN_ACTION,
                    args=item.args if is_own else {},
                    result=item.result,
                    error="",
                    malicious=is_malicious,
                    part=item.part,
                    turn=index,
                    impact=item.impact,
                )
            )
        return TrainingSession(
            id=f"{draft.name}/{role}",
            source=SOURCE,
            suite=role,
            model=f"part {_spread(draft.name) % _PARTS}",
            defense="",
            task="",
            goal="" if first is None else f"{role}: {draft.actions[first].tool}",
            attack="" if first is None else "judged",
            fold="A",
            label="benign" if first is None else "hijacked",
            requests=tuple(draft.requests),
            events=tuple(events),
            folder=SOURCE,
        )


def name_task(requests: Sequence[str], session: str) -> tuple[str, str, str]:
    """Names of a session's task, from coarse to fine.

    The first is shared by requests that differ in addresses, quotations, numbers and identifiers alone, the second by
    equal requests, the last by no other session.
    """
    first, own = (requests[0] if requests else ""), f"session {_digest(session)}"
    if not first:
        return own, own, own
    kind = " ".join(_VARYING.sub("#", first.casefold()).split())
    return f"kind {_digest(kind)}", f"request {_digest(first)}", own


def _assign_tasks(sessions: Sequence[TrainingSession]) -> list[TrainingSession]:
    """The sessions with their tasks and folds.

    A role whose requests are all of a few kinds has finer tasks, since a model is tested on tasks that it has not seen.
    Each role's tasks are halved, so that both halves are there with few tasks.
    """
    names = {session.id: name_task(session.requests, session.id) for session in sessions}
    of_role: dict[str, list[str]] = defaultdict(list)
    for session in sessions:
        of_role[session.suite].append(session.id)
    tasks: dict[str, str] = {}
    fold: dict[tuple[str, str], str] = {}
    for role, some in of_role.items():
        level = next((at for at in (0, 1) if len({names[name][at] for name in some}) >= _MIN_TASKS), 2)
        tasks.update((name, names[name][level]) for name in some)
        distinct = sorted({tasks[name] for name in some}, key=lambda task: (_spread(task), task))
        fold.update(((role, task), "AB"[rank % 2]) for rank, task in enumerate(distinct))
    return [
        replace(session, task=tasks[session.id], fold=fold[session.suite, tasks[session.id]]) for session in sessions
    ]


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def _spread(text: str) -> int:
    """A number that depends on a text alone."""
    return int(_digest(text), 16)
