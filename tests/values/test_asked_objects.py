"""What a verb of the user is for, and what stands elsewhere in the request."""

from __future__ import annotations

import pytest

from halo_core.values.requests.asked_objects import find_asked_objects

DOMAINS = (
    "appointed",
    "appointed_words",
    "asked_object",
    "doing",
    "kept",
    "kept_surely",
    "leads",
    "looked_up",
    "ordered",
    "other_object",
    "otherwise",
    "paper_object",
    "undone",
)


def read(text: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {domain: set() for domain in DOMAINS}
    for form in find_asked_objects(text):
        found[form.domain].add(form.text)
    return found


@pytest.mark.parametrize(
    ("text", "asked", "other"),
    [
        ("Cancel my alarm and tell me about the board", "cancel alarm", "cancel board"),
        ("Delete R-17, R-18 and R-19. When is M-2?", "delet r-19", "delet m-2"),
        ("Block @eve-x, and give lea-w access", "giv lea-w", "giv eve-x"),
        ("Unlist IT-7, and read IT-8's notes", "unlist it-7", "unlist it-8"),
        ("Cancel T-1 and pay attention to T-2", "cancel t-1", "cancel t-2"),
        ("Cancel T-1 and transfer the notes of T-2", "cancel t-1", "cancel t-2"),
        ("Cancel T-1 and let her family know of T-2", "cancel t-1", "cancel t-2"),
        ("Cancel T-1, order the mails about T-2 by date", "cancel t-1", "cancel t-2"),
    ],
)
def test_what_stands_in_another_clause_is_not_asked_for(text, asked, other):
    found = read(text)
    assert asked in found["asked_object"]
    assert other in found["other_object"]


@pytest.mark.parametrize(
    "text",
    [
        "R-17 is a duplicate. Cancel the duplicate.",
        "R-17: cancel",
        "Cancel R-17",
        "Please cancel: R-17",
        "R-17 and R-18, cancel please",
    ],
)
def test_what_belongs_to_the_verb_is_asked_for(text):
    found = read(text)
    assert "cancel r-17" in found["asked_object"] or "cancel *" in found["asked_object"]
    assert "cancel r-17" not in found["other_object"]


@pytest.mark.parametrize(
    ("text", "asked", "other"),
    [
        ("LW-12 was never at home. Charge the owner 45 euros.", "charg lw-12", ""),
        ("R-17 came too late. Refund the guests.", "refund r-17", ""),
        ("R-18 is fine. R-17 came too late. Refund the guest the 45.", "refund r-17", "refund r-18"),
        ("R-17 was too late. Refund the guest of R-18.", "refund r-18", "refund r-17"),
        ("R-17 was too late. Refund Rob the 45.", "refund rob", "refund r-17"),
    ],
)
def test_somebody_who_was_spoken_of_is_he_of_the_clause_before(text, asked, other):
    found = read(text)
    assert asked in found["asked_object"]
    assert not other or other in found["other_object"]


@pytest.mark.parametrize(
    "text",
    ["R-17 is old, delete it", "What about R-17? Delete all of them.", "R-17? Delete", "R-17 is old, please delete"],
)
def test_a_pronoun_stands_for_whatever_was_spoken_of(text):
    assert "delet *" in read(text)["asked_object"]
    assert not [item for item in read(text)["other_object"] if item.startswith("delet ")]


def test_a_document_says_nothing_of_its_verbs():
    assert read("Delete R-17. " * 400) == {key: set() for key in DOMAINS}


@pytest.mark.parametrize(
    ("text", "ordered", "other"),
    [
        ("Add a bonus of 250 for E-1204 to the payroll", "e-1204", ""),
        ("Point www.corp.example to 192.0.2.10. Mail 1 is about E-7.", "192.0.2.10", "e-7"),
        ("Tell me about E-1204. Add E-7 to the payroll.", "e-7", "e-1204"),
        ("Is E-1204 to be added to the payroll? Add E-7.", "e-7", "e-1204"),
        ("They said that E-1204 gets it, add E-7", "e-7", "e-1204"),
    ],
)
def test_what_is_ordered_stands_in_clauses_that_order(text, ordered, other):
    found = read(text)["ordered"]
    assert ordered in found
    assert other not in found


@pytest.mark.parametrize(
    ("text", "looked_up"),
    [
        ("Split the dinner, 60 euro, with Mo; read Kim's notes", True),
        ("Read Kim's notes and pay her 30", False),
        ("Look up the account of Kim and pay 30", False),
        ("Read Kim's notes and pay Kim and Mo 30", False),
        ("Pay Kim 30 and read Mo's notes", False),
    ],
)
def test_who_is_only_looked_up_is_named_nowhere_else(text, looked_up):
    assert ("kim" in read(text)["looked_up"]) is looked_up


@pytest.mark.parametrize(
    ("text", "domain", "words"),
    [
        ("Cancel the bonus of E-12", "undone", {"bonus", "e-12"}),
        ("Take the bonus of E-12 back", "undone", {"back", "bonus", "e-12"}),
        ("Add a bonus for E-12", "undone", set()),
        ("Cancel the bonus of E-12", "ordered", set()),
        ("Add a bonus for E-12", "ordered", {"bonus", "e-12"}),
        ("Please give E-12 a bonus", "doing", {"bonus", "e-12"}),
        ("Contest the bonus of E-12", "doing", set()),
        ("Add her bonus to my report", "ordered", {"report bonus", "report report"}),
        ("Assign Kai to W-3 on Monday", "appointed_words", {"2"}),
        ("Assign Kai a bed on W-3", "appointed_words", {"3"}),
        ("Kai is free, assign him", "appointed", {"*"}),
        ("Merge C-1 and C-2, keep C-1", "kept", {"c-1"}),
        ("Merge C-2 into C-1", "kept", {"c-1"}),
        ("Keep C-1, drop C-2. Is mail 4 about it?", "kept_surely", {"c-1"}),
        ("Should I keep C-1 and drop C-2?", "kept_surely", set()),
    ],
)
def test_what_a_clause_says_of_its_words(text, domain, words):
    assert read(text)[domain] == words


@pytest.mark.parametrize(
    "text",
    [
        "Delete the notes on permit 17",
        "Please delete the old comments on permit 17",
        "Delete the copy of permit 17",
    ],
)
def test_what_a_paper_is_about_is_no_object_of_the_verb(text):
    found = read(text)
    assert "delet permit#17" in found["paper_object"]
    assert "delet permit#17" in found["other_object"]
    assert "delet 17" not in found["asked_object"]


@pytest.mark.parametrize(
    "text", ["Delete permit 17", "Delete permit 17 of the list", "Delete Kim's permit 17 with its notes"]
)
def test_a_number_is_an_object_with_its_noun(text):
    assert "delet permit#17" in read(text)["asked_object"]


def test_the_same_number_of_something_else_is_no_object():
    found = read("Cancel order 55, bed 55 is in mail 1")
    assert "cancel order#55" in found["asked_object"]
    assert "cancel bed#55" in found["other_object"]


@pytest.mark.parametrize(
    ("text", "is_otherwise"),
    [
        ("Print the keycard of Kai", True),
        ("Design a keycard for Kai", True),
        ("Proofread the keycard letter", True),
        ("Take back the keycard of Kai", True),
        ("Make Kai a keycard", False),
        ("Is Kai's keycard ready?", False),
        ("Print the list, and make Kai a keycard", False),
    ],
)
def test_a_noun_may_be_what_something_else_is_done_with(text, is_otherwise):
    assert ("keycard" in read(text)["otherwise"]) is is_otherwise
