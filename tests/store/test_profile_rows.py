"""The rows of profiles on both engines: what follows from the log counts, and nothing else."""

from __future__ import annotations

import threading

import pytest
from engine_world import ENGINES, Place

from halo_core import failpoints
from halo_core.enforcement import session_folds
from halo_core.model import EntryKind
from halo_core.store.profile_rows import ProfileTable
from halo_core.store.reader import Reader
from halo_world import cli
from profile_world import Desk, profile_entries

ROW = "SELECT version, state FROM profile WHERE kind='agent' AND subject='clerk'"


@pytest.fixture(params=ENGINES)
def place(request, home):
    home.mkdir()
    return Place.make(request.param, home)


def opened(place):
    return place.open(policy=None)


def learn(place, sessions=3):
    with opened(place) as halo:
        Desk(halo).learn(sessions)


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


def test_a_session_that_ended_meanwhile_waits_for_the_rebuilding(place):
    learn(place)
    with place.attack() as attacker:
        attacker.run("UPDATE profile SET state=? WHERE kind='agent'", b"nothing")
    with place.open() as halo:  # whose policy reads no behaviour
        assert Desk(halo).ordinary(10)[0] == "ran"
    assert versions(place) == [1, 2, 3]
    code, out, err = place.cli("risk", "--rebuild")
    assert code == 0, out + err
    assert versions(place) == [1, 2, 3, 4]
    assert place.verified() == 0


def test_a_policy_that_reads_no_behaviour_decides_without_a_profile(place):
    learn(place)
    with place.attack() as attacker:
        attacker.run("UPDATE profile SET state=? WHERE kind='agent'", b"nothing")
    with place.open() as halo:  # the small policy of the test world
        assert Desk(halo).ordinary(10)[0] == "ran"


def test_a_profile_that_does_not_follow_from_its_sessions_is_found(place, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(session_folds, "fold_summary", lambda _kind, profile, _tree, _session: profile)
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
