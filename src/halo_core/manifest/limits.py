"""Limits of an agent: its budgets, and how its authority falls, with the defaults of what is left out.

    budgets:
      step: {session: 40, ceiling: 120, per_day: 2000}       # or `step: 40`
      USD: {per_action: "500.00", session: "2000.00", ceiling: "5000.00", per_day: "20000.00", decimals: 2}
      time: 2h

An amount is a whole number of 10**-decimals of its unit. The defaults are generous, so that somebody who tries Halo for
an afternoon is not stopped by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from halo_core.manifest.fields import read_amount, read_duration, read_integer, read_percent
from halo_core.manifest.nodes import Item, did_you_mean
from halo_core.model import MAX_BANDS, RESERVED_UNITS, UNIT_NAME, Budget, Decay, Impact, Quota, SessionTerms

_Limit = TypeVar("_Limit", Budget, Quota)
_MAX_TIME_S: Final = 30 * 86_400
_MAX_HALF_LIFE_S: Final = 366 * 86_400
_LIMIT_FIELDS: Final = {
    "step": ("session", "ceiling", "per_day"),
    "risk": ("per_action", "session", "ceiling", "per_day"),
    "time": ("session", "ceiling"),
}
_MONEY_FIELDS: Final = ("per_action", "session", "ceiling", "per_day", "decimals")

DEFAULT_FLOORS: Final[dict[Impact, int]] = {
    Impact.READ: 20_000,
    Impact.WRITE: 200_000,
    Impact.SEND: 300_000,
    Impact.UNKNOWN: 400_000,
    Impact.DELETE: 500_000,
    Impact.EXECUTE: 500_000,
    Impact.PAYMENT: 500_000,
    Impact.ADMIN: 600_000,
}
"""Authority in millionths that an action of each impact class needs."""

DEFAULT_DECAY: Final = Decay(
    authority=1_000_000,
    half_life_s=86_400,
    half_life_steps=500,
    half_life_risk=10_000,
    reauthorize_below=20_000,
    floors=tuple(sorted((impact.value, floor) for impact, floor in DEFAULT_FLOORS.items())),
    bands=(),
)

DEFAULT_BUDGETS: Final = (Budget("risk", 1_000_000, 1_000_000), Budget("step", 100_000, 100_000))
"""Budgets that a session starts with, sorted by unit."""

DEFAULT_CEILINGS: Final = (Budget("risk", 3_000_000, 3_000_000), Budget("step", 300_000, 300_000))
"""Budgets that re-authorization may raise a session to."""

DEFAULT_LIFETIME_S: Final = 90 * 86_400
"""Seconds that a passport is valid."""

DEFAULT_SESSION_LIFETIME_S: Final = 30 * 86_400
"""Seconds that one session may last."""

DEFAULT_TERMS: Final = SessionTerms(DEFAULT_BUDGETS, DEFAULT_DECAY, DEFAULT_SESSION_LIFETIME_S)


@dataclass(frozen=True, slots=True)
class AgentLimits:
    """Budgets of a session, ceilings of re-authorization and quotas per day, each sorted by unit."""

    session: tuple[Budget, ...] = DEFAULT_BUDGETS
    ceilings: tuple[Budget, ...] = DEFAULT_CEILINGS
    quotas: tuple[Quota, ...] = ()


def read_budgets(item: Item | None) -> AgentLimits:
    """The section `budgets`, with defaults for `step` and `risk`."""
    session = {budget.unit: budget for budget in DEFAULT_BUDGETS}
    ceilings = {budget.unit: budget for budget in DEFAULT_CEILINGS}
    quotas = {}
    for unit, member in item.mapping().items() if item is not None else ():
        if not UNIT_NAME.fullmatch(unit):
            member.fail("a unit must be a letter followed by up to 31 letters, digits or `_`", "for example USD")
            continue
        limits = _read_unit(unit, member)
        if limits is not None:
            session[unit], ceilings[unit], quota = limits
            if quota is not None:
                quotas[unit] = quota
    return AgentLimits(_sort_by_unit(session), _sort_by_unit(ceilings), _sort_by_unit(quotas))


def _sort_by_unit(limits: Mapping[str, _Limit]) -> tuple[_Limit, ...]:
    return tuple(limits[unit] for unit in sorted(limits))


def _read_unit(unit: str, item: Item) -> tuple[Budget, Budget, Quota | None] | None:
    """Budget of a session, ceiling and quota of one unit; None where something is wrong."""
    members = item.mapping(_LIMIT_FIELDS.get(unit, _MONEY_FIELDS)) if item.is_mapping() else {"session": item}
    if "session" not in members:
        item.fail("`session` is missing", "add the amount that one session may spend")
        return None
    decimals: int | None = 0
    if unit not in RESERVED_UNITS:
        decimals = read_integer(members["decimals"], 0, 15) if "decimals" in members else 2
    if decimals is None:
        return None
    amounts: dict[str, int] = {}
    limits = {name: member for name, member in members.items() if name != "decimals"}
    for name, member in limits.items():
        if unit == "time":
            value = read_duration(member, _MAX_TIME_S)
        else:
            value = read_integer(member, 1) if unit in RESERVED_UNITS else read_amount(member, decimals)
        if value is not None:
            amounts[name] = value
    if len(amounts) != len(limits) or not _check_order(members, amounts):
        return None
    session, once, quota = amounts["session"], amounts.get("per_action"), amounts.get("per_day")
    ceiling = amounts.get("ceiling", session)
    return (
        Budget(unit, session if once is None else once, session, decimals),
        Budget(unit, ceiling if once is None else once, ceiling, decimals),
        None if quota is None else Quota(unit, quota, decimals),
    )


def _check_order(members: Mapping[str, Item], amounts: Mapping[str, int]) -> bool:
    """Whether an action fits into a session, and a session into its ceiling and into a day."""
    session = amounts["session"]
    wrong = {
        "per_action": (amounts.get("per_action", session) > session, "is above the limit of the session"),
        "ceiling": (amounts.get("ceiling", session) < session, "is below the session's initial limit"),
        "per_day": (amounts.get("per_day", session) < session, "is below the limit of one session"),
    }
    for name, (is_wrong, message) in wrong.items():
        if is_wrong:
            members[name].fail(f"`{name}` {message}", "raise one or lower the other")
    return not any(is_wrong for is_wrong, _ in wrong.values())


def read_decay(item: Item | None, floors: Item | None, bands: Item | None) -> Decay:
    """The sections `decay`, `floors` and `bands`, with defaults for what is left out."""
    fields: dict[str, Callable[[Item], int | None]] = {
        "authority": read_percent,
        "half_life": lambda member: read_duration(member, _MAX_HALF_LIFE_S),
        "steps": lambda member: read_integer(member, 1),
        "risk": lambda member: read_integer(member, 1),
        "reauthorize_below": read_percent,
    }
    members = item.mapping(fields) if item is not None else {}
    values = {name: fields[name](member) for name, member in members.items()}
    if values.get("authority") == 0:
        members["authority"].fail("an agent without authority cannot do anything", "write a share above 0%")

    def choose(name: str, default: int) -> int:
        value = values.get(name)
        return default if value is None else value

    return Decay(
        authority=choose("authority", DEFAULT_DECAY.authority) or DEFAULT_DECAY.authority,
        half_life_s=choose("half_life", DEFAULT_DECAY.half_life_s),
        half_life_steps=choose("steps", DEFAULT_DECAY.half_life_steps),
        half_life_risk=choose("risk", DEFAULT_DECAY.half_life_risk),
        reauthorize_below=choose("reauthorize_below", DEFAULT_DECAY.reauthorize_below),
        floors=_read_floors(floors),
        bands=_read_bands(bands),
    )


def _read_floors(item: Item | None) -> tuple[tuple[str, int], ...]:
    floors = {impact.value: floor for impact, floor in DEFAULT_FLOORS.items()}
    words = [impact.value for impact in Impact]
    for name, member in item.mapping().items() if item is not None else ():
        value = read_percent(member)
        if name not in words:
            member.fail("there is no such impact class", partial(did_you_mean, name, words))
        elif value is not None:
            floors[name] = value
    return tuple(sorted(floors.items()))


def _read_bands(item: Item | None) -> tuple[tuple[int, int], ...]:
    bands: list[tuple[int, int]] = []
    for member in item.sequence() if item is not None else ():
        members = member.mapping(("risk", "authority"))
        if set(members) != {"risk", "authority"}:
            if member.is_mapping():
                member.fail("a band needs `risk` and `authority`", "for example `{risk: 200, authority: 40%}`")
            continue
        points, ceiling = read_integer(members["risk"], 1), read_percent(members["authority"])
        if points is None or ceiling is None:
            continue
        if bands and (points <= bands[-1][0] or ceiling >= bands[-1][1]):
            member.fail("bands must rise in risk and fall in authority", "put them in order")
            continue
        bands.append((points, ceiling))
    if item is not None and len(bands) > MAX_BANDS:
        item.fail(f"more than {MAX_BANDS} bands", "use fewer")
    return tuple(bands)
