"""Questions about agents as a whole: the inventory with what ran ungoverned, and whether access reviews were held."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from halo_core.clock import format_iso
from halo_core.errors import ConfigError
from halo_core.evidence.answers import Answer, Period, Verdict, count_of
from halo_core.evidence.room import END_US, DecisionFacts, DecisionFilter, QueryRoom
from halo_core.manifest import Manifest
from halo_core.model import EntryKind
from halo_core.views.access_reviews import find_kept_grants, load_reviews
from halo_core.views.inventory import AgentRow, list_agents

MAX_LIST_BYTES: Final = 4_000_000
_GRAVE: Final = frozenset({"payment", "delete", "execute", "admin", "grant", "send"})
_REGULATED_LABELS: Final = frozenset({"chd", "pii", "phi", "secret"})
_MAX_NAMED: Final = 20
COLUMNS: Final = (
    "agent", "owner", "purpose", "privilege", "tier", "suggested", "state", "regulated", "systems", "labels", "models",
    "prompts", "tools", "decisions", "last_seen",
)  # fmt: skip


@dataclass(slots=True)
class _Reached:
    """What an agent did in the period."""

    decisions: int = 0
    last_us: int = 0
    ran_us: int = 0
    systems: set[str] = field(default_factory=set)
    labels: set[str] = field(default_factory=set)
    tools: set[str] = field(default_factory=set)
    impacts: set[str] = field(default_factory=set)
    models: set[str] = field(default_factory=set)
    prompts: set[str] = field(default_factory=set)

    def take(self, room: QueryRoom, decision: DecisionFacts) -> None:
        self.decisions += 1
        self.last_us = max(self.last_us, decision.ts_us)
        if decision.dispatched:
            self.ran_us = max(self.ran_us, decision.ts_us)
        if decision.kind != "inference":
            self.tools.add(decision.resource)
            self.systems.update({decision.system} - {""})
            self.labels.update(decision.labels)
            self.impacts.add(decision.impact)
            return
        part = decision.body.get("model")
        tree: Mapping[str, Any] = room.reader.part_reader(room.tenant)(part) if isinstance(part, str) else {}
        self.models.add(str(tree.get("version") or decision.resource))
        if tree.get("system"):
            self.prompts.add(str(tree["system"])[:12])


def answer_inventory(
    room: QueryRoom, period: Period, *, manifest: Manifest | None = None, foreign: Sequence[str] | None = None
) -> Answer:
    """Every agent with owner, purpose, reach, models, prompts and state, and what was seen to run without a decision.

    It holds if each agent that acted has an owner and an entry in the manifest, nothing ran without a decision, and
    every name of a foreign list is known.

    Args:
        room: of the log.
        period: of what agents did.
        manifest: declares agents; None where there is none.
        foreign: names of agents in another system's list; None where nothing is compared.
    """
    reached: dict[str, _Reached] = {}
    for decision in room.decisions(DecisionFilter(period)):
        reached.setdefault(decision.agent, _Reached()).take(room, decision)
    tiers = _load_tiers(room)
    agents = list_agents(room.reader, room.tenant, manifest, room.now_us, reads_decisions=False)
    unlisted = None if manifest is None else False
    agents += [AgentRow(name, listed=unlisted) for name in sorted(reached.keys() - {row.agent for row in agents})]
    restrictions = room.reader.restrictions_of(room.tenant)
    stopped = {target for kind, scope, target, _ in restrictions if (kind, scope) == ("stop", "agent")}
    revoked = {target: since for kind, scope, target, since in restrictions if kind != "stop" and scope == "agent"}
    rows = [_describe(row, reached.get(row.agent, _Reached()), tiers, stopped) for row in agents]
    findings = list(_find_exceptions(agents, reached, manifest, revoked))
    sightings = list(_list_sightings(room, period))
    findings += [f"ran without a decision: {row['purpose']}" for row in sightings[:_MAX_NAMED]]
    known = {row.agent for row in agents}
    missing = [name for name in foreign or () if name not in known]
    findings += [f"`{name}` is in the other list, and unknown here" for name in missing[:_MAX_NAMED]]
    more = len(sightings) + len(missing) - len(sightings[:_MAX_NAMED]) - len(missing[:_MAX_NAMED])
    if more:
        findings.append(f"and {count_of(more, 'exception')} more")
    unseen = sorted(set(known).difference(foreign)) if foreign is not None else []
    notes = ["only what runs in a process with Halo in it can be seen; compare with a gateway's list for the rest"]
    if unseen:
        notes.append(f"not in the other list: {', '.join(unseen[:_MAX_NAMED])}")
    return room.conclude(
        period,
        counted=len(agents),
        what="agents",
        claim="every agent is known and owned, and nothing was seen to run without a decision",
        findings=findings,
        columns=COLUMNS,
        rows=[*rows, *sightings],
        notes=notes,
    )


def _describe(row: AgentRow, used: _Reached, tiers: Mapping[str, str], stopped: set[str]) -> dict[str, Any]:
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
        impacts: of the resources that it used.
        labels: of the data that it reached.
        regulated: systems under regulation that the manifest declares for it.
    """
    if regulated or impacts & _GRAVE or labels & _REGULATED_LABELS:
        return "high"
    return "medium" if impacts - {"read"} or labels else "low"


