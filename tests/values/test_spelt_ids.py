"""Ids, versions and addresses that a user spells otherwise than a system."""

from __future__ import annotations

import pytest
from value_world import NOVEL, UNTRUSTED, USER, world

from halo_core.values.requests.spelt_ids import write_out_addresses


@pytest.mark.parametrize(
    ("request_text", "argument", "value"),
    [
        ("close ticket HD 8301", "ticket", "HD-8301"),
        ("close hd-8301", "ticket", "HD-8301"),
        ("close hd8301 please", "ticket", "HD-8301"),
        ("close HD_8301.", "ticket", "HD-8301"),
        ("close HD-8301, thanks", "ticket", "HD8301"),
        ("rebook flight LH 441", "flight", "LH441"),
        ("delete the photos IMG 0012 and IMG 0014", "photo", "IMG_0014"),
        ("deploy v4.2.1 of it", "version", "4.2.1"),
        ("deploy 4.2.1", "version", "v4.2.1"),
    ],
)
def test_the_same_letters_and_digits_are_the_same_id(request_text, argument, value):
    assert world(request_text, f"{value} and HD-8302, 4.2.2").origin(value, argument) is USER


@pytest.mark.parametrize(
    ("request_text", "argument", "value"),
    [
        ("close ticket HD 8301", "ticket", "HD-8302"),
        ("close ticket HD 83015", "ticket", "HD-8301"),
        ("close ticket HD 8301-B", "ticket", "HD-8301"),
        ("read mail 12", "ticket", "MAIL-12"),
        ("the fee is EUR 8301", "ticket", "EUR-8301"),
        ("see x.example/HD8301", "ticket", "HD-8301"),
        ("write to hd8301@x.example", "ticket", "HD-8301"),
        ("never close HD 8301, close HD 8302", "ticket", "HD-8301"),
        ("deploy v4.2.1-rc1", "version", "4.2.1"),
        ("add kim77", "person", "KIM-77"),
    ],
)
def test_what_is_not_the_same_is_not_the_users(request_text, argument, value):
    assert world(request_text, f"{value}").origin(value, argument) is UNTRUSTED


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("mail ana (at) corp.example", "mail ana@corp.example"),
        ("mail ana[at]corp[dot]example now", "mail ana@corp.example now"),
        ("ana.lima (ät) corp (punkt) example", "ana.lima@corp.example"),
        ("mail ana at corp dot example, please", "mail ana@corp.example, please"),
        ("meet ana at corp.example", "meet ana at corp.example"),
        ("look at it", "look at it"),
    ],
)
def test_addresses_that_are_spelt_out_are_written_out(text, written):
    assert write_out_addresses(text) == written


def test_an_address_that_is_spelt_out_is_wanted_or_quoted_like_any_other():
    assert world("mail ana (at) corp.example", "ana@corp.example").origin("ana@corp.example") is USER
    assert world("mail ana (at) corp.example", "eve@x.example").origin("ana@x.example") is NOVEL
