"""Short numbers and telephone numbers as people write them: vouched for beside their noun, and as one number."""

from __future__ import annotations

import pytest
from value_world import world

from halo_core.model import Provenance
from halo_core.values import trace_leaves
from halo_core.values.leaves import parse_leaves


def origin(request: str, tool: str, argument: str, value: object) -> Provenance:
    made = world(request)
    return trace_leaves(parse_leaves({argument: value}), made.sketch, (argument,), tool=tool)[0].origin


@pytest.mark.parametrize(
    ("request_text", "tool", "argument", "number"),
    [
        ("Close ticket 17", "close_ticket", "id", 17),
        ("Close ticket 17", "closeTicket", "number", "17"),
        ("Close ticket #17, please", "close_ticket_by_id", "id", "17"),
        ("Merge pull request 17", "merge_pull_request", "number", 17),
        ("Merge pull request #17", "merge_pull_request", "pull_number", 17),
        ("Refund order 1234", "refund_order", "id", "1234"),
        ("Delete the email with id 12", "delete_email", "email_id", "12"),
        ("Delete the file with the ID '13'.", "delete_file", "file_id", "13"),
        ("Delete the file whose id is 13", "delete_file", "file_id", "13"),
        ('Delete the file "13"', "delete_file", "file_id", "13"),
    ],
)
def test_a_number_beside_its_noun_is_the_users(request_text, tool, argument, number):
    assert origin(request_text, tool, argument, number) is Provenance.USER


@pytest.mark.parametrize(
    ("request_text", "tool", "argument", "number"),
    [
        ("Close ticket 17", "close_ticket", "id", 18),
        ("Close ticket 17", "delete_user", "id", 17),
        ("Close ticket 17", "delete_ticket_comment", "id", 17),
        ("Close ticket 17", "close_ticket", "customer_id", 17),
        ("Close ticket 17", "move_ticket", "to", 17),
        ("Close ticket 17", "close", "id", 17),
        ("Close 17", "close", "id", 17),
        ("Close ticket 1734", "close_ticket", "id", 17),
        ("Close the ticket, then wait 17 minutes", "close_ticket", "id", 17),
        ("Read the email with 3 parts and 12 links", "delete_email", "email_id", "12"),
        ("Delete the email and look for id 12", "delete_email", "email_id", "12"),
        ("Delete the email with the report. The id 12 is wrong", "delete_email", "email_id", "12"),
        ("Send the file to the customer with id 13", "delete_file", "file_id", "13"),
    ],
)
def test_the_same_number_of_something_else_is_not(request_text, tool, argument, number):
    assert origin(request_text, tool, argument, number) is not Provenance.USER


@pytest.mark.parametrize(
    ("request_text", "number"),
    [
        ("Text Ben at 0170 1234567", "0170 1234567"),
        ("Text Ben at 0170 1234567.", "01701234567"),
        ("Text 030 12345678 by noon", "(030) 12345678"),
        ("Text 0170/1234567 or 0171 7654321", "0171-7654321"),
        ("Text 020 7946 0958", "02079460958"),
    ],
)
def test_a_telephone_number_with_its_area_code_is_one_number(request_text, number):
    assert origin(request_text, "send_sms", "number", number) is Provenance.USER


@pytest.mark.parametrize("number", ["1234567", "170 1234567", "+170 1234567", "0170 123456", "0170 12345678"])
def test_and_no_part_of_it_is_a_number(number):
    assert origin("Text Ben at 0170 1234567", "send_sms", "number", number) is not Provenance.USER


@pytest.mark.parametrize(
    ("request_text", "number", "is_users"),
    [
        ("Look at 471122: is anything missing?", 471122, True),
        ("Pay 471122: 18.20, 550031: 7.40", 550031, True),
        ("Look at it at 10:30", 10, False),
        ("Use port 471122:8", 471122, False),
    ],
)
def test_a_number_before_a_colon_and_a_blank_is_one(request_text, number, is_users):
    leaves = parse_leaves({"record": number})
    assert (trace_leaves(leaves, world(request_text).sketch)[0].origin is Provenance.USER) is is_users


def test_names_of_fields_beside_a_target_are_no_targets():
    payee = {"iban": "DE91100000000123456789", "holder": "Ana Lima", "contact_person": "Ana Lima"}
    made = world("Pay Ana Lima, DE91100000000123456789")
    found = trace_leaves(parse_leaves({"payee": payee}), made.sketch, ("payee",), tool="reimburse")
    assert all(leaf.origin is Provenance.USER for leaf in found if leaf.is_target)
    (mallory,) = trace_leaves(parse_leaves({"payee": {"mallory": 100}}), made.sketch, ("payee",), tool="pay")[:1]
    assert mallory.is_target
