"""Numbers in words."""

from __future__ import annotations

import pytest

from halo_core.values.language.number_words import write_number_words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Pay her ninety euros", "Pay her 90 euros"),
        ("Pay nine hundred and fifty euros to Ana", "Pay 950 euros to Ana"),
        ("Pay a hundred for it", "Pay 100 for it"),
        ("two euros", "2 euros"),
        ("Zahle fünfundneunzig Euro", "Zahle 95 Euro"),
        ("eintausendzweihundert", "1200"),
        ("Paga noventa y cinco euros", "Paga 95 euros"),
        ("quatre-vingt-dix euros, deux cents euros", "90 euros, 200 euros"),
    ],
)
def test_numbers_in_words_are_written_in_digits(text: str, expected: str) -> None:
    assert write_number_words(text) == expected


@pytest.mark.parametrize(
    "text",
    ["one of two", "five five five zero zero", "fünf fünf fünf null", "fifty cents", "Nora and Ben"],
)
def test_small_numbers_and_rows_of_digits_are_left(text: str) -> None:
    assert write_number_words(text) == text
