"""A home with a history and a score in force, and copies of it."""

from __future__ import annotations

import shutil

import pytest
from score_world import history, in_force


@pytest.fixture(scope="session")
def lived(tmp_path_factory):
    """A home with a history and a score in force."""
    home = tmp_path_factory.mktemp("lived") / "home"
    history(home)
    in_force(home)
    return home


@pytest.fixture
def copy(lived, tmp_path):
    return shutil.copytree(lived, tmp_path / "home")
