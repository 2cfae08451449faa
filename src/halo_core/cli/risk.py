"""Room: `halo risk`. Takes: a store. Gives: who is at which risk and why. Never: decides.

Risk is of sessions and agents: it moves with every scored action, rises at once and falls slowly.

Room: `halo baseline`. Takes: a store. Gives: what is ordinary for an agent, put in force. Never: decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table

from halo_core.baselines import (
    IDENTITIES,
    SessionHistory,
    collect_sessions,
    fit_score,
    load_shipped_model,
    put_in_force,
    take_out_of_force,
)
from halo_core.cli.context import (
    DbOption,
    Exit,
    HomeOption,
    JsonOption,
    TenantOption,
    console,
    print_json,
    resolve_store,
)
from halo_core.cli.controls import ByOption, commit, resolve_actor
from halo_core.crypto import canonical
from halo_core.crypto.keys import KeyStore
from halo_core.enforcement.risk_assessor import load_rules
from halo_core.errors import BadInput, ConfigError
from halo_core.model import EntryKind, Grants
from halo_core.risk.action_risk import ScoringTerms
from halo_core.risk.circumstances import UsualCircumstances
from halo_core.risk.model import MAX_MODEL_BYTES, RiskModel
from halo_core.store.log import LoggedEntry, SealedContents, read_entries, read_verdict, select_tenant
from halo_core.store.reader import Reader
from halo_core.views.passports import load_current_passport, read_regular_file
from halo_core.views.risk import KINDS, SPARKLINE_WIDTH, AgentActivity, build_history, draw_sparkline
from halo_core.views.risk_chart import draw_risk_chart, format_count
from halo_core.views.wording import safe_text

__all__ = [
    "app",
    "risk",
]


_BANDS: Final = ("ordinary", "[yellow]elevated[/]", "[bold red]high[/]")
_MAX_FACTORS: Final = 20


@dataclass(slots=True)
class _AgentRisk:
    """What the log says of one agent's risk."""

    agent: str
    scored: int = 0
    risk: int = 0
    highest: int = 0
    band: int = 0
    bands: Counter[int] = field(default_factory=Counter)
    history: list[int] = field(default_factory=list)
    factors: Counter[str] = field(default_factory=Counter)
    session: str = ""
    last_us: int = 0
    activity: AgentActivity = field(default_factory=AgentActivity)
    unscored: int = 0

    def add(self, record: LoggedEntry) -> None:
        """One decision, in log order."""
        body = record.entry.body
        self.activity.add(record)
        snapshot = body["snapshot"]
        self.unscored += bool(snapshot.get("unscored"))
        if snapshot["risk"] is None:
            return
        self.scored += 1
        self.risk, self.session, self.last_us = body["after"]["risk"], record.entry.session, record.entry.ts_us
        self.highest = max(self.highest, self.risk)
        self.band = snapshot["band"]
        self.bands[self.band] += 1
        self.history.append(self.risk)
        self.factors.update(item["words"] for item in snapshot["factors"])

    def to_json(self, granted: Grants | None) -> dict[str, Any]:
        """For programs."""
        return {
            "agent": self.agent,
            "elevated": self.bands[1],
            "factors": dict(self.factors.most_common(3)),
            "high": self.bands[2],
            "highest": self.highest,
            "history": self.history[-SPARKLINE_WIDTH:],
            "last_us": self.last_us,
            "reach": self.activity.to_json(granted),
            "risk": self.risk,
            "scored": self.scored,
            "session": self.session,
        }


