"""Attacks on what memory holds of the store, and on columns beside an entry: nothing comes back, and it shows."""

from __future__ import annotations

import sqlite3
import sys
import threading
from pathlib import Path

import psycopg
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "authority"))
import envelope_world as team
from engine_world import ENGINES, Place

from halo_core.enforcement import planner
from halo_core.enforcement.outcome_job import OutcomeJob
from halo_core.errors import CannotDecide, Denied, Pending
from halo_core.model import Budget, EntryKind
from halo_core.store import row_access, rows
from halo_core.store.drafts import Draft
from halo_core.store.postgres_statements import translate
from halo_core.verification import verify_store
from halo_world import SURFACE, Calls, session_ref, tool

pytestmark = pytest.mark.disk
S = "s"
SESSION_ROW = "SELECT version, state, head_w, head_ws FROM session"
PUT_BACK = "UPDATE session SET version=?, state=?, head_w=?, head_ws=?"
SNAPSHOT_PART = b'"control_version"'


mostly_sqlite = pytest.mark.parametrize(
    "place", ["sqlite", pytest.param("postgresql", marks=pytest.mark.thorough)], indirect=True
)
"""Of what no engine has a part in."""


def act(halo, session=S, q="a", name="lookup", **more):
    target = tool(halo, name, **more)
    body = Calls("hello from the web")
    with halo.session(session):
        halo.enforcer.run(halo.build_call(target, {"q": q}), body, SURFACE)
    return body


def findings_beside_parts(report):
    return [(item.kind, item.code, item.where) for item in report.findings if not item.where.startswith("blob ")]


def test_a_row_taken_back_to_what_this_process_remembers_is_refused(place):
    """A budget of four steps and two processes: the row goes back to the state that the first process saw last."""
    limit = team.limits(Budget("step", 1, 4))
    with (
        team.opened(place.home, limit=limit, db=place.url) as one,
        team.opened(place.home, limit=limit, db=place.url) as two,
    ):
        with one.session(S):
            team.run(one)
            team.run(one)
        one.store.flush()
        with place.attack() as attacker:
            (early,) = attacker.run(SESSION_ROW)
            with two.session(S):
                team.run(two)
                team.run(two)
            two.store.flush()
            attacker.run(PUT_BACK, *early)
        with one.session(S), pytest.raises((Denied, Pending)):
            team.run(one)


def test_a_row_taken_away_after_a_process_saw_that_there_was_none_is_missed(place):
    """The other process spends; without the row the session would begin anew for whoever remembers that."""
    with place.open() as one, place.open() as two:
        act(two, "other")  # so that the tool is known, and what follows changes nothing for everybody
        act(one, "other")
        one.store.commit(lambda tx: tx.load_session(tx.references.of_session(S)))
        act(two)
        two.store.flush()
        with place.attack() as attacker:
            assert attacker.run("DELETE FROM session WHERE session=?", session_ref(place.home, S))
        with pytest.raises(Denied) as caught:
            act(one)
        assert caught.value.reason == "ledger_unwritable"


def test_taint_of_another_process_is_not_washed_by_the_older_row(place):
    """The other process tainted the session; the older row would make it clean again for whoever remembers it."""
    with place.open() as one, place.open() as two:
        act(two, "other", name="note", source_trust=0)
        act(one)
        one.store.flush()
        with place.attack() as attacker:
            session = session_ref(place.home, S)
            (early,) = attacker.run(f"{SESSION_ROW} WHERE session=?", session)
            act(two, name="note", source_trust=0)
            two.store.flush()
            attacker.run(f"{PUT_BACK} WHERE session=?", *early, session)
        with pytest.raises(Denied):
            act(one)


def test_a_stop_is_remembered_though_another_job_of_its_group_failed(place):
    """Kept for the time when nothing can be read."""

    def stop(tx):
        tx.append(Draft(EntryKind.STOP, "", {"scope": "agent", "target": "clerk"}))
        assert rows.RestrictionTable(tx).add("stop", "agent", "clerk", 1)

    def spoilt(tx):
        raise CannotDecide("decision_error", "no", remedy="none")

    with place.open() as halo:
        outcomes = halo.store.commit_group([stop, spoilt])
        assert [item.error is None for item in outcomes] == [True, False]
        assert [item.target for item in halo.store.last_restrictions()[0]] == ["clerk"]


