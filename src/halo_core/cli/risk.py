"""`halo risk` and `halo baseline`: who is at which risk and why, and what is ordinary for an agent.

Risk is of sessions and agents: it moves with every scored action, rises at once and falls slowly.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.progress import SpinnerColumn, TextColumn

from halo_core.baselines import collect_sessions, fit_score, load_shipped_model, put_in_force, take_out_of_force
from halo_core.cli.context import StoreContext, show_progress, store_verb, write_text_file
from halo_core.cli.rendering import RISK_BANDS, Exit, build_table, console, print_json, print_note, safe_text
from halo_core.errors import ConfigError
from halo_core.risk.model import MAX_MODEL_BYTES, RiskModel
from halo_core.store.log import read_entries
from halo_core.views.baselines import BaselineView, check_agents_acted, count_unjudged, load_baseline, survey_sessions
from halo_core.views.passports import read_regular_file
from halo_core.views.risk import KINDS, build_history, draw_sparkline, load_risk_report
from halo_core.views.risk_chart import draw_risk_chart
from halo_core.views.wording import format_count

_MAX_FACTORS: Final = 20
_PROGRESS: Final = "{task.description}: {task.completed} entries"


@store_verb()
def risk(
    agent: Annotated[str, typer.Argument(metavar="[AGENT]", help="Show one agent in detail.")] = "",
    *,
    svg: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE", help="Write a chart of one agent's history to this file.")
    ] = None,
    store: StoreContext,
) -> int:
    """Show the risk of each agent (0..1000), its causes, and its history."""
    if svg is not None:
        return _write_chart(store, agent, svg)
    with store.open_log() as (reader, tenant):
        report = load_risk_report(reader, tenant, agent)
    if store.json:
        print_json(report.to_json())
        return Exit.OK
    view = console()
    if not report.scored:
        view.print(report.advice, markup=False)
        return Exit.OK
    titles = ("agent", "risk", "now", "highest", "elevated", "high", "the last actions", "what moved it most")
    table = build_table(titles, right=("risk", "highest", "elevated", "high"), gap=2)
    for row in report.scored:
        counts = (str(row.highest), str(row.bands[1]), str(row.bands[2]))
        moved = safe_text(next(iter(row.factors), "-"))
        table.add_row(
            safe_text(row.agent), str(row.risk), RISK_BANDS[row.band], *counts, draw_sparkline(row.history), moved
        )
    view.print(table)
    for note in report.describe_unscored():
        view.print(f"  {note}", markup=False)
    if agent:
        for words, times in report.scored[0].factors.most_common(_MAX_FACTORS):
            view.print(f"  {times:>4} x {words}", markup=False)
        for text in report.scored[0].activity.describe(report.scored[0].granted):
            view.print(f"  {text}", markup=False)
    return Exit.OK


def _write_chart(store: StoreContext, agent: str, path: Path) -> int:
    if not agent:
        remedy = "give the agent: `halo risk AGENT`"
        raise ConfigError("no_agent", "a chart shows one agent", field="agent", remedy=remedy)
    with store.open_log() as (reader, tenant):
        history = build_history(agent, read_entries(reader, tenant, KINDS))
    if not history.actions:
        problem, remedy = f"no action of `{agent}` has been scored", f"run `halo baseline fit {agent}`"
        raise ConfigError("no_score", problem, field="agent", remedy=remedy)
    write_text_file(path, draw_risk_chart(history), "svg")
    console().print(f"written to {path}", markup=False)
    return Exit.OK


app = typer.Typer(help="Fit, show and drop the baseline of an agent's ordinary behaviour.")


def _check_agent_name(name: str) -> str:
    """An agent's id. INVARIANT: printable, so that none names the baseline of people, which stands among theirs."""
    if not name.isprintable():
        raise typer.BadParameter("the name of an agent must be printable")
    return name


AgentArgument = Annotated[str, typer.Argument(metavar="AGENT", help="The agent's id.", callback=_check_agent_name)]
_MIN_SESSIONS = 100
"""Sessions under which a false alarm rate of 5% is not to be had."""


@app.command("fit")
@store_verb(by=True)
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
    store: StoreContext,
) -> int:
    """Fit a baseline from the agent's sessions in the log, and score its actions against it from now on."""
    scorer = _load_model(model) if model is not None else load_shipped_model()
    key = store.keys.secret("sketch")
    agents = [agent, *(like or ())]
    with store.open_log() as (reader, tenant), show_progress(SpinnerColumn(), TextColumn(_PROGRESS)) as bar:
        check_agents_acted(reader, tenant, like or ())
        task = bar.add_task("reading the log")
        sessions = collect_sessions(
            reader, store.open_contents(reader), tenant, agents, key, note=lambda: bar.advance(task)
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
        unjudged = count_unjudged(reader, tenant, frozenset(item.session for item in sessions))
        unscored, attacks = survey_sessions(reader, tenant, agents, sessions)
    if not dry_run:
        store.commit(lambda tx: put_in_force(tx, agent, baseline, store.actor))
    _print_baseline(BaselineView(agent, baseline.terms, baseline.usual, in_force=not dry_run), json=store.json)
    if attacks:
        print_note(f"left out because they were judged an attack: {format_count(attacks, 'session')}")
    for neighbour in unscored:
        text = "acted in these sessions without a baseline: if tainted, only its reads run without approval"
        print_note(f"{neighbour} {text}; `halo baseline fit {neighbour}`")
    if unjudged:
        text = f"{unjudged} not judged; their sessions count as ordinary; see `halo alerts --open`"
        print_note(f"alerts in these sessions: {text}")
    return Exit.OK


@app.command("show")
@store_verb()
def show_agent_baseline(agent: AgentArgument, *, store: StoreContext) -> int:
    """Show the baseline that is in force for an agent."""
    with store.open_log() as (reader, tenant):
        baseline = load_baseline(reader, tenant, agent)
    _print_baseline(baseline, json=store.json)
    return Exit.OK


@app.command("drop")
@store_verb(json=False, by=True)
def drop_agent_baseline(agent: AgentArgument, *, store: StoreContext) -> int:
    """Remove an agent's baseline; its actions are no longer scored."""
    dropped = store.commit(lambda tx: take_out_of_force(tx, agent, store.actor))
    console().print(f"no baseline is in force for {agent}" + ("" if dropped else ", and none was before"), markup=False)
    return Exit.OK if dropped else Exit.FAILED


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


def _print_baseline(baseline: BaselineView, *, json: bool) -> None:
    if json:
        print_json(baseline.to_json())
        return
    view, terms = console(), baseline.terms
    view.print(f"{baseline.agent}: {'in force' if baseline.in_force else 'not put in force'}", markup=False)
    view.print(f"  ordinary       {terms.sessions} sessions with {terms.tasks} different requests")
    view.print("  a risk above {} of 1000 is elevated, above {} it is high".format(*terms.risks))
    view.print(f"  circumstances  {baseline.describe_circumstances()}", markup=False)
    view.print(f"  baseline       {terms.baseline}")
    view.print(f"  model          {terms.model}")
    if terms.sessions < _MIN_SESSIONS:
        text = "sessions ordinary work is flagged more often than the limits say"
        view.print(f"[yellow]note[/]: with fewer than {_MIN_SESSIONS} {text}")
