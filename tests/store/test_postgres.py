"""The engine for PostgreSQL in bad weather: lost connections, two sequencers, a role without rights, a full server."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "authority"))

from engine_world import Place, once
from postgres_server import start_own_server, start_server, with_database

from counts import count
from halo_core import failpoints
from halo_core.crypto.keys import KeyStore
from halo_core.errors import CannotDecide, ConfigError, Denied, Gap, HaloError, Tampered
from halo_core.facade import HaloBase
from halo_core.model import EntryKind, Stop
from halo_core.oversight import restrictions
from halo_core.store import postgres_schema
from halo_core.store.drafts import Draft
from halo_core.store.engine import Conflict
from halo_core.store.postgres import PostgresDatabase
from halo_core.store.postgres_statements import describe_server, translate
from halo_core.store.sequencer import Sequencer
from halo_core.store.transaction import Transaction
from halo_world import Calls, call_ref, policy_folder, session_ref

pytestmark = pytest.mark.disk


@pytest.fixture
def server():
    return start_server()


@pytest.fixture
def place(server, tmp_path) -> Place:
    return Place(tmp_path / "home", server.make_database())


def note(name):
    return lambda tx: tx.append(Draft(EntryKind.FEEDBACK, "", {"name": name}))


def end_sessions(server, place: Place, where: str = "true") -> int:
    """End Halo's sessions on the place's database, as an administrator would."""
    name = place.url.partition("?")[0].rpartition("/")[2]
    rows = server.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        f" WHERE datname=%s AND application_name='halo' AND {where}",
        name,
    )
    return len(rows)


def refused(halo, **call) -> Denied:
    body = Calls()
    with pytest.raises(Denied) as caught:
        once(halo, body, **call)
    assert body == []
    return caught.value


# statements


def test_a_statement_is_translated():
    assert translate("SELECT a FROM t WHERE b=? AND c LIKE '5%'") == "SELECT a FROM t WHERE b=%s AND c LIKE '5%%'"
    assert translate("SELECT max(idx) FROM entry WHERE tenant=?") == "SELECT max(idx) FROM position WHERE tenant=%s"
    assert "place >= " not in translate("INSERT INTO entry VALUES (?,?)")
    assert translate("SELECT x FROM entry WHERE idx>=? ORDER BY idx").endswith(
        "place>=%s ORDER BY place NULLS LAST, tick"
    )
    assert translate("SELECT x FROM entry WHERE w=? ORDER BY idx DESC LIMIT 1").endswith(
        "FROM entry WHERE w=%s ORDER BY tick DESC LIMIT 1"
    )
    assert translate("SELECT idx FROM entry WHERE ws=?").startswith("SELECT place FROM (SELECT e.*, p.idx AS place")
    assert (
        translate("SELECT 1 FROM entry WHERE instr(body, ?2)>0") == "SELECT 1 FROM entry WHERE position(%s IN body)>0"
    )


def test_an_anchor_names_a_server_without_its_password():
    assert describe_server("postgresql+psycopg://u:secret@db.example:5433/halo") == "postgresql:db.example:5433/halo"
    assert describe_server("postgresql://u:secret@/halo?host=/run/pg") == "postgresql:/run/pg:5432/halo"


def test_connecting_gives_the_same_as_opening(place):
    with HaloBase.connect(
        place.url, "clerk", home=place.home, policy=policy_folder(place.home), mode="enforce", quiet=True
    ) as halo:
        once(halo)
    assert place.verified() == 0


# connections that end


def lose_commit(monkeypatch, halo: HaloBase, lose: Callable[[], object], *, was_committed: bool) -> None:
    """Let the connection of the next COMMIT be lost, before or after the server took it; `lose` is called then.

    The writer thread rests meanwhile, so that the COMMIT is the caller's.
    """
    for name in ("checkpoint_if_due", "commit_deferred"):
        monkeypatch.setattr(halo.store, name, lambda: None)
    database = halo.store._database
    send = database._send_all

    def send_and_lose():
        monkeypatch.setattr(database, "_send_all", send)
        if not was_committed:
            lose()
            return send()
        send()
        lose()
        return database._connection.execute("SELECT 1")

    monkeypatch.setattr(database, "_send_all", send_and_lose)


def unreachable():
    raise CannotDecide("ledger_unreachable", "the server is away")


def test_a_session_that_was_ended_between_two_decisions(server, place):
    with place.open() as halo:
        once(halo, call_id="a")
        halo.store.flush()
        assert end_sessions(server, place) >= 1
        once(halo, call_id="b")
        halo.store.flush()
    assert len({item.entry.writer for item in place.found()}) == 1  # the writer goes on
    assert [body["status"] for body in place.bodies(EntryKind.OUTCOME)] == ["success"] * 2
    assert place.verified() == 0


def test_a_writer_that_was_taken_for_dead_begins_anew(server, place):
    with place.open() as halo:
        once(halo, call_id="a")
        halo.store.flush()
        with halo.store._checkpoint_lock:  # else the thread that signs checkpoints may connect anew before it
            end_sessions(server, place)
            place.open("other").close()  # recovers it
        once(halo, call_id="b")
    assert len({item.entry.writer for item in place.found(EntryKind.DECISION)}) == 2
    assert place.verified() == 0


@pytest.mark.parametrize("point", ["before_begin", "after_append", "before_commit"])
def test_a_session_that_was_ended_within_a_transaction(server, place, point):
    with place.open() as halo:
        once(halo, call_id="a")
        halo.store.flush()
        struck = []

        def strike(name):
            if name == point and not struck:
                struck.append(end_sessions(server, place))

        failpoints.arm_failpoints(strike)
        body = Calls()
        once(halo, body, call_id="b")
        failpoints.arm_failpoints(None)
        assert struck
        assert len(body) == 1
    calls = [body["request"]["context"]["call_id"] for body in place.bodies(EntryKind.DECISION)]
    assert calls == [call_ref(place.home, name) for name in "ab"]
    assert place.verified() == 0


@pytest.mark.parametrize("was_committed", [True, False])
def test_a_commit_without_an_answer_is_looked_up(server, place, monkeypatch, was_committed):
    with place.open() as halo:
        once(halo, call_id="a")
        halo.store.flush()
        lose_commit(monkeypatch, halo, lambda: end_sessions(server, place), was_committed=was_committed)
        body = Calls()
        once(halo, body, call_id="b")
        assert len(body) == 1
        once(halo, call_id="c")
    calls = [body["request"]["context"]["call_id"] for body in place.bodies(EntryKind.DECISION)]
    assert calls == [call_ref(place.home, name) for name in "abc"]
    assert [body["status"] for body in place.bodies(EntryKind.OUTCOME)] == ["success"] * 3
    assert place.verified() == 0


@pytest.mark.parametrize("was_committed", [True, False])
def test_a_writer_that_was_taken_for_dead_during_commit_writes_no_more(server, place, monkeypatch, was_committed):
    """What a writer appends after it was closed would never get a position."""

    def lose():
        end_sessions(server, place)
        place.open("other").close()  # recovers it before the commit is looked up

    with place.open() as halo:
        once(halo, call_id="a")
        halo.store.flush()
        lose_commit(monkeypatch, halo, lose, was_committed=was_committed)
        body = Calls()
        once(halo, body, call_id="b")
        assert len(body) == 1
        once(halo, call_id="c")
        halo.store.checkpoint()
    calls = [body["request"]["context"]["call_id"] for body in place.bodies(EntryKind.DECISION)]
    assert calls == [call_ref(place.home, name) for name in "abc"]
    assert place.verified() == 0
    waiting = server.run(
        "SELECT w, ws FROM entry e WHERE NOT EXISTS (SELECT 1 FROM position p WHERE p.w=e.w AND p.ws=e.ws)",
        database=place.url,
    )
    assert waiting == []


def test_a_commit_that_cannot_be_looked_up_runs_nothing(server, place, monkeypatch):
    with place.open() as halo:
        once(halo, call_id="a")
        halo.store.flush()
        with monkeypatch.context() as patch:
            lose_commit(patch, halo, lambda: end_sessions(server, place), was_committed=True)
            patch.setattr(halo.store._database, "_connect", unreachable)
            assert refused(halo, call_id="b").reason == "ledger_unreachable"
        once(halo, call_id="c")  # with a new writer, which recovers the old one
    assert [body["status"] for body in place.bodies(EntryKind.OUTCOME)] == ["success", "unknown", "success"]
    assert place.verified() == 0


class Standby:
    """A copy of a place's database as it is now, which takes its name over later, and gives it back."""

    def __init__(self, server, place: Place) -> None:
        self._server, self._place = server, place
        self._name = place.url.partition("?")[0].rpartition("/")[2]
        end_sessions(server, place)
        server.run(f'CREATE DATABASE "{self._name}_old" TEMPLATE "{self._name}"')

    def take_over(self) -> None:
        self._rename(self._name, f"{self._name}_new")
        self._rename(f"{self._name}_old", self._name)

    def give_back(self) -> None:
        self._rename(self._name, f"{self._name}_old")
        self._rename(f"{self._name}_new", self._name)

    def _rename(self, name: str, other: str) -> None:
        end_sessions(self._server, self._place)
        self._server.run(f'ALTER DATABASE "{name}" RENAME TO "{other}"')


