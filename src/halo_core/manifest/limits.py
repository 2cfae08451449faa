"""Room: manifest, budgets and decay. Takes: items. Gives: budgets, ceilings, quotas, decay. Never: floats, spending.

    step: {session: 40, ceiling: 120, per_day: 2000}       or `step: 40`
    USD: {per_action: "500.00", session: "2000.00", ceiling: "5000.00", per_day: "20000.00", decimals: 2}
    time: 2h                                               or {session: 2h, ceiling: 6h}

An amount is an integer of 10**-decimals of its unit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from halo_core.manifest.defaults import DEFAULT_BUDGETS, DEFAULT_CEILINGS, DEFAULT_DECAY, DEFAULT_FLOORS
from halo_core.manifest.findings import did_you_mean
from halo_core.manifest.scalars import amount, duration, integer, percent
from halo_core.manifest.tree import Item
from halo_core.model import RESERVED_UNITS, Budget, Decay, Impact, Quota

__all__ = ["Limits", "read_budgets", "read_decay"]

_Limit = TypeVar("_Limit", Budget, Quota)
_UNIT: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
_MAX_TIME_S: Final = 30 * 86_400
_MAX_BANDS: Final = 64
_MAX_HALF_LIFE_S: Final = 366 * 86_400
_FIELDS: Final = {
    "step": ("session", "ceiling", "per_day"),
    "risk": ("per_action", "session", "ceiling", "per_day"),
    "time": ("session", "ceiling"),
}
_MONEY: Final = ("per_action", "session", "ceiling", "per_day", "decimals")


@dataclass(frozen=True, slots=True)
class Limits:
    """Budgets of a session, the ceilings no re-authorization passes, and quotas per day; each sorted by unit."""

    session: tuple[Budget, ...] = DEFAULT_BUDGETS
    ceilings: tuple[Budget, ...] = DEFAULT_CEILINGS
    quotas: tuple[Quota, ...] = ()


def read_budgets(item: Item | None) -> Limits:
    """The section `budgets`; `step` and `risk` have defaults."""
    session = {budget.unit: budget for budget in DEFAULT_BUDGETS}
    ceilings = {budget.unit: budget for budget in DEFAULT_CEILINGS}
    quotas = {}
    for unit, member in item.members() if item is not None else ():
        if not _UNIT.fullmatch(unit):
            member.fail("a unit is a letter and up to 31 letters, digits and `_`", "for example USD")
            continue
        found = _Unit(unit, member).read()
        if found is not None:
            session[unit], ceilings[unit] = found[0], found[1]
            if found[2] is not None:
                quotas[unit] = found[2]
    return Limits(_sorted(session), _sorted(ceilings), _sorted(quotas))


def _sorted(limits: Mapping[str, _Limit]) -> tuple[_Limit, ...]:
    return tuple(limits[unit] for unit in sorted(limits))


class _Unit:
    """Reads one unit's limits."""

    def __init__(self, unit: str, item: Item) -> None:
        self._unit = unit
        self._item = item
        self._decimals = 0

    def read(self) -> tuple[Budget, Budget, Quota | None] | None:
        """Budget of a session, ceiling and quota; None where something is wrong."""
        if not self._item.is_mapping():
            members = {"session": self._item}
        else:
            members = self._item.mapping(_FIELDS.get(self._unit, _MONEY))
            if "session" not in members:
                self._item.fail("`session` is missing", "say how much one session may spend")
                return None
        if self._unit not in RESERVED_UNITS:
            decimals = integer(members["decimals"], 0, 15) if "decimals" in members else 2
            if decimals is None:
                return None
            self._decimals = decimals
        values = {name: self._value(member) for name, member in members.items() if name != "decimals"}
        known = {name: value for name, value in values.items() if value is not None}
        if len(known) != len(values) or not self._ordered(members, known):
            return None
        return self._made(known)

    def _value(self, item: Item) -> int | None:
        if self._unit == "time":
            return duration(item, _MAX_TIME_S)
        if self._unit in RESERVED_UNITS:
            return integer(item, 1)
        return amount(item, self._decimals)

    def _ordered(self, members: Mapping[str, Item], known: Mapping[str, int]) -> bool:
        """Each limit holds what is inside it: an action in a session, a session in its ceiling and in a day."""
        session = known["session"]
        wrong = {
            "per_action": (known.get("per_action", session) > session, "is above what the whole session may spend"),
            "ceiling": (known.get("ceiling", session) < session, "is below what the session starts with"),
            "per_day": (known.get("per_day", session) < session, "is below what one session may spend"),
        }
        for name, (found, message) in wrong.items():
            if found:
                members[name].fail(f"`{name}` {message}", "raise one or lower the other")
        return not any(found for found, _ in wrong.values())

    def _made(self, known: Mapping[str, int]) -> tuple[Budget, Budget, Quota | None]:
        session = known["session"]
        ceiling = known.get("ceiling", session)
        once = known.get("per_action")
        quota = known.get("per_day")
        return (
            Budget(self._unit, session if once is None else once, session, self._decimals),
            Budget(self._unit, ceiling if once is None else once, ceiling, self._decimals),
            None if quota is None else Quota(self._unit, quota, self._decimals),
        )


