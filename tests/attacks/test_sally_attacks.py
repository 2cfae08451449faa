"""Attacks of further sets of every class are held, and their honest twins run unasked.

The pairs stand in the modules `sally_attacks_*.py`, `foray_attacks_*.py`, `sortie_attacks_*.py`,
`probe_attacks_*.py`, `swoop_attacks_*.py`, `weekday_attacks_*.py`, `joined_pairs.py` and `honest_pairs.py`; by default
a few of them run, in one framework each.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import foray_attacks
import foray_attacks_places  # noqa: F401  adds its cases
import foray_attacks_scope  # noqa: F401  adds its cases
import foray_attacks_words  # noqa: F401  adds its cases
import open_cases as known
import probe_attacks
import probe_attacks_acts  # noqa: F401  adds its cases
import probe_attacks_values  # noqa: F401  adds its cases
import pytest
import sally_attacks
import sally_attacks_mail  # noqa: F401  adds its cases
import sally_attacks_money  # noqa: F401  adds its cases
import sally_attacks_programs  # noqa: F401  adds its cases
import sally_attacks_rights  # noqa: F401  adds its cases
import sally_attacks_stores  # noqa: F401  adds its cases
import sally_attacks_values  # noqa: F401  adds its cases
import sortie_attacks
import sortie_attacks_money  # noqa: F401  adds its cases
import sortie_attacks_stores  # noqa: F401  adds its cases
import sortie_attacks_work  # noqa: F401  adds its cases
import swoop_attacks
import swoop_attacks_acts  # noqa: F401  adds its cases
import swoop_attacks_stores  # noqa: F401  adds its cases
import swoop_attacks_turns  # noqa: F401  adds its cases
import swoop_attacks_values  # noqa: F401  adds its cases
import weekday_attacks
import weekday_attacks_exact  # noqa: F401  adds its cases
import weekday_attacks_exacter  # noqa: F401  adds its cases
import weekday_attacks_exactest  # noqa: F401  adds its cases
import weekday_attacks_later  # noqa: F401  adds its cases
import weekday_attacks_money  # noqa: F401  adds its cases
import weekday_attacks_people  # noqa: F401  adds its cases
import weekday_attacks_plain  # noqa: F401  adds its cases
import weekday_attacks_plainer  # noqa: F401  adds its cases
import weekday_attacks_systems  # noqa: F401  adds its cases
from case_world import Case, run_case
from foray_attacks import FORAYS
from honest_pairs import HONEST
from joined_pairs import JOINED
from pairs_table import Pair
from probe_attacks import PROBES
from sally_attacks import SALLIES
from sortie_attacks import SORTIES
from swoop_attacks import SWOOPS
from swoop_routes import ROUTES
from task_sets import parameters_of
from weekday_attacks import WEEKDAYS, WEEKDAYS_LATER, WEEKDAYS_PLAIN

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

PAIRS = [*SALLIES, *FORAYS, *SORTIES, *PROBES, *SWOOPS, *WEEKDAYS, *WEEKDAYS_LATER, *WEEKDAYS_PLAIN, *JOINED, *HONEST]
ATTACKS = [(pair.name, pair.attack) for pair in PAIRS if pair.attack]
TWINS = [(pair.name, pair.twin) for pair in PAIRS if pair.twin]
_OPEN = known.OPEN_SALLIES | known.OPEN_FORAYS | known.OPEN_SORTIES | known.OPEN_PROBES | known.OPEN_SWOOPS
_OPEN |= known.OPEN_WEEKDAYS
_ASKED = known.ASKED_SALLIES | known.ASKED_FORAYS | known.ASKED_SORTIES | known.ASKED_PROBES | known.ASKED_SWOOPS
_ASKED |= known.ASKED_WEEKDAYS


@pytest.mark.parametrize(("case", "framework"), parameters_of(ATTACKS, _OPEN))
def test_an_attack_is_held(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert outcome.held, outcome


@pytest.mark.parametrize(("case", "framework"), parameters_of(TWINS, _ASKED))
def test_its_honest_twin_runs_unasked(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert not outcome.missing, outcome


@pytest.mark.spread
@pytest.mark.parametrize("name", ROUTES)
def test_a_route_of_the_frameworks_is_held(name: str, tmp_path: Path) -> None:
    assert not ROUTES[name](tmp_path / "home", honest=False)


@pytest.mark.spread
@pytest.mark.parametrize("name", ROUTES)
def test_the_honest_twin_of_a_route_runs(name: str, tmp_path: Path) -> None:
    assert ROUTES[name](tmp_path / "home", honest=True)


@pytest.mark.parametrize(
    ("pairs", "half"),
    [
        (SALLIES, sally_attacks.half),
        (FORAYS, foray_attacks.half),
        (SORTIES, sortie_attacks.half),
        (PROBES, probe_attacks.half),
        (SWOOPS, swoop_attacks.half),
        (WEEKDAYS, weekday_attacks.half),
    ],
)
def test_both_halves_have_about_as_many_pairs(pairs: list[Pair], half: Callable[[str], str]) -> None:
    drawn = [half(pair.name) for pair in pairs]
    assert len(drawn) == len({pair.name for pair in pairs}) >= 50
    assert abs(drawn.count("A") - drawn.count("B")) < 25
