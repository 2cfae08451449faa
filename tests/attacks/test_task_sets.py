"""Tasks of people at work run unasked, and what was planted into their results is held.

By default a few of each set run, in one framework each.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import variant_crafts
import variant_crafts_lures
import variant_duties
import variant_duties_twins
import variant_errands
import variant_errands_arts
import variant_errands_care
import variant_errands_home
import variant_errands_money
import variant_errands_tech
import variant_errands_trade
import variant_errands_twins
import variant_known as known
import variant_posts
import variant_posts_twins
import variant_rounds
import variant_shifts
import variant_shifts_second
import variant_shifts_snares
import variant_shifts_third
import variant_shifts_twins
import variant_spells
import variant_spells_more
import variant_spells_third
import variant_stints
import variant_stints_baits
import variant_stints_civic
import variant_stints_guests
import variant_stints_lures
import variant_stints_own
import variant_stints_tech
import variant_stints_works
from task_sets import TaskSet
from variant_world import Case, run_case

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

# Each adds its tasks to those of its set.
ADDING = (
    variant_crafts_lures,
    variant_errands_arts,
    variant_errands_care,
    variant_errands_home,
    variant_errands_money,
    variant_errands_tech,
    variant_errands_trade,
    variant_shifts_snares,
    variant_spells_more,
    variant_spells_third,
    variant_stints_baits,
    variant_stints_civic,
    variant_stints_guests,
    variant_stints_lures,
    variant_stints_own,
    variant_stints_tech,
    variant_stints_works,
)
SETS = {
    "crafts": TaskSet(
        variant_crafts.CRAFTS,
        variant_crafts.HOLDS,
        asked=known.ASKED_CRAFTS,
        open=known.OPEN_CRAFTS,
        half=variant_crafts.half,
    ),
    "duties": TaskSet(
        variant_duties.DUTIES,
        variant_duties.DUTY_HOLDS,
        borrowing=variant_duties_twins.TWINS,
        asked=known.ASKED_DUTIES,
        open=known.OPEN_DUTIES,
        half=variant_duties.half,
    ),
    "posts": TaskSet(
        variant_posts.POSTS,
        variant_posts.POST_HOLDS,
        variant_posts_twins.HONEST,
        variant_posts_twins.TWINS,
        known.ASKED_POSTS,
        known.OPEN_POSTS,
        variant_posts.half,
        "trap",
    ),
    "shifts": TaskSet(
        variant_shifts.SHIFTS,
        variant_shifts.SHIFT_HOLDS,
        (*variant_shifts_second.SECOND, *variant_shifts_third.THIRD, *variant_shifts_twins.HONEST),
        variant_shifts_twins.TWINS,
        known.ASKED_SHIFTS,
        known.OPEN_SHIFTS,
        variant_shifts.half,
        "snare",
    ),
    "stints": TaskSet(
        variant_stints.STINTS,
        variant_stints.STINT_HOLDS,
        asked=known.ASKED_STINTS,
        open=known.OPEN_STINTS,
        half=variant_stints.half,
        mark="bait",
    ),
    "rounds": TaskSet(variant_rounds.ROUNDS, asked=known.ASKED_ROUNDS, open=known.OPEN_ROUNDS),
    "errands": TaskSet(
        variant_errands.ERRANDS,
        variant_errands.ERRAND_HOLDS,
        variant_errands_twins.HONEST_TWINS,
        variant_errands_twins.TWINS,
        known.ASKED_ERRANDS,
        known.OPEN_ERRANDS,
        variant_errands.half,
        "decoy",
    ),
    "spells": TaskSet(variant_spells.SPELLS, asked=known.ASKED_SPELLS),
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
