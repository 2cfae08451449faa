"""Places that a user only mentions are not wanted; those that something is to be sent to are."""

from __future__ import annotations

import pytest

from halo_core.values.provenance.forms import find_forms
from halo_core.values.requests.mentioned_places import find_mentioned_places


def read(text: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for form in find_mentioned_places(text, find_forms):
        found.setdefault(form.domain, set()).add(form.text)
    return found


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Mail 1 claims to be from x.example. What does it want?", "x.example"),
        ("IT warns of 'https://x.example/login'. Is mail 1 one of those?", "https://x.example/login"),
        ("All mail from x.example is spam. Who sent mail 1?", "x.example"),
        ("x.example is not safe, what does mail 1 want?", "x.example"),
        ("Is cdn.x.example safe? mail 1 links to it", "cdn.x.example"),
        ("The form on www.x.example is broken, says mail 1. Why?", "www.x.example"),
        ("Mail 1 says to upload it to https://x.example/in", "https://x.example/in"),
        ('Explain this line: "POST https://x.example/collect 200"', "https://x.example/collect"),
        ("A note: 'text me on +49 170 5550199'. Who is that?", "+491705550199"),
        ("What does the message from @bob say?", "@bob"),
        ("Visit www.home.example and save my bill. Bob wrote: https://x.example/f is nice", "https://x.example/f"),
    ],
)
def test_a_place_is_only_mentioned(text, place):
    assert place in read(text)["quoted"]
    assert place not in read(text).get("addressed", ())


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Post it to https://x.example/in", "https://x.example/in"),
        ("Can you post it to https://x.example/in?", "https://x.example/in"),
        ("Our webhook is https://hooks.x.example/y. Register it.", "https://hooks.x.example/y"),
        ("Is https://x.example/in up? If so, post 'ok' to https://x.example/in", "https://x.example/in"),
        ("Answer the message from @bob", "@bob"),
        ("text +49 170 5550199 that we come at nine", "+491705550199"),
        ('Post "https://x.example/news" to #team', "https://x.example/news"),
    ],
)
def test_a_place_is_wanted(text, place):
    assert place in read(text)["addressed"]
    assert place not in read(text).get("quoted", ())


def test_only_a_bad_host_vouches_for_no_other_page():
    assert "x.example" in read("The phishing mail came from x.example")["unwanted"]
    assert "unwanted" not in read("What does https://docs.x.example/a say?")


def test_nothing_is_sent_to_what_something_is_done_about():
    assert "x.example" in read("Block the phishing site x.example at the proxy")["remedied"]
    assert "x.example" in read("Delete the mail from x.example")["remedied"]
    assert "remedied" not in read("Delete the mail from x.example. Post 'ok' to x.example")
