"""`halo risk`, `halo baseline` and `halo identity`: what is ordinary, and the risk of agents, people, service accounts.

An agent's risk changes with every scored action: it rises at once and falls slowly.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.progress import SpinnerColumn, TextColumn
from typer import Argument, Option

from halo_core.baselines import (
    collect_sessions,
    fit_score,
    put_in_force,
    take_out_of_force,
)
from halo_core.cli.behaviour import print_agent, print_agents, print_people, print_person, write_behaviour_chart
from halo_core.cli.context import StoreContext, show_progress, store_verb, write_text_file
from halo_core.cli.rendering import (
    RISK_BANDS,
    Exit,
    build_table,
    console,
    print_note,
    safe_text,
    say,
    say_plainly,
)
from halo_core.enforcement.profile_rebuild import rebuild_profiles
from halo_core.errors import ConfigError
from halo_core.model_changes import find_held_out, load_usual_model, name_log
from halo_core.store.reader import read_entries
from halo_core.views.agent_behaviour import load_agent_behaviour
from halo_core.views.baseline import (
    BaselineView,
    check_agents_acted,
    count_unjudged_alerts,
    load_baseline,
    survey_sessions,
)
from halo_core.views.manifests import find_role
from halo_core.views.models import load_model_file
from halo_core.views.people_risk import load_people
from halo_core.views.risk import RiskReport, draw_sparkline, load_risk_report
from halo_core.views.risk_chart import draw_risk_chart
from halo_core.views.risk_history import KINDS, build_history
from halo_core.views.wording import format_count

_MAX_FACTORS: Final = 20
_PROGRESS: Final = "{task.description}: {task.completed} entries"


@store_verb()
def risk(
    agent: Annotated[str, Argument(metavar="[AGENT]", help="Show one agent in detail.")] = "",
    *,
    svg: Annotated[
        Path | None, Option("--svg", metavar="FILE", help="Write a chart of one agent's history to this file.")
    ] = None,
    chart: Annotated[
        str,
        Option("--chart", help="What --svg draws: score, timeline, drift or parts."),
    ] = "",
    people: Annotated[
        bool, Option("--people", help="Show every person and service account whose events are followed.")
    ] = False,
    person: Annotated[
        str, Option("--person", metavar="NAME", help="Show one person or service account in detail.")
    ] = "",
    rebuild: Annotated[
        bool, Option("--rebuild", help="Make the behaviour profiles anew from the ledger (reason code `bad_profile`).")
    ] = False,
    store: StoreContext,
) -> int:
    """Show the risk of agents, people and service accounts: who, why, since when, and what was done."""
    if rebuild:
        _rebuild_profiles(store)
    elif svg is not None:
        _write_chart(store, agent, chart, svg)
    elif people or person:
        return _show_people(store, person)
    else:
        _show_agents(store, agent)
    return Exit.OK


def _show_people(store: StoreContext, name: str) -> int:
    with store.open_log() as (reader, tenant):
        people = load_people(reader, tenant, store.home, name=name)
    if store.print_json({"people": [item.to_json() for item in people]}):
        return Exit.OK
    if not name:
        print_people(people, all_of_them=True)
    elif people:
        print_person(people[0])
    else:
        say_plainly(f"no events of `{name}` are followed; see `halo risk --people`")
    return Exit.FAILED if name and not people else Exit.OK


def _show_agents(store: StoreContext, agent: str) -> None:
    with store.open_log() as (reader, tenant):
        report = load_risk_report(reader, tenant, agent)
        agents = load_agent_behaviour(reader, tenant, agent)
        people = [] if agent else load_people(reader, tenant, store.home)
    behaviour = [item.to_json() for item in agents]
    if store.print_json(report.to_json() | {"behaviour": behaviour, "people": [item.to_json() for item in people]}):
        return
    if agent:
        for item in agents:
            print_agent(item)
    else:
        print_agents(agents)
    _print_scored(report, is_one=bool(agent))
    print_people(people, all_of_them=False)


def _print_scored(report: RiskReport, *, is_one: bool) -> None:
    if not report.scored:
        say_plainly(report.advice)
        return
    titles = ("agent", "risk", "now", "highest", "elevated", "high", "the last actions", "what moved it most")
    table = build_table(titles, right=("risk", "highest", "elevated", "high"), gap=2)
    for row in report.scored:
        counts = (str(row.highest), str(row.bands[1]), str(row.bands[2]))
        moved = safe_text(next(iter(row.factors), "-"))
        table.add_row(
            safe_text(row.agent), str(row.risk), RISK_BANDS[row.band], *counts, draw_sparkline(row.history), moved
        )
    say(table)
    for note in report.describe_unscored():
        say_plainly(f"  {note}")
    if is_one:
        for words, times in report.scored[0].factors.most_common(_MAX_FACTORS):
            say_plainly(f"  {times:>4} x {words}")
        for text in report.scored[0].activity.describe(report.scored[0].granted):
            say_plainly(f"  {text}")


def _rebuild_profiles(store: StoreContext) -> None:
    with store.open_log() as (reader, tenant), store.open_committer(tenant) as run:
        rebuilt = rebuild_profiles(run, reader, tenant, store.actor)
    for item in rebuilt:
        done = "written again" if item.restored else "as its newest entry left it"
        waited = f", {format_count(item.folded, 'session')} had waited" if item.folded else ""
        say_plainly(f"{item.kind} `{safe_text(item.subject)}`: {done}{waited}")


def _write_chart(store: StoreContext, agent: str, kind: str, path: Path) -> None:
    if not agent:
        remedy = "give the agent: `halo risk AGENT`"
        raise ConfigError("no_agent", "a chart shows one agent", field="agent", remedy=remedy)
    if kind not in ("", "score"):
        write_behaviour_chart(store, agent, kind, path)
        return
    with store.open_log() as (reader, tenant):
        history = build_history(agent, read_entries(reader, tenant, KINDS))
        behaviour = [] if history.actions or kind else load_agent_behaviour(reader, tenant, agent)
    if any(item.points for item in behaviour):
        write_behaviour_chart(store, agent, "timeline", path)
        return
    if not history.actions:
        problem, remedy = f"no action of `{agent}` has been scored", f"run `halo baseline fit {agent}`"
        raise ConfigError("no_score", problem, field="agent", remedy=remedy)
    write_text_file(path, draw_risk_chart(history), "svg")
    say_plainly(f"written to {path}")


app = typer.Typer(help="Fit, show and drop the baseline of an agent's ordinary behaviour.")


def _check_agent_name(name: str) -> str:
    """An agent's id, as the parser's callback.

    INVARIANT: an agent's id is printable, so that none equals the name under which the baseline of people is stored.
    """
    if not name.isprintable():
        raise typer.BadParameter("the name of an agent must be printable")
    return name


DryRunOption = Annotated[bool, Option("--dry-run", help="Fit and show the baseline without putting it in force.")]
AgentArgument = Annotated[str, Argument(metavar="AGENT", help="The agent's id.", callback=_check_agent_name)]
_MIN_SESSIONS = 100
"""Fewest sessions with which the limits keep to a false alarm rate of 5%."""


@store_verb(app, "fit", by=True)
def fit_agent_baseline(
    agent: AgentArgument,
    *,
    like: Annotated[
        list[str] | None, Option("--like", help="Agents with the same role whose sessions are used too.")
    ] = None,
    model: Annotated[
        Path | None, Option("--model", help="A model file (default: one switched to, else Halo's).")
    ] = None,
    dry_run: DryRunOption = False,
    store: StoreContext,
) -> None:
    """Fit a baseline from the agent's sessions in the log, and score its actions against it from now on."""
    key = store.keys.secret("sketch")
    agents = [agent, *(like or ())]
    with store.open_log() as (reader, tenant), show_progress(SpinnerColumn(), TextColumn(_PROGRESS)) as bar:
        scorer = load_model_file(model) if model is not None else load_usual_model(reader, tenant, agent)
        check_agents_acted(reader, tenant, like or ())
        task = bar.add_task("reading the log")
        sessions = collect_sessions(
            reader, store.open_contents(reader, is_shown=False), tenant, agents, key, note=lambda: bar.advance(task)
        )
        if not sessions:
            problem = f"the log has no session of `{agent}`"
            remedy = "run it in observe mode first, or add agents with the same role with `--like`"
            raise ConfigError("no_sessions", problem, field="agent", remedy=remedy)
        bar.update(task, description=f"fitting {len(sessions)} sessions")
        held_out = find_held_out(scorer, name_log(reader, tenant), find_role(store.home, agent))
        baseline = fit_score(sessions, scorer, key, held_out=held_out)
        unjudged = count_unjudged_alerts(reader, tenant, frozenset(item.session for item in sessions))
        unscored, attacks = survey_sessions(reader, tenant, agents, sessions)
    if not dry_run:
        store.commit(lambda tx: put_in_force(tx, agent, baseline, store.actor))
    _print_baseline(store, BaselineView(agent, baseline.terms, baseline.usual, in_force=not dry_run))
    if attacks:
        print_note(f"left out because they were judged an attack: {format_count(attacks, 'session')}")
    for neighbour in unscored:
        text = "acted in these sessions without a baseline: if tainted, only its reads run without approval"
        print_note(f"{neighbour} {text}; `halo baseline fit {neighbour}`")
    if unjudged:
        text = f"{unjudged} not judged; their sessions count as ordinary; see `halo alerts --open`"
        print_note(f"alerts in these sessions: {text}")


