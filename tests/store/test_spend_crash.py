"""No crash gives money back: what was spent, or may have been, stays charged at every link above. Invariants: CRASH."""

from __future__ import annotations

import os

import pytest
from spend_worker import MUST_BE_ZERO, cycle, judge

from counts import count
from halo_core.failpoints import POINTS

pytestmark = pytest.mark.disk

CYCLES = int(os.environ.get("HALO_SPEND_CYCLES", count(18, fewest=len(POINTS))))
"""Kills in all, two at each point; `python tests/store/spend_worker.py --cycles 300` does more."""


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_killed_while_it_spends_nothing_is_given_back(tmp_path, point):
    lives = max(1, CYCLES // len(POINTS))
    killed = [cycle(tmp_path, point, nth, run) for run, nth in enumerate((3, 1, 5, 2, 4) * lives) if run < lives]
    found = judge(tmp_path)
    assert any(killed)
    assert {name: found[name] for name in MUST_BE_ZERO} == dict.fromkeys(MUST_BE_ZERO, 0)
    if point == "after_run":  # 131: it was paid, and nobody could say so
        assert found["indeterminate"] > 0
