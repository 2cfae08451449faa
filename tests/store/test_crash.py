"""No crash un-spends, loses an acknowledged decision, or lets an action run that was not decided."""

from __future__ import annotations

import os
import sys

import pytest
from crash_worker import ANYWHERE, MUST_BE_ZERO, POINTS, cycle, false_alarms, judge

from counts import count
from preloaded_python import find_python

pytestmark = pytest.mark.disk

CYCLES = int(os.environ.get("HALO_CRASH_CYCLES") or count(50, fewest=len(POINTS)))
"""Kills in all, at least one at each point."""


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_killed_there_nothing_is_lost_or_run_twice(tmp_path, point):
    killed = []
    python = [sys.executable] if point == ANYWHERE else find_python()
    for run in range(max(1, CYCLES // len(POINTS))):
        killed.append(cycle(tmp_path, point, (2, 9, 4, 1, 7)[run % 5], run, python))
        assert false_alarms(tmp_path) == []
    found = judge(tmp_path)
    assert any(killed)
    assert {name: found[name] for name in MUST_BE_ZERO} == dict.fromkeys(MUST_BE_ZERO, 0)
    if point == "after_run":  # it ran, and nobody could say how it ended
        assert found["outcome unknown"] >= sum(killed)
