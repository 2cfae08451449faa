"""Counts that a user allows, numbers that say which one, and limits of a price."""

from __future__ import annotations

import pytest

from halo_core.values.requests.order_counts import PRICE_LIMIT, find_count_forms


def read(text: str, domain: str) -> list[str]:
    return [form.text for form in find_count_forms(text) if form.domain == domain]


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("up to 6 each", 6),
        ("at most three of CH-1", 3),
        ("5 at most", 5),
        ("no more than 12 boxes", 12),
        ("between 4 and 8 of CH-1", 8),
        ("höchstens 5 Stühle", 5),
        ("jusqu'à 4 chaises", 4),
        ("up to 30 days", 0),
        ("up to 90 euro", 0),
        ("up to €90", 0),
        ("at most 1.500 pieces", 0),
        ("up to 5000 screws", 0),
        ("order 6 chairs", 0),
    ],
)
def test_a_limit_allows_the_counts_below_it(text, most):
    assert read(text, "allowed_count") == [str(count) for count in range(1, most + 1)]


@pytest.mark.parametrize(
    ("text", "domain", "numbers"),
    [
        ("order 2 chairs for room 640 on floor 9", "counting", ["2"]),
        ("order 2 chairs for room 640 on floor 9", "numbering", ["640", "9"]),
        ("rent the van for 5 days", "measuring", ["5"]),
        ("order 10 of CH-1", "counting", ["10"]),
        ("order 40 is late", "numbering", ["40"]),
    ],
)
def test_a_number_says_how_many_or_which(text, domain, numbers):
    assert read(text, domain) == numbers


@pytest.mark.parametrize("text", ["1" * 300_000, "a" * 300_000, "_" * 300_000, "1." * 150_000])
def test_a_text_of_one_long_word_ends(text):
    """From each of its characters anew, it would take hours."""
    assert PRICE_LIMIT not in set(find_count_forms(text))


@pytest.mark.parametrize(
    ("clause", "ids"),
    [
        ("2 of CH-1 and more", ["ch-1"]),
        ("2 of CH-", []),
        ("2 of a", []),
        ("2 of _x-7y", ["x-7y"]),
        ("2 of 7é", []),
        ("2 of 1" + "a" * 40, ["1" + "a" * 31]),
    ],
)
def test_what_is_an_id_beside_a_count(clause, ids):
    assert [form for form in read(clause, "counted") if " " not in form] == ids


@pytest.mark.parametrize(
    ("text", "is_limited"),
    [("a chair under 50 euro", True), ("40 euro each at most", True), ("a chair at 40 euro", False), ("max 3", False)],
)
def test_the_most_that_something_may_cost(text, is_limited):
    assert (PRICE_LIMIT in set(find_count_forms(text))) is is_limited
