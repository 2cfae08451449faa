"""People of a synthetic world and the days on which a desk works, drawn by a seed."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

__all__ = [
    "FIRST_DAY",
    "Directory",
    "Moment",
    "Person",
    "Principal",
    "draw_moments",
    "make_people",
    "make_principals",
]

FIRST_DAY: Final = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday
_FIRST: Final = (
    "Ada Amir Anja Bela Bilal Carla Chen Dario Dina Elif Emil Fatma Felix Gita Hana Hugo Ines Ivan Jana "
    "Jonas Kaya Kira Lars Lena Lior Mara Marek Nadia Nils Olga Omar Pablo Petra Quinn Rania Ravi Rosa "
    "Samir Selma Sofia Tarek Tomas Uma Vera Viktor Wanda Xenia Yara Yusuf Zoe "
).split()
_LAST: Final = (
    "Adler Aydin Bauer Blum Brandt Costa Demir Dorn Ebner Engel Fabian Ferrer Gross Haas Halim Huber "
    "Ivanov Jensen Kaiser Keller Kovac Krause Lange Lenz Lorenz Maier Mendes Moreau Nagel Novak Okafor "
    "Olsen Palmer Pfeifer Quast Rahimi Reiter Rossi Sander Sauer Schenk Silva Sommer Tanaka Thiel Urban "
    "Vogel Wagner Weiss Winter Yilmaz Ziegler "
).split()
_MAILS: Final = ("post.example", "mailbox.example", "inbox.example", "webmail.example", "netz.example")
_STREETS: Final = ("Lindenweg", "Hafenstrasse", "Marktplatz", "Am Anger", "Birkenallee", "Mill Lane", "Rue Basse")
_EMAIL: Final = re.compile(r"[a-z0-9.]+@[a-z.]+\.example")
_ACCOUNT: Final = re.compile(r"DE\d{20}")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whose data the desk holds: `id` is the number under which it does."""

    id: str
    name: str
    email: str
    account: str
    phone: str
    address: str


class Directory:
    """People by id, and whom a text tells of."""

    def __init__(self, people: Sequence[Person]) -> None:
        self.people = tuple(people)
        self.by_id = {person.id: person for person in people}
        self._by_value = {value: person.id for person in people for value in (person.email, person.account)}

    def named_in(self, text: str) -> frozenset[str]:
        """Ids of the people whose address or account is in a text."""
        values = {*_EMAIL.findall(text), *_ACCOUNT.findall(text)}
        return frozenset(self._by_value[value] for value in values & self._by_value.keys())


def make_account(rng: random.Random) -> str:
    """An IBAN with right check digits (ISO 13616)."""
    body = "".join(rng.choice("0123456789") for _ in range(18))
    return f"DE{98 - int(body + '131400') % 97:02d}{body}"


def make_people(rng: random.Random, ids: Iterable[str], domain: str = "") -> list[Person]:
    """People with these ids, and addresses that no two share, at `domain` or at any of some providers."""
    made: list[Person] = []
    taken: set[str] = set()
    for one in ids:
        first, last = rng.choice(_FIRST), rng.choice(_LAST)
        local = f"{first}.{last}".lower()
        while local in taken:
            local = f"{first}.{last}{rng.randrange(2, 99)}".lower()
        taken.add(local)
        phone = f"+4930{rng.randrange(10**6, 10**7)}"
        address = f"{rng.choice(_STREETS)} {rng.randrange(1, 120)}"
        email = f"{local}@{domain or rng.choice(_MAILS)}"
        made.append(Person(one, f"{first} {last}", email, make_account(rng), phone, address))
    return made


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who asks: an address, when the working day begins and ends (UTC hours), and the share of all work."""

    name: str
    begins: int
    ends: int
    share: float


def make_principals(rng: random.Random, domain: str, number: int) -> list[Principal]:
    """Colleagues with habits of their own."""
    shares = [rng.uniform(0.5, 2.0) for _ in range(number)]
    people = make_people(rng, map(str, range(number)), domain)
    return [
        Principal(person.email, begins, begins + rng.choice((7, 8, 9)), share)
        for person, share in zip(people, shares, strict=True)
        for begins in (rng.choice((7, 8, 8, 9)),)
    ]


@dataclass(frozen=True, slots=True)
class Moment:
    """When a session begins, for whom, and whether the month ends."""

    start_us: int
    principal: Principal
    day: int
    is_month_end: bool


def draw_moments(
    rng: random.Random, principals: Sequence[Principal], first_day: int = 0, shares: Sequence[int] = (15, 45, 25, 12, 3)
) -> Iterator[Moment]:
    """Endless beginnings of sessions in order of time, from a day on (0 is `FIRST_DAY`).

    Weekdays have one or two sessions, busy days up to six, the last working days of a month more; a few sessions are
    late in the evening, and now and then somebody works on a Saturday. `shares` are those of weekdays with none, one,
    two, three and six sessions.
    """
    day = first_day
    while True:
        today = FIRST_DAY + timedelta(days=day)
        is_month_end = (
            today.weekday() < 5 and (today + timedelta(days=4 if today.weekday() > 2 else 2)).month != today.month
        )
        if today.weekday() < 5:
            number = rng.choices((0, 1, 2, 3, 6), shares)[0] + 2 * is_month_end
        else:
            number = int(today.weekday() == 5 and rng.random() < 0.08)
        starts = []
        for _ in range(number):
            principal = rng.choices(principals, [one.share for one in principals])[0]
            hour = rng.uniform(principal.begins, principal.ends) + (rng.uniform(1, 3) if rng.random() < 0.03 else 0)
            starts.append((today + timedelta(hours=min(hour, 22.5)), principal))
        for start, principal in sorted(starts, key=lambda item: (item[0], item[1].name)):
            yield Moment(int(start.timestamp() * 1_000_000), principal, day, is_month_end)
        day += 1
