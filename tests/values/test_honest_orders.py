"""Wordings of orders and payments that are read as what they are: wishes, thanks, lists, counts and references."""

from __future__ import annotations

import pytest

from halo_core.values.kinds.kinds import Form
from halo_core.values.language.opposite_acts import takes_money
from halo_core.values.language.polite_orders import drop_courtesies
from halo_core.values.language.text import split_name
from halo_core.values.orders.order_parts import FACT, LOOKUP, ORDER, OTHER, read_parts
from halo_core.values.orders.whole_orders import (
    ORDER_COUNT,
    ORDER_NUMBERED,
    ORDER_TAKING,
    ORDER_WORD,
    find_whole_orders,
)
from halo_core.values.payments.given_payments import AMOUNT, GIVEN_WORD, find_given_payments


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("22 degrees would be nice.", [ORDER]),
        ("shop-web back to 4.2 pls, 4.3 has the broken basket.", [ORDER, FACT]),
        ("Set the platform's setting language to de.", [ORDER]),
        ("The platform's setting is wrong.", [FACT]),
        ("open it for 5 minutes", [ORDER]),
        ("open it and read it to me", [LOOKUP, LOOKUP]),
        ("let it into area F3 before she goes in", [ORDER]),
        ("let it into area F3 before she pays", [OTHER]),
        ("Trash 14 and 15, but open them first in case there is anything about our subscription", [ORDER]),
        ("Trash 14 and 15 in case mail 4 says so", [OTHER]),
        ("Trash 14 and 15, but open them first in case Kim needs them", [OTHER]),
    ],
)
def test_a_part_is_an_order_or_none(text: str, kinds: list[str]) -> None:
    assert [part.kind for sentence in read_parts(text) for part in sentence] == kinds


@pytest.mark.parametrize(
    ("text", "takes"),
    [
        ("Take post p-702 in the reading room back", True),
        ("take p-702 back please", True),
        ("Take Kim back to A-3", False),
        ("The parents of 2a should know that choir is off today", False),
        ("Switch choir 2a off", True),
        ("Get rid of 5518", True),
    ],
)
def test_whether_an_order_takes_something_away(text: str, *, takes: bool) -> None:
    assert (ORDER_TAKING in {form.domain for form in find_whole_orders(text)}) is takes


def words_of_each_order(text: str, domain: str = ORDER_WORD) -> list[set[str]]:
    found: dict[str, set[str]] = {}
    for form in find_whole_orders(text):
        number, _, word = form.text.partition(" ")
        found.setdefault(number, set())
        if form.domain == domain:
            found[number].add(word)
    return list(found.values())


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("Trash 14 and 15, both newsletters", [{"2"}, {"1"}, {"1"}]),
        ("Delete mails 13, 14 and 15", [{"3"}, {"1"}, {"1"}, {"1"}]),
        ("Merge 14 and 15", [{"2"}]),
        ("Unlock 14 and 15", [{"2"}]),
        ("Delete 14 and 15 of list 9", [{"3"}]),
    ],
)
def test_a_list_of_what_is_taken_away_is_one_order_for_each(text: str, counts: list[set[str]]) -> None:
    assert words_of_each_order(text, ORDER_COUNT) == counts


@pytest.mark.parametrize(
    ("text", "numbered"),
    [("let 5570 open the slipway door", set()), ("Please delete 15", set()), ("set reminder 15", {"15"})],
)
def test_a_verb_is_no_noun_of_a_number(text: str, numbered: set[str]) -> None:
    assert words_of_each_order(text, ORDER_NUMBERED)[0] == numbered


def test_there_is_what_the_part_in_front_names() -> None:
    assert any({"web-03", "nginx"} <= words for words in words_of_each_order("check web-03 and restart nginx there"))
    assert not any({"web-03", "nginx"} <= words for words in words_of_each_order("check web-03 and restart nginx"))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("420 to 30417788, thank you.", "420 to 30417788."),
        ("420 to 30417788, thanks a lot", "420 to 30417788"),
        ("to S-41 if I'm not mistaken, for 588", "to S-41 for 588"),
        ("420 to 30417788 if I pay at all", "420 to 30417788 if I pay at all"),
        ("thank you letter to Kim", "thank you letter to Kim"),
    ],
)
def test_courtesies_are_dropped(text: str, plain: str) -> None:
    assert drop_courtesies(text) == plain


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("Three times 29.90 for Fynn", {"8970"}),
        ("3 x 12 for the tickets to Kim", {"3600"}),
        ("We run short of gloves: order 40 boxes of GLV-M, that makes 212.", {"21200"}),
        ("order 40 boxes of GLV-M, that makes 212.", {"21200"}),
        ("Kim wrote that we run short: order 40 boxes of GLV-M for 212", set()),
        ("387 for Hotel Murblick - but read me what the reviews say", {"38700"}),
    ],
)
def test_the_sums_that_a_text_gives(text: str, amounts: set[str]) -> None:
    forms = list(find_given_payments(text, lambda _: ()))
    assert {form.text for form in forms if form.domain == AMOUNT} == amounts


def test_a_count_of_what_is_ordered_is_given() -> None:
    assert Form(GIVEN_WORD, "40") in set(find_given_payments("order 40 boxes of GLV-M, that makes 212.", lambda _: ()))


@pytest.mark.parametrize(("tool", "takes"), [("refund_fine", False), ("fine_member", True), ("reimburse_levy", False)])
def test_a_tool_that_gives_back_takes_no_money(tool: str, *, takes: bool) -> None:
    assert takes_money(split_name(tool)) is takes
