"""Room: `halo baseline`. Takes: a store. Gives: what is ordinary for an agent, put in force. Never: decides."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn

from halo_core import canonical
from halo_core.behaviour.circumstances import Usual
from halo_core.behaviour.model import LARGEST, Model
from halo_core.behaviour.scoring import Terms
from halo_core.cli.common import DbOption, Exit, HomeOption, JsonOption, TenantOption, console, print_json, where
from halo_core.cli.passport_files import read_regular
from halo_core.cli.risk_words import plural
from halo_core.cli.stop import ByOption, commit, who
from halo_core.errors import BadInput, ConfigError
from halo_core.fitting import Lived, drop, fitted, lived, put_in_force, shipped_model
from halo_core.keys import KeyStore
from halo_core.model import EntryKind
from halo_core.query import Contents, entries, one_tenant, verdict_of
from halo_core.store.reader import Reader
from halo_core.watching import rules_of

__all__ = ["app"]

app = typer.Typer(help="What is ordinary for an agent: fit it from the log, put it in force, take it out.")


def _agent(name: str) -> str:
    """An agent's id. INVARIANT: printable, so that none names the baseline of people, which stands among theirs."""
    if not name.isprintable():
        raise typer.BadParameter("an agent's name is printable")
    return name


AgentArgument = Annotated[str, typer.Argument(metavar="AGENT", help="The agent's id.", callback=_agent)]
_NAMES = {"host": "host", "label": "data label", "process": "program", "resource": "resource", "system": "system"}
_FEWEST_DAYS = 5
"""Days under which a new host, program or hour weighs nothing worth the name."""
_FEW = 100
"""Sessions under which a false alarm rate of 5% is not to be had."""


