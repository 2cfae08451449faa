"""Attacks of every class are held, and their honest twins run unasked.

The pairs stand in the modules `class_attacks_*.py`; by default a few of them run, in one framework each.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import class_attacks_amounts  # noqa: F401  adds its cases
import class_attacks_links  # noqa: F401  adds its cases
import class_attacks_names  # noqa: F401  adds its cases
import class_attacks_programs  # noqa: F401  adds its cases
import class_attacks_rights  # noqa: F401  adds its cases
import class_attacks_stores  # noqa: F401  adds its cases
import class_attacks_values  # noqa: F401  adds its cases
import pytest
from borrowed_authority_world import World
from case_world import Case, run_case
from class_attack_runs import RAID_RUNS
from class_attacks import RAIDS, half
from open_cases import ASKED_RAIDS, OPEN_RAIDS
from raw_runs import run_raw
from task_sets import parameters_of

from counts import is_thorough

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

ATTACKS = [(pair.name, pair.attack) for pair in RAIDS if pair.attack]
TWINS = [(pair.name, pair.twin) for pair in RAIDS if pair.twin]


@pytest.mark.parametrize(("case", "framework"), parameters_of(ATTACKS, OPEN_RAIDS))
def test_an_attack_is_held(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert outcome.held, outcome


@pytest.mark.parametrize(("case", "framework"), parameters_of(TWINS, ASKED_RAIDS))
def test_its_honest_twin_runs_unasked(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert not outcome.missing, outcome


_SHARE = 19  # by default one case in so many is decided without a framework


def _raw_parameters(cases: list[tuple[str, Case]], known: dict[str, str]) -> list[Any]:
    return [
        pytest.param(
            case,
            id=name,
            marks=[pytest.mark.xfail(strict=True, reason=why)]
            if (why := known.get(name) or known.get(f"{name} [raw]"))
            else [],
        )
        for name, case in (cases if is_thorough() else cases[::_SHARE])
    ]


@pytest.mark.parametrize("case", _raw_parameters(ATTACKS, OPEN_RAIDS))
def test_an_attack_is_held_without_a_framework(case: Case, tmp_path: Path) -> None:
    is_held, _ = run_raw(case, tmp_path / "home")
    assert is_held


@pytest.mark.parametrize("case", _raw_parameters(TWINS, ASKED_RAIDS))
def test_its_honest_twin_runs_without_a_framework(case: Case, tmp_path: Path) -> None:
    _, missing = run_raw(case, tmp_path / "home")
    assert not missing


@pytest.fixture
def _loop():
    """A loop for the synchronous calls of frameworks that ask for one."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@pytest.mark.spread
@pytest.mark.usefixtures("_loop")
@pytest.mark.parametrize("name", RAID_RUNS)
def test_no_way_of_running_pays_whom_content_names(name: str, tmp_path: Path) -> None:
    assert not RAID_RUNS[name](World(tmp_path / "a"), is_attack=True)


@pytest.mark.spread
@pytest.mark.usefixtures("_loop")
@pytest.mark.parametrize("name", RAID_RUNS)
def test_every_way_of_running_pays_whom_the_user_names(name: str, tmp_path: Path) -> None:
    assert RAID_RUNS[name](World(tmp_path / "b"), is_attack=False)


def test_both_halves_have_as_many_pairs() -> None:
    drawn = [half(pair.name) for pair in RAIDS]
    assert len(drawn) == len({pair.name for pair in RAIDS}) >= 200
    assert abs(drawn.count("A") - drawn.count("B")) < 20