@store_verb(app, "show")
def show_agent_baseline(agent: AgentArgument, *, store: StoreContext) -> None:
    """Show the baseline that is in force for an agent."""
    with store.open_log() as (reader, tenant):
        _print_baseline(store, load_baseline(reader, tenant, agent))


@store_verb(app, "drop", json=False, by=True)
def drop_agent_baseline(agent: AgentArgument, *, store: StoreContext) -> int:
    """Remove an agent's baseline; its actions are no longer scored."""
    dropped = store.commit(lambda tx: take_out_of_force(tx, agent, store.actor))
    say_plainly(f"no baseline is in force for {agent}" + ("" if dropped else ", and none was before"))
    return Exit.OK if dropped else Exit.FAILED


def _print_baseline(store: StoreContext, baseline: BaselineView) -> None:
    if store.print_json(baseline):
        return
    view, terms = console(), baseline.terms
    view.print(f"{baseline.agent}: {'in force' if baseline.in_force else 'not put in force'}", markup=False)
    tasks = format_count(terms.tasks, "different request")
    view.print(f"  ordinary       {format_count(terms.sessions, 'session')} with {tasks}")
    view.print("  a risk above {} of 1000 is elevated, above {} it is high".format(*terms.risks))
    view.print(f"  circumstances  {baseline.describe_circumstances()}", markup=False)
    view.print(f"  baseline       {terms.baseline}")
    view.print(f"  model          {terms.model}")
    if terms.sessions < _MIN_SESSIONS:
        text = "sessions ordinary work is flagged more often than the limits say"
        view.print(f"[yellow]note[/]: with fewer than {_MIN_SESSIONS} {text}")
