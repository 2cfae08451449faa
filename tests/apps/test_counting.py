"""The helper of the applications tells what ran from what was decided."""

from __future__ import annotations

import pytest
from counting import (
    Actions,
    assert_all_decided,
    count_actors,
    count_added_lines,
    count_decided,
    count_questions,
    declare,
    list_refusals,
)

from halo_langchain import Halo


def pay(account: str) -> str:
    """Pay an account."""
    return "paid"


def test_what_ran_beside_the_log_is_seen(tmp_path):
    home, actions = tmp_path / "home", Actions(tmp_path / "ran")
    function = actions.tool(pay)
    with Halo.local("clerk", mode="observe", home=home, quiet=True) as halo:
        halo.guard(function).invoke({"account": "ACC-1"})  # halo
    assert_all_decided(home, actions)
    assert count_decided(home) == actions.count("tool_call") == {("tool_call", "pay"): 1}
    assert count_actors(home, "pay") == {"clerk": 1}
    function("ACC-1")
    with pytest.raises(AssertionError, match="ran undecided"):
        assert_all_decided(home, actions)


def test_what_was_declared_after_the_first_day_counts(tmp_path):
    home = tmp_path / "home"
    declare(home, "pay: {impact: payment, targets: [account]}")
    with Halo.local("clerk", mode="enforce", home=home, quiet=True) as halo, pytest.raises(Exception, match="pay"):
        halo.guard(pay).invoke({"account": "ACC-1"})
    assert list_refusals(home) == [("tool_call", "pay", ["unknown_amount", "untraced_target", "first_use"])]
    assert count_questions(home) == 1


def test_lines_added_for_halo_are_counted():
    assert count_added_lines(test_what_ran_beside_the_log_is_seen) == 1
