"""The seeded month itself: the log says what its raw notes say, and each planted gap is in it."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from month import GAPS, play_month

from halo_core.model import EntryKind
from halo_world import bodies, found

pytestmark = pytest.mark.xdist_group("month")


@pytest.fixture(scope="module")
def month(usual_month, tmp_path_factory):
    return usual_month.copy(tmp_path_factory.mktemp("month") / "copy")


def test_the_log_of_the_month_is_whole(month):
    assert month.halo("verify")[0] == 0


def test_every_attempt_of_the_notes_is_a_decision_and_every_run_an_outcome(month):
    decisions = Counter(
        (body["request"]["subject"]["agent"], body["request"]["resource"]["id"], body["dispatched"])
        for body in bodies(month.home, EntryKind.DECISION)
        if body["request"]["kind"] != "handoff"
    )
    noted = Counter((row["agent"], row["tool"], row["came"] == "ran") for row in month.notes.select("attempt"))
    assert decisions == noted
    statuses = Counter(body["status"] for body in bodies(month.home, EntryKind.OUTCOME))
    hand_offs = sum(1 for _ in month.notes.select("handoff"))
    assert statuses == {"success": sum(1 for _ in month.notes.select("ran")) + hand_offs}


def test_the_month_has_what_its_questions_are_about(month):
    kinds = {item.entry.kind for item in found(month.home)}
    needed = {
        EntryKind.ACCESS, EntryKind.ALERT, EntryKind.APPROVAL, EntryKind.FEEDBACK, EntryKind.LIFT, EntryKind.MODE,
        EntryKind.PASSPORT, EntryKind.POLICY, EntryKind.REVOCATION, EntryKind.STOP,
    }  # fmt: skip
    assert needed <= kinds
    assert len(bodies(month.home, EntryKind.ALERT)) == sum(1 for _ in month.notes.select("alert"))


@pytest.fixture(scope="module")
def gaps(tmp_path_factory):
    """All gaps at once; the last one is what `halo verify` sees."""
    return play_month(tmp_path_factory.mktemp("gaps"), seed=7, days=5, sessions=1, gaps=GAPS)


def test_planted_gaps_are_in_the_log(gaps):
    (sighting,) = bodies(gaps.home, EntryKind.SHADOW)
    assert sighting["name"] == "wire_transfer"
    runs = [item for item in found(gaps.home, EntryKind.DECISION) if item.entry.body["dispatched"]]
    assert len(runs) - len(bodies(gaps.home, EntryKind.OUTCOME)) == 1
    revoked_us = next(gaps.notes.select("revoke"))["at_us"]
    late = [item for item in runs if item.entry.ts_us > revoked_us]
    assert "archive-bot" in {item.entry.body["request"]["subject"]["agent"] for item in late}
    code, said = gaps.halo("verify", "--json")
    assert code in (11, 13)
    assert "position" in json.dumps(json.loads(said))


def test_a_gateway_saw_what_ran_past_halo(gaps):
    agents = {line.split(",")[0] for line in (gaps.folder / "gateway.csv").read_text().splitlines()[1:]}
    assert agents == {"archive-bot", "batch-scorer", "collections", "loan-desk", "research"}


def test_the_same_seed_plays_the_same_month(month, gaps):
    def strip(rows):
        return [{k: v for k, v in row.items() if k not in ("question", "said")} for row in rows]

    assert strip(gaps.notes.rows)[: len(month.notes.rows)] == strip(month.notes.rows)


def test_alerts_and_incidents_fit_a_narrow_terminal(month, monkeypatch):
    _, listed = month.halo("alerts", "--json")
    alerts = json.loads(listed)["alerts"]
    assert alerts
    monkeypatch.setenv("COLUMNS", "80")
    code, out = month.halo("alerts")
    assert code == 0
    assert all(len(line) <= 80 for line in out.splitlines())
    for item in alerts:
        assert f"{item['index']}  {item['session']}: " in out
    assert month.halo("incident", "list") == (0, "no incident is on record\n")


def test_risks_of_agents_fit_a_narrow_terminal(month, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out = month.halo("risk")
    assert code == 0
    assert all(len(line) <= 80 for line in out.splitlines())
    assert "archive-bot " in out
    assert "collections: the stop was lifted: template mended (done last)" in " ".join(out.split())
