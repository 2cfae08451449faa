"""A ninth set of tasks runs unasked.

The tasks stand in the modules `variant_spells*.py`; by default a few of them run, in one framework each.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import variant_spells_more
import variant_spells_third
from test_craft_variants import parameters_of
from variant_known import ASKED_SPELLS
from variant_spells import SPELLS
from variant_world import Case, run_case

__all__ = ["variant_spells_more", "variant_spells_third"]

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

CLEAN = [(task.name, task.clean()) for task in SPELLS]


@pytest.mark.parametrize(("case", "framework"), parameters_of(CLEAN, ASKED_SPELLS))
def test_a_task_runs_unasked(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert not outcome.missing, outcome
