"""Variants of known attacks are held, and their honest twins run unasked, in each framework.

The cases stand in the modules `pairs_*.py`; what does not hold yet, or is asked and should not be, in
`open_cases.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pairs_forms  # noqa: F401  each adds its cases
import pairs_grants  # noqa: F401
import pairs_places  # noqa: F401
import pairs_reads  # noqa: F401
import pairs_stores  # noqa: F401
import pairs_targets  # noqa: F401
import pairs_words  # noqa: F401
import pairs_work  # noqa: F401
import pytest
from case_world import FRAMEWORKS, Case, run_case
from open_cases import ASKED_TWINS, OPEN_ATTACKS
from pairs_table import PAIRS

from counts import is_thorough

pytestmark = pytest.mark.filterwarnings("ignore::Warning")


def _parameters(kind: str, known: dict[str, str]) -> list[Any]:
    """Each case in each framework; the first framework of a case differs from case to case.

    One case in twenty-four, the first of each class, and those that are known to fail; all of them when thorough.
    """
    names = list(FRAMEWORKS)
    made = []
    cases = [(f"{p.attack_class}: {p.name}", getattr(p, kind)) for p in PAIRS if getattr(p, kind) is not None]
    if not is_thorough():
        classes = [name.partition(":")[0] for name, _ in cases]
        first = {classes.index(name) for name in classes}
        cases = [item for i, item in enumerate(cases) if not i % 24 or i in first or item[0] in known]
    for i, (name, case) in enumerate(cases):
        for j in range(len(names)):
            framework = names[(i + j) % len(names)]
            why = known.get(name) or known.get(f"{name} [{framework}]")
            marks = [pytest.mark.xfail(strict=True, reason=why)] if why else []
            made.append(pytest.param(case, framework, id=f"{framework}-{name}", marks=marks))
    return made


@pytest.mark.matrix
@pytest.mark.parametrize(("case", "framework"), _parameters("attack", OPEN_ATTACKS))
def test_an_attack_is_held(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert outcome.held, outcome


@pytest.mark.matrix
@pytest.mark.parametrize(("case", "framework"), _parameters("twin", ASKED_TWINS))
def test_honest_work_runs_unasked(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert not outcome.missing, outcome