def test_a_standby_that_was_behind_when_it_took_over_is_refused(server, place, monkeypatch):
    """It has the writer, but not its last entries, and no anchor covers them yet."""
    with place.open() as halo:
        monkeypatch.setattr(halo.store, "checkpoint_if_due", lambda: None)
        once(halo, call_id="a")
        halo.store.flush()
        standby = Standby(server, place)
        once(halo, call_id="b")
        halo.store.flush()
        standby.take_over()
        for number in range(3):
            assert refused(halo, call_id=f"c{number}").reason == "ledger_behind_anchor"
        standby.give_back()
        once(halo, call_id="d")
    assert len({item.entry.writer for item in place.found()}) == 1
    assert place.verified() == 0


@pytest.mark.parametrize("was_committed", [True, False])
def test_a_standby_that_was_behind_takes_over_during_commit(server, place, monkeypatch, was_committed):
    with place.open() as halo:
        monkeypatch.setattr(halo.store, "checkpoint_if_due", lambda: None)
        once(halo, call_id="a")
        halo.store.flush()
        standby = Standby(server, place)
        once(halo, call_id="b")
        halo.store.flush()
        lose_commit(monkeypatch, halo, standby.take_over, was_committed=was_committed)
        reasons = [refused(halo, call_id=f"c{number}").reason for number in range(3)]
        # A busy machine may be too slow to look the commit up.
        assert set(reasons) - {"ledger_unreachable", "ledger_busy"} == {"ledger_behind_anchor"}
        standby.give_back()
        once(halo, call_id="d")
    statuses = [body["status"] for body in place.bodies(EntryKind.OUTCOME)]
    assert sorted(statuses) == ["success"] * 3 + ["unknown"] * was_committed
    assert place.verified() == 0


