"""Room: `halo keys report | rotate | retire`. Takes: key folders. Gives: who can sign what. Never: prints a secret."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.table import Table
from rich.text import Text

from halo_core.authorities import Authorities
from halo_core.cli.approvals import parse_duration
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
from halo_core.cli.controls import ByOption, commit, resolve_actor, resolve_trusted_tenant, warn_unwritten
from halo_core.clock import SystemClock, format_iso
from halo_core.crypto.keys import KeyStore
from halo_core.errors import ConfigError
from halo_core.oversight import keys
from halo_core.oversight.keys import KeyFile, TrustedKey, list_key_files, list_trusted_keys, list_warnings, to_json_rows
from halo_core.store import Store, StoreConfig
from halo_core.store.reader import Reader
from halo_core.views.inventory import find_holders, list_follow_ups, refuse_without_overlap
from halo_core.views.wording import safe_text

__all__ = ["app"]

_WIDE_COLUMNS: Final = 140

app = typer.Typer(help="List keys, and rotate or retire issuer keys.", no_args_is_help=True)

KeyHomeOption = Annotated[Path | None, typer.Option("--key-home", help="Folder of the keys (default: the home).")]


@app.command("report")
def report_keys(*, key_home: KeyHomeOption = None, home: HomeOption = None, json: JsonOption = False) -> int:
    """List key files and trusted keys, what each can sign and who can read it. Private keys are never shown."""
    folder, _ = resolve_store(home, "")
    for place in (folder, key_home):
        if place is not None and not place.is_dir():
            raise ConfigError(
                "no_home",
                f"there is no folder `{place}`",
                field="home",
                remedy="run your app once, or `halo passport issue AGENT`, or give `--home`",
            )
    authorities = Authorities(folder)
    files = list_key_files(KeyStore(key_home or folder))
    trust_by_tenant = {tenant: authorities.load(tenant) for tenant in authorities.tenants()}
    trusted = list_trusted_keys(trust_by_tenant, files, SystemClock().now_us())
    warning_texts = list_warnings(files, trusted)
    if json:
        print_json({"keys": to_json_rows(files), "trusted": to_json_rows(trusted), "warnings": warning_texts})
        return Exit.OK
    view = console()
    view.print(f"keys in {key_home or folder}", markup=False)
    wide = view.width >= _WIDE_COLUMNS
    view.print(_build_file_table(files) if wide else _build_narrow_list(map(_build_file_cells, files), 2))
    if trusted:
        view.print("\ntrusted, by authorities.json")
        view.print(_build_trusted_table(trusted) if wide else _build_narrow_list(map(_build_trusted_cells, trusted), 3))
    for text in warning_texts:
        view.print("[bold yellow]warning[/] ", end="")
        view.print(text, markup=False)
    return Exit.OK


def _build_file_table(files: list[KeyFile]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("key", "kind", "thumbprint", "signs", "owner", "mode", "this process"):
        table.add_column(title, overflow="fold")
    for item in files:
        table.add_row(*map(safe_text, _build_file_cells(item)))
    return table


def _build_file_cells(item: KeyFile) -> tuple[str, ...]:
    reads = "can read it" if item.readable else "cannot read it"
    return item.name, item.kind, item.key_id or "-", item.signs or "-", item.owner, item.mode, reads


def _build_trusted_table(trusted: list[TrustedKey]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("tenant", "part", "name", "thumbprint", "since", "until"):
        table.add_column(title, overflow="fold")
    for item in trusted:
        table.add_row(*map(safe_text, _build_trusted_cells(item)))
    return table


def _build_trusted_cells(item: TrustedKey) -> tuple[str, ...]:
    until = format_iso(item.until_us) if item.until_us is not None else "in use"
    since = format_iso(item.since_us) if item.since_us else "always"
    return item.tenant, item.role, item.name or "-", item.key_id, since, until


def _build_narrow_list(rows: Iterable[tuple[str, ...]], mark: int) -> Text:
    """What a table would say, for a narrow terminal: the thumbprint, at `mark`, has its own line."""
    blocks = []
    for cells in rows:
        lines = (", ".join(cells[:mark]), f"  {cells[mark]}", f"  {', '.join(cells[mark + 1 :])}")
        blocks.append(Text("\n").join(map(safe_text, lines)))
    return Text("\n").join(blocks)


@app.command("rotate")
def rotate_issuer(
    what: Annotated[str, typer.Argument(metavar="issuer", help="What to rotate: `issuer`.")],
    *,
    overlap: Annotated[str, typer.Option("--overlap", help="How long passports of the old key stay valid.")] = "7d",
    yes: Annotated[bool, typer.Option("--yes", help="Rotate even if passports become invalid at once.")] = False,
    key_home: KeyHomeOption = None,
    by: ByOption = "",
    db: DbOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Create a new issuer key. Passports signed with the old key stay valid until the overlap ends."""
    if what != "issuer":
        raise ConfigError("bad_rotation", f"`{what[:32]}` cannot be rotated", field="what", remedy="rotate `issuer`")
    folder, url = resolve_store(home, db)
    key_store, authorities, now_us = KeyStore(key_home or folder), Authorities(folder), SystemClock().now_us()
    lasts = 0 if overlap == "0" else parse_duration(overlap)
    tenants = _list_tenants(url, key_store, authorities, now_us)
    holders_by_tenant = {tenant: find_holders(url, tenant, keys.current_key_id(key_store)) for tenant in tenants}
    if not lasts and not yes:
        refuse_without_overlap(holders_by_tenant)
    done: dict[str, keys.Rotation] = {}
    for tenant in tenants:
        store = Store(StoreConfig(url, folder, tenant), KeyStore(folder))
        try:
            done[tenant] = keys.rotate_issuer(
                store, key_store, authorities, overlap_s=lasts, by=resolve_actor(by), now_us=now_us
            )
            store.checkpoint()
        finally:
            store.close()
    old_key_path = keys.swap_issuer_keys(key_store)
    swept = keys.remove_expired_keys(key_store, authorities, now_us)
    if json:
        rows = {tenant: {"new": r.new, "old": r.old, "until_us": r.until_us} for tenant, r in done.items()}
        print_json({"kept": old_key_path.name if old_key_path.exists() else None, "removed": swept, "tenants": rows})
        return Exit.OK
    view = console()
    for tenant, item in done.items():
        until = format_iso(item.until_us)
        view.print(f"tenant {tenant}: issuer {item.new}, the old one {item.old} is trusted until {until}")
        for line in list_follow_ups(holders_by_tenant[tenant], until, over=item.until_us <= now_us):
            view.print(safe_text(f"  {line}"))
    if old_key_path.exists():
        view.print(f"  the old key is kept as {old_key_path.name} until then")
    if swept:
        view.print(f"  removed because it is no longer trusted: {', '.join(swept)}")
    return Exit.OK


