"""Questions about access: to data with a label, the reach of an identity, a sample of decisions, readers of the log.

Each takes a log and a period and returns an answer (`log.ask`); each reads the log once, as a stream.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from halo_core.decision.answers import REVERSES, name_reversed_tool
from halo_core.errors import ConfigError, PassportError, Tampered
from halo_core.evidence.answers import MAX_LISTED, Answer, Period, Verdict, check_listed, format_moment
from halo_core.evidence.audit_log import (
    END_US,
    Action,
    AuditEntry,
    AuditLog,
    DecisionFacts,
    DecisionFilter,
    describe_misdated,
)
from halo_core.model import EntryKind, Grants
from halo_core.oversight.signed_entries import decode_link
from halo_core.views.wording import format_count

MAX_SAMPLE: Final = 10_000
SAMPLE_DOMAIN: Final = "halo/sample/v1"
_MAX_FINDINGS: Final = 100
GOVERNED_ONLY: Final = "it holds for actions that pass through Halo; what runs beside it is seen only where noted"


@dataclass(slots=True)
class _Tally:
    """How often, when, and whether it ran."""

    decisions: int = 0
    ran: int = 0
    unknown: int = 0
    first_us: int = END_US
    last_us: int = 0

    def add(self, action: Action) -> None:
        self.decisions += 1
        self.ran += action.ran is True
        self.unknown += action.ran is None
        self.first_us = min(self.first_us, action.decision.ts_us)
        self.last_us = max(self.last_us, action.decision.ts_us)

    def to_row(self) -> dict[str, Any]:
        times = (self.first_us, self.last_us) if self.decisions else (-1, -1)
        first, last = map(format_moment, times)
        return {
            "decisions": self.decisions,
            "first": first,
            "last": last,
            "ran": self.ran,
            "unknown": self.unknown,
        }


class _TouchingGroup(NamedTuple):
    """What the actions in one row of `answer_who_touched` share; `user` is a reference."""

    agent: str
    user: str
    resource: str
    system: str
    effect: str


class _ReachedGroup(NamedTuple):
    """What the actions in one row of `answer_reach` share; `user` is a reference."""

    agent: str
    user: str
    kind: str
    resource: str
    system: str
    labels: tuple[str, ...]
    is_granted: bool


_TALLY_COLUMNS: Final = ("decisions", "ran", "unknown", "first", "last")


@dataclass(slots=True)
class _Completeness:
    """The evidence against a list of actions being complete."""

    findings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add_finding(self, text: str) -> None:
        if len(self.findings) < _MAX_FINDINGS:
            self.findings.append(text)

    @property
    def verdict(self) -> Verdict:
        return Verdict.CANNOT_TELL if self.findings else Verdict.HOLDS


def answer_who_touched(log: AuditLog, period: Period, wanted: DecisionFilter, *, prove: bool = False) -> Answer:
    """Which agents reached data with a label (or a system, or a tool), for whom, with what effect, and whether it ran.

    The label counts where the resource has it, or the result of the action.

    Args:
        log: the tenant's audit log.
        period: period of the decisions.
        wanted: a filter with a label, a system or a tool.
        prove: also show that none is missing.
    """
    groups, unsettled = _tally_touching_actions(log, replace(wanted, period=period))
    decision_count = sum(tally.decisions for tally in groups.values())
    unknown = log.find_unknown(wanted) if not decision_count else ()
    rows = [
        {
            "agent": group.agent,
            "effect": group.effect,
            "person": log.name_of(group.user),
            "reference": group.user,
            "resource": group.resource,
            "system": group.system,
            **tally.to_row(),
        }
        for group, tally in sorted(groups.items())
    ]
    about = _describe_target(wanted)
    agents = format_count(len({group.agent for group in groups}), "agent")
    people = format_count(len({group.user for group in groups if group.user}), "person", "people")
    ending = "are all that were made" if prove else "are listed; `--prove` says whether they are all"
    claim = f"{format_count(decision_count, 'decision')} by {agents} for {people} on {about} {ending}"
    check = _check_completeness(log, period) if prove else _Completeness()
    if unsettled:
        check.notes.append(f"whether these ran is not known, no outcome says so: {', '.join(unsettled)}")
    return log.conclude(
        period,
        counted=decision_count,
        what=f"decisions on {about}",
        claim=claim,
        verdict=Verdict.CANNOT_TELL if unknown else check.verdict,
        findings=(*unknown, *check.findings),
        columns=("agent", "person", "resource", "system", "effect", *_TALLY_COLUMNS),
        rows=rows,
        notes=(*check.notes, GOVERNED_ONLY),
    )


def _tally_touching_actions(log: AuditLog, wanted: DecisionFilter) -> tuple[dict[_TouchingGroup, _Tally], list[str]]:
    """The tally of each group of actions, and ids of the first decisions of which nobody knows whether they ran.

    The label of `wanted` is compared with those of the resource and of the result together.
    """
    groups: dict[_TouchingGroup, _Tally] = {}
    unsettled: list[str] = []
    for action in log.actions(replace(wanted, label="")):
        decision, outcome = action
        if wanted.label and wanted.label not in decision.labels + (outcome.labels if outcome is not None else ()):
            continue
        group = _TouchingGroup(decision.agent, decision.user, decision.resource, decision.system, decision.effect)
        groups.setdefault(group, _Tally()).add(action)
        if action.ran is None and len(unsettled) < _MAX_FINDINGS:
            unsettled.append(decision.id)
    return groups, unsettled


def _describe_target(wanted: DecisionFilter) -> str:
    words = [f"data with the label `{wanted.label}`"] if wanted.label else []
    words += [f"the system `{wanted.system}`"] if wanted.system else []
    words += [f"the tool `{wanted.tool}`"] if wanted.tool else []
    return " in ".join(words)


def _check_completeness(log: AuditLog, period: Period) -> _Completeness:
    """What else could have run or have been recorded in a period; the log's own wholeness is verified already."""
    check, verified = _Completeness(), log.verified
    population = log.population(period, 0, "")
    if population.uncovered:
        check.add_finding(
            f"the last {format_count(population.uncovered, 'entry', 'entries')} of the period are signed, but not "
            "under a checkpoint yet: ask again after the next one"
        )
    if verified.unplaced:
        check.add_finding(f"{format_count(verified.unplaced, 'entry', 'entries')} have no position in the log yet")
    if misdated := log.count_misdated(period):
        check.add_finding(describe_misdated(misdated))
    sightings = refused = 0
    for entry in log.entries((EntryKind.SHADOW,), period):
        if entry.body.get("refused"):
            refused += 1
            continue
        sightings += 1
        check.add_finding(describe_ungoverned_act(entry))
    text = (
        f"proven: positions 0 to {verified.size - 1} without a gap, the chain of each writer, the root of the "
        f"checkpoint over {population.tree_size} entries"
    )
    check.notes.append(text)
    if refused:
        check.notes.append(f"{format_count(refused, 'action')} without a guard were refused, and did not run")
    check.notes.extend(describe_open_writers(log))
    return check


