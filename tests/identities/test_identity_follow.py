"""Events that are followed: nothing lost, nothing twice, and the risk that decisions read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alert_world import ABROAD
from identity_world import ANA, DAYS, SERVICE, event, history

from halo_core.clock import SystemClock
from halo_core.crypto.keys import Digester, KeyStore
from halo_core.errors import BadInput, Pending
from halo_core.facade import HaloBase
from halo_core.identities.event import Outcome
from halo_core.identities.live import LiveIdentity
from halo_core.identity_feed import FileSource, IdentityFeed, PipeSource, SourcePlace
from halo_core.model import EntryKind
from halo_core.store.identity_rows import IdentityTable
from halo_world import SURFACE, Calls, attack, bodies, cli, db_of, tool, verified
from preloaded_python import find_python

NEXT = DAYS


def digest(data: bytes) -> str:
    return str(hash(data))


def line_of(item) -> str:
    tree = {
        "time": datetime.fromtimestamp(item.ts_us / 1_000_000, tz=UTC).isoformat(),
        "identity": item.identity,
        "kind": item.kind.value,
        "role": item.role,
        "action": item.action,
        "system": item.system,
        "origin": item.network.replace("0/24", "7"),
        "country": item.country,
        "asn": item.asn,
        "outcome": item.outcome.value,
    }
    return json.dumps(tree) + "\n"


def lines_of(*events) -> str:
    return "".join(map(line_of, events))


def follow(home: Path, path: Path, *more: str) -> dict:
    code, out, err = cli("identity", "follow", str(path), "--once", "--json", *more, home=home)
    assert code in (0, 1), (out, err)
    return json.loads(out)


def state_of(home: Path, name: str = ANA) -> LiveIdentity | None:
    digester = Digester(KeyStore(home).secret("digest"))
    with HaloBase.local("reader", home=home, quiet=True) as halo:
        reference = halo.store.references.of_person(name)
        return halo.store.commit(lambda tx: IdentityTable(tx, digester).load(reference))


@pytest.fixture
def kept(lived_in_home, home):
    """A home with a ledger and a baseline of people."""
    return shutil.copytree(lived_in_home, home)


@pytest.fixture
def bare(home):
    """A home with a ledger alone."""
    with HaloBase.local("desk", home=home, quiet=True):
        pass
    return home


def test_a_file_is_read_on_where_the_last_run_ended(kept, tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text(lines_of(event(NEXT), event(NEXT, 11)))
    assert follow(kept, path)["taken"] == 2
    assert follow(kept, path)["taken"] == 0
    with path.open("a") as file:
        file.write(line_of(event(NEXT, 12)))
    assert follow(kept, path)["taken"] == 1
    assert state_of(kept).events == 3
    assert verified(kept, signatures=True) == 0


def test_an_unusual_event_raises_the_risk_and_says_why(kept, tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text(lines_of(event(NEXT), event(NEXT, 3, **ABROAD)))
    told = follow(kept, path)
    (raised,) = told["raised"]
    assert (raised["name"], raised["band"]) == (ANA, 2)
    assert raised["risk"] >= 800
    assert "from a country hardly or never seen" in raised["words"]
    assert told["alerts"] == 1
    (entry,) = bodies(kept, EntryKind.IDENTITY)
    assert [item["band"] for item in entry["changes"]] == [2]
    assert ANA not in json.dumps(entry)
    assert ANA.encode() not in db_of(kept).read_bytes()


def test_a_bad_line_is_named_and_left_out(kept, tmp_path):
    path = tmp_path / "events.jsonl"
    wrong = json.dumps({"time": "soon", "identity": ANA, "action": "read"})
    nested = json.dumps({"time": "2026-02-02T10:00:00Z", "identity": {"a": 1}, "action": "read"})
    long = json.dumps({"time": "2026-02-02T10:00:00Z", "identity": ANA, "action": "x" * 70_000})
    huge = "x" * 700_000
    path.write_text(
        line_of(event(NEXT))
        + "no json\n"
        + wrong
        + "\n\n"
        + nested
        + "\n"
        + long
        + "\n"
        + huge
        + "\n[1]\n"
        + line_of(event(NEXT, 11))
    )
    told = follow(kept, path)
    assert told["taken"] == 2
    assert [(item["line"], item["field"]) for item in told["bad"]] == [
        (2, "line"), (3, "time"), (5, "identity"), (6, "line"), (7, "line"), (8, "line"),
    ]  # fmt: skip
    code, _, err = cli("identity", "follow", str(path), "--once", home=kept)
    assert code == 0, err


def test_a_line_without_its_end_is_read_once_it_is_whole(kept, tmp_path):
    path = tmp_path / "events.jsonl"
    whole = line_of(event(NEXT, 11))
    path.write_text(line_of(event(NEXT)) + whole[:40])
    assert follow(kept, path)["taken"] == 1
    with path.open("a") as file:
        file.write(whole[40:-1])
    assert follow(kept, path)["taken"] == 1
    with path.open("a") as file:
        file.write("\n" + line_of(event(NEXT, 12)))
    assert follow(kept, path)["taken"] == 1


@pytest.mark.parametrize("renamed", ["events.jsonl.1", "events.jsonl-20260202"])
def test_a_rotated_file_is_read_to_its_end_first(kept, tmp_path, renamed):
    path = tmp_path / "events.jsonl"
    path.write_text(lines_of(event(NEXT), event(NEXT, 11)))
    assert follow(kept, path)["taken"] == 2
    with path.open("a") as file:
        file.write(line_of(event(NEXT, 12)))
    path.rename(tmp_path / renamed)
    path.write_text(lines_of(event(NEXT, 13), event(NEXT, 14)))
    assert follow(kept, path)["taken"] == 3
    assert follow(kept, path)["taken"] == 0
    assert state_of(kept).events == 5


def test_a_file_that_rotates_while_it_is_followed(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text("1\n2\n")
    source = FileSource(path, digest)
    source.resume(None, from_start=True)
    assert [line for _, line in source.read(10)] == [b"1", b"2"]
    old = path.open("a")
    path.rename(tmp_path / "events.jsonl.1")
    path.write_text("")
    old.write("3\n")  # whoever writes has not opened the new one yet
    old.flush()
    assert source.read(10) == [(3, b"3")]
    assert source.read(10) == []
    old.write("4\n")
    old.close()
    path.write_text("5\n")
    read = source.read(10) + source.read(10)
    assert [line for _, line in read] == [b"4", b"5"]
    assert source.place.line == 1


def test_a_truncated_file_is_read_from_its_start(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text("first line\nsecond line\n")
    source = FileSource(path, digest)
    source.resume(None, from_start=True)
    assert len(source.read(10)) == 2
    path.write_text("another\n")
    assert source.read(10) == [(1, b"another")]
    path.write_text("yet another one, and longer than what was there\nand one more\n")
    assert [number for number, _ in source.read(10)] == [1, 2]


def test_a_first_run_without_from_start_begins_at_the_end(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text("1\n2\n3")
    source = FileSource(path, digest)
    source.resume(None, from_start=False)
    assert source.read(10) == []
    place = source.place
    with path.open("a") as file:
        file.write("3\n4\n")
    again = FileSource(path, digest)
    again.resume(SourcePlace.from_plain(place.to_plain()), from_start=False)
    assert again.read(10) == [(3, b"33"), (4, b"4")]


def pipe_of(data: bytes, place: SourcePlace | None = None) -> PipeSource:
    readable, writable = os.pipe()
    os.write(writable, data)
    os.close(writable)
    source = PipeSource(os.fdopen(readable, "rb"), digest)
    source.resume(place, from_start=True)
    return source


def test_a_pipe_whose_sender_repeats_its_last_lines():
    first = pipe_of(b"1\n2\n3\n")
    assert [line for _, line in first.read(10)] == [b"1", b"2", b"3"]
    again = pipe_of(b"2\n3\n4\n4\n", SourcePlace.from_plain(first.place.to_plain()))
    assert again.read(10) == [(4, b"4"), (5, b"4")]
    assert again.repeated == 2
    fresh = pipe_of(b"9\n1\n", SourcePlace.from_plain(first.place.to_plain()))
    assert len(fresh.read(10)) == 2


def test_lines_from_a_pipe(kept, tmp_path):
    data = lines_of(*(event(NEXT, 10, minute) for minute in range(59)), event(NEXT, 3, **ABROAD)).encode()
    command = [
        *find_python(),
        "-c",
        "from halo_core.cli.main import main; main()",
        "identity",
        "follow",
        "--json",
        "--home",
        str(kept),
    ]
    for taken in (60, 0):  # a sender that begins again repeats itself
        done = subprocess.run(command, input=data, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["taken"] == taken
    assert state_of(kept).events == 60


def test_a_crash_between_two_transactions_loses_and_repeats_nothing(kept, tmp_path, monkeypatch):
    path = tmp_path / "events.jsonl"
    path.write_text(lines_of(*(event(NEXT, 10, minute % 60) for minute in range(120))))
    take, calls = IdentityFeed.take, []

    def crash(self, events, place=None):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return take(self, events, place)

    monkeypatch.setattr(IdentityFeed, "take", crash)
    assert cli("identity", "follow", str(path), "--once", home=kept)[0] == 130
    monkeypatch.setattr(IdentityFeed, "take", take)
    assert state_of(kept).events == 50
    assert follow(kept, path)["taken"] == 70
    assert state_of(kept).events == 120


def test_two_readers_of_one_source_do_not_count_it_twice(kept):
    with HaloBase.local("desk", home=kept, quiet=True) as halo:
        feeds = [IdentityFeed(halo.store.commit, KeyStore(kept), "local", SystemClock(), "file:x") for _ in range(2)]
        feeds[0].take([event(NEXT)], ("file:x", {}, {"offset": 1}))
        with pytest.raises(BadInput, match="another process") as caught:
            feeds[1].take([event(NEXT)], ("file:x", {}, {"offset": 1}))
        assert caught.value.code == "source_in_use"
        feeds[1].take([event(NEXT, 11)])
        feeds[0].take([event(NEXT, 12)])  # sees what the other wrote
    assert state_of(kept).events == 3


def test_a_program_gives_events_by_a_call(kept):
    with HaloBase.local("desk", home=kept, quiet=True) as halo:
        report = halo.identity_events(
            [event(NEXT), json.loads(line_of(event(NEXT, 3, **ABROAD))), line_of(event(NEXT, 4)), {"identity": ANA}, 7]
        )
        assert report.taken == 3
        assert [(item.number, item.field) for item in report.bad] == [(4, "time"), (5, "line")]
        assert report.raised[0].band == 2
    assert state_of(kept).risk >= 800


# what a decision reads


def decide(halo: HaloBase, name: str, impact: str, user: str, session: str):
    resource = tool(halo, name, impact=impact)
    with halo.session(session, user=user, request="send the note to ana"):
        return halo.enforcer.run(halo.build_call(resource, {"q": "note"}), Calls(), SURFACE)


def test_acts_for_a_person_at_high_risk_wait_and_reads_run(kept):
    with HaloBase.local("desk", home=kept, quiet=True, mode="enforce") as halo:
        halo.identity_events([event(NEXT, 3, **ABROAD)])
        assert decide(halo, "lookup", "read", ANA, "s1") == "done"
        with pytest.raises(Pending):
            decide(halo, "note", "write", f"User:{ANA.upper()}", "s2")
        assert decide(halo, "note", "write", "bob@bank.example", "s3") == "done"  # somebody else's
    decisions = bodies(kept, EntryKind.DECISION)[-3:]
    assert ["principal_risk" in item["snapshot"] for item in decisions] == [True, True, False]
    assert decisions[1]["snapshot"]["principal_risk"]["risk"] >= 800
    codes = [[reason["code"] for reason in item["decision"]["reasons"]] for item in decisions]
    assert "principal_risk_elevated" in codes[0]
    assert "principal_risk_high" in codes[1]
    assert cli("replay", "--all", home=kept)[0] == 0
    assert verified(kept, signatures=True) == 0


def test_a_cleared_risk_asks_no_more(kept):
    with HaloBase.local("desk", home=kept, quiet=True, mode="enforce") as halo:
        halo.identity_events([event(NEXT, 3, **ABROAD)])
        code, out, err = cli("identity", "clear", ANA, "--why", "on a trip", home=kept)
        assert (code, err) == (0, ""), out
        assert decide(halo, "note", "write", ANA, "s2") == "done"
    assert bodies(kept, EntryKind.IDENTITY)[-1]["op"] == "clear"
    assert cli("identity", "clear", "nobody", home=kept)[0] == 1


@pytest.mark.parametrize("column", ["head", "habit", "proof"])
def test_a_changed_row_counts_as_the_highest_risk(kept, column):
    with HaloBase.local("desk", home=kept, quiet=True, mode="enforce") as halo:
        halo.identity_events([event(NEXT, 3, **ABROAD)])
    database = attack(db_of(kept))
    (stored,) = database.execute(f"SELECT {column} FROM identity").fetchone()
    changed = (
        stored.replace("a", "b", 1) if isinstance(stored, str) else stored.replace(b'"risk":', b'"risk":0,"x":', 1)
    )
    database.execute(f"UPDATE identity SET {column}=?", (changed if changed != stored else stored[:-1],))
    database.commit()
    database.close()
    with HaloBase.local("desk", home=kept, quiet=True, mode="enforce") as halo:
        with pytest.raises(Pending):
            decide(halo, "note", "write", ANA, "s2")
        with pytest.raises(BadInput) as caught:
            halo.identity_events([event(NEXT, 11)])
        assert caught.value.code == "bad_principal_risk"
        assert bodies(kept, EntryKind.DECISION)[-1]["snapshot"]["principal_risk"]["problem"] == "bad_principal_risk"
        assert cli("identity", "clear", ANA, home=kept)[0] == 0
        assert halo.identity_events([event(NEXT, 11)]).taken == 1


def test_a_service_at_the_head_of_the_chain(kept):
    with HaloBase.local("desk", home=kept, quiet=True, mode="enforce", user=SERVICE) as halo:
        halo.identity_events([event(NEXT, 14, identity=SERVICE, action="delete", system="vault", **ABROAD)])
        with pytest.raises(Pending):
            decide(halo, "note", "write", "", "s1")


# a first day, and what is bounded


def test_a_tenants_first_day_flags_who_does_what_nobody_does(bare):
    names = [f"clerk-{number}@bank.example" for number in range(12)]
    events = [event(NEXT, 9 + number % 8, number, identity=name) for number, name in enumerate(names * 3)] + [
        event(NEXT, 17, identity=names[0], system="vault", action="export", **ABROAD)
    ]
    with HaloBase.local("desk", home=bare, quiet=True) as halo:
        report = halo.identity_events(sorted(events))
    assert report.taken == len(events)
    assert [item.name for item in report.raised] == [names[0]]


def test_one_ordinary_morning_does_not_work_a_high_risk_off(kept):
    with HaloBase.local("desk", home=kept, quiet=True) as halo:
        halo.identity_events([event(NEXT, 3, **ABROAD)])
        high = state_of(kept).risk
        halo.identity_events([event(NEXT, 9, minute % 60) for minute in range(50)])
        assert state_of(kept).risk == high * 7 // 8
        halo.identity_events([event(NEXT, hour) for hour in range(10, 17)])
        assert high // 2 < state_of(kept).risk < high * 2 // 3
        halo.identity_events([event(NEXT + day, hour) for day in range(1, 5) for hour in range(9, 17)])
        assert state_of(kept).risk < 100


def test_a_day_at_high_risk_teaches_nothing_until_it_is_judged_ordinary(kept):
    with HaloBase.local("desk", home=kept, quiet=True) as halo:
        trip = [event(NEXT + day, hour, **ABROAD) for day in range(3) for hour in (3, 10)]
        halo.identity_events(trip)
        assert state_of(kept).bands[2] == len(trip) or state_of(kept).bands[2] >= 3
        assert len(state_of(kept).held) == 2
        cli("identity", "clear", ANA, "--why", "a trip", home=kept)
        again = halo.identity_events([event(NEXT + 3, 10, **ABROAD)])
        assert [item.band for item in again.raised] == []


def test_a_clock_that_jumps_ahead_makes_no_later_event_old(kept):
    with HaloBase.local("desk", home=kept, quiet=True) as halo:
        report = halo.identity_events([event(NEXT + 20_000), event(NEXT)])
        assert (report.taken, report.ahead) == (2, 1)
        assert state_of(kept).last_us <= SystemClock().now_us()


def test_events_of_days_that_are_over_count_and_teach_nothing(kept):
    with HaloBase.local("desk", home=kept, quiet=True) as halo:
        report = halo.identity_events([event(NEXT + 1), event(NEXT, 3, **ABROAD)])
        assert (report.late, len(report.raised)) == (1, 1)


def test_the_state_of_an_identity_is_bounded(bare):
    state = LiveIdentity()
    with HaloBase.local("desk", home=bare, quiet=True) as halo:
        many = [
            event(day, hour, system=f"host-{day}-{hour}-{number}", action=f"a{number}", network=f"10.{day}.{hour}.0/24")
            for day in range(20)
            for hour in range(24)
            for number in range(6)
        ]
        halo.identity_events(many)
    state = state_of(bare)
    assert len(state.history) <= 48
    assert max(map(len, state.habit.known_values)) <= 256
    assert state.events == len(many)


def test_what_was_imported_goes_on(kept):
    with HaloBase.local("desk", home=kept, quiet=True) as halo:
        halo.identity_events([event(NEXT)])
    assert state_of(kept).habit.days == len(
        {item.ts_us // 86_400_000_000 for item in history() if item.identity == ANA}
    )


def test_one_feed_suspends_nobody_and_two_do_after_a_notice(kept):
    (kept / "agents.yaml").write_text(
        "version: 1\nagents:\n  desk:\n    tools: [lookup, note]\npeople:\n  suspend_at: {risk: 800, notice: 30m}\n"
    )
    with HaloBase.local("desk", home=kept, quiet=True, mode="enforce") as halo:
        now = halo.store.clock.now_us()
        today = replace(event(NEXT, 3, **ABROAD), ts_us=now)
        one, two = (
            IdentityFeed(halo.store.commit, KeyStore(kept), "local", SystemClock(), name) for name in ("vpn", "mail")
        )
        assert one.take([today, today]).suspended == 0
        assert two.take([replace(today, system="mail")]).suspended == 1
        assert one.take([today]).suspended == 0
        (entry,) = bodies(kept, EntryKind.STOP)
        assert (entry["scope"], len(entry["sources"])) == ("suspended_user", 2)
        assert ANA not in json.dumps(entry)
        assert decide(halo, "lookup", "read", ANA, "s1") == "done"  # within the notice
        assert cli("lift", "--user", ANA, home=kept)[0] == 0


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM identity",
        """UPDATE identity SET head=CAST(replace(CAST(head AS TEXT), '"band":2', '"band":0') AS BLOB)""",
    ],
)
def test_verify_names_a_row_of_another_band(kept, statement):
    with HaloBase.local("desk", home=kept, quiet=True) as halo:
        halo.identity_events([event(NEXT, 3, **ABROAD)])
    assert verified(kept) == 0
    database = attack(db_of(kept))
    database.execute(statement)
    database.commit()
    database.close()
    assert verified(kept) == 11


def test_whoever_fails_under_a_name_raises_the_risk_of_nobody(kept):
    """The lever: logins that fail under somebody's name, from elsewhere, at night, again and again."""
    away = {"network": "203.0.113.0/24", "country": "BR", "outcome": Outcome.FAILURE}
    with HaloBase.local("desk", home=kept, quiet=True, mode="enforce") as halo:
        for day in range(12):
            halo.identity_events([event(NEXT + day, 3, minute=at, **away) for at in range(30)])
            halo.identity_events([event(NEXT + day, 10)])
        assert decide(halo, "note", "write", ANA, "s1") == "done"
        assert state_of(kept).risk < 500
        # It has taught nothing either: once one succeeds from there, that is what it is.
        halo.identity_events([event(NEXT + 12, 3, minute=at, **away) for at in range(30)])
        halo.identity_events([event(NEXT + 12, 3, minute=31, network="203.0.113.0/24", country="BR")])
        assert state_of(kept).risk >= 800
        assert "success_after_failures" in state_of(kept).factors
        with pytest.raises(Pending):
            decide(halo, "note", "write", ANA, "s2")
    assert verified(kept, signatures=True) == 0


