"""Accounts: charging, settling, a new epoch. Invariants: MONO, ENV, EPOCH; charges in any order give the same."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain_world import chain, verify
from halo_core.authority import (
    Shortfall,
    charge_account,
    compute_authority,
    find_shortfalls,
    renew_account,
    settle_account,
)
from halo_core.model import RESERVED_UNITS, Budget, Envelope

NOW = 1_800_000_000_000_000
STANDING, SESSION, HANDED = verify(chain(3))
UNITS = ("EUR", "USD", "risk", "step")
amounts = st.integers(0, 1_000)
charge = st.lists(st.tuples(st.sampled_from(UNITS), amounts), max_size=4, unique_by=lambda item: item[0]).map(tuple)


def account(**spent: tuple[int, int]) -> Envelope:
    return Envelope("a", 1, NOW, spent=tuple((unit, *spent[unit]) for unit in sorted(spent)))


def over(charges, *accounts, budgets=(), links=(SESSION,), time_us=NOW, opened_us=NOW):
    links = tuple(replace(link, budgets=tuple(budgets)) if budgets else link for link in links)
    return find_shortfalls((STANDING, *links), accounts, charges, opened_us=opened_us, time_us=time_us)


# shortfalls


def test_a_limit_holds_to_the_last_unit():
    budget = Budget("USD", 100, 100)
    assert over((("USD", 40),), account(USD=(30, 30)), budgets=[budget]) == []
    assert over((("USD", 41),), account(USD=(30, 30)), budgets=[budget]) == [
        Shortfall("budget_exceeded", SESSION.jti, "USD")
    ]


def test_what_is_reserved_counts_like_what_is_committed():
    assert over((("USD", 1),), account(USD=(100, 0)), budgets=[Budget("USD", 100, 100)])
    assert over((("USD", 1),), account(USD=(0, 100)), budgets=[Budget("USD", 100, 100)])


def test_one_action_has_its_own_limit():
    assert over((("USD", 51),), account(), budgets=[Budget("USD", 50, 100)]) == [
        Shortfall("per_action_exceeded", SESSION.jti, "USD")
    ]


@pytest.mark.parametrize("unit", RESERVED_UNITS)
def test_only_halos_own_units_may_go_without_a_limit(unit):
    assert over(((unit, 10**9),), account(), budgets=[Budget("USD", 1, 1)]) == []
    assert over((("EUR", 0),), account(), budgets=[Budget("USD", 1, 1)]) == [
        Shortfall("unknown_unit", SESSION.jti, "EUR")
    ]


def test_every_link_of_the_chain_is_asked():
    spent = account(step=(0, 20))
    codes = over((("step", 1),), spent, spent, links=(SESSION, HANDED))
    assert [(item.code, item.link) for item in codes if item.unit == "step"] == [
        ("budget_exceeded", SESSION.jti),
        ("budget_exceeded", HANDED.jti),
    ]
    fresh = account()
    assert [item.link for item in over((("step", 1),), spent, fresh, links=(SESSION, HANDED))] == [SESSION.jti]
    assert [item.link for item in over((("step", 1),), fresh, spent, links=(SESSION, HANDED))] == [HANDED.jti]


def test_time_is_the_age_of_the_session_to_the_microsecond():
    budget = Budget("time", 60, 60)
    assert over((), account(), budgets=[budget], time_us=NOW + 60_000_000) == []
    assert over((), account(), budgets=[budget], time_us=NOW + 60_000_001) == [
        Shortfall("budget_exceeded", SESSION.jti, "time")
    ]


def test_an_account_too_few_is_an_error_and_no_free_pass():
    with pytest.raises(ValueError, match="zip"):
        over((("step", 1),), account(), links=(SESSION, HANDED))


# charging


@given(st.lists(charge, max_size=6), st.randoms())
def test_charges_in_any_order_leave_the_same_account(charges, random):
    """I5: the final counters, and the authority they leave, do not depend on who came first."""
    shuffled = [*charges]
    random.shuffle(shuffled)
    one = two = account(step=(0, 3))
    for item in charges:
        one = charge_account(one, item)
    for item in shuffled:
        two = charge_account(two, tuple(reversed(item)))
    assert one == two
    assert SESSION.decay is not None
    assert compute_authority(SESSION.decay, one, NOW) == compute_authority(SESSION.decay, two, NOW)


@given(charge, charge)
def test_a_charge_adds_exactly_itself(have, more):
    before = charge_account(account(), have)
    after = charge_account(before, more)
    for unit in UNITS:
        assert after.total(unit) == before.total(unit) + dict(more).get(unit, 0)
    assert list(after.spent) == sorted(after.spent)


@given(st.lists(st.tuples(st.sampled_from(UNITS), st.integers(-1_000, 1_000)), max_size=5))
def test_no_charge_lowers_a_counter(charges):
    before = account(USD=(10, 10), risk=(0, 10))
    after = charge_account(before, charges)
    assert all(after.total(unit) >= before.total(unit) for unit in UNITS)


def test_halos_own_units_are_committed_at_once_and_others_reserved():
    after = charge_account(account(), (("USD", 5), ("risk", 2), ("step", 1)))
    assert after.spent == (("USD", 5, 0), ("risk", 0, 2), ("step", 0, 1))


# settling


def test_a_cost_is_refunded_down_to_what_it_was():
    before = charge_account(account(USD=(0, 7)), (("USD", 50), ("step", 1)))
    assert settle_account(before, (("USD", 50), ("step", 1)), {"USD": 20}).spent == (("USD", 0, 27), ("step", 0, 1))


def test_what_cost_more_than_reserved_is_charged():
    before = charge_account(account(), (("USD", 50),))
    assert settle_account(before, (("USD", 50),), {"USD": 80}).spent == (("USD", 0, 80),)


def test_without_a_word_about_the_cost_it_is_what_was_reserved():
    before = charge_account(account(), (("USD", 50),))
    assert settle_account(before, (("USD", 50),), {}).spent == (("USD", 0, 50),)


@pytest.mark.parametrize("unit", ["step", "risk"])
def test_steps_and_risk_are_never_given_back(unit):
    before = charge_account(account(), ((unit, 5),))
    assert settle_account(before, ((unit, 5),), {unit: 0}) == settle_account(before, ((unit, 5),), {}) == before


@given(st.lists(st.tuples(charge, st.dictionaries(st.sampled_from(UNITS), st.integers(-50, 2_000))), max_size=5))
def test_settling_never_lowers_what_is_committed_nor_anybody_elses_reservation(actions):
    state = account()
    for charges, _ in actions:
        state = charge_account(state, charges)
    for done, (charges, actual) in enumerate(actions):
        before, state = state, settle_account(state, charges, actual)
        known = {unit: done for unit, _, done in before.spent}
        assert all(committed >= known[unit] for unit, _, committed in state.spent)
        still = {unit: sum(dict(c).get(unit, 0) for c, _ in actions[done + 1 :]) for unit in UNITS}
        for unit, held, _ in state.spent:
            assert held == (still[unit] if unit not in RESERVED_UNITS else 0)


@given(st.lists(charge, max_size=5), st.randoms())
def test_outcomes_in_any_order_leave_the_same_account(charges, random):
    state = account()
    for item in charges:
        state = charge_account(state, item)
    actual = [{unit: amount // 2 for unit, amount in item} for item in charges]
    pairs = list(zip(charges, actual, strict=True))
    one = two = state
    for item in pairs:
        one = settle_account(one, *item)
    random.shuffle(pairs)
    for item in pairs:
        two = settle_account(two, *item)
    assert one == two


def test_an_outcome_of_something_never_charged_changes_nothing():
    assert settle_account(account(), (("USD", 50),), {"USD": 500}) == account()


# a new epoch


@given(charge, charge, st.integers(0, 10**10))
def test_a_new_epoch_ages_anew_and_forgets_nothing_spent(have, more, later):
    assert SESSION.decay is not None
    old = charge_account(account(), have)
    new = renew_account(old, epoch=2, since_us=NOW + later)
    assert (new.spent, new.epoch, new.since_us) == (old.spent, 2, NOW + later)
    assert compute_authority(SESSION.decay, new, NOW + later) == SESSION.decay.authority
    assert [charge_account(new, more).total(unit) for unit in UNITS] == [
        charge_account(old, more).total(unit) for unit in UNITS
    ]
    worn = compute_authority(SESSION.decay, charge_account(new, more), NOW + later)
    assert worn == compute_authority(SESSION.decay, charge_account(account(), more), NOW)
