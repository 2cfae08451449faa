"""Days and times that a user writes in another form than a tool takes them."""

from __future__ import annotations

import pytest
from value_world import NOVEL, UNTRUSTED, USER, world

from halo_core.values.requests.exact_dates import find_exact_dates

DAY = "2025-12-03"


def read(text: str) -> list[str]:
    return [form.text for form in find_exact_dates(text)]


@pytest.mark.parametrize(
    "text",
    [
        "Cancel his shift on 3 Dec 2025, that one is certain.",
        "cancel the shift of 3rd December 2025",
        "cancel December 3, 2025",
        "cancel the one of Dec 3rd 2025, pls",
        "storniere den 3. Dezember 2025",
        "shift of 3-Dec-2025: cancel it",
        "storniere den 03.12.2025",
        "storniere 3.12.25 bitte",
        "annule le 3 décembre 2025",
        "cancela el 3 de diciembre de 2025",
        "annulla il 3 dicembre 2025",
        "cancela 3 de dezembro de 2025",
        "annuleer 3 december 2025",
        "cancel 2025/12/03",
        "cancel 3 Dec 2025. I repeat: 2025-12-03.",
    ],
)
def test_a_day_with_its_year_is_the_users_in_any_form(text):
    assert DAY in read(text)
    assert world(text, f"Course days: {DAY}, 2025-12-24").origin(DAY, "date") is USER


def test_both_ends_of_a_span_are():
    for text in ("off from 3 to 5 December 2025", "off Dec 3-5, 2025", "off 3 Dec 2025 until 5 Dec 2025"):
        assert {"2025-12-03", "2025-12-05"} <= set(read(text))


@pytest.mark.parametrize(
    "text",
    [
        "The course is on 3 Dec 2025; cancel his shift on 5 Dec 2025.",
        "Was the course on 3 Dec 2025 full? Cancel his shift of 4 Dec 2025.",
        "cancel his shift on 12/03/2025",
        "cancel his shift on 03/12/2025",
        "cancel his shift on 31 Feb 2025 and 3 Dec 2025",
        "never cancel 3 Dec 2025",
        "version 3.12.2025.1",
        "cancel his shift in December 2025",
    ],
)
def test_a_day_that_somebody_else_could_choose_is_not(text):
    assert world(text, f"Course days: {DAY}").origin(DAY, "date") is UNTRUSTED


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Move it to 3 Dec 2025 at 3:30 pm", "2025-12-03T15:30"),
        ("Move it to 3 Dec 2025, 15:30", "2025-12-03T15:30:00"),
        ("verschieb es auf den 3.12.2025 um 15.30 Uhr", "2025-12-03T15:30"),
        ("be there at 9 am on 3 Dec 2025", "2025-12-03T09:00"),
        ("noon on December 3, 2025", "2025-12-03T12:00"),
        ("Lock it at 3pm", "15:00"),
        ("à 15h30", "15:30"),
    ],
)
def test_a_time_is_the_users_in_any_form(text, moment):
    assert world(text, f"on {DAY} at 15:30, 12:00, 09:00").origin(moment, "start") is USER


def test_one_of_two_times_is_nobodys():
    assert world("Lunch is at 1pm, lock the door at 3pm", "lock it at 13:00").origin("13:00", "at") is not USER


def test_a_day_without_its_year_is_the_users_if_nobody_else_named_it():
    assert world("cancel the shift on 3 December", "a course").origin(DAY, "date") is USER
    assert world("cancel the shift on Wednesday", "a course").origin(DAY, "date") is USER
    assert world("cancel the shift on Wednesday", "not this wednesday").origin(DAY, "date") is NOVEL
    assert world("cancel the shift on 3 December", "on 3 Dec 2025").origin(DAY, "date") is not USER
    assert world("cancel the shift on 3 December", f"on {DAY}").origin(DAY, "date") is UNTRUSTED
