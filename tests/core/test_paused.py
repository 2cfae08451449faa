"""An action that pauses itself: the same request comes back once for each pause, and never otherwise. ONCE."""

from __future__ import annotations

import asyncio
import threading

import pytest

from halo_core.enforcement.enforcer import Surface, Ticket
from halo_core.errors import Denied, Pending
from halo_core.facade import HaloBase
from halo_core.model import EntryKind
from halo_world import SURFACE, attack, bodies, cli, codes, db_of, found, policy_folder, tool, verified


class _Asked(Exception):
    """What a framework raises to pause a run."""


def opened(home, mode="enforce", **more):
    return HaloBase.local("clerk", home=home, mode=mode, policy=policy_folder(home), quiet=True, **more)


def begin(halo, *, call_id="one", name="lookup", session="s", **args) -> Ticket:
    with halo.session(session):
        return halo.enforcer.begin(halo.build_call(tool(halo, name), args or {"q": "x"}, call_id=call_id))


def refused(halo, **more) -> str:
    with pytest.raises(Denied) as caught:
        begin(halo, **more)
    return caught.value.reason


def statuses(home):
    return [body["status"] for body in bodies(home, EntryKind.OUTCOME)]


def test_what_paused_comes_back_once(halo, home):
    begin(halo).pause(_Asked())
    ticket = begin(halo)
    assert refused(halo) == "already_dispatched"
    ticket.succeed("done", SURFACE)
    assert refused(halo) == "already_dispatched"
    halo.store.flush()
    assert statuses(home) == ["paused", "success"]
    assert verified(home, signatures=True) == 0


def test_each_pause_lets_it_come_back_once_more(halo, home):
    for _ in range(3):
        begin(halo).pause(_Asked())
    begin(halo).fail(ValueError("no"))
    assert refused(halo) == "already_dispatched"
    halo.store.flush()
    assert statuses(home) == ["paused"] * 3 + ["error"]
    assert verified(home) == 0


def test_a_pause_lets_no_other_request_come_back(halo):
    begin(halo, call_id="two").succeed("done", SURFACE)
    begin(halo).pause(_Asked())
    assert refused(halo, call_id="two") == "already_dispatched"
    assert begin(halo, call_id="one", session="t").context.runs


@pytest.mark.parametrize("end", ["succeed", "fail", "pause"])
def test_a_ticket_that_ended_does_not_pause(halo, home, end):
    ticket = begin(halo)
    if end == "succeed":
        ticket.succeed("x", SURFACE)
    elif end == "fail":
        ticket.fail(ValueError())
    ticket.pause(_Asked())
    ticket.pause(_Asked())
    halo.store.flush()
    assert len(statuses(home)) == 1
    if end != "pause":
        assert refused(halo) == "already_dispatched"


def test_paused_in_one_process_and_continued_in_another(home):
    with opened(home) as one:
        begin(one).pause(_Asked())
    with opened(home) as two:
        begin(two).succeed("done", SURFACE)
        assert refused(two) == "already_dispatched"
    assert verified(home, signatures=True) == 0


def test_of_two_processes_one_continues(home):
    with opened(home) as one, opened(home) as two:
        begin(one).pause(_Asked())
        one.store.flush()
        ticket = begin(two)
        assert refused(one) == "already_dispatched"
        ticket.succeed("done", SURFACE)
    assert verified(home, signatures=True) == 0


def test_a_pause_that_was_not_written_stays_closed(home):
    with opened(home) as one, opened(home) as two:
        ticket = begin(one)
        assert refused(two) == "already_dispatched"
        ticket.pause(_Asked())


def test_a_process_that_ended_before_it_could_say_leaves_it_closed(home):
    with opened(home) as one:
        begin(one)  # never ends
    with opened(home) as two:
        assert refused(two) == "already_dispatched"
    assert statuses(home) == ["unknown"]


def test_of_threads_that_resume_at_once_exactly_one_runs(halo, home):
    begin(halo).pause(_Asked())
    ran, gate = [], threading.Barrier(8)

    def resume():
        gate.wait()
        try:
            ran.append(begin(halo))
        except Denied as exc:
            assert exc.reason == "already_dispatched"  # noqa: PT017  the others

    threads = [threading.Thread(target=resume) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ran) == 1
    ran[0].succeed("done", SURFACE)
    halo.store.flush()
    assert verified(home) == 0


async def test_of_tasks_that_resume_at_once_exactly_one_runs(halo):
    begin(halo).pause(_Asked())
    with halo.session("s"):
        call = halo.build_call(tool(halo, "lookup"), {"q": "x"}, call_id="one")
        found = await asyncio.gather(*(halo.enforcer.abegin(call) for _ in range(8)), return_exceptions=True)
    assert [isinstance(item, Ticket) for item in found].count(True) == 1


def test_observe_mode_records_the_pause(home):
    with opened(home, "observe") as halo:
        begin(halo).pause(_Asked())
        begin(halo).succeed("done", SURFACE)
        begin(halo).succeed("done", SURFACE)
    told = [codes(body) for body in bodies(home, EntryKind.DECISION)]
    assert told == [["granted"], ["granted"], ["already_dispatched"]]
    assert verified(home) == 0


