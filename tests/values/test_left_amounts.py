"""Requests that leave the amount of a payment to something that is read."""

from __future__ import annotations

import pytest

from halo_core.values.amount_sources import leaves_amount_to_source


@pytest.mark.parametrize(
    ("request_text", "is_left"),
    [
        ("Pay the invoice in mail 1", True),
        ("Good. Pay it.", True),
        ("Pay the open invoice of ACME. See the mail too.", False),
        ("Pay supplier S-9 what the CRM says. See the mail too.", False),
        ("Pay supplier S-9 the amount in the CRM, check the mail", False),
        ("Pay the invoice of S-9 in the CRM, then send it to the archive.", False),
        ("Pay supplier S-9. Send it today.", False),
    ],
)
def test_a_request_leaves_the_amount_to_what_it_points_at(request_text, is_left):
    assert leaves_amount_to_source(request_text) is is_left
