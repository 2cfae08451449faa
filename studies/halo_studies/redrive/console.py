"""The figures of a re-drive as tables on stdout."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from halo_studies.redrive.limits import LAYERS

__all__ = ["show"]

_SHOWN: Final = 12
_TABLES: Final = frozenset(("stopped", "completed", "first_act", "authority", "spending", "reasons", "home"))


def show(figures: dict[str, Any]) -> None:
    """Print them."""
    view = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    grid = Table(show_header=False, box=None)
    for name, value in figures.items():
        if name not in _TABLES:
            words = (
                ", ".join(f"{k} {v:,}" if isinstance(v, int) else f"{k} {v}" for k, v in value.items()) or "none"
                if isinstance(value, dict)
                else str(value)
            )
            grid.add_row(name, words)
    view.print(grid)
    stopped = ("sessions", "untouched", "with_malicious_act", "first_act_stopped", "every_act_stopped")
    view.print(_table("by label, in sessions", figures["stopped"], stopped))
    completed = ("sessions", "completed", "waits", "lost_only_failures", *LAYERS, "reauthorize")
    view.print(_table("completed, and sessions in which a layer stopped something", figures["completed"], completed))
    acts = {
        label: {
            "acts": row["acts"],
            "ran": row["ran"],
            **{layer: f"{row['by'][layer]:,} ({row['alone'][layer]:,})" for layer in LAYERS},
        }
        for label, row in figures["first_act"].items()
    }
    view.print(_table("first malicious act: stopped by (by it alone)", acts, ("acts", "ran", *LAYERS)))
    view.print(_table("authority at the end, percent", figures["authority"], ("sessions", "median", "min")))
    view.print(_spending(figures["spending"]))
    why = Table(title="what touched benign sessions")
    why.add_column("rule or check: tool")
    why.add_column("sessions", justify="right")
    for reason, times in list(figures["reasons"].get("benign", {}).items())[:_SHOWN]:
        why.add_row(reason, f"{times:,}")
    view.print(why)
    view.print(f"check it: halo verify --db {figures['db']} --home {figures['home']}", soft_wrap=True)


def _table(title: str, rows: Mapping[str, Mapping[str, Any]], columns: Sequence[str]) -> Table:
    table = Table(title=title)
    for name in ("label", *columns):
        table.add_column(name.replace("_", " "), justify="left" if name == "label" else "right")
    for label, row in rows.items():
        table.add_row(label, *(f"{row[name]:,}" if isinstance(row[name], int) else str(row[name]) for name in columns))
    return table


def _spending(spent: Mapping[str, Mapping[str, Mapping[str, str]]]) -> Table:
    columns = ("median", "most", "limit", "at_limit_sessions", "all", "per_day")
    rows = {f"{agent} {unit}": row for agent, units in spent.items() for unit, row in units.items()}
    return _table("spent by a session, and by all of a day's quota", rows, columns)