def test_what_a_paused_run_reserved_stays_charged(halo, home):
    begin(halo, name="pay", amount=5, to="b").pause(_Asked())
    halo.store.flush()
    (body,) = bodies(home, EntryKind.OUTCOME)
    assert (body["status"], body["actual"], body["detail"]) == ("paused", [], "_Asked")
    begin(halo, name="pay", amount=5, to="b").succeed("done", Surface(str))
    spent = [body["after"]["budgets"] for body in bodies(home, EntryKind.DECISION)]
    assert [sum(item[2:]) for items in spent for item in items if item[1] == "step"] == [1, 2]


def test_a_replay_of_a_paused_log_is_identical_and_people_can_read_it(home):
    with opened(home) as halo:
        begin(halo).pause(_Asked())
        begin(halo).succeed("done", SURFACE)
    assert cli("replay", "--all", home=home)[0] == 0
    entry = found(home, EntryKind.DECISION)[0].entry
    assert "paused" in cli("show", entry.id, home=home)[1]
    assert cli("log", home=home)[0] == 0


@pytest.mark.parametrize(
    "modes", ["observe enforce", "enforce observe", "observe enforce enforce", "enforce observe enforce"]
)
def test_what_paused_under_one_mode_goes_on_under_another(home, modes):
    """Runs of both forms of key are counted as one row of runs."""
    *before, last = modes.split()
    for mode in before:
        with opened(home, mode) as halo:
            begin(halo).pause(_Asked())
    with opened(home, last) as halo:
        begin(halo).succeed("done", SURFACE)
        if last == "enforce":
            assert refused(halo) == "already_dispatched"
    assert statuses(home) == ["paused"] * len(before) + ["success"]
    assert verified(home, signatures=True) == 0


# what an attacker with the database can do about it


def test_a_row_that_only_says_it_paused_is_found(home):
    with opened(home) as halo:
        begin(halo).succeed("done", SURFACE)
    attack(db_of(home)).execute("UPDATE entry SET mark=2 WHERE kind='outcome'")
    assert verified(home) == 11


def test_a_row_that_no_longer_says_it_paused_is_found(home):
    with opened(home) as halo:
        begin(halo).pause(_Asked())
    attack(db_of(home)).execute("UPDATE entry SET mark=1 WHERE kind='outcome'")
    assert verified(home) == 11


def test_a_request_that_came_back_more_often_than_it_paused_is_found(home):
    with opened(home) as halo:
        begin(halo).pause(_Asked())
        begin(halo).succeed("done", SURFACE)
        halo.store.flush()
        attack(db_of(home)).execute("UPDATE entry SET mark=2 WHERE kind='outcome'")
        begin(halo).succeed("again", SURFACE)
        halo.store.flush()
        second = "SELECT idx FROM entry WHERE kind='outcome' ORDER BY idx LIMIT 1 OFFSET 1"
        attack(db_of(home)).execute(f"UPDATE entry SET mark=1 WHERE idx=({second})")
    code, out, _ = cli("verify", home=home)
    assert code == 11
    assert "dispatched before" in out


def asks(halo):
    return lambda: halo.enforcer.begin(halo.build_call(tool(halo, "pay"), {"amount": 5000, "to": "acct"}, call_id="p"))


def test_an_approval_serves_the_rest_of_what_paused_and_nothing_after_it(halo, home):
    assert cli("approver", "enrol", "bo@bank", home=home)[0] == 0
    with halo.session("s"):
        begin_pay = asks(halo)
        with pytest.raises(Pending) as caught:
            begin_pay()
        assert cli("approvals", "approve", caught.value.pending_id, "--as", "bo@bank", home=home)[0] == 0
        first = begin_pay()
        first.pause(_Asked())
        again = begin_pay()
        again.succeed("paid", SURFACE)
        with pytest.raises(Denied) as denied:
            begin_pay()
        assert denied.value.reason == "already_dispatched"
        with pytest.raises(Pending):  # the same payment as another request asks again
            halo.enforcer.begin(halo.build_call(tool(halo, "pay"), {"amount": 5000, "to": "acct"}, call_id="other"))
    halo.store.flush()
    assert verified(home) == 0


def test_an_approval_put_back_without_a_pause_is_tampering(halo, home):
    assert cli("approver", "enrol", "bo@bank", home=home)[0] == 0
    with halo.session("s"):
        with pytest.raises(Pending) as caught:
            asks(halo)()
        assert cli("approvals", "approve", caught.value.pending_id, "--as", "bo@bank", home=home)[0] == 0
        asks(halo)().succeed("paid", SURFACE)
    halo.store.flush()
    with attack(db_of(home)) as connection:
        connection.execute("UPDATE approval SET status='approved'")
    assert verified(home) == 11


def test_a_recalled_repeat_costs_no_risk(halo, home):
    begin(halo).succeed("found", SURFACE)
    assert refused(halo) == "already_dispatched"
    assert bodies(home, EntryKind.DECISION)[-1]["decision"]["charges"] == []
