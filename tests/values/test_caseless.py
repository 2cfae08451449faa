"""Patterns that are searched in small letters find what they would find without regard to case."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import halo_core.values
from counts import count
from halo_core.values.kinds.kinds import Form
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.lexicon import LOOSE
from halo_core.values.language.text import split_name
from halo_core.values.requests import phrasal_verbs

PHRASES = (*phrasal_verbs._ORDERS, *phrasal_verbs._PHRASES, *phrasal_verbs._LOOSE_PHRASES)


def _list_patterns():
    found = {f"{item.verb} {at}": item.pattern for at, item in enumerate(PHRASES)}
    for module in pkgutil.walk_packages(halo_core.values.__path__, "halo_core.values."):
        members = vars(importlib.import_module(module.name))
        found |= {f"{module.name}.{name}": item for name, item in members.items()}
    return {name: item for name, item in found.items() if type(item) is CaselessPattern}


PATTERNS = _list_patterns()
# What the patterns themselves are made of: each word that any of them looks for stands in some text.
WORDS = sorted(
    {word for item in PATTERNS.values() for word in re.findall(r"[^\W\d_]{1,14}", item.pattern)}
    | {"Ana", "DE89370400440532013000", "eve@x.example", "20", "EUR", "1,500.00", "İ", "K", "ſend", "sakin", "SAKIN"}
)
SIGNS = (" ", ", ", ".", ". ", ";", ":", "\n", "?", "-", "'")
PARTS = st.tuples(st.sampled_from(WORDS), st.sampled_from((str.lower, str.upper, str.title)), st.sampled_from(SIGNS))
TEXTS = st.lists(PARTS, max_size=24).map(lambda parts: "".join(change(word) + sign for word, change, sign in parts))
ENGLISH = TEXTS.map(lambda text: text.encode("ascii", "ignore").decode())


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_a_pattern_tells_no_cases_apart(name):
    bare = re.sub(r"\\.", "", PATTERNS[name].pattern)
    # Two letters of other scripts are an `s` and a `k` without regard to case, and İ an `i`.
    assert re.search("[A-Z\u0130\u017f\u212a]|\\(\\?-i", bare) is None


@given(st.one_of(TEXTS, ENGLISH, ENGLISH))
@settings(max_examples=count(400), deadline=None)
def test_the_same_places_are_found(text):
    for item in PATTERNS.values():
        plain = re.compile(item.pattern, re.IGNORECASE)
        assert [match.span() for match in item.finditer(text)] == [match.span() for match in plain.finditer(text)]
        for ours, theirs in ((item.search, plain.search), (item.match, plain.match)):
            found, wanted = ours(text), theirs(text)
            assert (found and found.span()) == (wanted and wanted.span()), (item.pattern, text)


NEEDING = {name: (item.pattern, item._needs) for name, item in PATTERNS.items() if item._needs}
NEEDING |= {f"{item.verb} {at}": (item.pattern.pattern, item.needs) for at, item in enumerate(PHRASES)}


@pytest.mark.share(2)
@pytest.mark.parametrize("name", sorted(NEEDING))
@given(st.data())
@settings(max_examples=count(40, fewest=5), deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_a_pattern_finds_has_what_it_needs(name, data):
    pattern, needs = NEEDING[name]
    text = data.draw(st.from_regex(re.compile(pattern, re.IGNORECASE | re.ASCII)))
    found = re.search(pattern, text, re.IGNORECASE)
    assert found is None or not found[0].isascii() or any(need in found[0].lower() for need in needs)


@given(st.one_of(TEXTS, ENGLISH, ENGLISH))
@settings(max_examples=count(400), deadline=None)
def test_no_phrase_is_left_out(text):
    found = list(phrasal_verbs.find_phrasal_verbs(text))
    loose = phrasal_verbs._LOOSE_PHRASES
    said = [(item.verb, LOOSE if item in loose else "") for item in PHRASES if item.pattern.search(text) is not None]
    assert found == [Form("verb", mark + stem) for verb, mark in said for stem in split_name(verb)]
