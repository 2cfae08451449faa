"""At least once: whatever a receiver or the sender's process goes through, no alert is lost."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from threading import Timer

import pytest
from hypothesis import given
from hypothesis import strategies as st
from telling_world import SECRET, body, free_port, genuine, home_with, more, secret_file, sender, syslog_stream, webhook

from halo_core.alerts.connections import DeliveryError
from halo_core.alerts.delivery import (
    MAX_OWED,
    Delivery,
    DeliveryCursor,
    DeliveryState,
    RetryPolicy,
)
from halo_core.alerts.log import LedgerAlertLog
from halo_core.alerts.messages import AgentAlert
from halo_core.facade import HaloBase
from halo_core.failpoints import ALERT_ACCEPTED
from halo_core.model import EntryKind
from halo_world import SURFACE, Calls, attack, cli, db_of, found, tool, url_of
from preloaded_python import find_python

NAMES = [f"a{i}" for i in range(5)]


@pytest.fixture
def home(tmp_path):
    return home_with(tmp_path / "home", *(body(agent=name) for name in NAMES))


@pytest.fixture
def secret(tmp_path):
    return ("--secret-file", str(secret_file(tmp_path)))


def agent(item) -> str:
    return json.loads(item.data)["data"]["agent"]


def agents(got) -> list[str]:
    return [agent(item) for item in got]


def cursors(home: Path) -> list[dict]:
    return [json.loads(path.read_text()) for path in (home / "alerts").glob("*.json")]


def run(line: list[str]) -> int:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(line, env=environ, capture_output=True, check=False, timeout=60).returncode


@pytest.mark.disk
def test_killed_after_the_receiver_said_yes_it_sends_again_under_the_same_id(home, secret):
    with webhook() as (url, got):
        line = ("--webhook", url, *secret)
        for count in (1, 2, 3):
            assert run(sender(home, *line, point=ALERT_ACCEPTED, python=find_python())) == -signal.SIGKILL
            assert agents(got) == ["a0"] * count
        assert run(sender(home, *line, python=find_python())) == 0
    assert agents(got) == ["a0"] * 3 + NAMES
    assert len({item.headers["webhook-id"] for item in got}) == len(NAMES)
    assert all(genuine(item, SECRET) for item in got)


@pytest.mark.disk
def test_killed_while_the_receiver_has_it_it_sends_again(home, secret):
    processes = []

    def kill(item):
        if len(got) == 3:
            processes[0].kill()
        return (204, {})

    with webhook(kill) as (url, got):
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        processes.append(subprocess.Popen(sender(home, "--webhook", url, *secret), env=environ))
        assert processes[0].wait(60) == -signal.SIGKILL
        assert agents(got) == NAMES[:3]
        assert run(sender(home, "--webhook", url, *secret, python=find_python())) == 0
    assert agents(got)[3:] in (NAMES[2:], NAMES[3:])
    assert set(agents(got)) == set(NAMES)


def test_a_receiver_that_is_down_loses_nothing_and_the_other_is_told(home, secret):
    down = f"http://127.0.0.1:{free_port()}/x?token=abc"
    with syslog_stream() as (url, got):
        code, out, err = cli("alerts", "send", "--webhook", down, *secret, "--syslog", url, "--tries", "1", home=home)
        assert (code, len(got)) == (1, 1)
    assert f"5 alerts accepted by {url}" in out
    assert "receiver_down" in err
    assert "are sent again by" in err
    assert "token" not in out + err
    port = int(down.split(":")[2].split("/", maxsplit=1)[0])
    code, out, _ = cli("alerts", "send", "--webhook", down, *secret, "--tries", "1", "--json", home=home)
    (row,) = json.loads(out)["receivers"]
    assert (code, row["sent"], row["problem"]["code"]) == (1, 0, "receiver_down")
    assert port


def test_it_goes_on_where_a_receiver_stopped_taking_them(home, secret):
    with webhook(lambda item: (503 if agent(item) == "a3" and up == [] else 200, {})) as (url, got):
        up: list[bool] = []
        line = ("alerts", "send", "--webhook", url, *secret, "--tries", "1")
        code, out, err = cli(*line, home=home)
        assert (code, out.startswith("4 alerts"), "answered 503" in err) == (1, True, True)
        up.append(True)
        assert cli(*line, home=home)[1].startswith("1 alerts")
    assert agents(got) == ["a0", "a1", "a2", "a3", "a4", "a3"]


def test_it_is_tried_again_and_later_attempts_have_their_own_time(home, secret):
    with webhook(lambda _: (500 if len(got) == 1 else 200, {"Retry-After": "1"})) as (url, got):
        assert cli("alerts", "send", "--webhook", url, *secret, "--tries", "2", home=home)[0] == 0
    assert agents(got) == ["a0", *NAMES]
    first, second = got[0].headers, got[1].headers
    assert first["webhook-id"] == second["webhook-id"]
    assert first["webhook-timestamp"] < second["webhook-timestamp"]
    assert genuine(got[1], SECRET)


def test_one_that_is_refused_holds_up_nobody_and_stays_owed(home, secret):
    taken = {"a1": False}
    with webhook(lambda item: (200 if taken.get(agent(item), True) else 403, {})) as (url, got):
        line = ("alerts", "send", "--webhook", url, *secret)
        code, out, err = cli(*line, home=home)
        assert (code, agents(got)) == (1, NAMES)
        assert out.startswith("4 alerts")
        assert "1 alerts that" in err
        assert cli(*line, home=home)[0] == 1
        more(home, body(agent="late"))
        assert cli(*line, home=home)[0] == 1
        assert agents(got) == [*NAMES, "a1", "late", "a1"]
        taken.clear()
        assert cli(*line, home=home)[0] == 0
    assert agents(got)[-1] == "a1"
    assert cursors(home)[0]["owed"] == []


def test_one_that_a_receiver_falls_over_holds_up_nobody(home, secret):
    def fall(item):
        if agent(item) == "a1":
            raise ConnectionResetError  # the connection ends without an answer
        return (200, {})

    with webhook(fall) as (url, got):
        code, out, err = cli("alerts", "send", "--webhook", url, *secret, "--tries", "1", home=home)
    assert (code, agents(got), out.startswith("4 alerts")) == (1, NAMES, True)
    assert "receiver_down" in err
    assert len(cursors(home)[0]["owed"]) == 1


def test_a_door_that_is_shut_is_not_knocked_at_for_each(home, secret):
    with webhook(lambda _: (401 if len(got) <= 3 else 200, {})) as (url, got):
        line = ("alerts", "send", "--webhook", url, *secret)
        assert cli(*line, home=home)[0] == 1
        assert agents(got) == NAMES[:3]
        assert cli(*line, home=home)[0] == 0
    assert sorted(agents(got)[3:]) == NAMES


def test_each_receiver_and_each_log_has_a_cursor_of_its_own(home, secret, tmp_path):
    other = home_with(tmp_path / "other", body(agent="b0"))
    with webhook() as (one, got_one), webhook() as (two, got_two):
        for where in (home, other):
            for url in (one, two):
                assert cli("alerts", "send", "--webhook", url, *secret, home=where)[0] == 0
    assert agents(got_one) == agents(got_two) == [*NAMES, "b0"]
    assert len(cursors(home)) == 2
    assert "token" not in "".join(
        path.read_text() + path.name for path in (home / "alerts").iterdir() if path.is_file()
    )


def test_a_log_that_was_rolled_back_and_went_on_hides_nothing(home, secret):
    with webhook() as (url, got):
        line = ("alerts", "send", "--webhook", url, *secret)
        with sqlite3.connect(db_of(home)) as live, sqlite3.connect(home / "copy.db") as copy:
            live.backup(copy)
        more(home, body(agent="gone"))
        assert cli(*line, home=home)[0] == 0
        rolled_back(home)
        more(home, body(agent="new"))
        code, _, err = cli(*line, home=home)
        assert (code, "sent again" in err) == (0, True)
    assert agents(got) == [*NAMES, "gone", *NAMES, "new"]


def rolled_back(home: Path) -> None:
    database = attack(db_of(home))
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    (home / "copy.db").replace(db_of(home))
    (home / "anchor.json").unlink()


@pytest.mark.disk
def test_a_log_that_is_rolled_back_while_it_is_followed_hides_nothing(home, secret):
    with sqlite3.connect(db_of(home)) as live, sqlite3.connect(home / "copy.db") as copy:
        live.backup(copy)
    more(home, body(agent="gone"), body(agent="gone too"))
    with webhook() as (url, got):
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        line = sender(home, "--webhook", url, *secret, "--follow", "--every", "0.2")
        process = subprocess.Popen(line, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        silent = Timer(30, process.kill)
        silent.start()
        try:
            assert process.stdout.readline().startswith("7 alerts")
            process.send_signal(signal.SIGSTOP)
            rolled_back(home)
            more(home, body(agent="new"))
            process.send_signal(signal.SIGCONT)
            assert process.stdout.readline().startswith("6 alerts")
        finally:
            silent.cancel()
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
    assert agents(got) == [*NAMES, "gone", "gone too", *NAMES, "new"]


@pytest.mark.disk
def test_a_log_without_alerts_that_is_rolled_back_and_went_on_hides_nothing(tmp_path):
    home = home_with(tmp_path / "home")
    with sqlite3.connect(db_of(home)) as live, sqlite3.connect(home / "copy.db") as copy:
        live.backup(copy)
    with HaloBase.local("desk", home=home, quiet=True) as halo, halo.session("s"):
        for _ in range(3):
            halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "x"}), Calls(), SURFACE)
    log = LedgerAlertLog(url_of(home), "local")
    assert log.read_since(0) == []
    rolled_back(home)
    more(home, body(agent="new"))
    assert [alert.agent for alert in log.read_since(0)] == ["new"]


def test_a_damaged_cursor_is_for_a_person(home, secret):
    with webhook() as (url, got):
        line = ("alerts", "send", "--webhook", url, *secret)
        assert cli(*line, home=home)[0] == 0
        (path,) = (home / "alerts").glob("*.json")
        for text in (
            "",
            "{}",
            '{"v":2}',
            '{"v":1,"upto":-1,"last":"","owed":[]}',
            '{"v":1,"upto":"1","last":"","owed":[]}',
        ):
            path.write_text(text)
            code, _, err = cli(*line, home=home)
            assert (code, "bad_cursor" in err, "sent again" in err) == (64, True, True)
        path.unlink()
        assert cli(*line, home=home)[0] == 0
    assert agents(got) == NAMES * 2


def test_two_do_not_tell_the_same_receiver_at_once(home, secret):
    with webhook() as (url, got):
        address = DeliveryCursor(home / "alerts", (url, store_of(home), "local"))
        with address.lock():
            code, _, err = cli("alerts", "send", "--webhook", url, *secret, home=home)
        assert (code, "told_already" in err, got) == (64, True, [])
        assert cli("alerts", "send", "--webhook", url, *secret, home=home)[0] == 0


def store_of(home: Path) -> str:
    with sqlite3.connect(db_of(home)) as database:
        return database.execute("SELECT store FROM control").fetchone()[0]


def test_from_now_takes_what_is_there_for_sent(home, secret):
    with webhook() as (url, got):
        line = ("alerts", "send", "--webhook", url, *secret)
        assert cli(*line, "--from-now", home=home)[0] == 0
        more(home, body(agent="new"))
        assert cli(*line, home=home)[0] == 0
    assert agents(got) == ["new"]


def test_followed_they_go_out_as_they_come_and_a_receiver_that_comes_back_gets_all(home, secret):
    with webhook(lambda _: (503 if len(got) == 1 else 200, {})) as (url, got):
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        line = sender(home, "--webhook", url, *secret, "--follow", "--every", "0.2")
        process = subprocess.Popen(line, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            said = [process.stdout.readline()]
            more(home, body(agent="late"))
            while sum(int(text.split()[0]) for text in said) < len(NAMES) + 1:
                said.append(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert agents(got)[:5] == NAMES
    assert sorted(agents(got)[5:]) == ["a0", "late"]
    assert said[0].startswith("4 alerts accepted by")
    assert "answered 503" in err


def test_while_a_receiver_hangs_agents_are_decided_on(home, secret):
    """What is sent is read and let go before: the sender holds neither a lock nor a read of the database."""
    seen = []

    def decide_meanwhile(_):
        with HaloBase.local("desk", home=home, mode="enforce", quiet=True) as halo, halo.session("s"):
            halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "x"}), Calls(), SURFACE)
        database = sqlite3.connect(db_of(home))
        seen.append(database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone())
        database.close()
        return (200, {})

    with webhook(decide_meanwhile) as (url, _):
        assert run(sender(home, "--webhook", url, *secret, python=find_python())) == 0
    assert len(seen) == len(NAMES)
    assert {row[0] for row in seen} == {0}


@pytest.mark.parametrize(
    "argv", [(), ("--secret-file", "x"), ("--webhook", "https://a.example/", "--secret-file", "/no")]
)
def test_without_a_receiver_or_its_secret_nothing_is_sent(home, argv):
    code, _, err = cli("alerts", "send", *argv, home=home)
    assert (code, "try:" in err) == (64, True)


def test_options_in_front_of_the_verb_are_not_lost_silently(home):
    from halo_core.cli.main import run as halo

    assert halo(["alerts", "--home", str(home), "send", "--webhook", "http://127.0.0.1:1/"]) == 64


# the cursor by itself


class Flaky:
    """A receiver that takes, is down, or refuses, as it is told to."""

    batch, confirms, name = 1, True, "flaky"

    def __init__(self, says):
        self.says, self.taken = says, []

    def send(self, alerts):
        say = next(self.says, "yes")
        if say != "yes":
            raise DeliveryError(
                "receiver_down", "no", remedy="", retryable=say != "refused", alert_specific=say != "down"
            )
        self.taken += [item.index for item in alerts]


class Listed:
    """A log in memory, of which some places are alerts."""

    def __init__(self, places):
        self.places = sorted(places)

    def read_since(self, index):
        from telling_world import alert

        return [alert(index=i, id=f"id-{i}") for i in self.places if i >= index][:3]

    def read_at(self, index):
        from telling_world import alert

        return alert(index=index, id=f"id-{index}") if index in self.places else None


@given(
    places=st.sets(st.integers(0, 60), max_size=20),
    says=st.lists(st.sampled_from(["yes", "down", "refused", "crash"]), max_size=60),
)
def test_whatever_a_receiver_says_each_is_taken_in_the_end(tmp_path_factory, places, says):
    receiver, log = Flaky(iter(says)), Listed(places)
    cursor = DeliveryCursor(tmp_path_factory.mktemp("cursor"), ("x",))
    for _ in range(len(says) + 2):
        with cursor.lock():
            delivery = Delivery(receiver, cursor, RetryPolicy(2, 0.0, 0.0), lambda _: None, lambda: 0.5)
            assert delivery.start(log)
            before = set(receiver.taken)
            told = delivery.run(log)
            sent = cursor.state
            # What lies before the cursor was taken, or is owed.
            assert {i for i in places if i < sent.upto} <= set(receiver.taken) | set(sent.owed)
            assert told.owed == len(sent.owed)
            assert before <= set(receiver.taken)
    assert sorted(receiver.taken) == sorted(places)
    assert not cursor.state.owed


def test_what_is_owed_waits_while_what_is_new_is_told(tmp_path):
    receiver, log = Flaky(iter(["refused"])), Listed({1, 2})
    cursor = DeliveryCursor(tmp_path, ("x",))
    with cursor.lock():
        delivery = Delivery(receiver, cursor, RetryPolicy(1, 0, 0), lambda _: None, lambda: 0.5)
        assert delivery.run(log).owed == 1
        log.places = [1, 2, 3]
        assert (delivery.run(log, retry_owed=False).taken, receiver.taken) == (1, [2, 3])
        assert (delivery.run(log).taken, receiver.taken, cursor.state.owed) == (1, [2, 3, 1], ())


@pytest.mark.parametrize(
    "change", [{"writer": "x\r\nwebhook-id: forged"}, {"writer": "a.1"}, {"writer": "a b"}, {"body": {}}]
)
def test_what_is_no_alert_of_ours_is_tampering(home, change):
    (item, *_) = found(home, EntryKind.ALERT)
    with pytest.raises((ValueError, LookupError)):
        AgentAlert.from_entry(replace(item, entry=replace(item.entry, **change)))


def test_an_alert_that_was_changed_is_said_to_be_tampered_with(home, secret):
    database = attack(db_of(home))
    changed = "CAST(replace(CAST(body AS TEXT), 'factors', 'fact0rs') AS BLOB)"
    database.execute(f"UPDATE entry SET body = {changed} WHERE kind='alert'")
    database.close()
    with webhook() as (url, got):
        code, _, err = cli("alerts", "send", "--webhook", url, *secret, home=home)
    assert (code, got, "halo verify" in err) == (11, [], True)


def test_with_too_many_owed_it_stops_rather_than_lose_one(tmp_path):
    log = Listed({5})
    cursor = DeliveryCursor(tmp_path, ("x",))
    with cursor.lock():
        cursor.save(DeliveryState(5, "", tuple(range(100, 100 + MAX_OWED))))
        told = Delivery(Flaky(iter(["refused"])), cursor, RetryPolicy(1, 0, 0), lambda _: None, lambda: 0.5).run(log)
        assert told.problem is not None
        assert (cursor.state.upto, len(cursor.state.owed)) == (5, MAX_OWED)


@given(failures=st.integers(1, 10_000), after=st.integers(0, 10**6), spread=st.floats(0, 1))
def test_a_pause_is_bounded(failures, after, spread):
    assert 0 < RetryPolicy(4, 1.0, 60.0).pause_s(failures, after, spread) <= 60.0
    assert RetryPolicy(4, 1.0, 60.0).pause_s(1, after, spread) <= RetryPolicy(4, 1.0, 60.0).pause_s(9, after, 1.0)
