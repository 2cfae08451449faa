"""Prices: what an action costs, whatever the model writes as an amount. Invariants: TOTAL, ENV."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_CEILING, Decimal, localcontext

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chain_world import chain, verify
from halo_core.authority import REFUSED_POINTS, RISK_POINTS, price_action, price_refusal, to_units
from halo_core.errors import BadInput
from halo_core.model import (
    AccessRequest,
    ActionKind,
    Budget,
    Context,
    Envelope,
    Impact,
    Origin,
    Principal,
    Resource,
    Trigger,
)

CHAIN = verify(chain(3))  # USD in 10**-6
LIMIT = 2**53


def request(args=None, **resource) -> AccessRequest:
    declared = {"id": "pay", "kind": ActionKind.TOOL_CALL, "impact": Impact.PAYMENT, **resource}
    return AccessRequest(
        subject=Principal("acme", "writer"),
        kind=ActionKind.TOOL_CALL,
        resource=Resource(**declared),
        args=args or {},
        args_digest="",
        request_id="r",
        context=Context("s", "host", "", "c", Trigger(), Origin(), "dev", ()),
    )


def cost(args=None, *, tainted=False, score=None, **resource):
    found = price_action(request(args, **resource), CHAIN, tainted=tainted, score=score)
    return dict(found.charges), found.problems


def paying(amount):
    return cost({"amount": amount}, amount="amount", unit="USD")


# amounts


@pytest.mark.parametrize(
    ("value", "decimals", "units"),
    [
        (0, 2, 0),
        (1, 2, 100),
        (12.34, 2, 1234),
        (0.1 + 0.2, 2, 31),  # 0.30000000000000004 is more than 30
        ("0.001", 2, 1),
        ("12.340", 2, 1234),
        ("1e3", 2, 100_000),
        (Decimal("0.0000001"), 6, 1),
        (5e-324, 0, 1),
        ("1e-400000", 0, 1),
        ("-0", 2, 0),
        (LIMIT - 1, 0, LIMIT - 1),
    ],
)
def test_an_amount_is_rounded_up_to_whole_units(value, decimals, units):
    assert to_units(value, decimals) == units


@pytest.mark.parametrize(
    "value",
    [
        -1,
        -0.01,
        "-0.000001",
        float("nan"),
        float("inf"),
        "-inf",
        "NaN",
        "sNaN",
        "Infinity",
        True,
        False,
        None,
        "",
        "ten",
        "0x10",
        "1,5",
        b"5",
        [5],
        {"amount": 5},
        (5,),
        5j,
        LIMIT,
        10**400,
        10**5000,
        1e300,
        "9" * 5000,
        "1e999999999999999999999",
        object(),
    ],
    ids=lambda value: f"{type(value).__name__}-{str(value)[:12] if not isinstance(value, int) else value % 97}",
)
def test_what_is_no_amount_is_none(value):
    assert to_units(value, 2) is None


def test_an_amount_that_no_counter_holds_is_none_after_scaling_too():
    assert to_units(LIMIT // 10, 0) is not None
    assert to_units(LIMIT // 10, 2) is None


@given(st.decimals(min_value=0, max_value=10**9, places=6), st.integers(0, 6))
def test_a_price_is_never_below_what_was_asked_and_less_than_a_unit_above(amount, decimals):
    units = to_units(amount, decimals)
    assert units == to_units(str(amount), decimals)
    assert 0 <= units - amount.scaleb(decimals) < 1


@given(st.floats(min_value=0, max_value=1e9), st.integers(0, 6))
def test_a_float_costs_what_its_shortest_form_says(amount, decimals):
    assert to_units(amount, decimals) == to_units(repr(amount), decimals)


@given(st.one_of(st.text(), st.floats(), st.integers(), st.booleans(), st.none(), st.binary(), st.lists(st.integers())))
@example("\uff11\uff12")
@example(" 7 ")
@example("1_000")
def test_reading_an_amount_is_total(value):
    units = to_units(value, 2)
    assert units is None or 0 <= units < LIMIT


def test_an_amount_with_many_digits_is_rounded_up_too():
    value = "1." + "0" * 69 + "1"
    with localcontext(prec=200):
        assert to_units(value, 0) == int(Decimal(value).to_integral_value(ROUND_CEILING)) == 2


# prices


@pytest.mark.parametrize("impact", Impact)
def test_every_class_costs_a_step_and_its_points(impact):
    charges, problems = cost(impact=impact)
    assert (charges, problems) == ({"risk": RISK_POINTS[impact], "step": 1}, ())


@pytest.mark.parametrize("impact", Impact)
def test_after_untrusted_content_all_but_reading_costs_twice(impact):
    factor = 1 if impact is Impact.READ else 2
    assert cost(impact=impact, tainted=True)[0]["risk"] == factor * RISK_POINTS[impact]


@given(st.integers(0, 1000), st.booleans())
def test_a_score_only_raises(score, tainted):
    plain = cost(tainted=tainted)[0]["risk"]
    assert cost(tainted=tainted, score=score)[0]["risk"] == max(plain, score // 10) >= plain


def test_money_is_what_the_argument_says_in_the_passports_decimals():
    assert paying("12.34") == ({"USD": 12_340_000, "risk": 25, "step": 1}, ())


def test_fixed_costs_and_amounts_add_up():
    costs = (("USD", "0.02"), ("USD", "0.0000001"))
    charges, problems = cost({"amount": 1}, amount="amount", unit="USD", costs=costs)
    assert (charges["USD"], problems) == (1_020_001, ())


@pytest.mark.parametrize("amount", [-1, "-1", float("nan"), True, None, "free", 2**60, [1]])
def test_an_amount_that_cannot_be_read_is_a_problem_and_no_charge(amount):
    charges, problems = paying(amount)
    assert problems == (("bad_amount", "USD"),)
    assert "USD" not in charges


def test_an_amount_left_out_is_a_problem():
    assert cost({}, amount="amount", unit="USD")[1] == (("bad_amount", "USD"),)


def test_a_unit_without_a_budget_is_a_problem():
    assert cost({"amount": 1}, amount="amount", unit="EUR")[1] == (("unknown_unit", "EUR"),)
    assert cost(costs=(("tokens", "5"),))[1] == (("unknown_unit", "tokens"),)


@pytest.mark.parametrize("unit", ["step", "risk", "time"])
def test_a_resource_cannot_set_what_halo_charges_itself(unit):
    for declared in ({"unit": unit, "amount": "n"}, {"costs": ((unit, "0"),)}):
        with pytest.raises(BadInput) as caught:
            Resource(id="x", **declared)
        assert caught.value.code == "caller_sets_reserved_unit"


@given(st.dictionaries(st.sampled_from(["amount", "x"]), st.one_of(st.text(), st.floats(), st.integers(), st.none())))
def test_pricing_is_total_and_never_below_nothing(args):
    charges, _ = cost(args, amount="amount", unit="USD")
    assert all(0 <= amount < LIMIT for amount in charges.values())


# refusals


@given(st.integers(0, 2_100), st.integers(0, 600), st.integers(0, 600))
def test_a_refusal_never_passes_a_risk_limit(limit, mine, theirs):
    chain_ = tuple(
        replace(link, budgets=(Budget("risk", 500, limit + 10 * link.depth),)) if link.decay else link for link in CHAIN
    )
    envelopes = tuple(Envelope(name, 1, 0, spent=(("risk", 0, spent),)) for name, spent in (("a", mine), ("b", theirs)))
    due = dict(price_refusal(chain_, envelopes)).get("risk", 0)
    room = min(limit + 10 - mine, limit + 20 - theirs)
    assert due == max(min(REFUSED_POINTS, room), 0)


def test_without_a_risk_limit_a_refusal_costs_all_of_its_points():
    chain_ = tuple(replace(link, budgets=()) for link in CHAIN)
    assert price_refusal(chain_, (Envelope("a", 1, 0), Envelope("b", 1, 0))) == (("risk", REFUSED_POINTS),)