def describe_ungoverned_act(entry: AuditEntry) -> str:
    """A sentence about an action that ran without a decision, from its entry."""
    body = entry.body
    place = f" at {body['where']}" if body.get("where") else ""
    return f"{body.get('kind', 'something')} `{body.get('name', '')}` ran ungoverned{place} (entry {entry.id})"


def describe_open_writers(log: AuditLog) -> list[str]:
    """A note on writers that have not closed, of which more entries may come."""
    open_writers = log.verified.open_writers
    writer_names = ", ".join(sorted(open_writers)[:10])
    more = f" and {len(open_writers) - 10} more" if len(open_writers) > 10 else ""
    return [f"these writers have not closed, they run or have crashed: {writer_names}{more}"] if open_writers else []


def answer_reach(log: AuditLog, period: Period, *, agent: str = "", user: str = "") -> Answer:
    """Which systems, tools and labels an agent, or a person through agents, reached, beside what was granted.

    Args:
        log: the tenant's audit log.
        period: period of the decisions.
        agent: id of the agent; or
        user: name or reference of the person.

    Raises:
        ConfigError: both or none.
    """
    if bool(agent) is bool(user):
        problem = "both an agent and a person are given" if agent and user else "no agent or person is given"
        raise ConfigError("usage", problem, field="agent", remedy="give one: `--agent NAME` or `--user NAME`")
    wanted, granted = DecisionFilter(period, agent=agent, user=user), _Granted(log)
    groups, findings = _tally_reaching_actions(log, wanted, granted)
    decision_count = sum(tally.decisions for tally in groups.values())
    unknown = log.find_unknown(wanted) if not decision_count else ()
    rows: list[dict[str, Any]] = [
        {
            "agent": group.agent,
            "granted": group.is_granted,
            "kind": group.kind,
            "labels": list(group.labels),
            "person": log.name_of(group.user),
            "reference": group.user,
            "resource": group.resource,
            "system": group.system,
            **tally.to_row(),
        }
        for group, tally in sorted(groups.items())
    ]
    used_grants = {(group.agent, group.kind, group.resource) for group in groups}
    unused = [] if user else granted.list_unused(agent, period, used_grants)
    nothing = {"agent": agent, "granted": True, **_Tally().to_row()}
    rows += [{**nothing, "kind": kind, "resource": name} for kind, name in unused]
    subject = f"agent `{agent}`" if agent else f"person `{log.refer_person(user)}`"
    resource_count = len({group.resource for group in groups})
    return log.conclude(
        period,
        counted=decision_count,
        what=f"decisions of the {subject}",
        claim=f"all that ran for the {subject} was granted; it asked for {format_count(resource_count, 'resource')}, "
        f"and {len(unused)} that it was granted stayed unused",
        verdict=Verdict.CANNOT_TELL if unknown else None,
        findings=(*unknown, *findings),
        columns=("agent", "person", "kind", "resource", "system", "labels", "granted", *_TALLY_COLUMNS),
        rows=rows,
        notes=(
            GOVERNED_ONLY,
            "`granted`: the standing passport of the time names the resource, with any arguments",
        ),
    )