def _find_exceptions(
    agents: Sequence[AgentRow],
    reached: Mapping[str, _Reached],
    manifest: Manifest | None,
    revoked: Mapping[str, int],
) -> Iterator[str]:
    for row in agents:
        if row.agent not in reached:
            continue
        acted = f"`{row.agent}` acted {reached[row.agent].decisions} times"
        if not row.owner:
            yield f"{acted} and has no owner"
        if manifest is not None and row.listed is False:
            yield f"{acted} and is not in the manifest"
        if reached[row.agent].ran_us > revoked.get(row.agent, END_US):
            yield f"`{row.agent}` ran actions after it was revoked"


def _list_sightings(room: QueryRoom, period: Period) -> Iterator[dict[str, Any]]:
    """What was seen to run without a decision, as rows of the inventory."""
    seen: dict[tuple[str, ...], list[int]] = {}
    for entry in room.entries((EntryKind.SHADOW,), period):
        body = entry.body
        if not body.get("refused"):
            key = tuple(str(body.get(name, "")) for name in ("framework", "kind", "name", "where"))
            seen.setdefault(key, []).append(entry.ts_us)
    for (framework, kind, name, where), times in sorted(seen.items()):
        purpose = " ".join(filter(None, (framework, kind, f"`{name}`", f"at {where}" if where else "")))
        blank: dict[str, Any] = dict.fromkeys(COLUMNS, "")
        yield blank | {
            "agent": "(ungoverned)",
            "purpose": purpose,
            "state": "no decision",
            "decisions": len(times),
            "last_seen": format_iso(max(times)),
        }


def _load_tiers(room: QueryRoom) -> dict[str, str]:
    always = Period(0, room.now_us + 1)
    entries = room.entries((EntryKind.INVENTORY,), always)
    return {str(item.body["agent"]): str(item.body["tier"]) for item in entries if item.body.get("op") == "classify"}


def read_foreign_list(text: str) -> list[str]:
    """Names of agents in a CSV of another system (a gateway, an identity provider): the column `agent`, else the first.

    Raises:
        ConfigError: `bad_list`.
    """
    try:
        rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True))
    except csv.Error as exc:
        raise ConfigError("bad_list", f"the list is no CSV: {exc}", field="compare") from exc
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        raise ConfigError("bad_list", "the list is empty", field="compare", remedy="a CSV with a column `agent`")
    titles = [cell.strip().lower() for cell in rows[0]]
    at = titles.index("agent") if "agent" in titles else 0
    names = [row[at].strip() for row in rows[1:] if at < len(row)]
    return list(dict.fromkeys(name for name in names if name))


def answer_reviews(room: QueryRoom, period: Period) -> Answer:
    """Access reviews that were open in a period; it holds if none is overdue or closed late, and each took effect."""
    rows, findings = [], []
    for cycle in load_reviews(room.reader, room.tenant):
        if cycle.opened_us >= period.to_us or (cycle.closed_us and cycle.closed_us < period.from_us):
            continue
        problem = cycle.find_problem(min(room.now_us, period.to_us))
        if problem:
            findings.append(f"review {cycle.id} {problem} ({format_iso(cycle.due_us)})")
        if cycle.closed_us and cycle.list_unanswered():
            findings.append(f"review {cycle.id} was closed with grants that nobody answered for")
        if cycle.closed_us:
            kept = find_kept_grants(room.reader, room.tenant, cycle)
            findings += [f"review {cycle.id} {problem}" for problem in kept]
        verdicts = list(cycle.answers.values())
        rows.append(
            {
                "review": cycle.id,
                "person": cycle.reviewer_name,
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
    verdict, columns = None, tuple(rows[0]) if rows else ()
    if not rows:
        verdict, findings = Verdict.CANNOT_TELL, ["there is no review of grants on record"]
    return room.conclude(
        period,
        counted=len(rows),
        what="reviews",
        claim=_REVIEW_CLAIM,
        verdict=verdict,
        findings=findings,
        columns=columns,
        rows=rows,
    )


_REVIEW_CLAIM: Final = "no review of grants is overdue, and none was closed after its due date"
