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
from halo_core.cli.stop import ByOption, WhyOption, commit, who
from halo_core.cli.words import cell
from halo_core.clock import iso
from halo_core.errors import ConfigError
from halo_core.model import EntryKind
from halo_core.query import Found, entries, find, one_tenant
from halo_core.store import Draft, Tx
from halo_core.store.reader import Reader

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
    """List alerts: actions far from ordinary, sessions that became so. `halo judge N` says what one was."""
    if context.invoked_subcommand is not None:
        if open_only or json or tenant or db or home:
            verb = context.invoked_subcommand
            raise ConfigError("misplaced", f"options stand behind `{verb}`", remedy=f"`halo alerts {verb} -h`")
        return Exit.OK
    _, url = where(home, db)
    with Reader(url) as reader:
        found = list(entries(reader, one_tenant(reader, tenant), (EntryKind.ALERT, EntryKind.FEEDBACK)))
    judged = {item.entry.body["alert"]: item.entry.body for item in found if item.entry.kind is EntryKind.FEEDBACK}
    shown = [item for item in found if item.entry.kind is EntryKind.ALERT]
    shown = [item for item in shown if not open_only or item.entry.id not in judged]
    if json:
        print_json({"alerts": [_plain(item, judged.get(item.entry.id)) for item in shown], "errors": _errors(found)})
        return Exit.OK
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("#", "time", "agent", "on", "risk", "session", "judged", "why"):
        table.add_column(title, justify="right" if title in ("#", "risk") else "left")
    for item in shown:
        body = item.entry.body
        verdict = judged.get(item.entry.id)
        said = "-" if verdict is None else "attack" if verdict["attack"] else "ordinary"
        why = "; ".join(factor["words"] for factor in body["factors"]) or "the session as a whole"
        score = str(body["risk"] if body["kind"] == "action" else body["session_risk"])
        on = (cell(body["agent"]), cell(body["resource"]), score, cell(item.entry.session))
        table.add_row(str(item.index), iso(item.entry.ts_us), *on, said, cell(why))
    console().print(table if shown else "no alerts")
    return Exit.OK


def _plain(item: Found, verdict: Mapping[str, Any] | None) -> dict[str, Any]:
    judged = None if verdict is None else {"attack": verdict["attack"], "by": verdict["by"], "why": verdict["why"]}
    entry = item.entry
    return {
        "id": entry.id,
        "index": item.index,
        "judged": judged,
        "session": entry.session,
        "ts_us": entry.ts_us,
        **entry.body,
    }


def _errors(found: Iterable[Found]) -> dict[str, dict[str, int]]:
    """By agent: how many of its judged alerts were false."""
    agent_of = {item.entry.id: item.entry.body["agent"] for item in found if item.entry.kind is EntryKind.ALERT}
    told: dict[str, dict[str, int]] = {}
    for item in found:
        if item.entry.kind is EntryKind.FEEDBACK:
            row = told.setdefault(agent_of.get(item.entry.body["alert"], ""), {"attack": 0, "ordinary": 0})
            row["attack" if item.entry.body["attack"] else "ordinary"] += 1
    return told


def judge(
    alert: Annotated[str, typer.Argument(metavar="N", help="Index or id of the alert.")],
    *,
    attack: Annotated[
        bool | None,
        typer.Option("--attack/--ordinary", help="What it was, one of the two; the next `halo baseline fit` heeds it."),
    ] = None,
    why: WhyOption = "",
    by: ByOption = "",
    tenant: TenantOption = None,
    db: DbOption = "",
    home: HomeOption = None,
) -> int:
    """Say what an alert was. Sessions that were an attack are left out of the next baseline."""
    if attack is None:
        raise ConfigError("no_verdict", "nothing says what the alert was", remedy="add `--attack` or `--ordinary`")
    folder, url = where(home, db)
    with Reader(url) as reader:
        found = find(reader, one_tenant(reader, tenant), alert).entry
    if found.kind is not EntryKind.ALERT:
        raise ConfigError("no_alert", f"`{alert}` is no alert", field="N", remedy="`halo alerts` lists them")
    body = {"alert": found.id, "attack": attack, "by": who(by), "session": found.session, "why": why[:1000]}

    def record(tx: Tx) -> None:
        tx.append(Draft(EntryKind.FEEDBACK, "", body))

    commit(url, folder, tenant, record)
    console().print(f"noted: {'an attack' if attack else 'ordinary'}; the next fit heeds it")
    return Exit.OK
