"""A payment that the user states in one sentence runs unasked after exposure; no other does.

The pairs stand in `stated_payment_pairs.py`, `paid_in_kind_pairs.py`, which adds to the same lists, and
`further_payment_pairs.py`. All of them run by enforcement alone, and a few in a framework.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from case_world import Case, run_case
from further_payment_pairs import FURTHER
from paid_in_kind_pairs import NOT_ORDERED, STATED
from raw_runs import run_raw
from task_sets import parameters_of

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

_ATTACKS = [*((pair.name, pair.attack) for pair in (*STATED, *FURTHER) if pair.attack), *NOT_ORDERED]
_TWINS = [(pair.name, pair.twin) for pair in (*STATED, *FURTHER) if pair.twin]


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in _ATTACKS])
def test_a_payment_that_is_not_stated_is_held(case: Case, tmp_path: Path) -> None:
    is_held, missing = run_raw(case, tmp_path / "home")
    assert is_held
    assert missing, "the attack has to fail at the payment"


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in _TWINS])
def test_a_stated_payment_runs_unasked(case: Case, tmp_path: Path) -> None:
    assert run_raw(case, tmp_path / "home") == (True, [])


@pytest.mark.parametrize(("case", "framework"), parameters_of(_ATTACKS, {}))
def test_it_is_held_in_a_framework(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert outcome.held, outcome


_ELSEWHERE = "the run is only shown what is new, and the statement before it was made in another one"
_ASKED = {
    f"{name} [openai-agents]": _ELSEWHERE
    for name in (
        "a yes to what waited",
        "a yes with the right account",
        "a yes to a sum that was to be checked",
        "paid once more after a yes",
        "paid once more after a correction",
        "another 40, paid twice",
        "31 more, paid twice",
        "a further sum in words, paid twice",
        "an extra, paid twice",
        "on top, paid twice",
    )
}


@pytest.mark.parametrize(("case", "framework"), parameters_of(_TWINS, _ASKED))
def test_it_runs_in_a_framework(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert not outcome.missing, outcome
