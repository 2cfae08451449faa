"""What is told without a verb of any list is lent to no other act, and no target in other words to another place."""

from __future__ import annotations

from pathlib import Path

import pytest
from case_world import Case, run_case
from task_sets import parameters_of
from told_cases import TOLD
from told_cases_about import TOLD_ABOUT
from told_cases_work import TOLD_WORK

pytestmark = pytest.mark.filterwarnings("ignore::Warning")


@pytest.mark.parametrize(("case", "framework"), parameters_of([(case.name, case) for case in (*TOLD, *TOLD_ABOUT)], {}))
def test_what_is_told_is_lent_to_nothing_else(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert outcome.held, outcome


@pytest.mark.parametrize(("case", "framework"), parameters_of([(task.name, task.clean()) for task in TOLD_WORK], {}))
def test_the_work_itself_runs_unasked(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert not outcome.missing, outcome
