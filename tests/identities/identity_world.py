"""A small tenant: five clerks who work nine to five on workdays, and a nightly service, for four weeks."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from halo_core.durations import DAY_US, HOUR_US
from halo_core.identities.event import IdentityEvent, IdentityKind, Outcome

KEY = b"tests of identities".ljust(32, b".")
MONDAY = int(datetime(2026, 1, 5, tzinfo=UTC).timestamp()) // 86_400  # number of the day
DAYS = 28
ANA, SERVICE = "ana@bank.example", "svc-report"
CLERKS = (ANA, *(f"clerk-{i}@bank.example" for i in range(4)))


def at(day: int, hour: int, minute: int = 0) -> int:
    """Microseconds of a time, `day` counted from the first Monday."""
    return (MONDAY + day) * DAY_US + hour * HOUR_US + minute * 60_000_000


def event(day: int, hour: int = 10, minute: int = 0, **changes) -> IdentityEvent:
    """Something that Ana does every day."""
    usual = IdentityEvent(
        at(day, hour, minute),
        ANA,
        "read",
        "crm",
        "198.51.100.0/24",
        "AT",
        "64496",
        Outcome.SUCCESS,
        IdentityKind.HUMAN,
        "clerk",
    )
    return replace(usual, **changes)


def history(days: int = DAYS, seed: int = 1) -> list[IdentityEvent]:
    rng = random.Random(seed)
    made = []
    for day in range(days):
        for name in CLERKS if day % 7 < 5 else ():
            for _ in range(8):
                action, system = rng.choice((("read", "crm"), ("update", "crm"), ("send", "mail")))
                made.append(
                    event(day, rng.randrange(9, 17), rng.randrange(60), identity=name, action=action, system=system)
                )
        made.append(
            event(
                day,
                2,
                identity=SERVICE,
                action="export",
                system="crm",
                network="10.0.0.0/24",
                kind=IdentityKind.SERVICE,
            )
        )
    return sorted(made)


def rows_of(events: Iterable[IdentityEvent]) -> Iterator[dict[str, str]]:
    for item in events:
        yield {
            "time": datetime.fromtimestamp(item.ts_us / 1_000_000, tz=UTC).isoformat(),
            "identity": item.identity,
            "kind": item.kind.value,
            "role": item.role,
            "action": item.action,
            "system": item.system,
            "origin": item.network.replace("0/24", "7"),
            "country": item.country,
            "asn": item.asn,
            "outcome": item.outcome.value,
        }


def csv_file(path: Path, events: Iterable[IdentityEvent]) -> Path:
    rows = list(rows_of(events))
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
