"""A seeded month of a loan desk, played through real enforcement by a clock of its own, with raw notes beside it.

    month = play_month(tmp_path, seed=1, days=6)
    month.home, month.url              # a closed home and its ledger
    month.notes.select("ran", tool="pay_out")
    month.halo("who-touched", "--label", "chd")     # runs `halo` in this process, at the month's time

or, from a shell: `python tests/evidence/month.py FOLDER --days 22 --seed 1`. It writes FOLDER/home, FOLDER/people (the
keys of approvers), FOLDER/notes.jsonl and FOLDER/gateway.csv.

The notes are what the tools, the people and the player of the month wrote down themselves. A question about the ledger
is checked against what a test computes from the notes alone.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from unittest.mock import patch

sys.path[:0] = [str(Path(__file__).parent)] * (str(Path(__file__).parent) not in sys.path)

from month_desk import APPROVERS, DEPLOYER, DESK, SELF_APPROVED, USERS, RawNotes, make_customers  # noqa: E402  beside this file, as a script too
from month_player import MIN_DAYS, Month, MonthClock, Player, at_time  # noqa: E402

from halo_core.decision import checks  # noqa: E402
from halo_core.enforcement import planner  # noqa: E402

__all__ = ["GAPS", "Month", "Player", "play_month"]

FIRST_DAY: Final = datetime(2026, 6, 1, tzinfo=UTC)
"""A Monday."""
_US: Final = 1_000_000
GAPS: Final = ("self_approved_policy", "retired_acts", "app_beside", "missing_outcome", "unsequenced")
"""What can be planted, in this order: a policy that only its author approves (in an ordinary month somebody else does);
an agent whose revocation a changed process ignores; an application that runs past Halo; an action whose process is
killed before its outcome is recorded (whoever opens the store for writing next records it as `unknown`); an entry of
the log that lost its position."""


def plant(player: Player, gap: str) -> None:
    """Plant one of `GAPS`."""
    player.notes.add("gap", gap=gap)
    player.clock.advance_s(600)
    if gap == "app_beside":
        with at_time(player.clock, DEPLOYER):
            player.facade(DESK).record_shadow("tool", "wire_transfer", "batch_scoring.py:41")
        player.notes.add("beside", agent="batch-scorer", tool="wire_transfer")
    elif gap == "self_approved_policy":
        player.write_policy(SELF_APPROVED)
        player.approve_policy(APPROVERS[0], APPROVERS[0])
        player.handle_application(USERS[0])
    elif gap == "retired_acts":
        ignoring = patch.object(checks, "revocation_applies", lambda *_: False)
        with ignoring, patch.object(planner.Planner, "is_enabled", False):
            player.tidy_archive()
    elif gap == "unsequenced":
        player.close_facades()
        remove_position(player.month)
    elif gap == "missing_outcome":
        player.close_facades()
        crash(player.month)
    player.close_facades()


def remove_position(month: Month) -> None:
    """Take the newest decision out of the order of the log, as somebody with the database could."""
    newest = "FROM entry WHERE kind='decision' ORDER BY {order} DESC LIMIT 1"
    if month.url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(month.home / "halo.db", isolation_level=None)) as database:
            database.execute("DROP TRIGGER IF EXISTS entry_append_only")
            row = database.execute(f"SELECT idx, w, ws {newest.format(order='idx')}").fetchone()
            database.execute("UPDATE entry SET idx=idx+1000000 WHERE idx=?", row[:1])
    else:
        import psycopg

        with psycopg.connect(month.url.replace("+psycopg", ""), autocommit=True) as server:
            row = server.execute(f"SELECT 0, w, ws {newest.format(order='ts_us')}").fetchone()
            server.execute("DELETE FROM position WHERE w=%s AND ws=%s", row[1:])
    month.notes.add("unsequenced", entry=f"{row[1]}-{row[2]}")


def crash(month: Month) -> None:
    """A process of the desk that is killed while its action runs."""
    argv = [__file__, str(month.folder), "--crash-at", str(month.clock.now_us()), "--db", month.url]
    done = subprocess.run([sys.executable, *argv], check=False, capture_output=True, text=True)
    if done.returncode != -signal.SIGKILL:
        raise RuntimeError(done.stderr[-800:])
    one = month.customers[2]
    month.notes.add("killed", agent=DESK, tool="set_status", session="killed", args={"application_id": one.application})


def _run_crash(folder: Path, now_us: int, url: str) -> None:
    """Decide, begin to run, and die."""
    clock = MonthClock(now_us)
    month = Month(folder, clock, RawNotes(clock.now_us), make_customers(random.Random(1), 3), (), frozenset(), url)
    player = Player(month)

    def die(*_: object) -> str:
        os.kill(os.getpid(), signal.SIGKILL)
        return ""

    player.systems.run = die  # type: ignore[method-assign]
    with at_time(clock, DEPLOYER), player.facade(DESK).session("killed", user=USERS[0]):
        player.call("killed", "set_status", agent=DESK, user=USERS[0], application_id="LN-2002", status="closed")


def play_month(
    folder: Path,
    *,
    seed: int = 1,
    days: int = MIN_DAYS + 1,
    sessions: int = 2,
    customers: int = 12,
    gaps: Sequence[str] = (),
    url: str = "",
    after_day: Callable[[Player, int], None] | None = None,
) -> Month:
    """Play a month and close everything.

    Args:
        folder: an empty folder.
        seed: of everything that is drawn.
        days: working days, at least `MIN_DAYS`; from Monday 2026-06-01 on, without weekends.
        sessions: of the loan desk on each day.
        customers: of the bank.
        gaps: some of `GAPS`.
        url: of an empty PostgreSQL database; SQLite in the home where it is empty.
        after_day: called at the end of each day, before its processes end, with the player and the day's number; here
            other features add what they want to see in the month.
    """
    unknown = set(gaps) - set(GAPS)
    if unknown or days < MIN_DAYS:
        raise ValueError(f"unknown gaps {sorted(unknown)}, or fewer than {MIN_DAYS} days")
    dates = tuple(FIRST_DAY + timedelta(days=n + n // 5 * 2) for n in range(days))
    clock = MonthClock(round((FIRST_DAY - timedelta(days=2, hours=8)).timestamp() * _US))
    notes, rng = RawNotes(clock.now_us), random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    month = Month(
        folder,
        clock,
        notes,
        make_customers(rng, customers),
        dates,
        frozenset(gaps),
        url or f"sqlite:///{folder / 'home' / 'halo.db'}",
        rng,
    )
    player = Player(month)
    player.set_up()
    for number, date in enumerate(dates):
        clock.move_to(round((date + timedelta(hours=8)).timestamp() * _US))
        player.answer_late(number)
        player.play_day(number, days - 1, sessions)
        if after_day is not None:
            after_day(player, number)
            player.close_facades()
    player.audit()
    for gap in sorted(gaps, key=GAPS.index):
        plant(player, gap)
    notes.write(folder / "notes.jsonl")
    write_gateway(month)
    return month


def write_gateway(month: Month) -> None:
    """What a gateway in front of the models saw of agents: a list of another system to compare the inventory with."""
    seen: dict[str, list[str]] = {}
    for row in month.notes.select("attempt"):
        seen.setdefault(row["agent"], []).append(row["at"])
    for row in month.notes.select("beside"):
        seen.setdefault(row["agent"], []).append(row["at"])
    with (month.folder / "gateway.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["agent", "first_seen", "last_seen", "calls"])
        for agent, times in sorted(seen.items()):
            writer.writerow([agent, min(times), max(times), len(times)])


def main() -> None:
    """Play a month into a folder, and say what became of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    for name, default in (("--seed", 1), ("--days", MIN_DAYS + 1), ("--sessions", 2), ("--customers", 12)):
        parser.add_argument(name, type=int, default=default)
    parser.add_argument("--gap", action="append", default=[], choices=GAPS)
    parser.add_argument("--db", default="")
    parser.add_argument("--crash-at", type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.crash_at:
        _run_crash(given.folder, given.crash_at, given.db)
        return
    began = time.monotonic()
    month = play_month(
        given.folder,
        seed=given.seed,
        days=given.days,
        sessions=given.sessions,
        customers=given.customers,
        gaps=given.gap,
        url=given.db,
    )
    code, _ = month.halo("verify")
    print(f"{len(month.notes.rows)} notes in {time.monotonic() - began:.1f} s; halo verify: {code}")  # noqa: T201


if __name__ == "__main__":
    main()
