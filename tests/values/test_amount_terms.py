"""Which arguments of a payment an answer to its amount holds for."""

from __future__ import annotations

import pytest

from halo_core.model import Impact, Resource
from halo_core.values.facts.answer_scope import find_amount_terms

PAY = Resource(id="pay", impact=Impact.PAYMENT, targets=("account",), amount="amount")


@pytest.mark.parametrize(
    ("name", "value", "is_free"),
    [
        ("bill_number", "R-77", True),
        ("invoice_id", "4711", True),
        ("due_date", "2026-12-01", True),
        ("bill_currency", "KWD", False),
        ("invoice_account", "Mallory", False),
        ("receipt_unit", "euros", False),
        ("bill_frequency", "daily", False),
        ("bill_count", "12", False),
        ("note_currency", "KWD", False),
        ("until_date", "2027-12-01", False),
    ],
)
def test_what_changes_what_is_paid_or_how_often_is_a_term(name, value, is_free):
    terms = find_amount_terms(PAY, {"account": "ACME", "amount": 90, name: value})
    assert (terms == ()) is is_free
