"""A home with a baseline of the small tenant in force, and days that stand out."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from identity_world import ANA, DAYS, csv_file, event, history

from halo_core.crypto.keys import Digester, KeyStore
from halo_core.facade import HaloBase
from halo_core.identities.baseline import IdentityBaseline
from halo_core.identities.day_alerts import HighRiskDay, HighRiskDays, IdentityFingerprints
from halo_core.identities.event import IdentityEvent
from halo_core.identities.event_risk import EventScorer, fit_identity_baseline
from halo_core.model import EntryKind
from halo_core.store.reader import LoggedEntry
from halo_world import SURFACE, Calls, cli, db_of, found, tool

NEXT = DAYS
ABROAD = {"network": "203.0.113.0/24", "country": "BR", "asn": "64777"}
BOB = "clerk-0@bank.example"
ALERT, FEEDBACK = EntryKind.ALERT, EntryKind.FEEDBACK


def strange(day: int = NEXT, hour: int = 3, **changes: Any) -> IdentityEvent:
    """From abroad, at night: high for each of the clerks."""
    return event(day, hour, **{**ABROAD, **changes})


def lived_in(home: Path) -> Path:
    """A home with a ledger and a baseline in force."""
    with HaloBase.local("desk", home=home, quiet=True) as halo, halo.session("s", request="look ana up"):
        halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "ana"}), Calls(), SURFACE)
    past = csv_file(home.parent / "past.csv", history())
    code, out, err = cli("identity", "import", str(past), home=home)
    assert code == 0, (out, err)
    return home


def score(home: Path, events: Iterable[IdentityEvent], *more: str, name: str = "scored") -> dict[str, Any]:
    """What `halo identity score --alert --json` says was written."""
    path = csv_file(home.parent / f"{name}.csv", events)
    code, out, err = cli("identity", "score", str(path), "--alert", "--json", *more, home=home)
    assert code == 0, (out, err)
    return json.loads(out)["alerts"]


def alerts(home: Path) -> list[LoggedEntry]:
    return found(home, ALERT)


def listed(home: Path, *more: str) -> list[dict[str, Any]]:
    code, out, err = cli("alerts", "--json", *more, home=home)
    assert code == 0, (out, err)
    return json.loads(out)["alerts"]


def judge(home: Path, index: int, verdict: str) -> None:
    code, out, err = cli("judge", str(index), f"--{verdict}", home=home)
    assert code == 0, (out, err)


def prints_of(home: Path, tenant: str = "local") -> IdentityFingerprints:
    return IdentityFingerprints(Digester(KeyStore(home).secret("digest")), tenant)


@cache
def _book(key: bytes) -> IdentityBaseline:
    return fit_identity_baseline(history(), key)


def high_days(events: Iterable[IdentityEvent], key: bytes) -> list[HighRiskDay]:
    """Scored against the small tenant's history."""
    scorer, days = EventScorer(_book(key), key), HighRiskDays()
    for item in sorted(events):
        days.add_event(scorer.score(item))
    return days.list_days()


def erase(home: Path, identity: str = ANA) -> None:
    """What is sealed for an identity."""
    code, out, err = cli("erase", "--subject", identity, "--own-only", "--json", home=home)
    assert code == 0, (out, err)
    assert json.loads(out)["keys"] == 1


def in_the_clear(home: Path) -> bytes:
    """Every value of every table."""
    parts = []
    with sqlite3.connect(db_of(home)) as connection:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall():
            for row in connection.execute(f"SELECT * FROM {table}").fetchall():
                parts += [value if isinstance(value, bytes) else str(value).encode() for value in row]
    return b"\0".join(parts)
