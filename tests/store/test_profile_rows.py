"""The rows of profiles on both engines: what follows from the log counts, and nothing else."""

from __future__ import annotations

import threading
import time

import orjson
import pytest

from halo_core import failpoints
from halo_core.enforcement import session_folds
from halo_core.enforcement.session_folds import IDLE_US, SLICE_US
from halo_core.facade import HaloBase
from halo_core.model import EntryKind
from halo_core.store import profile_rows
from halo_core.store.profile_rows import ProfileTable
from halo_core.store.reader import Reader
from halo_core.store.session_state import MAX_TALLIES
from halo_core.testing import FixedClock
from halo_world import cli
from profile_world import USERS, Desk, profile_entries

ROW = "SELECT version, state FROM profile WHERE kind='agent' AND subject='clerk'"


def opened(place, **options):
    return place.open(policy=None, **options)


def learn(place, sessions=3):
    with opened(place) as halo:
        Desk(halo).learn(sessions)


def learn_more(place):
    with opened(place) as halo:
        for number in range(2, 5):
            Desk(halo).ordinary(number)


def first_of(place, number):
    """What became of the first action of an ordinary session."""
    with opened(place) as halo:
        return Desk(halo).ordinary(number)[0]


def versions(place, kind="agent"):
    entries = profile_entries(place.bodies(EntryKind.PROFILE))
    return [body["profile"]["version"] for body in entries if body["profile"]["kind"] == kind]


def test_each_session_is_one_version_that_the_log_gives_again(place):
    learn(place, 6)
    assert versions(place) == [1, 2, 3, 4, 5, 6]
    assert versions(place, "tenant") == [1, 2, 3, 4, 5, 6]
    assert place.verified() == 0


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE profile SET state=? WHERE kind='agent'",
        "UPDATE profile SET version=version+1 WHERE kind='agent'",
        "DELETE FROM profile WHERE kind='agent'",
        "put back",
    ],
)
@pytest.mark.matrix
def test_a_row_that_does_not_follow_is_no_profile(place, change):
    learn(place)
    with place.attack() as attacker:
        ((version, state),) = attacker.run(ROW)
    if change == "put back":
        assert first_of(place, 9) == "ran"
    with place.attack() as attacker:
        if change == "put back":
            attacker.run("UPDATE profile SET version=?, state=? WHERE kind='agent'", version, state)
        else:
            attacker.run(change, *([b"\x00" + bytes(state)[1:]] if "?" in change else []))
    assert first_of(place, 10) == "bad_profile"  # the starter policy reads behaviour
    assert place.verified() != 0
    code, out, err = place.cli("risk", "--rebuild")
    assert code == 0, out + err
    assert "written again" in out
    assert first_of(place, 11) == "ran"
    assert place.verified() == 0


def test_a_session_that_ended_meanwhile_waits_for_the_rebuilding(either):
    learn(either)
    with either.attack() as attacker:
        attacker.run("UPDATE profile SET state=? WHERE kind='agent'", b"nothing")
    with either.open() as halo:  # whose policy reads no behaviour
        assert Desk(halo).ordinary(10)[0] == "ran"
    assert versions(either) == [1, 2, 3, 4]  # the last one says that a session waits
    code, out, err = either.cli("risk", "--rebuild")
    assert code == 0, out + err
    assert versions(either) == [1, 2, 3, 4, 5]
    assert either.verified() == 0


def test_a_policy_that_reads_no_behaviour_decides_without_a_profile(either):
    learn(either)
    with either.attack() as attacker:
        attacker.run("UPDATE profile SET state=? WHERE kind='agent'", b"nothing")
    with either.open() as halo:  # the small policy of the test world
        assert Desk(halo).ordinary(10)[0] == "ran"


