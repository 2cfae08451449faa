"""The condition of a store, a readiness call, and draining, on both engines."""

from __future__ import annotations

import json
import shutil
import threading
import time
from types import SimpleNamespace

import psycopg
import pytest
from engine_world import Place, once
from postgres_server import start_server

from halo_core.clock import SystemClock
from halo_core.errors import CannotDecide, ConfigError, Denied, HaloError
from halo_core.model import EntryKind
from halo_core.testing import FixedClock
from halo_core.views.store_health import HealthRow, HealthStatus, load_store_health
from halo_world import Calls

pytestmark = pytest.mark.disk

HOUR_US = 3_600_000_000


def rows_of(place: Place, now_us: int | None = None, **options: float) -> dict[str, HealthRow]:
    """Rows by name; the last of each."""
    health = load_store_health(place.url, place.home, now_us or SystemClock().now_us(), **options)
    return {row.name: row for row in health.rows}


def wrong_rows(place: Place, **options: int) -> dict[str, HealthStatus]:
    return {name: row.status for name, row in rows_of(place, **options).items() if row.status is not HealthStatus.OK}


def test_a_store_in_good_condition_has_no_row_to_look_at(place):
    with place.open() as halo:
        once(halo)
        halo.store.checkpoint()
        found = rows_of(place)
        assert wrong_rows(place) == {}
        assert "1 open" in found["writers"].text
        assert {"anchor", "checkpoint", "clock", "disk", "schema", "writable", "writers"} <= found.keys()
        assert ("sequencer" in found) == ("connections" in found) == place.url.startswith("postgresql")
    assert wrong_rows(place) == {}
    assert rows_of(place)["writers"].text == "0 open"


def test_looking_writes_nothing(place):
    with place.open() as halo:
        once(halo)
    before = place.found()
    for _ in range(3):
        rows_of(place)
        assert place.cli("ready")[0] == 0
    assert place.found() == before
    assert place.verified() == 0


def test_there_is_no_store_to_look_at(place):
    with pytest.raises(ConfigError) as caught:
        rows_of(place)
    assert caught.value.code in ("no_database", "no_store")
    assert place.cli("ready")[0] == 64
    assert place.cli("doctor")[0] == 64


def test_entries_that_wait_for_a_checkpoint_are_a_lag(place):
    clock = FixedClock()  # which stands still, so that no checkpoint comes by itself
    with place.open(clock=clock) as halo:
        halo.store.checkpoint()
        once(halo)
        halo.store.flush()
        assert rows_of(place, now_us=clock.now_us())["checkpoint"].status is HealthStatus.OK
        late = rows_of(place, now_us=clock.now_us() + HOUR_US)["checkpoint"]
        assert late.status is HealthStatus.WARNING
        assert "3,600 s" in late.text


def test_a_missing_anchor_and_one_that_is_ahead(place):
    with place.open() as halo:
        once(halo)
    anchor = (place.home / "anchor.json").read_bytes()
    (place.home / "anchor.json").unlink()
    assert wrong_rows(place) == {"anchor": HealthStatus.WARNING}
    (place.home / "anchor.json").write_bytes(anchor)
    with place.attack() as attacker:
        attacker.run("DELETE FROM checkpoint")
        if place.url.startswith("postgresql"):
            attacker.run("DELETE FROM position")
            attacker.run("DELETE FROM sequenced")
        attacker.run("DELETE FROM entry WHERE kind='outcome'")
        attacker.run("DELETE FROM entry WHERE kind='writer_close'")
    row = rows_of(place)["anchor"]
    assert row.status is HealthStatus.FAILING
    assert "ledger_behind_anchor" in row.text
    assert place.cli("ready")[0] == 2
    (place.home / "anchor.json").write_text("{")
    assert rows_of(place)["anchor"].status is HealthStatus.FAILING


def test_a_process_that_was_killed_is_named(either):
    worker = either.spawn("obey", is_killed=True)
    assert worker.stdout.readline() == "ready\n"
    assert "1 open" in rows_of(either)["writers"].text
    worker.kill()
    worker.communicate()
    row = rows_of(either)["writers"]
    assert row.status is HealthStatus.WARNING
    assert f" {worker.pid} on " in row.text
    either.open().close()
    assert rows_of(either)["writers"].text == "0 open"


def test_an_entry_of_the_future_says_that_a_clock_was_wrong(place):
    with place.open() as halo:
        once(halo)
    behind = rows_of(place, now_us=SystemClock().now_us() - HOUR_US)
    # A server's clock is compared with this host's, and the entry with the server's.
    health = load_store_health(place.url, place.home, SystemClock().now_us() - HOUR_US)
    assert [row.status for row in health.rows if row.name == "clock"].count(HealthStatus.WARNING) == 1
    assert behind.keys() == {row.name for row in health.rows}