def _tally_reaching_actions(
    log: AuditLog, wanted: DecisionFilter, granted: _Granted
) -> tuple[dict[_ReachedGroup, _Tally], list[str]]:
    """The tally of each group of actions, and a finding for each of the first that ran without a grant."""
    groups: dict[_ReachedGroup, _Tally] = {}
    findings: list[str] = []
    for action in log.actions(wanted):
        item = action.decision
        is_granted = granted.covers(item)
        labels = tuple(sorted({*item.labels, *(action.outcome.labels if action.outcome is not None else ())}))
        group = _ReachedGroup(item.agent, item.user, item.kind, item.resource, item.system, labels, is_granted)
        groups.setdefault(group, _Tally()).add(action)
        if action.ran and not is_granted and len(findings) < _MAX_FINDINGS:
            findings.append(f"{item.kind} `{item.resource}` ran and no passport granted it (entry {item.id})")
    return groups, findings


class _Granted:
    """The grants of the standing passports behind decisions, each read once."""

    def __init__(self, log: AuditLog) -> None:
        self._log = log
        self._grants: dict[str, Grants] = {}

    def covers(self, item: DecisionFacts) -> bool:
        """Whether a decision's standing passport names its resource, or the tool whose call it reverses."""
        resources = {item.resource}
        if any(relation == REVERSES for relation, _ in item.links):
            resources.add(name_reversed_tool(item.resource))
        return bool(item.chain) and any(
            kind.value == item.kind and not resources.isdisjoint(names)
            for kind, names in self._read(item.chain[0]).items()
        )

    def _read(self, name: str) -> Grants:
        if name not in self._grants:
            data = self._log.reader.blob(self._log.tenant, name)
            try:
                self._grants[name] = {} if data is None else decode_link(data.decode("ascii", "replace"), None).grants
            except PassportError as exc:
                raise Tampered("passport_unreadable", f"the passport {name} cannot be read: {exc.message}") from exc
        return self._grants[name]

    def list_unused(
        self, agent: str, period: Period, used_grants: Iterable[tuple[str, str, str]]
    ) -> list[tuple[str, str]]:
        """Kind and resource of grants in the period that the agent never used, sorted."""
        passport_hashes: list[str] = []
        for entry in self._log.entries((EntryKind.PASSPORT,), Period(0, period.to_us)):
            body = entry.body
            if entry.session or body.get("agent") != agent or body.get("kind") != "standing":
                continue
            # The one in force when the period began, and those that came into force within it.
            passport_hashes = [*(passport_hashes if entry.ts_us >= period.from_us else ()), str(body["hash"])]
        used = {(kind, resource) for _, kind, resource in used_grants}
        grants = [item for name in passport_hashes for item in self._read(name).items()]
        return sorted({(kind.value, resource) for kind, names in grants for resource in names} - used)


