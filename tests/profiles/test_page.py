"""docs/profiles.md against the code: every measure is in its table, as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from halo_core.behaviour import limits
from halo_core.behaviour.limits import CLEARED_STEP, MAX_DAY_STEP, MAX_STEP
from halo_core.behaviour.measures import MEASURES

PAGE = (Path(__file__).parents[2] / "docs" / "profiles.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.id)
def test_each_measure_is_in_the_table(measure):
    line = next(line for line in PAGE.splitlines() if line.startswith(f"| `{measure.id}` |"))
    _, _, floor, generous, window, drift = [cell.strip() for cell in line.strip("|").split("|")]
    assert (window == "yes", drift == "yes") == (measure.is_windowed, measure.drifts)
    factor = {"bytes": 1, "amount": 10_000}.get(measure.unit, 1)
    for text, value in ((floor, measure.floor), (generous, measure.generous)):
        number, _, unit = text.replace(",", "").partition(" ")
        assert int(number) * {"": 1, "KB": 1000, "MB": 1_000_000}[unit] == pytest.approx(value / factor, rel=0.03)


def test_the_bounds_are_those_of_the_code():
    for step in (MAX_STEP, MAX_DAY_STEP, CLEARED_STEP):
        share = f"{(2 ** (step / 64) - 1) * 100:.1f}".removesuffix(".4" if step == CLEARED_STEP else "")
        assert f"{share} %" in PAGE
    assert limits.SHARE == 20
