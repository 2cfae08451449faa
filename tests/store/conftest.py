"""Fixtures of the tests of the store."""

from __future__ import annotations

from pathlib import Path

import pytest
from engine_world import ENGINES, Place


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A home that nobody opened yet, and an empty database of each engine."""
    return Place.make(request.param, tmp_path / "home")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.thorough)])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """As `place`; by default on SQLite alone, where another test shows that both engines do what this one needs."""
    return Place.make(request.param, tmp_path / "home")
