"""Room: `halo agents`, the inventory. Takes: a store, a manifest if there is one. Gives: who acts, on what passport.

An agent that acted without being in the manifest is marked: nobody has said what it is for. Never: decides.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.table import Table

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
from halo_core.clock import SystemClock, format_iso
from halo_core.decision import revocation_applies
from halo_core.errors import ConfigError, PassportError
from halo_core.manifest import Manifest
from halo_core.model import EntryKind, Revocation
from halo_core.store.log import read_entries, select_tenant
from halo_core.store.reader import Reader
from halo_core.views.manifests import find_manifest, read_manifest
from halo_core.views.passports import decode_unverified, format_utc_minute, iterate_standing_entries, list_revocations
from halo_core.views.wording import safe_text

__all__ = ["agents"]

_US_PER_S: Final = 1_000_000
_WARNING_STATES: Final = ("revoked", "expired", "none", "unreadable")
_WIDE_COLUMNS: Final = 110
"""Columns from which on the purpose has room."""


@dataclass(slots=True)
class _AgentRow:
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
        Path | None,
        typer.Option(
            "--manifest", help="The manifest (default: agents.yaml in the home, else in the working directory)."
        ),
    ] = None,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> int:
    """List all agents that were declared, have a passport, or have acted."""
    folder, url = resolve_store(home, db)
    declared = _load_manifest(folder, manifest)
    with Reader(url) as reader:
        tenant_name = select_tenant(reader, tenant)
        rows = _build_rows(reader, tenant_name, declared)
    if json:
        print_json([asdict(row) for row in rows])
        return Exit.OK
    view = console()
    view.print(_build_table(rows, wide=view.width >= _WIDE_COLUMNS))
    unlisted = [row.agent for row in rows if row.listed is False]
    if unlisted:
        view.print(
            f"[yellow]{len(unlisted)} not in the manifest[/]: add them to agents.yaml, or revoke them: ",
            safe_text(", ".join(unlisted)),
            sep="",
        )
    return Exit.OK


def _load_manifest(home: Path, path: Path | None) -> Manifest | None:
    try:
        return read_manifest(find_manifest(home, path))
    except ConfigError as exc:
        if path is not None or exc.code != "no_manifest":
            raise
        return None


def _build_rows(reader: Reader, tenant: str, manifest: Manifest | None) -> list[_AgentRow]:
    rows: dict[str, _AgentRow] = {}
    declared = manifest.agents if manifest is not None and manifest.tenant == tenant else {}
    for name, agent in declared.items():
        rows[name] = _AgentRow(name, agent.owner, agent.privilege, agent.purpose, agent.regulated, listed=True)
    revoked = list_revocations(reader, tenant)
    now_s = SystemClock().now_us() // _US_PER_S
    for record in iterate_standing_entries(reader, tenant):
        body = record.entry.body
        row = rows.setdefault(body["agent"], _AgentRow(body["agent"]))
        _add_passport(row, reader, tenant, body, revoked=revoked, now_s=now_s)
    for record in read_entries(reader, tenant, (EntryKind.DECISION,)):
        name = record.entry.body["request"]["subject"]["agent"]
        row = rows.setdefault(name, _AgentRow(name))
        row.decisions += 1
        row.uses += bool(record.entry.body["dispatched"])
        row.last_us = max(row.last_us, record.entry.ts_us)
    for row in rows.values():
        if manifest is not None and row.listed is None:
            row.listed = False
    return [rows[name] for name in sorted(rows)]


def _add_passport(
    row: _AgentRow, reader: Reader, tenant: str, body: Any, *, revoked: list[Revocation], now_s: int
) -> None:
    row.passport = body.get("origin", "derived")
    for name in ("owner", "privilege", "purpose"):
        if not getattr(row, name):
            setattr(row, name, body.get(name, ""))
    row.regulated = row.regulated or tuple(body.get("regulated", ()))
    data = reader.blob(tenant, body["hash"])
    try:
        link = decode_unverified([data.decode("ascii")])[0] if data is not None else None
    except (PassportError, UnicodeError):
        link = None
    if link is None:
        row.passport, row.until_s = "unreadable", 0
        return
    row.until_s = link.expires_at_s
    if any(revocation_applies(item, (link,), "") for item in revoked):
        row.passport = "revoked"
    elif now_s >= link.expires_at_s:
        row.passport = "expired"


def _build_table(rows: list[_AgentRow], *, wide: bool) -> Table:
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
            safe_text(row.agent + (" (!)" if row.listed is False else ""), style),
            safe_text(row.owner or "nobody", "" if row.owner else "dim"),
            safe_text(row.privilege or "-"),
            safe_text(row.passport, "yellow" if row.passport in _WARNING_STATES else ""),
            format_utc_minute(row.until_s)[:10] if row.until_s else "-",
            f"{row.uses:,}/{row.decisions:,}",
            format_iso(row.last_us)[:10] if row.last_us else "never",
            *([safe_text(row.purpose or "-")] if wide else []),
        )
    return table
