"""`halo stop`, `halo lift`, `halo revoke`.

A stop goes to a file of the home first and then to the ledger, so it holds whatever is wrong with the database. A lift
goes to the ledger first: nothing is let go that is not written down.
"""

from __future__ import annotations

from typing import Annotated, Final

import typer

from halo_core.cli.context import StoreContext, WhyOption, store_verb, warn_unwritten
from halo_core.cli.rendering import Exit, console, print_json
from halo_core.clock import SystemClock
from halo_core.errors import ConfigError
from halo_core.model import Stop
from halo_core.oversight import restrictions
from halo_core.stop_files import StopFiles
from halo_core.views import NO_LEDGER_CODES
from halo_core.views.inventory import require_known_target

_STOP_OPTIONS: Final = "`--agent`, `--session`, `--tool`, `--all`, or `--tenant` alone"
_REVOKE_OPTIONS: Final = "`--agent`, `--session`, `--key`, `--link`, or `--tenant` alone"

AllOption = Annotated[bool, typer.Option("--all", help="Everything in this home.")]
AgentOption = Annotated[str, typer.Option("--agent", help="One agent, and all agents that act through it.")]
SessionOption = Annotated[str, typer.Option("--session", help="One session.")]
ToolOption = Annotated[str, typer.Option("--tool", help="One tool, retriever or model, for all agents.")]


@store_verb(by=True)
def stop(
    *,
    everything: AllOption = False,
    agent: AgentOption = "",
    session: SessionOption = "",
    tool: ToolOption = "",
    why: WhyOption = "",
    store: StoreContext,
) -> int:
    """Stop an agent, a session, a tool, a tenant (`--tenant NAME` alone) or everything, from the next decision on."""
    scope, target = _choose_target(
        _STOP_OPTIONS, everything=everything, agent=agent, session=session, tool=tool, tenant=store.tenant
    )
    stop_order = Stop(scope, target, SystemClock().now_us())
    why = restrictions.mask_reason(why)
    new = StopFiles(store.home).set(stop_order, store.actor, why, tenant=store.tenant or "")
    problem, is_known = "", True
    try:
        if scope not in ("all", "tenant"):
            with store.open_log() as (reader, tenant):
                is_known = reader.has_target(tenant, scope, target)
        new = store.commit(lambda tx: restrictions.stop(tx, stop_order, store.actor, why)) or new
    except Exception as exc:  # noqa: BLE001  whatever is wrong with the ledger, the stop holds
        problem = str(exc)
    if store.json:
        print_json(
            {"file": True, "ledger": not problem, "new": new, "problem": problem, "scope": scope, "target": target}
        )
        return Exit.OK
    view = console()
    view.print(f"[bold red]stopped[/] {scope} ", end="")
    view.print(f"{target} {'' if new else '(it was stopped already)'}", markup=False)
    if not is_known:
        view.print(f"[yellow]note[/]: this store has no {scope} with that name; check the spelling")
    if problem:
        warn_unwritten("the stop is in force through its file", problem)
    return Exit.OK


@store_verb(by=True)
def lift(
    *,
    everything: AllOption = False,
    agent: AgentOption = "",
    session: SessionOption = "",
    tool: ToolOption = "",
    why: WhyOption = "",
    store: StoreContext,
) -> int:
    """Lift a stop. `--all` also removes stop files that cannot be read."""
    scope, target = _choose_target(
        _STOP_OPTIONS, everything=everything, agent=agent, session=session, tool=tool, tenant=store.tenant
    )
    files = StopFiles(store.home)
    filed = files.count(scope, target, tenant=store.tenant or "")
    recorded = True
    try:
        # INVARIANT: AUDIT - first the entry, then the file goes.
        lifted = store.commit(lambda tx: restrictions.lift(tx, scope, target, store.actor, why, filed=filed > 0))
    except ConfigError as exc:
        if exc.code not in NO_LEDGER_CODES:
            raise
        lifted, recorded = filed > 0, False
    files.lift(scope, target, tenant=store.tenant or "")
    remaining = files.read(store.tenant or "")
    if store.json:
        print_json({"left": [[s.scope, s.target] for s in remaining], "lifted": bool(lifted), "recorded": recorded})
        return Exit.OK
    view = console()
    subject = "everything" if scope == "all" else f"{scope} {target}"
    view.print(f"lifted {scope} {target}".rstrip() if lifted else f"there was no stop of {subject}", markup=False)
    if lifted and not recorded:
        warn_unwritten("the stop file was removed, and this is not recorded", "there is no ledger here")
    for item in remaining:
        view.print("[yellow]still stopped[/] from a file: ", end="")
        view.print(f"{item.scope} {item.target}", markup=False)
    return Exit.OK


@store_verb(by=True)
def revoke(
    *,
    agent: AgentOption = "",
    session: SessionOption = "",
    key: Annotated[str, typer.Option("--key", help="Thumbprint of a key: everything that it signed or holds.")] = "",
    link: Annotated[str, typer.Option("--link", help="Hash or id of a link, and everything derived from it.")] = "",
    unknown: Annotated[bool, typer.Option("--unknown", help="Allow a name that is not known here.")] = False,
    why: Annotated[str, typer.Option("--why", help="The reason (required); it is recorded in the ledger.")] = "",
    store: StoreContext,
) -> int:
    """Revoke permanently. Afterwards issue a new passport or open a new session; an agent id cannot be used again."""
    scope, target = _choose_target(
        _REVOKE_OPTIONS, everything=False, agent=agent, session=session, key=key, link=link, tenant=store.tenant
    )
    if not why.strip():
        raise ConfigError(
            "no_reason",
            "a revocation is permanent and needs a reason",
            field="why",
            remedy='give the reason: `--why "..."`',
        )
    if not unknown:
        with store.open_log() as (reader, tenant):
            require_known_target(reader, store.home, tenant, scope, target)
    new = store.commit(lambda tx: restrictions.revoke(tx, scope, target, store.actor, why))
    if store.json:
        print_json({"new": bool(new), "scope": scope, "target": target})
    else:
        console().print(f"revoked {scope} {target}{'' if new else ' (it was already)'}", markup=False)
    return Exit.OK


def _choose_target(options: str, *, everything: bool, tenant: str | None, **targets: str) -> tuple[str, str]:
    candidates = [(scope, target) for scope, target in targets.items() if target] + [("all", "")] * everything
    if not candidates and tenant:
        return "tenant", tenant
    if len(candidates) != 1:
        problem = f"{len(candidates)} targets are given" if candidates else "no target is given"
        raise ConfigError("bad_stop", problem, field="scope", remedy=f"give one: {options}")
    return candidates[0]
