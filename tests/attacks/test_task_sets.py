"""Tasks of people at work run unasked, and what was planted into their results is held.

By default a few of each set run, in one framework each.
"""

from __future__ import annotations

from pathlib import Path

import assignment_tasks
import assignment_tasks_desk
import assignment_tasks_field
import assignment_tasks_ploys
import commission_tasks
import commission_tasks_gambits
import commission_tasks_town
import commission_tasks_trade
import errand_tasks
import errand_tasks_arts
import errand_tasks_care
import errand_tasks_home
import errand_tasks_money
import errand_tasks_tech
import errand_tasks_trade
import errand_tasks_twins
import office_tasks
import office_tasks_twins
import open_cases as known
import pytest
import regular_tasks
import regular_tasks_more
import regular_tasks_third
import role_tasks
import role_tasks_twins
import routine_tasks
import small_business_tasks
import small_business_tasks_baits
import small_business_tasks_civic
import small_business_tasks_guests
import small_business_tasks_lures
import small_business_tasks_own
import small_business_tasks_tech
import small_business_tasks_works
import trade_tasks
import trade_tasks_lures
import workplace_tasks
import workplace_tasks_second
import workplace_tasks_snares
import workplace_tasks_third
import workplace_tasks_twins
from case_world import Case, run_case
from task_sets import TaskSet

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

# Each adds its tasks to those of its set.
ADDING = (
    assignment_tasks_desk,
    assignment_tasks_field,
    assignment_tasks_ploys,
    commission_tasks_gambits,
    commission_tasks_town,
    commission_tasks_trade,
    trade_tasks_lures,
    errand_tasks_arts,
    errand_tasks_care,
    errand_tasks_home,
    errand_tasks_money,
    errand_tasks_tech,
    errand_tasks_trade,
    workplace_tasks_snares,
    regular_tasks_more,
    regular_tasks_third,
    small_business_tasks_baits,
    small_business_tasks_civic,
    small_business_tasks_guests,
    small_business_tasks_lures,
    small_business_tasks_own,
    small_business_tasks_tech,
    small_business_tasks_works,
)
SETS = {
    "crafts": TaskSet(
        trade_tasks.CRAFTS,
        trade_tasks.HOLDS,
        asked=known.ASKED_CRAFTS,
        open=known.OPEN_CRAFTS,
        half=trade_tasks.half,
    ),
    "duties": TaskSet(
        role_tasks.DUTIES,
        role_tasks.DUTY_HOLDS,
        borrowing=role_tasks_twins.TWINS,
        asked=known.ASKED_DUTIES,
        open=known.OPEN_DUTIES,
        half=role_tasks.half,
    ),
    "posts": TaskSet(
        office_tasks.POSTS,
        office_tasks.POST_HOLDS,
        office_tasks_twins.HONEST,
        office_tasks_twins.TWINS,
        known.ASKED_POSTS,
        known.OPEN_POSTS,
        office_tasks.half,
        "trap",
    ),
    "shifts": TaskSet(
        workplace_tasks.SHIFTS,
        workplace_tasks.SHIFT_HOLDS,
        (*workplace_tasks_second.SECOND, *workplace_tasks_third.THIRD, *workplace_tasks_twins.HONEST),
        workplace_tasks_twins.TWINS,
        known.ASKED_SHIFTS,
        known.OPEN_SHIFTS,
        workplace_tasks.half,
        "snare",
    ),
    "stints": TaskSet(
        small_business_tasks.STINTS,
        small_business_tasks.STINT_HOLDS,
        asked=known.ASKED_STINTS,
        open=known.OPEN_STINTS,
        half=small_business_tasks.half,
        mark="bait",
    ),
    "rounds": TaskSet(routine_tasks.ROUNDS, asked=known.ASKED_ROUNDS, open=known.OPEN_ROUNDS),
    "errands": TaskSet(
        errand_tasks.ERRANDS,
        errand_tasks.ERRAND_HOLDS,
        errand_tasks_twins.HONEST_TWINS,
        errand_tasks_twins.TWINS,
        known.ASKED_ERRANDS,
        known.OPEN_ERRANDS,
        errand_tasks.half,
        "decoy",
    ),
    "assignments": TaskSet(
        assignment_tasks.ASSIGNMENTS,
        assignment_tasks.ASSIGNMENT_HOLDS,
        asked=known.ASKED_ASSIGNMENTS,
        half=assignment_tasks.half,
        mark="ploy",
    ),
    "commissions": TaskSet(
        commission_tasks.COMMISSIONS,
        commission_tasks.COMMISSION_HOLDS,
        asked=known.ASKED_COMMISSIONS,
        half=commission_tasks.half,
        mark="gambit",
    ),
    "spells": TaskSet(regular_tasks.SPELLS, asked=known.ASKED_SPELLS),
}


@pytest.mark.parametrize(("case", "framework"), [item for one in SETS.values() for item in one.attack_parameters()])
def test_an_attack_is_held(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert outcome.held, outcome


@pytest.mark.parametrize(("case", "framework"), [item for one in SETS.values() for item in one.task_parameters()])
def test_a_task_runs_unasked(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert not outcome.missing, outcome


@pytest.mark.parametrize("name", [name for name, one in SETS.items() if one.half is not None])
def test_the_halves_were_drawn_by_place(name: str) -> None:
    halves = SETS[name].halves_by_place()
    assert halves
    assert all(len(found) == 1 for found in halves.values())
