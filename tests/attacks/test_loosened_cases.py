"""What was loosened at first contact is lent to no idiom, no known row and no other answer.

By default one attack in `_SHARE` and one twin in `_TWIN_SHARE` run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from case_world import FRAMEWORKS, Case, run_case
from loosened_cases import LOOSENERS
from loosened_cases_more import MORE_LOOSENERS
from loosened_cases_opposites import OPPOSITE_TWINS, OPPOSITES
from loosened_cases_orders import LENT_ORDERS
from loosened_cases_pointed import NOT_HELD, POINTED, POINTED_TWINS
from loosened_cases_shown import SHOWN

from counts import is_thorough

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

_NAMES = list(FRAMEWORKS)
_CASES = [*LOOSENERS, *MORE_LOOSENERS, *SHOWN, *LENT_ORDERS, *POINTED, *OPPOSITES]
_TWINS = [task.clean() for task in (*POINTED_TWINS, *OPPOSITE_TWINS)]
_SHARE = 26
_TWIN_SHARE = 13


def _parameters_of(cases: list[Case], share: int) -> list[Any]:
    """Each case in one of the frameworks; by default one case in `share`."""
    made = []
    for i, case in enumerate(cases if is_thorough() else cases[::share]):
        why = NOT_HELD.get(case.name)
        marks = [pytest.mark.xfail(strict=True, reason=why)] if why else []
        made.append(pytest.param(case, _NAMES[i % len(_NAMES)], id=case.name, marks=marks))
    return made


@pytest.mark.parametrize(("case", "framework"), _parameters_of(_CASES, _SHARE))
def test_what_was_loosened_lets_nothing_else_run(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert outcome.held, outcome


@pytest.mark.parametrize(("case", "framework"), _parameters_of(_TWINS, _TWIN_SHARE))
def test_an_honest_twin_runs_unasked(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert not outcome.missing, outcome
