"""The figures of the detection study as tables on stdout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rich.console import Console
from rich.table import Table

__all__ = ["show"]

_RATES: Final = ("catch_any", "catch_first", "fp_benign", "fp_resisted", "fp_controls")


def show(figures: Mapping[str, Any]) -> None:
    """Print them."""
    console = Console()
    table = Table(*("", *_RATES), title=f"{figures['protocol']['workload']} tasks, %")
    for name in ("cut_5", "cut_1"):
        table.add_row(name, *_cells(figures[name]))
    table.add_row("adaptive 5%", *_cells(figures["adaptive"]["cut_5"]))
    for suite, rows in figures["per_suite"].items():
        table.add_row(f"  {suite}", *_cells(rows["cut_5"]))
    for name, rows in figures.get("baselines", {}).items():
        for cut, row in rows.items():
            table.add_row(f"{name} {cut}", *_cells(row))
    console.print(table)
    console.print(_cost(figures["latency_us"]))


def _cost(latency: Mapping[str, Any]) -> Table:
    """What an event costs, beside one signature of the same run."""
    table = Table("CPU an event, µs", "p50", "p99", "signatures", title=f"{latency['events']} events")
    for stage, row in latency.items():
        if stage != "events":
            table.add_row(stage, *(str(row[name]) for name in ("p50", "p99", "signatures")))
    return table


def _cells(row: Mapping[str, Any]) -> list[str]:
    return ["-" if row[name] is None else f"{100 * row[name]:.1f}" for name in _RATES]
