"""What was loosened at first contact is lent to no idiom, no known row and no other answer.

By default every fourth case runs.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from case_world import FRAMEWORKS, Case, run_case
from loosened_cases import LOOSENERS
from loosened_cases_more import MORE_LOOSENERS
from loosened_cases_orders import LENT_ORDERS
from loosened_cases_pointed import POINTED
from loosened_cases_shown import SHOWN

from counts import is_thorough

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

_NAMES = list(FRAMEWORKS)
_CASES = [*LOOSENERS, *MORE_LOOSENERS, *SHOWN, *LENT_ORDERS, *POINTED]
_SHARE = 4


@pytest.mark.parametrize(
    ("case", "framework"),
    [(case, _NAMES[i % len(_NAMES)]) for i, case in enumerate(_CASES if is_thorough() else _CASES[::_SHARE])],
    ids=lambda item: getattr(item, "name", item),
)
def test_what_was_loosened_lets_nothing_else_run(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert outcome.held, outcome
