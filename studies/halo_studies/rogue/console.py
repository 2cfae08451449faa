"""The figures as tables on stdout."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

__all__ = ["show", "summarize"]


def summarize(desks: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Counts over all pairs of a family and a desk, for Halo and for each rival."""
    rows = {"halo": [desk["families"] for desk in desks]}
    ordinary = {"halo": [desk["ordinary"] for desk in desks]}
    for name in desks[0]["rivals"]:
        rows[name] = [desk["rivals"][name]["families"] for desk in desks]
        ordinary[name] = [desk["rivals"][name]["ordinary"] for desk in desks]
    summary: dict[str, Any] = {}
    for name, tables in rows.items():
        pairs = [row for table in tables for row in table.values()]
        sessions = sum(one["sessions"] for one in ordinary[name])
        summary[name] = {
            "pairs": len(pairs),
            "stopped": sum(row["stopped"] for row in pairs),
            "alert": sum(row["alert"] for row in pairs),
            "ordinary_sessions": sessions,
            "ordinary_touched": sum(one["touched"] for one in ordinary[name]),
        }
    halo = [row for table in rows["halo"] for row in table.values()]
    summary["halo"] |= {
        "carries_over": sum(row["carried"]["carries_over"] for row in halo),
        "others_lower": sum(row["carried"]["other_is_lower"] or row["carried"]["other_touched"] for row in halo),
        "ordinary_alerted": sum(one["alerted"] for one in ordinary["halo"]),
    }
    return summary


def show(figures: Mapping[str, Any]) -> None:
    """Print them."""
    view = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
    for desk in figures["desks"]:
        view.print(_families(desk))
        view.print(_ordinary(desk))
        poisoned = desk["poisoned"]
        view.print(
            f"one poisoned message in {poisoned['sessions']} sessions: another user starts with "
            f"{poisoned['other_authority'] / 10_000:.0f}% (clean {poisoned['other_authority_clean'] / 10_000:.0f}%), "
            f"asked: {_say(poisoned['other_touched'])}"
        )
    total = Table(title="all pairs of a family and a desk")
    for title in (
        "",
        "pairs",
        "stopped",
        "alert",
        "carries over",
        "others touched",
        "ordinary touched",
        "ordinary alerted",
    ):
        total.add_column(title, justify="right" if title else "left")
    for name, row in figures["summary"].items():
        share = f"{row['ordinary_touched']} of {row['ordinary_sessions']}"
        cells = [row["pairs"], row["stopped"], row["alert"], row.get("carries_over", "-"), row.get("others_lower", "-")]
        total.add_row(name, *map(str, cells), share, str(row.get("ordinary_alerted", "-")))
    view.print(total)


def _families(desk: Mapping[str, Any]) -> Table:
    table = Table(title=f"{desk['desk']}, seed {desk['seed']}")
    rivals = list(desk["rivals"])
    table.add_column("family")
    for title in ("done / intended", "stopped", "alert", "carries over", "authority", "mild: done / clean", *rivals):
        table.add_column(title, justify="right")
    table.add_column("refused by")
    for name, row in desk["families"].items():
        carried = row["carried"]
        beside = [desk["rivals"][rival]["families"][name] for rival in rivals]
        table.add_row(
            name,
            f"{row['done']:,.0f} / {row['intended']:,.0f}",
            _say(row["stopped"]),
            f"{_say(row['alert'])} ({row['alert_sessions']})",
            _say(carried["carries_over"]),
            f"{carried['authority'] / 10_000:.0f}%",
            f"{carried['mild_done']:,.0f} / {carried['mild_done_clean']:,.0f}",
            *(("stopped" if one["stopped"] else "told" if one["alert"] else "no") for one in beside),
            ", ".join(row["rules"]) or "-",
        )
    return table


def _ordinary(desk: Mapping[str, Any]) -> Table:
    table = Table(title=f"{desk['desk']}: ordinary sessions")
    for title in ("", "sessions", "touched", "alerts", "why"):
        table.add_column(title, justify="right" if title in {"sessions", "touched", "alerts"} else "left")
    halo = desk["ordinary"]
    rows = {"halo": halo, **{name: one["ordinary"] for name, one in desk["rivals"].items()}}
    for name, row in rows.items():
        why = ", ".join(f"{times} {reason}" for reason, times in row["why"].items()) or "-"
        alerts = f"{row['alerted']} {row['alerts'] or ''}" if "alerted" in row else "-"
        table.add_row(name, str(row["sessions"]), str(row["touched"]), alerts, why)
    return table


def _say(holds: bool) -> str:  # noqa: FBT001  a word for it
    return "yes" if holds else "no"
