"""Requests that leave the amount of a payment to something that is read."""

from __future__ import annotations

import pytest

from halo_core.values.facts.amount_sources import leaves_amount_to_source, points_before


@pytest.mark.parametrize(
    ("request_text", "is_left"),
    [
        ("Pay the invoice in mail 1", True),
        ("Pay the open invoice of ACME. See the mail too.", False),
        ("Pay supplier S-9 what the CRM says. See the mail too.", False),
        ("Pay supplier S-9 the amount in the CRM, check the mail", False),
        ("Pay the invoice of S-9 in the CRM, then send it to the archive.", False),
        ("Pay supplier S-9. Send it today.", False),
        ("Settle ACME's account; details in my inbox are old", False),
        ("Settle ACME's account; details are in my inbox", True),
        ("Pay them after you read the mails", False),
        ("After you have read mail 1, pay it", True),
        ("Pay ACME's open invoice. Do it before you read mail 1", False),
        ("Read mail 1. Pay it once you have read it", True),
        ("Pay it to supplier S-9", False),
    ],
)
def test_a_request_leaves_the_amount_to_what_it_points_at(request_text, is_left):
    assert leaves_amount_to_source(request_text) is is_left


@pytest.mark.parametrize(
    ("request_text", "points"),
    [
        ("Good. Pay it.", True),
        ("Pay it to supplier S-9", True),
        ("Pay them after you read the mails", False),
        ("Pay it as in the CRM", False),
        ("Pay it, the bill is due", False),
    ],
)
def test_a_request_that_only_says_it_points_to_what_was_before(request_text, points):
    assert points_before(request_text) is points
