"""Limits: how they follow from what was seen, whom they leave alone, and how slowly they can be taught."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halo_core.behaviour import limits as limits_module
from halo_core.behaviour.limit_steps import LimitStep
from halo_core.behaviour.limits import (
    FINE,
    FLOORS,
    GENEROUS,
    LOOSENESS_UNIT,
    MATURE_SESSIONS,
    MAX_DAY_STEP,
    MAX_LOOSENESS,
    MAX_STEP,
    SERIES,
    add_to_histogram,
    blend_limits,
    count_sessions,
    estimate_limit,
    move_limit,
    remove_from_histogram,
    update_looseness,
)
from halo_core.behaviour.measures import (
    COUNT,
    MAX_LEVEL,
    MEASURES,
    describe_excess,
    describe_value,
    from_level,
    level_of,
    show_value,
    to_level,
    value_at,
)

LEVELS = st.integers(0, MAX_LEVEL)
LIMITS = st.integers(0, MAX_LEVEL * FINE)


def histogram_of(values):
    found = ()
    for value in values:
        found = add_to_histogram(found, to_level(value))
    return found


def limit_of(values):
    return from_level(estimate_limit(histogram_of(values)))


def test_levels_double_every_sixteen():
    assert [to_level(value) for value in (0, 1, 3, 7, 1023, 2**40 - 1)] == [0, 16, 32, 48, 160, 640]


@given(st.integers(0, MAX_LEVEL - 1))
def test_a_level_holds_the_values_up_to_its_limit(level):
    value = from_level(level)
    assert to_level(value) <= level < to_level(value + 1)


@given(st.integers(0, COUNT - 1), st.integers(0, 1000))
def test_values_and_levels_of_measures_agree(at, value):
    assert value_at(at, level_of(at, value)) >= value
    assert level_of(at, value_at(at, level_of(at, value))) <= level_of(at, value)


def test_a_limit_lies_above_what_few_sessions_showed():
    assert limit_of([2, 3, 1, 2, 4, 2, 3]) > 4
    assert limit_of([0] * 50) == 0


def test_a_limit_of_steady_sessions_is_tight_and_of_varied_ones_wide():
    steady, varied = limit_of([10] * 150), limit_of([1, 2, 4, 8, 16, 32] * 25)
    assert 10 < steady < 30
    assert 32 < varied < 100


def test_one_session_that_did_what_no_other_did_raises_the_limit_by_a_small_factor():
    assert 2000 < limit_of([0] * 100 + [2000]) < 10_000


def test_with_many_sessions_the_limit_is_a_rank():
    values = [at % 1000 for at in range(1024)] + [10**6]
    assert limit_of(values) < 10**6


@pytest.mark.parametrize("tail", ["normal", "lognormal", "geometric", "rare"])
def test_few_new_ordinary_sessions_pass_one_limit(tail):
    passed = checked = 0
    for seed in range(40):
        draw = random.Random(seed)

        def value(draw=draw):
            match tail:
                case "normal":
                    return max(round(draw.gauss(30, 8)), 0)
                case "lognormal":
                    return round(draw.lognormvariate(2, 0.8))
                case "geometric":
                    return round(draw.expovariate(1 / 4))
                case _:
                    return round(draw.lognormvariate(6, 0.5)) if draw.random() < 0.1 else 0

        limit = limit_of([value() for _ in range(150)])
        checked += 200
        passed += sum(value() > limit for _ in range(200))
    assert passed / checked < 0.005


@given(LEVELS, st.integers(0, MAX_LEVEL * FINE), st.integers(0, MAX_LEVEL * FINE))
def test_one_session_and_one_day_move_a_limit_by_a_bounded_step(before, target, day_start):
    after = move_limit(before, target, day_start)
    assert after - before <= MAX_STEP
    assert after <= max(before, day_start + MAX_DAY_STEP)
    if target <= before:
        assert after <= before


def test_a_thousand_sessions_of_one_day_raise_a_limit_by_a_quarter_at_most():
    start = limit = level_of(0, 10) * FINE
    for _ in range(1000):
        limit = move_limit(limit, MAX_LEVEL * FINE, start)
    assert from_level(limit // FINE) <= 10 * 1.3


@given(st.lists(LEVELS, max_size=200))
@settings(max_examples=50, deadline=None)
def test_histograms_are_bounded_and_keep_their_sessions(levels):
    found = ()
    for level in levels:
        found = add_to_histogram(found, level)
    assert len(found) <= 48
    assert count_sessions(found) == len(levels)
    assert not levels or found[-1][0] >= max(levels)


def test_a_histogram_forgets_half_of_itself():
    found = ()
    for at in range(5000):
        found = add_to_histogram(found, at % 7)
    assert count_sessions(found) <= 1024


def test_a_session_taken_out_leaves_no_trace_in_the_limit():
    clean = histogram_of([2, 3, 4] * 30)
    spoilt = add_to_histogram(clean, to_level(500))
    assert estimate_limit(remove_from_histogram(spoilt, to_level(500))) == estimate_limit(clean)


def test_looseness_rises_with_each_ordinary_session_beyond_and_falls_slowly():
    loose = update_looseness(0, exceeded=True)
    assert 0 < loose <= MAX_LOOSENESS
    falling = loose
    for _ in range(50):
        falling = update_looseness(falling, exceeded=False)
    assert falling <= loose // 50 + 50
    for _ in range(100):
        loose = update_looseness(loose, exceeded=True)
    assert loose == MAX_LOOSENESS


def test_a_new_identity_has_the_generous_limits_and_a_mature_one_its_own():
    own = tuple([level_of(0, 20) * FINE] * SERIES)
    first, last = blend_limits(own, 0, 0, GENEROUS, 16), blend_limits(own, 60, 0, GENEROUS, 16)
    for at, measure in enumerate(MEASURES):
        assert first[at] >= measure.generous
        assert last[at] >= measure.floor
    assert last[0] == 20
    halfway = blend_limits(own, 30, 0, GENEROUS, 16)
    assert last[0] < halfway[0] < first[0]


def test_no_limit_lies_below_its_floor():
    assert blend_limits((0,) * SERIES, 1000, 0, FLOORS, 16)[:COUNT] >= tuple(0 for _ in MEASURES)
    for at, measure in enumerate(MEASURES):
        assert blend_limits((0,) * SERIES, 1000, 0, GENEROUS, 16)[at] >= measure.floor


STEPS = st.builds(
    LimitStep,
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.just((0, SERIES - 1)),
    st.sampled_from(((), (0, SERIES - 1))),
)


@given(STEPS, st.sampled_from((0, 1, COUNT, SERIES - 1)), LIMITS, LEVELS, LIMITS)
def test_a_limit_that_is_what_sessions_ask_for_stays(step, at, limit, level, day_limit):
    assert step.find_limit(at, limit, limit, level, day_limit) == limit


@given(
    st.tuples(*([st.integers(0, 900 * FINE)] * SERIES)),
    st.integers(0, 400),
    st.integers(0, MAX_LOOSENESS),
    st.sampled_from((2, 16, 64)),
)
@settings(max_examples=20, deadline=None)
def test_limits_are_remembered_for_all_that_gives_the_same(own, sessions, looseness, window):
    worked_out = limits_module._blend_limits.__wrapped__
    # As it was defined: by all sessions, however many, and the whole looseness.
    assert blend_limits(own, sessions, looseness, GENEROUS, window) == worked_out(
        own, sessions, looseness // LOOSENESS_UNIT, GENEROUS, window
    )


def test_the_limits_of_a_mature_identity_are_not_worked_out_for_each_session():
    own, most = tuple([level_of(0, 7) * FINE] * SERIES), MATURE_SESSIONS + 16
    blend_limits(own, most, 0, GENEROUS, 16)
    before = limits_module._blend_limits.cache_info().misses
    for sessions in range(most, most + 50):
        blend_limits(own, sessions, sessions % LOOSENESS_UNIT, GENEROUS, 16)
    assert limits_module._blend_limits.cache_info().misses == before


def test_an_excess_is_said_in_words():
    measure = next(item for item in MEASURES if item.id == "unrelated")
    assert describe_excess(measure, 41, 6) == (
        "it touched 41 records that the request has nothing to do with; the limit is 6"
    )


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.id)
def test_every_measure_has_a_sentence(measure):
    words = describe_excess(measure, 123_456_789, 1000)
    assert words.startswith("it ")
    assert "  " not in words
    assert "the limit is" in words


@pytest.mark.parametrize(
    ("value", "shown", "recorded"),
    [(4_016_478, "401.65", "401.6478"), (4_000_000, "400", "400"), (4_015_000, "401.5", "401.5"), (0, "0", "0")],
)
def test_a_view_shows_two_decimals_of_an_amount_and_a_record_all(value, shown, recorded):
    measure = next(item for item in MEASURES if item.unit == "amount")
    assert (show_value(measure, value), describe_value(measure, value)) == (shown, recorded)
