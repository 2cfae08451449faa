"""A draft for Annex IV of the EU AI Act: what follows from manifest, models and log, and what remains to be written.

Annex IV lists what the technical documentation of a high-risk system contains (Article 11). Most of it cannot follow
from a log. Each section names what is missing, so that nobody takes the draft for the documentation.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from halo_core.clock import format_iso
from halo_core.errors import ConfigError, NotVerified
from halo_core.evidence.answers import Answer, Period, Verdict, count_population, describe_tool
from halo_core.evidence.audit_log import AuditLog
from halo_core.evidence.check_runner import run_check_classes
from halo_core.evidence.checks import CHECK_CLASSES
from halo_core.evidence.control_report import SCOPE_NOTE, ActivityCheck
from halo_core.evidence.report_page import (
    VERDICT_WORDS,
    element,
    escape_markdown,
    list_table_lines,
    render_cards,
    render_page,
    render_table,
)
from halo_core.manifest import load_manifest
from halo_core.manifest.agents import Agent
from halo_core.manifest.grant_rules import GrantRule
from halo_core.model import ActionKind, EntryKind
from halo_core.quick_dataclass import dataclass

TITLE: Final = "Technical documentation, draft after Annex IV of the EU AI Act"
CAVEAT: Final = (
    "This is a draft made from a log. It is not the technical documentation of Article 11: the provider writes that, "
    "and answers for it. The duties for high-risk systems of Annex III apply from 2 December 2027."
)
_MAX_ROWS: Final = 200
_MAX_COLUMNS: Final = 7
"""More columns than that do not fit a printed page."""


@dataclass(frozen=True, slots=True)
class AnnexSection:
    """One point of the annex.

    Args:
        number: number of the point.
        title: title in our words.
        tables: title, columns and rows of what follows from the log.
        to_write: what a person has to write.
    """

    number: int
    title: str
    tables: tuple[tuple[str, tuple[str, ...], tuple[Mapping[str, Any], ...]], ...]
    to_write: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _SectionPlan:
    """What a section of the annex is made from.

    Args:
        title: title in our words.
        tables: `agents`, `changes` or a check → title of the table of its rows.
        verdicts: checks whose verdicts the section lists.
        to_write: what a person has to write.
    """

    title: str
    tables: Mapping[str, str]
    verdicts: tuple[str, ...]
    to_write: tuple[str, ...]


_PLAN: Final = (
    _SectionPlan(
        "General description of the system",
        {"agents": "Agents and what their manifests say", "components": "Models that were called"},
        (),
        (
            "intended purpose, provider and version of the system as a whole",
            "hardware and software that it needs, and how it is placed on the market",
            "user interface and instructions for the deployer",
        ),
    ),
    _SectionPlan(
        "Elements of the system and how it was developed",
        {"policy_changes": "Policies that decided"},
        ("record_fields", "components", "policy_changes"),
        (
            "methods and steps of development, third-party systems and tools that were used",
            "design and architecture, and the reasons for the choices",
            "data: where it came from, how it was chosen, labelled and cleaned",
            "assessment of human oversight, validation and testing, measures of cyber security",
        ),
    ),
    _SectionPlan(
        "Monitoring, functioning and control",
        {"activity": "Decisions by day and effect", "approvals": "Answers of people", "stops": "Stops"},
        ("approvals", "stops", "mode_floor", "failures", "alerts"),
        (
            "abilities and limits of the system, degrees of accuracy for persons and groups",
            "foreseeable results that were not intended, and sources of risk",
        ),
    ),
    _SectionPlan(
        "Performance metrics",
        {"drills": "Drills with planted attacks"},
        (),
        ("why the metrics fit the system", "accuracy, robustness and fairness of the model"),
    ),
    _SectionPlan(
        "Risk management",
        {"incidents": "Incidents"},
        ("incidents", "drills"),
        ("the risk management system of Article 9",),
    ),
    _SectionPlan(
        "Changes over the lifecycle",
        {"changes": "Changes in the period"},
        (),
        ("changes of application, prompts and data that the log does not know",),
    ),
    _SectionPlan("Standards", {}, (), ("standards that were applied, and what was done where none was",)),
    _SectionPlan("Declaration of conformity", {}, (), ("a copy of the EU declaration of conformity",)),
    _SectionPlan(
        "Monitoring after the system is on the market",
        {"retention": "The log"},
        ("population", "retention"),
        ("the plan of Article 72",),
    ),
)
_NOT_CHECKS: Final = frozenset({"activity", "agents", "changes"})
_CHECKS: Final = sorted({name for plan in _PLAN for name in (*plan.tables, *plan.verdicts)} - _NOT_CHECKS)


def build_annex(log: AuditLog, period: Period, form: str) -> tuple[str, Verdict]:
    """The draft as `html`, `md` or `json`; the verdict is whether the log that it is made from is whole."""
    answers = run_check_classes(log, period, [*(CHECK_CLASSES[name] for name in _CHECKS), ActivityCheck])
    try:
        agents = list(_list_agents(log, period))
        changes = list(_list_changes(log, period))
    except NotVerified:
        agents, changes = [], []
    sections = _build_sections(answers, agents, changes)
    head = _list_head(log, period, answers["population"])
    verdict = answers["population"].verdict
    if form == "json":
        tree = {"caveat": CAVEAT, "head": dict(head), "sections": [_to_json(item) for item in sections], "title": TITLE}
        return json.dumps(tree, indent=1, sort_keys=True) + "\n", verdict
    return (_render_html(head, sections) if form == "html" else _render_markdown(head, sections)), verdict


def _list_head(log: AuditLog, period: Period, population: Answer) -> list[tuple[str, str]]:
    facts = population.population
    return [
        ("tenant", log.tenant),
        ("period", period.describe()),
        ("population", f"{facts.counted:,} entries, positions {facts.first_index} to {facts.last_index}"),
        ("checkpoint", f"{facts.root} of {facts.tree_size} entries" if facts.tree_size else "none"),
        ("log verified", "yes" if population.verdict is Verdict.HOLDS else "; ".join(population.findings) or "no"),
        ("tool", describe_tool()),
    ]


def _list_agents(log: AuditLog, period: Period) -> Iterator[Mapping[str, Any]]:
    """What the manifests say of the agents whose passports were in force, the newest of each."""
    newest: dict[str, Mapping[str, Any]] = {}
    for entry in log.entries((EntryKind.PASSPORT,), Period(0, period.to_us)):
        if entry.body.get("kind") == "standing":
            newest[str(entry.body.get("agent"))] = entry.body
    for name, body in sorted(newest.items()):
        data = log.reader.blob(log.tenant, str(body.get("manifest", ""))) if body.get("manifest") else None
        agent = _read_agent(data, name)
        rules: Mapping[ActionKind, tuple[GrantRule, ...]] = {} if agent is None else agent.rules
        yield {
            "agent": name,
            "owner": body.get("owner", ""),
            "purpose": "" if agent is None else agent.purpose,
            "privilege": "" if agent is None else agent.privilege,
            "regulated": "" if agent is None else _join(agent.regulated),
            "data scope": "any" if agent is None or agent.data_scope is None else _join(agent.data_scope),
            "models": _join([rule.pattern for rule in rules.get(ActionKind.INFERENCE, ())]),
            "tools": _join([rule.pattern for rule in rules.get(ActionKind.TOOL_CALL, ())]),
            "approvers": "" if agent is None else _join(agent.approvers),
            "passport": str(body.get("hash", ""))[:19],
        }


def _read_agent(data: bytes | None, name: str) -> Agent | None:
    try:
        return None if data is None else load_manifest(data.decode("utf-8")).agents.get(name)
    except (ConfigError, UnicodeError):
        return None


def _join(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple | Mapping) else str(value or "")


def _list_changes(log: AuditLog, period: Period) -> Iterator[Mapping[str, Any]]:
    """What changed in the period: policies, passports, mode, scores."""
    kinds = (EntryKind.POLICY, EntryKind.PASSPORT, EntryKind.MODE, EntryKind.BASELINE, EntryKind.REVOCATION)
    for n, entry in enumerate(log.entries(kinds, period)):
        if n >= _MAX_ROWS:
            return
        body = entry.body
        if entry.kind == EntryKind.PASSPORT and body.get("kind") != "standing":
            continue
        descriptions = {
            "policy": str(body.get("hash") or body.get("unstored") or "")[:19],
            "passport": f"{body.get('agent', '')}: {_join(body.get('changes')) or 'first'}"[:200],
            "mode": f"{body.get('from', '')} to {body.get('to', '')}",
            "baseline": f"{body.get('agent', '')}: {str(body.get('hash', ''))[:19]}",
            "revocation": f"{body.get('scope', '')} {body.get('target', '')}",
        }[entry.kind]
        yield {"at": format_iso(entry.ts_us), "change": entry.kind, "what": descriptions, "entry": entry.id}


def _build_sections(
    answers: Mapping[str, Answer], agents: Sequence[Mapping[str, Any]], changes: Sequence[Mapping[str, Any]]
) -> list[AnnexSection]:
    tables = {name: (answer.columns, answer.rows[:_MAX_ROWS]) for name, answer in answers.items()}
    tables["agents"] = tuple(agents[0]) if agents else ("agent",), tuple(agents)
    tables["changes"] = ("at", "change", "what", "entry"), tuple(changes)
    sections = []
    for number, plan in enumerate(_PLAN, 1):
        shown = [(title, *tables[name]) for name, title in plan.tables.items()]
        if plan.verdicts:
            rows = tuple(_describe_verdict(answers[name]) for name in plan.verdicts)
            shown.append(("Checks over the period", ("claim", "verdict", "counted"), rows))
        sections.append(AnnexSection(number, plan.title, tuple(shown), plan.to_write))
    return sections


def _describe_verdict(answer: Answer) -> dict[str, str]:
    return {
        "claim": answer.claim,
        "verdict": VERDICT_WORDS[answer.verdict.value],
        "counted": count_population(answer.population.counted, answer.population.what),
    }


def _to_json(section: AnnexSection) -> dict[str, Any]:
    tables = [
        {"columns": list(names), "rows": [dict(row) for row in rows], "title": title}
        for title, names, rows in section.tables
    ]
    return {"number": section.number, "tables": tables, "title": section.title, "to_write": list(section.to_write)}


def _render_html(head: Sequence[tuple[str, str]], sections: Sequence[AnnexSection]) -> str:
    rows = (element("tr", element("th", name, scope="row"), element("td", words)) for name, words in head)
    body = [
        element("h1", TITLE),
        element("table", *rows, class_="facts"),
        element("div", element("p", CAVEAT), element("p", SCOPE_NOTE), class_="note"),
    ]
    for section in sections:
        body.append(element("h2", f"{section.number}. {section.title}"))
        for title, names, lines in section.tables:
            body.append(element("h3", title))
            render = render_table if len(names) <= _MAX_COLUMNS else render_cards
            body.append(render(names, lines) if lines else element("p", "nothing in this period", class_="soft"))
        missing = (element("li", text) for text in section.to_write)
        body.append(element("div", element("strong", "To be written"), element("ul", *missing), class_="note"))
    return render_page(TITLE, body)


def _render_markdown(head: Sequence[tuple[str, str]], sections: Sequence[AnnexSection]) -> str:
    lines = [f"# {TITLE}", "", CAVEAT, "", SCOPE_NOTE, ""]
    lines += [f"- {name}: {escape_markdown(words)}" for name, words in head]
    for section in sections:
        lines += ["", f"## {section.number}. {section.title}", ""]
        for title, names, rows in section.tables:
            lines += [f"### {title}", "", *(list_table_lines(names, rows) if rows else ["nothing in this period"]), ""]
        lines += ["To be written:", "", *(f"- {text}" for text in section.to_write)]
    return "\n".join(lines) + "\n"
