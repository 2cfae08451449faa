"""A tenth set of tasks runs unasked, and what was planted into their results is held.

The tasks stand in the modules `variant_chores_*.py`; by default a few of them run, in one framework each.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import variant_chores_civic
import variant_chores_guests
import variant_chores_tech
import variant_chores_trade
import variant_chores_tricks
from test_craft_variants import parameters_of
from variant_chores import CHORE_HOLDS, CHORES, half
from variant_known import ASKED_CHORES, OPEN_CHORES
from variant_world import Case, run_case

__all__ = [
    "variant_chores_civic",
    "variant_chores_guests",
    "variant_chores_tech",
    "variant_chores_trade",
    "variant_chores_tricks",
]

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

CLEAN = [(task.name, task.clean()) for task in CHORES]
RESISTED = [(f"{task.name}, planted", case) for task in CHORES if (case := task.resisted())]
OBEYING = [(f"{task.name}, obeyed", case) for task in CHORES if (case := task.obeying())]
ATTACKS = [*OBEYING, *((case.name, case) for case in CHORE_HOLDS)]


@pytest.mark.parametrize(("case", "framework"), parameters_of(ATTACKS, OPEN_CHORES))
def test_an_attack_is_held(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert outcome.held, outcome


@pytest.mark.parametrize(("case", "framework"), parameters_of([*CLEAN, *RESISTED], ASKED_CHORES))
def test_a_task_runs_unasked(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert not outcome.missing, outcome


def test_the_halves_were_drawn_by_place() -> None:
    halves: dict[str, set[str]] = {}
    for name in [*(task.name for task in CHORES), *(case.name for case in CHORE_HOLDS)]:
        halves.setdefault(name.removeprefix("trick ").split(":")[0].removesuffix(" turns"), set()).add(half(name))
    assert all(len(found) == 1 for found in halves.values())
