"""Room: `halo status`, `halo observe`, `halo enforce`. Takes: a store. Gives: its mode; changes it, and records that.

Running processes that were not given a mode of their own follow at their next decision.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from halo_core.cli.common import (
    EFFECT_STYLE,
    DbOption,
    Exit,
    HomeOption,
    JsonOption,
    TenantOption,
    console,
    print_json,
    where,
)
from halo_core.cli.passport import print_changes, print_findings
from halo_core.cli.propose import Prepared, apply, prepare, propose, render
from halo_core.cli.words import cell, short
from halo_core.clock import SystemClock
from halo_core.errors import ConfigError
from halo_core.keys import KeyStore
from halo_core.manifest import ManifestError
from halo_core.model import EntryKind, Mode
from halo_core.query import Contents, entries, one_tenant, summary
from halo_core.store import Draft, Store, StoreConfig, Tx
from halo_core.store.reader import Reader

__all__ = ["enforce", "observe", "status"]


def status(*, db: DbOption = "", home: HomeOption = None, json: JsonOption = False) -> int:
    """Show the mode and what was decided so far, by tenant."""
    _, url = where(home, db)
    with Reader(url) as reader:
        found = {tenant: (reader.control(tenant), summary(reader, tenant)) for tenant in reader.tenants()}
    if json:
        rows = {
            t: {
                "decisions": dict(s.decisions),
                "effects": dict(s.effects),
                "mode": c[2] if c else "",
                "sightings": s.sightings,
                "store": url,
            }
            for t, (c, s) in found.items()
        }
        print_json(rows)
        return 0
    view = console()
    for tenant, (control, counts) in found.items():
        view.print(f"[bold]{tenant}[/]  mode [bold]{control[2] if control else '?'}[/]  {url}")
        view.print(f"  decisions {sum(counts.decisions.values()):,} in {counts.sessions:,} sessions")
        shown = (f"[{EFFECT_STYLE[k]}]{k}[/] {n:,}" for k, n in counts.effects.items())
        view.print("  " + ("  ".join(shown) or "nothing decided yet"))
        if counts.sightings:
            view.print(f"  [bold red]{counts.sightings:,}[/] sightings of what nobody decided: halo log")
    return 0


def enforce(
    *,
    grants: Annotated[bool, typer.Option("--grants", help="First narrow passports to what was used.")] = False,
    tight: Annotated[bool, typer.Option("--tight", help="With --grants: to the values used, too.")] = False,
    agent: Annotated[str, typer.Option("--agent", help="With --grants: only this agent.")] = "",
    widen: Annotated[bool, typer.Option("--widen", help="With --grants: issue also what allows more.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --grants: do not ask.")] = False,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
) -> int:
    """Switch to enforce mode: what is denied does not run. Shows first what would have been stopped so far."""
    folder, url = where(home, db)
    view = console()
    tenant = _known(url, tenant)
    try:
        if grants and not _narrowed(url, folder, tenant, agent, tight=tight, yes=yes, widen=widen):
            view.print("nothing was changed: neither passports nor the mode")
            return Exit.FAILED
    except ManifestError as exc:
        return print_findings(exc)
    stopped = _would_stop(url, tenant)
    for (resource, codes), count in stopped.most_common(20):
        view.print(f"  {count:>5} x {resource}: {', '.join(codes)}", markup=False)
    _switch(url, folder, tenant, Mode.ENFORCE)
    view.print(f"enforce mode from now on; {sum(stopped.values()):,} of the calls so far would not have run")
    view.print("(by the rules of their time: after changing rules, run once more in observe mode to see)")
    return 0


def observe(*, db: DbOption = "", home: HomeOption = None, tenant: TenantOption = None) -> int:
    """Switch to observe mode: everything runs, and is recorded."""
    folder, url = where(home, db)
    _switch(url, folder, _known(url, tenant), Mode.OBSERVE)
    console().print("[bold yellow]observe mode[/] from now on: actions RUN whatever is decided")
    return 0


def _narrowed(url: str, folder: Path, tenant: str, agent: str, *, tight: bool, yes: bool, widen: bool) -> bool:
    """Show what was used of what is granted and all that would change, ask, and issue passports of that."""
    view = console()
    with Reader(url) as reader:
        contents = Contents.at(reader, KeyStore(folder))
        found = [item for item in propose(reader, contents, tenant, tight=tight) if agent in ("", item.proposal.agent)]
    if not found:
        raise ConfigError(
            "nothing_used",
            "no decision was recorded to learn from",
            field="agent",
            remedy="run the app in observe mode",
        )
    for item in found:
        render(view, item)
    prepared = prepare(url, folder, tenant, found, SystemClock().now_us())
    _show(prepared, widen=widen)
    if not (yes or typer.confirm(f"write these grants to {prepared.path} and issue the passports?")):
        return False
    for issued in apply(url, folder, prepared):
        view.print("[bold]issued[/] ", cell(f"{issued.link.agent} {short(issued.link.hash)}"), sep="")
    return True


def _show(prepared: Prepared, *, widen: bool) -> None:
    view = console()
    view.print("manifest: ", cell(str(prepared.path)), sep="")
    for wanted, planned in prepared.planned:
        view.print(cell(planned.link.agent, "bold"), "would be issued, ", end="")
        print_changes(view, planned)
        for note in wanted.notes:
            view.print("  [yellow]note[/] ", cell(note), sep="")
    wider = [f"{planned.link.agent}: {item.text()}" for _, planned in prepared.planned for item in planned.wider()]
    if wider and not widen:
        raise ConfigError(
            "widened",
            f"the manifest allows more than the passport does: {wider[0][:200]}",
            field="grants",
            remedy="take it out of the manifest, or say `--widen`",
        )


def _known(url: str, tenant: str | None) -> str:
    # Never a switch for a store or tenant that is not there: opening would make it.
    with Reader(url) as reader:
        return one_tenant(reader, tenant)


def _would_stop(url: str, tenant: str) -> Counter[tuple[str, tuple[str, ...]]]:
    counts: Counter[tuple[str, tuple[str, ...]]] = Counter()
    with Reader(url) as reader:
        for found in entries(reader, tenant, (EntryKind.DECISION,)):
            decision = found.entry.body["decision"]
            if decision["effect"] in ("deny", "challenge"):
                codes = tuple(sorted({reason["code"] for reason in decision["reasons"]}))
                counts[found.entry.body["request"]["resource"]["id"], codes] += 1
    return counts


def _switch(url: str, home: Path, tenant: str, mode: Mode) -> None:
    store = Store(StoreConfig(url, home, tenant), KeyStore(home))
    try:
        store.commit(lambda tx: _set(tx, mode))
        store.checkpoint()
    finally:
        store.close()


def _set(tx: Tx, mode: Mode) -> None:
    control = tx.control()
    if control.mode is not mode:
        tx.put_control(replace(control, version=control.version + 1, mode=mode))
        tx.append(Draft(EntryKind.MODE, "", {"from": control.mode.value, "to": mode.value, "by": "cli"}))
