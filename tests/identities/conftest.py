"""Homes that tests of identities copy."""

from __future__ import annotations

from pathlib import Path

import pytest
from alert_world import lived_in


@pytest.fixture(scope="session")
def lived_in_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a ledger and a baseline in force. Only copies of it are to be used."""
    return lived_in(tmp_path_factory.mktemp("lived") / "home")
