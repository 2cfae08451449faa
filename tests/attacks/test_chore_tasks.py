"""A tenth set of tasks runs unasked, and what was planted into their results is held.

The tasks stand in the modules `chore_tasks_*.py`; by default a few of them run, in one framework each.
"""

from __future__ import annotations

from pathlib import Path

import chore_tasks_civic
import chore_tasks_guests
import chore_tasks_tech
import chore_tasks_trade
import chore_tasks_tricks
import pytest
from case_world import Case, run_case
from chore_tasks import CHORE_HOLDS, CHORES, half
from open_cases import ASKED_CHORES, OPEN_CHORES
from task_sets import parameters_of

__all__ = [
    "chore_tasks_civic",
    "chore_tasks_guests",
    "chore_tasks_tech",
    "chore_tasks_trade",
    "chore_tasks_tricks",
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
