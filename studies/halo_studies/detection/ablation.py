"""Ablations: the rates of a detector that is fitted without a family of features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from halo_core.risk.feature_catalogue import FEATURES
from halo_core.training.feature_tables import Table
from halo_core.training.fitting import MEMBERS, Material, fit_out_of_fold
from halo_core.training.metrics import Ints
from halo_core.training.train import Result, find_out_of_fold_limits

__all__ = ["FAMILIES", "ablations", "narrowed"]

FAMILIES: Final = sorted({feature.family for feature in FEATURES})


def narrowed(material: Material, families: Sequence[str]) -> Material:
    """Without some families of features: their columns say nothing."""
    out = [at for at, feature in enumerate(FEATURES) if feature.family in families]

    def without(table: Table) -> Table:
        values = table.values.copy()
        values[:, out] = 0
        return Table(values, table.rows)

    if not out:
        return material
    views, made_up = (tuple(map(without, tables)) for tables in (material.views, material.made_up))
    return replace(material, table=without(material.table), views=views, made_up=made_up)


def ablations(material: Material, groups: Ints, part: Any, spare: Any, *, size: int, seed: int) -> dict[str, Any]:
    """By family: rates of a detector that was trained, cross-fitted and cut without it."""
    found: dict[str, Any] = {}
    for family in FAMILIES:
        without = narrowed(material, [family])
        margins, _ = fit_out_of_fold(without, groups, MEMBERS, size=size, seed=seed)
        limits = find_out_of_fold_limits(without.table, margins, groups, spare)
        found[family] = Result(without.table, margins, limits).rates(part)
    return found