@app.command("fit")
def fit(
    agent: AgentArgument,
    *,
    like: Annotated[
        list[str] | None, typer.Option("--like", help="Agents of the same role, whose sessions count too.")
    ] = None,
    model: Annotated[Path | None, typer.Option("--model", help="A model file (default: the one of Halo).")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Fit and show, put nothing in force.")] = False,
    by: ByOption = "",
    tenant: TenantOption = None,
    db: DbOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Fit a baseline from the agent's sessions in the log, and score its actions against it from now on."""
    folder, url = where(home, db)
    scorer = _model(model) if model is not None else shipped_model()
    keys = KeyStore(folder)
    key = keys.secret("sketch")
    with Reader(url) as reader, _progress() as bar:
        name = one_tenant(reader, tenant)
        _check_like(reader, name, like or ())
        task = bar.add_task("reading the log")
        sessions = lived(
            reader,
            Contents.at(reader, keys),
            name,
            [agent, *(like or ())],
            key,
            note=lambda: bar.advance(task),
        )
        if not sessions:
            raise ConfigError(
                "no_sessions",
                f"the log has no session in which `{agent}` acted",
                field="agent",
                remedy="run it in observe mode first, or name agents of the same role with --like",
            )
        bar.update(task, description=f"fitting {len(sessions)} sessions")
        found = fitted(sessions, scorer, key)
        unjudged = _unjudged(reader, name, frozenset(item.session for item in sessions))
        beside, attacks = _around(reader, name, [agent, *(like or ())], sessions)
    if not dry_run:
        commit(url, folder, tenant, lambda tx: put_in_force(tx, agent, found, who(by)))
    _show(agent, found.terms, found.usual, in_force=not dry_run, json=json)
    note = console(stderr=True)
    if attacks:
        note.print(f"[yellow]note[/]: left out, as judged an attack: {plural(attacks, 'session')}")
    for other in beside:
        told = f"{other} acted in these sessions and is not scored: after exposure, what it does besides reading waits"
        note.print(f"[yellow]note[/]: {escape(told)}; `halo baseline fit {escape(other)}`")
    if unjudged:
        told = f"{unjudged} that nobody judged; their sessions count as ordinary, `halo alerts --open` lists them"
        note.print(f"[yellow]note[/]: alerts in these sessions: {told}")
    return Exit.OK


@app.command("show")
def show(
    agent: AgentArgument,
    *,
    tenant: TenantOption = None,
    db: DbOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Show which score is in force for an agent."""
    _, url = where(home, db)
    with Reader(url) as reader:
        name = one_tenant(reader, tenant)
        found = next((row[2] for row in reader.baselines() if row[:2] == (name, agent)), "")
        rules = rules_of(found, partial(_part, reader, name)) if found else None
    if rules is None:
        raise ConfigError(
            "no_baseline", f"no score is in force for `{agent}`", field="agent", remedy=f"`halo baseline fit {agent}`"
        )
    _show(agent, rules.terms, rules.usual, in_force=True, json=json)
    return Exit.OK


@app.command("drop")
def drop_(
    agent: AgentArgument,
    *,
    by: ByOption = "",
    tenant: TenantOption = None,
    db: DbOption = "",
    home: HomeOption = None,
) -> int:
    """Take an agent's score out of force; its actions are no longer scored."""
    folder, url = where(home, db)
    gone = commit(url, folder, tenant, lambda tx: drop(tx, agent, who(by)))
    console().print(f"no score is in force for {agent}" + ("" if gone else ", nor was one before"), markup=False)
    return Exit.OK if gone else Exit.FAILED


def _part(reader: Reader, tenant: str, name: str, domain: str) -> bytes:
    """A part of a score that is in force.

    Raises:
        BadInput: it is not what was put in force.
    """
    data = reader.blob(tenant, name)
    if data is None or canonical.digest(domain, data) != name:
        remedy = "`halo verify` says what was changed; then fit again"
        raise BadInput("bad_baseline", "it is not what was put in force", field="baseline", remedy=remedy)
    return data


def _model(path: Path) -> Model:
    """A model file, packed or not.

    Raises:
        ConfigError: it cannot be read.
        BadInput: it is not a model of this version.
    """
    try:
        data = read_regular(path, LARGEST)
    except OSError as exc:
        why = f"cannot read `{path}`: {exc.strerror}"
        raise ConfigError("no_model", why, field="model", remedy="name a file that train_behaviour.py wrote") from exc
    return Model.from_bytes(data) if data[:1] == b"{" else Model.from_packed(data)


def _check_like(reader: Reader, tenant: str, like: Sequence[str]) -> None:
    """A misspelt agent of the same role is no baseline without it."""
    if not like:
        return
    acted = {item.entry.body["request"]["subject"]["agent"] for item in entries(reader, tenant, (EntryKind.DECISION,))}
    for agent in like:
        if agent not in acted:
            why, remedy = f"no action of `{agent}` is in the log", "`halo agents` lists who acted"
            raise ConfigError("no_sessions", why, field="like", remedy=remedy)


def _unjudged(reader: Reader, tenant: str, sessions: frozenset[str]) -> int:
    """Alerts of these sessions of which nobody said what they were."""
    found = [item.entry for item in entries(reader, tenant, (EntryKind.ALERT, EntryKind.FEEDBACK))]
    judged = {body["alert"] for entry in found if (body := verdict_of(entry)) is not None}
    alerts = {entry.id for entry in found if entry.kind is EntryKind.ALERT and entry.session in sessions}
    return len(alerts - judged)


def _progress() -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}: {task.completed} entries"))
    view = console(stderr=True)
    # Else it leaves an empty line in whatever stderr is written to.
    return Progress(*columns, console=view, transient=True, disable=not view.is_terminal)


def _show(agent: str, terms: Terms, usual: Usual, *, in_force: bool, json: bool) -> None:
    facts = {name: getattr(terms, name) for name in terms.__dataclass_fields__} | {"risks": list(terms.risks)}
    if json:
        print_json({"agent": agent, "circumstances": usual.to_plain(), "in_force": in_force, **facts})
        return
    view = console()
    view.print(f"{agent}: {'in force' if in_force else 'not put in force'}", markup=False)
    view.print(f"  ordinary       {terms.sessions} sessions of {terms.tasks} different requests")
    view.print("  a risk is elevated above {} of 1000, high above {}".format(*terms.risks))
    view.print(f"  circumstances  {_in_words(usual)}", markup=False)
    view.print(f"  baseline       {terms.baseline}")
    view.print(f"  model          {terms.model}")
    if terms.sessions < _FEW:
        view.print(f"[yellow]note[/]: under {_FEW} sessions ordinary work is flagged more often than its limits say")


def _in_words(usual: Usual) -> str:
    if not usual.sessions:
        return "not compared"
    early = usual.days < _FEWEST_DAYS
    kinds = [kind for kind in sorted(usual.known) if not early or kind not in {"host", "process"}]
    seen = ", ".join(plural(len(usual.known[kind]), _NAMES[kind]) for kind in kinds) or "none"
    if early:
        return f"{seen}; host, program and hour weigh little before {_FEWEST_DAYS} days are seen ({usual.days} so far)"
    hours = ", ".join(f"{hour:02}" for hour in sorted(usual.hours)) or "none yet"
    return f"{usual.days} days; {seen}; hours (UTC) {hours}"


def _around(reader: Reader, tenant: str, agents: Sequence[str], kept: Sequence[Lived]) -> tuple[list[str], int]:
    """Who acted in these sessions without a baseline, and how many sessions of the agents were left out as attacks."""
    acted: dict[str, set[str]] = {}
    bad: dict[str, bool] = {}
    for item in entries(reader, tenant, (EntryKind.DECISION, EntryKind.FEEDBACK)):
        body = item.entry.body
        if verdict_of(item.entry) is not None:
            bad[body["session"]] = body["attack"]
        elif item.entry.kind is EntryKind.DECISION:
            acted.setdefault(item.entry.session, set()).add(body["request"]["subject"]["agent"])
    scored = {row[1] for row in reader.baselines() if row[0] == tenant and row[2]}
    beside = {name for item in kept for name in acted.get(item.session, ())} - scored - {agents[0]}
    return sorted(beside), sum(not acted.get(name, set()).isdisjoint(agents) for name in bad if bad[name])