def test_failures_at_the_persons_own_place_count(kept):
    with HaloBase.local("desk", home=kept, quiet=True) as halo:
        halo.identity_events([event(NEXT, 10, minute=at, outcome=Outcome.FAILURE) for at in range(40)])
        assert state_of(kept).risk > 0
        other = "bob@bank.example"
        halo.identity_events([event(NEXT, 11, identity=other)])
        assert state_of(kept, other).risk == 0


def test_one_event_on_two_ways_is_one_source(kept):
    (kept / "agents.yaml").write_text(RULE)
    with HaloBase.local("desk", home=kept, quiet=True, mode="enforce") as halo:
        now = halo.store.clock.now_us()
        today = [replace(event(NEXT, 3, **ABROAD), ts_us=now - 10**7 * at) for at in range(3)]
        one, two = (
            IdentityFeed(halo.store.commit, KeyStore(kept), "local", SystemClock(), name) for name in ("vpn", "copy")
        )
        one.take(today)
        assert two.take(today[1:]).suspended == 0
        with HaloBase.local("other", home=kept, quiet=True) as other:
            halo.identity_events(today)
            other.identity_events([replace(today[0], ts_us=now + 5 * 10**6)])
        assert bodies(kept, EntryKind.STOP) == []
        three = IdentityFeed(halo.store.commit, KeyStore(kept), "local", SystemClock(), "mail")
        assert three.take([replace(today[0], system="mail", ts_us=now + 10**6)]).suspended == 1


