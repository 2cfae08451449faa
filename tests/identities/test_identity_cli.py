"""`halo identity`: files in, a baseline in force and on record, scores out."""

from __future__ import annotations

import csv
import hashlib
import json

import pytest
from identity_world import ANA, DAYS, csv_file, event, history, rows_of

from halo_core.facade import HaloBase
from halo_core.identities.baseline import IDENTITIES
from halo_core.model import EntryKind
from halo_world import SURFACE, Calls, attack, bodies, cli, db_of, tool, verified

NEXT = DAYS
ABROAD = {"network": "203.0.113.0/24", "country": "BR", "asn": "64777"}


@pytest.fixture
def kept(home):
    """A home with a ledger."""
    with HaloBase.local("desk", home=home, quiet=True) as halo, halo.session("s", request="look ana up"):
        halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "ana"}), Calls(), SURFACE)
    return home


@pytest.fixture
def past(tmp_path):
    return csv_file(tmp_path / "past.csv", history())


@pytest.fixture
def later(tmp_path):
    return csv_file(tmp_path / "later.csv", [event(NEXT), event(NEXT, 3, **ABROAD), event(NEXT, identity="new")])


def ok(*argv, home):
    code, out, err = cli("identity", *argv, home=home)
    assert code == 0, (out, err)
    return out, err


def plain(*argv, home):
    return json.loads(ok(*argv, "--json", home=home)[0])


def test_a_baseline_is_put_in_force_on_record_and_used(kept, past, later):
    told = plain("import", str(past), "--by", "mia", home=kept)
    assert (told["in_force"], told["identities"], told["established"]) == (True, 6, 6)
    entry = bodies(kept, EntryKind.BASELINE)[-1]
    assert (entry["agent"], entry["actor"], entry["events"]) == (IDENTITIES, "mia", told["events"])
    assert entry["sources"] == ["sha256:" + hashlib.sha256(past.read_bytes()).hexdigest()]
    assert ANA not in json.dumps(entry)
    found = plain("score", str(later), home=kept)
    rows = {row["identity"]: row for row in found["identities"]}
    assert rows[ANA]["high"] == 1
    assert rows["new"]["risk"] == 0  # among known peers
    (flagged,) = found["events"]
    assert (flagged["identity"], flagged["band"], flagged["basis"]) == (ANA, 2, "own")
    assert [factor["id"] for factor in flagged["factors"]] == ["country_new", "hour_unusual"]
    assert found["early"] == 0
    assert verified(kept, signatures=True) == 0
    assert cli("replay", "--all", home=kept)[0] == 0


def test_people_read_who_why_and_how_much(kept, past, later):
    out, _ = ok("import", str(past), home=kept)
    assert "6, 6 of them" in out
    out, err = ok("score", str(later), home=kept)
    assert f"high {plain('score', str(later), home=kept)['events'][0]['risk']}" in out
    assert "from a country hardly or never seen: BR" in out
    assert not err
    out, err = ok("score", str(past), home=kept)
    assert "not later than the baseline" in err


def test_who_is_little_known_is_said_to_be(kept, tmp_path):
    alone = csv_file(tmp_path / "alone.csv", [item for item in history() if item.identity == ANA])
    ok("import", str(alone), home=kept)
    stranger = csv_file(tmp_path / "s.csv", [event(NEXT, identity="stranger", role="pilot", **ABROAD)])
    assert "too little known" in ok("score", str(stranger), home=kept)[0]
    (row,) = plain("score", str(stranger), home=kept)["identities"]
    assert (row["risk"], row["highest"], row["too_little_known"]) == (None, None, 1)


def test_a_dry_run_changes_nothing(kept, past):
    assert plain("import", str(past), "--dry-run", home=kept)["in_force"] is False
    assert bodies(kept, EntryKind.BASELINE) == []
    code, _, err = cli("identity", "show", home=kept)
    assert code == 64
    assert "halo identity import" in err


