"""`halo keys report | rotate | retire`: who can sign what. A secret is never printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Final

import typer
from rich.table import Table
from rich.text import Text

from halo_core.authorities import Authorities
from halo_core.cli.context import KeysHomeOption, StoreContext, parse_duration, store_verb, warn_unwritten
from halo_core.cli.rendering import Exit, build_table, console, print_json, safe_text
from halo_core.clock import SystemClock, format_iso
from halo_core.crypto.keys import KeyStore
from halo_core.errors import ConfigError
from halo_core.oversight import keys
from halo_core.oversight.keys import KeyFile, TrustedKey, list_key_files, list_trusted_keys, list_warnings, to_json_rows
from halo_core.store.reader import Reader
from halo_core.views.inventory import find_holders, list_follow_ups, refuse_without_overlap

_WIDE_COLUMNS: Final = 140
_FILE_TITLES: Final = ("key", "kind", "thumbprint", "signs", "owner", "mode", "this process")
_TRUST_TITLES: Final = ("tenant", "part", "name", "thumbprint", "since", "until")

app = typer.Typer(help="List keys, and rotate or retire issuer keys.", no_args_is_help=True)


@app.command("report")
@store_verb(db=False, tenant=False)
def report_keys(*, key_home: KeysHomeOption = None, store: StoreContext) -> int:
    """List key files and trusted keys, what each can sign and who can read it. Private keys are never shown."""
    for place in (store.home, key_home):
        if place is not None and not place.is_dir():
            raise ConfigError(
                "no_home",
                f"there is no folder `{place}`",
                field="home",
                remedy="run your app once, or `halo passport issue AGENT`, or give `--home`",
            )
    authorities = Authorities(store.home)
    files = list_key_files(KeyStore(key_home or store.home))
    trust_by_tenant = {tenant: authorities.load(tenant) for tenant in authorities.tenants()}
    trusted = list_trusted_keys(trust_by_tenant, files, SystemClock().now_us())
    warning_texts = list_warnings(files, trusted)
    if store.json:
        print_json({"keys": to_json_rows(files), "trusted": to_json_rows(trusted), "warnings": warning_texts})
        return Exit.OK
    view = console()
    view.print(f"keys in {key_home or store.home}", markup=False)
    wide = view.width >= _WIDE_COLUMNS
    view.print(_render_rows(_FILE_TITLES, map(_build_file_cells, files), wide=wide))
    if trusted:
        view.print("\ntrusted, by authorities.json")
        view.print(_render_rows(_TRUST_TITLES, map(_build_trusted_cells, trusted), wide=wide))
    for text in warning_texts:
        view.print("[bold yellow]warning[/] ", end="")
        view.print(text, markup=False)
    return Exit.OK


def _render_rows(titles: Sequence[str], rows: Iterable[tuple[str, ...]], *, wide: bool) -> Table | Text:
    """A table; on a narrow terminal a block for each row, in which the thumbprint has its own line."""
    if wide:
        table = build_table(titles)
        for cells in rows:
            table.add_row(*map(safe_text, cells))
        return table
    mark = titles.index("thumbprint")
    blocks = []
    for cells in rows:
        lines = (", ".join(cells[:mark]), f"  {cells[mark]}", f"  {', '.join(cells[mark + 1 :])}")
        blocks.append(Text("\n").join(map(safe_text, lines)))
    return Text("\n").join(blocks)


def _build_file_cells(item: KeyFile) -> tuple[str, ...]:
    reads = "can read it" if item.readable else "cannot read it"
    return item.name, item.kind, item.key_id or "-", item.signs or "-", item.owner, item.mode, reads


def _build_trusted_cells(item: TrustedKey) -> tuple[str, ...]:
    until = format_iso(item.until_us) if item.until_us is not None else "in use"
    since = format_iso(item.since_us) if item.since_us else "always"
    return item.tenant, item.role, item.name or "-", item.key_id, since, until


@app.command("rotate")
@store_verb(tenant=False, by=True)
def rotate_issuer(
    what: Annotated[str, typer.Argument(metavar="issuer", help="What to rotate: `issuer`.")],
    *,
    overlap: Annotated[str, typer.Option("--overlap", help="How long passports of the old key stay valid.")] = "7d",
    yes: Annotated[bool, typer.Option("--yes", help="Rotate even if passports become invalid at once.")] = False,
    key_home: KeysHomeOption = None,
    store: StoreContext,
) -> int:
    """Create a new issuer key. Passports signed with the old key stay valid until the overlap ends."""
    if what != "issuer":
        raise ConfigError("bad_rotation", f"`{what[:32]}` cannot be rotated", field="what", remedy="rotate `issuer`")
    key_store, authorities, now_us = KeyStore(key_home or store.home), Authorities(store.home), SystemClock().now_us()
    lasts = 0 if overlap == "0" else parse_duration(overlap)
    tenants = _list_tenants(store.url, key_store, authorities, now_us)
    holders_by_tenant = {tenant: find_holders(store.url, tenant, keys.current_key_id(key_store)) for tenant in tenants}
    if not lasts and not yes:
        refuse_without_overlap(holders_by_tenant)
    done: dict[str, keys.Rotation] = {}
    for tenant in tenants:
        with store.open_store(tenant) as opened:
            done[tenant] = keys.rotate_issuer(
                opened, key_store, authorities, overlap_s=lasts, by=store.actor, now_us=now_us
            )
    old_key_path = keys.swap_issuer_keys(key_store)
    swept = keys.remove_expired_keys(key_store, authorities, now_us)
    if store.json:
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
@store_verb(by=True)
def retire_issuer(
    kid: Annotated[
        str, typer.Argument(metavar="KID", help="Thumbprint of an issuer key, or the first characters of it.")
    ],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Retire the key even if it is in use.")] = False,
    key_home: KeysHomeOption = None,
    store: StoreContext,
) -> int:
    """Stop trusting an issuer key. Every passport that it signed is refused from the next decision on."""
    authorities, now_us = Authorities(store.home), SystemClock().now_us()
    owner = store.resolve_trusted_tenant()
    trust = authorities.load(owner)
    used = keys.is_issuer_in_use(KeyStore(key_home or store.home), trust, keys.resolve_key_id(trust, kid), now_us)
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
        store.commit(lambda tx: keys.record_retirement(tx, full, by=store.actor, now_us=now_us), tenant=owner)
    except Exception as exc:  # noqa: BLE001  whatever is wrong with the ledger, the retirement holds
        problem = str(exc)
    swept = keys.remove_expired_keys(KeyStore(key_home or store.home), authorities, now_us)
    if store.json:
        print_json({"kid": full, "ledger": not problem, "removed": swept, "tenant": owner})
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