@pytest.mark.parametrize("how", ["deleted", "put back"])
def test_a_row_that_was_deleted_or_put_back_counts_as_the_highest_risk(kept, how):
    with HaloBase.local("desk", home=kept, quiet=True, mode="enforce") as halo:
        halo.identity_events([event(NEXT, 10)])
        database = attack(db_of(kept))
        before = database.execute("SELECT * FROM identity").fetchall()
        database.close()
        halo.identity_events([event(NEXT, 3, **ABROAD)])
    database = attack(db_of(kept))
    database.execute("DELETE FROM identity")
    if how == "put back":
        database.executemany("INSERT INTO identity VALUES (?,?,?,?,?)", before)
    database.commit()
    database.close()
    with HaloBase.local("desk", home=kept, quiet=True, mode="enforce") as halo:
        assert decide(halo, "note", "write", "bob@bank.example", "s1") == "done"  # somebody else's
        with pytest.raises(Pending):
            decide(halo, "note", "write", ANA, "s2")
        assert bodies(kept, EntryKind.DECISION)[-1]["snapshot"]["principal_risk"]["problem"] == "bad_principal_risk"
        halo.identity_events([event(NEXT, 11)])  # an ordinary event does not take it back
        with pytest.raises(Pending):
            decide(halo, "note", "write", ANA, "s3")
        assert cli("identity", "clear", ANA, "--why", "looked at it", home=kept)[0] == 0
        assert decide(halo, "note", "write", ANA, "s4") == "done"
    assert verified(kept, signatures=True) == 0


RULE = "version: 1\nagents:\n  desk:\n    tools: [lookup, note]\npeople:\n  suspend_at: {risk: 800, notice: 30m}\n"


@pytest.mark.parametrize(("verdict", "risk_is_left", "stops"), [("ordinary", False, 0), ("attack", True, 1)])
def test_a_verdict_on_an_alert_reaches_the_risk(kept, verdict, risk_is_left, stops):
    (kept / "agents.yaml").write_text(RULE)
    with HaloBase.local("desk", home=kept, quiet=True) as halo:
        halo.identity_events([event(NEXT, 3, **ABROAD)])
    _, out, _ = cli("alerts", "--json", home=kept)
    (alert,) = json.loads(out)["alerts"]
    code, _, err = cli("judge", str(alert["index"]), f"--{verdict}", "--why", "asked her", home=kept)
    assert code == 0, err
    assert (state_of(kept).risk > 0) is risk_is_left
    assert [entry["scope"] for entry in bodies(kept, EntryKind.STOP)] == ["suspended_user"] * stops
    assert verified(kept, signatures=True) == 0
