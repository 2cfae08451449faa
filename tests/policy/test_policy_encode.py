"""Encoding of argument values for Cedar."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counts import count
from halo_core.policy.encoding import ABSENT, MAX_DEPTH, EncodingError, encode_amount, encode_value, escape_key

RESERVED = {"__entity", "__extn", "__expr"}


def decimal(text: str) -> dict[str, object]:
    return {"__extn": {"fn": "decimal", "arg": text}}


def keys(value):
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from keys(item)
    elif isinstance(value, list):
        for item in value:
            yield from keys(item)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        ("text", "text"),
        (5, 5),
        (2**63 - 1, 2**63 - 1),
        (2**63, "$i:9223372036854775808"),
        (-(2**63), "$i:-9223372036854775808"),
        (98.7, decimal("98.7000")),
        (1000.00001, decimal("1000.0001")),
        (-1000.00001, decimal("-1000.0001")),
        (1e300, "$f:1e+300"),
        (math.nan, "$f:nan"),
        (math.inf, "$f:inf"),
        (None, ABSENT),
        ([1, None], [1, "$null"]),
        ({"a": None, "b": 1}, {"b": 1}),
        (b"\x00\x01", "$b:AAE="),
        ("$i:5", "$$i:5"),
        ("$null", "$$null"),
        ("$filter", "$filter"),
        ({"__entity": 1}, {"___entity": 1}),
    ],
)
def test_values_become_what_cedar_can_hold(value, expected):
    assert encode_value(value) == expected


def test_a_bool_is_never_a_number():
    assert encode_value(True) is True
    for declared in ("long", "decimal", "string", "set<long>"):
        with pytest.raises(EncodingError):
            encode_value(True, declared)


@pytest.mark.parametrize(
    ("value", "declared", "expected"),
    [
        (5, "decimal", decimal("5.0000")),
        (5.0, "long", 5),
        (5, "long", 5),
        ("a", "string", "a"),
        (["a"], "set<string>", ["a"]),
        ([1, 2.5], "set<decimal>", [decimal("1.0000"), decimal("2.5000")]),
        (None, "long", ABSENT),
        ({"a": 1}, "any", {"a": 1}),
    ],
)
def test_declared_types_direct_the_encoding(value, declared, expected):
    assert encode_value(value, declared) == expected


@pytest.mark.parametrize(
    ("value", "declared"),
    [
        ("5", "decimal"),
        (5.5, "long"),
        (2**63, "long"),
        (math.nan, "decimal"),
        (1e300, "decimal"),
        (5, "string"),
        ("a", "bool"),
        ("a", "set<string>"),
        ([None], "set<string>"),
        ({"__extn": {"fn": "decimal", "arg": "1.0"}}, "decimal"),
        ({"__entity": {"type": "Tool", "id": "x"}}, "string"),
    ],
)
def test_a_value_that_does_not_fit_its_type_is_refused(value, declared):
    with pytest.raises(EncodingError):
        encode_value(value, declared)


def test_depth_nodes_surrogates_and_strange_values_are_refused():
    deep: object = 1
    for _ in range(MAX_DEPTH + 1):
        deep = [deep]
    for value in (deep, [0] * 100_001, "\ud800", {"\ud800": 1}, {1: 2}, object(), 10**5000):
        with pytest.raises(EncodingError):
            encode_value(value)


@pytest.mark.parametrize(("value", "text"), [(5, "5.0000"), ("12.5", "12.5000"), (-0.00001, "-0.0001")])
def test_amounts_are_read(value, text):
    assert encode_amount(value) == decimal(text)


@pytest.mark.parametrize("value", ["5,000", "", "1e5", True, [5], "\u0665", math.nan, 10**20, "1" * 19])
def test_an_unreadable_amount_is_an_error_and_not_absent(value):
    with pytest.raises(EncodingError):
        encode_amount(value)


def test_the_thread_s_decimal_context_changes_nothing():
    import decimal as d

    with d.localcontext(d.Context(prec=3, rounding=d.ROUND_DOWN)):
        assert encode_value(123456.78901) == decimal("123456.7891")


@given(st.text(alphabet="_entityxprn", max_size=14), st.text(alphabet="_entityxprn", max_size=14))
@settings(max_examples=count(200))
def test_escaped_keys_are_never_reserved_and_never_collide(one, other):
    assert escape_key(one) not in RESERVED
    assert (escape_key(one) == escape_key(other)) == (one == other)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*RESERVED, "___extn", "a", "type", "id"]) | st.text(max_size=4), inner)
    ),
    max_leaves=12,
)


@given(JSON)
@settings(max_examples=count(200))
def test_nothing_inside_a_value_is_an_entity(value):
    encoded = encode_value(value)
    found = list(keys(encoded)) if encoded is not ABSENT else []
    assert "__entity" not in found
    assert "__expr" not in found


@given(st.floats(min_value=-1e12, max_value=1e12))
@settings(max_examples=count(200))
def test_rounding_never_brings_a_magnitude_down(value):
    from fractions import Fraction

    text = encode_value(value)["__extn"]["arg"]
    assert 0 <= abs(Fraction(text)) - abs(Fraction(repr(value))) < Fraction(1, 10_000)
