"""Authority: halving, age, the least of a chain, floors and bands. Invariants: MONO, CLOSE, FAILCLOSED."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from envelope_world import DECAY, changed, floors
from hypothesis import given, settings
from hypothesis import strategies as st

from chain_world import chain, verify
from counts import count
from halo_core.authority import (
    compute_age,
    compute_authority,
    compute_effective_authority,
    find_floor,
    halve_authority,
)
from halo_core.model import AUTHORITY_ONE, Decay, Envelope, Impact

NOW = 1_800_000_000_000_000
STANDING, SESSION, HANDED, DEEPER = verify(chain(4))

authorities = st.integers(0, AUTHORITY_ONE)
ages = st.integers(0, 70 * AUTHORITY_ONE)
lives = st.integers(1, 10**7)
bands = st.lists(st.tuples(st.integers(1, 500), st.integers(0, AUTHORITY_ONE)), max_size=4).map(
    lambda found: tuple(
        (points, ceiling)
        for points, ceiling in zip(
            sorted({points for points, _ in found}), sorted({c for _, c in found}, reverse=True), strict=False
        )
    )
)
decays = st.builds(
    Decay,
    authority=authorities,
    half_life_s=lives,
    half_life_steps=lives,
    half_life_risk=lives,
    reauthorize_below=authorities,
    floors=st.just(floors()),
    bands=bands,
)


@st.composite
def accounts(draw) -> Envelope:
    spent = {unit: draw(st.integers(0, 2_000)) for unit in ("risk", "step")}
    return Envelope(
        link="a",
        epoch=1,
        since_us=NOW - draw(st.integers(-(10**6), 10**11)),
        base_step=draw(st.integers(0, spent["step"])),
        base_risk=draw(st.integers(0, spent["risk"])),
        spent=tuple((unit, 0, amount) for unit, amount in sorted(spent.items())),
    )


# halving


@given(authorities, ages, st.integers(0, 3 * AUTHORITY_ONE))
def test_halved_never_rises_with_age(authority, old, more):
    assert 0 <= halve_authority(authority, old + more) <= halve_authority(authority, old) <= authority


@given(authorities, authorities, ages)
def test_halved_never_gives_more_to_whoever_had_less(a, b, old):
    assert halve_authority(min(a, b), old) <= halve_authority(max(a, b), old)


@given(authorities, ages)
def test_halved_is_at_most_6_15_percent_above_the_exponential(authority, old):
    whole, part = divmod(old, AUTHORITY_ONE)
    assert halve_authority(authority, old) <= authority * 2.0 ** -(whole + part / AUTHORITY_ONE) * 1.0615 + 1e-9


@given(authorities, ages)
def test_halved_is_the_line_between_two_halvings_rounded_down(authority, old):
    whole, part = divmod(old, AUTHORITY_ONE)
    share = Fraction(part, AUTHORITY_ONE)
    line = (1 - share) * Fraction(authority, 2**whole) + share * Fraction(authority, 2 ** (whole + 1))
    assert line - 2 < halve_authority(authority, old) <= line  # it never rounds up, and loses less than two millionths


@pytest.mark.parametrize("whole", range(66))
def test_whole_half_lives_halve(whole):
    assert halve_authority(AUTHORITY_ONE, whole * AUTHORITY_ONE) == AUTHORITY_ONE >> whole
    assert halve_authority(2**60, whole * AUTHORITY_ONE) == (2**60 >> whole if whole < 64 else 0)


def test_time_that_runs_backwards_gives_nothing():
    assert halve_authority(500_000, -1) == halve_authority(500_000, 0) == 500_000


@pytest.mark.parametrize("authority", [2**53, 10**18])
def test_after_64_half_lives_nothing_is_left_whatever_there_was(authority):
    assert halve_authority(authority, 64 * AUTHORITY_ONE) == halve_authority(authority, 10**30) == 0


# age


@given(decays, st.tuples(*[st.integers(-5, 10**6)] * 3), st.tuples(*[st.integers(0, 10**6)] * 3))
def test_age_never_falls_in_any_argument(decay, have, more):
    old = compute_age(decay, *have)
    for i, extra in enumerate(more):
        grown = [*have]
        grown[i] += extra
        assert compute_age(decay, *grown) >= old >= 0


@given(decays, st.integers(1, 10**13), st.integers(1, 10**6), st.integers(1, 10**6))
def test_the_smallest_step_ages(decay, lived, steps, risk):
    assert min(compute_age(decay, 1, 0, 0), compute_age(decay, 0, 1, 0), compute_age(decay, 0, 0, 1)) >= 1
    parts = compute_age(decay, lived, 0, 0), compute_age(decay, 0, steps, 0), compute_age(decay, 0, 0, risk)
    assert compute_age(decay, lived, steps, risk) == sum(parts)


@pytest.mark.parametrize("negative", [(-(10**12), 5, 5), (10**9, -5, 5), (10**9, 5, -5)])
def test_less_than_nothing_lived_or_spent_makes_nothing_younger(negative):
    at_least = tuple(max(part, 0) for part in negative)
    assert compute_age(DECAY, *negative) == compute_age(DECAY, *at_least)


def test_each_half_life_is_one_half_life_of_age():
    decay = Decay(1, 1800, 20, 77, 0)
    assert (
        compute_age(decay, 1800 * 1_000_000, 0, 0)
        == compute_age(decay, 0, 20, 0)
        == compute_age(decay, 0, 0, 77)
        == AUTHORITY_ONE
    )


# authority of one link


@given(decays, accounts(), st.integers(0, 10**11), st.integers(0, 10**10), st.integers(0, 50), st.integers(0, 500))
def test_authority_never_rises_with_time_steps_or_risk(decay, account, lived, more, steps, risk):
    now = NOW + lived
    have = compute_authority(decay, account, now)
    assert 0 <= compute_authority(decay, account, now + more, steps=steps, risk=risk) <= have <= decay.authority


@given(decays, accounts(), st.integers(0, 10**11))
def test_a_clock_set_back_before_the_start_gives_no_more_than_at_the_start(decay, account, back):
    at_start = compute_authority(decay, account, account.since_us)
    assert compute_authority(decay, account, account.since_us - back) == at_start


def test_bands_hold_from_their_points_on():
    decay = changed(DECAY, half_life_risk=10**9, bands=((100, 600_000), (500, 200_000)))

    def at(risk, *, more=0, base=0):
        account = Envelope("a", 1, NOW, base_risk=base, spent=(("risk", 0, risk),))
        return compute_authority(decay, account, NOW, risk=more)

    assert at(99) > 600_000
    assert at(100) == at(499) == at(99, more=1) == 600_000
    assert at(500) == at(10_000) == 200_000
    assert at(10_000, base=9_901) > 600_000  # bands count what this epoch risked


def test_a_band_never_raises():
    low = changed(authority=10_000, bands=((1, 900_000),))
    assert compute_authority(low, Envelope("a", 1, NOW, spent=(("risk", 0, 5),)), NOW) <= 10_000


def test_authority_is_never_above_one():
    assert compute_authority(changed(authority=2**40), Envelope("a", 1, NOW), NOW) == AUTHORITY_ONE


def test_what_was_reserved_ages_like_what_was_committed():
    held = Envelope("a", 1, NOW, spent=(("step", 40, 2),))
    assert compute_authority(DECAY, held, NOW) == compute_authority(
        DECAY, Envelope("a", 1, NOW, spent=(("step", 0, 42),)), NOW
    )


# authority of a chain


@settings(max_examples=count(300))
@given(decays, decays, accounts(), accounts(), st.integers(0, 10**11), st.integers(0, 60), st.integers(0, 300))
def test_a_child_has_no_more_than_its_parent_whatever_it_asks_for(own, given_, mine, theirs, lived, steps, risk):
    """CLOSE: also of terms that no verifier would let through."""
    parent = link_with(SESSION, own)
    child = link_with(HANDED, given_)
    due = (("risk", risk), ("step", steps))
    above = compute_effective_authority((STANDING, parent), (mine,), NOW + lived, due)
    assert compute_effective_authority((STANDING, parent, child), (mine, theirs), NOW + lived, due) <= above
    deeper = link_with(DEEPER, changed(given_, authority=AUTHORITY_ONE, half_life_s=10**7))
    three = compute_effective_authority((STANDING, parent, child, deeper), (mine, theirs, theirs), NOW + lived, due)
    assert three <= compute_effective_authority((STANDING, parent, child), (mine, theirs), NOW + lived, due)


def link_with(link, decay):
    return replace(link, decay=decay)


def test_charges_age_every_link_of_the_chain():
    account = Envelope("a", 1, NOW)
    chain_ = (STANDING, link_with(SESSION, DECAY), link_with(HANDED, DECAY))
    before = compute_effective_authority(chain_, (account, account), NOW)
    after = compute_effective_authority(chain_, (account, account), NOW, (("risk", 5_000), ("step", 1), ("USD", 10**9)))
    assert before == 1_000_000
    assert after == compute_authority(DECAY, account, NOW, steps=1, risk=5_000) < before


def test_the_least_of_the_chain_counts_wherever_it_stands():
    fresh, worn = Envelope("a", 1, NOW), Envelope("b", 1, NOW, spent=(("step", 0, 2_000),))
    links = (STANDING, link_with(SESSION, DECAY), link_with(HANDED, DECAY))
    assert (
        compute_effective_authority(links, (fresh, worn), NOW)
        == compute_effective_authority(links, (worn, fresh), NOW)
        == compute_effective_authority(links[:2], (worn,), NOW)
    )


def test_without_a_decaying_link_or_without_its_account_nobody_knows():
    with pytest.raises(ValueError, match="no link of the chain decays"):
        compute_effective_authority((STANDING,), (), NOW)
    account = Envelope("a", 1, NOW)
    for kept in ((), (account, account)):
        with pytest.raises(ValueError, match=r"zip\(\) argument 2 is"):
            compute_effective_authority((STANDING, SESSION), kept, NOW)


# floors


@pytest.mark.parametrize("impact", Impact)
def test_a_class_nobody_speaks_of_needs_full_authority(impact):
    silent = link_with(SESSION, changed(floors=()))
    assert find_floor((STANDING, silent), impact) == AUTHORITY_ONE
    assert find_floor((STANDING,), impact) == find_floor((), impact) == AUTHORITY_ONE


def test_the_highest_floor_of_the_chain_counts():
    low = link_with(SESSION, changed(floors=floors(50_000, payment=300_000)))
    high = link_with(HANDED, changed(floors=floors(60_000, payment=200_000)))
    assert find_floor((STANDING, low, high), Impact.PAYMENT) == 300_000
    assert find_floor((STANDING, low, high), Impact.READ) == find_floor((STANDING, high, low), Impact.READ) == 60_000


def test_no_floor_is_below_the_point_of_reauthorization():
    link = link_with(SESSION, changed(floors=floors(0), reauthorize_below=70_000))
    assert {find_floor((STANDING, link), impact) for impact in Impact} == {70_000}
