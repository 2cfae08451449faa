"""Room: budgets, quotas, decay and terms. Takes: claims or values. Gives: values, claims, the tighter of two.

Never: I/O, a clock, spending. Everything is an integer; a limit that is compared is compared unit by unit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from halo_core.model import RESERVED_UNITS, Budget, Decay, Impact, Quota, Terms
from halo_core.passport.shape import INT_LIMIT, exact, integer, mapping, refuse

__all__ = [
    "AUTHORITY_ONE",
    "MAX_LIFE_S",
    "budgets_plain",
    "decay_plain",
    "parse_budgets",
    "parse_decay",
    "parse_quotas",
    "parse_terms",
    "quotas_plain",
    "require_ceilings",
    "terms_plain",
]

AUTHORITY_ONE: Final = 1_000_000
"""Full authority, in millionths."""
MAX_LIFE_S: Final = 30 * 86_400
"""Longest life of a session, seconds."""
_MAX_BANDS: Final = 64
_MAX_DECIMALS: Final = 15
_UNIT: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
_DECAY: Final = ("a0", "bands", "floors", "hl_risk", "hl_s", "hl_steps", "reauth")
_IMPACTS: Final = tuple(sorted(item.value for item in Impact))


def parse_budgets(plain: object, field: str) -> tuple[Budget, ...]:
    """Parse `bud`, sorted by unit.

    Raises:
        PassportError: `bad_bud`.
    """
    units = mapping(plain, "bad_bud", field)
    return tuple(_budget(unit, units[unit], f"{field}/{unit[:32]}") for unit in sorted(units))


def _budget(unit: str, plain: object, field: str) -> Budget:
    members = exact(plain, ("decimals", "max", "max_subtree"), "bad_bud", field)
    subtree = integer(members["max_subtree"], 0, INT_LIMIT - 1, "bad_bud", f"{field}/max_subtree")
    # The age of a session is not spent by actions, so it has one limit.
    least = subtree if unit == "time" else 0
    return Budget(
        unit=unit,
        per_action=integer(members["max"], least, subtree, "bad_bud", f"{field}/max"),
        subtree=subtree,
        decimals=_decimals(unit, members["decimals"], "bad_bud", field),
    )


def _decimals(unit: str, plain: object, code: str, field: str) -> int:
    if not _UNIT.fullmatch(unit):
        raise refuse(code, "a unit is a letter and up to 31 letters, digits and `_`", field)
    most = 0 if unit in RESERVED_UNITS else _MAX_DECIMALS
    return integer(plain, 0, most, code, f"{field}/decimals")


def parse_quotas(plain: object, field: str) -> tuple[Quota, ...]:
    """Parse `quo`, sorted by unit.

    Raises:
        PassportError: `bad_quo`.
    """
    units = mapping(plain, "bad_quo", field)
    return tuple(_quota(unit, units[unit], f"{field}/{unit[:32]}") for unit in sorted(units))


def _quota(unit: str, plain: object, field: str) -> Quota:
    members = exact(plain, ("decimals", "per_day"), "bad_quo", field)
    per_day = integer(members["per_day"], 0, INT_LIMIT - 1, "bad_quo", f"{field}/per_day")
    return Quota(unit, per_day, _decimals(unit, members["decimals"], "bad_quo", field))


def parse_decay(plain: object, field: str) -> Decay:
    """Parse `dcy`.

    Raises:
        PassportError: `bad_dcy`.
    """
    members = exact(plain, _DECAY, "bad_dcy", field)

    def number(name: str, low: int, high: int) -> int:
        return integer(members[name], low, high, "bad_dcy", f"{field}/{name}")

    floors = exact(members["floors"], _IMPACTS, "bad_dcy", f"{field}/floors")
    return Decay(
        authority=number("a0", 1, AUTHORITY_ONE),
        half_life_s=number("hl_s", 1, INT_LIMIT - 1),
        half_life_steps=number("hl_steps", 1, INT_LIMIT - 1),
        half_life_risk=number("hl_risk", 1, INT_LIMIT - 1),
        reauthorize_below=number("reauth", 0, AUTHORITY_ONE),
        floors=tuple(
            (name, integer(floors[name], 0, AUTHORITY_ONE, "bad_dcy", f"{field}/floors/{name}")) for name in _IMPACTS
        ),
        bands=_bands(members["bands"], f"{field}/bands"),
    )


def _bands(plain: object, field: str) -> tuple[tuple[int, int], ...]:
    if type(plain) is not list or len(plain) > _MAX_BANDS:
        raise refuse("bad_dcy", f"a list of up to {_MAX_BANDS} bands is expected", field)
    bands: list[tuple[int, int]] = []
    least, most = 1, AUTHORITY_ONE
    for item in plain:
        if type(item) is not list or len(item) != 2:
            raise refuse("bad_dcy", "a band is a pair of risk points and ceiling", field)
        risk = integer(item[0], least, INT_LIMIT - 1, "bad_dcy", field)
        ceiling = integer(item[1], 0, most, "bad_dcy", field)
        bands.append((risk, ceiling))
        least, most = risk + 1, ceiling - 1
    return tuple(bands)


def parse_terms(plain: object, field: str) -> Terms | None:
    """Parse `ses`: what each session starts with, or None where none can be opened.

    Raises:
        PassportError: `bad_ses`, `bad_bud` or `bad_dcy`.
    """
    if plain is None:
        return None
    members = exact(plain, ("bud", "dcy", "life"), "bad_ses", field)
    return Terms(
        budgets=parse_budgets(members["bud"], f"{field}/bud"),
        decay=parse_decay(members["dcy"], f"{field}/dcy"),
        lifetime_s=integer(members["life"], 1, MAX_LIFE_S, "bad_ses", f"{field}/life"),
    )


def require_ceilings(ceilings: Sequence[Budget], terms: Terms) -> None:
    """Refuse terms that begin above the ceilings of the same link, or count in other decimals.

    Raises:
        PassportError: `bad_bud`.
    """
    above = {item.unit: item for item in ceilings}
    for item in terms.budgets:
        most = above.get(item.unit, item)
        if item.decimals != most.decimals or item.subtree > most.subtree or item.per_action > most.per_action:
            raise refuse("bad_bud", "a session would begin above its ceiling", f"/halo/ses/bud/{item.unit}")


def budgets_plain(budgets: Sequence[Budget]) -> dict[str, Any]:
    """`bud` of budgets.

    Raises:
        PassportError: `bad_bud`, a unit is named twice.
    """
    _once([item.unit for item in budgets], "bad_bud", "/halo/bud")
    return {
        item.unit: {"decimals": item.decimals, "max": item.per_action, "max_subtree": item.subtree} for item in budgets
    }


def quotas_plain(quotas: Sequence[Quota]) -> dict[str, Any]:
    """`quo` of quotas.

    Raises:
        PassportError: `bad_quo`, a unit is named twice.
    """
    _once([item.unit for item in quotas], "bad_quo", "/halo/quo")
    return {item.unit: {"decimals": item.decimals, "per_day": item.per_day} for item in quotas}


def _once(units: Sequence[str], code: str, field: str) -> None:
    if len(set(units)) != len(units):
        raise refuse(code, "a unit is named twice", field)


def decay_plain(decay: Decay) -> dict[str, Any]:
    """`dcy` of a decay."""
    return {
        "a0": decay.authority,
        "bands": [list(band) for band in decay.bands],
        "floors": dict(decay.floors),
        "hl_risk": decay.half_life_risk,
        "hl_s": decay.half_life_s,
        "hl_steps": decay.half_life_steps,
        "reauth": decay.reauthorize_below,
    }


def terms_plain(terms: Terms | None) -> Mapping[str, Any] | None:
    """`ses` of terms."""
    if terms is None:
        return None
    return {"bud": budgets_plain(terms.budgets), "dcy": decay_plain(terms.decay), "life": terms.lifetime_s}
