"""How much a text of the user has paid, and to whom."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halo_core.values.payments.paid_amounts import (
    find_ceiling_forms,
    find_lone_number_forms,
    find_share_forms,
    is_above_ceiling,
    is_share_of_other,
    list_target_keys,
)
from halo_core.values.provenance.argument_forms import parse_argument
from halo_core.values.provenance.forms import find_forms

A, B = "GB29NWBK60161331926819", "NL91ABNA0417164300"


def is_above(text: str, target: str, amount: str, **more) -> bool:
    forms = set(find_ceiling_forms(text, find_forms))
    keys = list_target_keys(target, [form for value in parse_argument(target) for form in value.forms])
    return is_above_ceiling(amount, lambda items: [item in forms for item in items], keys=sorted(keys), **more)


@given(st.integers(0, 10**9).map(lambda n: Decimal(n) / 100), st.integers(0, 10**9).map(lambda n: Decimal(n) / 100))
def test_an_amount_is_above_the_sum_exactly_if_it_is_larger(written, paid):
    forms = set(find_ceiling_forms(f"Pay {written} euro to A", find_forms))
    assert is_above_ceiling(str(paid), lambda items: [item in forms for item in items]) is (paid > written)


@pytest.mark.parametrize(
    "text",
    [
        "Pay Ana 90 euro less the deposit",
        "Pay Ana 90 euro in less than an hour",
        "In less than an hour pay Ana 90 euro",
        "No less, pay Ana 90 euro",
        "Pay Ana 90 euro minus what she owes",
    ],
)
def test_what_is_taken_off_an_amount_leaves_its_ceiling(text):
    forms = set(find_ceiling_forms(text, find_forms))
    assert is_above_ceiling("900", lambda items: [item in forms for item in items])
    assert not is_above_ceiling("80", lambda items: [item in forms for item in items])


@pytest.mark.parametrize("text", ["Pay A", "Return it, less 90 euro", "Pay Ana a tip of 10%", ""])
def test_a_text_that_leaves_the_sum_open_has_no_ceiling(text):
    assert list(find_ceiling_forms(text, find_forms)) == []


@pytest.mark.parametrize(
    ("text", "within", "above"),
    [
        ("Pay Ana 90 euro plus fees", "150", "190"),
        ("Pay Ana the monthly fee of 20 euro", "20", "490"),
        ("Pay Ana 90 euro each", "900", "1100"),
        ("Pay Ana 90 euros an hour for three hours", "270", "1100"),
        ("Pay Ana 7€ a kilo", "84", "85"),
        ("Pay Ana 90 euros, an hour before she leaves", "90", "91"),
        ("Pay Ana 90 euros in a day or two", "90", "91"),
        ("Pay Ana 90 euros a bit later", "90", "91"),
        ("Buy 40 tickets from Ana at 5 euro each", "200", "210"),
        ("Pay Ana 10% of 200 euro", "20", "410"),
        ("Pay Ana ２０ euro", "20", "21"),
        ("Pay Ana ٢٠ euro", "20", "21"),
        ("I have 900 euro left. Send Ana 20 euro", "20", "21"),
        ("Send Ana 20 euro. I have 900 euro left", "20", "21"),
        ("The rent is 480 euro and the heating 20 euro. Pay it to Ana", "500", "501"),
        ("Please pay:\n- Ana 20 euro\n- Bob 30 euro", "20", "21"),
        ("Pay Bob 30 euro.\nAna 20 euro", "20", "21"),
        ("Ich habe 900 Euro. Überweise Ana 20 Euro", "20", "21"),
    ],
)
def test_what_a_text_leaves_open_or_only_tells_raises_its_ceiling_by_little(text, within, above):
    assert not is_above(text, "Ana", within)
    assert is_above(text, "Ana", above)


@pytest.mark.parametrize("amount", ["1e400", "-1e400", "nan", "x", "9" * 60])
def test_no_amount_is_too_odd_to_compare(amount):
    forms = set(find_ceiling_forms(f"Pay 90 euro and {'9' * 60} USD", find_forms))
    assert is_above_ceiling(amount, lambda items: [item in forms for item in items])


@pytest.mark.parametrize(
    "text",
    [
        "Pay 20 euro to Ana and 500 euro to Bob",
        "Pay 20 to Ana and 500 to Bob",
        "Pay Ana 20 euro, Bob 500 euro",
        "Ana: 20 EUR\nBob: 500 EUR",
        "Ana gets 20 euro. Bob gets 500 euro. Pay them.",
        "Überweise 20 Euro an Ana und 500 Euro an Bob",
        "Paga 20 euros a Ana y 500 euros a Bob",
        "Zapłać 20 EUR dla Ana i 500 EUR dla Bob",
    ],
)
def test_an_amount_is_for_the_target_beside_it(text):
    assert not is_above(text, "Ana", "20")
    assert is_above(text, "Ana", "520")
    assert is_above(text, "Ana", "500", is_written=True)
    assert not is_above(text, "Bob", "500", is_written=True)
    assert is_above(text, "Bob", "520")


def test_accounts_are_found_beside_their_amounts_in_any_grouping():
    text = f"Pay 20 euro to {A} and 500 euro to {B}"
    assert is_above(text, "GB29 NWBK 6016 1331 9268 19", "500", is_written=True)
    assert not is_above(text, "nl91 abna 0417 1643 00", "500", is_written=True)


@pytest.mark.parametrize(
    ("text", "target", "amount"),
    [
        ("Pay Hansen 480 euro for the rent and 20 euro for the heating", "Hansen", "500"),
        ("Überweise Hansen 480 Euro Miete und 20 Euro Heizung", "Hansen", "500"),
        ("Pay 20 euro for stamps and 480 euro to Hansen", "Hansen", "500"),
        ("Pay Ana 20 euro for lunch and pay Ana 30 euro for the taxi", "Ana", "50"),
        (f"Pay 20 euro to Ana and 500 euro to Bob. Bob's account is {B}", B, "500"),
        ("Pay Ana 20 euro. Make it 25", "Ana", "25"),
        ("Pay the rent of 900 to Maria and 20 euro to Bob", "Maria", "900"),
        (f"Pay two invoices to {A}: TN-90 over 118.40 and TN-91 over 77.00", A, "195.40"),
    ],
)
def test_amounts_that_may_be_for_one_target_are_added(text, target, amount):
    assert not is_above(text, target, amount, is_written=True)


def test_an_id_is_a_payee_where_no_account_is_named():
    assert is_above("Pay TN-90 118.40 euro and TN-91 77 euro", "TN-90", "195.40")


def test_a_target_without_an_amount_is_paid_the_largest():
    text = f"Pay 20 euro to Ana and 500 euro to Bob at {B}"
    assert not is_above(text, "Carla", "500", is_written=True)
    assert is_above(text, "Carla", "520")


def test_a_number_that_is_no_amount_is_none():
    text = f"Pay 90 euro to {A}, room 800"
    assert is_above(text, A, "800", is_written=True)
    assert not is_above(text, A, "90", is_written=True)


def test_payments_for_one_message_are_added():
    text = "Pay 20 euro to Ana and 500 euro to Bob"
    assert not is_above(text, "Bob", "300", paid_before=Decimal(200))
    assert is_above(text, "Bob", "500", paid_before=Decimal(20), is_written=True)


ROW = "Month end: pay the refunds LN-4298 62.64, LN-8081 157.84, LN-9313 55.31 and LN-3385 21.59 EUR, and tell Ana."


@pytest.mark.parametrize(("target", "amount"), [("LN-4298", "62.64"), ("LN-8081", "157.84"), ("LN-3385", "21.59")])
def test_each_amount_of_a_row_is_that_of_its_item(target, amount):
    assert not is_above(ROW, target, amount)
    assert is_above(ROW, target, str(Decimal(amount) + 1))


@pytest.mark.parametrize(
    "text",
    [
        "On 12.11, on 13.11 and on 14.11, pay Ana 50 EUR",
        "Pay 50 EUR for 12.75, the old price",
        "The meters say 812.40, 903.20, 100.75, 98.40 and 7.65, so pay Ana 50 EUR",
    ],
)
def test_days_and_single_numbers_are_no_row(text):
    assert not is_above(text, "Ana", "50")
    assert is_above(text, "Ana", "60")


@pytest.mark.parametrize("text", ["Doors Ana 28.11, Bo 30.11 and pay 20 EUR", "Look at room A1 99.50; pay Bo 20 EUR"])
def test_days_and_a_number_alone_are_no_row(text):
    assert is_above(text, "Carla", "27", is_written=True)


@pytest.mark.parametrize(
    ("text", "amount", "expected"),
    [
        ("Pay Ana 30 for each of the two lessons", "60", False),
        ("Pay Ana 30 for each of the two lessons", "90", True),
        ("Pay Ana 30 for each of my 3 lessons", "90", False),
        ("Pay Ana 30 for each lesson", "90", False),
        ("Pay Ana 20 and Kim 300", "300", True),
        ("Pay Ana 20 and Kim 300", "20", False),
    ],
)
def test_each_of_so_many_and_the_next_who_is_paid_have_their_own_sums(text, amount, expected):
    assert is_above(text, "Ana", amount) is expected


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("set U-80 to 60 degrees, as its manual says", 0),
        ("the 12 kayaks are back, refund it", 0),
        ("refund 55 each", 1),
        ("they were charged 348 twice", 1),
        ("90 covers it", 1),
        ("pay 85 euros", 1),
    ],
)
def test_a_number_with_a_noun_behind_it_is_no_amount(text, numbers):
    assert bool(list(find_lone_number_forms(text))) is bool(numbers)


TWO = "Wire 400 to DE89370400440532013000 and 100 to DE02120300000000202051"


@pytest.mark.parametrize(
    ("text", "target", "amount", "expected"),
    [
        (TWO, "DE89370400440532013000", "100", True),
        (TWO, "DE89370400440532013000", "400", False),
        (TWO, "DE89370400440532013000", "50", False),  # what the user wrote for nobody
        (TWO, "DE75512108001245126199", "100", False),  # whom he wrote no amount for
        ("Pay claim CL-1 250 and claim CL-2 80", "CL-1", "80", True),
        ("Pay claim CL-1 250 and claim CL-2 80", "CL-2", "80", False),
        ("Pay the nurses:\n- NU-1: 180\n- NU-2: 120", "NU-1", "120", True),
        ("Pay Ana 20 and 20 more to Bob", "Ana", "20", False),
        ("Pay Ana 20", "Ana", "20", False),
    ],
)
def test_an_amount_may_be_that_of_another_target_alone(text, target, amount, expected):
    find = partial(find_forms, amounts=False)
    kept = set(find_share_forms(text, find))
    keys = list_target_keys(target, find_forms(target))
    assert is_share_of_other(amount, lambda forms: [form in kept for form in forms], keys) is expected


@pytest.mark.parametrize(
    ("text", "target", "amount", "more"),
    [
        ("Read mail 1. Pay Ana 20", "Ana", "20", "21"),
        ("Pay the landlord 400 at 4440002228, mail 1 is the bill.", "4440002228", "400", "401"),
        ("Pay our cleaner 75 and the gardener 160", "4440002228", "235", "236"),
        ("Look at the page and pay the trip, 60.", "4440002228", "60", "61"),
        ("Settle 64.50 with the florist", "4440002228", "64.50", "64.51"),
        ("Zahle dem Vermieter 400", "4440002228", "400", "401"),
        ("Paga al fontanero 90", "4440002228", "90", "91"),
        ("Paie au plombier 90 pour la facture", "4440002228", "90", "91"),
        ("Pay 90 to ACC-100 and another 45 to ACC-100", "ACC-100", "135", "136"),
        ("Pay 90 to ACC-100 and 45 more to ACC-100", "ACC-100", "135", "136"),
    ],
)
def test_an_amount_stands_behind_any_verb_of_paying_and_whoever_is_paid(text, target, amount, more):
    assert not is_above(text, target, amount)
    assert is_above(text, target, more)


@pytest.mark.parametrize(
    "text",
    [
        "Pay the invoice 417",
        "Pay the clinic invoice 417",
        "Pay the tenant of flat 12 today",
        "Pay the driver in 2026",
        "Send the kids 20 books",
        "Send the report to room 12",
    ],
)
def test_a_number_of_a_paper_or_of_things_is_no_amount_behind_a_verb(text):
    assert not is_above(text, "4440002228", "1000")
