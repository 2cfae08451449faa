"""No crash gives money back: what was spent, or may have been, stays charged at every link above. Invariants: CRASH."""

from __future__ import annotations

import os
import sys

import pytest
from crash_worker import ANYWHERE, POINTS, false_alarms
from spend_worker import MUST_BE_ZERO, cycle, judge

from counts import count
from preloaded_python import find_python

pytestmark = pytest.mark.disk(by_default=True)

CYCLES = int(os.environ.get("HALO_CRASH_CYCLES") or count(20, fewest=len(POINTS)))
"""Kills in all, at least one at each point."""


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_killed_while_it_spends_nothing_is_given_back(tmp_path, point):
    killed = []
    python = [sys.executable] if point == ANYWHERE else find_python()
    for run in range(max(1, CYCLES // len(POINTS))):
        killed.append(cycle(tmp_path, point, (3, 1, 5, 2, 4)[run % 5], run, python))
        assert false_alarms(tmp_path) == []
    found = judge(tmp_path)
    assert any(killed)
    assert {name: found[name] for name in MUST_BE_ZERO} == dict.fromkeys(MUST_BE_ZERO, 0)
    if point == "after_run":  # 131: it was paid, and nobody could say so
        assert found["indeterminate"] > 0
