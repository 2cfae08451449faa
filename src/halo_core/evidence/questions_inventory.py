"""Agents as a whole: the inventory, what ran ungoverned, and whether access reviews were held.

Each question is answered from the same computation as the control check on it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from halo_core.clock import format_iso
from halo_core.errors import ConfigError
from halo_core.evidence.answers import END_US, Answer, Period, Verdict
from halo_core.evidence.audit_log import AuditEntry, AuditLog
from halo_core.evidence.check_runner import DECISION, Check, DecisionItem, RunReader, run_pass
from halo_core.manifest import Manifest
from halo_core.model import ActionKind, EntryKind
from halo_core.views.access_reviews import ReviewCycle, find_kept_grants, take_review_entry
from halo_core.views.inventory import AgentRow, list_agents
from halo_core.views.wording import format_count

MAX_LIST_BYTES: Final = 4_000_000
_GRAVE: Final = frozenset({"payment", "delete", "execute", "admin", "grant", "send"})
_REGULATED_LABELS: Final = frozenset({"chd", "pii", "phi", "secret"})
_MAX_NAMED: Final = 20
_MAX_ROWS: Final = 1_000
COLUMNS: Final = (
    "agent", "owner", "purpose", "privilege", "tier", "suggested", "state", "regulated", "systems", "labels", "models",
    "prompts", "tools", "decisions", "last_seen",
)  # fmt: skip


@dataclass(slots=True)
class Reached:
    """What an agent did in a period: how often, when last, and what it used."""

    decisions: int = 0
    last_us: int = 0
    ran_us: int = 0
    systems: set[str] = field(default_factory=set)
    labels: set[str] = field(default_factory=set)
    tools: set[str] = field(default_factory=set)
    impacts: set[str] = field(default_factory=set)
    models: set[str] = field(default_factory=set)
    prompts: set[str] = field(default_factory=set)

    def take(self, log: AuditLog, decision: DecisionItem) -> None:
        """Add a decision of the agent."""
        entry, resource = decision.entry, decision.resource
        self.decisions += 1
        self.last_us = max(self.last_us, entry.ts_us)
        if decision.ran:
            self.ran_us = max(self.ran_us, entry.ts_us)
        if resource["kind"] != ActionKind.INFERENCE.value:
            self.tools.add(resource["id"])
            self.systems.update({resource.get("system", "")} - {""})
            self.labels.update(resource["labels"])
            self.impacts.add(resource["impact"])
            return
        part = entry.body.get("model")
        tree: Mapping[str, Any] = log.reader.part_reader(log.tenant)(part) if isinstance(part, str) else {}
        self.models.add(str(tree.get("version") or resource["id"]))
        if tree.get("system"):
            self.prompts.add(str(tree["system"])[:12])


class InventoryCheck(Check):
    """Whether each agent that acted has an owner and an issued passport.

    For an agent that acts under a hand-off, the standing passport at the root of its chain counts.
    """

    name = "inventory"
    claim = "every agent that acted has a passport that somebody issued, and an owner"
    unit = "agents"
    kinds = frozenset({DECISION, "inventory"})
    history = frozenset({"passport"})
    columns = ("agent", "owner", "origin", "decisions")

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self.reached: dict[str, Reached] = {}
        self._passports: dict[str, tuple[str, str]] = {}  # agent → owner, origin
        self._roots: dict[str, str] = {}  # agent under a hand-off → agent at the root of its chain
        self._missing: list[str] = []  # names in another system's list that no agent here has
        self._is_compared = False

    def add_history(self, entry: AuditEntry) -> None:
        """Take a passport."""
        body, agent = entry.body, str(entry.body.get("agent", ""))
        if entry.kind == "passport" and body.get("kind") == "standing":
            self._passports[agent] = (str(body.get("owner", "")), str(body.get("origin", "")))

    def add_decision(self, decision: DecisionItem) -> None:
        """Note what an agent did."""
        frame = decision.frame
        self.reached.setdefault(frame.agent, Reached()).take(self.run.log, decision)
        if frame.agent not in self._passports and frame.agent not in self._roots and frame.chain:
            links = self.run.read_chain(frame.chain)
            if not isinstance(links, str):
                self._roots[frame.agent] = links[0].agent

    def add(self, entry: AuditEntry) -> None:
        """Take a passport, or a comparison with another system's list."""
        if entry.kind != "inventory":
            self.add_history(entry)
        elif entry.body.get("op") == "compare":
            self._missing = [str(name) for name in entry.body["missing"]]
            self._is_compared = True

    def find_passport(self, agent: str) -> tuple[str, str]:
        """Owner and origin of the passport that an agent acts under; empty if it has none."""
        return self._passports.get(agent) or self._passports.get(self._roots.get(agent, ""), ("", ""))

    def finish(self) -> None:
        """Find agents that nobody answers for."""
        self.count = len(self.reached)
        for agent, targets in sorted(self.reached.items()):
            owner, origin = self.find_passport(agent)
            if not origin:
                self.add_finding(f"`{agent}` acted {targets.decisions} times and has no passport in this log")
            elif origin != "issued":
                self.add_finding(f"the passport of `{agent}` was {origin} from its tools; nobody issued it")
            if not owner and origin:
                self.add_finding(f"`{agent}` has no owner")
            self.rows.append({"agent": agent, "owner": owner, "origin": origin, "decisions": targets.decisions})
        if not self._is_compared:
            self.notes.append("the agents were compared with no other system's list in this period")
        for name in self._missing:
            self.add_finding(f"`{name}` is in another system's list, and unknown here")


