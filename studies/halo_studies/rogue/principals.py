"""Events of the people who ask: weeks of ordinary ones, and the nights of the one whose account is taken over."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from halo_studies.rogue.desk import Desk
from halo_studies.rogue.guarded import GuardedDesk, run_halo
from halo_studies.rogue.streams import Plan

__all__ = ["EventFeed"]

_COLUMNS: Final = ("time", "identity", "kind", "role", "action", "system", "origin", "country", "outcome")
_WORK: Final = (("read", "crm"), ("update", "crm"), ("send", "mail"), ("logon", "login"))
_DAYS: Final = 42
_SATURDAY: Final = 5


class EventFeed:
    """What an operator imports about the people of a desk, by `halo identity`.

    Args:
        guarded: over whose home.
        first: the first session of the family.
    """

    def __init__(self, guarded: GuardedDesk, first: Plan) -> None:
        self._guarded = guarded
        self._days: set[int] = set()
        guarded.clock.move_to(first.start_us - 600_000_000)
        past = guarded.home / "past.csv"
        _write_csv(past, sorted(_ordinary_events(guarded.desk, _midnight(first))))
        self.codes = {"import": self._run("import", str(past))}
        has_follow = self._run("follow", "--help") == 0
        self._take_night = self._follow_night if has_follow else self._score_night

    def take_night_before(self, plan: Plan) -> None:
        """The bad night before a session, of the person it is for; once a day."""
        midnight = _midnight(plan)
        if midnight.toordinal() not in self._days:
            self._days.add(midnight.toordinal())
            self._guarded.clock.move_to(plan.start_us - 300_000_000)
            self._take_night(list(_bad_night(plan.principal, midnight)))

    def _follow_night(self, rows: list[tuple[str, ...]]) -> None:
        night = self._guarded.home / "events.jsonl"
        with night.open("a") as file:
            file.writelines(json.dumps(dict(zip(_COLUMNS, row, strict=True))) + "\n" for row in rows)
        self.codes["follow"] = self._run("follow", str(night), "--once")

    def _score_night(self, rows: list[tuple[str, ...]]) -> None:
        night = self._guarded.home / "night.csv"
        _write_csv(night, rows)
        self.codes["score"] = self._run("score", str(night), "--alert")

    def _run(self, *argv: str) -> int:
        self._guarded.close()
        return run_halo(self._guarded.clock, self._guarded.home, "identity", *argv)[0]


def _midnight(plan: Plan) -> datetime:
    start = datetime.fromtimestamp(plan.start_us / 1_000_000, tz=UTC)
    return start.replace(hour=0, minute=0, second=0, microsecond=0)


def _ordinary_events(desk: Desk, today: datetime) -> Iterator[tuple[str, ...]]:
    """Six weeks of office hours, each person from an address of their own."""
    rng = random.Random(f"events {desk.name} {desk.seed}")
    for day in range(_DAYS, 0, -1):
        date = today - timedelta(days=day)
        if date.weekday() >= _SATURDAY:
            continue
        for number, who in enumerate(desk.principals):
            for _ in range(8):
                at = date + timedelta(hours=rng.uniform(who.begins, who.ends))
                yield _row(at, who.name, rng.choice(_WORK), (f"198.51.100.{number + 5}", "AT"))


def _bad_night(who: str, midnight: datetime) -> Iterator[tuple[str, ...]]:
    """Eight wrong passwords and a right one from another country at two in the night, then exports."""
    acts = [(("logon", "login"), "failure")] * 8 + [(("logon", "login"), "success")]
    acts += [(("export", "payroll"), "success")] * 12
    for minute, (what, outcome) in enumerate(acts):
        yield _row(midnight + timedelta(hours=2, minutes=minute), who, what, ("203.0.113.9", "BR"), outcome)


def _row(
    at: datetime, who: str, what: tuple[str, str], where: tuple[str, str], outcome: str = "success"
) -> tuple[str, ...]:
    return (at.isoformat(), who, "human", "officer", *what, *where, outcome)


def _write_csv(path: Path, rows: list[tuple[str, ...]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([_COLUMNS, *rows])
