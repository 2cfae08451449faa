"""Long runs of one sign are read in time that grows as they do, and with the same result as by plain patterns.

The long ones would take hours otherwise, so that no clock is needed to tell.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counts import count, is_thorough
from halo_core.values.language.text import generate_spellings
from halo_core.values.provenance.forms import _GLUED_SENTENCE
from halo_core.values.requests.order_counts import PRICE_LIMIT, find_count_forms

LONG = 1_000_000 if is_thorough() else 250_000
_PLAIN_ID = re.compile(r"(?=[\w-]*[0-9])(?=[\w-]*[A-Za-z])[A-Za-z0-9][\w-]{1,31}")
_MONEY = r"(?:[$€] ?[0-9][0-9.,]*|[0-9][0-9.,]* ?(?:[$€]|eur\b))"
_PLAIN_LIMIT = re.compile(
    rf"\b(?:at most|max) {_MONEY}|{_MONEY} (?:(?:each|per \w+),? )?(?:at most|max)\b", re.IGNORECASE
)
_PLAIN_ESCAPED = re.compile(r"\S*%[0-9a-fA-F]{2}\S*")


@pytest.mark.parametrize("run", ["-", "_", "a", "0", "1-", "a-", "0,", "0,,", "$0", "1a"])
def test_a_long_run_is_read(run):
    assert len(list(find_count_forms(run * (LONG // len(run))))) < 100


@pytest.mark.parametrize("run", ["%", "%4", "a%"])
def test_a_long_run_of_per_cent_signs_is_read(run):
    assert list(generate_spellings(run * (LONG // len(run)))) == []


@settings(max_examples=count(400))
@given(st.text(alphabet="a1B-_é٣ .", max_size=90))
def test_ids_are_found_as_by_the_plain_pattern(text):
    text = f"order 2 {text}".partition(". ")[0]
    ids = [name.casefold() for name in _PLAIN_ID.findall(text)]
    found = [form.text for form in find_count_forms(text) if form.domain == "counted"]
    assert (ids[0] in found) if len(ids) == 1 else not found


@settings(max_examples=count(400))
@given(st.lists(st.sampled_from("5 0 12 . , $ € eur each per_kg max at_most x -".split()), max_size=10), st.data())
def test_a_limit_of_a_price_is_found_as_by_the_plain_pattern(parts, data):
    text = "".join(part.replace("_", " ") + data.draw(st.sampled_from(["", " "])) for part in parts)
    assert (PRICE_LIMIT in find_count_forms(text)) == (_PLAIN_LIMIT.search(text) is not None)


@settings(max_examples=count(400))
@given(st.text(alphabet="%41a \n\u00a0\u2028\x1c", max_size=40))
def test_escaped_words_are_decoded_as_by_the_plain_pattern(text):
    assert {unquote(word) for word in _PLAIN_ESCAPED.findall(text)} <= set(generate_spellings(text))


@pytest.mark.parametrize("run", ["a.", "aa.", "a-.", "a..", "aa.A"])
def test_a_long_row_of_labels_is_read(run):
    assert _GLUED_SENTENCE.search(run * (LONG // len(run)) + "-") is None


@settings(max_examples=count(400))
@given(st.lists(st.sampled_from("www corp com a They T . . . - , é 1 '".split()), max_size=14))
def test_glued_sentences_are_found_as_by_the_plain_pattern(parts):
    text = "".join(parts)
    plain = re.finditer(r"((?:[\w-]+\.)+[a-z]{2,})\.([A-Z][a-z]*)(?=[\s,;:!?']|$)", text)
    found = [(match.span(), match.groups()) for match in _GLUED_SENTENCE.finditer(text)]
    assert found == [(match.span(), match.groups()) for match in plain]
