"""Synthetic identities: a month of events to learn from and a month to score, with planted unusual days.

Nothing here was observed anywhere. Offices, hours, systems and attacks are drawn by the rules below, by the authors of
the score, so figures on it show that the score does what it is meant to do, and nothing about any real tenant.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from halo_core.identities.event import IdentityEvent, IdentityKind, Outcome

__all__ = ["ATTACKS", "UNUSUAL", "Month", "month"]

ATTACKS: Final = (
    "hour",
    "network",
    "country",
    "hour_and_network",
    "hour_and_country",
    "system",
    "burst",
    "guessing",
)
UNUSUAL: Final = ("on_call", "trip", "new_home_line", "new_task", "newcomer", "weekend_shift")
"""Unusual and ordinary all the same: what a score should not flag, and cannot tell by itself."""
_DAY_US: Final = 86_400_000_000
_HOUR_US: Final = 3_600_000_000
_MINUTE_US: Final = 60_000_000
_START_US: Final = int(datetime(2026, 1, 5, tzinfo=UTC).timestamp()) * 1_000_000  # a Monday
_LEARN, _SCORE = 30, 30
_EACH: Final = 6  # planted days of each kind
_SYSTEMS: Final = {
    "desk": ("crm", "mail", "files", "tickets"),
    "engineer": ("git", "ci", "mail", "files", "cluster", "tickets"),
    "finance": ("ledger", "mail", "files", "payments"),
    "backup": ("files", "storage"),
    "deploy": ("ci", "cluster", "registry"),
    "sync": ("crm", "warehouse"),
}
_ACTIONS: Final = ("read", "list", "search", "update", "create", "comment")
_RARE: Final = ("export", "delete", "share", "approve")
_GRAVE: Final = ("vault", "hr", "directory")


@dataclass(frozen=True, slots=True)
class _Who:
    name: str
    kind: IdentityKind
    role: str
    start: int
    end: int
    rate: int
    office: str
    home: str
    country: str
    asn: str
    systems: tuple[str, ...]


@dataclass(slots=True)
class Month:
    """A synthetic month to learn from, one to score, and what was planted in it.

    Args:
        learn: events of the month before.
        score: events of the month.
        planted: (identity, number of the day) → what was planted there.
    """

    learn: list[IdentityEvent] = field(default_factory=list)
    score: list[IdentityEvent] = field(default_factory=list)
    planted: dict[tuple[str, int], str] = field(default_factory=dict)


def month(seed: int, people: int = 90, services: int = 30) -> Month:
    """Both months of one tenant."""
    rng = random.Random(seed)
    everybody = [_person(rng, i) for i in range(people)] + [_service(rng, i) for i in range(services)]
    made = Month()
    for who in everybody:
        for day in range(_LEARN):
            made.learn += _ordinary(rng, who, day)
        for day in range(_LEARN, _LEARN + _SCORE):
            made.score += _ordinary(rng, who, day)
    for kind in (*ATTACKS, *UNUSUAL):
        for i in range(_EACH):
            _plant(rng, made, kind, everybody, i)
    made.learn.sort()
    made.score.sort()
    return made


def _person(rng: random.Random, number: int) -> _Who:
    role = ("desk", "engineer", "finance")[number % 3]
    country = rng.choice(("AT", "AT", "AT", "PT"))
    start = rng.randint(6, 9)
    return _Who(
        f"person-{number}@synthetic.example",
        IdentityKind.HUMAN,
        role,
        start,
        start + rng.randint(8, 10),
        rng.randint(10, 60),
        f"198.51.{100 if country == 'AT' else 101}.7",
        f"100.{64 + number // 200}.{number % 200}.9",
        country,
        "64500",
        tuple(rng.sample(_SYSTEMS[role], rng.randint(3, len(_SYSTEMS[role])))),
    )


def _service(rng: random.Random, number: int) -> _Who:
    role = ("backup", "deploy", "sync")[number % 3]
    start, length = (rng.randint(0, 4), 2) if role == "backup" else (0, 24)
    where = f"10.{number}.0.5"
    return _Who(
        f"svc-{role}-{number}",
        IdentityKind.SERVICE,
        role,
        start,
        start + length,
        40,
        where,
        where,
        "AT",
        "64496",
        _SYSTEMS[role],
    )


def _ordinary(rng: random.Random, who: _Who, day: int) -> Iterator[IdentityEvent]:
    """An ordinary day: five of seven for people, of whom some are away or work late, or from home."""
    if who.kind is IdentityKind.HUMAN and (day % 7 > 4 or rng.random() < 0.06):
        return
    origin = who.home if who.kind is IdentityKind.HUMAN and rng.random() < 0.35 else who.office
    late = 2 if who.kind is IdentityKind.HUMAN and rng.random() < 0.08 else 0
    if who.kind is IdentityKind.HUMAN:
        for _ in range(1 + (rng.random() < 0.05)):
            yield _event(rng, who, day, who.start * 60, origin, system="login", action="logon")
    for _ in range(max(1, round(rng.gauss(who.rate, who.rate / 4)))):
        yield _event(rng, who, day, rng.randrange(who.start * 60, min(who.end + late, 24) * 60), origin)


def _event(
    rng: random.Random,
    who: _Who,
    day: int,
    minute: int,
    origin: str,
    *,
    country: str = "",
    asn: str = "",
    system: str = "",
    action: str = "",
    outcome: Outcome | None = None,
) -> IdentityEvent:
    ended = outcome or (Outcome.FAILURE if rng.random() < 0.02 else Outcome.SUCCESS)
    done = action or (rng.choice(_RARE) if rng.random() < 0.01 else rng.choice(_ACTIONS))
    return IdentityEvent(
        _START_US + day * _DAY_US + minute * _MINUTE_US + rng.randrange(_MINUTE_US),
        who.name,
        done,
        system or rng.choice(who.systems),
        ".".join(origin.split(".")[:3]) + ".0/24",
        country or who.country,
        asn or who.asn,
        ended,
        who.kind,
        who.role,
    )


def _plant(rng: random.Random, made: Month, kind: str, everybody: list[_Who], number: int) -> None:
    """One unusual day, of somebody who has none yet that day."""
    people = [who for who in everybody if who.kind is IdentityKind.HUMAN]
    # Every second day of what may come from either is planted on a service.
    both = kind in ("network", "country", "system", "burst")
    who = rng.choice([w for w in everybody if w.kind is IdentityKind.SERVICE] if both and number % 2 else people)
    if kind == "newcomer":
        who = _person(rng, 1_000 + rng.randrange(900))
    while True:
        day = rng.randrange(_LEARN, _LEARN + _SCORE)
        if (day % 7 > 4) is (kind == "weekend_shift") and (who.name, day + _START_US // _DAY_US) not in made.planted:
            break
    made.planted[who.name, day + _START_US // _DAY_US] = kind
    made.score += list(_planted(rng, kind, who, day))


def _planted(rng: random.Random, kind: str, who: _Who, day: int) -> Iterator[IdentityEvent]:
    """Five to 25 events a minute apart, at night or in working hours, and what else the kind says."""
    night = kind in ("hour", "on_call", "hour_and_network", "hour_and_country")
    at = (who.end + 5) % 24 * 60 if night else rng.randrange(who.start * 60, who.end * 60 - 30)
    origin, said = _origin(rng, kind, who)
    each = 12 if kind == "burst" else 1  # of every minute
    number = rng.randint(5, 25)
    for i in range(number * each):
        if kind == "system":
            said |= {"system": rng.choice(_GRAVE), "action": "export"}
        elif kind == "new_task":  # something that colleagues use and this one did not
            others = [name for name in _SYSTEMS[who.role] if name not in who.systems] or ["wiki"]
            said |= {"system": rng.choice(others)}
        failed = {"outcome": Outcome.FAILURE if i < number - 1 else Outcome.SUCCESS} if kind == "guessing" else {}
        yield _event(rng, who, day, at + i // each, origin, **said, **failed)


def _origin(rng: random.Random, kind: str, who: _Who) -> tuple[str, dict[str, Any]]:
    """Where a planted day comes from, and what of its events does not change."""
    if kind in ("country", "trip", "hour_and_country"):
        return f"203.0.{rng.randrange(200)}.8", {"country": rng.choice(("BR", "KR", "ZA")), "asn": "64777"}
    if kind in ("network", "hour_and_network"):
        return f"192.0.{rng.randrange(200)}.8", {"asn": "64666"}
    if kind == "new_home_line":  # another address of the same provider
        return f"192.0.{rng.randrange(200)}.8", {}
    home = kind in ("hour", "on_call")
    return (who.home if home else who.office), ({"system": "login", "action": "logon"} if kind == "guessing" else {})
