"""Transactions on PostgreSQL that work from memory: one round trip, and nothing that memory did not know is missed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from engine_world import Place, once

from halo_core.decision.record_parts import make_part, pack_digest, unpack_digest
from halo_core.errors import CannotDecide, Denied
from halo_core.model import EntryKind, Mode, Stop
from halo_core.oversight.control_acts import raise_floor
from halo_core.oversight.restrictions import stop
from halo_core.store.drafts import Draft
from halo_world import Calls

pytestmark = pytest.mark.disk


@pytest.fixture
def place(tmp_path) -> Place:
    return Place.make("postgresql", tmp_path / "home")


@contextmanager
def counted(monkeypatch, store) -> Iterator[list[str]]:
    """The round trips of a store's connection: the statement of each, or `pipeline`."""
    trips: list[str] = []
    execute, leave = psycopg.Cursor.execute, psycopg.Pipeline.__exit__

    def is_its_own(connection) -> bool:
        return connection is store._database._connection

    def count_statement(cursor, query, *values, **options):
        if is_its_own(cursor.connection) and not cursor.connection._pipeline:
            trips.append(query if isinstance(query, str) else query.decode())
        return execute(cursor, query, *values, **options)

    def count_pipeline(pipeline, *raised):
        if is_its_own(pipeline._conn):
            trips.append("pipeline")
        return leave(pipeline, *raised)

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Cursor, "execute", count_statement)
        patch.setattr(psycopg.Pipeline, "__exit__", count_pipeline)
        yield trips


def note(name: str):
    return lambda tx: tx.append(Draft(EntryKind.FEEDBACK, "", {"name": name}))


def test_an_undisturbed_decision_with_its_outcome_takes_two_round_trips_and_an_entry_one(place, monkeypatch):
    with place.open() as halo:
        monkeypatch.setattr(halo.store, "checkpoint_if_due", lambda: None)
        monkeypatch.setattr(halo.store, "commit_deferred", lambda: None)
        for number in range(4):
            once(halo, call_id=f"warm-{number}")
            if number == 2:
                halo.store.flush()
        with counted(monkeypatch, halo.store) as trips:
            once(halo, call_id="a")  # takes along the outcome of the one before, whose result may be known already
        assert trips == ["pipeline", "pipeline"]
        halo.store.flush()
        with counted(monkeypatch, halo.store) as trips:
            halo.store.commit(note("x"), session="")
        assert trips == ["pipeline"]
    assert place.verified() == 0
    assert place.cli("replay", "--all")[0] == 0


def test_the_first_decision_of_a_session_reads_what_other_hosts_left_at_once(place, monkeypatch):
    with place.open() as halo:
        monkeypatch.setattr(halo.store, "checkpoint_if_due", lambda: None)
        monkeypatch.setattr(halo.store, "commit_deferred", lambda: None)
        for number in range(3):
            once(halo, call_id=f"warm-{number}", session=f"s-{number}")
        halo.store.flush()
        with counted(monkeypatch, halo.store) as trips:
            once(halo, call_id="a", session="new")
        assert len(trips) <= 8, trips
        assert sum("FROM profile" in trip for trip in trips) == 1
        assert sum("kind='profile'" in trip for trip in trips) == 1
    assert place.verified() == 0


def test_the_first_read_joins_what_begins_its_transaction(place, monkeypatch):
    with place.open() as halo:
        once(halo, call_id="warm")
        halo.store.flush()
        with counted(monkeypatch, halo.store) as trips:
            assert halo.store.commit(lambda tx: tx.cursor.execute("SELECT 7 FROM control").fetchone()) == (7,)
        assert trips == ["pipeline", "COMMIT"]


def test_what_is_taken_from_memory_alone_is_compared_too(place):
    with place.open(mode=None) as one, place.open("other", mode=None) as two:
        assert one.store.find_mode() is Mode.OBSERVE
        two.store.commit(lambda tx: raise_floor(tx, "mia"))
        assert one.store.find_mode() is Mode.ENFORCE


@pytest.mark.parametrize("reads", [False, True])
def test_a_stop_of_another_process_counts_though_memory_decided_first(place, reads):
    with place.open() as one, place.open("other") as two:
        once(one, call_id="a", session="mine")
        one.store.flush()
        two.store.commit(lambda tx: stop(tx, Stop("agent", "clerk", 1), "mia", "odd"))
        body = Calls()
        with pytest.raises(Denied, match="stopped"):
            once(one, body, call_id="b", session="new" if reads else "mine")
        assert body == []
    assert place.verified() == 0
    assert place.cli("replay", "--all")[0] == 0


def test_a_part_that_was_there_though_it_was_sent_as_new_is_looked_for(place):
    name, data = make_part({"a": 1})
    with place.open() as one, place.open("other") as two:
        one.store.commit(lambda tx: tx.put_part(name, data, is_new=True))
        two.store.commit(lambda tx: tx.put_part(name, data, is_new=True))
        assert two.store.commit(lambda tx: tx.load_blob(unpack_digest(name))) == data
        one.store.commit(lambda tx: tx.put_new_blob("sha256:" + "0" * 64, b"forged"))
        with pytest.raises(CannotDecide, match="did not store a part"):
            two.store.commit(lambda tx: tx.put_part(pack_digest("0" * 64), b"true", is_new=True))


def refused(tx):
    """A row that the server refuses when it is sent, which is no race."""
    tx.insert("INSERT INTO blob VALUES (?,?,?)", (tx.tenant, None, b"x"))


def test_a_row_that_is_refused_takes_nothing_else_of_its_group_along(place):
    async def act(halo):
        jobs = (note("a"), refused, note("b"))
        return await asyncio.gather(*(halo.store.acommit(job) for job in jobs), return_exceptions=True)

    with place.open() as halo:
        first, second, third = asyncio.run(act(halo))
        assert isinstance(second, CannotDecide)
        assert second.code == "ledger_unwritable"
        assert not isinstance(first, Exception)
        assert not isinstance(third, Exception)
        halo.store.commit(note("c"))
    assert [body["name"] for body in place.bodies(EntryKind.FEEDBACK)] == ["a", "b", "c"]
    assert place.verified() == 0


def test_after_a_pipeline_that_failed_the_next_transaction_runs(place, monkeypatch):
    """The server may not have prepared what came after the statement that failed."""
    with place.open() as halo:
        once(halo, call_id="warm")
        halo.store.flush()
        with place.attack() as other:
            key = halo.store._database._key("control")
            other.run("SELECT pg_advisory_lock(?)", key)
            halo.store._database.set_deadline(0.2)
            monkeypatch.setattr(halo.store._database, "set_deadline", lambda _: None)
            for number in range(3):
                with pytest.raises(CannotDecide) as caught:
                    halo.store.commit(note(f"denied-{number}"))
                assert caught.value.code == "ledger_busy"
            other.run("SELECT pg_advisory_unlock(?)", key)
        monkeypatch.undo()
        for number in range(3):
            halo.store.commit(note(f"ran-{number}"))
            once(halo, call_id=f"ran-{number}")
    assert [body["name"] for body in place.bodies(EntryKind.FEEDBACK)] == ["ran-0", "ran-1", "ran-2"]
    assert place.verified() == 0
