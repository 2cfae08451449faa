"""Events of the people who ask: weeks of ordinary ones, and a bad night of the one whose account is taken over."""

from __future__ import annotations

import csv
import random
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from halo_studies.rogue.desk import Desk
from halo_studies.rogue.families import Stream
from halo_studies.rogue.guarded import Desktop, halo_command

__all__ = ["import_events"]

_COLUMNS: Final = ("time", "identity", "kind", "role", "action", "system", "origin", "country", "outcome")
_WORK: Final = (("read", "crm"), ("update", "crm"), ("send", "mail"), ("logon", "login"))
_DAYS: Final = 42


def import_events(desktop: Desktop, desk: Desk, stream: Stream) -> dict[str, Any]:
    """Import six weeks of everybody's events, then score those of the last night.

    Uses `halo identity import` and `halo identity score --alert`, as an operator would.

    Returns:
        Exit codes of the two commands.
    """
    rng = random.Random(f"events {desk.name} {desk.seed}")
    desktop.clock.move_to(stream.plans[0].start_us - 600_000_000)
    now = datetime.fromtimestamp(stream.plans[0].start_us / 1_000_000, tz=UTC)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    past, night = desktop.home / "past.csv", desktop.home / "night.csv"
    rows = []
    for day in range(_DAYS, 0, -1):
        date = today - timedelta(days=day)
        if date.weekday() > 4:
            continue
        for number, who in enumerate(desk.principals):
            for _ in range(8):
                at = date + timedelta(hours=rng.uniform(who.begins, who.ends))
                rows.append(_row(at, who.name, rng.choice(_WORK), (f"198.51.100.{number + 5}", "AT")))
    with past.open("w", newline="") as file:
        csv.writer(file).writerows([_COLUMNS, *sorted(rows)])
    desktop.close()
    codes = {"import": halo_command(desktop.clock, desktop.home, "identity", "import", str(past))[0]}
    if stream.risky:
        bad = [
            _row(today + timedelta(hours=2, minutes=minute), stream.risky, what, ("203.0.113.9", "BR"), outcome)
            for minute, (what, outcome) in enumerate(
                [(("logon", "login"), "failure")] * 8
                + [(("logon", "login"), "success")]
                + [(("export", "payroll"), "success")] * 12
            )
        ]
        with night.open("w", newline="") as file:
            csv.writer(file).writerows([_COLUMNS, *bad])
        codes["score"] = halo_command(desktop.clock, desktop.home, "identity", "score", str(night), "--alert")[0]
    return codes


def _row(
    at: datetime, who: str, what: tuple[str, str], where: tuple[str, str], outcome: str = "success"
) -> tuple[str, ...]:
    return (at.isoformat(), who, "human", "officer", *what, *where, outcome)
