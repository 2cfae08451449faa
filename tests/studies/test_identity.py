"""The study of identity risk."""

from __future__ import annotations

import gzip
import json

import pytest

import identity
from recorded_world import study_data


def row(second, malicious, **changes):
    usual = {
        "action": "s3:GetObject",
        "origin": "203.0.113.9",
        "outcome": "AccessDenied",
        "principal": "ana",
        "principal_type": "human",
        "source": "made",
        "ts": f"2026-01-05T10:00:{second:02d}Z",
    }
    return usual | {"malicious": malicious} | changes


@pytest.fixture
def data(tmp_path):
    rows = [row(1, None), row(2, False), row(3, True, principal="eve"), row(4, True), row(5, None, ts=None)]
    with gzip.open(tmp_path / "events.jsonl.gz", "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(each) + "\n" for each in rows)
    return tmp_path


def figures(capsys, *argv):
    assert identity.main([*argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_what_recorded_events_are_is_counted_and_nothing_more_is_claimed(data, capsys):
    recorded = figures(capsys, "--data", str(data), "--seeds", "0")["recorded"]
    assert (recorded["events"], recorded["refused"]) == (4, {"time: missing": 1})
    found = recorded["sources"]["made"]
    assert found == {
        "attack_identities": 2,
        "attack_identities_in_earlier_half": 1,
        "attack_identities_labelled_ordinary_too": 1,
        "days": 1,
        "events": 4,
        "identities": 2,
        "identities_of_five_days": 0,
        "later_half": {"attack": {"too little known": 2}},
    }
    assert "no detection rate" in recorded["says"]


@pytest.mark.thorough
def test_a_synthetic_month_is_called_that_and_is_the_same_again(data, capsys, monkeypatch):
    from halo_studies.identity import synthetic_events

    small = synthetic_events.month
    monkeypatch.setattr(identity, "month", lambda seed: small(seed, people=12, services=3))
    first, second = (figures(capsys, "--data", str(data), "--seeds", "1") for _ in range(2))
    assert first == second
    found = first["synthetic"]
    assert "synthetic" in found["says"]
    assert found["attacks"]["hour_and_country"]["elevated"] == found["attacks"]["hour_and_country"]["days"] == 6
    assert set(found["attacks"]) == set(synthetic_events.ATTACKS)
    assert identity.main(["--data", str(data), "--seeds", "1"]) == 0
    assert "synthetic: drawn by rules" in capsys.readouterr().out


def test_data_that_is_none_is_refused_by_name(tmp_path, capsys):
    assert identity.main(["--data", str(tmp_path)]) == 2
    assert "events.jsonl.gz" in capsys.readouterr().err


def test_the_recorded_events_are_read(capsys):
    recorded = figures(capsys, "--data", str(study_data("identity")), "--seeds", "0")["recorded"]
    assert recorded["events"] + sum(recorded["refused"].values()) == 10_061
    attacks = [source["later_half"].get("attack", {}) for source in recorded["sources"].values()]
    assert {basis for counts in attacks for basis in counts} == {"tenant", "too little known"}
