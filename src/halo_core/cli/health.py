"""`halo ready`, and the rows that `halo doctor` prints of a store."""

from __future__ import annotations

from typing import Final

from halo_core.cli.context import StoreContext, store_verb
from halo_core.cli.rendering import Exit, build_table, safe_text, say
from halo_core.clock import SystemClock
from halo_core.views.store_health import HealthStatus, StoreHealth, load_store_health

_STYLE: Final = {HealthStatus.OK: "green", HealthStatus.WARNING: "yellow", HealthStatus.FAILING: "bold red"}


@store_verb(tenant=False)
def ready(*, store: StoreContext) -> int:
    """Say whether decisions can be made now, for a readiness probe; nothing is written.

    Exit 0: they can. 2: they cannot. 64: there is no store.
    """
    health = _load(store)
    code = Exit.OK if health.is_ready else Exit.CANNOT_TELL
    if store.print_json(health):
        return code
    for row in health.rows:
        if row.status is HealthStatus.FAILING:
            say(f"[bold red]{row.name}[/] ", safe_text(f"{row.tenant} {row.text}".strip()))
    say("[bold green]ready[/]" if health.is_ready else "[bold red]not ready[/]")
    return code


def print_store_health(store: StoreContext) -> int:
    """Print what was found, and return the exit code of `halo doctor`."""
    health = _load(store)
    code = Exit.OK if health.is_ready else Exit.FAILED
    if store.print_json(health):
        return code
    table = build_table(("", "what", "tenant", "found"), no_wrap=("", "what"), gap=2)
    for row in health.rows:
        text = row.text + (f"\n  {row.remedy}" if row.remedy else "")
        table.add_row(safe_text(row.status, _STYLE[row.status]), row.name, safe_text(row.tenant), safe_text(text))
    say(table)
    return code


def _load(store: StoreContext) -> StoreHealth:
    return load_store_health(store.url, store.home, SystemClock().now_us())
