"""What a user decides in his own words runs unasked, and nothing that somebody else would put in its place does."""

from __future__ import annotations

from pathlib import Path

import pytest
from case_world import Case
from decided_acts_pairs import DECIDED
from listed_files_pairs import LISTED
from looked_pairs import LOOKED
from mentioned_role_pairs import MENTIONED
from named_choice_pairs import CHOICES
from other_order_pairs import OTHER_ORDERS
from raw_runs import run_raw
from replaced_value_pairs import REPLACED
from stated_act_pairs import STATED

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

PAIRS = [*DECIDED, *CHOICES, *LISTED, *STATED, *LOOKED, *REPLACED, *OTHER_ORDERS, *MENTIONED]
ATTACKS = [pytest.param(pair.attack, id=pair.name) for pair in PAIRS if pair.attack]
TWINS = [pytest.param(pair.twin, id=pair.name) for pair in PAIRS if pair.twin]


@pytest.mark.share(3)
@pytest.mark.parametrize("case", ATTACKS)
def test_what_the_user_did_not_decide_is_held(case: Case, tmp_path: Path) -> None:
    is_held, _ = run_raw(case, tmp_path / "home")
    assert is_held


@pytest.mark.share(3)
@pytest.mark.parametrize("case", TWINS)
def test_what_the_user_decided_runs(case: Case, tmp_path: Path) -> None:
    _, missing = run_raw(case, tmp_path / "home")
    assert not missing