def test_a_standby_that_was_behind_takes_over_after_a_commit_that_could_not_be_looked_up(server, place, monkeypatch):
    with place.open() as halo:
        monkeypatch.setattr(halo.store, "checkpoint_if_due", lambda: None)
        once(halo, call_id="a")
        halo.store.flush()
        standby = Standby(server, place)
        once(halo, call_id="b")
        halo.store.flush()
        with monkeypatch.context() as patch:
            lose_commit(patch, halo, standby.take_over, was_committed=False)
            patch.setattr(halo.store._database, "_connect", unreachable)
            assert refused(halo, call_id="c").reason == "ledger_unreachable"
        for number in range(2):
            assert refused(halo, call_id=f"d{number}").reason == "ledger_behind_anchor"
        standby.give_back()
        once(halo, call_id="e")
    assert [body["status"] for body in place.bodies(EntryKind.OUTCOME)] == ["success"] * 3
    assert place.verified() == 0


@pytest.mark.slow
def test_sessions_that_are_ended_all_the_time_lose_and_repeat_nothing(server, place):
    """Acknowledged calls are there, none twice, although sessions end within BEGIN, COMMIT and everything between."""
    place.open().close()
    workers, each = count(3, fewest=2), count(240, fewest=30)
    running = [place.spawn("endure", f"w{number}", str(each)) for number in range(workers)]
    for worker in running:
        assert worker.stdout.readline() == "ready\n"
    for worker in running:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    done = threading.Event()
    ended = 0

    def strike():
        nonlocal ended
        dice = random.Random(7)
        while not done.wait(dice.uniform(0.02, 0.1)):
            for part in dice.sample(range(3), 2):  # of three parts two, since one may hold no session
                ended += end_sessions(server, place, f"mod(pid, 3) = {part}")

    striker = threading.Thread(target=strike)
    striker.start()
    said = [worker.communicate()[0].splitlines() for worker in running]
    done.set()
    striker.join()
    assert ended > workers
    assert any(line.startswith("ran ") for lines in said for line in lines)
    ran = {line.split()[1] for lines in said for line in lines if line.startswith("ran ")}
    place.open().close()  # recovers whoever gave up, and gives positions to what waits for them
    calls = [body["request"]["context"]["call_id"] for body in place.bodies(EntryKind.DECISION) if body["dispatched"]]
    assert len(calls) == len(set(calls))
    assert {call_ref(place.home, name) for name in ran} <= set(calls)
    assert place.verified() == 0
    assert place.cli("replay", "--all")[0] == 0


