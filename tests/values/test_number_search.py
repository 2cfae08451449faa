"""Fast searches for numbers in a text find what plain patterns find."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counts import count
from halo_core.values.kinds import amounts, dates, numbered, numbers
from halo_core.values.provenance.forms import find_forms
from halo_core.values.sketches.spans import tokenize

_TEXTS = st.text(alphabet="0123456789 +-(./,:#@_abEUR$€\n", max_size=24)

# As the modules have them, with what must not stand before a number in front.
_PLAIN = {
    "_ISO_DATE": r"(?<![0-9-])([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})(?![0-9-])",
    "_NUMERIC_DATE": r"(?<![0-9./-])([0-9]{1,2})([./-])([0-9]{1,2})\2([0-9]{4})(?![0-9])",
    "_YEAR": r"(?<![0-9])(?:19|20)[0-9]{2}(?![0-9])",
    "_SHORT_NUMBER": r"(?<![\w.,])[0-9]{1,4}(?![\w])",
    "_SORT_CODE": r"(?<![0-9-])[0-9]{2}-[0-9]{2}-[0-9]{2}(?![0-9-])",
    "_DIGIT_RUN": r"(?<![A-Za-z0-9_#/=@.,+-])\+?\(?[0-9]++\)?(?:(?:[ -]{1,2}\(?|\.(?=[0-9]{2}))[0-9]++\)?)*+"
    r"(?P<tail>[A-Za-z_@/]|[.,:-][0-9])?",
    "_NUMBER_IN_TEXT": r"(?<![A-Za-z0-9_.,:/-])(?<![A-Za-z0-9]-)[+-]?[0-9]++"
    r"(?:[.,'][0-9]++|[ \u202f][0-9]{3}(?![0-9]))*+(?![A-Za-z0-9_/@-]|:\S)",
}


@pytest.mark.parametrize("name", _PLAIN)
@settings(max_examples=count(400))
@given(text=_TEXTS)
def test_a_pattern_finds_what_its_plain_form_finds(name, text):
    pattern = next(getattr(module, name) for module in (numbers, amounts, dates, numbered) if hasattr(module, name))
    found = [(match.span(), match.groups()) for match in pattern.finditer(text)]
    assert found == [(match.span(), match.groups()) for match in re.finditer(_PLAIN[name], text)]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("EUR\n5", "5 EUR"),
        ("costs USD \n12.50", "12.5 USD"),
        ("12\u00a0\u20ac", "12 EUR"),
        ("\u00a37", "7 GBP"),
        ("7 u\u017fd", "7 USD"),
        ("90 EUROS", "90 EUR"),
    ],
)
def test_a_currency_beside_a_number_is_found(text, amount):
    assert ("amount", amount) in find_forms(text)


@pytest.mark.parametrize("text", ["5 Euler", "5 b USD", "usd 5x", "5\nEUR"])
def test_a_word_that_is_no_currency_beside_the_number_is_none(text):
    assert [form for form in find_forms(text) if form.domain == "amount" and " " in form.text] == []


@pytest.mark.parametrize(("text", "noun"), [("order with the id 13", "order 13"), ("#7 channel", "channel 7")])
def test_a_number_is_found_with_its_noun(text, noun):
    assert ("numbered", noun) in find_forms(text)


def test_of_a_long_text_only_the_first_tokens_are_taken():
    assert tokenize("a, b, c d", 4) == ["a", ",", "b", ","]