def risk(
    agent: Annotated[str, typer.Argument(metavar="[AGENT]", help="Show one agent in detail.")] = "",
    *,
    svg: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE", help="Write a chart of one agent's history to this file.")
    ] = None,
    tenant: TenantOption = None,
    db: DbOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Show the risk of each agent (0..1000), its causes, and its history."""
    _, url = resolve_store(home, db)
    if svg is not None:
        return _write_chart(url, tenant, agent, svg)
    with Reader(url) as reader:
        agents, granted = _read_agents(reader, select_tenant(reader, tenant), agent)
        unscored = _explain_unscored(reader, tenant, agent, acted=bool(agents))
    scored = sorted((row for row in agents.values() if row.scored), key=lambda row: (-row.risk, row.agent))
    if json:
        unscored_counts = {row.agent: row.unscored for row in agents.values() if row.unscored}
        print_json({"agents": [row.to_json(granted[row.agent]) for row in scored], "unscored": unscored_counts})
        return Exit.OK
    view = console()
    if not scored:
        view.print(unscored, markup=False)
        return Exit.OK
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("agent", "risk", "now", "highest", "elevated", "high", "the last actions", "what moved it most"):
        table.add_column(title, justify="right" if title in ("risk", "highest", "elevated", "high") else "left")
    for row in scored:
        words = next(iter(row.factors), "") if row.factors else "-"
        counts = (str(row.highest), str(row.bands[1]), str(row.bands[2]))
        table.add_row(
            safe_text(row.agent),
            str(row.risk),
            _BANDS[row.band],
            *counts,
            draw_sparkline(row.history),
            safe_text(words),
        )
    view.print(table)
    for note in _describe_unscored(agents):
        view.print(note, markup=False)
    if agent:
        for words, times in scored[0].factors.most_common(_MAX_FACTORS):
            view.print(f"  {times:>4} x {words}", markup=False)
        for text in scored[0].activity.describe(granted[agent]):
            view.print(f"  {text}", markup=False)
    return Exit.OK


def _describe_unscored(agents: Mapping[str, _AgentRisk]) -> Iterator[str]:
    """Agents that act beside scored ones, and have no score."""
    for name, row in sorted(agents.items()):
        if row.unscored and not row.scored:
            count_text = format_count(row.unscored, "action")
            yield f"  {count_text} of {name} in the same sessions have no score: run `halo baseline fit {name}`"


def _read_agents(reader: Reader, tenant: str, agent: str) -> tuple[dict[str, _AgentRisk], dict[str, Grants | None]]:
    """What agents did, and what they hold; None for one that stands on no passport of its own."""
    agents: dict[str, _AgentRisk] = {}
    for item in read_entries(reader, tenant, (EntryKind.DECISION,)):
        name = item.entry.body["request"]["subject"]["agent"]
        if not agent or name == agent:
            agents.setdefault(name, _AgentRisk(name)).add(item)
    passports = {name: load_current_passport(reader, tenant, name) for name in agents}
    return agents, {name: None if chain is None else chain.links[0].grants for name, chain in passports.items()}


def _explain_unscored(reader: Reader, tenant: str | None, agent: str, *, acted: bool) -> str:
    """What to do where no action was scored."""
    tenant_name = select_tenant(reader, tenant)
    fitted = {name for owner, name, blob in reader.baselines() if owner == tenant_name and blob and name != IDENTITIES}
    if agent in fitted or (not agent and fitted):
        return "no action has been scored yet; scoring starts with the next action"
    if agent and not acted:
        return f"the log has no action of `{agent}`; see `halo agents`"
    return f"no action has been scored yet; run `halo baseline fit {agent or 'AGENT'}` to start scoring"


def _write_chart(url: str, tenant: str | None, agent: str, path: Path) -> int:
    if not agent:
        raise ConfigError(
            "no_agent", "a chart shows one agent", field="agent", remedy="give the agent: `halo risk AGENT`"
        )
    with Reader(url) as reader:
        agent_history = build_history(agent, read_entries(reader, select_tenant(reader, tenant), KINDS))
    if not agent_history.actions:
        raise ConfigError(
            "no_score",
            f"no action of `{agent}` has been scored",
            field="agent",
            remedy=f"run `halo baseline fit {agent}`",
        )
    try:
        path.write_text(draw_risk_chart(agent_history), encoding="utf-8")
    except OSError as exc:
        why, remedy = f"cannot write `{path}`: {exc.strerror}", "choose a file in a writable folder"
        raise ConfigError("no_file", why, field="svg", remedy=remedy) from exc
    console().print(f"written to {path}", markup=False)
    return Exit.OK


app = typer.Typer(help="Fit, show and drop the baseline of an agent's ordinary behaviour.")


def _check_agent_name(name: str) -> str:
    """An agent's id. INVARIANT: printable, so that none names the baseline of people, which stands among theirs."""
    if not name.isprintable():
        raise typer.BadParameter("the name of an agent must be printable")
    return name


AgentArgument = Annotated[str, typer.Argument(metavar="AGENT", help="The agent's id.", callback=_check_agent_name)]
_KIND_NAMES = {"host": "host", "label": "data label", "process": "program", "resource": "resource", "system": "system"}
_MIN_DAYS = 5
"""Days under which a new host, program or hour weighs nothing worth the name."""
_MIN_SESSIONS = 100
"""Sessions under which a false alarm rate of 5% is not to be had."""


