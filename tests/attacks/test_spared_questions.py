"""Nobody launders a value through a fact that spares a question, and honest work of the same kind runs unasked.

By default every case runs in one framework, each in another than the one before.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import spared_cases_turns  # noqa: F401  and the others theirs
from case_world import FRAMEWORKS, Case, run_case
from spared_cases import SPARED, TWINS

from counts import is_thorough

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

_SHARE = 14  # by default one case in so many


def _parameters(cases: list[Case]) -> list[Any]:
    """Each case in each framework; by default one in `_SHARE`, each in another framework than the one before."""
    names = list(FRAMEWORKS)
    return [
        pytest.param(case, framework, id=f"{framework}-{case.name}")
        for i, case in enumerate(cases if is_thorough() else cases[::_SHARE])
        for framework in (names if is_thorough() else [names[i % len(names)]])
    ]


@pytest.mark.parametrize(("case", "framework"), _parameters(SPARED))
def test_an_attack_is_held(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert outcome.held, outcome


@pytest.mark.parametrize(("case", "framework"), _parameters(TWINS))
def test_its_honest_twin_runs_unasked(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert not outcome.missing, outcome


def test_each_attack_comes_to_its_last_call(tmp_path: Path) -> None:
    for i, case in enumerate(SPARED[:: 1 if is_thorough() else _SHARE]):
        outcome = run_case(case, "langchain", tmp_path / str(i))
        assert any(case.forbidden in said for said in outcome.why), outcome
