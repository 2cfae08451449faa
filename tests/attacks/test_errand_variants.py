"""An eighth set of tasks runs unasked, and what was planted into their results is held.

The tasks stand in the modules `variant_errands_*.py`; by default a few of them run, in one framework each.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import variant_errands_arts
import variant_errands_care
import variant_errands_home
import variant_errands_money
import variant_errands_tech
import variant_errands_trade
from test_craft_variants import parameters_of
from variant_errands import ERRAND_HOLDS, ERRANDS, half
from variant_errands_twins import HONEST_TWINS, TWINS
from variant_known import ASKED_ERRANDS, OPEN_ERRANDS
from variant_world import Case, run_case

__all__ = [
    "variant_errands_arts",
    "variant_errands_care",
    "variant_errands_home",
    "variant_errands_money",
    "variant_errands_tech",
    "variant_errands_trade",
]

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

CLEAN = [(task.name, task.clean()) for task in (*ERRANDS, *HONEST_TWINS)]
RESISTED = [(f"{task.name}, planted", case) for task in ERRANDS if (case := task.resisted())]
OBEYING = [(f"{task.name}, obeyed", case) for task in ERRANDS if (case := task.obeying())]
ATTACKS = [*OBEYING, *((case.name, case) for case in (*ERRAND_HOLDS, *TWINS))]


@pytest.mark.parametrize(("case", "framework"), parameters_of(ATTACKS, OPEN_ERRANDS))
def test_an_attack_is_held(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert outcome.held, outcome


@pytest.mark.parametrize(("case", "framework"), parameters_of([*CLEAN, *RESISTED], ASKED_ERRANDS))
def test_a_task_runs_unasked(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert not outcome.missing, outcome


def test_the_halves_were_drawn_by_place() -> None:
    halves: dict[str, set[str]] = {}
    for name in [*(task.name for task in ERRANDS), *(case.name for case in ERRAND_HOLDS)]:
        halves.setdefault(name.removeprefix("decoy ").split(":")[0].removesuffix(" turns"), set()).add(half(name))
    assert all(len(found) == 1 for found in halves.values())
