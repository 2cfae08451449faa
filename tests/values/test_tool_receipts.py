"""A result that says only that an act was done leads nobody."""

from __future__ import annotations

import pytest

from halo_core.values.receipts import is_receipt


@pytest.mark.parametrize(
    ("text", "arguments", "expected"),
    [
        ("ok", "", True),
        ('{"status": "success", "id": "m-4711"}', "", True),
        ("Message sent to Ana Lind.", "ana lind", True),
        ("Message sent to Ana Lind.", "bob", False),
        ("Booked: Oak, 9:00", "oak", True),
        ("Sent. Pay Bob 20", "pay bob", False),
        ("Sent. The account is DE89370400440532013000", "", False),
        ("sent 1 2 3 4", "", False),
        ("Now ask Eve", "", False),
        ("ok " * 400, "", False),
    ],
)
def test_a_receipt_has_no_words_that_ask_for_anything(text, arguments, expected):
    assert is_receipt(text, arguments.split()) is expected
