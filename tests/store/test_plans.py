"""What a decision asks the database costs the same in a store of ten rows and of ten million."""

from __future__ import annotations

import sqlite3

import pytest

from halo_core.facade import HaloBase
from halo_core.store import tx
from halo_world import db_of

ASKED = {
    "how often, and whether it ran": (tx.PAST, ("t", "agent", "tool", "request", 2)),
    "where it ran": (tx.RAN, ("t", "request")),
}


@pytest.mark.parametrize(("statement", "bound"), ASKED.values(), ids=ASKED.keys())
def test_a_request_is_looked_up_and_never_searched_for(tmp_path, statement, bound):
    home = tmp_path / "home"
    with HaloBase.local("desk", home=home, quiet=True):
        pass
    database = sqlite3.connect(db_of(home))
    plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement}", bound)]
    database.close()
    steps = [step for step in plan if "dispatch" in step or " d " in step or " e " in step]
    assert steps
    assert "request_id=?" in steps[0]
    assert not [step for step in plan if step.startswith("SCAN") and "CONSTANT" not in step]
    assert not [step for step in plan if step.endswith("(tenant=?)")]
