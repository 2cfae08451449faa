"""Room: `halo approver`. Takes: a name, a public key. Gives: who may answer, on record. Never: answers."""

from __future__ import annotations

from typing import Annotated

import typer

from halo_core.authorities import Authorities, approver_key_name, parse_public_key
from halo_core.cli.approvals import KeyHomeOption
from halo_core.cli.common import DbOption, Exit, HomeOption, JsonOption, TenantOption, console, print_json, where
from halo_core.cli.stop import ByOption, commit, tenant_of, trusting, unwritten, who
from halo_core.clock import SystemClock, iso
from halo_core.keys import KeyStore
from halo_core.oversight.enrolment import enrol, record_withdrawal, withdraw
from halo_core.store import Store, StoreConfig

__all__ = ["app"]

app = typer.Typer(help="Who may answer challenges.", no_args_is_help=True)


@app.command("enrol")
def enrol_one(
    name: Annotated[str, typer.Argument(help="The person, for example mia@bank.example.")],
    *,
    public_key: Annotated[str, typer.Option("--public-key", help="Base64; without, a key is made.")] = "",
    key_home: KeyHomeOption = None,
    by: ByOption = "",
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> int:
    """Let somebody answer challenges from now on."""
    folder, url = where(home, db)
    owner = tenant_of(url, tenant)
    place = key_home or folder
    key = parse_public_key(public_key) if public_key else KeyStore(place).signer(approver_key_name(name)).public_key
    store = Store(StoreConfig(url, folder, owner), KeyStore(folder))
    try:
        now_us = store.clock.now_us()
        kid = enrol(store, Authorities(folder), name=name, public_key=key, by=who(by), now_us=now_us)
        store.checkpoint()
    finally:
        store.close()
    if json:
        print_json({"kid": kid, "name": name, "tenant": owner})
        return Exit.OK
    view = console()
    view.print(f"enrolled {name} for tenant {owner}, key {kid}", markup=False)
    if not public_key:
        view.print(f"  the key is in {place / approver_key_name(name)}.key", markup=False)
        if place.resolve() == folder.resolve():
            view.print("  [yellow]where the agents' process can read it[/]: use --key-home or --public-key for people")
    return Exit.OK


@app.command("list")
def list_approvers(
    *, db: DbOption = "", home: HomeOption = None, tenant: TenantOption = None, json: JsonOption = False
) -> int:
    """Who may answer, and who no longer."""
    folder, url = where(home, db)
    owner = trusting(url, folder, tenant)
    known = Authorities(folder).load(owner)
    live = known.approver_keys(SystemClock().now_us())
    rows = [
        {"kid": kid, "live": kid in live, "name": item.name, "since_us": item.since_us, "until_us": item.until_us}
        for kid, item in sorted(known.approvers.items(), key=lambda pair: (pair[1].name, pair[1].since_us))
    ]
    if json:
        print_json(rows)
        return Exit.OK
    view = console()
    for row in rows:
        until = f", withdrawn {iso(int(str(row['until_us'])))}" if row["until_us"] is not None else ""
        view.print(f"{row['name']}  key {row['kid']}  since {iso(int(str(row['since_us'])))}{until}", markup=False)
    if not rows:
        view.print(f"nobody may answer for tenant {owner}; run `halo approver enrol NAME`", markup=False)
    return Exit.OK


@app.command("withdraw")
def withdraw_one(
    name: Annotated[str, typer.Argument(help="The name enrolled.")],
    *,
    by: ByOption = "",
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
) -> int:
    """Let somebody answer no longer. Answers that were not used by now serve nothing."""
    folder, url = where(home, db)
    owner = trusting(url, folder, tenant)
    now_us = SystemClock().now_us()
    kids = withdraw(Authorities(folder), owner, name=name, now_us=now_us)
    console().print(f"withdrawn {name}: {', '.join(kids)}", markup=False)
    try:
        commit(url, folder, owner, lambda tx: record_withdrawal(tx, kids, name=name, by=who(by), now_us=now_us))
    except Exception as exc:  # noqa: BLE001  whatever is wrong with the ledger, the withdrawal holds
        unwritten("the withdrawal holds from authorities.json alone", str(exc))
    return Exit.OK