def answer_sample(
    log: AuditLog, period: Period, wanted: DecisionFilter, *, n: int, seed: str, kind: str = ""
) -> Answer:
    """Draw decisions at random so that anybody can draw them again.

    Of each decision that is wanted SHA-256 is taken over `halo/sample/v1`, a NUL byte, the seed, a NUL byte and the id
    of its entry; the `n` decisions with the smallest digests are the sample, listed in log order.

    Args:
        log: the tenant's audit log.
        period: period of the decisions.
        wanted: which decisions are the population.
        n: how many to draw, 1 to `MAX_SAMPLE`.
        seed: any text.
        kind: only actions of this kind, such as `tool_call`.

    Raises:
        ConfigError: `bad_count` or `no_seed`.
    """
    if not 1 <= n <= MAX_SAMPLE:
        raise ConfigError("bad_count", f"`{n}` is no size of a sample", field="n", remedy=f"use 1 to {MAX_SAMPLE}")
    if not seed:
        raise ConfigError("no_seed", "a sample needs a seed", field="seed", remedy="give any text, and keep it")
    population = (item for item in log.decisions(wanted) if not kind or item.kind == kind)
    decision_count, drawn = _draw_sample(population, n, seed)
    rows = [_sample_row(log, place, number, item) for place, (number, item) in enumerate(drawn, 1)]
    unknown = list(log.find_unknown(wanted)) if not decision_count else []
    if not decision_count and not unknown:
        unknown.append("no decision of the period is in the population")
    return log.conclude(
        period,
        counted=decision_count,
        what="decisions in the population",
        claim=f"{len(rows)} of {format_count(decision_count, 'decision')} were drawn with the seed `{seed}`",
        verdict=Verdict.CANNOT_TELL if unknown else Verdict.HOLDS,
        findings=unknown,
        columns=("n", "index", "id", "time", "agent", "person", "kind", "resource", "effect", "let_run", "digest"),
        rows=rows,
        notes=(
            *(("the population is smaller than the sample: all of it is listed",) if 0 < decision_count <= n else ()),
            f"drawn: the smallest SHA-256 over `{SAMPLE_DOMAIN}`, NUL, seed, NUL, entry id (docs/questions.md)",
            "`halo show ID` shows one in full, `halo replay ID` decides it again",
        ),
    )


def _draw_sample(population: Iterable[DecisionFacts], n: int, seed: str) -> tuple[int, list[tuple[int, DecisionFacts]]]:
    """The number of decisions, and those with the smallest digests, each with its digest, in log order."""
    count = 0
    prefix = hashlib.sha256(f"{SAMPLE_DOMAIN}\0{seed}\0".encode("utf-8", "replace"))
    drawn: list[tuple[int, int, DecisionFacts]] = []  # a heap, the largest digest first
    for item in population:
        count += 1
        digest = prefix.copy()
        digest.update(item.id.encode())
        number = -int.from_bytes(digest.digest(), "big")
        if len(drawn) < n:
            heapq.heappush(drawn, (number, item.index, item))
        elif number > drawn[0][0]:
            heapq.heapreplace(drawn, (number, item.index, item))
    return count, [(-number, item) for number, _, item in sorted(drawn, key=lambda entry: entry[1])]


def _sample_row(log: AuditLog, place: int, number: int, item: DecisionFacts) -> dict[str, Any]:
    return {
        "agent": item.agent,
        "digest": f"{number:064x}"[:16],
        "effect": item.effect,
        "id": item.id,
        "index": item.index,
        "kind": item.kind,
        "let_run": item.dispatched,
        "n": place,
        "person": log.name_of(item.user),
        "reference": item.user,
        "resource": item.resource,
        "time": format_moment(item.ts_us),
    }


def answer_access_log(log: AuditLog, period: Period, *, act: str = "", person: str = "") -> Answer:
    """Who read contents, revealed or exported them, asked questions, and was refused.

    Args:
        log: the tenant's audit log.
        period: period of the reading.
        act: only `read`, `reveal`, `export` or `refused`; empty for all.
        person: only what this person did: name or reference.
    """
    people = log.reader.find_person(person) if person else None
    rows: list[Mapping[str, Any]] = []
    accesses = 0
    for entry in log.entries((EntryKind.ACCESS,), period):
        body = entry.body
        if (act and body.get("act") != act) or (people is not None and body.get("actor") not in people):
            continue
        accesses += 1
        if len(rows) < MAX_LISTED:
            rows.append(_access_row(log, entry))
    return log.conclude(
        period,
        counted=accesses,
        what="recorded accesses",
        claim=f"{format_count(accesses, 'access', 'accesses')} to contents and evidence were recorded, "
        "and all are listed",
        findings=check_listed(accesses),
        verdict=Verdict.CANNOT_TELL if accesses > MAX_LISTED else Verdict.HOLDS,
        columns=("time", "person", "authn", "act", "what", "refused", "code", "id"),
        rows=rows,
        notes=("reading the database past Halo, with a copy of the content key, leaves no entry",),
    )


def _access_row(log: AuditLog, entry: AuditEntry) -> dict[str, Any]:
    body = entry.body
    scope = body.get("what")
    scope_items = sorted(scope.items()) if isinstance(scope, Mapping) else []
    actor = str(body.get("actor", ""))
    return {
        "act": body.get("act", ""),
        "authn": body.get("authn", ""),
        "code": body.get("code", ""),
        "id": entry.id,
        "person": log.name_of(actor),
        "reference": actor,
        "refused": body.get("refused", ""),
        "time": format_moment(entry.ts_us),
        "what": ", ".join(f"{name} {value}" for name, value in scope_items),
    }