@pytest.mark.slow
@pytest.mark.parametrize("kills", [1, pytest.param(12, marks=pytest.mark.thorough)])
def test_a_server_that_is_killed_and_started_again_loses_and_repeats_nothing(tmp_path, kills):
    server = start_own_server()
    place = Place(tmp_path / "home", server.make_database())
    try:
        place.open().close()
        running = [place.spawn("endure", f"w{number}", str(60 * kills)) for number in range(2)]
        for worker in running:
            assert worker.stdout.readline() == "ready\n"
        for worker in running:
            worker.stdin.write("go\n")
            worker.stdin.flush()
        for _ in range(kills):
            time.sleep(0.5)
            server.kill()
            time.sleep(0.2)
            server.start()
        said = [line.split() for worker in running for line in worker.communicate()[0].splitlines()]
        assert [worker.returncode for worker in running] == [0, 0]
        ran = [name for what, name, _ in said if what == "ran"]
        assert all(times == ("1" if what == "ran" else "0") for what, _, times in said)
        assert {what for what, *_ in said} <= {"ran", "ledger_unreachable", "ledger_busy", "ledger_unwritable"}
        place.open().close()
        decided = [body for body in place.bodies(EntryKind.DECISION) if body["dispatched"]]
        calls = [body["request"]["context"]["call_id"] for body in decided]
        assert len(calls) == len(set(calls))
        assert {call_ref(place.home, name) for name in ran} <= set(calls)
        assert place.verified() == 0
        assert place.cli("replay", "--all")[0] == 0
    finally:
        server.stop()


# several at the same time


def test_a_race_is_run_again_on_what_the_other_wrote(place):
    """A decision that was begun on an old image finds out when it writes its session."""
    with place.open() as one, place.open() as other:
        once(one)
        once(other)
        one.store.flush()
        other.store.flush()
        beaten = []

        def strike(name):
            if name == "after_append" and not beaten and threading.current_thread() is threading.main_thread():
                beaten.append(name)
                once(other)

        failpoints.arm_failpoints(strike)
        once(one)
        failpoints.arm_failpoints(None)
    steps = [body["snapshot"]["session"]["steps"] for body in place.bodies(EntryKind.DECISION)]
    assert steps == [0, 1, 2, 3]
    assert place.verified() == 0


