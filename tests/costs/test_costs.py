"""A decision does not get dearer unseen: what can be counted of five standard calls stays near the baseline."""

from __future__ import annotations

import platform

import pytest
from measure import find_rises, format_table, load_baseline, measure


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
