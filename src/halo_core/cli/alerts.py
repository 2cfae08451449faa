"""Room: `halo alerts` and `halo judge`. Takes: a store. Gives: what somebody should look at. Never: decides.

`halo alerts send` and `halo alerts key` are `alerts_send`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer
from rich.table import Table

from halo_core.cli.alerts_send import key, send
from halo_core.cli.common import DbOption, Exit, HomeOption, JsonOption, TenantOption, console, print_json, where
from halo_core.cli.identity_alert import ALTERED, Names, about_identity
from halo_core.cli.stop import ByOption, WhyOption, commit, who
from halo_core.cli.words import cell
from halo_core.clock import iso
from halo_core.errors import BadInput, ConfigError, Tampered
from halo_core.fitting import identities_in_force
from halo_core.identities.alerted import DayAlert, Named
from halo_core.identities.alerting import subject_of
from halo_core.model import Entry, EntryKind
from halo_core.query import Found, entries, find, one_tenant, verdict_of
from halo_core.store import Draft, Tx
from halo_core.store.reader import Reader
from halo_core.telling.alert import agent_alert

__all__ = ["app", "judge"]

app = typer.Typer(help="What somebody should look at: list it, send it on.")
app.command("send")(send)
app.command("key")(key)


@app.callback(invoke_without_command=True)
def alerts(
    context: typer.Context,
    *,
    open_only: Annotated[bool, typer.Option("--open", help="Only those that nobody has judged.")] = False,
    tenant: TenantOption = None,
    db: DbOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """List alerts: actions far from ordinary, sessions that became so, days of people. `halo judge N` answers one."""
    if context.invoked_subcommand is not None:
        if open_only or json or tenant or db or home:
            verb = context.invoked_subcommand
            raise ConfigError("misplaced", f"options stand behind `{verb}`", remedy=f"`halo alerts {verb} -h`")
        return Exit.OK
    folder, url = where(home, db)
    with Reader(url) as reader:
        found = list(entries(reader, one_tenant(reader, tenant), (EntryKind.ALERT, EntryKind.FEEDBACK)))
        judged = {body["alert"]: body for item in found if (body := verdict_of(item.entry)) is not None}
        shown = [item for item in found if item.entry.kind is EntryKind.ALERT]
        shown = [item for item in shown if not open_only or item.entry.id not in judged]
        people = [item.entry for item in shown if about_identity(item.entry)]
        names = Names(reader, folder) if people else None
        told = {entry.id: names.of(entry) for entry in people} if names is not None else {}
    if json:
        plain = [_plain(item, judged.get(item.entry.id), told.get(item.entry.id)) for item in shown]
        print_json({"alerts": plain, "errors": _errors(found)})
        return Exit.OK
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("#", "time", "who", "on", "risk", "session", "judged", "why"):
        table.add_column(title, justify="right" if title in ("#", "risk") else "left")
    for item in shown:
        verdict = judged.get(item.entry.id)
        said = "-" if verdict is None else "attack" if verdict["attack"] else "ordinary"
        *row, why = _person(item, told[item.entry.id]) if item.entry.id in told else _agent(item)
        table.add_row(str(item.index), iso(item.entry.ts_us), *map(cell, row), said, cell(why))
    console().print(table if shown else "no alerts")
    return Exit.OK


def _agent(item: Found) -> tuple[str, ...]:
    """Who, on what, risk, session, why."""
    alert = agent_alert(item)
    if alert is None:  # shown, since one that was put there must not hide the others
        return f"({ALTERED})", "-", "-", "-", "-"
    return alert.agent, alert.resource, str(alert.score), alert.session, alert.why


def _person(item: Found, told: Named | str) -> tuple[str, ...]:
    """The same of a person or a service account: a day stands for the session."""
    try:
        alert = DayAlert.of(item.entry.body)
    except Tampered:
        return f"({ALTERED})", "-", "-", "-", "-"
    if isinstance(told, str):
        return f"({told})", "-", str(alert.risk), f"day {alert.day}", alert.why
    return told.identity, told.what, str(alert.risk), f"day {alert.day}", "; ".join(told.words)


def _plain(item: Found, verdict: Mapping[str, Any] | None, told: Named | str | None) -> dict[str, Any]:
    judged = None if verdict is None else {"attack": verdict["attack"], "by": verdict["by"], "why": verdict["why"]}
    entry = item.entry
    opened: dict[str, Any] = {}
    if told is not None:
        opened = {"closed": told, "event": None} if isinstance(told, str) else {"closed": "", "event": told.to_plain()}
    return {
        "id": entry.id,
        "index": item.index,
        "judged": judged,
        "session": entry.session,
        "ts_us": entry.ts_us,
        **entry.body,
        **opened,
    }


def _errors(found: Iterable[Found]) -> dict[str, dict[str, int]]:
    """By agent, or by a person's fingerprint: how many of its judged alerts were false."""
    whose = {item.entry.id: _whose(item.entry) for item in found if item.entry.kind is EntryKind.ALERT}
    told: dict[str, dict[str, int]] = {}
    for item in found:
        verdict = verdict_of(item.entry)
        if verdict is not None:
            row = told.setdefault(whose.get(verdict["alert"], ""), {"attack": 0, "ordinary": 0})
            row["attack" if verdict["attack"] else "ordinary"] += 1
    return told


def _whose(entry: Entry) -> str:
    body = entry.body
    return subject_of(str(body.get("identity"))) if about_identity(entry) else str(body.get("agent", ""))


def judge(
    alert: Annotated[str, typer.Argument(metavar="N", help="Index or id of the alert.")],
    *,
    attack: Annotated[bool, typer.Option("--attack", help="It was one; the next fit or import heeds it.")] = False,
    ordinary: Annotated[bool, typer.Option("--ordinary", help="It was ordinary work.")] = False,
    why: WhyOption = "",
    by: ByOption = "",
    tenant: TenantOption = None,
    db: DbOption = "",
    home: HomeOption = None,
) -> int:
    """Say what an alert was. Sessions, and days of a person, that were an attack are left out of the next baseline."""
    if attack is ordinary:
        what = "it cannot have been both" if attack else "nothing says what the alert was"
        raise ConfigError("no_verdict", what, remedy="say `--attack` or `--ordinary`")
    folder, url = where(home, db)
    with Reader(url) as reader:
        name = one_tenant(reader, tenant)
        found = find(reader, name, alert).entry
        late = about_identity(found) and _is_in(reader, name, found)
    if found.kind is not EntryKind.ALERT:
        raise ConfigError("no_alert", f"`{alert}` is no alert", field="N", remedy="`halo alerts` lists them")
    body = {"alert": found.id, "attack": attack, "by": who(by), "session": found.session, "why": why[:1000]}

    def record(tx: Tx) -> None:
        tx.append(Draft(EntryKind.FEEDBACK, "", body))

    commit(url, folder, tenant, record)
    heeds = "`halo identity import`" if about_identity(found) else "fit"
    console().print(f"noted: {'an attack' if attack else 'ordinary'}; the next {heeds} heeds it")
    if attack and late:
        told = "that day is in the baseline already: import all files again, without `--add`"
        console(stderr=True).print(f"[yellow]note[/]: {told}")
    return Exit.OK


def _is_in(reader: Reader, tenant: str, alert: Entry) -> bool:
    """Whether events of an alert's day may be in the baseline; a verdict does not wait for one that cannot be read."""
    try:
        book = identities_in_force(reader, tenant)
        return book is not None and DayAlert.of(alert.body).first_us <= book.last_us
    except (BadInput, Tampered):
        return False
