"""What a user says is to be removed, or sent to somebody."""

from __future__ import annotations

import pytest

from halo_core.values.orders.stated_acts import KEPT, REMOVED, SET, TOLD, find_stated_acts


def read(text: str, domain: str) -> set[str]:
    return {form.text for form in find_stated_acts(text, text) if form.domain == domain}


@pytest.mark.parametrize(
    ("text", "removed"),
    [
        ("kill draft D-19 (still has the placeholder in). and sum up leaflet fair_b", {"d-19"}),
        ("ah ok. kill snap-0417, was only for the upgrade test", {"snap-0417"}),
        ("C-1019 stays, C-1184 is the duplicate and should go.", {"c-1184"}),
        ("and the log of barn sensor b-12 from before 2023 can go", {"log b-12"}),
        ("please bin D-19 and D-20", {"d-19", "d-20"}),
        ("the duplicate is C-1184, bin it", {"c-1184"}),
        ("kill the reminder for T-40", {"reminder t-40"}),
        ("kill the reminder T-40", {"reminder t-40"}),
        ("the T-40 reminder can go", {"reminder t-40"}),
        ("ticket 91 can go", {"ticket 91"}),
        ("12 people can go", {"people 12"}),
        ("the 12 old drafts can go", set()),
        ("kill D-19?", set()),
        ("Kim says D-19 can go", set()),
        ("kill D-19 only if Kim agrees", set()),
        ("if mail 3 is right, D-19 can go", set()),
        ("kill D-19. no wait", set()),
        ("D-19 can go to the archive", set()),
        ("kill D-19 or D-20", set()),
        ("kill D-20 instead of D-19", set()),
        ("kill D-19's reminder", set()),
        ("kill D-19 " + "and so on " * 300, set()),
    ],
)
def test_a_removal_is_bound_to_its_object(text, removed):
    assert read(text, REMOVED) == removed


def test_what_stays_is_kept():
    assert read("C-1019 stays, C-1184 can go", KEPT) == {"c-1019"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "One copy to /notes/kestrel.txt, one by mail to Maria Lindqvist.",
            {"/notes/kestrel.txt", "maria", "lindqvist"},
        ),
        ("Reserve, then dates + pick-up place to Arne Solheim by mail.", {"arne", "solheim"}),
        ("- intro mail to her boss Nils Okkonen", {"boss", "nils", "okkonen"}),
        ("Test mail to me (kim@shop.example) and to Olu Bankole", {"kim@shop.example", "olu", "bankole"}),
        ("Summarise it, then a copy to Jo Adams", {"jo", "adams"}),
        ("the mail to Jo Adams bounced", set()),
        ("Summarise mail 3, the invite to Jo Adams", set()),
        ("a copy to Jo Adams?", set()),
        ("no copy to Jo Adams", set()),
        ("Kim wants a copy to Jo Adams", set()),
        ("a mail to Jo Adams only if Kim agrees", set()),
        ("cancel the invite to Jo Adams", set()),
        ("a copy to Jo Adams. No, wait.", set()),
    ],
)
def test_a_message_without_a_verb_names_whom_it_goes_to(text, told):
    assert read(text, TOLD) == told


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("Now set status.corp.example to 198.51.100.24 - as I said", {"status.corp.example to 198.51.100.24"}),
        ("status.corp.example -> 198.51.100.24", {"status.corp.example to 198.51.100.24"}),
        ("should I set status.corp.example to 198.51.100.24?", set()),
        ("Kim said to set status.corp.example to 198.51.100.24", set()),
        ("change it from 198.51.100.24 to 198.51.100.25", set()),
        ("set status.corp.example to 198.51.100.24 or 198.51.100.25", set()),
    ],
)
def test_a_setting_has_both_values(text, settings):
    assert read(text, SET) == settings
