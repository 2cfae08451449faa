"""Room: `halo stop`, `halo lift`, `halo revoke`. Takes: what to stop. Gives: a stop file, a row and an entry.

A stop goes to a file of the home first and then to the ledger, so it holds whatever is wrong with the database. A lift
goes to the ledger first: nothing is let go that is not written down.
"""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from halo_core.authorities import Authorities
from halo_core.cli.context import (
    DbOption,
    Exit,
    HomeOption,
    JsonOption,
    TenantOption,
    console,
    print_json,
    resolve_store,
)
from halo_core.clock import SystemClock
from halo_core.crypto.keys import KeyStore
from halo_core.errors import ConfigError
from halo_core.model import Stop
from halo_core.oversight import restrictions
from halo_core.stop_files import StopFiles
from halo_core.store import Store, StoreConfig, Transaction
from halo_core.store.log import select_tenant
from halo_core.store.reader import Reader
from halo_core.views.inventory import require_known_target

__all__ = [
    "ByOption",
    "WhyOption",
    "commit",
    "lift",
    "open_committer",
    "resolve_actor",
    "resolve_tenant",
    "resolve_trusted_tenant",
    "revoke",
    "stop",
    "warn_unwritten",
]

_DEADLINE_S: Final = 2.0
_NO_LEDGER_CODES: Final = ("no_database", "no_store")
_STOP_OPTIONS: Final = "`--agent`, `--session`, `--tool`, `--all`, or `--tenant` alone"
_REVOKE_OPTIONS: Final = "`--agent`, `--session`, `--key`, `--link`, or `--tenant` alone"

AllOption = Annotated[bool, typer.Option("--all", help="Everything in this home.")]
AgentOption = Annotated[str, typer.Option("--agent", help="One agent, and all agents that act through it.")]
SessionOption = Annotated[str, typer.Option("--session", help="One session.")]
ToolOption = Annotated[str, typer.Option("--tool", help="One tool, retriever or model, for all agents.")]
WhyOption = Annotated[str, typer.Option("--why", help="The reason; it is recorded in the ledger.")]
ByOption = Annotated[str, typer.Option("--by", help="Your name (default: the user of this shell).")]


