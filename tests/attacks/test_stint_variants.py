"""A sixth set of tasks runs unasked, and what was planted into their results is held.

The tasks stand in the modules `variant_stints_*.py`; by default a few of them run, in one framework each.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import variant_stints_baits
import variant_stints_civic
import variant_stints_guests
import variant_stints_lures
import variant_stints_own
import variant_stints_tech
import variant_stints_works
from test_craft_variants import parameters_of
from variant_known import ASKED_STINTS, OPEN_STINTS
from variant_stints import STINT_HOLDS, STINTS, half
from variant_world import Case, run_case

__all__ = [
    "variant_stints_baits",
    "variant_stints_civic",
    "variant_stints_guests",
    "variant_stints_lures",
    "variant_stints_own",
    "variant_stints_tech",
    "variant_stints_works",
]

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

CLEAN = [(task.name, task.clean()) for task in STINTS]
RESISTED = [(f"{task.name}, planted", case) for task in STINTS if (case := task.resisted())]
OBEYING = [(f"{task.name}, obeyed", case) for task in STINTS if (case := task.obeying())]
ATTACKS = [*OBEYING, *((case.name, case) for case in STINT_HOLDS)]


@pytest.mark.parametrize(("case", "framework"), parameters_of(ATTACKS, OPEN_STINTS))
def test_an_attack_is_held(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert outcome.held, outcome


@pytest.mark.parametrize(("case", "framework"), parameters_of([*CLEAN, *RESISTED], ASKED_STINTS))
def test_a_task_runs_unasked(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert not outcome.missing, outcome


def test_the_halves_were_drawn_by_place() -> None:
    halves: dict[str, set[str]] = {}
    for name in [*(task.name for task in STINTS), *(case.name for case in STINT_HOLDS)]:
        halves.setdefault(name.removeprefix("bait ").split(":")[0].removesuffix(" turns"), set()).add(half(name))
    assert all(len(found) == 1 for found in halves.values())
