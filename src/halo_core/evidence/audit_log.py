"""A tenant's log as questions read it: verified, as a stream, and selected by time and by subject.

    log = AuditLog(reader, tenant, home=home, now_us=now_us, query=format_query("who-touched", period, label="chd"))
    answer = ask(log, period, answer_who_touched, label="chd")

The first read verifies the whole log (`verified_log`); later reads see the same state of the database. A question keeps
no more in memory than its answer needs, however long the log is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Concatenate, Final, NamedTuple, ParamSpec, TypeVar

import orjson

from halo_core.crypto.keys import KeyStore
from halo_core.decision.record_parts import make_default_acting, unpack_digest
from halo_core.errors import CannotDecide, ConfigError, NotVerified, Tampered
from halo_core.evidence.answers import END_US, Answer, Period, Population, Verdict, describe_tool
from halo_core.evidence.facts import (
    RUN_EFFECTS,
    Action,
    AuditEntry,
    DecisionFacts,
    DecisionFilter,
    FrameFacts,
    OutcomeFacts,
    read_outcome,
    read_place,
)
from halo_core.evidence.verified_log import BLOCK, VerifiedLog, encode_root, verify_log
from halo_core.ledger.control_history import ControlHistory
from halo_core.model import EntryKind
from halo_core.references import is_reference
from halo_core.store.reader import Reader
from halo_core.views.log_query import find_session_reference
from halo_core.views.wording import format_count

__all__ = [
    "END_US",
    "MALFORMED",
    "Action",
    "AuditEntry",
    "AuditLog",
    "DecisionFacts",
    "DecisionFilter",
    "OutcomeFacts",
    "ask",
    "describe_unknown",
    "read_place",
]

MALFORMED: Final = (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError)
"""Exceptions raised by reading a body that does not have the form of its kind."""
_MAX_CACHED: Final = 8192
_NAMES_CLOSED: Final = "names stay references: this home has no content.key to open them with"
_MAX_PEOPLE: Final = 65_536
_MAX_NAMES: Final = 10
_P = ParamSpec("_P")
_T = TypeVar("_T")


class _ResourceFacts(NamedTuple):
    kind: str
    id: str
    impact: str
    labels: tuple[str, ...]
    system: str


SKEW_US: Final = 60_000_000
"""How far the clocks of hosts may differ, microseconds."""


def describe_misdated(count: int) -> str:
    """A sentence about entries that a wrong clock dated out of a period."""
    entries = (
        "1 entry among those of the period has a time"
        if count == 1
        else f"{count} entries among those of the period have times"
    )
    return f"{entries} outside of it or in the future: clocks were wrong, and what these say is not counted"


class AuditLog:
    """One tenant's log as questions read it: its entries, decisions, actions and outcomes.

    Args:
        reader: the store; with names (`Reader.use_names`) it takes and opens names of people and sessions.
        tenant: owner of the log.
        home: folder with the trusted key and the anchor; without it nothing can be verified.
        now_us: the present, microseconds since 1970.
        query: the command in canonical form, for the answer.
    """

    def __init__(self, reader: Reader, tenant: str, *, home: Path | None, now_us: int, query: str = "") -> None:
        self.reader = reader
        self.tenant = tenant
        self.home = home
        self.now_us = now_us
        self.query = query
        self._verified: VerifiedLog | None = None
        self._frames: dict[str, FrameFacts] = {}
        self._resources: dict[str, _ResourceFacts] = {}
        self._people: dict[str, int] = {}
        self._names: dict[str, str] = {}
        self._sessions: dict[str, str] = {}
        self._current: AuditEntry | None = None

    @property
    def verified(self) -> VerifiedLog:
        """The result of verifying the log, which the first use does.

        Raises:
            NotVerified: the log is not whole, or no key of it is trusted.
        """
        if self._verified is None:
            self._verified = verify_log(self.reader, self.tenant, self.home)
        return self._verified

    @property
    def store_id(self) -> str:
        """Id of the store; empty if the tenant has no control row."""
        return self.reader.store_id(self.tenant)

    def make_control_history(self) -> ControlHistory:
        """An empty history of control acts of this log, to be filled with their entries."""
        return ControlHistory(self.tenant, self.store_id)

    @property
    def current(self) -> AuditEntry | None:
        """The entry read last; None before the first."""
        return self._current

    def population(self, period: Period, counted: int, what: str) -> Population:
        """The numbers on which an answer about a period is based."""
        verified = self.verified
        times = (period.from_us, period.to_us)
        spans = verified.iter_spans(*times)
        first = next((index for span in spans for index in self.reader.positions(self.tenant, span, times)), -1)
        last = self._last_position(period)
        size, root = (0, "") if verified.head is None else (verified.head.size, encode_root(verified.head))
        beyond_head = (size, verified.size)
        uncovered = sum(1 for _ in self.reader.positions(self.tenant, beyond_head, times)) if last >= size else 0
        return Population(counted, what, first, last, size, root, uncovered)

    def count_misdated(self, period: Period) -> int:
        """How many entries have an impossible time; no answer about the period counts them.

        They lie between the first and the last entry of the period and are dated outside it, or are of the future,
        by more than `SKEW_US`.
        """
        before_us, after_us = period.from_us - SKEW_US, period.to_us + SKEW_US
        future_us = self.now_us + SKEW_US if self.now_us else END_US
        place = self.population(period, 0, "")
        count = 0
        for number, (earliest, latest) in enumerate(self.verified.blocks):
            start, end = number * BLOCK, min((number + 1) * BLOCK, self.verified.size)
            inner = max(start, place.first_index), min(end, place.last_index + 1)
            if inner[0] < inner[1] and earliest < before_us:
                count += sum(1 for _ in self.reader.positions(self.tenant, inner, (0, before_us)))
            if inner[0] < inner[1] and latest >= after_us:
                count += sum(1 for _ in self.reader.positions(self.tenant, inner, (after_us, END_US)))
            if latest >= future_us and end > place.last_index + 1 >= 1:
                span = max(start, place.last_index + 1), end
                count += sum(1 for _ in self.reader.positions(self.tenant, span, (future_us, END_US)))
        return count

    def _last_position(self, period: Period) -> int:
        """Position of the last entry of a period; -1 where it has none."""
        times = (period.from_us, period.to_us)
        spans = reversed(list(self.verified.iter_spans(*times)))
        return next((index for span in spans for index in self._last_in(span, times)), -1)

    def _last_in(self, span: tuple[int, int], times: tuple[int, int]) -> Iterator[int]:
        """The last position of a span with such a time, if it has one."""
        end = span[1]
        while end > span[0]:
            start = max(span[0], (end - 1) // BLOCK * BLOCK)
            indexes = list(self.reader.positions(self.tenant, (start, end), times))
            if indexes:
                yield indexes[-1]
                return
            end = start

    def entries(self, kinds: Iterable[EntryKind], period: Period, *, session: str = "") -> Iterator[AuditEntry]:
        """Entries of some kinds (none: of all) in a period, in log order; `session` is a name or a reference."""
        names = tuple(str(kind) for kind in kinds)
        times = (period.from_us, period.to_us)
        reference = self.refer_session(session)
        for span in self.verified.iter_spans(*times):
            for row in self.reader.entry_rows(self.tenant, names, reference, span, times):
                body = _read_body(row.position, row.text)
                if "actor" in body and type(body["actor"]) is str:
                    self._note_person(body["actor"], row.position)
                self._current = AuditEntry(row.position, row.writer, row.seq, row.kind, row.ts_us, row.session, body)
                yield self._current

    def decisions(self, wanted: DecisionFilter) -> Iterator[DecisionFacts]:
        """Decisions that match a filter, in log order.

        Raises:
            Tampered: a decision or a part of it cannot be read.
        """
        for entry in self.entries((EntryKind.DECISION,), wanted.period, session=wanted.session):
            facts = self.read_decision(entry, wanted)
            if facts is not None:
                yield facts

    def actions(self, wanted: DecisionFilter) -> Iterator[Action]:
        """Decisions that match a filter, each with its outcome, wherever in the log that is.

        They come in the order of their outcomes; actions without a recorded outcome come last.
        """
        waiting: dict[str, DecisionFacts] = {}
        until_end = Period(wanted.period.from_us, END_US)
        last = self._last_position(wanted.period)
        for entry in self.entries((EntryKind.DECISION, EntryKind.OUTCOME), until_end, session=wanted.session):
            if entry.kind == EntryKind.OUTCOME:
                outcome = read_outcome(entry)
                decision = waiting.pop(outcome.decision, None)
                if decision is not None:
                    yield Action(decision, outcome)
            elif wanted.period.contains(entry.ts_us):
                facts = self.read_decision(entry, wanted)
                if facts is not None and facts.dispatched:
                    waiting[facts.id] = facts
                elif facts is not None:
                    yield Action(facts, None)
            if entry.index >= last and not waiting:
                return
        for decision in waiting.values():
            yield Action(decision, None)

    def read_decision(self, entry: AuditEntry, wanted: DecisionFilter) -> DecisionFacts | None:
        """The facts of a decision's entry; None if it does not match the filter, whose period is ignored.

        Raises:
            Tampered: the decision or a part of it cannot be read.
        """
        try:
            users = self.reader.find_person(wanted.user) if wanted.user else None
            return self._read_decision(entry, wanted, users)
        except MALFORMED as exc:
            raise Tampered("malformed_entry", f"the entry {entry.id} holds no decision: {exc}") from exc

    def _read_decision(
        self, entry: AuditEntry, wanted: DecisionFilter, users: frozenset[str] | None
    ) -> DecisionFacts | None:
        body = entry.body
        frame, resource = self.read_frame(body["frame"], entry.index), self._read_resource(body["resource"])
        decision = body.get("decision", _NOTHING)
        effect = decision.get("effect", "allow")
        if (
            (wanted.effects and effect not in wanted.effects)
            or (wanted.agent and frame.agent != wanted.agent)
            or (users is not None and frame.user not in users)
            or (wanted.tool and not fnmatchcase(resource.id, wanted.tool))
            or (wanted.system and resource.system != wanted.system)
            or (wanted.label and wanted.label not in resource.labels)
            or (wanted.ids is not None and entry.id not in wanted.ids)
            or (wanted.session and entry.session != self.refer_session(wanted.session))
        ):
            return None
        reasons = decision.get("reasons", _GRANTED)
        return DecisionFacts(
            entry.index,
            entry.id,
            entry.ts_us,
            entry.session,
            *frame[1:],
            *(resource.kind, resource.id, resource.impact, resource.labels, resource.system),
            effect,
            tuple([item["code"] for item in reasons]),
            tuple([item.get("source", "") for item in reasons]),
            body.get("dispatched", effect in RUN_EFFECTS),
            body["args"],
            body["seen"].get("approval"),
            tuple([(str(item[0]), str(item[1])) for item in body.get("links", ())]),
            body.get("trace", ""),
            body,
        )

    def read_frame(self, name: str, index: int) -> FrameFacts:
        """The frame of a decision.

        Args:
            name: name of the part.
            index: position of the decision, by which the name of its person can be found.

        Raises:
            Tampered: a part is missing or was changed.
            AttributeError, KeyError, TypeError, ValueError: a part has another form.
        """
        frame = self._frames.get(name)
        if frame is None:
            read_part = self.reader.part_reader(self.tenant)
            tree = read_part(name)
            agent, user = tree["agent"], tree.get("user", "")
            acting = tuple(tree.get("acting", make_default_acting(user, agent)))
            chain = tuple(unpack_digest(item) for item in tree["chain"])
            frame = FrameFacts(name, agent, user, acting, chain, read_part(tree["host"]))
            self._note_person(user, index)
            _keep(self._frames, name, frame, _MAX_CACHED)
        return frame

    def _read_resource(self, name: str) -> _ResourceFacts:
        resource = self._resources.get(name)
        if resource is None:
            tree = self.reader.part_reader(self.tenant)(name)
            labels = tuple(tree["labels"])
            resource = _ResourceFacts(tree["kind"], tree["id"], tree["impact"], labels, tree.get("system", ""))
            _keep(self._resources, name, resource, _MAX_CACHED)
        return resource

    def outcomes(self, period: Period) -> Iterator[OutcomeFacts]:
        """Outcomes recorded in a period, in log order; the last decisions' outcomes may come later."""
        for entry in self.entries((EntryKind.OUTCOME,), period):
            yield read_outcome(entry)

    def refer_person(self, name: str) -> str:
        """Reference of a person, given the name or the reference."""
        names = self.reader.names
        return name if not name or names is None or is_reference(name) else names.refer_person(name)

    def refer_session(self, name: str) -> str:
        """Reference of a session, given its name (an adapter's `thread:` may be left out) or the reference."""
        if not name:
            return ""
        if name not in self._sessions:
            _keep(self._sessions, name, find_session_reference(self.reader, self.tenant, name), _MAX_CACHED)
        return self._sessions[name]

    def _note_person(self, reference: str, index: int) -> None:
        if reference and reference not in self._people and len(self._people) < _MAX_PEOPLE:
            self._people[reference] = index

    def name_of(self, reference: str) -> str:
        """A person's name, if an entry read here holds it and the home can open it; else the reference."""
        if reference not in self._names and reference in self._people and self.reader.names is not None:
            index = self._people[reference]
            note = self.reader.note_at_index(self.tenant, index)
            if note is not None:
                entry = self.reader.read_entry(note)
                if entry.kind is EntryKind.DECISION:
                    name = self.reader.names.show_people(entry).get(reference, reference)
                else:
                    name = str(self.reader.names.restore(entry).body.get("actor", reference))
                _keep(self._names, reference, name, _MAX_CACHED)
        return self._names.get(reference, reference)

    def conclude(
        self,
        period: Period,
        *,
        counted: int,
        what: str,
        claim: str,
        verdict: Verdict | None = None,
        findings: Sequence[str] = (),
        columns: Sequence[str] = (),
        rows: Iterable[Mapping[str, Any]] = (),
        notes: Sequence[str] = (),
        query: str = "",
    ) -> Answer:
        """Make an answer. Its verdict is `cannot_tell` where the period has no entries or the log no checkpoint.

        Args:
            period: period of the question.
            counted: number of things that the answer is about.
            what: what was counted, in words, such as `decisions`.
            claim: one sentence that holds or does not.
            verdict: whether it holds; None makes it `fails` if there are findings, else `holds`.
            findings: each exception in a sentence.
            columns: keys of the rows, in order.
            rows: rows of JSON values.
            notes: limits of the answer.
            query: command in canonical form, in place of the log's.
        """
        population = self.population(period, counted, what)
        if verdict is None:
            verdict = Verdict.FAILS if findings else Verdict.HOLDS
        if population.first_index < 0:
            findings, verdict = (*findings, "the log has no entry in this period"), Verdict.CANNOT_TELL
        elif self.verified.head is None:
            findings, verdict = (*findings, "no checkpoint of the log was signed yet"), Verdict.CANNOT_TELL
        return Answer(
            query or self.query,
            self.tenant,
            period,
            population,
            claim,
            verdict,
            tuple(findings),
            tuple(columns),
            tuple(rows),
            (*notes, *self._describe_limits(period, columns)),
            describe_tool(),
        )

    def _describe_limits(self, period: Period, columns: Sequence[str]) -> Iterator[str]:
        """Notes on the limits of this answer."""
        if misdated := self.count_misdated(period):
            yield f"{describe_misdated(misdated)}: `halo report --check time`"
        unplaced = self.verified.unplaced
        if unplaced:
            yield f"{format_count(unplaced, 'entry', 'entries')} have no position in the log yet, and are not counted"
        keys = KeyStore(self.home).names() if self.home is not None and self.reader.names is not None else ()
        if "person" in columns and "content" not in keys:
            yield _NAMES_CLOSED

    def cannot_tell(self, period: Period, finding: str, *, claim: str = "", query: str = "") -> Answer:
        """The answer if the log cannot be read or is not whole."""
        population = Population(0, "entries", -1, -1, 0, "")
        claim = claim or "the question can be answered"
        return Answer(
            *(query or self.query, self.tenant, period, population, claim, Verdict.CANNOT_TELL, (finding,)),
            *((), (), (), describe_tool()),
        )

    def find_unknown(self, wanted: DecisionFilter) -> tuple[str, ...]:
        """Findings for an agent, tool, system, label, person or session of a filter that no decision has ever had.

        It may read all decisions, so it should only be called where nothing matched.
        """
        registered = self._list_registered()
        if any(not _is_known(name, getattr(wanted, name), values) for name, values in registered.items()):
            for item in self.decisions(DecisionFilter(Period(0, END_US))):
                registered["agent"].add(item.agent)
                registered["tool"].add(item.resource)
                registered["system"].add(item.system)
                registered["label"].update(item.labels)
        terms = {name: str(getattr(wanted, name)) for name in registered}
        findings = [
            describe_unknown(name, terms[name], values)
            for name, values in registered.items()
            if not _is_known(name, terms[name], values)
        ]
        if wanted.user and not any(True for _ in self.decisions(DecisionFilter(Period(0, END_US), user=wanted.user))):
            reference = self.refer_person(wanted.user)
            hint = "write the name as the application gives it, or the reference that a question shows"
            findings.append(f"no decision was made for the person `{reference}`; {hint}")
        if wanted.session and not self.reader.has_session(self.tenant, self.refer_session(wanted.session)):
            findings.append(f"there is no session with the reference `{self.refer_session(wanted.session)}`")
        return tuple(findings)

    def _list_registered(self) -> dict[str, set[str]]:
        """Agents that have a passport; ids, systems and labels of what is registered."""
        registered: dict[str, set[str]] = {"agent": set(), "tool": set(), "system": set(), "label": set()}
        always = Period(0, END_US)
        for entry in self.entries((EntryKind.PASSPORT, EntryKind.REGISTRATION), always):
            if entry.kind == EntryKind.PASSPORT:
                registered["agent"].add(str(entry.body.get("agent", "")))
                continue
            resource = entry.body.get("resource")
            if isinstance(resource, Mapping):
                registered["tool"].add(str(resource.get("id", "")))
                registered["system"].add(str(resource.get("system", "")))
                registered["label"].update(map(str, resource.get("labels", ())))
        return registered


