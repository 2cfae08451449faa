"""`halo status`, `halo observe`, `halo enforce`: the mode of a store, shown and changed.

A change is recorded. Running processes that were not given a mode of their own follow at their next decision.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Final

import typer
from rich.console import Console

from halo_core.cli.context import StoreContext, store_verb
from halo_core.cli.passports import print_changes
from halo_core.cli.rendering import CHANGE_STYLE, EFFECT_STYLE, Exit, console, print_json, safe_text
from halo_core.clock import SystemClock
from halo_core.errors import ConfigError
from halo_core.model import ActionKind, EntryKind, Mode
from halo_core.oversight.issuing import apply_manifest
from halo_core.store import Draft, Transaction
from halo_core.store.reader import Reader
from halo_core.views.inventory import count_stopped, load_statuses
from halo_core.views.issuing import PreparedGrants, ProposedGrants, list_proposals, prepare_grants
from halo_core.views.wording import describe_arguments, shorten_hash

_MAX_ROWS: Final = 40


@store_verb(tenant=False)
def status(*, store: StoreContext) -> int:
    """Show the mode and the number of decisions, by tenant."""
    statuses = load_statuses(store.url)
    if store.json:
        print_json({tenant: item.to_json() for tenant, item in statuses.items()})
        return Exit.OK
    view = console()
    for tenant, item in statuses.items():
        view.print(f"[bold]{tenant}[/]  mode [bold]{item.mode or '?'}[/]  {store.url}")
        view.print(f"  decisions {sum(item.decisions.values()):,} in {item.sessions:,} sessions")
        effect_texts = (f"[{EFFECT_STYLE[effect]}]{effect}[/] {n:,}" for effect, n in item.effects.items())
        view.print("  " + ("  ".join(effect_texts) or "no decisions yet"))
        if item.sightings:
            view.print(f"  [bold red]{item.sightings:,}[/] unguarded actions seen: halo log")
    return Exit.OK


@store_verb(json=False)
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
    store: StoreContext,
) -> int:
    """Switch to enforce mode: denied actions do not run. First shows which actions would have been stopped so far."""
    view = console()
    # Never a switch for a store or tenant that is not there: opening would make it.
    with store.open_log() as (_, tenant):
        pass
    if grants and not _narrow_grants(store, tenant, agent, tight=tight, yes=yes, widen=widen):
        view.print("nothing was changed")
        return Exit.FAILED
    with store.open_log() as (reader, _):
        stopped = count_stopped(reader, tenant)
    for (resource, codes), count in stopped.most_common(20):
        view.print(f"  {count:>5} x {resource}: {', '.join(codes)}", markup=False)
    _switch_mode(store, tenant, Mode.ENFORCE)
    view.print(f"enforce mode is on; {sum(stopped.values()):,} of the calls so far would not have run")
    view.print("(according to the rules at that time; after changing rules, run in observe mode again to check)")
    return Exit.OK


@store_verb(json=False)
def observe(*, store: StoreContext) -> int:
    """Switch to observe mode: every action runs and is recorded, whatever the decision. Stops and revocations apply."""
    with store.open_log() as (_, tenant):
        pass
    _switch_mode(store, tenant, Mode.OBSERVE)
    console().print("[bold yellow]observe mode[/] is on: actions RUN whatever the decision")
    return Exit.OK


def _narrow_grants(store: StoreContext, tenant: str, agent: str, *, tight: bool, yes: bool, widen: bool) -> bool:
    """Show what was used of what is granted and all that would change, ask, and issue passports of that."""
    view = console()
    with Reader(store.url) as reader:
        proposals = list_proposals(reader, store.open_contents(reader), tenant, tight=tight)
    proposals = [item for item in proposals if agent in ("", item.proposal.agent)]
    if not proposals:
        problem, remedy = "there are no recorded decisions", "run the app in observe mode first"
        raise ConfigError("nothing_used", problem, field="agent", remedy=remedy)
    for item in proposals:
        _print_proposal(view, item)
    prepared = prepare_grants(store.url, store.home, tenant, proposals, SystemClock().now_us())
    _print_plan(prepared, widen=widen)
    if not (yes or typer.confirm(f"write these grants to {prepared.path} and issue the passports?")):
        return False
    wanted = [(passport, planned.describe_changes()) for passport, planned in prepared.planned]
    for link in apply_manifest(store.url, store.home, prepared.path, prepared.manifest, wanted):
        view.print("[bold]issued[/] ", safe_text(f"{link.agent} {shorten_hash(link.hash)}"), sep="")
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


def _switch_mode(store: StoreContext, tenant: str, mode: Mode) -> None:
    with store.open_store(tenant) as opened:
        opened.commit(lambda tx: _set_mode(tx, mode))


def _set_mode(tx: Transaction, mode: Mode) -> None:
    control = tx.load_control()
    if control.mode is not mode:
        tx.put_control(replace(control, version=control.version + 1, mode=mode))
        tx.append(Draft(EntryKind.MODE, "", {"from": control.mode.value, "to": mode.value, "by": "cli"}))


def _print_proposal(view: Console, proposed: ProposedGrants) -> None:
    """What would be taken, what kept, what narrowed."""
    usage = proposed.proposal
    used = [item for item in usage.used if item.kind is not ActionKind.HANDOFF]  # hand-offs are the manifest's to say
    granted = {(kind, name) for kind, resources in usage.granted.items() for name in resources}
    granted_uses = [item for item in used if proposed.first or (item.kind, item.name) in granted]
    unused = [item for item in usage.list_unused() if item[0] is not ActionKind.HANDOFF]
    summary = "no passport yet" if proposed.first else f"granted {len(unused) + len(granted_uses)}"
    view.print(safe_text(usage.agent, "bold"), f": {summary}, used {len(granted_uses)}", sep="", end="")
    removed = "this one" if len(unused) == 1 else f"these {len(unused)}"
    view.print(f": {removed} would be removed" if unused else ": nothing would be removed")
    for kind, name in unused[:_MAX_ROWS]:
        view.print("  ", safe_text(f"- {_format_resource(kind, name)}", style=CHANGE_STYLE["-"]), sep="")
    if len(unused) > _MAX_ROWS:
        view.print(f"  … and {len(unused) - _MAX_ROWS} more")
    for item in granted_uses:
        rules = proposed.grants.get(item.kind, {}).get(item.name, {})
        line = f"  {_format_resource(item.kind, item.name)} ({item.calls:,} calls): {describe_arguments(rules)}"
        view.print(safe_text(line))
    left_out = [
        *(
            ("used before, not granted now", item.kind, item.name, item.calls)
            for item in used
            if item not in granted_uses
        ),
        *(("denied every time", *item) for item in usage.refused),
    ]
    for why, kind, name, count in left_out:
        line = f"  {why}, not proposed: {_format_resource(kind, name)} ({count:,} calls)"
        view.print(safe_text(line, style="yellow"))
    if usage.unread:
        view.print(f"  [yellow]arguments of {usage.unread:,} calls could not be decrypted[/]")


def _format_resource(kind: ActionKind, name: str) -> str:
    return name if kind is ActionKind.TOOL_CALL else f"{kind.value} {name}"
