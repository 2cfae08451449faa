"""Room: `halo passport revoke | history`. Takes: a store. Gives: a revocation; what became of an agent's passports.

Never: decides; takes a revocation back.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from halo_core.cli.common import DbOption, Exit, HomeOption, JsonOption, TenantOption, console, print_json, where
from halo_core.cli.passport_diff import STYLE, changes
from halo_core.cli.passport_files import chain_at, no_such, standing_entries
from halo_core.cli.passport_view import when
from halo_core.cli.stop import ByOption, WhyOption, commit, who
from halo_core.cli.words import cell, short
from halo_core.clock import iso
from halo_core.model import EntryKind, Link
from halo_core.oversight.actions import revoke as revoke_now
from halo_core.query import entries, one_tenant
from halo_core.store.reader import Reader

__all__ = ["history", "revoke"]


def revoke(
    name: Annotated[
        str, typer.Argument(metavar="HASH|JTI|AGENT", help="A passport, or an agent: all it has or may get.")
    ],
    *,
    why: WhyOption,
    by: ByOption = "",
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
) -> int:
    """Revoke a passport, or every passport of an agent, for good: from the next decision on it serves nothing.

    A revoked passport (HASH, JTI) is answered by a new one: `halo passport issue`. A revoked AGENT never gets another;
    who is to go on needs another id.
    """
    folder, url = where(home, db)
    with Reader(url) as reader:
        whose = one_tenant(reader, tenant)
        agents = {found.entry.body["agent"] for found in entries(reader, whose, (EntryKind.PASSPORT,))}
        kept = None if name in agents else chain_at(reader, whose, name)
    if name not in agents and kept is None:
        raise no_such(name, agents)
    scope, target = ("agent", name) if kept is None else ("link", kept.links[-1].hash)
    done = commit(url, folder, whose, lambda tx: revoke_now(tx, scope, target, who(by), why))
    what = f"every passport of {name}" if kept is None else f"passport {short(target)} of {kept.links[-1].agent}"
    view = console()
    view.print(
        "[bold]revoked[/] " if done else "revoked already: ", cell(what), ", and whatever was derived from it", sep=""
    )
    after = "the agent is revoked for good: use another id" if kept is None else "a new one: `halo passport issue`"
    view.print(f"[dim]{after}[/]")
    return Exit.OK


def history(
    agent: Annotated[str, typer.Argument(help="An agent.")],
    *,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> int:
    """List every passport and revocation of an agent, with what changed."""
    _, url = where(home, db)
    with Reader(url) as reader:
        whose = one_tenant(reader, tenant)
        told = _history(reader, whose, agent)
        if not told:
            raise no_such(agent, {found.entry.body["agent"] for found in standing_entries(reader, whose)})
    if json:
        print_json(told)
        return Exit.OK
    view = console()
    for row in told:
        view.print(f"[dim]{row['index']:>5} {row['time'][:19]}Z[/] [bold]{row['what']}[/] ", cell(row["name"]), sep="")
        for line in row["changes"]:
            view.print("        ", cell(line, style=STYLE.get(line[:1], "")), sep="")
    return Exit.OK


def _history(reader: Reader, tenant: str, agent: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    before: Link | None = None
    facts: Any = {}
    hashes = set()
    for found in entries(reader, tenant, (EntryKind.PASSPORT, EntryKind.REVOCATION)):
        body = found.entry.body
        row = {"changes": [], "index": found.index, "name": "", "time": iso(found.entry.ts_us)}
        if found.entry.kind is EntryKind.REVOCATION:
            if body.get("target") == agent or body.get("target") in hashes:
                by = f"{body.get('scope')} {short(str(body.get('target')))} by {body.get('by')}: {body.get('why')}"
                rows.append({**row, "name": by, "what": "revoked"})
        elif body.get("agent") == agent:
            hashes.add(body["hash"])
            if body.get("kind", "standing") == "standing":
                link = _link(reader, tenant, body["hash"])
                row["changes"] = [] if link is None else [item.text() for item in changes(before, link, facts, body)]
                name = f"{short(body['hash'])} until {when(link.expires_at_s)}" if link else short(body["hash"])
                rows.append({**row, "name": name, "what": body.get("origin", "derived")})
                before, facts = (link, body) if link is not None else (before, facts)
    return rows


def _link(reader: Reader, tenant: str, name: str) -> Link | None:
    kept = chain_at(reader, tenant, name)
    return kept.links[0] if kept is not None else None
