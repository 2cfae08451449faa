"""A value that a user wrote as something else, or only quoted, vouches for no act; honest twins run unasked.

By default some cases run, each in another framework than the one before.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from case_world import FRAMEWORKS, Case, run_case
from used_value_cases import TWINS, USED

from counts import is_thorough

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

_SHARE = 14  # by default one case in so many


def _parameters(cases: list[Case]) -> list[Any]:
    names = list(FRAMEWORKS)
    return [
        pytest.param(case, framework, id=f"{framework}-{case.name}")
        for i, case in enumerate(cases if is_thorough() else cases[::_SHARE])
        for framework in (names if is_thorough() else [names[i % len(names)]])
    ]


@pytest.mark.parametrize(("case", "framework"), _parameters(USED))
def test_an_attack_is_held(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert outcome.held, outcome
    assert any(case.forbidden in said for said in outcome.why), outcome


@pytest.mark.parametrize(("case", "framework"), _parameters(TWINS))
def test_its_honest_twin_runs_unasked(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert not outcome.missing, outcome