def test_a_bad_row_in_the_second_file_imports_nothing(kept, past, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("time,identity,action\n2026-01-05T10:00:00Z,ana,read\nnever,ana,read\n")
    code, _, err = cli("identity", "import", str(past), str(bad), home=kept)
    assert code == 64
    assert "bad.csv: line 3, time" in err
    assert "try: " in err
    assert bodies(kept, EntryKind.BASELINE) == []


def test_adding_goes_on_and_refuses_what_was_there(kept, past, tmp_path):
    code, _, err = cli("identity", "import", str(past), "--add", home=kept)
    assert (code, "no_baseline" in err) == (64, True)
    first = plain("import", str(past), home=kept)
    code, _, err = cli("identity", "import", str(past), "--add", home=kept)
    assert (code, "not_later" in err) == (64, True)
    more = csv_file(tmp_path / "more.csv", [event(NEXT), event(NEXT + 1)])
    second = plain("import", str(more), "--add", home=kept)
    assert second["events"] == first["events"] + 2
    assert verified(kept) == 0


def test_a_file_says_what_it_is_or_is_asked(kept, tmp_path):
    path = tmp_path / "events.log"
    path.write_text("time,identity,action\n2026-01-05T10:00:00Z,ana,read\n")
    code, _, err = cli("identity", "import", str(path), home=kept)
    assert (code, "no_format" in err) == (64, True)
    assert plain("import", str(path), "--format", "csv", home=kept)["events"] == 1
    assert cli("identity", "import", str(path), "--format", "xml", home=kept)[0] == 64
    assert cli("identity", "import", str(path), "--format", "ocsf", home=kept)[0] == 64
    assert cli("identity", "import", str(tmp_path / "none.csv"), home=kept)[0] == 64


def test_all_files_together_have_only_so_many_events(kept, past, later, monkeypatch):
    from halo_core.views import alerts

    monkeypatch.setattr(alerts, "MAX_EVENTS", len(history()) + 2)
    code, _, err = cli("identity", "import", str(past), str(later), home=kept)
    assert (code, "too_many" in err) == (64, True)


def test_columns_are_mapped(kept, tmp_path):
    rows = list(rows_of(history(2)))
    with (tmp_path / "mapped.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["who", "when", "what"])
        writer.writerows([row["identity"], row["time"], row["action"]] for row in rows)
    maps = [part for pair in ("identity=who", "time=when", "action=what") for part in ("--map", pair)]
    assert plain("import", str(tmp_path / "mapped.csv"), *maps, home=kept)["events"] == len(rows)
    assert cli("identity", "import", str(tmp_path / "mapped.csv"), "--map", "x=y", home=kept)[0] == 64


def test_ocsf_of_other_classes_is_left_out_and_said(kept, tmp_path):
    path = tmp_path / "events.jsonl"
    logon = {"class_uid": 3002, "activity_id": 1, "time": 1_767_607_200_000, "user": {"name": "ana"}}
    path.write_text(json.dumps(logon) + "\n" + json.dumps({"class_uid": 4001}) + "\n")
    out, err = ok("import", str(path), home=kept)
    assert "1 of class 4001" in err
    assert "preset" in out
    assert "replaces" not in err
    assert plain("import", str(path), home=kept)["skipped"] == {"4001": 1}
    assert "replaces" in ok("import", str(path), home=kept)[1]


@pytest.mark.parametrize(("days", "by_hand"), [(28, True), (90, False)])
def test_a_limit_that_is_set_by_hand_is_said(kept, tmp_path, days, by_hand):
    said, _ = ok("import", str(csv_file(tmp_path / "past.csv", history(days))), home=kept)
    assert plain("show", home=kept)["limits"]["identity_days"] >= 40
    assert ("too few to compute the limit for high" in said) == by_hand


def test_drop_takes_it_out(kept, past):
    ok("import", str(past), home=kept)
    assert cli("identity", "drop", home=kept)[0] == 0
    assert cli("identity", "drop", home=kept)[0] == 1
    assert cli("identity", "score", str(past), home=kept)[0] == 64
    assert verified(kept) == 0


def test_without_a_ledger_nothing_is_made(home, past):
    code, _, err = cli("identity", "import", str(past), home=home)
    assert code == 64
    assert "try: " in err
    assert not db_of(home).exists()


@pytest.mark.parametrize("how", ["blob", "row"])
def test_a_baseline_that_was_changed_is_not_used(kept, past, later, how):
    ok("import", str(past), home=kept)
    ok("import", str(later), home=kept)
    name = bodies(kept, EntryKind.BASELINE)[0]["hash"]
    connection = attack(db_of(kept))
    if how == "blob":
        forged = "CAST(replace(CAST(bytes AS TEXT), '\"days\":28', '\"days\":29') AS BLOB)"
        connection.execute(f"UPDATE blob SET bytes = {forged}")
    connection.execute("UPDATE baseline SET hash=?", (name,))
    connection.close()
    if how == "blob":
        code, _, err = cli("identity", "score", str(later), home=kept)
        assert (code, "bad_baseline" in err) == (64, True)
    assert verified(kept) == 11


def test_another_tenant_has_none_of_it(kept, past, later):
    HaloBase.local("desk", home=kept, quiet=True, tenant="other").close()
    ok("import", str(past), "--tenant", "local", home=kept)
    code, _, err = cli("identity", "score", str(later), "--tenant", "other", home=kept)
    assert (code, "no_baseline" in err) == (64, True)
    assert plain("score", str(later), "--tenant", "local", home=kept)["events"]


def test_a_key_that_was_lost_is_said(kept, past, later):
    ok("import", str(past), home=kept)
    (kept / "sketch.key").unlink()
    code, _, err = cli("identity", "score", str(later), home=kept)
    assert (code, "other_key" in err) == (64, True)


def test_no_agent_can_have_its_name(kept):
    from halo_core.errors import ConfigError

    with pytest.raises(ConfigError):
        HaloBase.local(IDENTITIES, home=kept, quiet=True)


def test_what_is_done_to_an_agents_baseline_does_not_reach_it(kept, past):
    ok("import", str(past), home=kept)
    for verb in (("fit", IDENTITIES, "--like", "desk"), ("drop", IDENTITIES), ("show", IDENTITIES)):
        code, _, err = cli("baseline", *verb, home=kept)
        assert (code, "printable" in err) == (64, True)
    assert ok("show", home=kept)


def test_an_agents_score_is_not_touched(kept, past):
    ok("import", str(past), home=kept)
    code, _, err = cli("baseline", "show", "desk", home=kept)
    assert (code, "no_baseline" in err) == (64, True)
    assert cli("risk", home=kept)[0] == 0