@pytest.mark.parametrize(
    ("free", "status"),
    [(2 << 30, HealthStatus.OK), (512 << 20, HealthStatus.WARNING), (1 << 20, HealthStatus.FAILING)],
)
def test_a_disk_that_is_nearly_full(place, monkeypatch, free, status):
    with place.open() as halo:
        once(halo)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=free))
    assert rows_of(place)["disk"].status is status


def test_a_foreign_trigger_fails(place):
    place.open().close()
    with place.attack() as attacker:
        if place.url.startswith("postgresql"):
            attacker.run("CREATE RULE spy AS ON INSERT TO hold DO INSTEAD NOTHING")
        else:
            attacker.run("CREATE TRIGGER spy BEFORE INSERT ON hold BEGIN SELECT RAISE(IGNORE); END")
    assert rows_of(place)["schema"].status is HealthStatus.FAILING
    assert "spy" in rows_of(place)["schema"].text
    code, out, _ = place.cli("doctor", "--json")
    assert code == 1
    assert json.loads(out)["ready"] is False


def test_a_lock_that_somebody_keeps_is_not_ready(place):
    with place.open() as halo:
        once(halo)
    with place.attack() as attacker:
        if place.url.startswith("postgresql"):
            from halo_core.store.postgres import PostgresDatabase

            database = PostgresDatabase(place.url, tenant="local")
            database.begin(1.0, alone=True)
        else:
            attacker.run("BEGIN IMMEDIATE")
        row = rows_of(place, deadline_s=0.1)["writable"]
        if place.url.startswith("postgresql"):
            database.close()
    assert row.status is HealthStatus.FAILING
    assert "ledger_busy" in row.text


def test_the_commands_print_the_rows(place):
    with place.open() as halo:
        once(halo)
    code, out, _ = place.cli("doctor")
    assert code == 0
    assert "checkpoint" in out
    assert "writable" in out
    code, out, _ = place.cli("ready")
    assert (code, out.strip()) == (0, "ready")
    assert json.loads(place.cli("ready", "--json")[1])["ready"] is True


def test_a_role_without_rights_and_a_read_only_server_are_not_ready(tmp_path):
    server = start_server()
    place = Place.make("postgresql", tmp_path / "home")
    place.open().close()
    name = place.url.partition("?")[0].rpartition("/")[2]
    role = f"ready_{name}"
    server.run(f"CREATE ROLE {role} LOGIN")
    try:
        server.run(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}", database=place.url)
        weak = Place(place.home, place.url.replace("//postgres", f"//{role}", 1))
        row = rows_of(weak)["writable"]
        assert (row.status, "may not insert" in row.text) == (HealthStatus.FAILING, True)
    finally:
        server.run(f"DROP OWNED BY {role}", database=place.url)
        server.run(f"DROP ROLE {role}")
    server.run(f'ALTER DATABASE "{name}" SET default_transaction_read_only=on')
    row = rows_of(place)["writable"]
    assert (row.status, "read-only" in row.text) == (HealthStatus.FAILING, True)


# readiness and draining of a process


def test_a_process_is_ready_until_it_drains(place):
    halo = place.open()
    assert halo.ready()
    once(halo)
    halo.drain(1.0)
    readiness = halo.ready()
    assert not readiness
    assert readiness.code == "ledger_closed"


def test_a_process_that_cannot_lock_the_ledger_is_not_ready(place):
    with place.open(deadline_s=0.2) as halo:
        once(halo)
        halo.store.checkpoint()
        with halo.store._checkpoint_lock, place.attack() as attacker:
            if place.url.startswith("postgresql"):
                attacker.run("BEGIN")
                key = halo.store._database._key("control")
                attacker.run(f"SELECT pg_advisory_xact_lock({key})")
            else:
                attacker.run("BEGIN IMMEDIATE")
            assert halo.ready().code == "ledger_busy"
            attacker.run("ROLLBACK")
        assert halo.ready()


