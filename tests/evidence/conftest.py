"""Fixtures of the tests of evidence."""

from __future__ import annotations

import pytest
from month import play_month
from month_player import Month


@pytest.fixture(scope="session")
def usual_month(tmp_path_factory) -> Month:
    """An ordinary month. Only `usual_month.copy(folder)` is to be used further."""
    return play_month(tmp_path_factory.mktemp("usual"), seed=7, days=5, sessions=1)
