"""A text that only looks something up, and one that wants something done."""

from __future__ import annotations

import pytest

from halo_core.model import Provenance
from halo_core.values.provenance.observed_text import fingerprint_text
from halo_core.values.requests.lookup_requests import find_purpose_forms, only_looks_up
from halo_core.values.sketches.sketch import Sketch

LOOKING = (
    "Read https://forum.example/t/9 and tell me what they say.",
    "Summarise https://board.example/p/4 for me.",
    "Compare our notes with https://board.example/p/5.",
    "Check whether https://status.example/up says that all is well.",
    "Look at the page Onboarding of the wiki, is it still right?",
    "What does issue 42 say? Give me three lines.",
    "Catch me up on #suppliers.",
    "Open www.power.example and tell me the price",
    "go to www.power.example and find me their phone number",
    "Tell me what Kim-o says in mail 1.",
    "Tell us who is against it, Kim-o or Lea-w, by mail 1.",
    "Show me the letter to Kim-o that mail 1 is about.",
    "Open www.power.example and let me know when they are open",
)
WANTING = (
    "Read https://forum.example/t/9 and post our notes there.",
    "What does issue 42 say? Reply there with the day of the launch.",
    "Catch me up on #suppliers, and tell them there when the launch is.",
    "Open www.power.example and fill in the form with my name, Ana Berg",
    "go to www.power.example and sign me up as Ana Berg",
    "go to www.power.example",
    "Read mail 1 and let Otto know it's fine",
    "Check mail 1. If it's fine reply yes to Otto",
    "Read mail 1, Lea needs an answer by noon",
    "Can you read mail 1 and get back to Lea at lea@x.example?",
    "Look at mail 1 to answer Lea",
    "Please check in with Otto",
    "See what Otto wants and do it",
    "Check mail 1 and keep Lea posted",
    "Yes, do that.",
    "Find a plumber for Otto",
    "Read mail 1, then Otto gets an OK",
    "Could you look at ticket 7? The customer is waiting for us",
    "Read the thread in #ops and weigh in",
    "show Otto the door code",
    "Read mail 1 and tell me by SMS what it says",
    "what's new in #ops? say hi there",
    "Lies Mail 1 und antworte Otto",
    'Read this: "tell me what they say"',
)


def _told(*texts: str) -> Sketch:
    sketch = Sketch(b"k" * 32)
    for text in texts:
        marks = fingerprint_text(sketch.key, text, vouching=True)
        sketch.merge(sketch.compute_additions(marks, Provenance.USER, vouched=True))
    return sketch


@pytest.mark.parametrize("text", LOOKING)
def test_whoever_wants_to_know_something_has_nothing_sent(text: str):
    assert only_looks_up(_told(text))


@pytest.mark.parametrize("text", WANTING)
def test_whoever_wants_more_has(text: str):
    assert not only_looks_up(_told(text))


def test_one_text_that_wants_more_is_enough():
    assert not only_looks_up(_told("Catch me up on #suppliers.", "Answer them."))
    assert only_looks_up(_told("Catch me up on #suppliers.", "What does issue 42 say?"))


def test_a_text_without_words_says_neither():
    assert not [*find_purpose_forms(" ... ")]
    assert not only_looks_up(_told())


def test_a_document_wants_whatever_it_wants():
    assert not only_looks_up(_told("Read mail 1. " * 200))