class UngovernedCheck(Check):
    """Whether nothing was seen to run without a decision. All sightings at one place are one finding."""

    name = "ungoverned"
    claim = "nothing was seen to run without a decision"
    unit = "decisions and sightings"
    kinds = frozenset({DECISION, "shadow"})
    columns = ("framework", "kind", "name", "where", "times", "last", "entry", "refused")
    limits = ("only what runs in a process with Halo in it can be seen; compare with a gateway's list for the rest",)

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._seen: dict[tuple[Any, ...], dict[str, Any]] = {}

    def add_decision(self, decision: DecisionItem) -> None:
        """Count a decision."""
        del decision
        self.count += 1

    def add(self, entry: AuditEntry) -> None:
        """Take a sighting."""
        self.count += 1
        facts = {name: str(entry.body.get(name, "")) for name in ("framework", "kind", "name", "where")}
        refused = entry.body.get("refused") or ""
        row = self._seen.setdefault((*facts.values(), refused), {**facts, "entry": entry.id, "refused": refused})
        row["times"] = row.get("times", 0) + 1
        row["last_us"] = max(row.get("last_us", 0), entry.ts_us)

    def list_ungoverned(self) -> list[dict[str, Any]]:
        """What ran without a decision: facts, `times`, `last_us` and the first `entry`, by place."""
        return [row for row in self._list_sorted() if not row["refused"]]

    def list_refused(self) -> list[dict[str, Any]]:
        """What was kept from running since nobody could decide it, likewise."""
        return [row for row in self._list_sorted() if row["refused"]]

    def _list_sorted(self) -> list[dict[str, Any]]:
        return [row for _, row in sorted(self._seen.items(), key=lambda item: item[0][:4])]

    def finish(self) -> None:
        """A finding and a row for each place."""
        for row in self.list_ungoverned():
            first = f"{format_count(row['times'], 'time')}, first in entry {row['entry']}"
            self.add_finding(f"{describe_sighting(row)} ran without a decision ({first})")
        for row in list(self._seen.values())[:_MAX_ROWS]:
            last = {"last": format_iso(row["last_us"])}
            self.rows.append({name: {**row, **last}[name] for name in self.columns})


def describe_sighting(row: Mapping[str, Any]) -> str:
    """What was seen at a place, in words, from its row of `UngovernedCheck.list_ungoverned`."""
    place = f"at {row['where']}" if row["where"] else ""
    return " ".join(filter(None, (row["framework"], row["kind"], f"`{row['name']}`", place)))


def measure_reach(log: AuditLog, period: Period, agent: str) -> Reached:
    """What one agent did in a period."""
    check = InventoryCheck(RunReader(log, period))
    run_pass(log, period, [check])
    return check.reached.get(agent, Reached())