def read_decay(item: Item | None, floors: Item | None, bands: Item | None) -> Decay:
    """The sections `decay`, `floors` and `bands`, with defaults for what is left out."""
    fields: dict[str, Callable[[Item], int | None]] = {
        "authority": percent,
        "half_life": lambda member: duration(member, _MAX_HALF_LIFE_S),
        "steps": lambda member: integer(member, 1),
        "risk": lambda member: integer(member, 1),
        "reauthorize_below": percent,
    }
    members = item.mapping(fields) if item is not None else {}
    found = {name: fields[name](member) for name, member in members.items()}
    if found.get("authority") == 0:
        members["authority"].fail("an agent without authority can do nothing", "write a share above 0%")

    def chosen(name: str, default: int) -> int:
        value = found.get(name)
        return default if value is None else value

    return Decay(
        authority=chosen("authority", DEFAULT_DECAY.authority) or DEFAULT_DECAY.authority,
        half_life_s=chosen("half_life", DEFAULT_DECAY.half_life_s),
        half_life_steps=chosen("steps", DEFAULT_DECAY.half_life_steps),
        half_life_risk=chosen("risk", DEFAULT_DECAY.half_life_risk),
        reauthorize_below=chosen("reauthorize_below", DEFAULT_DECAY.reauthorize_below),
        floors=_floors(floors),
        bands=_bands(bands),
    )


def _floors(item: Item | None) -> tuple[tuple[str, int], ...]:
    found = {impact.value: floor for impact, floor in DEFAULT_FLOORS.items()}
    words = [impact.value for impact in Impact]
    for name, member in item.members() if item is not None else ():
        value = percent(member)
        if name not in words:
            member.fail("there is no such impact class", partial(did_you_mean, name, words))
        elif value is not None:
            found[name] = value
    return tuple(sorted(found.items()))


def _bands(item: Item | None) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for member in item.sequence() if item is not None else ():
        members = member.mapping(("risk", "authority"))
        if set(members) != {"risk", "authority"}:
            if member.is_mapping():
                member.fail("a band has `risk` and `authority`", "for example `{risk: 200, authority: 40%}`")
            continue
        points, ceiling = integer(members["risk"], 1), percent(members["authority"])
        if points is None or ceiling is None:
            continue
        if found and (points <= found[-1][0] or ceiling >= found[-1][1]):
            member.fail("bands rise in risk and fall in authority", "put them in order")
            continue
        found.append((points, ceiling))
    if item is not None and len(found) > _MAX_BANDS:
        item.fail(f"more than {_MAX_BANDS} bands", "name fewer")
    return tuple(found)