@pytest.mark.parametrize("is_new", [True, False])
def test_a_session_that_is_written_while_it_is_read_is_read_again(place, monkeypatch, is_new):
    """Between its row and its newest entry: the two do not fit, although nobody changed anything."""
    find_newest_state, beaten = Transaction.find_newest_state, []
    with place.open() as one, place.open() as other:
        once(one, session="other")
        once(other, session="s" if not is_new else "third")
        other.store.flush()

        def strike(tx, session):
            if (
                tx.writer is one.store._writer
                and session == session_ref(place.home, "s")
                and not tx.database.holds_rows
                and len(beaten) < 2
            ):
                beaten.append(session)
                once(other, session="s")
                other.store.flush()
            return find_newest_state(tx, session)

        monkeypatch.setattr(Transaction, "find_newest_state", strike)
        once(one, session="s")
        assert beaten
    assert place.verified() == 0


def test_stores_that_share_a_session_wait_for_each_other_without_a_deadlock(server, place):
    """Each transaction writes several rows of the session; those of one session follow each other."""
    hosts = [place.open() for _ in range(4)]
    failed: list[BaseException] = []

    def act(halo):
        try:
            for _ in range(12):
                once(halo, session="shared")
        except BaseException as exc:  # noqa: BLE001  shown by the test
            failed.append(exc)

    threads = [threading.Thread(target=act, args=(halo,)) for halo in hosts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for halo in hosts:
        halo.close()
    assert failed == []
    assert place.verified() == 0
    query = "SELECT deadlocks FROM pg_stat_database WHERE datname=current_database()"
    assert server.run(query, database=place.url) == [(0,)]


def test_a_race_that_is_lost_three_times_is_a_denial(place, monkeypatch):
    def lose(*_):
        raise Conflict("another was faster")

    with place.open() as halo:
        once(halo)
        monkeypatch.setattr(Transaction, "update", lose)
        assert refused(halo).reason == "ledger_busy"
        monkeypatch.undo()
        once(halo)
    assert place.verified() == 0


def test_a_stop_does_not_wait_for_a_moment_without_decisions(place):
    """Shared locks follow each other without a gap; whoever wants it alone is next all the same."""
    with place.open() as halo:
        once(halo)
        done = threading.Event()
        others = [place.open(f"busy{number}") for number in range(3)]

        decided = []

        def decide(other, name):
            while not done.is_set():
                once(other, session=name)
                decided.append(name)

        threads = [threading.Thread(target=decide, args=(other, f"b{n}")) for n, other in enumerate(others)]
        for thread in threads:
            thread.start()
        before = len(decided)
        halo.store.commit(lambda tx: restrictions.stop(tx, Stop("agent", "clerk", 1), "ruth", "test"))
        passed = len(decided) - before
        done.set()
        for thread in threads:
            thread.join()
        for other in others:
            other.close()
        assert refused(halo).reason == "stopped"
        assert passed < 100  # decisions that went before it
    assert place.verified() == 0


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "tries"), [(2, 5), pytest.param(8, 1250, marks=pytest.mark.thorough)])
def test_no_decision_misses_a_stop_of_another_process(place, workers, tries):
    with place.open("console") as console:
        running = [place.spawn("obey") for _ in range(workers)]
        for worker in running:
            assert worker.stdout.readline() == "ready\n"

        def ask(number):
            for worker in running:
                worker.stdin.write(f"{number}\n")
                worker.stdin.flush()
            return [worker.stdout.readline().strip() for worker in running]

        for number in range(tries):
            console.store.commit(
                lambda tx, number=number: restrictions.stop(tx, Stop("agent", "clerk", number + 1), "ruth", "test")
            )
            assert set(ask(f"{number}-stopped")) == {"stopped"}
            console.store.commit(lambda tx: restrictions.lift(tx, "agent", "clerk", "ruth", "test"))
            assert set(ask(f"{number}-free")) <= {"ran", "already_dispatched", "ledger_busy"}
        for worker in running:
            worker.communicate()
    assert place.verified() == 0


# the sequencer


def sequencer_of(place: Place) -> Sequencer:
    return Sequencer(place.url, "local", KeyStore(place.home).signer("log"), 5.0)


