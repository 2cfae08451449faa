"""Room: `halo agents`, the inventory. Takes: a store, a manifest if there is one. Gives: who acts, on what passport.

An agent that acted without being in the manifest is marked: nobody has said what it is for. Never: decides.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from halo_core.cli.common import DbOption, Exit, HomeOption, JsonOption, TenantOption, console, print_json, where
from halo_core.cli.manifests import find_manifest, read_manifest
from halo_core.cli.passport_files import peek, revocations, standing_entries
from halo_core.cli.passport_view import when
from halo_core.cli.words import cell
from halo_core.clock import SystemClock, iso
from halo_core.errors import ConfigError, PassportError
from halo_core.manifest import Manifest
from halo_core.model import EntryKind, Revocation
from halo_core.pdp import revokes
from halo_core.query import entries, one_tenant
from halo_core.store.reader import Reader

__all__ = ["agents"]

_US: Final = 1_000_000
_WARN: Final = ("revoked", "expired", "none", "unreadable")
_WIDE: Final = 110
"""Columns from which on the purpose has room."""


@dataclass(slots=True)
class _Row:
    """What is known of one agent."""

    agent: str
    owner: str = ""
    privilege: str = ""
    purpose: str = ""
    regulated: tuple[str, ...] = ()
    passport: str = "none"
    until_s: int = 0
    decisions: int = 0
    uses: int = 0
    last_us: int = 0
    listed: bool | None = None


def agents(
    *,
    manifest: Annotated[
        Path | None, typer.Option("--manifest", help="The manifest (default: agents.yaml in the home, else here).")
    ] = None,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> int:
    """List every agent that was declared, was given a passport, or acted."""
    folder, url = where(home, db)
    declared = _declared(folder, manifest)
    with Reader(url) as reader:
        whose = one_tenant(reader, tenant)
        rows = _rows(reader, whose, declared)
    if json:
        print_json([asdict(row) for row in rows])
        return Exit.OK
    view = console()
    view.print(_table(rows, wide=view.width >= _WIDE))
    strangers = [row.agent for row in rows if row.listed is False]
    if strangers:
        view.print(
            f"[yellow]{len(strangers)} not in the manifest[/]: name them in agents.yaml, or revoke them: ",
            cell(", ".join(strangers)),
            sep="",
        )
    return Exit.OK


def _declared(home: Path, given: Path | None) -> Manifest | None:
    try:
        return read_manifest(find_manifest(home, given))
    except ConfigError as exc:
        if given is not None or exc.code != "no_manifest":
            raise
        return None


def _rows(reader: Reader, tenant: str, manifest: Manifest | None) -> list[_Row]:
    rows: dict[str, _Row] = {}
    known = manifest.agents if manifest is not None and manifest.tenant == tenant else {}
    for name, agent in known.items():
        rows[name] = _Row(name, agent.owner, agent.privilege, agent.purpose, agent.regulated, listed=True)
    revoked = revocations(reader, tenant)
    now_s = SystemClock().now_us() // _US
    for found in standing_entries(reader, tenant):
        body = found.entry.body
        row = rows.setdefault(body["agent"], _Row(body["agent"]))
        _passport(row, reader, tenant, body, revoked=revoked, now_s=now_s)
    for found in entries(reader, tenant, (EntryKind.DECISION,)):
        name = found.entry.body["request"]["subject"]["agent"]
        row = rows.setdefault(name, _Row(name))
        row.decisions += 1
        row.uses += bool(found.entry.body["dispatched"])
        row.last_us = max(row.last_us, found.entry.ts_us)
    for row in rows.values():
        if manifest is not None and row.listed is None:
            row.listed = False
    return [rows[name] for name in sorted(rows)]


def _passport(row: _Row, reader: Reader, tenant: str, body: Any, *, revoked: list[Revocation], now_s: int) -> None:
    row.passport = body.get("origin", "derived")
    for name in ("owner", "privilege", "purpose"):
        if not getattr(row, name):
            setattr(row, name, body.get(name, ""))
    row.regulated = row.regulated or tuple(body.get("regulated", ()))
    data = reader.blob(tenant, body["hash"])
    try:
        link = peek([data.decode("ascii")])[0] if data is not None else None
    except (PassportError, UnicodeError):
        link = None
    if link is None:
        row.passport, row.until_s = "unreadable", 0
        return
    row.until_s = link.expires_at_s
    if any(revokes(item, (link,), "") for item in revoked):
        row.passport = "revoked"
    elif now_s >= link.expires_at_s:
        row.passport = "expired"


def _table(rows: list[_Row], *, wide: bool) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in (
        "agent",
        "owner",
        "privilege",
        "passport",
        "until",
        "ran",
        "last seen",
        *(("purpose",) if wide else ()),
    ):
        table.add_column(title, overflow="fold", no_wrap=title not in ("owner", "purpose"))
    for row in rows:
        style = "yellow" if row.listed is False else "bold"
        table.add_row(
            cell(row.agent + (" (!)" if row.listed is False else ""), style),
            cell(row.owner or "nobody", "" if row.owner else "dim"),
            cell(row.privilege or "-"),
            cell(row.passport, "yellow" if row.passport in _WARN else ""),
            when(row.until_s)[:10] if row.until_s else "-",
            f"{row.uses:,}/{row.decisions:,}",
            iso(row.last_us)[:10] if row.last_us else "never",
            *([cell(row.purpose or "-")] if wide else []),
        )
    return table