def test_a_profile_that_does_not_follow_from_its_sessions_is_found(place, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(session_folds, "fold_summary", lambda _kind, profile, _tree, _session, **_: profile)
        learn(place)  # as a writer would that folds as it likes
    assert place.verified() == 11
    assert place.cli("risk", "--rebuild")[0] != 0


def test_two_that_fold_at_once_fold_each_session_once(place):
    learn(place, 1)

    def work(name):
        with opened(place) as halo:
            desk = Desk(halo)
            for number in range(5):
                with halo.session(f"{name}-{number}", user="ana@corp.example", request="Please look up customer C-1"):
                    desk.run("find_customer", {"id": "C-1"})

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert versions(place) == list(range(1, 12))
    assert place.verified() == 0


def test_a_crash_between_summary_and_row_leaves_neither(place):
    with opened(place) as halo:
        desk = Desk(halo)
        desk.learn(1)

        class Struck(Exception):
            pass

        def strike(name):
            if name == "after_session_summary":
                raise Struck

        failpoints.arm_failpoints(strike)
        desk.ordinary(1)
        halo.store.flush()
        failpoints.arm_failpoints(None)
        halo.store.checkpoint()
        assert len(versions(place)) == 1
        assert len([body for body in place.bodies(EntryKind.PROFILE) if "sessions" in body]) == 1
        assert desk.ordinary(2)[0] == "ran"
    assert place.verified() == 0


def test_what_a_killed_process_did_counts_for_the_next_decision(place):
    learn(place)
    assert place.spawn("rob").wait(60) == -9
    assert versions(place) == [1, 2, 3]
    with opened(place) as halo:
        Desk(halo).ordinary(9)
    assert versions(place) == [1, 2, 3, 4, 5]
    kinds = (EntryKind.DECISION, EntryKind.PROFILE)
    order = [(item.entry.kind, item.entry.session) for item in place.found(*kinds) if item.entry.session]
    fourth = [at for at, (kind, _) in enumerate(order) if kind is EntryKind.PROFILE][3]
    robbed = order[fourth][1]
    assert order[fourth - 1] == (EntryKind.DECISION, robbed)  # nothing was decided before it was folded
    assert all(session != robbed for _, session in order[fourth + 1 :])
    assert place.verified() == 0
    with opened(place) as halo:
        Desk(halo).ordinary(10)
    assert versions(place) == [1, 2, 3, 4, 5, 6]  # it was folded once
    assert place.verified() == 0


def test_no_agent_of_a_crowded_session_is_left_out(either):
    workers = [f"worker-{number}" for number in range(MAX_TALLIES)]
    with opened(either) as halo:
        desk = Desk(halo)
        with halo.session("crowd", user=USERS[0], request="Please look up customer C-1"):
            assert desk.run("find_customer", {"id": "C-1"}, "one open order") == "ran"
            for worker in workers:
                with halo.agent_scope(worker):
                    assert desk.run("find_customer", {"id": "C-1"}, "one open order") == "ran"
    summaries = [tree for body in either.bodies(EntryKind.PROFILE) for tree in body.get("sessions", ())]
    assert {tree["agent"] for tree in summaries} == {"clerk", *workers}
    assert either.verified() == 0


def act(halo, name):
    """One ordinary action of a session, which goes on."""
    with halo.session(name, user=USERS[0], request="Please look up customer C-1"):
        return Desk(halo).run("find_customer", {"id": "C-1"}, "one open order")


@pytest.fixture
def forever(monkeypatch):
    """Sessions that do not end with their blocks."""
    monkeypatch.setattr(session_folds.SessionFolds, "end", lambda _self, _name: None)


def write_until(place, wanted, *halos) -> None:
    """Write what waits until these versions are in the log: on PostgreSQL one sequencer at a time gives positions.

    The clock of these tests stands still, so no checkpoint, and with it no position, comes by itself.
    """
    for _ in range(100):
        for halo in halos:
            halo.store.checkpoint()
        if versions(place)[: len(wanted)] == wanted:
            return
        time.sleep(0.02)
    assert versions(place)[: len(wanted)] == wanted


def test_a_session_of_a_process_that_lives_is_left_to_it_until_it_rests(place, forever):
    learn(place, 1)
    clock = FixedClock(1_900_000_000_000_000)
    with opened(place, clock=clock) as one, opened(place, clock=clock) as other:
        assert act(one, "open") == "ran"
        clock.advance(IDLE_US / 1e6 / 2)
        assert act(other, "beside") == "ran"
        one.store.checkpoint(), other.store.checkpoint()
        assert versions(place) == [1]
        clock.advance(IDLE_US / 1e6)
        assert act(other, "later") == "ran"
        assert act(one, "another") == "ran"
        write_until(place, [1, 2], one, other)
        assert act(one, "open") == "ran"  # and goes on as a further one
    assert len(versions(place)) == len(set(versions(place)))
    assert place.verified() == 0


def test_a_session_that_never_rests_is_folded_in_slices(either, forever):
    learn(either, 1)
    clock = FixedClock(1_900_000_000_000_000)
    with opened(either, clock=clock) as halo:
        for number in range(3 * 48 + 2):  # each ten minutes, for a day
            clock.advance(600)
            assert act(halo, "daemon") == "ran"
            if number % 12 == 0:
                halo.store.flush()  # where folds wait for a transaction for which nobody waits
        write_until(either, [1, 2, 3, 4], halo)
    assert either.verified() == 0
    assert SLICE_US == 8 * 3_600_000_000


def test_what_cannot_be_folded_holds_up_nothing_else(either):
    learn(either)
    assert either.spawn("rob").wait(60) == -9
    with either.attack() as attacker:
        ((session,),) = attacker.run("SELECT session FROM unfolded")
        attacker.run("UPDATE session SET state=? WHERE session=?", b"{}", session)
    assert first_of(either, 9) == "ran"
    assert versions(either) == [1, 2, 3, 4]
    assert either.verified() != 0


@pytest.mark.parametrize("kind", ["tenant", "role"])
def test_a_row_of_the_tenant_or_of_a_role_is_not_left_out(either, kind):
    either.home.mkdir()
    (either.home / "agents.yaml").write_text("version: 1\nagents:\n  clerk: {role: desk}\n")
    learn(either)
    with either.attack() as attacker:
        assert attacker.run("SELECT count(*) FROM profile WHERE kind=?", kind) == [(1,)]
        attacker.run("UPDATE profile SET state=? WHERE kind=?", b"nothing", kind)
    assert first_of(either, 10) == "bad_profile"
    code, out, err = either.cli("risk", "--rebuild")
    assert code == 0, out + err
    assert f"{kind} " in out
    assert first_of(either, 11) == "ran"
    assert either.verified() == 0


@pytest.mark.parametrize("kind", ["agent", "tenant"])
@pytest.mark.parametrize("damage", ["UPDATE profile SET state=? WHERE kind=?", "DELETE FROM profile WHERE ?<>kind"])
@pytest.mark.matrix
def test_a_row_that_is_put_back_after_a_session_is_no_profile(place, kind, damage):
    """The session is in no version of it, which nobody would see."""
    learn(place)
    with place.attack() as attacker:
        rows = attacker.run("SELECT * FROM profile WHERE kind=?", kind)
        if "DELETE" in damage:
            attacker.run("DELETE FROM profile WHERE kind=?", kind)
        else:
            attacker.run(damage, b"nothing", kind)
    with place.open() as halo:  # whose policy reads no behaviour
        assert Desk(halo).ordinary(10)[0] == "ran"
        assert Desk(halo).ordinary(11)[0] == "ran"
    with place.attack() as attacker:
        attacker.run("DELETE FROM profile WHERE kind=?", kind)
        attacker.run("INSERT INTO profile VALUES (?,?,?,?,?)", *rows[0])
    assert first_of(place, 12) == "bad_profile"
    with place.attack() as attacker:  # nor with the version that the entry names
        attacker.run("UPDATE profile SET version=? WHERE kind=?", 4, kind)
    assert first_of(place, 13) == "bad_profile"
    code, out, _ = place.cli("verify")
    assert code != 0
    assert "halo risk --rebuild" in out
    assert "bad_profile" in place.cli("risk", "--json")[1]
    code, out, err = place.cli("risk", "--rebuild")
    assert code == 0, out + err
    assert "waited" in out
    assert first_of(place, 14) == "ran"
    assert place.verified() == 0
    assert versions(place, "tenant") == list(range(1, max(versions(place, "tenant")) + 1))


def test_a_verdict_waits_for_the_rebuilding_too(either):
    learn(either, 25)
    with opened(either) as halo:
        Desk(halo).steal("theft", customers=90)
    alert = next(item for item in either.found(EntryKind.ALERT))
    with either.attack() as attacker:
        ((_, state),) = attacker.run(ROW)
        attacker.run("UPDATE profile SET state=? WHERE kind='agent'", b"nothing")
    assert either.cli("judge", alert.entry.id, "--attack")[0] == 0
    with either.attack() as attacker:
        attacker.run("UPDATE profile SET state=? WHERE kind='agent'", state)
    assert first_of(either, 30) == "bad_profile"
    assert either.cli("risk", "--rebuild")[0] == 0
    agents = [b for b in profile_entries(either.bodies(EntryKind.PROFILE)) if b["profile"]["kind"] == "agent"]
    assert agents[-1]["judged"] == "attack"
    assert either.verified() == 0


@pytest.mark.parametrize("keys", ["NULL", "x"])
@pytest.mark.parametrize("back", [0, 2])
@pytest.mark.matrix
def test_cleared_keys_make_no_agent_look_new_or_as_it_was(place, keys, back):
    """Keys by which versions are found are cleared or changed, and an old row is put in place."""
    learn(place, 2)
    with place.attack() as attacker:
        ((version, state),) = attacker.run(ROW)
    learn_more(place)
    with place.attack() as attacker:
        for number, (w, ws, body) in enumerate(attacker.run("SELECT w, ws, body FROM entry WHERE kind='profile'")):
            left = orjson.loads(body)["body"].get("profile", {})
            if left.get("kind") == "agent" and left["version"] > back:
                key = None if keys == "NULL" else b"%32d" % number
                attacker.run("UPDATE entry SET once=? WHERE w=? AND ws=?", key, w, ws)
        if back:
            attacker.run("UPDATE profile SET version=?, state=? WHERE kind='agent'", version, state)
        else:
            attacker.run("DELETE FROM profile WHERE kind='agent'")
    assert first_of(place, 10) == "bad_profile"


def test_an_agent_that_has_not_worked_for_long_does_not_look_new(either, monkeypatch):
    monkeypatch.setattr(profile_rows, "_RECENT", 2)
    learn(either, 2)
    for name in ("other", "third"):
        with HaloBase.local(name, home=either.home, db=either.url, mode="enforce", quiet=True) as halo:
            assert Desk(halo).ordinary(20)[0] == "ran"
    with either.attack() as attacker:
        attacker.run("UPDATE entry SET once=NULL WHERE kind='profile' AND instr(body, ?)>0", b'"subject":"clerk"')
        attacker.run("DELETE FROM profile WHERE kind='agent' AND subject='clerk'")
    assert first_of(either, 10) == "bad_profile"


def test_somebody_new_is_new_beside_agents_with_a_history(either):
    learn(either)
    with HaloBase.local("newcomer", home=either.home, db=either.url, mode="enforce", quiet=True) as halo:
        assert Desk(halo).ordinary(20)[0] == "ran"
    assert either.verified() == 0


def test_a_copy_keeps_the_profiles(place, tmp_path):
    learn(place)
    target = f"sqlite:///{tmp_path / 'copy' / 'halo.db'}"
    code, out, err = cli("store", "copy", place.url, target, home=place.home)
    assert code == 0, out + err
    with Reader(place.url) as before, Reader(target) as after:
        assert list(before.profiles("local")) == list(after.profiles("local"))


def test_a_store_from_before_profiles_gets_the_table(place):
    learn(place, 1)
    with place.attack() as attacker:
        attacker.run("DROP TABLE profile")
    with Reader(place.url) as reader:
        assert list(reader.profiles("local")) == []
    with opened(place) as halo:
        loaded = halo.store.commit(lambda tx: ProfileTable(tx).load("agent", "clerk"))
    assert loaded.problem == "bad_profile"  # its entries are there, and its row is not