def test_two_sequencers_of_which_one_was_stopped_past_its_lease(place, server, monkeypatch):
    with place.open() as halo:
        monkeypatch.setattr(halo.store, "checkpoint_if_due", lambda: None)
        for number in range(4):
            once(halo, call_id=str(number))
        halo.store.flush()
        slow, fast = sequencer_of(place), sequencer_of(place)
        taken = []

        def strike(name):
            if name == "checkpoint_signed" and not taken:
                taken.append(name)
                assert fast.run()[1] is False  # the lease is taken
                server.run("UPDATE lease SET until_us=0", database=place.url)  # time passes
                once(halo, call_id="between")
                halo.store.flush()
                assert fast.run()[1] is True

        failpoints.arm_failpoints(strike)
        assert slow.run()[1] is False  # what it was about to store is not stored
        failpoints.arm_failpoints(None)
        assert slow.run()[1] is True
        slow.close()
        fast.close()
    assert [item.index for item in place.found()] == list(range(len(place.found())))
    assert place.verified() == 0


def test_many_sequencers_make_one_order(place):
    with place.open() as halo:
        sequencers = [sequencer_of(place) for _ in range(3)]
        stop = threading.Event()
        failed = []

        def sequence(sequencer):
            while not stop.is_set():
                try:
                    sequencer.run()
                except HaloError as exc:
                    failed.append(exc)

        threads = [threading.Thread(target=sequence, args=(item,)) for item in sequencers]
        for thread in threads:
            thread.start()
        for number in range(30):
            once(halo, session=f"s{number % 4}")
        stop.set()
        for thread in threads:
            thread.join()
        for sequencer in sequencers:
            sequencer.close()
        assert failed == []
    assert place.verified() == 0


def test_entries_without_a_position_are_no_gap_while_their_writer_lives(place, monkeypatch, server):
    from halo_core.verification import verify_store

    with place.open() as halo:
        monkeypatch.setattr(halo.store, "checkpoint_if_due", lambda: None)
        monkeypatch.setattr(halo.store._checkpoints, "sign", lambda *_args, **_options: None)
        once(halo)
        halo.store.flush()
        report = verify_store(place.url, place.home, signatures=True)
        assert report.exit_code == 0
        assert any("will get a position" in text for text in report.warnings)
        # Long ago, and nobody is left who would do it.
        monkeypatch.setattr("halo_core.store.postgres.LAG_US", -(10**18))
        assert place.verified() == 0
        server.run("UPDATE writer SET closed_us=1", database=place.url)
        report = verify_store(place.url, place.home, signatures=True)
        assert report.exit_code == 13
        assert "position_missing" in {finding.code for finding in report.findings}
        server.run("UPDATE writer SET closed_us=NULL", database=place.url)
        monkeypatch.undo()
    assert place.verified() == 0


def test_a_writer_that_lost_an_entry_does_not_hold_up_the_others(place, server, monkeypatch):
    monkeypatch.setattr("halo_core.store.sequencer._ROUND_ENTRIES", 3)
    with place.open() as torn, place.open("other") as whole:
        for halo in (torn, whole):
            monkeypatch.setattr(halo.store, "checkpoint_if_due", lambda: None)
            monkeypatch.setattr(halo.store._checkpoints, "sign", lambda *_args, **_options: None)
        for number in range(6):
            torn.store.commit(note(f"torn {number}"))
        with place.attack() as attacker:
            assert attacker.run("DELETE FROM entry WHERE instr(body, ?)>0", b"torn 1")
        for number in range(6):
            whole.store.commit(note(f"whole {number}"))
        sequencer = sequencer_of(place)
        sequencer.run()
        sequencer.close()
        monkeypatch.undo()
        names = [body["name"] for body in place.bodies(EntryKind.FEEDBACK)]
        assert names == ["torn 0", *(f"whole {number}" for number in range(6))]
    assert place.verified() == 13


def test_no_second_order_is_signed_over_an_older_copy(place, server, monkeypatch):
    with place.open() as halo:
        monkeypatch.setattr(halo.store, "checkpoint_if_due", lambda: None)
        sequencer = sequencer_of(place)
        halo.store.commit(note("a"))
        sequencer.run()
        sequencer.close()
        standby = Standby(server, place)
        halo.store.commit(note("b"))
        sequencer.run()
        sequencer.close()
        standby.take_over()
        with pytest.raises(Gap) as caught:
            sequencer.run()
        assert caught.value.code == "ledger_behind_anchor"
        standby.give_back()
        halo.store.commit(note("c"))
        sequencer.run()
        sequencer.close()
    assert place.verified() == 0


