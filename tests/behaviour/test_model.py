"""The risk model: margins of its forests, risks, factors and bytes."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halo_core.crypto import canonical
from halo_core.errors import BadInput
from halo_core.risk.action_risk import update_wealth
from halo_core.risk.baseline import MAX_OWN_MARGINS, blend_threshold, sample_own_margins
from halo_core.risk.drift import (
    HABITS,
    DriftAxes,
    DriftMonitor,
    DriftReference,
    DriftSession,
    SessionHabits,
    fit_reference,
)
from halo_core.risk.feature_catalogue import FEATURES
from halo_core.risk.forest import Forest
from halo_core.risk.model import RiskModel

# One split on feature 3 at 10: left -2, right a split on feature 5 at 0 with -1 and 4.
NODES = (0, 10, 6, -1, -2_000_000, 0, 1, 0, 12, -1, -1_000_000, 0, -1, 4_000_000, 0)
FOREST = Forest(500_000, (3, 5), (0,), NODES)
MODEL = RiskModel(
    ((1000, FOREST),),
    ((-2_000_000, 0), (0, 200), (4_000_000, 1000)),
    {"novel_cut_5": 1_000_000},
    tuple(range(101)),
    (-1_000_000, 0, 1_000_000, 2_000_000),
    {"seed": "0"},
)


def row(**values):
    return [values.get(f"f{at}", 0) for at in range(len(FEATURES))]


def test_a_walk_takes_the_branch_that_the_value_says():
    assert FOREST.compute_margin(row(f3=10)) == -1_500_000
    assert FOREST.compute_margin(row(f3=11, f5=0)) == -500_000
    assert FOREST.compute_margin(row(f3=11, f5=1)) == 4_500_000


def test_risk_rises_with_the_margin_between_0_and_1000():
    risks = [MODEL.risk_of(margin) for margin in range(-5_000_000, 6_000_000, 10_000)]
    assert risks == sorted(risks)
    assert (risks[0], risks[-1]) == (0, 1000)


def test_the_factors_are_what_moved_the_score_in_words():
    (first, *_) = MODEL.find_factors(row(f3=11, f5=1))
    assert first.id in {FEATURES[3].id, FEATURES[5].id}
    assert first.words
    assert first.moved > 0
    assert MODEL.find_factors(row(f3=10)) == ()


def test_a_model_survives_its_bytes():
    for again in (RiskModel.from_bytes(MODEL.to_bytes()), RiskModel.from_packed(zlib.compress(MODEL.to_bytes(), 9))):
        assert again.to_bytes() == MODEL.to_bytes()
        assert again.compute_margin(row(f3=11, f5=1)) == MODEL.compute_margin(row(f3=11, f5=1))


def changed(**members):
    return canonical.dumps(canonical.loads(MODEL.to_bytes()) | members)


def with_forest(**members):
    return changed(forests=[[1000, FOREST.to_plain() | members]])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"not a model",
        changed(form="halo-behaviour-0"),
        changed(features="0" * 16),
        changed(curve=[[0, 10], [1, 5]]),
        changed(curve=[]),
        changed(usual=[1, 2]),
        changed(tails=[]),
        changed(forests=[]),
        changed(forests=[[0, FOREST.to_plain()]]),
        with_forest(nodes=list(NODES[:-1])),
        with_forest(nodes=[0, 10, 0, *NODES[3:]]),
        with_forest(nodes=[0, 10, 300, *NODES[3:]]),
        with_forest(nodes=[7, *NODES[1:]]),
        with_forest(nodes=["0", *NODES[1:]]),
        with_forest(roots=[1]),
        with_forest(features=[10_000, 5]),
    ],
)
def test_a_corrupt_or_foreign_model_is_refused_with_a_clear_error(data):
    with pytest.raises(BadInput, match="not a behaviour model that fits") as caught:
        RiskModel.from_bytes(data)
    assert caught.value.remedy
    with pytest.raises(BadInput, match="not a behaviour model that fits"):
        RiskModel.from_packed(zlib.compress(data))


def test_a_model_that_unpacks_without_end_is_refused():
    with pytest.raises(BadInput):
        RiskModel.from_packed(zlib.compress(bytes(50_000_000)))


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(data):
    with pytest.raises(BadInput):
        RiskModel.from_packed(data)


@given(st.lists(st.integers(-(10**7), 10**7), max_size=300), st.integers(1, 200))
def test_a_suited_limit_lies_between_the_usual_one_and_the_own(own, share):
    usual = list(range(0, 1010, 10))
    limit = blend_threshold(sorted(own), usual, share)
    low, high = sorted(
        (
            blend_threshold((), usual, share),
            blend_threshold(sorted(own), (), share) if own else blend_threshold((), usual, share),
        )
    )
    assert low <= limit <= high


def test_few_own_sessions_hardly_move_the_limit_and_many_do():
    usual = list(range(0, 1010, 10))
    assert blend_threshold([5000], usual, 50) <= blend_threshold((), usual, 50) + 10
    assert blend_threshold([5000] * 500, usual, 50) == 5000
    assert len(sample_own_margins(range(5000))) == MAX_OWN_MARGINS


AXES = DriftAxes(
    tuple(tuple(1024 if at == line else 0 for at in range(len(HABITS))) for line in range(3)),
    (640, 900),
    (9000, 9000),
    (9000, 9000),
)


def habits(words=3, steps=4, tool="read"):
    found = SessionHabits()
    for number in range(steps):
        found.record_action(f"{tool}{number}", {"text": "some words " * words}, reads=True, failed=False, turn=number)
    return DriftSession(1, found.to_vector(), frozenset(map(len, found.call_shapes)))


def test_an_agent_that_goes_on_as_it_was_raises_no_alarm_and_another_does():
    usual = [habits(steps=4 + at % 3) for at in range(60)]
    reference = fit_reference(AXES, usual)
    watch = DriftMonitor()
    for session in usual * 3:
        watch = watch.advance(AXES, reference, session)
        assert not watch.is_alarm
    for _ in range(12):
        watch = watch.advance(AXES, reference, habits(steps=24, tool="other_tool_"))
    assert watch.is_alarm


def test_a_reference_of_one_session_works():
    reference = fit_reference(AXES, [habits()])
    assert isinstance(reference, DriftReference)
    assert not DriftMonitor().advance(AXES, reference, habits()).is_alarm


@given(st.lists(st.integers(0, 400), max_size=50))
def test_the_bet_never_goes_below_nothing_and_grows_with_surprise(bits):
    wealth = 0
    for surprise in bits:
        assert update_wealth(wealth, surprise + 1) >= update_wealth(wealth, surprise) >= 0
        wealth = update_wealth(wealth, surprise)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=12,
    )
)
def test_habits_of_any_arguments_are_small_integers(value):
    found = SessionHabits()
    found.record_action("tool", {"value": value}, reads=False, failed=True, turn=1)
    assert all(type(number) is int and 0 <= number < 10_000 for number in found.to_vector())
