"""Each question by its command, against a computation of its own over the raw rows."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from evidence_world import WORK, answer, make_home, ok, open_halo, raw, raw_decisions, raw_entries, register

from halo_core.clock import format_iso
from halo_core.crypto.keys import KeyStore
from halo_core.errors import Denied, Pending
from halo_core.evidence.answers import Period, count_population, format_moment
from halo_core.evidence.audit_log import AuditLog, DecisionFilter, describe_unknown
from halo_core.evidence.questions_operation import answer_denials
from halo_core.store.reader import Reader
from halo_world import SURFACE, Calls, attack, cli, db_of, person_ref, session_ref, tool, url_of, verified
from preloaded_python import find_python

REFUSED = ("deny", "challenge")
MANIFEST = """version: 1
tools:
  lookup: {impact: read}
agents:
  clerk:
    owner: ana@bank
    tools:
      lookup: {q: any}
    approvers: [mia@bank]
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_home(tmp_path_factory.mktemp("questions") / "home")


@pytest.fixture
def home(made, tmp_path):
    shutil.copytree(made.parent, tmp_path / "all")
    return tmp_path / "all" / made.name


def count_rows(rows, *names):
    return {tuple(row[name] for name in names): row["decisions"] for row in rows}


def test_who_touched_lists_every_decision_on_the_label(home):
    code, got = answer(home, "who-touched", "--label", "chd", "--prove")
    wanted = [item for item in raw_decisions(home) if "chd" in item["labels"]]
    assert (code, got["verdict"], got["findings"]) == (0, "holds", [])
    assert got["claim"].endswith("are all that were made")
    assert "`--prove` says whether they are all" in answer(home, "who-touched", "--label", "chd")[1]["claim"]
    assert got["population"]["counted"] == len(wanted) == 6
    expected = Counter((item["agent"], item["user"], item["resource"], item["effect"]) for item in wanted)
    assert count_rows(got["rows"], "agent", "reference", "resource", "effect") == expected
    assert sum(row["ran"] for row in got["rows"]) == sum(item["status"] == "success" for item in wanted)
    assert {row["person"] for row in got["rows"]} == {"ana", "bob", ""}