def _list_tenants(url: str, key_store: KeyStore, authorities: Authorities, now_us: int) -> list[str]:
    """Every tenant that trusts the key, since one file serves them all."""
    kid = keys.current_key_id(key_store)
    with Reader(url) as reader:
        here = reader.tenants()
    trusting = [name for name in authorities.tenants() if kid in authorities.load(name).issuer_keys(now_us)]
    elsewhere = sorted(set(trusting) - set(here))
    if elsewhere:
        raise ConfigError(
            "issuer_shared",
            f"the key also issues passports for {', '.join(elsewhere)} in another database",
            field="db",
            remedy="give each store that shares the home its own issuer, or merge the stores before rotating",
        )
    return trusting or here


@app.command("retire")
def retire_issuer(
    kid: Annotated[
        str, typer.Argument(metavar="KID", help="Thumbprint of an issuer key, or the first characters of it.")
    ],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Retire the key even if it is in use.")] = False,
    key_home: KeyHomeOption = None,
    by: ByOption = "",
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> int:
    """Stop trusting an issuer key. Every passport that it signed is refused from the next decision on."""
    folder, url = resolve_store(home, db)
    authorities, now_us = Authorities(folder), SystemClock().now_us()
    owner = resolve_trusted_tenant(url, folder, tenant)
    trust = authorities.load(owner)
    used = keys.is_issuer_in_use(KeyStore(key_home or folder), trust, keys.resolve_key_id(trust, kid), now_us)
    if used and not yes:
        raise ConfigError(
            "issuer_in_use",
            f"`{kid[:64]}` is the current issuer key: all its passports, including new ones, would be refused",
            field="kid",
            remedy="run `halo keys rotate issuer` first, or confirm with `--yes`",
        )
    full = keys.retire_issuer(authorities, owner, kid=kid, now_us=now_us)
    problem = ""
    try:
        commit(url, folder, owner, lambda tx: keys.record_retirement(tx, full, by=resolve_actor(by), now_us=now_us))
    except Exception as exc:  # noqa: BLE001  whatever is wrong with the ledger, the retirement holds
        problem = str(exc)
    swept = keys.remove_expired_keys(KeyStore(key_home or folder), authorities, now_us)
    result: dict[str, Any] = {"kid": full, "ledger": not problem, "removed": swept, "tenant": owner}
    if json:
        print_json(result)
        return Exit.OK
    view = console()
    view.print(f"retired issuer {full} of tenant {owner}", markup=False)
    if used:
        view.print("[bold yellow]warning[/] ", end="")
        view.print("it was in use: run `halo keys rotate issuer` and issue new passports, or nothing runs")
    if swept:
        view.print(f"  removed because it is no longer trusted: {', '.join(swept)}")
    if problem:
        warn_unwritten("the retirement is in force through authorities.json", problem)
    return Exit.OK