class Slow(Calls):
    """An action that runs until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.started, self.may_end = threading.Event(), threading.Event()

    def __call__(self, args):
        self.started.set()
        self.may_end.wait(20)
        return super().__call__(args)


def outcomes_of(place: Place) -> list[str]:
    return [body["status"] for body in place.bodies(EntryKind.OUTCOME)]


def test_draining_waits_for_what_runs_and_decides_nothing_more(either):
    halo, body = either.open(), Slow()
    thread = threading.Thread(target=once, args=(halo, body), kwargs={"call_id": "slow"})
    thread.start()
    body.started.wait(20)
    results = []
    drainer = threading.Thread(target=lambda: results.append(halo.drain(20.0)))
    drainer.start()
    while not halo.store._is_draining:
        pass
    late = Calls()
    with pytest.raises(Denied) as caught:
        once(halo, late, call_id="late")
    assert (caught.value.reason, late) == ("ledger_closed", [])
    assert drainer.is_alive()
    body.may_end.set()
    thread.join()
    drainer.join()
    assert results[0].is_clean
    assert outcomes_of(either) == ["success"]
    assert either.verified() == 0


def test_what_runs_past_the_deadline_is_reported_and_recorded_as_unknown(either):
    halo, body = either.open(), Slow()
    thread = threading.Thread(target=once, args=(halo, body))
    thread.start()
    body.started.wait(20)
    left = halo.drain(0.1)
    assert (left.running, left.uncommitted, left.is_clean) == (1, 0, False)
    body.may_end.set()
    thread.join()
    assert outcomes_of(either) == ["unknown"]
    assert either.verified() == 0


def test_outcomes_that_cannot_be_written_are_reported(place, monkeypatch):
    halo = place.open(deadline_s=0.2)
    once(halo, call_id="a")
    halo.store.flush()
    monkeypatch.setattr(halo.store, "commit_deferred", lambda: None)
    once(halo, call_id="b")

    def fail(*_args, **_options):
        raise CannotDecide("ledger_unwritable", "the disk is full")

    monkeypatch.setattr(halo.store, "_commit_locked", fail)
    left = halo.drain(0.1)
    assert (left.uncommitted, left.is_clean) == (2, False)  # the outcome, and the session's summary
    assert "the disk is full" in left.problem
    monkeypatch.undo()
    place.open().close()  # recovers it
    assert sorted(outcomes_of(place)) == ["success", "unknown"]
    assert place.verified() == 0


def test_draining_twice_and_after_closing_is_harmless(place):
    halo = place.open()
    once(halo)
    assert halo.drain().is_clean
    assert halo.drain().is_clean
    other = place.open()
    other.close()
    assert other.drain().is_clean
    assert place.verified() == 0


# limits of the server


def connect_when_free(url: str) -> psycopg.Connection:
    """Connect as soon as the sessions that were just ended no longer count against the limit of the role."""
    for _ in range(600):
        try:
            return psycopg.connect(url)
        except psycopg.OperationalError:
            time.sleep(0.05)
    return psycopg.connect(url)


def test_a_pool_without_a_connection_left_denies_with_a_code(tmp_path):
    server = start_server()
    place = Place.make("postgresql", tmp_path / "home")
    name = place.url.partition("?")[0].rpartition("/")[2]
    place.open().close()
    role = f"pool_{name}"
    server.run(f"CREATE ROLE {role} LOGIN SUPERUSER CONNECTION LIMIT 8")
    server.run(f"ALTER ROLE {role} NOSUPERUSER")
    try:
        server.run(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}", database=place.url)
        weak = Place(place.home, place.url.replace("//postgres", f"//{role}", 1))
        with weak.open(deadline_s=1.0) as halo:
            once(halo, call_id="a")
            halo.store.checkpoint()
            with halo.store._checkpoint_lock:  # its connection stays as it is
                server.run(f"ALTER ROLE {role} CONNECTION LIMIT 1")
                server.run(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE usename=%s AND application_name='halo'",
                    role,
                )
                with connect_when_free(weak.url):  # the only one that is left
                    body = Calls()
                    with pytest.raises(Denied) as caught:
                        once(halo, body, call_id="b")
                    assert (caught.value.reason, body) == ("ledger_busy", [])
                server.run(f"ALTER ROLE {role} CONNECTION LIMIT 8")
                once(halo, call_id="c")
        assert place.verified() == 0
    finally:
        server.run(f"DROP OWNED BY {role}", database=place.url)
        server.run(f"DROP ROLE {role}")


def test_a_statement_that_takes_too_long_is_ended_and_denied(tmp_path):
    place = Place.make("postgresql", tmp_path / "home")
    with place.open(deadline_s=0.3) as halo:
        once(halo, call_id="a")
        halo.store.flush()
        with pytest.raises(HaloError) as caught:
            halo.store.commit(lambda tx: tx.cursor.execute("SELECT pg_sleep(20)"))
        assert caught.value.code == "ledger_busy"
        once(halo, call_id="b")
    assert place.verified() == 0