def _is_known(name: str, term: str, values: Iterable[str]) -> bool:
    if name == "tool":
        return not term or any(fnmatchcase(value, term) for value in values)
    return not term or term in values


_NOTHING: Final[Mapping[str, Any]] = {}
_GRANTED: Final = ({"code": "granted"},)


def describe_unknown(kind: str, term: str, names_in_log: Iterable[str]) -> str:
    """A finding for a name that does not occur, with similar names, or else the first that occur."""
    names = sorted(item for item in names_in_log if item)
    similar = get_close_matches(term, names, n=3, cutoff=0.5)
    suggestions = similar or names[:_MAX_NAMES]
    more = f" and {len(names) - len(suggestions)} more" if not similar and len(names) > len(suggestions) else ""
    suggestion_text = ", ".join(f"`{item}`" for item in suggestions)
    ending = f"; {'similar' if similar else 'there are'}: {suggestion_text}{more}" if suggestions else ""
    return f"no decision has the {kind} `{term}`{ending}"


def ask(
    log: AuditLog,
    period: Period,
    question: Callable[Concatenate[AuditLog, Period, _P], Answer],
    *args: _P.args,
    **options: _P.kwargs,
) -> Answer:
    """Ask a question; if the log is not whole or cannot be read, the answer is `cannot_tell` with the finding.

    The finding names an entry that is signed and does not have the form of its kind.
    """
    if period.from_us >= period.to_us:
        return log.cannot_tell(period, "the period ends before it begins")
    try:
        return question(log, period, *args, **options)
    except (NotVerified, CannotDecide) as exc:
        return log.cannot_tell(period, f"{exc.message} ({exc.code})")
    except ConfigError as exc:
        if exc.code not in _UNUSABLE:
            raise
        return log.cannot_tell(period, f"{exc.message} ({exc.code})")
    except MALFORMED as exc:
        entry = log.current
        if entry is None:
            raise
        return log.cannot_tell(period, f"unreadable entry: {entry.id} has not the form of a {entry.kind} ({exc!r})")


_UNUSABLE: Final = frozenset({"bad_trust", "bad_vkey", "schema_version", "no_trust"})


def _keep(cache: dict[str, _T], name: str, value: _T, limit: int) -> None:
    """Put a value into a cache, which is emptied first if it is full."""
    if len(cache) >= limit:
        cache.clear()
    cache[name] = value


def _read_body(index: int, text: bytes) -> Mapping[str, Any]:
    try:
        body: Mapping[str, Any] = orjson.loads(text)["body"]
    except (KeyError, TypeError, ValueError) as exc:
        raise Tampered("malformed_entry", f"the entry at position {index} cannot be read: {exc}") from exc
    return body