def answer_inventory(
    log: AuditLog, period: Period, *, manifest: Manifest | None = None, foreign: Sequence[str] | None = None
) -> Answer:
    """Every agent with owner, purpose, reach, models, prompts and state, and what ran or was refused beside decisions.

    It holds if each agent that acted has an owner and an entry in the manifest, nothing ran without a decision, and
    every name of a foreign list is known.

    Args:
        log: the tenant's audit log.
        period: period of what agents did.
        manifest: declares agents; None if there is none.
        foreign: names of agents in another system's list; None if nothing is compared.
    """
    run = RunReader(log, period)
    acted, ungoverned = InventoryCheck(run), UngovernedCheck(run)
    run_pass(log, period, [acted, ungoverned])
    targets, sightings = acted.reached, ungoverned.list_ungoverned()
    tiers = _load_tiers(log)
    agents = list_agents(log.reader, log.tenant, manifest, log.now_us, reads_decisions=False)
    unlisted = None if manifest is None else False
    agents += [
        AgentRow(name, owner=acted.find_passport(name)[0], listed=unlisted)
        for name in sorted(targets.keys() - {row.agent for row in agents})
    ]
    restrictions = log.reader.restrictions_of(log.tenant)
    stopped = {item.target for item in restrictions if (item.kind, item.scope) == ("stop", "agent")}
    revoked = {item.target: item.since_us for item in restrictions if item.kind != "stop" and item.scope == "agent"}
    rows = [_describe(row, targets.get(row.agent, Reached()), tiers, stopped) for row in agents]
    findings = list(_find_exceptions(agents, targets, manifest, revoked))
    findings += [f"ran without a decision: {describe_sighting(row)}" for row in sightings[:_MAX_NAMED]]
    registered_agents = {row.agent for row in agents}
    missing = [name for name in foreign or () if name not in registered_agents]
    findings += [f"`{name}` is in the other list, and unknown here" for name in missing[:_MAX_NAMED]]
    more = len(sightings) + len(missing) - len(sightings[:_MAX_NAMED]) - len(missing[:_MAX_NAMED])
    if more:
        findings.append(f"and {format_count(more, 'exception')} more")
    unseen = sorted(set(registered_agents).difference(foreign)) if foreign is not None else []
    notes = list(UngovernedCheck.limits)
    refused = ungoverned.list_refused()
    notes += [f"refused, since no guard decides it: {describe_sighting(row)}" for row in refused[:_MAX_NAMED]]
    if unseen:
        notes.append(f"not in the other list: {', '.join(unseen[:_MAX_NAMED])}")
    return log.conclude(
        period,
        counted=len(agents),
        what="agents",
        claim="every agent is known and owned, and nothing was seen to run without a decision",
        findings=findings,
        columns=COLUMNS,
        rows=[*rows, *map(_describe_ungoverned, [*sightings, *refused])],
        notes=notes,
    )


def _describe_ungoverned(row: Mapping[str, Any]) -> dict[str, Any]:
    """What ran, or was refused, without a decision, as a row of the inventory."""
    blank: dict[str, Any] = dict.fromkeys(COLUMNS, "")
    return blank | {
        "agent": "(ungoverned)",
        "purpose": describe_sighting(row),
        "state": "refused" if row["refused"] else "no decision",
        "decisions": row["times"],
        "last_seen": format_iso(row["last_us"]),
    }


def _describe(row: AgentRow, used: Reached, tiers: Mapping[str, str], stopped: set[str]) -> dict[str, Any]:
    state = "stopped" if row.agent in stopped else row.passport
    return {
        "agent": row.agent,
        "owner": row.owner,
        "purpose": row.purpose,
        "privilege": row.privilege,
        "tier": tiers.get(row.agent, ""),
        "suggested": suggest_tier(used.impacts, used.labels, row.regulated),
        "state": state,
        "regulated": list(row.regulated),
        "systems": sorted(used.systems),
        "labels": sorted(used.labels),
        "models": sorted(used.models),
        "prompts": sorted(used.prompts),
        "tools": len(used.tools),
        "decisions": used.decisions,
        "last_seen": format_iso(used.last_us) if used.last_us else "",
    }


def suggest_tier(impacts: set[str], labels: set[str], regulated: Sequence[str]) -> str:
    """The class that is suggested for an agent: `high` if it did what cannot be undone, or held regulated data.

    Args:
        impacts: impacts of the resources that it used.
        labels: labels of the data that it reached.
        regulated: systems under regulation that the manifest declares for it.
    """
    if regulated or impacts & _GRAVE or labels & _REGULATED_LABELS:
        return "high"
    return "medium" if impacts - {"read"} or labels else "low"


def _find_exceptions(
    agents: Sequence[AgentRow],
    targets: Mapping[str, Reached],
    manifest: Manifest | None,
    revoked: Mapping[str, int],
) -> Iterator[str]:
    for row in agents:
        if row.agent not in targets:
            continue
        acted = f"`{row.agent}` acted {targets[row.agent].decisions} times"
        if not row.owner:
            yield f"{acted} and has no owner"
        if manifest is not None and row.listed is False:
            yield f"{acted} and is not in the manifest"
        if targets[row.agent].ran_us > revoked.get(row.agent, END_US):
            yield f"`{row.agent}` ran actions after it was revoked"


def _load_tiers(log: AuditLog) -> dict[str, str]:
    always = Period(0, log.now_us + 1)
    entries = log.entries((EntryKind.INVENTORY,), always)
    return {str(item.body["agent"]): str(item.body["tier"]) for item in entries if item.body.get("op") == "classify"}


_AGENT_COLUMN: Final = "agent"


