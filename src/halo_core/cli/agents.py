"""`halo agents`: who acts, and on what passport.

An agent that acted without being in the manifest is marked: nobody has said what it is for.
"""

from __future__ import annotations

from typing import Final

from rich.table import Table

from halo_core.cli.context import ManifestOption, StoreContext, store_verb
from halo_core.cli.rendering import Exit, build_table, console, print_json, safe_text
from halo_core.clock import SystemClock, format_iso
from halo_core.views.inventory import AgentRow, list_agents
from halo_core.views.manifests import read_manifest_if_any
from halo_core.views.wording import format_utc_minute

_WARNING_STATES: Final = ("revoked", "expired", "none", "unreadable")
_WIDE_COLUMNS: Final = 110
"""Columns from which on the purpose has room."""


@store_verb()
def agents(*, manifest: ManifestOption = None, store: StoreContext) -> int:
    """List all agents that were declared, have a passport, or have acted."""
    declared = read_manifest_if_any(store.home, manifest)
    with store.open_log() as (reader, tenant):
        rows = list_agents(reader, tenant, declared, SystemClock().now_us())
    if store.json:
        print_json([row.to_json() for row in rows])
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


def _build_table(rows: list[AgentRow], *, wide: bool) -> Table:
    titles = ["agent", "owner", "privilege", "passport", "until", "ran", "last seen", *(["purpose"] if wide else [])]
    table = build_table(titles, no_wrap=set(titles) - {"owner", "purpose"})
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
