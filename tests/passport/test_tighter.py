"""Limits: no looser means at any risk, after any step and in any unit; the tighter of two is the loosest so."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chain_world import BUDGETS, DECAY
from counts import count
from halo_core.model import Budget, Decay, Impact
from halo_core.passports import tighter_budgets, tighter_decay
from halo_core.passports.claims import budgets_to_json, decay_to_json, parse_budgets, parse_decay
from halo_core.passports.narrowing import find_budget_violation, find_decay_violation

NAMES = sorted(item.value for item in Impact)
ONE = 1_000_000
millionths = st.integers(1, 5).map(lambda n: n * 200_000)


@st.composite
def bands(draw):
    risks = sorted(draw(st.sets(st.integers(1, 6), max_size=4)))
    ceilings = sorted(draw(st.sets(st.integers(0, 8), min_size=len(risks), max_size=len(risks))), reverse=True)
    return tuple((risk, ceiling * ONE // 8) for risk, ceiling in zip(risks, ceilings, strict=True))


decays = st.builds(
    Decay,
    authority=millionths,
    half_life_s=st.integers(1, 4),
    half_life_steps=st.integers(1, 4),
    half_life_risk=st.integers(1, 4),
    reauthorize_below=st.integers(0, 3),
    floors=st.lists(st.integers(0, 3), min_size=len(NAMES), max_size=len(NAMES)).map(
        lambda v: tuple(zip(NAMES, v, strict=True))
    ),
    bands=bands(),
)


def authority(decay: Decay, seconds: int, steps: int, risk: int) -> int:
    """The curve of the design, with its ceilings: written here once more, from its definition."""
    age = sum(
        -(-amount * ONE // half)
        for amount, half in (
            (seconds, decay.half_life_s),
            (steps, decay.half_life_steps),
            (risk, decay.half_life_risk),
        )
    )
    halvings, rest = divmod(age, ONE)
    high, low = decay.authority >> halvings, decay.authority >> (halvings + 1)
    ceiling = min((ceiling for points, ceiling in decay.bands if points <= risk), default=ONE)
    return min(ceiling, high + (-(high - low) * rest) // ONE)


def possible(decay: Decay, impact: str, seconds: int, steps: int, risk: int) -> bool:
    return authority(decay, seconds, steps, risk) >= max(dict(decay.floors)[impact], decay.reauthorize_below)


amounts = st.integers(0, 8)


@settings(max_examples=count(400))
@given(decays, decays, st.sampled_from(NAMES), amounts, amounts, amounts)
def test_what_is_possible_under_a_tighter_decay_is_possible_under_the_looser(a, b, impact, seconds, steps, risk):
    both = tighter_decay(a, b)
    for other in (a, b):
        assert find_decay_violation(both, other) is None
        assert not possible(both, impact, seconds, steps, risk) or possible(other, impact, seconds, steps, risk)
        assert authority(both, seconds, steps, risk) <= authority(other, seconds, steps, risk)


@settings(max_examples=count(400))
@given(decays, decays, amounts, amounts, amounts)
def test_no_looser_means_never_more_authority(child, parent, seconds, steps, risk):
    child = dataclasses.replace(
        child,
        authority=min(child.authority, parent.authority),
        half_life_s=min(child.half_life_s, parent.half_life_s),
        half_life_steps=min(child.half_life_steps, parent.half_life_steps),
        half_life_risk=min(child.half_life_risk, parent.half_life_risk),
        reauthorize_below=max(child.reauthorize_below, parent.reauthorize_below),
        floors=parent.floors,
    )
    assume(find_decay_violation(child, parent) is None)
    assert authority(child, seconds, steps, risk) <= authority(parent, seconds, steps, risk)


@given(decays, decays)
def test_the_tighter_of_two_is_the_loosest_within_both(a, b):
    assert tighter_decay(a, a) == a
    assert find_decay_violation(tighter_decay(a, b), tighter_decay(b, a)) is None
    if find_decay_violation(a, b) is None:
        assert find_decay_violation(a, tighter_decay(a, b)) is None


@given(decays)
def test_decay_round_trips(decay):
    assert parse_decay(decay_to_json(decay), "") == decay


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"authority": 800_001}, "a0"),
        ({"half_life_s": 1801}, "hl_s"),
        ({"half_life_steps": 21}, "hl_steps"),
        ({"half_life_risk": 20_001}, "hl_risk"),
        ({"reauthorize_below": 99_999}, "reauth"),
        ({"floors": DECAY.floors[1:]}, "floors"),
        ({"floors": ((DECAY.floors[0][0], 99_999), *DECAY.floors[1:])}, "floors"),
        ({"bands": ()}, "bands"),
        ({"bands": ((101, 600_000), (500, 200_000))}, "bands"),
        ({"bands": ((100, 600_001), (500, 200_000))}, "bands"),
        ({"bands": ((100, 600_000),)}, "bands"),
        ({"bands": ((99, 600_000), (500, 200_000))}, None),
        ({"bands": ((100, 200_000),)}, None),
        ({"bands": ((1, 600_000), (50, 300_000), (499, 0))}, None),
        ({"authority": 1, "half_life_s": 1}, None),
    ],
)
def test_a_looser_decay_is_named(changes, what):
    found = find_decay_violation(dataclasses.replace(DECAY, **changes), DECAY)
    assert found == (None if what is None else ("decay_widened", what))


units = st.sampled_from(["EUR", "USD", "step"])
limits = st.dictionaries(units, st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 3)), max_size=3).map(
    lambda d: tuple(Budget(unit, min(a, b), b, c) for unit, (a, b, c) in sorted(d.items()))
)


@given(limits, limits)
def test_the_tighter_budgets_are_worth_no_more_than_either(a, b):
    both = tighter_budgets(a, b)
    assert [(item.unit, item.decimals) for item in both] == [(item.unit, item.decimals) for item in a]
    assert find_budget_violation(both, a) is None
    others = {item.unit: item for item in b}
    for item in both:
        other = others.get(item.unit, item)
        for mine, theirs in ((item.per_action, other.per_action), (item.subtree, other.subtree)):
            assert mine * 10**other.decimals <= theirs * 10**item.decimals
    assert tighter_budgets(a, a) == a


def test_budgets_within():
    assert find_budget_violation(BUDGETS, BUDGETS) is None
    assert find_budget_violation(BUDGETS[1:], BUDGETS) == ("budget_units_changed", "USD")
    assert find_budget_violation((*BUDGETS, Budget("EUR", 0, 0)), BUDGETS) == ("budget_units_changed", "EUR")
    for changed in (Budget("step", 1, 21), Budget("step", 2, 20), Budget("step", 1, 20, 1)):
        assert find_budget_violation((*BUDGETS[:2], changed, BUDGETS[3]), BUDGETS) == ("budget_widened", "step")


def test_budgets_round_trip():
    assert parse_budgets(budgets_to_json(BUDGETS), "") == BUDGETS