@mostly_sqlite
def test_verify_survives_any_number_in_an_outcome(place):
    """A number that no sequence can be, in a signed text."""
    with place.open() as halo:
        act(halo)
    before, after = b'"body":{"decision":', b'"body":{"decision":-'
    with place.attack() as attacker:
        ((text,),) = attacker.run("SELECT body FROM entry WHERE kind='outcome'")
        assert before in text
        attacker.run("UPDATE entry SET body=? WHERE kind='outcome'", text.replace(before, after))
    code, out, err = place.cli("verify")
    assert code == 11, (code, out[-600:], err[-900:])


def test_a_secret_in_a_key_that_is_a_member_of_an_enum_is_sealed(tmp_path):
    from enum import Enum

    class Key(str, Enum):  # noqa: UP042  its text is not its value
        A = "sk-abcdefghijklmnopqrstuvwxyz0123456789"

    with Place.make("sqlite", tmp_path / "home").open() as halo:
        target = tool(halo, "lookup")
        context = halo.enforcer._preparer.prepare(halo.build_call(target, {"q": {Key.A: "v"}}))
        assert b"sk-abcdef" not in context.content["args"], context.content["args"]


MARKS = "SELECT marks FROM entry WHERE tenant=? AND session=? AND marks IS NOT NULL ORDER BY idx"
TAKEN_UP = ((row_access.NEWEST_STATE_QUERY, ("local", "s", b"x")), (MARKS, ("local", "s")))


def test_a_new_session_costs_the_same_in_a_log_of_any_length(tmp_path):
    """What a session is taken up with is looked up by session, and never by walking the log under the lock."""
    place = Place.make("sqlite", tmp_path / "home")
    place.open().close()
    with place.attack() as attacker:
        for query, values in TAKEN_UP:
            plan = [row[3] for row in attacker.run(f"EXPLAIN QUERY PLAN {query}", *values)]
            assert "session=?" in plan[0], plan


def test_a_new_session_costs_the_same_on_a_server(tmp_path):
    place = Place.make("postgresql", tmp_path / "home")
    place.open().close()
    with psycopg.connect(place.url) as connection:
        connection.execute("SET enable_seqscan=off")
        for query, values in TAKEN_UP:
            plan = [row[0] for row in connection.execute(f"EXPLAIN {translate(query)}".encode(), values)]
            assert any("Index Scan" in line and "entry_session" in line for line in plan), plan
            assert not any("Sort" in line for line in plan), plan


@mostly_sqlite
def test_the_numbers_of_two_runs_of_one_request_exchanged(place):
    """A request that paused and went on: keys 0 and 1 exchanged between its two runs."""
    with place.open() as halo:
        for status in ("paused", "success"):
            with halo.session(S):
                ticket = halo.enforcer.begin(halo.build_call(tool(halo, "lookup"), {"q": "a"}, call_id="c"))
            halo.store.commit(OutcomeJob(ticket.context, status))
    assert place.verified() == 0
    with place.attack() as attacker:
        first, second = attacker.run("SELECT once, w, ws FROM entry WHERE kind='decision' ORDER BY ws")
        assert [first[0][-1], second[0][-1]] == [0, 1]
        for _, *key in (first, second):
            attacker.run("UPDATE entry SET once=NULL WHERE w=? AND ws=?", *key)
        for (once, *_), (_, *key) in ((second, first), (first, second)):
            attacker.run("UPDATE entry SET once=? WHERE w=? AND ws=?", once, *key)
    assert place.verified() == 11


@pytest.mark.parametrize("was_committed", [True, False])
def test_an_interrupt_in_commit_does_not_wedge_the_store(place, was_committed):
    """Ctrl-C around COMMIT, also after it is durable: a writer that signed the same sequence again would be refused."""
    name = "connection" if place.url.startswith("sqlite") else "_connection"
    with place.open() as halo:
        act(halo)
        halo.store.flush()
        database = halo.store._database
        real = getattr(database, name)

        class Interrupted:
            armed = True

            def __getattr__(self, name):
                return getattr(real, name)

            def execute(self, statement, *values, **options):
                is_main = threading.current_thread() is threading.main_thread()
                if statement != "COMMIT" or not (self.armed and is_main):
                    return real.execute(statement, *values, **options)
                self.armed = False
                if was_committed:
                    real.execute(statement, *values, **options)
                raise KeyboardInterrupt

        setattr(database, name, Interrupted())
        with pytest.raises(KeyboardInterrupt):
            act(halo, q="b")
        act(halo, q="c")
    assert len(place.found(EntryKind.DECISION)) == 2 + was_committed
    assert place.verified() == 0


