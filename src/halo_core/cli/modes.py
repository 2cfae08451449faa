"""Room: `halo status`, `halo observe`, `halo enforce`. Takes: a store. Gives: its mode; changes it, and records that.

Running processes that were not given a mode of their own follow at their next decision.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from halo_core.cli.context import (
    EFFECT_STYLE,
    DbOption,
    Exit,
    HomeOption,
    JsonOption,
    TenantOption,
    console,
    print_json,
    resolve_store,
)
from halo_core.cli.passports import print_changes, print_findings
from halo_core.clock import SystemClock
from halo_core.crypto.keys import KeyStore
from halo_core.errors import ConfigError
from halo_core.manifest import ManifestError
from halo_core.model import EntryKind, Mode
from halo_core.store import Draft, Store, StoreConfig, Transaction
from halo_core.store.log import SealedContents, read_entries, select_tenant, summarize
from halo_core.store.reader import Reader
from halo_core.views.issuing import PreparedGrants, apply_grants, list_proposals, prepare_grants, render_proposal
from halo_core.views.wording import safe_text, shorten_hash

__all__ = ["enforce", "observe", "status"]


def status(*, db: DbOption = "", home: HomeOption = None, json: JsonOption = False) -> int:
    """Show the mode and the number of decisions, by tenant."""
    _, url = resolve_store(home, db)
    with Reader(url) as reader:
        tenants = {tenant: (reader.control(tenant), summarize(reader, tenant)) for tenant in reader.tenants()}
    if json:
        rows = {
            t: {
                "decisions": dict(s.decisions),
                "effects": dict(s.effects),
                "mode": c[2] if c else "",
                "sightings": s.sightings,
                "store": url,
            }
            for t, (c, s) in tenants.items()
        }
        print_json(rows)
        return 0
    view = console()
    for tenant, (control, counts) in tenants.items():
        view.print(f"[bold]{tenant}[/]  mode [bold]{control[2] if control else '?'}[/]  {url}")
        view.print(f"  decisions {sum(counts.decisions.values()):,} in {counts.sessions:,} sessions")
        effect_texts = (f"[{EFFECT_STYLE[k]}]{k}[/] {n:,}" for k, n in counts.effects.items())
        view.print("  " + ("  ".join(effect_texts) or "no decisions yet"))
        if counts.sightings:
            view.print(f"  [bold red]{counts.sightings:,}[/] unguarded actions seen: halo log")
    return 0


def enforce(
    *,
    grants: Annotated[
        bool, typer.Option("--grants", help="First narrow passports to the resources that were used.")
    ] = False,
    tight: Annotated[
        bool, typer.Option("--tight", help="With --grants: narrow to the argument values that were used, too.")
    ] = False,
    agent: Annotated[str, typer.Option("--agent", help="With --grants: only for this agent.")] = "",
    widen: Annotated[
        bool, typer.Option("--widen", help="With --grants: also issue passports that allow more than before.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --grants: do not ask for confirmation.")] = False,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
) -> int:
    """Switch to enforce mode: denied actions do not run. First shows which actions would have been stopped so far."""
    folder, url = resolve_store(home, db)
    view = console()
    tenant = _require_tenant(url, tenant)
    try:
        if grants and not _narrow_grants(url, folder, tenant, agent, tight=tight, yes=yes, widen=widen):
            view.print("nothing was changed")
            return Exit.FAILED
    except ManifestError as exc:
        return print_findings(exc)
    stopped = _count_would_stop(url, tenant)
    for (resource, codes), count in stopped.most_common(20):
        view.print(f"  {count:>5} x {resource}: {', '.join(codes)}", markup=False)
    _switch_mode(url, folder, tenant, Mode.ENFORCE)
    view.print(f"enforce mode is on; {sum(stopped.values()):,} of the calls so far would not have run")
    view.print("(according to the rules at that time; after changing rules, run in observe mode again to check)")
    return 0


def observe(*, db: DbOption = "", home: HomeOption = None, tenant: TenantOption = None) -> int:
    """Switch to observe mode: every action runs and is recorded, whatever the decision. Stops and revocations apply."""
    folder, url = resolve_store(home, db)
    _switch_mode(url, folder, _require_tenant(url, tenant), Mode.OBSERVE)
    console().print("[bold yellow]observe mode[/] is on: actions RUN whatever the decision")
    return 0


def _narrow_grants(url: str, folder: Path, tenant: str, agent: str, *, tight: bool, yes: bool, widen: bool) -> bool:
    """Show what was used of what is granted and all that would change, ask, and issue passports of that."""
    view = console()
    with Reader(url) as reader:
        contents = SealedContents.with_home_key(reader, KeyStore(folder))
        proposals = [
            item for item in list_proposals(reader, contents, tenant, tight=tight) if agent in ("", item.proposal.agent)
        ]
    if not proposals:
        raise ConfigError(
            "nothing_used",
            "there are no recorded decisions",
            field="agent",
            remedy="run the app in observe mode first",
        )
    for item in proposals:
        render_proposal(view, item)
    prepared = prepare_grants(url, folder, tenant, proposals, SystemClock().now_us())
    _print_plan(prepared, widen=widen)
    if not (yes or typer.confirm(f"write these grants to {prepared.path} and issue the passports?")):
        return False
    for issued in apply_grants(url, folder, prepared):
        view.print("[bold]issued[/] ", safe_text(f"{issued.link.agent} {shorten_hash(issued.link.hash)}"), sep="")
    return True


def _print_plan(prepared: PreparedGrants, *, widen: bool) -> None:
    view = console()
    view.print("manifest: ", safe_text(str(prepared.path)), sep="")
    for wanted, planned in prepared.planned:
        view.print(safe_text(planned.link.agent, "bold"), "would be issued, ", end="")
        print_changes(view, planned)
        for note in wanted.notes:
            view.print("  [yellow]note[/] ", safe_text(note), sep="")
    wider = [
        f"{planned.link.agent}: {item.text()}" for _, planned in prepared.planned for item in planned.list_widenings()
    ]
    if wider and not widen:
        raise ConfigError(
            "widened",
            f"the manifest allows more than the passport: {wider[0][:200]}",
            field="grants",
            remedy="remove it from the manifest, or use `--widen`",
        )


def _require_tenant(url: str, tenant: str | None) -> str:
    # Never a switch for a store or tenant that is not there: opening would make it.
    with Reader(url) as reader:
        return select_tenant(reader, tenant)


def _count_would_stop(url: str, tenant: str) -> Counter[tuple[str, tuple[str, ...]]]:
    counts: Counter[tuple[str, tuple[str, ...]]] = Counter()
    with Reader(url) as reader:
        for record in read_entries(reader, tenant, (EntryKind.DECISION,)):
            decision = record.entry.body["decision"]
            if decision["effect"] in ("deny", "challenge"):
                codes = tuple(sorted({reason["code"] for reason in decision["reasons"]}))
                counts[record.entry.body["request"]["resource"]["id"], codes] += 1
    return counts


def _switch_mode(url: str, home: Path, tenant: str, mode: Mode) -> None:
    store = Store(StoreConfig(url, home, tenant), KeyStore(home))
    try:
        store.commit(lambda tx: _set_mode(tx, mode))
        store.checkpoint()
    finally:
        store.close()


def _set_mode(tx: Transaction, mode: Mode) -> None:
    control = tx.load_control()
    if control.mode is not mode:
        tx.put_control(replace(control, version=control.version + 1, mode=mode))
        tx.append(Draft(EntryKind.MODE, "", {"from": control.mode.value, "to": mode.value, "by": "cli"}))