def read_foreign_list(text: str) -> list[str]:
    """Names of agents in a CSV of another system (a gateway, an identity provider): its column `agent`.

    Raises:
        ConfigError: `bad_list`.
    """
    try:
        rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True))
    except csv.Error as exc:
        remedy = "export it as CSV again, with quotes only around whole cells"
        raise ConfigError("bad_list", f"the list is no CSV: {exc}", field="compare", remedy=remedy) from exc
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        raise ConfigError("bad_list", "the list is empty", field="compare", remedy="a CSV with a column `agent`")
    titles = [cell.strip().lower() for cell in rows[0]]
    if titles.count(_AGENT_COLUMN) != 1:  # whichever other column is taken, exceptions could be missed
        count = "several columns" if _AGENT_COLUMN in titles else "no column"
        title_list = ", ".join(title[:40] or "(no title)" for title in titles[:10])
        problem = f"the list has {count} `agent` in its first line; its columns are: {title_list}"
        remedy = "give the one with the ids of the agents the title `agent`, and commas between the columns"
        raise ConfigError("bad_list", problem, field="compare", remedy=remedy)
    agent_column = titles.index(_AGENT_COLUMN)
    names = [row[agent_column].strip() for row in rows[1:] if agent_column < len(row)]
    return list(dict.fromkeys(name for name in names if name))


class AccessReviewsCheck(Check):
    """Whether reviews of grants were finished by their due dates and took effect."""

    name = "access_reviews"
    claim = "no review of grants is overdue or was finished late, and what a finished one revoked was removed"
    unit = "reviews"
    history = frozenset({"review"})
    columns = ("review", "reviewer", "due", "finished", "kept", "revoked")

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._cycles: dict[str, ReviewCycle] = {}

    def add_history(self, entry: AuditEntry) -> None:
        """Take an act of a review."""
        take_review_entry(self._cycles, entry.index, entry.body, entry.ts_us)

    def list_cycles(self) -> list[ReviewCycle]:
        """The reviews that were open in the period."""
        begin = self.run.period.from_us
        return [item for item in self._cycles.values() if not item.closed_us or item.closed_us >= begin]

    def finish(self) -> None:
        """Add a finding for each review that is overdue, left grants unanswered, or revoked grants that remain."""
        log = self.run.log
        for cycle in self.list_cycles():
            self.count += 1
            due, finished = format_iso(cycle.due_us), format_iso(cycle.closed_us) if cycle.closed_us else ""
            problem = cycle.find_problem(self.run.as_of_us)
            if problem:
                self.add_finding(f"review {cycle.id} {problem} ({due})")
            if finished and cycle.list_unanswered():
                self.add_finding(f"review {cycle.id} was closed with grants that nobody answered for")
            for problem in find_kept_grants(log.reader, log.tenant, cycle) if finished else ():
                self.add_finding(f"review {cycle.id} {problem}")
            verdicts = list(cycle.answers.values())
            counts = {"kept": verdicts.count("keep"), "revoked": verdicts.count("revoke")}
            self.rows.append(
                {"review": cycle.id, "reviewer": cycle.reviewer, "due": due, "finished": finished, **counts}
            )
        if self.count and not any(row["finished"] for row in self.rows):
            self.unknown.append("no review of grants was finished, so nothing shows that one is")
        del self.rows[_MAX_ROWS:]

    def explain_empty(self) -> str:
        """Why the check cannot tell: there was no review."""
        return "there is no review of grants on record"


def answer_reviews(log: AuditLog, period: Period) -> Answer:
    """Access reviews that were open in a period; it holds if none is overdue or closed late, and each took effect."""
    check = AccessReviewsCheck(RunReader(log, period))
    run_pass(log, period, [check])
    rows = []
    for cycle in check.list_cycles():
        verdicts = list(cycle.answers.values())
        rows.append(
            {
                "review": cycle.id,
                "person": _find_reviewer_name(log, cycle),
                "opened": format_iso(cycle.opened_us),
                "due": format_iso(cycle.due_us),
                "closed": format_iso(cycle.closed_us) if cycle.closed_us else "",
                "reminded": format_iso(cycle.reminded_us) if cycle.reminded_us else "",
                "agents": sorted(cycle.grants),
                "kept": verdicts.count("keep"),
                "revoked": verdicts.count("revoke"),
                "open": len(cycle.list_unanswered()),
                "passports": sorted(cycle.passports.values()),
            }
        )
    findings = check.list_findings()
    unknown = check.unknown or ([] if rows else [check.explain_empty()])
    return log.conclude(
        period,
        counted=len(rows),
        what="reviews",
        claim=check.claim,
        verdict=Verdict.CANNOT_TELL if unknown and not findings else None,
        findings=findings or unknown,
        columns=tuple(rows[0]) if rows else (),
        rows=rows,
    )


def _find_reviewer_name(log: AuditLog, cycle: ReviewCycle) -> str:
    note = log.reader.note_at_index(log.tenant, cycle.index)
    return cycle.reviewer if note is None else str(log.reader.read_note(cycle.index, note).entry.body["reviewer"])
