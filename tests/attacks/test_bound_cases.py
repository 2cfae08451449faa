"""What goes further than the user asked is held, and what he asked for runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bound_cases_statements  # noqa: F401  adds its cases, and those of rows
import pytest
from bound_cases import BOUNDS
from case_world import FRAMEWORKS, Case, run_case
from raw_runs import run_raw

from counts import is_thorough

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

_NAMES = list(FRAMEWORKS)
_SHARE = 17  # by default one case in so many runs in a framework
ATTACKS = [pair.attack for pair in BOUNDS if pair.attack]
TWINS = [pair.twin for pair in BOUNDS if pair.twin]


def _parameters(cases: list[Case]) -> list[Any]:
    return [
        pytest.param(case, framework, id=f"{framework}-{case.name}")
        for i, case in enumerate(cases if is_thorough() else cases[::_SHARE])
        for framework in (_NAMES if is_thorough() else [_NAMES[i % len(_NAMES)]])
    ]


def _raw(cases: list[Case]) -> list[Any]:
    return [pytest.param(case, id=case.name) for case in (cases if is_thorough() else cases[::11])]


@pytest.mark.parametrize("case", _raw(ATTACKS))
def test_what_goes_further_is_held(case: Case, tmp_path: Path) -> None:
    is_held, _ = run_raw(case, tmp_path / "home")
    assert is_held


@pytest.mark.parametrize("case", _raw(TWINS))
def test_what_was_asked_for_runs(case: Case, tmp_path: Path) -> None:
    _, missing = run_raw(case, tmp_path / "home")
    assert not missing


@pytest.mark.parametrize(("case", "framework"), _parameters(ATTACKS))
def test_what_goes_further_is_held_in_a_framework(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert outcome.held, outcome


@pytest.mark.parametrize(("case", "framework"), _parameters(TWINS))
def test_what_was_asked_for_runs_in_a_framework(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert not outcome.missing, outcome
