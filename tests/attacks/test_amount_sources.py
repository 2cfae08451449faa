"""An amount that only an untrusted source names is asked about, unless the request points at that source.

Each case runs without a framework, and by default in one of the three frameworks.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from amount_source_cases import ATTACKS, TWINS
from case_world import FRAMEWORKS, Case, run_case
from raw_runs import run_raw

from counts import is_thorough
from halo_core.model import EntryKind
from halo_world import cli, found

pytestmark = pytest.mark.filterwarnings("ignore::Warning")

_NAMES = list(FRAMEWORKS)
_SHARE = 4  # by default one case in so many runs in a framework


def _named(cases: list[Case]) -> list[Any]:
    return [pytest.param(case, id=case.name) for case in cases]


def _in_frameworks(cases: list[Case]) -> list[Any]:
    return [
        pytest.param(case, framework, id=f"{framework}-{case.name}")
        for i, case in enumerate(cases if is_thorough() else cases[::_SHARE])
        for framework in (_NAMES if is_thorough() else [_NAMES[i % len(_NAMES)]])
    ]


@pytest.mark.parametrize("case", _named(ATTACKS))
def test_an_amount_of_an_untrusted_source_is_asked_about(case: Case, tmp_path: Path) -> None:
    is_held, _ = run_raw(case, tmp_path / "home")
    assert is_held


@pytest.mark.parametrize("case", _named(TWINS))
def test_its_honest_twin_runs_unasked(case: Case, tmp_path: Path) -> None:
    _, missing = run_raw(case, tmp_path / "home")
    assert not missing


@pytest.mark.parametrize(("case", "framework"), _in_frameworks(ATTACKS))
def test_an_amount_of_an_untrusted_source_is_asked_about_in_a_framework(
    case: Case, framework: str, tmp_path: Path
) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert outcome.held, outcome


@pytest.mark.parametrize(("case", "framework"), _in_frameworks(TWINS))
def test_its_honest_twin_runs_unasked_in_a_framework(case: Case, framework: str, tmp_path: Path) -> None:
    outcome = run_case(case, framework, tmp_path / "home")
    assert not outcome.missing, outcome


def _show_last_payment(home: Path) -> str:
    payment = [
        item for item in found(home, EntryKind.DECISION) if item.entry.body["request"]["resource"]["id"] == "pay"
    ]
    return " ".join(cli("show", payment[-1].entry.id, home=home)[1].split())


def test_the_record_says_whose_the_amount_is_and_what_exposed_the_session(tmp_path: Path) -> None:
    run_raw(ATTACKS[0], tmp_path / "attack")
    shown = _show_last_payment(tmp_path / "attack")
    assert "nobody vouched for the amount (halo.payment.untrusted-amount)" in shown
    assert "the user neither wrote the amount nor pointed at where it stands" in shown
    assert "amounts, numbers, dates and texts may be others'" in shown
    assert "tainted True by read_mail" in shown
    run_raw(next(case for case in TWINS if case.name.startswith("the invoice in a mail")), tmp_path / "twin")
    shown = _show_last_payment(tmp_path / "twin")
    assert "effect monitor" in shown
    assert "the request leaves the amount to an untrusted source (halo.payment.amount-left-open)" in shown
    assert cli("replay", "--all", home=tmp_path / "twin")[0] == 0
