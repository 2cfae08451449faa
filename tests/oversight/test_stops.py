"""`halo stop`, `lift`, `revoke`: they hold at the next decision, whatever is wrong with the database."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess

import pytest
from oversight_world import PAN, at, opened

from halo_core.cli import context
from halo_core.crypto.keys import compute_key_thumbprint
from halo_core.errors import BadInput, Denied
from halo_core.model import EntryKind, Stop
from halo_core.oversight.restrictions import lift, revoke, stop
from halo_core.oversight.signed_entries import load_links
from halo_core.store.reader import Reader
from halo_core.store.rows import RestrictionTable
from halo_world import SURFACE, Calls, attack, bodies, cli, db_of, session_ref, tool, url_of, verified


def lookup(halo, session="one"):
    body = Calls()
    with halo.session(session):
        halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "x"}), body, SURFACE)
    return len(body)


def why_not(halo, session="one"):
    with pytest.raises(Denied) as caught:
        lookup(halo, session)
    return caught.value.reason


@pytest.fixture
def worked(home):
    with opened(home) as halo:
        lookup(halo)
    return home


def held(home):
    with Reader(url_of(home)) as reader:
        return list(reader.restrictions_of("local"))


# jobs


def test_a_stop_holds_at_the_next_decision_and_is_on_record(worked):
    with opened(worked) as halo:
        assert lookup(halo) == 1
        asked = Stop("agent", "clerk", 5)
        assert halo.store.commit(lambda tx: stop(tx, asked, "mia", f"card {PAN}")) is True
        assert halo.store.commit(lambda tx: stop(tx, asked, "bob", "too")) is False
        assert why_not(halo) == "stopped"
        assert halo.store.commit(lambda tx: lift(tx, "agent", "clerk", "mia", "found")) is True
        assert halo.store.commit(lambda tx: lift(tx, "agent", "clerk", "mia", "found")) is False
        assert lookup(halo) == 1
    (body,) = bodies(worked, EntryKind.STOP)
    assert (body["actor"], body["scope"], body["target"], body["since_us"]) == ("mia", "agent", "clerk", 5)
    assert PAN not in body["why"]
    (body,) = bodies(worked, EntryKind.LIFT)
    assert (body["actor"], body["why"], body["filed"]) == ("mia", "found", False)
    assert verified(worked) == 0


@pytest.mark.parametrize(("scope", "target"), [("agent", "clerk"), ("session", "one"), ("tenant", "local")])
def test_what_is_revoked_stays_revoked(worked, scope, target):
    with opened(worked) as halo:
        assert lookup(halo) == 1
        assert halo.store.commit(lambda tx: revoke(tx, scope, target, "mia", "lost")) is True
        assert halo.store.commit(lambda tx: revoke(tx, scope, target, "mia", "lost")) is False
        assert why_not(halo) == "revoked"
        assert halo.store.commit(lambda tx: lift(tx, "agent", "clerk", "mia", "")) is False
    with opened(worked) as halo:
        assert why_not(halo) == "revoked"
    assert [row[0] for row in held(worked)] == ["revocation"]
    assert verified(worked) == 0


@pytest.mark.parametrize(
    "job",
    [
        lambda tx: stop(tx, Stop("agent", "", 0), "", ""),
        lambda tx: stop(tx, Stop("fleet", "x", 0), "", ""),
        lambda tx: stop(tx, Stop("all", "x", 0), "", ""),
        lambda tx: lift(tx, "fleet", "x", "", ""),
        lambda tx: revoke(tx, "tool", "pay", "", ""),
        lambda tx: revoke(tx, "agent", "", "", ""),
    ],
)
def test_what_means_nothing_is_not_held(worked, job):
    with at(worked) as store, pytest.raises(BadInput):
        store.commit(job)
    assert held(worked) == []


def test_a_hold_raises_the_version_under_which_holds_are_remembered(worked):
    with at(worked) as store:
        before = store.commit(lambda tx: tx.load_control())
        store.commit(lambda tx: RestrictionTable(tx).add("stop", "all", "", 3))
        after = store.commit(lambda tx: tx.load_control())
        assert (after.version, after.stops) == (before.version + 1, (Stop("all", "", 3),))
        store.commit(lambda tx: RestrictionTable(tx).remove("stop", "all", ""))
        assert store.commit(lambda tx: tx.load_control()).stops == ()


def test_a_stop_of_another_tenant_stops_nobody_here(worked):
    with opened(worked, tenant="acme") as other:
        lookup(other)
        other.store.commit(lambda tx: stop(tx, Stop("agent", "clerk", 1), "", ""))
        assert why_not(other) == "stopped"
    with opened(worked) as halo:
        assert lookup(halo) == 1


# verbs


@pytest.mark.parametrize(
    ("line", "scope", "target"),
    [
        (["--all"], "all", ""),
        (["--agent", "clerk"], "agent", "clerk"),
        (["--session", "one"], "session", "one"),
        (["--tool", "lookup"], "tool", "lookup"),
        (["--tenant", "local"], "tenant", "local"),
    ],
)
def test_stop_and_lift_from_the_shell(worked, line, scope, target):
    with opened(worked) as halo:
        assert lookup(halo) == 1
        code, out, err = cli("stop", *line, "--why", "odd", "--by", "mia", home=worked)
        assert (code, f"stopped {scope}" in out, err) == (0, True, "")
        assert "check the spelling" not in out
        assert why_not(halo) == "stopped"
        stored = session_ref(worked, target) if scope == "session" else target
        assert held(worked)[0][:3] == ("stop", scope, stored)
        assert len(list((worked / "stops").iterdir())) == 1
        assert "stopped already" in cli("stop", *line, home=worked)[1]
        code, out, _ = cli("lift", *line, "--why", "fine", "--by", "bob", home=worked)
        assert (code, "lifted" in out, "still stopped" in out) == (0, True, False)
        assert lookup(halo) == 1
        code, out, _ = cli("lift", *line, home=worked)
        assert (code, "there was no stop" in out) == (2, True)
    assert [(b["actor"], b["filed"]) for b in bodies(worked, EntryKind.LIFT)] == [("bob", True)]
    assert verified(worked) == 0


@pytest.mark.parametrize("line", [[], ["--agent", "a", "--tool", "b"], ["--all", "--session", "x"]])
def test_what_is_to_stop_is_named_once(worked, line):
    for verb in ("stop", "lift"):
        code, _, err = cli(verb, *line, home=worked)
        assert (code, "[bad_stop]" in err) == (64, True)
    assert cli("revoke", home=worked)[0] == 64
    assert held(worked) == []


def test_a_name_that_nobody_has_is_pointed_out(worked):
    code, out, _ = cli("stop", "--agent", "clerck", home=worked)
    assert (code, "check the spelling (`halo agents`)" in " ".join(out.split())) == (0, True)


def test_revoke_from_the_shell(worked):
    code, out, _ = cli("revoke", "--agent", "clerk", "--why", "left", home=worked)
    assert (code, "revoked agent clerk" in out) == (0, True)
    assert "it was already" in cli("revoke", "--agent", "clerk", "--why", "left", home=worked)[1]
    with opened(worked) as halo:
        assert why_not(halo) == "revoked"
    assert cli("revoke", "--agent", "x", "--why", "y", home=worked.parent / "nowhere")[0] == 64


def test_a_revocation_needs_a_reason_and_a_target_that_is_known(worked):
    code, _, err = cli("revoke", "--agent", "clerk", home=worked)
    assert (code, "[no_reason]" in err) == (64, True)
    for line, meant in (
        (("--agent", "clerck"), "did you mean `clerk`"),
        (("--session", "ones"), "did you mean `one`"),
        (("--link", "sha256:00"), "--unknown"),
        (("--key", "nobody's"), "--unknown"),
        (("--tenant", "locale"), "local"),
    ):
        code, _, err = cli("revoke", *line, "--why", "left", home=worked)
        assert (code, meant in err) == (64, True), err
    assert held(worked) == []
    assert cli("revoke", "--agent", "clerck", "--unknown", "--why", "left", home=worked)[0] == 0
    assert [row[2] for row in held(worked)] == ["clerck"]


def test_whatever_a_passport_names_can_be_revoked(worked):
    with Reader(url_of(worked)) as reader:
        hashes = [body["hash"] for body in bodies(worked, EntryKind.PASSPORT)]
        links = load_links(reader, "local", hashes)
    assert len(links) == 2
    for link in links:
        for line in (("--link", link.hash), ("--link", link.jti), ("--key", link.key_id)):
            assert cli("revoke", *line, "--why", "left", home=worked)[0] == 0, line
    assert cli("revoke", "--key", compute_key_thumbprint(links[1].holder_key), "--why", "left", home=worked)[0] == 0
    code, _, err = cli("revoke", "--link", links[0].hash.removeprefix("sha256:")[:12], "--why", "x", home=worked)
    assert (code, f"did you mean `{links[0].hash}`" in err) == (64, True)


def test_verbs_without_a_target_name_the_options(worked):
    for verb, option in (("stop", "--tool"), ("lift", "--session"), ("revoke", "--link")):
        code, _, err = cli(verb, home=worked)
        assert (code, "no target is given" in err, f"`{option}`" in err) == (64, True, True)


def test_nothing_to_lift_is_all_that_is_said(home, worked):
    for where in (worked, home.parent / "empty"):
        code, out, err = cli("lift", "--all", home=where)
        absence = "there was no stop of everything, and nothing was changed; `halo status` lists what is stopped"
        assert (code, out.strip(), err) == (2, absence, "")


def test_a_stop_without_a_database_holds_from_its_file(home):
    code, out, err = cli("stop", "--agent", "clerk", home=home)
    assert code == 2
    assert "NOTHING STOPPED" in err
    assert "agent clerk is stopped for whatever opens this home later" in err
    assert not db_of(home).exists()
    code, out, _ = cli("stop", "--all", "--json", home=home)
    told = json.loads(out)
    assert (code, told["file"], told["ledger"], bool(told["problem"])) == (2, True, False, True)
    with opened(home) as halo:
        assert why_not(halo) == "stopped"


def test_a_stop_while_the_ledger_is_locked_holds_from_its_file(worked, monkeypatch):
    monkeypatch.setattr(context, "_WAIT_S", 0.5)
    blocker = sqlite3.connect(db_of(worked), isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    code, _, err = cli("stop", "--agent", "clerk", home=worked)
    blocker.execute("ROLLBACK")
    blocker.close()
    assert (code, "THE LEDGER COULD NOT BE WRITTEN" in err, held(worked)) == (0, True, [])
    with opened(worked) as halo:
        assert why_not(halo) == "stopped"
        assert cli("lift", "--agent", "clerk", home=worked)[0] == 0
        assert lookup(halo) == 1
    assert [body["filed"] for body in bodies(worked, EntryKind.LIFT)] == [True]
    assert verified(worked) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="remounting needs root")
def test_a_stop_with_a_database_that_cannot_be_written_holds_from_its_file(home, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "halo", str(disk)], check=False)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        url = f"sqlite:///{disk / 'halo.db'}"
        with opened(home, db=url) as halo:
            lookup(halo)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        code, _, err = cli("stop", "--agent", "clerk", "--db", url, home=home)
        assert (code, "THE LEDGER COULD NOT BE WRITTEN" in err) == (0, True)
        assert cli("lift", "--agent", "clerk", "--db", url, home=home)[0] != 0
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        with opened(home, db=url) as halo:
            assert why_not(halo) == "stopped"
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_lift_that_cannot_be_recorded_lets_nothing_go(worked, monkeypatch):
    monkeypatch.setattr(context, "_WAIT_S", 0.5)
    assert cli("stop", "--agent", "clerk", home=worked)[0] == 0
    blocker = sqlite3.connect(db_of(worked), isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    code, _, _ = cli("lift", "--agent", "clerk", home=worked)
    blocker.execute("ROLLBACK")
    blocker.close()
    assert code == 2
    assert len(list((worked / "stops").iterdir())) == 1
    assert len(held(worked)) == 1


def test_garbage_among_the_stop_files_stops_everything(worked):
    (worked / "stops").mkdir()
    (worked / "stops" / "now").write_text("please")
    with opened(worked) as halo:
        assert why_not(halo) == "stopped"
        code, out, _ = cli("lift", "--agent", "clerk", home=worked)
        assert (code, "still stopped" in out) == (2, True)
        assert cli("lift", "--all", home=worked)[0] == 0
        assert lookup(halo) == 1


# the rows against the log


def spoil(home, *statements):
    database = attack(db_of(home))
    for statement in statements:
        database.execute(statement)
    database.close()
    return json.loads(cli("verify", "--json", home=home)[1])


def codes(report):
    return [(finding["code"], finding["kind"]) for finding in report["findings"]]


@pytest.fixture
def held_down(worked):
    with at(worked) as store:
        store.commit(lambda tx: stop(tx, Stop("agent", "clerk", 5), "mia", ""))
        store.commit(lambda tx: stop(tx, Stop("tool", "pay", 6), "mia", ""))
        store.commit(lambda tx: lift(tx, "tool", "pay", "mia", ""))
        store.commit(lambda tx: revoke(tx, "session", "one", "mia", ""))
    assert verified(worked) == 0
    return worked


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("DELETE FROM hold WHERE kind='revocation'", "row_missing"),
        ("DELETE FROM hold WHERE kind='stop'", "row_missing"),
        ("INSERT INTO hold VALUES ('local','stop','tool','pay',6)", "row_stray"),
        ("INSERT INTO hold VALUES ('local','revocation','agent','clerk',6)", "row_stray"),
        ("UPDATE hold SET since_us=since_us+1 WHERE kind='stop'", "column_altered"),
        ("UPDATE hold SET target='two' WHERE kind='revocation'", "row_stray"),
        ("UPDATE hold SET tenant='acme' WHERE kind='stop'", "row_stray"),
    ],
)
def test_a_hold_that_is_not_the_logs_is_found(held_down, statement, code):
    report = spoil(held_down, statement)
    assert report["exit_code"] == 11
    assert (code, "tampered") in codes(report)


def test_the_order_of_the_log_counts_and_not_the_clock(worked):
    """Two writers, whose names sort the other way round, stop and lift and stop again."""
    for n in range(6):
        with at(worked) as store:
            if n % 2:
                store.commit(lambda tx: lift(tx, "tool", "pay", "mia", ""))
            else:
                store.commit(lambda tx, n=n: stop(tx, Stop("tool", "pay", 100 - n), "mia", ""))
        assert verified(worked) == 0
    with at(worked) as store:
        store.commit(lambda tx: stop(tx, Stop("tool", "pay", 1), "mia", ""))
    assert verified(worked) == 0
    assert spoil(worked, "DELETE FROM hold")["exit_code"] == 11


def test_a_hold_whose_entry_is_missing_is_a_gap(held_down):
    report = spoil(
        held_down,
        "DELETE FROM entry WHERE kind='revocation'",
    )
    assert report["exit_code"] == 13
    assert ("entry_missing", "gap") in codes(report)


def test_a_hold_of_an_unknown_kind_holds(worked):
    attack(db_of(worked)).execute("INSERT INTO hold VALUES ('local','banned','agent','clerk',1)")
    with at(worked) as store:
        stops, revocations = store.commit(lambda tx: RestrictionTable(tx).list_all())
    assert (stops, [item.target for item in revocations]) == ((), ["clerk"])
