"""`halo keys` and `halo approver`: which keys and people can sign what. Private keys are never printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Final

import typer
from rich.table import Table
from rich.text import Text
from typer import Argument, Option

from halo_core.authorities import Authorities
from halo_core.cli.context import (
    ApproverKeyHomeOption,
    KeysHomeOption,
    SignAsOption,
    SignedOption,
    StoreContext,
    parse_duration,
    store_verb,
    warn_unwritten,
)
from halo_core.cli.operators import enrol, list_people, withdraw
from halo_core.cli.rendering import build_field_table, build_table, console, safe_text, say, say_plainly, say_with_path
from halo_core.clock import SystemClock, format_iso
from halo_core.crypto.keys import KeyStore
from halo_core.errors import ConfigError
from halo_core.evidence.answers import describe_tool, format_moment
from halo_core.evidence.verified_log import describe_anchors
from halo_core.oversight import keys
from halo_core.oversight.keys import (
    KeyFile,
    TrustedKey,
    list_key_files,
    list_trusted_keys,
    list_warnings,
)
from halo_core.store.log_checkpoints import load_trusted_keys
from halo_core.store.reader import Reader
from halo_core.views import select_fields
from halo_core.views.inventory import find_holders, list_follow_ups, refuse_without_overlap
from halo_core.views.wording import format_count

_WIDE_COLUMNS: Final = 140
_FILE_TITLES: Final = ("key", "kind", "thumbprint", "signs", "owner", "mode", "this process")
_TRUST_TITLES: Final = ("tenant", "part", "name", "thumbprint", "since", "until")

keys_app = typer.Typer(help="List keys, and rotate or retire issuer keys.", no_args_is_help=True)


@store_verb(keys_app, "report", db=False, tenant=False)
def report_keys(*, key_home: KeysHomeOption = None, store: StoreContext) -> None:
    """List key files and trusted keys, what each can sign and who can read it. Private keys are never shown."""
    for place in (store.home, key_home):
        if place is not None and not place.is_dir():
            problem = f"there is no folder `{place}`"
            remedy = "run your app once, or `halo passport issue AGENT`, or give `--home`"
            raise ConfigError("no_home", problem, field="home", remedy=remedy)
    authorities = Authorities(store.home)
    files, now_us = list_key_files(KeyStore(key_home or store.home)), SystemClock().now_us()
    trust_by_tenant = {tenant: authorities.load(tenant) for tenant in authorities.tenants()}
    trusted = list_trusted_keys(trust_by_tenant, files, now_us)
    warning_texts = list_warnings(files, trusted)
    head = {
        "query": "halo keys report",
        "period": f"as of {format_moment(now_us)} (UTC)",
        "population": f"{format_count(len(files), 'key file')}, {format_count(len(trusted), 'trusted key')} of "
        f"{format_count(len(trust_by_tenant), 'tenant')}",
        "checkpoint": "; ".join(describe_anchors(store.home)) or "none",
        "tool": describe_tool(),
    }
    logs = load_trusted_keys(store.home)
    if store.print_json({"head": head, "keys": files, "logs": logs, "trusted": trusted, "warnings": warning_texts}):
        return
    say(build_field_table((name, safe_text(text)) for name, text in head.items()))
    say_plainly("note: files of this host are read, and no entry of the log; `halo verify` compares it with them")
    say_plainly(f"keys in {key_home or store.home}")
    wide = console().width >= _WIDE_COLUMNS
    say(_render_rows(_FILE_TITLES, map(_build_file_cells, files), wide=wide))
    if trusted:
        say("\ntrusted, by authorities.json")
        say(_render_rows(_TRUST_TITLES, map(_build_trusted_cells, trusted), wide=wide))
    for tenant, key in sorted(logs.items()):
        say_plainly(f"\nverifier key of the log of `{tenant}`, for those who check it elsewhere (`--key`)")
        say_with_path(f"  {key}")
    for text in warning_texts:
        say("[bold yellow]warning[/] ", safe_text(text))


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


@store_verb(keys_app, "rotate", tenant=False, by=True)
def rotate_issuer(
    what: Annotated[str, Argument(metavar="issuer", help="What to rotate: `issuer`.")],
    *,
    overlap: Annotated[str, Option("--overlap", help="How long passports of the old key stay valid.")] = "7d",
    yes: Annotated[bool, Option("--yes", help="Rotate even if passports become invalid at once.")] = False,
    key_home: KeysHomeOption = None,
    store: StoreContext,
) -> None:
    """Create a new issuer key. Passports signed with the old key stay valid until the overlap ends."""
    if what != "issuer":
        raise ConfigError("bad_rotation", f"`{what[:32]}` cannot be rotated", field="what", remedy="rotate `issuer`")
    key_store, authorities, now_us = KeyStore(key_home or store.home), Authorities(store.home), SystemClock().now_us()
    lasts = 0 if overlap == "0" else parse_duration(overlap, "overlap")
    tenants = _list_tenants(store.url, key_store, authorities, now_us)
    holders_by_tenant = {
        tenant: find_holders(store.url, tenant, keys.find_current_key_id(key_store)) for tenant in tenants
    }
    if not lasts and not yes:
        refuse_without_overlap(holders_by_tenant)
    done: dict[str, keys.Rotation] = {}
    for tenant in tenants:
        with store.open_store(tenant) as opened:
            done[tenant] = keys.rotate_issuer(
                opened, key_store, authorities, overlap_s=lasts, by=store.actor, now_us=now_us
            )
    old_key_path = keys.swap_issuer_keys(key_store)
    removed = keys.remove_expired_keys(key_store, authorities, now_us)
    old_key_name = old_key_path.name if old_key_path.exists() else None
    tenant_rows = {tenant: select_fields(item, "new", "old", "until_us") for tenant, item in done.items()}
    if store.print_json({"kept": old_key_name, "removed": removed, "tenants": tenant_rows}):
        return
    for tenant, item in done.items():
        until = format_iso(item.until_us)
        say(f"tenant {tenant}: issuer {item.new}, the old one {item.old} is trusted until {until}")
        for line in list_follow_ups(holders_by_tenant[tenant], until, over=item.until_us <= now_us):
            say(safe_text(f"  {line}"))
    if old_key_name:
        say(f"  the old key is kept as {old_key_name} until then")
    _print_removed(removed)


def _print_removed(names: Sequence[str]) -> None:
    if names:
        say(f"  removed because it is no longer trusted: {', '.join(names)}")


def _list_tenants(url: str, key_store: KeyStore, authorities: Authorities, now_us: int) -> list[str]:
    """The tenants whose passports are issued with a folder's key: a rotation replaces it for all of them at once.

    Raises:
        ConfigError: `issuer_shared`, some of them are in another database.
    """
    kid = keys.find_current_key_id(key_store)
    with Reader(url) as reader:
        here = reader.tenants()
    trusting = [name for name in authorities.tenants() if kid in authorities.load(name).issuer_keys(now_us)]
    elsewhere = sorted(set(trusting) - set(here))
    if elsewhere:
        problem = f"the key also issues passports for {', '.join(elsewhere)} in another database"
        remedy = "give each store that shares the home its own issuer, or merge the stores before rotating"
        raise ConfigError("issuer_shared", problem, field="db", remedy=remedy)
    return trusting or here


@store_verb(keys_app, "retire", by=True, takes_dashes=True)
def retire_issuer(
    kid: Annotated[str, Argument(metavar="KID", help="Thumbprint of an issuer key, or the first characters of it.")],
    *,
    yes: Annotated[bool, Option("--yes", help="Retire the key even if it is in use.")] = False,
    key_home: KeysHomeOption = None,
    store: StoreContext,
) -> None:
    """Stop trusting an issuer key. Every passport that it signed is refused from the next decision on."""
    authorities, now_us = Authorities(store.home), SystemClock().now_us()
    owner = store.resolve_trusted_tenant()
    trust = authorities.load(owner)
    used = keys.is_issuer_in_use(KeyStore(key_home or store.home), trust, keys.resolve_key_id(trust, kid), now_us)
    if used and not yes:
        problem = f"`{kid[:64]}` is the current issuer key: all its passports, including new ones, would be refused"
        remedy = "run `halo keys rotate issuer` first, or confirm with `--yes`"
        raise ConfigError("issuer_in_use", problem, field="kid", remedy=remedy)
    full = keys.retire_issuer(authorities, owner, kid=kid, now_us=now_us)
    problem = store.try_commit(lambda tx: keys.record_retirement(tx, full, by=store.actor, now_us=now_us), owner)
    removed = keys.remove_expired_keys(KeyStore(key_home or store.home), authorities, now_us)
    if store.print_json({"kid": full, "ledger": not problem, "removed": removed, "tenant": owner}):
        return
    say_plainly(f"retired issuer {full} of tenant {owner}")
    if used:
        todo = "run `halo keys rotate issuer` and issue new passports, or nothing runs"
        say(f"[bold yellow]warning[/] it was in use: {todo}")
    _print_removed(removed)
    if problem:
        warn_unwritten("the retirement is in force through authorities.json", problem)


approver_app = typer.Typer(help="Manage the approvers who may answer challenges.", no_args_is_help=True)


@store_verb(approver_app, "enrol", by=True)
def enrol_one(
    name: Annotated[str, Argument(help="Name of the person, for example mia@bank.example.")],
    *,
    public_key: Annotated[
        str, Option("--public-key", help="Public key in base64 (default: a new key pair is generated).")
    ] = "",
    key_home: ApproverKeyHomeOption = None,
    signed: SignedOption = None,
    sign_as: SignAsOption = None,
    store: StoreContext,
) -> None:
    """Enrol an approver."""
    enrol(store, name, role="approver", public_key=public_key, key_home=key_home, signed=signed, sign_as=sign_as)


@store_verb(approver_app, "list")
def list_approvers(*, store: StoreContext) -> None:
    """List current and former approvers."""
    list_people(store, "approver")


@store_verb(approver_app, "withdraw", json=False, by=True)
def withdraw_one(
    name: Annotated[str, Argument(help="The enrolled name.")],
    *,
    signed: SignedOption = None,
    store: StoreContext,
) -> None:
    """Withdraw an approver. Answers that were not used yet become invalid."""
    withdraw(store, name, role="approver", signed=signed)
