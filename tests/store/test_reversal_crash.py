"""A process that is killed while it takes effects back: nothing twice, nothing lost. Invariant: REVERSE."""

from __future__ import annotations

import threading

import pytest
from crash_worker import lines
from engine_world import ENGINES, Place
from reversal_worker import MUST_BE_ZERO, cycle, judge, opened, pay_and_order

from counts import count
from halo_core.errors import Denied
from halo_core.failpoints import POINTS
from halo_core.verification import verify_store
from preloaded_python import find_python

pytestmark = pytest.mark.disk(by_default=True)

LIVES = count(8, fewest=1)
"""Kills at each point."""
_USUAL = ("after_run",)
"""Between the act and its entry; the others are thorough."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "point", [point if point in _USUAL else pytest.param(point, marks=pytest.mark.thorough) for point in POINTS]
)
def test_killed_there_an_effect_is_taken_back_once_or_said_to_be_unknown(tmp_path, point):
    order = (1, 2) if point in POINTS[4:] else (2, 1, 3, 5)
    killed = sum(cycle(tmp_path, point, nth, run, find_python()) for run, nth in enumerate((order * LIVES)[:LIVES]))
    found = judge(tmp_path)
    assert killed
    assert {name: found[name] for name in MUST_BE_ZERO} == dict.fromkeys(MUST_BE_ZERO, 0)
    if point in ("before_run", "after_run"):
        assert found["unknown"]


@pytest.mark.parametrize("engine", ENGINES)
def test_two_processes_that_take_an_effect_back_at_once_do_so_once(tmp_path, engine):
    """Each has a writer and a connection of its own, as two hosts have."""
    place = Place.make(engine, tmp_path / "home")
    (first, second) = pay_and_order(tmp_path, 0, place.url)
    start, results = threading.Barrier(2), []

    def take_back() -> None:
        halo, _ = opened(tmp_path, place.url)
        with halo:
            start.wait()
            for decision in (first, second):
                try:
                    results.append(halo.reverse(decision))
                except Denied as exc:
                    results.append(exc.reason)

    threads = [threading.Thread(target=take_back) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(lines(tmp_path / "undone")) == sorted((first, second))
    refused = [item for item in results if not item.startswith("took ")]
    assert len(refused) == 2
    assert set(refused) <= {"already_reversed", "reversal_not_ordered", "reversal_unknown"}
    assert verify_store(place.url, place.home, signatures=True).exit_code == 0
