"""What a decision asks the database costs the same in a store of ten rows and of ten million."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from halo_core.facade import HaloBase
from halo_core.store import control_state, profile_rows, row_access
from halo_core.store.entry_parts import bound_part
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


def _fill_with_others(database: sqlite3.Connection, store: str, others: int) -> None:
    """Passports, profiles and writers of other agents."""
    texts = {
        "passport": '{"body":{"actor":"a","agent":"other-%d","hash":"h","kind":"standing"},"kind":"passport"}',
        "profile": '{"body":{"profile":{"digest":"d","kind":"agent","subject":"other-%d","version":1}}}',
        "writer_open": '{"body":{"origin":{"host":"%d"},"store":"' + store + '","vkey":"v"},"kind":"writer_open"}',
    }
    for number in range(others):
        for at, (kind, text) in enumerate(texts.items()):
            row = f"{kind}-{number}", 2 - at, 3 * number + at + 2_000_000, kind, (text % number).encode()
            values = "'local',?,?,?,?,'',1,NULL,0,?,x'00',NULL,NULL"
            database.execute(f"INSERT INTO entry VALUES ({values})", row)
        database.execute("INSERT INTO writer VALUES ('local',?,'v',1,2)", (f"writer_open-{number}",))


def _work_of(database: sqlite3.Connection, statement: str, *bound: str | bytes, rows: int) -> int:
    steps = _Steps(database)
    found = database.execute(statement, ("local", *bound)).fetchall()
    database.set_progress_handler(None, 10)
    assert len(found) == rows
    return steps.tens


def test_finding_what_an_agent_has_costs_the_same_in_a_log_of_any_length(tmp_path):
    home = tmp_path / "home"
    with HaloBase.local("desk", home=home, quiet=True) as halo:
        halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "x"}), Calls(), SURFACE)
    with contextlib.closing(sqlite3.connect(db_of(home))) as database:
        (store,) = database.execute("SELECT store FROM control").fetchone()
        before, after = bound_part(b'"store":"%s"' % store.encode())
        asked = [
            (ISSUED_LAST, *bound_part(b'"agent":"desk"'), 1),
            (profile_rows.OF_IDENTITY_QUERY, *bound_part(b'"subject":"desk"'), 1),
            (profile_rows.OF_IDENTITY_QUERY, *bound_part(b'"subject":"new"'), 0),
            (control_state.OPENED_ELSEWHERE[0], before, 0),
            (control_state.OPENED_ELSEWHERE[1], after, 0),
        ]
        works: list[list[int]] = [[], [], []]
        for times in works:  # the first time reads the schema as well
            if times is works[2]:
                _fill(database, 0, 5_000)
                _fill_with_others(database, store, 1_000)
            times += [_work_of(database, *bound, rows=rows) for *bound, rows in asked]
        assert max(works[1]) < 20
        assert all(late <= early + 2 for early, late in zip(works[1], works[2], strict=True))
        for statement, *bound, _ in asked:
            plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement}", ("local", *bound))]
            assert not [step for step in plan if step.startswith("SCAN")]
