"""The base class of control checks, and the pass over a log that runs many of them at once.

    answers = run_check_classes(log, period, [InventoryCheck, UnusedGrantsCheck])

The pass calls the methods of each `Check` in this order:

    add_history    entries from before the period, of the kinds in `history`
    add_decision   decisions of the period
    add            other entries of the period, of the kinds in `kinds` and `history`
    add_later      entries after the period, of the kinds in `later`, such as the outcome of an action that ran late
    finish         the last findings, rows and notes
    conclude       the answer

Memory does not grow with the log: findings are counted, and only the first ones are kept. A signed entry that does not
have the form of its kind is a finding of each check that reads it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar, Final, NamedTuple, TypeVar

from halo_core.crypto.keys import KeyStore
from halo_core.errors import ConfigError, NotVerified, PassportError, Tampered
from halo_core.evidence.answers import END_US, Answer, Period, Verdict, format_query
from halo_core.evidence.audit_log import MALFORMED, AuditEntry, AuditLog, ask
from halo_core.evidence.facts import RUN_EFFECTS, FrameFacts
from halo_core.model import Effect, Link
from halo_core.passports import ChainCache, TrustAnchors
from halo_core.replay import read_passport_keys
from halo_core.store.reader import SealedContents

MAX_FINDINGS: Final = 50
"""Findings of one check that are kept in words."""
_MAX_CACHED: Final = 8192
"""Resources, and chains of passports, that are kept while a log is read."""

_T = TypeVar("_T")
DECISION: Final = "decision"
OUTCOME: Final = "outcome"


class DecisionItem(NamedTuple):
    """A decision that a check reads.

    Args:
        entry: entry as stored.
        frame: agent, person, passports and host.
        resource: the stored part of what was acted on: `id`, `kind`, `impact`, `labels` and more.
        effect: effect of the decision.
        codes: codes of its reasons.
        ran: whether the action was allowed to run; the result is in its outcome.
    """

    entry: AuditEntry
    frame: FrameFacts
    resource: Mapping[str, Any]
    effect: str
    codes: tuple[str, ...]
    ran: bool

    @property
    def what(self) -> str:
        """The action in words."""
        return f"{self.resource['kind']} `{self.resource['id']}` of `{self.frame.agent}`"

    @property
    def where(self) -> str:
        """The decision and the action in words."""
        return f"decision {self.entry.id} ({self.what})"


class RunReader:
    """Reads what the checks of one pass need besides entries (resources, chains, contents), each only once.

    Args:
        log: the tenant's audit log.
        period: the period that is asked about.
    """

    def __init__(self, log: AuditLog, period: Period) -> None:
        self.log = log
        self.period = period
        self.as_of_us = min(log.now_us, period.to_us)
        """When deadlines are judged: at the end of the period, or now where it has not ended."""
        self._resources: dict[str, Mapping[str, Any]] = {}
        self._chains: dict[tuple[str, ...], tuple[Link, ...] | str] = {}
        self._cache = ChainCache()
        self._trusted: TrustAnchors | None = None

    @cached_property
    def contents(self) -> SealedContents:
        """Sealed content, opened where the home has the key."""
        log = self.log
        if log.home is None:
            return SealedContents(log.reader, None)
        return SealedContents.with_home_key(log.reader, KeyStore(log.home))

    def read_decision(self, entry: AuditEntry) -> DecisionItem:
        """The decision of an entry.

        Raises:
            Tampered: a part is missing or was changed, or the entry holds no decision.
        """
        body = entry.body
        try:
            verdict = body.get("decision", {})
            effect = verdict.get("effect", Effect.ALLOW.value)
            codes = tuple(item["code"] for item in verdict.get("reasons", ({"code": "granted"},)))
            ran = body.get("dispatched", effect in RUN_EFFECTS)
            frame, resource = self.log.read_frame(body["frame"], entry.index), self._read_resource(body["resource"])
        except MALFORMED as exc:
            raise Tampered("malformed_entry", f"the entry {entry.id} holds no decision: {exc}") from exc
        return DecisionItem(entry, frame, resource, effect, codes, ran)

    def _read_resource(self, name: str) -> Mapping[str, Any]:
        tree = self._resources.get(name)
        if tree is None:
            tree = self.log.reader.part_reader(self.log.tenant)(name)
            _keep(self._resources, name, tree)
        return tree

    def read_chain(self, hashes: tuple[str, ...]) -> tuple[Link, ...] | str:
        """The verified links of a chain of passports, root first; if it does not verify, the reason as a sentence.

        Args:
            hashes: hashes of the passports, root first.
        """
        verified_links = self._chains.get(hashes)
        if verified_links is None:
            verified_links = self._verify_chain(hashes)
            _keep(self._chains, hashes, verified_links)
        return verified_links

    def _verify_chain(self, hashes: tuple[str, ...]) -> tuple[Link, ...] | str:
        log = self.log
        if self._trusted is None:
            issuers, approvers = read_passport_keys(log.reader, self.contents, log.tenant)
            self._trusted = TrustAnchors(issuers=issuers, approvers=approvers)
        try:
            tokens = [(log.reader.blob(log.tenant, name) or b"").decode("ascii", "replace") for name in hashes]
            links = self._cache.verify(tokens, trusted=self._trusted, audience=None, tenant=None)
        except PassportError as exc:
            return f"{exc.message} ({exc.code})"
        if tuple(link.hash for link in links) != hashes:
            return "a passport is stored under the name of another one"
        return links


def _keep(cache: dict[Any, Any], name: Any, value: Any) -> None:
    """Put a value into a cache, which is emptied first if it is full."""
    if len(cache) >= _MAX_CACHED:
        cache.clear()
    cache[name] = value


class Check:
    """One control check: collects what entries say, then concludes with an answer.

    A subclass sets the attributes of the class, and overrides the methods `add…` and `finish`.

    Attributes of the class:
        name: stable id.
        claim: the sentence that holds or does not.
        counted: what it counts, in words.
        kinds: kinds of entries that it reads in the period; None for every kind.
        history: kinds that it reads from the beginning of the log to the end of the period.
        later: kinds that it reads after the period as well, as long as `is_waiting`.
        columns: columns of its rows.
        limits: notes that are part of each of its answers.
        fails_on_damage: it fails on a log that does not verify; other checks cannot tell then.
    """

    name: ClassVar[str]
    claim: ClassVar[str]
    unit: ClassVar[str]
    kinds: ClassVar[frozenset[str] | None] = frozenset()
    history: ClassVar[frozenset[str]] = frozenset()
    later: ClassVar[frozenset[str]] = frozenset()
    columns: ClassVar[tuple[str, ...]] = ()
    limits: ClassVar[tuple[str, ...]] = ()
    fails_on_damage: ClassVar[bool] = False

    def __init__(self, run: RunReader) -> None:
        self.run = run
        self.count = 0
        self.rows: list[Mapping[str, Any]] = []
        self.notes: list[str] = list(self.limits)
        self.unknown: list[str] = []
        self._findings: list[str] = []
        self._found = 0

    def add_history(self, entry: AuditEntry) -> None:
        """Process an entry from before the period."""

    def add(self, entry: AuditEntry) -> None:
        """Process an entry of the period that is no decision; by default like one from before it."""
        self.add_history(entry)

    def add_decision(self, decision: DecisionItem) -> None:
        """Process a decision of the period; by default like any other entry."""
        self.add(decision.entry)

    @property
    def is_waiting(self) -> bool:
        """Whether entries after the period are still needed."""
        return bool(self.later)

    def add_later(self, entry: AuditEntry) -> None:
        """Process an entry from after the period."""

    def finish(self) -> None:
        """Add the last findings, rows and notes, once every entry was processed."""

    def add_finding(self, sentence: str) -> None:
        """Add a finding; only the first ones are kept in words."""
        self._found += 1
        if len(self._findings) < MAX_FINDINGS:
            self._findings.append(sentence)

    def add_unreadable(self, entry: AuditEntry, problem: Exception) -> None:
        """Add the finding that a signed entry does not have the form of its kind."""
        self.add_finding(f"unreadable entry: {entry.id} has not the form of a {entry.kind} ({problem!r})")

    def explain_empty(self) -> str:
        """Why the check cannot tell if nothing was counted."""
        return f"there are no {self.unit} in this period"

    def list_findings(self) -> list[str]:
        """The findings in words: the first `MAX_FINDINGS`, and how many more there are."""
        more = self._found - len(self._findings)
        return [*self._findings, *([f"and {more} more"] if more else [])]

    def conclude(self) -> Answer:
        """The answer: `fails` with a finding, else `cannot_tell` if nothing was counted or something is unknown."""
        findings = self.list_findings()
        verdict = Verdict.FAILS if findings else Verdict.HOLDS
        if not findings and (self.unknown or not self.count):
            findings, verdict = self.unknown or [self.explain_empty()], Verdict.CANNOT_TELL
        else:
            self.notes += self.unknown
        return self.run.log.conclude(
            self.run.period,
            counted=self.count,
            what=self.unit,
            claim=self.claim,
            verdict=verdict,
            findings=findings,
            columns=self.columns,
            rows=self.rows,
            notes=self.notes,
            query=format_check_query(self.name, self.run.period),
        )


def format_check_query(name: str, period: Period) -> str:
    """The command that runs one check."""
    return format_query(f"report --check {name}", period)


def count_rows(counts: Counter[str], column: str, more: str = "count") -> list[Mapping[str, Any]]:
    """Rows of a counter, the highest counts first."""
    return [{column: name, more: n} for name, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]


def run_check_classes(log: AuditLog, period: Period, checks: Sequence[type[Check]]) -> dict[str, Answer]:
    """Run checks in one pass over the log; if it does not verify or cannot be read, all of them answer `cannot_tell`.

    Args:
        log: the tenant's audit log.
        period: the period that is asked about.
        checks: the checks to run.

    Returns:
        Name of the check → answer, in the order of `checks`.
    """
    answers: dict[str, Answer] = {}
    damage: list[NotVerified] = []

    def question(_room: AuditLog, _period: Period) -> Answer:
        run = RunReader(log, period)
        running = [check(run) for check in checks]
        try:
            run_pass(log, period, running)
        except NotVerified as exc:
            damage.append(exc)
            raise
        answers.update((check.name, check.conclude()) for check in running)
        return answers[running[-1].name]

    if not checks:
        return {}
    try:
        _ = log.verified
    except NotVerified as exc:
        damage.append(exc)
    except ConfigError:
        pass  # `ask` says which of them leave the question open
    answered = ask(log, period, question)
    is_damaged = any(exc.code != "no_trust" for exc in damage)
    for check in checks:
        if check.name not in answers:
            query = format_check_query(check.name, period)
            answer = log.cannot_tell(period, "; ".join(answered.findings), claim=check.claim, query=query)
            fails = is_damaged and check.fails_on_damage
            answers[check.name] = replace(answer, verdict=Verdict.FAILS) if fails else answer
    return {check.name: answers[check.name] for check in checks}


def run_pass(log: AuditLog, period: Period, running: Sequence[Check]) -> None:
    """Pass each check the entries of its kinds, in one pass over the log, and finish the checks.

    Args:
        log: the tenant's audit log.
        period: the period that is asked about.
        running: checks of one `RunReader`.

    Raises:
        NotVerified: the log is not whole, or a decision cannot be read.
    """
    for entry, readers in _route(log, [(check.history, check) for check in running], Period(0, period.from_us)):
        for check in readers:
            _give(check, check.add_history, entry, entry)
    _read_period(log, period, running)
    waiting = [(check.later, check) for check in running if check.later and check.is_waiting]
    for entry, readers in _route(log, waiting, Period(period.to_us, END_US)):
        for check in readers:
            _give(check, check.add_later, entry, entry)
        if not any(check.is_waiting for _, check in waiting):
            break
    for check in running:
        try:
            check.finish()
        except MALFORMED as exc:
            check.add_finding(f"unreadable entry: one that was read has not the form of its kind ({exc!r})")


def _read_period(log: AuditLog, period: Period, running: Sequence[Check]) -> None:
    wanted = [(None if check.kinds is None else check.kinds | check.history, check) for check in running]
    for entry, readers in _route(log, wanted, period):
        if entry.kind != DECISION:
            for check in readers:
                _give(check, check.add, entry, entry)
            continue
        decision = readers[0].run.read_decision(entry)
        for check in readers:
            _give(check, check.add_decision, decision, entry)


def _give(check: Check, process: Callable[[_T], None], item: _T, entry: AuditEntry) -> None:
    """Pass an item to a method of a check; an entry that cannot be read becomes a finding."""
    try:
        process(item)
    except MALFORMED as exc:
        check.add_unreadable(entry, exc)


def _route(
    log: AuditLog, wanted: Iterable[tuple[frozenset[str] | None, Check]], period: Period
) -> Iterator[tuple[AuditEntry, Sequence[Check]]]:
    """Entries of a period, each with the checks that read it; `wanted` holds kinds (None: all) and check."""
    wanted = list(wanted)
    if period.from_us >= period.to_us or not any(kinds is None or kinds for kinds, _ in wanted):
        return
    reads_all = any(kinds is None for kinds, _ in wanted)
    names = frozenset[str]() if reads_all else frozenset().union(*(kinds for kinds, _ in wanted if kinds))
    readers: dict[str, list[Check]] = {}
    for entry in log.entries(sorted(names), period):  # type: ignore[arg-type]  # kinds by name
        if entry.kind not in readers:
            readers[entry.kind] = [check for kinds, check in wanted if kinds is None or entry.kind in kinds]
        if readers[entry.kind]:
            yield entry, readers[entry.kind]