@pytest.mark.parametrize("width", [80, 120, 400])
def test_no_terminal_breaks_a_word_of_a_row(home, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    _, got = answer(home, "who-touched", "--label", "chd")
    code, said, _ = cli("who-touched", "--label", "chd", home=home)
    assert code == 0
    assert max(map(len, said.splitlines())) <= width
    words = said.split()
    for row in got["rows"]:
        assert {row["agent"], row["resource"], row["effect"], row["first"], row["last"]} <= set(words)
    assert "decisions" in words
    assert (f"row {len(got['rows'])} of {len(got['rows'])}" in said) == (width < 400)


def test_the_head_of_an_answer_is_that_of_the_log(home):
    before = raw(home, "SELECT max(idx), (SELECT max(size) FROM checkpoint) FROM entry")[0]
    _, got = answer(home, "who-touched", "--label", "chd")
    population = got["population"]
    assert (population["first_index"], population["last_index"], population["tree_size"]) == (0, *before)
    assert got["query"].startswith("halo who-touched --label chd --to ")
    assert raw_entries(home, "access")[-1]["what"] == {"query": got["query"]}


def test_a_period_leaves_out_what_is_not_in_it(home):
    times = sorted(item["ts_us"] for item in raw_decisions(home))
    middle = times[len(times) // 2]
    _, early = answer(home, "sample", "--seed", "1", "--to", format_moment(middle))
    _, late = answer(home, "sample", "--seed", "1", "--from", format_moment(middle))
    assert early["population"]["counted"] == sum(ts_us < middle for ts_us in times)
    assert late["population"]["counted"] == sum(ts_us >= middle for ts_us in times)


@pytest.mark.parametrize(
    ("words", "similar"),
    [
        (("who-touched", "--label", "chdd"), "chd"),
        (("who-touched", "--tool", "lokup"), "lookup"),
        (("reach", "--agent", "clerc"), "clerk"),
        (("sample", "--seed", "1", "--system", "cores"), "core"),
        (("denials", "--agent", "auditer"), "auditor"),
        (("metrics", "--agent", "clerkk"), "clerk"),
    ],
)
def test_an_unknown_name_cannot_be_told_about(home, words, similar):
    code, got = answer(home, *words)
    assert (code, got["verdict"]) == (2, "cannot_tell")
    assert f"similar: `{similar}`" in got["findings"][0]


def test_of_a_name_that_is_like_none_those_that_there_are_are_listed(home):
    _, got = answer(home, "who-touched", "--label", "zzzzzzzz")
    assert got["findings"] == ["no decision has the label `zzzzzzzz`; there are: `chd`, `financial`, `pii`"]
    assert describe_unknown("tool", "q", [f"t{n:02}" for n in range(12)]).endswith("`t09` and 2 more")


@pytest.mark.parametrize("width", [100, 160])
def test_a_row_with_a_long_text_is_a_block(home, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    _, got = answer(home, "passport", "history", "--raises")
    longest = max((", ".join(row["raised"]) for row in got["rows"]), key=len)
    code, said, _ = cli("passport", "history", "--raises", home=home)
    assert code in (0, 1)
    assert len(longest) > 600
    assert f"row 1 of {len(got['rows'])}" in said
    assert len(said.splitlines()) < 40 * len(got["rows"])


def test_a_known_label_that_nobody_reached_holds(home):
    """The honest twin of an unknown label: `financial` is registered, and the auditor never paid."""
    code, got = answer(home, "who-touched", "--label", "financial", "--agent", "auditor", "--effect", "allow")
    assert (code, got["population"]["counted"]) == (0, 0)


@pytest.mark.parametrize("words", [("who-touched", "--label", "chd"), ("failures",), ("access-log",), ("denials",)])
def test_a_period_without_entries_cannot_be_told_about(home, words):
    code, got = answer(home, *words, "--from", "2001-01-01", "--to", "2001-02-01")
    assert (code, got["verdict"], got["population"]["first_index"]) == (2, "cannot_tell", -1)


def test_an_action_beside_halo_leaves_a_proof_open(home):
    with open_halo("clerk", home) as halo:
        halo.record_shadow("tool", "rogue\x1b[31m", "app.py:7")
    code, got = answer(home, "who-touched", "--label", "chd", "--prove")
    assert (code, len(got["findings"])) == (2, 1)
    assert answer(home, "who-touched", "--label", "chd")[0] == 0
    assert "\x1b" not in cli("who-touched", "--label", "chd", "--prove", home=home)[1]


def test_reach_sets_what_ran_beside_what_was_granted(home):
    code, got = answer(home, "reach", "--agent", "clerk")
    wanted = [item for item in raw_decisions(home) if item["agent"] == "clerk"]
    assert code == 0
    assert got["population"]["counted"] == len(wanted)
    expected = Counter((item["user"], item["resource"], item["system"]) for item in wanted)
    assert count_rows(got["rows"], "reference", "resource", "system") == expected
    assert all(row["granted"] for row in got["rows"])
    code, got = answer(home, "reach", "--user", "User:ANA ")
    mine = [item for item in raw_decisions(home) if item["user"] == person_ref(home, "ana")]
    assert (code, got["population"]["counted"]) == (0, len(mine))
    assert "ana" not in got["query"].lower().replace(person_ref(home, "ana").lower(), "")


def test_a_grant_that_was_not_used_is_listed(home):
    with open_halo("clerk", home) as halo:
        register(halo)
        tool(halo, "note")
        with halo.session("more"):
            halo.enforcer.run(halo.build_call(register(halo)["lookup"], {"q": "z"}), Calls(), SURFACE)
    _, got = answer(home, "reach", "--agent", "clerk")
    assert [row["resource"] for row in got["rows"] if row["decisions"] == 0] == ["note"]


def test_what_ran_without_a_grant_is_a_finding(tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "agents.yaml").write_text(MANIFEST)
    ok(cli("passport", "issue", "clerk", home=home))
    with open_halo("clerk", home, mode="observe") as halo, halo.session("s"):
        tools = register(halo)
        for name, args in WORK[:2]:
            halo.enforcer.run(halo.build_call(tools[name], args), Calls(), SURFACE)
    code, got = answer(home, "reach", "--agent", "clerk")
    granted = {row["resource"]: row["granted"] for row in got["rows"]}
    assert (code, granted) == (1, {"lookup": True, "watched": False})
    assert len(got["findings"]) == 1
    assert "`watched` ran and no passport granted it" in got["findings"][0]


def test_a_session_is_a_filter(home):
    mine = [item for item in raw_decisions(home) if item["session"] == session_ref(home, "clerk-one")]
    for words in (("sample", "--seed", "1"), ("denials", "--with-disposition"), ("who-touched", "--tool", "*")):
        code, got = answer(home, *words, "--session", "clerk-one")
        wanted = [item for item in mine if words[0] != "denials" or item["effect"] in REFUSED]
        assert (code, got["population"]["counted"]) == (0, len(wanted)), words
        assert "clerk-one" not in got["query"]
        if words[0] == "denials":
            open_count = sum(row["followed"] == ["nothing"] for row in got["rows"])
            followed = f"after {open_count} of them nothing followed" if open_count else "after each of them something"
            assert got["notes"][0].startswith(followed)
        assert answer(home, *words, "--session", "clerk-none")[0] == 2


def test_a_sample_can_be_drawn_again_by_anybody(home):
    ids = [item["id"] for item in raw_decisions(home)]
    drawn = sorted(ids, key=lambda name: hashlib.sha256(b"halo/sample/v1\0s\0" + name.encode()).digest())[:7]
    first, again = (answer(home, "sample", "--n", "7", "--seed", "s")[1] for _ in range(2))
    assert {row["id"] for row in first["rows"]} == set(drawn)
    assert first["rows"] == again["rows"]
    assert [row["index"] for row in first["rows"]] == sorted(row["index"] for row in first["rows"])
    assert first["population"]["counted"] == len(ids)
    _, other = answer(home, "sample", "--n", "7", "--seed", "t")
    assert {row["id"] for row in other["rows"]} != set(drawn)


@pytest.mark.parametrize("words", [("--n", "0", "--seed", "s"), ("--n", "5"), ("--seed", "s", "--effect", "alow")])
def test_a_sample_that_cannot_be_drawn_is_a_wrong_use(home, words):
    assert cli("sample", *words, home=home)[0] == 64


def test_show_says_what_was_asked_decided_answered_and_came_of_it(home):
    paid = next(item for item in raw_decisions(home) if item["resource"] == "pay" and item["agent"] == "clerk")
    parts = json.loads(ok(cli("show", paid["id"], "--json", home=home)))
    assert [part["entry"]["kind"] for part in parts] == ["decision", "approval_request", "approval"]
    request, out = parts[1]["entry"]["body"], ok(cli("show", paid["id"], home=home))
    assert re.search(rf"^expires +{format_iso(request['expires_us'])}$", out, re.MULTILINE)
    assert re.search(rf"^amount +{request['amount'] // 10_000:,}\.0000$", out, re.MULTILINE)
    ran = next(item for item in raw_decisions(home) if item["resource"] == "pay" and item["let_run"])
    parts = json.loads(ok(cli("show", ran["id"], "--json", home=home)))
    assert [part["entry"]["kind"] for part in parts] == ["decision", "approval_request", "approval", "outcome"]
    assert parts[0]["entry"]["body"]["snapshot"]["approval"]["approver"] == "mia"
    out = ok(cli("replay", ran["id"], home=home))
    assert "recorded effect monitor" in out
    assert "1 identical" in out


def test_commands_about_one_entry_or_all_of_them_say_what_they_are_about(home):
    """`show`, `replay` and `grants unused`: of how many entries and sessions, under which checkpoint; else 2."""
    decision = raw_decisions(home)[0]["id"]
    lines = (("show", decision), ("replay", decision), ("replay", "--all"), ("grants", "unused"))
    for words in lines:
        ((entries, sessions),) = raw(
            home, "SELECT count(*), count(DISTINCT CASE WHEN session<>'' THEN session END) FROM entry"
        )
        code, out, err = cli(*words, home=home)
        text = " ".join(out.split())
        assert code == 0, err
        assert f"query halo {words[0]}" in text
        assert f"of {entries} entries in {sessions} sessions, positions 0 to {entries - 1}" in text
        assert f"= of {entries} entries" in text  # the root of the checkpoint, and its size
    with contextlib.closing(attack(db_of(home))) as database:
        database.execute("UPDATE entry SET ts_us=ts_us+1 WHERE idx=5")
    for words in lines:
        code, out, err = cli(*words, home=home)
        assert code == (0 if words[0] == "replay" else 2), words  # which says of decisions alone whether they differ
        assert "differs from what was signed" in out + err
    code, out, _ = cli("show", decision, home=home)
    assert "cannot tell" in out
    assert decision in out


def test_a_report_of_keys_says_of_what_and_where_the_log_ended(home):
    (size,) = raw(home, "SELECT max(size) FROM checkpoint")[0]
    code, out, _ = cli("keys", "report", home=home)
    text = " ".join(out.split())
    keys = len(list(home.glob("*.key")))
    assert code == 0
    assert f"population {keys} key files, 2 trusted keys of 1 tenant" in text
    assert f"of {size} entries" in text
    (home / "anchor.json").unlink()
    assert "checkpoint local: none" in " ".join(cli("keys", "report", home=home)[1].split())


def test_one_of_something_is_said_in_the_singular():
    assert count_population(1, "reviews") == "1 review"
    assert count_population(2, "reviews") == "2 reviews"
    assert count_population(1, "recorded accesses") == "1 recorded access"
    assert (
        count_population(1, "decisions on data with the label `cards`") == "1 decision on data with the label `cards`"
    )
    assert count_population(0, "entries of 5 entries") == "0 entries of 5 entries"


def test_denials_say_where_nobody_answered_in_time(home):
    later_us = max(item["ts_us"] for item in raw_decisions(home)) + 30 * 86_400_000_000
    with Reader(url_of(home)) as reader:
        reader.use_names(home)
        log, period = AuditLog(reader, "local", home=home, now_us=later_us), Period(0, later_us)
        got = answer_denials(log, period, DecisionFilter(period), with_disposition=True)
    expires = {item["id"]: format_moment(item["expires_us"]) for item in raw_entries(home, "approval_request")}
    settled = {item["request"] for item in raw_entries(home, "approval")}
    said = Counter(text for row in got.rows for text in row["followed"] if text.startswith("nobody answered"))
    assert said == Counter(f"nobody answered until {expires[name]}" for name in expires.keys() - settled)
    assert said


def test_denials_say_what_followed(home):
    with open_halo("clerk", home) as halo, halo.session("clerk-one", user="ana"), contextlib.suppress(Denied, Pending):
        halo.enforcer.run(halo.build_call(register(halo)["wipe"], {"path": "/"}), Calls(), SURFACE)
    refused = [item for item in raw_decisions(home) if item["effect"] in REFUSED]
    judged = next(item["id"] for item in refused if item["agent"] == "auditor" and item["resource"] == "wipe")
    ok(cli("judge", judged, "--attack", "--by", "eve", home=home))
    ok(cli("stop", "--agent", "auditor", "--by", "eve", home=home))
    code, got = answer(home, "denials", "--with-disposition")
    assert (code, got["population"]["counted"]) == (0, len(refused))
    followed = {row["id"]: row["followed"] for row in got["rows"]}
    assert followed.keys() == {item["id"] for item in refused}
    assert "judged an attack by eve" in followed[judged]
    assert any(text.startswith("stopped (agent) by eve") for text in followed[judged])
    of_clerk = [item for item in refused if item["agent"] == "clerk" and item["user"] == person_ref(home, "ana")]
    wiped, paid = (next(item for item in of_clerk if item["resource"] == name) for name in ("wipe", "pay"))
    assert followed[wiped["id"]] == ["tried again 1 time"]
    texts = followed[paid["id"]]
    assert any(text.startswith("a person was asked") for text in texts)
    assert any(text.startswith("approved by mia") for text in texts)
    assert any(text.startswith("ran later") for text in texts)
    lonely = next(
        item["id"] for item in refused if item["resource"] == "wipe" and item["agent"] == "clerk" and not item["user"]
    )
    assert followed[lonely] == ["nothing"]
    assert not any(text.startswith("nobody answered") for item in got["rows"] for text in item["followed"])
    _, short = answer(home, "denials", "--tool", "wipe")
    assert {row["resource"] for row in short["rows"]} == {"wipe"}
    assert "followed" not in short["columns"]


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (("--from", "2026-03-01", "--to", "2026-02-01"), "begins at `2026-03-01` and ends at `2026-02-01`"),
        (("--from", "2026-03-01", "--to", "2026-03-01"), "begins at `2026-03-01` and ends at `2026-03-01`"),
        (("--from", "2999-01-01"), "begins at `2999-01-01` and ends now"),
    ],
)
def test_a_period_that_ends_before_it_begins_is_refused(home, times, words):
    for verb in (("denials",), ("report", "--framework", "nist-800-207"), ("export", "csv", "--output", "x.csv")):
        code, _, err = cli(*verb, *times, home=home)
        assert (code, "[bad_period]" in err) == (64, True), verb
        assert words in " ".join(err.split()), verb


def test_denials_say_which_of_them_ran_in_observe_mode(home):
    _, before = answer(home, "denials")
    assert not any(row["ran"] for row in before["rows"])
    assert not any("observe mode" in note for note in before["notes"])
    with open_halo("clerk", home, mode="observe") as halo, halo.session("watched", user="ana"):
        halo.enforcer.run(halo.build_call(register(halo)["wipe"], {"path": "/watched"}), Calls(), SURFACE)
    _, got = answer(home, "denials")
    (ran,) = [row for row in got["rows"] if row["ran"]]
    assert (ran["resource"], ran["effect"] in REFUSED) == ("wipe", True)
    assert any(note.startswith("1 of them ran all the same, in observe mode") for note in got["notes"])


def test_the_access_log_lists_who_read_and_was_refused(home):
    decision = raw_decisions(home)[0]["id"]
    ok(cli("show", decision, "--reveal", home=home))
    _, got = answer(home, "access-log")
    entries = raw_entries(home, "access")[:-1]  # the last one is that of the question
    assert got["population"]["counted"] == len(entries) == len(got["rows"])
    assert [row["id"] for row in got["rows"]] == [item["id"] for item in entries]
    _, reveals = answer(home, "access-log", "--act", "reveal")
    assert [row["what"] for row in reveals["rows"]] == [f"entry {decision}"]
    assert answer(home, "access-log", "--person", "nobody")[1]["rows"] == []


def test_nothing_failed_where_nothing_did(home):
    code, got = answer(home, "failures")
    assert (code, got["rows"], got["population"]["counted"]) == (0, [], len(raw_decisions(home)))


def test_failures_list_what_was_switched_off_and_what_ran_then(home):
    with open_halo("clerk", home, mode="observe") as halo, halo.session("loose", user="bob"):
        halo.enforcer.run(halo.build_call(register(halo)["wipe"], {"path": "/"}), Calls(), SURFACE)
    with open_halo("clerk", home) as halo:
        halo.record_shadow("tool", "rogue", "app.py:7")
    code, got = answer(home, "failures")
    what = {row["what"]: row for row in got["rows"]}
    assert code == 1
    assert what.keys() == {"decisions in observe mode", "an action without a decision"}
    assert (
        what["decisions in observe mode"]["decisions"],
        what["decisions in observe mode"]["ran_though_refused"],
    ) == (1, 1)
    assert len(got["findings"]) == 2


def test_metrics_are_those_of_the_rows(home):
    unjudged = "no alert of this log and period was judged, so nothing is known of false alarms"
    assert answer(home, "metrics")[1]["notes"][0] == unjudged
    ok(cli("judge", str(raw_entries(home, "alert")[0]["index"]), "--ordinary", home=home))
    code, got = answer(home, "metrics")
    values = {row["metric"]: row for row in got["rows"]}
    decisions = raw_decisions(home)
    for effect, number in Counter(item["effect"] for item in decisions).items():
        assert values[f"decisions: {effect}"]["value"] == number
    assert code == 0
    assert values["decisions: let run"]["value"] == sum(item["let_run"] for item in decisions)
    assert values["questions asked"]["value"] == len(raw_entries(home, "approval_request"))
    assert values["questions: approved"]["value"] == len(raw_entries(home, "approval"))
    assert got["notes"][0].startswith("the share of false alarms is among the 1 judged alert of this log and period; ")
    false = values["alerts: false, of those judged"]
    # Wilson's interval of 1 in 1: 1 / (1 + z²) to 1
    assert (false["value"], false["n"], false["share"], false["low"], false["high"]) == (1, 1, 1.0, 0.2065, 1.0)


def test_an_alert_is_acknowledged_once_and_its_time_is_told(home):
    alert = raw_entries(home, "alert")[0]
    code, got = answer(home, "alerts", "sla")
    assert (code, got["findings"]) == (1, [f"alert {alert['id']} was acknowledged by nobody"])
    _, got = answer(home, "alerts", "sla", "--within", "4h")
    assert got["claim"] == "every alert was acknowledged within 4 hours: 1 alert, none acknowledged"
    for _ in range(2):
        ok(cli("alerts", "acknowledge", alert["id"], "--by", "eve", "--why", "seen, DE89370400440532013000", home=home))
    (entry,) = raw_entries(home, "acknowledgement")
    assert (entry["alert"], entry["actor"]) == (alert["id"], person_ref(home, "eve"))
    assert "DE89370400440532013000" not in entry["why"]
    code, got = answer(home, "alerts", "sla")
    (row,) = got["rows"]
    assert (code, row["acknowledged_by"]) == (0, "eve")
    assert row["after_s"] == (entry["ts_us"] - alert["ts_us"]) // 1_000_000
    listed = json.loads(ok(cli("alerts", "--json", home=home)))["alerts"]
    assert listed[0]["acknowledged_us"] == entry["ts_us"]
    assert cli("alerts", "acknowledge", raw_decisions(home)[0]["id"], home=home)[0] == 64
    assert verified(home) == 0


def test_nothing_was_changed_since_a_checkpoint_that_was_kept(home, tmp_path):
    kept = tmp_path / "kept.json"
    shutil.copy(home / "anchor.json", kept)
    (size,) = raw(home, "SELECT max(size) FROM checkpoint")[0]
    note = tmp_path / "note"
    note.write_bytes(raw(home, "SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1")[0][0])
    with open_halo("clerk", home) as halo, halo.session("after"):
        halo.enforcer.run(halo.build_call(register(halo)["lookup"], {"q": "n"}), Calls(), SURFACE)
    (now,) = raw(home, "SELECT max(idx)+1 FROM entry")[0]
    code, got = answer(home, "verify", "--since", str(kept))
    assert (code, got["population"]["counted"]) == (0, now - size)
    assert answer(home, "verify", "--since", str(note))[0] == 0
    (tmp_path / "other").write_text("no checkpoint")
    assert answer(home, "verify", "--since", str(tmp_path / "other"))[0] == 2
    assert cli("verify", "--since", str(tmp_path / "none"), home=home)[0] == 64


def test_a_log_that_is_gone_is_a_gap_since_its_checkpoint(home, tmp_path):
    kept = tmp_path / "kept.json"
    shutil.copy(home / "anchor.json", kept)
    with contextlib.closing(attack(db_of(home))) as connection:
        for table in ("entry", "checkpoint", "control", "writer"):
            connection.execute(f"DELETE FROM {table}")
    code, _, err = cli("verify", "--since", str(kept), home=home)
    assert (code, "no log of `local`" in err) == (1, True)


def test_what_was_cut_or_changed_since_is_said(home, tmp_path):
    kept = tmp_path / "kept.json"
    shutil.copy(home / "anchor.json", kept)
    newest = raw(home, "SELECT max(idx) FROM entry")[0][0]
    sizes = [row[0] for row in raw(home, "SELECT size FROM checkpoint ORDER BY size")]
    with contextlib.closing(attack(db_of(home))) as connection:  # rolled back, with the anchor of that time
        connection.execute("DELETE FROM entry WHERE idx>=?", (sizes[0],))
        connection.execute("DELETE FROM checkpoint WHERE size>?", (sizes[0],))
    (home / "anchor.json").unlink()
    code, got = answer(home, "verify", "--since", str(kept))
    assert (code, got["verdict"]) == (1, "fails")
    assert f"{newest + 1} entries, but only {sizes[0]} exist" in got["findings"][0]


def test_a_change_is_a_finding_and_not_an_unknown_where_a_checkpoint_was_kept(home, tmp_path):
    kept = tmp_path / "kept.json"
    shutil.copy(home / "anchor.json", kept)
    with contextlib.closing(attack(db_of(home))) as connection:
        connection.execute("UPDATE entry SET ts_us=ts_us+1 WHERE idx=9")
    code, got = answer(home, "verify", "--since", str(kept))
    assert (code, got["verdict"]) == (1, "fails")
    assert answer(home, "who-touched", "--label", "chd")[0] == 2


def test_a_reader_without_keys_sees_references_and_says_that_nothing_was_recorded(home):
    ana = person_ref(home, "ana")
    for name in ("content.key", "digest.key", "log.key", "sketch.key"):
        (home / name).unlink()
    code, out, err = cli("who-touched", "--label", "chd", "--json", home=home)
    got = json.loads(out)
    assert code == 0
    assert "not recorded" in err
    assert ana in {row["person"] for row in got["rows"]}
    assert "names stay references" in " ".join(got["notes"])
    code, out, _ = cli("reach", "--user", ana, "--json", home=home)
    assert (code, json.loads(out)["population"]["counted"] > 0) == (0, True)
    (home / "trust.json").unlink()
    code, out, _ = cli("who-touched", "--label", "chd", "--json", home=home)
    assert (code, "no_trust" in json.loads(out)["findings"][0]) == (2, True)


@pytest.mark.parametrize("words", [("failures",), ("sample", "--seed", "1"), ("verify", "--since", "FILE")])
def test_a_home_without_a_ledger_cannot_be_told_about(tmp_path, words):
    file = tmp_path / "file"
    file.write_text("x")
    words = [str(file) if word == "FILE" else word for word in words]
    assert cli(*words, home=tmp_path / "empty")[0] == 2
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "halo.db").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    assert cli(*words, home=tmp_path / "torn")[0] == 2