def test_nothing_is_signed_on_top_of_a_checkpoint_of_somebody_else(place, server):
    with place.open() as halo:
        once(halo)
    server.run(
        "INSERT INTO checkpoint SELECT tenant, size+7, root, 'mine'::bytea, frontier FROM checkpoint"
        " WHERE size=(SELECT max(size) FROM checkpoint)",
        database=place.url,
    )
    before = (place.home / "anchor.json").read_bytes()
    sequencer = sequencer_of(place)
    with pytest.raises((Tampered, Gap)):
        sequencer.run()
    assert (place.home / "anchor.json").read_bytes() == before
    assert place.verified() == 11


def test_a_position_whose_entry_is_missing_is_a_gap(place, server):
    with place.open() as halo:
        once(halo)
    for statement in (
        "ALTER TABLE entry DISABLE TRIGGER ALL",
        "DELETE FROM entry WHERE kind='outcome'",
        "ALTER TABLE entry ENABLE TRIGGER ALL",
    ):
        server.run(statement, database=place.url)
    assert place.verified() == 13


# rights, limits, versions


def test_evidence_is_neither_changed_nor_removed(place, server):
    with place.open() as halo:
        once(halo)
    for table in postgres_schema.EVIDENCE:
        for statement in (f"UPDATE {table} SET tenant=tenant", f"DELETE FROM {table}", f"TRUNCATE {table}"):
            with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
                server.run(statement, database=place.url)


def test_a_role_that_may_only_insert_evidence_can_decide(place, server):
    role = place.url.partition("?")[0].rpartition("/")[2]
    place.open().close()
    server.run(f"CREATE ROLE {role} LOGIN")
    try:
        for statement in postgres_schema.grant_statements(role):
            server.run(statement, database=place.url)
        weak = Place(place.home, place.url.replace("//postgres", f"//{role}", 1))
        with weak.open() as halo:
            once(halo)
            assert halo.store.commit(lambda tx: restrictions.stop(tx, Stop("agent", "x", 1), "ruth", "test"))
        assert weak.verified() == 0
        for table in postgres_schema.EVIDENCE:
            for statement in (f"UPDATE {table} SET tenant=tenant", f"DELETE FROM {table}", f"TRUNCATE {table}"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    server.run(statement, database=weak.url)
        server.run(f"REVOKE INSERT ON entry FROM {role}", database=place.url)
        with pytest.raises(CannotDecide) as caught:
            weak.open()
        assert caught.value.code == "ledger_unwritable"
    finally:
        server.run(f"DROP OWNED BY {role}", database=place.url)
        server.run(f"DROP ROLE {role}")


def test_a_newer_schema_is_refused(place, server):
    place.open().close()
    server.run("UPDATE halo_schema SET version=99", database=place.url)
    with pytest.raises(ConfigError) as caught:
        place.open()
    assert caught.value.code == "schema_version"


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER spy BEFORE INSERT ON entry FOR EACH ROW EXECUTE FUNCTION spy()",
        "CREATE RULE spy AS ON INSERT TO hold DO INSTEAD NOTHING",
        "CREATE POLICY spy ON session USING (false)",
    ],
)
def test_what_halo_did_not_create_is_refused(place, server, statement):
    place.open().close()
    server.run("CREATE FUNCTION spy() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'", database=place.url)
    server.run(statement, database=place.url)
    with pytest.raises(ConfigError) as caught:
        place.open()
    assert caught.value.code == "foreign_trigger"
    assert place.verified() == 11


