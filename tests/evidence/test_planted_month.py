"""Gaps planted into a month of the loan desk, by real processes: each turns the checks red that look for it."""

from __future__ import annotations

import pytest
from month import GAPS, play_month

from halo_core.evidence.answers import Period
from halo_core.evidence.audit_log import AuditLog
from halo_core.evidence.checks import CHECK_CLASSES, run_checks
from halo_core.store.reader import Reader

# Beyond what the month without a gap has.
EXPECTED = {
    "app_beside": {"ungoverned"},
    "missing_outcome": {"lifecycle", "pairs"},  # its process was killed
    "retired_acts": {"replay", "revocations"},
    "self_approved_policy": {"separation_of_duties"},
    "unsequenced": {"population"},
}


def red(month) -> set[str]:
    with Reader(month.url) as reader:
        reader.use_names(month.home)
        # Two hours later nothing is still running.
        now_us = next(reader.stream("SELECT max(ts_us) FROM entry"))[0] + 7_200_000_000
        log = AuditLog(reader, "local", home=month.home, now_us=now_us)
        answers = run_checks(log, Period(0, now_us), CHECK_CLASSES)
    return {name for name, answer in answers.items() if answer.verdict.value == "fails"}


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory) -> set[str]:
    return red(play_month(tmp_path_factory.mktemp("month")))


def test_an_ordinary_month_has_no_gap_but_those_of_its_set_up(ordinary):
    # It begins before the floor was raised, and its issuer's key is in the home.
    assert ordinary == {"key_custody", "mode_floor"}


@pytest.mark.thorough
@pytest.mark.parametrize("gap", [name for name in GAPS if name in EXPECTED])
def test_a_gap_in_a_month_turns_its_checks_red(gap, ordinary, tmp_path):
    found = red(play_month(tmp_path, gaps=(gap,)))
    expected = EXPECTED[gap]
    assert found - ordinary == expected
    # A log that does not verify answers nothing else.
    assert ordinary - found == (ordinary if gap == "unsequenced" else set())
