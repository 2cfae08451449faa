"""What runs unasked at first contact is lent to nobody else: attacks on each class that is let go, and honest work."""

from __future__ import annotations

from pathlib import Path

import pytest
from case_world import FRAMEWORKS, Case, run_case
from first_contact_cases import FIRST_HOLDS, FIRST_WORK

from counts import is_thorough

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

_NAMES = list(FRAMEWORKS)
_SHARE = 7  # by default one case in so many


def _spread(cases: list[Case]) -> list[tuple[Case, str]]:
    if is_thorough():
        return [(case, framework) for case in cases for framework in _NAMES]
    return [(case, _NAMES[i % len(_NAMES)]) for i, case in enumerate(cases[::_SHARE])]


@pytest.mark.parametrize(("case", "framework"), _spread(FIRST_HOLDS), ids=lambda item: getattr(item, "name", item))
def test_what_borrows_a_spared_question_is_held(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert outcome.held, outcome


@pytest.mark.parametrize(
    ("case", "framework"),
    _spread([task.clean() for task in FIRST_WORK]),
    ids=lambda item: getattr(item, "name", item),
)
def test_the_work_itself_runs_unasked(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert not outcome.missing, outcome
