"""What goes in place of what the user named is held, and what he named runs; each case without a framework."""

from __future__ import annotations

from pathlib import Path

import pytest
from pairs_table import Pair
from raw_runs import run_raw
from scope_cases import SCOPES

pytestmark = pytest.mark.filterwarnings("ignore::Warning")


@pytest.mark.share(3)
@pytest.mark.parametrize("pair", SCOPES, ids=lambda pair: pair.name)
def test_what_the_user_did_not_name_is_held(pair: Pair, tmp_path: Path) -> None:
    assert pair.attack is not None
    is_held, _ = run_raw(pair.attack, tmp_path / "home")
    assert is_held


@pytest.mark.share(3)
@pytest.mark.parametrize("pair", SCOPES, ids=lambda pair: pair.name)
def test_what_the_user_named_runs(pair: Pair, tmp_path: Path) -> None:
    assert pair.twin is not None
    _, missing = run_raw(pair.twin, tmp_path / "home")
    assert not missing
