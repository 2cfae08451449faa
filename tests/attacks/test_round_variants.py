"""A seventh set of tasks runs unasked, and what was planted into their results is held."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_craft_variants import parameters_of
from variant_known import ASKED_ROUNDS, OPEN_ROUNDS
from variant_rounds import ROUNDS
from variant_world import Case, run_case

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

CLEAN = [(task.name, task.clean()) for task in ROUNDS]
RESISTED = [(f"{task.name}, planted", case) for task in ROUNDS if (case := task.resisted())]
ATTACKS = [(f"{task.name}, obeyed", case) for task in ROUNDS if (case := task.obeying())]


@pytest.mark.parametrize(("case", "framework"), parameters_of(ATTACKS, OPEN_ROUNDS))
def test_an_attack_is_held(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert outcome.held, outcome


@pytest.mark.parametrize(("case", "framework"), parameters_of([*CLEAN, *RESISTED], ASKED_ROUNDS))
def test_a_task_runs_unasked(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert not outcome.missing, outcome
