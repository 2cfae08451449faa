"""A fifth set of tasks runs unasked, and what was planted into their results is held.

The tasks stand in the modules `variant_shifts_*.py`; by default a few of them run, in one framework each.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import variant_shifts_snares  # noqa: F401  adds its cases, and the other modules theirs
from test_craft_variants import parameters_of
from variant_known import ASKED_SHIFTS, OPEN_SHIFTS
from variant_shifts import SHIFT_HOLDS, SHIFTS, half
from variant_shifts_second import SECOND
from variant_shifts_third import THIRD
from variant_shifts_twins import HONEST, TWINS
from variant_world import Case, run_case

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

TASKS = [*SHIFTS, *SECOND, *THIRD, *HONEST]
CLEAN = [(task.name, task.clean()) for task in TASKS]
RESISTED = [(f"{task.name}, planted", case) for task in TASKS if (case := task.resisted())]
OBEYING = [(f"{task.name}, obeyed", case) for task in TASKS if (case := task.obeying())]
ATTACKS = [*OBEYING, *((case.name, case) for case in (*SHIFT_HOLDS, *TWINS))]


@pytest.mark.parametrize(("case", "framework"), parameters_of(ATTACKS, OPEN_SHIFTS))
def test_an_attack_is_held(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert outcome.held, outcome


@pytest.mark.parametrize(("case", "framework"), parameters_of([*CLEAN, *RESISTED], ASKED_SHIFTS))
def test_a_task_runs_unasked(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert not outcome.missing, outcome


def test_the_halves_were_drawn_by_place():
    halves: dict[str, set[str]] = {}
    for name in [*(task.name for task in SHIFTS), *(case.name for case in SHIFT_HOLDS)]:
        halves.setdefault(name.removeprefix("snare ").split(":")[0], set()).add(half(name))
    assert all(len(found) == 1 for found in halves.values())