def stop(
    *,
    everything: AllOption = False,
    agent: AgentOption = "",
    session: SessionOption = "",
    tool: ToolOption = "",
    tenant: TenantOption = None,
    why: WhyOption = "",
    by: ByOption = "",
    db: DbOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Stop an agent, a session, a tool, a tenant (`--tenant NAME` alone) or everything, from the next decision on."""
    folder, url = resolve_store(home, db)
    scope, target = _choose_target(
        _STOP_OPTIONS, everything=everything, agent=agent, session=session, tool=tool, tenant=tenant
    )
    stop_order = Stop(scope, target, SystemClock().now_us())
    why = restrictions.mask_reason(why)
    new = StopFiles(folder).set(stop_order, resolve_actor(by), why, tenant=tenant or "")
    problem, is_known = "", True
    try:
        is_known = _is_known(url, tenant, scope, target)
        new = commit(url, folder, tenant, lambda tx: restrictions.stop(tx, stop_order, resolve_actor(by), why)) or new
    except Exception as exc:  # noqa: BLE001  whatever is wrong with the ledger, the stop holds
        problem = str(exc)
    if json:
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


def lift(
    *,
    everything: AllOption = False,
    agent: AgentOption = "",
    session: SessionOption = "",
    tool: ToolOption = "",
    tenant: TenantOption = None,
    why: WhyOption = "",
    by: ByOption = "",
    db: DbOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Lift a stop. `--all` also removes stop files that cannot be read."""
    folder, url = resolve_store(home, db)
    scope, target = _choose_target(
        _STOP_OPTIONS, everything=everything, agent=agent, session=session, tool=tool, tenant=tenant
    )
    files = StopFiles(folder)
    filed = files.count(scope, target, tenant=tenant or "")
    recorded = True
    try:
        # INVARIANT: AUDIT - first the entry, then the file goes.
        lifted = commit(
            url,
            folder,
            tenant,
            lambda tx: restrictions.lift(tx, scope, target, resolve_actor(by), why, filed=filed > 0),
        )
    except ConfigError as exc:
        if exc.code not in _NO_LEDGER_CODES:
            raise
        lifted, recorded = filed > 0, False
    files.lift(scope, target, tenant=tenant or "")
    remaining = files.read(tenant or "")
    if json:
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


def revoke(
    *,
    agent: AgentOption = "",
    session: SessionOption = "",
    key: Annotated[str, typer.Option("--key", help="Thumbprint of a key: everything that it signed or holds.")] = "",
    link: Annotated[str, typer.Option("--link", help="Hash or id of a link, and everything derived from it.")] = "",
    tenant: TenantOption = None,
    unknown: Annotated[bool, typer.Option("--unknown", help="Allow a name that is not known here.")] = False,
    why: Annotated[str, typer.Option("--why", help="The reason (required); it is recorded in the ledger.")] = "",
    by: ByOption = "",
    db: DbOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Revoke permanently. Afterwards issue a new passport or open a new session; an agent id cannot be used again."""
    folder, url = resolve_store(home, db)
    scope, target = _choose_target(
        _REVOKE_OPTIONS, everything=False, agent=agent, session=session, key=key, link=link, tenant=tenant
    )
    if not why.strip():
        raise ConfigError(
            "no_reason",
            "a revocation is permanent and needs a reason",
            field="why",
            remedy='give the reason: `--why "..."`',
        )
    if not unknown:
        with Reader(url) as reader:
            require_known_target(reader, folder, select_tenant(reader, tenant), scope, target)
    new = commit(url, folder, tenant, lambda tx: restrictions.revoke(tx, scope, target, resolve_actor(by), why))
    if json:
        print_json({"new": bool(new), "scope": scope, "target": target})
    else:
        console().print(f"revoked {scope} {target}{'' if new else ' (it was already)'}", markup=False)
    return Exit.OK


def commit(url: str, home: Path, tenant: str | None, job: Callable[[Transaction], Any]) -> Any:
    """Run a job on a store that is there, durably and under a checkpoint; never makes a store.

    Raises:
        ConfigError: `no_database`, `no_store`, `which_tenant`.
        CannotDecide: it could not be made durable.
    """
    with open_committer(url, home, tenant) as run:
        return run(job)


@contextmanager
def open_committer(url: str, home: Path, tenant: str | None) -> Iterator[Callable[[Callable[[Transaction], Any]], Any]]:
    """As `commit`, for several jobs in a row, a transaction each; the checkpoint is over them all.

    Raises:
        ConfigError, CannotDecide: as `commit`.
    """
    name = resolve_tenant(url, tenant)
    store = Store(StoreConfig(url, home, name, deadline_s=_DEADLINE_S), KeyStore(home))
    try:
        yield store.commit
        store.checkpoint()
    finally:
        store.close()


def resolve_tenant(url: str, tenant: str | None) -> str:
    """The tenant named, or the only one of the store, which must be there.

    Raises:
        ConfigError: `no_database`, `no_store`, `which_tenant`.
    """
    try:
        with Reader(url) as reader:
            return select_tenant(reader, tenant)
    except ConfigError as exc:
        if exc.code in _NO_LEDGER_CODES:
            exc.remedy = "run your app once, or `halo passport issue AGENT`, or check `--db` and `--home`"
        raise


def resolve_trusted_tenant(url: str, home: Path, tenant: str | None) -> str:
    """The tenant named, the only one of authorities.json, or the only one of the store: in need without a store.

    Raises:
        ConfigError: as `tenant_of`, or authorities.json is not what it should be.
    """
    tenants = Authorities(home).tenants()
    if tenant is not None:
        return tenant
    return tenants[0] if len(tenants) == 1 else resolve_tenant(url, None)


def resolve_actor(by: str) -> str:
    """Who does it: as given, else the user of the shell."""
    if by:
        return by
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def warn_unwritten(what_holds: str, problem: str) -> None:
    """Say loudly that the ledger was not told."""
    out = console(stderr=True)
    out.print("[bold red]THE LEDGER COULD NOT BE WRITTEN[/]: ", end="")
    out.print(f"{what_holds} ({problem})", markup=False)
    out.print("  try: run this again when the ledger can be written, so that it is recorded")


def _is_known(url: str, tenant: str | None, scope: str, target: str) -> bool:
    if scope in ("all", "tenant"):
        return True
    with Reader(url) as reader:
        return reader.has_target(select_tenant(reader, tenant), scope, target)


def _choose_target(options: str, *, everything: bool, tenant: str | None, **targets: str) -> tuple[str, str]:
    candidates = [(scope, target) for scope, target in targets.items() if target] + [("all", "")] * everything
    if not candidates and tenant:
        return "tenant", tenant
    if len(candidates) != 1:
        problem = f"{len(candidates)} targets are given" if candidates else "no target is given"
        raise ConfigError("bad_stop", problem, field="scope", remedy=f"give one: {options}")
    return candidates[0]