@mostly_sqlite
def test_an_entry_of_format_1_is_named_as_such(place):
    """It is called a version that is not known, and nothing else is wrong with it."""
    with place.open() as halo:
        act(halo)
    with place.attack() as attacker:
        ((text,),) = attacker.run("SELECT body FROM entry WHERE kind='decision'")
        old = text.replace(b'"v":3', b'"v":1').replace(b'"frame":', b'"framed":')
        attacker.run("UPDATE entry SET body=? WHERE kind='decision'", old)
    report = verify_store(place.url, place.home)
    codes = {item.code for item in report.findings if "column body" in item.where and item.check == 2}
    assert codes == {"unknown_version"}, [(i.code, i.where) for i in report.findings]


@pytest.mark.parametrize("steal", [False, True])
def test_the_sketch_is_compared_with_what_the_entries_say(place, steal):
    """Marks taken away beside an entry: a new process decides as if the untrusted text had never been read."""
    with place.open() as halo:
        act(halo, source_trust=0)
    if steal:
        with place.attack() as attacker:
            assert attacker.run("UPDATE entry SET marks=NULL WHERE kind='outcome'")
    with place.open() as halo:
        if steal:
            with pytest.raises(Denied) as caught:
                act(halo, q="hello web", source_trust=0)
            assert caught.value.reason == "ledger_unwritable"
        else:
            act(halo, q="hello web", source_trust=0)
    if not steal:
        last = place.bodies(EntryKind.DECISION)[-1]["snapshot"]["provenance"]
        assert last == [["/q", "untrusted"]], last


@mostly_sqlite
def test_a_missing_part_is_a_gap_and_nothing_else_is_accused(place):
    """One row of `blob` deleted; session row, `once` and `mark` of every entry that names it are as written."""
    with place.open() as halo:
        act(halo)
        act(halo, q="b")
    with place.attack() as attacker:
        name = attacker.run("SELECT hash FROM blob WHERE instr(bytes, ?)>0", SNAPSHOT_PART)[0]
        attacker.run("DELETE FROM blob WHERE hash=?", *name)
    report = verify_store(place.url, place.home)
    assert (report.exit_code, findings_beside_parts(report)) == (13, [])


@mostly_sqlite
def test_an_altered_part_is_named_and_nothing_else_is_accused(place):
    with place.open() as halo:
        act(halo)
        act(halo, q="b")
    with place.attack() as attacker:
        for name, data in attacker.run("SELECT hash, bytes FROM blob WHERE instr(bytes, ?)>0", SNAPSHOT_PART):
            attacker.run("UPDATE blob SET bytes=? WHERE hash=?", data + b" ", name)
    report = verify_store(place.url, place.home)
    assert (report.exit_code, findings_beside_parts(report)) == (11, [])


@pytest.mark.parametrize("check_interval", [1, 2**40])
def test_a_part_that_was_removed_meanwhile_is_stored_again(place, monkeypatch, check_interval):
    """What memory says is stored is not believed after another connection wrote, by a plan or without one."""
    monkeypatch.setattr(planner, "check_interval", check_interval)
    with place.open() as halo:
        act(halo)
        halo.store.flush()
        with place.attack() as attacker:
            assert attacker.run("DELETE FROM blob WHERE instr(bytes, ?)>0", SNAPSHOT_PART)
        act(halo, q="b")
        halo.store.flush()
    place.bodies(EntryKind.DECISION)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_failure_right_after_the_lock_was_taken_does_not_refuse_what_comes_later(tmp_path, engine):
    place = Place.make(engine, tmp_path / "home")
    name, what, error = {
        "sqlite": ("connection", "PRAGMA data_version", sqlite3.OperationalError("disk I/O error")),
        "postgresql": ("_connection", "BEGIN", psycopg.OperationalError("out of memory")),
    }[engine]
    with place.open() as halo:
        act(halo, q="a")
        halo.store.flush()
        database = halo.store._database
        real = getattr(database, name)

        class Failing:
            def __getattr__(self, name):
                return getattr(real, name)

            def execute(self, statement, *values, **options):
                is_main = threading.current_thread() is threading.main_thread()  # the writer thread may come first
                text = statement if isinstance(statement, str) else statement.decode()
                if not (text.startswith(what) and is_main):
                    return real.execute(statement, *values, **options)
                real.execute(statement, *values, **options)
                raise error

        setattr(database, name, Failing())
        with pytest.raises(CannotDecide):
            halo.store.commit(lambda _: None)
        setattr(database, name, real)
        act(halo, q="b")
    assert place.verified() == 0
