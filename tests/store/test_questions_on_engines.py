"""An auditor's questions on both engines: entries that wait for their position, counts, tampering."""

from __future__ import annotations

import contextlib
import json

import pytest
from engine_world import ENGINES, Place

from halo_core.clock import SystemClock
from halo_core.errors import Denied
from halo_core.evidence.answers import Period, Verdict
from halo_core.evidence.audit_log import END_US, AuditLog, DecisionFilter, ask
from halo_core.evidence.checks import CHECK_CLASSES, run_checks
from halo_core.evidence.questions_access import answer_who_touched
from halo_core.store.reader import Reader
from halo_core.testing import FixedClock
from halo_world import SURFACE, Calls, tool

EVERYTHING = DecisionFilter(Period(0, END_US), label="chd")


def work(halo):
    calls = [(tool(halo, "lookup", labels=("chd",)), {"q": "a"}), (tool(halo, "wipe"), {"path": "/"})]
    for number in range(3):
        with halo.session(f"s{number}", user="ana"):
            for item, args in calls:
                with contextlib.suppress(Denied):
                    halo.enforcer.run(halo.build_call(item, args), Calls(), SURFACE)
    halo.store.flush()


@pytest.mark.parametrize("engine", ENGINES)
def test_questions_count_what_the_rows_hold(engine, tmp_path):
    place = Place.make(engine, tmp_path / "home")
    with place.open() as halo:
        work(halo)
    with place.attack() as rows:
        ((decisions,),) = rows.run("SELECT count(*) FROM entry WHERE kind='decision'")
        ((entries,),) = rows.run("SELECT count(*) FROM entry")
    code, out, err = place.cli("sample", "--n", "25", "--seed", "1", "--json")
    got = json.loads(out)
    assert (code, got["population"]["counted"], len(got["rows"])) == (0, decisions, decisions), err
    assert got["population"]["last_index"] == entries - 1
    code, out, _ = place.cli("who-touched", "--label", "chd", "--prove", "--json")
    got = json.loads(out)
    assert (code, got["population"]["counted"], got["rows"][0]["ran"]) == (0, 3, 3)
    for words in (("reach", "--agent", "clerk"), ("failures",), ("denials", "--with-disposition"), ("metrics",)):
        assert place.cli(*words)[0] == 0, words
    with place.attack() as rows:
        rows.run("UPDATE entry SET ts_us=ts_us+1 WHERE kind='decision'")
    assert place.cli("failures")[0] == 2


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_is_proven_while_entries_wait_for_checkpoint_or_position(engine, tmp_path):
    place = Place.make(engine, tmp_path / "home")
    with place.open(clock=FixedClock()) as halo:  # which stands still, so that no checkpoint comes by itself
        halo.store.checkpoint()
        work(halo)
        with Reader(place.url) as reader:
            log = AuditLog(reader, "local", home=place.home, now_us=0, query="halo test")
            answer = ask(log, EVERYTHING.period, answer_who_touched, EVERYTHING, prove=True)
            waiting = log.verified.unplaced
    assert (answer.verdict, waiting > 0) == (Verdict.CANNOT_TELL, engine == "postgresql")
    found = " ".join(answer.findings)
    assert "checkpoint yet" in found or "no position" in found
    assert engine == "sqlite" or "no position" in " ".join(answer.notes)


_LOSE = """INSERT INTO entry (tenant, w, ws, idx, kind, session, ts_us, once, mark, body, signatures, sealed, marks)
    SELECT tenant, 'ffffffffffff', 0, NULL, kind, session, ts_us - 3600000000, NULL, mark, body, signatures, NULL, NULL
    FROM entry WHERE kind='writer_open' LIMIT 1"""
"""Positions stand in a table of their own."""


def test_an_entry_that_will_never_have_a_position_turns_the_check_red(tmp_path):
    """On PostgreSQL entries wait for their position; SQLite gives it in the transaction of the entry."""
    place = Place.make("postgresql", tmp_path / "home")

    def check():
        with Reader(place.url) as reader:
            log = AuditLog(reader, "local", home=place.home, now_us=10**18)
            return run_checks(log, Period(0, END_US), CHECK_CLASSES)

    with place.open(clock=FixedClock(SystemClock().now_us())) as halo:  # no checkpoint comes by itself
        halo.store.checkpoint()
        work(halo)
        waiting = check()["population"]
        halo.store.checkpoint()
    before = check()
    with place.attack() as rows:
        assert len(rows.run(_LOSE)) == 1
    after = check()
    assert (waiting.verdict, "wait for their position" in " ".join(waiting.notes)) == (Verdict.HOLDS, True)
    assert before["population"].verdict is Verdict.HOLDS
    assert after["population"].findings == ("1 entry has no position in the log",)
    changed = {name for name in after if after[name].verdict is not before[name].verdict}
    assert (changed, after["population"].verdict) == ({"population"}, Verdict.FAILS)


def test_an_entry_after_the_checkpoint_counts_only_with_the_signature_of_its_writer(tmp_path):
    """On PostgreSQL an entry gets its position together with a checkpoint."""
    place = Place.make("sqlite", tmp_path / "home")
    with place.open() as halo:
        work(halo)
        halo.store.checkpoint()
        work(halo)
        with place.attack() as rows:
            # The last byte of an Ed25519 signature is at most 0x10 (RFC 8032: S is below the group order).
            forged = "CAST(substr(signatures, 1, 67) || x'ff' AS BLOB)"
            rows.run(f"UPDATE entry SET signatures={forged} WHERE idx=(SELECT max(idx) FROM entry)")
        with Reader(place.url) as reader:
            log = AuditLog(reader, "local", home=place.home, now_us=0, query="halo test")
            answer = ask(log, EVERYTHING.period, answer_who_touched, EVERYTHING)
    assert (answer.verdict, "bad_signature" in answer.findings[0]) == (Verdict.CANNOT_TELL, True)
