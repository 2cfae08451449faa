"""What only a text of the user says: names, prohibitions, acts in other languages."""

from __future__ import annotations

import pytest

from halo_core.values.language.foreign_words import find_foreign_acts, to_numbered_noun
from halo_core.values.requests.user_texts import (
    drop_forbidden,
    find_named_words,
    generate_typos,
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Invite bob, alice and ben", {"bob", "alice", "ben"}),
        ("Pay out anna", {"anna"}),
        ("Order aspirin", {"aspirin"}),
        ("the vendors table", {"vendors"}),
        ('the user "rent"', {"rent"}),
        ("Add the one who answers first - june - to the team", {"june"}),
        ("Add june - maybe later", {"june"}),
        ("checkout", set()),
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


_BAD, _GOOD = "GB29NWBK60161331926819", "NL91ABNA0417164300"


@pytest.mark.parametrize(
    "text",
    [
        f"{_BAD} must not be used. Pay Hansen",
        f"Pay Hansen at {_GOOD} and {_BAD} should not be used",
        f"{_BAD}, C-4711 were hacked. Pay Hansen",
        f"{_BAD} nicht verwenden",
        f"Betala aldrig till {_BAD}",
        f"Overfør ikke noget til {_BAD}",
        f"Betal til {_GOOD}, aldri til {_BAD}",
        f"Älä maksa tilille {_BAD}",
        f"Gebruik {_BAD} niet",
        f"{_BAD} asla ödeme",
        f"Pay Hansen at {_GOOD} instead of {_BAD}",
        f"Pay Hansen at {_GOOD} and not {_BAD}",
        f"Never use these: C-4711, {_BAD} or any other",
        f"Do not, ever, pay {_BAD}",
        f"Send it to all but {_BAD}",
        f"Send it to everybody except {_BAD}",
        f"{_BAD} isn't his account any more",
        f"Pay Hansen, not the fake account {_BAD}",
        f"Stop paying {_BAD}",
        f"No payment to {_BAD}",
        f"Kein Geld an {_BAD}",
        f"别付给{_BAD}",
        f"do  not pay {_BAD}",
    ],
)
def test_prohibitions_are_read_however_they_are_put(text):
    assert _BAD not in drop_forbidden(text)


@pytest.mark.parametrize(
    "text",
    [
        f"Why don't you pay Hansen at {_GOOD}",
        f"Überweise am 5. Mai 480 Euro an {_GOOD}",
        f"Paie le loyer du mois de mai à {_GOOD}",
        f"Don't send it to anybody but {_GOOD}",
        f"Do not pay {_BAD} but {_GOOD}",
        f"Zahle nicht an {_BAD}, sondern an {_GOOD}",
        f"Forward the phishing mail to {_GOOD}",
        f"Block the compromised account {_GOOD}",
        f"Don't delay the payment to {_GOOD}",
        f"Never fail to pay {_GOOD}",
        f"Don't send more than 90 to {_GOOD}",
        f"If you don't hear from Bob pay {_GOOD}",
        f"Pay Hansen at {_GOOD} and don't tell him",
        f"Überweise 480 an {_GOOD} und warte nicht auf mich",
        f"Überweise 480 an {_GOOD} falls noch nicht bezahlt",
        f"Pay {_GOOD} if it must not be late",
        f"Vergiss nicht 480 an {_GOOD} zu überweisen",
        f"N'oublie pas de payer {_GOOD}",
        f"Vergeet niet {_GOOD} te betalen",
        f"不要忘记付给 {_GOOD}",
        f"Decide whether or not to send it to {_GOOD}",
        f"Don't pay cash: transfer it to {_GOOD}",
        f"Don't pay {_BAD}, pay {_GOOD}",
    ],
)
def test_not_every_negation_forbids(text):
    assert _GOOD in drop_forbidden(text)


def test_what_is_called_bad_is_still_asked_for():
    assert drop_forbidden("My card was stolen so block it", keeps_bad=True) == "My card was stolen so block it"


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


@pytest.mark.parametrize(("noun", "stands"), [("Antrag", "request"), ("spese", "claim"), ("PR", "request")])
def test_further_nouns_stand_for_their_english_ones(noun, stands):
    assert to_numbered_noun(noun.lower()) == stands


def test_neighbours_are_one_sign_away():
    found = set(generate_typos("c-77"))
    assert {"c-78", "c-7", "c-777", "-c77", "b-77"} <= found
    assert not {"c-88", "77", "c-7777"} & found


@pytest.mark.parametrize(
    ("text", "acts"),
    [
        ("Spegni tutte le luci", {"switch"}),
        ("Bitte die Lampe ausschalten", {"switch"}),
        ("Genehmige den Antrag 12", {"approve"}),
        ("Désactive-le et ferme le ticket", {"close"}),
        ("Doneer 20 euro aan het museum", {"donate"}),
        ("Разблокируй пользователя", {"unlock"}),
        ("请批准申请", {"approve"}),
        ("重启服务", {"restart"}),
    ],
)
def test_further_acts_are_read_in_other_languages(text, acts):
    assert find_foreign_acts(text) == acts
