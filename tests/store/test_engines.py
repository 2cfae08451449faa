"""What the store promises, on both engines."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "authority"))

from engine_worker import envelope
from engine_world import Place, once
from postgres_server import start_server

from counts import count
from halo_core.authorities import Authorities, make_approver_key_name
from halo_core.crypto.keys import Digester, KeyStore
from halo_core.errors import CannotDecide, ConfigError, Denied, Gap
from halo_core.model import EntryKind, Mode, Stop
from halo_core.oversight import restrictions
from halo_core.oversight.keys import enrol_approver
from halo_core.oversight.known import add_known, make_known_value, revoke_known
from halo_core.oversight.overrides import grant_override
from halo_core.store import rows
from halo_core.store.answer_rows import OutboxTable, StandingAnswerTable
from halo_core.store.cached_rows import AnswerRow, HeldRow
from halo_core.store.config import StoreConfig
from halo_core.store.drafts import Draft
from halo_core.store.known_values import KnownValues
from halo_core.store.marks import Exposure, MarkTable
from halo_core.store.reader import Reader
from halo_core.store.store import Store
from halo_world import SURFACE, Calls, call_ref, tool

pytestmark = pytest.mark.disk


def note(name):
    return lambda tx: tx.append(Draft(EntryKind.FEEDBACK, "", {"name": name}))


def fail(tx):
    tx.append(Draft(EntryKind.FEEDBACK, "", {"name": "bad"}))
    raise ValueError(tx)


def test_what_is_committed_is_there_and_verified(place):
    with place.open() as halo:
        for number in range(5):
            assert once(halo, call_id=str(number)) == "done"
    calls = [body["request"]["context"]["call_id"] for body in place.bodies(EntryKind.DECISION)]
    assert calls == [call_ref(place.home, name) for name in "01234"]
    assert len(place.found(EntryKind.OUTCOME)) == 5
    assert [item.index for item in place.found()] == list(range(len(place.found())))
    assert place.verified() == 0


def test_a_group_is_one_transaction_and_a_member_that_fails_leaves_nothing(place):
    with place.open() as halo:
        outcomes = halo.store.commit_group([note("a"), fail, note("b"), fail, note("c")])
        assert [outcome.error is None for outcome in outcomes] == [True, False, True, False, True]
        assert {outcome.error.code for outcome in outcomes if outcome.error} == {"decision_error"}
    assert [body["name"] for body in place.bodies(EntryKind.FEEDBACK)] == ["a", "b", "c"]
    assert place.verified() == 0


def test_a_member_that_changes_control_and_fails_changes_nothing(place):
    def stop_and_fail(tx):
        restrictions.stop(tx, Stop("all", "", 1), "ruth", "test")
        raise ValueError(tx)

    with place.open() as halo, place.open("other") as other:
        outcomes = halo.store.commit_group([note("a"), stop_and_fail, note("b")])
        assert [outcome.error is None for outcome in outcomes] == [True, False, True]
        once(halo)
        once(other)
    assert place.found(EntryKind.STOP) == []
    assert place.verified() == 0


def test_a_call_runs_once(place):
    with place.open() as halo:
        body = Calls()
        once(halo, body, call_id="same")
        halo.store.flush()
        with pytest.raises(Denied) as caught:
            once(halo, body, call_id="same")
        assert caught.value.reason == "already_dispatched"
        with place.open() as other, pytest.raises(Denied):
            once(other, body, call_id="same")
    assert len(body) == 1
    assert place.verified() == 0


def test_a_budget_ends_across_processes_and_restarts(place):
    ran = 0
    for _ in range(3):
        with place.open(limits=envelope(5)) as halo:
            for _ in range(3):
                with suppress(Denied):
                    once(halo)
                    ran += 1
    assert ran == 5
    assert place.verified() == 0


def test_two_that_hold_the_same_session_take_turns(place):
    with place.open(limits=envelope(10)) as one, place.open(limits=envelope(10)) as other:
        for _ in range(5):
            once(one)
            once(other)
        for halo in (one, other):
            with pytest.raises(Denied) as caught:
                once(halo)
            assert caught.value.reason == "budget_exceeded"
    steps = [body["snapshot"]["session"]["steps"] for body in place.bodies(EntryKind.DECISION)]
    assert steps == list(range(12))
    assert place.verified() == 0


def test_a_stop_of_another_process_counts_at_the_next_decision(place):
    with place.open() as halo, place.open("other") as other:
        for number in range(count(40)):
            once(halo)
            assert other.store.commit(
                lambda tx, number=number: restrictions.stop(tx, Stop("agent", "clerk", number + 1), "ruth", "test")
            )
            with pytest.raises(Denied) as caught:
                once(halo)
            assert caught.value.reason == "stopped"
            assert other.store.commit(lambda tx: restrictions.lift(tx, "agent", "clerk", "ruth", "test"))
        once(halo)
    assert place.verified() == 0
    assert place.cli("replay", "--all")[0] == 0


def test_a_mode_set_by_the_command_counts_at_the_next_decision(place):
    with place.open(mode=None) as halo:
        assert halo.mode is Mode.OBSERVE
        once(halo, name="wipe")
        assert place.cli("enforce", "--yes")[0] == 0
        assert halo.mode is Mode.ENFORCE
        with pytest.raises(Denied):
            once(halo, name="wipe")
    assert place.verified() == 0


def test_replay_and_the_views_read_it(place):
    with place.open() as halo:
        for number in range(3):
            once(halo, session=f"s{number}")
    assert place.cli("replay", "--all")[0] == 0
    assert place.cli("verify")[0] == 0
    code, out, _ = place.cli("log")
    assert code == 0
    assert "lookup" in out


def test_two_tenants_see_nothing_of_each_other(place):
    with place.open(tenant="left") as left, place.open(tenant="right") as right:
        once(left)
        once(right)
        once(right)
        left.store.commit(lambda tx: restrictions.stop(tx, Stop("all", "", 1), "ruth", "test"))
        once(right)
        with pytest.raises(Denied):
            once(left)
    assert [len(place.found(EntryKind.DECISION, tenant=name)) for name in ("left", "right")] == [2, 3]
    assert place.verified() == 0
    with Reader(place.url) as reader:
        assert reader.tenants() == ["left", "right"]


def test_a_killed_writer_is_recovered_once(place):
    with place.open():
        pass
    worker = place.spawn("die", "never")
    worker.communicate()
    assert worker.returncode == -signal.SIGKILL
    assert place.verified() == 0
    for _ in range(2):
        place.open().close()
    assert [body["status"] for body in place.bodies(EntryKind.OUTCOME)] == ["success", "unknown"]
    causes = [body["cause"] for body in place.bodies(EntryKind.WRITER_CLOSE)]
    assert causes.count("crash") == 1
    assert place.verified() == 0


def test_a_living_writer_is_left_alone(place):
    with place.open() as halo, halo.session("s"):
        ticket = halo.enforcer.begin(halo.build_call(tool(halo, "lookup"), {"q": "a"}))
        place.open("other").close()
        ticket.succeed("fine", SURFACE)
    assert [body["status"] for body in place.bodies(EntryKind.OUTCOME)] == ["success"]
    assert {body["cause"] for body in place.bodies(EntryKind.WRITER_CLOSE)} == {"closed"}


def test_a_fork_gets_a_writer_of_its_own(place):
    with place.open() as halo:
        once(halo)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                for _ in range(3):
                    once(halo)
                halo.close()
                code = 0
            finally:
                os._exit(code)
        for _ in range(3):
            once(halo)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        once(halo)
    assert len(place.found(EntryKind.DECISION)) == len(place.found(EntryKind.OUTCOME)) == 8
    assert {body["cause"] for body in place.bodies(EntryKind.WRITER_CLOSE)} == {"closed"}
    assert place.verified() == 0


def test_a_fork_waits_for_the_transaction_of_another_thread(place):
    """SQLite remembers in the process which locks are held: a child made during a transaction could never write."""
    with place.open() as halo:
        once(halo)
        has_begun = threading.Event()

        def write(_):
            has_begun.set()
            time.sleep(0.2)

        thread = threading.Thread(target=halo.store.commit, args=(write,))
        thread.start()
        has_begun.wait()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                once(halo)
                halo.close()
                code = 0
            finally:
                os._exit(code)
        thread.join()
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(place.found(EntryKind.DECISION)) == 2
    assert place.verified() == 0


def test_another_home_is_refused(place, tmp_path):
    with place.open() as halo:
        once(halo)
    with pytest.raises(ConfigError) as caught:
        Place(tmp_path / "elsewhere", place.url).open()
    assert caught.value.code in ("foreign_store", "content_key_changed")


def test_a_store_that_is_not_there_is_not_made_by_a_reader(place):
    with pytest.raises(ConfigError) as caught:
        Reader(place.url)
    assert caught.value.code in ("no_database", "no_store")


def test_a_database_that_lost_entries_is_behind_its_anchor(place):
    with place.open() as halo:
        once(halo)
    store = Place(
        place.home, place.url + ".other" if place.url.startswith("sqlite") else start_server().make_database()
    )
    with store.open() as halo:
        pass
    anchors = (place.home / "anchor.json").read_bytes()
    assert anchors.count(b"local") >= 2
    with closing(Store(StoreConfig(place.url, place.home, "local"), KeyStore(place.home))) as opened:
        opened.open()
    if place.url.startswith("sqlite"):
        Path(place.url.removeprefix("sqlite:///")).unlink()
    else:
        name = place.url.partition("?")[0].rpartition("/")[2]
        start_server().run(f'DROP DATABASE "{name}"')
        start_server().run(f'CREATE DATABASE "{name}"')
    with pytest.raises(Gap) as caught:
        place.open()
    assert caught.value.code == "ledger_behind_anchor"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("workers", "calls", "steps"), [(2, 8, 10), pytest.param(8, 300, 600, marks=pytest.mark.thorough)]
)
def test_one_envelope_is_spent_exactly_by_many_processes(place, workers, calls, steps):
    place.open(limits=envelope(steps)).close()
    running = [place.spawn("spend", f"w{number}", str(calls), str(steps)) for number in range(workers)]
    for worker in running:
        assert worker.stdout.readline() == "ready\n"
    for worker in running:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    said = [line.split() for worker in running for line in worker.communicate()[0].splitlines()]
    assert [worker.returncode for worker in running] == [0] * workers
    ran = [call_id for what, call_id, _ in said if what == "ran"]
    assert len(ran) == len(set(ran)) == steps
    assert sum(int(times) for _, _, times in said) == steps
    dispatched = [body for body in place.bodies(EntryKind.DECISION) if body["dispatched"]]
    assert len(dispatched) == steps
    assert place.verified() == 0
    assert place.cli("replay", "--all")[0] == 0


@pytest.mark.slow
def test_processes_with_sessions_of_their_own(place):
    place.open().close()
    each, workers = count(80), count(4, fewest=2)
    running = [place.spawn("wander", f"w{number}", str(each)) for number in range(workers)]
    for worker in running:
        assert worker.stdout.readline() == "ready\n"
    for worker in running:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in running:
        assert len(worker.communicate()[0].splitlines()) == each
    assert len(place.found(EntryKind.DECISION)) == len(place.found(EntryKind.OUTCOME)) == workers * each
    assert [item.index for item in place.found()] == list(range(len(place.found())))
    assert place.verified() == 0
    assert place.cli("replay", "--all")[0] == 0


def test_what_another_process_counted_and_tainted_is_seen_at_the_next_transaction(place):
    """Neither changes what everybody holds in memory, so nobody is told of it."""

    def use(tx):
        tx.append(Draft(EntryKind.FEEDBACK, "", {}))
        tx.add_use("clerk", "lookup")
        tx.add_tainted_fingerprints(frozenset({number + 7}))

    def look(tx):
        return tx.count_uses("clerk", "lookup"), tx.load_taint_index().contains_any((number + 7,))

    with place.open() as one, place.open() as two:
        for number in range(3):
            assert one.store.commit(look) == (number, False)
            two.store.commit(use)
            two.store.commit(look)  # which uses nothing, so it writes the count
            assert one.store.commit(look) == (number + 1, True)


def test_of_two_that_write_alerts_the_second_sees_the_first(place, monkeypatch):
    """Also while the alert waits for its position."""
    monkeypatch.setattr(Store, "checkpoint_if_due", lambda _: None)

    def flag(tx):
        if rows.AlertTable(tx).load_since(0):
            return False
        tx.append(Draft(EntryKind.ALERT, "", {"kind": "test"}))
        return True

    with place.open() as one, place.open() as two:
        assert [halo.store.commit(flag) for halo in (one, two, one)] == [True, False, False]


def test_a_closed_store_decides_nothing(place):
    halo = place.open()
    halo.close()
    with pytest.raises(CannotDecide) as caught:
        halo.store.commit(note("late"))
    assert caught.value.code == "ledger_closed"


def test_a_known_value_of_another_process_counts_at_the_next_decision(place):
    payee = make_known_value("account", "DE89 3704 0044 0532 0130 00")
    with place.open() as halo, place.open("other") as other:
        digester = Digester(KeyStore(place.home).secret("digest"))

        def knows(opened):
            return opened.store.commit(lambda tx: KnownValues(tx, digester).contains(payee.kind, payee.form))

        assert not knows(halo)
        assert not knows(other)
        assert other.store.commit(lambda tx: add_known(tx, digester, [payee], by="ruth", why="payee")) == 1
        assert knows(halo)
        assert halo.store.commit(lambda tx: add_known(tx, digester, [payee], by="ruth", why="payee")) == 0
        assert halo.store.commit(lambda tx: revoke_known(tx, digester, [payee], by="ruth", why="left")) == 1
        assert not knows(other)
        once(halo)
    assert place.verified() == 0


def test_a_remembered_answer_of_another_process_counts_at_the_next_decision(place):
    row = AnswerRow("a1", "standing", "keyed:scope", "active", "token")
    with place.open() as halo, place.open("other") as other:

        def active(opened):
            return opened.store.commit(lambda tx: StandingAnswerTable(tx).find_active(row.scope))

        assert active(halo) == active(other) == ()
        other.store.commit(lambda tx: StandingAnswerTable(tx).put(row))
        assert active(halo) == (row,)
        assert halo.store.commit(lambda tx: StandingAnswerTable(tx).revoke("a1"))
        assert active(other) == ()
        assert not other.store.commit(lambda tx: StandingAnswerTable(tx).revoke("a1"))


def test_an_override_whose_use_was_taken_away_serves_no_second_call(place):
    """By the entries, also those that wait for their position."""

    def wipe(halo):
        with halo.session("s"):
            return halo.enforcer.run(halo.build_call(tool(halo, "wipe"), {"path": "/"}), Calls(), SURFACE)

    def refuse(halo):
        with pytest.raises(Denied) as caught:
            wipe(halo)
        return caught.value

    keys = KeyStore(place.home.parent / "people")
    public = keys.signer(make_approver_key_name("mia")).public_key
    with place.open() as halo:
        authorities, now_us = Authorities(place.home), halo.store.clock.now_us()
        enrol_approver(halo.store, authorities, name="mia", public_key=public, by="admin", now_us=now_us)
        denied = refuse(halo)
        halo.store.checkpoint()
        grant_override(
            halo.store, keys, place.home, decision=denied.decision_id, approver="mia", allow=True, why="checked"
        )
        wipe(halo)
        with place.attack() as rows:
            assert rows.run("DELETE FROM quota WHERE substr(account, 1, 7)='answer:'")
        with place.open("clerk") as later:
            assert refuse(later).reason == denied.reason


def test_a_held_act_ends_once_whoever_ends_it(place):
    row = HeldRow("w-1", "session", "clerk", "send", "w-0", "held", 1, 2**50, b"12345678")
    with place.open() as halo, place.open("other") as other:

        def held(opened):
            return opened.store.commit(lambda tx: OutboxTable(tx).list_held("session"))

        assert held(halo) == held(other) == ()
        halo.store.commit(lambda tx: OutboxTable(tx).put(row))
        assert held(other) == (row,)
        ends = [opened.store.commit(lambda tx: OutboxTable(tx).end("w-1", "released")) for opened in (other, halo)]
        assert ends == [True, False]
        assert held(halo) == held(other) == ()


def test_marks_of_two_processes_count_for_both_and_exposure_is_not_taken_back(place):
    mark, now_us = b"m" * 16, 1_800_000_000_000_000
    with place.open() as halo, place.open("other") as other:

        def note(opened, session, *, exposed):
            opened.store.commit(lambda tx: MarkTable(tx).put_item(mark, session, now_us, exposed=exposed))

        def find(opened):
            return opened.store.commit(lambda tx: MarkTable(tx).find_exposure((mark,), "third", now_us))

        assert find(halo) is find(other) is Exposure.UNKNOWN
        note(halo, "first", exposed=True)
        note(other, "second", exposed=False)
        assert find(halo) is find(other) is Exposure.EXPOSED
        halo.store.commit(lambda tx: MarkTable(tx).add_repeats({1, 2}, now_us))
        other.store.commit(lambda tx: MarkTable(tx).add_repeats({2, 3}, now_us))
        for opened in (halo, other):
            index = opened.store.commit(lambda tx: MarkTable(tx).load_repeats(now_us))
            assert [index.contains(number) for number in (1, 2, 3, 4)] == [True, True, True, False]
        assert other.store.commit(lambda tx: MarkTable(tx).clear(b"s" * 16)) == 1
        assert halo.store.commit(lambda tx: MarkTable(tx).get_generation(b"s" * 16)) == 1