def test_a_ledger_without_a_decision_answers_what_it_can(tmp_path):
    home = tmp_path / "home"
    with open_halo("clerk", home):
        pass
    assert answer(home, "failures")[0] == 0
    assert answer(home, "sample", "--seed", "1")[0] == 2
    assert answer(home, "metrics")[0] == 2


@pytest.mark.parametrize(
    "words",
    ["sample --seed x", "reach --agent a", "log", "explain --subject abc", "inventory show", "report --annex-iv"],
)
def test_a_home_that_is_not_there_is_not_made(tmp_path, words):
    code, _, err = cli(*words.split(), home=tmp_path / "nowhere")
    assert (code in (2, 64), "no_database" in err, list(tmp_path.iterdir())) == (True, True, [])


@pytest.mark.parametrize(
    ("words", "said"), [((), "no agent or person is given"), (("--agent", "clerk", "--user", "ana"), "both")]
)
def test_reach_asks_for_one_of_the_two(tmp_path, words, said):
    home = tmp_path / "home"
    with open_halo("clerk", home) as halo:
        register(halo)
    code, _, err = cli("reach", *words, home=home)
    assert (code, said in err, "give one:" in err) == (64, True, True)


def test_hostile_words_do_not_reach_the_terminal(tmp_path):
    home, hostile = tmp_path / "home", "x\x1b[2J\u202e[bold]\n"
    with open_halo("clerk", home) as halo:
        tools = register(halo)
        with halo.session(hostile, user=hostile), contextlib.suppress(Denied):
            halo.enforcer.run(halo.build_call(tools["lookup"], {"q": hostile}), Calls(), SURFACE)
            halo.enforcer.run(halo.build_call(tools["wipe"], {"path": hostile}), Calls(), SURFACE)
        halo.record_shadow("tool", hostile, hostile)
    for words in (
        ("who-touched", "--label", "chd", "--prove"),
        ("reach", "--agent", "clerk"),
        ("reach", "--user", hostile),
        ("sample", "--seed", hostile),
        ("sample", "--seed", "1", "--tool", hostile),
        ("denials", "--with-disposition"),
        ("failures",),
        ("access-log",),
        ("who-touched", "--label", hostile),
    ):
        code, out, err = cli(*words, home=home)
        assert code in (0, 1, 2), err
        assert not {"\x1b", "\u202e"} & set(out + err)
    assert KeyStore(home).names()
    for form in ("csv", "jsonl", "ocsf"):
        target = tmp_path / form
        ok(cli("export", form, "--output", str(target), home=home))
        text = target.read_bytes().decode()
        assert "u202e" in text
        assert text.replace("\r\n", "").replace("\n", "").isprintable()


