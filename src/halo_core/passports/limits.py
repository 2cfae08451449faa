"""Budgets, quotas, decay and session terms as claims: parsing, writing, and terms within their ceilings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from halo_core.model import (
    AUTHORITY_ONE,
    MAX_BANDS,
    RESERVED_UNITS,
    UNIT_NAME,
    Budget,
    Decay,
    Impact,
    Quota,
    SessionTerms,
)
from halo_core.passports.codec import INT_LIMIT, claim_error, require_integer, require_members, require_object

__all__ = [
    "MAX_SESSION_LIFETIME_S",
    "budgets_to_json",
    "decay_to_json",
    "parse_budgets",
    "parse_decay",
    "parse_quotas",
    "parse_terms",
    "quotas_to_json",
    "require_within_ceilings",
    "terms_to_json",
]

MAX_SESSION_LIFETIME_S: Final = 30 * 86_400
"""Longest life of a session, seconds."""
_MAX_DECIMALS: Final = 15
_DECAY_MEMBERS: Final = ("a0", "bands", "floors", "hl_risk", "hl_s", "hl_steps", "reauth")
_IMPACTS: Final = tuple(sorted(item.value for item in Impact))


def parse_budgets(json_value: object, field: str) -> tuple[Budget, ...]:
    """Parse `bud`, sorted by unit.

    Raises:
        PassportError: `bad_bud`.
    """
    units = require_object(json_value, "bad_bud", field)
    return tuple(_parse_budget(unit, units[unit], f"{field}/{unit[:32]}") for unit in sorted(units))


def _parse_budget(unit: str, json_value: object, field: str) -> Budget:
    members = require_members(json_value, ("decimals", "max", "max_subtree"), "bad_bud", field)
    subtree = require_integer(members["max_subtree"], 0, INT_LIMIT - 1, "bad_bud", f"{field}/max_subtree")
    # The age of a session is not spent by actions, so it has one limit.
    least = subtree if unit == "time" else 0
    return Budget(
        unit=unit,
        per_action=require_integer(members["max"], least, subtree, "bad_bud", f"{field}/max"),
        subtree=subtree,
        decimals=_parse_decimals(unit, members["decimals"], "bad_bud", field),
    )


def _parse_decimals(unit: str, json_value: object, code: str, field: str) -> int:
    if not UNIT_NAME.fullmatch(unit):
        raise claim_error(code, "a unit must be a letter followed by up to 31 letters, digits or `_`", field)
    most = 0 if unit in RESERVED_UNITS else _MAX_DECIMALS
    return require_integer(json_value, 0, most, code, f"{field}/decimals")


def parse_quotas(json_value: object, field: str) -> tuple[Quota, ...]:
    """Parse `quo`, sorted by unit.

    Raises:
        PassportError: `bad_quo`.
    """
    units = require_object(json_value, "bad_quo", field)
    return tuple(_parse_quota(unit, units[unit], f"{field}/{unit[:32]}") for unit in sorted(units))


def _parse_quota(unit: str, json_value: object, field: str) -> Quota:
    members = require_members(json_value, ("decimals", "per_day"), "bad_quo", field)
    per_day = require_integer(members["per_day"], 0, INT_LIMIT - 1, "bad_quo", f"{field}/per_day")
    return Quota(unit, per_day, _parse_decimals(unit, members["decimals"], "bad_quo", field))


def parse_decay(json_value: object, field: str) -> Decay:
    """Parse `dcy`.

    Raises:
        PassportError: `bad_dcy`.
    """
    members = require_members(json_value, _DECAY_MEMBERS, "bad_dcy", field)

    def number(name: str, low: int, high: int) -> int:
        return require_integer(members[name], low, high, "bad_dcy", f"{field}/{name}")

    floors = require_members(members["floors"], _IMPACTS, "bad_dcy", f"{field}/floors")
    return Decay(
        authority=number("a0", 1, AUTHORITY_ONE),
        half_life_s=number("hl_s", 1, INT_LIMIT - 1),
        half_life_steps=number("hl_steps", 1, INT_LIMIT - 1),
        half_life_risk=number("hl_risk", 1, INT_LIMIT - 1),
        reauthorize_below=number("reauth", 0, AUTHORITY_ONE),
        floors=tuple(
            (name, require_integer(floors[name], 0, AUTHORITY_ONE, "bad_dcy", f"{field}/floors/{name}"))
            for name in _IMPACTS
        ),
        bands=_parse_bands(members["bands"], f"{field}/bands"),
    )


def _parse_bands(json_value: object, field: str) -> tuple[tuple[int, int], ...]:
    if type(json_value) is not list or len(json_value) > MAX_BANDS:
        raise claim_error("bad_dcy", f"a list of up to {MAX_BANDS} bands is expected", field)
    bands: list[tuple[int, int]] = []
    least, most = 1, AUTHORITY_ONE
    for item in json_value:
        if type(item) is not list or len(item) != 2:
            raise claim_error("bad_dcy", "a band must be a pair of risk points and ceiling", field)
        risk = require_integer(item[0], least, INT_LIMIT - 1, "bad_dcy", field)
        ceiling = require_integer(item[1], 0, most, "bad_dcy", field)
        bands.append((risk, ceiling))
        least, most = risk + 1, ceiling - 1
    return tuple(bands)


def parse_terms(json_value: object, field: str) -> SessionTerms | None:
    """Parse `ses`: what each session starts with, or None where none can be opened.

    Raises:
        PassportError: `bad_ses`, `bad_bud` or `bad_dcy`.
    """
    if json_value is None:
        return None
    members = require_members(json_value, ("bud", "dcy", "life"), "bad_ses", field)
    return SessionTerms(
        budgets=parse_budgets(members["bud"], f"{field}/bud"),
        decay=parse_decay(members["dcy"], f"{field}/dcy"),
        lifetime_s=require_integer(members["life"], 1, MAX_SESSION_LIFETIME_S, "bad_ses", f"{field}/life"),
    )


def require_within_ceilings(ceilings: Sequence[Budget], terms: SessionTerms) -> None:
    """Refuse terms that begin above the ceilings of the same link, or count in other decimals.

    Raises:
        PassportError: `bad_bud`.
    """
    ceiling_by_unit = {item.unit: item for item in ceilings}
    for item in terms.budgets:
        most = ceiling_by_unit.get(item.unit, item)
        if item.decimals != most.decimals or item.subtree > most.subtree or item.per_action > most.per_action:
            raise claim_error("bad_bud", "a session would start above its ceiling", f"/halo/ses/bud/{item.unit}")


def budgets_to_json(budgets: Sequence[Budget]) -> dict[str, Any]:
    """`bud` of budgets.

    Raises:
        PassportError: `bad_bud`, a unit occurs twice.
    """
    _require_distinct_units([item.unit for item in budgets], "bad_bud", "/halo/bud")
    return {
        item.unit: {"decimals": item.decimals, "max": item.per_action, "max_subtree": item.subtree} for item in budgets
    }


def quotas_to_json(quotas: Sequence[Quota]) -> dict[str, Any]:
    """`quo` of quotas.

    Raises:
        PassportError: `bad_quo`, a unit occurs twice.
    """
    _require_distinct_units([item.unit for item in quotas], "bad_quo", "/halo/quo")
    return {item.unit: {"decimals": item.decimals, "per_day": item.per_day} for item in quotas}


def _require_distinct_units(units: Sequence[str], code: str, field: str) -> None:
    if len(set(units)) != len(units):
        raise claim_error(code, "a unit occurs twice", field)


def decay_to_json(decay: Decay) -> dict[str, Any]:
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


def terms_to_json(terms: SessionTerms | None) -> Mapping[str, Any] | None:
    """`ses` of terms."""
    if terms is None:
        return None
    return {"bud": budgets_to_json(terms.budgets), "dcy": decay_to_json(terms.decay), "life": terms.lifetime_s}
