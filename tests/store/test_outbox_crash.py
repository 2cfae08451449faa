"""A process that is killed while it holds or releases acts: nothing runs twice, nothing is lost. Invariant: HELD."""

from __future__ import annotations

import pytest
from engine_world import ENGINES
from outbox_worker import MUST_BE_ZERO, judge, kill_both
from postgres_server import start_server

from counts import count, is_thorough
from halo_core.failpoints import POINTS
from preloaded_python import find_python

pytestmark = pytest.mark.disk(by_default=True)

LIVES = count(8, fewest=1)
"""Kills at each point while holding, and as many while releasing."""
_BETWEEN = ("after_commit", "before_run", "after_run")
"""Where an act was released, and its outcome is not recorded."""
_CASES = [(engine, point) for engine in ENGINES for point in POINTS]
if not is_thorough():
    _CASES = [(engine, point) for engine, point in _CASES if engine == "sqlite" or point in _BETWEEN]


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "point"), _CASES)
def test_killed_there_held_acts_run_once_or_stay_held(tmp_path, engine, point):
    if engine == "postgresql":
        (tmp_path / "database").write_text(start_server().make_database())
    # A short life signs one tree head.
    order = (1, 2) if point in POINTS[6:] else (2, 1, 3, 5)
    nths = (order * LIVES)[:LIVES]
    killed = sum(kill_both(tmp_path, point, nth, run, find_python()) for run, nth in enumerate(nths))
    found = judge(tmp_path)
    assert killed
    assert {name: found[name] for name in MUST_BE_ZERO} == dict.fromkeys(MUST_BE_ZERO, 0)
    # What was released and did not run was killed between its decision and its first line.
    assert found["ran"] <= found["released"]