CRASHING = """
import os, sys
from evidence_world import open_halo, register
from halo_world import SURFACE
from pathlib import Path

with open_halo("clerk", Path(sys.argv[1])) as halo, halo.session("torn", user="ana"):
    halo.enforcer.run(halo.build_call(register(halo)["lookup"], {"q": "t"}), lambda args: os._exit(9), SURFACE)
"""


def test_a_process_that_died_is_a_failure_and_what_it_did_is_not_known(home):
    folders = [str(Path(__file__).parent), str(Path(__file__).parents[1]), *sys.path]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(folders)}
    assert subprocess.run([*find_python(), "-c", CRASHING, str(home)], env=env, check=False).returncode == 9
    with open_halo("clerk", home):
        pass
    code, got = answer(home, "failures")
    assert code == 1
    assert sorted(row["what"] for row in got["rows"]) == [
        "a process ended without closing the log",
        "outcomes not known",
    ]
    torn = next(item["id"] for item in raw_decisions(home) if item["status"] == "unknown")
    code, got = answer(home, "who-touched", "--label", "chd", "--prove")
    assert (code, sum(row["unknown"] for row in got["rows"])) == (0, 1)
    assert any(torn in note for note in got["notes"])


def test_a_waiver_is_a_failure_with_its_actor_and_what_ran_then(home):
    ok(cli("enforce", home=home))
    as_mia = ("--as", "mia", "--key-home", str(home.parent / "keys-mia"))
    ok(cli("observe", "--for", "30m", "--why", "looking for a fault", *as_mia, home=home))
    with open_halo("clerk", home, mode="observe") as halo, halo.session("loose"):
        halo.enforcer.run(halo.build_call(register(halo)["wipe"], {"path": "/"}), Calls(), SURFACE)
    ok(cli("enforce", home=home))
    waived, raised = raw_entries(home, "mode")[-2:]
    code, got = answer(home, "failures")
    row = next(row for row in got["rows"] if row["what"] == "enforcement waived")
    assert (code, row["decisions"], row["ran_though_refused"], row["agents"]) == (1, 1, 1, ["clerk 1"])
    assert (row["from"], row["to"]) == (format_moment(waived["ts_us"]), format_moment(raised["ts_us"]))
    assert "looking for a fault" in row["detail"]
    after = format_moment(raised["ts_us"] + 1)
    assert answer(home, "failures", "--from", after)[1]["rows"] == []


def test_the_inventory_lists_what_was_refused_for_want_of_a_guard(home):
    with open_halo("clerk", home) as halo:
        halo.record_shadow("agent", "cron-cleaner", "jobs.py:7", refused=True)
    _, got = answer(home, "inventory", "show")
    (row,) = (row for row in got["rows"] if row["agent"] == "(ungoverned)")
    assert (row["state"], row["decisions"]) == ("refused", 1)
    assert "`cron-cleaner`" in row["purpose"]
    assert any("refused" in note and "`cron-cleaner`" in note for note in got["notes"])
    assert not any("cron-cleaner" in finding for finding in got["findings"])
    assert "cron-cleaner" in cli("inventory", "show", home=home)[1]
