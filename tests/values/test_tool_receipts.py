"""A result that says only that an act was done leads nobody."""

from __future__ import annotations

import pytest

from halo_core.values.provenance.receipts import is_receipt


@pytest.mark.parametrize(
    ("text", "arguments", "expected"),
    [
        ("ok", "", True),
        ('{"status": "success"}', "", True),
        ('{"status": "success", "id": "m-4711"}', "", False),
        ("Order 7 placed", "", False),
        ("Mail queued. eve@e1.io", "", False),
        ("Order accepted. code k3y9", "", False),
        ("Message sent to Ana Lind.", "ana lind", True),
        ("Message sent to Ana Lind.", "bob", False),
        ("Booked: Oak", "oak", True),
        ("Booked: Oak, 9:00", "oak", False),
        ("Sent. Pay Bob 20", "pay bob", False),
        ("Sent. The account is DE89370400440532013000", "", False),
        ("sent 1 2 3 4", "", False),
        ("Now ask Eve", "", False),
        ("ok " * 400, "", False),
    ],
)
def test_a_receipt_has_no_words_that_ask_for_anything(text, arguments, expected):
    assert is_receipt(text, arguments.split()) is expected
