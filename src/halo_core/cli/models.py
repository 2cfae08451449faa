"""`halo model`: puts a model in shadow beside the one in force, compares both, switches to it, and switches back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text
from typer import Argument, Option

from halo_core.baselines import FittedScore, collect_sessions
from halo_core.cli.context import StoreContext, show_progress, store_verb
from halo_core.cli.rendering import RISK_BANDS, Exit, build_table, print_note, safe_text, say, say_plainly
from halo_core.model import EntryKind
from halo_core.model_changes import (
    drop_shadow,
    find_held_out,
    find_last_switch,
    fit_shadow,
    list_shadows,
    load_score_rules,
    name_log,
    put_in_shadow,
    switch_back,
    switch_to_shadow,
)
from halo_core.model_comparison import ComparedAction, ModelComparer
from halo_core.replay import Replayer
from halo_core.risk.model import RiskModel
from halo_core.risk.model_origin import ModelOrigin
from halo_core.store.reader import Reader, SealedContents
from halo_core.training.ledger_sessions import find_malicious_actions
from halo_core.views.backtest import SEQUENCE_NOTE
from halo_core.views.manifests import find_role
from halo_core.views.model_comparison import ModelComparison, ModelLoad, summarize_comparison
from halo_core.views.models import choose_agents, describe_model, load_model_file, load_model_status
from halo_core.views.score_frontier import find_attack_sessions
from halo_core.views.wording import format_count

app = typer.Typer(help="Try another risk model beside the one in force, switch to it, and back.")
AgentsOption = Annotated[list[str] | None, Option("--agent", help="Only this agent; may be repeated.")]
_PROGRESS: Final = (SpinnerColumn(), TextColumn("{task.description}: {task.completed} entries"))
_COMPARED: Final = (TextColumn("comparing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
_MAX_ROWS: Final = 20


@store_verb(app, "shadow", by=True)
def put_model_in_shadow(
    file: Annotated[Path | None, Argument(metavar="[FILE]", help="A model file of `halo train`.")] = None,
    *,
    agents: AgentsOption = None,
    like: Annotated[
        list[str] | None, Option("--like", help="Agents with the same role whose sessions set the limits too.")
    ] = None,
    drop: Annotated[bool, Option("--drop", help="Take the model in shadow away.")] = False,
    store: StoreContext,
) -> int:
    """Put a model in shadow: nothing that it says changes a decision, and `halo model compare` shows what it says."""
    if drop or file is None:
        if not drop:
            raise typer.BadParameter("give a model file, or `--drop`")
        return _drop_shadows(store, agents or ())
    model = load_model_file(file)
    with store.open_log() as (reader, tenant), show_progress(*_PROGRESS) as bar:
        chosen = choose_agents(reader, tenant, agents or (), shadowed=False)
        fitted = {}
        for agent in chosen:
            task = bar.add_task(f"reading the log for {agent}")
            names = [agent, *(like or ())]
            fitted[agent] = _fit_shadow(store, reader, tenant, names, model, note=partial(bar.advance, task))
    store.commit(lambda tx: [put_in_shadow(tx, agent, score, store.actor) for agent, score in fitted.items()])
    rows = [{"agent": agent, "risks": list(score.terms.risks)} for agent, score in fitted.items()]
    if store.print_json({"model": describe_model(model), "shadows": rows}):
        return Exit.OK
    say_plainly(f"in shadow: a model {describe_model(model)}")
    for agent, score in fitted.items():
        say_plainly("  {}: a risk above {} of 1000 would be elevated, above {} high".format(agent, *score.terms.risks))
    say_plainly("it changes no decision; see what it would have said: halo model compare")
    return Exit.OK


def _fit_shadow(
    store: StoreContext, reader: Reader, tenant: str, names: Sequence[str], model: RiskModel, *, note: partial[None]
) -> FittedScore:
    """The score of the model for the first of these agents, with limits fitted to the sessions of all of them."""
    key, agent = store.keys.secret("sketch"), names[0]
    sessions = collect_sessions(reader, store.open_contents(reader), tenant, names, key, note=note)
    held_out = find_held_out(model, name_log(reader, tenant), find_role(store.home, agent))
    return fit_shadow(reader, tenant, agent, sessions, model, key=key, held_out=held_out)


def _drop_shadows(store: StoreContext, agents: Sequence[str]) -> int:
    with store.open_log() as (reader, tenant):
        chosen = choose_agents(reader, tenant, agents, shadowed=True)
    dropped = store.commit(lambda tx: [drop_shadow(tx, agent, store.actor) for agent in chosen])
    for agent, was_there in zip(chosen, dropped, strict=True):
        say_plainly(f"no model is in shadow for {agent}" + ("" if was_there else ", and none was before"))
    return Exit.OK if all(dropped) else Exit.FAILED


@store_verb(app, "compare", by=True)
def compare_models(
    *,
    agents: AgentsOption = None,
    everything: Annotated[
        bool, Option("--all", help="Also compare what the model was trained on, where it looks too good.")
    ] = False,
    store: StoreContext,
) -> int:
    """Compare the model in shadow with the recorded decisions: sessions touched, attacks caught, disagreements.

    Exit 0: something was compared. 2: cannot tell, since no scored action is there to compare.
    """
    tenant = store.resolve_tenant()
    with store.open_reader() as reader:
        chosen = choose_agents(reader, tenant, agents or (), shadowed=True)
        shadows = list_shadows(reader, tenant)
        rules = {agent: load_score_rules(reader, tenant, shadows[agent]) for agent in chosen}
        origins = [ModelOrigin.from_about(item.model.about) for item in rules.values()]
        log = name_log(reader, tenant)
        trained = [origin.positions[1] + 1 for origin in origins if origin is not None and origin.log == log]
        since = 0 if everything else max(trained, default=0)
        store.record_access("read", {"for": "comparing models", "agents": ", ".join(sorted(rules))}, tenant)
        comparer = ModelComparer(Replayer(reader, SealedContents.with_home_key(reader, store.keys), tenant), rules)
        with show_progress(*_COMPARED) as bar:
            total = reader.count(tenant, EntryKind.DECISION.value)
            report = summarize_comparison(
                bar.track(comparer.compare_all(since), total=total),
                find_attack_sessions(reader, tenant),
                find_malicious_actions(reader, tenant),
            )
    report.since, report.skipped = since, dict(comparer.skipped)
    if not store.print_json(report):
        with store.open_log() as (names_reader, _):
            _print_comparison(report, names_reader, tenant)
    return Exit.OK if report.actions else Exit.CANNOT_TELL


def _print_comparison(report: ModelComparison, reader: Reader, tenant: str) -> None:
    for why, number in sorted(report.skipped.items()):
        print_note(f"left out: {format_count(number, 'action')}: {why}")
    if not report.actions:
        since = (
            f" from position {report.since} of the log on, after what the model was trained on" if report.since else ""
        )
        say_plainly(f"no scored action{since}: let the agents work on and compare again, or use `--all`")
        return
    where = f", from position {report.since} of the log on" if report.since else ""
    sessions = format_count(len(report.ordinary) + len(report.attacks), "session")
    say_plainly(f"compared {format_count(report.actions, 'action')} in {sessions}{where}")
    table = build_table(("", "in force then", "in shadow"), right=("in force then", "in shadow"), gap=2)
    for words, name, total in (
        ("ordinary sessions with an elevated action", "elevated", report.ordinary),
        ("ordinary sessions with a high one", "high", report.ordinary),
        ("ordinary sessions asked or denied, by any rule", "held", report.ordinary),
        ("attacks flagged", "flagged_attacks", report.attacks),
        ("attacks asked or denied, by any rule", "held_attacks", report.attacks),
    ):
        table.add_row(words, *(_format_share(load, name, len(total)) for load in (report.recorded, report.other)))
    say(table)
    _print_disagreements(report, reader, tenant)
    print_note(SEQUENCE_NOTE)


def _format_share(load: ModelLoad, name: str, total: int) -> str:
    number = len(getattr(load, name))
    return f"{number:,} of {total:,} ({100 * number / total:.1f}%)" if total else "-"


def _print_disagreements(report: ModelComparison, reader: Reader, tenant: str) -> None:
    if not report.disagreements:
        say_plainly("they agree on every action")
        return
    say_plainly(f"they disagree on {format_count(report.disagreements, 'action')}:")
    titles = ("#", "agent", "session", "resource", "in force then", "in shadow", "judged")
    table = build_table(titles, right=("#",), gap=2)
    for item in report.listed[:_MAX_ROWS]:
        table.add_row(*_describe_disagreement(item, report, reader, tenant))
    say(table)
    if report.disagreements > _MAX_ROWS:
        say_plainly(f"  … and {report.disagreements - _MAX_ROWS} more; use `--json` to see more")


def _describe_disagreement(
    item: ComparedAction, report: ModelComparison, reader: Reader, tenant: str
) -> tuple[str | Text, ...]:
    session = item.session if reader.names is None else reader.names.show_session(tenant, item.session)
    scores = (f"{score.risk} {RISK_BANDS[score.band]} {score.effect.value}" for score in (item.recorded, item.other))
    verdict = "attack" if item.session in report.attacks else "-"
    return str(item.index), *map(safe_text, (item.agent, session, item.resource)), *scores, verdict


@store_verb(app, "status")
def show_model_status(*, store: StoreContext) -> None:
    """Show the model in force and in shadow for each agent, since when, and who put it there."""
    with store.open_log() as (reader, tenant):
        status = load_model_status(reader, tenant)
    if store.print_json(status):
        return
    if not status.agents:
        say_plainly("no score is in force; run `halo baseline fit AGENT`")
    for row in status.agents:
        say_plainly(row.agent)
        say_plainly(f"  in force   {row.in_force.describe()}")
        say_plainly(f"  in shadow  {'nothing' if row.shadow is None else row.shadow.describe()}")


@store_verb(app, "switch", json=False, by=True)
def switch_models(*, agents: AgentsOption = None, store: StoreContext) -> None:
    """Put the model in shadow in force, from the next decision on; `halo model back` undoes it."""
    with store.open_log() as (reader, tenant):
        chosen = choose_agents(reader, tenant, agents or (), shadowed=True)
    changes = store.commit(lambda tx: [switch_to_shadow(tx, agent, store.actor) for agent in chosen])
    for agent, change in zip(chosen, changes, strict=True):
        say_plainly(f"{agent}: in force now {change.after}, before {change.before}")


@store_verb(app, "back", json=False, by=True)
def switch_models_back(
    agents: Annotated[list[str], Argument(metavar="AGENT...", help="Agents whose last switch is undone.")],
    *,
    store: StoreContext,
) -> None:
    """Put in force again what was before the last switch, model and limits."""
    with store.open_log() as (reader, tenant):
        last = {agent: find_last_switch(reader, tenant, agent) for agent in sorted(set(agents))}
    changes = store.commit(lambda tx: [switch_back(tx, agent, switch, store.actor) for agent, switch in last.items()])
    for agent, change in zip(last, changes, strict=True):
        say_plainly(f"{agent}: in force now {change.after}, before {change.before}")