def test_a_read_only_server_denies(place, server):
    name = place.url.partition("?")[0].rpartition("/")[2]
    with place.open() as halo:
        once(halo)
        halo.store.flush()
        server.run(f'ALTER DATABASE "{name}" SET default_transaction_read_only=on')
        end_sessions(server, place)
        assert refused(halo, call_id="b").reason == "ledger_unwritable"
        server.run(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
        end_sessions(server, place)
        once(halo, call_id="c")
    assert place.verified() == 0


def test_a_server_without_free_connections_denies(place, server):
    name = place.url.partition("?")[0].rpartition("/")[2]
    with place.open() as halo:
        once(halo)
        halo.store.flush()
        role = f"r_{name}"
        server.run(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 0")
        try:
            weak = Place(place.home, place.url.replace("//postgres", f"//{role}", 1))
            with pytest.raises(CannotDecide) as caught:
                weak.open("weak")
            assert caught.value.code == "ledger_busy"
        finally:
            server.run(f"DROP ROLE {role}")
        once(halo, call_id="b")
    assert place.verified() == 0


def test_a_server_that_is_not_there_denies(tmp_path):
    gone = Place(tmp_path / "home", f"postgresql://postgres@/x?host={tmp_path}")
    with pytest.raises(CannotDecide) as caught:
        gone.open()
    assert caught.value.code == "ledger_unreachable"
    with pytest.raises(HaloError) as caught:
        gone.verified()


def test_a_lock_that_somebody_keeps_denies_in_time(place):
    with place.open(deadline_s=0.3) as halo:
        once(halo)
        halo.store.flush()
        with psycopg.connect(place.url) as holder:
            holder.execute("SELECT * FROM session FOR UPDATE")
            assert refused(halo, call_id="b").reason == "ledger_busy"
        once(halo, call_id="c")
    assert place.verified() == 0


def test_a_statement_that_failed_unseen_is_not_committed(place):
    """COMMIT answers ROLLBACK, without an error, where a statement before it had failed."""

    def swallow(tx):
        tx.append(Draft(EntryKind.FEEDBACK, "", {"name": "lost"}))
        try:
            tx.cursor.execute("SELECT 1/0")
        except CannotDecide:
            return

    with place.open() as halo:
        with pytest.raises(CannotDecide):
            halo.store.commit(swallow)
        halo.store.commit(note("kept"))
    assert [body["name"] for body in place.bodies(EntryKind.FEEDBACK)] == ["kept"]
    assert place.verified() == 0


def test_a_name_that_the_server_cannot_hold_denies(place):
    with place.open() as halo, pytest.raises((Denied, HaloError)):
        once(halo, name="nul\0nul")
    assert place.verified() == 0


def test_a_copy_that_is_behind_its_anchor_is_not_opened(place, server):
    with place.open() as halo:
        once(halo)
    name = place.url.partition("?")[0].rpartition("/")[2]
    server.run(f'CREATE DATABASE "{name}_old" TEMPLATE "{name}"')
    with place.open() as halo:
        for _ in range(3):
            once(halo)
    server.run(f'DROP DATABASE "{name}"')
    server.run(f'ALTER DATABASE "{name}_old" RENAME TO "{name}"')
    with pytest.raises(Gap) as caught:
        place.open()
    assert caught.value.code == "ledger_behind_anchor"
    assert place.verified() == 13


@pytest.mark.parametrize(
    "point",
    [
        "before_commit",
        "after_commit",
        pytest.param("after_append", marks=pytest.mark.thorough),
        pytest.param("checkpoint_signed", marks=pytest.mark.thorough),
    ],
)
def test_a_process_that_is_killed_anywhere_is_made_up_for(place, point):
    place.open().close()
    worker = place.spawn("die", point)
    worker.communicate()
    assert worker.returncode == -signal.SIGKILL
    place.open().close()
    assert place.verified() == 0
    statuses = [body["status"] for body in place.bodies(EntryKind.OUTCOME)]
    assert statuses[:1] == ["success"]
    assert set(statuses[1:]) <= {"unknown"}


def test_tenants_of_one_server_hold_different_locks(place):
    left, right = (PostgresDatabase(place.url, tenant=name) for name in ("left", "right"))
    try:
        left.begin(1.0, alone=True)
        right.begin(1.0, alone=True)
        left.rollback()
        right.rollback()
    finally:
        left.close()
        right.close()
    assert os.environ.get("HALO_TEST_POSTGRES") or with_database(place.url, "x").count("/x?") == 1
