"""Attacks of every class are held, and their honest twins run unasked.

The pairs stand in the modules `variant_raids_*.py`; by default a few of them run, in one framework each.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import variant_raids_amounts  # noqa: F401  adds its cases
import variant_raids_links  # noqa: F401  adds its cases
import variant_raids_names  # noqa: F401  adds its cases
import variant_raids_programs  # noqa: F401  adds its cases
import variant_raids_rights  # noqa: F401  adds its cases
import variant_raids_stores  # noqa: F401  adds its cases
import variant_raids_values  # noqa: F401  adds its cases
from test_craft_variants import parameters_of
from variant_known import ASKED_RAIDS, OPEN_RAIDS
from variant_raids import RAIDS, half
from variant_world import Case, run_case

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

ATTACKS = [(pair.name, pair.attack) for pair in RAIDS if pair.attack]
TWINS = [(pair.name, pair.twin) for pair in RAIDS if pair.twin]


@pytest.mark.parametrize(("case", "framework"), parameters_of(ATTACKS, OPEN_RAIDS))
def test_an_attack_is_held(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert outcome.held, outcome


@pytest.mark.parametrize(("case", "framework"), parameters_of(TWINS, ASKED_RAIDS))
def test_its_honest_twin_runs_unasked(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert not outcome.missing, outcome


def test_both_halves_have_as_many_pairs() -> None:
    drawn = [half(pair.name) for pair in RAIDS]
    assert len(drawn) == len({pair.name for pair in RAIDS}) >= 200
    assert abs(drawn.count("A") - drawn.count("B")) < 20
