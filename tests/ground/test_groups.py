"""Tests that share what their module makes run on one worker: elsewhere it would be made once more."""

from __future__ import annotations

import pytest

MADE: list[object] = []


@pytest.fixture(scope="module")
def shared():
    MADE.append(object())
    return MADE[-1]


@pytest.mark.parametrize("case", range(6))
def test_a_module_fixture_names_the_group_of_its_tests(request, shared, case):
    assert [shared] == MADE
    if hasattr(request.config, "workerinput"):
        assert request.node.nodeid.endswith("]@tests/ground/test_groups.py")
