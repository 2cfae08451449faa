"""What is only near to what the user said is asked about, and what he said runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from case_world import FRAMEWORKS, Case, run_case
from near_misses import GAPS

from counts import is_thorough

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

_NAMES = list(FRAMEWORKS)
_SHARE = 10  # by default one case in so many


def _parameters(cases: list[Case]) -> list[Any]:
    """Each case in each framework; by default one in `_SHARE`, each in another framework than the one before."""
    return [
        pytest.param(case, framework, id=f"{framework}-{case.name}")
        for i, case in enumerate(cases if is_thorough() else cases[::_SHARE])
        for framework in (_NAMES if is_thorough() else [_NAMES[i % len(_NAMES)]])
    ]


@pytest.mark.parametrize(("case", "framework"), _parameters([pair.attack for pair in GAPS if pair.attack]))
def test_what_is_only_near_is_held(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert outcome.held, outcome


@pytest.mark.parametrize(("case", "framework"), _parameters([pair.twin for pair in GAPS if pair.twin]))
def test_what_was_said_runs(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert not outcome.missing, outcome