@app.command("fit")
def fit_agent_baseline(
    agent: AgentArgument,
    *,
    like: Annotated[
        list[str] | None, typer.Option("--like", help="Agents with the same role whose sessions are used too.")
    ] = None,
    model: Annotated[Path | None, typer.Option("--model", help="A model file (default: Halo's model).")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Fit and show the baseline without putting it in force.")
    ] = False,
    by: ByOption = "",
    tenant: TenantOption = None,
    db: DbOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Fit a baseline from the agent's sessions in the log, and score its actions against it from now on."""
    folder, url = resolve_store(home, db)
    scorer = _load_model(model) if model is not None else load_shipped_model()
    keys = KeyStore(folder)
    key = keys.secret("sketch")
    with Reader(url) as reader, _build_progress() as bar:
        name = select_tenant(reader, tenant)
        _check_like(reader, name, like or ())
        task = bar.add_task("reading the log")
        sessions = collect_sessions(
            reader,
            SealedContents.with_home_key(reader, keys),
            name,
            [agent, *(like or ())],
            key,
            note=lambda: bar.advance(task),
        )
        if not sessions:
            raise ConfigError(
                "no_sessions",
                f"the log has no session of `{agent}`",
                field="agent",
                remedy="run it in observe mode first, or add agents with the same role with `--like`",
            )
        bar.update(task, description=f"fitting {len(sessions)} sessions")
        baseline = fit_score(sessions, scorer, key)
        unjudged = _count_unjudged(reader, name, frozenset(item.session for item in sessions))
        unscored, attacks = _survey_sessions(reader, name, [agent, *(like or ())], sessions)
    if not dry_run:
        commit(url, folder, tenant, lambda tx: put_in_force(tx, agent, baseline, resolve_actor(by)))
    _print_baseline(agent, baseline.terms, baseline.usual, in_force=not dry_run, json=json)
    note = console(stderr=True)
    if attacks:
        note.print(f"[yellow]note[/]: left out because they were judged an attack: {format_count(attacks, 'session')}")
    for neighbour in unscored:
        text = (
            f"{neighbour} acted in these sessions without a baseline: if tainted, only its reads run without approval"
        )
        note.print(f"[yellow]note[/]: {escape(text)}; `halo baseline fit {escape(neighbour)}`")
    if unjudged:
        text = f"{unjudged} not judged; their sessions count as ordinary; see `halo alerts --open`"
        note.print(f"[yellow]note[/]: alerts in these sessions: {text}")
    return Exit.OK


@app.command("show")
def show_agent_baseline(
    agent: AgentArgument,
    *,
    tenant: TenantOption = None,
    db: DbOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Show the baseline that is in force for an agent."""
    _, url = resolve_store(home, db)
    with Reader(url) as reader:
        name = select_tenant(reader, tenant)
        baseline_hash = next((row[2] for row in reader.baselines() if row[:2] == (name, agent)), "")
        rules = load_rules(baseline_hash, partial(_read_part, reader, name)) if baseline_hash else None
    if rules is None:
        raise ConfigError(
            "no_baseline",
            f"no baseline is in force for `{agent}`",
            field="agent",
            remedy=f"run `halo baseline fit {agent}`",
        )
    _print_baseline(agent, rules.terms, rules.usual, in_force=True, json=json)
    return Exit.OK


@app.command("drop")
def drop_agent_baseline(
    agent: AgentArgument,
    *,
    by: ByOption = "",
    tenant: TenantOption = None,
    db: DbOption = "",
    home: HomeOption = None,
) -> int:
    """Remove an agent's baseline; its actions are no longer scored."""
    folder, url = resolve_store(home, db)
    dropped = commit(url, folder, tenant, lambda tx: take_out_of_force(tx, agent, resolve_actor(by)))
    console().print(f"no baseline is in force for {agent}" + ("" if dropped else ", and none was before"), markup=False)
    return Exit.OK if dropped else Exit.FAILED


def _read_part(reader: Reader, tenant: str, name: str, domain: str) -> bytes:
    """A part of a score that is in force.

    Raises:
        BadInput: it is not what was put in force.
    """
    data = reader.blob(tenant, name)
    if data is None or canonical.digest(domain, data) != name:
        remedy = "run `halo verify` to see what was changed, then fit again"
        raise BadInput("bad_baseline", "it is not the one that was put in force", field="baseline", remedy=remedy)
    return data


def _load_model(path: Path) -> RiskModel:
    """A model file, packed or not.

    Raises:
        ConfigError: it cannot be read.
        BadInput: it is not a model of this version.
    """
    try:
        data = read_regular_file(path, MAX_MODEL_BYTES)
    except OSError as exc:
        why = f"cannot read `{path}`: {exc.strerror}"
        raise ConfigError("no_model", why, field="model", remedy="choose a file that train_behaviour.py wrote") from exc
    return RiskModel.from_bytes(data) if data[:1] == b"{" else RiskModel.from_packed(data)


def _check_like(reader: Reader, tenant: str, like: Sequence[str]) -> None:
    """A misspelt agent of the same role is no baseline without it."""
    if not like:
        return
    acted = {
        item.entry.body["request"]["subject"]["agent"] for item in read_entries(reader, tenant, (EntryKind.DECISION,))
    }
    for agent in like:
        if agent not in acted:
            why, remedy = f"the log has no action of `{agent}`", "see `halo agents`"
            raise ConfigError("no_sessions", why, field="like", remedy=remedy)


def _count_unjudged(reader: Reader, tenant: str, sessions: frozenset[str]) -> int:
    """Alerts of these sessions of which nobody said what they were."""
    alert_entries = [item.entry for item in read_entries(reader, tenant, (EntryKind.ALERT, EntryKind.FEEDBACK))]
    judged = {body["alert"] for entry in alert_entries if (body := read_verdict(entry)) is not None}
    alerts = {entry.id for entry in alert_entries if entry.kind is EntryKind.ALERT and entry.session in sessions}
    return len(alerts - judged)


def _build_progress() -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}: {task.completed} entries"))
    view = console(stderr=True)
    # Else it leaves an empty line in whatever stderr is written to.
    return Progress(*columns, console=view, transient=True, disable=not view.is_terminal)


def _print_baseline(agent: str, terms: ScoringTerms, usual: UsualCircumstances, *, in_force: bool, json: bool) -> None:
    facts = {name: getattr(terms, name) for name in terms.__dataclass_fields__} | {"risks": list(terms.risks)}
    if json:
        print_json({"agent": agent, "circumstances": usual.to_plain(), "in_force": in_force, **facts})
        return
    view = console()
    view.print(f"{agent}: {'in force' if in_force else 'not put in force'}", markup=False)
    view.print(f"  ordinary       {terms.sessions} sessions with {terms.tasks} different requests")
    view.print("  a risk above {} of 1000 is elevated, above {} it is high".format(*terms.risks))
    view.print(f"  circumstances  {_describe_circumstances(usual)}", markup=False)
    view.print(f"  baseline       {terms.baseline}")
    view.print(f"  model          {terms.model}")
    if terms.sessions < _MIN_SESSIONS:
        view.print(
            f"[yellow]note[/]: with fewer than {_MIN_SESSIONS} sessions ordinary work is flagged more often than the limits say"
        )


def _describe_circumstances(usual: UsualCircumstances) -> str:
    if not usual.sessions:
        return "not compared"
    early = usual.days < _MIN_DAYS
    kinds = [kind for kind in sorted(usual.known_values) if not early or kind not in {"host", "process"}]
    counts = ", ".join(format_count(len(usual.known_values[kind]), _KIND_NAMES[kind]) for kind in kinds) or "none"
    if early:
        return f"{counts}; host, program and hour have little weight before day {_MIN_DAYS} ({usual.days} so far)"
    hours = ", ".join(f"{hour:02}" for hour in sorted(usual.hours)) or "none yet"
    return f"{usual.days} days; {counts}; hours (UTC) {hours}"


def _survey_sessions(
    reader: Reader, tenant: str, agents: Sequence[str], sessions: Sequence[SessionHistory]
) -> tuple[list[str], int]:
    """Who acted in these sessions without a baseline, and how many sessions of the agents were left out as attacks."""
    acted: dict[str, set[str]] = {}
    bad: dict[str, bool] = {}
    for item in read_entries(reader, tenant, (EntryKind.DECISION, EntryKind.FEEDBACK)):
        body = item.entry.body
        if read_verdict(item.entry) is not None:
            bad[body["session"]] = body["attack"]
        elif item.entry.kind is EntryKind.DECISION:
            acted.setdefault(item.entry.session, set()).add(body["request"]["subject"]["agent"])
    scored = {row[1] for row in reader.baselines() if row[0] == tenant and row[2]}
    unscored = {name for item in sessions for name in acted.get(item.session, ())} - scored - {agents[0]}
    return sorted(unscored), sum(not acted.get(name, set()).isdisjoint(agents) for name in bad if bad[name])
