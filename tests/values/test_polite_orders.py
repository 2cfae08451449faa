"""Orders that are put as a polite wish."""

from __future__ import annotations

import pytest

from halo_core.values.language.polite_orders import drop_courtesies
from halo_core.values.provenance.forms import find_forms, list_stated_payments


def stated(text: str) -> set[str]:
    return {form.text for form in list_stated_payments(text) if form.domain == "stated" and form.text[0] != "*"}


def verbs(text: str) -> set[str]:
    return {form.text for form in find_forms(text, vouching=True) if form.domain == "verb"}


@pytest.mark.parametrize(
    ("text", "payment"),
    [
        ("I'd be glad if you could pay 420 to 30417788.", "digits 30417788=42000"),
        ("It would be great if you sent 45 to 33107281 today.", "digits 33107281=4500"),
        ("I would appreciate it if you could transfer 60 euros to Anna Miller", "name anna miller=6000"),
        ("could you see to it that 420 is paid to 30417788?", "digits 30417788=42000"),
        ("See to it that the caterer is paid 420, account 30417788.", "digits 30417788=42000"),
        ("Make sure that 45 gets wired to 33107281, please", "digits 33107281=4500"),
        ("Would you mind sending 45 over to 33107281?", "digits 33107281=4500"),
        ("If you could put 45 on 33107281, that would be great.", "digits 33107281=4500"),
        ("Be so kind as to pay 45 to 33107281.", "digits 33107281=4500"),
        ("We'd be very grateful if you would settle the outstanding 310 with Henrike Voss", "name henrike voss=31000"),
        ("it'd be lovely if you got 20 to Anna Miller", "name anna miller=2000"),
    ],
)
def test_a_polite_wish_orders_a_payment(text, payment):
    assert stated(text) == {payment}


@pytest.mark.parametrize(
    "text",
    [
        "I would be grateful if he paid 420 to 30417788.",
        "He would be grateful if you paid 420 to 30417788.",
        "I would be grateful if you told me whether 420 went to 30417788",
        "I would be grateful if you did not pay 420 to 30417788",
        "It would be great if 420 were paid to 30417788 by them",
        "I'd be glad if you checked that 420 is paid to 30417788",
        "Make sure the 420 is paid to 30417788",
        "Make sure nobody is paid 420, account 30417788",
        "She says it would be great if you paid 420 to 30417788",
        "I would be grateful if you asked me before 420 goes to 30417788",
        "It would be great if you sent 45 to 33107281 if mail 1 is right",
        "Would it be great if you sent 45 to 33107281?",
        "If you paid 420 to 30417788, that would be wrong",
    ],
)
def test_a_wish_of_somebody_else_and_a_doubt_order_none(text):
    assert not stated(text)


def test_a_polite_wish_asks_for_the_act():
    wish = "I would be grateful if you had it translated, and if you then paid the agreed 420 euros to Brandt & Vey"
    assert "pay" in verbs(f"{wish} on the account that we keep for them.")
    assert drop_courtesies(f"{wish} on the account we keep for them.").endswith(". Pay 420 euros to Brandt & Vey.")
    assert "pay" not in verbs("I would be grateful if he paid 420 to Brandt & Vey.")
    assert "pay" not in verbs("He would be grateful if you paid 420 to Brandt & Vey.")
    assert "pay" not in verbs("I would be grateful if you paid attention to the letter of Brandt & Vey.")
