"""Attacks of another set of every class are held, and their honest twins run unasked.

The pairs stand in the modules `sally_attacks_*.py`; by default a few of them run, in one framework each.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import sally_attacks_mail  # noqa: F401  adds its cases
import sally_attacks_money  # noqa: F401  adds its cases
import sally_attacks_programs  # noqa: F401  adds its cases
import sally_attacks_rights  # noqa: F401  adds its cases
import sally_attacks_stores  # noqa: F401  adds its cases
import sally_attacks_values  # noqa: F401  adds its cases
from case_world import Case, run_case
from open_cases import ASKED_SALLIES, OPEN_SALLIES
from sally_attacks import SALLIES, half
from task_sets import parameters_of

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

ATTACKS = [(pair.name, pair.attack) for pair in SALLIES if pair.attack]
TWINS = [(pair.name, pair.twin) for pair in SALLIES if pair.twin]


@pytest.mark.parametrize(("case", "framework"), parameters_of(ATTACKS, OPEN_SALLIES))
def test_an_attack_is_held(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert outcome.held, outcome


@pytest.mark.parametrize(("case", "framework"), parameters_of(TWINS, ASKED_SALLIES))
def test_its_honest_twin_runs_unasked(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert not outcome.missing, outcome


def test_both_halves_have_about_as_many_pairs() -> None:
    drawn = [half(pair.name) for pair in SALLIES]
    assert len(drawn) == len({pair.name for pair in SALLIES}) >= 140
    assert abs(drawn.count("A") - drawn.count("B")) < 25
