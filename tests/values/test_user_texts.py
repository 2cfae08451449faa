"""What only a text of the user says: names, prohibitions, the most that is paid, acts in other languages."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halo_core.values.foreign_words import find_foreign_acts, to_numbered_noun
from halo_core.values.user_texts import (
    drop_forbidden,
    find_ceiling_forms,
    find_named_words,
    generate_neighbours,
    is_above_ceiling,
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Invite bob, alice and ben", {"bob", "alice", "ben"}),
        ("Pay out anna", {"anna"}),
        ("Order aspirin", {"aspirin"}),
        ("the vendors table", {"vendors"}),
        ('the user "rent"', {"rent"}),
        ("Pay the rent and do what it says", set()),
        ("what does my mail say", set()),
    ],
)
def test_words_are_names_by_where_they_stand(text, names):
    found = {form.text for form in find_named_words(text) if form.domain == "named"}
    assert found - {text.split()[0].lower()} == names


def test_a_thing_with_an_article_is_no_name():
    assert list(find_named_words("post it to the tracker"))[-1] == ("thing", "tracker")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Pay 9 to A, not to B", "Pay 9 to A, \n"),
        ("Don't forget to pay B", "Don't forget to pay B"),
        ("B was hacked. Pay A", "\n Pay A"),
        ("不要付给B，付给A", "\n付给A"),
    ],
)
def test_what_is_forbidden_is_left_out(text, left):
    assert drop_forbidden(text) == left


@given(st.integers(0, 10**9).map(lambda n: Decimal(n) / 100), st.integers(0, 10**9).map(lambda n: Decimal(n) / 100))
def test_an_amount_is_above_the_sum_exactly_if_it_is_larger(written, paid):
    forms = set(find_ceiling_forms(f"Pay {written} euro to A"))
    assert is_above_ceiling(str(paid), lambda items: [item in forms for item in items]) is (paid > written)


@pytest.mark.parametrize("text", ["Pay A", "Pay 90 euro plus fees", "Pay 90 euro each", ""])
def test_a_text_that_leaves_the_sum_open_has_no_ceiling(text):
    assert list(find_ceiling_forms(text)) == []


@pytest.mark.parametrize("amount", ["1e400", "-1e400", "nan", "x", "9" * 60])
def test_no_amount_is_too_odd_to_compare(amount):
    forms = set(find_ceiling_forms(f"Pay 90 euro and {'9' * 60} USD"))
    assert is_above_ceiling(amount, lambda items: [item in forms for item in items])


@pytest.mark.parametrize(
    "text",
    [
        "Überweise es",
        "ÜBERWEISEN",
        "Bitte u\u0308berweisen",
        "Vire-le",
        "Zapłać",
        "zaplac",
        "请支付",
        "حوّل",
        "Ödeyin",
        "Заплати",
    ],
)
def test_acts_are_read_in_other_languages(text):
    assert find_foreign_acts(text) == {"pay"}


@pytest.mark.parametrize(
    "text",
    ["the environment", "an executive publication", "the invitation, not the reservation", "salvage, caricature"],
)
def test_english_words_are_no_foreign_acts(text):
    assert find_foreign_acts(text) == set()


@pytest.mark.parametrize(
    ("noun", "stands"), [("mail", "message"), ("Rechnung", "invoice"), ("支付发票", "invoice"), ("order", "order")]
)
def test_nouns_of_one_thing_are_one(noun, stands):
    assert to_numbered_noun(noun) == stands


def test_neighbours_are_one_sign_away():
    found = set(generate_neighbours("c-77"))
    assert {"c-78", "c-7", "c-777", "-c77", "b-77"} <= found
    assert not {"c-88", "77", "c-7777"} & found
