"""Made-up desks: how many of their ordinary sessions are asked about anything, and what of rogue ones still runs."""

from __future__ import annotations

import copy

import pytest
from agent_world import DESKS, Store, World, learn
from rogue_families import FAMILIES, LENGTH

CLERK = DESKS[0]
UNSEEN = {("researcher", "off_hours"), ("researcher", "spread"), ("researcher", "mass_read"), ("operator", "spread")}
"""A desk that works at all hours, on a new host each day, and mostly reads what nobody named: it has no such limits."""


def count_touched(desk, seed, sessions=100):
    world = World(desk, seed)
    store, touched = learn(world), 0
    for _ in range(sessions):
        ran = store.run(world, world.ordinary())
        touched += ran.stopped_at is not None
        store.fold(ran)
    return touched


def run_family(world, store, family):
    """Harmful actions that ran and that there were, sessions with alarms, and what is carried at most."""
    world, store = copy.deepcopy(world), copy.copy(store)
    ran = intended = alarmed = 0
    principals = set()
    for number in range(LENGTH.get(family.__name__, 10)):
        events, harmful = family(world, number)
        result = store.run(world, events, answers=False, refused=harmful if family.__name__ == "probing" else ())
        ran += len(harmful & result.ran)
        intended += len(harmful)
        alarmed += bool(result.tally.alarms)
        principals.add(events[0].principal)
        store.fold(result, cleared=False)
    carried = max(store.profile.carried.risk_for(principal) for principal in principals)
    return ran, intended, alarmed, max(carried, store.profile.drift)


@pytest.mark.parametrize("desk", [DESKS[0], DESKS[3]], ids=lambda desk: desk.name)
def test_few_ordinary_sessions_are_asked_about_anything(desk):
    assert count_touched(desk, seed=7) <= 3


@pytest.mark.thorough
def test_two_in_a_hundred_ordinary_sessions_of_all_desks_are_asked_at_most():
    touched = [count_touched(desk, seed) for desk in DESKS for seed in range(6)]
    assert sum(touched) <= 2 * len(touched)


@pytest.mark.slow
def test_rogue_sessions_of_a_clerk_are_stopped_told_and_remembered():
    world = World(CLERK, 107)
    store = learn(world)
    for name, family in FAMILIES.items():
        ran, intended, alarmed, carried = run_family(world, store, family)
        assert alarmed, name
        assert carried, name
        assert ran <= intended * (0.75 if name == "spread" else 0.5), name


@pytest.mark.thorough
def test_rogue_sessions_of_all_desks_are_stopped_in_nine_of_ten_pairs():
    pairs = stopped = 0
    for desk in DESKS:
        for seed in (107, 108):
            world = World(desk, seed)
            store = learn(world)
            for name, family in FAMILIES.items():
                ran, intended, alarmed, _ = run_family(world, store, family)
                if (desk.name, name) in UNSEEN:
                    continue
                pairs += 1
                stopped += ran <= intended / 2
                assert alarmed, (desk.name, name)
    assert stopped >= 0.9 * pairs


def test_a_first_day_is_asked_about_nothing():
    for desk in (DESKS[0], DESKS[3], DESKS[4]):
        world, store, touched = World(desk, 5), Store(), 0
        for _ in range(20):
            ran = store.run(world, world.ordinary())
            touched += ran.stopped_at is not None
            store.fold(ran)
        assert touched == 0, desk.name
