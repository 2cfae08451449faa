"""What a decision asks the database costs the same in a store of ten rows and of ten million."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from halo_core.facade import HaloBase
from halo_core.store import row_access
from halo_core.store.standing_passports import ISSUED_LAST
from halo_world import SURFACE, Calls, db_of, tool

ASKED = {
    "where a request ran": (row_access.RUNS_QUERY, ("t", "s", b"name", b"named"), "once>? AND once<?"),
    "what became of a run": (row_access.OUTCOME_QUERY, ("t", "s", b"key"), "once=?"),
}


@pytest.mark.parametrize(("statement", "bound", "key"), ASKED.values(), ids=ASKED.keys())
def test_a_request_is_looked_up_and_never_searched_for(tmp_path, statement, bound, key):
    home = tmp_path / "home"
    with HaloBase.local("desk", home=home, quiet=True):
        pass
    database = sqlite3.connect(db_of(home))
    plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement}", bound)]
    database.close()
    assert f"(tenant=? AND session=? AND {key})" in plan[0]
    assert not [step for step in plan if step.startswith("SCAN")]
    assert not [step for step in plan if step.endswith("(tenant=?)")]


class _Steps:
    """Counts what SQLite's virtual machine executes, in tens of instructions: work under the lock, without a clock."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self.tens = 0
        database.set_progress_handler(self._count, 10)

    def _count(self) -> int:
        self.tens += 1
        return 0


def _fill(database: sqlite3.Connection, first: int, entries: int) -> None:
    for ws in range(first, first + entries):
        values = "'local','old',?1,1000000+?1,'decision','s',1,NULL,0,x'00',x'00',NULL,NULL"
        database.execute(f"INSERT INTO entry VALUES ({values})", (ws,))


def _work_of_issued_last(database: sqlite3.Connection) -> int:
    steps = _Steps(database)
    rows = database.execute(ISSUED_LAST, ("local", b'"agent":"desk"')).fetchall()
    database.set_progress_handler(None, 10)
    assert len(rows) == 1
    return steps.tens


def test_finding_an_agents_passport_costs_the_same_in_a_log_of_any_length(tmp_path):
    home = tmp_path / "home"
    with HaloBase.local("desk", home=home, quiet=True) as halo:
        halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "x"}), Calls(), SURFACE)
    with contextlib.closing(sqlite3.connect(db_of(home))) as database:
        _work_of_issued_last(database)  # the first one reads the schema as well
        before = _work_of_issued_last(database)
        _fill(database, 0, 5_000)
        assert _work_of_issued_last(database) == before < 20
        plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {ISSUED_LAST}", ("local", b"x"))]
    assert "SEARCH entry USING INDEX entry_standing_passport (tenant=?)" in plan
    assert not [step for step in plan if step.startswith("SCAN")]
