"""Fixtures of the tests of the store."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
from engine_world import ENGINES, Place


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave to the thorough run the cases on PostgreSQL of every second test that runs on both engines."""
    tests: defaultdict[Path, dict[str, list[pytest.Item]]] = defaultdict(dict)
    for item in items:
        params = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
        if params.get("place") == "postgresql" and item.get_closest_marker("thorough") is None:
            tests[item.path].setdefault(item.nodeid.partition("[")[0], []).append(item)
    for of_file in tests.values():
        for cases in list(of_file.values())[1::2]:
            for item in cases:
                item.add_marker(pytest.mark.thorough)


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A home that nobody opened yet, and an empty database of each engine."""
    return Place.make(request.param, tmp_path / "home")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.thorough)])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """As `place`; by default on SQLite alone, where another test shows that both engines do what this one needs."""
    return Place.make(request.param, tmp_path / "home")
