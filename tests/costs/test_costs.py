"""A decision does not get dearer unseen: what can be counted of standard calls stays near the baseline."""

from __future__ import annotations

import platform

import pytest
from measure import TOLERANCE, find_rises, format_table, load_baseline, measure, measure_in_turn


def test_no_count_rises_without_a_reason(tmp_path):
    baseline = load_baseline()
    if not platform.python_version().startswith(f"{baseline['python']}."):
        pytest.skip(f"the baseline was taken on Python {baseline['python']}; calls are counted otherwise elsewhere")
    counts = measure(tmp_path)
    rises = find_rises(counts, baseline["counts"])
    assert not rises, (
        f"{'; '.join(rises)}\n{format_table(counts, baseline['counts'])}\n"
        "If the rise is worth it, write a new baseline: python tests/costs/measure.py --write 'why'"
    )


def test_a_rise_is_found():
    counts = {"read": {"SQL statements": 7.4}}
    assert find_rises(counts, {"read": {"SQL statements": 7.1}}) == []
    assert find_rises(counts, {"read": {"SQL statements": 7.0}}) == ["read: SQL statements 7.4 instead of 7.0"]


def test_a_decision_costs_as_much_where_many_sessions_take_turns(tmp_path):
    few, many = measure_in_turn(tmp_path / "few" / "home", 20), measure_in_turn(tmp_path / "many" / "home", 200)
    for what in ("python calls", "SQL statements"):
        assert many[what] <= few[what] * (1 + TOLERANCE), (few, many)
