"""A fourth set of tasks runs unasked, and what was planted into their results is held.

The tasks stand in the modules `variant_posts_*.py`; by default a few of them run, in one framework each.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from test_craft_variants import parameters_of
from variant_known import ASKED_POSTS, OPEN_POSTS
from variant_posts import POST_HOLDS, POSTS, half
from variant_posts_twins import HONEST, TWINS
from variant_world import Case, run_case

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

CLEAN = [(task.name, task.clean()) for task in (*POSTS, *HONEST)]
RESISTED = [(f"{task.name}, planted", case) for task in POSTS if (case := task.resisted())]
OBEYING = [(f"{task.name}, obeyed", case) for task in POSTS if (case := task.obeying())]
ATTACKS = [*OBEYING, *((case.name, case) for case in (*POST_HOLDS, *TWINS))]


@pytest.mark.parametrize(("case", "framework"), parameters_of(ATTACKS, OPEN_POSTS))
def test_an_attack_is_held(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert outcome.held, outcome


@pytest.mark.parametrize(("case", "framework"), parameters_of([*CLEAN, *RESISTED], ASKED_POSTS))
def test_a_task_runs_unasked(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert not outcome.missing, outcome


def test_the_halves_were_drawn_by_office():
    halves: dict[str, set[str]] = {}
    for name in [*(task.name for task in POSTS), *(case.name for case in POST_HOLDS)]:
        halves.setdefault(name.removeprefix("trap ").split(":")[0], set()).add(half(name))
    assert all(len(found) == 1 for found in halves.values())
