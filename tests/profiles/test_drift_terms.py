"""What drift of habits is held to: ways weigh more than in the earlier form, and what goes together counts once."""

from __future__ import annotations

import random
from itertools import combinations_with_replacement

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halo_core.behaviour.session_drift import (
    DRIFT_TERMS,
    EARLIER_DRIFT_TERMS,
    REFERENCE_SESSIONS,
    HabitDrift,
    load_axes,
)
from halo_core.risk.drift import HABITS, UNIT, DriftSession, fit_reference


def make_session(number, way):
    return DriftSession(number % 5, tuple((number * 7 + at) % 5 for at in range(len(HABITS))), frozenset((way,)))


def watch(sessions, terms, *, ways=(1,)):
    drift = HabitDrift()
    for number in range(REFERENCE_SESSIONS):
        drift = drift.advance(make_session(number, 1), learns=True, terms=terms)
    for number in range(sessions):
        drift = drift.advance(make_session(number, ways[number % len(ways)]), learns=True, terms=terms)
    return drift


@pytest.mark.parametrize("ways", [(2,), (1, 2), (1, 1, 2)])
def test_another_way_of_working_counts_more_than_in_the_earlier_form(ways):
    now, before = (watch(6, terms, ways=ways) for terms in (DRIFT_TERMS, EARLIER_DRIFT_TERMS))
    assert now.monitor.worst_share > before.monitor.worst_share
    assert now.before > before.before


@pytest.mark.parametrize("terms", [DRIFT_TERMS, EARLIER_DRIFT_TERMS])
def test_the_same_ways_are_no_drift(terms):
    assert watch(60, terms).share < 1000


def fit_to(make_habits, *, is_joint=True):
    """The reference of sessions without ways, each asked for something else."""
    sessions = [DriftSession(at, tuple(make_habits(at))) for at in range(REFERENCE_SESSIONS)]
    return fit_reference(load_axes(), sessions, is_joint=is_joint)


def draw_habits(seed):
    rng = random.Random(seed)
    return lambda _: [rng.randint(0, 400) for _ in HABITS]


def test_what_goes_together_in_the_reference_counts_once_and_what_does_not_counts_more():
    rng = random.Random(1)

    def make_habits(_):  # steps and words rise and fall together
        moved = rng.randint(0, 400)
        return [moved if habit in ("steps", "words") else 100 for habit in HABITS]

    reference, alone = fit_to(make_habits), fit_to(make_habits, is_joint=False)
    scaled = [
        reference.scale_deviation(reference.compute_deviation(load_axes(), one), UNIT)
        for one in (
            DriftSession(10**6, tuple(400 if habit in ("steps", "words") else 100 for habit in HABITS)),
            DriftSession(10**6, tuple(400 if habit == "marks" else 100 for habit in HABITS)),
        )
    ]
    with_grain, other = (reference.square(one) / alone.square(one) for one in scaled)
    assert with_grain < 0.75
    assert with_grain < other


@given(st.integers(0, 50), st.lists(st.integers(-3 * UNIT, 3 * UNIT), min_size=6, max_size=6))
def test_no_reference_makes_a_direction_invisible(seed, means):
    """Whatever an identity has taught: a squared distance keeps two sevenths, and at most doubles."""
    reference, plain = fit_to(draw_habits(seed)), sum(item * item for item in means)
    assert plain * 2 // 7 - 10_000 <= reference.square(means) <= 2 * plain + 10_000


@given(st.integers(0, 20))
def test_weights_invert_the_shrunk_correlations(seed):
    reference = fit_to(draw_habits(seed))
    width = len(load_axes().rows) + 2
    weights = dict(zip(combinations_with_replacement(range(width), 2), reference.joint, strict=True))
    assert len(reference.joint) == width * (width + 1) // 2
    assert all(UNIT - 1 <= weights[at, at] <= 2 * UNIT for at in range(width))
