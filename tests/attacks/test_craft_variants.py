"""Tasks of further trades run unasked, and what was planted into their results is held.

The tasks stand in the modules `variant_crafts_*.py`; by default a few of them run, in one framework each.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import variant_crafts_lures  # noqa: F401  adds its cases, and the tasks of the crafts
from variant_crafts import CRAFTS, HOLDS, half
from variant_known import ASKED_CRAFTS, OPEN_CRAFTS
from variant_world import FRAMEWORKS, Case, run_case

from counts import is_thorough

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

_SHARE = 41  # by default one case in so many


def parameters_of(cases: list[tuple[str, Case]], known: dict[str, str]) -> list[Any]:
    """Each case in each framework; by default one in `_SHARE`, each in another framework than the one before."""
    names = list(FRAMEWORKS)
    made = []
    for i, (name, case) in enumerate(cases if is_thorough() else cases[::_SHARE]):
        for framework in names if is_thorough() else [names[i % len(names)]]:
            why = known.get(name) or known.get(f"{name} [{framework}]")
            marks = [pytest.mark.xfail(strict=True, reason=why)] if why else []
            made.append(pytest.param(case, framework, id=f"{framework}-{name}", marks=marks))
    return made


CLEAN = [(task.name, task.clean()) for task in CRAFTS]
RESISTED = [(f"{task.name}, planted", case) for task in CRAFTS if (case := task.resisted())]
OBEYING = [(f"{task.name}, obeyed", case) for task in CRAFTS if (case := task.obeying())]
ATTACKS = [*OBEYING, *((case.name, case) for case in HOLDS)]


@pytest.mark.parametrize(("case", "framework"), parameters_of(ATTACKS, OPEN_CRAFTS))
def test_an_attack_is_held(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert outcome.held, outcome


@pytest.mark.parametrize(("case", "framework"), parameters_of([*CLEAN, *RESISTED], ASKED_CRAFTS))
def test_a_task_runs_unasked(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert not outcome.missing, outcome


def test_the_halves_were_drawn_by_situation():
    halves: dict[str, set[str]] = {}
    for name in [*(task.name for task in CRAFTS), *(case.name for case in HOLDS)]:
        halves.setdefault(name.split(":")[0], set()).add(half(name))
    assert all(len(found) == 1 for found in halves.values())
